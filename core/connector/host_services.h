#ifndef HOST_SERVICES_H
#define HOST_SERVICES_H
/* The host's side of an instance in the daemon: HTTP through the endpoint's authorisation, kv and tokens through the
 * control thread, blobs, quota, sleep, cancellation. One a instance; used by the pool thread that runs it, but for
 * cancel. */
#include <pthread.h>
#include <stdbool.h>

#include "auth.h"
#include "env.h"
#include "mailbox.h"
#include "runtime.h"
#include "services.h"

/* Runs fn on the control thread and waits for it; directly when called there. */
struct control_line {
    struct mailbox *mailbox;
    pthread_t thread;
};

/* Quotas of an endpoint, told by any of its instances. */
enum { QUOTAS_MAX = 8 };
struct quota_board {
    pthread_mutex_t lock; /* guards the rest */
    struct endpoint_quota quotas[QUOTAS_MAX];
    uint32_t n;
};
void quota_board_init(struct quota_board *q);
void quota_board_done(struct quota_board *q);
void quota_board_tell(struct quota_board *q, const tl_quota *told, int64_t now_us);
uint32_t quota_board_copy(struct quota_board *q, struct endpoint_quota out[QUOTAS_MAX]);
/* Until when a used-up allowance blocks; 0: nothing is used up. */
int64_t quota_board_blocked_until(struct quota_board *q, int64_t now_us);

struct host_config {
    const struct env *env;
    const struct control_line *control;
    const struct host_store *store;
    int64_t endpoint;
    const char *endpoint_name, *connector; /* lent */
    struct auth *auth;                     /* lent; NULL: every request is refused */
    struct quota_board *quota;
    const char *blob_dir;
    bool urgent; /* its calls are those of people who wait */
    void (*metric)(void *ctx, const char *connector, const char *name, int64_t add); /* may be NULL */
    void *metric_ctx;
    struct http_client *http; /* woken by cancel; may be NULL */
};

struct host_side;
struct host_side *host_side_new(const struct host_config *config);
struct host_side *host_side_free(struct host_side *h);
void host_side_services(struct host_side *h, struct services *out);
/* Other tokens for what it does from now on; returns the former. By the thread that runs the instance. */
struct auth *host_side_auth_swap(struct host_side *h, struct auth *auth);
void host_side_begin(struct host_side *h); /* a call begins: not cancelled */
/* What it needs of the call beside its request: its files, whether it is only rehearsed, and where files of its results
 * and what is not sent go. Both are lent until the call ends; of c only this function reads. Before each run, by the
 * thread that runs it. TL_E_TEMPORARY: its files cannot be opened. */
tl_status host_side_serve(struct host_side *h, const struct call *c, struct reply *reply);
void host_side_served(struct host_side *h); /* after it, whatever came of it: nothing is lent any more */
void host_side_cancel(struct host_side *h); /* [any] */
/* How long the call has given no sign of life; 0 while the host itself works for it. [any] */
int64_t host_side_silent_us(const struct host_side *h, int64_t mono_us);

/* Which connector's pure functions the auth object asks: those of the instance this thread runs now. */
void verdicts_bind(const struct verdicts *v); /* NULL: none; default rules then */
int32_t verdicts_verdict(void *unused, int32_t status, str body);
tl_status verdicts_token_error(void *unused, int32_t status, str body, tl_error *error);

/* auth_store over the control thread. ctx is a struct token_place. */
struct token_place {
    const struct control_line *control;
    const struct host_store *store;
    int64_t endpoint;
};
int token_place_load(void *ctx, struct buf *secret_out, struct err *e);
int token_place_save(void *ctx, str secret, struct err *e);
#endif
