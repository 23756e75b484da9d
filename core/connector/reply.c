/* Items of a reply: kind, length (32 bit, little endian), payload. The payload of a record starts with its index, which
 * is not part of item.raw; that of a result with its position in the batch. */
#include "admit.h"
#include "call.h"
#include "call_type.h"
#include "codec.h"

enum { ITEM_HEAD = 5, ITEM_MAX = 8 << 20 /* so that one always fits a frame */ };

/* ---- building ---- */

static size_t item_begin(struct reply *r, enum item_kind kind)
{
    size_t at = r->items.n;
    char head[ITEM_HEAD] = {(char)kind};
    buf_add(&r->items, head, sizeof head);
    return at;
}

static int item_undo(struct reply *r, size_t at, int rc)
{
    r->items.n = at;
    if (r->items.p)
        r->items.p[at] = 0;
    r->items.full = false;
    return rc;
}

static int item_end(struct reply *r, size_t at, struct err *e)
{
    if (r->items.full)
        return item_undo(r, at,
                         err_set(e, TL_E_INVALID, "the answer of one call is larger than %zu bytes", r->items.max));
    if (r->items.n - at > ITEM_MAX)
        return item_undo(r, at, err_set(e, TL_E_INVALID, "one item of an answer is larger than %d bytes", ITEM_MAX));
    uint32_t n = (uint32_t)(r->items.n - at - ITEM_HEAD);
    uint8_t *p = (uint8_t *)r->items.p + at + 1;
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(n >> (8 * i));
    return TL_OK;
}

int reply_add_record(struct reply *r, const tl_record *record, struct err *e)
{
    return reply_add_record_of(r, record, NULL, e);
}

int reply_add_record_of(struct reply *r, const tl_record *record, const tl_shape *shape, struct err *e)
{
    size_t at = item_begin(r, ITEM_RECORD);
    enc_u64(&r->items, record->index);
    int rc = enc_record(&r->items, record, shape, e);
    return rc ? item_undo(r, at, rc) : item_end(r, at, e);
}

int reply_add_checkpoint(struct reply *r, const tl_checkpoint *c, struct err *e)
{
    if (c->cursor.n > CODEC_CURSOR_MAX)
        return err_set(e, TL_E_INVALID, "a cursor of %llu bytes, at most %d", (unsigned long long)c->cursor.n,
                       CODEC_CURSOR_MAX);
    size_t at = item_begin(r, ITEM_CHECKPOINT);
    enc_i64(&r->items, c->mode);
    enc_i64(&r->items, c->complete);
    enc_str(&r->items, c->cursor);
    enc_i64(&r->items, c->server_us);
    enc_i64(&r->items, c->estimate);
    return item_end(r, at, e);
}

int reply_add_result(struct reply *r, uint32_t index, const tl_result *result, struct err *e)
{
    return reply_add_result_of(r, index, result, NULL, e);
}

int reply_add_result_of(struct reply *r, uint32_t index, const tl_result *result, const tl_shape *shape, struct err *e)
{
    size_t at = item_begin(r, ITEM_RESULT);
    enc_u64(&r->items, index);
    enc_i64(&r->items, result->status);
    enc_i64(&r->items, result->created);
    enc_u64(&r->items, (result->record ? 1u : 0u) | (result->error ? 2u : 0u));
    if (result->error)
        enc_error(&r->items, result->error);
    int rc = result->record ? enc_record(&r->items, result->record, shape, e) : TL_OK;
    return rc ? item_undo(r, at, rc) : item_end(r, at, e);
}

static int check_texts(const tl_str *texts, size_t n, const char *what, struct err *e)
{
    for (size_t i = 0; i < n; i++)
        if ((texts[i].n && !texts[i].p) || !codec_utf8(texts[i]))
            return err_set(e, TL_E_INVALID, "%s holds text that is not UTF-8 without NUL", what);
    return TL_OK;
}

static int check_field(const tl_field *f, struct err *e)
{
    const tl_str texts[] = {f->path, f->name, f->label, f->refers_to};
    int rc = check_texts(texts, ARRAY_LEN(texts), "a field", e);
    if (rc)
        return rc;
    if (f->path.n == 0 || f->name.n == 0)
        return err_set(e, TL_E_INVALID, "a field without path or name");
    if (f->n_choices && !f->choices)
        return err_set(e, TL_E_INVALID, "field \"%.*s\": choices at no address", STR_FMT(f->path));
    for (uint32_t i = 0; i < f->n_choices; i++) {
        const tl_choice *choice = TL_AT(tl_choice, f->choices, f->choice_stride, i);
        rc = check_texts((const tl_str[]){choice->value, choice->label}, 2, "a choice", e);
        if (rc)
            return rc;
    }
    return TL_OK;
}

static int check_plain_fields(const tl_field *fields, uint32_t n, size_t stride, struct err *e)
{
    int rc = TL_OK;
    for (uint32_t i = 0; i < n && !rc; i++) {
        tl_field f;
        codec_adopt(&f, sizeof f, TL_AT(tl_field, fields, stride, i), stride);
        rc = check_field(&f, e);
    }
    return rc;
}

static int check_fields(str of, const tl_field *fields, uint32_t n, size_t stride, struct err *e)
{
    stride = stride ? stride : sizeof(tl_field);
    int rc = check_plain_fields(fields, n, stride, e);
    for (uint32_t i = 0; i < n && !rc; i++) {
        tl_field f;
        codec_adopt(&f, sizeof f, TL_AT(tl_field, fields, stride, i), stride);
        if (f.type == TL_ROWS)
            rc = check_plain_fields(f.columns, f.n_columns, f.column_stride, e);
    }
    return rc ? err_wrap(e, "\"%.*s\"", STR_FMT(of)) : TL_OK;
}

int reply_add_kind(struct reply *r, const tl_kind *k, struct err *e)
{
    const tl_str texts[] = {k->kind, k->label, k->name, k->stamp_field, k->about, k->filters};
    int rc = check_texts(texts, ARRAY_LEN(texts), "a kind", e);
    if (!rc)
        rc = check_fields(k->kind, k->fields, k->n_fields, k->field_stride, e);
    if (rc)
        return rc;
    size_t at = item_begin(r, ITEM_KIND);
    struct buf *b = &r->items;
    enc_u64(b, k->can);
    enc_u64(b, k->max_batch);
    enc_u64(b, k->max_get);
    enc_u64(b, k->max_find);
    enc_u64(b, k->resolution_ms);
    enc_i64(b, k->settle_ms);
    enc_i64(b, k->lateness_ms);
    enc_str(b, k->kind);
    enc_str(b, k->label);
    enc_str(b, k->name);
    enc_str(b, k->stamp_field);
    enc_fields(b, k->fields, k->n_fields, k->field_stride);
    enc_str(b, k->about);
    enc_str(b, k->filters);
    enc_i64(b, k->depth_s);
    return item_end(r, at, e);
}

int reply_add_action(struct reply *r, const tl_action *a, struct err *e)
{
    static const uint32_t known = (TL_RIGHT_DELETE << 1) - 1;
    const tl_str texts[] = {a->kind, a->name, a->label, a->help};
    int rc = check_texts(texts, ARRAY_LEN(texts), "an action", e);
    if (!rc)
        rc = check_fields(a->name, a->params, a->n_params, a->param_stride, e);
    if (rc)
        return rc;
    size_t at = item_begin(r, ITEM_ACTION);
    enc_u64(&r->items, a->flags);
    enc_u64(&r->items, a->rights & ~known ? RIGHTS_NOBODY : a->rights);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        enc_str(&r->items, texts[i]);
    enc_fields(&r->items, a->params, a->n_params, a->param_stride);
    return item_end(r, at, e);
}

int reply_add_account(struct reply *r, const tl_account *a, struct err *e)
{
    const tl_str texts[] = {a->org_key, a->org_name, a->edition, a->user_id, a->user_name};
    int rc = check_texts(texts, ARRAY_LEN(texts), "an account", e);
    if (rc)
        return rc;
    size_t at = item_begin(r, ITEM_ACCOUNT);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        enc_str(&r->items, texts[i]);
    enc_i64(&r->items, a->server_us);
    return item_end(r, at, e);
}

int reply_add_finding(struct reply *r, const tl_finding *f, struct err *e)
{
    const tl_str texts[] = {f->code, f->text, f->hint};
    int rc = check_texts(texts, ARRAY_LEN(texts), "a finding", e);
    if (rc)
        return rc;
    size_t at = item_begin(r, ITEM_FINDING);
    enc_i64(&r->items, f->level);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        enc_str(&r->items, texts[i]);
    return item_end(r, at, e);
}

int reply_add_subscription(struct reply *r, const tl_subscription *s, struct err *e)
{
    const tl_str texts[] = {s->id, s->audience};
    int rc = check_texts(texts, ARRAY_LEN(texts), "a subscription", e);
    if (rc)
        return rc;
    size_t at = item_begin(r, ITEM_SUBSCRIPTION);
    enc_str(&r->items, s->id);
    enc_str(&r->items, s->audience);
    enc_i64(&r->items, s->expires_us);
    return item_end(r, at, e);
}

/* ---- the end of one ---- */

void reply_done(struct reply *r)
{
    buf_done(&r->items);
    buf_done(&r->rehearsed);
    blob_list_done(&r->blobs);
}

/* ---- reading ---- */

static void read_kind(struct decoder *d, tl_kind *k)
{
    k->struct_size = sizeof *k;
    k->field_stride = sizeof(tl_field);
    k->can = dec_u32(d);
    k->max_batch = dec_u32(d);
    k->max_get = dec_u32(d);
    k->max_find = dec_u32(d);
    k->resolution_ms = dec_u32(d);
    k->settle_ms = dec_i64(d);
    k->lateness_ms = dec_i64(d);
    k->kind = dec_str(d);
    k->label = dec_str(d);
    k->name = dec_str(d);
    k->stamp_field = dec_str(d);
    k->fields = dec_fields(d, &k->n_fields);
    if (d->p == d->end && !d->strict)
        return; /* kept since before there were lists */
    k->about = dec_str(d);
    k->filters = dec_str(d);
    k->depth_s = dec_i64(d);
}

static void read_action(struct decoder *d, tl_action *a)
{
    a->struct_size = sizeof *a;
    a->param_stride = sizeof(tl_field);
    a->flags = dec_u32(d);
    a->rights = dec_u32(d);
    a->kind = dec_str(d);
    a->name = dec_str(d);
    a->label = dec_str(d);
    a->help = dec_str(d);
    a->params = dec_fields(d, &a->n_params);
}

static void read_result(struct decoder *d, struct item *out)
{
    tl_result *r = &out->u.result.result;
    r->struct_size = sizeof *r;
    out->u.result.index = dec_u32(d);
    r->status = dec_i32(d);
    r->created = dec_i32(d);
    uint64_t parts = dec_u64(d);
    if (parts & 2) {
        tl_error *error = arena_new(d->arena, tl_error);
        dec_error(d, error);
        r->error = error;
    }
    if (parts & 1) {
        tl_record *record = arena_new(d->arena, tl_record);
        dec_record(d, record);
        r->record = record;
    }
}

static void read_payload(struct decoder *d, struct item *out)
{
    switch (out->kind) {
    case ITEM_RECORD: {
        uint32_t index = dec_u32(d);
        out->raw = str_n(d->p, (size_t)(d->end - d->p));
        dec_record(d, &out->u.record);
        out->u.record.index = index;
        break;
    }
    case ITEM_CHECKPOINT:
        out->u.checkpoint.struct_size = sizeof out->u.checkpoint;
        out->u.checkpoint.mode = dec_i32(d);
        out->u.checkpoint.complete = dec_i32(d);
        out->u.checkpoint.cursor = dec_bytes(d);
        out->u.checkpoint.server_us = dec_i64(d);
        out->u.checkpoint.estimate = dec_i64(d);
        break;
    case ITEM_RESULT:
        read_result(d, out);
        break;
    case ITEM_KIND:
        read_kind(d, &out->u.described);
        break;
    case ITEM_ACTION:
        read_action(d, &out->u.action);
        break;
    case ITEM_ACCOUNT:
        out->u.account.struct_size = sizeof out->u.account;
        out->u.account.org_key = dec_str(d);
        out->u.account.org_name = dec_str(d);
        out->u.account.edition = dec_str(d);
        out->u.account.user_id = dec_str(d);
        out->u.account.user_name = dec_str(d);
        out->u.account.server_us = dec_i64(d);
        break;
    case ITEM_FINDING:
        out->u.finding.struct_size = sizeof out->u.finding;
        out->u.finding.level = dec_i32(d);
        out->u.finding.code = dec_str(d);
        out->u.finding.text = dec_str(d);
        out->u.finding.hint = dec_str(d);
        break;
    case ITEM_SUBSCRIPTION:
        out->u.subscription.struct_size = sizeof out->u.subscription;
        out->u.subscription.id = dec_str(d);
        out->u.subscription.audience = dec_str(d);
        out->u.subscription.expires_us = dec_i64(d);
        break;
    default:
        d->bad = true;
    }
}

/* False at the end or when the bytes are no whole item. */
static bool read_item(const uint8_t **p, const uint8_t *end, struct arena *arena, bool strict, struct item *out)
{
    if (end - *p < ITEM_HEAD)
        return false;
    const uint8_t *h = *p;
    uint32_t n = (uint32_t)h[1] | (uint32_t)h[2] << 8 | (uint32_t)h[3] << 16 | (uint32_t)h[4] << 24;
    if (n > (uint64_t)(end - h - ITEM_HEAD))
        return false;
    memset(out, 0, sizeof *out);
    out->kind = (enum item_kind)h[0];
    out->raw = str_n(h + ITEM_HEAD, n);
    struct decoder d = decoder_of(out->raw, arena, strict);
    read_payload(&d, out);
    if (!decoder_ended(&d))
        return false;
    *p = h + ITEM_HEAD + n;
    return true;
}

void reply_reader_init(struct reply_reader *r, const struct reply *reply)
{
    memset(r, 0, sizeof *r);
    if (!reply->items.n)
        return;
    r->p = (const uint8_t *)reply->items.p;
    r->end = r->p + reply->items.n;
}

void reply_reader_done(struct reply_reader *r)
{
    arena_done(&r->scratch);
}

bool reply_next(struct reply_reader *r, struct item *out)
{
    arena_reset(&r->scratch);
    if (r->p == r->end)
        return false;
    bool ok = read_item(&r->p, r->end, &r->scratch, false, out);
    ASSERT(ok);
    return true;
}

/* ---- checking what another process sent ---- */

bool item_allowed(enum call_kind call, enum item_kind item)
{
    return (unsigned)item < 32 && call_type(call)->items & 1u << item;
}

/* The rules the worker's own end has applied; a worker that is none may send what breaks them. */
static int check_item(const struct call *c, const struct item *item, struct err *e)
{
    bool too_large = false;
    const tl_record *record = item->kind == ITEM_RECORD ? &item->u.record : item->u.result.result.record;
    switch (item->kind) {
    case ITEM_RECORD:
        if (record->flags & TL_REC_BAD)
            return record->n_values ? err_set(e, TL_E_INVALID, "a bad record with values") : TL_OK;
        return admit_record(record, record_shape(c, record->kind), &too_large, e);
    case ITEM_RESULT:
        if (item->u.result.index >= request_records(c))
            return err_set(e, TL_E_INVALID, "a result for record %u of %u", item->u.result.index, request_records(c));
        return record ? admit_values(record, request_shape(c), e) : TL_OK;
    case ITEM_CHECKPOINT:
        if (item->u.checkpoint.cursor.n > CODEC_CURSOR_MAX)
            return err_set(e, TL_E_INVALID, "a cursor of %llu bytes", (unsigned long long)item->u.checkpoint.cursor.n);
        return admit_checkpoint(&item->u.checkpoint, checkpoint_mode(c), e);
    case ITEM_KIND:
        return admit_kind(&item->u.described, NULL, UINT32_MAX, e);
    case ITEM_ACTION:
        return admit_action(&item->u.action, UINT32_MAX, e);
    case ITEM_ACCOUNT:
    case ITEM_FINDING:
    case ITEM_SUBSCRIPTION:
        break;
    }
    return TL_OK;
}

int items_check(const struct call *c, str items, struct arena *scratch, struct err *e)
{
    const uint8_t *p = (const uint8_t *)items.p;
    const uint8_t *end = p + items.n;
    while (p < end) {
        struct item item;
        arena_reset(scratch);
        if (!read_item(&p, end, scratch, true, &item))
            return err_set(e, TL_E_INVALID, "a malformed item in the answer to %s", call_kind_name(c->kind));
        if (!item_allowed(c->kind, item.kind))
            return err_set(e, TL_E_INVALID, "an item of type %d in the answer to %s", (int)item.kind,
                           call_kind_name(c->kind));
        int rc = check_item(c, &item, e);
        if (rc)
            return err_wrap(e, "the answer to %s", call_kind_name(c->kind));
    }
    return TL_OK;
}
