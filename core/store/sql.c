/* Statements, values, and SQLite's result codes in our words. */
#include "sql.h"

#include <stdio.h>
#include <stdlib.h>

#include "db_int.h"

/* ---- Errors ---------------------------------------------------------------------------------------------------- */

static int storage_error(struct err *e, const char *code, const char *path, const char *what, const char *hint)
{
    err_set(e, E_STORAGE, "database \"%s\": %s", path, what);
    err_code(e, code);
    err_hint(e, "%s", hint);
    return E_STORAGE;
}

int sql_error_of(sqlite3 *handle, const char *path, int sqlite_rc, struct err *e)
{
    char said[256];
    snprintf(said, sizeof said, "%s", handle ? sqlite3_errmsg(handle) : sqlite3_errstr(sqlite_rc));
    int rc = E_STORAGE;
    switch (sqlite_rc & 0xff) {
    case SQLITE_FULL:
        rc = storage_error(e, "STORAGE_FULL", path, "the disk is full",
                           "make room on its file system; nothing is sent "
                           "to any system until writing works again, then work goes on by itself");
        break;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        rc = storage_error(e, "STORAGE_CORRUPT", path,
                           (sqlite_rc & 0xff) == SQLITE_NOTADB ? "this is not a database" : "the file is damaged",
                           "stop the daemon, keep the damaged file, put the newest backup in its place, start again");
        break;
    case SQLITE_READONLY:
    case SQLITE_PERM:
        rc = storage_error(e, "STORAGE_READONLY", path, "it cannot be written",
                           "give the daemon's user write access to the file and to its directory");
        break;
    case SQLITE_CANTOPEN:
        rc = storage_error(e, "STORAGE_READONLY", path, "it cannot be opened",
                           "look whether the directory exists and the daemon's user may write in it");
        break;
    case SQLITE_IOERR:
        rc = storage_error(e, "STORAGE_IO", path, "the disk reports an error",
                           "look at the kernel log and the health of the disk; nothing is sent until writing works");
        break;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        rc = err_set(e, E_BUSY, "database \"%s\" is locked", path);
        err_hint(e, "another program writes to it; only one daemon may use a state directory");
        break;
    case SQLITE_INTERRUPT:
        rc = err_set(e, E_BUSY, "reading the database took too long");
        err_hint(e, "ask for less at once");
        break;
    case SQLITE_CONSTRAINT:
        rc =
            err_set(e,
                    sqlite_rc == SQLITE_CONSTRAINT_UNIQUE || sqlite_rc == SQLITE_CONSTRAINT_PRIMARYKEY ? E_EXISTS
                                                                                                       : E_PRECONDITION,
                    "the database refuses this: %s", said);
        break;
    case SQLITE_TOOBIG:
        rc = err_set(e, TL_E_INVALID, "a value is too large to store");
        break;
    default:
        rc = storage_error(e, "STORAGE_FAILED", path, said, "this is a defect; please report it with the detail");
        break;
    }
    err_detail(e, "sqlite %d: %s", sqlite_rc, said);
    return rc;
}

int sql_error(struct db *db, int sqlite_rc, struct err *e)
{
    return sql_error_of(db->sqlite, db->path, sqlite_rc, e);
}

int sql_exec(sqlite3 *handle, const char *path, const char *sql, struct err *e)
{
    int s = sqlite3_exec(handle, sql, NULL, NULL, NULL);
    return s == SQLITE_OK ? TL_OK : sql_error_of(handle, path, s, e);
}

int sql_exec_i64(sqlite3 *handle, const char *path, const char *sql, int64_t *out, struct err *e)
{
    sqlite3_stmt *s = NULL;
    int rc = sqlite3_prepare_v2(handle, sql, -1, &s, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(s);
    int64_t value = rc == SQLITE_ROW ? sqlite3_column_int64(s, 0) : 0;
    int end = sqlite3_finalize(s);
    if (rc != SQLITE_ROW)
        return sql_error_of(handle, path, end != SQLITE_OK ? end : rc, e);
    *out = value;
    return TL_OK;
}

/* ---- Statements ------------------------------------------------------------------------------------------------ */

static int statement(struct db *db, const struct sql_table *t, int index, sqlite3_stmt **out, struct err *e)
{
    if (!db->statements[t->module]) {
        db->statements[t->module] = calloc((size_t)t->n, sizeof(sqlite3_stmt *));
        ASSERT(db->statements[t->module]);
        db->n_statements[t->module] = t->n;
    }
    sqlite3_stmt **slot = &db->statements[t->module][index];
    if (!*slot) {
        int s = sqlite3_prepare_v3(db->sqlite, t->text[index], -1, SQLITE_PREPARE_PERSISTENT, slot, NULL);
        if (s != SQLITE_OK)
            return sql_error(db, s, e);
    }
    *out = *slot;
    return TL_OK;
}

/* A transaction that SQLite ended by itself (disk full) must not go on as single statements; a reader's must end. */
static int may_go_on(struct db *db, struct err *e)
{
    if (!db->in_transaction)
        return TL_OK;
    if (sqlite3_get_autocommit(db->sqlite)) {
        err_set(e, E_STORAGE, "database \"%s\": the transaction was ended by an earlier error", db->path);
        err_code(e, "STORAGE_FAILED");
        return E_STORAGE;
    }
    if (db->reader && env_mono_us(db->env) > db->read_until_us) {
        err_set(e, E_BUSY, "reading the database took too long");
        err_hint(e, "ask for less at once");
        return E_BUSY;
    }
    return TL_OK;
}

struct query query_begin(struct db *db, const struct sql_table *t, int index, struct err *e)
{
    struct query q = {.db = db, .e = e, .put = 1};
    q.rc = may_go_on(db, e);
    if (q.rc == TL_OK)
        q.rc = statement(db, t, index, &q.s, e);
    return q;
}

void query_end(struct query *q)
{
    if (q->s)
        sqlite3_reset(q->s);
    q->s = NULL;
}

static bool usable(struct query *q)
{
    return q->rc == TL_OK;
}

static void bound(struct query *q, int s)
{
    if (s != SQLITE_OK)
        q->rc = sql_error(q->db, s, q->e);
    q->put++;
}

void put_i64(struct query *q, int64_t v)
{
    if (usable(q))
        bound(q, sqlite3_bind_int64(q->s, q->put, v));
}

void put_u64(struct query *q, uint64_t v)
{
    int64_t same_bits;
    memcpy(&same_bits, &v, sizeof v);
    put_i64(q, same_bits);
}

void put_null(struct query *q)
{
    if (usable(q))
        bound(q, sqlite3_bind_null(q->s, q->put));
}

void put_i64_or_null(struct query *q, int64_t v)
{
    if (v)
        put_i64(q, v);
    else
        put_null(q);
}

void put_text(struct query *q, str v)
{
    if (usable(q))
        bound(q, sqlite3_bind_text64(q->s, q->put, v.n ? v.p : "", v.n, SQLITE_STATIC, SQLITE_UTF8));
}

void put_text_or_null(struct query *q, str v)
{
    if (v.n)
        put_text(q, v);
    else
        put_null(q);
}

void put_blob(struct query *q, str v)
{
    if (usable(q))
        bound(q, sqlite3_bind_blob64(q->s, q->put, v.n ? v.p : "", v.n, SQLITE_STATIC));
}

/* Is this a remote id that is kept as a number? */
static bool id_number(str id, int64_t *out)
{
    if (id.n == 0 || id.n > 19 || (id.p[0] == '0' && id.n > 1))
        return false;
    int64_t v = 0;
    for (size_t i = 0; i < id.n; i++) {
        int digit = id.p[i] - '0';
        if (digit < 0 || digit > 9 || __builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, digit, &v))
            return false;
    }
    *out = v;
    return true;
}

void put_id(struct query *q, str id)
{
    int64_t number;
    if (id_number(id, &number))
        put_i64(q, number);
    else
        put_text(q, id);
}

void put_id_or_null(struct query *q, str id)
{
    if (id.n)
        put_id(q, id);
    else
        put_null(q);
}

int query_row(struct query *q)
{
    if (q->rc != TL_OK)
        return q->rc;
    int s = sqlite3_step(q->s);
    q->get = 0;
    if (s == SQLITE_ROW)
        return TL_OK;
    if (s == SQLITE_DONE)
        return TL_E_NOT_FOUND;
    q->rc = sql_error(q->db, s, q->e);
    return q->rc;
}

int query_run(struct query *q)
{
    int rc = query_row(q);
    if (q->s)
        sqlite3_reset(q->s);
    return rc == TL_E_NOT_FOUND ? TL_OK : rc;
}

void query_again(struct query *q)
{
    if (q->s)
        sqlite3_reset(q->s);
    q->put = 1;
}

int query_changes(const struct query *q)
{
    return sqlite3_changes(q->db->sqlite);
}

int64_t get_i64(struct query *q)
{
    return sqlite3_column_int64(q->s, q->get++);
}

int query_run_one(struct query *q)
{
    int rc = query_run(q);
    return rc == TL_OK && query_changes(q) == 0 ? TL_E_NOT_FOUND : rc;
}

int query_run_some(struct query *q, int max_rows, bool *done_out)
{
    put_i64(q, max_rows);
    int rc = query_run(q);
    if (rc == TL_OK)
        *done_out = query_changes(q) < max_rows;
    return rc;
}

int query_ids(struct query *q, int64_t *ids, size_t max, size_t *n)
{
    put_i64(q, (int64_t)max);
    size_t found = 0;
    int rc;
    while ((rc = query_row(q)) == TL_OK)
        ids[found++] = get_i64(q);
    if (rc != TL_E_NOT_FOUND)
        return rc;
    *n = found;
    return TL_OK;
}
int32_t get_i32(struct query *q)
{
    return (int32_t)get_i64(q);
}
bool get_bool(struct query *q)
{
    return get_i64(q) != 0;
}
bool get_is_null(const struct query *q)
{
    return sqlite3_column_type(q->s, q->get) == SQLITE_NULL;
}
void get_skip(struct query *q)
{
    q->get++;
}

uint64_t get_u64(struct query *q)
{
    int64_t v = get_i64(q);
    uint64_t same_bits;
    memcpy(&same_bits, &v, sizeof v);
    return same_bits;
}

str get_lent(struct query *q)
{
    int column = q->get++;
    const void *p = sqlite3_column_blob(q->s, column); /* text columns too: UTF-8 as stored */
    int n = sqlite3_column_bytes(q->s, column);
    return p ? str_n(p, (size_t)n) : (str){0};
}

str get_text(struct query *q, struct arena *a)
{
    str lent = get_lent(q);
    return lent.n ? arena_str(a, lent) : (str){0};
}

str get_id(struct query *q, struct arena *a)
{
    if (sqlite3_column_type(q->s, q->get) != SQLITE_INTEGER)
        return get_text(q, a);
    char digits[24];
    uint64_t v = (uint64_t)get_i64(q);
    char *p = digits + sizeof digits;
    do
        *--p = (char)('0' + v % 10);
    while (v /= 10);
    return arena_str(a, str_n(p, (size_t)(digits + sizeof digits - p)));
}

void *list_add(struct list *l)
{
    if (l->n == l->cap) {
        size_t cap = l->cap ? l->cap * 2 : l->item_bytes > 256 ? 4 : 16;
        char *bigger = arena_alloc(l->a, cap * l->item_bytes);
        if (l->n)
            memcpy(bigger, l->items, l->n * l->item_bytes);
        l->items = bigger;
        l->cap = cap;
    }
    return l->items + l->item_bytes * l->n++;
}

int list_end(int rc, const struct list *l, void **out, size_t *n)
{
    if (rc != TL_E_NOT_FOUND)
        return rc;
    *out = l->items;
    *n = l->n;
    return TL_OK;
}
