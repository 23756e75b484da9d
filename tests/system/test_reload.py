"""The configuration read again while everything runs: planned key by key, refused as a whole when anything is wrong, and
nothing is touched that did not change."""
import json
import pathlib
import signal
import threading

import pytest
from systemlib import ROOT, Site, wait_until


class File:
    """The daemon's INI, changed as an operator would."""

    def __init__(self, site):
        self.path = pathlib.Path(site.daemon.ini)

    def change(self, old, new):
        text = self.path.read_text(encoding="utf-8")
        assert old in text, old
        self.path.write_text(text.replace(old, new, 1), encoding="utf-8")

    def add(self, text):
        with open(self.path, "a", encoding="utf-8") as f:
            f.write(text)

    def line(self, text):
        return self.path.read_text(encoding="utf-8").splitlines().index(text) + 1


def reload(site, *args, code=0):
    done = site.run("--json", "config", "reload", *args, check=False)
    assert done.returncode == code, done
    return json.loads(done.stdout)["items"][0]


def changes(answer):
    return {(c["section"], c["key"]): c for c in answer["items"]}


def steps(answer):
    return {(s["step"], s["name"]): s.get("result") or s["error"]["text"] for s in answer["steps"]}


def connector(site, name="desk"):
    return site.list("connector", "show", name)[0]


def sign_ins(site):
    """Of the endpoint desk, and of sf."""
    calls = site.sandbox.calls()
    return calls["accounts"]["total"], calls["login"]["total"]


@pytest.fixture
def site():
    with Site("--contacts", 30, "--accounts", 6, "--plan", "plain", hooks=False) as s:
        s.start()
        s.sign_in()
        s.connect("every=1s", number=False)
        s.first_sync()
        yield s


def test_only_what_changed_is_touched(site):
    """An option of one endpoint: that one signs in anew, the other keeps its worker, its sign-in and its instances."""
    file = File(site)
    before = {c["name"]: c for c in site.list("connector", "list")}
    tokens = sign_ins(site)
    file.change("[endpoint sf]\n", "[endpoint sf]\napi_version = 61.0\n")
    line = file.line("api_version = 61.0")
    plan = reload(site, "-n")
    assert not plan["applied"] and plan["dry_run"] and plan["steps"] == []
    assert changes(plan) == {("endpoint sf", "api_version"): {
        "what": "added", "section": "endpoint sf", "key": "api_version", "value": "61.0", "origin": f"{file.path}:{line}",
        "takes_effect": "now"}}
    assert "api_version" not in site.run("config", "show").stdout
    done = reload(site)
    assert done["applied"] and changes(done) == changes(plan) and ("endpoint", "sf") in steps(done)
    after = {c["name"]: c for c in site.list("connector", "list")}
    assert [after[n]["pid"] for n in sorted(after)] == [before[n]["pid"] for n in sorted(before)]
    assert after["desk"]["instances"] >= 1 or before["desk"]["instances"] == 0
    a, b, _ = site.pairs(1)[0]
    site.sandbox.change("desk", "contacts", a, title="by another version")
    site.wait_title("salesforce", b, "by another version")
    now = sign_ins(site)
    assert now[0] == tokens[0] and now[1] > tokens[1]
    assert any("/v61.0/" in c["target"] for c in site.sandbox.control("GET", "/calls?twin=salesforce"))
    shown = {v["key"]: v for v in site.list("config", "show") if v["section"] == "endpoint sf"}
    assert shown["api_version"]["value"] == "61.0" and shown["api_version"]["origin"] == f"{file.path}:{line}"
    again = reload(site)
    assert again["items"] == [] and again["steps"] == []
    [audit] = [a for a in site.list("audit", "list") if a["act"] == "config.reload"][-1:]
    assert str(file.path) in audit["object"] and "generation" in audit["detail"]


def test_any_error_leaves_all_as_it_is(site):
    """Values, references, an option, a connector that is not there, what the store knows better: all at once, with lines."""
    file = File(site)
    before, runs = connector(site), site.run("config", "show").stdout
    generation = reload(site)["generation"]
    good = file.path.read_text(encoding="utf-8")
    file.change("[endpoint sf]\n", "[endpoint sf]\nduplicate_alerts = perhaps\n")
    file.change("enable = desk, salesforce", "enable = desk, salesforce, nothere")
    file.change("[connectors]\n", "[connectors]\nhosts.desk = no host\n")
    file.add("[connection demo]\na = sf\nb = desk\n[link demo contact]\nb_kind = account\n[log]\nlevel = debug\n")
    first = reload(site, code=7)
    file.add("format = xml\n[link demo account]\nevery = often\n")
    second = reload(site, code=7)
    assert not first["applied"] and first["items"] == [] and first["errors"] == 5
    found = " ".join(f"{f.get('origin', '')} {f['text']}" for f in first["findings"])
    for words in (f"{file.path}:{file.line('duplicate_alerts = perhaps')} [endpoint sf] duplicate_alerts = perhaps",
                  "enable = nothere: there is no connector", '[connectors] hosts.desk: host pattern "no host"',
                  f"{file.path}:{file.line('[connection demo]')}",
                  "the connection was made between other endpoints",
                  f"{file.path}:{file.line('b_kind = account')} [link demo contact] b_kind"):
        assert words in found, (words, found)
    assert second["errors"] == 2 and "format = xml" in str(second["findings"]) and "every = often" in str(second["findings"])
    assert site.run("config", "show").stdout == runs
    now = connector(site)
    assert (now["pid"], now["state"]) == (before["pid"], "running")
    assert "nothere" not in [c["name"] for c in site.list("connector", "list")]
    told = site.run("config", "reload", check=False)
    assert told.returncode == 7 and "error: [log] format = xml" in told.stderr and "what runs stays" in told.stderr, told
    shown = site.api("GET", "/api/v1/config").json
    assert shown["generation"] == generation and shown["last_reload"]["refused"]
    assert "tieline_config_last_reload_successful 0" in site.api("GET", "/metrics").body.decode()
    file.path.write_text(good, encoding="utf-8")
    reload(site)
    assert "tieline_config_last_reload_successful 1" in site.api("GET", "/metrics").body.decode()


def test_changed_credentials_sign_in_anew(site):
    """Another secret counts at once, though the former token is good still; the right one again, and it goes on."""
    file = File(site)
    site.run("secret", "set", "wrong", stdin="not-the-secret")
    file.change("client_secret = @secret:sf_client", "client_secret = @secret:wrong")
    assert changes(reload(site))[("endpoint sf", "client_secret")]["was"] == "@secret:sf_client"
    wait_until(lambda: site.list("endpoint", "show", "sf")[0]["state"] == "needs sign-in", 20, "sign-in is refused")
    assert site.run("endpoint", "check", "sf", check=False).returncode == 9
    file.change("client_secret = @secret:wrong", "client_secret = @secret:sf_client")
    reload(site)
    a, b, _ = site.pairs(1)[0]
    site.sandbox.change("desk", "contacts", a, title="signed in again")
    site.wait_title("salesforce", b, "signed in again")
    assert [c["state"] for c in site.list("connection", "list")] == ["active"]


def test_the_unit_reloads():
    """`systemctl reload` is the command itself, so that it fails when the file is refused."""
    unit = (ROOT / "etc/tieline.service").read_text(encoding="utf-8")
    assert "ExecReload=/usr/bin/tieline config reload\n" in unit


def test_an_endpoint_keeps_its_connector(site):
    file = File(site)
    file.change("[endpoint sf]\nconnector = salesforce", "[endpoint sf]\nconnector = desk")
    answer = reload(site, code=7)
    assert any("was made with connector" in f["text"] for f in answer["findings"]), answer


def test_what_needs_a_restart_is_named_and_stops_nothing(site):
    """Named as long as it does not count, and shown as it is."""
    file = File(site)
    file.add("[http]\ntimeout = 33s\n[store]\nbackup_every = 1h\nbackup_keep = 3\n"
             "[log]\nlevel = debug\n[retention]\naudit = 90d\n")
    for first in (True, False):
        answer = reload(site)
        assert answer["applied"] and answer["restart"]
        told = changes(answer)
        for key in (("http", "timeout"), ("store", "backup_every"), ("store", "backup_keep")):
            assert told[key]["takes_effect"] == "needs a restart", told
        assert (("log", "level") in told) == (("retention", "audit") in told) == first
    shown = {f"{v['section']}.{v['key']}": v["value"] for v in site.list("config", "show")}
    assert (shown["http.timeout"], shown["log.level"], shown["retention.audit"]) == ("60s", "debug", "90d")
    backup = site.list("status")[0]["backup"]
    assert (shown["store.backup_every"], backup["every_s"], backup["keep"]) == ("6h", 6 * 3600, 8)
    words = site.run("config", "reload")
    assert "needs a restart" in words.stdout and "started again" in words.stderr
    site.restart()
    shown = {f"{v['section']}.{v['key']}": v["value"] for v in site.list("config", "show")}
    assert (shown["http.timeout"], shown["store.backup_every"], shown["store.backup_keep"]) == ("33s", "1h", "3")
    assert reload(site)["items"] == []


def test_connectors_come_and_go(tmp_path):
    """Enabled: loaded. Not enabled any more: unloaded. Another isolation: reloaded in it, that one alone."""
    with Site("--contacts", 10, "--accounts", 3, "--plan", "plain", hooks=False) as site:
        file = File(site)
        file.change("enable = desk, salesforce", "enable = salesforce")
        site.start()
        site.daemon.set_secrets()
        site.wait_running("salesforce")
        kept = connector(site, "salesforce")["pid"]
        assert connector(site)["state"] == "not loaded"
        file.change("enable = salesforce", "enable = salesforce, desk")
        assert steps(reload(site)) == {("load", "desk"): "loaded"}
        assert connector(site)["state"] == "running" and site.run("endpoint", "check", "desk").returncode == 0
        file.change("isolation.desk = worker", "isolation.desk = inprocess")
        plan = reload(site, "-n")
        assert changes(plan)[("connectors", "isolation.desk")]["was"] == "worker"
        assert steps(reload(site)) == {("reload", "desk"): "reloaded"}
        now = connector(site)
        assert (now["isolation"], now["state"]) == ("inprocess", "running") and "pid" not in now
        assert site.run("endpoint", "check", "desk").returncode == 0
        site.run("connector", "unload", "salesforce")
        reload(site)  # unchanged in the file: what a person did stays
        assert connector(site, "salesforce")["state"] == "not loaded"
        site.run("connector", "load", "salesforce")
        kept = connector(site, "salesforce")["pid"]
        file.change("enable = salesforce, desk", "enable = salesforce")
        answer = reload(site)
        assert steps(answer)[("unload", "desk")].startswith("unloaded"), answer
        assert connector(site)["state"] == "not loaded" and connector(site, "salesforce")["pid"] == kept
        site.run("connector", "disable", "desk")
        file.change("enable = salesforce", "enable = salesforce, desk")
        reload(site)
        assert connector(site)["state"] == "disabled"


def test_a_vanished_endpoint_blocks_and_keeps(site):
    """Its connections are blocked and keep everything; when it comes back they go on."""
    file = File(site)
    text = file.path.read_text(encoding="utf-8")
    pairs = sum(link["counts"]["pairs"] for link in site.links())
    start = text.index("[endpoint sf]")
    file.path.write_text(text[:start], encoding="utf-8")
    answer = reload(site)
    assert {c["what"] for c in answer["items"]} == {"removed"} and {c["section"] for c in answer["items"]} == {"endpoint sf"}
    assert "blocked and keep everything" in steps(answer)[("endpoint", "sf")]
    [connection] = site.list("connection", "list")
    assert connection["state"] == "blocked" and "not configured" in connection["block_text"], connection
    assert sum(link["counts"]["pairs"] for link in site.links()) == pairs
    a, b, _ = site.pairs(1)[0]
    site.sandbox.change("desk", "contacts", a, title="meanwhile")
    file.path.write_text(text, encoding="utf-8")
    reload(site)
    site.wait_title("salesforce", b, "meanwhile")
    assert [c["state"] for c in site.list("connection", "list")] == ["active"]
    assert sum(link["counts"]["pairs"] for link in site.links()) == pairs


def test_a_new_endpoint_works_at_once(site):
    """With its connection and its link; and its secrets are in no answer."""
    file = File(site)
    text = file.path.read_text(encoding="utf-8")
    section = text[text.index("[endpoint sf]"):].replace("[endpoint sf]", "[endpoint other]")
    file.add(section.replace("@secret:sf_client", "written here"))
    plan = site.run("config", "reload", "-n")
    assert "written here" not in plan.stdout + plan.stderr and "[secret]" in plan.stdout, plan
    done = site.run("config", "reload")
    assert "written here" not in done.stdout + done.stderr + site.log()
    assert "other" in [e["name"] for e in site.list("endpoint", "list")]


def test_pins_come_and_go(site):
    """A section added pins at once; moved it names its new line; removed it frees, and changes nothing."""
    file = File(site)
    file.add("[connection demo]\na = desk\nb = sf\n[link demo contact]\nevery = 7s\n")
    answer = reload(site)
    assert steps(answer)[("link", "demo contact")] == "pinned as the file says", answer
    [link] = site.list("link", "show", "demo", "contact")
    assert link["every_seconds"] == 7
    line = file.line("[link demo contact]")
    told = site.run("link", "set", "demo", "contact", "every=9s", check=False)
    assert told.returncode == 6 and f"{file.path}:{line}" in told.stderr, told
    file.change("[core]\n", "; a comment\n\n[core]\n")
    assert reload(site)["items"] == []
    told = site.run("link", "set", "demo", "contact", "every=9s", check=False)
    assert told.returncode == 6 and f"{file.path}:{line + 2}" in told.stderr, told
    file.change("[link demo contact]\nevery = 7s\n", "")
    assert steps(reload(site))[("link", "demo contact")].startswith("free again")
    assert site.list("link", "show", "demo", "contact")[0]["every_seconds"] == 7
    assert site.run("link", "set", "demo", "contact", "every=9s").returncode == 0
    assert [c["state"] for c in site.list("connection", "list")] == ["active"]


def test_by_signal(site):
    """SIGHUP does the same: the log tells what changed, or what is wrong."""
    file = File(site)
    good = file.path.read_text(encoding="utf-8")
    file.add("[link demo contact]\nevery = 11s\n")
    site.daemon.process.send_signal(signal.SIGUSR1)  # means nothing here
    site.daemon.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "configuration read again by SIGHUP: generation 2" in site.log(), 20, "the log tells of it")
    assert "[link demo contact] every added" in site.log()
    assert site.list("link", "show", "demo", "contact")[0]["every_seconds"] == 11
    assert [a["who"] for a in site.list("audit", "list") if a["act"] == "config.reload"] == ["SIGHUP"]
    line = len(file.path.read_text(encoding="utf-8").splitlines()) + 2
    file.add("[log]\nlevel = loud\n")
    site.daemon.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "the configuration is refused: 1 errors" in site.log(), 20, "the log tells that it is refused")
    assert f"{file.path}:{line}: [log] level = loud" in site.log()
    file.path.write_text(good, encoding="utf-8")
    for _ in range(20):
        site.daemon.process.send_signal(signal.SIGHUP)
    wait_until(lambda: site.api("GET", "/api/v1/config").json["last_reload"]["refused"] is False, 20, "it is good again")
    assert site.daemon.stop() == 0


def test_two_admins_at_once(site):
    """One after the other: both are answered, both files are read whole, and nothing is done twice."""
    file = File(site)
    file.change("isolation.desk = worker", "isolation.desk = endpoint")
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(reload(site))) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(answers) == 4 and all(a["applied"] for a in answers)
    assert sum(len(a["items"]) for a in answers) == 1 and sum(len(a["steps"]) for a in answers) == 1
    assert sorted(a["generation"] for a in answers) == [2, 3, 4, 5]
    assert connector(site)["isolation"] == "endpoint" and connector(site)["state"] == "running"


def test_during_a_first_sync():
    """Settings, an option and the isolation change in the middle of it: it ends, and nothing is lost or doubled."""
    with Site("--contacts", 300, "--accounts", 40, "--plan", "plain", hooks=False) as site:
        site.start()
        site.sign_in()
        site.connect("every=1s", number=False)
        file = File(site)
        site.run("--no-wait", "sync", "start", "demo")
        wait_until(lambda: len(site.writes("salesforce")) > 0 or site.quiet(), 60, "records are written")
        file.add("[link demo contact]\nevery = 2s\n")
        file.change("isolation.salesforce = worker", "isolation.salesforce = endpoint")
        file.change("[endpoint sf]\n", "[endpoint sf]\napi_version = 61.0\n")
        answer = reload(site)
        assert steps(answer)[("reload", "salesforce")] == "reloaded", answer
        site.wait_quiet(120)
        site.wait_equal(number=False)
        assert site.list("link", "show", "demo", "contact")[0]["every_seconds"] == 2
        assert site.sandbox.violations()["count"] == 0
