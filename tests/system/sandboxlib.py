"""Starts tieline-sandbox and talks to its twins and its control plane. Shares no code with what it tests."""
import http.client
import json
import os
import subprocess
import urllib.parse
from dataclasses import dataclass, field


def program(name, folder):
    """Path of a built program: $TIELINE_BUILD is the build directory (ctest sets it)."""
    build = os.environ.get("TIELINE_BUILD", os.path.join(os.path.dirname(__file__), "../../build"))
    return os.path.join(build, folder, name)


def connector_lines(so, folder, options):
    """tieline-sdk calling one connector in process: calls as JSON lines on its stdin, answers on its stdout."""
    config = os.path.join(str(folder), "check.ini")
    with open(config, "w", encoding="utf-8") as f:
        f.write("[endpoint]\n" + "".join(f"{k} = {v}\n" for k, v in options.items() if v is not None))
    return subprocess.Popen([program("tieline-sdk", "bin"), "run", str(so), "--in-process", "--config", config, "lines"],
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


@dataclass
class Answer:
    status: int
    headers: dict
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        return self.json.get("errorCode")


@dataclass
class Sandbox:
    args: tuple = ()
    line: dict = field(default_factory=dict)
    token: str = ""
    finance_token: str = ""

    def __enter__(self):
        self.process = subprocess.Popen([program("tieline-sandbox", "sandbox"), *map(str, self.args)],
                                        stdout=subprocess.PIPE, text=True)
        text = self.process.stdout.readline()
        assert text, "tieline-sandbox ended before its address line"
        self.line = json.loads(text)
        self.switches = {t: self.sim("GET", f"/{t}/switches").json for t in ("accounts", "desk", "finance")}
        return self

    def __exit__(self, *_):
        self.process.terminate()
        assert self.process.wait(30) == 0
        self.process.stdout.close()

    def reset(self):
        """Faults gone, switches as at the start; records and tokens stay."""
        self.sim("DELETE", "/faults")
        for twin, switches in self.switches.items():
            self.sim("POST", f"/{twin}/switches", {k: v["value"] for k, v in switches.items()})

    def call(self, role, method, target, body=None, headers=None, raw=None, kind="application/json"):
        host = urllib.parse.urlsplit(self.line[role]).netloc
        connection = http.client.HTTPConnection(host, timeout=30)
        headers = dict(headers or {})
        data = raw if raw is not None else (json.dumps(body).encode() if body is not None else None)
        if data is not None and kind:
            headers.setdefault("Content-Type", kind)
        try:
            connection.request(method, target, data, headers)
            r = connection.getresponse()
            return Answer(r.status, dict(r.headers), r.read())
        finally:
            connection.close()

    def sim(self, method, target, body=None):
        return self.call("control", method, "/_sim" + target, body)

    def switch(self, twin, **values):
        assert self.sim("POST", f"/{twin}/switches", values).status == 200

    def fault(self, name, **spec):
        answer = self.sim("POST", "/faults", {"name": name, **spec})
        assert answer.status == 201, answer.body
        return answer.json["id"]

    def token_call(self, role="accounts", **form):
        return self.call(role, "POST", "/oauth/v2/token", raw=urllib.parse.urlencode(form).encode(),
                         kind="application/x-www-form-urlencoded")

    def refresh(self, **change):
        z = self.line["credentials"]["zoho"]
        form = {"grant_type": "refresh_token", "refresh_token": z["refresh_token"], "client_id": z["client_id"],
                "client_secret": z["client_secret"], **change}
        return self.token_call(**form)

    def token_with(self, scope, org=None):
        """An access token of a refresh token of its own, with these scopes."""
        spec = {"scope": scope, **({"org": org} if org else {})}
        token = self.sim("POST", "/accounts/refresh", spec).json["refresh_token"]
        return self.refresh(refresh_token=token).json["access_token"]

    def desk(self, method, path, body=None, token=None, org="20063578341", headers=None, **more):
        if token is None:
            self.token = self.token or self.token_with("Desk.contacts.ALL,Desk.tickets.ALL,Desk.basic.ALL,"
                                                       "Desk.settings.ALL,Desk.search.READ,Desk.events.ALL")
            token = self.token
        h = {**({"Authorization": "Zoho-oauthtoken " + token} if token else {}), **({"orgId": org} if org else {}),
             **(headers or {})}
        return self.call("desk", method, "/api/v1" + path, body, h, **more)

    def finance(self, method, path, body=None, product="books", token=None, org="60020000101", headers=None, **more):
        """A call of the finance twin, with every scope; org None: none named."""
        if token is None:
            self.finance_token = self.finance_token or self.token_with(",".join(
                f"{p}.{g}.ALL" for p in ("ZohoBooks", "ZohoInvoice")
                for g in ("settings", "contacts", "invoices", "estimates")))
            token = self.finance_token
        h = {**({"Authorization": "Zoho-oauthtoken " + token} if token else {}), **(headers or {})}
        if org:
            path += ("&" if "?" in path else "?") + "organization_id=" + org
        return self.call("finance", method, f"/{product}/v3{path}", body, h, **more)

    def dump(self, twin, kind):
        return self.sim("GET", f"/{twin}/dump/{kind}").json
