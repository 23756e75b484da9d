"""Reads the results that tools/test leaves in <build>/results: CTest's and pytest's JUnit files.

A cmocka program is one CTest entry but many cases: its cases are read from what it printed.
"""

import glob
import os
import re
import xml.etree.ElementTree as ET

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"

_CMOCKA = re.compile(r"\[\s*(OK|FAILED|SKIPPED|ERROR)\s*\] (\w+)\s*$", re.M)


class Case:
    """One case: group "unit", suite "base_str" or "tests/system/test_x.py", name, outcome, why (of a skip)."""

    def __init__(self, group, suite, name, outcome, seconds=0.0, why=""):
        self.group, self.suite, self.name = group, suite, name
        self.outcome, self.seconds, self.why = outcome, seconds, why
        self.printed = ""  # what the whole suite printed, if this case failed


def _outcome(node):
    if node.find("failure") is not None or node.find("error") is not None:
        return FAILED, ""
    skip = node.find("skipped")
    if skip is not None:
        return SKIPPED, skip.get("message") or (skip.text or "").strip()
    return PASSED, ""


def _ctest_outcome(node):
    outcome, why = _outcome(node)
    if outcome == SKIPPED and "SKIP_" not in why and node.get("status") != "disabled":
        return FAILED, ""  # CTest calls a program that was not built or not found skipped
    if outcome == SKIPPED:
        said = (node.findtext("system-out") or "").strip().splitlines()
        return SKIPPED, said[-1] if said else why
    if outcome == PASSED and node.get("status") in ("fail", "notrun"):
        return FAILED, ""
    return outcome, why


def _cmocka_cases(group, suite, outcome, printed):
    seen = {}
    for word, name in _CMOCKA.findall(printed):
        found = {"OK": PASSED, "SKIPPED": SKIPPED}.get(word, FAILED)
        if seen.get(name) != FAILED:
            seen[name] = found
    if not seen:
        return []
    cases = [Case(group, suite, name, found) for name, found in seen.items()]
    if outcome == FAILED and not any(c.outcome == FAILED for c in cases):
        cases.append(Case(group, suite, "ends cleanly", FAILED))  # crash, leak or time limit
    return cases


def _read_pytest(path, group):
    cases = []
    for node in ET.parse(path).getroot().iter("testcase"):
        outcome, why = _outcome(node)
        suite = node.get("file") or node.get("classname", "").replace(".", "/") + ".py"
        cases.append(Case(group, suite, re.sub(r"\[.*", "", node.get("name")), outcome,
                          float(node.get("time") or 0), why))
    return cases


def read_group(build, group):
    """The cases of one group of the last run, or None when it was not run."""
    folder = os.path.join(build, "results")
    path = os.path.join(folder, group + ".xml")
    if not os.path.exists(path):
        return None
    cases = []
    for node in ET.parse(path).getroot().iter("testcase"):
        suite, seconds = node.get("name"), float(node.get("time") or 0)
        outcome, why = _ctest_outcome(node)
        pytest_file = glob.glob(os.path.join(folder, "pytest", "*", suite + ".xml"))
        if pytest_file:
            inner = _read_pytest(pytest_file[0], group)
            if outcome == FAILED and not any(c.outcome == FAILED for c in inner):
                inner.append(Case(group, suite, "ends cleanly", FAILED))
        else:
            inner = _cmocka_cases(group, suite, outcome, node.findtext("system-out") or "")
        inner = inner or [Case(group, suite, suite, outcome, seconds, why)]
        for case in inner:
            if case.outcome == FAILED:
                case.printed = node.findtext("system-out") or ""
        cases += inner
    return cases


def read_all(build):
    """Cases of every group found, in one list."""
    folder = os.path.join(build, "results")
    cases = []
    if os.path.isdir(folder):
        for name in sorted(os.listdir(folder)):
            if name.endswith(".xml"):
                cases += read_group(build, name[:-4]) or []
    return cases


def count(cases):
    """(passed, failed, skipped)"""
    return tuple(sum(c.outcome == o for c in cases) for o in (PASSED, FAILED, SKIPPED))
