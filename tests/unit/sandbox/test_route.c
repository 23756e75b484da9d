/* Paths, patterns and JSON writing of the sandbox core. */
#include "../unit.h"

#include "server_int.h"

static bool fits(const char *pattern, const char *path, str captures[CALL_CAPTURES], unsigned *count)
{
    return route_fits(pattern, str_of(path), captures, count);
}

static void literal_paths_fit_exactly(void **state)
{
    (void)state;
    str c[CALL_CAPTURES];
    unsigned n;
    assert_true(fits("/api/v1/contacts", "/api/v1/contacts", c, &n));
    assert_int_equal(n, 0);
    assert_false(fits("/api/v1/contacts", "/api/v1/contact", c, &n));
    assert_false(fits("/api/v1/contacts", "/api/v1/contacts/", c, &n));
    assert_false(fits("/api/v1/contacts", "/api/v1", c, &n));
    assert_false(fits("/api/v1/contacts", "api/v1/contacts", c, &n));
}

static void captures_take_one_segment_and_never_nothing(void **state)
{
    (void)state;
    str c[CALL_CAPTURES];
    unsigned n;
    assert_true(fits("/c/{id}/merge/{x}", "/c/12/merge/y z", c, &n));
    assert_int_equal(n, 2);
    assert_str(c[0], "12");
    assert_str(c[1], "y z");
    assert_false(fits("/c/{id}", "/c/", c, &n));
    assert_false(fits("/c/{id}", "/c/1/2", c, &n));
}

static void the_rest_may_be_empty(void **state)
{
    (void)state;
    str c[CALL_CAPTURES];
    unsigned n;
    assert_true(fits("/_sim/{twin}/{rest*}", "/_sim/desk/a/b", c, &n));
    assert_str(c[1], "/a/b");
    assert_true(fits("/_sim/{twin}/{rest*}", "/_sim/desk", c, &n));
    assert_str(c[1], "");
}

static void wildcards(void **state)
{
    (void)state;
    assert_true(glob_fits("/api/*/search", STR("/api/v1/contacts/search")));
    assert_true(glob_fits("*", STR("")));
    assert_true(glob_fits("a*b*c", STR("aXbYbZc")));
    assert_false(glob_fits("a*b*c", STR("aXbYbZ")));
    assert_false(glob_fits("", STR("a")));
}

static void percent_decoding_keeps_what_is_not_encoded(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena a = {0};
    assert_str(percent_decoded(&a, STR("a%20b+c%C3%BC"), true), "a b cü");
    assert_str(percent_decoded(&a, STR("a+b"), false), "a+b");
    assert_str(percent_decoded(&a, STR("100%zz%4"), true), "100%zz%4");
}

static void json_is_escaped_and_separated(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf b = {0};
    buf_char(&b, '{');
    json_put_member(&b, "a", STR("x\"y\\z\n\x01ü"));
    json_put_int(&b, "b", -5);
    json_put_bool(&b, "c", true);
    buf_char(&b, '}');
    assert_buf(b, "{\"a\":\"x\\\"y\\\\z\\n\\u0001ü\",\"b\":-5,\"c\":true}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(literal_paths_fit_exactly),
        cmocka_unit_test(captures_take_one_segment_and_never_nothing),
        cmocka_unit_test(the_rest_may_be_empty),
        cmocka_unit_test(wildcards),
        cmocka_unit_test(percent_decoding_keeps_what_is_not_encoded),
        cmocka_unit_test(json_is_escaped_and_separated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
