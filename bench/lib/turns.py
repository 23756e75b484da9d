"""What a turn of the scheduler costs at 10 and at 1,000 endpoints with ten links each, in instructions (callgrind): one link's
edits are carried over while nothing else is due. What setting up takes is left out."""
import json
import os
import shutil
import subprocess
import tempfile

from measure import Missing, bar, say
from rig import find_program

FEW, MANY, EDITS = 10, 1000, 50


def counted(o, endpoints):
    directory = tempfile.mkdtemp(prefix="bench-")
    try:
        log = os.path.join(directory, "log")
        command = ["valgrind", "--tool=callgrind", "--instr-atstart=no", "--callgrind-out-file=/dev/null", f"--log-file={log}",
                   find_program(o.build, "turn"), str(endpoints), str(EDITS)]
        out = subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE).stdout
        with open(log, encoding="utf-8") as f:
            return json.loads(out)["turns"], next(int(line.split()[-1]) for line in f if "Collected" in line)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def run(o):
    if not shutil.which("valgrind"):
        raise Missing("turn needs valgrind: apt-get install valgrind")
    many = 100 if o.ci else MANY
    say(f"\nA turn: edits of one link at {FEW} and at {many} endpoints, ten links each")
    sizes = {}
    for endpoints in (FEW, many):
        turns, instructions = counted(o, endpoints)
        sizes[endpoints] = {"instructions": instructions / turns, "turns_an_edit": turns / EDITS}
        say(f"  {endpoints:5d} endpoints: {sizes[endpoints]['instructions']:.0f} instructions a turn, "
            f"{sizes[endpoints]['turns_an_edit']:.1f} turns an edit")
    ratio = sizes[many]["instructions"] / sizes[FEW]["instructions"]
    return {"sizes": sizes, "bars": [bar(f"turn, instructions at {many} over {FEW} endpoints", ratio, 1.1)]}
