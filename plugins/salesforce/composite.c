/* Several calls in one [REST:resources_composite_composite]: one of the day's requests, one way there and back. */
#include "salesforce.h"

void sf_composite_begin(struct sf_composite *m, tl_conn *c)
{
    *m = (struct sf_composite){.c = c};
    tlk_w_object(&m->w);
    tlk_w_key(&m->w, TL_STR("compositeRequest"));
    tlk_w_array(&m->w);
}

void sf_composite_get(struct sf_composite *m, tl_str target)
{
    tlk_w_object(&m->w);
    tlk_w_member(&m->w, "method", TL_STR("GET"));
    tlk_w_member(&m->w, "url", target);
    tlk_w_member(&m->w, "referenceId", tlk_fmt(&m->c->call, "part%u", m->n++));
    tlk_w_end_object(&m->w);
}

void sf_composite_request(struct sf_composite *m, tl_http *r)
{
    tlk_w_end_array(&m->w);
    tlk_w_end_object(&m->w);
    tlk_request(r, "POST", sf_path(m->c, "/composite"), 0);
    tlk_request_json(r, &m->c->call, tlk_w_lent(&m->w));
    tlk_request_header(r, &m->c->call, "sforce-call-options", TL_STR("client=tieline"));
}

void sf_composite_done(struct sf_composite *m)
{
    tlk_w_done(&m->w);
}

/* Each has a status of its own; that of the whole is 200. */
tl_status sf_composite_part(const tlk_node *root, uint32_t i, const tlk_node **body, tl_error *e)
{
    const tlk_node *part = tlk_item(tlk_get(root, "compositeResponse"), i);
    int64_t status = 0;
    if (!tlk_i64(tlk_get(part, "httpStatusCode"), &status))
        return tlk_fail(e, TL_E_TEMPORARY, "salesforce: the answer to several calls lacks one of them");
    *body = tlk_get(part, "body");
    return status < 300 ? TL_OK : tlk_error_of(&sf_errors, (int32_t)status, *body, 0, e);
}
