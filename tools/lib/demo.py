"""The demo behind tools/demo. Everything a person sees goes to stderr or stdout as text; --json keeps stdout for the result."""
import argparse
import json
import os
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from compare import against_planted, compare  # noqa: E402
from rig import Daemon, Sandbox, wait_until  # noqa: E402

CONNECTION = "demo"
SIDES = {"a": "desk", "b": "salesforce"}
KINDS = {"account": "accounts", "contact": "contacts"}
CASES = {"email-twice": "the same e-mail twice on one side", "no-email": "a contact without e-mail",
         "name-only": "an account known by its name only", "too-long": "a value too long for the other side",
         "not-a-number": "a text that the other side keeps as a number", "late-account": "an account made after its contact"}


def say(*words):
    print(*words, file=sys.stderr, flush=True)


def prepare(daemon):
    daemon.set_secrets()
    wait_until(lambda: all(c["state"] == "running" for c in daemon.json("connector", "list")), 30, "both connectors run")
    daemon.run("endpoint", "prepare", "desk", "-y")
    for endpoint in ("desk", "sf"):
        done = daemon.run("endpoint", "check", endpoint, check=False)
        if done.returncode:
            raise RuntimeError(f"endpoint {endpoint}:\n{done.stdout}{done.stderr}")
        say(f"  {endpoint}: signed in, fields read")
    daemon.connect(CONNECTION, settings=("every=5s",))
    daemon.run("map", "set", CONNECTION, "contact", "x.cf_customer_number", "x.Customer_Number__c")


def first_sync(daemon, quiet):
    start = time.monotonic()
    done = daemon.run("sync", "start", CONNECTION, stderr=None if not quiet else -3, check=False)
    if done.returncode not in (0, 8):
        raise RuntimeError(f"sync start ended with {done.returncode}\n{done.stdout}\n{daemon.log_tail()}")
    wait_until(lambda: settled(daemon), 120, "every side is settled")
    return time.monotonic() - start


def settled(daemon):
    """True once no first sync runs and every write has been seen again at its vendor."""
    links = [link for c in daemon.json("sync", "status", CONNECTION) for link in c["links"]]
    return all("running" not in link and link["counts"]["unsettled"] == 0 for link in links)


def failures(daemon):
    """[(side, kind, id of the record that failed, code)] in the twins' words."""
    found = []
    for f in daemon.json("failure", "list", "--limit", "1000"):
        found.append((SIDES[f["side"]], KINDS[f["kind"]], f["record"], f["code"]))
    return found


def counts(daemon):
    total = {}
    for run in daemon.json("sync", "history", CONNECTION, "--limit", "1000"):
        key = f"{run['kind']} {run['source']} -> {run['destination']}"
        into = total.setdefault(key, {"added": 0, "updated": 0, "matched": 0, "failed": 0})
        for name in into:
            into[name] += run.get(name) or 0
    return total


def show_summary(result, planted):
    say("\nFirst sync:")
    for link, c in sorted(result["links"].items()):
        say(f"  {link:34s} added {c['added']:5d}  updated {c['updated']:5d}  matched {c['matched']:5d}  failed {c['failed']:3d}")
    if result["failures"]:
        say("Failures by reason (tieline failure list):")
        for code, n in sorted(result["failures"].items()):
            say(f"  {code:20s} {n}")
    say("Planted cases:")
    for case in sorted({p["case"] for p in planted}):
        of_case = [p for p in planted if p["case"] == case]
        reason = next((p["reason"] for p in of_case if p["reason"]), None)
        say(f"  {CASES.get(case, case):48s} {'reported as ' + reason if reason else 'synced'} ({len(of_case)} record"
            f"{'s' if len(of_case) != 1 else ''})")


def plain_pair(sandbox, planted):
    """One contact per side that is known to both by e-mail and is not planted."""
    special = {p["id"] for p in planted}
    desk = {}
    for r in sandbox.dump("desk", "contacts"):
        if r["_state"] == "live" and r["email"]:
            desk.setdefault(r["email"].lower(), []).append(r)
    pairs = []
    for r in sandbox.dump("salesforce", "Contact"):
        twins = desk.get((r["Email"] or "").lower(), [])
        if not r["IsDeleted"] and len(twins) == 1 and r["Id"] not in special and twins[0]["id"] not in special:
            pairs.append((twins[0], r))
            if len(pairs) == 2:
                break
    return pairs


def cure(daemon, sandbox, planted):
    """The planted text in a number field: a transform in the map heals it. What was set, and how many records came over."""
    broken = [p["id"] for p in planted if p["case"] == "not-a-number"]
    row = ["map", "set", CONNECTION, "contact", "x.cf_customer_number", "x.Customer_Number__c", "--transform",
           "to_int(blank)"]
    say("\nA text in a number field failed (TYPE_MISMATCH). The map learns what to do with it:")
    say(f"  tieline {' '.join(row[:-1])} '{row[-1]}'")
    effect = json.loads(daemon.run("--json", *row, "-n").stdout)["items"][0]
    say(f"  first with -n: of {effect['pairs']} pairs {effect['equal']} stay as they are, {effect['failed']} would fail")
    daemon.run(*row)
    wait_until(lambda: not [f for f in failures(daemon) if f[3] == "TYPE_MISMATCH"], 60, "the failure heals")
    wait_until(lambda: settled(daemon), 60, "every side is settled")
    last_names = {r["lastName"] for r in sandbox.dump("desk", "contacts") if r["id"] in broken}
    there = {r["LastName"] for r in sandbox.dump("salesforce", "Contact") if not r["IsDeleted"]}
    say(f"  healed: {len(last_names & there)} of {len(broken)} such contacts are in Salesforce now")
    return {"transform": row[-1], "records": len(broken), "healed": len(last_names & there)}


def find(records, name, value):
    return next(r for r in records if r[name] == value)


def edit(sandbox, planted):
    """Changes one record on each side, waits for it at the other; seconds each took."""
    (desk_a, sf_a), (desk_b, sf_b) = plain_pair(sandbox, planted)
    took = {}
    say("\nNow somebody edits a contact in the help desk ...")
    start = time.monotonic()
    sandbox.change("desk", "contacts", desk_a["id"], title="Edited in the desk")
    wait_until(lambda: find(sandbox.dump("salesforce", "Contact"), "Id", sf_a["Id"])["Title"] == "Edited in the desk", 60,
               "the edit arrives in Salesforce")
    took["desk"] = round(time.monotonic() - start, 2)
    say(f"  {desk_a['email']}: the new title is in Salesforce after {took['desk']} s (webhook)")
    say("... and another one in Salesforce ...")
    start = time.monotonic()
    sandbox.change("salesforce", "Contact", sf_b["Id"], Title="Edited in Salesforce")
    wait_until(lambda: find(sandbox.dump("desk", "contacts"), "id", desk_b["id"])["title"] == "Edited in Salesforce", 60,
               "the edit arrives in the desk")
    took["salesforce"] = round(time.monotonic() - start, 2)
    say(f"  {sf_b['Email']}: the new title is in the desk after {took['salesforce']} s (polling every 5 s here)")
    return took, desk_a["email"]


def run(arguments, sandbox, daemon):
    say("Starting the daemon ...")
    daemon.start()
    prepare(daemon)
    planted = sandbox.control("GET", "/planted")
    say(f"\nFirst sync of {len(sandbox.dump('desk', 'contacts'))} desk contacts and "
        f"{len(sandbox.dump('salesforce', 'Contact'))} Salesforce contacts:")
    seconds = first_sync(daemon, arguments.json)
    result = {"links": counts(daemon), "failures": {}, "seconds": round(seconds, 2)}
    told = failures(daemon)
    for *_, code in told:
        result["failures"][code] = result["failures"].get(code, 0) + 1
    show_summary(result, planted)
    result["edit_seconds"], arguments.example = edit(sandbox, planted)
    report = compare(sandbox, [("cf_customer_number", "Customer_Number__c", "number")])
    problems = against_planted(report, planted, told)
    problems += [f"a write reached a record stamped for another: {v}" for v in sandbox.violations()["violations"]]
    result["pairs"] = {kind: report[kind]["paired"] for kind in report}
    result["cure"] = cure(daemon, sandbox, planted)
    if result["cure"]["healed"] != result["cure"]["records"]:
        problems.append("to_int did not cure every text in a number field")
    result["peak_memory_kib"] = daemon.memory_kib()
    result["problems"] = problems
    result["ok"] = not problems
    return result


def finish(arguments, daemon, result):
    say(f"\nIndependent comparison: {result['pairs']['accounts']} accounts and {result['pairs']['contacts']} contacts paired; "
        + ("what is unpaired or differs is exactly the planted list." if result["ok"] else "PROBLEMS:"))
    for problem in result["problems"][:20]:
        say(f"  {problem}")
    say(f"{result['seconds']} s, peak memory {result['peak_memory_kib'] // 1024} MiB with workers")
    if arguments.json:
        print(json.dumps(result, indent=2))
    if arguments.once:
        return
    socket = daemon.socket
    say(f"""
The daemon goes on. Try, in another terminal:
  export TIELINE_SOCKET={socket}
  alias tieline={os.path.abspath(os.path.join(arguments.build, 'bin', 'tieline'))}
  tieline status
  tieline failure list
  tieline map list {CONNECTION} contact
  tieline map functions
  tieline pair find {arguments.example}
  tieline event tail
  tieline connection pause {CONNECTION}
  curl -s {daemon.sandbox.at['control']}/_sim          # change the vendors' records, set faults
Its files are in {daemon.directory}. Ctrl-C ends everything and removes them.""")
    signal.pause()


def main():
    parser = argparse.ArgumentParser(prog="tools/demo")
    parser.add_argument("--build", required=True)
    parser.add_argument("--once", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--contacts", type=int, default=2000)
    parser.add_argument("--accounts", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--isolation", default="worker", choices=["worker", "endpoint", "inprocess"])
    arguments = parser.parse_args()
    if arguments.json and not arguments.once:
        parser.error("--json needs --once")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    say("Starting the vendors' twins on loopback ...")
    sandbox = Sandbox(arguments.build, "--contacts", arguments.contacts, "--accounts", arguments.accounts, "--seed",
                      arguments.seed)
    daemon = Daemon(arguments.build, sandbox, isolation=arguments.isolation)
    code = 1
    try:
        result = run(arguments, sandbox, daemon)
        finish(arguments, daemon, result)
        code = 0 if result["ok"] else 1
    except KeyboardInterrupt:
        say("\nending")
        code = 130
    except (RuntimeError, TimeoutError, FileNotFoundError, StopIteration) as problem:
        say(f"the demo failed: {problem}")
        if daemon.process:
            say("last lines of the daemon's log:\n" + daemon.log_tail())
        if arguments.json:
            print(json.dumps({"ok": False, "problems": [str(problem)]}))
    finally:
        if daemon.process and daemon.process.poll() is None:
            daemon.stop()
        sandbox.stop()
        daemon.clean()
    return code


if __name__ == "__main__":
    sys.exit(main())
