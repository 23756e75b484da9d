/* Intents. */
#include "intents.h"

#include "buf.h"
#include "db_int.h"
#include "pairs_int.h"

#define COLUMNS "intent, link, endpoint, side, op, lane, state, flags, run, map_gen, made, settle, entries"

enum {
    Q_INSERT,
    Q_GET,
    Q_LIST,
    Q_LIST_ALL,
    Q_ALL_UNKNOWN,
    Q_UPDATE,
    Q_DELETE,
    Q_CLAIM_PAIR,
    Q_PAIR_INTENT,
    Q_DROP_PAIR,
    Q_SOURCE,
    Q_UNKNOWN_COUNT
};
static const char *const SQL[] = {
    [Q_INSERT] = "INSERT INTO intent(" COLUMNS ") VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    [Q_GET] = "SELECT " COLUMNS " FROM intent WHERE intent = ?1",
    [Q_LIST] = "SELECT " COLUMNS " FROM intent WHERE endpoint = ?1 ORDER BY intent",
    [Q_LIST_ALL] = "SELECT " COLUMNS " FROM intent ORDER BY intent",
    [Q_ALL_UNKNOWN] = "UPDATE intent SET state = 1 WHERE state = 0",
    [Q_UPDATE] = "UPDATE intent SET state = ?2, settle = ?3, flags = ?4, entries = ?5 WHERE intent = ?1",
    [Q_DELETE] = "DELETE FROM intent WHERE intent = ?1",
    [Q_CLAIM_PAIR] = "UPDATE pair SET intent = ?2, due = NULL WHERE pair = ?1 AND intent = 0",
    [Q_PAIR_INTENT] = "SELECT intent FROM pair WHERE pair = ?1",
    [Q_DROP_PAIR] = "UPDATE pair SET intent = 0 WHERE pair = ?1 AND intent = ?2",
    [Q_SOURCE] = "SELECT observation FROM intent_source WHERE pair = ?1 AND side = ?2",
    [Q_UNKNOWN_COUNT] = "SELECT count(*) FROM intent WHERE link = ?1 AND side = ?2 AND op = ?3 AND state = 1",
};
SQL_TABLE(T, SQL_INTENTS, SQL);

enum { ENTRIES_FORM = 1 };

/* ---- Entries: form, count, then each; checksum at the end ------------------------------------------------------ */

static void put_bytes(struct buf *out, str s)
{
    buf_varint(out, s.n);
    buf_str(out, s);
}

static void entries_write(struct buf *out, const struct intent *i)
{
    AUTO(buf_done) struct buf plain = {0};
    buf_varint(&plain, ENTRIES_FORM);
    buf_varint(&plain, i->n);
    for (size_t k = 0; k < i->n; k++) {
        const struct intent_entry *x = &i->entries[k];
        buf_varint(&plain, (uint64_t)x->pair);
        buf_varint(&plain, x->gen);
        buf_varint(&plain, x->flags);
        buf_add(&plain, &x->source_hash, sizeof x->source_hash);
        put_bytes(&plain, x->id);
        put_bytes(&plain, x->stamp);
        put_bytes(&plain, x->version);
        put_bytes(&plain, x->sent);
    }
    blob_seal(out, buf_lent(&plain), i->intent);
}

struct bytes {
    const uint8_t *p, *end;
    bool broken;
};

static uint64_t next_number(struct bytes *b)
{
    uint64_t v = 0;
    b->broken |= !varint_read(&b->p, b->end, &v);
    return b->broken ? 0 : v;
}

static str next_bytes(struct bytes *b, uint64_t n)
{
    if (b->broken || n > (uint64_t)(b->end - b->p)) {
        b->broken = true;
        return (str){0};
    }
    str s = str_n(b->p, (size_t)n);
    b->p += n;
    return s;
}

static void entry_read(struct bytes *b, struct intent_entry *x)
{
    x->pair = (int64_t)next_number(b);
    x->gen = (uint32_t)next_number(b);
    x->flags = (uint32_t)next_number(b);
    str hash = next_bytes(b, sizeof x->source_hash);
    if (hash.n)
        memcpy(&x->source_hash, hash.p, sizeof x->source_hash);
    x->id = next_bytes(b, next_number(b));
    x->stamp = next_bytes(b, next_number(b));
    x->version = next_bytes(b, next_number(b));
    x->sent = next_bytes(b, next_number(b));
}

static bool entries_read(str blob, struct arena *a, struct intent *i)
{
    if (!blob_open(&blob, i->intent))
        return false;
    struct bytes b = {.p = (const uint8_t *)blob.p, .end = (const uint8_t *)blob.p + blob.n};
    uint64_t form = next_number(&b), n = next_number(&b);
    if (b.broken || form != ENTRIES_FORM || n > blob.n)
        return false;
    i->entries = arena_array(a, struct intent_entry, n);
    for (i->n = 0; i->n < n && !b.broken; i->n++)
        entry_read(&b, &i->entries[i->n]);
    return !b.broken && b.p == b.end;
}

/* ---- Rows ------------------------------------------------------------------------------------------------------ */

static int read_intent(struct query *q, struct arena *a, struct intent *out)
{
    *out = (struct intent){.intent = get_i64(q)};
    out->link = get_i64(q);
    out->endpoint = get_i64(q);
    out->side = get_i32(q);
    out->op = get_i32(q);
    out->lane = get_i32(q);
    out->state = get_i32(q);
    out->flags = (uint32_t)get_i64(q);
    out->run = get_i64(q);
    out->map_gen = get_i64(q);
    out->made_us = get_i64(q);
    out->settle_us = get_i64(q);
    if (entries_read(get_text(q, a), a, out))
        return TL_OK;
    int rc = sql_error_of(NULL, q->db->path, SQLITE_CORRUPT, q->e);
    err_detail(q->e, "intent %lld does not fit its checksum", (long long)out->intent);
    return rc;
}

int64_t intent_reserve(struct db *db)
{
    return next_id(db, COUNT_INTENT);
}

static int insert_row(struct db *db, const struct intent *i, struct err *e)
{
    AUTO(buf_done) struct buf entries = {0};
    entries_write(&entries, i);
    AUTO(query_end) struct query q = query_begin(db, &T, Q_INSERT, e);
    put_i64(&q, i->intent);
    put_i64(&q, i->link);
    put_i64(&q, i->endpoint);
    put_i64(&q, i->side);
    put_i64(&q, i->op);
    put_i64(&q, i->lane);
    put_i64(&q, i->state);
    put_i64(&q, i->flags);
    put_i64(&q, i->run);
    put_i64(&q, i->map_gen);
    put_i64(&q, i->made_us);
    put_i64(&q, i->settle_us);
    put_blob(&q, buf_lent(&entries));
    return query_run(&q);
}

static int not_claimed(struct db *db, int64_t pair, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_PAIR_INTENT, e);
    put_i64(&q, pair);
    int rc = query_row(&q);
    if (rc == TL_E_NOT_FOUND)
        return err_set(e, TL_E_NOT_FOUND, "there is no pair %lld", (long long)pair);
    if (rc)
        return rc;
    err_set(e, E_EXISTS, "pair %lld has an open write already", (long long)pair);
    err_code(e, "INTENT_OPEN");
    return E_EXISTS;
}

static int claim_pairs(struct db *db, const struct intent *i, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_CLAIM_PAIR, e);
    for (size_t k = 0; k < i->n; k++) {
        if (i->entries[k].born)
            continue;
        query_again(&q);
        put_i64(&q, i->entries[k].pair);
        put_i64(&q, i->intent);
        int rc = query_run(&q);
        if (rc)
            return rc;
        if (query_changes(&q) == 0)
            return not_claimed(db, i->entries[k].pair, e);
    }
    return TL_OK;
}

int intent_open(struct db *db, struct intent *i, struct err *e)
{
    AUTO(tx_end) struct tx tx;
    int64_t before = i->intent;
    int rc = tx_begin(&tx, db, e);
    if (rc)
        return rc;
    if (!i->intent)
        i->intent = intent_reserve(db);
    rc = claim_pairs(db, i, e);
    if (rc == TL_OK)
        rc = insert_row(db, i, e);
    if (rc == TL_OK)
        rc = tx_commit(&tx, e);
    if (rc)
        i->intent = before;
    return rc;
}

int intent_get(struct db *db, struct arena *a, int64_t intent, struct intent *out, struct err *e)
{
    struct intent i;
    AUTO(query_end) struct query q = query_begin(db, &T, Q_GET, e);
    put_i64(&q, intent);
    int rc = query_row(&q);
    if (rc == TL_OK)
        rc = read_intent(&q, a, &i);
    if (rc == TL_OK)
        *out = i;
    return rc;
}

int intent_list(struct db *db, struct arena *a, int64_t endpoint, struct intent **out, size_t *n, struct err *e)
{
    struct list l = {.a = a, .item_bytes = sizeof(struct intent)};
    AUTO(query_end) struct query q = query_begin(db, &T, endpoint ? Q_LIST : Q_LIST_ALL, e);
    if (endpoint)
        put_i64(&q, endpoint);
    int rc;
    while ((rc = query_row(&q)) == TL_OK) {
        rc = read_intent(&q, a, list_add(&l));
        if (rc)
            return rc;
    }
    return list_end(rc, &l, (void **)out, n);
}

int intent_all_unknown(struct db *db, int64_t *changed_out, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_ALL_UNKNOWN, e);
    int rc = query_run(&q);
    if (rc == TL_OK)
        *changed_out = query_changes(&q);
    return rc;
}

static int update_row(struct db *db, const struct intent *i, struct err *e)
{
    AUTO(buf_done) struct buf entries = {0};
    entries_write(&entries, i);
    AUTO(query_end) struct query q = query_begin(db, &T, Q_UPDATE, e);
    put_i64(&q, i->intent);
    put_i64(&q, i->state);
    put_i64(&q, i->settle_us);
    put_i64(&q, i->flags);
    put_blob(&q, buf_lent(&entries));
    return query_run(&q);
}

static int delete_row(struct db *db, int64_t intent, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_DELETE, e);
    put_i64(&q, intent);
    return query_run(&q);
}

static int drop_pair(struct db *db, int64_t pair, int64_t intent, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_DROP_PAIR, e);
    put_i64(&q, pair);
    put_i64(&q, intent);
    int rc = query_run(&q);
    return rc == TL_OK ? pair_drop_sources(db, pair, e) : rc;
}

int intent_settle(struct db *db, const struct intent *i, const int64_t *drop, size_t n_drop, struct err *e)
{
    AUTO(tx_end) struct tx tx;
    int rc = tx_begin(&tx, db, e);
    for (size_t k = 0; rc == TL_OK && k < n_drop; k++)
        rc = drop_pair(db, drop[k], i->intent, e);
    if (rc == TL_OK)
        rc = i->n ? update_row(db, i, e) : delete_row(db, i->intent, e);
    return rc == TL_OK ? tx_commit(&tx, e) : rc;
}

int intent_source(struct db *db, struct arena *a, int64_t pair, enum side s, str *observation_out, struct err *e)
{
    if (!db->reader && db->sources == 0)
        return TL_E_NOT_FOUND;
    AUTO(query_end) struct query q = query_begin(db, &T, Q_SOURCE, e);
    put_i64(&q, pair);
    put_i64(&q, s);
    int rc = query_row(&q);
    if (rc)
        return rc;
    str blob = get_text(&q, a);
    if (!blob_open(&blob, pair))
        return sql_error_of(NULL, db->path, SQLITE_CORRUPT, e);
    *observation_out = blob;
    return TL_OK;
}

int intent_unknown_count(struct db *db, int64_t link, enum side s, int32_t op, int64_t *out, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_UNKNOWN_COUNT, e);
    put_i64(&q, link);
    put_i64(&q, s);
    put_i64(&q, op);
    int rc = query_row(&q);
    if (rc == TL_OK)
        *out = get_i64(&q);
    return rc;
}
