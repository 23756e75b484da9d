/* Connections and their claims. */
#include "connections.h"

#include "attention.h"
#include "sql.h"

#define COLUMNS                                                                                                        \
    "connection, name, a_endpoint, b_endpoint, state, prev_state, block_code, block_text, state_at, paused, made, "    \
    "delete_at"

enum {
    Q_GET,
    Q_FIND,
    Q_LIST,
    Q_INSERT,
    Q_UPDATE,
    Q_DELETE,
    Q_DELETE_SETTINGS,
    Q_CLAIM_TAKE,
    Q_CLAIM_HOLDER,
    Q_CLAIM_RELEASE
};
static const char *const SQL[] = {
    [Q_GET] = "SELECT " COLUMNS " FROM connection WHERE connection = ?1",
    [Q_FIND] = "SELECT " COLUMNS " FROM connection WHERE name = ?1",
    [Q_LIST] = "SELECT " COLUMNS " FROM connection ORDER BY name",
    [Q_INSERT] = "INSERT INTO connection(" COLUMNS ") VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, "
                 "?12)",
    [Q_UPDATE] = "UPDATE connection SET name = ?2, state = ?3, prev_state = ?4, block_code = ?5, block_text = ?6, "
                 "state_at = ?7, paused = ?8, delete_at = ?9 WHERE connection = ?1",
    [Q_DELETE] = "DELETE FROM connection WHERE connection = ?1",
    [Q_DELETE_SETTINGS] = "DELETE FROM setting WHERE scope = 0 AND owner = ?1",
    [Q_CLAIM_TAKE] = "INSERT INTO claim(endpoint, grp, connection) VALUES(?1, ?2, ?3)",
    [Q_CLAIM_HOLDER] = "SELECT c.connection, n.name FROM claim c JOIN connection n ON n.connection = c.connection "
                       "WHERE c.endpoint = ?1 AND c.grp = ?2",
    [Q_CLAIM_RELEASE] = "DELETE FROM claim WHERE connection = ?1",
};
SQL_TABLE(T, SQL_CONNECTIONS, SQL);

const char *conn_state_name(int32_t state)
{
    static const char *const names[] = {"draft",  "ready",   "initial",  "active",
                                        "paused", "blocked", "disabled", "deleting"};
    return state >= 0 && (size_t)state < ARRAY_LEN(names) ? names[state] : "unknown";
}

static void read_connection(struct query *q, struct arena *a, struct connection *out)
{
    out->connection = get_i64(q);
    out->name = get_text(q, a);
    out->endpoint[SIDE_A] = get_i64(q);
    out->endpoint[SIDE_B] = get_i64(q);
    out->state = get_i32(q);
    out->prev_state = get_i32(q);
    out->block_code = get_text(q, a);
    out->block_text = get_text(q, a);
    out->state_us = get_i64(q);
    out->paused_us = get_i64(q);
    out->made_us = get_i64(q);
    out->delete_us = get_i64(q);
}

static int name_taken(str name, struct err *e)
{
    err_set(e, E_EXISTS, "there is a connection \"%.*s\" already", STR_FMT(name));
    err_hint(e, "choose another name");
    return E_EXISTS;
}

int connection_create(struct db *db, struct connection *c, struct err *e)
{
    if (c->endpoint[SIDE_A] == c->endpoint[SIDE_B])
        return err_set(e, TL_E_INVALID, "a connection needs two different endpoints");
    AUTO(tx_end) struct tx tx;
    int rc = tx_begin(&tx, db, e);
    if (rc)
        return rc;
    int64_t id = next_id(db, COUNT_CONNECTION), now = env_now_us(db_env(db));
    AUTO(query_end) struct query q = query_begin(db, &T, Q_INSERT, e);
    put_i64(&q, id);
    put_text(&q, c->name);
    put_i64(&q, c->endpoint[SIDE_A]);
    put_i64(&q, c->endpoint[SIDE_B]);
    put_i64(&q, c->state);
    put_i64(&q, c->prev_state);
    put_text(&q, c->block_code);
    put_text(&q, c->block_text);
    put_i64(&q, c->state_us ? c->state_us : now);
    put_i64(&q, c->paused_us);
    put_i64(&q, now);
    put_i64(&q, c->delete_us);
    rc = query_run(&q);
    if (rc == E_EXISTS)
        return name_taken(c->name, e);
    if (rc == E_PRECONDITION)
        return err_set(e, TL_E_INVALID, "a connection needs two endpoints that exist");
    if (rc == TL_OK)
        rc = tx_commit(&tx, e);
    if (rc)
        return rc;
    c->connection = id;
    c->made_us = now;
    if (!c->state_us)
        c->state_us = now;
    return TL_OK;
}

int connection_get(struct db *db, struct arena *a, int64_t connection, struct connection *out, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_GET, e);
    put_i64(&q, connection);
    int rc = query_row(&q);
    if (rc == TL_OK)
        read_connection(&q, a, out);
    return rc;
}

int connection_find(struct db *db, struct arena *a, str name, struct connection *out, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_FIND, e);
    put_text(&q, name);
    int rc = query_row(&q);
    if (rc == TL_OK)
        read_connection(&q, a, out);
    return rc;
}

int connection_list(struct db *db, struct arena *a, struct connection **out, size_t *n, struct err *e)
{
    struct list l = {.a = a, .item_bytes = sizeof(struct connection)};
    AUTO(query_end) struct query q = query_begin(db, &T, Q_LIST, e);
    int rc;
    while ((rc = query_row(&q)) == TL_OK)
        read_connection(&q, a, list_add(&l));
    return list_end(rc, &l, (void **)out, n);
}

int connection_update(struct db *db, const struct connection *c, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_UPDATE, e);
    put_i64(&q, c->connection);
    put_text(&q, c->name);
    put_i64(&q, c->state);
    put_i64(&q, c->prev_state);
    put_text(&q, c->block_code);
    put_text(&q, c->block_text);
    put_i64(&q, c->state_us);
    put_i64(&q, c->paused_us);
    put_i64(&q, c->delete_us);
    int rc = query_run(&q);
    return rc == E_EXISTS ? name_taken(c->name, e) : rc;
}

int connection_transition(struct db *db, const struct connection *c, struct audit *row, struct err *e)
{
    AUTO(tx_end) struct tx tx;
    int rc = tx_begin(&tx, db, e);
    if (rc == TL_OK)
        rc = connection_update(db, c, e);
    if (rc == TL_OK)
        rc = audit_add(db, row, e);
    return rc == TL_OK ? tx_commit(&tx, e) : rc;
}

static int run_on(struct db *db, int statement, int64_t connection, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, statement, e);
    put_i64(&q, connection);
    return query_run(&q);
}

int connection_delete(struct db *db, int64_t connection, struct err *e)
{
    AUTO(tx_end) struct tx tx;
    int rc = tx_begin(&tx, db, e);
    if (rc == TL_OK)
        rc = run_on(db, Q_DELETE, connection, e);
    if (rc == E_PRECONDITION)
        return err_set(e, E_PRECONDITION, "the connection still has links");
    if (rc == TL_OK)
        rc = run_on(db, Q_DELETE_SETTINGS, connection, e);
    return rc == TL_OK ? tx_commit(&tx, e) : rc;
}

/* ---- Claims ---------------------------------------------------------------------------------------------------- */

static int holder(struct db *db, int64_t endpoint, str group, struct arena *a, int64_t *id, str *name, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_CLAIM_HOLDER, e);
    put_i64(&q, endpoint);
    put_text(&q, group);
    int rc = query_row(&q);
    if (rc == TL_OK) {
        *id = get_i64(&q);
        *name = get_text(&q, a);
    }
    return rc;
}

int claim_holder(struct db *db, int64_t endpoint, str group, int64_t *connection_out, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    str name;
    return holder(db, endpoint, group, &a, connection_out, &name, e);
}

static int claim_insert(struct db *db, int64_t endpoint, str group, int64_t connection, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_CLAIM_TAKE, e);
    put_i64(&q, endpoint);
    put_text(&q, group);
    put_i64(&q, connection);
    return query_run(&q);
}

int claim_take(struct db *db, int64_t endpoint, str group, int64_t connection, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    int64_t held_by;
    str name;
    int rc = holder(db, endpoint, group, &a, &held_by, &name, e);
    if (rc == TL_E_NOT_FOUND)
        return claim_insert(db, endpoint, group, connection, e);
    if (rc || held_by == connection)
        return rc;
    err_set(e, E_EXISTS, "connection \"%.*s\" has this endpoint's only place for a partner of kind \"%.*s\"",
            STR_FMT(name), STR_FMT(group));
    err_code(e, "CLAIMED");
    err_hint(e,
             "one endpoint syncs with one partner of a kind: delete that connection first (tieline connection delete "
             "%.*s), or use another endpoint",
             STR_FMT(name));
    return E_EXISTS;
}

int claim_release(struct db *db, int64_t connection, struct err *e)
{
    return run_on(db, Q_CLAIM_RELEASE, connection, e);
}
