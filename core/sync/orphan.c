/* Stamps that no pair explains: of a create whose outcome was lost with an older copy of the database, or of a former
 * connection of the same endpoints. The stamp of every record of the other side is made again, and the record that
 * bears one of them is bound to its source before anything is created. What stays unexplained is reported. */
#include <stdlib.h>

#include "passport.h"
#include "preview.h"
#include "reading.h"
#include "readopt.h"
#include "writing.h"

enum { ORPHAN_GENERATIONS = 8 };

static const char WAITS[] = "orphaned_stamp";

static bool asks(const struct g_link *l)
{
    return l->row.phase == PHASE_OBSERVE || preview_reads(l) || readopt_holds(l);
}

/* Does a link that is about to match for the first time, or has a new passport, ask whose the record is? Then the stamp
 * counts again, though the pair that it was made for, that of a former link, explained it once. */
bool orphan_asked(const struct engine *g, const struct g_feed *f, str stamp)
{
    if (stamp.n == 0 || !stamp_is_ours(g, stamp))
        return false;
    bool asked = false;
    for (const struct feed_side *at = f->sides; at && !asked; at = at->next)
        asked = asks(at->l);
    return asked;
}

int stamp_of_other_link(struct engine *g, const struct g_link *l, int64_t rec, bool *out, struct err *e)
{
    int rc = TL_OK;
    *out = false;
    for (int s = 0; s < 2 && rc == TL_OK && !*out; s++) {
        AUTO(arena_done) struct arena a = {0};
        struct pair_held *list = NULL;
        size_t n = 0;
        rc = pair_load_of_record(g->db, &a, (enum side)s, rec, &list, &n, e);
        for (size_t i = 0; i < n && rc == TL_OK; i++)
            *out |= list[i].pair.link != l->row.link && model_link(g, list[i].pair.link) &&
                    (list[i].pair.flags & (s ? PAIR_CREATED_B : PAIR_CREATED_A));
    }
    return rc;
}

int orphan_again(struct engine *g, const struct g_feed *f, int64_t rec, str stamp, struct err *e)
{
    int rc = TL_OK;
    for (const struct feed_side *at = f->sides; at && rc == TL_OK; at = at->next) {
        AUTO(arena_done) struct arena a = {0};
        struct g_link *l = at->l;
        struct pair own;
        bool is_free = false, elsewhere = false;
        if (asks(l))
            rc = readopt_free(g, l, at->side, rec, &a, &own, &is_free, e);
        if (rc == TL_OK && is_free)
            rc = stamp_of_other_link(g, l, rec, &elsewhere, e);
        if (!is_free || elsewhere)
            continue;
        struct held h = {.link = l->row.link, .side = at->side, .rec = rec, .at_us = g_now(g), .why = str_of(WAITS)};
        if (rc == TL_OK)
            rc = record_set_stamp(g->db, rec, stamp, e);
        if (rc == TL_OK)
            rc = held_put(g->db, &h, e);
        l->orphans = l->held = true;
        ready_wake(&l->ready);
    }
    return rc;
}

static int orphan_over(struct engine *g, struct g_link *l, const struct held *h, struct err *e)
{
    int rc = record_set_stamp(g->db, h->rec, (str){0}, e);
    return rc == TL_OK ? held_drop(g->db, l->row.link, h->rec, e) : rc;
}

/* The record keeps its mark: it is nobody's and gets no counterpart of its own until the trouble is over. One that is
 * gone troubles nobody. */
static int orphan_tell(struct engine *g, struct g_link *l, const struct held *h, const char *code, const char *text,
                       struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct record rec = {0};
    struct held told = *h;
    told.why = STR("reported");
    int rc = record_get(g->db, &a, h->rec, &rec, e);
    if (rc == TL_OK)
        rc = held_put(g->db, &told, e);
    struct trouble t = {.code = code, .id = rec.id, .side = h->side, .text = text};
    return rc == TL_OK && !record_has_left(rec.state) ? fail_record(g, l, &t, e) : rc;
}

static int orphan_bind(struct engine *g, struct g_link *l, const struct held *h, const struct record *source,
                       const struct origin *of, struct arena *a, struct err *e)
{
    refs_changed(g, l);
    int from = 1 - h->side;
    struct pair p = {0}, own = {0};
    int rc = pair_get_of_record(g->db, a, l->row.link, (enum side)h->side, h->rec, (str){0}, &own, e);
    bool alone = rc == TL_OK && !own.rec[from];
    if (rc == TL_OK && !alone) /* its own counterpart, made for it later, was bound to it: that one counts */
        return orphan_over(g, l, h, e);
    if (alone && own.intent)
        return TL_OK;
    if (rc == TL_OK || rc == TL_E_NOT_FOUND)
        rc = pair_get_of_record(g->db, a, l->row.link, (enum side)from, source->rec, of->slot, &p, e);
    if (rc != TL_OK && rc != TL_E_NOT_FOUND)
        return rc;
    if (rc == TL_OK && p.intent)
        return TL_OK; /* looked at again when the intent closes */
    if (alone && (rc == TL_E_NOT_FOUND || !p.rec[h->side])) {
        int given = readopt_give_up(g, &own, e);
        if (given != TL_OK)
            return given;
    }
    if (p.rec[h->side] && p.rec[h->side] != h->rec)
        return orphan_tell(g, l, h, "DUPLICATE_CREATED", "its source record has a counterpart already", e);
    if (rc == TL_E_NOT_FOUND) {
        p = (struct pair){.link = l->row.link,
                          .slot = of->slot,
                          .made_us = g_now(g),
                          .map_gen = l->row.map_gen,
                          .lane = LANE_BULK,
                          .due_us = g_now(g)};
        p.rec[from] = source->rec;
        p.rec[h->side] = h->rec;
        p.gen[h->side] = (int32_t)of->gen;
        p.flags = h->side ? PAIR_CREATED_B : PAIR_CREATED_A;
        rc = pair_insert(g->db, &p, e);
    } else if (!p.rec[h->side]) {
        p.rec[h->side] = h->rec;
        p.gen[h->side] = (int32_t)of->gen;
        p.flags |= h->side ? PAIR_CREATED_B : PAIR_CREATED_A;
        p.status = PAIR_OK;
        p.due_us = g_now(g);
        rc = pair_store(g->db, &p, e);
    }
    return rc == TL_OK ? orphan_over(g, l, h, e) : rc;
}

/* The record that bears this stamp, if it waits for an explanation. */
static int orphan_explained(struct engine *g, struct g_link *l, const struct record *source, const struct origin *of,
                            const char *stamp, struct arena *a, struct err *e)
{
    int64_t rec = 0;
    struct held h = {0};
    int rc = record_find_stamp(g->db, l->feed[l->orphan_side]->row.feed, str_of(stamp), &rec, e);
    if (rc == TL_OK)
        rc = held_get(g->db, a, l->row.link, rec, &h, e);
    if (rc == TL_OK && str_is(h.why, WAITS))
        rc = orphan_bind(g, l, &h, source, of, a, e);
    return rc == TL_E_NOT_FOUND ? TL_OK : rc;
}

/* By us, or by an instance whose passport we have. */
static int orphan_of(struct engine *g, struct g_link *l, const struct record *source, const struct origin *of,
                     struct arena *a, struct err *e)
{
    const struct passport_stamps *at = NULL;
    const char *instance = db_instance(g->db);
    const struct stamp_key *key = db_stamp_key(g->db);
    int rc;
    do {
        char stamp[40];
        stamp_of_instance(l, 1 - l->orphan_side, of, instance, key, stamp);
        rc = orphan_explained(g, l, source, of, stamp, a, e);
    } while (rc == TL_OK && passport_stamp_next(g, &at, &instance, &key));
    return rc;
}

/* The records of the other side that bear a stamp of this source. */
static int orphan_explain(struct engine *g, struct g_link *l, const struct record *source, struct arena *a,
                          struct err *e)
{
    int rc = TL_OK;
    for (uint32_t i = 0; i < l->n_slots; i++)
        for (uint32_t gen = 0; gen < ORPHAN_GENERATIONS && rc == TL_OK; gen++)
            rc = orphan_of(g, l, source, &(struct origin){source->id, l->slots[i], gen}, a, e);
    return rc;
}

/* The next page of source records. Whoever came into sight after the first page is compared in a walk of its own. */
static int orphan_page(struct engine *g, struct g_link *l, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct record *page = NULL;
    size_t n = 0;
    int rc = record_walk(g->db, &a, l->feed[1 - l->orphan_side]->row.feed, l->orphan_after, PAGE_ROWS, &page, &n, e);
    for (size_t i = 0; i < n && rc == TL_OK; i++)
        rc = orphan_explain(g, l, &page[i], &a, e);
    g_step(g, (unsigned)n * 4 + 1);
    if (rc != TL_OK)
        return rc;
    l->orphans_compared = n < PAGE_ROWS;
    l->orphan_after = l->orphans_compared ? 0 : page[n - 1].rec;
    return TL_OK;
}

/* One slice. *end: nothing of this side waits any more. */
static int orphan_slice(struct engine *g, struct g_link *l, bool *end, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct held *list = NULL;
    size_t n = 0;
    if (!l->orphan_after && !l->orphans_compared)
        l->orphan_since = g_now(g);
    int rc = held_waiting(g->db, &a, l->row.link, l->orphan_side, str_of(WAITS), PAGE_ROWS, &list, &n, e);
    *end = rc == TL_OK && n == 0;
    if (rc != TL_OK || n == 0) {
        l->orphans_compared = false;
        l->orphan_after = 0;
        return rc;
    }
    if (!l->orphans_compared)
        return orphan_page(g, l, e);
    size_t reported = 0;
    for (size_t i = 0; i < n && rc == TL_OK; i++) {
        struct record rec = {0};
        if (list[i].at_us > l->orphan_since)
            continue; /* came into sight under way: not compared with the pages before */
        rc = record_get(g->db, &a, list[i].rec, &rec, e);
        if (rc == TL_OK && rec.stamp.n == 0)
            rc = held_drop(g->db, l->row.link, rec.rec, e);
        else if (rc == TL_OK)
            rc = orphan_tell(g, l, &list[i], "ORPHANED_STAMP", "the record carries our mark", e);
        reported++;
    }
    l->orphans_compared = reported > 0; /* else all over again, for those that came later */
    return rc;
}

bool orphan_turn(struct engine *g, struct g_link *l)
{
    if ((!l->orphans && !readopt_holds(l)) || !link_runs(l) || l->row.phase == PHASE_NEW || g->storage_down)
        return false;
    if (readopt_waits(l) || !link_feeds_ready(g, l))
        return false;
    struct err e = {0};
    bool end = false;
    int rc = g_begin(g, &e);
    bool bound = l->passports_bound;
    int64_t since = l->row.readopt_us;
    if (rc == TL_OK && readopt_holds(l)) {
        rc = readopt_bind(g, l, &e);
        l->orphans = true;
    } else if (rc == TL_OK && !bound) {
        rc = passport_slice(g, l, &bound, &e);
    } else if (rc == TL_OK) {
        rc = orphan_slice(g, l, &end, &e);
    }
    rc = g_end(g, rc, "explaining stamps", &e);
    g_step(g, 1);
    if (rc == TL_OK)
        l->passports_bound = bound;
    else
        l->row.readopt_us = since;
    if (rc == TL_OK && end) {
        l->orphan_after = 0;
        if (l->orphan_side == 0) {
            l->orphan_side = 1;
        } else {
            l->orphan_side = 0;
            l->orphans = false;
        }
    }
    link_lanes_stale(l);
    return rc == TL_OK;
}
