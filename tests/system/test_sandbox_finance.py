"""The twin of Zoho Books and Zoho Invoice: who may call, organisations, contacts, lists, limits and faults."""
import json
import re
import socket
import urllib.parse

import pytest
from financelib import (COUNT, FIRST, INACTIVE, STAFF, act, customer, estimate, get, good, invoice, lines, listed,
                        made_fresh, opened, refused, stamp)
from sandboxlib import Sandbox

HEADER = "X-com-zoho-invoice-organizationid"


@pytest.fixture(scope="module")
def box():
    with opened() as s:
        yield s


@pytest.fixture(autouse=True)
def fresh(box):
    made_fresh(box)
    yield
    assert box.sim("GET", "/violations").json["count"] == 0


# ---- the door --------------------------------------------------------------------------------------------------------

def test_the_printed_client_signs_in(box):
    z = box.line["credentials"]["finance"]
    token = box.refresh(**{k: z[k] for k in ("client_id", "client_secret", "refresh_token")}).json["access_token"]
    assert z["product"] == "books" and z["organization_id"] == FIRST
    good(box.finance("GET", "/contacts", token=token))
    good(box.finance("GET", "/organizations", product="invoice", token=token, org=None))


def test_a_dead_token_is_57_with_401_or_14(box):
    refused(box.finance("GET", "/contacts", token="1000.a.b"), 401, 57, "not authorized")
    refused(box.finance("GET", "/contacts", token=""), 401, 57)
    box.switch("finance", token_code=14)
    refused(box.finance("GET", "/contacts", token="1000.a.b"), 401, 14, "authtoken")


def test_a_token_expires_on_demand(box):
    token = box.token_with("ZohoBooks.contacts.READ")
    good(box.finance("GET", "/contacts", token=token))
    box.fault("expire-token", twin="finance", times=1)
    refused(box.finance("GET", "/contacts", token=token), 401, 57)


@pytest.mark.parametrize("scope,method,path,allowed", [
    ("ZohoBooks.contacts.READ", "GET", "/contacts", True), ("ZohoBooks.contacts.READ", "POST", "/contacts", False),
    ("ZohoInvoice.contacts.ALL", "GET", "/contacts", False), ("ZohoBooks.fullaccess.all", "GET", "/contacts", True),
    ("ZohoBooks.contacts.ALL", "GET", "/organizations", False), ("ZohoBooks.settings.READ", "GET", "/users/me", True),
    ("ZohoBooks.invoices.UPDATE", "POST", "/invoices/1/status/sent", False),
    ("ZohoBooks.invoices.UPDATE", "POST", "/invoices/1/email", False),
    ("ZohoBooks.invoices.CREATE", "POST", "/invoices/1/status/sent", True),
    ("ZohoBooks.estimates.READ", "GET", "/estimates/1/email", True)])
def test_scopes_per_call(box, scope, method, path, allowed):
    answer = box.finance(method, path, {} if method == "POST" else None, token=box.token_with(scope))
    assert (answer.json["code"] != 57) == allowed, answer.body
    if not allowed:
        assert answer.status == 401


def test_the_status_of_a_missing_scope_is_a_switch(box):
    box.switch("finance", scope_status=400)
    refused(box.finance("GET", "/contacts", token=box.token_with("ZohoBooks.invoices.ALL")), 400, 57)


def test_the_organisation_is_needed_and_the_user_s(box):
    refused(box.finance("GET", "/contacts", org=None), 400, 2, "Organization Id")
    refused(box.finance("GET", "/contacts", org="1"), 400, 6041, "not associated")
    refused(box.finance("GET", "/contacts", org=INACTIVE), 400, 4001)
    box.switch("finance", foreign_org=2, error_labels=0)
    assert refused(box.finance("GET", "/contacts", org="1"), 400, 2) == "Invalid value passed for organization_id"


def test_the_header_names_it_for_invoice_alone(box):
    box.sim("PATCH", f"/finance/records/organizations/{FIRST}", {"product": "invoice"})
    good(box.finance("GET", "/contacts", product="invoice", org=None, headers={HEADER: FIRST}))
    good(box.finance("GET", "/contacts", product="invoice", org=FIRST, headers={HEADER: FIRST}))
    refused(box.finance("GET", "/contacts", product="invoice", org=FIRST, headers={HEADER: STAFF}), 400, 2)
    refused(box.finance("GET", "/contacts", product="books", org=None, headers={HEADER: FIRST}), 400, 2)


def test_an_organisation_is_of_one_product(box):
    refused(box.finance("GET", "/contacts", product="invoice"), 400, 4001)
    good(box.finance("POST", f"/organizations/{FIRST}/downgradetoinvoice", org=None))
    refused(box.finance("GET", "/contacts"), 400, 4001)
    good(box.finance("GET", "/contacts", product="invoice"))
    seen = good(box.finance("GET", "/organizations", org=None))["organizations"]
    assert next(o for o in seen if o["organization_id"] == FIRST)["zi_migration_status"] == 1
    good(box.finance("POST", f"/organizations/{FIRST}/upgradetobooks", org=None))
    good(box.finance("GET", "/contacts"))


def test_unknown_path_and_wrong_verb(box):
    refused(box.finance("GET", "/bills"), 404, 5, "Invalid URL Passed")
    refused(box.finance("PATCH", "/contacts"), 405, 37)


# ---- organisations and users -----------------------------------------------------------------------------------------

def ids(answer):
    return [o["organization_id"] for o in good(answer)["organizations"]]


def test_several_organisations_one_and_none(box):
    everywhere = box.finance("GET", "/organizations", org=None)
    assert ids(everywhere) == [FIRST, STAFF, INACTIVE]
    assert not any("user_role" in o for o in everywhere.json["organizations"])
    query = "/organizations/user?show_admin_orgs_only=true"
    assert ids(box.finance("GET", query, org=None)) == [FIRST, INACTIVE]
    assert ids(box.finance("GET", query + "&show_active_orgs_only=true", org=None)) == [FIRST]
    for n in (1, 0):
        box.switch("finance", organizations=n)
        assert len(ids(box.finance("GET", "/organizations", org=None))) == n
    refused(box.finance("GET", "/contacts"), 400, 6041)


def test_the_user_s_role_is_told_per_organisation(box):
    def role(org):
        return good(box.finance("GET", "/users/me", org=org))["user"]["user_role"]
    assert (role(FIRST), role(STAFF)) == ("admin", "staff")
    box.sim("PATCH", f"/finance/records/organizations/{STAFF}", {"user_role": "admin"})
    assert role(STAFF) == "admin"
    me = good(box.finance("GET", "/users?filter_by=Status.Active"))["users"]
    assert [u["is_current_user"] for u in me] == [True]
    assert good(box.finance("GET", "/users?filter_by=Status.Deleted"))["users"] == []
    refused(box.finance("GET", "/users?filter_by=Status.Ghost"), 400, 2)
    assert box.sim("PATCH", f"/finance/records/organizations/{STAFF}", {"user_role": "king"}).status == 400


def test_one_organisation_does_not_see_the_other_s_records(box):
    made = customer(box)
    refused(box.finance("GET", "/contacts/" + made["contact_id"], org=STAFF), 404, 1002)
    assert good(box.finance("GET", "/contacts", org=STAFF))["contacts"] == []


# ---- bodies ----------------------------------------------------------------------------------------------------------

def form(text):
    return {"raw": urllib.parse.urlencode({"JSONString": text}).encode(), "kind": "application/x-www-form-urlencoded"}


def test_both_forms_of_a_body(box):
    text = json.dumps({"contact_name": f"Form {next(COUNT)}"})
    good(box.finance("POST", "/contacts", **form(text)), 201)
    box.switch("finance", books_form=0)
    refused(box.finance("POST", "/contacts", **form(text)), 400, 4, "JSONString")
    box.sim("PATCH", f"/finance/records/organizations/{FIRST}", {"product": "invoice"})
    good(box.finance("POST", "/contacts", product="invoice", **form(text.replace("Form", "Invoice form"))), 201)
    raw = {"raw": text.replace("Form", "Raw").encode()}
    good(box.finance("POST", "/contacts", product="invoice", **raw), 201)
    box.switch("finance", invoice_json=0)
    refused(box.finance("POST", "/contacts", product="invoice", **raw), 400, 1038)


@pytest.mark.parametrize("raw,kind", [(b"{", "application/json"), (b"[]", "application/json"), (b"", "application/json"),
                                      (b"a=b", "application/x-www-form-urlencoded"), (b"{}", "text/plain")])
def test_what_is_no_json_is_1038(box, raw, kind):
    refused(box.finance("POST", "/contacts", raw=raw, kind=kind), 400, 1038, "JSON is not well formed")


@pytest.mark.parametrize("member,value,label", [
    ("payment_terms", "Net 15", "Payment Terms"), ("payment_terms", 1.5, "Payment Terms"),
    ("payment_terms", True, "Payment Terms"), ("customer_sub_type", "firm", "Customer Sub Type"),
    ("contact_name", 5, "Contact Name"), ("contact_name", None, "Contact Name"), ("is_taxable", "yes", "Is Taxable"),
    ("currency_id", "12", "Currency Id"), ("currency_id", "USD", "Currency Id"), ("tax_id", "1", "Tax Id"),
    ("surname", "x", "Surname"), ("status", "inactive", "Status"), ("billing_address", "here", "Address"),
    ("billing_address", {"planet": "x"}, "Planet"), ("contact_persons", {}, "Contact Persons"),
    ("contact_persons", [{"email": "nobody"}], "Email"),
    ("contact_persons", [{"contact_person_id": "77"}], "Contact Person Id"),
    ("custom_fields", [{"api_name": "cf_unknown", "value": "x"}], "Custom Fields")])
def test_values_the_vendor_refuses(box, member, value, label):
    before = len(box.dump("finance", "contacts"))
    answer = box.finance("POST", "/contacts", {"contact_name": f"Bad {next(COUNT)}", member: value})
    assert refused(answer, 400, 2) == f"Invalid value passed for {label}"
    assert len(box.dump("finance", "contacts")) == before


def test_amounts_have_a_code_of_their_own(box):
    refused(box.finance("POST", "/contacts", {"contact_name": "x", "credit_limit": "much"}), 400, 4, "Credit Limit")


def test_lengths_count_characters(box):
    name = f"{next(COUNT)} " + "ü" * 200
    assert good(box.finance("POST", "/contacts", {"contact_name": name[:200]}), 201)
    refused(box.finance("POST", "/contacts", {"contact_name": name}), 400, 15, "less than 200 characters")
    person = {"contact_name": f"L {next(COUNT)}", "contact_persons": [{"first_name": "x" * 101}]}
    refused(box.finance("POST", "/contacts", person), 400, 15)
    refused(box.finance("POST", "/contacts", {"contact_name": "x", "billing_address": {"street2": "x" * 256}}), 400, 15)


@pytest.mark.parametrize("words", range(4))
def test_what_is_missing_is_told_in_words_a_client_must_know(box, words):
    box.switch("finance", missing_words=words)
    for body in ({}, {"contact_name": " "}):
        text = refused(box.finance("POST", "/contacts", body), 400, 5, "Contact Name")
        assert re.search("Please enter|required|cannot be empty|[Mm]andatory", text)


def test_unknown_members_may_be_passed_over(box):
    box.switch("finance", unknown_members=0)
    made = good(box.finance("POST", "/contacts", {"contact_name": f"U {next(COUNT)}", "surname": "x"}), 201)["contact"]
    assert "surname" not in made


# ---- contacts --------------------------------------------------------------------------------------------------------

def test_a_contact_as_it_is_shown(box):
    made = customer(box, company_name="Ümlaut AG", payment_terms="15", billing_address={"city": "Köln", "zip": "50667"})
    assert made["contact_id"].isdigit() and int(made["contact_id"]) > 2 ** 53
    assert made["created_time"] == "2026-01-31T12:00:00-0800"
    assert made["payment_terms"] == 15 and made["billing_address"]["city"] == "Köln"
    assert (made["first_name"], made["email"]) == ("Ada", "pay@customer.example")
    assert made["contact_persons"][0]["is_primary_contact"] is True
    assert made["primary_contact_id"] == made["contact_persons"][0]["contact_person_id"]
    assert made["outstanding_receivable_amount"] == 0 and made["status"] == "active"
    assert get(box, "contact", made) == made
    row = next(c for c in good(box.finance("GET", "/contacts?contact_name=" + urllib.parse.quote(made["contact_name"])))
               ["contacts"])
    assert not {"billing_address", "contact_persons", "notes"} & set(row) and row["company_name"] == "Ümlaut AG"


def test_names_are_unique_whatever_their_case(box):
    made = customer(box)
    body = {"contact_name": made["contact_name"].upper()}
    refused(box.finance("POST", "/contacts", body), 400, 3062, "already exists. Please specify a different name.")
    other = customer(box)
    refused(box.finance("PUT", "/contacts/" + other["contact_id"], body), 400, 3062)
    good(box.finance("PUT", "/contacts/" + made["contact_id"], body))


def test_an_update_leaves_what_is_not_sent(box):
    made = customer(box, notes="kept", billing_address={"city": "Ulm", "zip": "89073"})
    box.sim("POST", "/clock", {"advance": "5s"})
    after = good(box.finance("PUT", "/contacts/" + made["contact_id"],
                             {"website": "https://x.example", "billing_address": {"city": "Bonn"}}))["contact"]
    assert after["notes"] == "kept" and after["contact_persons"] == made["contact_persons"]
    assert (after["billing_address"]["city"], after["billing_address"]["zip"]) == ("Bonn", "89073")
    assert after["last_modified_time"] > made["last_modified_time"] and after["created_time"] == made["created_time"]
    after = good(box.finance("PUT", "/contacts/" + made["contact_id"], {"notes": ""}))["contact"]
    assert after["notes"] == ""


def test_persons_not_sent_are_gone_or_stay(box):
    made = customer(box, contact_persons=[{"first_name": "A", "email": "a@x.example"},
                                          {"first_name": "B", "is_primary_contact": True}])
    assert made["first_name"] == "B"
    a = made["contact_persons"][0]["contact_person_id"]
    body = {"contact_persons": [{"contact_person_id": a, "last_name": "Z"}]}
    box.switch("finance", persons_replaced=0)
    after = good(box.finance("PUT", "/contacts/" + made["contact_id"], body))["contact"]
    assert [p["first_name"] for p in after["contact_persons"]] == ["A", "B"]
    box.switch("finance", persons_replaced=1)
    after = good(box.finance("PUT", "/contacts/" + made["contact_id"], body))["contact"]
    assert [(p["first_name"], p["last_name"], p["email"]) for p in after["contact_persons"]] == [("A", "Z", "a@x.example")]
    assert after["email"] == "a@x.example"


def test_persons_by_themselves(box):
    made = customer(box)
    refused(box.finance("POST", "/contacts/contactpersons", {"contact_id": made["contact_id"], "email": "b@x.example"}),
            400, 5, "First Name")
    refused(box.finance("POST", "/contacts/contactpersons", {"first_name": "B"}), 400, 5, "Contact Id")
    b = good(box.finance("POST", "/contacts/contactpersons",
                         {"contact_id": made["contact_id"], "first_name": "B", "email": "b@x.example"}), 201)
    path = "/contacts/contactpersons/" + b["contact_person"]["contact_person_id"]
    assert get(box, "contact", made)["email"] == "pay@customer.example"
    good(box.finance("POST", path + "/primary"))
    assert get(box, "contact", made)["email"] == "b@x.example"
    good(box.finance("PUT", path, {"phone": "1"}))
    persons = good(box.finance("GET", f"/contacts/{made['contact_id']}/contactpersons"))["contact_persons"]
    assert [p["is_primary_contact"] for p in persons] == [False, True] and persons[1]["phone"] == "1"
    good(box.finance("DELETE", path))
    assert get(box, "contact", made)["email"] == "pay@customer.example"
    refused(box.finance("DELETE", path), 404, 1002)


def test_active_and_inactive(box):
    made = customer(box)
    good(act(box, "contact", made, "inactive"))
    assert get(box, "contact", made)["status"] == "inactive"
    rows = good(box.finance("GET", "/contacts?filter_by=Status.Inactive"))["contacts"]
    assert [c["contact_id"] for c in rows] == [made["contact_id"]]
    good(act(box, "contact", made, "active"))
    assert get(box, "contact", made)["status"] == "active"


def test_a_customer_with_transactions_is_not_deleted(box):
    made = customer(box)
    bill = invoice(box, made)
    refused(box.finance("DELETE", "/contacts/" + made["contact_id"]), 400, 4823, "transactions cannot be deleted")
    good(box.finance("DELETE", "/invoices/" + bill["invoice_id"]))
    good(box.finance("DELETE", "/contacts/" + made["contact_id"]))
    refused(box.finance("GET", "/contacts/" + made["contact_id"]), 404, 1002, "Contact does not exist.")
    box.switch("finance", gone_status=400)
    refused(box.finance("GET", "/contacts/" + made["contact_id"]), 400, 1002)
    refused(box.finance("GET", "/contacts/abc"), 400, 2, "Contact Id")


def test_records_of_the_crm_are_brought_in_once(box):
    tag = f"{next(COUNT)}"
    for kind in ("contact", "account"):
        path = f"/crm/{kind}/77{tag}/import"
        refused(box.finance("POST", path), 404, 1002)
        record = {"kind": kind, "id": "77" + tag, "name": f"From CRM {kind} {tag}", "email": f"{kind}{tag}@crm.example"}
        assert box.sim("POST", "/finance/crm", record).status == 204
        first = good(box.finance("POST", path))["data"]["customer_id"]
        assert good(box.finance("POST", path))["data"]["customer_id"] == first
        assert listed(box, f"zcrm_{kind}_id=77{tag}") == [first]
        made = get(box, "contact", {"contact_id": first})
        assert made["is_linked_with_zohocrm"] is True and made["email"] == record["email"]
    assert box.sim("POST", "/finance/crm", {"kind": "deal", "id": "1", "name": "x"}).status == 400
    taken = customer(box)["contact_name"]
    assert box.sim("POST", "/finance/crm", {"kind": "contact", "id": "9" + tag, "name": taken}).status == 204
    refused(box.finance("POST", f"/crm/contact/9{tag}/import"), 400, 3062)


# ---- lists -----------------------------------------------------------------------------------------------------------

def test_pages_to_the_end(box):
    whole = listed(box, "per_page=200")
    seen, page, more = [], 1, True
    while more:
        answer = good(box.finance("GET", f"/contacts?per_page=3&page={page}"))
        seen += [c["contact_id"] for c in answer["contacts"]]
        context = answer["page_context"]
        assert (context["page"], context["per_page"], context["sort_column"]) == (page, 3, "contact_name")
        page, more = page + 1, context["has_more_page"]
    assert seen == whole and len(set(whole)) == len(whole) > 6
    exact = good(box.finance("GET", f"/contacts?per_page={len(whole)}"))
    assert exact["page_context"]["has_more_page"] is False
    assert good(box.finance("GET", "/contacts?page=9999"))["contacts"] == []


def test_page_sizes(box):
    def size(query):
        context = good(box.finance("GET", "/contacts" + query))["page_context"]
        return context["per_page"]
    assert (size(""), size("?per_page=500")) == (200, 200)
    box.switch("finance", page_default=10, page_over_refused=1)
    assert size("") == 10
    refused(box.finance("GET", "/contacts?per_page=201"), 400, 2, "Per Page")
    for bad in ("per_page=0", "page=0", "page=x", "sort_column=notes", "filter_by=Active", "filter_by=Status.Odd"):
        refused(box.finance("GET", "/contacts?" + bad), 400, 2)
    box.switch("finance", page_context_array=1)
    assert good(box.finance("GET", "/contacts"))["page_context"][0]["page"] == 1


def test_filters_of_texts(box):
    tag = f"Zeta{next(COUNT)}"
    a = customer(box, email=f"one@{tag}.example", contact_name=tag + " One", billing_address={"city": tag + "burg"})
    b = customer(box, email=None, contact_name="The " + tag, notes="of " + tag)
    def found(query):
        return set(listed(box, query))
    a, b = a["contact_id"], b["contact_id"]
    assert found(f"contact_name={tag.lower()}%20one") == {a}
    assert found(f"contact_name={tag}") == set() and found(f"contact_name_startswith={tag}") == {a}
    assert found(f"contact_name_contains={tag}") == {a, b} == found(f"search_text={tag}")
    assert found(f"email=ONE@{tag}.example") == {a} and found(f"address_contains={tag}") == {a}
    assert found(f"email_contains={tag}&contact_name_startswith=The") == set()
    refused(box.finance("GET", "/contacts?search_text=" + "x" * 101), 400, 15)


def test_e_mail_finds_the_primary_person_alone(box):
    tag = f"p{next(COUNT)}"
    made = customer(box, contact_persons=[{"first_name": "A", "email": f"first@{tag}.example"},
                                          {"first_name": "B", "email": f"second@{tag}.example"}])
    assert listed(box, f"email=first@{tag}.example") == [made["contact_id"]]
    assert listed(box, f"email=second@{tag}.example") == []


def test_contacts_pass_over_last_modified_time(box):
    late = "last_modified_time=2030-01-01T00:00:00-0800"
    assert listed(box, late) == listed(box, "")
    box.switch("finance", modified_filter_everywhere=1)
    assert listed(box, late) == []
    made = invoice(box)
    since = urllib.parse.quote(made["last_modified_time"])
    assert made["invoice_id"] not in listed(box, "last_modified_time=" + since, "invoice")  # strictly after
    box.sim("POST", "/clock", {"advance": "1s"})
    good(act(box, "invoice", made, "status/sent"))
    assert listed(box, "last_modified_time=" + since, "invoice") == [made["invoice_id"]]
    refused(box.finance("GET", "/invoices?last_modified_time=yesterday"), 400, 2)


def test_order(box):
    names = [c["contact_name"] for c in good(box.finance("GET", "/contacts?sort_column=contact_name"))["contacts"]]
    assert names == sorted(names, key=lambda n: n.encode())
    down = [c["contact_name"] for c in good(box.finance("GET", "/contacts?sort_column=contact_name&sort_order=D"))
            ["contacts"]]
    assert down == names[::-1]
    box.switch("finance", sort_order=0)
    assert listed(box, "sort_column=contact_name&sort_order=D") == listed(box, "sort_column=contact_name")


def test_filters_of_amounts_and_days(box):
    of = customer(box)
    a = invoice(box, of, rates=(10,), date="2026-01-01")["invoice_id"]
    b = invoice(box, of, rates=(20.5,), date="2026-01-15")["invoice_id"]
    mine = f"customer_id={of['contact_id']}&"
    def found(query):
        return set(listed(box, mine + query, "invoice"))
    assert found("total=20.50") == {b} and found("total_less_than=20.5") == {a} and found("total_less_equals=20.5") == {a, b}
    assert found("total_greater_than=10") == {b} and found("total_greater_equals=10") == {a, b}
    assert found("date=2026-01-15") == {b} and found("date_after=2026-01-01") == {b} and found("date_start=2026-01-01") == {a, b}
    assert found("date_before=2026-01-15") == {a} and found("date_end=2026-01-15") == {a, b}
    assert found("item_name=Line%200") == {a, b}
    for bad in ("total=ten", "date=2026-02-30", "date_after=soon"):
        refused(box.finance("GET", "/invoices?" + bad), 400, 2)


# ---- custom fields, upsert -------------------------------------------------------------------------------------------

def unique(value, key="cf_tieline_id", upsert="true"):
    return {"X-Unique-Identifier-Key": key, "X-Unique-Identifier-Value": value, **({"X-Upsert": upsert} if upsert else {})}


def test_custom_fields(box):
    made = customer(box, custom_fields=[{"label": "Region", "value": "North"}, {"index": 2, "value": "77"}])
    assert made["custom_field_hash"] == {"cf_region": "North", "cf_ticket_number": "77"}
    assert [f["label"] for f in made["custom_fields"]] == ["Ticket Number", "Region"]
    again = {"custom_fields": [{"customfield_id": made["custom_fields"][1]["customfield_id"], "value": ""}]}
    after = good(box.finance("PUT", "/contacts/" + made["contact_id"], again))["contact"]
    assert after["custom_field_hash"] == {"cf_ticket_number": "77"}


def test_no_duplicates(box):
    value = f"s{next(COUNT)}"
    customer(box, **stamp(value))
    refused(box.finance("POST", "/contacts", {"contact_name": f"D {next(COUNT)}", **stamp(value)}), 400, 2, "already exists")
    customer(box, **stamp("same", "cf_region"))
    customer(box, **stamp("same", "cf_region"))


@pytest.mark.parametrize("kind", ["contact", "invoice", "estimate", "item"])
def test_upsert_makes_one_record(box, kind):
    value = f"u{next(COUNT)}"
    body = {"contact_name": f"Upsert {value}"}
    if kind == "item":
        body = {"name": f"Upsert {value}", "rate": 5}
    elif kind != "contact":
        body = {"customer_id": customer(box)["contact_id"], "line_items": lines(5)}
    refused(box.finance("PUT", f"/{kind}s", body, headers=unique(value, upsert=None)), 404, 1002)
    made = good(box.finance("PUT", f"/{kind}s", body, headers=unique(value)), 201)[kind]
    assert made["custom_field_hash"]["cf_tieline_id"] == value
    again = good(box.finance("PUT", f"/{kind}s", body, headers=unique(value)))[kind]
    assert again[kind + "_id"] == made[kind + "_id"]
    assert sum(r["custom_field_hash"].get("cf_tieline_id") == value for r in box.dump("finance", kind + "s")) == 1


def test_upsert_needs_a_field_without_duplicates(box):
    body = {"contact_name": f"N {next(COUNT)}"}
    refused(box.finance("PUT", "/contacts", body), 400, 5, "Unique-Identifier-Key")
    refused(box.finance("PUT", "/contacts", body, headers={"X-Unique-Identifier-Key": "cf_tieline_id"}), 400, 5, "Value")
    for key in ("cf_region", "cf_unknown", "contact_name"):
        refused(box.finance("PUT", "/contacts", body, headers=unique("x", key)), 400, 2)
    box.switch("finance", no_duplicates=0)
    refused(box.finance("PUT", "/contacts", body, headers=unique("x")), 400, 2)


def test_a_write_to_another_s_record_is_a_violation():
    with Sandbox(("--plan", "empty")) as s:
        made = customer(s, **stamp("mine"))
        good(s.finance("PUT", "/contacts/" + made["contact_id"], stamp("theirs")))
        s.switch("finance", no_duplicates=0)
        customer(s, **stamp("theirs"))
        texts = s.sim("GET", "/violations").json["violations"]
        assert len(texts) == 2 and 'stamped "mine"' in texts[0] and "given twice" in texts[1]
        assert s.sim("GET", "/state").json["twins"]["finance"]["violations"] == 2


# ---- limits and faults -----------------------------------------------------------------------------------------------

def test_the_minute_s_limit_blocks_the_organisation(box):
    box.sim("POST", "/clock", {"advance": "2m"})
    box.switch("finance", per_minute=3)
    assert [box.finance("GET", "/users/me").status for _ in range(4)] == [200, 200, 200, 429]
    refused(box.finance("GET", "/users/me"), 429, 44, "blocked")
    good(box.finance("GET", "/users/me", org=STAFF))  # of each organisation its own
    box.sim("POST", "/clock", {"advance": "59s"})
    refused(box.finance("GET", "/users/me"), 429, 44)
    box.sim("POST", "/clock", {"advance": "1s"})
    good(box.finance("GET", "/users/me"))
    assert box.sim("GET", "/finance/limits").json[FIRST]["minute"] == 1


def test_a_hundred_calls_a_minute_are_the_default(box):
    box.sim("POST", "/clock", {"advance": "2m"})
    box.switch("finance", per_minute=100)
    assert [box.finance("GET", "/users/me").status for _ in range(101)].count(200) == 100
    box.sim("POST", "/clock", {"advance": "1m"})


@pytest.mark.parametrize("plan,calls", [("FREE", 1000), ("STANDARD", 2000), ("PROFESSIONAL", 5000), ("ULTIMATE", 10000)])
def test_the_day_s_limit_is_the_plan_s(box, plan, calls):
    box.switch("finance", per_day=0, limit_headers=1)
    box.sim("PATCH", f"/finance/records/organizations/{FIRST}", {"plan_name": plan})
    assert box.finance("GET", "/users/me").headers["X-Rate-Limit-Limit"] == str(calls)


def test_the_day_s_limit_ends_with_the_day(box):
    used = box.sim("GET", "/finance/limits").json[FIRST]["day"]
    box.switch("finance", per_day=used + 1)
    good(box.finance("GET", "/users/me"))
    refused(box.finance("GET", "/users/me"), 429, 45, f"maximum call rate limit of {used + 1}.")
    box.switch("finance", limit_headers=1)
    answer = box.finance("GET", "/users/me")
    assert answer.status == 429 and int(answer.headers["Retry-After"]) > 0 and answer.headers["X-Rate-Limit-Remaining"] == "0"
    box.sim("POST", "/clock", {"advance": "24h"})
    box.finance_token = ""
    good(box.finance("GET", "/users/me"))


def test_calls_at_a_time(box):
    box.switch("finance", concurrency=1)
    good(box.finance("GET", "/users/me"))
    at = urllib.parse.urlsplit(box.line["finance"])
    with socket.create_connection((at.hostname, at.port)) as held:
        held.sendall(b"POST /books/v3/contacts HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n")
        assert held.recv(100).startswith(b"HTTP/1.1 100")  # begun, and not answered before its body comes
        refused(box.finance("GET", "/users/me"), 429, 1070, "in process requests")


@pytest.mark.parametrize("name,status,code", [("minute-limit", 429, 44), ("day-limit", 429, 45), ("concurrent-limit", 429, 1070),
                                              ("429", 429, 44), ("500", 500, 1000), ("503-json", 503, 1000)])
def test_faults_in_the_vendor_s_words(box, name, status, code):
    box.fault(name, twin="finance", path="/books/v3/users/me", times=1)
    refused(box.finance("GET", "/users/me"), status, code)
    good(box.finance("GET", "/users/me"))


def test_a_lost_answer_leaves_the_record(box):
    name = f"Lost {next(COUNT)}"
    box.fault("drop-after", twin="finance", method="POST", times=1)
    with pytest.raises(Exception):
        box.finance("POST", "/contacts", {"contact_name": name})
    refused(box.finance("POST", "/contacts", {"contact_name": name}), 400, 3062)


def test_a_late_commit_is_found_by_indexes_before_lists(box):
    value = f"late{next(COUNT)}"
    box.fault("late-commit", twin="finance", ms=5000, times=1)
    made = customer(box, **stamp(value))
    refused(box.finance("GET", "/contacts/" + made["contact_id"]), 404, 1002)
    assert made["contact_id"] not in listed(box, "")
    refused(box.finance("POST", "/contacts", {"contact_name": made["contact_name"]}), 400, 3062)
    box.sim("POST", "/clock", {"advance": "5s"})
    assert made["contact_id"] in listed(box, "")


# ---- behind the vendor's back ----------------------------------------------------------------------------------------

def test_the_population_is_the_desk_s(box):
    made = [c for c in box.dump("finance", "contacts") if c["company_name"] and c["billing_address"]]
    desk = {a["accountName"] for a in box.dump("desk", "accounts")}
    assert len(made) >= 5 and {c["contact_name"] for c in made if not c["contact_name"].startswith("Customer")} <= desk
    assert any(len(c["contact_persons"]) > 1 for c in made)


def test_changes_as_another_user(box):
    made = box.sim("POST", "/finance/records/contacts", {"contact_name": f"Other {next(COUNT)}", "zcrm_contact_id": "4711",
                                                         "outstanding_payable_amount": "3.50",
                                                         "created_time": "2020-01-01T00:00:00Z"})
    assert made.status == 201 and made.json["created_time"] == "2019-12-31T16:00:00-0800"
    assert listed(box, "zcrm_contact_id=4711") == [made.json["contact_id"]]
    assert made.json["contact_id"] in listed(box, "filter_by=Status.Crm")
    assert customer(box)["contact_id"] not in listed(box, "filter_by=Status.Crm")
    assert get(box, "contact", made.json)["outstanding_payable_amount"] == 3.5
    path = "/finance/records/contacts/" + made.json["contact_id"]
    assert box.sim("PATCH", path, {"notes": "seen"}).json["notes"] == "seen"
    assert box.sim("PATCH", path, {"payment_terms": "Net 15"}).json["message"].endswith("Payment Terms")
    assert box.sim("POST", path + "/purge").json["_state"] == "purged"
    assert box.sim("PATCH", path, {"notes": "x"}).status == 404
    there = box.sim("POST", "/finance/records/contacts", {"contact_name": f"There {next(COUNT)}", "organization_id": STAFF}).json
    assert there["organization_id"] == STAFF and there["contact_id"] not in listed(box, "")
    assert box.sim("POST", "/finance/records/ghosts", {}).status == 404


def test_invoice_from_the_start():
    with Sandbox(("--plan", "empty", "--product", "invoice")) as s:
        assert s.line["credentials"]["finance"]["product"] == "invoice"
        text = json.dumps({"contact_name": "First"})
        good(s.finance("POST", "/contacts", product="invoice", org=None, headers={HEADER: FIRST}, **form(text)), 201)
        refused(s.finance("GET", "/contacts"), 400, 4001)
