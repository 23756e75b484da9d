/* Small values of the database itself, its identity, and hashing. */
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

#include "db_int.h"

enum { Q_GET, Q_SET, Q_ANY_PAIR };
static const char *const SQL[] = {
    [Q_GET] = "SELECT value FROM meta WHERE key = ?1",
    [Q_SET] = "INSERT INTO meta(key, value) VALUES(?1, ?2) ON CONFLICT(key) DO UPDATE SET value = excluded.value",
    [Q_ANY_PAIR] = "SELECT EXISTS(SELECT 1 FROM pair)",
};
SQL_TABLE(T, SQL_META, SQL);

uint64_t store_hash(const void *p, size_t n)
{
    return XXH3_64bits(n ? p : "", n);
}

/* Owner and bytes, so that a blob found at another row shows too. */
static uint64_t blob_sum(str blob, int64_t owner)
{
    uint64_t parts[2] = {store_hash(blob.p, blob.n), (uint64_t)owner};
    return store_hash(parts, sizeof parts);
}

void blob_seal(struct buf *out, str blob, int64_t owner)
{
    uint64_t sum = blob_sum(blob, owner);
    buf_str(out, blob);
    buf_add(out, &sum, sizeof sum);
}

bool blob_open(str *blob, int64_t owner)
{
    uint64_t sum;
    if (blob->n < sizeof sum)
        return false;
    str inner = {blob->p, blob->n - sizeof sum};
    memcpy(&sum, inner.p + inner.n, sizeof sum);
    *blob = inner;
    return sum == blob_sum(inner, owner);
}

int meta_get(struct db *db, struct arena *a, const char *key, str *out, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_GET, e);
    put_text(&q, str_of(key));
    int rc = query_row(&q);
    if (rc == TL_OK)
        *out = get_text(&q, a);
    return rc;
}

int meta_set(struct db *db, const char *key, str value, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_SET, e);
    put_text(&q, str_of(key));
    put_blob(&q, value);
    return query_run(&q);
}

int meta_get_i64(struct db *db, const char *key, int64_t *out, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_GET, e);
    put_text(&q, str_of(key));
    int rc = query_row(&q);
    if (rc == TL_OK)
        *out = get_i64(&q);
    return rc;
}

int meta_set_i64(struct db *db, const char *key, int64_t value, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_SET, e);
    put_text(&q, str_of(key));
    put_i64(&q, value);
    return query_run(&q);
}

/* ---- Identity -------------------------------------------------------------------------------------------------- */

static void random_text(const struct env *env, char *out, size_t n)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
    for (size_t i = 0; i < n; i++)
        out[i] = letters[env_random_below(env, 32)];
    out[n] = 0;
}

static int identity_write(struct db *db, struct err *e)
{
    int rc = meta_set(db, "instance", str_of(db->id.instance), e);
    if (rc == TL_OK)
        rc = meta_set(db, "incarnation", str_of(db->id.incarnation), e);
    /* Not a credential: it makes stamps hard to forge. In the clear, so that a backup alone keeps the identity. */
    if (rc == TL_OK)
        rc = meta_set(db, "instance_key", str_n(db->id.key, sizeof db->id.key), e);
    return rc;
}

int identity_make(struct db *db, struct err *e)
{
    random_text(db->env, db->id.instance, INSTANCE_CHARS);
    random_text(db->env, db->id.incarnation, INCARNATION_CHARS);
    db->env->random(db->env->self, db->id.key, sizeof db->id.key);
    uint8_t marks[sizeof db->id.key];
    db->env->random(db->env->self, marks, sizeof marks);
    int rc = identity_write(db, e);
    if (rc == TL_OK)
        rc = meta_set(db, "marks_key", str_n(marks, sizeof marks), e);
    return rc == TL_OK ? meta_set_i64(db, "made", env_now_us(db->env), e) : rc;
}

static int load_exact(struct db *db, const char *key, void *out, size_t n, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    str value = {0};
    int rc = meta_get(db, &a, key, &value, e);
    if (rc == TL_E_NOT_FOUND || (rc == TL_OK && value.n != n))
        return sql_error(db, SQLITE_CORRUPT, e);
    if (rc == TL_OK)
        memcpy(out, value.p, n);
    return rc;
}

int identity_load(struct db *db, struct err *e)
{
    struct db_identity id = {0};
    uint8_t marks[sizeof id.key];
    int rc = load_exact(db, "instance", id.instance, INSTANCE_CHARS, e);
    if (rc == TL_OK)
        rc = load_exact(db, "incarnation", id.incarnation, INCARNATION_CHARS, e);
    if (rc == TL_OK)
        rc = load_exact(db, "instance_key", id.key, sizeof id.key, e);
    if (rc == TL_OK)
        rc = load_exact(db, "marks_key", marks, sizeof marks, e);
    if (rc)
        return rc;
    stamp_key_init(&id.stamps, id.key);
    stamp_key_init(&id.marks, marks);
    db->id = id;
    return TL_OK;
}

static int any_pair(struct db *db, bool *out, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_ANY_PAIR, e);
    int rc = query_row(&q);
    if (rc == TL_OK)
        *out = get_bool(&q);
    return rc;
}

int db_set_identity(struct db *db, const char *instance, const uint8_t key[32], struct err *e)
{
    if (strlen(instance) != INSTANCE_CHARS)
        return err_set(e, TL_E_INVALID, "\"%s\" is no instance id: %d characters are needed", instance, INSTANCE_CHARS);
    bool has_pairs = false;
    AUTO(tx_end) struct tx tx;
    int rc = tx_begin(&tx, db, e);
    if (rc == TL_OK)
        rc = any_pair(db, &has_pairs, e);
    if (rc)
        return rc;
    if (has_pairs)
        return err_set(e, E_PRECONDITION, "the identity cannot change while there are pairs");
    struct db_identity before = db->id;
    memcpy(db->id.instance, instance, INSTANCE_CHARS + 1);
    memcpy(db->id.key, key, sizeof db->id.key);
    stamp_key_init(&db->id.stamps, key);
    rc = identity_write(db, e);
    if (rc == TL_OK)
        rc = tx_commit(&tx, e);
    if (rc)
        db->id = before;
    return rc;
}

int db_accept_restored(struct db *db, struct err *e)
{
    struct db_identity before = db->id;
    AUTO(tx_end) struct tx tx;
    int rc = tx_begin(&tx, db, e);
    if (rc)
        return rc;
    random_text(db->env, db->id.incarnation, INCARNATION_CHARS);
    rc = identity_write(db, e);
    if (rc == TL_OK)
        rc = meta_set_i64(db, META_COPIED, 0, e);
    if (rc == TL_OK)
        rc = counters_write(db, e); /* what the sidecar was ahead was taken over in memory only */
    if (rc == TL_OK)
        rc = tx_commit(&tx, e);
    if (rc == TL_OK)
        rc = sidecar_renew(db, e);
    if (rc) {
        db->id = before;
        return rc;
    }
    db->origin = DB_CONTINUED;
    return TL_OK;
}
