/* Contacts with their addresses: customers and vendors, unique by name.
 * Vendor: https://www.zoho.com/books/api/v3/contacts/. */
#include "finance_contacts.h"

#include "unicode.h"

enum { CODE_NAME = 3062, CODE_LINKED = 4823 };

static const struct fin_field contact_fields[] = {
    {"contact_name", FIN_TEXT, 200, FIN_LISTED | FIN_SENT | FIN_NEEDED, NULL},
    {"company_name", FIN_TEXT, 200, FIN_LISTED | FIN_SENT, NULL},
    {"contact_type", FIN_ENUM, 0, FIN_LISTED | FIN_SENT, "customer,vendor"},
    {"customer_sub_type", FIN_ENUM, 0, FIN_SENT, "individual,business"},
    {"status", FIN_ENUM, 0, FIN_LISTED, "active,inactive"},
    {"payment_terms", FIN_INT, 0, FIN_LISTED | FIN_SENT, NULL},
    {"payment_terms_label", FIN_TEXT, 100, FIN_LISTED | FIN_SENT, NULL},
    {"currency_id", FIN_ID, 0, FIN_LISTED | FIN_SENT, NULL},
    {"currency_code", FIN_TEXT, 0, FIN_LISTED, NULL},
    {"outstanding_receivable_amount", FIN_MONEY, 0, FIN_LISTED, NULL},
    {"outstanding_receivable_amount_bcy", FIN_MONEY, 0, 0, NULL},
    {"unused_credits_receivable_amount", FIN_MONEY, 0, FIN_LISTED, NULL},
    {"unused_credits_receivable_amount_bcy", FIN_MONEY, 0, 0, NULL},
    {"outstanding_payable_amount", FIN_MONEY, 0, FIN_LISTED, NULL},
    {"unused_credits_payable_amount", FIN_MONEY, 0, FIN_LISTED, NULL},
    {"first_name", FIN_TEXT, 100, FIN_LISTED, NULL},
    {"last_name", FIN_TEXT, 100, FIN_LISTED, NULL},
    {"email", FIN_EMAIL, 100, FIN_LISTED, NULL},
    {"phone", FIN_TEXT, 50, FIN_LISTED, NULL},
    {"mobile", FIN_TEXT, 50, FIN_LISTED, NULL},
    {"primary_contact_id", FIN_ID, 0, 0, NULL},
    {"has_transaction", FIN_BOOL, 0, 0, NULL},
    {"credit_limit", FIN_MONEY, 0, FIN_SENT, NULL},
    {"contact_number", FIN_TEXT, 200, FIN_SENT, NULL},
    {"website", FIN_TEXT, 255, FIN_LISTED | FIN_SENT, NULL},
    {"is_taxable", FIN_BOOL, 0, FIN_SENT, NULL},
    {"tax_id", FIN_ID, 0, FIN_SENT, NULL},
    {"language_code", FIN_TEXT, 10, FIN_LISTED | FIN_SENT, NULL},
    {"owner_id", FIN_ID, 0, FIN_SENT, NULL},
    {"payment_reminder_enabled", FIN_BOOL, 0, 0, NULL},
    {"zcrm_contact_id", FIN_ID, 0, 0, NULL},
    {"zcrm_account_id", FIN_ID, 0, 0, NULL},
    {"is_linked_with_zohocrm", FIN_BOOL, 0, FIN_LISTED, NULL},
    {"notes", FIN_TEXT, 0, FIN_SENT, NULL},
};

static const struct fin_field address_fields[] = {
    {"attention", FIN_TEXT, 255, FIN_SENT, NULL}, {"address", FIN_TEXT, 500, FIN_SENT, NULL},
    {"street2", FIN_TEXT, 255, FIN_SENT, NULL},   {"city", FIN_TEXT, 100, FIN_SENT, NULL},
    {"state", FIN_TEXT, 100, FIN_SENT, NULL},     {"state_code", FIN_TEXT, 50, FIN_SENT, NULL},
    {"zip", FIN_TEXT, 50, FIN_SENT, NULL},        {"country", FIN_TEXT, 100, FIN_SENT, NULL},
    {"fax", FIN_TEXT, 50, FIN_SENT, NULL},        {"phone", FIN_TEXT, 50, FIN_SENT, NULL},
};

const struct fin_kind fin_address = {.name = "addresses",
                                     .one = "address",
                                     .id_name = "address_id",
                                     .fields = address_fields,
                                     .n = ARRAY_LEN(address_fields)};

/* ---- what a contact holds ----------------------------------------------- */

void contact_sync(struct fin *contact)
{
    static const char *const shown[] = {"first_name", "last_name", "email", "phone", "mobile"};
    const struct fin *primary = NULL;
    for (size_t i = 0; i < contact->sub_n; i++) {
        if (fin_true(contact->sub[i], "is_primary_contact"))
            primary = contact->sub[i];
    }
    for (size_t i = 0; i < ARRAY_LEN(shown); i++)
        fin_set(contact, shown[i], primary ? fin_get(primary, shown[i]) : (str){0});
    fin_set(contact, "primary_contact_id", (str){0});
    if (primary)
        fin_set_int(contact, "primary_contact_id", primary->id);
}

static bool address_read(struct call *c, struct fin *draft, int which, const struct sj *given)
{
    if (!given)
        return true;
    if (!draft->address[which])
        draft->address[which] = fin_new(draft->org, &fin_address);
    return fin_read(c, draft->address[which], given, false);
}

/* Only customers of the organisation's own currency and of those it has switched on. */
static bool currency_read(struct call *c, struct fin *draft)
{
    if (!fin_get(draft, "currency_id").n)
        fin_set(draft, "currency_id", fin_get(draft->org->record, "currency_id"));
    const struct fin *currency = fin_find_text(draft->org, FIN_CURRENCIES, fin_get(draft, "currency_id"));
    if (!currency)
        return fin_invalid(c, "currency_id");
    fin_set(draft, "currency_code", fin_get(currency, "currency_code"));
    return true;
}

static bool contact_read_nested(struct call *c, struct fin *draft, const struct sj *body)
{
    str tax = fin_get(draft, "tax_id");
    if (tax.n && !fin_find_text(draft->org, FIN_TAXES, tax))
        return fin_invalid(c, "tax_id");
    if (!currency_read(c, draft) || !address_read(c, draft, 0, sj_get(body, "billing_address")) ||
        !address_read(c, draft, 1, sj_get(body, "shipping_address")) ||
        !persons_read(c, draft, sj_get(body, "contact_persons")) ||
        !fin_custom_read(c, draft, sj_get(body, "custom_fields")))
        return false;
    contact_sync(draft);
    return true;
}

static void address_put(struct buf *b, const char *key, const struct fin *r)
{
    json_put_comma(b);
    json_put_key(b, key);
    if (r)
        fin_put(b, r, false);
    else
        buf_add(b, "{}", 2);
}

void addresses_put(struct buf *b, const struct fin *r)
{
    address_put(b, "billing_address", r->address[0]);
    address_put(b, "shipping_address", r->address[1]);
}

static void contact_put_nested(struct buf *b, const struct fin *r, bool listed)
{
    if (listed)
        return;
    addresses_put(b, r);
    persons_put(b, r);
    fin_custom_put(b, r, false);
}

/* r NULL asks whether there is such a status. */
static int contact_status_fits(const struct fin *r, str status)
{
    static const char *const none[] = {"Duplicate", "PortalEnabled", "PortalDisabled", "CreditLimitExceed"};
    if (str_eq_nocase(status, STR("active")) || str_eq_nocase(status, STR("inactive")))
        return !r || str_eq_nocase(status, fin_get(r, "status"));
    if (str_is(status, "Crm"))
        return !r || fin_true(r, "is_linked_with_zohocrm");
    for (size_t i = 0; i < ARRAY_LEN(none); i++) {
        if (str_is(status, none[i]))
            return 0;
    }
    return -1;
}

const struct fin_kind fin_contact = {
    .name = "contacts",
    .one = "contact",
    .id_name = "contact_id",
    .title = "Contact",
    .fields = contact_fields,
    .n = ARRAY_LEN(contact_fields),
    .nested = "billing_address,shipping_address,contact_persons,custom_fields",
    .sorts = "contact_name,first_name,last_name,email,outstanding_receivable_amount,created_time,last_modified_time",
    .filters = "contact_name,company_name,first_name,last_name,email,phone,address,contact_type,zcrm_contact_id,"
               "zcrm_account_id",
    .search = "contact_name,company_name,notes",
    .read_nested = contact_read_nested,
    .put_nested = contact_put_nested,
    .status_fits = contact_status_fits,
};

/* ---- writes ------------------------------------------------------------- */

static bool name_free(struct call *c, const struct fin *draft, const struct fin *existing)
{
    const struct fin_list *l = &draft->org->lists[FIN_CONTACTS];
    AUTO(buf_done) struct buf want = {0};
    text_fold(&want, fin_get(draft, "contact_name"));
    for (size_t i = 0; i < l->n; i++) {
        AUTO(buf_done) struct buf have = {0};
        if (l->rows[i] == existing || l->rows[i]->gone)
            continue;
        text_fold(&have, fin_get(l->rows[i], "contact_name"));
        if (!str_eq(buf_lent(&have), buf_lent(&want)))
            continue;
        fin_error(c, 400, CODE_NAME, "The customer \"%.*s\" already exists. Please specify a different name.",
                  STR_FMT(fin_get(draft, "contact_name")));
        return false;
    }
    return true;
}

struct fin *contact_write(struct call *c, struct fin *existing, const struct sj *body)
{
    struct finance *f = c->self;
    AUTO(fin_free) struct fin *draft = existing ? fin_copy(existing) : fin_new(f->org, &fin_contact);
    if (!existing) {
        fin_set(draft, "contact_type", STR("customer"));
        fin_set(draft, "customer_sub_type", STR("business"));
        fin_set(draft, "status", STR("active"));
        fin_set(draft, "is_taxable", STR("true"));
        fin_set(draft, "language_code", STR("en"));
        fin_set(draft, "payment_terms_label", STR("Due On Receipt"));
    }
    if (!fin_read(c, draft, body, !existing) || !name_free(c, draft, existing) ||
        !fin_custom_unique(c, draft, existing))
        return NULL;
    return fin_keep(c, existing, take(draft));
}

static void create(struct call *c, const struct sj *body)
{
    const struct fin *r = body ? contact_write(c, NULL, body) : NULL;
    if (r)
        fin_answer(c, 201, "The contact has been created", r);
}

static void update(struct call *c, struct fin *existing, const struct sj *body)
{
    const struct fin *r = body ? contact_write(c, existing, body) : NULL;
    if (r)
        fin_answer(c, 200, "Contact has been updated successfully", r);
}

void fin_h_contacts(struct call *c)
{
    fin_list_answer(c, FIN_CONTACTS);
}

void fin_h_contact_create(struct call *c)
{
    create(c, fin_body(c));
}

void fin_h_contact_get(struct call *c)
{
    const struct fin *r = fin_wanted(c, FIN_CONTACTS);
    if (r)
        fin_answer(c, 200, "success", r);
}

void fin_h_contact_update(struct call *c)
{
    struct fin *r = fin_wanted(c, FIN_CONTACTS);
    if (r)
        update(c, r, fin_body(c));
}

void fin_h_contact_upsert(struct call *c)
{
    const struct sj *body;
    struct fin *r;
    if (!fin_custom_upsert(c, FIN_CONTACTS, &r, &body))
        return;
    if (r)
        update(c, r, body);
    else
        create(c, body);
}

/* Wording and number are not known; the vendor's user interface says it like this. */
void fin_h_contact_delete(struct call *c)
{
    struct fin *r = fin_wanted(c, FIN_CONTACTS);
    if (!r)
        return;
    if (ledger_has_transactions(r))
        return fin_error(c, 400, CODE_LINKED,
                         "Customers involved in transactions cannot be deleted. However, they can be marked as "
                         "inactive.");
    r->gone = true;
    fin_done(c, 200, "The contact has been deleted.");
}

static void status_set(struct call *c, const char *status, const char *message)
{
    struct fin *r = fin_wanted(c, FIN_CONTACTS);
    if (!r)
        return;
    fin_set(r, "status", str_of(status));
    fin_touch(r);
    fin_done(c, 200, message);
}

void fin_h_contact_active(struct call *c)
{
    status_set(c, "active", "The contact has been marked as active.");
}

void fin_h_contact_inactive(struct call *c)
{
    status_set(c, "inactive", "The contact has been marked as inactive.");
}
