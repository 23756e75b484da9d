#!/usr/bin/env python3
"""Makes the C table of messages from the catalogues in this folder.

Usage: table.py OUTPUT CATALOGUE...

Every catalogue must have every message of the first one, none of them empty or fuzzy, with the same placeholders: else the
names of what is wrong are printed as FILE:LINE and the exit status is 1. Columns are in the order of the arguments. Where
gettext is installed, `msgfmt --check` looks too.
"""
import ast
import pathlib
import re
import shutil
import subprocess
import sys

HOLE = re.compile(r"%[-+ #0-9.*]*[a-z]+|\{\w*\}|`[^`]*`")


def read(path):
    """[(line, msgid, msgstr, fuzzy)] without the header."""
    entries, fuzzy, at, parts, member = [], False, 0, {}, None

    def end():
        if parts.get("msgid"):
            entries.append((at, parts["msgid"], parts.get("msgstr", ""), fuzzy))

    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        line = line.strip()
        if line.startswith("#"):
            if line.startswith("#,"):
                end()
                parts, member, fuzzy = {}, None, "fuzzy" in line
        elif line.startswith("msgid "):
            if parts:
                end()
                fuzzy = False
            at, member, parts = number, "msgid", {"msgid": ast.literal_eval(line[6:])}
        elif line.startswith("msgstr "):
            member, parts["msgstr"] = "msgstr", ast.literal_eval(line[7:])
        elif line.startswith('"') and member:
            parts[member] += ast.literal_eval(line)
    end()
    return entries


def quoted(text):
    out = "".join(c if 32 <= ord(c) < 127 and c not in '"\\' else {'"': '\\"', "\\": "\\\\", "\n": "\\n"}.get(c) or
                  "".join(f"\\{b:03o}" for b in c.encode()) for c in text)
    return f'"{out}"'


def main():
    output, paths = sys.argv[1], [pathlib.Path(p) for p in sys.argv[2:]]
    wrong, tables = [], []
    for path in paths:
        table = {}
        for line, english, text, fuzzy in read(path):
            where = f"{path}:{line}"
            if english in table:
                wrong.append(f"{where}: twice: {english}")
            if not text:
                wrong.append(f"{where}: not translated: {english}")
            if fuzzy:
                wrong.append(f"{where}: fuzzy: {english}")
            if sorted(HOLE.findall(english)) != sorted(HOLE.findall(text)):
                wrong.append(f"{where}: other placeholders: {english}")
            table[english] = text
        tables.append(table)
        if shutil.which("msgfmt"):
            done = subprocess.run(["msgfmt", "--check", "-o", "/dev/null", str(path)], capture_output=True, text=True)
            wrong += done.stderr.splitlines() if done.returncode else []
    for path, table in zip(paths, tables):
        wrong += [f"{path}:1: missing: {m}" for m in tables[0].keys() - table.keys()]
        wrong += [f"{paths[0]}:1: missing: {m}" for m in table.keys() - tables[0].keys()]
    if wrong:
        print("\n".join(wrong), file=sys.stderr)
        return 1
    rows = "".join(f"    {{{quoted(m)}, {{{', '.join(quoted(t[m]) for t in tables)}}}}},\n" for m in sorted(tables[0]))
    pathlib.Path(output).write_text('/* Made by core/po/table.py. */\n#include "lang.h"\n\n'
                                    f"const struct message messages[] = {{\n{rows}}};\n"
                                    "const size_t n_messages = sizeof messages / sizeof *messages;\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
