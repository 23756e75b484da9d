"""What tieline costs when nothing happens: a daemon with isolated connectors, webhooks and the default interval, after a first
sync of N contacts and again after a restart. More than 100,000 are put into its store after a first sync of a few, and it is
measured after the restart that follows, and after edits of a hundred that its vendors have, too. Proportional memory (shared
pages are divided among those who share them) and CPU of the daemon and of every worker."""
import os
import subprocess
import time

from first_sync import CONNECTION, is_settled, sandbox_for
from measure import idle_share, say
from rig import Daemon, find_program, wait_until

DAEMON_MB, WORKER_MB, MS_PER_S = 32, 5, 1.0
SYNCED_MAX, SYNCED_BESIDE = 100000, 200  # what is synced for it; of those that are put into the store, beside them
EDITS = 100


def pss_kib(pid):
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("Pss:"))


def cpu_ns(pid):
    """Run time of a process, its ended threads included, by its CPU clock: finer than the ticks of /proc/PID/stat."""
    return time.clock_gettime_ns((~pid << 3) | 2)


def threads_ns(pid):
    spent = {}
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/comm", encoding="utf-8") as f:
            name = f"{f.read().strip()} {task}"
        with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as f:
            spent[name] = int(f.read().split()[0])
    return spent


def wakeups(pid):
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/status", encoding="ascii", errors="replace") as f:
            total += next(int(line.split()[1]) for line in f if line.startswith("voluntary_ctxt_switches"))
    return total


def measure(daemon, sandbox, seconds, when):
    """Nobody asks the daemon anything while the clock runs."""
    pids = [daemon.process.pid] + sorted(daemon.workers())
    calls = sum(sandbox.calls()[t]["total"] for t in ("desk", "salesforce"))
    time.sleep(2)
    idle_share()
    before, woken, threads = [cpu_ns(p) for p in pids], [wakeups(p) for p in pids], threads_ns(pids[0])
    start = time.monotonic()
    time.sleep(seconds)
    took = time.monotonic() - start
    spent = [(cpu_ns(p) - b) / 1e6 / took for p, b in zip(pids, before)]
    woken = [(wakeups(p) - b) / took for p, b in zip(pids, woken)]
    after = threads_ns(pids[0])
    top = sorted(((after[k] - threads.get(k, 0)) / 1e6 / took, k) for k in after)[::-1][:4]
    memory = [pss_kib(p) / 1024 for p in pids]
    figures = {"when": when, "seconds": took, "daemon_mb": memory[0], "worker_mb": memory[1:], "daemon_ms_s": spent[0],
               "worker_ms_s": spent[1:], "wakeups_s": woken, "machine_idle": idle_share(),
               "calls": sum(sandbox.calls()[t]["total"] for t in ("desk", "salesforce")) - calls}
    say(f"  {when}: daemon {memory[0]:.1f} MB, {spent[0]:.2f} ms/s, {woken[0]:.1f} wake-ups/s; workers "
        + ", ".join(f"{m:.1f} MB {c:.2f} ms/s {w:.1f}/s" for m, c, w in zip(memory[1:], spent[1:], woken[1:]))
        + f"; {figures['calls']} calls to the vendors, machine idle {100 * figures['machine_idle']:.0f} %")
    say("    by thread, ms/s: " + ", ".join(f"{k.rsplit(' ', 1)[0]} {v:.2f}" for v, k in top if v >= 0.005))
    return figures


def complete(daemon):
    return sum(link["counts"]["complete"] for c in daemon.json("sync", "status", CONNECTION) for link in c["links"])


def runs(daemon):
    return all(c["state"] == "running" for c in daemon.json("connector", "list"))


def edit_some(daemon, sandbox):
    """Edits at one side, each record once, until all are written at the other."""
    ids = [r["id"] for r in sandbox.dump("desk", "contacts") if r["_state"] == "live"][:EDITS]
    for n, record in enumerate(ids):
        sandbox.change("desk", "contacts", record, title=f"idle {n}")
    titles = lambda: {r["Title"] for r in sandbox.dump("salesforce", "Contact")}
    wait_until(lambda: time.sleep(1) or {f"idle {n}" for n in range(len(ids))} <= titles(), 120, "the edits are written")
    wait_until(lambda: time.sleep(2) or is_settled(daemon), 60, "every side is settled")


def run(o):
    contacts = o.idle_contacts
    synced = contacts if contacts <= SYNCED_MAX else SYNCED_BESIDE
    say(f"\nIdle: {contacts} contacts in pairs, {o.seconds} s at a time")
    sandbox = sandbox_for(o, synced, max(1, synced // 100))
    daemon = Daemon(o.build, sandbox)
    try:
        daemon.start()
        daemon.set_secrets()
        wait_until(lambda: runs(daemon), 30, "both connectors run")
        daemon.run("endpoint", "prepare", "desk", "-y")
        for endpoint in ("desk", "sf"):
            daemon.run("endpoint", "check", endpoint)
        daemon.connect(CONNECTION)
        daemon.run("--no-wait", "sync", "start", CONNECTION)
        wait_until(lambda: time.sleep(2) or is_settled(daemon), 300 + synced // 50, "the first sync is over")
        wait_until(lambda: time.sleep(2) or is_settled(daemon), 60, "every side is settled")
        states = [measure(daemon, sandbox, o.seconds, "after the first sync")] if synced == contacts else []
        daemon.stop()
        if synced < contacts:
            subprocess.run([find_program(o.build, "fill"), os.path.join(daemon.directory, "state", "tieline.db"), str(contacts)],
                           check=True)
        daemon.start()
        wait_until(lambda: runs(daemon), 60, "both connectors run")
        pairs = complete(daemon)
        if pairs < contacts:
            raise RuntimeError(f"{pairs} pairs are complete, expected {contacts}")
        time.sleep(15)
        states.append(measure(daemon, sandbox, o.seconds, "after a restart"))
        if synced < contacts:
            edit_some(daemon, sandbox)
            states.append(measure(daemon, sandbox, o.seconds, f"after {EDITS} edits"))
            if complete(daemon) != pairs:
                raise RuntimeError(f"{complete(daemon)} pairs are complete, before it were {pairs}")
        if sum(c["count"] for c in [sandbox.violations()]):
            raise RuntimeError(f"violations {sandbox.violations()}")
    except (TimeoutError, RuntimeError) as problem:
        raise RuntimeError(f"idle: {problem}\n{daemon.log_tail(10)}") from problem
    finally:
        if daemon.process and daemon.process.poll() is None:
            daemon.stop()
        sandbox.stop()
        daemon.clean()
    bars = []
    for s in states:
        for name, value, bar in (("daemon, proportional MB", s["daemon_mb"], DAEMON_MB),
                                 ("idle worker, proportional MB", max(s["worker_mb"]), WORKER_MB),
                                 ("daemon, CPU ms a second", s["daemon_ms_s"], MS_PER_S)):
            bars.append({"name": f"idle {name}, {s['when']}", "value": value, "bar": bar, "held": value <= bar})
    return {"pairs": pairs, "states": states, "bars": bars}
