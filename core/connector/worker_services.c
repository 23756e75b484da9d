/* Host services as a worker has them: questions to the daemon. */
#include <stdio.h>
#include <time.h>

#include "codec.h"
#include "instance.h"
#include "wire.h"
#include "worker.h"

#define ALIVE_EVERY_US (INT64_C(5) * 1000000)

int64_t worker_mono_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

bool worker_send(struct worker_instance *w, uint16_t type, uint64_t call, const struct buf *body)
{
    struct err e = {0};
    pthread_mutex_lock(&w->write_lock);
    if (!w->gone && (body->full || channel_write(&w->channel, type, call, buf_lent(body), &e)))
        w->gone = true;
    bool ok = !w->gone;
    pthread_mutex_unlock(&w->write_lock);
    return ok;
}

void worker_answer_verdict(struct worker_instance *w, const struct frame *f)
{
    AUTO(arena_done) struct arena arena = {0};
    struct decoder d = decoder_of(f->body, &arena, true);
    int32_t status = dec_i32(&d);
    tl_str body = dec_bytes(&d);
    AUTO(buf_done) struct buf b = {.max = 16 << 10};
    if (f->type == FRAME_ASK_VERDICT) {
        enc_i64(&b, module_verdict(w->module, status, body));
        worker_send(w, FRAME_VERDICT, 0, &b);
    } else {
        tl_error error;
        tl_status s = module_token_error(w->module, status, body, &error);
        wire_put_status(&b, s, &error);
        worker_send(w, FRAME_TOKEN_ERROR, 0, &b);
    }
}

/* The next answer; verdicts asked for meanwhile are given. */
static bool next_answer(struct worker_instance *w, struct frame *out)
{
    struct err e = {0};
    while (!w->gone) {
        if (channel_read(&w->channel, out, -1, &e)) {
            w->gone = true;
        } else if (out->type == FRAME_ASK_VERDICT || out->type == FRAME_ASK_TOKEN_ERROR) {
            worker_answer_verdict(w, out);
        } else if (out->type == FRAME_ANSWER) {
            return true;
        } else {
            w->gone = true;
        }
    }
    return false;
}

static bool ask(struct worker_instance *w, uint16_t type, struct frame *answer)
{
    bool ok = worker_send(w, type, 0, &w->out) && next_answer(w, answer);
    buf_clear(&w->out);
    return ok;
}

static tl_status daemon_gone(tl_error *error)
{
    if (error)
        snprintf(error->text, sizeof error->text, "the host is gone");
    return TL_E_CANCELLED;
}

/* ---- one way ---- */

static void s_log(void *ctx, int32_t level, tl_str line)
{
    struct worker_instance *w = ctx;
    AUTO(buf_done) struct buf b = {.max = 16 << 10};
    enc_i64(&b, level);
    enc_str(&b, codec_utf8(line) ? line : STR("the connector logs text that is not UTF-8"));
    worker_send(w, FRAME_LOG, 0, &b);
}

static void s_metric(void *ctx, const char *name, int64_t add)
{
    struct worker_instance *w = ctx;
    AUTO(buf_done) struct buf b = {.max = 256};
    enc_text(&b, name);
    enc_i64(&b, add);
    worker_send(w, FRAME_METRIC, 0, &b);
}

static void s_quota(void *ctx, const tl_quota *q)
{
    struct worker_instance *w = ctx;
    wire_put_quota(&w->out, q);
    worker_send(w, FRAME_QUOTA, 0, &w->out);
    buf_clear(&w->out);
}

static bool s_items(void *ctx, struct buf *items)
{
    struct worker_instance *w = ctx;
    bool ok = worker_send(w, FRAME_ITEMS, __atomic_load_n(&w->call_id, __ATOMIC_RELAXED), items);
    buf_clear(items);
    return ok;
}

/* Whatever is sent is one; this is for loops that send nothing, and for sleep. */
static void s_alive(void *ctx, uint32_t ms)
{
    struct worker_instance *w = ctx;
    int64_t now = worker_mono_us();
    if (ms == 0 && now - w->alive_us < ALIVE_EVERY_US)
        return;
    w->alive_us = now;
    AUTO(buf_done) struct buf b = {.max = 64};
    enc_u64(&b, ms);
    worker_send(w, FRAME_ALIVE, 0, &b);
}

/* ---- here ---- */

static int64_t s_now_us(void *ctx)
{
    struct worker_instance *w = ctx;
    return worker_mono_us() + w->clock_offset_us;
}

static int32_t s_cancelled(void *ctx)
{
    struct worker_instance *w = ctx;
    uint64_t call = __atomic_load_n(&w->call_id, __ATOMIC_RELAXED);
    return w->gone || (call && __atomic_load_n(&w->cancelled_call, __ATOMIC_RELAXED) == call);
}

void worker_cancel(struct worker_instance *w, uint64_t call_id)
{
    pthread_mutex_lock(&w->sleep_lock);
    __atomic_store_n(&w->cancelled_call, call_id, __ATOMIC_RELAXED);
    pthread_cond_broadcast(&w->sleep_cond);
    pthread_mutex_unlock(&w->sleep_lock);
}

static tl_status s_sleep_ms(void *ctx, uint32_t ms)
{
    struct worker_instance *w = ctx;
    int64_t until_us = worker_mono_us() + (int64_t)ms * 1000;
    struct timespec until = {.tv_sec = until_us / 1000000, .tv_nsec = (until_us % 1000000) * 1000};
    int rc = 0;
    pthread_mutex_lock(&w->sleep_lock);
    while (!s_cancelled(w) && rc == 0)
        rc = pthread_cond_timedwait(&w->sleep_cond, &w->sleep_lock, &until);
    pthread_mutex_unlock(&w->sleep_lock);
    return s_cancelled(w) ? TL_E_CANCELLED : TL_OK;
}

/* ---- questions ---- */

static tl_status s_http(void *ctx, tl_http *requests, uint32_t n, tl_error *error)
{
    struct worker_instance *w = ctx;
    arena_reset(&w->answer);
    wire_put_http(&w->out, requests, n);
    if (w->out.full) {
        buf_clear(&w->out);
        snprintf(error->text, sizeof error->text, "http() got requests of more than %d MiB", FRAME_MAX >> 20);
        return TL_E_BUG;
    }
    struct frame f;
    if (!ask(w, FRAME_HTTP, &f))
        return daemon_gone(error);
    tl_status status = TL_OK;
    for (uint32_t done = 0; done < n || done == 0;) {
        /* What is lent must outlive the frame. */
        struct decoder d = decoder_of(arena_str(&w->answer, f.body), &w->answer, false);
        if (done == 0)
            status = wire_get_status(&d, error);
        uint32_t here = dec_count(&d, 8);
        if (here == 0 || here > n - done)
            return daemon_gone(error);
        for (uint32_t i = 0; i < here; i++)
            wire_get_http_answer(&d, &requests[done + i]);
        done += here;
        if (d.bad || (done < n && !next_answer(w, &f)))
            return daemon_gone(error);
    }
    return status;
}

static tl_status s_auth_extra(void *ctx, const char *member, struct buf *out, tl_error *error)
{
    struct worker_instance *w = ctx;
    enc_text(&w->out, member);
    struct frame f;
    if (!ask(w, FRAME_AUTH_EXTRA, &f))
        return daemon_gone(error);
    struct decoder d = decoder_of(f.body, &w->answer, false);
    tl_status s = wire_get_status(&d, error);
    buf_str(out, dec_bytes(&d));
    return s;
}

static tl_status s_kv_get(void *ctx, const char *key, struct buf *out)
{
    struct worker_instance *w = ctx;
    enc_text(&w->out, key);
    struct frame f;
    if (!ask(w, FRAME_KV_GET, &f))
        return TL_E_CANCELLED;
    struct decoder d = decoder_of(f.body, &w->answer, false);
    tl_status s = dec_i32(&d);
    buf_str(out, dec_bytes(&d));
    return s;
}

/* The answer is a status alone. */
static tl_status ask_status(struct worker_instance *w, uint16_t type)
{
    struct frame f;
    if (!ask(w, type, &f))
        return TL_E_CANCELLED;
    struct decoder d = decoder_of(f.body, &w->answer, false);
    return dec_i32(&d);
}

static tl_status s_kv_set(void *ctx, const char *key, tl_str value)
{
    struct worker_instance *w = ctx;
    enc_text(&w->out, key);
    enc_str(&w->out, value);
    return ask_status(w, FRAME_KV_SET);
}

static tl_status s_blob_new(void *ctx, const char *name, uint64_t *handle)
{
    struct worker_instance *w = ctx;
    enc_text(&w->out, name);
    struct frame f;
    if (!ask(w, FRAME_BLOB_NEW, &f))
        return TL_E_CANCELLED;
    struct decoder d = decoder_of(f.body, &w->answer, false);
    tl_status s = dec_i32(&d);
    *handle = dec_u64(&d);
    return s;
}

static tl_status s_blob_write(void *ctx, uint64_t handle, tl_str bytes)
{
    struct worker_instance *w = ctx;
    enc_u64(&w->out, handle);
    enc_str(&w->out, bytes);
    return ask_status(w, FRAME_BLOB_WRITE);
}

static tl_status s_blob_read(void *ctx, uint64_t handle, uint64_t offset, char *buf, uint64_t cap, uint64_t *len)
{
    struct worker_instance *w = ctx;
    enc_u64(&w->out, handle);
    enc_u64(&w->out, offset);
    enc_u64(&w->out, cap);
    struct frame f;
    if (!ask(w, FRAME_BLOB_READ, &f))
        return TL_E_CANCELLED;
    struct decoder d = decoder_of(f.body, &w->answer, false);
    tl_status s = dec_i32(&d);
    tl_str bytes = dec_bytes(&d);
    if (bytes.n > cap)
        return TL_E_CANCELLED;
    memcpy(buf, bytes.p, bytes.n);
    *len = bytes.n;
    return s;
}

static tl_status s_blob_describe(void *ctx, uint64_t handle, const tl_blob *about)
{
    struct worker_instance *w = ctx;
    enc_u64(&w->out, handle);
    wire_put_blob(&w->out, about);
    return ask_status(w, FRAME_BLOB_DESCRIBE);
}

/* Its texts lie in the frame, which the next one takes the place of. */
static tl_status s_blob_about(void *ctx, uint64_t handle, tl_blob *out)
{
    struct worker_instance *w = ctx;
    enc_u64(&w->out, handle);
    struct frame f;
    if (!ask(w, FRAME_BLOB_ABOUT, &f))
        return TL_E_CANCELLED;
    struct decoder d = decoder_of(f.body, &w->answer, false);
    tl_status s = dec_i32(&d);
    wire_get_blob(&d, out);
    return s;
}

static void s_call_end(void *ctx)
{
    struct worker_instance *w = ctx;
    arena_reset(&w->answer);
}

void worker_services(struct worker_instance *w, struct services *out)
{
    *out = (struct services){
        .ctx = w,
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
        .items = s_items,
        .alive = s_alive,
        .call_end = s_call_end,
    };
}
