"""SIGKILL of the daemon at random moments of a first sync and of live traffic, with stamp fields and without them: every
time it is started again and goes on; in the end an independent comparison finds both sides equal, nothing lost, nothing
doubled, nothing read again but a page a kill. Long form: tests/system/kill-loop.

proves: S1-17 S1-21 S2-25 Q1 Q3 Q18"""
import os

import pytest
from killlib import KillRun
from systemlib import LONG

SEED = int(os.environ.get("TIELINE_TEST_SEED", "20261121"))


@pytest.mark.parametrize("stamps", [True, False], ids=["stamps", "no-stamps"])
@pytest.mark.parametrize("isolation", ["worker"] + (["inprocess"] if LONG else []))
def test_killed_at_random(stamps, isolation):
    figures = KillRun(4000 if LONG else 360, 60 if LONG else 6, stamps, isolation, SEED + stamps).run()
    assert figures["kills_in_first_sync"] > 0 and figures["kills_in_traffic"] > 0, figures
