/* Passes: complete enumerations of a feed. Only one that ran from its first page under one shape, view and window may
 * say that a record has vanished, and even then the vendor is asked for that record before it counts as gone. */
#include <stdlib.h>

#include "brake.h"
#include "engine_int.h"
#include "log.h"
#include "reading.h"

int pass_begin(struct engine *g, struct g_feed *f, struct err *e)
{
    struct pass p = {.feed = f->row.feed, .filter_hash = f->shape_hash, .started_us = g_now(g), .estimate = -1};
    int rc = g_begin(g, e);
    if (rc == TL_OK)
        rc = pass_start(g->db, &p, e);
    rc = g_end(g, rc, "starting a pass", e);
    if (rc != TL_OK)
        return rc;
    arena_reset(&f->pass_arena);
    f->pass = p;
    f->row.pass = p.pass;
    f->pass_done = false;
    f->want_pass = false;
    f->n_vanished = 0;
    f->vanished_known = false;
    f->walk = pass_walk_close(f->walk);
    shift_begin(f);
    return TL_OK;
}

/* ---- Vanished records */

static void vanished_add(struct g_feed *f, int64_t rec)
{
    if (f->n_vanished == f->cap_vanished) {
        f->cap_vanished = f->cap_vanished ? 2 * f->cap_vanished : 64;
        f->vanished = realloc(f->vanished, sizeof *f->vanished * f->cap_vanished);
        ASSERT(f->vanished);
    }
    f->vanished[f->n_vanished++] = rec;
}

/* Looks like a lost permission, a changed view or a format that moved: nothing is created or changed until a person has
 * looked. */
static int brake(struct engine *g, struct g_feed *f, str text, struct err *e)
{
    int rc = TL_OK;
    for (struct feed_side *at = f->sides; at && rc == TL_OK; at = at->next)
        rc = link_brake(
            g, at->l, BRAKE_SAFETY, text,
            "look whether the account lost a right, or the list view or a format changed at the vendor, then "
            "release the connection",
            e);
    return rc;
}

/* A pass of a feed with a window leaves out what was created before it. */
static bool is_older(const struct engine *g, const struct g_feed *f, const struct record *rec)
{
    return f->windowed && rec->created_us && rec->created_us < feed_created_from(g, f);
}

/* The vendor is asked for a record that the pass did not meet: that decides whether it is gone. Met since, by a page of
 * changes: it is there. */
static int ask_for(struct engine *g, struct g_feed *f, int64_t rec_id, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct record rec = {0};
    int64_t feeds = 0;
    bool met = false;
    int rc = pass_has(g->db, f->pass.pass, rec_id, &met, e);
    if (rc != TL_OK || met)
        return rc;
    rc = record_get(g->db, &a, rec_id, &rec, e);
    if (rc == TL_OK && !is_older(g, f, &rec))
        rc = scope_vanished(g, f, &rec, e);
    if (rc == TL_OK)
        rc = hint_put(g->db, f->row.endpoint, f->row.kind, rec.id, HINT_MISSED, g_now(g) - DEBOUNCE_US, &feeds, e);
    return rc == TL_E_NOT_FOUND ? TL_OK : rc; /* its row went meanwhile */
}

/* A slice of them; a crash in between: the pass is looked at again from its end. */
static int ask_turn(struct engine *g, struct g_feed *f, struct err *e)
{
    size_t end = f->n_asked + PAGE_ROWS < f->n_vanished ? f->n_asked + PAGE_ROWS : f->n_vanished;
    int rc = g_begin(g, e);
    for (size_t i = f->n_asked; i < end && rc == TL_OK; i++)
        rc = ask_for(g, f, f->vanished[i], e);
    g_step(g, (unsigned)(end - f->n_asked) + 1);
    rc = g_end(g, rc, "asking for vanished records", e);
    if (rc == TL_OK) {
        f->n_asked = end;
        f->hint_due = 0;
    }
    return rc;
}

/* why empty: what it shows is taken as it is. */
static int pass_finish(struct engine *g, struct g_feed *f, str why, struct err *e)
{
    bool accepted = why.n == 0;
    int rc = g_begin(g, e);
    if (rc == TL_OK)
        rc = pass_end(g->db, f->pass.pass, accepted ? PASS_COMPLETE : PASS_ABORTED, g_now(g), e);
    if (rc == TL_OK && accepted)
        rc = pass_end(g->db, f->pass.pass, PASS_EVALUATED, g_now(g), e);
    if (rc == TL_OK && !accepted)
        rc = brake(g, f, why, e);
    if (rc == TL_OK && accepted)
        rc = unusable_unmet(g, f, f->pass.started_us, e);
    if (rc == TL_OK) {
        f->row.pass = 0;
        f->row.full_pass_us = g_now(g);
        f->row.shape_hash = f->shape_hash;
        f->row.gap_us = 0;
        f->row.accepted_us = 0;
        rc = feed_row_store(g, f, e);
    }
    rc = g_end(g, rc, "ending a pass", e);
    if (rc != TL_OK)
        return rc;
    f->pass = (struct pass){0};
    f->pass_done = false;
    f->vanished_known = false;
    f->walk = pass_walk_close(f->walk);
    f->n_vanished = 0;
    shift_begin(f);
    return TL_OK;
}

/* Did anything that vanished exist before the pass began? */
static int had_rows(struct engine *g, const struct g_feed *f, bool *had_out, struct err *e)
{
    int rc = TL_OK;
    bool had = false;
    for (size_t i = 0; i < f->n_vanished && rc == TL_OK && !had; i++) {
        AUTO(arena_done) struct arena a = {0};
        struct record rec = {0};
        rc = record_get(g->db, &a, f->vanished[i], &rec, e);
        had = rc == TL_OK && rec.seen_us < f->pass.started_us && !is_older(g, f, &rec);
        rc = rc == TL_E_NOT_FOUND ? TL_OK : rc;
    }
    if (rc == TL_OK)
        *had_out = had;
    return rc;
}

static int has_pair(struct engine *g, const struct g_feed *f, int64_t rec_id, bool *out, struct err *e)
{
    int rc = TL_E_NOT_FOUND;
    for (const struct feed_side *at = f->sides; at && rc == TL_E_NOT_FOUND; at = at->next) {
        int64_t pair = 0;
        rc = pair_of_record(g->db, at->l->row.link, (enum side)at->side, rec_id, (str){0}, &pair, e);
    }
    *out = rc == TL_OK;
    return rc == TL_E_NOT_FOUND ? TL_OK : rc;
}

/* What the window left out is read where it is paired: an edit that no page of changes showed would never be noticed
 * otherwise. Whether another one is gone the vendor tells by itself, or has to be asked. */
static int vanished_look(struct engine *g, struct g_feed *f, int64_t rec_id, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct record rec = {0};
    bool read = true;
    int rc = f->windowed ? record_get(g->db, &a, rec_id, &rec, e) : TL_OK;
    bool older = rc == TL_OK && is_older(g, f, &rec);
    if (older && (f->kind->desc.can & TL_CAN_DELETED))
        rc = has_pair(g, f, rec_id, &read, e);
    if (rc == TL_OK && read) {
        vanished_add(f, rec_id);
        f->n_older += older;
    }
    return rc == TL_E_NOT_FOUND ? TL_OK : rc;
}

static int vanished_collect(struct engine *g, struct g_feed *f, struct err *e)
{
    if (!f->walk) {
        f->n_vanished = f->n_older = f->n_asked = 0;
        int rc = pass_walk_open(&f->walk, g->db, f->row.feed, f->pass.pass, e);
        if (rc != TL_OK)
            return rc;
    }
    int64_t recs[PAGE_ROWS];
    size_t n = 0;
    bool end = false;
    int rc = pass_walk_next(f->walk, PAGE_ROWS, recs, &n, &end, e);
    g_step(g, PAGE_ROWS);
    for (size_t i = 0; i < n && rc == TL_OK; i++)
        rc = vanished_look(g, f, recs[i], e);
    f->vanished_known = rc == TL_OK && end;
    return rc;
}

/* What speaks against taking the pass as it is; empty: nothing, or a person accepted it. */
static int suspicion(struct engine *g, struct g_feed *f, struct buf *why, struct err *e)
{
    uint32_t field = 0;
    size_t gone = f->n_vanished - f->n_older, all = (size_t)f->pass.seen + gone;
    size_t limit = all / 20 > 20 ? all / 20 : 20;
    bool too_many = gone > limit;
    int rc = TL_OK;
    if (f->row.accepted_us || f->row.full_pass_us == 0 || !f->sides) /* of a mirror nothing is written */
        return TL_OK;
    if (!too_many && f->pass.seen == 0)
        rc = had_rows(g, f, &too_many, e);
    if (rc == TL_OK && too_many)
        buf_fmt(why, "%zu of %zu records of %.*s are not there any more", gone, all, STR_FMT(f->row.kind));
    else if (rc == TL_OK && shift_found(f, &field))
        buf_fmt(why, "\"%.*s\" is another in %u of %u records of %.*s at once", STR_FMT(f->shape.fields[field].path),
                f->shifted[field], f->compared, STR_FMT(f->row.kind));
    return rc;
}

static int vanish_turn(struct engine *g, struct g_feed *f, struct err *e)
{
    if (!f->vanished_known)
        return vanished_collect(g, f, e);
    AUTO(buf_done) struct buf why = {0};
    int rc = f->n_asked ? TL_OK : suspicion(g, f, &why, e);
    if (rc == TL_OK && why.n == 0 && f->n_asked < f->n_vanished)
        return ask_turn(g, f, e);
    return rc == TL_OK ? pass_finish(g, f, buf_lent(&why), e) : rc;
}

bool pass_has_work(const struct g_feed *f)
{
    return f->pass_done || lookups_wait(f) || (f->pass.pass && f->pass.estimate == PASS_ENUMERATED);
}

/* Its links were waiting for that, and those that look up in it who stands in. */
static void through(struct g_feed *f)
{
    schedule_feed(f);
    for (const struct feed_side *at = f->sides; at; at = at->next)
        for (struct g_link *l = at->l->conn->links; l; l = l->next_of_conn)
            if (l->leans)
                ready_wake(&l->ready);
}

bool pass_turn(struct engine *g, struct g_feed *f)
{
    struct err e = {0};
    if (g->storage_down || !f->wanted || !f->kind)
        return false;
    if (f->pass.pass && f->pass.estimate == PASS_ENUMERATED)
        f->pass_done = true;
    if (f->pass_done && f->pass.pass && f->pass.filter_hash != f->shape_hash) {
        f->pass_done = false; /* the shape changed: this pass proves nothing */
        return pass_begin(g, f, &e) == TL_OK;
    }
    int rc = TL_OK;
    if (lookups_wait(f))
        rc = lookups_turn(g, f, &e);
    else if (f->pass_done)
        rc = vanish_turn(g, f, &e);
    else
        return false;
    if (rc != TL_OK) {
        log_err(LOG_ERROR, "pass", &e);
        f->backoff_until = g_mono(g) + US_PER_S;
        return false;
    }
    if (!pass_has_work(f))
        through(f);
    return true;
}
