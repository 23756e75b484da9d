/* Feeds. */
#include "feeds.h"

#include "db_int.h"
#include "sql.h"

#define COLUMNS                                                                                                        \
    "feed, endpoint, kind, view, cursor, cursor_at, pulled, shape_hash, pass, full_pass, lookup_hash, gap, accepted, " \
    "mirrored"

enum {
    Q_GET,
    Q_FIND,
    Q_LIST,
    Q_LIST_ALL,
    Q_INSERT,
    Q_UPDATE,
    Q_CURSOR,
    Q_MIRROR,
    Q_IN_USE,
    Q_DELETE_LOOKUP,
    Q_DELETE_RECORDS,
    Q_DELETE_HINTS,
    Q_DELETE_STRETCHES,
    Q_UNREAD,
    Q_UNUSED,
    Q_DELETE
};
static const char *const SQL[] = {
    [Q_GET] = "SELECT " COLUMNS " FROM feed WHERE feed = ?1",
    [Q_FIND] = "SELECT feed FROM feed WHERE endpoint = ?1 AND kind = ?2 AND view = ?3",
    [Q_LIST] = "SELECT " COLUMNS " FROM feed WHERE endpoint = ?1 ORDER BY feed",
    [Q_LIST_ALL] = "SELECT " COLUMNS " FROM feed ORDER BY feed",
    [Q_INSERT] = "INSERT INTO feed(feed, endpoint, kind, view) VALUES(?1, ?2, ?3, ?4)",
    [Q_UPDATE] = "UPDATE feed SET cursor = ?2, cursor_at = ?3, pulled = ?4, shape_hash = ?5, pass = ?6, "
                 "full_pass = ?7, lookup_hash = ?8, gap = ?9, accepted = ?10 WHERE feed = ?1",
    [Q_CURSOR] = "UPDATE feed SET cursor = ?2, cursor_at = ?3, pulled = ?4 WHERE feed = ?1",
    [Q_MIRROR] = "UPDATE feed SET mirrored = ?2 WHERE feed = ?1",
    [Q_IN_USE] = "SELECT EXISTS(SELECT 1 FROM link WHERE a_feed = ?1 OR b_feed = ?1) OR "
                 "EXISTS(SELECT 1 FROM feed WHERE feed = ?1 AND mirrored)",
    [Q_DELETE_LOOKUP] = "DELETE FROM lookup WHERE feed = ?1 AND (kind, key, rec) IN "
                        "(SELECT kind, key, rec FROM lookup WHERE feed = ?1 LIMIT ?2)",
    [Q_DELETE_RECORDS] = "DELETE FROM record WHERE rec IN (SELECT rec FROM record WHERE feed = ?1 LIMIT ?2)",
    [Q_DELETE_HINTS] = "DELETE FROM hint WHERE feed = ?1",
    [Q_UNREAD] = "UPDATE feed SET cursor = x'', cursor_at = 0, pulled = 0, shape_hash = 0, pass = 0, full_pass = 0, "
                 "lookup_hash = 0, gap = 0, accepted = 0 WHERE feed = ?1",
    [Q_UNUSED] =
        "SELECT feed FROM feed f WHERE NOT mirrored AND NOT EXISTS(SELECT 1 FROM link WHERE a_feed = f.feed) AND "
        "NOT EXISTS(SELECT 1 FROM link WHERE b_feed = f.feed) LIMIT 1",
    [Q_DELETE_STRETCHES] = "DELETE FROM stretch WHERE owner = ?1",
    [Q_DELETE] = "DELETE FROM feed WHERE feed = ?1",
};
SQL_TABLE(T, SQL_FEEDS, SQL);

static void read_feed(struct query *q, struct arena *a, struct feed *out)
{
    out->feed = get_i64(q);
    out->endpoint = get_i64(q);
    out->kind = get_text(q, a);
    out->view = get_text(q, a);
    out->cursor = get_text(q, a);
    out->cursor_us = get_i64(q);
    out->pulled_us = get_i64(q);
    out->shape_hash = get_u64(q);
    out->pass = get_i64(q);
    out->full_pass_us = get_i64(q);
    out->lookup_hash = get_u64(q);
    out->gap_us = get_i64(q);
    out->accepted_us = get_i64(q);
    out->mirrored = get_i64(q) != 0;
}

static int feed_find(struct db *db, int64_t endpoint, str kind, str view, int64_t *out, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_FIND, e);
    put_i64(&q, endpoint);
    put_text(&q, kind);
    put_text(&q, view);
    int rc = query_row(&q);
    if (rc == TL_OK)
        *out = get_i64(&q);
    return rc;
}

int feed_ensure(struct db *db, int64_t endpoint, str kind, str view, int64_t *out, struct err *e)
{
    int rc = feed_find(db, endpoint, kind, view, out, e);
    if (rc != TL_E_NOT_FOUND)
        return rc;
    AUTO(tx_end) struct tx tx;
    rc = tx_begin(&tx, db, e);
    if (rc)
        return rc;
    int64_t id = next_id(db, COUNT_FEED);
    AUTO(query_end) struct query q = query_begin(db, &T, Q_INSERT, e);
    put_i64(&q, id);
    put_i64(&q, endpoint);
    put_text(&q, kind);
    put_text(&q, view);
    rc = query_run(&q);
    if (rc == E_PRECONDITION)
        return err_set(e, TL_E_NOT_FOUND, "there is no endpoint %lld", (long long)endpoint);
    if (rc == TL_OK)
        rc = tx_commit(&tx, e);
    if (rc == TL_OK)
        *out = id;
    return rc;
}

int feed_get(struct db *db, struct arena *a, int64_t feed, struct feed *out, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_GET, e);
    put_i64(&q, feed);
    int rc = query_row(&q);
    if (rc == TL_OK)
        read_feed(&q, a, out);
    return rc;
}

int feed_list(struct db *db, struct arena *a, int64_t endpoint, struct feed **out, size_t *n, struct err *e)
{
    struct list l = {.a = a, .item_bytes = sizeof(struct feed)};
    AUTO(query_end) struct query q = query_begin(db, &T, endpoint ? Q_LIST : Q_LIST_ALL, e);
    if (endpoint)
        put_i64(&q, endpoint);
    int rc;
    while ((rc = query_row(&q)) == TL_OK)
        read_feed(&q, a, list_add(&l));
    return list_end(rc, &l, (void **)out, n);
}

int feed_update(struct db *db, const struct feed *f, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_UPDATE, e);
    put_i64(&q, f->feed);
    put_blob(&q, f->cursor);
    put_i64(&q, f->cursor_us);
    put_i64(&q, f->pulled_us);
    put_u64(&q, f->shape_hash);
    put_i64(&q, f->pass);
    put_i64(&q, f->full_pass_us);
    put_u64(&q, f->lookup_hash);
    put_i64(&q, f->gap_us);
    put_i64(&q, f->accepted_us);
    return query_run(&q);
}

int feed_mirror(struct db *db, int64_t feed, bool mirrored, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_MIRROR, e);
    put_i64(&q, feed);
    put_i64(&q, mirrored);
    return query_run(&q);
}

int feed_set_cursor(struct db *db, int64_t feed, str cursor, int64_t cursor_us, int64_t pulled_us, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_CURSOR, e);
    put_i64(&q, feed);
    put_blob(&q, cursor);
    put_i64(&q, cursor_us);
    put_i64(&q, pulled_us);
    return query_run(&q);
}

int64_t feed_record_count(struct db *db, int64_t feed)
{
    return tally_get(db, TALLY_RECORDS, feed);
}

/* ---- Delete ---------------------------------------------------------------------------------------------------- */

static int delete_some(struct db *db, int statement, int64_t feed, int max_rows, int *deleted, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, statement, e);
    put_i64(&q, feed);
    if (max_rows)
        put_i64(&q, max_rows);
    int rc = query_run(&q);
    if (rc == TL_OK)
        *deleted = query_changes(&q);
    return rc;
}

static int in_use(struct db *db, int64_t feed, bool *out, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_IN_USE, e);
    put_i64(&q, feed);
    int rc = query_row(&q);
    if (rc == TL_OK)
        *out = get_bool(&q);
    return rc;
}

static int delete_slice(struct db *db, int64_t feed, int max_rows, bool *done, struct err *e)
{
    int lookups = 0, records = 0, ignored;
    int rc = delete_some(db, Q_UNREAD, feed, 0, &ignored, e);
    if (rc == TL_OK)
        rc = delete_some(db, Q_DELETE_LOOKUP, feed, max_rows, &lookups, e);
    if (rc == TL_OK && lookups < max_rows)
        rc = delete_some(db, Q_DELETE_RECORDS, feed, max_rows - lookups, &records, e);
    if (rc)
        return rc;
    tally_add(db, TALLY_RECORDS, feed, -records);
    *done = lookups + records < max_rows;
    if (!*done)
        return TL_OK;
    memset(db->stretches, 0, sizeof db->stretches);
    rc = delete_some(db, Q_DELETE_HINTS, feed, 0, &ignored, e);
    if (rc == TL_OK)
        rc = delete_some(db, Q_DELETE_STRETCHES, feed, 0, &ignored, e);
    if (rc == TL_OK)
        rc = delete_some(db, Q_DELETE, feed, 0, &ignored, e);
    return rc == TL_OK ? tally_drop(db, TALLY_RECORDS, feed, e) : rc;
}

int feed_unused_next(struct db *db, int64_t *feed_out, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_UNUSED, e);
    int rc = query_row(&q);
    if (rc == TL_OK)
        *feed_out = get_i64(&q);
    return rc;
}

int feed_delete_slice(struct db *db, int64_t feed, int max_rows, bool *done_out, struct err *e)
{
    AUTO(tx_end) struct tx tx;
    bool is_used = false, done = false;
    int rc = tx_begin(&tx, db, e);
    if (rc == TL_OK)
        rc = in_use(db, feed, &is_used, e);
    if (rc == TL_OK && is_used)
        return err_set(e, E_PRECONDITION, "this feed is still read");
    if (rc == TL_OK)
        rc = delete_slice(db, feed, max_rows, &done, e);
    if (rc == TL_OK)
        rc = tx_commit(&tx, e);
    if (rc == TL_OK)
        *done_out = done;
    return rc;
}
