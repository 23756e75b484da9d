/* How often something may happen per key. */
#include "rate.h"

#include <pthread.h>
#include <stdlib.h>

#include "cleanup.h"
#include "times.h"

enum { SETS = 512, WAYS = 8 };

/* Each turn moves the time at which the key is even again by 1/a_minute; it may be up to a minute ahead. */
struct slot {
    uint64_t key;
    int64_t even_us;
};

struct rate {
    pthread_mutex_t lock; /* guards slots */
    int64_t each_us;
    struct slot slots[SETS][WAYS];
};

struct rate *rate_new(uint32_t a_minute)
{
    struct rate *r = calloc(1, sizeof *r);
    ASSERT(r && a_minute);
    pthread_mutex_init(&r->lock, NULL);
    r->each_us = 60 * US_PER_S / a_minute;
    return r;
}

struct rate *rate_free(struct rate *r)
{
    if (r) {
        pthread_mutex_destroy(&r->lock);
        free(r);
    }
    return NULL;
}

/* The key's own, or the one of its set that has been even for longest. */
static struct slot *slot_of(struct rate *r, uint64_t key)
{
    struct slot *set = r->slots[key % SETS], *oldest = set;
    for (int i = 0; i < WAYS; i++) {
        if (set[i].key == key)
            return &set[i];
        if (set[i].even_us < oldest->even_us)
            oldest = &set[i];
    }
    *oldest = (struct slot){.key = key};
    return oldest;
}

bool rate_take(struct rate *r, uint64_t key, int64_t now_us, int64_t *wait_us)
{
    pthread_mutex_lock(&r->lock);
    struct slot *s = slot_of(r, key);
    int64_t even_us = (s->even_us > now_us ? s->even_us : now_us) + r->each_us;
    bool taken = even_us - now_us <= 60 * US_PER_S;
    if (taken)
        s->even_us = even_us;
    pthread_mutex_unlock(&r->lock);
    if (!taken)
        *wait_us = even_us - now_us - 60 * US_PER_S;
    return taken;
}
