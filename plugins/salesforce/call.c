/* Requests to Salesforce and the first look at their answers. */
#include "salesforce.h"

#include <stdarg.h>
#include <stdio.h>

/* ---- beginning */

/* Every API call goes to the address that the sign-in named, never to the login host
 * [REST:intro_understanding_refresh_token_oauth]. */
tl_status sf_begin(tl_conn *c, tl_error *e)
{
    tlk_arena_reset(&c->call);
    tlk_arena_reset(&c->page);
    tl_str url = {NULL, 0};
    tl_status rc = tlk_auth_extra(c->host, &c->call, "instance_url", &url, e);
    if (rc != TL_OK)
        return rc;
    c->base = c->instance.n ? c->instance : tlk_base_url(url);
    if (!c->base.n)
        return tlk_fail(e, TL_E_CONFIG, "salesforce: the sign-in names no instance_url; set that option");
    c->data = tlk_fmt(&c->call, "%.*s/services/data/v%.*s", TLK_FMT(c->base), TLK_FMT(c->version));
    return TL_OK;
}

tl_status sf_identity(tl_conn *c, tl_str *org, tl_str *user, tl_error *e)
{
    tl_str url = {NULL, 0};
    tl_status rc = tlk_auth_extra(c->host, &c->call, "id", &url, e);
    if (rc != TL_OK)
        return rc;
    /* ".../id/00D.../005...", 15 or 18 characters each */
    tl_str part, last = {NULL, 0}, before = {NULL, 0};
    while (tlk_split(&url, '/', &part)) {
        before = last;
        last = part;
    }
    if (last.n < 15 || before.n < 15 || !tlk_starts(before, "00D"))
        return tlk_fail(e, TL_E_TEMPORARY, "salesforce: the sign-in does not say which org and user it is for");
    char id[SF_ID + 1];
    sf_id18(id, before);
    *org = tlk_dup(&c->call, tlk_str(id));
    sf_id18(id, last);
    *user = tlk_dup(&c->call, tlk_str(id));
    return TL_OK;
}

tl_status sf_begin_records(tl_conn *c, const tl_shape *shape, struct sf_reader *rd, tl_error *e)
{
    const struct sf_kind *k = sf_kind_of(shape->kind);
    if (!k)
        return tlk_unknown_kind(e, sf_errors.system, shape->kind);
    tl_status rc = sf_begin(c, e);
    if (rc == TL_OK)
        sf_reader_init(rd, c, k, shape);
    return rc;
}

/* ---- requests */

tl_str sf_path(tl_conn *c, const char *fmt, ...)
{
    char tail[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(tail, sizeof(tail), fmt, ap);
    va_end(ap);
    return tlk_fmt(&c->call, "%.*s%s", TLK_FMT(c->data), tail);
}

void sf_get_request(tl_conn *c, tl_http *r, tl_str url)
{
    tlk_request(r, "GET", url, 0);
    tlk_request_header(r, &c->call, "sforce-call-options", TL_STR("client=tieline"));
}

/* Assignment rules would change the owner unless told not to [REST:headers_autoassign]. Duplicate rules that only alert
 * are overridden by choice [REST:headers_duplicaterules]. */
void sf_write_request(tl_conn *c, tl_http *r, const char *method, tl_str url, tl_str json)
{
    tlk_request(r, method, url, TL_HTTP_WRITE);
    tlk_request_header(r, &c->call, "sforce-call-options", TL_STR("client=tieline"));
    tlk_request_header(r, &c->call, "sforce-auto-assign", TL_STR("FALSE"));
    if (c->save_alerts)
        tlk_request_header(r, &c->call, "sforce-duplicate-rule-header", TL_STR("allowSave=true"));
    if (json.n)
        tlk_request_json(r, &c->call, json);
}

/* ---- answers */

tl_status sf_call(tl_conn *c, tl_http *r, const tlk_node **root, tl_error *e)
{
    tlk_arena_reset(&c->page);
    return tlk_call(c->host, r, &sf_errors, &c->json, root, e);
}

/* ---- queries */

static tl_str query_target(tl_conn *c, tl_str soql, bool all, tl_str data)
{
    TLK_AUTO_BUF b = {0};
    tlk_add(&b, data);
    tlk_addz(&b, all ? "/queryAll?q=" : "/query?q=");
    tlk_add_url(&b, soql);
    return tlk_dup(&c->call, tlk_lent(&b));
}

tl_str sf_inner_path(tl_conn *c, tl_str tail)
{
    return tlk_fmt(&c->call, "/services/data/v%.*s%.*s", TLK_FMT(c->version), TLK_FMT(tail));
}

void sf_composite_query(struct sf_composite *m, tl_str soql, bool all)
{
    sf_composite_get(m, query_target(m->c, soql, all, sf_inner_path(m->c, TLK_NONE)));
}

/* A long query goes as the one part of a composite call, whose body has room for it. */
static void wrapped_request(tl_conn *c, tl_http *r, tl_str soql, bool all)
{
    SF_AUTO_COMPOSITE m;
    sf_composite_begin(&m, c);
    sf_composite_query(&m, soql, all);
    sf_composite_request(&m, r);
}

void sf_query_request(tl_conn *c, tl_http *r, tl_str soql, bool all)
{
    tl_str url = query_target(c, soql, all, c->data);
    if (url.n > SF_URL)
        wrapped_request(c, r, soql, all);
    else
        sf_get_request(c, r, url);
    tlk_request_header(r, &c->call, "sforce-query-options", TL_STR("batchSize=2000")); /* [REST:headers_queryoptions] */
}

tl_status sf_query_answer(tl_conn *c, const tl_http *r, const tlk_node **root, tl_error *e)
{
    const tlk_node *top = NULL;
    tl_status rc = tlk_answer(c->host, r, &sf_errors, &c->json, &top, e);
    if (rc != TL_OK)
        return rc;
    if (tlk_get(top, "compositeResponse"))
        rc = sf_composite_part(top, 0, &top, e);
    if (rc != TL_OK)
        return rc;
    if (tlk_type(tlk_get(top, "records")) != TLK_JARRAY)
        return tlk_fail(e, TL_E_TEMPORARY, "salesforce: the answer to a query holds no records");
    *root = top;
    return TL_OK;
}

tl_status sf_query(tl_conn *c, tl_str soql, bool all, const tlk_node **root, int64_t *server_us, tl_error *e)
{
    tl_http r;
    sf_query_request(c, &r, soql, all);
    tlk_arena_reset(&c->page);
    tl_status rc = c->host->http(c->host, &r, 1, e);
    if (rc != TL_OK)
        return rc;
    rc = sf_query_answer(c, &r, root, e);
    if (server_us)
        *server_us = tlk_server_us(c->host, &r);
    return rc;
}

/* ---- the stamp field: discover() finds out what a kind has, all instances remember: "unique:Tieline_Id__c" */

static const char *const stamp_words[] = {
    [SF_STAMP_MISSING] = "", [SF_STAMP_UNUSABLE] = "", [SF_STAMP_UNIQUE] = "unique:", [SF_STAMP_PLAIN] = "plain:"};

static tl_str stamp_text(tl_conn *c, enum sf_stamp_state state)
{
    bool usable = stamp_words[state][0] != '\0';
    return usable ? tlk_fmt(&c->call, "%s%s", stamp_words[state], c->stamp.p) : TLK_NONE;
}

static tl_str stamp_kept(tl_conn *c, const struct sf_kind *k)
{
    return tlk_kept(c->host, &c->call, tlk_fmt(&c->call, "stamp.%s", k->kind).p);
}

bool sf_stamp_is_unique(tl_conn *c, const struct sf_kind *k)
{
    return tlk_eq(stamp_kept(c, k), stamp_text(c, SF_STAMP_UNIQUE));
}

tl_str sf_stamp_of(tl_conn *c, const struct sf_kind *k)
{
    bool plain = tlk_eq(stamp_kept(c, k), stamp_text(c, SF_STAMP_PLAIN));
    return plain || sf_stamp_is_unique(c, k) ? c->stamp : TLK_NONE;
}

void sf_stamp_remember(tl_conn *c, const struct sf_kind *k, enum sf_stamp_state state)
{
    tl_str text = stamp_text(c, state);
    if (!tlk_eq(stamp_kept(c, k), text))
        c->host->kv_set(c->host, tlk_fmt(&c->call, "stamp.%s", k->kind).p, text);
}
