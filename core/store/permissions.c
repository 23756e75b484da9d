/* Profiles of help desks and what they may see and have done. */
#include "permissions.h"

#include "connections.h"
#include "sql.h"

enum {
    Q_PROFILE_PUT,
    Q_PROFILE_GONE,
    Q_PROFILE_LIST,
    Q_PROFILE_FIND,
    Q_LIST,
    Q_CLEAR,
    Q_ADD,
    Q_DECIDE,
    Q_DECIDED,
    Q_WAITING,
};
static const char *const SQL[] = {
    [Q_PROFILE_PUT] = "INSERT INTO profile(endpoint, id, name, administrator, first_seen) VALUES(?1, ?2, ?3, ?4, ?5) "
                      "ON CONFLICT(endpoint, id) DO UPDATE SET name = excluded.name, "
                      "administrator = excluded.administrator, gone = 0",
    [Q_PROFILE_GONE] = "UPDATE profile SET gone = ?3 WHERE endpoint = ?1 AND id = ?2 AND gone = 0",
    [Q_PROFILE_LIST] = "SELECT id, name, administrator, first_seen FROM profile WHERE endpoint = ?1 AND gone = 0 "
                       "ORDER BY name, id",
    /* The id first: a profile named like another one's id is not taken for it. */
    [Q_PROFILE_FIND] = "SELECT id, name, administrator, first_seen FROM profile WHERE endpoint = ?1 AND gone = 0 AND "
                       "(id = ?2 OR name = ?2) ORDER BY id = ?2 DESC, id LIMIT 2",
    [Q_LIST] = "SELECT object, item FROM permission WHERE connection = ?1 AND profile = ?2 ORDER BY object, item",
    [Q_CLEAR] = "DELETE FROM permission WHERE connection = ?1 AND profile = ?2",
    [Q_ADD] = "INSERT INTO permission(connection, profile, object, item) VALUES(?1, ?2, ?3, ?4)",
    [Q_DECIDE] = "INSERT INTO permission_decided(connection, profile, at, who) VALUES(?1, ?2, ?3, ?4) "
                 "ON CONFLICT(connection, profile) DO UPDATE SET at = excluded.at, who = excluded.who",
    [Q_DECIDED] = "SELECT 1 FROM permission_decided WHERE connection = ?1 AND profile = ?2",
    [Q_WAITING] = "SELECT name, CASE a_endpoint WHEN ?1 THEN b_endpoint ELSE a_endpoint END FROM connection c WHERE "
                  "(a_endpoint = ?1 OR b_endpoint = ?1) AND state <> ?2 AND NOT EXISTS(SELECT 1 FROM "
                  "permission_decided d WHERE d.connection = c.connection AND d.profile = '')",
};
SQL_TABLE(T, SQL_PERMISSIONS, SQL);

/* ---- Profiles -------------------------------------------------------------------------------------------------- */

static void read_profile(struct query *q, struct arena *a, struct profile *out)
{
    out->id = get_text(q, a);
    out->name = get_text(q, a);
    out->administrator = get_bool(q);
    out->first_us = get_i64(q);
}

int profile_put(struct db *db, int64_t endpoint, const struct profile *p, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_PROFILE_PUT, e);
    put_i64(&q, endpoint);
    put_text(&q, p->id);
    put_text(&q, p->name);
    put_i64(&q, p->administrator);
    put_i64(&q, env_now_us(db_env(db)));
    return query_run(&q);
}

int profile_gone(struct db *db, int64_t endpoint, str id, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_PROFILE_GONE, e);
    put_i64(&q, endpoint);
    put_text(&q, id);
    put_i64(&q, env_now_us(db_env(db)));
    return query_run_one(&q);
}

int profile_list(struct db *db, struct arena *a, int64_t endpoint, struct profile **out, size_t *n, struct err *e)
{
    struct list l = {.a = a, .item_bytes = sizeof(struct profile)};
    AUTO(query_end) struct query q = query_begin(db, &T, Q_PROFILE_LIST, e);
    put_i64(&q, endpoint);
    int rc;
    while ((rc = query_row(&q)) == TL_OK)
        read_profile(&q, a, list_add(&l));
    return list_end(rc, &l, (void **)out, n);
}

int profile_find(struct db *db, struct arena *a, int64_t endpoint, str id_or_name, struct profile *out, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_PROFILE_FIND, e);
    put_i64(&q, endpoint);
    put_text(&q, id_or_name);
    struct profile found = {0};
    int rc = query_row(&q);
    if (rc)
        return rc;
    read_profile(&q, a, &found);
    rc = str_eq(found.id, id_or_name) ? TL_E_NOT_FOUND : query_row(&q);
    if (rc == TL_OK) {
        str other = get_lent(&q);
        err_set(e, E_PRECONDITION, "several profiles are named \"%.*s\"", STR_FMT(id_or_name));
        err_hint(e, "name one by its id: %.*s, %.*s ...", STR_FMT(found.id), STR_FMT(other));
        return E_PRECONDITION;
    }
    if (rc != TL_E_NOT_FOUND)
        return rc;
    *out = found;
    return TL_OK;
}

/* ---- Permissions ----------------------------------------------------------------------------------------------- */

int permission_list(struct db *db, struct arena *a, int64_t connection, str profile, struct permission **out, size_t *n,
                    struct err *e)
{
    struct list l = {.a = a, .item_bytes = sizeof(struct permission)};
    AUTO(query_end) struct query q = query_begin(db, &T, Q_LIST, e);
    put_i64(&q, connection);
    put_text(&q, profile);
    int rc;
    while ((rc = query_row(&q)) == TL_OK) {
        struct permission *p = list_add(&l);
        p->object = get_text(&q, a);
        p->item = get_text(&q, a);
    }
    return list_end(rc, &l, (void **)out, n);
}

static int clear(struct db *db, int64_t connection, str profile, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_CLEAR, e);
    put_i64(&q, connection);
    put_text(&q, profile);
    return query_run(&q);
}

static int add(struct db *db, int64_t connection, str profile, const struct permission *p, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_ADD, e);
    put_i64(&q, connection);
    put_text(&q, profile);
    put_text(&q, p->object);
    put_text(&q, p->item);
    return query_run(&q);
}

static int decide(struct db *db, int64_t connection, str profile, str who, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_DECIDE, e);
    put_i64(&q, connection);
    put_text(&q, profile);
    put_i64(&q, env_now_us(db_env(db)));
    put_text(&q, who);
    return query_run(&q);
}

int permission_replace(struct db *db, int64_t connection, str profile, const struct permission *rows, size_t n, str who,
                       struct err *e)
{
    AUTO(tx_end) struct tx tx;
    int rc = tx_begin(&tx, db, e);
    if (rc == TL_OK)
        rc = clear(db, connection, profile, e);
    for (size_t i = 0; i < n && rc == TL_OK; i++)
        rc = add(db, connection, profile, &rows[i], e);
    if (rc == TL_OK)
        rc = decide(db, connection, profile, who, e);
    return rc == TL_OK ? tx_commit(&tx, e) : rc;
}

int permission_is_decided(struct db *db, int64_t connection, str profile, bool *out, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_DECIDED, e);
    put_i64(&q, connection);
    put_text(&q, profile);
    int rc = query_row(&q);
    if (rc == TL_OK || rc == TL_E_NOT_FOUND)
        *out = rc == TL_OK;
    return rc == TL_E_NOT_FOUND ? TL_OK : rc;
}

int permission_list_waiting(struct db *db, struct arena *a, int64_t helpdesk, struct permission_waiting **out,
                            size_t *n, struct err *e)
{
    struct list l = {.a = a, .item_bytes = sizeof(struct permission_waiting)};
    AUTO(query_end) struct query q = query_begin(db, &T, Q_WAITING, e);
    put_i64(&q, helpdesk);
    put_i64(&q, CONN_DELETING);
    int rc;
    while ((rc = query_row(&q)) == TL_OK) {
        struct permission_waiting *w = list_add(&l);
        w->connection = get_text(&q, a);
        w->other = get_i64(&q);
    }
    return list_end(rc, &l, (void **)out, n);
}
