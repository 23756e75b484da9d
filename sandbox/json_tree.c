#include "json_tree.h"

#include <stdio.h>
#include <stdlib.h>

#include "server.h"
#include "unicode.h"

enum { DEPTH_MAX = 64 };

struct parser {
    struct arena *a;
    const char *p, *end, *line_start;
    uint32_t line;
    int depth;
    struct sj_fault *fault;
};

static struct sj *parse_value(struct parser *ps);

static void *fail(struct parser *ps, const char *what)
{
    if (ps->fault->text[0] == '\0') {
        snprintf(ps->fault->text, sizeof ps->fault->text, "%s", what);
        ps->fault->line = ps->line;
        ps->fault->column = (uint32_t)(ps->p - ps->line_start) + 1;
    }
    return NULL;
}

static void skip_blanks(struct parser *ps)
{
    for (; ps->p < ps->end; ps->p++) {
        if (*ps->p == '\n') {
            ps->line++;
            ps->line_start = ps->p + 1;
        } else if (*ps->p != ' ' && *ps->p != '\t' && *ps->p != '\r') {
            return;
        }
    }
}

static int hex4(const char *p, const char *end)
{
    int value = 0;
    if (end - p < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        char c = p[i];
        int digit = c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

static char *put_utf8(char *w, uint32_t c)
{
    if (c < 0x80) {
        *w++ = (char)c;
    } else if (c < 0x800) {
        *w++ = (char)(0xC0 | (c >> 6));
        *w++ = (char)(0x80 | (c & 63));
    } else if (c < 0x10000) {
        *w++ = (char)(0xE0 | (c >> 12));
        *w++ = (char)(0x80 | ((c >> 6) & 63));
        *w++ = (char)(0x80 | (c & 63));
    } else {
        *w++ = (char)(0xF0 | (c >> 18));
        *w++ = (char)(0x80 | ((c >> 12) & 63));
        *w++ = (char)(0x80 | ((c >> 6) & 63));
        *w++ = (char)(0x80 | (c & 63));
    }
    return w;
}

/* At the character behind "\u". Returns the code point, or -1; *p moves behind what was used. */
static int64_t read_unicode_escape(const char **p, const char *end)
{
    int high = hex4(*p, end);
    if (high < 0)
        return -1;
    *p += 4;
    if (high < 0xD800 || high > 0xDFFF)
        return high;
    if (high > 0xDBFF || end - *p < 6 || (*p)[0] != '\\' || (*p)[1] != 'u')
        return -1;
    int low = hex4(*p + 2, end);
    if (low < 0xDC00 || low > 0xDFFF)
        return -1;
    *p += 6;
    return 0x10000 + ((int64_t)(high - 0xD800) << 10) + (low - 0xDC00);
}

/* At the character behind the opening quote, `close` at the closing one. */
static bool decode_escapes(struct parser *ps, const char *from, const char *close, str *out)
{
    char *text = arena_alloc(ps->a, (size_t)(close - from) + 1), *w = text;
    while (from < close) {
        if (*from != '\\') {
            *w++ = *from++;
            continue;
        }
        char c = from[1];
        from += 2;
        static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
        const char *at = c ? strchr(names, c) : NULL;
        if (at) {
            *w++ = values[at - names];
        } else if (c == 'u') {
            int64_t point = read_unicode_escape(&from, close);
            if (point < 0)
                return false;
            w = put_utf8(w, (uint32_t)point);
        } else {
            return false;
        }
    }
    *w = '\0';
    *out = str_n(text, (size_t)(w - text));
    return true;
}

/* At the opening quote. */
static bool parse_string(struct parser *ps, str *out)
{
    const char *from = ++ps->p;
    bool escaped = false, foreign = false;
    for (; ps->p < ps->end && *ps->p != '"'; ps->p++) {
        if ((unsigned char)*ps->p < 0x20) {
            fail(ps, "Illegal unquoted character: has to be escaped using backslash to be included in string value");
            return false;
        }
        foreign = foreign || (unsigned char)*ps->p >= 0x80;
        if (*ps->p == '\\') {
            escaped = true;
            ps->p++;
        }
    }
    if (ps->p >= ps->end) {
        fail(ps, "Unexpected end-of-input in a String value");
        return false;
    }
    const char *close = ps->p++;
    *out = str_n(from, (size_t)(close - from));
    if (escaped && !decode_escapes(ps, from, close, out)) {
        fail(ps, "Unrecognized character escape");
        return false;
    }
    if (foreign && !utf8_valid(*out)) {
        fail(ps, "Invalid UTF-8 start byte");
        return false;
    }
    return true;
}

static const char *skip_digits(const char *p, const char *end)
{
    while (p < end && *p >= '0' && *p <= '9')
        p++;
    return p;
}

static struct sj *parse_number(struct parser *ps, struct sj *v)
{
    const char *p = ps->p, *digits;
    if (*p == '-')
        p++;
    digits = p;
    p = skip_digits(p, ps->end);
    if (p == digits || (p - digits > 1 && *digits == '0'))
        return fail(ps, "Unexpected character: was expecting a number");
    if (p < ps->end && *p == '.') {
        digits = ++p;
        p = skip_digits(p, ps->end);
        if (p == digits)
            return fail(ps, "Unexpected character: Decimal point not followed by a digit");
    }
    if (p < ps->end && (*p | 32) == 'e') {
        p++;
        if (p < ps->end && (*p == '+' || *p == '-'))
            p++;
        digits = p;
        p = skip_digits(p, ps->end);
        if (p == digits)
            return fail(ps, "Unexpected character: Exponent indicator not followed by a digit");
    }
    v->kind = SJ_NUMBER;
    v->text = str_n(ps->p, (size_t)(p - ps->p));
    ps->p = p;
    return v;
}

static bool parse_member_key(struct parser *ps, str *key)
{
    if (ps->p >= ps->end || *ps->p != '"') {
        fail(ps, "Unexpected character: was expecting double-quote to start field name");
        return false;
    }
    if (!parse_string(ps, key))
        return false;
    skip_blanks(ps);
    if (ps->p >= ps->end || *ps->p != ':') {
        fail(ps, "Unexpected character: was expecting a colon to separate field name and value");
        return false;
    }
    ps->p++;
    return true;
}

static struct sj *parse_children(struct parser *ps, struct sj *v, char close)
{
    struct sj **tail = &v->first;
    ps->p++;
    skip_blanks(ps);
    if (ps->p < ps->end && *ps->p == close) {
        ps->p++;
        return v;
    }
    for (;;) {
        str key = {0};
        skip_blanks(ps);
        if (close == '}' && !parse_member_key(ps, &key))
            return NULL;
        struct sj *child = parse_value(ps);
        if (!child)
            return NULL;
        child->key = key;
        *tail = child;
        tail = &child->next;
        v->n++;
        skip_blanks(ps);
        if (ps->p < ps->end && *ps->p == ',') {
            ps->p++;
            continue;
        }
        if (ps->p < ps->end && *ps->p == close) {
            ps->p++;
            return v;
        }
        return fail(ps, ps->p >= ps->end ? "Unexpected end-of-input" : "Unexpected character: was expecting comma");
    }
}

static struct sj *parse_word(struct parser *ps, struct sj *v)
{
    static const struct {
        const char *word;
        enum sj_kind kind;
    } words[] = {{"true", SJ_TRUE}, {"false", SJ_FALSE}, {"null", SJ_NULL}};
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        size_t n = strlen(words[i].word);
        if ((size_t)(ps->end - ps->p) >= n && memcmp(ps->p, words[i].word, n) == 0) {
            v->kind = words[i].kind;
            ps->p += n;
            return v;
        }
    }
    return fail(ps, "Unrecognized token: was expecting a JSON value");
}

static struct sj *parse_value(struct parser *ps)
{
    skip_blanks(ps);
    if (ps->p >= ps->end)
        return fail(ps, "Unexpected end-of-input");
    if (ps->depth >= DEPTH_MAX)
        return fail(ps, "Document nesting depth exceeds the maximum");
    struct sj *v = arena_new(ps->a, struct sj);
    v->line = ps->line;
    v->column = (uint32_t)(ps->p - ps->line_start) + 1;
    switch (*ps->p) {
    case '"':
        v->kind = SJ_STRING;
        return parse_string(ps, &v->text) ? v : NULL;
    case '{':
    case '[':
        v->kind = *ps->p == '{' ? SJ_OBJECT : SJ_ARRAY;
        ps->depth++;
        struct sj *done = parse_children(ps, v, *ps->p == '{' ? '}' : ']');
        ps->depth--;
        return done;
    default:
        return *ps->p == '-' || (*ps->p >= '0' && *ps->p <= '9') ? parse_number(ps, v) : parse_word(ps, v);
    }
}

struct sj *sj_parse(struct arena *a, str text, struct sj_fault *fault)
{
    *fault = (struct sj_fault){0};
    struct parser ps = {.a = a, .p = text.p, .end = text.p + text.n, .line_start = text.p, .line = 1, .fault = fault};
    if (text.n == 0)
        return fail(&ps, "The HTTP entity body is required, but this request has no entity body.");
    struct sj *v = parse_value(&ps);
    if (!v)
        return NULL;
    skip_blanks(&ps);
    return ps.p == ps.end ? v : fail(&ps, "Unexpected content behind the JSON value");
}

struct sj *sj_get(const struct sj *object, const char *key)
{
    if (!object || object->kind != SJ_OBJECT)
        return NULL;
    struct sj *found = NULL;
    for (struct sj *m = object->first; m; m = m->next)
        if (str_is(m->key, key))
            found = m;
    return found;
}

str sj_text(const struct sj *v)
{
    return v && v->kind == SJ_STRING ? v->text : (str){0};
}

bool sj_is_true(const struct sj *v)
{
    return v && (v->kind == SJ_TRUE || (v->kind == SJ_STRING && str_eq_nocase(v->text, STR("true"))));
}

int64_t sj_int(const struct sj *v, int64_t otherwise)
{
    int64_t out = 0;
    if (v && (v->kind == SJ_NUMBER || v->kind == SJ_STRING) && str_to_i64(v->text, &out))
        return out;
    return otherwise;
}

void sj_write(struct buf *out, const struct sj *v)
{
    switch (v->kind) {
    case SJ_NULL:
        buf_text_add(out, "null");
        break;
    case SJ_TRUE:
    case SJ_FALSE:
        buf_text_add(out, v->kind == SJ_TRUE ? "true" : "false");
        break;
    case SJ_NUMBER:
        buf_str(out, v->text);
        break;
    case SJ_STRING:
        json_put(out, v->text);
        break;
    case SJ_ARRAY:
    case SJ_OBJECT:
        buf_char(out, v->kind == SJ_OBJECT ? '{' : '[');
        for (const struct sj *child = v->first; child; child = child->next) {
            if (child != v->first)
                buf_char(out, ',');
            if (v->kind == SJ_OBJECT) {
                json_put(out, child->key);
                buf_char(out, ':');
            }
            sj_write(out, child);
        }
        buf_char(out, v->kind == SJ_OBJECT ? '}' : ']');
        break;
    }
}
