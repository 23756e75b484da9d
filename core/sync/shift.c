/* A pass that finds the same field changed in most of the records it meets: time zones or formats that moved at the
 * vendor, not the work of people. Nothing is written on the strength of it until a person has looked.
 *
 * Counted are the records whose values are compared under the shape they were stored in; the first pass of a shape, and
 * one whose outcome a person has accepted, count nothing. What was met before a restart is not counted again. */
#include <stdlib.h>

#include "engine_int.h"
#include "reading.h"

enum { SHIFT_AT_LEAST = 20 };

void shift_begin(struct g_feed *f)
{
    free(f->shifted);
    f->shifted = NULL;
    f->compared = 0;
}

static bool is_watched(const struct g_feed *f)
{
    return f->pass.pass && f->row.full_pass_us && f->row.shape_hash == f->shape_hash && f->row.accepted_us == 0;
}

void shift_met(struct g_feed *f)
{
    f->compared += is_watched(f);
}

void shift_note(struct g_feed *f, str before, str after)
{
    if (!is_watched(f))
        return;
    if (!f->shifted) {
        f->shifted = calloc(f->shape.n_fields + 1, sizeof *f->shifted);
        ASSERT(f->shifted);
    }
    AUTO(arena_done) struct arena a = {0};
    for (uint32_t i = 0; i < f->shape.n_fields; i++) {
        tl_value was = {.type = TL_NULL}, is = {.type = TL_NULL};
        const tl_field *field = &f->shape.fields[i];
        struct canon canon = canon_of(field, field, f->kind->desc.resolution_ms, f->kind->desc.resolution_ms);
        (void)obs_find(before, f->number_of[i], &a, &was);
        (void)obs_find(after, f->number_of[i], &a, &is);
        f->shifted[i] += !canon_equal(&canon, &was, &is);
    }
}

bool shift_found(const struct g_feed *f, uint32_t *field_out)
{
    for (uint32_t i = 0; f->shifted && is_watched(f) && i < f->shape.n_fields; i++)
        if (f->shifted[i] > SHIFT_AT_LEAST && f->shifted[i] > f->compared / 2) {
            *field_out = i;
            return true;
        }
    return false;
}

bool shift_holds(const struct g_link *l)
{
    uint32_t field = 0;
    return shift_found(l->feed[0], &field) || shift_found(l->feed[1], &field);
}
