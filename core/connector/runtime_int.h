#ifndef RUNTIME_INT_H
#define RUNTIME_INT_H
/* Inside of the runtime. Everything is the control thread's, except what a job (pool.h) is handed until its message is
 * back. */
#include "admission.h"
#include "host_services.h"
#include "instance.h"
#include "loader.h"
#include "loader_clock.h"
#include "pool.h"
#include "remote.h"
#include "runtime.h"

enum {
    CRASH_LIMIT = 8, /* in CRASH_WINDOW: then it stays down */
    SLOTS = 3,       /* purposes */
    RECENT_CRASHES = CRASH_LIMIT
};
#define CRASH_WINDOW_US     (INT64_C(3600) * 1000000)
#define BACKOFF_FIRST_US    INT64_C(200000)
#define BACKOFF_MAX_US      (INT64_C(60) * 1000000)
#define KILL_GRACE_US       (INT64_C(10) * 1000000)
#define READ_GRACE_US       (INT64_C(3) * 1000000)
#define TICK_US             INT64_C(500000)
#define THROTTLE_DEFAULT_US (INT64_C(10) * 1000000)
#define TELL_AGAIN_US       (INT64_C(300) * 1000000)
#define SIGN_IN_PAUSE_US    (INT64_C(10) * 1000000)

/* Something done on a pool thread whose end comes back to the control thread. */
struct task {
    struct job job; /* first */
    struct message message;
    struct runtime *rt;
    void (*work)(struct task *t); /* [pool] */
    void (*end)(struct task *t);  /* [control] owns t */
};
void task_start(struct task *t, struct runtime *rt, struct pool *pool, void (*work)(struct task *),
                void (*end)(struct task *));

/* Directories that operators grant, in the words of their endpoints. */
struct grants {
    struct arena arena;
    const char *const *dirs;
    uint32_t n;
};

/* Where code runs: a worker and its fortune. One a connector, or one an endpoint. */
struct cell {
    struct worker *worker; /* NULL: none runs */
    struct grants grants;  /* what it was started with */
    bool starting;
    bool down;                          /* crashed too often */
    uint32_t users;                     /* instances in it */
    int64_t crashed_us[RECENT_CRASHES]; /* mono; ring */
    uint32_t n_crashes;
    int64_t retry_us; /* mono; 0: not waiting */
    struct err error; /* the last crash, where it is one endpoint's own; else it is the connector's error */
};

enum inst_state { INST_IDLE, INST_BUSY, INST_CLOSING };
/* RUNNING: the call is being read; HANDED: the connector has a copy, the call itself is not touched any more. */
enum { PHASE_OPENING, PHASE_RUNNING, PHASE_HANDED, PHASE_GIVEN_UP };

/* One instance, open or about to be opened by its first call. */
struct inst {
    struct inst *next; /* of its slot */
    struct endpoint *endpoint;
    int32_t purpose;
    enum inst_state state;
    bool stale;            /* close after the call */
    struct cell *cell;     /* NULL: in process */
    struct worker *worker; /* of cell, when the instance was made */
    struct host_side *host;
    struct instance *local;
    struct remote *remote;
    bool gone; /* its worker died or misbehaved */
    struct task task;
    struct call *call; /* running; NULL while an auth errand or a close runs */
    struct errand *errand;
    int64_t idle_since_us, started_us, deadline_us; /* mono */
    int64_t late_us;                                /* mono: cancelled for being late since; 0: it is not */
    bool silent;                                    /* that was because of its silence */
    int32_t phase;                                  /* PHASE_*, atomic: who may touch the call of a local instance */
    bool hung;                                      /* late and not back: its worker was killed, or it was given up */
    struct reply reply;                             /* of a local call: the call itself may have been given up */
    bool cancelled;
};

/* A function on a pool thread with an open live instance (runtime_sign_in.c). */
struct errand {
    struct errand *next;
    int (*fn)(struct inst *inst, void *arg, struct err *e);
    runtime_auth_done_fn done;
    void *arg;
    int rc;
    struct err err;
    struct message message; /* when it never reached an instance */
};

struct slot {
    struct inst *insts;
    uint32_t n_insts, n_busy, max;
    struct call *queue, **queue_tail;
    uint32_t n_queued;
    uint32_t n_lost; /* instances in calls that were given up */
};

struct endpoint {
    int64_t id;
    char *name;
    struct connector *connector;
    struct arena config_arena;
    const tl_pair *given;
    uint32_t n_given;
    char *problem;
    /* Resolved while the connector is loaded. */
    bool configured;
    bool removed, dirty; /* put into effect by endpoint_settle once no instance is left */
    bool signing_out;    /* its tokens go, at the latest with its authorisation */
    struct option_set options;
    struct http_allow *allow;
    struct http_gate *gate;
    struct auth *auth;
    struct token_place tokens;
    struct err error;
    struct slot slots[SLOTS];
    struct errand *errands;
    struct quota_board quota;
    struct endpoint_quota quotas_shown[QUOTAS_MAX];
    struct cell cell;         /* isolation = endpoint */
    int64_t blocked_until_us; /* mono */
    bool told_to_wait;        /* that is the vendor's own word */
    char told[512];           /* the last failure in the log, not to be told again and again */
    int64_t told_us;          /* mono */
};

/* A pending unload, reload or stop. */
struct ending {
    bool active;
    enum unload_mode mode;
    int64_t deadline_us; /* mono */
    int64_t cut_us;      /* mono: reads that are not back then are cut with their worker */
    bool closing;        /* calls are done, instances are being closed */
    bool stopping_workers;
    bool cut; /* the host ends and has cut even writes; those in process get a moment to come back */
    bool reload;
    runtime_done_fn done;
    void *arg;
};

struct connector {
    char *name;
    struct runtime *rt;
    enum isolation isolation, wish;
    enum run_state state;
    bool disabled, still_mapped;
    struct staged staged;
    bool was_staged;
    struct staged former; /* what a reload replaced, until it is settled or put back */
    bool has_former;
    struct manifest *manifest;
    char *accepted, *pending; /* hosts; pending is of the manifest */
    struct auth_spec *auth_spec;
    struct module *module; /* in process */
    struct pool *pool;
    struct cell cell;               /* isolation = worker */
    struct confinement confinement; /* of its last worker */
    bool was_confined;
    struct ending ending;
    uint32_t n_tasks; /* jobs under way that are no calls: loading, starting and stopping workers */
    int64_t loaded_us;
    struct err error;
    /* What a reload has admitted and not yet put in place. */
    struct load_task *next_load;
};

struct runtime {
    struct runtime_config config;
    char *connector_dir, *state_dir, *worker_path, *blob_dir, *cell_dir;
    struct control_line control;
    struct dispatcher dispatcher;
    struct connector **connectors; /* by name */
    size_t n_connectors;
    struct endpoint **endpoints; /* by id */
    size_t n_endpoints;
    struct errand *failed_errands;
    struct call *failed, **failed_tail; /* to be done() in the next turn */
    struct message failed_message;
    bool failed_posted;
    bool stopping;
    int64_t stop_deadline_us;
    int64_t next_tick_us;
    struct loader_clock clock;
};

/* runtime.c */
int64_t rt_mono_us(const struct runtime *rt);
struct connector *rt_connector(const struct runtime *rt, const char *name);
struct endpoint *rt_endpoint(const struct runtime *rt, int64_t id);
void rt_changed(struct runtime *rt, const struct connector *c, const struct endpoint *ep);

/* runtime_call.c: slots, instances, calls */
void dispatcher_init(struct runtime *rt);
void slots_init(struct endpoint *ep, const struct runtime_config *config);
void rt_endpoint_pump(struct endpoint *ep); /* starts what can start */
void rt_connector_pump(struct connector *c);
void rt_endpoint_fail_queued(struct endpoint *ep, tl_status s, const char *text);
void rt_endpoint_cancel_running(struct endpoint *ep, bool pushes_too);
bool rt_endpoint_writes(const struct endpoint *ep); /* a push runs */
/* Closes idle instances; busy ones become stale. */
void rt_endpoint_close_instances(struct endpoint *ep);
uint32_t rt_endpoint_running(const struct endpoint *ep);
uint32_t rt_endpoint_queued(const struct endpoint *ep);
uint32_t rt_endpoint_instances(const struct endpoint *ep);
bool rt_endpoint_uses_worker(const struct endpoint *ep, const struct worker *w);
void rt_endpoint_tick(struct endpoint *ep, int64_t now_us);
/* Opens the endpoint where inst runs, with the services inst has: one of local and remote. [pool] */
tl_status rt_inst_open(struct inst *inst, struct instance **local, struct remote **remote, tl_error *error);

/* runtime_cell.c: workers */
struct cell *rt_endpoint_cell(struct endpoint *ep); /* NULL: in process */
/* Is its worker there for another call? One that died unnoticed is told as crashed. ep as in cell_start. */
bool cell_ready(struct connector *c, struct endpoint *ep);
void cell_start(struct connector *c, struct endpoint *ep); /* ep NULL: the shared one */
/* place: what ran in it, may be NULL. */
void cell_crashed(struct connector *c, struct endpoint *ep, struct worker *w, const char *place);
void cell_tick(struct connector *c, struct endpoint *ep, int64_t now_us);
void cell_reset(struct cell *cell);

/* What a worker of c is started with, but the directories. */
struct worker_wish rt_worker_wish(const struct connector *c, const char *staged_path);

/* runtime_hosts.c */
int rt_allow_declared(const struct connector *c, struct http_allow *a, struct err *e);
void rt_hosts_learnt(struct connector *c); /* its manifest came: what of it nobody accepted */

/* runtime_grant.c: directories */
void grants_collect(struct grants *g, const struct connector *c, const struct endpoint *ep); /* ep NULL: of all */
void grants_done(struct grants *g);
int grants_check(struct endpoint *ep, struct err *e); /* can its directories be had? */

/* runtime_load.c: load, unload, reload */
void rt_connector_end_step(struct connector *c); /* goes on with a pending unload when it can */
void rt_connector_tick(struct connector *c, int64_t now_us);
struct connector *rt_connector_free(struct connector *c);
/* What of a manifest is judged in the daemon alone, wherever the code runs. [any] */
int rt_admit_manifest(const struct manifest *m, struct err *e);

/* runtime_endpoint.c */
void rt_endpoint_configure(struct endpoint *ep);
void rt_endpoint_reconfigure(struct endpoint *ep); /* once no instance uses the old configuration */
void rt_endpoint_unconfigure(struct endpoint *ep); /* no instance may be open */
void rt_endpoint_settle(struct endpoint *ep);      /* may free ep */
struct endpoint *rt_endpoint_free(struct endpoint *ep);
bool rt_endpoint_usable(const struct endpoint *ep);
#endif
