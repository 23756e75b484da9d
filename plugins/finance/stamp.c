/* The stamp field: a custom field of which the organisation says "no duplicates". By it a create becomes an update or
 * insert (PUT of the collection with X-Unique-Identifier headers), the one way in which the vendor makes a create safe
 * to repeat [B:contacts, "update a contact using a custom field's unique value"]. */
#include "finance.h"

/* No call tells which custom fields there are. But the same PUT without X-Upsert only looks: where the field is one
 * with "no duplicates", nobody has this value (1002, "does not exist"); any other refusal is about the field. */
tl_status fin_can_stamp(tl_conn *c, const struct fin_kind *k, bool *can, tl_error *e)
{
    const tlk_node *root = NULL;
    tl_http r;
    tlk_url u = fin_url(c, "/");
    tlk_addz(&u.b, k->many);
    fin_request(c, &r, "PUT", &u, 0);
    tlk_request_header(&r, &c->call, "X-Unique-Identifier-Key", c->stamp);
    tlk_request_header(&r, &c->call, "X-Unique-Identifier-Value", TL_STR("tieline looks whether this field is unique"));
    fin_body(c, &r, TL_STR("{}"));
    tl_status rc = fin_call(c, &r, &root, e);
    *can = rc == TL_E_NOT_FOUND;
    if (rc != TL_OK && rc != TL_E_NOT_FOUND && rc != TL_E_INVALID && strcmp(e->code, "57") != 0)
        return rc;
    tlk_error_clear(e);
    return TL_OK;
}
