#include "host_services.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "blob.h"
#include "codec.h"
#include "line_pace.h"
#include "log.h"
#include "rehearsal.h"

/* ---- asking the control thread ---- */

struct question {
    struct message message; /* first */
    void (*fn)(void *arg);
    void *arg;
    pthread_mutex_t lock; /* guards answered */
    pthread_cond_t cond;
    bool answered;
};

static void question_run(struct message *m)
{
    struct question *q = (struct question *)(void *)m;
    q->fn(q->arg);
    pthread_mutex_lock(&q->lock);
    q->answered = true;
    pthread_cond_signal(&q->cond);
    pthread_mutex_unlock(&q->lock);
}

static void control_ask(const struct control_line *c, void (*fn)(void *arg), void *arg)
{
    if (pthread_equal(pthread_self(), c->thread)) {
        fn(arg);
        return;
    }
    struct question q = {.message = {.run = question_run}, .fn = fn, .arg = arg};
    pthread_mutex_init(&q.lock, NULL);
    pthread_cond_init(&q.cond, NULL);
    mailbox_post(c->mailbox, &q.message);
    pthread_mutex_lock(&q.lock);
    while (!q.answered)
        pthread_cond_wait(&q.cond, &q.lock);
    pthread_mutex_unlock(&q.lock);
    pthread_cond_destroy(&q.cond);
    pthread_mutex_destroy(&q.lock);
}

/* ---- quotas ---- */

void quota_board_init(struct quota_board *q)
{
    memset(q, 0, sizeof *q);
    pthread_mutex_init(&q->lock, NULL);
}

void quota_board_done(struct quota_board *q)
{
    pthread_mutex_destroy(&q->lock);
}

void quota_board_tell(struct quota_board *q, const tl_quota *told, int64_t now_us)
{
    pthread_mutex_lock(&q->lock);
    struct endpoint_quota *slot = NULL;
    for (uint32_t i = 0; i < q->n && !slot; i++)
        if (str_is(told->name, q->quotas[i].name))
            slot = &q->quotas[i];
    if (!slot && q->n < QUOTAS_MAX) {
        slot = &q->quotas[q->n++];
        memset(slot, 0, sizeof *slot);
        snprintf(slot->name, sizeof slot->name, "%.*s", STR_FMT(told->name));
    }
    if (slot) {
        slot->limit = told->limit;
        slot->remaining = told->remaining;
        slot->resets_us = told->resets_us;
        slot->told_us = now_us;
    }
    pthread_mutex_unlock(&q->lock);
}

uint32_t quota_board_copy(struct quota_board *q, struct endpoint_quota out[QUOTAS_MAX])
{
    pthread_mutex_lock(&q->lock);
    uint32_t n = q->n;
    memcpy(out, q->quotas, n * sizeof *out);
    pthread_mutex_unlock(&q->lock);
    return n;
}

int64_t quota_board_blocked_until(struct quota_board *q, int64_t now_us)
{
    int64_t until = 0;
    pthread_mutex_lock(&q->lock);
    for (uint32_t i = 0; i < q->n; i++)
        if (q->quotas[i].remaining == 0 && q->quotas[i].resets_us > now_us && q->quotas[i].resets_us > until)
            until = q->quotas[i].resets_us;
    pthread_mutex_unlock(&q->lock);
    return until;
}

/* ---- kv and tokens ---- */

struct store_call {
    const struct host_store *store;
    int64_t endpoint;
    const char *key;
    str value;
    struct buf *out;
    struct err *e;
    int rc;
};

static void kv_get_control(void *arg)
{
    struct store_call *c = arg;
    c->rc = c->store->kv_get ? c->store->kv_get(c->store->ctx, c->endpoint, c->key, c->out, c->e) : TL_E_NOT_FOUND;
}

static void kv_set_control(void *arg)
{
    struct store_call *c = arg;
    c->rc = c->store->kv_set ? c->store->kv_set(c->store->ctx, c->endpoint, c->key, c->value, c->e) : TL_OK;
}

static void token_load_control(void *arg)
{
    struct store_call *c = arg;
    c->rc = c->store->token_load ? c->store->token_load(c->store->ctx, c->endpoint, c->out, c->e) : TL_E_NOT_FOUND;
}

static void token_save_control(void *arg)
{
    struct store_call *c = arg;
    c->rc = c->store->token_save ? c->store->token_save(c->store->ctx, c->endpoint, c->value, c->e) : TL_OK;
}

int token_place_load(void *ctx, struct buf *secret_out, struct err *e)
{
    const struct token_place *t = ctx;
    struct store_call c = {.store = t->store, .endpoint = t->endpoint, .out = secret_out, .e = e};
    control_ask(t->control, token_load_control, &c);
    return c.rc;
}

int token_place_save(void *ctx, str secret, struct err *e)
{
    const struct token_place *t = ctx;
    struct store_call c = {.store = t->store, .endpoint = t->endpoint, .value = secret, .e = e};
    control_ask(t->control, token_save_control, &c);
    return c.rc;
}

/* ---- one instance's side ---- */

struct host_side {
    struct host_config config;
    char log_ctx[128];
    struct auth_answers *answers;
    struct blobs blobs;
    struct reply *reply; /* of the running call; NULL between calls */
    bool rehearse;
    pthread_mutex_t lock; /* of the cancel flag while someone sleeps on it; guards pace */
    struct line_pace pace;
    pthread_cond_t cond;
    int32_t cancelled; /* atomic */
    int32_t inside;    /* the host works for the connector; atomic */
    int64_t alive_us;  /* mono: last sign of life, or the end of a sleep; atomic */
};

static int tl_status_of(int rc)
{
    return rc >= TL_OK && rc <= TL_E_QUOTA ? rc : TL_E_TEMPORARY;
}

static void s_log(void *ctx, int32_t level, tl_str line)
{
    struct host_side *h = ctx;
    static const enum log_level levels[] = {LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR};
    enum log_level l = levels[level < TL_DEBUG || level > TL_ERROR ? TL_ERROR : level];
    if (!log_enabled(l))
        return;
    uint32_t left_out;
    pthread_mutex_lock(&h->lock);
    bool told = line_pace(&h->pace, PACE_LOGGED, env_mono_us(h->config.env) / 1000, &left_out);
    pthread_mutex_unlock(&h->lock);
    if (left_out)
        log_line(LOG_WARN, h->log_ctx, "%u more lines of its log are left out", left_out);
    if (told)
        log_line(l, h->log_ctx, "%.*s", STR_FMT(line));
}

static void s_metric(void *ctx, const char *name, int64_t add)
{
    struct host_side *h = ctx;
    if (h->config.metric)
        h->config.metric(h->config.metric_ctx, h->config.connector, name, add);
}

static int64_t s_now_us(void *ctx)
{
    struct host_side *h = ctx;
    return env_now_us(h->config.env);
}

static int32_t s_cancelled(void *ctx)
{
    struct host_side *h = ctx;
    return __atomic_load_n(&h->cancelled, __ATOMIC_SEQ_CST);
}

static tl_status s_sleep_ms(void *ctx, uint32_t ms)
{
    struct host_side *h = ctx;
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += (long)(ms % 1000) * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000L;
    }
    int rc = 0;
    pthread_mutex_lock(&h->lock);
    while (!s_cancelled(h) && rc == 0)
        rc = pthread_cond_timedwait(&h->cond, &h->lock, &until);
    pthread_mutex_unlock(&h->lock);
    return s_cancelled(h) ? TL_E_CANCELLED : TL_OK;
}

static void s_alive(void *ctx, uint32_t ms)
{
    struct host_side *h = ctx;
    __atomic_store_n(&h->alive_us, env_mono_us(h->config.env) + (int64_t)ms * 1000, __ATOMIC_RELAXED);
}

/* Whom this thread works for, inside of a service. */
static _Thread_local struct host_side *working_for;

static void inside(struct host_side *h, int32_t by)
{
    s_alive(h, 0);
    __atomic_add_fetch(&h->inside, by, __ATOMIC_SEQ_CST);
    working_for = by > 0 ? h : NULL;
}

int64_t host_side_silent_us(const struct host_side *h, int64_t mono_us)
{
    int64_t silent = mono_us - __atomic_load_n(&h->alive_us, __ATOMIC_RELAXED);
    return __atomic_load_n(&h->inside, __ATOMIC_SEQ_CST) || silent < 0 ? 0 : silent;
}

/* ---- verdicts ---- */

/* The auth object of an endpoint is shared by its instances, and asks on whatever thread serves one of them; the thread
 * knows which instance that is. */
static _Thread_local const struct verdicts *bound;

void verdicts_bind(const struct verdicts *v)
{
    bound = v;
}

/* A verdict is the connector's work within the host's: it may hang as any other. */
static struct host_side *connector_works(void)
{
    struct host_side *h = working_for;
    if (h)
        inside(h, -1);
    return h;
}

static void host_works(struct host_side *h)
{
    if (h)
        inside(h, 1);
}

int32_t verdicts_verdict(void *unused, int32_t status, str body)
{
    (void)unused;
    if (bound) {
        struct host_side *h = connector_works();
        int32_t verdict = bound->verdict(bound->ctx, status, body);
        host_works(h);
        return verdict;
    }
    return status == 401 ? TL_AUTH_EXPIRED : TL_AUTH_UNRELATED;
}

tl_status verdicts_token_error(void *unused, int32_t status, str body, tl_error *error)
{
    (void)unused;
    if (bound) {
        struct host_side *h = connector_works();
        tl_status s = bound->token_error(bound->ctx, status, body, error);
        host_works(h);
        return s;
    }
    *error = (tl_error){.struct_size = sizeof *error, .scope = TL_SCOPE_ENDPOINT, .http_status = status};
    snprintf(error->text, sizeof error->text, "sign-in was answered with HTTP %d", status);
    return status >= 400 && status < 500 && status != 429 ? TL_E_AUTH : TL_E_TEMPORARY;
}

static int blob_size(void *ctx, uint64_t handle, uint64_t *out)
{
    struct host_side *h = ctx;
    return blobs_size(&h->blobs, handle, out);
}

static int blob_read(void *ctx, uint64_t handle, uint64_t offset, void *p, size_t cap, size_t *n_out)
{
    struct host_side *h = ctx;
    return blobs_read(&h->blobs, handle, offset, p, cap, n_out);
}

static tl_status blob_take(struct host_side *h, uint64_t handle, const void *p, size_t n)
{
    bool told = h->blobs.crowded;
    tl_status s = blobs_write(&h->blobs, handle, p, n);
    if (h->blobs.crowded && !told)
        log_line(LOG_WARN, h->log_ctx,
                 "a byte stream is refused: too little room is left beside the database in \"%s\"", h->config.blob_dir);
    return s;
}

static int blob_write(void *ctx, uint64_t handle, const void *p, size_t n)
{
    return blob_take(ctx, handle, p, n);
}

static tl_status send_all(void *ctx, tl_http *requests, uint32_t n, tl_error *error)
{
    struct host_side *h = ctx;
    if (!h->config.auth) {
        snprintf(error->text, sizeof error->text, "this endpoint has no way out");
        return TL_E_CONFIG;
    }
    struct auth_blobs blobs = {.ctx = h, .size = blob_size, .read = blob_read, .write = blob_write};
    struct err e = {0};
    inside(h, 1);
    int rc = auth_http(h->config.auth, h->answers, requests, n, &blobs, &h->cancelled, &e);
    inside(h, -1);
    if (rc)
        err_to_tl(&e, error);
    return tl_status_of(rc);
}

static tl_status s_http(void *ctx, tl_http *requests, uint32_t n, tl_error *error)
{
    struct host_side *h = ctx;
    if (!h->rehearse)
        return send_all(h, requests, n, error);
    return rehearsal_http(&h->reply->rehearsed, &h->blobs, requests, n, send_all, h, error);
}

static tl_status s_auth_extra(void *ctx, const char *member, struct buf *out, tl_error *error)
{
    struct host_side *h = ctx;
    if (!h->config.auth)
        return TL_OK;
    struct err e = {0};
    inside(h, 1);
    int rc = auth_extra(h->config.auth, member, &h->cancelled, out, &e);
    inside(h, -1);
    if (rc)
        err_to_tl(&e, error);
    return tl_status_of(rc);
}

static void s_quota(void *ctx, const tl_quota *q)
{
    struct host_side *h = ctx;
    quota_board_tell(h->config.quota, q, s_now_us(ctx));
}

static tl_status s_kv_get(void *ctx, const char *key, struct buf *out)
{
    struct host_side *h = ctx;
    struct err e = {0};
    struct store_call c = {.store = h->config.store, .endpoint = h->config.endpoint, .key = key, .out = out, .e = &e};
    inside(h, 1);
    control_ask(h->config.control, kv_get_control, &c);
    inside(h, -1);
    return tl_status_of(c.rc);
}

static tl_status s_kv_set(void *ctx, const char *key, tl_str value)
{
    struct host_side *h = ctx;
    if (h->rehearse)
        return TL_E_CANCELLED;
    struct err e = {0};
    struct store_call c = {
        .store = h->config.store, .endpoint = h->config.endpoint, .key = key, .value = value, .e = &e};
    inside(h, 1);
    control_ask(h->config.control, kv_set_control, &c);
    inside(h, -1);
    if (c.rc)
        log_err(LOG_DEBUG, h->log_ctx, &e);
    return tl_status_of(c.rc);
}

static tl_status s_blob_new(void *ctx, const char *name, uint64_t *handle)
{
    (void)name;
    struct host_side *h = ctx;
    return blobs_new(&h->blobs, handle);
}

static tl_status s_blob_write(void *ctx, uint64_t handle, tl_str bytes)
{
    struct host_side *h = ctx;
    return blob_take(h, handle, bytes.p, bytes.n);
}

static tl_status s_blob_read(void *ctx, uint64_t handle, uint64_t offset, char *buf, uint64_t cap, uint64_t *len)
{
    struct host_side *h = ctx;
    size_t n = 0;
    tl_status s = blobs_read(&h->blobs, handle, offset, buf, cap, &n);
    *len = n;
    return s;
}

static tl_status s_blob_describe(void *ctx, uint64_t handle, const tl_blob *about)
{
    struct host_side *h = ctx;
    return blobs_describe(&h->blobs, handle, about);
}

static tl_status s_blob_about(void *ctx, uint64_t handle, tl_blob *out)
{
    struct host_side *h = ctx;
    return blobs_about(&h->blobs, handle, out);
}

void host_side_served(struct host_side *h)
{
    h->reply = NULL;
    h->rehearse = false;
    blobs_reset(&h->blobs);
}

/* The files that its results name go with the reply. */
static void keep_blobs(struct host_side *h)
{
    AUTO(reply_reader_done) struct reply_reader reader;
    reply_reader_init(&reader, h->reply);
    for (struct item x; h->blobs.n && reply_next(&reader, &x);) {
        const tl_record *r = x.kind == ITEM_RESULT ? x.u.result.result.record : NULL;
        for (uint32_t i = 0; r && i < r->n_values; i++)
            if (r->values[i].type == TL_BLOB)
                blobs_keep(&h->blobs, (uint64_t)r->values[i].u.i, &h->reply->blobs);
    }
}

static void s_call_end(void *ctx)
{
    struct host_side *h = ctx;
    if (h->reply)
        keep_blobs(h);
    host_side_served(h);
}

tl_status host_side_serve(struct host_side *h, const struct call *c, struct reply *reply)
{
    blobs_reset(&h->blobs);
    h->reply = reply;
    h->rehearse = c->rehearse;
    return blobs_lend(&h->blobs, &c->blobs);
}

struct host_side *host_side_new(const struct host_config *config)
{
    struct host_side *h = calloc(1, sizeof *h);
    ASSERT(h);
    h->config = *config;
    h->blobs.dir = config->blob_dir;
    h->answers = auth_answers_new(config->urgent);
    snprintf(h->log_ctx, sizeof h->log_ctx, "connector=%s endpoint=%s", config->connector, config->endpoint_name);
    pthread_mutex_init(&h->lock, NULL);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&h->cond, &attr);
    pthread_condattr_destroy(&attr);
    return h;
}

struct host_side *host_side_free(struct host_side *h)
{
    if (!h)
        return NULL;
    blobs_reset(&h->blobs);
    auth_answers_free(h->answers);
    pthread_cond_destroy(&h->cond);
    pthread_mutex_destroy(&h->lock);
    free(h);
    return NULL;
}

struct auth *host_side_auth_swap(struct host_side *h, struct auth *auth)
{
    struct auth *former = h->config.auth;
    h->config.auth = auth;
    return former;
}

void host_side_services(struct host_side *h, struct services *out)
{
    *out = (struct services){
        .ctx = h,
        .log = s_log,
        .metric = s_metric,
        .now_us = s_now_us,
        .cancelled = s_cancelled,
        .sleep_ms = s_sleep_ms,
        .http = s_http,
        .auth_extra = s_auth_extra,
        .quota = s_quota,
        .kv_get = s_kv_get,
        .kv_set = s_kv_set,
        .blob_new = s_blob_new,
        .blob_write = s_blob_write,
        .blob_read = s_blob_read,
        .blob_describe = s_blob_describe,
        .blob_about = s_blob_about,
        .call_end = s_call_end,
        .alive = s_alive,
    };
}

void host_side_begin(struct host_side *h)
{
    __atomic_store_n(&h->cancelled, 0, __ATOMIC_RELAXED);
    s_alive(h, 0);
}

void host_side_cancel(struct host_side *h)
{
    pthread_mutex_lock(&h->lock);
    __atomic_store_n(&h->cancelled, 1, __ATOMIC_SEQ_CST);
    pthread_cond_broadcast(&h->cond);
    pthread_mutex_unlock(&h->lock);
    if (h->config.http)
        http_client_wake(h->config.http);
}
