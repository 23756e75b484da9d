/* SPDX-License-Identifier: MIT-0 */
#include "kit/mem.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- text */

bool tlk_starts(tl_str s, const char *prefix)
{
    size_t n = strlen(prefix);
    return s.n >= n && memcmp(s.p, prefix, n) == 0;
}

bool tlk_ends(tl_str s, const char *suffix)
{
    size_t n = strlen(suffix);
    return s.n >= n && memcmp(s.p + (s.n - n), suffix, n) == 0;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

tl_str tlk_trim(tl_str s)
{
    while (s.n > 0 && is_blank(s.p[0])) {
        s.p++;
        s.n--;
    }
    while (s.n > 0 && is_blank(s.p[s.n - 1]))
        s.n--;
    return s;
}

bool tlk_split(tl_str *rest, char sep, tl_str *head_out)
{
    if (rest->n == 0)
        return false;
    const char *at = memchr(rest->p, sep, (size_t)rest->n);
    size_t n = at ? (size_t)(at - rest->p) : (size_t)rest->n;
    *head_out = (tl_str){rest->p, n};
    size_t used = at ? n + 1 : n;
    rest->p += used;
    rest->n -= used;
    return true;
}

bool tlk_in_list(tl_str list, char sep, tl_str item)
{
    for (tl_str part; tlk_split(&list, sep, &part);) {
        if (tlk_eq(part, item))
            return true;
    }
    return false;
}

uint32_t tlk_characters(tl_str s)
{
    uint32_t n = 0;
    for (uint64_t i = 0; i < s.n; i++)
        n += ((unsigned char)s.p[i] & 0xC0) != 0x80;
    return n;
}

bool tlk_to_i64(tl_str s, int64_t *out)
{
    size_t i = 0;
    bool negative = s.n > 0 && s.p[0] == '-';
    if (negative)
        i++;
    if (i >= s.n)
        return false;
    int64_t v = 0;
    for (; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
        int digit = s.p[i] - '0';
        if (__builtin_mul_overflow(v, 10, &v) || __builtin_sub_overflow(v, digit, &v)) /* negative holds one more */
            return false;
    }
    if (!negative && __builtin_sub_overflow(INT64_C(0), v, &v))
        return false;
    *out = v;
    return true;
}

void tlk_copy(char *to, size_t cap, tl_str from)
{
    size_t n = (size_t)from.n;
    if (n >= cap) {
        n = cap - 1;
        while (n > 0 && ((unsigned char)from.p[n] & 0xC0) == 0x80)
            n--;
    }
    if (n > 0)
        memcpy(to, from.p, n);
    to[n] = '\0';
}

const void *tlk_row(const void *rows, size_t n, size_t size, size_t member_at, tl_str text)
{
    for (size_t i = 0; i < n; i++) {
        const char *row = (const char *)rows + i * size;
        const char *own;
        memcpy(&own, row + member_at, sizeof(own));
        if (own && tlk_is(text, own))
            return row;
    }
    return NULL;
}

/* ---- arena */

enum { BLOCK_BYTES = 16384, ALIGN = 16 };

struct tlk_block {
    struct tlk_block *next;
    size_t used, cap;
    _Alignas(16) char bytes[];
};

static void *must(void *p)
{
    if (!p)
        abort();
    return p;
}

void tlk_arena_done(tlk_arena *a)
{
    for (struct tlk_block *b = a->blocks; b;) {
        struct tlk_block *next = b->next;
        free(b);
        b = next;
    }
    a->blocks = NULL;
}

void tlk_arena_reset(tlk_arena *a)
{
    struct tlk_block *keep = a->blocks;
    if (!keep)
        return;
    tlk_arena rest = {keep->next};
    tlk_arena_done(&rest);
    keep->next = NULL;
    keep->used = 0;
}

static void *block_take(struct tlk_block *b, size_t n)
{
    void *p = b->bytes + b->used;
    b->used += n;
    return memset(p, 0, n);
}

void *tlk_alloc(tlk_arena *a, size_t n)
{
    if (n > SIZE_MAX / 2)
        abort();
    n = n ? (n + ALIGN - 1) & ~(size_t)(ALIGN - 1) : ALIGN;
    if (a->blocks && a->blocks->cap - a->blocks->used >= n)
        return block_take(a->blocks, n);
    size_t cap = n > BLOCK_BYTES / 4 ? n : BLOCK_BYTES;
    struct tlk_block *b = must(malloc(sizeof(*b) + cap));
    b->used = 0;
    b->cap = cap;
    if (a->blocks && cap == n && n > BLOCK_BYTES / 4) { /* a large one goes behind, the open block stays in use */
        b->next = a->blocks->next;
        a->blocks->next = b;
    } else {
        b->next = a->blocks;
        a->blocks = b;
    }
    return block_take(b, n);
}

tl_str tlk_dup(tlk_arena *a, tl_str s)
{
    char *p = tlk_alloc(a, (size_t)s.n + 1);
    if (s.n > 0)
        memcpy(p, s.p, (size_t)s.n);
    return (tl_str){p, s.n};
}

tl_str tlk_fmt(tlk_arena *a, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0)
        abort();
    char *p = tlk_alloc(a, (size_t)n + 1);
    vsnprintf(p, (size_t)n + 1, fmt, again);
    va_end(again);
    return (tl_str){p, (uint64_t)n};
}

/* ---- buffer */

static const size_t DEFAULT_MAX = (size_t)64 << 20;

/* Makes room for n more bytes and the NUL; false when that passes max. */
static __attribute__((noinline)) bool grow(tlk_buf *b, size_t n)
{
    size_t max = b->max ? b->max : DEFAULT_MAX;
    if (b->full || n > max - b->n) {
        b->full = true;
        return false;
    }
    size_t need = b->n + n + 1;
    if (need <= b->cap)
        return true;
    size_t cap = b->cap ? b->cap : 256;
    while (cap < need)
        cap *= 2;
    if (cap > max)
        cap = max + 1; /* so what fits behind n is within the maximum */
    b->p = must(realloc(b->p, cap));
    b->cap = cap;
    return true;
}

static inline bool room(tlk_buf *b, size_t n)
{
    return (n < b->cap - b->n && !b->full) || grow(b, n);
}

void tlk_buf_done(tlk_buf *b)
{
    free(b->p);
    *b = (tlk_buf){.max = b->max};
}

void tlk_buf_clear(tlk_buf *b)
{
    b->n = 0;
    b->full = false;
    if (b->p)
        b->p[0] = '\0';
}

void tlk_add(tlk_buf *b, tl_str s)
{
    if (!room(b, (size_t)s.n))
        return;
    if (s.n > 0)
        memcpy(b->p + b->n, s.p, (size_t)s.n);
    b->n += (size_t)s.n;
    b->p[b->n] = '\0';
}

void tlk_addz(tlk_buf *b, const char *z)
{
    tlk_add(b, tlk_str(z));
}

void tlk_addc(tlk_buf *b, char c)
{
    if (!room(b, 1))
        return;
    b->p[b->n++] = c;
    b->p[b->n] = '\0';
}

void tlk_addf(tlk_buf *b, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0)
        abort();
    if (room(b, (size_t)n)) {
        vsnprintf(b->p + b->n, (size_t)n + 1, fmt, again);
        b->n += (size_t)n;
    }
    va_end(again);
}

void tlk_add_url(tlk_buf *b, tl_str s)
{
    static const char hex[] = "0123456789ABCDEF";
    for (uint64_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                     c == '.' || c == '_' || c == '~';
        if (plain) {
            tlk_addc(b, (char)c);
        } else {
            char out[3] = {'%', hex[c >> 4], hex[c & 15]};
            tlk_add(b, (tl_str){out, 3});
        }
    }
}
