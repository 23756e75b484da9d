/* Writes of unknown outcome: no answer, a cut answer, a crash in between. Each is settled by looking, before the feed
 * it would show up in is pulled again. How a create is looked for depends on what the vendor can do: its class. */
#include <stdlib.h>

#include "deletion.h"
#include "engine_int.h"
#include "log.h"
#include "reading.h"
#include "writing.h"

int create_class(const struct g_link *l, int target)
{
    const struct g_kind *k = l->feed[target] ? l->feed[target]->kind : NULL;
    if (!k)
        return 4;
    bool stamped = k->desc.stamp_field.n > 0;
    if (stamped && (k->desc.can & TL_CAN_STAMP_UNIQUE))
        return 1;
    if (stamped && (k->desc.can & TL_CAN_STAMP_FIND))
        return 2;
    return k->desc.can & (TL_CAN_FIND_CREATED | TL_CAN_FIND) ? 3 : 4;
}

enum { FIND_LIMIT = 200 }; /* a list this long may have been cut: then absence proves nothing */

struct resolve_note {
    int class;
    uint32_t n;
    uint32_t *entries;
};

static void later(struct engine *g, struct g_batch *b, int64_t us)
{
    b->resolve_due = g_mono(g) + us;
}

/* Values of a create after a restart: made again from the source as it was when the write was decided. */
static int create_values(struct engine *g, struct g_link *l, struct g_batch *b, struct g_entry *entry, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct loaded ld;
    struct plan plan;
    if (entry->n_values)
        return TL_OK;
    int source = 1 - b->side;
    int rc = snapshot_load(g, l, entry->pair, &a, &ld, e);
    str obs = ld.rec[source].observation;
    if (rc == TL_OK)
        rc = intent_source(g->db, &a, entry->pair, (enum side)source, &obs, e);
    if (rc == TL_E_NOT_FOUND)
        rc = TL_OK;
    if (rc != TL_OK)
        return rc;
    link_values(l, source, obs, ld.values[source], &a);
    plan_create(&l->rules, &ld.snap, b->side, &a, &plan);
    entry->source_id = arena_str(&b->arena, ld.rec[source].id);
    entry->values = arena_array(&b->arena, tl_value, plan.n_writes + 1);
    for (uint32_t i = 0; i < l->rules.n_fields; i++) {
        if (create_leaves_out(l, b->side, i, &ld.values[source][i], plan.verdict[i]))
            entry->flags |= ENTRY_WAITS;
        if (plan.verdict[i] == VERDICT_STAND_IN)
            entry->flags |= ENTRY_WAITS;
        if (!verdict_sends(plan.verdict[i]))
            continue;
        entry->values[entry->n_values] = value_copy(&plan.writes[i], &b->arena);
        entry->values[entry->n_values++].field = l->fields[i].number;
    }
    return TL_OK;
}

static const tl_value *entry_value(const struct g_link *l, const struct g_entry *entry, uint32_t obs_no, int side)
{
    for (uint32_t k = 0; k < entry->n_values; k++)
        for (uint32_t i = 0; i < l->rules.n_fields; i++)
            if (l->fields[i].number == entry->values[k].field && l->fields[i].obs_no[side] == obs_no)
                return &entry->values[k];
    return NULL;
}

/* Of what was sent, that which the record holds, in its order. */
static uint32_t sent_and_held(const struct g_link *l, const struct g_batch *b, const struct g_entry *entry,
                              const tl_record *r, tl_value *held)
{
    AUTO(arena_done) struct arena a = {0};
    uint32_t n = l->rules.n_fields, n_held = 0;
    tl_value *now = arena_array(&a, tl_value, n + 1);
    AUTO(buf_done) struct buf blob = {0};
    observation_of(l->feed[b->side], r, &a, &blob);
    link_values(l, b->side, buf_lent(&blob), now, &a);
    for (uint32_t k = 0; k < entry->n_values; k++) {
        int32_t i = field_of_number(l, entry->values[k].field);
        if (i < 0 || canon_equal(field_canon(&l->fields[i], b->side), &now[i], &entry->values[k]))
            held[n_held++] = entry->values[k];
    }
    return n_held;
}

static bool holds_sent(const struct g_link *l, const struct g_batch *b, const struct g_entry *entry, const tl_record *r)
{
    AUTO(arena_done) struct arena a = {0};
    tl_value *held = arena_array(&a, tl_value, entry->n_values + 1);
    return sent_and_held(l, b, entry, r, held) == entry->n_values;
}

/* ---- Asking */

static void ask_get(struct engine *g, struct g_link *l, struct g_batch *b)
{
    struct g_feed *f = l->feed[b->side];
    uint32_t max = f->kind->desc.max_get;
    max = max == 0 || max > GET_MAX ? GET_MAX : max;
    struct call *c = g_call(g, CALL_GET, b->endpoint, TL_PURPOSE_LIVE);
    struct resolve_note *note = arena_new(&c->arena, struct resolve_note);
    str *ids = arena_array(&c->arena, str, max);
    note->entries = arena_array(&c->arena, uint32_t, max);
    for (uint32_t i = 0; i < b->n && note->n < max; i++)
        if (!b->entries[i].done) {
            ids[note->n] = arena_str(&c->arena, b->entries[i].id);
            note->entries[note->n++] = i;
        }
    c->tag = -b->intent;
    c->request.get.ids = ids;
    c->request.get.n_ids = note->n;
    c->request.get.shape = feed_call_shape(f, c);
    c->request.get.stamp_field = feed_call_stamp(f, c);
    call_note(c)->more = note;
    b->calls++;
    g_submit(g, c);
}

/* The question that finds what this create may have made. False: there is none. */
static bool create_query(struct engine *g, struct g_link *l, struct g_batch *b, struct g_entry *entry, int class,
                         struct call *c, tl_query *out)
{
    if (class <= 2) {
        *out = (tl_query){STR("stamp"), arena_str(&c->arena, entry->stamp)};
        return entry->stamp.n > 0;
    }
    uint32_t can = l->rules.can[b->side];
    const tl_value *key = l->match[b->side].kind ? entry_value(l, entry, l->match[b->side].number, b->side) : NULL;
    if (key && !value_is_blank(key) && (can & TL_CAN_FIND)) {
        AUTO(buf_done) struct buf text = {0};
        value_text(&text, key);
        *out = (tl_query){arena_str(&c->arena, l->match_path[b->side]), arena_str(&c->arena, buf_lent(&text))};
        return true;
    }
    if (!(can & TL_CAN_FIND_CREATED))
        return false;
    int64_t since = b->made_us + l->rules.clock_offset_us[b->side] - 5 * US_PER_S - l->rules.resolution_us[b->side];
    (void)g;
    *out = (tl_query){STR("created"), arena_str(&c->arena, str_of(arena_fmt(&c->arena, "%lld", (long long)since)))};
    return true;
}

/* Which create of the pair it is: the side and the generation. */
static str create_name(int side, uint32_t gen, struct arena *a)
{
    return str_of(arena_fmt(a, "%c%u", side ? 'b' : 'a', gen));
}

bool create_is_unsure(const struct pair *p, int side, struct arena *a)
{
    str unsure = extra_get(p->extra, EXTRA_UNSURE);
    return unsure.n && str_eq(unsure, create_name(side, create_generation(p, side), a));
}

/* Entries that nothing can find again: reported, not lost, and not sent again until a person says so. */
static int give_up(struct engine *g, struct g_link *l, struct g_batch *b, uint32_t i, const char *text, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct g_entry *entry = &b->entries[i];
    struct pair p = {0};
    struct record source = {0};
    int rc = pair_get(g->db, &a, entry->pair, &p, e);
    if (rc == TL_OK)
        rc = record_get(g->db, &a, p.rec[1 - b->side], &source, e);
    if (rc != TL_OK)
        return rc;
    struct trouble t = {.code = entry->flags & ENTRY_LOOKED ? "ALREADY_MAPPED" : "UNKNOWN_OUTCOME",
                        .id = source.id,
                        .side = 1 - b->side,
                        .text = text};
    p.intent = 0;
    if (!(entry->flags & ENTRY_LOOKED))
        p.extra = extra_set(p.extra, EXTRA_UNSURE, create_name(b->side, entry->gen, &a), &a);
    rc = fail_pair(g, l, &p, &t, e);
    entry->done = rc == TL_OK;
    return rc;
}

static bool ask_find(struct engine *g, struct g_link *l, struct g_batch *b, struct err *e)
{
    struct g_feed *f = l->feed[b->side];
    int class = create_class(l, b->side);
    uint32_t max = f->kind->desc.max_find;
    max = max == 0 || max > FIND_MAX ? FIND_MAX : max;
    struct call *c = g_call(g, CALL_FIND, b->endpoint, TL_PURPOSE_LIVE);
    struct resolve_note *note = arena_new(&c->arena, struct resolve_note);
    tl_query *queries = arena_array(&c->arena, tl_query, max);
    note->class = class;
    note->entries = arena_array(&c->arena, uint32_t, max);
    int rc = TL_OK;
    bool hopeless = false;
    for (uint32_t i = 0; i < b->n && note->n < max && rc == TL_OK; i++) {
        if (b->entries[i].done)
            continue;
        rc = create_values(g, l, b, &b->entries[i], e);
        if (rc == TL_OK && class < 4 && create_query(g, l, b, &b->entries[i], class, c, &queries[note->n]))
            note->entries[note->n++] = i;
        else
            hopeless = true;
    }
    if (rc == TL_OK && note->n == 0 && hopeless) {
        rc = g_begin(g, e);
        for (uint32_t i = 0; i < b->n && rc == TL_OK; i++)
            if (!b->entries[i].done)
                rc = give_up(g, l, b, i, "the target offers no way to look for it", e);
        if (rc == TL_OK)
            rc = batch_settle(g, b, e);
        rc = g_end(g, rc, "giving up unknown writes", e);
        for (uint32_t i = 0; i < b->n && rc != TL_OK; i++)
            b->entries[i].done = false;
    }
    if (rc != TL_OK || note->n == 0) {
        call_free(c);
        if (rc != TL_OK) {
            log_err(LOG_ERROR, "looking for a write of unknown outcome", e);
            later(g, b, US_PER_S);
        } else {
            batch_sweep(g, b);
        }
        return rc == TL_OK;
    }
    c->tag = -b->intent;
    c->request.find.queries = queries;
    c->request.find.n_queries = note->n;
    c->request.find.limit = FIND_LIMIT;
    c->request.find.shape = feed_call_shape(f, c);
    c->request.find.stamp_field = feed_call_stamp(f, c);
    call_note(c)->more = note;
    b->calls++;
    g_submit(g, c);
    return true;
}

bool resolve_turn(struct engine *g)
{
    bool any = false;
    struct g_batch *next = NULL;
    for (struct g_batch *b = g->batches; b && !g_spent(g); b = next) {
        next = b->next;
        struct g_link *l = model_link(g, b->link);
        if (b->state != INTENT_UNKNOWN || b->calls > 0 || b->resolve_due > g_mono(g) || !l || !link_runs(l))
            continue;
        if (!l->feed[b->side] || !l->feed[b->side]->kind || !g_endpoint_can(g, l->conn->ep[b->side], TL_PURPOSE_LIVE))
            continue;
        struct err e = {0};
        if (b->op == TL_OP_CREATE)
            ask_find(g, l, b, &e);
        else
            ask_get(g, l, b);
        g_step(g, 1);
        any = true;
    }
    return any;
}

/* ---- Answers */

/* A write that is not there yet may still be applied, over whatever was written meanwhile; not where the vendor holds
 * it against the version it was based on. */
static bool may_come_late(struct engine *g, const struct g_link *l, const struct g_batch *b)
{
    return !(l->rules.can[b->side] & TL_CAN_CONDITIONAL) && g_now(g) < b->settle_us;
}

/* The record may have gone to the bin since it was written, which shows whether it was where it tells every value. */
static bool is_applied(const struct g_link *l, const struct g_batch *b, const struct g_entry *entry, const tl_record *r)
{
    bool trashed = r->state == TL_STATE_TRASHED;
    if (b->op == TL_OP_DELETE)
        return trashed || r->state == TL_STATE_DELETED;
    bool tells = r->state == TL_STATE_LIVE || (trashed && b->op == TL_OP_UPDATE && (r->flags & TL_REC_FULL));
    return tells && holds_sent(l, b, entry, r);
}

/* Some of it holds and some does not: it was applied and then edited, or never applied and somebody gave the same
 * value. Either way the two sides have agreed on what holds; else our own value would pass for an edit that others
 * made. */
static int undone_or_edited(struct engine *g, struct g_link *l, struct g_batch *b, uint32_t i, const tl_record *r,
                            struct arena *a, struct err *e)
{
    struct g_entry part = b->entries[i];
    bool may_be = b->op == TL_OP_UPDATE && !(b->flags & BATCH_UNDO) && r->state == TL_STATE_LIVE;
    part.values = arena_array(a, tl_value, part.n_values + 1);
    part.n_values = may_be ? sent_and_held(l, b, &b->entries[i], r, part.values) : 0;
    if (part.n_values == 0)
        return retry_undone(g, l, b, i, e);
    int rc = push_apply_part(g, l, b, &part, r, e);
    b->entries[i].done = rc == TL_OK;
    return rc;
}

static int resolve_updates(struct engine *g, struct g_link *l, struct g_batch *b, struct call *c,
                           const struct resolve_note *note, struct err *e)
{
    struct observe_how how = {.via = OBSERVE_GET, .sent_us = call_note(c)->sent_us};
    bool *answered = arena_array(&c->arena, bool, note->n + 1);
    AUTO(reply_reader_done) struct reply_reader r;
    reply_reader_init(&r, &c->reply);
    int rc = TL_OK;
    for (struct item item; rc == TL_OK && reply_next(&r, &item);) {
        if (item.kind != ITEM_RECORD)
            continue;
        for (uint32_t k = 0; k < note->n && rc == TL_OK; k++) {
            uint32_t i = note->entries[k];
            if (answered[k] || b->entries[i].done || !str_eq(b->entries[i].id, item.u.record.id))
                continue;
            answered[k] = true;
            struct observed seen;
            bool applied = is_applied(l, b, &b->entries[i], &item.u.record);
            rc = observe(g, l->feed[b->side], &item.u.record, item.raw, &how, &seen, e);
            if (rc == TL_OK && applied)
                rc = push_apply(g, l, b, i, &item.u.record, true, e);
            else if (rc == TL_OK && !may_come_late(g, l, b))
                rc = undone_or_edited(g, l, b, i, &item.u.record, &c->arena, e);
        }
    }
    for (uint32_t k = 0; k < note->n && rc == TL_OK; k++)
        if (!answered[k]) {
            struct record_probe probe = {0};
            rc = record_probe(g->db, l->feed[b->side]->row.feed, b->entries[note->entries[k]].id, &probe, e);
            if (rc == TL_OK)
                rc = deletion_note(g, l, b, probe.rec, e);
            if (rc == TL_OK && b->op == TL_OP_DELETE)
                rc = push_apply(g, l, b, note->entries[k], NULL, true, e);
            else if (rc == TL_OK || rc == TL_E_NOT_FOUND)
                rc = push_drop(g, l, b, note->entries[k], g_now(g), e);
        }
    return rc;
}

struct found {
    int n;
    uint32_t listed; /* records the vendor named for this question */
    int64_t rec;
    char *id;
};

/* A record that may be this entry's: by stamp it is; else made by us since, holding what was sent, and nobody's. */
static int found_add(struct engine *g, struct g_link *l, struct g_batch *b, const struct g_entry *entry, int class,
                     const struct item *item, const struct observe_how *how, struct call *c, struct found *out,
                     struct err *e)
{
    const tl_record *r = &item->u.record;
    struct g_feed *f = l->feed[b->side];
    if (r->state != TL_STATE_LIVE && r->state != TL_STATE_TRASHED)
        return TL_OK;
    if (class <= 2 && !str_eq(r->stamp, entry->stamp))
        return TL_OK;
    if (class > 2) {
        int64_t since = b->made_us + l->rules.clock_offset_us[b->side] - 5 * US_PER_S - l->rules.resolution_us[b->side];
        if (r->created_us && r->created_us < since)
            return TL_OK;
        if (!holds_sent(l, b, entry, r))
            return TL_OK;
    }
    struct observed seen;
    int rc = observe(g, f, r, item->raw, how, &seen, e);
    struct record_probe probe = {0};
    if (rc == TL_OK)
        rc = record_probe(g->db, f->row.feed, r->id, &probe, e);
    int64_t of = 0;
    if (rc == TL_OK)
        rc = pair_of_record(g->db, l->row.link, (enum side)b->side, probe.rec, (str){0}, &of, e);
    if (rc == TL_OK) {
        struct pair p = {0};
        AUTO(arena_done) struct arena a = {0};
        rc = pair_get(g->db, &a, of, &p, e);
        if (rc != TL_OK || p.rec[1 - b->side] != 0 || p.intent != 0)
            return rc;                  /* somebody's */
        rc = pair_delete(g->db, of, e); /* a one-sided pair of its own, made when it was seen */
    }
    if (rc == TL_E_NOT_FOUND)
        rc = TL_OK;
    if (rc == TL_OK && (out->n == 0 || out->rec != probe.rec)) {
        out->n++;
        out->rec = probe.rec;
        out->id = arena_copy(&c->arena, r->id.p, r->id.n);
    }
    return rc;
}

static int create_outcome(struct engine *g, struct g_link *l, struct g_batch *b, uint32_t i, int class,
                          const struct found *f, struct err *e)
{
    struct g_entry *entry = &b->entries[i];
    if (f->n == 1 || (f->n > 1 && class <= 2)) {
        tl_record post = {.id = str_of(f->id)};
        return push_apply(g, l, b, i, &post, true, e);
    }
    if (f->n > 1)
        return give_up(g, l, b, i, "several records of the target could be it", e);
    if (class > 2 && f->listed >= FIND_LIMIT && g_now(g) >= b->settle_us)
        return give_up(g, l, b, i, "the target lists too many records to tell", e);
    if (entry->flags & ENTRY_LOOKED)
        return give_up(g, l, b, i, "the target speaks of a duplicate that is not ours", e);
    if (class > 1 && g_now(g) < b->settle_us)
        return TL_OK; /* it may still show up */
    return retry_undone(g, l, b, i, e);
}

static int resolve_creates(struct engine *g, struct g_link *l, struct g_batch *b, struct call *c,
                           const struct resolve_note *note, struct err *e)
{
    struct observe_how how = {.via = OBSERVE_GET, .sent_us = call_note(c)->sent_us};
    struct found *found = arena_array(&c->arena, struct found, note->n + 1);
    AUTO(reply_reader_done) struct reply_reader r;
    reply_reader_init(&r, &c->reply);
    int rc = TL_OK;
    for (struct item item; rc == TL_OK && reply_next(&r, &item);) {
        if (item.kind != ITEM_RECORD || item.u.record.index >= note->n)
            continue;
        uint32_t k = item.u.record.index;
        found[k].listed++;
        rc = found_add(g, l, b, &b->entries[note->entries[k]], note->class, &item, &how, c, &found[k], e);
    }
    for (uint32_t k = 0; k < note->n && rc == TL_OK; k++)
        if (!b->entries[note->entries[k]].done)
            rc = create_outcome(g, l, b, note->entries[k], note->class, &found[k], e);
    return rc;
}

void resolve_call_done(struct engine *g, struct call *c)
{
    struct g_batch *b = batch_find(g, -c->tag);
    struct g_link *l = b ? model_link(g, b->link) : NULL;
    const struct resolve_note *note = call_note(c)->more;
    if (!b || !l) {
        call_free(c);
        return;
    }
    b->calls--;
    int status = c->reply.status;
    bool ok = status == TL_OK || status == TL_E_NOT_FOUND;
    if (ok && call_note(c)->shape_hash != l->feed[b->side]->shape_hash) {
        later(g, b, 0);
        call_free(c);
        return;
    }
    if (!ok) {
        struct g_endpoint *ep = l->conn->ep[b->side];
        bool whole = endpoint_trouble(g, ep, c, status, &c->reply.error);
        int64_t sleep = ep->sleep_until - g_mono(g);
        later(g, b, !whole ? backoff_us(g, ++b->resolve_tries) : sleep > US_PER_S ? sleep : US_PER_S);
        call_free(c);
        return;
    }
    struct err e = {0};
    int rc = g_begin(g, &e);
    if (rc == TL_OK)
        rc = b->op == TL_OP_CREATE ? resolve_creates(g, l, b, c, note, &e) : resolve_updates(g, l, b, c, note, &e);
    if (rc == TL_OK)
        rc = batch_settle(g, b, &e);
    rc = g_end(g, rc, "settling unknown outcomes", &e);
    if (rc != TL_OK)
        for (uint32_t k = 0; k < note->n; k++)
            b->entries[note->entries[k]].done = false;
    bool through = true;
    for (uint32_t i = 0; i < b->n; i++)
        through &= b->entries[i].done;
    bool waits = rc == TL_OK && g_now(g) < b->settle_us;
    b->resolve_tries = rc == TL_OK ? 0 : b->resolve_tries + 1;
    int64_t wait = rc != TL_OK ? backoff_us(g, b->resolve_tries) : waits ? b->settle_us - g_now(g) : 0;
    if (!through && waits && wait > 10 * US_PER_S)
        wait = 10 * US_PER_S;
    later(g, b, wait);
    call_free(c);
    batch_sweep(g, b);
}
