/* The kinds this connector knows and their canonical paths; everything else of an object is found by describe. */
#include "salesforce.h"

static const struct sf_field account_fields[] = {
    {"name", "Name", TL_F_MATCH},
    {"phone", "Phone", 0},
    {"fax", "Fax", 0},
    {"website", "Website", 0},
    {"industry", "Industry", 0},
    {"description", "Description", 0},
    {"employees", "NumberOfEmployees", 0},
    {"annual_revenue", "AnnualRevenue", 0},
    {"parent", "ParentId", 0},
    {"owner", "OwnerId", 0},
    {"address.street", "BillingStreet", 0},
    {"address.city", "BillingCity", 0},
    {"address.state", "BillingState", 0},
    {"address.postal_code", "BillingPostalCode", 0},
    {"address.country", "BillingCountry", 0},
    {"shipping.street", "ShippingStreet", 0},
    {"shipping.city", "ShippingCity", 0},
    {"shipping.state", "ShippingState", 0},
    {"shipping.postal_code", "ShippingPostalCode", 0},
    {"shipping.country", "ShippingCountry", 0},
};

static const struct sf_field contact_fields[] = {
    {"first_name", "FirstName", 0},
    {"last_name", "LastName", TL_F_MATCH},
    {"email", "Email", TL_F_MATCH},
    {"phone", "Phone", TL_F_MATCH},
    {"mobile", "MobilePhone", TL_F_MATCH},
    {"fax", "Fax", 0},
    {"title", "Title", 0},
    {"department", "Department", 0},
    {"description", "Description", 0},
    {"account", "AccountId", TL_F_MATCH},
    {"owner", "OwnerId", 0},
    {"birthday", "Birthdate", 0},
    {"address.street", "MailingStreet", 0},
    {"address.city", "MailingCity", 0},
    {"address.state", "MailingState", 0},
    {"address.postal_code", "MailingPostalCode", 0},
    {"address.country", "MailingCountry", 0},
};

static const struct sf_field user_fields[] = {
    {"email", "Email", TL_F_MATCH}, {"name", "Name", 0},       {"first_name", "FirstName", 0},
    {"last_name", "LastName", 0},   {"active", "IsActive", 0},
};

const struct sf_kind sf_kinds[] = {
    {.kind = "account",
     .object = "Account",
     .merges = true,
     .fields = account_fields,
     .n_fields = TLK_LEN(account_fields)},
    {.kind = "contact",
     .object = "Contact",
     .merges = true,
     .fields = contact_fields,
     .n_fields = TLK_LEN(contact_fields)},
    {.kind = "user", .object = "User", .fixed = true, .fields = user_fields, .n_fields = TLK_LEN(user_fields)},
};
const uint32_t sf_n_kinds = TLK_LEN(sf_kinds);

const struct sf_kind *sf_kind_of(tl_str kind)
{
    return tlk_row_by(sf_kinds, sf_n_kinds, kind, kind);
}
