"""What the whole-system tests share: a sandbox and a daemon in a scratch directory, the API over its socket, the
independent comparison. Shares no code with the programs it starts."""
import contextlib
import http.client
import json
import os
import pathlib
import shutil
import socket
import sys
import tempfile
from dataclasses import dataclass

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools/lib"))
import rig  # noqa: E402
from compare import against_planted, compare  # noqa: E402
from rig import wait_until  # noqa: E402

BUILD = os.environ.get("TIELINE_BUILD", str(ROOT / "build/dev"))
LONG = os.environ.get("TIELINE_TEST_LONG") == "1"
NUMBER = [("cf_customer_number", "Customer_Number__c", "number")]
KINDS = {"account": "accounts", "contact": "contacts"}
SIDES = {"a": "desk", "b": "salesforce"}


@dataclass
class Answer:
    status: int
    headers: dict
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def type(self):
        return self.headers.get("Content-Type", "")


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout=60):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Site(contextlib.AbstractContextManager):
    """One sandbox and one daemon; `with Site(...) as site`. The daemon's log is printed when a test fails in it."""

    def __init__(self, *population, sandbox=None, **daemon):
        self.own_sandbox = sandbox is None
        self.sandbox = sandbox or rig.Sandbox(BUILD, *(population or ("--contacts", 120, "--accounts", 24)))
        self.scratch = tempfile.mkdtemp(prefix="tieline-system-")
        daemon.setdefault("directory", self.scratch)
        self.daemon = rig.Daemon(BUILD, self.sandbox, **daemon)

    def __exit__(self, kind, *_):
        if kind and os.path.exists(self.daemon.log_path):
            print(self.daemon.log_tail(60))
        if self.daemon.process and self.daemon.process.poll() is None:
            self.daemon.stop()
        if self.own_sandbox:
            self.sandbox.stop()
        shutil.rmtree(self.scratch, ignore_errors=True)

    @property
    def state(self):
        return pathlib.Path(self.daemon.directory) / "state"

    @property
    def database(self):
        return self.state / "tieline.db"

    def log(self):
        return pathlib.Path(self.daemon.log_path).read_text(encoding="utf-8", errors="replace")

    def start(self, **rest):
        self.daemon.start(**rest)
        return self

    def restart(self, kill=False, **rest):
        self.daemon.stop(kill=kill)
        self.daemon.start(**rest)

    def run(self, *args, **rest):
        return self.daemon.run(*args, **rest)

    def list(self, *args):
        return self.daemon.json(*args)

    def api(self, method, target, body=None, headers=None, raw=None):
        connection = UnixConnection(self.daemon.socket)
        try:
            data = raw if raw is not None else None if body is None else json.dumps(body).encode()
            connection.request(method, target, data, headers or {})
            answer = connection.getresponse()
            return Answer(answer.status, dict(answer.headers), answer.read())
        finally:
            connection.close()

    def sign_in(self, stamps=True):
        """Secrets set, both connectors running; with stamps the desk's stamp fields are made."""
        self.daemon.set_secrets()
        self.wait_running()
        if stamps:
            self.run("endpoint", "prepare", "desk", "-y")
        for endpoint in ("desk", "sf"):
            self.run("endpoint", "check", endpoint)

    def wait_running(self, *names):
        names = names or ("desk", "salesforce")
        wait_until(lambda: all(c["state"] == "running" for c in self.list("connector", "list") if c["name"] in names), 30,
                   "the connectors run")

    def connect(self, *settings, kinds=("account", "contact"), number=True):
        self.daemon.connect("demo", kinds=kinds, settings=settings or ("every=1s",))
        if number:
            self.run("map", "set", "demo", "contact", "x.cf_customer_number", "x.Customer_Number__c")

    def links(self):
        return [link for c in self.list("sync", "status") for link in c["links"]]

    def quiet(self):
        """True once no first sync runs and every write was seen again at its vendor."""
        return all(link["phase"] == "live" and "running" not in link and link["counts"]["unsettled"] == 0
                   for link in self.links())

    def wait_quiet(self, timeout=60):
        wait_until(self.quiet, timeout, "both sides are settled")

    def first_sync(self, timeout=60):
        done = self.run("sync", "start", "demo", check=False)
        assert done.returncode in (0, 8), done.stderr
        if not self.quiet():
            self.run("sync", "start", "demo", check=False)  # a cycle now: what was made is seen again
        self.wait_quiet(timeout)
        return done

    def rounds(self, n=2):
        """n whole rounds: what is changed on another pair before each arrives."""
        for i in range(n):
            a, b, _ = self.pairs(1, skip=40)[0]
            title = f"round {i}.{len(self.sandbox.control('GET', '/calls'))}"
            self.sandbox.change("desk", "contacts", a, title=title)
            self.wait_title("salesforce", b, title)

    def failures(self):
        """[(side, kind, id, code)] in the twins' words."""
        return [(SIDES[f["side"]], KINDS[f["kind"]], f["record"], f["code"])
                for f in self.list("failure", "list", "--limit", "1000")]

    def problems(self, number=True):
        """What the independent comparison finds beyond what was planted; [] when all is well."""
        report = compare(self.sandbox, NUMBER if number else None)
        found = against_planted(report, self.sandbox.control("GET", "/planted"), self.failures())
        return found + [str(v) for v in self.sandbox.violations()["violations"]]

    def wait_equal(self, timeout=60, number=True):
        """Waits until the independent comparison finds nothing."""
        try:
            wait_until(lambda: self.problems(number) == [], timeout, "both sides are equal")
        except TimeoutError:
            raise AssertionError(self.problems(number)) from None

    # records of the twins

    def desk(self, kind="contacts"):
        return {r["id"]: r for r in self.sandbox.dump("desk", kind) if r["_state"] == "live"}

    def salesforce(self, kind="Contact"):
        return {r["Id"]: r for r in self.sandbox.dump("salesforce", kind) if not r["IsDeleted"]}

    def pairs(self, n, skip=0):
        """n contacts known to both sides by e-mail and not planted: [(desk id, Salesforce id, e-mail)]."""
        planted = {p["id"] for p in self.sandbox.control("GET", "/planted")}
        ours, theirs = {}, {}
        for r in self.desk().values():
            ours.setdefault((r["email"] or "").lower(), []).append(r["id"])
        for r in self.salesforce().values():
            theirs.setdefault((r["Email"] or "").lower(), []).append(r["Id"])
        found = [(ours[e][0], theirs[e][0], e) for e in sorted(ours) if e and len(ours[e]) == 1 and
                 len(theirs.get(e, [])) == 1 and not planted & {ours[e][0], theirs[e][0]}]
        return found[skip:skip + n]

    def wait_title(self, twin, record_id, title, timeout=30):
        read = (lambda: self.desk()[record_id]["title"]) if twin == "desk" else (
            lambda: self.salesforce()[record_id]["Title"])
        wait_until(lambda: read() == title, timeout, f"{twin} {record_id} has the title {title!r}")

    def writes(self, twin):
        """Calls that could change records, of one twin so far."""
        return [c for c in self.sandbox.control("GET", f"/calls?twin={twin}")
                if c["method"] in ("POST", "PATCH", "PUT", "DELETE") and "/webhook" not in c["target"]
                and "/oauth" not in c["target"]]


@contextlib.contextmanager
def synced_site(*plan, number=True):
    """A small site whose connection "demo" is in step and reads every second."""
    with Site("--contacts", 60, "--accounts", 12, *plan) as site:
        site.start()
        site.sign_in()
        site.connect("every=1s", number=number)
        site.first_sync()
        yield site
