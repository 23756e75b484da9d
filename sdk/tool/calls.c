#include "calls.h"

#include <stdlib.h>

#include "codec.h"
#include "words.h"

static json_t *text(str s)
{
    return json_stringn(s.n ? s.p : "", s.n);
}

/* ---- JSON to requests */

static str str_at(struct call *c, const json_t *o, const char *name)
{
    return arena_str(&c->arena, str_of(json_string_value(json_object_get(o, name))));
}

static tl_str *strs_at(struct call *c, const json_t *o, const char *name, uint32_t *n)
{
    json_t *list = json_object_get(o, name);
    tl_str *out = arena_array(&c->arena, tl_str, json_array_size(list) + 1);
    *n = (uint32_t)json_array_size(list);
    for (uint32_t i = 0; i < *n; i++)
        out[i] = arena_str(&c->arena, str_of(json_string_value(json_array_get(list, i))));
    return out;
}

/* ---- JSON to records: nothing that is not understood is sent */

static int scalar_of(struct call *c, const tl_field *f, uint32_t type, const json_t *v, tl_value *out, struct err *e)
{
    str text = str_n(json_string_value(v), json_string_length(v));
    out->type = (uint8_t)type;
    bool number = type >= TL_BOOL && type <= TL_DATE, ok = json_is_string(v);
    if (json_is_null(v))
        out->type = TL_NULL;
    else if (number && json_is_boolean(v))
        out->u.i = json_is_true(v);
    else if (number && json_is_integer(v))
        out->u.i = json_integer_value(v);
    else if (number)
        ok = ok && str_to_i64(text, &out->u.i);
    else
        out->u.s = arena_str(&c->arena, text);
    if (ok || json_is_null(v) || (number && (json_is_integer(v) || json_is_boolean(v))))
        return TL_OK;
    err_set(e, E_USAGE, "\"%.*s\": \"%.*s\" is no value of this field", STR_FMT(f->path), STR_FMT(text));
    err_hint(e, number ? "a whole number: times in microseconds, dates in days since 1970-01-01" : "a text");
    return E_USAGE;
}

static int value_of(struct call *c, const tl_field *f, const json_t *v, tl_value *out, struct err *e)
{
    if (f->type != TL_LIST || json_is_null(v))
        return scalar_of(c, f, f->type, v, out, e);
    if (!json_is_array(v))
        return err_set(e, E_USAGE, "\"%.*s\" is a list: write it with \"lines\", as a JSON array", STR_FMT(f->path));
    tl_value *items = arena_array(&c->arena, tl_value, json_array_size(v) + 1);
    int rc = TL_OK;
    for (size_t i = 0; i < json_array_size(v) && !rc; i++)
        rc = scalar_of(c, f, f->item_type, json_array_get(v, i), &items[i], e);
    out->type = TL_LIST;
    out->u.list.items = items;
    out->u.list.n = json_array_size(v);
    return rc;
}

/* n_fields: there is none. */
static uint32_t field_of(const struct stand_kind *k, str path)
{
    uint32_t f = 0;
    while (f < k->shape.n_fields && !str_eq(k->shape.fields[f].path, path))
        f++;
    return f;
}

static int no_such_field(const struct stand_kind *k, const char *path, struct err *e)
{
    AUTO(buf_done) struct buf known = {0};
    for (uint32_t i = 0; i < k->shape.n_fields; i++)
        buf_fmt(&known, "%s%.*s", i ? ", " : "", STR_FMT(k->shape.fields[i].path));
    err_set(e, E_USAGE, "%s has no field \"%s\"", k->name, path);
    err_hint(e, "%s; \"stamp\" is the stamp", buf_text(&known));
    return E_USAGE;
}

static int values_of(struct call *c, const struct stand_kind *k, json_t *values, tl_record *out, struct err *e)
{
    const char *path;
    json_t *v;
    tl_value *list = arena_array(&c->arena, tl_value, json_object_size(values) + 1);
    json_object_foreach(values, path, v)
    {
        uint32_t f = field_of(k, str_of(path));
        if (f == k->shape.n_fields)
            return no_such_field(k, path, e);
        list[out->n_values].field = f;
        int rc = value_of(c, &k->shape.fields[f], v, &list[out->n_values++], e);
        if (rc)
            return rc;
    }
    out->values = list;
    return TL_OK;
}

static int op_of(const char *word, int32_t *op, struct err *e)
{
    static const struct {
        const char *name;
        int32_t op;
    } ops[] = {
        {"create", TL_OP_CREATE}, {"update", TL_OP_UPDATE}, {"restore", TL_OP_RESTORE}, {"delete", TL_OP_DELETE}};
    for (size_t i = 0; i < ARRAY_LEN(ops); i++) {
        if (word && strcmp(word, ops[i].name) == 0) {
            *op = ops[i].op;
            return TL_OK;
        }
    }
    err_set(e, E_USAGE, "there is no operation \"%s\"", word ? word : "");
    err_hint(e, "create, update, delete, restore");
    return E_USAGE;
}

static int record_of(struct call *c, const struct stand_kind *k, const json_t *o, tl_record *out, struct err *e)
{
    const char *op = json_string_value(json_object_get(o, "op"));
    json_t *values = json_object_get(o, "values");
    int rc = op_of(op, &out->op, e);
    rc = rc ? rc : values_of(c, k, values, out, e);
    if (rc)
        return rc;
    out->id = str_at(c, o, "id");
    out->stamp = str_at(c, o, "stamp");
    bool create = out->op == TL_OP_CREATE;
    if (create && out->id.n)
        return err_set(e, E_USAGE, "a create has no id, this one has \"%.*s\"", STR_FMT(out->id));
    if (!create && !out->id.n)
        return err_set(e, E_USAGE, "\"%s\" needs the id of a record", op);
    if (out->op == TL_OP_DELETE && out->n_values)
        return err_set(e, E_USAGE, "\"%s\" writes no values", op);
    if ((create || out->op == TL_OP_UPDATE) && !out->n_values)
        return err_set(e, E_USAGE, "\"%s\" needs values to write", op);
    if (out->stamp.n && (!create || !k->told.stamp_field.n))
        return err_set(e, E_USAGE, create ? "%s has no stamp field" : "a stamp of %s is written at a create alone",
                       k->name);
    return TL_OK;
}

static int push_of(const struct stand_kind *k, struct call *c, const json_t *o, struct err *e)
{
    json_t *records = json_object_get(o, "records");
    tl_batch *b = arena_new(&c->arena, tl_batch);
    tl_record *list = arena_array(&c->arena, tl_record, json_array_size(records) + 1);
    if (json_array_size(records) == 0)
        return err_set(e, E_USAGE, "push needs records to write");
    for (size_t i = 0; i < json_array_size(records); i++) {
        int rc = record_of(c, k, json_array_get(records, i), &list[i], e);
        if (rc)
            return rc;
    }
    *b = (tl_batch){
        .struct_size = sizeof *b, .count = (uint32_t)json_array_size(records), .stride = sizeof *list, .records = list};
    c->request.push.shape = &k->shape;
    c->request.push.batch = b;
    c->request.push.stamp_field = k->told.stamp_field;
    return TL_OK;
}

/* ---- JSON to the other requests */

static int find_of(const struct stand_kind *k, struct call *c, const json_t *o, struct err *e)
{
    json_t *queries = json_object_get(o, "queries");
    tl_query *list = arena_array(&c->arena, tl_query, json_array_size(queries) + 1);
    for (size_t i = 0; i < json_array_size(queries); i++) {
        list[i].path = str_at(c, json_array_get(queries, i), "path");
        list[i].value = str_at(c, json_array_get(queries, i), "value");
        if (!str_is(list[i].path, "stamp") && !str_is(list[i].path, "created") &&
            field_of(k, list[i].path) == k->shape.n_fields)
            return no_such_field(k, list[i].path.p, e);
    }
    if (json_array_size(queries) == 0)
        return err_set(e, E_USAGE, "find needs questions: PATH=VALUE");
    c->request.find.shape = &k->shape;
    c->request.find.stamp_field = k->told.stamp_field;
    c->request.find.queries = list;
    c->request.find.n_queries = (uint32_t)json_array_size(queries);
    return TL_OK;
}

static int pull_of(const struct stand_kind *k, struct call *c, const json_t *o, struct err *e)
{
    (void)e;
    const char *mode = json_string_value(json_object_get(o, "mode"));
    c->request.pull.mode = mode && strcmp(mode, "pass") == 0 ? TL_PULL_PASS : TL_PULL_CHANGES;
    c->request.pull.shape = &k->shape;
    c->request.pull.stamp_field = k->told.stamp_field;
    c->request.pull.cursor = str_at(c, o, "cursor");
    c->request.pull.max_pages = (uint32_t)json_integer_value(json_object_get(o, "max_pages"));
    c->request.pull.page_hint = (uint32_t)json_integer_value(json_object_get(o, "page_hint"));
    return TL_OK;
}

static int get_of(const struct stand_kind *k, struct call *c, const json_t *o, struct err *e)
{
    c->request.get.shape = &k->shape;
    c->request.get.stamp_field = k->told.stamp_field;
    c->request.get.ids = strs_at(c, o, "ids", &c->request.get.n_ids);
    return c->request.get.n_ids ? TL_OK : err_set(e, E_USAGE, "get needs the ids of records");
}

static int check_of(const struct stand_kind *k, struct call *c, const json_t *o, struct err *e)
{
    (void)k;
    (void)e;
    c->request.check.kinds = strs_at(c, o, "kinds", &c->request.check.n_kinds);
    return TL_OK;
}

static int discover_of(const struct stand_kind *k, struct call *c, const json_t *o, struct err *e)
{
    (void)k;
    (void)e;
    c->request.discover.kinds = strs_at(c, o, "kinds", &c->request.discover.n_kinds);
    return TL_OK;
}

static int prepare_of(const struct stand_kind *k, struct call *c, const json_t *o, struct err *e)
{
    (void)k;
    (void)e;
    c->request.prepare.dry_run = json_is_true(json_object_get(o, "dry_run"));
    return TL_OK;
}

static int subscribe_of(const struct stand_kind *k, struct call *c, const json_t *o, struct err *e)
{
    (void)k;
    (void)e;
    c->request.subscribe.kinds = strs_at(c, o, "kinds", &c->request.subscribe.n_kinds);
    c->request.subscribe.url = str_at(c, o, "url");
    c->request.subscribe.id = str_at(c, o, "id");
    return TL_OK;
}

typedef int (*fill_fn)(const struct stand_kind *k, struct call *c, const json_t *o, struct err *e);
/* NULL: such a call is not written by hand. */
static const fill_fn fill[] = {
    [CALL_CHECK] = check_of,     [CALL_DISCOVER] = discover_of,   [CALL_PULL] = pull_of,
    [CALL_GET] = get_of,         [CALL_FIND] = find_of,           [CALL_PUSH] = push_of,
    [CALL_PREPARE] = prepare_of, [CALL_SUBSCRIBE] = subscribe_of, [CALL_UNSUBSCRIBE] = subscribe_of,
};

static int no_such_call(const char *name, struct err *e)
{
    AUTO(buf_done) struct buf known = {.max = 1024};
    for (size_t i = 0; i < ARRAY_LEN(fill); i++)
        if (fill[i])
            buf_fmt(&known, "%s%s", known.n ? ", " : "", call_kind_name((enum call_kind)i));
    err_set(e, E_USAGE, "there is no call \"%s\"", name ? name : "");
    err_hint(e, "%s", buf_text(&known));
    return E_USAGE;
}

struct call *call_of_json(const struct stand *s, const json_t *o, struct err *e)
{
    const char *name = json_string_value(json_object_get(o, "call"));
    const char *kind = json_string_value(json_object_get(o, "kind"));
    const struct stand_kind *k = kind ? stand_kind(s, kind) : NULL;
    enum call_kind call;
    if (!name || !call_kind_parse(name, &call) || call >= ARRAY_LEN(fill) || !fill[call]) {
        no_such_call(name, e);
        return NULL;
    }
    if (call_needs_shape(call) && !k) {
        err_set(e, E_USAGE, "there is no kind \"%s\"", kind ? kind : "");
        err_hint(e, "\"discover\" tells the kinds, and has to come first");
        return NULL;
    }
    struct call *c = call_new(call, 1, TL_PURPOSE_BULK);
    return fill[call](k, c, o, e) ? call_free(c) : c;
}

/* ---- replies to JSON */

static json_t *value_json(const tl_value *v)
{
    if (v->type == TL_NULL)
        return json_null();
    if (v->type == TL_LIST) {
        json_t *list = json_array();
        for (uint64_t i = 0; i < v->u.list.n; i++)
            json_array_append_new(list, value_json(&v->u.list.items[i]));
        return list;
    }
    return v->type <= TL_DATE ? json_integer(v->u.i) : text(v->u.s);
}

static json_t *record_json(const struct stand_kind *k, const tl_record *x)
{
    json_t *values = json_object();
    for (uint32_t i = 0; k && i < x->n_values; i++)
        json_object_set_new(values, k->shape.fields[x->values[i].field].path.p, value_json(&x->values[i]));
    return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:I,s:I,s:i,s:i,s:i,s:o}", "id", text(x->id), "version",
                     text(x->version), "by", text(x->by), "stamp", text(x->stamp), "note", text(x->note), "kind",
                     text(x->kind), "modified_us", (json_int_t)x->modified_us, "created_us", (json_int_t)x->created_us,
                     "state", x->state, "flags", (int)x->flags, "index", (int)x->index, "values", values);
}

static json_t *error_json(const tl_error *e)
{
    return json_pack("{s:s,s:s,s:s,s:i,s:i,s:I}", "text", e->text, "code", e->code, "field", e->field, "reason",
                     e->reason, "scope", e->scope, "retry_after_ms", (json_int_t)e->retry_after_ms);
}

static json_t *kind_json(const tl_kind *k)
{
    json_t *fields = json_object();
    for (uint32_t i = 0; i < k->n_fields; i++) {
        const tl_field *f = TL_AT(tl_field, k->fields, k->field_stride, i);
        json_object_set_new(fields, f->path.p,
                            json_pack("{s:o,s:o,s:o,s:i}", "name", text(f->name), "type", field_type_word(f->type),
                                      "flags", field_flag_words(f->flags), "max", (int)f->max));
    }
    return json_pack("{s:o,s:o,s:o,s:o}", "kind", text(k->kind), "can", rights_words(k->can), "stamp_field",
                     text(k->stamp_field), "fields", fields);
}

json_t *item_to_json(const struct stand *s, const struct call *c, const struct item *x)
{
    const struct stand_kind *k = NULL;
    const tl_shape *shape = request_shape(c);
    for (size_t i = 0; i < s->n_kinds; i++)
        k = &s->kinds[i].shape == shape ? &s->kinds[i] : k;
    switch (x->kind) {
    case ITEM_RECORD:
        return json_pack("{s:o}", "record", record_json(k, &x->u.record));
    case ITEM_CHECKPOINT:
        return json_pack("{s:{s:o,s:b,s:I}}", "checkpoint", "cursor", text(x->u.checkpoint.cursor), "complete",
                         x->u.checkpoint.complete, "estimate", (json_int_t)x->u.checkpoint.estimate);
    case ITEM_RESULT:
        return json_pack("{s:{s:i,s:s,s:i,s:o?,s:o?}}", "result", "index", (int)x->u.result.index, "status",
                         status_name(x->u.result.result.status), "created", x->u.result.result.created, "record",
                         x->u.result.result.record ? record_json(k, x->u.result.result.record) : NULL, "error",
                         x->u.result.result.error ? error_json(x->u.result.result.error) : NULL);
    case ITEM_KIND:
        return json_pack("{s:o}", "kind", kind_json(&x->u.described));
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

json_t *reply_to_json(const struct stand *s, const struct call *c)
{
    AUTO(reply_reader_done) struct reply_reader reader = {0};
    json_t *items = json_array();
    reply_reader_init(&reader, &c->reply);
    for (struct item x; reply_next(&reader, &x);)
        json_array_append_new(items, item_to_json(s, c, &x));
    json_t *out = json_pack("{s:s,s:o,s:o?}", "status", status_name(c->reply.status), "items", items, "error",
                            c->reply.status ? error_json(&c->reply.error) : NULL);
    ASSERT(out);
    return out;
}
