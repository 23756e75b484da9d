/* The client's thread: takes transfers in, starts those their gate lets through, drives libcurl, hands results back. */
#include "http_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http_int.h"

enum { SPARE_EASIES = 16, CANCEL_LOOK_MS = 100, IDLE_POLL_MS = 60000, MAX_ANSWERS = 64 << 20 };

struct queue { /* first in, first out */
    struct transfer *head, **tail;
};

struct http_client {
    pthread_mutex_t lock; /* guards: incoming, stopping, cut, batch.left */
    struct queue incoming;
    bool stopping, cut;
    pthread_t thread;
    CURLM *multi;
    const struct env *env;
    struct http_config config;
    char *proxy, *no_proxy, *ca_file, *agent;
    /* the http thread's */
    struct queue waiting, running;
    CURL *spare[SPARE_EASIES];
    size_t n_spare;
};

static void queue_init(struct queue *q)
{
    q->head = NULL;
    q->tail = &q->head;
}

static void queue_push(struct queue *q, struct transfer *t)
{
    t->next = NULL;
    *q->tail = t;
    q->tail = &t->next;
}

/* Unlinks *at and returns it; the caller goes on with the same `at`. */
static struct transfer *queue_cut(struct queue *q, struct transfer **at)
{
    struct transfer *t = *at;
    *at = t->next;
    if (!*at)
        q->tail = at;
    t->next = NULL;
    return t;
}

static void trace(const struct transfer *t)
{
    if (!log_enabled(LOG_DEBUG))
        return;
    const struct http_request *r = t->request;
    const char *query = memchr(r->url.p, '?', r->url.n); /* queries hold customers' data */
    str plain = query ? str_n(r->url.p, (size_t)(query - r->url.p)) : r->url;
    log_line(LOG_DEBUG, NULL, "http %s %.*s: %s status=%d bytes=%llu ms=%lld %s", r->method, STR_FMT(plain),
             status_name(r->outcome), (int)r->status, (unsigned long long)t->received,
             (long long)(r->took_us / US_PER_MS), r->error);
}

/* The request is the caller's again afterwards; t is gone. */
static void hand_back(struct http_client *c, struct transfer *t)
{
    t->request->took_us = env_mono_us(c->env) - t->begun_us;
    trace(t);
    struct batch *b = t->batch;
    free(t);
    pthread_mutex_lock(&c->lock);
    if (--b->left == 0)
        pthread_cond_signal(&b->done);
    pthread_mutex_unlock(&c->lock);
}

static void keep_easy(struct http_client *c, CURL *easy)
{
    if (c->n_spare < SPARE_EASIES) {
        curl_easy_reset(easy);
        c->spare[c->n_spare++] = easy;
    } else {
        curl_easy_cleanup(easy);
    }
}

static void stop_running(struct http_client *c, struct transfer *t)
{
    struct http_gate *g = t->request->gate;
    curl_multi_remove_handle(c->multi, t->easy);
    transfer_release(t);
    keep_easy(c, t->easy);
    t->easy = NULL;
    if (g)
        atomic_fetch_sub(&g->in_flight, 1);
}

static void finish(struct http_client *c, struct transfer *t, CURLcode rc)
{
    struct transfer **at = &c->running.head;
    while (*at != t)
        at = &(*at)->next;
    queue_cut(&c->running, at);
    transfer_outcome(t, rc);
    int64_t pause = transfer_pause_us(t, env_now_us(c->env));
    if (pause && t->request->gate)
        http_gate_pause(t->request->gate, env_mono_us(c->env) + pause);
    stop_running(c, t);
    hand_back(c, t);
}

static void start(struct http_client *c, struct transfer *t, int64_t now)
{
    struct err e = {0};
    t->easy = c->n_spare ? c->spare[--c->n_spare] : curl_easy_init();
    ASSERT(t->easy);
    if (transfer_prepare(t, &c->config, c->agent, now, &e)) {
        transfer_fail(t, e.status, e.text);
        transfer_release(t);
        keep_easy(c, t->easy);
        t->easy = NULL;
        hand_back(c, t);
        return;
    }
    if (t->request->gate)
        atomic_fetch_add(&t->request->gate->in_flight, 1);
    queue_push(&c->running, t);
    ASSERT(curl_multi_add_handle(c->multi, t->easy) == CURLM_OK);
}

enum admission { ADMIT, WAIT, REFUSE };

static enum admission gate_admits(const struct transfer *t, int64_t now)
{
    const struct http_gate *g = t->request->gate;
    if (!g)
        return ADMIT;
    int64_t until = atomic_load(&g->paused_until);
    if (until > now)
        return until >= t->deadline_us ? REFUSE : WAIT;
    return atomic_load(&g->in_flight) < (t->request->urgent ? g->max : g->max_others) ? ADMIT : WAIT;
}

static bool is_cancelled(const struct transfer *t)
{
    return t->batch->cancel && __atomic_load_n(t->batch->cancel, __ATOMIC_RELAXED) != 0;
}

/* Starts what may start. Returns when to look again (mono), INT64_MAX for never. */
static int64_t admit(struct http_client *c, bool stopping, int64_t now)
{
    int64_t next = INT64_MAX;
    for (struct transfer **at = &c->waiting.head; *at;) {
        struct transfer *t = *at;
        enum admission a = gate_admits(t, now);
        bool late = now >= t->deadline_us;
        bool cancelled = stopping || is_cancelled(t);
        if (a == WAIT && !late && !cancelled) {
            int64_t pause_end = t->request->gate ? http_gate_paused_until(t->request->gate) : 0;
            int64_t due = pause_end > now && pause_end < t->deadline_us ? pause_end : t->deadline_us;
            next = due < next ? due : next;
            at = &t->next;
            continue;
        }
        queue_cut(&c->waiting, at);
        if (cancelled)
            transfer_fail(t, TL_E_CANCELLED, "cancelled before it was sent");
        else if (late)
            transfer_fail(t, TL_E_TEMPORARY, "deadline passed while waiting for its turn (nothing was sent)");
        else if (a == REFUSE)
            transfer_fail(t, TL_E_TEMPORARY,
                          "the vendor asked to pause for longer than the deadline (nothing was sent)");
        else {
            start(c, t, now);
            continue;
        }
        hand_back(c, t);
    }
    return next;
}

/* Ends running transfers whose caller gave up; a write that was sent goes on. */
static void look_for_cancel(struct http_client *c, bool stopping)
{
    for (struct transfer **at = &c->running.head; *at;) {
        struct transfer *t = *at;
        if (!stopping && (!is_cancelled(t) || (t->request->write && t->prereqs > 0))) {
            at = &t->next;
            continue;
        }
        queue_cut(&c->running, at);
        bool unknown = t->request->write && transfer_was_sent(t);
        transfer_fail(t, unknown ? TL_E_UNKNOWN : TL_E_CANCELLED, unknown ? "stopped after it was sent" : "cancelled");
        stop_running(c, t);
        hand_back(c, t);
    }
}

/* cut: nothing may go on. Returns true when the thread shall end as well. */
static bool take_incoming(struct http_client *c, bool *cut)
{
    pthread_mutex_lock(&c->lock);
    while (c->incoming.head)
        queue_push(&c->waiting, queue_cut(&c->incoming, &c->incoming.head));
    bool stopping = c->stopping;
    *cut = stopping || c->cut;
    pthread_mutex_unlock(&c->lock);
    return stopping;
}

static void reap(struct http_client *c)
{
    int left = 0;
    for (CURLMsg *m; (m = curl_multi_info_read(c->multi, &left));) {
        if (m->msg != CURLMSG_DONE)
            continue;
        struct transfer *t = NULL;
        CURLcode rc = m->data.result;
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&t);
        finish(c, t, rc);
    }
}

static int poll_ms(int64_t now, int64_t next, bool watched)
{
    int64_t ms = next == INT64_MAX ? IDLE_POLL_MS : (next - now + US_PER_MS - 1) / US_PER_MS;
    if (watched && ms > CANCEL_LOOK_MS)
        ms = CANCEL_LOOK_MS;
    return ms < 0 ? 0 : ms > IDLE_POLL_MS ? IDLE_POLL_MS : (int)ms;
}

static void *http_thread(void *arg)
{
    struct http_client *c = arg;
    for (;;) {
        bool cut;
        bool stopping = take_incoming(c, &cut);
        look_for_cancel(c, cut);
        int64_t next = admit(c, cut, env_mono_us(c->env));
        if (stopping && !c->running.head)
            return NULL;
        int active = 0;
        curl_multi_perform(c->multi, &active);
        struct transfer *before = c->running.head;
        reap(c);
        if (before && c->waiting.head)
            next = admit(c, cut, env_mono_us(c->env));     /* a finished one made room */
        bool watched = c->running.head || c->waiting.head; /* somebody may cancel */
        curl_multi_poll(c->multi, NULL, 0, poll_ms(env_mono_us(c->env), next, watched), NULL);
    }
}

/* --- public --- */

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;

static void curl_begin(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

static void client_configure(struct http_client *c, const struct http_config *config)
{
    static const struct http_config defaults = {0};
    if (!config)
        config = &defaults;
    c->config = *config;
    c->config.proxy = c->proxy = config->proxy ? text_dup(config->proxy) : NULL;
    c->config.no_proxy = c->no_proxy = config->no_proxy ? text_dup(config->no_proxy) : NULL;
    c->config.ca_file = c->ca_file = config->ca_file ? text_dup(config->ca_file) : NULL;
    if (!c->config.max_answers)
        c->config.max_answers = MAX_ANSWERS;
    c->agent = text_dup(config->user_agent ? config->user_agent : "tieline/" TIELINE_VERSION);
    uint32_t total = config->max_connections ? config->max_connections : 64;
    uint32_t per_host = config->max_per_host ? config->max_per_host : 8;
    curl_multi_setopt(c->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)total);
    curl_multi_setopt(c->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)per_host);
    curl_multi_setopt(c->multi, CURLMOPT_MAXCONNECTS, (long)total);
    curl_multi_setopt(c->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX);
}

static void client_release(struct http_client *c)
{
    while (c->n_spare)
        curl_easy_cleanup(c->spare[--c->n_spare]);
    curl_multi_cleanup(c->multi);
    pthread_mutex_destroy(&c->lock);
    text_free(c->proxy);
    text_free(c->no_proxy);
    text_free(c->ca_file);
    text_free(c->agent);
    free(c);
}

int http_client_new(struct http_client **out, const struct http_config *config, const struct env *env, struct err *e)
{
    pthread_once(&curl_once, curl_begin);
    struct http_client *c = calloc(1, sizeof *c);
    ASSERT(c);
    c->multi = curl_multi_init();
    ASSERT(c->multi);
    c->env = env;
    pthread_mutex_init(&c->lock, NULL);
    queue_init(&c->incoming);
    queue_init(&c->waiting);
    queue_init(&c->running);
    client_configure(c, config);
    int rc = pthread_create(&c->thread, NULL, http_thread, c);
    if (rc) {
        client_release(c);
        return err_set(e, TL_E_TEMPORARY, "cannot start the http thread: %s", strerror(rc));
    }
    *out = c;
    return TL_OK;
}

struct http_client *http_client_free(struct http_client *c)
{
    if (!c)
        return NULL;
    pthread_mutex_lock(&c->lock);
    c->stopping = true;
    pthread_mutex_unlock(&c->lock);
    curl_multi_wakeup(c->multi);
    pthread_join(c->thread, NULL);
    client_release(c);
    return NULL;
}

void http_client_wake(struct http_client *c)
{
    curl_multi_wakeup(c->multi);
}

void http_client_cut(struct http_client *c)
{
    pthread_mutex_lock(&c->lock);
    c->cut = true;
    pthread_mutex_unlock(&c->lock);
    curl_multi_wakeup(c->multi);
}

int64_t http_client_mono_us(const struct http_client *c)
{
    return env_mono_us(c->env);
}

static struct transfer *transfer_new(struct http_client *c, struct http_request *r, struct batch *b)
{
    struct url_place place;
    enum http_target target;
    struct err e = {0};
    http_request_done(r);
    if (http_allow_find(r->allow, r->url, &place, &target, &e)) {
        r->outcome = TL_E_DENIED;
        snprintf(r->error, sizeof r->error, "%.127s", e.text);
        return NULL;
    }
    struct transfer *t = calloc(1, sizeof *t);
    ASSERT(t);
    t->request = r;
    t->batch = b;
    t->client = c;
    t->target = target;
    t->place = place;
    t->begun_us = env_mono_us(c->env);
    int64_t timeout = r->timeout_us ? r->timeout_us : c->config.timeout_us ? c->config.timeout_us : 60 * US_PER_S;
    t->deadline_us = t->begun_us + timeout;
    return t;
}

static int summary(struct http_request *const *requests, size_t n, struct err *e)
{
    for (size_t i = 0; i < n; i++) {
        if (requests[i]->outcome == TL_E_CANCELLED)
            return err_set(e, TL_E_CANCELLED, "cancelled");
    }
    return TL_OK;
}

int http_client_run(struct http_client *c, struct http_request *const *requests, size_t n, const int32_t *cancel,
                    struct err *e)
{
    struct batch b = {.cancel = cancel, .room = c->config.max_answers};
    struct queue mine;
    queue_init(&mine);
    for (size_t i = 0; i < n; i++) {
        struct transfer *t = transfer_new(c, requests[i], &b);
        if (t) {
            queue_push(&mine, t);
            b.left++;
        }
    }
    if (!b.left)
        return TL_OK;
    pthread_cond_init(&b.done, NULL);
    pthread_mutex_lock(&c->lock);
    while (mine.head)
        queue_push(&c->incoming, queue_cut(&mine, &mine.head));
    pthread_mutex_unlock(&c->lock);
    curl_multi_wakeup(c->multi);
    pthread_mutex_lock(&c->lock);
    while (b.left)
        pthread_cond_wait(&b.done, &c->lock);
    pthread_mutex_unlock(&c->lock);
    pthread_cond_destroy(&b.done);
    return summary(requests, n, e);
}
