"""A connector reaches the hosts it declares once a person has accepted them: shown by load, accepted with -y or in the
INI file, kept."""
import pathlib

import pytest
from systemlib import Site


def hosts(site, name):
    shown = site.list("connector", "show", name)[0]
    return shown.get("accepted_hosts", ""), shown.get("pending_hosts", ""), shown["hosts"].replace(" ", "")


@pytest.fixture(scope="module")
def site():
    with Site("--contacts", 5, "--accounts", 2, "--plan", "plain") as s:
        s.start()
        s.wait_running()
        yield s


def test_nothing_is_accepted_by_itself(site):
    """The sandbox is reached by addresses that the operator wrote; the vendor's own are not."""
    accepted, pending, declared = hosts(site, "desk")
    assert accepted == "" and pending == declared
    assert 'connector "desk" wants to reach ' in site.log() and "tieline connector load desk -y" in site.log()
    site.daemon.set_secrets()
    assert site.run("endpoint", "check", "desk").returncode == 0


def test_load_shows_and_accepts(site):
    site.run("connector", "unload", "desk")
    told = site.run("connector", "load", "desk")
    declared = hosts(site, "desk")[2]
    assert f"wants to reach {declared}; nothing goes there until you accept that" in told.stderr, told
    told = site.run("connector", "load", "desk", "-y")
    assert "accepted" in told.stderr and "wants to reach" not in told.stderr, told
    assert hosts(site, "desk") == (declared, "", declared)
    assert hosts(site, "salesforce")[0] == ""
    assert site.run("endpoint", "check", "desk").returncode == 0
    assert any(a["act"] == "connector.load" for a in site.list("audit", "list"))


def test_it_is_kept(site):
    site.restart()
    site.wait_running()
    assert hosts(site, "desk")[1] == ""
    assert hosts(site, "salesforce")[1] != ""


def test_the_file_accepts_a_part(site):
    """What is narrower than declared is reached; the rest stays out."""
    ini = pathlib.Path(site.daemon.ini)
    text = ini.read_text()
    ini.write_text(text.replace("[connectors]\n", "[connectors]\nhosts.salesforce = acme.my.salesforce.com\n"))
    site.restart()
    site.wait_running()
    accepted, pending, _ = hosts(site, "salesforce")
    assert accepted == "acme.my.salesforce.com" and "*.my.salesforce.com" in pending
