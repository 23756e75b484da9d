/* Requests, answers, error tables, cursors, options. The host is a table of canned answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "kit/kit.h"

static int64_t fixed_now(const tl_host *h)
{
    (void)h;
    return INT64_C(784111777000000); /* 1994-11-06 08:49:37 */
}

static uint32_t most_at_once, sent;

static tl_status count_http(const tl_host *h, tl_http *r, uint32_t n, tl_error *e)
{
    (void)h;
    (void)e;
    if (n > most_at_once)
        most_at_once = n;
    for (uint32_t i = 0; i < n; i++) {
        r[i].status = 204;
        sent++;
    }
    return TL_OK;
}

static char kept[2000]; /* what the host keeps under any name; empty: nothing */

static tl_status hand_out(char *buf, uint64_t cap, uint64_t *len)
{
    *len = strlen(kept);
    if (*len > cap)
        return TL_E_INVALID;
    memcpy(buf, kept, *len);
    return TL_OK;
}

static tl_status kept_get(const tl_host *h, const char *key, char *buf, uint64_t cap, uint64_t *len)
{
    (void)h;
    (void)key;
    *len = 0;
    return kept[0] ? hand_out(buf, cap, len) : TL_E_NOT_FOUND;
}

static tl_status kept_extra(const tl_host *h, const char *member, char *buf, uint64_t cap, uint64_t *len, tl_error *e)
{
    (void)h;
    (void)e;
    return strcmp(member, "none") == 0 ? TL_E_AUTH : hand_out(buf, cap, len);
}

static const tl_host host = {
    .struct_size = sizeof(tl_host),
    .now_us = fixed_now,
    .http = count_http,
    .kv_get = kept_get,
    .auth_extra = kept_extra,
};

static const tlk_error_row rows[] = {
    {.code = "INVALID_DATA", .http = 422, .status = TL_E_INVALID, .reason = TL_R_PARAM_INVALID},
    {.code = "BUSY", .status = TL_E_THROTTLED, .scope = TL_SCOPE_ENDPOINT, .wait_ms = 7000, .text = "is busy"},
    {.http = 5, .status = TL_E_TEMPORARY, .scope = TL_SCOPE_ENDPOINT, .text = "has trouble"},
};
static int32_t seen_status;

static void see(const tl_host *h, const tl_http *r)
{
    assert_ptr_equal(h, &host);
    seen_status = r->outcome == TL_OK ? r->status : -1;
}

static const tlk_errors table = {.system = "desk",
                                 .code_paths = "errorCode, 0.code",
                                 .text_paths = "message",
                                 .field_paths = "errors.0.fieldName",
                                 .rows = rows,
                                 .n_rows = TLK_LEN(rows),
                                 .seen = see,
                                 .html_means = "look at the option dc"};

static tl_status judge(int32_t status, const char *body, const char *retry_after, tl_error *e)
{
    TLK_AUTO_JSON j = {0};
    const tlk_node *root = NULL;
    const tl_pair header = {TL_STR("retry-after"), tlk_str(retry_after)};
    tl_http r = {.struct_size = sizeof(r),
                 .status = status,
                 .out_body = tlk_str(body),
                 .n_out_headers = retry_after ? 1 : 0,
                 .out_headers = &header};
    *e = (tl_error){.struct_size = sizeof(*e)};
    return tlk_answer(&host, &r, &table, &j, &root, e);
}

static void test_answers(void **state)
{
    (void)state;
    tl_error e;
    assert_int_equal(judge(200, "{}", NULL, &e), TL_OK);
    assert_int_equal(judge(204, "", NULL, &e), TL_OK);
    assert_int_equal(
        judge(422, "{\"errorCode\":\"INVALID_DATA\",\"message\":\"no good\",\"errors\":[{\"fieldName\":\"/email\"}]}",
              NULL, &e),
        TL_E_INVALID);
    assert_string_equal(e.text, "desk refused the call: no good");
    assert_string_equal(e.code, "INVALID_DATA");
    assert_string_equal(e.field, "/email");
    assert_int_equal(e.reason, TL_R_PARAM_INVALID);
    assert_int_equal(e.scope, TL_SCOPE_RECORD);
    assert_int_equal(e.http_status, 422);
    assert_int_equal(judge(429, "[{\"code\":\"BUSY\"}]", NULL, &e), TL_E_THROTTLED);
    assert_int_equal(e.retry_after_ms, 7000);
    assert_string_equal(e.text, "desk is busy: BUSY");
    assert_int_equal(judge(429, "[{\"code\":\"BUSY\"}]", "120", &e), TL_E_THROTTLED);
    assert_int_equal(e.retry_after_ms, 120000);
    assert_int_equal(judge(502, "", NULL, &e), TL_E_TEMPORARY);
    assert_string_equal(e.text, "desk has trouble (HTTP 502)");
    assert_int_equal(judge(404, "{}", NULL, &e), TL_E_NOT_FOUND); /* no row: what HTTP means by it */
    assert_int_equal(judge(401, "{}", NULL, &e), TL_E_AUTH);
    static const int32_t elsewhere[] = {301, 302, 303, 307, 308};
    for (size_t i = 0; i < TLK_LEN(elsewhere); i++) {
        assert_int_equal(judge(elsewhere[i], "", NULL, &e), TL_E_TEMPORARY);
        assert_int_equal(e.scope, TL_SCOPE_ENDPOINT);
    }
}

/* proves: Q8, C2. Of position, Date and own clock the odd one out is not believed. */
static void test_positions_and_clocks(void **state)
{
    (void)state;
    const int64_t s = TLK_US_PER_S, day = 86400 * s, now = 20000 * day;
    static const struct {
        int32_t position, server; /* hours from now; position 0 with none: no cursor */
        tl_status expect;
    } cases[] = {
        {-1, 0, TL_OK},
        {0, 0, TL_OK},
        {-1, 23, TL_OK},
        {-1, 25, TL_E_TEMPORARY},
        {240, 241, TL_E_TEMPORARY},
        {1, 0, TL_E_CURSOR_LOST},
        {240, 0, TL_E_CURSOR_LOST},
        {240, -240, TL_E_CURSOR_LOST},
        {-1, -20, TL_E_CURSOR_LOST},
        {-1, -240, TL_E_TEMPORARY},
        {-300, -240, TL_OK}, /* our own clock is ten days ahead */
    };
    for (size_t i = 0; i < TLK_LEN(cases); i++) {
        tl_error e = {.struct_size = sizeof(e)};
        tl_status rc =
            tlk_position_check(now + cases[i].position * 3600 * s, now + cases[i].server * 3600 * s, now, &e);
        if (rc != cases[i].expect)
            fail_msg("case %zu: %d %s", i, rc, e.text);
        assert_true(rc == TL_OK || e.scope == TL_SCOPE_KIND);
    }
    tl_error e = {.struct_size = sizeof(e)};
    assert_int_equal(tlk_position_check(0, now - 10000 * day, now, &e), TL_OK);
}

static void test_answers_that_are_no_json(void **state)
{
    (void)state;
    tl_error e;
    assert_int_equal(judge(401, " <!DOCTYPE html><html>", NULL, &e), TL_E_CONFIG);
    assert_string_equal(e.text,
                        "desk answered with an HTML page (HTTP 401, 22 bytes), not with JSON: look at the option dc");
    assert_int_equal(seen_status, 401);
    assert_int_equal(judge(503, "<html>", NULL, &e), TL_E_TEMPORARY);
    assert_string_equal(e.text, "desk answered with an HTML page (HTTP 503, 6 bytes), not with JSON");
    assert_int_equal(judge(200, "{\"data\":[{\"id\"", NULL, &e), TL_E_TEMPORARY);
    assert_string_equal(e.text, "desk sent an answer that is cut after 14 bytes");
    assert_int_equal(judge(200, "{]}", NULL, &e), TL_E_TEMPORARY);
    assert_string_equal(e.text, "desk sent an answer that is no JSON: name of a member expected at byte 1 (HTTP 200)");
}

static void test_lost_answers(void **state)
{
    (void)state;
    TLK_AUTO_JSON j = {0};
    const tlk_node *root;
    tl_error e = {.struct_size = sizeof(e)};
    tl_http r = {.struct_size = sizeof(r), .outcome = TL_E_UNKNOWN, .flags = TL_HTTP_WRITE, .error = "time-out"};
    assert_int_equal(tlk_answer(&host, &r, &table, &j, &root, &e), TL_E_UNKNOWN);
    assert_int_equal(e.scope, TL_SCOPE_RECORD);
    assert_string_equal(e.text, "desk did not answer: time-out");
    assert_int_equal(seen_status, -1);
    r.flags = 0; /* a read has no effects */
    assert_int_equal(tlk_answer(&host, &r, &table, &j, &root, &e), TL_E_TEMPORARY);
    assert_int_equal(e.scope, TL_SCOPE_ENDPOINT);
    tl_http w = {.outcome = TL_OK, .status = 500};
    assert_int_equal(tlk_write_status(&w, TL_E_TEMPORARY), TL_E_UNKNOWN);
    w.status = 503;
    assert_int_equal(tlk_write_status(&w, TL_E_TEMPORARY), TL_E_TEMPORARY);
    w.status = 307; /* sent on, not read */
    assert_int_equal(tlk_write_status(&w, TL_E_TEMPORARY), TL_E_TEMPORARY);
    w.status = 303; /* says where the outcome is */
    assert_int_equal(tlk_write_status(&w, TL_E_TEMPORARY), TL_E_UNKNOWN);
    w.status = 200; /* a success whose body was cut */
    assert_int_equal(tlk_write_status(&w, TL_E_TEMPORARY), TL_E_UNKNOWN);
    w.outcome = TL_E_TEMPORARY; /* nothing was sent */
    assert_int_equal(tlk_write_status(&w, TL_E_TEMPORARY), TL_E_TEMPORARY);
    assert_int_equal(tlk_write_status(&w, TL_E_INVALID), TL_E_INVALID);
}

static void test_retry_after(void **state)
{
    (void)state;
    const int64_t now = fixed_now(NULL);
    assert_int_equal(tlk_retry_after_ms(TL_STR("120"), now), 120000);
    assert_int_equal(tlk_retry_after_ms(TL_STR("-1"), now), 0);
    assert_int_equal(tlk_retry_after_ms(TL_STR("soon"), now), 0);
    assert_int_equal(tlk_retry_after_ms((tl_str){NULL, 0}, now), 0);
    assert_int_equal(tlk_retry_after_ms(TL_STR("Sun, 06 Nov 1994 08:49:47 GMT"), now), 10001);
    assert_int_equal(tlk_retry_after_ms(TL_STR("Sun, 06 Nov 1994 08:49:27 GMT"), now), 0);
}

static void test_requests(void **state)
{
    (void)state;
    TLK_AUTO_ARENA a = {0};
    tlk_url u;
    tlk_url_begin(&u, &a, TL_STR("https://h/api"), "/contacts");
    tlk_url_segment(&u, TL_STR("a/b"));
    tlk_url_add(&u, "email", TL_STR("a+b@x.y&z"));
    tlk_url_add_int(&u, "limit", -5);
    tl_str url = tlk_url_end(&u);
    assert_string_equal(url.p, "https://h/api/contacts/a%2Fb?email=a%2Bb%40x.y%26z&limit=-5");
    tl_http r;
    tlk_request(&r, "POST", url, TL_HTTP_WRITE);
    tlk_request_header(&r, &a, "orgId", TL_STR("1"));
    tlk_request_json(&r, &a, TL_STR("{}"));
    assert_int_equal(r.n_headers, 2);
    assert_true(tlk_is(r.headers[0].name, "orgId"));
    assert_true(tlk_is(r.headers[1].value, "application/json"));
}

static tl_status stop_at_8(void *ctx, tl_http *done, uint32_t first, uint32_t n, tl_error *e)
{
    (void)done;
    (void)e;
    *(uint32_t *)ctx += n;
    return first + n >= 8 ? TL_E_CANCELLED : TL_OK;
}

static void test_send_keeps_few_in_flight(void **state)
{
    (void)state;
    tl_http r[10] = {{.struct_size = sizeof(tl_http)}};
    tl_error e = {.struct_size = sizeof(e)};
    uint32_t seen = 0;
    most_at_once = sent = 0;
    assert_int_equal(tlk_send(&host, r, 10, 4, NULL, NULL, &e), TL_OK);
    assert_int_equal(most_at_once, 4);
    assert_int_equal(sent, 10);
    assert_int_equal(tlk_send(&host, r, 10, 4, stop_at_8, &seen, &e), TL_E_CANCELLED);
    assert_int_equal(seen, 8);
}

static void test_cursors(void **state)
{
    (void)state;
    TLK_AUTO_ARENA a = {0};
    tlk_cursor c = {0};
    tlk_cursor_set_int(&c, &a, "from", INT64_MIN);
    tlk_cursor_set(&c, &a, "seen", TL_STR("1,2;=%\xc3\xa9"));
    tlk_cursor_set_int(&c, &a, "from", 5);
    tl_str text = tlk_cursor_text(&c, "t.1", &a);
    assert_string_equal(text.p, "t.1;from=5;seen=1%2C2%3B%3D%25%C3%A9");
    tlk_cursor back;
    assert_true(tlk_cursor_read(&back, "t.1", text, &a));
    assert_int_equal(tlk_cursor_int(&back, "from", 0), 5);
    assert_true(tlk_is(tlk_cursor_get(&back, "seen"), "1,2;=%\xc3\xa9"));
    assert_int_equal(tlk_cursor_int(&back, "gone", -1), -1);
    assert_true(tlk_cursor_read(&back, "t.1", (tl_str){NULL, 0}, &a));
    assert_int_equal(back.n, 0);
    static const char *const damaged[] = {"t.2;from=5", "t.1;from", "t.1;from=%4", "t.1;from=%zz", "garbage"};
    for (size_t i = 0; i < TLK_LEN(damaged); i++)
        assert_false(tlk_cursor_read(&back, "t.1", tlk_str(damaged[i]), &a));
}

static void test_options(void **state)
{
    (void)state;
    const tl_pair config[] = {{TL_STR("dc"), TL_STR(" eu ")}, {TL_STR("sub"), TL_STR("yes")}};
    const tl_open o = {.n_config = 2, .config = config};
    assert_true(tlk_is(tlk_option(&o, "dc"), "eu"));
    assert_true(tlk_option_bool(&o, "sub"));
    assert_true(tlk_is(tlk_option_or(&o, "none", "x"), "x"));
    assert_true(tlk_is(tlk_base_url(TL_STR(" http://h/a// ")), "http://h/a"));
}

static void test_texts_are_cut_at_whole_characters(void **state)
{
    (void)state;
    char out[4];
    tlk_copy(out, sizeof(out), TL_STR("ab\xc3\xa9z"));
    assert_string_equal(out, "ab");
    tlk_copy(out, sizeof(out), TL_STR("a\xc3\xa9z"));
    assert_string_equal(out, "a\xc3\xa9");
    TLK_AUTO_BUF b = {.max = 4};
    tlk_addz(&b, "abcd");
    assert_false(b.full);
    tlk_addc(&b, 'e');
    assert_true(b.full);
    assert_string_equal(b.p, "abcd");
}

static void test_words_of_a_list_and_rows_of_a_table(void **state)
{
    (void)state;
    static const struct {
        uint32_t number;
        const char *name;
    } kinds[] = {{1, "account"}, {2, NULL}, {3, "contact"}};
    assert_int_equal(tlk_row_by(kinds, TLK_LEN(kinds), name, TL_STR("contact"))->number, 3);
    assert_null(tlk_row_by(kinds, TLK_LEN(kinds), name, TL_STR("contac")));
    assert_null(tlk_row_by(kinds, TLK_LEN(kinds), name, TLK_NONE));
    assert_null(tlk_row_by(kinds, 2, name, TL_STR("contact")));
    assert_true(tlk_in_list(TL_STR("1,22,3"), ',', TL_STR("22")));
    assert_false(tlk_in_list(TL_STR("1,22,3"), ',', TL_STR("2")));
    assert_false(tlk_in_list(TLK_NONE, ',', TL_STR("2")));
    assert_int_equal(tlk_characters(TL_STR("\xc3\xa9\xe2\x82\xac!")), 3);
}

/* What a connector ends a call with when the host, or the request, says no. */
static void test_refusals(void **state)
{
    (void)state;
    tl_error e = {.struct_size = sizeof(e)};
    assert_int_equal(tlk_refused(TL_OK, &e), TL_OK);
    assert_int_equal(tlk_refused(TL_E_CANCELLED, &e), TL_E_CANCELLED);
    assert_string_equal(e.text, "");
    assert_int_equal(tlk_refused(TL_E_INVALID, &e), TL_E_BUG);
    assert_string_equal(e.text, "the host refused what the connector handed over");
    assert_int_equal(tlk_fail(&e, TL_E_TEMPORARY, "the disk is full"), TL_E_TEMPORARY);
    assert_int_equal(tlk_refused(TL_E_TEMPORARY, &e), TL_E_TEMPORARY);
    assert_string_equal(e.text, "the disk is full");
    tlk_error_clear(&e);
    assert_string_equal(e.text, "");
    assert_int_equal(e.scope, TL_SCOPE_RECORD);
    assert_int_equal(e.struct_size, sizeof(e));
    assert_int_equal(tlk_unknown_kind(&e, "Zoho Desk", TL_STR("deal")), TL_E_UNSUPPORTED);
    assert_string_equal(e.text, "the connector of Zoho Desk knows no kind \"deal\"");
    assert_int_equal(e.scope, TL_SCOPE_KIND);
}

static void test_what_the_host_keeps_has_any_length(void **state)
{
    (void)state;
    static const size_t lengths[] = {1, 256, 257, 512, 513, sizeof(kept) - 1};
    TLK_AUTO_ARENA a = {0};
    tl_error e = {.struct_size = sizeof(e)};
    tl_str extra = TL_STR("untouched");
    assert_int_equal(tlk_kept(&host, &a, "org").n, 0);
    for (size_t i = 0; i < TLK_LEN(lengths); i++) {
        memset(kept, 0, sizeof(kept));
        memset(kept, 'x', lengths[i]);
        tl_str got = tlk_kept(&host, &a, "org");
        assert_true(tlk_is(got, kept) && got.p[got.n] == '\0');
        assert_int_equal(tlk_auth_extra(&host, &a, "scope", &extra, &e), TL_OK);
        assert_true(tlk_is(extra, kept) && extra.p[extra.n] == '\0');
    }
    assert_int_equal(tlk_auth_extra(&host, &a, "none", &extra, &e), TL_E_AUTH);
    assert_int_equal(extra.n, sizeof(kept) - 1);
    kept[0] = '\0';
    assert_int_equal(tlk_auth_extra(&host, &a, "scope", &extra, &e), TL_OK);
    assert_int_equal(extra.n, 0);
}

static void test_the_clock_of_an_answer(void **state)
{
    (void)state;
    const tl_http dated = {.server_us = 5}, silent = {.server_us = 0};
    assert_int_equal(tlk_server_us(&host, &dated), 5);
    assert_int_equal(tlk_server_us(&host, &silent), fixed_now(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_answers_that_are_no_json),
        cmocka_unit_test(test_positions_and_clocks),
        cmocka_unit_test(test_lost_answers),
        cmocka_unit_test(test_retry_after),
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_send_keeps_few_in_flight),
        cmocka_unit_test(test_cursors),
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_texts_are_cut_at_whole_characters),
        cmocka_unit_test(test_words_of_a_list_and_rows_of_a_table),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_what_the_host_keeps_has_any_length),
        cmocka_unit_test(test_the_clock_of_an_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
