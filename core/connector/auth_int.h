#ifndef AUTH_INT_H
#define AUTH_INT_H
/* Inside core/connector/auth*.c only. */
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "auth.h"

struct auth_flow {
    const char *name, *needs, *token_url, *form, *assertion, *assertion_key;
    int64_t assertion_lifetime_s;
};

struct auth_spec { /* every text is a copy in the arena, NULL where the description has none */
    struct arena arena;
    uint32_t n_flows;
    struct auth_flow *flows;
    const char *header, *prefix, *access_member, *refresh_member, *lifetime_member;
    const char *extras, *url_extras, *authorize_url, *revoke_url, *revoke_form;
    const char *scopes, *scope_member, *redirect_bases;
    int64_t default_lifetime_s;
};

/* ---- templates (auth_template.c) ---- */

enum fill_mode { FILL_RAW, FILL_FORM, FILL_JSON, FILL_URL /* raw base at the start, then percent-encoded */ };
/* Looks a name up; false when it has no value. The value is lent until the next lookup. */
typedef bool (*fill_lookup_fn)(void *ctx, str name, str *out);
/* True when every brace that opens a name is closed. */
bool template_ok(const char *template);
/* Appends the template with its holes filled; TL_E_CONFIG names the first hole without a value. */
int template_fill(const char *template, enum fill_mode mode, fill_lookup_fn lookup, void *ctx, struct buf *out,
                  struct err *e);

/* ---- tokens (auth_tokens.c) ---- */

struct extra {
    struct extra *next;
    char *name, *value;
};
struct tokens {
    struct buf access, refresh; /* secret */
    int64_t expires_us, lifetime_us;
    uint8_t seed[16];    /* which value of the option refresh_token these began with */
    uint8_t options[16]; /* which option values the access token was obtained with */
    struct extra *extras;
};
void tokens_done(struct tokens *t); /* wipes */
AUTO_DONE(struct tokens, tokens_done)
void tokens_copy(struct tokens *to, const struct tokens *from);
const char *tokens_extra(const struct tokens *t, str name); /* NULL when unknown */
void tokens_extra_set(struct tokens *t, const char *name, str value);
void tokens_encode(const struct tokens *t, struct buf *out);
bool tokens_decode(struct tokens *out, str bytes);
/* Reads a token answer; false when it has no access token. Where the answer has no refresh token `refresh` stays in
 * force, where it lacks extras those of `before`. */
bool tokens_parse(struct tokens *out, const struct auth_spec *spec, const struct tokens *before, str refresh, str body,
                  int64_t now_us);

/* ---- assertion (auth_jwt.c) ---- */

/* "header.claims.signature", RS256, with a PEM private key. TL_E_CONFIG when the key cannot be used. */
int jwt_sign_rs256(struct buf *out, str claims, str pem, struct err *e);
void base64url_add(struct buf *out, const void *p, size_t n);

/* ---- the object (auth.c) ---- */

struct option_value {
    char *name, *value;
};

struct auth {
    pthread_mutex_t lock; /* guards everything below but what is immutable */
    pthread_cond_t changed;
    /* immutable */
    char *endpoint;
    const struct auth_spec *spec;
    const struct http_allow *allow;
    struct http_client *http;
    struct http_gate *gate;
    const struct env *env;
    struct auth_store store;
    auth_verdict_fn verdict;
    auth_token_error_fn token_error;
    void *hooks_ctx;
    uint32_t max_refreshes;
    /* One thread at a time talks to the token server: it sets busy and then owns tokens and options without the lock.
     */
    bool busy;
    uint64_t attempts;                           /* finished attempts */
    struct err last;                             /* of the last finished attempt; status 0: it went well */
    struct option_value *options, *next_options; /* next: wait for the end of the exchange under way; NULL: none */
    uint32_t n_options, n_next_options;
    struct tokens tokens;
    uint64_t generation;      /* grows with every new access token */
    bool unsaved;             /* tokens are not durable yet: not to be used */
    int64_t refreshed_at[16]; /* mono; the last max_refreshes attempts that reached the server */
    uint32_t n_refreshed;
    int64_t retry_at;       /* mono: a failed state is tried again then; an early refresh that failed as well */
    bool told_to_wait;      /* retry_at is the vendor's own word */
    uint32_t n_troubled;    /* attempts in a row that met trouble */
    int64_t troubled_us;    /* wall: since when; 0: the last attempt went well */
    bool refused;           /* the vendor called the present access token expired */
    int64_t rejected_until; /* mono: a fresh token was called expired; no refresh for that reason until then */
    uint32_t n_rejected;    /* so many in a row */
    enum auth_state state;
    int state_status;
    int64_t since_us;
    char flow[32], words[256], hint[256];
};

/* A usable access token: *generation_out and the value of the authorisation header. expired_generation: the generation
 * the vendor called expired, 0 if none. */
int auth_acquire(struct auth *a, uint64_t expired_generation, bool force, const int32_t *cancel, struct buf *header_out,
                 uint64_t *generation_out, struct err *e);
/* The vendor called a token expired that it had just issued: another one is asked for with a later call, not at once.
 */
void auth_rejected(struct auth *a);
void auth_accepted(struct auth *a); /* the vendor took one */

/* ---- one exchange with the token server (auth_flow.c); called by the thread that set busy ---- */

/* g is empty in an ordinary sign-in. */
const struct auth_flow *flow_choose(struct auth *a, const struct auth_grant *g, struct buf *missing_out);
bool flow_takes_code(const struct auth *a); /* a person can sign in with a grant code */
/* Fills *out with new tokens. reached: whether the server may have issued or refused a token, which vendors count. On
 * failure out->refresh may hold a new refresh token all the same, which must not be lost. */
int flow_run(struct auth *a, const struct auth_flow *flow, const struct auth_grant *g, struct tokens *out,
             bool *reached, struct err *e);
int flow_revoke(struct auth *a, struct err *e);
str auth_option(const struct auth *a, str name); /* empty when there is none */
void auth_options_hash(const struct auth *a, uint8_t out[16]);

/* ---- bases that a redirect named in place of options (auth_browser.c) ---- */

/* Reads them from the redirect's query into extras of *to; TL_E_CONFIG for one that is not allowed. */
int bases_read(const struct auth *a, str query, struct tokens *to, struct err *e);
str base_known(const struct auth *a, const struct tokens *t, str option); /* empty: the option counts */
void bases_carry(const struct auth_spec *spec, const struct tokens *from, struct tokens *to);
#endif
