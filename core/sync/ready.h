#ifndef READY_H
#define READY_H
/* What has work when: endpoints, feeds and links by the time they are due, first come first served among those that are
 * due now. A turn takes what is due and looks at nothing else, so that its cost does not depend on how many there are.
 *
 * Who is due and finds its endpoint busy waits in the endpoint's queue and is woken in its turn when a call comes back.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "setback.h"

struct ready_index;
struct ready_queue;

enum ready_kind { READY_ENDPOINT, READY_FEED, READY_LINK };
struct ready {
    struct ready_index *in; /* NULL: not added yet */
    void *owner;
    enum ready_kind kind;
    int64_t due; /* mono */
    uint64_t came;
    size_t at;        /* place in the heap, counted from 1; 0: not in it */
    int64_t patience; /* how long it waits that wanted to do something and could not */
    struct setback setback;
    struct ready_wait {
        struct ready *self;
        struct ready_queue *queue; /* NULL: does not wait here */
        struct ready_wait *prev, *next;
    } wait[2]; /* one for each endpoint it needs */
};
struct ready_queue {
    struct ready_wait *first, *last;
};
struct ready_index {
    struct ready **heap; /* [n], from 1 on */
    size_t n, cap;
    uint64_t comers;
    int64_t now_us; /* mono, as the turn knows it */
};

/* Due at once. r is the owner's and stays where it is. */
void ready_add(struct ready_index *x, struct ready *r, enum ready_kind kind, void *owner);
void ready_remove(struct ready *r);
void ready_set(struct ready *r, int64_t due);
/* Something changed for it: it is looked at now, and is patient anew. Does nothing before it was added. */
void ready_wake(struct ready *r);
/* The next that is due at now_us, taken out; NULL: none is. */
struct ready *ready_take(struct ready_index *x, int64_t now_us);
int64_t ready_first_us(const struct ready_index *x); /* INT64_MAX: nothing will ever be due */
void ready_done(struct ready_index *x);

/* front: it has not had its share yet. */
void ready_wait(struct ready *r, int side, struct ready_queue *q, bool front);
void ready_leave(struct ready *r);                  /* it waits for nobody any more */
struct ready *ready_next_of(struct ready_queue *q); /* out of the queue; NULL: nobody waits */
#endif
