/* Routes of endpoints: identity, fields, one-time set-up, webhooks. */
#include <stdlib.h>

#include "budgets.h"
#include "hook_targets.h"
#include "hooks.h"
#include "outages.h"
#include "setup.h"
#include "shapes.h"
#include "times.h"
#include "verb.h"
#include "view.h"

#define ENDPOINT "/api/v1/endpoints/{name}"

/* What only the runtime knows, added to what the store tells. */
static void add_running(struct app *app, json_t *o)
{
    struct endpoint_info info;
    const char *name = json_string_value(json_object_get(o, "name"));
    int64_t id = name ? setup_endpoint_id(app, name) : 0;
    if (!id || !runtime_endpoint_info(app->runtime, id, &info))
        return;
    json_object_set_new(o, "state", json_string(run_state_name(info.state)));
    /* how to sign in is known once the connector is there and its options are complete */
    bool known = info.state == RUN_RUNNING || info.auth.state != AUTH_NOT_NEEDED;
    json_object_set_new(o, "instances", json_integer(info.instances));
    json_t *auth =
        json_pack("{s:s,s:s}", "state", known ? auth_state_name(info.auth.state) : "unknown", "flow", info.auth.flow);
    char text[32];
    if (info.auth.expires_us)
        json_object_set_new(auth, "expires_at", json_string(time_text(text, info.auth.expires_us)));
    if (info.auth.since_us)
        json_object_set_new(auth, "since", json_string(time_text(text, info.auth.since_us)));
    if (info.auth.retry_us)
        json_object_set_new(auth, "next_try", json_string(time_text(text, info.auth.retry_us)));
    if (info.auth.words[0])
        json_object_set_new(auth, "words", json_string(info.auth.words));
    if (info.auth.hint[0])
        json_object_set_new(auth, "hint", json_string(info.auth.hint));
    json_object_set_new(o, "auth", auth);
    json_t *quotas = json_array();
    for (uint32_t i = 0; i < info.n_quotas; i++)
        json_array_append_new(quotas, json_pack("{s:s,s:I,s:I}", "name", info.quotas[i].name, "limit",
                                                (json_int_t)info.quotas[i].limit, "remaining",
                                                (json_int_t)info.quotas[i].remaining));
    json_object_set_new(o, "quotas", quotas);
    if (info.blocked_until_us)
        json_object_set_new(o, "throttled_until", json_string(time_text(text, info.blocked_until_us)));
    json_t *budget = budget_json(app, id);
    if (budget)
        json_object_set_new(o, "budget", budget);
    json_t *problem = outage_json(app, id);
    if (problem)
        json_object_set_new(o, "problem", problem);
    if (info.error && info.error->status)
        json_object_set_new(o, "error", json_pack("{s:s,s:s}", "text", info.error->text, "hint", info.error->hint));
}

static int run_add(struct verb *v, struct err *e)
{
    (void)e;
    json_t *items = json_object_get(v->out, "items"), *item;
    size_t i;
    if (!items)
        add_running(v->app, v->out);
    json_array_foreach(items, i, item)
    {
        add_running(v->app, item);
    }
    return TL_OK;
}

static int stored_endpoints(struct request *rq, const char *name, json_t **out, struct err *e)
{
    WITH_READER(rq, db, e,
                name ? not_found_words(e, view_endpoint(db, name, out, e), "endpoint", name)
                     : view_endpoints(db, out, e));
}

static int list_endpoints(struct request *rq, json_t **answer, struct err *e)
{
    struct verb v;
    verb_init(&v, rq, NULL, NULL);
    int rc = stored_endpoints(rq, NULL, &v.out, e);
    return rc ? rc : verb_run(&v, run_add, answer, e);
}

static int show_endpoint(struct request *rq, json_t **answer, struct err *e)
{
    struct verb v;
    verb_init(&v, rq, NULL, NULL);
    int rc = stored_endpoints(rq, capture(rq, 0), &v.out, e);
    return rc ? rc : verb_run(&v, run_add, answer, e);
}

static int show_fields(struct request *rq, json_t **answer, struct err *e)
{
    const char *name = capture(rq, 0), *kind = param_text(rq, "kind");
    WITH_READER(rq, db, e, not_found_words(e, view_fields(db, name, kind, answer, e), "endpoint", name));
}

/* ---- check and prepare: answered when the vendor has ---- */

static void on_checked(void *arg, const json_t *result, const struct err *e)
{
    struct verb *v = arg;
    if (!e)
        v->out = json_deep_copy(result);
    struct err told = e ? *e : (struct err){0};
    struct endpoint_info info;
    if (told.status == TL_E_CONFIG && !told.hint[0] &&
        runtime_endpoint_info(v->app->runtime, setup_endpoint_id(v->app, v->object), &info))
        err_hint(&told, "%s", info.auth.hint);
    if (told.status == TL_E_AUTH && !told.hint[0])
        err_hint(&told, "`tieline endpoint auth %s`, or `tieline secret set` with a new token", v->object);
    verb_finish(v, told.status, e ? &told : NULL);
}

static int run_check(struct verb *v, struct err *e)
{
    int rc = setup_endpoint_loaded(v->app, v->object, e);
    setup_endpoint_hurry(v->app, v->object);
    if (!rc)
        rc = admin_endpoint_check(v->app->engine, v->object, on_checked, v, e);
    if (!rc)
        verb_hold(v);
    return not_found_words(e, rc, "endpoint", v->object);
}

static int check_endpoint(struct request *rq, json_t **answer, struct err *e)
{
    struct verb v;
    verb_init(&v, rq, NULL, capture(rq, 0));
    return verb_run(&v, run_check, answer, e);
}

static int run_prepare(struct verb *v, struct err *e)
{
    int rc = setup_endpoint_loaded(v->app, v->object, e);
    if (!rc)
        rc = admin_endpoint_prepare(v->app->engine, v->object, v->flag, on_checked, v, e);
    if (!rc)
        verb_hold(v);
    return not_found_words(e, rc, "endpoint", v->object);
}

static int prepare_endpoint(struct request *rq, json_t **answer, struct err *e)
{
    struct verb v;
    bool dry = request_flag(rq, "dry_run");
    verb_init(&v, rq, dry ? NULL : "endpoint.prepare", capture(rq, 0));
    v.flag = dry;
    return verb_run(&v, run_prepare, answer, e);
}

/* ---- webhooks ---- */

static int list_webhooks(struct request *rq, json_t **answer, struct err *e)
{
    WITH_READER(rq, db, e, view_hooks(db, answer, e));
}

static int webhook_url(struct request *rq, json_t **answer, struct err *e)
{
    AUTO(buf_done) struct buf url = {.max = 4096};
    const char *name = capture(rq, 0);
    int rc = hook_url(rq->app, name, &url, e);
    if (rc)
        return rc;
    *answer =
        json_pack("{s:s,s:s,s:b,s:b}", "endpoint", name, "url", buf_text(&url), "public", buf_text(&url)[0] != '/',
                  "listening", strcmp(config_get(rq->app->boot, "hooks", "listen"), "off") != 0);
    return TL_OK;
}

/* Asks the public address from here, with a word that nobody else knows: another server may answer just as well, and
 * only this daemon hears the word. */
static int test_webhook(struct request *rq, json_t **answer, struct err *e)
{
    AUTO(buf_done) struct buf url = {.max = 4096};
    AUTO(http_allow_free) struct http_allow *allow = http_allow_new(rq->app->boot->development);
    const char *name = capture(rq, 0);
    int rc = hook_url(rq->app, name, &url, e);
    if (rc)
        return rc;
    if (url.n && url.p[0] == '/') {
        rc = err_set(e, E_PRECONDITION, "no public address is configured, so there is nothing to test");
        err_hint(e, "set [hooks] public_url and [hooks] listen");
        return rc;
    }
    rc = http_allow_url(allow, buf_lent(&url), e);
    if (rc)
        return rc;
    struct hook_word word;
    hook_word_await(rq->app, &word);
    buf_fmt(&url, "?tieline_test=%s", word.text);
    AUTO(http_request_done)
    struct http_request get = {.method = "GET", .url = buf_lent(&url), .allow = allow, .timeout_us = 10 * US_PER_S};
    struct http_request *list[] = {&get};
    rc = http_client_run(rq->app->http, list, 1, NULL, e);
    bool ours = hook_word_arrived(rq->app, &word);
    if (rc)
        return rc;
    *answer = json_pack("{s:s,s:b,s:i,s:I}", "endpoint", name, "ok", ours, "status", get.status, "took_ms",
                        (json_int_t)(get.took_us / US_PER_MS));
    if (!ours)
        json_object_set_new(
            *answer, "text",
            get.outcome == TL_OK
                ? json_sprintf(
                      "the address answers with %d, but the request did not arrive here: something else is there",
                      get.status)
                : json_string(get.error));
    return TL_OK;
}

const struct route routes_endpoints[] = {
    {.method = "GET",
     .path = "/api/v1/endpoints",
     .scope = SCOPE_READ,
     .handler = list_endpoints,
     .summary = "endpoints with their state",
     .answer = "{items:[" ENDPOINT_SHAPE "]}"},
    {.method = "GET",
     .path = ENDPOINT,
     .scope = SCOPE_READ,
     .handler = show_endpoint,
     .summary = "one endpoint",
     .answer = ENDPOINT_SHAPE},
    {.method = "POST",
     .path = ENDPOINT "/check",
     .handler = check_endpoint,
     .summary = "ask the vendor: who are we, what may we, what is missing",
     .answer = "{account:object?,findings:[" FINDING_SHAPE "],kinds:[object]?}"},
    {.method = "GET",
     .path = ENDPOINT "/fields",
     .scope = SCOPE_READ,
     .handler = show_fields,
     .summary = "fields as the vendor describes them",
     .params = "kind:string",
     .answer = "{items:[" FIELD_SHAPE "]}"},
    {.method = "POST",
     .path = ENDPOINT "/prepare",
     .flags = ROUTE_WRITE | ROUTE_DRY,
     .handler = prepare_endpoint,
     .summary = "one-time set-up at the vendor, for example the field that holds our stamp",
     .params = "dry_run:boolean",
     .answer = "{findings:[object]}"},
    {.method = "GET",
     .path = ENDPOINT "/webhook",
     .handler = webhook_url,
     .summary = "address the vendor shall post to",
     .answer = "{endpoint:string,url:string,public:boolean,listening:boolean}"},
    {.method = "POST",
     .path = ENDPOINT "/webhook/test",
     .handler = test_webhook,
     .summary = "call the public address and see whether it arrives here",
     .answer = "{endpoint:string,ok:boolean,status:integer,took_ms:integer,text:string?}"},
    {.method = "GET",
     .path = "/api/v1/webhooks",
     .scope = SCOPE_READ,
     .handler = list_webhooks,
     .summary = "webhook subscriptions and what came in",
     .answer = "{items:[" WEBHOOK_SHAPE "]}"},
    {.method = NULL},
};
