/* The registry: making, finding, telling, ticking and ending. */
#include "runtime.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "runtime_int.h"

bool isolation_parse(str s, enum isolation *out)
{
    for (int i = ISOLATION_WORKER; i <= ISOLATION_INPROCESS; i++) {
        if (str_is(s, isolation_name((enum isolation)i))) {
            *out = (enum isolation)i;
            return true;
        }
    }
    return false;
}

const char *isolation_name(enum isolation i)
{
    static const char *const names[] = {"worker", "endpoint", "inprocess"};
    return names[i];
}

const char *run_state_name(enum run_state s)
{
    static const char *const names[] = {
        [RUN_NOT_LOADED] = "not loaded",
        [RUN_LOADING] = "loading",
        [RUN_RUNNING] = "running",
        [RUN_RETRYING] = "retrying",
        [RUN_NEEDS_SIGN_IN] = "needs sign-in",
        [RUN_DISABLED] = "disabled",
        [RUN_CRASHED] = "crashed",
        [RUN_FAILED_UNLOAD] = "failed unload",
        [RUN_UNLOADING] = "unloading",
        [RUN_MISCONFIGURED] = "misconfigured",
    };
    return names[s];
}

/* ---- what verbs cost ---- */

void runtime_turn_ends(struct runtime *rt)
{
    loader_turn_ends(&rt->clock);
}

const struct loader_figures *runtime_loader_figures(const struct runtime *rt)
{
    return &rt->clock.figures;
}

/* ---- tasks ---- */

static struct task *task_of_message(struct message *m)
{
    return (struct task *)(void *)((char *)m - offsetof(struct task, message));
}

static void task_message(struct message *m)
{
    struct task *t = task_of_message(m);
    t->end(t);
}

static void task_job(struct job *j)
{
    struct task *t = (struct task *)(void *)j;
    t->work(t);
    t->message.run = task_message;
    mailbox_post(t->rt->config.control, &t->message);
}

void task_start(struct task *t, struct runtime *rt, struct pool *pool, void (*work)(struct task *),
                void (*end)(struct task *))
{
    t->rt = rt;
    t->work = work;
    t->end = end;
    t->job.run = task_job;
    pool_submit(pool, &t->job);
}

/* ---- life ---- */

static int make_directory(const char *path, struct err *e)
{
    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return err_errno(e, "cannot make directory \"%s\"", path);
    return TL_OK;
}

static void or_default(uint32_t *v, uint32_t def)
{
    if (!*v)
        *v = def;
}

int runtime_new(struct runtime **out, const struct runtime_config *config, struct err *e)
{
    AUTO(runtime_free) struct runtime *rt = calloc(1, sizeof *rt);
    ASSERT(rt);
    rt->config = *config;
    or_default(&rt->config.max_threads, 16);
    or_default(&rt->config.agent_instances, 4);
    or_default(&rt->config.max_requests, 8);
    if (!rt->config.worker_memory)
        rt->config.worker_memory = WORKER_MEMORY;
    if (!rt->config.idle_us)
        rt->config.idle_us = INT64_C(60) * 1000000;
    if (!rt->config.call_us)
        rt->config.call_us = INT64_C(600) * 1000000;
    if (!rt->config.silence_us)
        rt->config.silence_us = INT64_C(60) * 1000000;
    rt->connector_dir = text_dup(config->connector_dir);
    rt->state_dir = text_dup(config->state_dir);
    rt->worker_path = text_dup(config->worker_path);
    rt->blob_dir = text_fmt("%s/tmp", config->state_dir);
    rt->cell_dir = text_fmt("%s/cell", config->state_dir);
    rt->config.connector_dir = rt->connector_dir;
    rt->config.state_dir = rt->state_dir;
    rt->config.worker_path = rt->worker_path;
    rt->control = (struct control_line){.mailbox = config->control, .thread = pthread_self()};
    dispatcher_init(rt);
    int rc = make_directory(rt->blob_dir, e);
    if (!rc)
        rc = make_directory(rt->cell_dir, e);
    if (rc)
        return rc;
    *out = take(rt);
    return TL_OK;
}

struct runtime *runtime_free(struct runtime *rt)
{
    if (!rt)
        return NULL;
    for (size_t i = 0; i < rt->n_endpoints; i++)
        rt_endpoint_free(rt->endpoints[i]);
    for (size_t i = 0; i < rt->n_connectors; i++)
        rt_connector_free(rt->connectors[i]);
    free(rt->endpoints);
    free(rt->connectors);
    text_free(rt->connector_dir);
    text_free(rt->state_dir);
    text_free(rt->worker_path);
    text_free(rt->blob_dir);
    text_free(rt->cell_dir);
    free(rt);
    return NULL;
}

const struct runtime_config *runtime_config_of(const struct runtime *rt)
{
    return &rt->config;
}

struct dispatcher *runtime_dispatcher(struct runtime *rt)
{
    return &rt->dispatcher;
}

int64_t rt_mono_us(const struct runtime *rt)
{
    return env_mono_us(rt->config.env);
}

/* ---- finding ---- */

struct connector *rt_connector(const struct runtime *rt, const char *name)
{
    for (size_t i = 0; i < rt->n_connectors; i++)
        if (strcmp(rt->connectors[i]->name, name) == 0)
            return rt->connectors[i];
    return NULL;
}

struct endpoint *rt_endpoint(const struct runtime *rt, int64_t id)
{
    size_t low = 0, high = rt->n_endpoints;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (rt->endpoints[mid]->id < id)
            low = mid + 1;
        else
            high = mid;
    }
    return low < rt->n_endpoints && rt->endpoints[low]->id == id ? rt->endpoints[low] : NULL;
}

void rt_changed(struct runtime *rt, const struct connector *c, const struct endpoint *ep)
{
    if (rt->config.changed)
        rt->config.changed(rt->config.ctx, c->name, ep ? ep->id : 0);
}

/* ---- connectors by name ---- */

static int unknown(const char *name, struct err *e)
{
    err_set(e, TL_E_NOT_FOUND, "there is no connector \"%s\"", name);
    err_hint(e, "\"tieline connector list\" shows those that are known");
    return TL_E_NOT_FOUND;
}

int runtime_connector_add(struct runtime *rt, const char *name, enum isolation isolation, struct err *e)
{
    if (!connector_name_ok(str_of(name))) {
        err_set(e, TL_E_CONFIG, "\"%s\" is no name of a connector", name);
        err_hint(e, "small letters, digits and \"_\", at most %d", CONNECTOR_NAME_MAX);
        return TL_E_CONFIG;
    }
    if (rt_connector(rt, name))
        return err_set(e, E_EXISTS, "connector \"%s\" is there already", name);
    struct connector *c = calloc(1, sizeof *c);
    struct connector **grown = realloc(rt->connectors, (rt->n_connectors + 1) * sizeof *grown);
    ASSERT(c && grown);
    c->name = text_dup(name);
    c->rt = rt;
    c->isolation = c->wish = isolation;
    rt->connectors = grown;
    size_t at = rt->n_connectors++;
    for (; at > 0 && strcmp(grown[at - 1]->name, name) > 0; at--)
        grown[at] = grown[at - 1];
    grown[at] = c;
    return TL_OK;
}

void runtime_connector_forget(struct runtime *rt, const char *name)
{
    struct connector_info info;
    if (!runtime_connector_info(rt, name, &info) || info.state != RUN_NOT_LOADED || info.endpoints || info.loaded_us)
        return;
    size_t at = 0;
    while (strcmp(rt->connectors[at]->name, name) != 0)
        at++;
    if (rt->connectors[at]->n_tasks)
        return;
    rt_connector_free(rt->connectors[at]);
    rt->n_connectors--;
    for (; at < rt->n_connectors; at++)
        rt->connectors[at] = rt->connectors[at + 1];
}

int runtime_connector_isolate(struct runtime *rt, const char *name, enum isolation isolation, struct err *e)
{
    struct connector *c = rt_connector(rt, name);
    if (!c)
        return unknown(name, e);
    c->wish = isolation;
    return TL_OK;
}

/* A load under way finds it so when it ends. */
int runtime_connector_disable(struct runtime *rt, const char *name, bool disabled, struct err *e)
{
    struct connector *c = rt_connector(rt, name);
    if (!c)
        return unknown(name, e);
    c->disabled = disabled;
    rt_changed(rt, c, NULL);
    return TL_OK;
}

static void fill_info(const struct runtime *rt, const struct connector *c, struct connector_info *out)
{
    *out = (struct connector_info){.name = c->name, .isolation = c->wish, .manifest = c->manifest, .error = &c->error};
    out->state = c->disabled && c->state == RUN_NOT_LOADED ? RUN_DISABLED : c->state;
    out->accepted = c->accepted ? c->accepted : "";
    out->pending = c->pending ? c->pending : "";
    out->path = c->was_staged ? c->staged.source : "";
    out->sha256 = c->was_staged ? c->staged.sha256 : "";
    out->grade = c->was_staged ? c->staged.grade : GRADE_NONE;
    out->pid = c->cell.worker ? worker_pid(c->cell.worker) : 0;
    out->still_mapped = c->still_mapped;
    out->confinement = c->was_confined && c->isolation != ISOLATION_INPROCESS ? &c->confinement : NULL;
    out->crashes = c->cell.n_crashes;
    out->threads = c->pool ? pool_threads(c->pool) : 0;
    out->loaded_us = c->loaded_us;
    if (c->cell.retry_us)
        out->retry_us = env_now_us(rt->config.env) + c->cell.retry_us - rt_mono_us(rt);
    for (size_t i = 0; i < rt->n_endpoints; i++) {
        const struct endpoint *ep = rt->endpoints[i];
        if (ep->connector != c)
            continue;
        out->endpoints++;
        out->instances += rt_endpoint_instances(ep);
        out->running += rt_endpoint_running(ep);
        out->queued += rt_endpoint_queued(ep);
        if (c->isolation != ISOLATION_ENDPOINT)
            continue;
        out->crashes += ep->cell.n_crashes;
        if (!out->error->status && ep->cell.error.status)
            out->error = &ep->cell.error;
    }
}

bool runtime_connector_info(const struct runtime *rt, const char *name, struct connector_info *out)
{
    const struct connector *c = rt_connector(rt, name);
    if (c)
        fill_info(rt, c, out);
    return c != NULL;
}

size_t runtime_connector_count(const struct runtime *rt)
{
    return rt->n_connectors;
}

void runtime_connector_at(const struct runtime *rt, size_t i, struct connector_info *out)
{
    ASSERT(i < rt->n_connectors);
    fill_info(rt, rt->connectors[i], out);
}

/* ---- time ---- */

void runtime_tick(struct runtime *rt)
{
    int64_t now = rt_mono_us(rt);
    if (now < rt->next_tick_us)
        return;
    rt->next_tick_us = INT64_MAX;
    for (size_t i = 0; i < rt->n_endpoints; i++)
        rt_endpoint_tick(rt->endpoints[i], now);
    for (size_t i = 0; i < rt->n_connectors; i++)
        rt_connector_tick(rt->connectors[i], now);
    if (rt->next_tick_us > now + TICK_US)
        rt->next_tick_us = now + TICK_US;
}

int64_t runtime_next_us(const struct runtime *rt)
{
    return rt->n_connectors ? rt->next_tick_us : INT64_MAX;
}

void runtime_stop(struct runtime *rt, int64_t deadline_mono_us)
{
    rt->stopping = true;
    rt->stop_deadline_us = deadline_mono_us;
    int64_t left = deadline_mono_us - rt_mono_us(rt);
    for (size_t i = 0; i < rt->n_connectors; i++) {
        struct connector *c = rt->connectors[i];
        if (c->state == RUN_NOT_LOADED || c->state == RUN_LOADING || c->ending.active)
            continue;
        runtime_unload(rt, c->name, UNLOAD_DRAIN, left > 0 ? left : 1, NULL, NULL, NULL);
    }
    rt->next_tick_us = 0;
}

bool runtime_stopping(const struct runtime *rt)
{
    return rt->stopping;
}

bool runtime_stopped(const struct runtime *rt)
{
    if (!rt->stopping || rt->failed)
        return false;
    for (size_t i = 0; i < rt->n_connectors; i++) {
        const struct connector *c = rt->connectors[i];
        bool hangs = c->state == RUN_FAILED_UNLOAD;
        if (c->n_tasks || (c->state != RUN_NOT_LOADED && !hangs))
            return false;
    }
    return true;
}
