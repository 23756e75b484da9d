"""What is stored about one person, and that it goes."""
import json
import pathlib

from systemlib import Site, wait_until


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


def test_somebody_is_found_by_any_of_their_numbers():
    """However the number is written, at the desk or by whoever asks, and whether a map speaks of the field or not; in the
    database for a caller, on the command line for a person.
    proves: S3-62"""
    with Site("--contacts", 30, "--accounts", 6) as site:
        site.start()
        site.sign_in()
        site.connect("every=1s")
        site.first_sync()
        a, b, _ = site.pairs(1)[0]
        site.sandbox.change("desk", "contacts", a, phone="+380 (98) 739-25-88")
        wait_until(lambda: "739" in (site.salesforce()[b]["Phone"] or ""), 30, "the number is on both sides")
        site.wait_quiet()
        for asked in ("987392588", "0098 7392588", "+380987392588"):
            shown = json.loads(site.run("person", "export", asked).stdout)
            assert {r["record"] for r in shown["records"]} == {a, b}, asked
            assert [p["a_id"] for p in site.list("pair", "find", asked)] == [a], asked
        assert site.run("person", "export", "987392589", check=False).returncode == 4
        refused = site.run("person", "erase", "987392588", "-n", check=False)
        assert refused.returncode == 4  # a number is shared by families and firms: shown, not erased

        site.run("link", "set", "demo", "contact", "match=phone")
        site.sandbox.change("desk", "contacts", a, phone="+380 44 111-22-33")
        wait_until(lambda: "111" in (site.salesforce()[b]["Phone"] or ""), 30, "the new number is on both sides")
        site.wait_quiet()
        assert site.run("person", "export", "987392588", check=False).returncode == 4
        shown = json.loads(site.run("person", "export", "441112233").stdout)
        assert {r["record"] for r in shown["records"]} == {a, b}


def traces(site, canaries):
    """Which of them are found in which file that the daemon keeps: database, log of it, log of the daemon."""
    files = [f for f in site.state.rglob("*") if f.is_file() and "backup" not in str(f.relative_to(site.state))]
    files.append(pathlib.Path(site.daemon.log_path))
    return [(f.name, word) for f in files for word in canaries if word.encode() in f.read_bytes()]


def test_an_erased_person_is_nowhere_and_stays_away():
    """Canary values of one contact, looked for in every file: after the erasure, while the sync goes on, hooks tell of
    edits, both sides are read whole, and the daemon is killed and started again."""
    with Site("--contacts", 40, "--accounts", 8) as site:
        site.start()
        site.sign_in()
        site.connect("every=1s")
        site.first_sync()
        a, b, email = site.pairs(1)[0]
        canaries = ["Canarywoman", "Canarytitle", "Canaryedit"]
        site.sandbox.change("desk", "contacts", a, firstName=canaries[0], title=canaries[1])
        site.wait_title("salesforce", b, canaries[1])
        site.wait_quiet()
        gone = canaries + [email]
        assert {word for _, word in traces(site, gone)} >= {canaries[0], canaries[1]}
        backup = site.run("backup", "now").stdout.strip()

        tried = site.run("person", "erase", email, "-n")
        assert a in tried.stdout and b in tried.stdout and "nothing was erased" in tried.stderr
        assert site.list("pair", "find", a)
        assert site.run("person", "erase", email, check=False).returncode == 2  # without a terminal and -y

        done = site.run("person", "erase", email, "-y")
        assert backup in done.stderr and "vendors stay" in done.stderr
        assert traces(site, gone) == []
        assert site.run("person", "export", email, check=False).returncode == 4
        assert site.list("pair", "find", a) == []

        before, untouched = (len(site.desk()), len(site.salesforce())), site.salesforce()[b]
        site.sandbox.change("desk", "contacts", a, title=canaries[2])
        other_a, other_b, _ = site.pairs(1, skip=3)[0]
        site.sandbox.change("desk", "contacts", other_a, title="somebody else")
        site.wait_title("salesforce", other_b, "somebody else")
        site.run("sync", "start", "demo", "--full")
        wait_until(lambda: not any(link.get("running") for link in site.links()), 30,
                   "the whole reading ends")
        site.wait_quiet()
        site.restart(kill=True)
        site.wait_running()
        site.run("sync", "start", "demo", "--full", check=False)
        site.wait_quiet()
        assert traces(site, gone) == []
        assert (len(site.desk()), len(site.salesforce())) == before
        assert site.salesforce()[b] == untouched and site.desk()[a]["title"] == canaries[2]

        audit = [r for r in site.list("audit", "list") if r["act"] == "person.erase"]
        assert len(audit) == 1 and email not in json.dumps(audit).lower() and a not in json.dumps(audit)
        assert site.run("fsck", check=False).returncode in (0, 8)
        erasure = site.list("person", "erased")[0]
        assert erasure["records"] == 2

        site.run("person", "restore-sync", str(erasure["erasure"]))
        site.run("sync", "start", "demo", "--full", check=False)
        wait_until(lambda: site.list("pair", "find", a), 30, "the pair is there again")
        wait_until(lambda: site.quiet() and site.salesforce()[b]["Title"] == site.desk()[a]["title"], 30,
                   "they are in step again")
        assert (len(site.desk()), len(site.salesforce())) == before
