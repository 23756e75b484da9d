"""The checks of tools/ find what they are for: each is run on a small tree with one planted fault."""

import json
import os
import pathlib
import shutil
import subprocess

import pytest

SOURCE = pathlib.Path(os.environ["TIELINE_SOURCE_DIR"])


@pytest.fixture
def tree(tmp_path):
    shutil.copytree(SOURCE / "tools", tmp_path / "tools")
    for folder in ("core/base", "core/store", "core/sync", "plugins/one", "sdk/kit", "tests", "docs"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "core/base/str.h").write_text("#ifndef STR_H\n#define STR_H\n#endif\n")
    (tmp_path / "core/sync/plan.h").write_text("#ifndef PLAN_H\n#define PLAN_H\n#endif\n")
    (tmp_path / "sdk/kit/kit.h").write_text("#ifndef KIT_H\n#define KIT_H\n#endif\n")
    return tmp_path


def run(tree, *command, **more):
    return subprocess.run([str(tree / command[0]), *command[1:]], capture_output=True, text=True, check=False,
                          stdin=subprocess.DEVNULL, **more)


def test_clean_tree_passes(tree):
    (tree / "core/sync/plan.c").write_text('#include "plan.h"\n#include "str.h"\n')
    (tree / "plugins/one/plugin.c").write_text('#include <string.h>\n#include "kit/kit.h"\n#include "tieline.h"\n')
    found = run(tree, "tools/check-layers")
    assert (found.returncode, found.stdout) == (0, "")


@pytest.mark.parametrize("path, line, words", [
    ("core/base/str.c", '#include "plan.h"', "base may not include"),
    ("core/sync/plan.c", "#include <sqlite3.h>", "only core/store includes sqlite3.h"),
    ("core/sync/plan.c", 'const char *q = "SELECT 1";', "SQL outside core/store"),
    ("core/sync/plan.c", "#include <curl/curl.h>", "only core/http includes curl"),
    ("core/store/db.c", "#include <ltdl.h>", "only core/connector/loader.c"),
    ("core/sync/plan.c", "void *p = dlopen(0, 0);", "loading of modules"),
    ("core/sync/plan.c", "/* as Zoho does */", "names the vendor"),
    ("core/sync/plan.c", "/* desk only */", "names the vendor"),
    ("plugins/one/plugin.c", '#include "str.h"', "a connector may not include"),
    ("plugins/one/plugin.c", "#include <jansson.h>", "a connector may not include"),
    ("sdk/kit/kit.c", "#include <unistd.h>", "the kit may not include"),
])
def test_layers(tree, path, line, words):
    (tree / path).write_text(f"{line}\n")
    found = run(tree, "tools/check-layers")
    assert found.returncode == 1
    assert found.stdout.startswith(f"{path}:1: ")
    assert words in found.stdout


@pytest.mark.parametrize("check, text", [
    ("file-length", "int x;\n" * 801),
    ("function-length", "int f(void)\n{\n" + "    ;\n" * 101 + "}\n"),
    ("line-length", "/* " + "x" * 120 + " */\n"),
    ("line-length", "int x; \n"),
    ("open-work", "/* TO" + "DO: later */\n"),
    ("rulers", "/* ---- Writes\n * " + "-" * 100 + " */\n"),
    ("rulers", "/* ---- Writes " + "-" * 100 + "\n */\n"),
])
def test_style(tree, check, text):
    (tree / "core/base/str.c").write_text(text)
    found = run(tree, "tools/check-style", check)
    assert found.returncode == 1
    assert f"{check}: " in found.stdout


def test_style_can_be_excused_with_a_reason(tree):
    (tree / "core/base/str.c").write_text("/* style-ok: file-length one table */\n" + "int x;\n" * 801)
    assert run(tree, "tools/check-style", "file-length").returncode == 0


def test_headers_must_stand_alone(tree):
    (tree / "core/base/bad.h").write_text("#ifndef BAD_H\n#define BAD_H\nsize_t n(void);\n#endif\n")
    found = run(tree, "tools/check-style", "headers-alone")
    assert found.returncode == 1
    assert "core/base/bad.h" in found.stdout


def stub_dpkg(tree, lacks):
    """A dpkg-query that has everything but one package; no sudo, no apt."""
    stubs = tree / "stubs"
    stubs.mkdir()
    names = [x.split()[1] for x in run(tree, "tools/deps").stdout.splitlines() if x.split()[1] != lacks]
    (stubs / "dpkg-query").write_text("#!/bin/sh\n" + "".join(f"echo installed {n}\n" for n in names))
    (stubs / "id").write_text("#!/bin/sh\necho 1000\n")
    (stubs / "sudo").write_text("#!/bin/sh\nexit 1\n")
    for stub in stubs.iterdir():
        stub.chmod(0o755)
    return {**os.environ, "PATH": f"{stubs}:{os.environ['PATH']}"}


def test_missing_packages_without_root_give_one_line_and_2(tree):
    found = run(tree, "tools/install-deps", env=stub_dpkg(tree, "libsodium-dev"))
    assert (found.returncode, found.stdout) == (2, "")
    lines = [x for x in found.stderr.splitlines() if "apt-get install" in x]
    assert len(lines) == 1
    assert lines[0].endswith("--no-install-recommends libsodium-dev")
    assert "seals secrets" in found.stderr


def test_nothing_missing_is_silent(tree):
    found = run(tree, "tools/install-deps", env=stub_dpkg(tree, None))
    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")


def contract(tree, *arguments):
    found = run(tree, "tools/contract", "--json", "--build", str(tree / "build"), *arguments)
    return found, {r["id"]: r for r in json.loads(found.stdout)["rows"]}


def junit(name, status, printed=""):
    inner = "<failure/>" if status == "fail" else ""
    return (f'<testsuite><testcase name="{name}" status="{status}" time="0">{inner}'
            f"<system-out>{printed}</system-out></testcase></testsuite>")


@pytest.fixture
def claims(tree):
    (tree / "docs/contract.md").write_text("".join(f"| S1-0{n} | area | text {n} | seed |\n" for n in range(1, 7)))
    (tree / "docs/contract-map.md").write_text("## Mapped rows\n\n| S1-04 | `x` | not ours |\n\n## Rows proved in part\n\n"
                                               "| S1-02 | now | later |\n")
    (tree / "tests/test_a.c").write_text(
        "/* proves: S1-01 */\nstatic void good(void **state)\n{\n}\n\n"
        "static void also_good(void **state)\n{\n    /* proves: S1-02 */\n}\n\n"
        "/* proves: S1-03 */\nstatic void bad(void **state)\n{\n}\n")
    (tree / "tests/test_b.py").write_text('def test_x():\n    """proves: S1-05"""\n')
    (tree / "build/results").mkdir(parents=True)
    (tree / "build/compile_commands.json").write_text(json.dumps(
        [{"file": str(tree / "tests/test_a.c"), "command": "cc -o tests/CMakeFiles/suite_a.dir/test_a.c.o"}]))
    return tree


def test_contract_counts_what_passed(claims):
    printed = "[       OK ] good\n[       OK ] also_good\n[  FAILED  ] bad\n"
    (claims / "build/results/unit.xml").write_text(junit("suite_a", "fail", printed))
    found, rows = contract(claims, "--require", "S1-01..S1-04")
    assert [rows[f"S1-0{n}"]["state"] for n in range(1, 7)] == \
        ["proved", "part", "failed", "mapped", "not run", "open"]
    assert rows["S1-01"]["tests"] == ["tests/test_a.c:good"]
    assert rows["S1-02"]["owed"] == "later"
    assert rows["S1-04"]["mapped"] == "`x`: not ours"
    assert (found.returncode, "S1-03" in found.stderr) == (1, True)


def test_contract_wants_the_case_that_names_the_row(claims):
    """Others of the same binary passed: that says nothing of a function that is no case, or did not run."""
    (claims / "build/results/unit.xml").write_text(junit("suite_a", "pass", "[       OK ] good\n"))
    _, rows = contract(claims)
    assert [rows[f"S1-0{n}"]["state"] for n in range(1, 4)] == ["proved", "not run", "not run"]


def test_contract_without_results_proves_nothing(claims):
    _, rows = contract(claims)
    assert {r["state"] for r in rows.values()} == {"not run", "mapped", "open"}


def test_contract_refuses_rows_that_do_not_exist(claims):
    (claims / "tests/test_b.py").write_text('def test_x():\n    """proves: S4-99"""\n')
    found, _ = contract(claims)
    assert found.returncode == 1
    assert "S4-99" in found.stderr


@pytest.mark.parametrize("inner, status, counts", [
    ("", "run", "1 0 0"),
    ("<failure/>", "fail", "0 1 0"),
    ('<skipped message="SKIP_RETURN_CODE=77"/>', "notrun", "0 0 1"),
    ('<skipped message="Unable to find executable"/>', "notrun", "0 1 0"),  # not built: never a skip
])
def test_results_are_counted(tree, inner, status, counts):
    (tree / "build/results").mkdir(parents=True)
    (tree / "build/results/unit.xml").write_text(
        f'<testsuite><testcase name="x" status="{status}" time="0">{inner}<system-out/></testcase></testsuite>')
    found = subprocess.run(["python3", str(tree / "tools/lib/summary.py"), str(tree / "build"), "unit"],
                           capture_output=True, text=True, check=True)
    assert found.stdout.splitlines()[0] == counts
