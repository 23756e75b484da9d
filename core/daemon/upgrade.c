/* Another file of a connector, on trial: see upgrade.h. */
#include "upgrade.h"

#include <stdio.h>
#include <stdlib.h>

#include "connector_attention.h"
#include "log.h"
#include "setup.h"

struct upgrade {
    struct app *app;
    runtime_done_fn done;
    void *arg;
    struct arena arena;
    const char *connector;
    const char **worked; /* endpoints, by name */
    size_t n_worked, n_open;
    char words[64];
    uint32_t crashes;
    char sha256[65];    /* of the new file, once it is loaded */
    struct err failure; /* the first one; status TL_OK: none */
};

struct trial {
    struct upgrade *upgrade;
    const char *endpoint;
};

static void end(struct upgrade *u, const struct err *e)
{
    struct err told = e ? *e : (struct err){0};
    runtime_done_fn done = u->done;
    void *arg = u->arg;
    char words[64];
    snprintf(words, sizeof words, "%s", u->words);
    arena_done(&u->arena);
    free(u);
    done(arg, words, e ? &told : NULL);
}

/* Those that would have answered: what fails afterwards is new. */
static void note_working(struct upgrade *u)
{
    struct app *app = u->app;
    size_t max = 0;
    for (const struct config_section *s = app->config->sections; s; s = s->next)
        max++;
    u->worked = arena_array(&u->arena, const char *, max);
    for (const struct config_section *s = app->config->sections; s; s = s->next) {
        struct endpoint_info info;
        struct engine_outage outage;
        int64_t id = strcmp(s->type, "endpoint") == 0 ? setup_endpoint_id(app, s->name) : 0;
        if (id && runtime_endpoint_info(app->runtime, id, &info) && strcmp(info.connector, u->connector) == 0 &&
            info.state == RUN_RUNNING && info.auth.state != AUTH_NONE && !engine_outage_get(app->engine, id, &outage))
            u->worked[u->n_worked++] = arena_str(&u->arena, str_of(s->name)).p;
    }
}

/* ---- back ---- */

static void reverted(void *arg, const char *words, const struct err *e)
{
    (void)words;
    struct upgrade *u = arg;
    struct app *app = u->app;
    if (e) {
        err_hint(&u->failure, "the former file could not be put back: %.300s", e->text);
    } else {
        setup_loaded(app, u->connector);
        for (size_t i = 0; i < u->n_worked; i++)
            engine_endpoint_authorised(app->engine, setup_endpoint_id(app, u->worked[i]));
        err_hint(&u->failure, "the former file runs again; \"tieline connector verify %s\" tells what lies there now",
                 u->connector);
    }
    connector_refused(app, u->connector, u->sha256, &u->failure);
    struct err failure = u->failure;
    log_err(LOG_ERROR, u->connector, &failure);
    end(u, &failure);
}

static void revert(struct upgrade *u)
{
    struct err e = {0};
    if (runtime_upgrade_revert(u->app->runtime, u->connector, reverted, u, &e))
        reverted(u, NULL, &e);
}

/* ---- trial ---- */

/* What the vendor or the network did is not the file's doing; that the connector died is. */
static bool is_the_files(const struct upgrade *u, const struct err *e)
{
    struct connector_info info;
    bool died = runtime_connector_info(u->app->runtime, u->connector, &info) && info.crashes > u->crashes;
    return died || (e->status != TL_E_TEMPORARY && e->status != TL_E_THROTTLED && e->status != TL_E_QUOTA &&
                    e->status != TL_E_CANCELLED);
}

static void trial_over(struct upgrade *u)
{
    if (u->failure.status) {
        revert(u);
        return;
    }
    runtime_upgrade_settle(u->app->runtime, u->connector);
    connector_taken(u->app, u->connector, NULL);
    end(u, NULL);
}

static void tried(void *arg, const json_t *result, const struct err *e)
{
    (void)result;
    struct trial *t = arg;
    struct upgrade *u = t->upgrade;
    if (e && !u->failure.status && is_the_files(u, e)) {
        u->failure = *e;
        err_wrap(&u->failure, "endpoint \"%s\", which worked, does not work with the new file of connector \"%s\"",
                 t->endpoint, u->connector);
        u->failure.status = TL_E_UNSUPPORTED;
    }
    if (--u->n_open == 0)
        trial_over(u);
}

static void begin_trial(struct upgrade *u)
{
    struct connector_info info;
    struct app *app = u->app;
    if (runtime_connector_info(app->runtime, u->connector, &info)) {
        u->crashes = info.crashes;
        snprintf(u->sha256, sizeof u->sha256, "%s", info.sha256);
    }
    u->n_open = 1; /* ours, until all have begun */
    for (size_t i = 0; i < u->n_worked; i++) {
        struct trial *t = arena_new(&u->arena, struct trial);
        *t = (struct trial){u, u->worked[i]};
        struct err e = {0};
        u->n_open++;
        if (admin_endpoint_check(app->engine, u->worked[i], tried, t, &e))
            tried(t, NULL, &e);
    }
    if (--u->n_open == 0)
        trial_over(u);
}

/* Of the file, not of the moment. */
static bool is_refusal(int status)
{
    return status == TL_E_DENIED || status == TL_E_UNSUPPORTED || status == TL_E_BUG || status == TL_E_INVALID ||
           status == TL_E_CONFIG;
}

static bool runs(const struct upgrade *u)
{
    struct connector_info info;
    return runtime_connector_info(u->app->runtime, u->connector, &info) && info.state != RUN_NOT_LOADED;
}

static void reloaded(void *arg, const char *words, const struct err *e)
{
    struct upgrade *u = arg;
    if (e) {
        if (is_refusal(e->status) && runs(u))
            connector_refused(u->app, u->connector, "", e);
        end(u, e);
        return;
    }
    snprintf(u->words, sizeof u->words, "%s", words);
    setup_loaded(u->app, u->connector);
    if (runtime_upgraded(u->app->runtime, u->connector)) {
        begin_trial(u);
    } else {
        connector_taken(u->app, u->connector, NULL);
        end(u, NULL);
    }
}

int upgrade_begin(struct app *app, const char *connector, enum unload_mode mode, int64_t deadline_us,
                  runtime_done_fn done, void *arg, struct err *e)
{
    struct upgrade *u = calloc(1, sizeof *u);
    ASSERT(u);
    u->app = app;
    u->connector = arena_str(&u->arena, str_of(connector)).p;
    u->done = done;
    u->arg = arg;
    note_working(u);
    int rc = runtime_reload(app->runtime, u->connector, mode, deadline_us, reloaded, u, e);
    if (rc) {
        arena_done(&u->arena);
        free(u);
    }
    return rc;
}
