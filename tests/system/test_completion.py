"""Completion in shells comes from the table of commands, and names from the daemon while it runs."""
import os
import re
import shutil
import subprocess

import pytest
from systemlib import BUILD, Site

TIELINE = f"{BUILD}/bin/tieline"


def offered(*words, socket="/nonexistent.sock"):
    done = subprocess.run([TIELINE, "-S", socket, "completion", "words", "--", *words], capture_output=True, text=True,
                          check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return [line.split("\t")[0] for line in done.stdout.splitlines()]


def in_shell(script, *command, **more):
    env = dict(os.environ, PATH=f"{BUILD}/bin:{os.environ['PATH']}", **more)
    return subprocess.run([*command, script], capture_output=True, text=True, check=True, env=env).stdout.split()


def in_bash(*words, **more):
    given = " ".join(f"'{w}'" for w in ("tieline", *words))
    return in_shell(f"eval \"$(tieline completion bash)\"; COMP_WORDS=({given}); COMP_CWORD={len(words)}; _tieline; "
                    "printf '%s\\n' \"${COMPREPLY[@]}\"", "bash", "-c", **more)


def test_every_command_is_offered():
    """Word by word what --help lists, nothing else; without a daemon."""
    listed = subprocess.run([TIELINE, "--help"], capture_output=True, text=True, check=True).stdout.split("Options of")[0]
    commands = re.findall(r"^  ([a-z]+)(?: ([a-z-]+)(?= ))?", listed, re.M)
    nouns = {c[0] for c in commands}
    found = offered("")
    assert sorted(found) == sorted(nouns)
    for noun in {c[0] for c in commands if c[1]}:
        verbs = offered(noun, "")
        assert sorted(verbs) == sorted(c[1] for c in commands if c[0] == noun), noun
        assert [v for v in verbs if v.startswith("s")] == offered(noun, "s")
    assert offered("completion", "") == ["bash", "zsh", "fish"]


def test_options_and_their_values():
    assert {"--direction", "--kind"} & set(offered("sync", "start", "x", "--")) and "--json" in offered("--")
    assert offered("status", "--color", "") == ["auto", "always", "never"]
    assert offered("map", "import", "x", "contact", "") == [":files"] and offered("--socket", "") == [":files"]
    assert offered("status", "--", "--") == []  # no options after it
    assert offered("no-such-noun", "") == offered("sync", "no-such-verb", "") == []


def test_names_come_from_the_daemon():
    with Site("--contacts", 5, "--accounts", 2, "--plan", "plain") as site:
        site.start()
        site.sign_in(stamps=False)
        site.connect()
        socket = site.daemon.socket
        assert offered("connector", "show", "", socket=socket) == ["desk", "salesforce"]
        assert offered("connector", "show", "sa", socket=socket) == ["salesforce"]
        assert sorted(offered("endpoint", "auth", "", socket=socket)) == ["desk", "sf"]
        assert offered("connection", "pause", "", socket=socket) == ["demo"]
        assert offered("connection", "create", "", socket=socket) == []
        assert sorted(offered("link", "show", "demo", "", socket=socket)) == ["account", "contact"]
        assert offered("pair", "find", "x", "--connection", "", socket=socket) == ["demo"]
        assert "zoho_client" in offered("secret", "rm", "", socket=socket)
        assert in_bash("sync", "start", "", TIELINE_SOCKET=socket) == ["demo"]
        assert in_bash("-S", socket, "sync", "start", "d") == ["demo"]
    assert offered("connector", "show", "", socket=socket) == []


def test_bash(tmp_path):
    assert in_bash("connection", "re") == ["rename", "release", "resume"]
    (tmp_path / "one.json").touch()
    assert in_bash("map", "test", f"{tmp_path}/") == [f"{tmp_path}/one.json"]


@pytest.mark.skipif(not shutil.which("zsh"), reason="needs zsh")
def test_zsh(tmp_path):
    script = subprocess.run([TIELINE, "completion", "zsh"], capture_output=True, text=True, check=True).stdout
    (tmp_path / "_tieline").write_text(script, encoding="utf-8")
    said = in_shell(f"compdef() {{ :; }}; _describe() {{ print -l ${{(P)2}}; }}; . {tmp_path}/_tieline; "
                    "words=(tieline connection re); CURRENT=3; _tieline", "zsh", "-fec")
    assert [w.split(":")[0] for w in said if w.startswith("re")] == ["rename", "release", "resume"]


@pytest.mark.skipif(not shutil.which("fish"), reason="needs fish")
def test_fish():
    said = in_shell("tieline completion fish | source; complete -C 'tieline connection re'", "fish", "--no-config", "-c")
    assert {"rename", "release", "resume"} <= set(said)
