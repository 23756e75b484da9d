/* A write as the history keeps it: what each field was before and is after, why, and since when it was wanted. */
#include "change.h"

#include <stdlib.h>

#include "engine_int.h"
#include "writing.h"

struct written {
    const struct g_link *l;
    const struct g_batch *batch;
    const struct g_entry *entry;
    const struct loaded *was; /* the pair before the write; NULL: a new record */
};

static void field_why(const struct written *w, uint32_t i, json_t *row)
{
    int side = w->batch->side, source = 1 - side;
    const struct loaded *ld = w->was;
    bool both = field_changed(&w->l->fields[i], &ld->snap.side[side], i);
    if (w->batch->flags & BATCH_UNDO) {
        json_object_set_new(row, "rule", json_string("undo"));
        return;
    }
    json_object_set_new(row, "rule", json_string(change_rule(&w->l->rules, &ld->snap, side, i, both)));
    int64_t at = ld->chg[source][i] ? ld->chg[source][i] : ld->rec[source].modified_us;
    AUTO(buf_done) struct buf time = {0};
    if (at) {
        time_format(&time, at);
        json_object_set_new(row, "at", json_string(buf_text(&time)));
    }
    if (ld->rec[source].by.n)
        json_object_set_new(row, "by", json_stringn(ld->rec[source].by.p, ld->rec[source].by.n));
    if (both && (w->entry->flags & ENTRY_CONFLICT))
        json_object_set_new(row, "conflict", json_true());
}

/* What was deleted, so that it can be told later, with who deleted its counterpart, and when. */
static void deleted_fields(const struct written *w, json_t *list)
{
    int side = w->batch->side;
    const struct record *source = &w->was->rec[1 - side];
    AUTO(buf_done) struct buf time = {0};
    if (source->modified_us)
        time_format(&time, source->modified_us);
    for (uint32_t i = 0; i < w->l->rules.n_fields; i++) {
        const tl_value *before = &w->was->values[side][i];
        if (value_is_blank(before))
            continue;
        json_t *row = change_field_json(w->l->fields[i].number, w->l->fields[i].side[side].path, before,
                                        &(tl_value){.type = TL_NULL});
        json_object_set_new(row, "rule", json_string("deleted"));
        if (time.n)
            json_object_set_new(row, "at", json_string(buf_text(&time)));
        if (source->by.n)
            json_object_set_new(row, "by", json_stringn(source->by.p, source->by.n));
        json_array_append_new(list, row);
    }
}

static void change_fields(const struct written *w, struct arena *a, str *out)
{
    json_t *list = json_array();
    int side = w->batch->side;
    if (w->batch->op == TL_OP_DELETE)
        deleted_fields(w, list);
    for (uint32_t k = 0; k < w->entry->n_values; k++) {
        int32_t i = field_of_number(w->l, w->entry->values[k].field);
        if (i < 0)
            continue;
        const tl_value *before = w->was ? &w->was->values[side][i] : NULL;
        json_t *row =
            change_field_json(w->l->fields[i].number, w->l->fields[i].side[side].path, before, &w->entry->values[k]);
        if (w->was)
            field_why(w, (uint32_t)i, row);
        json_array_append_new(list, row);
    }
    char *text = json_dumps(list, JSON_COMPACT);
    *out = arena_str(a, str_of(text));
    free(text);
    json_decref(list);
}

int change_note(struct engine *g, struct g_link *l, const struct g_batch *b, const struct g_entry *entry,
                const struct loaded *was, str id, struct arena *a, struct err *e)
{
    static const char *const causes[] = {"action", "live", "retry", "sweep", "initial"};
    const char *cause = b->lane >= 0 && b->lane < LANE_COUNT ? causes[b->lane] : "live";
    struct written w = {l, b, entry, was};
    struct change row = {.run = b->run,
                         .pair = entry->pair,
                         .side = b->side,
                         .op = b->op,
                         .id = id,
                         .at_us = g_now(g),
                         .cause = str_of(b->flags & BATCH_UNDO ? "undo" : cause)};
    change_fields(&w, a, &row.fields);
    return change_add(g->db, &row, e);
}
