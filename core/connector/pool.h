#ifndef POOL_H
#define POOL_H
/* The threads of one connector. Made on demand up to a maximum, joined before the connector's code is unmapped: a
 * thread that ever ran it may hold destructors that lead into it. */
#include <stdbool.h>
#include <stdint.h>

struct job { /* embed it; memory is the submitter's until run() was called */
    struct job *next;
    void (*run)(struct job *j); /* [pool] */
};
struct pool;
struct pool *pool_new(uint32_t max_threads);
void pool_submit(struct pool *p, struct job *j); /* [any] runs once a thread is free */
uint32_t pool_threads(struct pool *p);
/* Waits for submitted jobs, joins the threads. */
struct pool *pool_free(struct pool *p);
#endif
