#ifndef ENGINE_H
#define ENGINE_H
/* The sync engine: keeps the records of two endpoints in step. It lives on the control thread, owns no thread and never
 * blocks: it speaks to connectors only through a dispatcher, to the disk only through the store's writer, to time and
 * randomness only through env. Everything in this header is [control] unless it says [any].
 *
 *   the way of a change: reply of a pull -> [one transaction: observations + cursor] -> planner -> [intent] -> push
 *                        -> [one transaction: outcome, bases, history or failure]
 *
 * Observations are stored, work is derived: after a crash the engine opens the same file and goes on. */
#include <stdbool.h>
#include <stdint.h>

#include "call.h"
#include "env.h"
#include "err.h"
#include "str.h"

struct db;
struct engine;

enum { ENGINE_TURN_STEPS = 2000 }; /* bound of one turn: one record observed, matched, planned or written is a step */

struct retention {
    int64_t history_us, failures_us, deliveries_us; /* 0: 30 days, 90 days, 24 h */
    int64_t tombstones_us, inbox_us, audit_us;      /* 0: 90 days, 30 days, 730 days */
    int64_t delete_grace_us; /* between the deletion of a connection and that of its rows; 0: 7 days */
};

struct engine_config {
    struct db *db;                       /* the writer; outlives the engine */
    const struct env *env;               /* outlives the engine */
    const struct dispatcher *dispatcher; /* outlives the engine */
    /* Told when something became ready, so that the control loop turns again at once. May be null. */
    void (*wake)(void *ctx);
    /* A webhook subscription was made, renewed or removed: what verifies deliveries reads it again. May be null. */
    void (*hooks_changed)(void *ctx);
    /* No connection uses the endpoint any more, so its stored tokens were erased: who holds them forgets them too. May
     * be null. */
    void (*signed_out)(void *ctx, int64_t endpoint);
    void *ctx;
    struct retention retention;
};

/* Loads connections, links and open intents; what was in flight at a crash is now of unknown outcome and is resolved
 * before its feed is pulled again. Runs nothing yet. E_STORAGE. */
int engine_open(struct engine **out, const struct engine_config *config, struct err *e);
/* Calls still out keep the engine alive: call it when the dispatcher is drained. NULL is fine. Returns NULL. */
struct engine *engine_close(struct engine *g);
AUTO_FN(struct engine *, engine_close)

/* Does at most max_steps of ready work (0: ENGINE_TURN_STEPS) and returns how many were done; fewer than asked means
 * that nothing more is ready before engine_next_due_us. */
unsigned engine_turn(struct engine *g, unsigned max_steps);
/* env mono time at which the next turn has something to do; INT64_MAX: only a completion or message can bring work. */
int64_t engine_next_due_us(const struct engine *g);
/* Calls submitted and not yet answered. */
unsigned engine_calls_open(const struct engine *g);
/* After much work, when nothing is due: caches of the store go back. */
void engine_rest(struct engine *g);
/* What a check of the whole database found. Not sound: all connections are blocked until a later check finds it sound.
 */
void engine_store_checked(struct engine *g, bool sound, const char *text);
/* How long things are kept from now on. */
void engine_retention(struct engine *g, const struct retention *r);
/* Starts nothing new from now on; what is in flight is taken in. For a clean end: drain, close. */
void engine_stop(struct engine *g);

/* ---- Endpoints: told by whoever reads the configuration and loads connectors */

struct endpoint_setup {
    const char *name;      /* label from the INI header */
    const char *connector; /* its id */
    const char *system;    /* connector id; part of the identity */
    int32_t role;          /* TL_ROLE_* */
    const char *claims;    /* as claims.h reads them, or null */
    const char *mirrors;   /* kinds to be read beside those of links, comma separated, or null */
    int64_t default_window_s;
    bool default_master;
    int64_t daily_calls; /* the operator's limit; 0: none */
    int32_t reserve_pct; /* of every allowance, never used */
};
/* Makes or updates the endpoint's row; *id_out is what calls carry. Known endpoints keep their id by name. */
int engine_endpoint_put(struct engine *g, const struct endpoint_setup *setup, int64_t *id_out, struct err *e);
/* The endpoint is no longer configured: its connections are blocked and keep everything. */
int engine_endpoint_gone(struct engine *g, const char *name, struct err *e);
/* Whether the database can be written now; when not, nothing is sent until it can be, and the log says so. */
int engine_probe(struct engine *g, struct err *e);
/* Its connector came (again): blocked connections that waited for it go on. Its connector is leaving or crashed is told
 * by dispatcher.room == 0. */
void engine_endpoint_ready(struct engine *g, int64_t endpoint);
/* New credentials were stored: org_key is checked, then blocked connections catch up. */
void engine_endpoint_authorised(struct engine *g, int64_t endpoint);

/* What keeps an endpoint from answering, as its last calls met it. False: nothing does. */
struct engine_outage {
    const char *state; /* "down", "throttled", "refused", "misconfigured" */
    int64_t since_us;
    int64_t next_us; /* wall: tried again then; 0: only when a person asks */
    uint32_t calls;  /* that failed */
    char text[256];  /* what the vendor said */
};
bool engine_outage_get(const struct engine *g, int64_t endpoint, struct engine_outage *out);
/* What the endpoint's allowances leave. */
struct engine_budget {
    int64_t daily_calls, used_today; /* 0: no limit of the operator's */
    int32_t reserve_pct;
    int64_t left_live, left_bulk; /* -1: nothing limits it */
    int64_t resets_us;            /* wall; when the tightest window begins anew; 0: not told */
    int width;                    /* calls at once at most, as the vendor's throttling taught it */
    unsigned out;                 /* calls under way */
};
bool engine_budget_get(const struct engine *g, int64_t endpoint, struct engine_budget *out);
/* A person asks for it now: what waits because of earlier failures is due, but for a wait the vendor asked for. */
void engine_endpoint_hurry(struct engine *g, int64_t endpoint);

/* ---- Hooks */

struct hook_delivery {
    int64_t endpoint;
    str delivery_key; /* duplicates of it within 24 h are dropped; empty: this one is like no other */
    const tl_pair *headers;
    uint32_t n_headers;
    str method, query, body;
    bool refused; /* it was not believed: only counted */
    /* out */
    bool duplicate;
    struct err why; /* this one alone is not taken: nobody listens for it any more, or it is too large */
};
/* Stores them in one transaction. Durable when it returns TL_OK, all but those with a `why`: then the listener may
 * answer 200, also for a duplicate. Parsing follows on the endpoint's live instance; a delivery is only a hint. */
int engine_hooks(struct engine *g, struct hook_delivery *const *list, size_t n, struct err *e);

/* ---- Events: the normalized changes as they are accepted */

/* One line of JSON without the newline, lent for the call: {"at","endpoint","kind","id","event","link",...}. Written
 * only while somebody listens. */
typedef void (*engine_event_fn)(void *arg, str line);
int64_t engine_events_add(struct engine *g, engine_event_fn fn, void *arg); /* returns a handle */
void engine_events_remove(struct engine *g, int64_t handle);

/* ---- Figures for /metrics and status */

struct engine_figures {
    int64_t turns, steps, longest_turn_steps;
    int64_t looks; /* at endpoints, feeds and links that were due */
    int64_t observed, unchanged, creates, updates, deletes, adoptions, failures, unknown_outcomes, echoes, conflicts;
    int64_t calls, transactions, outages;
};
void engine_figures_get(const struct engine *g, struct engine_figures *out);
#endif
