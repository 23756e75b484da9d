#include "buf.h"

#include <stdio.h>
#include <stdlib.h>

enum { BUF_FIRST_BYTES = 128 };

static size_t limit_of(const struct buf *b)
{
    return b->max ? b->max : BUF_DEFAULT_MAX;
}

/* Makes room for n more bytes and the NUL; false (and full) when that would pass the maximum. */
static __attribute__((noinline)) bool grow(struct buf *b, size_t n)
{
    size_t max = limit_of(b);
    if (b->full || n > max || b->n > max - n) {
        b->full = true;
        return false;
    }
    size_t need = b->n + n + 1;
    if (need <= b->cap)
        return true;
    size_t cap = b->cap ? b->cap : BUF_FIRST_BYTES;
    while (cap < need)
        cap = cap > SIZE_MAX / 2 ? need : cap * 2;
    if (cap > max)
        cap = max + 1; /* so what fits behind n is within the maximum */
    char *p = realloc(b->p, cap);
    ASSERT(p);
    b->p = p;
    b->cap = cap;
    return true;
}

static inline bool reserve(struct buf *b, size_t n)
{
    return (n < b->cap - b->n && !b->full) || grow(b, n);
}

void buf_done(struct buf *b)
{
    free(b->p);
    *b = (struct buf){.max = b->max};
}

void buf_clear(struct buf *b)
{
    b->n = 0;
    b->full = false;
    if (b->p)
        b->p[0] = 0;
}

void *buf_room(struct buf *b, size_t n)
{
    if (!reserve(b, n))
        return NULL;
    char *room = b->p + b->n;
    b->n += n;
    b->p[b->n] = 0;
    return room;
}

void buf_add(struct buf *b, const void *p, size_t n)
{
    void *room = buf_room(b, n);
    if (room && n)
        memcpy(room, p, n);
}

void buf_str(struct buf *b, str s)
{
    buf_add(b, s.p, s.n);
}

void buf_text_add(struct buf *b, const char *z)
{
    buf_str(b, str_of(z));
}

void buf_char(struct buf *b, char c)
{
    if (!reserve(b, 1))
        return;
    b->p[b->n++] = c;
    b->p[b->n] = 0;
}

void buf_fmt(struct buf *b, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    buf_fmtv(b, fmt, ap);
    va_end(ap);
}

void buf_fmtv(struct buf *b, const char *fmt, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    size_t left = b->cap > b->n ? b->cap - b->n : 0;
    int n = vsnprintf(left ? b->p + b->n : NULL, left, fmt, ap);
    ASSERT(n >= 0);
    if ((size_t)n < left && !b->full && b->n + (size_t)n <= limit_of(b)) {
        b->n += (size_t)n;
    } else {
        if (left)
            b->p[b->n] = 0; /* what the first try left behind the end */
        char *room = buf_room(b, (size_t)n);
        if (room)
            vsnprintf(room, (size_t)n + 1, fmt, again);
    }
    va_end(again);
}

void buf_varint(struct buf *b, uint64_t v)
{
    if (v <= 0x7f) {
        buf_char(b, (char)v);
        return;
    }
    uint8_t bytes[10];
    size_t n = 0;
    do {
        bytes[n] = (uint8_t)((v & 0x7f) | (v > 0x7f ? 0x80 : 0));
        n++;
        v >>= 7;
    } while (v);
    buf_add(b, bytes, n);
}

static bool is_unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_' || c == '~';
}

void buf_url(struct buf *b, str s)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += is_unreserved(s.p[i]) ? 1 : 3;
    char *to = buf_room(b, n);
    for (size_t i = 0; to && i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (is_unreserved(s.p[i])) {
            *to++ = s.p[i];
        } else {
            *to++ = '%';
            *to++ = digits[c >> 4];
            *to++ = digits[c & 15];
        }
    }
}

char *buf_take(struct buf *b)
{
    char *text = b->p ? b->p : text_dup("");
    *b = (struct buf){.max = b->max};
    return text;
}

bool varint_read(const uint8_t **p, const uint8_t *end, uint64_t *out)
{
    uint64_t v = 0;
    const uint8_t *at = *p;
    for (unsigned shift = 0; at < end && shift < 64; shift += 7) {
        uint8_t byte = *at++;
        if (shift == 63 && byte > 1)
            return false;
        v |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *p = at;
            *out = v;
            return true;
        }
    }
    return false;
}
