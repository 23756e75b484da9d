/* Map passports: see passports.h. */
#include "passports.h"

#include <string.h>

#include "sql.h"

#define COLUMNS "passport, link, a_id, b_id, slot, status, a_gen, b_gen"

enum { Q_KEY_PUT, Q_KEY_GET, Q_KEY_LIST, Q_PUT, Q_LIST, Q_DROP, Q_TRIM, Q_EXPORT };
static const char *const SQL[] = {
    [Q_KEY_PUT] = "INSERT INTO passport_key(instance, key, at) VALUES(?1, ?2, ?3)",
    [Q_KEY_GET] = "SELECT instance, key FROM passport_key WHERE instance = ?1",
    [Q_KEY_LIST] = "SELECT instance, key FROM passport_key ORDER BY instance",
    [Q_PUT] = "INSERT INTO passport_pair(link, a_id, b_id, slot, status, a_gen, b_gen, at) "
              "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING",
    [Q_LIST] = "SELECT " COLUMNS " FROM passport_pair WHERE link = ?1 AND passport > ?2 ORDER BY passport LIMIT ?3",
    [Q_DROP] = "DELETE FROM passport_pair WHERE passport = ?1",
    /* They are as old as their numbers are low: no more than a slice is looked at. */
    [Q_TRIM] = "DELETE FROM passport_pair WHERE passport IN "
               "(SELECT passport FROM passport_pair ORDER BY passport LIMIT ?2) AND at < ?1",
    [Q_EXPORT] = "SELECT p.pair, p.link, a.remote_id, b.remote_id, p.slot, p.status, p.a_gen, p.b_gen FROM pair p "
                 "LEFT JOIN record a ON a.rec = p.a_rec LEFT JOIN record b ON b.rec = p.b_rec "
                 "WHERE p.link = ?1 AND p.pair > ?2 AND ((p.a_rec IS NOT NULL AND p.b_rec IS NOT NULL) OR "
                 "p.status = 6) ORDER BY p.pair LIMIT ?3",
};
SQL_TABLE(T, SQL_PASSPORTS, SQL);

static void read_key(struct query *q, struct passport_key *out)
{
    str instance = get_lent(q);
    memset(out, 0, sizeof *out);
    memcpy(out->instance, instance.p, instance.n <= PASSPORT_INSTANCE ? instance.n : PASSPORT_INSTANCE);
    str key = get_lent(q);
    memcpy(out->key, key.p, key.n == PASSPORT_KEY ? key.n : 0);
}

static int key_get(struct db *db, const char *instance, struct passport_key *out, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_KEY_GET, e);
    put_text(&q, str_of(instance));
    int rc = query_row(&q);
    if (rc == TL_OK)
        read_key(&q, out);
    return rc;
}

static int other_key(const char *instance, struct err *e)
{
    return err_set(e, E_EXISTS, "instance \"%s\" is known with another key", instance);
}

int passport_key_put(struct db *db, const struct passport_key *k, struct err *e)
{
    struct passport_key known;
    if (strcmp(k->instance, db_instance(db)) == 0)
        return memcmp(k->key, db_instance_key(db), PASSPORT_KEY) == 0 ? TL_OK : other_key(k->instance, e);
    int rc = key_get(db, k->instance, &known, e);
    if (rc != TL_E_NOT_FOUND)
        return rc == TL_OK && memcmp(known.key, k->key, PASSPORT_KEY) != 0 ? other_key(k->instance, e) : rc;
    AUTO(query_end) struct query q = query_begin(db, &T, Q_KEY_PUT, e);
    put_text(&q, str_of(k->instance));
    put_blob(&q, str_n(k->key, PASSPORT_KEY));
    put_i64(&q, env_now_us(db_env(db)));
    return query_run(&q);
}

int passport_key_list(struct db *db, struct arena *a, struct passport_key **out, size_t *n, struct err *e)
{
    struct list l = {.a = a, .item_bytes = sizeof(struct passport_key)};
    AUTO(query_end) struct query q = query_begin(db, &T, Q_KEY_LIST, e);
    int rc;
    while ((rc = query_row(&q)) == TL_OK)
        read_key(&q, list_add(&l));
    return list_end(rc, &l, (void **)out, n);
}

int passport_pair_put(struct db *db, const struct passport_pair *p, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_PUT, e);
    put_i64(&q, p->link);
    for (int s = 0; s < 2; s++)
        put_id(&q, p->id[s]);
    put_text(&q, p->slot);
    put_i64(&q, p->status);
    put_i64(&q, p->gen[0]);
    put_i64(&q, p->gen[1]);
    put_i64(&q, env_now_us(db_env(db)));
    return query_run(&q);
}

static int list_by(struct db *db, struct arena *a, int statement, int64_t link, int64_t after, size_t max,
                   struct passport_pair **out, size_t *n, struct err *e)
{
    struct list l = {.a = a, .item_bytes = sizeof(struct passport_pair)};
    AUTO(query_end) struct query q = query_begin(db, &T, statement, e);
    put_i64(&q, link);
    put_i64(&q, after);
    put_i64(&q, (int64_t)max);
    int rc;
    while ((rc = query_row(&q)) == TL_OK) {
        struct passport_pair *p = list_add(&l);
        p->passport = get_i64(&q);
        p->link = get_i64(&q);
        p->id[0] = get_id(&q, a);
        p->id[1] = get_id(&q, a);
        p->slot = get_text(&q, a);
        p->status = get_i32(&q);
        p->gen[0] = get_i32(&q);
        p->gen[1] = get_i32(&q);
    }
    return list_end(rc, &l, (void **)out, n);
}

int passport_pair_list(struct db *db, struct arena *a, int64_t link, int64_t after, size_t max,
                       struct passport_pair **out, size_t *n, struct err *e)
{
    return list_by(db, a, Q_LIST, link, after, max, out, n, e);
}

int passport_export(struct db *db, struct arena *a, int64_t link, int64_t after, size_t max, struct passport_pair **out,
                    size_t *n, struct err *e)
{
    return list_by(db, a, Q_EXPORT, link, after, max, out, n, e);
}

int passport_pair_drop(struct db *db, int64_t passport, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_DROP, e);
    put_i64(&q, passport);
    return query_run(&q);
}

int passport_pair_trim(struct db *db, int64_t older_than_us, int max_rows, bool *done_out, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_TRIM, e);
    put_i64(&q, older_than_us);
    return query_run_some(&q, max_rows, done_out);
}
