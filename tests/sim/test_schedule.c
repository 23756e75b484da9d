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
    fleet_run(&f, 7200 * US_PER_S);
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
    uint32_t many = is_long() ? 1000 : 120;
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cost_follows_what_is_due),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
