/* Endpoints: their configuration and what their instances share. */
#include <stdio.h>
#include <stdlib.h>

#include "codec.h"
#include "log.h"
#include "runtime_int.h"

bool rt_endpoint_usable(const struct endpoint *ep)
{
    return ep->configured && !ep->removed && !ep->connector->ending.active &&
           (ep->connector->state == RUN_RUNNING || ep->connector->state == RUN_RETRYING);
}

/* ---- resolving against the manifest ---- */

static bool was_given(const struct endpoint *ep, str name)
{
    for (uint32_t i = 0; i < ep->n_given; i++) {
        if (str_eq(ep->given[i].name, name))
            return true;
    }
    return false;
}

static int allow_hosts(struct endpoint *ep, const struct manifest *m, struct err *e)
{
    ep->allow = http_allow_new(ep->connector->rt->config.development);
    int rc = rt_allow_declared(ep->connector, ep->allow, e);
    for (uint32_t i = 0; !rc && i < ep->options.n_open; i++) {
        const tl_option *o = manifest_option(m, ep->options.open[i].name);
        if (o->type == TL_OPT_URL && was_given(ep, ep->options.open[i].name)) /* a default is covered by the hosts */
            rc = http_allow_url(ep->allow, ep->options.open[i].value, e);
    }
    return rc;
}

static int make_auth(struct endpoint *ep, struct err *e)
{
    struct connector *c = ep->connector;
    struct runtime *rt = c->rt;
    if (!rt->config.http)
        return TL_OK;
    ep->gate = http_gate_new(rt->config.max_requests);
    ep->tokens = (struct token_place){.control = &rt->control, .store = &rt->config.store, .endpoint = ep->id};
    const struct auth_config config = {
        .endpoint = ep->name,
        .spec = c->auth_spec,
        .allow = ep->allow,
        .http = rt->config.http,
        .gate = ep->gate,
        .env = rt->config.env,
        .options = ep->options.all,
        .n_options = ep->options.n_all,
        .store = {.ctx = &ep->tokens, .load = token_place_load, .save = token_place_save},
        .verdict = verdicts_verdict,
        .token_error = verdicts_token_error,
    };
    return auth_new(&ep->auth, &config, e);
}

/* Where a person puts it right. */
static void hint_section(const struct endpoint *ep, struct err *e)
{
    char said[sizeof e->hint];
    snprintf(said, sizeof said, "%s", e->hint);
    err_hint(e, "put it right in [endpoint %s]%s%s", ep->name, said[0] ? ": " : "", said);
}

/* What the options of an endpoint have against a file of its connector. */
struct
try {
    const struct endpoint *endpoint;
    void (*tell)(void *ctx, const char *endpoint, str option, const struct err *why);
    void *ctx;
};

static void complain(void *ctx, str option, const struct err *why)
{
    const struct try *t = ctx;
    struct err told = *why;
    hint_section(t->endpoint, &told);
    t->tell(t->ctx, t->endpoint->name, option, &told);
}

void runtime_endpoints_try(const struct runtime *rt, const struct manifest *m,
                           void (*tell)(void *ctx, const char *endpoint, str option, const struct err *why), void *ctx)
{
    for (size_t i = 0; i < rt->n_endpoints; i++) {
        const struct endpoint *ep = rt->endpoints[i];
        AUTO(option_set_done) struct option_set set = {0};
        struct try t = {ep, tell, ctx};
        if (!ep->removed && !ep->problem && strcmp(ep->connector->name, m->id) == 0)
            (void)options_resolve(&set, m, ep->given, ep->n_given, complain, &t, NULL);
    }
}

static int resolve(struct endpoint *ep, struct err *e)
{
    const struct manifest *m = ep->connector->manifest;
    if (ep->problem)
        return err_set(e, TL_E_CONFIG, "%s", ep->problem);
    int rc = options_resolve(&ep->options, m, ep->given, ep->n_given, NULL, NULL, e);
    if (rc)
        hint_section(ep, e);
    if (!rc)
        rc = grants_check(ep, e);
    if (!rc)
        rc = allow_hosts(ep, m, e);
    if (!rc)
        rc = make_auth(ep, e);
    return rc;
}

void rt_endpoint_configure(struct endpoint *ep)
{
    rt_endpoint_unconfigure(ep);
    err_clear(&ep->error);
    struct err e = {0};
    if (resolve(ep, &e)) {
        rt_endpoint_unconfigure(ep);
        ep->error = e;
    } else {
        ep->configured = true;
    }
    ep->blocked_until_us = 0;
    rt_changed(ep->connector->rt, ep->connector, ep);
}

/* A refresh that was under way may have kept new ones meanwhile. */
static void tokens_erase(struct endpoint *ep)
{
    const struct host_store *store = &ep->connector->rt->config.store;
    struct err e = {0};
    if (store->token_save && store->token_save(store->ctx, ep->id, (str){0}, &e))
        log_err(LOG_ERROR, ep->name, &e);
}

void rt_endpoint_unconfigure(struct endpoint *ep)
{
    ep->configured = false;
    ep->auth = auth_free(ep->auth);
    if (ep->signing_out)
        tokens_erase(ep);
    ep->signing_out = false;
    ep->gate = http_gate_free(ep->gate);
    ep->allow = http_allow_free(ep->allow);
    option_set_done(&ep->options);
}

/* ---- set and remove ---- */

static bool same_config(const struct endpoint *ep, const struct endpoint_config *config)
{
    if (!str_eq(str_of(ep->problem), str_of(config->problem)) || ep->n_given != config->n_options)
        return false;
    for (uint32_t i = 0; i < ep->n_given; i++)
        if (!str_eq(ep->given[i].name, config->options[i].name) ||
            !str_eq(ep->given[i].value, config->options[i].value))
            return false;
    return true;
}

static void take_config(struct endpoint *ep, const struct endpoint_config *config)
{
    text_free(ep->problem);
    option_values_wipe(ep->given, ep->n_given);
    arena_done(&ep->config_arena);
    ep->config_arena = (struct arena){0};
    ep->problem = config->problem ? text_dup(config->problem) : NULL;
    tl_pair *given = arena_array(&ep->config_arena, tl_pair, config->n_options);
    for (uint32_t i = 0; i < config->n_options; i++) {
        given[i].name = arena_str(&ep->config_arena, config->options[i].name);
        given[i].value = arena_str(&ep->config_arena, config->options[i].value);
    }
    ep->given = given;
    ep->n_given = config->n_options;
}

/* Its name and connector never change: calls under way on other threads read them. */
static struct endpoint *insert(struct runtime *rt, const struct endpoint_config *config, struct connector *c)
{
    struct endpoint *ep = calloc(1, sizeof *ep);
    struct endpoint **grown = realloc(rt->endpoints, (rt->n_endpoints + 1) * sizeof *grown);
    ASSERT(ep && grown);
    ep->id = config->id;
    ep->name = text_dup(config->name);
    ep->connector = c;
    quota_board_init(&ep->quota);
    slots_init(ep, &rt->config);
    rt->endpoints = grown;
    size_t at = rt->n_endpoints++;
    for (; at > 0 && grown[at - 1]->id > ep->id; at--)
        grown[at] = grown[at - 1];
    grown[at] = ep;
    return ep;
}

struct endpoint *rt_endpoint_free(struct endpoint *ep)
{
    if (!ep)
        return NULL;
    rt_endpoint_unconfigure(ep);
    worker_unref(ep->cell.worker);
    grants_done(&ep->cell.grants);
    quota_board_done(&ep->quota);
    text_free(ep->name);
    text_free(ep->problem);
    option_values_wipe(ep->given, ep->n_given);
    arena_done(&ep->config_arena);
    free(ep);
    return NULL;
}

/* The pending configuration is put in place once no instance uses the old one. */
static void settle(struct endpoint *ep)
{
    if (rt_endpoint_instances(ep) || ep->cell.starting)
        return;
    struct runtime *rt = ep->connector->rt;
    if (ep->removed) {
        size_t i = 0;
        while (rt->endpoints[i] != ep)
            i++;
        memmove(&rt->endpoints[i], &rt->endpoints[i + 1], (rt->n_endpoints - i - 1) * sizeof *rt->endpoints);
        rt->n_endpoints--;
        rt_endpoint_free(ep);
        return;
    }
    ep->dirty = false;
    if (ep->connector->manifest && (ep->connector->state == RUN_RUNNING || ep->connector->state == RUN_RETRYING)) {
        rt_endpoint_configure(ep);
        rt_endpoint_pump(ep);
    }
}

void rt_endpoint_settle(struct endpoint *ep)
{
    if (ep->removed || ep->dirty)
        settle(ep);
}

int runtime_endpoint_set(struct runtime *rt, const struct endpoint_config *config, struct err *e)
{
    struct connector *c = rt_connector(rt, config->connector);
    if (!c) {
        err_set(e, TL_E_CONFIG, "endpoint \"%s\" names the connector \"%s\", which is not enabled", config->name,
                config->connector);
        err_hint(e, "add it to \"enable\" in [connectors]");
        return TL_E_CONFIG;
    }
    struct endpoint *ep = rt_endpoint(rt, config->id);
    if (ep && ep->connector != c)
        return err_set(e, TL_E_CONFIG, "endpoint \"%s\" cannot change its connector from \"%s\" to \"%s\"",
                       config->name, ep->connector->name, c->name);
    if (ep && strcmp(ep->name, config->name) != 0)
        return err_set(e, TL_E_CONFIG, "endpoint \"%s\" cannot change its name to \"%s\"", ep->name, config->name);
    if (ep && !ep->removed && same_config(ep, config))
        return TL_OK;
    if (!ep) {
        ep = insert(rt, config, c);
    } else {
        rt_endpoint_close_instances(ep);
        ep->removed = false;
    }
    take_config(ep, config);
    ep->dirty = true;
    rt_endpoint_settle(ep);
    if (ep->dirty) { /* calls still run with the former one and are let end; of this one it is told at once */
        err_clear(&ep->error);
        if (ep->problem)
            err_set(&ep->error, TL_E_CONFIG, "%s", ep->problem);
    }
    return TL_OK;
}

void rt_endpoint_reconfigure(struct endpoint *ep)
{
    rt_endpoint_close_instances(ep);
    ep->dirty = true;
    rt_endpoint_settle(ep);
}

const char *runtime_endpoint_problem(const struct runtime *rt, int64_t id)
{
    const struct endpoint *ep = rt_endpoint(rt, id);
    return ep && ep->problem ? ep->problem : "";
}

void runtime_endpoint_remove(struct runtime *rt, int64_t id)
{
    struct endpoint *ep = rt_endpoint(rt, id);
    if (!ep)
        return;
    ep->removed = true;
    rt_endpoint_fail_queued(ep, TL_E_NOT_FOUND, "the endpoint was removed");
    rt_endpoint_cancel_running(ep, false);
    rt_endpoint_close_instances(ep);
    rt_endpoint_settle(ep);
}

/* ---- telling ---- */

static enum run_state endpoint_state(const struct endpoint *ep, const struct auth_status *auth)
{
    const struct connector *c = ep->connector;
    if (c->state != RUN_RUNNING)
        return c->disabled && c->state == RUN_NOT_LOADED ? RUN_DISABLED : c->state;
    if (ep->error.status)
        return RUN_MISCONFIGURED;
    if (ep->cell.down)
        return RUN_CRASHED;
    if (ep->cell.retry_us)
        return RUN_RETRYING;
    bool nothing = auth->state == AUTH_NONE && auth->status; /* to sign in with */
    return auth->state == AUTH_FAILED || nothing ? RUN_NEEDS_SIGN_IN : RUN_RUNNING;
}

bool runtime_endpoint_info(const struct runtime *rt, int64_t id, struct endpoint_info *out)
{
    struct endpoint *ep = rt_endpoint(rt, id);
    if (!ep)
        return false;
    *out = (struct endpoint_info){.id = id, .name = ep->name, .connector = ep->connector->name, .error = &ep->error};
    out->manifest = ep->connector->manifest;
    if (ep->auth)
        auth_status_get(ep->auth, &out->auth);
    out->state = endpoint_state(ep, &out->auth);
    out->down = ep->cell.down;
    if (!ep->error.status && out->state != RUN_RUNNING && out->state != RUN_NEEDS_SIGN_IN)
        out->error = ep->cell.error.status ? &ep->cell.error : &ep->connector->error;
    out->instances = rt_endpoint_instances(ep);
    out->running = rt_endpoint_running(ep);
    out->queued = rt_endpoint_queued(ep);
    int64_t now = rt_mono_us(rt);
    int64_t wall = env_now_us(rt->config.env);
    if (ep->blocked_until_us > now)
        out->blocked_until_us = wall + ep->blocked_until_us - now;
    int64_t quota_until = quota_board_blocked_until(&ep->quota, wall);
    if (quota_until > out->blocked_until_us)
        out->blocked_until_us = quota_until;
    out->n_quotas = quota_board_copy(&ep->quota, ep->quotas_shown);
    out->quotas = ep->quotas_shown;
    return true;
}

void runtime_endpoint_hurry(struct runtime *rt, int64_t id)
{
    struct endpoint *ep = rt_endpoint(rt, id);
    if (!ep)
        return;
    if (!ep->told_to_wait)
        ep->blocked_until_us = 0;
    if (ep->auth)
        auth_hurry(ep->auth);
}

struct auth *runtime_endpoint_auth(const struct runtime *rt, int64_t id)
{
    struct endpoint *ep = rt_endpoint(rt, id);
    return ep ? ep->auth : NULL;
}

struct http_allow *runtime_endpoint_allow(const struct runtime *rt, int64_t id)
{
    struct endpoint *ep = rt_endpoint(rt, id);
    return ep ? ep->allow : NULL;
}
