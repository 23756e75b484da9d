#ifndef MANIFEST_H
#define MANIFEST_H
/* What a connector says about itself, as plain data that outlives its .so and crosses the socket from a worker: names,
 * role, claims, hosts, options, the description of its authorisation, its webhook declaration. No pointer in it leads
 * into the connector, no function is in it: those are flags here. Immutable after it was made. [any] */
#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "buf.h"
#include "err.h"
#include "str.h"
#include "tieline.h"

struct manifest {
    struct arena arena;                                       /* owns everything below */
    const char *id, *name, *version, *vendor, *url, *license; /* never NULL but may be empty (id is not) */
    const char *claims, *hosts;                               /* comma separated, never NULL */
    uint32_t abi_minor, flags;                                /* TL_PLUGIN_* */
    int32_t role, default_master;
    int64_t default_window_s;
    uint32_t n_options;
    const tl_option *options; /* help never NULL; def and choices may be */
    const tl_auth *auth;      /* NULL: none. verdict and token_error are NULL: */
    bool auth_verdict, auth_token_error;
    const tl_webhook *webhook; /* NULL: none. parse, subscribe and unsubscribe are NULL: */
    bool hook_parse, hook_subscribe, hook_unsubscribe;
    bool prepare;
};

struct manifest *manifest_free(struct manifest *m);
AUTO_FN(struct manifest *, manifest_free)

/* Copies what a connector declares; the structs are this host's size already (loader.h adopts older ones). TL_E_BUG
 * when something is unusable: an option without name, text that is not UTF-8, an unknown option type. */
int manifest_copy(struct manifest **out, const tl_connector *c, const tl_auth *auth, const tl_webhook *webhook,
                  bool prepare, struct err *e);
void manifest_encode(struct buf *b, const struct manifest *m);
/* From hostile bytes. TL_E_INVALID. */
int manifest_decode(struct manifest **out, str bytes, struct err *e);

const tl_option *manifest_option(const struct manifest *m, str name); /* NULL: no such option */

const char *option_type_name(uint32_t type); /* "duration" */

/* Resolved options of one endpoint. Values of type TL_OPT_SECRET are in `all` only. */
struct option_set {
    struct arena arena;
    uint32_t n_all, n_open;
    const tl_pair *all;  /* every option that has a value */
    const tl_pair *open; /* without secrets: what tl_open gets */
};
void option_set_done(struct option_set *s); /* wipes the values */
void option_values_wipe(const tl_pair *pairs, uint32_t n);
AUTO_DONE(struct option_set, option_set_done)
/* Given values over defaults. Unknown, missing and wrong ones: each is told to complain (may be NULL), the first is in
 * e, and the result is TL_E_CONFIG with *out empty. Values are never part of a text when the option is secret. */
int options_resolve(struct option_set *out, const struct manifest *m, const tl_pair *given, uint32_t n,
                    void (*complain)(void *ctx, str name, const struct err *why), void *ctx, struct err *e);
const char *role_name(int32_t role); /* "helpdesk" */
#endif
