/* What people must look at, and what people did. */
#include "attention.h"

#include <sodium.h>

#include "buf.h"
#include "db_int.h"

#define ANCHOR "audit_anchor"

#define REPAIR_COLUMNS "repair, object, code, key, level, text, hint, first, last, n, resolved"
#define AUDIT_COLUMNS  "audit, at, who, act, object, detail"

enum {
    Q_REPAIR_OPEN,
    Q_REPAIR_INSERT,
    Q_REPAIR_UPDATE,
    Q_REPAIR_CLEAR,
    Q_REPAIR_CLEAR_ALL,
    Q_REPAIR_LIST,
    Q_AUDIT_INSERT,
    Q_AUDIT_LIST,
    Q_AUDIT_WALK,
    Q_AUDIT_OLDER,
    Q_AUDIT_DROP,
    Q_AUDIT_NAMES,
    Q_AUDIT_ERASE,
    Q_AUDIT_BEFORE,
    Q_AUDIT_CHAIN,
    Q_REPAIR_TRIM
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
    [Q_AUDIT_INSERT] = "INSERT INTO audit(" AUDIT_COLUMNS ", hash) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    [Q_AUDIT_LIST] = "SELECT " AUDIT_COLUMNS " FROM audit WHERE audit < ?1 ORDER BY audit DESC LIMIT ?2",
    [Q_AUDIT_WALK] = "SELECT " AUDIT_COLUMNS ", hash FROM audit WHERE audit > ?1 ORDER BY audit LIMIT ?2",
    /* The last of the oldest rows that are all past the time: numbers grow with time. */
    [Q_AUDIT_OLDER] = "SELECT audit, hash FROM (SELECT audit, at, hash FROM audit ORDER BY audit LIMIT ?2) WHERE "
                      "at < ?1 ORDER BY audit DESC LIMIT 1",
    [Q_AUDIT_DROP] = "DELETE FROM audit WHERE audit <= ?1",
    [Q_AUDIT_NAMES] = "SELECT min(audit) FROM audit WHERE erase_word(object, ?1) IS NOT object OR "
                      "erase_word(detail, ?1) IS NOT detail",
    [Q_AUDIT_ERASE] = "UPDATE audit SET object = erase_word(object, ?1), detail = erase_word(detail, ?1) WHERE "
                      "audit >= ?2 AND (erase_word(object, ?1) IS NOT object OR erase_word(detail, ?1) IS NOT detail)",
    [Q_AUDIT_BEFORE] = "SELECT hash FROM audit WHERE audit < ?1 ORDER BY audit DESC LIMIT 1",
    [Q_AUDIT_CHAIN] = "UPDATE audit SET hash = ?2 WHERE audit = ?1",
    [Q_REPAIR_TRIM] = "DELETE FROM repair WHERE repair IN (SELECT repair FROM repair WHERE resolved < ?1 LIMIT ?2)",
};
SQL_TABLE(T, SQL_ATTENTION, SQL);

/* ---- Repairs */

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

/* ---- Audit */

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

static int load_anchor(struct db *db, struct audit_walk *w, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    str value = {0};
    int rc = meta_get(db, &a, ANCHOR, &value, e);
    if (rc == TL_OK && value.n == sizeof w->hash + sizeof w->after) {
        memcpy(&w->after, value.p, sizeof w->after);
        memcpy(w->hash, value.p + sizeof w->after, sizeof w->hash);
    }
    w->first = w->after + 1;
    w->begun = true;
    return rc == TL_E_NOT_FOUND ? TL_OK : rc;
}

/* Of the last row below that number. With no such row the chain goes on from the last one that was forgotten. */
static int hash_before(struct db *db, int64_t audit, uint8_t out[HASH_BYTES], struct err *e)
{
    struct audit_walk forgotten = {0};
    int rc = load_anchor(db, &forgotten, e);
    if (rc)
        return rc;
    memcpy(out, forgotten.hash, HASH_BYTES);
    AUTO(query_end) struct query q = query_begin(db, &T, Q_AUDIT_BEFORE, e);
    put_i64(&q, audit);
    rc = query_row(&q);
    str hash = rc == TL_OK ? get_lent(&q) : (str){0};
    if (hash.n == HASH_BYTES)
        memcpy(out, hash.p, HASH_BYTES);
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
        rc = hash_before(db, INT64_MAX, before, e);
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

void audit_owe(struct db *db, const struct audit *row)
{
    db->audit_owed = row;
}

bool audit_settle(struct db *db)
{
    bool written = !db->audit_owed;
    db->audit_owed = NULL;
    return written;
}

int audit_pay(struct db *db, struct err *e)
{
    if (!db->audit_owed)
        return TL_OK;
    struct audit row = *db->audit_owed;
    return audit_add(db, &row, e);
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

static int audit_page(struct db *db, struct arena *a, int64_t after, struct audit **out, size_t *n, struct err *e)
{
    struct list l = {.a = a, .item_bytes = sizeof(struct audit)};
    AUTO(query_end) struct query q = query_begin(db, &T, Q_AUDIT_WALK, e);
    put_i64(&q, after);
    put_i64(&q, 500);
    int rc;
    while ((rc = query_row(&q)) == TL_OK)
        read_audit(&q, a, list_add(&l));
    return list_end(rc, &l, (void **)out, n);
}

/* ---- Erasing a word: the chain is made anew from the first row that named it */

static int first_naming(struct db *db, str word, int64_t *out, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_AUDIT_NAMES, e);
    put_text(&q, word);
    int rc = query_row(&q);
    if (rc == TL_OK)
        *out = get_i64(&q);
    return rc;
}

static int chain_row(struct db *db, const struct audit *row, uint8_t hash[HASH_BYTES], struct err *e)
{
    uint8_t before[HASH_BYTES];
    memcpy(before, hash, HASH_BYTES);
    audit_hash(before, row, hash);
    AUTO(query_end) struct query q = query_begin(db, &T, Q_AUDIT_CHAIN, e);
    put_i64(&q, row->audit);
    put_blob(&q, str_n(hash, HASH_BYTES));
    return query_run(&q);
}

static int chain_anew(struct db *db, int64_t from, struct err *e)
{
    uint8_t hash[HASH_BYTES];
    int rc = hash_before(db, from, hash, e);
    for (int64_t after = from - 1; rc == TL_OK;) {
        AUTO(arena_done) struct arena a = {0};
        struct audit *rows = NULL;
        size_t n = 0;
        rc = audit_page(db, &a, after, &rows, &n, e);
        for (size_t i = 0; i < n && rc == TL_OK; i++)
            rc = chain_row(db, &rows[i], hash, e);
        if (n == 0)
            break;
        after = rows[n - 1].audit;
    }
    return rc;
}

int audit_erase_word(struct db *db, str word, int64_t *rows, struct err *e)
{
    int64_t first = 0;
    int rc = first_naming(db, word, &first, e);
    if (rc || first == 0)
        return rc;
    AUTO(query_end) struct query q = query_begin(db, &T, Q_AUDIT_ERASE, e);
    put_text(&q, word);
    put_i64(&q, first);
    rc = query_run(&q);
    if (rc == TL_OK)
        *rows += query_changes(&q);
    return rc == TL_OK ? chain_anew(db, first, e) : rc;
}

/* Rows get their numbers without gaps: the last one that was given must be the last one that is there. */
static int check_last(struct db *db, struct audit_walk *w, struct err *e)
{
    int rc = counters_load(db, e);
    if (rc == TL_OK && !w->broken && w->after < db->counters[COUNT_AUDIT])
        w->broken = w->after + 1;
    return rc;
}

int audit_verify_slice(struct db *db, struct audit_walk *w, size_t max, bool *end_out, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    uint8_t hash[HASH_BYTES];
    int rc = w->begun ? TL_OK : load_anchor(db, w, e);
    if (rc)
        return rc;
    AUTO(query_end) struct query q = query_begin(db, &T, Q_AUDIT_WALK, e);
    put_i64(&q, w->after);
    put_i64(&q, (int64_t)max);
    size_t n = 0;
    while (!w->broken && (rc = query_row(&q)) == TL_OK) {
        struct audit row;
        arena_reset(&a);
        read_audit(&q, &a, &row);
        audit_hash(w->hash, &row, hash);
        str stored = get_lent(&q);
        if (stored.n != HASH_BYTES || memcmp(stored.p, hash, HASH_BYTES) != 0)
            w->broken = row.audit;
        memcpy(w->hash, hash, HASH_BYTES);
        w->after = row.audit;
        w->rows++;
        n++;
    }
    if (!w->broken && rc != TL_E_NOT_FOUND)
        return rc;
    *end_out = w->broken || n < max;
    return *end_out ? check_last(db, w, e) : TL_OK;
}

int audit_verify(struct db *db, int64_t *broken_out, struct err *e)
{
    struct audit_walk w = {0};
    bool end = false;
    int rc = TL_OK;
    while (!end && rc == TL_OK)
        rc = audit_verify_slice(db, &w, 1000, &end, e);
    if (rc == TL_OK)
        *broken_out = w.broken;
    return rc;
}

/* The hash of the last row that goes: the next one is held against it. */
static int last_older(struct db *db, int64_t older_than_us, int max_rows, char anchor[sizeof(int64_t) + HASH_BYTES],
                      int64_t *last_out, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_AUDIT_OLDER, e);
    put_i64(&q, older_than_us);
    put_i64(&q, max_rows);
    int rc = query_row(&q);
    if (rc)
        return rc;
    *last_out = get_i64(&q);
    str hash = get_lent(&q);
    memcpy(anchor, last_out, sizeof *last_out);
    memcpy(anchor + sizeof *last_out, hash.p, hash.n == HASH_BYTES ? HASH_BYTES : 0);
    return TL_OK;
}

int audit_trim(struct db *db, int64_t older_than_us, int max_rows, bool *done_out, struct err *e)
{
    AUTO(tx_end) struct tx tx;
    char anchor[sizeof(int64_t) + HASH_BYTES] = {0};
    int64_t last = 0;
    int rc = tx_begin(&tx, db, e);
    if (rc == TL_OK)
        rc = last_older(db, older_than_us, max_rows, anchor, &last, e);
    if (rc == TL_E_NOT_FOUND) {
        *done_out = true;
        return TL_OK;
    }
    if (rc == TL_OK)
        rc = meta_set(db, ANCHOR, str_n(anchor, sizeof anchor), e);
    AUTO(query_end) struct query q = query_begin(db, &T, Q_AUDIT_DROP, e);
    put_i64(&q, last);
    if (rc == TL_OK)
        rc = query_run(&q);
    int gone = rc == TL_OK ? query_changes(&q) : 0;
    if (rc == TL_OK)
        rc = tx_commit(&tx, e);
    if (rc == TL_OK)
        *done_out = gone < max_rows;
    return rc;
}

int repair_trim(struct db *db, int64_t older_than_us, int max_rows, bool *done_out, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_REPAIR_TRIM, e);
    put_i64(&q, older_than_us);
    return query_run_some(&q, max_rows, done_out);
}
