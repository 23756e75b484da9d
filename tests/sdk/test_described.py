"""The manual pages tieline.h(3) and tieline-kit(3) are the texts of the headers: what those declare is described in them.

A type, an enumeration and a function have a comment: behind them, above them, or above the group of lines they stand in. A member
has one behind it or directly above, or is named in the comment of its type; a constant likewise, or its enumeration has one.
What the header says once for all needs none: sizes, strides, counts, what is reserved. A function that one side gives the
other names its thread: [control], [instance] or [any].

The manual page of a header is the whole text, so what is in the header is in the page: test_install.py."""
import os
import pathlib
import re

import pytest

ROOT = pathlib.Path(os.environ["TIELINE_SOURCE_DIR"]) / "sdk"
HEADERS = [ROOT / "include/tieline.h", *sorted(p for p in (ROOT / "kit").glob("*.h") if not p.name.endswith("_int.h"))]
NOTE = re.compile(r"\x01(\d+)\x02")
THREAD = re.compile(r"\[(control|instance|any)\b")


class Declaration:
    def __init__(self, code, body, end, above, group, behind, at):
        self.code, self.body, self.end, self.above, self.group, self.behind, self.at = code, body, end, above, group, behind, at

    def names(self):
        pointer = re.search(r"\(\*(\w+)\)\(", self.code)
        if pointer:
            return [pointer[1]]
        if "(" in self.code.replace("__attribute__((", ""):
            return [re.search(r"(\w+)\(", self.code)[1]]
        code = re.sub(r"__attribute__.*|\[[^]]*\]|=.*", "", self.code)
        return [re.findall(r"\w+", part)[-1] for part in code.split(",")]


class Header:
    def __init__(self, path):
        self.notes = []

        def keep(comment):
            self.notes.append(comment[0])
            return f"\x01{len(self.notes) - 1}\x02" + "\x03" * comment[0].count("\n")  # lines are counted by both

        text = re.sub(r"/\*.*?\*/", keep, path.read_text(encoding="utf-8"), flags=re.S)
        text = re.sub(r"^#(?:.*\\\n)*.*$", lambda m: "\x04" * m[0].count("\n"), text, flags=re.M)
        self.text = re.sub(r'^extern "C" \{$|^\}$(?=\s*\Z)', "", text, flags=re.M)
        self.name, self.wrong, self.found = path.name, [], 0

    def line(self, at):
        return 1 + sum(self.text.count(c, 0, at) for c in "\n\x03\x04")

    def read(self, start, end, stop):
        """The declarations between two places; stop: what ends one."""
        at, above, group, found = start, "", "", []
        while at < end:
            space = re.compile(r"[\s\x03\x04]*").match(self.text, at, end)
            if re.search(r"\n[ \x03\x04]*\n|\x04", space[0]):
                above = group = ""
            at = space.end()
            note = NOTE.match(self.text, at, end)
            if note:
                above = group = self.notes[int(note[1])]
                at = note.end()
                continue
            if at >= end:
                break
            begin, depth, body = at, 0, None
            while at < end and (depth or self.text[at] not in stop):
                if self.text[at] in "{(":
                    if self.text[at] == "{" and not depth:
                        body = at + 1
                    depth += 1
                elif self.text[at] in "})":
                    depth -= 1
                    if not depth and body and self.text[at] == "}" and "(" in self.text[begin:body]:
                        at += 1  # a function with its body: nothing ends it
                        break
                at += 1
            close = self.text.rfind("}", begin, at) if body else at
            at += at < end and self.text[at] in stop
            inner = NOTE.findall(self.text[begin:body or at])
            behind = re.compile(r" *\x01(\d+)\x02").match(self.text, at, end)
            at = behind.end() if behind else at
            told = [self.notes[int(n)] for n in inner] + ([self.notes[int(behind[1])]] if behind else [])
            code = re.sub(r"\s+", " ", NOTE.sub("", self.text[begin:(body or at) - 1 if body else at])).strip(" ;,")
            found.append(Declaration(code, body, close, above, group, " ".join(told), begin))
            above = ""
        return found

    def complain(self, d, name, what):
        self.wrong.append(f"{self.name}:{self.line(d.at)}: {name} {what}")

    def check(self):
        for d in self.read(0, len(self.text), ";"):
            if re.match(r"(typedef )?(struct|union|enum)\b", d.code) and not d.body:
                continue  # "typedef struct x x;": described where it is defined
            about = " ".join((d.above, d.group, d.behind))
            kind = re.match(r"(?:typedef )?(struct|union|enum)\b ?(\w*)", d.code)
            self.found += 1
            if not kind and not about.strip():
                self.complain(d, d.names()[0], "is not described")
            if kind and kind[1] != "enum" and not about.strip():
                self.complain(d, kind[2], "is not described")
            if kind:
                self.members(d, about, kind[1] == "enum")
        return self

    def members(self, owner, about, constants):
        inside = self.read(owner.body, owner.end, "," if constants else ";")
        all_names = {name for d in inside if not d.body for name in d.names()}
        for d in inside:
            if d.body:
                self.members(d, about + d.above + d.behind, constants)
                continue
            for name in d.names():
                self.found += 1
                once_for_all = (name in ("struct_size", "stride", "count") or name.startswith("reserved")
                                or name.endswith("_stride") or name.startswith("n_") and name[2:] in all_names)
                said = d.behind or d.above or re.search(rf"\b{name}\b", about) or once_for_all
                if not said and not (constants and about.strip()) and not ("(*" in d.code and d.group):
                    self.complain(d, name, "is not described")
                if "(*" in d.code and self.name == "tieline.h" and not THREAD.search(d.behind + d.above + d.group):
                    self.complain(d, name, "does not name its thread")


@pytest.mark.parametrize("path", HEADERS, ids=lambda p: p.name)
def test_everything_is_described(path):
    header = Header(path).check()
    assert not header.wrong, "\n" + "\n".join(header.wrong)
    assert header.found or path.name == "kit.h"
