#ifndef WIRE_H
#define WIRE_H
/* Bodies of the frames that carry host services: one encoder and one decoder each, for the worker's and the daemon's
 * end. Decoders take hostile bytes: after them decoder_ended() says whether all was well. Pure. */
#include "codec.h"
#include "tieline.h"

enum {
    HTTP_BODY_MAX = 15 << 20 /* of a request or an answer in memory; larger ones are blobs */,
    HTTP_BATCH_MAX = 256
};

void wire_put_open(struct buf *b, const tl_open *o);
void wire_get_open(struct decoder *d, tl_open *out);

void wire_put_status(struct buf *b, tl_status s, const tl_error *error);
tl_status wire_get_status(struct decoder *d, tl_error *out);

void wire_put_err(struct buf *b, const struct err *e);
void wire_get_err(struct decoder *d, struct err *out);

void wire_put_http(struct buf *b, const tl_http *requests, uint32_t n);
/* NULL when malformed. Array in d's arena, outputs zero. */
tl_http *wire_get_http(struct decoder *d, uint32_t *n_out);
void wire_put_http_answer(struct buf *b, const tl_http *r);
void wire_get_http_answer(struct decoder *d, tl_http *out); /* fills outputs only */

/* An answer too large for memory becomes an outcome; the same in both isolation modes. */
void http_answer_limit(tl_http *r);

void wire_put_blob(struct buf *b, const tl_blob *x);
void wire_get_blob(struct decoder *d, tl_blob *out);

void wire_put_quota(struct buf *b, const tl_quota *q);
void wire_get_quota(struct decoder *d, tl_quota *out);
#endif
