#include "arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { BLOCK_FIRST = 4096, BLOCK_MOST = 1 << 20, ALIGNMENT = 16 };

struct arena_block {
    struct arena_block *older;
    size_t used, cap;
    _Alignas(ALIGNMENT) unsigned char bytes[];
};

static struct arena_block *block_new(struct arena *a, size_t need)
{
    size_t cap = a->blocks ? a->blocks->cap * 2 : BLOCK_FIRST;
    if (cap > BLOCK_MOST)
        cap = BLOCK_MOST;
    if (cap < need)
        cap = need;
    ASSERT(cap <= SIZE_MAX - sizeof(struct arena_block));
    struct arena_block *block = malloc(sizeof *block + cap);
    ASSERT(block);
    block->older = a->blocks;
    block->used = 0;
    block->cap = cap;
    a->blocks = block;
    return block;
}

static void free_older(struct arena_block *block)
{
    while (block) {
        struct arena_block *older = block->older;
        free(block);
        block = older;
    }
}

void arena_done(struct arena *a)
{
    free_older(a->blocks);
    *a = (struct arena){0};
}

void arena_reset(struct arena *a)
{
    if (a->blocks) {
        free_older(a->blocks->older);
        a->blocks->older = NULL;
        a->blocks->used = 0;
    }
    a->used_bytes = 0;
}

static void *alloc_raw(struct arena *a, size_t n)
{
    ASSERT(n <= SIZE_MAX / 2);
    size_t rounded = (n + (ALIGNMENT - 1)) & ~(size_t)(ALIGNMENT - 1);
    struct arena_block *block = a->blocks;
    if (!block || block->cap - block->used < rounded)
        block = block_new(a, rounded);
    void *p = block->bytes + block->used;
    block->used += rounded;
    a->used_bytes += rounded;
    return p;
}

void *arena_alloc(struct arena *a, size_t n)
{
    return memset(alloc_raw(a, n), 0, n);
}

void *arena_copy(struct arena *a, const void *p, size_t n)
{
    ASSERT(n < SIZE_MAX / 2);
    char *copy = alloc_raw(a, n + 1);
    if (n)
        memcpy(copy, p, n);
    copy[n] = 0;
    return copy;
}

str arena_str(struct arena *a, str s)
{
    return str_n(arena_copy(a, s.p, s.n), s.n);
}

char *arena_fmt(struct arena *a, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    ASSERT(n >= 0);
    char *text = alloc_raw(a, (size_t)n + 1);
    vsnprintf(text, (size_t)n + 1, fmt, again);
    va_end(again);
    return text;
}
