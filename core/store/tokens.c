/* Tokens of our own API. */
#include "tokens.h"

#include <sodium.h>

#include "sql.h"
#include "times.h"

#define PREFIX    "tl_"
#define FORGET_US (90 * US_PER_DAY)
#define COLUMNS   "token, kind, name, scopes, endpoint, agent, made_by, made, expires, revoked"

enum { Q_ADD, Q_FIND, Q_GET, Q_LIST, Q_REVOKE, Q_FORGET };
static const char *const SQL[] = {
    [Q_ADD] = "INSERT INTO api_token(token, hash, kind, name, scopes, endpoint, agent, made_by, made, expires) "
              "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    [Q_FIND] = "SELECT " COLUMNS " FROM api_token WHERE hash = ?1",
    [Q_GET] = "SELECT " COLUMNS " FROM api_token WHERE token = ?1",
    [Q_LIST] = "SELECT " COLUMNS " FROM api_token ORDER BY token DESC",
    [Q_REVOKE] = "UPDATE api_token SET revoked = ?2 WHERE token = ?1 AND revoked = 0",
    [Q_FORGET] = "DELETE FROM api_token WHERE expires < ?1 OR (revoked <> 0 AND revoked < ?1)",
};
SQL_TABLE(T, SQL_TOKENS, SQL);

static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
enum { BASE = sizeof digits - 1, PREFIX_CHARS = sizeof PREFIX - 1, RANDOM_BYTES = 32 };

/* 32 bytes as one number to base 62, which has 43 digits. */
void api_token_make(const struct env *env, char out[API_TOKEN_CHARS + 1])
{
    uint8_t number[RANDOM_BYTES];
    env->random(env->self, number, sizeof number);
    memcpy(out, PREFIX, PREFIX_CHARS);
    for (int at = API_TOKEN_CHARS - 1; at >= (int)PREFIX_CHARS; at--) {
        unsigned rest = 0;
        for (size_t i = 0; i < sizeof number; i++) {
            rest = rest << 8 | number[i];
            number[i] = (uint8_t)(rest / BASE);
            rest %= BASE;
        }
        out[at] = digits[rest];
    }
    out[API_TOKEN_CHARS] = 0;
    sodium_memzero(number, sizeof number);
}

bool api_token_is_one(str text)
{
    if (text.n != API_TOKEN_CHARS || memcmp(text.p, PREFIX, PREFIX_CHARS) != 0)
        return false;
    for (uint64_t i = PREFIX_CHARS; i < text.n; i++)
        if (!memchr(digits, text.p[i], BASE))
            return false;
    return true;
}

/* 256 random bits need no salt and no slow hash; whoever has the table has no token, and the look-up by hash tells
 * nobody by its time how much of a guess was right. */
static str hash_of(str secret, uint8_t out[API_TOKEN_HASH_BYTES])
{
    crypto_generichash(out, API_TOKEN_HASH_BYTES, (const uint8_t *)secret.p, secret.n, NULL, 0);
    return str_n(out, API_TOKEN_HASH_BYTES);
}

static int forget_old(struct db *db, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_FORGET, e);
    put_i64(&q, env_now_us(db_env(db)) - FORGET_US);
    return query_run(&q);
}

static int insert(struct db *db, const struct api_token *t, str secret, struct err *e)
{
    uint8_t hash[API_TOKEN_HASH_BYTES];
    AUTO(query_end) struct query q = query_begin(db, &T, Q_ADD, e);
    put_i64(&q, t->token);
    put_blob(&q, hash_of(secret, hash));
    put_i64(&q, t->kind);
    put_text(&q, t->name);
    put_i64(&q, t->scopes);
    put_i64_or_null(&q, t->endpoint);
    put_text(&q, t->agent);
    put_text(&q, t->made_by);
    put_i64(&q, t->made_us);
    put_i64(&q, t->expires_us);
    return query_run(&q);
}

int api_token_add(struct db *db, struct api_token *t, str secret, struct err *e)
{
    AUTO(tx_end) struct tx tx;
    struct api_token added = *t;
    int rc = tx_begin(&tx, db, e);
    if (rc == TL_OK)
        rc = forget_old(db, e);
    if (rc)
        return rc;
    added.token = next_id(db, COUNT_TOKEN);
    added.made_us = env_now_us(db_env(db));
    rc = insert(db, &added, secret, e);
    if (rc == TL_OK)
        rc = tx_commit(&tx, e);
    if (rc == TL_OK)
        *t = added;
    return rc;
}

static void read_token(struct query *q, struct arena *a, struct api_token *out)
{
    out->token = get_i64(q);
    out->kind = get_i32(q);
    out->name = get_text(q, a);
    out->scopes = (uint32_t)get_i64(q);
    out->endpoint = get_i64(q);
    out->agent = get_text(q, a);
    out->made_by = get_text(q, a);
    out->made_us = get_i64(q);
    out->expires_us = get_i64(q);
    out->revoked_us = get_i64(q);
}

int api_token_find(struct db *r, struct arena *a, str secret, struct api_token *out, struct err *e)
{
    uint8_t hash[API_TOKEN_HASH_BYTES];
    AUTO(query_end) struct query q = query_begin(r, &T, Q_FIND, e);
    put_blob(&q, hash_of(secret, hash));
    int rc = query_row(&q);
    if (rc == TL_OK)
        read_token(&q, a, out);
    return rc;
}

int api_token_get(struct db *r, struct arena *a, int64_t token, struct api_token *out, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(r, &T, Q_GET, e);
    put_i64(&q, token);
    int rc = query_row(&q);
    if (rc == TL_OK)
        read_token(&q, a, out);
    return rc;
}

int api_token_list(struct db *r, struct arena *a, struct api_token **out, size_t *n, struct err *e)
{
    struct list l = {.a = a, .item_bytes = sizeof(struct api_token)};
    AUTO(query_end) struct query q = query_begin(r, &T, Q_LIST, e);
    int rc;
    while ((rc = query_row(&q)) == TL_OK)
        read_token(&q, a, list_add(&l));
    return list_end(rc, &l, (void **)out, n);
}

int api_token_revoke(struct db *db, int64_t token, struct err *e)
{
    AUTO(query_end) struct query q = query_begin(db, &T, Q_REVOKE, e);
    put_i64(&q, token);
    put_i64(&q, env_now_us(db_env(db)));
    return query_run_one(&q);
}
