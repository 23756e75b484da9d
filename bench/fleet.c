/* See fleet.h. */
#include "fleet.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "admin.h"
#include "log.h"
#include "pace.h"
#include "times.h"

static const char *const kind_names[] = {"contact", "account",  "product",  "ticket", "task",  "call",   "event",
                                         "deal",    "note",     "invoice",  "lead",   "quote", "order",  "campaign",
                                         "asset",   "contract", "estimate", "bill",   "visit", "payment"};
static const char all_kinds[] = "contact,account,product,ticket,task,call,event,deal,note,invoice,lead,quote,order,"
                                "campaign,asset,contract,estimate,bill,visit,payment";

struct vendors *fleet_vendors(struct fleet *f, uint32_t connection, uint32_t kind)
{
    return &f->vendors[connection * f->n_kinds + kind];
}

/* ---- Dispatcher -------------------------------------------------------------------------------------------------- */

static uint32_t index_of(const struct fleet *f, int64_t endpoint)
{
    return (uint32_t)(endpoint - f->endpoint[0]);
}

static str kind_of(const struct call *c)
{
    const tl_shape *shape = c->kind == CALL_PULL   ? c->request.pull.shape
                            : c->kind == CALL_GET  ? c->request.get.shape
                            : c->kind == CALL_PUSH ? c->request.push.shape
                                                   : NULL;
    return shape ? shape->kind : (str){0};
}

static void submit(void *ctx, struct call *c)
{
    struct fleet *f = ctx;
    str kind = kind_of(c);
    const struct fleet_part *part = &f->part[index_of(f, c->endpoint)];
    size_t i = 0;
    while (i < part->n && kind.n && !str_is(kind, part->list[i]->kind))
        i++;
    ASSERT(i < part->n);
    f->out[index_of(f, c->endpoint)]++;
    if (f->n_asked == f->cap_asked) {
        f->cap_asked = f->cap_asked ? 2 * f->cap_asked : 64;
        f->asked = realloc(f->asked, sizeof *f->asked * f->cap_asked);
        ASSERT(f->asked);
    }
    f->asked[f->n_asked++] = part->list[i];
    vendors_take(part->list[i], c);
}

static int room(void *ctx, int64_t endpoint, int32_t purpose)
{
    const struct fleet *f = ctx;
    uint32_t i = index_of(f, endpoint);
    (void)purpose;
    return f->room[i] > f->out[i] ? (int)(f->room[i] - f->out[i]) : 0;
}

static bool answer_all(struct fleet *f)
{
    bool any = f->n_asked > 0;
    for (size_t i = 0; i < f->n_asked; i++) {
        f->out[index_of(f, f->asked[i]->queue->endpoint)]--;
        vendors_step(f->asked[i]);
    }
    f->n_asked = 0;
    return any;
}

/* ---- Time -------------------------------------------------------------------------------------------------------- */

bool fleet_turn(struct fleet *f)
{
    unsigned done = engine_turn(f->engine, 0);
    f->turns += done > 0;
    f->longest_turn = done > f->longest_turn ? done : f->longest_turn;
    return answer_all(f) || done;
}

static void settle(struct fleet *f)
{
    for (int quiet = 0; quiet < 2;)
        quiet = fleet_turn(f) ? 0 : quiet + 1;
}

void fleet_run(struct fleet *f, int64_t us)
{
    int64_t end = f->sim.mono + us;
    for (settle(f); f->sim.mono < end; settle(f))
        pace_step(f->engine, &f->sim, end);
}

/* ---- Making it --------------------------------------------------------------------------------------------------- */

static void engine_start(struct fleet *f)
{
    struct err e = {0};
    struct engine_config config = {.db = f->db, .env = &f->sim.env, .dispatcher = &f->dispatcher};
    make_must(engine_open(&f->engine, &config, &e), &e, "engine");
    for (uint32_t i = 0; i < f->n_endpoints; i++) {
        char name[24], system[24];
        snprintf(name, sizeof name, "e%04u", i);
        snprintf(system, sizeof system, "system%u", i);
        struct endpoint_setup setup = {
            .name = name, .connector = "fleet", .system = system, .role = i % 2 ? TL_ROLE_CRM : TL_ROLE_HELPDESK};
        make_must(engine_endpoint_put(f->engine, &setup, &f->endpoint[i], &e), &e, "endpoint");
    }
}

static void open_db(struct fleet *f)
{
    struct err e = {0};
    struct db_options options = {
        .path = f->path, .env = &f->sim.env, .durability = DB_NORMAL, .no_checkpoint_thread = true};
    make_must(db_open(&f->db, &options, &e), &e, "opening the database");
}

static void checked(void *arg, const json_t *result, const struct err *e)
{
    if (!result)
        make_must(e->status, e, "endpoint check");
    ((struct fleet *)arg)->checked++;
}

/* i: number of the link. */
static const char *kind_name(const struct fleet_plan *plan, uint32_t i)
{
    uint32_t at = plan->apart ? i : i / plan->kinds % 2 * plan->kinds + i % plan->kinds;
    ASSERT(at < ARRAY_LEN(kind_names));
    return kind_names[at];
}

static void connect_one(struct fleet *f, const struct fleet_plan *plan, uint32_t connection)
{
    struct err e = {0};
    struct admin_setting set[] = {{"every", plan->every}, {"max_changes", "off"}};
    char name[24], end[2][24];
    uint32_t ends[2];
    plan->ends(connection, ends);
    snprintf(name, sizeof name, "c%u", connection);
    for (int s = 0; s < 2; s++)
        snprintf(end[s], sizeof end[s], "e%04u", ends[s]);
    make_must(admin_connection_create(f->engine, name, end[0], end[1], NULL, &e), &e, "connection");
    for (uint32_t k = 0; k < f->n_kinds; k++)
        make_must(admin_link_create(f->engine, name, kind_name(plan, connection * plan->kinds + k), set, 2, NULL, &e),
                  &e, "link");
    struct sync_request start = {.connection = name};
    make_must(admin_sync_start(f->engine, &start, NULL, &e), &e, "start");
}

static void vendors_make(struct fleet *f, const struct fleet_plan *plan)
{
    f->vendors = calloc((size_t)plan->connections * plan->kinds, sizeof *f->vendors);
    ASSERT(f->vendors);
    for (uint32_t i = 0; i < plan->connections * plan->kinds; i++) {
        struct vendors *v = &f->vendors[i];
        uint32_t ends[2];
        plan->ends(i / plan->kinds, ends);
        vendors_init(v, &f->sim, plan->records(i));
        v->kind = kind_name(plan, i);
        v->conditional = plan->conditional;
        v->kinds = all_kinds;
        for (int s = 0; s < 2; s++) {
            struct fleet_part *part = &f->part[ends[s]];
            v->side[s].endpoint = f->endpoint[ends[s]];
            part->list = realloc(part->list, sizeof *part->list * (part->n + 1));
            ASSERT(part->list);
            part->list[part->n++] = v;
        }
    }
}

void fleet_open(struct fleet *f, const struct fleet_plan *plan)
{
    struct err e = {0};
    *f = (struct fleet){.n_endpoints = plan->endpoints, .n_connections = plan->connections, .n_kinds = plan->kinds};
    log_setup(LOG_ERROR, LOG_TEXT);
    env_sim_init(&f->sim, 7, INT64_C(1767225600) * US_PER_S);
    f->dispatcher = (struct dispatcher){.ctx = f, .submit = submit, .room = room};
    f->endpoint = calloc(plan->endpoints, sizeof *f->endpoint);
    f->room = calloc(plan->endpoints, sizeof *f->room);
    f->out = calloc(plan->endpoints, sizeof *f->out);
    f->part = calloc(plan->endpoints, sizeof *f->part);
    ASSERT(f->endpoint && f->room && f->out && f->part);
    for (uint32_t i = 0; i < plan->endpoints; i++)
        f->room[i] = 4;
    snprintf(f->path, sizeof f->path, "/tmp/tieline-fleet-%d", (int)getpid());
    open_db(f);
    engine_start(f);
    vendors_make(f, plan);
    for (uint32_t i = 0; i < plan->endpoints; i++) {
        char name[24];
        snprintf(name, sizeof name, "e%04u", i);
        make_must(admin_endpoint_check(f->engine, name, checked, f, &e), &e, "check");
    }
    settle(f);
    ASSERT(f->checked == (int)plan->endpoints);
    for (uint32_t c = 0; c < plan->connections; c++)
        connect_one(f, plan, c);
    fleet_run(f, 600 * US_PER_S);
    for (uint32_t i = 0; i < plan->connections * plan->kinds; i++)
        f->vendors[i].side[0].hidden = f->vendors[i].side[1].hidden = false;
    f->longest_turn = 0;
}

static void engine_end(struct fleet *f)
{
    engine_stop(f->engine);
    while (engine_calls_open(f->engine))
        fleet_turn(f);
    f->engine = engine_close(f->engine);
}

void fleet_fill(struct fleet *f, const uint32_t *n)
{
    engine_end(f);
    for (uint32_t i = 0; i < f->n_connections * f->n_kinds; i++)
        if (n[i])
            make_store(f->db, &f->vendors[i], n[i]);
    f->db = db_close(f->db);
    open_db(f);
    engine_start(f);
    for (uint32_t i = 0; i < f->n_endpoints; i++)
        engine_endpoint_ready(f->engine, f->endpoint[i]);
    fleet_run(f, 10 * US_PER_S);
    f->longest_turn = 0;
}

void fleet_close(struct fleet *f)
{
    static const char *const ends[] = {"", "-wal", "-shm", ".seal", ".lock"};
    engine_end(f);
    f->db = db_close(f->db);
    for (uint32_t i = 0; i < f->n_connections * f->n_kinds; i++)
        vendors_done(&f->vendors[i]);
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        char name[96];
        snprintf(name, sizeof name, "%s%s", f->path, ends[i]);
        unlink(name);
    }
    for (uint32_t i = 0; i < f->n_endpoints; i++)
        free(f->part[i].list);
    free(f->part);
    free(f->asked);
    free(f->vendors);
    free(f->endpoint);
    free(f->room);
    free(f->out);
}
