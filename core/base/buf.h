#ifndef BUF_H
#define BUF_H
/* Growable bytes with a mandatory maximum. Always NUL-terminated behind n, so buf_text() is a C string.
 * Appending past max sets `full` and appends nothing; every later append is ignored, so a chain of appends needs one
 * check at its end. Invariant: n < cap or p == NULL; n <= max. */
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cleanup.h"
#include "str.h"

struct buf {
    char *p;
    size_t n, cap, max; /* max 0 counts as BUF_DEFAULT_MAX */
    bool full;
};
#define BUF_DEFAULT_MAX ((size_t)64 << 20)

void buf_done(struct buf *b);
AUTO_DONE(struct buf, buf_done)
void buf_clear(struct buf *b); /* keeps the memory */
void buf_add(struct buf *b, const void *p, size_t n);
void buf_str(struct buf *b, str s);
void buf_text_add(struct buf *b, const char *z);
void buf_char(struct buf *b, char c);
void buf_fmt(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
void buf_fmtv(struct buf *b, const char *fmt, va_list ap);
void *buf_room(struct buf *b, size_t n);    /* n writable bytes at the end, counted at once; NULL when full */
void buf_varint(struct buf *b, uint64_t v); /* LEB128 */
void buf_url(struct buf *b, str s);         /* percent-encodes all but unreserved characters */
static inline str buf_lent(const struct buf *b)
{
    return (str){b->p, b->n};
}
static inline const char *buf_text(const struct buf *b)
{
    return b->p ? b->p : "";
}
char *buf_take(struct buf *b); /* heap text, caller frees with text_free; b is empty then */
/* Reads a LEB128 from [*p, end); false on truncation or overflow. */
bool varint_read(const uint8_t **p, const uint8_t *end, uint64_t *out);
#endif
