/* Observations: round trip, order, broken bytes. */
#include "obs.h"
#include "rig.h"

static tl_value text(uint32_t field, uint8_t type, const char *z)
{
    return (tl_value){.field = field, .type = type, .u.s = str_of(z)};
}

static void every_type_comes_back(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena a = {0};
    AUTO(buf_done) struct buf b = {0};
    tl_value items[2] = {text(0, TL_CHOICE, "red"), {.type = TL_INT, .u.i = -3}};
    tl_value in[] = {
        {.field = 1, .type = TL_NULL},
        {.field = 2, .type = TL_BOOL, .u.i = 1},
        {.field = 3, .type = TL_INT, .u.i = INT64_MIN},
        {.field = 4, .type = TL_TIME, .u.i = RIG_START},
        {.field = 5, .type = TL_DATE, .u.i = -1},
        text(6, TL_DECIMAL, "12.10"),
        text(7, TL_TEXT, ""),
        text(300, TL_MULTILINE, "a\nb"),
        {.field = 301, .type = TL_REF, .aux = 1, .u.s = STR("4711")},
        {.field = 302, .type = TL_LIST, .u.list = {items, 2}},
        {.field = 303, .type = TL_LIST, .u.list = {NULL, 0}},
    };
    for (size_t i = 0; i < ARRAY_LEN(in); i++)
        obs_add(&b, &in[i]);
    assert_true(obs_valid(buf_lent(&b)));
    size_t n;
    tl_value *out = obs_all(buf_lent(&b), &a, &n);
    assert_int_equal(n, ARRAY_LEN(in));
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(out[i].field, in[i].field);
        assert_int_equal(out[i].type, in[i].type);
    }
    assert_int_equal(out[2].u.i, INT64_MIN);
    assert_int_equal(out[4].u.i, -1);
    assert_str(out[5].u.s, "12.10");
    assert_int_equal(out[8].aux, 1);
    assert_int_equal(out[9].u.list.n, 2);
    assert_str(out[9].u.list.items[0].u.s, "red");
    assert_int_equal(out[9].u.list.items[1].u.i, -3);
    assert_int_equal(out[10].u.list.n, 0);

    tl_value found;
    assert_true(obs_find(buf_lent(&b), 302, &a, &found));
    assert_int_equal(found.u.list.n, 2);
    assert_true(obs_find(buf_lent(&b), 1, &a, &found));
    assert_int_equal(found.type, TL_NULL);
    assert_false(obs_find(buf_lent(&b), 299, &a, &found));
    assert_false(obs_find(buf_lent(&b), 999, &a, &found));
    assert_false(obs_find((str){0}, 1, &a, &found));
}

static void values_are_sorted_and_the_last_of_equals_counts(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena a = {0};
    AUTO(buf_done) struct buf b = {0};
    tl_value in[] = {text(9, TL_TEXT, "nine"), text(2, TL_TEXT, "old"), text(5, TL_TEXT, "five"),
                     text(2, TL_TEXT, "new")};
    obs_add_all(&b, in, ARRAY_LEN(in));
    assert_true(obs_valid(buf_lent(&b)));
    size_t n;
    tl_value *out = obs_all(buf_lent(&b), &a, &n);
    assert_int_equal(n, 3);
    assert_int_equal(out[0].field, 2);
    assert_str(out[0].u.s, "new");
    assert_int_equal(out[2].field, 9);
}

static void every_cut_and_every_flipped_byte_is_safe(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena a = {0};
    AUTO(buf_done) struct buf b = {0};
    tl_value items[2] = {text(0, TL_TEXT, "x"), text(0, TL_TEXT, "yy")};
    tl_value in[] = {text(1, TL_TEXT, "hello"),
                     {.field = 2, .type = TL_LIST, .u.list = {items, 2}},
                     {.field = 3, .type = TL_INT, .u.i = 1234567}};
    obs_add_all(&b, in, ARRAY_LEN(in));
    int refused = 0;
    for (size_t cut = 1; cut < b.n; cut++) {
        size_t n;
        obs_all(str_n(b.p, cut), &a, &n);
        refused += !obs_valid(str_n(b.p, cut));
    }
    assert_true(refused >= (int)b.n - 4); /* only the two borders between values are whole */
    for (size_t at = 0; at < b.n; at++)
        for (int bit = 0; bit < 8; bit++) {
            char *copy = arena_copy(&a, b.p, b.n);
            copy[at] = (char)(copy[at] ^ (1 << bit));
            size_t n;
            obs_all(str_n(copy, b.n), &a, &n); /* must not read outside; the sanitizer looks */
            (void)obs_valid(str_n(copy, b.n));
        }
    static const char long_number[] = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f";
    assert_false(obs_valid(str_n(long_number, sizeof long_number - 1)));
    assert_false(obs_valid(STR("\x01\x06\x7fz")));    /* length beyond the end */
    assert_false(obs_valid(STR("\x01\x55")));         /* no such type */
    assert_false(obs_valid(STR("\x02\x00\x01\x00"))); /* not sorted */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_comes_back),
        cmocka_unit_test(values_are_sorted_and_the_last_of_equals_counts),
        cmocka_unit_test(every_cut_and_every_flipped_byte_is_safe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
