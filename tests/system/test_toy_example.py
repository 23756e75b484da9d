"""sdk/examples/toy as a third party has it: under 200 lines, built outside of the tree against the installed SDK, run
against the sandbox by the real runtime."""
import json
import pathlib
import shutil
import subprocess
import sys

import pytest
from sandboxlib import Sandbox, connector_lines, program

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools/lib"))
import rig

SOURCE = pathlib.Path(__file__).resolve().parents[2] / "sdk/examples/toy"


@pytest.fixture(scope="module")
def connectors(tmp_path_factory):
    """Builds toy.so from a copy of the example and an installed SDK; returns its folder."""
    folder = tmp_path_factory.mktemp("author")
    shutil.copytree(SOURCE, folder / "toy")
    build = program("", "")
    run = lambda *args: subprocess.run(args, check=True, stdout=subprocess.DEVNULL)
    run("cmake", "--install", build, "--prefix", folder / "sdk", "--component", "sdk")
    run("cmake", "-G", "Ninja", "-S", folder / "toy", "-B", folder / "build", f"-DCMAKE_PREFIX_PATH={folder}/sdk")
    run("cmake", "--build", folder / "build")
    return folder / "build/connectors"


def test_it_is_short():
    assert len((SOURCE / "toy.c").read_text().splitlines()) < 200


def test_exports_one_symbol(connectors):
    nm = ["nm", "-D", "--defined-only", connectors / "toy.so"]
    names = subprocess.run(nm, capture_output=True, text=True, check=True).stdout
    assert [line.split()[-1] for line in names.splitlines()] == ["tieline_connector_v0"]


class Toy:
    def __init__(self, connectors, sim, state, token=None):
        self.process = connector_lines(connectors / "toy.so", state, {
            "url": sim.line["toy"], "token": token or sim.line["credentials"]["toy"]["token"]})

    def call(self, name, **more):
        self.process.stdin.write(json.dumps({"call": name, **more}) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def items(self, what, name, **more):
        answer = self.call(name, **more)
        assert answer["status"] == "ok", answer["error"]
        return [i[what] for i in answer["items"] if what in i]


@pytest.fixture
def sim():
    with Sandbox(("--contacts", 200, "--accounts", 20)) as s:
        yield s


@pytest.fixture
def toy(connectors, sim, tmp_path):
    t = Toy(connectors, sim, tmp_path)
    t.call("discover")
    yield t
    t.process.stdin.close()
    assert t.process.wait(30) == 0


def test_reads(sim, toy):
    assert toy.items("account", "check", kinds=[])[0]["org_key"] == "toy"
    seen, cursor, complete = set(), "", False
    while not complete:
        answer = toy.call("pull", kind="contact", mode="pass", cursor=cursor, max_pages=1)
        assert answer["status"] == "ok", answer["error"]
        seen |= {i["record"]["id"] for i in answer["items"] if "record" in i}
        [mark] = [i["checkpoint"] for i in answer["items"] if "checkpoint" in i]
        cursor, complete = mark["cursor"], mark["complete"]
    assert seen == {c["id"] for c in sim.dump("toy", "contacts") if not c["deleted"]} and len(seen) > 10


def test_writes_and_notices(sim, toy):
    cursor = toy.items("checkpoint", "pull", kind="contact", mode="changes", cursor="")[-1]["cursor"]
    made, bad = toy.items("result", "push", kind="contact", records=[
        {"op": "create", "stamp": "inst.1", "values": {"last_name": "Neu", "email": "n@example.org"}},
        {"op": "create", "values": {"first_name": "nobody"}}])
    assert made["created"] == 1 and made["record"]["stamp"] == "inst.1"
    assert (bad["status"], bad["error"]["reason"], bad["error"]["field"]) == ("invalid", 3, "last_name")
    id = made["record"]["id"]
    update = {"op": "update", "id": id, "values": {"email": None}}
    [changed] = toy.items("result", "push", kind="contact", records=[update])
    assert changed["record"]["values"]["email"] is None
    records = toy.items("record", "pull", kind="contact", mode="changes", cursor=cursor)
    assert [r["id"] for r in records] == [id]
    [gone] = toy.items("result", "push", kind="contact", records=[{"op": "delete", "id": id}])
    assert gone["status"] == "ok"
    assert {r["state"] for r in toy.items("record", "get", kind="contact", ids=[id])} <= {2}
    [lost] = toy.items("result", "push", kind="contact", records=[{**update, "id": "99999"}])
    assert lost["status"] == "not found"


def test_a_wrong_token_is_an_auth_failure(sim, connectors, tmp_path):
    toy = Toy(connectors, sim, tmp_path, token="wrong-token")
    answer = toy.call("check", kinds=[])
    assert answer["status"] == "auth", answer
    toy.process.stdin.close()
    toy.process.wait(30)


class Daemon(rig.Daemon):
    """Zoho Desk and the third party's toy instead of Salesforce; connectors from the author's folder."""

    def write_ini(self, extra="", desk_options="", salesforce_options=""):
        super().write_ini(extra, desk_options, salesforce_options)
        text = pathlib.Path(self.ini).read_text(encoding="utf-8")
        head, tail = text.split("[endpoint sf]")
        head = head.replace(f"dir = {self.build}/connectors", f"dir = {self.directory}/connectors")
        head = head.replace("enable = desk, salesforce", "enable = desk, toy")
        head = head.replace("isolation.salesforce", "isolation.toy")
        toy = f"[endpoint toy]\nconnector = toy\nurl = {self.sandbox.at['toy']}\ntoken = @secret:toy\n"
        pathlib.Path(self.ini).write_text(head + toy, encoding="utf-8")

    def set_secrets(self):
        keys = self.sandbox.at["credentials"]
        for name, value in (("zoho_client", keys["zoho"]["client_secret"]), ("toy", keys["toy"]["token"]),
                            ("zoho_refresh", keys["zoho"]["refresh_token"])):
            self.run("secret", "set", name, stdin=value)


def people(sandbox):
    """Both sides as sets of what the default map keeps equal."""
    desk = {(r["firstName"] or "", r["lastName"], (r["email"] or "").lower()) for r in sandbox.dump("desk", "contacts")
            if r["_state"] == "live"}
    toy = {(r["first_name"] or "", r["last_name"], (r["email"] or "").lower()) for r in sandbox.dump("toy", "contacts")
           if not r["deleted"]}
    return desk, toy


@pytest.mark.parametrize("isolation", ["worker", "inprocess"])
def test_it_syncs_with_the_sandbox_desk(connectors, tmp_path, isolation):
    build = program("", "").rstrip("/")
    (tmp_path / "connectors").mkdir()
    for so in (connectors / "toy.so", pathlib.Path(build) / "connectors/desk.so"):
        shutil.copy(so, tmp_path / "connectors")
    sandbox = rig.Sandbox(build, "--contacts", 80, "--accounts", 10, "--plan", "plain")
    daemon = Daemon(build, sandbox, directory=str(tmp_path), isolation=isolation)
    try:
        daemon.start()
        daemon.set_secrets()
        daemon.run("endpoint", "prepare", "desk", "--yes")
        for endpoint in ("desk", "toy"):
            daemon.run("endpoint", "check", endpoint)
        daemon.run("connection", "create", "demo", "--a", "desk", "--b", "toy")
        daemon.run("link", "create", "demo", "contact", "every=1s")
        daemon.run("sync", "start", "demo")
        rig.wait_until(lambda: len(set(map(frozenset, people(sandbox)))) == 1, 60, "both sides hold the same people")
        row = next(r for r in sandbox.dump("toy", "contacts") if r["email"])
        sandbox.change("toy", "contacts", row["id"], last_name="Edited by a third party")
        rig.wait_until(lambda: "Edited by a third party" in {r["lastName"] for r in sandbox.dump("desk", "contacts")}, 30,
                       "the edit arrives in the desk")
        assert sandbox.violations()["violations"] == []
    except Exception:
        print(daemon.log_tail())
        raise
    finally:
        daemon.stop()
        sandbox.stop()
