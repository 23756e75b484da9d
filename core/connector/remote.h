#ifndef REMOTE_H
#define REMOTE_H
/* The daemon's end of a worker process and of the instances in it. Everything a worker sends is hostile: what does not
 * decode, or comes out of turn, kills it. */
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "call.h"
#include "confine.h"
#include "env.h"
#include "frame.h"
#include "manifest.h"
#include "services.h"

struct worker;

enum { WORKER_START_MS = 10000, WORKER_BYE_MS = 5000 };

struct worker_wish {
    const char *program;      /* tieline-worker */
    const char *directory;    /* to work in; it sees nothing of it */
    const char *id;           /* of the connector */
    struct confine_wish cell; /* the staged file, granted directories, memory */
};

/* Starts tieline-worker on a staged connector and waits until it has said what it is. Blocks up to WORKER_START_MS.
 * [any] */
int worker_start(struct worker **out, struct manifest **manifest_out, const struct worker_wish *wish, struct err *e);
pid_t worker_pid(const struct worker *w);
const struct confinement *worker_confinement(const struct worker *w);
void worker_kill(struct worker *w); /* SIGKILL; nobody waits for it any more. [any] */
bool worker_gone(struct worker *w); /* it has ended or was killed: nothing more goes in. [any] */
/* Has it ended? Reaps it without waiting. how says how it ended: "signal 11 (Segmentation fault)". [control] */
bool worker_ended(struct worker *w, char *how, size_t cap);
/* The same, waiting for it; after worker_kill. */
void worker_wait(struct worker *w, char *how, size_t cap);
/* Once it was reaped: for what call it was killed, and the last lines it printed; each may stay empty. [control] */
void worker_last_words(struct worker *w, struct buf *crime, struct buf *printed);
/* Ends it: politely (unload() runs), or by SIGKILL after WORKER_BYE_MS. Blocks. Instances must be closed. True when it
 * went politely. */
bool worker_stop(struct worker *w);
struct worker *worker_free(struct worker *w); /* kills and reaps if it runs still */
AUTO_FN(struct worker *, worker_free)
/* Counted owners, once it is shared: starts at one; the last one frees. [control] */
struct worker *worker_ref(struct worker *w);
struct worker *worker_unref(struct worker *w); /* returns NULL; NULL is fine */

/* An instance in a worker. One thread at a time, but cancel is [any]. */
struct remote;
/* opens the channel and the endpoint. On failure *error; *gone when the worker died or misbehaved. */
tl_status remote_open(struct remote **out, struct worker *w, const struct services *s, const tl_open *open,
                      tl_error *error, bool *gone);
/* As instance_run. reply->crashed and TL_E_UNKNOWN when the worker died inside; TL_E_TEMPORARY when it was gone before.
 * call: the submitted one, to check the items against. now_us: the clock the connector shall see. */
void remote_run(struct remote *r, const struct call *call, str request, int64_t now_us, struct reply *reply);
void remote_cancel(struct remote *r);
/* For auth: asks the worker while it waits for an answer. */
const struct verdicts *remote_verdicts(struct remote *r);
bool remote_is_broken(const struct remote *r); /* the worker is gone or misbehaved: of no more use */
struct remote *remote_close(struct remote *r);
#endif
