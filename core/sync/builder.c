/* Batches being filled: writes of one side, kind of write and run go together; their intents are stored in the slice
 * that decided them, and the calls leave after its commit. */
#include <stdlib.h>

#include "brake.h"
#include "engine_int.h"
#include "log.h"
#include "writing.h"

/* While others wait for the endpoint a link has `share` calls in a row, however few of them there is room for at once:
 * deficit round robin, a call being the unit. */
static int fair_room(const struct engine *g, struct g_link *l, int side, int room)
{
    if (room <= 0)
        return 0;
    const struct g_endpoint *ep = l->conn->ep[side];
    if (ep->rivals_us == 0 || g_mono(g) - ep->rivals_us > US_PER_S) {
        l->credit[side] = 0;
        return room;
    }
    if (l->credit[side] <= 0)
        l->credit[side] = l->share;
    return room < l->credit[side] ? room : l->credit[side];
}

void builder_start(struct engine *g, struct g_link *l, enum lane lane, struct builder *b)
{
    *b = (struct builder){0};
    for (int s = 0; s < 2; s++) {
        struct g_endpoint *ep = l->conn->ep[s];
        bool can = g_endpoint_can(g, ep, TL_PURPOSE_BULK) && budget_lane(g, ep, lane);
        int room = can ? g->dispatcher->room(g->dispatcher->ctx, ep->row.endpoint, TL_PURPOSE_BULK) : 0;
        int64_t left = can ? budget_left(&ep->budget, lane, g_now(g), NULL) : 0;
        int wide = budget_room(&ep->budget, g_now(g));
        room = room < wide ? room : wide;
        room = room < left ? room : (int)left;
        b->room[s] = b->had[s] = fair_room(g, l, s, room);
    }
}

static uint32_t batch_limit(const struct g_link *l, int side)
{
    uint32_t max = l->feed[side]->kind->desc.max_batch;
    if (l->cautious > 0 || max == 0)
        return 1;
    return max > BATCH_MAX ? BATCH_MAX : max;
}

static int64_t undo_of(const struct g_batch *b)
{
    return b->flags & BATCH_UNDO ? b->run : 0;
}

static struct g_batch *builder_batch(struct engine *g, struct g_link *l, struct builder *b, int side, int op,
                                     int32_t lane, int64_t undo)
{
    for (struct g_batch *it = b->batches; it; it = it->next)
        if (it->side == side && it->op == op && it->n < it->cap && undo_of(it) == undo)
            return it;
    if (b->room[side] <= 0) {
        b->starved[side] = true;
        return NULL;
    }
    b->room[side]--;
    struct g_batch *n = calloc(1, sizeof *n);
    ASSERT(n);
    n->intent = intent_reserve(g->db);
    n->link = l->row.link;
    n->endpoint = l->conn->ep[side]->row.endpoint;
    n->side = side;
    n->op = op;
    n->lane = lane;
    n->state = INTENT_PREPARED;
    n->made_us = g_now(g);
    n->map_gen = l->row.map_gen;
    n->flags = l->quiet && l->row.phase < PHASE_LIVE ? BATCH_QUIET : 0;
    n->flags |= undo ? BATCH_UNDO : 0;
    n->run = undo;
    n->cap = batch_limit(l, side);
    n->entries = arena_array(&n->arena, struct g_entry, n->cap);
    n->next = b->batches;
    b->batches = n;
    return n;
}

bool builder_has_room(const struct builder *b, int side)
{
    if (b->room[side] > 0)
        return true;
    for (const struct g_batch *it = b->batches; it; it = it->next)
        if (it->side == side && it->n < it->cap)
            return true;
    return false;
}

bool create_leaves_out(const struct g_link *l, int side, uint32_t i, const tl_value *source, uint8_t verdict)
{
    if (verdict_sends(verdict) || value_is_blank(source))
        return false;
    return verdict == VERDICT_WAIT_REF || field_held_back(&l->rules, &l->fields[i], side);
}

int builder_add(struct engine *g, struct g_link *l, struct builder *b, int side, int op, struct loaded *ld,
                const struct plan *plan, struct err *e)
{
    int source = 1 - side;
    if (!ld->undo && limit_reached(g, l, b, op)) {
        b->over = op;
        b->starved[0] = b->starved[1] = true;
        return E_BUSY;
    }
    struct g_batch *batch = builder_batch(g, l, b, side, op, ld->pair.lane, ld->undo);
    if (!batch)
        return E_BUSY;
    struct g_entry *entry = &batch->entries[batch->n];
    *entry = (struct g_entry){.source_rec = ld->rec[source].rec, .source_hash = ld->rec[source].seen_hash};
    entry->source_id = arena_str(&batch->arena, ld->rec[source].id);
    entry->values = arena_array(&batch->arena, tl_value, (plan ? plan->n_writes : 0) + 1);
    for (uint32_t i = 0; plan && i < l->rules.n_fields; i++) {
        bool left_out = op == TL_OP_CREATE && create_leaves_out(l, side, i, &ld->values[source][i], plan->verdict[i]);
        bool follows = plan->verdict[i] == VERDICT_WAIT_REF || plan->verdict[i] == VERDICT_STAND_IN || left_out;
        entry->flags |= follows ? ENTRY_WAITS : 0;
        if (!verdict_sends(plan->verdict[i]))
            continue;
        entry->values[entry->n_values] = value_copy(&plan->writes[i], &batch->arena);
        entry->values[entry->n_values++].field = l->fields[i].number;
        if (plan->lost[i])
            entry->flags |= ENTRY_CONFLICT;
    }
    if (op == TL_OP_CREATE) {
        entry->gen = create_generation(&ld->pair, side);
        if (l->feed[side]->kind->desc.stamp_field.n) {
            char stamp[40];
            struct origin of = {ld->rec[source].id, ld->pair.slot, entry->gen};
            stamp_of(g, l, source, &of, stamp);
            entry->stamp = arena_str(&batch->arena, str_of(stamp));
        }
    } else {
        entry->id = arena_str(&batch->arena, ld->rec[side].id);
        if (l->rules.can[side] & TL_CAN_CONDITIONAL)
            entry->version = arena_str(&batch->arena, ld->rec[side].version);
        entry->before = arena_str(&batch->arena, ld->rec[side].observation);
    }
    if (ld->pair.pair == 0) {
        ld->pair.intent = batch->intent;
        ld->pair.made_us = g_now(g);
        int rc = pair_insert(g->db, &ld->pair, e);
        if (rc != TL_OK)
            return rc;
        entry->flags |= ENTRY_BORN;
    }
    entry->pair = ld->pair.pair;
    batch->n++;
    return TL_OK;
}

int builder_intents(struct engine *g, struct g_link *l, struct builder *b, struct err *e)
{
    int rc = b->over ? limit_stop(g, l, b, e) : TL_OK;
    for (struct g_batch *it = b->batches; it && rc == TL_OK; it = it->next) {
        AUTO(arena_done) struct arena a = {0};
        if (it->n == 0)
            continue;
        if (it->run == 0)
            rc = run_for(g, l, it->lane, &it->run, e);
        if (rc != TL_OK)
            break;
        int64_t settle = l->feed[it->side]->kind->desc.settle_ms * US_PER_MS;
        it->settle_us = it->made_us + (settle > 0 ? settle : 120 * US_PER_S);
        struct intent row = batch_row(it, INTENT_PREPARED, &a);
        rc = intent_open(g->db, &row, e);
        g_step(g, it->n);
    }
    return rc == TL_OK ? limit_store(g, l, b, e) : rc;
}

/* As a piece of work whose success says that the disk works again. */
static const char SEALING[] = "sealing what is sent";

void builder_send(struct engine *g, struct g_link *l, struct builder *b, int rc)
{
    for (int s = 0; s < 2; s++)
        if (l->credit[s] > 0)
            l->credit[s] -= b->had[s] - b->room[s];
    int64_t last = 0;
    for (struct g_batch *it = b->batches; it; it = it->next)
        if (it->n && it->intent > last)
            last = it->intent;
    struct err e = {0};
    if (rc == TL_OK)
        limit_count(g, l, b);
    if (rc == TL_OK && last && db_seal_intent(g->db, last, &e) != TL_OK) {
        storage_failed(g, SEALING, &e);
        g->setbacks.disk_what = SEALING;
    } else if (rc == TL_OK && last) {
        storage_worked(g, SEALING);
    }
    while (b->batches) {
        struct g_batch *it = b->batches;
        b->batches = it->next;
        it->next = NULL;
        if (rc != TL_OK || it->n == 0) {
            batch_free(it);
            continue;
        }
        if (g->storage_down)
            it->state = INTENT_UNKNOWN; /* never sent: resolved like any other */
        batch_link(g, it);
        if (it->state != INTENT_UNKNOWN)
            push_submit(g, it, 0, it->n);
    }
}
