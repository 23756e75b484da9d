/* Calls to the API: address, organisation, form of the body, pace, and what came back. */
#include "finance.h"

/* ---- beginning */

/* Where the sign-in names no host: by data centre [B:introduction]. */
static const struct {
    const char *dc, *ending;
} endings[] = {{"com", "com"},   {"eu", "eu"}, {"in", "in"}, {"au", "com.au"}, {"jp", "jp"},
               {"cn", "com.cn"}, {"ca", "ca"}, {"sa", "sa"}, {"ae", "ae"},     {"uk", "uk"}};

static const char *ending_of(tl_str dc)
{
    for (size_t i = 0; i < TLK_LEN(endings); i++) {
        if (tlk_is(dc, endings[i].dc))
            return endings[i].ending;
    }
    return "com";
}

tl_status fin_begin_bare(tl_conn *c, tl_error *e)
{
    tlk_arena_reset(&c->call);
    tlk_arena_reset(&c->page);
    tl_str host = c->api;
    tl_status rc = host.n > 0 ? TL_OK : tlk_auth_extra(c->host, &c->call, "api_domain", &host, e);
    if (rc != TL_OK)
        return rc;
    host = tlk_base_url(host);
    if (host.n == 0)
        host = tlk_fmt(&c->call, "https://www.zohoapis.%s", ending_of(c->dc));
    c->base = tlk_fmt(&c->call, "%.*s%s", TLK_FMT(host), c->product->path);
    return TL_OK;
}

tl_status fin_begin(tl_conn *c, tl_error *e)
{
    tl_status rc = fin_begin_bare(c, e);
    return rc == TL_OK && c->org.n == 0 ? fin_find_organization(c, e) : rc;
}

tl_status fin_begin_records(tl_conn *c, const tl_shape *shape, bool stamped, struct fin_reader *rd, tl_error *e)
{
    const struct fin_kind *k = fin_kind_of(shape->kind);
    if (!k)
        return tlk_unknown_kind(e, fin_errors.system, shape->kind);
    tl_status rc = fin_begin(c, e);
    if (rc != TL_OK)
        return rc;
    *rd = (struct fin_reader){.c = c, .kind = k, .shape = shape, .details = stamped};
    tlk_plan_init(&rd->plan, shape, &fin_rules, &c->call);
    for (uint32_t i = 0; i < shape->n_fields && !rd->details; i++) {
        const struct fin_field *f = tlk_row_by(k->fields, k->n_fields, name, tlk_field(shape, i)->name);
        rd->details = !f || !f->listed;
    }
    return TL_OK;
}

/* ---- requests */

tlk_url fin_url(tl_conn *c, const char *path)
{
    tlk_url u;
    tlk_url_begin(&u, &c->call, c->base, path);
    return u;
}

/* Books wants the organisation in the query [B:introduction], Invoice in a header [I:introduction] or there; who gets
 * both and both say the same is content. */
void fin_request(tl_conn *c, tl_http *r, const char *method, tlk_url *u, uint32_t flags)
{
    if (c->org.n > 0)
        tlk_url_add(u, "organization_id", c->org);
    tlk_request(r, method, tlk_url_end(u), flags);
    if (c->org.n > 0 && c->product->form)
        tlk_request_header(r, &c->call, "X-com-zoho-invoice-organizationid", c->org);
}

void fin_body(tl_conn *c, tl_http *r, tl_str json)
{
    if (!c->product->form) {
        tlk_request_json(r, &c->call, json);
        return;
    }
    TLK_AUTO_BUF form = {0};
    tlk_addz(&form, "JSONString=");
    tlk_add_url(&form, json);
    r->body = tlk_dup(&c->call, tlk_lent(&form));
    tlk_request_header(r, &c->call, "content-type", TL_STR("application/x-www-form-urlencoded"));
}

/* ---- pace */

/* The vendor counts for all who use the organisation and blocks it as a whole: reading in bulk leaves room for others.
 */
static tl_status keep_pace(tl_conn *c, uint32_t n, tl_error *e)
{
    const int64_t minute = INT64_C(60) * TLK_US_PER_S;
    int64_t now = c->host->now_us(c->host);
    if (c->per_minute <= 0)
        return TL_OK;
    if (now < c->minute_us || now - c->minute_us >= minute) {
        c->minute_us = now;
        c->calls = 0;
    }
    if (c->calls > 0 && c->calls + n > c->per_minute) {
        tl_status rc = c->host->sleep_ms(c->host, (uint32_t)((c->minute_us + minute - now) / TLK_US_PER_MS + 1));
        if (rc != TL_OK)
            return tlk_fail(e, rc, "stopped while waiting for the next minute's calls");
        c->minute_us = c->host->now_us(c->host);
        c->calls = 0;
    }
    c->calls += n;
    return TL_OK;
}

tl_status fin_send(tl_conn *c, tl_http *r, uint32_t n, tlk_each_fn each, void *ctx, tl_error *e)
{
    for (uint32_t first = 0; first < n; first += FIN_AT_ONCE) {
        uint32_t group = n - first < FIN_AT_ONCE ? n - first : FIN_AT_ONCE;
        tl_status rc = keep_pace(c, group, e);
        if (rc == TL_OK)
            rc = c->host->http(c->host, r + first, group, e);
        if (rc == TL_OK)
            rc = each(ctx, r + first, first, group, e);
        if (rc != TL_OK)
            return rc;
    }
    return TL_OK;
}

/* ---- answers */

tl_status fin_answer(tl_conn *c, const tl_http *r, const tlk_node **root, tl_error *e)
{
    int64_t code = 0;
    tl_status rc = tlk_answer(c->host, r, &fin_errors, &c->json, root, e);
    if (rc != TL_OK || !tlk_i64(tlk_get(*root, "code"), &code) || code == 0)
        return rc;
    return tlk_error_of(&fin_errors, 0, *root, 0, e);
}

tl_status fin_call(tl_conn *c, tl_http *r, const tlk_node **root, tl_error *e)
{
    tl_status rc = keep_pace(c, 1, e);
    if (rc == TL_OK)
        rc = c->host->http(c->host, r, 1, e);
    return rc == TL_OK ? fin_answer(c, r, root, e) : rc;
}

tl_status fin_read(tl_conn *c, tlk_url *u, const tlk_node **root, tl_error *e)
{
    tl_http r;
    fin_request(c, &r, "GET", u, 0);
    return fin_call(c, &r, root, e);
}

/* As the browser shows it; the address stands in no document. */
tl_str fin_web_url(tl_conn *c, const struct fin_kind *k, tl_str id)
{
    bool canada = tlk_is(c->dc, "ca");
    return tlk_fmt(&c->page, "https://%s.%s.%s/app/%.*s#/%s/%.*s", c->product->name, canada ? "zohocloud" : "zoho",
                   ending_of(c->dc), TLK_FMT(c->org), k->many, TLK_FMT(id));
}
