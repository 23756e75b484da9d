/* usage: cycle DATABASE PAIRS CHANGES CYCLES [KEEP]
 * What a change costs the store when there are PAIRS pairs: makes the database, then CYCLES times changes CHANGES
 * random records at side A and lets the real engine bring them to side B and see them there. Prints one JSON object:
 * per changed record the median of VM steps, page requests, cache misses and page writes, and CPU per cycle. Time is
 * the injected clock's, so the counts repeat exactly. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "admin.h"
#include "connections.h"
#include "log.h"
#include "make_store.h"
#include "times.h"

enum { EVERY_S = 60, WARM = 5, CYCLES_MAX = 200, CHANGES_MAX = 10000 };

struct bench {
    struct env_sim sim;
    struct vendors vendors;
    struct db *db;
    struct engine *engine;
    int checked;
};
struct cost {
    double steps, requests, misses, writes, cpu_us;
};

static void engine_start(struct bench *b)
{
    struct err e = {0};
    static const char *const names[] = {"a", "b"};
    struct engine_config config = {.db = b->db, .env = &b->sim.env, .dispatcher = &b->vendors.dispatcher};
    make_must(engine_open(&b->engine, &config, &e), &e, "engine");
    for (int s = 0; s < 2; s++) {
        struct endpoint_setup setup = {.name = names[s],
                                       .connector = "bench",
                                       .system = s ? "benchb" : "bencha",
                                       .role = s ? TL_ROLE_CRM : TL_ROLE_HELPDESK};
        make_must(engine_endpoint_put(b->engine, &setup, &b->vendors.side[s].endpoint, &e), &e, "endpoint");
        engine_endpoint_ready(b->engine, b->vendors.side[s].endpoint);
    }
}

/* Everything that is ready now is done. */
static void settle(struct bench *b)
{
    for (int quiet = 0; quiet < 2;) {
        unsigned done = engine_turn(b->engine, 0);
        bool any = vendors_step(&b->vendors);
        quiet = done || any ? 0 : quiet + 1;
    }
}

/* Lets time go on, from one thing that is due to the next. */
static void run_for(struct bench *b, int64_t us)
{
    int64_t end = b->sim.mono + us;
    for (settle(b); b->sim.mono < end; settle(b)) {
        int64_t due = engine_next_due_us(b->engine), step = end - b->sim.mono;
        if (due > b->sim.mono && due - b->sim.mono < step)
            step = due - b->sim.mono;
        env_sim_advance(&b->sim, step < 1000 ? 1000 : step);
    }
}

static void checked(void *arg, const json_t *result, const struct err *e)
{
    if (!result)
        make_must(e->status, e, "endpoint check");
    ((struct bench *)arg)->checked++;
}

/* The engine itself makes connection, link, map and feeds, over vendors that show nothing yet. */
static void set_up(struct bench *b)
{
    struct err e = {0};
    struct admin_setting set[] = {{"every", "60s"}};
    for (int s = 0; s < 2; s++)
        make_must(admin_endpoint_check(b->engine, s ? "b" : "a", checked, b, &e), &e, "check");
    settle(b);
    ASSERT(b->checked == 2);
    make_must(admin_connection_create(b->engine, "c", "a", "b", NULL, &e), &e, "connection");
    make_must(admin_link_create(b->engine, "c", "contact", set, 1, NULL, &e), &e, "link");
    struct sync_request start = {.connection = "c"};
    make_must(admin_sync_start(b->engine, &start, NULL, &e), &e, "start");
    run_for(b, 3 * EVERY_S * US_PER_S);
    AUTO(arena_done) struct arena a = {0};
    struct connection c = {0};
    make_must(connection_find(b->db, &a, STR("c"), &c, &e), &e, "connection");
    if (c.state != CONN_ACTIVE)
        make_must(TL_E_BUG, &e, "the connection is not active after a first sync of nothing");
}

static double cpu_us(void)
{
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1e6 +
           (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec);
}

static struct cost one_cycle(struct bench *b, uint32_t changes)
{
    static uint32_t picked[CHANGES_MAX];
    struct db_stats before, after;
    struct vendor *from = &b->vendors.side[0], *to = &b->vendors.side[1];
    env_sim_advance(&b->sim, 2 * US_PER_S);
    for (uint32_t i = 0; i < changes; i++) {
        picked[i] = (uint32_t)env_random_below(&b->sim.env, b->vendors.n);
        vendors_edit(&b->vendors, 0, picked[i]);
    }
    int64_t pushed = to->pushed, back = from->pushed;
    double cpu = cpu_us();
    db_stats(b->db, &before);
    run_for(b, 3 * EVERY_S * US_PER_S);
    db_stats(b->db, &after);
    cpu = cpu_us() - cpu;
    uint32_t distinct = 0;
    for (uint32_t i = 0; i < changes; i++) {
        bool again = false;
        for (uint32_t k = 0; k < i && !again; k++)
            again = picked[k] == picked[i];
        distinct += !again;
        ASSERT(to->version[picked[i]] == from->version[picked[i]]); /* it arrived */
    }
    if (to->pushed - pushed != distinct || from->pushed != back) {
        fprintf(stderr, "cycle: %lld writes at b and %lld at a for %u changes\n", (long long)(to->pushed - pushed),
                (long long)(from->pushed - back), distinct);
        exit(1);
    }
    int64_t requests = after.cache_hits + after.cache_misses - before.cache_hits - before.cache_misses;
    return (struct cost){(double)(after.vm_steps - before.vm_steps) / distinct, (double)requests / distinct,
                         (double)(after.cache_misses - before.cache_misses) / distinct,
                         (double)(after.cache_writes - before.cache_writes) / distinct, cpu};
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double median_of(const struct cost *list, int n, size_t member)
{
    double values[CYCLES_MAX];
    for (int i = 0; i < n; i++)
        memcpy(&values[i], (const char *)&list[i] + member, sizeof(double));
    qsort(values, (size_t)n, sizeof *values, by_value);
    return values[n / 2];
}

static void end_state(struct bench *b)
{
    AUTO(arena_done) struct arena a = {0};
    struct err e = {0};
    struct link *links = NULL;
    struct link_tally tally = {0};
    size_t n = 0;
    make_must(link_list(b->db, &a, 0, &links, &n, &e), &e, "link");
    make_must(link_count(b->db, links[0].link, &tally, &e), &e, "counting");
    if (tally.pairs != b->vendors.n || tally.complete != b->vendors.n || tally.unsettled || tally.failures ||
        tally.failed)
        make_must(TL_E_BUG, &e, "the end state is wrong");
}

int main(int argc, char **argv)
{
    int64_t pairs = 0, changes = 0, cycles = 0;
    if (argc != 5 || !str_to_i64(str_of(argv[2]), &pairs) || !str_to_i64(str_of(argv[3]), &changes) ||
        !str_to_i64(str_of(argv[4]), &cycles) || pairs < 1 || pairs > 0xfffff || changes < 1 || changes > CHANGES_MAX ||
        cycles < 1 || cycles > CYCLES_MAX) {
        fprintf(stderr, "usage: cycle DATABASE PAIRS CHANGES CYCLES\n");
        return 2;
    }
    static struct bench b;
    static struct cost costs[CYCLES_MAX];
    struct err e = {0};
    log_setup(LOG_ERROR, LOG_TEXT);
    env_sim_init(&b.sim, 7, INT64_C(1767225600) * US_PER_S);
    vendors_init(&b.vendors, &b.sim, (uint32_t)pairs);
    struct db_options options = {.path = argv[1], .env = &b.sim.env, .no_checkpoint_thread = true};
    make_must(db_open(&b.db, &options, &e), &e, "opening the database");
    engine_start(&b);
    set_up(&b);
    engine_stop(b.engine);
    b.engine = engine_close(b.engine);
    double made = cpu_us();
    make_store(b.db, &b.vendors, b.vendors.n);
    made = cpu_us() - made;
    b.db = db_close(b.db);
    make_must(db_open(&b.db, &options, &e), &e, "opening the database again");
    engine_start(&b);
    b.vendors.side[0].hidden = b.vendors.side[1].hidden = false;
    run_for(&b, 2 * EVERY_S * US_PER_S);
    for (int i = 0; i < WARM; i++)
        one_cycle(&b, (uint32_t)changes);
    for (int i = 0; i < cycles; i++)
        costs[i] = one_cycle(&b, (uint32_t)changes);
    end_state(&b);
    struct db_stats stats;
    db_stats(b.db, &stats);
    int n = (int)cycles;
    printf("{\"pairs\":%lld,\"changes\":%lld,\"cycles\":%d,\"vm_steps\":%.1f,\"page_requests\":%.2f,\"misses\":%.3f,"
           "\"page_writes\":%.2f,\"cpu_ms\":%.2f,\"make_s\":%.1f,\"database_mb\":%.0f}\n",
           (long long)pairs, (long long)changes, n, median_of(costs, n, offsetof(struct cost, steps)),
           median_of(costs, n, offsetof(struct cost, requests)), median_of(costs, n, offsetof(struct cost, misses)),
           median_of(costs, n, offsetof(struct cost, writes)), median_of(costs, n, offsetof(struct cost, cpu_us)) / 1e3,
           made / 1e6, (double)stats.page_count * 4096 / 1e6);
    engine_stop(b.engine);
    engine_close(b.engine);
    db_close(b.db);
    vendors_done(&b.vendors);
    return 0;
}
