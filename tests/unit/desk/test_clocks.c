/* Changes where a clock, a count or a cursor cannot be right: no poll asks for what the portal refuses, none stops for
 * good, and none keeps a position that would jump over what changes meanwhile. proves: Q8, C2 */
#include "desk.h"
#include "portal.h"

static const int64_t T0 = INT64_C(1600000000000);
static const int64_t DAY_US = INT64_C(86400) * TLK_US_PER_S;

/* Polls as the host does: again until the poll is complete; a lost cursor is dropped. Returns the last status. */
static tl_status poll(struct portal *f)
{
    tl_error e;
    tl_status rc = TL_OK;
    f->complete = false;
    for (int calls = 0; rc == TL_OK && !f->complete; calls++) {
        assert_true(calls < 5000);
        rc = portal_pull(f, TL_PULL_CHANGES, 0, &e);
    }
    if (rc != TL_OK && rc != TL_E_CURSOR_LOST && rc != TL_E_TEMPORARY)
        fail_msg("%s", e.text);
    assert_true(rc == TL_OK || e.scope == TL_SCOPE_KIND);
    if (rc == TL_E_CURSOR_LOST)
        portal_set_cursor(f, "");
    return rc;
}

static void change(struct portal *f, uint32_t i)
{
    f->host.now_us += INT64_C(30) * TLK_US_PER_S;
    f->contacts[i].modified_ms = f->host.now_us / 1000 - 1000;
    f->emitted[i] = 0;
}

static void start(struct portal *f, int n)
{
    for (int i = 0; i < n; i++)
        portal_add(f, T0 + i * INT64_C(1000), T0);
    assert_int_equal(poll(f), TL_OK);
}

/* A burst makes slices narrow; when it has left the overlap the first slice of a poll ends beyond now. */
static void test_burst_leaves_the_overlap(void **state)
{
    (void)state;
    struct portal *f = portal_new();
    start(f, 2600);
    f->host.now_us += INT64_C(600) * TLK_US_PER_S;
    for (int i = 0; i < 2600; i++)
        f->contacts[i].modified_ms = f->host.now_us / 1000 - 1500 + i % 1500;
    for (int i = 0; i < 200; i++) {
        assert_int_equal(poll(f), TL_OK);
        f->host.now_us += INT64_C(2) * TLK_US_PER_S;
    }
    change(f, 7);
    assert_int_equal(poll(f), TL_OK);
    assert_int_equal(f->emitted[7], 1);
    portal_free(f);
}

/* Every width a first slice can have ends somewhere: before now, between now and tomorrow, after it. */
static void test_every_width(void **state)
{
    (void)state;
    for (int64_t width = 1; width < INT64_C(1) << 50; width *= 2) {
        struct portal *f = portal_new();
        char text[128];
        start(f, 1);
        change(f, 0);
        snprintf(text, sizeof(text), "desk.changes.1;lo=%lld;width=%lld;bin=0;looked=0",
                 (long long)(f->host.now_us / 1000 - 2000), (long long)width);
        portal_set_cursor(f, text);
        assert_int_equal(poll(f), TL_OK);
        assert_true(f->emitted[0] >= 1);
        change(f, 0);
        assert_int_equal(poll(f), TL_OK);
        assert_int_equal(f->emitted[0], 1);
        portal_free(f);
    }
}

static void test_lying_count(void **state)
{
    (void)state;
    static const int64_t lies[] = {999999999, INT64_MAX, INT64_MIN, -1, 0};
    for (size_t k = 0; k < TLK_LEN(lies); k++) {
        struct portal *f = portal_new();
        start(f, 20);
        f->lying_count = &lies[k];
        for (int i = 0; i < 10; i++) {
            change(f, 3);
            poll(f);
        }
        f->lying_count = NULL;
        change(f, 5);
        assert_int_equal(poll(f), TL_OK);
        assert_int_equal(f->emitted[5], 1);
        change(f, 5);
        assert_int_equal(poll(f), TL_OK);
        assert_int_equal(f->emitted[5], 1);
        portal_free(f);
    }
}

/* A Date of another year keeps nothing: the poll fails, and the next good answer goes on where the last one ended. */
static void test_dates_of_another_year(void **state)
{
    (void)state;
    static const int days[] = {-19000, -400, -2, 2, 400, 5000};
    for (size_t k = 0; k < TLK_LEN(days); k++) {
        struct portal *f = portal_new();
        start(f, 3);
        f->server_skew_us = days[k] * DAY_US;
        change(f, 0);
        for (int i = 0; i < 3; i++)
            assert_int_equal(poll(f), TL_E_TEMPORARY);
        f->server_skew_us = 0;
        change(f, 1);
        assert_int_equal(poll(f), TL_OK);
        assert_int_equal(f->emitted[0], 1);
        assert_int_equal(f->emitted[1], 1);
        portal_free(f);
    }
}

/* Ahead by hours it cannot be told from a right one; that it was wrong shows with the next right one, and the host
 * then reads everything. */
static void test_date_of_some_hours_ahead(void **state)
{
    (void)state;
    struct portal *f = portal_new();
    start(f, 3);
    f->server_skew_us = DAY_US / 4;
    change(f, 0);
    assert_int_equal(poll(f), TL_OK);
    f->server_skew_us = 0;
    assert_int_equal(poll(f), TL_E_CURSOR_LOST);
    change(f, 1);
    assert_int_equal(poll(f), TL_OK);
    assert_int_equal(f->emitted[1], 1);
    portal_free(f);
}

static void test_own_clock_ten_years_ahead(void **state)
{
    (void)state;
    for (int dated = 0; dated < 2; dated++) { /* without a Date our own clock counts */
        struct portal *f = portal_new();
        start(f, 3);
        f->no_date = dated == 0;
        f->host.now_us += 3650 * DAY_US;
        f->server_skew_us = -3650 * DAY_US;
        f->index_skew_us = -3650 * DAY_US;
        assert_int_equal(poll(f), TL_OK);
        assert_int_equal(poll(f), TL_OK);
        f->host.now_us -= 3650 * DAY_US;
        f->server_skew_us = f->index_skew_us = 0;
        f->no_date = false;
        change(f, 0);
        assert_int_equal(poll(f), dated ? TL_OK : TL_E_CURSOR_LOST);
        change(f, 1);
        assert_int_equal(poll(f), TL_OK);
        assert_int_equal(f->emitted[1], 1);
        portal_free(f);
    }
}

/* What earlier versions left behind. */
static void test_cursor_ahead_of_all_clocks(void **state)
{
    (void)state;
    static const char *const cursors[] = {
        "desk.changes.1;lo=2208988801000;width=16777216;bin=0;looked=0",
        "desk.changes.1;lo=1700001976000;width=16777216;now=1700000000000;bin=0;looked=0",
        "desk.changes.1;lo=1700000000000;width=16777216;now=2208988801000;bin=0;looked=0",
    };
    for (size_t k = 0; k < TLK_LEN(cursors); k++) {
        struct portal *f = portal_new();
        portal_add(f, T0, f->host.now_us / 1000 - 1000);
        portal_set_cursor(f, cursors[k]);
        assert_int_equal(poll(f), TL_E_CURSOR_LOST);
        assert_int_equal(poll(f), TL_OK);
        assert_int_equal(f->emitted[0], 1);
        portal_free(f);
    }
}

/* A pass must not end before what was created today because a Date says 1970, nor begin by one of the year 9999. */
static void test_pass_by_a_wrong_date(void **state)
{
    (void)state;
    struct portal *f = portal_new();
    tl_error e;
    for (int i = 0; i < 300; i++)
        portal_add(f, f->host.now_us / 1000 - i * INT64_C(1000), T0);
    f->server_skew_us = INT64_C(253402300799000000) - f->host.now_us;
    assert_int_equal(portal_pull(f, TL_PULL_PASS, 0, &e), TL_E_TEMPORARY);
    f->server_skew_us = TLK_US_PER_S - f->host.now_us;
    while (!f->complete)
        assert_int_equal(portal_pull(f, TL_PULL_PASS, 0, &e), TL_OK);
    assert_int_equal(f->n_emitted, 300);
    portal_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_burst_leaves_the_overlap),
        cmocka_unit_test(test_every_width),
        cmocka_unit_test(test_lying_count),
        cmocka_unit_test(test_dates_of_another_year),
        cmocka_unit_test(test_date_of_some_hours_ahead),
        cmocka_unit_test(test_own_clock_ten_years_ahead),
        cmocka_unit_test(test_cursor_ahead_of_all_clocks),
        cmocka_unit_test(test_pass_by_a_wrong_date),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
