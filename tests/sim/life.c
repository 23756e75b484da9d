#include "life.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin.h"
#include "log.h"
#include "map_edit.h"
#include "times.h"

/* Stages of a scenario. */
enum { STAGE_SETUP, STAGE_BUSY, STAGE_CALM, STAGE_SWEPT, STAGE_ANEW, STAGE_QUIET, STAGE_END };

static int64_t now_us(void *self)
{
    return ((struct life *)self)->world->now_us;
}

static int64_t mono_us(void *self)
{
    return ((struct life *)self)->world->mono_us;
}

static void random_bytes(void *self, void *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ((uint8_t *)out)[i] = (uint8_t)world_random(((struct life *)self)->world, 256);
}

bool life_is_busy(const struct life *l)
{
    const struct world *w = l->world;
    return w->stage < STAGE_CALM || (w->stage == STAGE_CALM && l->calm_until - w->now_us >= US_PER_DAY);
}

bool life_is_set_up(const struct life *l)
{
    return l->world->stage > STAGE_SETUP;
}

static void crash_point(void *self, const char *name)
{
    struct life *l = self;
    struct world *w = l->world;
    if (!life_is_busy(l))
        return;
    w->crash_passages++;
    bool exactly = w->knobs.crash_at && w->crash_passages == w->knobs.crash_at;
    if (!exactly && (l->crash_in == 0 || --l->crash_in > 0))
        return;
    w->crashes++;
    world_trace(w, "crash", name, (int64_t)w->crashes);
    _exit(LIFE_CRASHED);
}

static void advance(struct world *w, int64_t us)
{
    w->now_us += us;
    w->mono_us += us;
    world_later(w);
}

/* What the disk did so far in this life, where it is one that fails. */
static int64_t disk_failures(struct life *l)
{
    return l->world->knobs.disk ? l->world->knobs.disk->failed(l) : 0;
}

static void must(int rc, const struct err *e, const char *what)
{
    if (rc == TL_OK)
        return;
    fprintf(stderr, "%s: %s (%d) %s\n", what, e->text, rc, e->detail);
    _exit(LIFE_BROKEN);
}

static void checked(void *arg, const json_t *result, const struct err *e)
{
    struct life *l = arg;
    if (!result)
        must(e->status, e, "endpoint check");
    l->checked++;
}

/* What cannot be opened because of its disk is started again later. */
static void opened(struct life *l, int rc, const struct err *e, const char *what)
{
    const struct disk *disk = l->world->knobs.disk;
    if (rc && disk && disk_failures(l))
        _exit(LIFE_CRASHED);
    if (rc && disk && disk->refused(e))
        _exit(LIFE_REFUSED);
    must(rc, e, what);
}

static void endpoints(struct life *l)
{
    struct err e = {0};
    static const char *const names[] = {"a", "b"};
    for (int s = 0; s < 2; s++) {
        struct endpoint_setup setup = {.name = names[s],
                                       .connector = "twin",
                                       .system = s ? "twinb" : "twina",
                                       .role = s ? TL_ROLE_CRM : TL_ROLE_HELPDESK};
        opened(l, engine_endpoint_put(l->engine, &setup, &l->twin.endpoint[s], &e), &e, "endpoint");
    }
}

/* The title of one side is that of the other in capitals. */
static void transforms(struct life *l)
{
    static const struct map_ask asks[] = {
        {.transform = "upper", .back = "lower"},
        {.transform = "trim | upper", .back = "title"},
        {.transform = "upper | map(\"FROM B\"=\"B\", *=*)", .direction = "a2b"},
    };
    int how = l->world->knobs.transform;
    for (int kind = 0; kind < TWIN_KINDS && how; kind++) {
        struct err e = {0};
        struct map_ask ask = asks[how - 1];
        ask.a = ask.b = twin_field_path(kind, F_TITLE);
        if (how == 3 && l->world->knobs.direction == 2)
            continue;
        int rc = admin_map_set(l->engine, "c", kind == KIND_CONTACT ? "contact" : "account", &ask, NULL, &e);
        must(rc, &e, "transform");
    }
}

static void set_up(struct life *l)
{
    struct err e = {0};
    struct world *w = l->world;
    for (int s = 0; s < 2; s++)
        must(admin_endpoint_check(l->engine, s ? "b" : "a", checked, l, &e), &e, "check");
    while (l->checked < 2) {
        engine_turn(l->engine, 0);
        twin_step(&l->twin);
    }
    static const char *const directions[] = {"both", "a2b", "b2a"}, *const policies[] = {"newest", "a", "b", "manual"};
    struct admin_setting set[] = {{"direction", directions[w->knobs.direction]},
                                  {"policy", policies[w->knobs.policy]},
                                  {"every", "600s"},
                                  {"delete", w->knobs.deletes ? "propagate" : "keep"},
                                  {"view.b", w->knobs.views ? "v" : ""}};
    unsigned n_set = w->knobs.views ? 5 : 4;
    struct admin_setting beside[] = {{"max_changes", "8"}, {"fallback.a", "Account 0"}, {"fallback.b", "Account 1"}};
    int rc = admin_connection_create(l->engine, "c", "a", "b", NULL, &e);
    if (rc != E_EXISTS)
        must(rc, &e, "connection");
    rc = admin_link_create(l->engine, "c", "account", set, n_set, NULL, &e);
    if (rc != E_EXISTS)
        must(rc, &e, "link account");
    rc = admin_link_create(l->engine, "c", "contact", set, n_set, NULL, &e);
    if (rc != E_EXISTS)
        must(rc, &e, "link contact");
    for (int kind = 0; kind < TWIN_KINDS && w->knobs.few_changes; kind++)
        must(admin_link_set(l->engine, "c", kind ? "contact" : "account", beside, 1, NULL, &e), &e, "max_changes");
    struct admin_setting window[] = {{"created_within", "365d"},
                                     {"window", w->knobs.window == 2 ? "sliding" : "fixed"}};
    for (int kind = 0; kind < TWIN_KINDS && w->knobs.window; kind++)
        must(admin_link_set(l->engine, "c", kind ? "contact" : "account", window, 2, NULL, &e), &e, "window");
    if (w->knobs.stand_ins)
        must(admin_link_set(l->engine, "c", "account", beside + 1, 2, NULL, &e), &e, "stand-ins");
    must(admin_map_reset(l->engine, "c", "contact", NULL, &e), &e, "map");
    transforms(l);
    struct sync_request start = {.connection = "c"};
    must(admin_sync_start(l->engine, &start, NULL, &e), &e, "start");
    w->stage = STAGE_BUSY;
}

/* False: it could not be asked for. */
static bool sweep(struct life *l)
{
    struct err e = {0};
    struct sync_request full = {.connection = "c", .full = true};
    int rc = admin_sync_start(l->engine, &full, NULL, &e);
    if (rc == E_STORAGE && disk_failures(l))
        return false;
    if (rc != E_PRECONDITION) /* blocked by the brake: checked elsewhere */
        must(rc, &e, "sweep");
    return true;
}

static int64_t writes(const struct world *w)
{
    return w->counts.creates + w->counts.updates + w->counts.restores;
}

/* Time goes on when nothing can be done now. */
static void idle(struct life *l, int64_t limit)
{
    struct world *w = l->world;
    int64_t due = engine_next_due_us(l->engine), step = due == INT64_MAX ? limit : due - w->mono_us;
    l->spins = step < 1000 ? l->spins + 1 : 0;
    if (step < 1000) /* due, and nothing was done: see "Open" in README */
        step = l->spins < 1000 ? 1000 : US_PER_S;
    advance(w, step > limit ? limit : step);
}

/* The connection is deleted and made anew. False: its rows are not gone yet. */
static bool connect_anew(struct life *l)
{
    struct err e = {0};
    int rc = admin_connection_pause(l->engine, "c", NULL, &e);
    if (rc != TL_OK && rc != E_PRECONDITION && rc != TL_E_NOT_FOUND)
        must(rc, &e, "pause");
    rc = admin_connection_delete(l->engine, "c", true, NULL, &e);
    if (rc == TL_OK || rc == E_PRECONDITION)
        return false;
    if (rc != TL_E_NOT_FOUND)
        must(rc, &e, "delete");
    set_up(l);
    l->world->stage = STAGE_ANEW;
    l->world->made_anew = true;
    return true;
}

/* Days of calm are read through in fewer steps, and nobody needs to let a run go on. */
static bool calms_down(struct life *l)
{
    static const struct admin_setting calm[] = {{"every", "3600s"}, {"max_changes", "20%"}};
    struct err e = {0};
    int rc = admin_link_set(l->engine, "c", "account", calm, ARRAY_LEN(calm), NULL, &e);
    return rc == TL_OK && admin_link_set(l->engine, "c", "contact", calm, ARRAY_LEN(calm), NULL, &e) == TL_OK;
}

/* Whom the disk failed does it again. */
static bool put_right(struct life *l)
{
    int64_t failures = disk_failures(l);
    l->put_right = chaos_end(l) && calms_down(l) && disk_failures(l) == failures;
    return l->put_right;
}

/* A person looks into the inbox of conflicts every hour. */
static void inbox(struct life *l)
{
    if (l->world->now_us < l->inbox_due)
        return;
    l->inbox_due = l->world->now_us + 3600 * US_PER_S;
    chaos_decide(l);
}

static void stage_next(struct life *l)
{
    struct world *w = l->world;
    switch (w->stage) {
    case STAGE_BUSY:
        if (w->actions_left > 0 || w->now_us < w->script_wait)
            return;
        w->stage = STAGE_CALM;
        w->faults = false;
        l->calm_until = 0;
        break;
    case STAGE_CALM:
        if (!l->put_right && !put_right(l))
            return;
        if (l->calm_until == 0) {
            if (!sweep(l))
                return;
            l->calm_until = w->now_us + US_PER_DAY + 7200 * US_PER_S;
        }
        inbox(l);
        if (w->now_us < l->calm_until)
            return;
        w->stage = STAGE_SWEPT;
        l->calm_until = 0;
        break;
    case STAGE_SWEPT:
        inbox(l);
        if (l->calm_until == 0) {
            (void)sweep(l);
            l->calm_until = w->now_us + 3 * 3600 * US_PER_S;
        }
        if (w->now_us < l->calm_until)
            return;
        w->stage = w->knobs.anew ? STAGE_ANEW : STAGE_QUIET;
        w->writes_mark = writes(w);
        l->calm_until = 0;
        l->quiet_until = 0;
        break;
    case STAGE_ANEW:
        if (!w->made_anew && !connect_anew(l))
            return;
        inbox(l);
        if (l->calm_until == 0)
            l->calm_until = w->now_us + 6 * 3600 * US_PER_S;
        if (w->now_us < l->calm_until)
            return;
        w->stage = STAGE_QUIET;
        w->writes_mark = writes(w);
        break;
    case STAGE_QUIET:
        if (l->quiet_until == 0) {
            (void)sweep(l);
            l->quiet_until = w->now_us + 7200 * US_PER_S;
        }
        if (w->now_us < l->quiet_until)
            return;
        if (writes(w) != w->writes_mark)
            world_violation(w, "V5: %lld writes in a quiet system", (long long)(writes(w) - w->writes_mark));
        check_quiet(w, l->db, l->engine);
        w->stage = STAGE_END;
        break;
    default:
        break;
    }
}

void life_wait(struct life *l, int64_t us)
{
    l->world->script_wait = l->world->now_us + us;
}

static void act(struct life *l)
{
    struct world *w = l->world;
    if (w->stage == STAGE_SETUP)
        return;
    if (w->stage == STAGE_BUSY && w->actions_left > 0 && world_chance(w, 12)) {
        if (!w->knobs.script) {
            w->actions_left--;
            user_random(w);
            advance(w, (int64_t)world_random(w, 4000000));
        } else if (w->now_us >= w->script_wait) {
            int64_t failures = disk_failures(l);
            scenario_act(l);
            w->actions_left += disk_failures(l) > failures;
        }
    }
    if (w->stage == STAGE_BUSY)
        chaos_act(l);
}

void life_env(struct life *l)
{
    l->env = (struct env){l, now_us, mono_us, random_bytes, crash_point};
}

struct db_options life_db_options(const struct life *l, const char *db_path)
{
    const struct disk *disk = l->world->knobs.disk;
    return (struct db_options){.path = db_path,
                               .env = &l->env,
                               .vfs = disk ? disk->vfs : NULL,
                               .no_checkpoint_thread = true,
                               .log_pages = 200,
                               .cache_kib = 1024};
}

static void open_all(struct life *l, const char *db_path)
{
    struct err e = {0};
    const struct disk *disk = l->world->knobs.disk;
    struct db_options o = life_db_options(l, db_path);
    if (disk)
        disk->begin(l);
    opened(l, db_open(&l->db, &o, &e), &e, "open");
    struct engine_config config = {.db = l->db, .env = &l->env, .dispatcher = &l->twin.dispatcher};
    opened(l, engine_open(&l->engine, &config, &e), &e, "engine");
    endpoints(l);
    if (disk)
        disk->opened(l);
}

int life_run(struct world *w, const char *db_path)
{
    struct life l = {.world = w};
    life_env(&l);
    w->lives++;
    if (w->knobs.crash_every && w->stage < STAGE_SWEPT && w->crashes < 12)
        l.crash_in = 1 + world_random(w, (uint64_t)w->knobs.crash_every);
    log_setup(getenv("SIM_VERBOSE") ? LOG_DEBUG : LOG_ERROR, LOG_TEXT);
    twin_init(&l.twin, w);
    open_all(&l, db_path);
    if (w->stage == STAGE_SETUP)
        set_up(&l);
    chaos_life(&l);
    int64_t guard = 0;
    while (w->stage != STAGE_END && !w->violated) {
        w->steps++;
        act(&l);
        if (w->knobs.disk)
            w->knobs.disk->step(&l);
        unsigned done = engine_turn(l.engine, 0);
        for (int s = 0; s < 2; s++) /* from the turn after the one that took it in */
            if (w->told_next[s] > w->told_until[s])
                w->told_until[s] = w->told_next[s];
        bool any = false;
        for (uint64_t k = world_random(w, 3) + (w->stage != STAGE_BUSY); k > 0; k--)
            any |= twin_step(&l.twin);
        if (!any && done == 0 && engine_calls_open(l.engine) == 0)
            idle(&l, w->stage == STAGE_BUSY ? 20 * US_PER_S : 3600 * US_PER_S);
        else
            advance(w, 1000 + (int64_t)world_random(w, 50000));
        stage_next(&l);
        if (++guard > 400000)
            world_violation(w, "the system does not come to rest (stage %d)", w->stage);
    }
    engine_stop(l.engine);
    while (engine_calls_open(l.engine) > 0) {
        twin_step(&l.twin);
        if (engine_turn(l.engine, 0) == 0)
            advance(w, US_PER_S); /* it may wait for its disk */
    }
    engine_close(l.engine);
    db_close(l.db);
    return LIFE_OVER;
}
