/* Settings of connections and links: set at run time, or pinned by a configuration section. */
#include "connections.h"
#include "sql.h"

enum { LAYER_SET = 0, LAYER_PINNED = 1 };

enum { Q_GET, Q_LIST, Q_PUT, Q_DELETE, Q_UNPIN_ALL };
static const char *const SQL[] = {
    [Q_GET] = "SELECT key, value, layer, origin, at FROM setting WHERE scope = ?1 AND owner = ?2 AND key = ?3 "
              "ORDER BY layer DESC LIMIT 1",
    [Q_LIST] = "SELECT key, value, layer, origin, at FROM setting s WHERE scope = ?1 AND owner = ?2 AND NOT EXISTS "
               "(SELECT 1 FROM setting h WHERE h.scope = s.scope AND h.owner = s.owner AND h.key = s.key AND "
               "h.layer > s.layer) ORDER BY key",
    [Q_PUT] = "INSERT INTO setting(scope, owner, key, layer, value, origin, at) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7) "
              "ON CONFLICT(scope, owner, key, layer) DO UPDATE SET value = excluded.value, origin = excluded.origin, "
              "at = excluded.at",
    [Q_DELETE] = "DELETE FROM setting WHERE scope = ?1 AND owner = ?2 AND key = ?3 AND layer = 0",
    [Q_UNPIN_ALL] = "DELETE FROM setting WHERE scope = ?1 AND owner = ?2 AND layer = 1",
};
SQL_TABLE(T, SQL_SETTINGS, SQL);

static void read_setting(struct query *q, struct arena *a, struct setting *out)
{
    out->key = get_text(q, a);
    out->value = get_text(q, a);
    out->pinned = get_i64(q) == LAYER_PINNED;
    out->origin = get_text(q, a);
    out->set_us = get_i64(q);
}

int setting_get(struct db *db, struct arena *a, enum setting_scope scope, int64_t owner, const char *key,
                struct setting *out, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_GET, e);
    put_i64(&q, scope);
    put_i64(&q, owner);
    put_text(&q, str_of(key));
    int rc = query_row(&q);
    if (rc == TL_OK)
        read_setting(&q, a, out);
    return rc;
}

int setting_list(struct db *db, struct arena *a, enum setting_scope scope, int64_t owner, struct setting **out,
                 size_t *n, struct err *e)
{
    struct list l = {.a = a, .item_bytes = sizeof(struct setting)};
    AUTO(query_end) struct query q = query_begin(db, &T, Q_LIST, e);
    put_i64(&q, scope);
    put_i64(&q, owner);
    int rc;
    while ((rc = query_row(&q)) == TL_OK)
        read_setting(&q, a, list_add(&l));
    return list_end(rc, &l, (void **)out, n);
}

static int write_setting(struct db *db, enum setting_scope scope, int64_t owner, int layer, str key, str value,
                         str origin, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_PUT, e);
    put_i64(&q, scope);
    put_i64(&q, owner);
    put_text(&q, key);
    put_i64(&q, layer);
    put_text(&q, value);
    put_text(&q, origin);
    put_i64(&q, env_now_us(db_env(db)));
    return query_run(&q);
}

static int remove_setting(struct db *db, enum setting_scope scope, int64_t owner, const char *key, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_DELETE, e);
    put_i64(&q, scope);
    put_i64(&q, owner);
    put_text(&q, str_of(key));
    return query_run(&q);
}

int setting_set(struct db *db, enum setting_scope scope, int64_t owner, const char *key, str value, str who,
                struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct setting there = {0};
    int rc = setting_get(db, &a, scope, owner, key, &there, e);
    if (rc == TL_OK && there.pinned) {
        err_set(e, E_PRECONDITION, "\"%s\" is set by the configuration in %.*s", key, STR_FMT(there.origin));
        err_code(e, "PINNED");
        err_hint(e, "change it there and reload, or remove the key there to set it here");
        return E_PRECONDITION;
    }
    if (rc != TL_OK && rc != TL_E_NOT_FOUND)
        return rc;
    return value.n ? write_setting(db, scope, owner, LAYER_SET, str_of(key), value, who, e)
                   : remove_setting(db, scope, owner, key, e);
}

static int unpin_all(struct db *db, enum setting_scope scope, int64_t owner, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_UNPIN_ALL, e);
    put_i64(&q, scope);
    put_i64(&q, owner);
    return query_run(&q);
}

int setting_pin(struct db *db, enum setting_scope scope, int64_t owner, const struct setting *pins, size_t n,
                struct err *e)
{
    AUTO(tx_end) struct tx tx;
    int rc = tx_begin(&tx, db, e);
    if (rc == TL_OK)
        rc = unpin_all(db, scope, owner, e);
    for (size_t i = 0; rc == TL_OK && i < n; i++)
        rc = write_setting(db, scope, owner, LAYER_PINNED, pins[i].key, pins[i].value, pins[i].origin, e);
    return rc == TL_OK ? tx_commit(&tx, e) : rc;
}
