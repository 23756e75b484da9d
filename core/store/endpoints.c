/* Endpoints, their kinds, fields and quotas; connectors. */
#include "endpoints.h"

#include "sql.h"

#define COLUMNS                                                                                                        \
    "endpoint, name, connector, system, org_key, org_name, edition, user_id, user_name, auth_state, present, "         \
    "block_code, block_text, blocked, throttled_until, clock_offset, clock_uncertainty, clock_at, checked, "           \
    "discovered, made, reserve_pct, role"

enum {
    Q_GET,
    Q_FIND,
    Q_LIST,
    Q_INSERT,
    Q_PRESENT,
    Q_ABSENT_ALL,
    Q_UPDATE,
    Q_SAME_ORG,
    Q_ORG_KEY,
    Q_DELETE,
    Q_RENAME,
    Q_KIND_PUT,
    Q_KIND_GET,
    Q_KIND_LIST,
    Q_QUOTA_PUT,
    Q_QUOTA_LIST,
    Q_CONNECTOR_PUT,
    Q_CONNECTOR_GET,
    Q_CONNECTOR_LIST
};
static const char *const SQL[] = {
    [Q_GET] = "SELECT " COLUMNS " FROM endpoint WHERE endpoint = ?1",
    [Q_FIND] = "SELECT " COLUMNS " FROM endpoint WHERE name = ?1",
    [Q_LIST] = "SELECT " COLUMNS " FROM endpoint ORDER BY name",
    [Q_INSERT] = "INSERT INTO endpoint(endpoint, name, connector, system, made) VALUES(?1, ?2, ?3, ?4, ?5)",
    [Q_PRESENT] = "UPDATE endpoint SET present = 1 WHERE endpoint = ?1",
    [Q_ABSENT_ALL] = "UPDATE endpoint SET present = 0 WHERE present = 1",
    [Q_UPDATE] = "UPDATE endpoint SET org_key = ?2, org_name = ?3, edition = ?4, user_id = ?5, user_name = ?6, "
                 "auth_state = ?7, present = ?8, block_code = ?9, block_text = ?10, blocked = ?11, "
                 "throttled_until = ?12, clock_offset = ?13, clock_uncertainty = ?14, clock_at = ?15, checked = ?16, "
                 "discovered = ?17, reserve_pct = ?18, role = ?19 WHERE endpoint = ?1",
    [Q_SAME_ORG] = "SELECT name FROM endpoint WHERE system = ?1 AND org_key = ?2 AND endpoint <> ?3",
    [Q_ORG_KEY] = "SELECT system, org_key FROM endpoint WHERE endpoint = ?1",
    [Q_DELETE] = "DELETE FROM endpoint WHERE endpoint = ?1",
    [Q_RENAME] = "UPDATE endpoint SET name = ?2, present = 1 WHERE endpoint = ?1",
    [Q_KIND_PUT] = "INSERT INTO kind(endpoint, kind, description, hash, discovered) VALUES(?1, ?2, ?3, ?4, ?5) "
                   "ON CONFLICT(endpoint, kind) DO UPDATE SET description = excluded.description, "
                   "hash = excluded.hash, discovered = excluded.discovered",
    [Q_KIND_GET] = "SELECT kind, description, hash, discovered FROM kind WHERE endpoint = ?1 AND kind = ?2",
    [Q_KIND_LIST] = "SELECT kind, description, hash, discovered FROM kind WHERE endpoint = ?1 ORDER BY kind",
    [Q_QUOTA_PUT] = "INSERT INTO quota(endpoint, name, lim, remaining, resets, told) VALUES(?1, ?2, ?3, ?4, ?5, ?6) "
                    "ON CONFLICT(endpoint, name) DO UPDATE SET lim = excluded.lim, remaining = excluded.remaining, "
                    "resets = excluded.resets, told = excluded.told",
    [Q_QUOTA_LIST] = "SELECT name, lim, remaining, resets, told FROM quota WHERE endpoint = ?1 ORDER BY name",
    [Q_CONNECTOR_PUT] = "INSERT INTO connector(connector, disabled, hosts, version, sha256, loaded) "
                        "VALUES(?1, ?2, ?3, ?4, ?5, ?6) "
                        "ON CONFLICT(connector) DO UPDATE SET disabled = excluded.disabled, hosts = excluded.hosts, "
                        "version = excluded.version, sha256 = excluded.sha256, loaded = excluded.loaded",
    [Q_CONNECTOR_GET] =
        "SELECT connector, disabled, hosts, version, sha256, loaded FROM connector WHERE connector = ?1",
    [Q_CONNECTOR_LIST] = "SELECT connector, disabled, hosts, version, sha256, loaded FROM connector ORDER BY connector",
};
SQL_TABLE(T, SQL_ENDPOINTS, SQL);

static void read_endpoint(struct query *q, struct arena *a, struct endpoint *out)
{
    out->endpoint = get_i64(q);
    out->name = get_text(q, a);
    out->connector = get_text(q, a);
    out->system = get_text(q, a);
    out->org_key = get_text(q, a);
    out->org_name = get_text(q, a);
    out->edition = get_text(q, a);
    out->user_id = get_text(q, a);
    out->user_name = get_text(q, a);
    out->auth_state = get_i32(q);
    out->present = get_bool(q);
    out->block_code = get_text(q, a);
    out->block_text = get_text(q, a);
    out->blocked_us = get_i64(q);
    out->throttled_until_us = get_i64(q);
    out->clock_offset_us = get_i64(q);
    out->clock_uncertainty_us = get_i64(q);
    out->clock_us = get_i64(q);
    out->checked_us = get_i64(q);
    out->discovered_us = get_i64(q);
    out->made_us = get_i64(q);
    out->reserve_pct = get_i32(q);
    out->role = get_i32(q);
}

int endpoint_get(struct db *db, struct arena *a, int64_t endpoint, struct endpoint *out, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_GET, e);
    put_i64(&q, endpoint);
    int rc = query_row(&q);
    if (rc == TL_OK)
        read_endpoint(&q, a, out);
    return rc;
}

int endpoint_find(struct db *db, struct arena *a, str name, struct endpoint *out, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_FIND, e);
    put_text(&q, name);
    int rc = query_row(&q);
    if (rc == TL_OK)
        read_endpoint(&q, a, out);
    return rc;
}

int endpoint_list(struct db *db, struct arena *a, struct endpoint **out, size_t *n, struct err *e)
{
    struct list l = {.a = a, .item_bytes = sizeof(struct endpoint)};
    AUTO(query_end) struct query q = query_begin(db, &T, Q_LIST, e);
    int rc;
    while ((rc = query_row(&q)) == TL_OK)
        read_endpoint(&q, a, list_add(&l));
    return list_end(rc, &l, (void **)out, n);
}

static int endpoint_insert(struct db *db, str name, str connector, str system, int64_t *out, struct err *e)
{
    int64_t id = next_id(db, COUNT_ENDPOINT);
    AUTO(query_end) struct query q = query_begin(db, &T, Q_INSERT, e);
    put_i64(&q, id);
    put_text(&q, name);
    put_text(&q, connector);
    put_text(&q, system);
    put_i64(&q, env_now_us(db_env(db)));
    int rc = query_run(&q);
    if (rc == TL_OK)
        *out = id;
    return rc;
}

static int mark_present(struct db *db, int64_t endpoint, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_PRESENT, e);
    put_i64(&q, endpoint);
    return query_run(&q);
}

int endpoint_ensure(struct db *db, str name, str connector, str system, int64_t *out, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    AUTO(tx_end) struct tx tx;
    struct endpoint there;
    int rc = tx_begin(&tx, db, e);
    if (rc)
        return rc;
    int64_t id = 0;
    rc = endpoint_find(db, &a, name, &there, e);
    if (rc == TL_OK && !str_eq(there.connector, connector)) {
        err_set(e, E_EXISTS, "endpoint \"%.*s\" was made with connector \"%.*s\", not \"%.*s\"", STR_FMT(name),
                STR_FMT(there.connector), STR_FMT(connector));
        err_hint(e, "give the new endpoint another name, or delete the connections of the old one first");
        return E_EXISTS;
    }
    if (rc == TL_OK) {
        id = there.endpoint;
        rc = there.present ? TL_OK : mark_present(db, id, e);
    } else if (rc == TL_E_NOT_FOUND) {
        rc = endpoint_insert(db, name, connector, system, &id, e);
    }
    if (rc == TL_OK)
        rc = tx_commit(&tx, e);
    if (rc == TL_OK)
        *out = id;
    return rc;
}

static int absent_all(struct db *db, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_ABSENT_ALL, e);
    return query_run(&q);
}

int endpoint_set_present(struct db *db, const int64_t *ids, size_t n, struct err *e)
{
    AUTO(tx_end) struct tx tx;
    int rc = tx_begin(&tx, db, e);
    if (rc == TL_OK)
        rc = absent_all(db, e);
    for (size_t i = 0; rc == TL_OK && i < n; i++)
        rc = mark_present(db, ids[i], e);
    return rc == TL_OK ? tx_commit(&tx, e) : rc;
}

static int same_org(struct db *db, str system, const struct endpoint *p, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_SAME_ORG, e);
    put_text(&q, system);
    put_text(&q, p->org_key);
    put_i64(&q, p->endpoint);
    int rc = query_row(&q);
    if (rc != TL_OK)
        return rc == TL_E_NOT_FOUND ? TL_OK : rc;
    str other = get_lent(&q);
    err_set(e, E_EXISTS, "endpoint \"%.*s\" is the same organisation (\"%.*s\")", STR_FMT(other), STR_FMT(p->org_key));
    err_code(e, "SAME_ORG");
    err_hint(e, "use that endpoint; one organisation is one endpoint");
    return E_EXISTS;
}

/* The org key may be learned once, never changed. */
static int check_org(struct db *db, const struct endpoint *p, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_ORG_KEY, e);
    put_i64(&q, p->endpoint);
    int rc = query_row(&q);
    if (rc)
        return rc;
    str system = get_lent(&q), org_key = get_lent(&q);
    if (org_key.n && !str_eq(org_key, p->org_key)) {
        err_set(e, E_PRECONDITION, "endpoint \"%.*s\" now signs in to organisation \"%.*s\" instead of \"%.*s\"",
                STR_FMT(p->name), STR_FMT(p->org_key), STR_FMT(org_key));
        err_code(e, "ORG_MISMATCH");
        err_hint(e, "sign in to the first organisation again, or configure the new one as another endpoint");
        return E_PRECONDITION;
    }
    return p->org_key.n ? same_org(db, system, p, e) : TL_OK;
}

int endpoint_update(struct db *db, const struct endpoint *p, struct err *e)
{
    AUTO(tx_end) struct tx tx;
    int rc = tx_begin(&tx, db, e);
    if (rc == TL_OK)
        rc = check_org(db, p, e);
    if (rc)
        return rc;
    AUTO(query_end) struct query q = query_begin(db, &T, Q_UPDATE, e);
    put_i64(&q, p->endpoint);
    put_text_or_null(&q, p->org_key);
    put_text(&q, p->org_name);
    put_text(&q, p->edition);
    put_text(&q, p->user_id);
    put_text(&q, p->user_name);
    put_i64(&q, p->auth_state);
    put_i64(&q, p->present);
    put_text(&q, p->block_code);
    put_text(&q, p->block_text);
    put_i64(&q, p->blocked_us);
    put_i64(&q, p->throttled_until_us);
    put_i64(&q, p->clock_offset_us);
    put_i64(&q, p->clock_uncertainty_us);
    put_i64(&q, p->clock_us);
    put_i64(&q, p->checked_us);
    put_i64(&q, p->discovered_us);
    put_i64(&q, p->reserve_pct);
    put_i64(&q, p->role);
    rc = query_run(&q);
    return rc == TL_OK ? tx_commit(&tx, e) : rc;
}

static int endpoint_drop(struct db *db, int64_t endpoint, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_DELETE, e);
    put_i64(&q, endpoint);
    return query_run(&q);
}

static int endpoint_rename(struct db *db, int64_t endpoint, str name, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_RENAME, e);
    put_i64(&q, endpoint);
    put_text(&q, name);
    return query_run(&q);
}

int endpoint_relabel(struct db *db, int64_t old, int64_t now, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    AUTO(tx_end) struct tx tx;
    struct endpoint vanished, label;
    int rc = tx_begin(&tx, db, e);
    if (rc == TL_OK)
        rc = endpoint_get(db, &a, old, &vanished, e);
    if (rc == TL_OK)
        rc = endpoint_get(db, &a, now, &label, e);
    if (rc)
        return rc;
    if (vanished.present)
        return err_set(e, E_PRECONDITION, "endpoint \"%.*s\" is still configured", STR_FMT(vanished.name));
    rc = endpoint_drop(db, now, e);
    if (rc == E_PRECONDITION)
        return err_set(e, E_PRECONDITION, "endpoint \"%.*s\" is used by a connection", STR_FMT(label.name));
    if (rc == TL_OK)
        rc = endpoint_rename(db, old, label.name, e);
    return rc == TL_OK ? tx_commit(&tx, e) : rc;
}

/* ---- Kinds ----------------------------------------------------------------------------------------------------- */

static void read_kind(struct query *q, struct arena *a, struct kind_row *out)
{
    out->kind = get_text(q, a);
    out->description = get_text(q, a);
    out->hash = get_u64(q);
    out->discovered_us = get_i64(q);
}

int kind_put(struct db *db, int64_t endpoint, const struct kind_row *k, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_KIND_PUT, e);
    put_i64(&q, endpoint);
    put_text(&q, k->kind);
    put_blob(&q, k->description);
    put_u64(&q, k->hash);
    put_i64(&q, k->discovered_us);
    return query_run(&q);
}

int kind_get(struct db *db, struct arena *a, int64_t endpoint, str kind, struct kind_row *out, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_KIND_GET, e);
    put_i64(&q, endpoint);
    put_text(&q, kind);
    int rc = query_row(&q);
    if (rc == TL_OK)
        read_kind(&q, a, out);
    return rc;
}

int kind_list(struct db *db, struct arena *a, int64_t endpoint, struct kind_row **out, size_t *n, struct err *e)
{
    struct list l = {.a = a, .item_bytes = sizeof(struct kind_row)};
    AUTO(query_end) struct query q = query_begin(db, &T, Q_KIND_LIST, e);
    put_i64(&q, endpoint);
    int rc;
    while ((rc = query_row(&q)) == TL_OK)
        read_kind(&q, a, list_add(&l));
    return list_end(rc, &l, (void **)out, n);
}

/* ---- Quotas ---------------------------------------------------------------------------------------------------- */

int quota_put(struct db *db, int64_t endpoint, const struct quota_row *quota, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_QUOTA_PUT, e);
    put_i64(&q, endpoint);
    put_text(&q, quota->name);
    put_i64(&q, quota->limit);
    put_i64(&q, quota->remaining);
    put_i64(&q, quota->resets_us);
    put_i64(&q, quota->told_us);
    return query_run(&q);
}

int quota_list(struct db *db, struct arena *a, int64_t endpoint, struct quota_row **out, size_t *n, struct err *e)
{
    struct list l = {.a = a, .item_bytes = sizeof(struct quota_row)};
    AUTO(query_end) struct query q = query_begin(db, &T, Q_QUOTA_LIST, e);
    put_i64(&q, endpoint);
    int rc;
    while ((rc = query_row(&q)) == TL_OK) {
        struct quota_row *row = list_add(&l);
        row->name = get_text(&q, a);
        row->limit = get_i64(&q);
        row->remaining = get_i64(&q);
        row->resets_us = get_i64(&q);
        row->told_us = get_i64(&q);
    }
    return list_end(rc, &l, (void **)out, n);
}

/* ---- Connectors ------------------------------------------------------------------------------------------------ */

static void read_connector(struct query *q, struct arena *a, struct connector_row *out)
{
    out->id = get_text(q, a);
    out->disabled = get_bool(q);
    out->hosts = get_text(q, a);
    out->version = get_text(q, a);
    out->sha256 = get_text(q, a);
    out->loaded_us = get_i64(q);
}

int connector_put(struct db *db, const struct connector_row *c, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_CONNECTOR_PUT, e);
    put_text(&q, c->id);
    put_i64(&q, c->disabled);
    put_text(&q, c->hosts);
    put_text(&q, c->version);
    put_text(&q, c->sha256);
    put_i64(&q, c->loaded_us);
    return query_run(&q);
}

int connector_get(struct db *db, struct arena *a, str id, struct connector_row *out, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_CONNECTOR_GET, e);
    put_text(&q, id);
    int rc = query_row(&q);
    if (rc == TL_OK)
        read_connector(&q, a, out);
    return rc;
}

int connector_list(struct db *db, struct arena *a, struct connector_row **out, size_t *n, struct err *e)
{
    struct list l = {.a = a, .item_bytes = sizeof(struct connector_row)};
    AUTO(query_end) struct query q = query_begin(db, &T, Q_CONNECTOR_LIST, e);
    int rc;
    while ((rc = query_row(&q)) == TL_OK)
        read_connector(&q, a, list_add(&l));
    return list_end(rc, &l, (void **)out, n);
}
