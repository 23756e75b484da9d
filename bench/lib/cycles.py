"""B3: what a changed record costs the store, by how many pairs there are. The real engine over vendors in memory and an
injected clock: counts, not times, so they repeat exactly."""
import json
import os
import shutil
import tempfile

from measure import run_measured, say
from rig import find_program

CHANGES, CYCLES = 100, 20


def measure(o, pairs):
    directory = tempfile.mkdtemp(prefix="bench-")
    try:
        out, _ = run_measured([find_program(o.build, "cycle"), os.path.join(directory, "cycle.db"), str(pairs), str(CHANGES),
                               str(CYCLES)])
        return json.loads(out)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def run(o):
    say(f"\nB3: cycles of {CHANGES} random changes, {o.small} and {o.big} pairs")
    small, big = measure(o, o.small), measure(o, o.big)
    for figures in (small, big):
        say(f"  {figures['pairs']:8d} pairs, per changed record: {figures['vm_steps']:.1f} VM steps, "
            f"{figures['page_requests']:.2f} page requests, {figures['misses']:.3f} misses, {figures['page_writes']:.2f} page "
            f"writes; {figures['cpu_ms']:.1f} ms CPU a cycle; database {figures['database_mb']} MB")
    steps, requests = big["vm_steps"] / small["vm_steps"], big["page_requests"] / small["page_requests"]
    tenfold = o.big / o.small <= 10
    name = f"{o.big} over {o.small} pairs"
    bars = [{"name": f"b3 VM steps per changed record, {name}", "value": steps, "bar": 1.05, "held": steps <= 1.05},
            {"name": f"b3 page requests per changed record, {name}", "value": requests, "bar": 1.35 if tenfold else 1.5,
             "held": requests <= (1.35 if tenfold else 1.5)}]
    say(f"  misses: {big['misses'] / small['misses']:.1f} times as many" if small["misses"] else "  no misses at the small size")
    return {"small": small, "big": big, "bars": bars}
