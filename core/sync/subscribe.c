/* Webhook subscriptions: made, renewed at half of their life, removed. The address is told by whoever knows the
 * listener. */
#include <stdlib.h>

#include "admin.h"
#include "engine_int.h"
#include "lifecycle.h"
#include "log.h"
#include "mirror.h"

#define LOOK_AGAIN_US  (3600 * US_PER_S) /* what changes wakes the endpoint */
#define TRY_AGAIN_US   (60 * US_PER_S)
#define RENEW_APART_US (60 * US_PER_S) /* however short the vendor keeps it */

/* Somebody wants to hear of this feed: also while its connection is paused or blocked, never of a disabled one. */
static bool is_heard(const struct engine *g, const struct g_feed *f)
{
    bool heard = mirror_is_read(g, f);
    for (const struct feed_side *at = f->sides; at && !heard; at = at->next)
        heard = at->l->conn && at->l->row.enabled && at->l->row.phase != PHASE_NEW &&
                life_takes_hooks(at->l->conn->row.state);
    return heard;
}

/* Kinds that are read from this endpoint, each once. */
static uint32_t kinds_used(const struct engine *g, const struct g_endpoint *ep, struct arena *a, str **out)
{
    uint32_t n = 0, room = 0;
    for (const struct g_feed *f = ep->feeds; f; f = f->next_of_endpoint)
        room++;
    str *kinds = arena_array(a, str, room);
    for (const struct g_feed *f = ep->feeds; f; f = f->next_of_endpoint) {
        bool listed = !is_heard(g, f);
        for (uint32_t i = 0; i < n && !listed; i++)
            listed = str_eq(kinds[i], f->row.kind);
        if (!listed)
            kinds[n++] = arena_str(a, f->row.kind);
    }
    *out = kinds;
    return n;
}

/* As they are stored. */
static str kinds_text(const str *kinds, uint32_t n, struct arena *a)
{
    AUTO(buf_done) struct buf text = {0};
    for (uint32_t i = 0; i < n; i++)
        buf_fmt(&text, "%s%.*s", i ? "," : "", STR_FMT(kinds[i]));
    return arena_str(a, buf_lent(&text));
}

/* A renewal may fail a few times, and the vendor's clock need not be ours: half of the life is kept in hand. */
static int64_t renewed_at(const struct webhook *w)
{
    if (!w->expires_us)
        return NEVER;
    int64_t half = (w->expires_us - w->subscribed_us) / 2;
    return w->subscribed_us + (half > RENEW_APART_US ? half : RENEW_APART_US);
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
    str *kinds = NULL;
    c->request.subscribe.n_kinds = kinds_used(g, ep, &c->arena, &kinds);
    c->request.subscribe.kinds = kinds;
    c->request.subscribe.url = arena_str(&c->arena, str_of(ep->hook_url ? ep->hook_url : ""));
    c->request.subscribe.id = arena_str(&c->arena, id);
    ep->subscribing = true;
    g_submit(g, c);
}

static uint64_t url_hash(str url)
{
    return store_hash(url.p, url.n);
}

/* Not later than after so long. */
static void look_again(const struct engine *g, struct g_endpoint *ep, int64_t after_us)
{
    if (after_us < ep->subscribe_due - g_mono(g))
        ep->subscribe_due = g_mono(g) + after_us;
}

bool subscription_turn(struct engine *g, struct g_endpoint *ep)
{
    if (ep->subscribing || ep->subscribe_due > g_mono(g) || !g_endpoint_can(g, ep, TL_PURPOSE_LIVE))
        return false;
    AUTO(arena_done) struct arena a = {0};
    struct webhook w = {0};
    struct err e = {0};
    int rc = webhook_get(g->db, &a, ep->row.endpoint, &w, &e);
    bool made = rc == TL_OK && w.id.n > 0;
    bool nothing = !ep->hook_url && !made && (rc == TL_OK || rc == TL_E_NOT_FOUND);
    ep->subscribe_due = nothing ? NEVER : g_mono(g) + LOOK_AGAIN_US; /* until there is an address */
    if (rc != TL_OK)
        return false;
    str *kinds = NULL;
    uint32_t n = kinds_used(g, ep, &a, &kinds);
    bool wanted = ep->hook_url && n > 0;
    bool told = made && wanted && w.url == url_hash(str_of(ep->hook_url)) && str_eq(w.kinds, kinds_text(kinds, n, &a));
    if (wanted && (!told || renewed_at(&w) <= g_now(g)))
        subscription_send(g, ep, CALL_SUBSCRIBE, w.id);
    else if (!wanted && made)
        subscription_send(g, ep, CALL_UNSUBSCRIBE, w.id);
    else if (told)
        look_again(g, ep, renewed_at(&w) - g_now(g));
    return ep->subscribing;
}

/* What the vendor answered, into w. False: it made nothing, or did not say what. */
static bool subscription_read(struct engine *g, struct call *c, struct webhook *w, struct arena *a)
{
    const tl_subscribe *asked = &c->request.subscribe;
    *w = (struct webhook){.endpoint = w->endpoint};
    bool read = c->kind == CALL_UNSUBSCRIBE;
    AUTO(reply_reader_done) struct reply_reader r;
    reply_reader_init(&r, &c->reply);
    for (struct item item; reply_next(&r, &item);)
        if (item.kind == ITEM_SUBSCRIPTION && item.u.subscription.id.n) {
            *w = (struct webhook){.endpoint = w->endpoint,
                                  .id = arena_str(a, item.u.subscription.id),
                                  .audience = arena_str(a, item.u.subscription.audience),
                                  .kinds = kinds_text(asked->kinds, asked->n_kinds, a),
                                  .url = url_hash(asked->url),
                                  .subscribed_us = g_now(g),
                                  .expires_us = item.u.subscription.expires_us};
            read = true;
        }
    return read;
}

static void subscription_take(struct engine *g, struct g_endpoint *ep, struct call *c)
{
    AUTO(arena_done) struct arena a = {0};
    struct webhook w = {.endpoint = ep->row.endpoint};
    struct err e = {0};
    if (!subscription_read(g, c, &w, &a)) {
        log_line(LOG_WARN, "webhook", "%s of \"%.*s\": the connector did not say what the vendor made",
                 call_kind_name(c->kind), STR_FMT(ep->row.name));
        return;
    }
    if (webhook_update(g->db, &w, &e) != TL_OK) {
        log_err(LOG_WARN, "webhook", &e);
        look_again(g, ep, TRY_AGAIN_US);
        return;
    }
    ep->subscribe_due = 0; /* what changed meanwhile is told too, and the next renewal gets its time */
    if (g->hooks_changed)
        g->hooks_changed(g->wake_ctx);
}

/* Asked again in an hour, or when what is wanted changes: what was refused once is refused again. Trouble that passes
 * is another matter. */
static void subscription_failed(struct engine *g, struct g_endpoint *ep, const struct call *c)
{
    int status = c->reply.status;
    if (status == TL_E_UNSUPPORTED)
        return;
    endpoint_trouble(g, ep, c, status, &c->reply.error);
    log_line(LOG_WARN, "webhook", "%s of \"%.*s\": %s", call_kind_name(c->kind), STR_FMT(ep->row.name),
             c->reply.error.text);
    if (status != TL_E_DENIED && status != TL_E_INVALID && status != TL_E_CONFIG)
        look_again(g, ep, TRY_AGAIN_US);
}

void subscription_done(struct engine *g, struct call *c)
{
    struct g_endpoint *ep = model_endpoint(g, c->endpoint);
    if (ep) {
        ep->subscribing = false;
        if (c->reply.status == TL_OK)
            subscription_take(g, ep, c);
        else
            subscription_failed(g, ep, c);
        ready_wake(&ep->ready);
    }
    call_free(c);
}
