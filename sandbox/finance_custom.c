/* Custom fields, "no duplicates" among them, and what rests on it: the update or insert by X-Unique-Identifier, which
 * is the one way in which the vendor makes a create safe to repeat. Vendor:
 * https://www.zoho.com/books/api/v3/contacts/, "update a contact using a custom field's unique value". */
#include <stdio.h>

#include "finance_int.h"

enum { CODE_GONE = 1002, CODE_DUPLICATE = 2 }; /* the vendor's own number is not known */

struct custom {
    const char *id, *api_name, *label, *type;
    bool unique, stamp;
};
/* The same for every kind that has custom fields; the first is "no duplicates" while the switch says so. */
static const struct custom fields[FIN_CUSTOM_MAX] = {
    {"460000000000091001", "cf_tieline_id", "Tieline ID", "string", true, true},
    {"460000000000091003", "cf_ticket_number", "Ticket Number", "string", false, false},
    {"460000000000091005", "cf_region", "Region", "string", false, false},
    {"460000000000091007", "cf_remark", "Remark", "multiline", false, false},
};

static bool is_unique(const struct fin_org *o, int i)
{
    return fields[i].unique && twin_switch(o->finance->twin, "no_duplicates");
}

/* By customfield_id, api_name, label or index, whichever the client sends. */
static int field_named(const struct sj *one)
{
    str id = sj_text(sj_get(one, "customfield_id")), name = sj_text(sj_get(one, "api_name"));
    str label = sj_text(sj_get(one, "label"));
    int64_t index = sj_int(sj_get(one, "index"), 0);
    for (int i = 0; i < FIN_CUSTOM_MAX; i++) {
        if (str_is(id, fields[i].id) || str_is(name, fields[i].api_name) || str_is(label, fields[i].label) ||
            index == i + 1)
            return i;
    }
    return -1;
}

bool fin_custom_read(struct call *c, struct fin *draft, const struct sj *list)
{
    if (!list)
        return true;
    static const struct fin_field text = {"custom_fields", FIN_TEXT, 2000, 0, NULL};
    if (list->kind != SJ_ARRAY)
        return fin_invalid(c, "custom_fields");
    for (const struct sj *one = list->first; one; one = one->next) {
        int i = field_named(one);
        const struct sj *v = sj_get(one, "value");
        str value;
        if (i < 0 || !v)
            return fin_invalid(c, "custom_fields");
        if (!fin_value_read(c, &text, v, &value))
            return false;
        text_free(draft->custom[i]);
        draft->custom[i] = value.n ? str_dup(value) : NULL;
    }
    return true;
}

void fin_custom_put(struct buf *b, const struct fin *r, bool listed)
{
    json_put_raw(b, "custom_fields", STR("["));
    for (int i = 0; i < FIN_CUSTOM_MAX; i++) {
        if (!r->custom[i])
            continue;
        json_put_comma(b);
        buf_char(b, '{');
        json_put_member(b, "customfield_id", str_of(fields[i].id));
        json_put_member(b, "api_name", str_of(fields[i].api_name));
        json_put_int(b, "index", i + 1);
        json_put_member(b, "label", str_of(fields[i].label));
        json_put_member(b, "data_type", str_of(fields[i].type));
        json_put_member(b, "value", str_of(r->custom[i]));
        buf_char(b, '}');
    }
    buf_char(b, ']');
    if (listed)
        return;
    json_put_raw(b, "custom_field_hash", STR("{"));
    for (int i = 0; i < FIN_CUSTOM_MAX; i++) {
        if (r->custom[i])
            json_put_member(b, fields[i].api_name, str_of(r->custom[i]));
    }
    buf_char(b, '}');
}

/* Also records on their way count: the vendor's index knows them before its lists do. */
static struct fin *holder(const struct fin_org *o, int kind, int i, str value, const struct fin *except)
{
    const struct fin_list *l = &o->lists[kind];
    for (size_t n = 0; n < l->n; n++) {
        struct fin *r = l->rows[n];
        if (r != except && !r->gone && r->custom[i] && str_is(value, r->custom[i]))
            return r;
    }
    return NULL;
}

bool fin_custom_unique(struct call *c, const struct fin *draft, const struct fin *existing)
{
    for (int i = 0; i < FIN_CUSTOM_MAX; i++) {
        if (!draft->custom[i] || !is_unique(draft->org, i) ||
            !holder(draft->org, fin_number(draft->kind), i, str_of(draft->custom[i]), existing))
            continue;
        fin_error(c, 400, CODE_DUPLICATE, "The value \"%s\" already exists for %s.", draft->custom[i], fields[i].label);
        return false;
    }
    return true;
}

/* A write must not reach a record stamped otherwise, and must not make a second record of one source record. */
void fin_custom_watch(const struct fin *draft, const struct fin *existing)
{
    const struct finance *f = draft->org->finance;
    int kind = fin_number(draft->kind);
    for (int i = 0; i < FIN_CUSTOM_MAX; i++) {
        if (!fields[i].stamp || !draft->custom[i])
            continue;
        const char *have = existing ? existing->custom[i] : NULL;
        const struct fin *other = holder(draft->org, kind, i, str_of(draft->custom[i]), existing);
        if (have && strcmp(have, draft->custom[i]) != 0)
            sandbox_violation(f->world, f->twin, "%s %lld is stamped \"%s\", written with \"%s\"", draft->kind->name,
                              (long long)existing->id, have, draft->custom[i]);
        else if (other)
            sandbox_violation(f->world, f->twin, "%s: stamp \"%s\" given twice, %lld has it", draft->kind->name,
                              draft->custom[i], (long long)other->id);
    }
}

/* The body with the unique value among its custom fields, where it is not there yet. */
static const struct sj *stamped(struct call *c, const struct sj *body, const struct custom *field, str value)
{
    AUTO(buf_done) struct buf b = {0};
    const struct sj *list = sj_get(body, "custom_fields");
    if (list && list->kind != SJ_ARRAY) {
        fin_invalid(c, "custom_fields");
        return NULL;
    }
    buf_char(&b, '{');
    for (const struct sj *m = body->first; m; m = m->next) {
        if (m == list)
            continue;
        json_put_comma(&b);
        json_put(&b, m->key);
        buf_char(&b, ':');
        sj_write(&b, m);
    }
    json_put_raw(&b, "custom_fields", STR("["));
    buf_char(&b, '{');
    json_put_member(&b, "api_name", str_of(field->api_name));
    json_put_member(&b, "value", value);
    buf_char(&b, '}');
    for (const struct sj *m = list ? list->first : NULL; m; m = m->next) {
        json_put_comma(&b);
        sj_write(&b, m);
    }
    buf_text_add(&b, "]}");
    struct sj_fault fault;
    return sj_parse(&c->arena, arena_str(&c->arena, buf_lent(&b)), &fault);
}

static bool named_by_headers(struct call *c, int kind, int *field, str *value_out, struct fin **out)
{
    struct finance *f = c->self;
    str key = call_header(c, "X-Unique-Identifier-Key"), value = call_header(c, "X-Unique-Identifier-Value");
    if (!key.n)
        return fin_missing(c, "X-Unique-Identifier-Key");
    if (!value.n)
        return fin_missing(c, "X-Unique-Identifier-Value");
    for (int i = 0; i < FIN_CUSTOM_MAX; i++) {
        if (str_is(key, fields[i].api_name) && is_unique(f->org, i)) {
            *out = holder(f->org, kind, i, value, NULL);
            *field = i;
            *value_out = value;
            return true;
        }
    }
    return fin_invalid(c, "X-Unique-Identifier-Key"); /* no such field, or one that allows duplicates */
}

bool fin_custom_upsert(struct call *c, int kind, struct fin **out, const struct sj **body_out)
{
    int i = 0;
    str value;
    struct fin *r = NULL;
    if (!named_by_headers(c, kind, &i, &value, &r))
        return false;
    if (!r && !str_is(call_header(c, "X-Upsert"), "true")) {
        fin_error(c, (int)twin_switch(c->twin, "gone_status"), CODE_GONE, "%s does not exist.", fin_kinds[kind]->title);
        return false;
    }
    const struct sj *body = fin_body(c);
    if (!body)
        return false;
    const struct sj *given = stamped(c, body, &fields[i], value);
    if (!given)
        return false;
    *out = r;
    *body_out = given;
    return true;
}
