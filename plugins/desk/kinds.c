/* The kinds this connector knows. Another module (tickets, products, tasks) is one more row and its fields. */
#include "desk.h"

/* Standard fields that can be written, with the vocabulary's path and the vendor's longest text [OAS:Contact,
 * OAS:Account]. Search parameters: [OAS:Search]; email and phone are documented only for newer portals. */
static const struct desk_field contact_fields[] = {
    {"lastName", "last_name", TL_TEXT, 200, TL_F_REQUIRED | TL_F_MATCH, NULL, "lastName"},
    {"firstName", "first_name", TL_TEXT, 40, TL_F_MATCH, NULL, "firstName"},
    {"email", "email", TL_EMAIL, 255, TL_F_MATCH, NULL, "email"},
    {"secondaryEmail", "secondary_email", TL_EMAIL, 100, TL_F_MATCH, NULL, NULL},
    {"phone", "phone", TL_PHONE, 50, TL_F_MATCH, NULL, "phone"},
    {"mobile", "mobile", TL_PHONE, 50, TL_F_MATCH, NULL, NULL},
    {"title", "title", TL_TEXT, 100, 0, NULL, NULL},
    {"accountId", "account", TL_REF, 0, 0, "account", NULL},
    {"ownerId", "owner", TL_REF, 0, 0, "user", NULL},
    {"description", "description", TL_MULTILINE, 65535, 0, NULL, NULL},
    {"street", "address.street", TL_TEXT, 250, 0, NULL, NULL},
    {"city", "address.city", TL_TEXT, 30, 0, NULL, NULL},
    {"state", "address.state", TL_TEXT, 30, 0, NULL, NULL},
    {"zip", "address.postal_code", TL_TEXT, 30, 0, NULL, NULL},
    {"country", "address.country", TL_TEXT, 30, 0, NULL, NULL},
    {"type", "x.type", TL_CHOICE, 0, 0, NULL, NULL},
    {"twitter", "x.twitter", TL_TEXT, 100, 0, NULL, NULL},
    {"facebook", "x.facebook", TL_TEXT, 100, 0, NULL, NULL},
    {"language", "x.language", TL_TEXT, 0, 0, NULL, NULL},
};

static const struct desk_field account_fields[] = {
    {"accountName", "name", TL_TEXT, 200, TL_F_REQUIRED | TL_F_MATCH, NULL, "accountName"},
    {"phone", "phone", TL_PHONE, 30, TL_F_MATCH, NULL, NULL},
    {"fax", "fax", TL_PHONE, 30, 0, NULL, NULL},
    {"website", "website", TL_URL, 120, TL_F_MATCH, NULL, NULL},
    {"industry", "industry", TL_TEXT, 120, 0, NULL, NULL},
    {"annualrevenue", "annual_revenue", TL_DECIMAL, 0, 0, NULL, NULL},
    {"description", "description", TL_MULTILINE, 65535, 0, NULL, NULL},
    {"ownerId", "owner", TL_REF, 0, 0, "user", NULL},
    {"street", "address.street", TL_TEXT, 250, 0, NULL, NULL},
    {"city", "address.city", TL_TEXT, 30, 0, NULL, NULL},
    {"state", "address.state", TL_TEXT, 30, 0, NULL, NULL},
    {"country", "address.country", TL_TEXT, 30, 0, NULL, NULL},
    {"email", "x.email", TL_EMAIL, 255, TL_F_MATCH, NULL, NULL},
    {"code", "x.code", TL_TEXT, 30, 0, NULL, NULL},
};
const struct desk_kind desk_kinds[] = {
    {.kind = "account",
     .label = "Accounts",
     .module = "accounts",
     .bin_type = "Accounts",
     .event = "Account",
     .trash_ids = "accountIds",
     .fields = account_fields,
     .n_fields = TLK_LEN(account_fields)},
    {.kind = "contact",
     .label = "Contacts",
     .module = "contacts",
     .bin_type = "Contacts",
     .event = "Contact",
     .trash_ids = "contactIds",
     .fields = contact_fields,
     .n_fields = TLK_LEN(contact_fields)},
};
const uint32_t desk_n_kinds = TLK_LEN(desk_kinds);

const struct desk_kind *desk_kind_of(tl_str kind)
{
    return tlk_row_by(desk_kinds, desk_n_kinds, kind, kind);
}
