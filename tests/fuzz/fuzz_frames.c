/* The daemon's end of a worker's channel: a worker that sends whatever it likes, in answer to a call. The first byte
 * chooses the call; the rest are the bytes on the socket. The host takes what fits or ends the worker, and is never
 * stuck: every call ends. */
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "remote_int.h"
#include "wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* ---- a host that knows everything and does nothing ---- */

static void s_log(void *ctx, int32_t level, tl_str line)
{
    (void)ctx;
    (void)level;
    (void)line;
}

static void s_metric(void *ctx, const char *name, int64_t add)
{
    (void)ctx;
    (void)name;
    (void)add;
}

static int32_t s_cancelled(void *ctx)
{
    (void)ctx;
    return 0;
}

static tl_status s_http(void *ctx, tl_http *requests, uint32_t n, tl_error *error)
{
    (void)ctx;
    (void)error;
    for (uint32_t i = 0; i < n; i++)
        requests[i].status = 204;
    return TL_OK;
}

static tl_status s_auth_extra(void *ctx, const char *member, struct buf *out, tl_error *error)
{
    (void)ctx;
    (void)error;
    buf_text_add(out, member);
    return TL_OK;
}

static void s_quota(void *ctx, const tl_quota *q)
{
    (void)ctx;
    (void)q;
}

static tl_status s_kv_get(void *ctx, const char *key, struct buf *out)
{
    (void)ctx;
    buf_text_add(out, key);
    return TL_OK;
}

static tl_status s_kv_set(void *ctx, const char *key, tl_str value)
{
    (void)ctx;
    (void)key;
    (void)value;
    return TL_OK;
}

static tl_status s_blob_new(void *ctx, const char *name, uint64_t *handle)
{
    (void)ctx;
    (void)name;
    *handle = 1;
    return TL_OK;
}

static tl_status s_blob_write(void *ctx, uint64_t handle, tl_str bytes)
{
    (void)ctx;
    (void)handle;
    (void)bytes;
    return TL_OK;
}

static tl_status s_blob_read(void *ctx, uint64_t handle, uint64_t offset, char *out, uint64_t cap, uint64_t *len)
{
    (void)ctx;
    (void)handle;
    (void)offset;
    memset(out, 'x', cap);
    *len = cap;
    return TL_OK;
}

static tl_status s_blob_describe(void *ctx, uint64_t handle, const tl_blob *about)
{
    (void)ctx;
    (void)handle;
    (void)about;
    return TL_OK;
}

static tl_status s_blob_about(void *ctx, uint64_t handle, tl_blob *out)
{
    (void)ctx;
    (void)handle;
    *out = (tl_blob){.struct_size = sizeof *out, .name = STR("a.pdf"), .media_type = STR("application/pdf")};
    return TL_OK;
}

static const struct services services = {.log = s_log,
                                         .metric = s_metric,
                                         .cancelled = s_cancelled,
                                         .http = s_http,
                                         .auth_extra = s_auth_extra,
                                         .quota = s_quota,
                                         .kv_get = s_kv_get,
                                         .kv_set = s_kv_set,
                                         .blob_new = s_blob_new,
                                         .blob_write = s_blob_write,
                                         .blob_read = s_blob_read,
                                         .blob_describe = s_blob_describe,
                                         .blob_about = s_blob_about};

/* ---- the worker ---- */

struct hostile {
    struct channel control; /* its end */
    str bytes;
};

static bool write_all(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);
        if (sent < 0)
            return false;
        p += sent;
        n -= (size_t)sent;
    }
    return true;
}

/* Opens the instance as it should; then come the bytes. What the host says is read and forgotten. */
static void *hostile_main(void *arg)
{
    struct hostile *h = arg;
    struct frame f;
    struct err e = {0};
    AUTO(buf_done) struct buf opened = {.max = 4096};
    char drain[4096];
    wire_put_status(&opened, TL_OK, NULL);
    if (channel_read(&h->control, &f, -1, &e) || f.fd < 0)
        abort();
    AUTO(channel_done) struct channel instance;
    channel_init(&instance, f.fd, false);
    if (channel_write(&instance, FRAME_OPENED, 0, buf_lent(&opened), &e) == TL_OK)
        write_all(instance.fd, h->bytes.p, h->bytes.n);
    shutdown(instance.fd, SHUT_WR);
    while (recv(instance.fd, drain, sizeof drain, 0) > 0)
        ;
    return NULL;
}

/* ---- one input ---- */

static void run(struct remote *r, enum call_kind kind)
{
    AUTO(call_free) struct call *c = call_new(kind, 1, 0);
    static const tl_field fields[4] = {{.type = TL_TEXT}, {.type = TL_INT}, {.type = TL_LIST}, {.type = TL_DECIMAL}};
    static const tl_shape shape = {
        .struct_size = sizeof shape, .n_fields = 4, .field_stride = sizeof *fields, .fields = fields};
    static const tl_record records[3] = {{.id = TL_STR("1")}, {.id = TL_STR("2")}, {.id = TL_STR("3")}};
    static const tl_batch batch = {
        .struct_size = sizeof batch, .count = 3, .stride = sizeof *records, .records = records};
    if (kind == CALL_PULL)
        c->request.pull.shape = &shape;
    if (kind == CALL_LIST)
        c->request.list.shape = &shape;
    if (kind == CALL_ACT) {
        c->request.act.shape = &shape;
        c->request.act.record = records;
    }
    if (kind == CALL_PUSH) {
        c->request.push.shape = &shape;
        c->request.push.batch = &batch;
    }
    remote_run(r, c, STR("request"), 0, &c->reply);
    AUTO(reply_reader_done) struct reply_reader reader;
    reply_reader_init(&reader, &c->reply);
    for (struct item item; reply_next(&reader, &item);)
        ;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const enum call_kind kinds[] = {CALL_CHECK, CALL_DISCOVER, CALL_PULL, CALL_PUSH, CALL_LIST, CALL_ACT};
    if (n < 1)
        return 0;
    struct worker w = {.refs = 1};
    struct hostile h = {.bytes = str_n(data + 1, n - 1)};
    struct err e = {0};
    int ours, theirs;
    if (channel_pair(&ours, &theirs, &e))
        abort();
    channel_init(&w.control, ours, false);
    channel_init(&h.control, theirs, true);
    pthread_mutex_init(&w.lock, NULL);
    pthread_t thread;
    if (pthread_create(&thread, NULL, hostile_main, &h))
        abort();
    struct remote *r = NULL;
    tl_error error;
    bool gone = false;
    const tl_open open = {.struct_size = sizeof open};
    if (remote_open(&r, &w, &services, &open, &error, &gone) != TL_OK)
        abort(); /* so far it did what it should */
    run(r, kinds[data[0] % ARRAY_LEN(kinds)]);
    remote_close(r);
    pthread_join(thread, NULL);
    channel_done(&h.control);
    channel_done(&w.control);
    pthread_mutex_destroy(&w.lock);
    return 0;
}
