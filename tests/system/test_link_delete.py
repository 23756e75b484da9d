"""Deleting one link of a connection."""
from systemlib import Site, wait_until


def test_a_link_goes_with_its_pairs_and_can_come_back():
    with Site("--contacts", 40, "--accounts", 10, "--plan", "plain") as site:
        site.start()
        site.sign_in()
        site.connect("every=1s", number=False)
        site.first_sync()
        site.wait_equal(number=False)
        before = set(site.desk()), set(site.salesforce())
        shown = site.run("-n", "link", "delete", "demo", "contact")
        [link] = site.list("link", "show", "demo", "contact")
        assert f"{link['counts']['pairs']} pairs" in shown.stdout and link["counts"]["pairs"] > 30
        asked = site.run("link", "delete", "demo", "contact", check=False)
        assert asked.returncode == 2 and "-y" in asked.stderr  # nobody there to ask
        running = site.run("link", "delete", "demo", "contact", "-y", check=False)
        assert running.returncode == 6 and "pause" in running.stderr
        assert site.run("link", "delete", "demo", "product", "-y", check=False).returncode == 4
        site.run("connection", "pause", "demo")
        wait_until(lambda: site.run("link", "delete", "demo", "contact", "-y", check=False).returncode == 0, 20, "deleted")
        assert [x["kind"] for x in site.list("link", "list")] == ["account"]
        assert site.run("link", "show", "demo", "contact", check=False).returncode == 4
        assert "act=link.delete object=demo/contact" in site.log()
        site.restart()
        assert [x["kind"] for x in site.list("link", "list")] == ["account"]
        site.run("connection", "resume", "demo")
        made = site.sandbox.create("desk", "accounts", {"accountName": "While contacts rest"})
        wait_until(lambda: [r for r in site.salesforce("Account").values() if r["Name"] == "While contacts rest"], 30,
                   f"accounts go on ({made})")
        assert (set(site.desk()), set(site.salesforce())) == before
        site.run("link", "create", "demo", "contact", "every=1s")  # the stamps find what was there
        site.first_sync()
        site.wait_equal(number=False)
        assert (set(site.desk()), set(site.salesforce())) == before


def test_a_pinned_link_is_not_deleted():
    extra = "[connection demo]\na = desk\nb = sf\n[link demo contacts]\nevery = 30s\n"
    with Site("--contacts", 5, "--accounts", 2, extra=extra) as site:
        site.start()
        site.sign_in()
        done = site.run("link", "delete", "demo", "contact", "-y", check=False)
        assert done.returncode == 6 and f"{site.daemon.ini}:" in done.stderr and "section" in done.stderr
