#include "rehearsal.h"

#include <stdio.h>

#include "codec.h"

/* ---- notes ---- */

bool rehearsed_next(const struct buf *notes, size_t *at, struct rehearsed *out)
{
    struct decoder d = decoder_of(str_n(notes->p + *at, notes->n - *at), NULL, false);
    if (*at >= notes->n)
        return false;
    out->method = dec_bytes(&d);
    out->url = dec_bytes(&d);
    out->body = dec_bytes(&d);
    out->bytes = dec_u64(&d);
    *at = notes->n - (size_t)(d.end - d.p);
    return !d.bad;
}

/* The beginning of a body, wherever it lies. */
static str body_of(const tl_http *r, struct blobs *blobs, struct arena *a, uint64_t *bytes)
{
    str body = r->body;
    *bytes = r->body.n;
    if (r->body_blob && blobs_size(blobs, r->body_blob, bytes) == TL_OK) {
        char *piece = arena_alloc(a, REHEARSED_BODY_MAX);
        size_t n = 0;
        blobs_read(blobs, r->body_blob, 0, piece, REHEARSED_BODY_MAX, &n);
        body = str_n(piece, n);
    }
    return str_n(body.p, body.n < REHEARSED_BODY_MAX ? body.n : REHEARSED_BODY_MAX);
}

static void note(struct buf *notes, const tl_http *r, struct blobs *blobs, struct arena *a)
{
    uint64_t bytes;
    str body = body_of(r, blobs, a, &bytes);
    size_t before = notes->n;
    notes->max = REHEARSED_MAX;
    enc_str(notes, str_of(r->method ? r->method : "GET"));
    enc_str(notes, r->url);
    enc_str(notes, body);
    enc_u64(notes, bytes);
    if (notes->full)
        notes->n = before; /* whole ones alone; it stays full, so none comes behind */
}

static void not_sent(tl_http *r)
{
    r->outcome = TL_E_CANCELLED;
    r->status = 0;
    r->out_headers = NULL;
    r->n_out_headers = 0;
    r->out_body = (tl_str){"", 0};
    r->server_us = r->took_us = 0;
    snprintf(r->error, sizeof r->error, "not sent: what would be sent is only shown");
}

/* ---- in place of http() ---- */

tl_status rehearsal_http(struct buf *notes, struct blobs *blobs, tl_http *requests, uint32_t n, rehearsal_send_fn send,
                         void *ctx, tl_error *error)
{
    AUTO(arena_done) struct arena a = {0};
    tl_http *sent = arena_array(&a, tl_http, n);
    uint32_t n_sent = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (requests[i].flags & TL_HTTP_WRITE)
            note(notes, &requests[i], blobs, &a);
        else
            sent[n_sent++] = requests[i];
    }
    tl_status s = n_sent ? send(ctx, sent, n_sent, error) : TL_OK;
    for (uint32_t i = 0, k = 0; i < n; i++) {
        if (requests[i].flags & TL_HTTP_WRITE)
            not_sent(&requests[i]);
        else
            requests[i] = sent[k++];
    }
    return s;
}
