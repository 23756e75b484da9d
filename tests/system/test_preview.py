"""The first sync looked at beforehand, as an administrator has it: plan, work list, approval."""
import csv

import pytest
from systemlib import Site


@pytest.fixture(scope="module")
def site():
    with Site("--contacts", 80, "--accounts", 16) as s:
        s.start()
        s.sign_in()
        s.connect("every=1s")
        yield s


def sums(plan):
    found = {}
    for row in plan["items"]:
        key = (row["kind"], row["what"], row["to"], row["state"])
        found[key] = found.get(key, 0) + row["count"]
    return found


def records(site):
    """Every record of both twins as it is, with its version."""
    return [site.sandbox.dump(*kind) for kind in (("desk", "contacts"), ("desk", "accounts"), ("salesforce", "Contact"),
                                                  ("salesforce", "Account"))]


def test_plan_approve_and_do(site, tmp_path):
    """Both sides are read, neither is written to; duplicates inside one system are a work list; what is told is what is
    done then. proves: S1-21 S1-15"""
    before = records(site)
    made = site.run("sync", "start", "-n", "demo")
    assert "nothing was written" in made.stderr and "calls" in made.stderr and "COUNT" in made.stdout
    run = int(made.stderr.split("tieline sync approve ")[1].split()[0])
    [plan] = site.list("sync", "plan", str(run))
    assert plan["state"] == "partial" and not plan["old"] and plan["age_seconds"] < 600
    told = sums(plan)
    duplicates = site.list("sync", "plan", "show", str(run), "--what", "duplicate")
    twice = {p["id"] for p in site.sandbox.control("GET", "/planted") if p["case"] == "email-twice"}
    assert duplicates and twice <= {i for d in duplicates for i in d["detail"].split(": ", 1)[1].split(", ")}
    failures = site.list("sync", "plan", str(run), "--what", "failure")
    assert {f["code"] for f in failures} >= {"ALREADY_MAPPED", "TYPE_MISMATCH", "TOO_LONG"}
    assert all(f["who"] for f in failures)
    file = tmp_path / "plan.csv"
    site.run("sync", "plan", str(run), "--csv", str(file))
    with open(file, newline="", encoding="utf-8") as f:
        rows = list(csv.reader(f))
    assert rows[0][:4] == ["what", "kind", "to", "a id"] and len(rows) - 1 == sum(told.values())
    assert site.run("sync", "plan", str(run), "--csv", str(file), check=False).returncode == 1  # kept as it is
    answer = site.api("GET", f"/api/v1/plans/{run}/items?limit=1000", headers={"Accept": "text/csv"})
    assert answer.status == 200 and answer.type.startswith("text/csv") and answer.body.count(b"\r\n") >= len(rows)
    assert [c["state"] for c in site.list("connection", "list")] == ["draft"]
    assert records(site) == before
    assert site.desk() and site.list("pair", "find", next(iter(site.desk()))) == []
    done = site.run("sync", "approve", str(run), check=False)
    assert done.returncode in (0, 8), done.stderr
    site.wait_quiet()
    counts = {}
    for r in site.list("sync", "history"):
        for what, column in (("create", "added"), ("adopt", "matched")):
            key = (r["kind"], what, r["to"], "planned")
            counts[key] = counts.get(key, 0) + r[column]
    for key, n in counts.items():
        assert told.get(key, 0) == n, key
    failed = sum(n for key, n in told.items() if key[1] == "failure")
    assert failed == len(site.list("failure", "list", "--limit", "1000"))
    assert site.list("sync", "plan", str(run), "--changed") == []
    assert site.problems() == []
    again = site.run("sync", "approve", str(run), check=False)
    assert again.returncode == 6 and "no link before its first sync" in again.stderr
    assert site.run("sync", "start", "-n", "demo", check=False).returncode == 6


def test_what_is_wrong_is_refused(site):
    assert site.run("sync", "plan", "999", check=False).returncode == 4
    assert site.run("sync", "plan", "nine", check=False).returncode == 2
    assert site.run("sync", "approve", "999", check=False).returncode == 4
    run = site.list("sync", "history")[0]["run"]
    assert site.run("sync", "approve", str(run), check=False).returncode == 4  # no dry run
