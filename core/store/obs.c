/* Observations: the flat form of values. */
#include "obs.h"

#include <stdlib.h>

static uint64_t zigzag(int64_t v)
{
    return ((uint64_t)v << 1) ^ (uint64_t)(v >> 63);
}
static int64_t unzigzag(uint64_t v)
{
    return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

static bool is_number(uint8_t type)
{
    return type == TL_BOOL || type == TL_INT || type == TL_TIME || type == TL_DATE;
}

static void put_value(struct buf *out, const tl_value *v);

static void put_list(struct buf *out, const tl_value *v)
{
    AUTO(buf_done) struct buf items = {0};
    for (uint64_t i = 0; i < v->u.list.n; i++)
        put_value(&items, &v->u.list.items[i]);
    buf_varint(out, items.n);
    buf_str(out, buf_lent(&items));
}

static void put_value(struct buf *out, const tl_value *v)
{
    buf_char(out, (char)v->type);
    if (v->type == TL_NULL)
        return;
    if (is_number(v->type)) {
        buf_varint(out, zigzag(v->u.i));
        return;
    }
    if (v->type == TL_LIST) {
        put_list(out, v);
        return;
    }
    if (v->type == TL_REF)
        buf_varint(out, v->aux);
    buf_varint(out, v->u.s.n);
    buf_str(out, v->u.s);
}

void obs_add(struct buf *out, const tl_value *v)
{
    buf_varint(out, v->field);
    put_value(out, v);
}

/* Insertion sort: values come nearly sorted, a few dozen at a time; and it keeps the order of equal numbers. */
static void sort_by_field(tl_value *values, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        tl_value v = values[i];
        size_t j = i;
        for (; j > 0 && values[j - 1].field > v.field; j--)
            values[j] = values[j - 1];
        values[j] = v;
    }
}

void obs_add_all(struct buf *out, tl_value *values, size_t n)
{
    sort_by_field(values, n);
    for (size_t i = 0; i < n; i++)
        if (i + 1 == n || values[i + 1].field != values[i].field)
            obs_add(out, &values[i]);
}

void obs_reader_init(struct obs_reader *r, str blob, struct arena *a)
{
    *r = (struct obs_reader){.p = (const uint8_t *)blob.p, .end = (const uint8_t *)blob.p + blob.n, .arena = a};
}

static bool read_bytes(const uint8_t **p, const uint8_t *end, str *out)
{
    uint64_t n;
    if (!varint_read(p, end, &n) || n > (uint64_t)(end - *p))
        return false;
    *out = str_n(*p, (size_t)n);
    *p += n;
    return true;
}

static bool read_scalar(const uint8_t **p, const uint8_t *end, tl_value *out)
{
    uint64_t number;
    if (*p == end)
        return false;
    out->type = *(*p)++;
    if (out->type > TL_BYTES)
        return false;
    if (out->type == TL_NULL)
        return true;
    if (is_number(out->type)) {
        if (!varint_read(p, end, &number))
            return false;
        out->u.i = unzigzag(number);
        return true;
    }
    if (out->type == TL_REF) {
        if (!varint_read(p, end, &number) || number > UINT16_MAX)
            return false;
        out->aux = (uint16_t)number;
    }
    return read_bytes(p, end, &out->u.s);
}

/* The bytes of the list are in v->u.s. Without an arena the items are only checked. */
static bool read_items(tl_value *v, struct arena *a)
{
    str bytes = v->u.s;
    const uint8_t *p = (const uint8_t *)bytes.p, *end = p + bytes.n;
    tl_value *items = a && bytes.n ? arena_array(a, tl_value, bytes.n) : NULL; /* an item takes a byte at least */
    uint64_t n = 0;
    while (p < end) {
        tl_value item = {0};
        if (!read_scalar(&p, end, &item) || item.type == TL_LIST)
            return false;
        if (items)
            items[n] = item;
        n++;
    }
    v->u.list.items = items;
    v->u.list.n = items ? n : 0;
    return true;
}

static bool read_value(struct obs_reader *r, tl_value *out)
{
    uint64_t field;
    tl_value v = {0};
    if (!varint_read(&r->p, r->end, &field) || field > UINT32_MAX)
        return false;
    v.field = (uint32_t)field;
    if (!read_scalar(&r->p, r->end, &v) || (v.type == TL_LIST && !read_items(&v, r->arena)))
        return false;
    *out = v;
    return true;
}

bool obs_next(struct obs_reader *r, tl_value *out)
{
    if (r->broken || r->p == r->end)
        return false;
    r->broken = !read_value(r, out);
    return !r->broken;
}

bool obs_find(str blob, uint32_t field, struct arena *a, tl_value *out)
{
    struct obs_reader r;
    obs_reader_init(&r, blob, NULL);
    tl_value v;
    const uint8_t *at = r.p;
    while (obs_next(&r, &v) && v.field < field)
        at = r.p;
    if (r.broken || r.p == at || v.field != field)
        return false;
    obs_reader_init(&r, str_n(at, (size_t)((const uint8_t *)blob.p + blob.n - at)), a);
    return obs_next(&r, out);
}

bool obs_valid(str blob)
{
    struct obs_reader r;
    obs_reader_init(&r, blob, NULL);
    tl_value v;
    bool first = true;
    for (uint32_t before = 0; obs_next(&r, &v); before = v.field, first = false)
        if (!first && v.field <= before)
            return false;
    return !r.broken;
}

tl_value *obs_all(str blob, struct arena *a, size_t *n)
{
    struct obs_reader r;
    size_t count = 0;
    tl_value v;
    obs_reader_init(&r, blob, NULL);
    while (obs_next(&r, &v))
        count++;
    *n = 0;
    if (r.broken || count == 0)
        return NULL;
    tl_value *all = arena_array(a, tl_value, count);
    obs_reader_init(&r, blob, a);
    while (obs_next(&r, &all[*n]) && ++*n < count)
        ;
    return all;
}
