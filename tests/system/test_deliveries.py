"""Deliveries as telephony sends them: by any method, with everything in the query, the same words twice, many at once. The
connector is one that declares this and verifies by the secret in the address.

proves: S1-22"""
import concurrent.futures
import http.client
import pathlib
import shutil
import urllib.parse

import pytest
from systemlib import BUILD, Site, wait_until

SENDERS, EACH = 40, 25  # more senders than the listener has threads


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    directory = tmp_path_factory.mktemp("connectors")
    for so in (f"{BUILD}/connectors/desk.so", f"{BUILD}/connectors/salesforce.so",
               f"{BUILD}/tests/unit/connector/fixtures/echo.so"):
        shutil.copy(so, directory)
    with Site("--contacts", 5, "--accounts", 2) as s:
        ini = pathlib.Path(s.daemon.ini)
        text = ini.read_text().replace(f"{BUILD}/connectors", str(directory)).replace("enable = ", "enable = echo, ")
        ini.write_text(text + "\n[endpoint phone]\nconnector = echo\n")
        s.start()
        s.wait_running("echo")
        yield s


def counters(site):
    return next(w for w in site.list("webhook", "list") if w["endpoint"] == "phone")


def address(site):
    return urllib.parse.urlsplit(site.run("webhook", "url", "phone").stdout.strip())


def send(connection, method, target, body=None):
    connection.request(method, target, body=body)
    answer = connection.getresponse()
    answer.read()
    return answer.status


@pytest.mark.parametrize("method, status", [("GET", 200), ("PUT", 200), ("POST", 200), ("DELETE", 405), ("HEAD", 405)])
def test_methods(site, method, status):
    url, before = address(site), counters(site)
    connection = http.client.HTTPConnection(url.netloc, timeout=20)
    target = f"{url.path}?caller=380987392588&call_id=7"
    assert [send(connection, method, target) for _ in range(2)] == [status] * 2
    after = counters(site)
    assert after["accepted"] - before["accepted"] == (2 if status == 200 else 0)
    assert after["duplicates"] == before["duplicates"]
    assert send(connection, method, url.path[:-1] + "?") == 404


def test_many_at_once(site):
    """Every sender waits for its own answer alone, whatever the others do; each delivery counts, none is lost."""
    url, before = address(site), counters(site)

    def sender(n):
        connection = http.client.HTTPConnection(url.netloc, timeout=60)
        return [send(connection, "POST", f"{url.path}?n={n}", f"call {i}".encode()) for i in range(EACH)]

    with concurrent.futures.ThreadPoolExecutor(SENDERS) as pool:
        answers = [status for list_of in pool.map(sender, range(SENDERS)) for status in list_of]
    assert answers == [200] * (SENDERS * EACH)
    after = counters(site)
    assert after["accepted"] - before["accepted"] == SENDERS * EACH
    assert after["duplicates"] == before["duplicates"]


def test_a_daemon_that_ends_answers_first(site):
    """What was sent when it was told to stop is answered, and what was answered is there after the start."""
    url, before = address(site), counters(site)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        def sender(n):
            taken = 0
            try:
                connection = http.client.HTTPConnection(url.netloc, timeout=60)
                for i in range(500):
                    taken += send(connection, "GET", f"{url.path}?n={n}&i={i}") == 200
            except (OSError, http.client.HTTPException):
                pass  # it is gone
            return taken
        senders = [pool.submit(sender, n) for n in range(8)]
        wait_until(lambda: counters(site)["accepted"] > before["accepted"] + 20, 20, "some are taken")
        site.restart()
        taken = sum(s.result() for s in senders)
    site.wait_running("echo")
    assert counters(site)["accepted"] - before["accepted"] >= taken
