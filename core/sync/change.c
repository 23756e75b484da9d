/* A write as the history keeps it: what each field was before and is after. */
#include <stdlib.h>

#include "engine_int.h"

static void change_fields(const struct g_link *l, const struct g_entry *entry, const tl_value *before, int side,
                          struct arena *a, str *out)
{
    json_t *list = json_array();
    for (uint32_t k = 0; k < entry->n_values; k++) {
        int32_t i = field_of_number(l, entry->values[k].field);
        if (i < 0)
            continue;
        AUTO(buf_done) struct buf was = {0};
        AUTO(buf_done) struct buf now = {0};
        if (before)
            value_text(&was, &before[i]);
        value_text(&now, &entry->values[k]);
        json_t *row = json_object();
        json_object_set_new(row, "no", json_integer((json_int_t)l->fields[i].number));
        json_object_set_new(row, "field", json_stringn(l->fields[i].side[side].path.p, l->fields[i].side[side].path.n));
        json_object_set_new(row, "before", before ? json_stringn(buf_text(&was), was.n) : json_null());
        json_object_set_new(row, "after", json_stringn(buf_text(&now), now.n));
        if (entry->flags & ENTRY_CONFLICT)
            json_object_set_new(row, "conflict", json_true());
        json_array_append_new(list, row);
    }
    char *text = json_dumps(list, JSON_COMPACT);
    *out = arena_str(a, str_of(text));
    free(text);
    json_decref(list);
}

int change_note(struct engine *g, struct g_link *l, const struct g_batch *b, const struct g_entry *entry,
                const tl_value *before, str id, struct arena *a, struct err *e)
{
    static const char *const causes[] = {"action", "live", "retry", "sweep", "initial"};
    struct change row = {.run = b->run,
                         .pair = entry->pair,
                         .side = b->side,
                         .op = b->op,
                         .id = id,
                         .at_us = g_now(g),
                         .cause = str_of(b->lane >= 0 && b->lane < LANE_COUNT ? causes[b->lane] : "live")};
    change_fields(l, entry, before, b->side, a, &row.fields);
    return change_add(g->db, &row, e);
}
