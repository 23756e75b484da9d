#ifndef INSTANCE_INT_H
#define INSTANCE_INT_H
#include <pthread.h>

#include "arena.h"
#include "instance.h"
#include "progress.h"

struct instance {
    tl_host host; /* first: what the connector is given is this object */
    const struct module *module;
    struct services services;
    tl_conn *conn;
    pthread_t thread;       /* the one that drives it now, or did last; atomic */
    bool closed;            /* close() is through: a thread of the connector's own may still come; atomic */
    uint32_t foreign_calls; /* by threads that do not drive it; atomic */
    struct progress progress;
    /* Of the running call; reply is NULL between calls. */
    const struct call *call; /* its decoded request */
    struct reply *reply;
    struct err fault;        /* the first rule it broke that spoils the call */
    uint64_t items_bytes;    /* answered so far, those handed over included */
    uint64_t records;        /* since the last checkpoint */
    uint32_t bad;            /* records it failed to hand over whole */
    uint32_t pages;          /* checkpoints so far */
    uint32_t results;        /* distinct results so far */
    bool stopped;            /* it was told TL_E_CANCELLED, by whatever it asked */
    uint8_t *result_seen;    /* one byte a record that ends with a result */
    struct kind_seen *kinds; /* described so far */
    struct action_seen *actions;
    struct arena answer;  /* of the running call */
    struct arena scratch; /* of host services; reset with each use */
};
struct kind_seen {
    struct kind_seen *next;
    str kind;
};
struct action_seen {
    struct action_seen *next;
    str kind, name;
};

enum { BAD_TOLD = 3, FOREIGN_TOLD = 3 };

static inline struct instance *instance_of(const tl_host *h)
{
    struct instance *i;
    memcpy(&i, &h, sizeof i);
    return i;
}
void instance_host_init(tl_host *h);
void instance_answer_init(tl_host *h);   /* the functions that take answers: records, checkpoints, results */
void instance_describe_init(tl_host *h); /* descriptions: account, findings, kinds, actions, a subscription */
/* Is this where such an item belongs? If not it is told, and spoils the call. */
bool instance_in_call(struct instance *i, enum item_kind item, const char *function);
/* The call is spoilt: the first fault decides how it ends. Returns TL_E_INVALID. */
tl_status instance_fault(struct instance *i, const char *function, const struct err *e);
/* Status of the host function after an item was added to what the reply held before. */
tl_status instance_added(struct instance *i, size_t before);
/* Gives finished items to services->items, if that wants them. False: stop. */
bool instance_flush(struct instance *i);
/* Is this the thread that drives it? If not it is told, once or twice, and nothing may be done. */
bool instance_own_thread(struct instance *i, const char *function);
/* "pull of contact" or "check"; kind left out where there is none. */
void instance_place(const struct instance *i, char *out, size_t cap);
void instance_log(struct instance *i, int32_t level, const char *fmt, ...) PRINTF_LIKE(3, 4);
#endif
