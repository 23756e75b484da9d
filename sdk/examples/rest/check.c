/* SPDX-License-Identifier: MIT-0
 * Is everything there that is used? */
#include "rest.h"

/* One record of every kind that is used: a wrong path, key or right shows. */
tl_status rest_check(tl_conn *c, const tl_check *q, tl_error *e)
{
    const tl_account a = {.struct_size = sizeof(a), .org_key = c->api.org, .org_name = c->api.org};
    tl_status rc = TL_OK;
    tlk_arena_reset(&c->call);
    for (uint32_t i = 0; i < c->api.n_kinds && rc == TL_OK; i++) {
        const struct kind *k = &c->api.kinds[i];
        const struct place first = {.size = 1};
        tl_http r;
        const tlk_node *root;
        if (!tlk_wants(q->kinds, q->n_kinds, k->name))
            continue;
        rc = rest_ask(c, "GET", rest_page_url(c, k, &first), TLK_NONE, &r, &root, e);
        if (rc == TL_OK && !rest_list_of(c, k, root, e))
            rc = TL_E_CONFIG;
        if (rc == TL_E_NOT_FOUND)
            rc = tlk_fail(e, TL_E_CONFIG, "%s has nothing at %s", c->api.errors.system, k->path.p);
    }
    return rc == TL_OK ? c->host->account(c->host, &a) : rc;
}
