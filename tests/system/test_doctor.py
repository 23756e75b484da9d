"""`tieline doctor`: the machine without a daemon, and what the running daemon adds; each finding says what to do."""
import json
import os
import pathlib
import subprocess

import pytest
from systemlib import BUILD, Site, rig, wait_until


def doctor(*words, socket="/nonexistent/api.sock", json_form=True):
    done = subprocess.run([rig.find_program(BUILD, "tieline"), "-S", socket, *(["--json"] if json_form else []), "doctor",
                           *map(str, words)], capture_output=True, text=True, timeout=60)
    if not json_form:
        return done.returncode, done.stdout
    found = {}
    for f in json.loads(done.stdout)["items"]:
        assert f["level"] in ("ok", "warning", "error") and f["text"], f
        assert f["hint"] or f["level"] == "ok", f  # whatever is wrong comes with what to do
        found.setdefault(f["check"], []).append(f)
    return done.returncode, found


def level(found, check):
    return [f["level"] for f in found[check]]


def test_without_a_daemon(tmp_path):
    """Every part of the machine is looked at; nothing is made."""
    ini = tmp_path / "tieline.ini"
    ini.write_text(f"[core]\ndevelopment = yes\nstate_dir = {tmp_path}/state\nkey_file = {tmp_path}/key\n[http]\n"
                   f"ca_file = {tmp_path}/roots\n[log]\nlevel = loud\n[connectors]\ndir = {BUILD}/connectors\n"
                   "enable = desk, nothere\n")
    (tmp_path / "roots").write_text("no certificate\n")
    code, found = doctor(ini)
    assert code == 1
    assert {"configuration", "landlock", "seccomp", "clock", "time zones", "state directory", "database file", "key file",
            "certificates", "worker", "connector desk", "connector nothere", "daemon"} <= set(found), found
    assert f"{ini}:8" in found["configuration"][0]["text"] and level(found, "configuration")[0] == "error"
    assert level(found, "key file") == ["error"] and "tielined --make-key" in found["key file"][0]["hint"]
    assert level(found, "certificates") == ["error"] and "[http] ca_file" in found["certificates"][0]["hint"]
    assert level(found, "connector desk") == ["ok"] and level(found, "connector nothere") == ["error"]
    assert level(found, "daemon") == ["error"]
    assert not (tmp_path / "state").exists()
    code, text = doctor(ini, json_form=False)
    assert code == 1 and "LEVEL" in text and "tielined --make-key" in text


@pytest.mark.parametrize("mode, words", [(0o755, "is open to others (mode 0755)"), (0o700, "closed to others")])
def test_the_state_directory(mode, words, tmp_path):
    ini = tmp_path / "tieline.ini"
    (tmp_path / "state").mkdir()
    os.chmod(tmp_path / "state", mode)
    (tmp_path / "state/tieline.db").write_text("this is no database at all")
    ini.write_text(f"[core]\nstate_dir = {tmp_path}/state\n")
    _, found = doctor(ini)
    assert words in found["state directory"][0]["text"] and found["disk"], found
    assert level(found, "database file") == ["error"] and "is no database" in found["database file"][0]["text"]


@pytest.fixture(scope="module")
def site():
    with Site("--contacts", 5, "--accounts", 2) as s:
        s.start()
        s.sign_in()
        wait_until(lambda: "last" in s.list("status")[0]["backup"], 20, "there is a backup")
        yield s


def test_of_a_daemon_that_is_well(site):
    code, found = doctor(socket=site.daemon.socket)
    wrong = [f for fs in found.values() for f in fs if f["level"] == "error"]
    assert code == 0 and not wrong, wrong
    assert site.daemon.ini in found["configuration"][0]["text"]  # the daemon's own file, without being told
    for check in ("daemon", "database", "backup", "endpoint desk", "endpoint sf"):
        assert level(found, check) == ["ok"], found[check]
    assert any("runs: version" in f["text"] for f in found["connector desk"]), found["connector desk"]
    assert any(f["hint"] == "tieline connector load desk -y" for f in found["connector desk"]), found["connector desk"]


def test_of_a_daemon_with_trouble(site):
    site.run("connector", "disable", "desk")
    code, found = doctor(socket=site.daemon.socket)
    assert "tieline connector enable desk" in [f["hint"] for f in found["connector desk"]], found["connector desk"]
    assert code == 1 and level(found, "endpoint desk") == ["error"], found["endpoint desk"]
    site.run("connector", "enable", "desk")
    pathlib.Path(site.daemon.key).chmod(0o644)
    code, found = doctor(socket=site.daemon.socket)
    assert code == 1 and level(found, "key file") == ["error"] and "open to group or others" in found["key file"][0]["text"]
    pathlib.Path(site.daemon.key).chmod(0o400)
    site.daemon.stop()
    code, found = doctor(site.daemon.ini, socket=site.daemon.socket)
    assert code == 1 and [c for c in found if "error" in level(found, c)] == ["daemon"], found
