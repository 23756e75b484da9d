#ifndef HOUSEKEEPING_H
#define HOUSEKEEPING_H
/* Regular work of the daemon that belongs to no request. */
#include <stdint.h>

struct app;
struct housekeeping;

struct housekeeping *housekeeping_new(struct app *app);
struct housekeeping *housekeeping_free(struct housekeeping *h); /* after db_close: a check may be running until then */
/* Something else that is to be done now and then: also(ctx) says when it wants to be called again, in mono time. Before
 * the first tick. */
void housekeeping_also(struct housekeeping *h, int64_t (*also)(void *ctx), void *ctx);
int64_t housekeeping_tick(void *h); /* control_parts.tick: when to be called again, in mono time. [control] */
#endif
