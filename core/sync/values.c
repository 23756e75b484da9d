#include "values.h"

#include <inttypes.h>
#include <sodium.h>

#include "times.h"

static uint64_t zigzag(int64_t v)
{
    return ((uint64_t)v << 1) ^ (uint64_t)(v >> 63);
}

static int64_t unzigzag(uint64_t v)
{
    return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

static bool is_integer_type(uint8_t type)
{
    return type == TL_BOOL || type == TL_INT || type == TL_TIME || type == TL_DATE;
}

static void payload_add(struct buf *out, const tl_value *v)
{
    if (v->type == TL_NULL)
        return;
    if (is_integer_type(v->type)) {
        buf_varint(out, zigzag(v->u.i));
        return;
    }
    if (v->type == TL_LIST) {
        buf_varint(out, v->u.list.n);
        for (uint64_t i = 0; i < v->u.list.n; i++) {
            buf_char(out, (char)v->u.list.items[i].type);
            payload_add(out, &v->u.list.items[i]);
        }
        return;
    }
    if (v->type == TL_REF)
        buf_varint(out, v->aux);
    buf_varint(out, v->u.s.n);
    buf_str(out, v->u.s);
}

void image_add(struct buf *out, uint32_t number, const tl_value *v)
{
    buf_varint(out, number);
    buf_char(out, (char)v->type);
    payload_add(out, v);
}

void image_read(struct image_reader *r, str image, struct arena *arena)
{
    *r = (struct image_reader){(const uint8_t *)image.p, (const uint8_t *)image.p + image.n, arena, false};
}

static bool payload_text(struct image_reader *r, tl_value *out)
{
    uint64_t n = 0, aux = 0;
    if (out->type == TL_REF && !varint_read(&r->p, r->end, &aux))
        return false;
    if (!varint_read(&r->p, r->end, &n) || n > (uint64_t)(r->end - r->p))
        return false;
    out->aux = (uint16_t)aux;
    out->u.s = str_n(r->p, n);
    r->p += n;
    return true;
}

static bool payload_read(struct image_reader *r, tl_value *out, unsigned depth)
{
    if (out->type == TL_NULL)
        return true;
    if (is_integer_type(out->type)) {
        uint64_t raw = 0;
        bool ok = varint_read(&r->p, r->end, &raw);
        out->u.i = unzigzag(raw);
        return ok;
    }
    if (out->type != TL_LIST)
        return payload_text(r, out);
    uint64_t n = 0;
    if (depth > 0 || !varint_read(&r->p, r->end, &n) || n > (uint64_t)(r->end - r->p))
        return false;
    tl_value *items = arena_array(r->arena, tl_value, n ? n : 1);
    for (uint64_t i = 0; i < n; i++) {
        if (r->p == r->end)
            return false;
        items[i].type = *r->p++;
        if (!payload_read(r, &items[i], depth + 1))
            return false;
    }
    out->u.list.items = items;
    out->u.list.n = n;
    return true;
}

bool image_next(struct image_reader *r, tl_value *out)
{
    if (r->p == r->end || r->broken)
        return false;
    uint64_t number = 0;
    tl_value v = {0};
    if (varint_read(&r->p, r->end, &number) && r->p < r->end && number <= UINT32_MAX) {
        v.field = (uint32_t)number;
        v.type = *r->p++;
        if (payload_read(r, &v, 0)) {
            *out = v;
            return true;
        }
    }
    r->broken = true;
    return false;
}

bool image_spread(str image, const int32_t *position_of, uint32_t n_positions, tl_value *out, uint32_t n_out,
                  struct arena *arena)
{
    memset(out, 0, sizeof *out * n_out);
    struct image_reader r;
    image_read(&r, image, arena);
    for (tl_value v; image_next(&r, &v);)
        if (v.field < n_positions && position_of[v.field] >= 0)
            out[position_of[v.field]] = v;
    return !r.broken;
}

bool image_find(str image, uint32_t number, tl_value *out, struct arena *arena)
{
    struct image_reader r;
    image_read(&r, image, arena);
    for (tl_value v; image_next(&r, &v);)
        if (v.field == number) {
            *out = v;
            return true;
        }
    return false;
}

void image_overlay(struct buf *out, str old, str newer, struct arena *arena)
{
    struct image_reader a, b;
    image_read(&a, old, arena);
    image_read(&b, newer, arena);
    tl_value va, vb;
    bool has_a = image_next(&a, &va), has_b = image_next(&b, &vb);
    while (has_a || has_b) {
        bool take_new = has_b && (!has_a || vb.field <= va.field);
        if (has_a && has_b && va.field == vb.field)
            has_a = image_next(&a, &va);
        if (take_new) {
            image_add(out, vb.field, &vb);
            has_b = image_next(&b, &vb);
        } else {
            image_add(out, va.field, &va);
            has_a = image_next(&a, &va);
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

uint64_t bytes_hash(str s)
{
    static const unsigned char key[crypto_shorthash_KEYBYTES] = "tieline-seen-v1";
    uint64_t hash = 0;
    crypto_shorthash((unsigned char *)&hash, (const unsigned char *)s.p, s.n, key);
    return hash;
}
