#include "hook_queue.h"

#include <pthread.h>
#include <stdlib.h>

#include "control.h"

enum { WAITING_MAX = 200, WAITING_BYTES_MAX = 32 << 20 };

struct list {
    struct hook_arrived *first, **last;
};

struct hook_queue {
    struct control *control;
    struct engine *engine;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    unsigned n;             /* entered, not answered */
    size_t bytes;           /* of those */
    struct list to_store;   /* in the order in which they came */
    struct list to_verify;  /* those that wait for keys */
    struct message message; /* to the control thread; at most one under way */
    bool posted, stop;
    pthread_t verifier;
};

static void list_add(struct list *l, struct hook_arrived *d)
{
    d->next = NULL;
    *l->last = d;
    l->last = &d->next;
}

static struct hook_arrived *list_all(struct list *l)
{
    struct hook_arrived *all = l->first;
    *l = (struct list){NULL, &l->first};
    return all;
}

bool hook_queue_enter(struct hook_queue *q, size_t bytes)
{
    pthread_mutex_lock(&q->lock);
    bool room = q->n < WAITING_MAX && q->bytes + bytes <= WAITING_BYTES_MAX;
    if (room) {
        q->n++;
        q->bytes += bytes;
    }
    pthread_mutex_unlock(&q->lock);
    return room;
}

static void answer(struct hook_queue *q, struct hook_arrived *d, int status)
{
    pthread_mutex_lock(&q->lock);
    q->n--;
    q->bytes -= d->bytes;
    pthread_mutex_unlock(&q->lock);
    request_answer(d->held, status, status == 200 ? "ok\n" : "no\n"); /* d is gone with its request */
}

/* Everything that came while the transaction before this one was written. [control] */
static void store_all(struct message *m)
{
    struct hook_queue *q = (struct hook_queue *)(void *)((char *)m - offsetof(struct hook_queue, message));
    struct hook_delivery *list[WAITING_MAX];
    size_t n = 0;
    struct err e = {0};
    pthread_mutex_lock(&q->lock);
    q->posted = false;
    struct hook_arrived *first = list_all(&q->to_store);
    pthread_mutex_unlock(&q->lock);
    for (struct hook_arrived *d = first; d; d = d->next)
        list[n++] = &d->delivery;
    engine_hooks(q->engine, list, n, &e);
    for (struct hook_arrived *d = first, *next; d; d = next) {
        next = d->next;
        const struct err *why = e.status ? &e : d->delivery.why.status ? &d->delivery.why : NULL;
        answer(q, d, d->told(d, why));
    }
}

void hook_queue_store(struct hook_queue *q, struct hook_arrived *d)
{
    pthread_mutex_lock(&q->lock);
    list_add(&q->to_store, d);
    bool post = !q->posted;
    q->posted = true;
    pthread_mutex_unlock(&q->lock);
    if (post)
        control_post(q->control, &q->message);
}

void hook_queue_verify(struct hook_queue *q, struct hook_arrived *d)
{
    pthread_mutex_lock(&q->lock);
    list_add(&q->to_verify, d);
    pthread_cond_signal(&q->changed);
    pthread_mutex_unlock(&q->lock);
}

static void *verify_all(void *arg)
{
    struct hook_queue *q = arg;
    pthread_mutex_lock(&q->lock);
    while (!q->stop) {
        struct hook_arrived *first = list_all(&q->to_verify);
        if (!first) {
            pthread_cond_wait(&q->changed, &q->lock);
            continue;
        }
        pthread_mutex_unlock(&q->lock);
        for (struct hook_arrived *d = first, *next; d; d = next) {
            next = d->next;
            d->verify(d);
            hook_queue_store(q, d);
        }
        pthread_mutex_lock(&q->lock);
    }
    pthread_mutex_unlock(&q->lock);
    return NULL;
}

struct hook_queue *hook_queue_new(struct control *control, struct engine *engine)
{
    struct hook_queue *q = calloc(1, sizeof *q);
    ASSERT(q);
    q->control = control;
    q->engine = engine;
    q->message.run = store_all;
    q->to_store.last = &q->to_store.first;
    q->to_verify.last = &q->to_verify.first;
    pthread_mutex_init(&q->lock, NULL);
    pthread_cond_init(&q->changed, NULL);
    ASSERT(pthread_create(&q->verifier, NULL, verify_all, q) == 0);
    return q;
}

struct hook_queue *hook_queue_free(struct hook_queue *q)
{
    if (!q)
        return NULL;
    pthread_mutex_lock(&q->lock);
    q->stop = true;
    pthread_cond_signal(&q->changed);
    pthread_mutex_unlock(&q->lock);
    pthread_join(q->verifier, NULL);
    pthread_mutex_destroy(&q->lock);
    pthread_cond_destroy(&q->changed);
    free(q);
    return NULL;
}
