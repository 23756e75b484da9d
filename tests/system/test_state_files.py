"""Somebody removes files of the state directory under a running daemon."""
import os

import pytest
from systemlib import Site, wait_until


@pytest.fixture
def site():
    with Site("--contacts", 20, "--accounts", 6) as s:
        s.start()
        s.sign_in()
        s.connect("every=1s")
        s.first_sync()
        s.wait_equal()
        yield s


def test_the_database_is_removed(site):
    """proves: V8. It is said, nothing more is written to a vendor, and no empty database takes its place."""
    kept = site.scratch + "/kept.db"
    os.link(site.database, kept)
    for name in ("tieline.db", "tieline.db-wal", "tieline.db-shm"):
        (site.state / name).unlink(missing_ok=True)
    assert site.api("GET", "/-/ready").status >= 500
    wait_until(lambda: "removed or moved while it was in use" in site.log(), 30, "the log says so")
    (a, b, _), = site.pairs(1)
    site.sandbox.change("desk", "contacts", a, title="Written nowhere")
    assert site.run("status", check=False).returncode != 0
    site.daemon.stop()
    assert site.salesforce()[b]["Title"] != "Written nowhere"
    site.daemon.start(wait=False)
    assert site.daemon.process.wait(20) != 0
    assert "is gone" in site.log() and not site.database.exists()


def test_the_lock_file_is_removed(site):
    """A second daemon still does not run on the same database."""
    (site.state / "tieline.db.lock").unlink()
    first = site.daemon.process
    site.daemon.start(wait=False)
    second, site.daemon.process = site.daemon.process, first
    assert second.wait(20) != 0
    assert "in use by another process" in site.log()
    site.wait_equal()
