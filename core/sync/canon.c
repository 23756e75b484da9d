#include "canon.h"

#include <stdlib.h>

#include "times.h"
#include "unicode.h"
#include "values.h"

enum { NUMBER_MAX_DIGITS = 400 };

static bool is_number_type(uint32_t t)
{
    return t == TL_INT || t == TL_DECIMAL;
}

static bool is_text_type(uint32_t t)
{
    return t == TL_TEXT || t == TL_MULTILINE || t == TL_EMAIL || t == TL_PHONE || t == TL_URL || t == TL_CHOICE;
}

static enum canon_kind kind_of(uint32_t a, uint32_t b)
{
    if (a == TL_LIST || b == TL_LIST)
        return CANON_LIST;
    if (is_number_type(a) || is_number_type(b))
        return CANON_NUMBER;
    if (a == TL_BOOL || b == TL_BOOL)
        return CANON_BOOL;
    if (a == TL_DATE || b == TL_DATE)
        return CANON_DATE;
    if (a == TL_TIME || b == TL_TIME)
        return CANON_TIME;
    if (a == TL_EMAIL || b == TL_EMAIL)
        return CANON_EMAIL;
    if (a == TL_PHONE || b == TL_PHONE)
        return CANON_PHONE;
    if (a == TL_CHOICE && b == TL_CHOICE)
        return CANON_CHOICE;
    if (is_text_type(a) && is_text_type(b))
        return CANON_TEXT;
    return CANON_EXACT;
}

static uint32_t smaller_limit(uint32_t a, uint32_t b)
{
    if (a == 0 || b == 0)
        return a + b;
    return a < b ? a : b;
}

static uint32_t scale_of(const tl_field *f)
{
    if (f->type == TL_INT)
        return 0;
    return f->type == TL_DECIMAL && f->scale > 0 ? f->scale : UINT32_MAX;
}

struct canon canon_of(const tl_field *a, const tl_field *b, uint32_t resolution_a_ms, uint32_t resolution_b_ms)
{
    struct canon c = {.kind = kind_of(a->type, b->type)};
    uint32_t sa = scale_of(a), sb = scale_of(b);
    c.scale = sa < sb ? sa : sb;
    if (c.kind == CANON_TEXT || c.kind == CANON_EMAIL)
        c.max = smaller_limit(is_text_type(a->type) ? a->max : 0, is_text_type(b->type) ? b->max : 0);
    uint32_t ms = resolution_a_ms > resolution_b_ms ? resolution_a_ms : resolution_b_ms;
    c.resolution_us = ms ? (int64_t)ms * US_PER_MS : 1;
    return c;
}

/* Digits of a decimal literal, without sign and point: the value is digits * 10^(point - n). */
struct literal {
    bool negative;
    int64_t point;
    size_t n;
    char digits[NUMBER_MAX_DIGITS + 2];
};

static bool literal_exponent(str in, size_t i, int64_t *exponent)
{
    if (i == in.n)
        return true;
    if (in.p[i] != 'e' && in.p[i] != 'E')
        return false;
    str rest = str_n(in.p + i + 1, in.n - i - 1);
    if (rest.n && rest.p[0] == '+')
        rest = str_n(rest.p + 1, rest.n - 1);
    return str_to_i64(rest, exponent) && *exponent > -NUMBER_MAX_DIGITS && *exponent < NUMBER_MAX_DIGITS;
}

static bool literal_read(str in, struct literal *out)
{
    in = str_trim(in);
    size_t i = 0, seen = 0;
    bool point = false;
    int64_t exponent = 0;
    out->negative = in.n > 0 && in.p[0] == '-';
    out->n = 0;
    out->point = 0;
    if (in.n > 0 && (in.p[0] == '-' || in.p[0] == '+'))
        i++;
    for (; i < in.n; i++) {
        char ch = in.p[i];
        if (ch == '.' && !point) {
            point = true;
            continue;
        }
        if (ch < '0' || ch > '9')
            break;
        if (out->n == NUMBER_MAX_DIGITS)
            return false;
        out->digits[out->n++] = ch;
        out->point += !point;
        seen++;
    }
    if (seen == 0 || !literal_exponent(in, i, &exponent))
        return false;
    out->point += exponent;
    return true;
}

/* Rounds half away from zero to scale digits behind the point. */
static void literal_round(struct literal *l, uint32_t scale)
{
    int64_t keep = l->point + (int64_t)scale;
    if (keep < 0) {
        l->n = 0;
        return;
    }
    if ((uint64_t)keep >= l->n)
        return;
    bool up = l->digits[keep] >= '5';
    l->n = (size_t)keep;
    for (size_t i = l->n; up && i-- > 0;) {
        up = l->digits[i] == '9';
        l->digits[i] = up ? '0' : (char)(l->digits[i] + 1);
    }
    if (up) {
        memmove(l->digits + 1, l->digits, l->n);
        l->digits[0] = '1';
        l->n++;
        l->point++;
    }
}

static void literal_write(const struct literal *l, struct buf *out)
{
    size_t first = 0, end = l->n;
    while (end > 0 && l->digits[end - 1] == '0' && (int64_t)end > l->point)
        end--;
    while (first < end && l->digits[first] == '0' && (int64_t)first < l->point)
        first++;
    bool zero = true;
    for (size_t i = first; i < end; i++)
        zero = zero && l->digits[i] == '0';
    if (zero) {
        buf_char(out, '0');
        return;
    }
    if (l->negative)
        buf_char(out, '-');
    if ((int64_t)first >= l->point)
        buf_char(out, '0');
    for (int64_t i = (int64_t)first; i < l->point; i++)
        buf_char(out, (size_t)i < end ? l->digits[i] : '0');
    if ((int64_t)end <= l->point)
        return;
    buf_char(out, '.');
    for (int64_t i = l->point; i < 0; i++)
        buf_char(out, '0');
    for (int64_t i = l->point > 0 ? l->point : 0; i < (int64_t)end; i++)
        buf_char(out, l->digits[i]);
}

bool number_normal(str in, uint32_t scale, struct buf *out)
{
    struct literal l;
    if (!literal_read(in, &l))
        return false;
    if (scale != UINT32_MAX)
        literal_round(&l, scale);
    literal_write(&l, out);
    return true;
}

static int64_t floor_to(int64_t v, int64_t step)
{
    int64_t rest = v % step;
    return v - rest - (rest < 0 ? step : 0);
}

static void canon_plain(const struct canon *c, const tl_value *v, struct buf *out)
{
    AUTO(buf_done) struct buf text = {0};
    AUTO(buf_done) struct buf shape = {0};
    value_text(&text, v);
    if (c->kind == CANON_EMAIL)
        text_fold(&shape, buf_lent(&text));
    else
        text_nfc(&shape, buf_lent(&text));
    str s = buf_lent(&shape);
    if (c->max)
        s = str_trim(utf8_cut(s, c->max));
    buf_str(out, s);
}

static void canon_number(const struct canon *c, const tl_value *v, struct buf *out)
{
    AUTO(buf_done) struct buf text = {0};
    if (v->type == TL_BOOL)
        buf_text_add(&text, v->u.i ? "1" : "0");
    else
        value_text(&text, v);
    if (!number_normal(buf_lent(&text), c->scale, out))
        canon_plain(c, v, out);
}

static void canon_bool(const tl_value *v, struct buf *out)
{
    bool truth = v->type == TL_BOOL || v->type == TL_INT ? v->u.i != 0
                                                         : str_eq_nocase(v->u.s, STR("true")) || str_is(v->u.s, "1");
    buf_char(out, truth ? '1' : '0');
}

static void canon_moment(const struct canon *c, const tl_value *v, struct buf *out)
{
    int64_t us = v->u.i, days = v->u.i;
    bool known = true;
    if (v->type == TL_DATE)
        us = days * US_PER_DAY;
    else if (v->type != TL_TIME && v->type != TL_INT)
        known = time_parse(v->u.s, &us) || (date_parse(v->u.s, &days) && (us = days * US_PER_DAY, true));
    if (!known)
        canon_plain(c, v, out);
    else
        buf_fmt(out, "%lld", (long long)floor_to(us, c->kind == CANON_DATE ? US_PER_DAY : c->resolution_us));
}

static int by_text(const void *a, const void *b)
{
    return str_cmp(*(const str *)a, *(const str *)b);
}

/* Items in order of their text; a single value counts as a list of one. */
static void canon_list(const tl_value *v, struct buf *out)
{
    if (v->type != TL_LIST) {
        value_text(out, v);
        return;
    }
    AUTO(arena_done) struct arena arena = {0};
    str *items = arena_array(&arena, str, v->u.list.n ? v->u.list.n : 1);
    for (uint64_t i = 0; i < v->u.list.n; i++) {
        AUTO(buf_done) struct buf text = {0};
        value_text(&text, &v->u.list.items[i]);
        items[i] = arena_str(&arena, buf_lent(&text));
    }
    qsort(items, v->u.list.n, sizeof *items, by_text);
    for (uint64_t i = 0; i < v->u.list.n; i++) {
        if (i > 0)
            buf_char(out, '\x1f');
        buf_str(out, items[i]);
    }
}

/* Nothing for a blank value. */
static void canon_text(const struct canon *c, const tl_value *v, struct buf *out)
{
    if (value_is_blank(v))
        return;
    switch (c->kind) {
    case CANON_TEXT:
    case CANON_EMAIL:
    case CANON_CHOICE:
        canon_plain(c, v, out);
        break;
    case CANON_PHONE: {
        AUTO(buf_done) struct buf text = {0};
        value_text(&text, v);
        phone_digits(out, buf_lent(&text));
        if (out->n == 0)
            canon_plain(c, v, out);
        break;
    }
    case CANON_NUMBER:
        canon_number(c, v, out);
        break;
    case CANON_BOOL:
        canon_bool(v, out);
        break;
    case CANON_TIME:
    case CANON_DATE:
        canon_moment(c, v, out);
        break;
    case CANON_LIST:
        canon_list(v, out);
        break;
    case CANON_EXACT:
        value_text(out, v);
    }
}

bool canon_equal(const struct canon *c, const tl_value *a, const tl_value *b)
{
    if (value_same(a, b))
        return true;
    bool blank_a = value_is_blank(a), blank_b = value_is_blank(b);
    if (blank_a || blank_b)
        return blank_a == blank_b;
    AUTO(buf_done) struct buf ta = {0};
    AUTO(buf_done) struct buf tb = {0};
    canon_text(c, a, &ta);
    canon_text(c, b, &tb);
    return str_eq(buf_lent(&ta), buf_lent(&tb));
}

static bool convert_number(const tl_value *in, const tl_field *target, struct arena *arena, tl_value *out)
{
    AUTO(buf_done) struct buf text = {0};
    AUTO(buf_done) struct buf normal = {0};
    if (in->type == TL_BOOL)
        buf_text_add(&text, in->u.i ? "1" : "0");
    else if (in->type != TL_LIST && in->type != TL_TIME && in->type != TL_DATE)
        value_text(&text, in);
    if (!number_normal(buf_lent(&text), target->type == TL_INT ? UINT32_MAX : scale_of(target), &normal))
        return false;
    out->type = (uint8_t)target->type;
    if (target->type == TL_INT)
        return str_to_i64(buf_lent(&normal), &out->u.i);
    out->u.s = arena_str(arena, buf_lent(&normal));
    return true;
}

static bool convert_moment(const tl_value *in, uint32_t type, tl_value *out)
{
    int64_t us = 0, days = 0;
    if (in->type == TL_TIME)
        us = in->u.i;
    else if (in->type == TL_DATE)
        us = in->u.i * US_PER_DAY;
    else if (is_text_type(in->type) && date_parse(in->u.s, &days))
        us = days * US_PER_DAY;
    else if (!is_text_type(in->type) || !time_parse(in->u.s, &us))
        return false;
    out->type = (uint8_t)type;
    out->u.i = type == TL_DATE ? floor_to(us, US_PER_DAY) / US_PER_DAY : us;
    return true;
}

static bool convert_bool(const tl_value *in, tl_value *out)
{
    out->type = TL_BOOL;
    if (in->type == TL_INT) {
        out->u.i = in->u.i;
        return in->u.i == 0 || in->u.i == 1;
    }
    if (!is_text_type(in->type) && in->type != TL_DECIMAL)
        return false;
    out->u.i = str_eq_nocase(in->u.s, STR("true")) || str_is(in->u.s, "1");
    return out->u.i || str_eq_nocase(in->u.s, STR("false")) || str_is(in->u.s, "0");
}

static bool choice_known(const tl_field *f, str value)
{
    if (!(f->flags & TL_F_CLOSED) || f->n_choices == 0)
        return true;
    for (uint32_t i = 0; i < f->n_choices; i++)
        if (str_eq(f->choices[i].value, value))
            return true;
    return false;
}

static bool convert_text(const tl_value *in, const tl_field *target, struct arena *arena, tl_value *out,
                         int32_t *reason)
{
    AUTO(buf_done) struct buf text = {0};
    /* A number as a person writes it: what the vendor tells as "10184.0" is no text that anybody would give. */
    if (in->type != TL_DECIMAL || !number_normal(in->u.s, UINT32_MAX, &text))
        value_text(&text, in);
    out->type = (uint8_t)target->type;
    out->u.s = in->type == TL_LIST || in->type <= TL_DECIMAL ? arena_str(arena, buf_lent(&text)) : in->u.s;
    if (target->type == TL_CHOICE && !choice_known(target, out->u.s)) {
        *reason = TL_R_CHOICE_UNKNOWN;
        return false;
    }
    if (target->max && out->u.s.n > target->max && utf8_length(out->u.s) > target->max) {
        *reason = TL_R_TOO_LONG;
        return false;
    }
    return true;
}

static bool convert_list(const tl_value *in, const tl_field *target, struct arena *arena, tl_value *out,
                         int32_t *reason)
{
    const tl_value *items = in->type == TL_LIST ? in->u.list.items : in;
    uint64_t n = in->type == TL_LIST ? in->u.list.n : 1;
    tl_field item = *target;
    item.type = target->item_type ? target->item_type : TL_TEXT;
    tl_value *converted = arena_array(arena, tl_value, n ? n : 1);
    for (uint64_t i = 0; i < n; i++)
        if (!value_convert(&items[i], &item, arena, &converted[i], reason))
            return false;
    out->type = TL_LIST;
    out->u.list.items = converted;
    out->u.list.n = n;
    return true;
}

bool value_convert(const tl_value *in, const tl_field *target, struct arena *arena, tl_value *out, int32_t *reason)
{
    *out = (tl_value){.field = in->field, .type = TL_NULL};
    if (value_is_blank(in))
        return true;
    if (target->type == TL_LIST)
        return convert_list(in, target, arena, out, reason);
    if (is_text_type(target->type))
        return convert_text(in, target, arena, out, reason);
    if (in->type == target->type) {
        *out = *in;
        return true;
    }
    bool ok = false;
    if (is_number_type(target->type))
        ok = convert_number(in, target, arena, out);
    else if (target->type == TL_TIME || target->type == TL_DATE)
        ok = convert_moment(in, target->type, out);
    else if (target->type == TL_BOOL)
        ok = convert_bool(in, out);
    else if (target->type == TL_JSON || target->type == TL_BYTES)
        ok = in->type == TL_JSON || in->type == TL_BYTES;
    if (!ok)
        *reason = TL_R_TYPE_MISMATCH;
    return ok;
}

int value_convertible(uint32_t from, uint32_t to)
{
    if (from >= TL_BLOB || to >= TL_BLOB)
        return 0; /* files and rows are shown and done something with; what is kept of records has neither */
    if (from == to || is_text_type(to))
        return from == TL_REF && to != TL_REF ? 0 : 2;
    if (is_number_type(from) && is_number_type(to))
        return from == TL_INT ? 2 : 1;
    if (from == TL_BOOL && is_number_type(to))
        return 2;
    if ((from == TL_DATE || from == TL_TIME) && (to == TL_DATE || to == TL_TIME))
        return 2;
    if (to == TL_LIST)
        return is_text_type(from) ? 2 : 0;
    return is_text_type(from) && (is_number_type(to) || to == TL_TIME || to == TL_DATE || to == TL_BOOL) ? 1 : 0;
}
