"""From the installed package alone: tieline-sdk new, build, check, sync; and the grade where an admin sees it."""
import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest
from sandboxlib import program

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools/lib"))
import rig


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    """What a package would install, somewhere else; nothing of the source tree is used from here on."""
    folder = tmp_path_factory.mktemp("installed") / "prefix"
    subprocess.run(["cmake", "--install", program("", ""), "--prefix", folder], check=True, stdout=subprocess.DEVNULL)
    return folder


@pytest.fixture(scope="module")
def acme(prefix, tmp_path_factory):
    where = tmp_path_factory.mktemp("author") / "acme"
    env = {**os.environ, "PATH": f"{prefix}/bin:{prefix}/sbin:" + os.environ["PATH"]}
    said = subprocess.run(["tieline-sdk", "new", "acme", where], env=env, capture_output=True, text=True, check=True).stdout
    assert "ctest --test-dir build" in said
    run = lambda *args: subprocess.run(args, check=True, env=env, cwd=where, stdout=subprocess.DEVNULL)
    run("cmake", "-S", ".", "-B", "build", "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={prefix}")
    run("cmake", "--build", "build")
    return where, env


def test_nothing_of_the_example_is_left(acme):
    where, _ = acme
    for file in where.iterdir():
        if file.is_file():
            assert "toy" not in file.read_text().lower() and "@PREFIX@" not in file.read_text(), file
    assert len((where / "acme.c").read_text().splitlines()) < 400


@pytest.fixture(scope="module")
def report(acme):
    where, env = acme
    done = subprocess.run(["tieline-sdk", "check", "build/connectors/acme.so", "--config", "check.ini", "--json", "--save",
                           "--rounds", "20"], cwd=where, env=env, capture_output=True, text=True, check=False, timeout=550)
    return json.loads(done.stdout)


def test_a_crash_has_its_line_and_what_nobody_declares_is_no_program(acme, prefix, tmp_path):
    """Without a build type of the author's own; memmem is in the C library, so it would link and cut its pointer to an int."""
    where, env = acme
    sections = subprocess.run(["readelf", "-SW", where / "build/connectors/acme.so"], capture_output=True, text=True, check=True)
    assert ".debug_line" in sections.stdout
    for file in ("CMakeLists.txt", "acme.c"):
        shutil.copy(where / file, tmp_path)
    with open(tmp_path / "acme.c", "a", encoding="utf-8") as source:
        source.write('const char *found(const char *s);\nconst char *found(const char *s) { return memmem(s, 1, "a", 1); }\n')
    subprocess.run(["cmake", "-S", tmp_path, "-B", tmp_path / "build", f"-DCMAKE_PREFIX_PATH={prefix}"], check=True, env=env,
                   stdout=subprocess.DEVNULL)
    built = subprocess.run(["cmake", "--build", tmp_path / "build"], capture_output=True, text=True, check=False)
    assert built.returncode != 0 and "memmem" in built.stdout + built.stderr


def test_install_puts_connector_and_grade_where_they_are_found_or_asked_for(acme, prefix, report, tmp_path):
    where, _ = acme
    run = lambda *args: subprocess.run(["cmake", "--install", where / "build", *args], check=True, stdout=subprocess.DEVNULL)
    connectors = next((prefix / "lib").rglob("desk.so")).parent
    below = connectors.relative_to(prefix)
    run("--prefix", tmp_path)
    assert sorted(f.name for f in (tmp_path / below).iterdir()) == ["acme.grade", "acme.so"]
    assert not (connectors / "acme.so").exists(), "--prefix was not heeded"
    run()
    assert report["grade"] in (connectors / "acme.grade").read_text()
    assert (connectors / "acme.so").read_bytes() == (where / "build/connectors/acme.so").read_bytes(), "the grade is of that file"


def test_it_is_gold_as_it_comes(report):
    assert [t for t in report["tests"] if t["end"] not in ("ok", "does not apply")] == []
    assert report["grade"] == "gold"


def test_it_syncs_with_the_sandbox_desk_at_once(acme):
    where, env = acme
    done = subprocess.run(["./try"], cwd=where, env=env, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "$ tieline sync start try" in done.stdout and "succeeded" in done.stdout


@pytest.mark.parametrize("name", ["", "Acme", "a-b", "a" * 33, "../x"])
def test_a_wrong_name_is_refused(prefix, tmp_path, name):
    done = subprocess.run([prefix / "bin/tieline-sdk", "new", name], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "is no name of a connector" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_written_over(prefix, tmp_path):
    (tmp_path / "acme").mkdir()
    done = subprocess.run([prefix / "bin/tieline-sdk", "new", "acme"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "File exists" in done.stderr


def test_connector_list_shows_the_grade_of_this_very_file(tmp_path):
    build = program("", "").rstrip("/")
    folder = tmp_path / "connectors"
    folder.mkdir()
    for name in ("desk", "salesforce"):
        shutil.copy(f"{build}/connectors/{name}.so", folder)
    env = {**os.environ, "PATH": program("", "sandbox") + ":" + os.environ["PATH"]}
    config = pathlib.Path(__file__).resolve().parents[2] / "plugins/desk/check.ini"
    subprocess.run([program("tieline-sdk", "bin"), "check", folder / "desk.so", "--config", config, "--save", "--rounds", "20"],
                   check=True, env=env, stdout=subprocess.DEVNULL)
    shutil.copy(folder / "desk.grade", folder / "salesforce.grade")  # of another file
    sandbox = rig.Sandbox(build, "--contacts", 5, "--accounts", 5, "--plan", "plain")
    daemon = Daemon(build, sandbox, directory=str(tmp_path))
    try:
        daemon.start()
        shown = {c["name"]: c.get("grade") for c in daemon.json("connector", "list")}
        assert shown == {"desk": "gold", "salesforce": None}
        assert "gold" in daemon.run("connector", "list").stdout
    finally:
        daemon.stop()
        sandbox.stop()


class Daemon(rig.Daemon):
    def write_ini(self, *args, **more):
        super().write_ini(*args, **more)
        ini = pathlib.Path(self.ini)
        ini.write_text(ini.read_text().replace(f"dir = {self.build}/connectors", f"dir = {self.directory}/connectors"))
