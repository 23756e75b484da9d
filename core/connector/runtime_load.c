/* Loading, unloading and reloading of connectors, as steps between which the control thread does other things. */
#include <stdio.h>
#include <stdlib.h>

#include "admit.h"
#include "log.h"
#include "runtime_int.h"

#define UNLOAD_DEFAULT_US (INT64_C(60) * 1000000)
#define STOP_GRACE_US     (INT64_C(2) * 1000000)

struct load_task {
    struct task task; /* first */
    struct connector *connector;
    enum isolation isolation;
    bool reload;
    bool reverts;          /* staged is what ran before */
    enum unload_mode mode; /* of the old one's end */
    int64_t drain_us;
    struct staged staged;
    struct worker *worker;
    struct confinement confinement;
    struct manifest *manifest;
    struct err err;
    runtime_done_fn done;
    void *arg;
};

static struct load_task *load_task_free(struct load_task *l)
{
    if (!l)
        return NULL;
    worker_free(l->worker);
    manifest_free(l->manifest);
    free(l);
    return NULL;
}

static int unknown(const char *name, struct err *e)
{
    err_set(e, TL_E_NOT_FOUND, "there is no connector \"%s\"", name);
    err_hint(e, "\"tieline connector list\" shows those that are known");
    return TL_E_NOT_FOUND;
}

static void tell(runtime_done_fn done, void *arg, const char *words, const struct err *e)
{
    if (done)
        done(arg, words, e);
}

int rt_admit_manifest(const struct manifest *m, struct err *e)
{
    return admit_hosts(m->hosts, e) ? err_wrap(e, "connector \"%s\"", m->id) : TL_OK;
}

/* ---- admission and start, on a pool thread ---- */

/* In process a worker proves at a reload that the new file can be loaded, before the old one is given up. */
static void load_work(struct task *t)
{
    struct load_task *l = (struct load_task *)(void *)t;
    struct connector *c = l->connector;
    const struct runtime_config *config = &c->rt->config;
    int rc = l->reverts ? admission_recheck(&l->staged, &l->err)
                        : admission_stage(&l->staged, config->connector_dir, config->state_dir, c->name,
                                          config->development, &l->err);
    if (rc || (l->isolation == ISOLATION_INPROCESS && !l->reload))
        return;
    const struct worker_wish wish = rt_worker_wish(c, l->staged.path);
    rc = worker_start(&l->worker, &l->manifest, &wish, &l->err);
    if (!rc)
        l->confinement = *worker_confinement(l->worker);
    if (!rc)
        rc = rt_admit_manifest(l->manifest, &l->err);
    if (l->worker && (rc || l->isolation != ISOLATION_WORKER)) {
        worker_stop(l->worker);
        l->worker = worker_free(l->worker);
    }
}

/* ---- putting in place ---- */

static void close_module(struct connector *c)
{
    if (c->module)
        c->still_mapped = !module_close(take(c->module));
}

static int install_module(struct connector *c, struct load_task *l, struct err *e)
{
    if (l->isolation != ISOLATION_INPROCESS)
        return TL_OK;
    int rc = admission_recheck(&l->staged, e);
    if (!rc)
        rc = module_open(&c->module, l->staged.path, c->name, e);
    if (rc)
        return rc;
    rc = rt_admit_manifest(c->module->manifest, e);
    if (rc) {
        close_module(c);
        return rc;
    }
    manifest_free(l->manifest);
    l->manifest = take(c->module->manifest);
    return TL_OK;
}

static void sweep(const struct connector *c)
{
    admission_sweep(c->rt->config.state_dir, c->name, c->staged.sha256, c->has_former ? c->former.sha256 : NULL);
}

static int install(struct connector *c, struct load_task *l, struct err *e)
{
    int rc = install_module(c, l, e);
    if (rc)
        return rc;
    struct auth_spec *spec = NULL;
    rc = l->manifest->auth ? auth_spec_copy(&spec, l->manifest->auth, e) : TL_OK;
    if (rc) {
        close_module(c);
        return rc;
    }
    manifest_free(c->manifest);
    c->manifest = take(l->manifest);
    rt_hosts_learnt(c);
    c->auth_spec = spec;
    c->isolation = l->isolation;
    c->has_former = l->reload && !l->reverts && strcmp(c->staged.sha256, l->staged.sha256) != 0;
    if (c->has_former)
        c->former = c->staged;
    c->staged = l->staged;
    c->was_staged = true;
    c->confinement = l->confinement;
    c->was_confined = l->isolation != ISOLATION_INPROCESS;
    struct grants grants = {.n = 0};
    grants_collect(&grants, c, NULL);
    if (grants.n) /* this one was started without them; the first call starts one that has them */
        l->worker = worker_free(l->worker);
    grants_done(&grants);
    c->cell.worker = take(l->worker);
    c->loaded_us = env_now_us(c->rt->config.env);
    c->state = RUN_RUNNING;
    err_clear(&c->error);
    sweep(c);
    for (size_t i = 0; i < c->rt->n_endpoints; i++)
        if (c->rt->endpoints[i]->connector == c)
            rt_endpoint_configure(c->rt->endpoints[i]);
    rt_changed(c->rt, c, NULL);
    rt_connector_pump(c);
    return TL_OK;
}

/* The connector is not loaded after it. */
static void load_failed(struct connector *c, const struct err *e)
{
    c->error = *e;
    c->state = RUN_NOT_LOADED;
    c->pool = pool_free(c->pool);
    rt_changed(c->rt, c, NULL);
}

static void begin_ending(struct connector *c, enum unload_mode mode, int64_t deadline_us, runtime_done_fn done,
                         void *arg);

static int disabled_meanwhile(const struct connector *c, struct err *e)
{
    return err_set(e, E_PRECONDITION, "connector \"%s\" was disabled meanwhile", c->name);
}

static void load_ended(struct load_task *l)
{
    struct connector *c = l->connector;
    c->n_tasks--;
    if (l->reload && !l->err.status && (c->ending.active || c->state == RUN_FAILED_UNLOAD))
        err_set(&l->err, E_PRECONDITION, "connector \"%s\" was unloaded meanwhile", c->name);
    if (!l->err.status && l->reload) {
        c->next_load = l;
        begin_ending(c, l->mode, l->drain_us, l->done, l->arg);
        c->ending.reload = true;
        return;
    }
    if (!l->err.status && c->rt->stopping)
        err_set(&l->err, TL_E_CANCELLED, "the host is stopping");
    if (!l->err.status && c->disabled)
        disabled_meanwhile(c, &l->err);
    if (!l->err.status)
        install(c, l, &l->err);
    if (l->err.status && l->reload) {
        c->error = l->err; /* the old one goes on */
        rt_connector_end_step(c);
    } else if (l->err.status) {
        load_failed(c, &l->err);
    }
    tell(l->done, l->arg, "loaded", l->err.status ? &l->err : NULL);
    load_task_free(l);
}

static void load_end(struct task *t)
{
    struct loader_clock *clock = &t->rt->clock;
    loader_begin(clock);
    load_ended((struct load_task *)(void *)t);
    loader_end(clock);
}

/* former: the copy to load in place of the file as it is now, or NULL. */
static void start_load(struct connector *c, bool reload, enum unload_mode mode, int64_t drain_us, runtime_done_fn done,
                       void *arg, const struct staged *former)
{
    struct load_task *l = calloc(1, sizeof *l);
    ASSERT(l);
    loader_begin(&c->rt->clock);
    l->connector = c;
    l->isolation = c->wish;
    l->reload = reload;
    l->reverts = former != NULL;
    if (former)
        l->staged = *former;
    l->mode = mode;
    l->drain_us = drain_us;
    l->done = done;
    l->arg = arg;
    if (!c->pool)
        c->pool = pool_new(c->rt->config.max_threads);
    c->n_tasks++;
    task_start(&l->task, c->rt, c->pool, load_work, load_end);
    loader_end(&c->rt->clock);
}

/* ---- verbs ---- */

static int refuse_state(const struct connector *c, const char *verb, struct err *e)
{
    if (c->rt->stopping)
        return err_set(e, E_PRECONDITION, "the host is stopping");
    return err_set(e, E_PRECONDITION, "connector \"%s\" is %s: it cannot be %s now", c->name, run_state_name(c->state),
                   verb);
}

static int refuse_disabled(const struct connector *c, struct err *e)
{
    err_set(e, E_PRECONDITION, "connector \"%s\" is disabled", c->name);
    err_hint(e, "\"tieline connector enable %s\" first", c->name);
    return E_PRECONDITION;
}

int runtime_load(struct runtime *rt, const char *name, runtime_done_fn done, void *arg, struct err *e)
{
    struct connector *c = rt_connector(rt, name);
    if (!c)
        return unknown(name, e);
    if (c->disabled)
        return refuse_disabled(c, e);
    if (c->state == RUN_CRASHED && c->pool)
        return runtime_reload(rt, name, UNLOAD_DRAIN, 0, done, arg, e);
    bool held = c->state == RUN_CRASHED; /* since before this start: there is nothing to unload */
    if ((c->state != RUN_NOT_LOADED && !held) || rt->stopping)
        return refuse_state(c, "loaded", e);
    c->state = RUN_LOADING;
    cell_reset(&c->cell);
    rt_changed(rt, c, NULL);
    start_load(c, false, UNLOAD_DRAIN, 0, done, arg, NULL);
    return TL_OK;
}

static int refuse_busy(const struct runtime *rt, const char *name, struct err *e)
{
    struct connector_info info;
    runtime_connector_info(rt, name, &info);
    err_set(e, E_BUSY, "connector \"%s\" is at work: %u calls run, %u wait", name, info.running, info.queued);
    err_hint(e, "`--mode drain` waits for them");
    return E_BUSY;
}

/* No call runs or waits. */
static bool is_idle(const struct connector *c)
{
    for (size_t i = 0; i < c->rt->n_endpoints; i++) {
        const struct endpoint *ep = c->rt->endpoints[i];
        if (ep->connector == c && (rt_endpoint_running(ep) || rt_endpoint_queued(ep)))
            return false;
    }
    return true;
}

int runtime_reload(struct runtime *rt, const char *name, enum unload_mode mode, int64_t deadline_us,
                   runtime_done_fn done, void *arg, struct err *e)
{
    struct connector *c = rt_connector(rt, name);
    if (!c)
        return unknown(name, e);
    if (c->disabled)
        return refuse_disabled(c, e);
    if (c->state == RUN_NOT_LOADED || !c->pool)
        return runtime_load(rt, name, done, arg, e);
    bool ok = c->state == RUN_RUNNING || c->state == RUN_RETRYING || c->state == RUN_CRASHED;
    if (!ok || c->ending.active || c->next_load || rt->stopping)
        return refuse_state(c, "reloaded", e);
    if (mode == UNLOAD_SOFT && !is_idle(c))
        return refuse_busy(rt, name, e);
    start_load(c, true, mode, deadline_us, done, arg, NULL);
    return TL_OK;
}

bool runtime_upgraded(const struct runtime *rt, const char *name)
{
    const struct connector *c = rt_connector(rt, name);
    return c && c->has_former;
}

void runtime_upgrade_settle(struct runtime *rt, const char *name)
{
    struct connector *c = rt_connector(rt, name);
    if (!c || !c->has_former)
        return;
    c->has_former = false;
    sweep(c);
}

int runtime_upgrade_revert(struct runtime *rt, const char *name, runtime_done_fn done, void *arg, struct err *e)
{
    struct connector *c = rt_connector(rt, name);
    if (!c)
        return unknown(name, e);
    bool ok = c->state == RUN_RUNNING || c->state == RUN_RETRYING || c->state == RUN_CRASHED;
    if (!ok || !c->has_former || c->ending.active || c->next_load || rt->stopping)
        return refuse_state(c, "put back", e);
    start_load(c, true, UNLOAD_DRAIN, 0, done, arg, &c->former);
    return TL_OK;
}

int runtime_unload(struct runtime *rt, const char *name, enum unload_mode mode, int64_t deadline_us,
                   runtime_done_fn done, void *arg, struct err *e)
{
    struct connector *c = rt_connector(rt, name);
    if (!c)
        return unknown(name, e);
    bool ok = c->state != RUN_NOT_LOADED && c->state != RUN_LOADING && c->state != RUN_UNLOADING;
    if (!ok || c->ending.active)
        return refuse_state(c, "unloaded", e);
    if (mode == UNLOAD_SOFT && !is_idle(c))
        return refuse_busy(rt, name, e);
    begin_ending(c, mode, deadline_us, done, arg);
    return TL_OK;
}

/* ---- the steps of an unload ---- */

#define EACH_ENDPOINT(c, ep)                                                                                           \
    for (size_t i_ = 0; i_ < (c)->rt->n_endpoints; i_++)                                                               \
        for (struct endpoint *ep = (c)->rt->endpoints[i_]; ep && ep->connector == (c); ep = NULL)

static void kill_workers(struct connector *c)
{
    if (c->cell.worker)
        worker_kill(c->cell.worker);
    EACH_ENDPOINT(c, ep)
    if (ep->cell.worker)
        worker_kill(ep->cell.worker);
}

struct kick {
    struct message message; /* first */
    struct connector *connector;
};

static void kicked(struct message *m)
{
    struct kick *k = (struct kick *)(void *)m;
    struct connector *c = k->connector;
    free(k);
    rt_connector_end_step(c);
}

/* The next step is taken in a later turn, so that no done() runs inside the verb. */
static void kick(struct connector *c)
{
    struct kick *k = calloc(1, sizeof *k);
    ASSERT(k);
    k->message.run = kicked;
    k->connector = c;
    mailbox_post(c->rt->config.control, &k->message);
}

static void begin_ending(struct connector *c, enum unload_mode mode, int64_t deadline_us, runtime_done_fn done,
                         void *arg)
{
    int64_t now = rt_mono_us(c->rt);
    loader_begin(&c->rt->clock);
    c->ending = (struct ending){
        .active = true,
        .mode = mode,
        .deadline_us = now + (deadline_us ? deadline_us : UNLOAD_DEFAULT_US),
        .cut_us = now + READ_GRACE_US,
        .done = done,
        .arg = arg,
    };
    c->state = RUN_UNLOADING;
    EACH_ENDPOINT(c, ep)
    {
        rt_endpoint_fail_queued(ep, TL_E_TEMPORARY, "the connector is being unloaded");
        rt_endpoint_cancel_running(ep, mode == UNLOAD_KILL);
    }
    if (mode == UNLOAD_KILL)
        kill_workers(c);
    if (c->ending.deadline_us < c->rt->next_tick_us)
        c->rt->next_tick_us = c->ending.deadline_us;
    if (c->ending.cut_us < c->rt->next_tick_us)
        c->rt->next_tick_us = c->ending.cut_us;
    rt_changed(c->rt, c, NULL);
    kick(c);
    loader_end(&c->rt->clock);
}

struct stop_task {
    struct task task; /* first */
    struct connector *connector;
    size_t n;
    struct worker *workers[];
};

static void stop_work(struct task *t)
{
    struct stop_task *s = (struct stop_task *)(void *)t;
    for (size_t i = 0; i < s->n; i++)
        worker_stop(s->workers[i]);
}

static void stop_end(struct task *t)
{
    struct stop_task *s = (struct stop_task *)(void *)t;
    struct connector *c = s->connector;
    loader_begin(&c->rt->clock);
    for (size_t i = 0; i < s->n; i++)
        worker_unref(s->workers[i]);
    free(s);
    c->n_tasks--;
    rt_connector_end_step(c);
    loader_end(&c->rt->clock);
}

/* False: there is none. */
static bool stop_workers(struct connector *c)
{
    struct stop_task *s = calloc(1, sizeof *s + (c->rt->n_endpoints + 1) * sizeof *s->workers);
    ASSERT(s);
    s->connector = c;
    if (c->cell.worker)
        s->workers[s->n++] = take(c->cell.worker);
    EACH_ENDPOINT(c, ep)
    if (ep->cell.worker)
        s->workers[s->n++] = take(ep->cell.worker);
    if (!s->n) {
        free(s);
        return false;
    }
    c->n_tasks++;
    task_start(&s->task, c->rt, c->pool, stop_work, stop_end);
    return true;
}

static uint32_t instances_of(const struct connector *c)
{
    uint32_t n = 0;
    EACH_ENDPOINT(c, ep)
    n += rt_endpoint_instances(ep);
    return n;
}

static uint32_t running_of(const struct connector *c)
{
    uint32_t n = 0;
    EACH_ENDPOINT(c, ep)
    n += rt_endpoint_running(ep);
    return n;
}

/* Nothing runs any more: threads, code and what endpoints had of it go. */
static void finish(struct connector *c)
{
    struct ending ending = c->ending;
    c->ending = (struct ending){.active = false};
    c->pool = pool_free(c->pool); /* before the code: its threads ran it */
    EACH_ENDPOINT(c, ep)
    {
        rt_endpoint_unconfigure(ep);
        cell_reset(&ep->cell);
    }
    cell_reset(&c->cell);
    c->auth_spec = auth_spec_free(c->auth_spec);
    c->still_mapped = false;
    close_module(c);
    c->state = RUN_NOT_LOADED;
    const char *words = c->still_mapped ? "unloaded, still mapped" : "unloaded";
    struct load_task *l = take(c->next_load);
    struct err e = {0};
    if (!l || c->rt->stopping || c->disabled) {
        if (l && !c->rt->stopping)
            disabled_meanwhile(c, &e);
        load_task_free(l);
        rt_changed(c->rt, c, NULL);
        tell(ending.done, ending.arg, words, e.status ? &e : NULL);
        return;
    }
    c->pool = pool_new(c->rt->config.max_threads);
    int rc = install(c, l, &e);
    if (rc)
        load_failed(c, &e);
    load_task_free(l);
    tell(ending.done, ending.arg, c->still_mapped ? "reloaded, the old one still mapped" : "reloaded", rc ? &e : NULL);
}

static void end_step(struct connector *c)
{
    struct ending *g = &c->ending;
    if (!g->closing) {
        if (running_of(c))
            return;
        g->closing = true;
        EACH_ENDPOINT(c, ep)
        rt_endpoint_close_instances(ep);
    }
    if (instances_of(c) || c->n_tasks)
        return;
    if (!stop_workers(c))
        finish(c);
}

void rt_connector_end_step(struct connector *c)
{
    if (!c->ending.active)
        return;
    loader_begin(&c->rt->clock);
    end_step(c);
    loader_end(&c->rt->clock);
}

/* Reads were cancelled when the end began. One that is not back by now hangs; its worker is cut when no write is in
 * flight, and nothing is lost but time. */
static void cut_reads(struct connector *c)
{
    if (c->isolation == ISOLATION_INPROCESS || c->ending.closing || !running_of(c))
        return;
    EACH_ENDPOINT(c, ep)
    if (rt_endpoint_writes(ep)) {
        c->ending.cut_us = rt_mono_us(c->rt) + TICK_US;
        return;
    }
    log_line(LOG_WARN, c->name, "%u calls that read do not come back from being cancelled: the worker is killed",
             running_of(c));
    c->ending.cut_us = INT64_MAX;
    kill_workers(c);
}

/* The drain's deadline has passed. */
static void ending_late(struct connector *c)
{
    struct ending ending = c->ending;
    bool must = ending.mode == UNLOAD_KILL || c->rt->stopping;
    if (c->rt->stopping && !ending.cut) { /* a thread of ours that waits for a vendor does not see its worker die */
        EACH_ENDPOINT(c, ep)
        rt_endpoint_cancel_running(ep, true);
        if (c->rt->config.http)
            http_client_cut(c->rt->config.http);
        c->ending.cut = true;
        if (c->isolation == ISOLATION_INPROCESS) {
            c->ending.deadline_us = rt_mono_us(c->rt) + STOP_GRACE_US;
            return;
        }
    }
    if (must && c->isolation != ISOLATION_INPROCESS) {
        kill_workers(c);
        c->ending.deadline_us = rt_mono_us(c->rt) + TICK_US; /* and look again */
        return;
    }
    if (ending.closing && c->isolation != ISOLATION_INPROCESS) {
        kill_workers(c); /* close() hangs; nothing of value is lost */
        c->ending.deadline_us = rt_mono_us(c->rt) + TICK_US;
        return;
    }
    uint32_t n = running_of(c);
    c->ending = (struct ending){.active = false};
    c->next_load = load_task_free(c->next_load);
    struct err e = {0};
    if (must || ending.closing) {
        c->state = RUN_FAILED_UNLOAD;
        err_set(&e, E_BUSY, "connector \"%s\" does not come back from %u calls", c->name, n ? n : instances_of(c));
        err_hint(&e, "it runs in process, where a call cannot be cut; unload it again later");
        c->error = e;
    } else {
        c->state = c->cell.retry_us ? RUN_RETRYING : RUN_RUNNING;
        err_set(&e, E_BUSY, "connector \"%s\" has %u calls in flight", c->name, n);
        err_hint(&e, "it goes on; give the drain more time, or use `--mode kill`");
    }
    log_err(LOG_WARN, c->name, &e);
    rt_changed(c->rt, c, NULL);
    tell(ending.done, ending.arg, "refused", &e);
    rt_connector_pump(c);
}

void rt_connector_tick(struct connector *c, int64_t now)
{
    if (c->isolation == ISOLATION_WORKER)
        cell_tick(c, NULL, now);
    if (!c->ending.active)
        return;
    if (now >= c->ending.cut_us)
        cut_reads(c);
    if (now >= c->ending.deadline_us)
        ending_late(c);
    else if (c->ending.deadline_us < c->rt->next_tick_us)
        c->rt->next_tick_us = c->ending.deadline_us;
}

struct connector *rt_connector_free(struct connector *c)
{
    if (!c)
        return NULL;
    worker_unref(c->cell.worker);
    grants_done(&c->cell.grants);
    pool_free(c->pool);
    auth_spec_free(c->auth_spec);
    close_module(c);
    manifest_free(c->manifest);
    text_free(c->accepted);
    text_free(c->pending);
    text_free(c->name);
    free(c);
    return NULL;
}
