#include "pace.h"

enum { LEAST_US = 1000 };

void pace_step(const struct engine *g, struct env_sim *sim, int64_t end)
{
    int64_t due = engine_next_due_us(g);
    int64_t step = (due < end ? due : end) - sim->mono;
    env_sim_advance(sim, step < LEAST_US ? LEAST_US : step);
}
