"""A connector that dies of one record, in a connection of its own beside one that syncs: the record is set aside and
named once it did so twice alone, everything else is written, and the other connection does not notice."""
import pathlib
import shutil

import pytest
from systemlib import BUILD, Site, wait_until


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    directory = tmp_path_factory.mktemp("connectors")
    for so in (f"{BUILD}/connectors/desk.so", f"{BUILD}/connectors/salesforce.so",
               f"{BUILD}/tests/unit/connector/fixtures/grudge.so"):
        shutil.copy(so, directory)
    with Site("--contacts", 12, "--accounts", 3, "--plan", "plain") as s:
        ini = pathlib.Path(s.daemon.ini)
        text = ini.read_text().replace(f"{BUILD}/connectors", str(directory)).replace("enable = ", "enable = grudge, ")
        ini.write_text(f"{text}\n[endpoint toy]\nconnector = grudge\nurl = {s.sandbox.at['toy']}\n"
                       f"token = {s.sandbox.at['credentials']['toy']['token']}\n")
        s.start()
        s.sign_in()
        s.wait_running("grudge")
        s.connect("every=1s", number=False)
        s.first_sync()
        s.run("endpoint", "check", "toy")
        yield s


def toy(site):
    return {r["email"]: r["last_name"] for r in site.sandbox.dump("toy", "contacts") if r.get("_state", "live") == "live"}


def test_one_record_is_set_aside_and_named(site):
    site.run("connection", "create", "toys", "--a", "sf", "--b", "toy")
    site.run("link", "create", "toys", "contact", "every=1s")
    assert site.run("sync", "start", "toys", check=False).returncode in (0, 8)
    shared = [r for r in site.salesforce().values() if r["Email"] in toy(site)][:4]
    poison, *others = shared
    before = {c["name"]: c["pid"] for c in site.list("connector", "list")}
    for n, r in enumerate(others):
        site.sandbox.change("salesforce", "Contact", r["Id"], LastName=f"Well {n}")
    site.sandbox.change("salesforce", "Contact", poison["Id"], LastName="Abort")

    wait_until(lambda: [f for f in site.list("failure", "list", "--connection", "toys") if f["code"] == "POISON"], 60,
               "the record is set aside")
    found = [f for f in site.list("failure", "list", "--connection", "toys") if f["code"] == "POISON"]
    assert len(found) == 1 and found[0]["record"] == poison["Id"], found
    wait_until(lambda: [toy(site)[r["Email"]] for r in others] == [f"Well {n}" for n in range(len(others))], 60,
               "the other records are written")

    # What the person reads who has to mend it: connector, call, records and where it was.
    shown = site.list("connector", "show", "grudge")[0]
    error = shown["error"]
    assert 'the worker of connector "grudge" died: signal 6 (Aborted), in push of contact' in error["text"], error
    assert 'of endpoint "toy" with 1 records ("' in error["text"], error
    assert "grudge.so+0x" in error["detail"], error
    assert shown["state"] in ("running", "retrying") and 2 <= shown["crashes"] < 8, shown

    # The other connection took the same edits over; its workers are those from before.
    desk = next(r["id"] for r in site.desk().values() if r["email"] == poison["Email"])
    wait_until(lambda: site.desk()[desk]["lastName"] == "Abort", 30, "the other connection writes the record")
    after = {c["name"]: c for c in site.list("connector", "list")}
    for name in ("desk", "salesforce"):
        assert after[name]["pid"] == before[name] and after[name]["crashes"] == 0, after[name]

    # Nobody tries it again by itself; a person may, once it is harmless.
    crashes = shown["crashes"]
    site.sandbox.change("salesforce", "Contact", others[0]["Id"], LastName="Later")
    wait_until(lambda: toy(site)[others[0]["Email"]] == "Later", 30, "writing goes on")
    assert site.list("connector", "show", "grudge")[0]["crashes"] == crashes
    site.sandbox.change("salesforce", "Contact", poison["Id"], LastName="Mended")
    wait_until(lambda: site.desk()[desk]["lastName"] == "Mended", 30, "the edit was seen")
    site.run("failure", "retry", found[0]["id"])
    wait_until(lambda: toy(site)[poison["Email"]] == "Mended", 30, "the record is written")
    wait_until(lambda: not [f for f in site.list("failure", "list", "--connection", "toys") if f["code"] == "POISON"], 30,
               "its answer is taken in and closes the failure")
