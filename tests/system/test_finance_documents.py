"""finance.so and the invoices and estimates of customers: listed, made, edited, mailed, converted, each once."""
import json

import pytest
from financelib import COUNT, FIRST, customer, estimate, get, good, invoice, lines, made_fresh, opened
from test_finance_connector import Connector

KEY = "inst.documents."


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


def key():
    return f"{KEY}{next(COUNT)}"


def listed(books, kind, about, limit=10, **more):
    """Every record of a list, page by page."""
    found, cursor = [], ""
    while True:
        answer = books.call("list", kind=kind, about=f"contact:{about['contact_id']}", limit=limit, cursor=cursor, **more)
        found += [i["record"] for i in answer["items"] if "record" in i]
        [end] = [i["checkpoint"] for i in answer["items"] if "checkpoint" in i]
        if end["complete"]:
            return found
        cursor = end["cursor"]


def act(books, kind, name, record=None, expect="ok", **more):
    """The result of an action; record: one of the vendor's."""
    more = {"stamp": key(), **more}
    number = {"id": record[kind + "_id"]} if record else {}
    [result] = books.items("result", "act", kind=kind, name=name, **number, **more)
    assert result["status"] == expect, result["error"]
    return result["record"] if expect == "ok" else result["error"]


def sent_calls(sim):
    return [c for c in sim.sim("GET", "/calls?twin=finance").json if c["method"] != "GET"]


def actions(books):
    return {(a["kind"], a["name"]): a for a in books.items("action", "discover")}


# ---- what there is ---------------------------------------------------------------------------------------------------

def test_rights_are_those_of_the_levels(sim, books):
    """Who may send may not therefore create, who may create not therefore send; a status needs create and update, and
    marking as sent needs send. proves: S4-24, S4-25, S4-26, S4-27"""
    told = {k: set(a["rights"]) for k, a in actions(books).items()}
    for kind in ("invoice", "estimate"):
        assert told[kind, "pdf"] == {"VIEW"} and told[kind, "send"] == {"SEND"}
        assert told[kind, "create"] == {"CREATE"} and told[kind, "edit"] == {"UPDATE"}
        assert told[kind, "mark_sent"] == {"CREATE", "UPDATE", "SEND"}
    assert told["invoice", "void"] == told["invoice", "draft"] == told["invoice", "convert"] == told["estimate", "answer"] == {
        "CREATE", "UPDATE"}


@pytest.mark.parametrize("switches", [{}, {"page_context_array": 1}, {"money_text": 1}, {"sort_order": 0}])
def test_lists(sim, books, switches):
    """proves: S4-02"""
    sim.switch("finance", **switches)
    of, other = customer(sim), customer(sim)
    made = [invoice(sim, of, rates=(n + 0.5,))["invoice_id"] for n in range(5)]
    invoice(sim, other)
    good(sim.finance("POST", f"/invoices/{made[1]}/status/sent"))
    one = estimate(sim, of)
    assert [r["id"] for r in listed(books, "invoice", of)] == made[::-1], "the latest first"
    assert {r["id"] for r in listed(books, "invoice", of, limit=2)} == set(made)
    assert [r["id"] for r in listed(books, "invoice", of, filter="sent")] == [made[1]]
    assert [r["id"] for r in listed(books, "estimate", of)] == [one["estimate_id"]]
    [row] = [r for r in listed(books, "invoice", of) if r["id"] == made[0]]
    assert row["values"]["total"] == "0.50" and row["values"]["balance"] == "0.50" and row["values"]["status"] == "draft"
    assert row["values"]["lines"][0]["name"] == "Line 0" and row["values"]["customer"] == of["contact_id"]
    assert listed(books, "estimate", other) == []
    books.call("list", kind="invoice", about="contact:460000000000999999", limit=5, expect="not found")


def test_get_and_find(sim, books):
    made = invoice(sim, rates=(12.345,), reference_number="T-4711", notes="thank you")
    [seen] = books.items("record", "get", kind="invoice", ids=[made["invoice_id"]])
    assert seen["values"]["notes"] == "thank you" and seen["values"]["lines"][0]["rate"] == "12.345"
    for path, value in (("number", made["invoice_number"]), ("reference", "T-4711")):
        found = books.items("record", "find", kind="invoice", queries=[{"path": path, "value": value}])
        assert [r["id"] for r in found] == [made["invoice_id"]]
    gone = books.items("record", "get", kind="estimate", ids=[made["invoice_id"]])
    assert [r["state"] for r in gone] == [2], "it is no estimate"


# ---- making ----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("kind", ["invoice", "estimate"])
def test_made_once(sim, books, kind):
    """proves: S4-02"""
    of, stamp = customer(sim), key()
    params = {"customer": of["contact_id"], "reference": "T-1", "notes": "a \"note\"\nof two lines",
              "lines": [{"name": "Work", "quantity": "2.5", "rate": "12.345"}, {"name": "Way", "quantity": "1", "rate": "0.10"}]}
    made = act(books, kind, "create", stamp=stamp, params=params)
    now = get(sim, kind, {kind + "_id": made["id"]})
    assert made["values"]["number"] == now[kind + "_number"] and made["values"]["status"] == "draft"
    assert made["values"]["total"] == "30.96" and [line["name"] for line in now["line_items"]] == ["Work", "Way"]
    assert now["reference_number"] == "T-1" and now["notes"] == params["notes"]
    assert act(books, kind, "create", stamp=stamp, params=params)["id"] == made["id"], "the same key makes no second one"
    assert [r["id"] for r in listed(books, kind, of)] == [made["id"]]


@pytest.mark.parametrize("kind", ["invoice", "estimate"])
def test_a_lost_answer_is_found_by_looking(sim, books, kind):
    of, stamp = customer(sim), key()
    params = {"customer": of["contact_id"], "lines": [{"name": "Work", "rate": "1"}]}
    ask = {"kind": kind, "name": "create", "stamp": stamp, "params": params}
    assert books.call("act", expect=None, look=True, **ask)["status"] == "not found"
    sim.fault("drop-after", twin="finance", times=1, method="PUT")
    assert act(books, kind, "create", stamp=stamp, params=params, expect="unknown")
    before = len(sent_calls(sim))
    found = act(books, kind, "create", stamp=stamp, params=params, look=True)
    assert [r["id"] for r in listed(books, kind, of)] == [found["id"]] and found["values"]["lines"][0]["name"] == "Work"
    assert len(sent_calls(sim)) == before, "nothing is sent to look"


def test_the_same_with_zoho_invoice(sim, tmp_path):
    """There a body is a form, and the organisation stands in a header as well. proves: S4-13"""
    of = customer(sim)
    sim.switch("finance", invoice_json=0)
    sim.sim("PATCH", f"/finance/records/organizations/{FIRST}", {"product": "invoice"})
    c = Connector(sim, tmp_path, product="invoice")
    c.call("discover")
    made = act(c, "estimate", "create", params={"customer": of["contact_id"], "notes": "50 % & more", "lines": [
        {"name": "Work", "rate": "1"}]})
    assert made["values"]["notes"] == "50 % & more"
    act(c, "estimate", "mark_sent", {"estimate_id": made["id"]})
    act(c, "estimate", "send", {"estimate_id": made["id"]}, params={"to": ["a@mail.example"]})
    converted = act(c, "invoice", "convert", params={"x.estimate": made["id"]})
    assert [r["id"] for r in listed(c, "invoice", of)] == [converted["id"]]
    c.close()


def test_only_shown(sim, books):
    before = len(sent_calls(sim))
    answer = books.call("act", expect=None, kind="invoice", name="create", stamp=key(), dry_run=True, params={
        "customer": customer(sim)["contact_id"], "lines": [{"name": "Shown", "rate": "1"}]})
    assert "Shown" in json.dumps(answer) and len(sent_calls(sim)) == before + 1, "the customer of this test alone"


def test_refused_with_the_vendor_s_words(sim, books):
    error = act(books, "invoice", "create", expect="invalid", params={
        "customer": "460000000000999999", "lines": [{"name": "Work", "rate": "1"}]})
    assert error["field"] == "customer_id" and "Invalid value" in error["text"]


# ---- editing ---------------------------------------------------------------------------------------------------------

def with_lines(sim, kind):
    of = customer(sim)
    tax = good(sim.finance("GET", "/settings/taxes"))["taxes"][0]["tax_id"]
    rows = [{**line, "tax_id": tax, "unit": "h", "discount": "10%", "description": "of " + line["name"]}
            for line in lines(10, 20, 30)]
    body = {"customer_id": of["contact_id"], "line_items": rows, "terms": "kept"}
    return good(sim.finance("POST", f"/{kind}s", body), 201)[kind]


def shape(document):
    return [{k: line[k] for k in ("line_item_id", "name", "rate", "unit", "discount", "tax_id", "description")}
            for line in document["line_items"]]


@pytest.mark.parametrize("put_needs_all", [1, 0])
@pytest.mark.parametrize("kind", ["invoice", "estimate"])
def test_an_edit_loses_no_line(sim, books, kind, put_needs_all):
    """proves: S4-02"""
    sim.switch("finance", put_needs_all=put_needs_all)
    made = with_lines(sim, kind)
    edited = act(books, kind, "edit", made, params={"notes": "new"})
    now = get(sim, kind, made)
    assert shape(now) == shape(made) and now["notes"] == "new" and now["terms"] == "kept" and now["total"] == made["total"]
    assert edited["values"]["notes"] == "new"
    ids = [line["line_item_id"] for line in made["line_items"]]
    act(books, kind, "edit", made, params={"lines": [{"id": ids[0]}, {"id": ids[1], "rate": "21.50"}, {"id": ids[2]},
                                                     {"name": "More", "rate": "5", "quantity": "1"}]})
    now = get(sim, kind, made)
    assert [line["name"] for line in now["line_items"]] == ["Line 0", "Line 1", "Line 2", "More"]
    assert now["line_items"][1]["rate"] == 21.5
    assert shape(now)[0] == shape(made)[0] and {**shape(now)[1], "rate": 20} == shape(made)[1] and shape(now)[2] == shape(made)[2]


def test_an_edit_of_what_has_changed_meanwhile_is_refused(sim, books):
    made = with_lines(sim, "invoice")
    before = get(sim, "invoice", made)
    error = act(books, "invoice", "edit", made, expect="conflict", params={"lines": [{"id": "460000000000999999", "rate": "1"}]})
    assert "meanwhile" in error["text"] and get(sim, "invoice", made) == before


# ---- status, mail, PDF -----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("repeat_refused", [1, 0])
def test_status(sim, books, repeat_refused):
    """proves: S4-03"""
    sim.switch("finance", repeat_refused=repeat_refused)
    one = invoice(sim)
    look = lambda name, of, kind="invoice", **more: books.call(
        "act", expect=None, kind=kind, name=name, id=of[kind + "_id"], stamp=key(), look=True, **more)["status"]
    for name, status in (("mark_sent", "sent"), ("void", "void"), ("draft", "draft")):
        assert look(name, one) == ("ok" if name == "draft" and get(sim, "invoice", one)["status"] == "draft" else "not found")
        assert act(books, "invoice", name, one)["values"]["status"] == status
        assert act(books, "invoice", name, one)["values"]["status"] == status, "a second time it has it already"
        assert look(name, one) == "ok"
    offer = estimate(sim)
    act(books, "estimate", "mark_sent", offer)
    assert look("answer", offer, "estimate", params={"x.answer": "accepted"}) == "not found"
    assert act(books, "estimate", "answer", offer, params={"x.answer": "accepted"})["values"]["status"] == "accepted"
    assert look("answer", offer, "estimate", params={"x.answer": "accepted"}) == "ok"
    other = estimate(sim)
    assert "status" in act(books, "estimate", "answer", other, expect="invalid", params={"x.answer": "declined"})["text"]
    act(books, "estimate", "mark_sent", other)
    assert act(books, "estimate", "answer", other, params={"x.answer": "declined"})["values"]["status"] == "declined"


def test_converted(sim, books):
    """proves: S4-03"""
    offer = with_lines(sim, "estimate")
    act(books, "estimate", "mark_sent", offer)
    made = act(books, "invoice", "convert", params={"x.estimate": offer["estimate_id"]})
    now = get(sim, "invoice", {"invoice_id": made["id"]})
    assert [{**line, "line_item_id": ""} for line in shape(now)] == [{**line, "line_item_id": ""} for line in shape(offer)]
    assert now["total"] == offer["total"] and now["terms"] == "kept" and now["reference_number"] == offer["estimate_number"]
    assert get(sim, "estimate", offer)["status"] == "invoiced"


@pytest.mark.parametrize("kind", ["invoice", "estimate"])
@pytest.mark.parametrize("mail_marks_sent", [1, 0])
def test_sent_with_a_copy(sim, books, kind, mail_marks_sent):
    """proves: S4-25"""
    sim.switch("finance", mail_marks_sent=mail_marks_sent)
    made = invoice(sim) if kind == "invoice" else estimate(sim)
    done = act(books, kind, "send", made, params={"to": ["a@mail.example", "b@mail.example"], "cc": ["c@mail.example"],
                                                  "subject": "Yours", "body": "Hello"})
    [mail] = sim.sim("GET", "/finance/outbox").json
    assert mail["to"] == ["a@mail.example", "b@mail.example"] and mail["cc"] == ["c@mail.example"] and mail["attachment"]
    assert (mail["subject"], mail["body"]) == ("Yours", "Hello") and mail["file_name"] == made[kind + "_number"] + ".pdf"
    assert done["values"]["status"] == ("sent" if mail_marks_sent else "draft")


@pytest.mark.parametrize("kind", ["invoice", "estimate"])
def test_pdf(sim, books, kind):
    made = invoice(sim) if kind == "invoice" else estimate(sim)
    before = len(sent_calls(sim))
    answer = books.call("act", kind=kind, name="pdf", id=made[kind + "_id"], params={})
    assert made[kind + "_number"] + ".pdf" in json.dumps(answer) and len(sent_calls(sim)) == before
    sim.fault("500", twin="finance", times=5)
    assert act(books, kind, "pdf", made, expect="temporary")
