#include "fake_host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "str.h"

static struct fake_host *self(const tl_host *h)
{
    return (struct fake_host *)(uintptr_t)h;
}

static void copy(char *to, size_t cap, tl_str from)
{
    snprintf(to, cap, "%.*s", STR_FMT(from));
}
#define COPY(to, from) copy((to), sizeof(to), (from))

static const void *no_extension(const tl_host *h, const char *id)
{
    (void)h;
    (void)id;
    return NULL;
}

static void log_nothing(const tl_host *h, int32_t level, tl_str line)
{
    (void)h;
    (void)level;
    (void)line;
}

static void metric(const tl_host *h, const char *name, int64_t add)
{
    (void)h;
    (void)name;
    (void)add;
}

static int64_t now(const tl_host *h)
{
    return self(h)->now_us;
}

static int32_t never_cancelled(const tl_host *h)
{
    (void)h;
    return 0;
}

static tl_status no_sleep(const tl_host *h, uint32_t ms)
{
    self(h)->now_us += (int64_t)ms * 1000;
    return TL_OK;
}

static tl_status http(const tl_host *h, tl_http *r, uint32_t n, tl_error *e)
{
    return self(h)->http(self(h), r, n, e);
}

static tl_status extra(const tl_host *h, const char *member, char *out, uint64_t cap, uint64_t *len, tl_error *e)
{
    AUTO(buf_done) struct buf b = {0};
    (void)e;
    if (self(h)->auth_extra) {
        tl_status rc = self(h)->auth_extra(self(h), member, &b);
        if (rc != TL_OK)
            return rc;
    }
    *len = b.n;
    if (b.n > cap)
        return TL_E_INVALID;
    memcpy(out, buf_text(&b), b.n);
    return TL_OK;
}

static void quota(const tl_host *h, const tl_quota *q)
{
    self(h)->quota_limit = q->limit;
    self(h)->quota_remaining = q->remaining;
}

static tl_status kv_get(const tl_host *h, const char *key, char *out, uint64_t cap, uint64_t *len)
{
    struct fake_host *f = self(h);
    for (size_t i = 0; i < ARRAY_LEN(f->kv); i++) {
        if (!f->kv[i].used || strcmp(f->kv[i].key, key) != 0)
            continue;
        *len = strlen(f->kv[i].value);
        if (*len > cap)
            return TL_E_INVALID;
        memcpy(out, f->kv[i].value, *len);
        return TL_OK;
    }
    return TL_E_NOT_FOUND;
}

static tl_status kv_set(const tl_host *h, const char *key, tl_str value)
{
    struct fake_host *f = self(h);
    size_t at = 0;
    while (at < ARRAY_LEN(f->kv) && f->kv[at].used && strcmp(f->kv[at].key, key) != 0)
        at++;
    if (at == ARRAY_LEN(f->kv))
        return TL_E_INVALID;
    f->kv[at].used = true;
    COPY(f->kv[at].key, str_of(key));
    COPY(f->kv[at].value, value);
    if (!value.n)
        COPY(f->kv[at].key, STR("(removed)"));
    return TL_OK;
}

static tl_status account(const tl_host *h, const tl_account *a)
{
    struct fake_host *f = self(h);
    COPY(f->org_key, a->org_key);
    COPY(f->org_name, a->org_name);
    COPY(f->edition, a->edition);
    COPY(f->user_id, a->user_id);
    COPY(f->user_name, a->user_name);
    return TL_OK;
}

static tl_status finding(const tl_host *h, const tl_finding *x)
{
    struct fake_host *f = self(h);
    struct said_finding *to = &f->findings[f->n_findings++ % ARRAY_LEN(f->findings)];
    to->level = x->level;
    COPY(to->code, x->code);
    COPY(to->text, x->text);
    COPY(to->hint, x->hint);
    return TL_OK;
}

static tl_status describe(const tl_host *h, const tl_kind *k)
{
    struct fake_host *f = self(h);
    struct said_kind *to = &f->kinds[f->n_kinds++ % ARRAY_LEN(f->kinds)];
    COPY(to->kind, k->kind);
    COPY(to->stamp_field, k->stamp_field);
    COPY(to->label, k->label);
    COPY(to->about, k->about);
    COPY(to->filters, k->filters);
    to->can = k->can;
    to->max_batch = k->max_batch;
    to->n_fields = k->n_fields;
    to->fields = arena_array(&f->arena, tl_field, k->n_fields + 1);
    for (uint32_t i = 0; i < k->n_fields; i++) {
        to->fields[i] = *TL_AT(tl_field, k->fields, k->field_stride, i);
        to->fields[i].path = arena_str(&f->arena, to->fields[i].path);
        to->fields[i].name = arena_str(&f->arena, to->fields[i].name);
        to->fields[i].label = arena_str(&f->arena, to->fields[i].label);
        to->fields[i].refers_to = arena_str(&f->arena, to->fields[i].refers_to);
        to->fields[i].choices = NULL;
    }
    return TL_OK;
}

static void copy_value(struct said_value *to, const tl_value *v)
{
    to->field = v->field;
    to->type = v->type;
    to->aux = v->aux;
    if (v->type == TL_BOOL || v->type == TL_INT || v->type == TL_TIME || v->type == TL_DATE)
        to->i = v->u.i;
    else if (v->type == TL_LIST) {
        AUTO(buf_done) struct buf b = {0};
        for (uint64_t i = 0; i < v->u.list.n; i++)
            buf_fmt(&b, "%s%.*s", i ? "|" : "", STR_FMT(v->u.list.items[i].u.s));
        COPY(to->text, buf_lent(&b));
    } else if (v->type != TL_NULL)
        COPY(to->text, v->u.s);
}

static tl_status emit(const tl_host *h, const tl_batch *batch)
{
    struct fake_host *f = self(h);
    for (uint32_t i = 0; i < batch->count; i++) {
        const tl_record *r = TL_AT(tl_record, batch->records, batch->stride, i);
        bool kept = !f->record || f->record(f, r);
        if (!kept || f->n_records == ARRAY_LEN(f->records))
            continue;
        struct said_record *to = &f->records[f->n_records++];
        *to = (struct said_record){.modified_us = r->modified_us,
                                   .created_us = r->created_us,
                                   .state = r->state,
                                   .flags = r->flags,
                                   .index = r->index,
                                   .n_values = r->n_values};
        COPY(to->id, r->id);
        COPY(to->version, r->version);
        COPY(to->into, r->into);
        COPY(to->stamp, r->stamp);
        COPY(to->by, r->by);
        COPY(to->url, r->url);
        COPY(to->note, r->note);
        to->values = arena_array(&f->arena, struct said_value, r->n_values + 1);
        for (uint32_t v = 0; v < r->n_values; v++)
            copy_value(&to->values[v], &r->values[v]);
    }
    return TL_OK;
}

static tl_status checkpoint(const tl_host *h, const tl_checkpoint *c)
{
    struct fake_host *f = self(h);
    struct said_checkpoint *to = &f->checkpoints[f->n_checkpoints++ % ARRAY_LEN(f->checkpoints)];
    ASSERT(c->cursor.n < sizeof to->cursor);
    COPY(to->cursor, c->cursor);
    to->mode = c->mode;
    to->complete = c->complete;
    to->server_us = c->server_us;
    to->estimate = c->estimate;
    return f->pages_left > 0 && --f->pages_left == 0 ? TL_E_CANCELLED : TL_OK;
}

static tl_status result(const tl_host *h, uint32_t index, const tl_result *r)
{
    struct fake_host *f = self(h);
    struct said_result *to = &f->results[index % ARRAY_LEN(f->results)];
    f->doubled += to->given;
    *to = (struct said_result){.given = true, .status = r->status, .created = r->created};
    if (r->record) {
        to->has_record = true;
        to->full = r->record->flags & TL_REC_FULL;
        COPY(to->id, r->record->id);
    }
    if (r->error) {
        to->reason = r->error->reason;
        COPY(to->code, str_of(r->error->code));
        COPY(to->field, str_of(r->error->field));
        COPY(to->text, str_of(r->error->text));
        COPY(to->detail, str_of(r->error->detail));
    }
    return TL_OK;
}

static tl_status subscription(const tl_host *h, const tl_subscription *s)
{
    COPY(self(h)->subscription.id, s->id);
    COPY(self(h)->subscription.audience, s->audience);
    return TL_OK;
}

void fake_init(struct fake_host *f)
{
    f->pages_left = -1;
    f->now_us = INT64_C(1800000000000000);
    f->host = (tl_host){.struct_size = sizeof f->host,
                        .abi_minor = TL_ABI_MINOR,
                        .name = "test",
                        .version = "1",
                        .extension = no_extension,
                        .log = log_nothing,
                        .metric = metric,
                        .now_us = now,
                        .cancelled = never_cancelled,
                        .sleep_ms = no_sleep,
                        .http = http,
                        .auth_extra = extra,
                        .quota = quota,
                        .kv_get = kv_get,
                        .kv_set = kv_set,
                        .account = account,
                        .finding = finding,
                        .describe = describe,
                        .emit = emit,
                        .checkpoint = checkpoint,
                        .result = result,
                        .subscription = subscription};
}

void fake_done(struct fake_host *f)
{
    arena_done(&f->arena);
}

struct fake_host *fake_new(void)
{
    struct fake_host *f = calloc(1, sizeof *f);
    ASSERT(f);
    fake_init(f);
    return f;
}

struct fake_host *fake_free(struct fake_host *f)
{
    if (f) {
        fake_done(f);
        free(f);
    }
    return NULL;
}

void fake_forget(struct fake_host *f)
{
    f->n_records = f->n_checkpoints = f->n_findings = f->n_kinds = f->doubled = 0;
    memset(f->results, 0, sizeof f->results);
}

const struct said_kind *fake_kind(const struct fake_host *f, const char *kind)
{
    for (uint32_t i = 0; i < f->n_kinds; i++) {
        if (strcmp(f->kinds[i].kind, kind) == 0)
            return &f->kinds[i];
    }
    return NULL;
}

const struct said_record *fake_record(const struct fake_host *f, const char *id)
{
    for (uint32_t i = f->n_records; i-- > 0;) {
        if (strcmp(f->records[i].id, id) == 0)
            return &f->records[i];
    }
    return NULL;
}

const struct said_value *fake_value(const struct said_record *r, const tl_shape *s, const char *path)
{
    for (uint32_t i = 0; r && i < r->n_values; i++) {
        if (str_is(TL_AT(tl_field, s->fields, s->field_stride, r->values[i].field)->path, path))
            return &r->values[i];
    }
    return NULL;
}

const struct said_finding *fake_finding(const struct fake_host *f, const char *code)
{
    for (uint32_t i = 0; i < f->n_findings; i++) {
        if (strcmp(f->findings[i].code, code) == 0)
            return &f->findings[i];
    }
    return NULL;
}

const char *fake_last_cursor(const struct fake_host *f)
{
    return f->n_checkpoints ? f->checkpoints[f->n_checkpoints - 1].cursor : "";
}

tl_shape fake_shape(struct fake_host *f, const char *kind, const char *paths)
{
    const struct said_kind *k = fake_kind(f, kind);
    tl_shape s = {
        .struct_size = sizeof s, .field_stride = sizeof(tl_field), .kind = arena_str(&f->arena, str_of(kind))};
    tl_field *fields = arena_array(&f->arena, tl_field, (k ? k->n_fields : 0) + 1);
    for (uint32_t i = 0; k && i < k->n_fields; i++) {
        if (strcmp(paths, "*") == 0 || str_in_list(str_of(paths), k->fields[i].path))
            fields[s.n_fields++] = k->fields[i];
    }
    s.fields = fields;
    return s;
}
