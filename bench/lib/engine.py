"""The engine alone, in process over vendors in memory and an injected clock: B2 (a first sync with ids in no order), B5 (events
that change nothing) and B12 (every fifth record is refused). CPU of the whole program, so the vendors in memory count too."""
import json
import os
import shutil
import tempfile

from measure import bar, median, run_measured, say
from rig import find_program


def measure(o, program, *arguments):
    directory = tempfile.mkdtemp(prefix="bench-")
    try:
        out, _ = run_measured([find_program(o.build, program), os.path.join(directory, "x.db"), *map(str, arguments)])
        return json.loads(out)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def b2(o):
    last = o.big // 10
    say(f"\nB2: a first sync of {o.big} records, ids in no order on both sides")
    f = measure(o, "grow", o.big, last, 0)
    say(f"  CPU {f['cpu_us']:.1f} us a record, {f['last_cpu_us']:.1f} us of the last {last} to their end; {f['vm_steps']:.0f} VM "
        f"steps, {f['page_writes']:.2f} page writes a record; database {f['database_mb']} MB")
    return {**f, "bars": [bar(f"b2 CPU us per record, the last {last} of {o.big}", f["last_cpu_us"], 30)]}


def b5(o):
    say(f"\nB5: events that change nothing, {o.rounds} rounds")
    sizes, bars = {}, []
    for pairs in (o.small, o.big):
        rounds = []
        for _ in range(o.rounds):
            one = {"floor": measure(o, "floor_route", pairs)["us"], "in_process": measure(o, "route", pairs, o.events)["us"],
                   "isolated": measure(o, "route", pairs, o.events, "isolated")["us"]}
            rounds.append(one)
        figures = {k: median([r[k] for r in rounds]) for k in rounds[0]}
        ratio = median([r["in_process"] / r["floor"] for r in rounds])
        say(f"  {pairs:8d} pairs: in process {figures['in_process']:.2f} us, isolated {figures['isolated']:.2f}, floor_route "
            f"{figures['floor']:.2f}; ratio {ratio:.2f} ("
            + ", ".join(f"{r['in_process'] / r['floor']:.2f}" for r in rounds) + "), nothing written")
        bars.append(bar(f"b5 in process to floor_route, {pairs} pairs", ratio, 1.5))
        sizes[pairs] = {**figures, "ratio": ratio}
    return {"sizes": sizes, "bars": bars}


def b12(o):
    say(f"\nB12: a first sync of {o.refused_of} records, every fifth is refused; {o.rounds} rounds")
    rounds = [(measure(o, "grow", o.refused_of, 0, 0)["cpu_us"], measure(o, "grow", o.refused_of, 0, 5)["cpu_us"])
              for _ in range(o.rounds)]
    ratio = median([refused / plain for plain, refused in rounds])
    plain, refused = (median([r[i] for r in rounds]) for i in range(2))
    say(f"  CPU us a record: none refused {plain:.1f}, every fifth {refused:.1f}; ratio {ratio:.2f}")
    return {"rounds": rounds, "bars": [bar("b12 CPU with every fifth refused to none refused", ratio, 1.5)]}
