/* Reading a chain of functions. Every error is placed; after one the reading goes on with the next function. */
#include <stdarg.h>
#include <stdio.h>

#include "transform_int.h"
#include "unicode.h"

enum { ERRORS_MAX = 16 };

struct reader {
    struct parse *p;
    str text;
    size_t at;
};

static uint32_t column_of(const struct reader *r, size_t at)
{
    return (uint32_t)utf8_length(str_n(r->text.p, at)) + 1;
}

static void add_error(struct parse *p, uint32_t column, str function, const char *hint, const char *fmt, va_list ap)
{
    if (p->n == p->cap)
        return;
    AUTO(buf_done) struct buf text = {0};
    buf_fmtv(&text, fmt, ap);
    p->errors[p->n++] = (struct transform_error){.level = TL_ERROR,
                                                 .column = column,
                                                 .code = "MAP_ERROR",
                                                 .function = function,
                                                 .text = arena_str(p->a, buf_lent(&text)),
                                                 .hint = arena_str(p->a, str_of(hint))};
}

static bool PRINTF_LIKE(4, 5) wrong(struct reader *r, size_t at, const char *hint, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    add_error(r->p, column_of(r, at), (str){0}, hint, fmt, ap);
    va_end(ap);
    return false;
}

bool arg_wrong(struct parse *p, const struct step *s, uint32_t column, const char *hint, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    add_error(p, column ? column : s->column, str_of(s->function->name), hint, fmt, ap);
    va_end(ap);
    return false;
}

static bool wants(struct parse *p, const struct step *s, uint32_t i, const char *what)
{
    AUTO(text_free) char *hint = text_fmt("%s", s->function->usage);
    return arg_wrong(p, s, i < s->n_args ? s->args[i].column : 0, hint, "%s takes %s as argument %u", s->function->name,
                     what, i + 1);
}

bool arg_is_number(struct parse *p, const struct step *s, uint32_t i, int64_t least, int64_t most, int64_t *out)
{
    if (s->args[i].kind == ARG_NUMBER && !s->args[i].has_value && str_to_i64(s->args[i].text, out) && *out >= least &&
        *out <= most)
        return true;
    char what[96];
    snprintf(what, sizeof what, "a whole number from %lld to %lld", (long long)least, (long long)most);
    return wants(p, s, i, what);
}

bool arg_is_text(struct parse *p, const struct step *s, uint32_t i)
{
    return (s->args[i].kind == ARG_TEXT && !s->args[i].has_value) || wants(p, s, i, "a text in double quotes");
}

bool arg_is_one_of(struct parse *p, const struct step *s, uint32_t i, const char *const *words, size_t n, int64_t *out)
{
    AUTO(buf_done) struct buf hint = {0};
    for (size_t k = 0; k < n; k++) {
        if (s->args[i].kind == ARG_WORD && !s->args[i].has_value && str_is(s->args[i].text, words[k])) {
            *out = (int64_t)k;
            return true;
        }
        buf_fmt(&hint, "%s%s", k ? ", " : "one of: ", words[k]);
    }
    return arg_wrong(p, s, s->args[i].column, buf_text(&hint), "\"%.*s\" is nothing that %s knows",
                     STR_FMT(s->args[i].text), s->function->name);
}

bool args_are_fields(struct parse *p, struct step *s)
{
    s->first_field = p->n_fields;
    for (uint32_t i = 0; i < s->n_args; i++) {
        if (s->args[i].has_value || s->args[i].kind == ARG_STAR || s->args[i].kind == ARG_RANGE)
            return wants(p, s, i, "a text in double quotes or the name of a field");
        if (s->args[i].kind != ARG_WORD)
            continue;
        if (p->n_fields == TRANSFORM_FIELDS)
            return arg_wrong(p, s, s->args[i].column, "", "a chain reads at most %d further fields", TRANSFORM_FIELDS);
        p->fields[p->n_fields++] = s->args[i].text;
    }
    return true;
}

/* ---- Reading */

static void blanks(struct reader *r)
{
    while (r->at < r->text.n && (r->text.p[r->at] == ' ' || r->text.p[r->at] == '\t' || r->text.p[r->at] == '\n' ||
                                 r->text.p[r->at] == '\r'))
        r->at++;
}

static char peek(const struct reader *r)
{
    return r->at < r->text.n ? r->text.p[r->at] : 0;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static str word(struct reader *r)
{
    size_t from = r->at;
    while (is_letter(peek(r)) || is_digit(peek(r)) || (peek(r) == '.' && r->at > from))
        r->at++;
    return str_n(r->text.p + from, r->at - from);
}

static bool quoted(struct reader *r, str *out)
{
    size_t from = r->at++;
    AUTO(buf_done) struct buf b = {0};
    for (;; r->at++) {
        char c = peek(r);
        if (r->at >= r->text.n)
            return wrong(r, from, "close it with \"", "the text in double quotes does not end");
        if (c == '"')
            break;
        if (c != '\\') {
            buf_char(&b, c);
            continue;
        }
        static const char from_chars[] = "\"\\nt", to_chars[] = "\"\\\n\t";
        r->at++;
        const char *known = peek(r) ? strchr(from_chars, peek(r)) : NULL;
        if (known) {
            buf_char(&b, to_chars[known - from_chars]);
        } else { /* a pattern's own: \d */
            buf_char(&b, '\\');
            r->at--;
        }
    }
    r->at++;
    *out = arena_str(r->p->a, buf_lent(&b));
    return true;
}

static str number(struct reader *r)
{
    size_t from = r->at;
    if (peek(r) == '-')
        r->at++;
    while (is_digit(peek(r)) ||
           (peek(r) == '.' && r->at + 1 < r->text.n && is_digit(r->text.p[r->at + 1]) && r->text.p[r->at - 1] != '.'))
        r->at++;
    return str_n(r->text.p + from, r->at - from);
}

static bool at_number(const struct reader *r)
{
    return is_digit(peek(r)) || (peek(r) == '-' && r->at + 1 < r->text.n && is_digit(r->text.p[r->at + 1]));
}

static bool at_dots(const struct reader *r)
{
    return r->at + 1 < r->text.n && r->text.p[r->at] == '.' && r->text.p[r->at + 1] == '.';
}

static bool one_value(struct reader *r, enum arg_kind *kind, str *out, str *upper)
{
    if (peek(r) == '"') {
        *kind = ARG_TEXT;
        return quoted(r, out);
    }
    if (peek(r) == '*') {
        r->at++;
        *kind = ARG_STAR;
        *out = STR("*");
        return true;
    }
    if (at_number(r) || at_dots(r)) {
        *kind = ARG_NUMBER;
        *out = at_dots(r) ? (str){0} : number(r);
        if (!at_dots(r))
            return true;
        r->at += 2;
        *kind = ARG_RANGE;
        *upper = at_number(r) ? number(r) : (str){0};
        return true;
    }
    if (is_letter(peek(r))) {
        *kind = ARG_WORD;
        *out = word(r);
        return true;
    }
    if (r->at >= r->text.n)
        return wrong(r, r->at, "close it with )", "the list of arguments does not end");
    return wrong(r, r->at, "texts stand in double quotes, numbers and names of fields do not",
                 "\"%.*s\" cannot stand here", STR_FMT(utf8_cut(str_n(r->text.p + r->at, r->text.n - r->at), 1)));
}

static bool arguments(struct reader *r, struct step *s)
{
    struct arg *args = NULL;
    uint32_t n = 0, cap = 0;
    r->at++;
    for (blanks(r); peek(r) != ')'; blanks(r)) {
        if (n > 0 && peek(r) != ',')
            return wrong(r, r->at, "between two arguments stands a comma, behind the last a )", "a comma is missing");
        if (n > 0)
            r->at++;
        blanks(r);
        if (n == cap) {
            struct arg *more = arena_array(r->p->a, struct arg, cap ? cap * 2 : 4);
            if (n)
                memcpy(more, args, sizeof *args * n);
            args = more;
            cap = cap ? cap * 2 : 4;
        }
        if (n == TRANSFORM_ROWS)
            return wrong(r, r->at, "a longer table belongs into the source system", "more than %d rows",
                         TRANSFORM_ROWS);
        struct arg *arg = &args[n];
        *arg = (struct arg){.column = column_of(r, r->at)};
        if (!one_value(r, &arg->kind, &arg->text, &arg->upper))
            return false;
        blanks(r);
        if (peek(r) == '=') {
            r->at++;
            blanks(r);
            str none = {0};
            arg->has_value = true;
            if (!one_value(r, &arg->value_kind, &arg->value, &none))
                return false;
        }
        n++;
    }
    r->at++;
    s->args = args;
    s->n_args = n;
    return true;
}

static bool unknown(struct reader *r, size_t at, str name)
{
    struct transform_help *all;
    const char *names[64];
    size_t n = transform_functions(r->p->a, &all);
    AUTO(buf_done) struct buf hint = {0};
    for (size_t i = 0; i < n && i < ARRAY_LEN(names); i++)
        names[i] = all[i].name;
    AUTO(text_free) char *text = str_dup(name);
    const char *near = text_nearest(text, names, n);
    if (near)
        buf_fmt(&hint, "did you mean \"%s\"?", near);
    else
        for (size_t i = 0; i < n; i++)
            buf_fmt(&hint, "%s%s", i ? ", " : "there are: ", names[i]);
    return wrong(r, at, buf_text(&hint), "there is no function \"%.*s\"", STR_FMT(name));
}

static bool function(struct reader *r, struct step *s)
{
    size_t at = r->at;
    *s = (struct step){.column = column_of(r, at)};
    if (!is_letter(peek(r)))
        return at >= r->text.n
                   ? wrong(r, at, "write a function, or remove the last \"|\"", "a function is missing")
                   : wrong(r, at, "a function starts with a letter: trim, map(\"a\"=\"b\")", "\"%.*s\" is no function",
                           STR_FMT(utf8_cut(str_n(r->text.p + at, r->text.n - at), 1)));
    str name = word(r);
    s->function = transform_function(name);
    blanks(r);
    bool ok = s->function || unknown(r, at, name);
    if (peek(r) == '(' && !arguments(r, s))
        return false;
    if (!ok)
        return false;
    uint32_t most = s->function->max_args == 255 ? TRANSFORM_ROWS : s->function->max_args;
    if (s->n_args < s->function->min_args || s->n_args > most)
        return arg_wrong(r->p, s, 0, s->function->usage, "%s takes %s%u argument%s, not %u", s->function->name,
                         s->function->min_args == most ? ""
                         : s->n_args > most            ? "at most "
                                                       : "at least ",
                         s->n_args > most ? most : s->function->min_args,
                         (s->n_args > most ? most : s->function->min_args) == 1 ? "" : "s", s->n_args);
    return !s->function->compile || s->function->compile(r->p, s);
}

/* Behind a function that is not understood: to the next "|" outside of quotes. */
static void next_function(struct reader *r)
{
    for (bool inside = false; r->at < r->text.n; r->at++) {
        char c = r->text.p[r->at];
        if (c == '\\' && inside)
            r->at++;
        else if (c == '"')
            inside = !inside;
        else if (c == '|' && !inside)
            return;
    }
    r->at = r->text.n;
}

static void chain(struct reader *r, struct step *steps, uint32_t *n_out)
{
    uint32_t n = 0;
    for (;;) {
        blanks(r);
        struct step s;
        if (!function(r, &s))
            next_function(r);
        else if (n == TRANSFORM_STEPS)
            wrong(r, r->at, "", "a chain has at most %d functions", TRANSFORM_STEPS);
        else
            steps[n++] = s;
        blanks(r);
        if (r->at >= r->text.n)
            break;
        if (peek(r) != '|') {
            wrong(r, r->at, "write \"|\" between two functions", "\"%.*s\" cannot stand here",
                  STR_FMT(utf8_cut(str_n(r->text.p + r->at, r->text.n - r->at), 1)));
            next_function(r);
            if (r->at >= r->text.n)
                break;
        }
        r->at++;
    }
    *n_out = n;
}

static const struct transform *lookup_alone(struct parse *p, struct transform *t)
{
    for (uint32_t i = 0; i < t->n_steps && t->n_steps > 1; i++)
        if (strcmp(t->steps[i].function->name, "lookup") == 0) {
            arg_wrong(p, &t->steps[i], 0, "use it as the whole chain",
                      "lookup stands alone: ids are not changed further");
            return NULL;
        }
    return t;
}

const struct transform *transform_parse(str text, struct arena *a, struct transform_error **errors, size_t *n)
{
    struct parse p = {.a = a, .cap = ERRORS_MAX, .errors = arena_array(a, struct transform_error, ERRORS_MAX)};
    struct reader r = {.p = &p, .text = arena_str(a, str_trim(text))};
    struct transform *t = arena_new(a, struct transform);
    struct step *steps = arena_array(a, struct step, TRANSFORM_STEPS);
    if (text.n > TRANSFORM_TEXT_MAX)
        wrong(&r, 0, "a longer table belongs into the source system", "the chain is longer than %d bytes",
              TRANSFORM_TEXT_MAX);
    else if (!utf8_valid(text))
        wrong(&r, 0, "", "the chain is not UTF-8");
    else if (r.text.n > 0)
        chain(&r, steps, &t->n_steps);
    t->steps = steps;
    str *fields = arena_array(a, str, TRANSFORM_FIELDS);
    memcpy(fields, p.fields, sizeof p.fields);
    t->fields = fields;
    t->n_fields = p.n_fields;
    const struct transform *whole = p.n ? NULL : lookup_alone(&p, t);
    *errors = p.errors;
    *n = p.n;
    return p.n ? NULL : whole;
}

/* ---- Writing */

static void value_write(struct buf *out, enum arg_kind kind, str text)
{
    if (kind != ARG_TEXT) {
        buf_str(out, text);
        return;
    }
    buf_char(out, '"');
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c == '"' || c == '\\')
            buf_char(out, '\\');
        if (c == '\n' || c == '\t')
            buf_text_add(out, c == '\n' ? "\\n" : "\\t");
        else
            buf_char(out, c);
    }
    buf_char(out, '"');
}

void transform_text(const struct transform *t, struct buf *out)
{
    for (uint32_t i = 0; i < t->n_steps; i++) {
        const struct step *s = &t->steps[i];
        buf_fmt(out, "%s%s", i ? " | " : "", s->function->name);
        for (uint32_t k = 0; k < s->n_args; k++) {
            const struct arg *arg = &s->args[k];
            buf_text_add(out, k ? ", " : "(");
            value_write(out, arg->kind, arg->text);
            if (arg->kind == ARG_RANGE)
                buf_fmt(out, "..%.*s", STR_FMT(arg->upper));
            if (arg->has_value) {
                buf_char(out, '=');
                value_write(out, arg->value_kind, arg->value);
            }
        }
        buf_text_add(out, s->n_args ? ")" : "");
    }
    if (t->n_steps == 0)
        buf_text_add(out, "copy");
}
