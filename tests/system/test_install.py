"""What is installed is whole: the documents are there and every link in them leads somewhere."""
import pathlib
import re
import shutil
import subprocess

import pytest
from systemlib import BUILD

SDK = pathlib.Path(__file__).resolve().parents[2] / "sdk"
LINK = re.compile(r"\]\(([^)#\s]+)")


def test_links_of_the_installed_documents(tmp_path):
    subprocess.run(["cmake", "--install", BUILD, "--prefix", str(tmp_path)], check=True, stdout=subprocess.DEVNULL)
    documents = list((tmp_path / "share/doc").rglob("*.md"))
    names = {d.name for d in documents}
    assert {"README.md", "operations.md", "admin.md", "vendors.md", "api.md", "connector-guide.md"} <= names
    dead = []
    for document in documents:
        for target in LINK.findall(document.read_text(encoding="utf-8")):
            if "://" not in target and not (document.parent / pathlib.Path(target)).exists():
                dead.append(f"{document.relative_to(tmp_path)}: {target}")
    assert not dead
    assert (tmp_path / "share/doc/tieline/tieline.ini").exists()


@pytest.mark.skipif(not shutil.which("lowdown") or not shutil.which("mandoc"), reason="lowdown makes them, mandoc reads them")
def test_manual_pages(tmp_path):
    subprocess.run(["cmake", "--install", BUILD, "--prefix", str(tmp_path)], check=True, stdout=subprocess.DEVNULL)
    pages = sorted(p for p in (tmp_path / "share/man").rglob("*") if p.is_file())
    assert [p.name for p in pages] == ["tieline-sandbox.1", "tieline-sdk.1", "tieline.1", "tieline-kit.3",
                                       "tieline.h.3", "tieline-connector-guide.7", "tielined.8"]
    subprocess.run(["mandoc", "-Tlint", "-W", "error", *pages], check=True)
    read = {p.name: subprocess.run(["mandoc", "-Tascii", p], capture_output=True, text=True, check=True).stdout for p in pages}
    read = {name: re.sub(r".\x08", "", text) for name, text in read.items()}
    assert "tieline-sdk check X.so" in read["tieline-sdk.1"] and "pull KIND" in read["tieline-sdk.1"]
    kit = [p for p in (SDK / "kit").glob("*.h") if p.name != "kit.h" and not p.name.endswith("_int.h")]
    for page, headers in (("tieline.h.3", [SDK / "include/tieline.h"]), ("tieline-kit.3", kit)):
        declared = re.findall(r"\bTLK?_[A-Z]\w+|\btlk?_\w+|\(\*\w+", "".join(p.read_text(encoding="utf-8") for p in headers))
        guards = {f"TLK_{p.stem.upper()}_H" for p in headers}
        assert len(declared) > 300 and {d.lstrip("(*") for d in declared} - guards <= set(re.findall(r"\w+", read[page])), page
    assert "endpoint check" in read["tieline.1"] and "Before you publish" in read["tieline-connector-guide.7"]
