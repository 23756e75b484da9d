/* Validation of what is written, against the metadata that organizationFields serves: every fault of a body in one
 * errors[], as the vendor does (zohodesk-oas Common.json: fieldName is a JSON pointer, errorType invalid, duplicate or
 * missing). Unknown members are ignored. */
#include <stdlib.h>

#include "desk_int.h"
#include "times.h"
#include "unicode.h"

void checked_done(struct checked *x)
{
    buf_done(&x->errors);
    arena_done(&x->arena);
}

static void error_add(struct checked *out, const struct field *f, const char *type)
{
    struct buf *b = &out->errors;
    json_put_comma(b);
    buf_fmt(b, "{\"fieldName\":\"/%s%s\",\"errorType\":\"%s\",\"errorMessage\":\"\"}", f->custom ? "cf/" : "",
            f->api_name, type);
}

static bool is_email(str s)
{
    const char *at = memchr(s.p, '@', s.n);
    if (!at || at == s.p || memchr(s.p, ' ', s.n))
        return false;
    str host = str_n(at + 1, s.n - (size_t)(at - s.p) - 1);
    const char *dot = host.n ? memchr(host.p, '.', host.n) : NULL;
    return dot && dot != host.p && host.p[host.n - 1] != '.' && !memchr(host.p, '@', host.n);
}

/* Decimal digits with sign and point; whole: without point. */
static bool is_number(str s, bool whole)
{
    size_t i = s.n && (s.p[0] == '-' || s.p[0] == '+') ? 1 : 0, digits = 0, points = 0;
    for (; i < s.n; i++) {
        if (s.p[i] == '.')
            points++;
        else if (s.p[i] >= '0' && s.p[i] <= '9')
            digits++;
        else
            return false;
    }
    return digits && points <= (whole ? 0u : 1u);
}

static bool option_known(const struct field *f, str v)
{
    str rest = v, one;
    if (!f->options)
        return true;
    if (f->type == FT_PICKLIST)
        return str_in_list(str_of(f->options), v);
    while (rest.n && str_split(&rest, ';', &one)) {
        if (!str_in_list(str_of(f->options), one))
            return false;
    }
    return true;
}

static bool reference_known(struct module *m, const struct field *f, str v)
{
    int64_t id;
    if (!str_to_i64(v, &id))
        return false;
    if (f->to_module < 0)
        return staff_find(m->desk, f->to_staff, v) != NULL;
    const struct record *r = store_find(&m->desk->modules[f->to_module], id);
    return r && r->state == REC_LIVE;
}

static bool value_valid(struct module *m, const struct field *f, str v)
{
    int64_t ignored;
    if (utf8_length(v) > (size_t)f->max)
        return false;
    switch (f->type) {
    case FT_EMAIL:
        return is_email(v);
    case FT_NUMBER:
        return is_number(v, true);
    case FT_PERCENT:
    case FT_DECIMAL:
    case FT_CURRENCY:
        return is_number(v, false);
    case FT_BOOLEAN:
        return str_is(v, "true") || str_is(v, "false");
    case FT_DATE:
        return date_parse(v, &ignored);
    case FT_DATETIME:
        return time_parse(v, &ignored);
    case FT_PICKLIST:
    case FT_MULTISELECT:
        return option_known(f, v);
    case FT_LOOKUP:
        return reference_known(m, f, v);
    case FT_TEXT:
    case FT_TEXTAREA:
    case FT_PHONE:
    case FT_URL:
    case FT_TYPES:
        break;
    }
    return true;
}

struct unique_search {
    const struct record *self;
    bool found;
};

static bool other_live(void *arg, struct record *r)
{
    struct unique_search *s = arg;
    s->found = r != s->self && r->state == REC_LIVE;
    return !s->found;
}

static bool is_taken(struct module *m, int slot, str v, const struct record *self)
{
    const struct field *f = &m->fields[slot];
    bool unique = f->unique || (f->type == FT_EMAIL && strcmp(f->api_name, "email") == 0 &&
                                twin_switch(m->desk->twin, "unique_email"));
    struct unique_search s = {.self = self};
    if (unique && f->indexed)
        store_lookup(m, slot, v, other_live, &s);
    return s.found;
}

/* The value as text; false when its JSON type does not fit the field's. */
static bool text_of(struct checked *out, const struct field *f, const json_t *v, str *text_out)
{
    bool numeric = f->type == FT_NUMBER || f->type == FT_PERCENT || f->type == FT_DECIMAL || f->type == FT_CURRENCY ||
                   f->type == FT_LOOKUP;
    if (json_is_string(v)) {
        *text_out = arena_str(&out->arena, str_n(json_string_value(v), json_string_length(v)));
        return utf8_valid(*text_out) || text_out->n == 0;
    }
    if (json_is_null(v))
        *text_out = (str){"", 0};
    else if (json_is_boolean(v) && f->type == FT_BOOLEAN)
        *text_out = json_is_true(v) ? STR("true") : STR("false");
    else if (json_is_integer(v) && numeric)
        *text_out = str_of(arena_fmt(&out->arena, "%lld", (long long)json_integer_value(v)));
    else if (json_is_real(v) && numeric && f->type != FT_LOOKUP)
        *text_out = str_of(arena_fmt(&out->arena, "%.15g", json_real_value(v)));
    else
        return false;
    return true;
}

static void field_check(struct checked *out, struct module *m, int slot, const json_t *v, const struct record *existing)
{
    const struct field *f = &m->fields[slot];
    str text;
    if (!text_of(out, f, v, &text))
        return error_add(out, f, "invalid");
    if (!str_trim(text).n) {
        if (f->mandatory)
            return error_add(out, f, "missing");
        text = (str){"", 0};
    } else if (!value_valid(m, f, text)) {
        return error_add(out, f, "invalid");
    } else if (is_taken(m, slot, text, existing)) {
        return error_add(out, f, "duplicate");
    }
    out->changes[out->n++] = (struct change){slot, text};
}

void fields_check(struct checked *out, struct module *m, json_t *body, const struct record *existing)
{
    const json_t *custom = json_object_get(body, "cf");
    for (int slot = 0; slot < m->field_count; slot++) {
        const struct field *f = &m->fields[slot];
        const json_t *v = json_object_get(f->custom ? custom : body, f->api_name);
        if (v)
            field_check(out, m, slot, v, existing);
        else if (f->mandatory && !existing)
            error_add(out, f, "missing");
    }
}
