/* A call and the flat form of its request, whatever its kind: see call.h and codec.h. */
#include "call.h"

#include <stdlib.h>

#include "call_type.h"
#include "codec.h"

const char *call_kind_name(enum call_kind k)
{
    const struct call_type *t = call_type(k);
    return t ? t->name : "unknown";
}

bool call_kind_parse(const char *name, enum call_kind *out)
{
    const struct call_type *t;
    for (uint32_t k = 0; (t = call_type(k)); k++)
        if (strcmp(t->name, name) == 0) {
            *out = (enum call_kind)k;
            return true;
        }
    return false;
}

static const struct call_type *type_of(const struct call *c)
{
    return call_type(c->kind);
}

bool call_writes(const struct call *c)
{
    const struct call_type *t = type_of(c);
    return t->writes && t->writes(c);
}

bool call_asks_vendor(const struct call *c)
{
    return !(type_of(c)->flags & CALL_LOCAL);
}

tl_status call_lost_status(const struct call *c)
{
    return call_writes(c) ? TL_E_UNKNOWN : TL_E_TEMPORARY;
}

static void request_init(struct call *c)
{
    const struct call_type *t = type_of(c);
    c->request.check.struct_size = t->size; /* the first member of each */
    if (t->init)
        t->init(c);
}

struct call *call_new(enum call_kind kind, int64_t endpoint, int32_t purpose)
{
    struct call *c = calloc(1, sizeof *c);
    ASSERT(c);
    c->kind = kind;
    c->endpoint = endpoint;
    c->purpose = purpose;
    c->reply.error.struct_size = sizeof c->reply.error;
    request_init(c);
    return c;
}

struct call *call_free(struct call *c)
{
    if (!c)
        return NULL;
    arena_done(&c->arena);
    blob_list_done(&c->blobs);
    reply_done(&c->reply);
    free(c);
    return NULL;
}

int64_t call_deadline(const struct call *c)
{
    int64_t us = 0;
    size_t at = type_of(c)->deadline_at;
    if (at)
        memcpy(&us, (const char *)c + at, sizeof us);
    return us;
}

/* NULL: it has none. */
static const tl_shape *shape_of(const struct call *c)
{
    const tl_shape *s = NULL;
    size_t at = type_of(c)->shape_at;
    if (at)
        memcpy(&s, (const char *)c + at, sizeof s);
    return s;
}

bool call_needs_shape(enum call_kind k)
{
    return call_type(k)->shape_at != 0;
}

const tl_shape *request_shape(const struct call *c)
{
    static const tl_shape none = {.struct_size = sizeof none, .field_stride = sizeof(tl_field)};
    const tl_shape *s = shape_of(c);
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

uint32_t request_records(const struct call *c)
{
    if (c->kind == CALL_ACT)
        return 1;
    return c->kind == CALL_PUSH && c->request.push.batch ? c->request.push.batch->count : 0;
}

const tl_record *request_record(const struct call *c, uint32_t index)
{
    const tl_batch *b = c->request.push.batch;
    return c->kind == CALL_ACT ? c->request.act.record : TL_AT(tl_record, b->records, b->stride, index);
}

int32_t checkpoint_mode(const struct call *c)
{
    return c->kind == CALL_PULL ? c->request.pull.mode : TL_PULL_CHANGES;
}

uint32_t page_budget(const struct call *c)
{
    return c->kind == CALL_LIST ? 1 : c->kind == CALL_PULL ? c->request.pull.max_pages : 0;
}

tl_status call_act_outcome(const struct call *c, struct reply_reader *r, tl_result *result)
{
    reply_reader_init(r, &c->reply);
    for (struct item x; reply_next(r, &x);) {
        if (x.kind != ITEM_RESULT)
            continue;
        if (result)
            *result = x.u.result.result;
        return x.u.result.result.status;
    }
    return c->reply.status ? c->reply.status : TL_E_UNKNOWN;
}

int request_encode(struct buf *b, const struct call *c, struct err *e)
{
    int rc = type_of(c)->encode(b, c, e);
    if (!rc && b->full)
        rc = err_set(e, TL_E_INVALID, "the request of %s is larger than %zu bytes", call_kind_name(c->kind), b->max);
    return rc;
}

int request_decode(struct call *c, str bytes, bool strict, struct err *e)
{
    const struct call_type *t = type_of(c);
    struct decoder d = decoder_of(bytes, &c->arena, strict);
    t->decode(&d, c);
    if (!decoder_ended(&d))
        return err_set(e, TL_E_INVALID, "a malformed request of %s", t->name);
    if (t->shape_at && !shape_of(c))
        return err_set(e, TL_E_INVALID, "a request of %s without a shape", t->name);
    request_init(c);
    return TL_OK;
}
