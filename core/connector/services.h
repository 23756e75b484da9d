#ifndef SERVICES_H
#define SERVICES_H
/* What an instance needs of its host, whatever the host is: the daemon (host_services.h), the other end of a socket
 * (the worker), a test's fake. The members mean what the members of tl_host with the same names mean; instance.c stands
 * between the two, so structs are this host's size and texts are checked when they arrive here.
 *
 * Called on the thread that runs the instance; log, metric, now_us and cancelled on any thread. */
#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "tieline.h"

struct services {
    void *ctx;
    void (*log)(void *ctx, int32_t level, tl_str line);
    void (*metric)(void *ctx, const char *name, int64_t add);
    int64_t (*now_us)(void *ctx);
    int32_t (*cancelled)(void *ctx);
    tl_status (*sleep_ms)(void *ctx, uint32_t ms);
    /* What the requests are given back is lent until the next http() or call_end(). */
    tl_status (*http)(void *ctx, tl_http *requests, uint32_t n, tl_error *error);
    tl_status (*auth_extra)(void *ctx, const char *member, struct buf *out, tl_error *error);
    void (*quota)(void *ctx, const tl_quota *q);
    tl_status (*kv_get)(void *ctx, const char *key, struct buf *out);
    tl_status (*kv_set)(void *ctx, const char *key, tl_str value);
    tl_status (*blob_new)(void *ctx, const char *name, uint64_t *handle);
    tl_status (*blob_write)(void *ctx, uint64_t handle, tl_str bytes);
    tl_status (*blob_read)(void *ctx, uint64_t handle, uint64_t offset, char *buf, uint64_t cap, uint64_t *len);
    tl_status (*blob_describe)(void *ctx, uint64_t handle, const tl_blob *about);
    tl_status (*blob_about)(void *ctx, uint64_t handle, tl_blob *out); /* texts lent until the next service */
    /* Hands over finished items of the call's answer and empties the buffer. NULL: they stay in the reply. Called
     * before anything that leaves the instance, so that what was answered survives a crash. False: nobody listens any
     * more. */
    bool (*items)(void *ctx, struct buf *items);
    /* A sign of life: the connector has come to the host, and may be silent for ms from now. May be NULL. */
    void (*alive)(void *ctx, uint32_t ms);
    /* A call has ended: drops what was lent and what lives as long as a call. May be NULL. */
    void (*call_end)(void *ctx);
};

/* How the host asks the pure functions of a connector (tl_auth) while the instance waits inside a service. */
struct verdicts {
    void *ctx;
    int32_t (*verdict)(void *ctx, int32_t status, tl_str body);
    tl_status (*token_error)(void *ctx, int32_t status, tl_str body, tl_error *error);
};
#endif
