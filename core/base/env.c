#include "env.h"

#include <signal.h>
#include <sodium.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "cleanup.h"

static int64_t clock_us(clockid_t which)
{
    struct timespec t;
    ASSERT(clock_gettime(which, &t) == 0);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Process-wide on purpose, as the crash points below. */
static _Atomic int64_t clock_ahead_us;

static int64_t real_now(void *self)
{
    (void)self;
    return clock_us(CLOCK_REALTIME) + atomic_load_explicit(&clock_ahead_us, memory_order_relaxed);
}

static int64_t real_mono(void *self)
{
    (void)self;
    return clock_us(CLOCK_MONOTONIC);
}

static void real_random(void *self, void *out, size_t n)
{
    (void)self;
    randombytes_buf(out, n);
}

/* Process-wide on purpose: a crash ends the process. */
static _Atomic uint64_t crash_left;

static void real_crash_point(void *self, const char *name)
{
    (void)self;
    (void)name;
    if (atomic_load_explicit(&crash_left, memory_order_relaxed) == 0)
        return;
    if (atomic_fetch_sub(&crash_left, 1) == 1)
        raise(SIGKILL);
}

void env_real_crash_at(uint64_t k)
{
    atomic_store(&crash_left, k);
}

void env_real_ahead(int64_t us)
{
    atomic_store(&clock_ahead_us, us);
}

const struct env env_real = {
    .now_us = real_now, .mono_us = real_mono, .random = real_random, .crash_point = real_crash_point};

uint64_t env_random_u64(const struct env *v)
{
    uint64_t out;
    v->random(v->self, &out, sizeof out);
    return out;
}

uint64_t env_random_below(const struct env *v, uint64_t n)
{
    ASSERT(n > 0);
    uint64_t biased = -n % n; /* 2^64 mod n: so many of the lowest values would come once too often */
    uint64_t r;
    do {
        r = env_random_u64(v);
    } while (r < biased);
    return r % n;
}

static int64_t sim_now(void *self)
{
    return ((struct env_sim *)self)->now;
}

static int64_t sim_mono(void *self)
{
    return ((struct env_sim *)self)->mono;
}

static uint64_t rotate(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

/* xoshiro256**, Blackman and Vigna, https://prng.di.unimi.it/ (public domain algorithm). */
static uint64_t sim_next(uint64_t s[4])
{
    uint64_t result = rotate(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return result;
}

static void sim_random(void *self, void *out, size_t n)
{
    struct env_sim *sim = self;
    unsigned char *to = out;
    while (n) {
        uint64_t word = sim_next(sim->state);
        size_t part = n < sizeof word ? n : sizeof word;
        memcpy(to, &word, part);
        to += part;
        n -= part;
    }
}

static void sim_crash_point(void *self, const char *name)
{
    struct env_sim *sim = self;
    sim->crash_count++;
    if (sim->crash_at && sim->crash_count == sim->crash_at && sim->on_crash)
        sim->on_crash(sim->on_crash_arg, name);
}

void env_sim_init(struct env_sim *s, uint64_t seed, int64_t start_us)
{
    *s = (struct env_sim){.now = start_us, .mono = 1000000};
    s->env = (struct env){
        .self = s, .now_us = sim_now, .mono_us = sim_mono, .random = sim_random, .crash_point = sim_crash_point};
    for (int i = 0; i < 4; i++) { /* splitmix64 spreads the seed: never all zero */
        uint64_t z = (seed += UINT64_C(0x9e3779b97f4a7c15));
        z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
        s->state[i] = z ^ (z >> 31);
    }
}

void env_sim_advance(struct env_sim *s, int64_t us)
{
    ASSERT(us >= 0);
    s->now += us;
    s->mono += us;
}
