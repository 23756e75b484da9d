#ifndef BED_H
#define BED_H
/* The engine as an administrator has it, in a process with two vendors in memory: what the unit tests of the engine
 * start from. Time is injected; nothing waits. */
#include "admin.h"
#include "db.h"
#include "engine.h"
#include "sim/twin.h"
#include "times.h"
#include "view.h"

struct bed {
    struct world *world;
    struct env env;
    struct twin twin;
    struct db *db;
    struct engine *engine;
    char path[64];
    int checked;
    int signed_out[2];   /* how often the engine said that nobody uses the endpoint any more */
    int64_t ahead_us;    /* of the daemon's wall clock */
    const char *mirrors; /* kinds of the desk that are read beside those of links; NULL: none */
};

void must(int rc, const struct err *e);

/* A daemon with endpoints "desk" and "sales" that were checked; no connection. */
int bed_open(void **state);
/* And connection "c" with links for accounts and contacts, in draft. */
int bed_setup(void **state);
int bed_teardown(void **state);
/* An admin_done_fn with the bed as arg: counts. */
void bed_checked(void *arg, const json_t *result, const struct err *e);
void bed_endpoints(struct bed *b);                     /* told again, as after another configuration */
void bed_describe(struct bed *b);                      /* both endpoints are checked and described again */
void bed_restart(struct bed *b);                       /* the daemon ends and starts again */
void bed_run(struct bed *b, int64_t us);               /* time goes on by so much */
void bed_start(struct bed *b);                         /* first sync of both links, to its end */
int bed_count(const struct world *w, int s, int kind); /* live records */
struct twin_record *bed_named(struct world *w, int s, int kind, const char *name);
json_t *bed_failures(struct bed *b, bool resolved);
int bed_failures_of(struct bed *b, const char *code); /* open ones; NULL: of any code */
/* A setting of a link of the connection. */
void bed_set(struct bed *b, const char *kind, const char *key, const char *value);
#endif
