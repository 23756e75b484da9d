"""summary.py BUILD GROUP: one line on the cases of a group, then what failed and what was skipped and why.

The first line of its output is "PASSED FAILED SKIPPED" for tools/test; the rest is for people.
"""

import sys

sys.dont_write_bytecode = True
sys.path.insert(0, __file__.rsplit("/", 1)[0])
import results  # noqa: E402

LAST_LINES = 30  # of what a failed program printed


def main():
    cases = results.read_group(sys.argv[1], sys.argv[2])
    if cases is None:
        print("0 1 0")
        print("  no results: the test program did not run")
        return
    print(*results.count(cases))
    shown = set()
    for case in cases:
        if case.outcome != results.FAILED:
            continue
        print(f"  FAILED {case.suite}: {case.name}")
        if case.suite not in shown:
            shown.add(case.suite)
            for line in case.printed.strip().splitlines()[-LAST_LINES:]:
                print(f"    | {line}")
    for case in cases:
        if case.outcome == results.SKIPPED:
            print(f"  skipped {case.suite}: {case.name}: {case.why or 'no reason given'}")


main()
