/* What an object looks like here: its describe, turned into the host's terms [REST:resources_sobject_describe]. */
#include "salesforce.h"

tl_status sf_describe(tl_conn *c, const struct sf_kind *k, const tlk_node **root, tl_error *e)
{
    tl_http r;
    sf_get_request(c, &r, sf_path(c, "/sobjects/%s/describe", k->object));
    return sf_call(c, &r, root, e);
}

struct describer {
    tl_conn *c;
    const struct sf_kind *kind;
    tlk_fields fields;
};

static uint32_t number(const tlk_node *field, const char *name)
{
    int64_t v = 0;
    tlk_i64(tlk_get(field, name), &v);
    return v > 0 && v < INT32_MAX ? (uint32_t)v : 0;
}

/* The host keeps these in the envelope, or they are of no use outside. */
static bool is_internal(tl_str name)
{
    static const char *const names[] = {
        "Id",
        "IsDeleted",
        "MasterRecordId",
        "SystemModstamp",
        "CreatedDate",
        "CreatedById",
        "LastModifiedDate",
        "LastModifiedById",
        "LastActivityDate",
        "LastViewedDate",
        "LastReferencedDate",
        "PhotoUrl",
        "Jigsaw",
        "JigsawCompanyId",
        "JigsawContactId",
        "CleanStatus",
        "IndividualId",
    };
    for (size_t i = 0; i < TLK_LEN(names); i++) {
        if (tlk_is(name, names[i]))
            return true;
    }
    return false;
}

/* 255: not a value that can be carried (compound, binary, of any type). */
static uint32_t type_of(tl_str t)
{
    static const struct type {
        const char *name;
        uint32_t type;
    } types[] = {
        {"string", TL_TEXT},
        {"textarea", TL_MULTILINE},
        {"boolean", TL_BOOL},
        {"int", TL_INT},
        {"long", TL_INT},
        {"double", TL_DECIMAL},
        {"currency", TL_DECIMAL},
        {"percent", TL_DECIMAL},
        {"date", TL_DATE},
        {"datetime", TL_TIME},
        {"time", TL_TEXT},
        {"email", TL_EMAIL},
        {"phone", TL_PHONE},
        {"url", TL_URL},
        {"picklist", TL_CHOICE},
        {"multipicklist", TL_LIST},
        {"combobox", TL_TEXT},
        {"reference", TL_REF},
        {"encryptedstring", TL_TEXT},
    };
    const struct type *known = tlk_row_by(types, TLK_LEN(types), name, t);
    return known ? known->type : 255;
}

/* Required is what can be created, has no default and may not be empty; required by a page layout or a validation rule
 * does not show here. A field that may only be written later cannot be part of a create and is taken as read-only. */
static uint32_t flags_of(struct describer *d, const tlk_node *f, tl_str name, const struct sf_field *known)
{
    bool create = tlk_is_true(tlk_get(f, "createable")), update = tlk_is_true(tlk_get(f, "updateable"));
    uint32_t flags = known ? known->flags : 0;
    if (!create)
        flags |= TL_F_READONLY;
    else if (!update)
        flags |= TL_F_CREATE_ONLY;
    if (create && !tlk_is_true(tlk_get(f, "nillable")) && !tlk_is_true(tlk_get(f, "defaultedOnCreate")))
        flags |= TL_F_REQUIRED;
    if (tlk_is_true(tlk_get(f, "custom")))
        flags |= TL_F_CUSTOM;
    if (tlk_is_true(tlk_get(f, "unique")))
        flags |= TL_F_UNIQUE;
    if (tlk_is_true(tlk_get(f, "externalId")))
        flags |= TL_F_MATCH;
    if (tlk_is_true(tlk_get(f, "restrictedPicklist")))
        flags |= TL_F_CLOSED;
    if (!tlk_is_true(tlk_get(f, "filterable")))
        flags &= ~(uint32_t)TL_F_MATCH;
    if (tlk_is(name, d->c->stamp.p))
        flags |= TL_F_STAMP;
    if (d->kind->fixed)
        flags = (flags & TL_F_MATCH) | TL_F_READONLY;
    return flags;
}

static void add_choices(tl_field *to, const tlk_node *f, tlk_arena *a)
{
    const tlk_node *list = tlk_get(f, "picklistValues"), *one;
    uint32_t n = 0;
    tl_choice *choices = tlk_new(a, tl_choice, tlk_count(list) + 1);
    tlk_iter each = tlk_each(list);
    while (tlk_next_item(&each, &one)) {
        if (tlk_is_true(tlk_get(one, "active"))) /* the value is what the API takes; people see the label */
            choices[n++] =
                (tl_choice){tlk_dup(a, tlk_text_at(one, "value", a)), tlk_dup(a, tlk_text_at(one, "label", a))};
    }
    to->choices = choices;
    to->choice_stride = sizeof *choices;
    to->n_choices = n;
}

static tl_str kinds_referred_to(const tlk_node *f, tlk_arena *a)
{
    TLK_AUTO_BUF b = {0};
    const tlk_node *one;
    tlk_iter each = tlk_each(tlk_get(f, "referenceTo"));
    while (tlk_next_item(&each, &one)) {
        tl_str object = tlk_text(one, a);
        const struct sf_kind *k = tlk_row_by(sf_kinds, sf_n_kinds, object, object);
        tlk_addz(&b, b.n ? "," : "");
        for (uint64_t i = 0; i < object.n && !k; i++)
            tlk_addc(&b, object.p[i] >= 'A' && object.p[i] <= 'Z' ? (char)(object.p[i] + 32) : object.p[i]);
        if (k)
            tlk_addz(&b, k->kind);
    }
    return tlk_dup(a, tlk_lent(&b));
}

static void add_sizes(tl_field *to, const tlk_node *f, uint32_t type)
{
    if (type == TL_INT)
        to->max = number(f, "digits");
    else if (type == TL_DECIMAL) {
        to->scale = number(f, "scale");
        uint32_t precision = number(f, "precision");
        to->max = precision > to->scale ? precision - to->scale : 0;
    } else if (type != TL_BOOL && type != TL_DATE && type != TL_TIME && type != TL_REF)
        to->max = number(f, "length");
}

static void add_field(struct describer *d, const tlk_node *f)
{
    tlk_arena *a = &d->c->page;
    tl_str name = tlk_text_at(f, "name", a);
    uint32_t type = type_of(tlk_text_at(f, "type", a));
    if (type == 255 || !sf_is_name(name) || is_internal(name) || tlk_is_true(tlk_get(f, "deprecatedAndHidden")))
        return;
    const struct sf_field *known = tlk_row_by(d->kind->fields, d->kind->n_fields, name, name);
    tl_str path = known ? tlk_str(known->path) : tlk_fmt(a, "x.%.*s", TLK_FMT(name));
    tl_field *to =
        tlk_field_add(&d->fields, path.p, name, tlk_text_at(f, "label", a), type, flags_of(d, f, name, known));
    add_sizes(to, f, type);
    if (type == TL_LIST)
        to->item_type = TL_CHOICE;
    if (type == TL_CHOICE || type == TL_LIST)
        add_choices(to, f, a);
    if (type == TL_REF)
        to->refers_to = kinds_referred_to(f, a);
}

static uint32_t abilities(const struct sf_kind *k, const tlk_node *root, struct sf_stamp_info stamp)
{
    uint32_t can = 0;
    if (k->fixed)
        return tlk_is_true(tlk_get(root, "queryable")) ? TL_CAN_PULL | TL_CAN_PASS | TL_CAN_FIND : 0;
    if (tlk_is_true(tlk_get(root, "queryable")))
        can |= TL_CAN_PULL | TL_CAN_PASS | TL_CAN_FIND | TL_CAN_VIEW | TL_CAN_DELETED | TL_CAN_FIND_CREATED;
    if (tlk_is_true(tlk_get(root, "createable")))
        can |= TL_CAN_CREATE;
    if (tlk_is_true(tlk_get(root, "updateable")))
        can |= TL_CAN_UPDATE;
    if (tlk_is_true(tlk_get(root, "deletable")))
        can |= TL_CAN_DELETE | TL_CAN_TRASH;
    if (stamp.state == SF_STAMP_UNIQUE)
        can |= TL_CAN_STAMP_UNIQUE | TL_CAN_STAMP_FIND;
    else if (stamp.state == SF_STAMP_PLAIN)
        can |= TL_CAN_STAMP_FIND;
    return can;
}

static tl_status describe_kind(tl_conn *c, const struct sf_kind *k, const tlk_node *root, tl_error *e)
{
    struct describer d = {.c = c, .kind = k, .fields = {.arena = &c->page}};
    const tlk_node *one;
    tlk_iter each = tlk_each(tlk_get(root, "fields"));
    while (tlk_next_item(&each, &one))
        add_field(&d, one);
    struct sf_stamp_info stamp = sf_stamp_info_of(c, root);
    bool usable = !k->fixed && (stamp.state == SF_STAMP_UNIQUE || stamp.state == SF_STAMP_PLAIN);
    sf_stamp_remember(c, k, stamp.state);
    tl_kind out = {.struct_size = sizeof(out),
                   .can = abilities(k, root, stamp),
                   .max_batch = k->fixed ? 0 : SF_COLLECTION,
                   .max_get = SF_RETRIEVE,
                   .max_find = SF_COLLECTION,
                   .n_fields = d.fields.n,
                   .field_stride = sizeof(tl_field),
                   .resolution_ms = 1000, /* SystemModstamp is cut to seconds */
                   .settle_ms = 600000,   /* a request runs ten minutes at most */
                   .lateness_ms = SF_OVERLAP_S * 1000,
                   .kind = tlk_str(k->kind),
                   .label = tlk_text_at(root, "label", &c->page),
                   .name = tlk_str(k->object),
                   .stamp_field = usable ? c->stamp : TLK_NONE,
                   .fields = d.fields.list};
    tl_status rc = c->host->describe(c->host, &out);
    return tlk_refused(rc, e);
}

tl_status sf_discover(tl_conn *c, const tl_discover *req, tl_error *e)
{
    tl_status rc = sf_begin(c, e);
    for (uint32_t i = 0; i < sf_n_kinds && rc == TL_OK; i++) {
        const tlk_node *root = NULL;
        if (!tlk_wants(req->kinds, req->n_kinds, sf_kinds[i].kind))
            continue;
        rc = sf_describe(c, &sf_kinds[i], &root, e);
        if (rc == TL_E_NOT_FOUND) { /* objects that the user may not see are absent; the other kinds go on */
            tlk_log(c->host, TL_WARN, "%s is not visible to the signed-in user", sf_kinds[i].object);
            rc = TL_OK;
            continue;
        }
        if (rc == TL_OK)
            rc = describe_kind(c, &sf_kinds[i], root, e);
    }
    return rc;
}
