/* Marks of what was erased. */
#include "erased.h"

#include "buf.h"
#include "db_int.h"

enum { Q_ADD, Q_PUT, Q_FIND, Q_ANY, Q_LIST, Q_LIFT, Q_DROP };
static const char *const SQL[] = {
    [Q_ADD] = "INSERT INTO erasure(erasure, at, who) VALUES(?1, ?2, ?3)",
    [Q_PUT] = "INSERT INTO erased(mark, erasure) VALUES(?1, ?2) ON CONFLICT(mark) DO UPDATE SET "
              "erasure = excluded.erasure",
    [Q_FIND] = "SELECT erasure FROM erased WHERE mark = ?1",
    [Q_ANY] = "SELECT EXISTS(SELECT 1 FROM erased)",
    [Q_LIST] = "SELECT erasure, at, who, (SELECT count(*) FROM erased m WHERE m.erasure = e.erasure) FROM erasure e "
               "ORDER BY erasure DESC",
    [Q_LIFT] = "DELETE FROM erased WHERE erasure = ?1",
    [Q_DROP] = "DELETE FROM erasure WHERE erasure = ?1",
};
SQL_TABLE(T, SQL_ERASED, SQL);

enum { MARK_CHARS = 26 };

/* The key is the database's own and leaves it with no passport: a mark says nothing to who has the marks alone. */
static void mark_of(const struct db *db, const struct erased_name *name, char out[MARK_CHARS + 1])
{
    const str parts[] = {name->system, name->org, name->kind, name->id};
    stamp_hash(out, &db->id.marks, parts, (unsigned)ARRAY_LEN(parts));
}

int erasure_add(struct db *db, str who, int64_t *erasure_out, struct err *e)
{
    int64_t id = next_id(db, COUNT_ERASURE);
    AUTO(query_end) struct query q = query_begin(db, &T, Q_ADD, e);
    put_i64(&q, id);
    put_i64(&q, env_now_us(db->env));
    put_text(&q, who);
    int rc = query_run(&q);
    if (rc == TL_OK)
        *erasure_out = id;
    return rc;
}

int erased_put(struct db *db, int64_t erasure, const struct erased_name *name, struct err *e)
{
    char mark[MARK_CHARS + 1];
    mark_of(db, name, mark);
    AUTO(query_end) struct query q = query_begin(db, &T, Q_PUT, e);
    put_text(&q, str_of(mark));
    put_i64(&q, erasure);
    db->may_have_marks = true; /* also when this is rolled back: then it is looked for in vain */
    return query_run(&q);
}

int marks_look(struct db *db, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_ANY, e);
    int rc = query_row(&q);
    if (rc == TL_OK)
        db->may_have_marks = get_bool(&q);
    return rc;
}

int erased_find(struct db *db, const struct erased_name *name, int64_t *erasure_out, struct err *e)
{
    char mark[MARK_CHARS + 1];
    if (!db->may_have_marks && !db->reader)
        return TL_E_NOT_FOUND;
    mark_of(db, name, mark);
    AUTO(query_end) struct query q = query_begin(db, &T, Q_FIND, e);
    put_text(&q, str_of(mark));
    int rc = query_row(&q);
    if (rc == TL_OK)
        *erasure_out = get_i64(&q);
    return rc;
}

int erased_has(struct db *db, const struct erased_name *name, bool *out, struct err *e)
{
    int64_t erasure = 0;
    int rc = erased_find(db, name, &erasure, e);
    *out = rc == TL_OK;
    return rc == TL_E_NOT_FOUND ? TL_OK : rc;
}

int erasure_list(struct db *db, struct arena *a, struct erasure **out, size_t *n, struct err *e)
{
    struct list l = {.a = a, .item_bytes = sizeof(struct erasure)};
    AUTO(query_end) struct query q = query_begin(db, &T, Q_LIST, e);
    int rc;
    while ((rc = query_row(&q)) == TL_OK) {
        struct erasure *x = list_add(&l);
        x->erasure = get_i64(&q);
        x->at_us = get_i64(&q);
        x->who = get_text(&q, a);
        x->records = get_i64(&q);
    }
    return list_end(rc, &l, (void **)out, n);
}

static int run_on(struct db *db, int statement, int64_t erasure, int64_t *rows, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, statement, e);
    put_i64(&q, erasure);
    int rc = query_run(&q);
    *rows = rc == TL_OK ? query_changes(&q) : 0;
    return rc;
}

int erasure_lift(struct db *db, int64_t erasure, int64_t *records_out, struct err *e)
{
    AUTO(tx_end) struct tx tx;
    int64_t there = 0, records = 0;
    int rc = tx_begin(&tx, db, e);
    if (rc == TL_OK)
        rc = run_on(db, Q_LIFT, erasure, &records, e);
    if (rc == TL_OK)
        rc = run_on(db, Q_DROP, erasure, &there, e);
    if (rc == TL_OK && there == 0)
        rc = TL_E_NOT_FOUND;
    if (rc == TL_OK)
        rc = tx_commit(&tx, e);
    if (rc == TL_OK)
        *records_out = records;
    return rc;
}
