#ifndef ARENA_H
#define ARENA_H
/* Memory that dies together: one request, one batch, one page. Never freed singly. Not thread-safe. */
#include <stddef.h>
#include <stdint.h>

#include "cleanup.h"
#include "str.h"

struct arena {
    struct arena_block *blocks; /* newest first */
    size_t used_bytes;
};
void arena_done(struct arena *a);
AUTO_DONE(struct arena, arena_done)
void arena_reset(struct arena *a);                          /* keeps the newest block */
void *arena_alloc(struct arena *a, size_t n);               /* zeroed, 16-byte aligned, never NULL */
void *arena_copy(struct arena *a, const void *p, size_t n); /* also NUL-terminated behind n */
str arena_str(struct arena *a, str s);                      /* copy, NUL-terminated behind n */
char *arena_fmt(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3);
#define arena_new(a, type)      ((type *)arena_alloc((a), sizeof(type)))
#define arena_array(a, type, n) ((type *)arena_alloc((a), sizeof(type) * (size_t)(n)))
#endif
