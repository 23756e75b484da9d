/* The scheduler among very many: what a turn costs does not depend on how many endpoints and links there are, and
 * nobody starves. The long form (TIELINE_TEST_LONG=1) has 1,000 endpoints with 10,000 links, and 1,000,000 due pairs.
 * proves: V17 Q9 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "admin.h"
#include "fleet.h"
#include "times.h"

static bool is_long(void)
{
    const char *set = getenv("TIELINE_TEST_LONG");
    return set && *set;
}

/* ---- Many -------------------------------------------------------------------------------------------------------- */

static uint32_t ring_size;

static void ring(uint32_t connection, uint32_t e[2])
{
    e[0] = connection;
    e[1] = (connection + 1) % ring_size;
}

static uint32_t one_record(uint32_t link)
{
    (void)link;
    return 1;
}

struct cost {
    int64_t looks, steps, vm_steps, transactions;
};

static struct cost cost_now(struct fleet *f)
{
    struct engine_figures figures;
    struct db_stats stats;
    engine_figures_get(f->engine, &figures);
    db_stats(f->db, &stats);
    return (struct cost){figures.looks, figures.steps, stats.vm_steps, figures.transactions};
}

static struct cost cost_since(struct fleet *f, struct cost from)
{
    struct cost now = cost_now(f);
    return (struct cost){now.looks - from.looks, now.steps - from.steps, now.vm_steps - from.vm_steps,
                         now.transactions - from.transactions};
}

/* What it costs to carry one edit over while nothing else is due, and what a quarter of an hour costs in which nothing
 * is due at all. */
static void measure(uint32_t endpoints, uint32_t kinds, struct cost *edit, struct cost *idle)
{
    struct fleet f;
    ring_size = endpoints;
    struct fleet_plan plan = {.endpoints = endpoints,
                              .connections = endpoints,
                              .kinds = kinds,
                              .ends = ring,
                              .records = one_record,
                              .every = "7d"};
    fleet_open(&f, &plan);
    uint32_t *n = calloc((size_t)endpoints * kinds, sizeof *n);
    assert_non_null(n);
    n[0] = 1;
    fleet_fill(&f, n);
    free(n);
    fleet_run(&f, 4000 * US_PER_S); /* to between two of the hourly looks at what may be forgotten */
    struct cost from = cost_now(&f);
    fleet_run(&f, 900 * US_PER_S);
    *idle = cost_since(&f, from);
    struct vendors *v = fleet_vendors(&f, 0, 0);
    struct sync_request now = {.connection = "c0", .kind = "contact"};
    struct err e = {0};
    vendors_edit(v, 0, 0);
    from = cost_now(&f);
    make_must(admin_sync_start(f.engine, &now, NULL, &e), &e, "sync start");
    fleet_run(&f, 60 * US_PER_S);
    *edit = cost_since(&f, from);
    assert_int_equal(v->side[1].pushed, 1);
    assert_int_equal(v->side[1].version[0], v->side[0].version[0]);
    fleet_close(&f);
}

static void cost_follows_what_is_due(void **state)
{
    (void)state;
    struct cost edit[2], idle[2];
    uint32_t many = is_long() ? 1000 : 60;
    measure(10, 10, &edit[0], &idle[0]);
    measure(many, 10, &edit[1], &idle[1]);
    for (int i = 0; i < 2; i++)
        printf("%4u endpoints, %5u links: an edit %lld looks %lld steps %lld VM steps; idle %lld looks %lld steps\n",
               i ? many : 10, i ? many * 10 : 100, (long long)edit[i].looks, (long long)edit[i].steps,
               (long long)edit[i].vm_steps, (long long)idle[i].looks, (long long)idle[i].steps);
    assert_true(edit[0].steps > 0 && edit[0].looks > 0);
    assert_int_equal(edit[0].looks, edit[1].looks);
    assert_int_equal(edit[0].steps, edit[1].steps);
    assert_int_equal(edit[0].transactions, edit[1].transactions);
    assert_int_equal(idle[1].looks, 0);
    assert_int_equal(idle[0].looks, 0);
}

/* ---- Nobody starves ---------------------------------------------------------------------------------------------- */

enum { DESK, SALES, BOOKS, PHONES, MANY_ENDS };
static uint32_t n_due; /* records of the link that has to wait */

/* c0 has very much to do at the sales system; c1 shares only the desk with it, c2 the sales system. */
static void crossing(uint32_t connection, uint32_t e[2])
{
    static const uint32_t ends[3][2] = {{DESK, SALES}, {DESK, BOOKS}, {PHONES, SALES}};
    memcpy(e, ends[connection], sizeof ends[0]);
}

static uint32_t much_and_little(uint32_t link)
{
    return link == 1 ? 10 : n_due;
}

static void open_crossing(struct fleet *f, bool conditional)
{
    struct fleet_plan plan = {.endpoints = MANY_ENDS,
                              .connections = 3,
                              .kinds = 1,
                              .ends = crossing,
                              .records = much_and_little,
                              .every = "7d",
                              .apart = true,
                              .conditional = conditional};
    uint32_t n[3] = {n_due, 10, n_due};
    fleet_open(f, &plan);
    fleet_fill(f, n);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(fleet_vendors(f, i, 0)->side[1].pushed, 0);
}

static void look_now(struct fleet *f, const char *connection)
{
    struct sync_request now = {.connection = connection};
    struct err e = {0};
    make_must(admin_sync_start(f->engine, &now, NULL, &e), &e, "sync start");
}

/* Users change every record at the desk, and the engine hears of it. */
static void all_changed(struct fleet *f, uint32_t connection, const char *name)
{
    struct vendors *v = fleet_vendors(f, connection, 0);
    for (uint32_t k = 0; k < v->n;) {
        env_sim_advance(&f->sim, 2 * US_PER_S);
        for (uint32_t end = k + 50000; k < v->n && k < end; k++)
            vendors_edit(v, 0, k);
        look_now(f, name);
        fleet_run(f, 2 * US_PER_S);
    }
}

static void a_throttled_link_holds_up_nobody(void **state)
{
    struct fleet f;
    (void)state;
    n_due = is_long() ? 1000000 : 5000;
    open_crossing(&f, false);
    struct vendors *much = fleet_vendors(&f, 0, 0), *little = fleet_vendors(&f, 1, 0);
    much->side[1].until_us = f.sim.mono + 86400 * US_PER_S; /* it says so to the first that asks */
    all_changed(&f, 0, "c0");
    assert_int_equal(much->side[1].pushed, 0);
    assert_int_equal(much->side[1].throttled, 1); /* V17: nobody asks before the time it told is over */

    struct cost from = cost_now(&f);
    fleet_run(&f, 600 * US_PER_S);
    struct cost waiting = cost_since(&f, from);
    assert_true(waiting.steps < 10000); /* what waits is not gone through: now and then the first 200, and retention */

    env_sim_advance(&f.sim, 2 * US_PER_S);
    vendors_edit(little, 0, 3);
    look_now(&f, "c1");
    int turns = 0;
    for (int64_t pulls = little->side[0].pulls; little->side[0].pulls == pulls && turns < 10; turns++)
        fleet_turn(&f);
    assert_in_range(turns, 1, 2);
    for (turns = 0; little->side[1].pushed == 0 && turns < 10; turns++)
        fleet_turn(&f); /* one takes the page in and reads the target, one writes */
    assert_in_range(turns, 1, 2);
    assert_int_equal(much->side[1].pushed, 0);
    assert_int_equal(much->side[1].throttled, 1);

    fleet_run(&f, much->side[1].until_us - f.sim.mono + 3600 * US_PER_S);
    assert_int_equal(much->side[1].pushed, n_due); /* and then all of it comes in */
    printf(
        "%u due pairs: an edit elsewhere was written in %d turns; ten minutes of waiting took %lld steps; the longest "
        "turn had %u\n",
        n_due, turns, (long long)waiting.steps, f.longest_turn);
    assert_in_range(f.longest_turn, 1, ENGINE_TURN_STEPS);
    fleet_close(&f);
}

/* One call at a time, and two links that could use all of them. */
static void calls_go_round_by_share(void **state)
{
    struct fleet f;
    (void)state;
    n_due = 8000;
    open_crossing(&f, true);
    struct admin_setting set = {"share", "3"};
    struct err e = {0};
    make_must(admin_link_set(f.engine, "c2", "product", &set, 1, NULL, &e), &e, "link set");
    f.room[SALES] = 0;
    all_changed(&f, 0, "c0");
    all_changed(&f, 2, "c2");
    f.room[SALES] = 1;
    const struct vendor *one = &fleet_vendors(&f, 0, 0)->side[1], *three = &fleet_vendors(&f, 2, 0)->side[1];
    engine_endpoint_hurry(f.engine, f.endpoint[SALES]);
    while (one->pushed + three->pushed < n_due)
        if (!fleet_turn(&f))
            env_sim_advance(&f.sim, 1000);
    printf("with shares of 1 and 3: %lld and %lld written\n", (long long)one->pushed, (long long)three->pushed);
    assert_in_range(three->pushed, n_due * 70 / 100, n_due * 80 / 100);
    fleet_run(&f, 600 * US_PER_S);
    assert_int_equal(one->pushed, n_due);
    assert_int_equal(three->pushed, n_due);
    assert_in_range(f.longest_turn, 1, ENGINE_TURN_STEPS);
    fleet_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cost_follows_what_is_due),
        cmocka_unit_test(a_throttled_link_holds_up_nobody),
        cmocka_unit_test(calls_go_round_by_share),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
