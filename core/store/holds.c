/* What waits: conflicts, parked pairs, held records, old ids. */
#include "buf.h"
#include "db_int.h"
#include "failures.h"
#include "pairs.h"

#define CONFLICT_COLUMNS "pair, map_no, a_value, b_value, base, at"
#define PARKED_COLUMNS   "pair, map_no, dep_link, dep_side, dep_id, at"
#define HELD_COLUMNS     "link, rec, side, pair, why, at"
#define OLD_COLUMNS      "link, rec, side, pair, gen, why, base, at"

enum {
    Q_CONFLICT_PUT,
    Q_CONFLICT_LIST,
    Q_CONFLICT_OF_LINK,
    Q_CONFLICT_OF_PAIR,
    Q_CONFLICT_DROP,
    Q_PARKED_PUT,
    Q_PARKED_OF_PAIR,
    Q_PARKED_DROP,
    Q_PARKED_WAITING,
    Q_PARKED_REST,
    Q_PARKED_FOR,
    Q_UNPARK,
    Q_HELD_PUT,
    Q_HELD_GET,
    Q_HELD_LIST,
    Q_HELD_WAITING,
    Q_HELD_OF_PAIR,
    Q_HELD_DROP,
    Q_OLD_PUT,
    Q_OBSERVATION,
    Q_OLD_GET,
    Q_OLD_LIST,
    Q_OLD_DROP,
    Q_OLD_TRIM,
    Q_OLD_ANY
};
static const char *const SQL[] = {
    [Q_CONFLICT_PUT] = "INSERT INTO conflict(" CONFLICT_COLUMNS ", link) VALUES(?1, ?2, ?3, ?4, ?5, ?6, "
                       "coalesce((SELECT link FROM pair WHERE pair = ?1), 0)) ON CONFLICT(pair, map_no) DO UPDATE SET "
                       "a_value = excluded.a_value, b_value = excluded.b_value, base = excluded.base",
    [Q_CONFLICT_LIST] = "SELECT " CONFLICT_COLUMNS " FROM conflict WHERE ?1 = 0 ORDER BY pair, map_no LIMIT ?2",
    [Q_CONFLICT_OF_LINK] = "SELECT " CONFLICT_COLUMNS " FROM conflict WHERE link = ?1 ORDER BY pair, map_no LIMIT ?2",
    [Q_CONFLICT_OF_PAIR] = "SELECT " CONFLICT_COLUMNS " FROM conflict WHERE pair = ?1 ORDER BY map_no LIMIT ?2",
    [Q_CONFLICT_DROP] = "DELETE FROM conflict WHERE pair = ?1 AND (?2 = 0 OR map_no = ?2)",
    [Q_PARKED_PUT] = "INSERT INTO parked(" PARKED_COLUMNS ") VALUES(?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT(pair, map_no) "
                     "DO UPDATE SET dep_link = excluded.dep_link, dep_side = excluded.dep_side, "
                     "dep_id = excluded.dep_id",
    [Q_PARKED_OF_PAIR] = "SELECT " PARKED_COLUMNS " FROM parked WHERE pair = ?1 ORDER BY map_no",
    [Q_PARKED_DROP] = "DELETE FROM parked WHERE pair = ?1",
    [Q_PARKED_WAITING] = "SELECT DISTINCT pair FROM parked WHERE dep_link = ?1 AND dep_side = ?2 AND dep_id = ?3 "
                         "ORDER BY pair",
    [Q_PARKED_REST] = "DELETE FROM parked WHERE dep_link = ?1 AND dep_side = ?2 AND dep_id = ?3",
    [Q_PARKED_FOR] = "SELECT " PARKED_COLUMNS " FROM parked WHERE pair > ?1 AND dep_link = ?2 ORDER BY pair, map_no "
                     "LIMIT ?3",
    [Q_UNPARK] = "UPDATE pair SET status = 0 WHERE pair = ?1 AND status = 1 AND NOT EXISTS "
                 "(SELECT 1 FROM parked WHERE pair = ?1)",
    [Q_HELD_PUT] = "INSERT OR REPLACE INTO held(" HELD_COLUMNS ") VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
    [Q_HELD_GET] = "SELECT " HELD_COLUMNS " FROM held WHERE link = ?1 AND rec = ?2",
    [Q_HELD_LIST] = "SELECT " HELD_COLUMNS " FROM held WHERE link = ?1 ORDER BY rec LIMIT ?2",
    [Q_HELD_WAITING] = "SELECT " HELD_COLUMNS " FROM held WHERE link = ?1 AND why = ?2 AND (?3 < 0 OR side = ?3) "
                       "ORDER BY rec LIMIT ?4",
    [Q_HELD_OF_PAIR] = "SELECT " HELD_COLUMNS " FROM held WHERE pair = ?1 ORDER BY rec LIMIT ?2",
    [Q_HELD_DROP] = "DELETE FROM held WHERE link = ?1 AND rec = ?2",
    [Q_OLD_PUT] = "INSERT OR REPLACE INTO old_id(" OLD_COLUMNS ") VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    [Q_OBSERVATION] = "SELECT observation FROM record WHERE rec = ?1",
    [Q_OLD_GET] = "SELECT " OLD_COLUMNS " FROM old_id WHERE link = ?1 AND rec = ?2",
    [Q_OLD_LIST] = "SELECT " OLD_COLUMNS " FROM old_id WHERE pair = ?1 ORDER BY at, rec",
    [Q_OLD_DROP] = "DELETE FROM old_id WHERE link = ?1 AND rec = ?2",
    [Q_OLD_TRIM] = "DELETE FROM old_id WHERE (link, rec) IN (SELECT o.link, o.rec FROM old_id o INDEXED BY old_id_at "
                   "LEFT JOIN record r ON r.rec = o.rec WHERE o.at < ?1 AND coalesce(r.state, -1) <> 0 LIMIT ?2)",
    [Q_OLD_ANY] = "SELECT EXISTS(SELECT 1 FROM old_id)",
};
SQL_TABLE(T, SQL_HOLDS, SQL);

/* ---- Conflicts ------------------------------------------------------------------------------------------------- */

int conflict_put(struct db *db, const struct conflict *c, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_CONFLICT_PUT, e);
    put_i64(&q, c->pair);
    put_i64(&q, c->map_no);
    put_blob(&q, c->value[SIDE_A]);
    put_blob(&q, c->value[SIDE_B]);
    put_blob(&q, c->base);
    put_i64(&q, c->at_us);
    return query_run(&q);
}

int conflict_list(struct db *db, struct arena *a, int64_t link, int64_t pair, size_t max, struct conflict **out,
                  size_t *n, struct err *e)
{
    int statement = link ? Q_CONFLICT_OF_LINK : Q_CONFLICT_LIST;
    if (pair)
        statement = Q_CONFLICT_OF_PAIR;
    struct list l = {.a = a, .item_bytes = sizeof(struct conflict)};
    AUTO(query_end) struct query q = query_begin(db, &T, statement, e);
    put_i64(&q, pair ? pair : link);
    put_i64(&q, (int64_t)max);
    int rc;
    while ((rc = query_row(&q)) == TL_OK) {
        struct conflict *c = list_add(&l);
        c->pair = get_i64(&q);
        c->map_no = (uint32_t)get_i64(&q);
        c->value[SIDE_A] = get_text(&q, a);
        c->value[SIDE_B] = get_text(&q, a);
        c->base = get_text(&q, a);
        c->at_us = get_i64(&q);
    }
    return list_end(rc, &l, (void **)out, n);
}

int conflict_drop(struct db *db, int64_t pair, uint32_t map_no, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_CONFLICT_DROP, e);
    put_i64(&q, pair);
    put_i64(&q, map_no);
    return query_run(&q);
}

/* ---- Parked ---------------------------------------------------------------------------------------------------- */

int parked_put(struct db *db, const struct parked *p, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_PARKED_PUT, e);
    put_i64(&q, p->pair);
    put_i64(&q, p->map_no);
    put_i64(&q, p->dep_link);
    put_i64(&q, p->dep_side);
    put_id(&q, p->dep_id);
    put_i64(&q, p->at_us);
    return query_run(&q);
}

static int read_parked(struct query *q, struct arena *a, struct parked **out, size_t *n)
{
    struct list l = {.a = a, .item_bytes = sizeof(struct parked)};
    int rc;
    while ((rc = query_row(q)) == TL_OK) {
        struct parked *p = list_add(&l);
        p->pair = get_i64(q);
        p->map_no = (uint32_t)get_i64(q);
        p->dep_link = get_i64(q);
        p->dep_side = get_i32(q);
        p->dep_id = get_id(q, a);
        p->at_us = get_i64(q);
    }
    return list_end(rc, &l, (void **)out, n);
}

int parked_list_of_pair(struct db *db, struct arena *a, int64_t pair, struct parked **out, size_t *n, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_PARKED_OF_PAIR, e);
    put_i64(&q, pair);
    return read_parked(&q, a, out, n);
}

int parked_for(struct db *db, struct arena *a, int64_t dep_link, int64_t after_pair, size_t max, struct parked **out,
               size_t *n, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_PARKED_FOR, e);
    put_i64(&q, after_pair);
    put_i64(&q, dep_link);
    put_i64(&q, (int64_t)max);
    return read_parked(&q, a, out, n);
}

static int run_on(struct db *db, int statement, int64_t id, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, statement, e);
    put_i64(&q, id);
    return query_run(&q);
}

int parked_drop(struct db *db, int64_t pair, struct err *e)
{
    return run_on(db, Q_PARKED_DROP, pair, e);
}

static int waiting_pairs(struct db *db, struct arena *a, int64_t dep_link, enum side dep_side, str dep_id,
                         int64_t **out, size_t *n, struct err *e)
{
    struct list l = {.a = a, .item_bytes = sizeof(int64_t)};
    AUTO(query_end) struct query q = query_begin(db, &T, Q_PARKED_WAITING, e);
    put_i64(&q, dep_link);
    put_i64(&q, dep_side);
    put_id(&q, dep_id);
    int rc;
    while ((rc = query_row(&q)) == TL_OK)
        *(int64_t *)list_add(&l) = get_i64(&q);
    return list_end(rc, &l, (void **)out, n);
}

int parked_on(struct db *db, int64_t dep_link, enum side dep_side, str dep_id, bool *out, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_PARKED_WAITING, e);
    put_i64(&q, dep_link);
    put_i64(&q, dep_side);
    put_id(&q, dep_id);
    int rc = query_row(&q);
    if (rc == TL_OK || rc == TL_E_NOT_FOUND)
        *out = rc == TL_OK;
    return rc == TL_E_NOT_FOUND ? TL_OK : rc;
}

static int forget_dependency(struct db *db, int64_t dep_link, enum side dep_side, str dep_id, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_PARKED_REST, e);
    put_i64(&q, dep_link);
    put_i64(&q, dep_side);
    put_id(&q, dep_id);
    return query_run(&q);
}

int parked_wake(struct db *db, int64_t dep_link, enum side dep_side, str dep_id, int32_t lane, int64_t due_us,
                int64_t *n_out, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    AUTO(tx_end) struct tx tx;
    int64_t *pairs;
    size_t n = 0;
    int rc = tx_begin(&tx, db, e);
    if (rc == TL_OK)
        rc = waiting_pairs(db, &a, dep_link, dep_side, dep_id, &pairs, &n, e);
    if (rc == TL_OK && n)
        rc = forget_dependency(db, dep_link, dep_side, dep_id, e);
    for (size_t i = 0; rc == TL_OK && i < n; i++) {
        rc = run_on(db, Q_UNPARK, pairs[i], e);
        if (rc == TL_OK)
            rc = pair_wake(db, pairs[i], (enum lane)lane, due_us, false, e);
    }
    if (rc == TL_OK)
        rc = tx_commit(&tx, e);
    if (rc == TL_OK)
        *n_out = (int64_t)n;
    return rc;
}

/* ---- Held ------------------------------------------------------------------------------------------------------ */

int held_put(struct db *db, const struct held *h, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_HELD_PUT, e);
    put_i64(&q, h->link);
    put_i64(&q, h->rec);
    put_i64(&q, h->side);
    put_i64(&q, h->pair);
    put_text(&q, h->why);
    put_i64(&q, h->at_us);
    return query_run(&q);
}

static void read_held(struct query *q, struct arena *a, struct held *out)
{
    out->link = get_i64(q);
    out->rec = get_i64(q);
    out->side = get_i32(q);
    out->pair = get_i64(q);
    out->why = get_text(q, a);
    out->at_us = get_i64(q);
}

int held_get(struct db *db, struct arena *a, int64_t link, int64_t rec, struct held *out, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_HELD_GET, e);
    put_i64(&q, link);
    put_i64(&q, rec);
    int rc = query_row(&q);
    if (rc == TL_OK)
        read_held(&q, a, out);
    return rc;
}

int held_list(struct db *db, struct arena *a, int64_t link, int64_t pair, size_t max, struct held **out, size_t *n,
              struct err *e)
{
    struct list l = {.a = a, .item_bytes = sizeof(struct held)};
    AUTO(query_end) struct query q = query_begin(db, &T, pair ? Q_HELD_OF_PAIR : Q_HELD_LIST, e);
    put_i64(&q, pair ? pair : link);
    put_i64(&q, (int64_t)max);
    int rc;
    while ((rc = query_row(&q)) == TL_OK)
        read_held(&q, a, list_add(&l));
    return list_end(rc, &l, (void **)out, n);
}

int held_waiting(struct db *db, struct arena *a, int64_t link, int32_t side, str why, size_t max, struct held **out,
                 size_t *n, struct err *e)
{
    struct list l = {.a = a, .item_bytes = sizeof(struct held)};
    AUTO(query_end) struct query q = query_begin(db, &T, Q_HELD_WAITING, e);
    put_i64(&q, link);
    put_text(&q, why);
    put_i64(&q, side);
    put_i64(&q, (int64_t)max);
    int rc;
    while ((rc = query_row(&q)) == TL_OK)
        read_held(&q, a, list_add(&l));
    return list_end(rc, &l, (void **)out, n);
}

static int drop_of_link(struct db *db, int statement, int64_t link, int64_t rec, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, statement, e);
    put_i64(&q, link);
    put_i64(&q, rec);
    return query_run(&q);
}

int held_drop(struct db *db, int64_t link, int64_t rec, struct err *e)
{
    return drop_of_link(db, Q_HELD_DROP, link, rec, e);
}

/* ---- Old ids --------------------------------------------------------------------------------------------------- */

/* The base as it is now: later observations of the record must not change what is put aside. */
static int base_now(struct db *db, struct arena *a, const struct old_id *o, str *out, struct err *e)
{
    if (o->base.kind != BASE_SAME) {
        *out = o->base.kind == BASE_OWN ? o->base.blob : (str){0};
        return TL_OK;
    }
    AUTO(query_end) struct query q = query_begin(db, &T, Q_OBSERVATION, e);
    put_i64(&q, o->rec);
    int rc = query_row(&q);
    if (rc == TL_OK)
        *out = get_text(&q, a);
    return rc == TL_E_NOT_FOUND ? err_set(e, rc, "there is no record %lld", (long long)o->rec) : rc;
}

int old_id_put(struct db *db, const struct old_id *o, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    AUTO(buf_done) struct buf sealed = {0};
    str base = {0};
    int rc = base_now(db, &a, o, &base, e);
    if (rc)
        return rc;
    if (base.n)
        blob_seal(&sealed, base, o->pair);
    AUTO(query_end) struct query q = query_begin(db, &T, Q_OLD_PUT, e);
    put_i64(&q, o->link);
    put_i64(&q, o->rec);
    put_i64(&q, o->side);
    put_i64(&q, o->pair);
    put_i64(&q, o->gen);
    put_text(&q, o->why);
    put_blob(&q, buf_lent(&sealed));
    put_i64(&q, o->at_us);
    db->may_have_old_ids = true; /* also when this is rolled back: then they are looked for in vain */
    return query_run(&q);
}

int old_ids_look(struct db *db, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_OLD_ANY, e);
    int rc = query_row(&q);
    if (rc == TL_OK)
        db->may_have_old_ids = get_bool(&q);
    return rc;
}

static void read_old_id(struct query *q, struct arena *a, struct old_id *out)
{
    out->link = get_i64(q);
    out->rec = get_i64(q);
    out->side = get_i32(q);
    out->pair = get_i64(q);
    out->gen = get_i32(q);
    out->why = get_text(q, a);
    out->base.blob = get_text(q, a);
    out->base.kind = out->base.blob.n ? BASE_OWN : BASE_NONE;
    if (out->base.kind == BASE_OWN)
        out->damaged = !blob_open(&out->base.blob, out->pair);
    out->at_us = get_i64(q);
}

int old_id_get(struct db *db, struct arena *a, int64_t link, int64_t rec, struct old_id *out, struct err *e)
{
    if (!db->may_have_old_ids && !db->reader)
        return TL_E_NOT_FOUND;
    AUTO(query_end) struct query q = query_begin(db, &T, Q_OLD_GET, e);
    put_i64(&q, link);
    put_i64(&q, rec);
    int rc = query_row(&q);
    if (rc == TL_OK) {
        *out = (struct old_id){0};
        read_old_id(&q, a, out);
    }
    return rc;
}

int old_id_list(struct db *db, struct arena *a, int64_t pair, struct old_id **out, size_t *n, struct err *e)
{
    struct list l = {.a = a, .item_bytes = sizeof(struct old_id)};
    AUTO(query_end) struct query q = query_begin(db, &T, Q_OLD_LIST, e);
    put_i64(&q, pair);
    int rc;
    while ((rc = query_row(&q)) == TL_OK)
        read_old_id(&q, a, list_add(&l));
    return list_end(rc, &l, (void **)out, n);
}

int old_id_drop(struct db *db, int64_t link, int64_t rec, struct err *e)
{
    if (!db->may_have_old_ids)
        return TL_OK;
    return drop_of_link(db, Q_OLD_DROP, link, rec, e);
}

int old_id_trim(struct db *db, int64_t older_than_us, int max_rows, bool *done_out, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_OLD_TRIM, e);
    put_i64(&q, older_than_us);
    return query_run_some(&q, max_rows, done_out);
}
