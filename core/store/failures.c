/* Failures of records. */
#include "failures.h"

#include "sql.h"

#define COLUMNS                                                                                                        \
    "failure, link, pair, side, remote_id, code, reason, field, text, vendor_code, vendor_text, run, first, last, n, " \
    "retry, next, resolved, resolved_by"

enum {
    Q_OPEN,
    Q_INSERT,
    Q_UPDATE,
    Q_GET,
    Q_LIST,
    Q_LIST_OPEN_OF_PAIR,
    Q_GROUPS,
    Q_OPEN_OF_PAIR,
    Q_RESOLVE_PAIR,
    Q_RESOLVE_OTHERS,
    Q_RESOLVE,
    Q_RESOLVE_RECORD,
    Q_RESOLVE_UNMET,
    Q_COUNT_OPEN,
    Q_TRIM
};
#define FILTER                                                                                                         \
    " failure < ?1 AND (?2 = '' OR code = ?2) AND (?3 OR resolved IS NULL) AND (?4 = 0 OR link = ?4) AND "             \
    "(?5 = 0 OR pair = ?5) ORDER BY failure DESC LIMIT ?6"
static const char *const SQL[] = {
    [Q_OPEN] = "SELECT failure, first, n FROM failure WHERE link = ?1 AND side = ?2 AND remote_id = ?3 AND code = ?4 "
               "AND resolved IS NULL",
    [Q_INSERT] = "INSERT INTO failure(failure, link, pair, side, remote_id, code, reason, field, text, vendor_code, "
                 "vendor_text, run, first, last, n, retry, next) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, "
                 "?12, ?13, ?14, ?15, ?16, ?17)",
    [Q_UPDATE] = "UPDATE failure SET pair = ?2, reason = ?3, field = ?4, text = ?5, vendor_code = ?6, "
                 "vendor_text = ?7, run = ?8, last = ?9, n = n + 1, retry = ?10, next = ?11 WHERE failure = ?1",
    [Q_GET] = "SELECT " COLUMNS " FROM failure WHERE failure = ?1",
    [Q_LIST] = "SELECT " COLUMNS " FROM failure WHERE" FILTER,
    /* the same parameters, found by the index over open failures of pairs */
    [Q_LIST_OPEN_OF_PAIR] =
        "SELECT " COLUMNS " FROM failure WHERE pair = ?5 AND resolved IS NULL AND failure < ?1 AND "
        "(?2 = '' OR code = ?2) AND ?3 = 0 AND (?4 = 0 OR link = ?4) ORDER BY failure DESC LIMIT ?6",
    [Q_GROUPS] = "SELECT link, code, count(*), min(first), max(last) FROM failure WHERE resolved IS NULL AND (?1 = 0 "
                 "OR link = ?1) "
                 "GROUP BY link, code ORDER BY link, count(*) DESC, code",
    [Q_OPEN_OF_PAIR] = "SELECT 1 FROM failure WHERE pair = ?1 AND resolved IS NULL",
    [Q_RESOLVE_PAIR] = "UPDATE failure SET resolved = ?2, resolved_by = ?3, next = 0 WHERE pair = ?1 AND "
                       "resolved IS NULL",
    [Q_RESOLVE_OTHERS] = "UPDATE failure SET resolved = ?2, resolved_by = ?3, next = 0 WHERE pair = ?4 AND "
                         "failure <> ?1 AND resolved IS NULL",
    [Q_RESOLVE] = "UPDATE failure SET resolved = ?2, resolved_by = ?3, next = 0 WHERE failure = ?1 AND "
                  "resolved IS NULL",
    [Q_RESOLVE_RECORD] =
        "UPDATE failure SET resolved = ?5, resolved_by = ?6, next = 0 WHERE link = ?1 AND side = ?2 AND "
        "remote_id = ?3 AND (?4 = '' OR code = ?4) AND resolved IS NULL AND pair = 0",
    [Q_RESOLVE_UNMET] = "UPDATE failure SET resolved = ?5, resolved_by = ?6, next = 0 WHERE link = ?1 AND side = ?2 "
                        "AND last < ?3 AND code = ?4 AND resolved IS NULL AND pair = 0",
    [Q_COUNT_OPEN] = "SELECT count(*) FROM failure WHERE link = ?1 AND side = ?2 AND code = ?3 AND "
                     "resolved IS NULL AND pair = 0",
    [Q_TRIM] = "DELETE FROM failure WHERE failure IN (SELECT failure FROM failure WHERE resolved IS NOT NULL AND "
               "resolved < ?1 ORDER BY resolved LIMIT ?2)",
};
SQL_TABLE(T, SQL_FAILURES, SQL);

/* The columns an open failure is known by; ids of no record are kept as empty text. */
static int find_open(struct db *db, struct failure *f, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_OPEN, e);
    put_i64(&q, f->link);
    put_i64(&q, f->side);
    put_id(&q, f->id);
    put_text(&q, f->code);
    int rc = query_row(&q);
    if (rc == TL_OK) {
        f->failure = get_i64(&q);
        f->first_us = get_i64(&q);
        f->n = get_i64(&q) + 1;
    }
    return rc;
}

static int insert_row(struct db *db, struct failure *f, struct err *e)
{
    f->failure = next_id(db, COUNT_FAILURE);
    f->first_us = f->last_us;
    f->n = 1;
    AUTO(query_end) struct query q = query_begin(db, &T, Q_INSERT, e);
    put_i64(&q, f->failure);
    put_i64(&q, f->link);
    put_i64(&q, f->pair);
    put_i64(&q, f->side);
    put_id(&q, f->id);
    put_text(&q, f->code);
    put_i64(&q, f->reason);
    put_text(&q, f->field);
    put_text(&q, f->text);
    put_text(&q, f->vendor_code);
    put_text(&q, f->vendor_text);
    put_i64(&q, f->run);
    put_i64(&q, f->first_us);
    put_i64(&q, f->last_us);
    put_i64(&q, f->n);
    put_i64(&q, f->retry);
    put_i64(&q, f->next_us);
    return query_run(&q);
}

static int update_row(struct db *db, const struct failure *f, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_UPDATE, e);
    put_i64(&q, f->failure);
    put_i64(&q, f->pair);
    put_i64(&q, f->reason);
    put_text(&q, f->field);
    put_text(&q, f->text);
    put_text(&q, f->vendor_code);
    put_text(&q, f->vendor_text);
    put_i64(&q, f->run);
    put_i64(&q, f->last_us);
    put_i64(&q, f->retry);
    put_i64(&q, f->next_us);
    return query_run(&q);
}

int failure_note(struct db *db, struct failure *f, struct err *e)
{
    AUTO(tx_end) struct tx tx;
    struct failure noted = *f;
    int rc = tx_begin(&tx, db, e);
    if (rc == TL_OK)
        rc = find_open(db, &noted, e);
    if (rc == TL_OK)
        rc = update_row(db, &noted, e);
    else if (rc == TL_E_NOT_FOUND)
        rc = insert_row(db, &noted, e);
    if (rc == TL_OK)
        rc = tx_commit(&tx, e);
    if (rc == TL_OK)
        *f = noted;
    return rc;
}

static void read_failure(struct query *q, struct arena *a, struct failure *out)
{
    out->failure = get_i64(q);
    out->link = get_i64(q);
    out->pair = get_i64(q);
    out->side = get_i32(q);
    out->id = get_id(q, a);
    out->code = get_text(q, a);
    out->reason = get_i32(q);
    out->field = get_text(q, a);
    out->text = get_text(q, a);
    out->vendor_code = get_text(q, a);
    out->vendor_text = get_text(q, a);
    out->run = get_i64(q);
    out->first_us = get_i64(q);
    out->last_us = get_i64(q);
    out->n = get_i64(q);
    out->retry = get_i32(q);
    out->next_us = get_i64(q);
    out->resolved_us = get_i64(q);
    out->resolved_by = get_text(q, a);
}

int failure_get(struct db *db, struct arena *a, int64_t failure, struct failure *out, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_GET, e);
    put_i64(&q, failure);
    int rc = query_row(&q);
    if (rc == TL_OK)
        read_failure(&q, a, out);
    return rc;
}

int failure_list(struct db *db, struct arena *a, const struct failure_filter *f, size_t max, struct failure **out,
                 size_t *n, struct err *e)
{
    struct list l = {.a = a, .item_bytes = sizeof(struct failure)};
    AUTO(query_end)
    struct query q = query_begin(db, &T, f->pair && !f->with_resolved ? Q_LIST_OPEN_OF_PAIR : Q_LIST, e);
    put_i64(&q, f->before ? f->before : INT64_MAX);
    put_text(&q, f->code);
    put_i64(&q, f->with_resolved);
    put_i64(&q, f->link);
    put_i64(&q, f->pair);
    put_i64(&q, (int64_t)max);
    int rc;
    while ((rc = query_row(&q)) == TL_OK)
        read_failure(&q, a, list_add(&l));
    return list_end(rc, &l, (void **)out, n);
}

int failure_groups(struct db *db, struct arena *a, int64_t link, struct failure_group **out, size_t *n, struct err *e)
{
    struct list l = {.a = a, .item_bytes = sizeof(struct failure_group)};
    AUTO(query_end) struct query q = query_begin(db, &T, Q_GROUPS, e);
    put_i64(&q, link);
    int rc;
    while ((rc = query_row(&q)) == TL_OK) {
        struct failure_group *g = list_add(&l);
        g->link = get_i64(&q);
        g->code = get_text(&q, a);
        g->n = get_i64(&q);
        g->first_us = get_i64(&q);
        g->last_us = get_i64(&q);
    }
    return list_end(rc, &l, (void **)out, n);
}

static int has_open(struct db *db, int64_t pair, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_OPEN_OF_PAIR, e);
    put_i64(&q, pair);
    return query_row(&q);
}

static int resolve(struct db *db, int statement, int64_t id, str by, int64_t at_us, int64_t *n, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, statement, e);
    put_i64(&q, id);
    put_i64(&q, at_us);
    put_text(&q, by);
    int rc = query_run(&q);
    if (rc == TL_OK)
        *n = query_changes(&q);
    return rc;
}

/* The usual pair has none: to learn that from one index is a seventh of what an UPDATE costs that finds nothing. */
int failure_resolve_pair(struct db *db, int64_t pair, str by, int64_t at_us, int64_t *n_out, struct err *e)
{
    int rc = has_open(db, pair, e);
    if (rc == TL_E_NOT_FOUND) {
        *n_out = 0;
        return TL_OK;
    }
    if (rc)
        return rc;
    return resolve(db, Q_RESOLVE_PAIR, pair, by, at_us, n_out, e);
}

int failure_resolve_others(struct db *db, const struct failure *f, str by, int64_t at_us, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_RESOLVE_OTHERS, e);
    put_i64(&q, f->failure);
    put_i64(&q, at_us);
    put_text(&q, by);
    put_i64(&q, f->pair);
    return query_run(&q);
}

int failure_resolve(struct db *db, int64_t failure, str by, int64_t at_us, struct err *e)
{
    int64_t n = 0;
    int rc = resolve(db, Q_RESOLVE, failure, by, at_us, &n, e);
    return rc == TL_OK && n == 0 ? TL_E_NOT_FOUND : rc;
}

int failure_resolve_record(struct db *db, const struct failure *f, int64_t *n_out, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_RESOLVE_RECORD, e);
    put_i64(&q, f->link);
    put_i64(&q, f->side);
    put_id(&q, f->id);
    put_text(&q, f->code);
    put_i64(&q, f->resolved_us);
    put_text(&q, f->resolved_by);
    int rc = query_run(&q);
    if (rc == TL_OK)
        *n_out = query_changes(&q);
    return rc;
}

int failure_resolve_unmet(struct db *db, const struct failure *f, int64_t before_us, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_RESOLVE_UNMET, e);
    put_i64(&q, f->link);
    put_i64(&q, f->side);
    put_i64(&q, before_us);
    put_text(&q, f->code);
    put_i64(&q, f->resolved_us);
    put_text(&q, f->resolved_by);
    return query_run(&q);
}

int failure_count_open(struct db *db, int64_t link, int32_t side, const char *code, int64_t *n_out, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_COUNT_OPEN, e);
    put_i64(&q, link);
    put_i64(&q, side);
    put_text(&q, str_of(code));
    int rc = query_row(&q);
    if (rc == TL_OK)
        *n_out = get_i64(&q);
    return rc;
}

int failure_trim(struct db *db, int64_t older_than_us, int max_rows, bool *done_out, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_TRIM, e);
    put_i64(&q, older_than_us);
    return query_run_some(&q, max_rows, done_out);
}
