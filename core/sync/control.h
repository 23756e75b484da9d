#ifndef CONTROL_H
#define CONTROL_H
/* The control thread: the one loop that owns the store's writer, the engine and the runtime, and the way in for
 * everybody else: a request is a function that runs there while its caller waits. */
#include <stdbool.h>
#include <stdint.h>

#include "engine.h"
#include "mailbox.h"
#include "runtime.h"

struct control;
struct pending;

struct control_parts {
    const struct env *env;
    struct mailbox *mailbox;
    struct engine *engine;
    struct runtime *runtime;
    /* Called between turns, for what the wiring itself must do regularly; may be NULL. Returns env mono time of its
     * next call. */
    int64_t (*tick)(void *ctx);
    void *ctx;
};
struct control *control_new(const struct control_parts *parts);
struct control *control_free(struct control *c); /* after control_drain returned */

/* Runs until control_stop. From then on requests are refused. [the control thread, which it makes of its caller] */
void control_run(struct control *c);
/* After control_run: no new calls; reads and checks are cancelled, so that requests that wait for them are answered;
 * pushes in flight are waited for until drain_us passed. Returns after that and after control_end. [control] */
void control_drain(struct control *c, int64_t drain_us);
void control_stop(struct control *c); /* [any] */
void control_end(struct control *c);  /* after control_stop, once nobody can ask any more. [any] */
void control_wake(struct control *c); /* turn again at once. [any] */
bool control_stopping(const struct control *c);

/* Runs fn(arg, ...) on the control thread and waits. fn returns its status, or calls control_hold and finishes later.
 * TL_E_CANCELLED when the daemon is stopping. [any but control] */
typedef int (*control_fn)(void *arg, struct pending *p, struct err *e);
int control_do(struct control *c, control_fn fn, void *arg, struct err *e);

/* Runs m on the control thread before its next turn; nobody waits. [any] */
void control_post(struct control *c, struct message *m);

/* For verbs whose end comes later: from inside fn call control_hold(p); the caller goes on waiting until
 * control_finish(p, ...), which must follow exactly once. [control] */
void control_hold(struct pending *p);
void control_finish(struct pending *p, int rc, const struct err *e);

/* How long turns took, in CPU time; for metrics. */
struct control_figures {
    int64_t turns, longest_us, over_20ms;
};
void control_figures_get(struct control *c, struct control_figures *out); /* [any] */
#endif
