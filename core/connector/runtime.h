#ifndef RUNTIME_H
#define RUNTIME_H
/* Connectors and endpoints at run time: loads and unloads connectors, in process or in workers, opens instances of
 * endpoints on demand and closes idle ones, runs calls on them, keeps what endpoints share (authorisation, quota,
 * pacing).
 *
 * Everything here is [control] and returns at once; what takes time happens on the pool threads of a connector and
 * comes back through the control thread's mailbox: done() callbacks never run inside the function that was given them.
 *
 *   daemon: runtime_new -> runtime_connector_add / runtime_endpoint_set from the INI -> runtime_load each enabled one
 *           -> loop { mailbox_run; runtime_tick when runtime_next_us says so } -> runtime_stop -> loop until
 *           runtime_stopped -> runtime_free */
#include <stdbool.h>
#include <stdint.h>

#include "auth.h"
#include "buf.h"
#include "call.h"
#include "confine.h"
#include "env.h"
#include "err.h"
#include "grade.h"
#include "mailbox.h"
#include "manifest.h"
#include "services.h"

struct runtime;

/* Durable values behind host services. Called on the control thread only; the runtime carries requests of other threads
 * there and lets them wait. All return tl_status or E_STORAGE. */
struct host_store {
    void *ctx;
    /* kv of tl_host: at most 64 KiB a value. TL_E_NOT_FOUND: no such key. An empty value removes. */
    int (*kv_get)(void *ctx, int64_t endpoint, const char *key, struct buf *out, struct err *e);
    int (*kv_set)(void *ctx, int64_t endpoint, const char *key, str value,
                  struct err *e); /* TL_E_QUOTA: over 1 MiB in all */
    /* Tokens of an endpoint: secret bytes, sealed by the implementation. TL_E_NOT_FOUND: none. Empty: forget. */
    int (*token_load)(void *ctx, int64_t endpoint, struct buf *secret_out, struct err *e);
    int (*token_save)(void *ctx, int64_t endpoint, str secret, struct err *e);
};

enum isolation {
    ISOLATION_WORKER,   /* one process a connector (default) */
    ISOLATION_ENDPOINT, /* one process an endpoint */
    ISOLATION_INPROCESS
};
bool isolation_parse(str s, enum isolation *out); /* "worker", "endpoint", "inprocess" */
const char *isolation_name(enum isolation i);

struct runtime_config {
    const struct env *env;
    struct mailbox *control;   /* the control thread's */
    const char *connector_dir; /* holds NAME.so; may be changed per connector by none */
    const char *state_dir;     /* staged copies go to <state_dir>/connectors/, blobs to <state_dir>/tmp/ */
    const char *worker_path;   /* tieline-worker */
    bool development;          /* the daemon's own user may own connectors; plain http to loopback */
    struct http_client *http;  /* NULL: every request fails (tests that need none) */
    struct host_store store;   /* functions may be NULL: nothing is kept */
    uint32_t max_threads;      /* per connector; 0: 16 */
    uint32_t agent_instances;  /* per endpoint; 0: 4 */
    uint32_t max_requests;     /* HTTP requests at once per endpoint; 0: 8 */
    bool accept_all;           /* declared hosts need no person's word; for tests and tools */
    uint64_t worker_memory;    /* address space of a worker; 0: 1 GiB */
    int64_t idle_us;           /* an instance unused for so long is closed; 0: 60 s */
    /* A call that runs longer is cancelled, and hangs when it does not come back within 10 s: its worker is killed and
     * counted as crashed, in process its instance is never used again; 0: 10 min. A deadline of the request counts
     * instead. */
    int64_t call_us;
    int64_t silence_us; /* the same for one that gives no sign of life for so long: it neither calls the host nor sleeps
                           there; 0: 60 s */
    /* Tells about changes of state, for events and logs; may be NULL. endpoint 0: the connector itself. */
    void (*changed)(void *ctx, const char *connector, int64_t endpoint);
    void (*metric)(void *ctx, const char *connector, const char *name, int64_t add); /* [any]; may be NULL */
    void *ctx;
    /* Tests: services of their own instead of host_services.h; NULL otherwise. endpoint, purpose: of the instance. */
    bool (*services)(void *ctx, int64_t endpoint, int32_t purpose, struct services *out);
};

/* Strings of config are copied, objects lent. TL_E_CONFIG when the state directory cannot be prepared. */
int runtime_new(struct runtime **out, const struct runtime_config *config, struct err *e);
/* Only after runtime_stopped. */
struct runtime *runtime_free(struct runtime *rt);
AUTO_FN(struct runtime *, runtime_free)

/* The seam to the engine; valid as long as rt. */
struct dispatcher *runtime_dispatcher(struct runtime *rt);

/* What verbs on connectors cost this thread, turn by turn; call the first at the end of each. */
void runtime_turn_ends(struct runtime *rt);
struct loader_figures;
const struct loader_figures *runtime_loader_figures(const struct runtime *rt);

/* Housekeeping, nothing while it is not due: closes idle instances, cancels and kills late calls, notices dead workers,
 * restarts, ends drains. */
void runtime_tick(struct runtime *rt);
int64_t runtime_next_us(const struct runtime *rt); /* env mono time of the next needed tick; INT64_MAX: none */

/* Refuses new calls, waits for pushes in flight until the deadline (env mono), then cuts; unloads everything. */
void runtime_stop(struct runtime *rt, int64_t deadline_mono_us);
bool runtime_stopping(const struct runtime *rt);
bool runtime_stopped(const struct runtime *rt);

/* ---- connectors ---- */

enum run_state {
    RUN_NOT_LOADED,
    RUN_LOADING,
    RUN_RUNNING,
    RUN_RETRYING,      /* the worker died or the vendor is away: tried again at retry_us */
    RUN_NEEDS_SIGN_IN, /* endpoint: authorisation was refused */
    RUN_DISABLED,
    RUN_CRASHED,       /* too often within an hour: stays down until load or reload */
    RUN_FAILED_UNLOAD, /* a call does not come back: unload again, or kill */
    RUN_UNLOADING,
    RUN_MISCONFIGURED /* endpoint: options are wrong or missing */
};
const char *run_state_name(enum run_state s); /* "needs sign-in" */

/* Done functions of the verbs below. e is NULL on success; words is what happened: "unloaded, still mapped". */
typedef void (*runtime_done_fn)(void *arg, const char *words, const struct err *e);

/* Makes a connector known, not loaded. TL_E_CONFIG for a name that is none, E_EXISTS. */
int runtime_connector_add(struct runtime *rt, const char *name, enum isolation isolation, struct err *e);
/* Forgets one that was never loaded and has no endpoint: a name that turned out to be none. Others stay. */
void runtime_connector_forget(struct runtime *rt, const char *name);
/* Takes effect at the next load. TL_E_NOT_FOUND. */
int runtime_connector_isolate(struct runtime *rt, const char *name, enum isolation isolation, struct err *e);
/* The hosts that people accepted, of those it declares or will; comma separated. What is loaded follows at once: calls
 * under way end with what they began with. TL_E_NOT_FOUND, TL_E_CONFIG for what is no host. */
int runtime_connector_accept(struct runtime *rt, const char *name, const char *hosts, struct err *e);
/* Crashed too often before this start, and stays down as it did then: until somebody loads it. Before its first load;
 * nothing while it is disabled. */
void runtime_connector_hold(struct runtime *rt, const char *name, const struct err *why);
/* Refuses load until enabled, and the one under way; unloads nothing by itself. */
int runtime_connector_disable(struct runtime *rt, const char *name, bool disabled, struct err *e);

/* Admission, staging, handshake, manifest. Each of these returns TL_OK when started (done comes later) or fails at
 * once: TL_E_NOT_FOUND (not known), E_PRECONDITION (state). done may be NULL. */
int runtime_load(struct runtime *rt, const char *name, runtime_done_fn done, void *arg, struct err *e);
enum unload_mode {
    UNLOAD_SOFT,  /* refused with E_BUSY while calls are queued or running */
    UNLOAD_DRAIN, /* queued calls fail with TL_E_TEMPORARY, reads are cancelled and cut with their worker when they do
                     not come back, pushes are waited for; refused with E_BUSY when the deadline passes first: the
                     connector goes on */
    UNLOAD_KILL   /* workers are killed at once; in process: as drain, then RUN_FAILED_UNLOAD */
};
/* deadline_us: from now; 0: 60 s. */
int runtime_unload(struct runtime *rt, const char *name, enum unload_mode mode, int64_t deadline_us,
                   runtime_done_fn done, void *arg, struct err *e);
/* Unload in that mode, then load the file as it is now. The old one stays when the new one is not admitted. */
int runtime_reload(struct runtime *rt, const char *name, enum unload_mode mode, int64_t deadline_us,
                   runtime_done_fn done, void *arg, struct err *e);

/* After a reload that took another file: the former one is kept until it is settled, or put back because the new one
 * does not work. E_PRECONDITION: none is kept. Its copy is the one that was admitted then. */
bool runtime_upgraded(const struct runtime *rt, const char *name);
void runtime_upgrade_settle(struct runtime *rt, const char *name);
int runtime_upgrade_revert(struct runtime *rt, const char *name, runtime_done_fn done, void *arg, struct err *e);

struct connector_info {
    const char *name;
    enum run_state state;
    enum isolation isolation;
    const struct manifest *manifest;       /* NULL before the first load; kept after unload */
    const char *path;                      /* of the source; empty before the first load */
    const char *sha256;                    /* 64 hex digits or empty */
    enum grade grade;                      /* of what was loaded, by "tieline-sdk check --save"; GRADE_NONE: none */
    int pid;                               /* of the shared worker; 0: none */
    bool still_mapped;                     /* of an earlier load */
    const struct confinement *confinement; /* of its last worker; NULL: none was started */
    const char *accepted, *pending; /* hosts: accepted by people; declared and accepted by nobody; may be empty */
    uint32_t endpoints, instances, threads, running, queued, crashes;
    int64_t loaded_us, retry_us; /* wall clock; 0: never, none */
    const struct err *error;     /* last one: load, crash; status TL_OK: none */
};
/* Lent until the next call into the runtime. */
bool runtime_connector_info(const struct runtime *rt, const char *name, struct connector_info *out);
size_t runtime_connector_count(const struct runtime *rt);
void runtime_connector_at(const struct runtime *rt, size_t i, struct connector_info *out); /* by name */

/* ---- endpoints ---- */

struct endpoint_config {
    int64_t id; /* of the store */
    const char *name;
    const char *connector;
    const tl_pair *options; /* as written, references resolved, secrets included */
    uint32_t n_options;
    const char *problem; /* why it cannot run though its connector is fine (a missing secret); NULL: nothing */
};
/* New or changed; unchanged ones are left alone. Instances of a changed one are closed after their call. Wrong options
 * put it into RUN_MISCONFIGURED, told by runtime_endpoint_info; TL_E_CONFIG only when the connector is not known. */
int runtime_endpoint_set(struct runtime *rt, const struct endpoint_config *config, struct err *e);
const char *runtime_endpoint_problem(const struct runtime *rt, int64_t id); /* as it was set last, or "" */
void runtime_endpoint_remove(struct runtime *rt, int64_t id);
/* What each endpoint of that connector would have to put right if it ran with this manifest. */
void runtime_endpoints_try(const struct runtime *rt, const struct manifest *m,
                           void (*tell)(void *ctx, const char *endpoint, str option, const struct err *why), void *ctx);
/* As runtime_connector_hold, for the worker of one endpoint: until the connector is reloaded. */
void runtime_endpoint_hold(struct runtime *rt, int64_t id, const struct err *why);

struct endpoint_quota {
    char name[32];
    int64_t limit, remaining, resets_us, told_us;
};
struct endpoint_info {
    int64_t id;
    const char *name, *connector;
    enum run_state state;
    const struct err *error; /* why not running; status TL_OK: none */
    bool down;               /* its own worker crashed too often, and is not started again by itself */
    struct auth_status auth;
    const struct manifest *manifest;
    uint32_t instances, running, queued;
    int64_t blocked_until_us; /* wall clock; the vendor throttles; 0: no */
    const struct endpoint_quota *quotas;
    uint32_t n_quotas;
};
bool runtime_endpoint_info(const struct runtime *rt, int64_t id, struct endpoint_info *out);
/* A person asks for it now: pauses after refusals end, but for those the vendor asked for. */
void runtime_endpoint_hurry(struct runtime *rt, int64_t id);
/* For hook verification and templates; NULL while the connector is not loaded. Lent while the endpoint is not changed.
 */
struct auth *runtime_endpoint_auth(const struct runtime *rt, int64_t id);
struct http_allow *runtime_endpoint_allow(const struct runtime *rt, int64_t id);

/* Runs fn on a pool thread with an open live instance of the endpoint, so that the connector can be asked for verdicts:
 * for auth_ensure and auth_revoke. arg belongs to fn until done. done is [control]; rc and e are fn's,
 * or say why the instance could not be opened. */
typedef int (*runtime_auth_fn)(struct auth *a, void *arg, struct err *e);
typedef void (*runtime_auth_done_fn)(void *arg, int rc, const struct err *e);
int runtime_auth_run(struct runtime *rt, int64_t endpoint, runtime_auth_fn fn, runtime_auth_done_fn done, void *arg,
                     struct err *e);
/* A person's sign-in. It is tried with tokens of its own: they take the place of those in force only when every scope
 * was granted and, where the endpoint is known to belong to an org, when who signed in is of that one. Else the vendor
 * is told to forget them and nothing has changed; E_PRECONDITION with the code ORG_MISMATCH names both orgs. */
struct runtime_org {
    str key, name; /* key empty: not known yet, any is right */
};
int runtime_sign_in(struct runtime *rt, int64_t endpoint, const struct auth_grant *grant, const struct runtime_org *org,
                    runtime_auth_done_fn done, void *arg, struct err *e);
/* Nobody uses the endpoint any more: its tokens go from memory and store, and the vendor is told where that is possible
 * (auth_forget). What comes of it is in the log. */
void runtime_sign_out(struct runtime *rt, int64_t endpoint);

/* What a file would be loaded as. */
struct verified {
    struct manifest *manifest;
    char source[4096], sha256[65];
    enum grade grade; /* as "tieline-sdk check --save" gave it to these bytes */
};
void verified_done(struct verified *v);
AUTO_DONE(struct verified, verified_done)
/* Admission and handshake in a worker of its own, keeping and touching nothing: for "tielined -t" and "connector
 * verify". what: a name in the connector directory, or the absolute path of a file NAME.so. Needs of config the
 * connector directory, the worker's path, development, and a state directory to copy into for that while. Blocks; not
 * for the control thread. [any] */
int runtime_verify(const struct runtime_config *config, const char *what, struct verified *out, struct err *e);
/* What it was made with; never changes. [any] */
const struct runtime_config *runtime_config_of(const struct runtime *rt);
#endif
