#include "arrivals.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#include "err.h"
#include "times.h"

enum { LOOK_US_MOST = 1000000 };

struct arrival {
    struct arrival *next, **at;
    int fd;
    int64_t since_us, until_us; /* until 0: nothing is awaited */
};

struct arrivals {
    struct arrival_limits limits;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t wake;
    bool ends;
    struct arrival *first;
    uint32_t n;
    pthread_t thread;
};

static int64_t mono_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * US_PER_S + t.tv_nsec / 1000;
}

/* The library sees its end and closes it. */
static void cut(struct arrival *e)
{
    shutdown(e->fd, SHUT_RDWR);
    e->until_us = 0;
}

static void *watch(void *arg)
{
    struct arrivals *l = arg;
    int64_t every = l->limits.head_us / 2 < LOOK_US_MOST ? l->limits.head_us / 2 + 1 : LOOK_US_MOST;
    pthread_mutex_lock(&l->lock);
    while (!l->ends) {
        int64_t now = mono_us(), at = now + every;
        for (struct arrival *e = l->first; e; e = e->next)
            if (e->until_us && e->until_us <= now)
                cut(e);
        struct timespec until = {.tv_sec = at / US_PER_S, .tv_nsec = at % US_PER_S * 1000};
        pthread_cond_timedwait(&l->wake, &l->lock, &until);
    }
    pthread_mutex_unlock(&l->lock);
    return NULL;
}

struct arrivals *arrivals_start(const struct arrival_limits *limits)
{
    struct arrivals *l = calloc(1, sizeof *l);
    ASSERT(l);
    l->limits = *limits;
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&l->wake, &attr);
    pthread_condattr_destroy(&attr);
    pthread_mutex_init(&l->lock, NULL);
    ASSERT(pthread_create(&l->thread, NULL, watch, l) == 0);
    return l;
}

struct arrivals *arrivals_stop(struct arrivals *l)
{
    if (!l)
        return NULL;
    pthread_mutex_lock(&l->lock);
    l->ends = true;
    pthread_cond_signal(&l->wake);
    pthread_mutex_unlock(&l->lock);
    pthread_join(l->thread, NULL);
    while (l->first)
        arrivals_remove(l, l->first);
    pthread_cond_destroy(&l->wake);
    pthread_mutex_destroy(&l->lock);
    free(l);
    return NULL;
}

/* A sender who means it says what he has at once, so it is seldom he who has kept us waiting longest. */
static void make_room(struct arrivals *l)
{
    struct arrival *longest = NULL;
    for (struct arrival *e = l->first; e; e = e->next)
        if (e->until_us && (!longest || e->since_us <= longest->since_us))
            longest = e; /* of the same moment the one that came first: it stands last */
    if (longest)
        cut(longest);
}

static void await(struct arrival *e, int64_t us)
{
    e->since_us = mono_us();
    e->until_us = e->since_us + us;
}

struct arrival *arrivals_add(struct arrivals *l, int fd)
{
    struct arrival *e = calloc(1, sizeof *e);
    ASSERT(e);
    e->fd = fd;
    pthread_mutex_lock(&l->lock);
    if (++l->n > l->limits.most)
        make_room(l);
    await(e, l->limits.head_us);
    e->next = l->first;
    e->at = &l->first;
    if (e->next)
        e->next->at = &e->next;
    l->first = e;
    pthread_mutex_unlock(&l->lock);
    return e;
}

void arrivals_head(struct arrivals *l, struct arrival *e)
{
    pthread_mutex_lock(&l->lock);
    if (e->until_us) /* it may be cut already */
        e->until_us = mono_us() + l->limits.body_us;
    pthread_mutex_unlock(&l->lock);
}

void arrivals_whole(struct arrivals *l, struct arrival *e)
{
    pthread_mutex_lock(&l->lock);
    e->until_us = 0;
    pthread_mutex_unlock(&l->lock);
}

void arrivals_next(struct arrivals *l, struct arrival *e)
{
    pthread_mutex_lock(&l->lock);
    await(e, l->limits.again_us);
    pthread_mutex_unlock(&l->lock);
}

void arrivals_remove(struct arrivals *l, struct arrival *e)
{
    pthread_mutex_lock(&l->lock);
    l->n--;
    *e->at = e->next;
    if (e->next)
        e->next->at = e->at;
    pthread_mutex_unlock(&l->lock);
    free(e);
}
