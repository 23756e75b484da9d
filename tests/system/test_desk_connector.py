"""desk.so, loaded by the real runtime, against the twin of Zoho Desk: over HTTP, signed in, under every reading of what
the vendor leaves open and with every fault a day may bring."""
import json

import pytest
from sandboxlib import Sandbox, connector_lines, program

ORG = "20063578341"
LIVE, TRASHED, DELETED = 0, 1, 2
STAMP = "inst.abcdefghijklmnopqrstuvwxyz"


class Connector:
    def __init__(self, sim, folder, **options):
        z = sim.line["credentials"]["zoho"]
        given = {"accounts_url": sim.line["accounts"], "api_url": sim.line["desk"], "org_id": ORG,
                 "client_id": z["client_id"], "client_secret": z["client_secret"],
                 "refresh_token": refresh_token(sim, SCOPES), **options}
        self.process = connector_lines(program("desk.so", "connectors"), folder, given)

    def call(self, name, /, expect="ok", **more):
        self.process.stdin.write(json.dumps({"call": name, **more}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        assert expect is None or answer["status"] == expect, answer["error"]
        return answer

    def items(self, what, name, /, **more):
        return [i[what] for i in self.call(name, **more)["items"] if what in i]

    def pull(self, kind, mode, cursor="", max_pages=0, expect="ok"):
        """Pulls until complete; returns the records and the last cursor."""
        records = []
        while True:
            answer = self.call("pull", kind=kind, mode=mode, cursor=cursor, max_pages=max_pages, expect=expect)
            records += [i["record"] for i in answer["items"] if "record" in i]
            checkpoints = [i["checkpoint"] for i in answer["items"] if "checkpoint" in i]
            cursor = checkpoints[-1]["cursor"] if checkpoints else cursor
            if answer["status"] != "ok" or checkpoints[-1]["complete"]:
                return records, cursor

    def push(self, kind, *records, expect="ok"):
        results = self.items("result", "push", kind=kind, records=list(records), expect=expect)
        assert sorted(r["index"] for r in results) == list(range(len(records))), "exactly one result a record"
        return sorted(results, key=lambda r: r["index"])

    def close(self):
        self.process.stdin.close()
        assert self.process.wait(30) == 0


SCOPES = ("Desk.tickets.ALL,Desk.contacts.ALL,Desk.products.ALL,Desk.tasks.ALL,Desk.calls.ALL,Desk.events.ALL,"
          "Desk.basic.ALL,Desk.settings.ALL,Desk.search.READ")


def refresh_token(sim, scopes):
    return sim.sim("POST", "/accounts/refresh", {"scope": scopes}).json["refresh_token"]


@pytest.fixture(scope="module")
def sim():
    with Sandbox(("--contacts", 1500, "--accounts", 120)) as s:
        yield s


@pytest.fixture
def desk(sim, tmp_path):
    sim.reset()
    c = Connector(sim, tmp_path)
    c.call("prepare")
    c.call("discover")
    yield c
    c.close()


def live(sim, kind):
    return {r["id"] for r in sim.dump("desk", kind) if r["_state"] == "live"}


@pytest.mark.parametrize("switches", [{}, {"range_ends": 0}, {"search_limit_cap": 99}])
@pytest.mark.parametrize("max_pages", [0, 1])
def test_pass(sim, desk, switches, max_pages):
    sim.switch("desk", **switches)
    for kind, module in (("account", "accounts"), ("contact", "contacts"), ("ticket", "tickets")):
        records, _ = desk.pull(kind, "pass", max_pages=max_pages)
        ids = [r["id"] for r in records]
        assert len(ids) == len(set(ids)) and set(ids) == live(sim, module)
        assert all(r["flags"] & 1 and r["version"] for r in records)


@pytest.mark.parametrize("switches", [{}, {"range_ends": 0}, {"restore_touches": 0}, {"bin_newest_first": 0}])
def test_changes(sim, desk, switches):
    sim.switch("desk", **switches)
    ids = sorted(live(sim, "contacts"))[:5]
    _, cursor = desk.pull("contact", "changes")
    sim.sim("PATCH", f"/desk/records/contacts/{ids[0]}", {"firstName": "Changed"})
    sim.sim("POST", f"/desk/records/contacts/{ids[1]}/trash")
    new = sim.sim("POST", "/desk/records/contacts", {"lastName": "New"}).json
    records, cursor = desk.pull("contact", "changes", cursor)
    states = {r["id"]: r["state"] for r in records}
    assert states[ids[0]] == LIVE and states[ids[1]] == TRASHED and states[str(new["id"])] == LIVE
    assert next(r for r in records if r["id"] == ids[0])["values"]["first_name"] == "Changed"
    sim.sim("POST", f"/desk/records/contacts/{ids[1]}/restore")
    looked = cursor.replace("looked=", "looked=-")  # as if the last look for restores was long ago
    records, cursor = desk.pull("contact", "changes", looked)
    assert [r["state"] for r in records if r["id"] == ids[1]][-1] == LIVE


def test_a_ticket(sim, desk):
    """What it tells, and what becomes of it."""
    _, cursor = desk.pull("ticket", "changes")
    contact = sim.sim("POST", "/desk/records/contacts", {"lastName": "Asks"}).json["id"]
    id = sim.sim("POST", "/desk/records/tickets", {"subject": "Help", "contactId": contact, "priority": "High",
                                                   "dueDate": "2020-01-01T00:00:00.000Z"}).json["id"]
    records, cursor = desk.pull("ticket", "changes", cursor)
    [made] = [r for r in records if r["id"] == id]
    values = made["values"]
    assert (values["subject"], values["status_type"], values["contact"]) == ("Help", "Open", contact)
    assert values["overdue"] and not values["escalated"] and values["closed"] is None and values["number"]
    assert values["department"] and values["created"]
    sim.sim("PATCH", "/desk/records/tickets/" + id, {"status": "Closed"})
    records, cursor = desk.pull("ticket", "changes", cursor)
    closed = [r for r in records if r["id"] == id][-1]["values"]
    assert closed["status_type"] == "Closed" and closed["closed"] and not closed["overdue"]
    sim.sim("POST", f"/desk/records/tickets/{id}/trash")
    records, cursor = desk.pull("ticket", "changes", cursor)
    assert [r["state"] for r in records if r["id"] == id][-1] == TRASHED
    assert [r["state"] for r in desk.items("record", "get", kind="ticket", ids=[id])] == [TRASHED]


def ids_listed(desk, kind, about, **more):
    """The ids of a list, page by page to its end."""
    ids, cursor = [], ""
    while True:
        answer = desk.call("list", kind=kind, about=about, cursor=cursor, **more)
        ids += [i["record"]["id"] for i in answer["items"] if "record" in i]
        [checkpoint] = [i["checkpoint"] for i in answer["items"] if "checkpoint" in i]
        if checkpoint["complete"]:
            return ids
        cursor = checkpoint["cursor"]


@pytest.mark.parametrize("switches", [{}, {"open_word": 0}, {"search_limit_cap": 99}])
def test_tickets_beside_their_contact(sim, desk, switches):
    sim.switch("desk", **switches)
    account = sim.sim("POST", "/desk/records/accounts", {"accountName": "Asks a lot"}).json["id"]
    contact = sim.sim("POST", "/desk/records/contacts", {"lastName": "Asks", "accountId": account}).json["id"]
    nobody = sim.sim("POST", "/desk/records/contacts", {"lastName": "Never asks"}).json["id"]
    def ticket(**fields):
        at = f"2025-01-01T00:00:{len(made):02}.000Z"
        fields = {"subject": "Help", "contactId": contact, "createdTime": at, "modifiedTime": at, **fields}
        made.append(sim.sim("POST", "/desk/records/tickets", fields).json["id"])
        return made[-1]
    made = []
    late = ticket(dueDate="2020-01-01T00:00:00.000Z")
    held = ticket(status="On Hold", priority="High")
    closed = ticket(status="Closed", dueDate="2020-01-01T00:00:00.000Z")
    escalated = ticket(status="Escalated", isEscalated=True)
    for about in (f"contact:{contact}", f"account:{account}"):
        for limit in (1, 3, 50):
            def listed(part):
                return ids_listed(desk, "ticket", about, filter=part, limit=limit)
            assert listed("") == [escalated, closed, held, late]
            assert listed("open") == [escalated, late] and listed("closed") == [closed]
            assert listed("overdue") == [late] and listed("escalated") == [escalated]
            assert listed("high_priority") == [held]
    assert ids_listed(desk, "ticket", f"contact:{nobody}", limit=10) == []
    desk.call("list", kind="ticket", about="contact:4876000000099999999", limit=10, expect="not found")


@pytest.mark.parametrize("switches", [{}, {"comment_samples": 1, "from_base": 0}])
def test_commenting_on_a_ticket(sim, desk, switches):
    """What is shown beforehand is what is sent, once; a comment whose answer is lost is not made again."""
    sim.switch("desk", **switches)
    contact = sim.sim("POST", "/desk/records/contacts", {"lastName": "Asks"}).json["id"]
    id = sim.sim("POST", "/desk/records/tickets", {"subject": "Help", "contactId": contact}).json["id"]
    sim.sim("POST", "/desk/records/comments", {"ticketId": id, "content": "<div>Any &amp; all <b>news</b>?</div>",
                                               "commenterId": contact})
    act = {"kind": "comment", "name": "create", "person": "Lena Light", "stamp": "key.1",
           "params": {"parent": id, "body": "5 < 6", "public": True}}
    path = f"/api/v1/tickets/{id}/comments"
    shown = json.dumps(desk.call("act", **act, dry_run=True, expect=None)["items"])
    assert path in shown and "Lena Light" in shown
    assert len([c for c in sim.dump("desk", "comments") if c["ticketId"] == id]) == 1
    [made] = desk.items("result", "act", **act)
    assert made["status"] == "ok" and made["created"] == 1
    sim.fault("drop-after", twin="desk", path=path, method="POST", times=1)
    lost = desk.items("result", "act", **{**act, "params": {"parent": id, "body": "lost"}}, expect=None)
    assert [r["status"] for r in lost] == ["unknown"]
    written = [c for c in sim.dump("desk", "comments") if c["ticketId"] == id]
    assert [(c["content"], c["isPublic"], c["contentType"]) for c in written[1:]] == [
        ("5 < 6\n\n-- Lena Light", True, "plainText"), ("lost\n\n-- Lena Light", False, "plainText")]
    records = desk.items("record", "list", kind="comment", about=f"ticket:{id}", limit=10)
    assert [r["id"] for r in records] == [c["id"] for c in reversed(written)]
    asked = records[-1]["values"]
    assert (asked["body"], asked["author"], asked["author_name"]) == ("Any & all news?", contact, "Asks")
    assert not asked["public"] and asked["at"] and asked["parent"] == id
    assert records[0]["values"]["author_name"] == "Ada Admin"


def test_finding_tickets(sim, desk):
    contact = sim.sim("POST", "/desk/records/contacts", {"lastName": "Asks"}).json["id"]
    made = sim.sim("POST", "/desk/records/tickets", {"subject": "Rare words", "contactId": contact,
                                                     "email": "rare@x.org"}).json["id"]
    number = desk.items("record", "get", kind="ticket", ids=[made])[0]["values"]["number"]
    records = desk.items("record", "find", kind="ticket", queries=[
        {"path": "number", "value": number}, {"path": "subject", "value": "Rare words"},
        {"path": "x.email", "value": "rare@x.org"}, {"path": "number", "value": "999999"}])
    assert {(r["index"], r["id"]) for r in records} == {(0, made), (1, made), (2, made)}


@pytest.mark.parametrize("switches", [{}, {"profile_fields": 0}, {"from_base": 0}])
def test_who_works_here(sim, desk, switches):
    """The profile and the departments of an agent, and the switches of a profile."""
    sim.switch("desk", **switches)
    agents, _ = desk.pull("user", "pass")
    ada = next(r["values"] for r in agents if r["values"]["email"] == "admin@mail.example")
    assert ada["active"] and ada["role"] == "CEO" and len(ada["departments"]) == 2
    profiles, _ = desk.pull("profile", "pass")
    by_id = {r["id"]: r["values"] for r in profiles}
    assert by_id[ada["profile"]]["name"] == "Support Administrator"
    permissions = by_id[ada["profile"]]["permissions"]
    permissions = json.loads(permissions) if isinstance(permissions, str) else permissions
    assert permissions["crmInteg"]["crmContactsNotes"] is True and "financeInteg" in permissions
    departments, _ = desk.pull("department", "pass")
    assert set(ada["departments"]) == {r["id"] for r in departments}
    assert all(r["values"]["active"] for r in departments)
    got = desk.items("record", "get", kind="profile", ids=[ada["profile"], "4876000000099999999"])
    assert [r["state"] for r in got] == [LIVE, DELETED]


@pytest.mark.parametrize("reads", [0, 1])
def test_get(sim, desk, reads):
    sim.switch("desk", trash_reads=reads)
    a, b, c, d = sorted(live(sim, "contacts"))[-4:]
    sim.sim("POST", f"/desk/records/contacts/{b}/trash")
    sim.sim("POST", f"/desk/records/contacts/{c}/trash")
    sim.sim("POST", f"/desk/records/contacts/{c}/purge")
    records = desk.items("record", "get", kind="contact", ids=[a, b, c, "4876000000099999999", d])
    assert {r["index"]: r["state"] for r in records} == {0: LIVE, 1: TRASHED, 2: DELETED, 3: DELETED, 4: LIVE}


@pytest.mark.parametrize("switches", [{}, {"patch_answers": 0}])
def test_push(sim, desk, switches):
    sim.switch("desk", **switches)
    account = sorted(live(sim, "accounts"))[0]
    made = desk.push("contact", {"op": "create", "stamp": STAMP + str(len(switches)),
                                 "values": {"last_name": "Ünï \"quoted\"", "email": "u@example.org", "account": account,
                                            "x.cf_customer_number": "0815"}})[0]
    assert made["created"] == 1 and made["record"]["flags"] & 1
    values = made["record"]["values"]
    assert (values["last_name"], values["account"]) == ("Ünï \"quoted\"", account)
    assert values["x.cf_customer_number"] == "0815"
    assert made["record"]["stamp"] == STAMP + str(len(switches))
    id = made["record"]["id"]
    changed = desk.push("contact", {"op": "update", "id": id, "values": {"email": None, "title": "Dr."}})[0]
    assert changed["status"] == "ok" and (changed["record"] is None) == ("patch_answers" in switches)
    [now] = [r for r in sim.dump("desk", "contacts") if r["id"] == id]
    assert now.get("email") in (None, "") and now["title"] == "Dr."
    assert desk.push("contact", {"op": "delete", "id": id})[0]["status"] == "ok"
    assert id not in live(sim, "contacts")
    assert desk.push("contact", {"op": "restore", "id": id, "values": {"title": "Prof."}})[0]["status"] == "ok"
    assert id in live(sim, "contacts")


def test_refusals(sim, desk):
    """proves: S1-44 S1-46 S1-48, what the vendor says when it refuses"""
    sim.switch("desk", unique_email=1)
    taken = next(r["email"] for r in sim.dump("desk", "contacts") if r.get("email") and r["_state"] == "live")
    results = desk.push("contact", {"op": "create", "values": {"first_name": "no last name"}},
                        {"op": "create", "values": {"last_name": "x" * 201}},
                        {"op": "create", "values": {"last_name": "x", "email": taken}},
                        {"op": "create", "values": {"last_name": "x", "account": "1"}},
                        {"op": "update", "id": "4876000000099999999", "values": {"title": "x"}},
                        {"op": "create", "values": {"last_name": "fine"}})
    assert [(r["status"], r["error"] and (r["error"]["reason"], r["error"]["field"])) for r in results] == [
        ("invalid", (3, "lastName")), ("invalid", (6, "lastName")), ("invalid", (1, "email")),
        ("invalid", (10, "accountId")), ("not found", (5, "")), ("ok", None)]
    assert all(r["error"] is None or "Zoho Desk" in r["error"]["text"] for r in results)


@pytest.mark.parametrize("values", [1, 0])
def test_find(sim, desk, values):
    """proves: S1-19 S1-20, the searches behind matching; values 0: an older portal"""
    sim.switch("desk", search_values=values)
    stamp = f"find{values}.abc"
    made = desk.push("contact", {"op": "create", "stamp": stamp,
                                 "values": {"last_name": "Findme", "email": f"f{values}@x.org"}})
    id = made[0]["record"]["id"]
    records = desk.items("record", "find", kind="contact", queries=[
        {"path": "email", "value": f"f{values}@x.org"}, {"path": "stamp", "value": stamp},
        {"path": "email", "value": "nobody@nowhere.example"}, {"path": "last_name", "value": "Findme"}])
    found = {(r["index"], r["id"]) for r in records}
    assert {(0, id), (1, id), (3, id)} <= found and not any(i == 2 for i, _ in found)
    kinds = {k["kind"]: k for k in desk.items("kind", "discover")}
    assert ("STAMP_FIND" in kinds["contact"]["can"]) == bool(values)
    desk.push("contact", {"op": "delete", "id": id})
    if values:  # also in the bin
        records = desk.items("record", "find", kind="contact", queries=[{"path": "stamp", "value": stamp}])
        assert [(r["id"], r["state"]) for r in records] == [(id, TRASHED)]


@pytest.mark.parametrize("fault,status", [
    ("html", "temporary config"), ("truncate", "temporary"), ("500", "temporary"), ("503-html", "temporary"),
    ("503-json", "temporary"), ("drop-before", "temporary ok"),  # the client may repeat a read once
    ("drop-after", "temporary ok"), ("429", "throttled"), ("threshold", "quota")])
def test_bad_days_while_reading(sim, desk, fault, status):
    _, cursor = desk.pull("contact", "pass", max_pages=1)
    sim.fault(fault, twin="desk", path="/api/v1/contacts/search", times=1)
    answer = desk.call("pull", kind="contact", mode="pass", cursor="", expect=None)
    assert answer["status"] in status.split(), answer["error"]
    assert answer["status"] == "ok" or answer["error"]["text"]
    records, _ = desk.pull("contact", "pass")
    assert {r["id"] for r in records} == live(sim, "contacts")


def test_token_expires_while_reading(sim, desk):
    sim.fault("expire-token", twin="desk", path="/api/v1/contacts/search", times=1, after=3)
    records, _ = desk.pull("contact", "pass")
    assert {r["id"] for r in records} == live(sim, "contacts")


def test_one_bad_value(sim, desk):
    sim.fault("bad-value", twin="desk", path="/api/v1/contacts/search", times=1, after=2)
    records, _ = desk.pull("contact", "pass")
    bad = [r for r in records if r["flags"] & 8]
    assert len(bad) == 1 and "lastName" in bad[0]["note"]
    assert {r["id"] for r in records} == live(sim, "contacts")


def test_lost_answers_while_writing(sim, desk):
    sim.fault("drop-after", twin="desk", path="/api/v1/contacts", method="POST", times=1)
    lost = desk.push("contact", {"op": "create", "stamp": "lost.1", "values": {"last_name": "Lost"}}, expect=None)[0]
    assert lost["status"] == "unknown"
    [found] = desk.items("record", "find", kind="contact", queries=[{"path": "stamp", "value": "lost.1"}])
    assert found["values"]["last_name"] == "Lost"


def findings(desk):
    return [(f["level"], f["text"]) for f in desk.items("finding", "check", kinds=["contact"])]


def test_check(sim, desk):
    account, = desk.items("account", "check", kinds=["contact"])
    assert (account["org_key"], account["edition"]) == (ORG, "ENTERPRISE")
    assert findings(desk) == [(1, "Contacts: new records are stamped in field cf_tieline_id, so a create whose answer "
                                  "is lost is found again")]


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("missing,level,words", [
    ("Desk.search.READ", 3, "the sign-in lacks the scope Desk.search.READ: changes of contacts cannot be found"),
    ("Desk.contacts.ALL", 3, "the sign-in lacks the scope Desk.contacts.READ: contacts cannot be read"),
    ("Desk.settings.ALL", 2, "Desk.settings.READ: deletions are not noticed by polling")])
def test_check_names_a_missing_scope(sim, tmp_path, status, missing, level, words):
    sim.reset()
    sim.switch("desk", mismatch_status=status)
    scopes = ",".join(s for s in SCOPES.split(",") if s != missing)
    c = Connector(sim, tmp_path, refresh_token=refresh_token(sim, scopes))
    texts = findings(c)
    c.close()
    assert any(l == level and words in t for l, t in texts), texts


@pytest.mark.parametrize("status", [401, 403])
def test_an_older_sign_in_lacks_tickets_alone(sim, tmp_path, status):
    sim.reset()
    sim.switch("desk", mismatch_status=status)
    scopes = ",".join(s for s in SCOPES.split(",") if s != "Desk.tickets.ALL")
    c = Connector(sim, tmp_path, refresh_token=refresh_token(sim, scopes))
    assert {"ticket", "contact", "comment"} <= {k["kind"] for k in c.items("kind", "discover")}
    assert not [t for _, t in findings(c) if "tickets" in t]  # nobody uses them
    texts = [f["text"] for f in c.items("finding", "check", kinds=["ticket"])]
    assert "the sign-in lacks the scope Desk.tickets.READ: tickets cannot be read" in texts
    answer = c.call("pull", kind="ticket", mode="pass", expect="denied")
    assert "Desk.tickets.READ" in answer["error"]["text"]
    records, _ = c.pull("contact", "pass")
    c.close()
    assert {r["id"] for r in records} == live(sim, "contacts")


@pytest.mark.parametrize("need", [0, 1])
def test_check_of_tickets(sim, desk, need):
    sim.switch("desk", tickets_need_department=need)
    assert desk.items("finding", "check", kinds=["ticket", "user", "profile", "department", "comment"]) == []


def test_wrong_data_centre(sim, desk):
    sim.switch("desk", wrong_dc=1)
    answer = desk.call("check", kinds=[], expect=None)
    assert answer["status"] == "config" and "option dc" in answer["error"]["text"], answer


def test_no_portal_named(sim, tmp_path):
    sim.reset()
    c = Connector(sim, tmp_path, org_id=None)
    account, = c.items("account", "check", kinds=["contact"])
    c.close()
    assert account["org_key"] == ORG


def test_dead_refresh_token(sim, tmp_path):
    sim.reset()
    c = Connector(sim, tmp_path, refresh_token="1000.dead.token")
    answer = c.call("check", kinds=[], expect=None)
    c.close()
    assert answer["status"] == "auth" and "sign in again" in answer["error"]["text"], answer
