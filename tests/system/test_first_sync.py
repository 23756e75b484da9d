"""The main job as an administrator has it: set up, map, first sync, changes both ways, history, failures, pause."""
import datetime

import pytest
from systemlib import Site, wait_until


@pytest.fixture(scope="module")
def site():
    """Desk and Salesforce after their first sync; the tests below change records of their own."""
    with Site("--contacts", 150, "--accounts", 30) as s:
        s.start()
        s.sign_in()
        s.connect("every=1s")
        s.summary = s.first_sync()
        yield s


def run_of(site, kind, source):
    return next(r for r in site.list("sync", "history") if r["kind"] == kind and r["source"] == source
                and r["run_kind"] == "initial")


def test_two_way_by_default(site):
    """proves: S1-12 S1-02 S0-25 S2-16 S2-68"""
    for kind in ("account", "contact"):
        assert site.list("link", "show", "demo", kind)[0]["direction"] == "both"


def test_set_up_in_four_steps(site):
    """Credentials, direction, field map, start: each is one command and each tells what it found.
    proves: S1-08 S1-15 S0-26 S2-15 S2-19 S2-68"""
    assert {e["auth"]["state"] for e in site.list("endpoint", "list")} == {"ok"}
    assert site.run("map", "check", "demo", "contact").returncode == 0
    assert site.summary.returncode == 8 and "ADDED" in site.summary.stdout
    assert "failure list" in site.summary.stderr


def test_standard_fields_are_mapped(site):
    """proves: S1-11 S2-69"""
    maps = {kind: {f["a"] for f in site.list("map", "list", "demo", kind) if f["default"]}
            for kind in ("account", "contact")}
    assert {"last_name", "first_name", "email", "phone", "mobile", "account", "title", "address.street", "address.city",
            "address.country", "address.postal_code", "description"} <= maps["contact"]
    assert {"name", "phone", "website", "industry"} <= maps["account"]


def test_bulk_both_ways_and_equal(site):
    """The first sync brings over what the other side lacks, in both directions, and a comparison of its own finds
    nothing but what was planted. proves: S1-17 S1-02 S0-24 S2-25"""
    for kind in ("account", "contact"):
        there, back = run_of(site, kind, "desk"), run_of(site, kind, "sf")
        assert there["added"] > 0 and back["added"] > 0 and there["matched"] > 0
    assert site.problems() == []


def test_duplicates_are_found_by_email(site):
    """What both sides knew by e-mail is one pair and was not created again; the later of two with one e-mail is told as
    already mapped. proves: S1-19 S1-43 S1-44 S2-27 S2-52 S2-53"""
    a, b, email = site.pairs(1)[0]
    assert sum((r["Email"] or "").lower() == email for r in site.salesforce().values()) == 1
    [pair] = site.list("pair", "find", email)
    assert (pair["a_id"], pair["b_id"]) == (a, b)
    twice = {p["id"] for p in site.sandbox.control("GET", "/planted") if p["case"] == "email-twice"}
    told = [f for f in site.list("failure", "list") if f["code"] == "ALREADY_MAPPED"]
    assert twice and {f["record"] for f in told} == twice
    words = {"a": "the CRM id is already mapped with another support entity",
             "b": "the support id is already mapped with another CRM entity"}
    assert {f["side"] for f in told} == {"a", "b"} and all(f["reason"] == words[f["side"]] for f in told)


def test_accounts_are_matched_by_name(site):
    """proves: S1-20 S2-28"""
    planted = site.sandbox.control("GET", "/planted")
    names = [site.desk("accounts")[p["id"]]["accountName"] for p in planted
             if (p["case"], p["side"]) == ("name-only", "desk")]
    assert names
    for name in names:
        assert sum(r["accountName"] == name for r in site.desk("accounts").values()) == 1
        assert sum(r["Name"] == name for r in site.salesforce("Account").values()) == 1


def test_contacts_without_email_are_synced(site):
    """proves: S1-21 S2-30"""
    planted = [p for p in site.sandbox.control("GET", "/planted") if p["case"] == "no-email"]
    assert {p["side"] for p in planted} == {"desk", "salesforce"}
    for p in planted:
        [pair] = site.list("pair", "find", p["id"])
        assert pair["a_id"] and pair["b_id"] and pair["status"] == "ok", pair


def test_history_of_seven_days(site):
    """Date, source and destination, kind of record, numbers added, updated and failed.
    proves: S1-37..S1-42 S2-46..S2-51"""
    runs = site.list("sync", "history")
    now = datetime.datetime.now(datetime.timezone.utc)
    assert {(r["source"], r["destination"]) for r in runs} == {("desk", "sf"), ("sf", "desk")}
    assert {r["kind"] for r in runs} == {"account", "contact"}
    for r in runs:
        assert abs(now - datetime.datetime.fromisoformat(r["date"].replace("Z", "+00:00"))) < datetime.timedelta(hours=1)
        assert all(isinstance(r[n], int) for n in ("added", "updated", "failed"))
    head = site.run("sync", "history").stdout.splitlines()[0]
    for column in ("DATE", "SOURCE", "DESTINATION", "RECORDS", "ADDED", "UPDATED", "FAILED"):
        assert column in head
    failed = len([f for f in site.list("failure", "list") if f["kind"] == "contact"])
    assert sum(r["failed"] for r in runs if r["kind"] == "contact" and r["run_kind"] == "initial") == failed


def test_failures_name_time_reason_and_records(site):
    """proves: S1-43 S1-45 S1-49 S1-50 S2-52 S2-54 S2-58 S2-59"""
    failures = site.list("failure", "list")
    assert [f["time"] for f in failures] == sorted((f["time"] for f in failures), reverse=True)
    for f in failures:
        assert f["reason"] and f["time"].endswith("Z") and f["record"] in (f["a_id"], f["b_id"])
    assert {"TIME", "REASON", "CODE", "KIND", "A", "B"} <= set(site.run("failure", "list").stdout.splitlines()[0].split())
    [number] = [f for f in failures if f["code"] == "TYPE_MISMATCH"]
    assert number["reason"] == "text value is given for an integer field"
    of_accounts = site.list("failure", "list", "--kind", "account")  # one record type at a time
    assert of_accounts == [f for f in failures if f["kind"] == "account"] and len(of_accounts) < len(failures)


def test_try_again_after_the_record_was_corrected(site):
    """proves: S1-51 S2-59"""
    [failure] = [f for f in site.list("failure", "list") if f["code"] == "TOO_LONG" and f["kind"] == "contact"]
    site.run("failure", "retry", failure["id"])  # nothing was corrected: it fails again and says so
    wait_until(lambda: any(f["record"] == failure["record"] for f in site.list("failure", "list")), 20, "it failed again")
    site.sandbox.change("desk", "contacts", failure["record"], lastName="Wolfe")
    site.run("failure", "retry", failure["id"], check=False)  # may have been taken up by the change already
    wait_until(lambda: site.list("pair", "find", failure["record"])[0]["status"] == "ok", 20, "the pair is made")
    wait_until(lambda: all(f["record"] != failure["record"] for f in site.list("failure", "list")), 20, "the failure ends")
    many = {f["id"]: f["count"] for f in site.list("failure", "list", "--code", "ALREADY_MAPPED")}
    site.run("failure", "retry", "--code", "ALREADY_MAPPED")  # all with one reason; nothing was corrected
    wait_until(lambda: all(f["count"] > many.get(f["id"], 0) for f in site.list("failure", "list", "--code", "ALREADY_MAPPED")),
               20, "each was tried again")
    assert len(many) > 1 and len(site.list("failure", "list", "--code", "ALREADY_MAPPED")) == len(many)


@pytest.mark.parametrize("twin", ["desk", "salesforce"])
def test_creates_and_updates_travel(site, twin):
    """proves: S1-22 S1-02 S0-24 S2-31"""
    other = "salesforce" if twin == "desk" else "desk"
    email = f"made.in.{twin}@mail.example"
    if twin == "desk":
        made = site.sandbox.create("desk", "contacts", {"lastName": "Weiß-Ågren", "firstName": "Zoë", "email": email})
        read = lambda: [r for r in site.salesforce().values() if r["Email"] == email]
        name, title = "LastName", "Title"
    else:
        made = site.sandbox.create("salesforce", "Contact", {"LastName": "Weiß-Ågren", "FirstName": "Zoë", "Email": email})
        read = lambda: [r for r in site.desk().values() if r["email"] == email]
        name, title = "lastName", "title"
    made = made[0] if isinstance(made, list) else made
    wait_until(read, 30, "the new contact arrives")
    assert [r[name] for r in read()] == ["Weiß-Ågren"]
    record_id = made.get("id") or made.get("Id")
    change = {"title": "CTO"} if twin == "desk" else {"Title": "CTO"}
    site.sandbox.change(twin, "contacts" if twin == "desk" else "Contact", record_id, **change)
    wait_until(lambda: read()[0][title] == "CTO", 30, f"the edit arrives at {other}")
    assert len(read()) == 1


@pytest.mark.parametrize("twin", ["desk", "salesforce"])
def test_bulk_updates_travel(site, twin):
    """proves: S1-22 S2-31"""
    chosen = site.pairs(30, skip=5 if twin == "desk" else 40)
    assert len(chosen) == 30
    for a, b, _ in chosen:
        if twin == "desk":
            site.sandbox.change("desk", "contacts", a, title="Bulk")
        else:
            site.sandbox.change("salesforce", "Contact", b, Title="Bulk")
    if twin == "desk":
        wait_until(lambda: all(site.salesforce()[b]["Title"] == "Bulk" for _, b, _ in chosen), 40, "all edits arrive")
    else:
        wait_until(lambda: all(site.desk()[a]["title"] == "Bulk" for a, _, _ in chosen), 40, "all edits arrive")


def test_nothing_is_exchanged_while_paused(site):
    """proves: S0-27 S1-52 S1-53 S2-60"""
    (a1, b1, _), (a2, b2, _) = site.pairs(2, skip=80)
    site.wait_quiet()
    site.run("connection", "pause", "demo")
    wait_until(lambda: site.list("connection", "show", "demo")[0]["state"] == "paused", 10, "paused")
    site.sandbox.control("DELETE", "/calls")
    site.sandbox.change("desk", "contacts", a1, title="While paused")
    site.sandbox.change("salesforce", "Contact", b2, Title="While paused")
    refused = site.run("sync", "start", "demo", check=False)
    assert refused.returncode == 6 and "paused" in refused.stderr
    told = site.run("failure", "retry", "--code", "ALREADY_MAPPED").stderr
    assert "will be tried when their link runs again" in told and "tried again;" not in told
    cycles = site.api("GET", "/metrics").body  # a request through the control thread: two of its turns have passed
    assert b"tieline" in cycles
    assert site.writes("desk") == [] and site.writes("salesforce") == []
    assert site.salesforce()[b1]["Title"] != "While paused" and site.desk()[a2]["title"] != "While paused"
    site.run("connection", "resume", "demo")
    site.wait_title("salesforce", b1, "While paused")
    site.wait_title("desk", a2, "While paused")


def test_a_start_tells_of_itself_alone(site):
    """Past the first sync it says so and does not show or count what earlier runs did."""
    site.wait_quiet()
    assert site.list("failure", "list")
    done = site.run("sync", "start", "demo", check=False)
    assert done.returncode == 0 and done.stdout == "" and "past its first sync" in done.stderr, done
    full = site.run("sync", "start", "demo", "--full", check=False)
    assert full.returncode == 0 and "read again" in full.stderr
    assert "first sync of account, contact runs" in site.summary.stderr
    answer = site.api("POST", "/api/v1/syncs", {"connection": "demo"}).json
    assert answer["runs"] == [] and answer["kinds"] == []


def test_runs_are_told_in_the_log(site):
    """One line at the beginning and one at the end of each: connection, kind, counts, seconds."""
    runs = [r for r in site.list("sync", "history") if r["run_kind"] == "initial"]
    log = site.log()
    for r in runs:
        assert f'"demo" {r["kind"]}: run {r["run"]} (first sync) begins' in log
        side = "b" if r["destination"] == "sf" else "a"
        [end] = [s for s in log.splitlines() if f'"demo" {r["kind"]}: run {r["run"]} (first sync) done' in s]
        assert f'to {side}: {r["added"]} added, {r["updated"]} updated, {r["matched"]} matched, {r["failed"]} failed' in end
        assert " s, " in end


def test_it_stays_equal(site):
    """After all of the above both sides are equal but for what was planted, and a cycle more writes nothing."""
    site.wait_quiet()
    planted = {p["id"] for p in site.sandbox.control("GET", "/planted") if p["case"] == "too-long"}
    wait_until(lambda: [p for p in site.problems() if not any(i in p for i in planted)] == [], 40, "equal")
    site.sandbox.control("DELETE", "/calls")
    site.run("sync", "start", "demo", check=False)
    site.wait_quiet()
    assert site.writes("salesforce") == []
    assert [c for c in site.writes("desk") if "search" not in c["target"]] == []


def test_a_record_written_twice_within_one_second():
    """Salesforce stamps whole seconds: a record behind the cursor that is written again in the cursor's own second gets
    that stamp and a lower id. No count over the last minutes tells; it travels all the same."""
    with Site("--contacts", 30, "--accounts", 6, "--plan", "plain") as s:
        s.start()
        s.sign_in()
        s.connect("every=1s", number=False)
        s.first_sync()
        (a1, b1, _), (a2, b2, _) = sorted(s.pairs(2), key=lambda pair: pair[1])
        s.sandbox.change("salesforce", "Contact", b1, Title="first")
        s.wait_title("desk", a1, "first")
        s.sandbox.control("POST", "/clock", {"advance": "5s"})
        s.sandbox.control("POST", "/clock", {"frozen": True})
        s.sandbox.change("salesforce", "Contact", b2, Title="second")
        s.wait_title("desk", a2, "second")
        s.sandbox.change("salesforce", "Contact", b1, Title="third")
        s.wait_title("desk", a1, "third")


def test_one_way_from_salesforce():
    """proves: S1-13 S0-25 S2-16 S2-68"""
    with Site("--contacts", 60, "--accounts", 12, "--plan", "plain") as s:
        s.start()
        s.sign_in()
        s.connect("every=1s", "direction=b2a", number=False)
        before = s.salesforce()
        s.first_sync()
        assert s.salesforce() == before  # nothing was written there
        emails = {r["email"] for r in s.desk().values()}
        assert {r["Email"] for r in before.values()} <= emails
        (a1, b1, _), (a2, b2, _) = s.pairs(2)
        s.sandbox.change("desk", "contacts", a1, title="Stays here")
        s.sandbox.change("salesforce", "Contact", b2, Title="Travels")
        s.wait_title("desk", a2, "Travels")
        assert s.salesforce()[b1]["Title"] != "Stays here"


def test_what_an_org_without_api_is_told():
    """Editions without API, users without the rights: a sentence each, from endpoint check.
    proves: S1-06 S1-09 S1-10"""
    with Site("--contacts", 10, "--accounts", 4) as s:
        s.start()
        s.daemon.set_secrets()
        s.wait_running()
        s.sandbox.control("POST", "/salesforce/switches", {"api_disabled": 1})
        told = s.run("endpoint", "check", "sf", check=False)
        assert told.returncode != 0
        assert "API" in told.stdout + told.stderr and "edition" in (told.stdout + told.stderr).lower(), told
        s.sandbox.control("POST", "/salesforce/switches", {"api_disabled": 0})
        assert s.run("endpoint", "check", "sf").returncode == 0
        token = s.sandbox.control("POST", "/accounts/refresh", {"scope": "Desk.tickets.READ"})["refresh_token"]
        s.run("secret", "set", "zoho_refresh", stdin=token)
        told = s.run("endpoint", "check", "desk", check=False)
        assert told.returncode != 0 and "lacks a scope" in told.stdout + told.stderr, told
        wrong = s.sandbox.at["credentials"]["salesforce"]["client_secret"][:-1] + "x"
        s.run("secret", "set", "sf_client", stdin=wrong)
        told = s.run("endpoint", "check", "sf", check=False)
