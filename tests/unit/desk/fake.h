#ifndef DESK_FAKE_H
#define DESK_FAKE_H
/* A host and a portal in one, in memory: searches by time with the vendor's limits, records by id, recycle bin; any
 * call can be given a canned answer instead. It shares no code with the connector but the kit's writer and times. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "../../../plugins/desk/desk.h"

enum { FAKE_MAX = 20000, FAKE_CALLS = 64 };

struct fake_contact {
    int64_t id, created_ms, modified_ms, deleted_ms;
    bool trashed, purged;
};

struct canned {
    const char *part; /* in method + " " + url */
    int32_t status;   /* 0: no answer at all: outcome says why */
    tl_status outcome;
    const char *body;
    int times;
};

struct fake {
    tl_host host; /* first: the host's functions find the rest behind it */
    tl_conn *conn;
    struct fake_contact contacts[FAKE_MAX];
    uint32_t n;
    int64_t now_us;
    int64_t server_skew_us; /* the portal's clock is off by this */
    int64_t index_skew_us;  /* and so is its index */
    bool no_date;
    const int64_t *lying_count;
    int64_t lag_ms; /* later changes are not in the index yet */
    bool trashed_404, bin_forbidden, bin_by_id, no_count;
    uint32_t limit_max;
    struct canned canned[8];
    tlk_arena answers;
    uint32_t calls, most_at_once, searches;
    char log[FAKE_CALLS][1024]; /* method, url, body of the latest calls */
    uint32_t n_log;
    void (*on_search)(struct fake *f);
    /* what the connector said */
    uint32_t emitted[FAKE_MAX]; /* by position */
    uint32_t n_emitted, n_trashed, n_deleted, n_bad, n_hints, n_full;
    tl_record last; /* texts copied into kept */
    tlk_arena kept;
    tl_str cursor;
    bool complete;
    uint32_t checkpoints, budget;
    struct {
        tl_status status;
        int32_t reason, created;
        char field[64], text[256], id[32];
        bool has_record, full;
        uint32_t told;
    } results[64];
    tl_account account;
    uint32_t n_findings;
    char findings[32][256];
    tl_kind kind;
    uint32_t n_kinds;
    tl_subscription subscription;
};

static inline struct fake *fake_of(const tl_host *h)
{
    return (struct fake *)(uintptr_t)h;
}

/* ---- the portal */

static inline tl_str fake_param(tlk_arena *a, tl_str url, const char *name)
{
    tl_str rest = url, part, key;
    tlk_split(&rest, '?', &part);
    while (tlk_split(&rest, '&', &part)) {
        if (!tlk_split(&part, '=', &key) || !tlk_is(key, name))
            continue;
        char *out = tlk_alloc(a, part.n + 1);
        size_t n = 0;
        for (uint64_t i = 0; i < part.n; i++, n++) {
            out[n] = part.p[i];
            if (part.p[i] == '%') {
                char hex[3] = {part.p[i + 1], part.p[i + 2], 0};
                out[n] = (char)strtol(hex, NULL, 16);
                i += 2;
            }
        }
        return (tl_str){out, n};
    }
    return (tl_str){NULL, 0};
}

static inline bool fake_range(tlk_arena *a, tl_str url, const char *name, int64_t *lo, int64_t *hi)
{
    tl_str both = fake_param(a, url, name), from;
    if (both.n == 0)
        return true;
    if (!tlk_split(&both, ',', &from) || !tlk_time_parse(from, lo) || !tlk_time_parse(both, hi))
        return false;
    *lo /= 1000;
    *hi /= 1000;
    return *lo <= *hi;
}

static inline void fake_contact_put(tlk_writer *w, const struct fake_contact *c)
{
    char text[32];
    tlk_w_object(w);
    snprintf(text, sizeof(text), "%lld", (long long)c->id);
    tlk_w_member(w, "id", tlk_str(text));
    snprintf(text, sizeof(text), "Name %lld", (long long)c->id);
    tlk_w_member(w, "lastName", tlk_str(text));
    tlk_w_member(w, "createdTime", tlk_str(tlk_time_text(text, c->created_ms * 1000)));
    tlk_w_member(w, "modifiedTime", tlk_str(tlk_time_text(text, c->modified_ms * 1000)));
    if (c->trashed) {
        tlk_w_key(w, TL_STR("isTrashed"));
        tlk_w_bool(w, true);
    }
    tlk_w_key(w, TL_STR("cf"));
    tlk_w_object(w);
    snprintf(text, sizeof(text), "stamp.%lld", (long long)c->id);
    tlk_w_member(w, "cf_tieline_id", tlk_str(text));
    tlk_w_end_object(w);
    tlk_w_end_object(w);
}

static inline int fake_by_created(const void *a, const void *b)
{
    const struct fake_contact *x = *(struct fake_contact *const *)a, *y = *(struct fake_contact *const *)b;
    return x->created_ms != y->created_ms ? (x->created_ms < y->created_ms ? -1 : 1) : x->id < y->id ? -1 : 1;
}

static inline int fake_by_modified(const void *a, const void *b)
{
    const struct fake_contact *x = *(struct fake_contact *const *)a, *y = *(struct fake_contact *const *)b;
    return x->modified_ms != y->modified_ms ? (x->modified_ms < y->modified_ms ? -1 : 1) : x->id < y->id ? -1 : 1;
}

static inline void fake_answer(struct fake *f, tl_http *r, int32_t status, tl_str body)
{
    r->outcome = TL_OK;
    r->status = status;
    r->out_body = tlk_dup(&f->answers, body);
    r->server_us = f->no_date ? 0 : (f->now_us + f->server_skew_us) / TLK_US_PER_S * TLK_US_PER_S;
}

static inline void fake_search(struct fake *f, tl_http *r)
{
    int64_t clo = 0, chi = INT64_MAX, mlo = 0, mhi = INT64_MAX, from = 0, limit = 10;
    tlk_arena *a = &f->answers;
    f->searches++;
    if (f->on_search)
        f->on_search(f);
    tlk_to_i64(fake_param(a, r->url, "from"), &from);
    tlk_to_i64(fake_param(a, r->url, "limit"), &limit);
    if (!fake_range(a, r->url, "createdTimeRange", &clo, &chi) ||
        !fake_range(a, r->url, "modifiedTimeRange", &mlo, &mhi) || from > 999 || limit > f->limit_max) {
        fake_answer(f, r, 422,
                    TL_STR("{\"errorCode\":\"UNPROCESSABLE_ENTITY\",\"message\":\"The value passed for the "
                           "'limit' query parameter is invalid.\"}"));
        return;
    }
    const struct fake_contact **hits = tlk_new(a, const struct fake_contact *, f->n + 1);
    int64_t n = 0, index_ms = (f->now_us + f->index_skew_us) / 1000 - f->lag_ms;
    for (uint32_t i = 0; i < f->n; i++) {
        const struct fake_contact *c = &f->contacts[i];
        if (!c->trashed && !c->purged && c->created_ms >= clo && c->created_ms <= chi && c->modified_ms >= mlo &&
            c->modified_ms <= mhi && c->modified_ms <= index_ms)
            hits[n++] = c;
    }
    bool created = tlk_is(fake_param(a, r->url, "sortBy"), "createdTime");
    qsort(hits, (size_t)n, sizeof(hits[0]), created ? fake_by_created : fake_by_modified);
    if (from >= n) {
        fake_answer(f, r, 204, (tl_str){NULL, 0});
        return;
    }
    TLK_AUTO_WRITER w = {0};
    tlk_w_object(&w);
    tlk_w_key(&w, TL_STR("data"));
    tlk_w_array(&w);
    for (int64_t i = from; i < n && i < from + limit; i++)
        fake_contact_put(&w, hits[i]);
    tlk_w_end_array(&w);
    if (!f->no_count) {
        tlk_w_key(&w, TL_STR("count"));
        tlk_w_int(&w, f->lying_count ? *f->lying_count : n);
    }
    tlk_w_end_object(&w);
    fake_answer(f, r, 200, tlk_w_lent(&w));
}

static inline void fake_bin(struct fake *f, tl_http *r)
{
    int64_t from = 0, limit = 10, at = 0, put = 0;
    tlk_to_i64(fake_param(&f->answers, r->url, "from"), &from);
    tlk_to_i64(fake_param(&f->answers, r->url, "limit"), &limit);
    if (f->bin_forbidden) {
        fake_answer(f, r, 403, TL_STR("{\"errorCode\":\"SCOPE_MISMATCH\",\"message\":\"no\"}"));
        return;
    }
    const struct fake_contact **list = tlk_new(&f->answers, const struct fake_contact *, f->n + 1);
    int64_t n = 0;
    for (uint32_t i = 0; i < f->n; i++) {
        if (f->contacts[i].trashed && !f->contacts[i].purged)
            list[n++] = &f->contacts[i];
    }
    for (int64_t i = 1; i < n && !f->bin_by_id; i++) { /* newest first */
        const struct fake_contact *c = list[i];
        int64_t k = i;
        for (; k > 0 && list[k - 1]->deleted_ms < c->deleted_ms; k--)
            list[k] = list[k - 1];
        list[k] = c;
    }
    TLK_AUTO_WRITER w = {0};
    char text[32];
    tlk_w_object(&w);
    tlk_w_key(&w, TL_STR("data"));
    tlk_w_array(&w);
    for (at = from; at < n && put < limit; at++, put++) {
        tlk_w_object(&w);
        snprintf(text, sizeof(text), "%lld", (long long)list[at]->id);
        tlk_w_member(&w, "id", tlk_str(text));
        tlk_w_member(&w, "type", TL_STR("Contacts"));
        tlk_w_member(&w, "deletedById", TL_STR("77"));
        tlk_w_member(&w, "deletedTime", tlk_str(tlk_time_text(text, list[at]->deleted_ms * 1000)));
        tlk_w_end_object(&w);
    }
    tlk_w_end_array(&w);
    tlk_w_end_object(&w);
    fake_answer(f, r, put > 0 ? 200 : 204, put > 0 ? tlk_w_lent(&w) : (tl_str){NULL, 0});
}

static inline void fake_by_id(struct fake *f, tl_http *r, int64_t id)
{
    for (uint32_t i = 0; i < f->n; i++) {
        struct fake_contact *c = &f->contacts[i];
        if (c->id != id || c->purged || (c->trashed && f->trashed_404))
            continue;
        TLK_AUTO_WRITER w = {0};
        fake_contact_put(&w, c);
        fake_answer(f, r, 200, tlk_w_lent(&w));
        return;
    }
    fake_answer(f, r, 404,
                TL_STR("{\"errorCode\":\"URL_NOT_FOUND\",\"message\":\"The URL you requested could not be found.\"}"));
}

static inline bool fake_canned(struct fake *f, tl_http *r, const char *line)
{
    for (size_t i = 0; i < TLK_LEN(f->canned); i++) {
        struct canned *c = &f->canned[i];
        if (!c->part || c->times == 0 || !strstr(line, c->part))
            continue;
        c->times--;
        if (c->status == 0)
            r->outcome = c->outcome;
        else
            fake_answer(f, r, c->status, tlk_str(c->body));
        return true;
    }
    return false;
}

static inline void fake_one(struct fake *f, tl_http *r)
{
    char *line = f->log[f->n_log++ % FAKE_CALLS];
    snprintf(line, sizeof(f->log[0]), "%s %.*s %.*s", r->method, TLK_FMT(r->url), TLK_FMT(r->body));
    f->calls++;
    if (fake_canned(f, r, line))
        return;
    tl_str url = r->url, path = r->url;
    tlk_split(&url, '?', &path);
    int64_t id;
    if (tlk_ends(path, "/contacts/search")) {
        fake_search(f, r);
    } else if (tlk_ends(path, "/recycleBin")) {
        fake_bin(f, r);
    } else if (strcmp(r->method, "GET") == 0 && path.n > 16 && tlk_to_i64((tl_str){path.p + path.n - 16, 16}, &id)) {
        fake_by_id(f, r, id);
    } else {
        fail_msg("no answer for %s", line);
    }
}

/* ---- the host */

static inline tl_status fake_http(const tl_host *h, tl_http *r, uint32_t n, tl_error *e)
{
    struct fake *f = fake_of(h);
    (void)e;
    tlk_arena_reset(&f->answers); /* earlier answers die: a connector that keeps one is seen by the sanitizer */
    if (n > f->most_at_once)
        f->most_at_once = n;
    for (uint32_t i = 0; i < n; i++) {
        assert_true(tlk_starts(r[i].url, "https://desk.test/"));
        fake_one(f, &r[i]);
    }
    return TL_OK;
}

static inline void fake_log(const tl_host *h, int32_t level, tl_str line)
{
    (void)h;
    (void)level;
    (void)line;
}

static inline int64_t fake_now(const tl_host *h)
{
    return fake_of(h)->now_us;
}
static inline int32_t fake_cancelled(const tl_host *h)
{
    (void)h;
    return 0;
}
static inline void fake_quota(const tl_host *h, const tl_quota *q)
{
    (void)h;
    (void)q;
}
static inline tl_status fake_kv_get(const tl_host *h, const char *key, char *buf, uint64_t cap, uint64_t *len)
{
    (void)h;
    (void)key;
    (void)buf;
    (void)cap;
    (void)len;
    return TL_E_NOT_FOUND;
}
static inline tl_status fake_kv_set(const tl_host *h, const char *key, tl_str value)
{
    (void)h;
    (void)key;
    (void)value;
    return TL_OK;
}
static inline tl_status fake_extra(const tl_host *h, const char *m, char *buf, uint64_t cap, uint64_t *len, tl_error *e)
{
    (void)h;
    (void)m;
    (void)buf;
    (void)cap;
    (void)e;
    *len = 0;
    return TL_OK;
}

static inline tl_status fake_emit(const tl_host *h, const tl_batch *b)
{
    struct fake *f = fake_of(h);
    for (uint32_t i = 0; i < b->count; i++) {
        const tl_record *r = tlk_record(b, i);
        int64_t id = 0;
        assert_true(tlk_to_i64(r->id, &id));
        for (uint32_t k = 0; k < f->n; k++) {
            if (f->contacts[k].id == id)
                f->emitted[k]++;
        }
        f->n_emitted++;
        f->n_trashed += r->state == TL_STATE_TRASHED;
        f->n_deleted += r->state == TL_STATE_DELETED;
        f->n_bad += (r->flags & TL_REC_BAD) != 0;
        f->n_hints += (r->flags & TL_REC_HINT) != 0;
        f->n_full += (r->flags & TL_REC_FULL) != 0;
        tlk_arena_reset(&f->kept);
        f->last = *r;
        f->last.id = tlk_dup(&f->kept, r->id);
        f->last.note = tlk_dup(&f->kept, r->note);
        f->last.stamp = tlk_dup(&f->kept, r->stamp);
        f->last.version = tlk_dup(&f->kept, r->version);
        f->last.by = tlk_dup(&f->kept, r->by);
        f->last.kind = tlk_dup(&f->kept, r->kind);
    }
    return TL_OK;
}

static inline tl_status fake_checkpoint(const tl_host *h, const tl_checkpoint *c)
{
    struct fake *f = fake_of(h);
    char *copy = malloc(c->cursor.n + 1);
    assert_non_null(copy);
    assert_true(c->cursor.n < 65536);
    memcpy(copy, c->cursor.p, c->cursor.n);
    copy[c->cursor.n] = 0;
    free((void *)(uintptr_t)f->cursor.p);
    f->cursor = (tl_str){copy, c->cursor.n};
    f->complete = c->complete;
    f->checkpoints++;
    return f->budget > 0 && f->checkpoints >= f->budget ? TL_E_CANCELLED : TL_OK;
}

static inline tl_status fake_result(const tl_host *h, uint32_t i, const tl_result *r)
{
    struct fake *f = fake_of(h);
    assert_true(i < TLK_LEN(f->results));
    f->results[i].told++;
    f->results[i].status = r->status;
    f->results[i].created = r->created;
    f->results[i].has_record = r->record != NULL;
    f->results[i].full = r->record && (r->record->flags & TL_REC_FULL);
    if (r->record)
        tlk_copy(f->results[i].id, sizeof(f->results[i].id), r->record->id);
    if (r->error) {
        f->results[i].reason = r->error->reason;
        tlk_copy(f->results[i].field, sizeof(f->results[i].field), tlk_str(r->error->field));
        tlk_copy(f->results[i].text, sizeof(f->results[i].text), tlk_str(r->error->text));
    }
    return TL_OK;
}

static inline tl_status fake_account(const tl_host *h, const tl_account *a)
{
    struct fake *f = fake_of(h);
    f->account = *a;
    f->account.org_key = tlk_dup(&f->kept, a->org_key);
    f->account.edition = tlk_dup(&f->kept, a->edition);
    f->account.user_name = tlk_dup(&f->kept, a->user_name);
    return TL_OK;
}

static inline tl_status fake_finding(const tl_host *h, const tl_finding *x)
{
    struct fake *f = fake_of(h);
    snprintf(f->findings[f->n_findings++ % 32], 256, "%d %.*s: %.*s", (int)x->level, TLK_FMT(x->code),
             TLK_FMT(x->text));
    return TL_OK;
}

static inline tl_status fake_describe(const tl_host *h, const tl_kind *k)
{
    struct fake *f = fake_of(h);
    f->n_kinds++;
    f->kind = *k;
    f->kind.stamp_field = tlk_dup(&f->kept, k->stamp_field);
    tl_field *fields = tlk_new(&f->kept, tl_field, k->n_fields + 1);
    for (uint32_t i = 0; i < k->n_fields; i++) {
        fields[i] = *TL_AT(tl_field, k->fields, k->field_stride, i);
        fields[i].path = tlk_dup(&f->kept, fields[i].path);
        fields[i].name = tlk_dup(&f->kept, fields[i].name);
    }
    f->kind.fields = fields;
    f->kind.field_stride = sizeof(tl_field);
    return TL_OK;
}

static inline tl_status fake_subscription(const tl_host *h, const tl_subscription *s)
{
    struct fake *f = fake_of(h);
    f->subscription.id = tlk_dup(&f->kept, s->id);
    f->subscription.audience = tlk_dup(&f->kept, s->audience);
    return TL_OK;
}

/* ---- set-up */

static inline struct fake *fake_new(void)
{
    struct fake *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    f->host = (tl_host){.struct_size = sizeof(tl_host),
                        .log = fake_log,
                        .now_us = fake_now,
                        .cancelled = fake_cancelled,
                        .http = fake_http,
                        .auth_extra = fake_extra,
                        .quota = fake_quota,
                        .kv_get = fake_kv_get,
                        .kv_set = fake_kv_set,
                        .account = fake_account,
                        .finding = fake_finding,
                        .describe = fake_describe,
                        .emit = fake_emit,
                        .checkpoint = fake_checkpoint,
                        .result = fake_result,
                        .subscription = fake_subscription};
    f->now_us = INT64_C(1700000000000000);
    f->limit_max = 100;
    const tl_pair config[] = {{TL_STR("api_url"), TL_STR("https://desk.test/")}, {TL_STR("org_id"), TL_STR("4711")}};
    const tl_open o = {.struct_size = sizeof(o), .n_config = 2, .config = config};
    tl_error e = {.struct_size = sizeof(e)};
    assert_int_equal(tieline_connector_v0()->open(&f->host, &o, &f->conn, &e), TL_OK);
    return f;
}

static inline void fake_free(struct fake *f)
{
    tieline_connector_v0()->close(f->conn);
    tlk_arena_done(&f->answers);
    tlk_arena_done(&f->kept);
    free((void *)(uintptr_t)f->cursor.p);
    free(f);
}

static inline struct fake_contact *fake_add(struct fake *f, int64_t created_ms, int64_t modified_ms)
{
    assert_true(f->n < FAKE_MAX);
    struct fake_contact *c = &f->contacts[f->n];
    *c = (struct fake_contact){INT64_C(4000000000000000) + f->n, created_ms, modified_ms, 0, false, false};
    f->n++;
    return c;
}

#define FAKE_FIELD(p, n, t)                                                                                            \
    {                                                                                                                  \
        .struct_size = sizeof(tl_field), .type = (t), .path = TL_STR(p), .name = TL_STR(n)                             \
    }
static const tl_field fake_fields[] = {
    FAKE_FIELD("last_name", "lastName", TL_TEXT),
    FAKE_FIELD("email", "email", TL_EMAIL),
    FAKE_FIELD("account", "accountId", TL_REF),
    FAKE_FIELD("x.cf_level", "cf.cf_level", TL_INT),
    {.struct_size = sizeof(tl_field), .type = TL_TEXT, .max = 5, .path = TL_STR("title"), .name = TL_STR("title")},
};
static const tl_shape fake_shape = {.struct_size = sizeof(tl_shape),
                                    .n_fields = TLK_LEN(fake_fields),
                                    .field_stride = sizeof(tl_field),
                                    .kind = TL_STR("contact"),
                                    .fields = fake_fields};

/* One pull from the cursor kept last. */
static inline tl_status fake_pull(struct fake *f, int32_t mode, uint32_t max_pages, tl_error *e)
{
    tl_str cursor = {NULL, 0};
    char *copy = NULL;
    if (f->cursor.n > 0) {
        copy = malloc(f->cursor.n + 1);
        assert_non_null(copy);
        memcpy(copy, f->cursor.p, f->cursor.n + 1);
        cursor = (tl_str){copy, f->cursor.n};
    }
    const tl_pull p = {
        .struct_size = sizeof(p), .mode = mode, .max_pages = max_pages, .shape = &fake_shape, .cursor = cursor};
    *e = (tl_error){.struct_size = sizeof(*e)};
    f->checkpoints = 0;
    tl_status rc = tieline_connector_v0()->pull(f->conn, &p, e);
    free(copy);
    return rc;
}

static inline void fake_forget_cursor(struct fake *f)
{
    free((void *)(uintptr_t)f->cursor.p);
    f->cursor = (tl_str){NULL, 0};
    f->complete = false;
}
#endif
