/* The host table of an instance: checks what the connector hands over, then passes it on. */
#include <stdio.h>

#include "codec.h"
#include "instance_int.h"
#include "wire.h"

enum { LOG_LINE_MAX = 2000, METRIC_NAME_MAX = 64, KEY_MAX = 200, VALUE_MAX = 64 << 10, SLEEP_MAX_MS = 600000 };

static void complain(struct instance *i, const char *fact, const char *what)
{
    char line[768];
    int n = snprintf(line, sizeof line, "%s%s", fact, what);
    if (n > (int)sizeof line - 1)
        n = (int)sizeof line - 1;
    i->services.log(i->services.ctx, TL_ERROR, (tl_str){line, (uint64_t)n});
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
    if (level < TL_DEBUG || level > TL_ERROR)
        level = TL_ERROR;
    if (line.n > LOG_LINE_MAX)
        line.n = LOG_LINE_MAX;
    i->services.log(i->services.ctx, level, line);
}

static void host_metric(const tl_host *h, const char *name, int64_t add)
{
    struct instance *i = instance_of(h);
    size_t n = name ? strnlen(name, METRIC_NAME_MAX + 1) : 0;
    bool ok = n > 0 && n <= METRIC_NAME_MAX;
    for (size_t k = 0; ok && k < n; k++)
        ok = (name[k] >= 'a' && name[k] <= 'z') || (name[k] >= '0' && name[k] <= '9') || name[k] == '_';
    if (ok)
        i->services.metric(i->services.ctx, name, add);
}

static int64_t host_now_us(const tl_host *h)
{
    struct instance *i = instance_of(h);
    return i->services.now_us(i->services.ctx);
}

static int32_t host_cancelled(const tl_host *h)
{
    struct instance *i = instance_of(h);
    return i->services.cancelled(i->services.ctx);
}

/* ---- services ---- */

static tl_status host_sleep_ms(const tl_host *h, uint32_t ms)
{
    struct instance *i = instance_of(h);
    instance_flush(i);
    return i->services.sleep_ms(i->services.ctx, ms > SLEEP_MAX_MS ? SLEEP_MAX_MS : ms);
}

static tl_status http_refused(tl_error *e, const char *text)
{
    if (e)
        snprintf(e->text, sizeof e->text, "%s", text);
    return TL_E_BUG;
}

static tl_status host_http(const tl_host *h, tl_http *requests, uint32_t n, tl_error *e)
{
    struct instance *i = instance_of(h);
    if (n == 0)
        return TL_OK;
    if (!requests || n > HTTP_BATCH_MAX)
        return http_refused(e, "http() takes 1 to 1000 requests");
    size_t stride = requests[0].struct_size;
    if (stride < offsetof(tl_http, error) + sizeof requests->error)
        return http_refused(e, "http() got requests without struct_size");
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
        return http_refused(e, "http() got more than 15 MiB of bodies: use blobs");
    tl_error error = {.struct_size = sizeof error};
    tl_status s = i->services.http(i->services.ctx, own, n, &error);
    for (uint32_t k = 0; k < n; k++) {
        http_answer_limit(&own[k]);
        own[k].struct_size = (uint32_t)stride;
        memcpy((char *)requests + stride * k, &own[k], stride < sizeof own[k] ? stride : sizeof own[k]);
    }
    if (s && e)
        codec_adopt(e, e->struct_size < sizeof error ? e->struct_size : sizeof error, &error, sizeof error);
    return s;
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
    codec_adopt(&q, sizeof q, from, from->struct_size);
    if (q.name.n && q.name.n < 32 && codec_utf8(q.name))
        i->services.quota(i->services.ctx, &q);
}

static tl_status host_kv_get(const tl_host *h, const char *key, char *buf, uint64_t cap, uint64_t *len)
{
    struct instance *i = instance_of(h);
    *len = 0;
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
    if (!key || !*key || strlen(key) > KEY_MAX || value.n > VALUE_MAX)
        return TL_E_BUG;
    instance_flush(i);
    return i->services.kv_set(i->services.ctx, key, value);
}

static tl_status host_blob_new(const tl_host *h, const char *name, uint64_t *handle)
{
    struct instance *i = instance_of(h);
    instance_flush(i);
    return i->services.blob_new(i->services.ctx, name ? name : "", handle);
}

static tl_status host_blob_write(const tl_host *h, uint64_t handle, tl_str bytes)
{
    struct instance *i = instance_of(h);
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
    return i->services.blob_read(i->services.ctx, handle, offset, buf, cap < limit ? cap : limit, len);
}

/* ---- answers of a call ---- */

static bool in_call(struct instance *i, enum item_kind item, const char *function)
{
    if (i->reply && item_allowed(i->call->kind, item))
        return true;
    complain(i, "outside of the calls it belongs to the connector calls ", function);
    return false;
}

/* Status of the host function after an item was added (rc, e) or refused. */
static tl_status added(struct instance *i, size_t before, int rc, const struct err *e)
{
    if (rc) {
        complain(i, "the host refuses what the connector answers: ", e->text);
        return TL_E_INVALID;
    }
    i->items_bytes += i->reply->items.n - before;
    if (i->items_bytes > REPLY_ITEMS_MAX) {
        i->reply->items.n = before;
        complain(i, "the answer to one call is larger than 64 MiB", "");
        return TL_E_INVALID;
    }
    if (i->reply->items.n >= ITEMS_FLUSH_BYTES && !instance_flush(i))
        return TL_E_CANCELLED;
    return TL_OK;
}

static tl_status host_account(const tl_host *h, const tl_account *from)
{
    struct instance *i = instance_of(h);
    if (!in_call(i, ITEM_ACCOUNT, "account"))
        return TL_E_BUG;
    tl_account a;
    codec_adopt(&a, sizeof a, from, from->struct_size);
    struct err e = {0};
    size_t before = i->reply->items.n;
    return added(i, before, reply_add_account(i->reply, &a, &e), &e);
}

static tl_status host_finding(const tl_host *h, const tl_finding *from)
{
    struct instance *i = instance_of(h);
    if (!in_call(i, ITEM_FINDING, "finding"))
        return TL_E_BUG;
    tl_finding f;
    codec_adopt(&f, sizeof f, from, from->struct_size);
    struct err e = {0};
    size_t before = i->reply->items.n;
    return added(i, before, reply_add_finding(i->reply, &f, &e), &e);
}

static tl_status host_describe(const tl_host *h, const tl_kind *from)
{
    struct instance *i = instance_of(h);
    if (!in_call(i, ITEM_KIND, "describe"))
        return TL_E_BUG;
    tl_kind k;
    codec_adopt(&k, sizeof k, from, from->struct_size);
    struct err e = {0};
    size_t before = i->reply->items.n;
    return added(i, before, reply_add_kind(i->reply, &k, &e), &e);
}

static tl_status host_emit(const tl_host *h, const tl_batch *from)
{
    struct instance *i = instance_of(h);
    if (!in_call(i, ITEM_RECORD, "emit"))
        return TL_E_BUG;
    tl_batch b;
    codec_adopt(&b, sizeof b, from, from->struct_size);
    uint32_t n_fields = request_n_fields(i->call);
    for (uint32_t k = 0; k < b.count; k++) {
        const tl_record *record = TL_AT(tl_record, b.records, b.stride, k);
        tl_record own;
        if (b.stride < sizeof own) { /* an older header's */
            codec_adopt(&own, sizeof own, record, b.stride);
            record = &own;
        }
        struct err e = {0};
        size_t before = i->reply->items.n;
        tl_status s = added(i, before, reply_add_record_of(i->reply, record, n_fields, &e), &e);
        if (s)
            return s;
    }
    return host_cancelled(h) ? TL_E_CANCELLED : TL_OK;
}

static tl_status host_checkpoint(const tl_host *h, const tl_checkpoint *from)
{
    struct instance *i = instance_of(h);
    if (!in_call(i, ITEM_CHECKPOINT, "checkpoint"))
        return TL_E_BUG;
    tl_checkpoint c;
    codec_adopt(&c, sizeof c, from, from->struct_size);
    struct err e = {0};
    size_t before = i->reply->items.n;
    tl_status s = added(i, before, reply_add_checkpoint(i->reply, &c, &e), &e);
    if (s)
        return s;
    i->pages++;
    uint32_t budget = i->call->request.pull.max_pages;
    if (!instance_flush(i) || (budget && i->pages >= budget) || host_cancelled(h))
        return TL_E_CANCELLED;
    return TL_OK;
}

static tl_status host_result(const tl_host *h, uint32_t index, const tl_result *from)
{
    struct instance *i = instance_of(h);
    if (!in_call(i, ITEM_RESULT, "result"))
        return TL_E_BUG;
    if (index >= i->call->request.push.batch->count || i->result_seen[index]) {
        complain(i, "the connector gives a second result, or one for a record that was not pushed", "");
        return TL_E_INVALID;
    }
    tl_result r;
    codec_adopt(&r, sizeof r, from, from->struct_size);
    if (r.status < TL_OK || r.status > TL_E_QUOTA)
        r.status = TL_E_BUG;
    struct err e = {0};
    size_t before = i->reply->items.n;
    tl_status s = added(i, before, reply_add_result_of(i->reply, index, &r, request_n_fields(i->call), &e), &e);
    if (s == TL_E_INVALID)
        return s;
    i->result_seen[index] = 1;
    i->results++;
    return s;
}

static tl_status host_subscription(const tl_host *h, const tl_subscription *from)
{
    struct instance *i = instance_of(h);
    if (!in_call(i, ITEM_SUBSCRIPTION, "subscription"))
        return TL_E_BUG;
    tl_subscription s;
    codec_adopt(&s, sizeof s, from, from->struct_size);
    struct err e = {0};
    size_t before = i->reply->items.n;
    return added(i, before, reply_add_subscription(i->reply, &s, &e), &e);
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
        .account = host_account,
        .finding = host_finding,
        .describe = host_describe,
        .emit = host_emit,
        .checkpoint = host_checkpoint,
        .result = host_result,
        .subscription = host_subscription,
    };
}
