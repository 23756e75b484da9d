/* Writes: sent in batches, their answers taken in one record at a time (apply.c), one transaction an answer. What has
 * no result stays an open intent of unknown outcome. */
#include "engine_int.h"
#include "reading.h"
#include "writing.h"

/* ---- Sending ----------------------------------------------------------------------------------------------------- */

/* The fields of one side that this link writes, in the order of the rules. */
static const tl_shape *link_write_shape(const struct g_link *l, int side, struct call *c)
{
    tl_shape *shape = arena_new(&c->arena, tl_shape);
    tl_field *fields = arena_array(&c->arena, tl_field, l->rules.n_fields + 1);
    for (uint32_t i = 0; i < l->rules.n_fields; i++) {
        fields[i] = l->fields[i].side[side];
        fields[i].path = arena_str(&c->arena, fields[i].path);
        fields[i].name = arena_str(&c->arena, fields[i].name);
        fields[i].label = arena_str(&c->arena, fields[i].label);
        fields[i].refers_to = arena_str(&c->arena, fields[i].refers_to);
        fields[i].n_choices = 0;
        fields[i].choices = NULL;
    }
    *shape = (tl_shape){sizeof *shape, l->rules.n_fields, sizeof(tl_field), 0, arena_str(&c->arena, l->row.kind[side]),
                        fields};
    return shape;
}

int32_t field_of_number(const struct g_link *l, uint32_t number)
{
    for (uint32_t i = 0; i < l->rules.n_fields; i++)
        if (l->fields[i].number == number)
            return (int32_t)i;
    return -1;
}

struct sent_range {
    uint32_t first, n;
    uint32_t *entries; /* [n] index of the batch's entries */
    uint32_t n_fields;
    uint32_t *obs_no; /* [n_fields] field numbers of the shape that was sent */
};

/* A record that came back, with its values told in the shape of the feed instead of the one of the write. */
static tl_record result_record(const struct g_feed *f, const struct sent_range *sent, const tl_record *r,
                               struct arena *a)
{
    tl_record out = *r;
    tl_value *values = arena_array(a, tl_value, r->n_values + 1);
    out.n_values = 0;
    for (uint32_t i = 0; i < r->n_values; i++) {
        uint32_t number = r->values[i].field < sent->n_fields ? sent->obs_no[r->values[i].field] : 0;
        if (number == 0 || number >= f->n_numbers || f->shape_of[number] < 0)
            continue;
        values[out.n_values] = r->values[i];
        values[out.n_values++].field = (uint32_t)f->shape_of[number];
    }
    out.values = values;
    return out;
}

void push_submit(struct engine *g, struct g_batch *b, uint32_t first, uint32_t n)
{
    struct g_link *l = model_link(g, b->link);
    struct call *c = g_call(g, CALL_PUSH, b->endpoint, TL_PURPOSE_BULK);
    tl_record *records = arena_array(&c->arena, tl_record, n + 1);
    struct sent_range *sent = arena_new(&c->arena, struct sent_range);
    sent->entries = arena_array(&c->arena, uint32_t, n + 1);
    for (uint32_t i = first; i < first + n && i < b->n; i++) {
        const struct g_entry *from = &b->entries[i];
        if (from->done)
            continue;
        tl_record *to = &records[sent->n];
        sent->entries[sent->n++] = i;
        to->op = b->op;
        to->id = arena_str(&c->arena, from->id);
        to->stamp = arena_str(&c->arena, from->stamp);
        to->version = arena_str(&c->arena, from->version);
        tl_value *values = arena_array(&c->arena, tl_value, from->n_values + 1);
        for (uint32_t k = 0; k < from->n_values; k++) {
            int32_t at = field_of_number(l, from->values[k].field);
            if (at < 0)
                continue; /* unmapped meanwhile */
            values[to->n_values] = value_copy(&from->values[k], &c->arena);
            values[to->n_values++].field = (uint32_t)at;
        }
        to->values = values;
    }
    tl_batch *batch = arena_new(&c->arena, tl_batch);
    *batch = (tl_batch){sizeof *batch, sent->n, sizeof(tl_record), 0, records};
    sent->first = first;
    sent->n_fields = l->rules.n_fields;
    sent->obs_no = arena_array(&c->arena, uint32_t, l->rules.n_fields + 1);
    for (uint32_t i = 0; i < l->rules.n_fields; i++)
        sent->obs_no[i] = l->fields[i].obs_no[b->side];
    c->tag = b->intent;
    c->request.push.batch = batch;
    c->request.push.flags = b->flags & BATCH_QUIET ? TL_PUSH_QUIET : 0;
    c->request.push.shape = link_write_shape(l, b->side, c);
    c->request.push.stamp_field = feed_call_stamp(l->feed[b->side], c);
    call_note(c)->more = sent;
    b->calls++;
    env_crash_point(g->env, "before a write is sent");
    g_submit(g, c);
}

/* ---- One answer -------------------------------------------------------------------------------------------------- */

static bool call_was_not_applied(int status)
{
    return status == TL_E_THROTTLED || status == TL_E_QUOTA || status == TL_E_TEMPORARY || status == TL_E_AUTH ||
           status == TL_E_CONFIG;
}

static bool call_may_be_applied(const struct reply *r)
{
    return r->crashed || r->status == TL_OK || r->status == TL_E_UNKNOWN || r->status == TL_E_CANCELLED ||
           r->status == TL_E_BUG;
}

static int take_results(struct engine *g, struct g_link *l, struct g_batch *b, struct call *c,
                        const struct sent_range *sent, bool *answered, struct err *e)
{
    int rc = TL_OK;
    AUTO(reply_reader_done) struct reply_reader r;
    reply_reader_init(&r, &c->reply);
    for (struct item item; rc == TL_OK && reply_next(&r, &item);) {
        if (item.kind != ITEM_RESULT || item.u.result.index >= sent->n || answered[item.u.result.index])
            continue;
        uint32_t at = sent->entries[item.u.result.index];
        const tl_result *result = &item.u.result.result;
        answered[item.u.result.index] = true;
        g_step(g, 2);
        tl_record post = {.id = b->entries[at].id};
        if (result->record)
            post = result_record(l->feed[b->side], sent, result->record, &c->arena);
        if (result->status == TL_OK && post.id.n > 0)
            rc = push_apply(g, l, b, at, &post, false, e);
        else if (result->status != TL_E_UNKNOWN && result->status != TL_OK)
            rc = retry_entry(g, l, b, at, result->status, result->error, e);
    }
    return rc;
}

/* Nothing was said about these entries. *split: send them again in halves. */
static int take_silence(struct engine *g, struct g_link *l, struct g_batch *b, struct call *c,
                        const struct sent_range *sent, const bool *answered, bool *split, struct err *e)
{
    uint32_t silent = 0;
    int rc = TL_OK;
    for (uint32_t i = 0; i < sent->n; i++)
        silent += !answered[i];
    for (uint32_t i = 0; i < sent->n; i++) {
        uint32_t *flags = &b->entries[sent->entries[i]].flags;
        bool broke_a_rule = !answered[i] && c->reply.status == TL_OK && !c->reply.crashed;
        *flags = broke_a_rule ? *flags | ENTRY_SILENT : *flags & ~(uint32_t)ENTRY_SILENT;
    }
    if (silent == 0 || call_may_be_applied(&c->reply))
        return TL_OK;
    int status = c->reply.status;
    bool later = call_was_not_applied(status);
    if (!later && sent->n > 1 && link_runs(l)) {
        if (g_endpoint_can_go_on(g, l->conn->ep[b->side])) {
            *split = true;
            return TL_OK;
        }
        l->cautious = sent->n; /* halves could not leave now: one by one, when they can */
    }
    for (uint32_t i = 0; i < sent->n && rc == TL_OK; i++)
        if (!answered[i])
            rc = !later && sent->n > 1 ? push_drop(g, l, b, sent->entries[i], g_now(g), e)
                                       : retry_entry(g, l, b, sent->entries[i], status, &c->reply.error, e);
    return rc;
}

/* Two crashes with this record alone in flight: it is set aside, the others go on. */
static int poison(struct engine *g, struct g_link *l, struct g_batch *b, uint32_t i, struct pair *p, struct err *e)
{
    struct trouble t = {.code = "POISON",
                        .id = b->entries[i].source_id,
                        .side = 1 - b->side,
                        .text = "the connector died twice while it wrote this record"};
    p->intent = 0;
    int rc = fail_pair(g, l, p, &t, e);
    p->status = PAIR_QUARANTINED;
    p->due_us = 0;
    if (rc == TL_OK)
        rc = pair_store(g->db, p, e);
    b->entries[i].done = rc == TL_OK;
    return rc;
}

static int note_crash(struct engine *g, struct g_link *l, struct g_batch *b, const struct sent_range *sent,
                      struct err *e)
{
    int rc = TL_OK;
    l->cautious = 2 * sent->n;
    for (uint32_t i = 0; i < sent->n && sent->n == 1 && rc == TL_OK; i++) {
        AUTO(arena_done) struct arena a = {0};
        struct pair p = {0};
        rc = pair_get(g->db, &a, b->entries[sent->entries[i]].pair, &p, e);
        if (rc == TL_OK) {
            bool again = extra_get(p.extra, EXTRA_CRASHES).n > 0;
            p.extra = extra_set(p.extra, EXTRA_CRASHES, STR("1"), &a);
            rc = again ? poison(g, l, b, sent->entries[i], &p, e) : pair_store(g->db, &p, e);
        }
    }
    return rc;
}

static void call_again(struct engine *g, struct call *c)
{
    c->next = g->done;
    if (!g->done)
        g->done_last = c;
    g->done = c;
    g->calls_open++;
}

void push_call_done(struct engine *g, struct call *c)
{
    struct g_batch *b = batch_find(g, c->tag);
    struct g_link *l = b ? model_link(g, b->link) : NULL;
    const struct sent_range *sent = call_note(c)->more;
    if (!b || !l) {
        call_free(c);
        return;
    }
    env_crash_point(g->env, "after a write was answered");
    bool *answered = arena_array(&c->arena, bool, sent->n + 1);
    bool split = false;
    struct err e = {0};
    int rc = g_begin(g, &e);
    if (rc == TL_OK)
        rc = take_results(g, l, b, c, sent, answered, &e);
    if (rc == TL_OK)
        rc = take_silence(g, l, b, c, sent, answered, &split, &e);
    if (rc == TL_OK && c->reply.crashed)
        rc = note_crash(g, l, b, sent, &e);
    if (rc == TL_OK && !split)
        rc = batch_settle(g, b, &e);
    if (rc == TL_OK)
        rc = run_flush(g, l, &e);
    rc = g_end(g, rc, "taking in written records", &e);
    if (rc != TL_OK) {
        for (uint32_t i = 0; i < sent->n; i++)
            b->entries[sent->entries[i]].done = false;
        if (rc == E_STORAGE) {
            call_again(g, c);
            return;
        }
    }
    b->calls--;
    if (l->cautious > 0)
        l->cautious--;
    if (c->reply.status == TL_OK)
        endpoint_works(g, l->conn->ep[b->side], c);
    else
        endpoint_trouble(g, l->conn->ep[b->side], c, c->reply.status, &c->reply.error);
    if (split && rc == TL_OK) {
        uint32_t first = sent->entries[0], end = sent->entries[sent->n - 1] + 1;
        uint32_t middle = sent->entries[sent->n / 2];
        push_submit(g, b, first, middle - first);
        push_submit(g, b, middle, end - middle);
    }
    call_free(c);
    batch_sweep(g, b);
}
