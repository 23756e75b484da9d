/* Passes: complete enumerations of a feed. Only one that ran from its first page under one shape, view and window may
 * say that a record has vanished, and even then the vendor is asked for that record before it counts as gone. */
#include <stdlib.h>

#include "attention.h"
#include "engine_int.h"
#include "log.h"

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
    f->n_vanished = f->live_seen = 0;
    f->walk = pass_walk_close(f->walk);
    return TL_OK;
}

/* ---- Lookups: built in key order after the first pass
 * ---------------------------------------------------------------- */

enum { BUILD_CLEAR, BUILD_COLLECT, BUILD_WRITE, BUILD_WRITE_REST };

static int build_collect(struct engine *g, struct g_feed *f, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct record *list = NULL;
    size_t n = 0;
    int rc = record_walk(g->db, &a, f->row.feed, str_of(f->build_after), PAGE_ROWS, &list, &n, e);
    if (rc != TL_OK)
        return rc;
    bool full = false;
    for (size_t i = 0; i < n; i++) {
        struct lookup_key keys[FEED_KEYS];
        unsigned n_keys = feed_lookup_keys(f, list[i].observation, &a, keys);
        for (unsigned k = 0; k < n_keys; k++)
            full |= lookup_build_add(f->build, &keys[k], list[i].rec);
    }
    if (n > 0) {
        text_free(f->build_after);
        f->build_after = str_dup(list[n - 1].id);
    }
    g_step(g, (unsigned)n + 1);
    if (n < PAGE_ROWS)
        f->build_step = BUILD_WRITE_REST;
    else if (full)
        f->build_step = BUILD_WRITE;
    return TL_OK;
}

static int build_write(struct engine *g, struct g_feed *f, struct err *e)
{
    bool empty = false;
    int rc = g_begin(g, e);
    if (rc == TL_OK)
        rc = lookup_build_write(f->build, 500, &empty, e);
    bool last = empty && f->build_step == BUILD_WRITE_REST;
    if (rc == TL_OK && last) {
        f->row.lookup_built = true;
        rc = feed_row_store(g, f, e);
    }
    rc = g_end(g, rc, "writing lookups", e);
    g_step(g, 500);
    if (rc != TL_OK) {
        f->row.lookup_built = false;
        lookup_build_repeat(f->build);
        return rc;
    }
    if (last) {
        f->build = lookup_build_free(f->build);
        f->build_after = text_free(f->build_after);
    } else if (empty) {
        f->build_step = BUILD_COLLECT;
    }
    return TL_OK;
}

static int build_turn(struct engine *g, struct g_feed *f, struct err *e)
{
    if (!f->build) {
        f->build = lookup_build_new(g->db, f->row.feed);
        f->build_step = BUILD_CLEAR;
        f->build_after = text_free(f->build_after);
    }
    if (f->build_step == BUILD_CLEAR) {
        bool done = false;
        int rc = lookup_clear(g->db, f->row.feed, 500, &done, e);
        g_step(g, 10);
        if (rc == TL_OK && done)
            f->build_step = BUILD_COLLECT;
        return rc;
    }
    return f->build_step == BUILD_COLLECT ? build_collect(g, f, e) : build_write(g, f, e);
}

/* ---- Vanished records
 * --------------------------------------------------------------------------------------------------- */

static void vanished_add(struct g_feed *f, int64_t rec)
{
    if (f->n_vanished == f->cap_vanished) {
        f->cap_vanished = f->cap_vanished ? 2 * f->cap_vanished : 64;
        f->vanished = realloc(f->vanished, sizeof *f->vanished * f->cap_vanished);
        ASSERT(f->vanished);
    }
    f->vanished[f->n_vanished++] = rec;
}

/* Too many at once, or all of them, look like a lost permission or a changed filter: nothing is created until a person
 * has looked. */
static int brake(struct engine *g, struct g_feed *f, struct err *e)
{
    AUTO(buf_done) struct buf text = {0};
    buf_fmt(&text, "%zu of %zu records of %.*s are not there any more", f->n_vanished, f->live_seen,
            STR_FMT(f->row.kind));
    int rc = TL_OK;
    for (struct feed_side *at = f->sides; at && rc == TL_OK; at = at->next) {
        struct g_link *l = at->l;
        l->row.brake_code = STR("SAFETY");
        l->row.brake_text = arena_str(&l->arena, buf_lent(&text));
        l->row.brake_us = g_now(g);
        rc = link_row_store(g, l, e);
        AUTO(buf_done) struct buf object = {0};
        buf_fmt(&object, "link %.*s/%.*s", STR_FMT(l->conn->row.name), STR_FMT(l->row.name));
        struct repair r = {
            .object = buf_lent(&object),
            .code = STR("SAFETY"),
            .level = TL_ERROR,
            .text = buf_lent(&text),
            .hint = STR("look whether the account lost a right or the list view changed, then release the connection")};
        if (rc == TL_OK)
            rc = repair_raise(g->db, &r, e);
    }
    return rc;
}

static int pass_finish(struct engine *g, struct g_feed *f, bool accepted, struct err *e)
{
    int rc = g_begin(g, e);
    if (rc == TL_OK)
        rc = pass_end(g->db, f->pass.pass, accepted ? PASS_COMPLETE : PASS_ABORTED, g_now(g), e);
    if (rc == TL_OK && accepted)
        rc = pass_end(g->db, f->pass.pass, PASS_EVALUATED, g_now(g), e);
    if (rc == TL_OK && !accepted)
        rc = brake(g, f, e);
    if (rc == TL_OK) {
        f->row.pass = 0;
        f->row.full_pass_us = g_now(g);
        f->row.shape_hash = f->shape_hash;
        f->row.gap_us = 0;
        rc = feed_row_store(g, f, e);
    }
    for (size_t i = 0; rc == TL_OK && accepted && i < f->n_vanished; i++) {
        AUTO(arena_done) struct arena a = {0};
        struct record rec = {0};
        int64_t feeds = 0;
        rc = record_get(g->db, &a, f->vanished[i], &rec, e);
        if (rc == TL_OK)
            rc = hint_put(g->db, f->row.endpoint, f->row.kind, rec.id, true, g_now(g) - DEBOUNCE_US, &feeds, e);
    }
    rc = g_end(g, rc, "ending a pass", e);
    if (rc != TL_OK)
        return rc;
    f->hint_due = 0;
    f->pass = (struct pass){0};
    f->pass_done = false;
    f->accept_vanished = false;
    f->walk = pass_walk_close(f->walk);
    f->n_vanished = 0;
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
        had = rc == TL_OK && rec.seen_us < f->pass.started_us;
    }
    if (rc == TL_OK)
        *had_out = had;
    return rc;
}

static int vanish_turn(struct engine *g, struct g_feed *f, struct err *e)
{
    if (!f->walk) {
        f->n_vanished = f->live_seen = 0;
        int rc = pass_walk_open(&f->walk, g->db, f->row.feed, f->pass.pass, e);
        if (rc != TL_OK)
            return rc;
    }
    int64_t recs[PAGE_ROWS];
    size_t n = 0;
    bool end = false;
    int rc = pass_walk_next(f->walk, PAGE_ROWS, recs, &n, &end, e);
    g_step(g, PAGE_ROWS);
    if (rc != TL_OK)
        return rc;
    for (size_t i = 0; i < n; i++)
        vanished_add(f, recs[i]);
    if (!end)
        return TL_OK;
    f->live_seen = (size_t)f->pass.seen + f->n_vanished;
    size_t limit = f->live_seen / 20 > 20 ? f->live_seen / 20 : 20;
    bool too_many = f->n_vanished > limit;
    if (!too_many && f->pass.seen == 0)
        rc = had_rows(g, f, &too_many, e);
    bool accepted = !too_many || f->accept_vanished || f->row.full_pass_us == 0;
    return rc == TL_OK ? pass_finish(g, f, accepted, e) : rc;
}

static bool lookups_wait(const struct g_feed *f)
{
    return (f->pass_done || f->row.full_pass_us) && !f->row.lookup_built && f->n_keys;
}

bool pass_has_work(const struct g_feed *f)
{
    return f->pass_done || lookups_wait(f) || (f->pass.pass && f->pass.estimate == PASS_ENUMERATED);
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
        rc = build_turn(g, f, &e);
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
        schedule_feed(f); /* its links were waiting for that */
    return true;
}
