/* Endpoints are checked (who are we?) and described (which kinds and fields?) before anything else is asked of them;
 * and what an answer says about the whole endpoint is kept here: signed out, throttled, down, another org. */
#include <stdlib.h>

#include "acts.h"
#include "attention.h"
#include "brake.h"
#include "engine_int.h"
#include "log.h"
#include "mirror.h"
#include "pairing.h"
#include "sign_out.h"

#define ORG_AGAIN_US  (300 * US_PER_S)
#define AUTH_AGAIN_US (20 * US_PER_S) /* looks whether it is still refused; the sign-in itself keeps its own pauses */
#define CALM_US       (1800 * US_PER_S)

static int conn_store(struct engine *g, struct g_conn *c, const char *act, str code)
{
    struct err e = {0};
    struct audit trace = {
        .at_us = g_now(g), .who = STR("engine"), .act = str_of(act), .object = c->row.name, .detail = code};
    c->row.state_us = g_now(g);
    int rc = connection_transition(g->db, &c->row, &trace, &e);
    c->unstored = rc == E_STORAGE;
    if (rc != TL_OK)
        g_write_failed(g, "storing the state of a connection", &e);
    model_feeds_build(g, c);
    return rc;
}

/* Blocks of the store end by what ends them, not by an endpoint that works again. */
static bool store_blocks(const struct g_conn *c)
{
    return c->row.state == CONN_BLOCKED &&
           (str_is(c->row.block_code, "RESTORED") || str_is(c->row.block_code, "STORAGE"));
}

void conn_block(struct engine *g, struct g_conn *c, const char *code, const char *text)
{
    bool first = c->row.state != CONN_BLOCKED;
    if (store_blocks(c) && (str_is(c->row.block_code, "RESTORED") || strcmp(code, "RESTORED") != 0))
        return;
    if (c->row.state != CONN_INITIAL && c->row.state != CONN_ACTIVE && c->row.state != CONN_PAUSED && first)
        return;
    /* A paused one keeps what it was paused from: it is paused again when the block ends, and may be resumed then. */
    if (first && c->row.state != CONN_PAUSED) {
        c->row.prev_state = c->row.state;
        c->row.paused_us = 0;
    }
    if (!first && str_is(c->row.block_code, code))
        return;
    c->row.state = CONN_BLOCKED;
    c->row.block_code = arena_str(&c->arena, str_of(code));
    c->row.block_text = arena_str(&c->arena, str_of(text));
    log_line(LOG_WARN, "connection", "\"%.*s\" is blocked: %s", STR_FMT(c->row.name), text);
    (void)conn_store(g, c, "connection.blocked", c->row.block_code);
}

void conn_unblock(struct engine *g, struct g_conn *c, const char *code)
{
    if (c->row.state != CONN_BLOCKED || !str_is(c->row.block_code, code))
        return;
    int32_t prev = c->row.prev_state ? c->row.prev_state : CONN_ACTIVE;
    c->row.state = c->row.paused_us ? CONN_PAUSED : prev;
    c->row.block_code = c->row.block_text = (str){0};
    log_line(LOG_INFO, "connection", "\"%.*s\" goes on", STR_FMT(c->row.name));
    (void)conn_store(g, c, "connection.unblocked", str_of(code));
}

static void endpoint_block(struct engine *g, struct g_endpoint *ep, const char *code, const char *text)
{
    struct err e = {0};
    ep->row.block_code = arena_str(&ep->arena, str_of(code));
    ep->row.block_text = arena_str(&ep->arena, str_of(text));
    ep->row.blocked_us = g_now(g);
    ep->row.auth_state = strcmp(code, "AUTH_FAILED") == 0 ? ENDPOINT_AUTH_FAILED : ep->row.auth_state;
    if (endpoint_update(g->db, &ep->row, &e))
        g_write_failed(g, "storing the state of an endpoint", &e);
    AUTO(buf_done) struct buf object = {0};
    buf_fmt(&object, "endpoint %.*s", STR_FMT(ep->row.name));
    bool other_org = strcmp(code, "ORG_MISMATCH") == 0;
    struct repair r = {.object = buf_lent(&object),
                       .code = str_of(code),
                       .level = TL_ERROR,
                       .text = str_of(text),
                       .hint = other_org ? STR("sign in to the former org again with `tieline endpoint auth`; for the "
                                               "new one add an [endpoint] section of its own and connect that")
                                         : STR("run `tieline endpoint check`, then `tieline endpoint auth`")};
    if (repair_raise(g->db, &r, &e))
        g_write_failed(g, "storing the state of an endpoint", &e);
    for (struct g_conn *c = g->conns; c; c = c->next)
        if (conn_uses(c, ep))
            conn_block(g, c, code, text);
}

void endpoint_unblock(struct engine *g, struct g_endpoint *ep)
{
    struct err e = {0};
    ep->row.block_code = ep->row.block_text = (str){0};
    if (endpoint_update(g->db, &ep->row, &e))
        g_write_failed(g, "storing the state of an endpoint", &e);
    AUTO(buf_done) struct buf object = {0};
    buf_fmt(&object, "endpoint %.*s", STR_FMT(ep->row.name));
    if (repair_clear(g->db, buf_lent(&object), (str){0}, (str){0}, g_now(g), &e))
        g_write_failed(g, "storing the state of an endpoint", &e);
    for (struct g_conn *c = g->conns; c; c = c->next) {
        bool ours = conn_uses(c, ep);
        if (!ours || c->ep[0]->row.block_code.n || c->ep[1]->row.block_code.n || store_blocks(c))
            continue;
        AUTO(text_free) char *code = str_dup(c->row.block_code); /* that of whichever endpoint came last */
        conn_unblock(g, c, code);
    }
}

int prep_store_again(struct engine *g, struct err *e)
{
    int rc = TL_OK;
    for (struct g_conn *c = g->conns; c && rc == TL_OK; c = c->next)
        if (c->unstored && (rc = conn_store(g, c, c->row.block_code.n ? "connection.blocked" : "connection.unblocked",
                                            c->row.block_code)) == E_STORAGE)
            return err_set(e, rc, "the state of \"%.*s\" cannot be stored", STR_FMT(c->row.name));
    for (struct g_endpoint *ep = g->endpoints; ep && rc == TL_OK; ep = ep->next)
        rc = endpoint_update(g->db, &ep->row, e);
    for (struct g_endpoint *ep = g->endpoints; ep && rc == TL_OK; ep = ep->next) {
        if (ep->row.block_code.n == 0) {
            endpoint_unblock(g, ep);
            continue;
        }
        AUTO(text_free) char *code = str_dup(ep->row.block_code), *text = str_dup(ep->row.block_text);
        endpoint_block(g, ep, code, text);
    }
    return rc;
}

int64_t endpoint_throttled_until(const struct engine *g, const struct g_endpoint *ep)
{
    int64_t left = ep->row.throttled_until_us - g_now(g);
    if (left <= 0)
        return 0;
    return g_mono(g) + (left < US_PER_DAY ? left : US_PER_DAY);
}

static void sleep_for(struct engine *g, struct g_endpoint *ep, int64_t wait_us, bool told)
{
    int64_t until = g_mono(g) + wait_us;
    if (ep->told_to_wait && ep->sleep_until > until)
        return; /* the vendor's word is not cut short by what another call met */
    ep->sleep_until = until;
    ep->told_to_wait = told;
}

/* A long wait is stored: a restart must not use up what little the vendor allows. */
static void endpoint_throttled(struct engine *g, struct g_endpoint *ep, int64_t wait_us)
{
    int64_t until = g_now(g) + wait_us;
    sleep_for(g, ep, wait_us, true);
    if (wait_us <= 60 * US_PER_S || until - ep->row.throttled_until_us <= 60 * US_PER_S)
        return;
    struct err e = {0};
    ep->row.throttled_until_us = until;
    if (endpoint_update(g->db, &ep->row, &e))
        g_write_failed(g, "storing the state of an endpoint", &e);
}

/* How long until we look whether it is still refused. Where the check is granted and the work refused, time after time,
 * a right is missing: that takes a person, and is looked at ever more seldom. */
static int64_t refused_wait_us(struct engine *g, struct g_endpoint *ep, const struct call *c)
{
    if (g_mono(g) - ep->refused_us > CALM_US)
        ep->refusals = 0;
    if (!c || c->kind != CALL_CHECK) {
        ep->refusals++;
        ep->refused_us = g_mono(g);
    }
    int64_t wait = AUTH_AGAIN_US;
    for (int i = 3; i < ep->refusals && wait < 900 * US_PER_S; i++)
        wait *= 2;
    return wait;
}

/* Not every refusal needs a person: the endpoint is blocked, and looked at again. */
static void endpoint_refused(struct engine *g, struct g_endpoint *ep, const char *code, const char *text,
                             int64_t again_us)
{
    if (ep->row.block_code.n == 0)
        endpoint_block(g, ep, code, text);
    if (ep->prep == PREP_READY || ep->prep == PREP_NEEDED) {
        ep->prep = PREP_NEEDED;
        ep->prep_due = g_mono(g) + again_us;
        ready_wake(&ep->ready);
    }
}

static bool take_trouble(struct engine *g, struct g_endpoint *ep, const struct call *c, int status,
                         const tl_error *error, const char *text)
{
    bool told = error->retry_after_ms > 0;
    switch (status) {
    case TL_E_AUTH:
        endpoint_refused(g, ep, "AUTH_FAILED", text, refused_wait_us(g, ep, c));
        return true;
    case TL_E_CONFIG:
        endpoint_refused(g, ep, "CONFIG", text, 300 * US_PER_S);
        return true;
    case TL_E_THROTTLED:
    case TL_E_QUOTA:
        ep->failures++;
        if (told || status == TL_E_QUOTA)
            endpoint_throttled(g, ep, told ? error->retry_after_ms * US_PER_MS : backoff_us(g, ep->failures));
        else
            sleep_for(g, ep, outage_wait_us(g, ep, error), false);
        return true;
    case TL_E_TEMPORARY:
    case TL_E_UNKNOWN:
        if (error->scope != TL_SCOPE_ENDPOINT)
            return false;
        ep->failures++;
        sleep_for(g, ep, outage_wait_us(g, ep, error), told);
        return true;
    default:
        return false;
    }
}

bool endpoint_trouble(struct engine *g, struct g_endpoint *ep, const struct call *c, int status, const tl_error *error)
{
    const char *text = error->text[0] ? error->text : status_name(status);
    bool whole = take_trouble(g, ep, c, status, error, text);
    if (whole)
        outage_note(g, ep, c, status, text);
    return whole;
}

void endpoint_works(struct engine *g, struct g_endpoint *ep, const struct call *c)
{
    ep->failures = 0;
    outage_over(g, ep, c);
}

/* A pause stops what is kept in step, not what people see. */
static bool serves_people(const struct g_endpoint *ep)
{
    bool serves = ep->people_asked;
    for (const struct g_feed *f = ep->feeds; f && !serves; f = f->next_of_endpoint)
        serves = f->mirror;
    return serves;
}

bool endpoint_used(const struct engine *g, const struct g_endpoint *ep)
{
    for (const struct g_conn *c = g->conns; c; c = c->next) {
        bool runs = c->row.state == CONN_INITIAL || c->row.state == CONN_ACTIVE || c->row.state == CONN_BLOCKED ||
                    c->row.state == CONN_READY || (c->row.state == CONN_PAUSED && serves_people(ep));
        if ((runs || c->preview) && conn_uses(c, ep))
            return true;
    }
    return false;
}

static const str *kinds_of(struct engine *g, const struct g_endpoint *ep, struct arena *a, uint32_t *n_out)
{
    str *kinds = arena_array(a, str, 64);
    uint32_t n = 0;
    for (const struct g_feed *f = ep->feeds; f; f = f->next_of_endpoint)
        if (f->mirror && n < 64)
            kinds[n++] = arena_str(a, f->row.kind);
    for (struct g_link *l = g->links; l; l = l->next)
        for (int s = 0; s < 2 && n < 64; s++) {
            if (!l->conn || l->conn->ep[s] != ep)
                continue;
            bool known = false;
            for (uint32_t i = 0; i < n; i++)
                known |= str_eq(kinds[i], l->row.kind[s]);
            if (!known)
                kinds[n++] = arena_str(a, l->row.kind[s]);
        }
    *n_out = n;
    return kinds;
}

struct call *prep_call(struct engine *g, struct g_endpoint *ep, enum call_kind kind, int64_t tag)
{
    struct call *c = g_call(g, kind, ep->row.endpoint, TL_PURPOSE_LIVE);
    c->tag = tag;
    if (kind == CALL_CHECK)
        c->request.check.kinds = kinds_of(g, ep, &c->arena, &c->request.check.n_kinds);
    return c;
}

bool prep_turn(struct engine *g, struct g_endpoint *ep)
{
    if (g->stopping || ep->prep != PREP_NEEDED || ep->prep_due > g_mono(g) || !ep->row.present ||
        ep->sleep_until > g_mono(g) || !endpoint_used(g, ep))
        return false;
    if (g->dispatcher->room(g->dispatcher->ctx, ep->row.endpoint, TL_PURPOSE_LIVE) <= 0) {
        ep->prep_due = g_mono(g) + US_PER_S; /* a connector that comes is told */
        return false;
    }
    ep->prep = PREP_CHECKING;
    g_submit(g, prep_call(g, ep, CALL_CHECK, 0));
    return true;
}

/* Stamps hash the orgs of both sides: without them nothing may be created, and nobody can tell whether it is still the
 * org its pairs belong to. */
static int org_untold(struct engine *g, struct g_endpoint *ep, struct err *e)
{
    static const char text[] = "the vendor did not say which org this is";
    endpoint_block(g, ep, "ORG_UNKNOWN", text);
    ep->prep = PREP_NEEDED;
    ep->prep_due = g_mono(g) + ORG_AGAIN_US;
    err_set(e, E_PRECONDITION, "endpoint \"%.*s\": %s", STR_FMT(ep->row.name), text);
    err_code(e, "ORG_UNKNOWN");
    err_hint(e, "the account may lack the right to read its org; run `tieline endpoint check %.*s` again",
             STR_FMT(ep->row.name));
    return E_PRECONDITION;
}

int prep_take_account(struct engine *g, struct g_endpoint *ep, const tl_account *account, struct err *e)
{
    if (account->org_key.n == 0)
        return org_untold(g, ep, e);
    if (ep->row.org_key.n && !str_eq(account->org_key, ep->row.org_key)) {
        AUTO(buf_done) struct buf text = {0};
        buf_fmt(&text, "the account now belongs to org \"%.*s\", its pairs to org \"%.*s\"", STR_FMT(account->org_key),
                STR_FMT(ep->row.org_key));
        endpoint_block(g, ep, "ORG_MISMATCH", buf_text(&text));
        err_set(e, E_PRECONDITION, "%s", buf_text(&text));
        err_code(e, "ORG_MISMATCH");
        return E_PRECONDITION;
    }
    struct endpoint row = ep->row;
    row.org_key = arena_str(&ep->arena, account->org_key);
    row.org_name = arena_str(&ep->arena, account->org_name);
    row.edition = arena_str(&ep->arena, account->edition);
    row.user_id = arena_str(&ep->arena, account->user_id);
    row.user_name = arena_str(&ep->arena, account->user_name);
    row.auth_state = ENDPOINT_AUTH_OK;
    row.checked_us = g_now(g);
    int rc = endpoint_update(g->db, &row, e);
    if (rc == E_STORAGE) {
        g_write_failed(g, "storing who an endpoint is", e);
        return rc;
    }
    if (rc != TL_OK) {
        endpoint_block(g, ep, "ORG_MISMATCH", e->text);
        return rc;
    }
    ep->row = row;
    return TL_OK;
}

/* A mapped field that vanished, changed its type or may not be written any more is left alone; the rest flows. */
static int drift_check(struct engine *g, struct g_link *l, struct err *e)
{
    int rc = TL_OK;
    AUTO(arena_done) struct arena a = {0};
    struct map_row *rows = NULL;
    size_t n = 0;
    rc = map_list(g->db, &a, l->row.link, &rows, &n, e);
    for (size_t i = 0; i < n && rc == TL_OK; i++) {
        const char *why = "";
        for (int s = 0; s < 2; s++) {
            struct g_kind *k = model_kind(l->conn->ep[s], l->row.kind[s]);
            str path = s ? rows[i].b_path : rows[i].a_path;
            bool there = false;
            for (uint32_t f = 0; k && f < k->desc.n_fields && !there; f++) {
                const tl_field *field = TL_AT(tl_field, k->desc.fields, k->desc.field_stride, f);
                there = str_eq(field->path, path) || str_eq(field->name, path);
            }
            if (k && !there)
                why = s ? "side b has no such field any more" : "side a has no such field any more";
        }
        if (str_is(rows[i].suspended, why))
            continue;
        rc = map_suspend(g->db, l->row.link, rows[i].map_no, str_of(why), e);
        if (rc == TL_OK && !*why)
            rc = map_renew(g->db, l->row.link, rows[i].map_no, e); /* what was agreed before it went is over */
        AUTO(buf_done) struct buf object = {0};
        buf_fmt(&object, "link %.*s/%.*s", STR_FMT(l->conn->row.name), STR_FMT(l->row.name));
        struct repair r = {.object = buf_lent(&object),
                           .code = STR("SCHEMA_DRIFT"),
                           .key = rows[i].a_path,
                           .level = TL_WARN,
                           .text = str_of(why),
                           .hint = STR("look at `tieline map check`, then map another field or unset it")};
        if (rc == TL_OK)
            rc = *why ? repair_raise(g->db, &r, e) : repair_clear(g->db, r.object, r.code, r.key, g_now(g), e);
    }
    return rc;
}

static int links_rebuild(struct engine *g, const struct g_endpoint *ep, struct err *e)
{
    int rc = TL_OK;
    for (struct g_conn *c = g->conns; c && rc == TL_OK; c = c->next) {
        if (!conn_uses(c, ep))
            continue;
        for (struct g_link *l = c->links; l && rc == TL_OK; l = l->next_of_conn)
            rc = model_link_build(g, l, e);
        if (rc == TL_OK)
            model_feeds_build(g, c);
    }
    return rc;
}

static int kinds_changed(struct engine *g, struct g_endpoint *ep, struct err *e)
{
    int rc = mirrors_refresh(g, ep, e);
    return rc == TL_OK ? links_rebuild(g, ep, e) : rc;
}

/* An action as it is kept: one item of a reply of its own. */
static int action_kept(struct engine *g, const tl_action *action, struct arena *a, struct action_row *out,
                       struct err *e)
{
    struct reply one = {0};
    int rc = reply_add_action(&one, action, e);
    if (rc == TL_OK) {
        str bytes = arena_str(a, buf_lent(&one.items));
        *out = (struct action_row){arena_str(a, action->kind), arena_str(a, action->name), bytes,
                                   store_hash(bytes.p, (size_t)bytes.n), g_now(g)};
    }
    reply_done(&one);
    return rc;
}

/* What people can have done there: those told now and no others. */
static int take_actions(struct engine *g, const struct g_endpoint *ep, const struct reply *reply, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    AUTO(reply_reader_done) struct reply_reader r;
    struct action_row *rows = NULL;
    size_t n = 0, cap = 0;
    int rc = TL_OK;
    reply_reader_init(&r, reply);
    for (struct item item; rc == TL_OK && reply_next(&r, &item);) {
        if (item.kind != ITEM_ACTION)
            continue;
        if (n == cap) {
            cap = cap ? 2 * cap : 16;
            struct action_row *more = arena_array(&a, struct action_row, cap);
            if (n)
                memcpy(more, rows, n * sizeof *more);
            rows = more;
        }
        rc = action_kept(g, &item.u.action, &a, &rows[n++], e);
    }
    return rc == TL_OK ? action_replace(g->db, ep->row.endpoint, rows, n, e) : rc;
}

int prep_take_kinds(struct engine *g, struct g_endpoint *ep, const struct reply *reply, struct err *e)
{
    bool changed = false;
    AUTO(reply_reader_done) struct reply_reader r;
    for (struct g_kind *k = ep->kinds; k; k = k->next)
        k->told = false;
    reply_reader_init(&r, reply);
    int rc = g_begin(g, e);
    for (struct item item; rc == TL_OK && reply_next(&r, &item);)
        if (item.kind == ITEM_KIND)
            rc = model_kind_put(g, ep, &item.u.described, &changed, e);
    if (rc == TL_OK)
        rc = kinds_told(g, ep, e);
    if (rc == TL_OK)
        rc = take_actions(g, ep, reply, e);
    if (rc == TL_OK) {
        ep->row.discovered_us = g_now(g);
        rc = endpoint_update(g->db, &ep->row, e);
    }
    for (struct g_conn *c = g->conns; c && changed; c = c->next)
        for (struct g_link *l = conn_uses(c, ep) ? c->links : NULL; l && rc == TL_OK; l = l->next_of_conn) {
            rc = drift_check(g, l, e);
            if (rc == TL_OK)
                rc = link_wake_all(g, l, true, e); /* what could not be carried over may be possible now */
        }
    rc = g_end(g, rc, "storing kinds", e);
    if (rc != TL_OK) {
        model_kinds_unstored(ep);
        return rc;
    }
    return kinds_changed(g, ep, e);
}

static void prep_failed(struct engine *g, struct g_endpoint *ep, const struct call *c)
{
    ep->prep = PREP_NEEDED;
    ep->prep_due = g_mono(g) + backoff_us(g, ++ep->prep_tries);
    if (endpoint_trouble(g, ep, c, c->reply.status, &c->reply.error)) /* told, and waits as long as that asks for */
        ep->prep_due = ep->row.block_code.n ? ep->prep_due : ep->sleep_until;
    else if (ep->prep_tries == 1)
        log_line(LOG_WARN, "endpoint", "%s of \"%.*s\": %s", call_kind_name(c->kind), STR_FMT(ep->row.name),
                 c->reply.error.text[0] ? c->reply.error.text : status_name(c->reply.status));
}

void prep_call_done(struct engine *g, struct call *c)
{
    if (c->tag != 0) {
        admin_call_done(g, c);
        return;
    }
    struct g_endpoint *ep = model_endpoint(g, c->endpoint);
    struct err e = {0};
    if (ep && c->reply.status == TL_OK)
        endpoint_works(g, ep, c);
    if (ep && c->reply.status != TL_OK) {
        prep_failed(g, ep, c);
    } else if (ep && c->kind == CALL_CHECK) {
        AUTO(reply_reader_done) struct reply_reader r;
        reply_reader_init(&r, &c->reply);
        int rc = TL_OK;
        bool told = false;
        for (struct item item; rc == TL_OK && reply_next(&r, &item);)
            if (item.kind == ITEM_ACCOUNT) {
                told = true;
                rc = prep_take_account(g, ep, &item.u.account, &e);
            }
        if (rc == TL_OK && !told)
            rc = org_untold(g, ep, &e);
        if (rc == TL_OK) {
            ep->prep = PREP_DISCOVERING;
            g_submit(g, prep_call(g, ep, CALL_DISCOVER, 0));
        } else {
            ep->prep = PREP_NEEDED;
            if (rc == E_STORAGE)
                ep->prep_due = 0;
            else if (!str_is(ep->row.block_code, "ORG_UNKNOWN")) /* that may be told later */
                ep->prep_due = NEVER;                            /* until it is authorised anew */
        }
    } else if (ep && c->kind == CALL_DISCOVER) {
        if (prep_take_kinds(g, ep, &c->reply, &e) == TL_OK) {
            ep->prep = PREP_READY;
            ep->prep_tries = 0;
            if (ep->row.block_code.n)
                endpoint_unblock(g, ep);
        } else {
            ep->prep = PREP_NEEDED;
            ep->prep_due = g_mono(g) + US_PER_S;
        }
    }
    if (ep)
        schedule_endpoint(ep);
    call_free(c);
}

/* ---- What the wiring tells */

int engine_endpoint_put(struct engine *g, const struct endpoint_setup *setup, int64_t *id_out, struct err *e)
{
    int64_t id = 0;
    int rc = endpoint_ensure(g->db, str_of(setup->name), str_of(setup->connector), str_of(setup->system), &id, e);
    if (rc == TL_OK)
        rc = model_load_endpoint(g, id, e);
    if (rc != TL_OK)
        return rc;
    struct g_endpoint *ep = model_endpoint(g, id);
    for (struct g_conn *c = g->conns; c; c = c->next)
        for (int s = 0; s < 2; s++)
            if (c->row.endpoint[s] == id)
                c->ep[s] = ep;
    bool was_gone = str_is(ep->row.block_code, "ENDPOINT_GONE");
    ep->default_window_us = setup->default_window_s * US_PER_S;
    ep->default_master = setup->default_master;
    bool other = ep->row.reserve_pct != setup->reserve_pct || ep->row.role != setup->role;
    ep->row.reserve_pct = setup->reserve_pct;
    ep->row.role = setup->role;
    if (other && (rc = endpoint_update(g->db, &ep->row, e)) != TL_OK)
        return rc;
    budget_init(&ep->budget, setup->daily_calls, setup->reserve_pct);
    budget_recall(g, ep);
    text_free(ep->claims);
    ep->claims = setup->claims ? text_dup(setup->claims) : NULL;
    text_free(ep->mirrors);
    ep->mirrors = setup->mirrors ? text_dup(setup->mirrors) : NULL;
    if (was_gone)
        endpoint_unblock(g, ep);
    if (!str_is(ep->row.block_code, "ORG_MISMATCH") && ep->prep == PREP_NEEDED)
        ep->prep_due = 0;
    schedule_endpoint(ep);
    rc = kinds_changed(g, ep, e);
    if (rc == TL_OK)
        *id_out = id;
    return rc;
}

int engine_endpoint_gone(struct engine *g, const char *name, struct err *e)
{
    struct g_endpoint *ep = model_endpoint_named(g, name);
    if (!ep)
        return TL_E_NOT_FOUND;
    ep->row.present = false;
    endpoint_block(g, ep, "ENDPOINT_GONE", "the endpoint is not configured any more");
    bool out = false;
    int rc = g_begin(g, e);
    if (rc == TL_OK)
        rc = endpoint_update(g->db, &ep->row, e);
    if (rc == TL_OK)
        rc = sign_out_unused(g, ep->row.endpoint, NULL, &out, e);
    rc = g_end(g, rc, "an endpoint that is not configured any more", e);
    if (rc == TL_OK && out)
        sign_out_tell(g, ep->row.endpoint);
    return rc;
}

void engine_endpoint_ready(struct engine *g, int64_t endpoint)
{
    struct g_endpoint *ep = model_endpoint(g, endpoint);
    if (!ep)
        return;
    if (!ep->told_to_wait) /* the vendor's word outlives the connector's restart */
        ep->sleep_until = endpoint_throttled_until(g, ep);
    if (ep->prep == PREP_READY || ep->prep == PREP_NEEDED) {
        ep->prep = PREP_NEEDED; /* another version may describe more */
        ep->prep_due = 0;
    }
    schedule_endpoint(ep);
}

void engine_endpoint_authorised(struct engine *g, int64_t endpoint)
{
    struct g_endpoint *ep = model_endpoint(g, endpoint);
    if (!ep)
        return;
    ep->sleep_until = ep->row.throttled_until_us = 0;
    ep->failures = ep->refusals = 0;
    ep->prep = PREP_NEEDED;
    ep->prep_due = 0;
    for (struct g_feed *f = ep->feeds; f; f = f->next_of_endpoint)
        f->poll_due = f->backoff_until = 0;
    schedule_endpoint(ep);
}
