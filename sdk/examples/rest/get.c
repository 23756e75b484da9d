/* SPDX-License-Identifier: MIT-0
 * Records by id: one call each. */
#include "rest.h"

tl_status rest_get(tl_conn *c, const tl_get *q, tl_error *e)
{
    struct work w;
    tl_status rc = rest_begin(c, q->shape, &w, e);
    for (uint32_t i = 0; i < q->n_ids && rc == TL_OK; i++) {
        tl_http r;
        const tlk_node *root;
        tl_record rec = {.id = q->ids[i], .state = TL_STATE_DELETED};
        rc = rest_ask(c, "GET", rest_url_of(c, w.kind, q->ids[i]), TLK_NONE, &r, &root, e);
        if (rc != TL_OK && rc != TL_E_NOT_FOUND)
            return rc;
        if (rc == TL_OK)
            rest_read_record(c, &w, rest_at(root, w.kind->record), &rec);
        rec.index = i;
        rc = tlk_emit(c->host, &rec, 1);
    }
    return rc;
}
