"""The check of the whole database on a running daemon, and the audit."""
import json
import sqlite3

import pytest
from systemlib import Site


@pytest.fixture(scope="module")
def site():
    with Site("--contacts", 40, "--accounts", 8) as s:
        s.start()
        s.sign_in()
        s.connect("every=1s")
        s.first_sync()
        yield s


def change(site, *statements):
    """Behind the daemon's back."""
    site.daemon.stop()
    with sqlite3.connect(site.database) as db:
        for statement in statements:
            db.execute(statement)
    db.close()
    site.daemon.start()
    site.wait_running()


def test_what_was_synced_is_sound(site):
    """proves: V1 V2 V3 V14 V18, after a first sync with everything planted in it."""
    done = site.run("fsck")
    assert done.returncode == 0 and " 0 findings" in done.stderr
    assert site.run("fsck", "--connection", "demo").returncode == 0
    assert site.run("fsck", "--connection", "nosuch", check=False).returncode == 4
    assert site.run("fsck", "--repair", "-n").stdout.startswith("0 counts")


def test_findings_say_what_to_do_and_are_mended(site):
    change(site, "UPDATE tally SET n = n + 7 WHERE what = 1", "INSERT INTO parked VALUES(99999, 1, 1, 0, 5, 5)",
           "DELETE FROM stretch WHERE (owner, n) = (SELECT feed, rec >> 6 FROM record WHERE feed IN (SELECT a_feed FROM link)"
           " LIMIT 1)")
    done = site.run("fsck", "--json", check=False)
    assert done.returncode == 8
    found = json.loads(done.stdout)["items"]
    assert {f["check"] for f in found} == {"tally", "orphan", "stretch"}
    assert all("--repair" in f["hint"] for f in found)
    assert "nothing was changed" in site.run("fsck", "--repair", "-n").stderr
    assert site.run("fsck", check=False).returncode == 8
    assert site.run("fsck", "--repair").stdout == "2 counts put right, 2 rows removed or put back\n"
    assert site.run("fsck").returncode == 0
    assert site.list("audit", "list")[0]["act"] == "fsck.repair"


def test_how_long_things_are_kept_is_shown(site):
    kept = site.api("GET", "/api/v1/status").json["retention"]
    assert kept["tombstones"] == "90d" and kept["audit"] == "730d" and kept["history"] == "30d"
    shown = site.run("config", "explain", "retention").stdout
    assert all(f"[retention] {key}" in shown for key in kept)


def test_the_audit_shows_who_did_what_and_that_it_is_whole(site):
    acts = site.list("audit", "list", "--limit", "1000")
    assert {"connection.create", "link.create"} <= {a["act"] for a in acts}
    assert all("uid" in a["who"] or a["who"] == "tielined" for a in acts)
    assert site.run("audit", "verify").returncode == 0
    older = site.list("audit", "list", "--after", str(acts[0]["id"]), "--limit", "1")
    assert older[0]["id"] == acts[1]["id"]
    change(site, f"UPDATE audit SET who = 'nobody' WHERE audit = {acts[2]['id']}")
    done = site.run("audit", "verify", check=False)
    assert done.returncode == 8 and f"row {acts[2]['id']}" in done.stderr
