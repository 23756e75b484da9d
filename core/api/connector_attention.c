/* Connectors that crashed too often and stay down are for people to look at: a repair says which call, of which
 * records, and where in the connector's file it was. */
#include <stdio.h>

#include "app.h"
#include "attention.h"
#include "log.h"

#define CODE STR("CONNECTOR_CRASHED")

static int raise_repair(struct app *app, str object, const struct err *why, struct err *e)
{
    AUTO(buf_done) struct buf hint = {.max = 4096};
    buf_text_add(&hint, why->hint);
    if (why->detail[0])
        buf_fmt(&hint, "; what it said at the end: %s", why->detail);
    struct repair r = {
        .object = object, .code = CODE, .level = TL_ERROR, .text = str_of(why->text), .hint = buf_lent(&hint)};
    return repair_raise(app->db, &r, e);
}

void connector_attention(struct app *app, const char *connector)
{
    struct connector_info info;
    struct err e = {0};
    if (!runtime_connector_info(app->runtime, connector, &info))
        return;
    AUTO(buf_done) struct buf object = {.max = 256};
    buf_fmt(&object, "connector %s", connector);
    int rc = TL_OK;
    if (info.down)
        rc = raise_repair(app, buf_lent(&object), info.error, &e);
    else if (info.state == RUN_RUNNING || info.state == RUN_NOT_LOADED)
        rc = repair_clear(app->db, buf_lent(&object), CODE, (str){0}, env_now_us(app->env), &e);
    if (rc)
        log_err(LOG_ERROR, buf_text(&object), &e);
}
