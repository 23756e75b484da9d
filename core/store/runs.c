/* Runs and their counts. */
#include "runs.h"

#include "sql.h"

#define COLUMNS                                                                                                        \
    "run, connection, link, kind, state, made, started, ended, who, phase, done, total, pair_low, pair_high, error, "  \
    "about, basis, busy"
#define COUNTS "added, updated, matched, deleted, failed, unchanged, echo, conflict, skipped"

enum { Q_INSERT, Q_GET, Q_UPDATE, Q_LIST, Q_LIST_CONNECTION, Q_INTERRUPT, Q_COUNT_ADD, Q_COUNT_LIST, Q_BUSY };
static const char *const SQL[] = {
    [Q_INSERT] = "INSERT INTO run(run, connection, link, kind, state, made, started, ended, who, phase, done, total, "
                 "error, about, basis) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
    [Q_GET] = "SELECT " COLUMNS " FROM run WHERE run = ?1",
    [Q_UPDATE] = "UPDATE run SET state = ?2, started = ?3, ended = ?4, phase = ?5, done = ?6, total = ?7, error = ?8 "
                 "WHERE run = ?1",
    [Q_LIST] = "SELECT " COLUMNS " FROM run WHERE run < ?1 AND made >= ?2 AND (?3 = 0 OR link = ?3 OR link = 0) AND "
               "(?4 = 0 OR state IN (0, 1, 6)) ORDER BY run DESC LIMIT ?5",
    [Q_LIST_CONNECTION] = "SELECT " COLUMNS " FROM run WHERE run < ?1 AND made >= ?2 AND (?3 = 0 OR link = ?3 OR "
                          "link = 0) AND (?4 = 0 OR state IN (0, 1, 6)) AND connection = ?6 ORDER BY run DESC LIMIT ?5",
    [Q_INTERRUPT] = "UPDATE run SET state = 6 WHERE state IN (0, 1)",
    [Q_COUNT_ADD] = "INSERT INTO run_count(run, link, dest, " COUNTS ") VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, "
                    "?10, ?11, ?12) ON CONFLICT(run, link, dest) DO UPDATE SET added = added + excluded.added, "
                    "updated = updated + excluded.updated, matched = matched + excluded.matched, "
                    "deleted = deleted + excluded.deleted, failed = failed + excluded.failed, "
                    "unchanged = unchanged + excluded.unchanged, echo = echo + excluded.echo, "
                    "conflict = conflict + excluded.conflict, skipped = skipped + excluded.skipped",
    [Q_BUSY] = "UPDATE run SET busy = busy + ?2 WHERE run = ?1",
    [Q_COUNT_LIST] = "SELECT link, dest, " COUNTS " FROM run_count WHERE run = ?1 ORDER BY link, dest",
};
SQL_TABLE(T, SQL_RUNS, SQL);

const char *run_kind_name(int32_t kind)
{
    static const char *const names[] = {"initial",  "incremental", "live",    "sweep",
                                        "backfill", "retry",       "dry-run", "undo"};
    return kind >= 0 && (size_t)kind < ARRAY_LEN(names) ? names[kind] : "unknown";
}

const char *history_state_name(int32_t state)
{
    static const char *const names[] = {"queued", "running",   "succeeded",  "partial",
                                        "failed", "cancelled", "interrupted"};
    return state >= 0 && (size_t)state < ARRAY_LEN(names) ? names[state] : "unknown";
}

static void read_run(struct query *q, struct arena *a, struct run *out)
{
    out->run = get_i64(q);
    out->connection = get_i64(q);
    out->link = get_i64(q);
    out->kind = get_i32(q);
    out->state = get_i32(q);
    out->made_us = get_i64(q);
    out->started_us = get_i64(q);
    out->ended_us = get_i64(q);
    out->who = get_text(q, a);
    out->phase = get_text(q, a);
    out->done = get_i64(q);
    out->total = get_i64(q);
    out->pair_low = get_i64(q);
    out->pair_high = get_i64(q);
    out->error = get_text(q, a);
    out->about = get_i64(q);
    out->basis = get_u64(q);
    out->busy_us = get_i64(q);
}

static int insert_row(struct db *db, int64_t id, int64_t made_us, const struct run *r, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_INSERT, e);
    put_i64(&q, id);
    put_i64(&q, r->connection);
    put_i64(&q, r->link);
    put_i64(&q, r->kind);
    put_i64(&q, r->state);
    put_i64(&q, made_us);
    put_i64(&q, r->started_us);
    put_i64(&q, r->ended_us);
    put_text(&q, r->who);
    put_text(&q, r->phase);
    put_i64(&q, r->done);
    put_i64(&q, r->total);
    put_text(&q, r->error);
    put_i64(&q, r->about);
    put_u64(&q, r->basis);
    return query_run(&q);
}

int run_create(struct db *db, struct run *r, struct err *e)
{
    AUTO(tx_end) struct tx tx;
    int rc = tx_begin(&tx, db, e);
    if (rc)
        return rc;
    int64_t id = next_id(db, COUNT_RUN), made_us = r->made_us ? r->made_us : env_now_us(db_env(db));
    rc = insert_row(db, id, made_us, r, e);
    if (rc == TL_OK)
        rc = tx_commit(&tx, e);
    if (rc == TL_OK) {
        r->run = id;
        r->made_us = made_us;
    }
    return rc;
}

int run_get(struct db *db, struct arena *a, int64_t run, struct run *out, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_GET, e);
    put_i64(&q, run);
    int rc = query_row(&q);
    if (rc == TL_OK)
        read_run(&q, a, out);
    return rc;
}

int run_update(struct db *db, const struct run *r, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_UPDATE, e);
    put_i64(&q, r->run);
    put_i64(&q, r->state);
    put_i64(&q, r->started_us);
    put_i64(&q, r->ended_us);
    put_text(&q, r->phase);
    put_i64(&q, r->done);
    put_i64(&q, r->total);
    put_text(&q, r->error);
    return query_run_one(&q);
}

int run_list(struct db *db, struct arena *a, const struct run_filter *f, size_t max, struct run **out, size_t *n,
             struct err *e)
{
    struct list l = {.a = a, .item_bytes = sizeof(struct run)};
    AUTO(query_end) struct query q = query_begin(db, &T, f->connection ? Q_LIST_CONNECTION : Q_LIST, e);
    put_i64(&q, f->before ? f->before : INT64_MAX);
    put_i64(&q, f->since_us);
    put_i64(&q, f->link);
    put_i64(&q, f->open_only);
    put_i64(&q, (int64_t)max);
    if (f->connection)
        put_i64(&q, f->connection);
    int rc;
    while ((rc = query_row(&q)) == TL_OK)
        read_run(&q, a, list_add(&l));
    return list_end(rc, &l, (void **)out, n);
}

int run_interrupt_all(struct db *db, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_INTERRUPT, e);
    return query_run(&q);
}

int run_got_on(struct db *db, int64_t run, int64_t us, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_BUSY, e);
    put_i64(&q, run);
    put_i64(&q, us);
    return query_run(&q);
}

int run_count_add(struct db *db, int64_t run, const struct run_count *delta, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_COUNT_ADD, e);
    put_i64(&q, run);
    put_i64(&q, delta->link);
    put_i64(&q, delta->to);
    put_i64(&q, delta->added);
    put_i64(&q, delta->updated);
    put_i64(&q, delta->matched);
    put_i64(&q, delta->deleted);
    put_i64(&q, delta->failed);
    put_i64(&q, delta->unchanged);
    put_i64(&q, delta->echo);
    put_i64(&q, delta->conflict);
    put_i64(&q, delta->skipped);
    return query_run(&q);
}

int run_count_list(struct db *db, struct arena *a, int64_t run, struct run_count **out, size_t *n, struct err *e)
{
    struct list l = {.a = a, .item_bytes = sizeof(struct run_count)};
    AUTO(query_end) struct query q = query_begin(db, &T, Q_COUNT_LIST, e);
    put_i64(&q, run);
    int rc;
    while ((rc = query_row(&q)) == TL_OK) {
        struct run_count *c = list_add(&l);
        c->link = get_i64(&q);
        c->to = get_i32(&q);
        c->added = get_i64(&q);
        c->updated = get_i64(&q);
        c->matched = get_i64(&q);
        c->deleted = get_i64(&q);
        c->failed = get_i64(&q);
        c->unchanged = get_i64(&q);
        c->echo = get_i64(&q);
        c->conflict = get_i64(&q);
        c->skipped = get_i64(&q);
    }
    return list_end(rc, &l, (void **)out, n);
}
