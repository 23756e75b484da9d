"""Where requests, texts and commands are odd: encoded paths, texts that turn, many connections, nothing to do."""
import pathlib
import socket

import pytest
from systemlib import Site, wait_until

LIMIT = 3


@pytest.fixture(scope="module")
def site():
    with Site("--contacts", 20, "--accounts", 4, "--plan", "plain") as s:
        ini = pathlib.Path(s.daemon.ini)
        ini.write_text(ini.read_text().replace("[hooks]\n", f"[hooks]\nmax_per_address = {LIMIT}\n"))
        s.start()
        s.sign_in()
        s.connect("every=1s")
        s.first_sync()
        yield s


@pytest.mark.parametrize("path, status", [
    ("/api/v1/connections/demo", 200),
    ("/api/v1/connections/dem%6f", 200),
    ("/api/v1/connections/demo%00evil", 400),
    ("/api/v1/connections/demo%00", 400),
    ("/api/v1/links/demo/contact", 200),
    ("/api/v1/links/demo%2Fcontact", 404),
    ("/api/v1/connections/demo%256f", 404),
])
def test_encoded_paths(site, path, status):
    assert site.api("GET", path).status == status


def hook(site, path):
    with socket.create_connection(("127.0.0.1", site.daemon.hook_port), timeout=10) as s:
        s.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        return int(s.makefile("rb").readline().split()[1])


def test_encoded_paths_of_the_hook_listener(site):
    address = "/" + site.run("webhook", "url", "desk").stdout.strip().split("/", 3)[3]
    assert hook(site, address) == 200
    for odd in ("%00", "%00/zzz", "/", "%2f"):
        assert hook(site, address + odd) in (400, 404), odd


def test_connections_per_address(site):
    """One address has no more than it is given, and again as many when it has let go."""
    def opened():
        held = []
        for _ in range(LIMIT + 2):
            s = socket.create_connection(("127.0.0.1", site.daemon.hook_port), timeout=2)
            held.append(s)
        served = 0
        for s in held:
            try:
                s.sendall(b"GET /hooks/x/y HTTP/1.1\r\nHost: x\r\n\r\n")
                served += s.recv(12).startswith(b"HTTP/1.1")
            except OSError:
                pass
        for s in held:
            s.close()
        return served
    wait_until(lambda: opened() == LIMIT, 20, "the limit holds")
    wait_until(lambda: opened() == LIMIT, 20, "and is the same again")


def test_texts_that_turn_are_shown_as_numbers(site):
    """And what would end a line or command the terminal: no record writes lines of ours."""
    a, b, _ = site.pairs(1)[0]
    title = "safe\u202etxt.exe\u2066x\nhint: run this\u009b2J"
    site.sandbox.change("desk", "contacts", a, title=title)
    site.wait_title("salesforce", b, title)
    pair = site.list("pair", "find", a)[0]["pair"]
    shown = site.run("pair", "show", str(pair)).stdout
    assert "\u202e" not in shown and "\u2066" not in shown
    assert "\u009b" not in shown and not [w for w in shown.splitlines() if w.startswith("hint")]
    assert "safe\\u{202e}txt.exe\\u{2066}x\\u{a}hint: run this\\u{9b}2J" in shown
    site.sandbox.change("desk", "contacts", a, title="plain")
    site.wait_title("salesforce", b, "plain")


def test_quiet_prints_nothing(site):
    for args in (("link", "set", "demo", "contact", "policy=newest"),
                 ("map", "set", "demo", "contact", "x.twitter", "x.AssistantName")):
        done = site.run("-q", *args)
        assert done.stdout == "" and done.stderr == "", args
        assert site.run(*args).stdout + site.run(*args).stderr != ""


def test_nothing_to_prepare_needs_no_answer(site):
    done = site.run("endpoint", "prepare", "desk", check=False)
    assert done.returncode == 0 and "nobody can be asked" not in done.stderr


def test_a_bad_name_of_a_secret_is_a_mistake_of_usage(site):
    done = site.run("secret", "set", "bad name!", stdin="x\n", check=False)
    assert done.returncode == 2 and "letters" in done.stderr
