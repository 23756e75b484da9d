/* Runs and their counts: the history. Live changes are gathered in runs of five minutes per link. */
#include "brake.h"
#include "engine_int.h"
#include "log.h"

#define STALLED_US (60 * US_PER_S) /* longer without anything that came in: it stood still */

static const char *kind_name(int32_t kind)
{
    return kind == RUN_INITIAL ? "first sync" : kind == RUN_RETRY ? "retry" : "changes";
}

void run_say_begin(const struct g_link *l, int64_t run, int32_t kind)
{
    log_line(LOG_INFO, NULL, "\"%.*s\" %.*s: run %lld (%s) begins", STR_FMT(l->conn->row.name), STR_FMT(l->row.name),
             (long long)run, kind_name(kind));
}

static void say_end(const struct g_link *l, const struct run *r, const struct run_count *counts, size_t n)
{
    static const char *const states[] = {
        [RUN_SUCCEEDED] = "done", [RUN_PARTIAL] = "done, some failed", [RUN_CANCELLED] = "cancelled"};
    const char *state = r->state >= 0 && (size_t)r->state < ARRAY_LEN(states) ? states[r->state] : NULL;
    AUTO(buf_done) struct buf text = {.max = 1024};
    for (size_t i = 0; i < n; i++) {
        buf_fmt(&text, ", %s: %lld added, %lld updated, %lld matched, %lld failed", counts[i].to ? "to b" : "to a",
                (long long)counts[i].added, (long long)counts[i].updated, (long long)counts[i].matched,
                (long long)counts[i].failed);
        if (counts[i].deleted)
            buf_fmt(&text, ", %lld deleted", (long long)counts[i].deleted);
    }
    log_line(LOG_INFO, NULL, "\"%.*s\" %.*s: run %lld (%s) %s after %.1f s%s", STR_FMT(l->conn->row.name),
             STR_FMT(l->row.name), (long long)r->run, kind_name(r->kind), state ? state : "ended",
             (double)(r->ended_us - r->started_us) / (double)US_PER_S, buf_text(&text));
}

static int run_open(struct engine *g, struct g_link *l, int32_t kind, int64_t *out, struct err *e)
{
    struct run r = {.connection = l->row.connection,
                    .link = l->row.link,
                    .kind = kind,
                    .state = RUN_RUNNING,
                    .made_us = g_now(g),
                    .started_us = g_now(g),
                    .who = STR("engine"),
                    .total = -1};
    int rc = run_create(g->db, &r, e);
    if (rc != TL_OK)
        return rc;
    *out = r.run;
    run_say_begin(l, r.run, kind);
    return TL_OK;
}

int run_for(struct engine *g, struct g_link *l, int32_t lane, int64_t *run_out, struct err *e)
{
    if (l->row.run && l->row.phase < PHASE_LIVE) {
        *run_out = l->row.run;
        return TL_OK;
    }
    int64_t *slot = lane == LANE_RETRY ? &l->retry_run : &l->live_run;
    if (*slot == 0) {
        int rc = run_open(g, l, lane == LANE_RETRY ? RUN_RETRY : RUN_LIVE, slot, e);
        if (rc != TL_OK)
            return rc;
        l->live_run_until = g_now(g) + LIVE_RUN_US;
        l->run_is_new[lane == LANE_RETRY] = g->runs_new = true;
    }
    *run_out = *slot;
    return TL_OK;
}

void runs_settle(struct engine *g, bool committed)
{
    for (struct g_link *l = g->links; l && g->runs_new; l = l->next) {
        if (!committed && l->run_is_new[0])
            l->live_run = 0;
        if (!committed && l->run_is_new[1])
            l->retry_run = 0;
        l->run_is_new[0] = l->run_is_new[1] = false;
    }
    g->runs_new = false;
}

void run_count(struct engine *g, struct g_link *l, int64_t run, int to, enum run_field what)
{
    if (!l->counted) {
        l->next_counted = g->counted;
        g->counted = l;
        l->counted = true;
    }
    unsigned at = 0;
    while (at < ARRAY_LEN(l->counts) && l->counts[at].run != run && l->counts[at].run != 0)
        at++;
    if (at == ARRAY_LEN(l->counts))
        at--;
    l->counts[at].run = run;
    struct run_count *c = &l->counts[at].delta[to];
    c->to = to;
    c->link = l->row.link;
    switch (what) {
    case COUNT_ADDED:
        c->added++;
        break;
    case COUNT_UPDATED:
        c->updated++;
        break;
    case COUNT_MATCHED:
        c->matched++;
        break;
    case COUNT_DELETED:
        c->deleted++;
        break;
    case COUNT_FAILED:
        c->failed++;
        break;
    case COUNT_CONFLICT:
        c->conflict++;
        break;
    }
}

static bool count_empty(const struct run_count *c)
{
    return c->added + c->updated + c->matched + c->deleted + c->failed + c->conflict == 0;
}

/* The time since something of a first sync or sweep came in before: work, as long as it is no pause, outage or wait for
 * an allowance or for the night. */
static int note_busy(struct engine *g, struct g_link *l, struct err *e)
{
    int64_t gap = g_mono(g) - l->got_on_us;
    bool went_on = l->got_on_run == l->row.run && gap < STALLED_US;
    l->got_on_run = l->row.run;
    l->got_on_us = g_mono(g);
    return l->row.run && went_on && gap > 0 ? run_got_on(g->db, l->row.run, gap, e) : TL_OK;
}

int run_flush(struct engine *g, struct g_link *l, struct err *e)
{
    int rc = note_busy(g, l, e);
    for (unsigned i = 0; i < ARRAY_LEN(l->counts) && rc == TL_OK; i++)
        for (int to = 0; to < 2 && rc == TL_OK && l->counts[i].run; to++)
            if (!count_empty(&l->counts[i].delta[to]))
                rc = run_count_add(g->db, l->counts[i].run, &l->counts[i].delta[to], e);
    for (unsigned i = 0; i < ARRAY_LEN(l->counts); i++)
        l->counts[i] = (struct g_count){0};
    return rc;
}

int run_phase(struct engine *g, struct g_link *l, const char *phase, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct run r = {0};
    if (l->row.run == 0)
        return TL_OK;
    int rc = run_get(g->db, &a, l->row.run, &r, e);
    if (rc != TL_OK)
        return rc;
    r.phase = str_of(phase);
    r.state = RUN_RUNNING;
    return run_update(g->db, &r, e);
}

static int run_close(struct engine *g, const struct g_link *l, int64_t run, int32_t state, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct run r = {0};
    struct run_count *counts = NULL;
    size_t n = 0;
    int rc = run_get(g->db, &a, run, &r, e);
    if (rc == TL_OK)
        rc = run_count_list(g->db, &a, run, &counts, &n, e);
    if (rc != TL_OK)
        return rc;
    for (size_t i = 0; i < n; i++)
        if (counts[i].failed > 0 && state == RUN_SUCCEEDED)
            state = RUN_PARTIAL;
    r.state = state;
    r.ended_us = g_now(g);
    r.phase = STR("");
    rc = run_update(g->db, &r, e);
    if (rc == TL_OK)
        say_end(l, &r, counts, n);
    return rc;
}

int run_end(struct engine *g, struct g_link *l, int32_t state, struct err *e)
{
    int64_t run = l->row.run;
    l->row.run = 0;
    int rc = run_flush(g, l, e);
    return rc == TL_OK && run ? run_close(g, l, run, state, e) : rc;
}

bool run_turn(struct engine *g, struct g_link *l)
{
    if ((l->live_run == 0 && l->retry_run == 0) || l->live_run_until > g_now(g) || l->open_intents > 0 ||
        g->storage_down)
        return false;
    struct err e = {0};
    int rc = g_begin(g, &e);
    if (rc == TL_OK)
        rc = run_flush(g, l, &e);
    if (rc == TL_OK && l->live_run)
        rc = run_close(g, l, l->live_run, RUN_SUCCEEDED, &e);
    if (rc == TL_OK && l->retry_run)
        rc = run_close(g, l, l->retry_run, RUN_SUCCEEDED, &e);
    if (rc == TL_OK)
        limit_run_ended(g, l);
    rc = g_end(g, rc, "ending a run", &e);
    if (rc == TL_OK)
        l->live_run = l->retry_run = 0;
    g_step(g, 2);
    return rc == TL_OK;
}
