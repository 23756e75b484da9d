#ifndef KEEPER_H
#define KEEPER_H
/* The thread that keeps one worker: starts it, logs what it prints, and answers what its cell refuses. The kernel kills
 * a worker when the thread that started it ends, with the daemon or without; so this one lives as long as the worker
 * does, and is ended after it. */
#include <stdbool.h>
#include <sys/types.h>

#include "buf.h"
#include "err.h"

struct keeper_config {
    const char *program;   /* tieline-worker */
    const char *directory; /* to work in */
    const char *connector; /* whose it is, for the log */
    int control_fd;        /* becomes its descriptor 3 */
    void (*kill)(void *ctx);
    void (*ended)(void *ctx); /* its process is no more; not reaped yet. [thread of the keeper] */
    void *ctx;
};

struct keeper;
/* Everything of config is lent during the call, but ctx. [any] */
int keeper_start(struct keeper **out, const struct keeper_config *config, pid_t *pid_out, struct err *e);
/* The listener of its cell (confine.h); takes the descriptor. [any] */
void keeper_watch(struct keeper *k, int listener_fd);
void keeper_loaded(struct keeper *k); /* no file is opened from now on. [any] */
/* After the worker was reaped: reads what it still printed. The thread is gone then; the rest may be asked. */
void keeper_stop(struct keeper *k);
/* For what call the worker was killed, and what it printed at the end; each empty if there is none. */
void keeper_last_words(const struct keeper *k, struct buf *crime, struct buf *printed);
struct keeper *keeper_free(struct keeper *k); /* stops first; NULL is fine */
AUTO_FN(struct keeper *, keeper_free)
#endif
