/* Routes of the daemon itself: status, configuration, health, metrics, the API's own description. */
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "attention.h"
#include "backups.h"
#include "config_show.h"
#include "metrics.h"
#include "openapi.h"
#include "outages.h"
#include "reload.h"
#include "routes.h"
#include "shapes.h"
#include "times.h"
#include "verb.h"
#include "view.h"

/* ---- status: one screen ---- */

/* In words, as in the configuration. */
static json_t *retention_json(const struct config *c)
{
    json_t *o = json_object();
    for (int i = 0; i < config_key_count; i++) {
        const struct config_key *k = &config_keys[i];
        if (strcmp(k->section, "retention") != 0)
            continue;
        AUTO(buf_done) struct buf text = {0};
        duration_format(&text, config_number(c, k->section, k->key));
        json_object_set_new(o, k->key, json_string(buf_text(&text)));
    }
    return o;
}

static int run_status(struct verb *v, struct err *e)
{
    (void)e;
    int loaded = 0, wanted = 0, attention = 0, files_open = 0;
    for (size_t i = 0; i < runtime_connector_count(v->app->runtime); i++) {
        struct connector_info info;
        runtime_connector_at(v->app->runtime, i, &info);
        wanted++;
        loaded += info.state == RUN_RUNNING;
        attention += info.error && info.error->status != 0;
        files_open += info.confinement && !info.confinement->landlock;
    }
    json_object_set_new(v->out, "connectors",
                        json_pack("{s:i,s:i,s:i,s:i}", "known", wanted, "running", loaded, "with_errors", attention,
                                  "without_landlock", files_open));
    json_object_set_new(v->out, "backup", backups_json(v->app->backups));
    json_object_set_new(v->out, "retention", retention_json(v->app->config));
    struct err why = {0};
    if (engine_probe(v->app->engine, &why))
        json_object_set_new(v->out, "storage",
                            json_pack("{s:s,s:s,s:s}", "code", why.code, "text", why.text, "hint", why.hint));
    outages_of_connections(v->app, json_object_get(v->out, "connections"));
    return TL_OK;
}

static int read_status(struct request *rq, struct db *db, json_t *o, struct err *e)
{
    json_t *connections = NULL;
    int rc = view_connections(db, &connections, e);
    if (rc)
        return rc;
    json_object_set_new(o, "connections", json_incref(json_object_get(connections, "items")));
    json_decref(connections);
    struct repair *repairs;
    size_t n;
    rc = repair_list(db, &rq->arena, false, 100, &repairs, &n, e);
    if (rc)
        return rc;
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(
            list, json_pack("{s:s%,s:s,s:s%,s:s%,s:s%}", "object", repairs[i].object.p, (size_t)repairs[i].object.n,
                            "level", repairs[i].level == TL_ERROR ? "error" : "warning", "code", repairs[i].code.p,
                            (size_t)repairs[i].code.n, "text", repairs[i].text.p ? repairs[i].text.p : "",
                            (size_t)repairs[i].text.n, "hint", repairs[i].hint.p ? repairs[i].hint.p : "",
                            (size_t)repairs[i].hint.n));
    json_object_set_new(o, "repairs", list);
    return TL_OK;
}

static int with_status(struct request *rq, json_t *o, struct err *e)
{
    WITH_READER(rq, db, e, read_status(rq, db, o, e));
}

static int show_status(struct request *rq, json_t **answer, struct err *e)
{
    struct app *app = rq->app;
    char started[32];
    struct verb v;
    verb_init(&v, rq, NULL, NULL);
    v.out = json_pack("{s:s,s:s,s:s,s:I,s:b,s:s}", "version", TIELINE_VERSION, "state", "running", "started_at",
                      time_text(started, app->started_us), "uptime_s",
                      (json_int_t)((env_mono_us(app->env) - app->started_mono_us) / US_PER_S), "development",
                      app->boot->development, "config", app->boot->path);
    int rc = with_status(rq, v.out, e);
    if (rc) {
        json_decref(v.out);
        return rc;
    }
    return verb_run(&v, run_status, answer, e);
}

/* ---- configuration ---- */

static json_t *value_json(const char *section, const struct config_key *k, const struct config_value *v,
                          const struct manifest *m)
{
    const char *def = k && k->def ? k->def : "";
    json_t *o = json_pack("{s:s,s:s,s:s}", "section", section, "key", v ? v->key : k->key, "value",
                          v ? config_shown(v, m) : def);
    if (v)
        json_object_set_new(o, "origin", json_sprintf("%s:%d", v->file, v->line));
    else
        json_object_set_new(o, "origin", json_string("default"));
    return o;
}

static bool is_named(const char *section)
{
    return strcmp(section, "endpoint") == 0 || strcmp(section, "connection") == 0 || strcmp(section, "link") == 0;
}

static const struct manifest *manifest_of(const struct app *app, const struct config_section *s)
{
    struct connector_info info;
    const char *connector = config_get(app->config, s->header, "connector");
    return connector && runtime_connector_info(app->runtime, connector, &info) ? info.manifest : NULL;
}

/* What needs a restart counts as it was read at the start. */
static const struct config_value *counting(const struct app *app, const struct config_key *k)
{
    return config_lookup(k->reload == RELOAD_DAEMON ? app->boot : app->config, k->section, k->key);
}

static json_t *reload_json(const struct app *app)
{
    char at[32];
    if (!app->reload_us)
        return NULL;
    return json_pack("{s:s,s:b}", "at", time_text(at, app->reload_us), "refused", app->reload_refused);
}

static int run_config(struct verb *v, struct err *e)
{
    (void)e;
    const struct config *c = v->app->config;
    json_t *items = json_array();
    for (int i = 0; i < config_key_count; i++) {
        const struct config_key *k = &config_keys[i];
        if (!is_named(k->section) && !strchr(k->key, '*'))
            json_array_append_new(items, value_json(k->section, k, counting(v->app, k), NULL));
    }
    for (const struct config_section *s = c->sections; s; s = s->next)
        for (const struct config_value *value = s->values; value; value = value->next)
            if (is_named(s->type) || strchr(value->key, '.'))
                json_array_append_new(items, value_json(s->header, NULL, value, manifest_of(v->app, s)));
    char at[32];
    v->out = json_pack("{s:s,s:I,s:s,s:o*,s:o}", "path", c->path, "generation", (json_int_t)v->app->generation,
                       "read_at", time_text(at, v->app->config_us), "last_reload", reload_json(v->app), "items", items);
    return TL_OK;
}

static int show_config(struct request *rq, json_t **answer, struct err *e)
{
    struct verb v;
    verb_init(&v, rq, NULL, NULL);
    return verb_run(&v, run_config, answer, e);
}

static int reload(struct request *rq, json_t **answer, struct err *e)
{
    return reload_config(rq->app, rq->caller.name, request_flag(rq, "dry_run"), answer, e);
}

/* ---- health and description ---- */

static int healthy(struct request *rq, json_t **answer, struct err *e)
{
    (void)rq;
    (void)e;
    *answer = json_pack("{s:s}", "status", "ok");
    return TL_OK;
}

static int run_ready(struct verb *v, struct err *e)
{
    v->out = json_pack("{s:s}", "status", "ready");
    return engine_probe(v->app->engine, e); /* what makes us not ready is a store that cannot be written */
}

static int ready(struct request *rq, json_t **answer, struct err *e)
{
    struct verb v;
    verb_init(&v, rq, NULL, NULL);
    return verb_run(&v, run_ready, answer, e);
}

static int openapi(struct request *rq, json_t **answer, struct err *e)
{
    (void)rq;
    (void)e;
    *answer = openapi_document(api_tables);
    return TL_OK;
}

const struct route routes_daemon[] = {
    {.method = "GET",
     .path = "/api/v1/status",
     .scope = SCOPE_READ,
     .handler = show_status,
     .summary = "one screen: daemon, connections, what needs a person",
     .answer =
         "{version:string,state:string,started_at:time,uptime_s:integer,development:boolean,config:string,connections:"
         "[" STATUS_CONNECTION_SHAPE "],"
         "repairs:[{object:string,level:string,code:string,text:string,hint:string}],connectors:{known:integer,running:"
         "integer,with_"
         "errors:integer,without_landlock:integer},"
         "backup:{dir:string,every_s:integer,keep:integer,running:boolean,failed:integer,next_at:time?,last:object?,"
         "error:object?},retention:{history:string,failures:string,deliveries:string,tombstones:string,inbox:string,"
         "audit:string,delete_grace:string},storage:object?}"},
    {.method = "GET",
     .path = "/api/v1/config",
     .scope = SCOPE_READ,
     .handler = show_config,
     .summary = "every value that counts, with its origin",
     .answer = "{path:string,generation:integer,read_at:time,last_reload:{at:time,refused:boolean}?,"
               "items:[{section:string,key:string,value:string,origin:string}]}"},
    {.method = "POST",
     .path = "/api/v1/config/reload",
     .flags = ROUTE_WRITE | ROUTE_DRY,
     .handler = reload,
     .summary =
         "read the configuration again: check, plan, apply what changed; refused as a whole when anything is wrong",
     .params = "dry_run:boolean",
     .answer =
         "{applied:boolean,dry_run:boolean,generation:integer,path:string,restart:boolean,errors:integer,warnings:"
         "integer,"
         "items:[{what:string,section:string,key:string,value:string?,was:string?,origin:string,takes_effect:string}],"
         "findings:[{level:string,text:string,origin:string?}],"
         "steps:[{step:string,name:string,result:string?,error:{text:string,hint:string}?}]}"},
    {.method = "GET",
     .path = "/api/v1/openapi.json",
     .scope = SCOPE_READ,
     .handler = openapi,
     .summary = "this document",
     .answer = "object"},
    {.method = "GET",
     .path = "/metrics",
     .scope = SCOPE_METRICS,
     .flags = ROUTE_TEXT,
     .handler = metrics,
     .summary = "figures in the Prometheus text format",
     .answer = "string"},
    {.method = "GET",
     .path = "/-/healthy",
     .scope = SCOPE_METRICS,
     .handler = healthy,
     .summary = "the process answers",
     .answer = "{status:string}"},
    {.method = "GET",
     .path = "/-/ready",
     .scope = SCOPE_METRICS,
     .handler = ready,
     .summary = "the store can be written",
     .answer = "{status:string}"},
    {.method = NULL},
};
