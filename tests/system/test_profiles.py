"""What profiles of the help desk may see and have done: listed, shown, changed, copied, tested, audited, by the command
line and over the API, with the real daemon."""
import json

import pytest
from systemlib import Site, wait_until

PROFILES = ("Agent", "Light Agent", "Newbie")


@pytest.fixture(scope="module")
def shared():
    with Site("--contacts", 20, "--accounts", 4, "--plan", "plain") as s:
        there = {p["name"] for p in s.sandbox.dump("desk", "profiles")}
        for name in set(PROFILES) - there:
            s.sandbox.create("desk", "profiles", {"name": name})
        s.start()
        s.sign_in()
        s.connect("every=1h", number=False)
        s.first_sync()
        wait_until(lambda: known(s) and not any(p["new"] for p in known(s).values()), 60, "permissions are set up")
        yield s


@pytest.fixture
def site(shared):
    """Every profile without any permission."""
    for name in PROFILES:
        for thing in ("contact", "account", "integration"):
            shared.run("profile", "set", "demo", name, thing, "none")
    return shared


def known(site):
    return {p["name"]: p for p in site.list("profile", "list", "demo")}


def may(site, profile, thing, item):
    done = site.run("profile", "test", "demo", profile, thing, item, check=False)
    assert done.returncode in (0, 5), done
    assert done.stdout.startswith("denied: " if done.returncode else "allowed: "), done
    return done.returncode == 0


def granted(site, profile, thing):
    [found] = site.list("profile", "show", "demo", profile)
    return next(set(o["granted"]) for o in found["objects"] if o["object"] == thing)


def test_the_set_up(shared):
    """Whoever is there when the desk was read first sees everything and may do nothing. proves: S1-27 S2-36"""
    assert set(known(shared)) == {p["name"] for p in shared.sandbox.dump("desk", "profiles")} >= set(PROFILES)
    for name in PROFILES:
        assert known(shared)[name]["visible"] and {o["access"] for o in known(shared)[name]["objects"]} == {"full access"}
        assert may(shared, name, "contact", "deal") and not may(shared, name, "contact", "update")
    assert "profile.set-up" in {row["act"] for row in shared.list("audit", "list")}


def test_light_agents_without_deals(site):
    """The administrator opens a profile and switches deals off; the rest is seen as before.
    proves: S1-27 S1-28 S1-30 S1-31 S1-32 S1-33 S1-34 S1-35 S2-36 S2-37 S2-39 S2-40 S2-41 S2-42 S2-43 S2-44"""
    site.run("profile", "set", "demo", "Light Agent", "contact", "full")
    assert not may(site, "Light Agent", "contact", "deal")
    shown = site.run("profile", "show", "demo", "Light Agent")
    assert "hidden from" in shown.stderr and "full access" in shown.stdout, shown
    site.run("profile", "set", "demo", "Light Agent", "integration", "visible")
    for item in ("information", "deal", "note", "task"):
        assert may(site, "Light Agent", "contact", item), item
    done = site.run("profile", "set", "demo", "Light Agent", "contact", "deal=off")
    assert "full access" in done.stdout and "restricted access" in done.stdout, done
    assert not may(site, "Light Agent", "contact", "deal")
    for item in ("information", "note", "task"):
        assert may(site, "Light Agent", "contact", item), item
        assert not may(site, "Light Agent", "account", item), item
    done = site.run("profile", "test", "demo", "Light Agent", "contact", "deal", check=False)
    assert done.returncode == 5 and done.stdout == "denied: there is no row contact/deal\n", done
    site.run("profile", "set", "demo", "Light Agent", "integration", "visible=off")
    assert not may(site, "Light Agent", "contact", "note")
    assert "note" in granted(site, "Light Agent", "contact")


def test_activities_one_by_one(site):
    """proves: S1-36 S2-45"""
    site.run("profile", "set", "demo", "Agent", "integration", "visible")
    site.run("profile", "set", "demo", "Agent", "contact", "full")
    site.run("profile", "set", "demo", "Agent", "contact", "event=off")
    assert may(site, "Agent", "contact", "task") and not may(site, "Agent", "contact", "event")
    site.run("profile", "set", "demo", "Agent", "contact", "event=on,task=off")
    assert not may(site, "Agent", "contact", "task") and may(site, "Agent", "contact", "event")


def test_a_preview_changes_nothing(site):
    before = site.list("profile", "list", "demo")
    done = site.run("profile", "set", "demo", "Agent", "contact", "full", "-n")
    assert "full access" in done.stdout and "nothing was changed" in done.stderr, done
    done = site.run("profile", "copy", "demo", "Agent", "Newbie", "-n")
    assert "nothing was changed" in done.stderr, done
    assert site.list("profile", "list", "demo") == before


def test_every_change_is_in_the_audit(site):
    site.run("profile", "set", "demo", "Agent", "contact", "information,note")
    site.run("profile", "copy", "demo", "Agent", "Newbie")
    copied, changed = site.list("audit", "list", "--limit", "2")
    assert (changed["act"], changed["object"]) == ("profile.set", "demo/Agent")
    assert changed["detail"]["before"][0]["granted"] == []
    assert set(changed["detail"]["after"][0]["granted"]) == {"visible", "information", "note"}
    assert (copied["act"], copied["object"]) == ("profile.copy", "demo/Newbie")
    after = {o["object"]: set(o["granted"]) for o in copied["detail"]["after"]}
    assert after["contact"] == {"visible", "information", "note"} and copied["detail"]["from"] == "Agent"
    assert granted(site, "Newbie", "contact") == {"visible", "information", "note"}
    assert site.run("audit", "verify").returncode == 0


@pytest.mark.parametrize("command, code, words", [
    (("list", "none"), 4, 'no connection "none"'),
    (("show", "demo", "Boss"), 4, 'no profile "Boss"'),
    (("set", "demo", "Agent", "ticket", "full"), 2, "it knows: integration, account, contact"),
    (("set", "demo", "Agent", "contact", "opportunities"), 2, "none, full; or of visible, information"),
    (("set", "demo", "Agent", "contact", "deal=maybe"), 2, "switched on or off"),
    (("copy", "demo", "Boss", "Agent"), 4, 'no profile "Boss"'),
])
def test_what_is_not_known_is_refused(site, command, code, words):
    done = site.run("profile", *command, check=False)
    assert done.returncode == code and words in done.stderr and not done.stdout, done
    assert granted(site, "Agent", "contact") == set()


def test_two_administrators_do_not_overwrite_each_other(site):
    target = "/api/v1/connections/demo/profiles/Light%20Agent"
    tag = site.api("GET", target).headers["ETag"]
    wish = {"object": "contact", "items": "full"}
    assert site.api("PATCH", target, wish).status == 428
    assert site.api("PATCH", target, wish, {"If-Match": tag}).status == 200
    late = site.api("PATCH", target, {"object": "contact", "items": "none"}, {"If-Match": tag})
    assert late.status == 412, late
    assert "deal" in granted(site, "Light Agent", "contact")
    answer = site.api("GET", target + "/test?object=contact&item=deal")
    assert answer.status == 200 and answer.json["decided_by"] == {"object": "integration", "item": "visible", "there": False}
    assert site.api("GET", target + "/test?object=contact").status == 400
    assert json.loads(site.run("--json", "profile", "test", "demo", "Agent", "contact", "deal", check=False).stdout)["items"][0][
        "allowed"] is False


def test_what_comes_later_is_new(shared):
    """A profile made at the desk is denied until somebody decides; one that was deleted there is not shown any more."""
    made = shared.sandbox.create("desk", "profiles", {"name": "Later"})
    shared.restart()
    wait_until(lambda: "Later" in known(shared), 60, "the new profile was read")
    found = known(shared)
    assert found["Later"]["new"] and not found["Later"]["visible"] and not found["Agent"]["new"]
    assert not may(shared, "Later", "contact", "visible")
    assert "1 new: denied" in shared.run("profile", "list", "demo").stderr
    shared.run("profile", "copy", "demo", "Newbie", "Later")
    assert not known(shared)["Later"]["new"]
    shared.sandbox.change("desk", "profiles", made["id"], name="Latest")
    shared.restart()
    wait_until(lambda: "Latest" in known(shared), 60, "the new name was read")
    assert not known(shared)["Latest"]["new"] and "Later" not in known(shared)
