"""What becomes of records and of the set-up over time: deleted here and there, put back, emptied, a direction that is
switched, a map that is edited, the connection deleted."""
import pytest
from systemlib import synced_site, wait_until


@pytest.fixture(scope="module")
def site():
    with synced_site("--plan", "plain", number=False) as s:
        yield s


def pair_of(site, record_id):
    return site.list("pair", "find", record_id)[0]


def wait_state(site, record_id, side, *states):
    wait_until(lambda: pair_of(site, record_id)[f"{side}_state"] in states, 30, f"side {side} of {record_id} is {states}")


def desk_state(site, record_id, kind="contacts"):
    return next(r for r in site.sandbox.dump("desk", kind) if r["id"] == record_id)["_state"]


def test_deleted_in_desk_stays_in_salesforce(site):
    """Nothing is deleted on the other side, nothing comes back by reading; an update of the survivor puts the record back
    from the bin. proves: S1-23 S1-24 S1-25 S2-31..S2-34 Q17"""
    a, b, _ = site.pairs(1, skip=0)[0]
    title = site.salesforce()[b]["Title"]
    site.sandbox.verb("desk", "contacts", a, "trash")
    wait_state(site, a, "a", "trashed", "deleted")
    site.rounds()
    assert b in site.salesforce() and site.salesforce()[b]["Title"] == title
    assert desk_state(site, a) == "trashed"  # a read is no trigger
    site.sandbox.change("salesforce", "Contact", b, Title="alive")
    wait_until(lambda: a in site.desk() and site.desk()[a]["title"] == "alive", 30, "it is put back, with the update")
    assert pair_of(site, a)["b_id"] == b


@pytest.mark.parametrize("seen", [True, False])
def test_purged_in_desk_is_added_again_by_an_update(site, seen):
    """Also removed from the bin, it stays away until the survivor is updated; then it is a new record of the same pair.
    proves: S1-25 S1-26 S2-34 S2-35 Q17"""
    a, b, email = site.pairs(1, skip=1 if seen else 20)[0]
    pair = pair_of(site, a)["pair"]
    site.sandbox.verb("desk", "contacts", a, "trash")
    if seen:  # else it was never seen in the bin: the write of the update finds out
        wait_state(site, b, "a", "trashed", "deleted")
    site.sandbox.verb("desk", "contacts", a, "purge")
    site.rounds()
    assert not [r for r in site.desk().values() if (r["email"] or "").lower() == email]
    site.sandbox.change("salesforce", "Contact", b, Title="needed after all")
    found = lambda: [r for r in site.desk().values() if (r["email"] or "").lower() == email]
    wait_until(found, 30, "it is added again")
    [again] = found()
    assert again["id"] != a and again["title"] == "needed after all"
    wait_until(lambda: pair_of(site, b)["a_id"] == again["id"], 20, "the pair has the new record")
    assert pair_of(site, b)["pair"] == pair


def test_deleted_in_salesforce_stays_in_desk(site):
    """proves: S1-23 S1-26 S2-32 S2-35 Q17"""
    a, b, email = site.pairs(1, skip=2)[0]
    site.sandbox.verb("salesforce", "Contact", b, "trash")
    wait_state(site, a, "b", "trashed", "deleted")
    site.rounds()
    assert a in site.desk() and b not in site.salesforce()
    site.sandbox.change("desk", "contacts", a, title="alive")
    found = lambda: [r for r in site.salesforce().values() if (r["Email"] or "").lower() == email]
    wait_until(lambda: found() and found()[0]["Title"] == "alive", 30, "it is there again")
    assert len(found()) == 1


def test_deleted_on_both_sides_stays_deleted(site):
    a, b, email = site.pairs(1, skip=3)[0]
    site.sandbox.verb("desk", "contacts", a, "trash")
    site.sandbox.verb("salesforce", "Contact", b, "trash")
    site.rounds(3)
    assert a not in site.desk() and b not in site.salesforce()


def test_a_person_puts_a_record_back(site):
    """What was edited meanwhile on the other side counts, the old value of the bin does not win. proves: S1-25"""
    site.run("link", "set", "demo", "contact", "restore_on=never")
    a, b, _ = site.pairs(1, skip=4)[0]
    site.sandbox.verb("desk", "contacts", a, "trash")
    wait_state(site, a, "a", "trashed", "deleted")
    site.sandbox.change("salesforce", "Contact", b, Title="edited meanwhile")
    site.rounds()
    assert desk_state(site, a) == "trashed"  # restore_on = never
    site.sandbox.verb("desk", "contacts", a, "restore")
    site.wait_title("desk", a, "edited meanwhile")
    assert site.salesforce()[b]["Title"] == "edited meanwhile" and pair_of(site, a)["b_id"] == b
    site.run("link", "set", "demo", "contact", "restore_on=update")


def test_a_cleared_field_is_cleared_on_the_other_side(site):
    a, b, _ = site.pairs(1, skip=5)[0]
    site.sandbox.change("desk", "contacts", a, title="to be cleared")
    site.wait_title("salesforce", b, "to be cleared")
    site.sandbox.change("salesforce", "Contact", b, Title=None)
    wait_until(lambda: not site.desk()[a]["title"], 30, "it is empty on both sides")


def test_different_fields_of_one_record(site):
    """V7: both edits arrive."""
    a, b, _ = site.pairs(1, skip=6)[0]
    site.run("connection", "pause", "demo")
    site.sandbox.change("desk", "contacts", a, title="from desk")
    site.sandbox.change("salesforce", "Contact", b, MobilePhone="+49 1511 2222222")
    site.run("connection", "resume", "demo")
    site.wait_title("salesforce", b, "from desk")
    wait_until(lambda: site.desk()[a]["mobile"] == "+49 1511 2222222", 30, "the other field arrives")


def test_the_direction_is_switched_later(site):
    """Two-way to one-way and back: the pairs stay, nothing is made twice, an edit that was left alone travels once it may.
    proves: S1-13 S1-16 S2-20"""
    a, b, _ = site.pairs(1, skip=7)[0]
    before = {p["pair"] for p in (pair_of(site, x) for x, _, _ in site.pairs(6, skip=10))}
    counts = len(site.desk()), len(site.salesforce())
    site.run("link", "set", "demo", "contact", "direction=b2a")
    site.sandbox.change("desk", "contacts", a, title="stays here")
    site.sandbox.change("salesforce", "Contact", b, MobilePhone="+49 1511 3333333")
    wait_until(lambda: site.desk()[a]["mobile"] == "+49 1511 3333333", 30, "the allowed direction works")
    assert site.salesforce()[b]["Title"] != "stays here"
    site.run("link", "set", "demo", "contact", "direction=both")
    site.sandbox.change("desk", "contacts", a, mobile="+49 1511 4444444")
    wait_until(lambda: site.salesforce()[b]["MobilePhone"] == "+49 1511 4444444", 30, "two-way again")
    site.wait_title("salesforce", b, "stays here")
    assert {p["pair"] for p in (pair_of(site, x) for x, _, _ in site.pairs(6, skip=10))} == before
    assert (len(site.desk()), len(site.salesforce())) == counts


def test_the_map_is_edited_later(site):
    """A field of one side is associated with another one of the other side, and let go again.
    proves: S1-14 S1-16 S2-18 S2-20"""
    a, b, _ = site.pairs(1, skip=8)[0]
    site.run("map", "set", "demo", "contact", "x.cf_customer_number", "x.Customer_Number__c")
    [row] = [f for f in site.list("map", "list", "demo", "contact") if f["a"] == "x.cf_customer_number"]
    assert row["b"] == "x.Customer_Number__c" and not row["default"]
    site.sandbox.change("desk", "contacts", a, cf={"cf_customer_number": "4711"})
    wait_until(lambda: site.salesforce()[b].get("Customer_Number__c") in (4711, "4711", 4711.0), 30, "the new field travels")
    site.run("map", "unset", "demo", "contact", "x.cf_customer_number")
    site.sandbox.change("desk", "contacts", a, cf={"cf_customer_number": "4712"}, title="after the unset")
    site.wait_title("salesforce", b, "after the unset")
    assert site.salesforce()[b].get("Customer_Number__c") in (4711, "4711", 4711.0)


def test_the_connection_is_deleted(site):
    """Asked for, shown first, then nothing is exchanged any more and nothing of the pairs can be seen; the records of both
    vendors stay. Runs last. proves: S1-54 S1-55 S1-56 S2-61 S2-62 S2-63"""
    (a, b, email) = site.pairs(1, skip=9)[0]
    before = set(site.desk()), set(site.salesforce())
    asked = site.run("connection", "delete", "demo", check=False)
    assert asked.returncode == 2 and "-y" in asked.stderr  # nobody there to ask
    shown = site.run("-n", "connection", "delete", "demo")
    assert "pairs" in shown.stdout and site.list("connection", "list")
    site.run("connection", "pause", "demo")
    wait_until(lambda: site.run("connection", "delete", "demo", "--now", "-y", check=False).returncode == 0, 20,
               "it is deleted")
    assert site.list("connection", "list") == [] and site.list("pair", "find", email) == []
    assert "act=connection.delete object=demo" in site.log()
    site.wait_running()
    site.sandbox.control("DELETE", "/calls")
    site.sandbox.change("desk", "contacts", a, title="after it was deleted")
    site.sandbox.create("salesforce", "Contact", {"LastName": "Later", "Email": "later@mail.example"})
    site.restart()
    site.wait_running()
    for endpoint in ("desk", "sf"):
        site.run("endpoint", "check", endpoint)
    assert site.writes("desk") == [] and site.writes("salesforce") == []
    assert site.salesforce()[b]["Title"] != "after it was deleted"
    assert before[0] == set(site.desk()) and before[1] <= set(site.salesforce())
