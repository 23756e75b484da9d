"""Vendors whose answers are well formed and wrong: a count that lies, a Date of another year, an address elsewhere. By
polling alone, so that nothing but the feed can find a change."""
import time

import pytest
from systemlib import Site, wait_until


@pytest.fixture(scope="module")
def site():
    with Site("--contacts", 60, "--accounts", 12, hooks=False) as s:
        s.start()
        s.sign_in()
        s.connect("every=1s")
        s.first_sync()
        s.wait_equal()
        planted = s.failures()
        yield s
        s.wait_equal()
        assert s.failures() == planted
        assert s.sandbox.violations()["violations"] == []


def polls(site):
    return site.sandbox.calls()["desk"]["GET /api/v1/contacts/search"]


def retitle_desk(site, title, nth):
    (a, b, _), = site.pairs(1, skip=nth)
    site.sandbox.change("desk", "contacts", a, title=title)
    return b


def test_a_lying_count(site):
    """proves: C2. However many hits a page claims: every range that is asked for is one, and the feed goes on."""
    site.sandbox.fault("lying-count", twin="desk", at=999999999)
    during = retitle_desk(site, "While it lied", 0)
    before = polls(site)
    wait_until(lambda: polls(site) > before + 20, 30, "it polls under the lie")
    site.sandbox.control("DELETE", "/faults")
    after = retitle_desk(site, "After the lie", 1)
    site.wait_title("salesforce", after, "After the lie", 30)
    site.wait_title("salesforce", during, "While it lied", 30)
    assert "is invalid" not in site.log()


@pytest.mark.parametrize("twin, days", [("desk", 5000), ("desk", -5000), ("salesforce", 5000), ("salesforce", -5000)])
def test_a_date_of_another_year(site, twin, days):
    """proves: Q8 C2. No position is kept from such an answer; with the next good one the feed goes on."""
    told = site.log().count("a day or more apart")
    site.sandbox.control("POST", f"/{twin}/skew", {"ms": days * 86400000})
    try:
        wait_until(lambda: site.log().count("a day or more apart") > told, 30, "the log says so")
        (a, b, _), = site.pairs(1, skip=2)
        title = f"{twin} {days}"
        if twin == "desk":
            site.sandbox.change("desk", "contacts", a, title=title)
        else:
            site.sandbox.change("salesforce", "Contact", b, Title=title)
        time.sleep(1)
    finally:
        site.sandbox.control("POST", f"/{twin}/skew", {"ms": 0})
    site.wait_title(*(("salesforce", b) if twin == "desk" else ("desk", a)), title, 60)


@pytest.mark.parametrize("twin, method", [("desk", "PATCH"), ("salesforce", "PATCH")])
def test_a_write_that_is_sent_elsewhere(site, twin, method):
    """proves: V8. 307 says nothing about the record: the write is tried again, and no failure is left (the site's end looks)."""
    site.sandbox.fault("307", twin=twin, method=method, times=3)
    (a, b, _), = site.pairs(1, skip=4)
    title = "Sent elsewhere to " + twin
    if twin == "desk":
        site.sandbox.change("salesforce", "Contact", b, Title=title)
        site.wait_title("desk", a, title, 60)
    else:
        site.sandbox.change("desk", "contacts", a, title=title)
        site.wait_title("salesforce", b, title, 60)
    site.sandbox.control("DELETE", "/faults")


def test_an_id_that_is_too_long():
    """It fails its record, not the page; that record comes with its own id the next time."""
    with Site("--contacts", 30, "--accounts", 6, hooks=False) as s:
        s.start()
        s.sign_in()
        s.connect("every=1s")
        s.first_sync()
        s.wait_equal()
        s.sandbox.fault("long-id", twin="desk", path="/api/v1/contacts/search", times=2)
        after = retitle_desk(s, "Beside a long id", 0)
        bad = lambda: [f for f in s.list("failure", "list") if "10000 bytes" in f["detail"]]
        wait_until(bad, 20, "it is reported")
        assert all(len(f["record"]) < 100 for f in bad()), bad()
        s.wait_title("salesforce", after, "Beside a long id", 30)
