/* CPU time of the control thread for loader work: see loader_clock.h. */
#include "loader_clock.h"

#include <time.h>

const int64_t loader_steps_us[LOADER_STEPS] = {100, 250, 500, 1000, 2000, 5000, 20000};

static int64_t cpu_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

void loader_begin(struct loader_clock *c)
{
    if (c->depth++ == 0)
        c->began_us = cpu_us();
}

void loader_end(struct loader_clock *c)
{
    if (--c->depth == 0)
        c->turn_us += cpu_us() - c->began_us + 1; /* what took less than its clock shows has been there too */
}

void loader_turn_ends(struct loader_clock *c)
{
    int64_t took = c->turn_us;
    if (!took)
        return;
    struct loader_figures *f = &c->figures;
    c->turn_us = 0;
    f->turns++;
    f->total_us += took;
    if (took > f->longest_us)
        f->longest_us = took;
    for (int i = 0; i < LOADER_STEPS; i++)
        f->within[i] += took <= loader_steps_us[i];
}
