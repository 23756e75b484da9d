/* The vendor's record objects to tl_record. */
#include "finance.h"

/* "" and a single blank both mean none. */
static int from_vendor(void *ctx, const tl_field *f, const tlk_node *v, tlk_arena *a, tl_value *out)
{
    (void)ctx;
    (void)f;
    if (tlk_type(v) != TLK_JSTRING || tlk_trim(tlk_text(v, a)).n > 0 || (v->flags & TLK_UNUSABLE))
        return TLK_DEFAULT;
    out->type = TL_NULL;
    return TLK_DONE;
}

/* Payment terms are a number of days here [OAS:contacts]; what is none is for the vendor to refuse. */
static bool to_vendor(void *ctx, const tl_field *f, const tl_value *v, tlk_writer *w)
{
    int64_t days;
    (void)ctx;
    if (!tlk_is(f->name, "payment_terms") || v->type == TL_NULL || !tlk_to_i64(v->u.s, &days))
        return false;
    tlk_w_int(w, days);
    return true;
}

const tlk_rules fin_rules = {.from = from_vendor, .to = to_vendor, .null_as_empty = true};

int64_t fin_time(const tlk_node *row, const char *name)
{
    const tlk_node *v = tlk_get(row, name);
    int64_t us;
    return tlk_type(v) == TLK_JSTRING && tlk_time_parse(tlk_raw(v), &us) && us > 0 ? us : 0;
}

/* By API name; older answers have it only among the members of a hash [OAS:contacts]. */
const tlk_node *fin_custom_value(const tlk_node *object, tl_str api_name)
{
    TLK_AUTO_ARENA a = {0};
    const tlk_node *one;
    tlk_iter i = tlk_each(tlk_get(object, "custom_fields"));
    while (tlk_next_item(&i, &one)) {
        if (tlk_eq(tlk_text_at(one, "api_name", &a), api_name))
            return tlk_get(one, "value");
    }
    return tlk_getn(tlk_get(object, "custom_field_hash"), api_name);
}

/* One field that no member of the record stands for: a custom one, or one that is empty, as the vendor leaves out what
 * is not set. */
static bool read_other(const struct fin_reader *r, const tlk_node *object, uint32_t field, tl_value *out, tl_str *note)
{
    const tl_field *f = tlk_field(r->shape, field);
    const tlk_node *v = tlk_starts(f->name, "cf_") ? fin_custom_value(object, f->name) : NULL;
    *out = (tl_value){.type = TL_NULL};
    bool read = tlk_is_null(v) || from_vendor(NULL, f, v, &r->c->page, out) == TLK_DONE ||
                tlk_value_read(&fin_rules, f, v, &r->c->page, out, note);
    out->field = field;
    return read;
}

static bool read_others(const struct fin_reader *r, const tlk_node *object, tl_record *rec)
{
    uint32_t n_fields = r->shape->n_fields, n = rec->n_values;
    tl_value *values = tlk_new(&r->c->page, tl_value, n_fields + 1);
    bool *there = tlk_new(&r->c->page, bool, n_fields + 1);
    tl_str note = TLK_NONE;
    for (uint32_t i = 0; i < n; i++) {
        values[i] = rec->values[i];
        there[values[i].field] = true;
    }
    for (uint32_t i = 0; i < n_fields; i++) {
        if (!there[i] && !read_other(r, object, i, &values[n++], &note)) {
            tlk_record_bad(rec, note);
            return false;
        }
    }
    rec->values = values;
    rec->n_values = n;
    return true;
}

bool fin_record_read(const struct fin_reader *r, const tlk_node *object, tl_record *rec)
{
    tl_conn *c = r->c;
    *rec = (tl_record){.flags = TL_REC_FULL,
                       .id = tlk_text_at(object, r->kind->id, &c->page),
                       .version = tlk_text_at(object, "last_modified_time", &c->page),
                       .modified_us = fin_time(object, "last_modified_time"),
                       .created_us = fin_time(object, "created_time"),
                       .stamp = tlk_text(fin_custom_value(object, c->stamp), &c->page)};
    rec->version_kind = rec->version.n > 0 ? TL_VER_TIME : TL_VER_NONE;
    if (rec->id.n == 0) {
        tlk_record_bad(rec, TL_STR("the record has no id"));
        return false;
    }
    rec->url = fin_web_url(c, r->kind, rec->id);
    return tlk_record_read(&r->plan, object, &c->page, rec) && read_others(r, object, rec);
}
