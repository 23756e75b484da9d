"""summary.py BUILD GROUP: one line on the cases of a group, then what failed and what was skipped and why.

The first line of its output is "PASSED FAILED SKIPPED" for tools/test; the rest is for people.
"""

import sys

sys.dont_write_bytecode = True
sys.path.insert(0, __file__.rsplit("/", 1)[0])
import results  # noqa: E402


def main():
    cases = results.read_group(sys.argv[1], sys.argv[2])
    if cases is None:
        print("0 1 0")
        print("  no results: the test program did not run")
        return
    print(*results.count(cases))
    for case in cases:
        if case.outcome == results.FAILED:
            print(f"  FAILED {case.suite}: {case.name}")
    for case in cases:
        if case.outcome == results.SKIPPED:
            print(f"  skipped {case.suite}: {case.name}: {case.why or 'no reason given'}")


main()
