/* What people must look at, and what people did. */
#include "attention.h"

#include <sodium.h>

#include "buf.h"
#include "sql.h"

#define REPAIR_COLUMNS "repair, object, code, key, level, text, hint, first, last, n, resolved"
#define AUDIT_COLUMNS  "audit, at, who, act, object, detail"

enum {
    Q_REPAIR_OPEN,
    Q_REPAIR_INSERT,
    Q_REPAIR_UPDATE,
    Q_REPAIR_CLEAR,
    Q_REPAIR_CLEAR_ALL,
    Q_REPAIR_LIST,
    Q_AUDIT_LAST,
    Q_AUDIT_INSERT,
    Q_AUDIT_LIST,
    Q_AUDIT_WALK
};
static const char *const SQL[] = {
    [Q_REPAIR_OPEN] = "SELECT repair, first, n FROM repair WHERE object = ?1 AND code = ?2 AND key = ?3 AND "
                      "resolved IS NULL",
    [Q_REPAIR_INSERT] = "INSERT INTO repair(repair, object, code, key, level, text, hint, first, last, n) "
                        "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8, 1)",
    [Q_REPAIR_UPDATE] = "UPDATE repair SET level = ?2, text = ?3, hint = ?4, last = ?5, n = n + 1 WHERE repair = ?1",
    [Q_REPAIR_CLEAR] = "UPDATE repair SET resolved = ?2 WHERE object = ?1 AND code = ?3 AND key = ?4 AND "
                       "resolved IS NULL",
    [Q_REPAIR_CLEAR_ALL] = "UPDATE repair SET resolved = ?2 WHERE object = ?1 AND resolved IS NULL",
    [Q_REPAIR_LIST] = "SELECT " REPAIR_COLUMNS " FROM repair WHERE ?1 OR resolved IS NULL ORDER BY last DESC, "
                      "repair DESC LIMIT ?2",
    [Q_AUDIT_LAST] = "SELECT hash FROM audit ORDER BY audit DESC LIMIT 1",
    [Q_AUDIT_INSERT] = "INSERT INTO audit(" AUDIT_COLUMNS ", hash) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    [Q_AUDIT_LIST] = "SELECT " AUDIT_COLUMNS " FROM audit WHERE audit < ?1 ORDER BY audit DESC LIMIT ?2",
    [Q_AUDIT_WALK] = "SELECT " AUDIT_COLUMNS ", hash FROM audit ORDER BY audit",
};
SQL_TABLE(T, SQL_ATTENTION, SQL);

/* ---- Repairs --------------------------------------------------------------------------------------------------- */

static int find_open(struct db *db, struct repair *r, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_REPAIR_OPEN, e);
    put_text(&q, r->object);
    put_text(&q, r->code);
    put_text(&q, r->key);
    int rc = query_row(&q);
    if (rc == TL_OK) {
        r->repair = get_i64(&q);
        r->first_us = get_i64(&q);
        r->n = get_i64(&q) + 1;
    }
    return rc;
}

static int insert_repair(struct db *db, struct repair *r, struct err *e)
{
    r->repair = next_id(db, COUNT_REPAIR);
    r->first_us = r->last_us;
    r->n = 1;
    AUTO(query_end) struct query q = query_begin(db, &T, Q_REPAIR_INSERT, e);
    put_i64(&q, r->repair);
    put_text(&q, r->object);
    put_text(&q, r->code);
    put_text(&q, r->key);
    put_i64(&q, r->level);
    put_text(&q, r->text);
    put_text(&q, r->hint);
    put_i64(&q, r->last_us);
    return query_run(&q);
}

static int update_repair(struct db *db, const struct repair *r, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_REPAIR_UPDATE, e);
    put_i64(&q, r->repair);
    put_i64(&q, r->level);
    put_text(&q, r->text);
    put_text(&q, r->hint);
    put_i64(&q, r->last_us);
    return query_run(&q);
}

int repair_raise(struct db *db, struct repair *r, struct err *e)
{
    AUTO(tx_end) struct tx tx;
    struct repair raised = *r;
    if (!raised.last_us)
        raised.last_us = env_now_us(db_env(db));
    int rc = tx_begin(&tx, db, e);
    if (rc == TL_OK)
        rc = find_open(db, &raised, e);
    if (rc == TL_OK)
        rc = update_repair(db, &raised, e);
    else if (rc == TL_E_NOT_FOUND)
        rc = insert_repair(db, &raised, e);
    if (rc == TL_OK)
        rc = tx_commit(&tx, e);
    if (rc == TL_OK)
        *r = raised;
    return rc;
}

int repair_clear(struct db *db, str object, str code, str key, int64_t at_us, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, code.n ? Q_REPAIR_CLEAR : Q_REPAIR_CLEAR_ALL, e);
    put_text(&q, object);
    put_i64(&q, at_us);
    if (code.n) {
        put_text(&q, code);
        put_text(&q, key);
    }
    return query_run(&q);
}

int repair_list(struct db *db, struct arena *a, bool with_resolved, size_t max, struct repair **out, size_t *n,
                struct err *e)
{
    struct list l = {.a = a, .item_bytes = sizeof(struct repair)};
    AUTO(query_end) struct query q = query_begin(db, &T, Q_REPAIR_LIST, e);
    put_i64(&q, with_resolved);
    put_i64(&q, (int64_t)max);
    int rc;
    while ((rc = query_row(&q)) == TL_OK) {
        struct repair *r = list_add(&l);
        r->repair = get_i64(&q);
        r->object = get_text(&q, a);
        r->code = get_text(&q, a);
        r->key = get_text(&q, a);
        r->level = get_i32(&q);
        r->text = get_text(&q, a);
        r->hint = get_text(&q, a);
        r->first_us = get_i64(&q);
        r->last_us = get_i64(&q);
        r->n = get_i64(&q);
        r->resolved_us = get_i64(&q);
    }
    return list_end(rc, &l, (void **)out, n);
}

/* ---- Audit ----------------------------------------------------------------------------------------------------- */

enum { HASH_BYTES = crypto_hash_sha256_BYTES };

static void hash_text(crypto_hash_sha256_state *s, str text)
{
    uint64_t n = text.n;
    crypto_hash_sha256_update(s, (const uint8_t *)&n, sizeof n);
    if (text.n)
        crypto_hash_sha256_update(s, (const uint8_t *)text.p, text.n);
}

static void audit_hash(const uint8_t before[HASH_BYTES], const struct audit *row, uint8_t out[HASH_BYTES])
{
    crypto_hash_sha256_state s;
    int64_t numbers[2] = {row->audit, row->at_us};
    crypto_hash_sha256_init(&s);
    crypto_hash_sha256_update(&s, before, HASH_BYTES);
    crypto_hash_sha256_update(&s, (const uint8_t *)numbers, sizeof numbers);
    hash_text(&s, row->who);
    hash_text(&s, row->act);
    hash_text(&s, row->object);
    hash_text(&s, row->detail);
    crypto_hash_sha256_final(&s, out);
}

static int last_hash(struct db *db, uint8_t out[HASH_BYTES], struct err *e)
{
    memset(out, 0, HASH_BYTES);
    AUTO(query_end) struct query q = query_begin(db, &T, Q_AUDIT_LAST, e);
    int rc = query_row(&q);
    if (rc == TL_OK) {
        str hash = get_lent(&q);
        if (hash.n == HASH_BYTES)
            memcpy(out, hash.p, HASH_BYTES);
    }
    return rc == TL_E_NOT_FOUND ? TL_OK : rc;
}

static int insert_audit(struct db *db, const struct audit *row, const uint8_t hash[HASH_BYTES], struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_AUDIT_INSERT, e);
    put_i64(&q, row->audit);
    put_i64(&q, row->at_us);
    put_text(&q, row->who);
    put_text(&q, row->act);
    put_text(&q, row->object);
    put_text(&q, row->detail);
    put_blob(&q, str_n(hash, HASH_BYTES));
    return query_run(&q);
}

int audit_add(struct db *db, struct audit *row, struct err *e)
{
    AUTO(tx_end) struct tx tx;
    uint8_t before[HASH_BYTES], hash[HASH_BYTES];
    struct audit added = *row;
    int rc = tx_begin(&tx, db, e);
    if (rc == TL_OK)
        rc = last_hash(db, before, e);
    if (rc)
        return rc;
    added.audit = next_id(db, COUNT_AUDIT);
    if (!added.at_us)
        added.at_us = env_now_us(db_env(db));
    audit_hash(before, &added, hash);
    rc = insert_audit(db, &added, hash, e);
    if (rc == TL_OK)
        rc = tx_commit(&tx, e);
    if (rc == TL_OK)
        *row = added;
    return rc;
}

static void read_audit(struct query *q, struct arena *a, struct audit *out)
{
    out->audit = get_i64(q);
    out->at_us = get_i64(q);
    out->who = get_text(q, a);
    out->act = get_text(q, a);
    out->object = get_text(q, a);
    out->detail = get_text(q, a);
}

int audit_list(struct db *db, struct arena *a, int64_t before, size_t max, struct audit **out, size_t *n, struct err *e)
{
    struct list l = {.a = a, .item_bytes = sizeof(struct audit)};
    AUTO(query_end) struct query q = query_begin(db, &T, Q_AUDIT_LIST, e);
    put_i64(&q, before ? before : INT64_MAX);
    put_i64(&q, (int64_t)max);
    int rc;
    while ((rc = query_row(&q)) == TL_OK)
        read_audit(&q, a, list_add(&l));
    return list_end(rc, &l, (void **)out, n);
}

int audit_verify(struct db *db, int64_t *broken_out, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    uint8_t before[HASH_BYTES] = {0}, hash[HASH_BYTES];
    AUTO(query_end) struct query q = query_begin(db, &T, Q_AUDIT_WALK, e);
    int64_t broken = 0;
    int rc;
    while (!broken && (rc = query_row(&q)) == TL_OK) {
        struct audit row;
        arena_reset(&a);
        read_audit(&q, &a, &row);
        audit_hash(before, &row, hash);
        str stored = get_lent(&q);
        if (stored.n != HASH_BYTES || memcmp(stored.p, hash, HASH_BYTES) != 0)
            broken = row.audit;
        memcpy(before, hash, HASH_BYTES);
    }
    if (!broken && rc != TL_E_NOT_FOUND)
        return rc;
    *broken_out = broken;
    return TL_OK;
}
