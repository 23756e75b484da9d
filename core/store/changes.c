/* Change rows: what was written, field by field; and how long history is kept. */
#include "runs.h"
#include "sql.h"

#define COLUMNS "change, run, pair, side, op, remote_id, fields, cause, at"

enum {
    Q_INSERT,
    Q_OF_PAIR,
    Q_OF_RUN,
    Q_OF_RUN_PAIR,
    Q_COUNT_CREATES,
    Q_COUNT_CHANGES,
    Q_COUNT_FAILURES,
    Q_TRIM_CHANGES,
    Q_TRIM_RUNS
};
static const char *const SQL[] = {
    [Q_INSERT] = "INSERT INTO change(" COLUMNS ") VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    [Q_OF_PAIR] = "SELECT " COLUMNS " FROM change WHERE pair = ?1 AND change < ?2 ORDER BY change DESC LIMIT ?3",
    [Q_OF_RUN] = "SELECT " COLUMNS " FROM change WHERE run = ?1 AND change > ?2 ORDER BY change LIMIT ?3",
    [Q_OF_RUN_PAIR] = "SELECT " COLUMNS " FROM change INDEXED BY change_pair WHERE pair = ?1 AND run = ?2 ORDER BY "
                      "change DESC LIMIT ?3",
    [Q_COUNT_CREATES] = "SELECT count(*) FROM pair WHERE run = ?1 AND pair BETWEEN "
                        "(SELECT pair_low FROM run WHERE run = ?1) AND (SELECT pair_high FROM run WHERE run = ?1)",
    [Q_COUNT_CHANGES] = "SELECT count(*) FROM change WHERE run = ?1 AND op <> 0",
    [Q_COUNT_FAILURES] = "SELECT count(*) FROM failure WHERE run = ?1",
    /* Ids grow with time: the oldest rows are the first ones. */
    [Q_TRIM_CHANGES] = "DELETE FROM change WHERE change IN (SELECT change FROM change ORDER BY change LIMIT ?2) AND "
                       "at < ?1",
    [Q_TRIM_RUNS] = "DELETE FROM run WHERE run IN (SELECT run FROM run ORDER BY run LIMIT ?2) AND made < ?1 AND "
                    "state NOT IN (0, 1, 6)",
};
SQL_TABLE(T, SQL_CHANGES, SQL);

static int insert_row(struct db *db, int64_t id, const struct change *c, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_INSERT, e);
    put_i64(&q, id);
    put_i64(&q, c->run);
    put_i64(&q, c->pair);
    put_i64(&q, c->side);
    put_i64(&q, c->op);
    put_id_or_null(&q, c->id);
    put_blob(&q, c->fields);
    put_text(&q, c->cause);
    put_i64(&q, c->at_us);
    return query_run(&q);
}

int change_add(struct db *db, struct change *c, struct err *e)
{
    AUTO(tx_end) struct tx tx;
    int rc = tx_begin(&tx, db, e);
    if (rc)
        return rc;
    int64_t id = next_id(db, COUNT_CHANGE);
    rc = insert_row(db, id, c, e);
    if (rc == TL_OK)
        rc = tx_commit(&tx, e);
    if (rc == TL_OK)
        c->change = id;
    return rc;
}

static void read_change(struct query *q, struct arena *a, struct change *out)
{
    out->change = get_i64(q);
    out->run = get_i64(q);
    out->pair = get_i64(q);
    out->side = get_i32(q);
    out->op = get_i32(q);
    out->id = get_id(q, a);
    out->fields = get_text(q, a);
    out->cause = get_text(q, a);
    out->at_us = get_i64(q);
}

static int list_by(struct db *db, struct arena *a, int statement, int64_t owner, int64_t from, size_t max,
                   struct change **out, size_t *n, struct err *e)
{
    struct list l = {.a = a, .item_bytes = sizeof(struct change)};
    AUTO(query_end) struct query q = query_begin(db, &T, statement, e);
    put_i64(&q, owner);
    put_i64(&q, from);
    put_i64(&q, (int64_t)max);
    int rc;
    while ((rc = query_row(&q)) == TL_OK)
        read_change(&q, a, list_add(&l));
    return list_end(rc, &l, (void **)out, n);
}

int change_list_of_pair(struct db *db, struct arena *a, int64_t pair, int64_t before, size_t max, struct change **out,
                        size_t *n, struct err *e)
{
    return list_by(db, a, Q_OF_PAIR, pair, before ? before : INT64_MAX, max, out, n, e);
}

int change_list_of_run(struct db *db, struct arena *a, int64_t run, int64_t after, size_t max, struct change **out,
                       size_t *n, struct err *e)
{
    return list_by(db, a, Q_OF_RUN, run, after, max, out, n, e);
}

int change_list_of_run_pair(struct db *db, struct arena *a, int64_t run, int64_t pair, struct change **out, size_t *n,
                            struct err *e)
{
    return list_by(db, a, Q_OF_RUN_PAIR, pair, run, INT32_MAX, out, n, e);
}

static int count(struct db *db, int statement, int64_t run, int64_t *out, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, statement, e);
    put_i64(&q, run);
    int rc = query_row(&q);
    if (rc == TL_OK)
        *out = get_i64(&q);
    return rc;
}

int run_accounting(struct db *db, int64_t run, int64_t *creates_out, int64_t *changes_out, int64_t *failures_out,
                   struct err *e)
{
    int rc = count(db, Q_COUNT_CREATES, run, creates_out, e);
    if (rc == TL_OK)
        rc = count(db, Q_COUNT_CHANGES, run, changes_out, e);
    return rc == TL_OK ? count(db, Q_COUNT_FAILURES, run, failures_out, e) : rc;
}

static int trim(struct db *db, int statement, int64_t older_than_us, int max_rows, bool *done_out, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, statement, e);
    put_i64(&q, older_than_us);
    return query_run_some(&q, max_rows, done_out);
}

int history_trim(struct db *db, int64_t older_than_us, int max_rows, bool *done_out, struct err *e)
{
    AUTO(tx_end) struct tx tx;
    bool changes = false, runs = false;
    int rc = tx_begin(&tx, db, e);
    if (rc == TL_OK)
        rc = trim(db, Q_TRIM_CHANGES, older_than_us, max_rows, &changes, e);
    if (rc == TL_OK)
        rc = trim(db, Q_TRIM_RUNS, older_than_us, max_rows, &runs, e);
    if (rc == TL_OK)
        rc = tx_commit(&tx, e);
    if (rc == TL_OK)
        *done_out = changes && runs;
    return rc;
}
