"""Connectors come and go at run time: load, unload, reload, disable; each in a process of its own or in the daemon."""
import pathlib
import shutil

import pytest
from systemlib import BUILD, Site, synced_site, wait_until


def state(site, name="desk"):
    return site.list("connector", "show", name)[0]["state"]


@pytest.mark.parametrize("isolation", ["worker", "endpoint", "inprocess"])
def test_isolation(isolation):
    """The same file in a worker, in one worker an endpoint, in the daemon: the same sync, other processes."""
    with Site("--contacts", 40, "--accounts", 8, "--plan", "plain", isolation=isolation) as site:
        site.start()
        site.sign_in()
        site.connect("every=1s", number=False)
        site.first_sync()
        site.wait_equal(number=False)
        shown = {c["name"]: c for c in site.list("connector", "list")}
        assert {c["isolation"] for c in shown.values()} == {isolation}
        workers = [pathlib.Path(f"/proc/{p}/comm").read_text().strip() for p in site.daemon.workers()]
        assert len(workers) >= 2 if isolation != "inprocess" else workers == []
        maps = pathlib.Path(f"/proc/{site.daemon.process.pid}/maps").read_text()
        assert ("salesforce-" in maps) == (isolation == "inprocess")


@pytest.fixture(scope="module")
def site():
    with synced_site("--plan", "plain", number=False) as s:
        yield s


@pytest.mark.parametrize("how", [(), ("--mode", "soft"), ("--mode", "drain", "--deadline", "20s"), ("--mode", "kill")])
def test_unload_and_load(site, how):
    """After unload its connections wait and say why; after load they go on and catch up."""
    a, b, _ = site.pairs(1)[0]
    title = "-".join(("unloaded", *how))
    wait_until(lambda: site.run("connector", "unload", "desk", *how, check=False).returncode == 0, 20, "unloaded")
    assert state(site) == "not loaded"
    site.sandbox.change("salesforce", "Contact", b, Title=title)
    told = site.run("endpoint", "check", "desk", check=False)
    assert told.returncode == 10 and "tieline connector load desk" in told.stderr, told
    assert site.run("status", check=False).returncode in (0, 3)
    site.run("connector", "load", "desk")
    assert state(site) == "running"
    site.wait_title("desk", a, title)


def test_reload_takes_the_file_as_it_is(tmp_path):
    """A reload drains, then maps a new copy; the pid of the worker changes, the sync goes on."""
    directory = tmp_path / "connectors"
    directory.mkdir()
    for name in ("desk", "salesforce"):
        shutil.copy(f"{BUILD}/connectors/{name}.so", directory)
    with Site("--contacts", 20, "--accounts", 5, "--plan", "plain") as site:
        ini = pathlib.Path(site.daemon.ini)
        ini.write_text(ini.read_text().replace(f"{BUILD}/connectors", str(directory)))
        site.start()
        site.sign_in()
        before = site.list("connector", "show", "desk")[0]
        with open(directory / "desk.so", "ab") as f:
            f.write(b"\0" * 64)  # another file, the same connector
        site.run("connector", "reload", "desk")
        after = site.list("connector", "show", "desk")[0]
        assert after["state"] == "running" and after["pid"] != before["pid"] and after["sha256"] != before["sha256"]
        assert site.run("endpoint", "check", "desk").returncode == 0
        site.run("connector", "unload", "desk")
        with open(directory / "desk.so", "ab") as f:
            f.write(b"\0" * 64)
        site.run("connector", "load", "desk")
        loaded = site.list("connector", "show", "desk")[0]
        assert loaded["last_loaded"]["sha256"] == loaded["sha256"] != after["sha256"]
        shutil.copy("/bin/true", directory / "desk.so")  # a broken build: refused, and the old one goes on
        done = site.run("connector", "reload", "desk", check=False)
        assert done.returncode != 0 and "tieline_connector_v0" in done.stderr or "desk" in done.stderr, done
        assert site.list("connector", "show", "salesforce")[0]["state"] == "running"


def test_disable_is_kept_over_restarts(site):
    site.run("connector", "disable", "desk")
    assert state(site) == "disabled"
    site.restart()
    wait_until(lambda: state(site, "salesforce") == "running", 20, "salesforce runs")
    assert state(site) == "disabled"
    told = site.run("connector", "load", "desk", check=False)
    assert told.returncode == 6 and "disabled" in told.stderr and "enable" in told.stderr, told
    site.run("connector", "enable", "desk")
    assert state(site) == "running"
    a, b, _ = site.pairs(1, skip=4)[0]
    site.sandbox.change("salesforce", "Contact", b, Title="enabled again")
    site.wait_title("desk", a, "enabled again")


def test_unload_lasts_until_a_restart(site):
    wait_until(lambda: site.run("connector", "unload", "desk", check=False).returncode == 0, 20, "unloaded")
    site.restart()
    site.wait_running()


def test_unknown_connector(site):
    for verb in ("unload", "reload", "show"):
        assert site.run("connector", verb, "nothere", check=False).returncode == 4
    done = site.run("connector", "load", "nothere", check=False)
    assert done.returncode != 0 and "nothere.so" in done.stderr
    done = site.run("connector", "load", "../../etc/x", check=False)
    assert done.returncode != 0


def test_a_name_that_is_no_connector(site):
    """It is refused, leaves nothing in the list, and the log does not tell that it was done."""
    before = [c["name"] for c in site.list("connector", "list")]
    for _ in range(2):
        done = site.run("connector", "load", "nope", check=False)
        assert done.returncode == 4 and "nope.so" in done.stderr, done
    assert [c["name"] for c in site.list("connector", "list")] == before
    assert site.run("connector", "unload", "nope", check=False).returncode == 4
    assert site.run("connector", "show", "nope", check=False).returncode == 4
    assert "object=nope" not in site.log() and "object=desk" in site.log()
