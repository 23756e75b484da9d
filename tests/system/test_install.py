"""What is installed is whole: the documents are there and every link in them leads somewhere."""
import pathlib
import re
import subprocess

from systemlib import BUILD

LINK = re.compile(r"\]\(([^)#\s]+)")


def test_links_of_the_installed_documents(tmp_path):
    subprocess.run(["cmake", "--install", BUILD, "--prefix", str(tmp_path)], check=True, stdout=subprocess.DEVNULL)
    documents = list((tmp_path / "share/doc").rglob("*.md"))
    names = {d.name for d in documents}
    assert {"README.md", "operations.md", "admin.md", "vendors.md", "api.md", "connectors.md"} <= names
    dead = []
    for document in documents:
        for target in LINK.findall(document.read_text(encoding="utf-8")):
            if "://" not in target and not (document.parent / pathlib.Path(target)).exists():
                dead.append(f"{document.relative_to(tmp_path)}: {target}")
    assert not dead
    assert (tmp_path / "share/doc/tieline/tieline.ini").exists()
