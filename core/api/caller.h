#ifndef CALLER_H
#define CALLER_H
/* Who makes a request, and what he may ask for. */
#include <stdint.h>

#include <jansson.h>

#include "err.h"
#include "str.h"

struct request;

enum caller_kind {
    CALLER_NOBODY,   /* of whom nothing is known; proves himself by what he asks, if at all */
    CALLER_OPERATOR, /* a user of this machine, by the API's socket; or the bearer of an operators' token */
    CALLER_AGENT     /* of the help desk */
};

/* What a route is for. One that names none is the operators' alone. Numbers are stored: only ever added. */
enum scope {
    SCOPE_OPERATOR = 0, /* everything; whoever has it has all others too */
    SCOPE_READ = 1,     /* what operators look at */
    SCOPE_METRICS = 2,  /* figures and health */
    SCOPE_VIEW = 3,     /* what an agent sees, as far as his profile is permitted */
    SCOPE_ACT = 4       /* what an agent has done, likewise */
};
const char *scope_name(enum scope scope); /* "operate" */
/* "read,metrics" to bits; E_USAGE names those there are. [any] */
int scopes_parse(str list, uint32_t *out, struct err *e);
json_t *scopes_json(uint32_t scopes); /* ["read","metrics"] */

/* Lent for the duration of the request. */
struct caller {
    enum caller_kind kind;
    const char *name; /* for log and audit: "uid 0 (root)" */
    int64_t endpoint; /* of an agent: the help desk's; else 0 */
    str agent;        /* the help desk's id of him; else empty, as what follows */
    str person;       /* his name */
    str profile;      /* id of it, as the help desk told last */
    const str *departments;
    uint32_t n_departments;
    unsigned scopes; /* 1 << SCOPE_* of each that is his */
};

/* By the peer credentials of a UNIX socket: root, our own user and the group may come in. TL_E_DENIED: others. */
int caller_of_peer(struct request *rq, uint32_t group, struct caller *out, struct err *e);
/* May he ask for what is of this scope? TL_E_DENIED with words. [any] */
int caller_check(const struct caller *c, enum scope scope, const char *what, struct err *e);
#endif
