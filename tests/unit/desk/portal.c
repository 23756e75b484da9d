#include "portal.h"

#include <stdlib.h>

static struct portal *portal_of(struct fake_host *h)
{
    return (struct portal *)(void *)h;
}

/* ---- the portal */

static tl_str param(tlk_arena *a, tl_str url, const char *name)
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
    return TLK_NONE;
}

static bool range(tlk_arena *a, tl_str url, const char *name, int64_t *lo, int64_t *hi)
{
    tl_str both = param(a, url, name), from;
    if (both.n == 0)
        return true;
    if (!tlk_split(&both, ',', &from) || !tlk_time_parse(from, lo) || !tlk_time_parse(both, hi))
        return false;
    *lo /= 1000;
    *hi /= 1000;
    return *lo <= *hi;
}

static void contact_put(tlk_writer *w, const struct portal_contact *c)
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

static int by_created(const void *a, const void *b)
{
    const struct portal_contact *x = *(struct portal_contact *const *)a, *y = *(struct portal_contact *const *)b;
    return x->created_ms != y->created_ms ? (x->created_ms < y->created_ms ? -1 : 1) : x->id < y->id ? -1 : 1;
}

static int by_modified(const void *a, const void *b)
{
    const struct portal_contact *x = *(struct portal_contact *const *)a, *y = *(struct portal_contact *const *)b;
    return x->modified_ms != y->modified_ms ? (x->modified_ms < y->modified_ms ? -1 : 1) : x->id < y->id ? -1 : 1;
}

static void answer(struct portal *f, tl_http *r, int32_t status, tl_str body)
{
    r->outcome = TL_OK;
    r->status = status;
    r->out_body = tlk_dup(&f->answers, body);
    r->server_us = f->no_date ? 0 : (f->host.now_us + f->server_skew_us) / TLK_US_PER_S * TLK_US_PER_S;
}

static void search(struct portal *f, tl_http *r)
{
    int64_t clo = 0, chi = INT64_MAX, mlo = 0, mhi = INT64_MAX, from = 0, limit = 10;
    tlk_arena *a = &f->answers;
    f->searches++;
    if (f->on_search)
        f->on_search(f);
    tlk_to_i64(param(a, r->url, "from"), &from);
    tlk_to_i64(param(a, r->url, "limit"), &limit);
    if (!range(a, r->url, "createdTimeRange", &clo, &chi) || !range(a, r->url, "modifiedTimeRange", &mlo, &mhi) ||
        from > 999 || limit > f->limit_max) {
        answer(f, r, 422,
               TL_STR("{\"errorCode\":\"UNPROCESSABLE_ENTITY\",\"message\":\"The value passed for the "
                      "'limit' query parameter is invalid.\"}"));
        return;
    }
    const struct portal_contact **hits = tlk_new(a, const struct portal_contact *, f->n + 1);
    int64_t n = 0, index_ms = (f->host.now_us + f->index_skew_us) / 1000 - f->lag_ms;
    for (uint32_t i = 0; i < f->n; i++) {
        const struct portal_contact *c = &f->contacts[i];
        if (!c->trashed && !c->purged && c->created_ms >= clo && c->created_ms <= chi && c->modified_ms >= mlo &&
            c->modified_ms <= mhi && c->modified_ms <= index_ms)
            hits[n++] = c;
    }
    bool created = tlk_is(param(a, r->url, "sortBy"), "createdTime");
    qsort(hits, (size_t)n, sizeof(hits[0]), created ? by_created : by_modified);
    if (from >= n) {
        answer(f, r, 204, TLK_NONE);
        return;
    }
    TLK_AUTO_WRITER w = {0};
    tlk_w_object(&w);
    tlk_w_key(&w, TL_STR("data"));
    tlk_w_array(&w);
    for (int64_t i = from; i < n && i < from + limit; i++)
        contact_put(&w, hits[i]);
    tlk_w_end_array(&w);
    if (!f->no_count) {
        tlk_w_key(&w, TL_STR("count"));
        tlk_w_int(&w, f->lying_count ? *f->lying_count : n);
    }
    tlk_w_end_object(&w);
    answer(f, r, 200, tlk_w_lent(&w));
}

static void bin(struct portal *f, tl_http *r)
{
    int64_t from = 0, limit = 10, at = 0, put = 0;
    tlk_to_i64(param(&f->answers, r->url, "from"), &from);
    tlk_to_i64(param(&f->answers, r->url, "limit"), &limit);
    if (f->bin_forbidden) {
        answer(f, r, 403, TL_STR("{\"errorCode\":\"SCOPE_MISMATCH\",\"message\":\"no\"}"));
        return;
    }
    const struct portal_contact **list = tlk_new(&f->answers, const struct portal_contact *, f->n + 1);
    int64_t n = 0;
    for (uint32_t i = 0; i < f->n; i++) {
        if (f->contacts[i].trashed && !f->contacts[i].purged)
            list[n++] = &f->contacts[i];
    }
    for (int64_t i = 1; i < n && !f->bin_by_id; i++) { /* newest first */
        const struct portal_contact *c = list[i];
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
    answer(f, r, put > 0 ? 200 : 204, put > 0 ? tlk_w_lent(&w) : TLK_NONE);
}

static void by_id(struct portal *f, tl_http *r, int64_t id)
{
    for (uint32_t i = 0; i < f->n; i++) {
        struct portal_contact *c = &f->contacts[i];
        if (c->id != id || c->purged || (c->trashed && f->trashed_404))
            continue;
        TLK_AUTO_WRITER w = {0};
        contact_put(&w, c);
        answer(f, r, 200, tlk_w_lent(&w));
        return;
    }
    answer(f, r, 404,
           TL_STR("{\"errorCode\":\"URL_NOT_FOUND\",\"message\":\"The URL you requested could not be found.\"}"));
}

static bool canned(struct portal *f, tl_http *r, const char *line)
{
    for (size_t i = 0; i < TLK_LEN(f->canned); i++) {
        struct canned *c = &f->canned[i];
        if (!c->part || c->times == 0 || !strstr(line, c->part))
            continue;
        c->times--;
        if (c->status == 0)
            r->outcome = c->outcome;
        else
            answer(f, r, c->status, tlk_str(c->body));
        return true;
    }
    return false;
}

static void answer_one(struct portal *f, tl_http *r)
{
    char *line = f->log[f->n_log++ % PORTAL_CALLS];
    snprintf(line, sizeof(f->log[0]), "%s %.*s %.*s", r->method, TLK_FMT(r->url), TLK_FMT(r->body));
    f->calls++;
    if (canned(f, r, line))
        return;
    tl_str url = r->url, path = r->url;
    tlk_split(&url, '?', &path);
    int64_t id;
    if (tlk_ends(path, "/contacts/search")) {
        search(f, r);
    } else if (tlk_ends(path, "/recycleBin")) {
        bin(f, r);
    } else if (strcmp(r->method, "GET") == 0 && path.n > 16 && tlk_to_i64((tl_str){path.p + path.n - 16, 16}, &id)) {
        by_id(f, r, id);
    } else {
        fail_msg("no answer for %s", line);
    }
}

/* ---- the host's part */

static tl_status http(struct fake_host *h, tl_http *r, uint32_t n, tl_error *e)
{
    struct portal *f = portal_of(h);
    (void)e;
    tlk_arena_reset(&f->answers); /* earlier answers die: a connector that keeps one is seen by the sanitizer */
    if (n > f->most_at_once)
        f->most_at_once = n;
    for (uint32_t i = 0; i < n; i++) {
        assert_true(tlk_starts(r[i].url, "https://desk.test/"));
        answer_one(f, &r[i]);
    }
    return TL_OK;
}

static bool count_record(struct fake_host *h, const tl_record *r)
{
    struct portal *f = portal_of(h);
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
    return false;
}

/* ---- set-up */

struct portal *portal_new(void)
{
    struct portal *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    fake_init(&f->host);
    f->host.http = http;
    f->host.record = count_record;
    f->host.now_us = INT64_C(1700000000000000);
    f->limit_max = 100;
    const tl_pair config[] = {{TL_STR("api_url"), TL_STR("https://desk.test/")}, {TL_STR("org_id"), TL_STR("4711")}};
    const tl_open o = {.struct_size = sizeof(o), .n_config = 2, .config = config};
    tl_error e = {.struct_size = sizeof(e)};
    assert_int_equal(tieline_connector_v0()->open(&f->host.host, &o, &f->conn, &e), TL_OK);
    return f;
}

void portal_free(struct portal *f)
{
    assert_int_equal(f->host.doubled, 0);
    tieline_connector_v0()->close(f->conn);
    tlk_arena_done(&f->answers);
    tlk_arena_done(&f->kept);
    fake_done(&f->host);
    free(f);
}

struct portal_contact *portal_add(struct portal *f, int64_t created_ms, int64_t modified_ms)
{
    assert_true(f->n < PORTAL_MAX);
    struct portal_contact *c = &f->contacts[f->n];
    *c = (struct portal_contact){
        .id = INT64_C(4000000000000000) + f->n, .created_ms = created_ms, .modified_ms = modified_ms};
    f->n++;
    return c;
}

#define FIELD(p, n, t, ...)                                                                                            \
    {                                                                                                                  \
        .struct_size = sizeof(tl_field), .type = (t), .path = TL_STR(p), .name = TL_STR(n), __VA_ARGS__                \
    }
static const tl_field fields[] = {
    FIELD("last_name", "lastName", TL_TEXT),    FIELD("email", "email", TL_EMAIL),
    FIELD("account", "accountId", TL_REF),      FIELD("x.cf_level", "cf.cf_level", TL_INT),
    FIELD("title", "title", TL_TEXT, .max = 5),
};
const tl_shape portal_shape = {.struct_size = sizeof(tl_shape),
                               .n_fields = TLK_LEN(fields),
                               .field_stride = sizeof(tl_field),
                               .kind = TL_STR("contact"),
                               .fields = fields};

tl_status portal_pull_of(struct portal *f, const tl_shape *shape, int32_t mode, uint32_t max_pages, tl_error *e)
{
    AUTO(text_free) char *cursor = text_dup(f->cursor);
    const tl_pull p = {
        .struct_size = sizeof(p), .mode = mode, .max_pages = max_pages, .shape = shape, .cursor = tlk_str(cursor)};
    *e = (tl_error){.struct_size = sizeof(*e)};
    f->host.n_checkpoints = 0;
    tl_status rc = tieline_connector_v0()->pull(f->conn, &p, e);
    if (f->host.n_checkpoints > 0) {
        const struct said_checkpoint *last =
            &f->host.checkpoints[(f->host.n_checkpoints - 1) % ARRAY_LEN(f->host.checkpoints)];
        portal_set_cursor(f, last->cursor);
        f->complete = last->complete;
    }
    return rc;
}

tl_status portal_pull(struct portal *f, int32_t mode, uint32_t max_pages, tl_error *e)
{
    return portal_pull_of(f, &portal_shape, mode, max_pages, e);
}

void portal_set_cursor(struct portal *f, const char *text)
{
    snprintf(f->cursor, sizeof(f->cursor), "%s", text);
    f->complete = false;
}
