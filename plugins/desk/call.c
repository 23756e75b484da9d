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

/* Not documented by the vendor, but sent by some portals: x-rate-limit-limit, -remaining, -reset (seconds). */
static void tell_quota(tl_conn *c, const tl_http *r)
{
    int64_t limit, remaining, reset;
    if (!tlk_to_i64(tlk_answer_header(r, "x-rate-limit-remaining"), &remaining))
        return;
    if (!tlk_to_i64(tlk_answer_header(r, "x-rate-limit-limit"), &limit))
        limit = -1;
    if (!tlk_to_i64(tlk_answer_header(r, "x-rate-limit-reset"), &reset) || reset < 0 || reset > INT64_C(5000000000))
        reset = -1;
    else if (reset < INT64_C(100000000)) /* a duration, not a date */
        reset = c->host->now_us(c->host) + reset * TLK_US_PER_S;
    else
        reset *= TLK_US_PER_S;
    tlk_quota(c->host, "window", limit, remaining, reset);
}

static bool is_html(const tl_http *r)
{
    tl_str body = tlk_trim(r->out_body);
    return r->outcome == TL_OK && body.n > 0 && body.p[0] == '<';
}

tl_status desk_answer(tl_conn *c, const tl_http *r, const tlk_node **root, tl_error *e)
{
    tell_quota(c, r);
    tl_status rc = tlk_answer(c->host, r, &desk_errors, &c->json, root, e);
    if (rc == TL_E_CONFIG &&
        is_html(r)) /* github.com/airbytehq/airbyte issue 73352: a token meets another data centre */
        tlk_fail(
            e, rc,
            "Zoho Desk answered with an HTML page (HTTP %d) instead of JSON: the portal lives in another data centre; "
            "check the option dc",
            (int)r->status);
    return rc;
}

tl_status desk_call(tl_conn *c, tl_http *r, const tlk_node **root, tl_error *e)
{
    tl_status rc = c->host->http(c->host, r, 1, e);
    return rc == TL_OK ? desk_answer(c, r, root, e) : rc;
}

tl_status desk_get(tl_conn *c, tlk_url *u, const tlk_node **root, tl_error *e)
{
    tl_http r;
    desk_request(c, &r, "GET", u, 0);
    return desk_call(c, &r, root, e);
}

int64_t desk_server_us(tl_conn *c, const tl_http *r)
{
    return r->server_us > 0 ? r->server_us : c->host->now_us(c->host);
}

tl_status desk_unknown_kind(tl_error *e, tl_str kind)
{
    tl_status rc = tlk_fail(e, TL_E_UNSUPPORTED, "Zoho Desk connector knows no kind \"%.*s\"", TLK_FMT(kind));
    e->scope = TL_SCOPE_KIND;
    return rc;
}

tl_status desk_refused(tl_status rc, tl_error *e)
{
    if (rc == TL_OK || rc == TL_E_CANCELLED)
        return rc;
    return e->text[0] ? rc : tlk_fail(e, rc, "the host refused a record");
}

/* Without org_id: the user's only portal, asked for once and kept. */
static tl_status find_portal(tl_conn *c, tl_error *e)
{
    char kept[32];
    uint64_t n = 0;
    if (c->host->kv_get(c->host, "org_id", kept, sizeof(kept), &n) == TL_OK && n > 0 && n <= sizeof(kept)) {
        c->org = tlk_dup(&c->keep, tlk_strn(kept, n));
        return TL_OK;
    }
    const tlk_node *root;
    tlk_url u = desk_url(c, "/organizations");
    tl_status rc = desk_get(c, &u, &root, e);
    if (rc != TL_OK)
        return rc;
    const tlk_node *list = tlk_get(root, "data");
    if (tlk_count(list) != 1)
        return tlk_fail(e, TL_E_CONFIG, "the user belongs to %u portals of Zoho Desk; set org_id to one of them",
                        tlk_count(list));
    tl_str id = tlk_text_at(list, "0.id", &c->keep);
    c->org = tlk_dup(&c->keep, id);
    c->host->kv_set(c->host, "org_id", c->org); /* a copy that fails is asked for again */
    return TL_OK;
}

tl_status desk_begin(tl_conn *c, tl_error *e)
{
    tlk_arena_reset(&c->call);
    tlk_arena_reset(&c->page);
    return c->org.n > 0 ? TL_OK : find_portal(c, e);
}
