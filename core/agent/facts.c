/* What is known of one record: see facts.h. */
#include "facts.h"

#include "linkset.h"
#include "obs.h"
#include "values.h"

static const tl_field *described(const struct view_kind *k, str path)
{
    for (uint32_t i = 0; i < k->desc.n_fields; i++) {
        const tl_field *f = TL_AT(tl_field, k->desc.fields, k->desc.field_stride, i);
        if (str_eq(f->path, path))
            return f;
    }
    return NULL;
}

static void fact_add(struct facts *out, const struct view_kind *k, str path, const tl_value *v, struct arena *a)
{
    const tl_field *f = described(k, path);
    if (!f || v->type == TL_NULL)
        return;
    out->of[out->n++] = (struct fact){f->path, f->label.n ? f->label : f->path, f, value_copy(v, a)};
}

void facts_of_observation(const struct view_kind *k, const struct record *r, struct arena *a, struct facts *out)
{
    size_t n = 0;
    const tl_value *values = obs_all(r->observation, a, &n);
    *out = (struct facts){.id = r->id, .modified_us = r->modified_us, .state = r->state};
    out->of = arena_array(a, struct fact, n + 1);
    for (size_t i = 0; i < n; i++)
        for (size_t row = 0; row < k->n_rows; row++)
            if (k->rows[row].number == values[i].field)
                fact_add(out, k, k->rows[row].path, &values[i], a);
}

void facts_of_record(const struct view_kind *k, const tl_shape *shape, const tl_record *r, struct arena *a,
                     struct facts *out)
{
    *out = (struct facts){
        .id = arena_str(a, r->id), .url = arena_str(a, r->url), .modified_us = r->modified_us, .state = r->state};
    out->of = arena_array(a, struct fact, r->n_values + 1);
    for (uint32_t i = 0; i < r->n_values; i++)
        if (r->values[i].field < shape->n_fields)
            fact_add(out, k, TL_AT(tl_field, shape->fields, shape->field_stride, r->values[i].field)->path,
                     &r->values[i], a);
}

str fact_text(const struct facts *f, const char *path, struct arena *a)
{
    AUTO(buf_done) struct buf text = {0};
    for (size_t i = 0; i < f->n && text.n == 0; i++)
        if (str_is(f->of[i].path, path))
            value_text(&text, &f->of[i].value);
    return arena_str(a, buf_lent(&text));
}

str facts_name(const struct facts *f, struct arena *a)
{
    static const char *const whole[] = {"name", "subject", "title", "number"};
    str first = fact_text(f, "first_name", a), last = fact_text(f, "last_name", a), name = {0};
    if (first.n && last.n)
        return str_of(arena_fmt(a, "%.*s %.*s", STR_FMT(first), STR_FMT(last)));
    name = first.n ? first : last;
    for (size_t i = 0; i < ARRAY_LEN(whole) && name.n == 0; i++)
        name = fact_text(f, whole[i], a);
    return name;
}

/* Rows with their columns, everything else as people read it: money keeps every digit. */
static json_t *value_json(const tl_field *field, const tl_value *v)
{
    if (v->type == TL_ROWS) {
        json_t *rows = json_array();
        for (uint64_t i = 0; i < v->u.list.n; i++) {
            const tl_value *row = &v->u.list.items[i];
            json_t *o = json_object();
            for (uint64_t c = 0; c < row->u.list.n; c++) {
                const tl_value *cell = &row->u.list.items[c];
                if (cell->field >= field->n_columns)
                    continue;
                const tl_field *column = TL_AT(tl_field, field->columns, field->column_stride, cell->field);
                AUTO(buf_done) struct buf text = {0};
                value_text(&text, cell);
                json_object_setn_new(o, column->path.p, column->path.n, view_str(buf_lent(&text)));
            }
            json_array_append_new(rows, o);
        }
        return rows;
    }
    AUTO(buf_done) struct buf text = {0};
    value_text(&text, v);
    return view_str(buf_lent(&text));
}

json_t *facts_json(const struct facts *f)
{
    json_t *list = json_array();
    for (size_t i = 0; i < f->n; i++)
        json_array_append_new(list, json_pack("{s:o,s:o,s:o}", "path", view_str(f->of[i].path), "label",
                                              view_str(f->of[i].label), "value",
                                              value_json(f->of[i].field, &f->of[i].value)));
    return list;
}
