"""Backups while everything goes on, and putting an older state back: it is noticed, and after the release nothing is lost
and nothing doubled."""
import os
import shutil
import sqlite3
import stat
import time

import pytest
from systemlib import Site, wait_until


def status(site):
    return site.list("status")[0]["backup"]


def test_the_timetable(tmp_path):
    """One after the start, then every so often; old ones go; status, metrics, list and log tell of it."""
    directory = tmp_path / "backups"
    extra = f"[store]\nbackup_every = 1s\nbackup_keep = 2\nbackup_dir = {directory}\n"
    with Site("--contacts", 20, "--accounts", 4, extra=extra) as site:
        directory.mkdir()
        (directory / "tieline-20200101T000000Z.db.part").write_text("left by one that was killed")
        (directory / "mine.db").write_text("not one of ours")
        site.start()
        first = wait_until(lambda: status(site).get("last"), 20, "the first backup")
        assert first["bytes"] > 4096 and first["age_s"] < 20
        wait_until(lambda: status(site)["last"]["file"] != first["file"], 20, "the next one")
        wait_until(lambda: not os.path.exists(first["file"]), 20, "the first one is removed")
        files = sorted(p.name for p in directory.iterdir() if p.name.endswith("Z.db"))
        assert 1 <= len(files) <= 3  # while one is made the two before it are there
        assert (directory / "mine.db").exists()
        assert not (directory / "tieline-20200101T000000Z.db.part").exists()
        listed = site.list("backup", "list")
        assert [f["at"] for f in listed] == sorted((f["at"] for f in listed), reverse=True) and len(listed) <= 3
        assert stat.S_IMODE(os.stat(listed[0]["file"]).st_mode) == 0o600
        metrics = site.api("GET", "/metrics").body.decode()
        figures = dict(line.split() for line in metrics.splitlines() if line.startswith("tieline_backup_"))
        assert abs(int(figures["tieline_backup_last_success_timestamp_seconds"]) - time.time()) < 30
        assert int(figures["tieline_backup_last_size_bytes"]) > 4096 and int(figures["tieline_backup_made_total"]) >= 2
        assert "last backup: 0 h 0 min ago" in site.run("status", check=False).stdout
        assert "MiB in" in site.log()


def test_one_now(tmp_path):
    with Site("--contacts", 20, "--accounts", 4) as site:
        site.start()
        wait_until(lambda: status(site).get("last"), 20, "the first backup")
        done = site.run("backup", "now")
        file = done.stdout.strip()
        assert file.startswith(str(site.state / "backups")) and "MiB" in done.stderr
        assert sqlite3.connect(file).execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert status(site)["last"]["file"] == file
        to = tmp_path / "here.db"
        assert site.run("backup", "now", "--to", to).stdout.strip() == str(to)
        assert stat.S_IMODE(to.stat().st_mode) == 0o600
        before = to.read_bytes()
        again = site.run("backup", "now", "--to", to, check=False)
        assert again.returncode == 6 and "exists already" in again.stderr and to.read_bytes() == before
        nowhere = site.run("backup", "now", "--to", tmp_path / "none" / "x.db", check=False)
        assert nowhere.returncode == 1 and "No such file" in nowhere.stderr and "hint" in nowhere.stderr
        assert site.run("-n", "backup", "now", "--to", tmp_path / "dry.db", check=False).returncode != 0
        assert not (tmp_path / "dry.db").exists() and status(site)["last"]["file"] == file
        log = site.log()
        assert log.count("backup.now") == 2  # the two that were made, with who asked; not what was refused
        site.restart()  # what there is, is known again
        assert status(site)["last"]["file"] == file and status(site)["last"]["bytes"] == os.path.getsize(file)


def test_a_backup_that_fails_stops_nothing_else(tmp_path):
    """The reason is in status, metrics and log, with what to do; synchronising goes on; the next good one clears it."""
    blocker = tmp_path / "backups"
    blocker.write_text("a file where a directory should be")
    with Site("--contacts", 20, "--accounts", 4, extra=f"[store]\nbackup_dir = {blocker}\n") as site:
        site.start()
        error = wait_until(lambda: status(site).get("error"), 20, "the failure")
        assert str(blocker) in error["text"] and "directory" in error["hint"]
        shown = site.run("status", check=False).stdout
        assert "last backup: none" in shown and "backup: cannot make backup" in shown
        assert b"tieline_backup_failed_total 1" in site.api("GET", "/metrics").body
        assert "cannot make backup" in site.log()
        site.sign_in()
        site.connect("every=1s", number=False)
        site.first_sync()
        blocker.unlink()
        site.run("backup", "now")
        assert "error" not in status(site)
        assert "cannot make backup" not in site.run("status", check=False).stdout


# ---- Restore ----


def put_back(site, backup):
    """As docs/operations.md says: stop, the copy in the place of the database, its log removed, the sidecar left."""
    site.daemon.stop()
    for end in ("-wal", "-shm"):
        (site.state / f"tieline.db{end}").unlink(missing_ok=True)
    shutil.copy(backup, site.database)
    site.start()
    site.wait_running()


def blocked(site):
    [connection] = site.list("connection", "list")
    assert connection["state"] == "blocked", connection
    assert "older than what was already written" in connection["block_text"]
    assert site.run("status", check=False).returncode == 3


def release(site):
    site.run("connection", "release", "demo", "-y")
    wait_until(lambda: site.list("connection", "show", "demo")[0]["state"] == "active", 20, "it goes on")
    site.wait_quiet()
    site.wait_equal(number=False)


def ids(site):
    return set(site.desk()), set(site.salesforce()), set(site.desk("accounts")), set(site.salesforce("Account"))


def work(site, n):
    """n creates and edits on both sides, and until they arrived."""
    pairs = site.pairs(n)
    for i in range(n):
        site.sandbox.create("desk", "contacts", {"lastName": f"Later{i}", "email": f"later.d{i}@mail.example"})
        site.sandbox.create("salesforce", "Contact", {"LastName": f"Later{i}", "Email": f"later.s{i}@mail.example"})
    for i, (a, b, _) in enumerate(pairs):
        if i % 2:
            site.sandbox.change("desk", "contacts", a, title=f"T{i}")
        else:
            site.sandbox.change("salesforce", "Contact", b, Title=f"T{i}")
    wait_until(lambda: len([r for r in site.salesforce().values() if r["LastName"].startswith("Later")]) == 2 * n and
               len([r for r in site.desk().values() if r["lastName"].startswith("Later")]) == 2 * n, 90, "creates arrive")
    site.wait_quiet()
    site.wait_equal(number=False)
    return pairs


@pytest.mark.parametrize("case", ["sidecar left", "sidecar lost", "no stamps"])
def test_put_back_after_much_work(case, tmp_path):
    """250 creates and edits later the old state comes back. proves: S1-17"""
    with Site("--contacts", 150, "--accounts", 20, "--plan", "plain") as site:
        if case == "no stamps":
            site.sandbox.control("POST", "/salesforce/switches", {"stamp_field": 0})
        site.start()
        site.sign_in(stamps=case != "no stamps")
        site.connect("every=1s", number=False)
        site.first_sync()
        site.wait_equal(number=False)
        backup = tmp_path / "old.db"
        site.run("backup", "now", "--to", backup)
        pairs = work(site, 84)
        before = ids(site)
        failures = {f["code"] for f in site.list("failure", "list")}
        if case == "sidecar lost":
            (site.state / "tieline.db.seal").unlink()
        site.sandbox.control("DELETE", "/calls")
        put_back(site, backup)
        blocked(site)
        site.restart()  # and it is not forgotten
        blocked(site)
        assert site.writes("desk") == [] and site.writes("salesforce") == []
        release(site)
        assert ids(site) == before  # nothing doubled, nothing lost
        assert {f["code"] for f in site.list("failure", "list")} - failures == set()
        for i, (a, b, _) in enumerate(pairs):
            assert site.desk()[a]["title"] == site.salesforce()[b]["Title"] == f"T{i}"
        # it is in step again, also over a restart
        site.sandbox.change("desk", "contacts", pairs[0][0], title="After")
        site.wait_title("salesforce", pairs[0][1], "After")
        site.restart()
        assert site.list("connection", "show", "demo")[0]["state"] == "active"
        site.run("sync", "start", "demo", "--full", check=False)
        site.wait_quiet()
        assert ids(site) == before and {f["code"] for f in site.list("failure", "list")} - failures == set()


@pytest.mark.parametrize("copy", ["backup", "database", "directory"])
def test_put_back_after_edits_alone(copy, tmp_path):
    """Minutes old, nothing created since: noticed all the same, whatever kind of copy it is."""
    with Site("--contacts", 30, "--accounts", 6, "--plan", "plain") as site:
        site.start()
        site.sign_in()
        site.connect("every=1s", number=False)
        site.first_sync()
        site.wait_equal(number=False)
        (a, b, _), (c, d, _) = site.pairs(2)
        old = tmp_path / "old"
        if copy == "backup":
            site.run("backup", "now", "--to", old)
        else:
            site.daemon.stop()
            shutil.copytree(site.state, old)
            site.start()
            site.wait_running()
        site.sandbox.change("desk", "contacts", a, title="Edited in desk")
        site.sandbox.change("salesforce", "Contact", d, Title="Edited in Salesforce")
        site.wait_title("salesforce", b, "Edited in desk")
        site.wait_title("desk", c, "Edited in Salesforce")
        site.wait_quiet()
        before = ids(site)
        if copy == "directory":
            site.daemon.stop()
            shutil.copytree(old, site.state, dirs_exist_ok=True)  # with its own, equally old sidecar
            site.start()
            site.wait_running()
        else:
            put_back(site, old if copy == "backup" else old / "tieline.db")
        blocked(site)
        release(site)
        assert ids(site) == before
        assert site.desk()[a]["title"] == site.salesforce()[b]["Title"] == "Edited in desk"
        assert site.desk()[c]["title"] == site.salesforce()[d]["Title"] == "Edited in Salesforce"


def test_a_new_machine(tmp_path):
    """A backup of an installation that never synchronised blocks nobody, then or later."""
    with Site("--contacts", 20, "--accounts", 4, "--plan", "plain") as site:
        site.start()
        site.run("backup", "now", "--to", tmp_path / "fresh.db")
        put_back(site, tmp_path / "fresh.db")
        site.sign_in()
        site.connect("every=1s", number=False)
        site.first_sync()
        site.restart()
        assert site.list("connection", "show", "demo")[0]["state"] == "active"
