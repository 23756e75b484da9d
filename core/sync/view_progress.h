#ifndef VIEW_PROGRESS_H
#define VIEW_PROGRESS_H
/* How far a first sync or sweep is, how fast it gets on, and when it will be through. */
#include "linkset.h"
#include "runs.h"
#include "view_util.h"

/* Adds "observed_a", "observed_b", "estimated_a", "estimated_b" and, while a run goes on, "running". */
void view_progress(struct db *r, struct arena *a, const struct link *l, int64_t now_us, json_t *o);
json_t *view_run_json(struct db *r, struct arena *a, const struct run *run); /* view_sync.c */
#endif
