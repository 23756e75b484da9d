/* Calls to the API: address, portal header, what came back. */
#include "desk.h"

tlk_url desk_url(tl_conn *c, const char *path)
{
    tlk_url u;
    tlk_url_begin(&u, &c->page, c->api, path);
    return u;
}

void desk_request(tl_conn *c, tl_http *r, const char *method, tlk_url *u, uint32_t flags)
{
    tlk_request(r, method, tlk_url_end(u), flags);
    if (c->org.n > 0)
        tlk_request_header(r, &c->page, "orgId", c->org); /* on every call but /organizations [OAS:Organization] */
}

tl_status desk_call(tl_conn *c, tl_http *r, const tlk_node **root, tl_error *e)
{
    return tlk_call(c->host, r, &desk_errors, &c->json, root, e);
}

tl_status desk_read(tl_conn *c, tlk_url *u, const tlk_node **root, tl_error *e)
{
    tl_http r;
    desk_request(c, &r, "GET", u, 0);
    return desk_call(c, &r, root, e);
}

/* Without org_id: the user's only portal, asked for once and kept. */
static tl_status find_portal(tl_conn *c, tl_error *e)
{
    c->org = tlk_kept(c->host, &c->keep, "org_id");
    if (c->org.n > 0)
        return TL_OK;
    const tlk_node *root;
    tlk_url u = desk_url(c, "/organizations");
    tl_status rc = desk_read(c, &u, &root, e);
    if (rc != TL_OK)
        return rc;
    const tlk_node *list = tlk_get(root, "data");
    if (tlk_count(list) != 1)
        return tlk_fail(e, TL_E_CONFIG, "the user belongs to %u portals of Zoho Desk; set org_id to one of them",
                        tlk_count(list));
    c->org = tlk_dup(&c->keep, tlk_text_at(list, "0.id", &c->call));
    c->host->kv_set(c->host, "org_id", c->org); /* a copy that fails is asked for again */
    return TL_OK;
}

tl_status desk_begin(tl_conn *c, tl_error *e)
{
    tlk_arena_reset(&c->call);
    tlk_arena_reset(&c->page);
    return c->org.n > 0 ? TL_OK : find_portal(c, e);
}

bool desk_lacks_scope(tl_status rc, const tl_error *e)
{
    return rc != TL_OK && strcmp(e->code, "SCOPE_MISMATCH") == 0;
}

tl_status desk_data(const tlk_node *root, const char *of, const tlk_node **data, tl_error *e)
{
    *data = tlk_get(root, "data");
    if (!root || tlk_type(*data) == TLK_JARRAY)
        return TL_OK;
    return tlk_fail(e, TL_E_TEMPORARY, "Zoho Desk answered without the list of %s", of);
}

tl_status desk_page_end(tl_conn *c, tl_status rc, tl_error *e)
{
    if (rc == TL_E_CANCELLED && !c->host->cancelled(c->host))
        return TL_OK;
    return tlk_refused(rc, e);
}

tl_status desk_of_kind(const struct desk_kind *k, tl_status rc, tl_error *e)
{
    if (k->trash_ids || !desk_lacks_scope(rc, e))
        return rc;
    tlk_fail_kind(e, TL_E_DENIED, "the sign-in lacks the scope %s for %s: sign in again with it", k->scope, k->label);
    e->reason = TL_R_PERMISSION;
    return TL_E_DENIED;
}

tl_status desk_begin_records(tl_conn *c, const tl_shape *shape, struct desk_reader *rd, tl_error *e)
{
    const struct desk_kind *k = desk_kind_of(shape->kind);
    if (!k)
        return tlk_unknown_kind(e, desk_errors.system, shape->kind);
    tl_status rc = desk_begin(c, e);
    if (rc == TL_OK)
        desk_reader_init(rd, c, k, shape);
    return rc;
}
