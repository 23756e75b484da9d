/* Call budgets and quiet hours: the pure parts, and a first sync under a daily limit.
 * proves: V17 Q9 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bed.h"
#include "budget.h"
#include "quiet.h"

#define DAY0 (INT64_C(20000) * US_PER_DAY)

static void the_reserve_is_never_touched(void **state)
{
    (void)state;
    struct budget b = {0};
    budget_init(&b, 0, 20);
    assert_true(budget_allows(&b, LANE_BULK, DAY0, NULL)); /* nothing is told: nothing limits */
    budget_told(&b, STR("day"), 1000, 1000, DAY0 + US_PER_DAY, 1);
    int64_t bulk = 0, live = 0, again = 0;
    while (budget_allows(&b, LANE_BULK, DAY0, NULL)) {
        budget_sent(&b, DAY0);
        bulk++;
    }
    assert_int_equal(bulk, 600); /* three quarters of 80 % */
    assert_false(budget_allows(&b, LANE_RETRY, DAY0, NULL));
    assert_false(budget_allows(&b, LANE_SWEEP, DAY0, &again));
    assert_int_equal(again, DAY0 + US_PER_DAY);
    while (budget_allows(&b, LANE_LIVE, DAY0, NULL)) {
        budget_sent(&b, DAY0);
        live++;
    }
    assert_int_equal(bulk + live, 800);
    assert_true(budget_allows(&b, LANE_BULK, DAY0 + US_PER_DAY, NULL)); /* another window */
}

/* Others use the same allowance: what the vendor says counts. */
static void others_count(void **state)
{
    (void)state;
    struct budget b = {0};
    budget_init(&b, 0, 20);
    budget_told(&b, STR("day"), 1000, 390, DAY0 + US_PER_DAY, 1);
    assert_false(budget_allows(&b, LANE_BULK, DAY0, NULL));
    assert_int_equal(budget_left(&b, LANE_LIVE, DAY0, NULL), 190);
    budget_told(&b, STR("minute"), 100, 25, DAY0 + 60 * US_PER_S, 1);
    assert_int_equal(budget_left(&b, LANE_ACTION, DAY0, NULL), 5);
    budget_told(&b, STR("minute"), 100, 10, DAY0 + 60 * US_PER_S, 2);
    assert_false(budget_allows(&b, LANE_ACTION, DAY0, NULL));
    assert_true(budget_allows(&b, LANE_ACTION, DAY0 + 60 * US_PER_S, NULL));
}

static void the_operators_day(void **state)
{
    (void)state;
    struct budget b = {0};
    budget_init(&b, 100, 20);
    for (int i = 0; i < 80; i++)
        budget_sent(&b, DAY0 + i);
    assert_false(budget_allows(&b, LANE_LIVE, DAY0 + 100, NULL));
    assert_true(budget_allows(&b, LANE_LIVE, DAY0 + US_PER_DAY, NULL));
}

/* A vendor that takes five calls at once: few refusals, and none for ten minutes after one. */
static void width_follows_the_vendor(void **state)
{
    (void)state;
    struct budget b = {0};
    budget_init(&b, 0, 20);
    int refused = 0, done = 0;
    for (int64_t now = DAY0; now < DAY0 + 1800 * US_PER_S; now += US_PER_S) {
        int out = 0;
        while (budget_room(&b, now) > 0 && out < 20) {
            budget_sent(&b, now);
            out++;
        }
        for (int i = 0; i < out; i++) {
            bool fine = i < 5;
            refused += !fine;
            done += fine;
            budget_answered(&b, fine ? TL_OK : TL_E_THROTTLED, US_PER_S / 10, now);
        }
    }
    assert_true(done > 4000);
    assert_true(refused < 120); /* without adaptation: 15 a second */
}

static void expected_time(void **state)
{
    (void)state;
    assert_int_equal(budget_eta_us(0, 1, 0, 0, 0, 0), 0);
    assert_int_equal(budget_eta_us(100, 10, INT64_MAX, 0, 0, 0), 10 * US_PER_S);
    assert_int_equal(budget_eta_us(100, 0, INT64_MAX, 0, 0, 0), -1);
    /* 1,000 calls at 600 a day, 100 left today: the rest of today, a day, and 300 more */
    int64_t eta = budget_eta_us(1000, 10, 100, 3600 * US_PER_S, 600, US_PER_DAY);
    assert_int_equal(eta, 3600 * US_PER_S + US_PER_DAY + 30 * US_PER_S);
    assert_int_equal(budget_eta_us(1000, 10, 100, 3600 * US_PER_S, 0, 0), -1); /* nobody told what comes then */
}

static void quiet(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena a = {0};
    struct quiet_hours q;
    struct err e = {0};
    must(quiet_parse(STR("08:00-18:00 +03:00"), &a, &q, &e), &e);
    assert_false(quiet_now(&q, DAY0 + 4 * 3600 * US_PER_S));
    assert_true(quiet_now(&q, DAY0 + 5 * 3600 * US_PER_S));
    assert_int_equal(quiet_end_us(&q, DAY0 + 5 * 3600 * US_PER_S), DAY0 + 15 * 3600 * US_PER_S);
    assert_false(quiet_now(&q, DAY0 + 15 * 3600 * US_PER_S));
    must(quiet_parse(STR("22:00-06:00 UTC"), &a, &q, &e), &e);
    assert_true(quiet_now(&q, DAY0 + 23 * 3600 * US_PER_S));
    assert_true(quiet_now(&q, DAY0 + 5 * 3600 * US_PER_S));
    assert_false(quiet_now(&q, DAY0 + 12 * 3600 * US_PER_S));
    assert_int_equal(quiet_end_us(&q, DAY0 + 23 * 3600 * US_PER_S), DAY0 + 30 * 3600 * US_PER_S);
    must(quiet_parse(STR("off"), &a, &q, &e), &e);
    assert_false(quiet_now(&q, DAY0));
    static const char *const wrong[] = {"8-18 UTC", "08:00-18:00 Nowhere/Else", "25:00-26:00 UTC", "08:00"};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        assert_int_equal(quiet_parse(str_of(wrong[i]), &a, &q, &e), E_USAGE);
}

/* In quiet hours no first sync runs; afterwards it does, by itself. */
static void first_sync_waits_for_the_night(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct err e = {0};
    char hours[32];
    int now = (int)(w->now_us / (3600 * US_PER_S) % 24);
    snprintf(hours, sizeof hours, "%02d:00-%02d:00 UTC", now, (now + 2) % 24);
    struct admin_setting set = {"quiet_hours", hours};
    must(admin_link_set(b->engine, "c", "contact", &set, 1, NULL, &e), &e);
    must(admin_link_set(b->engine, "c", "account", &set, 1, NULL, &e), &e);
    user_create(w, 0, KIND_CONTACT, "ann@x.org", "Ann");
    struct sync_request r = {.connection = "c"};
    must(admin_sync_start(b->engine, &r, NULL, &e), &e);
    bed_run(b, 600 * US_PER_S);
    assert_int_equal(bed_count(w, 1, KIND_CONTACT), 0);
    w->now_us += 2 * 3600 * US_PER_S;
    w->mono_us += 2 * 3600 * US_PER_S;
    bed_run(b, 600 * US_PER_S);
    assert_int_equal(bed_count(w, 1, KIND_CONTACT), 1);
}

/* An operator's limit for the day holds over a restart, whatever there is to do, and the work is done the days after.
 */
static void a_day_has_so_many_calls(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct err e = {0};
    struct endpoint_setup ep = {.name = "sales",
                                .connector = "twin",
                                .system = "twinb",
                                .role = TL_ROLE_CRM,
                                .daily_calls = 100,
                                .reserve_pct = 20};
    int64_t id;
    must(engine_endpoint_put(b->engine, &ep, &id, &e), &e);
    for (int i = 0; i < 100; i++) {
        char name[32];
        snprintf(name, sizeof name, "Person %d", i);
        user_create(w, 0, KIND_CONTACT, "", name);
    }
    struct sync_request r = {.connection = "c"};
    must(admin_sync_start(b->engine, &r, NULL, &e), &e);
    struct engine_budget told;
    int64_t today = w->now_us / US_PER_DAY;
    while (w->now_us / US_PER_DAY == today) {
        bed_run(b, 300 * US_PER_S);
        assert_true(engine_budget_get(b->engine, id, &told));
        assert_true(told.used_today <= 80);
    }
    assert_int_equal(bed_count(w, 1, KIND_CONTACT), 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_reserve_is_never_touched),
        cmocka_unit_test(others_count),
        cmocka_unit_test(the_operators_day),
        cmocka_unit_test(width_follows_the_vendor),
        cmocka_unit_test(expected_time),
        cmocka_unit_test(quiet),
        cmocka_unit_test_setup_teardown(first_sync_waits_for_the_night, bed_setup, bed_teardown),
        cmocka_unit_test_setup_teardown(a_day_has_so_many_calls, bed_setup, bed_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
