/* Agents, profiles and departments: lists that are read whole, and by id. */
#include "desk.h"
#include "portal.h"

static void can(struct portal *f, int slot, const char *part, int32_t status, const char *body, int times)
{
    f->canned[slot] = (struct canned){part, status, TL_OK, body, times};
}

/* The shape of all that discover() describes for the kind. */
static tl_shape shape_of(struct portal *f, const char *kind)
{
    const tl_str kinds[] = {tlk_str(kind)};
    const tl_discover q = {.struct_size = sizeof(q), .n_kinds = 1, .kinds = kinds};
    tl_error e = {.struct_size = sizeof(e)};
    assert_int_equal(desk_discover(f->conn, &q, &e), TL_OK);
    assert_int_equal(f->host.n_kinds, 1);
    assert_int_equal(f->host.kinds[0].can, TL_CAN_PULL | TL_CAN_PASS);
    f->host.record = NULL; /* keeps every record */
    return fake_shape(&f->host, kind, "*");
}

static void check_text(struct portal *f, const tl_shape *s, const char *id, const char *path, const char *expected)
{
    const struct said_value *v = fake_value(fake_record(&f->host, id), s, path);
    if (!v || strcmp(v->text, expected) != 0)
        fail_msg("%s: %s is \"%s\", not \"%s\"", id, path, v ? v->text : "(nothing)", expected);
}

/* 200 a call, until a call brings fewer; the place in between is in the cursor, and the next poll begins anew. */
static void test_agents_are_read_page_by_page(void **state)
{
    (void)state;
    struct portal *f = portal_new();
    tl_error e;
    tl_shape s = shape_of(f, "user");
    TLK_AUTO_BUF page = {0};
    tlk_addz(&page, "{\"data\":[");
    for (int i = 0; i < 200; i++)
        tlk_addf(&page, "%s{\"id\":\"%lld\",\"emailId\":\"a%d@x.org\"}", i ? "," : "", 4000000000000000LL + i, i);
    tlk_addz(&page, "]}");
    tlk_addc(&page, 0);
    const char *last = "{\"data\":[{\"id\":\"4000000000000200\",\"emailId\":\"last@x.org\",\"status\":\"ACTIVE\"}]}";
    can(f, 0, "/api/v1/agents?limit=200&include=profile%2Crole", 200, tlk_lent(&page).p, 2);
    can(f, 1, "/api/v1/agents?from=200&limit=200&include=profile%2Crole", 200, last, 2);
    assert_int_equal(portal_pull_of(f, &s, TL_PULL_PASS, 1, &e), TL_OK);
    assert_false(f->complete);
    assert_int_equal(f->host.n_records, 200);
    assert_int_equal(portal_pull_of(f, &s, TL_PULL_PASS, 1, &e), TL_OK);
    assert_true(f->complete);
    assert_int_equal(f->host.n_records, 201);
    check_text(f, &s, "4000000000000200", "email", "last@x.org");
    assert_int_equal(portal_pull_of(f, &s, TL_PULL_CHANGES, 8, &e), TL_OK);
    assert_true(f->complete);
    assert_int_equal(f->host.n_records, 402);
    portal_free(f);
}

static void test_what_an_agent_tells(void **state)
{
    (void)state;
    struct portal *f = portal_new();
    tl_error e;
    tl_shape s = shape_of(f, "user");
    can(f, 0, "/agents?", 200,
        "{\"data\":[{\"id\":\"1\",\"status\":\"ACTIVE\",\"profileId\":\"77\",\"role\":{\"id\":\"5\",\"name\":\"CEO\"},"
        "\"associatedDepartmentIds\":[\"8\",9],\"rolePermissionType\":\"Light\"},"
        "{\"id\":\"2\",\"status\":\"DISABLED\",\"associatedDepartmentIds\":[],\"role\":null},{\"name\":\"no id\"}]}",
        1);
    assert_int_equal(portal_pull_of(f, &s, TL_PULL_PASS, 0, &e), TL_OK);
    assert_int_equal(f->host.n_records, 2);
    const struct said_record *one = fake_record(&f->host, "1"), *two = fake_record(&f->host, "2");
    assert_int_equal(fake_value(one, &s, "active")->i, 1);
    assert_int_equal(fake_value(two, &s, "active")->i, 0);
    check_text(f, &s, "2", "status", "DISABLED");
    check_text(f, &s, "1", "profile", "77");
    check_text(f, &s, "1", "role", "CEO");
    check_text(f, &s, "1", "departments", "8|9");
    check_text(f, &s, "2", "departments", "");
    check_text(f, &s, "1", "x.rolePermissionType", "Light");
    assert_null(fake_value(two, &s, "role")); /* not told: unknown, not empty */
    portal_free(f);
}

static void test_by_id(void **state)
{
    (void)state;
    struct portal *f = portal_new();
    tl_error e = {.struct_size = sizeof(e)};
    tl_shape s = shape_of(f, "user");
    const tl_str ids[] = {TL_STR("42"), TL_STR("43"), TL_STR("44")};
    const tl_get q = {.struct_size = sizeof(q), .n_ids = 3, .shape = &s, .ids = ids};
    can(f, 0, "/agents/42?include=profile%2Crole", 200, "{\"id\":\"42\",\"emailId\":\"a@x.org\"}", 1);
    can(f, 1, "/agents/43", 404, "{\"errorCode\":\"URL_NOT_FOUND\",\"message\":\"no\"}", 1);
    can(f, 2, "/agents/44", 403, "{\"errorCode\":\"FORBIDDEN\",\"message\":\"no\"}", 1);
    assert_int_equal(desk_get(f->conn, &q, &e), TL_OK);
    static const int32_t states[] = {TL_STATE_LIVE, TL_STATE_DELETED, TL_STATE_FORBIDDEN};
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(f->host.records[i].state, states[i]);
        assert_int_equal(f->host.records[i].index, i);
    }
    portal_free(f);
}

#define PERMISSIONS "{\"crmInteg\":{\"crmContactsNotes\":true},\"financeInteg\":{\"sendInvoice\":false}}"

static void test_profiles_with_their_permissions(void **state)
{
    (void)state;
    struct portal *f = portal_new();
    tl_error e;
    tl_shape s = shape_of(f, "profile");
    can(f, 0, "/profiles?limit=250&fields=type%2Cdescription%2Cpermissions", 200,
        "{\"data\":[{\"id\":\"1\",\"name\":\"Light\",\"type\":\"Light\",\"permissions\":" PERMISSIONS "}]}", 1);
    assert_int_equal(portal_pull_of(f, &s, TL_PULL_PASS, 0, &e), TL_OK);
    check_text(f, &s, "1", "name", "Light");
    check_text(f, &s, "1", "x.type", "Light");
    check_text(f, &s, "1", "permissions", PERMISSIONS);
    portal_free(f);
}

/* A portal whose list knows no "fields" shows no permissions there: each is read by itself, and one that is gone by
 * then is left out. */
static void test_profiles_of_an_older_portal(void **state)
{
    (void)state;
    struct portal *f = portal_new();
    tl_error e;
    tl_shape s = shape_of(f, "profile");
    can(f, 0, "fields=", 422, "{\"errorCode\":\"UNPROCESSABLE_ENTITY\",\"message\":\"Extra query parameter 'fields'\"}",
        1);
    can(f, 1, "/profiles?limit=250 ", 200,
        "{\"data\":[{\"id\":\"1\",\"name\":\"Light\"},{\"id\":\"2\",\"name\":\"Gone\"}]}", 2);
    can(f, 2, "/profiles/1 ", 200, "{\"id\":\"1\",\"name\":\"Light\",\"permissions\":" PERMISSIONS "}", 2);
    can(f, 3, "/profiles/2 ", 404, "{\"errorCode\":\"URL_NOT_FOUND\"}", 2);
    for (uint32_t poll = 1; poll <= 2; poll++) { /* the second one does not ask in vain any more */
        assert_int_equal(portal_pull_of(f, &s, TL_PULL_CHANGES, 0, &e), TL_OK);
        assert_true(f->complete);
        assert_int_equal(f->host.n_records, poll);
    }
    check_text(f, &s, "1", "permissions", PERMISSIONS);
    assert_int_equal(f->calls, 7);
    portal_free(f);
}

static void test_departments(void **state)
{
    (void)state;
    struct portal *f = portal_new();
    tl_error e;
    tl_shape s = shape_of(f, "department");
    can(f, 0, "/departments?limit=200 ", 200,
        "{\"data\":[{\"id\":\"8\",\"name\":\"Support\",\"isEnabled\":true},{\"id\":\"9\",\"name\":\"Old\","
        "\"isEnabled\":\"false\"}]}",
        1);
    assert_int_equal(portal_pull_of(f, &s, TL_PULL_PASS, 0, &e), TL_OK);
    check_text(f, &s, "9", "name", "Old");
    assert_int_equal(fake_value(fake_record(&f->host, "8"), &s, "active")->i, 1);
    assert_int_equal(fake_value(fake_record(&f->host, "9"), &s, "active")->i, 0);
    portal_free(f);
}

/* An older sign-in is not spoilt for all that it could do before. */
static void test_a_missing_scope_concerns_the_kind_alone(void **state)
{
    (void)state;
    struct portal *f = portal_new();
    tl_error e;
    tl_shape s = shape_of(f, "profile");
    can(f, 0, "/profiles", 401, "{\"errorCode\":\"SCOPE_MISMATCH\",\"message\":\"no\"}", 1);
    assert_int_equal(portal_pull_of(f, &s, TL_PULL_PASS, 0, &e), TL_E_DENIED);
    assert_int_equal(e.scope, TL_SCOPE_KIND);
    assert_string_equal(e.text, "the sign-in lacks the scope Desk.basic.READ for Profiles: sign in again with it");
    portal_free(f);
}

/* An answer that is no list would otherwise say that nobody works there any more. */
static void test_an_answer_without_a_list(void **state)
{
    (void)state;
    static const char *const answers[] = {"{}", "[]", "{\"data\":{}}", "{\"data\":null}"};
    for (size_t i = 0; i < TLK_LEN(answers); i++) {
        struct portal *f = portal_new();
        tl_error e;
        tl_shape s = shape_of(f, "user");
        can(f, 0, "/agents?", 200, answers[i], 1);
        assert_int_equal(portal_pull_of(f, &s, TL_PULL_PASS, 0, &e), TL_E_TEMPORARY);
        assert_int_equal(f->host.n_checkpoints, 0);
        can(f, 0, "/agents?", 204, "", 1); /* this one says so */
        assert_int_equal(portal_pull_of(f, &s, TL_PULL_PASS, 0, &e), TL_OK);
        assert_true(f->complete);
        portal_free(f);
    }
}

static void test_foreign_cursors(void **state)
{
    (void)state;
    struct portal *f = portal_new();
    tl_error e;
    tl_shape s = shape_of(f, "user");
    portal_set_cursor(f, "desk.pass.1;lo=1");
    assert_int_equal(portal_pull_of(f, &s, TL_PULL_PASS, 0, &e), TL_E_CURSOR_LOST);
    portal_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_agents_are_read_page_by_page),
        cmocka_unit_test(test_what_an_agent_tells),
        cmocka_unit_test(test_by_id),
        cmocka_unit_test(test_profiles_with_their_permissions),
        cmocka_unit_test(test_profiles_of_an_older_portal),
        cmocka_unit_test(test_departments),
        cmocka_unit_test(test_a_missing_scope_concerns_the_kind_alone),
        cmocka_unit_test(test_an_answer_without_a_list),
        cmocka_unit_test(test_foreign_cursors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
