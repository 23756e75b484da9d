#include "remote.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "call_place.h"
#include "codec.h"
#include "remote_int.h"
#include "wire.h"

enum { ALIVE_MAX_MS = 600000 };
enum { ANSWER_FILL = 4 << 20 /* http answers are packed into frames of about this size */ };

struct remote {
    struct worker *worker; /* lent */
    struct remote *next;   /* of the worker's; under its lock */
    struct channel channel;
    struct services services;
    struct verdicts verdicts;
    uint64_t id;        /* of the instance in the worker */
    uint64_t call_id;   /* of the running call; atomic, read by cancel */
    struct arena arena; /* of one request of the worker */
    struct arena items; /* scratch of items_check */
    struct buf out;
    bool broken; /* the worker is gone or misbehaved */
};

static tl_status broken_error(struct remote *r, tl_error *error, tl_status s, const char *text)
{
    r->broken = true;
    *error = (tl_error){.struct_size = sizeof *error, .scope = TL_SCOPE_ENDPOINT};
    snprintf(error->text, sizeof error->text, "%.255s", text);
    codec_error_clean(error);
    return s;
}

static void misbehaved(struct remote *r, const char *what)
{
    char line[256];
    int n = snprintf(line, sizeof line, "the worker is killed: %s", what);
    r->services.log(r->services.ctx, TL_ERROR, str_n(line, n < (int)sizeof line ? (size_t)n : sizeof line - 1));
    worker_kill(r->worker);
    r->broken = true;
}

/* ---- serving what the worker asks ---- */

static bool answer(struct remote *r, struct buf *body)
{
    struct err e = {0};
    if (body->full || channel_write(&r->channel, FRAME_ANSWER, 0, buf_lent(body), &e))
        r->broken = true;
    buf_clear(body);
    return !r->broken;
}

static size_t http_answer_size(const tl_http *h)
{
    size_t n = h->out_body.n + 512;
    for (uint32_t i = 0; i < h->n_out_headers; i++)
        n += h->out_headers[i].name.n + h->out_headers[i].value.n + 32;
    return n;
}

/* The first frame starts with status and error; each holds a count and so many answers, the worker counts along. */
static bool serve_http(struct remote *r, struct decoder *d)
{
    uint32_t n = 0;
    tl_http *requests = wire_get_http(d, &n);
    if (!requests || !decoder_ended(d))
        return false;
    tl_error error = {.struct_size = sizeof error};
    tl_status s = r->services.http(r->services.ctx, requests, n, &error);
    struct buf *b = &r->out;
    buf_clear(b);
    wire_put_status(b, s, &error);
    uint32_t done = 0;
    do {
        uint32_t here = 0;
        size_t bytes = 0;
        while (done + here < n) {
            tl_http *h = &requests[done + here];
            http_answer_limit(h);
            size_t size = http_answer_size(h);
            if (here && bytes + size > ANSWER_FILL)
                break;
            bytes += size;
            here++;
        }
        enc_u64(b, here);
        for (uint32_t i = 0; i < here; i++)
            wire_put_http_answer(b, &requests[done + i]);
        done += here;
        if (!answer(r, b))
            return true;
    } while (done < n);
    return true;
}

static bool serve_auth_extra(struct remote *r, struct decoder *d)
{
    const char *member = dec_text(d);
    if (!member || !decoder_ended(d))
        return false;
    AUTO(buf_done) struct buf value = {.max = 64 << 10};
    tl_error error = {.struct_size = sizeof error};
    tl_status s = r->services.auth_extra(r->services.ctx, member, &value, &error);
    buf_clear(&r->out);
    wire_put_status(&r->out, s, &error);
    enc_str(&r->out, buf_lent(&value));
    answer(r, &r->out);
    return true;
}

static bool serve_kv_get(struct remote *r, struct decoder *d)
{
    const char *key = dec_text(d);
    if (!key || !decoder_ended(d))
        return false;
    AUTO(buf_done) struct buf value = {.max = 64 << 10};
    tl_status s = r->services.kv_get(r->services.ctx, key, &value);
    buf_clear(&r->out);
    enc_i64(&r->out, s);
    enc_str(&r->out, buf_lent(&value));
    answer(r, &r->out);
    return true;
}

static bool serve_kv_set(struct remote *r, struct decoder *d)
{
    const char *key = dec_text(d);
    tl_str value = dec_bytes(d);
    if (!key || !decoder_ended(d))
        return false;
    tl_status s = r->services.kv_set(r->services.ctx, key, value);
    buf_clear(&r->out);
    enc_i64(&r->out, s);
    answer(r, &r->out);
    return true;
}

static bool serve_blob_new(struct remote *r, struct decoder *d)
{
    const char *name = dec_text(d);
    if (!name || !decoder_ended(d))
        return false;
    uint64_t handle = 0;
    tl_status s = r->services.blob_new(r->services.ctx, name, &handle);
    buf_clear(&r->out);
    enc_i64(&r->out, s);
    enc_u64(&r->out, handle);
    answer(r, &r->out);
    return true;
}

static bool serve_blob_write(struct remote *r, struct decoder *d)
{
    uint64_t handle = dec_u64(d);
    tl_str bytes = dec_bytes(d);
    if (!decoder_ended(d))
        return false;
    tl_status s = r->services.blob_write(r->services.ctx, handle, bytes);
    buf_clear(&r->out);
    enc_i64(&r->out, s);
    answer(r, &r->out);
    return true;
}

static bool serve_blob_read(struct remote *r, struct decoder *d)
{
    uint64_t handle = dec_u64(d);
    uint64_t offset = dec_u64(d);
    uint64_t cap = dec_u64(d);
    if (!decoder_ended(d) || cap > (1 << 20))
        return false;
    char *bytes = arena_alloc(&r->arena, cap + 1);
    uint64_t n = 0;
    tl_status s = r->services.blob_read(r->services.ctx, handle, offset, bytes, cap, &n);
    buf_clear(&r->out);
    enc_i64(&r->out, s);
    enc_str(&r->out, str_n(bytes, n));
    answer(r, &r->out);
    return true;
}

static bool serve_blob_describe(struct remote *r, struct decoder *d)
{
    uint64_t handle = dec_u64(d);
    tl_blob about;
    wire_get_blob(d, &about);
    if (!decoder_ended(d))
        return false;
    tl_status s = r->services.blob_describe(r->services.ctx, handle, &about);
    buf_clear(&r->out);
    enc_i64(&r->out, s);
    answer(r, &r->out);
    return true;
}

static bool serve_blob_about(struct remote *r, struct decoder *d)
{
    uint64_t handle = dec_u64(d);
    if (!decoder_ended(d))
        return false;
    tl_blob about = {.struct_size = sizeof about};
    tl_status s = r->services.blob_about(r->services.ctx, handle, &about);
    buf_clear(&r->out);
    enc_i64(&r->out, s);
    wire_put_blob(&r->out, &about);
    answer(r, &r->out);
    return true;
}

static bool serve_log(struct remote *r, struct decoder *d)
{
    int32_t level = dec_i32(d);
    tl_str line = dec_str(d);
    if (!decoder_ended(d))
        return false;
    r->services.log(r->services.ctx, level, line);
    return true;
}

static bool serve_metric(struct remote *r, struct decoder *d)
{
    const char *name = dec_text(d);
    int64_t add = dec_i64(d);
    if (!name || !decoder_ended(d))
        return false;
    r->services.metric(r->services.ctx, name, add);
    return true;
}

static bool serve_alive(struct remote *r, struct decoder *d)
{
    uint64_t ms = dec_u64(d);
    if (!decoder_ended(d) || ms > ALIVE_MAX_MS)
        return false;
    if (r->services.alive)
        r->services.alive(r->services.ctx, (uint32_t)ms);
    return true;
}

static bool serve_quota(struct remote *r, struct decoder *d)
{
    tl_quota q;
    wire_get_quota(d, &q);
    if (!decoder_ended(d) || q.name.n >= 32)
        return false;
    r->services.quota(r->services.ctx, &q);
    return true;
}

/* False: not one of these, or malformed. */
static bool serve(struct remote *r, const struct frame *f)
{
    arena_reset(&r->arena);
    struct decoder decoder = decoder_of(f->body, &r->arena, true);
    struct decoder *d = &decoder;
    switch (f->type) {
    case FRAME_LOG:
        return serve_log(r, d);
    case FRAME_METRIC:
        return serve_metric(r, d);
    case FRAME_QUOTA:
        return serve_quota(r, d);
    case FRAME_ALIVE:
        return serve_alive(r, d);
    case FRAME_HTTP:
        return serve_http(r, d);
    case FRAME_AUTH_EXTRA:
        return serve_auth_extra(r, d);
    case FRAME_KV_GET:
        return serve_kv_get(r, d);
    case FRAME_KV_SET:
        return serve_kv_set(r, d);
    case FRAME_BLOB_NEW:
        return serve_blob_new(r, d);
    case FRAME_BLOB_WRITE:
        return serve_blob_write(r, d);
    case FRAME_BLOB_READ:
        return serve_blob_read(r, d);
    case FRAME_BLOB_DESCRIBE:
        return serve_blob_describe(r, d);
    case FRAME_BLOB_ABOUT:
        return serve_blob_about(r, d);
    default:
        return false;
    }
}

/* Serves until the worker ends its turn with `until`; items go to reply, which may be NULL. False: broken. */
static bool converse(struct remote *r, uint16_t until, const struct call *call, struct reply *reply, struct frame *last)
{
    while (!r->broken) {
        struct err e = {0};
        int rc = channel_read(&r->channel, last, -1, &e);
        if (r->services.alive)
            r->services.alive(r->services.ctx, 0);
        if (rc == E_END) {
            r->broken = true;
        } else if (rc) {
            misbehaved(r, e.text);
        } else if (last->type == until) {
            return true;
        } else if (last->type == FRAME_ITEMS && reply) {
            if (reply->items.n + last->body.n > REPLY_ITEMS_LIMIT)
                misbehaved(r, "the answer of one call is too large");
            else if (items_check(call, last->body, &r->items, &e))
                misbehaved(r, e.text);
            else
                buf_str(&reply->items, last->body);
        } else if (!serve(r, last) && !r->broken) {
            char what[160];
            snprintf(what, sizeof what,
                     "a malformed or unexpected frame of type %u: its memory is spoilt, or two threads wrote at once",
                     last->type);
            misbehaved(r, what);
        }
    }
    return false;
}

/* ---- verdicts ---- */

/* The body of the answer, decoded by the caller; false when the worker is gone or misbehaves. */
static bool ask(struct remote *r, uint16_t type, uint16_t expect, int32_t status, tl_str body, struct frame *f)
{
    AUTO(buf_done) struct buf b = {.max = 1 << 20};
    enc_i64(&b, status);
    enc_str(&b, body);
    struct err e = {0};
    if (r->broken || channel_write(&r->channel, type, 0, buf_lent(&b), &e)) {
        r->broken = true;
        return false;
    }
    for (;;) {
        int rc = channel_read(&r->channel, f, -1, &e);
        if (rc) {
            r->broken = true;
            return false;
        }
        if (f->type == expect)
            return true;
        bool one_way = f->type == FRAME_LOG || f->type == FRAME_METRIC; /* of another thread */
        AUTO(arena_done) struct arena arena = {0};
        struct decoder d = decoder_of(f->body, &arena, true);
        if (!one_way || !(f->type == FRAME_LOG ? serve_log(r, &d) : serve_metric(r, &d))) {
            misbehaved(r, "a verdict was asked for and something else came");
            return false;
        }
    }
}

static int32_t ask_verdict(void *ctx, int32_t status, tl_str body)
{
    struct remote *r = ctx;
    struct frame f;
    if (!ask(r, FRAME_ASK_VERDICT, FRAME_VERDICT, status, body, &f))
        return TL_AUTH_UNRELATED;
    AUTO(arena_done) struct arena arena = {0};
    struct decoder d = decoder_of(f.body, &arena, true);
    int32_t v = dec_i32(&d);
    return decoder_ended(&d) && (v == TL_AUTH_EXPIRED || v == TL_AUTH_REFUSED) ? v : TL_AUTH_UNRELATED;
}

static tl_status ask_token_error(void *ctx, int32_t status, tl_str body, tl_error *error)
{
    struct remote *r = ctx;
    struct frame f;
    if (!ask(r, FRAME_ASK_TOKEN_ERROR, FRAME_TOKEN_ERROR, status, body, &f))
        return broken_error(r, error, TL_E_TEMPORARY, "the connector's worker is gone");
    AUTO(arena_done) struct arena arena = {0};
    struct decoder d = decoder_of(f.body, &arena, true);
    tl_status s = wire_get_status(&d, error);
    return decoder_ended(&d) && s ? s : TL_E_BUG;
}

const struct verdicts *remote_verdicts(struct remote *r)
{
    return &r->verdicts;
}

/* ---- life ---- */

void remote_cut(struct remote *r)
{
    shutdown(r->channel.fd, SHUT_RDWR);
}

struct remote *remote_next(const struct remote *r)
{
    return r->next;
}

static void leave_worker(struct remote *r)
{
    pthread_mutex_lock(&r->worker->lock);
    for (struct remote **at = &r->worker->remotes; *at; at = &(*at)->next) {
        if (*at != r)
            continue;
        *at = r->next;
        break;
    }
    pthread_mutex_unlock(&r->worker->lock);
}

static struct remote *remote_free(struct remote *r)
{
    if (!r)
        return NULL;
    leave_worker(r);
    channel_done(&r->channel);
    arena_done(&r->arena);
    arena_done(&r->items);
    buf_done(&r->out);
    free(r);
    return NULL;
}

static bool introduce(struct remote *r, struct err *e)
{
    int ours, theirs;
    if (channel_pair(&ours, &theirs, e))
        return false;
    channel_init(&r->channel, ours, false);
    AUTO(buf_done) struct buf b = {.max = 64};
    struct worker *w = r->worker;
    pthread_mutex_lock(&w->lock);
    r->id = ++w->next_id;
    enc_u64(&b, r->id);
    int rc = w->cut ? TL_E_TEMPORARY : channel_write_fd(&w->control, FRAME_INSTANCE, 0, buf_lent(&b), theirs, e);
    if (!rc) {
        r->next = w->remotes;
        w->remotes = r;
    }
    pthread_mutex_unlock(&w->lock);
    close(theirs);
    if (rc)
        worker_kill(w);
    return rc == TL_OK;
}

tl_status remote_open(struct remote **out, struct worker *w, const struct services *s, const tl_open *open,
                      tl_error *error, bool *gone)
{
    struct remote *r = calloc(1, sizeof *r);
    ASSERT(r);
    r->worker = w;
    r->services = *s;
    r->services.items = NULL;
    r->channel.fd = r->channel.passed_fd = -1;
    r->out.max = FRAME_MAX;
    r->verdicts = (struct verdicts){.ctx = r, .verdict = ask_verdict, .token_error = ask_token_error};
    struct err e = {0};
    tl_status status;
    struct frame f;
    if (!introduce(r, &e)) {
        status = broken_error(r, error, TL_E_TEMPORARY, "the connector's worker is gone");
    } else {
        wire_put_open(&r->out, open);
        if (channel_write(&r->channel, FRAME_OPEN, 0, buf_lent(&r->out), &e) ||
            !converse(r, FRAME_OPENED, NULL, NULL, &f)) {
            status = broken_error(r, error, TL_E_TEMPORARY, "the connector's worker died while opening the endpoint");
        } else {
            arena_reset(&r->arena);
            struct decoder d = decoder_of(f.body, &r->arena, true);
            status = wire_get_status(&d, error);
            if (!decoder_ended(&d)) {
                misbehaved(r, "a malformed answer to open");
                status = broken_error(r, error, TL_E_TEMPORARY, "the connector's worker misbehaved");
            }
        }
    }
    *gone = r->broken;
    if (status) {
        remote_free(r);
        return status;
    }
    *out = r;
    return TL_OK;
}

void remote_run(struct remote *r, const struct call *call, str request, int64_t now_us, struct reply *reply)
{
    struct err e = {0};
    tl_error *error = &reply->error;
    reply->items.max = REPLY_ITEMS_LIMIT;
    buf_clear(&r->out);
    enc_u64(&r->out, call->kind);
    enc_i64(&r->out, now_us);
    enc_str(&r->out, request);
    if (r->out.full) {
        *error = (tl_error){.struct_size = sizeof *error};
        snprintf(error->text, sizeof error->text, "the request is larger than %d MiB", FRAME_MAX >> 20);
        error->reason = TL_R_TOO_LARGE;
        reply->status = TL_E_INVALID;
        return;
    }
    uint64_t id = __atomic_load_n(&r->call_id, __ATOMIC_RELAXED) + 1;
    __atomic_store_n(&r->call_id, id, __ATOMIC_SEQ_CST);
    if (r->broken || channel_write(&r->channel, FRAME_CALL, id, buf_lent(&r->out), &e)) {
        reply->crashed = false;
        reply->status = broken_error(r, error, TL_E_TEMPORARY, "the connector's worker was gone before the call");
        return;
    }
    /* Cancelled between the flag and the number of the call: the control thread named the call before. */
    if (r->services.cancelled(r->services.ctx))
        remote_cancel(r);
    struct frame f;
    bool ended = converse(r, FRAME_DONE, call, reply, &f);
    if (ended) {
        arena_reset(&r->arena);
        struct decoder d = decoder_of(f.body, &r->arena, true);
        reply->status = wire_get_status(&d, error);
        ended = decoder_ended(&d);
        if (!ended)
            misbehaved(r, "a malformed end of a call");
    }
    if (!ended) {
        reply->crashed = true;
        AUTO(buf_done) struct buf text = {.max = 2048};
        buf_text_add(&text, "the connector's worker died in ");
        call_place(&text, call);
        call_progress(&text, call);
        reply->status = broken_error(r, error, call_lost_status(call), buf_text(&text));
        snprintf(error->code, sizeof error->code, "PLUGIN_CRASH");
    }
    if (r->services.call_end)
        r->services.call_end(r->services.ctx);
}

void remote_cancel(struct remote *r)
{
    AUTO(buf_done) struct buf b = {.max = 64};
    enc_u64(&b, r->id);
    struct err e = {0};
    pthread_mutex_lock(&r->worker->lock);
    uint64_t call = __atomic_load_n(&r->call_id, __ATOMIC_SEQ_CST);
    int rc = channel_write(&r->worker->control, FRAME_CANCEL, call, buf_lent(&b), &e);
    pthread_mutex_unlock(&r->worker->lock);
    if (rc) /* gone, or it has not read for thousands of messages */
        worker_kill(r->worker);
}

bool remote_is_broken(const struct remote *r)
{
    return r->broken;
}

struct remote *remote_close(struct remote *r)
{
    if (!r)
        return NULL;
    struct err e = {0};
    struct frame f;
    if (!r->broken && channel_write(&r->channel, FRAME_CLOSE, 0, (str){0}, &e) == TL_OK)
        converse(r, FRAME_CLOSED, NULL, NULL, &f);
    return remote_free(r);
}
