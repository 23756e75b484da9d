#ifndef HOOK_QUEUE_H
#define HOOK_QUEUE_H
/* Deliveries on their way into the store. The listener's threads put them here and go on; the control thread stores all
 * that wait in one transaction and has each answered. What cannot be verified without asking the vendor for its keys
 * waits for that on a thread of its own. How many may wait is bounded: the vendor is told 503 beyond it. */
#include "engine.h"
#include "hook_verify.h"
#include "server.h"

struct control;

struct hook_arrived {
    struct hook_arrived *next;
    struct held *held; /* answered once it is stored, or refused */
    struct hook_delivery delivery;
    int refusal; /* HTTP status; 0: it is to be stored */
    size_t bytes;
    /* Verifies it, waiting for the vendor's keys where need be, and sets refusal. [the queue's thread] */
    void (*verify)(struct hook_arrived *d);
    /* After it was stored or refused. The status it is to be answered with. [control] */
    int (*told)(struct hook_arrived *d, const struct err *e);
};

struct hook_queue;
struct hook_queue *hook_queue_new(struct control *control, struct engine *engine);
struct hook_queue *hook_queue_free(struct hook_queue *q); /* nothing waits any more; returns NULL */

/* Room for one more of so many bytes? Then it is taken, until it is answered. [any] */
bool hook_queue_enter(struct hook_queue *q, size_t bytes);
/* d is held and has entered; it belongs to the queue until its request is answered. [any] */
void hook_queue_store(struct hook_queue *q, struct hook_arrived *d);
void hook_queue_verify(struct hook_queue *q, struct hook_arrived *d);
#endif
