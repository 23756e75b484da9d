/* The page reader and the writer. Damaged pages are judged against jansson (oracle.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "oracle.h"

static const tlk_node *read_ok(tlk_json *j, const char *text)
{
    const tlk_node *v = tlk_json_read(j, tlk_str(text));
    if (!v)
        fail_msg("%s at %u in %s", j->error, j->error_at, text);
    return v;
}

#define assert_text(s, z) assert_true(tlk_is((s), (z)))

static void test_walks_without_a_tree(void **state)
{
    (void)state;
    TLK_AUTO_JSON j = {0};
    TLK_AUTO_ARENA a = {0};
    const tlk_node *v = read_ok(&j, " {\"data\":[{\"id\":\"7\",\"n\":12.10,\"cf\":{\"x\":null}},{}],\"count\":2 } ");
    assert_text(tlk_text_at(v, "data.0.id", &a), "7");
    assert_text(tlk_text_at(v, "data.0.n", &a), "12.10"); /* the literal, not a double */
    assert_int_equal(tlk_type(tlk_at(v, "data.0.cf.x")), TLK_JNULL);
    assert_null(tlk_at(v, "data.0.cf.y"));
    assert_null(tlk_at(v, "data.2"));
    assert_null(tlk_at(v, "data.0.id.deeper"));
    assert_int_equal(tlk_count(tlk_get(v, "data")), 2);
    int64_t n = 0;
    assert_true(tlk_i64(tlk_get(v, "count"), &n));
    assert_int_equal(n, 2);
    assert_text(tlk_raw(tlk_at(v, "data.0.cf")), "{\"x\":null}");
}

static void test_absent_is_quiet(void **state)
{
    (void)state;
    TLK_AUTO_ARENA a = {0};
    bool b;
    int64_t n;
    assert_int_equal(tlk_text(NULL, &a).n, 0);
    assert_null(tlk_get(NULL, "x"));
    assert_null(tlk_item(NULL, 0));
    assert_false(tlk_bool(NULL, &b));
    assert_false(tlk_i64(NULL, &n));
    assert_int_equal(tlk_count(NULL), 0);
}

static void test_escapes(void **state)
{
    (void)state;
    TLK_AUTO_JSON j = {0};
    TLK_AUTO_ARENA a = {0};
    const tlk_node *v = read_ok(&j, "[\"a\\\"\\\\\\/\\b\\f\\n\\r\\tz\",\"\\u00e9\\u20AC\\uD83D\\uDE00\",\"\xd0\x96\"]");
    assert_text(tlk_text(tlk_item(v, 0), &a), "a\"\\/\b\f\n\r\tz");
    assert_text(tlk_text(tlk_item(v, 1), &a), "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
    assert_text(tlk_text(tlk_item(v, 2), &a), "\xd0\x96");
    assert_int_equal(j.unusable, 0);
    v = read_ok(&j, "{\"l\\u0061st\":1}");
    assert_non_null(tlk_get(v, "last"));
    assert_null(tlk_get(v, "las"));
    assert_null(tlk_get(v, "lastly"));
}

/* One unusable value fails its record, never the page. */
static void test_unusable_value_spares_the_page(void **state)
{
    (void)state;
    static const char *const broken[] = {"\\ud800",          "\\udc00x", "\\ud800\\u0041", "\\u0000",  "\\u12g4",
                                         "a\x01z",           "\\x",      "\xff",           "\xc0\xaf", "\xed\xa0\x80",
                                         "\xf5\x80\x80\x80", "\xe2\x82"};
    for (size_t i = 0; i < TLK_LEN(broken); i++) {
        TLK_AUTO_JSON j = {0};
        TLK_AUTO_ARENA a = {0};
        tl_str text =
            tlk_fmt(&a, "{\"data\":[{\"id\":\"1\"},{\"id\":\"2\",\"name\":\"%s\"},{\"id\":\"3\"}]}", broken[i]);
        const tlk_node *v = read_ok(&j, text.p);
        assert_int_equal(j.unusable, 1);
        assert_int_equal(tlk_at(v, "data.0")->flags & TLK_UNUSABLE, 0);
        assert_int_equal(tlk_at(v, "data.1")->flags & TLK_UNUSABLE, TLK_UNUSABLE);
        assert_text(tlk_text_at(v, "data.1.id", &a), "2");
        assert_int_equal(tlk_text_at(v, "data.1.name", &a).n, 0);
        assert_string_equal(tlk_type_name(tlk_at(v, "data.1.name")), "a broken text");
        assert_text(tlk_text_at(v, "data.2.id", &a), "3");
    }
}

static void test_long_numbers_are_kept(void **state)
{
    (void)state;
    TLK_AUTO_JSON j = {0};
    TLK_AUTO_ARENA a = {0};
    const tlk_node *v = read_ok(&j, "[123456789012345678901234567890,1e400,-0.0]");
    int64_t n;
    assert_text(tlk_text(tlk_item(v, 0), &a), "123456789012345678901234567890");
    assert_false(tlk_i64(tlk_item(v, 0), &n));
    assert_text(tlk_text(tlk_item(v, 1), &a), "1e400");
    assert_text(tlk_text(tlk_item(v, 2), &a), "-0.0");
}

static void test_broken_documents(void **state)
{
    (void)state;
    static const char *const broken[] = {"",
                                         " ",
                                         "{",
                                         "[1,]",
                                         "{\"a\"}",
                                         "{\"a\":}",
                                         "{,}",
                                         "[1 2]",
                                         "01",
                                         "1.",
                                         "-",
                                         "+1",
                                         ".5",
                                         "1e",
                                         "tru",
                                         "nul",
                                         "truex",
                                         "[1]]",
                                         "{\"a\":1,}",
                                         "{a:1}",
                                         "'a'",
                                         "\"a",
                                         "[\"a\\\"]",
                                         "<html>",
                                         "{\"a\":1}{}",
                                         "NaN",
                                         "[1}",
                                         "{]",
                                         "\xef\xbb\xbf[]"};
    TLK_AUTO_JSON j = {0};
    for (size_t i = 0; i < TLK_LEN(broken); i++) {
        if (tlk_json_read(&j, tlk_str(broken[i])))
            fail_msg("accepted %s", broken[i]);
        assert_non_null(j.error);
    }
}

static void test_truncation_is_told(void **state)
{
    (void)state;
    static const char page[] = "{\"data\":[{\"id\":\"1\",\"n\":12,\"t\":true}]}";
    TLK_AUTO_JSON j = {0};
    for (size_t n = 1; n < sizeof(page) - 1; n++) {
        assert_null(tlk_json_read(&j, tlk_strn(page, n)));
        assert_true(j.truncated);
    }
    assert_null(tlk_json_read(&j, TL_STR("{\"data\":]")));
    assert_false(j.truncated);
}

static void test_limits(void **state)
{
    (void)state;
    TLK_AUTO_JSON j = {0};
    TLK_AUTO_BUF b = {0};
    for (int i = 0; i < 64; i++)
        tlk_addc(&b, '[');
    for (int i = 0; i < 64; i++)
        tlk_addc(&b, ']');
    assert_non_null(tlk_json_read(&j, tlk_lent(&b)));
    tlk_buf_clear(&b);
    for (int i = 0; i < 65; i++)
        tlk_addc(&b, '[');
    assert_null(tlk_json_read(&j, tlk_lent(&b)));
    assert_string_equal(j.error, "nested deeper than 64 levels");
    j.max_bytes = 3;
    assert_null(tlk_json_read(&j, TL_STR("[10]")));
    assert_string_equal(j.error, "document too large");
    assert_non_null(tlk_json_read(&j, TL_STR("[1]")));
}

static void test_first_of_two_members_counts(void **state)
{
    (void)state;
    TLK_AUTO_JSON j = {0};
    TLK_AUTO_ARENA a = {0};
    assert_text(tlk_text_at(read_ok(&j, "{\"a\":\"1\",\"a\":\"2\"}"), "a", &a), "1");
}

static void test_lenient_scalars(void **state)
{
    (void)state;
    TLK_AUTO_JSON j = {0};
    const tlk_node *v =
        read_ok(&j, "[\"7\",\"100.0\",\"1.5\",\"\",\"9223372036854775808\",\"-9223372036854775808\",true,"
                    "\"false\",\"1\",0,\"x\",\"7.\"]");
    int64_t n = 0;
    bool b = false;
    assert_true(tlk_i64(tlk_item(v, 0), &n) && n == 7);
    assert_true(tlk_i64(tlk_item(v, 1), &n) && n == 100);
    assert_false(tlk_i64(tlk_item(v, 2), &n));
    assert_false(tlk_i64(tlk_item(v, 3), &n));
    assert_false(tlk_i64(tlk_item(v, 4), &n));
    assert_true(tlk_i64(tlk_item(v, 5), &n) && n == INT64_MIN);
    assert_true(tlk_bool(tlk_item(v, 6), &b) && b);
    assert_true(tlk_bool(tlk_item(v, 7), &b) && !b);
    assert_true(tlk_bool(tlk_item(v, 8), &b) && b);
    assert_true(tlk_bool(tlk_item(v, 9), &b) && !b);
    assert_false(tlk_bool(tlk_item(v, 10), &b));
    assert_false(tlk_i64(tlk_item(v, 11), &n));
}

/* ---- against jansson */

static uint64_t next(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static const char sample[] =
    "{\"data\":[{\"id\":\"4000000012001\",\"lastName\":\"M\xc3\xbcller\",\"n\":-12.50e+3,\"cf\":{\"cf_a\":null,\"b\":[]"
    "},"
    "\"ok\":true,\"no\":false,\"t\":\"\\u00e9\\ud83d\\ude00\\n\\\"\"},{\"e\":{},\"z\":[0,1.5,1E5,\"\"]}],\"count\":2}";

static void test_damaged_pages_agree_with_jansson(void **state)
{
    (void)state;
    static const char spice[] = "\"\\{}[],:0129eE+-.u\xc3\x80 tfn\n\x01\x7f\xff";
    TLK_AUTO_JSON j = {0};
    uint64_t seed = 0x5eed5eed1234ULL;
    for (int round = 0; round < 60000; round++) {
        char text[sizeof(sample)];
        size_t n = sizeof(sample) - 1;
        memcpy(text, sample, sizeof(sample));
        int hits = 1 + (int)(next(&seed) % 3);
        for (int i = 0; i < hits; i++) {
            size_t at = next(&seed) % n;
            switch (next(&seed) % 4) {
            case 0:
                text[at] = (char)next(&seed);
                break;
            case 1:
                text[at] = spice[next(&seed) % (sizeof(spice) - 1)];
                break;
            case 2:
                memmove(text + at, text + at + 1, n - at - 1);
                n--;
                break;
            default:
                n = next(&seed) % 8 == 0 ? at + 1 : n;
                break;
            }
        }
        const char *wrong = oracle_disagrees(&j, text, n);
        if (wrong)
            fail_msg("%s (round %d): %.*s", wrong, round, (int)n, text);
    }
}

/* ---- writer */

static void test_writer(void **state)
{
    (void)state;
    TLK_AUTO_WRITER w = {0};
    tlk_w_object(&w);
    tlk_w_member(&w, "a", TL_STR("x\"\\\n\x01\xc3\xa9"));
    tlk_w_key(&w, TL_STR("b"));
    tlk_w_array(&w);
    tlk_w_int(&w, INT64_MIN);
    tlk_w_object(&w);
    tlk_w_end_object(&w);
    tlk_w_raw(&w, TL_STR("12.10"));
    tlk_w_bool(&w, true);
    tlk_w_null(&w);
    tlk_w_end_array(&w);
    tlk_w_member(&w, "c", (tl_str){NULL, 0});
    tlk_w_end_object(&w);
    assert_string_equal(
        tlk_w_lent(&w).p,
        "{\"a\":\"x\\\"\\\\\\n\\u0001\xc3\xa9\",\"b\":[-9223372036854775808,{},12.10,true,null],\"c\":\"\"}");
    TLK_AUTO_JSON j = {0};
    assert_null(oracle_disagrees(&j, w.b.p, w.b.n));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_walks_without_a_tree),
        cmocka_unit_test(test_absent_is_quiet),
        cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_unusable_value_spares_the_page),
        cmocka_unit_test(test_long_numbers_are_kept),
        cmocka_unit_test(test_broken_documents),
        cmocka_unit_test(test_truncation_is_told),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_first_of_two_members_counts),
        cmocka_unit_test(test_lenient_scalars),
        cmocka_unit_test(test_damaged_pages_agree_with_jansson),
        cmocka_unit_test(test_writer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
