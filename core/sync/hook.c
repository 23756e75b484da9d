/* Deliveries of vendors: stored before they are answered, parsed later on the live instance, and worth a hint each: the
 * record is fetched. */
#include <stdlib.h>

#include "engine_int.h"
#include "lifecycle.h"
#include "log.h"
#include "reading.h"

#define PARSE_AGAIN_US (5 * US_PER_S) /* a delivery that could not be parsed, or not be looked for */

/* Nobody listens while every connection of the endpoint is disabled or being deleted. */
static int hooks_taken(const struct engine *g, const struct g_endpoint *ep, struct err *e)
{
    bool any = false;
    for (const struct g_conn *c = g->conns; c; c = c->next) {
        if (c->ep[0] != ep && c->ep[1] != ep)
            continue;
        if (life_takes_hooks(c->row.state))
            return TL_OK;
        any = true;
    }
    if (!any)
        return TL_OK;
    err_set(e, E_PRECONDITION, "every connection of endpoint \"%.*s\" is disabled", STR_FMT(ep->row.name));
    err_code(e, "DISABLED");
    return E_PRECONDITION;
}

static int delivery_store(struct engine *g, struct hook_delivery *d, struct err *e)
{
    AUTO(buf_done) struct buf headers = {0};
    for (uint32_t i = 0; i < d->n_headers; i++)
        buf_fmt(&headers, "%.*s: %.*s\n", STR_FMT(d->headers[i].name), STR_FMT(d->headers[i].value));
    struct inbox_row row = {.endpoint = d->endpoint,
                            .received_us = g_now(g),
                            .method = d->method,
                            .headers = buf_lent(&headers),
                            .query = d->query,
                            .body = d->body};
    int rc = inbox_add(g->db, &row, d->delivery_key, e);
    d->duplicate = rc == E_EXISTS;
    return d->duplicate ? TL_OK : rc;
}

/* In a transaction. What spoils this one alone is told in d->why. */
static int delivery_take(struct engine *g, struct hook_delivery *d, struct err *e)
{
    const struct g_endpoint *ep = model_endpoint(g, d->endpoint);
    int rc = TL_OK;
    if (!ep) {
        err_set(&d->why, TL_E_NOT_FOUND, "no such endpoint");
        return TL_OK;
    }
    if (!d->refused && hooks_taken(g, ep, &d->why) == TL_OK)
        rc = delivery_store(g, d, &d->why);
    if (rc == E_STORAGE) {
        *e = d->why;
        return rc;
    }
    bool stored = !d->refused && d->why.status == TL_OK;
    bool refused = d->refused || d->why.status == E_PRECONDITION;
    rc = webhook_count(g->db, d->endpoint, stored && !d->duplicate, refused, stored && d->duplicate, g_now(g), e);
    return rc == TL_E_NOT_FOUND ? TL_OK : rc;
}

int engine_hooks(struct engine *g, struct hook_delivery *const *list, size_t n, struct err *e)
{
    int rc = g_begin(g, e);
    if (rc != TL_OK)
        return rc;
    for (size_t i = 0; i < n && rc == TL_OK; i++)
        rc = delivery_take(g, list[i], e);
    rc = g_end(g, rc, "storing deliveries", e);
    for (size_t i = 0; i < n && rc == TL_OK; i++) {
        struct g_endpoint *ep = model_endpoint(g, list[i]->endpoint);
        if (!ep || list[i]->why.status || list[i]->refused || list[i]->duplicate)
            continue;
        ep->inbox_due = 0;
        ready_wake(&ep->ready);
    }
    return rc;
}

static uint32_t headers_split(str text, struct arena *a, tl_pair **out)
{
    uint32_t n = 0;
    for (size_t i = 0; i < text.n; i++)
        n += text.p[i] == '\n';
    tl_pair *pairs = arena_array(a, tl_pair, n + 1);
    n = 0;
    for (str rest = text, line; str_split(&rest, '\n', &line);) {
        str name;
        str value = line;
        if (str_split(&value, ':', &name))
            pairs[n++] = (tl_pair){arena_str(a, name), arena_str(a, str_trim(value))};
    }
    *out = pairs;
    return n;
}

static bool parse_next(struct engine *g, struct g_endpoint *ep)
{
    struct err e = {0};
    struct inbox_row *rows = NULL;
    size_t n = 0;
    struct call *c = g_call(g, CALL_PARSE_HOOK, ep->row.endpoint, TL_PURPOSE_LIVE);
    int rc = inbox_next(g->db, &c->arena, ep->row.endpoint, g_now(g), 1, &rows, &n, &e);
    if (rc != TL_OK || n == 0) {
        int64_t due = 0;
        rc = inbox_due(g->db, ep->row.endpoint, &due, &e);
        ep->inbox_due = rc == TL_OK ? g_mono(g) + due - g_now(g) : NEVER;
        if (rc != TL_OK && rc != TL_E_NOT_FOUND)
            ep->inbox_due = g_mono(g) + PARSE_AGAIN_US;
        call_free(c);
        return false;
    }
    tl_pair *headers = NULL;
    tl_hook_request *h = &c->request.hook;
    h->n_headers = headers_split(rows[0].headers, &c->arena, &headers);
    h->headers = headers;
    h->body = rows[0].body;
    h->query = rows[0].query;
    h->received_us = rows[0].received_us;
    h->method = rows[0].method;
    c->tag = rows[0].inbox;
    ep->parsing = true;
    g_submit(g, c);
    return true;
}

bool hook_turn(struct engine *g, struct g_endpoint *ep)
{
    if (ep->parsing || ep->inbox_due > g_mono(g) || !g_endpoint_parses(g, ep))
        return false;
    g_step(g, 1);
    return parse_next(g, ep);
}

int hint_note(struct engine *g, struct g_endpoint *ep, str kind, str id, enum hint_why why, struct err *e)
{
    int64_t feeds = 0;
    bool erased = false;
    int rc = erased_is(g, ep, kind, id, &erased, e);
    if (rc == TL_OK && erased)
        return db_log_empty_soon(g->db, e); /* the delivery said more of them than this */
    return rc == TL_OK ? hint_put(g->db, ep->row.endpoint, kind, id, why, g_now(g), &feeds, e) : rc;
}

static int hint_take(struct engine *g, struct g_endpoint *ep, const tl_record *r, str kind, struct err *e)
{
    bool gone = r->state == TL_STATE_DELETED || r->state == TL_STATE_TRASHED || r->state == TL_STATE_MERGED;
    if (r->flags & TL_REC_GAP) {
        for (struct g_feed *f = ep->feeds; f; f = f->next_of_endpoint)
            if (kind.n == 0 || str_eq(kind, f->row.kind)) {
                f->row.gap_us = g_now(g);
                ready_wake(&f->ready);
                int rc = feed_row_store(g, f, e);
                if (rc != TL_OK)
                    return rc;
            }
        return TL_OK;
    }
    if (r->id.n == 0)
        return TL_OK;
    int rc = TL_OK;
    bool named = false;
    for (struct g_feed *f = ep->feeds; f && rc == TL_OK; f = f->next_of_endpoint) {
        if ((kind.n && !str_eq(kind, f->row.kind)) || named)
            continue;
        rc = hint_note(g, ep, f->row.kind, r->id, gone ? HINT_GONE : HINT_CHANGED, e);
        named = kind.n > 0;
    }
    for (struct g_feed *f = ep->feeds; f; f = f->next_of_endpoint)
        if (f->hint_due > g_mono(g) + DEBOUNCE_US) {
            f->hint_due = g_mono(g) + DEBOUNCE_US;
            ready_wake(&f->ready);
        }
    return rc;
}

void hook_call_done(struct engine *g, struct call *c)
{
    struct g_endpoint *ep = model_endpoint(g, c->endpoint);
    struct err e = {0};
    if (!ep) {
        call_free(c);
        return;
    }
    ep->parsing = false;
    int rc = g_begin(g, &e);
    if (c->reply.status == TL_OK) {
        AUTO(reply_reader_done) struct reply_reader r;
        reply_reader_init(&r, &c->reply);
        for (struct item item; rc == TL_OK && reply_next(&r, &item);)
            if (item.kind == ITEM_RECORD)
                rc = hint_take(g, ep, &item.u.record, item.u.record.kind, &e);
        if (rc == TL_OK)
            rc = inbox_done(g->db, c->tag, &e);
    } else if (c->reply.status == TL_E_INVALID || c->reply.status == TL_E_UNSUPPORTED || c->reply.crashed) {
        log_line(LOG_WARN, "hook", "a delivery for \"%.*s\" cannot be read: %s", STR_FMT(ep->row.name),
                 c->reply.error.text);
        rc = inbox_done(g->db, c->tag, &e);
    } else {
        rc = inbox_retry(g->db, c->tag, g_now(g) + PARSE_AGAIN_US, &e);
    }
    g_end(g, rc, "taking in a delivery", &e);
    ep->inbox_due = 0;
    ready_wake(&ep->ready);
    call_free(c);
}
