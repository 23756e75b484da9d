/* The verbs of a connection's life: pause, resume, disable, enable, delete, undelete. Each is one transaction with its
 * audit row; one that the state does not allow changes nothing. */
#include <stdio.h>

#include "admin_util.h"
#include "attention.h"
#include "lifecycle.h"
#include "reading.h"
#include "times.h"

void engine_act_as(struct engine *g, const char *who)
{
    snprintf(g->actor, sizeof g->actor, "%s", who ? who : "");
}

static int act(struct engine *g, struct g_conn *c, enum life_verb v, struct connection *row, const char *detail,
               struct err *e)
{
    char what[32];
    snprintf(what, sizeof what, "connection.%s", life_verb_name(v));
    struct audit trace = {.at_us = g_now(g),
                          .who = g->actor[0] ? str_of(g->actor) : STR("engine"),
                          .act = str_of(what),
                          .object = c->row.name,
                          .detail = str_of(detail)};
    row->state_us = g_now(g);
    return connection_transition(g->db, row, &trace, e);
}

static struct connection next_row(struct engine *g, const struct g_conn *c, enum life_verb v)
{
    struct connection row = c->row;
    bool ran = c->row.state == CONN_INITIAL || c->row.state == CONN_ACTIVE;
    row.state = life_next(v, &c->row);
    if (ran || (v == LIFE_DELETE && (c->row.state == CONN_DRAFT || c->row.state == CONN_READY)))
        row.prev_state = c->row.state;
    row.paused_us = v == LIFE_PAUSE ? g_now(g) : 0;
    row.delete_us = 0;
    row.block_code = row.block_text = (str){0};
    return row;
}

static void row_taken(struct g_conn *c, const struct connection *row)
{
    str name = c->row.name;
    c->row = *row;
    c->row.name = name;
    c->row.block_code = c->row.block_text = (str){0};
}

/* What was asked of its endpoints while it rested is due. */
static void feeds_due(const struct g_conn *c)
{
    for (int s = 0; s < 2; s++)
        for (struct g_feed *f = c->ep[s] ? c->ep[s]->feeds : NULL; f; f = f->next_of_endpoint) {
            f->poll_due = 0;
            f->hint_due = 0;
            schedule_feed(f);
        }
}

static void subscriptions_due(const struct g_conn *c)
{
    for (int s = 0; s < 2; s++)
        if (c->ep[s]) {
            c->ep[s]->subscribe_due = 0;
            ready_wake(&c->ep[s]->ready);
        }
}

static int plain_verb(struct engine *g, const char *name, enum life_verb v, json_t **out, struct err *e)
{
    struct g_conn *c = admin_conn(g, name, e);
    int rc = c ? life_check(v, &c->row, e) : TL_E_NOT_FOUND;
    if (rc != TL_OK)
        return rc;
    struct connection row = next_row(g, c, v);
    rc = act(g, c, v, &row, "", e);
    if (rc != TL_OK)
        return rc;
    row_taken(c, &row);
    subscriptions_due(c);
    model_feeds_build(g, c);
    return admin_show_connection(g, name, out, e);
}

int admin_connection_pause(struct engine *g, const char *name, json_t **out, struct err *e)
{
    return plain_verb(g, name, LIFE_PAUSE, out, e);
}

int admin_connection_resume(struct engine *g, const char *name, json_t **out, struct err *e)
{
    int rc = plain_verb(g, name, LIFE_RESUME, out, e);
    if (rc != TL_OK)
        return rc;
    asked_forget_all(g); /* whatever was read before the pause: people went on editing */
    feeds_due(admin_conn(g, name, e));
    return TL_OK;
}

/* Its place in an exclusive group is free for another connection meanwhile. */
static int at_rest(struct engine *g, struct g_conn *c, enum life_verb v, struct connection *row, const char *detail,
                   struct err *e)
{
    int rc = g_begin(g, e);
    if (rc == TL_OK)
        rc = claim_release(g->db, c->row.connection, e);
    if (rc == TL_OK)
        rc = act(g, c, v, row, detail, e);
    if (rc == TL_OK)
        rc = db_commit(g->db, e);
    else
        db_rollback(g->db);
    if (rc != TL_OK)
        return rc;
    row_taken(c, row);
    subscriptions_due(c);
    if (g->hooks_changed)
        g->hooks_changed(g->wake_ctx);
    model_feeds_build(g, c);
    return TL_OK;
}

int admin_connection_disable(struct engine *g, const char *name, json_t **out, struct err *e)
{
    struct g_conn *c = admin_conn(g, name, e);
    int rc = c ? life_check(LIFE_DISABLE, &c->row, e) : TL_E_NOT_FOUND;
    if (rc != TL_OK)
        return rc;
    struct connection row = next_row(g, c, LIFE_DISABLE);
    rc = at_rest(g, c, LIFE_DISABLE, &row, "", e);
    return rc == TL_OK ? admin_show_connection(g, name, out, e) : rc;
}

int admin_read_whole(struct engine *g, struct g_feed *f, struct err *e)
{
    int rc = TL_OK;
    if (f->pass.pass) /* one that began before proves nothing of what happened since */
        rc = pass_end(g->db, f->pass.pass, PASS_ABORTED, g_now(g), e);
    f->pass = (struct pass){0};
    f->pass_done = f->vanished_known = false;
    f->walk = pass_walk_close(f->walk);
    f->row.pass = 0;
    f->row.gap_us = g_now(g);
    return rc == TL_OK ? feed_row_store(g, f, e) : rc;
}

/* Everything its links know may be old: both sides are read whole before anything is written. */
static int sweeps_wanted(struct engine *g, const struct g_conn *c, struct err *e)
{
    int rc = TL_OK;
    for (struct g_link *l = c->links; l; l = l->next_of_conn)
        for (int s = 0; s < 2 && rc == TL_OK; s++)
            if (l->feed[s] && l->feed[s]->row.full_pass_us)
                rc = admin_read_whole(g, l->feed[s], e);
    return rc;
}

/* Who we are is asked again before anything else: another org blocks, and so does a sign-in that is not good any more.
 */
static void endpoints_again(struct engine *g, struct g_conn *c)
{
    for (int s = 0; s < 2; s++) {
        struct g_endpoint *ep = c->ep[s];
        if (ep->prep == PREP_READY || ep->prep == PREP_NEEDED) {
            ep->prep = PREP_NEEDED;
            ep->prep_due = 0;
            ready_wake(&ep->ready);
        }
    }
    for (int s = 0; s < 2; s++)
        if (c->ep[s]->row.block_code.n) {
            AUTO(text_free) char *code = str_dup(c->ep[s]->row.block_code);
            AUTO(text_free) char *text = str_dup(c->ep[s]->row.block_text);
            conn_block(g, c, code, text);
            return;
        }
}

int admin_connection_enable(struct engine *g, const char *name, json_t **out, struct err *e)
{
    struct g_conn *c = admin_conn(g, name, e);
    int rc = c ? life_check(LIFE_ENABLE, &c->row, e) : TL_E_NOT_FOUND;
    if (rc != TL_OK)
        return rc;
    struct connection row = next_row(g, c, LIFE_ENABLE);
    rc = g_begin(g, e);
    if (rc == TL_OK)
        rc = admin_claims_take(g, c->ep, c->row.connection, e);
    if (rc == TL_OK)
        rc = sweeps_wanted(g, c, e);
    if (rc == TL_OK)
        rc = act(g, c, LIFE_ENABLE, &row, "", e);
    if (rc == TL_OK)
        rc = db_commit(g->db, e);
    else
        db_rollback(g->db);
    if (rc != TL_OK) {
        struct err again = {0};
        (void)model_refresh(g, &again);
        return rc;
    }
    row_taken(c, &row);
    endpoints_again(g, c);
    feeds_due(c);
    subscriptions_due(c);
    g->enabling = true;
    if (g->hooks_changed)
        g->hooks_changed(g->wake_ctx);
    model_feeds_build(g, c);
    return admin_show_connection(g, name, out, e);
}

int admin_connection_delete(struct engine *g, const char *name, bool now, json_t **out, struct err *e)
{
    struct g_conn *c = admin_conn(g, name, e);
    if (!c)
        return TL_E_NOT_FOUND;
    bool sooner = now && c->row.state == CONN_DELETING;
    int rc = sooner ? TL_OK : life_check(LIFE_DELETE, &c->row, e);
    if (rc != TL_OK)
        return rc;
    struct connection row = next_row(g, c, LIFE_DELETE);
    int64_t grace = g->retention.delete_grace_us;
    row.delete_us = g_now(g) + (now ? 0 : grace);
    char until[32], detail[64];
    snprintf(detail, sizeof detail, "{\"rows_go\":\"%s\"}", time_text(until, row.delete_us));
    rc = at_rest(g, c, LIFE_DELETE, &row, detail, e);
    g->collecting = true;
    return rc == TL_OK ? admin_show_connection(g, name, out, e) : rc;
}

int admin_connection_undelete(struct engine *g, const char *name, json_t **out, struct err *e)
{
    struct g_conn *c = admin_conn(g, name, e);
    int rc = c ? life_check(LIFE_UNDELETE, &c->row, e) : TL_E_NOT_FOUND;
    if (rc == TL_OK && c->row.delete_us <= g_now(g)) {
        rc = err_set(e, E_PRECONDITION, "the rows of connection \"%s\" are going already", name);
        err_code(e, "STATE");
        err_hint(e, "make it anew: what it had made at the vendors is found again by its stamps");
    }
    if (rc != TL_OK)
        return rc;
    struct connection row = next_row(g, c, LIFE_UNDELETE);
    rc = act(g, c, LIFE_UNDELETE, &row, "", e);
    if (rc != TL_OK)
        return rc;
    row_taken(c, &row);
    model_feeds_build(g, c);
    return admin_show_connection(g, name, out, e);
}
