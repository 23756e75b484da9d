/* Records by value: many values in one query, its rows told apart here. */
#include "salesforce.h"

enum { VALUES_A_QUERY = 100 };

struct finder {
    struct sf_reader rd;
    const tl_find *req;
    uint32_t limit;
    bool *done; /* by query */
};

/* The vendor's name of what a query asks by; empty: not searchable. */
static tl_str field_asked(struct finder *f, tl_str path)
{
    if (tlk_is(path, "stamp"))
        return f->rd.stamp;
    const tl_field *in_shape = tlk_field_by_path(f->req->shape, tlk_dup(&f->rd.c->call, path).p);
    if (in_shape && sf_is_name(in_shape->name))
        return in_shape->name;
    const struct sf_field *known = tlk_row_by(f->rd.kind->fields, f->rd.kind->n_fields, path, path);
    return known ? tlk_str(known->name) : TLK_NONE;
}

struct matches {
    tl_record *list;
    uint32_t n;
};

/* One query's rows, live or deleted ones. A query sent alone needs no comparing: the vendor has done it. */
static uint32_t add_matches(struct finder *f, struct matches *m, tl_str field, uint32_t query, bool alone, bool deleted,
                            uint32_t hits, const tlk_node *rows)
{
    tlk_arena *a = &f->rd.c->page;
    tlk_iter each = tlk_each(rows);
    for (const tlk_node *row; hits < f->limit && tlk_next_item(&each, &row);) {
        if (tlk_is_true(tlk_get(row, "IsDeleted")) != deleted)
            continue;
        if (!alone && !sf_same_text(tlk_text(tlk_getn(row, field), a), tlk_query(f->req, query)->value))
            continue;
        sf_record_read(&f->rd, row, &m->list[m->n]);
        m->list[m->n++].index = query;
        hits++;
    }
    return hits;
}

/* Emits for each query its matching rows, at most the limit, live ones first. */
static tl_status emit_matches(struct finder *f, tl_str field, const uint32_t *asked, uint32_t n, const tlk_node *rows,
                              tl_error *e)
{
    uint32_t count = tlk_count(rows), most = count < f->limit ? count : f->limit;
    struct matches m = {.list = tlk_new(&f->rd.c->page, tl_record, (size_t)n * most + 1)};
    for (uint32_t q = 0; q < n; q++) {
        uint32_t hits = add_matches(f, &m, field, asked[q], n == 1, false, 0, rows);
        add_matches(f, &m, field, asked[q], n == 1, true, hits, rows);
    }
    tl_status rc = tlk_emit(f->rd.c->host, m.list, m.n);
    return tlk_refused(rc, e);
}

static tl_status ask(struct finder *f, tl_str field, const uint32_t *asked, uint32_t n, const tlk_node **root,
                     tl_error *e)
{
    TLK_AUTO_BUF b = {0};
    sf_soql_select(&b, f->rd.kind, f->rd.shape, f->rd.stamp);
    tlk_addf(&b, " WHERE %.*s IN (", TLK_FMT(field));
    for (uint32_t i = 0; i < n; i++) {
        tlk_addz(&b, i ? "," : "");
        sf_soql_text(&b, tlk_query(f->req, asked[i])->value);
    }
    tlk_addf(&b, ") ORDER BY Id LIMIT %u",
             n > 1 ? (unsigned)SF_PAGE : f->limit + 20); /* the bin must not hide the living */
    return sf_query(f->rd.c, tlk_lent(&b), true, root, NULL, e);
}

static uint32_t matches_of(struct finder *f, tl_str field, uint32_t query, const tlk_node *rows)
{
    uint32_t hits = 0;
    tlk_iter each = tlk_each(rows);
    for (const tlk_node *row; tlk_next_item(&each, &row);)
        hits += sf_same_text(tlk_text(tlk_getn(row, field), &f->rd.c->page), tlk_query(f->req, query)->value);
    return hits;
}

/* Do all rows belong to a query by our own comparison? Salesforce's knows more scripts than ours. */
static bool all_explained(struct finder *f, tl_str field, const uint32_t *asked, uint32_t n, const tlk_node *rows)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < n; i++)
        sum += matches_of(f, field, asked[i], rows);
    return sum >= tlk_count(rows);
}

/* Several values in one query; halved when there is more than a page, or when a row cannot be told which value it is
 * for. */
static tl_status find_chunk(struct finder *f, tl_str field, const uint32_t *asked, uint32_t n, tl_error *e)
{
    const tlk_node *root = NULL;
    tl_status rc = ask(f, field, asked, n, &root, e);
    if (rc != TL_OK)
        return rc;
    const tlk_node *rows = tlk_get(root, "records");
    bool done = true;
    tlk_bool(tlk_get(root, "done"), &done);
    if (n > 1 && (!done || tlk_count(rows) >= SF_PAGE || !all_explained(f, field, asked, n, rows))) {
        rc = find_chunk(f, field, asked, n / 2, e);
        return rc == TL_OK ? find_chunk(f, field, asked + n / 2, n - n / 2, e) : rc;
    }
    return emit_matches(f, field, asked, n, rows, e);
}

/* Records that our user created at or after a time. */
static tl_status find_created(struct finder *f, uint32_t query, tl_error *e)
{
    TLK_AUTO_BUF b = {0};
    int64_t from = 0;
    tl_str org, user;
    f->done[query] = true;
    tl_status rc = sf_identity(f->rd.c, &org, &user, e);
    if (rc != TL_OK)
        return rc;
    if (!tlk_to_i64(tlk_query(f->req, query)->value, &from))
        return tlk_fail_record(e, TL_E_INVALID, TL_R_PARAM_INVALID, "", "salesforce: \"created\" wants microseconds");
    sf_soql_select(&b, f->rd.kind, f->rd.shape, f->rd.stamp);
    tlk_addz(&b, " WHERE CreatedById = ");
    sf_soql_text(&b, user);
    tlk_addz(&b, " AND CreatedDate >= ");
    sf_soql_time(&b, from);
    tlk_addf(&b, " ORDER BY CreatedDate, Id LIMIT %d", SF_PAGE);
    const tlk_node *root = NULL;
    rc = sf_query(f->rd.c, tlk_lent(&b), true, &root, NULL, e);
    if (rc != TL_OK)
        return rc;
    struct finder all = *f;
    all.limit = SF_PAGE;
    return emit_matches(&all, TLK_NONE, &query, 1, tlk_get(root, "records"), e);
}

/* All queries by the path of the first one that is not done. */
static tl_status find_path(struct finder *f, uint32_t first, tl_error *e)
{
    tl_str path = tlk_query(f->req, first)->path, field = field_asked(f, path);
    uint32_t asked[VALUES_A_QUERY], n = 0;
    size_t bytes = 0;
    if (!field.n)
        return tlk_fail_kind(e, TL_E_UNSUPPORTED, "salesforce: %s cannot be searched by \"%.*s\"", f->rd.kind->object,
                             TLK_FMT(path));
    for (uint32_t i = first; i < f->req->n_queries; i++) {
        const tl_query *q = tlk_query(f->req, i);
        if (f->done[i] || !tlk_eq(q->path, path))
            continue;
        if (n == VALUES_A_QUERY || bytes > 60000) /* SOQL has room for 100,000 characters */
            break;
        f->done[i] = true;
        if (!tlk_trim(q->value).n || q->value.n > 3900) /* a literal has room for 4,000 */
            continue;
        asked[n++] = i;
        bytes += q->value.n + 8;
    }
    return n ? find_chunk(f, field, asked, n, e) : TL_OK;
}

tl_status sf_find(tl_conn *c, const tl_find *req, tl_error *e)
{
    struct finder f = {.req = req, .limit = req->limit ? req->limit : 5};
    tl_status rc = sf_begin_records(c, req->shape, &f.rd, e);
    if (rc != TL_OK)
        return rc;
    f.done = tlk_new(&c->call, bool, req->n_queries + 1);
    for (uint32_t i = 0; i < req->n_queries && rc == TL_OK; i++) {
        while (rc == TL_OK && !f.done[i]) /* each turn does what fits into one query, this one first */
            rc = tlk_is(tlk_query(req, i)->path, "created") ? find_created(&f, i, e) : find_path(&f, i, e);
    }
    return rc;
}
