/* Fields of contacts, accounts and tickets, and custom fields made at run time.
 * Vendor: zohodesk-oas v1.0 Contact.json, Account.json, Ticket.json (lengths), Field.json (shape of
 * organizationFields). */
#include <stdlib.h>

#include "desk_int.h"

static const char *const type_names[FT_TYPES] = {"Text",     "Textarea",    "Email",    "Phone",    "URL",
                                                 "Picklist", "Multiselect", "Date",     "DateTime", "Number",
                                                 "Percent",  "Decimal",     "Currency", "Boolean",  "LookUp"};

struct standard {
    const char *api_name, *label;
    enum field_type type;
    int max;
    bool mandatory, indexed, in_short;
    const char *options;
};

static const struct standard account_fields[] = {
    {"accountName", "Account Name", FT_TEXT, 200, true, true, true, NULL},
    {"email", "Email", FT_EMAIL, 255, false, true, true, NULL},
    {"phone", "Phone", FT_PHONE, 30, false, true, true, NULL},
    {"website", "Website", FT_URL, 120, false, false, true, NULL},
    {"fax", "Fax", FT_PHONE, 30, false, false, false, NULL},
    {"code", "Code", FT_TEXT, 30, false, false, false, NULL},
    {"industry", "Industry", FT_TEXT, 120, false, false, false, NULL},
    {"annualrevenue", "Annual Revenue", FT_CURRENCY, 100, false, false, false, NULL},
    {"street", "Street", FT_TEXTAREA, 250, false, false, false, NULL},
    {"city", "City", FT_TEXT, 30, false, false, false, NULL},
    {"state", "State", FT_TEXT, 30, false, false, false, NULL},
    {"country", "Country", FT_TEXT, 30, false, false, false, NULL},
    {"description", "Description", FT_TEXTAREA, 65535, false, false, false, NULL},
    {"ownerId", "Account Owner", FT_LOOKUP, 20, false, false, true, NULL},
};
static const struct standard contact_fields[] = {
    {"lastName", "Last Name", FT_TEXT, 200, true, true, true, NULL},
    {"firstName", "First Name", FT_TEXT, 40, false, true, true, NULL},
    {"email", "Email", FT_EMAIL, 255, false, true, true, NULL},
    {"secondaryEmail", "Secondary Email", FT_EMAIL, 100, false, false, true, NULL},
    {"phone", "Phone", FT_PHONE, 50, false, true, true, NULL},
    {"mobile", "Mobile", FT_PHONE, 50, false, true, true, NULL},
    {"accountId", "Account Name", FT_LOOKUP, 20, false, true, true, NULL},
    {"ownerId", "Contact Owner", FT_LOOKUP, 20, false, false, true, NULL},
    {"type", "Type", FT_PICKLIST, 120, false, false, true, "paidUser,freeUser"},
    {"title", "Title", FT_TEXT, 100, false, false, false, NULL},
    {"street", "Street", FT_TEXTAREA, 250, false, false, false, NULL},
    {"city", "City", FT_TEXT, 30, false, false, false, NULL},
    {"state", "State", FT_TEXT, 30, false, false, false, NULL},
    {"country", "Country", FT_TEXT, 30, false, false, false, NULL},
    {"zip", "Zip", FT_TEXT, 30, false, false, false, NULL},
    {"twitter", "Twitter", FT_TEXT, 100, false, false, false, NULL},
    {"facebook", "Facebook", FT_TEXT, 100, false, false, false, NULL},
    {"description", "Description", FT_TEXTAREA, 65535, false, false, false, NULL},
};
static const struct standard ticket_fields[] = {
    {"subject", "Subject", FT_TEXT, 1000, true, false, true, NULL},
    {"status", "Status", FT_PICKLIST, 120, true, false, true, "Open,On Hold,Escalated,Closed"},
    {"priority", "Priority", FT_PICKLIST, 120, false, false, true, "High,Medium,Low"},
    {"channel", "Channel", FT_PICKLIST, 120, false, false, true, "Phone,Email,Web,Chat,Forums"},
    {"contactId", "Contact Name", FT_LOOKUP, 20, true, true, true, NULL},
    {"accountId", "Account Name", FT_LOOKUP, 20, false, true, true, NULL},
    {"departmentId", "Department", FT_LOOKUP, 20, true, false, true, NULL},
    {"assigneeId", "Ticket Owner", FT_LOOKUP, 20, false, false, true, NULL},
    {"email", "Email", FT_EMAIL, 150, false, true, true, NULL},
    {"phone", "Phone", FT_PHONE, 120, false, true, true, NULL},
    {"dueDate", "Due Date", FT_DATETIME, 40, false, false, true, NULL},
    {"category", "Category", FT_TEXT, 120, false, false, true, NULL},
    {"classification", "Classifications", FT_PICKLIST, 120, false, false, false, "Question,Problem,Feature,Others"},
    {"description", "Description", FT_TEXTAREA, 65535, false, false, false, NULL},
    {"resolution", "Resolution", FT_TEXTAREA, 65535, false, false, false, NULL},
};
/* Members of every ticket that are no fields of its layout. */
static const struct standard ticket_own[] = {
    {"closedTime", "Ticket Closed Time", FT_DATETIME, 40, false, false, true, NULL},
    {"isEscalated", "Is Escalated", FT_BOOLEAN, 5, false, false, false, NULL},
};

const char *field_type_name(enum field_type t)
{
    return type_names[t];
}

bool field_type_parse(str s, enum field_type *out)
{
    for (int i = 0; i < FT_TYPES; i++) {
        if (str_eq_nocase(s, str_of(type_names[i]))) {
            *out = (enum field_type)i;
            return true;
        }
    }
    return false;
}

struct field *schema_add(struct module *m, const char *api_name, const char *label, enum field_type type, int max)
{
    ASSERT(m->field_count < FIELDS_MAX);
    struct field *f = &m->fields[m->field_count++];
    *f = (struct field){
        .id = m->desk->next_id += 2,
        .api_name = text_dup(api_name),
        .label = text_dup(label),
        .key = text_fmt("\"%s\":", api_name),
        .type = type,
        .max = max,
        .to_module = -1,
    };
    return f;
}

static void standard_add(struct module *m, const struct standard *from, bool unlisted)
{
    struct field *f = schema_add(m, from->api_name, from->label, from->type, from->max);
    f->mandatory = from->mandatory;
    f->indexed = from->indexed;
    f->in_short = from->in_short;
    f->unlisted = unlisted;
    f->options = from->options ? text_dup(from->options) : NULL;
    if (strcmp(from->api_name, "accountId") == 0)
        f->to_module = MOD_ACCOUNTS;
    else if (strcmp(from->api_name, "contactId") == 0)
        f->to_module = MOD_CONTACTS;
    else if (strcmp(from->api_name, "departmentId") == 0)
        f->to_staff = STAFF_DEPARTMENTS;
}

void schema_fill(struct module *m)
{
    static const struct {
        const struct standard *list;
        size_t n;
    } of[DESK_MODULES] = {[MOD_ACCOUNTS] = {account_fields, ARRAY_LEN(account_fields)},
                          [MOD_CONTACTS] = {contact_fields, ARRAY_LEN(contact_fields)},
                          [MOD_TICKETS] = {ticket_fields, ARRAY_LEN(ticket_fields)}};
    for (size_t i = 0; i < of[m->number].n; i++)
        standard_add(m, &of[m->number].list[i], false);
    for (size_t i = 0; m->number == MOD_TICKETS && i < ARRAY_LEN(ticket_own); i++)
        standard_add(m, &ticket_own[i], true);
    m->standard_count = m->field_count;
    if (m->number != MOD_CONTACTS)
        return;
    struct field *f = schema_add(m, "cf_customer_number", "Customer Number", FT_TEXT, 255);
    f->custom = f->indexed = true;
}

void schema_done(struct module *m)
{
    for (int i = 0; i < m->field_count; i++) {
        text_free(m->fields[i].api_name);
        text_free(m->fields[i].label);
        text_free(m->fields[i].key);
        text_free(m->fields[i].options);
    }
}

int field_slot(const struct module *m, str api_name)
{
    for (int i = 0; i < m->field_count; i++) {
        if (str_is(api_name, m->fields[i].api_name))
            return i;
    }
    return -1;
}

static void options_put(struct buf *b, const struct field *f)
{
    json_put_raw(b, "allowedValues", STR("["));
    str rest = str_of(f->options), one;
    while (rest.n && str_split(&rest, ',', &one)) {
        json_put_comma(b);
        buf_char(b, '{');
        json_put_member(b, "value", one);
        buf_char(b, '}');
    }
    buf_char(b, ']');
}

void field_put(struct buf *b, const struct field *f)
{
    buf_char(b, '{');
    put_id(b, "id", f->id);
    json_put_member(b, "apiName", str_of(f->api_name));
    json_put_member(b, "displayLabel", str_of(f->label));
    json_put_member(b, "name", str_of(f->api_name));
    json_put_member(b, "i18NLabel", str_of(f->label));
    json_put_member(b, "type", str_of(field_type_name(f->type)));
    json_put_int(b, "maxLength", f->max);
    json_put_bool(b, "isMandatory", f->mandatory);
    json_put_bool(b, "isCustomField", f->custom);
    json_put_bool(b, "isUnique", f->unique);
    json_put_bool(b, "isEncryptedField", false);
    json_put_bool(b, "showToHelpCenter", false);
    if (f->type == FT_PICKLIST || f->type == FT_MULTISELECT)
        options_put(b, f);
    if (f->type == FT_DECIMAL || f->type == FT_CURRENCY || f->type == FT_PERCENT)
        json_put_int(b, "decimalPlaces", 2);
    json_put_raw(b, "defaultValue", STR("null"));
    buf_char(b, '}');
}
