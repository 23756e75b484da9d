/* Changes asked for by requests: see verb.h. */
#include "verb.h"

#include <stdlib.h>

#include "attention.h"
#include "log.h"

struct running {
    struct verb *verb;
    verb_fn fn;
};

static struct audit trace_of(struct verb *v)
{
    str body = {0};
    if (v->rq->body && !v->secret) {
        char *text = json_dumps(v->rq->body, JSON_COMPACT);
        body = arena_str(&v->rq->arena, str_of(text));
        free(text);
    }
    return (struct audit){.at_us = env_now_us(v->app->env),
                          .who = str_of(v->rq->caller.name),
                          .act = str_of(v->act),
                          .object = str_of(v->object),
                          .detail = body};
}

/* What changed nothing in the store (a connector was loaded) has its row here, all else in the change's transaction. */
static void leave_trace(struct verb *v)
{
    if (!v->act)
        return;
    AUTO(buf_done) struct buf ctx = {.max = 4096};
    log_member(&ctx, "act", v->act);
    log_member(&ctx, "object", v->object);
    log_member(&ctx, "who", v->rq->caller.name);
    log_line(LOG_INFO, buf_text(&ctx), "request done");
    struct audit row = trace_of(v);
    struct err e = {0};
    if (!v->audited && audit_add(v->app->db, &row, &e))
        log_err(LOG_ERROR, v->act, &e);
}

static int on_control(void *arg, struct pending *p, struct err *e)
{
    const struct running *r = arg;
    struct verb *v = r->verb;
    struct audit row = trace_of(v);
    v->pending = p;
    engine_act_as(v->app->engine, v->rq->caller.name);
    if (v->act && !v->audited)
        audit_owe(v->app->db, &row);
    int rc = r->fn(v, e);
    if (v->act && !v->audited)
        v->audited = audit_settle(v->app->db);
    engine_act_as(v->app->engine, NULL);
    if (!rc && !v->held)
        leave_trace(v);
    return rc;
}

void verb_init(struct verb *v, struct request *rq, const char *act, const char *object)
{
    *v = (struct verb){.rq = rq, .app = rq->app, .act = act, .object = object ? object : ""};
}

int verb_run(struct verb *v, verb_fn fn, json_t **answer, struct err *e)
{
    struct running r = {v, fn};
    int rc = control_do(v->app->control, on_control, &r, e);
    if (rc)
        json_decref(v->out);
    else
        *answer = v->out ? v->out : json_object();
    return rc;
}

void verb_hold(struct verb *v)
{
    v->held = true;
    control_hold(v->pending);
}

void verb_finish(struct verb *v, int rc, const struct err *e)
{
    if (!rc)
        leave_trace(v);
    struct err stopping = {0};
    if (rc == TL_E_CANCELLED && control_stopping(v->app->control)) {
        err_set(&stopping, rc, "tielined is stopping");
        e = &stopping;
    }
    control_finish(v->pending, rc, e);
}

static const char *setting_text(struct request *rq, const json_t *v)
{
    if (json_is_string(v))
        return json_string_value(v);
    if (json_is_boolean(v))
        return json_is_true(v) ? "yes" : "no";
    if (json_is_integer(v))
        return arena_fmt(&rq->arena, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
    return NULL;
}

int verb_settings(struct verb *v, const json_t *members, struct err *e)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)members, key, value)
    {
        const char *text = setting_text(v->rq, value);
        if (!text)
            return err_set(e, TL_E_INVALID, "\"%s\" must be a text, a number or a boolean", key);
        if (v->n_set == VERB_MAX_SETTINGS)
            return err_set(e, TL_E_INVALID, "more than %d settings", VERB_MAX_SETTINGS);
        v->set[v->n_set++] = (struct admin_setting){arena_str(&v->rq->arena, str_of(key)).p, text};
    }
    return TL_OK;
}

const char *capture(struct request *rq, int i)
{
    return arena_str(&rq->arena, rq->captures[i]).p;
}

const char *param_text(struct request *rq, const char *name)
{
    str v = request_param(rq, name);
    return v.n ? arena_str(&rq->arena, v).p : NULL;
}

int not_found_words(struct err *e, int rc, const char *what, const char *name)
{
    if (rc == TL_E_NOT_FOUND && e && !e->text[0])
        return err_set(e, rc, "no %s \"%s\"", what, name);
    return rc;
}
