/* Times and durations: what vendors send, what we print, and what is refused. */
#include "times.h"
#include "unit/unit.h"

static int64_t parsed(const char *text)
{
    int64_t us = -1;
    assert_true(time_parse(str_of(text), &us));
    return us;
}

static void parses_what_vendors_send(void **state)
{
    (void)state;
    const int64_t at = INT64_C(1763719200) * US_PER_S; /* 2025-11-21T10:00:00Z */
    assert_int_equal(parsed("2025-11-21T10:00:00Z"), at);
    assert_int_equal(parsed("2025-11-21T10:00:00.000+0000"), at); /* Salesforce */
    assert_int_equal(parsed("2025-11-21T10:00:00.000Z"), at);     /* Zoho Desk */
    assert_int_equal(parsed("2025-11-21T15:30:00+05:30"), at);    /* Zoho CRM */
    assert_int_equal(parsed("2025-11-21T02:00:00-08:00"), at);
    assert_int_equal(parsed("2025-11-21 10:00:00z"), at);
    assert_int_equal(parsed("2025-11-21t10:00:00-00:00"), at);
    assert_int_equal(parsed("2025-11-22T09:59:00+23:59"), at);
    assert_int_equal(parsed("2025-11-21T10:00:00.5Z"), at + 500000);
    assert_int_equal(parsed("2025-11-21T10:00:00.1234569Z"), at + 123456);
    assert_int_equal(parsed("1969-12-31T23:59:59.999Z"), -1000);
    assert_int_equal(parsed("1970-01-01T00:00:00Z"), 0);
    assert_int_equal(parsed("2016-12-31T23:59:60Z"), parsed("2017-01-01T00:00:00Z"));
}

static void knows_leap_years(void **state)
{
    (void)state;
    int64_t us;
    assert_int_equal(parsed("2024-03-01T00:00:00Z") - parsed("2024-02-28T00:00:00Z"), 2 * US_PER_DAY);
    assert_int_equal(parsed("2000-03-01T00:00:00Z") - parsed("2000-02-29T00:00:00Z"), US_PER_DAY);
    assert_false(time_parse(STR("2023-02-29T00:00:00Z"), &us));
    assert_false(time_parse(STR("1900-02-29T00:00:00Z"), &us));
    assert_false(time_parse(STR("2023-04-31T00:00:00Z"), &us));
}

static void refuses_what_is_no_time(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "2025",
                                      "2025-11-21",
                                      "2025-11-21T10:00:00",
                                      "2025-11-21T10:00Z",
                                      "2025-11-21T24:00:00Z",
                                      "2025-11-21T10:60:00Z",
                                      "2025-11-21T10:00:61Z",
                                      "2025-13-01T00:00:00Z",
                                      "2025-00-01T00:00:00Z",
                                      "2025-01-00T00:00:00Z",
                                      "2025-11-21T10:00:00.Z",
                                      "2025-11-21T10:00:00+5:30",
                                      "2025-11-21T10:00:00+24:00",
                                      "2025-11-21T10:00:00Z ",
                                      " 2025-11-21T10:00:00Z",
                                      "-025-11-21T10:00:00Z",
                                      "2025-11-21T10:00:00+0060"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        int64_t us = 7;
        if (time_parse(str_of(bad[i]), &us))
            fail_msg("\"%s\" was taken for a time", bad[i]);
        assert_int_equal(us, 7); /* untouched */
    }
    int64_t us;
    assert_false(time_parse(str_n("2025-11-21T10:00:00\0", 20), &us));
}

static void prints_milliseconds_always(void **state)
{
    (void)state;
    char text[32];
    assert_string_equal(time_text(text, 0), "1970-01-01T00:00:00.000Z");
    assert_string_equal(time_text(text, -1), "1969-12-31T23:59:59.999Z");
    assert_string_equal(time_text(text, INT64_C(1763719200123456)), "2025-11-21T10:00:00.123Z");
    assert_string_equal(time_text(text, INT64_MAX), "294247-01-10T04:00:54.775Z");
    assert_string_equal(time_text(text, INT64_MIN), "-290308-12-21T19:59:05.224Z");
}

static void prints_and_reads_back_every_day_of_four_centuries(void **state)
{
    (void)state;
    for (int64_t day = -135140; day < 11000; day++) { /* 1600 to 2000 */
        char text[32];
        int64_t us = day * US_PER_DAY + 86399 * US_PER_S + 999000;
        time_text(text, us);
        assert_int_equal(parsed(text), us);
        AUTO(buf_done) struct buf b = {0};
        int64_t back = 0;
        date_format(&b, day);
        assert_true(date_parse(buf_lent(&b), &back));
        assert_int_equal(back, day);
    }
}

static void reads_dates(void **state)
{
    (void)state;
    int64_t days = 7;
    assert_true(date_parse(STR("1970-01-02"), &days));
    assert_int_equal(days, 1);
    assert_false(date_parse(STR("1970-1-2"), &days));
    assert_false(date_parse(STR("1970-01-02T"), &days));
    assert_false(date_parse(STR(""), &days));
    AUTO(buf_done) struct buf b = {0};
    date_format(&b, INT64_MAX); /* a foreign number must not overflow */
    assert_buf(b, "294247-01-10");
}

static void http_dates_go_both_ways(void **state)
{
    (void)state;
    int64_t us = 0;
    assert_true(http_date_parse(STR("Sun, 06 Nov 1994 08:49:37 GMT"), &us));
    assert_int_equal(us, INT64_C(784111777) * US_PER_S);
    AUTO(buf_done) struct buf b = {0};
    http_date_format(&b, us + 999999);
    assert_buf(b, "Sun, 06 Nov 1994 08:49:37 GMT");
    buf_clear(&b);
    http_date_format(&b, -1);
    assert_buf(b, "Wed, 31 Dec 1969 23:59:59 GMT");
    buf_clear(&b);
    http_date_format(&b, INT64_MIN);
    assert_true(str_ends(buf_lent(&b), STR(" 19:59:05 GMT")));
    assert_false(http_date_parse(STR("Sun, 06 Nov 1994 08:49:37 UTC"), &us));
    assert_false(http_date_parse(STR("Sun, 31 Feb 1994 08:49:37 GMT"), &us));
    assert_false(http_date_parse(STR("Sun, 06 Nov 1994"), &us));
    assert_false(http_date_parse(STR(""), &us));
}

static int64_t duration(const char *text)
{
    int64_t us = -1;
    return duration_parse(str_of(text), &us) ? us : -1;
}

static void durations(void **state)
{
    (void)state;
    assert_int_equal(duration("30"), 30 * US_PER_S);
    assert_int_equal(duration("30s"), 30 * US_PER_S);
    assert_int_equal(duration(" 4 h "), 4 * 3600 * US_PER_S);
    assert_int_equal(duration("365d"), 365 * US_PER_DAY);
    assert_int_equal(duration("2w"), 14 * US_PER_DAY);
    assert_int_equal(duration("500ms"), 500000);
    assert_int_equal(duration("0"), 0);
    assert_int_equal(duration(""), -1);
    assert_int_equal(duration("d"), -1);
    assert_int_equal(duration("-5s"), -1);
    assert_int_equal(duration("1.5h"), -1);
    assert_int_equal(duration("5y"), -1);
    assert_int_equal(duration("5 s s"), -1);
    assert_int_equal(duration("106751991d"), INT64_C(106751991) * US_PER_DAY);
    assert_int_equal(duration("106751992d"), -1); /* more than 63 bits of microseconds */
}

static void durations_print_in_the_largest_exact_unit(void **state)
{
    (void)state;
    static const struct {
        int64_t us;
        const char *text;
    } cases[] = {{0, "0s"},
                 {60 * US_PER_S, "1m"},
                 {90 * US_PER_S, "90s"},
                 {7 * US_PER_DAY, "7d"},
                 {25 * 3600 * US_PER_S, "25h"},
                 {1500, "1500us"},
                 {500000, "500ms"}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(buf_done) struct buf b = {0};
        duration_format(&b, cases[i].us);
        assert_buf(b, cases[i].text);
        assert_int_equal(duration(buf_text(&b)), cases[i].us);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_what_vendors_send),
        cmocka_unit_test(knows_leap_years),
        cmocka_unit_test(refuses_what_is_no_time),
        cmocka_unit_test(prints_milliseconds_always),
        cmocka_unit_test(prints_and_reads_back_every_day_of_four_centuries),
        cmocka_unit_test(reads_dates),
        cmocka_unit_test(http_dates_go_both_ways),
        cmocka_unit_test(durations),
        cmocka_unit_test(durations_print_in_the_largest_exact_unit),
    };
    return cmocka_run_group_tests_name("base_times", tests, NULL, NULL);
}
