#ifndef CODEC_H
#define CODEC_H
/* The one flat form of the SDK's structs: what crosses the socket to a worker, what a reply holds, what is hashed.
 *
 * Form: unsigned numbers are LEB128, signed ones zigzag LEB128; text is its length, its bytes and a NUL (so that
 * decoded text is terminated without a copy); arrays are a count and the elements. Nothing is aligned and nothing
 * points. Decoding lends text from the input and takes arrays from the decoder's arena.
 *
 * A decoder treats every byte as hostile: after the first fault it is `bad`, stands at its end and answers zeros, so a
 * chain of reads needs one check. strict also checks UTF-8 and enumerators; it is on for whatever another process sent
 * and off when our own bytes are read again. Pure, [any]. */
#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "buf.h"
#include "call.h"
#include "err.h"
#include "tieline.h"

enum {
    CODEC_CURSOR_MAX = 64 << 10,
    CODEC_LIST_MAX = 100000,
    CODEC_ROWS_MAX = 1000,   /* rows of one TL_ROWS */
    CODEC_COLUMNS_MAX = 500, /* values of a row */
    CODEC_TYPE_LAST = TL_ROWS
};

struct decoder {
    const uint8_t *p, *end;
    struct arena *arena;
    bool strict, bad;
};
static inline struct decoder decoder_of(str bytes, struct arena *arena, bool strict)
{
    const uint8_t *p = (const uint8_t *)bytes.p;
    return (struct decoder){.p = p, .end = p + bytes.n, .arena = arena, .strict = strict};
}
static inline bool decoder_ended(const struct decoder *d)
{
    return !d->bad && d->p == d->end;
}

static inline void dec_fault(struct decoder *d)
{
    d->bad = true;
    d->p = d->end;
}

uint64_t dec_u64(struct decoder *d);
int64_t dec_i64(struct decoder *d);
uint32_t dec_u32(struct decoder *d);
int32_t dec_i32(struct decoder *d);
tl_str dec_str(struct decoder *d);       /* strict: UTF-8 without NUL */
tl_str dec_bytes(struct decoder *d);     /* any bytes */
const char *dec_text(struct decoder *d); /* NULL when the encoder had NULL */
/* A count of elements that take at least min_bytes each. */
uint32_t dec_count(struct decoder *d, size_t min_bytes);
uint32_t dec_count_of(struct decoder *d, size_t min_bytes, uint32_t max); /* more of them are a fault */
const tl_str *dec_strs(struct decoder *d, uint32_t *n_out);
const tl_pair *dec_pairs(struct decoder *d, uint32_t *n_out);

void enc_u64(struct buf *b, uint64_t v);
void enc_i64(struct buf *b, int64_t v);
void enc_str(struct buf *b, tl_str s);
void enc_text(struct buf *b, const char *z); /* may be NULL */
void enc_strs(struct buf *b, const tl_str *s, uint32_t n);
void enc_pairs(struct buf *b, const tl_pair *p, uint32_t n);

/* True when the bytes are UTF-8 without NUL; ASCII costs an eighth of a look a byte. */
bool codec_utf8(tl_str s);
/* Copies min(have, sizeof to) bytes of a struct of another minor into a zeroed one and sets nothing else. */
void codec_adopt(void *to, size_t size, const void *from, size_t have);
/* Terminates, cuts at the last whole character, blanks control characters. */
void codec_error_clean(tl_error *e);

void enc_error(struct buf *b, const tl_error *e);
void dec_error(struct decoder *d, tl_error *out);

/* A record: index is not part of it (it belongs to the question asked), so equal records have equal bytes.
 * enc_record fails with TL_E_INVALID on text that is not UTF-8, a list in a list, rows in rows; b is as before then.
 * shape: values must name one of its fields; NULL: unchecked. */
int enc_record(struct buf *b, const tl_record *r, const tl_shape *shape, struct err *e);
void dec_record(struct decoder *d, tl_record *out);
/* Fields of any minor's size, 0 for this one's; an unknown type becomes TL_JSON. Decoded they are of this size. */
void enc_fields(struct buf *b, const tl_field *fields, uint32_t n, size_t stride);
const tl_field *dec_fields(struct decoder *d, uint32_t *n_out);
void enc_shape(struct buf *b, const tl_shape *s);
const tl_shape *dec_shape(struct decoder *d);

/* The request of a call, kind, purpose and endpoint left out (they travel in the frame). */
int request_encode(struct buf *b, const struct call *c, struct err *e);
/* Fills c->request from bytes that must outlive c; c->kind is set. TL_E_INVALID when malformed. */
int request_decode(struct call *c, str bytes, bool strict, struct err *e);
/* The request's shape; one without fields when the call has none. */
const tl_shape *request_shape(const struct call *c);
/* What a record of that kind is read by: of a delivery each kind has its own. */
const tl_shape *record_shape(const struct call *c, str kind);

/* The records a call ends with one result each for: those of a push, or the one that is acted on. */
uint32_t request_records(const struct call *c);
const tl_record *request_record(const struct call *c, uint32_t index);
/* tl_checkpoint.mode that its checkpoints have: a list knows one alone. */
int32_t checkpoint_mode(const struct call *c);
/* Checkpoints it may make; 0: any number, or none at all. */
uint32_t page_budget(const struct call *c);

/* As reply_add_* of call.h, for records that must keep inside a shape. */
int reply_add_record_of(struct reply *r, const tl_record *record, const tl_shape *shape, struct err *e);
int reply_add_result_of(struct reply *r, uint32_t index, const tl_result *result, const tl_shape *shape, struct err *e);

/* Checks items that another process sent: kinds allowed in such a call, the rules of admit.h, result indexes inside the
 * batch. TL_E_INVALID names the first fault. scratch is reset between items. */
int items_check(const struct call *c, str items, struct arena *scratch, struct err *e);
/* May a call of this kind hold such an item? */
bool item_allowed(enum call_kind call, enum item_kind item);
#endif
