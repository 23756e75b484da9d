/* The engine's side of the call budgets: what was sent, what the vendors said of their allowances, what is kept over a
 * restart. */
#include <string.h>

#include "engine_int.h"
#include "log.h"

#define STORE_US (30 * US_PER_S)
#define TODAY    "tieline: calls today"

/* Whom a call asks something; parsing asks nobody. */
static struct g_endpoint *vendor_of(struct engine *g, const struct call *c)
{
    return call_asks_vendor(c) ? model_endpoint(g, c->endpoint) : NULL;
}

void budget_call_sent(struct engine *g, const struct call *c)
{
    struct g_endpoint *ep = vendor_of(g, c);
    if (ep)
        budget_sent(&ep->budget, g_now(g));
}

static void allowances_take(struct engine *g, struct g_endpoint *ep)
{
    struct allowance told[BUDGET_WINDOWS];
    if (!g->dispatcher->allowances)
        return;
    uint32_t n = g->dispatcher->allowances(g->dispatcher->ctx, ep->row.endpoint, told, BUDGET_WINDOWS);
    for (uint32_t i = 0; i < n; i++)
        budget_told(&ep->budget, str_of(told[i].name), told[i].limit, told[i].remaining, told[i].resets_us,
                    told[i].told_us);
}

/* For the views, and so that a restart does not begin a day anew. */
static void store_now_and_then(struct engine *g, struct g_endpoint *ep)
{
    struct budget *b = &ep->budget;
    if (g->storage_down || g_mono(g) - ep->budget_stored < STORE_US || (b->n == 0 && b->daily_calls == 0))
        return;
    ep->budget_stored = g_mono(g);
    struct err e = {0};
    int rc = TL_OK;
    for (uint32_t i = 0; i < b->n && rc == TL_OK; i++) {
        const struct budget_window *w = &b->windows[i];
        struct quota_row row = {str_of(w->name), w->limit, w->remaining, w->resets_us, w->told_us};
        rc = quota_put(g->db, ep->row.endpoint, &row, &e);
    }
    int64_t left = b->daily_calls - b->sent_today;
    struct quota_row today = {STR(TODAY), b->daily_calls, left > 0 ? left : 0, (b->day + 1) * US_PER_DAY, g_now(g)};
    if (rc == TL_OK && b->daily_calls > 0)
        rc = quota_put(g->db, ep->row.endpoint, &today, &e);
    if (rc != TL_OK)
        log_err(LOG_WARN, "quota", &e);
}

void budget_recall(struct engine *g, struct g_endpoint *ep)
{
    AUTO(arena_done) struct arena a = {0};
    struct quota_row *rows = NULL;
    size_t n = 0;
    struct err e = {0};
    struct budget *b = &ep->budget;
    if (b->daily_calls == 0 || b->day != 0 || quota_list(g->db, &a, ep->row.endpoint, &rows, &n, &e) != TL_OK)
        return;
    for (size_t i = 0; i < n; i++)
        if (str_is(rows[i].name, TODAY) && rows[i].resets_us > g_now(g)) {
            b->day = g_now(g) / US_PER_DAY;
            b->sent_today = rows[i].limit - rows[i].remaining;
        }
}

void budget_call_answered(struct engine *g, const struct call *c)
{
    struct g_endpoint *ep = vendor_of(g, c);
    if (!ep)
        return;
    budget_answered(&ep->budget, c->reply.status, g_now(g) - call_note(c)->sent_us, g_now(g));
    allowances_take(g, ep);
    store_now_and_then(g, ep);
}

bool budget_lane(const struct engine *g, const struct g_endpoint *ep, enum lane lane)
{
    return budget_allows(&ep->budget, lane, g_now(g), NULL);
}

bool engine_budget_get(const struct engine *g, int64_t endpoint, struct engine_budget *out)
{
    const struct g_endpoint *ep = by_id_get(&g->endpoint_ids, endpoint);
    if (!ep)
        return false;
    const struct budget *b = &ep->budget;
    int64_t now = g_now(g), live = budget_left(b, LANE_LIVE, now, NULL);
    *out = (struct engine_budget){.daily_calls = b->daily_calls,
                                  .used_today = b->day == now / US_PER_DAY ? b->sent_today : 0,
                                  .reserve_pct = b->reserve_pct,
                                  .out = b->out};
    int64_t bulk = budget_left(b, LANE_BULK, now, &out->resets_us);
    out->left_live = live == INT64_MAX ? -1 : live > 0 ? live : 0;
    out->left_bulk = bulk == INT64_MAX ? -1 : bulk > 0 ? bulk : 0;
    out->width = budget_room(b, now) + (int)b->out;
    return true;
}
