/* The bed of the engine's unit tests: see bed.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "bed.h"

static int64_t bed_now(void *self)
{
    return ((struct bed *)self)->world->now_us + ((struct bed *)self)->ahead_us;
}
static int64_t bed_mono(void *self)
{
    return ((struct bed *)self)->world->mono_us;
}
static void bed_random(void *self, void *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ((uint8_t *)out)[i] = (uint8_t)world_random(((struct bed *)self)->world, 256);
}

void must(int rc, const struct err *e)
{
    if (rc != TL_OK)
        fail_msg("%s (%d) %s", e->text, rc, e->detail);
}

void bed_checked(void *arg, const json_t *result, const struct err *e)
{
    (void)result;
    (void)e;
    ((struct bed *)arg)->checked++;
}

static void wipe(const char *path)
{
    static const char *const ends[] = {"", "-wal", "-shm", ".seal", ".lock"};
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        char name[96];
        snprintf(name, sizeof name, "%s%s", path, ends[i]);
        unlink(name);
    }
}

/* Runs until nothing happens for so long. */
void bed_run(struct bed *b, int64_t us)
{
    int64_t end = b->world->now_us + us;
    while (b->world->now_us < end) {
        unsigned done = engine_turn(b->engine, 0);
        bool any = twin_step(&b->twin);
        if (any || done)
            continue;
        int64_t step = engine_next_due_us(b->engine) - b->world->mono_us;
        step = step < 1000 ? 1000 : step > 5 * US_PER_S ? 5 * US_PER_S : step;
        b->world->now_us += step;
        b->world->mono_us += step;
    }
}

void bed_endpoints(struct bed *b)
{
    struct err e = {0};
    for (int s = 0; s < 2; s++) {
        struct endpoint_setup ep = {.name = s ? "sales" : "desk",
                                    .connector = "twin",
                                    .system = s ? "twinb" : "twina",
                                    .role = s ? TL_ROLE_CRM : TL_ROLE_HELPDESK,
                                    .mirrors = s ? NULL : b->mirrors};
        must(engine_endpoint_put(b->engine, &ep, &b->twin.endpoint[s], &e), &e);
    }
}

static void signed_out(void *ctx, int64_t endpoint)
{
    struct bed *b = ctx;
    b->signed_out[endpoint == b->twin.endpoint[1]]++;
}

static void open_engine(struct bed *b)
{
    struct err e = {0};
    struct engine_config config = {
        .db = b->db, .env = &b->env, .dispatcher = &b->twin.dispatcher, .signed_out = signed_out, .ctx = b};
    must(engine_open(&b->engine, &config, &e), &e);
}

/* The daemon ends and starts again. */
void bed_restart(struct bed *b)
{
    engine_stop(b->engine);
    while (engine_calls_open(b->engine) > 0) {
        twin_step(&b->twin);
        engine_turn(b->engine, 0);
    }
    engine_close(b->engine);
    open_engine(b);
    bed_endpoints(b);
    for (int s = 0; s < 2; s++)
        engine_endpoint_ready(b->engine, b->twin.endpoint[s]);
}

void bed_describe(struct bed *b)
{
    struct err e = {0};
    b->checked = 0;
    for (int s = 0; s < 2; s++)
        must(admin_endpoint_check(b->engine, s ? "sales" : "desk", bed_checked, b, &e), &e);
    while (b->checked < 2) {
        engine_turn(b->engine, 0);
        twin_step(&b->twin);
    }
}

int bed_open(void **state)
{
    struct bed *b = calloc(1, sizeof *b);
    struct err e = {0};
    struct knobs k = {
        .resolution_ms = {0, 1000}, .max_batch = {10, 200}, .stamp = {true, true}, .settle_us = 120 * US_PER_S};
    for (int s = 0; s < 2; s++)
        for (int kind = 0; kind < TWIN_KINDS; kind++)
            k.can[s][kind] = TL_CAN_PULL | TL_CAN_PASS | TL_CAN_CREATE | TL_CAN_UPDATE | TL_CAN_FIND | TL_CAN_DELETED |
                             TL_CAN_STAMP_FIND | TL_CAN_STAMP_UNIQUE | TL_CAN_FIND_CREATED | TL_CAN_VIEW |
                             TL_CAN_DELETE | TL_CAN_TRASH;
    b->world = calloc(1, sizeof *b->world);
    world_init(b->world, 1, &k);
    b->world->faults = false;
    b->env = (struct env){b, bed_now, bed_mono, bed_random, NULL};
    /* in memory where that is possible: every transaction is synced */
    snprintf(b->path, sizeof b->path, "%s/tieline-test-engine-%d", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp",
             (int)getpid());
    wipe(b->path);
    twin_init(&b->twin, b->world);
    static const struct seal_key key = {.id = {1}, .bytes = {2}};
    struct db_options o = {.path = b->path, .env = &b->env, .key = &key, .no_checkpoint_thread = true};
    must(db_open(&b->db, &o, &e), &e);
    open_engine(b);
    bed_endpoints(b);
    bed_describe(b);
    *state = b;
    return 0;
}

int bed_setup(void **state)
{
    struct err e = {0};
    bed_open(state);
    struct bed *b = *state;
    must(admin_connection_create(b->engine, "c", "desk", "sales", NULL, &e), &e);
    must(admin_link_create(b->engine, "c", "accounts", NULL, 0, NULL, &e), &e);
    must(admin_link_create(b->engine, "c", "contacts", NULL, 0, NULL, &e), &e);
    return 0;
}

int bed_teardown(void **state)
{
    struct bed *b = *state;
    engine_stop(b->engine);
    while (engine_calls_open(b->engine) > 0) {
        twin_step(&b->twin);
        engine_turn(b->engine, 0);
    }
    engine_close(b->engine);
    db_close(b->db);
    wipe(b->path);
    free(b->world);
    free(b);
    return 0;
}

void bed_start(struct bed *b)
{
    struct err e = {0};
    struct sync_request r = {.connection = "c"};
    json_t *out = NULL;
    must(admin_sync_start(b->engine, &r, &out, &e), &e);
    assert_int_equal(json_array_size(json_object_get(out, "runs")), 2);
    json_decref(out);
    bed_run(b, 600 * US_PER_S);
}

int bed_count(const struct world *w, int s, int kind)
{
    int n = 0;
    for (int i = 0; i < TWIN_RECORDS; i++)
        n += w->rec[s][kind][i].used && w->rec[s][kind][i].state == TL_STATE_LIVE;
    return n;
}

struct twin_record *bed_named(struct world *w, int s, int kind, const char *name)
{
    for (int i = 0; i < TWIN_RECORDS; i++)
        if (w->rec[s][kind][i].used && strcmp(w->rec[s][kind][i].v[F_NAME], name) == 0)
            return &w->rec[s][kind][i];
    fail_msg("nobody is called %s", name);
    return NULL;
}

json_t *bed_failures(struct bed *b, bool resolved)
{
    struct err e = {0};
    struct view_failures f = {.connection = "c", .resolved = resolved, .lang = "en"};
    json_t *out = NULL;
    must(view_failures(b->db, &f, NULL, &out, &e), &e);
    return out;
}

int bed_failures_of(struct bed *b, const char *code)
{
    json_t *list = bed_failures(b, false), *row;
    size_t i;
    int n = 0;
    json_array_foreach(json_object_get(list, "items"), i, row) n +=
        !code || strcmp(json_string_value(json_object_get(row, "code")), code) == 0;
    json_decref(list);
    return n;
}

void bed_set(struct bed *b, const char *kind, const char *key, const char *value)
{
    struct err e = {0};
    const struct admin_setting one = {key, value};
    must(admin_link_set(b->engine, "c", kind, &one, 1, NULL, &e), &e);
}
