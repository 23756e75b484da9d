"""Secrets stay sealed: after a first sync, errors, hooks and a sign-in that failed, none of them stands in the database, a
log at its most talkative, an answer of the API, the arguments or the environment of a process, and no core is ever dumped.
Q23"""
import os
import pathlib
import signal
import subprocess

import pytest
from systemlib import BUILD, Site, rig, wait_until

CLEAR_PATHS = ["status", "config", "connectors", "connectors/desk", "connectors/salesforce", "endpoints", "endpoints/desk",
               "endpoints/sf", "connections", "links", "syncs", "runs", "failures", "webhooks", "secrets", "openapi.json"]


@pytest.fixture(scope="module")
def site():
    with Site("--contacts", 60, "--accounts", 12, extra="[log]\nlevel = debug\n") as s:
        s.start()
        s.sign_in()
        s.connect("every=1s")
        s.first_sync()
        s.answers = provoke(s)
        yield s


def canaries(site):
    """What must never be seen: name -> value."""
    keys = site.sandbox.at["credentials"]
    found = {"client secret of the desk": keys["zoho"]["client_secret"], "refresh token": keys["zoho"]["refresh_token"],
             "consumer secret": keys["salesforce"]["client_secret"]}
    log = site.sandbox.control("GET", "/calls?twin=desk")
    assert log
    return found


def provoke(site):
    """Error texts of every kind: a token that is refused, a wrong secret, garbage as an answer, a bad request."""
    texts = []
    site.sandbox.fault("expire-token", twin="desk", times=1)
    site.sandbox.fault("html", twin="salesforce", times=2)
    for endpoint in ("desk", "sf"):
        for command in (("endpoint", "check"), ("endpoint", "auth"), ("endpoint", "fields")):
            done = site.run(*command, endpoint, check=False)
            texts.append(done.stdout + done.stderr)
    site.sandbox.control("DELETE", "/faults")
    done = site.run("--json", "config", "show")
    texts.append(done.stdout)
    done = subprocess.run([rig.find_program(BUILD, "tielined"), "-T", "-c", site.daemon.ini], capture_output=True, text=True,
                          timeout=60)
    texts.append(done.stdout + done.stderr)
    for path in CLEAR_PATHS:
        texts.append(site.api("GET", "/api/v1/" + path).body.decode())
    texts.append(site.api("GET", "/metrics").body.decode())
    texts.append(site.api("GET", "/api/v1/secrets/zoho_client").body.decode())
    return texts


def assert_clean(site, where, data):
    for name, value in canaries(site).items():
        for form in (value.encode(), value[4:30].encode(), value.encode("utf-16-le")):
            assert form not in data, f"{name} stands in {where}"


def test_the_scan_can_find(site):
    """The canaries are what was sent: the vendor accepted them, and the INI's own files hold references only."""
    assert site.list("endpoint", "show", "desk")[0]["auth"]["state"] == "ok"
    with pytest.raises(AssertionError):
        assert_clean(site, "itself", canaries(site)["refresh token"].encode())


def test_files(site):
    """The database, its write-ahead log, staged files, the log at level debug."""
    assert "debug" in site.log()
    files = [p for p in pathlib.Path(site.daemon.directory).rglob("*") if p.is_file()]
    assert any(p.name == "tieline.db" for p in files) and any(p.name.endswith("-wal") for p in files)
    for p in files:
        assert_clean(site, p.name, p.read_bytes())
    for p in (site.database, pathlib.Path(site.daemon.key)):
        assert p.stat().st_mode & 0o077 == 0, p


def test_answers_and_error_texts(site):
    assert len(site.answers) > 20
    for text in site.answers:
        assert_clean(site, text[:80], text.encode())
    assert "zoho_client" in "".join(site.answers)


def test_arguments_and_environment(site):
    pids = [site.daemon.process.pid] + site.daemon.workers()
    assert len(pids) >= 3
    for pid in pids:
        for name in ("cmdline", "environ"):
            try:
                data = pathlib.Path(f"/proc/{pid}/{name}").read_bytes()
            except PermissionError:
                assert os.geteuid() != 0  # the daemon is not dumpable: only root may look
                continue
            assert_clean(site, f"{name} of {pid}", data)


def test_no_core_is_dumped(site):
    """Neither daemon nor worker may leave its memory behind: both limits are none, also for what the daemon starts."""
    for pid in [site.daemon.process.pid] + site.daemon.workers():
        limits = pathlib.Path(f"/proc/{pid}/limits").read_text(encoding="ascii")
        [core] = [line.split()[4:6] for line in limits.splitlines() if line.startswith("Max core file size")]
        assert core == ["0", "0"], pid
    before = site.daemon.workers()
    os.kill(before[0], signal.SIGABRT)
    wait_until(lambda: before[0] not in site.daemon.workers() and len(site.daemon.workers()) == len(before) and
               {c["state"] for c in site.list("connector", "list")} == {"running"}, 30, "the connector runs again")
    for p in pathlib.Path(site.daemon.directory).rglob("*"):
        assert not p.name.startswith("core"), p


def memory_holds(pid, value):
    with open(f"/proc/{pid}/maps", encoding="ascii") as maps, open(f"/proc/{pid}/mem", "rb", 0) as mem:
        for line in maps:
            span, mode = line.split()[:2]
            if "w" not in mode:
                continue
            first, last = (int(x, 16) for x in span.split("-"))
            try:
                mem.seek(first)
                if value in mem.read(last - first):
                    return True
            except (OSError, ValueError, OverflowError):
                continue
    return False


@pytest.mark.skipif(os.geteuid() != 0, reason="reading a process's memory needs root")
def test_connector_memory(site):
    """No secret enters the process of a connector."""
    for pid in site.daemon.workers():
        for name, value in canaries(site).items():
            try:
                assert not memory_holds(pid, value.encode()), f"{name} is in the memory of a worker"
            except PermissionError:
                pytest.skip("this machine does not let root read the memory of a process")
