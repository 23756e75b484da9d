/* Who are we at the vendor, and what may we do: one plain sentence a finding. */
#include "desk.h"

/* A harmless call: which scope its refusal means, and what is lost without it. The module's name stands behind path and
 * between the halves of lost. */
struct probe {
    const char *path, *query;
    const char *scope; /* null: the kind's own */
    const char *lost_before, *lost_behind;
    int32_t level;
};
static const struct probe kind_probes[] = {
    {.path = "/", .query = "?limit=1", .lost_before = "", .lost_behind = " cannot be read", .level = TL_ERROR},
    {.path = "/organizationFields?module=",
     .query = "",
     .scope = "Desk.settings.READ",
     .lost_before = "the fields of ",
     .lost_behind = " cannot be discovered",
     .level = TL_ERROR},
};
/* Of kinds that are no module; only where they are used. */
static const struct {
    const char *kind;
    struct probe probe;
} other_probes[] = {
    {"user", {"/agents", "?limit=10", "Desk.basic.READ", "agents cannot be read", "", TL_ERROR}},
    {"profile", {"/profiles", "?limit=1", "Desk.basic.READ", "the profiles of agents cannot be read", "", TL_ERROR}},
    {"department", {"/departments", "?limit=1", "Desk.basic.READ", "departments cannot be read", "", TL_ERROR}},
    {"comment", {"/tickets", "?limit=1", "Desk.tickets.READ", "comments of tickets cannot be read", "", TL_ERROR}},
};
static const struct probe probes[] = {
    {.path = "/recycleBin",
     .query = "?limit=1",
     .scope = "Desk.settings.READ",
     .lost_before = "deletions are not noticed by polling, and nothing can be restored",
     .lost_behind = "",
     .level = TL_WARN},
    {.path = "/webhooks",
     .query = "",
     .scope = "Desk.events.READ",
     .lost_before = "webhooks cannot be registered, changes are found by polling",
     .lost_behind = "",
     .level = TL_INFO},
};

/* Answers that say nothing about rights: the check itself cannot go on. */
static bool is_fatal(tl_status rc, const tl_error *e)
{
    return rc == TL_E_TEMPORARY || rc == TL_E_THROTTLED || rc == TL_E_QUOTA || rc == TL_E_CANCELLED ||
           rc == TL_E_CONFIG || (rc == TL_E_AUTH && !desk_lacks_scope(rc, e));
}

/* Some portals list tickets of one department only: that the parameter is asked for says that the call is allowed. */
static bool wants_department(tl_status rc, const tl_error *e)
{
    return rc == TL_E_INVALID && strcmp(e->code, "UNPROCESSABLE_ENTITY") == 0 && strstr(e->text, "departmentId");
}

static tl_status refused_finding(tl_conn *c, const struct probe *p, const char *module, tl_status rc, const tl_error *e)
{
    tl_str lost = tlk_fmt(&c->call, "%s%s%s", p->lost_before, module, p->lost_behind);
    if (strcmp(e->code, "SCOPE_MISMATCH") == 0)
        return tlk_finding(
            c->host, p->level, "scope",
            tlk_fmt(&c->call, "the sign-in lacks the scope %s: %.*s", p->scope, TLK_FMT(lost)),
            tlk_fmt(&c->call, "make a new grant code with %s among its scopes and sign in again", p->scope));
    if (strcmp(e->code, "LICENSE_ACCESS_LIMITED") == 0)
        return tlk_finding(c->host, p->level, "edition",
                           tlk_fmt(&c->call, "the edition does not allow it: %.*s", TLK_FMT(lost)), TLK_NONE);
    if (rc == TL_E_DENIED)
        return tlk_finding(c->host, p->level, "rights", tlk_fmt(&c->call, "the user may not: %.*s", TLK_FMT(lost)),
                           TL_STR("give the user a profile with this permission in Zoho Desk"));
    return tlk_finding(c->host, TL_WARN, "refused", tlk_fmt(&c->call, "%.*s: %s", TLK_FMT(lost), e->text), TLK_NONE);
}

static tl_status run_probe(tl_conn *c, const struct probe *p, const char *module, tl_error *e)
{
    const tlk_node *root;
    tlk_arena_reset(&c->page);
    tlk_url u = desk_url(c, tlk_fmt(&c->call, "%s%s%s", p->path, module, p->query).p);
    tl_status rc = desk_read(c, &u, &root, e);
    if (rc == TL_OK || is_fatal(rc, e))
        return rc;
    rc = wants_department(rc, e) ? TL_OK : refused_finding(c, p, module, rc, e);
    tlk_error_clear(e);
    return rc;
}

static tl_status probe_search(tl_conn *c, const struct desk_kind *k, tl_error *e)
{
    static const struct probe p = {.scope = "Desk.search.READ",
                                   .lost_before = "changes of ",
                                   .lost_behind = " cannot be found",
                                   .level = TL_ERROR};
    int64_t now_ms = c->host->now_us(c->host) / TLK_US_PER_MS;
    struct desk_range r = {.lo = now_ms - 60000, .hi = now_ms};
    struct desk_rows rows;
    tl_status rc = desk_range_page(c, k, &r, 0, &rows, e);
    if (rc == TL_OK || is_fatal(rc, e))
        return rc;
    rc = refused_finding(c, &p, k->module, rc, e);
    tlk_error_clear(e);
    return rc;
}

static tl_status stamp_finding(tl_conn *c, const struct desk_kind *k, tl_error *e)
{
    bool findable = false;
    tl_status rc = desk_can_find_stamp(c, k, &findable, e);
    if (rc != TL_OK)
        return rc;
    if (!findable)
        return tlk_finding(c->host, TL_WARN, "stamp",
                           tlk_fmt(&c->call,
                                   "%s: this portal cannot search by field %.*s, so a create whose answer is lost is "
                                   "only found by its creation time",
                                   k->label, TLK_FMT(c->stamp)),
                           TLK_NONE);
    return tlk_finding(
        c->host, TL_INFO, "stamp",
        tlk_fmt(&c->call, "%s: new records are stamped in field %.*s, so a create whose answer is lost is found again",
                k->label, TLK_FMT(c->stamp)),
        TLK_NONE);
}

static tl_status check_stamp(tl_conn *c, const struct desk_kind *k, tl_error *e)
{
    const tlk_node *fields;
    tl_status rc = desk_metadata(c, k, &fields, e);
    if (rc != TL_OK) {
        if (is_fatal(rc, e))
            return rc;
        tlk_error_clear(e);
        return TL_OK; /* its probe said so already */
    }
    if (desk_metadata_field(fields, c->stamp))
        return stamp_finding(c, k, e);
    return tlk_finding(c->host, TL_WARN, "stamp",
                       tlk_fmt(&c->call,
                               "%s: there is no field %.*s, so a create whose answer is lost cannot be told from one "
                               "that never happened",
                               k->label, TLK_FMT(c->stamp)),
                       TL_STR("run \"tieline endpoint prepare\" for this endpoint: it creates the field"));
}

static tl_status check_kind(tl_conn *c, const struct desk_kind *k, tl_error *e)
{
    tl_status rc = TL_OK;
    for (size_t i = 0; i < TLK_LEN(kind_probes) && rc == TL_OK; i++) {
        struct probe p = kind_probes[i];
        p.scope = p.scope ? p.scope : k->scope;
        rc = run_probe(c, &p, k->module, e);
    }
    tlk_arena_reset(&c->page);
    if (rc == TL_OK)
        rc = probe_search(c, k, e);
    return rc == TL_OK && k->trash_ids ? check_stamp(c, k, e) : rc;
}

/* What only some sign-ins were made for is looked at where it is used. */
static bool is_named(const tl_check *q, const char *kind)
{
    return q->n_kinds > 0 && tlk_wants(q->kinds, q->n_kinds, kind);
}

/* The token answer sometimes lists the scopes: then writing can be checked without writing. */
static tl_status check_write_scopes(tl_conn *c, const tl_check *q, tl_error *e)
{
    tl_str scopes = TLK_NONE;
    tl_status rc = tlk_auth_extra(c->host, &c->call, "scope", &scopes, e);
    if (rc != TL_OK || scopes.n == 0)
        return rc;
    if (is_named(q, "comment") && !strstr(scopes.p, "Desk.tickets.ALL") && !strstr(scopes.p, "Desk.tickets.UPDATE") &&
        !strstr(scopes.p, "Desk.tickets.WRITE")) {
        rc = tlk_finding(c->host, TL_WARN, "scope",
                         TL_STR("the sign-in lacks the scope Desk.tickets.UPDATE: tickets cannot be commented on"),
                         TL_STR("make a new grant code with Desk.tickets.ALL among its scopes and sign in again"));
        if (rc != TL_OK)
            return rc;
    }
    bool all = strstr(scopes.p, "Desk.contacts.ALL") != NULL;
    if (!all && (!strstr(scopes.p, "Desk.contacts.CREATE") || !strstr(scopes.p, "Desk.contacts.UPDATE")) &&
        !strstr(scopes.p, "Desk.contacts.WRITE"))
        return tlk_finding(
            c->host, TL_WARN, "scope",
            TL_STR("the sign-in lacks the scopes Desk.contacts.CREATE and Desk.contacts.UPDATE: contacts and "
                   "accounts cannot be written"),
            TL_STR("make a new grant code with Desk.contacts.ALL among its scopes and sign in again"));
    return TL_OK;
}

static const tlk_node *portal_of(tl_conn *c, const tlk_node *list)
{
    tlk_iter i = tlk_each(list);
    for (const tlk_node *o; tlk_next_item(&i, &o);) {
        if (tlk_eq(tlk_text_at(o, "id", &c->call), c->org))
            return o;
    }
    return NULL;
}

static tl_status no_portal(tl_conn *c, const tlk_node *list, tl_error *e)
{
    TLK_AUTO_BUF names = {.max = 160};
    tlk_iter i = tlk_each(list);
    for (const tlk_node *o; tlk_next_item(&i, &o);)
        tlk_addf(&names, "%s%.*s (%.*s)", names.n ? ", " : "", TLK_FMT(tlk_text_at(o, "id", &c->call)),
                 TLK_FMT(tlk_text_at(o, "companyName", &c->call)));
    tlk_copy(e->code, sizeof(e->code), TL_STR("ORG_MISMATCH"));
    return tlk_fail(e, TL_E_CONFIG, "the user belongs to no portal %.*s of Zoho Desk; set org_id to one of: %.*s",
                    TLK_FMT(c->org), TLK_FMT(tlk_lent(&names)));
}

static tl_status tell_admin(tl_conn *c, const tlk_node *portal)
{
    bool admin = false;
    if (tlk_bool(tlk_get(portal, "isAdminInOrg"), &admin) && !admin)
        return tlk_finding(
            c->host, TL_WARN, "admin",
            TL_STR("the user is no administrator of the portal: the stamp field and webhooks cannot be set up, and "
                   "records may be hidden"),
            TL_STR("sign in as an administrator of the portal"));
    return TL_OK;
}

static tl_status who_am_i(tl_conn *c, tl_error *e)
{
    const tlk_node *root;
    tlk_url u = desk_url(c, "/organizations");
    tl_http r;
    desk_request(c, &r, "GET", &u, 0);
    tl_status rc = desk_call(c, &r, &root, e);
    if (rc != TL_OK)
        return rc;
    const tlk_node *list = tlk_get(root, "data"), *portal = portal_of(c, list);
    if (!portal)
        return no_portal(c, list, e);
    tl_account a = {.struct_size = sizeof(a),
                    .org_key = tlk_dup(&c->call, tlk_text_at(portal, "id", &c->call)),
                    .org_name = tlk_dup(&c->call, tlk_text_at(portal, "companyName", &c->call)),
                    .edition = tlk_dup(&c->call, tlk_text_at(portal, "edition", &c->call)),
                    .server_us = r.server_us};
    rc = tell_admin(c, portal);
    if (rc != TL_OK)
        return rc;
    u = desk_url(c, "/myinfo");
    tl_error own = {.struct_size = sizeof(own)};
    if (desk_read(c, &u, &root, &own) == TL_OK) { /* needs Desk.basic.READ; only for display */
        a.user_id = tlk_text_at(root, "id", &c->call);
        a.user_name = tlk_fmt(&c->call, "%.*s %.*s", TLK_FMT(tlk_text_at(root, "firstName", &c->call)),
                              TLK_FMT(tlk_text_at(root, "lastName", &c->call)));
        a.user_name = tlk_trim(a.user_name);
    }
    return c->host->account(c->host, &a);
}

tl_status desk_check(tl_conn *c, const tl_check *q, tl_error *e)
{
    tl_status rc = desk_begin(c, e);
    if (rc == TL_OK)
        rc = who_am_i(c, e);
    for (uint32_t i = 0; i < desk_n_kinds && rc == TL_OK; i++) {
        const struct desk_kind *k = &desk_kinds[i];
        if (k->trash_ids ? tlk_wants(q->kinds, q->n_kinds, k->kind) : is_named(q, k->kind))
            rc = check_kind(c, k, e);
    }
    for (size_t i = 0; i < TLK_LEN(other_probes) && rc == TL_OK; i++) {
        if (is_named(q, other_probes[i].kind))
            rc = run_probe(c, &other_probes[i].probe, "", e);
    }
    for (size_t i = 0; i < TLK_LEN(probes) && rc == TL_OK; i++)
        rc = run_probe(c, &probes[i], "", e);
    return rc == TL_OK ? check_write_scopes(c, q, e) : rc;
}
