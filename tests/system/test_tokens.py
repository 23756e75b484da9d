"""Tokens: the API over the network for who has one, within his scopes, until it ends or is revoked; refused in words."""
import contextlib
import http.client
import json
import sqlite3

import pytest
from systemlib import Answer, Site, rig, wait_until

RATE = 40
ADA, LENA = "4876000000010001", "4876000000010002"


@pytest.fixture(scope="module")
def site():
    port = rig.free_port()
    with Site("--contacts", 10, "--accounts", 3, "--plan", "plain",
              extra=f"[api]\nlisten = 127.0.0.1:{port}\ntoken_rate = {RATE}\n") as s:
        s.port = port
        s.start()
        s.sign_in(stamps=False)
        s.run("endpoint", "prepare", "desk", "-y")
        s.connect("every=1h", kinds=("user",), number=False)
        s.first_sync()
        yield s


def ask(site, method, target, token=None, body=None, headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=30)
    try:
        sent = dict(headers or {})
        if token:
            sent["Authorization"] = f"Bearer {token}"
        connection.request(method, target, None if body is None else json.dumps(body), sent)
        answer = connection.getresponse()
        return Answer(answer.status, dict(answer.headers), answer.read())
    finally:
        connection.close()


def create(site, name, scope, *more):
    done = site.run("token", "create", "--name", name, "--scope", scope, *more)
    token = done.stdout.strip()
    assert token.startswith("tl_") and len(token) == 46 and "shown this once" in done.stderr, done
    number = done.stderr.split("token ")[1].split(",")[0]
    return token, number


def test_nobody_comes_in_without_a_token(site):
    for headers, words in (({}, "a token is needed here"), ({"Authorization": "Basic abc"}, "no token of tieline"),
                           ({"Authorization": "Bearer " + "tl_" + "0" * 43}, "not known here")):
        answer = ask(site, "GET", "/api/v1/status", headers=headers)
        assert answer.status == 401 and words in answer.json["title"], answer
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="tieline"' and answer.json["hint"]
    assert ask(site, "GET", "/-/healthy").status == 401
    assert "a request from 127.0.0.1 was refused" in site.log()


def test_a_token_lets_in_what_its_scopes_say(site):
    token, number = create(site, "monitor", "read,metrics")
    assert ask(site, "GET", "/api/v1/status", token).status == 200
    assert ask(site, "GET", "/metrics", token).status == 200
    refused = ask(site, "POST", "/api/v1/connections/demo/pause", token)
    assert refused.status == 403 and f"token {number} (monitor) may not do this" in refused.json["title"], refused
    assert refused.json["hint"] == 'it is for the scope "operate"'
    assert ask(site, "GET", "/api/v1/tokens", token).status == 403
    assert ask(site, "GET", "/api/v1/endpoints/desk/webhook", token).status == 403
    figures, _ = create(site, "prometheus", "metrics")
    assert ask(site, "GET", "/-/ready", figures).status == 200
    assert ask(site, "GET", "/api/v1/status", figures).status == 403
    operator, number = create(site, "deploy", "operate")
    assert ask(site, "POST", "/api/v1/connections/demo/pause", operator).status == 200
    assert ask(site, "POST", "/api/v1/connections/demo/resume", operator).status == 200
    assert site.list("audit", "list", "--limit", "1")[0]["who"] == f"token {number} (deploy)"


def test_every_operation_names_its_scope(site):
    """The document says what a token needs, and that is what decides."""
    document = site.api("GET", "/api/v1/openapi.json").json
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    token, _ = create(site, "viewer", "view")
    seen = set()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            seen.add(operation["x-scope"])
            assert operation["security"] == [{"bearer": [operation["x-scope"]]}], path
            assert method == "get" or operation["x-scope"] not in ("read", "metrics"), path
    assert {"operate", "read", "metrics"} <= seen
    assert ask(site, "GET", "/api/v1/openapi.json", token).status == 403


def test_a_revoked_token_is_good_for_nothing(site):
    token, number = create(site, "short", "read", "--ttl", "12h")
    assert ask(site, "GET", "/api/v1/links", token).status == 200
    assert site.run("token", "revoke", number, "-n").returncode == 0
    assert ask(site, "GET", "/api/v1/links", token).status == 200
    assert site.run("token", "revoke", number, check=False, stdin="").returncode == 2
    site.run("token", "revoke", number, "-y")
    answer = ask(site, "GET", "/api/v1/links", token)
    assert answer.status == 401 and f"token {number} was revoked on 2" in answer.json["title"], answer
    assert site.run("token", "revoke", number, "-y", check=False).returncode == 4
    states = {t["id"]: t["state"] for t in site.list("token", "list")}
    assert states[int(number)] == "revoked"
    first, second = site.list("audit", "list", "--limit", "2")
    assert (first["act"], first["object"]) == ("token.revoke", number)
    assert (second["act"], second["object"]) == ("token.create", "short") and token not in json.dumps(second)


def test_a_token_ends_by_itself(site):
    token, number = create(site, "brief", "read", "--ttl", "60s")
    with contextlib.closing(sqlite3.connect(site.database, timeout=20)) as db, db:
        db.execute("UPDATE api_token SET expires = made WHERE token = ?", (number,))
    answer = ask(site, "GET", "/api/v1/links", token)
    assert answer.status == 401 and f"token {number} was good until 2" in answer.json["title"], answer


def test_what_a_token_is_stays_nowhere(site):
    token, _ = create(site, "canary", "read")
    assert ask(site, "GET", "/api/v1/links", token).status == 200
    for path in (p for p in site.state.parent.rglob("*") if p.is_file()):
        assert token[3:].encode() not in path.read_bytes(), path
    assert token not in site.run("--json", "token", "list").stdout


def test_an_agent_has_his_scopes_alone(site):
    token, number = create(site, "sidebar", "view,act", "--agent", ADA)
    [made] = [t for t in site.list("token", "list") if t["id"] == int(number)]
    assert (made["endpoint"], made["agent"], made["scopes"]) == ("desk", ADA, ["view", "act"])
    refused = ask(site, "GET", "/api/v1/status", token)
    assert refused.status == 403 and refused.json["title"].startswith(f"agent {ADA} ("), refused
    email = refused.json["title"].split("(")[1].split(")")[0]
    assert "@" in email and f"token {number} may not do this" in refused.json["title"], refused
    assert json.loads(site.run("--json", "token", "create", "--name", "x", "--scope", "view", "--agent",
                               email.upper()).stdout)["items"][0]["agent"] == ADA
    site.sandbox.change("desk", "agents", ADA, status="DISABLED")
    site.restart()
    wait_until(lambda: "is not active at the help desk" in ask(site, "GET", "/api/v1/status", token).json["title"], 60,
               "that he left was read")
    assert ask(site, "GET", "/api/v1/status", token).status == 403


@pytest.mark.parametrize("more, code, words", [
    (("--scope", "read"), 2, "--name NAME"),
    (("--name", "x", "--scope", "reed"), 2, 'no scope "reed"'),
    (("--name", "x", "--scope", ""), 2, "scopes"),
    (("--name", "x", "--scope", "read", "--ttl", "900d"), 2, "1m to 730d"),
    (("--name", "x", "--scope", "read", "--agent", LENA), 2, '"view" and "act" alone'),
    (("--name", "x", "--scope", "view", "--agent", "nobody@example.com"), 4, "has no agent"),
    (("--name", "x", "--scope", "view", "--agent", LENA, "--endpoint", "sf"), 4, 'no help desk is named "sf"'),
])
def test_tokens_that_are_not_made(site, more, code, words):
    before = len(site.list("token", "list"))
    done = site.run("token", "create", *more, check=False)
    assert done.returncode == code and words in done.stderr and not done.stdout, done
    assert len(site.list("token", "list")) == before


def test_a_token_may_not_ask_without_end(site):
    token, number = create(site, "eager", "read")
    other, _ = create(site, "patient", "read")
    answers = [ask(site, "GET", "/api/v1/transforms", token) for _ in range(RATE * 2)]
    late = [a for a in answers if a.status == 429]
    assert late and {a.status for a in answers} == {200, 429}
    assert 0 < int(late[0].headers["Retry-After"]) <= 60 and f"token {number} (eager)" in late[0].json["title"]
    assert ask(site, "GET", "/api/v1/transforms", other).status == 200


def test_guessing_is_slowed_and_hinders_nobody_else(site):
    good, _ = create(site, "good", "read")
    answers = [ask(site, "GET", "/api/v1/status", "tl_" + str(i).zfill(43)) for i in range(25)]
    assert {a.status for a in answers} >= {429} and answers[-1].status == 429, answers[-1]
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert ask(site, "GET", "/api/v1/status", good).status == 200
    assert site.api("GET", "/api/v1/status").status == 200
