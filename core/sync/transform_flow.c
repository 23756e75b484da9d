/* Functions that choose between values: copy, const, default, coalesce, if_empty, skip, map, lookup. */
#include "transform_int.h"
#include "unicode.h"
#include "values.h"

static enum transform_outcome copy_run(const struct step *s, struct run *r, const tl_value *in, tl_value *out)
{
    (void)s;
    (void)r;
    *out = *in;
    return TRANSFORM_OK;
}

static bool texts_compile(struct parse *p, struct step *s)
{
    for (uint32_t i = 0; i < s->n_args; i++) {
        enum arg_kind kind = s->args[i].kind;
        if (s->args[i].has_value || (kind != ARG_TEXT && kind != ARG_NUMBER && !str_is(s->args[i].text, "true") &&
                                     !str_is(s->args[i].text, "false")))
            return arg_wrong(p, s, s->args[i].column, s->function->usage,
                             "%s takes texts in double quotes, numbers, true or false", s->function->name);
    }
    return true;
}

/* A literal has the type it is written in. */
static void literal(const struct arg *arg, tl_value *out)
{
    *out = (tl_value){.type = arg->text.n ? TL_TEXT : TL_NULL, .u.s = arg->text};
    int64_t n;
    if (arg->kind == ARG_NUMBER && str_to_i64(arg->text, &n))
        *out = (tl_value){.type = TL_INT, .u.i = n};
    else if (arg->kind == ARG_NUMBER)
        out->type = TL_DECIMAL;
    else if (arg->kind == ARG_WORD)
        *out = (tl_value){.type = TL_BOOL, .u.i = str_is(arg->text, "true")};
}

static uint8_t literal_type(const struct step *s, uint8_t in)
{
    (void)in;
    tl_value v;
    literal(&s->args[0], &v);
    return v.type == TL_NULL ? TL_TEXT : v.type;
}

static enum transform_outcome const_run(const struct step *s, struct run *r, const tl_value *in, tl_value *out)
{
    (void)r;
    (void)in;
    literal(&s->args[0], out);
    return TRANSFORM_OK;
}

static uint32_t literal_longest(const struct step *s, uint32_t max)
{
    uint32_t longest = strcmp(s->function->name, "default") == 0 ? max : 0;
    if (longest == 0 && strcmp(s->function->name, "default") == 0)
        return 0;
    for (uint32_t i = 0; i < s->n_args; i++) {
        uint32_t n = (uint32_t)utf8_length(s->args[i].text);
        longest = n > longest ? n : longest;
    }
    return longest ? longest : 1;
}

static enum transform_outcome default_run(const struct step *s, struct run *r, const tl_value *in, tl_value *out)
{
    (void)r;
    *out = *in;
    if (value_is_blank(in))
        literal(&s->args[0], out);
    return TRANSFORM_OK;
}

static uint8_t default_type(const struct step *s, uint8_t in)
{
    return transform_mask(in) == transform_mask(literal_type(s, in)) ? in : TL_TEXT;
}

/* "-" back to blank, everything else as it is. */
static bool default_invert(const struct step *s, struct arena *a, struct step *out, str *why)
{
    (void)why;
    invert_is(out, "map");
    struct arg *args = arena_array(a, struct arg, 2);
    args[0] = (struct arg){.kind = ARG_TEXT, .text = s->args[0].text, .has_value = true, .value_kind = ARG_TEXT};
    args[1] =
        (struct arg){.kind = ARG_STAR, .text = STR("*"), .has_value = true, .value_kind = ARG_STAR, .value = STR("*")};
    out->args = args;
    out->n_args = 2;
    return true;
}

static enum transform_outcome coalesce_run(const struct step *s, struct run *r, const tl_value *in, tl_value *out)
{
    *out = *in;
    uint32_t field = s->first_field;
    for (uint32_t i = 0; i < s->n_args && value_is_blank(out); i++) {
        if (s->args[i].kind == ARG_WORD)
            *out = r->fields ? r->fields[field++] : (tl_value){.type = TL_NULL};
        else
            literal(&s->args[i], out);
    }
    return TRANSFORM_OK;
}

static enum transform_outcome if_empty_run(const struct step *s, struct run *r, const tl_value *in, tl_value *out)
{
    (void)r;
    literal(&s->args[value_is_blank(in) ? 0 : 1], out);
    return TRANSFORM_OK;
}

static enum transform_outcome skip_run(const struct step *s, struct run *r, const tl_value *in, tl_value *out)
{
    *out = *in;
    if (value_is_blank(in))
        return TRANSFORM_SKIP;
    str text = text_of(r, in);
    for (uint32_t i = 0; i < s->n_args; i++)
        if (str_eq(text, s->args[i].text))
            return TRANSFORM_SKIP;
    return TRANSFORM_OK;
}

/* ---- map */

struct table { /* rows by their key, for bsearch-like lookup; the rest of the world by `other` */
    const struct arg **rows;
    uint32_t n;
    const struct arg *other;
};

static uint32_t row_at(const struct table *t, str key)
{
    uint32_t low = 0, high = t->n;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (str_cmp(t->rows[mid]->text, key) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static bool map_row(struct parse *p, struct step *s, struct table *t, const struct arg *arg)
{
    if (!arg->has_value || arg->kind == ARG_RANGE || arg->value_kind == ARG_RANGE ||
        (arg->value_kind == ARG_STAR && arg->kind != ARG_STAR))
        return arg_wrong(p, s, arg->column, s->function->usage, "a row of a map is \"from\"=\"to\"");
    if (arg->kind == ARG_STAR) {
        if (t->other)
            return arg_wrong(p, s, arg->column, "", "* stands in the map twice");
        t->other = arg;
        return true;
    }
    uint32_t at = row_at(t, arg->text);
    if (at < t->n && str_eq(t->rows[at]->text, arg->text))
        return arg_wrong(p, s, arg->column, "remove one of them", "\"%.*s\" stands in the map twice",
                         STR_FMT(arg->text));
    memmove(&t->rows[at + 1], &t->rows[at], sizeof *t->rows * (t->n - at));
    t->rows[at] = arg;
    t->n++;
    return true;
}

static bool map_compile(struct parse *p, struct step *s)
{
    struct table *t = arena_new(p->a, struct table);
    t->rows = arena_alloc(p->a, sizeof *t->rows * (s->n_args + 1));
    bool ok = true;
    for (uint32_t i = 0; i < s->n_args; i++)
        ok &= map_row(p, s, t, &s->args[i]);
    s->compiled = t;
    return ok;
}

static enum transform_outcome map_run(const struct step *s, struct run *r, const tl_value *in, tl_value *out)
{
    const struct table *t = s->compiled;
    bool blank = value_is_blank(in);
    str key = blank ? (str){0} : text_of(r, in);
    uint32_t at = row_at(t, key);
    const struct arg *row = at < t->n && str_eq(t->rows[at]->text, key) ? t->rows[at] : NULL;
    if (!row && blank) {
        *out = *in;
        return TRANSFORM_OK;
    }
    row = row ? row : t->other;
    if (!row)
        return cannot(r, s, TL_R_CHOICE_UNKNOWN, "the table has no row for %.*s", STR_FMT(shown(r, in)));
    if (row->value_kind == ARG_STAR) {
        *out = *in;
        return TRANSFORM_OK;
    }
    struct arg value = {.kind = row->value_kind, .text = row->value};
    if (row->value_kind == ARG_WORD && !str_is(row->value, "true") && !str_is(row->value, "false"))
        value.kind = ARG_TEXT;
    literal(&value, out);
    return TRANSFORM_OK;
}

static bool map_invert(const struct step *s, struct arena *a, struct step *out, str *why)
{
    for (uint32_t i = 0; i < s->n_args; i++) {
        if (s->args[i].kind == ARG_STAR && s->args[i].value_kind != ARG_STAR) {
            *why = STR("what * stands for cannot be told any more");
            return false;
        }
        for (uint32_t k = 0; k < i; k++)
            if (str_eq(s->args[i].value, s->args[k].value)) {
                *why = str_of(arena_fmt(a, "\"%.*s\" and \"%.*s\" both become \"%.*s\"", STR_FMT(s->args[k].text),
                                        STR_FMT(s->args[i].text), STR_FMT(s->args[i].value)));
                return false;
            }
    }
    invert_is(out, "map");
    out->args = args_reversed(s, a);
    out->n_args = s->n_args;
    return true;
}

static uint32_t map_longest(const struct step *s, uint32_t max)
{
    uint32_t longest = 1;
    for (uint32_t i = 0; i < s->n_args; i++) {
        if (s->args[i].value_kind == ARG_STAR)
            return max;
        uint32_t n = (uint32_t)utf8_length(s->args[i].value);
        longest = n > longest ? n : longest;
    }
    return longest;
}

/* All numbers: a number; all true or false: a yes or no; else texts. */
static uint8_t map_gives(const struct step *s, uint8_t in)
{
    int type = -1;
    for (uint32_t i = 0; i < s->n_args; i++) {
        const struct arg *arg = &s->args[i];
        struct arg value = {.kind = arg->value_kind, .text = arg->value};
        tl_value v = {.type = in};
        if (arg->value_kind != ARG_STAR && arg->value.n == 0)
            continue;
        if (arg->value_kind != ARG_STAR)
            literal(&value, &v);
        if (type >= 0 && type != (int)v.type)
            return transform_mask((uint32_t)type) == transform_mask(v.type) ? v.type : TL_TEXT;
        type = (int)v.type;
    }
    return type < 0 ? TL_TEXT : (uint8_t)type;
}

static bool lookup_compile(struct parse *p, struct step *s)
{
    if (s->args[0].kind == ARG_WORD && !s->args[0].has_value)
        return true;
    return arg_wrong(p, s, s->args[0].column, s->function->usage, "lookup takes the name of a kind: lookup(user)");
}

static enum transform_outcome lookup_run(const struct step *s, struct run *r, const tl_value *in, tl_value *out)
{
    (void)in;
    (void)out;
    return cannot(r, s, TL_R_OTHER, "an id leads to its counterpart in a running link only");
}

const struct function transform_flow_functions[] = {
    {"copy", "copy", "the value as it is", TAKES_ANY, GIVES_SAME, 0, 0, false, NULL, copy_run, invert_copy, NULL, NULL,
     NULL},
    {"const", "const(\"text\" or number or true or false)", "always this value", TAKES_ANY, TL_TEXT, 1, 1, true,
     texts_compile, const_run, NULL, "the value it replaced is gone", literal_longest, literal_type},
    {"default", "default(\"text\")", "this where the value is blank", TAKES_ANY, TL_TEXT, 1, 1, true, texts_compile,
     default_run, default_invert, NULL, literal_longest, default_type},
    {"coalesce", "coalesce(FIELD or \"text\", ...)", "the first of the value and these that is not blank", TAKES_ANY,
     GIVES_SAME, 1, 255, true, args_are_fields, coalesce_run, NULL, "it cannot be told which field it was", NULL, NULL},
    {"if_empty", "if_empty(\"when blank\", \"when not\")", "says whether there is a value", TAKES_ANY, TL_TEXT, 2, 2,
     true, texts_compile, if_empty_run, NULL, "the value is gone", literal_longest, literal_type},
    {"skip", "skip or skip(\"text\", ...)", "leaves the target alone where the value is blank or one of these",
     TAKES_ANY, GIVES_SAME, 0, 255, true, texts_compile, skip_run, invert_copy, NULL, NULL, NULL},
    {"map", "map(\"from\"=\"to\", ..., *=\"all others\")",
     "a table of values; a value without row fails, unless there is * (*=* keeps it)", TAKES_WRITTEN, TL_TEXT, 1, 255,
     true, map_compile, map_run, map_invert, NULL, map_longest, map_gives},
    {"lookup", "lookup(KIND)", "the id of a record of that kind becomes the id of its counterpart",
     TAKES_TEXT | TAKES_REF | TAKES_INT, GIVES_SAME, 1, 1, false, lookup_compile, lookup_run, NULL,
     "it is turned round by the pairs themselves", NULL, NULL},
    {0},
};
