/* A call and the flat form of its request. */
#include "call.h"
#include "codec.h"

#include <stdlib.h>

static const char *const kind_names[] = {
    [CALL_CHECK] = "check",      [CALL_DISCOVER] = "discover",   [CALL_PULL] = "pull",
    [CALL_GET] = "get",          [CALL_FIND] = "find",           [CALL_PUSH] = "push",
    [CALL_PARSE_HOOK] = "parse", [CALL_SUBSCRIBE] = "subscribe", [CALL_UNSUBSCRIBE] = "unsubscribe",
    [CALL_PREPARE] = "prepare",
};

const char *call_kind_name(enum call_kind k)
{
    return (size_t)k < ARRAY_LEN(kind_names) ? kind_names[k] : "unknown";
}

static void set_sizes(struct call *c)
{
    switch (c->kind) {
    case CALL_CHECK:
        c->request.check.struct_size = sizeof c->request.check;
        break;
    case CALL_DISCOVER:
        c->request.discover.struct_size = sizeof c->request.discover;
        break;
    case CALL_PULL:
        c->request.pull.struct_size = sizeof c->request.pull;
        break;
    case CALL_GET:
        c->request.get.struct_size = sizeof c->request.get;
        break;
    case CALL_FIND:
        c->request.find.struct_size = sizeof c->request.find;
        c->request.find.query_stride = sizeof(tl_query);
        break;
    case CALL_PUSH:
        c->request.push.struct_size = sizeof c->request.push;
        break;
    case CALL_PARSE_HOOK:
        c->request.hook.struct_size = sizeof c->request.hook;
        break;
    case CALL_SUBSCRIBE:
    case CALL_UNSUBSCRIBE:
        c->request.subscribe.struct_size = sizeof c->request.subscribe;
        break;
    case CALL_PREPARE:
        c->request.prepare.struct_size = sizeof c->request.prepare;
        break;
    }
}

struct call *call_new(enum call_kind kind, int64_t endpoint, int32_t purpose)
{
    struct call *c = calloc(1, sizeof *c);
    ASSERT(c);
    c->kind = kind;
    c->endpoint = endpoint;
    c->purpose = purpose;
    c->reply.error.struct_size = sizeof c->reply.error;
    set_sizes(c);
    return c;
}

struct call *call_free(struct call *c)
{
    if (!c)
        return NULL;
    arena_done(&c->arena);
    buf_done(&c->reply.items);
    free(c);
    return NULL;
}

const tl_shape *request_shape(const struct call *c)
{
    static const tl_shape none = {.struct_size = sizeof none, .field_stride = sizeof(tl_field)};
    const tl_shape *s = NULL;
    switch (c->kind) {
    case CALL_PULL:
        s = c->request.pull.shape;
        break;
    case CALL_GET:
        s = c->request.get.shape;
        break;
    case CALL_FIND:
        s = c->request.find.shape;
        break;
    case CALL_PUSH:
        s = c->request.push.shape;
        break;
    case CALL_CHECK:
    case CALL_DISCOVER:
    case CALL_PARSE_HOOK:
    case CALL_SUBSCRIBE:
    case CALL_UNSUBSCRIBE:
    case CALL_PREPARE:
        break;
    }
    return s ? s : &none;
}

const tl_shape *record_shape(const struct call *c, str kind)
{
    const tl_hook_request *h = &c->request.hook;
    for (uint32_t i = 0; c->kind == CALL_PARSE_HOOK && i < h->n_shapes; i++) {
        const tl_shape *s = TL_AT(tl_shape, h->shapes, h->shape_stride, i);
        if (str_eq(s->kind, kind))
            return s;
    }
    return request_shape(c);
}

/* ---- encoding ---- */

static void enc_pull(struct buf *b, const tl_pull *r)
{
    enc_i64(b, r->mode);
    enc_u64(b, r->max_pages);
    enc_u64(b, r->page_hint);
    enc_shape(b, r->shape);
    enc_str(b, r->cursor);
    enc_str(b, r->view);
    enc_i64(b, r->created_from_us);
    enc_i64(b, r->deadline_us);
    enc_str(b, r->stamp_field);
}

static void enc_find(struct buf *b, const tl_find *r)
{
    enc_shape(b, r->shape);
    enc_u64(b, r->n_queries);
    for (uint32_t i = 0; i < r->n_queries; i++) {
        enc_str(b, r->queries[i].path);
        enc_str(b, r->queries[i].value);
    }
    enc_u64(b, r->limit);
    enc_i64(b, r->deadline_us);
    enc_str(b, r->stamp_field);
}

static int enc_push(struct buf *b, const tl_push *r, struct err *e)
{
    enc_u64(b, r->flags);
    enc_shape(b, r->shape);
    enc_str(b, r->stamp_field);
    enc_i64(b, r->deadline_us);
    uint32_t n = r->batch ? r->batch->count : 0;
    enc_u64(b, n);
    for (uint32_t i = 0; i < n; i++) {
        const tl_record *record = TL_AT(tl_record, r->batch->records, r->batch->stride, i);
        enc_u64(b, record->index);
        int rc = enc_record(b, record, r->shape, e);
        if (rc)
            return err_wrap(e, "record \"%.*s\"", STR_FMT(record->id));
    }
    return TL_OK;
}

static void enc_hook(struct buf *b, const tl_hook_request *r)
{
    enc_pairs(b, r->headers, r->n_headers);
    enc_str(b, r->body);
    enc_str(b, r->query);
    enc_i64(b, r->received_us);
    enc_str(b, r->method);
    enc_u64(b, r->n_shapes);
    for (uint32_t i = 0; i < r->n_shapes; i++)
        enc_shape(b, TL_AT(tl_shape, r->shapes, r->shape_stride, i));
}

static void enc_subscribe(struct buf *b, const tl_subscribe *r)
{
    enc_strs(b, r->kinds, r->n_kinds);
    enc_str(b, r->url);
    enc_str(b, r->id);
}

int request_encode(struct buf *b, const struct call *c, struct err *e)
{
    int rc = TL_OK;
    switch (c->kind) {
    case CALL_CHECK:
        enc_strs(b, c->request.check.kinds, c->request.check.n_kinds);
        break;
    case CALL_DISCOVER:
        enc_strs(b, c->request.discover.kinds, c->request.discover.n_kinds);
        break;
    case CALL_PULL:
        enc_pull(b, &c->request.pull);
        break;
    case CALL_GET:
        enc_shape(b, c->request.get.shape);
        enc_strs(b, c->request.get.ids, c->request.get.n_ids);
        enc_i64(b, c->request.get.deadline_us);
        enc_str(b, c->request.get.stamp_field);
        break;
    case CALL_FIND:
        enc_find(b, &c->request.find);
        break;
    case CALL_PUSH:
        rc = enc_push(b, &c->request.push, e);
        break;
    case CALL_PARSE_HOOK:
        enc_hook(b, &c->request.hook);
        break;
    case CALL_SUBSCRIBE:
    case CALL_UNSUBSCRIBE:
        enc_subscribe(b, &c->request.subscribe);
        break;
    case CALL_PREPARE:
        enc_i64(b, c->request.prepare.dry_run);
        enc_strs(b, c->request.prepare.kinds, c->request.prepare.n_kinds);
        break;
    }
    if (!rc && b->full)
        rc = err_set(e, TL_E_INVALID, "the request of %s is larger than %zu bytes", call_kind_name(c->kind), b->max);
    return rc;
}

/* ---- decoding ---- */

static void dec_pull(struct decoder *d, tl_pull *r)
{
    r->mode = dec_i32(d);
    r->max_pages = dec_u32(d);
    r->page_hint = dec_u32(d);
    r->shape = dec_shape(d);
    r->cursor = dec_bytes(d);
    r->view = dec_str(d);
    r->created_from_us = dec_i64(d);
    r->deadline_us = dec_i64(d);
    r->stamp_field = dec_str(d);
}

static void dec_find(struct decoder *d, tl_find *r)
{
    r->shape = dec_shape(d);
    uint32_t n = dec_count(d, 4);
    tl_query *queries = arena_array(d->arena, tl_query, n);
    for (uint32_t i = 0; i < n; i++) {
        queries[i].path = dec_str(d);
        queries[i].value = dec_str(d);
    }
    r->queries = queries;
    r->n_queries = d->bad ? 0 : n;
    r->limit = dec_u32(d);
    r->deadline_us = dec_i64(d);
    r->stamp_field = dec_str(d);
}

static bool inside(const tl_record *r, const tl_shape *shape)
{
    for (uint32_t i = 0; i < r->n_values; i++)
        if (!shape || r->values[i].field >= shape->n_fields)
            return false;
    return true;
}

static void dec_push(struct decoder *d, tl_push *r)
{
    r->flags = dec_u32(d);
    r->shape = dec_shape(d);
    r->stamp_field = dec_str(d);
    r->deadline_us = dec_i64(d);
    uint32_t n = dec_count(d, 20);
    tl_record *records = arena_array(d->arena, tl_record, n);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t index = dec_u32(d);
        dec_record(d, &records[i]);
        records[i].index = index;
        if (!inside(&records[i], r->shape))
            d->bad = true;
    }
    tl_batch *batch = arena_new(d->arena, tl_batch);
    *batch = (tl_batch){
        .struct_size = sizeof *batch, .count = d->bad ? 0 : n, .stride = sizeof *records, .records = records};
    r->batch = batch;
}

static void dec_hook(struct decoder *d, tl_hook_request *r)
{
    r->headers = dec_pairs(d, &r->n_headers);
    r->body = dec_bytes(d);
    r->query = dec_bytes(d);
    r->received_us = dec_i64(d);
    r->method = dec_str(d);
    uint32_t n = dec_count(d, 2);
    tl_shape *shapes = arena_array(d->arena, tl_shape, n);
    for (uint32_t i = 0; i < n && !d->bad; i++) {
        const tl_shape *shape = dec_shape(d);
        d->bad = d->bad || !shape;
        if (shape)
            shapes[i] = *shape;
    }
    r->shapes = shapes;
    r->shape_stride = sizeof *shapes;
    r->n_shapes = d->bad ? 0 : n;
}

static void dec_subscribe(struct decoder *d, tl_subscribe *r)
{
    r->kinds = dec_strs(d, &r->n_kinds);
    r->url = dec_str(d);
    r->id = dec_str(d);
}

int request_decode(struct call *c, str bytes, bool strict, struct err *e)
{
    struct decoder decoder = decoder_of(bytes, &c->arena, strict);
    struct decoder *d = &decoder;
    switch (c->kind) {
    case CALL_CHECK:
        c->request.check.kinds = dec_strs(d, &c->request.check.n_kinds);
        break;
    case CALL_DISCOVER:
        c->request.discover.kinds = dec_strs(d, &c->request.discover.n_kinds);
        break;
    case CALL_PULL:
        dec_pull(d, &c->request.pull);
        break;
    case CALL_GET:
        c->request.get.shape = dec_shape(d);
        c->request.get.ids = dec_strs(d, &c->request.get.n_ids);
        c->request.get.deadline_us = dec_i64(d);
        c->request.get.stamp_field = dec_str(d);
        break;
    case CALL_FIND:
        dec_find(d, &c->request.find);
        break;
    case CALL_PUSH:
        dec_push(d, &c->request.push);
        break;
    case CALL_PARSE_HOOK:
        dec_hook(d, &c->request.hook);
        break;
    case CALL_SUBSCRIBE:
    case CALL_UNSUBSCRIBE:
        dec_subscribe(d, &c->request.subscribe);
        break;
    case CALL_PREPARE:
        c->request.prepare.dry_run = dec_i32(d);
        c->request.prepare.kinds = dec_strs(d, &c->request.prepare.n_kinds);
        break;
    }
    if (!decoder_ended(d))
        return err_set(e, TL_E_INVALID, "a malformed request of %s", call_kind_name(c->kind));
    set_sizes(c);
    return TL_OK;
}
