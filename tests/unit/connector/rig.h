#ifndef RIG_H
#define RIG_H
/* A runtime with a scratch directory, a clock that stands still, and a store in memory: what the daemon would be around
 * it. */
#include "unit/unit.h"

#include "call.h"
#include "runtime.h"

struct rig_store {
    char key[64], value[128]; /* one kv value is enough */
    char token[256];
};
struct rig {
    struct mailbox *box;
    struct runtime *rt;
    struct env env;
    int64_t now_us, mono_us; /* atomic: pool threads read them */
    char root[64], dir[96], state[96];
    struct rig_store store;
    struct http_client *http;
    int64_t metric_total; /* atomic */
    /* of the last verb: */
    bool done;
    int done_status;
    char words[64];
    struct err err;
};

void rig_start(struct rig *r);
/* Like it, with a real HTTP client. */
void rig_start_http(struct rig *r);
void rig_stop(struct rig *r);
/* Copies the fixture NAME.so into the connector directory and makes the connector known. */
void rig_install(struct rig *r, const char *name, enum isolation isolation);
void rig_copy(struct rig *r, const char *fixture, const char *as);
/* Verbs that wait for their end; the status is the answer, r->err and r->words the rest. */
int rig_load(struct rig *r, const char *name);
int rig_unload(struct rig *r, const char *name, enum unload_mode mode);
int rig_reload(struct rig *r, const char *name);
void rig_done(void *arg, const char *words, const struct err *e);
void rig_wait_done(struct rig *r);
/* Endpoint 1 with option pairs "name", "value", ..., NULL. */
void rig_endpoint(struct rig *r, int64_t id, const char *connector, ...);
enum run_state rig_state(struct rig *r, const char *name);

/* A call with a shape of five fields. Runs it; the caller frees. */
struct call *rig_call(enum call_kind kind);
struct call *rig_pull(uint32_t max_pages, const char *cursor);
struct call *rig_get(const char *id);
/* A push of creates with these ids, NULL at the end. */
struct call *rig_push(const char *first, ...);
void rig_submit(struct rig *r, struct call *c);
bool rig_finished(const struct call *c);
void rig_wait(struct rig *r, struct call *c);
struct call *rig_run(struct rig *r, struct call *c);
/* Turns of the control thread until the condition holds; fails after 20 s of real time. */
#define rig_until(r, cond)                                                                                             \
    do {                                                                                                               \
        for (int turns_ = 0; !(cond); turns_++) {                                                                      \
            assert_true(turns_ < 20000);                                                                               \
            mailbox_run((r)->box, 1000);                                                                               \
        }                                                                                                              \
    } while (0)
void rig_advance(struct rig *r, int64_t us); /* clocks, then a tick */

/* Readable form of a reply: one line an item. */
void rig_print(struct buf *out, const struct reply *reply);
int rig_count(const struct reply *reply, enum item_kind kind);
int rig_open_fds(void);
int rig_threads(void);
#endif
