/* Pairs: single rows. */
#include "pairs.h"
#include "failures.h"

#include "db_int.h"
#include "pairs_int.h"
#include "records_int.h"

enum {
    Q_INSERT,
    Q_BORN_A,
    Q_BORN_B,
    Q_GET,
    Q_STORE,
    Q_STORE_WORK,
    Q_STORE_A,
    Q_STORE_B,
    Q_STORE_BOTH,
    Q_SETTLE,
    Q_CREATED_A,
    Q_CREATED_B,
    Q_OF_A,
    Q_OF_B,
    Q_GET_OF_A,
    Q_GET_OF_B,
    Q_COUNTERPART_OF_A,
    Q_COUNTERPART_OF_B,
    Q_HELD_A,
    Q_HELD_B,
    Q_OF_RECORD,
    Q_WAKE,
    Q_INTENT,
    Q_DELETE,
    Q_DROP_SOURCES,
    Q_DROP_CONFLICTS,
    Q_DROP_PARKED,
    Q_DROP_HELD,
    Q_DROP_OLD
};

/* Base columns: 0 keeps what is there, 1 NULL, 2 the blob. The intent they were read with catches stale copies. */
#define SET_PLAIN                                                                                                      \
    "flags = ?3, attempts = ?4, a_gen = ?5, b_gen = ?6, run = ?7, map_gen = ?8, synced = ?9, chg = ?10, extra = ?11, " \
    "a_base = CASE ?12 WHEN 0 THEN a_base WHEN 1 THEN NULL ELSE ?13 END, "                                             \
    "b_base = CASE ?14 WHEN 0 THEN b_base WHEN 1 THEN NULL ELSE ?15 END"
#define SET_WORK SET_PLAIN ", status = ?16, unsettled = ?17, due = ?18, lane = ?19, intent = ?20"
#define SAME_ROW " WHERE pair = ?1 AND intent = ?2"
#define AS_BORN  " AND due IS NULL AND status = 0 AND attempts = 0 AND unsettled = 0"

/* One side, an intent or not, and nothing else yet: what a walk makes for every record. */
#define BORN ", '', 0, 0, 0, NULL, ?4, ?5, 0, 0, 0, 0, ?6, ?7, 0, NULL, NULL, x'', x'')"

static const char *const SQL[] = {
    [Q_INSERT] = "INSERT INTO pair(" PAIR_COLUMNS ") VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, "
                 "?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22)",
    [Q_BORN_A] = "INSERT INTO pair(" PAIR_COLUMNS ") VALUES(?1, ?2, ?3, NULL" BORN,
    [Q_BORN_B] = "INSERT INTO pair(" PAIR_COLUMNS ") VALUES(?1, ?2, NULL, ?3" BORN,
    [Q_GET] = "SELECT " PAIR_COLUMNS " FROM pair WHERE pair = ?1",
    [Q_STORE] = "UPDATE pair SET " SET_PLAIN SAME_ROW,
    [Q_STORE_WORK] = "UPDATE pair SET " SET_WORK SAME_ROW,
    /* A column that is set has its index entry written again, changed or not: so only what changes is set. */
    [Q_STORE_A] = "UPDATE pair SET " SET_WORK ", a_rec = ?21" SAME_ROW,
    [Q_STORE_B] = "UPDATE pair SET " SET_WORK ", b_rec = ?21" SAME_ROW,
    [Q_STORE_BOTH] = "UPDATE pair SET " SET_WORK ", a_rec = ?21, b_rec = ?22" SAME_ROW,
    [Q_SETTLE] = "UPDATE pair SET unsettled = ?3, synced = ?4, a_base = iif(?5, NULL, a_base), "
                 "b_base = iif(?6, NULL, b_base)" SAME_ROW,
    [Q_CREATED_A] = "UPDATE pair SET a_rec = ?3, a_gen = ?4, flags = flags | 2, unsettled = 1, intent = 0, run = ?5, "
                    "map_gen = ?6, synced = ?7, b_base = NULL, a_base = x''" SAME_ROW AS_BORN " AND a_rec IS NULL",
    [Q_CREATED_B] = "UPDATE pair SET b_rec = ?3, b_gen = ?4, flags = flags | 4, unsettled = 2, intent = 0, run = ?5, "
                    "map_gen = ?6, synced = ?7, a_base = NULL, b_base = x''" SAME_ROW AS_BORN " AND b_rec IS NULL",
    [Q_OF_A] = "SELECT pair FROM pair WHERE a_rec = ?1 AND link = ?2 AND slot = ?3",
    [Q_OF_B] = "SELECT pair FROM pair WHERE b_rec = ?1 AND link = ?2",
    [Q_GET_OF_A] = "SELECT " PAIR_COLUMNS " FROM pair WHERE a_rec = ?1 AND link = ?2 AND slot = ?3",
    [Q_GET_OF_B] = "SELECT " PAIR_COLUMNS " FROM pair WHERE b_rec = ?1 AND link = ?2",
    [Q_COUNTERPART_OF_A] =
        "SELECT p.pair, p.b_rec, t.state, t.remote_id FROM record r JOIN pair p ON p.a_rec = r.rec AND "
        "p.link = ?3 AND p.slot = '' LEFT JOIN record t ON t.rec = p.b_rec "
        "WHERE r.feed = ?1 AND r.remote_id = ?2",
    [Q_COUNTERPART_OF_B] =
        "SELECT p.pair, p.a_rec, t.state, t.remote_id FROM record r JOIN pair p ON p.b_rec = r.rec AND "
        "p.link = ?3 LEFT JOIN record t ON t.rec = p.a_rec "
        "WHERE r.feed = ?1 AND r.remote_id = ?2",
    [Q_HELD_A] =
        "SELECT " PAIR_COLUMNS ", " RECORD_COLUMNS " FROM pair LEFT JOIN record ON rec = b_rec WHERE a_rec = ?1",
    [Q_HELD_B] =
        "SELECT " PAIR_COLUMNS ", " RECORD_COLUMNS " FROM pair LEFT JOIN record ON rec = a_rec WHERE b_rec = ?1",
    [Q_OF_RECORD] = "SELECT pair, link, 0, status, intent FROM pair WHERE a_rec = ?1 "
                    "UNION ALL SELECT pair, link, 1, status, intent FROM pair WHERE b_rec = ?1",
    [Q_WAKE] = "UPDATE pair SET lane = iif(due IS NULL, ?2, min(lane, ?2)), due = min(coalesce(due, ?3), ?3), "
               "status = iif(?4 AND status = 2, 0, status), attempts = iif(?4, 0, attempts) "
               "WHERE pair = ?1 AND (due IS NULL OR due > ?3 OR lane > ?2 OR (?4 AND (status = 2 OR attempts > 0)))",
    [Q_INTENT] = "SELECT intent FROM pair WHERE pair = ?1",
    [Q_DELETE] = "DELETE FROM pair WHERE pair = ?1 RETURNING link, a_rec IS NOT NULL AND b_rec IS NOT NULL, unsettled",
    [Q_DROP_SOURCES] = "DELETE FROM intent_source WHERE pair = ?1",
    [Q_DROP_CONFLICTS] = "DELETE FROM conflict WHERE pair = ?1",
    [Q_DROP_PARKED] = "DELETE FROM parked WHERE pair = ?1",
    [Q_DROP_HELD] = "DELETE FROM held WHERE pair = ?1",
    [Q_DROP_OLD] = "DELETE FROM old_id WHERE pair = ?1",
};
SQL_TABLE(T, SQL_PAIRS, SQL);

const char *pair_status_name(int32_t status)
{
    static const char *const names[] = {"ok", "parked", "failed", "loop", "quarantined", "tombstone", "ignored"};
    return status >= 0 && (size_t)status < ARRAY_LEN(names) ? names[status] : "unknown";
}

/* ---- Reading --------------------------------------------------------------------------------------------------- */

static bool base_read(struct query *q, struct arena *a, int64_t pair, struct pair_base *out)
{
    *out = (struct pair_base){.kind = BASE_SAME};
    if (get_is_null(q)) {
        get_skip(q);
        return true;
    }
    out->blob = get_text(q, a);
    out->kind = out->blob.n ? BASE_OWN : BASE_NONE;
    return out->kind == BASE_NONE || blob_open(&out->blob, pair);
}

static void remember(struct pair *p)
{
    p->was.rec[0] = p->rec[0];
    p->was.rec[1] = p->rec[1];
    p->was.due_us = p->due_us;
    p->was.intent = p->intent;
    p->was.run = p->run;
    p->was.map_gen = p->map_gen;
    p->was.lane = p->lane;
    p->was.status = p->status;
    p->was.attempts = p->attempts;
    p->was.gen[SIDE_A] = p->gen[SIDE_A];
    p->was.gen[SIDE_B] = p->gen[SIDE_B];
    p->was.flags = p->flags;
    p->was.unsettled = p->unsettled;
    p->was.chg = p->chg;
    p->was.extra = p->extra;
}

void pair_read(struct query *q, struct arena *a, struct pair *out)
{
    *out = (struct pair){.pair = get_i64(q)};
    out->link = get_i64(q);
    out->rec[SIDE_A] = get_i64(q);
    out->rec[SIDE_B] = get_i64(q);
    out->slot = get_text(q, a);
    out->status = get_i32(q);
    out->flags = (uint32_t)get_i64(q);
    out->unsettled = (uint32_t)get_i64(q);
    out->due_us = get_i64(q);
    out->lane = get_i32(q);
    out->intent = get_i64(q);
    out->attempts = get_i32(q);
    out->gen[SIDE_A] = get_i32(q);
    out->gen[SIDE_B] = get_i32(q);
    out->run = get_i64(q);
    out->map_gen = get_i64(q);
    out->made_us = get_i64(q);
    out->synced_us = get_i64(q);
    out->chg = get_text(q, a);
    out->extra = get_text(q, a);
    bool a_fits = base_read(q, a, out->pair, &out->base[SIDE_A]);
    bool b_fits = base_read(q, a, out->pair, &out->base[SIDE_B]);
    out->damaged = !a_fits || !b_fits;
    remember(out);
}

int pair_get(struct db *db, struct arena *a, int64_t pair, struct pair *out, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_GET, e);
    put_i64(&q, pair);
    int rc = query_row(&q);
    if (rc == TL_OK)
        pair_read(&q, a, out);
    return rc;
}

int pair_load(struct db *db, struct arena *a, int64_t pair, struct pair *out, struct record rec[2], struct err *e)
{
    struct pair p;
    struct record r[2] = {{0}, {0}};
    int rc = pair_get(db, a, pair, &p, e);
    if (rc)
        return rc;
    for (int s = 0; s < 2; s++) {
        if (!p.rec[s])
            continue;
        rc = record_get(db, a, p.rec[s], &r[s], e);
        if (rc == TL_E_NOT_FOUND)
            r[s] = (struct record){.rec = p.rec[s], .damaged = true};
        else if (rc)
            return rc;
    }
    *out = p;
    rec[0] = r[0];
    rec[1] = r[1];
    return TL_OK;
}

int pair_of_record(struct db *db, int64_t link, enum side s, int64_t rec, str slot, int64_t *pair_out, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, s == SIDE_A ? Q_OF_A : Q_OF_B, e);
    put_i64(&q, rec);
    put_i64(&q, link);
    if (s == SIDE_A)
        put_text(&q, slot);
    int rc = query_row(&q);
    if (rc == TL_OK)
        *pair_out = get_i64(&q);
    return rc;
}

int pair_get_of_record(struct db *db, struct arena *a, int64_t link, enum side s, int64_t rec, str slot,
                       struct pair *out, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, s == SIDE_A ? Q_GET_OF_A : Q_GET_OF_B, e);
    put_i64(&q, rec);
    put_i64(&q, link);
    if (s == SIDE_A)
        put_text(&q, slot);
    int rc = query_row(&q);
    if (rc == TL_OK)
        pair_read(&q, a, out);
    return rc;
}

int pair_counterpart(struct db *db, struct arena *a, int64_t link, enum side s, int64_t feed, str id,
                     struct counterpart *out, struct err *e)
{
    AUTO(query_end)
    struct query q = query_begin(db, &T, s == SIDE_A ? Q_COUNTERPART_OF_A : Q_COUNTERPART_OF_B, e);
    put_i64(&q, feed);
    put_id(&q, id);
    put_i64(&q, link);
    int rc = query_row(&q);
    if (rc)
        return rc;
    out->pair = get_i64(&q);
    out->rec = get_i64(&q);
    out->state = get_i32(&q);
    out->id = get_id(&q, a);
    return TL_OK;
}

int pair_load_of_record(struct db *db, struct arena *a, enum side s, int64_t rec, struct pair_held **out, size_t *n,
                        struct err *e)
{
    struct list l = {.a = a, .item_bytes = sizeof(struct pair_held)};
    AUTO(query_end) struct query q = query_begin(db, &T, s == SIDE_A ? Q_HELD_A : Q_HELD_B, e);
    put_i64(&q, rec);
    int rc;
    while ((rc = query_row(&q)) == TL_OK) {
        struct pair_held *held = list_add(&l);
        pair_read(&q, a, &held->pair);
        int64_t other = held->pair.rec[1 - s];
        if (other && get_is_null(&q))
            held->other = (struct record){.rec = other, .damaged = true};
        else if (other)
            record_read(&q, a, &held->other);
    }
    return list_end(rc, &l, (void **)out, n);
}

int pair_list_of_record(struct db *db, struct arena *a, int64_t rec, struct pair_ref **out, size_t *n, struct err *e)
{
    struct list l = {.a = a, .item_bytes = sizeof(struct pair_ref)};
    AUTO(query_end) struct query q = query_begin(db, &T, Q_OF_RECORD, e);
    put_i64(&q, rec);
    int rc;
    while ((rc = query_row(&q)) == TL_OK) {
        struct pair_ref *ref = list_add(&l);
        ref->pair = get_i64(&q);
        ref->link = get_i64(&q);
        ref->side = get_i32(&q);
        ref->status = get_i32(&q);
        ref->intent = get_i64(&q);
    }
    return list_end(rc, &l, (void **)out, n);
}

/* ---- Writing --------------------------------------------------------------------------------------------------- */

static bool is_complete(const int64_t rec[2])
{
    return rec[0] != 0 && rec[1] != 0;
}

/* Which pair has the record that p wants. */
static int already_mapped(struct db *db, const struct pair *p, struct err *e)
{
    int64_t there = 0;
    enum side s = SIDE_A;
    if (!p->rec[SIDE_A] || pair_of_record(db, p->link, SIDE_A, p->rec[SIDE_A], p->slot, &there, NULL) != TL_OK ||
        there == p->pair)
        s = SIDE_B;
    if (s == SIDE_B)
        (void)pair_of_record(db, p->link, SIDE_B, p->rec[SIDE_B], p->slot, &there, NULL);
    err_set(e, E_EXISTS, "the record of side %c is in pair %lld already", s == SIDE_A ? 'a' : 'b', (long long)there);
    err_code(e, "ALREADY_MAPPED");
    return E_EXISTS;
}

static void base_blob(struct buf *sealed, const struct pair_base *b, int64_t pair)
{
    if (b->kind == BASE_OWN && b->blob.n)
        blob_seal(sealed, b->blob, pair);
}

static void put_base(struct query *q, const struct pair_base *b, const struct buf *sealed)
{
    if (b->kind == BASE_SAME)
        put_null(q);
    else
        put_blob(q, buf_lent(sealed));
}

static void put_blob_or_null(struct query *q, str v)
{
    if (v.n)
        put_blob(q, v);
    else
        put_null(q);
}

static bool is_just_born(const struct pair *p)
{
    return !p->rec[SIDE_A] != !p->rec[SIDE_B] && !p->slot.n && !p->status && !p->flags && !p->unsettled && !p->due_us &&
           !p->attempts && !p->gen[SIDE_A] && !p->gen[SIDE_B] && !p->run && !p->synced_us && !p->chg.n && !p->extra.n &&
           p->base[SIDE_A].kind == BASE_NONE && p->base[SIDE_B].kind == BASE_NONE;
}

static int insert_born(struct db *db, int64_t id, const struct pair *p, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, p->rec[SIDE_A] ? Q_BORN_A : Q_BORN_B, e);
    put_i64(&q, id);
    put_i64(&q, p->link);
    put_i64(&q, p->rec[SIDE_A] ? p->rec[SIDE_A] : p->rec[SIDE_B]);
    put_i64(&q, p->lane);
    put_i64(&q, p->intent);
    put_i64(&q, p->map_gen);
    put_i64(&q, p->made_us);
    return query_run(&q);
}

static int insert_row(struct db *db, int64_t id, const struct pair *p, struct err *e)
{
    if (is_just_born(p))
        return insert_born(db, id, p, e);
    AUTO(buf_done) struct buf a = {0};
    AUTO(buf_done) struct buf b = {0};
    base_blob(&a, &p->base[SIDE_A], id);
    base_blob(&b, &p->base[SIDE_B], id);
    AUTO(query_end) struct query q = query_begin(db, &T, Q_INSERT, e);
    put_i64(&q, id);
    put_i64(&q, p->link);
    put_i64_or_null(&q, p->rec[SIDE_A]);
    put_i64_or_null(&q, p->rec[SIDE_B]);
    put_text(&q, p->slot);
    put_i64(&q, p->status);
    put_i64(&q, p->flags);
    put_i64(&q, p->unsettled);
    put_i64_or_null(&q, p->due_us);
    put_i64(&q, p->lane);
    put_i64(&q, p->intent);
    put_i64(&q, p->attempts);
    put_i64(&q, p->gen[SIDE_A]);
    put_i64(&q, p->gen[SIDE_B]);
    put_i64(&q, p->run);
    put_i64(&q, p->map_gen);
    put_i64(&q, p->made_us);
    put_i64(&q, p->synced_us);
    put_blob_or_null(&q, p->chg);
    put_blob_or_null(&q, p->extra);
    put_base(&q, &p->base[SIDE_A], &a);
    put_base(&q, &p->base[SIDE_B], &b);
    return query_run(&q);
}

/* A record that a pair takes is nobody's old one any more. */
static int old_ids_end(struct db *db, const struct pair *p, const int64_t was[2], struct err *e)
{
    int rc = TL_OK;
    for (int s = 0; s < 2 && rc == TL_OK; s++)
        if (p->rec[s] && p->rec[s] != was[s])
            rc = old_id_drop(db, p->link, p->rec[s], e);
    return rc;
}

int pair_insert(struct db *db, struct pair *p, struct err *e)
{
    AUTO(tx_end) struct tx tx;
    int rc = tx_begin(&tx, db, e);
    if (rc)
        return rc;
    int64_t id = next_id(db, COUNT_PAIR);
    rc = insert_row(db, id, p, e);
    if (rc == E_EXISTS)
        return already_mapped(db, p, e);
    if (rc == TL_OK && is_complete(p->rec)) /* a record alone was asked for before */
        rc = old_ids_end(db, p, (const int64_t[2]){0, 0}, e);
    if (rc)
        return rc;
    tally_add(db, TALLY_PAIRS, p->link, 1);
    if (is_complete(p->rec))
        tally_add(db, TALLY_COMPLETE, p->link, 1);
    if (p->unsettled)
        tally_add(db, TALLY_UNSETTLED, p->link, 1);
    if (p->run)
        run_range_add(db, p->run, id);
    rc = tx_commit(&tx, e);
    if (rc)
        return rc;
    p->pair = id;
    p->base[0].set = p->base[1].set = false;
    remember(p);
    return TL_OK;
}

static bool is_work_changed(const struct pair *p)
{
    return p->due_us != p->was.due_us || p->intent != p->was.intent || p->lane != p->was.lane ||
           p->status != p->was.status || p->unsettled != p->was.unsettled;
}

/* What most writes are seen again with: the sides agree now, and nothing else is different. */
static bool is_settling_only(const struct pair *p)
{
    for (int s = 0; s < 2; s++)
        if ((p->base[s].set && p->base[s].kind != BASE_SAME) || p->gen[s] != p->was.gen[s])
            return false;
    return p->due_us == p->was.due_us && p->intent == p->was.intent && p->lane == p->was.lane &&
           p->status == p->was.status && p->flags == p->was.flags && p->attempts == p->was.attempts &&
           p->run == p->was.run && p->map_gen == p->was.map_gen && str_eq(p->chg, p->was.chg) &&
           str_eq(p->extra, p->was.extra);
}

static bool is_record_changed(const struct pair *p)
{
    return p->rec[0] != p->was.rec[0] || p->rec[1] != p->was.rec[1];
}

/* The statement that writes what differs from the stored row. */
static int store_statement(const struct pair *p)
{
    bool a = p->rec[SIDE_A] != p->was.rec[SIDE_A], b = p->rec[SIDE_B] != p->was.rec[SIDE_B];
    if (a || b)
        return a && b ? Q_STORE_BOTH : a ? Q_STORE_A : Q_STORE_B;
    if (is_settling_only(p))
        return Q_SETTLE;
    return is_work_changed(p) ? Q_STORE_WORK : Q_STORE;
}

static void put_base_choice(struct query *q, const struct pair_base *b, const struct buf *sealed)
{
    put_i64(q, !b->set ? 0 : b->kind == BASE_SAME ? 1 : 2);
    put_blob(q, buf_lent(sealed));
}

static int row_written(const struct query *q, int rc, int64_t pair, struct err *e)
{
    if (rc == TL_OK && query_changes(q) == 0)
        return err_set(e, TL_E_BUG, "pair %lld is gone or was read before its intent changed", (long long)pair);
    return rc;
}

static int settle_row(struct db *db, const struct pair *p, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_SETTLE, e);
    put_i64(&q, p->pair);
    put_i64(&q, p->was.intent);
    put_i64(&q, p->unsettled);
    put_i64(&q, p->synced_us);
    put_i64(&q, p->base[SIDE_A].set);
    put_i64(&q, p->base[SIDE_B].set);
    return row_written(&q, query_run(&q), p->pair, e);
}

static int store_row(struct db *db, const struct pair *p, struct err *e)
{
    int statement = store_statement(p);
    if (statement == Q_SETTLE)
        return settle_row(db, p, e);
    AUTO(buf_done) struct buf a = {0};
    AUTO(buf_done) struct buf b = {0};
    if (p->base[SIDE_A].set)
        base_blob(&a, &p->base[SIDE_A], p->pair);
    if (p->base[SIDE_B].set)
        base_blob(&b, &p->base[SIDE_B], p->pair);
    AUTO(query_end) struct query q = query_begin(db, &T, statement, e);
    put_i64(&q, p->pair);
    put_i64(&q, p->was.intent);
    put_i64(&q, p->flags);
    put_i64(&q, p->attempts);
    put_i64(&q, p->gen[SIDE_A]);
    put_i64(&q, p->gen[SIDE_B]);
    put_i64(&q, p->run);
    put_i64(&q, p->map_gen);
    put_i64(&q, p->synced_us);
    put_blob_or_null(&q, p->chg);
    put_blob_or_null(&q, p->extra);
    put_base_choice(&q, &p->base[SIDE_A], &a);
    put_base_choice(&q, &p->base[SIDE_B], &b);
    if (statement != Q_STORE) {
        put_i64(&q, p->status);
        put_i64(&q, p->unsettled);
        put_i64_or_null(&q, p->due_us);
        put_i64(&q, p->lane);
        put_i64(&q, p->intent);
    }
    if (statement == Q_STORE_A || statement == Q_STORE_BOTH)
        put_i64_or_null(&q, p->rec[SIDE_A]);
    if (statement == Q_STORE_B || statement == Q_STORE_BOTH)
        put_i64_or_null(&q, p->rec[SIDE_B]);
    return row_written(&q, query_run(&q), p->pair, e);
}

static int delete_where_pair(struct db *db, int statement, int64_t pair, int *changes, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, statement, e);
    put_i64(&q, pair);
    int rc = query_run(&q);
    if (rc == TL_OK && changes)
        *changes = query_changes(&q);
    return rc;
}

int pair_drop_sources(struct db *db, int64_t pair, struct err *e)
{
    int dropped = 0;
    if (db->sources == 0) /* the usual case: no probe at all */
        return TL_OK;
    int rc = delete_where_pair(db, Q_DROP_SOURCES, pair, &dropped, e);
    db->sources -= dropped;
    return rc;
}

int pair_store(struct db *db, struct pair *p, struct err *e)
{
    if (is_record_changed(p) && p->intent && p->was.intent) {
        err_set(e, E_PRECONDITION, "pair %lld has an open write", (long long)p->pair);
        err_code(e, "INTENT_OPEN");
        return E_PRECONDITION;
    }
    AUTO(tx_end) struct tx tx;
    int rc = tx_begin(&tx, db, e);
    if (rc == TL_OK)
        rc = store_row(db, p, e);
    if (rc == E_EXISTS)
        return already_mapped(db, p, e);
    if (rc == TL_OK && p->was.intent && !p->intent)
        rc = pair_drop_sources(db, p->pair, e);
    if (rc == TL_OK)
        rc = old_ids_end(db, p, p->was.rec, e);
    if (rc)
        return rc;
    int change = (int)is_complete(p->rec) - (int)is_complete(p->was.rec);
    if (change)
        tally_add(db, TALLY_COMPLETE, p->link, change);
    change = (p->unsettled != 0) - (p->was.unsettled != 0);
    if (change)
        tally_add(db, TALLY_UNSETTLED, p->link, change);
    if (p->run)
        run_range_add(db, p->run, p->pair);
    rc = tx_commit(&tx, e);
    if (rc)
        return rc;
    p->base[0].set = p->base[1].set = false;
    remember(p);
    return TL_OK;
}

int pair_created(struct db *db, const struct pair_created *c, bool *done_out, struct err *e)
{
    AUTO(tx_end) struct tx tx;
    int rc = tx_begin(&tx, db, e);
    if (rc)
        return rc;
    AUTO(query_end) struct query q = query_begin(db, &T, c->side == SIDE_A ? Q_CREATED_A : Q_CREATED_B, e);
    put_i64(&q, c->pair);
    put_i64(&q, c->intent);
    put_i64(&q, c->rec);
    put_i64(&q, c->gen);
    put_i64(&q, c->run);
    put_i64(&q, c->map_gen);
    put_i64(&q, c->synced_us);
    rc = query_run(&q);
    bool done = rc == TL_OK && query_changes(&q) > 0;
    if (rc == TL_OK && done)
        rc = pair_drop_sources(db, c->pair, e);
    if (rc)
        return rc;
    if (done) {
        tally_add(db, TALLY_COMPLETE, c->link, 1);
        tally_add(db, TALLY_UNSETTLED, c->link, 1);
        run_range_add(db, c->run, c->pair);
    }
    rc = tx_commit(&tx, e);
    if (rc == TL_OK)
        *done_out = done;
    return rc;
}

int pair_wake(struct db *db, int64_t pair, enum lane lane, int64_t due_us, bool heal, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_WAKE, e);
    put_i64(&q, pair);
    put_i64(&q, lane);
    put_i64(&q, due_us);
    put_i64(&q, heal);
    return query_run(&q);
}

static int check_no_intent(struct db *db, int64_t pair, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_INTENT, e);
    put_i64(&q, pair);
    int rc = query_row(&q);
    if (rc || get_i64(&q) == 0)
        return rc;
    err_set(e, E_PRECONDITION, "pair %lld has an open write", (long long)pair);
    err_code(e, "INTENT_OPEN");
    return E_PRECONDITION;
}

static int delete_row(struct db *db, int64_t pair, int64_t *link, bool *complete, bool *unsettled, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_DELETE, e);
    put_i64(&q, pair);
    int rc = query_row(&q);
    if (rc)
        return rc;
    *link = get_i64(&q);
    *complete = get_bool(&q);
    *unsettled = get_bool(&q);
    rc = query_row(&q);
    return rc == TL_E_NOT_FOUND ? TL_OK : rc;
}

int pair_delete(struct db *db, int64_t pair, struct err *e)
{
    static const int dependants[] = {Q_DROP_CONFLICTS, Q_DROP_PARKED, Q_DROP_HELD, Q_DROP_OLD};
    AUTO(tx_end) struct tx tx;
    int64_t link = 0;
    bool complete = false, unsettled = false;
    int rc = tx_begin(&tx, db, e);
    if (rc == TL_OK)
        rc = check_no_intent(db, pair, e);
    if (rc == TL_OK)
        rc = delete_row(db, pair, &link, &complete, &unsettled, e);
    if (rc == TL_OK)
        rc = pair_drop_sources(db, pair, e);
    for (size_t i = 0; rc == TL_OK && i < ARRAY_LEN(dependants); i++)
        rc = delete_where_pair(db, dependants[i], pair, NULL, e);
    if (rc)
        return rc;
    tally_add(db, TALLY_PAIRS, link, -1);
    if (complete)
        tally_add(db, TALLY_COMPLETE, link, -1);
    if (unsettled)
        tally_add(db, TALLY_UNSETTLED, link, -1);
    return tx_commit(&tx, e);
}
