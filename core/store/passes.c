/* Passes and which records they met. */
#include <stdlib.h>
#include <string.h>

#include "feeds.h"
#include "records_int.h"
#include "sql.h"

enum { CHUNK_RECORDS = 4096, CHUNK_BYTES = CHUNK_RECORDS / 8 };

enum {
    Q_INSERT,
    Q_GET,
    Q_ADVANCE,
    Q_END,
    Q_FEED_PASS,
    Q_FEED_START,
    Q_FEED_END,
    Q_DROP_BITS,
    Q_CHUNK_GET,
    Q_CHUNK_PUT,
    Q_CHUNKS,
    Q_WALK
};
static const char *const SQL[] = {
    [Q_INSERT] = "INSERT INTO pass(pass, feed, state, cursor, filter_hash, started, ended, seen, estimate) "
                 "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    [Q_GET] = "SELECT pass, feed, state, cursor, filter_hash, started, ended, seen, estimate FROM pass WHERE pass = ?1",
    [Q_ADVANCE] = "UPDATE pass SET cursor = ?2, seen = ?3, estimate = ?4 WHERE pass = ?1",
    [Q_END] = "UPDATE pass SET state = ?2, ended = iif(ended = 0, ?3, ended) WHERE pass = ?1 RETURNING feed",
    [Q_FEED_PASS] = "SELECT pass FROM feed WHERE feed = ?1",
    [Q_FEED_START] = "UPDATE feed SET pass = ?2 WHERE feed = ?1",
    [Q_FEED_END] = "UPDATE feed SET pass = iif(pass = ?2, 0, pass), full_pass = iif(?3, ?4, full_pass) WHERE feed = ?1",
    [Q_DROP_BITS] = "DELETE FROM pass_seen WHERE pass = ?1",
    [Q_CHUNK_GET] = "SELECT bits FROM pass_seen WHERE pass = ?1 AND chunk = ?2",
    [Q_CHUNK_PUT] = "INSERT INTO pass_seen(pass, chunk, bits) VALUES(?1, ?2, ?3) "
                    "ON CONFLICT(pass, chunk) DO UPDATE SET bits = excluded.bits",
    [Q_CHUNKS] = "SELECT chunk, bits FROM pass_seen WHERE pass = ?1 ORDER BY chunk",
    [Q_WALK] = "SELECT rec, state" FROM_STRETCHES,
};
SQL_TABLE(T, SQL_PASSES, SQL);

static int feed_pass(struct db *db, int64_t feed, int64_t *out, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_FEED_PASS, e);
    put_i64(&q, feed);
    int rc = query_row(&q);
    if (rc == TL_OK)
        *out = get_i64(&q);
    return rc == TL_E_NOT_FOUND ? err_set(e, TL_E_NOT_FOUND, "there is no feed %lld", (long long)feed) : rc;
}

static int pass_insert(struct db *db, int64_t id, const struct pass *p, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_INSERT, e);
    put_i64(&q, id);
    put_i64(&q, p->feed);
    put_i64(&q, PASS_RUNNING);
    put_blob(&q, p->cursor);
    put_u64(&q, p->filter_hash);
    put_i64(&q, p->started_us);
    put_i64(&q, 0);
    put_i64(&q, p->seen);
    put_i64(&q, p->estimate);
    return query_run(&q);
}

static int feed_start(struct db *db, int64_t feed, int64_t pass, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_FEED_START, e);
    put_i64(&q, feed);
    put_i64(&q, pass);
    return query_run(&q);
}

int pass_start(struct db *db, struct pass *p, struct err *e)
{
    AUTO(tx_end) struct tx tx;
    int64_t running = 0;
    int rc = tx_begin(&tx, db, e);
    if (rc == TL_OK)
        rc = feed_pass(db, p->feed, &running, e);
    if (rc == TL_OK && running)
        rc = pass_end(db, running, PASS_ABORTED, p->started_us, e);
    if (rc)
        return rc;
    int64_t id = next_id(db, COUNT_PASS);
    rc = pass_insert(db, id, p, e);
    if (rc == TL_OK)
        rc = feed_start(db, p->feed, id, e);
    if (rc == TL_OK)
        rc = tx_commit(&tx, e);
    if (rc)
        return rc;
    p->pass = id;
    p->state = PASS_RUNNING;
    p->ended_us = 0;
    return TL_OK;
}

int pass_get(struct db *db, struct arena *a, int64_t pass, struct pass *out, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_GET, e);
    put_i64(&q, pass);
    int rc = query_row(&q);
    if (rc)
        return rc;
    out->pass = get_i64(&q);
    out->feed = get_i64(&q);
    out->state = get_i32(&q);
    out->cursor = get_text(&q, a);
    out->filter_hash = get_u64(&q);
    out->started_us = get_i64(&q);
    out->ended_us = get_i64(&q);
    out->seen = get_i64(&q);
    out->estimate = get_i64(&q);
    return TL_OK;
}

int pass_advance(struct db *db, int64_t pass, str cursor, int64_t seen, int64_t estimate, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_ADVANCE, e);
    put_i64(&q, pass);
    put_blob(&q, cursor);
    put_i64(&q, seen);
    put_i64(&q, estimate);
    return query_run(&q);
}

static int set_state(struct db *db, int64_t pass, enum pass_state state, int64_t at_us, int64_t *feed, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_END, e);
    put_i64(&q, pass);
    put_i64(&q, state);
    put_i64(&q, at_us);
    int rc = query_row(&q);
    if (rc == TL_E_NOT_FOUND)
        return err_set(e, TL_E_NOT_FOUND, "there is no pass %lld", (long long)pass);
    if (rc)
        return rc;
    *feed = get_i64(&q);
    rc = query_row(&q);
    return rc == TL_E_NOT_FOUND ? TL_OK : rc;
}

static int feed_end(struct db *db, int64_t feed, int64_t pass, bool is_full, int64_t at_us, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_FEED_END, e);
    put_i64(&q, feed);
    put_i64(&q, pass);
    put_i64(&q, is_full);
    put_i64(&q, at_us);
    return query_run(&q);
}

static int drop_bits(struct db *db, int64_t pass, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_DROP_BITS, e);
    put_i64(&q, pass);
    return query_run(&q);
}

int pass_end(struct db *db, int64_t pass, enum pass_state state, int64_t at_us, struct err *e)
{
    AUTO(tx_end) struct tx tx;
    int64_t feed = 0;
    int rc = tx_begin(&tx, db, e);
    if (rc == TL_OK)
        rc = set_state(db, pass, state, at_us, &feed, e);
    if (rc == TL_OK)
        rc = feed_end(db, feed, pass, state == PASS_COMPLETE, at_us, e);
    if (rc == TL_OK && (state == PASS_ABORTED || state == PASS_EVALUATED))
        rc = drop_bits(db, pass, e);
    return rc == TL_OK ? tx_commit(&tx, e) : rc;
}

/* ---- Membership ------------------------------------------------------------------------------------------------ */

static int chunk_read(struct db *db, int64_t pass, int64_t chunk, uint8_t bits[CHUNK_BYTES], struct err *e)
{
    memset(bits, 0, CHUNK_BYTES);
    AUTO(query_end) struct query q = query_begin(db, &T, Q_CHUNK_GET, e);
    put_i64(&q, pass);
    put_i64(&q, chunk);
    int rc = query_row(&q);
    if (rc == TL_OK) {
        str stored = get_lent(&q);
        memcpy(bits, stored.p, stored.n < CHUNK_BYTES ? stored.n : CHUNK_BYTES);
    }
    return rc == TL_E_NOT_FOUND ? TL_OK : rc;
}

static int chunk_write(struct db *db, int64_t pass, int64_t chunk, const uint8_t bits[CHUNK_BYTES], struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_CHUNK_PUT, e);
    put_i64(&q, pass);
    put_i64(&q, chunk);
    put_blob(&q, str_n(bits, CHUNK_BYTES));
    return query_run(&q);
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static bool bit_get(const uint8_t *bits, int64_t at)
{
    return (bits[at / 8] >> (at % 8)) & 1;
}

/* The records of one chunk: recs[0 .. n). */
static int mark_chunk(struct db *db, int64_t pass, int64_t chunk, const int64_t *recs, size_t n, struct err *e)
{
    uint8_t bits[CHUNK_BYTES];
    bool changed = false;
    int rc = chunk_read(db, pass, chunk, bits, e);
    if (rc)
        return rc;
    for (size_t i = 0; i < n; i++) {
        int64_t at = recs[i] % CHUNK_RECORDS;
        changed |= !bit_get(bits, at);
        bits[at / 8] |= (uint8_t)(1u << (at % 8));
    }
    return changed ? chunk_write(db, pass, chunk, bits, e) : TL_OK;
}

int pass_mark(struct db *db, int64_t pass, int64_t *recs, size_t n, struct err *e)
{
    AUTO(tx_end) struct tx tx;
    int rc = tx_begin(&tx, db, e);
    if (n > 1)
        qsort(recs, n, sizeof *recs, by_value);
    for (size_t i = 0, next; rc == TL_OK && i < n; i = next) {
        int64_t chunk = recs[i] / CHUNK_RECORDS;
        for (next = i + 1; next < n && recs[next] / CHUNK_RECORDS == chunk;)
            next++;
        rc = mark_chunk(db, pass, chunk, recs + i, next - i, e);
    }
    return rc == TL_OK ? tx_commit(&tx, e) : rc;
}

int pass_has(struct db *db, int64_t pass, int64_t rec, bool *out, struct err *e)
{
    uint8_t bits[CHUNK_BYTES];
    int rc = chunk_read(db, pass, rec / CHUNK_RECORDS, bits, e);
    if (rc == TL_OK)
        *out = bit_get(bits, rec % CHUNK_RECORDS);
    return rc;
}

/* ---- Walk over those not met ----------------------------------------------------------------------------------- */

struct pass_walk {
    struct db *db;
    int64_t feed;
    int64_t *chunks; /* numbers, ascending; bits of chunk i at bits[i * CHUNK_BYTES] */
    uint8_t *bits;
    size_t n, cap;
    int64_t after; /* record looked at last */
};

struct pass_walk *pass_walk_close(struct pass_walk *w)
{
    if (w) {
        free(w->chunks);
        free(w->bits);
        free(w);
    }
    return NULL;
}

static void chunk_keep(struct pass_walk *w, int64_t chunk, str bits)
{
    if (w->n == w->cap) {
        w->cap = w->cap ? w->cap * 2 : 16;
        w->chunks = realloc(w->chunks, w->cap * sizeof *w->chunks);
        w->bits = realloc(w->bits, w->cap * CHUNK_BYTES);
        ASSERT(w->chunks && w->bits);
    }
    w->chunks[w->n] = chunk;
    memset(w->bits + w->n * CHUNK_BYTES, 0, CHUNK_BYTES);
    memcpy(w->bits + w->n * CHUNK_BYTES, bits.p, bits.n < CHUNK_BYTES ? bits.n : CHUNK_BYTES);
    w->n++;
}

int pass_walk_open(struct pass_walk **out, struct db *db, int64_t feed, int64_t pass, struct err *e)
{
    AUTO(pass_walk_close) struct pass_walk *w = calloc(1, sizeof *w);
    ASSERT(w);
    w->db = db;
    w->feed = feed;
    AUTO(query_end) struct query q = query_begin(db, &T, Q_CHUNKS, e);
    put_i64(&q, pass);
    int rc;
    while ((rc = query_row(&q)) == TL_OK) {
        int64_t chunk = get_i64(&q);
        chunk_keep(w, chunk, get_lent(&q));
    }
    if (rc != TL_E_NOT_FOUND)
        return rc;
    *out = take(w);
    return TL_OK;
}

static bool walk_met(const struct pass_walk *w, int64_t rec)
{
    int64_t chunk = rec / CHUNK_RECORDS;
    if (w->n == 0)
        return false;
    const int64_t *found = bsearch(&chunk, w->chunks, w->n, sizeof chunk, by_value);
    return found && bit_get(w->bits + (size_t)(found - w->chunks) * CHUNK_BYTES, rec % CHUNK_RECORDS);
}

int pass_walk_next(struct pass_walk *w, int max_steps, int64_t *recs_out, size_t *n, bool *end, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(w->db, &T, Q_WALK, e);
    int64_t last = w->after;
    size_t found = 0;
    int looked = 0, rc;
    put_i64(&q, w->feed);
    put_i64(&q, w->after);
    put_i64(&q, max_steps);
    for (; (rc = query_row(&q)) == TL_OK; looked++) {
        last = get_i64(&q);
        if (get_i64(&q) == TL_STATE_LIVE && !walk_met(w, last))
            recs_out[found++] = last;
    }
    if (rc != TL_E_NOT_FOUND)
        return rc;
    w->after = last;
    *n = found;
    *end = looked < max_steps;
    return TL_OK;
}
