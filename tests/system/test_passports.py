"""Map passports: what was paired once is bound again by another tieline, and nothing is doubled."""
import json

import pytest
from systemlib import Site, wait_until


def passphrase(site, text="four words and more"):
    path = site.scratch + "/passphrase"
    with open(path, "w", encoding="utf-8") as f:
        f.write(text + "\n")
    return path


def live(site):
    return {kind: len(rows) for kind, rows in (("dc", site.desk()), ("da", site.desk("accounts")),
                                               ("sc", site.salesforce()), ("sa", site.salesforce("Account")))}


def partners(site):
    """{desk id: Salesforce id} of all contact pairs, told by the pages of a passport."""
    found, after = {}, 0
    while after is not None:
        page = site.api("GET", f"/api/v1/links/demo/contact/passport?after={after}").json
        found |= {p["a"]: p["b"] for p in page["items"] if "a" in p and "b" in p}
        after = page["next"]
    return found


@pytest.mark.parametrize("stamps", [True, False])
def test_another_tieline_goes_on_with_the_same_pairs(stamps):
    """A machine is lost with its state: the passport alone keeps contacts without e-mail from being created twice, with
    and without fields for the mark; a record made after the export is found by the mark of the lost instance."""
    with Site("--contacts", 60, "--accounts", 12) as old:
        old.start()
        old.sign_in(stamps=stamps)
        old.connect("every=1s")
        old.first_sync()
        assert any(not r["email"] and i in partners(old) for i, r in old.desk().items())
        kept, file, secret = partners(old), old.scratch + "/demo.passport", passphrase(old)
        assert old.run("passport", "export", "demo", file, "--passphrase-file", secret).returncode == 0
        assert old.run("passport", "export", "demo", file, "--passphrase-file", secret, check=False).returncode == 1
        if stamps:
            later = old.sandbox.create("desk", "contacts", {"lastName": "Later", "phone": "+49 30 1234"})["id"]
            wait_until(lambda: later in partners(old), 30, "a later contact has its counterpart")
            kept = partners(old)
        before = live(old)
        old.daemon.stop()
        with open(file, encoding="utf-8") as f:
            lines = [json.loads(line) for line in f]
        assert lines[0]["tieline_passport"] == 1 and lines[-1]["end"] == len(lines) - 2
        with Site(sandbox=old.sandbox) as new:
            new.start()
            new.sign_in(stamps=stamps)
            new.connect("every=1s")
            wrong = passphrase(new, "some other words")
            done = new.run("passport", "import", "demo", file, "--passphrase-file", wrong, check=False)
            assert done.returncode == 5 and "not the passphrase" in done.stderr
            tried = new.run("passport", "import", "demo", file, "--passphrase-file", secret, "-n")
            assert "nothing was changed" in tried.stderr and f"{len(lines) - 2} wait" in tried.stdout
            new.run("passport", "import", "demo", file, "--passphrase-file", secret)
            new.first_sync()
            assert live(new) == before
            assert partners(new).items() >= kept.items()
            assert not new.sandbox.violations()["violations"]
            assert new.run("fsck").returncode == 0
            again = new.run("passport", "import", "demo", file, "--passphrase-file", secret)
            assert again.stdout.startswith("0 pairs bound") and f"{len(lines) - 2} known" in again.stdout
            ours = next(i for i, r in new.desk().items() if not r["email"] and i in kept)
            new.sandbox.change("desk", "contacts", ours, title="goes on")
            new.wait_title("salesforce", kept[ours], "goes on")


def test_a_passport_of_other_accounts_is_refused():
    with Site("--contacts", 6, "--accounts", 2) as site:
        site.start()
        site.sign_in()
        site.connect("every=1s")
        site.first_sync()
        file, secret = site.scratch + "/demo.passport", passphrase(site)
        assert site.run("passport", "export", "demo", file, check=False).returncode == 2  # nobody to ask
        short = passphrase(site, "short")
        assert site.run("passport", "export", "demo", file, "--passphrase-file", short, check=False).returncode == 2
        secret = passphrase(site)
        site.run("passport", "export", "demo", file, "--passphrase-file", secret)
        with open(file, encoding="utf-8") as f:
            lines = f.read().splitlines()
        header = json.loads(lines[0])
        header["b"]["org_key"] = "00D000000000000"
        for name, text in (("other", [json.dumps(header), *lines[1:]]), ("cut", lines[:-1]), ("none", ["{}"])):
            with open(f"{site.scratch}/{name}", "w", encoding="utf-8") as f:
                f.write("\n".join(text) + "\n")
        done = site.run("passport", "import", "demo", site.scratch + "/other", "--passphrase-file", secret, check=False)
        assert done.returncode == 6 and "00D000000000000" in done.stderr
        done = site.run("passport", "import", "demo", site.scratch + "/cut", "--passphrase-file", secret, check=False)
        assert done.returncode == 1 and "ends too early" in done.stderr
        assert site.run("passport", "import", "demo", site.scratch + "/none", "--passphrase-file", secret,
                        check=False).returncode == 1
        acts = {a["act"] for a in site.list("audit", "list")}
        assert "passport.export" in acts and "four words" not in site.log()
        assert "four words" not in json.dumps(site.list("audit", "list"))
