"""The life of a connection as an administrator sees it: disable, enable, delete with a grace, undelete."""
from systemlib import Site, wait_until


def state(site):
    return {c["name"]: c["state"] for c in site.list("connection", "list")}.get("demo")


def test_disabled_enabled_deleted_and_taken_back():
    """proves: S0-71 S1-54 S2-61 S4-28 S4-30 S4-31"""
    with Site("--contacts", 40, "--accounts", 8, "--plan", "plain") as site:
        site.start()
        site.sign_in()
        site.connect("every=1s", number=False)
        site.first_sync()
        site.wait_equal(number=False)
        [shown] = site.list("endpoint", "show", "sf")
        assert shown["budget"]["reserve_pct"] == 20 and shown["budget"]["used_today"] > 0
        refused = site.run("connection", "enable", "demo", check=False)
        assert refused.returncode == 6 and "cannot be enabled" in refused.stderr
        site.run("connection", "disable", "demo", "-y")
        assert state(site) == "disabled"
        for verb in ("pause", "resume", "disable", "undelete"):
            assert site.run("connection", verb, "demo", "-y", check=False).returncode == 6, verb
        made = site.sandbox.create("desk", "contacts", {"lastName": "While disabled", "email": "while@disabled.example"})
        before = len(site.salesforce())
        site.restart()
        site.wait_running()
        assert state(site) == "disabled" and len(site.salesforce()) == before
        site.run("connection", "enable", "demo")
        wait_until(lambda: state(site) == "active", 40, "both sides are read whole")
        wait_until(lambda: [r for r in site.salesforce().values() if r["LastName"] == "While disabled"], 30, f"{made}")
        site.wait_equal(number=False)
        records = len(site.desk()), len(site.salesforce())
        running = site.run("connection", "delete", "demo", "-y", check=False)
        assert running.returncode == 6 and "pause" in running.stderr
        site.run("connection", "pause", "demo")
        assert "pairs" in site.run("connection", "delete", "demo", "-n").stdout
        assert site.run("connection", "delete", "demo", check=False).returncode == 2  # nobody there to type its name
        assert "undelete" in site.run("connection", "delete", "demo", "-y").stderr
        assert state(site) == "deleting"
        site.run("connection", "undelete", "demo")
        assert state(site) == "disabled"
        site.run("connection", "delete", "demo", "--now", "-y")
        assert state(site) is None
        assert (len(site.desk()), len(site.salesforce())) == records
        for act in ("disable", "enable", "delete", "undelete"):
            assert f"act=connection.{act} object=demo" in site.log()
