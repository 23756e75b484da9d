/* SPDX-License-Identifier: MIT-0 */
#ifndef TLK_MEM_H
#define TLK_MEM_H
/* Memory of a connector: an arena for what one call needs, a growing buffer for what is written. Nothing here is
 * thread-safe: one instance, one arena. When memory runs out the process ends (abort), as everywhere in tieline:
 * everything sized by foreign input is capped before it is allocated, and the host restarts a worker. */
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "tieline.h"

#define TLK_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define TLK_FMT(s)            (int)(s).n, (s).n ? (s).p : "" /* for "%.*s" */
#define TLK_NONE              ((tl_str){NULL, 0})
#define TLK_LEN(array)        (sizeof(array) / sizeof((array)[0]))

/* ---- text */
static inline tl_str tlk_str(const char *z)
{
    return z ? (tl_str){z, strlen(z)} : (tl_str){NULL, 0};
}
static inline tl_str tlk_strn(const char *p, size_t n)
{
    return (tl_str){p, n};
}
static inline bool tlk_eq(tl_str a, tl_str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}
static inline bool tlk_is(tl_str a, const char *z)
{
    return tlk_eq(a, tlk_str(z));
}
bool tlk_starts(tl_str s, const char *prefix);
bool tlk_ends(tl_str s, const char *suffix);
tl_str tlk_trim(tl_str s); /* ASCII blanks */
/* Takes the part before sep off *rest; false when *rest is empty. */
bool tlk_split(tl_str *rest, char sep, tl_str *head_out);
bool tlk_in_list(tl_str list, char sep, tl_str item); /* is it one of the parts? */
uint32_t tlk_characters(tl_str s);                    /* of UTF-8 text, as vendors count lengths */
bool tlk_to_i64(tl_str s, int64_t *out);              /* whole text, decimal, no blanks */
void tlk_copy(char *to, size_t cap, tl_str from);     /* cuts at a whole UTF-8 character; NUL-terminates; cap > 0 */

/* A row of a table of your own, whose text member (a const char *) equals text; null: there is none.
 *   const struct kind *k = tlk_row_by(kinds, TLK_LEN(kinds), name, q->shape->kind); */
#define tlk_row_by(rows, n, member, text)                                                                              \
    ((__typeof__(&(rows)[0]))tlk_row((rows), (n), sizeof((rows)[0]), offsetof(__typeof__((rows)[0]), member), (text)))
const void *tlk_row(const void *rows, size_t n, size_t size, size_t member_at, tl_str text); /* tlk_row_by calls it */

/* ---- arena: memory that dies together. {0} is an empty one. */
typedef struct tlk_arena {
    struct tlk_block *blocks; /* newest first */
} tlk_arena;
void tlk_arena_done(tlk_arena *a);                                   /* frees all */
void tlk_arena_reset(tlk_arena *a);                                  /* forgets all, keeps one block */
void *tlk_alloc(tlk_arena *a, size_t n);                             /* zeroed, aligned to 16, never null */
tl_str tlk_dup(tlk_arena *a, tl_str s);                              /* copy, NUL-terminated behind n */
tl_str tlk_fmt(tlk_arena *a, const char *fmt, ...) TLK_PRINTF(2, 3); /* NUL-terminated */
#define tlk_new(a, type, n) ((type *)tlk_alloc((a), sizeof(type) * (size_t)(n)))
#define TLK_AUTO_ARENA      __attribute__((cleanup(tlk_arena_done))) tlk_arena

/* ---- buffer: grows up to max (0: 64 MiB). Past max `full` is set and nothing more is added, so that one check at
 * the end of a chain is enough. Always NUL-terminated behind n. {0} is an empty one. */
typedef struct tlk_buf {
    char *p;            /* null while it is empty; tlk_lent */
    size_t n, cap, max; /* bytes in it, room for, at most */
    bool full;
} tlk_buf;
void tlk_buf_done(tlk_buf *b);
void tlk_buf_clear(tlk_buf *b); /* keeps the memory */
void tlk_add(tlk_buf *b, tl_str s);
void tlk_addz(tlk_buf *b, const char *z);
void tlk_addc(tlk_buf *b, char c);
void tlk_addf(tlk_buf *b, const char *fmt, ...) TLK_PRINTF(2, 3);
void tlk_add_url(tlk_buf *b, tl_str s); /* percent-encodes all but unreserved characters (RFC 3986) */
static inline tl_str tlk_lent(const tlk_buf *b)
{
    return (tl_str){b->p ? b->p : "", b->n};
}
#define TLK_AUTO_BUF __attribute__((cleanup(tlk_buf_done))) tlk_buf
#endif
