"""What the check knows before the start: the connectors that are enabled, the group of the socket; and the unit agrees."""
import grp
import pathlib
import subprocess

import pytest
from systemlib import BUILD, ROOT, Site, rig


@pytest.fixture
def site():
    with Site("--contacts", 2, "--accounts", 1, hooks=False) as site:
        yield site


def check(site):
    return subprocess.run([rig.find_program(BUILD, "tielined"), "-t", "-c", site.daemon.ini], capture_output=True,
                          text=True, timeout=60)


def change(site, old, new):
    with open(site.daemon.ini, encoding="utf-8") as f:
        text = f.read()
    assert old in text
    with open(site.daemon.ini, "w", encoding="utf-8") as f:
        f.write(text.replace(old, new))
    return text.replace(old, new).splitlines().index(new.splitlines()[0]) + 1


def test_every_word_of_enable_is_checked(site):
    """Names that are none, files that are not there and doubles, with the line; endpoints of others than these."""
    assert check(site).returncode == 0
    line = change(site, "enable = desk, salesforce", "enable = salesforce, nosuch, ../x, sales force, salesforce")
    done = check(site)
    assert done.returncode == 7
    told = [t for t in done.stderr.splitlines() if t.startswith(f"{site.daemon.ini}:{line}: ")]
    for words in ("enable = nosuch", '"../x" is no name', '"sales force" is no name', '"salesforce" is named twice'):
        assert any(words in t for t in told), (words, done.stderr)
    assert '[endpoint desk] connector "desk" is not in [connectors] enable' in done.stderr
    assert "[endpoint sf] connector" not in done.stderr


def test_a_connector_named_twice_is_loaded_once(site):
    change(site, "enable = desk, salesforce", "enable = desk, salesforce, desk")
    site.start()
    site.wait_running()
    assert "cannot be loaded now" not in site.log()


def test_the_group_must_be_there(site):
    """No such group: refused by the check and at the start. One without the daemon's user: a warning."""
    line = change(site, f"socket = {site.daemon.socket}", f"socket = {site.daemon.socket}\ngroup = nosuchgroup") + 1
    done = check(site)
    assert done.returncode == 7
    assert f"{site.daemon.ini}:{line}: error: [api] group = nosuchgroup: there is no such group" in done.stderr
    with pytest.raises(RuntimeError, match="ended with 7"):
        site.start()
    change(site, "group = nosuchgroup", f"group = {grp.getgrgid(0).gr_name}")
    assert check(site).returncode == 0


def test_the_unit_lets_the_group_in_and_does_not_restart_in_vain():
    """With a user namespace of its own the daemon sees every other user as nobody and cannot hand over the socket."""
    unit = (ROOT / "etc/tieline.service").read_text(encoding="utf-8")
    assert "PrivateUsers=yes" not in unit and "SupplementaryGroups=" in unit
    assert "RestartPreventExitStatus=2 7" in unit and "ExecStartPre" not in unit


@pytest.mark.parametrize("reference,content,words", [
    ("@file:{dir}/empty", "", "is empty"), ("@secrt:zoho", None, "client_secret = @secrt:...: no such reference"),
    ("@file:{dir}/good", "abcdef\n", None)])
def test_a_reference_that_leads_nowhere_is_an_error(site, reference, content, words):
    """An empty file and a misspelt reference are no secrets."""
    reference = reference.format(dir=site.daemon.directory)
    if content is not None:
        path = pathlib.Path(reference.removeprefix("@file:"))
        path.write_text(content, encoding="ascii")
        path.chmod(0o400)
    change(site, "client_secret = @secret:zoho_client", f"client_secret = {reference}")
    done = check(site)
    assert done.returncode == (7 if words else 0), done.stderr
    assert (words or "config ok") in done.stderr


def test_the_mark_of_an_editor_is_no_mistake(site):
    """UTF-8 with a byte order mark."""
    path = pathlib.Path(site.daemon.ini)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().split(b"\n", 1)[1])
    assert check(site).returncode == 0, check(site).stderr


def test_a_word_too_many_is_named():
    done = subprocess.run([rig.find_program(BUILD, "tielined"), "extra"], capture_output=True, text=True, timeout=20)
    assert done.returncode == 2 and 'takes no "extra"' in done.stderr
