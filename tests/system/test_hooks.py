"""Webhooks of the desk beside polling: verified by the vendor's keys, stored once, and a hint that makes a change travel
long before the next poll. Polling is every hour here, so what arrives came by a hook.

proves: S1-22"""
import base64
import http.server
import json
import pathlib
import socket
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest
from systemlib import LONG, Site, wait_until


@pytest.fixture(scope="module")
def site():
    with Site("--contacts", 40, "--accounts", 8, "--plan", "plain") as s:
        s.start()
        s.sign_in()
        s.connect("every=1h", number=False)
        s.first_sync()
        wait_until(lambda: counters(s)["id"], 20, "the connector has subscribed")
        yield s


def counters(site):
    return next(w for w in site.list("webhook", "list") if w["endpoint"] == "desk")


def post(url, body=b"[]", headers=None, method="POST"):
    request = urllib.request.Request(url, data=body if method == "POST" else None, method=method, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status
    except urllib.error.HTTPError as e:
        return e.code


def url(site):
    return site.run("webhook", "url", "desk").stdout.strip()


def travels(site, title, nth=0):
    a, b, _ = site.pairs(1, skip=nth)[0]
    site.sandbox.change("desk", "contacts", a, title=title)
    site.wait_title("salesforce", b, title)
    return a, b


def test_a_change_comes_by_the_hook(site):
    before = counters(site)["accepted"]
    travels(site, "by the hook")
    after = counters(site)
    assert after["accepted"] > before and after["last_received"]


def test_a_duplicate_is_dropped(site):
    before = counters(site)
    site.sandbox.fault("hook-duplicate", twin="desk", times=1)
    a, b = travels(site, "told twice", 1)
    wait_until(lambda: counters(site)["duplicates"] > before["duplicates"], 20, "the repetition is seen")
    site.sandbox.control("DELETE", "/faults")
    assert [r["Title"] for r in site.salesforce().values() if r["Id"] == b] == ["told twice"]


def test_hooks_out_of_order(site):
    site.sandbox.fault("hook-reorder", twin="desk", times=1)
    (a, b, _), (a2, b2, _) = site.pairs(2, skip=2)
    site.sandbox.change("desk", "contacts", a, title="first, told second")
    site.sandbox.change("desk", "contacts", a2, title="second, told first")
    site.wait_title("salesforce", b2, "second, told first")
    site.wait_title("salesforce", b, "first, told second")
    site.sandbox.control("DELETE", "/faults")


def test_a_forged_signature_is_refused(site):
    """The vendor's words with a signature of somebody else: 403, counted, nothing read because of it."""
    before = counters(site)
    site.sandbox.fault("hook-bad-signature", twin="desk", times=1)
    a, b, _ = site.pairs(1, skip=4)[0]
    site.sandbox.change("desk", "contacts", a, title="forged")
    wait_until(lambda: counters(site)["refused"] > before["refused"], 20, "the refusal is counted")
    site.sandbox.control("DELETE", "/faults")
    assert counters(site)["accepted"] == before["accepted"]
    assert site.salesforce()[b]["Title"] != "forged"
    travels(site, "after the forgery", 4)


def part(data):
    return base64.urlsafe_b64encode(json.dumps(data).encode()).rstrip(b"=").decode()


@pytest.mark.parametrize("token", [
    None, "", "x", "a.b.c",
    part({"alg": "none", "typ": "JWT"}) + "." + part({"aud": "x", "exp": 9999999999}) + ".",
    part({"alg": "HS256", "typ": "JWT"}) + "." + part({"exp": 9999999999}) + ".c2ln",
])
def test_requests_without_a_signature(site, token):
    refused = counters(site)["refused"]
    headers = {"Content-Type": "application/json"}
    if token is not None:
        headers["X-ZDesk-JWT"] = token
    status = post(url(site), b'[{"eventType":"Contact_Update","payload":{"id":"1"}}]', headers)
    assert status in (401, 403)
    assert counters(site)["refused"] == refused + 1


def test_other_paths_and_verbs(site):
    base = url(site)
    root = base.split("/hooks/")[0]
    assert post(base[:-1] + ("a" if base[-1] != "a" else "b")) == 404
    for path in ("/", "/hooks/", "/hooks/desk", "/hooks/sf/x", "/api/v1/status", "/metrics", "/hooks/desk/x/y", "/hooks/none/x"):
        assert post(root + path) == 404, path
    assert post(base, method="DELETE") == 405
    assert post(base, method="GET") == 200  # the vendor verifies an address so before it posts to it


def test_a_body_too_large(site):
    try:
        assert post(url(site), b"[" + b" " * (2 << 20) + b"]") == 413
    except (ConnectionError, urllib.error.URLError):
        pass  # refused before all of it was sent
    travels(site, "after the large one", 5)


def test_silent_connections_make_room(site):
    """More than the listener takes in all, that say nothing or stop in the middle of a body: a delivery is taken all the
    same, long before any of them is late."""
    address = ("127.0.0.1", site.daemon.hook_port)
    path = urllib.parse.urlsplit(url(site)).path
    silent = []
    for n in range(400):
        s = socket.create_connection(address, timeout=20)
        if n % 2:
            s.sendall(f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n[".encode())
        silent.append(s)
    try:
        assert post(url(site)) in (401, 403)
        travels(site, "beside the silent", 6)
    finally:
        for s in silent:
            s.close()


def test_list_url_and_test(site):
    assert url(site).startswith(f"http://127.0.0.1:{site.daemon.hook_port}/hooks/desk/")
    done = site.run("webhook", "test", "desk")
    assert done.returncode == 0
    assert site.run("webhook", "url", "nobody", check=False).returncode == 4
    assert site.run("webhook", "url", "sf", check=False).returncode == 4  # its connector takes none


class Stranger(http.server.BaseHTTPRequestHandler):
    """Some other server at the public address, friendly to everybody."""
    def do_GET(self):  # noqa: N802
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"ok\n")

    def log_message(self, *_):
        pass


def test_an_address_of_somebody_else():
    stranger = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Stranger)
    threading.Thread(target=stranger.serve_forever, daemon=True).start()
    with Site("--contacts", 5, "--accounts", 2) as site:
        ini = pathlib.Path(site.daemon.ini)
        ini.write_text(ini.read_text().replace(f"public_url = http://127.0.0.1:{site.daemon.hook_port}",
                                               f"public_url = http://127.0.0.1:{stranger.server_port}"))
        site.start()
        site.wait_running("desk")
        done = site.run("webhook", "test", "desk", check=False)
        assert done.returncode == 1 and "did not arrive here" in done.stdout
    stranger.shutdown()


def test_hooks_survive_a_restart(site):
    before = url(site)
    site.restart()
    site.wait_running()
    assert url(site) == before
    travels(site, "after a restart", 6)


def test_without_a_public_address_nothing_is_subscribed():
    """`webhook url` still prints what to enter; the vendor is not asked to call anything."""
    with Site("--contacts", 5, "--accounts", 2, hooks=False) as site:
        site.start()
        site.sign_in()
        assert not any("webhook" in c["target"] and c["method"] == "POST" for c in
                       site.sandbox.control("GET", "/calls?twin=desk"))
        assert "/hooks/desk/" in site.run("webhook", "url", "desk").stdout


def test_a_body_that_is_announced_too_large(site):
    """413 before any of it is taken in; the vendor's own deliveries go on."""
    with socket.create_connection(("127.0.0.1", site.daemon.hook_port), timeout=20) as c:
        path = urllib.parse.urlsplit(url(site)).path
        c.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n".encode())
        assert c.recv(100).startswith(b"HTTP/1.1 413")
    travels(site, "after a large one", 7)


def test_a_body_that_drips(site):
    """A byte a second keeps no connection for ever: it is cut 30 s after its request began."""
    if not LONG:
        pytest.skip("takes 30 s; TIELINE_TEST_LONG=1")
    with socket.create_connection(("127.0.0.1", site.daemon.hook_port), timeout=5) as c:
        path = urllib.parse.urlsplit(url(site)).path
        c.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n".encode())
        began = time.monotonic()
        with pytest.raises(OSError):
            while time.monotonic() < began + 60:
                c.sendall(b"x")
                time.sleep(1)
        assert 25 < time.monotonic() - began < 45
