"""Deletions that travel: switched on with a word of confirmation, carried out at the vendor's bin, told in the history."""
import pytest
from systemlib import synced_site, wait_until


@pytest.fixture(scope="module")
def site():
    with synced_site("--plan", "plain", number=False) as s:
        yield s


def state_of(site, vendor, kind, record_id):
    return next(r for r in site.sandbox.dump(vendor, kind) if (r.get("id") or r.get("Id")) == record_id)["_state"]


def deletes_sent(site):
    calls = site.sandbox.control("GET", "/calls")
    return [c for c in calls if c["method"] == "DELETE" or "moveToTrash" in c["target"]]


def test_nothing_travels_before_it_is_switched_on(site):
    """proves: V9 S1-23"""
    a, b, _ = site.pairs(1, skip=0)[0]
    site.sandbox.verb("desk", "contacts", a, "trash")
    wait_until(lambda: site.list("pair", "find", a)[0]["a_state"] == "trashed", 30, "the deletion is seen")
    asked = site.run("link", "set", "demo", "contact", "delete=propagate", stdin="", check=False)
    assert asked.returncode == 2
    assert "nobody can be asked" in asked.stderr and "deleted at the other too" in asked.stdout
    shown = site.run("link", "set", "demo", "contact", "delete=propagate", "-n")
    assert "What was deleted before stays as it is" in shown.stdout
    assert "propagate" not in [s["value"] for s in site.list("link", "show", "demo", "contact")[0]["settings"]]
    site.run("link", "set", "demo", "contact", "delete=propagate", "-y")
    site.rounds()
    assert b in site.salesforce() and not deletes_sent(site)


def test_both_ways_into_the_bins(site):
    """proves: V9"""
    first, second = site.pairs(2, skip=2)
    site.sandbox.verb("desk", "contacts", first[0], "trash")
    site.sandbox.verb("salesforce", "Contact", second[1], "trash")
    wait_until(lambda: first[1] not in site.salesforce() and second[0] not in site.desk(), 30, "the counterparts go too")
    assert state_of(site, "desk", "contacts", second[0]) == "trashed"
    pair = site.list("pair", "find", first[0])[0]["pair"]
    shown = site.list("pair", "show", str(pair))[0]
    deleted = [h for h in shown["history"] if h["op"] == "delete"]
    assert len(deleted) == 1 and deleted[0]["to"] == "b"
    assert {f["rule"] for f in deleted[0]["fields"]} == {"deleted"}
    assert first[2] in {f["before"] for f in deleted[0]["fields"]}
    site.rounds()
    assert len(deletes_sent(site)) == 2


def test_edited_since_it_comes_back(site):
    """proves: S1-26 Q17"""
    a, b, _ = site.pairs(1, skip=5)[0]
    site.run("connection", "pause", "demo")
    site.sandbox.verb("desk", "contacts", a, "trash")
    site.sandbox.change("salesforce", "Contact", b, Title="needed")
    site.run("connection", "resume", "demo")
    wait_until(lambda: a in site.desk() and site.desk()[a]["title"] == "needed", 30, "it is put back")
    assert b in site.salesforce()
