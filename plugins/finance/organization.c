/* Which organisation: only those count of which the user is administrator and which are in use [B:organizations,
 * B:users]. */
#include "finance.h"

struct orgs {
    tlk_buf names; /* "Northwind (60020000101), ..." */
    uint32_t n;
    tl_str id; /* of the last */
};

static void name_add(struct orgs *o, tl_conn *c, const tlk_node *one)
{
    o->id = tlk_dup(&c->call, tlk_text_at(one, "organization_id", &c->call));
    tlk_addf(&o->names, "%s\"%.*s\" (%.*s)", o->n ? ", " : "", TLK_FMT(tlk_text_at(one, "name", &c->call)),
             TLK_FMT(o->id));
    o->n++;
}

static tl_status list_read(tl_conn *c, const char *path, bool administered, const tlk_node **list, tl_error *e)
{
    const tlk_node *root = NULL;
    tl_str org = c->org;
    tl_http r;
    tlk_url u = fin_url(c, path);
    if (administered) {
        tlk_url_add(&u, "show_admin_orgs_only", TL_STR("true"));
        tlk_url_add(&u, "show_active_orgs_only", TL_STR("true"));
    }
    c->org = TLK_NONE; /* these calls are about no organisation */
    fin_request(c, &r, "GET", &u, 0);
    c->org = org;
    tl_status rc = fin_call(c, &r, &root, e);
    *list = tlk_get(root, "organizations");
    return rc;
}

/* Every organisation of the user, whatever he is there: to name them. */
static tl_status others_read(tl_conn *c, struct orgs *out, tl_error *e)
{
    const tlk_node *list = NULL, *one;
    tl_status rc = list_read(c, "/organizations", false, &list, e);
    tlk_iter i = tlk_each(list);
    while (rc == TL_OK && tlk_next_item(&i, &one))
        name_add(out, c, one);
    return rc;
}

static tl_status administered_read(tl_conn *c, const tlk_node **list, tl_error *e)
{
    return list_read(c, "/organizations/user", true, list, e);
}

static tl_status none_found(tl_conn *c, tl_error *e)
{
    struct orgs others = {.names = {.max = 4000}};
    tl_status rc = others_read(c, &others, e);
    if (rc == TL_OK && others.n > 0)
        rc = tlk_fail(
            e, TL_E_CONFIG,
            "the user is no administrator of any organisation of %s in use, only a member of %.*s; have one of "
            "its administrators make the user one too (Settings, Users)",
            c->product->title, TLK_FMT(tlk_lent(&others.names)));
    else if (rc == TL_OK)
        rc = tlk_fail(
            e, TL_E_CONFIG,
            "the user has no organisation in %s: create one at https://%s.zoho.%s as this user, then try again",
            c->product->title, c->product->name, c->dc.n ? c->dc.p : "com");
    tlk_copy(e->code, sizeof(e->code), TL_STR("NO_ORGANIZATION"));
    tlk_buf_done(&others.names);
    return rc;
}

tl_status fin_find_organization(tl_conn *c, tl_error *e)
{
    const tlk_node *list = NULL, *one;
    c->org = tlk_kept(c->host, &c->keep, "organization_id");
    if (c->org.n > 0)
        return TL_OK;
    tl_status rc = administered_read(c, &list, e);
    if (rc != TL_OK)
        return rc;
    struct orgs mine = {.names = {.max = 160}};
    tlk_iter i = tlk_each(list);
    while (tlk_next_item(&i, &one))
        name_add(&mine, c, one);
    if (mine.n == 0) {
        rc = none_found(c, e);
    } else if (mine.n > 1) {
        rc =
            tlk_fail(e, TL_E_CONFIG, "the user administers %u organisations of %s; set organization_id to one of: %.*s",
                     mine.n, c->product->title, TLK_FMT(tlk_lent(&mine.names)));
        tlk_copy(e->code, sizeof(e->code), TL_STR("SEVERAL_ORGANIZATIONS"));
    } else {
        c->org = tlk_dup(&c->keep, mine.id);
        c->host->kv_set(c->host, "organization_id", c->org); /* a copy that fails is asked for again */
    }
    tlk_buf_done(&mine.names);
    return rc;
}

static tl_status not_mine(tl_conn *c, const tlk_node *list, tl_error *e)
{
    struct orgs mine = {.names = {.max = 160}}, others = {.names = {.max = 4000}};
    const tlk_node *one;
    tlk_iter i = tlk_each(list);
    while (tlk_next_item(&i, &one))
        name_add(&mine, c, one);
    tl_status rc = others_read(c, &others, e);
    tl_str all = tlk_lent(&others.names);
    bool member = rc == TL_OK && memmem(all.p, all.n, c->org.p, c->org.n) != NULL;
    tl_str offer = mine.n ? tlk_fmt(&c->call, "; administered are: %.*s", TLK_FMT(tlk_lent(&mine.names))) : TLK_NONE;
    if (rc == TL_OK && member)
        rc = tlk_fail(e, TL_E_CONFIG,
                      "the user is no administrator of organisation %.*s of %s, or it is not in use%.*s; only an "
                      "administrator sets up the integration",
                      TLK_FMT(c->org), c->product->title, TLK_FMT(offer));
    else if (rc == TL_OK)
        rc = tlk_fail(e, TL_E_CONFIG, "the user belongs to no organisation %.*s of %s; check organization_id%.*s",
                      TLK_FMT(c->org), c->product->title, TLK_FMT(offer));
    if (rc == TL_E_CONFIG)
        tlk_copy(e->code, sizeof(e->code), member ? TL_STR("NOT_ADMINISTRATOR") : TL_STR("ORG_MISMATCH"));
    tlk_buf_done(&mine.names);
    tlk_buf_done(&others.names);
    return rc;
}

tl_status fin_check_organization(tl_conn *c, tl_account *a, tl_error *e)
{
    const tlk_node *list = NULL, *one;
    tl_status rc = administered_read(c, &list, e);
    if (rc != TL_OK)
        return rc;
    tlk_iter i = tlk_each(list);
    while (tlk_next_item(&i, &one)) {
        if (!tlk_eq(tlk_text_at(one, "organization_id", &c->call), c->org))
            continue;
        a->org_name = tlk_dup(&c->call, tlk_text_at(one, "name", &c->call));
        a->edition = tlk_fmt(&c->call, "%s %.*s", c->product->title, TLK_FMT(tlk_text_at(one, "plan_name", &c->call)));
        return TL_OK;
    }
    return not_mine(c, list, e);
}
