#ifndef APP_H
#define APP_H
/* The application: what a running tielined is made of, below whatever serves it. One per process, made by main,
 * immutable but for what its comments say. */
#include "config.h"
#include "control.h"
#include "db.h"
#include "http_client.h"
#include "runtime.h"

struct app {
    const struct env *env;             /* [any] */
    const struct config *boot;         /* [any] read at the start: what needs a restart counts from here */
    struct config *config;             /* [control] of the running generation; boot, or read since */
    int64_t generation;                /* [control] of the configuration, from 1 */
    int64_t config_us;                 /* [control] when it was read */
    int64_t reload_us;                 /* [control] when it was read again last, also in vain; 0: never */
    bool reload_refused;               /* [control] that last time */
    struct reloader *reloader;         /* [any] */
    struct seal_key key;               /* [any] */
    struct db *db;                     /* [control] */
    struct mailbox *mailbox;           /* [any] */
    struct http_client *http;          /* [any] */
    struct runtime *runtime;           /* [control] */
    struct engine *engine;             /* [control] */
    struct control *control;           /* [any] */
    struct readers *readers;           /* [any] */
    struct answers *answers;           /* [any] what vendors told people a moment ago; core/agent */
    struct hook_targets *hooks;        /* [any] */
    struct acts *acts;                 /* [control] core/agent */
    struct housekeeping *housekeeping; /* [control] */
    struct backups *backups;           /* [control] */
    struct sign_ins *sign_ins;         /* [control] */
    int64_t started_us;                /* [any] */
    int64_t started_mono_us;           /* [any] */
};
#endif
