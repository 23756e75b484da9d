"""etc/tieline.ini is the documentation of the configuration: it names every key of the schema and every option of the
connectors, and its example is a valid configuration."""
import os
import re

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def read(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as f:
        return f.read()


SAMPLE = read("etc", "tieline.ini")


def test_every_key_of_the_schema_is_explained():
    keys = re.findall(r'^\s*\{"(\w+)",\s*"([\w.*]+)",', read("core", "base", "config_keys.c"), re.M)
    assert len(keys) > 30
    for section, key in keys:
        name = key.replace(".*", r"\.\S+")
        assert re.search(rf"^;?{name}\s*=", SAMPLE, re.M) or key == "isolation.*", f"[{section}] {key} is not in the sample"


def options(*source):
    """Names in the table of options; of those that repeat for every kind the ones of "contact"."""
    table = read(*source).split("options[", 1)[1].split("};", 1)[0]
    kinds = re.findall(r'^ +{\.name = kind(?: "(\w+)")?', read(*source), re.M) if "KIND_OPTIONS(" in table else []
    found = re.findall(r'\.name = "(\w+)"', table) + [f"contact{name}" for name in kinds]
    assert found
    return found


CONNECTORS = {"desk": ("plugins", "desk", "plugin.c"), "salesforce": ("plugins", "salesforce", "plugin.c"),
              "finance": ("plugins", "finance", "plugin.c"),
              "csvdir": ("sdk", "examples", "csvdir", "csvdir.c"), "rest": ("sdk", "examples", "rest", "options.c")}


def test_every_option_of_the_connectors_is_explained():
    for connector, source in CONNECTORS.items():
        section = SAMPLE.split(f"\n;connector = {connector}\n", 1)[1].split("\n;[", 1)[0]
        for option in options(*source):
            assert re.search(rf"^;{option}\s*=", section, re.M), f"option {option} of {connector} is not in its section"


def test_no_section_or_key_in_it_is_unknown():
    known = set(re.findall(r'\{"\w+",\s*"([\w.]+)', read("core", "base", "config_keys.c")))
    for source in CONNECTORS.values():
        known |= set(options(*source))
    for key in re.findall(r"^;([a-z_.]+)\s*=", SAMPLE, re.M):
        assert key in known or key.startswith(("isolation.", "hosts.")), f"the sample names an unknown key: {key}"
