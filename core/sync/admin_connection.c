/* Connections: made, renamed, released; links deleted. The verbs of their life are in admin_life.c. */
#include "admin_util.h"
#include "brake.h"
#include "claims.h"
#include "lifecycle.h"
#include "mirror.h"
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
    for (struct g_link *l = c->links; l; l = l->next_of_conn)
        if (str_is(l->row.name, kind) || str_eq(l->row.name, kind_plain(str_of(kind))))
            return l;
    err_set(e, TL_E_NOT_FOUND, "connection \"%s\" has no link \"%s\"", connection, kind);
    err_hint(e, "`tieline link list %s` shows them", connection);
    return NULL;
}

int admin_rebuild(struct engine *g, struct g_conn *c, struct err *e)
{
    int rc = TL_OK;
    for (struct g_link *l = c->links; l && rc == TL_OK; l = l->next_of_conn)
        rc = model_link_build(g, l, e);
    if (rc == TL_OK)
        model_feeds_build(g, c);
    return rc;
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

int admin_claims_take(struct engine *g, struct g_endpoint *const ep[2], int64_t connection, struct err *e)
{
    int rc = TL_OK;
    for (int s = 0; s < 2 && rc == TL_OK; s++)
        for (str rest = str_of(ep[s]->claims), group; rc == TL_OK && claims_next(&rest, ep[1 - s]->row.role, &group);)
            rc = claim_take(g->db, ep[s]->row.endpoint, group, connection, e);
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
        rc = model_load_connection(g, row.connection, e);
    for (int s = 0; s < 2 && rc == TL_OK; s++)
        rc = mirrors_refresh(g, ep[s], e);
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
        rc = model_load_connection(g, row.connection, e);
    return rc == TL_OK ? admin_show_connection(g, new_name, out, e) : rc;
}

int admin_read_anew(struct engine *g, struct g_feed *f, struct err *e)
{
    int rc = f->pass.pass ? pass_end(g->db, f->pass.pass, PASS_ABORTED, g_now(g), e) : TL_OK;
    f->pass = (struct pass){0};
    f->pass_done = f->vanished_known = false;
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
    int rc = life_check(LIFE_RELEASE, &c->row, e);
    if (rc != TL_OK)
        return rc;
    bool any = false, restored = c->row.state == CONN_BLOCKED && str_is(c->row.block_code, "RESTORED");
    rc = g_begin(g, e);
    for (struct g_link *l = c->links; l && rc == TL_OK; l = l->next_of_conn) {
        if (l->row.brake_code.n == 0 && !restored)
            continue;
        any = true;
        bool over = str_is(l->row.brake_code, BRAKE_CHANGES) && !restored;
        rc = link_unbrake(g, l, e);
        if (over) { /* what waits was looked at: nothing needs to be read again */
            rc = rc == TL_OK ? limit_lift(g, l, e) : rc;
            continue;
        }
        l->orphans = true;
        for (int s = 0; s < 2 && rc == TL_OK; s++) {
            struct g_feed *f = l->feed[s];
            if (!f)
                continue;
            f->want_pass = true;
            f->row.accepted_us = restored ? 0 : g_now(g);
            rc = restored ? admin_read_anew(g, f, e) : feed_row_store(g, f, e);
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
    model_feeds_build(g, c); /* its feeds are read again */
    return admin_show_connection(g, name, out, e);
}

/* Nothing may come back for what is deleted. */
static int deletable(const struct g_link *l, struct err *e)
{
    const struct g_conn *c = l->conn;
    if (l->open_intents > 0 || l->finding) {
        err_set(e, E_BUSY, "writes of connection \"%.*s\" are in flight", STR_FMT(c->row.name));
        err_hint(e, "pause it, then delete the link, then resume");
        return E_BUSY;
    }
    if (c->row.state != CONN_INITIAL && c->row.state != CONN_ACTIVE)
        return TL_OK;
    err_set(e, E_PRECONDITION, "connection \"%.*s\" is running", STR_FMT(c->row.name));
    err_hint(e, "pause it, then delete the link, then resume");
    return E_PRECONDITION;
}

int admin_link_delete(struct engine *g, const char *connection, const char *kind, struct err *e)
{
    struct g_link *l = admin_link(g, connection, kind, e);
    if (!l)
        return TL_E_NOT_FOUND;
    struct g_conn *c = l->conn;
    int rc = deletable(l, e);
    if (rc == TL_OK)
        rc = g_begin(g, e);
    if (rc != TL_OK)
        return rc;
    rc = link_drop(g->db, l->row.link, e);
    if (rc == TL_OK)
        rc = link_forget_repairs(g, l, e);
    rc = g_end(g, rc, "deleting a link", e);
    if (rc != TL_OK)
        return rc;
    model_link_forget(g, l);
    g->collecting = true;
    return admin_rebuild(g, c, e);
}
