/* The host table of an instance: checks what the connector hands over, then passes it on. */
#include <stdio.h>

#include "admit.h"
#include "codec.h"
#include "instance_int.h"
#include "wire.h"

enum { LOG_LINE_MAX = 2000, METRIC_NAME_MAX = 64, KEY_MAX = 200, VALUE_MAX = 64 << 10, SLEEP_MAX_MS = 600000 };

/* Several threads may come at once when one of them has no business here. */
bool instance_own_thread(struct instance *i, const char *function)
{
    pthread_t driver;
    __atomic_load(&i->thread, &driver, __ATOMIC_RELAXED);
    if (!__atomic_load_n(&i->closed, __ATOMIC_ACQUIRE) && pthread_equal(driver, pthread_self())) {
        if (i->services.alive)
            i->services.alive(i->services.ctx, 0);
        return true;
    }
    __atomic_store_n(i->module->foreign_threads, true, __ATOMIC_RELAXED); /* its code stays mapped */
    if (__atomic_fetch_add(&i->foreign_calls, 1, __ATOMIC_RELAXED) < FOREIGN_TOLD &&
        !__atomic_load_n(&i->closed, __ATOMIC_ACQUIRE))
        instance_log(i, TL_ERROR,
                     "connector \"%s\" calls %s on a thread of its own: only log, metric, now_us and cancelled may be "
                     "called there",
                     i->module->connector.id, function);
    return false;
}

/* ---- any thread ---- */

static const void *host_extension(const tl_host *h, const char *id)
{
    (void)h;
    (void)id;
    return NULL; /* none yet; a connector must live with that */
}

static void host_log(const tl_host *h, int32_t level, tl_str line)
{
    struct instance *i = instance_of(h);
    if (__atomic_load_n(&i->closed, __ATOMIC_ACQUIRE) || (line.n && !line.p))
        return;
    if (level < TL_DEBUG || level > TL_ERROR)
        level = TL_ERROR;
    if (line.n > LOG_LINE_MAX)
        line.n = LOG_LINE_MAX;
    while (line.n == LOG_LINE_MAX && line.n && ((unsigned char)line.p[line.n - 1] & 0xc0) == 0x80)
        line.n--; /* not inside a character */
    if (!codec_utf8(line)) {
        instance_log(i, TL_WARN, "connector \"%s\" logs text that is not UTF-8", i->module->connector.id);
        return;
    }
    i->services.log(i->services.ctx, level, line);
}

static void host_metric(const tl_host *h, const char *name, int64_t add)
{
    struct instance *i = instance_of(h);
    size_t n = name ? strnlen(name, METRIC_NAME_MAX + 1) : 0;
    bool ok = n > 0 && n <= METRIC_NAME_MAX;
    for (size_t k = 0; ok && k < n; k++)
        ok = (name[k] >= 'a' && name[k] <= 'z') || (name[k] >= '0' && name[k] <= '9') || name[k] == '_';
    if (ok && !__atomic_load_n(&i->closed, __ATOMIC_ACQUIRE))
        i->services.metric(i->services.ctx, name, add);
}

static int64_t host_now_us(const tl_host *h)
{
    struct instance *i = instance_of(h);
    if (__atomic_load_n(&i->closed, __ATOMIC_ACQUIRE))
        return 0;
    return i->services.now_us(i->services.ctx);
}

static int32_t host_cancelled(const tl_host *h)
{
    struct instance *i = instance_of(h);
    if (__atomic_load_n(&i->closed, __ATOMIC_ACQUIRE))
        return 1;
    return i->services.cancelled(i->services.ctx);
}

/* ---- services ---- */

/* A service that was cut says so before the word of the host arrives by its own way: who ends then was told to. */
static tl_status told(struct instance *i, tl_status s)
{
    i->stopped = i->stopped || s == TL_E_CANCELLED;
    return s;
}

static tl_status host_sleep_ms(const tl_host *h, uint32_t ms)
{
    struct instance *i = instance_of(h);
    if (!instance_own_thread(i, "sleep_ms"))
        return TL_E_BUG;
    instance_flush(i);
    ms = ms > SLEEP_MAX_MS ? SLEEP_MAX_MS : ms;
    if (i->services.alive)
        i->services.alive(i->services.ctx, ms);
    return told(i, i->services.sleep_ms(i->services.ctx, ms));
}

static tl_status http_refused(struct instance *i, tl_error *e, const char *text)
{
    char place[128];
    instance_place(i, place, sizeof place);
    instance_log(i, TL_ERROR, "connector \"%s\", http in %s: %s", i->module->connector.id, place, text);
    if (e)
        snprintf(e->text, sizeof e->text, "http(): %s", text);
    return TL_E_BUG;
}

static tl_status host_http(const tl_host *h, tl_http *requests, uint32_t n, tl_error *e)
{
    struct instance *i = instance_of(h);
    if (!instance_own_thread(i, "http"))
        return TL_E_BUG;
    if (n == 0)
        return TL_OK;
    struct err wrong = {0};
    if (!requests || n > HTTP_BATCH_MAX)
        return http_refused(i, e, "it takes 1 to 256 requests");
    if (admit_size("tl_http", requests, ADMIT_LEAST(tl_http, error), &wrong))
        return http_refused(i, e, wrong.text);
    size_t stride = requests[0].struct_size;
    for (uint32_t k = 1; k < n; k++)
        if (TL_AT(tl_http, requests, stride, k)->struct_size != stride)
            return http_refused(i, e, "struct_size is not the same in every request");
    instance_flush(i);

    arena_reset(&i->scratch);
    tl_http *own = arena_array(&i->scratch, tl_http, n);
    uint64_t bytes = 0;
    for (uint32_t k = 0; k < n; k++) {
        codec_adopt(&own[k], sizeof own[k], TL_AT(tl_http, requests, stride, k), stride);
        own[k].struct_size = sizeof own[k];
        bytes += own[k].body.n;
    }
    if (bytes > HTTP_BODY_MAX)
        return http_refused(i, e, "more than 15 MiB of bodies: use blobs");
    tl_error error = {.struct_size = sizeof error};
    tl_status s = i->services.http(i->services.ctx, own, n, &error);
    for (uint32_t k = 0; k < n; k++) {
        http_answer_limit(&own[k]);
        own[k].struct_size = (uint32_t)stride;
        memcpy((char *)requests + stride * k, &own[k], stride < sizeof own[k] ? stride : sizeof own[k]);
    }
    if (s && e)
        codec_adopt(e, e->struct_size < sizeof error ? e->struct_size : sizeof error, &error, sizeof error);
    return told(i, s);
}

/* Copies a value into the caller's buffer; *len is the whole length. */
static tl_status hand_out(const struct buf *value, char *buf, uint64_t cap, uint64_t *len)
{
    *len = value->n;
    if (value->n > cap)
        return TL_E_INVALID;
    if (value->n)
        memcpy(buf, value->p, value->n);
    if (value->n < cap)
        buf[value->n] = 0;
    return TL_OK;
}

static tl_status host_auth_extra(const tl_host *h, const char *member, char *buf, uint64_t cap, uint64_t *len,
                                 tl_error *e)
{
    struct instance *i = instance_of(h);
    if (!instance_own_thread(i, "auth_extra"))
        return TL_E_BUG;
    instance_flush(i);
    AUTO(buf_done) struct buf value = {.max = VALUE_MAX};
    tl_error error = {.struct_size = sizeof error};
    tl_status s = i->services.auth_extra(i->services.ctx, member ? member : "", &value, &error);
    *len = 0;
    if (s == TL_OK)
        return hand_out(&value, buf, cap, len);
    if (e)
        codec_adopt(e, e->struct_size < sizeof error ? e->struct_size : sizeof error, &error, sizeof error);
    return s;
}

static void host_quota(const tl_host *h, const tl_quota *from)
{
    struct instance *i = instance_of(h);
    tl_quota q;
    struct err e = {0};
    if (!instance_own_thread(i, "quota"))
        return;
    if (admit_size("tl_quota", from, ADMIT_LEAST(tl_quota, resets_us), &e)) {
        instance_log(i, TL_ERROR, "connector \"%s\", quota: %s", i->module->connector.id, e.text);
        return;
    }
    codec_adopt(&q, sizeof q, from, from->struct_size);
    if (q.name.n && q.name.p && q.name.n < 32 && codec_utf8(q.name))
        i->services.quota(i->services.ctx, &q);
}

static tl_status host_kv_get(const tl_host *h, const char *key, char *buf, uint64_t cap, uint64_t *len)
{
    struct instance *i = instance_of(h);
    *len = 0;
    if (!instance_own_thread(i, "kv_get"))
        return TL_E_BUG;
    if (!key || !*key || strlen(key) > KEY_MAX)
        return TL_E_BUG;
    instance_flush(i);
    AUTO(buf_done) struct buf value = {.max = VALUE_MAX};
    tl_status s = i->services.kv_get(i->services.ctx, key, &value);
    return s ? s : hand_out(&value, buf, cap, len);
}

static tl_status host_kv_set(const tl_host *h, const char *key, tl_str value)
{
    struct instance *i = instance_of(h);
    if (!instance_own_thread(i, "kv_set"))
        return TL_E_BUG;
    if (!key || !*key || strlen(key) > KEY_MAX || value.n > VALUE_MAX)
        return TL_E_BUG;
    instance_flush(i);
    return i->services.kv_set(i->services.ctx, key, value);
}

static tl_status host_blob_new(const tl_host *h, const char *name, uint64_t *handle)
{
    struct instance *i = instance_of(h);
    if (!instance_own_thread(i, "blob_new"))
        return TL_E_BUG;
    instance_flush(i);
    return i->services.blob_new(i->services.ctx, name ? name : "", handle);
}

static tl_status host_blob_write(const tl_host *h, uint64_t handle, tl_str bytes)
{
    struct instance *i = instance_of(h);
    if (!instance_own_thread(i, "blob_write"))
        return TL_E_BUG;
    while (bytes.n) { /* in pieces that fit a frame */
        tl_str piece = {bytes.p, bytes.n < ITEMS_FLUSH_BYTES * 16u ? bytes.n : ITEMS_FLUSH_BYTES * 16u};
        tl_status s = i->services.blob_write(i->services.ctx, handle, piece);
        if (s)
            return s;
        bytes.p += piece.n;
        bytes.n -= piece.n;
    }
    return TL_OK;
}

static tl_status host_blob_read(const tl_host *h, uint64_t handle, uint64_t offset, char *buf, uint64_t cap,
                                uint64_t *len)
{
    struct instance *i = instance_of(h);
    uint64_t limit = ITEMS_FLUSH_BYTES * 16u;
    *len = 0;
    if (!instance_own_thread(i, "blob_read"))
        return TL_E_BUG;
    return i->services.blob_read(i->services.ctx, handle, offset, buf, cap < limit ? cap : limit, len);
}

static tl_status host_blob_describe(const tl_host *h, uint64_t handle, const tl_blob *from)
{
    struct instance *i = instance_of(h);
    struct err e = {0};
    tl_blob about;
    if (!instance_own_thread(i, "blob_describe"))
        return TL_E_BUG;
    int rc = admit_size("tl_blob", from, ADMIT_LEAST(tl_blob, media_type), &e);
    if (!rc) {
        codec_adopt(&about, sizeof about, from, from->struct_size);
        rc = admit_text("name", about.name, &e);
    }
    if (!rc)
        rc = admit_text("media type", about.media_type, &e);
    if (rc) {
        instance_log(i, TL_ERROR, "connector \"%s\", blob_describe: %s", i->module->connector.id, e.text);
        return TL_E_INVALID;
    }
    return i->services.blob_describe(i->services.ctx, handle, &about);
}

static tl_status host_blob_about(const tl_host *h, uint64_t handle, tl_blob *out)
{
    struct instance *i = instance_of(h);
    struct err e = {0};
    tl_blob own = {.struct_size = sizeof own};
    if (!instance_own_thread(i, "blob_about"))
        return TL_E_BUG;
    if (admit_size("tl_blob", out, ADMIT_LEAST(tl_blob, media_type), &e)) {
        instance_log(i, TL_ERROR, "connector \"%s\", blob_about: %s", i->module->connector.id, e.text);
        return TL_E_INVALID;
    }
    tl_status s = i->services.blob_about(i->services.ctx, handle, &own);
    if (s)
        return s;
    own.name = arena_str(&i->answer, own.name);
    own.media_type = arena_str(&i->answer, own.media_type);
    own.struct_size = out->struct_size;
    memcpy(out, &own, out->struct_size < sizeof own ? out->struct_size : sizeof own);
    return TL_OK;
}

void instance_host_init(tl_host *h)
{
    *h = (tl_host){
        .struct_size = sizeof *h,
        .abi_major = TL_ABI_MAJOR,
        .abi_minor = TL_ABI_MINOR,
        .name = "tieline",
        .version = TIELINE_VERSION,
        .extension = host_extension,
        .log = host_log,
        .metric = host_metric,
        .now_us = host_now_us,
        .cancelled = host_cancelled,
        .sleep_ms = host_sleep_ms,
        .http = host_http,
        .auth_extra = host_auth_extra,
        .quota = host_quota,
        .kv_get = host_kv_get,
        .kv_set = host_kv_set,
        .blob_new = host_blob_new,
        .blob_write = host_blob_write,
        .blob_read = host_blob_read,
        .blob_describe = host_blob_describe,
        .blob_about = host_blob_about,
    };
    instance_answer_init(h);
}
