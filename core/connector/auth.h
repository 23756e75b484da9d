#ifndef AUTH_H
#define AUTH_H
/* Authorisation of one endpoint: described by the connector (tl_auth), done here. One object per endpoint, shared by
 * all its instances and threads; every function is [any] unless it says otherwise. Secrets stay inside: they are
 * registered with the log, wiped when dropped, and never part of an error text.
 *
 * All requests of a connector pass through auth_http, also those of connectors without tl.auth/1 (spec NULL). */
#include <stdbool.h>
#include <stdint.h>

#include "address.h"
#include "buf.h"
#include "env.h"
#include "err.h"
#include "http_client.h"
#include "str.h"
#include "tieline.h"

/* Plain-data copy of a tl_auth; immutable, may be shared by the endpoints of a connector. */
struct auth_spec;
/* TL_E_BUG when the description is unusable (no flow, no access_member, template without its closing brace). */
int auth_spec_copy(struct auth_spec **out, const tl_auth *from, struct err *e);
struct auth_spec *auth_spec_free(struct auth_spec *s);
AUTO_FN(struct auth_spec *, auth_spec_free)

/* The two pure functions of the connector. In process: thin wrappers over tl_auth.verdict and token_error; isolated: a
 * frame to the worker, which answers it also while its instance waits inside http(). Called from instance threads.
 * verdict is asked only about answers with status >= 400, with at most AUTH_VERDICT_BODY bytes of body. */
enum { AUTH_VERDICT_BODY = 8192 };
typedef int32_t (*auth_verdict_fn)(void *ctx, int32_t status, str body);
typedef tl_status (*auth_token_error_fn)(void *ctx, int32_t status, str body, tl_error *error);

/* Durable, sealed place of the tokens. The bytes are opaque and secret: the implementation seals them (seal.h). save
 * must be durable when it returns TL_OK, because the previous refresh token may be dead already. Called from instance
 * threads. */
struct auth_store {
    void *ctx;
    int (*load)(void *ctx, struct buf *secret_out, struct err *e); /* TL_E_NOT_FOUND: nothing kept */
    int (*save)(void *ctx, str secret, struct err *e);             /* empty: forget */
};

struct auth_config {
    const char *endpoint;           /* name, for messages; copied */
    const struct auth_spec *spec;   /* lent; NULL: the connector declares no authorisation */
    const struct http_allow *allow; /* lent: where requests and tokens may go */
    struct http_client *http;       /* lent */
    struct http_gate *gate;         /* lent, may be NULL; token requests do not pass it */
    const struct env *env;          /* lent */
    const tl_pair *options;         /* every option with its value, secret ones included; copied */
    uint32_t n_options;
    uint32_t max_refreshes; /* per 10 minutes; 0: 5 */
    struct auth_store store;
    auth_verdict_fn verdict;
    auth_token_error_fn token_error;
    void *hooks_ctx; /* of verdict and token_error */
};

struct auth;
/* Loads what is kept; no network. */
int auth_new(struct auth **out, const struct auth_config *config, struct err *e);
struct auth *auth_free(struct auth *a); /* nobody may be inside */
AUTO_FN(struct auth *, auth_free)

/* New option values (reload, secret set). A changed refresh_token option replaces the kept one; a failed state is left.
 */
int auth_options_set(struct auth *a, const tl_pair *options, uint32_t n, struct err *e);

enum auth_state {
    AUTH_NOT_NEEDED, /* no tl.auth/1 */
    AUTH_NONE,       /* not signed in yet: will be at the first request, or `words` says what is missing */
    AUTH_OK,
    AUTH_EXPIRING, /* the access token is due; it is refreshed by the next request */
    AUTH_WAITING,  /* no usable token now and the last attempt met trouble: `words` says which, tried again by itself */
    AUTH_FAILED    /* refused: somebody must sign in again or mend the configuration; `words` says why */
};
struct auth_status {
    enum auth_state state;
    int status;         /* AUTH_FAILED: TL_E_AUTH or TL_E_CONFIG */
    int64_t expires_us; /* of the access token; 0 unknown */
    int64_t since_us;   /* when this state began */
    int64_t retry_us;   /* wall: not tried before that; 0: with the next request */
    char flow[32];      /* flow in use or that would be used; empty: none has what it needs */
    char words[256];
    char hint[256];
};
void auth_status_get(struct auth *a, struct auth_status *out);
const char *auth_state_name(enum auth_state s); /* "needs-sign-in" */

/* Has a usable access token afterwards: signs in or refreshes if needed. Single-flight: other callers wait. A failed
 * state is tried again only every 15 minutes, or when force is set or auth_hurry was called. */
int auth_ensure(struct auth *a, bool force, const int32_t *cancel, struct err *e);

/* Ends the pauses after failed attempts, but for those the vendor asked for. */
void auth_hurry(struct auth *a);
/* What a person brings from the vendor: a code from its console (then nothing else), or from a redirect. */
struct auth_grant {
    str code, redirect_uri, code_verifier;
    str redirect; /* the query of the redirect */
};
/* Finishes a sign-in with a grant code. Needs a flow named "authorization_code". */
int auth_exchange_code(struct auth *a, const struct auth_grant *g, struct err *e);
/* Tells the vendor to forget the tokens (when it can) and drops them here in any case: untold says why the vendor could
 * not be told, its status is TL_OK when it was. An error: they could not be dropped. */
int auth_revoke(struct auth *a, struct err *untold, struct err *e);
/* Like it, because nobody uses the endpoint any more: a refresh token that is configured stays good at the vendor,
 * since it is the operator's. */
int auth_forget(struct auth *a, struct err *untold, struct err *e);

/* ---- sign-in by browser (auth_browser.c) ---- */

enum { AUTH_TICKET_SIZE = 44 }; /* 256 random bits, base64url */
void auth_ticket(const struct env *env, char out[AUTH_TICKET_SIZE]);
/* With what is configured, without a person; flow_out says how. */
bool auth_signs_in_alone(struct auth *a, char flow_out[32]);
/* Address of the vendor's page for this state and PKCE verifier (both tickets). E_PRECONDITION: the connector has none,
 * or the sign-in would not be used; TL_E_CONFIG: a value is missing, or redirect_uri is no such address. */
int auth_browse(struct auth *a, const char *redirect_uri, const char *state, const char *verifier, struct buf *url_out,
                struct err *e);
/* The redirect brought an error instead of a code: what that means. Never TL_OK. */
int auth_redirect_refused(const struct auth *a, str error, str words, struct err *e);
/* TL_E_AUTH names the scopes that are needed and that the vendor says were not granted. */
int auth_scopes_check(struct auth *a, struct err *e);
/* Another object with the same description and options and no tokens, which keeps what it gets to itself: for a
 * sign-in that must prove itself before it counts. What `of` was lent must outlive it too. */
int auth_trial(struct auth **out, struct auth *of, struct err *e);
/* The tokens of a trial take the place of those in force, in one step and durable; on failure nothing changes. */
int auth_adopt(struct auth *a, struct auth *trial, struct err *e);

/* Appends the non-secret member of the last token answer ("instance_url"); nothing if there was none. Signs in first
 * when that has not happened yet. */
int auth_extra(struct auth *a, const char *member, const int32_t *cancel, struct buf *out, struct err *e);
/* Like it, but only what is known now: no network. */
void auth_extra_known(struct auth *a, const char *member, struct buf *out);

/* Byte streams of the instance, for tl_http.body_blob and out_blob. */
struct auth_blobs {
    void *ctx;
    int (*size)(void *ctx, uint64_t handle, uint64_t *out);
    int (*read)(void *ctx, uint64_t handle, uint64_t offset, void *p, size_t cap, size_t *n_out);
    int (*write)(void *ctx, uint64_t handle, const void *p, size_t n);
};
/* Owns what auth_http lends to its caller; one per instance. */
struct auth_answers;
struct auth_answers *auth_answers_new(bool urgent); /* a person waits for what is asked */
struct auth_answers *auth_answers_free(struct auth_answers *k);
AUTO_FN(struct auth_answers *, auth_answers_free)

/* tl_host.http: adds the authorisation, sends all, refreshes once and repeats once those that met an expired token.
 * Outputs of each tl_http point into keep until the next auth_http with it. blobs may be NULL. TL_OK or TL_E_CANCELLED,
 * as tl_host.http says; TL_E_INVALID for a request that is no request (e). */
int auth_http(struct auth *a, struct auth_answers *keep, tl_http *requests, uint32_t n, const struct auth_blobs *blobs,
              const int32_t *cancel, struct err *e);
/* Fills a template with options, extras and "org_key" (webhook URLs, issuers): raw values, no secrets.
 * TL_E_CONFIG when a name has no value. */
int auth_fill(struct auth *a, const char *template, str org_key, struct buf *out, struct err *e);
#endif
