"""Connectors that do harm, beside two that sync: the daemon lives, the others do not notice, and a person reads what
was tried. What is cut by time is run with TIELINE_TEST_LONG=1 only; tests/unit/connector/test_cell.c and test_hang.c
show the same with a clock of their own. A record that is deadly: test_poison.py."""
import pathlib
import shutil

import pytest
from systemlib import BUILD, LONG, Site, wait_until

FIXTURES = f"{BUILD}/tests/unit/connector/fixtures"
TOLD = {"connect": "socket: Permission denied", "open": "open: Permission denied", "write": "open: Permission denied",
        "truncate": "truncate: Permission denied"}
KILLED = {"fork": 'it called "clone"', "exec": 'it called "execve"', "ptrace": 'it called "ptrace"',
          "kill": 'it called "kill"', "exit": "exit status 3", "crash": "signal 11", "stack": "signal 11",
          "abort": "signal 6", "frames": "signal 9"}
BOMBS = ("memory", "threads", "scribble")
SILENT = ("hang", "spin")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    directory = tmp_path_factory.mktemp("connectors")
    for so in (f"{BUILD}/connectors/desk.so", f"{BUILD}/connectors/salesforce.so", f"{FIXTURES}/hostile.so",
               f"{FIXTURES}/hostile_ptrace.so", f"{FIXTURES}/hostile_crash.so"):
        shutil.copy(so, directory)
    with Site("--contacts", 20, "--accounts", 4, "--plan", "plain") as s:
        ini = pathlib.Path(s.daemon.ini)
        text = ini.read_text().replace(f"{BUILD}/connectors", str(directory)).replace("enable = ", "enable = hostile, ")
        for how in (*TOLD, *KILLED, *BOMBS, *SILENT, "well"):
            text += f"\n[endpoint {how}]\nconnector = hostile\nhow = {how}\n"
        text += "\n[endpoint flood]\nconnector = hostile\nhow = pull flood\n"
        ini.write_text(text)
        s.start()
        s.sign_in()
        s.wait_running("hostile")
        s.connect("every=1s", number=False)
        s.first_sync()
        s.before = {c["name"]: c["pid"] for c in s.list("connector", "list")}
        yield s


def repairs(site):
    return site.api("GET", "/api/v1/status").json["repairs"]


def others_go_on(site, n):
    """A change of a record goes over; both workers are those from before."""
    a, b, _ = site.pairs(n + 1)[n]
    site.sandbox.change("salesforce", "Contact", b, Title=f"beside {n}")
    site.wait_title("desk", a, f"beside {n}")
    for c in site.list("connector", "list"):
        if c["name"] in ("desk", "salesforce"):
            assert c["pid"] == site.before[c["name"]] and c["crashes"] == 0 and c["state"] == "running", c


def test_told_no(site):
    for how, words in TOLD.items():
        told = site.run("endpoint", "check", how, check=False)
        assert told.returncode != 0 and words in told.stderr, (how, told)
    assert site.list("connector", "show", "hostile")[0]["crashes"] == 0
    for call in ("socket", "openat", "truncate"):
        assert f'it called "{call}", which its cell refuses: Permission denied' in site.log()
    others_go_on(site, 0)


def test_bombs(site):
    for how in BOMBS:
        site.run("endpoint", "check", how, check=False)
        wait_until(lambda: site.run("endpoint", "check", "well", check=False).returncode == 0, 20, "it runs again")
    site.run("connector", "reload", "hostile")  # one that scribbled may answer a while and die at rest
    others_go_on(site, 1)


def test_constructors(site):
    told = site.run("connector", "load", "hostile_ptrace", check=False)
    assert told.returncode != 0 and 'ended while loading it: it called "ptrace"' in told.stderr, told
    told = site.run("connector", "load", "hostile_crash", check=False)
    assert told.returncode != 0 and "ended while loading it: signal 11" in told.stderr, told
    others_go_on(site, 2)


def peak_mib(site):
    with open(f"/proc/{site.daemon.process.pid}/status", encoding="ascii") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmHWM")) / 1024


def test_a_flood_of_records(site):
    """A reading that hands over records without end, whatever the host says: it is cut at what one answer may hold, the
    daemon takes no more than that, the others go on, and a person ends it; nothing of it was stored."""
    before = peak_mib(site)
    site.run("endpoint", "check", "flood")
    site.run("connection", "create", "flooded", "--a", "sf", "--b", "flood")
    site.run("link", "create", "flooded", "contact", "every=1s")
    site.run("--no-wait", "sync", "start", "flooded")
    wait_until(lambda: "the answer to one call is larger than 63 MiB" in site.log(), 120, "the flood is cut")
    others_go_on(site, 6)
    assert peak_mib(site) - before < 200, "the answer, and once more while it is checked and grows"
    busy = site.run("connector", "unload", "hostile", "--mode", "soft", check=False)
    assert busy.returncode != 0, "it floods still"
    site.run("connection", "pause", "flooded")
    site.run("connector", "unload", "hostile", "--mode", "kill")
    shown = site.list("connector", "show", "hostile")[0]
    assert shown["state"] == "not loaded" and "pid" not in shown, shown
    site.run("connector", "load", "hostile")
    assert site.run("endpoint", "check", "well").returncode == 0
    counts = site.list("sync", "status", "flooded")[0]["links"][0]["counts"]
    assert counts["pairs"] == 0 and not site.list("failure", "list", "--connection", "flooded"), counts
    site.run("connection", "delete", "flooded", "-y")


@pytest.mark.skipif(not LONG, reason="each is silent for more than a minute")
def test_silence(site):
    site.run("connector", "reload", "hostile")
    for n, how in enumerate(SILENT):
        told = site.run("endpoint", "check", how, check=False)
        assert told.returncode != 0 and "check hangs: it gave no sign of life for 60 s" in told.stderr, (how, told)
        assert f'in check of endpoint "{how}"' in site.list("connector", "show", "hostile")[0]["error"]["text"]
        wait_until(lambda: site.run("endpoint", "check", "well", check=False).returncode == 0, 20, "it runs again")
        others_go_on(site, 4 + n)


def test_it_stays_down_after_eight(site):
    """Started again with back-off, down at last, and told to a person with call and place; a load brings it back."""
    site.run("connector", "reload", "hostile")  # what the bombs left does not count
    for how, words in list(KILLED.items())[:8]:
        told = site.run("endpoint", "check", how, check=False)
        assert told.returncode != 0, (how, told)
        wait_until(lambda: f'in check of endpoint "{how}"' in site.log(), 10, f"{how} is told")
        assert words in site.log(), how
    wait_until(lambda: site.list("connector", "show", "hostile")[0]["state"] == "crashed", 10, "it stays down")
    shown = site.list("connector", "show", "hostile")[0]
    assert shown["crashes"] == 8 and "stays down" in shown["error"]["hint"], shown
    assert "hostile.so+0x" in shown["error"]["detail"], shown
    status = site.api("GET", "/api/v1/status").json
    repair = [r for r in status["repairs"] if r["object"] == "connector hostile"]
    assert len(repair) == 1 and repair[0]["code"] == "CONNECTOR_CRASHED", status["repairs"]
    assert "in check of endpoint" in repair[0]["text"] and "hostile.so+0x" in repair[0]["hint"], repair
    others_go_on(site, 3)

    # A start does not try it again; the repair is what is known of it.
    site.restart()
    site.wait_running()
    again = site.list("connector", "show", "hostile")[0]
    assert again["state"] == "crashed" and again["error"]["text"] == shown["error"]["text"], again
    assert "hostile.so+0x" in again["error"]["hint"], again
    assert "connector hostile stays down: it crashed too often before this start" in site.log()
    assert repairs(site) == status["repairs"]

    site.run("connector", "load", "hostile")
    assert site.run("endpoint", "check", "well").returncode == 0
    wait_until(lambda: not [r for r in repairs(site) if r["object"] == "connector hostile"], 10,
               "the repair is closed")
