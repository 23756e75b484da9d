/* Lists that people read beside a record: the tickets of a contact or an account, the latest first. They are searched
 * for: the list at /contacts/{id}/tickets takes no status and shows less of each [OAS:Contact, OAS:Search]. Of
 * those the latest 1,000 are reached. */
#include "desk.h"

#define TAG "desk.tickets.1"
enum { CALLS_MAX = 12, ROWS = 50 };

static tl_str lower_text(tl_conn *c, const tlk_node *row, const char *path)
{
    tl_str s = tlk_dup(&c->page, tlk_text_at(row, path, &c->page));
    for (char *p = (char *)(uintptr_t)s.p; s.n > 0 && *p; p++)
        *p = (char)(*p >= 'A' && *p <= 'Z' ? *p + 32 : *p);
    return s;
}

/* "open", "on hold" or "closed"; a status of the portal's own belongs to one of them. */
static tl_str status_type(tl_conn *c, const tlk_node *row)
{
    tl_str type = lower_text(c, row, "statusType");
    return type.n > 0 ? type : lower_text(c, row, "status");
}

static bool is_open(tl_conn *c, const tlk_node *row)
{
    return tlk_is(status_type(c, row), "open");
}

static bool is_closed(tl_conn *c, const tlk_node *row)
{
    return tlk_is(status_type(c, row), "closed");
}

static bool is_overdue(tl_conn *c, const tlk_node *row)
{
    bool overdue;
    if (tlk_bool(tlk_get(row, "isOverDue"), &overdue))
        return overdue;
    int64_t due = desk_time_us(tlk_get(row, "dueDate"));
    return due != 0 && due < c->host->now_us(c->host) && !is_closed(c, row);
}

static bool is_escalated(tl_conn *c, const tlk_node *row)
{
    (void)c;
    return tlk_is_true(tlk_get(row, "isEscalated"));
}

static bool is_high(tl_conn *c, const tlk_node *row)
{
    return tlk_is(lower_text(c, row, "priority"), "high");
}

/* A part of a list: what narrows the search, and which of the rows belong to it. "${open}" stands for all open statuses
 * [desk.zoho.com/DeskAPIDocument#Search]. */
static const struct part {
    const char *name, *param;
    const char *value; /* null: all times until now */
    bool (*fits)(tl_conn *c, const tlk_node *row);
} parts[] = {
    {"", NULL, NULL, NULL},
    {"open", "status", "${open}", is_open},
    {"overdue", "dueDateRange", NULL, is_overdue},
    {"closed", NULL, NULL, is_closed},
    {"escalated", NULL, NULL, is_escalated},
    {"high_priority", "priority", "High", is_high},
};

struct listing {
    const struct desk_reader *rd;
    const tl_list *q;
    const struct part *part;
    int64_t from;  /* rows of the search that were looked at */
    int64_t count; /* in all; -1: not told */
    uint32_t left; /* records that still fit into the page */
    bool plain;    /* without what narrows it: the portal does not know that */
    bool end;
    int64_t server_us;
};

static void narrow(const struct listing *s, tlk_url *u)
{
    tl_conn *c = s->rd->c;
    char now[32];
    tl_str value = tlk_str(s->part->value);
    if (!s->part->value)
        value = tlk_fmt(&c->page, "1970-01-01T00:00:00.000Z,%s", tlk_time_text(now, c->host->now_us(c->host)));
    tlk_url_add(u, s->part->param, value);
}

static tl_str search_url(const struct listing *s, uint32_t limit)
{
    tlk_url u = desk_url(s->rd->c, "/tickets/search");
    tlk_url_add(&u, tlk_is(s->q->about_kind, "account") ? "accountId" : "contactId", s->q->about_id);
    if (s->part->param && !s->plain)
        narrow(s, &u);
    tlk_url_add(&u, "sortBy", TL_STR("-createdTime"));
    if (s->from > 0)
        tlk_url_add_int(&u, "from", s->from);
    tlk_url_add_int(&u, "limit", limit);
    return tlk_url_end(&u);
}

static tl_status ask(const struct listing *s, uint32_t limit, struct desk_rows *rows, tl_error *e)
{
    tl_conn *c = s->rd->c;
    tl_http r;
    tlk_request(&r, "GET", search_url(s, limit), 0);
    tlk_request_header(&r, &c->page, "orgId", c->org);
    tl_status rc = c->host->http(c->host, &r, 1, e);
    return rc == TL_OK ? desk_rows_of(c, &r, rows, e) : rc;
}

/* As many rows as are wanted; of a part more, since not all of them belong to it. */
static uint32_t rows_wanted(const struct listing *s)
{
    uint32_t most = s->rd->c->limit;
    return s->part->fits || s->left > most ? most : s->left;
}

/* Does this portal not know what narrows the search? It says so, or takes "${open}" for the name of a status, of which
 * there are no tickets. */
static bool is_not_known(const struct listing *s, tl_status rc, const struct desk_rows *rows, const tl_error *e)
{
    if (s->from > 0 || !s->part->param || s->plain)
        return false;
    if (rc == TL_E_INVALID)
        return e->http_status == 422 && !strstr(e->text, "'limit'");
    return rc == TL_OK && rows->n == 0 && s->part->fits == is_open && !s->rd->c->knows_open;
}

static tl_status next_rows(struct listing *s, struct desk_rows *rows, uint32_t *limit, tl_error *e)
{
    for (;;) {
        *limit = rows_wanted(s);
        tl_status rc = ask(s, *limit, rows, e);
        if (is_not_known(s, rc, rows, e))
            s->plain = true;
        else if (!desk_limit_refused(s->rd->c, rc, e))
            return rc;
        tlk_error_clear(e);
    }
}

/* Emits those rows that belong to the part, until the page is full. */
static tl_status take(struct listing *s, const struct desk_rows *rows, tl_error *e)
{
    tl_conn *c = s->rd->c;
    tl_record *list = tlk_new(&c->page, tl_record, rows->n + 1);
    uint32_t n = 0;
    tlk_iter i = tlk_each(rows->data);
    for (const tlk_node *row; n < s->left && tlk_next_item(&i, &row); s->from++) {
        if (s->part->fits && !s->part->fits(c, row))
            continue;
        desk_record_read(s->rd, row, &list[n]);
        if (list[n].id.n > 0)
            n++;
    }
    s->left -= n;
    return tlk_refused(tlk_emit(c->host, list, n), e);
}

/* A search for the tickets of nobody finds none, too. */
static tl_status look_for_owner(const struct listing *s, tl_error *e)
{
    tl_conn *c = s->rd->c;
    const tlk_node *root = NULL;
    tlk_url u = desk_url(c, tlk_is(s->q->about_kind, "account") ? "/accounts" : "/contacts");
    tlk_url_segment(&u, s->q->about_id);
    return desk_read(c, &u, &root, e);
}

static tl_status fill_page(struct listing *s, tl_error *e)
{
    for (int calls = 0; s->left > 0 && !s->end && calls < CALLS_MAX; calls++) {
        struct desk_rows rows;
        uint32_t limit;
        int64_t begin = s->from;
        tlk_arena_reset(&s->rd->c->page);
        tl_status rc = next_rows(s, &rows, &limit, e);
        if (rc != TL_OK)
            return rc;
        s->count = rows.count;
        s->server_us = rows.server_us;
        if (rows.n == 0 && s->from == 0 && (rc = look_for_owner(s, e)) != TL_OK)
            return rc;
        s->rd->c->knows_open |= rows.n > 0 && s->part->fits == is_open && !s->plain;
        rc = take(s, &rows, e);
        if (rc != TL_OK)
            return rc;
        bool whole = s->from == begin + rows.n;
        bool last = rows.n == 0 || (rows.count >= 0 ? begin + rows.n >= rows.count : rows.n < limit);
        s->end = (whole && last) || s->from > DESK_SEARCH_LAST;
    }
    return TL_OK;
}

static tl_status checkpoint(const struct listing *s, tl_error *e)
{
    tl_conn *c = s->rd->c;
    tlk_cursor next = {0};
    tlk_cursor_set_int(&next, &c->page, "from", s->from);
    if (s->plain)
        tlk_cursor_set_int(&next, &c->page, "plain", 1);
    bool counted = !s->part->fits; /* of a part only those are known that were read */
    tl_status rc = tlk_checkpoint(c->host, 0, s->end, tlk_cursor_text(&next, TAG, &c->page), s->server_us,
                                  counted ? s->count : -1);
    return desk_page_end(c, rc, e);
}

/* A comma in a search means "or", and a star anything. */
static bool is_id(tl_str id)
{
    for (uint64_t i = 0; i < id.n; i++) {
        if (id.p[i] < '0' || id.p[i] > '9')
            return false;
    }
    return id.n > 0;
}

static tl_status tickets_list(const struct desk_reader *rd, const tl_list *q, tl_error *e)
{
    struct listing s = {.rd = rd, .q = q, .count = -1, .left = q->limit > 0 ? q->limit : ROWS};
    tlk_cursor at;
    s.part = tlk_row_by(parts, TLK_LEN(parts), name, q->filter);
    if (!s.part)
        return tlk_fail_kind(e, TL_E_UNSUPPORTED, "tickets of Zoho Desk have no list \"%.*s\"", TLK_FMT(q->filter));
    if (!is_id(q->about_id))
        return tlk_fail_record(e, TL_E_NOT_FOUND, TL_R_OTHER, "", "Zoho Desk has no %.*s with this id",
                               TLK_FMT(q->about_kind));
    if (!tlk_cursor_read(&at, TAG, q->cursor, &rd->c->call))
        return tlk_cursor_lost(e);
    s.from = tlk_cursor_int(&at, "from", 0);
    s.plain = tlk_cursor_int(&at, "plain", 0) != 0;
    if (s.from < 0 || s.from > DESK_SEARCH_LAST)
        return tlk_cursor_lost(e);
    tl_status rc = fill_page(&s, e);
    return rc == TL_OK ? checkpoint(&s, e) : rc;
}

static tl_status list(tl_conn *c, const tl_list *q, tl_error *e)
{
    struct desk_reader rd;
    if (desk_is_comments(q->shape->kind))
        return desk_comments_list(c, q, e);
    tl_status rc = desk_begin_records(c, q->shape, &rd, e);
    if (rc != TL_OK)
        return rc;
    if (!rd.kind->about || !tlk_in_list(tlk_str(rd.kind->about), ',', q->about_kind))
        return tlk_fail_kind(e, TL_E_UNSUPPORTED, "Zoho Desk has no list of %s of a %.*s", rd.kind->label,
                             TLK_FMT(q->about_kind));
    return desk_of_kind(rd.kind, tickets_list(&rd, q, e), e);
}

const tl_view desk_view = {.struct_size = sizeof(desk_view), .list = list};
