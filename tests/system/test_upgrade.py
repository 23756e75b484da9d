"""A connector's file replaced at run time: the former one comes back where an endpoint that worked does not work with it."""
import shutil
import subprocess

import pytest
from systemlib import BUILD, ROOT, Site, wait_until

pytestmark = pytest.mark.skipif(not shutil.which("gcc"), reason="needs gcc")
TOY = (ROOT / "sdk/examples/toy/toy.c").read_text(encoding="utf-8")


def built(directory, name, *changes):
    """toy.so with its source changed: other bytes, the same connector."""
    text = TOY
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    source = directory / f"{name}.c"
    source.write_text(text, encoding="utf-8")
    out = directory / "toy.so.new"
    subprocess.run(["gcc", "-shared", "-fPIC", "-I", ROOT / "sdk/include", "-I", ROOT / "sdk", "-o", out, source,
                    f"{BUILD}/sdk/kit/libtieline_kit.a"], check=True)
    source.unlink()
    out.chmod(0o755)
    out.rename(directory / "toy.so")


CHECK, OPEN = "static tl_status toy_check(tl_conn *c, const tl_check *q, tl_error *e)\n{", \
    "static tl_status toy_open(const tl_host *h, const tl_open *o, tl_conn **out, tl_error *e)\n{"
BROKEN = {
    "check": (CHECK, CHECK + '\n    return tlk_fail(e, TL_E_BUG, "this build cannot do it");\n'),
    "open": (OPEN, OPEN + '\n    return tlk_fail(e, TL_E_CONFIG, "this build opens nothing");\n'),
    "crash": (CHECK, CHECK + "\n    __builtin_trap();\n"),
}


TOKEN = '    {.name = "token",'
REGION = (TOKEN, '    {.name = "region", .help = "where it is", .type = TL_OPT_TEXT, .flags = TL_OPT_REQUIRED},\n' + TOKEN)


@pytest.fixture(scope="module", params=["worker", "inprocess"])
def site(request, tmp_path_factory):
    directory = tmp_path_factory.mktemp("connectors")
    for name in ("desk", "salesforce"):
        shutil.copy(f"{BUILD}/connectors/{name}.so", directory)
    built(directory, "first", ('.version = "', '.version = "1.'))
    with Site("--contacts", 5, "--accounts", 2, hooks=False) as s:
        with open(s.daemon.ini, encoding="utf-8") as f:
            text = f.read().replace(f"{BUILD}/connectors", str(directory))
        text = text.replace("enable = desk, salesforce", f"enable = toy, desk\nisolation.toy = {request.param}")
        text += f"[endpoint toy]\nconnector = toy\nurl = {s.sandbox.at['toy']}\ntoken = @secret:toy\n"
        with open(s.daemon.ini, "w", encoding="utf-8") as f:
            f.write(text)
        s.directory, s.isolation = directory, request.param
        s.start()
        s.daemon.set_secrets()
        s.run("secret", "set", "toy", stdin=s.sandbox.at["credentials"]["toy"]["token"])
        s.wait_running("toy", "desk")
        s.run("endpoint", "check", "toy")
        yield s


def toy(site):
    return site.list("connector", "show", "toy")[0]


def test_a_good_one_is_taken(site):
    before = toy(site)
    built(site.directory, "second", ('.version = "', '.version = "2.'))
    done = site.run("connector", "reload", "toy")
    assert "reloaded" in done.stderr and done.stdout == "toy\n"
    after = toy(site)
    assert after["version"].startswith("2.") and after["sha256"] != before["sha256"] and after["state"] == "running"
    copies = [p.name for p in (site.state / "connectors").iterdir() if p.name.startswith("toy-")]
    assert copies == [f"toy-{after['sha256']}.so"]


@pytest.mark.parametrize("how", ["open", "check", "crash"])
def test_the_former_one_comes_back(site, how):
    """One that loads, and then fails where the former one worked: said which endpoint, and nothing has changed."""
    if how == "crash" and site.isolation == "inprocess":
        pytest.skip("a crash in process ends the process")
    before, others = toy(site), site.list("connector", "show", "desk")[0]["pid"]
    built(site.directory, how, BROKEN[how])
    assert site.run("connector", "verify", "toy").returncode == 0
    done = site.run("connector", "reload", "toy", check=False)
    assert done.returncode == 1 and 'endpoint "toy", which worked, does not work with the new file' in done.stderr, done
    assert "the former file runs again" in done.stderr
    wait_until(lambda: toy(site)["state"] == "running", 20, "it runs again")
    after = toy(site)
    assert (after["version"], after["sha256"]) == (before["version"], before["sha256"])
    assert site.run("endpoint", "check", "toy").returncode == 0
    assert site.list("connector", "show", "desk")[0]["pid"] == others
    assert 'was refused by a reload: endpoint "toy", which worked' in refusal(site)
    built(site.directory, "again", ('.version = "', '.version = "2.'))
    assert site.run("connector", "reload", "toy").returncode == 0
    assert refusal(site) is None


def refusal(site):
    """What status says of the file, and every list of connectors with it."""
    told = [r for r in site.api("GET", "/api/v1/status").json["repairs"] if r["code"] == "CONNECTOR_REFUSED"]
    shown = [c["error"]["text"] for c in site.list("connector", "list") if c["name"] == "toy" and "error" in c]
    assert shown == [r["text"] for r in told], (shown, told)
    assert not told or "then: tieline connector reload toy" in told[0]["hint"], told
    return told[0]["text"] if told else None


def test_a_refused_file_is_told_until_another_is_there(site):
    """A start takes what lies there, also what a reload has refused: nobody has to remember that."""
    built(site.directory, "bad", BROKEN["check"])
    assert site.run("connector", "reload", "toy", check=False).returncode == 1
    before = refusal(site)
    site.restart()
    site.wait_running("toy", "desk")
    assert before and refusal(site) == before
    built(site.directory, "good", ('.version = "', '.version = "2.'))
    site.restart()
    site.wait_running("toy", "desk")
    wait_until(lambda: refusal(site) is None, 20, "another file is loaded")
    (site.directory / "toy.so").write_bytes(b"no connector")
    assert site.run("connector", "reload", "toy", check=False).returncode == 1
    assert "was refused by a reload" in refusal(site) and toy(site)["state"] == "running"
    built(site.directory, "good", ('.version = "', '.version = "2.'))
    assert site.run("connector", "reload", "toy").returncode == 0 and refusal(site) is None


def test_verify_knows_what_an_endpoint_lacks(site):
    built(site.directory, "region", REGION)
    done = site.run("connector", "verify", "toy", check=False)
    assert done.returncode == 8 and 'endpoint toy would not run with it: "region" is missing' in done.stderr, done
    assert "put it right in [endpoint toy]: where it is" in done.stderr, done
    done = site.run("connector", "reload", "toy", check=False)
    assert done.returncode == 1 and '"region" is missing' in done.stderr, done
    built(site.directory, "good", ('.version = "', '.version = "2.'))
    assert site.run("connector", "verify", "toy").returncode == 0
    assert site.run("connector", "reload", "toy").returncode == 0


def test_a_vendor_that_is_down_is_not_the_files_fault(site):
    site.sandbox.fault("503-json", twin="toy", times=1000)
    built(site.directory, "third", ('.version = "', '.version = "3.'))
    done = site.run("connector", "reload", "toy")
    assert "reloaded" in done.stderr and toy(site)["version"].startswith("3.")
    site.sandbox.control("DELETE", "/faults")


def test_the_last_file_is_known_after_a_restart(site):
    """Also while it is not loaded."""
    built(site.directory, "fourth", ('.version = "', '.version = "4.'))
    site.run("connector", "reload", "toy")
    loaded = toy(site)
    assert loaded["last_loaded"]["sha256"] == loaded["sha256"]
    site.run("connector", "disable", "toy")
    site.restart()
    site.wait_running("desk")
    after = toy(site)
    assert after["state"] == "disabled" and "version" not in after
    assert after["last_loaded"]["version"].startswith("4.") and after["last_loaded"]["sha256"] == loaded["sha256"]
    site.run("connector", "enable", "toy")
