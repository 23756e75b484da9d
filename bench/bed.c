/* See bed.h. */
#include "bed.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "admin.h"
#include "connections.h"
#include "log.h"
#include "pace.h"
#include "times.h"

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
void bench_settle(struct bench *b)
{
    for (int quiet = 0; quiet < 2;) {
        unsigned done = engine_turn(b->engine, 0);
        bool any = vendors_step(&b->vendors);
        quiet = done || any ? 0 : quiet + 1;
    }
}

/* Lets time go on, from one thing that is due to the next. */
void bench_run(struct bench *b, int64_t us)
{
    int64_t end = b->sim.mono + us;
    for (bench_settle(b); b->sim.mono < end; bench_settle(b))
        pace_step(b->engine, &b->sim, end);
}

static void checked(void *arg, const json_t *result, const struct err *e)
{
    if (!result)
        make_must(e->status, e, "endpoint check");
    ((struct bench *)arg)->checked++;
}

static void connect_both(struct bench *b)
{
    struct err e = {0};
    struct admin_setting set[] = {{"every", "60s"}, {"max_changes", "off"}};
    for (int s = 0; s < 2; s++)
        make_must(admin_endpoint_check(b->engine, s ? "b" : "a", checked, b, &e), &e, "check");
    bench_settle(b);
    ASSERT(b->checked == 2);
    make_must(admin_connection_create(b->engine, "c", "a", "b", NULL, &e), &e, "connection");
    make_must(admin_link_create(b->engine, "c", "contact", set, 2, NULL, &e), &e, "link");
}

void bench_start(struct bench *b)
{
    struct err e = {0};
    struct sync_request start = {.connection = "c"};
    make_must(admin_sync_start(b->engine, &start, NULL, &e), &e, "start");
}

/* The engine itself makes connection, link, map and feeds, over vendors that show nothing yet. */
static void set_up(struct bench *b)
{
    struct err e = {0};
    connect_both(b);
    bench_start(b);
    bench_run(b, 3 * EVERY_S * US_PER_S);
    AUTO(arena_done) struct arena a = {0};
    struct connection c = {0};
    make_must(connection_find(b->db, &a, STR("c"), &c, &e), &e, "connection");
    if (c.state != CONN_ACTIVE)
        make_must(TL_E_BUG, &e, "the connection is not active after a first sync of nothing");
}

double bench_cpu_us(void)
{
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1e6 +
           (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec);
}

void bench_end_state(struct bench *b, int64_t pairs, int64_t complete, int64_t failures)
{
    AUTO(arena_done) struct arena a = {0};
    struct err e = {0};
    struct link *links = NULL;
    struct link_tally tally = {0};
    size_t n = 0;
    make_must(link_list(b->db, &a, 0, &links, &n, &e), &e, "link");
    make_must(link_count(b->db, links[0].link, &tally, &e), &e, "counting");
    if (tally.pairs != pairs || tally.complete != complete || tally.unsettled || tally.failures != failures) {
        fprintf(stderr, "pairs %lld, complete %lld, unsettled %lld, failures %lld\n", (long long)tally.pairs,
                (long long)tally.complete, (long long)tally.unsettled, (long long)tally.failures);
        make_must(TL_E_BUG, &e, "the end state is wrong");
    }
}

static void open_db(struct bench *b, const char *path)
{
    struct err e = {0};
    struct db_options options = {.path = path, .env = &b->sim.env, .no_checkpoint_thread = true};
    log_setup(LOG_ERROR, LOG_TEXT);
    make_must(db_open(&b->db, &options, &e), &e, "opening the database");
    engine_start(b);
}

void bench_open_fresh(struct bench *b, const char *path)
{
    open_db(b, path);
    connect_both(b);
    b->vendors.side[0].hidden = b->vendors.side[1].hidden = false;
}

void bench_open(struct bench *b, const char *path, uint32_t n_pairs)
{
    open_db(b, path);
    set_up(b);
    engine_stop(b->engine);
    b->engine = engine_close(b->engine);
    make_store(b->db, &b->vendors, n_pairs);
    b->db = db_close(b->db);
    open_db(b, path);
    b->vendors.side[0].hidden = b->vendors.side[1].hidden = false;
    bench_run(b, 2 * EVERY_S * US_PER_S);
}

void bench_close(struct bench *b)
{
    engine_stop(b->engine);
    engine_close(b->engine);
    db_close(b->db);
    vendors_done(&b->vendors);
}
