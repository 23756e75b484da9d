#include "call_place.h"

#include "codec.h"

enum { IDS_TOLD = 3 };

void call_place(struct buf *out, const struct call *c)
{
    str kind = request_shape(c)->kind;
    buf_text_add(out, call_kind_name(c->kind));
    if (kind.n)
        buf_fmt(out, " of %.*s", STR_FMT(kind));
}

static void tell_ids(struct buf *out, const tl_str *ids, uint32_t n, size_t stride)
{
    for (uint32_t i = 0; i < n && i < IDS_TOLD; i++)
        buf_fmt(out, "%s\"%.*s\"", i ? ", " : "", STR_FMT(*TL_AT(tl_str, ids, stride, i)));
    if (n > IDS_TOLD)
        buf_text_add(out, ", ...");
}

static void tell_asked(struct buf *out, const struct call *c)
{
    if (c->kind == CALL_PUSH && c->request.push.batch && c->request.push.batch->count) {
        const tl_batch *b = c->request.push.batch;
        buf_fmt(out, " with %u records (", b->count);
        bool creates = b->records->id.n == 0;
        tell_ids(out, creates ? &b->records->stamp : &b->records->id, b->count, b->stride);
        buf_text_add(out, ")");
    }
    if (c->kind == CALL_LIST)
        buf_fmt(out, " about %.*s \"%.*s\"", STR_FMT(c->request.list.about_kind), STR_FMT(c->request.list.about_id));
    if (c->kind == CALL_ACT)
        buf_fmt(out, ": \"%.*s\" of \"%.*s\"", STR_FMT(c->request.act.name),
                STR_FMT(c->request.act.record ? c->request.act.record->id : (str){0}));
    if (c->kind == CALL_GET && c->request.get.n_ids) {
        buf_fmt(out, " of %u ids (", c->request.get.n_ids);
        tell_ids(out, c->request.get.ids, c->request.get.n_ids, sizeof(tl_str));
        buf_text_add(out, ")");
    }
}

void call_progress(struct buf *out, const struct call *c)
{
    AUTO(buf_done) struct buf last = {.max = 512};
    uint32_t records = 0, pages = 0, results = 0;
    AUTO(reply_reader_done) struct reply_reader r;
    reply_reader_init(&r, &c->reply);
    for (struct item item; reply_next(&r, &item);) {
        records += item.kind == ITEM_RECORD;
        pages += item.kind == ITEM_CHECKPOINT;
        results += item.kind == ITEM_RESULT;
        if (item.kind == ITEM_RECORD) {
            buf_clear(&last);
            buf_str(&last, item.u.record.id);
        }
    }
    tell_asked(out, c);
    if (c->kind == CALL_PUSH)
        buf_fmt(out, ", %u of them answered", results);
    else if (c->kind == CALL_PULL && records == 0 && pages == 0)
        buf_text_add(out, " before the first record");
    else if (records || pages)
        buf_fmt(out, " after %u records and %u pages, the last one \"%s\"", records, pages, buf_text(&last));
}
