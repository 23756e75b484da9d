/* See ready.h: a binary heap by (due, arrival). */
#include "ready.h"

#include <stdlib.h>

#include "cleanup.h"

static bool is_before(const struct ready *a, const struct ready *b)
{
    return a->due != b->due ? a->due < b->due : a->came < b->came;
}

static void put_at(struct ready_index *x, size_t at, struct ready *r)
{
    x->heap[at] = r;
    r->at = at;
}

static void rise(struct ready_index *x, struct ready *r)
{
    size_t at = r->at;
    for (; at > 1 && is_before(r, x->heap[at / 2]); at /= 2)
        put_at(x, at, x->heap[at / 2]);
    put_at(x, at, r);
}

static void sink(struct ready_index *x, struct ready *r)
{
    size_t at = r->at;
    for (size_t child = 2 * at; child <= x->n; at = child, child = 2 * at) {
        if (child < x->n && is_before(x->heap[child + 1], x->heap[child]))
            child++;
        if (!is_before(x->heap[child], r))
            break;
        put_at(x, at, x->heap[child]);
    }
    put_at(x, at, r);
}

static void out_of_heap(struct ready *r)
{
    struct ready_index *x = r->in;
    struct ready *last = x->heap[x->n--];
    size_t at = r->at;
    r->at = 0;
    if (last == r)
        return;
    put_at(x, at, last);
    rise(x, last);
    sink(x, last);
}

void ready_add(struct ready_index *x, struct ready *r, enum ready_kind kind, void *owner)
{
    *r = (struct ready){.in = x, .owner = owner, .kind = kind};
    r->wait[0].self = r->wait[1].self = r;
    ready_set(r, x->now_us);
}

void ready_remove(struct ready *r)
{
    ready_leave(r);
    if (r->at)
        out_of_heap(r);
    r->in = NULL;
}

void ready_set(struct ready *r, int64_t due)
{
    struct ready_index *x = r->in;
    if (r->at)
        out_of_heap(r);
    if (x->n + 2 > x->cap) {
        x->cap = x->cap ? 2 * x->cap : 64;
        x->heap = realloc(x->heap, sizeof(struct ready *) * x->cap);
        ASSERT(x->heap);
    }
    r->due = due;
    r->came = x->comers++;
    put_at(x, ++x->n, r);
    rise(x, r);
}

void ready_wake(struct ready *r)
{
    if (!r->in)
        return;
    r->patience = 0;
    if (r->at == 0 || r->due > r->in->now_us)
        ready_set(r, r->in->now_us);
}

struct ready *ready_take(struct ready_index *x, int64_t now_us)
{
    x->now_us = now_us;
    if (x->n == 0 || x->heap[1]->due > now_us)
        return NULL;
    struct ready *r = x->heap[1];
    out_of_heap(r);
    return r;
}

int64_t ready_first_us(const struct ready_index *x)
{
    return x->n ? x->heap[1]->due : INT64_MAX;
}

void ready_done(struct ready_index *x)
{
    free(x->heap);
    *x = (struct ready_index){0};
}

/* ---- Queues ------------------------------------------------------------------------------------------------------ */

void ready_wait(struct ready *r, int side, struct ready_queue *q, bool front)
{
    struct ready_wait *w = &r->wait[side];
    if (w->queue)
        return;
    w->queue = q;
    w->prev = front ? NULL : q->last;
    w->next = front ? q->first : NULL;
    *(w->prev ? &w->prev->next : &q->first) = w;
    *(w->next ? &w->next->prev : &q->last) = w;
}

static void leave(struct ready_wait *w)
{
    struct ready_queue *q = w->queue;
    if (!q)
        return;
    *(w->prev ? &w->prev->next : &q->first) = w->next;
    *(w->next ? &w->next->prev : &q->last) = w->prev;
    w->queue = NULL;
}

void ready_leave(struct ready *r)
{
    leave(&r->wait[0]);
    leave(&r->wait[1]);
}

struct ready *ready_next_of(struct ready_queue *q)
{
    struct ready_wait *w = q->first;
    if (!w)
        return NULL;
    ready_leave(w->self);
    return w->self;
}
