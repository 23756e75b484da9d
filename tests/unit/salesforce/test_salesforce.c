/* The connector's pure parts, and what it makes of answers that no twin gives: scripted, without a network. */
#include "unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "salesforce.h"
#include "unit/fake_host.h"

/* ---- SOQL */

static void expect_text(const char *in, const char *out)
{
    TLK_AUTO_BUF b = {0};
    sf_soql_text(&b, tlk_str(in));
    assert_str(tlk_lent(&b), out);
}

static void test_soql_text(void **state)
{
    (void)state;
    expect_text("", "''");
    expect_text("O'Brien", "'O\\'Brien'");
    expect_text("a\\", "'a\\\\'");
    expect_text("\\' OR Id != \\'", "'\\\\\\' OR Id != \\\\\\''");
    expect_text("100%_", "'100%_'"); /* no wildcards under = and IN */
    expect_text("a\nb\r\tc\x01", "'a\\nb\\r\\tc\\u0001'");
    expect_text("\xc3\x84\xe4\xb8\xad", "'\xc3\x84\xe4\xb8\xad'");
}

static void test_soql_names_and_times(void **state)
{
    (void)state;
    assert_true(sf_is_name(STR("Tieline_Id__c")));
    assert_true(sf_is_name(STR("Account.Name")));
    static const char *const bad[] = {"", "1a", "a b", "a,b", "a'b", "Id FROM User", "a)", "\xc3\xa4"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(sf_is_name(str_of(bad[i])));
    TLK_AUTO_BUF b = {0};
    sf_soql_time(&b, INT64_C(1772366400999999));
    assert_str(tlk_lent(&b), "2026-03-01T12:00:00Z");
}

static void test_select_names_each_field_once(void **state)
{
    (void)state;
    tl_field fields[] = {
        {.struct_size = sizeof(tl_field), .name = TL_STR("Email")},
        {.struct_size = sizeof(tl_field), .name = TL_STR("email")},
        {.struct_size = sizeof(tl_field), .name = TL_STR("Tieline_Id__c")},
        {.struct_size = sizeof(tl_field), .name = TL_STR("Id FROM User")},
    };
    tl_shape s = {.struct_size = sizeof s, .n_fields = 4, .field_stride = sizeof(tl_field), .fields = fields};
    TLK_AUTO_BUF b = {0};
    sf_soql_select(&b, sf_kind_of(STR("contact")), &s, STR("Tieline_Id__c"));
    assert_str(tlk_lent(&b),
               "SELECT Id,SystemModstamp,CreatedDate,LastModifiedById,IsDeleted,MasterRecordId,Tieline_Id__c,"
               "Email FROM Contact");
}

static void test_list_view_query(void **state)
{
    (void)state;
    tl_str scope, condition;
    assert_true(
        sf_soql_view(STR("SELECT Name, (SELECT Id FROM Cases WHERE x = 1) FROM Account USING SCOPE mine WHERE Name "
                         "= 'ORDER BY' AND (Type = 'a' OR Type = 'b') ORDER BY Name ASC NULLS FIRST, Id"),
                     &scope, &condition));
    assert_str(scope, "mine");
    assert_str(condition, "Name = 'ORDER BY' AND (Type = 'a' OR Type = 'b')");
    assert_true(sf_soql_view(STR("SELECT Id FROM Contact"), &scope, &condition));
    assert_int_equal(scope.n + condition.n, 0);
    assert_true(sf_soql_view(STR("select Id from Contact where Email = 'it\\'s where' limit 5"), &scope, &condition));
    assert_str(condition, "Email = 'it\\'s where'");
    assert_false(sf_soql_view(STR("nothing"), &scope, &condition));
}

static void test_ids_and_text(void **state)
{
    (void)state;
    char id[SF_ID + 1];
    sf_id18(id, STR("a0D30000001n7Pi")); /* the example of the vendor's community */
    assert_string_equal(id, "a0D30000001n7PiEAI");
    sf_id18(id, STR("a0D30000001n7PiEAI"));
    assert_string_equal(id, "a0D30000001n7PiEAI");
    assert_true(sf_same_text(STR(" Acme "), STR("ACME")));
    assert_true(sf_same_text(STR("Stra\xc3\x9f"
                                 "e \xc3\x84"),
                             STR("stra\xc3\x9f"
                                 "e \xc3\xa4")));
    assert_true(sf_same_text(STR("\xd0\x98\xd0\x92\xd0\x90\xd0\x9d"), STR("\xd0\xb8\xd0\xb2\xd0\xb0\xd0\xbd")));
    assert_true(sf_same_text(STR("\xc5\xbd"), STR("\xc5\xbe")));
    assert_false(sf_same_text(STR("Acme"), STR("Acme Inc")));
    assert_false(sf_same_text(STR("a"), STR("\xc3\xa4")));
    assert_false(sf_same_text(STR("\xc3"), STR("x"))); /* cut short */
}

static void test_usage_header(void **state)
{
    (void)state;
    int64_t used = 0, limit = 0;
    assert_true(sf_usage_parse(STR("api-usage=18/5000"), &used, &limit));
    assert_int_equal(used, 18);
    assert_int_equal(limit, 5000);
    assert_true(
        sf_usage_parse(STR("api-bursts=1/750; api-usage=19/5000; per-app-api-usage=17/250(appName=x)"), &used, &limit));
    assert_int_equal(used, 19);
    static const char *const bad[] = {"", "api-usage=", "api-usage=a/5", "per-app-api-usage=17/250", "api-usage=5"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(sf_usage_parse(str_of(bad[i]), &used, &limit));
}

/* ---- errors */

static tl_status judge(int32_t http, const char *body, tl_error *e)
{
    TLK_AUTO_JSON j = {0};
    *e = (tl_error){.struct_size = sizeof *e};
    return tlk_error_of(&sf_errors, http, tlk_json_read(&j, tlk_str(body)), 0, e);
}

static void test_every_code(void **state)
{
    (void)state;
    static const struct {
        const char *code;
        int32_t http;
        tl_status status;
        int32_t reason;
    } all[] = {
        {"INVALID_SESSION_ID", 401, TL_E_AUTH, 0},
        {"INVALID_AUTH_HEADER", 401, TL_E_AUTH, 0},
        {"API_DISABLED_FOR_ORG", 403, TL_E_CONFIG, 0},
        {"API_CURRENTLY_DISABLED", 403, TL_E_CONFIG, 0},
        {"LIMIT_EXCEEDED", 400, TL_E_QUOTA, 0},
        {"TXN_SECURITY_METERING_ERROR", 403, TL_E_THROTTLED, 0},
        {"UNABLE_TO_LOCK_ROW", 400, TL_E_TEMPORARY, 0},
        {"SERVER_UNAVAILABLE", 503, TL_E_TEMPORARY, 0},
        {"UNKNOWN_EXCEPTION", 500, TL_E_TEMPORARY, 0},
        {"QUERY_TIMEOUT", 400, TL_E_TEMPORARY, 0},
        {"REQUEST_RUNNING_TOO_LONG", 503, TL_E_TEMPORARY, 0},
        {"INVALID_QUERY_LOCATOR", 400, TL_E_TEMPORARY, 0},
        {"DUPLICATE_VALUE", 400, TL_E_INVALID, TL_R_ALREADY_MAPPED},
        {"DUPLICATES_DETECTED", 400, TL_E_INVALID, TL_R_DUPLICATE_RULE},
        {"INVALID_TYPE_ON_FIELD_IN_RECORD", 400, TL_E_INVALID, TL_R_TYPE_MISMATCH},
        {"NUMBER_OUTSIDE_VALID_RANGE", 400, TL_E_INVALID, TL_R_PARAM_INVALID},
        {"REQUIRED_FIELD_MISSING", 400, TL_E_INVALID, TL_R_REQUIRED_MISSING},
        {"MISSING_ARGUMENT", 400, TL_E_INVALID, TL_R_PARAM_MISSING},
        {"INVALID_FIELD", 400, TL_E_INVALID, TL_R_SCHEMA},
        {"INVALID_FIELD_FOR_INSERT_UPDATE", 400, TL_E_INVALID, TL_R_SCHEMA},
        {"INVALID_TYPE", 400, TL_E_INVALID, TL_R_SCHEMA},
        {"MALFORMED_ID", 400, TL_E_INVALID, TL_R_REFERENCE},
        {"MALFORMED_QUERY", 400, TL_E_BUG, 0},
        {"STRING_TOO_LONG", 400, TL_E_INVALID, TL_R_TOO_LONG},
        {"INVALID_EMAIL_ADDRESS", 400, TL_E_INVALID, TL_R_PARAM_INVALID},
        {"INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", 400, TL_E_INVALID, TL_R_CHOICE_UNKNOWN},
        {"FIELD_INTEGRITY_EXCEPTION", 400, TL_E_INVALID, TL_R_PARAM_INVALID},
        {"INVALID_CROSS_REFERENCE_KEY", 400, TL_E_INVALID, TL_R_REFERENCE},
        {"INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", 400, TL_E_INVALID, TL_R_REFERENCE},
        {"FIELD_CUSTOM_VALIDATION_EXCEPTION", 400, TL_E_INVALID, TL_R_VALIDATION_RULE},
        {"FIELD_FILTER_VALIDATION_EXCEPTION", 400, TL_E_INVALID, TL_R_PARAM_INVALID},
        {"CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", 400, TL_E_INVALID, TL_R_VALIDATION_RULE},
        {"INSUFFICIENT_ACCESS_OR_READONLY", 400, TL_E_DENIED, TL_R_PERMISSION},
        {"INSUFFICIENT_ACCESS", 403, TL_E_DENIED, TL_R_PERMISSION},
        {"CANNOT_UPDATE_CONVERTED_LEAD", 400, TL_E_DENIED, TL_R_LOCKED},
        {"ENTITY_IS_LOCKED", 400, TL_E_DENIED, TL_R_LOCKED},
        {"INACTIVE_OWNER_OR_USER", 400, TL_E_INVALID, TL_R_REFERENCE},
        {"ENTITY_IS_DELETED", 404, TL_E_NOT_FOUND, 0},
        {"NOT_FOUND", 404, TL_E_NOT_FOUND, 0},
        {"STORAGE_LIMIT_EXCEEDED", 400, TL_E_DENIED, TL_R_PERMISSION},
        {"ALL_OR_NONE_OPERATION_ROLLED_BACK", 400, TL_E_TEMPORARY, 0},
        {"UNSUPPORTED_API_VERSION", 404, TL_E_CONFIG, 0},
        {"METHOD_NOT_ALLOWED", 405, TL_E_BUG, 0},
        {"INVALIDENTITY", 400, TL_E_UNSUPPORTED, 0},
        {"SOMETHING_NEW", 403, TL_E_DENIED, TL_R_PERMISSION},
        {"SOMETHING_NEW", 410, TL_E_CONFIG, 0},
        {"SOMETHING_NEW", 429, TL_E_THROTTLED, 0},
        {"SOMETHING_NEW", 500, TL_E_TEMPORARY, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        tl_error e;
        AUTO(text_free)
        char *body = text_fmt("[{\"message\":\"words\",\"errorCode\":\"%s\",\"fields\":[\"F\"]}]", all[i].code);
        if (judge(all[i].http, body, &e) != all[i].status || e.reason != all[i].reason)
            fail_msg("%s: reason %d, %s", all[i].code, (int)e.reason, e.text);
        assert_string_equal(e.code, all[i].code);
        assert_string_equal(e.field, "F");
        assert_non_null(strstr(e.text, "words"));
    }
}

static void test_words_decide_between_meanings(void **state)
{
    (void)state;
    tl_error e;
    assert_int_equal(
        judge(403, "[{\"errorCode\":\"REQUEST_LIMIT_EXCEEDED\",\"message\":\"TotalRequests Limit exceeded.\"}]", &e),
        TL_E_QUOTA);
    assert_int_equal(e.scope, TL_SCOPE_ENDPOINT);
    assert_true(e.retry_after_ms >= 3600000);
    assert_int_equal(judge(403,
                           "[{\"errorCode\":\"REQUEST_LIMIT_EXCEEDED\",\"message\":\"ConcurrentPerOrgLongTxn Limit "
                           "exceeded.\"}]",
                           &e),
                     TL_E_THROTTLED);
    assert_int_equal(e.retry_after_ms, 30000);
    assert_int_equal(judge(400,
                           "[{\"errorCode\":\"CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY\",\"message\":\"t: execution of "
                           "AfterUpdate caused by: UNABLE_TO_LOCK_ROW\"}]",
                           &e),
                     TL_E_TEMPORARY);
    assert_int_equal(
        judge(400,
              "[{\"errorCode\":\"JSON_PARSER_ERROR\",\"message\":\"Cannot deserialize instance of int from "
              "VALUE_STRING value x\"}]",
              &e),
        TL_E_INVALID);
    assert_int_equal(e.reason, TL_R_TYPE_MISMATCH);
    assert_int_equal(
        judge(400,
              "[{\"errorCode\":\"JSON_PARSER_ERROR\",\"message\":\"Cannot deserialize instance of date from "
              "VALUE_STRING value x\"}]",
              &e),
        TL_E_INVALID);
    assert_int_equal(e.reason, TL_R_PARAM_INVALID);
    assert_int_equal(judge(300, "[\"/services/data/v62.0/sobjects/Contact/003\"]", &e),
                     TL_E_INVALID); /* texts, no objects */
    assert_int_equal(e.reason, TL_R_ALREADY_MAPPED);
}

static void test_sign_in_errors(void **state)
{
    (void)state;
    static const struct {
        int32_t http;
        const char *body;
        tl_status status;
    } all[] = {
        {400, "{\"error\":\"invalid_grant\",\"error_description\":\"expired access/refresh token\"}", TL_E_AUTH},
        {400, "{\"error\":\"invalid_grant\",\"error_description\":\"authentication failure\"}", TL_E_AUTH},
        {400, "{\"error\":\"invalid_grant\",\"error_description\":\"user hasn't approved this consumer\"}",
         TL_E_CONFIG},
        {400, "{\"error\":\"invalid_grant\",\"error_description\":\"audience is invalid\"}", TL_E_CONFIG},
        {400, "{\"error\":\"invalid_grant\",\"error_description\":\"no client credentials user enabled\"}",
         TL_E_CONFIG},
        {400, "{\"error\":\"invalid_client_id\",\"error_description\":\"client identifier invalid\"}", TL_E_CONFIG},
        {401, "{\"error\":\"invalid_client\",\"error_description\":\"invalid client credentials\"}", TL_E_AUTH},
        {400, "{\"error\":\"unsupported_grant_type\",\"error_description\":\"grant type not supported\"}", TL_E_CONFIG},
        {400, "{\"error\":\"inactive_user\"}", TL_E_AUTH},
        {400, "{\"error\":\"rate_limit_exceeded\"}", TL_E_THROTTLED},
        {503, "<html>busy</html>", TL_E_TEMPORARY},
        {500, "", TL_E_TEMPORARY},
        {404, "<html>not here</html>", TL_E_CONFIG},
        {400, "{\"error\":\"something_new\"}", TL_E_AUTH},
    };
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        tl_error e = {.struct_size = sizeof e};
        if (sf_auth.token_error(all[i].http, tlk_str(all[i].body), &e) != all[i].status || !e.text[0])
            fail_msg("%s: %s", all[i].body, e.text);
    }
}

static void test_verdict(void **state)
{
    (void)state;
    tl_str expired = TL_STR("[{\"message\":\"Session expired or invalid\",\"errorCode\":\"INVALID_SESSION_ID\"}]");
    assert_int_equal(sf_auth.verdict(401, expired), TL_AUTH_EXPIRED);
    assert_int_equal(sf_auth.verdict(401, (tl_str){NULL, 0}), TL_AUTH_EXPIRED);
    assert_int_equal(sf_auth.verdict(401, TL_STR("[{\"errorCode\":\"INVALID_AUTH_HEADER\"}]")), TL_AUTH_REFUSED);
    assert_int_equal(sf_auth.verdict(403, TL_STR("[{\"errorCode\":\"API_DISABLED_FOR_ORG\"}]")), TL_AUTH_UNRELATED);
    assert_int_equal(sf_auth.verdict(200, expired), TL_AUTH_UNRELATED);
}

/* ---- scripted answers */

struct script {
    struct fake_host *fake;
    tl_conn *conn;
    struct {
        int32_t status;
        tl_status outcome;
        const char *body;
    } answers[16];
    int64_t date_off_us; /* how wrong the Date of answers is */
    uint32_t n, asked;
    char urls[16][2048], bodies[16][4096], methods[16][8];
    tl_shape shape;
    tl_field fields[4];
};

static tl_status sign_in_said(struct fake_host *f, const char *member, struct buf *out)
{
    (void)f;
    if (strcmp(member, "instance_url") == 0)
        buf_text_add(out, "https://acme.my.salesforce.com");
    else if (strcmp(member, "id") == 0)
        buf_text_add(out, "https://login.salesforce.com/id/00D300000000001EAA/005300000000001AAA");
    return TL_OK;
}

static tl_status answer(struct fake_host *f, tl_http *r, uint32_t n, tl_error *e)
{
    struct script *s = f->test;
    (void)e;
    for (uint32_t i = 0; i < n; i++) {
        assert_true(s->asked < s->n);
        snprintf(s->urls[s->asked], sizeof s->urls[0], "%.*s", STR_FMT(r[i].url));
        snprintf(s->bodies[s->asked], sizeof s->bodies[0], "%.*s", STR_FMT(r[i].body));
        snprintf(s->methods[s->asked], sizeof s->methods[0], "%s", r[i].method);
        r[i].outcome = s->answers[s->asked].outcome;
        r[i].status = s->answers[s->asked].status;
        r[i].out_body = tlk_str(s->answers[s->asked].body);
        r[i].server_us = f->now_us + s->date_off_us;
        s->asked++;
    }
    return TL_OK;
}

static void say(struct script *s, int32_t status, const char *body)
{
    s->answers[s->n].status = status;
    s->answers[s->n].outcome = status ? TL_OK : TL_E_UNKNOWN;
    s->answers[s->n++].body = body;
}

static int setup(void **state)
{
    struct script *s = calloc(1, sizeof *s);
    const tl_field fields[] = {
        {.type = TL_TEXT, .path = TL_STR("last_name"), .name = TL_STR("LastName"), .label = TL_STR("Last Name")},
        {.type = TL_INT, .path = TL_STR("x.Level__c"), .name = TL_STR("Level__c"), .label = TL_STR("Level")},
        {.type = TL_LIST, .item_type = TL_CHOICE, .path = TL_STR("x.Tags__c"), .name = TL_STR("Tags__c")},
        {.type = TL_DECIMAL, .path = TL_STR("x.Worth__c"), .name = TL_STR("Worth__c"), .scale = 2},
    };
    memcpy(s->fields, fields, sizeof fields);
    for (size_t i = 0; i < ARRAY_LEN(s->fields); i++)
        s->fields[i].struct_size = sizeof(tl_field);
    s->shape = (tl_shape){.struct_size = sizeof(tl_shape),
                          .n_fields = 4,
                          .field_stride = sizeof(tl_field),
                          .kind = TL_STR("contact"),
                          .fields = s->fields};
    s->fake = fake_new();
    s->fake->test = s;
    s->fake->http = answer;
    s->fake->auth_extra = sign_in_said;
    s->fake->host.kv_set(&s->fake->host, "stamp.contact", STR("unique:Tieline_Id__c"));
    tl_open o = {.struct_size = sizeof o};
    tl_error e = {.struct_size = sizeof e};
    assert_int_equal(tieline_connector_v0()->open(&s->fake->host, &o, &s->conn, &e), TL_OK);
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    struct script *s = *state;
    assert_int_equal(s->asked, s->n); /* every answer was wanted */
    tieline_connector_v0()->close(s->conn);
    fake_free(s->fake);
    free(s);
    return 0;
}

static tl_status push(struct script *s, const tl_record *records, uint32_t n, tl_error *e)
{
    tl_batch batch = {.struct_size = sizeof batch, .count = n, .stride = sizeof *records, .records = records};
    tl_push p = {.struct_size = sizeof p, .shape = &s->shape, .batch = &batch, .stamp_field = TL_STR("Tieline_Id__c")};
    *e = (tl_error){.struct_size = sizeof *e};
    tl_status rc = tieline_connector_v0()->push(s->conn, &p, e);
    for (uint32_t i = 0; i < n; i++)
        assert_true(s->fake->results[i].given);
    assert_int_equal(s->fake->doubled, 0);
    return rc;
}

static void test_values_on_the_wire(void **state)
{
    struct script *s = *state;
    tl_value tags[] = {{.type = TL_CHOICE, .u.s = TL_STR("a")}, {.type = TL_CHOICE, .u.s = TL_STR("b")}};
    tl_value v[] = {
        {.field = 0, .type = TL_TEXT, .u.s = TL_STR("Quote \" \\ \n")},
        {.field = 1, .type = TL_INT, .u.i = -7},
        {.field = 2, .type = TL_LIST, .u.list = {tags, 2}},
        {.field = 3, .type = TL_DECIMAL, .u.s = TL_STR("12.10")},
    };
    tl_record r[] = {{.op = TL_OP_CREATE, .stamp = TL_STR("i.1"), .values = v, .n_values = 4}};
    tl_error e;
    say(s, 200, "[{\"id\":\"003000000000001AAA\",\"success\":true,\"errors\":[],\"created\":false}]");
    assert_int_equal(push(s, r, 1, &e), TL_OK);
    assert_string_equal(s->methods[0], "PATCH");
    assert_string_equal(s->urls[0],
                        "https://acme.my.salesforce.com/services/data/v62.0/composite/sobjects/Contact/Tieline_Id__c");
    assert_string_equal(
        s->bodies[0],
        "{\"allOrNone\":false,\"records\":[{\"attributes\":{\"type\":\"Contact\"},\"Tieline_Id__c\":\"i.1\","
        "\"LastName\":\"Quote \\\" \\\\ \\n\",\"Level__c\":-7,\"Tags__c\":\"a;b\",\"Worth__c\":12.10}]}");
    assert_int_equal(s->fake->results[0].created, 0);
}

/* Without a unique external id the stamp is a plain value of a create. */
static void test_plain_stamp(void **state)
{
    struct script *s = *state;
    tl_value v[] = {{.field = 0, .type = TL_TEXT, .u.s = TL_STR("X")}};
    tl_record r[] = {{.op = TL_OP_CREATE, .stamp = TL_STR("i.1"), .values = v, .n_values = 1}};
    tl_error e;
    s->fake->host.kv_set(&s->fake->host, "stamp.contact", STR("plain:Tieline_Id__c"));
    say(s, 200, "[{\"id\":\"003000000000001AAA\",\"success\":true,\"errors\":[]}]");
    assert_int_equal(push(s, r, 1, &e), TL_OK);
    assert_string_equal(s->methods[0], "POST");
    assert_non_null(strstr(s->bodies[0], "\"Tieline_Id__c\":\"i.1\""));
    assert_int_equal(s->fake->results[0].created, 1);
}

static void test_rows_that_fail(void **state)
{
    struct script *s = *state;
    tl_value v[] = {{.field = 0, .type = TL_TEXT, .u.s = TL_STR("X")}};
    tl_record r[5];
    for (int i = 0; i < 5; i++)
        r[i] = (tl_record){.op = TL_OP_UPDATE, .id = TL_STR("003000000000001AAA"), .values = v, .n_values = 1};
    r[4] = (tl_record){.op = TL_OP_CREATE, .stamp = TL_STR("i.1"), .values = v, .n_values = 1};
    say(s, 200,
        "[{\"success\":false,\"errors\":[{\"statusCode\":\"INVALID_CROSS_REFERENCE_KEY\",\"message\":\"invalid cross "
        "reference id\",\"fields\":[]}]},"
        "{\"success\":false,\"errors\":[{\"statusCode\":\"INVALID_CROSS_REFERENCE_KEY\",\"message\":\"x\",\"fields\":["
        "\"AccountId\"]}]},"
        "{\"success\":false,\"errors\":[{\"statusCode\":\"FIELD_CUSTOM_VALIDATION_EXCEPTION\",\"message\":\"first "
        "rule\"},"
        "{\"statusCode\":\"FIELD_CUSTOM_VALIDATION_EXCEPTION\",\"message\":\"second rule\"}]}]"); /* one is missing */
    say(s, 200,
        "[{\"success\":false,\"errors\":[{\"statusCode\":\"DUPLICATE_VALUE\",\"message\":\"duplicate value found: "
        "Tieline_Id__c duplicates value on record with id: 003000000000002AAA\",\"fields\":[]}]}]");
    tl_error e;
    const struct said_result *got = s->fake->results;
    assert_int_equal(push(s, r, 5, &e), TL_OK);
    assert_int_equal(got[0].status, TL_E_NOT_FOUND);
    assert_int_equal(got[1].status, TL_E_INVALID);
    assert_int_equal(got[1].reason, TL_R_REFERENCE);
    assert_int_equal(got[2].reason, TL_R_VALIDATION_RULE);
    assert_non_null(strstr(got[2].detail, "second rule")); /* all of them, for the log */
    assert_int_equal(got[3].status, TL_E_UNKNOWN);
    assert_int_equal(got[4].status, TL_E_TEMPORARY); /* our own stamp: the next attempt finds the record */
}

static void test_what_ends_a_push(void **state)
{
    struct script *s = *state;
    tl_value v[] = {{.field = 0, .type = TL_TEXT, .u.s = TL_STR("X")}};
    tl_record r[] = {{.op = TL_OP_UPDATE, .id = TL_STR("003000000000001AAA"), .values = v, .n_values = 1},
                     {.op = TL_OP_CREATE, .stamp = TL_STR("i.1"), .values = v, .n_values = 1}};
    tl_error e;
    say(s, 403, "[{\"errorCode\":\"REQUEST_LIMIT_EXCEEDED\",\"message\":\"TotalRequests Limit exceeded.\"}]");
    assert_int_equal(push(s, r, 2, &e), TL_E_QUOTA); /* nothing more is sent, both are told */
    assert_int_equal(s->fake->results[1].status, TL_E_QUOTA);

    fake_forget(s->fake);
    say(s, 0, ""); /* lost answer: unknown, and the rest goes on */
    say(s, 200, "[{\"id\":\"003000000000002AAA\",\"success\":true,\"errors\":[],\"created\":true}]");
    assert_int_equal(push(s, r, 2, &e), TL_OK);
    assert_int_equal(s->fake->results[0].status, TL_E_UNKNOWN);
    assert_int_equal(s->fake->results[1].status, TL_OK);

    fake_forget(s->fake);
    say(s, 500, "[{\"errorCode\":\"UNKNOWN_EXCEPTION\",\"message\":\"ErrorId: 1\"}]"); /* may have been applied */
    say(s, 503, "[{\"errorCode\":\"SERVER_UNAVAILABLE\",\"message\":\"busy\"}]");
    assert_int_equal(push(s, r, 2, &e), TL_E_TEMPORARY);
    assert_int_equal(s->fake->results[0].status, TL_E_UNKNOWN);
    assert_int_equal(s->fake->results[1].status, TL_E_TEMPORARY);
}

static void test_one_bad_value_does_not_fail_the_page(void **state)
{
    struct script *s = *state;
#define ROW(id, level)                                                                                                 \
    "{\"attributes\":{\"type\":\"Contact\"},\"Id\":\"00300000000000" id "AAA\",\"SystemModstamp\":"                    \
    "\"2026-03-01T12:00:00.000+0000\",\"CreatedDate\":\"2026-03-01T12:00:00.000+0000\",\"IsDeleted\":false,"           \
    "\"MasterRecordId\":null,\"LastName\":\"N" id "\",\"Level__c\":" level ",\"Tags__c\":\"a;b\",\"Worth__c\":12.10}"
    say(s, 200, "{\"totalSize\":3,\"done\":true,\"records\":[]}");
    say(s, 200,
        "{\"totalSize\":3,\"done\":true,\"records\":[" ROW("1", "5") "," ROW("2", "\"many\"") "," ROW("3",
                                                                                                      "null") "]}");
    tl_pull p = {.struct_size = sizeof p, .mode = TL_PULL_PASS, .shape = &s->shape};
    tl_error e = {.struct_size = sizeof e};
    assert_int_equal(tieline_connector_v0()->pull(s->conn, &p, &e), TL_OK);
    assert_int_equal(s->fake->n_records, 3);
    const struct said_record *r = s->fake->records;
    assert_int_equal(r[0].flags, TL_REC_FULL);
    assert_int_equal(fake_value(&r[0], &s->shape, "x.Level__c")->i, 5);
    assert_string_equal(fake_value(&r[0], &s->shape, "x.Tags__c")->text, "a|b");
    assert_string_equal(fake_value(&r[0], &s->shape, "x.Worth__c")->text, "12.10");
    assert_int_equal(r[1].flags, TL_REC_BAD);
    assert_non_null(strstr(r[1].note, "Level__c"));
    assert_int_equal(fake_value(&r[2], &s->shape, "x.Level__c")->type, TL_NULL);
    assert_int_equal(s->fake->checkpoints[0].complete, 1);
}

static tl_status changes(struct script *s, const char *cursor)
{
    char kept[sizeof s->fake->checkpoints[0].cursor];
    snprintf(kept, sizeof kept, "%s", cursor);
    tl_pull p = {.struct_size = sizeof p, .mode = TL_PULL_CHANGES, .shape = &s->shape, .cursor = str_of(kept)};
    tl_error e = {.struct_size = sizeof e};
    fake_forget(s->fake);
    tl_status rc = tieline_connector_v0()->pull(s->conn, &p, &e);
    assert_true(rc == TL_OK || e.scope == TL_SCOPE_KIND);
    return rc;
}

/* A Date of another year keeps no position: it would wait for that year. proves: Q8, C2 */
static void test_changes_by_a_wrong_date(void **state)
{
    struct script *s = *state;
    static const char none[] = "{\"totalSize\":0,\"done\":true,\"records\":[]}";
    const int64_t year = INT64_C(365) * 86400 * TLK_US_PER_S;
    say(s, 200, "[{\"version\":\"62.0\"}]");
    s->date_off_us = 14 * year;
    assert_int_equal(changes(s, ""), TL_E_TEMPORARY);
    assert_int_equal(s->fake->n_checkpoints, 0);

    s->date_off_us = 0;
    say(s, 200, "[{\"version\":\"62.0\"}]");
    say(s, 200, none);
    assert_int_equal(changes(s, ""), TL_OK);
    char good[4096];
    snprintf(good, sizeof good, "%s", fake_last_cursor(s->fake));
    for (int sign = -1; sign <= 1; sign += 2) {
        s->date_off_us = sign * year;
        say(s, 200, none);
        assert_int_equal(changes(s, good), TL_E_TEMPORARY);
        assert_int_equal(s->fake->n_checkpoints, 0);
    }
    s->date_off_us = 0;
    say(s, 200, none);
    assert_int_equal(changes(s, good), TL_OK);
}

static void test_position_ahead_of_all_clocks(void **state)
{
    struct script *s = *state;
    static const char *const cursors[] = {
        "sf.changes.1;at=2208988801;after=;server=1800000000000000;began=0;settled=1;ties=0;read=",
        "sf.changes.1;at=1800000000;after=;server=2208988801000000;began=0;settled=1;ties=0;read=",
        "sf.changes.1;at=1800000000;after=;server=1800000000000000;began=2208988801000000;settled=0;ties=0;read=",
    };
    for (size_t i = 0; i < ARRAY_LEN(cursors); i++) {
        say(s, 200, "{\"totalSize\":0,\"done\":true,\"records\":[]}");
        assert_int_equal(changes(s, cursors[i]), TL_E_CURSOR_LOST);
        assert_int_equal(s->fake->n_checkpoints, 0);
    }
}

/* ---- lists: what no twin answers */

static tl_status list_of_notes(struct script *s, uint32_t limit, const char *cursor, tl_error *e)
{
    static const tl_field fields[] = {
        {.struct_size = sizeof(tl_field), .type = TL_TEXT, .path = TL_STR("title"), .name = TL_STR("Title")},
    };
    const tl_shape shape = {.struct_size = sizeof shape,
                            .n_fields = 1,
                            .field_stride = sizeof(tl_field),
                            .kind = TL_STR("note"),
                            .fields = fields};
    tl_list l = {.struct_size = sizeof l,
                 .limit = limit,
                 .shape = &shape,
                 .about_kind = TL_STR("contact"),
                 .about_id = TL_STR("003000000000001AAA"),
                 .cursor = str_of(cursor)};
    const tl_view *view = tieline_connector_v0()->extension("tl.view/1");
    *e = (tl_error){.struct_size = sizeof *e};
    fake_forget(s->fake);
    return view->list(s->conn, &l, e);
}

#define PART(status, body) "{\"body\":" body ",\"httpHeaders\":{},\"httpStatusCode\":" status ",\"referenceId\":\"x\"}"
#define THERE              PART("200", "{\"Id\":\"003000000000001AAA\"}")
#define COUNTED(n)         PART("200", "{\"totalSize\":" n ",\"done\":true,\"records\":[]}")
#define NOTE(id, day)                                                                                                  \
    "{\"Id\":\"00200000000000" id "AAA\",\"Title\":\"n" id "\",\"LastModifiedDate\":\"2026-03-" day                    \
    "T12:00:00.000+0000\",\"CreatedDate\":\"2026-03-01T12:00:00.000+0000\"}"
#define LINK(id, day)                                                                                                  \
    "{\"ContentDocumentId\":\"06900000000000" id "AAA\",\"ContentDocument\":{\"Title\":\"d" id                         \
    "\",\"LastModifiedDate\":\"2026-03-" day "T12:00:00.000+0000\",\"CreatedDate\":\"2026-03-01T12:00:00.000+0000\"}}"
#define ROWS(done, rows) PART("200", "{\"totalSize\":9,\"done\":" done ",\"records\":[" rows "]}")
#define ANSWER(parts)    "{\"compositeResponse\":[" parts "]}"

/* A page may hold less than it was asked for. What the other query has is then told only as far as nothing later can
 * lie in what was not sent. */
static void test_list_that_is_cut(void **state)
{
    struct script *s = *state;
    tl_error e;
    say(s, 200,
        ANSWER(THERE "," ROWS("false", NOTE("1", "09") "," NOTE("2", "07")) "," ROWS(
            "true", LINK("1", "08") "," LINK("2", "06")) "," COUNTED("3") "," COUNTED("2")));
    assert_int_equal(list_of_notes(s, 10, "", &e), TL_OK);
    assert_non_null(strstr(s->bodies[0], "/services/data/v62.0/sobjects/Contact/003000000000001AAA?fields=Id"));
    assert_int_equal(s->fake->n_records, 3);
    assert_string_equal(s->fake->records[0].id, "002000000000001AAA");
    assert_string_equal(s->fake->records[1].id, "069000000000001AAA");
    assert_string_equal(s->fake->records[2].id, "002000000000002AAA");
    assert_int_equal(s->fake->checkpoints[0].complete, 0);
    assert_int_equal(s->fake->checkpoints[0].estimate, 5);
    char cursor[512];
    snprintf(cursor, sizeof cursor, "%s", fake_last_cursor(s->fake));

    say(s, 200, ANSWER(ROWS("true", NOTE("3", "05")) "," ROWS("true", LINK("2", "06"))));
    assert_int_equal(list_of_notes(s, 10, cursor, &e), TL_OK);
    assert_non_null(strstr(s->bodies[1], "OFFSET%202"));
    assert_non_null(strstr(s->bodies[1], "OFFSET%201"));
    assert_null(strstr(s->bodies[1], "COUNT"));
    assert_string_equal(s->fake->records[0].id, "069000000000002AAA");
    assert_string_equal(s->fake->records[1].id, "002000000000003AAA");
    assert_int_equal(s->fake->checkpoints[0].complete, 1);
    assert_int_equal(s->fake->checkpoints[0].estimate, 5);
}

static void test_list_that_fails(void **state)
{
#define REFUSED(status, code) PART(status, "[{\"errorCode\":\"" code "\",\"message\":\"words\"}]")
    struct script *s = *state;
    static const struct {
        const char *body;
        tl_status status;
        int32_t scope;
    } all[] = {
        {ANSWER(
             REFUSED("404", "NOT_FOUND") "," ROWS("true", "") "," ROWS("true", "") "," COUNTED("0") "," COUNTED("0")),
         TL_E_NOT_FOUND, TL_SCOPE_RECORD},
        {ANSWER(THERE "," REFUSED("400", "INVALID_FIELD") "," ROWS("true", "") "," COUNTED("0") "," COUNTED("0")),
         TL_E_INVALID, TL_SCOPE_KIND},
        {ANSWER(THERE "," REFUSED("400", "QUERY_TIMEOUT") "," ROWS("true", "") "," COUNTED("0") "," COUNTED("0")),
         TL_E_TEMPORARY, TL_SCOPE_KIND},
        {ANSWER(THERE "," ROWS("true", "") "," ROWS("true", "") "," REFUSED("400", "QUERY_TIMEOUT") "," COUNTED("0")),
         TL_E_TEMPORARY, TL_SCOPE_KIND},
        {ANSWER(THERE "," ROWS("true", "")), TL_E_TEMPORARY, TL_SCOPE_ENDPOINT}, /* cut, yet whole JSON */
        {ANSWER(THERE "," THERE "," THERE "," THERE "," THERE), TL_E_TEMPORARY, TL_SCOPE_ENDPOINT},
        {"{}", TL_E_TEMPORARY, TL_SCOPE_ENDPOINT},
    };
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        tl_error e;
        say(s, 200, all[i].body);
        assert_int_equal(list_of_notes(s, 5, "", &e), all[i].status);
        assert_int_equal(e.scope, all[i].scope);
        assert_true(e.text[0] != '\0');
        assert_int_equal(s->fake->n_checkpoints, 0);
    }
}

static void test_unknown_kind_and_bad_options(void **state)
{
    struct script *s = *state;
    s->shape.kind = STR("ticket");
    tl_pull p = {.struct_size = sizeof p, .shape = &s->shape};
    tl_error e = {.struct_size = sizeof e};
    assert_int_equal(tieline_connector_v0()->pull(s->conn, &p, &e), TL_E_UNSUPPORTED);
    static const tl_pair bad[] = {
        {TL_STR("api_version"), TL_STR("51.0")},      {TL_STR("api_version"), TL_STR("62")},
        {TL_STR("api_version"), TL_STR("v62.0")},     {TL_STR("external_id_field"), TL_STR("a b")},
        {TL_STR("external_id_field"), TL_STR("A.B")},
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        tl_open o = {.struct_size = sizeof o, .config = &bad[i], .n_config = 1};
        tl_conn *c = NULL;
        assert_int_equal(tieline_connector_v0()->open(&s->fake->host, &o, &c, &e), TL_E_CONFIG);
        assert_null(c);
    }
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_soql_text),
        cmocka_unit_test(test_soql_names_and_times),
        cmocka_unit_test(test_select_names_each_field_once),
        cmocka_unit_test(test_list_view_query),
        cmocka_unit_test(test_ids_and_text),
        cmocka_unit_test(test_usage_header),
        cmocka_unit_test(test_every_code),
        cmocka_unit_test(test_words_decide_between_meanings),
        cmocka_unit_test(test_sign_in_errors),
        cmocka_unit_test(test_verdict),
        T(test_values_on_the_wire),
        T(test_plain_stamp),
        T(test_rows_that_fail),
        T(test_what_ends_a_push),
        T(test_one_bad_value_does_not_fail_the_page),
        T(test_changes_by_a_wrong_date),
        T(test_position_ahead_of_all_clocks),
        T(test_list_that_is_cut),
        T(test_list_that_fails),
        T(test_unknown_kind_and_bad_options),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
