/* Transactions, the counters ids come from, and the counts kept with them. */
#include <string.h>

#include "buf.h"
#include "db_int.h"

enum {
    Q_BEGIN,
    Q_BEGIN_READ,
    Q_COMMIT,
    Q_COUNTERS_GET,
    Q_COUNTERS_PUT,
    Q_TALLY_ADD,
    Q_TALLY_GET,
    Q_TALLY_DROP,
    Q_RUN_RANGE
};
static const char *const SQL[] = {
    [Q_BEGIN] = "BEGIN IMMEDIATE",
    [Q_BEGIN_READ] = "BEGIN",
    [Q_COMMIT] = "COMMIT",
    [Q_COUNTERS_GET] = "SELECT value FROM meta WHERE key = 'counters'",
    [Q_COUNTERS_PUT] = "INSERT INTO meta(key, value) VALUES('counters', ?1) "
                       "ON CONFLICT(key) DO UPDATE SET value = excluded.value",
    [Q_TALLY_ADD] = "INSERT INTO tally(what, owner, n) VALUES(?1, ?2, ?3) "
                    "ON CONFLICT(what, owner) DO UPDATE SET n = n + excluded.n",
    [Q_TALLY_GET] = "SELECT n FROM tally WHERE what = ?1 AND owner = ?2",
    [Q_TALLY_DROP] = "DELETE FROM tally WHERE what = ?1 AND owner = ?2",
    [Q_RUN_RANGE] = "UPDATE run SET pair_low = iif(pair_low = 0, ?2, min(pair_low, ?2)), "
                    "pair_high = max(pair_high, ?3) WHERE run = ?1",
};
SQL_TABLE(T, SQL_TRANSACTION, SQL);

static int run_plain(struct db *db, int index, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, index, e);
    return query_run(&q);
}

int db_begin(struct db *db, struct err *e)
{
    ASSERT(!db->in_transaction);
    int rc = run_plain(db, db->reader ? Q_BEGIN_READ : Q_BEGIN, e);
    if (rc)
        return rc;
    db->in_transaction = true;
    db->n_pending = 0;
    db->pending_rc = TL_OK;
    db->sources_before = db->sources;
    memcpy(db->counters_before, db->counters, sizeof db->counters);
    if (db->reader)
        db->read_until_us = env_mono_us(db->env) + DB_READ_MAX_US;
    return TL_OK;
}

void db_rollback(struct db *db)
{
    if (!db->in_transaction)
        return;
    db->in_transaction = false;
    db->n_pending = 0;
    db->sources = db->sources_before;
    memset(db->stretches, 0, sizeof db->stretches);
    memcpy(db->counters, db->counters_before, sizeof db->counters);
    /* Statements that still stand on a row would keep it open. */
    for (int m = 0; m < SQL_MODULES; m++)
        for (int i = 0; i < db->n_statements[m]; i++)
            sqlite3_reset(db->statements[m][i]);
    if (!sqlite3_get_autocommit(db->sqlite)) /* SQLite may have done it by itself */
        sqlite3_exec(db->sqlite, "ROLLBACK", NULL, NULL, NULL);
}

/* Counters and pending of the transaction into the database; before COMMIT. */
static int transaction_flush(struct db *db, struct err *e);

int db_commit(struct db *db, struct err *e)
{
    ASSERT(db->in_transaction);
    bool ages = sidecar_ages(db);
    int rc = transaction_flush(db, e);
    if (rc == TL_OK)
        rc = run_plain(db, Q_COMMIT, e);
    if (rc) {
        db_rollback(db);
        return rc;
    }
    db->in_transaction = false;
    db->n_pending = 0;
    db->audit_owed = NULL;
    if (ages)
        sidecar_aged(db);
    return TL_OK;
}

bool db_in_transaction(const struct db *db)
{
    return db->in_transaction;
}

int tx_begin(struct tx *tx, struct db *db, struct err *e)
{
    tx->db = db;
    tx->own = false;
    if (db->in_transaction)
        return TL_OK;
    int rc = db_begin(db, e);
    tx->own = rc == TL_OK;
    return rc;
}

int tx_commit(struct tx *tx, struct err *e)
{
    if (!tx->own)
        return TL_OK;
    tx->own = false;
    return db_commit(tx->db, e);
}

void tx_end(struct tx *tx)
{
    if (tx->own)
        db_rollback(tx->db);
    tx->own = false;
}

/* ---- Counters -------------------------------------------------------------------------------------------------- */

int64_t next_id(struct db *db, enum counter c)
{
    ASSERT(db->in_transaction);
    return ++db->counters[c];
}

int counters_load(struct db *db, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_COUNTERS_GET, e);
    int rc = query_row(&q);
    if (rc == TL_E_NOT_FOUND)
        return TL_OK; /* nothing was ever made */
    if (rc)
        return rc;
    str blob = get_lent(&q);
    const uint8_t *p = (const uint8_t *)blob.p, *end = p + blob.n;
    for (int i = 0; i < COUNTERS && p < end; i++) {
        uint64_t v;
        if (!varint_read(&p, end, &v))
            return sql_error(db, SQLITE_CORRUPT, e);
        db->counters[i] = (int64_t)v;
    }
    return TL_OK;
}

int counters_write(struct db *db, struct err *e)
{
    AUTO(buf_done) struct buf blob = {0};
    for (int i = 0; i < COUNTERS; i++)
        buf_varint(&blob, (uint64_t)db->counters[i]);
    AUTO(query_end) struct query q = query_begin(db, &T, Q_COUNTERS_PUT, e);
    put_blob(&q, buf_lent(&blob));
    return query_run(&q);
}

/* ---- Counts kept with transactions ----------------------------------------------------------------------------- */

static struct pending *pending_of(struct db *db, int32_t what, int64_t owner)
{
    for (int i = 0; i < db->n_pending; i++)
        if (db->pending[i].what == what && db->pending[i].owner == owner)
            return &db->pending[i];
    return NULL;
}

static int pending_write(struct db *db, const struct pending *p, struct err *e)
{
    if (p->what == PENDING_RUN) {
        AUTO(query_end) struct query q = query_begin(db, &T, Q_RUN_RANGE, e);
        put_i64(&q, p->owner);
        put_i64(&q, p->low);
        put_i64(&q, p->high);
        return query_run(&q);
    }
    if (p->n == 0)
        return TL_OK;
    AUTO(query_end) struct query q = query_begin(db, &T, Q_TALLY_ADD, e);
    put_i64(&q, p->what);
    put_i64(&q, p->owner);
    put_i64(&q, p->n);
    return query_run(&q);
}

static int pending_flush(struct db *db, struct err *e)
{
    for (int i = 0; i < db->n_pending; i++) {
        int rc = pending_write(db, &db->pending[i], e);
        if (rc)
            return rc;
    }
    db->n_pending = 0;
    return TL_OK;
}

static struct pending *pending_make(struct db *db, int32_t what, int64_t owner)
{
    struct pending *p = pending_of(db, what, owner);
    if (p)
        return p;
    if (db->n_pending == PENDING_MAX) {
        int rc = pending_flush(db, &db->pending_error);
        if (rc && !db->pending_rc)
            db->pending_rc = rc; /* the commit reports it */
        db->n_pending = 0;
    }
    p = &db->pending[db->n_pending++];
    *p = (struct pending){.what = what, .owner = owner};
    return p;
}

void tally_add(struct db *db, enum tally what, int64_t owner, int64_t n)
{
    pending_make(db, (int32_t)what, owner)->n += n;
}

void run_range_add(struct db *db, int64_t run, int64_t pair)
{
    struct pending *p = pending_make(db, PENDING_RUN, run);
    if (p->low == 0 || pair < p->low)
        p->low = pair;
    if (pair > p->high)
        p->high = pair;
}

int tally_drop(struct db *db, enum tally what, int64_t owner, struct err *e)
{
    struct pending *p = pending_of(db, (int32_t)what, owner);
    if (p)
        p->n = 0;
    AUTO(query_end) struct query q = query_begin(db, &T, Q_TALLY_DROP, e);
    put_i64(&q, what);
    put_i64(&q, owner);
    return query_run(&q);
}

int64_t tally_get(struct db *db, enum tally what, int64_t owner)
{
    const struct pending *p = db->in_transaction ? pending_of(db, (int32_t)what, owner) : NULL;
    AUTO(query_end) struct query q = query_begin(db, &T, Q_TALLY_GET, NULL);
    put_i64(&q, what);
    put_i64(&q, owner);
    int64_t stored = query_row(&q) == TL_OK ? get_i64(&q) : 0;
    return stored + (p ? p->n : 0);
}

static int transaction_flush(struct db *db, struct err *e)
{
    if (db->reader)
        return TL_OK;
    if (db->pending_rc) {
        if (e)
            *e = db->pending_error;
        return db->pending_rc;
    }
    int rc = pending_flush(db, e);
    if (rc == TL_OK)
        rc = audit_pay(db, e);
    if (rc == TL_OK && memcmp(db->counters, db->counters_before, sizeof db->counters) != 0)
        rc = counters_write(db, e);
    return rc;
}
