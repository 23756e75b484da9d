/* The two ordered or hashed ways to rows: the SystemModstamp log and the text indexes. */
#include <stdlib.h>

#include "salesforce_store_int.h"

static const uint64_t SLOT_DEAD = UINT32_MAX; /* hash 0, number no record has */

/* ---- text indexes: open addressing, linear probing ---- */

static void slot_place(struct sf_index *x, uint64_t slot)
{
    size_t mask = x->cap - 1;
    for (size_t i = (size_t)(slot >> 32) & mask;; i = (i + 1) & mask) {
        if (x->slots[i] == slot)
            return;
        if (x->slots[i] == 0) {
            x->slots[i] = slot;
            x->used++;
            return;
        }
    }
}

static void index_grow(struct sf_index *x)
{
    uint64_t *old = x->slots;
    size_t old_cap = x->cap, alive = 0;
    for (size_t i = 0; i < old_cap; i++)
        alive += old[i] != 0 && old[i] != SLOT_DEAD;
    size_t cap = 1024;
    while (cap < alive * 3)
        cap *= 2;
    x->slots = calloc(cap, sizeof x->slots[0]);
    ASSERT(x->slots);
    x->cap = cap;
    x->used = 0;
    for (size_t i = 0; i < old_cap; i++)
        if (old[i] != 0 && old[i] != SLOT_DEAD)
            slot_place(x, old[i]);
    free(old);
}

static uint64_t slot_of(uint32_t hash, const struct sf_record *r)
{
    return ((uint64_t)hash << 32) | (r->number + 1u);
}

static void index_add(struct sf_index *x, uint32_t hash, const struct sf_record *r)
{
    if ((x->used + 1) * 10 > x->cap * 7)
        index_grow(x);
    slot_place(x, slot_of(hash, r));
}

static void index_remove(struct sf_index *x, uint32_t hash, const struct sf_record *r)
{
    if (x->cap == 0)
        return;
    uint64_t slot = slot_of(hash, r);
    size_t mask = x->cap - 1;
    for (size_t i = hash & mask; x->slots[i]; i = (i + 1) & mask)
        if (x->slots[i] == slot) {
            x->slots[i] = SLOT_DEAD;
            return;
        }
}

static bool hash_of(const struct sf_store *s, const struct sf_row *row, const struct sf_field *f, uint32_t *out)
{
    struct sf_scratch scratch;
    struct sf_cell cell;
    if (!row)
        return false;
    sf_cell(s, row, f, &scratch, &cell);
    if (cell.kind != CELL_TEXT)
        return false;
    *out = sf_text_hash(cell.text);
    return true;
}

void sf_index_row(struct sf_store *s, struct sf_table *t, const struct sf_row *before, const struct sf_row *after,
                  bool keep_before)
{
    for (size_t i = 0; i < t->index_n; i++) {
        struct sf_index *x = &t->index[i];
        uint32_t old_hash = 0, new_hash = 0;
        bool had = hash_of(s, before, x->field, &old_hash), has = hash_of(s, after, x->field, &new_hash);
        if (had && has && old_hash == new_hash)
            continue;
        if (had && !keep_before)
            index_remove(x, old_hash, before->record);
        if (has)
            index_add(x, new_hash, after->record);
    }
}

struct sf_index *sf_table_index(struct sf_table *t, const struct sf_field *f)
{
    for (size_t i = 0; i < t->index_n; i++)
        if (t->index[i].field == f)
            return &t->index[i];
    return NULL;
}

void sf_index_create(struct sf_store *s, struct sf_table *t, const struct sf_field *f)
{
    if (t->index_n == SF_INDEXES_MAX || sf_table_index(t, f))
        return;
    struct sf_index *x = &t->index[t->index_n++];
    *x = (struct sf_index){.field = f};
    index_grow(x);
    for (uint32_t i = 0; i < t->n; i++) {
        uint32_t hash = 0;
        if (hash_of(s, t->records[i]->now, f, &hash))
            index_add(x, hash, t->records[i]);
    }
}

void sf_index_each(const struct sf_table *t, const struct sf_index *x, str text,
                   void (*fn)(void *arg, struct sf_record *r), void *arg)
{
    uint32_t hash = sf_text_hash(text);
    size_t mask = x->cap - 1;
    for (size_t i = hash & mask; x->slots[i]; i = (i + 1) & mask)
        if (x->slots[i] != SLOT_DEAD && (uint32_t)(x->slots[i] >> 32) == hash)
            fn(arg, t->records[(uint32_t)x->slots[i] - 1u]);
}

/* ---- the stamp log: appended in any order, put in order when read ---- */

static int stamp_order(const void *a, const void *b)
{
    const struct sf_stamp *x = a, *y = b;
    if (x->stamp_us != y->stamp_us)
        return x->stamp_us < y->stamp_us ? -1 : 1;
    return x->number < y->number ? -1 : x->number > y->number;
}

static bool is_current(const struct sf_table *t, const struct sf_stamp *entry)
{
    const struct sf_row *row = t->records[entry->number]->now;
    return row && row->stamp_us == entry->stamp_us;
}

static void log_order(struct sf_table *t)
{
    if (t->log_sorted == t->log_n)
        return;
    size_t from = t->log_sorted;
    bool in_order = true;
    for (size_t i = from ? from : 1; i < t->log_n && in_order; i++)
        in_order = stamp_order(&t->log[i - 1], &t->log[i]) < 0;
    if (!in_order) {
        /* Late commits and clock changes reach back; start the sort where they land. */
        struct sf_stamp least = t->log[from];
        for (size_t i = from; i < t->log_n; i++)
            if (stamp_order(&t->log[i], &least) < 0)
                least = t->log[i];
        while (from > 0 && stamp_order(&t->log[from - 1], &least) >= 0)
            from--;
        qsort(t->log + from, t->log_n - from, sizeof t->log[0], stamp_order);
        size_t kept = from;
        for (size_t i = from; i < t->log_n; i++)
            if (is_current(t, &t->log[i]) && (kept == 0 || stamp_order(&t->log[kept - 1], &t->log[i]) != 0))
                t->log[kept++] = t->log[i];
        t->log_n = kept;
    }
    if (t->log_n > 2 * (size_t)t->n + 4096) {
        size_t kept = 0;
        for (size_t i = 0; i < t->log_n; i++)
            if (is_current(t, &t->log[i]))
                t->log[kept++] = t->log[i];
        t->log_n = kept;
    }
    t->log_sorted = t->log_n;
}

static size_t first_at_or_after(const struct sf_table *t, int64_t us)
{
    size_t lo = 0, hi = t->log_n;
    while (lo < hi) {
        size_t middle = (lo + hi) / 2;
        if (t->log[middle].stamp_us < us)
            lo = middle + 1;
        else
            hi = middle;
    }
    return lo;
}

const struct sf_stamp *sf_log_range(struct sf_table *t, int64_t lo_us, int64_t hi_us, size_t *n_out)
{
    log_order(t);
    size_t from = first_at_or_after(t, lo_us), to = first_at_or_after(t, hi_us);
    *n_out = to > from ? to - from : 0;
    return t->log + from;
}
