"""tieline-sdk with a connector of header 0.2: lists and actions by hand, the checks of both groups, and that each finds
what it is for."""
import json
import os
import pathlib
import subprocess

import pytest
from sandboxlib import Sandbox, program

ROOT = pathlib.Path(__file__).resolve().parents[2]
ENV = {**os.environ, "PATH": program("", "sandbox") + ":" + os.environ["PATH"]}
CHECK_INI = ROOT / "sdk/examples/toy/check.ini"
SDK = program("tieline-sdk", "bin")


def build(folder, replace=()):
    """toy.so with lists and actions beside, with some of its text replaced."""
    text = (ROOT / "tests/sdk/beside.c").read_text(encoding="utf-8")
    for old, new in replace:
        assert old in text, f"beside.c no longer has: {old}"
        text = text.replace(old, new)
    source, so = folder / "beside.c", folder / "toy.so"
    source.write_text(text, encoding="utf-8")
    subprocess.run(["cc", "-std=gnu17", "-O1", "-w", "-shared", "-fPIC", "-fvisibility=hidden", f"-I{ROOT}/sdk/include",
                    f"-I{ROOT}/sdk", f"-I{ROOT}/sdk/examples/toy", str(source), program("libtieline_kit.a", "sdk/kit"),
                    "-Wl,-z,defs", "-Wl,-z,now", f"-Wl,--version-script={ROOT}/sdk/cmake/tieline-connector.map", "-o", str(so)],
                   check=True)
    return so


@pytest.fixture(scope="module", name="toy")
def toy_fixture(tmp_path_factory):
    """run(words...) of the connector against one vendor."""
    folder = tmp_path_factory.mktemp("beside")
    so = build(folder)
    with Sandbox(("--contacts", 20, "--accounts", 5)) as sim:
        config = folder / "check.ini"
        config.write_text(f"[endpoint]\nurl = {sim.line['toy']}\ntoken = {sim.line['credentials']['toy']['token']}\n")
        sim.token = sim.line["credentials"]["toy"]["token"]
        sim.run = lambda *words: subprocess.run([SDK, "run", str(so), "--config", str(config), *map(str, words)],
                                                capture_output=True, text=True, timeout=120, check=False)
        yield sim


def items(done, code=0):
    assert done.returncode == code, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("mode", [[], ["--in-process"]])
def test_discover_tells_of_lists_and_actions(toy, mode):
    found = items(toy.run(*mode, "discover"))
    [lead] = [x["kind"] for x in found if "kind" in x and x["kind"]["kind"] == "lead"]
    assert (lead["about"], lead["filters"]) == ("contact", "even")
    actions = {x["action"]["name"]: x["action"] for x in found if "action" in x}
    assert actions["add"]["flags"] == ["CREATES", "LOOKS"] and actions["add"]["rights"] == ["CREATE"]
    assert actions["card"]["params"]["card"]["type"] == "BLOB" and actions["card"]["help"] == "As a file"


@pytest.mark.parametrize("mode", [[], ["--in-process"]])
def test_a_list_is_read_page_by_page(toy, mode):
    found = items(toy.run(*mode, "list", "lead", "--about", "contact:10", "--page-size", 2))
    assert [x["record"]["id"] for x in found if "record" in x] == ["9", "8", "7", "6", "5"]
    assert [x["checkpoint"]["complete"] for x in found if "checkpoint" in x] == [False, False, True]
    found = items(toy.run(*mode, "list", "lead", "--about", "contact:10", "--filter", "even", "--pages", 1))
    assert [x["record"]["id"] for x in found if "record" in x] == ["8", "6"]


@pytest.mark.parametrize("words, said", [
    (["list", "lead"], "list needs the record it is about"),
    (["list", "lead", "--about", "account:1"], 'there are no lists of lead about "account"'),
    (["list", "lead", "--about", "contact:9", "--filter", "odd"], 'lists of lead have no part "odd"'),
    (["act", "contact", "paint", "9"], 'contact has no action "paint"'),
    (["act", "contact", "rename"], '"rename" needs the id of a record'),
    (["act", "contact", "add", "9"], '"add" makes a record, which has no id yet'),
    (["act", "contact", "rename", "9", "--set", "colour=red"], 'rename has no field "colour"'),
    (["act", "contact", "card", "9", "--set", "card=photo"], 'is a file: write "@PATH"'),
])
def test_what_is_not_understood_is_not_sent(toy, words, said):
    done = toy.run(*words)
    assert (done.returncode, said in done.stderr) == (2, True), done.stderr


def test_unknown_records_are_said(toy):
    for words in (["list", "lead", "--about", "contact:99999"], ["act", "contact", "card", "99999"]):
        done = toy.run(*words)
        assert done.returncode != 0 and "not found" in done.stderr, done.stderr


@pytest.mark.parametrize("mode", [[], ["--in-process"]])
def test_an_action_is_shown_done_and_looked_for(toy, mode):
    key = "key-" + ("in" if mode else "out")
    add = [*mode, "act", "contact", "add", "--set", "last_name=Neu", "--stamp", key]
    done = toy.run(*add, "-n", "--trace")
    [shown] = items(done)
    assert shown["would_send"]["method"] == "POST" and shown["would_send"]["url"].endswith("/toy/contacts")
    assert json.loads(shown["would_send"]["body"]) == {"last_name": "Neu", "ref": key}
    assert toy.token not in done.stdout + done.stderr
    assert toy.run(*add, "--look").returncode != 0, "it was only shown"
    [made] = items(toy.run(*add))
    assert made["result"]["status"] == "ok" and made["result"]["created"] == 1
    [seen] = items(toy.run(*add, "--look"))
    assert seen["result"]["record"]["id"] == made["result"]["record"]["id"]
    contact = made["result"]["record"]["id"]
    items(toy.run(*mode, "act", "contact", "rename", contact, "--set", "last_name=Anders"))
    [got] = items(toy.run(*mode, "get", "contact", contact))
    assert got["record"]["values"]["last_name"] == "Anders"


@pytest.mark.parametrize("mode", [[], ["--in-process"]])
def test_a_file_is_handed_over(toy, tmp_path, mode):
    [found] = items(toy.run(*mode, "act", "contact", "card", "7", "--out", tmp_path / "card.vcf"))
    file = found["result"]["record"]["values"]["card"]
    text = (tmp_path / "card.vcf").read_bytes()
    assert file == {"name": "contact.vcf", "media_type": "text/vcard", "bytes": len(text)}
    assert text.startswith(b"BEGIN:VCARD\r\nN:") and text.endswith(b"END:VCARD\r\n")


# ---- check

def report(so, *args):
    done = subprocess.run([SDK, "check", str(so), "--config", str(CHECK_INI), "--json", *args], capture_output=True,
                          text=True, env=ENV, timeout=300, check=False)
    assert done.returncode in (0, 1), done.stderr
    return {t["name"]: t for t in json.loads(done.stdout)["tests"]}


@pytest.mark.parametrize("group", ["view", "action", "discover", "handshake"])
def test_it_passes(tmp_path, group):
    found = report(build(tmp_path), "--only", group, "--seed", "3")
    assert [(t["name"], t["end"], t["why"]) for t in found.values() if t["end"] != "ok"] == []


@pytest.mark.parametrize("group", ["view", "action"])
def test_a_connector_without_them_is_told_why(group):
    found = report(program("toy.so", "connectors"), "--only", group)
    assert {t["end"] for t in found.values()} == {"does not apply"}
    assert all(t["why"] for t in found.values())


MUTANTS = {
    "a list that ends early": ([("bool end = id <= 0", "bool end = q->limit < 10 || id <= 0")], "view.pages", "is missing"),
    "a part of its own": ([('"%d", (int)id), &root, e);\n        if (rc == TL_E_NOT_FOUND)',
                            '"%d", (int)(q->filter.n ? about : id)), &root, e);\n        if (rc == TL_E_NOT_FOUND)')],
                          "view.filters", "which the whole does not"),
    "an empty list about nobody": (
        [("    if (rc != TL_OK)\n        return rc;\n    tlk_to_i64(q->about_id",
          "    if (rc == TL_E_NOT_FOUND)\n        return tlk_checkpoint(c->host, 0, true, TLK_NONE, 0, 0);\n"
          "    if (rc != TL_OK)\n        return rc;\n    tlk_to_i64(q->about_id")], "view.unknown", 'ended with "ok"'),
    "an error is an end": ([("if (rc == TL_E_NOT_FOUND)\n            continue;", "if (rc != TL_OK)\n            continue;")],
                           "view.broken", "ended with success"),
    "no id of what was made": ([("return tlk_result_ok(c->host, 0, created, &post);",
                                 "return tlk_result_ok(c->host, 0, created, NULL);")], "action.once",
                               "does not tell its id"),
    "what reads writes": ([('        return card(c, q, e);',
                            '        return write_one(c, q, "PATCH", '
                            'tlk_fmt(&c->call, "/%.*s", TLK_FMT(q->record->id)).p, false);')],
                          "action.reads", "have TL_HTTP_WRITE"),
    "on after a no": ([("tlk_result_fail(c->host, 0, tlk_write_status(&r, rc), &own);",
                        "rc == TL_E_CANCELLED ? done(c, q, NULL, create) : tlk_result_fail(c->host, 0, "
                        "tlk_write_status(&r, rc), &own);")], "action.shown", "goes on after TL_E_CANCELLED"),
    "a flag forgotten": ([("tl_status rc = ask(c, method, path, tlk_w_lent(&w), &r, &root, &own);",
                           "tlk_request(&r, method, tlk_fmt(&c->call, \"%s%s\", c->contacts.p, path), 0);\n"
                           "    tlk_request_json(&r, &c->call, tlk_w_lent(&w));\n"
                           "    tl_status rc = tlk_call(c->host, &r, &errors, &c->json, &root, &own);")],
                         "action.shown", "no request of it has TL_HTTP_WRITE"),
    "a lost answer is a no": ([("tlk_result_fail(c->host, 0, tlk_write_status(&r, rc), &own)",
                                "tlk_result_fail(c->host, 0, r.outcome ? TL_E_TEMPORARY : rc, &own)")],
                              "action.lost_answer", 'instead of "unknown"'),
    "everything was done": ([('tlk_fail(e, TL_E_NOT_FOUND, "it has another name")', "done(c, q, root, false)")],
                            "action.looks", "never done"),
    "the key is not written": ([('tlk_w_member(&w, "ref", q->record->stamp);', ";")], "action.looks",
                               "then looked for"),
    "a write to nobody": ([("tl_status rc = ask(c, method, path", "tl_status rc = TL_OK; if (!create) { const tlk_node *x; "
                            "contact(c, q->record->id, &x, &own); if (!x) return done(c, q, NULL, false); }\n"
                            "    rc = ask(c, method, path")], "action.unknown", 'ended with "ok"'),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_each_check_finds_what_it_is_for(tmp_path, name):
    replace, test, words = MUTANTS[name]
    found = report(build(tmp_path, replace), "--only", test, "--seed", "3")
    assert (found[test]["end"], words in found[test]["why"]) == ("failed", True), found[test]
