/* Bodies of writes. Whether the vendor keeps what an update does not name inside an address, a person or the custom
 * fields is not said, and persons that are not named are taken away [OAS:contacts]: so an update sends each of these
 * whole, as they are at the vendor with what is new put in. */
#include "finance.h"

enum part { PLAIN, PERSON, BILLING, SHIPPING, CUSTOM };
static const char *const person_members[] = {
    "contact_person_id", "salutation", "first_name", "last_name",    "email", "phone", "mobile",
    "designation",       "department", "skype",      "enable_portal"};
static const char *const address_members[] = {"attention",  "address", "street2", "city", "state",
                                              "state_code", "zip",     "country", "fax",  "phone"};

static enum part part_of(const tl_field *f)
{
    static const char *const persons[] = {"first_name", "last_name", "email", "phone", "mobile"};
    for (size_t i = 0; i < TLK_LEN(persons); i++) {
        if (tlk_is(f->name, persons[i]))
            return PERSON;
    }
    return tlk_starts(f->name, "cf_")                 ? CUSTOM
           : tlk_starts(f->name, "billing_address.")  ? BILLING
           : tlk_starts(f->name, "shipping_address.") ? SHIPPING
                                                      : PLAIN;
}

struct body {
    const struct fin_reader *rd;
    const tl_record *rec;
    const tlk_node *now; /* null: a create */
    tlk_writer w;
};

static const tl_value *value_at(const struct fin_reader *rd, const tl_record *rec, uint32_t i, enum part part)
{
    const tl_value *v = &rec->values[i];
    if (v->field >= rd->shape->n_fields)
        return NULL;
    const tl_field *f = tlk_field(rd->shape, v->field);
    return (f->flags & TL_F_READONLY) || part_of(f) != part ? NULL : v;
}

static bool has_part(const struct fin_reader *rd, const tl_record *rec, enum part part)
{
    for (uint32_t i = 0; i < rec->n_values; i++) {
        if (value_at(rd, rec, i, part))
            return true;
    }
    return false;
}

bool fin_has_values(const struct fin_reader *rd, const tl_record *rec)
{
    for (enum part p = PLAIN; p <= CUSTOM; p++) {
        if (has_part(rd, rec, p))
            return true;
    }
    return false;
}

/* The member's name behind the point, or the whole name. */
static tl_str member_name(tl_str name)
{
    const char *point = memchr(name.p, '.', (size_t)name.n);
    return point ? tlk_strn(point + 1, (size_t)(name.p + name.n - point - 1)) : name;
}

/* The record's value of a member; null: it says nothing of it. */
static const tl_value *given(const struct body *b, enum part part, tl_str member)
{
    for (uint32_t i = 0; i < b->rec->n_values; i++) {
        const tl_value *v = value_at(b->rd, b->rec, i, part);
        if (v && tlk_eq(member_name(tlk_field(b->rd->shape, v->field)->name), member))
            return v;
    }
    return NULL;
}

static void write_values(struct body *b, enum part part)
{
    for (uint32_t i = 0; i < b->rec->n_values; i++) {
        const tl_value *v = value_at(b->rd, b->rec, i, part);
        if (!v)
            continue;
        const tl_field *f = tlk_field(b->rd->shape, v->field);
        tlk_w_key(&b->w, member_name(f->name));
        tlk_value_write(&b->w, f, v, &fin_rules);
    }
}

/* A scalar as it stood in the vendor's answer. */
static void write_node(tlk_writer *w, const tlk_node *v)
{
    tl_str raw = tlk_raw(v);
    if (tlk_type(v) == TLK_JSTRING)
        tlk_w_raw(w, (tl_str){raw.p - 1, raw.n + 2}); /* with its quotes */
    else
        tlk_w_raw(w, raw);
}

static bool can_copy(const tlk_node *v)
{
    return !tlk_is_null(v) && tlk_type(v) != TLK_JARRAY && tlk_type(v) != TLK_JOBJECT && !(v->flags & TLK_UNUSABLE);
}

/* What the vendor has and the record does not speak of. */
static void write_rest(struct body *b, const tlk_node *now, const char *const *names, size_t n, bool merged,
                       enum part part)
{
    for (size_t i = 0; i < n; i++) {
        const tlk_node *v = tlk_get(now, names[i]);
        if (!can_copy(v) || (merged && given(b, part, tlk_str(names[i]))))
            continue;
        tlk_w_key(&b->w, tlk_str(names[i]));
        write_node(&b->w, v);
    }
}

static void write_address(struct body *b, const char *name, enum part part)
{
    if (!has_part(b->rd, b->rec, part))
        return;
    tlk_w_key(&b->w, tlk_str(name));
    tlk_w_object(&b->w);
    write_rest(b, tlk_get(b->now, name), address_members, TLK_LEN(address_members), true, part);
    write_values(b, part);
    tlk_w_end_object(&b->w);
}

/* ---- persons */

static void write_person(struct body *b, const tlk_node *person, bool primary)
{
    tlk_w_object(&b->w);
    write_rest(b, person, person_members, TLK_LEN(person_members), primary, PERSON);
    if (primary)
        write_values(b, PERSON);
    tlk_w_key(&b->w, TL_STR("is_primary_contact"));
    tlk_w_bool(&b->w, primary);
    tlk_w_end_object(&b->w);
}

/* The one that says so, else the first; null: there is none. */
static const tlk_node *primary_of(const tlk_node *persons)
{
    const tlk_node *one;
    tlk_iter i = tlk_each(persons);
    while (tlk_next_item(&i, &one)) {
        if (tlk_is_true(tlk_get(one, "is_primary_contact")))
            return one;
    }
    return tlk_item(persons, 0);
}

static void write_persons(struct body *b)
{
    const tlk_node *persons = tlk_get(b->now, "contact_persons"), *primary = primary_of(persons), *one;
    if (!has_part(b->rd, b->rec, PERSON))
        return;
    tlk_w_key(&b->w, TL_STR("contact_persons"));
    tlk_w_array(&b->w);
    if (!primary)
        write_person(b, NULL, true);
    tlk_iter i = tlk_each(persons);
    while (tlk_next_item(&i, &one))
        write_person(b, one, one == primary);
    tlk_w_end_array(&b->w);
}

/* ---- custom fields */

static void write_custom_field(struct body *b, const char *key, tl_str name, const tlk_node *now, const tl_value *v,
                               const tl_field *f)
{
    tlk_w_object(&b->w);
    tlk_w_member(&b->w, key, name);
    tlk_w_key(&b->w, TL_STR("value"));
    if (v)
        tlk_value_write(&b->w, f, v, &fin_rules);
    else
        write_node(&b->w, now);
    tlk_w_end_object(&b->w);
}

static void write_kept_custom(struct body *b)
{
    const tlk_node *one;
    tlk_iter i = tlk_each(tlk_get(b->now, "custom_fields"));
    while (tlk_next_item(&i, &one)) {
        tl_str api = tlk_text_at(one, "api_name", &b->rd->c->page);
        tl_str id = tlk_text_at(one, "customfield_id", &b->rd->c->page);
        const tlk_node *value = tlk_get(one, "value");
        if (!can_copy(value) || (api.n == 0 && id.n == 0) || given(b, CUSTOM, api))
            continue;
        write_custom_field(b, api.n ? "api_name" : "customfield_id", api.n ? api : id, value, NULL, NULL);
    }
}

static void write_custom(struct body *b, tl_str stamp_field)
{
    bool stamped = !b->now && stamp_field.n > 0 && b->rec->stamp.n > 0;
    if (!stamped && !has_part(b->rd, b->rec, CUSTOM))
        return;
    tlk_w_key(&b->w, TL_STR("custom_fields"));
    tlk_w_array(&b->w);
    write_kept_custom(b);
    for (uint32_t i = 0; i < b->rec->n_values; i++) {
        const tl_value *v = value_at(b->rd, b->rec, i, CUSTOM);
        const tl_field *f = v ? tlk_field(b->rd->shape, v->field) : NULL;
        if (v)
            write_custom_field(b, "api_name", f->name, NULL, v, f);
    }
    if (stamped) {
        const tl_value stamp = {.type = TL_TEXT, .u.s = b->rec->stamp};
        const tl_field field = {.type = TL_TEXT};
        write_custom_field(b, "api_name", stamp_field, NULL, &stamp, &field);
    }
    tlk_w_end_array(&b->w);
}

/* ---- the whole */

static tl_str text_of(const struct fin_reader *rd, const tl_record *rec, const char *path)
{
    const tl_value *v = tlk_value_of(rd->shape, rec, path);
    return v && v->type != TL_NULL ? tlk_trim(v->u.s) : TLK_NONE;
}

tl_str fin_contact_name(const struct fin_reader *rd, const tl_record *rec)
{
    tl_str name = text_of(rd, rec, "x.contact_name");
    tl_str first = text_of(rd, rec, "first_name"), last = text_of(rd, rec, "last_name");
    if (name.n == 0)
        name = tlk_trim(tlk_fmt(&rd->c->call, "%.*s %.*s", TLK_FMT(first), TLK_FMT(last)));
    if (name.n == 0)
        name = text_of(rd, rec, "x.company_name");
    return name.n ? name : text_of(rd, rec, "email");
}

/* What a create has to have beside what it was given. */
static void write_new(struct body *b)
{
    const struct fin_reader *rd = b->rd;
    if (text_of(rd, b->rec, "x.contact_name").n == 0)
        tlk_w_member(&b->w, "contact_name", fin_contact_name(rd, b->rec));
    tlk_w_member(&b->w, "contact_type", TL_STR("customer"));
    if (text_of(rd, b->rec, "x.customer_sub_type").n == 0)
        tlk_w_member(&b->w, "customer_sub_type",
                     text_of(rd, b->rec, "x.company_name").n ? TL_STR("business") : TL_STR("individual"));
}

/* A name or type that is given as empty is left to write_new, or to what is there: the vendor takes none. */
static void write_plain(struct body *b)
{
    for (uint32_t i = 0; i < b->rec->n_values; i++) {
        const tl_value *v = value_at(b->rd, b->rec, i, PLAIN);
        const tl_field *f = v ? tlk_field(b->rd->shape, v->field) : NULL;
        if (!v || (v->type == TL_NULL && (tlk_is(f->name, "contact_name") || tlk_is(f->name, "customer_sub_type"))))
            continue;
        tlk_w_key(&b->w, f->name);
        tlk_value_write(&b->w, f, v, &fin_rules);
    }
}

tl_str fin_contact_body(const struct fin_reader *rd, const tl_record *rec, tl_str stamp_field, const tlk_node *now)
{
    struct body b = {.rd = rd, .rec = rec, .now = now};
    tlk_w_object(&b.w);
    if (!now)
        write_new(&b);
    write_plain(&b);
    write_address(&b, "billing_address", BILLING);
    write_address(&b, "shipping_address", SHIPPING);
    write_persons(&b);
    write_custom(&b, stamp_field);
    tlk_w_end_object(&b.w);
    tl_str json = tlk_dup(&rd->c->call, tlk_w_lent(&b.w));
    tlk_w_done(&b.w);
    return json;
}
