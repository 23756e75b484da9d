"""The REST API over its socket: the document it serves describes what it answers; what is wrong is refused in words."""
import contextlib
import json
import os
import shutil
import socket
import subprocess

import pytest
from systemlib import BUILD, Site, rig

TYPES = {"object": dict, "array": list, "string": str, "integer": int, "number": (int, float), "boolean": bool,
         "null": type(None)}


def check(value, schema, where="answer"):
    """Problems of a value under the subset of JSON Schema that the document uses."""
    kinds = schema.get("type")
    kinds = [kinds] if isinstance(kinds, str) else kinds or list(TYPES)
    fits = [k for k in kinds if isinstance(value, TYPES[k]) and not (k != "boolean" and isinstance(value, bool))]
    if not fits:
        return [f"{where}: {value!r} is no {' or '.join(kinds)}"]
    found = []
    if isinstance(value, dict):
        found += [f"{where}: {name} is missing" for name in schema.get("required", []) if name not in value]
        for name, inner in schema.get("properties", {}).items():
            if name in value:
                found += check(value[name], inner, f"{where}.{name}")
    if isinstance(value, list):
        for i, item in enumerate(value):
            found += check(item, schema.get("items", {}), f"{where}[{i}]")
    if isinstance(value, str) and schema.get("format") == "date-time":
        if not value.endswith("Z") or "T" not in value:
            found.append(f"{where}: {value!r} is no time")
    return found


@pytest.fixture(scope="module")
def site():
    with Site("--contacts", 80, "--accounts", 16) as s:
        s.start()
        s.sign_in()
        s.connect("every=1h")
        s.first_sync()
        s.document = s.api("GET", "/api/v1/openapi.json").json
        yield s


def filled(site, path):
    values = {"connection": "demo", "kind": "contact"}
    if "/connectors/" in path:
        values["name"] = "desk"
    elif "/endpoints/" in path:
        values["name"] = "desk"
    elif "/failures/" in path:
        values["id"] = site.list("failure", "list")[0]["id"]
    elif "/pairs/" in path:
        values["id"] = 1
    for name, value in values.items():
        path = path.replace("{" + name + "}", str(value))
    return path


def operations(document):
    return [(method.upper(), path, o) for path, item in document["paths"].items() for method, o in item.items()]


def test_the_document(site):
    assert site.document["openapi"].startswith("3.1")
    assert len(operations(site.document)) > 40
    for method, path, operation in operations(site.document):
        assert operation["summary"] and operation["responses"], path
        named = {p["name"] for p in operation["parameters"] if p["in"] == "path"}
        assert named == {part[1:-1] for part in path.split("/") if part.startswith("{")}, path


def test_every_get_answers_by_its_schema(site):
    """proves: S1-37"""
    seen = 0
    for method, path, operation in operations(site.document):
        if method != "GET" or path == "/api/v1/events":
            continue
        if path.startswith("/api/v1/plans"):
            continue  # there is none here; see test_preview.py
        if "/{profile}" in path or "{act}" in path or "/context/" in path:
            continue  # likewise; see test_openapi.py, test_profiles.py, test_acts.py, test_context.py
        target = filled(site, path)
        needs = {"/api/v1/pairs": "find", "map/preview": "record"}
        for end, name in needs.items():
            if path.endswith(end):
                target += f"?{name}=" + site.pairs(1)[0][0]
        answer = site.api("GET", target)
        assert answer.status == 200, (target, answer.body)
        [(kind, content)] = operation["responses"]["2XX"]["content"].items()
        assert answer.type.split(";")[0] == kind, target
        if kind == "application/json":
            assert check(answer.json, content["schema"], target) == []
            assert answer.headers["ETag"].startswith('"')
        seen += 1
    assert seen > 20


def test_the_validator_can_fail():
    schema = {"type": "object", "required": ["a"], "properties": {"a": {"type": ["integer", "null"]},
                                                                  "b": {"type": "array", "items": {"type": "string"}}}}
    assert check({"a": None, "b": ["x"]}, schema) == []
    assert len(check({"a": True, "b": [1]}, schema)) == 2 and check({}, schema) and check([], schema)


@pytest.mark.parametrize("method, target, body, status", [
    ("GET", "/api/v1/nothing", None, 404),
    ("GET", "/", None, 404),
    ("GET", "/api/v1/../../etc/passwd", None, 404),
    ("GET", "/api/v1/pairs/zz", None, 404),
    ("GET", "/api/v1/pairs/99999999", None, 404),
    ("GET", "/api/v1/connections/none", None, 404),
    ("GET", "/api/v1/connectors/none", None, 404),
    ("PATCH", "/api/v1/status", {}, 405),
    ("DELETE", "/api/v1/openapi.json", None, 405),
    ("POST", "/api/v1/connections/demo/pause?dry_run=true", {}, 400),
    ("POST", "/api/v1/connections", {"name": "x"}, 400),
    ("POST", "/api/v1/connections", {"name": "demo", "a": "desk", "b": "sf"}, 409),
    ("POST", "/api/v1/connections", {"name": "x", "a": "desk", "b": "nobody"}, 404),
    ("GET", "/api/v1/runs?days=many", None, 400),
])
def test_problems(site, method, target, body, status):
    answer = site.api(method, target, body)
    assert answer.status == status, answer.body
    assert answer.type == "application/problem+json"
    problem = answer.json
    assert problem["status"] == status and problem["code"] and problem["title"]
    assert check(problem, site.document["paths"]["/api/v1/status"]["get"]["responses"]["default"]["content"]
                 ["application/problem+json"]["schema"]) == []


@pytest.mark.parametrize("raw", [b"{", b"[]", b'"x"', b'{"a":1,"a":2}', b"\xff\xfe", b'{"name":"\xc3("}'])
def test_bodies_that_are_no_object(site, raw):
    answer = site.api("POST", "/api/v1/connections", raw=raw)
    assert answer.status == 400 and answer.json["code"], answer.body
    assert [c["name"] for c in site.list("connection", "list")] == ["demo"]


def test_a_body_too_large(site):
    """Refused from its announced length, before it is sent."""
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as s:
        s.settimeout(30)
        s.connect(str(site.daemon.socket))
        s.sendall(b"POST /api/v1/connections HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                  b"Content-Length: 2097152\r\n\r\n")
        assert s.recv(4096).startswith(b"HTTP/1.1 413 ")


def test_reading_on_is_no_change_of_settings(site):
    """What a link has read up to moves with every look; its ETag does not, or no change would ever get through."""
    target = "/api/v1/links/demo/contact"
    before = site.api("GET", target)
    site.run("sync", "start", "demo")
    rig.wait_until(lambda: site.api("GET", target).json["reading"] != before.json["reading"], 30, "it is read on")
    after = site.api("GET", target)
    assert after.headers["ETag"] == before.headers["ETag"]


def test_a_change_needs_the_etag(site):
    """428 without If-Match, 412 with an old one, 200 with the right one."""
    target = "/api/v1/links/demo/contact"
    assert site.api("PATCH", target, {"every": "2h"}).status == 428
    etag = site.api("GET", target).headers["ETag"]
    change = {"every": "2h"}
    done = site.api("PATCH", target, change, {"If-Match": etag})
    assert done.status == 200, done.body
    old = site.api("PATCH", target, {"every": "3h"}, {"If-Match": etag})
    assert old.status == 412 and old.json["hint"], old.body
    assert site.list("link", "show", "demo", "contact")[0]["every_seconds"] == 7200


def test_a_dry_run_changes_nothing(site):
    etag = site.api("GET", "/api/v1/connections/demo").headers["ETag"]
    shown = site.api("DELETE", "/api/v1/connections/demo?dry_run=true", headers={"If-Match": etag})
    assert shown.status == 200, shown.body
    assert site.api("GET", "/api/v1/connections/demo").status == 200
    assert site.list("pair", "find", site.pairs(1)[0][2])


def raw_request(site, data):
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(20)
        s.connect(site.daemon.socket)
        try:
            s.sendall(data)
            s.shutdown(socket.SHUT_WR)
            got = b""
            while chunk := s.recv(65536):
                got += chunk
        except (BrokenPipeError, ConnectionResetError):
            return b""
    return got


GOOD = b"GET /-/healthy HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"


@pytest.mark.parametrize("data", [
    b"GET /-/healthy HTTP/1.1\r\n\r\n",
    b"GET /-/healthy HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    b"G(T /-/healthy HTTP/1.1\r\nHost: a\r\n\r\n",
    GOOD + b"Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde",
    GOOD + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    GOOD + b"Transfer-Encoding: gzip\r\n\r\n",
    GOOD + b"Content-Length: -1\r\n\r\n",
    GOOD + b"Content-Length: 1e3\r\n\r\n",
    GOOD + b"X: \x01\r\n\r\n",
    GOOD + b"Bad Name: x\r\n\r\n",
    GOOD + b"X: " + b"y" * 20000 + b"\r\n\r\n",
    GOOD + b"".join(b"X-%d: y\r\n" % i for i in range(300)) + b"\r\n",
    b"GET /-/healthy HTTP/9.9\r\nHost: x\r\n\r\n",
    b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03",
    b"nonsense\r\n\r\n",
])
def test_malformed_requests_are_refused(site, data):
    got = raw_request(site, data)
    assert not got.startswith(b"HTTP/1.1 2"), got
    if got:
        assert got.split(b" ", 2)[1][:1] in (b"4", b"5"), got
    assert raw_request(site, GOOD + b"\r\n").startswith(b"HTTP/1.1 200")


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("setpriv"), reason="another user needs root and setpriv")
def test_another_user_is_refused(site):
    """The socket answers root, the daemon's user and its group alone."""
    assert oct(os.stat(site.daemon.socket).st_mode & 0o007) == "0o0"
    for path in (site.daemon.directory, site.daemon.socket):
        os.chmod(path, 0o777)  # whoever gets as far as the socket is still asked who they are
    try:
        done = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", rig.find_program(BUILD, "tieline"),
                               "-S", site.daemon.socket, "--json", "status"], capture_output=True, text=True, timeout=30)
        if "No such file" in done.stderr or "Permission denied" in done.stderr:
            pytest.skip("the build directory is closed to others")
        assert done.returncode == 5, done
        assert json.loads(done.stderr)["status"] == 403
    finally:
        os.chmod(site.daemon.directory, 0o700)
        os.chmod(site.daemon.socket, 0o660)


def test_exit_codes_of_the_command(site):
    """The command line's exit codes as its help states them."""
    assert site.run("status", check=False).returncode in (0, 8)
    assert site.run("stauts", check=False).returncode == 2
    assert site.run("connection", "show", "none", check=False).returncode == 4
    assert site.run("connection", "create", "demo", "--a", "desk", "--b", "sf", check=False).returncode == 6
    gone = subprocess.run([rig.find_program(BUILD, "tieline"), "-S", "/nonexistent.sock", "status"], capture_output=True,
                          text=True, timeout=30)
    assert gone.returncode == 3 and "/nonexistent.sock" in gone.stderr
