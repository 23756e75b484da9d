#ifndef CONTEXT_H
#define CONTEXT_H
/* What is shown beside a ticket, a contact or an account of the help desk: who is meant by it in each connected system,
 * and what that system knows of him, in blocks. What the viewer's profile is not permitted is not asked for on his
 * account, and not shown, however it came here. */
#include <jansson.h>

#include "answers.h"
#include "readers.h"

/* Who looks. */
struct viewer {
    bool everything;        /* an operator of this machine: his is the database */
    int64_t endpoint;       /* else: his help desk, and none but it */
    str profile;            /* else: the help desk's id of it */
    const str *departments; /* of the agent: tickets of others are refused */
    uint32_t n_departments;
};

struct context_ask {
    const char *endpoint;  /* of the record beside which it is shown; NULL: the help desk, where there is one alone */
    const char *kind, *id; /* of that record */
    const struct viewer *viewer;
    const char *profile; /* of one who sees everything: what this profile would see, by id or name; or NULL */
    int64_t wait_us;     /* what has not come then is shown as late */
};
struct context_parts {
    struct readers *readers;
    struct answers *answers;
};

/* {"endpoint","kind","id","name","state","text","requester":{...},"account":{...},
 *  "systems":[{"connection","endpoint","state","text","records":[{"kind","id","url","name","found_by","state","text",
 *    "blocks":[{"item","kind","state","text","asked","total",
 *      "records":[{"id","url","name","modified","fields":[...]}]}]}]}]}
 * State of a block: "shown", "late", "failed" (text says why); of a record besides: "not_found", "ambiguous"; of a
 * system: "shown", "disabled". TL_E_NOT_FOUND: no such endpoint, kind or record. TL_E_DENIED: not for this viewer. [any
 * but control] */
int context_show(const struct context_parts *parts, const struct context_ask *ask, json_t **out, struct err *e);
#endif
