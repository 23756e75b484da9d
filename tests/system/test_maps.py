"""Field maps with transforms: checked before anything runs, shown before they change anything, applied at any time."""
import json

import pytest
from systemlib import Site, wait_until


@pytest.fixture(scope="module")
def site():
    with Site("--contacts", 60, "--accounts", 12) as s:
        s.start()
        s.sign_in()
        s.connect("every=1s")
        s.summary = s.first_sync()
        yield s


def map_row(site, field, kind="contact"):
    return next(r for r in site.list("map", "list", "demo", kind) if r["a"] == field)


def refused(site, *args):
    done = site.run("map", "set", "demo", "contact", *args, check=False)
    assert done.returncode != 0
    return done.stderr


def test_type_failure_is_cured_with_to_int(site):
    """A text that the other side keeps as a number fails its record; to_int(blank) heals it. proves: S1-45 S2-54 S1-16"""
    assert "TYPE_MISMATCH" in {code for *_, code in site.failures()}
    before = json.loads(site.run("--json", "map", "set", "demo", "contact", "x.cf_customer_number",
                                 "x.Customer_Number__c", "--transform", "to_int(blank)", "-n").stdout)["items"][0]
    assert before["failed"] == 0 and before["pairs"] > 10
    site.run("map", "set", "demo", "contact", "x.cf_customer_number", "x.Customer_Number__c", "--transform",
             "to_int(blank)")
    wait_until(lambda: "TYPE_MISMATCH" not in {code for *_, code in site.failures()}, 30, "the failure heals")
    site.wait_quiet()


def test_mistakes_are_placed(site):
    """Each mistake names its column and what is near; nothing is stored. proves: S1-14"""
    text = refused(site, "title", "title", "--transform", "trim | uper")
    assert 'column 8: there is no function "uper"' in text and 'did you mean "upper"?' in text
    text = refused(site, "title", "title", "--transform", "trim | upper")
    assert "upper has no way back" in text and "--back" in text
    text = refused(site, "title", "title", "--transform", "to_int | upper")
    assert "upper takes texts, but to_int gives a whole number" in text
    assert map_row(site, "title")["transform"] is None


def test_effect_is_shown_then_written(site):
    """-n counts what would be written on each side and changes nothing; then exactly that is written, and nothing more
    (V5, V6). proves: S1-16 S2-20"""
    desk_id, sf_id, _ = site.pairs(1)[0]
    site.sandbox.change("desk", "contacts", desk_id, title="Head of Maps")
    wait_until(lambda: site.salesforce()[sf_id]["Title"] == "Head of Maps", 30, "the title arrives")
    site.wait_quiet()
    args = ("title", "title", "--transform", "upper", "--back", "title", "--policy", "a")
    effect = json.loads(site.run("--json", "map", "set", "demo", "contact", *args, "-n").stdout)["items"][0]
    assert effect["writes"]["b"] > 0 and effect["writes"]["a"] == 0 and effect["failed"] == 0
    assert any(x["after"] == x["before"].upper() for x in effect["examples"])
    assert site.salesforce()[sf_id]["Title"] == "Head of Maps"
    site.run("map", "set", "demo", "contact", *args)
    wait_until(lambda: site.salesforce()[sf_id]["Title"] == "HEAD OF MAPS", 30, "the transform is applied")
    assert site.desk()[desk_id]["title"] == "Head of Maps"
    site.sandbox.change("salesforce", "Contact", sf_id, Title="LORD OF MAPS")
    wait_until(lambda: site.desk()[desk_id]["title"] == "Lord Of Maps", 30, "the way back")
    site.wait_quiet()
    again = json.loads(site.run("--json", "map", "set", "demo", "contact", *args, "-n").stdout)["items"][0]
    assert again["writes"] == {"a": 0, "b": 0} and again["equal"] == again["pairs"]


def test_preview_on_a_record(site):
    desk_id, sf_id, _ = site.pairs(1)[0]
    for record in (desk_id, sf_id):
        answer = json.loads(site.run("--json", "map", "preview", "demo", "contact", record).stdout)["items"][0]
        assert (answer["a_id"], answer["b_id"]) == (desk_id, sf_id)
        title = next(r for r in answer["items"] if r["a"] == "title")
        assert title["would_be_b"]["value"] == title["a_value"].upper() and title["equal"] is True
    assert "WOULD BE IN B" in site.run("map", "preview", "demo", "contact", desk_id).stdout
    assert site.run("map", "preview", "demo", "contact", "nobody", check=False).returncode == 4


def test_one_source_for_two_fields_and_several_for_one(site):
    """A field may feed several, and several one; each row keeps its own agreement."""
    desk_id, sf_id, _ = site.pairs(1, skip=1)[0]
    site.run("map", "set", "demo", "contact", "first_name", "department", "--direction", "a2b", "--transform",
             'concat(" ", last_name) | upper')
    name = lambda r: f"{r['firstName'] or ''} {r['lastName']}".strip().upper()  # noqa: E731
    wait_until(lambda: site.salesforce()[sf_id]["Department"] == name(site.desk()[desk_id]), 30, "both names arrive")
    site.sandbox.change("desk", "contacts", desk_id, lastName="Newname")
    wait_until(lambda: site.salesforce()[sf_id]["Department"].endswith(" NEWNAME"), 30, "an edit of the second field")
    assert site.salesforce()[sf_id]["LastName"] == "Newname"
    site.wait_quiet()
    site.run("map", "unset", "demo", "contact", "department")


def test_check_tells_what_stored_values_say(site):
    """Checks of the map and of stored values, before anything runs. proves: S1-14"""
    done = site.run("map", "check", "demo", "contact", check=False)
    assert done.returncode == 0, done.stdout
    found = site.run("--json", "map", "check", "demo", "contact").stdout
    assert "ROUND_TRIP" in found or "ok" in found


def test_export_and_import(site, tmp_path):
    """What was exported imports as it was; a wrong row changes nothing."""
    text = site.run("map", "export", "demo", "contact").stdout
    file = tmp_path / "map.json"
    file.write_text(text)
    assert json.loads(site.run("--json", "map", "import", "demo", "contact", str(file), "-n").stdout)["items"] == []
    rows = json.loads(text)
    for row in rows["rows"]:
        if row["a"] == "title":
            row.update(transform="trim | lower", back="title")
    file.write_text(json.dumps(rows))
    [change] = json.loads(site.run("--json", "map", "import", "demo", "contact", str(file), "-n").stdout)["items"]
    assert change["change"] == "change" and change["writes"]["a"] + change["writes"]["b"] >= 0
    rows["rows"][0]["transform"] = "no_such"
    file.write_text(json.dumps(rows))
    done = site.run("map", "import", "demo", "contact", str(file), check=False)
    assert done.returncode != 0 and "row 1" in done.stderr
    assert map_row(site, "title")["transform"] == "upper"
    file.write_text(text)
    site.run("map", "import", "demo", "contact", str(file))
    assert site.run("map", "export", "demo", "contact").stdout == text


def test_cases_in_a_file(site, tmp_path):
    file = tmp_path / "cases"
    file.write_text('# names\ntransform = trim | title | default("-")\n"  ann LEE " -> "Ann Lee"\nblank -> "-"\n\n'
                    'transform = to_int\n"007" -> "7"\n"see contract" -> fail\n'
                    'transform = date_format("%d.%m.%Y")\ntype = date\n"2026-01-31" -> "31.01.2026"\n')
    assert site.run("map", "test", str(file)).returncode == 0
    file.write_text(file.read_text().replace('"7"', '"8"'))
    done = site.run("map", "test", str(file), check=False)
    assert done.returncode == 1 and ":7:" in done.stdout and 'got "7"' in done.stdout
    assert "to_int" in site.run("map", "functions").stdout


def test_a_value_that_fails_names_function_field_and_value(site):
    """A record whose value cannot be transformed is told with function, field and value; correcting it heals."""
    desk_id, sf_id, _ = site.pairs(1, skip=2)[0]
    site.run("map", "set", "demo", "contact", "x.cf_customer_number", "x.Customer_Number__c", "--transform",
             'match("^C-([0-9]+)$|^([0-9]+)$") | to_int', "--direction", "a2b")
    site.run("map", "set", "demo", "contact", "title", "title", "--direction", "a2b", "--transform",
             'map("Chief"="CEO", *=*) | upper')
    site.run("map", "set", "demo", "contact", "x.cf_customer_number", "x.Customer_Number__c", "--transform", "to_int")
    # Every pair agrees on the field under its new map before it is edited, or the edit is one of two values to adopt.
    wait_until(lambda: site.salesforce()[sf_id]["Title"] == (site.desk()[desk_id]["title"] or "").upper(), 30, "mapped")
    site.run("sync", "start", "demo")
    site.wait_quiet()
    site.sandbox.change("desk", "contacts", desk_id, cf_customer_number="seven")
    wait_until(lambda: any(f["record"] == desk_id for f in site.list("failure", "list", "--limit", "1000")), 30, "it fails")
    [failure] = [f for f in site.list("failure", "list", "--limit", "1000") if f["record"] == desk_id]
    assert failure["code"] == "TYPE_MISMATCH"
    shown = json.dumps(failure)
    assert "to_int" in shown and "seven" in shown and "Customer_Number__c" in shown
    site.sandbox.change("desk", "contacts", desk_id, cf_customer_number="7")
    wait_until(lambda: not any(f["record"] == desk_id for f in site.list("failure", "list", "--limit", "1000")), 30,
               "it heals")
    wait_until(lambda: site.salesforce()[sf_id]["Customer_Number__c"] == 7, 30, "the number arrives")
