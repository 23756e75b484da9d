#include "tap.h"

#include <inttypes.h>

#include "err.h"
#include "log.h"

enum { BODY_SHOWN = 300 };

static void say(const struct tap *t, const struct buf *line)
{
    AUTO(buf_done) struct buf clean = {0};
    redact(&clean, buf_lent(line));
    if (t->tell)
        t->tell(t->ctx, buf_text(&clean));
}

static bool fails(const struct tap *t, const char *service)
{
    return t->fails && t->fails(t->ctx, service);
}

static void t_log(void *ctx, int32_t level, tl_str line)
{
    static const char *const names[] = {"debug", "info", "warning", "error"};
    const struct tap *t = ctx;
    AUTO(buf_done) struct buf b = {0};
    buf_fmt(&b, "log %s: %.*s", names[level & 3], STR_FMT(line));
    say(t, &b);
}

static void t_metric(void *ctx, const char *name, int64_t add)
{
    const struct tap *t = ctx;
    AUTO(buf_done) struct buf b = {0};
    buf_fmt(&b, "metric %s %+" PRId64, name, add);
    say(t, &b);
    t->inner.metric(t->inner.ctx, name, add);
}

static int64_t t_now_us(void *ctx)
{
    const struct tap *t = ctx;
    int64_t real = t->inner.now_us(t->inner.ctx);
    return t->now_us ? t->now_us(t->ctx, real) : real;
}

static int32_t t_cancelled(void *ctx)
{
    const struct tap *t = ctx;
    return t->inner.cancelled(t->inner.ctx) || (t->cancelled && t->cancelled(t->ctx));
}

static tl_status t_sleep_ms(void *ctx, uint32_t ms)
{
    const struct tap *t = ctx;
    AUTO(buf_done) struct buf b = {0};
    buf_fmt(&b, "sleep %" PRIu32 " ms", ms);
    say(t, &b);
    return t->inner.sleep_ms(t->inner.ctx, ms);
}

static void say_answer(const struct tap *t, const tl_http *r)
{
    AUTO(buf_done) struct buf b = {0};
    buf_fmt(&b, "http %s %.*s", r->method, STR_FMT(r->url));
    if (r->body.n)
        buf_fmt(&b, " (%" PRIu64 " bytes)", r->body.n);
    if (r->outcome)
        buf_fmt(&b, " -> %s: %s", status_name(r->outcome), r->error);
    else
        buf_fmt(&b, " -> %" PRId32 ", %" PRIu64 " bytes, %" PRId64 " ms", r->status, r->out_body.n, r->took_us / 1000);
    if (r->outcome == TL_OK && r->status >= 400)
        buf_fmt(&b, ": %.*s", (int)(r->out_body.n < BODY_SHOWN ? r->out_body.n : BODY_SHOWN),
                r->out_body.n ? r->out_body.p : "");
    say(t, &b);
}

static tl_status t_http(void *ctx, tl_http *requests, uint32_t n, tl_error *error)
{
    const struct tap *t = ctx;
    tl_status s =
        t->http ? t->http(t->ctx, &t->inner, requests, n, error) : t->inner.http(t->inner.ctx, requests, n, error);
    for (uint32_t i = 0; i < n; i++)
        say_answer(t, TL_AT(tl_http, requests, requests[0].struct_size, i));
    return s;
}

static tl_status t_auth_extra(void *ctx, const char *member, struct buf *out, tl_error *error)
{
    const struct tap *t = ctx;
    tl_status s = fails(t, "auth_extra") ? TL_E_TEMPORARY : t->inner.auth_extra(t->inner.ctx, member, out, error);
    AUTO(buf_done) struct buf b = {0};
    buf_fmt(&b, "auth_extra %s -> %s", member, s ? status_name(s) : buf_text(out));
    say(t, &b);
    return s;
}

static void t_quota(void *ctx, const tl_quota *q)
{
    const struct tap *t = ctx;
    AUTO(buf_done) struct buf b = {0};
    buf_fmt(&b, "quota %.*s: %" PRId64 " of %" PRId64 " left", STR_FMT(q->name), q->remaining, q->limit);
    say(t, &b);
    t->inner.quota(t->inner.ctx, q);
}

static tl_status t_kv_get(void *ctx, const char *key, struct buf *out)
{
    const struct tap *t = ctx;
    tl_status s = fails(t, "kv_get") ? TL_E_TEMPORARY : t->inner.kv_get(t->inner.ctx, key, out);
    AUTO(buf_done) struct buf b = {0};
    buf_fmt(&b, "kv_get %s -> %s", key, s ? status_name(s) : buf_text(out));
    say(t, &b);
    return s;
}

static tl_status t_kv_set(void *ctx, const char *key, tl_str value)
{
    const struct tap *t = ctx;
    AUTO(buf_done) struct buf b = {0};
    buf_fmt(&b, "kv_set %s = %.*s", key, STR_FMT(value));
    say(t, &b);
    return fails(t, "kv_set") ? TL_E_TEMPORARY : t->inner.kv_set(t->inner.ctx, key, value);
}

static tl_status t_blob_new(void *ctx, const char *name, uint64_t *handle)
{
    const struct tap *t = ctx;
    return fails(t, "blob_new") ? TL_E_TEMPORARY : t->inner.blob_new(t->inner.ctx, name, handle);
}

static tl_status t_blob_write(void *ctx, uint64_t handle, tl_str bytes)
{
    const struct tap *t = ctx;
    return fails(t, "blob_write") ? TL_E_TEMPORARY : t->inner.blob_write(t->inner.ctx, handle, bytes);
}

static tl_status t_blob_read(void *ctx, uint64_t handle, uint64_t offset, char *buf, uint64_t cap, uint64_t *len)
{
    const struct tap *t = ctx;
    return fails(t, "blob_read") ? TL_E_TEMPORARY : t->inner.blob_read(t->inner.ctx, handle, offset, buf, cap, len);
}

static tl_status t_blob_describe(void *ctx, uint64_t handle, const tl_blob *about)
{
    const struct tap *t = ctx;
    return t->inner.blob_describe(t->inner.ctx, handle, about);
}

static tl_status t_blob_about(void *ctx, uint64_t handle, tl_blob *out)
{
    const struct tap *t = ctx;
    return t->inner.blob_about(t->inner.ctx, handle, out);
}

static void t_alive(void *ctx, uint32_t ms)
{
    const struct tap *t = ctx;
    t->inner.alive(t->inner.ctx, ms);
}

static void t_call_end(void *ctx)
{
    const struct tap *t = ctx;
    t->inner.call_end(t->inner.ctx);
}

void tap_wrap(void *tap, struct services *services)
{
    struct tap *t = tap;
    t->inner = *services;
    *services = (struct services){
        .ctx = t,
        .log = t_log,
        .metric = t_metric,
        .now_us = t_now_us,
        .cancelled = t_cancelled,
        .sleep_ms = t_sleep_ms,
        .http = t_http,
        .auth_extra = t_auth_extra,
        .quota = t_quota,
        .kv_get = t_kv_get,
        .kv_set = t_kv_set,
        .blob_new = t_blob_new,
        .blob_write = t_blob_write,
        .blob_read = t_blob_read,
        .blob_describe = t_blob_describe,
        .blob_about = t_blob_about,
        .alive = t_alive,
        .call_end = t_call_end,
    };
}
