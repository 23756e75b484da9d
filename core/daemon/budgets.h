#ifndef BUDGETS_H
#define BUDGETS_H
/* What the call budgets of endpoints leave, for people: in endpoints and /metrics. All [control]. */
#include <jansson.h>
#include <stdint.h>

struct app;
struct buf;

/* {"daily_calls","used_today","reserve_pct","left","left_bulk","resets","at_once","under_way"}; NULL: no such endpoint.
 * null where nothing limits it. The caller's. */
json_t *budget_json(struct app *app, int64_t endpoint);
void budgets_figures(struct app *app, struct buf *out); /* for /metrics */
#endif
