#ifndef PACE_H
#define PACE_H
/* Injected time goes on from one thing that is due to the next. */
#include "engine.h"
#include "env.h"

/* To what the engine wants to do next, but not beyond end. */
void pace_step(const struct engine *g, struct env_sim *sim, int64_t end);
#endif
