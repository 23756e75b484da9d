/* Changes: by modified time from where the last poll stood, less the overlap, then what the recycle bin tells. Pages
 * are followed by the time of the last row, not by position: a record that changes meanwhile moves to the end, where it
 * is met again, and none is jumped over. */
#include "desk.h"

enum { SLICE_ROWS = 2000, SEEN_MAX = 200 };
static const int64_t FIRST_WIDTH = INT64_C(30) * 86400 * 1000;

struct changes {
    struct desk_reader *rd;
    int64_t lo, hi;     /* milliseconds; hi: end of the slice */
    int64_t width, now; /* now: when this poll began, by the vendor's clock */
    int64_t from;       /* rows of the very time lo that were read already */
    int64_t bin_us, looked_us;
    bool from_now;   /* the first poll: it has no cursor yet */
    bool clocks_fit; /* found so with the first answer of this call */
    tl_str tracked;  /* ids we reported as trashed, to notice restores */
    tl_str seen;     /* ids of rows with time lo that were emitted */
    int64_t server_us;
};

static tl_str cursor_of(const struct changes *s)
{
    tlk_cursor c = {0};
    tlk_arena *a = &s->rd->c->page;
    tlk_cursor_set_int(&c, a, "lo", s->lo);
    tlk_cursor_set_int(&c, a, "width", s->width);
    if (s->now > 0)
        tlk_cursor_set_int(&c, a, "now", s->now);
    if (s->from > 0)
        tlk_cursor_set_int(&c, a, "from", s->from);
    if (s->seen.n > 0)
        tlk_cursor_set(&c, a, "seen", s->seen);
    tlk_cursor_set_int(&c, a, "bin", s->bin_us);
    tlk_cursor_set_int(&c, a, "looked", s->looked_us);
    if (s->tracked.n > 0)
        tlk_cursor_set(&c, a, "trashed", s->tracked);
    return tlk_cursor_text(&c, DESK_CHANGES_TAG, a);
}

static bool cursor_read(struct changes *s, tl_str text)
{
    tlk_cursor c;
    if (!tlk_cursor_read(&c, DESK_CHANGES_TAG, text, &s->rd->c->call))
        return false;
    s->lo = tlk_cursor_int(&c, "lo", 0);
    s->width = tlk_cursor_int(&c, "width", FIRST_WIDTH);
    s->now = tlk_cursor_int(&c, "now", 0);
    s->from = tlk_cursor_int(&c, "from", 0);
    s->seen = tlk_cursor_get(&c, "seen");
    s->bin_us = tlk_cursor_int(&c, "bin", 0);
    s->looked_us = tlk_cursor_int(&c, "looked", 0);
    if (!desk_is_ms(s->looked_us / TLK_US_PER_MS))
        s->looked_us = 0;
    s->tracked = tlk_cursor_get(&c, "trashed");
    return text.n == 0 || (s->lo > 0 && desk_is_ms(s->lo) && s->width > 0 && s->from >= 0 && s->from <= INT32_MAX &&
                           desk_is_ms(s->now) && desk_is_ms(s->bin_us / TLK_US_PER_MS));
}

static tl_status checkpoint(const struct changes *s, bool complete)
{
    return tlk_checkpoint(s->rd->c->host, TL_PULL_CHANGES, complete, cursor_of(s), s->server_us, -1);
}

/* Emits what the page has beyond the rows that were seen; moves lo, from and seen behind its last row. */
static tl_status take_rows(struct changes *s, const struct desk_rows *rows, const struct desk_range *r, tl_error *e)
{
    tl_conn *c = s->rd->c;
    tl_record *list = tlk_new(&c->page, tl_record, rows->n + 1);
    TLK_AUTO_BUF seen = {0};
    uint32_t n = 0, n_seen = 0;
    int64_t last = s->lo;
    tlk_iter i = tlk_each(rows->data);
    for (const tlk_node *row; tlk_next_item(&i, &row);) {
        int64_t ms = desk_row_ms(row, false);
        if (ms != 0 && (ms < r->lo || ms >= r->hi))
            continue;
        desk_record_read(s->rd, row, &list[n]);
        if (list[n].id.n == 0)
            continue;
        if (ms > last) {
            last = ms;
            n_seen = 0;
            tlk_buf_clear(&seen);
        }
        if (ms == last && n_seen++ < SEEN_MAX) {
            tlk_add(&seen, list[n].id);
            tlk_addc(&seen, ',');
        }
        if (ms != s->lo || !tlk_in_list(s->seen, ',', list[n].id))
            n++;
    }
    tl_status rc = tlk_refused(tlk_emit(c->host, list, n), e);
    if (rc != TL_OK)
        return rc;
    s->from = last > s->lo ? 0 : s->from + rows->n;
    s->seen = tlk_dup(&c->call, tlk_lent(&seen));
    s->lo = last;
    return TL_OK;
}

/* More rows carry this very time than a search can reach. */
static tl_status take_dense(struct changes *s, int64_t count, tl_error *e)
{
    struct desk_range r = {.lo = s->lo, .hi = s->lo + 1};
    tl_status rc = desk_emit_dense(s->rd, &r, count, e);
    s->lo++;
    s->from = 0;
    s->seen = TLK_NONE;
    return rc;
}

/* What lies ahead of the vendor's clock has not been read, whatever the slice reached to. */
static void slice_done(struct changes *s, int64_t count)
{
    int64_t to = s->hi < s->now + 1000 ? s->hi : s->now + 1000;
    if (s->lo < to) {
        s->lo = to;
        s->seen = TLK_NONE;
    }
    s->from = 0;
    s->width = desk_slice_wider(s->width, count);
}

/* Does the position fit what the vendor's clock says now? While a poll is under way it may stand at that poll's end. */
static tl_status position_fits(const struct changes *s, int64_t server_us, tl_error *e)
{
    tl_conn *c = s->rd->c;
    int64_t reached_us = (s->now > s->lo ? s->now : s->lo) * TLK_US_PER_MS;
    int64_t position_us = s->now > 0 ? reached_us - DESK_OVERLAP_US : s->from_now ? 0 : s->lo * TLK_US_PER_MS;
    tl_status rc = tlk_position_check(position_us, server_us, c->host->now_us(c->host), e);
    if (rc == TL_E_CURSOR_LOST)
        tlk_log(c->host, TL_WARN, "%s: reading begins anew", e->text);
    return rc;
}

/* One page; *done when nothing is left before now. */
static tl_status one_page(struct changes *s, bool *done, tl_error *e)
{
    tl_conn *c = s->rd->c;
    struct desk_rows rows;
    int64_t end = s->now > 0 ? s->now + 1000 : c->host->now_us(c->host) / TLK_US_PER_MS + 86400000;
    end = end > s->lo ? end : s->lo + 1; /* a range at any rate: its answer tells whether the position is right */
    s->hi = desk_slice_end(s->lo, s->width, end);
    struct desk_range r = {.lo = s->lo, .hi = s->hi};
    tl_status rc = desk_range_page(c, s->rd->kind, &r, (uint32_t)s->from, &rows, e);
    if (rc != TL_OK)
        return rc;
    if (!s->clocks_fit && (rc = position_fits(s, rows.server_us, e)) != TL_OK)
        return rc;
    s->clocks_fit = true;
    s->server_us = rows.server_us;
    if (s->now == 0) {
        s->now = rows.server_us / TLK_US_PER_MS;
        int64_t first = s->now - DESK_OVERLAP_US / TLK_US_PER_MS;
        if (s->from_now && first < s->lo) { /* our clock is ahead of the vendor's */
            s->lo = first;
            s->bin_us = first * TLK_US_PER_MS;
            return TL_OK;
        }
        end = s->now + 1000;
    }
    if (s->from == 0 && rows.count > SLICE_ROWS && r.hi - r.lo > 1) {
        s->width = desk_slice_narrower(r.hi - r.lo, rows.count);
        return TL_OK;
    }
    bool last = rows.n == 0 || (rows.count >= 0 ? s->from + rows.n >= rows.count : rows.n < c->limit);
    rc = take_rows(s, &rows, &r, e);
    if (rc != TL_OK)
        return rc;
    if (last)
        slice_done(s, rows.count);
    else if (s->from > DESK_SEARCH_LAST)
        rc = take_dense(s, rows.count, e);
    *done = last && s->hi >= end;
    return rc;
}

/* After the last page: the bin, and where the next poll begins. */
static tl_status finish(struct changes *s, tl_error *e)
{
    tl_status rc = desk_bin_changes(s->rd, &s->bin_us, &s->looked_us, &s->tracked, s->now * TLK_US_PER_MS, e);
    if (rc != TL_OK)
        return rc;
    s->lo = s->now - DESK_OVERLAP_US / TLK_US_PER_MS;
    s->now = s->from = 0;
    s->seen = TLK_NONE;
    return checkpoint(s, true);
}

tl_status desk_changes(struct desk_reader *rd, const tl_pull *p, tl_error *e)
{
    tl_conn *c = rd->c;
    struct changes s = {.rd = rd};
    if (!cursor_read(&s, p->cursor))
        return tlk_cursor_lost(e);
    if (p->cursor.n == 0) {
        s.from_now = true;
        s.bin_us = c->host->now_us(c->host) - DESK_OVERLAP_US;
        s.lo = s.bin_us / TLK_US_PER_MS;
    }
    uint32_t budget = p->max_pages ? p->max_pages : UINT32_MAX;
    tl_status rc = TL_OK;
    bool done = false;
    for (uint32_t pages = 0; rc == TL_OK && pages < budget; pages++) {
        tlk_arena_reset(&c->page);
        rc = one_page(&s, &done, e);
        if (rc == TL_OK && done) {
            rc = finish(&s, e);
            break;
        }
        if (rc == TL_OK)
            rc = checkpoint(&s, false);
    }
    if (rc == TL_E_CANCELLED)
        return c->host->cancelled(c->host) ? TL_E_CANCELLED : TL_OK;
    return rc;
}
