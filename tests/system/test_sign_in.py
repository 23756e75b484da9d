"""Signing in by browser at both vendors with the real daemon and command: the way back, what is pasted, hostile redirects,
refusals, the wrong organisation, signing out and in again while connections run."""
import http.client
import json
import os
import pty
import signal
import subprocess
import termios
import urllib.parse

import pytest
from systemlib import BUILD, Site, rig, wait_until

ROLES = {"desk": "accounts", "sf": "login"}


class SignedOut(Site):
    """Neither endpoint has a token of its own: a person must sign in."""

    def __init__(self):
        super().__init__("--contacts", 12, "--accounts", 4, hooks=False)
        self.port = rig.free_port()
        self.uri = f"http://localhost:{self.port}/tieline"
        with open(self.daemon.ini, encoding="utf-8") as f:
            text = f.read().replace("refresh_token = @secret:zoho_refresh\n", "")
        with open(self.daemon.ini, "w", encoding="utf-8") as f:
            f.write(text.replace("[core]\n", f"[core]\nredirect_uri = {self.uri}\n"))
        for role in ROLES.values():
            self.sandbox.control("POST", f"/{role}/redirects", {"uri": self.uri})
        self.start()
        self.daemon.set_secrets()
        self.wait_running()

    def begin(self, endpoint="desk", *more, stdin=subprocess.DEVNULL):
        """A command that waits, and the address of the page it printed."""
        command = subprocess.Popen([rig.find_program(BUILD, "tieline"), "-S", self.daemon.socket, "endpoint", "auth", endpoint,
                                    "--browser", *more], stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        page = command.stdout.readline().strip()
        assert page.startswith("http"), command.communicate()
        return command, page

    def page(self, endpoint="desk"):
        return self.run("endpoint", "auth", endpoint, "--browser", "--no-wait").stdout.strip()

    def paste(self, address, endpoint="desk"):
        return self.run("endpoint", "auth", endpoint, "--code", stdin=address + "\n", check=False)

    def auth(self, endpoint="desk"):
        return self.list("endpoint", "show", endpoint)[0]["auth"]

    def sign_in_both(self):
        for endpoint in ROLES:
            done = self.paste(choose(self.page(endpoint)), endpoint)
            assert done.returncode == 0, done.stderr


def get(url, headers=None, method="GET"):
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
    try:
        connection.putrequest(method, parts.path + ("?" + parts.query if parts.query else ""), skip_host=True)
        for name, value in (headers or {"Host": parts.netloc}).items():
            connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        answer.read()
        return answer
    finally:
        connection.close()


def choose(page, choice="allow", **more):
    """Where the vendor sends the browser when the person has chosen."""
    answer = get(page + "&" + urllib.parse.urlencode({"_choice": choice, **more}))
    assert answer.status == 302, answer.status
    return answer.headers["Location"]


def code_of(address):
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(address).query))["code"]


@pytest.fixture(scope="module")
def site():
    with SignedOut() as s:
        yield s


@pytest.mark.parametrize("endpoint", ROLES)
def test_the_browser_comes_back(site, endpoint):
    """proves: S1-09 S1-10. Both vendors ask a person with their own page; a password is never typed here."""
    command, page = site.begin(endpoint)
    asked = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(page).query))
    assert (asked["code_challenge_method"], len(asked["code_challenge"]), asked["redirect_uri"]) == ("S256", 43, site.uri)
    back = choose(page)
    answer = get(back)
    assert answer.status == 200 and answer.headers["Cache-Control"] == "no-store"
    out, err = command.communicate(timeout=60)
    assert command.returncode == 0, err
    assert site.auth(endpoint)["state"] == "ok" and site.auth(endpoint)["flow"] == "authorization_code"
    assert code_of(back) not in out + err + site.log()
    assert site.paste(back, endpoint).returncode == 6  # an answer is good once
    assert "endpoint.auth" in [row["act"] for row in site.list("audit", "list")]


@pytest.mark.parametrize("endpoint", ROLES)
@pytest.mark.parametrize("whole", [True, False], ids=["address", "code"])
def test_what_is_pasted(site, endpoint, whole):
    command, page = site.begin(endpoint, stdin=subprocess.PIPE)
    back = choose(page)
    _, err = command.communicate((back if whole else code_of(back)) + "\n", timeout=60)
    assert command.returncode == 0, err
    assert site.auth(endpoint)["state"] == "ok"


def test_hostile_redirects(site):
    command, page = site.begin()
    back = choose(page)
    here, mine = urllib.parse.urlsplit(back), {"Host": f"localhost:{site.port}"}
    foreign = choose(site.page())
    assert get(foreign).status == 400                                              # the state of another sign-in
    assert get(back.replace("state=", "state=x")).status == 400
    assert get(back + "&code=other").status == 400                                 # a parameter twice
    assert get(back, {"Host": "evil.example"}).status == 421                       # a name that was made to point here
    assert get(back, {"Host": f"localhost:{site.port + 1}"}).status == 421
    assert get(f"http://localhost:{site.port}/other?{here.query}", mine).status == 404
    assert get(f"http://localhost:{site.port}{here.path}", mine).status == 404     # no answer in it
    assert get(back, mine, "POST").status == 405
    assert get(back + "&x=" + "y" * 30000, mine).status in (400, 431)
    assert command.poll() is None                                                  # all of that was waited past
    assert get(back).status == 200
    assert command.wait(60) == 0
    assert site.paste(foreign.replace("http://localhost", "http://127.0.0.1")).returncode == 6  # another address
    assert site.paste(foreign).returncode == 6                                     # spent by that


def test_a_state_is_of_one_endpoint(site):
    back = choose(site.page("desk"))
    wrong = site.paste(back, "sf")
    assert wrong.returncode == 6 and "another endpoint" in wrong.stderr
    assert site.paste(back).returncode == 0  # and goes on waiting for its own


def test_two_at_once(site):
    first, first_page = site.begin()
    second, second_page = site.begin(stdin=subprocess.PIPE)  # the port is the first one's: pasted
    _, err = second.communicate(choose(second_page) + "\n", timeout=60)
    assert second.returncode == 0 and "port" in err, err
    assert get(choose(first_page)).status == 200
    assert first.wait(60) == 0 and site.auth()["state"] == "ok"


@pytest.mark.parametrize("endpoint", ROLES)
def test_declined(site, endpoint):
    before = site.auth(endpoint)
    command, page = site.begin(endpoint)
    assert get(choose(page, "deny")).status == 200
    _, err = command.communicate(timeout=60)
    assert command.returncode == 9 and "declined" in err, err
    assert site.auth(endpoint) == before


def test_interrupted(site):
    before = site.auth()
    command, page = site.begin()
    command.send_signal(signal.SIGINT)
    _, err = command.communicate(timeout=60)
    assert command.returncode == 130 and "nothing was changed" in err
    late = site.paste(choose(page))
    assert late.returncode == 6 and "no sign-in waits" in late.stderr
    assert site.auth() == before


def echoes(terminal):
    return bool(termios.tcgetattr(terminal)[3] & termios.ECHO)


@pytest.mark.parametrize("end", ["pasted", "interrupted", "code-interrupted"])
def test_a_terminal_shows_no_code_and_is_itself_again(site, end):
    ours, terminal = pty.openpty()
    try:
        if end == "code-interrupted":
            command = subprocess.Popen([rig.find_program(BUILD, "tieline"), "-S", site.daemon.socket, "endpoint", "auth", "desk",
                                        "--code"], stdin=terminal, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        else:
            command, page = site.begin(stdin=terminal)
        wait_until(lambda: not echoes(terminal), 20, "the terminal is quiet")
        if end == "pasted":
            os.write(ours, choose(page).encode() + b"\n")
            assert command.wait(60) == 0
        else:
            command.send_signal(signal.SIGINT)
            assert command.wait(60) in (130, -signal.SIGINT)
        assert echoes(terminal)
        os.set_blocking(ours, False)
        try:
            shown = os.read(ours, 65536)
        except BlockingIOError:
            shown = b""
        assert b"code=" not in shown
    finally:
        os.close(ours)
        os.close(terminal)


def test_scopes_that_are_missing(site):
    before = site.auth()
    done = site.paste(choose(site.page(), _scope="Desk.contacts.ALL,Desk.basic.ALL,Desk.settings.ALL"))
    assert done.returncode == 9 and "Desk.search.READ, Desk.events.ALL" in done.stderr, done.stderr
    assert site.auth() == before


@pytest.mark.parametrize("fault, said", [({"web_code_lifetime": 0}, "expired"), ({"refresh_max": 20}, None)])
def test_a_code_that_is_too_old(site, fault, said):
    site.sandbox.control("POST", "/accounts/switches", {**fault})
    try:
        done = site.paste(choose(site.page()))
        assert done.returncode == (9 if said else 0), done.stderr
        assert not said or said in done.stderr
    finally:
        site.sandbox.control("POST", "/accounts/switches", {"web_code_lifetime": 120})


def test_a_server_that_takes_no_pkce(site):
    site.sandbox.control("POST", "/accounts/switches", {"pkce": 0})
    try:
        assert site.paste(choose(site.page())).returncode == 0
    finally:
        site.sandbox.control("POST", "/accounts/switches", {"pkce": 1})


def test_a_redirect_to_a_server_that_is_not_allowed(site):
    before = site.auth()
    site.sandbox.control("POST", "/accounts/switches", {"foreign_dc": 1})
    try:
        asked = len(site.sandbox.control("GET", "/calls?twin=accounts-us"))
        done = site.paste(choose(site.page()))
        assert done.returncode == 7 and "accounts-server" in done.stderr and "not allowed" in done.stderr, done.stderr
        assert len(site.sandbox.control("GET", "/calls?twin=accounts-us")) == asked  # it never learned the secret
    finally:
        site.sandbox.control("POST", "/accounts/switches", {"foreign_dc": 0})
    assert site.auth() == before


@pytest.mark.parametrize("endpoint, other", [("sf", "00D000000000001"), ("desk", "99999")])
def test_the_wrong_organisation(site, endpoint, other):
    site.sign_in_both()
    known = site.list("endpoint", "show", endpoint)[0]
    done = site.paste(choose(site.page(endpoint), _org=other), endpoint)
    assert done.returncode == 6, done.stderr
    assert other in done.stderr and known["org_key"] in done.stderr and "nothing was changed" in done.stderr, done.stderr
    assert site.list("endpoint", "show", endpoint)[0]["auth"] == known["auth"]
    assert site.run("endpoint", "check", endpoint).returncode == 0  # the former sign-in still works


def test_who_cannot_be_asked_is_not_taken(site):
    site.sign_in_both()
    before = site.auth()
    fault = site.sandbox.fault("503-json", twin="desk", path="/api/v1/organizations*", times=0)
    try:
        done = site.paste(choose(site.page()))
        assert done.returncode == 10 and "nothing was changed" in done.stderr, done.stderr
    finally:
        site.sandbox.control("DELETE", f"/faults/{fault['id']}")
    assert {k: v for k, v in site.auth().items() if k == "state"} == {"state": before["state"]}


def test_out_and_in_again_while_a_connection_runs():
    with SignedOut() as site:
        site.sign_in_both()
        site.run("endpoint", "prepare", "desk", "-y")
        site.connect(number=False)
        site.first_sync()
        desk_id = site.pairs(1)[0][0]
        assert site.run("endpoint", "auth", "desk", "--revoke", check=False).returncode == 2  # nobody there to ask
        done = site.run("--json", "endpoint", "auth", "desk", "--revoke", "-y")
        assert json.loads(done.stdout)["items"][0]["vendor_told"] is True
        assert site.sandbox.control("GET", "/accounts/tokens")["access"] == 0
        endpoint = site.list("endpoint", "show", "desk")[0]
        assert endpoint["state"] == "needs sign-in" and "tieline endpoint auth desk" in endpoint["auth"]["hint"]
        wait_until(lambda: site.list("connection", "show", "demo")[0]["state"] == "blocked", 30, "the connection waits")
        site.sandbox.change("desk", "contacts", desk_id, title="While nobody was signed in")
        assert site.paste(choose(site.page())).returncode == 0
        wait_until(lambda: site.problems(number=False) == [], 60, "what was missed is caught up with")
        site.restart()
        assert site.run("endpoint", "check", "desk").returncode == 0  # the new sign-in is durable


def test_signing_out_where_the_vendor_is_away():
    with SignedOut() as site:
        site.sign_in_both()
        site.sandbox.fault("503-html", twin="accounts", path="/oauth/v2/token/revoke", times=0)
        done = site.run("endpoint", "auth", "desk", "--revoke", "-y", check=False)
        assert done.returncode == 10 and "could not be told" in done.stdout, (done.stdout, done.stderr)
        assert site.list("endpoint", "show", "desk")[0]["state"] == "needs sign-in"  # forgotten here all the same
        assert "endpoint.revoke" in [row["act"] for row in site.list("audit", "list")]


def test_signed_out_with_the_last_connection():
    """Who signed in is told to forget us once nobody can take the connection back: in store, memory and at the vendor."""
    with SignedOut() as site:
        site.sign_in_both()
        site.connect(kinds=("account",), number=False)
        site.run("connection", "delete", "demo", "-y")
        assert site.auth()["state"] == "ok"  # within the grace it may be taken back
        site.run("connection", "delete", "demo", "--now", "-y")
        wait_until(lambda: site.auth()["state"] == "not-signed-in", 20, "the desk's sign-in is forgotten")
        wait_until(lambda: site.sandbox.control("GET", "/accounts/tokens")["access"] == 0, 20, "and the vendor was told")
        wait_until(lambda: site.auth("sf")["state"] == "not-signed-in", 20, "the other one as well")
        signed_out = {row["object"] for row in site.list("audit", "list") if row["act"] == "endpoint.sign_out"}
        assert signed_out == set(ROLES)
        site.restart()
        assert site.auth()["state"] == "not-signed-in"
        assert site.paste(choose(site.page())).returncode == 0  # a new sign-in serves a new connection
