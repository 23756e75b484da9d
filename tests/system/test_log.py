"""The log says who did what to which object, alike in every format; and what happened to a worker."""
import json
import os
import pwd
import re
import signal

import pytest
from systemlib import Site
from rig import wait_until


def members(line, form):
    """Named members of one line."""
    if form == "json":
        return json.loads(line)
    found = {k: v for k, v in re.findall(r' (\w+)=((?:[^" ]\S*)|(?:"(?:[^"\\]|\\.)*"))', line)}
    return {k: json.loads(v) if v.startswith('"') else v for k, v in found.items()}


@pytest.mark.parametrize("form", ["text", "journal", "json"])
def test_every_change_names_who_what_and_object(form):
    """Secrets, sign-ins and connections: act, object and who in every form; no value and no code in log or audit."""
    with Site("--contacts", 2, "--accounts", 1, hooks=False, extra=f"[log]\nformat = {form}\n").start() as site:
        site.sign_in(stamps=False)
        site.run("endpoint", "auth", "desk")
        site.run("connection", "create", "demo", "--a", "desk", "--b", "sf")
        site.run("secret", "set", "spare", stdin="very-confidential")
        site.run("secret", "rm", "spare", "-y")
        told = [members(line, form) for line in site.log().splitlines() if "request done" in line]
        acts = [(m["act"], m["object"]) for m in told]
        for expected in (("secret.set", "zoho_client"), ("endpoint.auth", "desk"), ("connection.create", "demo"),
                         ("secret.set", "spare"), ("secret.rm", "spare")):
            assert expected in acts, (expected, acts)
        assert {m["who"] for m in told} == {f"uid {os.getuid()} ({pwd.getpwuid(os.getuid()).pw_name})"}
        assert "very-confidential" not in site.log()
        assert b"very-confidential" not in site.database.read_bytes()


def test_a_worker_that_died_is_told_to_run_again():
    with Site("--contacts", 2, "--accounts", 1, hooks=False).start() as site:
        site.sign_in(stamps=False)
        desk = next(c for c in site.list("connector", "list") if c["name"] == "desk")
        os.kill(desk["pid"], signal.SIGKILL)
        site.run("endpoint", "check", "desk", check=False)
        wait_until(lambda: 'the worker of connector "desk" runs again connector=desk' in site.log(), 20, "it is told")
        assert re.search(r'error the worker of connector "desk" \S.* connector=desk', site.log())


def test_missing_secrets_are_told_together_and_once():
    """Both of one endpoint in one line; nothing again at the load, nor when the secret of another endpoint is set."""
    with Site("--contacts", 2, "--accounts", 1, hooks=False).start() as site:
        site.wait_running()
        lines = [line for line in site.log().splitlines() if "is not set" in line]
        assert len(lines) == 2, lines
        desk = next(line for line in lines if line.endswith("endpoint=desk"))
        assert '"zoho_client" is not set' in desk and '"zoho_refresh" is not set' in desk
        site.run("secret", "set", "sf_client", stdin="something")
        assert len([line for line in site.log().splitlines() if "is not set" in line]) == 2
