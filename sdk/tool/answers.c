/* Replies as JSON. */
#include "calls.h"
#include "codec.h"
#include "rehearsal.h"
#include "words.h"

static json_t *text(str s)
{
    return json_stringn(s.n ? s.p : "", s.n);
}

/* ---- values */

static json_t *file_json(const struct call *c, const tl_value *v)
{
    const struct blob *b = blob_list_find(&c->reply.blobs, (uint64_t)v->u.i);
    if (!b)
        return json_null();
    return json_pack("{s:s?,s:s?,s:I}", "name", b->name, "media_type", b->media_type, "bytes", (json_int_t)b->bytes);
}

static json_t *value_json(const struct call *c, const tl_field *f, const tl_value *v);

static json_t *row_json(const struct call *c, const tl_field *f, const tl_value *row)
{
    json_t *o = json_object();
    for (uint64_t i = 0; i < row->u.list.n; i++) {
        const tl_value *v = &row->u.list.items[i];
        const tl_field *column = TL_AT(tl_field, f->columns, f->column_stride, v->field);
        json_object_set_new(o, column->path.p, value_json(c, column, v));
    }
    return o;
}

static json_t *value_json(const struct call *c, const tl_field *f, const tl_value *v)
{
    json_t *list;
    switch (v->type) {
    case TL_NULL:
        return json_null();
    case TL_BOOL:
    case TL_INT:
    case TL_TIME:
    case TL_DATE:
        return json_integer(v->u.i);
    case TL_BLOB:
        return file_json(c, v);
    case TL_LIST:
    case TL_ROWS:
        list = json_array();
        for (uint64_t i = 0; i < v->u.list.n; i++)
            json_array_append_new(list, v->type == TL_ROWS ? row_json(c, f, &v->u.list.items[i])
                                                           : value_json(c, f, &v->u.list.items[i]));
        return list;
    default:
        return text(v->u.s);
    }
}

static json_t *record_json(const struct call *c, const tl_record *x)
{
    const tl_shape *shape = request_shape(c);
    json_t *values = json_object();
    for (uint32_t i = 0; i < x->n_values; i++) {
        const tl_field *f = TL_AT(tl_field, shape->fields, shape->field_stride, x->values[i].field);
        json_object_set_new(values, f->path.p, value_json(c, f, &x->values[i]));
    }
    return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:I,s:I,s:i,s:i,s:i,s:o}", "id", text(x->id), "version",
                     text(x->version), "by", text(x->by), "stamp", text(x->stamp), "note", text(x->note), "kind",
                     text(x->kind), "modified_us", (json_int_t)x->modified_us, "created_us", (json_int_t)x->created_us,
                     "state", x->state, "flags", (int)x->flags, "index", (int)x->index, "values", values);
}

/* ---- descriptions */

static json_t *error_json(const tl_error *e)
{
    return json_pack("{s:s,s:s,s:s,s:i,s:i,s:I}", "text", e->text, "code", e->code, "field", e->field, "reason",
                     e->reason, "scope", e->scope, "retry_after_ms", (json_int_t)e->retry_after_ms);
}

static json_t *fields_json(const tl_field *list, uint32_t n, size_t stride)
{
    json_t *fields = json_object();
    for (uint32_t i = 0; i < n; i++) {
        const tl_field *f = TL_AT(tl_field, list, stride, i);
        json_t *o = json_pack("{s:o,s:o,s:o,s:i}", "name", text(f->name), "type", field_type_word(f->type), "flags",
                              field_flag_words(f->flags), "max", (int)f->max);
        if (f->type == TL_ROWS)
            json_object_set_new(o, "columns", fields_json(f->columns, f->n_columns, f->column_stride));
        json_object_set_new(fields, f->path.p, o);
    }
    return fields;
}

static json_t *kind_json(const tl_kind *k)
{
    json_t *o = json_pack("{s:o,s:o,s:o,s:o}", "kind", text(k->kind), "can", rights_words(k->can), "stamp_field",
                          text(k->stamp_field), "fields", fields_json(k->fields, k->n_fields, k->field_stride));
    if (k->about.n)
        json_object_set_new(o, "about", text(k->about));
    if (k->filters.n)
        json_object_set_new(o, "filters", text(k->filters));
    return o;
}

static json_t *action_json(const tl_action *a)
{
    return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "kind", text(a->kind), "name", text(a->name), "label",
                     text(a->label), "help", text(a->help), "flags", action_flag_words(a->flags), "rights",
                     a->rights == RIGHTS_NOBODY ? json_string("nobody") : action_right_words(a->rights), "params",
                     fields_json(a->params, a->n_params, a->param_stride));
}

/* ---- items */

static json_t *result_json(const struct call *c, uint32_t index, const tl_result *r)
{
    return json_pack("{s:i,s:s,s:i,s:o?,s:o?}", "index", (int)index, "status", status_name(r->status), "created",
                     r->created, "record", r->record ? record_json(c, r->record) : NULL, "error",
                     r->error ? error_json(r->error) : NULL);
}

json_t *item_to_json(const struct call *c, const struct item *x)
{
    switch (x->kind) {
    case ITEM_RECORD:
        return json_pack("{s:o}", "record", record_json(c, &x->u.record));
    case ITEM_CHECKPOINT:
        return json_pack("{s:{s:o,s:b,s:I}}", "checkpoint", "cursor", text(x->u.checkpoint.cursor), "complete",
                         x->u.checkpoint.complete, "estimate", (json_int_t)x->u.checkpoint.estimate);
    case ITEM_RESULT:
        return json_pack("{s:o}", "result", result_json(c, x->u.result.index, &x->u.result.result));
    case ITEM_KIND:
        return json_pack("{s:o}", "kind", kind_json(&x->u.described));
    case ITEM_ACTION:
        return json_pack("{s:o}", "action", action_json(&x->u.action));
    case ITEM_ACCOUNT:
        return json_pack("{s:{s:o,s:o,s:o,s:o}}", "account", "org_key", text(x->u.account.org_key), "org_name",
                         text(x->u.account.org_name), "edition", text(x->u.account.edition), "user_name",
                         text(x->u.account.user_name));
    case ITEM_FINDING:
        return json_pack("{s:{s:i,s:o,s:o,s:o}}", "finding", "level", x->u.finding.level, "code",
                         text(x->u.finding.code), "text", text(x->u.finding.text), "hint", text(x->u.finding.hint));
    default:
        return json_pack("{s:{s:o,s:o}}", "subscription", "id", text(x->u.subscription.id), "audience",
                         text(x->u.subscription.audience));
    }
}

json_t *rehearsed_to_json(const struct rehearsed *r)
{
    bool readable = codec_utf8(r->body);
    return json_pack("{s:{s:o,s:o,s:o,s:I}}", "would_send", "method", text(r->method), "url", text(r->url), "body",
                     readable ? text(r->body) : json_null(), "bytes", (json_int_t)r->bytes);
}

json_t *reply_to_json(const struct call *c)
{
    AUTO(reply_reader_done) struct reply_reader reader = {0};
    json_t *items = json_array();
    struct rehearsed would;
    reply_reader_init(&reader, &c->reply);
    for (struct item x; reply_next(&reader, &x);)
        json_array_append_new(items, item_to_json(c, &x));
    for (size_t at = 0; rehearsed_next(&c->reply.rehearsed, &at, &would);)
        json_array_append_new(items, rehearsed_to_json(&would));
    json_t *out = json_pack("{s:s,s:o,s:o?}", "status", status_name(c->reply.status), "items", items, "error",
                            c->reply.status ? error_json(&c->reply.error) : NULL);
    ASSERT(out);
    return out;
}
