"""What is done at a connected system for people: shown before, done once per key, audited, kept."""
import json

from systemlib import Site, wait_until


def ticket(site):
    contact = next(iter(site.desk()))
    made = site.sandbox.create("desk", "tickets", {"subject": "Help", "contactId": contact})
    return made if isinstance(made, str) else made["id"]


def test_a_comment_is_shown_then_written_once():
    with Site("--contacts", 20, "--accounts", 4) as site:
        site.start()
        site.sign_in()
        site.connect("every=1s")
        site.first_sync()
        wait_until(lambda: site.list("action", "list", "demo"), 30, "the actions were told")
        create = [a for a in site.list("action", "list", "demo") if (a["kind"], a["name"]) == ("comment", "create")][0]
        assert create["creates"] and create["rights"] == ["create"]
        assert {p["path"]: p["required"] for p in create["params"]} == {"parent": True, "body": True, "public": False}
        id = ticket(site)
        run = ("action", "run", "demo", "comment", "create", "--set", f"parent={id},body=Called back", "--key", "k1")

        shown = json.loads(site.run(*run, "-n", "--json").stdout)["items"][0]
        assert [(r["method"], r["url"].endswith(f"/tickets/{id}/comments")) for r in shown["requests"]] == [("POST", True)]
        assert "Called back" in shown["requests"][0]["body"]
        assert site.list("act", "list", "demo") == []

        first, again = (site.list(*run, "-y")[0] for _ in range(2))
        assert first["state"] == again["state"] == "done" and first["act"] == again["act"] and first["record"]
        assert site.run(*run[:-1], "k1", "--set", f"parent={id},body=Other", "-y", check=False).returncode in (2, 6)
        refused = site.run("action", "run", "demo", "comment", "create", "--set", "bdy=x", "-y", check=False)
        assert refused.returncode == 1 and "did you mean \"body\"" in refused.stderr and "\"parent\"" in refused.stderr
        acts = [r["act"] for r in site.list("audit", "list")]
        assert acts.count("act.ask") == acts.count("act.done") == 1
