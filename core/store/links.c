/* Links. */
#include <stdio.h>

#include "connections.h"
#include "pairs.h"
#include "sql.h"

#define COLUMNS                                                                                                        \
    "link, connection, name, a_kind, b_kind, a_feed, b_feed, mode, topo, phase, position, map_gen, created_from, "     \
    "filter_hash, run, enabled, brake_code, brake_text, brake_at, made, readopt"

enum {
    Q_GET,
    Q_FIND,
    Q_LIST,
    Q_LIST_ALL,
    Q_LIST_FEED,
    Q_INSERT,
    Q_SAME,
    Q_UPDATE,
    Q_DELETE,
    Q_DROP,
    Q_DROPPED,
    Q_ANY_INTENT,
    Q_ANY_PAIRS,
    Q_DELETE_FAILURES,
    Q_DELETE_HELD,
    Q_DELETE_SETTINGS,
    Q_COUNT_BAD,
    Q_COUNT_CONFLICTS,
    Q_COUNT_FAILURES
};
static const char *const SQL[] = {
    [Q_GET] = "SELECT " COLUMNS " FROM link WHERE link = ?1",
    [Q_FIND] = "SELECT " COLUMNS " FROM link WHERE connection = ?1 AND name = ?2",
    [Q_LIST] = "SELECT " COLUMNS " FROM link WHERE connection = ?1 AND mode <> 3 ORDER BY topo, link",
    [Q_LIST_ALL] = "SELECT " COLUMNS " FROM link WHERE mode <> 3 ORDER BY connection, topo, link",
    [Q_LIST_FEED] = "SELECT " COLUMNS " FROM link WHERE a_feed = ?1 OR b_feed = ?1 ORDER BY link",
    [Q_INSERT] = "INSERT INTO link(" COLUMNS ", same_low, same_high) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, "
                 "?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23)",
    [Q_SAME] = "SELECT l.name, c.name FROM link l JOIN connection c ON c.connection = l.connection "
               "WHERE l.same_low = ?1 AND l.same_high = ?2",
    [Q_UPDATE] = "UPDATE link SET a_feed = ?2, b_feed = ?3, mode = ?4, topo = ?5, phase = ?6, position = ?7, "
                 "map_gen = ?8, created_from = ?9, filter_hash = ?10, run = ?11, enabled = ?12, brake_code = ?13, "
                 "brake_text = ?14, brake_at = ?15, readopt = ?16 WHERE link = ?1",
    [Q_DELETE] = "DELETE FROM link WHERE link = ?1",
    [Q_DROP] = "UPDATE link SET name = name || '#' || link, a_feed = NULL, b_feed = NULL, same_low = NULL, "
               "same_high = NULL, mode = 3, enabled = 0 WHERE link = ?1",
    [Q_DROPPED] = "SELECT link FROM link WHERE mode = 3 ORDER BY link LIMIT 1",
    [Q_ANY_INTENT] = "SELECT EXISTS(SELECT 1 FROM intent WHERE link = ?1)",
    [Q_ANY_PAIRS] = "SELECT pair FROM pair WHERE link = ?1 LIMIT ?2",
    [Q_DELETE_FAILURES] = "DELETE FROM failure WHERE failure IN "
                          "(SELECT failure FROM failure WHERE link = ?1 LIMIT ?2)",
    [Q_DELETE_HELD] = "DELETE FROM held WHERE link = ?1",
    [Q_DELETE_SETTINGS] = "DELETE FROM setting WHERE scope = 1 AND owner = ?1",
    [Q_COUNT_BAD] = "SELECT status, count(*) FROM pair WHERE link = ?1 AND status <> 0 GROUP BY status",
    [Q_COUNT_CONFLICTS] = "SELECT count(*) FROM conflict WHERE link = ?1",
    [Q_COUNT_FAILURES] = "SELECT count(*) FROM failure WHERE link = ?1 AND resolved IS NULL",
};
SQL_TABLE(T, SQL_LINKS, SQL);

static void read_link(struct query *q, struct arena *a, struct link *out)
{
    out->link = get_i64(q);
    out->connection = get_i64(q);
    out->name = get_text(q, a);
    out->kind[SIDE_A] = get_text(q, a);
    out->kind[SIDE_B] = get_text(q, a);
    out->feed[SIDE_A] = get_i64(q);
    out->feed[SIDE_B] = get_i64(q);
    out->mode = get_i32(q);
    out->topo = get_i32(q);
    out->phase = get_i32(q);
    out->position = get_text(q, a);
    out->map_gen = get_i64(q);
    out->created_from_us = get_i64(q);
    out->filter_hash = get_u64(q);
    out->run = get_i64(q);
    out->enabled = get_bool(q);
    out->brake_code = get_text(q, a);
    out->brake_text = get_text(q, a);
    out->brake_us = get_i64(q);
    out->made_us = get_i64(q);
    out->readopt_us = get_i64(q);
}

int link_get(struct db *db, struct arena *a, int64_t link, struct link *out, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_GET, e);
    put_i64(&q, link);
    int rc = query_row(&q);
    if (rc == TL_OK)
        read_link(&q, a, out);
    return rc;
}

int link_find(struct db *db, struct arena *a, int64_t connection, str name, struct link *out, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_FIND, e);
    put_i64(&q, connection);
    put_text(&q, name);
    int rc = query_row(&q);
    if (rc == TL_OK)
        read_link(&q, a, out);
    return rc;
}

static int list_by(struct db *db, struct arena *a, int statement, int64_t id, struct link **out, size_t *n,
                   struct err *e)
{
    struct list l = {.a = a, .item_bytes = sizeof(struct link)};
    AUTO(query_end) struct query q = query_begin(db, &T, statement, e);
    if (statement != Q_LIST_ALL)
        put_i64(&q, id);
    int rc;
    while ((rc = query_row(&q)) == TL_OK)
        read_link(&q, a, list_add(&l));
    return list_end(rc, &l, (void **)out, n);
}

int link_list(struct db *db, struct arena *a, int64_t connection, struct link **out, size_t *n, struct err *e)
{
    return list_by(db, a, connection ? Q_LIST : Q_LIST_ALL, connection, out, n, e);
}

int link_list_of_feed(struct db *db, struct arena *a, int64_t feed, struct link **out, size_t *n, struct err *e)
{
    return list_by(db, a, Q_LIST_FEED, feed, out, n, e);
}

/* ---- Create ---------------------------------------------------------------------------------------------------- */

/* "endpoint/kind" of both sides, the smaller first: the same for a link turned round. */
static void same_key(struct arena *a, const struct connection *c, const struct link *l, str *low, str *high)
{
    str end[2];
    for (int s = 0; s < 2; s++)
        end[s] = str_of(arena_fmt(a, "%lld/%.*s", (long long)c->endpoint[s], STR_FMT(l->kind[s])));
    bool is_ordered = str_cmp(end[0], end[1]) <= 0;
    *low = end[is_ordered ? 0 : 1];
    *high = end[is_ordered ? 1 : 0];
}

static int check_same(struct db *db, str low, str high, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_SAME, e);
    put_text(&q, low);
    put_text(&q, high);
    int rc = query_row(&q);
    if (rc != TL_OK)
        return rc == TL_E_NOT_FOUND ? TL_OK : rc;
    str link = get_lent(&q), connection = get_lent(&q);
    err_set(e, E_EXISTS, "link \"%.*s\" of connection \"%.*s\" syncs these two endpoints and kinds already",
            STR_FMT(link), STR_FMT(connection));
    err_code(e, "SAME_LINK");
    err_hint(e, "change that link instead; two links over the same records would fight");
    return E_EXISTS;
}

static int link_insert(struct db *db, int64_t id, int64_t now, const struct link *l, str low, str high, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_INSERT, e);
    put_i64(&q, id);
    put_i64(&q, l->connection);
    put_text(&q, l->name);
    put_text(&q, l->kind[SIDE_A]);
    put_text(&q, l->kind[SIDE_B]);
    put_i64_or_null(&q, l->feed[SIDE_A]);
    put_i64_or_null(&q, l->feed[SIDE_B]);
    put_i64(&q, l->mode);
    put_i64(&q, l->topo);
    put_i64(&q, l->phase);
    put_blob(&q, l->position);
    put_i64(&q, l->map_gen ? l->map_gen : 1);
    put_i64(&q, l->created_from_us);
    put_u64(&q, l->filter_hash);
    put_i64(&q, l->run);
    put_i64(&q, l->enabled);
    put_text(&q, l->brake_code);
    put_text(&q, l->brake_text);
    put_i64(&q, l->brake_us);
    put_i64(&q, now);
    put_i64(&q, l->readopt_us);
    put_text_or_null(&q, low);
    put_text_or_null(&q, high);
    int rc = query_run(&q);
    if (rc == E_EXISTS) {
        err_set(e, E_EXISTS, "the connection has a link \"%.*s\" already", STR_FMT(l->name));
        err_hint(e, "choose another name");
    }
    return rc == E_PRECONDITION ? err_set(e, TL_E_INVALID, "the connection or a feed of the link does not exist") : rc;
}

int link_create(struct db *db, struct link *l, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    AUTO(tx_end) struct tx tx;
    struct connection c;
    str low = {0}, high = {0};
    int rc = tx_begin(&tx, db, e);
    if (rc == TL_OK)
        rc = connection_get(db, &a, l->connection, &c, e);
    if (rc == TL_E_NOT_FOUND)
        return err_set(e, TL_E_NOT_FOUND, "there is no connection %lld", (long long)l->connection);
    if (rc)
        return rc;
    same_key(&a, &c, l, &low, &high);
    rc = check_same(db, low, high, e);
    if (rc)
        return rc;
    int64_t id = next_id(db, COUNT_LINK), now = env_now_us(db_env(db));
    rc = link_insert(db, id, now, l, low, high, e);
    if (rc == TL_OK)
        rc = tx_commit(&tx, e);
    if (rc)
        return rc;
    l->link = id;
    l->made_us = now;
    if (!l->map_gen)
        l->map_gen = 1;
    return TL_OK;
}

int link_update(struct db *db, const struct link *l, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_UPDATE, e);
    put_i64(&q, l->link);
    put_i64_or_null(&q, l->feed[SIDE_A]);
    put_i64_or_null(&q, l->feed[SIDE_B]);
    put_i64(&q, l->mode);
    put_i64(&q, l->topo);
    put_i64(&q, l->phase);
    put_blob(&q, l->position);
    put_i64(&q, l->map_gen);
    put_i64(&q, l->created_from_us);
    put_u64(&q, l->filter_hash);
    put_i64(&q, l->run);
    put_i64(&q, l->enabled);
    put_text(&q, l->brake_code);
    put_text(&q, l->brake_text);
    put_i64(&q, l->brake_us);
    put_i64(&q, l->readopt_us);
    return query_run(&q);
}

/* ---- Delete ---------------------------------------------------------------------------------------------------- */

static int first_number(struct db *db, int statement, int64_t link, int64_t *out, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, statement, e);
    put_i64(&q, link);
    int rc = query_row(&q);
    if (rc == TL_OK)
        *out = get_i64(&q);
    return rc;
}

static int delete_pairs(struct db *db, int64_t link, int max_rows, int *deleted, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    int64_t *ids = arena_array(&a, int64_t, max_rows);
    int n = 0, rc;
    {
        AUTO(query_end) struct query q = query_begin(db, &T, Q_ANY_PAIRS, e);
        put_i64(&q, link);
        put_i64(&q, max_rows);
        while ((rc = query_row(&q)) == TL_OK)
            ids[n++] = get_i64(&q);
    }
    if (rc != TL_E_NOT_FOUND)
        return rc;
    for (int i = 0; i < n; i++) {
        rc = pair_delete(db, ids[i], e);
        if (rc)
            return rc;
    }
    *deleted = n;
    return TL_OK;
}

static int run_on(struct db *db, int statement, int64_t link, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, statement, e);
    put_i64(&q, link);
    return query_run(&q);
}

static int delete_failures(struct db *db, int64_t link, int max_rows, int *deleted, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_DELETE_FAILURES, e);
    put_i64(&q, link);
    put_i64(&q, max_rows);
    int rc = query_run(&q);
    if (rc == TL_OK)
        *deleted = query_changes(&q);
    return rc;
}

static int delete_link_itself(struct db *db, int64_t link, struct err *e)
{
    static const int statements[] = {Q_DELETE_HELD, Q_DELETE_SETTINGS, Q_DELETE};
    for (size_t i = 0; i < ARRAY_LEN(statements); i++) {
        int rc = run_on(db, statements[i], link, e);
        if (rc)
            return rc;
    }
    int rc = tally_drop(db, TALLY_PAIRS, link, e);
    if (rc == TL_OK)
        rc = tally_drop(db, TALLY_COMPLETE, link, e);
    return rc == TL_OK ? tally_drop(db, TALLY_UNSETTLED, link, e) : rc;
}

int link_drop(struct db *db, int64_t link, struct err *e)
{
    AUTO(tx_end) struct tx tx;
    int64_t has_intent = 0;
    int rc = tx_begin(&tx, db, e);
    if (rc == TL_OK)
        rc = first_number(db, Q_ANY_INTENT, link, &has_intent, e);
    if (rc == TL_OK && has_intent)
        return err_set(e, E_PRECONDITION, "writes of this link are still open");
    if (rc == TL_OK)
        rc = run_on(db, Q_DROP, link, e);
    return rc == TL_OK ? tx_commit(&tx, e) : rc;
}

int link_dropped_next(struct db *db, int64_t *link_out, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_DROPPED, e);
    int rc = query_row(&q);
    if (rc == TL_OK)
        *link_out = get_i64(&q);
    return rc;
}

int link_delete_slice(struct db *db, int64_t link, int max_rows, bool *done_out, struct err *e)
{
    AUTO(tx_end) struct tx tx;
    int64_t has_intent = 0;
    int pairs = 0, failures = 0;
    int rc = tx_begin(&tx, db, e);
    if (rc == TL_OK)
        rc = first_number(db, Q_ANY_INTENT, link, &has_intent, e);
    if (rc == TL_OK && has_intent)
        return err_set(e, E_PRECONDITION, "writes of this link are still open");
    if (rc == TL_OK)
        rc = delete_pairs(db, link, max_rows, &pairs, e);
    if (rc == TL_OK && pairs < max_rows)
        rc = delete_failures(db, link, max_rows - pairs, &failures, e);
    bool is_done = pairs + failures < max_rows;
    if (rc == TL_OK && is_done)
        rc = delete_link_itself(db, link, e);
    if (rc == TL_OK)
        rc = tx_commit(&tx, e);
    if (rc == TL_OK)
        *done_out = is_done;
    return rc;
}

/* ---- Counts ---------------------------------------------------------------------------------------------------- */

static int count_bad(struct db *db, int64_t link, struct link_tally *t, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_COUNT_BAD, e);
    put_i64(&q, link);
    int rc;
    while ((rc = query_row(&q)) == TL_OK) {
        int32_t status = get_i32(&q);
        int64_t n = get_i64(&q);
        switch (status) {
        case PAIR_PARKED:
            t->parked = n;
            break;
        case PAIR_FAILED:
            t->failed = n;
            break;
        case PAIR_LOOP:
            t->loop = n;
            break;
        case PAIR_QUARANTINED:
            t->quarantined = n;
            break;
        case PAIR_TOMBSTONE:
            t->tombstone = n;
            break;
        default:
            break;
        }
    }
    return rc == TL_E_NOT_FOUND ? TL_OK : rc;
}

int link_count(struct db *db, int64_t link, struct link_tally *out, struct err *e)
{
    struct link_tally t = {0};
    t.pairs = tally_get(db, TALLY_PAIRS, link);
    t.complete = tally_get(db, TALLY_COMPLETE, link);
    t.unsettled = tally_get(db, TALLY_UNSETTLED, link);
    int rc = count_bad(db, link, &t, e);
    if (rc == TL_OK)
        rc = first_number(db, Q_COUNT_CONFLICTS, link, &t.conflicts, e);
    if (rc == TL_OK)
        rc = first_number(db, Q_COUNT_FAILURES, link, &t.failures, e);
    if (rc == TL_OK)
        *out = t;
    return rc;
}
