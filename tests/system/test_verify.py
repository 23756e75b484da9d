"""`tieline connector verify` asks what `load` would say, and loads nothing; every file that admission refuses, through both."""
import json
import os
import shutil
import subprocess

import pytest
from systemlib import BUILD, ROOT, Site

TABLE = """#include <tieline.h>
{undefined}
static const tl_connector table = {{.magic = {magic}, .struct_size = sizeof table, .abi_major = {major},
    .abi_minor = TL_ABI_MINOR, .id = "{name}"}};
TL_EXPORT const tl_connector *tieline_connector_v0(void);
const tl_connector *tieline_connector_v0(void) {{ {call} return &table; }}
"""


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return tmp_path_factory.mktemp("connectors")


@pytest.fixture(scope="module")
def site(directory):
    """A daemon whose connector directory is ours to fill."""
    for name in ("desk", "salesforce"):
        shutil.copy(f"{BUILD}/connectors/{name}.so", directory)
    with Site("--contacts", 5, "--accounts", 2, hooks=False) as s:
        with open(s.daemon.ini, encoding="utf-8") as f:
            text = f.read()
        with open(s.daemon.ini, "w", encoding="utf-8") as f:
            f.write(text.replace(f"{BUILD}/connectors", str(directory)))
        s.start()
        s.wait_running()
        yield s


def built(directory, name, magic="TL_MAGIC", major="TL_ABI_MAJOR", undefined=False):
    """A connector of our own, made with what is the matter with it."""
    source = directory / f"{name}.c"
    source.write_text(TABLE.format(name=name, magic=magic, major=major,
                                   undefined="int nobody_has_this(void);" if undefined else "",
                                   call="(void)nobody_has_this();" if undefined else ""), encoding="ascii")
    path = directory / f"{name}.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-I", ROOT / "sdk/include", "-o", path, source], check=True)
    source.unlink()
    path.chmod(0o755)
    return path


def copied(directory, name):
    path = directory / f"{name}.so"
    shutil.copy(directory / "desk.so", path)
    path.chmod(0o644)
    return path


def libtool_archive(directory):
    """Issue row: `.la`"""
    path = directory / "archive.la"
    path.write_text("dlname='desk.so'\nlibrary_names='desk.so'\nlibdir=''\ninstalled=no\n", encoding="ascii")
    return path, "is a libtool archive, which is never loaded"


def symlink(directory):
    """Issue row: symlink"""
    path = directory / "link.so"
    path.symlink_to(directory / "desk.so")
    return path, "is a symbolic link"


def foreign_owner(directory):
    """Issue row: foreign owner"""
    if os.geteuid() != 0:
        pytest.skip("another owner needs root")
    path = copied(directory, "foreign")
    os.chown(path, 65534, 65534)
    return path, "belongs to user 65534, not to root"


def writable_file(directory):
    """Issue row: group-writable file"""
    path = copied(directory, "group")
    path.chmod(0o664)
    return path, "is writable by its group"


def wrong_magic(directory):
    """Issue row: wrong magic"""
    return built(directory, "magic", magic="0x12345678"), "is no tieline connector: magic 12345678"


def wrong_major(directory):
    """Issue row: wrong major"""
    return built(directory, "major", major="TL_ABI_MAJOR + 1"), 'connector "major" speaks ABI 1.'


def undefined_symbol(directory):
    """Issue row: undefined symbol"""
    return built(directory, "undef", undefined=True), "has the undefined symbol: nobody_has_this"


def lacking(directory):
    return built(directory, "bare"), 'lacks the member "name"'


def calling_itself_otherwise(directory):
    return copied(directory, "other"), 'calls itself "desk"'


def a_text(directory):
    path = directory / "text.so"
    path.write_text("not a program\n", encoding="ascii")
    return path, "is no shared object"


def cut_short(directory):
    path = copied(directory, "cut")
    os.truncate(path, 5000)
    return path, "is cut short"


def a_fifo(directory):
    path = directory / "fifo.so"
    os.mkfifo(path)
    return path, "is not a regular file"


MAKERS = [libtool_archive, symlink, foreign_owner, writable_file, wrong_magic, wrong_major, undefined_symbol, lacking,
          calling_itself_otherwise, a_text, cut_short, a_fifo]


def pid(site):
    return site.list("connector", "show", "desk")[0]["pid"]


@pytest.mark.skipif(not shutil.which("gcc"), reason="needs gcc")
@pytest.mark.parametrize("make", MAKERS, ids=[m.__name__ for m in MAKERS])
def test_what_is_refused(site, directory, make):
    """Refused by `verify` with its name and with its path, and by `load`: in the same words; what runs goes on."""
    path, words = make(directory)
    before, known = pid(site), [c["name"] for c in site.list("connector", "list")]
    for what in (path.stem, path):
        done = site.run("connector", "verify", what, check=False)
        assert done.returncode == 1 and words in done.stderr and done.stdout == "", done
        done = site.run("--json", "connector", "verify", what, check=False)
        [verdict] = json.loads(done.stdout)["items"]
        assert done.returncode == 1 and not verdict["admitted"] and words in verdict["error"]["text"], verdict
    done = site.run("connector", "load", path.stem, check=False)
    assert done.returncode not in (0, 4) and words in done.stderr, done
    assert pid(site) == before and [c["name"] for c in site.list("connector", "list")] == known
    path.unlink()


def test_a_directory_that_others_may_write_to(site, directory, tmp_path):
    """Issue row: group-writable parent: that of the file, and one above it."""
    below = tmp_path / "open" / "below"
    below.mkdir(parents=True)
    shutil.copy(directory / "desk.so", below / "desk.so")
    (tmp_path / "open").chmod(0o775)
    done = site.run("connector", "verify", below / "desk.so", check=False)
    assert done.returncode == 1 and f'directory "{tmp_path}/open" is writable by its group' in done.stderr, done
    (tmp_path / "open").chmod(0o755)
    below.chmod(0o775)
    done = site.run("connector", "verify", below / "desk.so", check=False)
    assert done.returncode == 1 and f'directory "{below}" is writable by its group' in done.stderr, done
    assert "chmod go-w" in done.stderr
    directory.chmod(0o775)
    try:
        done = site.run("connector", "load", "salesforce", check=False)
        assert done.returncode != 0
        done = site.run("connector", "reload", "desk", check=False)
        assert done.returncode != 0 and "is writable by its group" in done.stderr, done
    finally:
        directory.chmod(0o755)
    site.wait_running()


def test_what_would_be_loaded(site, directory, tmp_path):
    """Admitted: who it is and whether that is what is loaded. Nothing is loaded, nothing is left, nothing is in the audit."""
    before = pid(site)
    left = sorted(p.name for p in site.state.rglob("*") if "connectors" in p.parts or p.name.startswith("verify"))
    done = site.run("connector", "verify", "desk")
    assert "it would be loaded; nothing was" in done.stderr and "the same is loaded" in done.stdout, done
    shutil.copy(directory / "desk.so", tmp_path / "desk.so")
    with open(tmp_path / "desk.so", "ab") as f:
        f.write(b"\0" * 64)
    [verdict] = json.loads(site.run("--json", "connector", "verify", tmp_path / "desk.so").stdout)["items"]
    assert verdict["admitted"] and verdict["loaded"] == "another one is loaded" and verdict["name"] == "desk", verdict
    assert verdict["path"] == str(tmp_path / "desk.so") and len(verdict["sha256"]) == 64 and verdict["options"]
    assert "grade" not in verdict
    (tmp_path / "desk.grade").write_text(f"grade = silver\nsha256 = {verdict['sha256']}\nheader = 0.1\n")
    graded = site.run("connector", "verify", tmp_path / "desk.so")
    assert "silver" in graded.stdout, graded
    here = subprocess.run([BUILD + "/bin/tieline", "-S", site.daemon.socket, "connector", "verify", "desk.so"], cwd=tmp_path,
                          capture_output=True, text=True, timeout=60)
    assert here.returncode == 0 and str(tmp_path) in here.stdout, here
    assert pid(site) == before
    assert left == sorted(p.name for p in site.state.rglob("*") if "connectors" in p.parts or p.name.startswith("verify"))
    assert not [a for a in site.list("audit", "list") if "verify" in a["act"]]


def test_what_is_not_there(site):
    for what in ("nothere", "/nowhere/nothere.so"):
        assert site.run("connector", "verify", what, check=False).returncode == 4
    done = site.run("connector", "verify", "/etc/passwd", check=False)
    assert done.returncode == 1 and "is no file of a connector" in done.stderr
    assert site.api("POST", "/api/v1/connectors/verify", {}).status == 400
