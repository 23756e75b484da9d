/* Workers of connectors: started on demand, restarted with back-off after a crash, left down when they crash too often.
 */
#include <stdio.h>
#include <stdlib.h>

#include "log.h"
#include "runtime_int.h"

#define AGAIN_US 100000 /* mono */

struct start_task {
    struct task task; /* first */
    struct connector *connector;
    struct endpoint *endpoint; /* NULL: the shared cell */
    struct grants grants;
    struct worker *worker;
    struct err err;
};

static struct cell *cell_of(struct connector *c, struct endpoint *ep)
{
    return ep ? &ep->cell : &c->cell;
}

struct cell *rt_endpoint_cell(struct endpoint *ep)
{
    switch (ep->connector->isolation) {
    case ISOLATION_WORKER:
        return &ep->connector->cell;
    case ISOLATION_ENDPOINT:
        return &ep->cell;
    case ISOLATION_INPROCESS:
        break;
    }
    return NULL;
}

void cell_reset(struct cell *cell)
{
    cell->worker = worker_unref(cell->worker);
    grants_done(&cell->grants);
    cell->down = false;
    cell->n_crashes = 0;
    cell->retry_us = 0;
    err_clear(&cell->error);
}

struct worker_wish rt_worker_wish(const struct connector *c, const char *staged_path)
{
    const struct runtime *rt = c->rt;
    return (struct worker_wish){.program = rt->config.worker_path,
                                .directory = rt->cell_dir,
                                .id = c->name,
                                .cell = {.module = staged_path, .memory = rt->config.worker_memory}};
}

static void start_work(struct task *t)
{
    struct start_task *s = (struct start_task *)(void *)t;
    struct manifest *manifest = NULL;
    if (admission_recheck(&s->connector->staged, &s->err))
        return;
    struct worker_wish wish = rt_worker_wish(s->connector, s->connector->staged.path);
    wish.cell.dirs = s->grants.dirs;
    wish.cell.n_dirs = s->grants.n;
    worker_start(&s->worker, &manifest, &wish, &s->err);
    manifest_free(manifest); /* the staged file is the same, so is what it says */
}

/* e NULL: it is back. */
static void say(enum log_level level, const struct connector *c, const struct endpoint *ep, const struct err *e)
{
    AUTO(buf_done) struct buf ctx = {.max = 4096};
    log_member(&ctx, "connector", c->name);
    log_member(&ctx, "endpoint", ep ? ep->name : NULL);
    if (e)
        log_err(level, buf_text(&ctx), e);
    else
        log_line(level, buf_text(&ctx), "the worker of connector \"%s\" runs again", c->name);
}

/* Crashes within the window. */
static uint32_t recent_crashes(const struct cell *cell, int64_t now)
{
    uint32_t n = cell->n_crashes < RECENT_CRASHES ? cell->n_crashes : RECENT_CRASHES;
    uint32_t recent = 0;
    for (uint32_t i = 0; i < n; i++)
        if (now - cell->crashed_us[i] < CRASH_WINDOW_US)
            recent++;
    return recent;
}

static void set_state(struct connector *c, struct endpoint *ep, enum run_state state)
{
    if (!ep && !c->ending.active)
        c->state = state;
    rt_changed(c->rt, c, ep);
}

static void set_down(struct connector *c, struct endpoint *ep, uint32_t recent, struct err *e)
{
    cell_of(c, ep)->down = true;
    if (ep)
        err_hint(e,
                 "it crashed %u times within an hour and stays down until \"tieline connector reload %s\"; the "
                 "connector's other endpoints go on",
                 recent, c->name);
    else
        err_hint(e, "it crashed %u times within an hour and stays down until it is loaded again", recent);
}

static void plan_retry(struct connector *c, struct cell *cell, uint32_t recent)
{
    int64_t wait = BACKOFF_FIRST_US << (recent - 1);
    cell->retry_us = rt_mono_us(c->rt) + (wait < BACKOFF_MAX_US ? wait : BACKOFF_MAX_US);
    if (cell->retry_us < c->rt->next_tick_us)
        c->rt->next_tick_us = cell->retry_us;
}

/* Notes a crash and decides when to try again. how: "died of signal 11". detail: what it printed last. */
static void note_crash(struct connector *c, struct endpoint *ep, const char *how, const char *detail)
{
    struct cell *cell = cell_of(c, ep);
    struct err *error = ep ? &cell->error : &c->error;
    int64_t now = rt_mono_us(c->rt);
    cell->crashed_us[cell->n_crashes % RECENT_CRASHES] = now;
    cell->n_crashes++;
    uint32_t recent = recent_crashes(cell, now);
    err_clear(error);
    err_set(error, TL_E_BUG, "the worker of connector \"%s\" %s", c->name, how);
    err_code(error, "CONNECTOR_CRASHED");
    err_detail(error, "%s", detail);
    if (recent >= CRASH_LIMIT)
        set_down(c, ep, recent, error);
    else
        plan_retry(c, cell, recent);
    say(LOG_ERROR, c, ep, error);
    set_state(c, ep, cell->down ? RUN_CRASHED : RUN_RETRYING);
    if (!cell->down)
        return;
    for (size_t i = 0; i < c->rt->n_endpoints; i++) {
        struct endpoint *each = c->rt->endpoints[i];
        if (each->connector == c && rt_endpoint_cell(each) == cell)
            rt_endpoint_fail_queued(each, TL_E_TEMPORARY, "the connector crashed too often and stays down");
    }
}

static void start_end(struct task *t)
{
    struct start_task *s = (struct start_task *)(void *)t;
    struct connector *c = s->connector;
    struct endpoint *ep = s->endpoint;
    struct cell *cell = cell_of(c, ep);
    cell->starting = false;
    c->n_tasks--;
    if (s->worker && !c->ending.active && !cell->worker) {
        cell->worker = take(s->worker);
        grants_done(&cell->grants);
        cell->grants = s->grants;
        s->grants = (struct grants){.n = 0};
        c->confinement = *worker_confinement(cell->worker);
        c->was_confined = true;
        if (!ep)
            c->state = RUN_RUNNING;
        if (cell->n_crashes)
            say(LOG_INFO, c, ep, NULL);
        rt_changed(c->rt, c, ep);
    } else if (!s->worker && !c->ending.active) {
        char how[600];
        snprintf(how, sizeof how, "cannot be started: %s", s->err.text);
        note_crash(c, ep, how, s->err.detail);
    }
    worker_free(s->worker);
    grants_done(&s->grants);
    free(s);
    if (ep)
        rt_endpoint_settle(ep);
    rt_connector_pump(c);
    rt_connector_end_step(c);
}

void cell_start(struct connector *c, struct endpoint *ep)
{
    struct cell *cell = cell_of(c, ep);
    struct start_task *s = calloc(1, sizeof *s);
    ASSERT(s);
    s->connector = c;
    s->endpoint = ep;
    grants_collect(&s->grants, c, ep);
    cell->starting = true;
    cell->retry_us = 0;
    c->n_tasks++;
    task_start(&s->task, c->rt, c->pool, start_work, start_end);
}

void runtime_connector_hold(struct runtime *rt, const char *name, const struct err *why)
{
    struct connector *c = rt_connector(rt, name);
    if (!c || c->state != RUN_NOT_LOADED || c->disabled)
        return;
    c->error = *why;
    c->cell.down = true;
    c->state = RUN_CRASHED;
}

void runtime_endpoint_hold(struct runtime *rt, int64_t id, const struct err *why)
{
    struct endpoint *ep = rt_endpoint(rt, id);
    if (!ep || ep->cell.worker || ep->cell.starting)
        return;
    ep->cell.error = *why;
    ep->cell.down = true;
}

static void close_instances_of(struct connector *c, const struct worker *w)
{
    for (size_t i = 0; i < c->rt->n_endpoints; i++) {
        struct endpoint *ep = c->rt->endpoints[i];
        if (ep->connector == c && rt_endpoint_uses_worker(ep, w))
            rt_endpoint_close_instances(ep);
    }
}

void cell_crashed(struct connector *c, struct endpoint *ep, struct worker *w, const char *place)
{
    struct cell *cell = cell_of(c, ep);
    if (cell->worker != w)
        return; /* told before, by another of its instances */
    char how[128];
    char text[640];
    AUTO(buf_done) struct buf crime = {.max = 256}, printed = {.max = 1000};
    worker_kill(w);
    worker_wait(w, how, sizeof how);
    worker_last_words(w, &crime, &printed);
    snprintf(text, sizeof text, "%s%s%s%.480s", crime.n ? "was killed: " : "died: ", crime.n ? buf_text(&crime) : how,
             place ? ", in " : "", place ? place : "");
    cell->worker = NULL;
    close_instances_of(c, w);
    if (!c->ending.active)
        note_crash(c, ep, text, buf_text(&printed));
    worker_unref(w);
}

/* Its calls end by themselves when it is gone, and they know what it was doing. */
static bool has_call_under_way(const struct connector *c, const struct worker *w)
{
    for (size_t i = 0; i < c->rt->n_endpoints; i++) {
        const struct endpoint *ep = c->rt->endpoints[i];
        for (size_t k = 0; k < ARRAY_LEN(ep->slots); k++)
            if (ep->connector == c && ep->slots[k].n_busy > 0 && rt_endpoint_uses_worker(ep, w))
                return true;
    }
    return false;
}

bool cell_ready(struct connector *c, struct endpoint *ep)
{
    struct worker *w = cell_of(c, ep)->worker;
    if (!w || !worker_gone(w))
        return w != NULL;
    if (!has_call_under_way(c, w))
        cell_crashed(c, ep, w, NULL);
    return false;
}

void cell_tick(struct connector *c, struct endpoint *ep, int64_t now)
{
    struct cell *cell = cell_of(c, ep);
    char how[128];
    if (cell->worker && worker_ended(cell->worker, how, sizeof how)) {
        if (!has_call_under_way(c, cell->worker))
            cell_crashed(c, ep, cell->worker, NULL);
        else if (now + AGAIN_US < c->rt->next_tick_us)
            c->rt->next_tick_us = now + AGAIN_US;
    }
    if (!cell->retry_us || c->ending.active)
        return;
    if (now >= cell->retry_us)
        cell_start(c, ep);
    else if (cell->retry_us < c->rt->next_tick_us)
        c->rt->next_tick_us = cell->retry_us;
}
