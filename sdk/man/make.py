#!/usr/bin/env python3
"""Makes the manual pages: commands from what they say to --help, the guide from docs/, the references from the headers.

Usage: make.py OUT LOWDOWN HEADER KIT GUIDE VERSION NAME.SECTION=PROGRAM[,COMMAND...]...
"""
import pathlib
import re
import subprocess
import sys

ABOUT = {"tieline-sdk": "makes, calls and checks connectors of tieline", "tieline": "the command line of tieline",
         "tielined": "keeps a help desk and the systems around it in step",
         "tieline-sandbox": "loopback twins of the vendors, for trying and testing"}
ALSO = ("**tieline**(1), **tielined**(8), **tieline-sdk**(1), **tieline-sandbox**(1), "
        "**tieline-connector-guide**(7), **tieline.h**(3), **tieline-kit**(3)")


def literal(text):
    return "".join(f"    {line}\n" if line else "\n" for line in text.rstrip().splitlines()) + "\n"


def said(program, *words):
    return subprocess.run([program, *words, "--help"], capture_output=True, text=True, check=True).stdout


def command_page(program, commands):
    """What the program says of itself, then what each of its commands says."""
    name = pathlib.Path(program).name
    text = f"# NAME\n\n{name} - {ABOUT[name]}\n\n# DESCRIPTION\n\n{literal(said(program))}"
    for command in commands:
        text += f"# {name} {command}\n\n{literal(said(program, command))}"
    return text


def header_page(path):
    """The header as it is, its sections as headings: declarations and contract are one text."""
    text = "# NAME\n\ntieline.h - the interface between tieline and a connector\n\n# SYNOPSIS\n\n    #include <tieline.h>\n\n"
    for part in re.split(r"^/\* ---- (.+?) -+(?:$| *\*/$)", path.read_text(encoding="utf-8"), flags=re.M):
        heading = re.fullmatch(r"[A-Z][^\n]*", part) and len(part) < 110
        text += f"# {part}\n\n" if heading else literal(part.strip("\n"))
    return text


def kit_page(folder):
    """The headers of the kit as they are, one a heading, without their guards."""
    text = ("# NAME\n\ntieline-kit - static helpers for connectors over tieline.h\n\n# SYNOPSIS\n\n    #include <kit/kit.h>\n\n"
            "The functions are linked into the connector (**tieline_add_connector** of the CMake package, **pkg-config "
            "tieline**); they need tieline.h and libc only.\n\n")
    for path in sorted(folder.glob("*.h")):
        if path.name != "kit.h" and not path.name.endswith("_int.h"):
            body = re.fullmatch(r"/\*.*?\*/\n#ifndef \w+\n#define \w+\n(.*)#endif\n", path.read_text(encoding="utf-8"),
                                re.S)
            text += f"# kit/{path.name}\n\n{literal(body[1])}"
    return text


def main():
    if len(sys.argv) < 7:
        print(__doc__.strip())
        return 0 if sys.argv[1:] in (["-h"], ["--help"]) else 2
    out, lowdown, header, kit, guide, version = sys.argv[1:7]
    pages = {"tieline.h.3": header_page(pathlib.Path(header)), "tieline-kit.3": kit_page(pathlib.Path(kit)),
             "tieline-connector-guide.7": "# NAME\n\ntieline-connector-guide - from nothing to a gold connector\n\n"
             + re.sub(r"\[([^]]+)\]\([^)]*\)", r"\1", pathlib.Path(guide).read_text(encoding="utf-8"))}
    for spec in sys.argv[7:]:
        name, _, rest = spec.partition("=")
        program, *commands = rest.split(",")
        pages[name] = command_page(program, commands)
    pathlib.Path(out).mkdir(exist_ok=True)
    for name, text in pages.items():
        title, _, section = name.rpartition(".")
        text += f"\n# SEE ALSO\n\n{ALSO}\n"
        man = subprocess.run([lowdown, "-s", "-Tman", "-M", f"title={title}", "-M", f"section={section}", "-M",
                              f"source=tieline {version}"], input=text, capture_output=True, text=True, check=True).stdout
        man = man.replace(r"\fC", r"\f(CR")  # the name of the fixed font that every formatter knows
        (pathlib.Path(out) / name).write_text(man, encoding="utf-8")
    return 0


sys.exit(main())
