"""What a run wrote is taken back at the vendors, where it is still as it was written."""
import pytest
from systemlib import synced_site, wait_until


@pytest.fixture(scope="module")
def site():
    with synced_site() as s:
        yield s


def pair_of(site, record_id):
    return str(site.list("pair", "find", record_id)[0]["pair"])


def last_change(site, pair):
    return max((h for h in site.list("pair", "show", pair)[0]["history"]), key=lambda h: h["at"])


def rows(site, *args, code=0):
    done = site.run("undo", *args, "-y", "--json", check=False)
    assert done.returncode == code, done.stderr
    import json
    return json.loads(done.stdout)["items"]


def test_a_run_is_taken_back(site):
    """Looked at, refused without a yes, taken back, listed, in the history and in the audit. proves: Q22 S1-41 S2-50"""
    edited = site.pairs(3)
    before = {b: site.salesforce()[b]["Title"] for _, b, _ in edited}
    for a, _, _ in edited:
        site.sandbox.change("desk", "contacts", a, title="by mistake")
    for _, b, _ in edited:
        site.wait_title("salesforce", b, "by mistake")
    site.wait_quiet()
    run = str(last_change(site, pair_of(site, edited[0][0]))["run"])
    ours = edited[0][1]
    site.sandbox.change("salesforce", "Contact", ours, Title="on purpose")
    site.wait_title("desk", edited[0][0], "on purpose")
    site.wait_quiet()
    asked = site.run("undo", "run", run, check=False)
    assert asked.returncode != 0 and site.salesforce()[edited[1][1]]["Title"] == "by mistake"
    looked = site.run("undo", "run", run, "-n")
    assert "nothing was written" in looked.stderr and "by mistake" in looked.stdout
    assert site.salesforce()[edited[1][1]]["Title"] == "by mistake"
    found = rows(site, "run", run, code=8)
    mine = {r["b_id"]: r for r in found if r["b_id"] in before and r["field"] == "title" and r["to"] == "b"}
    assert mine[ours]["state"] == "skipped" and mine[ours]["code"] in ("EDITED", "WRITTEN_SINCE") and mine[ours]["detail"]
    for a, b, _ in edited[1:]:
        assert mine[b]["state"] == "done"
        assert (site.salesforce()[b]["Title"] or "") == (before[b] or "")
        assert site.desk()[a]["title"] == "by mistake"
    assert site.salesforce()[ours]["Title"] == "on purpose"
    history = [r for r in site.list("sync", "history") if r["run_kind"] == "undo"]
    assert sum(r["updated"] for r in history) >= 2
    shown = last_change(site, pair_of(site, edited[1][0]))
    assert shown["cause"] == "undo" and shown["run"] == history[0]["run"]
    assert "undo.run" in [a["act"] for a in site.list("audit", "list")]


def test_one_field_is_taken_back_and_the_undo_too(site):
    a, b, _ = site.pairs(1, skip=4)[0]
    before = site.salesforce()[b]["Title"]
    site.sandbox.change("desk", "contacts", a, title="wrong")
    site.wait_title("salesforce", b, "wrong")
    site.wait_quiet()
    pair = pair_of(site, a)
    assert "the only edit" in site.run("pair", "show", pair).stdout
    assert rows(site, "pair", pair, "--field", "title")[0]["state"] == "done"
    assert site.salesforce()[b]["Title"] == before
    title = next(f for f in site.list("pair", "show", pair)[0]["fields"] if f["a_field"] == "title")
    assert title["written"]["rule"] == "undo" and title["written"]["before"] == "wrong" and title["pending"] is None
    assert title["a_agreed"] == title["a"] == "wrong" and (title["b_agreed"] or None) == (before or None)
    assert rows(site, "pair", pair, "--field", "title")[0]["state"] == "done"
    assert site.salesforce()[b]["Title"] == "wrong"


def test_what_a_run_made_goes_into_the_bin(site):
    """Only when asked for; what somebody edited since stays; nothing is deleted for good and nothing is made again.
    proves: Q22"""
    for name in ("Regretted", "Kept"):
        site.sandbox.create("desk", "contacts", {"lastName": name, "email": f"{name.lower()}@mail.example"})
    made = {}

    def are_there():
        made.update({r["LastName"]: i for i, r in site.salesforce().items() if r["LastName"] in ("Regretted", "Kept")})
        return len(made) == 2
    wait_until(are_there, 30, "both are made in Salesforce")
    site.wait_quiet()
    run = str(last_change(site, pair_of(site, made["Regretted"]))["run"])
    if str(last_change(site, pair_of(site, made["Kept"]))["run"]) == run:
        site.sandbox.change("salesforce", "Contact", made["Kept"], Title="mine now")
        wait_until(lambda: any(r["title"] == "mine now" for r in site.desk().values()), 30, "the edit was seen")
        site.wait_quiet()
    looked = site.run("undo", "run", run, "--trash-created", "-n")
    assert "would go into the bin" in looked.stderr and made["Regretted"] in site.salesforce()
    done = site.run("undo", "run", run, "--trash-created", "-y", check=False)
    assert done.returncode in (0, 8), done.stderr
    assert made["Regretted"] not in site.salesforce() and made["Kept"] in site.salesforce()
    assert any(r["Id"] == made["Regretted"] and r["IsDeleted"] for r in site.sandbox.dump("salesforce", "Contact"))
    site.rounds()
    site.wait_quiet()
    assert not [r for r in site.salesforce().values() if r["LastName"] == "Regretted"]
    assert [r for r in site.desk().values() if r["lastName"] == "Regretted"]


def test_it_stays_so_over_a_kill(site):
    """A kill in the middle of one: the simulation's scenarios \"taken back\"."""
    a, b, _ = site.pairs(1, skip=5)[0]
    before = site.salesforce()[b]["Title"]
    site.sandbox.change("desk", "contacts", a, title="mistaken")
    site.wait_title("salesforce", b, "mistaken")
    site.wait_quiet()
    pair = pair_of(site, a)
    site.run("undo", "pair", pair, "--field", "title", "-y")
    assert site.salesforce()[b]["Title"] == before
    site.restart(kill=True)
    site.wait_running()
    site.run("sync", "start", "demo", "--full")
    site.wait_quiet()
    assert site.salesforce()[b]["Title"] == before and site.desk()[a]["title"] == "mistaken"
    assert site.sandbox.violations()["violations"] == []


def test_refused_while_paused(site):
    """proves: S1-53"""
    a, _, _ = site.pairs(1, skip=6)[0]
    run = str(max(r["run"] for r in site.list("sync", "history") if r["updated"]))
    site.run("connection", "pause", "demo")
    assert site.run("undo", "run", run, "-y", check=False).returncode == 6
    assert site.run("undo", "run", run, "-n", check=False).returncode in (0, 6)
    site.run("connection", "resume", "demo")
    assert site.run("undo", "run", "999999", "-y", check=False).returncode == 4
    assert site.run("undo", "pair", pair_of(site, a), "--field", "nope", "-y", check=False).returncode == 4
    assert site.run("undo", "pair", pair_of(site, a), "-y", check=False).returncode == 2
    assert site.api("POST", "/api/v1/undos", {"run": 1, "pair": 2}).status == 400
