#include <ctype.h>
#include <stdlib.h>

#include "soql_int.h"
#include "times.h"

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '.';
}

static struct soql_token bad(uint32_t at, const char *what)
{
    return (struct soql_token){.kind = TOK_BAD, .at = at, .text = str_of(what)};
}

static char *put_code_point(char *w, unsigned c)
{
    if (c < 0x80) {
        *w++ = (char)c;
    } else if (c < 0x800) {
        *w++ = (char)(0xC0 | (c >> 6));
        *w++ = (char)(0x80 | (c & 63));
    } else {
        *w++ = (char)(0xE0 | (c >> 12));
        *w++ = (char)(0x80 | ((c >> 6) & 63));
        *w++ = (char)(0x80 | (c & 63));
    }
    return w;
}

/* Behind the backslash. Returns the place behind the escape, or NULL when there is no such escape. */
static const char *read_escape(const char *p, const char *end, char **w, bool *wild)
{
    static const char names[] = "nNrRtTbBfF\"'\\", values[] = "\n\n\r\r\t\t\b\b\f\f\"'\\";
    *wild = false;
    if (p >= end)
        return NULL;
    const char *at = strchr(names, *p);
    if (at && *p) {
        *(*w)++ = values[at - names];
        return p + 1;
    }
    if (*p == '_' || *p == '%') {
        *wild = true;
        *(*w)++ = *p;
        return p + 1;
    }
    if (*p == 'u' && end - p >= 5) {
        char hex[5] = {p[1], p[2], p[3], p[4], 0}, *stop;
        unsigned long point = strtoul(hex, &stop, 16);
        if (*stop)
            return NULL;
        *w = put_code_point(*w, (unsigned)point);
        return p + 5;
    }
    return NULL;
}

static struct soql_token lex_string(struct soql_lexer *lx)
{
    uint32_t at = lx->at;
    const char *p = lx->text.p + at + 1, *end = lx->text.p + lx->text.n;
    size_t room = (size_t)(end - p) + 1;
    if (room > (size_t)SOQL_STRING_MAX * 6)
        room = (size_t)SOQL_STRING_MAX * 6;
    char *text = arena_alloc(lx->a, room), *w = text;
    bool *escaped = arena_alloc(lx->a, room);
    while (p < end && *p != '\'') {
        if ((size_t)(w - text) + 8 > room && room == (size_t)SOQL_STRING_MAX * 6)
            return bad(at, "string literal is too long");
        if (*p != '\\') {
            *w++ = *p++;
            continue;
        }
        char *start = w;
        bool wild = false;
        p = read_escape(p + 1, end, &w, &wild);
        if (!p)
            return bad(at, "illegal string escape");
        escaped[start - text] = wild;
    }
    if (p >= end)
        return bad(at, "unterminated string literal");
    *w = '\0';
    lx->at = (uint32_t)(p + 1 - lx->text.p);
    return (struct soql_token){
        .kind = TOK_STRING, .at = at, .text = str_n(text, (size_t)(w - text)), .escaped = escaped};
}

static bool looks_like_date(str s)
{
    return s.n >= 10 && s.p[4] == '-' && s.p[7] == '-' && isdigit((unsigned char)s.p[0]) &&
           isdigit((unsigned char)s.p[9]);
}

/* At a digit or sign: a number, a date or a date and time. */
static struct soql_token lex_number(struct soql_lexer *lx)
{
    uint32_t at = lx->at, to = at;
    bool date = looks_like_date(str_n(lx->text.p + at, lx->text.n - at));
    while (to < lx->text.n) {
        char c = lx->text.p[to];
        bool part = is_word(c) || (date && (c == '-' || c == ':' || c == '+')) || (to == at && (c == '-' || c == '+'));
        if (!part)
            break;
        to++;
    }
    lx->at = to;
    struct soql_token t = {.kind = TOK_NUMBER, .at = at, .text = str_n(lx->text.p + at, to - at)};
    if (date && t.text.n == 10 && date_parse(t.text, &t.i)) {
        t.kind = TOK_DATE;
        return t;
    }
    if (date && t.text.n > 10 && (t.text.p[10] == 'T' || t.text.p[10] == 't') && time_parse(t.text, &t.i)) {
        t.kind = TOK_TIME;
        return t;
    }
    char number[64], *stop;
    if (date || t.text.n >= sizeof number)
        return bad(at, "line 1:0 no viable alternative at a date");
    memcpy(number, t.text.p, t.text.n);
    number[t.text.n] = '\0';
    t.number = strtod(number, &stop);
    return *stop ? bad(at, "unexpected character in a number") : t;
}

static struct soql_token lex_word(struct soql_lexer *lx)
{
    uint32_t at = lx->at, to = at;
    while (to < lx->text.n && is_word(lx->text.p[to]))
        to++;
    lx->at = to;
    return (struct soql_token){.kind = TOK_WORD, .at = at, .text = str_n(lx->text.p + at, to - at)};
}

static struct soql_token lex_punct(struct soql_lexer *lx)
{
    static const char *const two[] = {"<=", ">=", "!=", "<>"};
    uint32_t at = lx->at;
    str rest = str_n(lx->text.p + at, lx->text.n - at);
    for (size_t i = 0; i < ARRAY_LEN(two); i++)
        if (str_starts(rest, str_of(two[i]))) {
            lx->at += 2;
            return (struct soql_token){.kind = TOK_PUNCT, .at = at, .text = str_n(rest.p, 2)};
        }
    if (!strchr("(),=<>:", rest.p[0]))
        return bad(at, "unexpected character");
    lx->at++;
    return (struct soql_token){.kind = TOK_PUNCT, .at = at, .text = str_n(rest.p, 1)};
}

struct soql_token soql_next(struct soql_lexer *lx)
{
    while (lx->at < lx->text.n && isspace((unsigned char)lx->text.p[lx->at]))
        lx->at++;
    if (lx->at >= lx->text.n)
        return (struct soql_token){.kind = TOK_END, .at = lx->at, .text = STR("<EOF>")};
    char c = lx->text.p[lx->at];
    if (c == '\'')
        return lex_string(lx);
    if (isdigit((unsigned char)c) || c == '-' || c == '+')
        return lex_number(lx);
    if (isalpha((unsigned char)c) || c == '_')
        return lex_word(lx);
    return lex_punct(lx);
}
