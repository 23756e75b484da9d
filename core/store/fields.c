/* Numbers of fields in observations. */
#include "endpoints.h"
#include "sql.h"

enum { Q_GET, Q_NEXT, Q_INSERT, Q_LIST };
static const char *const SQL[] = {
    [Q_GET] = "SELECT number FROM field WHERE endpoint = ?1 AND kind = ?2 AND path = ?3",
    [Q_NEXT] = "SELECT coalesce(max(number), 0) + 1 FROM field WHERE endpoint = ?1 AND kind = ?2",
    [Q_INSERT] = "INSERT INTO field(endpoint, kind, number, path) VALUES(?1, ?2, ?3, ?4)",
    [Q_LIST] = "SELECT number, path FROM field WHERE endpoint = ?1 AND kind = ?2 ORDER BY number",
};
SQL_TABLE(T, SQL_FIELDS, SQL);

static int number_get(struct db *db, int64_t endpoint, str kind, str path, int64_t *out, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_GET, e);
    put_i64(&q, endpoint);
    put_text(&q, kind);
    put_text(&q, path);
    int rc = query_row(&q);
    if (rc == TL_OK)
        *out = get_i64(&q);
    return rc;
}

/* Rows are never deleted while the endpoint lives, so the highest number was never given to another path. */
static int number_next(struct db *db, int64_t endpoint, str kind, int64_t *out, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_NEXT, e);
    put_i64(&q, endpoint);
    put_text(&q, kind);
    int rc = query_row(&q);
    if (rc == TL_OK)
        *out = get_i64(&q);
    return rc;
}

static int number_insert(struct db *db, int64_t endpoint, str kind, int64_t number, str path, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_INSERT, e);
    put_i64(&q, endpoint);
    put_text(&q, kind);
    put_i64(&q, number);
    put_text(&q, path);
    return query_run(&q);
}

int field_number(struct db *db, int64_t endpoint, str kind, str path, uint32_t *out, struct err *e)
{
    int64_t number = 0;
    int rc = number_get(db, endpoint, kind, path, &number, e);
    if (rc == TL_E_NOT_FOUND) {
        AUTO(tx_end) struct tx tx;
        rc = tx_begin(&tx, db, e);
        if (rc == TL_OK)
            rc = number_next(db, endpoint, kind, &number, e);
        if (rc == TL_OK)
            rc = number_insert(db, endpoint, kind, number, path, e);
        if (rc == TL_OK)
            rc = tx_commit(&tx, e);
    }
    if (rc == TL_OK)
        *out = (uint32_t)number;
    return rc;
}

int field_list(struct db *db, struct arena *a, int64_t endpoint, str kind, struct field_row **out, size_t *n,
               struct err *e)
{
    struct list l = {.a = a, .item_bytes = sizeof(struct field_row)};
    AUTO(query_end) struct query q = query_begin(db, &T, Q_LIST, e);
    put_i64(&q, endpoint);
    put_text(&q, kind);
    int rc;
    while ((rc = query_row(&q)) == TL_OK) {
        struct field_row *row = list_add(&l);
        row->number = (uint32_t)get_i64(&q);
        row->path = get_text(&q, a);
    }
    return list_end(rc, &l, (void **)out, n);
}
