"""B9: a connector loaded, reloaded and unloaded again and again while another connection works. What that costs the control
thread turn by turn, what the other connection notices, and what is left behind."""
import json
import os
import re
import socket
import threading
import time

from first_sync import sandbox_for
from measure import idle_share, median, say
from rig import Daemon, wait_until

TURN_US, ROUNDS, WARM_UP, KIB_PER_CYCLE = 2000, 5, 10, 1.0
OTHERS_MAY = 8  # threads and connections of the other connectors come and go with their work; a leak is one a cycle
ENDPOINT = """
[endpoint toy]
connector = toy
url = {url}
token = @secret:toy
"""


def ask(daemon, method, path):
    """One request over the socket of the API, without a process of its own; the text of the answer."""
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(daemon.socket)
        s.sendall(f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        head, body = b"".join(iter(lambda: s.recv(65536), b"")).decode().split("\r\n\r\n", 1)
    if not head.startswith("HTTP/1.1 200"):
        raise RuntimeError(f"{method} {path}: {head.splitlines()[0]} {body}")
    return body


def cycle(daemon):
    for verb in ("connectors/toy/load", "endpoints/toy/check", "connectors/toy/reload", "endpoints/toy/check",
                 "connectors/toy/unload"):
        answer = json.loads(ask(daemon, "POST", f"/api/v1/{verb}"))
    if answer["result"] != "unloaded":
        raise RuntimeError(f"the connector became: {answer['result']}")


def loader_turns(daemon):
    """{upper bound in us: turns of at most that}, of those in which there was loader work."""
    found = re.findall(r'^tieline_loader_turn_microseconds_bucket\{le="([^"]+)"\} (\d+)$', ask(daemon, "GET", "/metrics"), re.M)
    return {float(le.replace("+Inf", "inf")): int(n) for le, n in found}


def cache_kib(daemon):
    return int(re.search(r"^tieline_store_cache_bytes (\d+)$", ask(daemon, "GET", "/metrics"), re.M).group(1)) // 1024


def footprint(daemon):
    """What could leak: memory that was written, not pages of program files, which become private when another process that
    maps them ends. The page cache of the store fills up to its bound with whatever is written, edits and audit rows alike: it
    is told apart."""
    cache = cache_kib(daemon)
    pid = daemon.process.pid
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
        private = sum(int(line.split()[1]) for line in f if line.startswith(("Private_Dirty:", "Swap:")))
    return {"descriptors": len(os.listdir(f"/proc/{pid}/fd")), "threads": len(os.listdir(f"/proc/{pid}/task")),
            "processes": len(daemon.workers()), "staged copies": len(os.listdir(f"{daemon.directory}/state/connectors")),
            "private KiB": private - cache, "page cache KiB": cache}


class Traffic:
    """Edits at one vendor, each awaited at the other one before the next."""

    def __init__(self, sandbox):
        self.sandbox = sandbox
        theirs = {r["Email"] for r in sandbox.dump("salesforce", "Contact") if r["Email"]}
        self.ids = [r["id"] for r in sandbox.dump("desk", "contacts") if r["email"] in theirs][:50]
        self.titles, self.sent = {}, 0
        self.first = self.seen = max((c["seq"] for c in self.writes(0)), default=0)

    def writes(self, since):
        return self.sandbox.control("GET", f"/calls?twin=salesforce&method=PATCH&since={since}")

    def edit(self):
        """Milliseconds until it was written."""
        record = self.ids[self.sent % len(self.ids)]
        self.sent += 1
        self.titles[record] = f"edit {self.sent}"
        start = time.monotonic()
        self.sandbox.change("desk", "contacts", record, title=self.titles[record])
        while not (calls := self.writes(self.seen)):
            if time.monotonic() - start > 60:
                raise RuntimeError(f"edit {self.sent} did not arrive within 60 s")
            time.sleep(0.002)
        self.seen = calls[-1]["seq"]
        return 1000 * (time.monotonic() - start)

    def verify(self):
        """Nothing lost: every record has its last title. Nothing doubled: one write an edit."""
        mails = {r["id"]: r["email"] for r in self.sandbox.dump("desk", "contacts")}
        there = {r["Email"]: r["Title"] for r in self.sandbox.dump("salesforce", "Contact")}
        lost = [r for r, title in self.titles.items() if there[mails[r]] != title]
        written = len(self.writes(self.first))
        if lost or written != self.sent or self.sandbox.violations()["count"]:
            raise RuntimeError(f"{len(lost)} edits lost, {written} writes of {self.sent} edits, {self.sandbox.violations()}")


class Cycles(threading.Thread):
    def __init__(self, daemon, count):
        super().__init__()
        self.daemon_, self.count, self.problem = daemon, count, None

    def run(self):
        try:
            for _ in range(self.count):
                cycle(self.daemon_)
        except (RuntimeError, OSError) as problem:
            self.problem = problem


def busy_window(daemon, traffic, count, least):
    cycles = Cycles(daemon, count)
    cycles.start()
    found = []
    while cycles.is_alive() or len(found) < least:
        found.append(traffic.edit())
    cycles.join()
    if cycles.problem:
        raise cycles.problem
    return found


def share_within(before, after, limit):
    turns = after[float("inf")] - before[float("inf")]
    return turns, (after[limit] - before[limit]) / turns


def p99_of(before, after):
    """Upper bound of the bucket in which it lies."""
    turns = after[float("inf")] - before[float("inf")]
    return next(le for le in sorted(after) if after[le] - before[le] >= 0.99 * turns)


def start(o, isolation):
    sandbox = sandbox_for(o, 60, 5)
    daemon = Daemon(o.build, sandbox)
    with open(daemon.ini, encoding="utf-8") as f:
        text = f.read()
    with open(daemon.ini, "w", encoding="utf-8") as f:
        f.write(text.replace("isolation.desk", f"isolation.toy = {isolation}\nisolation.desk", 1))
        f.write(ENDPOINT.format(url=sandbox.at["toy"]))
    daemon.start()
    daemon.set_secrets()
    daemon.run("secret", "set", "toy", stdin=sandbox.at["credentials"]["toy"]["token"])
    runs = lambda: all(c["state"] == "running" for c in daemon.json("connector", "list") if c["name"] != "toy")
    wait_until(runs, 30, "the connectors run")
    daemon.run("endpoint", "prepare", "desk", "-y")
    for endpoint in ("desk", "sf"):
        daemon.run("endpoint", "check", endpoint)
    daemon.connect("live", settings=("every=1s",))
    daemon.run("sync", "start", "live")
    settled = lambda: all(x["phase"] == "live" and "running" not in x and x["counts"]["unsettled"] == 0
                          for c in daemon.json("sync", "status", "live") for x in c["links"])
    wait_until(settled, 60, "the first sync is over")
    return sandbox, daemon


def measured(o, sandbox, daemon, isolation):
    traffic, quiet, busy = Traffic(sandbox), [], []
    busy_window(daemon, traffic, WARM_UP, 5)
    before, turns = footprint(daemon), loader_turns(daemon)
    rounds = 1 if o.ci else ROUNDS
    least = 10 if o.ci else 40
    for number in range(rounds):
        idle_share()
        quiet.append(median([traffic.edit() for _ in range(least)]))
        busy.append(median(busy_window(daemon, traffic, o.cycles // rounds, least)))
        say(f"  {isolation}, round {number + 1}: edit to write {quiet[-1]:.1f} ms, with {o.cycles // rounds} cycles "
            f"{busy[-1]:.1f} ms; machine idle {100 * idle_share():.0f} %")
    after_turns = loader_turns(daemon)
    after = footprint(daemon)
    sizes = [after["private KiB"]]
    for _ in range(0 if o.ci else ROUNDS):  # what stays of them alone: traffic fills pools of its own
        for _ in range(o.cycles // ROUNDS):
            cycle(daemon)
        sizes.append(footprint(daemon)["private KiB"])
    traffic.verify()
    return {"quiet_ms": quiet, "busy_ms": busy, "before": before, "sizes": sizes, "after": after, "edits": traffic.sent,
            "turns": share_within(turns, after_turns, TURN_US), "p99_us": p99_of(turns, after_turns)}


def growth(sizes, between):
    """The median of what so many cycles add: a leak is in all of them, a pool that reaches its size in one."""
    added = [(b - a) / between for a, b in zip(sizes, sizes[1:])]
    return median(added) if added else 0


def bars_of(o, isolation, f):
    noise = (max(f["quiet_ms"]) - min(f["quiet_ms"])) / median(f["quiet_ms"])
    ratio = median([b / q for b, q in zip(f["busy_ms"], f["quiet_ms"])])
    per_cycle = growth(f["sizes"], o.cycles // ROUNDS)
    beside = (f["after"]["private KiB"] - f["before"]["private KiB"]) / o.cycles
    say(f"  {isolation}: {f['edits']} edits, none lost or doubled; {f['turns'][0]} turns with loader work, p99 at most "
        f"{f['p99_us']:.0f} us; latency ratio {ratio:.2f}, noise of the quiet rounds {100 * noise:.0f} %; "
        f"{per_cycle:.2f} KiB stay of a cycle without traffic, {beside:.2f} with it; {f['before']} -> {f['after']} "
        f"-> {f['sizes']} KiB")
    more = {what: f["after"][what] - f["before"][what] for what in f["after"]}
    bars = [{"name": f"b9 {isolation}, {what} more than before", "value": more[what], "bar": bar, "held": more[what] <= bar}
            for what, bar in (("descriptors", OTHERS_MAY), ("threads", OTHERS_MAY), ("processes", 0), ("staged copies", 0))]
    if o.ci:
        return bars
    limit = max(1.1, 1 + 2 * noise)
    return bars + [
        {"name": f"b9 {isolation}, us of a turn's loader work, p99", "value": f["p99_us"], "bar": TURN_US,
         "held": f["p99_us"] <= TURN_US},
        {"name": f"b9 {isolation}, latency of the other connection, with to without (bar: twice the noise)", "value": ratio,
         "bar": round(limit, 2), "held": ratio <= limit},
        {"name": f"b9 {isolation}, private KiB that stay of a cycle", "value": per_cycle, "bar": KIB_PER_CYCLE,
         "held": per_cycle <= KIB_PER_CYCLE}]


def run(o):
    say(f"\nB9: {o.cycles} times load, reload and unload under the edits of another connection")
    figures, bars = {}, []
    for isolation in ("worker", "inprocess"):
        sandbox, daemon = start(o, isolation)
        try:
            figures[isolation] = measured(o, sandbox, daemon, isolation)
        except (TimeoutError, RuntimeError) as problem:
            raise RuntimeError(f"b9 {isolation}: {problem}\n{daemon.log_tail(10)}") from problem
        finally:
            daemon.stop()
            sandbox.stop()
            daemon.clean()
        bars += bars_of(o, isolation, figures[isolation])
    return {"cycles": o.cycles, "figures": figures, "bars": bars}
