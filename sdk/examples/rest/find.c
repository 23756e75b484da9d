/* SPDX-License-Identifier: MIT-0
 * Records by value. */
#include "rest.h"

/* A search is a list with one more parameter, named as the field is. */
static tl_status find_one(tl_conn *c, const tl_find *q, const struct work *w, uint32_t index, tl_error *e)
{
    tlk_url u;
    tl_http r;
    const tlk_node *root, *o;
    const tl_query *query = tlk_query(q, index);
    const tl_field *f = tlk_field_by_path(q->shape, tlk_dup(&c->call, query->path).p);
    const char *name = tlk_is(query->path, "stamp") ? w->kind->stamp : f ? tlk_dup(&c->call, f->name).p : "";
    uint32_t limit = q->limit ? q->limit : c->api.page_size, n = 0;
    if (!*name)
        return tlk_fail(e, TL_E_UNSUPPORTED, "%s is not searched by \"%.*s\"", w->kind->name, TLK_FMT(query->path));
    rest_list_url(c, w->kind, &u);
    tlk_url_add(&u, name, query->value);
    if (*c->api.limit_param)
        tlk_url_add_int(&u, c->api.limit_param, limit < c->api.page_size ? limit : c->api.page_size);
    tl_status rc = rest_ask(c, "GET", tlk_url_end(&u), TLK_NONE, &r, &root, e);
    const tlk_node *list = rc == TL_OK ? rest_list_of(c, w->kind, root, e) : NULL;
    if (!list)
        return rc == TL_OK ? TL_E_TEMPORARY : rc;
    tl_record *records = tlk_new(&c->call, tl_record, tlk_count(list) + 1);
    for (tlk_iter i = tlk_each(list); n < limit && tlk_next_item(&i, &o); n++) {
        rest_read_record(c, w, o, &records[n]);
        records[n].index = index;
    }
    return tlk_emit(c->host, records, n);
}

tl_status rest_find(tl_conn *c, const tl_find *q, tl_error *e)
{
    struct work w;
    tl_status rc = rest_begin(c, q->shape, &w, e);
    for (uint32_t i = 0; i < q->n_queries && rc == TL_OK; i++)
        rc = find_one(c, q, &w, i, e);
    return rc;
}
