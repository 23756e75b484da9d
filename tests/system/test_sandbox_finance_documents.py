"""The twin of Zoho Books and Zoho Invoice: amounts, invoices, estimates, their mail and their files."""
import re

import pytest
from financelib import (COUNT, FIRST, act, customer, estimate, get, good, invoice, lines, listed, made_fresh, opened,
                        refused, tax, verb)
from sandboxlib import Sandbox


@pytest.fixture(scope="module")
def box():
    with opened() as s:
        yield s


@pytest.fixture(autouse=True)
def fresh(box):
    made_fresh(box)
    yield
    assert box.sim("GET", "/violations").json["count"] == 0


# ---- money -----------------------------------------------------------------------------------------------------------

def raw_amount(answer, name):
    return re.search(rf'"{name}":("?[-0-9.]+"?)'.encode(), answer.body)[1].decode()


def test_amounts_are_exact_to_the_last_digit(box):
    of = customer(box)["contact_id"]
    body = {"customer_id": of, "line_items": [{"name": "x", "rate": "1.005", "quantity": "100"},
                                              {"name": "y", "rate": 19.99, "quantity": 12345678}]}
    answer = box.finance("POST", "/invoices", body)
    assert raw_amount(answer, "total") == "246790203.72"
    many = box.finance("POST", "/invoices", {"customer_id": of, "line_items": lines(*["0.1"] * 30)})
    assert raw_amount(many, "total") == "3.00"
    box.switch("finance", money_text=1)
    same = box.finance("GET", "/invoices/" + answer.json["invoice"]["invoice_id"])
    taxed = {"customer_id": of, "line_items": lines(100, tax_id=tax(box))}
    assert raw_amount(box.finance("POST", "/invoices", taxed), "tax_amount") == '"19.00"'
    assert raw_amount(same, "total") == '"246790203.72"' and raw_amount(same, "rate") == '"1.005"'


@pytest.mark.parametrize("bad", ["1,5", "1e3", "ten", "0.1234567", "99999999999999", "-"])
def test_rates_that_are_no_amounts(box, bad):
    body = {"customer_id": customer(box)["contact_id"], "line_items": [{"name": "x", "rate": bad}]}
    refused(box.finance("POST", "/invoices", body), 400, 2, "Rate")


def totals(box, body, *names):
    made = good(box.finance("POST", "/estimates", {"customer_id": customer(box)["contact_id"], **body}), 201)["estimate"]
    return [made[n] for n in names]


def test_discounts_and_taxes(box):
    nineteen, odd = tax(box), tax(box, "Odd")
    taxed = lines("99.99", tax_id=nineteen)
    names = ("sub_total", "discount_total", "tax_total", "total")
    assert totals(box, {"line_items": taxed}, *names) == [99.99, 0, 19.0, 118.99]
    assert totals(box, {"line_items": taxed, "discount": "10%"}, *names) == [99.99, 10.0, 17.1, 107.09]
    assert totals(box, {"line_items": taxed, "discount": 9.99}, *names) == [99.99, 9.99, 17.1, 107.1]
    assert totals(box, {"line_items": taxed, "discount": 9.99, "is_discount_before_tax": False}, *names) == [
        99.99, 9.99, 19.0, 109.0]
    assert totals(box, {"line_items": taxed, "is_inclusive_tax": True}, *names) == [84.03, 0, 15.96, 99.99]
    own = {"discount_type": "item_level", "line_items": [{**taxed[0], "discount": "50%"}, *lines(1, discount=0.25)]}
    assert totals(box, own, *names) == [50.74, 0, 9.5, 60.24]
    extra = {"line_items": lines(100), "shipping_charge": 5.5, "adjustment": "-0.01"}
    assert totals(box, extra, *names) == [100, 0, 0, 105.49]
    three = {"line_items": lines("0.10", "0.10", "0.10", tax_id=odd)}
    assert totals(box, three, *names) == [0.3, 0, 0.03, 0.33]
    box.switch("finance", tax_per_line=1)
    assert totals(box, {"line_items": lines("0.06", "0.06", "0.06", tax_id=odd)}, *names) == [0.18, 0, 0.03, 0.21]
    box.switch("finance", tax_per_line=0)
    assert totals(box, {"line_items": lines("0.06", "0.06", "0.06", tax_id=odd)}, *names) == [0.18, 0, 0.02, 0.2]


def test_the_organisation_s_precision_rounds(box):
    box.sim("PATCH", f"/finance/records/organizations/{FIRST}", {"price_precision": "3"})
    body = {"customer_id": customer(box)["contact_id"], "line_items": lines("0.3335")}
    assert raw_amount(box.finance("POST", "/invoices", body), "total") == "0.334"
    box.sim("PATCH", f"/finance/records/organizations/{FIRST}", {"price_precision": "0"})
    assert raw_amount(box.finance("POST", "/invoices", body), "total") == "0"


def test_a_discount_of_more_than_the_whole_is_refused(box):
    for bad in ("101%", "150", "-1"):
        body = {"customer_id": customer(box)["contact_id"], "line_items": lines(100), "discount": bad}
        refused(box.finance("POST", "/invoices", body), 400, 2)


# ---- invoices --------------------------------------------------------------------------------------------------------

def test_an_invoice_as_it_is_shown(box):
    of = customer(box)
    made = invoice(box, of, rates=(10, "2.5"), reference_number="T-77", payment_terms=14)
    assert re.fullmatch(r"INV-\d{6}", made["invoice_number"]) and made["status"] == "draft"
    assert (made["date"], made["due_date"], made["due_days"]) == ("2026-01-31", "2026-02-14", "Due in 14 day(s)")
    assert made["customer_name"] == of["contact_name"] and made["balance"] == made["total"] == 12.5
    assert [(l["name"], l["item_order"], l["item_total"]) for l in made["line_items"]] == [("Line 0", 1, 10), ("Line 1", 2, 2.5)]
    assert get(box, "invoice", made) == made and "state" not in made
    row = next(r for r in good(box.finance("GET", "/invoices"))["invoices"] if r["invoice_id"] == made["invoice_id"])
    assert "line_items" not in row and row["reference_number"] == "T-77"


@pytest.mark.parametrize("change,code", [
    ({"customer_id": None}, 2), ({"customer_id": "1"}, 2), ({"line_items": None}, 2), ({"line_items": []}, 5),
    ({"line_items": [{"rate": 1}]}, 5), ({"line_items": [{"name": "x"}]}, 5), ({"line_items": ["x"]}, 2),
    ({"line_items": [{"name": "x", "rate": 1, "item_id": "5"}]}, 2),
    ({"line_items": [{"name": "x", "rate": 1, "tax_id": "5"}]}, 2),
    ({"line_items": [{"name": "x", "rate": 1, "colour": "red"}]}, 2), ({"rate": 5}, 2), ({"total": 5}, 2),
    ({"payment_terms": "Net 15"}, 2), ({"payment_terms": -1}, 2), ({"date": "31.01.2026"}, 2),
    ({"due_date": "2025-01-01"}, 2), ({"contact_persons": ["5"]}, 2), ({"reference_number": "x" * 101}, 15),
    ({"invoiced_estimate_id": "5"}, 2), ({"invoice_number": "MINE"}, 2), ({"discount_type": "none"}, 2)])
def test_invoices_the_vendor_refuses(box, change, code):
    body = {"customer_id": customer(box)["contact_id"], "line_items": lines(1), **change}
    before = len(box.dump("finance", "invoices"))
    refused(box.finance("POST", "/invoices", body), 400, code)
    assert len(box.dump("finance", "invoices")) == before


@pytest.mark.parametrize("absent", ["customer_id", "line_items"])
def test_what_an_invoice_needs(box, absent):
    body = {"customer_id": customer(box)["contact_id"], "line_items": lines(1)}
    del body[absent]
    refused(box.finance("POST", "/invoices", body), 400, 5)
    made = invoice(box)
    refused(box.finance("PUT", "/invoices/" + made["invoice_id"], body), 400, 5)
    box.switch("finance", put_needs_all=0)
    good(box.finance("PUT", "/invoices/" + made["invoice_id"], body))


def test_numbers(box):
    of = customer(box)
    first = int(invoice(box, of)["invoice_number"][4:])
    refused(box.finance("POST", "/invoices", {"customer_id": of["contact_id"], "line_items": []}), 400, 5)
    assert int(invoice(box, of)["invoice_number"][4:]) == first + 1  # what is refused uses up none
    own = "?ignore_auto_number_generation=true"
    number = f"OWN-{next(COUNT)}"
    body = {"customer_id": of["contact_id"], "line_items": lines(1), "invoice_number": number}
    assert good(box.finance("POST", "/invoices" + own, body), 201)["invoice"]["invoice_number"] == number
    refused(box.finance("POST", "/invoices" + own, body), 400, 1001, "already exists")
    del body["invoice_number"]
    refused(box.finance("POST", "/invoices" + own, body), 400, 5, "Invoice Number")
    assert int(invoice(box, of)["invoice_number"][4:]) == first + 2


def test_an_update_replaces_the_lines_wholly(box):
    made = invoice(box, rates=(1, 2, 3), notes="kept")
    one, two, three = made["line_items"]
    body = {"customer_id": made["customer_id"], "line_items": [
        {"line_item_id": two["line_item_id"], "quantity": 5}, {"name": "new", "rate": 7}]}
    after = good(box.finance("PUT", "/invoices/" + made["invoice_id"], body))["invoice"]
    assert [(l["name"], l["rate"], l["quantity"]) for l in after["line_items"]] == [("Line 1", 2, 5), ("new", 7, 1)]
    assert after["line_items"][0]["line_item_id"] == two["line_item_id"]
    assert after["total"] == 17 and after["notes"] == "kept"
    body["line_items"] = [{"line_item_id": one["line_item_id"]}]  # gone with the last update
    refused(box.finance("PUT", "/invoices/" + made["invoice_id"], body), 400, 2, "Line Item Id")
    assert get(box, "invoice", made)["line_items"] == after["line_items"]
    assert three["line_item_id"] not in {l["line_item_id"] for l in after["line_items"]}


def test_lines_from_items(box):
    item = good(box.finance("GET", "/items?name=Support%20hour"))["items"][0]
    made = invoice(box, line_items=[{"item_id": item["item_id"], "quantity": 2}, {"item_id": item["item_id"], "rate": 1}])
    assert [(l["name"], l["rate"], l["item_total"]) for l in made["line_items"]] == [
        ("Support hour", 95.5, 191), ("Support hour", 1, 1)]
    box.switch("finance", adhoc_lines=0)
    body = {"customer_id": made["customer_id"], "line_items": lines(1)}
    refused(box.finance("POST", "/invoices", body), 400, 5, "Item Id")


def test_items(box):
    refused(box.finance("POST", "/items", {"name": "x"}), 400, 5, "Rate")
    made = good(box.finance("POST", "/items", {"name": f"I {next(COUNT)}", "rate": "12.345678", "tax_id": tax(box)}), 201)
    assert made["item"]["rate"] == 12.345678 and made["item"]["tax_percentage"] == 19
    assert get(box, "item", made["item"]) == made["item"]
    path = "/items/" + made["item"]["item_id"]
    assert good(box.finance("PUT", path, {"rate": "0.5", "tax_id": ""}))["item"]["tax_name"] == ""
    refused(box.finance("PUT", path, {"tax_id": "5"}), 400, 2, "Tax Id")
    assert listed(box, "rate_greater_than=1000", "item") and listed(box, "filter_by=Status.Inactive", "item") == []


def test_the_states_of_an_invoice(box):
    made = invoice(box)
    refused(act(box, "invoice", made, "status/draft"), 400, 3008)
    assert good(act(box, "invoice", made, "status/sent"))["message"] == "Invoice status has been changed to Sent."
    refused(act(box, "invoice", made, "status/sent"), 400, 3008)
    box.switch("finance", repeat_refused=0)
    good(act(box, "invoice", made, "status/sent"))
    refused(act(box, "invoice", made, "status/draft"), 400, 4823)
    assert verb(box, "invoice", made, "view").json["status"] == "viewed"
    good(act(box, "invoice", made, "status/void"))
    body = {"customer_id": made["customer_id"], "line_items": lines(1)}
    refused(box.finance("PUT", "/invoices/" + made["invoice_id"], body), 400, 4823)
    refused(act(box, "invoice", made, "status/sent"), 400, 4823)
    refused(act(box, "invoice", made, "email"), 400, 4823)
    good(act(box, "invoice", made, "status/draft"))
    assert get(box, "invoice", made)["status"] == "draft"
    refused(box.finance("POST", "/invoices/5/status/sent"), 404, 1002, "Invoice does not exist.")


def test_payments_credits_and_what_a_customer_owes(box):
    of = customer(box)
    def owes():
        c = get(box, "contact", of)
        return c["outstanding_receivable_amount"], c["unused_credits_receivable_amount"]
    a, b = invoice(box, of, rates=("100.10",)), invoice(box, of, rates=("50.05",))
    assert owes() == (0, 0)  # drafts are not owed
    assert verb(box, "invoice", a, "pay", amount="1").status == 409
    for one in (a, b):
        good(act(box, "invoice", one, "status/sent"))
    assert owes() == (150.15, 0)
    assert verb(box, "invoice", a, "pay", amount="40.05").json["status"] == "partially_paid"
    assert owes() == (110.1, 0)
    paid = verb(box, "invoice", a, "pay", amount="70").json
    assert (paid["status"], paid["balance"], paid["payment_made"]) == ("paid", 0, 100.1)
    assert owes() == (50.05, 9.95)
    assert verb(box, "invoice", b, "apply", amount="10").status == 409
    assert verb(box, "invoice", b, "apply", amount="9.95").json["credits_applied"] == 9.95
    assert verb(box, "contact", of, "credit", amount="5").status == 200
    assert owes() == (40.1, 5)
    refused(box.finance("DELETE", "/invoices/" + a["invoice_id"]), 400, 4823)
    body = {"customer_id": of["contact_id"], "line_items": lines(1)}
    refused(box.finance("PUT", "/invoices/" + a["invoice_id"], body), 400, 4823)  # less than was paid
    good(act(box, "invoice", a, "status/void"))  # its payments become the customer's credit
    assert owes() == (40.1, 105.1)
    assert get(box, "contact", of)["has_transaction"] is True


def test_what_is_open_is_written_off(box):
    of = customer(box)
    made = invoice(box, of, rates=("80.40",))
    refused(act(box, "invoice", made, "writeoff"), 400, 4823)
    good(act(box, "invoice", made, "status/sent"))
    refused(act(box, "invoice", made, "writeoff/cancel"), 400, 4823)
    verb(box, "invoice", made, "pay", amount="30.40")
    good(act(box, "invoice", made, "writeoff"))
    after = get(box, "invoice", made)
    assert (after["status"], after["balance"], after["write_off_amount"]) == ("paid", 0, 50)
    assert get(box, "contact", of)["outstanding_receivable_amount"] == 0
    refused(act(box, "invoice", made, "writeoff"), 400, 4823)
    good(act(box, "invoice", made, "writeoff/cancel"))
    assert get(box, "contact", of)["outstanding_receivable_amount"] == 50


def test_overdue_follows_from_the_day():
    with Sandbox(("--plan", "empty", "--frozen", "--now", "2026-01-31T20:00:00Z")) as s:
        made = invoice(s, payment_terms=3)
        good(act(s, "invoice", made, "status/sent"))
        s.sim("POST", "/clock", {"set": "2026-02-04T07:59:59Z"})  # the organisation's day ends at 08:00 UTC
        s.finance_token = ""
        assert get(s, "invoice", made)["status"] == "sent" and get(s, "invoice", made)["due_days"] == "Due Today"
        s.sim("POST", "/clock", {"advance": "1s"})
        assert get(s, "invoice", made)["status"] == "overdue"
        assert listed(s, "status=overdue", "invoice") == [made["invoice_id"]] == listed(s, "status=unpaid", "invoice")
        assert listed(s, "filter_by=Status.PartiallyPaid", "invoice") == []
        refused(s.finance("GET", "/invoices?status=lost"), 400, 2)


# ---- estimates -------------------------------------------------------------------------------------------------------

def test_the_states_of_an_estimate(box):
    made = estimate(box)
    assert made["status"] == "draft" and re.fullmatch(r"EST-\d{6}", made["estimate_number"])
    for wrong in ("accepted", "declined"):
        refused(act(box, "estimate", made, "status/" + wrong), 400, 4823)
    good(act(box, "estimate", made, "status/sent"))
    refused(act(box, "estimate", made, "status/sent"), 400, 3008)
    assert good(act(box, "estimate", made, "status/accepted"))["message"] == "Estimate status has been changed to Accepted."
    assert get(box, "estimate", made)["accepted_date"] == "2026-01-31"
    refused(act(box, "estimate", made, "status/declined"), 400, 4823)
    other = estimate(box)
    good(act(box, "estimate", other, "status/sent"))
    good(act(box, "estimate", other, "status/declined"))
    assert listed(box, "status=declined", "estimate") == [other["estimate_id"]] == listed(
        box, "filter_by=Status.Declined", "estimate")


def test_an_estimate_expires(box):
    made = estimate(box, date="2026-01-01", expiry_date="2026-01-30")
    assert made["status"] == "draft"
    good(act(box, "estimate", made, "status/sent"))
    assert get(box, "estimate", made)["status"] == "expired"
    refused(box.finance("POST", "/estimates", {"customer_id": made["customer_id"], "line_items": lines(1),
                                               "expiry_date": "2020-01-01"}), 400, 2, "Expiry Date")


def test_an_estimate_becomes_an_invoice(box):
    made = estimate(box, rates=("10.10", 5), discount="10%")
    path = "/invoices/fromestimates?estimate_ids=" + made["estimate_id"]
    refused(box.finance("POST", path), 400, 4823)
    good(act(box, "estimate", made, "status/sent"))
    before = set(listed(box, "", "invoice"))
    answer = good(box.finance("POST", path))
    assert set(answer) == {"code", "message"}
    (new,) = set(listed(box, "", "invoice")) - before
    made_of = good(box.finance("GET", "/invoices/" + new))["invoice"]
    assert made_of["total"] == made["total"] == 13.59 and made_of["invoiced_estimate_id"] == made["estimate_id"]
    assert get(box, "estimate", made)["status"] == "invoiced"
    refused(box.finance("POST", path), 400, 4823)
    body = {"customer_id": made["customer_id"], "line_items": lines(1)}
    refused(box.finance("PUT", "/estimates/" + made["estimate_id"], body), 400, 4823)
    refused(box.finance("DELETE", "/estimates/" + made["estimate_id"]), 400, 4823)


def test_an_invoice_may_name_its_estimate(box):
    made = estimate(box)
    body = {"customer_id": made["customer_id"], "line_items": lines(1), "invoiced_estimate_id": made["estimate_id"]}
    refused(box.finance("POST", "/invoices", body), 400, 4823)
    good(act(box, "estimate", made, "status/sent"))
    good(box.finance("POST", "/invoices", body), 201)
    assert get(box, "estimate", made)["status"] == "invoiced"
    refused(box.finance("POST", "/invoices", body), 400, 4823)


def test_estimates_are_edited_and_deleted(box):
    made = estimate(box, rates=(1, 2))
    body = {"customer_id": made["customer_id"], "line_items": [{"line_item_id": made["line_items"][1]["line_item_id"]}]}
    after = good(box.finance("PUT", "/estimates/" + made["estimate_id"], body))["estimate"]
    assert [l["rate"] for l in after["line_items"]] == [2]
    good(box.finance("DELETE", "/estimates/" + made["estimate_id"]))
    refused(box.finance("GET", "/estimates/" + made["estimate_id"]), 404, 1002, "Estimate does not exist.")


# ---- mail and files --------------------------------------------------------------------------------------------------

def outbox(box):
    return box.sim("GET", "/finance/outbox").json


def test_mail_is_kept_with_its_attachment(box):
    made = invoice(box)
    body = {"to_mail_ids": ["a@x.example", "b@x.example"], "cc_mail_ids": ["c@x.example"], "subject": "Your \"bill\"",
            "body": "x\ny"}
    assert good(act(box, "invoice", made, "email?send_attachment=true", body))["message"] == "Your invoice has been sent."
    (mail,) = outbox(box)
    assert (mail["to"], mail["cc"], mail["subject"], mail["body"]) == (
        ["a@x.example", "b@x.example"], ["c@x.example"], 'Your "bill"', "x\ny")
    assert mail["attachment"] and mail["file_name"] == made["invoice_number"] + ".pdf"
    assert str(mail["document_id"]) == made["invoice_id"]
    after = get(box, "invoice", made)
    assert after["is_emailed"] is True and after["status"] == "sent"
    box.switch("finance", mail_marks_sent=0)
    offer = estimate(box)
    assert good(act(box, "estimate", offer, "email", body))["message"] == "Your estimate has been sent."
    assert get(box, "estimate", offer)["status"] == "draft"
    assert [m["attachment"] for m in outbox(box)] == [True, False]


def test_mail_without_a_body_goes_to_the_default_persons(box):
    of = customer(box, contact_persons=[{"first_name": "A", "email": "a@x.example"}, {"first_name": "B", "email": "b@x.example"}])
    second = of["contact_persons"][1]["contact_person_id"]
    good(act(box, "invoice", invoice(box, of), "email"))
    good(act(box, "invoice", invoice(box, of, contact_persons=[second]), "email"))
    assert [m["to"] for m in outbox(box)] == [["a@x.example"], ["b@x.example"]]
    good(box.finance("POST", "/invoices?send=true", {"customer_id": of["contact_id"], "line_items": lines(1)}), 201)
    assert len(outbox(box)) == 3
    refused(act(box, "invoice", invoice(box, customer(box, email=None)), "email"), 400, 2, "email address")


@pytest.mark.parametrize("body,code", [
    ({"subject": "x"}, 5), ({"to_mail_ids": []}, 5), ({"to_mail_ids": ["nobody"]}, 2), ({"to_mail_ids": "a@x.example"}, 2),
    ({"to_mail_ids": ["a@x.example"], "cc_mail_ids": ["@"]}, 2), ({"to_mail_ids": ["a@x.example"], "subject": "x" * 1001}, 15),
    ({"to_mail_ids": ["a@x.example"], "body": "x" * 5001}, 15)])
def test_mail_the_vendor_refuses(box, body, code):
    made = invoice(box)
    refused(act(box, "invoice", made, "email", body), 400, code)
    assert outbox(box) == [] and get(box, "invoice", made)["is_emailed"] is False


def test_the_text_proposed(box):
    bill, offer = invoice(box), estimate(box)
    data = good(box.finance("GET", f"/invoices/{bill['invoice_id']}/email"))["data"]
    assert bill["invoice_number"] in data["subject"] and data["file_name"] == bill["invoice_number"] + ".pdf"
    assert [(p["email"], p["selected"]) for p in data["to_contacts"]] == [("pay@customer.example", True)]
    answer = good(box.finance("GET", f"/estimates/{offer['estimate_id']}/email"))
    assert "data" not in answer and offer["estimate_number"] in answer["subject"]


def test_mail_of_many(box):
    of = customer(box)
    some = [invoice(box, of)["invoice_id"] for _ in range(11)]
    good(box.finance("POST", "/invoices/email?invoice_ids=" + ",".join(some[:10])))
    assert len(outbox(box)) == 10
    refused(box.finance("POST", "/invoices/email?invoice_ids=" + ",".join(some)), 400, 2)
    refused(box.finance("POST", "/invoices/email"), 400, 2, "Invoice Ids")


def pdf_objects(body):
    """The offsets of the cross-reference table, each checked against the object it points at."""
    assert body.startswith(b"%PDF-1.4") and body.endswith(b"%%EOF\n")
    table = int(re.search(rb"startxref\n(\d+)\n%%EOF\n$", body)[1])
    entries = re.findall(rb"(\d{10}) 00000 n ", body[table:])
    for number, at in enumerate(map(int, entries), 1):
        assert body[at:].startswith(b"%d 0 obj" % number)
    for length, text in re.findall(rb"/Length (\d+)>>\nstream\n(.*?)\nendstream", body, re.S):
        assert int(length) == len(text)
    return len(entries)


@pytest.mark.parametrize("kind", ["invoice", "estimate"])
def test_pdf(box, kind):
    made = (invoice if kind == "invoice" else estimate)(box, line_items=[{"name": "Über (x)", "rate": "12.50"}])
    path = f"/{kind}s/{made[kind + '_id']}"
    answer = box.finance("GET", path + "?accept=pdf")
    assert answer.status == 200 and answer.headers["Content-Type"] == "application/pdf"
    assert made[kind + "_number"].encode() in answer.body and b"12.50" in answer.body and pdf_objects(answer.body) == 5
    assert box.finance("GET", path + "?accept=html").headers["Content-Type"].startswith("text/html")
    header = {"Accept": "application/pdf"}
    assert box.finance("GET", path, headers=header).headers["Content-Type"].startswith("application/json")
    box.switch("finance", accept_header=1)
    assert box.finance("GET", path, headers=header).body.startswith(b"%PDF")
    refused(box.finance("GET", path + "?accept=doc"), 400, 2)
    refused(box.finance("GET", f"/{kind}s/5?accept=pdf"), 404, 1002)
    both = ",".join([made[kind + "_id"]] * 2)
    assert pdf_objects(box.finance("GET", f"/{kind}s/pdf?{kind}_ids={both}").body) == 7
    refused(box.finance("GET", f"/{kind}s/pdf?{kind}_ids=" + ",".join([made[kind + "_id"]] * 26)), 400, 2)
