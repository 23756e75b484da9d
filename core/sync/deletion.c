/* Deletions that travel (`delete` of a link). Whether one may is decided when it is seen, and kept with the pair: the
 * vendor itself has to tell of it, while both sides are in step and the link exchanges changes. What only a whole
 * reading missed, a permission hides, a merge took away, a list view lost, or what is met after a restored database, a
 * brake or a long pause, is no such deletion, then or ever. Before the survivor is deleted both records are asked for
 * by their ids. */
#include "deletion.h"

#include "reading.h"
#include "undo.h"
#include "writing.h"

static bool is_gone(int32_t state)
{
    return state == TL_STATE_TRASHED || state == TL_STATE_DELETED;
}

static bool read_to_the_end(const struct g_feed *f)
{
    return f && f->row.full_pass_us && f->row.gap_us == 0;
}

/* Changes are exchanged as they come: nothing is caught up with that nobody watched. */
static bool in_step(const struct g_link *l)
{
    int32_t state = l->conn->row.state;
    return (state == CONN_ACTIVE || state == CONN_PAUSED) && l->row.enabled && l->row.phase == PHASE_LIVE &&
           l->row.brake_code.n == 0 && read_to_the_end(l->feed[0]) && read_to_the_end(l->feed[1]);
}

bool deletion_told(const struct pair *p, int side)
{
    return str_is(extra_get(p->extra, EXTRA_DELETED), side ? "b" : "a");
}

void deletion_forget(struct pair *p, struct arena *a)
{
    if (extra_get(p->extra, EXTRA_DELETED).n)
        p->extra = extra_set(p->extra, EXTRA_DELETED, (str){0}, a);
}

void deletion_seen(const struct g_link *l, struct loaded *ld, int side, int32_t before, bool told, struct arena *a)
{
    int32_t now = ld->rec[side].state;
    if (deletion_told(&ld->pair, side) && is_gone(before) && is_gone(now))
        return; /* from the bin for good */
    deletion_forget(&ld->pair, a);
    bool was_live = before == TL_STATE_LIVE && ld->snap.side[1 - side].state == SIDE_LIVE;
    bool outside = ld->pair.flags & (PAIR_OUTSIDE_A | PAIR_OUTSIDE_B);
    if (!told || !was_live || outside || !is_gone(now) || !l->rules.deletes[1 - side] || !in_step(l))
        return;
    ld->pair.extra = extra_set(ld->pair.extra, EXTRA_DELETED, side ? STR("b") : STR("a"), a);
}

/* ---- Carried out */

/* *waits: one of them was not asked for a moment ago; the answer wakes the pair. */
static int both_read(struct engine *g, struct g_link *l, struct loaded *ld, struct builder *b, int target, bool *waits,
                     struct err *e)
{
    *waits = false;
    for (int s = 0; s < 2; s++) {
        if (asked_just_now(g, ld->rec[s].rec))
            continue;
        *waits = true;
        if (!builder_has_room(b, target) || l->feed[s]->n_wants >= WANTS_MAX) {
            b->starved[target] = true;
            return TL_OK;
        }
        feed_want(l->feed[s], ld->rec[s].rec, ld->rec[s].id, g_mono(g), ld->pair.pair);
    }
    return *waits ? pair_later(g, l, ld, g_now(g) + READ_WAIT_US, e) : TL_OK;
}

int deletion_work(struct engine *g, struct g_link *l, struct loaded *ld, struct builder *b, int target, struct arena *a,
                  struct err *e)
{
    bool waits = false;
    str heir = {0};
    int dead = 1 - target;
    int rc = both_read(g, l, ld, b, target, &waits, e);
    if (rc == TL_OK && !waits)
        rc = match_heir(g, l, dead, &ld->rec[dead], a, &heir, e);
    if (rc != TL_OK || waits)
        return rc;
    if (heir.n) {
        const char *text = arena_fmt(a, "its counterpart %.*s was deleted, and %.*s has the same match key",
                                     STR_FMT(ld->rec[dead].id), STR_FMT(heir));
        struct trouble t = {.code = "SUSPECTED_MERGE", .id = ld->rec[target].id, .side = target, .text = text};
        return fail_pair(g, l, &ld->pair, &t, e);
    }
    rc = builder_add(g, l, b, target, TL_OP_DELETE, ld, NULL, e);
    return rc == E_BUSY ? TL_OK : rc;
}

/* What an undo put into the bin is taken back here, and not elsewhere. */
int deletion_note(struct engine *g, const struct g_link *l, const struct g_batch *b, int64_t rec, struct err *e)
{
    struct g_feed *f = l->feed[b->side];
    bool deletes = b->op == TL_OP_DELETE && !(b->flags & BATCH_UNDO);
    return deletes ? observe_deleted(g, f, rec, e) : observe_state(g, f, rec, TL_STATE_DELETED, (str){0}, e);
}

int deletion_apply(struct engine *g, struct g_link *l, struct g_batch *b, const struct g_entry *entry, bool observed,
                   struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct loaded ld, was;
    int rc = snapshot_load(g, l, entry->pair, &a, &ld, e);
    if (rc == TL_OK)
        rc = snapshot_at_write(g, l, &ld, &a, &was, e);
    if (rc == TL_OK)
        rc = change_note(g, l, b, entry, &was, ld.rec[b->side].id, &a, e);
    if (rc == TL_OK && (b->flags & BATCH_UNDO))
        rc = undo_trashed(g, b, entry, &a, e);
    if (rc == TL_OK && !observed)
        rc = deletion_note(g, l, b, ld.rec[b->side].rec, e);
    if (rc == TL_OK)
        rc = snapshot_load(g, l, entry->pair, &a, &ld, e);
    if (rc != TL_OK)
        return rc;
    deletion_forget(&ld.pair, &a);
    ld.pair.intent = 0;
    ld.pair.attempts = 0;
    ld.pair.status = PAIR_OK;
    ld.pair.due_us = g_now(g); /* it is a tombstone next, unless somebody brought a side back meanwhile */
    link_lanes_stale(l);
    rc = pair_store(g->db, &ld.pair, e);
    run_count(g, l, b->run, b->side, COUNT_DELETED);
    g->figures.deletes++;
    event_pair(g, l, entry->pair, b->side, ld.rec[b->side].id, "deleted");
    return rc;
}
