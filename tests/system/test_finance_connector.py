"""finance.so, loaded by the real runtime, against the twin of Zoho Books and Zoho Invoice: over HTTP, signed in, under
every reading of what the vendor leaves open and with every fault a day may bring."""
import json

import pytest
from financelib import COUNT, FIRST, INACTIVE, STAFF, customer, get, good, made_fresh, opened, stamp
from sandboxlib import Sandbox, connector_lines, program

LIVE, DELETED = 0, 2
STAMP = "inst.abcdefghijklmnopqrstuvwxyz"
EXACT = {"balance.credits": "0.00", "balance.receivable": "0.00", "balance.payable": "0.00"}


class Connector:
    def __init__(self, sim, folder, scopes=None, **options):
        z = sim.line["credentials"]["finance"]
        token = sim.sim("POST", "/accounts/refresh", {"scope": scopes}).json["refresh_token"] if scopes else z["refresh_token"]
        client = sim.line["credentials"]["zoho"] if scopes else z
        given = {"accounts_url": sim.line["accounts"], "api_url": sim.line["finance"], "organization_id": FIRST,
                 "client_id": client["client_id"], "client_secret": client["client_secret"], "refresh_token": token,
                 "calls_per_minute": 0, "custom_fields": "cf_region, cf_remark", **options}
        self.process = connector_lines(program("finance.so", "connectors"), folder, given)

    def call(self, call, expect="ok", **more):
        self.process.stdin.write(json.dumps({"call": call, **more}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        assert expect is None or answer["status"] == expect, json.dumps(answer["error"])
        return answer

    def items(self, what, call, **more):
        return [i[what] for i in self.call(call, **more)["items"] if what in i]

    def pull(self, mode, cursor="", max_pages=0, page_hint=0, meanwhile=None):
        """Pulls until complete; returns the records and the last cursor."""
        records = []
        while True:
            answer = self.call("pull", kind="contact", mode=mode, cursor=cursor, max_pages=max_pages, page_hint=page_hint)
            records += [i["record"] for i in answer["items"] if "record" in i]
            checkpoints = [i["checkpoint"] for i in answer["items"] if "checkpoint" in i]
            cursor = checkpoints[-1]["cursor"]
            if checkpoints[-1]["complete"]:
                return records, cursor
            if meanwhile:
                meanwhile(records)

    def push(self, *records, expect="ok"):
        results = self.items("result", "push", kind="contact", records=list(records), expect=expect)
        assert sorted(r["index"] for r in results) == list(range(len(records))), "exactly one result a record"
        return sorted(results, key=lambda r: r["index"])

    def close(self):
        self.process.stdin.close()
        assert self.process.wait(30) == 0


@pytest.fixture(scope="module")
def sim():
    with opened() as s:
        yield s


@pytest.fixture(autouse=True)
def fresh(sim):
    made_fresh(sim)
    yield
    assert sim.sim("GET", "/violations").json["count"] == 0


@pytest.fixture
def books(sim, tmp_path):
    c = Connector(sim, tmp_path)
    c.call("discover")
    yield c
    c.close()


def refused(sim, folder, name="check", **options):
    """The error of a check that ends with one."""
    c = Connector(sim, folder, **options)
    answer = c.call(name, expect=None)
    c.close()
    return answer["status"], json.dumps(answer["error"])


def live(sim):
    return {r["contact_id"] for r in sim.dump("finance", "contacts")
            if r["_state"] == "live" and r["contact_type"] == "customer" and r["organization_id"] == FIRST}


# ---- the organisation ------------------------------------------------------------------------------------------------

def account(c):
    [found] = c.items("account", "check")
    return found


def test_the_only_organisation_is_taken(sim, tmp_path):
    """proves: S4-09, S4-10, S4-11, S4-12, S4-17"""
    c = Connector(sim, tmp_path, organization_id=None)
    assert account(c)["org_key"] == FIRST and account(c)["org_name"] == "Northwind Trading"
    assert "PROFESSIONAL" in account(c)["edition"]
    c.close()


def test_several_are_offered_by_name_and_id(sim, tmp_path):
    """proves: S4-11, S4-17"""
    sim.sim("PATCH", f"/finance/records/organizations/{STAFF}", {"user_role": "admin"})
    status, words = refused(sim, tmp_path, organization_id=None)
    assert status == "config" and "Northwind Trading" in words and FIRST in words and "Northwind Labs" in words and STAFF in words
    assert INACTIVE not in words and "organization_id" in words
    c = Connector(sim, tmp_path, organization_id=STAFF)
    assert account(c)["org_key"] == STAFF
    c.close()


def test_who_has_none_is_told_how_to_get_one(sim, tmp_path):
    """proves: S4-16"""
    sim.switch("finance", organizations=0)
    status, words = refused(sim, tmp_path, organization_id=None)
    assert status == "config" and "create one" in words


def test_who_is_no_administrator_is_told_so(sim, tmp_path):
    """proves: S4-08, S4-17"""
    for given in ({"organization_id": STAFF}, {"organization_id": INACTIVE}):
        status, words = refused(sim, tmp_path, **given)
        assert status == "config" and "no administrator" in words and "Northwind Trading" in words
    sim.sim("PATCH", f"/finance/records/organizations/{FIRST}", {"user_role": "staff"})
    status, words = refused(sim, tmp_path, organization_id=None)
    assert status == "config" and "no administrator" in words and "Northwind Trading" in words
    status, words = refused(sim, tmp_path, organization_id="4711")
    assert status == "config" and "belongs to no organisation" in words


@pytest.mark.parametrize("switches", [{}, {"invoice_json": 0}])
def test_invoice_instead_of_books(sim, tmp_path, switches):
    """proves: S4-13, S4-14, S4-15"""
    sim.switch("finance", **switches)
    sim.sim("PATCH", f"/finance/records/organizations/{FIRST}", {"product": "invoice"})
    c = Connector(sim, tmp_path, product="invoice", organization_id=None)
    assert account(c)["org_key"] == FIRST
    c.call("discover")
    records, _ = c.pull("pass")
    assert {r["id"] for r in records} == live(sim)
    name = f"Voice & Sons {next(COUNT)}"
    [made] = c.push({"op": "create", "values": {"first_name": "In", "last_name": name, "email": "in@voice.example"}})
    [seen] = c.items("record", "get", kind="contact", ids=[made["record"]["id"]])
    assert seen["values"]["last_name"] == name
    c.close()
    status, words = refused(sim, tmp_path, "discover")
    assert status == "config" and "product" in words


def test_missing_scopes_are_named(sim, tmp_path):
    c = Connector(sim, tmp_path, scopes="ZohoBooks.settings.READ,ZohoBooks.contacts.READ,ZohoBooks.estimates.ALL")
    found = json.dumps(c.items("finding", "check"))
    assert "ZohoBooks.contacts.UPDATE" in found and "ZohoBooks.invoices.READ" in found
    assert "estimates" not in found and "contacts.READ" not in found
    c.close()


# ---- what there is ---------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("no_duplicates", [1, 0])
def test_discover(sim, tmp_path, no_duplicates):
    sim.switch("finance", no_duplicates=no_duplicates)
    c = Connector(sim, tmp_path)
    kind = next(k for k in c.items("kind", "discover") if k["kind"] == "contact")
    fields = kind["fields"]
    assert kind["kind"] == "contact" and kind["stamp_field"] == ("cf_tieline_id" if no_duplicates else "")
    assert {"first_name", "email", "address.street", "currency", "payment_terms", "x.contact_name", "x.cf_region"} < set(fields)
    assert all(fields[path]["type"] == fields["x.credit_limit"]["type"] for path in EXACT)
    found = json.dumps(c.items("finding", "prepare"))
    assert ("Prevent Duplicate Values" in found) != bool(no_duplicates)
    c.close()


# ---- reading ---------------------------------------------------------------------------------------------------------

def later(sim, how_much):
    assert sim.sim("POST", "/clock", {"advance": how_much}).status == 200
    sim.finance_token = ""  # of an hour


READINGS = [{}, {"page_context_array": 1}, {"sort_order": 0}, {"money_text": 1}, {"page_over_refused": 1}, {"page_default": 10},
            {"gone_status": 400}]


@pytest.mark.parametrize("switches", READINGS)
@pytest.mark.parametrize("page", [0, 3])
def test_pass(sim, books, switches, page):
    sim.switch("finance", **switches)
    records, _ = books.pull("pass", max_pages=1 if page else 0, page_hint=page)
    assert {r["id"] for r in records} == live(sim)
    assert all(r["flags"] & 1 and r["version"] and r["values"]["currency"] == "USD" for r in records)


def test_a_vendor_is_no_customer(sim, books):
    supplier = good(sim.finance("POST", "/contacts", {"contact_name": "Supplier", "contact_type": "vendor"}), 201)["contact"]
    records, _ = books.pull("pass")
    assert supplier["contact_id"] not in {r["id"] for r in records}


@pytest.mark.parametrize("sort_order", [1, 0])
def test_a_pass_jumps_over_nobody_when_others_go_away(sim, books, sort_order):
    sim.switch("finance", sort_order=sort_order)
    made = [customer(sim)["contact_id"] for _ in range(12)]
    kept, gone = set(live(sim)), []

    def purge(records):
        for r in records:
            if r["id"] in made and len(gone) < 6:
                made.remove(r["id"])
                gone.append(r["id"])
                sim.sim("POST", f"/finance/records/contacts/{r['id']}/purge")
                return

    records, _ = books.pull("pass", max_pages=1, page_hint=3, meanwhile=purge)
    assert kept - set(gone) <= {r["id"] for r in records} and gone


@pytest.mark.parametrize("switches", READINGS)
@pytest.mark.parametrize("page", [0, 2])
def test_changes(sim, books, switches, page):
    sim.switch("finance", **switches)
    later(sim, "10m")
    _, cursor = books.pull("changes")
    later(sim, "10m")
    made = [customer(sim)["contact_id"] for _ in range(5)]
    other = sorted(live(sim))[0]
    sim.sim("PATCH", f"/finance/records/contacts/{other}", {"notes": "changed"})
    records, cursor = books.pull("changes", cursor, max_pages=1 if page else 0, page_hint=page)
    assert {r["id"] for r in records} == {other, *made}
    later(sim, "10s")
    records, cursor = books.pull("changes", cursor)
    later(sim, "10s")
    records, cursor = books.pull("changes", cursor)
    assert records == [], "what was read within the overlap is not read again"


def test_get(sim, books):
    """proves: S4-04"""
    billed = customer(sim, billing_address={"address": "1 Main Street", "city": "Kyiv", "zip": "01001", "country": "Ukraine"},
                      payment_terms=14)
    number = billed["contact_id"]
    sim.sim("POST", f"/finance/records/contacts/{number}/credit", {"amount": "5.10"})
    sim.sim("PATCH", f"/finance/records/contacts/{number}", {"outstanding_payable_amount": "90071992547.10"})
    document = {"customer_id": number, "line_items": [{"name": "Work", "rate": "1234.50", "quantity": 1}]}
    made = good(sim.finance("POST", "/invoices", document), 201)["invoice"]
    good(sim.finance("POST", f"/invoices/{made['invoice_id']}/status/sent"))
    for switches in ({}, {"money_text": 1}, {"gone_status": 400}):
        sim.switch("finance", **switches)
        records = books.items("record", "get", kind="contact", ids=[number, "460000000000999999", "no-number"])
        assert {r["index"]: r["state"] for r in records} == {0: LIVE, 1: DELETED, 2: DELETED}
        v = next(r for r in records if r["index"] == 0)["values"]
        assert v["balance.credits"] == "5.10" and v["balance.receivable"] == "1234.50"
        assert v["balance.payable"] == "90071992547.10", "to the last digit"
        assert (v["address.street"], v["address.city"], v["address.postal_code"]) == ("1 Main Street", "Kyiv", "01001")
        assert v["payment_terms"] == "14" and v["first_name"] == "Ada"


@pytest.mark.parametrize("path,value", [("email", "one@find.example"), ("x.contact_name", "Find Me & Co"),
                                        ("last_name", "Sought")])
def test_find(sim, books, path, value):
    address = "one@find.example" if path == "email" else "x@find.example"
    one = customer(sim, contact_name="Find Me & Co" if path == "x.contact_name" else f"Customer of {path}",
                   contact_persons=[{"first_name": "Fi", "last_name": "Sought", "email": address}])
    found = books.items("record", "find", kind="contact", queries=[{"path": path, "value": v} for v in ("nobody at all", value)])
    assert {r["index"] for r in found} == {1} and one["contact_id"] in {r["id"] for r in found}


# ---- writing ---------------------------------------------------------------------------------------------------------

def test_create_and_again(sim, books):
    values = {"first_name": "Cre", "last_name": "Ated", "email": "cre@ated.example", "phone": "+380 44 1234567",
              "address.city": "Lviv", "x.cf_region": "West"}
    [made] = books.push({"op": "create", "stamp": STAMP, "values": values})
    assert made["status"] == "ok" and made["created"] == 1
    number = made["record"]["id"]
    seen = good(sim.finance("GET", f"/contacts/{number}"))["contact"]
    assert seen["contact_name"] == "Cre Ated" and seen["customer_sub_type"] == "individual" and len(seen["contact_persons"]) == 1
    assert seen["custom_field_hash"] == {"cf_tieline_id": STAMP, "cf_region": "West"}
    [again] = books.push({"op": "create", "stamp": STAMP, "values": values})
    assert again["created"] == 0 and again["record"]["id"] == number
    [told] = books.items("record", "get", kind="contact", ids=[number])
    assert told["stamp"] == STAMP and {k: told["values"][k] for k in values} == values


def test_a_name_is_unique(sim, books):
    [one, two, none] = books.push(*({"op": "create", "values": v} for v in (
        {"first_name": "Same", "last_name": "Name", "email": "a@same.example"},
        {"first_name": "Same", "last_name": "Name", "email": "b@same.example"}, {"phone": "1"})))
    assert sorted((one["status"], two["status"])) == ["invalid", "ok"]
    assert "already exists" in json.dumps([one, two]) and none["status"] == "invalid"


@pytest.mark.parametrize("persons_replaced", [1, 0])
def test_an_update_keeps_what_it_does_not_name(sim, books, persons_replaced):
    sim.switch("finance", persons_replaced=persons_replaced)
    mark = f"{STAMP}.{persons_replaced}"
    people = [{"first_name": "Ada", "last_name": "Pay", "email": "ada@keep.example", "designation": "Buyer", "skype": "a \"q\""},
              {"first_name": "Bo", "last_name": "Sec", "email": "bo@keep.example"}]
    made = customer(sim, contact_persons=people, billing_address={"attention": "Ms Pay", "address": "1 Main", "city": "Kyiv"},
                    notes="kept", **stamp(mark))
    [done] = books.push({"op": "update", "id": made["contact_id"], "values": {
        "phone": "555", "address.city": "Lviv", "x.cf_remark": "line\nline", "x.credit_limit": "12.10"}})
    assert done["status"] == "ok" and done["record"]["values"]["phone"] == "555"
    now = get(sim, "contact", made)
    assert [p["first_name"] for p in now["contact_persons"]] == ["Ada", "Bo"]
    first = now["contact_persons"][0]
    assert (first["phone"], first["designation"], first["skype"]) == ("555", "Buyer", "a \"q\"") and first["is_primary_contact"]
    assert first["contact_person_id"] == made["contact_persons"][0]["contact_person_id"]
    assert (now["billing_address"]["attention"], now["billing_address"]["city"]) == ("Ms Pay", "Lviv")
    assert now["notes"] == "kept" and now["custom_field_hash"] == {"cf_tieline_id": mark, "cf_remark": "line\nline"}
    assert now["credit_limit"] == 12.1
    books.push({"op": "update", "id": made["contact_id"], "values": {"phone": None, "address.city": None}})
    now = get(sim, "contact", made)
    assert now["phone"] == "" and now["billing_address"]["city"] == "" and now["email"] == "ada@keep.example"


@pytest.mark.parametrize("gone_status", [404, 400])
def test_an_update_of_nobody_and_of_nothing(sim, books, gone_status):
    sim.switch("finance", gone_status=gone_status)
    [gone, nothing, strange] = books.push({"op": "update", "id": "460000000000999998", "values": {"phone": "1"}},
                                          {"op": "update", "id": "460000000000999999", "values": {"currency": "EUR"}},
                                          {"op": "update", "id": "no-number", "values": {"phone": "1"}})
    assert (gone["status"], nothing["status"], strange["status"]) == ("not found", "ok", "not found")


@pytest.mark.parametrize("words", [0, 1, 2, 3])
@pytest.mark.parametrize("labels", [1, 0])
def test_refusals_are_told_by_words(sim, books, words, labels):
    sim.switch("finance", missing_words=words, error_labels=labels)
    made = customer(sim)
    update = lambda **values: {"op": "update", "id": made["contact_id"], "values": values}
    long, wrong, number, good_one = books.push(update(first_name="x" * 101), update(email="no address"),
                                               update(payment_terms="Net 15"), update(payment_terms="15"))
    assert {r["status"] for r in (long, wrong, number)} == {"invalid"} and good_one["status"] == "ok"
    assert long["error"]["reason"] == 6 and wrong["error"]["field"] == "email", (long, wrong)
    assert number["error"]["reason"] == 2 and number["error"]["field"] == "payment_terms", number
    assert good_one["record"]["values"]["payment_terms"] == "15"


# ---- bad days --------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("fault,status,wait", [("minute-limit", "throttled", 60000), ("concurrent-limit", "throttled", 2000),
                                               ("day-limit", "quota", 3600000), ("500", "temporary", 0),
                                               ("503-html", "temporary", 0)])
def test_limits_and_outages(sim, books, fault, status, wait):
    sim.fault(fault, twin="finance", times=100)
    answer = books.call("pull", kind="contact", mode="pass", cursor="", expect=status)
    assert answer["error"]["retry_after_ms"] == wait, answer["error"]
    sim.sim("DELETE", "/faults")
    books.pull("pass")


def test_the_time_to_wait_is_the_vendor_s_where_it_tells_one(sim, books):
    sim.switch("finance", limit_headers=1, per_minute=3, block_s=25)
    answer = books.call("pull", kind="contact", mode="pass", cursor="", expect="throttled")
    assert answer["error"]["retry_after_ms"] == 25000
    later(sim, "30s")


@pytest.mark.parametrize("code", [57, 14])
def test_an_expired_token_is_renewed(sim, books, code):
    sim.switch("finance", token_code=code)
    sim.fault("expire-token", twin="finance", times=1)
    assert books.pull("pass")[0]


def test_a_lost_answer_of_a_create_is_unknown_and_made_good(sim, books):
    values = {"first_name": "Lost", "last_name": "Answer", "email": "lost@answer.example"}
    record = {"op": "create", "stamp": STAMP + "l", "values": values}
    sim.fault("drop-after", twin="finance", times=1, method="PUT")
    [lost] = books.push(record)
    assert lost["status"] == "unknown"
    [again] = books.push(record)
    assert again["status"] == "ok" and again["created"] == 0
    assert sum(r["contact_name"] == "Lost Answer" for r in sim.dump("finance", "contacts")) == 1
