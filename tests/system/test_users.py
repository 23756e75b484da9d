"""Users as a link of their own: owners follow people, and somebody stands in for those who are not known over there."""
import pytest
from systemlib import Site, wait_until

ADA, LENA = "4876000000010001", "4876000000010002"


@pytest.fixture(scope="module")
def site():
    with Site("--contacts", 40, "--accounts", 8, "--plan", "plain") as s:
        s.start()
        s.sign_in()
        users = s.sandbox.dump("salesforce", "User")
        s.admin = next(u["Id"] for u in users if u["IsActive"])
        s.sandbox.change("salesforce", "User", s.admin, Email="Admin@mail.example")
        s.connect("every=1s", kinds=("user", "account", "contact"), number=False)
        s.first_sync()
        yield s


def owner(site, contact):
    return site.salesforce()[contact]["OwnerId"]


def test_users_are_paired_by_address_alone(site):
    """proves: S1-02"""
    [link] = site.list("link", "show", "demo", "user")
    assert link["phase"] == "live" and link["counts"]["complete"] == 1 and link["counts"]["failures"] == 0
    assert site.list("pair", "find", ADA)[0]["b_id"] == site.admin
    calls = site.sandbox.control("GET", "/calls")
    assert not [c for c in calls if c["method"] != "GET" and ("/agents" in c["target"] or "/sobjects/User" in c["target"])]
    kinds = {k["kind"] for k in site.list("endpoint", "fields", "desk") if "kind" in k}
    assert not kinds or "user" in kinds


def test_owners_lead_through_the_pairs_of_users(site):
    a, b, _ = site.pairs(1, skip=1)[0]
    site.sandbox.change("desk", "contacts", a, ownerId=ADA)
    wait_until(lambda: owner(site, b) == site.admin, 30, "the owner is Ada there too")


def test_somebody_stands_in_for_the_unknown(site):
    site.run("link", "set", "demo", "user", "fallback.b=admin@mail.example")
    made = site.sandbox.create("desk", "contacts", {"lastName": "Owned", "email": "owned@mail.example", "ownerId": LENA})
    found = lambda: [r for r in site.salesforce().values() if r["Email"] == "owned@mail.example"]
    wait_until(found, 30, "it is made")
    assert found()[0]["OwnerId"] == site.admin
    site.sandbox.change("salesforce", "Contact", found()[0]["Id"], Title="edited there")
    site.wait_title("desk", made["id"], "edited there")
    assert site.desk()[made["id"]]["ownerId"] == LENA
