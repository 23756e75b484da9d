/* Records, and the observations that something still stands on when a newer one comes. */
#include "records.h"

#include <string.h>

#include "buf.h"
#include "db_int.h"
#include "records_int.h"

enum { ID_MAX = 255 };

enum {
    Q_PROBE,
    Q_GET,
    Q_FIND,
    Q_INSERT,
    Q_INSERT_BARE,
    Q_UPDATE,
    Q_FIRST,
    Q_TOUCH,
    Q_SET_STATE,
    Q_SET_RECHECK,
    Q_SET_STAMP,
    Q_RECHECKS,
    Q_FIND_STAMP,
    Q_WALK,
    Q_WALK_A,
    Q_WALK_B,
    Q_STRETCH,
    Q_DELETE,
    Q_USED,
    Q_STANDING,
    Q_OBSERVATION,
    Q_KEEP_A,
    Q_KEEP_B,
    Q_KEEP_SOURCE
};
static const char *const SQL[] = {
    [Q_PROBE] = "SELECT rec, seen_hash, state, CASE WHEN observation IS NOT NULL THEN 1 WHEN version IS NULL AND "
                "recheck IS NULL AND into_id IS NULL AND stamp IS NULL THEN 2 ELSE 0 END "
                "FROM record WHERE feed = ?1 AND remote_id = ?2",
    [Q_GET] = "SELECT " RECORD_COLUMNS " FROM record WHERE rec = ?1",
    [Q_FIND] = "SELECT " RECORD_COLUMNS " FROM record WHERE feed = ?1 AND remote_id = ?2",
    [Q_INSERT] =
        "INSERT INTO record(" RECORD_COLUMNS ") VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, "
        "?15, ?16)",
    [Q_INSERT_BARE] = "INSERT INTO record(" RECORD_COLUMNS ") VALUES(?1, ?2, ?3, 0, ?4, 0, NULL, 0, 0, ?5, NULL, NULL, "
                      "NULL, NULL, ?6, NULL)",
    [Q_UPDATE] = "UPDATE record SET seen_hash = ?2, state = ?3, version_kind = ?4, version = ?5, modified = ?6, "
                 "created = ?7, seen = ?8, recheck = ?9, into_id = ?10, by_user = ?11, stamp = ?12, check_sum = ?13, "
                 "observation = ?14 WHERE rec = ?1",
    [Q_FIRST] = "UPDATE record SET seen_hash = ?2, state = ?3, version_kind = ?4, version = ?5, modified = ?6, "
                "created = ?7, seen = ?8, by_user = ?9, check_sum = ?10, observation = ?11 "
                "WHERE rec = ?1 AND observation IS NULL",
    [Q_TOUCH] = "UPDATE record SET version = ?2, version_kind = ?3, modified = ?4, seen = ?5, seen_hash = ?6 "
                "WHERE rec = ?1",
    [Q_SET_STATE] = "UPDATE record SET state = ?2, into_id = ?3, seen = ?4 WHERE rec = ?1",
    [Q_SET_RECHECK] = "UPDATE record SET recheck = ?2 WHERE rec = ?1",
    [Q_SET_STAMP] = "UPDATE record SET stamp = ?2 WHERE rec = ?1",
    [Q_RECHECKS] = "SELECT rec FROM record WHERE feed = ?1 AND recheck <= ?2 ORDER BY recheck LIMIT ?3",
    [Q_FIND_STAMP] = "SELECT rec FROM record WHERE feed = ?1 AND stamp = ?2",
    [Q_WALK] = "SELECT " RECORD_COLUMNS FROM_STRETCHES,
    [Q_WALK_A] = "SELECT EXISTS(SELECT 1 FROM pair WHERE a_rec = rec AND link = ?4 AND slot = ''), " RECORD_COLUMNS
        FROM_STRETCHES,
    [Q_WALK_B] = "SELECT EXISTS(SELECT 1 FROM pair WHERE b_rec = rec AND link = ?4), " RECORD_COLUMNS FROM_STRETCHES,
    [Q_STRETCH] = "INSERT OR IGNORE INTO stretch(owner, n) VALUES(?1, ?2)",
    [Q_DELETE] = "DELETE FROM record WHERE rec = ?1 RETURNING feed",
    [Q_USED] = "SELECT EXISTS(SELECT 1 FROM pair WHERE a_rec = ?1) OR EXISTS(SELECT 1 FROM pair WHERE b_rec = ?1) OR "
               "EXISTS(SELECT 1 FROM old_id WHERE rec = ?1) OR EXISTS(SELECT 1 FROM held WHERE rec = ?1)",
    [Q_STANDING] = "SELECT pair, 0, a_base IS NULL, intent FROM pair WHERE a_rec = ?1 "
                   "UNION ALL SELECT pair, 1, b_base IS NULL, intent FROM pair WHERE b_rec = ?1",
    [Q_OBSERVATION] = "SELECT observation FROM record WHERE rec = ?1",
    [Q_KEEP_A] = "UPDATE pair SET a_base = ?2 WHERE pair = ?1",
    [Q_KEEP_B] = "UPDATE pair SET b_base = ?2 WHERE pair = ?1",
    [Q_KEEP_SOURCE] = "INSERT OR IGNORE INTO intent_source(pair, side, observation) VALUES(?1, ?2, ?3)",
};
SQL_TABLE(T, SQL_RECORDS, SQL);

/* ---- Rows ------------------------------------------------------------------------------------------------------ */

static uint64_t check_sum(int64_t rec, int64_t feed, str id, str observation)
{
    char who[3 * sizeof(uint64_t) + ID_MAX];
    uint64_t parts[3] = {(uint64_t)rec, (uint64_t)feed, observation.n ? store_hash(observation.p, observation.n) : 0};
    size_t n = id.n < ID_MAX ? id.n : ID_MAX;
    memcpy(who, parts, sizeof parts);
    if (n)
        memcpy(who + sizeof parts, id.p, n);
    return store_hash(who, sizeof parts + n);
}

void record_read(struct query *q, struct arena *a, struct record *out)
{
    out->rec = get_i64(q);
    out->feed = get_i64(q);
    out->id = get_id(q, a);
    out->seen_hash = get_u64(q);
    out->state = get_i32(q);
    out->version_kind = get_i32(q);
    out->version = get_text(q, a);
    out->modified_us = get_i64(q);
    out->created_us = get_i64(q);
    out->seen_us = get_i64(q);
    out->recheck_us = get_i64(q);
    out->into = get_id(q, a);
    out->by = get_id(q, a);
    out->stamp = get_text(q, a);
    uint64_t sum = get_u64(q);
    out->observation = get_text(q, a);
    out->damaged = sum != check_sum(out->rec, out->feed, out->id, out->observation);
}

int record_probe(struct db *db, int64_t feed, str id, struct record_probe *out, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_PROBE, e);
    put_i64(&q, feed);
    put_id(&q, id);
    int rc = query_row(&q);
    if (rc)
        return rc;
    out->rec = get_i64(&q);
    out->seen_hash = get_u64(&q);
    out->state = get_i32(&q);
    int64_t known = get_i64(&q);
    out->observed = known == 1;
    out->bare = known == 2;
    return TL_OK;
}

int record_get(struct db *db, struct arena *a, int64_t rec, struct record *out, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_GET, e);
    put_i64(&q, rec);
    int rc = query_row(&q);
    if (rc == TL_OK)
        record_read(&q, a, out);
    return rc;
}

int record_find(struct db *db, struct arena *a, int64_t feed, str id, struct record *out, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_FIND, e);
    put_i64(&q, feed);
    put_id(&q, id);
    int rc = query_row(&q);
    if (rc == TL_OK)
        record_read(&q, a, out);
    return rc;
}

static void put_walk(struct query *q, int64_t feed, int64_t after, size_t max)
{
    put_i64(q, feed);
    put_i64(q, after);
    put_i64(q, (int64_t)max);
}

int record_walk_link(struct db *db, struct arena *a, int64_t feed, int64_t link, enum side s, int64_t after, size_t max,
                     struct record **out, bool **paired_out, size_t *n, struct err *e)
{
    struct list l = {.a = a, .item_bytes = sizeof(struct record)};
    bool *paired = arena_array(a, bool, max + 1);
    AUTO(query_end) struct query q = query_begin(db, &T, s == SIDE_A ? Q_WALK_A : Q_WALK_B, e);
    put_walk(&q, feed, after, max);
    put_i64(&q, link);
    int rc;
    while ((rc = query_row(&q)) == TL_OK) {
        struct record *r = list_add(&l);
        paired[l.n - 1] = get_bool(&q);
        if (paired[l.n - 1])
            r->rec = get_i64(&q);
        else
            record_read(&q, a, r);
    }
    *paired_out = paired;
    return list_end(rc, &l, (void **)out, n);
}

int record_walk(struct db *db, struct arena *a, int64_t feed, int64_t after, size_t max, struct record **out, size_t *n,
                struct err *e)
{
    struct list l = {.a = a, .item_bytes = sizeof(struct record)};
    AUTO(query_end) struct query q = query_begin(db, &T, Q_WALK, e);
    put_walk(&q, feed, after, max);
    int rc;
    while ((rc = query_row(&q)) == TL_OK)
        record_read(&q, a, list_add(&l));
    return list_end(rc, &l, (void **)out, n);
}

/* ---- Keeping what is still needed ------------------------------------------------------------------------------ */

struct standing { /* a pair on this record that needs the old observation */
    int64_t pair;
    int side;
    bool base, source;
};

static int list_standing(struct db *db, struct arena *a, int64_t rec, struct standing **out, size_t *n, struct err *e)
{
    struct list l = {.a = a, .item_bytes = sizeof(struct standing)};
    AUTO(query_end) struct query q = query_begin(db, &T, Q_STANDING, e);
    put_i64(&q, rec);
    int rc;
    while ((rc = query_row(&q)) == TL_OK) {
        struct standing s = {.pair = get_i64(&q), .side = get_i32(&q)};
        s.base = get_bool(&q);
        s.source = get_i64(&q) != 0;
        if (s.base || s.source)
            *(struct standing *)list_add(&l) = s;
    }
    return list_end(rc, &l, (void **)out, n);
}

static int old_observation(struct db *db, struct arena *a, int64_t rec, str *out, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_OBSERVATION, e);
    put_i64(&q, rec);
    int rc = query_row(&q);
    if (rc == TL_OK)
        *out = get_text(&q, a);
    return rc;
}

static int keep_one(struct db *db, const struct standing *s, str sealed, struct err *e)
{
    int rc = TL_OK;
    if (s->base) {
        AUTO(query_end) struct query q = query_begin(db, &T, s->side == SIDE_A ? Q_KEEP_A : Q_KEEP_B, e);
        put_i64(&q, s->pair);
        put_blob(&q, sealed);
        rc = query_run(&q);
    }
    if (rc == TL_OK && s->source && sealed.n) {
        AUTO(query_end) struct query q = query_begin(db, &T, Q_KEEP_SOURCE, e);
        put_i64(&q, s->pair);
        put_i64(&q, s->side);
        put_blob(&q, sealed);
        rc = query_run(&q);
        if (rc == TL_OK)
            db->sources += query_changes(&q);
    }
    return rc;
}

/* Before a newer observation replaces the stored one. A pair that agreed with "nothing observed" agreed with nothing:
 * its base becomes x''. */
static int keep_old(struct db *db, int64_t rec, str newer, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct standing *all;
    size_t n;
    str old = {0};
    int rc = list_standing(db, &a, rec, &all, &n, e);
    if (rc || n == 0)
        return rc;
    rc = old_observation(db, &a, rec, &old, e);
    if (rc || str_eq(old, newer))
        return rc;
    for (size_t i = 0; rc == TL_OK && i < n; i++) {
        AUTO(buf_done) struct buf sealed = {0};
        if (old.n)
            blob_seal(&sealed, old, all[i].pair);
        rc = keep_one(db, &all[i], buf_lent(&sealed), e);
    }
    return rc;
}

/* ---- Writing --------------------------------------------------------------------------------------------------- */

static void put_blob_or_null(struct query *q, str v)
{
    if (v.n)
        put_blob(q, v);
    else
        put_null(q);
}

/* Known from a write of ours or from a reference: there is nothing to store but who it is. */
static bool is_bare(const struct record *r)
{
    return !r->seen_hash && !r->version_kind && !r->version.n && !r->modified_us && !r->created_us && !r->recheck_us &&
           !r->into.n && !r->by.n && !r->stamp.n && !r->observation.n;
}

static int insert_bare(struct db *db, int64_t rec, const struct record *r, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_INSERT_BARE, e);
    put_i64(&q, rec);
    put_i64(&q, r->feed);
    put_id(&q, r->id);
    put_i64(&q, r->state);
    put_i64(&q, r->seen_us);
    put_u64(&q, check_sum(rec, r->feed, r->id, r->observation));
    return query_run(&q);
}

static void put_seen(struct query *q, const struct record *r)
{
    put_u64(q, r->seen_hash);
    put_i64(q, r->state);
    put_i64(q, r->version_kind);
    put_text_or_null(q, r->version);
    put_i64(q, r->modified_us);
    put_i64(q, r->created_us);
    put_i64(q, r->seen_us);
}

static int record_insert(struct db *db, int64_t rec, const struct record *r, struct err *e)
{
    if (is_bare(r))
        return insert_bare(db, rec, r, e);
    AUTO(query_end) struct query q = query_begin(db, &T, Q_INSERT, e);
    put_i64(&q, rec);
    put_i64(&q, r->feed);
    put_id(&q, r->id);
    put_seen(&q, r);
    put_i64_or_null(&q, r->recheck_us);
    put_id_or_null(&q, r->into);
    put_id_or_null(&q, r->by);
    put_text_or_null(&q, r->stamp);
    put_u64(&q, check_sum(rec, r->feed, r->id, r->observation));
    put_blob_or_null(&q, r->observation);
    return query_run(&q);
}

static int record_update(struct db *db, const struct record *r, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_UPDATE, e);
    put_i64(&q, r->rec);
    put_seen(&q, r);
    put_i64_or_null(&q, r->recheck_us);
    put_id_or_null(&q, r->into);
    put_id_or_null(&q, r->by);
    put_text_or_null(&q, r->stamp);
    put_u64(&q, check_sum(r->rec, r->feed, r->id, r->observation));
    put_blob_or_null(&q, r->observation);
    return query_run_one(&q);
}

int record_first(struct db *db, const struct record *r, struct err *e)
{
    if (r->recheck_us || r->into.n || r->stamp.n)
        return record_update(db, r, e);
    AUTO(query_end) struct query q = query_begin(db, &T, Q_FIRST, e);
    put_i64(&q, r->rec);
    put_seen(&q, r);
    put_id_or_null(&q, r->by);
    put_u64(&q, check_sum(r->rec, r->feed, r->id, r->observation));
    put_blob_or_null(&q, r->observation);
    return query_run_one(&q);
}

/* Once a stretch: which one was noted last is remembered for a few feeds, and forgotten with a transaction. */
static int stretch_note(struct db *db, int64_t feed, int64_t rec, struct err *e)
{
    struct stretch now = {feed, rec >> STRETCH_BITS}, *last = &db->stretches[(uint64_t)feed % ARRAY_LEN(db->stretches)];
    if (last->feed == now.feed && last->n == now.n)
        return TL_OK;
    AUTO(query_end) struct query q = query_begin(db, &T, Q_STRETCH, e);
    put_i64(&q, now.feed);
    put_i64(&q, now.n);
    int rc = query_run(&q);
    if (rc == TL_OK)
        *last = now;
    return rc;
}

static int put_new(struct db *db, struct record *r, struct err *e)
{
    if (r->id.n == 0 || r->id.n > ID_MAX)
        return err_set(e, TL_E_INVALID, "a remote id has 1 to 255 bytes, not %zu", (size_t)r->id.n);
    int64_t rec = next_id(db, COUNT_RECORD);
    int rc = record_insert(db, rec, r, e);
    if (rc == TL_OK)
        rc = stretch_note(db, r->feed, rec, e);
    if (rc == E_EXISTS)
        return err_set(e, E_EXISTS, "record \"%.*s\" is stored already", STR_FMT(r->id));
    if (rc == TL_OK) {
        tally_add(db, TALLY_RECORDS, r->feed, 1);
        r->rec = rec;
    }
    return rc;
}

int record_put(struct db *db, struct record *r, struct err *e)
{
    AUTO(tx_end) struct tx tx;
    int64_t before = r->rec;
    int rc = tx_begin(&tx, db, e);
    if (rc)
        return rc;
    if (!r->rec) {
        rc = put_new(db, r, e);
    } else {
        rc = keep_old(db, r->rec, r->observation, e);
        if (rc == TL_OK)
            rc = record_update(db, r, e);
    }
    if (rc == TL_OK)
        rc = tx_commit(&tx, e);
    if (rc)
        r->rec = before;
    return rc;
}

static int changed_one(struct query *q)
{
    int rc = query_run(q);
    return rc == TL_OK && query_changes(q) == 0 ? TL_E_NOT_FOUND : rc;
}

int record_touch(struct db *db, int64_t rec, str version, int32_t version_kind, int64_t modified_us, int64_t seen_us,
                 uint64_t seen_hash, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_TOUCH, e);
    put_i64(&q, rec);
    put_text_or_null(&q, version);
    put_i64(&q, version_kind);
    put_i64(&q, modified_us);
    put_i64(&q, seen_us);
    put_u64(&q, seen_hash);
    return changed_one(&q);
}

int record_set_state(struct db *db, int64_t rec, int32_t state, str into, int64_t seen_us, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_SET_STATE, e);
    put_i64(&q, rec);
    put_i64(&q, state);
    put_id_or_null(&q, into);
    put_i64(&q, seen_us);
    return changed_one(&q);
}

int record_set_recheck(struct db *db, int64_t rec, int64_t recheck_us, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_SET_RECHECK, e);
    put_i64(&q, rec);
    put_i64_or_null(&q, recheck_us);
    return changed_one(&q);
}

int record_set_stamp(struct db *db, int64_t rec, str stamp, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_SET_STAMP, e);
    put_i64(&q, rec);
    put_text_or_null(&q, stamp);
    return changed_one(&q);
}

int record_due_rechecks(struct db *db, int64_t feed, int64_t now_us, int64_t *recs, size_t max, size_t *n,
                        struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_RECHECKS, e);
    put_i64(&q, feed);
    put_i64(&q, now_us);
    return query_ids(&q, recs, max, n);
}

int record_find_stamp(struct db *db, int64_t feed, str stamp, int64_t *rec_out, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_FIND_STAMP, e);
    put_i64(&q, feed);
    put_text(&q, stamp);
    int rc = query_row(&q);
    if (rc == TL_OK)
        *rec_out = get_i64(&q);
    return rc;
}

static int is_used(struct db *db, int64_t rec, bool *out, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_USED, e);
    put_i64(&q, rec);
    int rc = query_row(&q);
    if (rc == TL_OK)
        *out = get_bool(&q);
    return rc;
}

static int delete_row(struct db *db, int64_t rec, int64_t *feed, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_DELETE, e);
    put_i64(&q, rec);
    int rc = query_row(&q);
    if (rc)
        return rc;
    *feed = get_i64(&q);
    rc = query_row(&q);
    return rc == TL_E_NOT_FOUND ? TL_OK : rc;
}

int record_delete(struct db *db, int64_t rec, struct err *e)
{
    AUTO(tx_end) struct tx tx;
    bool used = false;
    int64_t feed = 0;
    int rc = tx_begin(&tx, db, e);
    if (rc == TL_OK)
        rc = is_used(db, rec, &used, e);
    if (rc == TL_OK && used)
        return err_set(e, E_PRECONDITION, "a pair still refers to this record");
    if (rc == TL_OK)
        rc = delete_row(db, rec, &feed, e);
    if (rc)
        return rc;
    tally_add(db, TALLY_RECORDS, feed, -1);
    return tx_commit(&tx, e);
}
