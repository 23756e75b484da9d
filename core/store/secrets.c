/* Sealed secrets, tokens, and what connectors keep. */
#include "secrets.h"

#include "config_value.h"

#include "db_int.h"

enum { SECRET_MAX = 64 << 10, KEY_NAME_MAX = 255, WHAT_MAX = 96 };

enum {
    Q_SET,
    Q_GET,
    Q_RM,
    Q_LIST,
    Q_TOKEN_PUT,
    Q_TOKEN_GET,
    Q_TOKEN_GENERATION,
    Q_TOKEN_RM,
    Q_KV_GET,
    Q_KV_SET,
    Q_KV_RM,
    Q_KV_CLEAR,
    Q_KV_TOTAL
};
static const char *const SQL[] = {
    [Q_SET] = "INSERT INTO secret(name, sealed, who, at) VALUES(?1, ?2, ?3, ?4) ON CONFLICT(name) DO UPDATE SET "
              "sealed = excluded.sealed, who = excluded.who, at = excluded.at",
    [Q_GET] = "SELECT sealed FROM secret WHERE name = ?1",
    [Q_RM] = "DELETE FROM secret WHERE name = ?1",
    [Q_LIST] = "SELECT name, who, at FROM secret ORDER BY name",
    [Q_TOKEN_PUT] = "INSERT INTO token(endpoint, sealed, expires, generation, at) VALUES(?1, ?2, ?3, ?4, ?5) "
                    "ON CONFLICT(endpoint) DO UPDATE SET sealed = excluded.sealed, expires = excluded.expires, "
                    "generation = excluded.generation, at = excluded.at",
    [Q_TOKEN_GET] = "SELECT sealed, expires, generation, at FROM token WHERE endpoint = ?1",
    [Q_TOKEN_GENERATION] = "SELECT generation FROM token WHERE endpoint = ?1",
    [Q_TOKEN_RM] = "DELETE FROM token WHERE endpoint = ?1",
    [Q_KV_GET] = "SELECT value FROM kv WHERE endpoint = ?1 AND key = ?2",
    [Q_KV_SET] = "INSERT INTO kv(endpoint, key, value) VALUES(?1, ?2, ?3) ON CONFLICT(endpoint, key) DO UPDATE SET "
                 "value = excluded.value",
    [Q_KV_RM] = "DELETE FROM kv WHERE endpoint = ?1 AND key = ?2",
    [Q_KV_CLEAR] = "DELETE FROM kv WHERE endpoint = ?1",
    [Q_KV_TOTAL] = "SELECT coalesce(sum(length(key) + length(value)), 0) FROM kv WHERE endpoint = ?1 AND key <> ?2",
};
SQL_TABLE(T, SQL_SECRETS, SQL);

int need_key(const struct db *db, struct err *e)
{
    if (db->has_key)
        return TL_OK;
    err_set(e, TL_E_CONFIG, "there is no key to seal secrets with");
    err_hint(e, "make one with \"tielined --make-key FILE\" and name it in [core] key_file");
    return TL_E_CONFIG;
}

/* ---- Secrets --------------------------------------------------------------------------------------------------- */

static int check_name(str name, struct err *e)
{
    if (config_secret_name_ok(name))
        return TL_OK;
    return err_set(e, E_USAGE, "the name of a secret has 1 to 64 letters, digits, \"_\", \"-\" or \".\"");
}

static str secret_what(char room[WHAT_MAX], str name)
{
    int n = snprintf(room, WHAT_MAX, "secret/%.*s", STR_FMT(name));
    return str_n(room, (size_t)n);
}

int secret_set(struct db *db, str name, str value, str who, struct err *e)
{
    char what[WHAT_MAX];
    AUTO(buf_done) struct buf sealed = {0};
    int rc = need_key(db, e);
    if (rc == TL_OK)
        rc = check_name(name, e);
    if (rc)
        return rc;
    if (value.n == 0 || value.n > SECRET_MAX)
        return err_set(e, TL_E_INVALID, "a secret has 1 to %d bytes, not %zu", (int)SECRET_MAX, (size_t)value.n);
    seal(&sealed, &db->key, secret_what(what, name), value);
    AUTO(query_end) struct query q = query_begin(db, &T, Q_SET, e);
    put_text(&q, name);
    put_blob(&q, buf_lent(&sealed));
    put_text(&q, who);
    put_i64(&q, env_now_us(db->env));
    return query_run(&q);
}

int secret_get(struct db *db, str name, struct buf *value_out, struct err *e)
{
    char what[WHAT_MAX];
    int rc = need_key(db, e);
    if (rc == TL_OK)
        rc = check_name(name, e);
    if (rc)
        return rc;
    AUTO(query_end) struct query q = query_begin(db, &T, Q_GET, e);
    put_text(&q, name);
    rc = query_row(&q);
    return rc == TL_OK ? unseal(value_out, &db->key, secret_what(what, name), get_lent(&q), e) : rc;
}

int secret_rm(struct db *db, str name, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_RM, e);
    put_text(&q, name);
    return query_run_one(&q);
}

int secret_list(struct db *db, struct arena *a, struct secret_row **out, size_t *n, struct err *e)
{
    struct list l = {.a = a, .item_bytes = sizeof(struct secret_row)};
    AUTO(query_end) struct query q = query_begin(db, &T, Q_LIST, e);
    int rc;
    while ((rc = query_row(&q)) == TL_OK) {
        struct secret_row *row = list_add(&l);
        row->name = get_text(&q, a);
        row->who = get_text(&q, a);
        row->set_us = get_i64(&q);
    }
    return list_end(rc, &l, (void **)out, n);
}

/* ---- Tokens ---------------------------------------------------------------------------------------------------- */

void token_done(struct token *t)
{
    buf_wipe(&t->access);
    buf_wipe(&t->refresh);
    buf_wipe(&t->extras);
}

static str token_what(char room[WHAT_MAX], int64_t endpoint)
{
    int n = snprintf(room, WHAT_MAX, "token/%lld", (long long)endpoint);
    return str_n(room, (size_t)n);
}

static void token_pack(struct buf *out, const struct token *t)
{
    const struct buf *parts[] = {&t->access, &t->refresh, &t->extras};
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        buf_varint(out, parts[i]->n);
        buf_str(out, buf_lent(parts[i]));
    }
}

static bool token_unpack(str plain, struct token *t)
{
    struct buf *parts[] = {&t->access, &t->refresh, &t->extras};
    const uint8_t *p = (const uint8_t *)plain.p, *end = p + plain.n;
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        uint64_t n;
        if (!varint_read(&p, end, &n) || n > (uint64_t)(end - p))
            return false;
        buf_clear(parts[i]);
        buf_add(parts[i], p, (size_t)n);
        p += n;
    }
    return p == end;
}

static int generation_of(struct db *db, int64_t endpoint, int64_t *out, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_TOKEN_GENERATION, e);
    put_i64(&q, endpoint);
    int rc = query_row(&q);
    if (rc == TL_OK)
        *out = get_i64(&q);
    return rc == TL_E_NOT_FOUND ? (*out = 0, TL_OK) : rc;
}

static int token_write(struct db *db, int64_t endpoint, const struct token *t, int64_t now_us, struct err *e)
{
    char what[WHAT_MAX];
    AUTO(buf_wipe) struct buf plain = {0};
    AUTO(buf_done) struct buf sealed = {0};
    token_pack(&plain, t);
    seal(&sealed, &db->key, token_what(what, endpoint), buf_lent(&plain));
    AUTO(query_end) struct query q = query_begin(db, &T, Q_TOKEN_PUT, e);
    put_i64(&q, endpoint);
    put_blob(&q, buf_lent(&sealed));
    put_i64(&q, t->expires_us);
    put_i64(&q, t->generation + 1);
    put_i64(&q, now_us);
    return query_run(&q);
}

int token_put(struct db *db, int64_t endpoint, struct token *t, struct err *e)
{
    AUTO(tx_end) struct tx tx;
    int64_t stored = 0, now_us = env_now_us(db->env);
    int rc = tx_begin(&tx, db, e);
    if (rc == TL_OK)
        rc = need_key(db, e);
    if (rc == TL_OK)
        rc = generation_of(db, endpoint, &stored, e);
    if (rc == TL_OK && stored != t->generation)
        return err_set(e, TL_E_CONFLICT, "the token of the endpoint was replaced meanwhile");
    if (rc == TL_OK)
        rc = token_write(db, endpoint, t, now_us, e);
    if (rc == TL_OK)
        rc = tx_commit(&tx, e);
    if (rc)
        return rc;
    t->generation++;
    t->put_us = now_us;
    return TL_OK;
}

int token_get(struct db *db, int64_t endpoint, struct token *out, struct err *e)
{
    char what[WHAT_MAX];
    AUTO(buf_wipe) struct buf plain = {0};
    int rc = need_key(db, e);
    if (rc)
        return rc;
    AUTO(query_end) struct query q = query_begin(db, &T, Q_TOKEN_GET, e);
    put_i64(&q, endpoint);
    rc = query_row(&q);
    if (rc == TL_OK)
        rc = unseal(&plain, &db->key, token_what(what, endpoint), get_lent(&q), e);
    if (rc)
        return rc;
    if (!token_unpack(buf_lent(&plain), out))
        return err_set(e, TL_E_DENIED, "the stored token of the endpoint cannot be read");
    out->expires_us = get_i64(&q);
    out->generation = get_i64(&q);
    out->put_us = get_i64(&q);
    return TL_OK;
}

int token_rm(struct db *db, int64_t endpoint, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_TOKEN_RM, e);
    put_i64(&q, endpoint);
    return query_run_one(&q);
}

/* ---- Values of connectors -------------------------------------------------------------------------------------- */

int kv_get(struct db *db, int64_t endpoint, str key, struct buf *value_out, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_KV_GET, e);
    put_i64(&q, endpoint);
    put_text(&q, key);
    int rc = query_row(&q);
    if (rc == TL_OK)
        buf_str(value_out, get_lent(&q));
    return rc;
}

static int kv_total(struct db *db, int64_t endpoint, str but, int64_t *out, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_KV_TOTAL, e);
    put_i64(&q, endpoint);
    put_text(&q, but);
    int rc = query_row(&q);
    if (rc == TL_OK)
        *out = get_i64(&q);
    return rc;
}

static int kv_write(struct db *db, int64_t endpoint, str key, str value, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, value.n ? Q_KV_SET : Q_KV_RM, e);
    put_i64(&q, endpoint);
    put_text(&q, key);
    if (value.n)
        put_blob(&q, value);
    return query_run(&q);
}

int kv_set(struct db *db, int64_t endpoint, str key, str value, struct err *e)
{
    if (key.n == 0 || key.n > KEY_NAME_MAX || value.n > KV_VALUE_MAX)
        return err_set(e, TL_E_INVALID, "a kept value has a key of 1 to %d bytes and at most %zu bytes",
                       (int)KEY_NAME_MAX, KV_VALUE_MAX);
    AUTO(tx_end) struct tx tx;
    int64_t others = 0;
    int rc = tx_begin(&tx, db, e);
    if (rc == TL_OK)
        rc = kv_total(db, endpoint, key, &others, e);
    if (rc == TL_OK && value.n && (uint64_t)others + key.n + value.n > KV_TOTAL_MAX)
        return err_set(e, TL_E_INVALID, "the values kept for one endpoint would exceed %zu bytes", KV_TOTAL_MAX);
    if (rc == TL_OK)
        rc = kv_write(db, endpoint, key, value, e);
    return rc == TL_OK ? tx_commit(&tx, e) : rc;
}

int kv_clear(struct db *db, int64_t endpoint, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_KV_CLEAR, e);
    put_i64(&q, endpoint);
    return query_run(&q);
}
