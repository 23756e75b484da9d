/* The kinds this connector knows. Another module (tickets, products, tasks) is one more row and its fields. */
#include "desk.h"
#include "fields.h"

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
    for (uint32_t i = 0; i < desk_n_kinds; i++) {
        if (tlk_is(kind, desk_kinds[i].kind))
            return &desk_kinds[i];
    }
    return NULL;
}

const struct desk_field *desk_field_of(const struct desk_kind *k, tl_str api_name)
{
    for (uint32_t i = 0; i < k->n_fields; i++) {
        if (tlk_is(api_name, k->fields[i].name))
            return &k->fields[i];
    }
    return NULL;
}
