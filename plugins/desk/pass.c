/* A pass: every live record once, by slices of the creation time. A slice is read page by page, up to four pages in
 * flight; its position is part of the cursor, so a pass goes on within a page of where it stopped. A record that is
 * trashed while its slice is read moves the rows behind it: the count tells, and the slice is read again. */
#include "desk.h"

enum { AGAIN_MAX = 3 };

struct pass {
    struct desk_reader *rd;
    const tl_pull *p;
    int64_t lo, width, end; /* milliseconds */
    int64_t count;          /* rows of the slice being read; -1: not begun */
    int64_t from;           /* rows of it read */
    int64_t again;          /* how often it was begun anew */
    int64_t total, server_us;
};

static tl_str cursor_of(const struct pass *s)
{
    tlk_cursor c = {0};
    tlk_arena *a = &s->rd->c->page;
    tlk_cursor_set_int(&c, a, "lo", s->lo);
    tlk_cursor_set_int(&c, a, "width", s->width);
    tlk_cursor_set_int(&c, a, "end", s->end);
    if (s->count >= 0) {
        tlk_cursor_set_int(&c, a, "count", s->count);
        tlk_cursor_set_int(&c, a, "from", s->from);
    }
    if (s->again > 0)
        tlk_cursor_set_int(&c, a, "again", s->again);
    tlk_cursor_set_int(&c, a, "total", s->total);
    tlk_cursor_set_int(&c, a, "server", s->server_us);
    return tlk_cursor_text(&c, DESK_PASS_TAG, a);
}

static bool cursor_read(struct pass *s)
{
    tlk_cursor c;
    if (!tlk_cursor_read(&c, DESK_PASS_TAG, s->p->cursor, &s->rd->c->call))
        return false;
    s->lo = tlk_cursor_int(&c, "lo", 0);
    s->width = tlk_cursor_int(&c, "width", 0);
    s->end = tlk_cursor_int(&c, "end", 0);
    s->count = tlk_cursor_int(&c, "count", -1);
    s->from = tlk_cursor_int(&c, "from", 0);
    s->again = tlk_cursor_int(&c, "again", 0);
    s->total = tlk_cursor_int(&c, "total", -1);
    s->server_us = tlk_cursor_int(&c, "server", 0);
    return c.n == 0 || (s->width > 0 && desk_is_ms(s->lo) && desk_is_ms(s->end) && s->from >= 0 &&
                        s->from <= INT32_MAX && s->count <= INT32_MAX);
}

/* The first row says where to begin, the count how wide slices should be. */
static tl_status begin(struct pass *s, tl_error *e)
{
    tl_conn *c = s->rd->c;
    int64_t now_ms = c->host->now_us(c->host) / TLK_US_PER_MS;
    struct desk_range r = {.by_created = true, .lo = s->p->created_from_us / TLK_US_PER_MS, .hi = now_ms + 86400000};
    if (r.lo <= 0)
        r.lo = 1;
    struct desk_rows rows;
    uint32_t limit = c->limit;
    c->limit = 1;
    tl_status rc = desk_range_page(c, s->rd->kind, &r, 0, &rows, e);
    c->limit = limit;
    if (rc == TL_OK)
        rc = tlk_position_check(0, rows.server_us, now_ms * TLK_US_PER_MS, e);
    if (rc != TL_OK)
        return rc;
    int64_t first = rows.n > 0 ? desk_row_ms(tlk_item(rows.data, 0), true) : 0;
    s->server_us = rows.server_us;
    s->lo = first > r.lo ? first : r.lo;
    int64_t server_ms = rows.server_us / TLK_US_PER_MS; /* a Date that is too early must not hide records */
    s->end = rows.n > 0 ? (server_ms > now_ms ? server_ms : now_ms) + 1000 : s->lo;
    if (s->end < s->lo)
        s->end = s->lo + 1;
    s->total = rows.count;
    s->width = desk_slice_first(s->end - s->lo, rows.count < 0 ? 1000000 : rows.count);
    s->count = -1;
    return TL_OK;
}

static struct desk_range slice_of(const struct pass *s)
{
    return (struct desk_range){.by_created = true, .lo = s->lo, .hi = desk_slice_end(s->lo, s->width, s->end)};
}

static tl_status checkpoint(struct pass *s, bool complete)
{
    return tlk_checkpoint(s->rd->c->host, TL_PULL_PASS, complete, cursor_of(s), s->server_us, s->total);
}

static void next_slice(struct pass *s, int64_t hi)
{
    s->lo = hi;
    s->width = desk_slice_wider(s->width, s->count);
    s->count = -1;
    s->from = s->again = 0;
}

/* The first page of a slice: enough to know whether it fits. */
static tl_status slice_begin(struct pass *s, tl_error *e)
{
    struct desk_range r = slice_of(s);
    struct desk_rows rows;
    tl_status rc = desk_range_page(s->rd->c, s->rd->kind, &r, 0, &rows, e);
    if (rc != TL_OK)
        return rc;
    bool full = rows.count < 0 && rows.n >= s->rd->c->limit; /* no count: more rows may follow */
    if (rows.count > DESK_SEARCH_LAST + 1) {
        if (r.hi - r.lo > 1) {
            s->width = desk_slice_narrower(r.hi - r.lo, rows.count);
            return checkpoint(s, false); /* nothing emitted: the next turn asks for less */
        }
        rc = desk_emit_dense(s->rd, &r, rows.count, e);
        if (rc == TL_OK) {
            s->count = DESK_SEARCH_LAST + 1;
            next_slice(s, r.hi);
            rc = checkpoint(s, false);
        }
        return rc;
    }
    rc = desk_emit_rows(s->rd, &rows, &r, e);
    if (rc != TL_OK)
        return rc;
    s->count = full ? INT32_MAX : rows.count < 0 ? rows.n : rows.count;
    s->from = rows.n;
    if (s->from >= s->count || rows.n == 0)
        next_slice(s, r.hi);
    return checkpoint(s, false);
}

/* One answered page of a slice. */
static tl_status page_done(struct pass *s, const tl_http *done, const struct desk_range *r, tl_error *e)
{
    struct desk_rows rows;
    tl_status rc = desk_rows_of(s->rd->c, done, &rows, e);
    if (rc != TL_OK)
        return rc;
    if (rows.count >= 0 && rows.count != s->count && s->again < AGAIN_MAX) {
        s->again++; /* rows moved: some may have been jumped over */
        s->count = -1;
        s->from = 0;
        return checkpoint(s, false);
    }
    rc = desk_emit_rows(s->rd, &rows, r, e);
    if (rc != TL_OK)
        return rc;
    s->from += rows.n;
    bool last = rows.n == 0 || (rows.count < 0 ? rows.n < s->rd->c->limit : s->from >= s->count);
    if (!last && s->from > DESK_SEARCH_LAST && r->hi - r->lo > 1) { /* the count was not told: too wide after all */
        s->width = desk_slice_narrower(r->hi - r->lo, 2 * DESK_SEARCH_LAST);
        s->count = -1;
        s->from = 0;
    } else if (last || s->from > DESK_SEARCH_LAST) {
        next_slice(s, r->hi);
    }
    return checkpoint(s, false);
}

/* The following pages, several in flight. */
static tl_status slice_go_on(struct pass *s, uint32_t budget, uint32_t *pages, tl_error *e)
{
    tl_conn *c = s->rd->c;
    struct desk_range r = slice_of(s);
    tl_http group[DESK_AT_ONCE];
    uint32_t n = 0, most = budget < DESK_AT_ONCE ? budget : DESK_AT_ONCE;
    for (int64_t from = s->from; n < most && from < s->count && from <= DESK_SEARCH_LAST; from += c->limit) {
        tlk_request(&group[n], "GET", desk_range_url(c, s->rd->kind, &r, (uint32_t)from, c->limit), 0);
        tlk_request_header(&group[n], &c->page, "orgId", c->org);
        n++;
    }
    tl_status rc = c->host->http(c->host, group, n, e);
    int64_t lo = s->lo;
    for (uint32_t i = 0; i < n && rc == TL_OK; i++) {
        rc = page_done(s, &group[i], &r, e);
        ++*pages;
        if (s->lo != lo || s->count < 0) /* the slice ended, or begins anew */
            break;
    }
    return rc;
}

tl_status desk_pass(struct desk_reader *rd, const tl_pull *p, tl_error *e)
{
    struct pass s = {.rd = rd, .p = p};
    if (!cursor_read(&s))
        return tlk_cursor_lost(e);
    tl_status rc = p->cursor.n == 0 ? begin(&s, e) : TL_OK;
    uint32_t budget = p->max_pages ? p->max_pages : UINT32_MAX, pages = 0;
    while (rc == TL_OK && s.lo < s.end && pages < budget) {
        tlk_arena_reset(&rd->c->page);
        if (s.count < 0) {
            rc = slice_begin(&s, e);
            pages++;
        } else {
            rc = slice_go_on(&s, budget - pages, &pages, e);
        }
    }
    if (rc == TL_E_CANCELLED) /* budget used up, or asked to stop: what was checkpointed stands */
        return rd->c->host->cancelled(rd->c->host) ? TL_E_CANCELLED : TL_OK;
    if (rc != TL_OK || s.lo < s.end)
        return rc;
    rc = checkpoint(&s, true);
    return rc == TL_E_CANCELLED ? TL_OK : rc;
}
