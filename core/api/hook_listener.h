#ifndef HOOK_LISTENER_H
#define HOOK_LISTENER_H
/* The hook listener: verifies a delivery by the scheme its connector declares, has it stored durably (hook_queue.h),
 * answers 200. It never waits for a connector; what a delivery means is read later. Serves only /hooks/NAME/SECRET, and
 * never answers 410, which vendors take as "unsubscribe for good". */
#include "server.h"

struct hook_listener;
struct hook_listener *hook_listener_new(struct app *app);
struct hook_listener *hook_listener_free(struct hook_listener *l); /* nothing waits any more; returns NULL */
int hook_answer(void *listener, struct request *rq);               /* server_options.handle */
#endif
