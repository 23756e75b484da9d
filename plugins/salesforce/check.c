/* Who we are, and whether everything that links need is there: in sentences an operator can act on. */
#include "salesforce.h"

/* ---- the stamp field */

static const tlk_node *field_named(const tlk_node *describe, tl_str name, tlk_arena *a)
{
    const tlk_node *one;
    tlk_iter each = tlk_each(tlk_get(describe, "fields"));
    while (tlk_next_item(&each, &one)) {
        if (tlk_eq(tlk_text(tlk_get(one, "name"), a), name))
            return one;
    }
    return NULL;
}

struct sf_stamp_info sf_stamp_info_of(tl_conn *c, const tlk_node *describe)
{
    const tlk_node *f = field_named(describe, c->stamp, &c->page);
    int64_t length = 0;
    if (!f)
        return (struct sf_stamp_info){SF_STAMP_MISSING, NULL};
    tlk_i64(tlk_get(f, "length"), &length);
    if (!tlk_is(tlk_text_at(f, "type", &c->page), "string"))
        return (struct sf_stamp_info){SF_STAMP_UNUSABLE, "it is not a text field"};
    if (length < 40)
        return (struct sf_stamp_info){SF_STAMP_UNUSABLE, "it holds less than 40 characters"};
    if (!tlk_is_true(tlk_get(f, "createable")) || !tlk_is_true(tlk_get(f, "updateable")))
        return (struct sf_stamp_info){SF_STAMP_UNUSABLE, "the signed-in user may not write it (field-level security)"};
    bool unique = tlk_is_true(tlk_get(f, "externalId")) && tlk_is_true(tlk_get(f, "unique"));
    return (struct sf_stamp_info){unique ? SF_STAMP_UNIQUE : SF_STAMP_PLAIN, NULL};
}

static tl_status report_stamp(tl_conn *c, const struct sf_kind *k, const tlk_node *describe)
{
    struct sf_stamp_info info = sf_stamp_info_of(c, describe);
    tlk_arena *a = &c->call;
    tl_str hint = TL_STR("run: tieline endpoint prepare, which prints the steps");
    if (info.state == SF_STAMP_UNIQUE)
        return tlk_finding(
            c->host, TL_INFO, "STAMP_UNIQUE",
            tlk_fmt(a, "%s has the unique external id \"%s\": no record is ever created twice", k->object, c->stamp.p),
            TLK_NONE);
    if (info.state == SF_STAMP_PLAIN)
        return tlk_finding(c->host, TL_WARN, "STAMP_NOT_UNIQUE",
                           tlk_fmt(a,
                                   "\"%s\" of %s is there, but not both unique and an external id: after a lost answer "
                                   "a create has to wait and look before it is repeated",
                                   c->stamp.p, k->object),
                           hint);
    if (info.state == SF_STAMP_UNUSABLE)
        return tlk_finding(c->host, TL_WARN, "STAMP_UNUSABLE",
                           tlk_fmt(a, "\"%s\" of %s cannot be used: %s", c->stamp.p, k->object, info.fault), hint);
    return tlk_finding(c->host, TL_WARN, "STAMP_MISSING",
                       tlk_fmt(a,
                               "%s has no field \"%s\", or the signed-in user may not see it: a create whose answer is "
                               "lost may end as unknown",
                               k->object, c->stamp.p),
                       hint);
}

/* ---- rights */

static tl_status report_kind(tl_conn *c, const struct sf_kind *k, tl_error *e)
{
    static const char *const rights[] = {"queryable", "createable", "updateable"};
    static const char *const words[] = {"read", "create", "edit"};
    const tlk_node *root = NULL;
    tl_status rc = sf_describe(c, k, &root, e);
    if (rc == TL_E_NOT_FOUND || rc == TL_E_DENIED)
        return tlk_finding(
            c->host, TL_ERROR, "NO_RIGHT", tlk_fmt(&c->call, "the signed-in user may not see %s records", k->object),
            TL_STR("give its profile or a permission set the rights Read, Create and Edit on the object"));
    if (rc != TL_OK)
        return rc;
    for (size_t i = 0; i < TLK_LEN(rights) && rc == TL_OK; i++) {
        if (!tlk_is_true(tlk_get(root, rights[i])))
            rc = tlk_finding(c->host, i == 0 ? TL_ERROR : TL_WARN, "NO_RIGHT",
                             tlk_fmt(&c->call, "the signed-in user may not %s %s records", words[i], k->object),
                             TL_STR("give its profile or a permission set that right on the object"));
    }
    return rc == TL_OK ? report_stamp(c, k, root) : rc;
}

/* ---- what agents are shown */

static tl_status report_list(tl_conn *c, const struct sf_listed *k, tl_str objects)
{
    tl_status rc = TL_OK;
    for (uint32_t i = 0; i < k->n_about && rc == TL_OK; i++) {
        const struct sf_about *about = &k->about[i];
        if (sf_about_seen(k, about, objects))
            continue;
        const struct sf_source *s = &about->sources[0];
        const char *object =
            tlk_in_list(objects, ',', tlk_str(s->origin->object)) && s->also ? s->also : s->origin->object;
        rc = tlk_finding(c->host, TL_WARN, "LIST_HIDDEN",
                         tlk_fmt(&c->call, "no %s is shown beside a %s: the signed-in user may not see %s records",
                                 k->kind.kind, about->kind, object),
                         TL_STR("give its profile or a permission set the right Read on the object, if agents are to "
                                "see them"));
    }
    return rc;
}

static tl_status report_lists(tl_conn *c, tl_error *e)
{
    tl_str objects;
    tl_status rc = sf_objects_seen(c, &objects, e);
    for (uint32_t i = 0; i < sf_n_listed && rc == TL_OK; i++)
        rc = report_list(c, &sf_listed[i], objects);
    return rc;
}

/* ---- the version */

static tl_status report_version(tl_conn *c, int64_t *server_us, tl_error *e)
{
    tl_http r;
    const tlk_node *root = NULL, *one;
    sf_get_request(c, &r, tlk_fmt(&c->call, "%.*s/services/data/", TLK_FMT(c->base)));
    r.flags |= TL_HTTP_NO_AUTH;
    tl_status rc = sf_call(c, &r, &root, e);
    if (rc != TL_OK)
        return rc;
    *server_us = tlk_server_us(c->host, &r);
    tl_str newest = {NULL, 0};
    tlk_iter each = tlk_each(root);
    while (tlk_next_item(&each, &one)) {
        newest = tlk_text_at(one, "version", &c->page);
        if (tlk_eq(newest, c->version))
            return TL_OK;
    }
    return tlk_finding(c->host, TL_ERROR, "API_VERSION",
                       tlk_fmt(&c->call, "api_version %s is not served by this org; its newest is %.*s", c->version.p,
                               TLK_FMT(newest)),
                       TL_STR("set api_version of the endpoint to a version that is served"));
}

/* ---- the org */

static bool is_sandbox_login(tl_str url)
{
    return tlk_is(url, "https://test.salesforce.com") || tlk_ends(url, ".sandbox.my.salesforce.com");
}

/* Organization is readable for every user with API access; where it is not, only its name stays unknown. */
static tl_status report_org(tl_conn *c, tl_account *account, tl_error *e)
{
    const tlk_node *root = NULL;
    tl_status rc =
        sf_query(c, TL_STR("SELECT Name,OrganizationType,IsSandbox FROM Organization LIMIT 1"), false, &root, NULL, e);
    if (rc == TL_E_INVALID || rc == TL_E_DENIED || rc == TL_E_UNSUPPORTED)
        return TL_OK;
    if (rc != TL_OK)
        return rc;
    const tlk_node *row = tlk_item(tlk_get(root, "records"), 0);
    account->org_name = tlk_dup(&c->call, tlk_text_at(row, "Name", &c->page));
    account->edition = tlk_dup(&c->call, tlk_text_at(row, "OrganizationType", &c->page));
    if (!tlk_is_true(tlk_get(row, "IsSandbox")))
        return TL_OK;
    account->edition = tlk_fmt(&c->call, "%.*s (sandbox)", TLK_FMT(account->edition));
    if (is_sandbox_login(c->login))
        return TL_OK;
    return tlk_finding(c->host, TL_WARN, "SANDBOX", TL_STR("this org is a sandbox, not the production org"),
                       TL_STR("if production is meant, sign in with its own connected app"));
}

static tl_status read_user(tl_conn *c, tl_account *account, tl_error *e)
{
    const tlk_node *root = NULL;
    TLK_AUTO_BUF b = {0};
    tlk_addz(&b, "SELECT Id,Name FROM User WHERE Id = ");
    sf_soql_text(&b, account->user_id);
    tl_status rc = sf_query(c, tlk_lent(&b), false, &root, NULL, e);
    if (rc == TL_OK)
        account->user_name = tlk_dup(&c->call, tlk_text_at(tlk_get(root, "records"), "0.Name", &c->page));
    return rc == TL_E_INVALID || rc == TL_E_DENIED ? TL_OK : rc;
}

/* ---- the allowance */

/* Needs the right View Setup; without it nothing is said. */
static tl_status report_limits(tl_conn *c, tl_error *e)
{
    tl_http r;
    const tlk_node *root = NULL;
    int64_t max = 0, left = 0;
    sf_get_request(c, &r, sf_path(c, "/limits"));
    tl_status rc = sf_call(c, &r, &root, e);
    if (rc == TL_E_DENIED || rc == TL_E_NOT_FOUND)
        return TL_OK;
    if (rc != TL_OK)
        return rc;
    tlk_i64(tlk_at(root, "DailyApiRequests.Max"), &max);
    tlk_i64(tlk_at(root, "DailyApiRequests.Remaining"), &left);
    if (max <= 0)
        return TL_OK;
    tlk_quota(c->host, "day", max, left, -1);
    bool low = left < max / 10;
    return tlk_finding(
        c->host, low ? TL_WARN : TL_INFO, "API_REQUESTS",
        tlk_fmt(&c->call, "%lld of %lld API requests are left for the last 24 hours", (long long)left, (long long)max),
        low ? TL_STR("other integrations of the org share this allowance") : TLK_NONE);
}

tl_status sf_check(tl_conn *c, const tl_check *req, tl_error *e)
{
    tl_account account = {.struct_size = sizeof(account)};
    tl_status rc = sf_begin(c, e);
    if (rc == TL_OK)
        rc = sf_identity(c, &account.org_key, &account.user_id, e);
    if (rc == TL_OK)
        rc = report_version(c, &account.server_us, e);
    if (rc == TL_OK)
        rc = report_org(c, &account, e);
    if (rc == TL_OK)
        rc = read_user(c, &account, e);
    if (rc == TL_OK)
        rc = c->host->account(c->host, &account);
    if (rc == TL_OK)
        rc = report_limits(c, e);
    for (uint32_t i = 0; i < sf_n_kinds && rc == TL_OK; i++) {
        if (!sf_kinds[i].fixed && tlk_wants(req->kinds, req->n_kinds, sf_kinds[i].kind))
            rc = report_kind(c, &sf_kinds[i], e);
    }
    return rc == TL_OK ? report_lists(c, e) : rc;
}
