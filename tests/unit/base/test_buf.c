#include "unit/unit.h"

static void grows_and_stays_terminated(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf b = {0};
    assert_string_equal(buf_text(&b), "");
    for (int i = 0; i < 1000; i++) {
        buf_fmt(&b, "%d,", i);
        assert_int_equal(b.p[b.n], 0);
        assert_true(b.n < b.cap);
    }
    assert_int_equal(b.n, 10 * 2 + 90 * 3 + 900 * 4);
    assert_true(str_ends(buf_lent(&b), STR(",998,999,")));
    size_t cap = b.cap;
    buf_clear(&b);
    assert_string_equal(buf_text(&b), "");
    assert_int_equal(b.cap, cap);
}

static void stops_at_its_maximum(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf b = {.max = 10};
    buf_text_add(&b, "12345");
    buf_text_add(&b, "67890");
    assert_false(b.full);
    assert_buf(b, "1234567890");
    buf_char(&b, '!');
    assert_true(b.full);
    buf_text_add(&b, ""); /* nothing, but full stays told */
    assert_buf(b, "1234567890");
    buf_clear(&b);
    assert_false(b.full);
    buf_text_add(&b, "12345678901"); /* all or nothing */
    assert_true(b.full);
    buf_text_add(&b, "x"); /* a later one that would fit is ignored too */
    assert_int_equal(b.n, 0);
    assert_null(buf_room(&b, 1));
}

static void formats_past_what_it_holds(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf b = {.max = 300};
    buf_fmt(&b, "%0200d", 7);
    assert_int_equal(b.n, 200);
    buf_fmt(&b, "%0101d", 7);
    assert_true(b.full);
    assert_int_equal(b.n, 200);
    assert_int_equal(b.p[200], 0);
    struct buf tiny = {.max = 3};
    buf_fmt(&tiny, "%s", "abcd");
    assert_true(tiny.full);
    assert_int_equal(tiny.n, 0);
    buf_done(&tiny);
}

static void gives_its_text_away(void **state)
{
    (void)state;
    struct buf b = {.max = 100};
    buf_text_add(&b, "abc");
    AUTO(text_free) char *text = buf_take(&b);
    assert_string_equal(text, "abc");
    assert_null(b.p);
    assert_int_equal(b.max, 100);
    AUTO(text_free) char *none = buf_take(&b);
    assert_string_equal(none, "");
}

static void varints_round_trip(void **state)
{
    (void)state;
    static const uint64_t values[] = {0, 1, 127, 128, 300, 16383, 16384, UINT32_MAX, INT64_MAX, UINT64_MAX};
    AUTO(buf_done) struct buf b = {0};
    for (size_t i = 0; i < ARRAY_LEN(values); i++)
        buf_varint(&b, values[i]);
    const uint8_t *p = (const uint8_t *)b.p, *end = p + b.n;
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        uint64_t v = 0;
        assert_true(varint_read(&p, end, &v));
        assert_true(v == values[i]);
    }
    assert_ptr_equal(p, end);
}

static void varints_cut_or_too_long_are_refused(void **state)
{
    (void)state;
    static const uint8_t cut[] = {0x80, 0x80};
    static const uint8_t big[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02};
    static const uint8_t endless[] = {0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00};
    uint64_t v = 7;
    const uint8_t *p = cut;
    assert_false(varint_read(&p, cut + sizeof cut, &v));
    assert_ptr_equal(p, cut);
    p = big;
    assert_false(varint_read(&p, big + sizeof big, &v));
    p = endless;
    assert_false(varint_read(&p, endless + sizeof endless, &v));
    p = cut;
    assert_false(varint_read(&p, cut, &v)); /* nothing at all */
    assert_int_equal(v, 7);
}

static void urls_are_percent_encoded(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf b = {0};
    buf_url(&b, STR("aZ09-._~ /?&=+%\xc3\xa9"));
    assert_buf(b, "aZ09-._~%20%2F%3F%26%3D%2B%25%C3%A9");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grows_and_stays_terminated), cmocka_unit_test(stops_at_its_maximum),
        cmocka_unit_test(formats_past_what_it_holds), cmocka_unit_test(gives_its_text_away),
        cmocka_unit_test(varints_round_trip),         cmocka_unit_test(varints_cut_or_too_long_are_refused),
        cmocka_unit_test(urls_are_percent_encoded),
    };
    return cmocka_run_group_tests_name("base_buf", tests, NULL, NULL);
}
