/* SPDX-License-Identifier: MIT-0
 * A reading goes page by page; the cursor names the next page: its number, the offset, the API's own cursor or its
 * address. Changes are asked for by time; the next reading begins a little before the time at which this one began, so
 * what is changed while pages are read comes with the next reading whatever the pages are sorted by. */
#include "rest.h"

#define CURSOR "rest.1"

/* Would the API have told it? What does not look so is a cursor of something else. */
static bool page_ok(const struct api *api, tl_str page, tlk_arena *a)
{
    int64_t n;
    if (api->paging == PAGING_PAGE || api->paging == PAGING_OFFSET)
        return tlk_to_i64(page, &n) && n >= 0;
    return api->paging == PAGING_CURSOR || tlk_url_next(a, api->base, page).n > 0;
}

static bool read_place(tl_conn *c, const tl_pull *p, struct place *out)
{
    tlk_cursor at = {0};
    uint32_t size = p->page_hint && p->page_hint < c->api.page_size ? p->page_hint : c->api.page_size;
    if (!tlk_cursor_read(&at, CURSOR, p->cursor, &c->call))
        return false;
    int64_t kept = tlk_cursor_int(&at, "size", size);
    *out = (struct place){.page = tlk_cursor_get(&at, "page"),
                          .size = kept > 0 && kept <= 1000 ? (uint32_t)kept : size,
                          .since_us = tlk_cursor_int(&at, "since", 0),
                          .start_us = tlk_cursor_int(&at, "start", 0)};
    if (p->mode == TL_PULL_CHANGES && p->cursor.n > 0 && out->since_us <= 0)
        return false;
    return out->page.n == 0 || page_ok(&c->api, out->page, &c->call);
}

static tl_str place_text(tl_conn *c, const struct place *s)
{
    tlk_cursor at = {0};
    if (s->since_us)
        tlk_cursor_set_int(&at, &c->call, "since", s->since_us);
    if (s->start_us)
        tlk_cursor_set_int(&at, &c->call, "start", s->start_us);
    if (s->page.n > 0) {
        tlk_cursor_set(&at, &c->call, "page", s->page);
        tlk_cursor_set_int(&at, &c->call, "size", s->size);
    }
    return tlk_cursor_text(&at, CURSOR, &c->call);
}

tl_str rest_page_url(tl_conn *c, const struct kind *k, const struct place *s)
{
    const struct api *api = &c->api;
    if (s->page.n > 0 && (api->paging == PAGING_LINK || s->page.p[0] == '/' || tlk_starts(s->page, "http")))
        return tlk_url_next(&c->call, api->base, s->page);
    tlk_url u;
    rest_list_url(c, k, &u);
    if (*api->limit_param)
        tlk_url_add_int(&u, api->limit_param, s->size);
    if (s->since_us)
        tlk_url_add(&u, api->since_param, rest_time_text(c, s->since_us));
    if (s->page.n > 0)
        tlk_url_add(&u, api->page_param, s->page);
    else if (api->paging == PAGING_PAGE)
        tlk_url_add_int(&u, api->page_param, api->first_page);
    return tlk_url_end(&u);
}

/* Moves s to the page behind the one that was answered with n records. False: that was the last. *bad: the answer names
 * a page that cannot be asked for. */
static bool next_page(tl_conn *c, struct place *s, const tl_http *r, const tlk_node *root, uint32_t n, bool *bad)
{
    const struct api *api = &c->api;
    int64_t here = api->paging == PAGING_PAGE ? api->first_page : 0;
    bool counted = api->paging == PAGING_PAGE || api->paging == PAGING_OFFSET, more = n > 0 || !counted;
    tl_str next = TLK_NONE;
    tlk_to_i64(s->page, &here);
    if (*api->more)
        tlk_bool(tlk_at(root, api->more), &more);
    if (api->paging == PAGING_PAGE)
        next = tlk_fmt(&c->call, "%lld", (long long)here + 1);
    else if (api->paging == PAGING_OFFSET)
        next = tlk_fmt(&c->call, "%lld", (long long)here + n);
    else if (api->paging == PAGING_CURSOR)
        next = tlk_text_at(root, api->next, &c->call);
    else if (api->paging == PAGING_LINK)
        next = tlk_answer_link(r, "next");
    more = more && next.n > 0;
    bool address = more && (api->paging == PAGING_LINK || next.p[0] == '/' || tlk_starts(next, "http"));
    if (address)
        next = tlk_url_next(&c->call, r->url, next);
    *bad = address && next.n == 0;
    s->page = more ? tlk_dup(&c->call, next) : TLK_NONE;
    return more;
}

/* Reads one page, hands it over, moves s behind it. */
static tl_status pull_page(tl_conn *c, const tl_pull *p, const struct work *w, struct place *s, bool *more, tl_error *e)
{
    tl_http r;
    const tlk_node *root, *o;
    bool bad;
    int64_t estimate = -1, now = c->host->now_us(c->host);
    tl_status rc = rest_ask(c, "GET", rest_page_url(c, w->kind, s), TLK_NONE, &r, &root, e);
    if (rc == TL_E_NOT_FOUND)
        return tlk_fail(e, TL_E_CONFIG, "%s has nothing at %s", c->api.errors.system, w->kind->path.p);
    int64_t server = r.server_us ? r.server_us : now;
    if (rc == TL_OK && p->mode == TL_PULL_CHANGES && s->start_us == 0) {
        rc = tlk_position_check(s->since_us, server, now, e);
        s->start_us = server;
    }
    if (rc != TL_OK)
        return rc;
    const tlk_node *list = rest_list_of(c, w->kind, root, e);
    if (!list)
        return TL_E_TEMPORARY;
    tl_record *records = tlk_new(&c->call, tl_record, tlk_count(list) + 1);
    uint32_t n = 0;
    for (tlk_iter i = tlk_each(list); tlk_next_item(&i, &o);) {
        rest_read_record(c, w, o, &records[n]);
        n += p->mode == TL_PULL_CHANGES || records[n].state == TL_STATE_LIVE; /* a pass tells of the living */
    }
    tlk_i64(*c->api.total ? tlk_at(root, c->api.total) : NULL, &estimate);
    *more = next_page(c, s, &r, root, tlk_count(list), &bad);
    if (bad)
        return tlk_fail(e, TL_E_CONFIG, "%s names a next page that is not at %s", c->api.errors.system, c->api.base.p);
    if (!*more && p->mode == TL_PULL_CHANGES) {
        s->since_us = s->start_us - OVERLAP_US;
        s->start_us = 0;
    }
    rc = tlk_emit(c->host, records, n);
    return rc == TL_OK ? tlk_checkpoint(c->host, p->mode, !*more, place_text(c, s), r.server_us, estimate) : rc;
}

tl_status rest_pull(tl_conn *c, const tl_pull *p, tl_error *e)
{
    struct work w;
    struct place s;
    bool more = true;
    tl_status rc = rest_begin(c, p->shape, &w, e);
    if (rc != TL_OK)
        return rc;
    if (!read_place(c, p, &s))
        return tlk_cursor_lost(e);
    if (p->mode == TL_PULL_CHANGES && s.since_us == 0) /* from now on */
        s.since_us = c->host->now_us(c->host) - OVERLAP_US;
    for (uint32_t page = 0; rc == TL_OK && more && (p->max_pages == 0 || page < p->max_pages); page++)
        rc = pull_page(c, p, &w, &s, &more, e);
    return rc == TL_E_CANCELLED ? TL_OK : rc; /* cancelled: the host has enough for now */
}
