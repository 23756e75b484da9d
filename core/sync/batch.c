/* Batches of writes whose intents are open, from the transaction that decides them to the one that settles the last. */
#include <stdlib.h>

#include "engine_int.h"
#include "reading.h"
#include "writing.h"

struct g_batch *batch_find(struct engine *g, int64_t intent)
{
    return by_id_get(&g->batch_ids, intent);
}

void batch_source_moved(struct engine *g, int64_t intent, int64_t pair)
{
    struct g_batch *b = batch_find(g, intent);
    for (uint32_t i = 0; b && i < b->n; i++)
        if (b->entries[i].pair == pair)
            b->entries[i].flags |= ENTRY_MOVED;
}

struct g_batch *batch_free(struct g_batch *b)
{
    if (!b)
        return NULL;
    arena_done(&b->arena);
    free(b);
    return NULL;
}

/* Open/unknown counters of the link. */
static void batch_count(struct engine *g, struct g_batch *b, int add)
{
    struct g_link *l = model_link(g, b->link);
    unsigned one = (unsigned)add;
    g->unknown += b->state == INTENT_UNKNOWN ? one : 0;
    if (!l)
        return;
    l->open_intents += one;
    if (b->op == TL_OP_CREATE)
        l->open_creates[b->side] += one;
    if (b->state == INTENT_UNKNOWN) {
        l->unknown_intents += one;
        if (b->op == TL_OP_CREATE)
            l->unknown_creates[b->side] += one;
    }
    ready_wake(&l->ready);
    if (l->feed[b->side])
        ready_wake(&l->feed[b->side]->ready);
}

void batch_link(struct engine *g, struct g_batch *b)
{
    b->prev = g->batches_last;
    *(b->prev ? &b->prev->next : &g->batches) = b;
    g->batches_last = b;
    by_id_put(&g->batch_ids, b->intent, b);
    batch_count(g, b, 1);
}

static void batch_unknown(struct engine *g, struct g_batch *b)
{
    if (b->state == INTENT_UNKNOWN)
        return;
    batch_count(g, b, -1);
    b->state = INTENT_UNKNOWN;
    b->resolve_due = g_mono(g);
    batch_count(g, b, 1);
}

struct intent batch_row(const struct g_batch *b, int32_t state, struct arena *a)
{
    struct intent row = {.intent = b->intent,
                         .link = b->link,
                         .endpoint = b->endpoint,
                         .side = b->side,
                         .op = b->op,
                         .lane = b->lane,
                         .state = state,
                         .flags = b->flags,
                         .run = b->run,
                         .map_gen = b->map_gen,
                         .made_us = b->made_us,
                         .settle_us = b->settle_us};
    row.entries = arena_array(a, struct intent_entry, b->n + 1);
    for (uint32_t i = 0; i < b->n; i++) {
        const struct g_entry *from = &b->entries[i];
        if (from->done)
            continue;
        struct intent_entry *to = &row.entries[row.n++];
        *to = (struct intent_entry){.pair = from->pair,
                                    .gen = from->gen,
                                    .id = from->id,
                                    .stamp = from->stamp,
                                    .version = from->version,
                                    .source_hash = from->source_hash,
                                    .flags = from->flags,
                                    .born = from->flags & ENTRY_BORN};
        if (b->op == TL_OP_CREATE)
            continue; /* made again from the source observation, which the store keeps while the intent is open */
        tl_value *sorted = arena_array(a, tl_value, from->n_values + 1);
        for (uint32_t k = 0; k < from->n_values; k++)
            sorted[k] = from->values[k];
        AUTO(buf_done) struct buf sent = {0};
        obs_add_all(&sent, sorted, from->n_values);
        to->sent = arena_str(a, buf_lent(&sent));
    }
    return row;
}

int batch_settle(struct engine *g, struct g_batch *b, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct intent row = batch_row(b, INTENT_UNKNOWN, &a);
    return intent_settle(g->db, &row, NULL, 0, e);
}

void batch_unlink(struct engine *g, struct g_batch *b)
{
    *(b->prev ? &b->prev->next : &g->batches) = b->next;
    *(b->next ? &b->next->prev : &g->batches_last) = b->prev;
    by_id_drop(&g->batch_ids, b->intent);
    batch_count(g, b, -1);
    batch_free(b);
}

void batch_sweep(struct engine *g, struct g_batch *b)
{
    uint32_t left = 0;
    for (uint32_t i = 0; i < b->n; i++)
        left += !b->entries[i].done;
    struct g_link *l = model_link(g, b->link);
    if (left > 0) {
        if (b->calls == 0) {
            batch_unknown(g, b);
            g->figures.unknown_outcomes += left;
        }
        return;
    }
    if (b->calls > 0)
        return;
    struct g_feed *f = l ? l->feed[b->side] : NULL;
    batch_unlink(g, b);
    for (struct feed_side *at = f ? f->sides : NULL; at; at = at->next)
        if (at->l->held)
            held_release(g, at->l);
    if (l && l->held)
        held_release(g, l);
}
