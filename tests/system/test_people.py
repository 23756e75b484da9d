"""What is stored about one person."""
import json

from systemlib import Site


def test_everything_about_a_person_is_exported():
    with Site("--contacts", 30, "--accounts", 6) as site:
        site.start()
        site.sign_in()
        site.connect("every=1s")
        site.first_sync()
        a, b, email = site.pairs(1)[0]
        by = [json.loads(site.run("person", "export", who).stdout) for who in (email.upper(), a, b)]
        whole = by[0]
        assert {r["record"] for r in whole["records"]} == {a, b}
        assert all(r["values"]["email"].lower() == email for r in whole["records"])
        assert [p["a_id"] for p in whole["pairs"]] == [a] and whole["pairs"][0]["fields"]
        assert [r["record"] for r in by[1]["records"]] == [a] and [r["record"] for r in by[2]["records"]] == [b]
        assert by[1]["pairs"][0]["pair"] == whole["pairs"][0]["pair"]
        assert site.run("person", "export", "nobody@nowhere.example", check=False).returncode == 4
        asked = [r for r in site.list("audit", "list") if r["act"] == "person.export"]
        assert len(asked) == 3 and email not in json.dumps(asked).lower() and a not in json.dumps(asked)
