#ifndef INSTANCE_INT_H
#define INSTANCE_INT_H
#include "arena.h"
#include "instance.h"

struct instance {
    tl_host host; /* first: what the connector is given is this object */
    const struct module *module;
    struct services services;
    tl_conn *conn;
    /* Of the running call; reply is NULL between calls. */
    const struct call *call; /* its decoded request */
    struct reply *reply;
    uint64_t items_bytes; /* answered so far, those handed over included */
    uint32_t pages;       /* checkpoints so far */
    uint32_t results;     /* distinct results so far */
    uint8_t *result_seen; /* one byte a record of a push */
    struct arena scratch; /* of host services; reset with each use */
};

static inline struct instance *instance_of(const tl_host *h)
{
    struct instance *i;
    memcpy(&i, &h, sizeof i);
    return i;
}
void instance_host_init(tl_host *h);
/* Gives finished items to services->items, if that wants them. False: stop. */
bool instance_flush(struct instance *i);
#endif
