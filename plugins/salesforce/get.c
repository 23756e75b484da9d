/* Records by id: a retrieve, and for what that does not show a query that sees the recycle bin. */
#include "salesforce.h"

enum { IDS_A_QUERY = 300 };

static tl_str retrieve_body(struct sf_reader *rd, const tl_str *ids, uint32_t n)
{
    TLK_AUTO_WRITER w = {0};
    TLK_AUTO_BUF select = {0};
    tlk_w_object(&w);
    tlk_w_key(&w, TL_STR("ids"));
    tlk_w_array(&w);
    for (uint32_t i = 0; i < n; i++)
        tlk_w_text(&w, ids[i]);
    tlk_w_end_array(&w);
    tlk_w_key(&w, TL_STR("fields"));
    tlk_w_array(&w);
    sf_soql_select(&select, rd->kind, rd->shape, rd->stamp);
    tl_str names = tlk_strn(select.p + 7, select.n - 7), name; /* behind "SELECT " */
    tl_str head;
    tlk_split(&names, ' ', &head);
    while (tlk_split(&head, ',', &name))
        tlk_w_text(&w, name);
    tlk_w_end_array(&w);
    tlk_w_end_object(&w);
    return tlk_dup(&rd->c->call, tlk_w_lent(&w));
}

static bool row_id_is(const tlk_node *row, tl_str id, tlk_arena *a)
{
    char want[SF_ID + 1];
    sf_id18(want, id);
    return tlk_is(tlk_text(tlk_get(row, "Id"), a), want);
}

/* Emits the rows that came; marks the ids that have none: one element an id in its order, null for what is deleted or
 * not visible [REST:resources_composite_sobjects_collections_retrieve_post]. */
static tl_status emit_retrieved(struct sf_reader *rd, const tlk_node *rows, const tl_get *req, uint32_t first,
                                uint32_t n, bool *missing, tl_error *e)
{
    tlk_arena *a = &rd->c->page;
    tl_record *list = tlk_new(a, tl_record, n ? n : 1);
    uint32_t filled = 0;
    for (uint32_t i = 0; i < n; i++)
        missing[first + i] = true;
    uint32_t at = 0;
    tlk_iter each = tlk_each(rows);
    for (const tlk_node *row; at < n && tlk_next_item(&each, &row); at++) {
        if (tlk_type(row) != TLK_JOBJECT || !row_id_is(row, req->ids[first + at], a))
            continue;
        sf_record_read(rd, row, &list[filled]);
        list[filled++].index = first + at;
        missing[first + at] = false;
    }
    tl_status rc = tlk_emit(rd->c->host, list, filled);
    return tlk_refused(rc, e);
}

static tl_status retrieve(struct sf_reader *rd, const tl_get *req, bool *missing, tl_error *e)
{
    tl_conn *c = rd->c;
    for (uint32_t first = 0; first < req->n_ids; first += SF_RETRIEVE) {
        uint32_t n = req->n_ids - first < SF_RETRIEVE ? req->n_ids - first : SF_RETRIEVE;
        tl_http r;
        const tlk_node *root = NULL;
        tlk_request(&r, "POST", sf_path(c, "/composite/sobjects/%s", rd->kind->object), 0);
        tlk_request_json(&r, &c->call, retrieve_body(rd, req->ids + first, n));
        tl_status rc = sf_call(c, &r, &root, e);
        if (rc == TL_OK)
            rc = emit_retrieved(rd, root, req, first, n, missing, e);
        if (rc != TL_OK)
            return rc;
    }
    return TL_OK;
}

/* A record that a query of everything does not show either is gone for good, or never was. */
static tl_status emit_gone(struct sf_reader *rd, const tl_get *req, const uint32_t *asked, uint32_t n,
                           const tlk_node *rows, tl_error *e)
{
    tlk_arena *a = &rd->c->page;
    tl_record *list = tlk_new(a, tl_record, n ? n : 1);
    for (uint32_t i = 0; i < n; i++) {
        const tlk_node *found = NULL, *row;
        tlk_iter each = tlk_each(rows);
        while (!found && tlk_next_item(&each, &row)) {
            if (row_id_is(row, req->ids[asked[i]], a))
                found = row;
        }
        if (found)
            sf_record_read(rd, found, &list[i]);
        else
            list[i] = (tl_record){.id = req->ids[asked[i]], .state = TL_STATE_DELETED};
        list[i].index = asked[i];
    }
    tl_status rc = tlk_emit(rd->c->host, list, n);
    return tlk_refused(rc, e);
}

/* The recycle bin is seen only by a query. */
static tl_status look_in_bin(struct sf_reader *rd, const tl_get *req, const bool *missing, tl_error *e)
{
    uint32_t asked[IDS_A_QUERY], n = 0;
    for (uint32_t i = 0; i <= req->n_ids; i++) {
        if (i < req->n_ids && missing[i])
            asked[n++] = i;
        if (n == 0 || (n < IDS_A_QUERY && i < req->n_ids))
            continue;
        TLK_AUTO_BUF b = {0};
        sf_soql_select(&b, rd->kind, rd->shape, rd->stamp);
        tlk_addz(&b, " WHERE Id IN (");
        for (uint32_t k = 0; k < n; k++) {
            tlk_addz(&b, k ? "," : "");
            sf_soql_text(&b, req->ids[asked[k]]);
        }
        tlk_addz(&b, ")");
        const tlk_node *root = NULL;
        tl_status rc = sf_query(rd->c, tlk_lent(&b), true, &root, NULL, e);
        if (rc == TL_OK)
            rc = emit_gone(rd, req, asked, n, tlk_get(root, "records"), e);
        if (rc != TL_OK)
            return rc;
        n = 0;
    }
    return TL_OK;
}

tl_status sf_get(tl_conn *c, const tl_get *req, tl_error *e)
{
    struct sf_reader rd;
    tl_status rc = sf_begin_records(c, req->shape, &rd, e);
    if (rc != TL_OK)
        return rc;
    for (uint32_t i = 0; i < req->n_ids; i++) { /* an id of another shape would fail the whole call */
        if (!sf_is_id(req->ids[i]))
            return tlk_fail_record(e, TL_E_INVALID, TL_R_PARAM_INVALID, "Id", "salesforce: \"%.*s\" is not an id",
                                   TLK_FMT(req->ids[i]));
    }
    bool *missing = tlk_new(&c->call, bool, req->n_ids + 1);
    rc = retrieve(&rd, req, missing, e);
    return rc == TL_OK ? look_in_bin(&rd, req, missing, e) : rc;
}
