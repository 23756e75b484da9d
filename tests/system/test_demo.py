"""tools/demo as a newcomer has it, with a small population: it ends with ok, and only a comparison of its own says so.

proves: S1-02 S1-08 S1-17"""
import json
import subprocess
import sys

import pytest
from systemlib import BUILD, ROOT


@pytest.mark.parametrize("isolation", ["worker", "inprocess"])
def test_demo(isolation):
    done = subprocess.run([sys.executable, "-B", ROOT / "tools/lib/demo.py", "--build", BUILD, "--once", "--json", "--contacts",
                           "150", "--accounts", "30", "--isolation", isolation], capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr[-3000:]
    result = json.loads(done.stdout)
    assert result["ok"] is True and result["problems"] == []
    assert set(result["failures"]) == {"ALREADY_MAPPED", "TOO_LONG", "TYPE_MISMATCH"}
    assert result["pairs"]["contacts"] > 100 and result["seconds"] > 0 and result["peak_memory_kib"] > 0
    assert set(result["edit_seconds"]) == {"desk", "salesforce"}
    assert any("desk -> sf" in link for link in result["links"])
    assert result["cure"]["healed"] == result["cure"]["records"] > 0
