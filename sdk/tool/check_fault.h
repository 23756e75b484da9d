#ifndef CHECK_FAULT_H
#define CHECK_FAULT_H
/* A host that does one thing wrong: everything the tests inject. */
#include "arena.h"
#include "tap.h"

enum fault_kind {
    FAULT_NONE,
    FAULT_NOT_SENT,   /* outcome TL_E_TEMPORARY, the vendor never saw it */
    FAULT_LOST,       /* the vendor did it, nobody hears: TL_E_UNKNOWN of a write, TL_E_TEMPORARY of a read */
    FAULT_SIGNED_OUT, /* outcome TL_E_AUTH */
    FAULT_STATUS,     /* not sent; answered with status and, for 429 and 503, Retry-After: 7 */
    FAULT_CUT,        /* the answer's body ends in the middle */
    FAULT_HTML,       /* 200 with a page for people */
    FAULT_EMPTY,      /* 200 without a body */
    FAULT_GARBLED,    /* the answer's body with bytes changed at random */
    FAULT_CALL        /* http() itself answers TL_E_TEMPORARY */
};
const char *fault_name(enum fault_kind k);

struct fault {
    struct tap tap;
    enum fault_kind kind;
    uint32_t at;       /* which request, from 0; of those that count */
    bool writes;       /* only requests with TL_HTTP_WRITE count */
    int32_t status;    /* of FAULT_STATUS */
    uint64_t random;   /* of FAULT_GARBLED */
    uint32_t seen;     /* requests that counted */
    uint32_t requests; /* all of them */
    uint32_t written;  /* those with TL_HTTP_WRITE, sent or not */
    bool hit;
    int64_t cancel_at; /* the n-th look at the cancel flag says so, and all behind it; -1: never */
    int64_t looks;
    int64_t clock_us;    /* the host's clock is off by so much */
    const char *service; /* this service of the host fails with its service_at-th use */
    uint32_t service_at, service_seen;
    struct arena arena; /* of bodies made up; until the next request */
};
void fault_reset(struct fault *f); /* a host without fault; counters at 0 */
void fault_wrap(void *fault, struct services *services);
#endif
