"""The configuration: every mistake at once, with file and line; a bad file never starts; secrets are never shown."""
import os
import pathlib
import subprocess

import pytest
from systemlib import BUILD, ROOT, Site, rig, wait_until

WRONG = """[core]
development = yes
state_dir = {dir}/state
key_file = {dir}/key
colour = red
[api]
socket = {dir}/api.sock
[log]
level = loud
[store]
cache = much
[nonsense]
a = b
[connectors]
dir = {build}/connectors
enable = desk, salesforce
isolation.desk = orbit
[endpoint desk]
connector = desk
client_id = x
client_secret = @secret:zoho
refresh_tokn = @secret:r
dc = mars
[endpoint other]
connector = nothere
[endpoint {long}]
connector = desk
[connection demo]
a = desk
b = nobody
[link nowhere contact]
direction = up
[link demo contact]
every = sometimes
"""
FOUND = {5: "colour", 9: "level = loud", 11: "cache = much", 12: "[nonsense]", 17: "isolation.desk = orbit",
         26: "at most 49", 30: "no such endpoint", 32: "direction = up", 34: "every = sometimes"}
WITH_CONNECTORS = {4: "tielined --make-key", 22: "refresh_tokn", 23: "dc = mars", 25: "nothere"}


def program(name, *args, **rest):
    return subprocess.run([rig.find_program(BUILD, name), *map(str, args)], capture_output=True, text=True, timeout=60,
                          **rest)


def made_key(directory):
    program("tielined", "--make-key", directory / "made.key", check=True)
    return directory / "made.key"


@pytest.fixture
def wrong(tmp_path):
    file = tmp_path / "tieline.ini"
    file.write_text(WRONG.format(dir=tmp_path, build=BUILD, long="a" * 60))
    return file


def findings(text, file):
    """line -> words of what was found."""
    found = {}
    for line in text.splitlines():
        if line.startswith(f"{file}:"):
            number, words = line[len(str(file)) + 1:].split(":", 1)
            found.setdefault(int(number), []).append(words)
    return {n: " ".join(w) for n, w in found.items()}


@pytest.mark.parametrize("command", [("tielined", "-t", "-c"), ("tielined", "-T", "-c"), ("tieline", "config", "check")])
def test_all_mistakes_at_once(wrong, command):
    """Unknown key, section and value, a reference to nothing, a wrong option of a connector, an unknown connector, a header
    that is too long: each with its line, before anything ever ran here."""
    done = program(*command, wrong)
    assert done.returncode == 7
    found = findings(done.stderr + done.stdout, wrong)
    for line, words in {**FOUND, **WITH_CONNECTORS}.items():
        assert words in found.get(line, ""), (line, words, done.stderr)
    assert not (wrong.parent / "state").exists()  # a check makes nothing


def test_a_bad_file_does_not_start(wrong):
    done = program("tielined", "-c", wrong)
    assert done.returncode == 7
    found = findings(done.stderr, wrong)
    for line, words in FOUND.items():
        assert words in found.get(line, ""), (line, words, done.stderr)


JUDGED = """[connection demo]
a = desk
b = sf
[link demo contact]
quiet_hours = 25:00-08:00
max_changes = 200%
delete = a2b
direction = b2a
[link demo account]
every = 1ms
delete = b2a
direction = a2b
[connection empty]
[endpoint UPPER CASE]
[endpoint bare]
"""
JUDGMENTS = {5: "must be a range of hours", 6: "must be a number of writes", 10: "must be 1s to 7d", 13: 'needs "a"',
             14: "must read [endpoint NAME]", 15: 'needs "connector"'}


def test_every_judge_says_the_same():
    """`tielined -t`, `config check`, a start and a reload find the same in the same lines: values of links, settings that do
    not go together, sections without a key."""
    with Site("--contacts", 5, "--accounts", 2) as site:
        ini = pathlib.Path(site.daemon.ini)
        good = ini.read_text()
        before = len(good.splitlines())
        site.start()

        def judged(text):
            ini.write_text(good + text)
            said = [program("tielined", "-t", "-c", ini), program("tieline", "config", "check", ini),
                    program("tielined", "-c", ini), site.run("config", "reload", check=False)]
            assert [d.returncode for d in said] == [7] * 4, said
            return [{n - before: words for n, words in findings(d.stderr + d.stdout, ini).items()} for d in said]

        for found in judged(JUDGED):
            for line, words in JUDGMENTS.items():
                assert words in found.get(line, ""), (line, words, found)
        for found in judged(JUDGED.split("[link demo account]", maxsplit=1)[0].replace("25:00", "22:00").replace("200%", "20%")):
            assert "does not write to side b" in found.get(7, ""), found
        assert f"{ini}:{before + 7}: [link demo contact] delete" in site.log()
        ini.write_text(good.replace("@secret:sf_client", "@secret:") + "[link demo unicorn]\n[link demo contact]\n")
        done = program("tielined", "-t", "-c", ini)
        assert done.returncode == 7 and "takes the name of a secret" in done.stderr, done
        assert '"unicorn" is no kind of the vocabulary' in done.stderr and '"contact" is no kind' not in done.stderr


def test_what_the_file_wants_and_cannot_have():
    """A kind and a match field nobody has, found out once the systems were asked; a connection between other endpoints than
    it was made with: status says so (exit 3) until the file is right."""
    extra = "[connection demo]\na = desk\nb = sf\n[link demo unicorn]\n[link demo contact]\nmatch = x.nobody\n"
    with Site("--contacts", 5, "--accounts", 2, extra=extra) as site:
        ini = pathlib.Path(site.daemon.ini)
        site.start()
        site.sign_in()
        wait_until(lambda: 'has no kind "unicorn"' in site.run("status", check=False).stdout, 30, "status tells of it")
        assert site.run("status", check=False).returncode == 3
        for words, cure in (('endpoint "desk" has no kind "unicorn"', ("link", "delete", "demo", "unicorn", "-y")),
                            ("match = x.nobody: side a has no such field", ())):
            started = site.run("sync", "start", "demo", check=False)
            assert started.returncode == 6 and words in started.stderr, started
            if cure:
                ini.write_text(ini.read_text().replace("[link demo unicorn]\n", ""))
                site.run("config", "reload")
                site.run(*cure)
        good = ini.read_text().replace("match = x.nobody\n", "")
        ini.write_text(good.replace("a = desk\nb = sf\n", "a = sf\nb = desk\n"))
        site.restart()
        told = site.run("status", check=False)
        assert told.returncode == 3 and "was made between other endpoints" in told.stdout, told
        ini.write_text(good)
        site.run("config", "reload")
        told = site.run("status", check=False)
        assert "was made between other endpoints" not in told.stdout and "unicorn" not in told.stdout, told


@pytest.mark.parametrize("key, words", [
    (None, "No such file"), ("open", "is open to group or others"), ("short", "does not hold a key")])
def test_a_key_that_cannot_be_used(key, words, tmp_path):
    """Said by the check, with the line that names it, and by the start, which ends with 7."""
    file = tmp_path / "tieline.ini"
    file.write_text(f"[core]\nstate_dir = {tmp_path}/state\nkey_file = {tmp_path}/key\n[api]\nsocket = {tmp_path}/s\n")
    if key:
        (tmp_path / "key").write_text("x" * 7 if key == "short" else "0" * 64)
        os.chmod(tmp_path / "key", 0o644 if key == "open" else 0o400)
    checked = program("tielined", "-t", "-c", file)
    assert checked.returncode == 7 and words in findings(checked.stderr, file).get(3, ""), checked.stderr
    started = program("tielined", "-c", file)
    assert started.returncode == 7 and words in started.stderr and "hint" in started.stderr


@pytest.mark.parametrize("place, words", [
    ("nowhere/state", "cannot be made: No such file or directory"), ("file", "is not a directory"),
    ("file/state", "cannot be made: Not a directory")])
def test_a_state_directory_that_cannot_be(place, words, tmp_path):
    """Said by the check, with the line that names it, and nothing is made by it."""
    file = tmp_path / "tieline.ini"
    (tmp_path / "file").write_text("")
    file.write_text(f"[core]\nstate_dir = {tmp_path}/{place}\nkey_file = {made_key(tmp_path)}\n[api]\n"
                    f"socket = {tmp_path}/s\n")
    checked = program("tielined", "-t", "-c", file)
    assert checked.returncode == 7 and words in findings(checked.stderr, file).get(2, ""), checked.stderr
    assert program("tielined", "-c", file).returncode != 0
    file.write_text(file.read_text().replace(f"/{place}\n", "/state\n"))
    assert program("tielined", "-t", "-c", file).returncode == 0
    assert not (tmp_path / "state").exists() and not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("address, right", [("http://vendor.example/", False), ("http://127.0.0.1:1/", True)])
def test_plain_http_is_told_before_anything_runs(address, right, tmp_path):
    file = tmp_path / "tieline.ini"
    file.write_text(f"[core]\ndevelopment = yes\nstate_dir = {tmp_path}/state\nkey_file = {made_key(tmp_path)}\n"
                    f"[connectors]\ndir = {BUILD}/connectors\nenable = desk\n[endpoint desk]\nconnector = desk\n"
                    f"client_id = x\nclient_secret = @secret:a\nrefresh_token = @secret:b\napi_url = {address}\n")
    done = program("tielined", "-t", "-c", file)
    assert ("plain http" in findings(done.stderr, file).get(13, "")) != right, done.stderr
    assert done.returncode == (0 if right else 7), done.stderr


def test_hosts_are_hosts_and_declared(tmp_path):
    """What is no host is an error; what the connector does not declare would never be reached, which is worth a word."""
    file = tmp_path / "tieline.ini"
    file.write_text(f"[core]\ndevelopment = yes\nstate_dir = {tmp_path}/state\nkey_file = {made_key(tmp_path)}\n"
                    f"[connectors]\ndir = {BUILD}/connectors\nhosts.desk = https://desk.zoho.com, desk.zoho.eu\n"
                    "hosts.salesforce = acme.my.salesforce.com, evil.example.com\nhosts.nothere = a.example.com\n")
    done = program("tielined", "-t", "-c", file)
    found = findings(done.stderr, file)
    assert done.returncode == 7 and 'hosts.desk: host pattern "https://desk.zoho.com" is not usable' in found[7], found
    assert 'error' in found[7] and 'warning' in found[8] and 9 not in found, found
    assert 'connector "salesforce" does not declare "evil.example.com"' in found[8] and "acme" not in found[8], found


def test_what_is_no_file(tmp_path):
    """A pipe nobody writes to, a device without an end: said, not waited for."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for name, *command in (("tieline", "config", "check"), ("tielined", "-t", "-c"), ("tielined", "-c")):
        done = program(name, *command, pipe)
        assert done.returncode == 7 and "is not a regular file" in done.stdout + done.stderr, done
    done = program("tieline", "passport", "import", "demo", "/dev/zero")
    assert done.returncode == 1 and '"/dev/zero" is not a regular file' in done.stderr, done
    for command in (("map", "test"), ("map", "import", "demo", "contact")):
        done = program("tieline", *command, "/dev/zero")
        assert done.returncode == 2 and "is larger than 4194304 bytes" in done.stderr, done


def test_a_file_does_not_write_to_the_terminal(tmp_path):
    file = tmp_path / "tieline.ini"
    file.write_bytes(b"[core]\nkey_file = a\n[\x1b[2Jlink \xc2\x9b31m]\nx = y\n[log]\nlev\x07el = \x1b]0;owned\x07\n")
    for name, *command in (("tieline", "config", "check"), ("tielined", "-t", "-c")):
        done = program(name, *command, file)
        told = done.stdout + done.stderr
        assert done.returncode == 7 and "\\u{1b}[2Jlink" in told and "lev\\u{7}el" in told, told
        assert not any(c in told for c in "\x1b\x07\x9b"), repr(told)


def test_no_file():
    done = program("tielined", "-c", "/nonexistent/tieline.ini")
    assert done.returncode == 7 and "/nonexistent/tieline.ini" in done.stderr


def test_files_of_a_directory_are_read_in_order(tmp_path):
    """conf.d/*.ini comes after the main file, by name, and the last value counts; its lines are named by its own file."""
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "tieline.ini").write_text(f"[core]\nkey_file = {made_key(tmp_path)}\n[log]\nlevel = warn\n")
    (tmp_path / "conf.d/20.ini").write_text("[log]\nlevel = debug\n")
    (tmp_path / "conf.d/10.ini").write_text("[log]\nlevel = error\nformat = json\n")
    done = program("tielined", "-T", "-c", tmp_path / "tieline.ini")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert any(line.startswith("level = debug") and line.endswith("conf.d/20.ini:2") for line in lines), done.stdout
    assert any(line.startswith("format = json") for line in lines)
    (tmp_path / "conf.d/30.ini").write_text("[log]\nlevle = debug\n")
    done = program("tielined", "-t", "-c", tmp_path / "tieline.ini")
    assert done.returncode == 7 and f"{tmp_path}/conf.d/30.ini:2" in done.stderr


@pytest.mark.parametrize("key, words", [("every", "60s"), ("link.every", "60s"), ("core.state_dir", "/var/lib/tieline"),
                                        ("isolation.desk", "worker")])
def test_explain(key, words):
    done = program("tieline", "config", "explain", key)
    assert done.returncode == 0 and words in done.stdout, done


def test_explain_of_nothing():
    done = program("tieline", "config", "explain", "coulour")
    assert done.returncode == 4 and "config schema" in done.stderr


def test_the_sample_is_right(tmp_path):
    """etc/tieline.ini passes the check, and explains every key that the schema knows."""
    text = (ROOT / "etc/tieline.ini").read_text(encoding="utf-8")
    sample = tmp_path / "tieline.ini"
    sample.write_text(text.replace(";key_file = /etc/tieline/tieline.key", f"key_file = {made_key(tmp_path)}"))
    assert program("tieline", "config", "check", sample).returncode == 0
    keys = [line.split()[1] for line in program("tieline", "config", "schema").stdout.splitlines()[1:]]
    assert len(keys) > 20
    missing = [k for k in keys if f"{k} =" not in text and not (k.endswith(".*") and f"\n;{k[:-1]}" in text)]
    assert missing == []


def test_a_missing_secret_does_not_stop_it():
    """It starts, says which secret by name, file and line, and works as soon as it is set."""
    with Site("--contacts", 5, "--accounts", 2) as site:
        site.start()
        site.wait_running()
        told = site.list("endpoint", "show", "sf")[0]
        assert 'secret "sf_client" is not set' in str(told), told
        assert f'{site.daemon.ini}:' in site.log() and "tieline secret set sf_client" in site.log()
        done = site.run("endpoint", "check", "sf", check=False)
        assert done.returncode in (7, 9) and "sf_client" in done.stderr, done
        site.daemon.set_secrets()
        assert site.run("endpoint", "check", "sf").returncode == 0


def test_secrets_of_files_are_not_shown(tmp_path):
    """@file: and @secret: values stand in no dump, no log and no answer of config show."""
    with Site("--contacts", 5, "--accounts", 2) as site:
        key = site.sandbox.at["credentials"]["salesforce"]["client_secret"]
        secret_file = tmp_path / "sf"
        secret_file.write_text(key + "\n")
        os.chmod(secret_file, 0o600)
        ini = pathlib.Path(site.daemon.ini)
        ini.write_text(ini.read_text().replace("@secret:sf_client", f"@file:{secret_file}"))
        dump = program("tielined", "-T", "-c", ini)
        assert dump.returncode == 0 and key not in dump.stdout + dump.stderr
        assert "client_secret = [secret]" in dump.stdout and "@secret:zoho_client" in dump.stdout
        site.start()
        site.daemon.set_secrets()
        site.wait_running()
        assert site.run("endpoint", "check", "sf").returncode == 0
        shown = site.run("config", "show").stdout
        assert "client_id" in shown and key not in shown and key not in site.log()
        assert key not in site.run("--json", "config", "show").stdout


def test_a_plain_secret_of_an_unknown_connector_is_not_shown(tmp_path):
    """Only its connector knows which option is a secret: without it none is told, where it stands is."""
    file = tmp_path / "tieline.ini"
    file.write_text(f"[core]\nstate_dir = {tmp_path}/state\nkey_file = {made_key(tmp_path)}\n"
                    f"[connectors]\ndir = {BUILD}/connectors\n[endpoint x]\nconnector = nothere\npassword = hunter2\n")
    dump = program("tielined", "-T", "-c", file)
    assert dump.returncode == 7 and "password = [secret]" in dump.stdout and f"{file}:8" in dump.stdout, dump
    assert "connector = nothere" in dump.stdout and "hunter2" not in dump.stdout + dump.stderr


def test_the_kinds_of_a_link_stay(tmp_path):
    """Changed in a section of a link that is there: refused with file and line, at the start and at run time."""
    extra = "[connection demo]\na = desk\nb = sf\n[link demo contact]\nevery = 30s\n"
    with Site("--contacts", 5, "--accounts", 2, extra=extra) as site:
        site.start()
        site.sign_in()
        ini = pathlib.Path(site.daemon.ini)
        ini.write_text(ini.read_text().replace("every = 30s\n", "every = 20s\nb_kind = account\n"))
        line = ini.read_text().splitlines().index("b_kind = account") + 1
        site.restart()
        assert f'{ini}:{line}: b_kind = account: link "contact" was made with kind "contact"' in site.log()
        [link] = site.list("link", "show", "demo", "contact")
        assert link["every_seconds"] == 30
        assert site.run("link", "set", "demo", "contact", "every=10s", check=False).returncode == 6  # pinned as before
        done = site.run("link", "set", "demo", "contact", "a_kind=account", check=False)
        assert done.returncode == 6 and "stays so" in done.stderr and "link delete" in done.stderr


def test_pinned_keys_are_read_only():
    """A link that the file pins cannot be changed at run time where it is pinned: 409 with file and line."""
    extra = "[connection demo]\na = desk\nb = sf\n[link demo contact]\ndirection = b2a\n"
    with Site("--contacts", 5, "--accounts", 2, extra=extra) as site:
        site.start()
        site.sign_in()
        assert [c["name"] for c in site.list("connection", "list")] == ["demo"]
        done = site.run("link", "set", "demo", "contact", "direction=both", check=False)
        assert done.returncode == 6 and f"{site.daemon.ini}:" in done.stderr, done
        assert site.run("link", "set", "demo", "contact", "every=30s").returncode == 0
        [link] = site.list("link", "show", "demo", "contact")
        assert (link["direction"], link["every_seconds"]) == ("b2a", 30)
