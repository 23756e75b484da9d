#ifndef HOOK_TARGETS_H
#define HOOK_TARGETS_H
/* Which endpoints take hooks: the address of each, and how a delivery to it is verified. Whoever listens finds the
 * target of a delivery here. */
#include "buf.h"
#include "err.h"
#include "hook_verify.h"
#include "log.h"
#include "str.h"

struct app;
struct hook_generation;

/* Stays as it is for as long as somebody holds it. */
struct hook_target {
    struct hook_target *next;
    struct hook_generation *generation;
    char *name;
    int64_t endpoint;
    struct buf secret, issuer, audience;
    char *header, *delivery_id, *methods;
    int32_t scheme, key;
    bool answers_get;
    struct jwks *keys;
};

struct hook_targets;
struct hook_targets *hook_targets_new(void);
struct hook_targets *hook_targets_free(struct hook_targets *t); /* none is held any more; returns NULL */

/* Learns from the runtime and the store which endpoint takes hooks and how they are verified. [control] */
void hook_targets_refresh(struct app *app);
/* With a public_url: connectors that can subscribe by themselves are told where; without one they unsubscribe.
 * [control] */
void hook_subscribe(struct app *app);
/* "https://hooks.example.com/hooks/NAME/SECRET", or the path alone when no public_url is set. [any] */
int hook_url(struct app *app, const char *endpoint, struct buf *out, struct err *e);

/* The target behind "/hooks/NAME/SECRET", held until it is given back; NULL: there is none. [any] */
const struct hook_target *hook_target_take(struct hook_targets *targets, str name, str secret);
void hook_target_give(struct hook_targets *targets, const struct hook_target *t);
void hook_complain(enum log_level level, const struct hook_target *t, const struct err *e); /* to the log */

/* A word that whoever tests the public address sends through it, "?tieline_test=WORD": arrived() tells whether it came
 * to this daemon, and ends the waiting for it. [any] */
struct hook_word {
    struct hook_word *next;
    char text[33];
    bool arrived;
};
void hook_word_await(struct app *app, struct hook_word *w);
bool hook_word_arrived(struct app *app, struct hook_word *w);
bool hook_word_heard(struct hook_targets *targets, str word); /* it came; false: nobody waits for such a word */
#endif
