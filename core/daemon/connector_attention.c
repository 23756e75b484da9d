/* Repairs of connectors that stay down or hang: one says which call, of which records, and where in the connector's
 * file it was. That of a crash is also what is known of it after the next start. */
#include "connector_attention.h"

#include <stdio.h>

#include "app.h"
#include "attention.h"
#include "log.h"
#include "setup.h"

#define CRASHED STR("CONNECTOR_CRASHED")
#define HANGS   STR("CONNECTOR_HANGS")
#define REFUSED STR("CONNECTOR_REFUSED")

static int raise_repair(struct app *app, str object, str code, const struct err *why, struct err *e)
{
    AUTO(buf_done) struct buf hint = {.max = 4096};
    buf_text_add(&hint, why->hint);
    if (why->detail[0])
        buf_fmt(&hint, "; what it said at the end: %s", why->detail);
    struct repair r = {
        .object = object, .code = code, .level = TL_ERROR, .text = str_of(why->text), .hint = buf_lent(&hint)};
    return repair_raise(app->db, &r, e);
}

static int settle(struct app *app, str object, str code, struct err *e)
{
    return repair_clear(app->db, object, code, (str){0}, env_now_us(app->env), e);
}

/* What is told of a connector; in a state between two nothing is changed. */
static int tell_connector(struct app *app, const struct connector_info *info, str object, struct err *e)
{
    if (info->state == RUN_CRASHED)
        return raise_repair(app, object, CRASHED, info->error, e);
    if (info->state == RUN_FAILED_UNLOAD)
        return raise_repair(app, object, HANGS, info->error, e);
    if (info->state != RUN_RUNNING && info->state != RUN_NOT_LOADED && info->state != RUN_DISABLED)
        return TL_OK;
    int rc = settle(app, object, HANGS, e);
    return rc ? rc : settle(app, object, CRASHED, e);
}

/* Only one with a worker of its own can be down where its connector runs. */
static int tell_endpoint(struct app *app, int64_t endpoint, struct err *e)
{
    struct endpoint_info info;
    if (!runtime_endpoint_info(app->runtime, endpoint, &info))
        return TL_OK;
    AUTO(buf_done) struct buf object = {.max = 256};
    buf_fmt(&object, "endpoint %s", info.name);
    if (info.down)
        return raise_repair(app, buf_lent(&object), CRASHED, info.error, e);
    return info.state == RUN_RUNNING ? settle(app, buf_lent(&object), CRASHED, e) : TL_OK;
}

void connector_attention(struct app *app, const char *connector, int64_t endpoint)
{
    struct connector_info info;
    struct err e = {0};
    if (runtime_stopping(app->runtime) || !runtime_connector_info(app->runtime, connector, &info))
        return;
    AUTO(buf_done) struct buf object = {.max = 256};
    buf_fmt(&object, "connector %s", connector);
    if (endpoint ? tell_endpoint(app, endpoint, &e) : tell_connector(app, &info, buf_lent(&object), &e))
        log_err(LOG_ERROR, buf_text(&object), &e);
}

/* ---- a file that was refused ---- */

int connector_refusal(struct app *app, struct arena *a, const char *connector, struct repair *out, struct err *e)
{
    struct repair *rows;
    size_t n;
    int rc = repair_list(app->db, a, false, 10000, &rows, &n, e);
    str object = arena_str(a, str_of(arena_fmt(a, "connector %s", connector)));
    for (size_t i = 0; i < n && rc == TL_OK; i++) {
        if (!str_eq(rows[i].code, REFUSED) || !str_eq(rows[i].object, object))
            continue;
        *out = rows[i];
        return TL_OK;
    }
    return rc ? rc : TL_E_NOT_FOUND;
}

void connector_taken(struct app *app, const char *connector, const char *sha256)
{
    AUTO(arena_done) struct arena a = {0};
    struct repair r;
    struct err e = {0};
    int rc = connector_refusal(app, &a, connector, &r, &e);
    if (rc == TL_OK && sha256 && str_is(r.key, sha256))
        return; /* it is the one that was refused, taken by a start */
    if (rc == TL_OK)
        rc = repair_clear(app->db, r.object, REFUSED, r.key, env_now_us(app->env), &e);
    if (rc && rc != TL_E_NOT_FOUND)
        log_err(LOG_ERROR, connector, &e);
}

void connector_refused(struct app *app, const char *connector, const char *sha256, const struct err *why)
{
    AUTO(buf_done) struct buf object = {.max = 256}, text = {.max = 2048}, hint = {.max = 4096};
    struct err e = {0};
    connector_taken(app, connector, NULL);
    buf_fmt(&object, "connector %s", connector);
    buf_fmt(&text, "the file that lies there was refused by a reload: %s", why->text);
    buf_fmt(&hint,
            "until tielined starts again the former one runs, then %s: put the right one in its place, then: tieline "
            "connector reload %s",
            sha256[0] ? "this one" : "none", connector);
    struct repair r = {.object = buf_lent(&object),
                       .code = REFUSED,
                       .key = str_of(sha256),
                       .level = TL_ERROR,
                       .text = buf_lent(&text),
                       .hint = buf_lent(&hint)};
    if (repair_raise(app->db, &r, &e))
        log_err(LOG_ERROR, connector, &e);
}

/* ---- at the start ---- */

/* False: there is no such thing any more, or it does not run alone any more. */
static bool hold(struct app *app, struct arena *a, const struct repair *r)
{
    struct connector_info connector;
    struct endpoint_info endpoint;
    const char *name = arena_str(a, r->object).p;
    struct err why = {0};
    err_set(&why, TL_E_BUG, "%.*s", STR_FMT(r->text));
    err_code(&why, "CONNECTOR_CRASHED");
    err_hint(&why, "%.*s", STR_FMT(r->hint));
    if (str_starts(r->object, STR("connector "))) {
        name += strlen("connector ");
        runtime_connector_hold(app->runtime, name, &why);
        return runtime_connector_info(app->runtime, name, &connector) && connector.state == RUN_CRASHED;
    }
    name += str_starts(r->object, STR("endpoint ")) ? strlen("endpoint ") : 0;
    int64_t id = setup_endpoint_id(app, name);
    if (!id || !runtime_endpoint_info(app->runtime, id, &endpoint) ||
        !runtime_connector_info(app->runtime, endpoint.connector, &connector) ||
        connector.isolation != ISOLATION_ENDPOINT)
        return false;
    runtime_endpoint_hold(app->runtime, id, &why);
    return true;
}

void connector_hold_crashed(struct app *app)
{
    AUTO(arena_done) struct arena a = {0};
    struct repair *rows;
    size_t n;
    struct err e = {0};
    int rc = repair_list(app->db, &a, false, 10000, &rows, &n, &e);
    for (size_t i = 0; i < n && rc == TL_OK; i++) {
        if (!str_eq(rows[i].code, CRASHED))
            continue;
        if (hold(app, &a, &rows[i]))
            log_line(LOG_WARN, NULL, "%.*s stays down: it crashed too often before this start",
                     STR_FMT(rows[i].object));
        else
            rc = settle(app, rows[i].object, CRASHED, &e);
    }
    if (rc)
        log_err(LOG_ERROR, NULL, &e);
}
