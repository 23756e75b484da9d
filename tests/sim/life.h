#ifndef LIFE_H
#define LIFE_H
/* One life of the daemon inside the simulation: opens database and engine, goes on with the scenario where the world
 * stands, and ends when the scenario is over or a crash point kills it. */
#include "db.h"
#include "engine.h"
#include "twin.h"

enum { LIFE_OVER = 0, LIFE_CRASHED = 77, LIFE_BROKEN = 78 };
/* Runs in a process of its own; returns LIFE_OVER, or _exits with LIFE_CRASHED. */
int life_run(struct world *w, const char *db_path);

/* Checks of the quiet system, into world_violation. */
void check_quiet(struct world *w, struct db *db, struct engine *g);
#endif
