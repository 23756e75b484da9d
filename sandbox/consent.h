#ifndef SANDBOX_CONSENT_H
#define SANDBOX_CONSENT_H
/* The page at which a person allows an application to sign in (RFC 6749, 4.1; RFC 7636), as both vendors have it: who
 * may be sent where, and what a code is bound to. The person is a script: the page's own address with "&_choice=allow"
 * or "&_choice=deny" behind it; "_scope" grants other scopes than those asked for, "_org" picks another organisation.
 * Without a choice the page is HTML with these two links. */
#include <stdbool.h>
#include <stdint.h>

#include "server.h"

enum { CONSENT_URIS_MAX = 16, CONSENT_CODES_MAX = 64 };
#define CONSENT_URI "http://localhost:8447/tieline" /* registered from the start */

struct consent_code {
    char code[96], scope[512], org[24], redirect_uri[512], challenge[64];
    int client; /* number of the one it is for, where the vendor has several */
    bool offline, used;
    int64_t expires_us;
};
struct consent {
    char uris[CONSENT_URIS_MAX][512]; /* registered, compared byte by byte */
    int uri_n;
    struct consent_code codes[CONSENT_CODES_MAX]; /* ring */
    unsigned code_n;
};
void consent_init(struct consent *k);
/* Control: {"uri": "..."} registers a further redirect address. */
void consent_register(struct consent *k, struct call *c);

/* What a browser asks for, read from the call. False after an HTML page that refuses it: a wrong client or redirect is
 * told to the person, never sent on (RFC 6749, 4.1.2.1). */
struct consent_ask {
    str redirect_uri, state, scope, challenge;
};
bool consent_read(const struct consent *k, struct call *c, const char *client_id, struct consent_ask *out);
/* True when the person allowed it; else the page or the way back with error=access_denied is answered. */
bool consent_given(struct call *c, const struct consent_ask *ask, const char *vendor);
/* A code for it, of as many random hex digits as fit behind the prefix. */
struct consent_code *consent_code_new(struct consent *k, struct call *c, const struct consent_ask *ask,
                                      const char *prefix, int64_t lifetime_us);
/* The way back, with the code and further parameters, already encoded ("&location=eu"). */
void consent_back(struct call *c, const struct consent_ask *ask, str code, const char *further);
/* The way back with an error. */
void consent_refuse(struct call *c, const struct consent_ask *ask, const char *error, const char *words);

struct consent_code *consent_code_find(struct consent *k, str code); /* NULL: never issued */
/* RFC 7636, 4.6. A code without challenge is not asked for a verifier. */
bool consent_verified(const struct consent_code *x, str verifier);
#endif
