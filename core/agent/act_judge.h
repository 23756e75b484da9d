#ifndef ACT_JUDGE_H
#define ACT_JUDGE_H
/* Which action is meant, and may it be done: everything that can be said before anything is kept or sent. On the
 * writer or a reader of the store. [any] */
#include <jansson.h>
#include <stdbool.h>

#include "act_params.h"
#include "connections.h"
#include "endpoints.h"

/* Who asks. */
struct act_caller {
    const char *who;  /* for the audit */
    str person;       /* by whose name it is done; may be empty */
    bool everything;  /* an operator of this machine */
    int64_t helpdesk; /* else: whose agent it is, and that one's id of his profile */
    str profile;
};

struct act_wish {
    const char *connection, *endpoint; /* endpoint NULL: whichever of the two has such an action */
    const char *kind, *name;
    const char *record;                  /* NULL: none, as for one that makes a record */
    const json_t *params;                /* an object, or NULL */
    const char *beside_kind, *beside_id; /* the record of the other end it is done beside, or NULL */
    const char *key;                     /* names the deed; NULL: one is made */
    struct act_caller caller;
};

/* One that may be done, as it was asked for. */
struct act_judged {
    struct connection connection;
    struct endpoint endpoint;
    tl_action action;
    struct act_values values;
    str stamp_field; /* of the kind */
    int64_t settle_us;
};
/* Into the arena. arrays: empty, of its own. TL_E_NOT_FOUND: no such connection or action. TL_E_DENIED: not for this
 * caller. E_PRECONDITION: the connection is disabled or goes. TL_E_INVALID: parameters, all complaints at once. */
int act_judge(struct db *db, struct arena *a, struct arena *arrays, const struct act_wish *wish, struct act_judged *out,
              struct err *e);

/* {"items":[...]}: what this caller may have done through the connection, each with its "endpoint". */
int act_actions(struct db *r, const char *connection, const struct act_caller *caller, json_t **out, struct err *e);

/* From what action_row keeps. False: it is none. arrays: empty, of its own. */
bool act_describe(str description, struct arena *arrays, tl_action *out);
#endif
