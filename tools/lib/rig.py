"""A sandbox and a daemon in a scratch directory: used by the demo, the whole-system tests and the benchmarks.

Nothing here knows how the engine works; it starts the real programs and speaks to them as a person would: by the INI, by
the command line, and (for the sandbox) by its control plane."""
import glob
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request


def find_program(build, name):
    """Path of a built program; build is the CMake build directory."""
    for place in ("bin", "sandbox", "core", "core/cli", "core/connector", "."):
        path = os.path.join(build, place, name)
        if os.access(path, os.X_OK) and os.path.isfile(path):
            return path
    raise FileNotFoundError(f"{name} is not built in {build}")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_until(check, timeout, what):
    """Result of check() once it is true; TimeoutError naming what otherwise."""
    end = time.monotonic() + timeout
    while True:
        result = check()
        if result:
            return result
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {timeout} s")
        time.sleep(0.05)


class Sandbox:
    """tieline-sandbox; attribute `at` holds its address line."""

    def __init__(self, build, *args):
        self.process = subprocess.Popen([find_program(build, "tieline-sandbox"), *map(str, args)], stdout=subprocess.PIPE,
                                        text=True)
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("tieline-sandbox did not start")
        self.at = json.loads(line)

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(20)

    def control(self, method, path, body=None, raw=False):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.at["control"] + "/_sim" + path, data=data, method=method,
                                         headers={"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=120) as answer:
            text = answer.read().decode()
        return text if raw else (json.loads(text) if text.strip() else None)

    def dump(self, twin, kind):
        return self.control("GET", f"/{twin}/dump/{kind}")

    def change(self, twin, kind, record_id, **fields):
        return self.control("PATCH", f"/{twin}/records/{kind}/{record_id}", fields)

    def create(self, twin, kind, fields):
        return self.control("POST", f"/{twin}/records/{kind}", fields)

    def verb(self, twin, kind, record_id, verb, body=None):
        return self.control("POST", f"/{twin}/records/{kind}/{record_id}/{verb}", body)

    def fault(self, name, **rest):
        return self.control("POST", "/faults", {"name": name, **rest})

    def calls(self):
        """Calls per twin and route since the start."""
        return self.control("GET", "/calls/count")

    def violations(self):
        return self.control("GET", "/violations")


class Daemon:
    """tielined with desk and sf endpoints on a sandbox, in a scratch directory of its own."""

    def __init__(self, build, sandbox, directory=None, isolation="worker", hooks=True, extra="", desk_options="",
                 salesforce_options=""):
        self.build = build
        self.sandbox = sandbox
        self.own_directory = directory is None
        self.directory = directory or tempfile.mkdtemp(prefix="tieline-")
        self.socket = os.path.join(self.directory, "api.sock")
        self.ini = os.path.join(self.directory, "tieline.ini")
        self.log_path = os.path.join(self.directory, "tielined.log")
        self.key = os.path.join(self.directory, "tieline.key")
        self.hook_port = free_port() if hooks else None
        self.isolation = isolation
        self.process = None
        self.write_ini(extra, desk_options, salesforce_options)
        if not os.path.exists(self.key):
            subprocess.run([find_program(build, "tielined"), "--make-key", self.key], check=True)

    def write_ini(self, extra="", desk_options="", salesforce_options=""):
        at, keys = self.sandbox.at, self.sandbox.at["credentials"]
        connectors = os.path.join(self.build, "connectors")
        hooks = ""
        if self.hook_port:
            hooks = f"[hooks]\nlisten = 127.0.0.1:{self.hook_port}\npublic_url = http://127.0.0.1:{self.hook_port}\n\n"
        text = f"""; written by the demo; every key is explained by: tieline config explain KEY
[core]
development = yes
state_dir = {self.directory}/state
key_file = {self.key}

[api]
socket = {self.socket}

{hooks}[connectors]
dir = {connectors}
enable = desk, salesforce
isolation.desk = {self.isolation}
isolation.salesforce = {self.isolation}

[endpoint desk]
connector = desk
accounts_url = {at['accounts']}
api_url = {at['desk']}
org_id = {keys['desk']['org_id']}
client_id = {keys['zoho']['client_id']}
client_secret = @secret:zoho_client
refresh_token = @secret:zoho_refresh
{desk_options}
[endpoint sf]
connector = salesforce
login_url = {at['login']}
instance_url = {at['salesforce']}
client_id = {keys['salesforce']['client_id']}
client_secret = @secret:sf_client
{salesforce_options}
{extra}
"""
        with open(self.ini, "w", encoding="utf-8") as f:
            f.write(text)

    def start(self, wait=True, env=None):
        environment = dict(os.environ, **(env or {}))
        self.log = open(self.log_path, "a", encoding="utf-8")
        self.process = subprocess.Popen([find_program(self.build, "tielined"), "-c", self.ini], stderr=self.log,
                                        stdout=self.log, env=environment)
        if wait:
            wait_until(self.answers, 20, "tielined answers")

    def answers(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"tielined ended with {self.process.returncode}:\n{self.log_tail()}")
        return os.path.exists(self.socket) and bool(self.run("--json", "status", check=False).stdout)

    def set_secrets(self):
        keys = self.sandbox.at["credentials"]
        for name, value in (("zoho_client", keys["zoho"]["client_secret"]), ("zoho_refresh", keys["zoho"]["refresh_token"]),
                            ("sf_client", keys["salesforce"]["client_secret"])):
            self.run("secret", "set", name, stdin=value)

    def stop(self, kill=False, timeout=60):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
            self.process.wait(timeout)
        self.log.close()
        return self.process.returncode

    def clean(self):
        if self.own_directory:
            shutil.rmtree(self.directory, ignore_errors=True)

    def log_tail(self, lines=40):
        with open(self.log_path, encoding="utf-8", errors="replace") as f:
            return "".join(f.readlines()[-lines:])

    def run(self, *args, stdin=None, check=True, timeout=600, stderr=subprocess.PIPE):
        """The tieline command; CompletedProcess with text output."""
        done = subprocess.run([find_program(self.build, "tieline"), "-S", self.socket, *map(str, args)], input=stdin,
                              text=True, stdout=subprocess.PIPE, stderr=stderr, timeout=timeout)
        if check and done.returncode not in (0, 8):
            raise RuntimeError(f"tieline {' '.join(map(str, args))} ended with {done.returncode}:\n{done.stderr}")
        return done

    def json(self, *args, **rest):
        """Items of a command's --json output."""
        return json.loads(self.run("--json", *args, **rest).stdout)["items"]

    def connect(self, name="demo", kinds=("account", "contact"), settings=()):
        self.run("connection", "create", name, "--a", "desk", "--b", "sf")
        for kind in kinds:
            self.run("link", "create", name, kind, *settings)

    def workers(self):
        """Process ids of what the daemon started, by whichever of its threads."""
        pids = []
        for path in glob.glob(f"/proc/{self.process.pid}/task/*/children"):
            try:
                with open(path, encoding="ascii") as f:
                    pids += [int(p) for p in f.read().split()]
            except OSError:
                pass
        return pids

    def memory_kib(self):
        """Peak resident memory of the daemon and of its workers now."""
        total = 0
        for pid in [self.process.pid] + self.workers():
            try:
                with open(f"/proc/{pid}/status", encoding="ascii") as f:
                    total += next(int(line.split()[1]) for line in f if line.startswith("VmHWM"))
            except (OSError, StopIteration):
                pass
        return total
