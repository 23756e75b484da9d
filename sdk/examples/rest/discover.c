/* SPDX-License-Identifier: MIT-0
 * The kinds and fields that the options describe. */
#include "rest.h"

/* clang-format off */
static tl_status describe(tl_conn *c, const struct kind *k)
{
    const tl_kind kind = {
        .struct_size = sizeof(kind), .kind = tlk_str(k->name), .label = tlk_str(k->label), .name = k->path,
        .stamp_field = tlk_str(k->stamp), .can = k->can, .max_batch = 10, .max_get = 20, .max_find = 10,
        .resolution_ms = 1000, .settle_ms = 5000, .lateness_ms = OVERLAP_US / 1000,
        .n_fields = k->fields.n, .field_stride = sizeof(tl_field), .fields = k->fields.list};
    return c->host->describe(c->host, &kind);
}
/* clang-format on */

tl_status rest_discover(tl_conn *c, const tl_discover *q, tl_error *e)
{
    tl_status rc = TL_OK;
    (void)e;
    for (uint32_t i = 0; i < c->api.n_kinds && rc == TL_OK; i++)
        if (tlk_wants(q->kinds, q->n_kinds, c->api.kinds[i].name))
            rc = describe(c, &c->api.kinds[i]);
    return rc;
}
