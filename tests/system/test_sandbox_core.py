"""The sandbox itself: ports, faults by name, clock, call log, control plane, population, the toy vendor."""
import http.client
import json
import socket
import subprocess
import threading
import time
import urllib.parse

import pytest
from sandboxlib import Sandbox, program


@pytest.fixture(scope="module")
def sim():
    with Sandbox(("--contacts", 200, "--accounts", 40, "--seed", 7, "--frozen", "--now", "2026-01-31T08:00:00Z")) as s:
        yield s


@pytest.fixture(autouse=True)
def fresh(sim):
    sim.reset()


def test_every_role_has_its_own_port(sim):
    urls = [sim.line[r] for r in ("control", "accounts", "desk", "login", "salesforce", "toy")]
    assert len(set(urls)) == len(urls)
    assert all(u.startswith("http://127.0.0.1:") for u in urls)


def test_same_seed_same_world():
    worlds = []
    for _ in range(2):
        with Sandbox(("--contacts", 100, "--accounts", 20, "--seed", 3, "--now", "2026-01-31T08:00:00Z")) as s:
            worlds.append((s.dump("desk", "contacts"), s.dump("desk", "accounts"), s.line["credentials"]))
    assert worlds[0] == worlds[1]
    assert len(worlds[0][0]) == 100 and len(worlds[0][1]) == 20


def test_planted_cases_are_listed_and_there(sim):
    planted = [p for p in sim.sim("GET", "/planted").json if p["side"] == "desk"]
    assert {p["case"] for p in planted} == {"name-only", "late-account", "email-twice", "no-email", "too-long",
                                            "not-a-number"}
    contacts = {c["id"]: c for c in sim.dump("desk", "contacts")}
    by_case = {p["case"]: contacts[p["id"]] for p in planted if p["kind"] == "contacts"}
    twice = by_case["email-twice"]
    assert sum(c["email"] == twice["email"] for c in contacts.values()) == 2
    assert by_case["no-email"]["email"] is None
    assert len(by_case["too-long"]["lastName"]) > 80
    assert not by_case["not-a-number"]["cf_customer_number"].isdigit()
    accounts = {a["id"]: a for a in sim.dump("desk", "accounts")}
    waits = by_case["late-account"]
    assert accounts[waits["accountId"]]["createdTime"] > waits["createdTime"]
    assert any(not (c["lastName"] or "").isascii() for c in contacts.values())


def test_clock_moves_only_when_told(sim):
    before = sim.sim("GET", "/state").json["now"]
    assert sim.sim("GET", "/state").json["now"] == before
    assert sim.sim("POST", "/clock", {"advance": "90s"}).json["now"] > before
    assert sim.sim("POST", "/clock", {"advance": "soon"}).status == 400


def test_date_header_follows_clock_and_skew(sim):
    sim.sim("POST", "/clock", {"set": "2026-03-01T10:00:00Z"})
    assert sim.desk("GET", "/myinfo").headers["Date"] == "Sun, 01 Mar 2026 10:00:00 GMT"
    sim.sim("POST", "/desk/skew", {"ms": 90000})
    assert sim.desk("GET", "/myinfo").headers["Date"] == "Sun, 01 Mar 2026 10:01:30 GMT"
    sim.sim("POST", "/desk/skew", {"ms": 0})


@pytest.mark.parametrize("name,status,kind", [
    ("429", 429, "application/json"), ("500", 500, "application/json"), ("502", 502, "text/html"),
    ("503-json", 503, "application/json"), ("503-html", 503, "text/html"), ("503-empty", 503, None),
    ("html", 200, "text/html")])
def test_storms(sim, name, status, kind):
    sim.fault(name, twin="desk", path="/api/v1/myinfo", times=2, retry_after=7)
    for _ in range(2):
        answer = sim.desk("GET", "/myinfo")
        assert answer.status == status
        assert answer.headers["Retry-After"] == "7"
        if kind:
            assert answer.headers["Content-Type"].startswith(kind)
        else:
            assert answer.body == b"" and "Content-Type" not in answer.headers
    assert sim.desk("GET", "/myinfo").status == 200


def test_fault_fits_twin_method_path_and_nth_call(sim):
    sim.fault("500", twin="desk", method="GET", path="/api/v1/my*", after=1, times=1)
    assert sim.desk("GET", "/organizations").status == 200
    assert [sim.desk("GET", "/myinfo").status for _ in range(3)] == [200, 500, 200]
    assert sim.sim("GET", "/faults").json[0]["hits"] == 1


def test_unknown_faults_are_refused(sim):
    assert sim.sim("POST", "/faults", {"name": "no-such"}).status == 400
    assert sim.sim("POST", "/faults", {"name": "500", "twin": "nobody"}).status == 400
    assert sim.sim("POST", "/faults", {"name": "500", "tiems": 1}).status == 400


def test_lost_answer_after_an_applied_write(sim):
    sim.fault("drop-after", twin="desk", method="POST", path="/api/v1/contacts", times=1)
    with pytest.raises(http.client.HTTPException):
        sim.desk("POST", "/contacts", {"lastName": "Applied"})
    assert any(c["lastName"] == "Applied" for c in sim.dump("desk", "contacts"))


def test_drop_before_does_nothing(sim):
    sim.fault("drop-before", twin="desk", method="POST", path="/api/v1/contacts", times=1)
    with pytest.raises(http.client.HTTPException):
        sim.desk("POST", "/contacts", {"lastName": "Never"})
    assert not any(c["lastName"] == "Never" for c in sim.dump("desk", "contacts"))


def test_truncated_body(sim):
    sim.fault("truncate", twin="desk", path="/api/v1/contacts", times=1, at=50)
    with pytest.raises(http.client.IncompleteRead) as cut:
        sim.desk("GET", "/contacts")
    assert len(cut.value.partial) == 50


def test_slow_answer_is_applied_at_once(sim):
    sim.fault("delay", twin="desk", method="POST", path="/api/v1/contacts", times=1, ms=300)
    begin = time.monotonic()
    assert sim.desk("POST", "/contacts", {"lastName": "Slow"}).status == 200
    assert time.monotonic() - begin >= 0.3


def test_token_expires_mid_run(sim):
    token = sim.token_with("Desk.basic.ALL")
    sim.fault("expire-token", twin="desk", after=1, times=1)
    assert [sim.desk("GET", "/myinfo", token=token).status for _ in range(3)] == [200, 401, 401]


def test_concurrency_cap(sim):
    """Calls held back count as in flight; one more than the cap is refused."""
    sim.switch("desk", concurrency=1)
    sim.desk("GET", "/myinfo")
    sim.fault("delay", twin="desk", times=1, ms=1500)
    host = urllib.parse.urlsplit(sim.line["desk"]).netloc
    slow = http.client.HTTPConnection(host)
    headers = {"Authorization": "Zoho-oauthtoken " + sim.token, "orgId": "20063578341"}
    slow.request("GET", "/api/v1/myinfo", headers=headers)
    while sim.sim("GET", "/state").json["twins"]["desk"]["in_flight"] == 0:
        pass
    refused = sim.desk("GET", "/myinfo")
    assert (refused.status, refused.code) == (429, "TOO_MANY_REQUESTS")
    assert slow.getresponse().status == 200
    slow.close()


def test_calls_are_logged_and_counted(sim):
    sim.sim("DELETE", "/calls")
    sim.sim("POST", "/calls/bodies", {"keep": True})
    sim.desk("POST", "/contacts", {"lastName": "Logged"})
    sim.desk("GET", "/nowhere")
    sim.desk("DELETE", "/contacts")
    calls = sim.sim("GET", "/calls?twin=desk").json
    assert [(c["method"], c["status"]) for c in calls] == [("POST", 200), ("GET", 404), ("DELETE", 405)]
    assert json.loads(calls[0]["body"]) == {"lastName": "Logged"}
    assert len(sim.sim("GET", "/calls?twin=desk&method=GET&path=/api/v1/no*").json) == 1
    assert sim.sim("GET", "/calls/count").json["desk"] == {
        "POST /api/v1/contacts": 1, "unknown": 1, "wrong_method": 1, "total": 3}
    assert "Zoho-oauthtoken" not in json.dumps(calls)


def test_control_refuses_what_it_does_not_know(sim):
    assert sim.sim("GET", "/nothing/at/all").status == 404
    assert sim.sim("POST", "/desk/switches", {"no_such": 1}).status == 400
    assert sim.sim("GET", "/desk/dump/surveys").status == 404
    assert sim.sim("GET", "").body.startswith(b"tieline-sandbox control plane")


def test_stops_at_once_with_an_answer_held_back():
    with Sandbox(("--plan", "empty")) as s:
        s.desk("GET", "/myinfo")
        s.fault("delay", twin="desk", ms=600000)
        got = []
        waiting = threading.Thread(target=lambda: got.append(s.desk("GET", "/myinfo").status))
        waiting.start()
        while s.sim("GET", "/state").json["twins"]["desk"]["in_flight"] == 0:
            pass
    waiting.join(30)
    assert got == [200]


def test_wrong_options_and_a_taken_port_are_told():
    def run(*args):
        return subprocess.run([program("tieline-sandbox", "sandbox"), *args], capture_output=True, text=True, timeout=30)
    for args in (("--plan", "nope"), ("--contacts", "-3"), ("--now", "yesterday"), ("extra",)):
        result = run(*args)
        assert result.returncode == 2 and "--help" in result.stderr and not result.stdout
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = run("--plan", "empty", "--desk-port", str(port))
    assert result.returncode == 1
    assert result.stderr == f'cannot listen on 127.0.0.1:{port} for the twin "desk": Address already in use\n'


# ---- the toy vendor -------------------------------------------------------------------------------------------------

def toy(sim, method, path, body=None, token=None):
    token = token or sim.line["credentials"]["toy"]["token"]
    return sim.call("toy", method, path, body, {"Authorization": "Bearer " + token})


def test_toy_lists_changes_in_order_by_pages(sim):
    seen, since, after = [], None, 0
    while True:
        query = f"?limit=20&after={after}" + (f"&since={since}" if since else "")
        page = toy(sim, "GET", "/toy/contacts" + query).json
        seen += page["contacts"]
        if not page["more"]:
            break
        since, after = page["contacts"][-1]["updated_at"], page["contacts"][-1]["id"]
    assert len(seen) == 50 and len({c["id"] for c in seen}) == 50
    assert [c["updated_at"] for c in seen] == sorted(c["updated_at"] for c in seen)


def test_toy_writes_and_refusals(sim):
    made = toy(sim, "POST", "/toy/contacts", {"last_name": "Weiß", "ref": "a"})
    assert made.status == 201
    path = "/toy/contacts/" + made.json["id"]
    assert toy(sim, "PATCH", path, {"phone": "1"}).json["phone"] == "1"
    assert toy(sim, "PATCH", path, {"last_name": None}).json["error"]["code"] == "MISSING"
    assert toy(sim, "POST", "/toy/contacts", {"last_name": "X", "ref": "a"}).status == 409
    assert toy(sim, "POST", "/toy/contacts", {"last_name": "x" * 201}).json["error"]["field"] == "last_name"
    assert toy(sim, "GET", path, token="wrong-token").status == 401
    assert toy(sim, "DELETE", path).status == 204
    assert toy(sim, "GET", path).status == 404
    assert toy(sim, "PUT", "/toy/contacts").status == 405
