/* Inbox, delivery keys, hints, webhook subscriptions. */
#include "hooks.h"

#include "buf.h"
#include "db_int.h"
#include "times.h"

enum { BODY_MAX = 1 << 20, SECRET_CHARS = 26 };

enum {
    Q_DELIVERY_SEEN,
    Q_DELIVERY_PUT,
    Q_DELIVERY_TRIM,
    Q_INBOX_TRIM,
    Q_INBOX_PUT,
    Q_INBOX_NEXT,
    Q_INBOX_NEXT_OF,
    Q_INBOX_RETRY,
    Q_INBOX_DONE,
    Q_INBOX_DUE,
    Q_INBOX_COUNT,
    Q_HINT_PUT,
    Q_HINT_NEXT,
    Q_HINT_DONE,
    Q_HINT_COUNT,
    Q_HINT_TRIM,
    Q_FEEDS,
    Q_WEBHOOK_SECRET,
    Q_WEBHOOK_INSERT,
    Q_WEBHOOK_GET,
    Q_WEBHOOK_UPDATE,
    Q_WEBHOOK_COUNT,
    Q_WEBHOOK_DELETE
};
static const char *const SQL[] = {
    [Q_DELIVERY_SEEN] = "SELECT 1 FROM delivery WHERE endpoint = ?1 AND key = ?2 AND at > ?3",
    [Q_DELIVERY_PUT] = "INSERT OR REPLACE INTO delivery(endpoint, key, at) VALUES(?1, ?2, ?3)",
    [Q_INBOX_TRIM] = "DELETE FROM inbox WHERE inbox IN (SELECT inbox FROM inbox ORDER BY inbox LIMIT ?2) AND "
                     "received < ?1",
    [Q_DELIVERY_TRIM] = "DELETE FROM delivery WHERE (endpoint, key) IN "
                        "(SELECT endpoint, key FROM delivery WHERE at < ?1 ORDER BY at LIMIT ?2)",
    [Q_INBOX_PUT] = "INSERT INTO inbox(inbox, endpoint, received, method, headers, query, body, attempts, due) "
                    "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    [Q_INBOX_NEXT] = "SELECT inbox, endpoint, received, method, headers, query, body, attempts, due FROM inbox "
                     "WHERE due <= ?1 ORDER BY inbox LIMIT ?2",
    [Q_INBOX_NEXT_OF] = "SELECT inbox, endpoint, received, method, headers, query, body, attempts, due FROM inbox "
                        "WHERE due <= ?1 AND endpoint = ?3 ORDER BY due, inbox LIMIT ?2",
    [Q_INBOX_RETRY] = "UPDATE inbox SET attempts = attempts + 1, due = ?2 WHERE inbox = ?1",
    [Q_INBOX_DONE] = "DELETE FROM inbox WHERE inbox = ?1",
    [Q_INBOX_DUE] = "SELECT due FROM inbox WHERE endpoint = ?1 ORDER BY due LIMIT 1",
    [Q_INBOX_COUNT] = "SELECT count(*) FROM inbox WHERE ?1 = 0 OR endpoint = ?1",
    [Q_FEEDS] = "SELECT feed FROM feed WHERE endpoint = ?1 AND kind = ?2",
    [Q_HINT_PUT] = "INSERT INTO hint(feed, remote_id, gone, at, n) VALUES(?1, ?2, ?3, ?4, 1) ON CONFLICT(feed, "
                   "remote_id) DO UPDATE SET gone = CASE WHEN gone = 1 OR excluded.gone = 1 THEN 1 ELSE max(gone, "
                   "excluded.gone) END, "
                   "at = max(at, excluded.at), n = n + 1",
    [Q_HINT_NEXT] = "SELECT feed, remote_id, gone, at, n FROM hint WHERE feed = ?1 AND at <= ?2 ORDER BY at LIMIT ?3",
    [Q_HINT_DONE] = "DELETE FROM hint WHERE feed = ?1 AND remote_id = ?2 AND n = ?3",
    [Q_HINT_TRIM] = "DELETE FROM hint WHERE (feed, remote_id) IN (SELECT h.feed, h.remote_id FROM feed f "
                    "CROSS JOIN hint h INDEXED BY hint_at ON h.feed = f.feed AND h.at < ?1 LIMIT ?2)",
    [Q_HINT_COUNT] = "SELECT count(*) FROM hint WHERE feed = ?1",
    [Q_WEBHOOK_SECRET] = "SELECT secret FROM webhook WHERE endpoint = ?1",
    [Q_WEBHOOK_INSERT] = "INSERT INTO webhook(endpoint, secret, made) VALUES(?1, ?2, ?3)",
    [Q_WEBHOOK_GET] = "SELECT endpoint, id, audience, kinds, url, subscribed, expires, made, received, accepted, "
                      "refused, duplicates FROM webhook WHERE endpoint = ?1",
    [Q_WEBHOOK_UPDATE] = "UPDATE webhook SET id = ?2, audience = ?3, kinds = ?4, url = ?5, subscribed = ?6, "
                         "expires = ?7 WHERE endpoint = ?1",
    [Q_WEBHOOK_COUNT] = "UPDATE webhook SET accepted = accepted + ?2, refused = refused + ?3, "
                        "duplicates = duplicates + ?4, received = iif(?2 > 0, ?5, received) WHERE endpoint = ?1",
    [Q_WEBHOOK_DELETE] = "DELETE FROM webhook WHERE endpoint = ?1",
};
SQL_TABLE(T, SQL_HOOKS, SQL);

static int count(struct db *db, int statement, int64_t id, int64_t *out, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, statement, e);
    put_i64(&q, id);
    int rc = query_row(&q);
    if (rc == TL_OK)
        *out = get_i64(&q);
    return rc;
}

static int run_on(struct db *db, int statement, int64_t id, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, statement, e);
    put_i64(&q, id);
    return query_run(&q);
}

/* ---- Inbox ----------------------------------------------------------------------------------------------------- */

static int delivery_seen(struct db *db, int64_t endpoint, uint64_t key, int64_t since_us, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_DELIVERY_SEEN, e);
    put_i64(&q, endpoint);
    put_u64(&q, key);
    put_i64(&q, since_us);
    int rc = query_row(&q);
    return rc == TL_OK ? E_EXISTS : rc == TL_E_NOT_FOUND ? TL_OK : rc;
}

static int delivery_put(struct db *db, int64_t endpoint, uint64_t key, int64_t at_us, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_DELIVERY_PUT, e);
    put_i64(&q, endpoint);
    put_u64(&q, key);
    put_i64(&q, at_us);
    return query_run(&q);
}

static int inbox_insert(struct db *db, int64_t id, const struct inbox_row *r, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_INBOX_PUT, e);
    put_i64(&q, id);
    put_i64(&q, r->endpoint);
    put_i64(&q, r->received_us);
    put_text(&q, r->method);
    put_text(&q, r->headers);
    put_text(&q, r->query);
    put_blob(&q, r->body);
    put_i64(&q, r->attempts);
    put_i64(&q, r->due_us);
    return query_run(&q);
}

int inbox_add(struct db *db, struct inbox_row *r, str delivery_key, struct err *e)
{
    if (r->body.n > BODY_MAX)
        return err_set(e, TL_E_INVALID, "a delivery of %zu bytes is too large", (size_t)r->body.n);
    uint64_t key = store_hash(delivery_key.p, delivery_key.n);
    AUTO(tx_end) struct tx tx;
    int rc = tx_begin(&tx, db, e);
    if (rc == TL_OK && delivery_key.n)
        rc = delivery_seen(db, r->endpoint, key, r->received_us - US_PER_DAY, e);
    if (rc)
        return rc;
    int64_t id = next_id(db, COUNT_INBOX);
    if (delivery_key.n)
        rc = delivery_put(db, r->endpoint, key, r->received_us, e);
    if (rc == TL_OK)
        rc = inbox_insert(db, id, r, e);
    if (rc == TL_OK)
        rc = tx_commit(&tx, e);
    if (rc == TL_OK)
        r->inbox = id;
    return rc;
}

int inbox_next(struct db *db, struct arena *a, int64_t endpoint, int64_t now_us, size_t max, struct inbox_row **out,
               size_t *n, struct err *e)
{
    struct list l = {.a = a, .item_bytes = sizeof(struct inbox_row)};
    AUTO(query_end) struct query q = query_begin(db, &T, endpoint ? Q_INBOX_NEXT_OF : Q_INBOX_NEXT, e);
    put_i64(&q, now_us);
    put_i64(&q, (int64_t)max);
    if (endpoint)
        put_i64(&q, endpoint);
    int rc;
    while ((rc = query_row(&q)) == TL_OK) {
        struct inbox_row *r = list_add(&l);
        r->inbox = get_i64(&q);
        r->endpoint = get_i64(&q);
        r->received_us = get_i64(&q);
        r->method = get_text(&q, a);
        r->headers = get_text(&q, a);
        r->query = get_text(&q, a);
        r->body = get_text(&q, a);
        r->attempts = get_i32(&q);
        r->due_us = get_i64(&q);
    }
    return list_end(rc, &l, (void **)out, n);
}

int inbox_retry(struct db *db, int64_t inbox, int64_t due_us, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_INBOX_RETRY, e);
    put_i64(&q, inbox);
    put_i64(&q, due_us);
    return query_run(&q);
}

int inbox_done(struct db *db, int64_t inbox, struct err *e)
{
    return run_on(db, Q_INBOX_DONE, inbox, e);
}

int inbox_due(struct db *db, int64_t endpoint, int64_t *due_us_out, struct err *e)
{
    return count(db, Q_INBOX_DUE, endpoint, due_us_out, e);
}

int inbox_count(struct db *db, int64_t endpoint, int64_t *out, struct err *e)
{
    return count(db, Q_INBOX_COUNT, endpoint, out, e);
}

static int trim(struct db *db, int statement, int64_t older_than_us, int max_rows, bool *done_out, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, statement, e);
    put_i64(&q, older_than_us);
    return query_run_some(&q, max_rows, done_out);
}

int inbox_trim(struct db *db, int64_t older_than_us, int max_rows, bool *done_out, struct err *e)
{
    return trim(db, Q_INBOX_TRIM, older_than_us, max_rows, done_out, e);
}

int delivery_trim(struct db *db, int64_t older_than_us, int max_rows, bool *done_out, struct err *e)
{
    return trim(db, Q_DELIVERY_TRIM, older_than_us, max_rows, done_out, e);
}

/* ---- Hints ----------------------------------------------------------------------------------------------------- */

static int feeds_of(struct db *db, struct arena *a, int64_t endpoint, str kind, int64_t **out, size_t *n, struct err *e)
{
    struct list l = {.a = a, .item_bytes = sizeof(int64_t)};
    AUTO(query_end) struct query q = query_begin(db, &T, Q_FEEDS, e);
    put_i64(&q, endpoint);
    put_text(&q, kind);
    int rc;
    while ((rc = query_row(&q)) == TL_OK)
        *(int64_t *)list_add(&l) = get_i64(&q);
    return list_end(rc, &l, (void **)out, n);
}

static int hint_put_one(struct db *db, int64_t feed, str id, enum hint_why why, int64_t at_us, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_HINT_PUT, e);
    put_i64(&q, feed);
    put_id(&q, id);
    put_i64(&q, why);
    put_i64(&q, at_us);
    return query_run(&q);
}

int hint_put(struct db *db, int64_t endpoint, str kind, str id, enum hint_why why, int64_t at_us, int64_t *feeds_out,
             struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    AUTO(tx_end) struct tx tx;
    int64_t *feeds;
    size_t n = 0;
    int rc = tx_begin(&tx, db, e);
    if (rc == TL_OK)
        rc = feeds_of(db, &a, endpoint, kind, &feeds, &n, e);
    for (size_t i = 0; rc == TL_OK && i < n; i++)
        rc = hint_put_one(db, feeds[i], id, why, at_us, e);
    if (rc == TL_OK)
        rc = tx_commit(&tx, e);
    if (rc == TL_OK)
        *feeds_out = (int64_t)n;
    return rc;
}

int hint_next(struct db *db, struct arena *a, int64_t feed, int64_t before_us, size_t max, struct hint **out, size_t *n,
              struct err *e)
{
    struct list l = {.a = a, .item_bytes = sizeof(struct hint)};
    AUTO(query_end) struct query q = query_begin(db, &T, Q_HINT_NEXT, e);
    put_i64(&q, feed);
    put_i64(&q, before_us);
    put_i64(&q, (int64_t)max);
    int rc;
    while ((rc = query_row(&q)) == TL_OK) {
        struct hint *h = list_add(&l);
        h->feed = get_i64(&q);
        h->id = get_id(&q, a);
        h->gone = get_i32(&q);
        h->at_us = get_i64(&q);
        h->n = get_i64(&q);
    }
    return list_end(rc, &l, (void **)out, n);
}

int hint_done(struct db *db, const struct hint *h, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_HINT_DONE, e);
    put_i64(&q, h->feed);
    put_id(&q, h->id);
    put_i64(&q, h->n);
    return query_run(&q);
}

int hint_trim(struct db *db, int64_t older_than_us, int max_rows, bool *done_out, struct err *e)
{
    return trim(db, Q_HINT_TRIM, older_than_us, max_rows, done_out, e);
}

int hint_count(struct db *db, int64_t feed, int64_t *out, struct err *e)
{
    return count(db, Q_HINT_COUNT, feed, out, e);
}

/* ---- Subscriptions --------------------------------------------------------------------------------------------- */

static void webhook_name(char out[48], int64_t endpoint)
{
    snprintf(out, 48, "webhook/%lld", (long long)endpoint);
}

static int webhook_secret(struct db *db, int64_t endpoint, struct buf *out, struct err *e)
{
    char what[48];
    webhook_name(what, endpoint);
    AUTO(query_end) struct query q = query_begin(db, &T, Q_WEBHOOK_SECRET, e);
    put_i64(&q, endpoint);
    int rc = query_row(&q);
    return rc == TL_OK ? unseal(out, &db->key, str_of(what), get_lent(&q), e) : rc;
}

static int webhook_make(struct db *db, int64_t endpoint, struct buf *secret, struct err *e)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
    char what[48];
    AUTO(buf_done) struct buf sealed = {0};
    for (int i = 0; i < SECRET_CHARS; i++)
        buf_char(secret, letters[env_random_below(db->env, 32)]);
    webhook_name(what, endpoint);
    seal(&sealed, &db->key, str_of(what), buf_lent(secret));
    AUTO(query_end) struct query q = query_begin(db, &T, Q_WEBHOOK_INSERT, e);
    put_i64(&q, endpoint);
    put_blob(&q, buf_lent(&sealed));
    put_i64(&q, env_now_us(db->env));
    return query_run(&q);
}

int webhook_ensure(struct db *db, int64_t endpoint, struct buf *secret_out, struct err *e)
{
    int rc = need_key(db, e);
    if (rc)
        return rc;
    AUTO(buf_wipe) struct buf secret = {0};
    rc = webhook_secret(db, endpoint, &secret, e);
    if (rc == TL_E_NOT_FOUND)
        rc = webhook_make(db, endpoint, &secret, e);
    if (rc == TL_OK)
        buf_str(secret_out, buf_lent(&secret));
    return rc;
}

int webhook_get(struct db *db, struct arena *a, int64_t endpoint, struct webhook *out, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_WEBHOOK_GET, e);
    put_i64(&q, endpoint);
    int rc = query_row(&q);
    if (rc)
        return rc;
    out->endpoint = get_i64(&q);
    out->id = get_text(&q, a);
    out->audience = get_text(&q, a);
    out->kinds = get_text(&q, a);
    out->url = get_u64(&q);
    out->subscribed_us = get_i64(&q);
    out->expires_us = get_i64(&q);
    out->made_us = get_i64(&q);
    out->received_us = get_i64(&q);
    out->accepted = get_i64(&q);
    out->refused = get_i64(&q);
    out->duplicates = get_i64(&q);
    return TL_OK;
}

int webhook_update(struct db *db, const struct webhook *w, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_WEBHOOK_UPDATE, e);
    put_i64(&q, w->endpoint);
    put_text(&q, w->id);
    put_text(&q, w->audience);
    put_text(&q, w->kinds);
    put_u64(&q, w->url);
    put_i64(&q, w->subscribed_us);
    put_i64(&q, w->expires_us);
    return query_run_one(&q);
}

int webhook_count(struct db *db, int64_t endpoint, int accepted, int refused, int duplicates, int64_t at_us,
                  struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_WEBHOOK_COUNT, e);
    put_i64(&q, endpoint);
    put_i64(&q, accepted);
    put_i64(&q, refused);
    put_i64(&q, duplicates);
    put_i64(&q, at_us);
    return query_run(&q);
}

int webhook_delete(struct db *db, int64_t endpoint, struct err *e)
{
    return run_on(db, Q_WEBHOOK_DELETE, endpoint, e);
}
