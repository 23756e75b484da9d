"""tools/abi lets through what may change in the connector header and the kit, and stops the rest."""
import os
import pathlib
import re
import shutil
import subprocess

import pytest

SOURCE = pathlib.Path(os.environ["TIELINE_SOURCE_DIR"])
pytestmark = pytest.mark.skipif(not shutil.which("abidiff"), reason="needs abidiff: tools/install-deps test")
HEADER = "sdk/include/tieline.h"


def compared(tmp_path, file=None, pattern="", replacement=""):
    for folder in ("tools", "sdk/include", "sdk/kit", "tests/abi"):
        shutil.copytree(SOURCE / folder, tmp_path / folder)
    if file:
        text, n = re.subn(pattern, replacement, (tmp_path / file).read_text(encoding="utf-8"), count=1, flags=re.M | re.S)
        assert n == 1
        (tmp_path / file).write_text(text, encoding="utf-8")
    done = subprocess.run([tmp_path / "tools/abi"], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_as_released(tmp_path):
    rc, said = compared(tmp_path)
    assert rc == 0 and "\ncompatible with tests/abi/" in said, said


@pytest.mark.parametrize("member, rc", [(r"\1    int64_t appended;\n\2", 0), (r"    int64_t first;\n\1\2", 1)])
def test_members(tmp_path, member, rc):
    """At the end, as the header grows; anywhere else what was built before would read another member."""
    found, said = compared(tmp_path, HEADER, r"(?<=^typedef struct tl_error \{\n)(.*?)(^\} tl_error;)", member)
    assert found == rc, said


def test_a_type_that_changes(tmp_path):
    rc, said = compared(tmp_path, HEADER, r"^(typedef struct tl_error \{.*?)uint32_t", r"\1uint64_t")
    assert rc == 1 and "NOT compatible" in said, said


def test_a_function_of_the_kit_that_is_gone(tmp_path):
    rc, said = compared(tmp_path, "sdk/kit/error.c", r"^tl_status tlk_fail_record\(", "tl_status tlk_renamed(")
    assert rc == 1 and "tlk_fail_record" in said, said
