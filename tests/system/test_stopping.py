"""Ending the daemon: at once where nothing is being written, within the drain where a vendor hangs, and the log says how.
proves: Q12"""
import contextlib
import os
import signal
import sqlite3
import subprocess
import time

import pytest
from systemlib import BUILD, LONG, Site, rig
from rig import wait_until


@contextlib.contextmanager
def frozen(process):
    os.kill(process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process.pid, signal.SIGCONT)


def test_reads_and_checks_do_not_hold_up_the_end():
    """A vendor that hangs, a check that somebody waits for, polling under way, no write: SIGTERM ends all of it now."""
    with Site(hooks=True).start() as site:
        site.sign_in(stamps=False)
        site.connect(kinds=("contact",), number=False)
        site.first_sync()
        with frozen(site.sandbox.process):
            check = subprocess.Popen([rig.find_program(BUILD, "tieline"), "-S", site.daemon.socket, "endpoint", "check",
                                      "desk"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            wait_until(lambda: any(c["name"] == "desk" and c["running"] >= 2 for c in site.list("connector", "list")), 90,
                       "a reading and the check are under way")
            start = time.monotonic()
            site.daemon.process.send_signal(signal.SIGTERM)
            assert site.daemon.process.wait(60) == 0
            assert time.monotonic() - start < 8
            assert check.wait(5) != 0
            assert "stopping" in check.stderr.read()
        assert "stopped" in site.log().splitlines()[-1]


@pytest.mark.skipif(not LONG, reason="30 s")
@pytest.mark.parametrize("isolation", ["worker", "inprocess"])
def test_a_hanging_write_is_waited_for_and_cut(isolation):
    """30 s for a write that has no answer, then it is cut; the next start looks it up, and nothing is doubled."""
    with Site(hooks=False, isolation=isolation).start() as site:
        site.sign_in()
        site.connect(number=False)
        site.first_sync()
        site.sandbox.fault("delay", twin="salesforce", method="PATCH", ms=90000, times=1)
        site.sandbox.create("desk", "contacts", {"lastName": "Hanging", "email": "hanging@example.com"})
        with contextlib.closing(sqlite3.connect(site.database)) as db:
            wait_until(lambda: db.execute("SELECT 1 FROM intent").fetchone(), 20, "the write is under way")
        start = time.monotonic()
        site.daemon.stop()
        assert time.monotonic() - start < 40
        assert site.daemon.process.returncode == 0
        site.start()
        wait_until(lambda: "hanging@example.com" in str(site.salesforce()), 120, "the contact is there")
        site.wait_quiet(120)
        assert len([r for r in site.salesforce().values() if r["Email"] == "hanging@example.com"]) == 1


def test_hang_up_is_answered_in_the_log():
    """SIGHUP does not end the daemon unseen; a second SIGTERM ends it with 130."""
    with Site("--contacts", 2, "--accounts", 1, hooks=False).start() as site:
        site.daemon.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "SIGHUP" in site.log(), 10, "the log names the signal")
        assert site.run("status", check=False).returncode in (0, 3)
