"""What isolation costs: a connector that does nothing but hand over records is asked in process and in a worker, in pages of
200 records and for one record a call, as for an event; and what the worker takes of memory. Denominators of the same run are
the pieces of which it must consist (bench/boundary.h)."""
import json
import os
import shutil
import tempfile

from measure import Missing, bar, median, run_measured, say
from rig import find_program

RECORD_BAR, EVENT_BAR, WORKER_MB = {"in_process": 2.0, "isolated": 3.0}, 3.0, 5
ONE_RECORD_CALLS_PER_RECORD = 1 / 50


def measure(o):
    state = tempfile.mkdtemp(prefix="bench-")
    calls = max(500, int(o.records * ONE_RECORD_CALLS_PER_RECORD))
    try:
        out, _ = run_measured([find_program(o.build, "boundary"), os.path.join(os.path.abspath(o.build), "bench", "connectors"),
                               state, find_program(o.build, "tieline-worker"), str(o.records), str(calls)])
    finally:
        shutil.rmtree(state, ignore_errors=True)
    f = json.loads(out)
    if f["isolated"]["rest_kib"] < 0:
        raise Missing("the memory of a worker is shown to root alone: run it as root")
    f["floors"] = {  # in a worker: the same, and the bytes from one process to another
        "in_process": {"record_us": f["function_record_us"], "event_us": f["function_event_us"] + f["thread_round_us"]},
        "isolated": {"record_us": f["function_record_us"] + f["process_record_us"],
                     "event_us": f["function_event_us"] + f["thread_round_us"] + f["process_round_us"]}}
    return f


def run(o):
    say(f"\nIsolation: records of 30 fields, pages of 200 and one a call, {o.records} records, {o.rounds} rounds")
    rounds = [measure(o) for _ in range(o.rounds)]
    bars = []
    of = lambda key: median([r[key] for r in rounds])
    say(f"  a record has {of('record_bytes'):.0f} bytes; pieces, us: function {of('function_record_us'):.2f} a record, "
        f"{of('function_event_us'):.2f} a call; to a thread and back {of('thread_round_us'):.1f}; to a process "
        f"{of('process_record_us'):.2f} a record of a page, {of('process_round_us'):.1f} there and back")
    for mode in ("in_process", "isolated"):
        for what, limit in (("record_us", RECORD_BAR[mode]), ("event_us", EVENT_BAR)):
            ratios = [r[mode][what] / r["floors"][mode][what] for r in rounds]
            piece = "a record of a page" if what == "record_us" else "one record a call"
            name = f"isolation, {mode.replace('_', ' ')}, {piece}"
            say(f"  {name}: {median([r[mode][what] for r in rounds]):.2f} us, floor "
                f"{median([r['floors'][mode][what] for r in rounds]):.2f}; ratio {median(ratios):.2f} ("
                + ", ".join(f"{x:.2f}" for x in ratios) + ")")
            bars.append(bar(f"{name}, to the floor", median(ratios), limit))
    worker = {k: median([r["isolated"][k] for r in rounds]) for k in rounds[0]["isolated"]}
    say(f"  worker: {worker['load_ms']:.1f} ms and {worker['load_cpu_ms']:.1f} ms CPU to load (in process "
        f"{median([r['in_process']['load_ms'] for r in rounds]):.1f} ms); proportional memory {worker['fresh_kib']:.0f} KiB "
        f"loaded, {worker['busy_kib']:.0f} after the calls, {worker['rest_kib']:.0f} at rest, {worker['private_kib']:.0f} of it "
        f"its own")
    bars.append(bar("isolation worker at rest, proportional MB", worker["rest_kib"] / 1024, WORKER_MB))
    return {"rounds": rounds, "bars": bars}
