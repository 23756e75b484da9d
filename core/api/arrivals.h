#ifndef ARRIVALS_H
#define ARRIVALS_H
/* How long a request may take to arrive, and who makes room when connections are short. The HTTP library knows only how
 * long nothing came: a request that drips byte by byte would hold its connection for ever, and silent connections all
 * there are. One thread looks once a second. [any] */
#include <stdint.h>

#include "cleanup.h"

struct arrivals;
struct arrival;
struct arrival_limits {
    int64_t head_us;  /* the head of a new connection */
    int64_t body_us;  /* what follows the head */
    int64_t again_us; /* the next head of a connection that is kept */
    uint32_t most;    /* of more connections the one that has kept us waiting longest is cut for each that comes */
};

struct arrivals *arrivals_start(const struct arrival_limits *limits);
struct arrivals *arrivals_stop(struct arrivals *l);          /* every entry is removed by then; returns NULL */
struct arrival *arrivals_add(struct arrivals *l, int fd);    /* fd is shut down when it is cut */
void arrivals_head(struct arrivals *l, struct arrival *e);   /* the head is whole */
void arrivals_whole(struct arrivals *l, struct arrival *e);  /* the request is: nothing is waited for */
void arrivals_next(struct arrivals *l, struct arrival *e);   /* answered: the next head may begin */
void arrivals_remove(struct arrivals *l, struct arrival *e); /* before fd is closed */
#endif
