/* Structs, arrays, batches and records. Kinds and tables: admit_kind.c. */
#include "admit.h"

#include <string.h>

#include "codec.h"

int admit_size(const char *what, const void *p, size_t least, struct err *e)
{
    if (!p)
        return err_set(e, TL_E_INVALID, "a %s at no address", what);
    uint32_t size;
    memcpy(&size, p, sizeof size);
    if (size < least)
        return err_set(e, TL_E_INVALID, "struct_size %u is smaller than a %s (%zu): set it to sizeof", size, what,
                       least);
    return TL_OK;
}

int admit_array(const char *what, const void *p, uint64_t n, size_t stride, size_t least, size_t align, struct err *e)
{
    if (n == 0)
        return TL_OK;
    if (!p)
        return err_set(e, TL_E_INVALID, "%llu of %s at no address", (unsigned long long)n, what);
    if (stride < least)
        return err_set(e, TL_E_INVALID, "stride %zu is smaller than a %s (%zu): set it to sizeof", stride, what, least);
    if (stride % align || (uintptr_t)p % align)
        return err_set(e, TL_E_INVALID, "stride %zu or the address does not fit the alignment of a %s (%zu)", stride,
                       what, align);
    return TL_OK;
}

/* ---- batches ---- */

enum { DEPTH_MAX = 3 /* rows, a row, a list in it: what nests deeper breaks a rule, and is never the same */ };

static bool same_value(const tl_value *a, const tl_value *b, unsigned depth)
{
    if (a->type != b->type || a->aux != b->aux || a->field != b->field)
        return false;
    switch (a->type) {
    case TL_NULL:
        return true;
    case TL_BOOL:
    case TL_INT:
    case TL_TIME:
    case TL_DATE:
    case TL_BLOB:
        return a->u.i == b->u.i;
    case TL_LIST:
    case TL_ROWS:
        if (depth == DEPTH_MAX || a->u.list.n != b->u.list.n)
            return false;
        if (a->u.list.n && (!a->u.list.items || !b->u.list.items))
            return false;
        for (uint64_t i = 0; i < a->u.list.n; i++)
            if (!same_value(&a->u.list.items[i], &b->u.list.items[i], depth + 1))
                return false;
        return true;
    default:
        return str_eq(a->u.s, b->u.s);
    }
}

static bool same_record(const tl_record *a, const tl_record *b)
{
    if (!str_eq(a->version, b->version) || !str_eq(a->stamp, b->stamp) || a->modified_us != b->modified_us ||
        a->state != b->state || a->n_values != b->n_values || a->flags != b->flags)
        return false;
    if (a->n_values && (!a->values || !b->values))
        return false;
    for (uint32_t i = 0; i < a->n_values; i++)
        if (!same_value(&a->values[i], &b->values[i], 0))
            return false;
    return true;
}

static const tl_record *record_at(const tl_batch *b, uint32_t k)
{
    return TL_AT(tl_record, b->records, b->stride, k);
}

static bool has_id(const tl_record *r)
{
    return r->id.n && r->id.p && r->id.n <= ADMIT_ID_MAX;
}

/* The place in the index of a record with the id of k: taken by an earlier one, or free. */
static uint32_t *index_slot(struct admit_index *x, struct arena *a, const tl_batch *b, uint32_t k)
{
    if (!x->slots) {
        uint32_t n = 16;
        while (n < b->count * 2)
            n *= 2;
        x->slots = arena_array(a, uint32_t, n);
        x->mask = n - 1;
    }
    const tl_record *r = record_at(b, k);
    uint64_t h = UINT64_C(14695981039346656037); /* FNV-1a */
    for (uint64_t i = 0; i < r->id.n; i++)
        h = (h ^ (uint8_t)r->id.p[i]) * UINT64_C(1099511628211);
    uint32_t at = (uint32_t)(h ^ h >> 32) & x->mask;
    while (x->slots[at] && !str_eq(record_at(b, x->slots[at] - 1)->id, r->id))
        at = (at + 1) & x->mask;
    return &x->slots[at];
}

bool admit_repeated(struct admit_index *x, struct arena *a, const tl_batch *b, uint32_t k)
{
    if (!has_id(record_at(b, k)))
        return false;
    uint32_t *slot = index_slot(x, a, b, k);
    if (*slot)
        return true;
    *slot = k + 1;
    return false;
}

static int check_ids(const tl_batch *b, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct admit_index x = {0};
    for (uint32_t k = 0; k < b->count; k++) {
        const tl_record *r = record_at(b, k);
        if (!has_id(r))
            continue;
        uint32_t *slot = index_slot(&x, &a, b, k);
        if (*slot && !same_record(record_at(b, *slot - 1), r)) {
            bool shown = codec_utf8(r->id);
            return err_set(e, TL_E_INVALID, "records %u and %u of %u have the same id \"%.*s\" and differ", *slot,
                           k + 1, b->count, shown ? (int)r->id.n : 0, r->id.p);
        }
        if (!*slot)
            *slot = k + 1;
    }
    return TL_OK;
}

int admit_batch(const tl_batch *b, bool unique, struct err *e)
{
    int rc =
        admit_array("tl_record", b->records, b->count, b->stride, ADMIT_LEAST(tl_record, kind), _Alignof(tl_record), e);
    if (!rc && b->count > ADMIT_BATCH_MAX)
        rc = err_set(e, TL_E_INVALID, "a batch of %u records, at most %d", b->count, ADMIT_BATCH_MAX);
    return rc || !unique || b->count < 2 ? rc : check_ids(b, e);
}

/* ---- records ---- */

enum { SEEN_FIELDS = 1024 /* over ADMIT_VALUES_MAX, which no shape exceeds */ };

static const char *const type_names[] = {"TL_NULL", "TL_BOOL",      "TL_INT",   "TL_TIME",  "TL_DATE", "TL_DECIMAL",
                                         "TL_TEXT", "TL_MULTILINE", "TL_EMAIL", "TL_PHONE", "TL_URL",  "TL_CHOICE",
                                         "TL_REF",  "TL_LIST",      "TL_JSON",  "TL_BYTES", "TL_BLOB", "TL_ROWS"};

static uint32_t type_known(uint32_t type)
{
    return type > CODEC_TYPE_LAST ? (uint32_t)TL_JSON : type;
}

/* Texts may stand for one another: what counts is how the value is stored. */
static bool is_text(uint32_t type)
{
    switch (type) {
    case TL_TEXT:
    case TL_MULTILINE:
    case TL_EMAIL:
    case TL_PHONE:
    case TL_URL:
    case TL_CHOICE:
    case TL_REF:
    case TL_JSON:
        return true;
    default:
        return false;
    }
}

static bool type_fits(uint32_t field, uint32_t value)
{
    return value == TL_NULL || value == field || (is_text(field) && is_text(value));
}

static bool is_number(str s)
{
    uint64_t i = s.n && s.p[0] == '-' ? 1 : 0, digits = 0, points = 0;
    for (; i < s.n; i++) {
        if (s.p[i] >= '0' && s.p[i] <= '9')
            digits++;
        else if (s.p[i] == '.' && digits)
            points++;
        else
            return false;
    }
    return digits && points <= 1 && s.p[s.n - 1] != '.';
}

static int check_scalar(const tl_value *v, const tl_field *f, uint32_t want, uint64_t *bytes, struct err *e)
{
    uint32_t type = type_known(v->type);
    if (!type_fits(want, type))
        return err_set(e, TL_E_INVALID, "field \"%.*s\" is of type %s, its value of type %s", STR_FMT(f->path),
                       type_names[want], type_names[type]);
    if (type == TL_BOOL && v->u.i != 0 && v->u.i != 1)
        return err_set(e, TL_E_INVALID, "field \"%.*s\": a TL_BOOL is 0 or 1, not %lld", STR_FMT(f->path),
                       (long long)v->u.i);
    bool in_s = type == TL_DECIMAL || type == TL_BYTES || is_text(type);
    if (in_s && v->u.s.n && !v->u.s.p)
        return err_set(e, TL_E_INVALID, "field \"%.*s\": %llu bytes at no address", STR_FMT(f->path),
                       (unsigned long long)v->u.s.n);
    if (type == TL_DECIMAL && !is_number(v->u.s))
        return err_set(e, TL_E_INVALID, "field \"%.*s\": a TL_DECIMAL is a number such as 12.10", STR_FMT(f->path));
    *bytes += in_s ? v->u.s.n : 8;
    return TL_OK;
}

static int check_list(const tl_value *v, const tl_field *f, uint64_t *bytes, struct err *e)
{
    if (v->u.list.n > CODEC_LIST_MAX || (v->u.list.n && !v->u.list.items))
        return err_set(e, TL_E_INVALID, "field \"%.*s\": a list too long, or at no address", STR_FMT(f->path));
    for (uint64_t i = 0; i < v->u.list.n; i++) {
        const tl_value *item = &v->u.list.items[i];
        uint32_t item_type = type_known(f->item_type ? f->item_type : item->type);
        if (item->type == TL_LIST || item->type == TL_ROWS)
            return err_set(e, TL_E_INVALID, "field \"%.*s\": a list in a list", STR_FMT(f->path));
        if (item->type == TL_BLOB)
            return err_set(e, TL_E_INVALID, "field \"%.*s\": a file in a list", STR_FMT(f->path));
        int rc = check_scalar(item, f, item_type, bytes, e);
        if (rc)
            return rc;
    }
    return TL_OK;
}

/* One of each field at most. */
struct seen {
    uint64_t bits[SEEN_FIELDS / 64];
};

static bool seen_before(struct seen *s, uint32_t field)
{
    if (field >= SEEN_FIELDS)
        return false;
    uint64_t bit = UINT64_C(1) << (field % 64);
    bool before = s->bits[field / 64] & bit;
    s->bits[field / 64] |= bit;
    return before;
}

static int check_row(const tl_value *row, const tl_field *f, uint64_t *bytes, struct err *e)
{
    struct seen seen = {{0}};
    if (row->type != TL_LIST)
        return err_set(e, TL_E_INVALID, "a row is a TL_LIST of its values");
    if (row->u.list.n > ADMIT_VALUES_MAX || (row->u.list.n && !row->u.list.items))
        return err_set(e, TL_E_INVALID, "%llu values, at most %d, or at no address", (unsigned long long)row->u.list.n,
                       ADMIT_VALUES_MAX);
    int rc = TL_OK;
    for (uint64_t i = 0; i < row->u.list.n && !rc; i++) {
        const tl_value *v = &row->u.list.items[i];
        if (v->field >= f->n_columns)
            return err_set(e, TL_E_INVALID, "value %llu is of column %u, there are %u", (unsigned long long)i + 1,
                           v->field, f->n_columns);
        const tl_field *column = TL_AT(tl_field, f->columns, f->column_stride, v->field);
        if (seen_before(&seen, v->field))
            return err_set(e, TL_E_INVALID, "two values for the column \"%.*s\"", STR_FMT(column->path));
        uint32_t want = type_known(column->type);
        rc = v->type == TL_LIST && want == TL_LIST ? check_list(v, column, bytes, e)
                                                   : check_scalar(v, column, want, bytes, e);
    }
    return rc;
}

static int check_rows(const tl_value *v, const tl_field *f, uint64_t *bytes, struct err *e)
{
    if (v->u.list.n > CODEC_ROWS_MAX || (v->u.list.n && !v->u.list.items))
        return err_set(e, TL_E_INVALID, "field \"%.*s\": %llu rows, at most %d, or at no address", STR_FMT(f->path),
                       (unsigned long long)v->u.list.n, CODEC_ROWS_MAX);
    for (uint64_t i = 0; i < v->u.list.n; i++)
        if (check_row(&v->u.list.items[i], f, bytes, e))
            return err_wrap(e, "field \"%.*s\", row %llu", STR_FMT(f->path), (unsigned long long)i + 1);
    return TL_OK;
}

static int check_one(const tl_value *v, const tl_field *f, uint64_t *bytes, struct err *e)
{
    uint32_t want = type_known(f->type);
    if (v->type == TL_LIST && want == TL_LIST)
        return check_list(v, f, bytes, e);
    return v->type == TL_ROWS && want == TL_ROWS ? check_rows(v, f, bytes, e) : check_scalar(v, f, want, bytes, e);
}

static int check_values(const tl_record *r, const tl_shape *shape, uint64_t *bytes, struct err *e)
{
    if (r->n_values > ADMIT_VALUES_MAX)
        return err_set(e, TL_E_INVALID, "%u values, at most %d", r->n_values, ADMIT_VALUES_MAX);
    if (r->n_values && !r->values)
        return err_set(e, TL_E_INVALID, "%u values at no address", r->n_values);
    uint32_t n_fields = shape ? shape->n_fields : 0;
    struct seen seen = {{0}};
    for (uint32_t i = 0; i < r->n_values; i++) {
        const tl_value *v = &r->values[i];
        if (v->field >= n_fields)
            return err_set(e, TL_E_INVALID, "value %u is of field %u, the shape has %u fields", i + 1, v->field,
                           n_fields);
        const tl_field *f = TL_AT(tl_field, shape->fields, shape->field_stride, v->field);
        if (seen_before(&seen, v->field))
            return err_set(e, TL_E_INVALID, "two values for the field \"%.*s\"", STR_FMT(f->path));
        int rc = check_one(v, f, bytes, e);
        if (rc)
            return rc;
    }
    return TL_OK;
}

int admit_record(const tl_record *r, const tl_shape *shape, bool *too_large, struct err *e)
{
    const tl_str texts[] = {r->id, r->version, r->into, r->by, r->stamp, r->url, r->note, r->kind};
    uint64_t bytes = 0;
    *too_large = false;
    if (r->id.n == 0 && !(r->flags & TL_REC_GAP))
        return err_set(e, TL_E_INVALID, "the id is empty");
    if (r->id.n > ADMIT_ID_MAX)
        return err_set(e, TL_E_INVALID, "an id of %llu bytes, at most %d", (unsigned long long)r->id.n, ADMIT_ID_MAX);
    int rc = check_values(r, shape, &bytes, e);
    if (rc)
        return rc;
    for (unsigned i = 0; i < ARRAY_LEN(texts); i++)
        bytes += texts[i].n;
    if (bytes <= ADMIT_RECORD_MAX)
        return TL_OK;
    *too_large = true;
    return err_set(e, TL_E_INVALID, "the record has %llu bytes, at most %d", (unsigned long long)bytes,
                   ADMIT_RECORD_MAX);
}

int admit_values(const tl_record *r, const tl_shape *shape, struct err *e)
{
    uint64_t bytes = 0;
    return check_values(r, shape, &bytes, e);
}

int admit_checkpoint(const tl_checkpoint *c, int32_t mode, struct err *e)
{
    if (c->mode != mode)
        return err_set(e, TL_E_INVALID, "a checkpoint of mode %d in a pull of mode %d", c->mode, mode);
    if (c->cursor.n && !c->cursor.p)
        return err_set(e, TL_E_INVALID, "a cursor at no address");
    return TL_OK;
}
