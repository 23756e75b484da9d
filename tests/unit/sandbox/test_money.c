/* Exact amounts: what parses, how they round, and that nothing is lost on the way. */
#include "../unit.h"

#include "money.h"

static void shown(const char *want, money m, int digits)
{
    AUTO(buf_done) struct buf b = {0};
    money_put(&b, m, digits);
    assert_string_equal(buf_text(&b), want);
}

static void short_form(const char *text)
{
    AUTO(buf_done) struct buf b = {0};
    money m;
    assert_true(money_parse(str_of(text), &m));
    money_put_short(&b, m);
    assert_string_equal(buf_text(&b), text);
}

static void what_parses_comes_back(void **state)
{
    (void)state;
    static const char *const texts[] = {"0", "1", "-1", "1369.66", "0.1", "-0.000001", "999999999999", "12.5", "100"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        short_form(texts[i]);
    money m;
    assert_true(money_parse(STR(".5"), &m));
    assert_int_equal(m, 500000);
    assert_true(money_parse(STR("2.50000000"), &m));
    assert_int_equal(m, 2500000);
}

static void what_is_no_amount_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",   "-",   ".",   "1,5", "1.2.3",         "1e3",       " 1",
        "1 ", "0x1", "++1", "ten", "1000000000000", "0.0000001", "9999999999999999999999"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        money m = 77;
        assert_false(money_parse(str_of(texts[i]), &m));
        assert_int_equal(m, 77);
    }
}

static void halves_go_away_from_zero(void **state)
{
    (void)state;
    shown("0.13", 125000, 2);
    shown("-0.13", -125000, 2);
    shown("0.12", 124999, 2);
    shown("3", 2500000, 0);
    shown("1.005000", 1005000, 6);
    shown("-0.05", -50000, 2);
}

static void products_and_shares_are_exact(void **state)
{
    (void)state;
    money out = 0;
    assert_true(money_multiply(1005000, 100 * MONEY_ONE, 2, &out)); /* a double has 100.49999 */
    shown("100.50", out, 2);
    assert_true(money_multiply(33333, 3 * MONEY_ONE, 2, &out));
    shown("0.10", out, 2);
    assert_true(money_multiply(19990000, 12345678000000, 2, &out));
    shown("246790103.22", out, 2);
    assert_true(money_share(100 * MONEY_ONE, 1, 3, 2, &out));
    shown("33.33", out, 2);
    assert_true(money_share(-100 * MONEY_ONE, 2, 3, 2, &out));
    shown("-66.67", out, 2);
    assert_true(money_share(MONEY_MAX, MONEY_MAX, MONEY_MAX, 6, &out));
    assert_int_equal(out, MONEY_MAX);
    assert_false(money_multiply(MONEY_MAX, 2 * MONEY_ONE, 2, &out));
    assert_int_equal(out, MONEY_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_parses_comes_back),
        cmocka_unit_test(what_is_no_amount_is_refused),
        cmocka_unit_test(halves_go_away_from_zero),
        cmocka_unit_test(products_and_shares_are_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
