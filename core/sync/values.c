#include "values.h"

#include <inttypes.h>

#include "times.h"

static bool is_integer_type(uint8_t type)
{
    return type == TL_BOOL || type == TL_INT || type == TL_TIME || type == TL_DATE;
}

bool obs_spread(str image, const int32_t *position_of, uint32_t n_positions, tl_value *out, bool *has, uint32_t n_out,
                struct arena *arena)
{
    memset(out, 0, sizeof *out * n_out);
    if (has)
        memset(has, 0, sizeof *has * n_out);
    struct obs_reader r;
    obs_reader_init(&r, image, arena);
    for (tl_value v; obs_next(&r, &v);) {
        if (v.field >= n_positions || position_of[v.field] < 0)
            continue;
        out[position_of[v.field]] = v;
        if (has)
            has[position_of[v.field]] = true;
    }
    return !r.broken;
}

void obs_overlay(struct buf *out, str old, str newer, struct arena *arena)
{
    struct obs_reader a, b;
    obs_reader_init(&a, old, arena);
    obs_reader_init(&b, newer, arena);
    tl_value va, vb;
    bool has_a = obs_next(&a, &va), has_b = obs_next(&b, &vb);
    while (has_a || has_b) {
        bool take_new = has_b && (!has_a || vb.field <= va.field);
        if (has_a && has_b && va.field == vb.field)
            has_a = obs_next(&a, &va);
        if (take_new) {
            obs_add(out, &vb);
            has_b = obs_next(&b, &vb);
        } else {
            obs_add(out, &va);
            has_a = obs_next(&a, &va);
        }
    }
}

bool value_is_blank(const tl_value *v)
{
    if (v->type == TL_NULL)
        return true;
    if (v->type == TL_LIST)
        return v->u.list.n == 0;
    if (is_integer_type(v->type))
        return false;
    return str_trim(v->u.s).n == 0;
}

bool value_same(const tl_value *a, const tl_value *b)
{
    if (a->type != b->type)
        return false;
    if (a->type == TL_NULL)
        return true;
    if (is_integer_type(a->type))
        return a->u.i == b->u.i;
    if (a->type != TL_LIST)
        return a->aux == b->aux && str_eq(a->u.s, b->u.s);
    if (a->u.list.n != b->u.list.n)
        return false;
    for (uint64_t i = 0; i < a->u.list.n; i++)
        if (!value_same(&a->u.list.items[i], &b->u.list.items[i]))
            return false;
    return true;
}

tl_value value_copy(const tl_value *v, struct arena *arena)
{
    tl_value out = *v;
    if (v->type == TL_LIST) {
        tl_value *items = arena_array(arena, tl_value, v->u.list.n ? v->u.list.n : 1);
        for (uint64_t i = 0; i < v->u.list.n; i++)
            items[i] = value_copy(&v->u.list.items[i], arena);
        out.u.list.items = items;
    } else if (v->type != TL_NULL && !is_integer_type(v->type)) {
        out.u.s = arena_str(arena, v->u.s);
    }
    return out;
}

void value_text(struct buf *out, const tl_value *v)
{
    switch (v->type) {
    case TL_NULL:
        break;
    case TL_BOOL:
        buf_text_add(out, v->u.i ? "true" : "false");
        break;
    case TL_INT:
        buf_fmt(out, "%" PRId64, v->u.i);
        break;
    case TL_TIME:
        time_format(out, v->u.i);
        break;
    case TL_DATE:
        date_format(out, v->u.i);
        break;
    case TL_LIST:
        for (uint64_t i = 0; i < v->u.list.n; i++) {
            if (i > 0)
                buf_text_add(out, "; ");
            value_text(out, &v->u.list.items[i]);
        }
        break;
    default:
        buf_str(out, v->u.s);
    }
}
