/* Webhook subscriptions: made, renewed a day before they end, removed. The address is told by whoever knows the
 * listener. */
#include <stdlib.h>

#include "admin.h"
#include "engine_int.h"
#include "lifecycle.h"
#include "log.h"

#define LOOK_AGAIN_US (3600 * US_PER_S) /* for the end of a subscription; what changes wakes the endpoint */

/* Some link wants to hear of this feed: also while its connection is paused or blocked, never of a disabled one. */
static bool is_heard(const struct g_feed *f)
{
    bool heard = false;
    for (const struct feed_side *at = f->sides; at && !heard; at = at->next)
        heard = at->l->conn && at->l->row.enabled && at->l->row.phase != PHASE_NEW &&
                life_takes_hooks(at->l->conn->row.state);
    return heard;
}

/* Kinds that some link reads from this endpoint, comma separated. */
static void kinds_used(const struct g_endpoint *ep, struct buf *out)
{
    for (const struct g_feed *f = ep->feeds; f; f = f->next_of_endpoint)
        if (is_heard(f))
            buf_fmt(out, "%s%.*s", out->n ? "," : "", STR_FMT(f->row.kind));
}

int admin_hook_url(struct engine *g, const char *endpoint, const char *url, struct err *e)
{
    struct g_endpoint *ep = model_endpoint_named(g, endpoint);
    if (!ep)
        return err_set(e, TL_E_NOT_FOUND, "no endpoint \"%s\"", endpoint);
    text_free(ep->hook_url);
    ep->hook_url = url ? text_dup(url) : NULL;
    ep->subscribe_due = 0;
    ready_wake(&ep->ready);
    return TL_OK;
}

static void subscription_send(struct engine *g, struct g_endpoint *ep, enum call_kind kind, str id)
{
    struct call *c = g_call(g, kind, ep->row.endpoint, TL_PURPOSE_LIVE);
    str *kinds = arena_array(&c->arena, str, 64);
    uint32_t n = 0;
    for (struct g_feed *f = ep->feeds; f && n < 64; f = f->next_of_endpoint)
        if (is_heard(f))
            kinds[n++] = arena_str(&c->arena, f->row.kind);
    c->request.subscribe.kinds = kinds;
    c->request.subscribe.n_kinds = n;
    c->request.subscribe.url = arena_str(&c->arena, str_of(ep->hook_url ? ep->hook_url : ""));
    c->request.subscribe.id = arena_str(&c->arena, id);
    ep->subscribing = true;
    g_submit(g, c);
}

bool subscription_turn(struct engine *g, struct g_endpoint *ep)
{
    if (ep->subscribing || ep->subscribe_due > g_mono(g) || !g_endpoint_can(g, ep, TL_PURPOSE_LIVE))
        return false;
    AUTO(arena_done) struct arena a = {0};
    struct webhook w = {0};
    struct err e = {0};
    int rc = webhook_get(g->db, &a, ep->row.endpoint, &w, &e);
    bool nothing = !ep->hook_url && (rc == TL_E_NOT_FOUND || (rc == TL_OK && w.id.n == 0));
    ep->subscribe_due = nothing ? NEVER : g_mono(g) + LOOK_AGAIN_US; /* until there is an address */
    if (rc != TL_OK)
        return false;
    AUTO(buf_done) struct buf kinds = {.max = 4096};
    kinds_used(ep, &kinds);
    bool ending = w.expires_us && w.expires_us - US_PER_DAY < g_now(g);
    if (ep->hook_url && kinds.n && (w.id.n == 0 || ending || !str_eq(w.kinds, buf_lent(&kinds))))
        subscription_send(g, ep, CALL_SUBSCRIBE, w.id);
    else if ((!ep->hook_url || kinds.n == 0) && w.id.n)
        subscription_send(g, ep, CALL_UNSUBSCRIBE, w.id);
    return ep->subscribing;
}

void subscription_done(struct engine *g, struct call *c)
{
    struct g_endpoint *ep = model_endpoint(g, c->endpoint);
    struct err e = {0};
    if (!ep) {
        call_free(c);
        return;
    }
    ep->subscribing = false;
    ep->subscribe_due = 0; /* what changed meanwhile is told too */
    ready_wake(&ep->ready);
    AUTO(arena_done) struct arena a = {0};
    struct webhook w = {0};
    int rc = webhook_get(g->db, &a, ep->row.endpoint, &w, &e);
    if (rc == TL_OK && c->reply.status == TL_OK) {
        if (c->kind == CALL_UNSUBSCRIBE) {
            w.id = w.audience = w.kinds = (str){0};
            w.expires_us = 0;
        }
        AUTO(buf_done) struct buf kinds = {.max = 4096};
        for (uint32_t i = 0; i < c->request.subscribe.n_kinds; i++)
            buf_fmt(&kinds, "%s%.*s", i ? "," : "", STR_FMT(c->request.subscribe.kinds[i]));
        AUTO(reply_reader_done) struct reply_reader r;
        reply_reader_init(&r, &c->reply);
        for (struct item item; reply_next(&r, &item);)
            if (item.kind == ITEM_SUBSCRIPTION) {
                w.id = arena_str(&a, item.u.subscription.id);
                w.audience = arena_str(&a, item.u.subscription.audience);
                w.expires_us = item.u.subscription.expires_us;
                w.kinds = arena_str(&a, buf_lent(&kinds));
            }
        rc = webhook_update(g->db, &w, &e);
        if (rc != TL_OK)
            log_err(LOG_WARN, "webhook", &e);
        else if (g->hooks_changed)
            g->hooks_changed(g->wake_ctx);
    } else if (c->reply.status != TL_OK && c->reply.status != TL_E_UNSUPPORTED) {
        endpoint_trouble(g, ep, c, c->reply.status, &c->reply.error);
        log_line(LOG_WARN, "webhook", "%s of \"%.*s\": %s", call_kind_name(c->kind), STR_FMT(ep->row.name),
                 c->reply.error.text);
        ep->subscribe_due = g_mono(g) + 60 * US_PER_S;
    }
    call_free(c);
}
