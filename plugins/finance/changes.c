/* Changes: the list of customers by the time of their last change, the latest first, until it is older than the last
 * reading less the overlap; contacts cannot be filtered by that time [OAS:contacts]. What was read within the overlap
 * and has not changed since is not read again. Where the vendor does not heed the order, it is seen by the times, and
 * the list is read to its end. Nothing tells of a customer who was deleted: the next pass does. */
#include "finance.h"

enum { SEEN_MAX = 200 };
#define CLOSED_AFTER_US (INT64_C(2) * TLK_US_PER_S) /* times and the Date of an answer have whole seconds */
static const char sorted_by[] = "last_modified_time";

struct changes {
    struct fin_reader *rd;
    struct fin_walk walk;
    int64_t since_us;  /* rows of that time or later are wanted */
    int64_t began_us;  /* the vendor's clock when the reading under way began; 0: none is */
    int64_t server_us; /* of the last answer */
    tl_str seen;       /* "ID.SECONDS,..." of what was read within the overlap */
};

static tl_str cursor_of(const struct changes *s)
{
    tlk_cursor c = {0};
    tlk_arena *a = &s->rd->c->call;
    tlk_cursor_set_int(&c, a, "since", s->since_us);
    if (s->began_us > 0) {
        tlk_cursor_set_int(&c, a, "began", s->began_us);
        tlk_cursor_set_int(&c, a, "down", s->walk.down);
        fin_walk_keep(&s->walk, &c, a);
    }
    if (s->seen.n > 0)
        tlk_cursor_set(&c, a, "seen", s->seen);
    return tlk_cursor_text(&c, FIN_CHANGES_TAG, a);
}

static bool is_time(int64_t us)
{
    return us >= 0 && us <= INT64_C(253402300799) * TLK_US_PER_S;
}

static bool cursor_read(struct changes *s, tl_str text)
{
    tlk_cursor c;
    if (!tlk_cursor_read(&c, FIN_CHANGES_TAG, text, &s->rd->c->call) || !fin_walk_restore(&s->walk, &c))
        return false;
    s->since_us = tlk_cursor_int(&c, "since", 0);
    s->began_us = tlk_cursor_int(&c, "began", 0);
    s->walk.down = tlk_cursor_int(&c, "down", 1) != 0;
    s->seen = tlk_cursor_get(&c, "seen");
    return text.n == 0 || (s->since_us > 0 && is_time(s->since_us) && is_time(s->began_us));
}

/* ---- what was read within the overlap */

static tl_str mark_of(tl_conn *c, const struct fin_reader *rd, const tlk_node *row, int64_t us)
{
    return tlk_fmt(&c->page, "%.*s.%lld", TLK_FMT(tlk_text_at(row, rd->kind->id, &c->page)),
                   (long long)(us / TLK_US_PER_S));
}

static void remember(struct changes *s, tlk_buf *more, tl_str mark, int64_t us)
{
    if (us + CLOSED_AFTER_US < s->server_us && us >= s->began_us - FIN_OVERLAP_US) {
        tlk_add(more, mark);
        tlk_addc(more, ',');
    }
}

/* Keeps of the list what lies within the overlap of the next reading. */
static void forget_old(struct changes *s)
{
    TLK_AUTO_BUF kept = {0};
    uint32_t n = 0;
    for (tl_str rest = s->seen, one, id; n < SEEN_MAX && tlk_split(&rest, ',', &one);) {
        tl_str seconds = one;
        int64_t at;
        if (!tlk_split(&seconds, '.', &id) || !tlk_to_i64(seconds, &at) || at < s->since_us / TLK_US_PER_S)
            continue;
        tlk_add(&kept, one);
        tlk_addc(&kept, ',');
        n++;
    }
    s->seen = tlk_dup(&s->rd->c->call, tlk_lent(&kept));
}

/* ---- a page */

static bool is_ascending(const struct fin_rows *rows)
{
    int64_t before = INT64_MAX;
    const tlk_node *one;
    tlk_iter i = tlk_each(rows->list);
    while (tlk_next_item(&i, &one)) {
        int64_t us = fin_time(one, sorted_by);
        if (us > before)
            return true;
        before = us;
    }
    return false;
}

/* The first answer of a call says what time it is there. */
static tl_status settle_clock(struct changes *s, const struct fin_rows *rows, tl_error *e)
{
    tl_conn *c = s->rd->c;
    int64_t position = s->began_us > 0 ? s->began_us - FIN_OVERLAP_US : s->since_us;
    tl_status rc = tlk_position_check(position, rows->server_us, c->host->now_us(c->host), e);
    if (rc != TL_OK || s->began_us > 0)
        return rc;
    s->began_us = rows->server_us;
    if (s->since_us == 0)
        s->since_us = rows->server_us - FIN_OVERLAP_US;
    s->walk.down = !is_ascending(rows);
    return TL_OK;
}

/* Emits the rows that are wanted; *old: one of them was changed before that. */
static tl_status take_rows(struct changes *s, const struct fin_rows *rows, bool *old, tl_error *e)
{
    tl_conn *c = s->rd->c;
    const tlk_node **list = tlk_new(&c->call, const tlk_node *, rows->n + 1), *one;
    TLK_AUTO_BUF marks = {0};
    uint32_t at = 0, n = 0;
    tlk_iter i = tlk_each(rows->list);
    tlk_add(&marks, s->seen);
    while (at < rows->n && tlk_next_item(&i, &one)) {
        int64_t us = fin_time(one, sorted_by);
        if (at++ < rows->first)
            continue;
        if (us == 0)
            return tlk_fail(e, TL_E_TEMPORARY, "%s sent a row without %s", c->product->title, sorted_by);
        *old = *old || us < s->since_us;
        tl_str mark = mark_of(c, s->rd, one, us);
        if (us < s->since_us || tlk_in_list(s->seen, ',', mark))
            continue;
        remember(s, &marks, mark, us);
        list[n++] = one;
    }
    tl_str seen = tlk_dup(&c->call, tlk_lent(&marks));
    tl_status rc = fin_emit_rows(s->rd, list, n, 0, e);
    s->seen = rc == TL_OK ? seen : s->seen;
    return rc;
}

static tl_status one_page(struct changes *s, bool first, bool *more, tl_error *e)
{
    struct fin_rows rows;
    bool old = false;
    tl_status rc = fin_walk_page(s->rd, &s->walk, &rows, e);
    if (rc != TL_OK)
        return rc;
    s->server_us = rows.server_us;
    if (first)
        rc = settle_clock(s, &rows, e);
    if (rc == TL_OK)
        rc = take_rows(s, &rows, &old, e);
    if (rc != TL_OK)
        return rc;
    *more = rows.more && !(old && s->walk.down);
    if (!*more) {
        s->since_us = s->began_us - FIN_OVERLAP_US;
        s->began_us = 0;
        forget_old(s);
    }
    rc = tlk_checkpoint(s->rd->c->host, TL_PULL_CHANGES, !*more, cursor_of(s), s->server_us, -1);
    return rc == TL_E_CANCELLED ? rc : tlk_refused(rc, e);
}

tl_status fin_changes(struct fin_reader *rd, const tl_pull *p, tl_error *e)
{
    uint32_t most = rd->details ? FIN_DETAILS : FIN_PAGE;
    uint32_t size = p->page_hint > 1 && p->page_hint < most ? p->page_hint : most;
    struct changes s = {.rd = rd, .walk = {.sort = sorted_by, .down = true, .size = size}};
    if (!cursor_read(&s, p->cursor))
        return tlk_cursor_lost(e);
    tl_status rc = TL_OK;
    bool first = true;
    for (bool more = true; rc == TL_OK && more; first = false)
        rc = one_page(&s, first, &more, e);
    if (rc == TL_E_CANCELLED && !rd->c->host->cancelled(rd->c->host))
        return TL_OK; /* the page budget is used up */
    return rc;
}
