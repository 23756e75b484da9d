"""Bad days: each ends in one clear message with what to do, nothing half-applied, and the rest keeps running.

proves: S1-43 S1-50"""
import contextlib
import os
import pathlib
import shutil
import signal
import socket
import subprocess

import pytest
from systemlib import BUILD, KINDS, LONG, Site, rig, wait_until

ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
SMALL = ("--contacts", 60, "--accounts", 12)


def end_of(site, timeout=20):
    """Starts the daemon, which is expected to end; (exit code, what it said)."""
    site.daemon.start(wait=False)
    code = site.daemon.process.wait(timeout)
    site.daemon.log.close()
    return code, site.log()


@pytest.fixture(scope="module")
def site():
    """In step; tests set faults, change records and wait until both sides are in step again."""
    with Site("--contacts", 80, "--accounts", 16) as s:
        s.start()
        s.sign_in()
        s.connect("every=1s")
        s.first_sync()
        yield s


@pytest.fixture(autouse=True)
def clean_up(request):
    yield
    if "site" in request.fixturenames:
        s = request.getfixturevalue("site")
        s.sandbox.control("DELETE", "/faults")


def both_ways(site, title, nth=0, during=None, timeout=60):
    """A change on each side; `during` is called before they may arrive."""
    (a1, b1, _), (a2, b2, _) = site.pairs(2, skip=nth)
    site.sandbox.change("desk", "contacts", a1, title=title)
    site.sandbox.change("salesforce", "Contact", b2, Title=title)
    if during:
        during()
    site.wait_title("salesforce", b1, title, timeout)
    site.wait_title("desk", a2, title, timeout)


# ---- the vendor ----


def test_vendor_down_at_start():
    """The daemon starts, says which vendor cannot be reached, and signs in when it can."""
    with Site(*SMALL) as s:
        ini = pathlib.Path(s.daemon.ini)
        right, port = ini.read_text(), rig.free_port()
        ini.write_text(right.replace(s.sandbox.at["login"], f"http://127.0.0.1:{port}")
                       .replace(s.sandbox.at["salesforce"], f"http://127.0.0.1:{port}"))
        s.start()
        s.daemon.set_secrets()
        s.wait_running()
        done = s.run("endpoint", "check", "sf", check=False)
        assert done.returncode == 10 and f"127.0.0.1 port {port}" in done.stderr, done
        assert s.run("endpoint", "check", "desk").returncode == 0
        assert s.run("status", check=False).returncode in (0, 3)
        with socket.socket() as s2:  # now something answers there that is no vendor at all
            s2.bind(("127.0.0.1", port))
            assert s.run("endpoint", "check", "sf", check=False).returncode == 10
        ini.write_text(right)
        s.restart()
        s.wait_running()
        assert s.run("endpoint", "check", "sf").returncode == 0


def test_vendor_away_for_a_while(site):
    """Every call of one vendor fails for a while: edits wait, nothing is lost, the other vendor is still read."""
    site.sandbox.fault("drop-before", twin="salesforce")
    both_ways(site, "after the outage", during=lambda: (
        wait_until(lambda: hits(site) > 5, 30, "calls fail"), site.sandbox.control("DELETE", "/faults")))


def hits(site):
    return sum(f["hits"] for f in faults(site))


def faults(site):
    found = site.sandbox.control("GET", "/faults")
    return found if isinstance(found, list) else found["faults"]


STORMS = ["429", "503-json", "503-html", "503-empty", "500", "502", "html", "truncate"]


SHORT = [("desk", "429"), ("desk", "503-html"), ("desk", "html"), ("desk", "truncate"), ("salesforce", "503-json"),
         ("salesforce", "html"), ("salesforce", "truncate")]


@pytest.mark.parametrize("twin, name", [(t, n) for t in ("desk", "salesforce") for n in STORMS] if LONG else SHORT)
def test_storms(site, twin, name):
    """A storm of refusals and garbage: afterwards both edits have arrived once and nothing else was touched. In the short
    form reads alone are hit: a write without an answer is looked for during two minutes before it is sent again."""
    before = len(site.desk()), len(site.salesforce())
    retry = {"retry_after": 1} if name == "429" else {}
    site.sandbox.fault(name, twin=twin, times=8 if LONG else 2, method="" if LONG else "GET", **retry)
    both_ways(site, f"{name} {twin}", nth=2, timeout=400 if LONG else 60)
    assert (len(site.desk()), len(site.salesforce())) == before
    assert site.sandbox.violations()["violations"] == []


@pytest.mark.parametrize("twin", ["desk", "salesforce"])
def test_lost_answer_after_an_applied_create(site, twin):
    """The record was made, its answer was lost: found again, never made twice."""
    other = "salesforce" if twin == "desk" else "desk"
    email = f"lost.answer.{twin}@mail.example"
    path = "/api/v1/contacts" if twin == "desk" else "/services/data/*"
    for method in ("POST", "PATCH"):
        site.sandbox.fault("drop-after", twin=twin, method=method, path=path, times=1)
    if other == "desk":
        site.sandbox.create("desk", "contacts", {"lastName": "Lost", "email": email})
        made = lambda: [r for r in site.salesforce().values() if r["Email"] == email]
    else:
        site.sandbox.create("salesforce", "Contact", {"LastName": "Lost", "Email": email})
        made = lambda: [r for r in site.desk().values() if r["email"] == email]
    wait_until(made, 40, "the record is there")
    wait_until(lambda: any(p["a_id"] and p["b_id"] and p["status"] == "ok" for p in site.list("pair", "find", email)), 40,
               "its pair is complete")
    assert hits(site) > 0
    assert len(made()) == 1 and site.sandbox.violations()["violations"] == []


def test_an_unusable_value_fails_its_record_alone(site):
    """One record of a page has an object where a text belongs: it is reported, the rest of the page is read, and the report
    ends when the record was corrected."""
    site.sandbox.fault("bad-value", twin="desk", times=3)
    both_ways(site, "beside a bad value", nth=6)
    bad = lambda: [f for f in site.list("failure", "list") if f["code"] == "BAD_RECORD"]
    wait_until(lambda: bad() and hits(site) == 3, 20, "it is reported")
    for f in bad():
        assert "object where text is expected" in f["detail"] and f["hint"], f
        site.sandbox.change("desk", KINDS[f["kind"]], f["record"], description="as it should be")
    wait_until(lambda: not bad(), 30, "the report ends")


def test_a_record_that_is_fine_again_without_a_change(site):
    """A glitch of the vendor: the record is read again as it always was, and the report ends by itself."""
    bad = lambda: [f for f in site.list("failure", "list") if f["code"] == "BAD_RECORD"]
    site.sandbox.fault("bad-value", twin="desk", times=2)
    both_ways(site, "beside a glitch", nth=8)
    wait_until(lambda: bad() and hits(site) == 2, 20, "it is reported")
    site.sandbox.control("DELETE", "/faults")
    site.run("sync", "start", "demo")
    wait_until(lambda: not bad(), 30, "the report ends")


def test_revoked_token(site):
    """The vendor took the sign-in back: said in words with what to do; with a new token it catches up."""
    keys = site.sandbox.at["credentials"]["zoho"]
    body = f"token={keys['refresh_token']}".encode()
    revoke = rig.urllib.request.Request(site.sandbox.at["accounts"] + "/oauth/v2/token/revoke", data=body, method="POST")
    rig.urllib.request.urlopen(revoke, timeout=20).read()
    site.sandbox.fault("expire-token", twin="desk", times=50)
    state = lambda: site.list("endpoint", "show", "desk")[0]["auth"]
    wait_until(lambda: state()["state"] != "ok", 30, "the sign-in is known to be gone")
    assert state()["words"], state()
    done = site.run("endpoint", "check", "desk", check=False)
    assert done.returncode == 9 and done.stderr, done
    assert "endpoint auth desk" in done.stderr or "secret set" in done.stderr, done
    a, b, _ = site.pairs(1, skip=8)[0]
    site.sandbox.change("salesforce", "Contact", b, Title="while signed out")
    site.sandbox.control("DELETE", "/faults")
    token = site.sandbox.control("POST", "/accounts/refresh", {})["refresh_token"]
    site.run("secret", "set", "zoho_refresh", stdin=token)
    wait_until(lambda: state()["state"] == "ok", 30, "signed in again")
    site.wait_title("desk", a, "while signed out", 150)  # a write that the sign-in cut is looked for first


def test_after_the_storms_both_sides_are_equal(site):
    site.wait_equal(60)


# ---- workers ----


@pytest.mark.parametrize("nth", range(2))
def test_worker_killed(site, nth):
    """The worker of a connector dies in the middle: the host starts another and goes on."""
    before = {c["name"]: c for c in site.list("connector", "list")}
    for c in before.values():
        os.kill(c["pid"], signal.SIGKILL)
    both_ways(site, f"worker killed {nth}", nth=10 + 2 * nth)
    after = {c["name"]: c for c in site.list("connector", "list")}
    assert all(after[n]["pid"] != before[n]["pid"] and after[n]["crashes"] > before[n]["crashes"] for n in after)
    assert site.sandbox.violations()["violations"] == []


def test_worker_killed_in_a_first_sync():
    with Site("--contacts", 150, "--accounts", 30) as s:
        s.sandbox.control("POST", "/desk/switches", {"latency_ms": 5})
        s.start()
        s.sign_in()
        s.connect("every=1s")
        s.run("sync", "start", "demo", "--no-wait")
        for name in ("desk", "salesforce"):
            wait_until(lambda: any(link["phase"] != "new" for link in s.links()), 20, "it has begun")
            os.kill(s.list("connector", "show", name)[0]["pid"], signal.SIGKILL)
        wait_until(s.quiet, 90, "the first sync ends")
        s.wait_equal()


# ---- the machine ----


def test_second_daemon_on_the_same_state(site):
    """Refused in words; the first goes on."""
    ini = pathlib.Path(site.scratch) / "second.ini"
    ini.write_text(pathlib.Path(site.daemon.ini).read_text().replace("api.sock", "second.sock")
                   .replace(str(site.daemon.hook_port), str(rig.free_port())))
    done = subprocess.run([rig.find_program(BUILD, "tielined"), "-c", ini], capture_output=True, text=True, timeout=20)
    assert done.returncode != 0 and str(site.database.parent) in done.stderr, done
    assert site.run("status", check=False).returncode in (0, 3)


def test_second_daemon_on_the_same_socket(site, tmp_path):
    ini = tmp_path / "second.ini"
    ini.write_text(pathlib.Path(site.daemon.ini).read_text().replace(f"{site.daemon.directory}/state", f"{tmp_path}/state")
                   .replace(str(site.daemon.hook_port), str(rig.free_port())))
    done = subprocess.run([rig.find_program(BUILD, "tielined"), "-c", ini], capture_output=True, text=True, timeout=20)
    assert done.returncode != 0 and site.daemon.socket in done.stderr, done
    assert site.run("status", check=False).returncode in (0, 3)


def test_port_in_use():
    with Site("--contacts", 5, "--accounts", 2) as s:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", s.daemon.hook_port))
            taken.listen()
            code, said = end_of(s)
        assert code != 0 and f"{s.daemon.hook_port}" in said and "in use" in said, said
        s.start()


def test_no_key():
    with Site("--contacts", 5, "--accounts", 2) as s:
        os.unlink(s.daemon.key)
        code, said = end_of(s)
        assert code != 0 and "tielined --make-key" in said, said


def test_key_is_lost():
    with Site("--contacts", 5, "--accounts", 2) as s:
        s.start()
        s.daemon.stop()
        os.unlink(s.daemon.key)
        code, said = end_of(s)
        assert code != 0 and "put back the copy" in said, said


def test_another_key():
    """A key that did not seal this database: refused before anything is pushed."""
    with Site("--contacts", 5, "--accounts", 2) as s:
        s.start()
        s.daemon.set_secrets()
        s.daemon.stop()
        os.unlink(s.daemon.key)
        subprocess.run([rig.find_program(BUILD, "tielined"), "--make-key", s.daemon.key], check=True)
        s.daemon.start(wait=False)
        try:
            code = s.daemon.process.wait(5)
        except subprocess.TimeoutExpired:
            code = None
        said = s.log()
        assert "key" in said and (code != 0), said


def test_state_directory_of_others():
    with Site("--contacts", 5, "--accounts", 2) as s:
        s.state.mkdir(mode=0o777)
        os.chmod(s.state, 0o777)
        code, said = end_of(s)
        assert code == 7 and "chmod 0700" in said, said


@ROOT_ONLY
def test_read_only_state_directory(tmp_path):
    """On a file system mounted read-only: said with the directory, nothing starts."""
    with Site("--contacts", 5, "--accounts", 2) as s:
        s.state.mkdir(mode=0o700)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "ro,mode=0700,size=1m", "tmpfs", s.state],
                          capture_output=True).returncode:
            pytest.skip("this machine does not let root mount")
        try:
            code, said = end_of(s)
        finally:
            subprocess.run(["umount", s.state], check=True)
        assert code != 0 and str(s.state) in said and "read-only" in said, said


@ROOT_ONLY
def test_disk_full():
    """Nothing is half-applied when the disk is full; with room again it goes on."""
    with Site("--contacts", 60, "--accounts", 12) as s:
        s.state.mkdir(mode=0o700)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=0700,size=24m", "tmpfs", s.state],
                          capture_output=True).returncode:
            pytest.skip("this machine does not let root mount")
        try:
            s.start()
            s.sign_in()
            s.connect("every=1s")
            s.first_sync()
            filler = s.state / "filler"
            with contextlib.suppress(OSError), open(filler, "wb", buffering=0) as f:
                while True:
                    f.write(b"x" * 65536)
            chosen = s.pairs(40)
            for a, _, _ in chosen:
                s.sandbox.change("desk", "contacts", a, title="disk full", description="x" * 30000)
            wait_until(lambda: "full" in s.log(), 30, "it is said that the disk is full")
            assert s.daemon.process.poll() is None, "the daemon ended"
            filler.unlink()
            wait_until(lambda: all(s.salesforce()[b]["Title"].startswith("disk full") for _, b, _ in chosen), 60,
                       "it goes on")
            assert s.sandbox.violations()["violations"] == []
            s.daemon.stop()
        finally:
            if s.daemon.process and s.daemon.process.poll() is None:
                s.daemon.stop()
            subprocess.run(["umount", s.state], check=True)


def free_bytes(directory):
    found = os.statvfs(directory)
    return found.f_bavail * found.f_frsize


@ROOT_ONLY
def test_full_disk_is_told_before_there_is_work():
    """No connection, nothing to write: the log and status (exit 3) say it all the same, and when it is over."""
    with Site("--contacts", 2, "--accounts", 1, hooks=False) as s:
        s.state.mkdir(mode=0o700)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=0700,size=8m", "tmpfs", s.state],
                          capture_output=True).returncode:
            pytest.skip("this machine does not let root mount")
        try:
            s.start()
            s.sign_in(stamps=False)
            filler = s.state / "filler"
            with contextlib.suppress(OSError), open(filler, "wb", buffering=0) as f:
                while True:
                    f.write(b"x" * 4096)
            wait_until(lambda: s.run("status", check=False).returncode == 3, 20, "status is 3")
            told = s.run("status", check=False)
            assert "nothing is sent until" in s.log()
            assert "NOTHING IS SENT" in told.stdout and "full" in told.stdout, told.stdout
            for _ in range(10):  # whoever asks hears the same, however often
                assert s.api("GET", "/api/v1/status").json["storage"]["code"] == "STORAGE_FULL"
                assert s.api("GET", "/-/ready").status == 507
            filler.unlink()
            wait_until(lambda: "can be written again" in s.log(), 20, "the log says that it is over")
            assert s.run("status").returncode == 0 and s.api("GET", "/-/ready").status == 200
            assert [s.log().count(words) for words in ("nothing is sent until", "can be written again")] == [1, 1]
            s.daemon.stop()
            with contextlib.suppress(OSError), open(filler, "wb", buffering=0) as f:
                while free_bytes(s.state) > 128 << 10:  # for the daemon, not for a copy of a connector
                    f.write(b"x" * 4096)
            s.start()
            wait_until(lambda: "connectors/.desk-" in s.log() and "No space" in s.log(), 20, "no room for a connector")
            filler.unlink()
            s.wait_running()
        finally:
            if s.daemon.process and s.daemon.process.poll() is None:
                s.daemon.stop()
            subprocess.run(["umount", s.state], check=True)


def spoil(path, how):
    data = bytearray(path.read_bytes())
    if how == "header":
        data[:100] = os.urandom(100)
    elif how == "no database":
        data = bytearray(b"this is a letter\n" * 500)
    elif how == "pages":
        for at in range(4096 * 2, len(data), 4096 * 3):
            data[at:at + 512] = b"\xa5" * min(512, len(data) - at)
    elif how == "cut":
        data = data[:len(data) // 2]
    path.write_bytes(data)


@pytest.mark.parametrize("how", ["header", "no database", "pages", "cut"])
def test_corrupted_database(how):
    """The file is damaged: said clearly with the file and what to do; nothing is written to a vendor because of it."""
    with Site(*SMALL) as s:
        s.start()
        s.sign_in()
        s.connect("every=1s")
        s.first_sync()
        s.daemon.stop()
        spoil(s.database, how)
        records = s.desk(), s.salesforce(), s.desk("accounts"), s.salesforce("Account")
        s.daemon.start(wait=False)
        try:
            code = s.daemon.process.wait(8)
        except subprocess.TimeoutExpired:
            code = None
        said = s.log()
        assert code != 0, said
        assert "database" in said and str(s.database) in said, said
        assert any(word in said for word in ("damaged", "malformed", "not a database", "corrupt")), said
        assert (s.desk(), s.salesforce(), s.desk("accounts"), s.salesforce("Account")) == records
        if code is None:
            s.daemon.stop()


def test_socket_left_by_a_killed_daemon():
    with Site("--contacts", 5, "--accounts", 2) as s:
        s.start()
        s.daemon.stop(kill=True)
        assert os.path.exists(s.daemon.socket)
        s.start()
        assert s.run("status", check=False).returncode in (0, 3)


def test_workers_end_with_a_killed_daemon():
    """No connector outlives its host."""
    with Site("--contacts", 5, "--accounts", 2) as s:
        s.start()
        s.wait_running()
        pids = s.daemon.workers()
        assert len(pids) >= 2
        s.daemon.stop(kill=True)
        wait_until(lambda: not any(os.path.exists(f"/proc/{p}") and "Z" not in status(p) for p in pids), 10, "workers end")


def status(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return "Z"


def test_enabled_connector_is_missing(tmp_path):
    """One connector cannot be loaded: said at start, the other runs."""
    directory = tmp_path / "connectors"
    directory.mkdir()
    shutil.copy(f"{BUILD}/connectors/desk.so", directory)
    with Site("--contacts", 5, "--accounts", 2) as s:
        ini = pathlib.Path(s.daemon.ini)
        ini.write_text(ini.read_text().replace(f"{BUILD}/connectors", str(directory)))
        s.start()
        s.daemon.set_secrets()
        s.wait_running("desk")
        assert "salesforce.so" in s.log()
        shown = next(c for c in s.list("connector", "list") if c["name"] == "salesforce")
        assert shown["state"] == "failed" or "error" in shown, shown
        assert s.run("endpoint", "check", "desk").returncode == 0
