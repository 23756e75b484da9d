/* What a feed is asked for, and what its records are found by: all that its users need of it together. */
#include <stdlib.h>

#include "engine_int.h"
#include "linkset.h"
#include "mirror.h"
#include "reading.h"

static int by_number(const void *a, const void *b)
{
    uint32_t x = (*(const struct feed_need *const *)a)->number, y = (*(const struct feed_need *const *)b)->number;
    return x < y ? -1 : x > y;
}

static size_t needs_sort(const struct feed_need **needs, size_t n)
{
    size_t left = 0;
    if (n > 1)
        qsort(needs, n, sizeof(struct feed_need *), by_number);
    for (size_t i = 0; i < n; i++)
        if (left == 0 || needs[left - 1]->number != needs[i]->number)
            needs[left++] = needs[i];
    return left;
}

/* The windows are part of what a pass may infer from; one that moves is another one only when it gets wider. */
static uint64_t shape_hash(struct g_feed *f, const struct feed_need *const *needs, size_t n)
{
    AUTO(buf_done) struct buf id = {0};
    int64_t fixed_from_us, slides_us;
    feed_window(f, &fixed_from_us, &slides_us);
    buf_str(&id, f->row.view);
    buf_fmt(&id, "|%lld", (long long)fixed_from_us);
    if (slides_us)
        buf_fmt(&id, "s%lld", (long long)slides_us);
    for (size_t i = 0; i < n; i++)
        buf_fmt(&id, "|%u:%u:%.*s", needs[i]->number, needs[i]->field.type, STR_FMT(needs[i]->field.name));
    return store_hash(id.p, id.n);
}

static void shape_build(struct g_feed *f, const struct feed_need *const *needs, size_t n)
{
    tl_field *fields = arena_array(&f->shape_arena, tl_field, n + 1);
    f->number_of = arena_array(&f->shape_arena, uint32_t, n + 1);
    f->n_numbers = n ? needs[n - 1]->number + 1 : 1;
    f->shape_of = arena_array(&f->shape_arena, int32_t, f->n_numbers);
    for (uint32_t i = 0; i < f->n_numbers; i++)
        f->shape_of[i] = -1;
    for (size_t i = 0; i < n; i++) {
        fields[i] = field_bare(&needs[i]->field, &f->shape_arena);
        f->number_of[i] = needs[i]->number;
        f->shape_of[needs[i]->number] = (int32_t)i;
    }
    f->shape =
        (tl_shape){sizeof(tl_shape), (uint32_t)n, sizeof(tl_field), 0, arena_str(&f->shape_arena, f->row.kind), fields};
}

/* Who reads it, one after the other: the links that can be used, then its mirror. */
struct users {
    const struct feed_side *side;
    const struct mirror *mirror;
};

static struct users users_of(const struct g_feed *f)
{
    return (struct users){f->kind ? f->sides : NULL, f->kind ? f->mirror : NULL};
}

static const struct feed_user *next_user(struct users *u)
{
    while (u->side && !u->side->l->usable)
        u->side = u->side->next;
    const struct feed_side *side = u->side;
    const struct mirror *mirror = side ? NULL : u->mirror;
    if (side)
        u->side = side->next;
    else
        u->mirror = NULL;
    return side ? &side->user : mirror ? &mirror->user : NULL;
}

void feed_build(struct g_feed *f)
{
    AUTO(arena_done) struct arena a = {0};
    size_t n = 0;
    unsigned n_keys = 0;
    f->kind = f->ep ? model_kind(f->ep, f->row.kind) : NULL;
    f->every_us = 0;
    f->sweep_us = f->mirror ? f->mirror->sweep_us : SWEEP_US;
    struct users count = users_of(f), all = users_of(f);
    for (const struct feed_user *u; (u = next_user(&count));) {
        n += u->n_needs;
        n_keys += u->n_keys;
    }
    const struct feed_need **needs = arena_array(&a, const struct feed_need *, n + 1);
    arena_done(&f->shape_arena);
    f->shape_arena = (struct arena){0};
    f->keys = arena_array(&f->shape_arena, struct feed_key, n_keys + 1);
    n = n_keys = 0;
    for (const struct feed_user *u; (u = next_user(&all));) {
        for (size_t i = 0; i < u->n_needs; i++)
            needs[n++] = &u->needs[i];
        for (unsigned i = 0; i < u->n_keys; i++)
            f->keys[n_keys++] = u->keys[i];
        if (f->every_us == 0 || u->every_us < f->every_us)
            f->every_us = u->every_us;
    }
    f->n_keys = keys_sort(f->keys, n_keys);
    f->keys_hash = keys_hash(f->keys, f->n_keys);
    n = needs_sort(needs, n);
    shift_begin(f);
    shape_build(f, needs, n);
    f->shape_hash = shape_hash(f, needs, n);
}
