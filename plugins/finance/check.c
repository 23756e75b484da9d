/* Who are we at the vendor, of which organisation are we administrator, and what may we do: one plain sentence a
 * finding. */
#include "finance.h"

/* Answers that say nothing about rights: the check itself cannot go on. */
static bool is_fatal(tl_status rc, const tl_error *e)
{
    return rc == TL_E_TEMPORARY || rc == TL_E_THROTTLED || rc == TL_E_QUOTA || rc == TL_E_CANCELLED ||
           rc == TL_E_CONFIG || (rc == TL_E_AUTH && strcmp(e->code, "57") != 0);
}

static tl_status scope_finding(tl_conn *c, int32_t level, const char *scope, const char *lost)
{
    return tlk_finding(c->host, level, "scope",
                       tlk_fmt(&c->call, "the sign-in lacks the scope %s.%s: %s", c->product->scope, scope, lost),
                       tlk_fmt(&c->call, "sign in again and allow %s.%s", c->product->scope, scope));
}

/* ---- scopes */

static const struct right {
    const char *scope, *lost;
    int32_t level;
} rights[] = {
    {"contacts.READ", "customers cannot be read", TL_ERROR},
    {"contacts.CREATE", "customers cannot be created", TL_WARN},
    {"contacts.UPDATE", "customers cannot be changed, and creates cannot be made safe to repeat", TL_WARN},
    {"invoices.READ", "invoices cannot be shown", TL_WARN},
    {"invoices.CREATE", "invoices cannot be created, sent or given another status", TL_WARN},
    {"invoices.UPDATE", "invoices cannot be edited", TL_WARN},
    {"estimates.READ", "estimates cannot be shown", TL_WARN},
    {"estimates.CREATE", "estimates cannot be created, sent or given another status", TL_WARN},
    {"estimates.UPDATE", "estimates cannot be edited", TL_WARN},
};

static bool has_scope(tl_conn *c, tl_str given, const char *scope)
{
    tl_str group = tlk_str(scope), name;
    tlk_split(&group, '.', &name);
    const tl_str enough[] = {tlk_fmt(&c->call, "%s.%s", c->product->scope, scope),
                             tlk_fmt(&c->call, "%s.%.*s.ALL", c->product->scope, TLK_FMT(name)),
                             tlk_fmt(&c->call, "%s.fullaccess.all", c->product->scope)};
    for (size_t i = 0; i < TLK_LEN(enough); i++) {
        if (tlk_in_list(given, ' ', enough[i]) || tlk_in_list(given, ',', enough[i]))
            return true;
    }
    return false;
}

/* Not every token answer lists the scopes; where it does, nothing has to be tried. */
static tl_status check_scopes(tl_conn *c, bool *told, tl_error *e)
{
    tl_str given = TLK_NONE;
    tl_status rc = tlk_auth_extra(c->host, &c->call, "scope", &given, e);
    *told = given.n > 0;
    for (size_t i = 0; i < TLK_LEN(rights) && rc == TL_OK && *told; i++) {
        if (!has_scope(c, given, rights[i].scope))
            rc = scope_finding(c, rights[i].level, rights[i].scope, rights[i].lost);
    }
    return rc;
}

/* A harmless call, whose refusal means that the scope is missing. */
static tl_status try_read(tl_conn *c, const char *path, const char *scope, const char *lost, int32_t level, tl_error *e)
{
    const tlk_node *root = NULL;
    tlk_url u = fin_url(c, path);
    tlk_url_add_int(&u, "per_page", 1);
    tl_status rc = fin_read(c, &u, &root, e);
    if (rc == TL_OK || is_fatal(rc, e))
        return rc;
    if (strcmp(e->code, "57") == 0)
        rc = scope_finding(c, level, scope, lost);
    else
        rc = tlk_finding(c->host, TL_WARN, "refused", tlk_fmt(&c->call, "%s: %s", lost, e->text), TLK_NONE);
    tlk_error_clear(e);
    return rc;
}

static tl_status try_reads(tl_conn *c, tl_error *e)
{
    tl_status rc = try_read(c, "/contacts", "contacts.READ", "customers cannot be read", TL_ERROR, e);
    if (rc == TL_OK)
        rc = try_read(c, "/invoices", "invoices.READ", "invoices cannot be shown", TL_WARN, e);
    return rc == TL_OK ? try_read(c, "/estimates", "estimates.READ", "estimates cannot be shown", TL_WARN, e) : rc;
}

/* ---- who we are */

/* For display; where users may not be read, their names stay unknown. */
static tl_status read_user(tl_conn *c, tl_account *a, tl_error *e)
{
    const tlk_node *root = NULL;
    tl_http r;
    tlk_url u = fin_url(c, "/users/me");
    fin_request(c, &r, "GET", &u, 0);
    tl_status rc = fin_call(c, &r, &root, e);
    if (rc != TL_OK) {
        if (is_fatal(rc, e))
            return rc;
        tlk_error_clear(e);
        return TL_OK;
    }
    a->user_id = tlk_dup(&c->call, tlk_text_at(root, "user.user_id", &c->call));
    a->user_name = tlk_dup(&c->call, tlk_text_at(root, "user.name", &c->call));
    a->server_us = r.server_us;
    return TL_OK;
}

/* ---- the stamp field */

static tl_status check_stamp(tl_conn *c, const struct fin_kind *k, tl_error *e)
{
    bool can = false;
    tl_status rc = fin_can_stamp(c, k, &can, e);
    if (rc != TL_OK)
        return rc;
    if (can)
        return tlk_finding(c->host, TL_INFO, "STAMP_UNIQUE",
                           tlk_fmt(&c->call, "%s have the field %.*s without duplicates: none is ever created twice",
                                   k->label, TLK_FMT(c->stamp)),
                           TLK_NONE);
    return tlk_finding(
        c->host, TL_WARN, "STAMP_MISSING",
        tlk_fmt(&c->call,
                "%s have no field %.*s that prevents duplicates: a create whose answer is lost has to be "
                "looked for by e-mail address",
                k->label, TLK_FMT(c->stamp)),
        TL_STR("run: tieline endpoint prepare, which prints the steps"));
}

tl_status fin_check(tl_conn *c, const tl_check *q, tl_error *e)
{
    tl_account a = {.struct_size = sizeof(a)};
    bool told = false;
    tl_status rc = fin_begin(c, e);
    if (rc == TL_OK)
        rc = fin_check_organization(c, &a, e);
    a.org_key = c->org;
    if (rc == TL_OK)
        rc = read_user(c, &a, e);
    if (rc == TL_OK)
        rc = c->host->account(c->host, &a);
    if (rc == TL_OK)
        rc = check_scopes(c, &told, e);
    if (rc == TL_OK && !told)
        rc = try_reads(c, e);
    for (uint32_t i = 0; i < fin_n_kinds && rc == TL_OK; i++) {
        if (tlk_wants(q->kinds, q->n_kinds, fin_kinds[i].kind))
            rc = check_stamp(c, &fin_kinds[i], e);
    }
    return rc;
}
