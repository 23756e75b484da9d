"""tieline-sdk check: the connectors of this tree are gold against their twins, and each test finds what it is for: the
toy example is made worse in one place, and the test that is about it fails."""
import csv
import json
import os
import pathlib
import subprocess

import pytest
from sandboxlib import program

ROOT = pathlib.Path(__file__).resolve().parents[2]
ENV = {**os.environ, "PATH": program("", "sandbox") + ":" + os.environ["PATH"]}
TOY = ROOT / "sdk/examples/toy"


def check(so, config, *args):
    done = subprocess.run([program("tieline-sdk", "bin"), "check", str(so), "--config", str(config), *map(str, args)],
                          capture_output=True, text=True, env=ENV, timeout=300, check=False)
    return done


def report(so, config, *args):
    done = check(so, config, "--json", *args)
    assert done.returncode in (0, 1), done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("name, folder", [("desk", "plugins/desk"), ("salesforce", "plugins/salesforce"),
                                          ("finance", "plugins/finance"),
                                          ("toy", "sdk/examples/toy"), ("csvdir", "sdk/examples/csvdir"),
                                          ("rest", "sdk/examples/rest")])
@pytest.mark.parametrize("seed", [1, 2])
def test_own_connectors_are_gold(name, folder, seed):
    found = report(program(name + ".so", "connectors"), ROOT / folder / "check.ini", "--seed", seed)
    bad = [(t["name"], t["end"], t["why"]) for t in found["tests"] if t["end"] not in ("ok", "does not apply")]
    assert bad == [] and found["grade"] == "gold"
    assert all(t["why"] for t in found["tests"] if t["end"] == "does not apply"), "no skip without a reason"


def test_csvdir_is_short():
    files = (ROOT / "sdk/examples/csvdir").glob("csv*.[ch]")
    assert sum(bool(line.strip()) for f in files for line in f.read_text(encoding="utf-8").splitlines()) < 600


def test_csvdir_numbers_typed_rows_and_keeps_strange_columns(tmp_path):
    """A row that a person typed gets an id that stays; columns nobody knows, quotes and line breaks survive a write."""
    (tmp_path / "contact.csv").write_bytes(b'\xef\xbb\xbflast_name,remark\r\n"A, ""B""\nC",keep me\r\nPlain,\r\n')
    config = tmp_path / "check.ini"
    config.write_text(f"[endpoint]\ndir = {tmp_path}\n", encoding="utf-8")
    run = lambda *words: subprocess.run(
        [program("tieline-sdk", "bin"), "run", program("csvdir.so", "connectors"), "--config", config, *words],
        capture_output=True, text=True, check=True).stdout
    for _ in range(2):
        records = [json.loads(line)["record"] for line in run("pull", "contact").splitlines() if "record" in line]
        assert [(r["id"], r["values"]["last_name"]) for r in records] == [("1", 'A, "B"\nC'), ("2", "Plain")]
    run("push", "contact", "create", "last_name=Third", "stamp=inst.1")
    again = json.loads(run("push", "contact", "create", "last_name=Third", "stamp=inst.1"))["result"]
    assert (again["created"], again["record"]["id"]) == (0, "3")
    run("push", "contact", "delete", "2")
    with open(tmp_path / "contact.csv", newline="", encoding="utf-8") as f:
        rows = list(csv.DictReader(f))
    assert [(r["id"], r["last_name"], r["remark"], r["tieline"]) for r in rows] == [
        ("1", 'A, "B"\nC', "keep me", ""), ("3", "Third", "", "inst.1")]


LINK = ["-Wl,-z,defs", "-Wl,-z,now", f"-Wl,--version-script={ROOT}/sdk/cmake/tieline-connector.map"]


def worse(folder, replace=(), link=None, more=()):
    """toy.so with some of its text replaced."""
    text = (TOY / "toy.c").read_text(encoding="utf-8")
    for old, new in replace:
        assert old in text, f"toy.c no longer has: {old}"
        text = text.replace(old, new)
    source = folder / "toy.c"
    source.write_text(text, encoding="utf-8")
    so = folder / "toy.so"
    subprocess.run(["cc", "-std=gnu17", "-O1", "-w", "-shared", "-fPIC", "-fvisibility=hidden", f"-I{ROOT}/sdk/include",
                    f"-I{ROOT}/sdk", str(source), program("libtieline_kit.a", "sdk/kit"), *(LINK if link is None else link),
                    *more, "-o", str(so)], check=True)
    return so


START_THREAD = """#include <pthread.h>
static void *idle(void *p) { for (;;) __builtin_ia32_pause(); return p; }
static tl_status toy_open("""
MUTANTS = {
    "two symbols": ([("static tl_status toy_open(", "TL_EXPORT int toy_more(void) { return 1; }\n"
                      "static tl_status toy_open(")], "binary.symbols", {"link": ["-Wl,-z,defs"]}, 'also exports "toy_more"'),
    "a library with sockets": ([], "binary.libraries", {"more": ["-Wl,--no-as-needed", "-lcurl"]}, "needs libcurl"),
    "a search path": ([], "binary.hardening", {"more": ["-Wl,-rpath,/opt/lib"]}, "search path"),
    "another id": ([('.id = "toy"', '.id = "other"')], "handshake.loads", {}, 'calls itself "other"'),
    "a socket in a constructor": (
        [("static tl_status toy_open(", "#include <sys/socket.h>\n__attribute__((constructor)) static void early(void) "
          "{ socket(AF_INET, SOCK_STREAM, 0); }\nstatic tl_status toy_open(")], "handshake.quiet", {}, "signal 31"),
    "an extension that is none": (
        [('strcmp(id, "tl.auth/1") == 0 ?', '!strcmp(id, "tl.auth/1") || !strcmp(id, "tl.nothing/1") ?')],
        "handshake.same_table", {}, "answers with something"),
    "no help": ([('.help = "its API token"', '.help = ""')], "config.options", {}, 'option "token" has no help'),
    "an open secret": ([(".type = TL_OPT_SECRET", ".type = TL_OPT_TEXT")], "config.options", {}, "sounds like a secret"),
    "a leak": ([("tlk_arena_done(&c->keep), free(c);", "tlk_arena_done(&c->keep);")], "lifecycle.many", {}, "bytes"),
    "a thread": ([("static tl_status toy_open(", START_THREAD),
                  ("    *out = c;", "    pthread_t t; pthread_create(&t, NULL, idle, NULL);\n    *out = c;")],
                 "lifecycle.unload", {"more": ["-lpthread"]}, ""),
    "no org": ([('.org_key = TL_STR("toy"), ', "")], "discover.account", {}, "org_key"),
    "a word of its own": ([('"phone", TL_STR("phone")', '"telephone", TL_STR("phone")')], "discover.vocabulary", {},
                          'field "telephone": the vocabulary has no such path'),
    "another form": ([('TL_STR("E-mail"), TL_EMAIL', 'TL_STR("E-mail"), TL_INT')], "discover.vocabulary", {},
                     'by the vocabulary it is text: describe it as text, or as "x.email"'),
    "no label": ([('TL_STR("E-mail")', 'TLK_NONE')], "discover.fields", {}, "no label"),
    "a cursor that stands still": ([('tlk_cursor_set(at, &c->call, "since", records[n].version);', ""),
                                    ('tlk_cursor_set(at, &c->call, "after", records[n].id);', "")], "pull.whole", {}, ""),
    "a cursor too far on": ([('tlk_cursor_set(at, &c->call, "since", records[n].version);',
                              'char far[32]; tlk_cursor_set(at, &c->call, "since", tlk_str(tlk_time_text(far, '
                              'records[n].modified_us + INT64_C(31536000000000))));')], "pull.again", {}, "is missing"),
    "a new instance does not know the place": (
        [("    for (uint32_t page = 0; rc == TL_OK", '    if (at.n && p->mode == TL_PULL_PASS && !c->json.cap)\n        '
          'tlk_cursor_set(&at, &c->call, "since", tlk_str(tlk_time_text(text, c->host->now_us(c->host))));\n'
          "    for (uint32_t page = 0; rc == TL_OK")], "pull.resume", {}, "is missing"),
    "every cursor is fine": ([("return tlk_cursor_lost(e);", "at.n = 0;")], "pull.garbage_cursor", {}, "garbage"),
    "checkpoint before the records": (
        [("rc = tlk_emit(c->host, records, n);\n", ""),
         ("return rc == TL_OK ? tlk_checkpoint(c->host, p->mode, !*more, cursor, r.server_us, -1) : rc;",
          "rc = tlk_checkpoint(c->host, p->mode, !*more, cursor, r.server_us, -1);\n"
          "    return rc == TL_OK ? tlk_emit(c->host, records, n) : rc;")], "pull.interrupted", {}, "look"),
    "deletions left out": ([("n += p->mode == TL_PULL_CHANGES || records[n].state == TL_STATE_LIVE;",
                             "n += records[n].state == TL_STATE_LIVE;")], "pull.changes", {}, "deletion"),
    "errors swallowed": ([("    if (rc != TL_OK)\n        return rc;\n    const tlk_node *list",
                           "    if (rc != TL_OK)\n        *more = false, rc = TL_OK;\n    const tlk_node *list")],
                         "pull.broken_answers", {}, "is missing"),
    "a stamp that is not written": ([("if (create && rec->stamp.n > 0)", "if (0)")], "push.stamp", {},
                                    'tells the stamp ""'),
    "a stamp looked for in the shape": (
        [("const tlk_envelope envelope = envelope_of(q->stamp_field);",
          'const tlk_envelope envelope = envelope_of(tlk_field_by_name(q->shape, TL_STR("ref")) ? q->stamp_field '
          ": TLK_NONE);")], "push.stamp", {}, 'tells the stamp ""'),
    "a pass that knows no stamp": (
        [("    const tlk_envelope envelope = envelope_of(p->stamp_field);\n    tl_record *records",
          "    const tlk_envelope envelope = envelope_of(TLK_NONE);\n    tl_record *records")], "push.stamp", {}, "a pass of"),
    "no answer to an id": ([("rc = tlk_emit(c->host, &rec, 1);", "if (i % 2) rc = tlk_emit(c->host, &rec, 1);")], "get.all",
                           {}, "answers"),
    "an unknown id is passed over": ([("rc = tlk_emit(c->host, &rec, 1);",
                                      "rc = rc == TL_OK ? tlk_emit(c->host, &rec, 1) : TL_OK;")],
                                     "get.all", {}, "which no record has"),
    "a cursor one second on": (
        [('tlk_cursor_set(at, &c->call, "since", records[n].version);',
          'char far[32]; tlk_cursor_set(at, &c->call, "since", tlk_str(tlk_time_text(far, records[n].modified_us / 1000000 '
          '* 1000000 + 1000000)));')], "pull.ties", {}, "is not among"),
    "pages by number": (
        [("    tlk_cursor_set(at, &c->call, \"after\", records[n].id);\n", ""),
         ('tlk_cursor_set(at, &c->call, "since", records[n].version);', "skipped++;"),
         ("    uint32_t n = 0;\n    for (tlk_iter",
          "    uint32_t n = 0, skipped = 0, start = 0, seen = 0;\n    for (uint32_t i = 0; i < at->n; i++)\n        "
          "if (tlk_is(at->member[i].name, \"start\"))\n            start = (uint32_t)strtoul("
          "at->member[i].value.p, NULL, 10);\n    for (tlk_iter"),
         ("        n += p->mode", "        if (records[n].state != TL_STATE_LIVE || seen++ < start || n >= 10)\n            "
          "continue;\n        n += p->mode"),
         ('    tlk_bool(tlk_get(root, "more"), more);', '    *more = n == 10; tlk_cursor_set(at, &c->call, "start", '
          'tlk_fmt(&c->call, "%u", start + n));'),
         ('    tlk_url_add_int(&u, "limit", p->page_hint ? p->page_hint : 200);', '    tlk_url_add_int(&u, "limit", 200);')],
        "pull.moving", {}, "is not among"),
    "memory of a pull": ([("    bool more = true;\n", "    bool more = true; memset(malloc(100000), 1, 100000);\n")],
                         "lifecycle.pulls", {}, "leave"),
    "a writable global": ([("static tl_status toy_open(", "static int counter;\nstatic tl_status toy_open("),
                           ("    *out = c;", "    *out = c; counter++;")], "binary.globals", {}, '"counter" is a writable'),
    "a writable global without its name": (
        [("static tl_status toy_open(", "static char counters[100];\nstatic tl_status toy_open("),
         ("    *out = c;", "    *out = c; counters[getenv(\"PATH\") != 0]++;")], "binary.globals", {"more": ["-s"]},
        "bytes of writable globals"),
    "a socket of its own": ([("    *out = c;", "    *out = c; int socket(int, int, int); socket(2, 1, 0);")],
                            "binary.imports", {}, 'it calls "socket": HTTP is host->http'),
    "a clock of its own": ([("c->host->now_us(c->host)", "(int64_t)time(NULL) * 1000000"),
                            ("#include <stdlib.h>", "#include <stdlib.h>\n#include <time.h>")], "binary.imports", {},
                           'it calls "time": the only clock is host->now_us'),
    "a type that is none": ([('TL_STR("Company"), TL_TEXT', 'TL_STR("Company"), 99')], "discover.vocabulary", {},
                            "unknown type 99"),
    "the wrong index": ([("rec.index = i;", "rec.index = 0;")], "get.all", {}, "index"),
    "lost is failed": ([("tlk_write_status(&r, rc)", "TL_E_TEMPORARY")], "push.lost_answer", {}, "whose answer was lost"),
    "500 is failed": ([("tlk_write_status(&r, rc)", "rc")], "push.refused", {}, "it may have been applied"),
    "unsent is unknown": ([("tlk_write_status(&r, rc)", "TL_E_UNKNOWN")], "push.not_sent", {}, "never sent"),
    "done without asking": ([("    return rc == TL_OK ? tlk_result_ok(c->host, index, create, root ? &post : NULL)\n"
                              "                       :", "    return rc == TL_OK || rc == TL_E_TEMPORARY ? tlk_result_ok("
                              "c->host, index, create, root ? &post : NULL)\n                       :")],
                            "robustness.broken_pushes", {}, "is reported as done"),
    "a result is missing": ([("for (uint32_t i = 0; i < p->batch->count && rc == TL_OK; i++)",
                              "for (uint32_t i = 1; i < p->batch->count && rc == TL_OK; i++)")], "push.create", {}, "result"),
    "one bad record spoils all": ([("rc = push_one(c, p, &plan, i);",
                                    "if ((rc = push_one(c, p, &plan, i)) == TL_OK && p->batch->count > 1 && i == 1) "
                                    "rc = tlk_fail(e, TL_E_INVALID, \"bad\");")], "push.partial", {}, "bad"),
    "nothing can be emptied": ([("tlk_record_write(&w, p->shape, rec, NULL);",
                                 "if (rec->n_values != 1) tlk_record_write(&w, p->shape, rec, NULL);")], "push.empty", {},
                               "still has a value"),
    "gone is invalid": ([("return rc == TL_OK ? tlk_result_ok(c->host, index",
                          "if (rc == TL_E_NOT_FOUND) rc = TL_E_INVALID;\n    return rc == TL_OK ? tlk_result_ok(c->host, index")],
                        "push.delete", {}, 'ends with "invalid"'),
    "wait forgotten": ([("    return tlk_call(c->host, r, &errors, &c->json, root, e);",
                         "    tl_status rc = tlk_call(c->host, r, &errors, &c->json, root, e);\n    e->retry_after_ms = 0;\n"
                         "    return rc;")], "pull.throttled", {}, "0 ms"),
    "down is a bad record": ([("    return tlk_call(c->host, r, &errors, &c->json, root, e);",
                               "    tl_status rc = tlk_call(c->host, r, &errors, &c->json, root, e);\n"
                               "    return rc == TL_E_TEMPORARY ? TL_E_INVALID : rc;")], "pull.vendor_down", {}, "invalid"),
    "signed out is down": ([("    return tlk_call(c->host, r, &errors, &c->json, root, e);",
                             "    tl_status rc = tlk_call(c->host, r, &errors, &c->json, root, e);\n"
                             "    return rc == TL_E_AUTH ? TL_E_TEMPORARY : rc;")], "pull.signed_out", {}, "temporary"),
    "it trusts what it reads": ([('    tlk_bool(tlk_get(root, "more"), more);',
                                  '    *more = tlk_get(root, "more")->type == TLK_JTRUE;')], "fuzz.answers",
                                 {"args": ["--rounds", 3000]}, "signal 11"),
    "another word in a worker": (
        [('TL_STR("First name")', 'getenv("PATH") ? TL_STR("First name") : TL_STR("First")')],
        "equivalence.worker", {}, "in a worker it says something else"),
    "a hang": ([("    tlk_fields list = {.arena = &c->call};", "    for (;;) __builtin_ia32_pause();\n    tlk_fields list = "
                 "{.arena = &c->call};")], "discover.twice", {"args": ["--limit", 2]}, "no end after 2 s"),
    "it leaves": ([("    tlk_fields list = {.arena = &c->call};", "    exit(0);\n    tlk_fields list = {.arena = &c->call};")],
                  "discover.twice", {}, "ended by itself"),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_each_test_finds_what_it_is_for(tmp_path, name):
    replace, test, how, words = MUTANTS[name]
    so = worse(tmp_path, replace, how.get("link"), how.get("more", ()))
    [found] = report(so, TOY / "check.ini", "--only", test, "--seed", 1, *how.get("args", ()))["tests"]
    assert found["end"] == "failed", "the fault was not found"
    assert words in found["why"], found["why"]


def test_a_push_without_a_result_is_said(tmp_path):
    so = worse(tmp_path, [("for (uint32_t i = 0; i < p->batch->count && rc == TL_OK; i++)", "for (uint32_t i = 1; i < 1; i++)")])
    done = subprocess.run([program("tieline-sdk", "bin"), "run", so, "--config", TOY / "check.ini", "push", "contact", "create",
                           "last_name=New"], capture_output=True, text=True, env=ENV, check=False)
    assert done.returncode == 1 and "without a result for record 1" in done.stderr, done.stderr


def test_a_bypass_is_printed_and_costs_the_grade(tmp_path):
    config = tmp_path / "check.ini"
    config.write_text((TOY / "check.ini").read_text() + "[bypass]\npush.restore = the bin is emptied every night\n")
    done = check(program("toy.so", "connectors"), config, "--seed", 1)
    assert done.returncode == 0
    assert "# SKIP bypassed: the bin is emptied every night" in done.stdout
    assert done.stdout.splitlines()[0] == "TAP version 13" and done.stdout.rstrip().endswith("# grade: bronze")


def test_without_a_vendor_only_the_file_is_judged(tmp_path):
    done = subprocess.run([program("tieline-sdk", "bin"), "check", program("toy.so", "connectors")], capture_output=True,
                          text=True, cwd=tmp_path, check=False)
    assert done.returncode == 1 and done.stdout.rstrip().endswith("# grade: none")
    assert "not run: there is no check.ini" in done.stdout
    assert "tests did not run: there is no check.ini" in done.stderr and "--config FILE" in done.stderr


@pytest.mark.parametrize("lines, words", [
    ("[check]\nkinds = contact, lead\n", '[check] kinds: there is no kind "lead"; discover tells of contact'),
    ("[check]\nkind = contact\n", '[check]: there is no key "kind"'),
    ("[bypass]\npush.sing = it cannot\n", '[bypass]: there is no test "push.sing"')])
def test_words_of_check_ini_that_nobody_reads_are_refused(tmp_path, lines, words):
    config = tmp_path / "check.ini"
    config.write_text((TOY / "check.ini").read_text() + lines)
    done = check(program("toy.so", "connectors"), config, "--seed", 1)
    assert done.returncode == 7 and words in done.stderr, done.stdout + done.stderr
    assert "# grade" not in done.stdout


def test_a_bypass_of_bronze_is_no_success(tmp_path):
    config = tmp_path / "check.ini"
    config.write_text((TOY / "check.ini").read_text() + "[bypass]\ndiscover.account = never told\n")
    done = check(program("toy.so", "connectors"), config, "--seed", 1)
    assert done.returncode == 1 and done.stdout.rstrip().endswith("# grade: none"), done.stderr
    assert "a test of bronze is bypassed" in done.stderr


def test_the_list_names_every_test():
    done = subprocess.run([program("tieline-sdk", "bin"), "check", "--list"], capture_output=True, text=True, check=True)
    names = [line.split()[1] for line in done.stdout.splitlines()]
    assert len(names) == len(set(names)) > 40 and {m[1] for m in MUTANTS.values()} <= set(names)
