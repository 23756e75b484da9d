/* Canonical comparison and lossless conversion. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "canon.h"
#include "times.h"

static tl_value text(uint8_t type, const char *z)
{
    return (tl_value){.type = type, .u.s = {z, strlen(z)}};
}

static struct canon rule(uint32_t a, uint32_t b, uint32_t max)
{
    tl_field fa = {.type = a, .max = max}, fb = {.type = b};
    return canon_of(&fa, &fb, 0, 1000);
}

static void compare(uint32_t ta, uint32_t tb, uint32_t max, const char *a, const char *b, bool equal)
{
    struct canon c = rule(ta, tb, max);
    tl_value va = text((uint8_t)ta, a), vb = text((uint8_t)tb, b);
    if (canon_equal(&c, &va, &vb) != equal)
        fail_msg("\"%s\" and \"%s\" should %s", a, b, equal ? "be equal" : "differ");
}

static void texts(void **state)
{
    (void)state;
    compare(TL_TEXT, TL_TEXT, 0, "Jos\xc3\xa9", "Jose\xcc\x81", true);
    compare(TL_TEXT, TL_TEXT, 0, " a ", "a", true);
    compare(TL_TEXT, TL_TEXT, 0, "a", "A", false);
    compare(TL_MULTILINE, TL_MULTILINE, 0, "a\r\nb", "a\nb", true);
    compare(TL_EMAIL, TL_TEXT, 0, "A@X.org ", "a@x.ORG", true);
    compare(TL_PHONE, TL_PHONE, 0, "+55 (11) 99", "+551199", true);
    compare(TL_PHONE, TL_PHONE, 0, "+551199", "+551198", false);
    compare(TL_TEXT, TL_TEXT, 3, "abcdef", "abc", true);
    compare(TL_TEXT, TL_TEXT, 0, "", "  ", true);
}

static void numbers(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
        uint32_t scale;
    } rows[] = {{"12.10", "12.1", UINT32_MAX},
                {"-0.0", "0", UINT32_MAX},
                {"1e3", "1000", UINT32_MAX},
                {"007", "7", UINT32_MAX},
                {"0.005", "0.01", 2},
                {"9.995", "10", 2},
                {"-9.995", "-10", 2},
                {"1.5e-3", "0.0015", UINT32_MAX},
                {"0.4", "0", 0},
                {"0.5", "1", 0},
                {"123456789012345678901.5", "123456789012345678901.5", UINT32_MAX}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO(buf_done) struct buf out = {0};
        assert_true(number_normal(str_of(rows[i].in), rows[i].scale, &out));
        assert_string_equal(buf_text(&out), rows[i].out);
    }
    AUTO(buf_done) struct buf none = {0};
    assert_false(number_normal(STR("twelve"), UINT32_MAX, &none));
    assert_false(number_normal(STR("1.2.3"), UINT32_MAX, &none));
    assert_false(number_normal(STR(""), UINT32_MAX, &none));
    compare(TL_DECIMAL, TL_TEXT, 0, "12.10", "12.1", true);
}

static void moments(void **state)
{
    (void)state;
    struct canon c = rule(TL_TIME, TL_TIME, 0);
    tl_value a = {.type = TL_TIME, .u.i = 5 * US_PER_S + 900000}, b = {.type = TL_TIME, .u.i = 5 * US_PER_S};
    assert_true(canon_equal(&c, &a, &b));
    b.u.i += US_PER_S;
    assert_false(canon_equal(&c, &a, &b));
    tl_value before = {.type = TL_TIME, .u.i = -1}, epoch = {.type = TL_TIME, .u.i = 0};
    assert_false(canon_equal(&c, &before, &epoch));
}

static void lists(void **state)
{
    (void)state;
    struct canon c = rule(TL_LIST, TL_LIST, 0);
    tl_value x[] = {text(TL_TEXT, "red"), text(TL_TEXT, "blue")}, y[] = {text(TL_TEXT, "blue"), text(TL_TEXT, "red")};
    tl_value a = {.type = TL_LIST, .u.list = {x, 2}}, b = {.type = TL_LIST, .u.list = {y, 2}};
    assert_true(canon_equal(&c, &a, &b));
    b.u.list.n = 1;
    assert_false(canon_equal(&c, &a, &b));
}

/* proves: S1-45 (the host finds it before the vendor has to) */
static void conversion(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena a = {0};
    tl_value out, in = text(TL_TEXT, "twelve");
    int32_t reason = 0;
    tl_field number = {.type = TL_INT}, shorter = {.type = TL_TEXT, .max = 3};
    assert_false(value_convert(&in, &number, &a, &out, &reason));
    assert_int_equal(reason, TL_R_TYPE_MISMATCH);
    in = text(TL_TEXT, " 12 ");
    assert_true(value_convert(&in, &number, &a, &out, &reason));
    assert_int_equal(out.u.i, 12);
    in = text(TL_TEXT, "12.5");
    assert_false(value_convert(&in, &number, &a, &out, &reason));
    in = text(TL_TEXT, "\xc3\xa9t\xc3\xa9");
    assert_true(value_convert(&in, &shorter, &a, &out, &reason));
    in = text(TL_TEXT, "long");
    assert_false(value_convert(&in, &shorter, &a, &out, &reason));
    assert_int_equal(reason, TL_R_TOO_LONG);
    tl_choice choices[] = {{TL_STR("Web"), TL_STR("Web")}};
    tl_field closed = {.type = TL_CHOICE, .flags = TL_F_CLOSED, .n_choices = 1, .choices = choices};
    in = text(TL_TEXT, "Fax");
    assert_false(value_convert(&in, &closed, &a, &out, &reason));
    assert_int_equal(reason, TL_R_CHOICE_UNKNOWN);
    in = (tl_value){.type = TL_NULL};
    assert_true(value_convert(&in, &number, &a, &out, &reason));
    assert_int_equal(out.type, TL_NULL);
}

/* proves: S1-45 */
static void numbers_in_texts(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } rows[] = {{"10184.0", "10184"}, {"12.10", "12.1"}, {"1.0184e4", "10184"},
                {"-0.0", "0"},        {"0.50", "0.5"},   {"700", "700"}};
    AUTO(arena_done) struct arena a = {0};
    tl_field text = {.type = TL_TEXT, .max = 6}, number = {.type = TL_DECIMAL};
    struct canon c = canon_of(&text, &number, 0, 0);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        tl_value in = {.type = TL_DECIMAL, .u.s = TL_STR(""), .aux = 0}, out = {0};
        int32_t reason = 0;
        in.u.s = (tl_str){rows[i].in, strlen(rows[i].in)};
        assert_true(value_convert(&in, &text, &a, &out, &reason));
        assert_true(str_is(out.u.s, rows[i].out));
        assert_true(canon_equal(&c, &in, &out));
    }
}

/* What is kept of a record has no form for them, so they are mapped to nothing, their own kind included. */
static void rows_and_files_are_not_mapped(void **state)
{
    (void)state;
    static const uint32_t types[] = {TL_TEXT, TL_INT, TL_DECIMAL, TL_LIST, TL_JSON, TL_BYTES, TL_BLOB, TL_ROWS};
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        assert_int_equal(value_convertible(types[i], TL_ROWS), 0);
        assert_int_equal(value_convertible(TL_ROWS, types[i]), 0);
        assert_int_equal(value_convertible(types[i], TL_BLOB), 0);
        assert_int_equal(value_convertible(TL_BLOB, types[i]), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(numbers_in_texts),
                                       cmocka_unit_test(texts),
                                       cmocka_unit_test(numbers),
                                       cmocka_unit_test(moments),
                                       cmocka_unit_test(lists),
                                       cmocka_unit_test(conversion),
                                       cmocka_unit_test(rows_and_files_are_not_mapped)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
