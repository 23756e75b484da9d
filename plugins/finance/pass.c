/* A pass: every customer once, in the order of creation. */
#include "finance.h"

static uint32_t page_size(const struct fin_reader *rd, const tl_pull *p)
{
    uint32_t most = rd->details ? FIN_DETAILS : FIN_PAGE;
    return p->page_hint > 1 && p->page_hint < most ? p->page_hint : most;
}

static tl_status emit_all(const struct fin_reader *rd, const struct fin_rows *rows, tl_error *e)
{
    const tlk_node **list = tlk_new(&rd->c->call, const tlk_node *, rows->n + 1), *one;
    uint32_t at = 0, n = 0;
    tlk_iter i = tlk_each(rows->list);
    while (at < rows->n && tlk_next_item(&i, &one)) {
        if (at++ >= rows->first)
            list[n++] = one;
    }
    return fin_emit_rows(rd, list, n, 0, e);
}

tl_status fin_pass(struct fin_reader *rd, const tl_pull *p, tl_error *e)
{
    tl_conn *c = rd->c;
    tlk_cursor cur;
    struct fin_walk w = {.sort = "created_time", .size = page_size(rd, p)};
    if (!tlk_cursor_read(&cur, FIN_PASS_TAG, p->cursor, &c->call) || !fin_walk_restore(&w, &cur))
        return tlk_cursor_lost(e);
    int64_t server_us = tlk_cursor_int(&cur, "server", 0);
    for (bool more = true; more;) {
        struct fin_rows rows;
        tl_status rc = fin_walk_page(rd, &w, &rows, e);
        more = rows.more;
        if (rc == TL_OK && server_us == 0) {
            server_us = rows.server_us;
            rc = tlk_position_check(0, server_us, c->host->now_us(c->host), e);
        }
        if (rc == TL_OK)
            rc = emit_all(rd, &rows, e);
        if (rc != TL_OK)
            return rc;
        tlk_cursor next = {0};
        fin_walk_keep(&w, &next, &c->call);
        tlk_cursor_set_int(&next, &c->call, "server", server_us);
        rc =
            tlk_checkpoint(c->host, TL_PULL_PASS, !more, tlk_cursor_text(&next, FIN_PASS_TAG, &c->call), server_us, -1);
        if (rc == TL_E_CANCELLED)
            return TL_OK; /* the page budget is used up */
        if (rc != TL_OK)
            return tlk_refused(rc, e);
    }
    return TL_OK;
}
