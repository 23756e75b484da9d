/* Functions over numbers and yes or no. Numbers are exact: no value goes through a binary fraction. */
#include "canon.h"
#include "transform_int.h"
#include "values.h"

static const char *const bools_true[] = {"true", "yes", "y", "on", "1"};
static const char *const bools_false[] = {"false", "no", "n", "off", "0"};

/* "fail", "blank", or a number: what a text becomes that is no number. */
static bool otherwise_compile(struct parse *p, struct step *s, uint32_t i)
{
    static const char *const words[] = {"fail", "blank"};
    s->n[1] = 0;
    if (s->n_args <= i)
        return true;
    if (s->args[i].kind == ARG_NUMBER && !s->args[i].has_value) {
        s->n[1] = 2;
        return true;
    }
    return arg_is_one_of(p, s, i, words, 2, &s->n[1]);
}

static bool to_int_compile(struct parse *p, struct step *s)
{
    int64_t n;
    if (!otherwise_compile(p, s, 0))
        return false;
    return s->n[1] != 2 || str_to_i64(s->args[0].text, &n) ||
           arg_wrong(p, s, s->args[0].column, s->function->usage, "%.*s is no whole number", STR_FMT(s->args[0].text));
}

static bool number_of(struct run *r, const tl_value *in, uint32_t scale, str *out)
{
    AUTO(buf_done) struct buf b = {0};
    if (in->type == TL_BOOL)
        buf_char(&b, in->u.i ? '1' : '0');
    else if (!number_normal(text_of(r, in), scale, &b))
        return false;
    *out = arena_str(r->a, buf_lent(&b));
    return true;
}

static enum transform_outcome to_int_run(const struct step *s, struct run *r, const tl_value *in, tl_value *out)
{
    str text = {0};
    int64_t n = 0;
    if (number_of(r, in, UINT32_MAX, &text) && str_to_i64(text, &n)) {
        *out = (tl_value){.type = TL_INT, .u.i = n};
        return TRANSFORM_OK;
    }
    if (s->n[1] == 0)
        return cannot(r, s, TL_R_TYPE_MISMATCH, "%.*s is no whole number", STR_FMT(shown(r, in)));
    if (s->n[1] == 2 && str_to_i64(s->args[0].text, &n))
        *out = (tl_value){.type = TL_INT, .u.i = n};
    return TRANSFORM_OK; /* else blank, as it was */
}

static bool to_decimal_compile(struct parse *p, struct step *s)
{
    return arg_is_number(p, s, 0, 0, 18, &s->n[0]) && otherwise_compile(p, s, 1);
}

static enum transform_outcome to_decimal_run(const struct step *s, struct run *r, const tl_value *in, tl_value *out)
{
    str text = {0};
    if (number_of(r, in, (uint32_t)s->n[0], &text)) {
        *out = (tl_value){.type = TL_DECIMAL, .u.s = text};
        return TRANSFORM_OK;
    }
    if (s->n[1] == 0)
        return cannot(r, s, TL_R_TYPE_MISMATCH, "%.*s is no number", STR_FMT(shown(r, in)));
    if (s->n[1] == 2)
        *out = (tl_value){.type = TL_DECIMAL, .u.s = s->args[1].text};
    return TRANSFORM_OK;
}

static bool round_compile(struct parse *p, struct step *s)
{
    return s->n_args == 0 || arg_is_number(p, s, 0, 0, 18, &s->n[0]);
}

static enum transform_outcome round_run(const struct step *s, struct run *r, const tl_value *in, tl_value *out)
{
    str text = {0};
    int64_t n = 0;
    if (!number_of(r, in, (uint32_t)s->n[0], &text))
        return cannot(r, s, TL_R_TYPE_MISMATCH, "%.*s is no number", STR_FMT(shown(r, in)));
    if (s->n[0] > 0)
        *out = (tl_value){.type = TL_DECIMAL, .u.s = text};
    else if (str_to_i64(text, &n))
        *out = (tl_value){.type = TL_INT, .u.i = n};
    else
        return cannot(r, s, TL_R_TYPE_MISMATCH, "%.*s is too large a number", STR_FMT(shown(r, in)));
    return TRANSFORM_OK;
}

static uint8_t round_gives(const struct step *s, uint8_t in)
{
    (void)in;
    return s->n[0] > 0 ? TL_DECIMAL : TL_INT;
}

/* ---- range */

/* Order of two decimals written without exponent, as number_normal writes them. */
static int number_cmp(str a, str b)
{
    bool minus_a = str_starts(a, STR("-")), minus_b = str_starts(b, STR("-"));
    if (minus_a != minus_b)
        return minus_a ? -1 : 1;
    if (minus_a)
        return number_cmp(str_n(b.p + 1, b.n - 1), str_n(a.p + 1, a.n - 1));
    str whole_a = {0}, whole_b = {0};
    str_split(&a, '.', &whole_a);
    str_split(&b, '.', &whole_b);
    if (whole_a.n != whole_b.n)
        return whole_a.n < whole_b.n ? -1 : 1;
    int c = str_cmp(whole_a, whole_b);
    return c ? c : str_cmp(a, b);
}

static bool range_compile(struct parse *p, struct step *s)
{
    for (uint32_t i = 0; i < s->n_args; i++) {
        const struct arg *arg = &s->args[i];
        bool star = arg->kind == ARG_STAR && i + 1 == s->n_args;
        if (!arg->has_value || arg->value_kind != ARG_TEXT || (arg->kind != ARG_RANGE && !star))
            return arg_wrong(p, s, arg->column, s->function->usage,
                             "a row of a range is FROM..BELOW=\"text\", the last one may be *=\"text\"");
        if (arg->text.n && arg->upper.n && number_cmp(arg->text, arg->upper) >= 0)
            return arg_wrong(p, s, arg->column, "the upper end does not belong to the range", "%.*s..%.*s is empty",
                             STR_FMT(arg->text), STR_FMT(arg->upper));
    }
    return true;
}

static enum transform_outcome range_run(const struct step *s, struct run *r, const tl_value *in, tl_value *out)
{
    str n = {0};
    if (!number_of(r, in, UINT32_MAX, &n))
        return cannot(r, s, TL_R_TYPE_MISMATCH, "%.*s is no number", STR_FMT(shown(r, in)));
    for (uint32_t i = 0; i < s->n_args; i++) {
        const struct arg *arg = &s->args[i];
        bool inside = arg->kind == ARG_STAR || ((arg->text.n == 0 || number_cmp(n, arg->text) >= 0) &&
                                                (arg->upper.n == 0 || number_cmp(n, arg->upper) < 0));
        if (inside)
            return give_text(r, s, arg->value, out);
    }
    return cannot(r, s, TL_R_CHOICE_UNKNOWN, "no range holds %.*s", STR_FMT(n));
}

static uint32_t range_longest(const struct step *s, uint32_t max)
{
    (void)max;
    size_t longest = 1;
    for (uint32_t i = 0; i < s->n_args; i++)
        longest = s->args[i].value.n > longest ? s->args[i].value.n : longest;
    return (uint32_t)longest;
}

/* ---- bool */

static bool bool_compile(struct parse *p, struct step *s)
{
    if (s->n_args == 1)
        return arg_wrong(p, s, s->args[0].column, s->function->usage, "bool takes both texts or none");
    return s->n_args == 0 || (arg_is_text(p, s, 0) && arg_is_text(p, s, 1));
}

static bool is_among(str text, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq_nocase(text, str_of(words[i])))
            return true;
    return false;
}

static enum transform_outcome bool_run(const struct step *s, struct run *r, const tl_value *in, tl_value *out)
{
    str text = str_trim(text_of(r, in));
    bool yes = s->n_args ? str_eq(text, s->args[0].text) : is_among(text, bools_true, ARRAY_LEN(bools_true));
    bool no = s->n_args ? str_eq(text, s->args[1].text) : is_among(text, bools_false, ARRAY_LEN(bools_false));
    if (!yes && !no)
        return cannot(r, s, TL_R_TYPE_MISMATCH, "%.*s is neither yes nor no", STR_FMT(shown(r, in)));
    *out = (tl_value){.type = TL_BOOL, .u.i = yes};
    return TRANSFORM_OK;
}

static bool bool_invert(const struct step *s, struct arena *a, struct step *out, str *why)
{
    (void)why;
    if (s->n_args == 0)
        return invert_is(out, "copy");
    invert_is(out, "map");
    struct arg *args = arena_array(a, struct arg, 2);
    for (int i = 0; i < 2; i++)
        args[i] = (struct arg){.kind = ARG_WORD,
                               .text = i ? STR("false") : STR("true"),
                               .has_value = true,
                               .value_kind = ARG_TEXT,
                               .value = s->args[i].text};
    out->args = args;
    out->n_args = 2;
    return true;
}

const struct function transform_number_functions[] = {
    {"range", "range(..10=\"small\", 10..100=\"medium\", 100..=\"large\")",
     "a text for the range that holds the number; the upper end does not belong to it", TAKES_TEXT | TAKES_NUMBERS,
     TL_TEXT, 1, 255, false, range_compile, range_run, NULL, "the number is gone", range_longest, NULL},
    {"to_int", "to_int or to_int(blank) or to_int(0)",
     "a whole number; a text that is none fails, becomes blank, or this number", TAKES_WRITTEN, TL_INT, 0, 1, false,
     to_int_compile, to_int_run, invert_copy, NULL, NULL, NULL},
    {"to_decimal", "to_decimal(DIGITS) or to_decimal(DIGITS, blank or NUMBER)",
     "a decimal with so many digits behind the point, rounded half away from zero", TAKES_WRITTEN, TL_DECIMAL, 1, 2,
     false, to_decimal_compile, to_decimal_run, invert_copy, NULL, NULL, NULL},
    {"round", "round or round(DIGITS)", "rounded half away from zero", TAKES_TEXT | TAKES_NUMBERS, TL_INT, 0, 1, false,
     round_compile, round_run, NULL, "the digits are gone", NULL, round_gives},
    {"bool", "bool or bool(\"text for yes\", \"text for no\")",
     "yes or no; without arguments true, yes, y, on, 1 and false, no, n, off, 0", TAKES_WRITTEN, TL_BOOL, 0, 2, false,
     bool_compile, bool_run, bool_invert, NULL, NULL, NULL},
    {0},
};
