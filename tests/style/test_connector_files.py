"""Who knows one connector finds his way in all: the files that the guide lists are there under these names, and what a
connector has beside them its README explains."""
import os
import pathlib
import re

import pytest

ROOT = pathlib.Path(os.environ["TIELINE_SOURCE_DIR"])
OPTIONAL = {"prepare.c", "webhook.c"}  # not every vendor has them


def listed():
    part = (ROOT / "docs/connector-guide.md").read_text(encoding="utf-8").split("## One file a part", 1)[1].split("\n## ", 1)[0]
    rows = [line for line in part.splitlines() if line.startswith("| `")]
    return set(re.findall(r"`(\w+\.c)`", " ".join(row.split("|")[1] for row in rows)))


@pytest.mark.parametrize("folder", ["plugins/desk", "plugins/finance", "plugins/salesforce"])
def test_the_files_of_a_connector(folder):
    files = {p.name for p in (ROOT / folder).glob("*.c")}
    headers = {p.name for p in (ROOT / folder).glob("*.h")}
    assert len(listed()) > 12, "the guide's table was not found"
    assert listed() - OPTIONAL - files == set()
    assert headers == {pathlib.PurePath(folder).name + ".h"}
    own = files - listed()
    told = set(re.findall(r"`(\w+\.c)`", (ROOT / folder / "README.md").read_text(encoding="utf-8").split("## Files", 1)[1]))
    assert own <= told, "not explained in its README"


def test_the_example_names_its_parts_alike():
    files = {p.name for p in (ROOT / "sdk/examples/rest").glob("*.c")}
    assert files - listed() == {"options.c"}
