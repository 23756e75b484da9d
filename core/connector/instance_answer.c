/* The functions of the host table that take a connector's answers: records, checkpoints, results. What is handed over
 * is judged by admit.h. A record that breaks a rule fails by itself and the page goes on; what is wrong with a batch or
 * a cursor spoils the call, and no checkpoint covers what came of it. */
#include <stdarg.h>
#include <stdio.h>

#include "admit.h"
#include "codec.h"
#include "instance_int.h"

enum { NOTE_MAX = 255, REC_FLAGS = TL_REC_FULL | TL_REC_HINT | TL_REC_GAP | TL_REC_BAD };

/* ---- words ---- */

void instance_place(const struct instance *i, char *out, size_t cap)
{
    if (!i->call) {
        snprintf(out, cap, "outside of a call");
        return;
    }
    str kind = request_shape(i->call)->kind;
    snprintf(out, cap, kind.n ? "%s of %.*s" : "%s", call_kind_name(i->call->kind), STR_FMT(kind));
}

void instance_log(struct instance *i, int32_t level, const char *fmt, ...)
{
    char line[1024];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    size_t have = n < 0 ? 0 : (size_t)n < sizeof line ? (size_t)n : sizeof line - 1;
    while (have && !codec_utf8(str_n(line, have)))
        have--; /* cut inside a character */
    i->services.log(i->services.ctx, level, str_n(line, have));
}

tl_status instance_fault(struct instance *i, const char *function, const struct err *e)
{
    char place[128];
    instance_place(i, place, sizeof place);
    struct err fault = {0};
    err_set(&fault, TL_E_INVALID, "connector \"%s\", %s in %s: %s", i->module->connector.id, function, place, e->text);
    instance_log(i, TL_ERROR, "%s", fault.text);
    if (!i->fault.status)
        i->fault = fault;
    return TL_E_INVALID;
}

bool instance_in_call(struct instance *i, enum item_kind item, const char *function)
{
    if (!instance_own_thread(i, function))
        return false;
    if (i->reply && item_allowed(i->call->kind, item))
        return true;
    char place[128];
    struct err e = {0};
    instance_place(i, place, sizeof place);
    err_set(&e, TL_E_INVALID, "it does not belong there");
    if (i->reply)
        instance_fault(i, function, &e);
    else
        instance_log(i, TL_ERROR, "connector \"%s\" calls %s %s", i->module->connector.id, function, place);
    return false;
}

/* Room for one more item? */
static bool too_much(struct instance *i, const char *function)
{
    if (i->items_bytes + ADMIT_RECORD_MAX <= REPLY_ITEMS_MAX)
        return false;
    struct err e = {0};
    err_set(&e, TL_E_INVALID, "the answer to one call is larger than 63 MiB");
    instance_fault(i, function, &e);
    return true;
}

tl_status instance_added(struct instance *i, size_t before)
{
    i->items_bytes += i->reply->items.n - before;
    if (i->reply->items.n >= ITEMS_FLUSH_BYTES && !instance_flush(i)) {
        i->stopped = true;
        return TL_E_CANCELLED;
    }
    return TL_OK;
}

/* ---- records ---- */

static str usable_id(const struct instance *i, const tl_record *r)
{
    if (r->id.n && r->id.p && r->id.n <= ADMIT_ID_MAX && codec_utf8(r->id))
        return r->id;
    if (i->call->kind == CALL_GET && r->index < i->call->request.get.n_ids)
        return i->call->request.get.ids[r->index];
    return (str){"", 0};
}

static str cut(str s, uint64_t max)
{
    if (!s.p || s.n <= max)
        return s.p ? s : (str){"", 0};
    s.n = max;
    while (s.n && !codec_utf8(s))
        s.n--;
    return s;
}

/* Takes its place: the engine notes a failure for it. */
static tl_status take_bad(struct instance *i, const tl_record *r, uint32_t flags, str note)
{
    bool note_ok = codec_utf8(note);
    tl_record bad = {.id = usable_id(i, r), .index = r->index, .flags = TL_REC_BAD | flags};
    bad.note = note_ok ? cut(note, NOTE_MAX) : STR("the connector says why in text that is not UTF-8");
    if (i->call->kind == CALL_PARSE_HOOK) {
        bad.kind = codec_utf8(r->kind) ? cut(r->kind, 32) : bad.kind;
        bad.flags |= bad.id.n ? TL_REC_HINT : TL_REC_GAP; /* read anew */
    }
    size_t before = i->reply->items.n;
    struct err e = {0};
    i->records++;
    if (reply_add_record_of(i->reply, &bad, request_shape(i->call), &e))
        return instance_fault(i, "emit", &e);
    return instance_added(i, before);
}

static tl_status refuse_record(struct instance *i, const tl_record *r, uint32_t k, uint32_t n, bool too_large,
                               struct err *e)
{
    char place[128];
    str id = usable_id(i, r);
    instance_place(i, place, sizeof place);
    AUTO(buf_done) struct buf note = {0};
    buf_text_add(&note, e->text);
    if (id.n == 0)
        buf_fmt(&note, " (record %u of %u)", k + 1, n);
    if (i->call->kind == CALL_FIND) { /* a match left out would be created a second time */
        err_wrap(e, "record %u of %u (\"%.*s\")", k + 1, n, STR_FMT(id));
        return instance_fault(i, "emit", e);
    }
    if (i->bad++ < BAD_TOLD)
        instance_log(i, TL_WARN, "connector \"%s\", emit in %s: record %u of %u (\"%.*s\"): %s",
                     i->module->connector.id, place, k + 1, n, STR_FMT(id), e->text);
    return take_bad(i, r, too_large ? REC_TOO_LARGE : 0, buf_lent(&note));
}

static tl_status take_record(struct instance *i, const tl_record *record, uint32_t k, uint32_t n)
{
    tl_record r = *record;
    r.flags &= REC_FLAGS;
    if (r.flags & TL_REC_BAD)
        return take_bad(i, &r, 0, r.note.p ? r.note : STR("the connector does not say why"));
    struct err e = {0};
    bool too_large = false;
    size_t before = i->reply->items.n;
    const tl_shape *shape = record_shape(i->call, r.kind.p ? r.kind : STR(""));
    int rc = admit_record(&r, shape, &too_large, &e);
    if (!rc)
        rc = reply_add_record_of(i->reply, &r, shape, &e);
    if (rc)
        return refuse_record(i, &r, k, n, too_large, &e);
    i->records++;
    return instance_added(i, before);
}

static tl_status take_batch(struct instance *i, const tl_batch *b, bool unique)
{
    AUTO(arena_done) struct arena arena = {0};
    struct admit_index index = {0};
    for (uint32_t k = 0; k < b->count; k++) {
        const tl_record *record = TL_AT(tl_record, b->records, b->stride, k);
        tl_record own;
        if (b->stride < sizeof own) { /* an older header's */
            codec_adopt(&own, sizeof own, record, b->stride);
            record = &own;
        }
        if (unique && b->count > 1 && admit_repeated(&index, &arena, b, k))
            continue;
        if (too_much(i, "emit"))
            return TL_E_INVALID;
        tl_status s = take_record(i, record, k, b->count);
        if (s)
            return s;
    }
    return TL_OK;
}

static tl_status host_emit(const tl_host *h, const tl_batch *from)
{
    struct instance *i = instance_of(h);
    if (!instance_in_call(i, ITEM_RECORD, "emit"))
        return TL_E_BUG;
    struct err e = {0};
    tl_batch b;
    bool unique = i->call->kind == CALL_PULL || i->call->kind == CALL_LIST;
    int rc = i->call->kind == CALL_LIST && i->pages
                 ? err_set(&e, TL_E_INVALID, "records behind the checkpoint: a list has one page")
                 : TL_OK;
    if (!rc)
        rc = admit_size("tl_batch", from, ADMIT_LEAST(tl_batch, records), &e);
    if (!rc) {
        codec_adopt(&b, sizeof b, from, from->struct_size);
        rc = admit_batch(&b, unique, &e);
    }
    if (rc)
        return instance_fault(i, "emit", &e);
    tl_status s = take_batch(i, &b, unique);
    if (s)
        return s;
    i->stopped = i->stopped || i->services.cancelled(i->services.ctx);
    return i->services.cancelled(i->services.ctx) ? TL_E_CANCELLED : TL_OK;
}

/* A page of a list: one, of the size that was asked for, and the next one lies elsewhere. */
static int list_step(const struct instance *i, const tl_checkpoint *c, struct err *e)
{
    const tl_list *q = &i->call->request.list;
    if (i->pages)
        return err_set(e, TL_E_INVALID, "a second checkpoint: a list has one page");
    if (q->limit && i->records > q->limit)
        return err_set(e, TL_E_INVALID, "%llu records in a page of at most %u", (unsigned long long)i->records,
                       q->limit);
    if (!c->complete && (c->cursor.n == 0 || str_eq(c->cursor, q->cursor)))
        return err_set(e, TL_E_INVALID, "there is more, and the cursor is %s",
                       c->cursor.n ? "the one that was given" : "empty");
    return TL_OK;
}

static int checkpoint_step(struct instance *i, tl_checkpoint *c, struct err *e)
{
    bool list = i->call->kind == CALL_LIST;
    if (list)
        c->mode = checkpoint_mode(i->call); /* it has none */
    int rc = admit_checkpoint(c, checkpoint_mode(i->call), e);
    if (rc)
        return rc;
    return list ? list_step(i, c, e) : progress_step(&i->progress, c, i->records, e);
}

static tl_status host_checkpoint(const tl_host *h, const tl_checkpoint *from)
{
    struct instance *i = instance_of(h);
    if (!instance_in_call(i, ITEM_CHECKPOINT, "checkpoint"))
        return TL_E_BUG;
    if (i->fault.status)
        return TL_E_INVALID; /* it would cover what was refused */
    struct err e = {0};
    tl_checkpoint c = {0};
    size_t before = i->reply->items.n;
    int rc = admit_size("tl_checkpoint", from, ADMIT_LEAST(tl_checkpoint, estimate), &e);
    if (!rc) {
        codec_adopt(&c, sizeof c, from, from->struct_size);
        rc = checkpoint_step(i, &c, &e);
    }
    if (!rc)
        rc = reply_add_checkpoint(i->reply, &c, &e);
    if (rc)
        return instance_fault(i, "checkpoint", &e);
    tl_status s = instance_added(i, before);
    if (s)
        return s;
    i->pages++;
    i->records = 0;
    uint32_t budget = page_budget(i->call);
    if (instance_flush(i) && !(budget && i->pages >= budget) && !i->services.cancelled(i->services.ctx))
        return TL_OK;
    i->stopped = true;
    return TL_E_CANCELLED;
}

/* ---- results ---- */

/* What call or push was given as record `index`, for a message. */
static str given_id(const struct instance *i, uint32_t index)
{
    const tl_record *r = request_record(i->call, index);
    return !r ? (str){0} : r->id.n ? r->id : r->stamp;
}

static tl_status refuse_result(struct instance *i, uint32_t index, const char *why)
{
    char place[128];
    uint32_t n = request_records(i->call);
    instance_place(i, place, sizeof place);
    instance_log(i, TL_ERROR, "connector \"%s\", result in %s: record %u of %u (\"%.*s\"): %s", i->module->connector.id,
                 place, index + 1, n, STR_FMT(index < n ? given_id(i, index) : (str){0}), why);
    return TL_E_INVALID;
}

/* Are there such files? They go with the answer. */
static int check_files(struct instance *i, const tl_record *r, struct err *e)
{
    for (uint32_t k = 0; k < r->n_values; k++) {
        tl_blob about;
        uint64_t handle = (uint64_t)r->values[k].u.i;
        if (r->values[k].type == TL_BLOB && i->services.blob_about(i->services.ctx, handle, &about))
            return err_set(e, TL_E_INVALID, "there is no blob %llu", (unsigned long long)handle);
    }
    return TL_OK;
}

/* What the vendor says the record is now, as far as it can be used; NULL: not at all. */
static const tl_record *result_record(struct instance *i, uint32_t index, const tl_result *r, tl_record *own)
{
    struct err e = {0};
    bool too_large = false;
    if (!r->record)
        return NULL;
    *own = *r->record;
    own->flags &= REC_FLAGS;
    if (own->id.n == 0)
        own->id = request_record(i->call, index)->id;
    bool bad = (own->flags & TL_REC_BAD) || admit_record(own, request_shape(i->call), &too_large, &e) ||
               check_files(i, own, &e);
    if (!bad) {
        AUTO(buf_done) struct buf probe = {0};
        bad = enc_record(&probe, own, request_shape(i->call), &e) != TL_OK;
    }
    if (!bad)
        return own;
    refuse_result(i, index, e.status ? e.text : "its record is marked bad");
    tl_record bare = {.id = usable_id(i, own), .flags = 0};
    *own = bare;
    return bare.id.n ? own : NULL;
}

static tl_status host_result(const tl_host *h, uint32_t index, const tl_result *from)
{
    struct instance *i = instance_of(h);
    if (!instance_in_call(i, ITEM_RESULT, "result"))
        return TL_E_BUG;
    if (index >= request_records(i->call))
        return refuse_result(i, index, "there is no such record in the batch");
    if (i->result_seen[index])
        return refuse_result(i, index, "a second result; the first one counts");
    struct err e = {0};
    if (admit_size("tl_result", from, ADMIT_LEAST(tl_result, error), &e))
        return refuse_result(i, index, e.text);
    tl_result r;
    tl_record own;
    tl_error error = {.struct_size = sizeof error, .scope = TL_SCOPE_RECORD};
    codec_adopt(&r, sizeof r, from, from->struct_size);
    if (r.error && !admit_size("tl_error", r.error, ADMIT_LEAST(tl_error, detail), &e))
        codec_adopt(&error, sizeof error, r.error, r.error->struct_size);
    error.struct_size = sizeof error;
    r.record = result_record(i, index, &r, &own);
    if (r.status < TL_OK || r.status > TL_E_QUOTA) {
        snprintf(error.text, sizeof error.text, "the connector gave the status %d, which is none", r.status);
        refuse_result(i, index, error.text);
        r.status = TL_E_BUG;
    } else if (r.status && !error.text[0]) {
        snprintf(error.text, sizeof error.text, "%s, and the connector does not say why", status_name(r.status));
    }
    r.error = r.status ? &error : NULL;
    if (r.status == TL_OK && from->record && !r.record) { /* applied, but to what? */
        r.status = TL_E_UNKNOWN;
        r.error = &error;
        snprintf(error.text, sizeof error.text, "the connector reports success and no usable id");
    }
    size_t before = i->reply->items.n;
    if (reply_add_result_of(i->reply, index, &r, request_shape(i->call), &e))
        return refuse_result(i, index, e.text);
    i->result_seen[index] = 1;
    i->results++;
    return instance_added(i, before);
}

void instance_answer_init(tl_host *h)
{
    h->emit = host_emit;
    h->checkpoint = host_checkpoint;
    h->result = host_result;
    instance_describe_init(h);
}
