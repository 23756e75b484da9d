#ifndef ENV_H
#define ENV_H
/* What the world gives and a test replaces: time, randomness, crash points. One per process or simulation. */
#include <stddef.h>
#include <stdint.h>

struct env {
    void *self;
    int64_t (*now_us)(void *self);  /* wall clock: display, vendor times */
    int64_t (*mono_us)(void *self); /* timers */
    void (*random)(void *self, void *out, size_t n);
    void (*crash_point)(void *self, const char *name); /* counts; kills when armed. NULL: nothing */
};

/* The real one: CLOCK_REALTIME, CLOCK_MONOTONIC, libsodium. crash_point does nothing until armed: in development mode
 * main arms it from TIELINE_CRASH_AT=k of the environment. */
extern const struct env env_real;
/* Arms env_real: the k-th passage of a crash point from now on kills the process; 0 disarms. [any] */
void env_real_crash_at(uint64_t k);
/* Lets env_real's wall clock be ahead by so much: what waits for minutes can be tested at once. In development mode
 * main sets it from TIELINE_CLOCK_AHEAD of the environment, for example 11m. [any] */
void env_real_ahead(int64_t us);

static inline int64_t env_now_us(const struct env *v)
{
    return v->now_us(v->self);
}
static inline int64_t env_mono_us(const struct env *v)
{
    return v->mono_us(v->self);
}
static inline void env_crash_point(const struct env *v, const char *name)
{
    if (v->crash_point)
        v->crash_point(v->self, name);
}
uint64_t env_random_u64(const struct env *v);
uint64_t env_random_below(const struct env *v, uint64_t n); /* 0 .. n-1, unbiased; n > 0 */

/* Deterministic env for tests and simulations: seeded xoshiro, time that moves only when told. */
struct env_sim {
    struct env env; /* pass &sim.env */
    int64_t now, mono;
    uint64_t state[4];
    uint64_t crash_count, crash_at; /* crash_at 0: never; on reaching it on_crash is called */
    void (*on_crash)(void *arg, const char *name);
    void *on_crash_arg;
};
/* The wall clock starts at start_us, the monotonic one at 1 s, so that mixing them up shows. The struct must not move.
 */
void env_sim_init(struct env_sim *s, uint64_t seed, int64_t start_us);
void env_sim_advance(struct env_sim *s, int64_t us);
#endif
