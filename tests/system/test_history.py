"""History and failures as people take them away: files for spreadsheets, their own time zone, their own language."""
import csv
import io

import pytest
from systemlib import synced_site

COLUMNS = ["run", "date", "source", "destination", "records", "run kind", "added", "updated", "matched", "conflicts", "failed",
           "state", "ended"]


@pytest.fixture(scope="module")
def site():
    with synced_site() as s:
        yield s


def table(text):
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_history_as_a_file(site, tmp_path):
    """Date, source and destination, kind, numbers; as many rows as the list. proves: S1-37 S1-38 S1-39 S1-40 S1-41"""
    runs = site.list("sync", "history")
    answer = site.api("GET", "/api/v1/runs?limit=1000", headers={"Accept": "text/csv"})
    assert answer.type == "text/csv; charset=utf-8"
    rows = table(answer.body.decode())
    assert list(rows[0]) == COLUMNS and len(rows) == len(runs)
    for row, run in zip(rows, runs):
        assert (row["date"], row["source"], row["records"]) == (run["date"], run["source"], run["kind"] or "")
        assert [int(row[n]) for n in ("added", "updated", "matched", "failed")] == [
            run[n] for n in ("added", "updated", "matched", "failed")]
    file = tmp_path / "history.csv"
    site.run("sync", "history", "demo", "--csv", str(file))
    assert len(table(file.read_text(encoding="utf-8"))) == len(runs)
    assert site.run("sync", "history", "--csv", "-").stdout.startswith("RUN,DATE,SOURCE,DESTINATION,RECORDS")


def test_time_zone_and_time_of_the_reader(site):
    """proves: S1-37"""
    answer = site.api("GET", "/api/v1/runs?tz=Asia/Kolkata", headers={"Accept": "text/csv"})
    assert all(row["date"].endswith("+05:30") for row in table(answer.body.decode()))
    wrong = site.api("GET", "/api/v1/runs?tz=Nowhere/City", headers={"Accept": "text/csv"})
    assert wrong.status == 422 or wrong.status == 400
    runs = site.list("sync", "history")
    assert site.list("sync", "history", "--since", "2100-01-01") == []
    assert len(site.list("sync", "history", "--since", "2020-01-01")) == len(runs)
    assert len(site.list("sync", "history", "--limit", "1")) == 1
    assert site.run("sync", "history", "--since", "soon", check=False).returncode == 2
    assert site.api("GET", "/api/v1/runs?since=soon").status in (400, 422)


def test_reasons_in_the_language_of_the_reader(site):
    """proves: S1-43 S1-50"""
    failure = next(f for f in site.list("failure", "list") if f["code"] == "TYPE_MISMATCH")
    for lang, words in (("pt-BR", "número inteiro"), ("zh-CN", "整数字段"), ("ru", "целочисленного")):
        told = site.list("--lang", lang, "failure", "show", str(failure["id"]))[0]
        assert words in told["reason"] and told["hint"] != failure["hint"]
        assert told["vendor_text"] == failure["vendor_text"] and told["detail"] == failure["detail"]
        answer = site.api("GET", "/api/v1/failures", headers={"Accept-Language": f"{lang}, en;q=0.5"})
        assert any(words in f["reason"] for f in answer.json["items"])
    assert failure["reason"] == "text value is given for an integer field"
    assert site.list("--lang", "de", "failure", "show", str(failure["id"]))[0]["reason"] == failure["reason"]


def test_failures_summed_and_grouped(site):
    """By kind of record and reason, since when; the list for people stands by kind too. proves: S1-43 S1-50"""
    rows, failures = site.list("failure", "summary"), site.list("failure", "list", "--limit", "1000")
    counted = {}
    for f in failures:
        counted.setdefault((f["kind"], f["code"]), []).append(f)
    assert {(r["kind"], r["code"]): r["count"] for r in rows} == {k: len(v) for k, v in counted.items()}
    for r in rows:
        of = counted[r["kind"], r["code"]]
        assert r["oldest"] == min(f["first"] for f in of) and r["newest"] == max(f["time"] for f in of)
        assert r["connection"] == "demo"
        if r["code"] in ("ALREADY_MAPPED", "AMBIGUOUS_MATCH"):  # a record's own words name its side, a sum has both
            assert r["reason"] and "support" not in r["reason"] and "CRM" not in r["reason"]
        else:
            assert r["reason"] == of[0]["reason"]
    assert site.list("failure", "summary", "--connection", "demo") == rows
    assert site.run("failure", "summary", "--connection", "nope", check=False).returncode == 4
    lines = site.run("failure", "list", "--no-header", "--limit", "1000").stdout.splitlines()
    kinds = [next(w for w in line.split() if w in ("account", "contact")) for line in lines if line[:1].strip() or line.strip()]
    assert len(set(kinds)) == 1 or kinds == sorted(kinds)
