"""What the benchmarks share: building, CPU and memory of processes, medians."""
import fcntl
import os
import platform
import shutil
import statistics
import subprocess
import sys
import threading
import time

TICK = os.sysconf("SC_CLK_TCK")


class Missing(Exception):
    """Something that this machine lacks; the text says what to install."""


def say(*words):
    print(*words, file=sys.stderr, flush=True)


def build(root, directory, what):
    """Release build of what the measurements need: the product for b1 and idle, the peers for b1, programs of
    their own for the others."""
    for program in ("cmake", "ninja"):
        if not shutil.which(program):
            raise Missing(f"{program} is not installed; run tools/install-deps build")
    needs = {"b2": ["grow"], "b3": ["cycle"], "b5": ["route", "floor_route"], "b12": ["grow"],
             "isolation": ["boundary"], "idle": ["fill"], "turn": ["turn"]}
    targets = [program for part in what for program in needs.get(part, [])] + ["bench"] * ("b1" in what)
    if {"b1", "b9", "idle"} & set(what):
        targets += ["tielined", "tieline", "tieline-worker", "tieline-sandbox", "desk", "salesforce", "toy"]
    os.makedirs(directory, exist_ok=True)
    with open(os.path.join(directory, "bench.lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two of them side by side would write the same objects and programs
        if not os.path.exists(os.path.join(directory, "build.ninja")):
            subprocess.run(["cmake", "-S", root, "-B", directory, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=RelWithDebInfo",
                            "-DTIELINE_TESTS=OFF"], check=True, stdout=sys.stderr)
        subprocess.run(["ninja", "-C", directory, *targets], check=True, stdout=sys.stderr)


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        model = next((line.split(":")[1].strip() for line in f if line.startswith("model name")), "unknown CPU")
    return f"{os.cpu_count()} cores, {model}, Linux {platform.release()}, load {os.getloadavg()[0]:.1f}"


def idle_share():
    """Share of this machine's CPU that nobody used since the last call: how quiet the measurement was."""
    with open("/proc/stat", encoding="ascii") as f:
        fields = [int(v) for v in f.readline().split()[1:]]
    now = (sum(fields[:8]), fields[3] + fields[4])
    before, idle_share.last = getattr(idle_share, "last", (0, 0)), now
    return (now[1] - before[1]) / max(1, now[0] - before[0])


def family(pid):
    """The process and its children, now."""
    pids = [pid]
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as f:
                for child in f.read().split():
                    pids += family(int(child))
    except OSError:
        pass
    return pids


def cpu_of(pid):
    """User and system seconds of a process and of its children, also those that have ended."""
    total = 0
    for one in family(pid):
        try:
            with open(f"/proc/{one}/stat", encoding="ascii", errors="replace") as f:
                fields = f.read().rsplit(")", 1)[1].split()
            total += int(fields[11]) + int(fields[12]) + int(fields[13]) + int(fields[14])
        except OSError:
            pass
    return total / TICK


def threads_of(pid):
    """{"program thread": CPU seconds}; threads without a name of their own are numbered as they were started."""
    spent = {}
    for one in family(pid):
        try:
            with open(f"/proc/{one}/comm", encoding="utf-8") as f:
                program = f.read().strip()
            if one != pid:
                with open(f"/proc/{one}/cmdline", encoding="utf-8") as f:
                    program = os.path.basename(f.read().split("\0")[0])
            for number, task in enumerate(sorted(os.listdir(f"/proc/{one}/task"), key=int)):
                with open(f"/proc/{one}/task/{task}/comm", encoding="utf-8") as f:
                    comm = f.read().strip()
                name = f"{program} {'main' if int(task) == one else comm if comm not in program else f'thread {number}'}"
                with open(f"/proc/{one}/task/{task}/schedstat", encoding="ascii") as f:
                    spent[name] = spent.get(name, 0) + int(f.read().split()[0]) / 1e9
        except OSError:
            pass
    return spent


def high_water(pid):
    """Peak resident memory of one process in KiB; 0 when it is gone."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as f:
            return next((int(line.split()[1]) for line in f if line.startswith("VmHWM")), 0)
    except OSError:
        return 0


def run_measured(command, stdin=None):
    """Runs a program to its end: (stdout, figures). Memory is sampled: what wait4 tells counts the memory of this
    process too, from before the exec."""
    start = time.monotonic()
    process = subprocess.Popen(command, stdin=subprocess.PIPE if stdin else subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    if stdin:
        process.stdin.write(stdin)
        process.stdin.close()
    peak, done = [0], threading.Event()

    def watch():
        while not done.wait(0.02):
            peak[0] = max(peak[0], high_water(process.pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    out, problem = process.stdout.read(), process.stderr.read()
    done.set()
    watcher.join()
    _, status, use = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{os.path.basename(command[0])} ended with {process.returncode}: {problem.strip()}")
    return out, {"cpu": use.ru_utime + use.ru_stime, "wall": time.monotonic() - start, "rss_kib": peak[0]}


def median(values):
    return statistics.median(values)


def spread(values):
    """Distance from the smallest to the largest in percent of the median."""
    middle = median(values)
    return 100 * (max(values) - min(values)) / middle if middle else 0


def bar(name, value, limit):
    return {"name": name, "value": value, "bar": limit, "held": value <= limit}
