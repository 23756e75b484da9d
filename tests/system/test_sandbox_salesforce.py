"""The Salesforce twin over HTTP: what a connector relies on, and what the vendor refuses.

Run by CTest or by hand: TIELINE_BUILD=<build directory> pytest-3 tests/system/test_sandbox_salesforce.py
"""
import base64
import hashlib
import hmac
import http.client
import json
import os
import pathlib
import subprocess
import time
import urllib.parse

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("TIELINE_BUILD", ROOT / "build"))
V = "/services/data/v62.0"
START = "2026-03-01T12:00:00Z"


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.text = response.read().decode()

    @property
    def json(self):
        return json.loads(self.text)

    @property
    def code(self):
        """errorCode of the first element of an error array."""
        return self.json[0]["errorCode"]

    @property
    def message(self):
        return self.json[0]["message"]


class Host:
    def __init__(self, url):
        self.url = url
        self.connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc)

    def call(self, method, path, body=None, headers=None):
        headers = dict(headers or {})
        if body is not None:
            body = body if isinstance(body, (str, bytes)) else json.dumps(body)
            headers.setdefault("Content-Type", "application/json; charset=UTF-8")
        self.connection.request(method, path, body=body, headers=headers)
        return Answer(self.connection.getresponse())


class World:
    """One sandbox process with a frozen clock, and a session of the integration user."""

    def __init__(self, *options):
        command = [str(BUILD / "sandbox" / "tieline-sandbox"), "--now", START, "--frozen", *options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        line = json.loads(self.process.stdout.readline())
        self.credentials = line["credentials"]["salesforce"]
        self.control, self.login, self.instance = Host(line["control"]), Host(line["login"]), Host(line["salesforce"])
        self.token = self.sign_in().json["access_token"]

    def stop(self):
        self.process.terminate()
        assert self.process.wait(timeout=20) == 0

    def form(self, path="/services/oauth2/token", host=None, **fields):
        return (host or self.login).call("POST", path, urllib.parse.urlencode(fields),
                                         {"Content-Type": "application/x-www-form-urlencoded"})

    def sign_in(self, **fields):
        given = {"grant_type": "client_credentials", "client_id": self.credentials["client_id"],
                 "client_secret": self.credentials["client_secret"]}
        given.update(fields)
        return self.form(**given)

    def api(self, method, path, body=None, headers=None, token=None):
        given = {"Authorization": "Bearer " + (token or self.token)}
        given.update(headers or {})
        return self.instance.call(method, V + path, body, given)

    def query(self, soql, all_rows=False, headers=None):
        path = ("/queryAll?q=" if all_rows else "/query?q=") + urllib.parse.quote(soql)
        return self.api("GET", path, headers=headers)

    def rows(self, soql, all_rows=False):
        answer = self.query(soql, all_rows)
        assert answer.status == 200, answer.text
        return answer.json["records"]

    def sim(self, method, path, body=None):
        answer = self.control.call(method, "/_sim" + path, body)
        assert answer.status < 300, answer.text
        return answer.json if answer.text else None

    def switch(self, role="salesforce", **values):
        self.sim("POST", f"/{role}/switches", values)

    def advance(self, duration):
        self.sim("POST", "/clock", {"advance": duration})

    def create(self, **fields):
        kind = fields.pop("kind", "Contact")
        answer = self.api("POST", f"/sobjects/{kind}", fields)
        assert answer.status == 201, answer.text
        return answer.json["id"]

    def get(self, id_, kind="Contact"):
        return self.api("GET", f"/sobjects/{kind}/{id_}").json


@pytest.fixture
def w():
    world = World("--plan", "empty")
    yield world
    world.stop()


@pytest.fixture(scope="module")
def populated():
    world = World("--contacts", "600", "--accounts", "100")
    yield world
    world.stop()


# ---- auth ----------------------------------------------------------------------------------------------------------

def test_client_credentials_answer_has_the_vendors_shape(w):
    answer = w.sign_in()
    body = answer.json
    assert answer.status == 200
    assert answer.headers["Transfer-Encoding"] == "chunked"
    assert answer.headers["Content-Type"] == "application/json;charset=UTF-8"
    assert "expires_in" not in body and "refresh_token" not in body
    assert body["instance_url"] == w.instance.url != w.login.url
    assert body["issued_at"] == "1772366400000"
    expected = hmac.new(w.credentials["client_secret"].encode(), (body["id"] + body["issued_at"]).encode(),
                        hashlib.sha256).digest()
    assert base64.b64decode(body["signature"]) == expected
    identity = w.login.call("GET", urllib.parse.urlsplit(body["id"]).path,
                            headers={"Authorization": "Bearer " + body["access_token"]})
    assert identity.json["username"] == w.credentials["username"]
    assert body["id"].endswith(identity.json["user_id"])


@pytest.mark.parametrize("fields, error", [
    ({"client_secret": "wrong"}, "invalid_client"),
    ({"client_id": "wrong"}, "invalid_client_id"),
    ({"grant_type": "password", "username": "a", "password": "b"}, "unsupported_grant_type"),
    ({"grant_type": "refresh_token", "refresh_token": "wrong"}, "invalid_grant"),
    ({"grant_type": "authorization_code", "code": "x"}, "invalid_grant"),
])
def test_token_refusals_are_objects_with_status_400(w, fields, error):
    answer = w.sign_in(**fields)
    assert answer.status == 400
    assert answer.json["error"] == error


def test_refresh_keeps_the_token_unless_rotation_is_on(w):
    first = w.sign_in(grant_type="refresh_token", refresh_token=w.credentials["refresh_token"]).json
    assert "refresh_token" not in first
    w.switch("login", rotation=1)
    second = w.sign_in(grant_type="refresh_token", refresh_token=w.credentials["refresh_token"]).json
    assert second["refresh_token"] != w.credentials["refresh_token"]
    # The old token and the sessions made with it are dead.
    assert w.api("GET", "/limits", token=first["access_token"]).status == 401
    again = w.sign_in(grant_type="refresh_token", refresh_token=w.credentials["refresh_token"])
    assert again.json == {"error": "invalid_grant", "error_description": "expired access/refresh token"}
    assert w.api("GET", "/limits", token=second["access_token"]).status == 200


def test_a_sixth_approval_ends_the_oldest(w):
    for _ in range(5):
        w.sim("POST", "/login/approve", {})
    assert w.sign_in(grant_type="refresh_token", refresh_token=w.credentials["refresh_token"]).status == 400


def jwt(key, tmp_path, **claims):
    def part(raw):
        return base64.urlsafe_b64encode(raw).rstrip(b"=")
    text = part(json.dumps({"alg": claims.pop("alg", "RS256")}).encode()) + b"." + part(json.dumps(claims).encode())
    source = tmp_path / "signed"
    source.write_bytes(text)
    signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", key, source], check=True,
                               capture_output=True).stdout
    return (text + b"." + part(signature)).decode()


def test_jwt_bearer_is_verified_for_real(w, tmp_path):
    key, other = tmp_path / "key.pem", tmp_path / "other.pem"
    for path in (key, other):
        subprocess.run(["openssl", "genrsa", "-out", path, "2048"], check=True, capture_output=True)
    public = subprocess.run(["openssl", "rsa", "-in", key, "-pubout"], check=True, capture_output=True, text=True)
    now = 1772366400
    good = {"iss": w.credentials["client_id"], "sub": w.credentials["username"],
            "aud": "https://login.salesforce.com", "exp": now + 180}

    def ask(signer=key, **changed):
        return w.form(grant_type="urn:ietf:params:oauth:grant-type:jwt-bearer",
                      assertion=jwt(signer, tmp_path, **{**good, **changed}))

    assert ask().json["error_description"] == "invalid assertion"  # no key is known yet
    w.sim("POST", "/login/jwt_key", {"pem": public.stdout})
    token = ask().json
    assert "refresh_token" not in token
    assert w.api("GET", "/limits", token=token["access_token"]).status == 200
    assert ask(signer=other).json["error_description"] == "invalid assertion"
    assert ask(exp=now - 1).json["error_description"] == "invalid assertion"
    assert ask(exp=now + 3600).json["error_description"] == "invalid assertion"
    assert ask(aud="https://example.org").json["error_description"] == "audience is invalid"
    assert ask(sub="nobody@acme.example").json["error_description"] == "user hasn't approved this consumer"
    assert ask(alg="HS256").json["error_description"] == "invalid assertion"
    assert ask(iss="nobody").json["error"] == "invalid_client_id"


def test_sessions_end_by_idling_by_revocation_and_for_good(w):
    w.advance("3h")
    expired = w.api("GET", "/limits")
    assert expired.status == 401
    assert expired.json == [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]
    w.token = w.sign_in().json["access_token"]
    assert w.api("GET", "/limits").status == 200
    assert w.form("/services/oauth2/revoke", token=w.token).status == 200
    assert w.api("GET", "/limits").status == 401
    w.switch(permanent_401=1)
    assert w.api("GET", "/limits", token=w.sign_in().json["access_token"]).code == "INVALID_SESSION_ID"


def test_the_login_host_serves_no_api_and_the_instance_no_token(w):
    headers = {"Authorization": "Bearer " + w.token}
    assert w.login.call("GET", V + "/limits", headers=headers).status == 404
    assert w.form(host=w.instance, grant_type="client_credentials").status in (401, 404)


# ---- versions, metadata, limits ------------------------------------------------------------------------------------

def test_versions_need_no_session_and_dead_ones_are_gone(w):
    versions = w.instance.call("GET", "/services/data/").json
    assert [v["version"] for v in versions][0] == "31.0" and versions[-1]["version"] == "62.0"
    headers = {"Authorization": "Bearer " + w.token}
    assert w.instance.call("GET", "/services/data/v29.0/limits", headers=headers).status == 410
    assert w.instance.call("GET", "/services/data/v99.0/limits", headers=headers).code == "NOT_FOUND"
    assert w.instance.call("GET", V + "/limits").code == "INVALID_SESSION_ID"


DESCRIBE_KEYS = """aggregatable aiPredictionField autoNumber byteLength calculated calculatedFormula cascadeDelete
caseSensitive compoundFieldName controllerName createable custom defaultValue defaultValueFormula defaultedOnCreate
dependentPicklist deprecatedAndHidden digits displayLocationInDecimal encrypted externalId extraTypeInfo filterable
filteredLookupInfo formulaTreatNullNumberAsZero groupable highScaleNumber htmlFormatted idLookup inlineHelpText label
length mask maskType name nameField namePointing nillable permissionable picklistValues polymorphicForeignKey precision
queryByDistance referenceTargetField referenceTo relationshipName relationshipOrder restrictedDelete restrictedPicklist
scale searchPrefilterable soapType sortable type unique updateable writeRequiresMasterRead""".split()


@pytest.mark.parametrize("kind, required", [
    ("Account", {"Name"}), ("Contact", {"LastName"}), ("Lead", {"LastName", "Company"}),
    ("Opportunity", {"Name", "StageName", "CloseDate"}), ("OpportunityContactRole", {"OpportunityId", "ContactId"}),
    ("Task", set()), ("Event", set()),
])
def test_describe_has_every_key_and_the_required_formula_holds(w, kind, required):
    answer = w.api("GET", f"/sobjects/{kind}/describe")
    fields = answer.json["fields"]
    for field in fields:
        assert sorted(field) == DESCRIBE_KEYS
    found = {f["name"] for f in fields if not f["nillable"] and f["createable"] and not f["defaultedOnCreate"]}
    assert found == required
    since = {"If-Modified-Since": answer.headers["Last-Modified"]}
    unchanged = w.api("GET", f"/sobjects/{kind}/describe", headers=since)
    assert unchanged.status == 304 and unchanged.text == "" and unchanged.headers["Content-Type"] is None


def test_describe_of_contact_names_what_a_connector_asks_for(w):
    fields = {f["name"]: f for f in w.api("GET", "/sobjects/Contact/describe").json["fields"]}
    assert fields["LastName"]["length"] == 80 and fields["LastName"]["byteLength"] == 240
    assert fields["Name"]["createable"] is False and fields["Name"]["nameField"] is True
    assert fields["Email"]["idLookup"] is True and fields["Email"]["type"] == "email"
    assert fields["AccountId"]["referenceTo"] == ["Account"] and fields["AccountId"]["relationshipName"] == "Account"
    assert fields["Description"]["filterable"] is False
    assert fields["Tieline_Id__c"]["externalId"] is True and fields["Tieline_Id__c"]["unique"] is True
    w.switch(stamp_field=0)
    w.advance("1s")
    assert "Tieline_Id__c" not in w.api("GET", "/sobjects/Contact/describe").text
    assert w.query("SELECT Tieline_Id__c FROM Contact").code == "INVALID_FIELD"
    assert w.api("POST", "/sobjects/Contact", {"LastName": "x", "Tieline_Id__c": "y"}).code == "INVALID_FIELD"


def test_fields_come_and_go_at_run_time(w):
    before = w.api("GET", "/sobjects/Contact/describe").headers["Last-Modified"]
    w.advance("2s")
    w.sim("POST", "/salesforce/fields/Contact", {"name": "Tier__c", "type": "picklist", "values": "Gold|Silver",
                                                 "restricted": True})
    assert w.api("GET", "/sobjects/Contact/describe", headers={"If-Modified-Since": before}).status == 200
    bad = w.api("POST", "/sobjects/Contact", {"LastName": "x", "Tier__c": "Tin"})
    assert bad.code == "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
    w.create(LastName="x", Tier__c="Gold")
    w.sim("PATCH", "/salesforce/fields/Contact/Title", {"hidden": True})
    assert w.query("SELECT Title FROM Contact").code == "INVALID_FIELD"
    assert w.api("POST", "/sobjects/Contact", {"LastName": "x", "Title": "y"}).code == "INVALID_FIELD"


def test_describe_global_and_unknown_object(w):
    names = [o["name"] for o in w.api("GET", "/sobjects").json["sobjects"]]
    assert {"Account", "Contact", "Lead", "Opportunity", "Task", "Event", "Note", "User"} <= set(names)
    assert w.api("GET", "/sobjects/Nothing/describe").status == 404


def test_limits_agree_with_the_header_and_run_out(w):
    answer = w.api("GET", "/limits")
    limit = answer.json["DailyApiRequests"]
    assert answer.headers["Sforce-Limit-Info"] == f"api-usage={limit['Max'] - limit['Remaining']}/{limit['Max']}"
    w.switch(api_max=limit["Max"] - limit["Remaining"] + 1, limit_tokens=1)
    assert "; per-app-api-usage=" in w.api("GET", "/limits").headers["Sforce-Limit-Info"]
    over = w.api("GET", "/limits")
    assert over.status == 403 and over.code == "REQUEST_LIMIT_EXCEEDED"
    assert over.message == "TotalRequests Limit exceeded."
    w.switch(api_max=1000, api_disabled=1)
    assert w.api("GET", "/limits").code == "API_DISABLED_FOR_ORG"


def test_unknown_paths_and_wrong_verbs_are_answered_and_counted(w):
    assert w.api("GET", "/nothing/here").code == "NOT_FOUND"
    wrong = w.api("DELETE", "/limits")
    assert wrong.status == 405 and wrong.code == "METHOD_NOT_ALLOWED"
    twin = w.sim("GET", "/state")["twins"]["salesforce"]
    assert twin["unknown"] == 1 and twin["wrong_method"] == 1


def test_a_long_address_fails_at_the_edge_in_html(w):
    answer = w.query("SELECT Id FROM Contact WHERE Name IN (" + ",".join("'%08d'" % i for i in range(2000)) + ")")
    assert answer.status == 414 and answer.headers["Content-Type"].startswith("text/html")
    assert answer.text == "<h1>Bad Message 414</h1><pre>reason: URI Too Long</pre>"


# ---- writing one record --------------------------------------------------------------------------------------------

def test_create_read_update_delete(w):
    account = w.create(kind="Account", Name="Acme")
    created = w.api("POST", "/sobjects/Contact", {"LastName": "Doe", "FirstName": "Jané", "AccountId": account[:15],
                                                  "Email": "jane@acme.example", "MailingCity": "Köln"})
    contact = created.json["id"]
    assert created.json == {"id": contact, "success": True, "errors": []} and len(contact) == 18
    assert created.headers["Location"] == f"{V}/sobjects/Contact/{contact}"
    record = w.get(contact)
    assert list(record)[0] == "attributes" and record["attributes"]["url"].endswith(contact)
    assert record["Name"] == "Jané Doe" and record["AccountId"] == account
    assert record["MailingAddress"]["city"] == "Köln" and record["OtherAddress"] is None
    assert record["SystemModstamp"] == "2026-03-01T12:00:00.000+0000"
    assert w.get(contact[:15])["Id"] == contact
    assert w.api("PATCH", f"/sobjects/Contact/{contact}", {"Title": "Dr", "FirstName": None}).status == 204
    few = w.api("GET", f"/sobjects/Contact/{contact}?fields=Title,Name").json
    assert few["Title"] == "Dr" and few["Name"] == "Doe" and set(few) == {"attributes", "Id", "Title", "Name"}
    assert w.api("DELETE", f"/sobjects/Contact/{contact}").status == 204
    gone = w.api("PATCH", f"/sobjects/Contact/{contact}", {"Title": "x"})
    assert gone.status == 404
    assert gone.json == [{"errorCode": "ENTITY_IS_DELETED", "message": "entity is deleted", "fields": []}]


@pytest.mark.parametrize("kind, body, code, message, fields", [
    ("Contact", {}, "REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName]", ["LastName"]),
    ("Lead", {}, "REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName, Company]", ["LastName", "Company"]),
    ("Contact", {"LastName": "x", "Nope": 1}, "INVALID_FIELD", "No such column 'Nope' on sobject of type Contact",
     None),
    ("Contact", {"LastName": "x", "Name": "y"}, "INVALID_FIELD_FOR_INSERT_UPDATE", None, ["Name"]),
    ("Contact", {"LastName": "ä" * 81}, "STRING_TOO_LONG",
     "Last Name: data value too large: " + "ä" * 81 + " (max length=80)", ["LastName"]),
    ("Contact", {"LastName": "x", "Email": "not an address"}, "INVALID_EMAIL_ADDRESS",
     "Email: invalid email address: not an address", ["Email"]),
    ("Contact", {"LastName": "x", "AccountId": "0035j0000A000001AA"}, "MALFORMED_ID", None, ["AccountId"]),
    ("Contact", {"LastName": "x", "AccountId": "0015j0000Azzzzz"}, "INVALID_CROSS_REFERENCE_KEY", None, ["AccountId"]),
    ("Contact", {"LastName": "x", "MailingGeocodeAccuracy": "Perfect"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
     "Mailing Geocode Accuracy: bad value for restricted picklist field: Perfect", ["MailingGeocodeAccuracy"]),
    ("Account", {"Name": "x", "NumberOfEmployees": 123456789}, "NUMBER_OUTSIDE_VALID_RANGE", None,
     ["NumberOfEmployees"]),
    ("Contact", {"LastName": "x", "OwnerId": "INACTIVE"}, "INACTIVE_OWNER_OR_USER", None, ["OwnerId"]),
])
def test_refusals(w, kind, body, code, message, fields):
    if body.get("OwnerId") == "INACTIVE":
        body["OwnerId"] = w.rows("SELECT Id FROM User WHERE IsActive = false")[0]["Id"]
    answer = w.api("POST", f"/sobjects/{kind}", body)
    assert answer.status == 400
    assert answer.code == code
    if message:
        assert answer.message == message
    if fields is not None:
        assert answer.json[0]["fields"] == fields


def test_values_are_coerced_or_name_their_place(w):
    contact = w.create(LastName="  x  ", Loyalty_Points__c="120", Birthdate="1990-02-28")
    record = w.get(contact)
    assert record["Loyalty_Points__c"] == 120 and record["LastName"] == "x" and record["Birthdate"] == "1990-02-28"
    bad = w.api("POST", "/sobjects/Contact", '{"LastName":"x","Loyalty_Points__c":"see contract"}')
    assert bad.code == "JSON_PARSER_ERROR"
    assert bad.message == ("Cannot deserialize instance of double from VALUE_STRING value see contract or request may "
                           "be missing a required field at [line:1, column:37]")
    assert w.api("POST", "/sobjects/Contact", {"LastName": "x", "Birthdate": "1990-02-30"}).code == "JSON_PARSER_ERROR"
    assert w.api("POST", "/sobjects/Contact", '{"LastName":').code == "JSON_PARSER_ERROR"
    form = w.api("POST", "/sobjects/Contact", "LastName=x", {"Content-Type": "application/x-www-form-urlencoded"})
    assert form.status == 415 and form.code == "UNSUPPORTED_MEDIA_TYPE"
    w.switch(trim=0)
    assert w.get(w.create(LastName="  x  "))["LastName"] == "  x  "


def test_unique_external_ids_are_compared_without_case(w):
    first = w.create(LastName="x", Tieline_Id__c="i.ABC")
    again = w.api("POST", "/sobjects/Contact", {"LastName": "y", "Tieline_Id__c": "I.abc"})
    assert again.code == "DUPLICATE_VALUE" and again.json[0]["fields"] == []
    assert again.message == f"duplicate value found: Tieline_Id__c duplicates value on record with id: {first[:15]}"
    w.api("DELETE", f"/sobjects/Contact/{first}")
    w.create(LastName="y", Tieline_Id__c="I.abc")  # what lies in the bin is in nobody's way


def test_upsert_by_external_id(w):
    path = "/sobjects/Contact/Tieline_Id__c/" + urllib.parse.quote("i.1 ä", safe="")
    made = w.api("PATCH", path, {"LastName": "x"})
    assert made.status == 201 and made.json["created"] is True
    again = w.api("PATCH", path, {"LastName": "y"})
    assert again.status == 200
    assert again.json == {"id": made.json["id"], "success": True, "errors": [], "created": False}
    assert w.api("GET", path).json["LastName"] == "y"
    assert w.api("PATCH", path, {"LastName": "y", "Tieline_Id__c": "z"}).code == "INVALID_FIELD"
    assert w.api("PATCH", "/sobjects/Contact/Tieline_Id__c/none?updateOnly=true", {"LastName": "y"}).status == 404
    missing = w.api("PATCH", "/sobjects/Contact/Title/x", {"LastName": "y"})
    assert missing.status == 404
    assert missing.message == "Provided external ID field does not exist or is not accessible: Title"
    for _ in range(2):
        w.create(LastName="twin", Email="same@acme.example")
    several = w.api("PATCH", "/sobjects/Contact/Email/same%40acme.example", {"LastName": "y"})
    assert several.status == 300 and len(several.json) == 2 and all(isinstance(u, str) for u in several.json)


def test_conditional_update(w):
    contact = w.create(LastName="x")
    seen = w.api("GET", f"/sobjects/Contact/{contact}").headers["Last-Modified"]
    w.advance("5s")
    assert w.api("PATCH", f"/sobjects/Contact/{contact}", {"Title": "a"}, {"If-Unmodified-Since": seen}).status == 204
    late = w.api("PATCH", f"/sobjects/Contact/{contact}", {"Title": "b"}, {"If-Unmodified-Since": seen})
    assert late.status == 412 and late.code == "PRECONDITION_FAILED"
    assert w.get(contact)["Title"] == "a"


def test_duplicate_rule_hands_over_the_match(w):
    first = w.create(LastName="x", Email="a@acme.example")
    w.switch(duplicate_rule=1)
    body = {"LastName": "y", "Email": "A@acme.example"}
    refused = w.api("POST", "/sobjects/Contact", body)
    assert refused.code == "DUPLICATES_DETECTED"
    match = refused.json[0]["duplicateResut"]["matchResults"][0]["matchRecords"][0]
    assert match["record"]["Id"] == first
    headers = {"Sforce-Duplicate-Rule-Header": "allowSave=true"}
    assert w.api("POST", "/sobjects/Contact", body, headers).status == 201
    w.switch(duplicate_rule=2)
    assert w.api("POST", "/sobjects/Contact", body, headers).code == "DUPLICATES_DETECTED"


def test_side_effects_of_a_save(w):
    w.switch(trigger=1, assignment_rule=1)
    record = w.get(w.create(LastName="x", Email="X@Acme.example", Phone="415 555 1234"))
    assert record["Email"] == "x@acme.example" and record["Phone"] == "(415) 555-1234"
    assert record["LastModifiedById"] != record["OwnerId"]
    kept = w.api("POST", "/sobjects/Contact", {"LastName": "y"}, {"Sforce-Auto-Assign": "FALSE"}).json["id"]
    assert w.get(kept)["OwnerId"] == w.get(kept)["CreatedById"]


# ---- collections and composite -------------------------------------------------------------------------------------

def collection(rows, kind="Contact", **more):
    return {"allOrNone": False, "records": [{"attributes": {"type": kind}, **r} for r in rows], **more}


def test_collections_report_each_row_and_keep_the_good_ones(w):
    answer = w.api("POST", "/composite/sobjects", collection([{"LastName": "a"}, {}, {"LastName": "c"}]))
    assert answer.status == 200
    good, bad, last = answer.json
    assert good["success"] and last["success"] and "created" not in good
    assert bad == {"success": False, "errors": [{"statusCode": "REQUIRED_FIELD_MISSING",
                                                 "message": "Required fields are missing: [LastName]",
                                                 "fields": ["LastName"]}]}
    stamps = {w.get(r["id"])["SystemModstamp"] for r in (good, last)}
    assert len(stamps) == 1
    update = [{"id": good["id"], "Title": "1"}, {"id": good["id"], "Title": "2"}, {"Title": "3"},
              {"id": "0035j0000Azzzzz", "Title": "4"}]
    codes = [r["errors"][0]["statusCode"] if not r["success"] else "" for r in
             w.api("PATCH", "/composite/sobjects", collection(update)).json]
    assert codes == ["", "DUPLICATE_VALUE", "MISSING_ARGUMENT", "INVALID_CROSS_REFERENCE_KEY"]


def test_all_or_none_rolls_back(w):
    answer = w.api("POST", "/composite/sobjects", collection([{"LastName": "a"}, {}], allOrNone=True))
    assert [r["errors"][0]["statusCode"] for r in answer.json] == ["ALL_OR_NONE_OPERATION_ROLLED_BACK",
                                                                   "REQUIRED_FIELD_MISSING"]
    assert w.query("SELECT COUNT() FROM Contact").json["totalSize"] == 0


def test_a_value_that_cannot_be_parsed_spoils_the_request_or_the_row(w):
    rows = [{"LastName": "a"}, {"LastName": "b", "Loyalty_Points__c": "text"}]
    whole = w.api("POST", "/composite/sobjects", collection(rows))
    assert whole.status == 400 and whole.code == "JSON_PARSER_ERROR"
    assert w.query("SELECT COUNT() FROM Contact").json["totalSize"] == 0
    w.switch(parser_error_fails_request=0)
    one = w.api("POST", "/composite/sobjects", collection(rows))
    assert [r["success"] for r in one.json] == [True, False]


def test_collection_limits(w):
    assert w.api("POST", "/composite/sobjects", collection([{"LastName": "a"}] * 201)).status == 400
    assert len(w.api("POST", "/composite/sobjects", collection([{"LastName": "a"}] * 200)).json) == 200
    mixed = [{"attributes": {"type": "Contact" if i % 2 else "Account"}, "LastName": "a"} for i in range(12)]
    assert w.api("POST", "/composite/sobjects", {"records": mixed}).status == 400
    assert w.api("POST", "/composite/sobjects/Contact", {"ids": ["x"] * 2001, "fields": ["Id"]}).status == 400


def test_collection_upsert_delete_and_retrieve(w):
    path = "/composite/sobjects/Contact/Tieline_Id__c"
    first = w.api("PATCH", path, collection([{"Tieline_Id__c": "1", "LastName": "a"}])).json
    both = w.api("PATCH", path, collection([{"Tieline_Id__c": "1", "LastName": "b"},
                                            {"Tieline_Id__c": "2", "LastName": "c"}, {"LastName": "d"}])).json
    assert first[0]["created"] is True
    assert [r.get("created") for r in both] == [False, True, None] and both[0]["id"] == first[0]["id"]
    ids = [both[0]["id"], "0035j0000Azzzzz", both[1]["id"][:15]]
    rows = w.api("POST", "/composite/sobjects/Contact", {"ids": ids, "fields": ["LastName"]}).json
    assert rows[0]["LastName"] == "b" and rows[1] is None and rows[2]["Id"] == both[1]["id"]
    assert w.api("GET", f"/composite/sobjects/Contact?ids={ids[0]}&fields=LastName").json[0]["LastName"] == "b"
    hidden = w.api("POST", "/composite/sobjects/Contact", {"ids": ids, "fields": ["Nope"]})
    assert hidden.status == 400 and hidden.code == "INVALID_FIELD"
    deleted = w.api("DELETE", f"/composite/sobjects?ids={ids[0]},{ids[1]}&allOrNone=false").json
    assert [r["success"] for r in deleted] == [True, False]


def test_composite_passes_ids_on_and_can_roll_back(w):
    def call(all_or_none, last_name):
        return w.api("POST", "/composite", {"allOrNone": all_or_none, "compositeRequest": [
            {"method": "POST", "url": V + "/sobjects/Account", "referenceId": "acc", "body": {"Name": "Acme"}},
            {"method": "POST", "url": V + "/sobjects/Contact", "referenceId": "con",
             "body": {"LastName": last_name, "AccountId": "@{acc.id}"}},
            {"method": "GET", "url": V + "/sobjects/Contact/@{con.id}?fields=SystemModstamp", "referenceId": "read"},
            {"method": "GET", "url": V + "/query?q=SELECT+Name+FROM+Account", "referenceId": "q"}]}).json

    done = {r["referenceId"]: r for r in call(True, "Doe")["compositeResponse"]}
    assert [done[k]["httpStatusCode"] for k in ("acc", "con", "read", "q")] == [201, 201, 200, 200]
    assert done["acc"]["httpHeaders"]["Location"].endswith(done["acc"]["body"]["id"])
    assert done["q"]["body"]["totalSize"] == 1
    failed = call(True, None)["compositeResponse"]
    assert failed[0]["body"][0]["errorCode"] == "PROCESSING_HALTED"
    assert failed[1]["body"][0]["errorCode"] == "REQUIRED_FIELD_MISSING"
    assert w.query("SELECT COUNT() FROM Account").json["totalSize"] == 1
    assert call(False, None)["compositeResponse"][0]["httpStatusCode"] == 201
    rows = w.api("POST", "/composite", {"compositeRequest": [
        {"method": "POST", "url": V + "/composite/sobjects", "referenceId": "rows",
         "body": collection([{"LastName": "a"}, {"LastName": "b"}])},
        {"method": "GET", "url": V + "/sobjects/Contact/@{rows[1].id}", "referenceId": "second"}]}).json
    assert rows["compositeResponse"][1]["body"]["LastName"] == "b"
    many = [{"method": "GET", "url": V + "/limits", "referenceId": f"r{i}"} for i in range(26)]
    assert w.api("POST", "/composite", {"compositeRequest": many}).status == 400


def test_batch_runs_independent_calls(w):
    answer = w.api("POST", "/composite/batch", {"haltOnError": True, "batchRequests": [
        {"method": "GET", "url": "v62.0/sobjects/Account/describe"}, {"method": "GET", "url": "v62.0/nothing"},
        {"method": "GET", "url": "v62.0/limits"}]}).json
    assert answer["hasErrors"] is True
    assert [r["statusCode"] for r in answer["results"]] == [200, 404, 412]
    assert answer["results"][0]["result"]["name"] == "Account"


# ---- reading -------------------------------------------------------------------------------------------------------

def test_pages_follow_batch_size_and_show_the_moment_of_the_query(w):
    for _ in range(3):
        w.api("POST", "/composite/sobjects", collection([{"LastName": "old"}] * 200))
    page = w.query("SELECT Id, LastName FROM Contact", headers={"Sforce-Query-Options": "batchSize=50"}).json
    assert page["totalSize"] == 600 and page["done"] is False and len(page["records"]) == 200
    seen = {r["Id"] for r in page["records"]}
    later = w.rows("SELECT Id FROM Contact LIMIT 600")
    victim, changed = [r["Id"] for r in later if r["Id"] not in seen][:2]
    w.api("DELETE", f"/sobjects/Contact/{victim}")
    w.api("PATCH", f"/sobjects/Contact/{changed}", {"LastName": "new"})
    while not page["done"]:
        assert page["nextRecordsUrl"].startswith(V + "/query/")
        page = w.api("GET", page["nextRecordsUrl"][len(V):]).json
        assert all(r["LastName"] == "old" for r in page["records"])
        seen |= {r["Id"] for r in page["records"]}
    assert len(seen) == 600 and victim in seen


def test_a_locator_belongs_to_its_session(w):
    w.api("POST", "/composite/sobjects", collection([{"LastName": "x"}] * 200))
    w.api("POST", "/composite/sobjects", collection([{"LastName": "x"}] * 100))
    url = w.query("SELECT Id FROM Contact", headers={"Sforce-Query-Options": "batchSize=200"}).json["nextRecordsUrl"]
    other = w.sign_in().json["access_token"]
    assert w.api("GET", url[len(V):], token=other).code == "INVALID_QUERY_LOCATOR"
    assert len(w.api("GET", url[len(V):]).json["records"]) == 100
    w.sim("POST", "/faults", {"name": "lose-locator", "twin": "salesforce", "times": 1})
    assert w.api("GET", url[len(V):]).code == "INVALID_QUERY_LOCATOR"


def test_soql_over_http(populated):
    w = populated
    rows = w.rows("SELECT Id, Name, Account.Name, Account.Owner.Name, Owner.Name FROM Contact WHERE AccountId != null "
                  "AND (Email LIKE '%@%' OR Email = null) ORDER BY Name LIMIT 5")
    assert len(rows) == 5 and [r["Name"].lower() for r in rows] == sorted(r["Name"].lower() for r in rows)
    assert rows[0]["Account"]["Owner"]["Name"] == "Ada Admin"
    assert list(rows[0]) == ["attributes", "Id", "Name", "Account", "Owner"]
    orphan = w.rows("SELECT Id, Account.Name FROM Contact WHERE AccountId = null LIMIT 1")
    assert not orphan or orphan[0]["Account"] is None
    total = w.query("SELECT COUNT() FROM Contact").json
    assert total["records"] == [] and total["totalSize"] >= 600
    accounts = w.rows("SELECT Id, (SELECT Id, LastName FROM Contacts ORDER BY LastName) FROM Account")
    children = sum(a["Contacts"]["totalSize"] if a["Contacts"] else 0 for a in accounts)
    assert children == w.query("SELECT COUNT() FROM Contact WHERE AccountId != null").json["totalSize"]


def test_query_errors_show_the_place(w):
    bad = w.query("SELECT Id, Foo FROM Contact")
    assert bad.status == 400 and bad.code == "INVALID_FIELD"
    assert bad.message.startswith("\nSELECT Id, Foo FROM Contact\n           ^\nERROR at Row:1:Column:12\n"
                                  "No such column 'Foo' on entity 'Contact'.")
    assert w.query("SELECT Id FROM Xyzzy").code == "INVALID_TYPE"
    assert w.query("SELECT Id FROM Contact WHERE").code == "MALFORMED_QUERY"
    assert w.api("GET", "/query").code == "MALFORMED_QUERY"


def test_bin_merge_restore_and_purge(w):
    account, other = w.create(kind="Account", Name="a"), w.create(kind="Account", Name="b")
    contact = w.create(LastName="x", AccountId=account)
    w.sim("POST", f"/salesforce/records/accounts/{account}/merge", {"master": other})
    loser = w.rows(f"SELECT IsDeleted, MasterRecordId FROM Account WHERE Id = '{account}'", all_rows=True)[0]
    assert loser["IsDeleted"] is True and loser["MasterRecordId"] == other
    assert w.get(contact)["AccountId"] == other
    w.api("DELETE", f"/sobjects/Account/{other}")  # takes its contacts with it
    assert w.rows("SELECT Id FROM Contact") == []
    assert w.rows("SELECT IsDeleted FROM Contact", all_rows=True)[0]["IsDeleted"] is True
    w.sim("POST", f"/salesforce/records/contacts/{contact}/restore")
    assert len(w.rows("SELECT Id FROM Contact")) == 1
    w.sim("POST", f"/salesforce/records/contacts/{contact}/purge")
    assert w.rows("SELECT Id FROM Contact", all_rows=True) == []
    assert w.api("GET", f"/sobjects/Contact/{contact}").code == "NOT_FOUND"
    assert w.sim("GET", "/salesforce/dump/contacts") == [{"Id": contact, "_state": "purged"}]
    assert [a["_state"] for a in w.sim("GET", "/salesforce/dump/accounts")] == ["merged", "trashed"]


def stamp(text):
    return urllib.parse.quote(text, safe="")


def test_get_updated_and_get_deleted(w):
    contact, gone = w.create(LastName="x"), w.create(LastName="y")
    w.api("DELETE", f"/sobjects/Contact/{gone}")
    w.advance("5m")
    window = f"?start={stamp('2026-03-01T11:00:00+00:00')}&end={stamp('2026-03-01T12:04:59+00:00')}"
    updated = w.api("GET", "/sobjects/Contact/updated/" + window).json
    assert updated == {"ids": [contact], "latestDateCovered": "2026-03-01T12:04:00.000+0000"}
    deleted = w.api("GET", "/sobjects/Contact/deleted/" + window).json
    assert deleted["deletedRecords"] == [{"deletedDate": "2026-03-01T12:00:00.000+0000", "id": gone}]
    w.sim("POST", "/salesforce/forget_deletions", {"earliest": "2026-03-01T12:01:00Z"})
    deleted = w.api("GET", "/sobjects/Contact/deleted/" + window).json
    assert deleted["deletedRecords"] == [] and deleted["earliestDateAvailable"] == "2026-03-01T12:01:00.000+0000"
    raw_plus = "?start=2026-03-01T11:00:00+00:00&end=2026-03-01T12:00:00+00:00"
    short = f"?start={stamp('2026-03-01T12:00:10Z')}&end={stamp('2026-03-01T12:00:50Z')}"
    old = f"?start={stamp('2026-01-01T00:00:00Z')}&end={stamp('2026-03-01T12:00:00Z')}"
    for wrong in (raw_plus, short, old):
        assert w.api("GET", "/sobjects/Contact/updated/" + wrong).code == "INVALID_REPLICATION_DATE"


def test_a_late_commit_shows_later_with_an_older_stamp(w):
    contact = w.create(LastName="before")
    w.advance("10m")
    w.sim("PATCH", f"/salesforce/records/contacts/{contact}", {"LastName": "after", "$late_ms": 120000})
    w.advance("1m")
    window = f"?start={stamp('2026-03-01T11:00:00Z')}&end={stamp('2026-03-01T13:00:00Z')}"

    def covered():
        return w.api("GET", "/sobjects/Contact/updated/" + window).json["latestDateCovered"]

    assert w.get(contact)["LastName"] == "before"
    assert covered() == "2026-03-01T12:10:00.000+0000"
    locked = w.api("PATCH", f"/sobjects/Contact/{contact}", {"Title": "x"})
    assert locked.code == "UNABLE_TO_LOCK_ROW"
    w.advance("2m")
    record = w.get(contact)
    assert record["LastName"] == "after" and record["SystemModstamp"] == "2026-03-01T12:10:00.000+0000"
    found = w.rows("SELECT Id FROM Contact WHERE SystemModstamp >= 2026-03-01T12:10:00Z ORDER BY SystemModstamp, Id")
    assert [r["Id"] for r in found] == [contact]
    assert covered() == "2026-03-01T12:13:00.000+0000"


def test_a_late_create_by_fault(w):
    w.sim("POST", "/faults", {"name": "late-commit", "twin": "salesforce", "ms": 60000, "times": 1})
    made = w.sim("POST", "/salesforce/records/contacts", {"LastName": "late"})
    assert w.rows("SELECT Id FROM Contact") == []
    assert w.api("GET", f"/sobjects/Contact/{made['id']}").status == 404
    w.advance("2m")
    assert w.rows("SELECT SystemModstamp FROM Contact")[0]["SystemModstamp"] == "2026-03-01T12:00:00.000+0000"


# ---- control plane -------------------------------------------------------------------------------------------------

def test_changes_as_another_user_and_the_dump(w):
    made = w.sim("POST", "/salesforce/records/contacts", {"LastName": "x", "Email": "x@acme.example"})
    record = w.get(made["id"])
    own = w.rows(f"SELECT Id FROM User WHERE Username = '{w.credentials['username']}'")[0]["Id"]
    assert record["LastModifiedById"] != own
    w.sim("PATCH", f"/salesforce/records/contacts/{made['id']}", {"Title": "t", "$user": "integration"})
    assert w.get(made["id"])["LastModifiedById"] == own
    dump = w.sim("GET", "/salesforce/dump/contacts")
    assert len(dump) == 1 and dump[0]["Title"] == "t" and dump[0]["Loyalty_Points__c"] is None
    assert dump[0]["_state"] == "live"
    assert w.sim("GET", "/salesforce/counts")["Contact"] == {"live": 1, "created": 1, "updated": 1, "deleted": 0}


def test_an_object_without_rights_is_not_there(w):
    contact = w.create(LastName="x")
    task = w.create(kind="Task", Subject="t", WhoId=contact)
    w.sim("PATCH", "/salesforce/objects/Task", {"hidden": True})
    assert "Task" not in [o["name"] for o in w.api("GET", "/sobjects").json["sobjects"]]
    assert w.api("GET", "/sobjects/Task/describe").code == "NOT_FOUND"
    assert w.api("GET", f"/sobjects/Task/{task}").code == "NOT_FOUND"
    assert w.query("SELECT Id FROM Task").code == "INVALID_TYPE"
    assert w.query("SELECT Id, (SELECT Id FROM Tasks) FROM Contact").code == "INVALID_TYPE"
    children = w.api("GET", "/sobjects/Contact/describe").json["childRelationships"]
    assert "Task" not in [c["childSObject"] for c in children] and "Event" in [c["childSObject"] for c in children]
    w.sim("PATCH", "/salesforce/objects/Task", {"hidden": False})
    assert w.rows("SELECT Id FROM Task")[0]["Id"] == task


def test_an_enhanced_note_is_a_document_with_a_link(w):
    contact = w.create(LastName="x")
    note = w.sim("POST", "/salesforce/notes", {"about": contact, "title": "t", "text": "\u00e4" * 300})["id"]
    ask = ("SELECT ContentDocumentId, ContentDocument.Title, ContentDocument.FileType, ContentDocument.Owner.Name, "
           "ContentDocument.LatestPublishedVersion.TextPreview, LinkedEntity.Name FROM ContentDocumentLink "
           f"WHERE LinkedEntityId = '{contact}' AND ContentDocument.FileType = 'SNOTE'")
    row, = w.rows(ask)
    document = row["ContentDocument"]
    assert note.startswith("069") and row["ContentDocumentId"] == note and row["LinkedEntity"]["Name"] == "x"
    assert (document["Title"], document["Owner"]["Name"]) == ("t", "Ada Admin")
    assert document["LatestPublishedVersion"]["TextPreview"] == "\u00e4" * 255
    assert document["attributes"]["type"] == "ContentDocument"
    w.sim("POST", f"/salesforce/records/Contact/{contact}/trash", {})
    assert w.rows(ask) == []


def test_histories_are_given_to_as_many_contacts_as_wanted(populated):
    w = populated
    count = lambda kind: w.query(f"SELECT COUNT() FROM {kind}").json["totalSize"]
    assert [count(kind) for kind in ("Opportunity", "Note", "Task", "Event")] == [0, 0, 0, 0]
    for wanted in (2, 5):
        w.switch(histories=wanted)
        customers = {r["WhoId"] for r in w.rows("SELECT WhoId FROM Task")}
        assert len(customers) == wanted and count("Task") == count("Event") == count("Opportunity") == 3 * wanted
        assert count("OpportunityContactRole") == 2 * wanted and count("Note") == wanted
        for contact in customers:
            assert count(f"ContentDocumentLink WHERE LinkedEntityId = '{contact}'") == 2


def test_activities_derive_their_times(w):
    contact = w.create(LastName="x")
    start = {"WhoId": contact, "StartDateTime": "2026-03-05T09:00:00Z"}
    by_minutes = w.get(w.create(kind="Event", DurationInMinutes=90, **start), "Event")
    by_end = w.get(w.create(kind="Event", EndDateTime="2026-03-05T10:00:00Z", **start), "Event")
    assert by_minutes["EndDateTime"] == "2026-03-05T10:30:00.000+0000" and by_end["DurationInMinutes"] == 60
    assert by_end["ActivityDate"] == "2026-03-05" and by_end["ActivityDateTime"] == by_end["StartDateTime"]
    w.api("PATCH", f"/sobjects/Event/{by_end['Id']}", {"DurationInMinutes": 30})
    assert w.get(by_end["Id"], "Event")["EndDateTime"] == "2026-03-05T09:30:00.000+0000"
    task = w.create(kind="Task", WhoId=contact)
    assert w.get(task, "Task")["CompletedDateTime"] is None
    w.api("PATCH", f"/sobjects/Task/{task}", {"Status": "Completed"})
    assert w.get(task, "Task")["CompletedDateTime"] == "2026-03-01T12:00:00.000+0000"


def test_a_reference_to_several_objects_leads_to_the_right_one(w):
    account = w.create(kind="Account", Name="a")
    deal = w.create(kind="Opportunity", Name="d", StageName="Prospecting", CloseDate="2026-05-01", AccountId=account)
    for what in (account, deal):
        w.create(kind="Task", Subject=what, WhatId=what)
    rows = w.rows("SELECT Subject, What.Name, Who.Name FROM Task WHERE What.Name IN ('a', 'd') ORDER BY What.Name")
    assert [(r["Subject"], r["What"]["Name"], r["Who"]) for r in rows] == [(account, "a", None), (deal, "d", None)]
    wrong = w.query("SELECT What.StageName FROM Task")
    assert wrong.code == "INVALID_FIELD" and "No such column 'StageName' on entity 'Name'" in wrong.message


def test_a_write_for_another_source_record_is_a_violation(w):
    contact = w.create(LastName="x", Tieline_Id__c="i.one")
    w.api("PATCH", f"/sobjects/Contact/{contact}", {"Title": "t", "Tieline_Id__c": "i.one"})
    assert w.sim("GET", "/violations")["count"] == 0
    w.api("PATCH", f"/sobjects/Contact/{contact}", {"Tieline_Id__c": "i.two"})
    assert w.sim("GET", "/violations")["count"] == 1


def test_row_locks_and_server_faults_in_the_vendors_words(w):
    w.sim("POST", "/faults", {"name": "lock-row", "twin": "salesforce", "after": 1, "times": 1})
    three = collection([{"LastName": "a"}, {"LastName": "b"}, {"LastName": "c"}])
    rows = w.api("POST", "/composite/sobjects", three).json
    assert [r["success"] for r in rows] == [True, False, True]
    assert rows[1]["errors"][0]["statusCode"] == "UNABLE_TO_LOCK_ROW"
    w.sim("POST", "/faults", {"name": "503-json", "twin": "salesforce", "times": 1})
    assert w.api("GET", "/limits").code == "SERVER_UNAVAILABLE"
    w.sim("POST", "/faults", {"name": "500", "twin": "salesforce", "times": 1})
    assert w.api("GET", "/limits").code == "UNKNOWN_EXCEPTION"
    w.sim("POST", "/faults", {"name": "expire-token", "twin": "salesforce", "times": 1})
    assert w.api("GET", "/limits").status == 401


def test_planted_cases_are_listed_with_ids_that_exist(populated):
    planted = [p for p in populated.sim("GET", "/planted") if p["side"] == "salesforce"]
    assert {"email-twice", "no-email", "late-account"} <= {p["case"] for p in planted}
    for p in planted:
        kind = "Account" if p["kind"] == "accounts" else "Contact"
        assert populated.api("GET", f"/sobjects/{kind}/{p['id']}?fields=Id").status == 200
