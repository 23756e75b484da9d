#ifndef DISPATCH_H
#define DISPATCH_H
/* Finds the route of a request, checks what it asks against what the route knows, runs its handler, sends what that
 * answered. */
#include "server.h"

struct dispatch;
struct dispatch *dispatch_new(const struct route *const *tables);
struct dispatch *dispatch_free(struct dispatch *d);      /* no request is under way; returns NULL */
int dispatch_answer(void *dispatch, struct request *rq); /* server_options.handle */
#endif
