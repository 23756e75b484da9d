/* Finding by a value: one search a question, up to four in flight. The host compares again, so a search may return more
 * than was asked for: that is how missing parameters and commas are met. */
#include "desk.h"

enum { ROWS = 10, BIN_LOOK = 20, ALL_MIN_CHARACTERS = 3 };
static const int64_t BIN_BACK_US = INT64_C(48) * 3600 * TLK_US_PER_S;

struct search {
    struct desk_reader rd;
    const tl_find *q;
    bool *found; /* by query */
};

/* Commas separate alternatives in a search value [OAS:Search]: what stands before the first one, and anything behind.
 */
static tl_str search_value(tl_conn *c, tl_str value)
{
    tl_str head, rest = value;
    if (!memchr(value.p, ',', (size_t)value.n) || !tlk_split(&rest, ',', &head) || head.n == 0)
        return value;
    return tlk_fmt(&c->call, "%.*s*", TLK_FMT(head));
}

static const struct desk_field *field_by_path(const struct desk_kind *k, tl_str path)
{
    return tlk_row_by(k->fields, k->n_fields, path, path);
}

/* apiName of the custom field a question is about; empty: it is about a standard one. */
static tl_str custom_field(const struct search *s, const tl_query *q)
{
    if (tlk_is(q->path, "stamp"))
        return s->rd.c->stamp;
    const tl_field *f = tlk_field_by_path(s->rd.shape, q->path.p);
    if (!f || !tlk_starts(f->name, "cf."))
        return TLK_NONE;
    return (tl_str){f->name.p + 3, f->name.n - 3};
}

/* Parameters that only newer portals know: email, phone, customField1. */
static bool is_newer(const struct search *s, const tl_query *q)
{
    const struct desk_field *f = field_by_path(s->rd.kind, q->path);
    return custom_field(s, q).n > 0 || (f && f->search && (f->type == TL_EMAIL || f->type == TL_PHONE));
}

/* Adds what to search for; false when the question cannot be asked. */
static bool add_question(struct search *s, const tl_query *q, tlk_url *u)
{
    tl_conn *c = s->rd.c;
    const struct desk_field *f = field_by_path(s->rd.kind, q->path);
    tl_str value = search_value(c, q->value);
    if (tlk_starts(value, "${")) /* ${empty} and its like are questions of another kind */
        return false;
    if (f && f->search && !(is_newer(s, q) && c->old_search)) {
        tlk_url_add(u, f->search, value);
        return true;
    }
    tl_str custom = custom_field(s, q);
    if (custom.n > 0 && !c->old_search) {
        tlk_url_add(u, "customField1", tlk_fmt(&c->call, "%.*s:%.*s", TLK_FMT(custom), TLK_FMT(value)));
        return true;
    }
    if (tlk_characters(value) < ALL_MIN_CHARACTERS)
        return false;
    tlk_url_add(u, "_all", value);
    return true;
}

static bool created_url(struct search *s, const tl_query *q, tl_str *url)
{
    int64_t us;
    if (!tlk_to_i64(q->value, &us))
        return false;
    tl_conn *c = s->rd.c;
    struct desk_range r = {
        .by_created = true, .lo = us / TLK_US_PER_MS, .hi = c->host->now_us(c->host) / TLK_US_PER_MS + 86400000};
    *url = desk_range_url(c, s->rd.kind, &r, 0, c->limit);
    return r.lo < r.hi;
}

static bool question_url(struct search *s, const tl_query *q, tl_str *url)
{
    if (q->value.n == 0)
        return false;
    if (tlk_is(q->path, "created"))
        return created_url(s, q, url);
    tl_conn *c = s->rd.c;
    uint32_t limit = s->q->limit ? s->q->limit : ROWS;
    tlk_url u = desk_url(c, "/");
    u.arena = &c->call;
    tlk_addz(&u.b, s->rd.kind->module);
    tlk_addz(&u.b, "/search");
    bool can = add_question(s, q, &u);
    tlk_url_add_int(&u, "limit", limit < c->limit ? limit : c->limit);
    *url = tlk_url_end(&u);
    return can;
}

static tl_status emit_found(struct search *s, const struct desk_rows *rows, uint32_t index, tl_error *e)
{
    tl_conn *c = s->rd.c;
    tl_record *list = tlk_new(&c->page, tl_record, rows->n + 1);
    uint32_t n = 0;
    tlk_iter i = tlk_each(rows->data);
    for (const tlk_node *row; tlk_next_item(&i, &row);) {
        desk_record_read(&s->rd, row, &list[n]);
        list[n].index = index;
        if (list[n].id.n > 0)
            n++;
    }
    s->found[index] = s->found[index] || n > 0;
    return tlk_refused(tlk_emit(c->host, list, n), e);
}

/* An older portal answers 422 about the parameter. */
static bool parameter_refused(const struct search *s, const tl_query *q, tl_status rc, const tl_error *e)
{
    return rc == TL_E_INVALID && e->http_status == 422 && is_newer(s, q);
}

static tl_status ask_again_by_all(struct search *s, uint32_t index, tl_error *e)
{
    tl_conn *c = s->rd.c;
    tl_http r;
    tl_str url;
    struct desk_rows rows;
    c->old_search = true;
    if (!question_url(s, tlk_query(s->q, index), &url))
        return TL_OK;
    tlk_request(&r, "GET", url, 0);
    tlk_request_header(&r, &c->call, "orgId", c->org);
    tl_status rc = c->host->http(c->host, &r, 1, e);
    if (rc == TL_OK)
        rc = desk_rows_of(c, &r, &rows, e);
    return rc == TL_OK ? emit_found(s, &rows, index, e) : rc;
}

/* Asks up to DESK_AT_ONCE questions, beginning with *at; moves it on. */
static tl_status ask_some(struct search *s, uint32_t *at, tl_error *e)
{
    tl_conn *c = s->rd.c;
    tl_http r[DESK_AT_ONCE];
    uint32_t index[DESK_AT_ONCE], again[DESK_AT_ONCE], n = 0, n_again = 0;
    for (; *at < s->q->n_queries && n < DESK_AT_ONCE; (*at)++) {
        tl_str url;
        if (!question_url(s, tlk_query(s->q, *at), &url))
            continue;
        tlk_request(&r[n], "GET", url, 0);
        tlk_request_header(&r[n], &c->call, "orgId", c->org);
        index[n++] = *at;
    }
    tl_status rc = n > 0 ? c->host->http(c->host, r, n, e) : TL_OK;
    for (uint32_t i = 0; i < n && rc == TL_OK; i++) {
        struct desk_rows rows;
        rc = desk_rows_of(c, &r[i], &rows, e);
        if (parameter_refused(s, &s->q->queries[index[i]], rc, e)) {
            tlk_error_clear(e);
            again[n_again++] = index[i];
            rc = TL_OK;
        } else if (rc == TL_OK) {
            rc = emit_found(s, &rows, index[i], e);
        }
    }
    for (uint32_t i = 0; i < n_again && rc == TL_OK; i++)
        rc = ask_again_by_all(s, again[i], e);
    return rc;
}

/* ---- stamps in the bin: searches do not see it, so the latest entries are read one by one */

static tl_status compare_stamps(void *ctx, tl_http *done, uint32_t first, uint32_t n, tl_error *e)
{
    struct search *s = ctx;
    (void)first;
    for (uint32_t i = 0; i < n; i++) {
        const tlk_node *root = NULL;
        tl_error own = {.struct_size = sizeof(own)};
        tl_record rec;
        tl_status rc = tlk_answer(s->rd.c->host, &done[i], &desk_errors, &s->rd.c->json, &root, &own);
        if (rc == TL_E_NOT_FOUND || rc == TL_E_DENIED)
            continue; /* this portal does not show trashed records */
        if (rc != TL_OK) {
            *e = own;
            return rc;
        }
        desk_record_read(&s->rd, root, &rec);
        for (uint32_t k = 0; k < s->q->n_queries && rec.stamp.n > 0; k++) {
            const tl_query *q = tlk_query(s->q, k);
            if (!tlk_is(q->path, "stamp") || !tlk_eq(q->value, rec.stamp))
                continue;
            rec.index = k;
            rc = tlk_refused(tlk_emit(s->rd.c->host, &rec, 1), e);
            if (rc != TL_OK)
                return rc;
        }
    }
    return TL_OK;
}

static tl_status look_into_bin(struct search *s, tl_error *e)
{
    tl_conn *c = s->rd.c;
    struct desk_bin bin;
    tl_status rc = desk_bin_read(c, s->rd.kind, c->host->now_us(c->host) - BIN_BACK_US, 1, &bin, e);
    if (rc != TL_OK)
        return rc;
    uint32_t n = bin.n < BIN_LOOK ? bin.n : BIN_LOOK;
    tl_http r[BIN_LOOK];
    for (uint32_t i = 0; i < n; i++) {
        tlk_url u = desk_url(c, "/");
        tlk_addz(&u.b, s->rd.kind->module);
        tlk_url_segment(&u, bin.records[i].id);
        desk_request(c, &r[i], "GET", &u, 0);
    }
    return n > 0 ? tlk_send(c->host, r, n, DESK_AT_ONCE, compare_stamps, s, e) : TL_OK;
}

tl_status desk_find(tl_conn *c, const tl_find *q, tl_error *e)
{
    struct search s = {.q = q};
    tl_status rc = desk_begin_records(c, q->shape, &s.rd, e);
    if (rc != TL_OK)
        return rc;
    s.found = tlk_new(&c->call, bool, q->n_queries + 1);
    for (uint32_t at = 0; rc == TL_OK && at < q->n_queries;)
        rc = ask_some(&s, &at, e);
    bool stamps_left = false;
    for (uint32_t i = 0; i < q->n_queries; i++)
        stamps_left = stamps_left || (tlk_is(tlk_query(q, i)->path, "stamp") && !s.found[i]);
    return rc == TL_OK && stamps_left ? look_into_bin(&s, e) : rc;
}
