/* Pulling: which mode, and the filter of a list view. */
#include "salesforce.h"

/* A list view is followed by its query, not by its results: those are texts for the screen
 * [REST:resources_listviewdescribe]. */
tl_status sf_filter_of(struct sf_reader *rd, tl_str view, struct sf_filter *out, tl_error *e)
{
    *out = (struct sf_filter){{NULL, 0}, {NULL, 0}};
    if (!view.n)
        return TL_OK;
    tl_conn *c = rd->c;
    if (view.n > SF_ID || !sf_is_name(tlk_fmt(&c->call, "i%.*s", TLK_FMT(view))))
        return tlk_fail(e, TL_E_CONFIG, "salesforce: \"%.*s\" is not the id of a list view", TLK_FMT(view));
    tl_http r;
    const tlk_node *root = NULL;
    sf_get_request(c, &r, sf_path(c, "/sobjects/%s/listviews/%.*s/describe", rd->kind->object, TLK_FMT(view)));
    tl_status rc = sf_call(c, &r, &root, e);
    if (rc == TL_E_NOT_FOUND)
        return tlk_fail_kind(e, TL_E_CONFIG, "salesforce: there is no list view \"%.*s\" of %s", TLK_FMT(view),
                             rd->kind->object);
    if (rc != TL_OK)
        return rc;
    tl_str query = tlk_dup(&c->call, tlk_text(tlk_get(root, "query"), &c->page));
    return sf_soql_view(query, &out->scope, &out->condition)
               ? TL_OK
               : tlk_fail_kind(e, TL_E_UNSUPPORTED, "salesforce: the list view \"%.*s\" has no query to follow",
                               TLK_FMT(view));
}

tl_status sf_pull(tl_conn *c, const tl_pull *p, tl_error *e)
{
    struct sf_reader rd;
    tl_status rc = sf_begin_records(c, p->shape, &rd, e);
    if (rc != TL_OK)
        return rc;
    rc = p->mode == TL_PULL_PASS ? sf_pass(&rd, p, e) : sf_changes(&rd, p, e);
    if (rc == TL_E_INVALID && e->reason == TL_R_SCHEMA && rd.stamp.n && strstr(e->text, rd.stamp.p))
        sf_stamp_remember(c, rd.kind, SF_STAMP_MISSING); /* the field has gone; the next pull does without */
    return rc;
}
