/* Functions over text. Unicode through utf8proc: letters are characters, not bytes. */
#include <stdlib.h>
#include <utf8proc.h>

#include "transform_int.h"
#include "unicode.h"
#include "values.h"

enum case_of { CASE_LOWER, CASE_UPPER, CASE_TITLE };

static bool is_wordy(utf8proc_int32_t c)
{
    utf8proc_category_t k = utf8proc_category(c);
    return (k >= UTF8PROC_CATEGORY_LU && k <= UTF8PROC_CATEGORY_NO) || c == '\'' || c == 0x2019;
}

/* Letter by letter, so that the text grows at most as its characters do. */
static enum transform_outcome recase(const struct step *s, struct run *r, const tl_value *in, enum case_of how,
                                     tl_value *out)
{
    str text = text_of(r, in);
    AUTO(buf_done) struct buf b = {.max = TRANSFORM_MAX_BYTES};
    bool first = true;
    for (size_t i = 0; i < text.n;) {
        utf8proc_int32_t c = 0;
        utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)text.p + i, (utf8proc_ssize_t)(text.n - i), &c);
        if (n <= 0)
            return cannot(r, s, TL_R_OTHER, "%.*s is not UTF-8", STR_FMT(shown(r, in)));
        i += (size_t)n;
        bool wordy = is_wordy(c);
        bool up = how == CASE_UPPER || (how == CASE_TITLE && first && wordy);
        utf8proc_uint8_t bytes[4];
        utf8proc_ssize_t m = utf8proc_encode_char(
            up ? how == CASE_TITLE ? utf8proc_totitle(c) : utf8proc_toupper(c) : utf8proc_tolower(c), bytes);
        buf_add(&b, bytes, m > 0 ? (size_t)m : 0);
        first = !wordy;
    }
    return give_buf(r, s, &b, out);
}

static enum transform_outcome lower_run(const struct step *s, struct run *r, const tl_value *in, tl_value *out)
{
    return recase(s, r, in, CASE_LOWER, out);
}

static enum transform_outcome upper_run(const struct step *s, struct run *r, const tl_value *in, tl_value *out)
{
    return recase(s, r, in, CASE_UPPER, out);
}

static enum transform_outcome title_run(const struct step *s, struct run *r, const tl_value *in, tl_value *out)
{
    return recase(s, r, in, CASE_TITLE, out);
}

static enum transform_outcome trim_run(const struct step *s, struct run *r, const tl_value *in, tl_value *out)
{
    AUTO(buf_done) struct buf b = {.max = TRANSFORM_MAX_BYTES};
    text_nfc(&b, text_of(r, in));
    return give_buf(r, s, &b, out);
}

static enum transform_outcome fold_run(const struct step *s, struct run *r, const tl_value *in, tl_value *out)
{
    AUTO(buf_done) struct buf b = {.max = TRANSFORM_MAX_BYTES};
    text_fold(&b, text_of(r, in));
    return give_buf(r, s, &b, out);
}

static bool length_compile(struct parse *p, struct step *s)
{
    return arg_is_number(p, s, 0, 1, TRANSFORM_MAX_BYTES, &s->n[0]);
}

static uint32_t length_longest(const struct step *s, uint32_t max)
{
    return max && max < (uint32_t)s->n[0] ? max : (uint32_t)s->n[0];
}

static enum transform_outcome left_run(const struct step *s, struct run *r, const tl_value *in, tl_value *out)
{
    return give_text(r, s, utf8_cut(text_of(r, in), (size_t)s->n[0]), out);
}

static enum transform_outcome right_run(const struct step *s, struct run *r, const tl_value *in, tl_value *out)
{
    str text = text_of(r, in);
    size_t n = utf8_length(text), keep = (size_t)s->n[0];
    str head = utf8_cut(text, n > keep ? n - keep : 0);
    return give_text(r, s, str_n(text.p + head.n, text.n - head.n), out);
}

static bool pad_compile(struct parse *p, struct step *s)
{
    static const char *const sides[] = {"left", "right"};
    if (!arg_is_number(p, s, 0, 1, 255, &s->n[0]) || !arg_is_text(p, s, 1))
        return false;
    if (utf8_length(s->args[1].text) != 1)
        return arg_wrong(p, s, s->args[1].column, s->function->usage, "pad fills with one character");
    return s->n_args < 3 || arg_is_one_of(p, s, 2, sides, 2, &s->n[1]);
}

static enum transform_outcome pad_run(const struct step *s, struct run *r, const tl_value *in, tl_value *out)
{
    str text = text_of(r, in);
    size_t n = utf8_length(text);
    AUTO(buf_done) struct buf b = {.max = TRANSFORM_MAX_BYTES};
    if (s->n[1] == 1)
        buf_str(&b, text);
    for (size_t i = n; i < (size_t)s->n[0]; i++)
        buf_str(&b, s->args[1].text);
    if (s->n[1] == 0)
        buf_str(&b, text);
    return give_buf(r, s, &b, out);
}

static uint32_t pad_longest(const struct step *s, uint32_t max)
{
    return max == 0 || max > (uint32_t)s->n[0] ? max : (uint32_t)s->n[0];
}

static bool replace_compile(struct parse *p, struct step *s)
{
    if (!arg_is_text(p, s, 0) || !arg_is_text(p, s, 1))
        return false;
    return s->args[0].text.n > 0 ||
           arg_wrong(p, s, s->args[0].column, s->function->usage, "what is to be replaced is empty");
}

static enum transform_outcome replace_run(const struct step *s, struct run *r, const tl_value *in, tl_value *out)
{
    str text = text_of(r, in), from = s->args[0].text, to = s->args[1].text;
    AUTO(buf_done) struct buf b = {.max = TRANSFORM_MAX_BYTES};
    while (text.n && !b.full) {
        const char *hit = memmem(text.p, text.n, from.p, from.n);
        size_t head = hit ? (size_t)(hit - text.p) : text.n;
        buf_add(&b, text.p, head);
        if (hit)
            buf_str(&b, to);
        head += hit ? from.n : 0;
        text = str_n(text.p + head, text.n - head);
    }
    return give_buf(r, s, &b, out);
}

static uint32_t replace_longest(const struct step *s, uint32_t max)
{
    return s->args[1].text.n <= s->args[0].text.n ? max : 0;
}

/* ---- split, nth, concat */

static bool split_compile(struct parse *p, struct step *s)
{
    if (!arg_is_text(p, s, 0) || (s->n_args > 1 && !arg_is_number(p, s, 1, -999, 999, &s->n[0])))
        return false;
    if (s->args[0].text.n == 0)
        return arg_wrong(p, s, s->args[0].column, s->function->usage, "what separates the parts is empty");
    return s->n_args < 2 || s->n[0] != 0 ||
           arg_wrong(p, s, s->args[1].column, "1 is the first part, -1 the last", "parts are counted from 1");
}

static uint8_t split_gives(const struct step *s, uint8_t in)
{
    (void)in;
    return s->n_args > 1 ? TL_TEXT : TL_LIST;
}

enum { PARTS_MAX = 1000 };

static bool part(const tl_value *list, int64_t n, tl_value *out)
{
    int64_t count = (int64_t)list->u.list.n, at = n > 0 ? n - 1 : count + n;
    bool there = at >= 0 && at < count;
    *out = there ? list->u.list.items[at] : (tl_value){.type = TL_NULL};
    return there;
}

static enum transform_outcome split_run(const struct step *s, struct run *r, const tl_value *in, tl_value *out)
{
    str text = text_of(r, in), by = s->args[0].text;
    tl_value *items = arena_array(r->a, tl_value, PARTS_MAX);
    uint64_t n = 0;
    for (bool more = true; more;) {
        const char *hit = text.n ? memmem(text.p, text.n, by.p, by.n) : NULL;
        size_t head = hit ? (size_t)(hit - text.p) : text.n;
        if (n == PARTS_MAX)
            return cannot(r, s, TL_R_TOO_LARGE, "the value has more than %d parts", PARTS_MAX);
        items[n++] = (tl_value){.type = TL_TEXT, .u.s = str_n(text.p, head)};
        more = hit != NULL;
        head += hit ? by.n : 0;
        text = str_n(text.p + head, text.n - head);
    }
    tl_value list = {.type = TL_LIST};
    list.u.list.items = items;
    list.u.list.n = n;
    if (s->n_args < 2)
        *out = list;
    else
        part(&list, s->n[0], out);
    return TRANSFORM_OK;
}

static bool nth_compile(struct parse *p, struct step *s)
{
    return arg_is_number(p, s, 0, -999, 999, &s->n[0]) &&
           (s->n[0] != 0 ||
            arg_wrong(p, s, s->args[0].column, "1 is the first part, -1 the last", "parts are counted from 1"));
}

static enum transform_outcome nth_run(const struct step *s, struct run *r, const tl_value *in, tl_value *out)
{
    (void)r;
    part(in, s->n[0], out);
    return TRANSFORM_OK;
}

static enum transform_outcome concat_run(const struct step *s, struct run *r, const tl_value *in, tl_value *out)
{
    AUTO(buf_done) struct buf b = {.max = TRANSFORM_MAX_BYTES};
    bool any = !value_is_blank(in);
    uint32_t field = s->first_field;
    if (any)
        buf_str(&b, text_of(r, in));
    for (uint32_t i = 0; i < s->n_args; i++) {
        if (s->args[i].kind != ARG_WORD) {
            buf_str(&b, s->args[i].text);
            continue;
        }
        const tl_value *v = r->fields ? &r->fields[field++] : NULL;
        if (!v || value_is_blank(v))
            continue;
        any = true;
        buf_str(&b, text_of(r, v));
    }
    if (!any) {
        *out = (tl_value){.type = TL_NULL};
        return TRANSFORM_OK;
    }
    return give_buf(r, s, &b, out);
}

static uint32_t unknown_longest(const struct step *s, uint32_t max)
{
    (void)s;
    (void)max;
    return 0;
}

#define LOST "the letters' case is not kept"

const struct function transform_text_functions[] = {
    {"trim", "trim", "without blanks at both ends", TAKES_TEXT, GIVES_SAME, 0, 0, false, NULL, trim_run, invert_copy,
     NULL, NULL, NULL},
    {"lower", "lower", "in lower case", TAKES_TEXT, GIVES_SAME, 0, 0, false, NULL, lower_run, NULL, LOST, NULL, NULL},
    {"upper", "upper", "in upper case", TAKES_TEXT, GIVES_SAME, 0, 0, false, NULL, upper_run, NULL, LOST, NULL, NULL},
    {"title", "title", "each word with a capital first", TAKES_TEXT, GIVES_SAME, 0, 0, false, NULL, title_run, NULL,
     LOST, NULL, NULL},
    {"fold", "fold", "as names are compared: normal form, no case, single blanks", TAKES_TEXT, TL_TEXT, 0, 0, false,
     NULL, fold_run, NULL, "case and spacing are not kept", unknown_longest, NULL},
    {"left", "left(N)", "the first N characters", TAKES_WRITTEN, TL_TEXT, 1, 1, false, length_compile, left_run, NULL,
     "the rest is cut off", length_longest, NULL},
    {"right", "right(N)", "the last N characters", TAKES_WRITTEN, TL_TEXT, 1, 1, false, length_compile, right_run, NULL,
     "the rest is cut off", length_longest, NULL},
    {"pad", "pad(N, \"0\", left or right)", "filled up to N characters, on the left if not said", TAKES_WRITTEN,
     TL_TEXT, 2, 3, false, pad_compile, pad_run, NULL, "what was filled in cannot be told any more", pad_longest, NULL},
    {"replace", "replace(\"what\", \"with\")", "every occurrence of a literal text replaced", TAKES_WRITTEN, TL_TEXT, 2,
     2, false, replace_compile, replace_run, NULL, "what was replaced cannot be told any more", replace_longest, NULL},
    {"split", "split(\"by\") or split(\"by\", N)", "the parts as a list, or the Nth part (-1: the last)", TAKES_WRITTEN,
     TL_LIST, 1, 2, false, split_compile, split_run, NULL, "the other parts are gone", NULL, split_gives},
    {"nth", "nth(N)", "the Nth of a list (-1: the last); blank where there is none", TAKES_LIST, TL_TEXT, 1, 1, false,
     nth_compile, nth_run, NULL, "the other parts are gone", NULL, NULL},
    {"concat", "concat(\"text\" or FIELD, ...)", "the value and these, one after the other; blank when all are",
     TAKES_WRITTEN | TAKES_DATE | TAKES_TIME, TL_TEXT, 1, 32, true, args_are_fields, concat_run, NULL,
     "where one part ends cannot be told any more", unknown_longest, NULL},
    {"match", "match(\"pattern\") or match(\"pattern\", GROUP)",
     "what a regular expression (PCRE2) finds: its first group, or all of it; blank when nothing", TAKES_WRITTEN,
     TL_TEXT, 1, 2, false, match_compile, match_run, NULL, "the rest is cut off", NULL, NULL},
    {0},
};
