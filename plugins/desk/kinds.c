/* The kinds this connector knows that are a module of Zoho Desk. Another module (products, tasks) is one more row and
 * its fields. */
#include "desk.h"

/* Standard fields, with the vocabulary's path and the vendor's longest text [OAS:Contact, OAS:Account]. Search
 * parameters: [OAS:Search]; email and phone are documented only for newer portals. */
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

/* What a ticket always tells is not all in the metadata, and of its status they misreport the type [OAS:Ticket;
 * github.com/imohanvadivel/n8n-nodes-zoho-desk, AGENT.md]. Its search parameters: [OAS:Search]. */
static const struct desk_field ticket_fields[] = {
    {"ticketNumber", "number", TL_TEXT, 0, TL_F_MATCH | DESK_F_TOLD | DESK_F_TYPED, NULL, "ticketNumber"},
    {"subject", "subject", TL_TEXT, 1000, TL_F_MATCH, NULL, "subject"},
    {"description", "description", TL_MULTILINE, 65535, 0, NULL, NULL},
    {"status", "status", TL_TEXT, 0, DESK_F_TOLD | DESK_F_TYPED, NULL, NULL},
    {"statusType", "status_type", TL_TEXT, 0, DESK_F_TOLD | DESK_F_TYPED, NULL, NULL},
    {"priority", "priority", TL_CHOICE, 0, DESK_F_TOLD, NULL, NULL},
    {"channel", "channel", TL_TEXT, 0, DESK_F_TOLD | DESK_F_TYPED, NULL, NULL},
    {"dueDate", "due", TL_TIME, 0, DESK_F_TOLD | DESK_F_TYPED, NULL, NULL},
    {"contactId", "contact", TL_REF, 0, DESK_F_TOLD, "contact", NULL},
    {"accountId", "account", TL_REF, 0, DESK_F_TOLD, "account", NULL},
    {"productId", "product", TL_REF, 0, DESK_F_TOLD, "product", NULL},
    {"assigneeId", "owner", TL_REF, 0, DESK_F_TOLD, "user", NULL},
    {"departmentId", "department", TL_REF, 0, DESK_F_TOLD, "department", NULL},
    {"createdTime", "created", TL_TIME, 0, DESK_F_TOLD | DESK_F_TYPED, NULL, NULL},
    {"closedTime", "closed", TL_TIME, 0, DESK_F_TOLD | DESK_F_TYPED, NULL, NULL},
    {"isOverDue", "overdue", TL_BOOL, 0, DESK_F_TOLD | DESK_F_TYPED, NULL, NULL},
    {"isEscalated", "escalated", TL_BOOL, 0, DESK_F_TOLD | DESK_F_TYPED, NULL, NULL},
    {"email", "x.email", TL_EMAIL, 150, TL_F_MATCH | DESK_F_TOLD, NULL, "email"},
    {"phone", "x.phone", TL_PHONE, 120, TL_F_MATCH | DESK_F_TOLD, NULL, "phone"},
};

const struct desk_kind desk_kinds[] = {
    {.kind = "account",
     .label = "Accounts",
     .module = "accounts",
     .bin_type = "Accounts",
     .trash_ids = "accountIds",
     .scope = "Desk.contacts.READ",
     .fields = account_fields,
     .n_fields = TLK_LEN(account_fields)},
    {.kind = "contact",
     .label = "Contacts",
     .module = "contacts",
     .bin_type = "Contacts",
     .trash_ids = "contactIds",
     .scope = "Desk.contacts.READ",
     .fields = contact_fields,
     .n_fields = TLK_LEN(contact_fields)},
    {.kind = "ticket",
     .label = "Tickets",
     .module = "tickets",
     .bin_type = "Tickets",
     .scope = "Desk.tickets.READ",
     .about = "contact,account",
     .filters = "open,overdue,closed,escalated,high_priority",
     .fields = ticket_fields,
     .n_fields = TLK_LEN(ticket_fields)},
};
const uint32_t desk_n_kinds = TLK_LEN(desk_kinds);

const struct desk_kind *desk_kind_of(tl_str kind)
{
    return tlk_row_by(desk_kinds, desk_n_kinds, kind, kind);
}
