/* May an action be done: see act_judge.h. */
#include "act_judge.h"

#include "acts.h"
#include "permission.h"
#include "times.h"
#include "view_util.h"

bool act_describe(str description, struct arena *arrays, tl_action *out)
{
    struct reply reply = {.items = {.p = (char *)(uintptr_t)description.p, .n = description.n}};
    struct reply_reader r;
    struct item item;
    reply_reader_init(&r, &reply);
    bool ok = description.n > 0 && reply_next(&r, &item) && item.kind == ITEM_ACTION;
    if (ok)
        *out = item.u.action;
    *arrays = r.scratch;
    return ok;
}

/* ---- Through which connection ------------------------------------------------------------------------------------ */

static int connection_open(struct db *db, struct arena *a, const char *name, struct connection *out, struct err *e)
{
    int rc = connection_find(db, a, str_of(name), out, e);
    if (rc == TL_E_NOT_FOUND)
        return err_set(e, rc, "no connection \"%s\"", name);
    if (rc == TL_OK && (out->state == CONN_DISABLED || out->state == CONN_DELETING)) {
        err_set(e, E_PRECONDITION, "connection \"%s\" is %s: nothing is done through it", name,
                out->state == CONN_DISABLED ? "disabled" : "being deleted");
        err_code(e, out->state == CONN_DISABLED ? "DISABLED" : "DELETING");
        if (out->state == CONN_DISABLED)
            err_hint(e, "tieline connection enable %s", name);
        return E_PRECONDITION;
    }
    return rc;
}

static struct permission_verdict allowed(const struct act_caller *caller, const struct grants *g, str kind,
                                         uint32_t rights)
{
    return caller->everything ? (struct permission_verdict){.allowed = true} : permission_judge_action(g, kind, rights);
}

static int grants_of(struct db *db, struct arena *a, const struct connection *c, const struct act_caller *caller,
                     struct grants *out, struct err *e)
{
    if (caller->everything)
        return TL_OK;
    if (caller->helpdesk != c->endpoint[0] && caller->helpdesk != c->endpoint[1])
        return err_set(e, TL_E_DENIED, "connection \"%.*s\" is none of your help desk's", STR_FMT(c->name));
    return grants_load(db, a, c->connection, caller->profile, out, e);
}

/* ---- Which action ------------------------------------------------------------------------------------------------ */

static int no_such_action(struct db *db, struct arena *a, const struct connection *c, const struct act_wish *w,
                          struct err *e)
{
    const char *known[128];
    size_t n_known = 0;
    for (int s = 0; s < 2; s++) {
        struct action_row *rows = NULL;
        size_t n = 0;
        int rc = action_list(db, a, c->endpoint[s], &rows, &n, e);
        if (rc)
            return rc;
        for (size_t i = 0; i < n && n_known < ARRAY_LEN(known); i++)
            known[n_known++] = arena_fmt(a, "%.*s %.*s", STR_FMT(rows[i].kind), STR_FMT(rows[i].name));
    }
    const char *near = text_nearest(arena_fmt(a, "%s %s", w->kind, w->name), known, n_known);
    err_set(e, TL_E_NOT_FOUND, "\"%s\" has no action \"%s %s\"", w->connection, w->kind, w->name);
    if (near)
        err_hint(e, "did you mean \"%s\"?", near);
    else
        err_hint(e, "`tieline action list %s` shows those there are", w->connection);
    return TL_E_NOT_FOUND;
}

/* At whichever end has it; where both have, the wish must say which. */
static int find_action(struct db *db, struct arena *a, const struct connection *c, const struct act_wish *w,
                       struct action_row *row, struct endpoint *ep, struct err *e)
{
    bool found = false;
    for (int s = 0; s < 2; s++) {
        struct endpoint end = {0};
        struct action_row one = {0};
        int rc = endpoint_get(db, a, c->endpoint[s], &end, e);
        if (rc == TL_OK && w->endpoint && !str_is(end.name, w->endpoint))
            continue;
        if (rc == TL_OK)
            rc = action_get(db, a, c->endpoint[s], str_of(w->kind), str_of(w->name), &one, e);
        if (rc == TL_E_NOT_FOUND)
            continue;
        if (rc != TL_OK)
            return rc;
        if (found) {
            err_set(e, TL_E_INVALID, "both \"%.*s\" and \"%.*s\" have an action \"%s %s\"", STR_FMT(ep->name),
                    STR_FMT(end.name), w->kind, w->name);
            err_hint(e, "say at which of them: \"endpoint\", or --endpoint on the command line");
            return TL_E_INVALID;
        }
        found = true;
        *row = one;
        *ep = end;
    }
    return found ? TL_OK : no_such_action(db, a, c, w, e);
}

static int check_record(const struct act_wish *w, const tl_action *action, struct err *e)
{
    bool creates = action->flags & TL_ACTION_CREATES;
    if (creates && w->record)
        return err_set(e, TL_E_INVALID, "\"%s %s\" makes a record: it is given no id", w->kind, w->name);
    if (!creates && (!w->record || !*w->record))
        return err_set(e, TL_E_INVALID, "\"%s %s\" needs the id of the %s", w->kind, w->name, w->kind);
    if (w->record && strlen(w->record) > 255)
        return err_set(e, TL_E_INVALID, "an id has at most 255 bytes");
    if ((w->beside_kind != NULL) != (w->beside_id != NULL) || (w->beside_id && strlen(w->beside_id) > 255))
        return err_set(e, TL_E_INVALID, "what it is done beside has a kind and an id, of at most 255 bytes");
    return TL_OK;
}

/* The record it is done beside is of a kind that the other end has. */
static int check_beside(struct db *db, struct arena *a, const struct act_wish *w, const struct act_judged *j,
                        struct err *e)
{
    struct kind_row row = {0};
    int64_t other = j->connection.endpoint[j->connection.endpoint[0] == j->endpoint.endpoint];
    if (!w->beside_kind)
        return TL_OK;
    int rc = kind_get(db, a, other, str_of(w->beside_kind), &row, e);
    return rc == TL_E_NOT_FOUND
               ? err_set(e, TL_E_INVALID, "the other end of \"%s\" has no \"%s\"", w->connection, w->beside_kind)
               : rc;
}

/* A kind that can no longer be read: it has no stamp field that is known. */
static void look_up_kind(struct db *db, struct arena *a, struct act_judged *j)
{
    AUTO(arena_done) struct arena arrays = {0};
    tl_kind kind = {0};
    if (!view_describe(db, a, &arrays, j->endpoint.endpoint, j->action.kind, &kind))
        return;
    j->stamp_field = arena_str(a, kind.stamp_field);
    j->settle_us = kind.settle_ms * US_PER_MS;
}

int act_judge(struct db *db, struct arena *a, struct arena *arrays, const struct act_wish *w, struct act_judged *out,
              struct err *e)
{
    struct act_judged j = {0};
    struct action_row row = {0};
    struct grants grants = {0};
    json_t *nothing = json_object();
    int rc = connection_open(db, a, w->connection, &j.connection, e);
    if (rc == TL_OK)
        rc = find_action(db, a, &j.connection, w, &row, &j.endpoint, e);
    if (rc == TL_OK && !act_describe(row.description, arrays, &j.action))
        rc = err_set(e, TL_E_BUG, "what is kept of the action \"%s %s\" cannot be read", w->kind, w->name);
    if (rc == TL_OK)
        rc = grants_of(db, a, &j.connection, &w->caller, &grants, e);
    if (rc == TL_OK) {
        struct permission_verdict v = allowed(&w->caller, &grants, j.action.kind, j.action.rights);
        AUTO(buf_done) struct buf words = {0};
        verdict_words(&v, &words);
        rc = v.allowed ? TL_OK : err_set(e, TL_E_DENIED, "\"%s %s\" is %s", w->kind, w->name, buf_text(&words));
    }
    if (rc == TL_OK)
        rc = check_record(w, &j.action, e);
    if (rc == TL_OK)
        rc = check_beside(db, a, w, &j, e);
    if (rc == TL_OK)
        rc = act_params_read(&j.action, w->params ? w->params : nothing, a, &j.values, e);
    if (rc == TL_OK) {
        look_up_kind(db, a, &j);
        *out = j;
    }
    json_decref(nothing);
    return rc;
}

/* ---- All of them ------------------------------------------------------------------------------------------------- */

static int add_actions(struct db *r, struct arena *a, int64_t endpoint, const struct act_caller *caller,
                       const struct grants *grants, json_t *items, struct err *e)
{
    struct endpoint ep = {0};
    struct action_row *rows = NULL;
    size_t n = 0;
    int rc = endpoint_get(r, a, endpoint, &ep, e);
    if (rc == TL_OK)
        rc = action_list(r, a, endpoint, &rows, &n, e);
    for (size_t i = 0; i < n && rc == TL_OK; i++) {
        AUTO(arena_done) struct arena arrays = {0};
        tl_action action = {0};
        if (!act_describe(rows[i].description, &arrays, &action) ||
            !allowed(caller, grants, action.kind, action.rights).allowed)
            continue;
        json_t *o = act_action_json(&action);
        json_object_set_new(o, "endpoint", view_str(ep.name));
        json_array_append_new(items, o);
    }
    return rc;
}

int act_actions(struct db *r, const char *connection, const struct act_caller *caller, json_t **out, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct connection c = {0};
    struct grants grants = {0};
    json_t *items = json_array();
    int rc = connection_open(r, &a, connection, &c, e);
    if (rc == TL_OK)
        rc = grants_of(r, &a, &c, caller, &grants, e);
    for (int s = 0; s < 2 && rc == TL_OK; s++)
        rc = add_actions(r, &a, c.endpoint[s], caller, &grants, items, e);
    if (rc == TL_OK)
        *out = json_pack("{s:O}", "items", items);
    json_decref(items);
    return rc;
}
