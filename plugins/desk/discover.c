/* Fields from the portal's metadata: GET /organizationFields?module= [OAS:Field]. */
#include "desk.h"

static const struct type {
    const char *vendor;
    uint32_t type, item_type;
} types[] = {
    {"Text", TL_TEXT, 0},       {"Textarea", TL_MULTILINE, 0}, {"LargeText", TL_MULTILINE, 0},
    {"Email", TL_EMAIL, 0},     {"Phone", TL_PHONE, 0},        {"Fax", TL_PHONE, 0},
    {"URL", TL_URL, 0},         {"Picklist", TL_CHOICE, 0},    {"Multiselect", TL_LIST, TL_CHOICE},
    {"Date", TL_DATE, 0},       {"DateTime", TL_TIME, 0},      {"Number", TL_INT, 0},
    {"Percent", TL_DECIMAL, 0}, {"Decimal", TL_DECIMAL, 0},    {"Currency", TL_DECIMAL, 0},
    {"Boolean", TL_BOOL, 0},    {"LookUp", TL_REF, 0},         {"MultiLookup", TL_JSON, 0},
    {"AutoNumber", TL_TEXT, 0}, {"Formula", TL_TEXT, 0},
};

tl_status desk_metadata(tl_conn *c, const struct desk_kind *k, const tlk_node **fields, tl_error *e)
{
    const tlk_node *root = NULL;
    tlk_arena_reset(&c->page);
    tlk_url u = desk_url(c, "/organizationFields");
    tlk_url_add(&u, "module", tlk_str(k->module));
    tl_status rc = desk_read(c, &u, &root, e);
    if (rc != TL_OK)
        return rc;
    *fields = tlk_get(root, "data");
    return tlk_type(*fields) == TLK_JARRAY
               ? TL_OK
               : tlk_fail(e, TL_E_TEMPORARY, "Zoho Desk answered without the list of fields");
}

const tlk_node *desk_metadata_field(const tlk_node *fields, tl_str api_name)
{
    TLK_AUTO_ARENA a = {0};
    tlk_iter i = tlk_each(fields);
    for (const tlk_node *f; tlk_next_item(&i, &f);) {
        if (tlk_eq(tlk_text_at(f, "apiName", &a), api_name))
            return f;
    }
    return NULL;
}

static void add_choices(tl_conn *c, const tlk_node *v, tl_field *f)
{
    const tlk_node *list = tlk_get(v, "allowedValues");
    tl_choice *choices = tlk_new(&c->call, tl_choice, tlk_count(list) + 1);
    tlk_iter i = tlk_each(list);
    for (const tlk_node *one; tlk_next_item(&i, &one);) {
        tl_str value =
            tlk_dup(&c->call, tlk_text(tlk_type(one) == TLK_JOBJECT ? tlk_get(one, "value") : one, &c->call));
        if (value.n > 0 && !tlk_is(value, "-None-"))
            choices[f->n_choices++] = (tl_choice){value, value};
    }
    f->choices = choices;
    f->choice_stride = sizeof *choices;
    if (f->n_choices > 0)
        f->flags |= TL_F_CLOSED; /* an unlisted value is INVALID_DATA */
}

static void set_type(tl_field *f, tl_str vendor, const struct desk_field *known)
{
    f->type = known ? known->type : TL_TEXT;
    const struct type *type = tlk_row_by(types, TLK_LEN(types), vendor, vendor);
    if (type && !(known && (known->type == TL_REF || (known->flags & DESK_F_TYPED))))
        f->type = type->type;
    f->item_type = type && f->type == TL_LIST ? type->item_type : 0;
    if (tlk_is(vendor, "AutoNumber") || tlk_is(vendor, "Formula") || tlk_is(vendor, "MultiLookup"))
        f->flags |= TL_F_READONLY;
}

/* A custom lookup holds the id of a record of its module. */
static tl_str lookup_kind(tl_conn *c, const tlk_node *v)
{
    tl_str module = tlk_text_at(v, "lookup.module", &c->call);
    if (module.n == 0)
        module = tlk_text_at(v, "lookup.moduleName", &c->call);
    for (uint32_t i = 0; i < desk_n_kinds; i++) {
        if (tlk_is(module, desk_kinds[i].module) || tlk_is(module, desk_kinds[i].bin_type))
            return tlk_str(desk_kinds[i].kind);
    }
    return TLK_NONE;
}

static void add_limits(tl_field *f, const tlk_node *v, const struct desk_field *known)
{
    int64_t n;
    if (tlk_i64(tlk_get(v, "maxLength"), &n) && n > 0 && n < INT32_MAX)
        f->max = (uint32_t)n;
    else if (known)
        f->max = known->max;
    if (tlk_i64(tlk_get(v, "decimalPlaces"), &n) && n >= 0 && n < 20)
        f->scale = (uint32_t)n;
    if (tlk_is_true(tlk_get(v, "isMandatory")) || (known && (known->flags & TL_F_REQUIRED)))
        f->flags |= TL_F_REQUIRED;
}

static void add_field(tl_conn *c, const struct desk_kind *k, const tlk_node *v, tlk_fields *list)
{
    tl_str api = tlk_text_at(v, "apiName", &c->call), label = tlk_text_at(v, "displayLabel", &c->call);
    const struct desk_field *known = tlk_row_by(k->fields, k->n_fields, name, api);
    bool custom = tlk_is_true(tlk_get(v, "isCustomField")) || tlk_starts(api, "cf_");
    if (api.n == 0)
        return;
    tl_str path = known ? tlk_str(known->path) : tlk_fmt(&c->call, "x.%.*s", TLK_FMT(api));
    tl_str name = custom ? tlk_fmt(&c->call, "cf.%.*s", TLK_FMT(api)) : api;
    tl_field *f = tlk_field_add(list, tlk_dup(&c->call, path).p, name, label.n ? label : api, TL_TEXT, 0);
    set_type(f, tlk_text_at(v, "type", &c->call), known);
    add_limits(f, v, known);
    if (f->type == TL_CHOICE || f->type == TL_LIST)
        add_choices(c, v, f);
    if (known) {
        f->flags |= known->flags & TL_F_MATCH;
        f->refers_to = known->refers_to ? tlk_str(known->refers_to) : TLK_NONE;
    } else if (f->type == TL_REF) {
        f->refers_to = lookup_kind(c, v);
    }
    if (custom) {
        f->flags |= TL_F_CUSTOM;
        if (f->type == TL_TEXT && (f->max == 0 || f->max >= 40))
            f->flags |= TL_F_STAMP | TL_F_MATCH;
    } else if (!known) {
        f->flags |= TL_F_READONLY; /* a system field we know nothing of */
    }
}

/* What every record tells although the metadata do not name it. */
static void add_told(const struct desk_kind *k, const tlk_node *metadata, tlk_fields *list)
{
    for (uint32_t i = 0; i < k->n_fields; i++) {
        const struct desk_field *known = &k->fields[i];
        tl_str name = tlk_str(known->name);
        if (!(known->flags & DESK_F_TOLD) || desk_metadata_field(metadata, name))
            continue;
        tl_field *f = tlk_field_add(list, known->path, name, name, known->type, known->flags & TL_F_MATCH);
        f->max = known->max;
        f->refers_to = known->refers_to ? tlk_str(known->refers_to) : TLK_NONE;
    }
}

static void all_readonly(tlk_fields *list)
{
    for (uint32_t i = 0; i < list->n; i++)
        list->list[i].flags = (list->list[i].flags | TL_F_READONLY) & ~(uint32_t)(TL_F_REQUIRED | TL_F_STAMP);
}

tl_status desk_can_find_stamp(tl_conn *c, const struct desk_kind *k, bool *can, tl_error *e)
{
    const tlk_node *root;
    tlk_arena_reset(&c->page);
    tlk_url u = desk_url(c, "/");
    tlk_addz(&u.b, k->module);
    tlk_addz(&u.b, "/search");
    tlk_url_add(&u, "customField1", tlk_fmt(&c->call, "%.*s:probe", TLK_FMT(c->stamp)));
    tlk_url_add_int(&u, "limit", 1);
    tl_status rc = desk_read(c, &u, &root, e);
    *can = rc == TL_OK;
    if (rc != TL_E_INVALID && rc != TL_E_DENIED && strcmp(e->code, "SCOPE_MISMATCH") != 0)
        return rc;
    tlk_error_clear(e);
    return TL_OK;
}

static uint32_t can_of(const struct desk_kind *k, bool stamp_findable)
{
    uint32_t read = TL_CAN_PULL | TL_CAN_PASS | TL_CAN_FIND | TL_CAN_DELETED;
    if (!k->trash_ids)
        return read;
    return read | TL_CAN_CREATE | TL_CAN_UPDATE | TL_CAN_DELETE | TL_CAN_TRASH | TL_CAN_RESTORE | TL_CAN_RETURN_POST |
           TL_CAN_FIND_CREATED | (stamp_findable ? TL_CAN_STAMP_FIND : 0u);
}

static tl_status describe(tl_conn *c, const struct desk_kind *k, tl_error *e)
{
    const tlk_node *metadata;
    tl_status rc = desk_metadata(c, k, &metadata, e);
    if (rc != TL_OK)
        return rc;
    tlk_fields list = {.arena = &c->call};
    tlk_iter i = tlk_each(metadata);
    for (const tlk_node *v; tlk_next_item(&i, &v);)
        add_field(c, k, v, &list);
    add_told(k, metadata, &list);
    if (!k->trash_ids)
        all_readonly(&list);
    bool stamped = k->trash_ids && desk_metadata_field(metadata, c->stamp), findable = false;
    rc = stamped ? desk_can_find_stamp(c, k, &findable, e) : TL_OK;
    if (rc != TL_OK)
        return rc;
    tl_kind kind = {
        .struct_size = sizeof(kind),
        .can = can_of(k, findable),
        .max_batch = k->trash_ids ? 20 : 0,
        .max_get = 40,
        .max_find = 20,
        .n_fields = list.n,
        .field_stride = sizeof(tl_field),
        .resolution_ms = 1,
        .settle_ms = 120000,
        .lateness_ms = DESK_OVERLAP_US / 1000,
        .kind = tlk_str(k->kind),
        .label = tlk_str(k->label),
        .name = tlk_str(k->module),
        .stamp_field = stamped ? tlk_fmt(&c->call, "cf.%.*s", TLK_FMT(c->stamp)) : TLK_NONE,
        .fields = list.list,
        .about = tlk_str(k->about),
        .filters = tlk_str(k->filters),
    };
    return tlk_refused(c->host->describe(c->host, &kind), e);
}

/* A portal that has no such module, or a sign-in that may not see it, is no reason to know nothing of the others. */
static bool may_be_left_out(const struct desk_kind *k, const tl_discover *q, tl_status rc, const tl_error *e)
{
    return q->n_kinds == 0 && !k->trash_ids &&
           (rc == TL_E_DENIED || rc == TL_E_INVALID || rc == TL_E_NOT_FOUND || desk_lacks_scope(rc, e));
}

tl_status desk_discover(tl_conn *c, const tl_discover *q, tl_error *e)
{
    tl_status rc = desk_begin(c, e);
    for (uint32_t i = 0; i < desk_n_kinds && rc == TL_OK; i++) {
        const struct desk_kind *k = &desk_kinds[i];
        if (!tlk_wants(q->kinds, q->n_kinds, k->kind))
            continue;
        rc = desk_of_kind(k, describe(c, k, e), e);
        if (!may_be_left_out(k, q, rc, e))
            continue;
        tlk_log(c->host, TL_INFO, "%s are left out: %s", k->label, e->text);
        tlk_error_clear(e);
        rc = TL_OK;
    }
    if (rc == TL_OK)
        rc = desk_directory_describe(c, q, e);
    if (rc == TL_OK && tlk_wants(q->kinds, q->n_kinds, "comment"))
        rc = desk_comments_describe(c, e);
    return rc;
}
