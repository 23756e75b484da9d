"""sdk/examples/rest as a third party has it: an API described by options alone, in each way such APIs go on from page to
page and sign in, against a fake one that refuses whatever a real one would; and synced with the sandbox's help desk."""
import configparser
import json
import os
import pathlib
import subprocess
import sys
import urllib.request

import pytest
from sandboxlib import program

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools/lib"))
import rig

REST = ROOT / "sdk/examples/rest"
SO = program("rest.so", "connectors")
BARE = {"contact_records": "", "contact_record": "", "account_records": "", "account_record": "", "wrap": "no", "total": ""}
STYLES = {
    "page": {"auth": "bearer", "paging": "page"},
    "page, told how many there are": {"auth": "none", "paging": "page", "page_size": "7"},
    "offset": {"auth": "basic", "paging": "offset", "user": "${user}", "password": "${password}", "more": "meta.more"},
    "cursor": {"auth": "header", "paging": "cursor", "auth_header": "X-Key"},
    "url": {"auth": "none", "paging": "cursor"},
    "link": {"auth": "bearer", "paging": "link", **BARE},
}


def options(style):
    """The options of check.ini, changed to the style; and the command that starts such a vendor."""
    ini = configparser.ConfigParser(interpolation=None)
    ini.read(REST / "check.ini", encoding="utf-8")
    found = dict(ini["endpoint"])
    del found["auth_header"]
    found.update(STYLES[style])
    if found["auth"] == "basic":
        del found["token"]
    if found["paging"] != "cursor":
        del found["next"]
    kind = "url" if style == "url" else found["paging"]
    return found, ["python3", str(REST / "vendor.py"), "--paging", kind, "--auth", found["auth"]]


def config_of(folder, found, command):
    path = folder / "check.ini"
    path.write_text("[vendor]\nstart = " + " ".join(command) + "\n[endpoint]\n" +
                    "".join(f"{k} = {v}\n" for k, v in found.items() if v), encoding="utf-8")
    return path


def tool(*words):
    return subprocess.run([program("tieline-sdk", "bin"), *map(str, words)], capture_output=True, text=True, timeout=300,
                          check=False)


def test_it_is_short():
    files = [f for f in REST.iterdir() if f.suffix in (".c", ".h")]
    lines = [line.strip() for f in files for line in f.read_text(encoding="utf-8").splitlines()]
    assert sum(bool(line) and not line.startswith(("/*", "*")) for line in lines) < 800, "lines of code"


@pytest.mark.parametrize("style", STYLES)
def test_every_way_of_paging_and_of_signing_in(tmp_path, style):
    config = config_of(tmp_path, *options(style))
    for name in ("pull.whole", "pull.again", "pull.changes", "get.all", "push.create", "push.update", "find.fields"):
        [found] = json.loads(tool("check", SO, "--config", config, "--only", name, "--json", "--seed", 1).stdout)["tests"]
        assert found["end"] == "ok", (name, found["why"])
        assert name != "pull.whole" or found["notes"] == "", "several pages were read"


@pytest.mark.parametrize("key, value, words", [
    ("contact_fields", "last_name=lastName requierd", 'contact_fields: "requierd" is no word for a field'),
    ("contact_fields", "lastName", 'contact_fields: "lastName" lacks "="'),
    ("contact_fields", "last_name=" + "a." * 62 + "b", 'contact_fields: "last_name" lies deeper than 64 levels'),
    ("contact_write", "create, replace", 'contact_write: "replace" is none of create, update, delete'),
    ("contact", "people", 'contact: "people" does not begin with "/"'),
    ("errors", "taken=twice", 'errors: "taken" has no meaning behind it'),
    ("page_size", "0", 'page_size: "0" is not between 1 and 1000'),
    ("contact", "/nobody", "has nothing at /nobody"),
    ("contact_records", "rows", "answered a list of contact with nothing at rows"),
    ("auth_header", "X-Wrong", "refused the call: the key is not valid"),
])
def test_a_wrong_description_is_told(tmp_path, key, value, words):
    found, command = options("cursor")
    done = tool("run", SO, "--config", config_of(tmp_path, {**found, key: value}, command), "check")
    assert done.returncode != 0 and words in done.stdout + done.stderr


def test_refusals_are_told_by_reason_and_field(tmp_path):
    config = config_of(tmp_path, *options("cursor"))
    refused = lambda *values: json.loads(tool("run", SO, "--config", config, "push", "contact", "create", *values).stdout
                                         .splitlines()[0])["result"]["error"]
    blank, long = refused("first_name=Nobody"), refused("last_name=" + "x" * 121)
    assert (blank["reason"], blank["field"], blank["code"]) == (3, "lastName", "blank")
    assert (long["reason"], long["code"]) == (6, "too_long")


class Daemon(rig.Daemon):
    """Zoho Desk and the described API; the options are those of check.ini."""
    vendor = None

    def write_ini(self, extra="", desk_options="", salesforce_options=""):
        super().write_ini(extra, desk_options, salesforce_options)
        found, _ = options("cursor")
        found = {**found, "url": self.vendor["url"], "token": "@secret:rest"}
        head = pathlib.Path(self.ini).read_text(encoding="utf-8").split("[endpoint sf]")[0]
        head = head.replace("enable = desk, salesforce", "enable = desk, rest").replace("isolation.salesforce", "isolation.rest")
        pathlib.Path(self.ini).write_text(head + "[endpoint people]\nconnector = rest\n" +
                                          "".join(f"{k} = {v}\n" for k, v in found.items()), encoding="utf-8")

    def set_secrets(self):
        zoho = self.sandbox.at["credentials"]["zoho"]
        for name, value in (("zoho_client", zoho["client_secret"]), ("zoho_refresh", zoho["refresh_token"]),
                            ("rest", self.vendor["key"])):
            self.run("secret", "set", name, stdin=value)


def call(vendor, method, path, body=None):
    data = body and json.dumps({"data": body}).encode()
    request = urllib.request.Request(vendor["url"] + path, method=method, data=data, headers={
        "X-Key": vendor["key"], "X-Version": "2", "Accept": "application/json", "Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        text = answer.read()
    return json.loads(text)["data"] if text else None


def people(vendor):
    found, after = [], ""
    while after is not None:
        rows = call(vendor, "GET", "/people?per_page=50" + (f"&cursor={after}" if after else ""))
        found += rows
        after = rows[-1]["id"] if len(rows) == 50 else None
    return found


def test_it_syncs_with_the_sandbox_desk(tmp_path):
    build = program("", "").rstrip("/")
    command = options("cursor")[1] + ["--people", "60"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ) as process:
        vendor = json.loads(process.stdout.readline())
        sandbox = rig.Sandbox(build, "--contacts", 40, "--accounts", 5, "--plan", "plain")
        Daemon.vendor = vendor
        daemon = Daemon(build, sandbox, directory=str(tmp_path))
        desk = lambda: {(r["firstName"] or "", r["lastName"], (r["email"] or "").lower())
                        for r in sandbox.dump("desk", "contacts") if r["_state"] == "live"}
        rest = lambda: {(r["firstName"] or "", r["lastName"], (r["contact"]["mail"] or "").lower()) for r in people(vendor)}
        try:
            daemon.start()
            daemon.set_secrets()
            daemon.run("endpoint", "prepare", "desk", "--yes")
            for endpoint in ("desk", "people"):
                daemon.run("endpoint", "check", endpoint)
            daemon.run("connection", "create", "demo", "--a", "desk", "--b", "people")
            daemon.run("link", "create", "demo", "contact", "every=1s")
            daemon.run("sync", "start", "demo")
            rig.wait_until(lambda: desk() == rest() and len(rest()) >= 90, 90, "both sides hold the same people")
            changed = people(vendor)[0]
            call(vendor, "PATCH", f"/people/{changed['id']}", {"lastName": "Edited over there"})
            rig.wait_until(lambda: "Edited over there" in {r[1] for r in desk()}, 60, "the edit arrives in the desk")
            row = next(r for r in sandbox.dump("desk", "contacts")
                       if r["_state"] == "live" and r["lastName"] != "Edited over there")
            sandbox.change("desk", "contacts", row["id"], lastName="Edited in the desk")
            rig.wait_until(lambda: "Edited in the desk" in {r[1] for r in rest()}, 60, "the edit arrives in the API")
        except Exception:
            print(daemon.log_tail())
            raise
        finally:
            daemon.stop()
            sandbox.stop()
            process.terminate()
