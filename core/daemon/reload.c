/* The configuration read again: see reload.h. */
#include "reload.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "accept_hosts.h"
#include "attention.h"
#include "config_show.h"
#include "hook_targets.h"
#include "link_sections.h"
#include "log.h"
#include "reload_check.h"
#include "setup.h"

struct reloader {
    struct app *app;
    pthread_t thread;
    pthread_mutex_t one;  /* held by the reload that runs */
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    bool asked, stop, joined;
};

struct reload {
    struct app *app;
    const char *who;
    bool dry_run;
    struct arena arena;
    struct config *next; /* NULL once it is that of the application */
    struct config_change *changes;
    struct reload_check check;
    json_t *out, *steps;
    struct pending *pending;
    unsigned under_way; /* steps that end later */
};

/* ---- what is told ---- */

static void set_texts(json_t *o, const struct reload *r, const struct config_change *c)
{
    const struct config *of[2] = {r->check.next, r->app->config};
    const struct config_value *v[2] = {c->now, c->was};
    static const char *const members[2] = {"value", "was"};
    for (int i = 0; i < 2; i++) {
        if (!v[i])
            continue;
        const char *connector = config_get(of[i], c->section, "connector");
        json_object_set_new(o, members[i], json_string(config_shown(v[i], reload_manifest(&r->check, connector))));
    }
}

/* [control]: what is a secret is known to the connectors. */
static void tell_changes(struct reload *r)
{
    json_t *items = json_array();
    bool restart = false;
    for (const struct config_change *c = r->changes; c; c = c->next) {
        const struct config_value *at = c->now ? c->now : c->was;
        json_t *o = json_pack("{s:s,s:s,s:s,s:s}", "what", config_what_name(c->what), "section", c->section, "key",
                              c->key, "takes_effect", c->restart ? "needs a restart" : "now");
        json_object_set_new(o, "origin", json_sprintf("%s:%d", at->file, at->line));
        set_texts(o, r, c);
        json_array_append_new(items, o);
        restart |= c->restart;
    }
    json_object_set_new(r->out, "items", items);
    json_object_set_new(r->out, "restart", json_boolean(restart));
}

static void tell_findings(struct reload *r, const struct config *c)
{
    json_t *list = json_array();
    for (const struct finding *f = c->ini.findings; f; f = f->next) {
        json_t *o = json_pack("{s:s,s:s}", "level", f->level == FINDING_ERROR ? "error" : "warning", "text", f->text);
        if (f->file)
            json_object_set_new(o, "origin", f->line ? json_sprintf("%s:%d", f->file, f->line) : json_string(f->file));
        json_array_append_new(list, o);
    }
    json_object_set_new(r->out, "findings", list);
    json_object_set_new(r->out, "errors", json_integer(c->ini.n_errors));
    json_object_set_new(r->out, "warnings", json_integer(c->ini.n_warnings));
}

static void log_changes(const struct reload *r)
{
    size_t i;
    json_t *o;
    json_array_foreach(json_object_get(r->out, "items"), i, o)
    {
        log_line(LOG_INFO, NULL, "configuration: [%s] %s %s (%s), %s%s",
                 json_string_value(json_object_get(o, "section")), json_string_value(json_object_get(o, "key")),
                 json_string_value(json_object_get(o, "what")), json_string_value(json_object_get(o, "origin")),
                 strcmp(json_string_value(json_object_get(o, "takes_effect")), "now") == 0 ? "takes effect " : "",
                 json_string_value(json_object_get(o, "takes_effect")));
    }
}

/* ---- steps ---- */

static void tell_step(struct reload *r, const char *what, const char *name, const char *words, const struct err *e)
{
    json_t *o = json_pack("{s:s,s:s}", "step", what, "name", name);
    if (e)
        json_object_set_new(o, "error", json_pack("{s:s,s:s}", "text", e->text, "hint", e->hint));
    else
        json_object_set_new(o, "result", json_string(words));
    json_array_append_new(r->steps, o);
    AUTO(buf_done) struct buf ctx = {.max = 4096};
    log_member(&ctx, "step", what);
    log_member(&ctx, "name", name);
    if (e)
        log_err(LOG_ERROR, buf_text(&ctx), e);
    else
        log_line(LOG_INFO, buf_text(&ctx), "%s", words);
}

/* A step of a connector that ends later. */
struct step {
    struct reload *reload;
    const char *what;
    bool loads;
    char connector[40];
};

static void step_done(void *arg, const char *words, const struct err *e)
{
    struct step *s = arg;
    struct reload *r = s->reload;
    if (!e && s->loads)
        setup_loaded(r->app, s->connector);
    tell_step(r, s->what, s->connector, words, e);
    free(s);
    if (--r->under_way == 0)
        control_finish(r->pending, TL_OK, NULL);
}

static struct step *step_new(struct reload *r, const char *what, const char *connector, bool loads)
{
    struct step *s = calloc(1, sizeof *s);
    ASSERT(s);
    *s = (struct step){.reload = r, .what = what, .loads = loads};
    snprintf(s->connector, sizeof s->connector, "%s", connector);
    return s;
}

/* rc and e: of the verb that was to begin it. */
static void step_begun(struct step *s, int rc, const struct err *e)
{
    if (rc) {
        tell_step(s->reload, s->what, s->connector, NULL, e);
        free(s);
        return;
    }
    s->reload->under_way++;
}

static void load(struct reload *r, const char *name)
{
    struct connector_info info;
    struct err e = {0};
    setup_connector(r->app, name);
    if (!runtime_connector_info(r->app->runtime, name, &info) || info.state == RUN_RUNNING ||
        info.state == RUN_LOADING || info.state == RUN_DISABLED)
        return;
    struct step *s = step_new(r, "load", name, true);
    step_begun(s, runtime_load(r->app->runtime, name, step_done, s, &e), &e);
}

static void unload(struct reload *r, const char *name)
{
    struct connector_info info;
    struct err e = {0};
    if (!runtime_connector_info(r->app->runtime, name, &info) || info.state == RUN_NOT_LOADED ||
        info.state == RUN_DISABLED)
        return;
    struct step *s = step_new(r, "unload", name, false);
    step_begun(s, runtime_unload(r->app->runtime, name, UNLOAD_DRAIN, 0, step_done, s, &e), &e);
}

static void isolate(struct reload *r, const char *name)
{
    struct connector_info info;
    struct err e = {0};
    enum isolation wish = setup_isolation(r->app->config, name);
    if (!runtime_connector_info(r->app->runtime, name, &info) || info.isolation == wish)
        return;
    (void)runtime_connector_isolate(r->app->runtime, name, wish, &e);
    if (info.state == RUN_NOT_LOADED || info.state == RUN_DISABLED || info.state == RUN_LOADING)
        return; /* counts with its next load */
    struct step *s = step_new(r, "reload", name, true);
    step_begun(s, runtime_reload(r->app->runtime, name, UNLOAD_DRAIN, 0, step_done, s, &e), &e);
}

static void accept_hosts(struct reload *r, const char *name)
{
    struct connector_info info;
    struct err e = {0};
    if (runtime_connector_info(r->app->runtime, name, &info) && hosts_apply(r->app, name, &e))
        log_err(LOG_ERROR, name, &e);
}

/* ---- what the changes mean ---- */

static bool has_change(const struct reload *r, const char *section, const char *prefix)
{
    for (const struct config_change *c = r->changes; c; c = c->next)
        if (!c->restart && strcmp(c->section, section) == 0 && strncmp(c->key, prefix, strlen(prefix)) == 0)
            return true;
    return false;
}

/* Names of one list that are not in the other. */
static void each_missing(struct reload *r, const struct config *in, const struct config *from,
                         void (*fn)(struct reload *r, const char *name))
{
    str rest = str_of(config_get(in, "connectors", "enable")), word;
    while (str_split(&rest, ',', &word)) {
        const char *name = arena_str(&r->arena, str_trim(word)).p;
        if (*name && !config_enables(from, name))
            fn(r, name);
    }
}

static void apply_connectors(struct reload *r, const struct config *old)
{
    const struct config *now = r->app->config;
    for (const struct config_change *c = r->changes; c; c = c->next)
        if (strcmp(c->section, "connectors") == 0 && strncmp(c->key, "isolation.", 10) == 0)
            isolate(r, c->key + 10);
        else if (strcmp(c->section, "connectors") == 0 && strncmp(c->key, "hosts.", 6) == 0)
            accept_hosts(r, c->key + 6);
    each_missing(r, old, now, unload);
    each_missing(r, now, old, load);
}

/* Other values than those the host keeps for itself: the sign-in may be another. */
static bool options_changed(const struct reload *r, const char *header)
{
    for (const struct config_change *c = r->changes; c; c = c->next)
        if (strcmp(c->section, header) == 0 && !c->known)
            return true;
    return false;
}

static bool apply_endpoints(struct reload *r, const struct config *old)
{
    struct app *app = r->app;
    bool any = false;
    struct err e = {0};
    for (const struct config_section *s = old->sections; s; s = s->next, err_clear(&e)) {
        if (strcmp(s->type, "endpoint") != 0 || config_section_find(app->config, "endpoint", s->name, NULL))
            continue;
        any = true;
        int64_t id = setup_endpoint_id(app, s->name);
        int rc = engine_endpoint_gone(app->engine, s->name, &e);
        runtime_endpoint_remove(app->runtime, id);
        tell_step(r, "endpoint", s->name, "not configured any more: its connections are blocked and keep everything",
                  rc ? &e : NULL);
    }
    for (const struct config_section *s = app->config->sections; s; s = s->next) {
        if (strcmp(s->type, "endpoint") != 0 || !config_section_changed(r->changes, s->header))
            continue;
        any = true;
        setup_connector(app, config_get(app->config, s->header, "connector"));
        setup_endpoint(app, s);
        if (!options_changed(r, s->header))
            continue;
        engine_endpoint_authorised(app->engine, setup_endpoint_id(app, s->name));
        tell_step(r, "endpoint", s->name, "set; it signs in and says who it is", NULL);
    }
    return any;
}

static void apply_connections(struct reload *r, const struct config *old)
{
    struct app *app = r->app;
    struct err e = {0};
    for (const struct config_section *s = old->sections; s; s = s->next)
        if (strcmp(s->type, "connection") == 0 && !config_section_find(app->config, "connection", s->name, NULL))
            setup_forgotten(app, s);
    for (const struct config_section *s = app->config->sections; s; s = s->next, err_clear(&e))
        if (strcmp(s->type, "connection") == 0 && config_section_changed(r->changes, s->header)) {
            int rc = setup_connection(app, s, &e);
            tell_step(r, "connection", s->name, "as the file says", rc ? &e : NULL);
        }
}

static bool has_moved(const struct config_section *s, const struct config *old)
{
    const struct config_section *was = config_section_find(old, s->type, s->name, s->kind);
    return !was || was->line != s->line || strcmp(was->file, s->file) != 0;
}

static void apply_links(struct reload *r, const struct config *old)
{
    struct app *app = r->app;
    struct err e = {0};
    for (const struct config_section *s = old->sections; s; s = s->next) {
        if (strcmp(s->type, "link") != 0 || config_section_find(app->config, "link", s->name, s->kind))
            continue;
        (void)admin_link_pin(app->engine, s->name, s->kind, "", "", NULL);
        setup_forgotten(app, s);
        tell_step(r, "link", s->header + 5, "free again: not pinned any more", NULL);
    }
    for (const struct config_section *s = app->config->sections; s; s = s->next, err_clear(&e)) {
        bool changed = config_section_changed(r->changes, s->header) ||
                       !config_section_find(old, s->type, s->name, s->kind); /* one without a key */
        if (strcmp(s->type, "link") != 0 || (!changed && !has_moved(s, old)))
            continue;
        int rc = setup_link(app, s, &e); /* what only moved is pinned at its new place */
        if (changed || rc)
            tell_step(r, "link", s->header + 5, "pinned as the file says", rc ? &e : NULL);
    }
}

static void apply_values(struct reload *r)
{
    struct app *app = r->app;
    if (has_change(r, "log", ""))
        setup_log(app->config);
    if (has_change(r, "retention", "")) {
        struct retention retention = setup_retention(app->config);
        engine_retention(app->engine, &retention);
    }
}

static void audit(struct reload *r)
{
    AUTO(buf_done) struct buf detail = {.max = 4096};
    size_t n = json_array_size(json_object_get(r->out, "items"));
    buf_fmt(&detail, "{\"generation\":%lld,\"changes\":%zu,\"restart\":%s}", (long long)r->app->generation, n,
            json_is_true(json_object_get(r->out, "restart")) ? "true" : "false");
    struct audit row = {.at_us = env_now_us(r->app->env),
                        .who = str_of(r->who),
                        .act = STR("config.reload"),
                        .object = str_of(r->app->config->path),
                        .detail = buf_lent(&detail)};
    struct err e = {0};
    if (audit_add(r->app->db, &row, &e))
        log_err(LOG_ERROR, "config.reload", &e);
}

static void apply(struct reload *r)
{
    struct app *app = r->app;
    struct config *old = app->config;
    app->config = take(r->next);
    app->generation++;
    app->config_us = env_now_us(app->env);
    json_object_set_new(r->out, "applied", json_true());
    json_object_set_new(r->out, "generation", json_integer(app->generation));
    log_changes(r);
    audit(r);
    engine_act_as(app->engine, r->who);
    apply_values(r);
    apply_connectors(r, old);
    bool endpoints = apply_endpoints(r, old);
    apply_connections(r, old);
    apply_links(r, old);
    if (endpoints || has_change(r, "hooks", "public_url")) {
        hook_targets_refresh(app);
        hook_subscribe(app);
    }
    engine_act_as(app->engine, NULL);
    r->changes = NULL; /* they speak of what goes now */
    if (old != app->boot)
        config_free(old);
    log_line(LOG_INFO, NULL, "configuration read again by %s: generation %lld", r->who, (long long)app->generation);
}

/* ---- the stages ---- */

static int check_on_control(void *arg, struct pending *p, struct err *e)
{
    (void)p;
    (void)e;
    struct reload *r = arg;
    r->changes = config_diff(&r->arena, r->app->boot, r->app->config, r->next);
    r->check.changes = r->changes;
    reload_check_known(&r->check);
    return TL_OK;
}

/* Done also where the file could not be read: then it is remembered that it was refused. */
static int finish_on_control(void *arg, struct pending *p, struct err *e)
{
    (void)e;
    struct reload *r = arg;
    struct app *app = r->app;
    bool refused = r->next->ini.n_errors > 0;
    json_object_set_new(r->out, "generation", json_integer(app->generation));
    if (!refused)
        tell_changes(r);
    if (!r->dry_run) {
        app->reload_refused = refused;
        app->reload_us = env_now_us(app->env);
    }
    if (refused || r->dry_run)
        return TL_OK;
    r->pending = p;
    apply(r);
    if (r->under_way)
        control_hold(p);
    return TL_OK;
}

static void log_findings(const struct config *c)
{
    for (const struct finding *f = c->ini.findings; f; f = f->next) {
        AUTO(buf_done) struct buf place = {0};
        config_finding_place(f, &place);
        log_line(f->level == FINDING_ERROR ? LOG_ERROR : LOG_WARN, NULL, "%s%s", buf_text(&place), f->text);
    }
    if (c->ini.n_errors)
        log_line(LOG_ERROR, NULL, "the configuration is refused: %d errors; what runs stays as it is", c->ini.n_errors);
}

static int run_stages(struct reload *r, struct err *e)
{
    int rc = TL_OK;
    struct config *next = r->next;
    if (next->ini.n_errors == 0)
        rc = control_do(r->app->control, check_on_control, r, e);
    if (!rc)
        reload_check_strangers(&r->check);
    if (!rc)
        tell_findings(r, next);
    if (!rc && !r->dry_run)
        log_findings(next);
    if (!rc)
        rc = control_do(r->app->control, finish_on_control, r, e);
    return rc;
}

int reload_config(struct app *app, const char *who, bool dry_run, json_t **out, struct err *e)
{
    struct reload r = {.app = app, .who = who, .dry_run = dry_run, .steps = json_array()};
    pthread_mutex_lock(&app->reloader->one);
    r.next = config_load(app->boot->path);
    link_sections_check(r.next);
    r.check = (struct reload_check){.app = app, .arena = &r.arena, .next = r.next};
    r.out = json_pack("{s:b,s:b,s:s,s:b,s:[],s:o}", "applied", 0, "dry_run", dry_run, "path", app->boot->path,
                      "restart", 0, "items", "steps", r.steps);
    int rc = run_stages(&r, e);
    pthread_mutex_unlock(&app->reloader->one);
    reload_check_done(&r.check);
    config_free(r.next);
    arena_done(&r.arena);
    if (rc)
        json_decref(r.out);
    else
        *out = r.out;
    return rc;
}

/* ---- by signal ---- */

static void *serve(void *arg)
{
    struct reloader *r = arg;
    pthread_mutex_lock(&r->lock);
    while (!r->stop) {
        if (!r->asked) {
            pthread_cond_wait(&r->changed, &r->lock);
            continue;
        }
        r->asked = false;
        pthread_mutex_unlock(&r->lock);
        json_t *answer = NULL;
        struct err e = {0};
        if (reload_config(r->app, "SIGHUP", false, &answer, &e))
            log_err(LOG_WARN, "SIGHUP", &e);
        json_decref(answer);
        pthread_mutex_lock(&r->lock);
    }
    pthread_mutex_unlock(&r->lock);
    return NULL;
}

struct reloader *reloader_new(struct app *app)
{
    struct reloader *r = calloc(1, sizeof *r);
    ASSERT(r);
    r->app = app;
    pthread_mutex_init(&r->one, NULL);
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->changed, NULL);
    ASSERT(pthread_create(&r->thread, NULL, serve, r) == 0);
    return r;
}

void reloader_ask(struct reloader *r)
{
    pthread_mutex_lock(&r->lock);
    r->asked = true;
    pthread_cond_signal(&r->changed);
    pthread_mutex_unlock(&r->lock);
}

void reloader_stop(struct reloader *r)
{
    pthread_mutex_lock(&r->lock);
    r->stop = true;
    bool first = !r->joined;
    r->joined = true;
    pthread_cond_signal(&r->changed);
    pthread_mutex_unlock(&r->lock);
    if (first)
        pthread_join(r->thread, NULL);
}

struct reloader *reloader_free(struct reloader *r)
{
    if (!r)
        return NULL;
    reloader_stop(r);
    pthread_mutex_destroy(&r->one);
    pthread_mutex_destroy(&r->lock);
    pthread_cond_destroy(&r->changed);
    free(r);
    return NULL;
}
