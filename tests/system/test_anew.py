"""A connection that is deleted and made anew over the same endpoints, and links that are made one after the other: nobody gets
a second counterpart, and nothing that is filled is emptied."""
from systemlib import Site, wait_until

COUNTS = ("contacts", "accounts")


def counts(site):
    return [len(site.desk(kind)) for kind in COUNTS] + [len(site.salesforce(k)) for k in ("Contact", "Account")]


def test_connection_made_anew():
    """Contacts without e-mail bear our mark only: it binds them before anything is created, both ways. proves: S1-19"""
    with Site("--contacts", 60, "--accounts", 12) as site:
        site.start()
        site.sign_in()
        site.connect("every=1s")
        site.first_sync()
        assert any(not r["email"] for r in site.desk().values())
        assert any(not r["Email"] for r in site.salesforce().values())
        before = counts(site)
        site.run("connection", "pause", "demo")
        wait_until(lambda: site.run("connection", "delete", "demo", "--now", "-y", check=False).returncode == 0, 20,
                   "no write is in flight")
        site.connect("every=1s", kinds=("contact", "account"))
        site.first_sync()
        assert counts(site) == before
        assert site.problems() == []
