/* Counts that are wrong and rows of what is gone: found, and put right. */
#include "db_int.h"
#include "fsck.h"

#define NO_PAIR(table) " FROM " table " t WHERE NOT EXISTS(SELECT 1 FROM pair p WHERE p.pair = t.pair)"
#define NO_REC(table)  " FROM " table " t WHERE NOT EXISTS(SELECT 1 FROM record r WHERE r.rec = t.rec)"
#define NO_FEED        " FROM stretch t WHERE NOT EXISTS(SELECT 1 FROM feed f WHERE f.feed = t.owner)"
#define LOST_STRETCHES                                                                                                 \
    "SELECT DISTINCT feed, rec >> 6 FROM record r WHERE EXISTS(SELECT 1 FROM feed f WHERE f.feed = r.feed) AND "       \
    "NOT EXISTS(SELECT 1 FROM stretch s WHERE s.owner = r.feed AND s.n = r.rec >> 6)"
#define COUNT(where)            "(SELECT count(*)" where ")"
#define DROP(table, where, key) "DELETE FROM " table " WHERE (" key ") IN (SELECT " key where " LIMIT ?1)"

enum {
    Q_TALLY_PAIRS,
    Q_TALLY_RECORDS,
    Q_TALLY_ADD,
    Q_COUNT,
    Q_DROP_CONFLICT,
    Q_DROP_PARKED,
    Q_DROP_OLD,
    Q_DROP_SOURCE,
    Q_DROP_HELD,
    Q_DROP_LOOKUP,
    Q_DROP_STRETCH,
    Q_DROP_END,
    Q_LOST = Q_DROP_END,
    Q_FOUND
};
static const char *const SQL[] = {
    [Q_TALLY_PAIRS] = "SELECT 1, l.link, (SELECT count(*) FROM pair p WHERE p.link = l.link), "
                      "(SELECT count(*) FROM pair p WHERE p.link = l.link AND a_rec IS NOT NULL AND b_rec IS NOT "
                      "NULL), (SELECT count(*) FROM pair p WHERE p.link = l.link AND unsettled <> 0) FROM link l "
                      "WHERE l.mode <> 3",
    [Q_TALLY_RECORDS] = "SELECT f.feed, (SELECT count(*) FROM record r WHERE r.feed = f.feed) FROM feed f",
    [Q_TALLY_ADD] = "INSERT INTO tally(what, owner, n) VALUES(?1, ?2, ?3) ON CONFLICT(what, owner) DO UPDATE SET "
                    "n = n + excluded.n",
    [Q_COUNT] =
        "SELECT " COUNT(NO_PAIR("conflict")) " + " COUNT(NO_PAIR("parked")) " + " COUNT(NO_PAIR("old_id")) " + " COUNT(
            NO_PAIR("intent_source")) " + " COUNT(NO_REC("held")) " + " COUNT(NO_REC("lookup")) " + " COUNT(NO_FEED),
    [Q_DROP_CONFLICT] = DROP("conflict", NO_PAIR("conflict"), "pair, map_no"),
    [Q_DROP_PARKED] = DROP("parked", NO_PAIR("parked"), "pair, map_no"),
    [Q_DROP_OLD] = DROP("old_id", NO_PAIR("old_id"), "link, rec"),
    [Q_DROP_SOURCE] = DROP("intent_source", NO_PAIR("intent_source"), "pair, side"),
    [Q_DROP_HELD] = DROP("held", NO_REC("held"), "link, rec"),
    [Q_DROP_LOOKUP] = DROP("lookup", NO_REC("lookup"), "feed, kind, key, rec"),
    [Q_DROP_STRETCH] = DROP("stretch", NO_FEED, "owner, n"),
    [Q_LOST] = "SELECT count(*) FROM (" LOST_STRETCHES ")",
    [Q_FOUND] = "INSERT INTO stretch(owner, n) " LOST_STRETCHES " LIMIT ?1",
};
SQL_TABLE(T, SQL_FSCK_MEND, SQL);

static void compare(struct db *db, struct list *l, int32_t what, int64_t owner, int64_t counted)
{
    int64_t stored = tally_get(db, (enum tally)what, owner);
    if (stored != counted)
        *(struct fsck_tally *)list_add(l) =
            (struct fsck_tally){.what = what, .owner = owner, .stored = stored, .counted = counted};
}

int fsck_tallies(struct db *db, struct arena *a, struct fsck_tally **out, size_t *n, struct err *e)
{
    struct list l = {.a = a, .item_bytes = sizeof(struct fsck_tally)};
    AUTO(query_end) struct query pairs = query_begin(db, &T, Q_TALLY_PAIRS, e);
    int rc;
    while ((rc = query_row(&pairs)) == TL_OK) {
        get_skip(&pairs);
        int64_t link = get_i64(&pairs);
        for (int32_t what = TALLY_PAIRS; what <= TALLY_UNSETTLED; what++)
            compare(db, &l, what, link, get_i64(&pairs));
    }
    if (rc != TL_E_NOT_FOUND)
        return rc;
    AUTO(query_end) struct query records = query_begin(db, &T, Q_TALLY_RECORDS, e);
    while ((rc = query_row(&records)) == TL_OK) {
        int64_t feed = get_i64(&records);
        compare(db, &l, TALLY_RECORDS, feed, get_i64(&records));
    }
    return list_end(rc, &l, (void **)out, n);
}

int fsck_tally_mend(struct db *db, const struct fsck_tally *t, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_TALLY_ADD, e);
    put_i64(&q, t->what);
    put_i64(&q, t->owner);
    put_i64(&q, t->counted - t->stored);
    return query_run(&q);
}

static int read_count(struct db *db, int statement, int64_t *n_out, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, statement, e);
    int rc = query_row(&q);
    if (rc == TL_OK)
        *n_out = get_i64(&q);
    return rc;
}

int fsck_orphans_count(struct db *db, int64_t *n_out, struct err *e)
{
    return read_count(db, Q_COUNT, n_out, e);
}

int fsck_orphans_drop(struct db *db, int max_rows, int64_t *n_out, struct err *e)
{
    AUTO(tx_end) struct tx tx;
    int64_t dropped = 0;
    int rc = tx_begin(&tx, db, e);
    for (int statement = Q_DROP_CONFLICT; statement < Q_DROP_END && rc == TL_OK && dropped < max_rows; statement++) {
        AUTO(query_end) struct query q = query_begin(db, &T, statement, e);
        put_i64(&q, max_rows - dropped);
        rc = query_run(&q);
        dropped += rc == TL_OK ? query_changes(&q) : 0;
        if (statement == Q_DROP_SOURCE && rc == TL_OK)
            db->sources -= query_changes(&q);
    }
    if (rc == TL_OK)
        rc = tx_commit(&tx, e);
    if (rc == TL_OK)
        *n_out = dropped;
    return rc;
}

int fsck_stretches_lost(struct db *db, int64_t *n_out, struct err *e)
{
    return read_count(db, Q_LOST, n_out, e);
}

int fsck_stretches_mend(struct db *db, int max_rows, int64_t *n_out, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_FOUND, e);
    put_i64(&q, max_rows);
    int rc = query_run(&q);
    if (rc == TL_OK)
        *n_out = query_changes(&q);
    return rc;
}
