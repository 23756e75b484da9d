/* How far it is: see view_progress.h. */
#include "view_progress.h"

#include "budget.h"
#include "feeds.h"
#include "records.h"
#include "times.h"
#include "view_record.h"

struct estimate {
    int64_t us; /* -1: it cannot be told */
    bool by_quota;
    str endpoint;
    char quota[32];
    int64_t opens_us; /* when that allowance is whole again */
};

/* One allowance of a side: no faster than it lets. */
static void bound_by(struct estimate *out, const struct quota_row *q, const struct endpoint *ep, int64_t calls,
                     double calls_per_s, int64_t now_us)
{
    int64_t in = q->resets_us - now_us;
    if (q->limit <= 0 || q->remaining < 0 || in <= 0)
        return;
    struct budget b = {.reserve_pct = ep->reserve_pct};
    budget_told(&b, q->name, q->limit, q->remaining, q->resets_us, 1);
    int64_t now = budget_left(&b, LANE_BULK, now_us, NULL);
    budget_told(&b, q->name, q->limit, q->limit, q->resets_us, 2);
    int64_t fresh = budget_left(&b, LANE_BULK, now_us, NULL);
    int64_t window = q->resets_us - q->told_us > 3600 * US_PER_S ? US_PER_DAY : 3600 * US_PER_S;
    int64_t us = budget_eta_us(calls, calls_per_s, now, in, fresh, window);
    if (us >= 0 && us <= out->us)
        return;
    *out = (struct estimate){.us = us, .by_quota = true, .endpoint = ep->name, .opens_us = q->resets_us};
    snprintf(out->quota, sizeof out->quota, "%.*s", STR_FMT(q->name));
}

/* At the rate so far, and no faster than the vendors' allowances let it. One record is one call where the kind is not
 * written in batches. */
static struct estimate estimate_of(struct db *r, struct arena *a, const struct link *l, int64_t left, double rate,
                                   int64_t now_us)
{
    struct connection c = {0};
    struct estimate out = {.us = left <= 0 ? 0 : rate > 0 ? (int64_t)((double)left / rate * 1e6) : -1};
    if (out.us <= 0 || connection_get(r, a, l->connection, &c, NULL) != TL_OK)
        return out;
    for (int s = 0; s < 2 && out.us >= 0; s++) {
        AUTO(arena_done) struct arena arrays = {0};
        struct endpoint ep = {0};
        struct quota_row *rows = NULL;
        size_t n = 0;
        tl_kind k = {0};
        bool known = view_describe(r, a, &arrays, c.endpoint[s], l->kind[s], &k);
        int64_t batch = known && k.max_batch > 1 ? (int64_t)k.max_batch : 1, calls = (left + batch - 1) / batch;
        if (quota_list(r, a, c.endpoint[s], &rows, &n, NULL) != TL_OK ||
            endpoint_get(r, a, c.endpoint[s], &ep, NULL) != TL_OK)
            continue;
        for (size_t i = 0; i < n && out.us >= 0; i++)
            bound_by(&out, &rows[i], &ep, calls, rate / (double)batch, now_us);
    }
    return out;
}

static void estimate_add(const struct estimate *x, json_t *out)
{
    bool quota = x->by_quota;
    json_object_set_new(out, "eta_seconds", x->us >= 0 ? json_integer((json_int_t)(x->us / US_PER_S)) : json_null());
    json_object_set_new(out, "eta_bound", quota ? json_string("quota") : x->us < 0 ? json_null() : json_string("rate"));
    json_object_set_new(out, "eta_endpoint", quota ? view_str(x->endpoint) : json_null());
    json_object_set_new(out, "eta_quota", quota ? json_string(x->quota) : json_null());
    json_object_set_new(out, "eta_opens", quota ? view_time(x->opens_us) : json_null());
}

static int64_t done_of(struct db *r, struct arena *a, int64_t run)
{
    struct run_count *rows = NULL;
    size_t n = 0;
    int64_t done = 0;
    if (run_count_list(r, a, run, &rows, &n, NULL) == TL_OK)
        for (size_t i = 0; i < n; i++)
            done += rows[i].added + rows[i].updated + rows[i].matched + rows[i].failed;
    return done;
}

/* The rate is that of the time in which something came in. */
static json_t *running(struct db *r, struct arena *a, const struct link *l, const struct run *run, int64_t planned,
                       int64_t now_us)
{
    json_t *row = view_run_json(r, a, run);
    int64_t done = done_of(r, a, run->run);
    double rate = run->busy_us > 0 ? (double)done * 1e6 / (double)run->busy_us : 0;
    struct estimate x = estimate_of(r, a, l, planned - done, rate, now_us);
    json_object_set_new(row, "pushed", json_integer(done));
    json_object_set_new(row, "planned", json_integer(planned));
    json_object_set_new(row, "rate_per_second", rate > 0 ? json_real(rate) : json_null());
    estimate_add(&x, row);
    return row;
}

void view_progress(struct db *r, struct arena *a, const struct link *l, int64_t now_us, json_t *o)
{
    struct run run = {0};
    int64_t observed[2] = {0, 0}, estimated[2] = {-1, -1};
    for (int s = 0; s < 2; s++) {
        struct feed f = {0};
        struct pass p = {0};
        if (!l->feed[s] || feed_get(r, a, l->feed[s], &f, NULL) != TL_OK)
            continue;
        observed[s] = feed_record_count(r, l->feed[s]);
        if (f.pass && pass_get(r, a, f.pass, &p, NULL) == TL_OK)
            estimated[s] = p.estimate == -2 ? p.seen : p.estimate;
        else if (f.full_pass_us)
            estimated[s] = observed[s];
        json_object_set_new(o, s ? "observed_b" : "observed_a", json_integer(observed[s]));
        json_object_set_new(o, s ? "estimated_b" : "estimated_a",
                            estimated[s] >= 0 ? json_integer(estimated[s]) : json_null());
    }
    int64_t planned = observed[0] > observed[1] ? observed[0] : observed[1];
    if (l->run && run_get(r, a, l->run, &run, NULL) == TL_OK)
        json_object_set_new(o, "running", running(r, a, l, &run, planned, now_us));
}
