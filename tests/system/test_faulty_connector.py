"""What a connector does wrong, seen by the person who has to mend it: one sentence that names function, kind and rule, at
the prompt and in the log, and a daemon that goes on."""
import pathlib
import shutil

import pytest
from systemlib import BUILD, Site, wait_until

HOWS = {"well": "well", "stride": "field stride", "choices": "choices nowhere", "prints": "output", "babbles": "much output",
        "dies": "crash in check", "account": "account size"}


@pytest.fixture(scope="module", params=["worker", "inprocess"])
def site(request, tmp_path_factory):
    directory = tmp_path_factory.mktemp("connectors")
    for so in (f"{BUILD}/connectors/desk.so", f"{BUILD}/connectors/salesforce.so",
               f"{BUILD}/tests/unit/connector/fixtures/faulty.so"):
        shutil.copy(so, directory)
    with Site("--contacts", 5, "--accounts", 2, isolation=request.param) as s:
        ini = pathlib.Path(s.daemon.ini)
        text = ini.read_text().replace(f"{BUILD}/connectors", str(directory)).replace("enable = ", "enable = faulty, ")
        for name, how in HOWS.items():
            text += f"\n[endpoint {name}]\nconnector = faulty\nhow = {how}\n"
        ini.write_text(text)
        s.isolation = request.param
        s.start()
        s.wait_running("faulty")
        yield s


@pytest.mark.parametrize("endpoint, words", [
    ("stride", 'connector "faulty", describe in discover: kind "contact": stride 8 is smaller than a tl_field'),
    ("choices", 'connector "faulty", describe in discover: kind "contact": field 1 "email": 3 of tl_choice at no address'),
    ("account", 'connector "faulty", account in check: struct_size 4 is smaller than a tl_account')])
def test_check_says_the_rule(site, endpoint, words):
    told = site.run("endpoint", "check", endpoint, check=False)
    assert told.returncode != 0 and words in told.stderr, told
    assert words in site.log()
    assert site.run("endpoint", "check", "well", check=False).returncode == 0


def test_what_it_prints_is_in_the_log(site):
    """The daemon's stderr is a file here, which a worker could not write to."""
    if site.isolation == "inprocess":
        pytest.skip("prints into the daemon's own stderr")
    assert site.run("endpoint", "check", "prints", check=False).returncode == 0
    wait_until(lambda: "it prints: a line on stderr" in site.log() and "it prints: a line on stdout" in site.log(), 10,
               "both lines are in the log")
    assert site.run("endpoint", "check", "babbles", check=False).returncode == 0
    assert site.list("connector", "show", "faulty")[0]["crashes"] == 0
    wait_until(lambda: "it prints: line 100" in site.log(), 10, "the first of many lines are in the log")
    assert "it prints: line 900" not in site.log()


def test_a_crash_says_where(site):
    if site.isolation == "inprocess":
        pytest.skip("would end the daemon")
    told = site.run("endpoint", "check", "dies", check=False)
    assert told.returncode != 0 and "died in check" in told.stderr, told
    shown = site.list("connector", "show", "faulty")[0]
    assert shown["crashes"] >= 1
    assert 'in check of endpoint "dies"' in site.log()
    wait_until(lambda: site.run("endpoint", "check", "well", check=False).returncode == 0, 20, "it runs again")
