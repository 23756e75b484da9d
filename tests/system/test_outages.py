"""A vendor that is down, throttles or refuses is seen at once, everywhere a person looks, and ends by itself."""
import re
import time

import pytest
from systemlib import Site, synced_site, wait_until


@pytest.fixture(scope="module")
def site():
    with synced_site() as s:
        yield s


@pytest.fixture(autouse=True)
def clean_up(request):
    yield
    s = request.getfixturevalue("site")
    s.sandbox.control("DELETE", "/faults")
    s.run("sync", "start", "demo", "--no-wait", check=False)
    wait_until(lambda: s.run("status", check=False).returncode == 0, 40, "all is well")


def endpoint(site, name):
    return site.list("endpoint", "show", name)[0]


def metric(site, name):
    text = site.api("GET", "/metrics").body.decode()
    return float(re.search(rf"^{re.escape(name)} (\S+)$", text, re.M)[1])


OUTAGES = {"429": ("throttled", "throttles us"), "503-html": ("down", "does not work"),
           "drop-before": ("down", "does not work")}


@pytest.mark.parametrize("twin, name", [("desk", "429"), ("desk", "503-html"), ("salesforce", "drop-before")])
def test_seen_everywhere(site, twin, name):
    """status (WHY, exit 3), endpoint list and show, the log, the metrics; and all of it ends with the fault."""
    label = "desk" if twin == "desk" else "sf"
    state, words = OUTAGES[name]
    lines = len(site.log().splitlines())
    outages = metric(site, "tieline_endpoint_outages_total")
    site.sandbox.fault(name, twin=twin)
    wait_until(lambda: site.run("status", check=False).returncode == 3, 10, "status tells")
    shown = site.run("status", check=False).stdout
    assert re.search(rf"{label}: {state} since \d\d\d\d-", shown) and "next try" in shown, shown
    assert "endpoints that do not work:" in shown and f"{label} (" in shown, shown
    problem = endpoint(site, label)["problem"]
    assert problem["state"] == state and problem["since"] and problem["next_try"] and problem["text"], problem
    assert f"{state} since" in site.run("endpoint", "list").stdout
    assert metric(site, "tieline_endpoint_outages_total") == outages + 1
    assert site.run("status", "--json", check=False).returncode == 3
    started = site.run("sync", "start", "demo", "--no-wait", check=False)
    assert f'waits for endpoint "{label}", {state} since' in started.stderr, started
    wait_until(lambda: endpoint(site, label).get("problem", {}).get("calls", 0) > 1, 20, "it is tried again")
    site.sandbox.control("DELETE", "/faults")
    wait_until(lambda: site.run("status", check=False).returncode == 0, 30, "it ends by itself")
    assert "problem" not in endpoint(site, label)
    said = [line for line in site.log().splitlines()[lines:] if f'"{label}"' in line]
    assert len([line for line in said if words in line]) == 1, said
    assert len([line for line in said if "works again after" in line]) == 1, said


def calls(site, twin="desk"):
    return len(site.sandbox.control("GET", f"/calls?twin={twin}"))


def test_a_refused_token_is_told(site):
    """The token is refused and the accounts server has trouble: auth says so, show does not say "signed in", and all
    heals by itself soon after."""
    site.sandbox.fault("expire-token", twin="desk")
    site.sandbox.fault("general-error", twin="accounts")
    wait_until(lambda: endpoint(site, "desk")["auth"]["state"] == "waiting", 15, "the sign-in is told to wait")
    tried = site.run("endpoint", "auth", "desk", check=False)
    assert tried.returncode == 10 and "the accounts server of Zoho has trouble" in tried.stderr, tried
    auth = endpoint(site, "desk")["auth"]
    assert auth["state"] == "waiting" and "has trouble" in auth["words"] and auth["next_try"], auth
    assert "expires_at" not in auth and "endpoint auth desk" in auth["hint"], auth
    site.sandbox.control("DELETE", "/faults")
    wait_until(lambda: endpoint(site, "desk")["auth"]["state"] == "ok", 30, "signed in again without a person")
    wait_until(lambda: site.run("status", check=False).returncode == 0, 5, "and all is well")


def test_two_refusals_in_a_row_heal():
    """The token made anew is refused as well: no person is needed, and the tokens asked for stay few."""
    with synced_site() as s:  # of its own: sign-ins are limited to a few in ten minutes
        a, b, _ = s.pairs(1)[0]
        s.sandbox.fault("expire-token", twin="desk", times=2, path="/api/v1/accounts/search")  # one request at a time
        wait_until(lambda: endpoint(s, "desk").get("problem"), 20, "it is refused")
        asked = s.sandbox.calls()["accounts"]["total"]
        s.sandbox.change("salesforce", "Contact", b, Title="refused twice")
        s.wait_title("desk", a, "refused twice", 60)
        assert s.sandbox.calls()["accounts"]["total"] - asked <= 2


@pytest.mark.parametrize("verb", [("endpoint", "auth", "desk"), ("endpoint", "check", "desk"),
                                  ("sync", "start", "demo", "--no-wait")])
def test_a_person_is_not_kept_waiting(site, verb):
    """After the fault ended each of these makes calls go on at once, whatever pauses earlier failures had grown to."""
    site.sandbox.fault("expire-token", twin="desk")
    site.sandbox.fault("general-error", twin="accounts")
    site.sandbox.fault("drop-before", twin="desk", after=3)
    wait_until(lambda: endpoint(site, "desk").get("problem", {}).get("calls", 0) >= 4, 40, "pauses have grown")
    site.sandbox.control("DELETE", "/faults")
    began = time.monotonic()
    site.run(*verb)
    wait_until(lambda: site.run("status", check=False).returncode == 0, 4, "it goes on")
    assert endpoint(site, "desk")["auth"]["state"] == "ok"
    assert time.monotonic() - began < 5


def test_a_cured_problem_is_gone_after_a_good_check():
    """An endpoint no connection uses: what was wrong is no longer told once a check went well."""
    with Site("--contacts", 20, "--accounts", 4) as s:
        s.start()
        s.wait_running()
        assert s.run("endpoint", "check", "desk", check=False).returncode != 0
        assert "not set" in s.run("endpoint", "list").stdout
        s.daemon.set_secrets()
        wait_until(lambda: s.run("endpoint", "check", "desk", check=False).returncode == 0, 20, "the check is good")
        shown = endpoint(s, "desk")
        assert "problem" not in shown and not shown["block_text"] and "error" not in shown, shown


def test_before_the_first_sign_in():
    """Nothing to sign in with: the vendor was not asked, and the way to sign in is named."""
    with Site("--contacts", 20, "--accounts", 4) as s:
        ini = s.daemon.ini
        with open(ini, encoding="utf-8") as f:
            text = f.read()
        with open(ini, "w", encoding="utf-8") as f:
            f.write(text.replace("refresh_token = @secret:zoho_refresh\n", ""))
        s.start()
        s.daemon.set_secrets()
        s.wait_running()
        done = s.run("endpoint", "check", "desk", check=False)
        assert done.returncode == 7 and "was not asked" in done.stderr and '"refresh_token" is not set' in done.stderr, done
        assert "tieline endpoint auth desk" in done.stderr, done
