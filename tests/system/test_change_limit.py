"""The budget of a run, as an administrator meets it: told, waits over a restart, let go on once."""
import pytest
from systemlib import synced_site, wait_until


@pytest.fixture(scope="module")
def site():
    with synced_site("--plan", "plain", number=False) as s:
        yield s


def titled(site, title):
    return sum(r["Title"] == title for r in site.salesforce().values())


def link(site):
    return site.list("link", "show", "demo", "contact")[0]


def test_a_run_that_would_touch_too_much_stops_and_asks(site):
    """proves: Q16"""
    site.run("link", "set", "demo", "contact", "max_changes=5")
    site.run("connection", "pause", "demo")
    for a, _, _ in site.pairs(12):
        site.sandbox.change("desk", "contacts", a, title="everybody")
    site.run("connection", "resume", "demo")
    wait_until(lambda: link(site)["brake_code"] == "MAX_CHANGES", 30, "it stops")
    assert "5 changes were written in this run" in link(site)["brake_text"]
    site.restart()
    site.wait_running()
    assert titled(site, "everybody") == 5
    assert "which is what max_changes allows" in site.run("status", check=False).stdout
    asked = site.run("connection", "release", "demo", stdin="", check=False)
    assert asked.returncode == 2 and "5 changes were written" in asked.stdout
    site.run("connection", "release", "demo", "-y")
    wait_until(lambda: titled(site, "everybody") == 12, 30, "what waited goes on")
    assert "max_changes" not in site.run("status", check=False).stdout
