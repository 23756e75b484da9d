#ifndef APP_H
#define APP_H
/* Everything a handler works with. One per process, made by main, immutable but for what its comments say. */
#include <pthread.h>

#include "config.h"
#include "control.h"
#include "db.h"
#include "http_client.h"
#include "runtime.h"
#include "server.h"

struct readers;
struct hook_targets;
struct housekeeping;
struct backups;
struct reloader;
struct sign_ins;

struct app {
    const struct env *env;
    const struct config *boot; /* read at the start: what needs a restart counts from here. [any] */
    struct config *config;     /* [control] of the running generation; boot, or read since */
    int64_t generation;        /* [control] of the configuration, from 1 */
    int64_t config_us;         /* [control] when it was read */
    int64_t reload_us;         /* [control] when it was read again last, also in vain; 0: never */
    bool reload_refused;       /* [control] that last time */
    struct reloader *reloader; /* [any] */
    struct seal_key key;       /* [any] */
    struct db *db;             /* [control] */
    struct mailbox *mailbox;
    struct http_client *http;
    struct runtime *runtime;       /* [control] */
    struct engine *engine;         /* [control] */
    struct control *control;       /* [any] */
    struct readers *readers;       /* [any] */
    struct hook_targets *hooks;    /* [any] */
    struct hook_queue *hook_queue; /* [any] */
    struct housekeeping *housekeeping;
    struct backups *backups;   /* [control] */
    struct sign_ins *sign_ins; /* [control] */
    struct server *api, *hook_server;
    int64_t started_us, started_mono_us;
};

/* ---- readers: read-only handles of the store, lent to API threads ---- */
int readers_new(struct readers **out, const struct db_options *options, struct err *e);
struct readers *readers_free(struct readers *r);
/* A handle with a read transaction open; give it back within 2 s. Opens a further one when all are out. [any] */
int readers_take(struct readers *r, struct db **out, struct err *e);
void readers_give(struct readers *r, struct db *db);

/* ---- setup: from the configuration to connectors, endpoints, connections and links. [control] ---- */
void setup_apply(struct app *app);
/* Endpoints of one connector, or all (NULL): options and secrets are read again. After a load, and after a secret
 * changed. */
void setup_endpoints(struct app *app, const char *connector);
/* The state of a connector, or of one of its endpoints (else 0), changed: raises or clears the repair of one that stays
 * down. [control] */
void connector_attention(struct app *app, const char *connector, int64_t endpoint);
/* Those that stayed down before this start stay so until a person loads them. Between setup of endpoints and load. */
void connector_hold_crashed(struct app *app);
/* Hosts of a connector, accepted in the store or in the INI file: hands them to the runtime. [control] */
int hosts_apply(struct app *app, const char *connector, struct err *e);
/* A person accepts what it declares now: kept. [control] */
int hosts_accept(struct app *app, const char *connector, struct err *e);
void hosts_tell_pending(struct app *app, const char *connector); /* in the log, if any */
struct host_store setup_host_store(struct app *app);
int64_t setup_endpoint_id(struct app *app, const char *name); /* 0: not known */
/* Without its connector nobody can ask the vendor, and only a person can change that: TL_E_TEMPORARY says how. */
int setup_endpoint_loaded(struct app *app, const char *name, struct err *e);
void setup_endpoint_hurry(struct app *app, const char *name); /* a person asks for it now: pauses end */

/* ---- hook listener ---- */
struct hook_targets *hook_targets_new(void);
struct hook_targets *hook_targets_free(struct hook_targets *t);
/* Learns from the runtime and the store which endpoint takes hooks and how they are verified. [control] */
void hook_targets_refresh(struct app *app);
/* With a public_url: connectors that can subscribe by themselves are told where; without one they unsubscribe.
 * [control] */
void hook_subscribe(struct app *app);
int hook_answer(struct request *rq, const char **text); /* server_options.raw */
/* A word that whoever tests the public address sends through it, "?tieline_test=WORD": arrived() tells whether it came
 * to this daemon, and ends the waiting for it. [any] */
struct hook_word {
    struct hook_word *next;
    char text[33];
    bool arrived;
};
void hook_word_await(struct app *app, struct hook_word *w);
bool hook_word_arrived(struct app *app, struct hook_word *w);
/* "https://hooks.example.com/hooks/NAME/SECRET", or the path alone when no public_url is set. [any] */
int hook_url(struct app *app, const char *endpoint, struct buf *out, struct err *e);

extern const struct route routes_daemon[], routes_connectors[], routes_endpoints[], routes_sign_in[],
    routes_connections[], routes_sync[], routes_pairs[], routes_plans[], routes_undo[], routes_maps[], routes_secrets[],
    routes_backups[], routes_fsck[], routes_audit[], routes_passports[], routes_people[];
extern const struct route *const api_tables[];
#endif
