/* Comments of tickets: what a person reads of them, their list, and one more. */
#include "desk.h"
#include "portal.h"

static void can(struct portal *f, int slot, const char *part, int32_t status, const char *body, int times)
{
    f->canned[slot] = (struct canned){part, status, TL_OK, body, times};
}

/* ---- text */

static void test_what_a_person_reads(void **state)
{
    (void)state;
    static const struct {
        const char *html, *text;
    } cases[] = {
        {"", ""},
        {"plain", "plain"},
        {"<div>Hello <b>Ann</b>,</div><div>bye</div>", "Hello Ann,\nbye"},
        {"one<br>two<BR/>three", "one\ntwo\nthree"},
        {"<ul><li>a</li><li>b</li></ul>", "a\nb"},
        {"5 &lt; 6 &amp;&amp; 7 &gt; 2", "5 < 6 && 7 > 2"},
        {"&quot;it&apos;s&quot; &#8364;&#x20AC; &#x1F600;", "\"it's\" €€ \xf0\x9f\x98\x80"},
        {"&nosuch; &#0; &#xD800; &#99999999; & &;", "&nosuch; &#0; &#xD800; &#99999999; & &;"},
        {"a<script>alert('<b>')</script>b<style>x{}</style>c", "abc"},
        {"a<script>for ever", "a"},
        {"1 < 2 and 3 > 2", "1 < 2 and 3 > 2"},
        {"cut <b", "cut <b"},
        {"<!-- hidden -->shown", "shown"},
        {"<predicate>x", "x"}, /* no "pre" */
        {" \n<p>edges</p> ", "edges"},
    };
    for (size_t i = 0; i < TLK_LEN(cases); i++) {
        TLK_AUTO_ARENA a = {0};
        tl_str got = desk_plain_text(&a, tlk_str(cases[i].html));
        if (!tlk_is(got, cases[i].text))
            fail_msg("\"%s\" reads \"%.*s\"", cases[i].html, TLK_FMT(got));
    }
}

/* ---- what is described */

static tl_action described;
static tl_field params[16];

static tl_status keep_action(const tl_host *h, const tl_action *a)
{
    (void)h;
    described = *a;
    described.kind = TL_STR("comment");
    described.name = TL_STR("create");
    assert_true(tlk_is(a->kind, "comment") && tlk_is(a->name, "create"));
    assert_true(a->n_params <= TLK_LEN(params));
    for (uint32_t i = 0; i < a->n_params; i++)
        params[i] = *TL_AT(tl_field, a->params, a->param_stride, i);
    return TL_OK;
}

/* Who told what: position of the author's kind, by record. */
static uint16_t author_kinds[8];
static uint32_t n_seen;

static bool see(struct fake_host *h, const tl_record *r)
{
    (void)h;
    for (uint32_t i = 0; i < r->n_values; i++) {
        if (r->values[i].type == TL_REF && r->values[i].aux < 8 && n_seen < TLK_LEN(author_kinds))
            author_kinds[n_seen] |= r->values[i].aux;
    }
    n_seen++;
    return true;
}

static struct portal *begin(tl_shape *s)
{
    static const tl_str kinds[] = {TL_STR("comment")};
    const tl_discover q = {.struct_size = sizeof(q), .n_kinds = 1, .kinds = kinds};
    tl_error e = {.struct_size = sizeof(e)};
    struct portal *f = portal_new();
    f->host.host.describe_action = keep_action;
    assert_int_equal(desk_discover(f->conn, &q, &e), TL_OK);
    f->host.record = see;
    n_seen = 0;
    memset(author_kinds, 0, sizeof author_kinds);
    *s = fake_shape(&f->host, "comment", "*");
    return f;
}

static void test_what_is_described(void **state)
{
    (void)state;
    tl_shape s;
    struct portal *f = begin(&s);
    assert_int_equal(fake_kind(&f->host, "comment")->can,
                     0); /* not pulled, not written: listed, and made by an action */
    assert_int_equal(described.flags, TL_ACTION_CREATES);
    assert_int_equal(described.rights, TL_RIGHT_CREATE);
    static const struct {
        const char *path;
        uint32_t flags;
    } expected[] = {{"parent", TL_F_REQUIRED}, {"body", TL_F_REQUIRED},        {"public", 0},
                    {"author", TL_F_READONLY}, {"author_name", TL_F_READONLY}, {"at", TL_F_READONLY}};
    for (size_t i = 0; i < TLK_LEN(expected); i++)
        assert_int_equal(params[i].flags, expected[i].flags);
    assert_true(params[1].max < 32000);  /* there is room for a name */
    f->host.host.describe_action = NULL; /* a host that knows no actions is told of the kind alone */
    tl_error e = {.struct_size = sizeof(e)};
    assert_int_equal(desk_comments_describe(f->conn, &e), TL_OK);
    portal_free(f);
}

/* ---- the list */

static tl_status list(struct portal *f, const tl_shape *s, const char *about, uint32_t limit, tl_error *e)
{
    AUTO(text_free) char *cursor = text_dup(f->cursor);
    const tl_list q = {.struct_size = sizeof(q),
                       .limit = limit,
                       .shape = s,
                       .about_kind = tlk_str(about),
                       .about_id = TL_STR("55"),
                       .cursor = tlk_str(cursor)};
    *e = (tl_error){.struct_size = sizeof(*e)};
    f->host.n_checkpoints = f->host.n_records = 0;
    f->host.pages_left = 1; /* the host takes one page, and says so */
    tl_status rc = desk_view.list(f->conn, &q, e);
    if (rc == TL_OK) {
        assert_int_equal(f->host.n_checkpoints, 1);
        portal_set_cursor(f, f->host.checkpoints[0].cursor);
        f->complete = f->host.checkpoints[0].complete;
    }
    return rc;
}

static const struct said_value *value(struct portal *f, const tl_shape *s, const char *id, const char *path)
{
    return fake_value(fake_record(&f->host, id), s, path);
}

/* Both ways in which the vendor shows times and types of authors. */
static void test_a_list(void **state)
{
    (void)state;
    tl_shape s;
    struct portal *f = begin(&s);
    tl_error e;
    can(f, 0, "GET https://desk.test/api/v1/tickets/55/comments?sortBy=-commentedTime&limit=100 ", 200,
        "{\"data\":[{\"id\":\"2\",\"content\":\"<div>a &amp; b</div>\",\"contentType\":\"html\",\"isPublic\":true,"
        "\"commentedTime\":1485266818000,\"modifiedTime\":null,\"commenterId\":\"9\",\"commenter\":{\"name\":\"Jade\","
        "\"type\":[\"END_USER\"]},\"attachments\":[{\"id\":\"1\",\"name\":\"a.png\"}]},"
        "{\"id\":\"1\",\"content\":\"5 < 6 &amp; <b>\",\"contentType\":\"plainText\",\"isPublic\":false,"
        "\"commentedTime\":\"2017-01-24T14:06:58.000Z\",\"commenterId\":\"8\",\"commenter\":{\"name\":\"Ada\",\"type\":"
        "\"AGENT\"},\"attachments\":[]}]}",
        1);
    assert_int_equal(list(f, &s, "ticket", 500, &e), TL_OK);
    assert_true(f->complete);
    assert_int_equal(f->host.checkpoints[0].estimate, 2);
    assert_int_equal(f->host.n_records, 2);
    assert_string_equal(value(f, &s, "2", "body")->text, "a & b");
    assert_string_equal(value(f, &s, "1", "body")->text, "5 < 6 &amp; <b>"); /* plain as it is */
    assert_string_equal(value(f, &s, "2", "parent")->text, "55");
    assert_string_equal(value(f, &s, "2", "author")->text, "9");
    assert_string_equal(value(f, &s, "1", "author_name")->text, "Ada");
    assert_int_equal(value(f, &s, "2", "public")->i, 1);
    assert_int_equal(value(f, &s, "2", "at")->i, INT64_C(1485266818000000));
    assert_int_equal(value(f, &s, "1", "at")->i, INT64_C(1485266818000000));
    assert_non_null(strstr(value(f, &s, "2", "x.attachments")->text, "a.png"));
    assert_int_equal(author_kinds[0], 1); /* a contact */
    assert_int_equal(author_kinds[1], 0); /* an agent */
    assert_int_equal(fake_record(&f->host, "1")->created_us, INT64_C(1485266818000000));
    portal_free(f);
}

#define COMMENT(id) "{\"id\":\"" id "\",\"content\":\"x\",\"contentType\":\"plainText\"}"

/* Where the vendor counts from 1 a page begins with the last one of the page before. */
static void test_pages(void **state)
{
    (void)state;
    for (int base = 0; base <= 1; base++) {
        tl_shape s;
        struct portal *f = begin(&s);
        tl_error e;
        can(f, 0, "-commentedTime&limit=2 ", 200, "{\"data\":[" COMMENT("4") "," COMMENT("3") "]}", 1);
        can(f, 1, "-commentedTime&from=2&limit=2 ", 200,
            base ? "{\"data\":[" COMMENT("3") "," COMMENT("2") "]}" : "{\"data\":[" COMMENT("2") "]}", 1);
        can(f, 2, "-commentedTime&from=4&limit=2 ", 200, "{\"data\":[" COMMENT("2") "]}", 1);
        assert_int_equal(list(f, &s, "ticket", 2, &e), TL_OK);
        assert_false(f->complete);
        assert_int_equal(f->host.n_records, 2);
        assert_int_equal(list(f, &s, "ticket", 2, &e), TL_OK);
        assert_int_equal(f->host.n_records, 1);
        assert_string_equal(f->host.records[0].id, "2");
        assert_int_equal(f->complete, !base);
        if (base) {
            assert_int_equal(list(f, &s, "ticket", 2, &e), TL_OK);
            assert_int_equal(f->host.n_records, 0);
            assert_true(f->complete);
        }
        portal_free(f);
    }
}

static void test_lists_that_are_none(void **state)
{
    (void)state;
    tl_shape s;
    struct portal *f = begin(&s);
    tl_error e;
    can(f, 0, "/tickets/55/comments", 204, "", 1);
    assert_int_equal(list(f, &s, "ticket", 10, &e), TL_OK);
    assert_true(f->complete);
    assert_int_equal(f->host.n_records, 0);
    portal_set_cursor(f, "");
    can(f, 0, "/tickets/55/comments", 200, "{\"comments\":[]}", 1);
    assert_int_equal(list(f, &s, "ticket", 10, &e), TL_E_TEMPORARY);
    can(f, 0, "/tickets/55/comments", 404, "{\"errorCode\":\"URL_NOT_FOUND\",\"message\":\"no\"}", 1);
    assert_int_equal(list(f, &s, "ticket", 10, &e), TL_E_NOT_FOUND);
    can(f, 0, "/tickets/55/comments", 403, "{\"errorCode\":\"SCOPE_MISMATCH\",\"message\":\"no\"}", 1);
    assert_int_equal(list(f, &s, "ticket", 10, &e), TL_E_DENIED);
    assert_non_null(strstr(e.text, "Desk.tickets.READ"));
    assert_int_equal(e.scope, TL_SCOPE_KIND);
    assert_int_equal(list(f, &s, "contact", 10, &e), TL_E_UNSUPPORTED);
    portal_set_cursor(f, "garbage");
    assert_int_equal(list(f, &s, "ticket", 10, &e), TL_E_CURSOR_LOST);
    portal_free(f);
}

/* ---- one more */

static tl_status act(struct portal *f, const char *name, uint32_t flags, const char *body, const char *person,
                     tl_error *e)
{
    const tl_value values[] = {{.field = 0, .type = TL_REF, .u.s = TL_STR("55")},
                               {.field = 1, .type = TL_MULTILINE, .u.s = tlk_str(body)},
                               {.field = 2, .type = TL_BOOL, .u.i = 1}};
    const tl_record record = {.n_values = 3, .values = values, .stamp = TL_STR("key.1")};
    const tl_shape s = {.struct_size = sizeof(s),
                        .n_fields = described.n_params,
                        .field_stride = sizeof(tl_field),
                        .kind = TL_STR("comment"),
                        .fields = params};
    const tl_act q = {.struct_size = sizeof(q),
                      .flags = flags,
                      .name = tlk_str(name),
                      .shape = &s,
                      .record = &record,
                      .person = tlk_str(person)};
    *e = (tl_error){.struct_size = sizeof(*e)};
    memset(f->host.results, 0, sizeof f->host.results);
    return desk_actions.act(f->conn, &q, e);
}

#define MADE "{\"id\":\"7001\",\"content\":\"x\",\"contentType\":\"plainText\",\"commenter\":{\"name\":\"Ada\"}}"

/* Signed with the name of who wrote it, for all to see. */
static void test_a_comment_is_made(void **state)
{
    (void)state;
    tl_shape s;
    struct portal *f = begin(&s);
    tl_error e;
    can(f, 0,
        "POST https://desk.test/api/v1/tickets/55/comments {\"content\":\"5 < 6\\n\\n-- Ann Light\","
        "\"contentType\":\"plainText\",\"isPublic\":true}",
        200, MADE, 1);
    assert_int_equal(act(f, "create", 0, "5 < 6", "Ann Light", &e), TL_OK);
    assert_int_equal(f->host.results[0].status, TL_OK);
    assert_int_equal(f->host.results[0].created, 1);
    assert_string_equal(f->host.results[0].id, "7001");
    can(f, 0, "{\"content\":\"alone\",", 200, MADE, 1); /* nobody is named: nobody signs */
    assert_int_equal(act(f, "create", 0, "alone", "", &e), TL_OK);
    assert_int_equal(f->host.results[0].status, TL_OK);
    assert_int_equal(f->host.doubled, 0);
    portal_free(f);
}

static void test_comments_that_are_refused(void **state)
{
    (void)state;
    static const struct {
        int32_t http;
        tl_status outcome, status, call;
        const char *body, *code;
    } cases[] = {
        {422, TL_OK, TL_E_INVALID, TL_OK,
         "{\"errorCode\":\"INVALID_DATA\",\"errors\":[{\"fieldName\":\"/content\",\"errorType\":\"invalid\"}]}",
         "INVALID_DATA"},
        {404, TL_OK, TL_E_NOT_FOUND, TL_OK, "{\"errorCode\":\"URL_NOT_FOUND\"}", "URL_NOT_FOUND"},
        {403, TL_OK, TL_E_DENIED, TL_OK, "{\"errorCode\":\"SCOPE_MISMATCH\"}", "SCOPE_MISMATCH"},
        {429, TL_OK, TL_E_THROTTLED, TL_E_THROTTLED, "{\"errorCode\":\"TOO_MANY_REQUESTS\"}", "TOO_MANY_REQUESTS"},
        {500, TL_OK, TL_E_UNKNOWN, TL_OK, "{\"errorCode\":\"INTERNAL_SERVER_ERROR\"}", "INTERNAL_SERVER_ERROR"},
        {200, TL_OK, TL_E_UNKNOWN, TL_OK, "{}", ""}, /* taken, but which one is it? */
        {0, TL_E_UNKNOWN, TL_E_UNKNOWN, TL_OK, NULL, ""},
    };
    for (size_t i = 0; i < TLK_LEN(cases); i++) {
        tl_shape s;
        struct portal *f = begin(&s);
        tl_error e;
        can(f, 0, "POST", cases[i].http, cases[i].body, 1);
        f->canned[0].outcome = cases[i].outcome;
        assert_int_equal(act(f, "create", 0, "x", "Ann", &e), cases[i].call);
        assert_true(f->host.results[0].given);
        assert_int_equal(f->host.results[0].status, cases[i].status);
        assert_string_equal(f->host.results[0].code, cases[i].code);
        assert_int_equal(f->calls, 1); /* never a second attempt */
        portal_free(f);
    }
}

/* The host only wanted to see what would be sent. */
static void test_nothing_is_sent_in_a_rehearsal(void **state)
{
    (void)state;
    tl_shape s;
    struct portal *f = begin(&s);
    tl_error e;
    can(f, 0, "POST", 0, NULL, 1);
    f->canned[0].outcome = TL_E_CANCELLED;
    assert_int_equal(act(f, "create", 0, "x", "Ann", &e), TL_E_CANCELLED);
    assert_false(f->host.results[0].given);
    portal_free(f);
}

static void test_what_is_not_asked_of_the_vendor(void **state)
{
    (void)state;
    tl_shape s;
    struct portal *f = begin(&s);
    tl_error e;
    assert_int_equal(act(f, "create", TL_ACT_LOOK, "x", "Ann", &e), TL_E_UNSUPPORTED);
    assert_int_equal(act(f, "delete", 0, "x", "Ann", &e), TL_E_UNSUPPORTED);
    assert_int_equal(act(f, "create", 0, "", "Ann", &e), TL_OK);
    assert_int_equal(f->host.results[0].status, TL_E_INVALID);
    assert_int_equal(f->host.results[0].reason, TL_R_PARAM_MISSING);
    assert_string_equal(f->host.results[0].field, "body");
    assert_int_equal(f->calls, 0);
    portal_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_a_person_reads),
        cmocka_unit_test(test_what_is_described),
        cmocka_unit_test(test_a_list),
        cmocka_unit_test(test_pages),
        cmocka_unit_test(test_lists_that_are_none),
        cmocka_unit_test(test_a_comment_is_made),
        cmocka_unit_test(test_comments_that_are_refused),
        cmocka_unit_test(test_nothing_is_sent_in_a_rehearsal),
        cmocka_unit_test(test_what_is_not_asked_of_the_vendor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
