#ifndef SQL_H
#define SQL_H
/* Inside core/store only: prepared statements and what every module does with them.
 *
 * A module keeps its statements in one table; they are prepared on first use and live as long as the handle.
 *   AUTO(query_end) struct query q = query_begin(db, &TABLE, Q_GET, e);
 *   put_i64(&q, id);                          parameters in order
 *   int rc = query_row(&q);                   TL_OK: a row; TL_E_NOT_FOUND: no (more) row; else e is filled
 *   int64_t n = get_i64(&q);                  columns in order
 * Errors of begin and put are kept and come out of the first query_row or query_run. */
#include <sqlite3.h>

#include "db.h"

enum sql_module {
    SQL_TRANSACTION,
    SQL_META,
    SQL_ENDPOINTS,
    SQL_FIELDS,
    SQL_CONNECTIONS,
    SQL_LINKS,
    SQL_MAPS,
    SQL_SETTINGS,
    SQL_FEEDS,
    SQL_PASSES,
    SQL_RECORDS,
    SQL_LOOKUPS,
    SQL_PAIRS,
    SQL_PAIR_LISTS,
    SQL_INTENTS,
    SQL_RUNS,
    SQL_CHANGES,
    SQL_PLANS,
    SQL_FAILURES,
    SQL_HOLDS,
    SQL_HOOKS,
    SQL_ACTS,
    SQL_SECRETS,
    SQL_ATTENTION,
    SQL_FSCK,
    SQL_FSCK_MEND,
    SQL_PASSPORTS,
    SQL_ERASED,
    SQL_ERASE,
    SQL_PERMISSIONS,
    SQL_TOKENS,
    SQL_MODULES
};

struct sql_table {
    enum sql_module module;
    int n;
    const char *const *text;
};
#define SQL_TABLE(name, mod, texts) static const struct sql_table name = {(mod), (int)ARRAY_LEN(texts), (texts)}

struct query {
    struct db *db;
    sqlite3_stmt *s;
    struct err *e;
    int rc;       /* kept error */
    int put, get; /* next parameter, next column */
};
struct query query_begin(struct db *db, const struct sql_table *t, int index, struct err *e);
void query_end(struct query *q);
AUTO_DONE(struct query, query_end)

void put_i64(struct query *q, int64_t v);
void put_u64(struct query *q, uint64_t v);        /* same bits */
void put_i64_or_null(struct query *q, int64_t v); /* 0 is NULL */
void put_text(struct query *q, str v);            /* lent until query_row */
void put_text_or_null(struct query *q, str v);    /* empty is NULL */
void put_blob(struct query *q, str v);
void put_null(struct query *q);
void put_id(struct query *q, str id); /* remote id: INTEGER where it can be */
void put_id_or_null(struct query *q, str id);

/* TL_OK with a row, TL_E_NOT_FOUND without, E_EXISTS (unique), E_PRECONDITION (foreign key, trigger), E_STORAGE,
 * E_BUSY (a reader's time is over). */
int query_row(struct query *q);
/* For statements without rows; leaves the statement ready for the next query_again. */
int query_run(struct query *q);
/* Same statement once more, parameters from the start; cheaper than begin. */
void query_again(struct query *q);
int query_changes(const struct query *q);
/* Of a statement that changes one row: TL_E_NOT_FOUND when that is not there. */
int query_run_one(struct query *q);
/* Of a statement whose last parameter says how many rows at most. *done_out: no more are left. */
int query_run_some(struct query *q, int max_rows, bool *done_out);
/* Rows of one number, at most max: the statement's last parameter. */
int query_ids(struct query *q, int64_t *ids, size_t max, size_t *n);

int64_t get_i64(struct query *q); /* NULL is 0 */
int32_t get_i32(struct query *q);
uint64_t get_u64(struct query *q);
bool get_bool(struct query *q);
bool get_is_null(const struct query *q);        /* of the next column; does not move on */
str get_text(struct query *q, struct arena *a); /* copied; NULL is empty */
str get_lent(struct query *q);                  /* lent until the next row; NULL is empty */
str get_id(struct query *q, struct arena *a);
void get_skip(struct query *q);

/* Rows of unknown number, collected in an arena:
 *   struct list l = {.a = a, .item_bytes = sizeof(struct x)};
 *   while ((rc = query_row(&q)) == TL_OK) read_x(&q, a, list_add(&l));
 *   return list_end(rc, &l, (void **)out, n); */
struct list {
    struct arena *a;
    size_t item_bytes, n, cap;
    char *items;
};
void *list_add(struct list *l);                                    /* zeroed */
int list_end(int rc, const struct list *l, void **out, size_t *n); /* TL_OK when rc says that rows have ended */

/* One result code of SQLite in our words. */
int sql_error(struct db *db, int sqlite_rc, struct err *e);
int sql_error_of(sqlite3 *handle, const char *path, int sqlite_rc, struct err *e);

/* A transaction of our own unless the caller has one:
 *   AUTO(tx_end) struct tx tx;
 *   if ((rc = tx_begin(&tx, db, e)) ...; return tx_commit(&tx, e); */
struct tx {
    struct db *db;
    bool own;
};
int tx_begin(struct tx *tx, struct db *db, struct err *e);
int tx_commit(struct tx *tx, struct err *e);
void tx_end(struct tx *tx);
AUTO_DONE(struct tx, tx_end)

/* Ids that only grow; taken back with a rollback. */
enum counter {
    COUNT_ENDPOINT,
    COUNT_CONNECTION,
    COUNT_FEED,
    COUNT_LINK,
    COUNT_RECORD,
    COUNT_PAIR,
    COUNT_INTENT,
    COUNT_RUN,
    COUNT_CHANGE,
    COUNT_FAILURE,
    COUNT_PASS,
    COUNT_REPAIR,
    COUNT_INBOX,
    COUNT_AUDIT,
    COUNT_AGE, /* see sidecar.c */
    COUNT_ERASURE,
    COUNT_TOKEN,
    COUNT_ACT,
    COUNT_RELATION,
    COUNTERS
};
int64_t next_id(struct db *db, enum counter c); /* inside a transaction */

/* Row counts written at the commit. */
enum tally { TALLY_RECORDS = 0, TALLY_PAIRS = 1, TALLY_COMPLETE = 2, TALLY_UNSETTLED = 3 };
void tally_add(struct db *db, enum tally what, int64_t owner, int64_t n);
/* The owner goes: its row, and what this transaction has counted so far. */
int tally_drop(struct db *db, enum tally what, int64_t owner, struct err *e);
int64_t tally_get(struct db *db, enum tally what, int64_t owner);
/* Widens the range of pairs a run created for, at the commit. */
void run_range_add(struct db *db, int64_t run, int64_t pair);
#endif
