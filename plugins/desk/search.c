/* Search by time, the only list of Zoho Desk that carries modified times and custom fields [OAS:Search; the lists of
 * OAS:Contact give short records]. */
#include "desk.h"

#include <stdio.h>

static void add_range(tlk_url *u, const char *name, int64_t lo_ms, int64_t hi_ms)
{
    /* Whether the ends belong to a range is not documented: one more millisecond on each side, surplus rows are
     * dropped. */
    char from[32], to[32], both[72];
    tlk_time_text(from, (lo_ms - 1) * TLK_US_PER_MS);
    tlk_time_text(to, hi_ms * TLK_US_PER_MS);
    snprintf(both, sizeof(both), "%s,%s", from, to);
    tlk_url_add(u, name, tlk_str(both));
}

tl_str desk_range_url(tl_conn *c, const struct desk_kind *k, const struct desk_range *r, uint32_t from, uint32_t limit)
{
    static const char *const names[] = {"modifiedTimeRange", "createdTimeRange"};
    tlk_url u = desk_url(c, "/");
    tlk_addz(&u.b, k->module);
    tlk_addz(&u.b, "/search");
    add_range(&u, names[r->by_created], r->lo, r->hi);
    if (r->has_other)
        add_range(&u, names[!r->by_created], r->other_lo, r->other_hi);
    tlk_url_add(&u, "sortBy", r->by_created ? TL_STR("createdTime") : TL_STR("modifiedTime"));
    if (from > 0)
        tlk_url_add_int(&u, "from", from);
    tlk_url_add_int(&u, "limit", limit);
    return tlk_url_end(&u);
}

tl_status desk_rows_of(tl_conn *c, const tl_http *r, struct desk_rows *out, tl_error *e)
{
    const tlk_node *root = NULL;
    tl_status rc = tlk_answer(c->host, r, &desk_errors, &c->json, &root, e);
    if (rc != TL_OK)
        return rc;
    *out = (struct desk_rows){.count = -1, .server_us = tlk_server_us(c->host, r)};
    if (!root) { /* 204: nothing */
        out->count = 0;
        return TL_OK;
    }
    out->data = tlk_get(root, "data");
    if (tlk_type(out->data) != TLK_JARRAY)
        return tlk_fail(e, TL_E_TEMPORARY, "Zoho Desk answered a search without a list of records");
    out->n = tlk_count(out->data);
    tlk_i64(tlk_get(root, "count"), &out->count);
    return TL_OK;
}

/* Some portals allow 99 rows, others 100; the vendor's own pages differ. */
bool desk_limit_refused(tl_conn *c, tl_status rc, const tl_error *e)
{
    if (rc != TL_E_INVALID || e->http_status != 422 || c->limit != DESK_PAGE || !strstr(e->text, "limit"))
        return false;
    c->limit = DESK_PAGE - 1;
    return true;
}

tl_status desk_range_page(tl_conn *c, const struct desk_kind *k, const struct desk_range *r, uint32_t from,
                          struct desk_rows *out, tl_error *e)
{
    for (;;) {
        tl_http req;
        tlk_request(&req, "GET", desk_range_url(c, k, r, from, c->limit), 0);
        tlk_request_header(&req, &c->page, "orgId", c->org);
        tl_status rc = c->host->http(c->host, &req, 1, e);
        if (rc == TL_OK)
            rc = desk_rows_of(c, &req, out, e);
        if (!desk_limit_refused(c, rc, e))
            return rc;
        tlk_error_clear(e);
    }
}

int64_t desk_row_ms(const tlk_node *row, bool by_created)
{
    return desk_time_us(tlk_get(row, by_created ? "createdTime" : "modifiedTime")) / TLK_US_PER_MS;
}

static bool in_range(const tlk_node *row, const struct desk_range *r)
{
    int64_t ms = desk_row_ms(row, r->by_created);
    if (ms != 0 && (ms < r->lo || ms >= r->hi))
        return false;
    if (!r->has_other)
        return true;
    ms = desk_row_ms(row, !r->by_created);
    return ms == 0 || (ms >= r->other_lo && ms < r->other_hi);
}

tl_status desk_emit_rows(const struct desk_reader *rd, const struct desk_rows *rows, const struct desk_range *r,
                         tl_error *e)
{
    tl_conn *c = rd->c;
    tl_record *list = tlk_new(&c->page, tl_record, rows->n + 1);
    uint32_t n = 0;
    tlk_iter i = tlk_each(rows->data);
    for (const tlk_node *row; tlk_next_item(&i, &row);) {
        if (r && !in_range(row, r))
            continue;
        desk_record_read(rd, row, &list[n]);
        if (list[n].id.n > 0)
            n++;
        else
            tlk_log(c->host, TL_WARN, "Zoho Desk sent a %s without id", rd->kind->kind);
    }
    return tlk_refused(tlk_emit(c->host, list, n), e);
}

/* ---- more rows in one millisecond than a search reaches: an import, a mass update. They differ in the other time */

static tl_status emit_whole(const struct desk_reader *rd, const struct desk_range *r, struct desk_rows *first,
                            tl_error *e)
{
    tl_conn *c = rd->c;
    tl_status rc = desk_emit_rows(rd, first, r, e);
    struct desk_rows rows = *first;
    for (uint32_t from = rows.n; rc == TL_OK && rows.n > 0 && from < first->count && from <= DESK_SEARCH_LAST;
         from += rows.n) {
        tlk_arena_reset(&c->page);
        rc = desk_range_page(c, rd->kind, r, from, &rows, e);
        if (rc == TL_OK)
            rc = desk_emit_rows(rd, &rows, r, e);
    }
    return rc;
}

static tl_status dense_part(const struct desk_reader *rd, const struct desk_range *r, int64_t *calls_left, tl_error *e)
{
    tl_conn *c = rd->c;
    struct desk_rows rows;
    tlk_arena_reset(&c->page);
    if (c->host->cancelled(c->host))
        return TL_E_CANCELLED;
    tl_status rc = desk_range_page(c, rd->kind, r, 0, &rows, e);
    if (rc != TL_OK || rows.n == 0)
        return rc;
    if (rows.count <= DESK_SEARCH_LAST + 1)
        return emit_whole(rd, r, &rows, e);
    if (r->other_hi - r->other_lo <= 1 || --*calls_left <= 0)
        return tlk_fail(e, TL_E_UNSUPPORTED,
                        "%lld %s of Zoho Desk were made and changed in one millisecond; a search reaches 1,100 of them",
                        (long long)rows.count, rd->kind->module);
    struct desk_range half = *r;
    half.other_hi = r->other_lo + (r->other_hi - r->other_lo) / 2;
    rc = dense_part(rd, &half, calls_left, e);
    if (rc != TL_OK)
        return rc;
    half.other_lo = half.other_hi;
    half.other_hi = r->other_hi;
    return dense_part(rd, &half, calls_left, e);
}

tl_status desk_emit_dense(const struct desk_reader *rd, const struct desk_range *r, int64_t count, tl_error *e)
{
    struct desk_range whole = *r;
    whole.has_other = true;
    whole.other_lo = 0;
    whole.other_hi = rd->c->host->now_us(rd->c->host) / TLK_US_PER_MS + 86400000;
    /* halvings of a portal that keeps its word, and not one for ever of one that does not */
    int64_t calls_left = 100 + (count > 0 && count < 100000000 ? count / 10 : 0);
    return dense_part(rd, &whole, &calls_left, e);
}
