/* What a run of changes did is taken back past the brake that stopped it: whoever asks for that does not want the rest
 * of the run let go on first. Only pairs that wait for the undo are worked on; all others wait for the release. */
#include "brake.h"
#include "reading.h"
#include "undo.h"

enum { SLICE_ROWS = 50 };

bool undo_passes(const struct g_link *l)
{
    const struct undo *u = l->conn ? l->conn->undo : NULL;
    return u && !u->dry && (u->link == 0 || u->link == l->row.link) && str_is(l->row.brake_code, BRAKE_CHANGES);
}

struct past {
    struct engine *g;
    struct g_link *l;
    struct builder b;
    int64_t due_us; /* wall: the next look */
};

static void look_at(struct past *p, int64_t due_us)
{
    if (due_us < p->due_us)
        p->due_us = due_us;
}

static int pair_past(struct past *p, int64_t pair, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct loaded ld;
    bool done = false;
    int rc = snapshot_load(p->g, p->l, pair, &a, &ld, e);
    g_step(p->g, 1);
    if (rc != TL_OK)
        return rc == TL_E_NOT_FOUND ? TL_OK : rc; /* look_after tells of it */
    if (ld.pair.intent || ld.pair.due_us == 0 || undo_of_pair(&ld.pair) != p->l->conn->undo->run)
        return TL_OK;
    if (ld.pair.due_us > g_now(p->g)) {
        look_at(p, ld.pair.due_us);
        return TL_OK;
    }
    look_at(p, g_now(p->g) + READ_WAIT_US);
    rc = work_unseen(p->g, p->l, &ld, &done, e);
    return rc == TL_OK && !done ? undo_work(p->g, p->l, &ld, &p->b, &a, &done, e) : rc;
}

static int rows_past(struct past *p, int64_t *after, bool *more, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct plan_filter f = {
        .run = p->l->conn->undo->run, .link = p->l->row.link, .what = -1, .state = ITEM_PLANNED, .after = *after};
    struct plan_item *rows = NULL;
    size_t n = 0;
    int rc = plan_item_list(p->g->db, &a, &f, SLICE_ROWS, &rows, &n, e);
    for (size_t i = 0; i < n && rc == TL_OK; i++)
        if (i == 0 || rows[i].pair != rows[i - 1].pair)
            rc = pair_past(p, rows[i].pair, e);
    *more = n == SLICE_ROWS;
    *after = *more ? rows[n - 1].item : 0;
    return rc;
}

bool undo_past_brake(struct engine *g, struct g_link *l)
{
    struct undo *u = l->conn->undo;
    struct past p = {.g = g, .l = l, .due_us = NEVER};
    struct err e = {0};
    int64_t after = u->past_after;
    bool more = false;
    if (!u->planned || l->hold_until > g_mono(g) || l->lane_hold[LANE_RETRY] > g_mono(g) || !link_feeds_ready(g, l))
        return false;
    builder_start(g, l, LANE_RETRY, &p.b);
    if (!builder_has_room(&p.b, 0) && !builder_has_room(&p.b, 1)) {
        lane_waits(g, l, LANE_RETRY, true, true);
        return false;
    }
    int rc = g_begin(g, &e);
    if (rc == TL_OK)
        rc = rows_past(&p, &after, &more, &e);
    if (rc == TL_OK)
        rc = builder_intents(g, l, &p.b, &e);
    if (rc == TL_OK)
        rc = run_flush(g, l, &e);
    rc = g_end(g, rc, "taking back past a brake", &e);
    bool sent = p.b.batches != NULL;
    builder_send(g, l, &p.b, rc);
    arena_done(&p.b.arena);
    if (rc != TL_OK) {
        l->hold_until = g_mono(g) + US_PER_S;
        return false;
    }
    bool starved = p.b.starved[0] || p.b.starved[1];
    if (starved && !sent)
        lane_waits(g, l, LANE_RETRY, p.b.starved[0], p.b.starved[1]);
    u->past_after = starved ? 0 : after;
    l->lane_due[LANE_RETRY] = more || starved ? -1 : p.due_us;
    return sent || (more && !starved);
}
