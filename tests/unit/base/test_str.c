#include "unit/unit.h"

static void compares(void **state)
{
    (void)state;
    assert_true(str_cmp(STR("a"), STR("b")) < 0);
    assert_true(str_cmp(STR("ab"), STR("a")) > 0);
    assert_int_equal(str_cmp(STR(""), (str){NULL, 0}), 0);
    assert_true(str_cmp(STR("\xff"), STR("a")) > 0); /* bytes are unsigned */
    assert_true(str_eq_nocase(STR("Content-Type"), STR("content-TYPE")));
    assert_false(str_eq_nocase(STR("@"), STR("`"))); /* differ by 32, but are no letters */
    assert_true(str_starts(STR("abc"), STR("ab")));
    assert_true(str_starts(STR("abc"), STR("")));
    assert_false(str_starts(STR("a"), STR("ab")));
    assert_true(str_ends(STR("desk.zoho.example"), STR(".example")));
    assert_false(str_ends(STR("b"), STR("ab")));
    assert_true(str_ends((str){NULL, 0}, STR("")));
}

static void trims_and_splits(void **state)
{
    (void)state;
    assert_str(str_trim(STR(" \t a b\r\n")), "a b");
    assert_int_equal(str_trim(STR("   ")).n, 0);
    str rest = STR("a,,b,"), head;
    assert_true(str_split(&rest, ',', &head));
    assert_str(head, "a");
    assert_true(str_split(&rest, ',', &head));
    assert_int_equal(head.n, 0);
    assert_true(str_split(&rest, ',', &head));
    assert_str(head, "b");
    assert_false(str_split(&rest, ',', &head)); /* what follows the last separator is nothing */
}

static void finds_words_in_lists(void **state)
{
    (void)state;
    assert_true(str_in_list(STR("desk, crm ,finance"), STR("crm")));
    assert_true(str_in_list(STR("desk"), STR("desk")));
    assert_false(str_in_list(STR("desk,crm"), STR("cr")));
    assert_false(str_in_list(STR(""), STR("desk")));
}

static void reads_whole_numbers_only(void **state)
{
    (void)state;
    int64_t v = 7;
    assert_true(str_to_i64(STR("-42"), &v));
    assert_int_equal(v, -42);
    assert_true(str_to_i64(STR("+42"), &v));
    assert_int_equal(v, 42);
    assert_true(str_to_i64(STR("9223372036854775807"), &v));
    assert_true(v == INT64_MAX);
    assert_true(str_to_i64(STR("-9223372036854775808"), &v));
    assert_true(v == INT64_MIN);
    static const char *const bad[] = {
        "", "-", "+", " 1", "1 ", "1.0", "0x10", "9223372036854775808", "--1", "-9223372036854775809", "12a"};
    v = 7;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(str_to_i64(str_of(bad[i]), &v));
    assert_int_equal(v, 7);
}

static void reads_one_percent_escape(void **state)
{
    (void)state;
    static const char *const none[] = {"", "%", "%4", "a41", "%g1", "%4g", "%-1", "% 1", "41%"};
    assert_int_equal(str_percent_byte(STR("%41")), 'A');
    assert_int_equal(str_percent_byte(STR("%00")), 0);
    assert_int_equal(str_percent_byte(STR("%fFrest")), 0xff);
    for (size_t i = 0; i < ARRAY_LEN(none); i++)
        assert_int_equal(str_percent_byte(str_of(none[i])), -1);
    assert_int_equal(str_percent_byte(str_n("%41", 2)), -1); /* what stands behind the text is not read */
}

static void owns_copies(void **state)
{
    (void)state;
    AUTO(text_free) char *copy = str_dup(str_n("abcdef", 3));
    assert_string_equal(copy, "abc");
    AUTO(text_free) char *empty = text_dup(NULL);
    assert_string_equal(empty, "");
    AUTO(text_free) char *made = text_fmt("%d-%s", 4, "x");
    assert_string_equal(made, "4-x");
    char *moved = take(made);
    assert_null(made);
    assert_null(text_free(moved));
    assert_null(text_free(NULL));
}

static void suggests_near_words_only(void **state)
{
    (void)state;
    static const char *const keys[] = {"client_id", "client_secret", "login_url", "org"};
    assert_string_equal(text_nearest("clientid", keys, 4), "client_id");
    assert_string_equal(text_nearest("cleint_secret", keys, 4), "client_secret");
    assert_string_equal(text_nearest("LOGIN_URL", keys, 4), "login_url");
    assert_string_equal(text_nearest("ogr", keys, 4), "org"); /* neighbours swapped: one edit */
    assert_null(text_nearest("xyz", keys, 4));
    assert_null(text_nearest("password", keys, 4));
    assert_null(text_nearest("", keys, 4));
    assert_null(text_nearest("org", NULL, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compares),
        cmocka_unit_test(trims_and_splits),
        cmocka_unit_test(finds_words_in_lists),
        cmocka_unit_test(reads_whole_numbers_only),
        cmocka_unit_test(reads_one_percent_escape),
        cmocka_unit_test(owns_copies),
        cmocka_unit_test(suggests_near_words_only),
    };
    return cmocka_run_group_tests_name("base_str", tests, NULL, NULL);
}
