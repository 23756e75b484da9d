#ifndef SANDBOX_SERVER_INT_H
#define SANDBOX_SERVER_INT_H
/* The insides of the server core, shared by server.c, call.c, fault.c, route.c and control.c only. */
#include <microhttpd.h>
#include <pthread.h>

#include "env.h"
#include "server.h"

enum { LOG_MAX = 20000, TWINS_MAX = 16, VIOLATIONS_MAX = 1000, CALL_HEADERS_MAX = 24, PARAMS_MAX = 128 };

struct param {
    str name, value; /* decoded, in the call's arena */
};

struct call_impl {
    struct call call; /* first */
    struct MHD_Connection *connection;
    struct buf body;
    struct call_header headers[CALL_HEADERS_MAX];
    unsigned header_count;
    struct param query[PARAMS_MAX], form[PARAMS_MAX];
    unsigned query_count, form_count;
    bool query_read, form_read, json_read, begun, ran, deferred, sent;
    json_t *json;
    const char *method_z;
    /* faults that apply when the answer goes out */
    bool truncate;
    int64_t truncate_at, delay_ms, due_us;
    const char *fault_name; /* of the last fault that hit, for the log; "" none */
    struct call_impl *next_waiting;
};

struct twin {
    const struct twin_ops *ops;
    void *self;
    struct sandbox *world;
    int port;
    char url[48];
    struct MHD_Daemon *daemon;
    struct sandbox_switch *switches; /* own copy */
    size_t switch_count;
    unsigned in_flight;
    int64_t calls, unknown, wrong_method, violations, by_class[6], *by_route, skew_us;
};

struct fault_entry {
    struct fault f;
    struct fault_entry *next;
};

struct log_entry {
    int64_t seq, at_us;
    const char *twin, *fault, *route;
    char method[12];
    char *target, *body;
    int status;
    size_t bytes_in, bytes_out;
};

struct plant {
    char *side, *kind, *id, *name, *reason; /* reason NULL: expected to be paired */
};

struct sandbox {
    pthread_mutex_t lock; /* guards all below, and every twin's state */
    struct env_sim rng;
    uint64_t seed;
    int64_t base_us, base_mono_us; /* the clock: base + time since, or base when frozen */
    bool frozen, running;
    struct twin *twins[TWINS_MAX];
    unsigned twin_count;
    struct fault_entry *faults; /* oldest first */
    int64_t fault_seq;
    struct log_entry *log; /* ring of LOG_MAX, by seq */
    int64_t log_seq;
    bool log_bodies;
    struct plant *plants;
    size_t plant_count;
    char *violations[VIOLATIONS_MAX];
    int64_t violation_count;
    /* slow answers */
    pthread_t timer;
    pthread_cond_t timer_wake;
    struct call_impl *waiting; /* by due_us */
    pthread_cond_t ended;      /* a call in flight has been answered */
    bool timer_running, stopping;
};

int64_t mono_us(void);

/* route.c */
bool route_fits(const char *pattern, str path, str *captures, unsigned *count);
bool glob_fits(const char *glob, str text);
str percent_decoded(struct arena *a, str s, bool plus_is_blank);
/* The route for the call; NULL when none, *wrong_method_out then says whether another method would fit. */
const struct route *route_find(const struct route *routes, size_t n, struct call *c, bool *wrong_method_out);

/* fault.c */
/* Lets the core's own faults that fit the call act before its handler: may answer or drop it, or note what is to
 * happen to its answer. */
void faults_before(struct call_impl *i);
const struct fault *fault_add(struct sandbox *w, const json_t *spec, struct err *e);
bool fault_remove(struct sandbox *w, int64_t id); /* 0: all */
void faults_put(struct sandbox *w, struct buf *out);

/* control.c */
extern const struct twin_ops control_ops;

/* server.c */
void log_forget(struct sandbox *w);
#endif
