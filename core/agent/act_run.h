#ifndef ACT_RUN_H
#define ACT_RUN_H
/* Deeds: an action that may be done is kept under its key, sent once, and what came of it is kept. When its answer is
 * lost it is looked for at the vendor, never sent again: at once, then ever more seldom, also after a restart; where
 * the connector cannot look, a person must. All [control]. */
#include <jansson.h>

#include "act_judge.h"
#include "call.h"
#include "env.h"

/* Who puts questions to vendors. */
struct act_vendor {
    void *ctx;
    /* A call for people, to be filled. shape_out: the kind with all its fields, as long as the call. E_PRECONDITION
     * with words: it is not asked now. */
    int (*ask)(void *ctx, int64_t endpoint, enum call_kind what, str kind, struct call **out,
               const tl_shape **shape_out, struct err *e);
    /* done(arg, call) comes later, once; the call is done's then. */
    void (*submit)(void *ctx, struct call *c, void (*done)(void *arg, struct call *c), void *arg);
};

struct acts_parts {
    const struct env *env;
    struct db *db; /* the writer */
    struct act_vendor vendor;
};
struct acts;
struct acts *acts_new(const struct acts_parts *parts);
struct acts *acts_free(struct acts *s); /* once no call is out; returns NULL */

/* After a start: what was never sent has failed, of what was sent the outcome is not known. */
int acts_recover(struct acts *s, struct err *e);
/* Looks that are due. Returns env mono time of the next, INT64_MAX: there is none. */
int64_t acts_tick(struct acts *s);

/* answer is the callee's; NULL when rc is not TL_OK. Comes once. */
typedef void (*act_done_fn)(void *arg, int rc, json_t *answer, const struct err *e);
/* Refused: nothing was kept and nothing sent. *at_once: the answer, where the key is known: what came of it then, and
 * nothing is sent. Else done follows, once the vendor has answered, or once was looked at for a lost answer. The answer
 * is that of view_act. E_EXISTS: the key is another deed's. */
int acts_do(struct acts *s, const struct act_wish *wish, json_t **at_once, act_done_fn done, void *arg, struct err *e);
/* Shows what would be sent, and keeps nothing: {"kind","name","record","endpoint","params","requests":[{"method","url",
 * "body","bytes"}]}. */
int acts_rehearse(struct acts *s, const struct act_wish *wish, act_done_fn done, void *arg, struct err *e);
#endif
