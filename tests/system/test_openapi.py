"""The served OpenAPI document is what the daemon does: every answer of a GET fits its schema, member for member, and what
a request says beyond the document is refused and named."""
import datetime
import json
import os
import pty
import subprocess

import pytest
from systemlib import BUILD, Site, rig, wait_until

TYPES = {"string": str, "boolean": bool, "object": dict, "array": list, "number": (int, float)}


def misfits(schema, value, at="answer"):
    """What of a value does not fit its schema; members that the schema does not name are misfits as well."""
    types = schema.get("type")
    if types is None:
        return []
    types = types if isinstance(types, list) else [types]
    if value is None:
        return [] if "null" in types else [f"{at}: null"]
    kind = next(t for t in types if t != "null")
    if kind == "integer":
        fits = isinstance(value, int) and not isinstance(value, bool)
    else:
        fits = isinstance(value, TYPES[kind]) and (kind != "number" or not isinstance(value, bool))
    if not fits:
        return [f"{at}: {value!r} is no {kind}"]
    found = []
    if schema.get("format") == "date-time":
        try:
            datetime.datetime.fromisoformat(value.replace("Z", "+00:00"))
        except ValueError:
            found.append(f"{at}: {value!r} is no time")
    if kind == "array":
        for i, item in enumerate(value):
            found += misfits(schema["items"], item, f"{at}[{i}]")
    if kind == "object" and "properties" in schema:
        found += [f"{at}: {name} is missing" for name in schema["required"] if name not in value]
        found += [f"{at}: {name} is not in the document" for name in value if name not in schema["properties"]]
        for name, member in value.items():
            found += misfits(schema["properties"].get(name, {}), member, f"{at}.{name}")
    return found


@pytest.fixture(scope="module")
def site():
    with Site("--contacts", 60, "--accounts", 12) as s:
        s.start()
        s.sign_in()
        s.connect("every=1s")
        s.plan = s.run("sync", "start", "-n", "demo").stderr.split("sync approve ")[1].split()[0]
        s.first_sync()
        pair = s.pairs(1)[0]
        s.sandbox.change("desk", "contacts", pair[0], title="documented")
        s.wait_title("salesforce", pair[1], "documented")
        s.pair_id = s.list("pair", "find", pair[2])[0]["pair"]
        s.email = pair[2]
        ticket = s.sandbox.create("desk", "tickets", {"subject": "Help", "contactId": pair[0]})
        wait_until(lambda: s.list("action", "list", "demo"), 30, "the actions were told")
        s.act = s.list("action", "run", "demo", "comment", "create", "--set",
                       f"parent={ticket if isinstance(ticket, str) else ticket['id']},body=Called back", "-y")[0]["act"]
        s.run("backup", "now")
        wait_until(lambda: s.list("profile", "list", "demo"), 30, "the profiles were read")
        s.sandbox.fault("503-html", twin="desk", method="GET", times=1)
        yield s


def test_answers_fit_the_document(site):
    document = site.api("GET", "/api/v1/openapi.json").json
    failure = site.list("failure", "list")[0]["id"]
    filled = {"{connection}": "demo", "{kind}": "contact", "/failures/{id}": f"/failures/{failure}",
              "/pairs/{id}": f"/pairs/{site.pair_id}", "/connectors/{name}": "/connectors/desk",
              "/endpoints/{name}": "/endpoints/desk", "/connections/{name}": "/connections/demo", "{run}": site.plan,
              "{profile}": "Light%20Agent", "{act}": str(site.act),
              "/context/contact/{id}": f"/context/contact/{site.pairs(1)[0][0]}"}
    wrong, seen = [], 0
    for path, methods in document["paths"].items():
        if "get" not in methods:
            continue
        content = methods["get"]["responses"]["2XX"]["content"]
        if "application/json" not in content or path == "/api/v1/openapi.json":
            continue
        target = path
        for hole, value in filled.items():
            target = target.replace(hole, value)
        assert "{" not in target, target
        if path == "/api/v1/pairs":
            target += f"?find={site.email}"
        if path.endswith("/map/preview"):
            target += f"?record={site.pairs(1)[0][0]}"
        if path.endswith("/{profile}/test"):
            target += "?object=contact&item=deal"
        answer = site.api("GET", target)
        assert answer.status == 200, (target, answer.body)
        schema = content["application/json"]["schema"]
        assert schema.get("properties"), f"{path} is only an object"
        items = schema["properties"].get("items")
        assert not items or items["items"].get("properties"), f"{path} is only a list of objects"
        wrong += [f"{path} {m}" for m in misfits(schema, answer.json)]
        seen += 1
    assert seen >= 20
    assert not wrong, "\n".join(wrong[:60])


@pytest.mark.parametrize("method, target, body, status, name", [
    ("GET", "/api/v1/failures?bogus=1", None, 400, "bogus"),
    ("GET", "/api/v1/status?x=", None, 400, "x"),
    ("POST", "/api/v1/syncs", {"connection": "demo", "kin": "contact"}, 422, "kin"),
    ("POST", "/api/v1/connections", {"name": "n", "a": "desk", "b": "sf", "c": 1}, 422, "c"),
    ("POST", "/api/v1/connections/demo/pause", {"for": "1h"}, 422, "for"),
])
def test_what_is_not_known_is_refused(site, method, target, body, status, name):
    answer = site.api(method, target, body)
    assert answer.status == status and f'"{name}"' in answer.json["title"], answer
    assert "it knows:" in answer.json["hint"]
    assert site.list("connection", "list")[0]["state"] == "active"


def test_another_method_is_named(site):
    answer = site.api("DELETE", "/api/v1/status")
    assert answer.status == 405 and answer.headers["Allow"] == "GET", answer


JSON_COMMANDS = [["config", "explain", "every"], ["config", "sample"], ["config", "check"], ["config", "schema"]]


@pytest.mark.parametrize("command", JSON_COMMANDS, ids=lambda c: " ".join(c))
def test_json_everywhere(site, command):
    more = [site.daemon.ini] if command[1] == "check" else []
    done = site.run("--json", *command, *more, check=False)
    answer = json.loads(done.stdout)
    assert done.returncode == 0 and answer["items"] is not None and not done.stderr, done


@pytest.mark.parametrize("command", [["no-such"], ["status", "--bogus"], ["endpoint", "bogus"], ["endpoint", "show"],
                                     ["connection", "release", "demo"]], ids=" ".join)
def test_json_errors_are_problems(site, command):
    done = site.run(*command, "--json", check=False)
    problem = json.loads(done.stderr)
    assert done.returncode == 2 and problem["title"] and problem["code"] == "usage" and not done.stdout, done


def read_terminal(fd):
    """All that was printed there: it arrives in pieces, and ends with an error once nobody can print any more."""
    shown = b""
    try:
        while piece := os.read(fd, 65536):
            shown += piece
    except OSError:
        pass
    return shown


@pytest.mark.parametrize("environment, colored", [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False),
                                                  ({"NO_COLOR": ""}, True)])
def test_colour_on_a_terminal(site, environment, colored):
    ours, theirs = pty.openpty()
    base = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "TERM")}
    subprocess.run([rig.find_program(BUILD, "tieline"), "-S", site.daemon.socket, "endpoint", "list"], stdout=theirs,
                   check=True, env={**base, "TERM": "xterm", **environment})
    os.close(theirs)
    assert (b"\x1b[3" in read_terminal(ours)) == colored
    os.close(ours)
