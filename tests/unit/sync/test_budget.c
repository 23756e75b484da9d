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
#include "endpoints.h"
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

static const json_t *running_contact(struct bed *b, json_t **whole)
{
    struct err e = {0};
    must(view_status(b->db, "c", b->world->now_us, whole, &e), &e);
    const json_t *link;
    size_t i;
    json_array_foreach(json_object_get(json_array_get(json_object_get(*whole, "items"), 0), "links"), i, link)
    {
        if (strcmp(json_string_value(json_object_get(link, "kind")), "contact") == 0)
            return json_object_get(link, "running");
    }
    return NULL;
}

/* As bed_run, with vendors that take 200 ms for an answer. */
static void run_slowly(struct bed *b, int until)
{
    struct world *w = b->world;
    for (int i = 0; i < 5000 && bed_count(w, 1, KIND_CONTACT) < until; i++) {
        while (engine_turn(b->engine, 0))
            ;
        twin_step(&b->twin);
        w->now_us += 200 * US_PER_MS;
        w->mono_us += 200 * US_PER_MS;
    }
    assert_int_equal(bed_count(w, 1, KIND_CONTACT), until);
}

/* How long a first sync takes still: the rate is that of the time in which it got on, so that standing still and a
 * restart do not slow it down, and the allowance that keeps it is named. proves: S1-18 */
static void honest_time_left(void **state)
{
    struct bed *b = *state;
    struct world *w = b->world;
    struct err e = {0};
    struct sync_request all = {.connection = "c"};
    json_t *status = NULL;
    for (int i = 0; i < 100; i++) {
        char email[32];
        snprintf(email, sizeof email, "p%d@x.org", i);
        user_create(w, 0, KIND_CONTACT, email, email);
    }
    w->knobs.max_batch[1] = 1;
    must(admin_endpoint_check(b->engine, "sales", bed_checked, b, &e), &e);
    bed_run(b, US_PER_S);
    must(admin_sync_start(b->engine, &all, NULL, &e), &e);
    run_slowly(b, 40);
    const json_t *now = running_contact(b, &status);
    double rate = json_real_value(json_object_get(now, "rate_per_second"));
    int64_t left = json_integer_value(json_object_get(now, "eta_seconds"));
    assert_true(rate > 0.5 && rate < 100);
    assert_true(left > 0 && left < 60 / rate + 2);
    assert_string_equal(json_string_value(json_object_get(now, "eta_bound")), "rate");
    json_decref(status);

    must(admin_connection_pause(b->engine, "c", NULL, &e), &e);
    bed_run(b, 8 * 3600 * US_PER_S); /* a night */
    bed_restart(b);
    must(admin_connection_resume(b->engine, "c", NULL, &e), &e);
    run_slowly(b, 60);
    now = running_contact(b, &status);
    assert_true(json_real_value(json_object_get(now, "rate_per_second")) > rate / 2);
    json_decref(status);

    struct endpoint_setup kept = {
        .name = "sales", .connector = "twin", .system = "twinb", .role = TL_ROLE_CRM, .reserve_pct = 20};
    int64_t sales = 0;
    must(engine_endpoint_put(b->engine, &kept, &sales, &e), &e);
    struct quota_row day = {STR("day"), 1000, 405, w->now_us + 5 * 3600 * US_PER_S, w->now_us};
    must(quota_put(b->db, b->twin.endpoint[1], &day, &e), &e); /* five calls are left of what a first sync may use */
    now = running_contact(b, &status);
    assert_string_equal(json_string_value(json_object_get(now, "eta_bound")), "quota");
    assert_string_equal(json_string_value(json_object_get(now, "eta_endpoint")), "sales");
    assert_string_equal(json_string_value(json_object_get(now, "eta_quota")), "day");
    assert_true(json_is_string(json_object_get(now, "eta_opens")));
    assert_true(json_integer_value(json_object_get(now, "eta_seconds")) > (json_int_t)5 * 3600);
    json_decref(status);

    struct endpoint_setup none_kept = {
        .name = "sales", .connector = "twin", .system = "twinb", .role = TL_ROLE_CRM, .reserve_pct = 0};
    must(engine_endpoint_put(b->engine, &none_kept, &sales, &e), &e); /* the reserve is what the operator says */
    now = running_contact(b, &status);
    assert_true(json_integer_value(json_object_get(now, "eta_seconds")) < (json_int_t)5 * 3600);
    json_decref(status);
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
    bed_set(b, "contact", "quiet_hours", hours);
    bed_set(b, "account", "quiet_hours", hours);
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
        cmocka_unit_test_setup_teardown(honest_time_left, bed_setup, bed_teardown),
        cmocka_unit_test_setup_teardown(a_day_has_so_many_calls, bed_setup, bed_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
