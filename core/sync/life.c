/* What goes on by itself in the life of connections: an enabled one is active once it was read whole; the rows of a
 * deleted one go a slice a turn once its grace is over, and so does what nobody needs any more. */
#include <stdlib.h>

#include "attention.h"
#include "engine_int.h"
#include "log.h"
#include "mirror.h"
#include "sign_out.h"
#include "writing.h"

enum { SLICE_ROWS = 200 };

/* ---- Enabled again ----------------------------------------------------------------------------------------------- */

bool life_to_be_read(const struct g_feed *f)
{
    return f && f->kind && (f->kind->desc.can & TL_CAN_PASS) && f->row.gap_us != 0;
}

bool life_holds(const struct g_link *l)
{
    return l->conn->row.state == CONN_INITIAL && l->row.phase == PHASE_LIVE &&
           (life_to_be_read(l->feed[0]) || life_to_be_read(l->feed[1]));
}

static bool is_through(const struct g_conn *c)
{
    bool any = false;
    for (const struct g_link *l = c->links; l; l = l->next_of_conn) {
        if (!l->row.enabled)
            continue;
        if (!l->usable || l->row.phase != PHASE_LIVE || life_to_be_read(l->feed[0]) || life_to_be_read(l->feed[1]))
            return false;
        any = true;
    }
    return any;
}

static bool enabled_turn(struct engine *g)
{
    bool any = false, left = false;
    for (struct g_conn *c = g->conns; c; c = c->next) {
        left |= c->row.state == CONN_INITIAL ||
                (c->row.prev_state == CONN_INITIAL && (c->row.state == CONN_PAUSED || c->row.state == CONN_BLOCKED));
        if (c->row.state != CONN_INITIAL || !is_through(c))
            continue;
        struct err e = {0};
        struct connection row = c->row;
        struct audit trace = {
            .at_us = g_now(g), .who = STR("engine"), .act = STR("connection.active"), .object = c->row.name};
        row.state = CONN_ACTIVE;
        row.state_us = g_now(g);
        int rc = g_begin(g, &e);
        if (rc == TL_OK)
            rc = connection_transition(g->db, &row, &trace, &e);
        if (g_end(g, rc, "ending the sweep of an enabled connection", &e) != TL_OK)
            return false;
        c->row.state = CONN_ACTIVE;
        c->row.state_us = row.state_us;
        model_feeds_build(g, c);
        log_line(LOG_INFO, "connection", "\"%.*s\" is active", STR_FMT(c->row.name));
        g_step(g, 1);
        any = true;
    }
    g->enabling = left;
    return any;
}

/* ---- Rows that go ------------------------------------------------------------------------------------------------ */

/* Writes whose outcome nobody will ever ask for. What was made bears its stamp and is found by it, should the
 * connection be made anew. */
static int intents_abandon(struct engine *g, struct g_link *l, struct err *e)
{
    int rc = TL_OK;
    for (struct g_batch *b = g->batches; b && rc == TL_OK; b = b->next) {
        if (b->link != l->row.link)
            continue;
        int64_t *pairs = arena_array(&b->arena, int64_t, b->n + 1);
        size_t n = 0;
        for (uint32_t i = 0; i < b->n; i++)
            if (!b->entries[i].done)
                pairs[n++] = b->entries[i].pair;
        struct intent row = {.intent = b->intent, .link = b->link, .state = INTENT_UNKNOWN};
        rc = intent_settle(g->db, &row, pairs, n, e);
        g_step(g, (unsigned)n + 1);
    }
    return rc;
}

static void batches_forget(struct engine *g, const struct g_link *l)
{
    struct g_batch *next = NULL;
    for (struct g_batch *b = g->batches; b; b = next) {
        next = b->next;
        if (b->link == l->row.link)
            batch_unlink(g, b);
    }
}

static bool calls_are_out(const struct engine *g, const struct g_link *l)
{
    bool out = l->finding;
    for (const struct g_batch *b = g->batches; b && !out; b = b->next)
        out = b->link == l->row.link && b->calls > 0;
    return out;
}

static bool links_drop(struct engine *g, struct g_conn *c)
{
    struct g_link *next = NULL;
    bool any = false;
    for (struct g_link *l = c->links; l && !g_spent(g); l = next) {
        next = l->next_of_conn;
        if (calls_are_out(g, l))
            continue;
        struct err e = {0};
        int rc = g_begin(g, &e);
        if (rc == TL_OK)
            rc = intents_abandon(g, l, &e);
        if (rc == TL_OK)
            rc = link_drop(g->db, l->row.link, &e);
        if (g_end(g, rc, "dropping a link of a deleted connection", &e) != TL_OK)
            return false;
        batches_forget(g, l);
        model_link_forget(g, l);
        g_step(g, 1);
        any = true;
    }
    return any;
}

static bool conn_gone(struct engine *g, struct g_conn *c)
{
    struct err e = {0};
    struct audit trace = {
        .at_us = g_now(g), .who = STR("engine"), .act = STR("connection.gone"), .object = c->row.name};
    const int64_t endpoint[2] = {c->row.endpoint[0], c->row.endpoint[1]};
    bool out[2] = {false, false};
    int rc = g_begin(g, &e);
    if (rc == TL_OK)
        rc = connection_delete(g->db, c->row.connection, &e);
    for (int s = 0; s < 2 && rc == TL_OK; s++)
        rc = sign_out_unused(g, endpoint[s], c, &out[s], &e);
    if (rc == TL_OK)
        rc = audit_add(g->db, &trace, &e);
    if (g_end(g, rc, "removing a deleted connection", &e) != TL_OK)
        return false;
    for (int s = 0; s < 2; s++)
        if (out[s])
            sign_out_tell(g, endpoint[s]);
    log_line(LOG_INFO, "connection", "\"%.*s\" is gone", STR_FMT(c->row.name));
    struct g_endpoint *const ep[2] = {c->ep[0], c->ep[1]};
    model_conn_forget(g, c);
    for (int s = 0; s < 2; s++)
        if (ep[s] && mirrors_refresh(g, ep[s], &e) != TL_OK)
            log_err(LOG_WARN, "mirror", &e);
    g_step(g, 1);
    return true;
}

/* One slice of rows of what `next` names; *none when there is nothing of the kind. */
static bool slice(struct engine *g, int (*next)(struct db *, int64_t *, struct err *),
                  int (*cut)(struct db *, int64_t, int, bool *, struct err *), bool *none)
{
    struct err e = {0};
    int64_t id = 0;
    bool done = false;
    int rc = next(g->db, &id, &e);
    *none = rc == TL_E_NOT_FOUND;
    if (*none)
        return false;
    if (rc == TL_OK)
        rc = g_begin(g, &e);
    if (rc == TL_OK)
        rc = g_end(g, cut(g->db, id, SLICE_ROWS, &done, &e), "removing rows nobody needs", &e);
    g_step(g, SLICE_ROWS);
    return rc == TL_OK;
}

bool life_turn(struct engine *g)
{
    if (g->stopping || g->storage_down || g_spent(g))
        return false;
    bool any = g->enabling && enabled_turn(g);
    if (!g->collecting && g->collect_wall > g_now(g))
        return any;
    g->collecting = true; /* until nothing is left */
    bool none_dropped = false, none_unused = false, waits = false;
    if (slice(g, link_dropped_next, link_delete_slice, &none_dropped))
        return true;
    g->collect_wall = NEVER;
    struct g_conn *next = NULL;
    for (struct g_conn *c = g->conns; c && none_dropped; c = next) {
        next = c->next;
        if (c->row.state != CONN_DELETING)
            continue;
        if (c->row.delete_us > g_now(g)) {
            g->collect_wall = c->row.delete_us < g->collect_wall ? c->row.delete_us : g->collect_wall;
            continue;
        }
        if (links_drop(g, c))
            return true;
        waits |= c->links || !conn_gone(g, c);
    }
    if (none_dropped && slice(g, feed_unused_next, feed_delete_slice, &none_unused))
        return true;
    g->collecting = waits || !none_dropped || !none_unused;
    return any;
}
