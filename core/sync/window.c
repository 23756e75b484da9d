/* Windows: only records created since a time are paired. The time is fixed at the first start, or moves on with the
 * calendar. What is paired stays in step whatever its age, and what is referred to from inside is admitted. */
#include "engine_int.h"
#include "reading.h"
#include "writing.h"

int64_t window_from(const struct engine *g, const struct g_link *l)
{
    return l->slides_us ? g_now(g) - l->slides_us : l->row.created_from_us;
}

bool record_in_window(const struct engine *g, const struct g_link *l, const struct record *r)
{
    int64_t from = window_from(g, l);
    return from <= 0 || r->created_us == 0 || r->created_us >= from;
}

static bool has_window(const struct g_link *l)
{
    return l->slides_us > 0 || l->row.created_from_us > 0;
}

void feed_window(struct g_feed *f, int64_t *fixed_us, int64_t *slides_us)
{
    int64_t fixed = 0, slides = 0;
    f->windowed = f->sides && !f->mirror;
    for (const struct feed_side *at = f->sides; at; at = at->next) {
        const struct g_link *l = at->l;
        int64_t from = l->slides_us ? 0 : l->row.created_from_us;
        if (!l->usable)
            continue;
        f->windowed = f->windowed && has_window(l);
        slides = l->slides_us > slides ? l->slides_us : slides;
        fixed = from && (fixed == 0 || from < fixed) ? from : fixed;
    }
    *fixed_us = f->windowed ? fixed : 0;
    *slides_us = f->windowed ? slides : 0;
}

int64_t feed_created_from(const struct engine *g, const struct g_feed *f)
{
    int64_t from = NEVER;
    for (const struct feed_side *at = f->sides; at && f->windowed; at = at->next) {
        int64_t one = at->l->usable ? window_from(g, at->l) : NEVER;
        from = one < from ? one : from;
    }
    return from == NEVER ? 0 : from;
}

/* An own one-sided pair for a record from before the window: it gets its counterpart like one from inside. */
static int admit(struct engine *g, struct g_link *l, int s, int64_t rec, struct err *e)
{
    struct pair p = {.link = l->row.link,
                     .lane = LANE_LIVE,
                     .due_us = g_now(g),
                     .made_us = g_now(g),
                     .map_gen = l->row.map_gen,
                     .flags = PAIR_ADMITTED};
    p.rec[s] = rec;
    int rc = pair_insert(g->db, &p, e);
    link_lanes_stale(l);
    return rc == E_EXISTS ? TL_OK : rc;
}

static bool admits(const struct g_link *l, int s)
{
    return l->admits && has_window(l) && l->row.phase >= PHASE_MATCH && link_allows(l->rules.direction, 1 - s);
}

int window_referred(struct engine *g, struct g_link *l, int s, str id, int64_t pair_woken, struct arena *a,
                    struct err *e)
{
    struct record rec = {0};
    int64_t pair = 0;
    if (!l->feed[s] || !admits(l, s))
        return TL_OK;
    int rc = record_find(g->db, a, l->feed[s]->row.feed, id, &rec, e);
    if (rc == TL_E_NOT_FOUND) {
        feed_want(l->feed[s], 0, id, g_mono(g), pair_woken); /* a whole reading leaves it out: asked for */
        return TL_OK;
    }
    if (rc != TL_OK || rec.state != TL_STATE_LIVE || record_in_window(g, l, &rec))
        return rc;
    rc = pair_of_record(g->db, l->row.link, (enum side)s, rec.rec, (str){0}, &pair, e);
    return rc == TL_E_NOT_FOUND ? admit(g, l, s, rec.rec, e) : rc;
}

int window_matched(struct engine *g, struct g_link *l, struct pair *p, int side, int64_t rec_id, struct arena *a,
                   struct err *e)
{
    struct record rec = {0};
    int rc = record_get(g->db, a, rec_id, &rec, e);
    if (rc == TL_OK && !(p->flags & PAIR_ADMITTED) && !record_in_window(g, l, &rec))
        p->flags |= side ? PAIR_OUTSIDE_B : PAIR_OUTSIDE_A;
    return rc;
}

int window_outside(struct engine *g, struct g_link *l, int s, const struct record *rec, struct err *e)
{
    bool waited_for = false;
    int rc = admits(l, s) ? parked_on(g->db, l->row.link, (enum side)s, rec->id, &waited_for, e) : TL_OK;
    return rc == TL_OK && waited_for ? admit(g, l, s, rec->rec, e) : rc;
}

/* Who is asked for because a reference leads there is remembered in memory alone, and a whole reading leaves them out.
 */
bool window_recall(struct engine *g, struct g_link *l)
{
    AUTO(arena_done) struct arena a = {0};
    struct parked *list = NULL;
    size_t n = 0;
    struct err e = {0};
    if (!l->admits || !has_window(l)) {
        l->recall_after = -1;
        return false;
    }
    int rc = g_begin(g, &e);
    if (rc == TL_OK)
        rc = parked_for(g->db, &a, l->row.link, l->recall_after, PAGE_ROWS, &list, &n, &e);
    for (size_t i = 0; i < n && rc == TL_OK; i++)
        rc = window_referred(g, l, list[i].dep_side, list[i].dep_id, 0, &a, &e);
    rc = g_end(g, rc, "asking again for records that others wait for", &e);
    g_step(g, (unsigned)n + 1);
    if (rc == TL_OK) /* the last pair may have more rows than were listed */
        l->recall_after = n == PAGE_ROWS ? list[n - 1].pair - 1 : -1;
    return rc == TL_OK;
}
