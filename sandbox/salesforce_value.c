/* Values of request bodies: what the vendor's parser takes, coerces and refuses. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "salesforce_int.h"
#include "times.h"
#include "unicode.h"

void sf_refuse(struct sf_outcome *out, int status, const char *code, const char *fields, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    out->status = status;
    out->problem = (struct sf_problem){.code = code};
    vsnprintf(out->problem.text, sizeof out->problem.text, fmt, ap);
    snprintf(out->problem.fields, sizeof out->problem.fields, "%s", fields);
    va_end(ap);
}

static const char *parser_type(const struct sf_field *f)
{
    switch (f->type) {
    case SF_INT:
        return "int";
    case SF_DOUBLE:
    case SF_CURRENCY:
    case SF_PERCENT:
        return "double";
    case SF_DATE:
        return "date";
    case SF_DATETIME:
        return "datetime";
    case SF_BOOLEAN:
        return "boolean";
    case SF_ID:
    case SF_REFERENCE:
        return "reference";
    default:
        return "string";
    }
}

static bool unparsable(const struct sf_field *f, const struct sj *v, struct sf_outcome *out)
{
    static const char *const tokens[] = {
        [SJ_NULL] = "VALUE_NULL",     [SJ_FALSE] = "VALUE_FALSE",   [SJ_TRUE] = "VALUE_TRUE",
        [SJ_NUMBER] = "VALUE_NUMBER", [SJ_STRING] = "VALUE_STRING", [SJ_ARRAY] = "START_ARRAY",
        [SJ_OBJECT] = "START_OBJECT"};
    str shown = v->kind == SJ_ARRAY ? STR("[") : v->kind == SJ_OBJECT ? STR("{") : v->text;
    sf_refuse(out, 400, "JSON_PARSER_ERROR", "",
              "Cannot deserialize instance of %s from %s value %.*s or request may be missing a required field at "
              "[line:%u, column:%u]",
              parser_type(f), tokens[v->kind], (int)utf8_cut(shown, 200).n, shown.n ? shown.p : "", v->line, v->column);
    out->malformed = true;
    return false;
}

static bool parse_number(const struct sf_field *f, const struct sj *v, struct sf_val *value, struct sf_outcome *out)
{
    char text[400], *stop;
    str s = str_trim(v->text);
    if ((v->kind != SJ_NUMBER && v->kind != SJ_STRING) || s.n == 0 || s.n >= sizeof text)
        return unparsable(f, v, out);
    memcpy(text, s.p, s.n);
    text[s.n] = '\0';
    if (strspn(text, "+-0123456789.eE") != s.n)
        return unparsable(f, v, out);
    value->kind = CELL_NUMBER;
    value->d = strtod(text, &stop);
    if (*stop || !isfinite(value->d) || (f->type == SF_INT && value->d != floor(value->d)))
        return unparsable(f, v, out);
    if (f->type != SF_INT) {
        double unit = pow(10, f->scale);
        double rounded = round(value->d * unit) / unit;
        value->d = fabs(value->d) < 1e15 ? rounded : value->d;
    }
    return true;
}

static bool parse_moment(const struct sf_field *f, const struct sj *v, struct sf_val *value, struct sf_outcome *out)
{
    int64_t us = 0, days = 0;
    if (v->kind != SJ_STRING)
        return unparsable(f, v, out);
    bool is_date = date_parse(v->text, &days);
    bool is_time = !is_date && v->text.n > 10 && time_parse(v->text, &us);
    if (f->type == SF_DATE && (is_date || is_time)) {
        value->kind = CELL_DATE;
        value->i = is_date ? days : us / US_PER_DAY;
        return true;
    }
    if (f->type == SF_DATETIME && is_time) {
        value->kind = CELL_TIME;
        value->i = us;
        return true;
    }
    return unparsable(f, v, out);
}

static bool parse_boolean(const struct sf_field *f, const struct sj *v, struct sf_val *value, struct sf_outcome *out)
{
    bool yes = v->kind == SJ_TRUE || (v->kind == SJ_STRING && str_eq_nocase(v->text, STR("true")));
    bool no = v->kind == SJ_FALSE || (v->kind == SJ_STRING && str_eq_nocase(v->text, STR("false")));
    value->kind = CELL_BOOL;
    value->i = yes;
    return yes || no || unparsable(f, v, out);
}

static bool parse_text(struct sf_save *s, const struct sf_field *f, const struct sj *v, struct sf_val *value,
                       struct sf_outcome *out)
{
    str text = v->text;
    if (v->kind == SJ_ARRAY || v->kind == SJ_OBJECT)
        return unparsable(f, v, out);
    if (v->kind == SJ_TRUE || v->kind == SJ_FALSE)
        text = v->kind == SJ_TRUE ? STR("true") : STR("false");
    if (sf_switch(s->sf, "trim"))
        text = str_trim(text);
    value->kind = text.n ? CELL_TEXT : CELL_NULL;
    value->text = text.p;
    value->n = (uint32_t)text.n;
    return true;
}

bool sf_value_parse(struct sf_save *s, const struct sf_field *f, const struct sj *v, struct sf_val *value,
                    struct sf_outcome *out)
{
    *value = (struct sf_val){.field = f->number, .kind = CELL_NULL};
    if (v->kind == SJ_NULL)
        return true;
    if (sf_is_number(f->type))
        return parse_number(f, v, value, out);
    if (f->type == SF_DATE || f->type == SF_DATETIME)
        return parse_moment(f, v, value, out);
    if (f->type == SF_BOOLEAN)
        return parse_boolean(f, v, value, out);
    return parse_text(s, f, v, value, out);
}

/* ---- checks of parsed values ---- */

static bool is_email(str s)
{
    size_t at = 0, ats = 0, dot = 0;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c <= ' ' || c == ',' || c == ';' || c == '(' || c == ')' || c == '<' || c == '>' || c == '"' || c >= 0x80)
            return false;
        if (c == '@') {
            at = i;
            ats++;
        } else if (c == '.' && ats) {
            dot = i;
        }
    }
    return ats == 1 && at > 0 && dot > at + 1 && dot + 1 < s.n && s.p[at - 1] != '.' && s.p[0] != '.';
}

static bool check_number(const struct sf_field *f, const struct sf_val *value, struct sf_outcome *out)
{
    int whole = f->type == SF_INT ? f->digits : f->precision - f->scale;
    if (whole <= 0 || fabs(value->d) < pow(10, whole))
        return true;
    sf_refuse(out, 400, "NUMBER_OUTSIDE_VALID_RANGE", f->name,
              "%s: value outside of valid range on numeric field: %.15g", f->label, value->d);
    return false;
}

static bool is_pick(const struct sf_field *f, str value)
{
    str rest = str_of(f->picks), one;
    while (str_split(&rest, '|', &one))
        if (sf_text_compare(one.n && one.p[0] == '*' ? str_n(one.p + 1, one.n - 1) : one, value) == 0)
            return true;
    return false;
}

static bool check_reference(struct sf_save *s, const struct sf_field *f, str id, struct sf_outcome *out)
{
    const struct sf_object *o = sf_schema_prefix(&s->sf->schema, id);
    if (!sf_id_valid(id) || (o && !sf_field_refers(f, o->name))) {
        sf_refuse(out, 400, "MALFORMED_ID", f->name, "%s: id value of incorrect type: %.*s", f->label, STR_FMT(id));
        return false;
    }
    struct sf_record *r = sf_find(&s->sf->store, id);
    struct sf_row *row = r ? r->now : NULL;
    if (!row || row->deleted) {
        sf_refuse(out, 400, "INVALID_CROSS_REFERENCE_KEY", f->name, "invalid cross reference id");
        return false;
    }
    const struct sf_field *active = sf_object_field(r->object, STR("IsActive"));
    if (active && !sf_row_val(row, active)) {
        sf_refuse(out, 400, "INACTIVE_OWNER_OR_USER", f->name, "operation performed with inactive user [%s]", r->id);
        return false;
    }
    return true;
}

bool sf_value_check(struct sf_save *s, const struct sf_field *f, const struct sf_val *value, struct sf_outcome *out)
{
    if (value->kind == CELL_NUMBER)
        return check_number(f, value, out);
    if (value->kind != CELL_TEXT)
        return true;
    str text = str_n(value->text, value->n);
    if (f->type == SF_REFERENCE)
        return check_reference(s, f, text, out);
    if (f->length && text.n > f->length && utf8_length(text) > f->length) {
        str shown = utf8_cut(text, 300);
        sf_refuse(out, 400, "STRING_TOO_LONG", f->name, "%s: data value too large: %.*s (max length=%u)", f->label,
                  STR_FMT(shown), f->length);
        return false;
    }
    if (f->type == SF_EMAIL && !is_email(text)) {
        sf_refuse(out, 400, "INVALID_EMAIL_ADDRESS", f->name, "%s: invalid email address: %.*s", f->label,
                  STR_FMT(text));
        return false;
    }
    if ((f->flags & F_R) && f->picks && !is_pick(f, text)) {
        sf_refuse(out, 400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", f->name,
                  "%s: bad value for restricted picklist field: %.*s", f->label, STR_FMT(text));
        return false;
    }
    return true;
}
