"""A help desk and Zoho Books in step: the real daemon, finance.so in a worker, both twins."""
import contextlib
import pathlib

import pytest
from systemlib import Site, wait_until

FIRST, STAFF = "60020000101", "60020000202"


def endpoint(site, name, **options):
    at, keys = site.sandbox.at, site.sandbox.at["credentials"]["finance"]
    given = {"connector": "finance", "accounts_url": at["accounts"], "api_url": at["finance"], "client_id": keys["client_id"],
             "client_secret": "@secret:books_client", "refresh_token": "@secret:books_refresh", "calls_per_minute": 0, **options}
    return f"[endpoint {name}]\n" + "".join(f"{k} = {v}\n" for k, v in given.items())


@contextlib.contextmanager
def started(**options):
    with Site("--contacts", 40, "--accounts", 12, "--plan", "plain", "--switch", "finance.per_minute=100000",
              "--switch", "finance.per_day=100000") as site:
        ini = pathlib.Path(site.daemon.ini)
        text = ini.read_text(encoding="utf-8").replace("enable = desk, salesforce", "enable = desk, finance")
        text = text.replace("isolation.salesforce", "isolation.finance").split("[endpoint sf]")[0]
        text += endpoint(site, "books", **options) + endpoint(site, "other", organization_id=STAFF)
        ini.write_text(text, encoding="utf-8")
        site.start()
        keys = site.sandbox.at["credentials"]
        for prefix, credentials in (("zoho", keys["zoho"]), ("books", keys["finance"])):
            site.run("secret", "set", f"{prefix}_client", stdin=credentials["client_secret"])
            site.run("secret", "set", f"{prefix}_refresh", stdin=credentials["refresh_token"])
        site.wait_running("desk", "finance")
        site.run("endpoint", "prepare", "desk", "-y")
        for name in ("desk", "books"):
            site.run("endpoint", "check", name)
        yield site


@pytest.fixture(scope="module")
def site():
    with started() as s:
        s.run("connection", "create", "demo", "--a", "desk", "--b", "books")
        s.run("link", "create", "demo", "contact", "direction=a2b", "every=1s")
        yield s


def customers(site):
    return {r["contact_id"]: r for r in site.sandbox.dump("finance", "contacts") if r["_state"] == "live"}


def by_address(site):
    return {r["email"].lower(): r for r in customers(site).values() if r["email"]}


def names_twice(site):
    """Desk contacts who cannot become customers: one of their name is there, or becomes one."""
    seen, twice = set(), set()
    for r in site.desk().values():
        name = f"{r['firstName'] or ''} {r['lastName']}".strip().lower()
        (twice if name in seen else seen).add(name)
    return {r["id"] for r in site.desk().values() if f"{r['firstName'] or ''} {r['lastName']}".strip().lower() in twice}


def test_the_only_organisation_the_user_administers_is_taken(site):
    """proves: S4-09, S4-11, S4-12"""
    [shown] = site.list("endpoint", "show", "books")
    assert shown["org_key"] == FIRST and shown["org_name"] == "Northwind Trading"
    refused = site.run("endpoint", "check", "other", check=False)
    assert refused.returncode != 0 and "no administrator" in refused.stdout + refused.stderr


def test_customers_are_found_and_made(site):
    """What would be made is shown first, then made once; a second sync writes nothing. proves: S4-01"""
    before, twice = customers(site), names_twice(site)
    known = by_address(site)
    plan = site.run("sync", "start", "-n", "demo")
    assert "nothing was written" in plan.stderr and customers(site) == before
    done = site.run("sync", "start", "demo", check=False)
    assert done.returncode in (0, 8), done.stderr
    site.wait_quiet()
    now = by_address(site)
    for r in site.desk().values():
        if r["id"] in twice:
            continue
        [pair] = site.list("pair", "find", r["id"])
        made = now[r["email"].lower()] if r["email"] else customers(site)[pair["b_id"]]
        assert pair["b_id"] == made["contact_id"], r
        if r["email"] and r["email"].lower() in known:
            assert pair["b_id"] == known[r["email"].lower()]["contact_id"], "who is there is not made again"
        else:
            assert made["contact_name"] == f"{r['firstName'] or ''} {r['lastName']}".strip()
            assert made["custom_field_hash"]["cf_tieline_id"]
    assert len(customers(site)) > len(before)
    written = len(site.writes("finance"))
    site.run("sync", "start", "demo", check=False)
    site.wait_quiet()
    assert len(site.writes("finance")) == written
    assert site.sandbox.violations()["count"] == 0


def test_an_edit_arrives_and_leaves_the_rest(site):
    """proves: S4-01"""
    with_people = next(r for r in customers(site).values() if len(r["contact_persons"]) > 1)
    contact = next(r for r in site.desk().values() if (r["email"] or "").lower() == with_people["email"].lower())
    site.sandbox.change("desk", "contacts", contact["id"], phone="+380 44 000 11 22")
    wait_until(lambda: customers(site)[with_people["contact_id"]]["phone"] == "+380 44 000 11 22", 30, "it arrives")
    now = customers(site)[with_people["contact_id"]]
    assert [p["contact_person_id"] for p in now["contact_persons"]] == [
        p["contact_person_id"] for p in with_people["contact_persons"]]
    assert now["billing_address"]["address"] and now["contact_name"] == with_people["contact_name"]


def test_one_of_books_and_invoice_at_a_time(site):
    """proves: S4-06"""
    site.sandbox.control("PATCH", f"/finance/records/organizations/{STAFF}", {"user_role": "admin", "product": "invoice"})
    text = pathlib.Path(site.daemon.ini).read_text(encoding="utf-8")
    changed = text.replace(f"organization_id = {STAFF}", f"organization_id = {STAFF}\nproduct = invoice")
    pathlib.Path(site.daemon.ini).write_text(changed, encoding="utf-8")
    site.run("config", "reload")
    site.run("endpoint", "check", "other")
    refused = site.run("connection", "create", "second", "--a", "desk", "--b", "other", check=False)
    assert refused.returncode != 0 and "demo" in refused.stderr and "finance" in refused.stderr, refused


def test_disabled_and_deleted(site):
    """proves: S4-28, S4-29, S4-30, S4-31, S4-35"""
    some = next(iter(site.desk()))
    wait_until(lambda: site.list("pair", "find", some), 30, "it is paired")
    site.run("connection", "disable", "demo", "-y")
    calls = len([c for c in site.sandbox.control("GET", "/calls?twin=finance")])
    site.sandbox.change("desk", "contacts", some, phone="1")
    assert site.list("pair", "find", some), "the mapping is kept"
    assert site.run("sync", "start", "demo", check=False).returncode == 6
    assert len([c for c in site.sandbox.control("GET", "/calls?twin=finance")]) == calls, "nothing is asked of it"
    site.run("connection", "enable", "demo")
    wait_until(lambda: {c["name"]: c["state"] for c in site.list("connection", "list")}["demo"] == "active", 60, "it is active")
    assert site.list("pair", "find", some)
    records = len(customers(site))
    site.run("connection", "pause", "demo")
    assert "pairs" in site.run("connection", "delete", "demo", "-n").stdout
    site.run("connection", "delete", "demo", "--now", "-y")
    assert site.list("pair", "find", some) == [] and len(customers(site)) == records
