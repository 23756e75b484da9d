#ifndef ENDING_H
#define ENDING_H
/* How the daemon is told by signals, and how it ends: SIGHUP has the configuration read again, the first SIGTERM or
 * SIGINT ends the daemon in order, a second one at once. */
#include "err.h"

struct app;
struct ending;

/* Before the first thread is made: signals come to the watcher alone. */
void ending_block_signals(void);
/* Watches for signals from now on. stop_serving: stops all that listens and returns once no request is under way, which
 * may wait for the control thread. */
int ending_new(struct ending **out, struct app *app, void (*stop_serving)(void *ctx), void *ctx, struct err *e);
/* The control loop was stopped: what is in flight ends, at most for 30 s, and nobody is served any more. Leaves the
 * process where a connector's code in it does not come back. [main] */
void ending_drain(struct ending *n);
struct ending *ending_free(struct ending *n); /* before what it watches over; returns NULL */
#endif
