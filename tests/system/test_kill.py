"""SIGKILL of the daemon at random moments of a first sync, with stamp fields and without them: every time it is started
again and goes on; in the end an independent comparison finds both sides equal, nothing lost, nothing doubled.

proves: S1-17 S1-21 S2-25"""
import os
import random
import time

import pytest
from systemlib import LONG, Site, wait_until

SEED = int(os.environ.get("TIELINE_TEST_SEED", "20261121"))
KILLS = 100 if LONG else 3


def kill_soon(site, chance):
    """Lets the daemon work for a random while, then kills it and starts it again."""
    time.sleep(chance.uniform(0.02, 0.5))
    site.restart(kill=True)


def after_the_wait(site):
    """A write without an answer is looked for until its vendor could no longer apply it, for minutes: both clocks go on."""
    site.sandbox.control("POST", "/clock", {"advance": "11m"})
    site.restart(kill=True, env={"TIELINE_CLOCK_AHEAD": "11m"})
    started(site)


def started(site):
    """The first sync is asked for again unless the one before was remembered; none is left new."""
    site.wait_running()
    if any(link["phase"] == "new" for link in site.links()):
        site.run("sync", "start", "demo", "--no-wait", check=False)


def unsure(site):
    """Records whose creation had an unknown outcome and cannot be found again: reported, never sent again."""
    return {f[2] for f in site.failures() if f[3] == "UNKNOWN_OUTCOME"}


@pytest.mark.parametrize("stamps", [True, False], ids=["stamps", "no-stamps"])
@pytest.mark.parametrize("isolation", ["worker"] + (["inprocess"] if LONG else []))
def test_killed_at_random(stamps, isolation):
    chance = random.Random(SEED + stamps)
    contacts = 2000 if LONG else 250
    with Site("--contacts", contacts, "--accounts", contacts // 5, isolation=isolation) as site:
        if not stamps:
            site.sandbox.control("POST", "/salesforce/switches", {"stamp_field": 0})
        site.sandbox.control("POST", "/desk/switches", {"latency_ms": 4})
        site.start()
        site.sign_in(stamps=stamps)
        site.connect("every=1s")
        site.run("sync", "start", "demo", "--no-wait")
        for _ in range(KILLS):
            kill_soon(site, chance)
            started(site)
        after_the_wait(site)
        wait_until(site.quiet, 60, "the first sync ends")
        lost = unsure(site)
        assert not (stamps and lost), lost
        wait_until(lambda: [p for p in site.problems() if not any(i in p for i in lost)] == [], 60, "equal")
        assert site.sandbox.violations()["violations"] == []
        doubled(site)
        again(site)


def doubled(site):
    """No two records of one side that were made for one record of the other: by e-mail, where it was unique before."""
    twice = {p["id"] for p in site.sandbox.control("GET", "/planted") if p["case"] == "email-twice"}
    for records, name in ((site.desk(), "email"), (site.salesforce(), "Email")):
        seen = {}
        for record_id, r in records.items():
            if r[name]:
                seen.setdefault(r[name].lower(), []).append(record_id)
        assert [ids for ids in seen.values() if len(ids) > 1 and not twice & set(ids)] == []


def again(site):
    """A further cycle writes nothing."""
    site.sandbox.control("DELETE", "/calls")
    site.run("sync", "start", "demo", check=False)
    site.wait_quiet()
    assert site.writes("salesforce") == [] and site.writes("desk") == []
