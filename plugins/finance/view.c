/* Invoices and estimates of a customer, the latest first: read for who looks at them, never kept [OAS:invoices,
 * OAS:estimates]. */
#include "finance.h"

#define TAG "finance.list.1"

static void list_request(const struct fin_reader *rd, const tl_list *q, int64_t page, uint32_t size, tl_http *r)
{
    tlk_url u = fin_url(rd->c, "/");
    tlk_addz(&u.b, rd->kind->many);
    tlk_url_add(&u, "customer_id", q->about_id);
    if (q->filter.n > 0)
        tlk_url_add(&u, "status", q->filter);
    tlk_url_add(&u, "sort_order", TL_STR("D")); /* of the default column, which is the time of creation */
    tlk_url_add_int(&u, "page", page);
    tlk_url_add_int(&u, "per_page", size);
    fin_request(rd->c, r, "GET", &u, 0);
}

/* A list of nobody's is as empty as one of somebody who has none. */
static tl_status customer_exists(tl_conn *c, tl_str id, tl_error *e)
{
    const tlk_node *root = NULL;
    tlk_url u = fin_url(c, "/contacts");
    tlk_url_segment(&u, id);
    tl_status rc = fin_read(c, &u, &root, e);
    return rc == TL_E_INVALID
               ? tlk_fail_record(e, TL_E_NOT_FOUND, TL_R_OTHER, "", "there is no customer \"%.*s\"", TLK_FMT(id))
               : rc;
}

static tl_status fin_list(tl_conn *c, const tl_list *q, tl_error *e)
{
    struct fin_reader rd;
    tlk_cursor cur;
    const tlk_node *root = NULL, *one;
    tl_http r;
    tl_status rc = fin_begin_records(c, q->shape, false, &rd, e);
    if (rc != TL_OK)
        return rc;
    if (!rd.kind->about || !tlk_in_list(tlk_str(rd.kind->about), ',', q->about_kind))
        return tlk_fail_kind(e, TL_E_UNSUPPORTED, "%s are not listed by %.*s", rd.kind->label, TLK_FMT(q->about_kind));
    if (!tlk_cursor_read(&cur, TAG, q->cursor, &c->call))
        return tlk_cursor_lost(e);
    uint32_t most = rd.details ? FIN_DETAILS : FIN_PAGE, size = q->limit > 0 && q->limit < most ? q->limit : most;
    int64_t page = tlk_cursor_int(&cur, "page", 1);
    list_request(&rd, q, page, size, &r);
    rc = fin_call(c, &r, &root, e);
    if (rc != TL_OK)
        return rc;
    const tlk_node *list = tlk_get(root, rd.kind->many), *context = tlk_get(root, "page_context");
    const tlk_node **rows = tlk_new(&c->call, const tlk_node *, tlk_count(list) + 1);
    bool more = tlk_is_true(tlk_get(tlk_type(context) == TLK_JARRAY ? tlk_item(context, 0) : context, "has_more_page"));
    int64_t server_us = tlk_server_us(c->host, &r);
    uint32_t n = 0;
    tlk_iter i = tlk_each(list);
    while (n < size && tlk_next_item(&i, &one))
        rows[n++] = one;
    rc = n > 0 ? fin_emit_rows(&rd, rows, n, 0, e) : page == 1 ? customer_exists(c, q->about_id, e) : TL_OK;
    if (rc != TL_OK)
        return rc;
    tlk_cursor next = {0};
    tlk_cursor_set_int(&next, &c->call, "page", page + 1);
    rc = tlk_checkpoint(c->host, 0, !more || n == 0, tlk_cursor_text(&next, TAG, &c->call), server_us, -1);
    return rc == TL_E_CANCELLED ? TL_OK : tlk_refused(rc, e); /* the page is all that was asked for */
}

const tl_view fin_view = {.struct_size = sizeof(fin_view), .list = fin_list};
