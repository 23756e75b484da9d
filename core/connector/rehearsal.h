#ifndef REHEARSAL_H
#define REHEARSAL_H
/* An act that is only shown: requests that write are noted in its reply and not sent, and kv_set keeps nothing. What
 * the host would have added (authorisation, every header) is never part of a note, so none holds a secret of the
 * endpoint's. Pure but for what it sends. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "blob.h"
#include "buf.h"
#include "str.h"
#include "tieline.h"

enum { REHEARSED_BODY_MAX = 64 << 10, REHEARSED_MAX = 16 << 20 };

/* One request that was not sent; texts are lent. body: at most its first REHEARSED_BODY_MAX bytes, of bytes in all. */
struct rehearsed {
    str method, url, body;
    uint64_t bytes;
};
/* Walks the notes of a reply: *at is 0 first. False: no more. */
bool rehearsed_next(const struct buf *notes, size_t *at, struct rehearsed *out);

typedef tl_status (*rehearsal_send_fn)(void *ctx, tl_http *requests, uint32_t n, tl_error *error);
/* In place of http(): notes those with TL_HTTP_WRITE, each of which ends as TL_E_CANCELLED, and sends the others. What
 * is more than REHEARSED_MAX of notes is not sent either. */
tl_status rehearsal_http(struct buf *notes, struct blobs *blobs, tl_http *requests, uint32_t n, rehearsal_send_fn send,
                         void *ctx, tl_error *error);
#endif
