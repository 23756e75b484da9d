"""tieline-sdk as an author uses it."""
import json
import re
import subprocess

import pytest
from sandboxlib import Sandbox, program

SDK = program("tieline-sdk", "bin")


def sdk(*args, **more):
    return subprocess.run([SDK, *map(str, args)], capture_output=True, text=True, timeout=120, **more)


def desk_config(folder, start=None):
    """A check.ini for desk.so against a sandbox that tieline-sdk starts itself."""
    path = folder / "check.ini"
    sandbox = start or program("tieline-sandbox", "sandbox") + " --contacts 60 --accounts 10"
    path.write_text(f"""[vendor]
start = {sandbox}
[endpoint]
accounts_url = ${{accounts}}
api_url = ${{desk}}
org_id = ${{credentials.desk.org_id}}
client_id = ${{credentials.zoho.client_id}}
client_secret = ${{credentials.zoho.client_secret}}
refresh_token = ${{credentials.zoho.refresh_token}}
""", encoding="utf-8")
    return path


DESK = program("desk.so", "connectors")


@pytest.mark.parametrize("mode", [[], ["--in-process"]])
def test_run_pulls_and_traces_without_secrets(tmp_path, mode):
    done = sdk("run", DESK, *mode, "--config", desk_config(tmp_path), "--trace", "pull", "contact", "--page-size", 20)
    assert done.returncode == 0, done.stderr
    items = [json.loads(line) for line in done.stdout.splitlines()]
    assert len({i["record"]["id"] for i in items if "record" in i}) >= 60
    assert [i["checkpoint"]["complete"] for i in items if "checkpoint" in i][-1] is True
    assert "  http GET http://127.0.0.1:" in done.stderr
    with Sandbox(()) as other:
        secrets = other.line["credentials"]["zoho"]
    for name in ("client_secret", "refresh_token"):
        assert secrets[name] not in done.stderr + done.stdout


def test_run_writes_finds_and_gets(tmp_path):
    """Each command starts a vendor of its own, so one process does it all."""
    with Sandbox(("--contacts", 20, "--accounts", 5)) as sim:
        config = tmp_path / "check.ini"
        config.write_text(f"[endpoint]\nurl = {sim.line['toy']}\ntoken = {sim.line['credentials']['toy']['token']}\n")
        toy = program("toy.so", "connectors")
        done = sdk("run", toy, "--config", config, "push", "contact", "create", "last_name=New", "email=n@example.org",
                   "stamp=inst.1")
        assert done.returncode == 0, done.stderr
        made = json.loads(done.stdout)["result"]
        assert (made["status"], made["created"]) == ("ok", 1)
        [got] = sdk("run", toy, "--config", config, "get", "contact", made["record"]["id"]).stdout.splitlines()
        assert json.loads(got)["record"]["values"]["email"] == "n@example.org"


@pytest.fixture(scope="module", name="toy")
def toy_fixture(tmp_path_factory):
    """run(words...) against one vendor, and what that vendor was asked."""
    with Sandbox(("--contacts", 20, "--accounts", 5)) as sim:
        config = tmp_path_factory.mktemp("toy") / "check.ini"
        config.write_text(f"[endpoint]\nurl = {sim.line['toy']}\ntoken = {sim.line['credentials']['toy']['token']}\n")
        sim.toy = lambda *words: sdk("run", program("toy.so", "connectors"), "--config", config, *words)
        yield sim


@pytest.mark.parametrize("words, said", [
    (["push", "contact", "make", "last_name=X"], 'there is no operation "make"'),
    (["push", "contact"], 'there is no operation ""'),
    (["push", "contact", "create", "surname=X"], 'contact has no field "surname"'),
    (["push", "contact", "create", "last_name"], '"last_name" is no PATH=VALUE'),
    (["push", "contact", "create"], '"create" needs values to write'),
    (["push", "contact", "update", "3"], '"update" needs values to write'),
    (["push", "contact", "update", "3", "4", "phone=1"], '"4" is no PATH=VALUE'),
    (["push", "contact", "update", "phone=1"], '"update" needs the id of a record'),
    (["push", "contact", "delete", "3", "phone=1"], '"delete" writes no values'),
    (["push", "contact", "update", "3", "phone=1", "stamp=a.1"], "a stamp of contact is written at a create alone"),
    (["find", "contact", "email"], '"email" is no PATH=VALUE'),
    (["find", "contact", "mail=x"], 'contact has no field "mail"'),
    (["get", "contact"], "get needs the ids of records")])
def test_what_is_not_understood_is_not_sent(toy, words, said):
    before = toy.dump("toy", "contacts")
    done = toy.toy(*words)
    assert done.returncode == 2 and said in done.stderr and done.stdout == "", done.stderr
    assert toy.dump("toy", "contacts") == before


def test_kinds_are_told_in_words(toy):
    [contact] = [json.loads(line)["kind"] for line in toy.toy("discover").stdout.splitlines() if '"contact"' in line]
    assert {"PULL", "PASS", "CREATE", "UPDATE"} <= set(contact["can"]), contact
    email = contact["fields"]["email"]
    assert email["type"] == "EMAIL" and all(isinstance(f, str) for f in email["flags"]), email


def test_how_a_worker_died_is_said(tmp_path):
    config = tmp_path / "check.ini"
    config.write_text("[endpoint]\nhow = exit\n")
    done = sdk("run", program("hostile.so", "tests/unit/connector/fixtures"), "--config", config, "check")
    assert done.returncode == 1, done
    assert re.search(r"the connector's worker died in check: (exit status|signal) [1-9]", done.stderr), done.stderr


def test_a_throttled_pull_says_how_long(toy):
    toy.fault("429", twin="toy", times=100, retry_after=7)
    done = toy.toy("pull", "contact")
    toy.sim("DELETE", "/faults")
    assert done.returncode != 0 and "it asks to be left alone for 7000 ms (retry_after_ms)" in done.stderr, done


@pytest.mark.parametrize("words, status, said", [
    (["create", "first_name=Nobody"], "invalid", 'record 1 ended with "invalid": '),
    (["update", "99999", "phone=1"], "not found", 'record 1 ended with "not found": ')])
def test_a_record_that_is_refused_is_no_success(toy, words, status, said):
    done = toy.toy("push", "contact", *words)
    assert done.returncode == 1 and said in done.stderr, done.stderr
    assert json.loads(done.stdout)["result"]["status"] == status


@pytest.mark.parametrize("args, status, words", [
    (["run"], 2, "connector and call are missing"),
    (["run", "/nowhere/x.so", "check"], 1, 'no file "/nowhere/x.so"'),
    (["run", DESK, "check"], 7, 'without --config FILE there are no options: "client_id" is missing'),
    (["run", DESK, "--nonsense", "check"], 2, '"--nonsense" is not understood'),
    (["sing"], 2, 'there is no command "sing"')])
def test_what_goes_wrong_is_said(tmp_path, args, status, words):
    done = sdk(*args, cwd=tmp_path)
    assert done.returncode == status, done.stderr
    assert words in done.stderr


def test_an_unknown_call_names_the_calls(tmp_path):
    done = sdk("run", DESK, "--config", desk_config(tmp_path), "fly")
    assert done.returncode == 2 and 'there is no call "fly"' in done.stderr


def test_a_vendor_that_says_nothing_is_named(tmp_path):
    done = sdk("run", DESK, "--config", desk_config(tmp_path, start="true"), "check")
    assert done.returncode == 7 and 'the vendor "true" ended before it said where it is' in done.stderr
