"""The twins of Zoho Accounts and Zoho Desk: every refusal and quirk a client must meet there before it meets it in life."""
import base64
import http.server
import json
import queue
import threading

import pytest
from sandboxlib import Sandbox

EVER = "2000-01-01T00:00:00.000Z,2100-01-01T00:00:00.000Z"


@pytest.fixture(scope="module")
def sim():
    with Sandbox(("--contacts", 400, "--accounts", 60, "--frozen", "--now", "2026-01-31T08:00:00Z")) as s:
        yield s


@pytest.fixture(autouse=True)
def fresh(sim):
    sim.reset()
    sim.sim("POST", "/clock", {"advance": "1s"})


def make(sim, kind="contacts", **fields):
    fields = fields or {"lastName": "Made"} if kind == "contacts" else fields
    answer = sim.desk("POST", "/" + kind, fields)
    assert answer.status == 200, answer.body
    return answer.json


def errors(answer):
    assert (answer.status, answer.code) == (422, "INVALID_DATA"), answer.body
    return {(e["fieldName"], e["errorType"]) for e in answer.json["errors"]}


# ---- accounts: tokens ------------------------------------------------------------------------------------------------

def test_refresh_answer(sim):
    token = sim.sim("POST", "/accounts/refresh", {"scope": "Desk.basic.READ,Desk.search.READ"}).json["refresh_token"]
    answer = sim.refresh(refresh_token=token)
    assert answer.headers["Content-Type"] == "application/json;charset=UTF-8"
    assert answer.json["expires_in"] == 3600 and answer.json["token_type"] == "Bearer"
    assert answer.json["scope"] == "Desk.basic.READ Desk.search.READ"
    assert "refresh_token" not in answer.json
    parts = answer.json["access_token"].split(".")
    assert parts[0] == "1000" and [len(p) for p in parts[1:]] == [32, 32]


@pytest.mark.parametrize("change,error", [
    ({"refresh_token": "1000.x.y"}, "invalid_code"), ({"client_id": "1000.NOBODY"}, "invalid_client"),
    ({"client_secret": "wrong"}, "invalid_client"), ({"grant_type": "password"}, "unsupported_grant_type"),
    ({"grant_type": "client_credentials"}, "invalid_scope")])
def test_refusals_answer_200(sim, change, error):
    answer = sim.refresh(**change)
    assert (answer.status, answer.json) == (200, {"error": error})


def test_secret_may_have_its_own_code(sim):
    sim.switch("accounts", secret_code=1)
    assert sim.refresh(client_secret="wrong").json == {"error": "invalid_client_secret"}


def test_parameters_may_stand_in_the_query(sim):
    z = sim.line["credentials"]["zoho"]
    token = sim.sim("POST", "/accounts/refresh", {}).json["refresh_token"]
    answer = sim.call("accounts", "POST", f"/oauth/v2/token?grant_type=refresh_token&refresh_token={token}"
                      f"&client_id={z['client_id']}&client_secret={z['client_secret']}")
    assert "access_token" in answer.json


def test_client_of_another_data_centre_is_unknown(sim):
    z = sim.line["credentials"]["zoho"]
    answer = sim.token_call("accounts-us", grant_type="refresh_token", refresh_token=z["refresh_token"],
                            client_id=z["client_id"], client_secret=z["client_secret"])
    assert answer.json == {"error": "invalid_client"}


def test_eleventh_token_in_ten_minutes_is_throttled_with_400(sim):
    token = sim.sim("POST", "/accounts/refresh", {}).json["refresh_token"]
    assert all("access_token" in sim.refresh(refresh_token=token).json for _ in range(10))
    answer = sim.refresh(refresh_token=token)
    assert answer.status == 400
    assert answer.json["error"] == "Access Denied" and answer.json["status"] == "failure"
    sim.sim("POST", "/clock", {"advance": "11m"})
    assert "access_token" in sim.refresh(refresh_token=token).json


def test_sixteenth_live_token_kills_the_oldest(sim):
    sim.switch("accounts", issue_max=60)
    token = sim.sim("POST", "/accounts/refresh", {"scope": "Desk.basic.READ"}).json["refresh_token"]
    live = [sim.refresh(refresh_token=token).json["access_token"] for _ in range(16)]
    assert [sim.desk("GET", "/myinfo", token=t).status for t in live[:2]] == [401, 200]


def test_grant_code_works_once_and_is_spent_by_any_attempt(sim):
    z = sim.line["credentials"]["zoho"]
    def use(code, **change):
        return sim.token_call(**{"grant_type": "authorization_code", "code": code, "client_id": z["client_id"],
                                 "client_secret": z["client_secret"], **change}).json
    code = sim.sim("POST", "/accounts/grant", {}).json["code"]
    first = use(code)
    assert "refresh_token" in first and "access_token" in first
    assert use(code) == {"error": "invalid_code"}
    code = sim.sim("POST", "/accounts/grant", {}).json["code"]
    assert use(code, client_secret="wrong") == {"error": "invalid_client"}
    assert use(code) == {"error": "invalid_code"}
    code = sim.sim("POST", "/accounts/grant", {}).json["code"]
    sim.sim("POST", "/clock", {"advance": "11m"})
    assert use(code) == {"error": "invalid_code"}


def test_revoked_refresh_token_kills_its_access_tokens(sim):
    token = sim.sim("POST", "/accounts/refresh", {}).json["refresh_token"]
    access = sim.refresh(refresh_token=token).json["access_token"]
    assert sim.desk("GET", "/myinfo", token=access).status == 200
    assert sim.call("accounts", "POST", "/oauth/v2/token/revoke?token=" + token).json == {"status": "success"}
    assert sim.desk("GET", "/myinfo", token=access).status == 401
    assert sim.refresh(refresh_token=token).json == {"error": "invalid_code"}
    assert sim.call("accounts", "POST", "/oauth/v2/token/revoke?token=" + token).status == 400


def test_twenty_first_refresh_token_kills_the_first():
    with Sandbox(("--plan", "empty")) as s:
        first = s.line["credentials"]["zoho"]["refresh_token"]
        for _ in range(19):
            s.sim("POST", "/accounts/refresh", {})
        assert "access_token" in s.refresh(refresh_token=first).json
        s.sim("POST", "/accounts/refresh", {})
        assert s.refresh(refresh_token=first).json == {"error": "invalid_code"}


def test_token_answers_with_members_missing(sim):
    sim.switch("accounts", omit_expires_in=1, omit_api_domain=1)
    token = sim.sim("POST", "/accounts/refresh", {}).json["refresh_token"]
    assert set(sim.refresh(refresh_token=token).json) == {"access_token", "scope", "token_type"}


def test_general_error_and_throttle_on_demand(sim):
    sim.fault("general-error", twin="accounts", times=1)
    assert sim.refresh().json == {"error": "general_error"}
    sim.fault("throttle", twin="accounts", times=1)
    assert sim.refresh().status == 400


def test_accounts_answers_unknown_paths_with_html(sim):
    assert b"<html>" in sim.call("accounts", "GET", "/oauth/v2/nothing").body
    assert sim.call("accounts", "GET", "/oauth/v2/token").status == 405


# ---- desk: the door --------------------------------------------------------------------------------------------------

def test_no_token_wrong_token_expired_token(sim):
    for token in ("", "1000.a.b"):
        answer = sim.desk("GET", "/contacts", token=token)
        assert (answer.status, answer.code) == (401, "INVALID_OAUTH")
    token = sim.token_with("Desk.basic.ALL")
    assert sim.desk("GET", "/myinfo", token=token).status == 200
    sim.sim("POST", "/clock", {"advance": "61m"})
    sim.token = ""
    assert sim.desk("GET", "/myinfo", token=token).code == "INVALID_OAUTH"


def test_bearer_prefix_is_a_switch(sim):
    token = sim.token_with("Desk.basic.ALL")
    headers = {"Authorization": "Bearer " + token, "orgId": "20063578341"}
    assert sim.call("desk", "GET", "/api/v1/myinfo", headers=headers).status == 200
    sim.switch("desk", accept_bearer=0)
    assert sim.call("desk", "GET", "/api/v1/myinfo", headers=headers).status == 401


def test_org_is_needed_everywhere_but_on_organizations(sim):
    assert sim.desk("GET", "/organizations", org=None).status == 200
    assert sim.desk("GET", "/contacts", org=None).code == "UNPROCESSABLE_ENTITY"
    assert sim.desk("GET", "/contacts?orgId=20063578341", org=None).status == 200
    answer = sim.desk("GET", "/contacts", org="1")
    assert (answer.status, answer.code) == (403, "OAUTH_ORG_MISMATCH")
    sim.switch("desk", mismatch_status=401)
    assert sim.desk("GET", "/contacts", org="1").status == 401


@pytest.mark.parametrize("scope,method,path,allowed", [
    ("Desk.contacts.READ", "GET", "/contacts", True),
    ("Desk.contacts.READ", "POST", "/contacts", False),
    ("Desk.contacts.WRITE", "POST", "/contacts", True),
    ("Desk.contacts.READ", "GET", "/accounts/search?_all=abc", False),
    ("Desk.search.READ", "GET", "/accounts/search?_all=abc", False),
    ("Desk.contacts.READ,Desk.search.READ", "GET", "/accounts/search?_all=abc", True),
    ("Desk.contacts.ALL", "POST", "/organizationFields?module=contacts", False),
    ("Desk.contacts.ALL", "GET", "/recycleBin", False),
    ("Desk.contacts.ALL", "GET", "/webhooks", False),
    ("Desk.events.READ", "GET", "/webhooks", True),
    ("Desk.tickets.ALL", "GET", "/contacts", False),
    ("Desk.contacts.ALL", "GET", "/tickets", False),
    ("Desk.tickets.READ", "GET", "/tickets", True),
    ("Desk.tickets.READ", "GET", "/tickets/search?status=Open", False),
    ("Desk.tickets.READ", "GET", "/tickets/1/comments", True),
    ("Desk.tickets.READ", "POST", "/tickets/1/comments", False),
    ("Desk.tickets.UPDATE", "POST", "/tickets/1/comments", True),
    ("Desk.permissions.READ", "GET", "/profiles", True),
    ("Desk.contacts.ALL", "GET", "/profiles", False)])
def test_scopes_per_call(sim, scope, method, path, allowed):
    answer = sim.desk(method, path, {"x": 1} if method == "POST" else None, token=sim.token_with(scope))
    assert (answer.status == 403 and answer.code == "SCOPE_MISMATCH") != allowed, answer.body


def test_credits_run_out_and_come_back_the_next_day(sim):
    used = sim.sim("GET", "/desk/credits").json["used"]
    sim.desk("GET", "/myinfo")
    assert sim.sim("GET", "/desk/credits").json["used"] == used + 1
    sim.switch("desk", credits=used + 2)
    assert [sim.desk("GET", "/myinfo").status for _ in range(2)] == [200, 429]
    assert sim.desk("GET", "/myinfo").code == "THRESHOLD_EXCEEDED"
    sim.sim("POST", "/clock", {"advance": "24h"})
    sim.token = ""
    assert sim.desk("GET", "/myinfo").status == 200


def test_wrong_data_centre_is_401_with_html(sim):
    sim.switch("desk", wrong_dc=1)
    answer = sim.desk("GET", "/contacts")
    assert answer.status == 401 and answer.body.startswith(b"<html>")


def test_unknown_path_and_wrong_verb(sim):
    assert sim.desk("GET", "/nothing").code == "URL_NOT_FOUND"
    assert (sim.desk("PUT", "/contacts").status, sim.desk("PUT", "/contacts").code) == (405, "METHOD_NOT_ALLOWED")
    assert sim.call("desk", "GET", "/api/v1/nothing").status == 401


# ---- desk: records ---------------------------------------------------------------------------------------------------

def test_ids_and_times_are_text(sim):
    made = make(sim, lastName="Ümlaut", cf={"cf_customer_number": "12"})
    assert made["id"].isdigit() and 16 <= len(made["id"]) <= 19
    assert made["modifiedTime"].endswith("Z") and len(made["modifiedTime"]) == 24
    assert made["accountCount"] == "0" and made["isFollowing"] == "false"
    assert made["cf"]["cf_customer_number"] == "12"
    assert sim.desk("GET", "/contacts/" + made["id"]).json == made


def test_lists_are_short_searches_are_full(sim):
    short = sim.desk("GET", "/contacts").json["data"]
    assert len(short) == 10 and not {"modifiedTime", "cf", "title"} & set(short[0])
    full = sim.desk("GET", f"/contacts/search?modifiedTimeRange={EVER}").json["data"]
    assert len(full) == 10 and {"modifiedTime", "cf", "title"} <= set(full[0])


def test_from_base_is_a_switch(sim):
    def ids(query):
        return [r["id"] for r in sim.desk("GET", "/accounts?limit=5" + query).json["data"]]
    assert ids("") == ids("&from=1") and ids("&from=2")[0] == ids("")[1]
    assert sim.desk("GET", "/accounts?from=0").code == "UNPROCESSABLE_ENTITY"
    sim.switch("desk", from_base=0)
    assert ids("") == ids("&from=0") and ids("&from=1")[0] == ids("")[1]


def test_limit_cap_is_a_switch(sim):
    assert sim.desk("GET", "/contacts?limit=100").code == "UNPROCESSABLE_ENTITY"
    sim.switch("desk", limit_cap=100)
    assert len(sim.desk("GET", "/contacts?limit=100").json["data"]) == 100
    assert sim.desk("GET", "/contacts?limit=0").status == 422
    assert sim.desk("GET", "/contacts?limit=ten").status == 422


def test_list_to_its_end(sim):
    seen = []
    while True:
        answer = sim.desk("GET", f"/contacts?limit=99&from={len(seen) + 1}&sortBy=createdTime")
        if answer.status == 204:
            assert answer.body == b""
            break
        seen += [r["id"] for r in answer.json["data"]]
    live = [r["id"] for r in sim.dump("desk", "contacts") if r["_state"] == "live"]
    assert sorted(seen) == sorted(live) and len(set(seen)) == len(seen)


def test_sort_orders(sim):
    for key in ("lastName", "createdTime", "-createdTime"):
        rows = [r[key.lstrip("-")] or "" for r in sim.desk("GET", f"/contacts?limit=99&sortBy={key}").json["data"]]
        encoded = [r.encode() for r in rows]
        assert encoded == sorted(encoded, reverse=key.startswith("-"))
    assert sim.desk("GET", "/contacts?sortBy=shoeSize").status == 422


def test_extra_query_parameter_is_refused(sim):
    answer = sim.desk("GET", "/contacts?fields=email")
    assert answer.code == "UNPROCESSABLE_ENTITY" and "'fields'" in answer.json["message"]


def test_bodies_that_are_none(sim):
    assert sim.desk("POST", "/contacts", raw=b"").code == "EMPTY_PAYLOAD"
    assert sim.desk("POST", "/contacts", {}).code == "EMPTY_PAYLOAD"
    assert sim.desk("POST", "/contacts", raw=b"{not json").code == "BAD_REQUEST"
    assert sim.desk("POST", "/contacts", raw=b"a=b", kind="application/x-www-form-urlencoded").status == 415
    sim.switch("desk", empty_status=400)
    assert sim.desk("POST", "/contacts", {}).status == 400


@pytest.mark.parametrize("body,expected", [
    ({"firstName": "No last"}, {("/lastName", "missing")}),
    ({"lastName": "  "}, {("/lastName", "missing")}),
    ({"lastName": "x" * 201}, {("/lastName", "invalid")}),
    ({"lastName": "ü" * 200}, set()),
    ({"lastName": "A", "title": "t" * 101}, {("/title", "invalid")}),
    ({"lastName": "A", "email": "no at sign"}, {("/email", "invalid")}),
    ({"lastName": 7}, {("/lastName", "invalid")}),
    ({"lastName": "A", "accountId": "4876000000099999"}, {("/accountId", "invalid")}),
    ({"lastName": "A", "ownerId": "1"}, {("/ownerId", "invalid")}),
    ({"lastName": "A", "type": "unheard of"}, {("/type", "invalid")}),
    ({"lastName": "A", "cf": {"cf_customer_number": "x" * 256}}, {("/cf/cf_customer_number", "invalid")}),
    ({"email": "bad", "phone": "5" * 51}, {("/lastName", "missing"), ("/email", "invalid"), ("/phone", "invalid")}),
    ({"lastName": "A", "unheardOf": {"x": 1}}, set())])
def test_validation(sim, body, expected):
    answer = sim.desk("POST", "/contacts", body)
    if expected:
        assert errors(answer) == expected
    else:
        assert answer.status == 200


def test_unique_email_is_a_switch(sim):
    make(sim, lastName="First", email="Same@mail.example")
    assert sim.desk("POST", "/contacts", {"lastName": "B", "email": "same@mail.example"}).status == 200
    sim.switch("desk", unique_email=1)
    assert errors(sim.desk("POST", "/contacts", {"lastName": "C", "email": "same@mail.example"})) == {
        ("/email", "duplicate")}


def test_patch(sim):
    made = make(sim, lastName="Before", title="Old")
    sim.sim("POST", "/clock", {"advance": "5s"})
    after = sim.desk("PATCH", "/contacts/" + made["id"], {"title": "New", "phone": "1"})
    assert after.json["title"] == "New" and after.json["lastName"] == "Before"
    assert after.json["modifiedTime"] > made["modifiedTime"] and after.json["createdTime"] == made["createdTime"]
    sim.switch("desk", patch_answers=0)
    answer = sim.desk("PATCH", "/contacts/" + made["id"], {"phone": None})
    assert (answer.status, answer.body) == (204, b"")
    assert sim.desk("GET", "/contacts/" + made["id"]).json["phone"] is None
    assert errors(sim.desk("PATCH", "/contacts/" + made["id"], {"lastName": None})) == {("/lastName", "missing")}
    assert sim.desk("PATCH", "/contacts/4876000000000001", {"phone": "1"}).code == "URL_NOT_FOUND"
    assert sim.desk("GET", "/contacts/notanumber").code == "URL_NOT_FOUND"


def test_by_ids_and_include(sim):
    account = make(sim, "accounts", accountName="Holder", website="https://x.example")
    ids = [make(sim, lastName=f"By id {i}", accountId=account["id"])["id"] for i in range(21)]
    answer = sim.desk("GET", "/contacts/contactsByIds?ids=" + ",".join(ids[:20]) + "&include=accounts")
    assert [r["id"] for r in answer.json["data"]] == ids[:20]
    assert answer.json["data"][0]["account"] == {"id": account["id"], "accountName": "Holder",
                                                 "website": "https://x.example"}
    assert sim.desk("GET", "/contacts/contactsByIds?ids=" + ",".join(ids)).status == 422
    assert sim.desk("GET", "/contacts/contactsByIds").status == 422


def test_count_needs_a_view(sim):
    assert sim.desk("GET", "/contacts/count").status == 422
    view = sim.desk("GET", "/views?module=contacts").json["data"][0]["id"]
    live = sum(r["_state"] == "live" for r in sim.dump("desk", "contacts"))
    assert sim.desk("GET", "/contacts/count?viewId=" + view).json == {"count": live}
    assert sim.desk("GET", "/contacts?viewId=1").status == 422


# ---- desk: search ----------------------------------------------------------------------------------------------------

def search(sim, query, kind="contacts"):
    answer = sim.desk("GET", f"/{kind}/search?{query}")
    if answer.status == 204:
        return []
    assert answer.status == 200, answer.body
    return answer.json["data"]


def test_search_by_time_is_inclusive_sorted_and_counted(sim):
    rows = [make(sim, lastName=f"Timed {i}") for i in range(3)]
    at = rows[0]["modifiedTime"]
    answer = sim.desk("GET", f"/contacts/search?modifiedTimeRange={at},{at}&limit=100").json
    assert answer["count"] == 3 and [r["id"] for r in answer["data"]] == [r["id"] for r in rows]
    all_rows = search(sim, f"modifiedTimeRange={EVER}&limit=100&sortBy=-modifiedTime")
    times = [r["modifiedTime"] for r in all_rows]
    assert times == sorted(times, reverse=True)
    created = search(sim, f"createdTimeRange={at},{at}")
    assert {r["id"] for r in created} == {r["id"] for r in rows}


def test_search_pages_reach_every_record_once(sim):
    seen, start = [], 0
    while True:
        page = search(sim, f"modifiedTimeRange={EVER}&limit=100&from={start}&sortBy=modifiedTime")
        if not page:
            break
        seen += [r["id"] for r in page]
        start += len(page)
    live = [r["id"] for r in sim.dump("desk", "contacts") if r["_state"] == "live"]
    assert sorted(seen) == sorted(live)


def test_search_window_and_limits(sim):
    assert search(sim, f"modifiedTimeRange={EVER}&from=999") == []
    for query in ("from=1000", "from=-1", "limit=101", "limit=0", "sortBy=shoeSize", "modifiedTimeRange=x,y",
                  "createdTimeRange=2030-01-01T00:00:00.000Z", "customField1=cf_none:1", "unheard=1"):
        answer = sim.desk("GET", f"/contacts/search?lastName=abc&{query}")
        assert answer.code == "UNPROCESSABLE_ENTITY", query
    assert sim.desk("GET", "/contacts/search").code == "UNPROCESSABLE_ENTITY"


def test_readings_of_the_search_are_switches(sim):
    at = make(sim, lastName="At the end")["modifiedTime"]
    assert len(search(sim, f"modifiedTimeRange={at},{at}")) == 1
    sim.switch("desk", range_ends=0, search_values=0, search_limit_cap=99)
    assert search(sim, f"modifiedTimeRange={at},{at}") == []
    for query in ("email=a@b.example", "phone=1", "customField1=cf_customer_number:1"):
        assert "Extra query parameter" in sim.desk("GET", "/contacts/search?" + query).json["message"]
    assert sim.desk("GET", "/contacts/search?lastName=x&limit=100").status == 422
    assert sim.desk("GET", "/contacts/search?lastName=x&limit=99").status == 204


def test_search_by_fields(sim):
    account = make(sim, "accounts", accountName="Çelik Foods Österreich")
    made = make(sim, lastName="Findbar", firstName="Zoë", email="Find.Me@mail.example", phone="+49 30 987392588",
                accountId=account["id"], cf={"cf_customer_number": "77007"})
    one = [made["id"]]
    def ids(query):
        return [r["id"] for r in search(sim, query)]
    assert ids("email=find.me@MAIL.example") == one
    assert ids("phone=*987392588") == one
    assert ids("customField1=cf_customer_number:77007") == one
    assert ids("fullName=Zo%C3%AB+Findbar") == one
    assert ids("accountName=%C3%A7elik+foods+%C3%B6sterreich") == one
    assert ids("id=" + made["id"]) == one
    assert ids("lastName=Findb*&firstName=zo%C3%AB") == one
    assert ids("lastName=Nobody,Findbar") == one
    assert ids("_all=987392588") == one
    assert ids("email=find.me@mail.example&lastName=Other") == []
    assert made["id"] in ids("mobile=$%7Bempty%7D&limit=100&sortBy=-createdTime")
    assert made["id"] not in ids("phone=$%7Bempty%7D&limit=100&sortBy=-createdTime")
    assert sim.desk("GET", "/contacts/search?_all=ab").status == 422
    assert sim.desk("GET", "/contacts/search?_all=abc&lastName=x").status == 422
    assert sim.desk("GET", "/contacts/search?lastName=" + ",".join("x" * 31)).status == 422


def test_index_lag_is_a_switch(sim):
    sim.switch("desk", search_lag_ms=2000)
    made = make(sim, lastName="Lagging", email="lag@mail.example")
    assert search(sim, "email=lag@mail.example") == []
    assert sim.desk("GET", "/contacts/" + made["id"]).status == 200
    sim.sim("POST", "/clock", {"advance": "3s"})
    assert len(search(sim, "email=lag@mail.example")) == 1


def test_one_unusable_value_in_a_page(sim):
    sim.fault("bad-value", twin="desk", times=1)
    rows = search(sim, f"modifiedTimeRange={EVER}&limit=5")
    assert isinstance(rows[0]["lastName"], dict) and isinstance(rows[1]["lastName"], str)


# ---- desk: trash, bin, merge -----------------------------------------------------------------------------------------

def test_trash_restore_purge(sim):
    made = make(sim, lastName="Leaving", email="leaving@mail.example")
    path = "/contacts/" + made["id"]
    answer = sim.desk("POST", "/contacts/moveToTrash", {"contactIds": [made["id"]]})
    assert (answer.status, answer.body) == (204, b"")
    assert sim.desk("GET", path).json["isTrashed"] is True
    sim.switch("desk", trash_reads=0)
    assert sim.desk("GET", path).status == 404
    assert sim.desk("PATCH", path, {"phone": "1"}).status == 404
    assert search(sim, "email=leaving@mail.example") == []
    entry = sim.desk("GET", "/recycleBin?limit=50").json["data"][0]
    assert (entry["id"], entry["type"], entry["displayName"]) == (made["id"], "Contacts", "Leaving")
    assert sim.desk("POST", "/recycleBin/restore", {"ids": [made["id"]]}).status == 204
    assert sim.desk("GET", path).json["isTrashed"] is False
    sim.desk("POST", "/contacts/moveToTrash", {"contactIds": [made["id"]]})
    assert sim.desk("POST", "/recycleBin/delete", {"ids": [made["id"]]}).status == 204
    sim.switch("desk", trash_reads=1)
    assert sim.desk("GET", path).code == "URL_NOT_FOUND"
    assert sim.desk("GET", "/recycleBin").status == 204
    assert errors(sim.desk("POST", "/recycleBin/restore", {"ids": [made["id"]]})) == {("/ids", "invalid")}


def test_bin_shows_the_newest_first(sim):
    ids = [make(sim, lastName=f"Binned {i}")["id"] for i in range(3)]
    for record in (ids[1], ids[0], ids[2]):
        sim.sim("POST", "/clock", {"advance": "1s"})
        sim.desk("POST", "/contacts/moveToTrash", {"contactIds": [record]})
    def order(query=""):
        return [e["id"] for e in sim.desk("GET", "/recycleBin?limit=50" + query).json["data"]]
    assert order() == [ids[2], ids[0], ids[1]] and order("&from=2") == [ids[1]]
    sim.switch("desk", bin_newest_first=0)
    assert order() == ids
    assert sim.desk("POST", "/recycleBin/deleteAll", raw=b"").status == 202
    assert sim.desk("GET", "/recycleBin").status == 204


def test_mass_actions_refuse_unknown_ids(sim):
    assert errors(sim.desk("POST", "/contacts/moveToTrash", {"contactIds": ["1"]})) == {("/contactIds", "invalid")}
    assert errors(sim.desk("POST", "/contacts/moveToTrash", {"ids": ["1"]})) == {("/contactIds", "missing")}
    assert sim.desk("GET", "/recycleBin?limit=51").status == 422


def test_merge(sim):
    winner, loser = make(sim, lastName="Winner", phone="1"), make(sim, lastName="Loser", phone="2")
    answer = sim.desk("POST", f"/contacts/{winner['id']}/merge",
                      {"ids": [loser["id"]], "source": {"phone": loser["id"], "lastName": winner["id"]}})
    assert (answer.json["lastName"], answer.json["phone"]) == ("Winner", "2")
    assert sim.desk("GET", "/contacts/" + loser["id"]).code == "URL_NOT_FOUND"
    assert sim.desk("GET", "/recycleBin").status == 204
    assert errors(sim.desk("POST", f"/contacts/{winner['id']}/merge", {"ids": [winner["id"]]})) == {("/ids", "invalid")}


def test_merged_account_hands_over_its_contacts(sim):
    winner, loser = make(sim, "accounts", accountName="W"), make(sim, "accounts", accountName="L")
    contact = make(sim, lastName="Moves", accountId=loser["id"])
    sim.desk("POST", f"/accounts/{winner['id']}/merge", {"ids": [loser["id"]]})
    assert sim.desk("GET", "/contacts/" + contact["id"]).json["accountId"] == winner["id"]


# ---- desk: metadata and surroundings ---------------------------------------------------------------------------------

def test_organizations(sim):
    org = sim.desk("GET", "/organizations").json["data"][0]
    assert str(org["id"]) == "20063578341" and org["isAdminInOrg"] and org["edition"] == "ENTERPRISE"
    assert sim.desk("GET", "/organizations/20063578341").json == org
    assert sim.desk("GET", "/organizations/5").status == 404


def test_fields_are_served_made_and_then_enforced(sim):
    fields = {f["apiName"]: f for f in sim.desk("GET", "/organizationFields?module=accounts").json["data"]}
    assert fields["accountName"]["isMandatory"] and fields["accountName"]["maxLength"] == 200
    made = sim.desk("POST", "/organizationFields?module=accounts",
                    {"displayLabel": "Employee Count", "type": "Number", "maxLength": 9})
    assert made.status == 200 and made.json["apiName"] == "cf_employee_count" and made.json["isCustomField"]
    assert errors(sim.desk("POST", "/accounts", {"accountName": "A", "cf": {"cf_employee_count": "many"}})) == {
        ("/cf/cf_employee_count", "invalid")}
    assert make(sim, "accounts", accountName="B", cf={"cf_employee_count": 12})["cf"] == {"cf_employee_count": "12"}
    again = sim.desk("POST", "/organizationFields?module=accounts", {"displayLabel": "Employee Count", "type": "Text"})
    assert errors(again) == {("/displayLabel", "duplicate")}
    for body, expected in (({"type": "Text"}, ("/displayLabel", "missing")),
                           ({"displayLabel": "X", "type": "Blob"}, ("/type", "invalid")),
                           ({"displayLabel": "X", "type": "Text", "maxLength": 256}, ("/maxLength", "invalid"))):
        assert errors(sim.desk("POST", "/organizationFields?module=accounts", body)) == {expected}
    assert sim.desk("GET", "/organizationFields").status == 422


def test_unique_and_full_field_space(sim):
    sim.desk("POST", "/organizationFields?module=accounts", {"displayLabel": "Only One", "type": "Text",
                                                             "isUnique": True})
    make(sim, "accounts", accountName="U1", cf={"cf_only_one": "k"})
    assert errors(sim.desk("POST", "/accounts", {"accountName": "U2", "cf": {"cf_only_one": "k"}})) == {
        ("/cf/cf_only_one", "duplicate")}
    sim.switch("desk", custom_fields_max=1)
    full = sim.desk("POST", "/organizationFields?module=contacts", {"displayLabel": "One More", "type": "Text"})
    assert (full.status, full.code) == (403, "LICENSE_ACCESS_LIMITED")


def test_surroundings(sim):
    assert sim.desk("GET", "/departments").json["data"][0]["isDefault"]
    agents = sim.desk("GET", "/agents").json["data"]
    assert sim.desk("GET", "/agents/" + agents[0]["id"]).json == agents[0] == sim.desk("GET", "/myinfo").json
    assert [a["emailId"] for a in sim.desk("GET", "/agents?searchStr=light@mail.example").json["data"]] == [
        "light@mail.example"]
    assert sim.desk("GET", "/agents?limit=5").status == 422
    assert {p["type"] for p in sim.desk("GET", "/profiles?fields=type").json["data"]} == {
        "Administrator", "Standard", "Light"}


# ---- agents, profiles, departments -----------------------------------------------------------------------------------

def test_what_agents_show_besides(sim):
    [plain] = sim.desk("GET", "/agents?searchStr=admin@").json["data"]
    assert not {"role", "profile"} & set(plain) and plain["profileId"] and plain["associatedDepartmentIds"]
    more = sim.desk("GET", f"/agents/{plain['id']}?include=profile,role").json
    assert (more["role"]["name"], more["profile"]["name"]) == ("CEO", "Support Administrator")
    assert sim.desk("GET", "/agents?include=profile,teams").code == "UNPROCESSABLE_ENTITY"
    assert sim.desk("GET", "/agents/1").status == 404


def test_lists_of_profiles_are_a_switch(sim):
    short = sim.desk("GET", "/profiles").json["data"]
    assert all(set(p) == {"id", "name"} for p in short)
    full = sim.desk("GET", "/profiles?fields=type,permissions").json["data"]
    assert full[0]["permissions"]["crmInteg"]["crmContactsNotes"] is True
    assert full[1]["permissions"]["financeInteg"]["sendInvoice"] is False
    assert sim.desk("GET", "/profiles?fields=secrets").code == "UNPROCESSABLE_ENTITY"
    sim.switch("desk", profile_fields=0)
    assert sim.desk("GET", "/profiles?fields=type").code == "UNPROCESSABLE_ENTITY"
    older = sim.desk("GET", "/profiles").json["data"]
    assert "type" in older[0] and "permissions" not in older[0]
    assert "permissions" in sim.desk("GET", "/profiles/" + older[0]["id"]).json


def test_people_come_and_change(sim):
    profile = sim.sim("POST", "/desk/records/profiles", {"name": "Novice",
                                                         "permissions": {"financeInteg": {"createEstimate": True}}}).json
    assert profile["permissions"]["financeInteg"]["createEstimate"] and profile["type"] == "Custom"
    department = sim.sim("POST", "/desk/records/departments", {"name": "Sales"}).json
    agent = sim.sim("POST", "/desk/records/agents", {
        "firstName": "Nora", "lastName": "New", "emailId": "nora@mail.example", "profileId": profile["id"],
        "associatedDepartmentIds": [department["id"]]}).json
    assert agent["name"] == "Nora New"
    assert sim.desk("GET", "/agents/" + agent["id"]).json["associatedDepartmentIds"] == [department["id"]]
    sim.sim("PATCH", "/desk/records/agents/" + agent["id"], {"status": "DISABLED"})
    assert [a["id"] for a in sim.desk("GET", "/agents?status=DISABLED").json["data"]] == [agent["id"]]
    sim.sim("PATCH", "/desk/records/departments/" + department["id"], {"isEnabled": False})
    assert [d["name"] for d in sim.desk("GET", "/departments?isEnabled=false").json["data"]] == ["Sales"]
    assert sim.sim("POST", "/desk/records/agents", {"lastName": "x", "emailId": "x@y.z"}).status == 400
    for kind, id in (("agents", agent["id"]), ("departments", department["id"]), ("profiles", profile["id"])):
        assert sim.sim("POST", f"/desk/records/{kind}/{id}/purge").status == 200
        assert sim.desk("GET", f"/{kind}/{id}").status == 404
        assert id not in {one["id"] for one in sim.dump("desk", kind)}


# ---- tickets ---------------------------------------------------------------------------------------------------------

def contact_of(sim):
    return make(sim, lastName="Asks")["id"]


def ticket(sim, contact, **fields):
    answer = sim.sim("POST", "/desk/records/tickets", {"subject": "Help", "contactId": contact, **fields})
    assert answer.status == 200, answer.body
    return answer.json["id"]


def found(sim, query):
    answer = sim.desk("GET", "/tickets/search?" + query)
    return [t["id"] for t in answer.json["data"]] if answer.status == 200 else answer.status


def test_the_life_of_a_ticket(sim):
    contact = contact_of(sim)
    id = ticket(sim, contact, dueDate="2030-01-31T09:00:00.000Z")
    before = sim.desk("GET", "/tickets/" + id).json
    assert (before["status"], before["statusType"], before["closedTime"]) == ("Open", "Open", None)
    assert before["ticketNumber"].isdigit() and not before["isOverDue"] and before["departmentId"]
    sim.sim("PATCH", "/desk/records/tickets/" + id, {"dueDate": "2020-01-01T00:00:00.000Z", "status": "On Hold",
                                                     "isEscalated": True})
    late = sim.desk("GET", "/tickets/" + id).json
    assert late["isOverDue"] and late["isEscalated"] and late["statusType"] == "On Hold"
    sim.sim("PATCH", "/desk/records/tickets/" + id, {"status": "Closed"})
    closed = sim.desk("GET", "/tickets/" + id).json
    assert closed["closedTime"] == closed["modifiedTime"] and not closed["isOverDue"]
    sim.sim("PATCH", "/desk/records/tickets/" + id, {"status": "Open"})
    assert sim.desk("GET", "/tickets/" + id).json["closedTime"] is None
    refused = sim.sim("POST", "/desk/records/tickets", {"subject": "x", "contactId": "1", "departmentId": "2"})
    assert refused.status == 422 and b"/contactId" in refused.body and b"/departmentId" in refused.body


def test_searching_tickets(sim):
    a, b = contact_of(sim), contact_of(sim)
    first = ticket(sim, a, priority="High", dueDate="2025-06-01T00:00:00.000Z", email="a@x.org")
    second = ticket(sim, a, status="Escalated")
    third = ticket(sim, a, status="Closed", subject="Something else")
    ticket(sim, b)
    assert set(found(sim, f"contactId={a}")) == {first, second, third}
    assert set(found(sim, f"contactId={a}&status=%24%7Bopen%7D")) == {first, second}
    assert found(sim, f"contactId={a}&priority=High") == [first]
    assert found(sim, f"contactId={a}&subject=something*") == [third]
    assert found(sim, "email=a@x.org") == [first]
    due = "dueDateRange=2025-05-01T00:00:00.000Z,2025-07-01T00:00:00.000Z"
    assert found(sim, f"contactId={a}&{due}") == [first]
    number = sim.desk("GET", "/tickets/" + second).json["ticketNumber"]
    assert found(sim, "ticketNumber=" + number) == [second]
    assert sim.desk("GET", "/tickets/search?isEscalated=true").code == "UNPROCESSABLE_ENTITY"
    sim.switch("desk", open_word=0)
    assert found(sim, f"contactId={a}&status=%24%7Bopen%7D") == 204


def test_listing_tickets(sim):
    rows = sim.desk("GET", "/tickets?sortBy=-createdTime&limit=2").json["data"]
    assert len(rows) == 2 and "isOverDue" not in rows[0] and "statusType" in rows[0]
    assert sim.desk("GET", "/tickets?sortBy=modifiedTime").code == "UNPROCESSABLE_ENTITY"
    sim.switch("desk", tickets_need_department=1)
    assert b"departmentId" in sim.desk("GET", "/tickets").body
    assert sim.desk("GET", "/tickets?departmentId=" + rows[0]["departmentId"]).status == 200
    names = {f["apiName"] for f in sim.desk("GET", "/organizationFields?module=tickets").json["data"]}
    assert {"subject", "status", "departmentId"} <= names and not {"isEscalated", "closedTime"} & names


def test_comments_of_a_ticket(sim):
    id = ticket(sim, contact_of(sim))
    path = f"/tickets/{id}/comments"
    assert sim.desk("GET", path).status == 204 and sim.desk("GET", "/tickets/1/comments").status == 404
    made = sim.desk("POST", path, {"content": "One <b>", "contentType": "plainText"}).json
    assert (made["isPublic"], made["contentType"], made["commenter"]["type"]) == (False, "plainText", "AGENT")
    sim.sim("POST", "/clock", {"advance": "1s"})
    second = sim.desk("POST", path, {"content": "Two", "isPublic": True}).json
    assert second["contentType"] == "html" and second["isPublic"]
    assert [x["id"] for x in sim.desk("GET", path).json["data"]] == [made["id"], second["id"]]
    latest = sim.desk("GET", path + "?sortBy=-commentedTime&limit=1").json["data"]
    assert [x["id"] for x in latest] == [second["id"]]
    assert sim.desk("GET", "/tickets/" + id).json["commentCount"] == "2"
    assert sim.desk("GET", path + "?limit=101").code == "UNPROCESSABLE_ENTITY"
    assert sim.desk("GET", path + "?sortBy=id").code == "UNPROCESSABLE_ENTITY"
    assert errors(sim.desk("POST", path, {"isPublic": True})) == {("/content", "missing")}
    assert errors(sim.desk("POST", path, {"content": "x" * 32001})) == {("/content", "invalid")}
    assert errors(sim.desk("POST", path, {"content": "x", "isPublic": "yes"})) == {("/isPublic", "invalid")}
    assert errors(sim.desk("POST", path, {"content": "x", "contentType": "pdf"})) == {("/contentType", "invalid")}
    assert errors(sim.desk("POST", path, {"content": "x", "attachmentIds": ["5"]})) == {("/attachmentIds", "invalid")}


def test_how_comments_show_times_and_authors_is_a_switch(sim):
    contact = contact_of(sim)
    id = ticket(sim, contact)
    sim.sim("POST", "/desk/records/comments", {"ticketId": id, "content": "Mine", "commenterId": contact})
    plain = sim.desk("GET", f"/tickets/{id}/comments").json["data"][0]
    assert plain["commenter"]["type"] == "END_USER" and plain["commentedTime"].endswith("Z")
    sim.switch("desk", comment_samples=1)
    sample = sim.desk("GET", f"/tickets/{id}/comments").json["data"][0]
    assert sample["commenter"]["type"] == ["END_USER"] and isinstance(sample["commentedTime"], int)


# ---- stamps ----------------------------------------------------------------------------------------------------------

def test_stamp_violations_are_flagged():
    with Sandbox(("--plan", "empty")) as s:
        s.desk("POST", "/organizationFields?module=contacts", {"displayLabel": "Tieline ID", "type": "Text"})
        first = s.desk("POST", "/contacts", {"lastName": "A", "cf": {"cf_tieline_id": "i.one"}}).json
        s.desk("PATCH", "/contacts/" + first["id"], {"lastName": "B", "cf": {"cf_tieline_id": "i.one"}})
        assert s.sim("GET", "/violations").json["count"] == 0
        s.desk("PATCH", "/contacts/" + first["id"], {"cf": {"cf_tieline_id": "i.two"}})
        s.desk("POST", "/contacts", {"lastName": "C", "cf": {"cf_tieline_id": "i.two"}})
        seen = s.sim("GET", "/violations").json
        assert seen["count"] == 2 and first["id"] in seen["violations"][0]
        assert s.sim("GET", "/state").json["twins"]["desk"]["violations"] == 2


# ---- changes as another user -----------------------------------------------------------------------------------------

def test_another_user_changes_records(sim):
    made = sim.sim("POST", "/desk/records/contacts", {"lastName": "Other", "cf_customer_number": "5"}).json
    sim.sim("POST", "/clock", {"advance": "2s"})
    changed = sim.sim("PATCH", "/desk/records/contacts/" + made["id"], {"title": "Boss"}).json
    assert changed["title"] == "Boss" and changed["modifiedTime"] > made["modifiedTime"]
    assert sim.sim("POST", f"/desk/records/contacts/{made['id']}/trash").json["_state"] == "trashed"
    assert sim.sim("POST", f"/desk/records/contacts/{made['id']}/restore").json["_state"] == "live"
    assert sim.sim("POST", f"/desk/records/contacts/{made['id']}/purge").json["_state"] == "purged"
    many = sim.sim("POST", "/desk/records/accounts", [{"accountName": "One", "modifiedTime": "2020-01-01T00:00:00.000Z"},
                                                      {"accountName": "Two"}]).json
    assert many[0]["modifiedTime"] == "2020-01-01T00:00:00.000Z"
    assert sim.sim("PATCH", "/desk/records/contacts/1", {"title": "x"}).status == 404


# ---- webhooks --------------------------------------------------------------------------------------------------------

class Receiver:
    """A hook listener: keeps what it gets, answers what it is told."""

    def __init__(self):
        self.got, self.status = queue.Queue(), {"GET": 200, "POST": 200}
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def handle_any(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                outer.got.put((self.command, dict(self.headers), body))
                self.send_response(outer.status[self.command])
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_GET = do_POST = handle_any

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hooks/desk"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def next(self):
        method, headers, body = self.got.get(timeout=10)
        assert method == "POST"
        events = json.loads(body)
        assert isinstance(events, list) and len(events) == 1
        return events[0], headers

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def hooks(sim):
    receiver = Receiver()
    yield receiver
    for hook in (sim.desk("GET", "/webhooks").json["data"] if sim.desk("GET", "/webhooks").body else []):
        sim.desk("DELETE", "/webhooks/" + hook["id"])
    receiver.close()


def subscribe(sim, receiver, subscriptions, **more):
    answer = sim.desk("POST", "/webhooks", {"name": "tieline", "url": receiver.url, "subscriptions": subscriptions,
                                            **more})
    assert answer.status == 200, answer.body
    assert receiver.got.get(timeout=10)[0] == "GET"
    return answer.json


def unsigned(part):
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def test_webhook_envelope_and_signature(sim, hooks):
    hook = subscribe(sim, hooks, {"Contact_Add": None, "Contact_Update": {"includePrevState": True},
                                  "Contact_Delete": None})
    made = make(sim, lastName="Hooked", title="Old")
    event, headers = hooks.next()
    assert (event["eventType"], event["orgId"], event["prevState"]) == ("Contact_Add", "20063578341", None)
    assert event["payload"]["id"] == made["id"] and event["eventTime"].isdigit()
    head, claims, signature = headers["X-ZDesk-JWT"].split(".")
    keys = json.loads(sim.call("desk", "GET", "/.well-known/jwks.json").body)["keys"]
    key = next(k for k in keys if k["kid"] == json.loads(unsigned(head))["kid"])
    assert json.loads(unsigned(claims))["iss"] == "orgId:20063578341"
    assert json.loads(unsigned(claims))["aud"] == "webhookId:" + hook["id"]
    n, e = (int.from_bytes(unsigned(key[p]), "big") for p in "ne")
    import hashlib
    digest = bytes.fromhex("3031300d060960864801650304020105000420") + hashlib.sha256(f"{head}.{claims}".encode()).digest()
    padded = b"\x00\x01" + b"\xff" * (256 - 3 - len(digest)) + b"\x00" + digest
    assert pow(int.from_bytes(unsigned(signature), "big"), e, n) == int.from_bytes(padded, "big")
    sim.desk("PATCH", "/contacts/" + made["id"], {"title": "New"})
    event, _ = hooks.next()
    assert event["payload"]["title"] == "New" and event["prevState"]["title"] == "Old"
    sim.desk("POST", "/contacts/moveToTrash", {"contactIds": [made["id"]]})
    event, _ = hooks.next()
    assert event["eventType"] == "Contact_Delete" and event["payload"] == {"id": made["id"]}


def test_events_of_tickets(sim, hooks):
    subscribe(sim, hooks, {"Ticket_Add": None, "Ticket_Update": None, "Ticket_Delete": None})
    id = ticket(sim, contact_of(sim))
    event, _ = hooks.next()
    assert (event["eventType"], event["payload"]["id"]) == ("Ticket_Add", id)
    sim.sim("PATCH", "/desk/records/tickets/" + id, {"status": "Closed"})
    event, _ = hooks.next()
    assert (event["eventType"], event["payload"]["statusType"]) == ("Ticket_Update", "Closed")
    sim.sim("POST", f"/desk/records/tickets/{id}/trash")
    assert hooks.next()[0]["eventType"] == "Ticket_Delete"


def test_events_of_agents_and_departments(sim, hooks):
    subscribe(sim, hooks, {"Agent_Add": None, "Agent_Update": None, "Agent_Delete": None, "Department_Update": None})
    made = sim.sim("POST", "/desk/records/agents", {"lastName": "Told", "emailId": "told@mail.example",
                                                    "profileId": "4876000000010302"}).json
    assert hooks.next()[0]["payload"]["emailId"] == "told@mail.example"
    sim.sim("PATCH", "/desk/records/agents/" + made["id"], {"profileId": "4876000000010303"})
    event, _ = hooks.next()
    assert (event["eventType"], event["payload"]["profileId"]) == ("Agent_Update", "4876000000010303")
    sim.sim("POST", f"/desk/records/agents/{made['id']}/purge")
    event, _ = hooks.next()
    assert (event["eventType"], event["payload"]) == ("Agent_Delete", {"id": made["id"]})
    department = sim.desk("GET", "/departments").json["data"][1]
    sim.sim("PATCH", "/desk/records/profiles/4876000000010302", {"description": "nobody is told"})
    sim.sim("PATCH", "/desk/records/departments/" + department["id"], {"description": "x"})
    assert hooks.next()[0]["eventType"] == "Department_Update"


def test_verification_falls_back_to_post_and_may_fail(sim, hooks):
    body = {"name": "t", "url": hooks.url, "subscriptions": {"Contact_Add": None}}
    hooks.status["GET"] = 404
    assert sim.desk("POST", "/webhooks", body).status == 200
    assert [hooks.got.get(timeout=10)[0] for _ in range(2)] == ["GET", "POST"]
    hooks.status["POST"] = 500
    answer = sim.desk("POST", "/webhooks", body)
    assert (answer.status, answer.code) == (500, "INTERNAL_SERVER_ERROR")
    answer = sim.desk("POST", "/webhooks", {**body, "url": "http://127.0.0.1:1/hooks"})
    assert answer.status == 500


def test_no_retry_and_410_removes(sim, hooks):
    hook = subscribe(sim, hooks, {"Contact_Add": None})
    hooks.status["POST"] = 503
    make(sim, lastName="Lost")
    hooks.next()
    hooks.status["POST"] = 410
    make(sim, lastName="Gone")
    event, _ = hooks.next()
    assert event["payload"]["lastName"] == "Gone"
    while sim.desk("GET", "/webhooks/" + hook["id"]).status == 200:
        pass
    make(sim, lastName="Unheard")
    assert hooks.got.empty()
    assert [d["status"] for d in sim.sim("GET", "/desk/deliveries").json][-2:] == [503, 410]


def test_webhook_refusals(sim, hooks):
    good = {"name": "t", "url": hooks.url, "subscriptions": {"Contact_Add": None}}
    for change, expected in (({"name": "x" * 101}, ("/name", "invalid")), ({"url": "ftp://x"}, ("/url", "invalid")),
                             ({"subscriptions": {}}, ("/subscriptions", "invalid")),
                             ({"subscriptions": {"Product_Add": None}}, ("/subscriptions", "invalid")),
                             ({"subscriptions": {"Contact_Add": {"includePrevState": True}}},
                              ("/subscriptions", "invalid")),
                             ({"ignoreSourceId": "4c0dcf2b-3f06-4a77-9df0-27b6b24b4e3f"}, ("/ignoreSourceId", "invalid"))):
        assert errors(sim.desk("POST", "/webhooks", {**good, **change})) == {expected}
    assert sim.desk("GET", "/webhooks/1").status == 404
    sim.switch("desk", edition=1)
    assert sim.desk("POST", "/webhooks", good).code == "LICENSE_ACCESS_LIMITED"
    assert hooks.got.empty()


def test_limits_of_the_edition(sim, hooks):
    sim.switch("desk", edition=2)
    for _ in range(5):
        subscribe(sim, hooks, {"Account_Add": None})
    body = {"name": "sixth", "url": hooks.url, "subscriptions": {"Account_Add": None}}
    assert sim.desk("POST", "/webhooks", body).status == 403
    assert sim.desk("POST", "/webhooks", {**body, "isEnabled": False}).status == 200


def test_own_writes_can_be_ignored(sim, hooks):
    source = "49ad222a-f812-11e7-8c3f-9a214cf093ae"
    subscribe(sim, hooks, {"Account_Add": None}, ignoreSourceId=source)
    sim.desk("POST", "/accounts", {"accountName": "Own"}, headers={"sourceId": source})
    make(sim, "accounts", accountName="Foreign")
    assert hooks.next()[0]["payload"]["accountName"] == "Foreign"


def test_duplicate_reordered_lost_and_badly_signed_hooks(sim, hooks):
    subscribe(sim, hooks, {"Account_Add": None})
    sim.fault("hook-duplicate", times=1)
    make(sim, "accounts", accountName="Twice")
    assert [hooks.next()[0]["payload"]["accountName"] for _ in range(2)] == ["Twice", "Twice"]
    sim.fault("hook-reorder", times=1)
    make(sim, "accounts", accountName="First")
    make(sim, "accounts", accountName="Second")
    assert [hooks.next()[0]["payload"]["accountName"] for _ in range(2)] == ["Second", "First"]
    sim.fault("hook-lost", times=1)
    make(sim, "accounts", accountName="Lost")
    sim.fault("hook-bad-signature", times=1)
    make(sim, "accounts", accountName="Forged")
    make(sim, "accounts", accountName="Honest")
    forged, honest = hooks.next(), hooks.next()
    assert forged[0]["payload"]["accountName"] == "Forged" and honest[0]["payload"]["accountName"] == "Honest"


def test_no_event_for_restore_and_merge(sim, hooks):
    subscribe(sim, hooks, {"Contact_Add": None, "Contact_Update": None, "Contact_Delete": None})
    a, b = make(sim, lastName="A"), make(sim, lastName="B")
    hooks.next(), hooks.next()
    sim.desk("POST", f"/contacts/{a['id']}/merge", {"ids": [b["id"]]})
    sim.desk("POST", "/contacts/moveToTrash", {"contactIds": [a["id"]]})
    assert hooks.next()[0]["eventType"] == "Contact_Delete"
    sim.desk("POST", "/recycleBin/restore", {"ids": [a["id"]]})
    make(sim, lastName="C")
    assert hooks.next()[0]["payload"]["lastName"] == "C"


def test_webhook_patch_verifies_a_new_url(sim, hooks):
    hook = subscribe(sim, hooks, {"Contact_Add": None})
    path = "/webhooks/" + hook["id"]
    assert sim.desk("PATCH", path, {"isEnabled": False}).json["isEnabled"] is False
    assert sim.desk("PATCH", path, {"url": hooks.url + "/2"}).json["url"].endswith("/2")
    assert hooks.got.get(timeout=10)[0] == "GET"
    assert sim.desk("DELETE", path).status == 204
    assert sim.desk("GET", path).status == 404
