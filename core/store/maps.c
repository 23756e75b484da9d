/* Field maps. */
#include "connections.h"
#include "sql.h"

#define COLUMNS "map_no, a_path, b_path, dir, policy, transform, back, unless_blank, is_default, suspended, since_gen"

enum { Q_LIST, Q_PUT, Q_DELETE, Q_SUSPEND, Q_NEXT, Q_RENEW, Q_BUMP };
static const char *const SQL[] = {
    [Q_LIST] = "SELECT " COLUMNS " FROM map WHERE link = ?1 ORDER BY map_no",
    [Q_PUT] = "INSERT INTO map(link, " COLUMNS ") VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, "
              "?11, coalesce(nullif(?12, 0), (SELECT map_gen + 1 FROM link WHERE link = ?1), 0)) "
              "ON CONFLICT(link, map_no) DO UPDATE SET a_path = excluded.a_path, b_path = excluded.b_path, "
              "dir = excluded.dir, policy = excluded.policy, transform = excluded.transform, "
              "back = excluded.back, unless_blank = excluded.unless_blank, is_default = excluded.is_default, "
              "suspended = excluded.suspended, since_gen = excluded.since_gen",
    [Q_DELETE] = "DELETE FROM map WHERE link = ?1 AND map_no = ?2",
    [Q_SUSPEND] = "UPDATE map SET suspended = ?3 WHERE link = ?1 AND map_no = ?2",
    [Q_NEXT] = "UPDATE link SET next_map_no = next_map_no + 1 WHERE link = ?1 RETURNING next_map_no - 1",
    [Q_RENEW] = "UPDATE map SET since_gen = (SELECT map_gen + 1 FROM link WHERE link = ?1) "
                "WHERE link = ?1 AND map_no = ?2",
    [Q_BUMP] = "UPDATE link SET map_gen = map_gen + 1 WHERE link = ?1",
};
SQL_TABLE(T, SQL_MAPS, SQL);

int map_list(struct db *db, struct arena *a, int64_t link, struct map_row **out, size_t *n, struct err *e)
{
    struct list l = {.a = a, .item_bytes = sizeof(struct map_row)};
    AUTO(query_end) struct query q = query_begin(db, &T, Q_LIST, e);
    put_i64(&q, link);
    int rc;
    while ((rc = query_row(&q)) == TL_OK) {
        struct map_row *row = list_add(&l);
        row->map_no = (uint32_t)get_i64(&q);
        row->a_path = get_text(&q, a);
        row->b_path = get_text(&q, a);
        row->dir = get_i32(&q);
        row->policy = get_text(&q, a);
        row->transform = get_text(&q, a);
        row->back = get_text(&q, a);
        row->unless_blank = get_bool(&q);
        row->is_default = get_bool(&q);
        row->suspended = get_text(&q, a);
        row->since_gen = get_i64(&q);
    }
    return list_end(rc, &l, (void **)out, n);
}

static int row_put(struct db *db, int64_t link, const struct map_row *row, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_PUT, e);
    put_i64(&q, link);
    put_i64(&q, row->map_no);
    put_text(&q, row->a_path);
    put_text(&q, row->b_path);
    put_i64(&q, row->dir);
    put_text(&q, row->policy);
    put_text(&q, row->transform);
    put_text(&q, row->back);
    put_i64(&q, row->unless_blank);
    put_i64(&q, row->is_default);
    put_text(&q, row->suspended);
    put_i64(&q, row->since_gen);
    return query_run(&q);
}

/* The row as it takes the place of an older one: the same field as long as it was not switched off meanwhile, and as
 * long as the same transforms stand between its sides. */
static struct map_row row_after(const struct map_row *row, const struct map_row *old)
{
    struct map_row out = *row;
    bool on = old && (old->dir != MAP_OFF || row->dir == MAP_OFF);
    bool same = on && str_eq(old->transform, row->transform) && str_eq(old->back, row->back);
    out.since_gen = same ? old->since_gen : 0;
    return out;
}

static int row_delete(struct db *db, int64_t link, uint32_t map_no, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_DELETE, e);
    put_i64(&q, link);
    put_i64(&q, map_no);
    return query_run_one(&q);
}

static int number_next(struct db *db, int64_t link, uint32_t *out, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_NEXT, e);
    put_i64(&q, link);
    int rc = query_row(&q);
    if (rc == TL_E_NOT_FOUND)
        return err_set(e, TL_E_NOT_FOUND, "there is no link %lld", (long long)link);
    if (rc)
        return rc;
    *out = (uint32_t)get_i64(&q);
    rc = query_row(&q); /* to its end: that is when the update is done */
    return rc == TL_E_NOT_FOUND ? TL_OK : rc;
}

static int bump(struct db *db, int64_t link, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_BUMP, e);
    put_i64(&q, link);
    return query_run(&q);
}

/* Two rows that both write the same field would fight. */
static int check_written_once(const struct map_row *rows, size_t n, struct err *e)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = i + 1; j < n; j++) {
            bool b_twice = str_eq(rows[i].b_path, rows[j].b_path) &&
                           (rows[i].dir == MAP_BOTH || rows[i].dir == MAP_A2B) &&
                           (rows[j].dir == MAP_BOTH || rows[j].dir == MAP_A2B);
            bool a_twice = str_eq(rows[i].a_path, rows[j].a_path) &&
                           (rows[i].dir == MAP_BOTH || rows[i].dir == MAP_B2A) &&
                           (rows[j].dir == MAP_BOTH || rows[j].dir == MAP_B2A);
            if (!a_twice && !b_twice)
                continue;
            str path = a_twice ? rows[i].a_path : rows[i].b_path;
            err_set(e, E_EXISTS, "field \"%.*s\" of side %c would be written by two rows of the map", STR_FMT(path),
                    a_twice ? 'a' : 'b');
            err_hint(e, "remove one of them or make it one-way the other way round");
            return E_EXISTS;
        }
    return TL_OK;
}

static const struct map_row *row_of_paths(const struct map_row *rows, size_t n, const struct map_row *like)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(rows[i].a_path, like->a_path) && str_eq(rows[i].b_path, like->b_path))
            return &rows[i];
    return NULL;
}

int map_replace(struct db *db, int64_t link, const struct map_row *rows, size_t n, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    AUTO(tx_end) struct tx tx;
    struct map_row *old;
    size_t n_old;
    int rc = tx_begin(&tx, db, e);
    if (rc == TL_OK)
        rc = check_written_once(rows, n, e);
    if (rc == TL_OK)
        rc = map_list(db, &a, link, &old, &n_old, e);
    if (rc)
        return rc;
    for (size_t i = 0; rc == TL_OK && i < n_old; i++)
        if (!row_of_paths(rows, n, &old[i]))
            rc = row_delete(db, link, old[i].map_no, e);
    for (size_t i = 0; rc == TL_OK && i < n; i++) {
        const struct map_row *same = row_of_paths(old, n_old, &rows[i]);
        struct map_row row = row_after(&rows[i], same);
        rc = same ? (row.map_no = same->map_no, TL_OK) : number_next(db, link, &row.map_no, e);
        if (rc == TL_OK)
            rc = row_put(db, link, &row, e);
    }
    if (rc == TL_OK)
        rc = bump(db, link, e);
    return rc == TL_OK ? tx_commit(&tx, e) : rc;
}

/* The map as it would be with this row, which learns since when its field is mapped. */
static int check_with(struct db *db, int64_t link, struct map_row *row, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct map_row *rows;
    size_t n;
    int rc = map_list(db, &a, link, &rows, &n, e);
    if (rc)
        return rc;
    struct map_row *all = arena_array(&a, struct map_row, n + 1);
    size_t kept = 0;
    const struct map_row *old = NULL;
    for (size_t i = 0; i < n; i++)
        if (rows[i].map_no != row->map_no)
            all[kept++] = rows[i];
        else if (str_eq(rows[i].a_path, row->a_path) && str_eq(rows[i].b_path, row->b_path))
            old = &rows[i];
    *row = row_after(row, old);
    all[kept++] = *row;
    return check_written_once(all, kept, e);
}

int map_set(struct db *db, int64_t link, struct map_row *row, struct err *e)
{
    AUTO(tx_end) struct tx tx;
    struct map_row r = *row;
    int rc = tx_begin(&tx, db, e);
    if (rc == TL_OK)
        rc = check_with(db, link, &r, e);
    if (rc == TL_OK && r.map_no == 0)
        rc = number_next(db, link, &r.map_no, e);
    if (rc == TL_OK)
        rc = row_put(db, link, &r, e);
    if (rc == TL_OK)
        rc = bump(db, link, e);
    if (rc == TL_OK)
        rc = tx_commit(&tx, e);
    if (rc == TL_OK)
        row->map_no = r.map_no;
    return rc;
}

int map_unset(struct db *db, int64_t link, uint32_t map_no, struct err *e)
{
    AUTO(tx_end) struct tx tx;
    int rc = tx_begin(&tx, db, e);
    if (rc == TL_OK)
        rc = row_delete(db, link, map_no, e);
    if (rc == TL_OK)
        rc = bump(db, link, e);
    return rc == TL_OK ? tx_commit(&tx, e) : rc;
}

int map_renew(struct db *db, int64_t link, uint32_t map_no, struct err *e)
{
    AUTO(tx_end) struct tx tx;
    int rc = tx_begin(&tx, db, e);
    if (rc == TL_OK) {
        AUTO(query_end) struct query q = query_begin(db, &T, Q_RENEW, e);
        put_i64(&q, link);
        put_i64(&q, map_no);
        rc = query_run_one(&q);
    }
    if (rc == TL_OK)
        rc = bump(db, link, e);
    return rc == TL_OK ? tx_commit(&tx, e) : rc;
}

int map_suspend(struct db *db, int64_t link, uint32_t map_no, str why, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_SUSPEND, e);
    put_i64(&q, link);
    put_i64(&q, map_no);
    put_text(&q, why);
    return query_run_one(&q);
}
