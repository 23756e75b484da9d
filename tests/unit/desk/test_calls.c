/* The desk connector's other calls: records by id, searches, writes, errors, check, discover, webhooks, set-up, signing
 * in. */
#include "desk.h"
#include "portal.h"

static const int64_t T0 = INT64_C(1600000000000);

static void can(struct portal *f, int slot, const char *part, int32_t status, const char *body, int times)
{
    f->canned[slot] = (struct canned){part, status, TL_OK, body, times};
}

static const char *logged(const struct portal *f, const char *part)
{
    for (uint32_t i = 0; i < f->n_log && i < PORTAL_CALLS; i++) {
        if (strstr(f->log[i], part))
            return f->log[i];
    }
    return NULL;
}

/* ---- get */

static void get_states(bool trashed_404)
{
    struct portal *f = portal_new();
    tl_error e = {.struct_size = sizeof(e)};
    f->trashed_404 = trashed_404;
    for (int i = 0; i < 6; i++)
        portal_add(f, T0, T0);
    f->contacts[1].trashed = true;
    f->contacts[1].deleted_ms = T0 + 1;
    f->contacts[2].purged = true;
    can(f, 0, "4000000000000003", 403, "{\"errorCode\":\"FORBIDDEN\",\"message\":\"no\"}", 1);
    const tl_str ids[] = {TL_STR("4000000000000000"), TL_STR("4000000000000001"), TL_STR("4000000000000002"),
                          TL_STR("4000000000000003"), TL_STR("4000000000000004"), TL_STR("4000000000000005")};
    static const int32_t states[] = {TL_STATE_LIVE,      TL_STATE_TRASHED, TL_STATE_DELETED,
                                     TL_STATE_FORBIDDEN, TL_STATE_LIVE,    TL_STATE_LIVE};
    for (uint32_t i = 0; i < 6; i++) {
        const tl_get one = {.struct_size = sizeof(one), .n_ids = 1, .shape = &portal_shape, .ids = &ids[i]};
        assert_int_equal(desk_get(f->conn, &one, &e), TL_OK);
        assert_int_equal(f->last.state, states[i]);
        assert_true(tlk_eq(f->last.id, ids[i]));
    }
    can(f, 0, "4000000000000003", 403, "{\"errorCode\":\"FORBIDDEN\",\"message\":\"no\"}", 1);
    const tl_get all = {.struct_size = sizeof(all), .n_ids = 6, .shape = &portal_shape, .ids = ids};
    f->n_emitted = 0;
    assert_int_equal(desk_get(f->conn, &all, &e), TL_OK);
    assert_int_equal(f->n_emitted, 6);
    assert_int_equal(f->most_at_once, 4);
    portal_free(f);
}

/* Both readings of what the vendor leaves open: trashed records answered with isTrashed, or with 404. */
static void test_get_states(void **state)
{
    (void)state;
    get_states(false);
    get_states(true);
}

static void test_one_bad_value_spares_the_rest(void **state)
{
    (void)state;
    struct portal *f = portal_new();
    tl_error e = {.struct_size = sizeof(e)};
    can(f, 0, "/contacts/search", 200,
        "{\"data\":[{\"id\":\"1\",\"lastName\":\"A\",\"modifiedTime\":\"2023-11-14T22:13:00.000Z\"},"
        "{\"id\":\"2\",\"lastName\":{\"broken\":true},\"modifiedTime\":\"2023-11-14T22:13:01.000Z\"},"
        "{\"id\":\"3\",\"lastName\":\"\\ud800\",\"modifiedTime\":\"2023-11-14T22:13:02.000Z\"},"
        "{\"id\":\"4\",\"lastName\":\"D\",\"modifiedTime\":\"2023-11-14T22:13:03.000Z\"}],\"count\":4}",
        1);
    can(f, 1, "/recycleBin", 204, "", 1);
    assert_int_equal(portal_pull(f, TL_PULL_CHANGES, 0, &e), TL_OK);
    assert_int_equal(f->n_emitted, 4);
    assert_int_equal(f->n_bad, 2);
    assert_true(f->complete);
    portal_free(f);
}

static void test_pages_that_are_none(void **state)
{
    (void)state;
    static const struct {
        int32_t http;
        const char *body;
        tl_status status;
        const char *says;
    } cases[] = {
        {401, "<html>login</html>", TL_E_CONFIG, "another data centre"},
        {200, "{\"data\":[{\"id\":\"1\"", TL_E_TEMPORARY, "is cut after"},
        {200, "{\"what\":1}", TL_E_TEMPORARY, "without a list"},
        {429, "{\"errorCode\":\"TOO_MANY_REQUESTS\"}", TL_E_THROTTLED, "too many calls"},
        {429, "{\"errorCode\":\"THRESHOLD_EXCEEDED\"}", TL_E_QUOTA, "credits"},
        {500, "{\"errorCode\":\"INTERNAL_SERVER_ERROR\"}", TL_E_TEMPORARY, "trouble"},
        {403, "{\"errorCode\":\"SCOPE_MISMATCH\"}", TL_E_AUTH, "lacks a scope"},
        {401, "{\"errorCode\":\"SCOPE_MISMATCH\"}", TL_E_AUTH, "lacks a scope"},
        {403, "{\"errorCode\":\"OAUTH_ORG_MISMATCH\"}", TL_E_CONFIG, "another portal"},
    };
    for (size_t i = 0; i < TLK_LEN(cases); i++) {
        struct portal *f = portal_new();
        tl_error e;
        can(f, 0, "/contacts/search", cases[i].http, cases[i].body, 1);
        assert_int_equal(portal_pull(f, TL_PULL_CHANGES, 0, &e), cases[i].status);
        if (!strstr(e.text, cases[i].says))
            fail_msg("\"%s\" does not say \"%s\"", e.text, cases[i].says);
        assert_int_equal(f->n_emitted, 0);
        portal_free(f);
    }
}

/* ---- find */

static tl_status ask(struct portal *f, const char *path, const char *value, tl_error *e)
{
    const tl_query q = {tlk_str(path), tlk_str(value)};
    const tl_find find = {
        .struct_size = sizeof(find), .n_queries = 1, .shape = &portal_shape, .queries = &q, .query_stride = sizeof q};
    *e = (tl_error){.struct_size = sizeof(*e)};
    f->n_emitted = f->n_log = 0;
    return desk_find(f->conn, &find, e);
}

#define FOUND "{\"data\":[{\"id\":\"9\",\"lastName\":\"X\",\"cf\":{\"cf_tieline_id\":\"s.1\"}}],\"count\":1}"

/* proves: S1-19 S1-20 (what matching asks the desk) */
static void test_find(void **state)
{
    (void)state;
    static const struct {
        const char *path, *value, *url;
    } cases[] = {
        {"email", "a+b@x.org", "/contacts/search?email=a%2Bb%40x.org&limit=10"},
        {"last_name", "M\xc3\xbcller", "lastName=M%C3%BCller"},
        {"last_name", "Smith, Jones", "lastName=Smith%2A"}, /* a comma would mean "or" */
        {"mobile", "+49 30", "_all=%2B49%2030"},
        {"stamp", "abc.def", "customField1=cf_tieline_id%3Aabc.def"},
        {"x.cf_level", "7", "customField1=cf_level%3A7"},
        {"created", "1600000000000000", "createdTimeRange=2020-09-13T12%3A26%3A39.999Z%2C"},
    };
    for (size_t i = 0; i < TLK_LEN(cases); i++) {
        struct portal *f = portal_new();
        tl_error e;
        can(f, 0, "/search", 200, FOUND, 1);
        assert_int_equal(ask(f, cases[i].path, cases[i].value, &e), TL_OK);
        if (!logged(f, cases[i].url))
            fail_msg("%s lacks %s", f->log[0], cases[i].url);
        assert_int_equal(f->n_emitted, 1);
        portal_free(f);
    }
}

static void test_find_asks_nothing_that_means_something_else(void **state)
{
    (void)state;
    static const char *const values[] = {"", "${empty}", "ab"};
    for (size_t i = 0; i < TLK_LEN(values); i++) {
        struct portal *f = portal_new();
        tl_error e;
        assert_int_equal(ask(f, "mobile", values[i], &e), TL_OK);
        assert_int_equal(f->calls, 0);
        portal_free(f);
    }
}

static void test_find_on_a_portal_without_the_email_parameter(void **state)
{
    (void)state;
    struct portal *f = portal_new();
    tl_error e;
    can(f, 0, "search?email=", 422,
        "{\"errorCode\":\"UNPROCESSABLE_ENTITY\",\"message\":\"Extra query parameter 'email'\"}", 1);
    can(f, 1, "search?_all=", 200, FOUND, 2);
    assert_int_equal(ask(f, "email", "a@x.org", &e), TL_OK);
    assert_int_equal(f->n_emitted, 1);
    assert_int_equal(ask(f, "email", "a@x.org", &e), TL_OK); /* not asked in vain a second time */
    assert_int_equal(f->n_log, 1);
    portal_free(f);
}

static void test_find_stamp_in_the_bin(void **state)
{
    (void)state;
    struct portal *f = portal_new();
    tl_error e;
    for (int i = 0; i < 9; i++) {
        portal_add(f, T0, T0)->trashed = true;
        f->contacts[i].deleted_ms = f->host.now_us / 1000 - 1000;
    }
    can(f, 0, "/contacts/search", 204, "", 1);
    assert_int_equal(ask(f, "stamp", "stamp.4000000000000006", &e), TL_OK);
    assert_int_equal(f->n_emitted, 1);
    assert_int_equal(f->last.state, TL_STATE_TRASHED);
    assert_true(tlk_is(f->last.id, "4000000000000006"));
    portal_free(f);
}

/* ---- push */

static tl_status push_some(struct portal *f, const tl_record *records, uint32_t n, tl_error *e)
{
    const tl_batch b = {.struct_size = sizeof(b), .count = n, .stride = sizeof(tl_record), .records = records};
    const tl_push p = {
        .struct_size = sizeof(p), .shape = &portal_shape, .batch = &b, .stamp_field = TL_STR("cf.cf_tieline_id")};
    *e = (tl_error){.struct_size = sizeof(*e)};
    memset(f->host.results, 0, sizeof(f->host.results));
    return desk_push(f->conn, &p, e);
}

#define WRITTEN                                                                                                        \
    "{\"id\":\"42\",\"lastName\":\"A\",\"createdTime\":\"2020-01-01T00:00:00.000Z\","                                  \
    "\"modifiedTime\":\"2020-01-01T00:00:01.000Z\",\"cf\":{}}"

static const tl_value two_values[] = {{.field = 0, .type = TL_TEXT, .u.s = TL_STR("A")},
                                      {.field = 3, .type = TL_INT, .u.i = 7},
                                      {.field = 1, .type = TL_NULL}};
static const tl_record one_create = {.op = TL_OP_CREATE, .stamp = TL_STR("i.abc"), .n_values = 3, .values = two_values};
static const tl_record one_update = {.op = TL_OP_UPDATE, .id = TL_STR("42"), .n_values = 2, .values = two_values};

static void test_push_create_and_update(void **state)
{
    (void)state;
    struct portal *f = portal_new();
    tl_error e;
    can(f, 0, "POST https://desk.test/api/v1/contacts ", 200, WRITTEN, 1);
    can(f, 1, "PATCH https://desk.test/api/v1/contacts/42 ", 200, WRITTEN, 1);
    const tl_record records[] = {one_create, one_update};
    assert_int_equal(push_some(f, records, 2, &e), TL_OK);
    assert_non_null(
        logged(f, "{\"lastName\":\"A\",\"cf\":{\"cf_level\":7,\"cf_tieline_id\":\"i.abc\"},\"email\":null}"));
    assert_non_null(logged(f, "{\"lastName\":\"A\",\"cf\":{\"cf_level\":7}}"));
    assert_string_equal(f->host.results[0].id, "42");
    assert_int_equal(f->host.results[0].created, 1);
    assert_true(f->host.results[0].full);
    assert_int_equal(f->host.results[1].status, TL_OK);
    assert_int_equal(f->host.results[1].created, 0);
    portal_free(f);
}

/* The vendor may answer a PATCH with nothing, or with part of the record. */
static void test_push_update_without_the_record(void **state)
{
    (void)state;
    static const char *const bodies[] = {"", "{\"id\":\"42\",\"lastName\":\"A\"}", "{\"id\":\"43\"}"};
    static const bool told[] = {false, true, false};
    for (size_t i = 0; i < TLK_LEN(bodies); i++) {
        struct portal *f = portal_new();
        tl_error e;
        can(f, 0, "PATCH", 200, bodies[i], 1);
        assert_int_equal(push_some(f, &one_update, 1, &e), TL_OK);
        assert_int_equal(f->host.results[0].status, TL_OK);
        assert_int_equal(f->host.results[0].has_record, told[i]);
        assert_false(f->host.results[0].full);
        portal_free(f);
    }
}

/* proves: S1-44 S1-45 S1-46 S1-47 S1-48 (the vendor's answers behind the five texts) */
static void test_push_errors(void **state)
{
    (void)state;
#define INVALID(field, type)                                                                                           \
    "{\"errorCode\":\"INVALID_DATA\",\"message\":\"The data\",\"errors\":[{\"fieldName\":\"" field                     \
    "\",\"errorType\":\"" type "\"}]}"
    static const struct {
        int32_t http;
        const char *body;
        tl_status status;
        int32_t reason;
        const char *field;
    } cases[] = {
        {422, INVALID("/email", "duplicate"), TL_E_INVALID, TL_R_ALREADY_MAPPED, "email"},
        {422, INVALID("/cf/cf_level", "invalid"), TL_E_INVALID, TL_R_TYPE_MISMATCH, "cf.cf_level"},
        {422, INVALID("/lastName", "missing"), TL_E_INVALID, TL_R_REQUIRED_MISSING, "lastName"},
        {422, INVALID("/accountId", "invalid"), TL_E_INVALID, TL_R_REFERENCE, "accountId"},
        {422, INVALID("/email", "invalid"), TL_E_INVALID, TL_R_PARAM_INVALID, "email"},
        {422, INVALID("/title", "invalid"), TL_E_INVALID, TL_R_TOO_LONG, "title"},
        {422, "{\"errorCode\":\"EMPTY_PAYLOAD\"}", TL_E_INVALID, TL_R_PARAM_MISSING, ""},
        {422, "{\"errorCode\":\"UNPROCESSABLE_ENTITY\",\"message\":\"departmentId is missing\"}", TL_E_INVALID,
         TL_R_PARAM_MISSING, ""},
        {422, "{\"errorCode\":\"UNPROCESSABLE_ENTITY\",\"message\":\"The value is invalid.\"}", TL_E_INVALID,
         TL_R_PARAM_INVALID, ""},
        {400, "{\"errorCode\":\"BAD_REQUEST\"}", TL_E_INVALID, TL_R_PARAM_INVALID, ""},
        {404, "{\"errorCode\":\"URL_NOT_FOUND\"}", TL_E_NOT_FOUND, TL_R_PARAM_INVALID, ""},
        {405, "{\"errorCode\":\"METHOD_NOT_ALLOWED\"}", TL_E_INVALID, TL_R_PARAM_INVALID, ""},
        {413, "{\"errorCode\":\"RESOURCE_SIZE_EXCEEDED\"}", TL_E_INVALID, TL_R_TOO_LARGE, ""},
        {403, "{\"errorCode\":\"FORBIDDEN\"}", TL_E_DENIED, TL_R_PERMISSION, ""},
        {403, "{\"errorCode\":\"LICENSE_ACCESS_LIMITED\"}", TL_E_DENIED, TL_R_PERMISSION, ""},
        {422, "{\"errorCode\":\"SOMETHING_NEW\"}", TL_E_INVALID, TL_R_OTHER, ""},
        {500, "{\"errorCode\":\"INTERNAL_SERVER_ERROR\"}", TL_E_UNKNOWN, TL_R_OTHER, ""}, /* may have been applied */
        {503, "", TL_E_TEMPORARY, TL_R_OTHER, ""},
        {200, "{\"id\":\"4", TL_E_UNKNOWN, TL_R_OTHER, ""}, /* a success that was cut */
        {200, "", TL_E_UNKNOWN, TL_R_OTHER, ""},            /* a create without an id */
    };
    const tl_value values[] = {{.field = 4, .type = TL_TEXT, .u.s = TL_STR("too long")}};
    const tl_record rec = {.op = TL_OP_CREATE, .n_values = 1, .values = values};
    for (size_t i = 0; i < TLK_LEN(cases); i++) {
        struct portal *f = portal_new();
        tl_error e;
        can(f, 0, "POST", cases[i].http, cases[i].body, 1);
        push_some(f, &rec, 1, &e);
        assert_true(f->host.results[0].given);
        if (f->host.results[0].status != cases[i].status || f->host.results[0].reason != cases[i].reason)
            fail_msg("%d %s: status %d reason %d", cases[i].http, cases[i].body, f->host.results[0].status,
                     f->host.results[0].reason);
        assert_string_equal(f->host.results[0].field, cases[i].field);
        assert_true(f->host.results[0].text[0] != 0);
        portal_free(f);
    }
}

/* Read-only values are not sent; nothing left means no call, and success. */
static void test_push_of_nothing(void **state)
{
    (void)state;
    struct portal *f = portal_new();
    tl_error e;
    can(f, 0, "PATCH", 200, WRITTEN, 9);
    tl_record records[6];
    for (int i = 0; i < 6; i++)
        records[i] = one_update;
    records[0].n_values = records[3].n_values = records[5].n_values = 0;
    assert_int_equal(push_some(f, records, 6, &e), TL_OK);
    assert_int_equal(f->calls, 3);
    for (int i = 0; i < 6; i++) {
        assert_true(f->host.results[i].given);
        assert_int_equal(f->host.results[i].status, TL_OK);
        assert_int_equal(f->host.results[i].has_record, i != 0 && i != 3 && i != 5);
    }
    portal_free(f);
}

static void test_push_lost_answers(void **state)
{
    (void)state;
    struct portal *f = portal_new();
    tl_error e;
    f->canned[0] = (struct canned){"POST", 0, TL_E_UNKNOWN, NULL, 1};
    f->canned[1] = (struct canned){"PATCH", 0, TL_E_TEMPORARY, NULL, 1};
    const tl_record records[] = {one_create, one_update};
    push_some(f, records, 2, &e);
    assert_int_equal(f->host.results[0].status, TL_E_UNKNOWN);
    assert_int_equal(f->host.results[1].status, TL_E_TEMPORARY); /* nothing was sent */
    portal_free(f);
}

/* Once throttled, the rest is not sent in vain; every record gets its one result. */
static void test_push_stops_when_throttled(void **state)
{
    (void)state;
    struct portal *f = portal_new();
    tl_error e;
    can(f, 0, "POST", 200, WRITTEN, 5);
    can(f, 1, "POST", 429, "{\"errorCode\":\"TOO_MANY_REQUESTS\"}", 100);
    tl_record records[20];
    for (int i = 0; i < 20; i++)
        records[i] = one_create;
    assert_int_equal(push_some(f, records, 20, &e), TL_E_THROTTLED);
    assert_int_equal(f->calls, 8);
    for (int i = 0; i < 20; i++) {
        assert_true(f->host.results[i].given);
        assert_int_equal(f->host.results[i].status, i < 5 ? TL_OK : TL_E_THROTTLED);
    }
    portal_free(f);
}

static void test_push_delete_and_restore(void **state)
{
    (void)state;
    struct portal *f = portal_new();
    tl_error e;
    can(f, 0, "POST https://desk.test/api/v1/contacts/moveToTrash {\"contactIds\":[\"42\"]}", 204, "", 1);
    can(f, 1, "POST https://desk.test/api/v1/recycleBin/restore {\"ids\":[\"42\"],", 204, "", 1);
    can(f, 2, "PATCH https://desk.test/api/v1/contacts/42", 200, WRITTEN, 1);
    can(f, 3, "recycleBin/restore {\"ids\":[\"43\"],", 200,
        "{\"results\":[{\"success\":false,\"id\":\"43\",\"errors\":{\"errorCode\":\"URL_NOT_FOUND\",\"httpCode\":404}}]"
        "}",
        1);
    const tl_record records[] = {{.op = TL_OP_DELETE, .id = TL_STR("42")},
                                 {.op = TL_OP_RESTORE, .id = TL_STR("42"), .n_values = 2, .values = two_values},
                                 {.op = TL_OP_RESTORE, .id = TL_STR("43")}};
    assert_int_equal(push_some(f, records, 3, &e), TL_OK);
    assert_int_equal(f->host.results[0].status, TL_OK);
    assert_int_equal(f->host.results[1].status, TL_OK);
    assert_true(f->host.results[1].has_record);
    assert_int_equal(f->host.results[2].status, TL_E_NOT_FOUND); /* one failed item inside a 200 */
    portal_free(f);
}

/* ---- check, discover, prepare */

#define PORTAL(admin)                                                                                                  \
    "{\"data\":[{\"id\":\"4711\",\"companyName\":\"Acme\",\"edition\":\"ENTERPRISE\",\"isAdminInOrg\":" admin "}]}"
#define FIELDS                                                                                                         \
    "{\"data\":[{\"apiName\":\"lastName\",\"displayLabel\":\"Last "                                                    \
    "Name\",\"type\":\"Text\",\"maxLength\":200,\"isMandatory\":true},"                                                \
    "{\"apiName\":\"email\",\"type\":\"Email\",\"maxLength\":255},"                                                    \
    "{\"apiName\":\"accountId\",\"type\":\"LookUp\"},"                                                                 \
    "{\"apiName\":\"type\",\"type\":\"Picklist\",\"allowedValues\":[{\"value\":\"-None-\"},{\"value\":\"paid\"}]},"    \
    "{\"apiName\":\"cf_level\",\"type\":\"Number\",\"isCustomField\":true},"                                           \
    "{\"apiName\":\"cf_price\",\"type\":\"Currency\",\"isCustomField\":true,\"decimalPlaces\":2},"                     \
    "{\"apiName\":\"cf_tieline_id\",\"type\":\"Text\",\"isCustomField\":true,\"maxLength\":100},"                      \
    "{\"apiName\":\"layout\",\"type\":\"LookUp\"}]}"

static void can_portal(struct portal *f, const char *portal, const char *fields)
{
    can(f, 0, "/organizations", 200, portal, 9);
    can(f, 1, "/organizationFields", 200, fields, 9);
    can(f, 2, "/myinfo", 200, "{\"id\":\"5\",\"firstName\":\"Ada\",\"lastName\":\"L\"}", 9);
    can(f, 3, "/contacts?limit=1", 200, "{\"data\":[]}", 9);
    can(f, 4, "/contacts/search", 204, "", 9);
    can(f, 5, "/recycleBin", 204, "", 9);
    can(f, 6, "/webhooks", 204, "", 9);
}

static bool found(const struct portal *f, const char *part)
{
    for (uint32_t i = 0; i < f->host.n_findings; i++) {
        const struct said_finding *one = &f->host.findings[i];
        AUTO(text_free) char *line = text_fmt("%d %s: %s", (int)one->level, one->code, one->text);
        if (strstr(line, part))
            return true;
    }
    return false;
}

static const tl_str only_contact[] = {TL_STR("contact")};

static tl_status check(struct portal *f, tl_error *e)
{
    const tl_check q = {.struct_size = sizeof(q), .n_kinds = 1, .kinds = only_contact};
    *e = (tl_error){.struct_size = sizeof(*e)};
    return desk_check(f->conn, &q, e);
}

static void test_check(void **state)
{
    (void)state;
    struct portal *f = portal_new();
    tl_error e;
    can_portal(f, PORTAL("true"), FIELDS);
    assert_int_equal(check(f, &e), TL_OK);
    assert_string_equal(f->host.org_key, "4711");
    assert_string_equal(f->host.edition, "ENTERPRISE");
    assert_string_equal(f->host.user_name, "Ada L");
    assert_int_equal(f->host.n_findings, 1);
    assert_true(found(f, "stamped in field cf_tieline_id"));
    portal_free(f);
}

/* proves: S1-10 (the desk's administrator) */
static void test_check_says_what_is_missing(void **state)
{
    (void)state;
    static const struct {
        const char *part;
        int32_t http;
        const char *body, *finding;
    } cases[] = {
        {"/contacts?limit=1", 403, "{\"errorCode\":\"SCOPE_MISMATCH\"}",
         "3 scope: the sign-in lacks the scope Desk.contacts.READ"},
        {"/contacts/search", 401, "{\"errorCode\":\"SCOPE_MISMATCH\"}",
         "3 scope: the sign-in lacks the scope Desk.search.READ"},
        {"/organizationFields", 403, "{\"errorCode\":\"SCOPE_MISMATCH\"}",
         "Desk.settings.READ: the fields of contacts"},
        {"/recycleBin", 403, "{\"errorCode\":\"FORBIDDEN\"}", "2 rights: the user may not: deletions"},
        {"/webhooks", 403, "{\"errorCode\":\"LICENSE_ACCESS_LIMITED\"}",
         "1 edition: the edition does not allow it: webhooks"},
        {"/organizations", 200, PORTAL("false"), "2 admin: the user is no administrator"},
        {"/organizationFields", 200, "{\"data\":[]}", "2 stamp: Contacts: there is no field cf_tieline_id"},
    };
    for (size_t i = 0; i < TLK_LEN(cases); i++) {
        struct portal *f = portal_new();
        tl_error e;
        can_portal(f, PORTAL("true"), FIELDS);
        for (int k = 0; k < 7; k++) {
            if (strcmp(f->canned[k].part, cases[i].part) == 0)
                can(f, k, cases[i].part, cases[i].http, cases[i].body, 9);
        }
        assert_int_equal(check(f, &e), TL_OK);
        if (!found(f, cases[i].finding))
            fail_msg("no finding \"%s\", but \"%s\"", cases[i].finding, f->host.findings[0].text);
        portal_free(f);
    }
}

static void test_check_of_a_foreign_portal(void **state)
{
    (void)state;
    struct portal *f = portal_new();
    tl_error e;
    can(f, 0, "/organizations", 200,
        "{\"data\":[{\"id\":\"1\",\"companyName\":\"One\"},{\"id\":\"2\",\"companyName\":\"Two\"}]}", 1);
    assert_int_equal(check(f, &e), TL_E_CONFIG);
    assert_non_null(strstr(e.text, "set org_id to one of: 1 (One), 2 (Two)"));
    portal_free(f);
}

static const tl_field *described(const struct portal *f, const char *path)
{
    for (uint32_t i = 0; i < f->host.kinds[0].n_fields; i++) {
        if (tlk_is(f->host.kinds[0].fields[i].path, path))
            return &f->host.kinds[0].fields[i];
    }
    fail_msg("no field %s", path);
    return NULL;
}

static void test_discover(void **state)
{
    (void)state;
    struct portal *f = portal_new();
    tl_error e = {.struct_size = sizeof(e)};
    const tl_discover q = {.struct_size = sizeof(q), .n_kinds = 1, .kinds = only_contact};
    can_portal(f, PORTAL("true"), FIELDS);
    assert_int_equal(desk_discover(f->conn, &q, &e), TL_OK);
    assert_int_equal(f->host.n_kinds, 1);
    assert_string_equal(f->host.kinds[0].stamp_field, "cf.cf_tieline_id");
    assert_true(f->host.kinds[0].can & TL_CAN_STAMP_FIND);
    assert_int_equal(described(f, "last_name")->flags & TL_F_REQUIRED, TL_F_REQUIRED);
    assert_int_equal(described(f, "account")->type, TL_REF);
    assert_int_equal(described(f, "x.cf_level")->type, TL_INT);
    assert_true(tlk_is(described(f, "x.cf_level")->name, "cf.cf_level"));
    assert_int_equal(described(f, "x.cf_price")->scale, 2);
    assert_int_equal(described(f, "x.type")->n_choices, 1);
    assert_true(described(f, "x.cf_tieline_id")->flags & TL_F_STAMP);
    assert_true(described(f, "x.layout")->flags & TL_F_READONLY);
    portal_free(f);
}

/* An older portal: the field is there, but a search by it is refused. */
static void test_discover_where_stamps_cannot_be_searched(void **state)
{
    (void)state;
    struct portal *f = portal_new();
    tl_error e = {.struct_size = sizeof(e)};
    const tl_discover q = {.struct_size = sizeof(q), .n_kinds = 1, .kinds = only_contact};
    can_portal(f, PORTAL("true"), FIELDS);
    can(f, 4, "/contacts/search", 422, "{\"errorCode\":\"UNPROCESSABLE_ENTITY\",\"message\":\"Extra parameter\"}", 9);
    assert_int_equal(desk_discover(f->conn, &q, &e), TL_OK);
    assert_string_equal(f->host.kinds[0].stamp_field, "cf.cf_tieline_id");
    assert_false(f->host.kinds[0].can & TL_CAN_STAMP_FIND);
    assert_true(f->host.kinds[0].can & TL_CAN_FIND_CREATED);
    can_portal(f, PORTAL("true"), FIELDS);
    portal_free(f);
}

static void test_prepare_shows_first(void **state)
{
    (void)state;
    struct portal *f = portal_new();
    tl_error e = {.struct_size = sizeof(e)};
    tl_prepare_request q = {.struct_size = sizeof(q), .dry_run = 1, .n_kinds = 1, .kinds = only_contact};
    can(f, 0, "GET https://desk.test/api/v1/organizationFields", 200, "{\"data\":[]}", 9);
    can(f, 1, "POST https://desk.test/api/v1/organizationFields?module=contacts", 201,
        "{\"apiName\":\"cf_tieline_id\"}", 9);
    assert_int_equal(desk_prepare.prepare(f->conn, &q, &e), TL_OK);
    assert_true(found(f, "would be created"));
    assert_null(logged(f, "POST"));
    q.dry_run = 0;
    assert_int_equal(desk_prepare.prepare(f->conn, &q, &e), TL_OK);
    assert_true(found(f, "was created"));
    assert_non_null(logged(f, "\"apiName\":\"cf_tieline_id\",\"type\":\"Text\""));
    can(f, 1, "POST", 403, "{\"errorCode\":\"FORBIDDEN\",\"message\":\"no\"}", 1);
    assert_int_equal(desk_prepare.prepare(f->conn, &q, &e), TL_OK);
    assert_true(found(f, "3 prepare.field: Contacts: the field cf_tieline_id could not be created"));
    portal_free(f);
}

/* ---- webhooks */

static tl_status parse(struct portal *f, const char *body, tl_error *e)
{
    const tl_hook_request q = {.struct_size = sizeof(q), .body = tlk_str(body)};
    *e = (tl_error){.struct_size = sizeof(*e)};
    f->n_emitted = f->n_hints = 0;
    return desk_webhook.parse(f->conn, &q, e);
}

static void test_hook_parsing(void **state)
{
    (void)state;
    struct portal *f = portal_new();
    tl_error e;
    assert_int_equal(
        parse(f,
              "[{\"payload\":{\"id\":\"1\",\"lastName\":\"X\"},\"prevState\":null,\"eventTime\":\"1700000000000\","
              "\"eventType\":\"Contact_Update\",\"orgId\":\"4711\"},"
              "{\"payload\":{\"id\":2},\"eventTime\":1700000000000,\"eventType\":\"Account_Delete\"},"
              "{\"payload\":{\"id\":\"3\"},\"eventType\":\"Ticket_Comment_Add\"},{\"payload\":{},\"eventType\":"
              "\"Contact_Add\"},17]",
              &e),
        TL_OK);
    assert_int_equal(f->n_emitted, 2);
    assert_int_equal(f->n_hints, 2);
    assert_true(tlk_is(f->last.kind, "account"));
    assert_true(tlk_is(f->last.id, "2"));
    assert_int_equal(parse(f, "{\"payload\":{\"id\":\"4\"},\"eventType\":\"Ticket_Update\"}", &e), TL_OK);
    assert_true(tlk_is(f->last.kind, "ticket"));
    assert_true(tlk_is(f->last.id, "4"));
    assert_int_equal(parse(f, "{\"payload\":{\"id\":\"6\"},\"eventType\":\"Agent_Delete\"}", &e), TL_OK);
    assert_true(tlk_is(f->last.kind, "user"));
    assert_int_equal(parse(f, "{\"payload\":{\"id\":\"7\"},\"eventType\":\"Agent_Presence_Update\"}", &e), TL_OK);
    assert_int_equal(f->n_emitted, 0);
    assert_int_equal(parse(f, "{\"payload\":{\"id\":\"5\"},\"eventType\":\"Contact_Add\"}", &e), TL_OK);
    assert_int_equal(f->n_emitted, 1);
    assert_true(tlk_is(f->last.kind, "contact"));
    assert_int_equal(parse(f, "", &e), TL_E_INVALID);
    assert_int_equal(parse(f, "[{\"payload\"", &e), TL_E_INVALID);
    assert_int_equal(parse(f, "null", &e), TL_OK);
    assert_int_equal(f->n_emitted, 0);
    portal_free(f);
}

static void test_subscribing(void **state)
{
    (void)state;
    struct portal *f = portal_new();
    tl_error e = {.struct_size = sizeof(e)};
    tl_subscribe q = {
        .struct_size = sizeof(q), .n_kinds = 1, .kinds = only_contact, .url = TL_STR("https://h/hooks/1")};
    static const char others[] = "{\"data\":[{\"id\":\"800\",\"url\":\"https://h/hooks/2\"}]}";
    can(f, 2, "GET https://desk.test/api/v1/webhooks", 200, others, 99);
    can(f, 0, "POST https://desk.test/api/v1/webhooks ", 200, "{\"id\":\"900\"}", 9);
    assert_int_equal(desk_webhook.subscribe(f->conn, &q, &e), TL_OK);
    assert_string_equal(f->host.subscription.id, "900");
    assert_string_equal(f->host.subscription.audience, "webhookId:900");
    assert_non_null(
        logged(f, "\"subscriptions\":{\"Contact_Add\":null,\"Contact_Update\":null,\"Contact_Delete\":null}"));
    q.id = TL_STR("900");
    can(f, 1, "PATCH https://desk.test/api/v1/webhooks/900", 200, "{\"id\":\"900\"}", 2);
    static const tl_str people[] = {TL_STR("user"), TL_STR("profile"), TL_STR("department")};
    const tl_subscribe of_people = {
        .struct_size = sizeof(of_people), .n_kinds = 3, .kinds = people, .url = q.url, .id = q.id};
    assert_int_equal(desk_webhook.subscribe(f->conn, &of_people, &e), TL_OK);
    assert_non_null(logged(f, "\"subscriptions\":{\"Agent_Add\":null,\"Agent_Update\":null,\"Agent_Delete\":null,"
                              "\"Department_Add\":null,\"Department_Update\":null}"));
    assert_int_equal(desk_webhook.subscribe(f->conn, &q, &e), TL_OK);
    can(f, 1, "PATCH", 404, "{\"errorCode\":\"URL_NOT_FOUND\"}", 1); /* removed behind our back: made anew */
    can(f, 0, "POST", 200, "{\"id\":\"901\"}", 1);
    assert_int_equal(desk_webhook.subscribe(f->conn, &q, &e), TL_OK);
    assert_string_equal(f->host.subscription.id, "901");
    can(f, 1, "DELETE https://desk.test/api/v1/webhooks/900", 404, "{\"errorCode\":\"URL_NOT_FOUND\"}", 1);
    assert_int_equal(desk_webhook.unsubscribe(f->conn, &q, &e), TL_OK);
    q.id = (tl_str){NULL, 0};
    can(f, 0, "POST", 403, "{\"errorCode\":\"LICENSE_ACCESS_LIMITED\"}", 1);
    assert_int_equal(desk_webhook.subscribe(f->conn, &q, &e), TL_E_DENIED);
    assert_non_null(strstr(e.text, "Professional 5"));
    portal_free(f);
}

/* The answer to the making of one was lost: it is found by its address, and no second one is made. */
static void test_subscribing_again(void **state)
{
    (void)state;
    struct portal *f = portal_new();
    tl_error e = {.struct_size = sizeof(e)};
    tl_subscribe q = {
        .struct_size = sizeof(q), .n_kinds = 1, .kinds = only_contact, .url = TL_STR("https://h/hooks/1")};
    static const char there[] = "{\"data\":[{\"id\":\"899\",\"url\":\"https://h/hooks/2\"},"
                                "{\"id\":\"900\",\"url\":\"https://h/hooks/1\"}]}";
    can(f, 0, "GET https://desk.test/api/v1/webhooks", 200, there, 1);
    can(f, 1, "PATCH https://desk.test/api/v1/webhooks/900", 200, "{\"id\":\"900\"}", 1);
    assert_int_equal(desk_webhook.subscribe(f->conn, &q, &e), TL_OK);
    assert_string_equal(f->host.subscription.audience, "webhookId:900");
    assert_null(logged(f, "POST"));
    can(f, 0, "GET https://desk.test/api/v1/webhooks", 500, "{}", 9); /* not known whether there is one: none is made */
    assert_int_equal(desk_webhook.subscribe(f->conn, &q, &e), TL_E_TEMPORARY);
    assert_null(logged(f, "POST"));
    can(f, 0, "GET https://desk.test/api/v1/webhooks", 403, "{\"errorCode\":\"FORBIDDEN\"}", 9);
    can(f, 1, "POST https://desk.test/api/v1/webhooks ", 200, "{\"id\":\"901\"}", 1);
    assert_int_equal(desk_webhook.subscribe(f->conn, &q, &e), TL_OK);
    assert_string_equal(f->host.subscription.id, "901");
    portal_free(f);
}

/* ---- signing in */

static void test_auth_verdicts(void **state)
{
    (void)state;
    assert_int_equal(desk_auth.verdict(401, TL_STR("{\"errorCode\":\"INVALID_OAUTH\"}")), TL_AUTH_EXPIRED);
    assert_int_equal(desk_auth.verdict(401, TL_STR("{\"errorCode\":\"UNAUTHORIZED\"}")), TL_AUTH_EXPIRED);
    assert_int_equal(desk_auth.verdict(401, TL_STR("{\"errorCode\":\"SCOPE_MISMATCH\"}")), TL_AUTH_UNRELATED);
    assert_int_equal(desk_auth.verdict(401, TL_STR("<html>")), TL_AUTH_UNRELATED);
    assert_int_equal(desk_auth.verdict(403, TL_STR("{\"errorCode\":\"INVALID_OAUTH\"}")), TL_AUTH_UNRELATED);
    static const struct {
        int32_t http;
        const char *body;
        tl_status status;
    } cases[] = {
        {200, "{\"error\":\"invalid_code\"}", TL_E_AUTH},
        {200, "{\"error\":\"invalid_client\"}", TL_E_CONFIG},
        {200, "{\"error\":\"invalid_client_secret\"}", TL_E_AUTH},
        {400, "{\"error\":\"Access Denied\",\"status\":\"failure\"}", TL_E_THROTTLED},
        {200, "{\"error\":\"general_error\"}", TL_E_TEMPORARY},
        {200, "{\"error\":\"new_word\"}", TL_E_AUTH},
        {503, "<html>", TL_E_TEMPORARY},
        {200, "{}", TL_E_TEMPORARY},
    };
    for (size_t i = 0; i < TLK_LEN(cases); i++) {
        tl_error e = {.struct_size = sizeof(e)};
        assert_int_equal(desk_auth.token_error(cases[i].http, tlk_str(cases[i].body), &e), cases[i].status);
        assert_true(e.text[0] != 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_get_states),
        cmocka_unit_test(test_one_bad_value_spares_the_rest),
        cmocka_unit_test(test_pages_that_are_none),
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_find_asks_nothing_that_means_something_else),
        cmocka_unit_test(test_find_on_a_portal_without_the_email_parameter),
        cmocka_unit_test(test_find_stamp_in_the_bin),
        cmocka_unit_test(test_push_create_and_update),
        cmocka_unit_test(test_push_update_without_the_record),
        cmocka_unit_test(test_push_errors),
        cmocka_unit_test(test_push_of_nothing),
        cmocka_unit_test(test_push_lost_answers),
        cmocka_unit_test(test_push_stops_when_throttled),
        cmocka_unit_test(test_push_delete_and_restore),
        cmocka_unit_test(test_check),
        cmocka_unit_test(test_check_says_what_is_missing),
        cmocka_unit_test(test_check_of_a_foreign_portal),
        cmocka_unit_test(test_discover),
        cmocka_unit_test(test_discover_where_stamps_cannot_be_searched),
        cmocka_unit_test(test_prepare_shows_first),
        cmocka_unit_test(test_hook_parsing),
        cmocka_unit_test(test_subscribing),
        cmocka_unit_test(test_subscribing_again),
        cmocka_unit_test(test_auth_verdicts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
