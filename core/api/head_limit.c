#include "head_limit.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#include "err.h"
#include "times.h"

enum { LOOK_US_MOST = 1000000 };

struct head_entry {
    struct head_entry *next, **at;
    int fd;
    int64_t until_us; /* 0: no head is awaited */
};

struct head_limit {
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t wake;
    bool ends;
    struct head_entry *first;
    int64_t first_us, next_us;
    pthread_t thread;
};

static int64_t mono_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * US_PER_S + t.tv_nsec / 1000;
}

static void *watch(void *arg)
{
    struct head_limit *l = arg;
    int64_t every = l->first_us / 2 < LOOK_US_MOST ? l->first_us / 2 + 1 : LOOK_US_MOST;
    pthread_mutex_lock(&l->lock);
    while (!l->ends) {
        int64_t now = mono_us(), at = now + every;
        for (struct head_entry *e = l->first; e; e = e->next)
            if (e->until_us && e->until_us <= now) {
                shutdown(e->fd, SHUT_RDWR); /* the library sees its end and closes it */
                e->until_us = 0;
            }
        struct timespec until = {.tv_sec = at / US_PER_S, .tv_nsec = at % US_PER_S * 1000};
        pthread_cond_timedwait(&l->wake, &l->lock, &until);
    }
    pthread_mutex_unlock(&l->lock);
    return NULL;
}

struct head_limit *head_limit_start(int64_t first_us, int64_t next_us)
{
    struct head_limit *l = calloc(1, sizeof *l);
    ASSERT(l);
    l->first_us = first_us;
    l->next_us = next_us;
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&l->wake, &attr);
    pthread_condattr_destroy(&attr);
    pthread_mutex_init(&l->lock, NULL);
    ASSERT(pthread_create(&l->thread, NULL, watch, l) == 0);
    return l;
}

struct head_limit *head_limit_stop(struct head_limit *l)
{
    if (!l)
        return NULL;
    pthread_mutex_lock(&l->lock);
    l->ends = true;
    pthread_cond_signal(&l->wake);
    pthread_mutex_unlock(&l->lock);
    pthread_join(l->thread, NULL);
    while (l->first)
        head_limit_remove(l, l->first);
    pthread_cond_destroy(&l->wake);
    pthread_mutex_destroy(&l->lock);
    free(l);
    return NULL;
}

struct head_entry *head_limit_add(struct head_limit *l, int fd)
{
    struct head_entry *e = calloc(1, sizeof *e);
    ASSERT(e);
    e->fd = fd;
    e->until_us = mono_us() + l->first_us;
    pthread_mutex_lock(&l->lock);
    e->next = l->first;
    e->at = &l->first;
    if (e->next)
        e->next->at = &e->next;
    l->first = e;
    pthread_mutex_unlock(&l->lock);
    return e;
}

void head_limit_arrived(struct head_limit *l, struct head_entry *e)
{
    pthread_mutex_lock(&l->lock);
    e->until_us = 0;
    pthread_mutex_unlock(&l->lock);
}

void head_limit_next(struct head_limit *l, struct head_entry *e)
{
    pthread_mutex_lock(&l->lock);
    e->until_us = mono_us() + l->next_us;
    pthread_mutex_unlock(&l->lock);
}

void head_limit_remove(struct head_limit *l, struct head_entry *e)
{
    pthread_mutex_lock(&l->lock);
    *e->at = e->next;
    if (e->next)
        e->next->at = e->at;
    pthread_mutex_unlock(&l->lock);
    free(e);
}
