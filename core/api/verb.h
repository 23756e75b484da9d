#ifndef VERB_H
#define VERB_H
/* A change asked for by a request: runs on the control thread while the API thread waits, and leaves an audit row. */
#include "admin.h"
#include "app.h"
#include "readers.h"
#include "server.h"

enum { VERB_MAX_TEXTS = 4, VERB_MAX_SETTINGS = 32 };

struct verb {
    struct request *rq;
    struct app *app;
    const char *act, *object; /* for the audit: "connection.pause", "help-sales"; act NULL: leaves no trace */
    bool secret;              /* the body stays out of the audit */
    void *more;               /* what the verb's function is given beside these */
    bool audited;             /* the verb writes an audit row of its own, or its row is written */
    const char *text[VERB_MAX_TEXTS];
    struct admin_setting set[VERB_MAX_SETTINGS];
    unsigned n_set;
    int64_t number;
    bool flag;
    json_t *out;
    struct pending *pending; /* for verbs that end later */
    bool held;
};
/* [control] May call verb_hold(v) and end later with verb_finish. */
typedef int (*verb_fn)(struct verb *v, struct err *e);

void verb_init(struct verb *v, struct request *rq, const char *act, const char *object);
/* Runs and hands over what it answered ({} when nothing). */
int verb_run(struct verb *v, verb_fn fn, json_t **answer, struct err *e);
void verb_hold(struct verb *v);
void verb_finish(struct verb *v, int rc, const struct err *e);
/* Members of the body (all texts, numbers, booleans) as settings. */
int verb_settings(struct verb *v, const json_t *members, struct err *e);
/* Capture i as NUL-terminated text. */
const char *capture(struct request *rq, int i);
const char *param_text(struct request *rq, const char *name); /* NULL when absent */
/* A reading handler's body: *answer from a view on a read-only handle. */
#define WITH_READER(rq, db, e, call)                                                                                   \
    do {                                                                                                               \
        struct db *db;                                                                                                 \
        int rc_ = readers_take((rq)->app->readers, &db, (e));                                                          \
        if (rc_)                                                                                                       \
            return rc_;                                                                                                \
        rc_ = (call);                                                                                                  \
        readers_give((rq)->app->readers, db);                                                                          \
        return rc_;                                                                                                    \
    } while (0)
int not_found_words(struct err *e, int rc, const char *what, const char *name); /* fills e when rc is bare NOT_FOUND */
#endif
