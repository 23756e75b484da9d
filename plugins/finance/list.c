/* Lists: pages by number, 200 rows at most, and nothing else to hold on to [B:contacts; v4/pagination]. When a record
 * in front goes away, all behind it move up by one, and the first row of the next page would be jumped over. So each
 * page is asked for with the last row of the one before in it: its size is chosen anew so that a page begins there.
 * Where that row is found, reading goes on; where it is not, the list is read again from further in front. */
#include "finance.h"

void fin_walk_ask(int64_t at, uint32_t size, int64_t *page, int64_t *per_page)
{
    int64_t best = 0, few = size >= 20 && at >= 5 ? 5 : 1; /* so many may go away at once */
    *page = 1;
    *per_page = size;
    if (at <= 0)
        return;
    for (int64_t s = size / 2 + 1; s <= size || best == 0; s++) {
        int64_t twice = at - (at - 1) / s * s;                       /* rows in front of the place that come again */
        if (twice == s || twice < few || (best > 0 && twice > best)) /* all of them; too few; more than need be */
            continue;
        best = twice;
        *per_page = s;
    }
    *page = (at - 1) / *per_page + 1;
}

void fin_walk_keep(const struct fin_walk *w, tlk_cursor *cur, tlk_arena *a)
{
    tlk_cursor_set_int(cur, a, "at", w->at);
    tlk_cursor_set(cur, a, "last", w->last);
    tlk_cursor_set_int(cur, a, "time", w->last_us);
    tlk_cursor_set_int(cur, a, "again", w->again);
    tlk_cursor_set_int(cur, a, "lost", w->lost);
}

bool fin_walk_restore(struct fin_walk *w, const tlk_cursor *cur)
{
    w->at = tlk_cursor_int(cur, "at", 0);
    w->last = tlk_cursor_get(cur, "last");
    w->last_us = tlk_cursor_int(cur, "time", 0);
    w->again = tlk_cursor_int(cur, "again", 0);
    w->lost = tlk_cursor_int(cur, "lost", 0);
    return w->at >= 0 && w->at < INT32_MAX && w->again >= 0 && w->again < 32 && w->last.n <= 64;
}

static tl_status rows_read(const struct fin_reader *rd, const struct fin_walk *w, int64_t page, int64_t per_page,
                           struct fin_rows *out, tl_error *e)
{
    tl_conn *c = rd->c;
    const tlk_node *root = NULL;
    tl_http r;
    tlk_url u = fin_url(c, "/");
    tlk_addz(&u.b, rd->kind->many);
    tlk_url_add(&u, "filter_by", TL_STR("Status.All"));
    if (rd->kind->synced)
        tlk_url_add(&u, "contact_type", TL_STR("customer"));
    tlk_url_add(&u, "sort_column", tlk_str(w->sort));
    tlk_url_add(&u, "sort_order", w->down ? TL_STR("D") : TL_STR("A"));
    tlk_url_add_int(&u, "page", page);
    tlk_url_add_int(&u, "per_page", per_page);
    fin_request(c, &r, "GET", &u, 0);
    tl_status rc = fin_call(c, &r, &root, e);
    if (rc != TL_OK)
        return rc;
    const tlk_node *list = tlk_get(root, rd->kind->many), *context = tlk_get(root, "page_context");
    if (tlk_type(list) != TLK_JARRAY)
        return tlk_fail(e, TL_E_TEMPORARY, "%s answered a list without %s", c->product->title, rd->kind->many);
    if (tlk_type(context) == TLK_JARRAY) /* as the schemas say [OAS:invoices] */
        context = tlk_item(context, 0);
    *out = (struct fin_rows){.list = list,
                             .n = tlk_count(list),
                             .more = tlk_is_true(tlk_get(context, "has_more_page")),
                             .server_us = tlk_server_us(c->host, &r)};
    out->more = out->more && out->n > 0;
    return TL_OK;
}

/* Where the last row passed stands in the page, plus one; 0: it does not. */
static uint32_t place_of(const struct fin_reader *rd, const struct fin_walk *w, const struct fin_rows *rows)
{
    uint32_t at = 0;
    const tlk_node *one;
    tlk_iter i = tlk_each(rows->list);
    while (tlk_next_item(&i, &one)) {
        at++;
        if (tlk_eq(tlk_text_at(one, rd->kind->id, &rd->c->page), w->last))
            return at;
    }
    return 0;
}

/* Does the page begin with a row that was passed before? By its time, which the list is sorted by. */
static bool begins_before(const struct fin_walk *w, const struct fin_rows *rows)
{
    int64_t first = fin_time(tlk_item(rows->list, 0), w->sort);
    return first != 0 && (w->down ? first > w->last_us : first < w->last_us);
}

tl_status fin_walk_page(const struct fin_reader *rd, struct fin_walk *w, struct fin_rows *out, tl_error *e)
{
    int64_t page, per_page;
    tlk_arena_reset(&rd->c->page);
    fin_walk_ask(w->at, w->size, &page, &per_page);
    tl_status rc = rows_read(rd, w, page, per_page, out, e);
    if (rc != TL_OK)
        return rc;
    int64_t start = (page - 1) * per_page;
    uint32_t found = w->last.n > 0 ? place_of(rd, w, out) : 0;
    if (start > 0 && found == 0 && !(out->n > 0 && begins_before(w, out))) {
        int64_t back = (int64_t)w->size << (w->again < 20 ? w->again : 20);
        w->at = start > back ? start - back : 0;
        w->again++;
        w->lost++;
        out->n = 0;
        out->more = out->lost = true;
        return TL_OK;
    }
    out->first = found;
    w->at = start + out->n;
    w->again = 0;
    if (out->n > found) {
        const tlk_node *last = tlk_item(out->list, out->n - 1);
        w->last = tlk_dup(&rd->c->call, tlk_text_at(last, rd->kind->id, &rd->c->page));
        w->last_us = fin_time(last, w->sort);
    }
    return TL_OK;
}

tl_status fin_emit_rows(const struct fin_reader *rd, const tlk_node *const *rows, uint32_t n, uint32_t index,
                        tl_error *e)
{
    tl_conn *c = rd->c;
    if (rd->details) {
        tl_str *ids = tlk_new(&c->call, tl_str, n + 1);
        uint32_t *indexes = tlk_new(&c->call, uint32_t, n + 1);
        for (uint32_t i = 0; i < n; i++) {
            ids[i] = tlk_dup(&c->call, tlk_text_at(rows[i], rd->kind->id, &c->page));
            indexes[i] = index;
        }
        return fin_fetch(rd, ids, indexes, n, e);
    }
    tl_record *list = tlk_new(&c->page, tl_record, n + 1);
    uint32_t told = 0;
    for (uint32_t i = 0; i < n; i++) {
        fin_record_read(rd, rows[i], &list[told]);
        list[told].index = index;
        told += list[told].id.n > 0;
    }
    return tlk_refused(tlk_emit(c->host, list, told), e);
}
