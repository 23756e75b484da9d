/* Pairs: ready work, lists, consistency. */
#include "buf.h"
#include "pairs_int.h"

#define FROM_LINK " FROM pair WHERE link = ?1 AND pair > ?2"

enum { Q_READY, Q_NEXT_DUE, Q_COUNT_DUE, Q_LIST, Q_LIST_STATUS, Q_LIST_RUN, Q_TOMBSTONES, Q_FSCK };
static const char *const SQL[] = {
    [Q_READY] = "SELECT pair FROM pair INDEXED BY pair_ready WHERE link = ?1 AND lane = ?2 AND due <= ?3 AND "
                "due IS NOT NULL AND intent = 0 ORDER BY due, pair LIMIT ?4",
    [Q_NEXT_DUE] = "SELECT due FROM pair INDEXED BY pair_ready WHERE link = ?1 AND lane = ?2 AND due IS NOT NULL AND "
                   "intent = 0 ORDER BY due LIMIT 1",
    [Q_COUNT_DUE] = "SELECT count(*) FROM pair INDEXED BY pair_ready WHERE link = ?1 AND due <= ?2 AND due IS NOT NULL "
                    "AND intent = 0",
    [Q_LIST] = "SELECT " PAIR_COLUMNS FROM_LINK " ORDER BY pair LIMIT ?3",
    [Q_LIST_STATUS] = "SELECT " PAIR_COLUMNS FROM_LINK " AND status = ?4 ORDER BY pair LIMIT ?3",
    [Q_LIST_RUN] = "SELECT " PAIR_COLUMNS FROM_LINK " AND (?4 < 0 OR status = ?4) AND run = ?5 AND pair BETWEEN "
                   "(SELECT pair_low FROM run WHERE run = ?5) AND (SELECT pair_high FROM run WHERE run = ?5) "
                   "ORDER BY pair LIMIT ?3",
    [Q_TOMBSTONES] = "SELECT p.pair, p.intent = 0 AND p.synced < ?4 AND coalesce(a.seen, 0) < ?4 AND "
                     "coalesce(b.seen, 0) < ?4 FROM pair p INDEXED BY pair_bad LEFT JOIN record a ON a.rec = p.a_rec "
                     "LEFT JOIN record b ON b.rec = p.b_rec WHERE p.link = ?1 AND p.status = 5 AND p.status <> 0 AND "
                     "p.pair > ?2 ORDER BY p.pair LIMIT ?3",
    [Q_FSCK] = "SELECT p.pair, p.link, l.link IS NULL, p.a_rec IS NOT NULL AND a.rec IS NULL, "
               "p.b_rec IS NOT NULL AND b.rec IS NULL, p.a_rec IS NULL AND p.b_rec IS NULL AND p.intent = 0, "
               "a.rec IS NOT NULL AND l.a_feed IS NOT NULL AND a.feed <> l.a_feed, "
               "b.rec IS NOT NULL AND l.b_feed IS NOT NULL AND b.feed <> l.b_feed, p.intent <> 0 AND i.intent IS NULL, "
               "p.status = 1 AND NOT EXISTS(SELECT 1 FROM parked k WHERE k.pair = p.pair), "
               "EXISTS(SELECT 1 FROM old_id o WHERE o.link = p.link AND o.pair <> p.pair AND "
               "((o.rec = p.a_rec AND a.state = 0) OR (o.rec = p.b_rec AND b.state = 0))) "
               "FROM pair p LEFT JOIN link l ON l.link = p.link LEFT JOIN record a ON a.rec = p.a_rec "
               "LEFT JOIN record b ON b.rec = p.b_rec LEFT JOIN intent i ON i.intent = p.intent "
               "WHERE p.pair > ?1 ORDER BY p.pair LIMIT ?2",
};
SQL_TABLE(T, SQL_PAIR_LISTS, SQL);

int pair_ready(struct db *db, int64_t link, enum lane lane, int64_t now_us, int64_t *pairs, size_t max, size_t *n,
               struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_READY, e);
    put_i64(&q, link);
    put_i64(&q, lane);
    put_i64(&q, now_us);
    return query_ids(&q, pairs, max, n);
}

int pair_next_due(struct db *db, int64_t link, enum lane lane, int64_t *due_out, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_NEXT_DUE, e);
    put_i64(&q, link);
    put_i64(&q, lane);
    int rc = query_row(&q);
    if (rc == TL_OK)
        *due_out = get_i64(&q);
    return rc;
}

int pair_count_due(struct db *db, int64_t link, int64_t until_us, int64_t *out, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_COUNT_DUE, e);
    put_i64(&q, link);
    put_i64(&q, until_us);
    int rc = query_row(&q);
    if (rc == TL_OK)
        *out = get_i64(&q);
    return rc;
}

int pair_list(struct db *db, struct arena *a, const struct pair_filter *f, size_t max, struct pair **out, size_t *n,
              struct err *e)
{
    struct list l = {.a = a, .item_bytes = sizeof(struct pair)};
    int statement = f->run ? Q_LIST_RUN : f->status >= 0 ? Q_LIST_STATUS : Q_LIST;
    AUTO(query_end) struct query q = query_begin(db, &T, statement, e);
    put_i64(&q, f->link);
    put_i64(&q, f->after);
    put_i64(&q, (int64_t)max);
    if (statement != Q_LIST)
        put_i64(&q, f->status);
    if (statement == Q_LIST_RUN)
        put_i64(&q, f->run);
    int rc;
    while ((rc = query_row(&q)) == TL_OK)
        pair_read(&q, a, list_add(&l));
    return list_end(rc, &l, (void **)out, n);
}

int tombstone_trim(struct db *db, int64_t link, int64_t *after, int64_t older_than_us, size_t max, bool *end_out,
                   struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    int64_t *old = arena_array(&a, int64_t, max + 1), last = *after;
    size_t looked = 0, n = 0;
    AUTO(query_end) struct query q = query_begin(db, &T, Q_TOMBSTONES, e);
    put_i64(&q, link);
    put_i64(&q, *after);
    put_i64(&q, (int64_t)max);
    put_i64(&q, older_than_us);
    int rc;
    for (; (rc = query_row(&q)) == TL_OK; looked++) {
        last = get_i64(&q);
        if (get_bool(&q))
            old[n++] = last;
    }
    rc = rc == TL_E_NOT_FOUND ? TL_OK : rc;
    for (size_t i = 0; i < n && rc == TL_OK; i++)
        rc = pair_delete(db, old[i], e);
    if (rc == TL_OK) {
        *after = last;
        *end_out = looked < max;
    }
    return rc;
}

int pair_fsck(struct db *db, int64_t *after, size_t max, struct buf *findings, bool *end, struct err *e)
{
    static const char *const text[] = {
        "its link does not exist",
        "its record of side a does not exist",
        "its record of side b does not exist",
        "it has no record and no open write",
        "its record of side a belongs to another feed",
        "its record of side b belongs to another feed",
        "its open write does not exist",
        "it is parked and waits for nothing",
        "one of its live records is an old id of another pair",
    };
    AUTO(query_end) struct query q = query_begin(db, &T, Q_FSCK, e);
    put_i64(&q, *after);
    put_i64(&q, (int64_t)max);
    size_t looked = 0;
    int64_t last = *after;
    int rc;
    for (; (rc = query_row(&q)) == TL_OK; looked++) {
        last = get_i64(&q);
        int64_t link = get_i64(&q);
        for (size_t i = 0; i < ARRAY_LEN(text); i++)
            if (get_bool(&q))
                buf_fmt(findings, "pair %lld of link %lld: %s\n", (long long)last, (long long)link, text[i]);
    }
    if (rc != TL_E_NOT_FOUND)
        return rc;
    *after = last;
    *end = looked < max;
    return TL_OK;
}
