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
    const struct sf_listed *listed; /* null: it is not one of those */
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
    if (d->listed)
        flags &= TL_F_CUSTOM;
    if (d->kind->fixed)
        flags = (flags & (TL_F_MATCH | TL_F_CUSTOM)) | TL_F_READONLY;
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

static const char *kind_of_object(tl_str object)
{
    const struct sf_kind *k = tlk_row_by(sf_kinds, sf_n_kinds, object, object);
    const struct sf_listed *listed = tlk_row_by(sf_listed, sf_n_listed, kind.object, object);
    return k ? k->kind : listed ? listed->kind.kind : NULL;
}

static tl_str kinds_referred_to(const tlk_node *f, tlk_arena *a)
{
    TLK_AUTO_BUF b = {0};
    const tlk_node *one;
    tlk_iter each = tlk_each(tlk_get(f, "referenceTo"));
    while (tlk_next_item(&each, &one)) {
        tl_str object = tlk_text(one, a);
        const char *kind = kind_of_object(object);
        tlk_addz(&b, b.n ? "," : "");
        for (uint64_t i = 0; i < object.n && !kind; i++)
            tlk_addc(&b, object.p[i] >= 'A' && object.p[i] <= 'Z' ? (char)(object.p[i] + 32) : object.p[i]);
        tlk_addz(&b, kind ? kind : "");
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

/* "Owner ID" holds an id; what people read stands beside it: "x.Owner.Name", labelled "Owner". */
static void add_name_of(struct describer *d, const tlk_node *f)
{
    tlk_arena *a = &d->c->page;
    tl_str relation = tlk_text_at(f, "relationshipName", a), label = tlk_text_at(f, "label", a);
    if (!d->listed || !d->listed->people || !tlk_in_list(tlk_str(d->listed->people), ',', relation))
        return;
    if (tlk_ends(label, " ID"))
        label.n -= 3;
    tl_str name = tlk_fmt(a, "%.*s.Name", TLK_FMT(relation));
    tlk_field_add(&d->fields, tlk_fmt(a, "x.%.*s", TLK_FMT(name)).p, name, label, TL_TEXT, TL_F_READONLY);
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
    if (type != TL_REF)
        return;
    to->refers_to = kinds_referred_to(f, a);
    add_name_of(d, f);
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

static void add_fields(struct describer *d, const tlk_node *root)
{
    const tlk_node *one;
    tlk_iter each = tlk_each(tlk_get(root, "fields"));
    while (tlk_next_item(&each, &one))
        add_field(d, one);
}

static tl_status describe_kind(tl_conn *c, const struct sf_kind *k, const tlk_node *root, tl_error *e)
{
    struct describer d = {.c = c, .kind = k, .fields = {.arena = &c->page}};
    add_fields(&d, root);
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

/* ---- kinds that are only listed */

static void add_own_fields(struct describer *d, tl_str about)
{
    for (uint32_t i = 0; i < d->listed->n_own; i++) {
        const struct sf_own_field *own = &d->listed->own[i];
        tl_field *f =
            tlk_field_add(&d->fields, own->path, tlk_str(own->name), tlk_str(own->label), own->type, TL_F_READONLY);
        f->refers_to = own->type == TL_REF ? about : TLK_NONE;
    }
}

/* Does the object have all of these fields, as far as the user sees them? */
static bool fields_seen(const struct describer *d, const char *names)
{
    tl_str rest = tlk_str(names), name;
    tl_shape s = {.n_fields = d->fields.n, .field_stride = sizeof(tl_field), .fields = d->fields.list};
    while (tlk_split(&rest, ',', &name)) {
        if (!tlk_field_by_name(&s, name))
            return false;
    }
    return true;
}

static void add_word(tlk_buf *b, const char *word)
{
    tlk_addz(b, b->n ? "," : "");
    tlk_addz(b, word);
}

static tl_str kinds_with_list(const struct sf_listed *k, tl_str objects, const struct describer *d, tlk_arena *a)
{
    TLK_AUTO_BUF b = {0};
    for (uint32_t i = 0; i < k->n_about; i++) {
        const struct sf_about *about = &k->about[i];
        bool seen = sf_about_seen(k, about, objects);
        for (uint32_t s = 0; s < sf_n_sources(about); s++)
            seen = seen && (k->own || fields_seen(d, about->sources[s].fields));
        if (seen)
            add_word(&b, about->kind);
    }
    return tlk_dup(a, tlk_lent(&b));
}

static tl_str parts_of(const struct sf_listed *k, const struct describer *d, tlk_arena *a)
{
    TLK_AUTO_BUF b = {0};
    for (uint32_t i = 0; i < k->n_parts; i++) {
        if (fields_seen(d, k->parts[i].fields))
            add_word(&b, k->parts[i].name);
    }
    return tlk_dup(a, tlk_lent(&b));
}

static tl_status describe_listed(tl_conn *c, const struct sf_listed *k, tl_str objects, tl_error *e)
{
    struct describer d = {.c = c, .kind = &k->kind, .listed = k, .fields = {.arena = &c->page}};
    const tlk_node *root = NULL;
    tl_status rc =
        k->own || !tlk_in_list(objects, ',', tlk_str(k->kind.object)) ? TL_OK : sf_describe(c, &k->kind, &root, e);
    if (rc != TL_OK)
        return rc;
    add_fields(&d, root);
    tl_str about = kinds_with_list(k, objects, &d, &c->page);
    if (!about.n) {
        tlk_log(c->host, TL_WARN, "%s is not visible to the signed-in user, or fields that its lists need are not",
                k->kind.object);
        return TL_OK;
    }
    add_own_fields(&d, about);
    tl_kind out = {.struct_size = sizeof(out),
                   .n_fields = d.fields.n,
                   .field_stride = sizeof(tl_field),
                   .resolution_ms = 1000,
                   .kind = tlk_str(k->kind.kind),
                   .label = k->own ? tlk_str(k->kind.object) : tlk_text_at(root, "label", &c->page),
                   .name = tlk_str(k->kind.object),
                   .fields = d.fields.list,
                   .about = about,
                   .filters = parts_of(k, &d, &c->page)};
    rc = c->host->describe(c->host, &out);
    return tlk_refused(rc, e);
}

static tl_status discover_listed(tl_conn *c, const tl_discover *req, tl_error *e)
{
    tl_str objects = TLK_NONE;
    tl_status rc = TL_OK;
    for (uint32_t i = 0; i < sf_n_listed && rc == TL_OK; i++) {
        if (!tlk_wants(req->kinds, req->n_kinds, sf_listed[i].kind.kind))
            continue;
        if (!objects.n)
            rc = sf_objects_seen(c, &objects, e);
        if (rc == TL_OK)
            rc = describe_listed(c, &sf_listed[i], objects, e);
    }
    return rc;
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
    return rc == TL_OK ? discover_listed(c, req, e) : rc;
}
