/* Parameters of actions: see act_params.h. */
#include "act_params.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "canon.h"
#include "values.h"
#include "view_util.h"

enum { TOLD_MAX = 4096 };

/* ---- Reading ----------------------------------------------------------------------------------------------------- */

struct reading {
    struct arena *a;
    struct buf told; /* complaints, one behind the other */
    char first[64];  /* the parameter of the first */
};

static void complain(struct reading *r, const tl_field *f, const char *fmt, ...) PRINTF_LIKE(3, 4);
static void complain(struct reading *r, const tl_field *f, const char *fmt, ...)
{
    va_list ap;
    if (r->told.n)
        buf_text_add(&r->told, "; ");
    else
        snprintf(r->first, sizeof r->first, "%.*s", STR_FMT(f->path));
    buf_fmt(&r->told, "\"%.*s\" ", STR_FMT(f->path));
    va_start(ap, fmt);
    buf_fmtv(&r->told, fmt, ap);
    va_end(ap);
}

static const char *type_words(uint32_t type)
{
    static const char *const words[] = {[TL_NULL] = "nothing",
                                        [TL_BOOL] = "true or false",
                                        [TL_INT] = "a whole number",
                                        [TL_TIME] = "a time like 2026-01-31T10:00:00Z",
                                        [TL_DATE] = "a date like 2026-01-31",
                                        [TL_DECIMAL] = "a number like \"10.50\"",
                                        [TL_TEXT] = "a text",
                                        [TL_MULTILINE] = "a text",
                                        [TL_EMAIL] = "an e-mail address",
                                        [TL_PHONE] = "a phone number",
                                        [TL_URL] = "an address",
                                        [TL_CHOICE] = "one of its choices",
                                        [TL_REF] = "the id of a record",
                                        [TL_LIST] = "a list",
                                        [TL_JSON] = "JSON",
                                        [TL_BYTES] = "bytes",
                                        [TL_BLOB] = "a file",
                                        [TL_ROWS] = "a list of objects"};
    return type < ARRAY_LEN(words) ? words[type] : words[TL_TEXT];
}

static const char *type_name(uint32_t type)
{
    static const char *const names[] = {"null",      "boolean",   "integer", "time",  "date", "decimal",
                                        "text",      "multiline", "email",   "phone", "url",  "choice",
                                        "reference", "list",      "json",    "bytes", "file", "rows"};
    return type < ARRAY_LEN(names) ? names[type] : "text";
}

/* What was sent as JSON, before it is held against the field. False: no single value. */
static bool plain_value(const json_t *v, tl_value *out)
{
    switch (json_typeof(v)) {
    case JSON_STRING:
        out->type = TL_TEXT;
        out->u.s = str_n(json_string_value(v), json_string_length(v));
        return true;
    case JSON_INTEGER:
        out->type = TL_INT;
        out->u.i = json_integer_value(v);
        return true;
    case JSON_TRUE:
    case JSON_FALSE:
        out->type = TL_BOOL;
        out->u.i = json_is_true(v);
        return true;
    default:
        return false;
    }
}

/* Digits before and behind the point, of a number as number_normal writes it. */
static void count_digits(str number, uint32_t *before, uint32_t *behind)
{
    uint32_t *at = before;
    *before = *behind = 0;
    for (size_t i = 0; i < number.n; i++) {
        if (number.p[i] == '.')
            at = behind;
        else if (number.p[i] != '-')
            ++*at;
    }
}

/* Exact to the last digit, or not taken: nothing is rounded. */
static bool read_decimal(struct reading *r, const tl_field *f, const tl_value *in, tl_value *out)
{
    AUTO(buf_done) struct buf text = {0};
    AUTO(buf_done) struct buf exact = {0};
    uint32_t before = 0, behind = 0;
    value_text(&text, in);
    if (in->type == TL_BOOL || !number_normal(buf_lent(&text), UINT32_MAX, &exact)) {
        complain(r, f, "is to be %s", type_words(f->type));
        return false;
    }
    count_digits(buf_lent(&exact), &before, &behind);
    if (behind > f->scale) {
        complain(r, f, "has %u digits behind the point, at most %u", behind, f->scale);
        return false;
    }
    if (f->max && before > f->max) {
        complain(r, f, "has %u digits before the point, at most %u", before, f->max);
        return false;
    }
    out->type = TL_DECIMAL;
    out->u.s = arena_str(r->a, buf_lent(&exact));
    return true;
}

static const char *nearest_choice(struct reading *r, const tl_field *f, str word)
{
    const char **all = arena_array(r->a, const char *, f->n_choices + 1);
    for (uint32_t i = 0; i < f->n_choices; i++)
        all[i] = arena_str(r->a, TL_AT(tl_choice, f->choices, f->choice_stride, i)->value).p;
    return text_nearest(arena_str(r->a, word).p, all, f->n_choices);
}

static void complain_of(struct reading *r, const tl_field *f, const tl_value *in, int32_t reason)
{
    AUTO(buf_done) struct buf shown = {.max = 80};
    value_text(&shown, in);
    const char *near = reason == TL_R_CHOICE_UNKNOWN ? nearest_choice(r, f, buf_lent(&shown)) : NULL;
    if (reason == TL_R_TOO_LONG)
        complain(r, f, "is longer than %u characters", f->max);
    else if (reason == TL_R_CHOICE_UNKNOWN)
        complain(r, f, "is none of its choices: \"%s\"%s%s%s", buf_text(&shown), near ? ", did you mean \"" : "",
                 near ? near : "", near ? "\"?" : "");
    else
        complain(r, f, "is to be %s", type_words(f->type));
}

/* The id of a record; where several kinds may be meant, "KIND:ID" says which, and the bare id is of the first. */
static bool read_reference(struct reading *r, const tl_field *f, str text, tl_value *out)
{
    str kinds = f->refers_to, kind;
    for (uint16_t at = 0; str_split(&kinds, ',', &kind); at++)
        if (kind.n && text.n > kind.n && text.p[kind.n] == ':' && str_starts(text, kind)) {
            out->aux = at;
            text = str_n(text.p + kind.n + 1, (size_t)(text.n - kind.n - 1));
            break;
        }
    if (text.n == 0 || text.n > 255) {
        complain(r, f, "is to be %s", type_words(TL_REF));
        return false;
    }
    out->type = TL_REF;
    out->u.s = arena_str(r->a, text);
    return true;
}

/* One value that is no list. */
static bool read_single(struct reading *r, const tl_field *f, const json_t *v, tl_value *out)
{
    tl_value in = {0};
    int32_t reason = TL_R_TYPE_MISMATCH;
    if (f->type == TL_JSON) {
        char *text = json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY);
        out->type = TL_JSON;
        out->u.s = arena_str(r->a, str_of(text));
        free(text);
        return true;
    }
    if (json_is_real(v)) {
        complain(r, f, "is to be written as a text, \"10.50\", so that no digit is lost");
        return false;
    }
    if (f->type == TL_BLOB || f->type == TL_BYTES || !plain_value(v, &in)) {
        complain(r, f, f->type == TL_BLOB ? "is %s, which cannot be given here" : "is to be %s", type_words(f->type));
        return false;
    }
    if (f->type == TL_REF && in.type != TL_BOOL) {
        AUTO(buf_done) struct buf text = {0};
        value_text(&text, &in);
        return read_reference(r, f, buf_lent(&text), out);
    }
    if (f->type == TL_DECIMAL)
        return read_decimal(r, f, &in, out);
    in.field = out->field;
    if (value_convert(&in, f, r->a, out, &reason)) {
        if (out->type > TL_DECIMAL && out->u.s.n) /* lent from the JSON until here */
            out->u.s = arena_str(r->a, out->u.s);
        return true;
    }
    complain_of(r, f, &in, reason);
    return false;
}

static bool read_list(struct reading *r, const tl_field *f, const json_t *v, tl_value *out)
{
    tl_field item = *f;
    item.type = f->item_type ? f->item_type : TL_TEXT;
    size_t n = json_is_array(v) ? json_array_size(v) : 1;
    tl_value *items = arena_array(r->a, tl_value, n + 1);
    bool ok = true;
    for (size_t i = 0; i < n && ok; i++)
        ok = read_single(r, &item, json_is_array(v) ? json_array_get(v, i) : v, &items[i]);
    out->type = TL_LIST;
    out->u.list.items = items;
    out->u.list.n = n;
    return ok;
}

static bool read_fields(struct reading *r, const tl_field *fields, uint32_t n, uint32_t stride, const json_t *asked,
                        const char *of, struct act_values *out);

static bool read_rows(struct reading *r, const tl_field *f, const json_t *v, tl_value *out)
{
    size_t i, n = json_array_size(v);
    json_t *one;
    tl_value *rows = arena_array(r->a, tl_value, n + 1);
    bool ok = json_is_array(v);
    if (!ok)
        complain(r, f, "is to be %s", type_words(TL_ROWS));
    json_array_foreach((json_t *)(uintptr_t)v, i, one)
    {
        struct act_values row = {0};
        const char *of = arena_fmt(r->a, "row %zu of \"%.*s\": ", i + 1, STR_FMT(f->path));
        if (!json_is_object(one))
            complain(r, f, "has in row %zu no object", i + 1);
        ok = json_is_object(one) && read_fields(r, f->columns, f->n_columns, f->column_stride, one, of, &row) && ok;
        rows[i].type = TL_LIST;
        rows[i].u.list.items = row.of;
        rows[i].u.list.n = row.n;
    }
    out->type = TL_ROWS;
    out->u.list.items = rows;
    out->u.list.n = n;
    return ok;
}

static bool read_value(struct reading *r, const tl_field *f, const json_t *v, tl_value *out)
{
    if (json_is_null(v) || (json_is_string(v) && json_string_length(v) == 0)) {
        out->type = TL_NULL;
        if (f->flags & TL_F_REQUIRED)
            complain(r, f, "is needed");
        return !(f->flags & TL_F_REQUIRED);
    }
    if (f->type == TL_ROWS)
        return read_rows(r, f, v, out);
    return f->type == TL_LIST ? read_list(r, f, v, out) : read_single(r, f, v, out);
}

static bool is_named(const tl_field *f, const char *word)
{
    return str_is(f->path, word) || str_is(f->name, word);
}

static const json_t *asked_for(const json_t *asked, const tl_field *f, struct arena *a)
{
    const json_t *v = json_object_get(asked, arena_str(a, f->path).p);
    return v || !f->name.n ? v : json_object_get(asked, arena_str(a, f->name).p);
}

/* Those that are no parameter, each with the one that may be meant. */
static bool all_known(struct reading *r, const tl_field *fields, uint32_t n, uint32_t stride, const json_t *asked,
                      const char *of)
{
    const char *key, **words = arena_array(r->a, const char *, n + 1);
    size_t n_words = 0;
    json_t *v;
    bool all = true;
    for (uint32_t i = 0; i < n; i++) {
        const tl_field *f = TL_AT(tl_field, fields, stride, i);
        if (!(f->flags & TL_F_READONLY))
            words[n_words++] = arena_str(r->a, f->path).p;
    }
    json_object_foreach((json_t *)(uintptr_t)asked, key, v)
    {
        const tl_field *known = NULL;
        for (uint32_t i = 0; i < n && !known; i++) {
            const tl_field *f = TL_AT(tl_field, fields, stride, i);
            known = is_named(f, key) ? f : NULL;
        }
        if (known && !(known->flags & TL_F_READONLY))
            continue;
        const tl_field unknown = {.path = str_of(arena_fmt(r->a, "%.60s", key))};
        const char *near = known ? NULL : text_nearest(key, words, n_words);
        complain(r, &unknown, "%s%s%s%s%s", of, known ? "is told by the vendor, not given" : "is no parameter of it",
                 near ? ", did you mean \"" : "", near ? near : "", near ? "\"?" : "");
        all = false;
    }
    return all;
}

static bool read_fields(struct reading *r, const tl_field *fields, uint32_t n, uint32_t stride, const json_t *asked,
                        const char *of, struct act_values *out)
{
    bool ok = all_known(r, fields, n, stride, asked, of);
    out->of = arena_array(r->a, tl_value, n + 1);
    for (uint32_t i = 0; i < n; i++) {
        const tl_field *f = TL_AT(tl_field, fields, stride, i);
        const json_t *v = f->flags & TL_F_READONLY ? NULL : asked_for(asked, f, r->a);
        tl_value *value = &out->of[out->n];
        value->field = i;
        if (!v && (f->flags & TL_F_REQUIRED) && !(f->flags & TL_F_READONLY)) {
            complain(r, f, "%sis needed", of);
            ok = false;
        }
        if (!v)
            continue;
        ok = read_value(r, f, v, value) && ok;
        value->field = i;
        out->n++;
    }
    return ok;
}

int act_params_read(const tl_action *action, const json_t *asked, struct arena *a, struct act_values *out,
                    struct err *e)
{
    struct reading r = {.a = a, .told = {.max = TOLD_MAX}};
    struct act_values values = {0};
    int rc = TL_OK;
    if (read_fields(&r, action->params, action->n_params, action->param_stride, asked, "", &values)) {
        *out = values;
    } else {
        rc = err_set(e, TL_E_INVALID, "%s", buf_text(&r.told));
        err_code(e, "PARAMS");
        if (e) {
            snprintf(e->field, sizeof e->field, "%s", r.first);
            if (r.told.n >= sizeof e->text)
                err_detail(e, "%s", buf_text(&r.told));
        }
    }
    buf_done(&r.told);
    return rc;
}

/* ---- As JSON ----------------------------------------------------------------------------------------------------- */

static json_t *file_json(const tl_value *v, const struct blob_list *files)
{
    const struct blob *b = files ? blob_list_find(files, (uint64_t)v->u.i) : NULL;
    return b ? json_pack("{s:s?,s:s?,s:I}", "name", b->name, "media_type", b->media_type, "bytes", (json_int_t)b->bytes)
             : json_null();
}

static json_t *value_json(const tl_field *f, const tl_value *v, const struct blob_list *files)
{
    AUTO(buf_done) struct buf text = {0};
    json_t *list;
    switch (v->type) {
    case TL_NULL:
        return json_null();
    case TL_BOOL:
        return json_boolean(v->u.i);
    case TL_INT:
        return json_integer(v->u.i);
    case TL_BLOB:
        return file_json(v, files);
    case TL_LIST:
        list = json_array();
        for (uint64_t i = 0; i < v->u.list.n; i++)
            json_array_append_new(list, value_json(f, &v->u.list.items[i], files));
        return list;
    case TL_ROWS:
        list = json_array();
        for (uint64_t i = 0; i < v->u.list.n; i++) {
            const tl_value *row = &v->u.list.items[i];
            json_t *o = json_object();
            for (uint64_t k = 0; k < row->u.list.n; k++) {
                const tl_value *cell = &row->u.list.items[k];
                const tl_field *column = TL_AT(tl_field, f->columns, f->column_stride, cell->field);
                json_object_setn_new(o, column->path.p, (size_t)column->path.n, value_json(column, cell, files));
            }
            json_array_append_new(list, o);
        }
        return list;
    default:
        value_text(&text, v);
        return view_str(buf_lent(&text));
    }
}

json_t *act_record_json(const tl_shape *shape, const tl_record *r, const struct blob_list *files)
{
    json_t *o = json_object();
    for (uint32_t i = 0; i < r->n_values; i++) {
        const tl_value *v = &r->values[i];
        if (v->type == TL_NULL || v->field >= shape->n_fields)
            continue;
        const tl_field *f = TL_AT(tl_field, shape->fields, shape->field_stride, v->field);
        json_object_setn_new(o, f->path.p, (size_t)f->path.n, value_json(f, v, files));
    }
    return o;
}

static json_t *field_json(const tl_field *f)
{
    json_t *choices = json_array(), *columns = json_array();
    for (uint32_t i = 0; i < f->n_choices; i++) {
        const tl_choice *c = TL_AT(tl_choice, f->choices, f->choice_stride, i);
        json_array_append_new(choices, json_pack("{s:o,s:o}", "value", view_str(c->value), "label",
                                                 view_str(c->label.n ? c->label : c->value)));
    }
    for (uint32_t i = 0; i < f->n_columns; i++)
        json_array_append_new(columns, field_json(TL_AT(tl_field, f->columns, f->column_stride, i)));
    return json_pack("{s:o,s:o,s:o,s:s,s:b,s:o,s:o,s:o,s:o}", "path", view_str(f->path), "name", view_str(f->name),
                     "label", view_str(f->label), "type", type_name(f->type), "required",
                     (int)((f->flags & TL_F_REQUIRED) != 0), "max", f->max ? json_integer(f->max) : json_null(),
                     "scale", f->type == TL_DECIMAL ? json_integer(f->scale) : json_null(), "choices", choices,
                     "columns", columns);
}

json_t *act_action_json(const tl_action *action)
{
    json_t *params = json_array(), *rights = json_array();
    static const struct {
        uint32_t bit;
        const char *word;
    } known[] = {{TL_RIGHT_VIEW, "view"},
                 {TL_RIGHT_CREATE, "create"},
                 {TL_RIGHT_UPDATE, "update"},
                 {TL_RIGHT_SEND, "send"},
                 {TL_RIGHT_DELETE, "delete"}};
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (action->rights & known[i].bit)
            json_array_append_new(rights, json_string(known[i].word));
    for (uint32_t i = 0; i < action->n_params; i++) {
        const tl_field *f = TL_AT(tl_field, action->params, action->param_stride, i);
        if (!(f->flags & TL_F_READONLY))
            json_array_append_new(params, field_json(f));
    }
    return json_pack("{s:o,s:o,s:o,s:o,s:b,s:b,s:b,s:o,s:o}", "kind", view_str(action->kind), "name",
                     view_str(action->name), "label", view_str(action->label), "help", view_str(action->help),
                     "creates", (int)((action->flags & TL_ACTION_CREATES) != 0), "reads",
                     (int)((action->flags & TL_ACTION_READS) != 0), "looks",
                     (int)((action->flags & TL_ACTION_LOOKS) != 0), "rights", rights, "params", params);
}
