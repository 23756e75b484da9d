#ifndef TOKENS_H
#define TOKENS_H
/* Tokens of our own API: who may come in without being a user of this machine. Only a hash is kept; a token is shown
 * once, to whom it was made for. */
#include "db.h"

enum api_token_kind { API_TOKEN_BEARER = 0 /* sent with each request, by a program */ };

struct api_token {
    int64_t token;    /* its number: what people call it by */
    int32_t kind;     /* enum api_token_kind */
    str name;         /* what it is for */
    uint32_t scopes;  /* as the API numbers them */
    int64_t endpoint; /* of the help desk whose agent it speaks for; 0: for an operator */
    str agent;        /* the help desk's id of that agent; empty: an operator */
    str made_by;
    int64_t made_us, expires_us, revoked_us; /* revoked_us 0: it was not */
};

enum { API_TOKEN_CHARS = 46, API_TOKEN_HASH_BYTES = 32 };
/* "tl_" and 43 letters and digits that hold 256 random bits. */
void api_token_make(const struct env *env, char out[API_TOKEN_CHARS + 1]);
bool api_token_is_one(str text); /* has the form of one */

/* Fills token, made_us. Those that ended more than 90 days ago are forgotten with it. */
int api_token_add(struct db *db, struct api_token *t, str secret, struct err *e);
/* By the hash of the text that was sent, also when its time is over. TL_E_NOT_FOUND. [any, on a reader] */
int api_token_find(struct db *r, struct arena *a, str secret, struct api_token *out, struct err *e);
int api_token_get(struct db *r, struct arena *a, int64_t token, struct api_token *out, struct err *e);
int api_token_list(struct db *r, struct arena *a, struct api_token **out, size_t *n, struct err *e); /* newest first */
/* From the next request on it is good for nothing. TL_E_NOT_FOUND: no such number, or revoked already. */
int api_token_revoke(struct db *db, int64_t token, struct err *e);
#endif
