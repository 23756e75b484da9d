/* Running, checking and turning round a chain. */
#include "transform.h"

#include <stdarg.h>

#include "canon.h"
#include "transform_int.h"
#include "unicode.h"
#include "values.h"

/* ---- Types and the table */

uint32_t transform_mask(uint32_t type)
{
    switch (type) {
    case TL_BOOL:
        return TAKES_BOOL;
    case TL_INT:
        return TAKES_INT;
    case TL_DECIMAL:
        return TAKES_DECIMAL;
    case TL_TIME:
        return TAKES_TIME;
    case TL_DATE:
        return TAKES_DATE;
    case TL_LIST:
        return TAKES_LIST;
    case TL_REF:
        return TAKES_REF;
    case TL_NULL:
        return TAKES_ANY;
    default:
        return type >= TL_TEXT && type <= TL_CHOICE ? TAKES_TEXT : TAKES_OTHER;
    }
}

static const char *type_name(uint32_t type)
{
    static const char *const names[] = {"any value", "a yes or no", "a whole number", "a time", "a date", "a decimal"};
    if (type < ARRAY_LEN(names))
        return names[type];
    return type <= TL_CHOICE  ? "a text"
           : type == TL_REF   ? "a reference"
           : type == TL_LIST  ? "a list"
           : type == TL_JSON  ? "JSON"
           : type == TL_BYTES ? "bytes"
                              : "something";
}

static const char *mask_words(uint32_t mask, struct buf *out)
{
    static const char *const words[] = {"texts", "whole numbers", "decimals", "yes or no",
                                        "dates", "times",         "lists",    "references"};
    if (mask == TAKES_ANY)
        return "any value";
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (mask & (1U << i))
            buf_fmt(out, "%s%s", out->n ? ", " : "", words[i]);
    return buf_text(out);
}

static const struct function *const groups[] = {transform_flow_functions, transform_text_functions,
                                                transform_number_functions, transform_time_functions,
                                                transform_contact_functions};

const struct function *transform_function(str name)
{
    for (size_t g = 0; g < ARRAY_LEN(groups); g++)
        for (const struct function *f = groups[g]; f->name; f++)
            if (str_is(name, f->name))
                return f;
    return NULL;
}

static const char *gives_words(const struct function *f)
{
    if (f->gives_for)
        return "as its arguments say";
    return f->gives == GIVES_SAME ? "what went in" : type_name(f->gives);
}

size_t transform_functions(struct arena *a, struct transform_help **out)
{
    enum { FUNCTIONS_MAX = 64 };
    struct transform_help *all = arena_array(a, struct transform_help, FUNCTIONS_MAX);
    size_t n = 0;
    for (size_t g = 0; g < ARRAY_LEN(groups); g++)
        for (const struct function *f = groups[g]; f->name && n < FUNCTIONS_MAX; f++) {
            AUTO(buf_done) struct buf b = {0};
            str takes = str_of(mask_words(f->takes, &b));
            all[n++] = (struct transform_help){.name = f->name,
                                               .usage = f->usage,
                                               .takes = arena_str(a, takes).p,
                                               .gives = gives_words(f),
                                               .no_way_back = f->no_way_back,
                                               .summary = f->summary};
        }
    *out = all;
    return n;
}

/* ---- Tools of the functions */

str text_of(struct run *r, const tl_value *v)
{
    if (v->type >= TL_DECIMAL && v->type != TL_LIST)
        return v->u.s;
    AUTO(buf_done) struct buf b = {0};
    value_text(&b, v);
    return arena_str(r->a, buf_lent(&b));
}

str shown(struct run *r, const tl_value *v)
{
    AUTO(buf_done) struct buf b = {0};
    AUTO(buf_done) struct buf text = {0};
    value_text(&text, v);
    str cut = utf8_cut(buf_lent(&text), 60);
    buf_fmt(&b, "\"%.*s%s\"", STR_FMT(cut), cut.n < text.n ? "..." : "");
    return arena_str(r->a, buf_lent(&b));
}

enum transform_outcome cannot(struct run *r, const struct step *s, int32_t reason, const char *fmt, ...)
{
    AUTO(buf_done) struct buf b = {0};
    buf_fmt(&b, "%s: ", s->function->name);
    va_list ap;
    va_start(ap, fmt);
    buf_fmtv(&b, fmt, ap);
    va_end(ap);
    r->why = (struct transform_failure){.reason = reason,
                                        .function = str_of(s->function->name),
                                        .column = s->column,
                                        .text = arena_str(r->a, buf_lent(&b))};
    return TRANSFORM_FAILED;
}

enum transform_outcome give_text(struct run *r, const struct step *s, str text, tl_value *out)
{
    if (text.n > TRANSFORM_MAX_BYTES)
        return cannot(r, s, TL_R_TOO_LONG, "the result is longer than %d bytes", TRANSFORM_MAX_BYTES);
    *out = (tl_value){.type = text.n ? TL_TEXT : TL_NULL, .u.s = text};
    return TRANSFORM_OK;
}

enum transform_outcome give_buf(struct run *r, const struct step *s, const struct buf *b, tl_value *out)
{
    if (b->full)
        return cannot(r, s, TL_R_TOO_LONG, "the result is longer than %d bytes", TRANSFORM_MAX_BYTES);
    return give_text(r, s, arena_str(r->a, buf_lent(b)), out);
}

/* ---- Running */

enum transform_outcome transform_run(const struct transform *t, const tl_value *in, const tl_value *fields,
                                     struct arena *a, tl_value *out, struct transform_failure *why)
{
    struct run r = {.a = a, .fields = fields};
    tl_value v = *in;
    enum transform_outcome rc = TRANSFORM_OK;
    for (uint32_t i = 0; i < t->n_steps && rc == TRANSFORM_OK; i++) {
        const struct step *s = &t->steps[i];
        if (value_is_blank(&v) && !s->function->blank)
            continue;
        tl_value next = {.type = TL_NULL};
        AUTO(buf_done) struct buf words = {0};
        if (!value_is_blank(&v) && !(transform_mask(v.type) & s->function->takes))
            rc = cannot(&r, s, TL_R_TYPE_MISMATCH, "%.*s is %s, it takes %s", STR_FMT(shown(&r, &v)), type_name(v.type),
                        mask_words(s->function->takes, &words));
        else
            rc = s->function->run(s, &r, &v, &next);
        v = next;
    }
    if (rc == TRANSFORM_OK) {
        v.field = in->field;
        *out = v;
    } else if (rc == TRANSFORM_FAILED && why) {
        *why = r.why;
    }
    return rc;
}

size_t transform_fields(const struct transform *t, const str **paths)
{
    *paths = t->fields;
    return t->n_fields;
}

str transform_lookup(const struct transform *t)
{
    bool is = t->n_steps == 1 && strcmp(t->steps[0].function->name, "lookup") == 0;
    return is ? t->steps[0].args[0].text : (str){0};
}

bool transform_is_constant(const struct transform *t)
{
    for (uint32_t i = 0; i < t->n_steps; i++)
        if (strcmp(t->steps[i].function->name, "const") == 0)
            return true;
    return false;
}

/* ---- Turning round */

bool invert_is(struct step *out, const char *function)
{
    *out = (struct step){.function = transform_function(str_of(function))};
    return true;
}

bool invert_copy(const struct step *s, struct arena *a, struct step *out, str *why)
{
    (void)s;
    (void)a;
    (void)why;
    return invert_is(out, "copy");
}

const struct arg *args_reversed(const struct step *s, struct arena *a)
{
    struct arg *args = arena_array(a, struct arg, s->n_args + 1);
    for (uint32_t i = 0; i < s->n_args; i++) {
        const struct arg *from = &s->args[i];
        args[i] = (struct arg){.kind = from->has_value ? from->value_kind : from->kind,
                               .text = from->has_value ? from->value : from->text,
                               .has_value = from->has_value,
                               .value_kind = from->kind,
                               .value = from->text};
    }
    return args;
}

const struct transform *transform_inverse(const struct transform *t, struct arena *a, str *function, str *why)
{
    struct step *steps = arena_array(a, struct step, t->n_steps + 1);
    uint32_t n = 0;
    for (uint32_t i = t->n_steps; i-- > 0;) {
        const struct step *s = &t->steps[i];
        str said = {0};
        struct step back = {0};
        if (!s->function->invert || !s->function->invert(s, a, &back, &said)) {
            *function = str_of(s->function->name);
            *why = said.n ? said : str_of(s->function->no_way_back);
            return NULL;
        }
        if (strcmp(back.function->name, "copy") != 0)
            steps[n++] = back;
    }
    if (n == 0)
        return arena_new(a, struct transform);
    /* Through its text, so that what compile() prepares is prepared in one place. */
    struct transform plain = {.steps = steps, .n_steps = n};
    AUTO(buf_done) struct buf text = {0};
    transform_text(&plain, &text);
    struct transform_error *errors = NULL;
    size_t n_errors = 0;
    const struct transform *out = transform_parse(buf_lent(&text), a, &errors, &n_errors);
    if (!out) {
        *function = t->n_steps ? str_of(t->steps[0].function->name) : (str){0};
        *why = n_errors ? errors[0].text : (str){0};
    }
    return out;
}

/* ---- Checking */

struct check {
    struct arena *a;
    struct transform_error *found;
    size_t n, cap;
};

static void PRINTF_LIKE(6, 7)
    found(struct check *c, int level, const char *code, const struct step *s, const char *hint, const char *fmt, ...)
{
    if (c->n == c->cap)
        return;
    AUTO(buf_done) struct buf text = {0};
    va_list ap;
    va_start(ap, fmt);
    buf_fmtv(&text, fmt, ap);
    va_end(ap);
    c->found[c->n++] = (struct transform_error){.level = level,
                                                .code = code,
                                                .column = s ? s->column : 0,
                                                .function = str_of(s ? s->function->name : ""),
                                                .text = arena_str(c->a, buf_lent(&text)),
                                                .hint = str_of(hint)};
}

static const tl_field *field_of(const tl_kind *k, str name)
{
    for (uint32_t i = 0; k && i < k->n_fields; i++) {
        const tl_field *f = TL_AT(tl_field, k->fields, k->field_stride, i);
        if (str_eq(f->path, name) || str_eq(f->name, name))
            return f;
    }
    return NULL;
}

static void check_fields(struct check *c, const struct transform *t, const tl_kind *record)
{
    for (uint32_t i = 0; i < t->n_fields; i++) {
        const tl_field *f = field_of(record, t->fields[i]);
        if (f && f->type != TL_LIST && f->type != TL_REF)
            continue;
        const struct step *at = NULL;
        for (uint32_t k = 0; k < t->n_steps; k++)
            for (uint32_t j = 0; j < t->steps[k].n_args; j++)
                if (t->steps[k].args[j].text.p == t->fields[i].p)
                    at = &t->steps[k];
        const char *paths[512];
        size_t n = 0;
        for (uint32_t k = 0; record && k < record->n_fields && n < ARRAY_LEN(paths); k++)
            paths[n++] = arena_str(c->a, TL_AT(tl_field, record->fields, record->field_stride, k)->path).p;
        const char *near = f ? NULL : text_nearest(arena_str(c->a, t->fields[i]).p, paths, n);
        found(c, TL_ERROR, "MAP_ERROR", at, near ? arena_fmt(c->a, "did you mean \"%s\"?", near) : "",
              f ? "\"%.*s\" is a list or a reference, which cannot be joined" : "there is no field \"%.*s\" to read",
              STR_FMT(t->fields[i]));
    }
}

static bool choice_listed(const tl_field *f, str value)
{
    for (uint32_t i = 0; i < f->n_choices; i++)
        if (str_eq(f->choices[i].value, value))
            return true;
    return false;
}

/* A table that is asked about a picklist should know all of it, and give what the other picklist has. */
static void check_table(struct check *c, const struct step *s, const tl_field *from, const tl_field *to)
{
    bool rest = false;
    for (uint32_t i = 0; i < s->n_args; i++)
        rest |= s->args[i].kind == ARG_STAR;
    for (uint32_t i = 0; from && !rest && i < from->n_choices; i++) {
        bool known = false;
        for (uint32_t k = 0; k < s->n_args && !known; k++)
            known = str_eq(s->args[k].text, from->choices[i].value);
        if (!known)
            found(c, TL_WARN, "ENUM_UNKNOWN", s, "add a row for it, or *=\"...\" for all others",
                  "the table has no row for the choice \"%.*s\"", STR_FMT(from->choices[i].value));
    }
    for (uint32_t i = 0; to && (to->flags & TL_F_CLOSED) && to->n_choices && i < s->n_args; i++)
        if (s->args[i].has_value && s->args[i].value_kind != ARG_STAR && s->args[i].value.n &&
            !choice_listed(to, s->args[i].value))
            found(c, TL_ERROR, "ENUM_UNKNOWN", s, "", "\"%.*s\" does not have the choice \"%.*s\"", STR_FMT(to->name),
                  STR_FMT(s->args[i].value));
}

static bool is_table(const struct step *s)
{
    return strcmp(s->function->name, "map") == 0;
}

static bool gives_table_value(const struct step *s)
{
    return is_table(s) || strcmp(s->function->name, "range") == 0;
}

static uint32_t smallest_max(const tl_field *in)
{
    return in && in->type >= TL_TEXT && in->type <= TL_CHOICE ? in->max : 0;
}

size_t transform_check(const struct transform *t, const tl_field *in, const tl_field *out, const tl_kind *record,
                       struct arena *a, struct transform_error **errors)
{
    struct check c = {.a = a, .cap = 64, .found = arena_array(a, struct transform_error, 64)};
    *errors = c.found;
    check_fields(&c, t, record);
    if (transform_lookup(t).n)
        return c.n;
    uint32_t type = in ? in->type : TL_NULL, max = smallest_max(in);
    for (uint32_t i = 0; i < t->n_steps; i++) {
        const struct step *s = &t->steps[i];
        AUTO(buf_done) struct buf words = {0};
        if (!(transform_mask(type) & s->function->takes)) {
            found(&c, TL_ERROR, "TYPE_MISMATCH", s, "", "%s takes %s, but %s%s gives %s", s->function->name,
                  mask_words(s->function->takes, &words), i ? t->steps[i - 1].function->name : "",
                  i    ? ""
                  : in ? arena_str(a, in->name).p
                       : "the field",
                  type_name(type));
            return c.n;
        }
        if (gives_table_value(s))
            check_table(&c, s, i == 0 && is_table(s) ? in : NULL, i + 1 == t->n_steps ? out : NULL);
        max = s->function->longest ? s->function->longest(s, max) : max;
        type = s->function->gives_for             ? s->function->gives_for(s, (uint8_t)type)
               : s->function->gives == GIVES_SAME ? type
                                                  : s->function->gives;
    }
    const struct step *last = t->n_steps ? &t->steps[t->n_steps - 1] : NULL;
    int way = type == TL_NULL || !out ? 2 : value_convertible(type, out->type);
    if (way == 0)
        found(&c, TL_ERROR, "TYPE_MISMATCH", last, "", "\"%.*s\" takes %s, but the chain gives %s", STR_FMT(out->name),
              type_name(out->type), type_name(type));
    else if (way == 1 && transform_mask(type) == TAKES_TEXT)
        found(&c, TL_WARN, "TYPE_MISMATCH", last, "end the chain with to_int, to_decimal, bool or date_parse",
              "the chain gives a text, \"%.*s\" takes %s: values that cannot be read as one will fail",
              STR_FMT(out->name), type_name(out->type));
    if (out && out->max && transform_mask(out->type) == TAKES_TEXT && transform_mask(type) == TAKES_TEXT &&
        (max == 0 || max > out->max))
        found(&c, TL_WARN, "TOO_LONG", last, "add left(N)",
              "\"%.*s\" holds at most %u characters: longer results will fail", STR_FMT(out->name), out->max);
    return c.n;
}
