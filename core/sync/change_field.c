/* One field of a write as the history keeps it. */
#include "change.h"

#include <stdlib.h>

#include "values.h"

static const char digits[] = "0123456789abcdef";

/* A text and a blank are their own text; everything else has a type, or parts, that a text does not show. */
static void value_put(json_t *row, const char *shown, const char *raw, const tl_value *v)
{
    AUTO(buf_done) struct buf text = {0};
    value_text(&text, v);
    json_object_set_new(row, shown, json_stringn(buf_text(&text), text.n));
    if (v->type == TL_NULL || v->type == TL_TEXT)
        return;
    AUTO(buf_done) struct buf blob = {0};
    AUTO(buf_done) struct buf hex = {0};
    tl_value one = *v;
    one.field = 1;
    obs_add(&blob, &one);
    for (size_t i = 0; i < blob.n; i++) {
        uint8_t c = (uint8_t)buf_lent(&blob).p[i];
        buf_char(&hex, digits[c >> 4]);
        buf_char(&hex, digits[c & 15]);
    }
    json_object_set_new(row, raw, json_stringn(buf_text(&hex), hex.n));
}

json_t *change_field_json(uint32_t number, str field, const tl_value *before, const tl_value *after)
{
    json_t *row = json_object();
    json_object_set_new(row, "no", json_integer((json_int_t)number));
    json_object_set_new(row, "field", json_stringn(field.p, field.n));
    if (before)
        value_put(row, "before", "raw_before", before);
    else
        json_object_set_new(row, "before", json_null());
    value_put(row, "after", "raw_after", after);
    return row;
}

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool raw_read(const char *hex, size_t n, struct arena *a, tl_value *out)
{
    char *bytes = arena_array(a, char, n / 2 + 1);
    for (size_t i = 0; i < n / 2; i++) {
        int high = digit(hex[2 * i]), low = digit(hex[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        bytes[i] = (char)(high << 4 | low);
    }
    return n % 2 == 0 && obs_find(str_n(bytes, n / 2), 1, a, out);
}

static bool value_read(const json_t *row, const char *shown, const char *raw, struct arena *a, tl_value *out)
{
    const json_t *kept = json_object_get(row, raw), *text = json_object_get(row, shown);
    if (json_is_string(kept))
        return raw_read(json_string_value(kept), json_string_length(kept), a, out);
    if (!json_is_string(text))
        return false;
    str s = arena_str(a, str_n(json_string_value(text), json_string_length(text)));
    *out = s.n ? (tl_value){.type = TL_TEXT, .u.s = s} : (tl_value){.type = TL_NULL};
    return true;
}

bool change_field_read(const json_t *row, struct arena *a, struct change_field *out)
{
    const json_t *no = json_object_get(row, "no"), *field = json_object_get(row, "field");
    *out = (struct change_field){0};
    if (!json_is_integer(no) || !json_is_string(field))
        return false;
    out->number = (uint32_t)json_integer_value(no);
    out->field = str_n(json_string_value(field), json_string_length(field));
    out->known = value_read(row, "before", "raw_before", a, &out->before);
    return value_read(row, "after", "raw_after", a, &out->after);
}

void change_fields_show(json_t *rows)
{
    size_t i;
    json_t *row;
    json_array_foreach(rows, i, row)
    {
        json_object_del(row, "raw_before");
        json_object_del(row, "raw_after");
    }
}

/* Nothing but the master settled it: the times could not be told apart. */
static bool was_tie(const struct link_rules *link, const struct snapshot *snap, uint32_t i)
{
    struct link_rules other = *link;
    other.master = 1 - link->master;
    return newest_side(link, snap, i) != newest_side(&other, snap, i);
}

static bool lacks_base(const struct snapshot_side *s, uint32_t i)
{
    return s->base && s->has_base && !s->has_base[i];
}

const char *change_rule(const struct link_rules *link, const struct snapshot *snap, int target, uint32_t i, bool both)
{
    const struct rule_field *f = &link->fields[i];
    int source = 1 - target;
    bool one_way = !field_writable(link, f, source, false);
    if (!both)
        return lacks_base(&snap->side[source], i) && !lacks_base(&snap->side[target], i) ? "decided"
               : one_way                                                                 ? "one_way"
                                                                                         : "only_edit";
    if (!field_changed(f, &snap->side[source], i))
        return "reverted";
    if (one_way)
        return "one_way";
    bool blank = field_blank(f, snap, target, i) != field_blank(f, snap, source, i);
    if (blank && (f->unless_blank || field_adopting(snap, i)))
        return "blank";
    switch (f->policy == POLICY_LINK ? link->policy : f->policy) {
    case POLICY_A:
        return "a";
    case POLICY_B:
        return "b";
    case POLICY_MANUAL:
        return "decided";
    case POLICY_LINK:
    case POLICY_NEWEST:
        break;
    }
    return was_tie(link, snap, i) ? "master" : "newest";
}

bool change_fields_have(str rows, uint32_t number)
{
    AUTO(arena_done) struct arena a = {0};
    json_t *list = json_loadb(rows.p ? rows.p : "", rows.n, 0, NULL), *row;
    struct change_field f;
    size_t i;
    bool found = false;
    json_array_foreach(list, i, row) found |= change_field_read(row, &a, &f) && f.number == number;
    json_decref(list);
    return found;
}
