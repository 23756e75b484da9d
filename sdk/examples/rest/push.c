/* SPDX-License-Identifier: MIT-0
 * Writing: one record a call. */
#include "rest.h"

/* The body of a write: the record, inside of "data" where the API wants it so. */
static tl_str body_of(tl_conn *c, const struct work *w, const tl_record *rec)
{
    TLK_AUTO_WRITER out = {0};
    tl_str wrap = c->api.wrap ? tlk_str(w->kind->record) : TLK_NONE, part;
    tlk_w_object(&out);
    while (tlk_split(&wrap, '.', &part)) {
        tlk_w_key(&out, part);
        tlk_w_object(&out);
    }
    tlk_record_write(&out, w->plan.shape, rec, &w->rules);
    if (rec->op == TL_OP_CREATE && rec->stamp.n > 0 && *w->kind->stamp)
        tlk_w_member(&out, w->kind->stamp, rec->stamp);
    while (out.depth > 0)
        tlk_w_end_object(&out);
    return tlk_dup(&c->call, tlk_w_lent(&out));
}

/* Some answer a create with nothing but "Location: /people/17". */
static tl_str id_of_location(tl_conn *c, const struct kind *k, const tl_http *r)
{
    tl_str url = tlk_base_url(tlk_answer_header(r, "location"));
    uint64_t i = url.n;
    while (i > 0 && url.p[i - 1] != '/')
        i--;
    tl_str before = {url.p, i};
    return tlk_ends(tlk_base_url(before), k->path.p) ? tlk_dup(&c->call, (tl_str){url.p + i, url.n - i}) : TLK_NONE;
}

/* One record; a lost answer ends as TL_E_UNKNOWN. */
static tl_status push_one(tl_conn *c, const tl_push *p, const struct work *w, uint32_t index)
{
    const tl_record *rec = tlk_record(p->batch, index);
    const tlk_node *root;
    tl_http r;
    tl_error own = {.struct_size = sizeof(own)};
    bool create = rec->op == TL_OP_CREATE, remove = rec->op == TL_OP_DELETE;
    const char *method = create ? "POST" : remove ? "DELETE" : c->api.update_method;
    tlk_url u;
    tlk_url_begin(&u, &c->call, c->api.base, w->kind->path.p);
    tl_str url = create ? tlk_url_end(&u) : rest_url_of(c, w->kind, rec->id);
    tl_status rc = rest_ask(c, method, url, remove ? TLK_NONE : body_of(c, w, rec), &r, &root, &own);
    if (rc != TL_OK)
        return tlk_result_fail(c->host, index, tlk_write_status(&r, rc), &own);
    tl_record post = {0};
    const tlk_node *object = remove ? NULL : rest_at(root, w->kind->record);
    if (tlk_type(object) == TLK_JOBJECT)
        rest_read_record(c, w, object, &post);
    if (create && post.id.n == 0)
        post.id = id_of_location(c, w->kind, &r);
    if (create && post.id.n == 0) {
        rc = tlk_fail(&own, TL_E_UNKNOWN, "%s did not say the id of a new %s", c->api.errors.system, w->kind->name);
        return tlk_result_fail(c->host, index, rc, &own);
    }
    return tlk_result_ok(c->host, index, create, post.id.n > 0 ? &post : NULL);
}

tl_status rest_push(tl_conn *c, const tl_push *p, tl_error *e)
{
    struct work w;
    tl_status rc = rest_begin(c, p->shape, &w, e);
    for (uint32_t i = 0; i < p->batch->count && rc == TL_OK; i++)
        rc = push_one(c, p, &w, i);
    return rc;
}
