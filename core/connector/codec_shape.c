/* Fields and shapes in the flat form. */
#include "codec.h"

static void enc_plain_field(struct buf *b, const tl_field *f)
{
    enc_u64(b, f->type);
    enc_u64(b, f->flags);
    enc_u64(b, f->max);
    enc_u64(b, f->scale);
    enc_u64(b, f->item_type);
    enc_str(b, f->path);
    enc_str(b, f->name);
    enc_str(b, f->label);
    enc_str(b, f->refers_to);
    enc_u64(b, f->n_choices);
    for (uint32_t i = 0; i < f->n_choices; i++) {
        const tl_choice *choice = TL_AT(tl_choice, f->choices, f->choice_stride, i);
        enc_str(b, choice->value);
        enc_str(b, choice->label);
    }
}

static void enc_field(struct buf *b, const tl_field *f)
{
    enc_plain_field(b, f);
    if (f->type != TL_ROWS)
        return;
    enc_u64(b, f->n_columns);
    for (uint32_t i = 0; i < f->n_columns; i++) {
        tl_field column;
        codec_adopt(&column, sizeof column, TL_AT(tl_field, f->columns, f->column_stride, i), f->column_stride);
        if (column.type >= TL_BLOB)
            column.type = TL_JSON;
        enc_plain_field(b, &column);
    }
}

static void dec_plain_field(struct decoder *d, tl_field *out)
{
    memset(out, 0, sizeof *out);
    out->struct_size = sizeof *out;
    out->type = dec_u32(d);
    out->flags = dec_u32(d);
    out->max = dec_u32(d);
    out->scale = dec_u32(d);
    out->item_type = dec_u32(d);
    out->path = dec_str(d);
    out->name = dec_str(d);
    out->label = dec_str(d);
    out->refers_to = dec_str(d);
    uint32_t n = dec_count(d, 4);
    tl_choice *choices = arena_array(d->arena, tl_choice, n);
    for (uint32_t i = 0; i < n; i++) {
        choices[i].value = dec_str(d);
        choices[i].label = dec_str(d);
    }
    out->choices = choices;
    out->choice_stride = sizeof(tl_choice);
    out->n_choices = d->bad ? 0 : n;
}

static void dec_field(struct decoder *d, tl_field *out)
{
    dec_plain_field(d, out);
    if (out->type != TL_ROWS)
        return;
    uint32_t n = dec_count_of(d, 10, CODEC_COLUMNS_MAX);
    tl_field *columns = arena_array(d->arena, tl_field, n);
    for (uint32_t i = 0; i < n; i++) {
        dec_plain_field(d, &columns[i]);
        if (columns[i].type >= TL_BLOB)
            dec_fault(d);
    }
    out->columns = columns;
    out->column_stride = sizeof *columns;
    out->n_columns = d->bad ? 0 : n;
}

void enc_fields(struct buf *b, const tl_field *fields, uint32_t n, size_t stride)
{
    stride = stride ? stride : sizeof(tl_field);
    enc_u64(b, n);
    for (uint32_t i = 0; i < n; i++) {
        tl_field f;
        codec_adopt(&f, sizeof f, TL_AT(tl_field, fields, stride, i), stride);
        if (f.type > CODEC_TYPE_LAST)
            f.type = TL_JSON;
        enc_field(b, &f);
    }
}

const tl_field *dec_fields(struct decoder *d, uint32_t *n_out)
{
    uint32_t n = dec_count(d, 10);
    tl_field *fields = arena_array(d->arena, tl_field, n);
    for (uint32_t i = 0; i < n; i++)
        dec_field(d, &fields[i]);
    *n_out = d->bad ? 0 : n;
    return fields;
}

void enc_shape(struct buf *b, const tl_shape *s)
{
    enc_u64(b, s != NULL);
    if (!s)
        return;
    enc_str(b, s->kind);
    enc_fields(b, s->fields, s->n_fields, s->field_stride);
}

const tl_shape *dec_shape(struct decoder *d)
{
    if (!dec_u64(d))
        return NULL;
    tl_shape *s = arena_new(d->arena, tl_shape);
    s->struct_size = sizeof *s;
    s->field_stride = sizeof(tl_field);
    s->kind = dec_str(d);
    s->fields = dec_fields(d, &s->n_fields);
    return s;
}
