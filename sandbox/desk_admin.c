/* What stands around the records: the organisation, field metadata, views.
 * Vendor: zohodesk-oas v1.0 Organization.json, Field.json, CustomView.json. */
#include <stdlib.h>

#include "desk_int.h"

enum { LABEL_MAX = 50, TEXT_MAX = 255 };

/* ---- organisations ------------------------------------------------------ */

/* Another portal than the twin's has its id and name alone. */
static void organisation_put(struct desk *d, struct buf *b, const char *org)
{
    bool ours = strcmp(org, ZOHO_DESK_ORG) == 0;
    static const char *const editions[] = {"FREE", "STANDARD", "PROFESSIONAL", "ENTERPRISE"};
    int64_t edition = twin_switch(d->twin, "edition");
    buf_fmt(b, "{\"id\":%s", org);
    json_put_member(b, "companyName", ours ? STR(DESK_ORG_NAME) : STR("Southwind Ltd"));
    json_put_member(b, "portalName", STR("northwind"));
    json_put_member(b, "edition", str_of(editions[edition < 0 || edition > 3 ? 3 : edition]));
    json_put_bool(b, "isAdminInOrg", true);
    json_put_bool(b, "isDefault", true);
    json_put_bool(b, "isSandboxPortal", false);
    json_put_member(b, "portalURL", STR("https://desk.zoho.eu/portal/northwind"));
    json_put_member(b, "primaryContact", STR("admin@mail.example"));
    json_put_member(b, "currencyCode", STR("EUR"));
    json_put_member(b, "currencySymbol", STR("€"));
    json_put_member(b, "country", STR("Germany"));
    buf_text_add(b, ",\"employeeCount\":\"25\",\"website\":null,\"logoURL\":null}");
}

void h_organizations(struct call *c)
{
    struct desk *d = c->self;
    const struct zoho_access *t = zoho_access_of(d->accounts, c);
    buf_text_add(&c->out, "{\"data\":[");
    organisation_put(d, &c->out, t && t->org[0] ? t->org : ZOHO_DESK_ORG);
    buf_add(&c->out, "]}", 2);
    call_answer(c, 200);
}

void h_organization(struct call *c)
{
    if (!str_is(c->capture[0], ZOHO_DESK_ORG))
        return desk_not_found(c);
    organisation_put(c->self, &c->out, ZOHO_DESK_ORG);
    call_answer(c, 200);
}

/* ---- fields ------------------------------------------------------------- */

static struct module *module_param(struct call *c)
{
    str name;
    struct module *m = call_query(c, "module", &name) ? desk_module_named(c->self, name) : NULL;
    if (!m)
        desk_bad_param(c, "module");
    return m;
}

void h_fields(struct call *c)
{
    if (!desk_params_known(c, "module,apiNames"))
        return;
    struct module *m = module_param(c);
    str names = {0};
    if (!m)
        return;
    call_query(c, "apiNames", &names);
    buf_text_add(&c->out, "{\"data\":[");
    for (int i = 0; i < m->field_count; i++) {
        if (m->fields[i].unlisted || (names.n && !str_in_list(names, str_of(m->fields[i].api_name))))
            continue;
        json_put_comma(&c->out);
        field_put(&c->out, &m->fields[i]);
    }
    buf_add(&c->out, "]}", 2);
    call_answer(c, 200);
}

/* "Tieline ID" gives cf_tieline_id. */
static void api_name_of(struct buf *b, str label)
{
    buf_text_add(b, "cf_");
    for (size_t i = 0; i < label.n; i++) {
        char ch = label.p[i];
        if (ch >= 'A' && ch <= 'Z')
            buf_char(b, (char)(ch - 'A' + 'a'));
        else if ((ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9') || ch == '_')
            buf_char(b, ch);
        else if (ch == ' ' || ch == '-')
            buf_char(b, '_');
    }
}

static void field_invalid(struct call *c, const char *name, const char *type)
{
    AUTO(text_free)
    char *error = text_fmt("{\"fieldName\":\"/%s\",\"errorType\":\"%s\",\"errorMessage\":\"\"}", name, type);
    desk_invalid(c, error);
}

static char *options_of(const json_t *allowed)
{
    struct buf b = {0};
    size_t i;
    json_t *one;
    json_array_foreach(allowed, i, one)
    {
        const char *v = json_string_value(json_is_object(one) ? json_object_get(one, "value") : one);
        if (v && b.n)
            buf_char(&b, ',');
        if (v)
            buf_text_add(&b, v);
    }
    return b.n ? buf_take(&b) : NULL;
}

static void field_make(struct call *c, struct module *m, const json_t *body, const char *label, const char *api_name,
                       enum field_type type)
{
    const json_t *max = json_object_get(body, "maxLength");
    bool text = type == FT_TEXT || type == FT_URL || type == FT_EMAIL || type == FT_PHONE;
    int most = text ? TEXT_MAX : type == FT_TEXTAREA ? 2000 : 100;
    if (max && (!json_is_integer(max) || json_integer_value(max) < 1 || json_integer_value(max) > most))
        return field_invalid(c, "maxLength", "invalid");
    struct field *f = schema_add(m, api_name, label, type, max ? (int)json_integer_value(max) : most);
    f->custom = true;
    f->indexed = text;
    f->mandatory = json_is_true(json_object_get(body, "isMandatory"));
    f->unique = json_is_true(json_object_get(body, "isUnique"));
    f->options = options_of(json_object_get(body, "allowedValues"));
    field_put(&c->out, f);
    call_answer(c, 200);
}

void h_field_create(struct call *c)
{
    if (!desk_params_known(c, "module"))
        return;
    struct module *m = module_param(c);
    const json_t *body = m ? desk_body(c) : NULL;
    if (!body)
        return;
    const char *label = json_string_value(json_object_get(body, "displayLabel"));
    const char *type_text = json_string_value(json_object_get(body, "type"));
    enum field_type type;
    if (!label || !*label)
        return field_invalid(c, "displayLabel", "missing");
    if (!type_text)
        return field_invalid(c, "type", "missing");
    if (!field_type_parse(str_of(type_text), &type) || type == FT_LOOKUP)
        return field_invalid(c, "type", "invalid");
    if (strlen(label) > LABEL_MAX)
        return field_invalid(c, "displayLabel", "invalid");
    if (m->field_count - m->standard_count >= twin_switch(c->twin, "custom_fields_max") || m->field_count == FIELDS_MAX)
        return desk_error(c, 403, "LICENSE_ACCESS_LIMITED",
                          "Your Zoho Desk Edition does not support this feature/operation.");
    AUTO(buf_done) struct buf name = {0};
    api_name_of(&name, str_of(label));
    if (field_slot(m, buf_lent(&name)) >= 0)
        return field_invalid(c, "displayLabel", "duplicate");
    field_make(c, m, body, label, buf_text(&name), type);
}

/* ---- views -------------------------------------------------------------- */

static int64_t view_id(const struct module *m)
{
    return INT64_C(4876000000011001) + m->number;
}

bool view_known(const struct module *m, str id)
{
    int64_t n;
    return str_to_i64(id, &n) && n == view_id(m);
}

void h_views(struct call *c)
{
    if (!desk_params_known(c, "module,departmentId"))
        return;
    const struct module *m = module_param(c);
    if (!m)
        return;
    call_answer_fmt(c, 200,
                    "{\"data\":[{\"id\":\"%lld\",\"name\":\"All %s\",\"viewName\":\"all_%s\",\"isCustomView\":false,"
                    "\"deprecatedViewId\":null}]}",
                    (long long)view_id(m), m->type, m->name);
}
