#ifndef SECRETS_H
#define SECRETS_H
/* Sealed secrets, tokens of endpoints, and the small values connectors keep. Plain text leaves through buffers the
 * caller wipes (buf_wipe). Without a key every function that seals or unseals answers TL_E_CONFIG. */
#include "buf.h"
#include "db.h"

int secret_set(struct db *db, str name, str value, str who, struct err *e); /* [A-Za-z0-9_.-]{1,64}, value <= 64 KiB */
int secret_get(struct db *db, str name, struct buf *value_out, struct err *e);
int secret_rm(struct db *db, str name, struct err *e);
struct secret_row {
    str name, who;
    int64_t set_us;
};
int secret_list(struct db *db, struct arena *a, struct secret_row **out, size_t *n, struct err *e); /* by name */

/* Tokens of one endpoint. generation grows by one per token_put, so that a refresh that lost a race is seen. */
struct token {
    struct buf access, refresh, extras; /* extras: JSON object of non-secret members, sealed with the rest */
    int64_t expires_us;                 /* of access; 0: not known */
    int64_t generation, put_us;
};
void token_done(struct token *t); /* wipes */
AUTO_DONE(struct token, token_done)
/* generation: that of the token it replaces, 0 for none; another one stored meanwhile: TL_E_CONFLICT. Durable on
 * return; fills generation and put_us. */
int token_put(struct db *db, int64_t endpoint, struct token *t, struct err *e);
int token_get(struct db *db, int64_t endpoint, struct token *out, struct err *e);
int token_rm(struct db *db, int64_t endpoint, struct err *e); /* TL_E_NOT_FOUND: there were none */

/* Values of a connector per endpoint: key 1 to 255 bytes, value <= 64 KiB, 1 MiB in all (TL_E_INVALID past it).
 * An empty value removes. */
#define KV_VALUE_MAX ((size_t)64 << 10)
#define KV_TOTAL_MAX ((size_t)1 << 20)
int kv_get(struct db *db, int64_t endpoint, str key, struct buf *value_out, struct err *e);
int kv_set(struct db *db, int64_t endpoint, str key, str value, struct err *e);
int kv_clear(struct db *db, int64_t endpoint, struct err *e);
#endif
