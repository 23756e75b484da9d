/* Runs one connector in process through the real runtime, HTTP and authorisation, without store or engine: reads calls
 * as JSON lines from standard input, answers each with one JSON line. For tests of connectors against the twins.
 *
 *   connector_run CONNECTOR_DIR STATE_DIR NAME OPTION=VALUE ...
 *   {"call":"pull","kind":"contact","mode":"pass","cursor":"","max_pages":5} */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "http_client.h"
#include "log.h"
#include "runtime.h"
#include "times.h"

enum { ENDPOINT = 1, OPTIONS_MAX = 32, KINDS_MAX = 8 };

struct kind {
    char *name, *stamp_field;
    tl_shape shape;
    tl_field *fields;
};

struct run {
    struct runtime *rt;
    struct mailbox *control;
    struct arena arena; /* kinds */
    struct kind kinds[KINDS_MAX];
    size_t n_kinds;
    bool done;
    char tokens[8192]; /* kept between calls, as the store would */
    size_t tokens_n;
};

static json_t *text(str s)
{
    return json_stringn(s.n ? s.p : "", s.n);
}

/* ---- what the store would keep */

static int token_load(void *ctx, int64_t endpoint, struct buf *out, struct err *e)
{
    struct run *r = ctx;
    (void)endpoint;
    (void)e;
    if (r->tokens_n == 0)
        return TL_E_NOT_FOUND;
    buf_add(out, r->tokens, r->tokens_n);
    return TL_OK;
}

static int token_save(void *ctx, int64_t endpoint, str secret, struct err *e)
{
    struct run *r = ctx;
    (void)endpoint;
    if (secret.n > sizeof r->tokens)
        return err_set(e, TL_E_QUOTA, "too long");
    memcpy(r->tokens, secret.p, secret.n);
    r->tokens_n = secret.n;
    return TL_OK;
}

static int kv_get(void *ctx, int64_t endpoint, const char *key, struct buf *out, struct err *e)
{
    (void)ctx;
    (void)endpoint;
    (void)key;
    (void)out;
    (void)e;
    return TL_E_NOT_FOUND;
}

static int kv_set(void *ctx, int64_t endpoint, const char *key, str value, struct err *e)
{
    (void)ctx;
    (void)endpoint;
    (void)key;
    (void)value;
    (void)e;
    return TL_OK;
}

/* ---- the control thread */

static void wait_done(struct run *r)
{
    while (!r->done) {
        mailbox_run(r->control, 20000);
        runtime_tick(r->rt);
    }
    r->done = false;
}

static struct run *the_run; /* done functions get their own argument only */

static void loaded(void *arg, const char *words, const struct err *e)
{
    (void)arg;
    (void)words;
    if (e) {
        fprintf(stderr, "cannot load: %s\n", e->text);
        exit(1);
    }
    the_run->done = true;
}

static void called(struct call *c)
{
    (void)c;
    the_run->done = true;
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

static struct kind *kind_at(struct run *r, const json_t *o)
{
    const char *name = json_string_value(json_object_get(o, "kind"));
    for (size_t i = 0; i < r->n_kinds; i++) {
        if (name && strcmp(r->kinds[i].name, name) == 0)
            return &r->kinds[i];
    }
    fprintf(stderr, "discover first: no kind \"%s\"\n", name ? name : "");
    exit(1);
}

static tl_value value_of(struct call *c, const struct kind *k, uint32_t field, const json_t *v)
{
    tl_value out = {.field = field, .type = (uint8_t)k->fields[field].type};
    if (json_is_null(v))
        out.type = TL_NULL;
    else if (json_is_integer(v))
        out.u.i = json_integer_value(v);
    else
        out.u.s = arena_str(&c->arena, str_of(json_string_value(v)));
    return out;
}

static void record_of(struct call *c, const struct kind *k, const json_t *o, tl_record *out)
{
    static const struct {
        const char *name;
        int32_t op;
    } ops[] = {
        {"create", TL_OP_CREATE}, {"update", TL_OP_UPDATE}, {"restore", TL_OP_RESTORE}, {"delete", TL_OP_DELETE}};
    const char *op = json_string_value(json_object_get(o, "op"));
    for (size_t i = 0; i < ARRAY_LEN(ops); i++) {
        if (op && strcmp(op, ops[i].name) == 0)
            out->op = ops[i].op;
    }
    out->id = str_at(c, o, "id");
    out->stamp = str_at(c, o, "stamp");
    json_t *values = json_object_get(o, "values"), *v;
    const char *path;
    tl_value *list = arena_array(&c->arena, tl_value, json_object_size(values) + 1);
    json_object_foreach(values, path, v)
    {
        for (uint32_t f = 0; f < k->shape.n_fields; f++) {
            if (str_is(k->fields[f].path, path))
                list[out->n_values++] = value_of(c, k, f, v);
        }
    }
    out->values = list;
}

static void push_of(struct run *r, struct call *c, const json_t *o)
{
    struct kind *k = kind_at(r, o);
    json_t *records = json_object_get(o, "records");
    tl_batch *b = arena_new(&c->arena, tl_batch);
    tl_record *list = arena_array(&c->arena, tl_record, json_array_size(records) + 1);
    for (size_t i = 0; i < json_array_size(records); i++)
        record_of(c, k, json_array_get(records, i), &list[i]);
    *b = (tl_batch){
        .struct_size = sizeof *b, .count = (uint32_t)json_array_size(records), .stride = sizeof *list, .records = list};
    c->request.push.shape = &k->shape;
    c->request.push.batch = b;
    c->request.push.stamp_field = str_of(k->stamp_field);
}

static void find_of(struct run *r, struct call *c, const json_t *o)
{
    json_t *queries = json_object_get(o, "queries");
    tl_query *list = arena_array(&c->arena, tl_query, json_array_size(queries) + 1);
    for (size_t i = 0; i < json_array_size(queries); i++) {
        list[i].path = str_at(c, json_array_get(queries, i), "path");
        list[i].value = str_at(c, json_array_get(queries, i), "value");
    }
    c->request.find.shape = &kind_at(r, o)->shape;
    c->request.find.queries = list;
    c->request.find.n_queries = (uint32_t)json_array_size(queries);
}

static void pull_of(struct run *r, struct call *c, const json_t *o)
{
    const char *mode = json_string_value(json_object_get(o, "mode"));
    c->request.pull.mode = mode && strcmp(mode, "pass") == 0 ? TL_PULL_PASS : TL_PULL_CHANGES;
    c->request.pull.shape = &kind_at(r, o)->shape;
    c->request.pull.cursor = str_at(c, o, "cursor");
    c->request.pull.max_pages = (uint32_t)json_integer_value(json_object_get(o, "max_pages"));
}

static struct call *call_of(struct run *r, const json_t *o)
{
    static const struct {
        const char *name;
        enum call_kind kind;
    } kinds[] = {{"check", CALL_CHECK},     {"discover", CALL_DISCOVER},   {"pull", CALL_PULL},
                 {"get", CALL_GET},         {"find", CALL_FIND},           {"push", CALL_PUSH},
                 {"prepare", CALL_PREPARE}, {"subscribe", CALL_SUBSCRIBE}, {"unsubscribe", CALL_UNSUBSCRIBE}};
    const char *name = json_string_value(json_object_get(o, "call"));
    struct call *c = NULL;
    for (size_t i = 0; i < ARRAY_LEN(kinds) && name; i++) {
        if (strcmp(name, kinds[i].name) == 0)
            c = call_new(kinds[i].kind, ENDPOINT, TL_PURPOSE_BULK);
    }
    if (!c) {
        fprintf(stderr, "no call \"%s\"\n", name ? name : "");
        exit(1);
    }
    if (c->kind == CALL_PULL)
        pull_of(r, c, o);
    if (c->kind == CALL_PUSH)
        push_of(r, c, o);
    if (c->kind == CALL_FIND)
        find_of(r, c, o);
    if (c->kind == CALL_GET) {
        c->request.get.shape = &kind_at(r, o)->shape;
        c->request.get.ids = strs_at(c, o, "ids", &c->request.get.n_ids);
    }
    if (c->kind == CALL_CHECK)
        c->request.check.kinds = strs_at(c, o, "kinds", &c->request.check.n_kinds);
    if (c->kind == CALL_PREPARE)
        c->request.prepare.dry_run = json_is_true(json_object_get(o, "dry_run"));
    if (c->kind == CALL_SUBSCRIBE || c->kind == CALL_UNSUBSCRIBE) {
        c->request.subscribe.kinds = strs_at(c, o, "kinds", &c->request.subscribe.n_kinds);
        c->request.subscribe.url = str_at(c, o, "url");
        c->request.subscribe.id = str_at(c, o, "id");
    }
    return c;
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

static json_t *record_json(const struct kind *k, const tl_record *x)
{
    json_t *values = json_object();
    for (uint32_t i = 0; k && i < x->n_values; i++)
        json_object_set_new(values, k->fields[x->values[i].field].path.p, value_json(&x->values[i]));
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

static void keep_kind(struct run *r, const tl_kind *k)
{
    struct kind *own = NULL;
    for (size_t i = 0; i < r->n_kinds; i++)
        own = str_is(k->kind, r->kinds[i].name) ? &r->kinds[i] : own;
    if (!own && r->n_kinds < KINDS_MAX)
        own = &r->kinds[r->n_kinds++];
    ASSERT(own);
    own->name = arena_fmt(&r->arena, "%.*s", STR_FMT(k->kind));
    own->stamp_field = arena_fmt(&r->arena, "%.*s", STR_FMT(k->stamp_field));
    own->fields = arena_array(&r->arena, tl_field, k->n_fields);
    for (uint32_t i = 0; i < k->n_fields; i++) {
        own->fields[i] = *TL_AT(tl_field, k->fields, k->field_stride, i);
        own->fields[i].path = arena_str(&r->arena, own->fields[i].path);
        own->fields[i].name = arena_str(&r->arena, own->fields[i].name);
        own->fields[i].label = own->fields[i].refers_to = (str){"", 0};
        own->fields[i].choices = NULL;
        own->fields[i].n_choices = 0;
    }
    own->shape = (tl_shape){.struct_size = sizeof(tl_shape),
                            .n_fields = k->n_fields,
                            .field_stride = sizeof(tl_field),
                            .kind = str_of(own->name),
                            .fields = own->fields};
}

static json_t *kind_json(const tl_kind *k)
{
    json_t *fields = json_object();
    for (uint32_t i = 0; i < k->n_fields; i++) {
        const tl_field *f = TL_AT(tl_field, k->fields, k->field_stride, i);
        json_object_set_new(fields, f->path.p,
                            json_pack("{s:o,s:i,s:i,s:i}", "name", text(f->name), "type", (int)f->type, "flags",
                                      (int)f->flags, "max", (int)f->max));
    }
    return json_pack("{s:o,s:i,s:o,s:o}", "kind", text(k->kind), "can", (int)k->can, "stamp_field",
                     text(k->stamp_field), "fields", fields);
}

static json_t *item_json(struct run *r, const struct call *c, const struct item *x)
{
    const struct kind *k = NULL;
    const tl_shape *shape = c->kind == CALL_PULL   ? c->request.pull.shape
                            : c->kind == CALL_GET  ? c->request.get.shape
                            : c->kind == CALL_FIND ? c->request.find.shape
                            : c->kind == CALL_PUSH ? c->request.push.shape
                                                   : NULL;
    for (size_t i = 0; shape && i < r->n_kinds; i++)
        k = &r->kinds[i].shape == shape ? &r->kinds[i] : k;
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
        keep_kind(r, &x->u.described);
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

static void answer(struct run *r, struct call *c)
{
    AUTO(reply_reader_done) struct reply_reader reader = {0};
    json_t *items = json_array(), *out;
    reply_reader_init(&reader, &c->reply);
    for (struct item x; reply_next(&reader, &x);)
        json_array_append_new(items, item_json(r, c, &x));
    out = json_pack("{s:s,s:o,s:o?}", "status", status_name(c->reply.status), "items", items, "error",
                    c->reply.status ? error_json(&c->reply.error) : NULL);
    ASSERT(out);
    json_dumpf(out, stdout, JSON_COMPACT);
    putchar('\n');
    fflush(stdout);
    json_decref(out);
}

/* ---- set-up */

static void start(struct run *r, struct http_client *http, char **argv, int argc)
{
    struct err e = {0};
    struct runtime_config config = {.env = &env_real,
                                    .control = r->control,
                                    .connector_dir = argv[1],
                                    .state_dir = argv[2],
                                    .worker_path = "/nonexistent",
                                    .development = true,
                                    .http = http,
                                    .store = {r, kv_get, kv_set, token_load, token_save}};
    tl_pair options[OPTIONS_MAX];
    uint32_t n = 0;
    for (int i = 4; i < argc && n < OPTIONS_MAX; i++) {
        str rest = str_of(argv[i]), name;
        str_split(&rest, '=', &name);
        options[n++] = (tl_pair){str_of(str_dup(name)), str_of(str_dup(rest))};
    }
    struct endpoint_config endpoint = {
        .id = ENDPOINT, .name = "under-test", .connector = argv[3], .options = options, .n_options = n};
    if (runtime_new(&r->rt, &config, &e) || runtime_connector_add(r->rt, argv[3], ISOLATION_INPROCESS, &e) ||
        runtime_endpoint_set(r->rt, &endpoint, &e) || runtime_load(r->rt, argv[3], loaded, NULL, &e)) {
        fprintf(stderr, "%s\n", e.text);
        exit(1);
    }
    wait_done(r);
    for (uint32_t i = 0; i < n; i++) {
        free((void *)(uintptr_t)options[i].name.p);
        free((void *)(uintptr_t)options[i].value.p);
    }
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: connector_run CONNECTOR_DIR STATE_DIR NAME OPTION=VALUE ...\n");
        return 2;
    }
    struct err e = {0};
    struct run r = {.control = mailbox_new()};
    the_run = &r;
    struct http_client *http = NULL;
    log_setup(LOG_WARN, LOG_TEXT);
    if (http_client_new(&http, &(struct http_config){0}, &env_real, &e)) {
        fprintf(stderr, "%s\n", e.text);
        return 1;
    }
    start(&r, http, argv, argc);
    struct dispatcher *d = runtime_dispatcher(r.rt);
    char *line = NULL;
    size_t cap = 0;
    while (getline(&line, &cap, stdin) > 0) {
        json_t *o = json_loads(line, 0, NULL);
        struct call *c = call_of(&r, o);
        c->done = called;
        d->submit(d->ctx, c);
        wait_done(&r);
        answer(&r, c);
        call_free(c);
        json_decref(o);
    }
    free(line);
    runtime_stop(r.rt, env_mono_us(&env_real) + 5 * US_PER_S);
    while (!runtime_stopped(r.rt)) {
        mailbox_run(r.control, 20000);
        runtime_tick(r.rt);
    }
    runtime_free(r.rt);
    http_client_free(http);
    mailbox_run(r.control, 0);
    mailbox_free(r.control);
    arena_done(&r.arena);
    return 0;
}
