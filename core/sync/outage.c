/* Why an endpoint does not answer, since when, and when it is tried next: noted from the calls themselves. One line of
 * the log when it begins, one when it ends. */
#include <stdio.h>

#include "engine_int.h"
#include "log.h"

/* Reads that work do not end an outage of writes at once: a vendor may refuse writes alone. */
#define WRITES_AGAIN_US (60 * US_PER_S)

static const char *outage_name(int status)
{
    switch (status) {
    case TL_OK:
        return "none";
    case TL_E_AUTH:
        return "refused";
    case TL_E_THROTTLED:
    case TL_E_QUOTA:
        return "throttled";
    case TL_E_CONFIG:
        return "misconfigured";
    default:
        return "down";
    }
}

static const char *words_of(int status)
{
    switch (status) {
    case TL_E_AUTH:
        return "refuses us";
    case TL_E_THROTTLED:
        return "throttles us";
    case TL_E_QUOTA:
        return "says our allowance is used up";
    case TL_E_CONFIG:
        return "cannot be used as it is configured";
    default:
        return "does not work";
    }
}

int64_t outage_wait_us(struct engine *g, const struct g_endpoint *ep, const tl_error *error)
{
    if (error->retry_after_ms > 0)
        return error->retry_after_ms * US_PER_MS;
    int64_t wait = backoff_us(g, ep->failures < 5 ? ep->failures : 5);
    return wait < OUTAGE_WAIT_US ? wait : OUTAGE_WAIT_US;
}

void outage_note(struct engine *g, struct g_endpoint *ep, const struct call *c, int status, const char *text)
{
    struct g_outage *o = &ep->outage;
    bool first = o->status == TL_OK;
    if (g->stopping || status == TL_OK)
        return;
    if (first) {
        *o = (struct g_outage){.since_us = g_now(g)};
        g->figures.outages++;
    }
    o->status = status;
    o->last_us = g_now(g);
    o->of_writes = !c || call_writes(c);
    o->calls++;
    snprintf(o->text, sizeof o->text, "%s", text);
    if (first)
        log_line(LOG_WARN, "endpoint", "\"%.*s\" %s: %s", STR_FMT(ep->row.name), words_of(status), text);
}

void outage_over(struct engine *g, struct g_endpoint *ep, const struct call *c)
{
    struct g_outage *o = &ep->outage;
    if (o->status == TL_OK || call_note(c)->sent_us < o->last_us)
        return;
    if (o->of_writes && !call_writes(c) && g_now(g) - o->last_us < WRITES_AGAIN_US)
        return;
    long long s = (g_now(g) - o->since_us) / US_PER_S;
    log_line(LOG_INFO, "endpoint", "\"%.*s\" works again after %lld min %lld s (%u calls failed)",
             STR_FMT(ep->row.name), s / 60, s % 60, o->calls);
    *o = (struct g_outage){0};
}

/* mono; NEVER: nobody tries by himself */
static int64_t next_try(const struct g_endpoint *ep)
{
    if (ep->row.block_code.n && ep->prep == PREP_READY)
        return NEVER;
    int64_t due = ep->prep == PREP_NEEDED ? ep->prep_due : 0;
    return due < ep->sleep_until ? ep->sleep_until : due;
}

bool engine_outage_get(const struct engine *g, int64_t endpoint, struct engine_outage *out)
{
    const struct g_endpoint *ep = by_id_get(&g->endpoint_ids, endpoint);
    if (!ep || ep->outage.status == TL_OK)
        return false;
    const struct g_outage *o = &ep->outage;
    int64_t due = next_try(ep), now = g_mono(g);
    *out = (struct engine_outage){.state = outage_name(o->status), .since_us = o->since_us, .calls = o->calls};
    if (due != NEVER && endpoint_used(g, ep))
        out->next_us = g_now(g) + (due > now ? due - now : 0);
    snprintf(out->text, sizeof out->text, "%s", o->text);
    return true;
}

void engine_endpoint_hurry(struct engine *g, int64_t endpoint)
{
    struct g_endpoint *ep = model_endpoint(g, endpoint);
    if (!ep)
        return;
    ep->failures = 0;
    if (!ep->told_to_wait)
        ep->sleep_until = endpoint_throttled_until(g, ep);
    if (ep->prep == PREP_NEEDED && ep->prep_due != NEVER)
        ep->prep_due = 0;
    for (struct g_feed *f = ep->feeds; f; f = f->next_of_endpoint)
        f->poll_due = f->backoff_until = 0;
    for (struct g_batch *b = g->batches; b; b = b->next)
        if (b->endpoint == endpoint)
            b->resolve_due = ep->sleep_until;
    for (struct g_feed *f = ep->feeds; f; f = f->next_of_endpoint)
        for (struct feed_side *at = f->sides; at; at = at->next)
            at->l->hold_until = 0;
    schedule_endpoint(ep);
}
