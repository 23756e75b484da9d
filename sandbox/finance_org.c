/* Organisations and users: whose the token's user is, in which role, and which of the two products each one is.
 * Vendor: https://www.zoho.com/books/api/v3/organizations/, .../users/. */
#include <stdio.h>

#include "finance_int.h"

static const struct fin_field organization_fields[] = {
    {"organization_id", FIN_ID, 0, FIN_LISTED, NULL},
    {"name", FIN_TEXT, 100, FIN_LISTED, NULL},
    {"contact_name", FIN_TEXT, 100, FIN_LISTED, NULL},
    {"email", FIN_EMAIL, 0, FIN_LISTED, NULL},
    {"is_default_org", FIN_BOOL, 0, FIN_LISTED, NULL},
    {"plan_type", FIN_INT, 0, FIN_LISTED, NULL},
    {"plan_name", FIN_ENUM, 0, FIN_LISTED, "FREE,STANDARD,PROFESSIONAL,PREMIUM,ELITE,ULTIMATE"},
    {"plan_period", FIN_TEXT, 0, FIN_LISTED, NULL},
    {"tax_group_enabled", FIN_BOOL, 0, FIN_LISTED, NULL},
    {"zi_migration_status", FIN_INT, 0, FIN_LISTED, NULL},
    {"language_code", FIN_TEXT, 0, FIN_LISTED, NULL},
    {"fiscal_year_start_month", FIN_INT, 0, FIN_LISTED, NULL},
    {"account_created_date", FIN_DATE, 0, FIN_LISTED, NULL},
    {"time_zone", FIN_TEXT, 0, FIN_LISTED, NULL},
    {"is_org_active", FIN_BOOL, 0, FIN_LISTED, NULL},
    {"currency_id", FIN_ID, 0, FIN_LISTED, NULL},
    {"currency_code", FIN_TEXT, 3, FIN_LISTED, NULL},
    {"currency_symbol", FIN_TEXT, 0, FIN_LISTED, NULL},
    {"currency_format", FIN_TEXT, 0, FIN_LISTED, NULL},
    {"price_precision", FIN_INT, 0, FIN_LISTED, NULL},
    /* the twin's own: what the control plane changes */
    {"product", FIN_ENUM, 0, FIN_HIDDEN, "books,invoice"},
    {"user_role", FIN_ENUM, 0, FIN_HIDDEN, "admin,staff,timesheetstaff"},
    {"utc_offset_minutes", FIN_INT, 0, FIN_HIDDEN, NULL},
};

const struct fin_kind fin_organization = {
    .name = "organizations", .one = "organization", .fields = organization_fields, .n = ARRAY_LEN(organization_fields)};

/* The user's organisations are the first so many; the rest is not there for the API. */
static int known(const struct call *c)
{
    int64_t n = twin_switch(c->twin, "organizations");
    return n < 0 ? 0 : n > FIN_ORGS ? FIN_ORGS : (int)n;
}

static void list_put(struct call *c, bool admin_only, bool active_only)
{
    struct finance *f = c->self;
    struct buf *b = fin_open(c, "success");
    json_put_raw(b, "organizations", STR("["));
    for (int i = 0; i < known(c); i++) {
        const struct fin *r = f->orgs[i].record;
        if ((admin_only && !str_is(fin_get(r, "user_role"), "admin")) || (active_only && !fin_true(r, "is_org_active")))
            continue;
        json_put_comma(b);
        fin_put(b, r, true);
    }
    buf_char(b, ']');
    fin_close(c, 200);
}

void fin_h_organizations(struct call *c)
{
    list_put(c, false, false); /* without the role, and the inactive ones too */
}

void fin_h_organizations_of_user(struct call *c)
{
    list_put(c, fin_query_true(c, "show_admin_orgs_only"), fin_query_true(c, "show_active_orgs_only"));
}

/* The organisation of the path; NULL after a refusal. */
static struct fin_org *wanted(struct call *c)
{
    struct finance *f = c->self;
    for (int i = 0; i < known(c); i++) {
        if (str_eq(c->capture[0], fin_get(f->orgs[i].record, "organization_id")))
            return &f->orgs[i];
    }
    fin_invalid(c, "organization_id");
    return NULL;
}

static void answer(struct call *c, const char *message, const struct fin *r)
{
    struct buf *b = fin_open(c, message);
    json_put_comma(b);
    json_put_key(b, "organization");
    fin_put(b, r, false);
    fin_close(c, 200);
}

void fin_h_organization(struct call *c)
{
    const struct fin_org *o = wanted(c);
    if (o)
        answer(c, "success", o->record);
}

/* A Books organisation can become one of Invoice, and back: the product changes under a connector. */
static void product_change(struct call *c, const char *product, const char *migration, const char *message)
{
    struct fin_org *o = wanted(c);
    if (!o)
        return;
    fin_set(o->record, "product", str_of(product));
    fin_set(o->record, "zi_migration_status", str_of(migration));
    answer(c, message, o->record);
}

void fin_h_downgrade(struct call *c)
{
    product_change(c, "invoice", "1", "The organization has been downgraded to Zoho Invoice.");
}

void fin_h_upgrade(struct call *c)
{
    product_change(c, "books", "2", "The organization has been upgraded to Zoho Books.");
}

/* ---- users -------------------------------------------------------------- */

static void user_put(struct buf *b, const struct fin_org *o, bool whole)
{
    buf_char(b, '{');
    json_put_member(b, "user_id", STR("460000000000023005"));
    json_put_member(b, "name", fin_get(o->record, "contact_name"));
    json_put_member(b, "email", fin_get(o->record, "email"));
    json_put_raw(b, "email_ids", STR("[{\"is_selected\":true,\"email\":"));
    json_put(b, fin_get(o->record, "email"));
    buf_text_add(b, "}]");
    json_put_member(b, "status", STR("active"));
    json_put_member(b, "user_role", fin_get(o->record, "user_role"));
    json_put_member(b, "role_id", STR("460000000000000721"));
    if (!whole)
        json_put_bool(b, "is_current_user", true);
    buf_char(b, '}');
}

void fin_h_user_me(struct call *c)
{
    struct finance *f = c->self;
    struct buf *b = fin_open(c, "success");
    json_put_comma(b);
    json_put_key(b, "user");
    user_put(b, f->org, true);
    fin_close(c, 200);
}

void fin_h_users(struct call *c)
{
    struct finance *f = c->self;
    str by;
    if (call_query(c, "filter_by", &by) &&
        !str_in_list(STR("Status.All,Status.Active,Status.Inactive,Status.Invited,Status.Deleted"), by)) {
        fin_invalid(c, "filter_by");
        return;
    }
    bool none = call_query(c, "filter_by", &by) && !str_is(by, "Status.All") && !str_is(by, "Status.Active");
    struct buf *b = fin_open(c, "success");
    json_put_raw(b, "users", STR("["));
    if (!none)
        user_put(b, f->org, false);
    buf_char(b, ']');
    fin_close(c, 200);
}
