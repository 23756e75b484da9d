/* The control thread: see control.h. */
#include "control.h"

#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

enum { TURN_LIMIT_US = 20000, STOP_POLL_US = 50000, REST_STEPS = 20000, REST_US = 50000 };

struct control {
    struct control_parts parts;
    atomic_bool stop, end, woken;
    struct message wake; /* at most one under way */
    uint64_t steps;      /* [control] since memory was given back */
    _Atomic int64_t turns, longest_us, over_20ms;
};

struct pending {
    struct message message;
    control_fn fn;
    void *arg;
    struct err err;
    int rc;
    bool held, done;
    pthread_mutex_t lock; /* guards done, rc and err */
    pthread_cond_t changed;
};

static void on_wake(struct message *m)
{
    struct control *c = (struct control *)(void *)((char *)m - offsetof(struct control, wake));
    atomic_store(&c->woken, false);
}

struct control *control_new(const struct control_parts *parts)
{
    struct control *c = calloc(1, sizeof *c);
    ASSERT(c);
    c->parts = *parts;
    c->wake.run = on_wake;
    return c;
}

struct control *control_free(struct control *c)
{
    free(c);
    return NULL;
}

void control_wake(struct control *c)
{
    if (!atomic_exchange(&c->woken, true))
        mailbox_post(c->parts.mailbox, &c->wake);
}

void control_post(struct control *c, struct message *m)
{
    mailbox_post(c->parts.mailbox, m);
}

void control_stop(struct control *c)
{
    atomic_store(&c->stop, true);
    control_wake(c);
}

void control_end(struct control *c)
{
    atomic_store(&c->end, true);
    control_wake(c);
}

bool control_stopping(const struct control *c)
{
    return atomic_load(&c->stop);
}

static int64_t cpu_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int64_t min_i64(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* After much work, when nothing is due for a while: what it took goes back to the system. */
static void rest(struct control *c)
{
    if (c->steps < REST_STEPS)
        return;
    c->steps = 0;
    engine_rest(c->parts.engine);
    malloc_trim(0);
}

/* One turn: what came in, then the engine's share of work. Returns how long the loop may sleep. */
static int64_t turn(struct control *c, int64_t wait_us)
{
    mailbox_run(c->parts.mailbox, wait_us);
    int64_t start = cpu_us();
    runtime_tick(c->parts.runtime);
    unsigned done = engine_turn(c->parts.engine, ENGINE_TURN_STEPS);
    int64_t tick_due = c->parts.tick ? c->parts.tick(c->parts.ctx) : INT64_MAX;
    runtime_turn_ends(c->parts.runtime);
    int64_t took = cpu_us() - start;
    atomic_fetch_add(&c->turns, 1);
    if (took > atomic_load(&c->longest_us))
        atomic_store(&c->longest_us, took);
    if (took > TURN_LIMIT_US)
        atomic_fetch_add(&c->over_20ms, 1);
    c->steps += done;
    if (done >= ENGINE_TURN_STEPS)
        return 0;
    int64_t due = min_i64(min_i64(engine_next_due_us(c->parts.engine), runtime_next_us(c->parts.runtime)), tick_due);
    int64_t now = env_mono_us(c->parts.env);
    if (due > now && due - now > REST_US && engine_calls_open(c->parts.engine) == 0)
        rest(c);
    if (due == INT64_MAX)
        return -1;
    return due > now ? due - now : 0;
}

void control_run(struct control *c)
{
    int64_t wait_us = 0;
    while (!atomic_load(&c->stop))
        wait_us = turn(c, wait_us);
}

void control_drain(struct control *c, int64_t drain_us)
{
    int64_t wait_us = 0;
    engine_stop(c->parts.engine);
    runtime_stop(c->parts.runtime, env_mono_us(c->parts.env) + drain_us);
    while (!atomic_load(&c->end) || !runtime_stopped(c->parts.runtime) || engine_calls_open(c->parts.engine)) {
        wait_us = turn(c, wait_us);
        if (wait_us < 0 || wait_us > STOP_POLL_US)
            wait_us = STOP_POLL_US;
    }
    mailbox_run(c->parts.mailbox, 0); /* requests that came too late get their refusal */
}

static void finish(struct pending *p, int rc, const struct err *e)
{
    pthread_mutex_lock(&p->lock);
    p->rc = rc;
    if (e && e != &p->err)
        p->err = *e;
    p->done = true;
    pthread_cond_signal(&p->changed);
    pthread_mutex_unlock(&p->lock);
}

static void run_pending(struct message *m)
{
    struct pending *p = (struct pending *)(void *)m;
    int rc = p->fn(p->arg, p, &p->err);
    if (!p->held || rc) {
        ASSERT(!(p->held && rc));
        finish(p, rc, NULL);
    }
}

void control_hold(struct pending *p)
{
    p->held = true;
}

void control_finish(struct pending *p, int rc, const struct err *e)
{
    finish(p, rc, e);
}

int control_do(struct control *c, control_fn fn, void *arg, struct err *e)
{
    if (atomic_load(&c->stop))
        return err_set(e, TL_E_CANCELLED, "tielined is stopping");
    struct pending p = {.message.run = run_pending,
                        .fn = fn,
                        .arg = arg,
                        .lock = PTHREAD_MUTEX_INITIALIZER,
                        .changed = PTHREAD_COND_INITIALIZER};
    mailbox_post(c->parts.mailbox, &p.message);
    pthread_mutex_lock(&p.lock);
    while (!p.done)
        pthread_cond_wait(&p.changed, &p.lock);
    pthread_mutex_unlock(&p.lock);
    if (p.rc && e)
        *e = p.err;
    return p.rc;
}

void control_figures_get(struct control *c, struct control_figures *out)
{
    *out = (struct control_figures){atomic_load(&c->turns), atomic_load(&c->longest_us), atomic_load(&c->over_20ms)};
}
