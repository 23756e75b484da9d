/* Connections: made, renamed, paused, resumed, released, deleted. */
#include <stdlib.h>

#include "admin_util.h"
#include "view.h"

struct g_conn *admin_conn(struct engine *g, const char *name, struct err *e)
{
    for (struct g_conn *c = g->conns; c; c = c->next)
        if (str_is(c->row.name, name))
            return c;
    err_set(e, TL_E_NOT_FOUND, "no connection \"%s\"", name);
    err_hint(e, "`tieline connection list` shows them");
    return NULL;
}

struct g_link *admin_link(struct engine *g, const char *connection, const char *kind, struct err *e)
{
    struct g_conn *c = admin_conn(g, connection, e);
    if (!c)
        return NULL;
    for (struct g_link *l = g->links; l; l = l->next)
        if (l->conn == c && (str_is(l->row.name, kind) || str_eq(l->row.name, kind_plain(str_of(kind)))))
            return l;
    err_set(e, TL_E_NOT_FOUND, "connection \"%s\" has no link \"%s\"", connection, kind);
    err_hint(e, "`tieline link list %s` shows them", connection);
    return NULL;
}

int admin_rebuild(struct engine *g, struct g_conn *c, struct err *e)
{
    int rc = TL_OK;
    for (struct g_link *l = g->links; l && rc == TL_OK; l = l->next)
        if (l->conn == c || !l->conn)
            rc = model_link_build(g, l, e);
    return rc == TL_OK ? model_feeds_build(g, e) : rc;
}

int admin_show_connection(struct engine *g, const char *name, json_t **out, struct err *e)
{
    return out ? view_connection(g->db, name, out, e) : TL_OK;
}

int admin_show_link(struct engine *g, struct g_link *l, json_t **out, struct err *e)
{
    if (!out)
        return TL_OK;
    AUTO(text_free) char *conn = str_dup(l->conn->row.name);
    AUTO(text_free) char *kind = str_dup(l->row.name);
    return view_link(g->db, conn, kind, out, e);
}

static int name_check(const char *name, struct err *e)
{
    size_t n = strlen(name);
    bool ok = n > 0 && n <= 64;
    for (size_t i = 0; i < n && ok; i++)
        ok = (name[i] >= 'a' && name[i] <= 'z') || (name[i] >= 'A' && name[i] <= 'Z') ||
             (name[i] >= '0' && name[i] <= '9') || name[i] == '-' || name[i] == '_' || name[i] == '.';
    if (ok)
        return TL_OK;
    err_set(e, E_USAGE, "\"%s\" is no name for a connection", name);
    err_hint(e, "1 to 64 letters, digits, dashes, dots or underscores");
    return E_USAGE;
}

static const char *group_of(int32_t role)
{
    static const char *const groups[] = {"", "desk", "crm", "finance", "telephony"};
    return role > 0 && role < (int32_t)ARRAY_LEN(groups) ? groups[role] : "";
}

int admin_claims_take(struct engine *g, struct g_endpoint *const ep[2], int64_t connection, struct err *e)
{
    int rc = TL_OK;
    for (int s = 0; s < 2 && rc == TL_OK; s++) {
        str group = str_of(group_of(ep[1 - s]->role));
        if (group.n && ep[s]->claims && str_in_list(str_of(ep[s]->claims), group))
            rc = claim_take(g->db, ep[s]->row.endpoint, group, connection, e);
    }
    return rc;
}

int admin_connection_create(struct engine *g, const char *name, const char *a, const char *b, json_t **out,
                            struct err *e)
{
    struct g_endpoint *ep[2] = {model_endpoint_named(g, a), model_endpoint_named(g, b)};
    for (int s = 0; s < 2; s++)
        if (!ep[s]) {
            err_set(e, TL_E_NOT_FOUND, "no endpoint \"%s\"", s ? b : a);
            err_hint(e, "endpoints come from [endpoint NAME] sections; `tieline endpoint list` shows them");
            return TL_E_NOT_FOUND;
        }
    int rc = name_check(name, e);
    if (rc != TL_OK)
        return rc;
    if (ep[0] == ep[1])
        return err_set(e, E_USAGE, "a connection needs two endpoints, not \"%s\" twice", a);
    struct connection row = {.name = str_of(name),
                             .endpoint = {ep[0]->row.endpoint, ep[1]->row.endpoint},
                             .state = CONN_DRAFT,
                             .state_us = g_now(g)};
    rc = g_begin(g, e);
    if (rc == TL_OK)
        rc = connection_create(g->db, &row, e);
    if (rc == TL_OK)
        rc = admin_claims_take(g, ep, row.connection, e);
    if (rc == TL_OK)
        rc = db_commit(g->db, e);
    else
        db_rollback(g->db);
    if (rc == TL_OK)
        rc = model_load(g, e);
    return rc == TL_OK ? admin_show_connection(g, name, out, e) : rc;
}

int admin_connection_rename(struct engine *g, const char *name, const char *new_name, json_t **out, struct err *e)
{
    struct g_conn *c = admin_conn(g, name, e);
    int rc = c ? name_check(new_name, e) : TL_E_NOT_FOUND;
    if (rc != TL_OK)
        return rc;
    struct connection row = c->row;
    row.name = str_of(new_name);
    rc = connection_update(g->db, &row, e);
    if (rc == TL_OK)
        rc = model_load(g, e);
    return rc == TL_OK ? admin_show_connection(g, new_name, out, e) : rc;
}

static int state_set(struct engine *g, struct g_conn *c, int32_t state, struct err *e)
{
    struct connection row = c->row;
    row.state = state;
    row.state_us = g_now(g);
    if (state == CONN_PAUSED) {
        row.prev_state = c->row.state;
        row.paused_us = g_now(g);
    } else {
        row.paused_us = 0;
    }
    if (state != CONN_BLOCKED)
        row.block_code = row.block_text = (str){0};
    int rc = connection_update(g->db, &row, e);
    if (rc != TL_OK)
        return rc;
    c->row.state = row.state;
    c->row.prev_state = row.prev_state;
    c->row.state_us = row.state_us;
    c->row.paused_us = row.paused_us;
    c->row.block_code = row.block_code;
    c->row.block_text = row.block_text;
    return model_feeds_build(g, e);
}

int admin_connection_pause(struct engine *g, const char *name, json_t **out, struct err *e)
{
    struct g_conn *c = admin_conn(g, name, e);
    if (!c)
        return TL_E_NOT_FOUND;
    if (c->row.state != CONN_INITIAL && c->row.state != CONN_ACTIVE) {
        err_set(e, E_PRECONDITION, "connection \"%s\" is %s: only a running one can be paused", name,
                conn_state_name(c->row.state));
        return E_PRECONDITION;
    }
    int rc = state_set(g, c, CONN_PAUSED, e);
    return rc == TL_OK ? admin_show_connection(g, name, out, e) : rc;
}

int admin_connection_resume(struct engine *g, const char *name, json_t **out, struct err *e)
{
    struct g_conn *c = admin_conn(g, name, e);
    if (!c)
        return TL_E_NOT_FOUND;
    if (c->row.state != CONN_PAUSED) {
        err_set(e, E_PRECONDITION, "connection \"%s\" is %s, not paused", name, conn_state_name(c->row.state));
        return E_PRECONDITION;
    }
    int rc = state_set(g, c, c->row.prev_state == CONN_INITIAL ? CONN_INITIAL : CONN_ACTIVE, e);
    for (struct g_feed *f = g->feeds; f; f = f->next)
        if (f->ep == c->ep[0] || f->ep == c->ep[1]) {
            f->poll_due = 0;
            f->hint_due = 0;
        }
    return rc == TL_OK ? admin_show_connection(g, name, out, e) : rc;
}

int admin_read_anew(struct engine *g, struct g_feed *f, struct err *e)
{
    int rc = f->pass.pass ? pass_end(g->db, f->pass.pass, PASS_ABORTED, g_now(g), e) : TL_OK;
    f->pass = (struct pass){0};
    f->pass_done = false;
    f->walk = pass_walk_close(f->walk);
    f->row.pass = 0;
    f->row.shape_hash = 0;
    return rc == TL_OK ? feed_row_store(g, f, e) : rc;
}

int admin_connection_release(struct engine *g, const char *name, json_t **out, struct err *e)
{
    struct g_conn *c = admin_conn(g, name, e);
    if (!c)
        return TL_E_NOT_FOUND;
    bool any = false, restored = c->row.state == CONN_BLOCKED && str_is(c->row.block_code, "RESTORED");
    int rc = g_begin(g, e);
    for (struct g_link *l = g->links; l && rc == TL_OK; l = l->next) {
        if (l->conn != c || (l->row.brake_code.n == 0 && !restored))
            continue;
        any = true;
        l->row.brake_code = l->row.brake_text = (str){0};
        l->orphans = true;
        rc = link_row_store(g, l, e);
        for (int s = 0; s < 2 && rc == TL_OK; s++) {
            struct g_feed *f = l->feed[s];
            if (!f)
                continue;
            f->accept_vanished = !restored;
            f->want_pass = true;
            if (restored)
                rc = admin_read_anew(g, f, e);
        }
    }
    if (rc == TL_OK && restored)
        rc = db_accept_restored(g->db, e);
    rc = g_end(g, rc, "releasing a connection", e);
    if (rc != TL_OK)
        return rc;
    if (restored)
        conn_unblock(g, c, "RESTORED");
    else if (!any)
        return err_set(e, E_PRECONDITION, "nothing of connection \"%s\" waits for a release", name);
    return admin_show_connection(g, name, out, e);
}

static void link_forget(struct engine *g, struct g_link *l)
{
    struct g_link **at = &g->links;
    while (*at && *at != l)
        at = &(*at)->next;
    if (*at)
        *at = l->next;
    arena_done(&l->arena);
    free(l->orphan_after);
    free(l);
}

static int link_drop(struct engine *g, struct g_link *l, struct err *e)
{
    int rc = TL_OK;
    for (bool done = false; !done && rc == TL_OK;)
        rc = link_delete_slice(g->db, l->row.link, 1000, &done, e);
    if (rc == TL_OK)
        link_forget(g, l);
    return rc;
}

/* Nothing may come back for what is deleted. */
static int deletable(const struct engine *g, const struct g_conn *c, const struct g_link *only, const char *what,
                     struct err *e)
{
    for (const struct g_link *l = g->links; l; l = l->next)
        if (l->conn == c && (!only || l == only) && (l->open_intents > 0 || l->finding)) {
            err_set(e, E_BUSY, "writes of connection \"%.*s\" are in flight", STR_FMT(c->row.name));
            err_hint(e, "pause it, then delete %s", what);
            return E_BUSY;
        }
    if (c->row.state != CONN_INITIAL && c->row.state != CONN_ACTIVE)
        return TL_OK;
    err_set(e, E_PRECONDITION, "connection \"%.*s\" is running", STR_FMT(c->row.name));
    err_hint(e, "pause it, then delete %s", what);
    return E_PRECONDITION;
}

int admin_link_delete(struct engine *g, const char *connection, const char *kind, struct err *e)
{
    struct g_link *l = admin_link(g, connection, kind, e);
    if (!l)
        return TL_E_NOT_FOUND;
    struct g_conn *c = l->conn;
    int rc = deletable(g, c, l, "the link, then resume", e);
    if (rc == TL_OK)
        rc = link_drop(g, l, e);
    return rc == TL_OK ? admin_rebuild(g, c, e) : rc;
}

int admin_connection_delete(struct engine *g, const char *name, struct err *e)
{
    struct g_conn *c = admin_conn(g, name, e);
    if (!c)
        return TL_E_NOT_FOUND;
    int rc = deletable(g, c, NULL, "it", e);
    if (rc == TL_OK)
        rc = state_set(g, c, CONN_DELETING, e);
    for (struct g_link *l = g->links, *next = NULL; l && rc == TL_OK; l = next) {
        next = l->next;
        if (l->conn == c)
            rc = link_drop(g, l, e);
    }
    if (rc == TL_OK)
        rc = claim_release(g->db, c->row.connection, e);
    if (rc == TL_OK)
        rc = connection_delete(g->db, c->row.connection, e);
    if (rc != TL_OK)
        return rc;
    struct g_conn **at = &g->conns;
    while (*at != c)
        at = &(*at)->next;
    *at = c->next;
    arena_done(&c->arena);
    free(c);
    return model_feeds_build(g, e);
}
