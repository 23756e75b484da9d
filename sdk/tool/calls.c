#include "calls.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codec.h"

enum { LIST_PAGE = 50 };

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

/* Words that are a JSON array stand for one. *own is the caller's to drop. */
static const json_t *array_of(const tl_field *f, const json_t *v, json_t **own, struct err *e)
{
    json_error_t wrong;
    if (json_is_string(v))
        v = *own = json_loads(json_string_value(v), 0, &wrong);
    if (json_is_array(v))
        return v;
    err_set(e, E_USAGE, "\"%.*s\" is a list: write it as a JSON array", STR_FMT(f->path));
    return NULL;
}

static int list_of(struct call *c, const tl_field *f, const json_t *v, tl_value *out, struct err *e)
{
    tl_value *items = arena_array(&c->arena, tl_value, json_array_size(v) + 1);
    int rc = TL_OK;
    for (size_t i = 0; i < json_array_size(v) && !rc; i++)
        rc = scalar_of(c, f, f->item_type, json_array_get(v, i), &items[i], e);
    out->type = TL_LIST;
    out->u.list.items = items;
    out->u.list.n = json_array_size(v);
    return rc;
}

static int value_of(struct call *c, const tl_field *f, const json_t *v, tl_value *out, struct err *e);

/* Position of a path among fields; n: there is none. */
static uint32_t path_at(const tl_field *fields, uint32_t n, str path)
{
    uint32_t f = 0;
    while (f < n && !str_eq(fields[f].path, path))
        f++;
    return f;
}

static int row_of(struct call *c, const tl_field *f, json_t *o, tl_value *out, struct err *e)
{
    const char *path;
    json_t *v;
    tl_value *values = arena_array(&c->arena, tl_value, json_object_size(o) + 1);
    uint32_t n = 0;
    out->type = TL_LIST;
    if (!json_is_object(o))
        return err_set(e, E_USAGE, "\"%.*s\": a row is a JSON object", STR_FMT(f->path));
    json_object_foreach(o, path, v)
    {
        uint32_t at = path_at(f->columns, f->n_columns, str_of(path));
        if (at == f->n_columns)
            return err_set(e, E_USAGE, "\"%.*s\" has no column \"%s\"", STR_FMT(f->path), path);
        int rc = value_of(c, &f->columns[at], v, &values[n], e);
        if (rc)
            return rc;
        values[n++].field = at;
    }
    out->u.list.items = values;
    out->u.list.n = n;
    return TL_OK;
}

static int rows_of(struct call *c, const tl_field *f, const json_t *v, tl_value *out, struct err *e)
{
    tl_value *rows = arena_array(&c->arena, tl_value, json_array_size(v) + 1);
    int rc = TL_OK;
    for (size_t i = 0; i < json_array_size(v) && !rc; i++)
        rc = row_of(c, f, json_array_get(v, i), &rows[i], e);
    out->type = TL_ROWS;
    out->u.list.items = rows;
    out->u.list.n = json_array_size(v);
    return rc;
}

/* "@photo.jpg" */
static int file_of(struct call *c, const tl_field *f, const json_t *v, tl_value *out, struct err *e)
{
    const char *text = json_string_value(v), *path = text && text[0] == '@' ? text + 1 : NULL;
    if (!path)
        return err_set(e, E_USAGE, "\"%.*s\" is a file: write \"@PATH\"", STR_FMT(f->path));
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        if (fd >= 0)
            close(fd);
        return err_set(e, E_USAGE, "\"%s\" is no file that can be read", path);
    }
    const char *slash = strrchr(path, '/');
    const tl_blob about = {
        .struct_size = sizeof about, .bytes = (uint64_t)st.st_size, .name = str_of(slash ? slash + 1 : path)};
    uint64_t handle;
    if (blob_list_add(&c->blobs, fd, &about, &handle)) {
        close(fd);
        return err_set(e, E_USAGE, "\"%s\" cannot be given along", path);
    }
    out->type = TL_BLOB;
    out->u.i = (int64_t)handle;
    return TL_OK;
}

static int value_of(struct call *c, const tl_field *f, const json_t *v, tl_value *out, struct err *e)
{
    json_t *own = NULL;
    if (f->type == TL_BLOB && !json_is_null(v))
        return file_of(c, f, v, out, e);
    if ((f->type != TL_LIST && f->type != TL_ROWS) || json_is_null(v))
        return scalar_of(c, f, f->type, v, out, e);
    const json_t *array = array_of(f, v, &own, e);
    int rc = !array ? E_USAGE : f->type == TL_LIST ? list_of(c, f, array, out, e) : rows_of(c, f, array, out, e);
    json_decref(own);
    return rc;
}

static int no_such_field(const char *of, const tl_shape *shape, const char *path, const char *hint, struct err *e)
{
    AUTO(buf_done) struct buf known = {0};
    for (uint32_t i = 0; i < shape->n_fields; i++)
        buf_fmt(&known, "%s%.*s", i ? ", " : "", STR_FMT(shape->fields[i].path));
    err_set(e, E_USAGE, "%s has no field \"%s\"", of, path);
    err_hint(e, "%s%s", buf_text(&known), hint);
    return E_USAGE;
}

#define STAMP_HINT "; \"stamp\" is the stamp"

static int values_of(struct call *c, const char *of, const tl_shape *shape, const char *hint, json_t *values,
                     tl_record *out, struct err *e)
{
    const char *path;
    json_t *v;
    tl_value *list = arena_array(&c->arena, tl_value, json_object_size(values) + 1);
    json_object_foreach(values, path, v)
    {
        uint32_t f = path_at(shape->fields, shape->n_fields, str_of(path));
        if (f == shape->n_fields)
            return no_such_field(of, shape, path, hint, e);
        list[out->n_values].field = f;
        int rc = value_of(c, &shape->fields[f], v, &list[out->n_values++], e);
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
    rc = rc ? rc : values_of(c, k->name, &k->shape, STAMP_HINT, values, out, e);
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
            path_at(k->shape.fields, k->shape.n_fields, list[i].path) == k->shape.n_fields)
            return no_such_field(k->name, &k->shape, list[i].path.p, STAMP_HINT, e);
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

/* "contact:17" */
static int list_call_of(const struct stand_kind *k, struct call *c, const json_t *o, struct err *e)
{
    tl_list *q = &c->request.list;
    str about = str_at(c, o, "about"), kind;
    if (!str_split(&about, ':', &kind) || !about.n)
        return err_set(e, E_USAGE, "list needs the record it is about: --about KIND:ID");
    if (!str_in_list(k->told.about, kind)) {
        err_set(e, E_USAGE, "there are no lists of %s about \"%.*s\"", k->name, STR_FMT(kind));
        err_hint(e, "%.*s", STR_FMT(k->told.about));
        return E_USAGE;
    }
    q->shape = &k->shape;
    q->about_kind = arena_str(&c->arena, kind);
    q->about_id = arena_str(&c->arena, about);
    q->filter = str_at(c, o, "filter");
    q->cursor = str_at(c, o, "cursor");
    q->limit = (uint32_t)json_integer_value(json_object_get(o, "limit"));
    q->limit = q->limit ? q->limit : LIST_PAGE;
    if (!q->filter.n || str_in_list(k->told.filters, q->filter))
        return TL_OK;
    err_set(e, E_USAGE, "lists of %s have no part \"%.*s\"", k->name, STR_FMT(q->filter));
    err_hint(e, "%.*s", STR_FMT(k->told.filters));
    return E_USAGE;
}

static int no_such_action(const struct stand *s, const struct stand_kind *k, const char *name, struct err *e)
{
    AUTO(buf_done) struct buf known = {0};
    for (uint32_t i = 0; i < s->n_actions; i++)
        if (str_is(s->actions[i].told.kind, k->name))
            buf_fmt(&known, "%s%s", known.n ? ", " : "", s->actions[i].name);
    err_set(e, E_USAGE, "%s has no action \"%s\"", k->name, name);
    err_hint(e, "%s", known.n ? buf_text(&known) : "discover tells of none");
    return E_USAGE;
}

static int act_of(const struct stand *s, const struct stand_kind *k, struct call *c, const json_t *o, struct err *e)
{
    str name = str_at(c, o, "name");
    const struct stand_action *x = stand_action(s, k->name, name.p);
    if (!x)
        return no_such_action(s, k, name.p, e);
    tl_act *q = &c->request.act;
    tl_record *r = arena_new(&c->arena, tl_record);
    r->id = str_at(c, o, "id");
    r->stamp = str_at(c, o, "stamp");
    q->record = r;
    q->name = x->told.name;
    q->shape = &x->shape;
    q->stamp_field = k->told.stamp_field;
    q->person = str_at(c, o, "person");
    q->flags = json_is_true(json_object_get(o, "look")) ? TL_ACT_LOOK : 0;
    c->rehearse = json_is_true(json_object_get(o, "dry_run"));
    c->reads = x->told.flags & TL_ACTION_READS;
    if (((x->told.flags & TL_ACTION_CREATES) != 0) == (r->id.n > 0))
        return err_set(e, E_USAGE,
                       r->id.n ? "\"%s\" makes a record, which has no id yet" : "\"%s\" needs the id of a record",
                       x->name);
    return values_of(c, x->name, &x->shape, "", json_object_get(o, "params"), r, e);
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
    [CALL_LIST] = list_call_of,
};

static bool by_hand(enum call_kind call)
{
    return call == CALL_ACT || (call < ARRAY_LEN(fill) && fill[call]);
}

static int no_such_call(const char *name, struct err *e)
{
    AUTO(buf_done) struct buf known = {.max = 1024};
    for (size_t i = 0; i <= CALL_ACT; i++)
        if (by_hand((enum call_kind)i))
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
    if (!name || !call_kind_parse(name, &call) || !by_hand(call)) {
        no_such_call(name, e);
        return NULL;
    }
    if (call_needs_shape(call) && !k) {
        err_set(e, E_USAGE, "there is no kind \"%s\"", kind ? kind : "");
        err_hint(e, "\"discover\" tells the kinds, and has to come first");
        return NULL;
    }
    struct call *c = call_new(call, 1, TL_PURPOSE_BULK);
    int rc = call == CALL_ACT ? act_of(s, k, c, o, e) : fill[call](k, c, o, e);
    return rc ? call_free(c) : c;
}
