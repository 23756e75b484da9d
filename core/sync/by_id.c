/* See by_id.h. */
#include "by_id.h"

#include <stdlib.h>
#include <string.h>

#include "cleanup.h"

/* Where the id is, or where it belongs. */
static size_t place_of(const struct by_id *b, int64_t id)
{
    size_t low = 0, high = b->n;
    if (b->n && b->rows[b->n - 1].id < id)
        return b->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (b->rows[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void *by_id_get(const struct by_id *b, int64_t id)
{
    size_t at = place_of(b, id);
    return at < b->n && b->rows[at].id == id ? b->rows[at].what : NULL;
}

void *by_id_from(const struct by_id *b, int64_t id)
{
    size_t at = place_of(b, id);
    return at < b->n ? b->rows[at].what : NULL;
}

void by_id_put(struct by_id *b, int64_t id, void *what)
{
    if (b->n == b->cap) {
        b->cap = b->cap ? 2 * b->cap : 16;
        b->rows = realloc(b->rows, sizeof *b->rows * b->cap);
        ASSERT(b->rows);
    }
    size_t at = place_of(b, id);
    memmove(&b->rows[at + 1], &b->rows[at], sizeof *b->rows * (b->n - at));
    b->rows[at] = (struct by_id_row){id, what};
    b->n++;
}

void by_id_drop(struct by_id *b, int64_t id)
{
    size_t at = place_of(b, id);
    if (at == b->n || b->rows[at].id != id)
        return;
    b->n--;
    memmove(&b->rows[at], &b->rows[at + 1], sizeof *b->rows * (b->n - at));
}

void by_id_done(struct by_id *b)
{
    free(b->rows);
    *b = (struct by_id){0};
}
