"""Are both vendors in step? An independent verdict: it shares no code with the engine, reads only the twins' dumps, and
pairs records by its own rules (e-mail, else name and phone; accounts by name). What is unpaired or differs is reported by
record; the caller holds it against the list of planted cases."""
import re
import unicodedata

# desk field, salesforce field, how to compare
CONTACT_FIELDS = [("firstName", "FirstName", "text"), ("lastName", "LastName", "text"), ("email", "Email", "email"),
                  ("phone", "Phone", "phone"), ("mobile", "MobilePhone", "phone"), ("title", "Title", "text"),
                  ("description", "Description", "text"), ("street", "MailingStreet", "text"), ("city", "MailingCity", "text"),
                  ("state", "MailingState", "text"), ("zip", "MailingPostalCode", "text"),
                  ("country", "MailingCountry", "text")]
ACCOUNT_FIELDS = [("accountName", "Name", "text"), ("phone", "Phone", "phone"), ("fax", "Fax", "phone"),
                  ("website", "Website", "text"), ("industry", "Industry", "text"), ("description", "Description", "text"),
                  ("street", "BillingStreet", "text"), ("city", "BillingCity", "text"), ("state", "BillingState", "text"),
                  ("country", "BillingCountry", "text")]


def plain(value, how):
    if value is None:
        return ""
    text = unicodedata.normalize("NFC", str(value)).replace("\r\n", "\n").strip()
    if how == "email":
        return text.lower()
    if how == "phone":
        return ("+" if text.startswith("+") else "") + re.sub(r"\D", "", text)
    if how == "number":
        return re.sub(r"\.0+$", "", text)
    return text


def folded(value):
    return " ".join(unicodedata.normalize("NFKC", value or "").casefold().split())


def live_desk(records):
    return [r for r in records if r["_state"] == "live"]


def live_salesforce(records):
    return [r for r in records if not r["IsDeleted"]]


def contact_key(email, first, last, phone):
    if plain(email, "email"):
        return ("email", plain(email, "email"))
    return ("name", folded(first), folded(last), plain(phone, "phone"))


def group(records, key):
    groups = {}
    for record in records:
        groups.setdefault(key(record), []).append(record)
    return groups


def differences(desk, other, fields):
    return [f"{d}={desk.get(d)!r} {s}={other.get(s)!r}" for d, s, how in fields
            if plain(desk.get(d), how) != plain(other.get(s), how)]


def same_account(desk, other, names):
    desk_account, other_account = names
    return folded(desk_account.get(desk.get("accountId"))) == folded(other_account.get(other.get("AccountId")))


def compare_kind(kind, desk, other, desk_key, other_key, fields, extra_check=None):
    """Pairs records key by key; within a key the pairs with fewest differences first."""
    report = {"paired": 0, "differs": [], "unpaired": []}
    left, right = group(desk, desk_key), group(other, other_key)
    for key in set(left) | set(right):
        ours, theirs = list(left.get(key, [])), list(right.get(key, []))
        choices = sorted(((len(differences(a, b, fields)) + (1 if extra_check and not extra_check(a, b) else 0), i, k)
                          for i, a in enumerate(ours) for k, b in enumerate(theirs)))
        used_a, used_b = set(), set()
        for _, i, k in choices:
            if i in used_a or k in used_b:
                continue
            used_a.add(i)
            used_b.add(k)
            report["paired"] += 1
            found = differences(ours[i], theirs[k], fields)
            if extra_check and not extra_check(ours[i], theirs[k]):
                found.append("account")
            if found:
                report["differs"].append({"kind": kind, "desk": ours[i]["id"], "salesforce": theirs[k]["Id"], "fields": found})
        report["unpaired"] += [{"kind": kind, "side": "desk", "id": r["id"]} for i, r in enumerate(ours) if i not in used_a]
        report["unpaired"] += [{"kind": kind, "side": "salesforce", "id": r["Id"]} for k, r in enumerate(theirs)
                               if k not in used_b]
    return report


def compare(sandbox, contact_fields=None):
    """{"accounts": report, "contacts": report} of the sandbox as it is now. contact_fields: further mapped fields."""
    desk_accounts, other_accounts = live_desk(sandbox.dump("desk", "accounts")), live_salesforce(
        sandbox.dump("salesforce", "Account"))
    desk_contacts, other_contacts = live_desk(sandbox.dump("desk", "contacts")), live_salesforce(
        sandbox.dump("salesforce", "Contact"))
    names = ({a["id"]: a["accountName"] for a in desk_accounts}, {a["Id"]: a["Name"] for a in other_accounts})
    return {
        "accounts": compare_kind("accounts", desk_accounts, other_accounts, lambda r: folded(r["accountName"]),
                                 lambda r: folded(r["Name"]), ACCOUNT_FIELDS),
        "contacts": compare_kind(
            "contacts", desk_contacts, other_contacts,
            lambda r: contact_key(r["email"], r["firstName"], r["lastName"], r["phone"]),
            lambda r: contact_key(r["Email"], r["FirstName"], r["LastName"], r["Phone"]),
            CONTACT_FIELDS + (contact_fields or []), lambda a, b: same_account(a, b, names)),
    }


def against_planted(report, planted, failures):
    """Problems: whatever is unpaired or differs without being planted with a reason, planted records that did not end as
    planted, and failures of other records. failures: [(side, kind, id, code)] as the daemon lists them."""
    problems = []
    expected = {(p["side"], p["kind"], p["id"]): p["reason"] for p in planted if p["reason"]}
    for kind in ("accounts", "contacts"):
        for entry in report[kind]["unpaired"]:
            if (entry["side"], kind, entry["id"]) not in expected:
                problems.append(f"unpaired: {entry['side']} {kind} {entry['id']}")
        for entry in report[kind]["differs"]:
            if ("desk", kind, entry["desk"]) not in expected and ("salesforce", kind, entry["salesforce"]) not in expected:
                problems.append(f"differs: {kind} desk {entry['desk']} salesforce {entry['salesforce']}: "
                                f"{'; '.join(entry['fields'])}")
    told = {(side, kind, record): code for side, kind, record, code in failures}
    for key, reason in expected.items():
        if told.get(key) != reason:
            problems.append(f"planted: {' '.join(key)} should be told as {reason}, is {told.get(key)}")
    problems += [f"failure not planted: {' '.join(key)} {code}" for key, code in told.items() if key not in expected]
    return problems
