#ifndef HOOK_VERIFY_H
#define HOOK_VERIFY_H
/* Is this delivery really from the vendor? Decided by the scheme the connector declares, before a byte of the body is
 * parsed. Every comparison of secrets takes the same time whatever they hold. */
#include <stdint.h>

#include "address.h"
#include "env.h"
#include "err.h"
#include "http_client.h"
#include "str.h"
#include "tieline.h"

/* A vendor's public keys (RFC 7517), fetched through the http client and kept: a day at most, and fetched again when a
 * delivery names an unknown key, at most once a minute. One per endpoint. [any] */
struct jwks;
/* url is copied, allow kept, the rest lent. */
struct jwks *jwks_new(struct http_client *http, struct http_allow *allow, const struct env *env, str url);
struct jwks *jwks_free(struct jwks *k); /* a reference */
/* The same keys for whoever asks for them at the same address, with another allow-list; NULL: it is another one. */
struct jwks *jwks_share(struct jwks *k, struct http_allow *allow, str url);
AUTO_FN(struct jwks *, jwks_free)

/* Texts are lent; empty means not set. */
struct hook_rule {
    int32_t scheme;    /* TL_HOOK_* */
    str header;        /* lower case: token, signature or JWT */
    str secret;        /* path secret, header token or HMAC key; required for every scheme but the JWT */
    str issuer;        /* JWT: expected "iss"; empty: not checked */
    str audience;      /* JWT: expected "aud"; empty: not checked */
    struct jwks *keys; /* JWT */
    bool at_once; /* keys are not fetched: TL_E_TEMPORARY with the code KEYS_AWAITED, verify it where it may wait */
};

/* TL_OK, or TL_E_DENIED: e says what is wrong for the log, the sender is told nothing. TL_E_TEMPORARY: the keys cannot
 * be fetched now. path_secret: last path element the sender used. May block for a key fetch (10 s at most) unless
 * the rule says otherwise. [any] */
int hook_verify(const struct hook_rule *rule, const tl_hook_request *request, str path_secret, const struct env *env,
                struct err *e);
#endif
