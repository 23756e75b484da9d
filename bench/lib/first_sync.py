"""B1: Zoho Desk to an empty Salesforce, from `tieline sync start` until every side is settled (read-back included) and the
next cycle writes nothing. Counted: user and system CPU of tielined and its workers; denominators in the same rounds."""
import argparse
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request

from compare import compare
from measure import (Missing, cpu_of, family, high_water, idle_share, median, run_measured, say, spread, threads_of)
from rig import Daemon, Sandbox, find_program, free_port, wait_until

CONNECTION = "bench"
SYSTEM_PYTHON = "/usr/bin/python3"


# ---- The world ----------------------------------------------------------------------------------------------------


def sandbox_for(o, contacts, accounts):
    return Sandbox(o.build, "--plan", "empty-crm", "--contacts", contacts, "--accounts", accounts)


def created(sandbox):
    counts = sandbox.control("GET", "/salesforce/counts")
    return counts["Account"]["created"], counts["Contact"]["created"]


def verify(sandbox, accounts, contacts):
    """The end state, by a comparison that shares no code with what was measured; raises when anything is wrong."""
    counts = sandbox.control("GET", "/salesforce/counts")
    for kind, expected in (("Account", accounts), ("Contact", contacts)):
        have = counts[kind]
        if have["live"] != expected or have["created"] != expected or have["updated"] or have["deleted"]:
            raise RuntimeError(f"end state: {kind} {have}, expected {expected} created once and never touched again")
    if sandbox.violations()["count"]:
        raise RuntimeError(f"end state: violations {sandbox.violations()}")
    report = compare(sandbox)
    for kind, expected in (("accounts", accounts), ("contacts", contacts)):
        found = report[kind]
        if found["paired"] != expected or found["differs"] or found["unpaired"]:
            raise RuntimeError(f"end state: {kind}: {found['paired']} paired of {expected}, differ {found['differs'][:3]}, "
                               f"unpaired {found['unpaired'][:3]}")


def token(url, **form):
    with urllib.request.urlopen(url, urllib.parse.urlencode(form).encode()) as answer:
        return json.load(answer)


# ---- What is measured ---------------------------------------------------------------------------------------------


def floor_state(o, contacts, accounts):
    sandbox = sandbox_for(o, contacts, accounts)
    directory = tempfile.mkdtemp(prefix="bench-")
    try:
        at, keys = sandbox.at, sandbox.at["credentials"]
        desk = token(at["accounts"] + "/oauth/v2/token", grant_type="refresh_token",
                     refresh_token=keys["zoho"]["refresh_token"], client_id=keys["zoho"]["client_id"],
                     client_secret=keys["zoho"]["client_secret"])
        other = token(at["login"] + "/services/oauth2/token", grant_type="client_credentials",
                      client_id=keys["salesforce"]["client_id"], client_secret=keys["salesforce"]["client_secret"])
        headers = (f"Authorization: Zoho-oauthtoken {desk['access_token']}\n"
                   f"Authorization: Bearer {other['access_token']}\n")
        out, figures = run_measured([find_program(o.build, "floor_state"), os.path.join(directory, "floor.db"), at["desk"],
                                     keys["desk"]["org_id"], other["instance_url"]], headers)
        told = json.loads(out)
        verify(sandbox, told["accounts"], told["contacts"])
        figures.update(records=told["accounts"] + told["contacts"], requests=told["requests"], stages=told["stages"])
        back = sum(v for k, v in told["stages"].items() if k.startswith("back"))
        figures["read_back"] = back / sum(told["stages"].values())
        return figures
    finally:
        sandbox.stop()
        shutil.rmtree(directory, ignore_errors=True)


def status(daemon):
    return [link for c in daemon.json("sync", "status", CONNECTION) for link in c["links"]]


def is_settled(daemon):
    return all(not link.get("running") and link["phase"] == "live" and link["counts"]["unsettled"] == 0
               for link in status(daemon))


def writes_and_polls(sandbox):
    """Writes at either vendor, polls of the two feeds of contacts."""
    calls = sandbox.calls()
    writes = sum(n for twin in ("desk", "salesforce") for route, n in calls[twin].items()
                 if route.split()[0] in ("POST", "PATCH", "PUT", "DELETE"))
    return writes, calls["desk"].get("GET /api/v1/contacts/search", 0), sum(
        n for route, n in calls["salesforce"].items() if "/queryAll" in route)


def prepare(daemon, every):
    daemon.set_secrets()
    wait_until(lambda: all(c["state"] == "running" for c in daemon.json("connector", "list")), 30, "both connectors run")
    daemon.run("endpoint", "prepare", "desk", "-y")
    for endpoint in ("desk", "sf"):
        daemon.run("endpoint", "check", endpoint)
    daemon.connect(CONNECTION, settings=(f"every={every}s", "max_changes=off"))


def tieline(o, isolation, contacts, accounts, profile=None):
    """One first sync. While records are being made only the twin is asked how far it is, not the daemon."""
    sandbox = sandbox_for(o, contacts, accounts)
    daemon = Daemon(o.build, sandbox, isolation=isolation, hooks=False)
    recorder = None
    try:
        daemon.start()
        prepare(daemon, every=max(5, contacts // 4000))
        expected = tuple(sum(1 for r in sandbox.dump("desk", kind) if r["_state"] == "live")
                         for kind in ("accounts", "contacts"))
        pid = daemon.process.pid
        before, threads, start = cpu_of(pid), threads_of(pid), time.monotonic()
        if profile:
            recorder = subprocess.Popen(["perf", "record", "-q", "-F", "997", "-e", "cpu-clock", "-g", "-o", profile, "-p",
                                         str(pid)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        daemon.run("--no-wait", "sync", "start", CONNECTION)
        patience = 120 + contacts // 100
        wait_until(lambda: created(sandbox) == expected, patience, f"all {expected} records are made")
        made = (cpu_of(pid) - before, time.monotonic() - start)
        time.sleep(1)
        wait_until(lambda: time.sleep(0.5) or is_settled(daemon), patience, "every side is settled")
        settled = (cpu_of(pid) - before, time.monotonic() - start)
        first = writes_and_polls(sandbox)
        wait_until(lambda: all(now >= then + 2 for now, then in zip(writes_and_polls(sandbox)[1:], first[1:])), patience,
                   "the next cycle")
        time.sleep(1)
        figures = {"cpu": cpu_of(pid) - before, "wall": settled[1], "records": sum(expected),
                   "rss_kib": sum(map(high_water, family(pid))), "cpu_made": made[0],
                   "read_back": (settled[0] - made[0]) / settled[0]}
        after = threads_of(pid)
        figures["threads"] = {k: round(v - threads.get(k, 0), 3) for k, v in after.items() if v - threads.get(k, 0) > 0.005}
        figures["requests"] = sum(sandbox.calls()[t]["total"] for t in ("desk", "salesforce"))
        if writes_and_polls(sandbox)[0] != first[0]:
            raise RuntimeError("the cycle after the first sync wrote something")
        counts = [link["counts"] for link in status(daemon)]
        if sum(c["complete"] for c in counts) != sum(expected) or sum(c["pairs"] for c in counts) != sum(expected) or any(
                c["failures"] or c["unsettled"] for c in counts):
            raise RuntimeError(f"end state: pairs {counts}")
        verify(sandbox, *expected)
        return figures
    except (TimeoutError, RuntimeError) as problem:
        raise RuntimeError(f"{isolation}: {problem}\n{daemon.log_tail(10)}") from problem
    finally:
        if recorder:
            recorder.send_signal(signal.SIGINT)
            recorder.wait(60)
        daemon.stop()
        sandbox.stop()
        daemon.clean()


class Mock:
    """mockapi for the peers; at: its address."""

    def __init__(self, o, contacts):
        port = free_port()
        self.process = subprocess.Popen([find_program(o.build, "mockapi"), str(port), str(contacts), "200", "0", "3600"],
                                        stderr=subprocess.PIPE, text=True)
        self.process.stderr.readline()
        self.at = f"http://127.0.0.1:{port}"

    def ids(self):
        with urllib.request.urlopen(self.at + "/stats") as answer:
            return json.load(answer)["ids"] - 1

    def stop(self):
        self.process.kill()
        self.process.wait()


def peer(o, command, contacts):
    mock, directory = Mock(o, contacts), tempfile.mkdtemp(prefix="bench-")
    try:
        _, figures = run_measured([part.format(at=mock.at, db=os.path.join(directory, "peer.db")) for part in command])
        if mock.ids() != contacts:
            raise RuntimeError(f"{command[0]}: {mock.ids()} records arrived, expected {contacts}")
        figures["records"] = contacts
        return figures
    finally:
        mock.stop()
        shutil.rmtree(directory, ignore_errors=True)


def floor_fast(o, contacts, _):
    # BASEURL TOTAL PAGE SYNC DATABASE PAGES-PER-TRANSACTION
    return peer(o, [find_program(o.build, "floor_fast"), "{at}", str(contacts), "200", "FULL", "{db}", "1"], contacts)


def script(o, contacts, _):
    where = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "peers", "script.py")
    return peer(o, [SYSTEM_PYTHON, where, "{at}", str(contacts), "200", "{db}"], contacts)


RUNNERS = {"floor_state": floor_state, "inprocess": lambda o, c, a: tieline(o, "inprocess", c, a),
           "isolated": lambda o, c, a: tieline(o, "worker", c, a), "floor_fast": floor_fast, "script": script}


# ---- The figures --------------------------------------------------------------------------------------------------


def needs(o):
    if "script" in o.only and subprocess.run([SYSTEM_PYTHON, "-c", "import requests"], capture_output=True,
                                             check=False).returncode:
        raise Missing("the script needs python3-requests: apt-get install python3-requests, or leave it out with --only")


def ratios(rounds, name, base):
    return [r[name]["cpu"] / r[name]["records"] / (r[base]["cpu"] / r[base]["records"]) for r in rounds
            if name in r and base in r]


def show(rounds, names):
    say(f"\n  {'':12s} {'CPU us/record':>13s} {'spread':>7s} {'CPU s':>7s} {'wall s':>7s} {'peak MB':>8s} {'read-back':>9s}")
    for name in names:
        per = [1e6 * r[name]["cpu"] / r[name]["records"] for r in rounds]
        back = [r[name]["read_back"] for r in rounds if "read_back" in r[name]]
        say(f"  {name:12s} {median(per):13.1f} {spread(per):6.0f}% {median([r[name]['cpu'] for r in rounds]):7.2f} "
            f"{median([r[name]['wall'] for r in rounds]):7.1f} {median([r[name]['rss_kib'] for r in rounds]) / 1024:8.1f} "
            f"{f'{100 * median(back):.0f} %' if back else '':>9s}")


def show_stages(rounds):
    records = rounds[0]["floor_state"]["records"]
    stages = {k: median([r["floor_state"]["stages"][k] for r in rounds]) for k in rounds[0]["floor_state"]["stages"]}
    say("  floor_state by stage, us/record: " + ", ".join(f"{k} {v / records:.1f}" for k, v in stages.items()))


def show_threads(rounds, name):
    records = rounds[0][name]["records"]
    totals = {}
    for r in rounds:
        for thread, spent in r[name]["threads"].items():
            totals.setdefault(thread, []).append(spent)
    top = sorted(((median(v), k) for k, v in totals.items()), reverse=True)[:8]
    say(f"  {name} by thread, us/record: " + ", ".join(f"{k} {1e6 * v / records:.1f}" for v, k in top))


def bars_of(rounds, names):
    bars = []

    def bar(name, values, limit):
        if values:
            value = median(values)
            bars.append({"name": name, "value": value, "bar": limit, "held": value <= limit, "rounds": values})

    for name in ("inprocess", "isolated"):
        bar(f"b1 {name} / floor_state", ratios(rounds, name, "floor_state"), 1.5)
        bar(f"b1 {name} / script", ratios(rounds, name, "script"), 1.0)
    for name in ("inprocess", "isolated", "floor_state"):
        values = ratios(rounds, name, "floor_fast")
        if values and name in names:
            say(f"  {name} / floor_fast: {median(values):.2f}")
    return bars


def profile(o):
    if not shutil.which("perf"):
        raise Missing("--profile needs perf: apt-get install linux-perf")
    data = os.path.join(o.build, "b1.perf.data")
    tieline(o, "inprocess", o.contacts, o.accounts, data)
    for sort, limit in (("dso", "1"), ("symbol", "1")):
        say(f"\nCPU of one in-process run by {sort}:")
        text = subprocess.run(["perf", "report", "-i", data, "--no-children", "-g", "none", "--sort", sort, "--percent-limit",
                               limit], capture_output=True, text=True, check=False).stdout
        say("\n".join(line.rstrip() for line in text.splitlines() if line.strip() and not line.startswith("#")))


# ---- The same in instructions: exact where time is noise -----------------------------------------------------------


def traced_build(o, directory):
    """A build directory whose tielined and floor_state run under callgrind."""
    for name in os.listdir(o.build):
        if name != "bin":
            os.symlink(os.path.join(o.build, name), os.path.join(directory, name))
    os.mkdir(os.path.join(directory, "bin"))
    for name in os.listdir(os.path.join(o.build, "bin")):
        program, link = os.path.join(o.build, "bin", name), os.path.join(directory, "bin", name)
        if name not in ("tielined", "floor_state"):
            os.symlink(program, link)
            continue
        with open(link, "w", encoding="utf-8") as f:
            f.write(f"""#!/bin/bash
case " $* " in *" --make-key "*) exec {program} "$@" ;; esac
exec valgrind --tool=callgrind --callgrind-out-file=/dev/null --log-file={directory}/count {program} "$@"
""")
        os.chmod(link, 0o755)
    return directory


def counted(directory):
    with open(os.path.join(directory, "count"), encoding="utf-8") as f:
        return next(int(line.split()[-1]) for line in f if "Collected" in line)


def instructions(o):
    """Instructions per record of tielined in process and of floor_state: the difference of two sizes, so that starting,
    signing in and describing do not count."""
    if not shutil.which("valgrind"):
        raise Missing("--instructions needs valgrind: apt-get install valgrind")
    directory, small, big, found = tempfile.mkdtemp(prefix="bench-"), 1000, 3000, {}
    try:
        traced = argparse.Namespace(build=traced_build(o, directory))
        for name in ("floor_state", "inprocess"):
            counts = []
            for size in (small, big):
                RUNNERS[name](traced, size, 20)
                counts.append(counted(directory))
            found[name] = (counts[1] - counts[0]) / (big - small)
        found["ratio"] = found["inprocess"] / found["floor_state"]
        say(f"  instructions per record: floor_state {found['floor_state']:.0f}, in process {found['inprocess']:.0f}, "
            f"ratio {found['ratio']:.2f}")
        return found
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def run(o):
    needs(o)
    say(f"\nB1: {o.contacts} contacts and {o.accounts} accounts, {o.rounds} rounds")
    names = [n for n in RUNNERS if n in o.only]
    for name in names:
        RUNNERS[name](o, 500, 5)
    rounds = []
    for number in range(o.rounds):
        figures = {}
        for name in names:
            idle_share()
            figures[name] = RUNNERS[name](o, o.contacts, o.accounts)
            figures[name]["idle"] = idle_share()
            say(f"  round {number + 1} {name}: {1e6 * figures[name]['cpu'] / figures[name]['records']:.1f} us/record, "
                f"{figures[name]['wall']:.1f} s, machine idle {100 * figures[name]['idle']:.0f} %")
        rounds.append(figures)
    show(rounds, names)
    if "floor_state" in names:
        show_stages(rounds)
    for name in ("inprocess", "isolated"):
        if name in names:
            show_threads(rounds, name)
    bars = bars_of(rounds, names)
    if o.profile:
        profile(o)
    exact = instructions(o) if o.instructions else None
    return {"contacts": o.contacts, "accounts": o.accounts, "rounds": rounds, "instructions": exact, "bars": bars}
