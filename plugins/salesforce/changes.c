/* What changed since the cursor.
 *
 * Rows come in the order (SystemModstamp, Id); the cursor is the last one read, so every page is a fresh query and no
 * locator is kept. SystemModstamp has whole seconds, so ties are common and Id decides among them.
 *
 * A row can become visible late, behind the cursor: the stamp is set when a transaction writes, the row shows when it
 * commits. So the last quarter of an hour before the cursor is looked at again on every pull, but not read again unless
 * it changed: the cursor carries how many rows were read of each of its minutes, and the vendor counts them. As long as
 * nothing lies after the cursor, a row cannot have moved away from behind it, so equal numbers mean that nothing came
 * late. When something does lie after it, a row may have moved and another come late with the same sum: unless all that
 * is new was also created after the cursor, that quarter of an hour is read again.
 *
 * The cursor's own second is the exception: while it lasts, a row from behind can be written again and get this very
 * stamp with a lower Id, which changes no sum. So a second that was not over when it was read is counted by itself. */
#include "salesforce.h"

#include <stdio.h>
#include <stdlib.h>

enum { MAX_MINUTES = 64 };
#define MINUTE_US       (INT64_C(60) * TLK_US_PER_S)
#define CLOSED_AFTER_US (INT64_C(2) * TLK_US_PER_S) /* the Date of an answer has whole seconds as well */

struct minute {
    int64_t number, rows; /* number: minutes since 1970 */
};

struct position {
    int64_t at_us;                      /* SystemModstamp of the last row read; whole seconds */
    char after[SF_ID + 1];              /* its Id; empty: nothing of that second was read */
    int64_t server_us;                  /* the vendor's clock when the last reading to the end began */
    int64_t began_us;                   /* when the reading under way began, perhaps several pulls ago; 0: none is */
    bool settled;                       /* the last reading got to the end */
    bool open;                          /* the second of at_us was not surely over when it was read */
    int64_t ties;                       /* rows read of that second */
    struct minute minutes[MAX_MINUTES]; /* oldest first; what lies at or before the position */
    int n;
};

struct changes {
    struct sf_reader *rd;
    const tl_pull *pull;
    struct sf_filter filter;
    struct position pos;
    int limit;
};

/* ---- the cursor */

static void count_row(struct position *p, int64_t at_us)
{
    int64_t number = at_us / MINUTE_US;
    if (p->n && p->minutes[p->n - 1].number == number) {
        p->minutes[p->n - 1].rows++;
        return;
    }
    if (p->n == MAX_MINUTES) {
        memmove(p->minutes, p->minutes + 1, sizeof(p->minutes) - sizeof(p->minutes[0]));
        p->n--;
    }
    p->minutes[p->n++] = (struct minute){number, 1};
}

static void forget_before(struct position *p, int64_t us)
{
    int gone = 0;
    while (gone < p->n && p->minutes[gone].number < us / MINUTE_US)
        gone++;
    memmove(p->minutes, p->minutes + gone, (size_t)(p->n - gone) * sizeof(p->minutes[0]));
    p->n -= gone;
}

static tl_str position_text(const struct position *p, tlk_arena *a)
{
    tlk_cursor cur = {.n = 0};
    TLK_AUTO_BUF b = {0};
    tlk_cursor_set_int(&cur, a, "at", p->at_us / TLK_US_PER_S);
    tlk_cursor_set(&cur, a, "after", tlk_str(p->after));
    tlk_cursor_set_int(&cur, a, "server", p->server_us);
    tlk_cursor_set_int(&cur, a, "began", p->began_us);
    tlk_cursor_set_int(&cur, a, "settled", p->settled);
    tlk_cursor_set_int(&cur, a, "ties", p->open ? p->ties : 0);
    for (int i = 0; i < p->n; i++)
        tlk_addf(&b, "%s%lld-%lld", i ? "_" : "", (long long)p->minutes[i].number, (long long)p->minutes[i].rows);
    tlk_cursor_set(&cur, a, "read", tlk_lent(&b));
    return tlk_cursor_text(&cur, SF_CHANGES_TAG, a);
}

static bool position_read(struct position *p, tl_str text, tlk_arena *a)
{
    tlk_cursor cur;
    *p = (struct position){.at_us = 0};
    if (!tlk_cursor_read(&cur, SF_CHANGES_TAG, text, a))
        return false;
    tl_str after = tlk_cursor_get(&cur, "after"), list = tlk_cursor_get(&cur, "read"), item, head;
    int64_t seconds = tlk_cursor_int(&cur, "at", 0);
    if (seconds <= 0 || seconds > INT64_C(253402300799) || (after.n && after.n != SF_ID))
        return false;
    p->at_us = seconds * TLK_US_PER_S;
    tlk_copy(p->after, sizeof(p->after), after);
    p->server_us = tlk_cursor_int(&cur, "server", 0);
    p->began_us = tlk_cursor_int(&cur, "began", 0);
    p->settled = tlk_cursor_int(&cur, "settled", 0) == 1;
    p->ties = tlk_cursor_int(&cur, "ties", 0);
    p->open = p->ties > 0;
    while (tlk_split(&list, '_', &item)) {
        struct minute m;
        if (p->n == MAX_MINUTES || !tlk_split(&item, '-', &head) || !tlk_to_i64(head, &m.number) ||
            !tlk_to_i64(item, &m.rows))
            return false;
        p->minutes[p->n++] = m;
    }
    return true;
}

/* ---- queries */

static void add_common(tlk_buf *b, const struct changes *x)
{
    if (x->filter.scope.n)
        tlk_addf(b, " USING SCOPE %.*s", TLK_FMT(x->filter.scope));
    tlk_addz(b, " WHERE ");
    if (x->filter.condition.n)
        tlk_addf(b, "(%.*s) AND ", TLK_FMT(x->filter.condition));
}

/* One bound on the indexed field that always holds, then the tie. */
static tl_str forward_query(const struct changes *x)
{
    TLK_AUTO_BUF b = {0};
    const struct position *p = &x->pos;
    sf_soql_select(&b, x->rd->kind, x->rd->shape, x->rd->stamp);
    add_common(&b, x);
    tlk_addz(&b, "SystemModstamp >= ");
    sf_soql_time(&b, p->at_us);
    if (p->after[0]) {
        tlk_addz(&b, " AND (SystemModstamp > ");
        sf_soql_time(&b, p->at_us);
        tlk_addz(&b, " OR Id > ");
        sf_soql_text(&b, tlk_str(p->after));
        tlk_addz(&b, ")");
    }
    tlk_addf(&b, " ORDER BY SystemModstamp, Id LIMIT %d", x->limit);
    return tlk_dup(&x->rd->c->call, tlk_lent(&b));
}

static void begin_count(tlk_buf *b, const struct changes *x, int64_t from_us)
{
    tlk_addf(b, "SELECT COUNT() FROM %s", x->rd->kind->object);
    add_common(b, x);
    tlk_addz(b, "SystemModstamp >= ");
    sf_soql_time(b, from_us);
}

/* How many rows lie between from and the position, itself included. */
static tl_str count_query(const struct changes *x, int64_t from_us)
{
    TLK_AUTO_BUF b = {0};
    begin_count(&b, x, from_us);
    tlk_addz(&b, " AND SystemModstamp <= ");
    sf_soql_time(&b, x->pos.at_us);
    tlk_addz(&b, " AND (SystemModstamp < ");
    sf_soql_time(&b, x->pos.at_us);
    tlk_addz(&b, " OR Id <= ");
    sf_soql_text(&b, tlk_str(x->pos.after));
    tlk_addz(&b, ")");
    return tlk_dup(&x->rd->c->call, tlk_lent(&b));
}

/* How many of them lie before the position's second. */
static tl_str count_before_query(const struct changes *x, int64_t from_us)
{
    TLK_AUTO_BUF b = {0};
    begin_count(&b, x, from_us);
    tlk_addz(&b, " AND SystemModstamp < ");
    sf_soql_time(&b, x->pos.at_us);
    return tlk_dup(&x->rd->c->call, tlk_lent(&b));
}

/* ---- a page */

/* Moves the position behind the rows of a page. A row without a readable stamp ends the pull: the order is lost. */
static tl_status advance(struct changes *x, const struct sf_rows *rows, tl_error *e)
{
    for (uint32_t i = 0; i < rows->n; i++) {
        const tl_record *r = &rows->list[i];
        if (r->modified_us <= 0 || r->id.n != SF_ID)
            return tlk_fail(e, TL_E_TEMPORARY, "salesforce: a row came without Id or SystemModstamp");
        int64_t second_us = r->modified_us / TLK_US_PER_S * TLK_US_PER_S;
        count_row(&x->pos, r->modified_us);
        x->pos.ties = second_us == x->pos.at_us ? x->pos.ties + 1 : 1;
        x->pos.at_us = second_us;
    }
    if (rows->n) {
        const tl_record *last = &rows->list[rows->n - 1];
        tlk_copy(x->pos.after, sizeof(x->pos.after), last->id);
    }
    return TL_OK;
}

static bool page_is_full(const struct changes *x, const tlk_node *root)
{
    bool done = true;
    uint32_t n = tlk_count(tlk_get(root, "records"));
    tlk_bool(tlk_get(root, "done"), &done);
    return n > 0 && (!done || n >= (uint32_t)x->limit);
}

/* What shows from now on with an older stamp has a stamp of at most the overlap before the reading began. */
static void note_progress(struct position *p, bool at_end, int64_t server_us)
{
    if (!p->began_us)
        p->began_us = server_us;
    p->settled = at_end;
    if (!at_end)
        return;
    p->server_us = p->began_us;
    p->began_us = 0;
    forget_before(p, p->server_us - SF_OVERLAP_S * TLK_US_PER_S);
}

/* A position beyond the vendor's time would wait for that time; the overlap covers front ends that disagree. */
static tl_status position_fits(const struct changes *x, int64_t server_us, tl_error *e)
{
    const struct position *p = &x->pos;
    const tl_host *h = x->rd->c->host;
    int64_t position_us = p->at_us > p->server_us ? p->at_us : p->server_us;
    if (p->began_us > position_us)
        position_us = p->began_us;
    tl_status rc = tlk_position_check(position_us - SF_OVERLAP_S * TLK_US_PER_S, server_us, h->now_us(h), e);
    if (rc == TL_E_CURSOR_LOST)
        tlk_log(h, TL_WARN, "salesforce: %s: reading begins anew", e->text);
    return rc;
}

static tl_status emit_page(struct changes *x, const tlk_node *root, int64_t server_us, bool *more, tl_error *e)
{
    struct sf_rows rows;
    *more = page_is_full(x, root);
    tl_status rc = position_fits(x, server_us, e);
    if (rc == TL_OK)
        rc = sf_emit_rows(x->rd, tlk_get(root, "records"), &rows, e);
    if (rc == TL_OK)
        rc = advance(x, &rows, e);
    if (rc != TL_OK)
        return rc;
    x->pos.open = server_us < x->pos.at_us + CLOSED_AFTER_US;
    note_progress(&x->pos, !*more, server_us);
    tl_host const *h = x->rd->c->host;
    rc = tlk_checkpoint(h, TL_PULL_CHANGES, !*more, position_text(&x->pos, &x->rd->c->page), server_us, -1);
    if (rc != TL_OK && rc != TL_E_CANCELLED)
        return tlk_refused(rc, e);
    if (rc == TL_E_CANCELLED)
        *more = false; /* the page budget is used up */
    return TL_OK;
}

static tl_status read_forward(struct changes *x, tl_error *e)
{
    for (bool more = true; more;) {
        const tlk_node *root = NULL;
        int64_t server_us = 0;
        tl_status rc = sf_query(x->rd->c, forward_query(x), true, &root, &server_us, e);
        if (rc == TL_OK)
            rc = emit_page(x, root, server_us, &more, e);
        if (rc != TL_OK)
            return rc;
    }
    return TL_OK;
}

/* ---- looking back */

static void rewind_to(struct position *p, int64_t us)
{
    if (us >= p->at_us)
        return;
    p->at_us = us;
    p->after[0] = '\0';
    p->n = 0;
    p->ties = 0;
}

/* Rows created at or before the position were there already, perhaps behind it. */
static bool all_created_later(const struct changes *x, const tlk_node *rows)
{
    tlk_iter i = tlk_each(rows);
    for (const tlk_node *row; tlk_next_item(&i, &row);) {
        int64_t created = 0;
        tlk_time_parse(tlk_text(tlk_get(row, "CreatedDate"), &x->rd->c->page), &created);
        if (created / TLK_US_PER_S <= x->pos.at_us / TLK_US_PER_S)
            return false;
    }
    return true;
}

/* Where the look back begins: a whole minute, so that the counts of whole minutes fit. */
static int64_t look_back_from(const struct position *p)
{
    return (p->server_us - SF_OVERLAP_S * TLK_US_PER_S) / MINUTE_US * MINUTE_US;
}

static int64_t rows_read_since(const struct position *p, int64_t from_us)
{
    int64_t sum = 0;
    for (int i = 0; i < p->n; i++)
        sum += p->minutes[i].number >= from_us / MINUTE_US ? p->minutes[i].rows : 0;
    return sum;
}

static tl_status answered_count(tl_conn *c, tl_http *r, int64_t *out, tl_error *e)
{
    const tlk_node *root = NULL;
    *out = -1;
    tl_status rc = sf_query_answer(c, r, &root, e);
    if (rc == TL_OK)
        tlk_i64(tlk_get(root, "totalSize"), out);
    return rc;
}

/* Sends the counts and the first page together. Goes on with that page when nothing came late, else reads again. */
static tl_status look_back(struct changes *x, int64_t from_us, tl_error *e)
{
    tl_conn *c = x->rd->c;
    tl_http r[3];
    sf_query_request(c, &r[0], count_query(x, from_us), true);
    sf_query_request(c, &r[1], forward_query(x), true);
    if (x->pos.open)
        sf_query_request(c, &r[2], count_before_query(x, from_us), true);
    tlk_arena_reset(&c->page);
    tl_status rc = c->host->http(c->host, r, x->pos.open ? 3 : 2, e);
    if (rc != TL_OK)
        return rc;
    const tlk_node *root = NULL;
    int64_t counted = -1, before = -1, read = rows_read_since(&x->pos, from_us);
    rc = answered_count(c, &r[0], &counted, e);
    if (rc == TL_OK && x->pos.open)
        rc = answered_count(c, &r[2], &before, e);
    if (rc == TL_OK)
        rc = sf_query_answer(c, &r[1], &root, e);
    if (rc == TL_OK)
        rc = position_fits(x, tlk_server_us(c->host, &r[1]), e);
    if (rc != TL_OK)
        return rc;
    bool moved = counted != read || (x->pos.open && before != read - x->pos.ties);
    const tlk_node *rows = tlk_get(root, "records");
    if (moved || (tlk_count(rows) > 0 && !all_created_later(x, rows))) {
        rewind_to(&x->pos, from_us);
        x->pos.began_us = tlk_server_us(c->host, &r[1]);
        return read_forward(x, e);
    }
    bool more = false;
    rc = emit_page(x, root, tlk_server_us(c->host, &r[1]), &more, e);
    return rc == TL_OK && more ? read_forward(x, e) : rc;
}

/* ---- the pull */

/* An empty cursor means from now on. Now is what the vendor's clock says; the list of versions is free of charge and
 * needs no session [REST:resources_versions]. */
static tl_status begin_now(struct changes *x, tl_error *e)
{
    tl_conn *c = x->rd->c;
    tl_http r;
    const tlk_node *root = NULL;
    sf_get_request(c, &r, tlk_fmt(&c->call, "%.*s/services/data/", TLK_FMT(c->base)));
    r.flags |= TL_HTTP_NO_AUTH;
    tl_status rc = sf_call(c, &r, &root, e);
    if (rc == TL_OK)
        rc = tlk_position_check(0, tlk_server_us(c->host, &r), c->host->now_us(c->host), e);
    if (rc != TL_OK)
        return rc;
    x->pos = (struct position){.server_us = tlk_server_us(c->host, &r)};
    x->pos.at_us = look_back_from(&x->pos);
    return TL_OK;
}

tl_status sf_changes(struct sf_reader *rd, const tl_pull *p, tl_error *e)
{
    struct changes x = {.rd = rd, .pull = p, .limit = SF_PAGE};
    if (p->page_hint >= 1 && p->page_hint < SF_PAGE)
        x.limit = (int)p->page_hint;
    tl_status rc = sf_filter_of(rd, p->view, &x.filter, e);
    if (rc == TL_OK && p->cursor.n == 0)
        rc = begin_now(&x, e);
    else if (rc == TL_OK && !position_read(&x.pos, p->cursor, &rd->c->call))
        return tlk_cursor_lost(e);
    if (rc != TL_OK)
        return rc;
    int64_t from = look_back_from(&x.pos);
    if (x.pos.settled && x.pos.after[0] && from <= x.pos.at_us)
        return look_back(&x, from, e);
    return read_forward(&x, e);
}
