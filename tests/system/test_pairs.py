"""Pairs and conflicts by hand, as an admin does it: link, unlink, ignore, swap; the inbox of conflicts."""
import pytest
from systemlib import synced_site, wait_until


@pytest.fixture(scope="module")
def site():
    with synced_site() as s:
        yield s


def pair_of(site, record_id):
    found = site.list("pair", "find", record_id)
    return found[0] if found else None


def test_already_mapped_is_cured_by_swapping_the_counterpart(site):
    """S1-19 S1-44: of two desk contacts with one address the first has the counterpart; an admin gives it to the other."""
    failure = next(f for f in site.list("failure", "list") if f["code"] == "ALREADY_MAPPED" and f["side"] == "a")
    loser = pair_of(site, failure["record"])
    email = site.desk()[failure["record"]]["email"].lower()
    holder = next(p for p in site.list("pair", "find", email) if p["pair"] != loser["pair"] and p["b_id"])
    refused = site.run("pair", "link", "demo", "contact", failure["record"], holder["b_id"], check=False)
    assert refused.returncode == 6 and f"pair {holder['pair']}" in refused.stderr and "unlink" in refused.stderr
    site.run("pair", "unlink", str(holder["pair"]))
    tried = site.run("pair", "link", "demo", "contact", failure["record"], holder["b_id"], "-n")
    assert "nothing was changed" in tried.stderr
    assert pair_of(site, failure["record"])["b_id"] in (None, "") and "conflict" in tried.stdout
    before = site.desk()[failure["record"]]
    site.run("pair", "link", "demo", "contact", failure["record"], holder["b_id"])
    wait_until(lambda: pair_of(site, failure["record"])["status"] == "ok", 20, "the new pair settles")
    assert failure["id"] not in [f["id"] for f in site.list("failure", "list")]
    # What was written there for the one let go is no edit: whatever of it differs is asked for, none of it came back.
    assert site.desk()[failure["record"]] == before
    wait_until(lambda: {c["pair"] for c in site.list("conflict", "list")} == {loser["pair"]}, 20, "the rest is asked for")
    site.run("conflict", "decide", str(loser["pair"]), "--take", "a")
    wait_until(lambda: site.list("conflict", "list") == [], 20, "it is decided")
    left = pair_of(site, holder["a_id"])
    assert left["status"] == "ignored" and not left["b_id"]
    site.sandbox.change("desk", "contacts", failure["record"], title="mine now")
    site.wait_title("salesforce", holder["b_id"], "mine now")
    # The one let go is left alone, also when it changes.
    site.sandbox.change("desk", "contacts", holder["a_id"], title="left alone")
    wait_until(lambda: site.run("sync", "start", "demo", check=False) and True, 5, "a cycle")
    assert site.salesforce()[holder["b_id"]]["Title"] == "mine now"


def test_ignored_until_it_is_heeded_again(site):
    a, b, _ = site.pairs(1, skip=3)[0]
    pair = str(pair_of(site, a)["pair"])
    site.run("pair", "ignore", pair)
    assert site.run("pair", "ignore", pair, check=False).returncode == 6
    before = site.salesforce()[b]["Title"]
    site.sandbox.change("desk", "contacts", a, title="while ignored")
    other_a, other_b, _ = site.pairs(1, skip=4)[0]
    site.sandbox.change("desk", "contacts", other_a, title="not ignored")
    site.wait_title("salesforce", other_b, "not ignored")
    assert site.salesforce()[b]["Title"] == before
    site.run("pair", "ignore", pair, "--off")
    site.wait_title("salesforce", b, "while ignored")


def test_crossed_pairs_are_swapped(site):
    (a1, b1, _), (a2, b2, _) = site.pairs(2, skip=6)
    p1, p2 = (pair_of(site, a)["pair"] for a in (a1, a2))
    shown = site.run("pair", "swap", str(p1), str(p2), "-n")
    assert "email" in shown.stdout
    assert pair_of(site, a1)["b_id"] == b1
    site.run("pair", "swap", str(p1), str(p2))
    assert pair_of(site, a1)["b_id"] == b2 and pair_of(site, a2)["b_id"] == b1

    def swapped_back():  # refused, with the hint to try again, while what came of the first one is being written
        done = site.run("pair", "swap", str(p1), str(p2), check=False)
        assert done.returncode == 0 or "is under way" in done.stderr, done
        return done.returncode == 0

    wait_until(swapped_back, 20, "they are swapped back")
    wait_until(lambda: pair_of(site, a1)["b_id"] == b1 and pair_of(site, a1)["status"] == "ok", 20, "back as it was")
    site.wait_quiet()
    # Whatever was written while they were crossed is no edit of a person: it is asked for, not taken for the later one.
    site.run("conflict", "decide", "--connection", "demo", "--kind", "contact", "--take", "a")
    wait_until(lambda: site.list("conflict", "list") == [], 20, "nothing is left of it")


def test_wrong_numbers_are_refused(site):
    assert site.run("pair", "unlink", "999999", check=False).returncode == 4
    assert site.run("pair", "swap", "1", "1", check=False).returncode == 2
    assert site.run("pair", "link", "demo", "contact", "nope", "nope", check=False).returncode == 4
    assert site.run("conflict", "decide", "999999", "--take", "a", check=False).returncode == 4
    assert site.run("conflict", "decide", "1", "--take", "c", check=False).returncode == 2


def conflict(site, n, field="title"):
    """Both sides of a pair change one field while nothing is read."""
    a, b, _ = site.pairs(1, skip=n)[0]
    site.sandbox.change("desk", "contacts", a, **{field: "from desk"})
    site.sandbox.change("salesforce", "Contact", b, Title="from salesforce")
    return a, b


def test_conflicts_wait_in_the_inbox_and_are_decided(site):
    """V8 Q3: both values are kept until a person decides, one or many alike; other fields go on."""
    site.run("link", "set", "demo", "contact", "policy=manual")
    site.run("connection", "pause", "demo")
    one, two, three = (conflict(site, n) for n in (10, 11, 12))
    site.sandbox.change("desk", "contacts", one[0], mobile="+49 1511 1111111")
    site.run("connection", "resume", "demo")
    wait_until(lambda: len(site.list("conflict", "list")) == 3, 30, "three conflicts wait")
    wait_until(lambda: site.salesforce()[one[1]]["MobilePhone"] == "+49 1511 1111111", 20, "another field goes on")
    row = next(c for c in site.list("conflict", "list") if c["a_id"] == one[0])
    assert (row["field"], row["a"], row["b"]) == ("title", "from desk", "from salesforce")
    assert site.desk()[one[0]]["title"] == "from desk" and site.salesforce()[one[1]]["Title"] == "from salesforce"
    site.run("conflict", "decide", str(row["pair"]), "--take", "b")
    site.wait_title("desk", one[0], "from salesforce")
    site.run("conflict", "decide", "--connection", "demo", "--kind", "contact", "--field", "title", "--take", "a")
    for a, b in (two, three):
        site.wait_title("salesforce", b, "from desk")
    wait_until(lambda: site.list("conflict", "list") == [], 20, "the inbox is empty")
    shown = site.list("pair", "show", str(row["pair"]))[0]
    assert "from desk" in str(shown["history"])  # the value that lost
    site.run("link", "set", "demo", "contact", "policy=newest")


def test_a_conflict_ends_when_the_sides_become_equal(site):
    site.run("link", "set", "demo", "contact", "policy=manual")
    site.run("connection", "pause", "demo")
    a, b = conflict(site, 14)
    site.run("connection", "resume", "demo")
    wait_until(lambda: len(site.list("conflict", "list")) == 1, 30, "a conflict waits")
    site.sandbox.change("desk", "contacts", a, title="from salesforce")
    wait_until(lambda: site.list("conflict", "list") == [], 30, "it has left the inbox")
    site.run("link", "set", "demo", "contact", "policy=newest")


def test_drift_is_reported_and_reverted_by_choice(site):
    site.run("link", "set", "demo", "contact", "direction=a2b", "drift=report")
    a, b, _ = site.pairs(1, skip=16)[0]
    before = site.desk()[a]["title"]
    site.sandbox.change("salesforce", "Contact", b, Title="drifted")
    wait_until(lambda: [c["a_id"] for c in site.list("conflict", "list")] == [a], 30, "the drift is reported")
    assert site.desk()[a]["title"] == before
    pair = pair_of(site, a)["pair"]
    site.run("conflict", "decide", str(pair), "--take", "a")
    wait_until(lambda: (site.salesforce()[b]["Title"] or "") == (before or ""), 20, "the source's value is back")
    wait_until(lambda: site.list("conflict", "list") == [], 20, "the inbox is empty")
