/* A pass: every live record once. */
#include "salesforce.h"

static void add_condition(tlk_buf *b, bool *any)
{
    tlk_addz(b, *any ? " AND " : " WHERE ");
    *any = true;
}

static void add_pass_conditions(tlk_buf *b, const struct sf_filter *f, const tl_pull *p, tl_str after)
{
    bool any = false;
    if (f->scope.n)
        tlk_addf(b, " USING SCOPE %.*s", TLK_FMT(f->scope));
    if (f->condition.n) {
        add_condition(b, &any);
        tlk_addf(b, "(%.*s)", TLK_FMT(f->condition));
    }
    if (p->created_from_us > 0) {
        add_condition(b, &any);
        tlk_addz(b, "CreatedDate >= ");
        sf_soql_time(b, p->created_from_us);
    }
    if (after.n) {
        add_condition(b, &any);
        tlk_addz(b, "Id > ");
        sf_soql_text(b, after);
    }
}

static tl_str pass_query(struct sf_reader *rd, const tl_pull *p, const struct sf_filter *f, tl_str after, int limit)
{
    TLK_AUTO_BUF b = {0};
    sf_soql_select(&b, rd->kind, rd->shape, rd->stamp);
    add_pass_conditions(&b, f, p, after);
    tlk_addf(&b, " ORDER BY Id LIMIT %d", limit);
    return tlk_dup(&rd->c->call, tlk_lent(&b));
}

/* How many there are in all, asked once a pass. */
static tl_status count_all(struct sf_reader *rd, const tl_pull *p, const struct sf_filter *f, tlk_cursor *cur,
                           tl_error *e)
{
    TLK_AUTO_BUF b = {0};
    const tlk_node *root = NULL;
    int64_t total = -1, server_us = 0;
    tlk_addf(&b, "SELECT COUNT() FROM %s", rd->kind->object);
    add_pass_conditions(&b, f, p, TLK_NONE);
    tl_status rc = sf_query(rd->c, tlk_lent(&b), false, &root, &server_us, e);
    if (rc != TL_OK)
        return rc;
    tlk_i64(tlk_get(root, "totalSize"), &total);
    tlk_cursor_set_int(cur, &rd->c->call, "all", total);
    tlk_cursor_set_int(cur, &rd->c->call, "began", server_us);
    return TL_OK;
}

/* Records in the order of their ids: every page is asked for by the last id of the one before, so that a cursor is good
 * for ever. (Query locators die with their session, and with every rotated refresh token.) */
tl_status sf_pass(struct sf_reader *rd, const tl_pull *p, tl_error *e)
{
    tl_conn *c = rd->c;
    tlk_cursor cur;
    struct sf_filter f;
    if (!tlk_cursor_read(&cur, SF_PASS_TAG, p->cursor, &c->call))
        return tlk_cursor_lost(e);
    tl_status rc = sf_filter_of(rd, p->view, &f, e);
    if (rc == TL_OK && tlk_cursor_int(&cur, "began", 0) == 0)
        rc = count_all(rd, p, &f, &cur, e);
    int limit = p->page_hint >= 1 && p->page_hint < SF_PAGE ? (int)p->page_hint : SF_PAGE;
    for (bool more = true; rc == TL_OK && more;) {
        const tlk_node *root = NULL;
        rc = sf_query(c, pass_query(rd, p, &f, tlk_cursor_get(&cur, "after"), limit), false, &root, NULL, e);
        if (rc != TL_OK)
            break;
        const tlk_node *rows = tlk_get(root, "records");
        uint32_t n = tlk_count(rows);
        bool done = true;
        tlk_bool(tlk_get(root, "done"), &done);
        more = n > 0 && (!done || n >= (uint32_t)limit);
        struct sf_rows emitted;
        rc = sf_emit_rows(rd, rows, &emitted, e);
        if (rc != TL_OK)
            break;
        if (n)
            tlk_cursor_set(&cur, &c->call, "after", emitted.list[n - 1].id);
        rc = tlk_checkpoint(c->host, TL_PULL_PASS, !more, tlk_cursor_text(&cur, SF_PASS_TAG, &c->page),
                            tlk_cursor_int(&cur, "began", 0), tlk_cursor_int(&cur, "all", -1));
        if (rc == TL_E_CANCELLED)
            return TL_OK; /* the page budget is used up */
        if (rc != TL_OK)
            return tlk_refused(rc, e);
    }
    return rc;
}
