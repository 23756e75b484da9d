#include "make_store.h"

#include <stdio.h>
#include <stdlib.h>

#include "connections.h"
#include "endpoints.h"
#include "feeds.h"
#include "obs.h"
#include "pairs.h"
#include "unicode.h"

enum { IN_ONE = 5000 };

void make_must(int rc, const struct err *e, const char *what)
{
    if (rc == TL_OK)
        return;
    fprintf(stderr, "%s: status %d, %s %s\n", what, rc, e->text, e->detail);
    exit(1);
}

struct filler {
    struct db *db;
    const struct vendors *v;
    uint32_t n;
    struct link link;
    uint32_t number[2][CONTACT_FIELDS];
    int64_t first[2]; /* rec of record 0 */
};

static void numbers(struct filler *m, int side, int64_t endpoint)
{
    AUTO(arena_done) struct arena a = {0};
    struct err e = {0};
    struct field_row *rows = NULL;
    size_t n = 0;
    make_must(field_list(m->db, &a, endpoint, str_of(m->v->kind), &rows, &n, &e), &e, "fields");
    for (size_t i = 0; i < n; i++)
        for (unsigned f = 0; f < CONTACT_FIELDS; f++)
            if (str_is(rows[i].path, vendors_path(f)))
                m->number[side][f] = rows[i].number;
}

static void one_record(struct filler *m, int side, uint32_t k, struct lookup_build *lookups, struct arena *a)
{
    struct err e = {0};
    tl_value values[CONTACT_FIELDS], kept[CONTACT_FIELDS];
    tl_record r;
    size_t n = 0;
    AUTO(buf_done) struct buf blob = {0};
    AUTO(buf_done) struct buf folded = {0};
    vendors_record(m->v, side, k, a, &r, values);
    for (unsigned f = 0; f < CONTACT_FIELDS; f++)
        if (m->number[side][f]) {
            kept[n] = values[f];
            kept[n++].field = m->number[side][f];
        }
    obs_add_all(&blob, kept, n);
    struct record rec = {.feed = m->link.feed[side],
                         .id = r.id,
                         .version_kind = r.version_kind,
                         .version = r.version,
                         .modified_us = r.modified_us,
                         .created_us = r.created_us,
                         .seen_us = env_now_us(db_env(m->db)),
                         .seen_hash = store_hash(blob.p, blob.n),
                         .by = r.by,
                         .observation = buf_lent(&blob)};
    make_must(record_put(m->db, &rec, &e), &e, "record");
    if (k == 0)
        m->first[side] = rec.rec;
    text_fold(&folded, values[1].u.s);
    struct lookup_key key = {.kind = LOOKUP_EMAIL, .text = buf_lent(&folded)};
    (void)lookup_build_add(lookups, &key, rec.rec); /* all of them: sorted once, written once */
}

static void one_side(struct filler *m, int side)
{
    AUTO(lookup_build_free) struct lookup_build *lookups = lookup_build_new(m->db, m->link.feed[side]);
    AUTO(arena_done) struct arena a = {0};
    struct err e = {0};
    for (uint32_t k = 0; k < m->n;) {
        make_must(db_begin(m->db, &e), &e, "begin");
        for (uint32_t end = k + IN_ONE; k < end && k < m->n; k++) {
            arena_reset(&a);
            one_record(m, side, k, lookups, &a);
        }
        make_must(db_commit(m->db, &e), &e, "commit");
    }
    for (bool empty = false; !empty;)
        make_must(lookup_build_write(lookups, IN_ONE, &empty, &e), &e, "look-ups");
}

static void all_pairs(struct filler *m)
{
    struct err e = {0};
    int64_t now = env_now_us(db_env(m->db));
    for (uint32_t k = 0; k < m->n;) {
        make_must(db_begin(m->db, &e), &e, "begin");
        for (uint32_t end = k + IN_ONE; k < end && k < m->n; k++) {
            struct pair p = {.link = m->link.link,
                             .rec = {m->first[0] + k, m->first[1] + k},
                             .flags = PAIR_CREATED_B,
                             .base = {{.kind = BASE_SAME}, {.kind = BASE_SAME}},
                             .lane = LANE_BULK,
                             .map_gen = m->link.map_gen,
                             .made_us = now,
                             .synced_us = now};
            make_must(pair_insert(m->db, &p, &e), &e, "pair");
        }
        make_must(db_commit(m->db, &e), &e, "commit");
    }
}

void make_store(struct db *db, const struct vendors *v, uint32_t n)
{
    AUTO(arena_done) struct arena a = {0};
    struct err e = {0};
    struct link *links = NULL;
    struct feed feed = {0};
    size_t n_links = 0;
    make_must(link_list(db, &a, 0, &links, &n_links, &e), &e, "link");
    struct filler m = {.db = db, .v = v, .n = n};
    for (size_t i = 0; i < n_links; i++) {
        make_must(feed_get(db, &a, links[i].feed[1], &feed, &e), &e, "feed");
        if (feed.endpoint == v->side[1].endpoint && str_is(feed.kind, v->kind))
            m.link = links[i];
    }
    ASSERT(m.link.link);
    for (int s = 0; s < 2; s++) {
        numbers(&m, s, v->side[s].endpoint);
        one_side(&m, s);
    }
    all_pairs(&m);
}
