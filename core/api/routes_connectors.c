/* Routes of connectors: what is loaded, and loading at run time. */
#include <stdlib.h>

#include "accept_hosts.h"
#include "connector_attention.h"
#include "endpoints.h"
#include "hook_targets.h"
#include "setup.h"
#include "times.h"
#include "upgrade.h"
#include "verb.h"

#define CONNECTOR "/api/v1/connectors/{name}"

static void set_time(json_t *o, const char *name, int64_t us)
{
    char text[32];
    if (us)
        json_object_set_new(o, name, json_string(time_text(text, us)));
}

static void set_error(json_t *o, const struct err *e)
{
    if (e && e->status)
        json_object_set_new(o, "error", json_pack("{s:s,s:s}", "text", e->text, "hint", e->hint));
    if (e && e->status && e->detail[0])
        json_object_set_new(json_object_get(o, "error"), "detail", json_string(e->detail));
}

static void set_head(json_t *o, const struct manifest *m)
{
    json_object_set_new(o, "title", json_string(m->name));
    json_object_set_new(o, "version", json_string(m->version));
    json_object_set_new(o, "vendor", json_string(m->vendor));
    json_object_set_new(o, "role", json_string(role_name(m->role)));
    json_object_set_new(o, "abi", json_sprintf("%u.%u", TL_ABI_MAJOR, m->abi_minor));
}

/* That the file which lies there was refused is worth a word wherever the one that runs is shown. */
static void set_refusal(struct app *app, const struct connector_info *info, json_t *o)
{
    AUTO(arena_done) struct arena a = {0};
    struct repair r;
    if (info->state == RUN_RUNNING && connector_refusal(app, &a, info->name, &r, NULL) == TL_OK)
        json_object_set_new(
            o, "error",
            json_pack("{s:s%,s:s%}", "text", r.text.p, (size_t)r.text.n, "hint", r.hint.p, (size_t)r.hint.n));
}

static json_t *connector_json(struct app *app, const struct connector_info *info)
{
    json_t *o = json_pack("{s:s,s:s,s:s,s:i,s:i,s:i,s:i}", "name", info->name, "state", run_state_name(info->state),
                          "isolation", isolation_name(info->isolation), "endpoints", info->endpoints, "instances",
                          info->instances, "running", info->running, "crashes", info->crashes);
    if (info->pid)
        json_object_set_new(o, "pid", json_integer(info->pid));
    char cell[64];
    if (info->confinement)
        json_object_set_new(o, "cell", json_string(confinement_text(info->confinement, cell, sizeof cell)));
    if (info->accepted[0])
        json_object_set_new(o, "accepted_hosts", json_string(info->accepted));
    if (info->pending[0])
        json_object_set_new(o, "pending_hosts", json_string(info->pending));
    if (info->still_mapped)
        json_object_set_new(o, "still_mapped", json_true());
    if (info->grade)
        json_object_set_new(o, "grade", json_string(grade_name(info->grade)));
    if (info->manifest)
        set_head(o, info->manifest);
    set_time(o, "loaded_at", info->loaded_us);
    set_time(o, "retry_at", info->retry_us);
    set_error(o, info->error);
    set_refusal(app, info, o);
    return o;
}

static json_t *options_json(const struct manifest *m)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < m->n_options; i++) {
        const tl_option *p = &m->options[i];
        json_t *o = json_pack("{s:s,s:s,s:b,s:s}", "name", p->name, "type", option_type_name(p->type), "required",
                              (p->flags & TL_OPT_REQUIRED) != 0, "help", p->help);
        if (p->def && p->type != TL_OPT_SECRET)
            json_object_set_new(o, "default", json_string(p->def));
        if (p->choices)
            json_object_set_new(o, "choices", json_string(p->choices));
        json_array_append_new(list, o);
    }
    return list;
}

static void set_rest(json_t *o, const struct manifest *m)
{
    json_object_set_new(o, "license", json_string(m->license));
    json_object_set_new(o, "url", json_string(m->url));
    json_object_set_new(o, "hosts", json_string(m->hosts));
    json_object_set_new(o, "claims", json_string(m->claims));
    json_object_set_new(o, "options", options_json(m));
}

static int run_list(struct verb *v, struct err *e)
{
    (void)e;
    json_t *items = json_array();
    for (size_t i = 0; i < runtime_connector_count(v->app->runtime); i++) {
        struct connector_info info;
        runtime_connector_at(v->app->runtime, i, &info);
        json_array_append_new(items, connector_json(v->app, &info));
    }
    v->out = json_pack("{s:o}", "items", items);
    return TL_OK;
}

static int list_connectors(struct request *rq, json_t **answer, struct err *e)
{
    struct verb v;
    verb_init(&v, rq, NULL, NULL);
    return verb_run(&v, run_list, answer, e);
}

static int need_connector(struct verb *v, struct connector_info *info, struct err *e)
{
    if (runtime_connector_info(v->app->runtime, v->object, info))
        return TL_OK;
    int rc = err_set(e, TL_E_NOT_FOUND, "no connector \"%s\"", v->object);
    err_hint(e, "name it in [connectors] enable, or load it by its file name without \".so\"");
    return rc;
}

/* The last file that was loaded, also before the last start. */
static void set_last(struct verb *v)
{
    AUTO(arena_done) struct arena a = {0};
    struct connector_row row;
    char at[32];
    if (connector_get(v->app->db, &a, str_of(v->object), &row, NULL) || !row.sha256.n)
        return;
    json_object_set_new(v->out, "last_loaded",
                        json_pack("{s:s%,s:s%,s:s}", "version", row.version.p, (size_t)row.version.n, "sha256",
                                  row.sha256.p, (size_t)row.sha256.n, "since", time_text(at, row.loaded_us)));
}

static int run_show(struct verb *v, struct err *e)
{
    struct connector_info info;
    int rc = need_connector(v, &info, e);
    if (rc)
        return rc;
    v->out = connector_json(v->app, &info);
    json_object_set_new(v->out, "path", json_string(info.path));
    json_object_set_new(v->out, "sha256", json_string(info.sha256));
    set_last(v);
    if (info.manifest)
        set_rest(v->out, info.manifest);
    return TL_OK;
}

static int show_connector(struct request *rq, json_t **answer, struct err *e)
{
    struct verb v;
    verb_init(&v, rq, NULL, capture(rq, 0));
    return verb_run(&v, run_show, answer, e);
}

/* ---- verify: whether a file would be loaded, without loading it ---- */

static void add_problem(void *ctx, const char *endpoint, str option, const struct err *why)
{
    json_array_append_new(ctx, json_pack("{s:s,s:s%,s:s,s:s}", "endpoint", endpoint, "option", option.p,
                                         (size_t)option.n, "text", why->text, "hint", why->hint));
}

/* v->text[0]: hash of the file that was looked at; v->more: its manifest. */
static int run_compare(struct verb *v, struct err *e)
{
    (void)e;
    struct connector_info info;
    bool there = runtime_connector_info(v->app->runtime, v->object, &info) && info.state != RUN_NOT_LOADED &&
                 info.state != RUN_DISABLED;
    const char *same = !there                                 ? "not loaded"
                       : strcmp(info.sha256, v->text[0]) == 0 ? "the same is loaded"
                                                              : "another one is loaded";
    json_t *problems = json_array();
    json_object_set_new(v->out, "loaded", json_string(same));
    runtime_endpoints_try(v->app->runtime, v->more, add_problem, problems);
    json_object_set_new(v->out, "problems", problems);
    return TL_OK;
}

/* What a file lacks is an answer; that it is not there, or could not be looked at, is none. */
static bool is_refusal(int rc)
{
    return rc == TL_E_DENIED || rc == TL_E_UNSUPPORTED || rc == TL_E_BUG || rc == TL_E_INVALID || rc == TL_E_CONFIG;
}

/* On the thread of the request: the control thread has other things to do than to copy files and to start workers. */
static int verify_connector(struct request *rq, json_t **answer, struct err *e)
{
    const char *what;
    struct err refused = {0};
    AUTO(verified_done) struct verified found = {.manifest = NULL};
    int rc = body_need_text(rq, "connector", &what, e);
    if (rc)
        return rc;
    rc = runtime_verify(runtime_config_of(rq->app->runtime), what, &found, &refused);
    if (rc && !is_refusal(rc)) {
        *e = refused;
        return rc;
    }
    json_t *o = json_pack("{s:s,s:b}", "connector", what, "admitted", rc == TL_OK);
    if (rc) {
        set_error(o, &refused);
        *answer = o;
        return TL_OK;
    }
    json_object_set_new(o, "name", json_string(found.manifest->id));
    json_object_set_new(o, "path", json_string(found.source));
    json_object_set_new(o, "sha256", json_string(found.sha256));
    if (found.grade)
        json_object_set_new(o, "grade", json_string(grade_name(found.grade)));
    set_head(o, found.manifest);
    set_rest(o, found.manifest);
    struct verb v;
    verb_init(&v, rq, NULL, found.manifest->id);
    v.text[0] = found.sha256;
    v.more = found.manifest;
    v.out = o;
    return verb_run(&v, run_compare, answer, e);
}

/* ---- load, unload, reload: the answer comes when it is done ---- */

static void answer_words(struct verb *v, const char *words, const struct err *e)
{
    struct connector_info info;
    if (!e && runtime_connector_info(v->app->runtime, v->object, &info)) {
        v->out = connector_json(v->app, &info);
        json_object_set_new(v->out, "result", json_string(words));
    }
    verb_finish(v, e ? e->status : TL_OK, e);
}

/* A load that accepts the hosts it declares. */
static bool accepts(const struct verb *v)
{
    return v->text[1] != NULL;
}

static void on_loaded(void *arg, const char *words, const struct err *e)
{
    struct verb *v = arg;
    struct err refused = {0};
    if (!e && accepts(v) && hosts_accept(v->app, v->object, &refused))
        e = &refused;
    if (!e)
        setup_loaded(v->app, v->object);
    if (e && v->flag)
        runtime_connector_forget(v->app->runtime, v->object);
    answer_words(v, words, e);
}

static void on_ended(void *arg, const char *words, const struct err *e)
{
    answer_words(arg, words, e);
}

static bool runs(const struct connector_info *info)
{
    return info->state == RUN_RUNNING || info->state == RUN_RETRYING;
}

/* One that runs has nothing to do but to accept its hosts. */
static int accept_running(struct verb *v, struct err *e)
{
    int rc = hosts_accept(v->app, v->object, e);
    if (!rc)
        rc = run_show(v, e);
    if (!rc)
        json_object_set_new(v->out, "result", json_string("it runs; what it declares is accepted"));
    return rc;
}

static int run_load(struct verb *v, struct err *e)
{
    struct connector_info info;
    int rc = TL_OK;
    if (accepts(v) && runtime_connector_info(v->app->runtime, v->object, &info) && runs(&info))
        return accept_running(v, e);
    v->flag = !runtime_connector_info(v->app->runtime, v->object, &info); /* new: forgotten when it is refused */
    if (v->flag)
        rc = runtime_connector_add(v->app->runtime, v->object, ISOLATION_WORKER, e);
    if (!rc)
        rc = runtime_load(v->app->runtime, v->object, on_loaded, v, e);
    if (!rc)
        verb_hold(v);
    return rc;
}

static int load_connector(struct request *rq, json_t **answer, struct err *e)
{
    struct verb v;
    verb_init(&v, rq, "connector.load", capture(rq, 0));
    v.text[1] = json_is_true(json_object_get(rq->body, "accept")) ? "accept" : NULL;
    return verb_run(&v, run_load, answer, e);
}

static int deadline_of(struct request *rq, int64_t *us_out, struct err *e)
{
    const char *text = body_text(rq, "deadline");
    *us_out = 0;
    if (text && !duration_parse(str_of(text), us_out))
        return err_set(e, TL_E_INVALID, "\"deadline\" must be a time such as 30s");
    return TL_OK;
}

static int mode_of(const char *text, enum unload_mode *out, struct err *e)
{
    static const struct {
        const char *name;
        enum unload_mode mode;
    } modes[] = {{"soft", UNLOAD_SOFT}, {"drain", UNLOAD_DRAIN}, {"kill", UNLOAD_KILL}};
    for (size_t i = 0; i < ARRAY_LEN(modes); i++)
        if (strcmp(modes[i].name, text ? text : "drain") == 0) {
            *out = modes[i].mode;
            return TL_OK;
        }
    return err_set(e, TL_E_INVALID, "\"mode\" must be soft, drain or kill");
}

static int run_unload(struct verb *v, struct err *e)
{
    enum unload_mode mode = UNLOAD_DRAIN;
    struct connector_info info;
    int rc = mode_of(v->text[0], &mode, e);
    if (!rc)
        rc = need_connector(v, &info, e);
    if (!rc)
        rc = runtime_unload(v->app->runtime, v->object, mode, v->number, on_ended, v, e);
    if (!rc)
        verb_hold(v);
    return rc;
}

static int unload_connector(struct request *rq, json_t **answer, struct err *e)
{
    struct verb v;
    verb_init(&v, rq, "connector.unload", capture(rq, 0));
    v.text[0] = body_text(rq, "mode");
    int rc = deadline_of(rq, &v.number, e);
    return rc ? rc : verb_run(&v, run_unload, answer, e);
}

static int run_reload(struct verb *v, struct err *e)
{
    enum unload_mode mode = UNLOAD_DRAIN;
    struct connector_info info;
    int rc = mode_of(v->text[0], &mode, e);
    if (!rc)
        rc = need_connector(v, &info, e);
    if (!rc)
        rc = upgrade_begin(v->app, v->object, mode, v->number, on_ended, v, e);
    if (!rc)
        verb_hold(v);
    return rc;
}

static int reload_connector(struct request *rq, json_t **answer, struct err *e)
{
    struct verb v;
    verb_init(&v, rq, "connector.reload", capture(rq, 0));
    v.text[0] = body_text(rq, "mode");
    int rc = deadline_of(rq, &v.number, e);
    return rc ? rc : verb_run(&v, run_reload, answer, e);
}

/* ---- disable and enable: kept in the store until taken back ---- */

static int run_disable(struct verb *v, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct connector_row row = {.id = str_of(v->object)};
    int rc = runtime_connector_disable(v->app->runtime, v->object, v->flag, e);
    if (rc)
        return not_found_words(e, rc, "connector", v->object);
    (void)connector_get(v->app->db, &a, str_of(v->object), &row, NULL);
    row.disabled = v->flag;
    rc = connector_put(v->app->db, &row, e);
    if (rc)
        return rc;
    if (v->flag)
        rc = runtime_unload(v->app->runtime, v->object, UNLOAD_DRAIN, 0, on_ended, v, e);
    else
        rc = runtime_load(v->app->runtime, v->object, on_loaded, v, e);
    if (rc == E_PRECONDITION) { /* it was in that state already, or comes to it when what is under way ends */
        struct connector_info info;
        err_clear(e);
        rc = run_show(v, e);
        if (rc == TL_OK && v->flag && runtime_connector_info(v->app->runtime, v->object, &info) &&
            (info.state == RUN_LOADING || info.state == RUN_UNLOADING))
            json_object_set_new(v->out, "result", json_string("the load under way will be refused"));
        return rc;
    }
    if (!rc)
        verb_hold(v);
    return rc;
}

static int switch_connector(struct request *rq, bool disabled, json_t **answer, struct err *e)
{
    struct verb v;
    verb_init(&v, rq, disabled ? "connector.disable" : "connector.enable", capture(rq, 0));
    v.flag = disabled;
    return verb_run(&v, run_disable, answer, e);
}

static int disable_connector(struct request *rq, json_t **answer, struct err *e)
{
    return switch_connector(rq, true, answer, e);
}

static int enable_connector(struct request *rq, json_t **answer, struct err *e)
{
    return switch_connector(rq, false, answer, e);
}

#define OPTIONS_SHAPE                                                                                                  \
    "options:[{name:string,type:string,required:boolean,help:string,default:string?,choices:string?}]?"
#define VERIFY_SHAPE                                                                                                   \
    "{connector:string,admitted:boolean,name:string?,path:string?,sha256:string?,grade:string?,loaded:string?,title:"  \
    "string?,"                                                                                                         \
    "version:string?,vendor:string?,role:string?,abi:string?,license:string?,url:string?,hosts:string?,"               \
    "claims:string?," OPTIONS_SHAPE ",problems:[{endpoint:string,option:string,text:string,hint:string}]?,error:{"     \
    "text:string,hint:string,detail:string?}?}"
#define ANSWER                                                                                                         \
    "{name:string,state:string,isolation:string,endpoints:integer,instances:integer,pid:integer?,version:string?,"     \
    "grade:string?,"                                                                                                   \
    "running:integer,still_mapped:boolean?,title:string?,vendor:string?,role:string?,abi:string?,"                     \
    "loaded_at:time?,retry_at:time?,error:{text:string,hint:string,detail:string?}?,cell:string?,accepted_hosts:"      \
    "string?,pending_hosts:string?,"                                                                                   \
    "path:string?,sha256:string?,license:string?,"                                                                     \
    "url:string?,hosts:string?,claims:string?,result:string?,crashes:integer?,"                                        \
    "last_loaded:{version:string,sha256:string,since:time}?," OPTIONS_SHAPE "}"
const struct route routes_connectors[] = {
    {.method = "GET",
     .path = "/api/v1/connectors",
     .scope = SCOPE_READ,
     .handler = list_connectors,
     .summary = "connectors with their state",
     .answer = "{items:[" ANSWER "]}"},
    {.method = "GET",
     .path = CONNECTOR,
     .scope = SCOPE_READ,
     .handler = show_connector,
     .summary = "one connector with its options",
     .answer = ANSWER},
    {.method = "POST",
     .path = "/api/v1/connectors/verify",
     .handler = verify_connector,
     .summary = "whether a connector, by name or by the path of its file, would be loaded; loads nothing",
     .body = "{connector:string}",
     .answer = VERIFY_SHAPE},
    {.method = "POST",
     .path = CONNECTOR "/load",
     .flags = ROUTE_WRITE,
     .handler = load_connector,
     .summary = "load; answers when it runs or was refused; accept: what it declares may be reached",
     .body = "{accept:boolean?}",
     .answer = ANSWER},
    {.method = "POST",
     .path = CONNECTOR "/unload",
     .flags = ROUTE_WRITE,
     .handler = unload_connector,
     .summary = "unload: soft refuses while busy, drain waits, kill cuts",
     .body = "{mode:string?,deadline:string?}",
     .answer = ANSWER},
    {.method = "POST",
     .path = CONNECTOR "/reload",
     .flags = ROUTE_WRITE,
     .handler = reload_connector,
     .summary = "drain, then load the file as it is now",
     .body = "{mode:string?,deadline:string?}",
     .answer = ANSWER},
    {.method = "POST",
     .path = CONNECTOR "/disable",
     .flags = ROUTE_WRITE,
     .handler = disable_connector,
     .summary = "unload and keep it so until enabled",
     .answer = ANSWER},
    {.method = "POST",
     .path = CONNECTOR "/enable",
     .flags = ROUTE_WRITE,
     .handler = enable_connector,
     .summary = "allow again, and load",
     .answer = ANSWER},
    {.method = NULL},
};
