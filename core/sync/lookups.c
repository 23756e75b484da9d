/* The lookups of a feed: see lookups.h. */
#include "lookups.h"

#include "engine_int.h"

enum { BUILD_CLEAR, BUILD_COLLECT, BUILD_WRITE, BUILD_WRITE_REST };
enum { ROWS_A_SLICE = 500, CLEAR_STEPS = 10 };

bool lookups_whole(const struct g_feed *f)
{
    return f->n_keys == 0 || f->row.lookup_hash == f->keys_hash;
}

bool lookups_wait(const struct g_feed *f)
{
    return (f->pass_done || f->row.full_pass_us) && !lookups_whole(f);
}

void lookups_again(struct g_feed *f)
{
    f->build = lookup_build_free(f->build);
}

static unsigned keys_of(const struct g_feed *f, str observation, struct arena *a, struct lookup_key **out)
{
    unsigned n = 0;
    *out = arena_array(a, struct lookup_key, f->n_keys + 1);
    for (unsigned i = 0; i < f->n_keys; i++)
        n += key_of_observation(&f->keys[i], observation, a, &(*out)[n]);
    return n;
}

/* ---- Building ---------------------------------------------------------------------------------------------------- */

/* What is there is not kept up any more, or is about to go: it must not be taken for the whole, also not by who comes
 * back to the keys it was made for. */
static int rows_void(struct engine *g, struct g_feed *f, struct err *e)
{
    if (f->row.lookup_hash == 0)
        return TL_OK;
    f->row.lookup_hash = 0;
    return feed_row_store(g, f, e);
}

static int build_begin(struct engine *g, struct g_feed *f, struct err *e)
{
    int rc = rows_void(g, f, e);
    if (rc != TL_OK)
        return rc;
    f->build = lookup_build_new(g->db, f->row.feed);
    f->build_hash = f->keys_hash;
    f->build_step = BUILD_CLEAR;
    f->build_after = 0;
    return TL_OK;
}

static int build_clear(struct engine *g, struct g_feed *f, struct err *e)
{
    bool done = false;
    int rc = lookup_clear(g->db, f->row.feed, ROWS_A_SLICE, &done, e);
    g_step(g, CLEAR_STEPS);
    if (rc == TL_OK && done)
        f->build_step = BUILD_COLLECT;
    return rc;
}

static int build_collect(struct engine *g, struct g_feed *f, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct record *list = NULL;
    size_t n = 0;
    int rc = record_walk(g->db, &a, f->row.feed, f->build_after, PAGE_ROWS, &list, &n, e);
    if (rc != TL_OK)
        return rc;
    bool full = false;
    for (size_t i = 0; i < n; i++) {
        struct lookup_key *keys = NULL;
        unsigned n_keys = keys_of(f, list[i].observation, &a, &keys);
        for (unsigned k = 0; k < n_keys; k++)
            full |= lookup_build_add(f->build, &keys[k], list[i].rec);
    }
    if (n > 0)
        f->build_after = list[n - 1].rec;
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
        rc = lookup_build_write(f->build, ROWS_A_SLICE, &empty, e);
    bool last = empty && f->build_step == BUILD_WRITE_REST;
    if (rc == TL_OK && last) {
        f->row.lookup_hash = f->build_hash;
        rc = feed_row_store(g, f, e);
    }
    rc = g_end(g, rc, "writing lookups", e);
    g_step(g, ROWS_A_SLICE);
    if (rc != TL_OK) {
        f->row.lookup_hash = 0;
        lookup_build_repeat(f->build);
        return rc;
    }
    if (last)
        f->build = lookup_build_free(f->build);
    else if (empty)
        f->build_step = BUILD_COLLECT;
    return TL_OK;
}

int lookups_turn(struct engine *g, struct g_feed *f, struct err *e)
{
    if (f->build && f->build_hash != f->keys_hash)
        lookups_again(f);
    int rc = f->build ? TL_OK : build_begin(g, f, e);
    if (rc != TL_OK)
        return rc;
    switch (f->build_step) {
    case BUILD_CLEAR:
        return build_clear(g, f, e);
    case BUILD_COLLECT:
        return build_collect(g, f, e);
    default:
        return build_write(g, f, e);
    }
}

/* ---- Following --------------------------------------------------------------------------------------------------- */

/* The record was collected as it had been before. */
static bool build_has(const struct g_feed *f, int64_t rec)
{
    return f->build && f->build_step != BUILD_CLEAR && (f->build_step == BUILD_WRITE_REST || rec <= f->build_after);
}

static bool same_keys(const struct lookup_key *a, unsigned n_a, const struct lookup_key *b, unsigned n_b)
{
    bool same = n_a == n_b;
    for (unsigned i = 0; i < n_a && same; i++)
        same = lookup_key_same(&a[i], &b[i]);
    return same;
}

int lookups_follow(struct engine *g, struct g_feed *f, int64_t rec, str old, str now, struct arena *a, bool *moved,
                   struct err *e)
{
    bool same = true, whole = lookups_whole(f);
    int rc = f->row.lookup_hash == f->keys_hash ? TL_OK : rows_void(g, f, e);
    if (rc == TL_OK && f->n_keys && (whole || moved || build_has(f, rec))) {
        struct lookup_key *before, *after;
        unsigned n_before = keys_of(f, old, a, &before), n_after = keys_of(f, now, a, &after);
        same = same_keys(before, n_before, after, n_after);
        if (!same && whole) {
            rc = lookup_change(g->db, f->row.feed, rec, before, n_before, after, n_after, e);
        } else if (!same && build_has(f, rec)) {
            lookup_build_change(f->build, rec, before, n_before, after, n_after);
            g->lookups_told = true;
        }
    }
    if (rc == TL_OK && moved)
        *moved = !same;
    return rc;
}

void lookups_settle(struct engine *g, bool committed)
{
    for (struct g_feed *f = g->lookups_told && !committed ? g->feeds : NULL; f; f = f->next)
        lookups_again(f);
    g->lookups_told = false;
}
