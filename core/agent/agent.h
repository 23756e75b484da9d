#ifndef AGENT_H
#define AGENT_H
/* Agents of a help desk as it told them last: who somebody is, by his profile and departments. From the records of kind
 * "user" that are kept of the endpoint. [any, on a reader] */
#include <stdbool.h>

#include "arena.h"
#include "err.h"
#include "str.h"

struct db;
struct agent {
    str id, name, email;
    str profile;            /* id of it; empty: not told, nothing is permitted then */
    const str *departments; /* ids */
    size_t n_departments;
    bool active; /* is still there, and may sign in to the help desk */
};
/* TL_E_NOT_FOUND with words: there is none of this id, or the agents were not read yet. */
int agent_get(struct db *r, struct arena *a, int64_t endpoint, str id, struct agent *out, struct err *e);
/* The same by id or, in full and whatever its case, e-mail address. */
int agent_find(struct db *r, struct arena *a, int64_t endpoint, str who, struct agent *out, struct err *e);
#endif
