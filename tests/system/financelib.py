"""Calls of the finance twin and what they must answer, for the files that test it."""
import re

from sandboxlib import Sandbox

FIRST, STAFF, INACTIVE = "60020000101", "60020000202", "60020000303"
COUNT = iter(range(1, 100000))


def opened():
    return Sandbox(("--contacts", 60, "--accounts", 20, "--frozen", "--now", "2026-01-31T20:00:00Z"))


def made_fresh(box):
    """Faults gone, switches and organisations as at the start, limits out of the way."""
    box.reset()
    box.switch("finance", per_minute=1000000, per_day=1000000, concurrency=1000)
    box.switch("accounts", issue_max=60, refresh_max=1000)
    box.sim("DELETE", "/finance/outbox")
    for org, fields in {FIRST: {"product": "books", "plan_name": "PROFESSIONAL", "user_role": "admin",
                                "price_precision": "2"}, STAFF: {"user_role": "staff"}}.items():
        assert box.sim("PATCH", f"/finance/records/organizations/{org}", fields).status == 200


def refused(answer, status, code, text=None):
    assert (answer.status, answer.json["code"]) == (status, code), answer.body
    if text:
        assert text in answer.json["message"], answer.body
    return answer.json["message"]


def good(answer, status=200):
    assert answer.status == status and answer.json["code"] == 0, answer.body
    return answer.json


def customer(box, email="pay@customer.example", **fields):
    body = {"contact_name": f"Customer {next(COUNT)}", **fields}
    if email and "contact_persons" not in body:
        body["contact_persons"] = [{"first_name": "Ada", "last_name": "Pay", "email": email}]
    return good(box.finance("POST", "/contacts", body), 201)["contact"]


def tax(box, name="Standard"):
    return next(t["tax_id"] for t in good(box.finance("GET", "/settings/taxes"))["taxes"] if t["tax_name"] == name)


def lines(*rates, **more):
    return [{"name": f"Line {i}", "rate": r, "quantity": 1, **more} for i, r in enumerate(rates)]


def invoice(box, of=None, rates=(100,), query="", **fields):
    body = {"customer_id": (of or customer(box))["contact_id"], "line_items": lines(*rates), **fields}
    return good(box.finance("POST", "/invoices" + query, body), 201)["invoice"]


def estimate(box, of=None, rates=(100,), **fields):
    body = {"customer_id": (of or customer(box))["contact_id"], "line_items": lines(*rates), **fields}
    return good(box.finance("POST", "/estimates", body), 201)["estimate"]


def get(box, kind, record):
    return good(box.finance("GET", f"/{kind}s/{record[kind + '_id']}"))[kind]


def act(box, kind, record, path, body=None):
    return box.finance("POST", f"/{kind}s/{record[kind + '_id']}/{path}", body)


def verb(box, kind, record, name, **fields):
    return box.sim("POST", f"/finance/records/{kind}s/{record[kind + '_id']}/{name}", fields)


def listed(box, query, kind="contact"):
    return [r[kind + "_id"] for r in good(box.finance("GET", f"/{kind}s?{query}"))[kind + "s"]]


def stamp(value, name="cf_tieline_id"):
    return {"custom_fields": [{"api_name": name, "value": value}]}
