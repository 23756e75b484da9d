/* tl_host.http: the connector's requests with the endpoint's authorisation. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth_int.h"
#include "seal.h"
#include "times.h"
#include "wire.h"

enum { MAX_TIMEOUT_MS = 600000 };

struct blob_use {
    const struct auth_blobs *blobs;
    uint64_t in, out;
};

struct auth_answers {
    struct http_request *requests;
    struct blob_use *uses;
    uint32_t n, cap;
    struct arena arena; /* header arrays */
    bool urgent;
};

struct auth_answers *auth_answers_new(bool urgent)
{
    struct auth_answers *k = calloc(1, sizeof *k);
    ASSERT(k);
    k->urgent = urgent;
    return k;
}

static void answers_clear(struct auth_answers *k)
{
    for (uint32_t i = 0; i < k->n; i++)
        http_request_done(&k->requests[i]);
    k->n = 0;
    arena_reset(&k->arena);
}

struct auth_answers *auth_answers_free(struct auth_answers *k)
{
    if (!k)
        return NULL;
    answers_clear(k);
    arena_done(&k->arena);
    free(k->requests);
    free(k->uses);
    free(k);
    return NULL;
}

static void answers_size(struct auth_answers *k, uint32_t n)
{
    answers_clear(k);
    if (n > k->cap) {
        k->requests = realloc(k->requests, n * sizeof *k->requests);
        k->uses = realloc(k->uses, n * sizeof *k->uses);
        ASSERT(k->requests && k->uses);
        k->cap = n;
    }
    memset(k->requests, 0, n * sizeof *k->requests);
    memset(k->uses, 0, n * sizeof *k->uses);
    k->n = n;
}

static tl_http *http_at(tl_http *base, uint32_t i)
{
    return (tl_http *)(void *)((char *)base + (size_t)base->struct_size * i);
}

/* --- bodies by handle --- */

static int blob_sink(void *ctx, const void *p, size_t n)
{
    struct blob_use *u = ctx;
    return u->blobs->write(u->blobs->ctx, u->out, p, n);
}

static int blob_source(void *ctx, uint64_t offset, void *p, size_t cap, size_t *n_out)
{
    struct blob_use *u = ctx;
    return u->blobs->read(u->blobs->ctx, u->in, offset, p, cap, n_out);
}

static int use_blobs(struct http_request *r, struct blob_use *u, const tl_http *t, const struct auth_blobs *blobs,
                     struct err *e)
{
    if (!t->body_blob && !t->out_blob)
        return TL_OK;
    if (!blobs)
        return err_set(e, TL_E_INVALID, "a request names a byte stream where there is none");
    *u = (struct blob_use){blobs, t->body_blob, t->out_blob};
    if (t->body_blob) {
        if (blobs->size(blobs->ctx, t->body_blob, &r->source_size) != TL_OK)
            return err_set(e, TL_E_INVALID, "a request names an unknown byte stream");
        r->source = blob_source;
        r->source_ctx = u;
    }
    if (t->out_blob) {
        r->sink = blob_sink;
        r->sink_ctx = u;
    }
    return TL_OK;
}

/* --- requests in, answers out --- */

static int read_request(const struct auth *a, struct auth_answers *k, uint32_t i, const tl_http *t, str ours,
                        const struct auth_blobs *blobs, struct err *e)
{
    if (!t->method || !t->url.n || (t->n_headers && !t->headers) || t->n_headers > 64)
        return err_set(e, TL_E_INVALID, "request %u has no method, no URL or unusable headers", i);
    struct http_request *r = &k->requests[i];
    uint32_t timeout = t->timeout_ms > MAX_TIMEOUT_MS ? MAX_TIMEOUT_MS : t->timeout_ms;
    r->method = t->method;
    r->url = t->url;
    r->body = t->body;
    r->write = (t->flags & TL_HTTP_WRITE) != 0;
    r->urgent = k->urgent;
    r->timeout_us = timeout * US_PER_MS;
    r->allow = a->allow;
    r->gate = a->gate;
    /* room for the authorisation header, which takes the place of one the connector may have set */
    tl_pair *headers = arena_array(&k->arena, tl_pair, t->n_headers + 1);
    for (uint32_t h = 0; h < t->n_headers; h++) {
        if (!ours.n || (t->flags & TL_HTTP_NO_AUTH) || !str_eq_nocase(t->headers[h].name, ours))
            headers[r->n_headers++] = t->headers[h];
    }
    r->headers = headers;
    return use_blobs(r, &k->uses[i], t, blobs, e);
}

static bool wants_auth(const struct auth *a, const tl_http *t)
{
    return a->spec && !(t->flags & TL_HTTP_NO_AUTH);
}

static void lend_answer(tl_http *t, struct http_request *r)
{
    t->outcome = r->outcome;
    t->status = r->status;
    t->n_out_headers = r->n_out_headers;
    t->out_headers = r->out_headers;
    t->out_body = buf_lent(&r->answer);
    t->server_us = r->server_us;
    t->took_us = r->took_us;
    memcpy(t->error, r->error, sizeof t->error);
}

static int32_t auth_outcome(int status)
{
    return status == TL_E_AUTH || status == TL_E_CONFIG || status == TL_E_CANCELLED ? status : TL_E_TEMPORARY;
}

/* The state of one auth_http. */
struct round {
    struct auth *a;
    struct auth_answers *keep;
    tl_http *in;
    uint32_t n;
    const int32_t *cancel;
    uint64_t generation;
    str header;                  /* name of the one that authorises; empty: none does */
    bool picked[HTTP_BATCH_MAX]; /* to be sent in this round */
};

static void put_header(struct round *w, uint32_t i, str value)
{
    struct http_request *r = &w->keep->requests[i];
    tl_pair *headers = (tl_pair *)(uintptr_t)r->headers; /* ours, in the arena */
    uint32_t at = r->n_headers;
    if (at && str_eq(headers[at - 1].name, w->header))
        at--; /* the repeat replaces it */
    headers[at] = (tl_pair){w->header, value};
    r->n_headers = at + 1;
}

/* Gives each picked request its header; where there is no token those that need one are done. */
static void authorise(struct round *w, uint64_t expired, struct buf *header, struct err *why)
{
    bool needed = false;
    for (uint32_t i = 0; i < w->n; i++)
        needed = needed || (w->picked[i] && wants_auth(w->a, http_at(w->in, i)));
    if (!needed)
        return;
    int rc = auth_acquire(w->a, expired, false, w->cancel, header, &w->generation, why);
    for (uint32_t i = 0; i < w->n; i++) {
        if (!w->picked[i] || !wants_auth(w->a, http_at(w->in, i)))
            continue;
        if (rc == TL_OK) {
            put_header(w, i, buf_lent(header));
            continue;
        }
        w->picked[i] = false;
        w->keep->requests[i].outcome = auth_outcome(rc);
        snprintf(w->keep->requests[i].error, sizeof w->keep->requests[i].error, "%.127s", why->text);
    }
}

static int send_picked(struct round *w, struct err *e)
{
    struct http_request *list[HTTP_BATCH_MAX];
    size_t n = 0;
    for (uint32_t i = 0; i < w->n; i++) {
        if (w->picked[i])
            list[n++] = &w->keep->requests[i];
    }
    return n ? http_client_run(w->a->http, list, n, w->cancel, e) : TL_OK;
}

static bool is_expired(struct round *w, uint32_t i)
{
    struct http_request *r = &w->keep->requests[i];
    if (!w->picked[i] || !wants_auth(w->a, http_at(w->in, i)) || r->outcome != TL_OK || r->status < 400 ||
        !w->a->verdict)
        return false;
    size_t n = r->answer.n < AUTH_VERDICT_BODY ? r->answer.n : AUTH_VERDICT_BODY;
    return w->a->verdict(w->a->hooks_ctx, r->status, str_n(r->answer.p, n)) == TL_AUTH_EXPIRED;
}

/* Leaves picked those that met an expired token. */
static bool pick_expired(struct round *w)
{
    bool any = false;
    for (uint32_t i = 0; i < w->n; i++) {
        w->picked[i] = is_expired(w, i);
        any = any || w->picked[i];
    }
    return any;
}

static bool was_accepted(const struct round *w)
{
    for (uint32_t i = 0; i < w->n; i++) {
        const struct http_request *r = &w->keep->requests[i];
        if (wants_auth(w->a, http_at(w->in, i)) && r->outcome == TL_OK && r->status < 400)
            return true;
    }
    return false;
}

static bool may_refresh(struct auth *a)
{
    pthread_mutex_lock(&a->lock);
    bool may = env_mono_us(a->env) >= a->rejected_until;
    pthread_mutex_unlock(&a->lock);
    return may;
}

static int exchange(struct round *w, struct err *e)
{
    AUTO(buf_wipe) struct buf first = {0};
    AUTO(buf_wipe) struct buf second = {0};
    struct err why = {0};
    authorise(w, 0, &first, &why);
    int rc = send_picked(w, e);
    if (rc == TL_OK && pick_expired(w) && may_refresh(w->a)) {
        authorise(w, w->generation, &second, &why);
        rc = send_picked(w, e);
        if (rc == TL_OK && second.n && pick_expired(w))
            auth_rejected(w->a); /* even the new one */
    }
    if (rc == TL_OK && was_accepted(w))
        auth_accepted(w->a);
    if (rc == TL_OK && why.status == TL_E_CANCELLED)
        rc = err_set(e, TL_E_CANCELLED, "cancelled");
    return rc;
}

int auth_http(struct auth *a, struct auth_answers *keep, tl_http *requests, uint32_t n, const struct auth_blobs *blobs,
              const int32_t *cancel, struct err *e)
{
    if (!n)
        return TL_OK;
    if (n > HTTP_BATCH_MAX || !requests || requests->struct_size < sizeof(tl_http))
        return err_set(e, TL_E_INVALID, "http() takes 1 to %d requests with their struct_size set", HTTP_BATCH_MAX);
    AUTO(buf_done) struct buf header = {0};
    bool needed = false;
    for (uint32_t i = 0; i < n; i++)
        needed = needed || wants_auth(a, http_at(requests, i));
    int rc = needed ? auth_fill(a, a->spec->header, (str){NULL, 0}, &header, e) : TL_OK;
    if (rc)
        return rc;
    answers_size(keep, n);
    struct round w = {.a = a, .keep = keep, .in = requests, .n = n, .cancel = cancel, .header = buf_lent(&header)};
    for (uint32_t i = 0; i < n; i++) {
        rc = read_request(a, keep, i, http_at(requests, i), w.header, blobs, e);
        if (rc)
            return rc;
        w.picked[i] = true;
    }
    rc = exchange(&w, e);
    for (uint32_t i = 0; i < n; i++)
        lend_answer(http_at(requests, i), &keep->requests[i]);
    for (uint32_t i = 0; i < n; i++)
        keep->requests[i].headers = NULL; /* the token they held is wiped */
    return rc;
}
