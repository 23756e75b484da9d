"""The twins' consent pages: what a code is bound to, and what is refused, at both vendors."""
import base64
import hashlib
import urllib.parse

import pytest
from sandboxlib import Sandbox

URI = "http://localhost:8447/tieline"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
VENDORS = {"zoho": ("accounts", "/oauth/v2/auth", "/oauth/v2/token", "Desk.contacts.ALL,Desk.basic.ALL"),
           "salesforce": ("login", "/services/oauth2/authorize", "/services/oauth2/token", "refresh_token api")}


@pytest.fixture(scope="module")
def box():
    with Sandbox(("--contacts", 0, "--accounts", 0)) as s:
        yield s


@pytest.fixture(params=VENDORS)
def vendor(request):
    return request.param


def page(box, vendor, choice="allow", **change):
    role, path, _, scope = VENDORS[vendor]
    ask = {"response_type": "code", "client_id": box.line["credentials"][vendor]["client_id"], "redirect_uri": URI,
           "scope": scope, "state": "s 1", "code_challenge": CHALLENGE, "code_challenge_method": "S256",
           "access_type": "offline", "prompt": "consent", **({"_choice": choice} if choice else {}), **change}
    return box.call(role, "GET", path + "?" + urllib.parse.urlencode({k: v for k, v in ask.items() if v is not None}))


def sent_back(answer):
    assert answer.status == 302, answer.body
    where, query = answer.headers["Location"].split("?", 1)
    assert where == URI
    return dict(urllib.parse.parse_qsl(query))


def exchange(box, vendor, code, **change):
    role, _, path, _ = VENDORS[vendor]
    keys = box.line["credentials"][vendor]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": URI, "code_verifier": VERIFIER,
            "client_id": keys["client_id"], "client_secret": keys["client_secret"], **change}
    data = urllib.parse.urlencode({k: v for k, v in form.items() if v is not None}).encode()
    return box.call(role, "POST", path, raw=data, kind="application/x-www-form-urlencoded")


def test_allowed(box, vendor):
    back = sent_back(page(box, vendor))
    assert back["state"] == "s 1"
    if vendor == "zoho":
        assert (back["location"], back["accounts-server"]) == ("eu", box.line["accounts"])
    tokens = exchange(box, vendor, back["code"]).json
    assert tokens["access_token"] and tokens["refresh_token"]
    again = exchange(box, vendor, back["code"]).json  # a code works once
    assert again["error"] == ("invalid_code" if vendor == "zoho" else "invalid_grant")


def test_a_code_is_for_the_client_that_asked(box):
    other = {k: box.line["credentials"]["finance"][k] for k in ("client_id", "client_secret")}
    asked = {"client_id": other["client_id"], "scope": "ZohoBooks.contacts.READ"}
    code = sent_back(page(box, "zoho", **asked))["code"]
    assert exchange(box, "zoho", code).json == {"error": "invalid_code"}
    code = sent_back(page(box, "zoho", **asked))["code"]
    assert exchange(box, "zoho", code, **other).json["scope"] == "ZohoBooks.contacts.READ"


def test_declined(box, vendor):
    back = sent_back(page(box, vendor, "deny"))
    assert (back["error"], back["state"]) == ("access_denied", "s 1") and "code" not in back


def test_the_person_is_asked(box, vendor):
    answer = page(box, vendor, choice=None)
    assert answer.status == 200 and b"_choice=allow" in answer.body and b"_choice=deny" in answer.body


@pytest.mark.parametrize("change", [{"client_id": "other"}, {"redirect_uri": URI + "/"},
                                    {"redirect_uri": "https://evil.example/"}, {"response_type": "token"},
                                    {"code_challenge_method": "plain"}])
def test_nobody_is_sent_elsewhere(box, vendor, change):
    answer = page(box, vendor, **change)
    assert answer.status == 400 and "Location" not in answer.headers


@pytest.mark.parametrize("change, error", [({"redirect_uri": URI + "/"}, {"invalid_redirect_uri", "redirect_uri_mismatch"}),
                                           ({"code_verifier": "x" * 43}, {"invalid_code", "invalid_request"}),
                                           ({"code_verifier": None}, {"invalid_code", "invalid_grant"}),
                                           ({"code": "1000.never.issued"}, {"invalid_code", "invalid_grant"}),
                                           ({"client_secret": "wrong"}, {"invalid_client"})])
def test_what_a_code_is_bound_to(box, vendor, change, error):
    code = sent_back(page(box, vendor))["code"]
    answer = exchange(box, vendor, change.get("code", code), **{k: v for k, v in change.items() if k != "code"})
    assert answer.json["error"] in error and "access_token" not in answer.json


def test_a_code_expires(box, vendor):
    code = sent_back(page(box, vendor))["code"]
    box.sim("POST", "/clock", {"advance": "901s"})
    assert "access_token" not in exchange(box, vendor, code).json


def test_without_offline_access_there_is_no_refresh_token(box, vendor):
    change = {"access_type": None} if vendor == "zoho" else {"scope": "api"}
    assert "refresh_token" not in exchange(box, vendor, sent_back(page(box, vendor, **change))["code"]).json
    if vendor == "zoho":  # who consented before gets a new one only with prompt=consent
        assert "refresh_token" not in exchange(box, vendor, sent_back(page(box, vendor, prompt=None))["code"]).json


def test_further_redirect_addresses(box, vendor):
    role = VENDORS[vendor][0]
    assert page(box, vendor, redirect_uri="http://127.0.0.1:1/x").status == 400
    assert box.sim("POST", f"/{role}/redirects", {"uri": "http://127.0.0.1:1/x"}).status == 204
    assert page(box, vendor, redirect_uri="http://127.0.0.1:1/x").status == 302
