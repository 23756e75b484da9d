#ifndef CALLER_H
#define CALLER_H
/* Who makes a request, and what he may ask for. */
#include <stdint.h>

#include "err.h"
#include "str.h"

struct request;

enum caller_kind {
    CALLER_NOBODY,   /* of whom nothing is known; proves himself by what he asks, if at all */
    CALLER_OPERATOR, /* a user of this machine, by the API's socket */
    CALLER_AGENT     /* of the help desk */
};

/* What a route is for. One that names none is the operators' alone. */
enum scope { SCOPE_OPERATOR };

/* Lent for the duration of the request. */
struct caller {
    enum caller_kind kind;
    const char *name; /* for log and audit: "uid 0 (root)" */
    str profile;      /* of an agent, as its help desk names it; else empty */
    const str *departments;
    uint32_t n_departments;
    unsigned scopes; /* 1 << SCOPE_* of each that is his */
};

/* By the peer credentials of a UNIX socket: root, our own user and the group may come in. TL_E_DENIED: others. */
int caller_of_peer(struct request *rq, uint32_t group, struct caller *out, struct err *e);
/* May he ask for what is of this scope? TL_E_DENIED with words. [any] */
int caller_check(const struct caller *c, enum scope scope, const char *what, struct err *e);
#endif
