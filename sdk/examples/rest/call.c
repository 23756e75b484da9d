/* SPDX-License-Identifier: MIT-0
 * How a call begins, requests and their answers. */
#include "rest.h"

static void add_headers(tl_conn *c, tl_http *r)
{
    tl_str list = c->api.headers, one, name;
    while (tlk_split(&list, '|', &one)) {
        one = tlk_trim(one);
        if (tlk_split(&one, ':', &name))
            tlk_request_header(r, &c->call, tlk_dup(&c->call, tlk_trim(name)).p, tlk_trim(one));
    }
}

tl_status rest_ask(tl_conn *c, const char *method, tl_str url, tl_str body, tl_http *r, const tlk_node **root,
                   tl_error *e)
{
    uint32_t flags = strcmp(method, "GET") == 0 ? 0 : TL_HTTP_WRITE;
    *root = NULL;
    tlk_request(r, method, url, flags | (c->api.anonymous ? TL_HTTP_NO_AUTH : 0));
    add_headers(c, r);
    if (body.n > 0)
        tlk_request_json(r, &c->call, body);
    return tlk_call(c->host, r, &c->api.errors, &c->json, root, e);
}

void rest_list_url(tl_conn *c, const struct kind *k, tlk_url *u)
{
    tlk_url_begin(u, &c->call, c->api.base, k->path.p);
    tl_str list = c->api.query, one, name;
    while (tlk_split(&list, '&', &one))
        if (tlk_split(&one, '=', &name))
            tlk_url_add(u, tlk_dup(&c->call, name).p, one);
}

tl_str rest_url_of(tl_conn *c, const struct kind *k, tl_str id)
{
    tlk_url u;
    tlk_url_begin(&u, &c->call, c->api.base, k->path.p);
    tlk_url_segment(&u, id);
    return tlk_url_end(&u);
}

const tlk_node *rest_at(const tlk_node *root, const char *path)
{
    return *path ? tlk_at(root, path) : root;
}

const tlk_node *rest_list_of(tl_conn *c, const struct kind *k, const tlk_node *root, tl_error *e)
{
    const tlk_node *list = rest_at(root, k->records);
    if (tlk_type(list) == TLK_JARRAY)
        return list;
    tlk_fail_kind(e, TL_E_TEMPORARY, "%s answered a list of %s with %s %s%s", c->api.errors.system, k->name,
                  tlk_type_name(list), *k->records ? "at " : "as a whole", k->records);
    return NULL;
}

tl_status rest_begin(tl_conn *c, const tl_shape *shape, struct work *w, tl_error *e)
{
    tlk_arena_reset(&c->call);
    w->kind = rest_kind(&c->api, shape->kind);
    if (!w->kind)
        return tlk_unknown_kind(e, c->api.errors.system, shape->kind);
    rest_rules(&w->rules, c);
    w->envelope = c->api.envelope;
    w->envelope.stamp = *w->kind->stamp ? w->kind->stamp : NULL;
    tlk_plan_init(&w->plan, shape, &w->rules, &c->call);
    return TL_OK;
}
