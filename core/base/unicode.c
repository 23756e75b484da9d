#include "unicode.h"

#include <stdlib.h>
#include <utf8proc.h>

/* True when none of 8 bytes is 0 or above 0x7f. */
static bool word_is_plain(const char *p)
{
    uint64_t w;
    memcpy(&w, p, sizeof w);
    uint64_t zeros = (w - UINT64_C(0x0101010101010101)) & ~w;
    return ((w | zeros) & UINT64_C(0x8080808080808080)) == 0;
}

static bool is_tail(unsigned char c)
{
    return (c & 0xc0) == 0x80;
}

/* Length of the valid multi-byte form at p, 0 when it is not one (Unicode 15, table 3-7). */
static size_t form_length(const unsigned char *p, size_t left)
{
    unsigned char c = p[0];
    if (c >= 0xc2 && c <= 0xdf)
        return left >= 2 && is_tail(p[1]) ? 2 : 0;
    if (c >= 0xe0 && c <= 0xef) {
        if (left < 3 || !is_tail(p[1]) || !is_tail(p[2]) || (c == 0xe0 && p[1] < 0xa0) || (c == 0xed && p[1] > 0x9f))
            return 0;
        return 3;
    }
    if (c >= 0xf0 && c <= 0xf4) {
        if (left < 4 || !is_tail(p[1]) || !is_tail(p[2]) || !is_tail(p[3]) || (c == 0xf0 && p[1] < 0x90) ||
            (c == 0xf4 && p[1] > 0x8f))
            return 0;
        return 4;
    }
    return 0;
}

bool utf8_valid(str s)
{
    size_t i = 0;
    while (i < s.n) {
        if (s.n - i >= 8 && word_is_plain(s.p + i)) {
            i += 8;
            continue;
        }
        unsigned char c = (unsigned char)s.p[i];
        size_t n = c == 0 ? 0 : c < 0x80 ? 1 : form_length((const unsigned char *)s.p + i, s.n - i);
        if (n == 0)
            return false;
        i += n;
    }
    return true;
}

size_t utf8_length(str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += !is_tail((unsigned char)s.p[i]);
    return n;
}

str utf8_cut(str s, size_t max_chars)
{
    size_t chars = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (!is_tail((unsigned char)s.p[i]) && chars++ == max_chars)
            return str_n(s.p, i);
    }
    return s;
}

static bool is_ascii(str s)
{
    size_t i = 0;
    while (s.n - i >= 8 && word_is_plain(s.p + i))
        i += 8;
    while (i < s.n && (unsigned char)s.p[i] < 0x80)
        i++;
    return i == s.n;
}

static bool is_space(utf8proc_int32_t c)
{
    if (c < 0x80)
        return c == ' ' || (c >= '\t' && c <= '\r');
    utf8proc_category_t kind = utf8proc_category(c);
    return c == 0x85 || kind == UTF8PROC_CATEGORY_ZS || kind == UTF8PROC_CATEGORY_ZL || kind == UTF8PROC_CATEGORY_ZP;
}

/* The character at the start of s and its length in bytes; a byte that is none counts as one. */
static utf8proc_int32_t first_char(str s, size_t *n_out)
{
    utf8proc_int32_t c;
    utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)s.p, (utf8proc_ssize_t)s.n, &c);
    *n_out = n > 0 ? (size_t)n : 1;
    return n > 0 ? c : 0xfffd;
}

static str trim_spaces(str s)
{
    size_t n;
    while (s.n && is_space(first_char(s, &n)))
        s = str_n(s.p + n, s.n - n);
    while (s.n) {
        size_t start = s.n - 1;
        while (start > 0 && is_tail((unsigned char)s.p[start]))
            start--;
        if (!is_space(first_char(str_n(s.p + start, s.n - start), &n)))
            break;
        s.n = start;
    }
    return s;
}

static void add_lf(struct buf *out, str s)
{
    for (size_t from = 0; from < s.n;) {
        const char *cr = memchr(s.p + from, '\r', s.n - from);
        size_t to = cr ? (size_t)(cr - s.p) : s.n;
        buf_add(out, s.p + from, to - from);
        if (cr && !(to + 1 < s.n && s.p[to + 1] == '\n'))
            buf_char(out, '\r');
        from = cr ? to + 1 : s.n;
    }
}

/* Heap text, or NULL when s is not UTF-8. */
static char *map(str s, utf8proc_option_t options, size_t *n_out)
{
    utf8proc_uint8_t *text = NULL;
    utf8proc_ssize_t n = utf8proc_map((const utf8proc_uint8_t *)s.p, (utf8proc_ssize_t)s.n, &text, options);
    *n_out = n < 0 ? 0 : (size_t)n;
    return (char *)text;
}

void text_nfc(struct buf *out, str s)
{
    s = trim_spaces(s);
    if (is_ascii(s)) {
        add_lf(out, s);
        return;
    }
    size_t n;
    AUTO(text_free) char *composed = map(s, UTF8PROC_STABLE | UTF8PROC_COMPOSE, &n);
    add_lf(out, composed ? str_n(composed, n) : s);
}

static void add_collapsed(struct buf *out, str s)
{
    for (bool gap = false; s.n;) {
        size_t n;
        bool space = is_space(first_char(s, &n));
        if (!space) {
            if (gap)
                buf_char(out, ' ');
            buf_add(out, s.p, n);
        }
        gap = space;
        s = str_n(s.p + n, s.n - n);
    }
}

static void fold_ascii(struct buf *out, str s)
{
    char *to = buf_room(out, s.n);
    if (!to)
        return;
    char *at = to;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == ' ' || (c >= '\t' && c <= '\r')) {
            if (at[-1] == ' ')
                continue; /* s is trimmed: a blank is never the first character */
            c = ' ';
        }
        *at++ = c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
    }
    out->n -= s.n - (size_t)(at - to);
    out->p[out->n] = 0;
}

void text_fold(struct buf *out, str s)
{
    s = trim_spaces(s);
    if (s.n == 0)
        return;
    if (is_ascii(s)) {
        fold_ascii(out, s);
        return;
    }
    size_t n;
    AUTO(text_free)
    char *folded =
        map(s, UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE, &n);
    add_collapsed(out, trim_spaces(folded ? str_n(folded, n) : s));
}

/* Letters that Unicode does not take apart, as people without that key type them. */
static const char *typed_as(utf8proc_int32_t c)
{
    switch (c) {
    case 0xe6: /* ae */
        return "ae";
    case 0xf0:  /* eth */
    case 0x111: /* d with stroke */
        return "d";
    case 0xf8: /* o with stroke */
        return "o";
    case 0xfe: /* thorn */
        return "th";
    case 0x127: /* h with stroke */
        return "h";
    case 0x131: /* i without dot */
        return "i";
    case 0x142: /* l with stroke */
        return "l";
    case 0x153: /* oe */
        return "oe";
    default:
        return NULL;
    }
}

void text_plain(struct buf *out, str s)
{
    size_t n;
    AUTO(text_free)
    char *bare = map(s,
                     UTF8PROC_STABLE | UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE |
                         UTF8PROC_STRIPMARK,
                     &n);
    bool gap = false, any = false;
    for (str rest = bare ? str_n(bare, n) : s; rest.n;) {
        utf8proc_int32_t c = first_char(rest, &n);
        utf8proc_category_t kind = utf8proc_category(c);
        bool word = kind >= UTF8PROC_CATEGORY_LU && kind <= UTF8PROC_CATEGORY_NO;
        if (word && gap && any)
            buf_char(out, ' ');
        const char *typed = word ? typed_as(c) : NULL;
        if (typed)
            buf_text_add(out, typed);
        else if (word)
            buf_add(out, rest.p, n);
        gap = !word && (gap || kind != UTF8PROC_CATEGORY_PO || c != '\'');
        any |= word;
        rest = str_n(rest.p + n, rest.n - n);
    }
}

static bool has_word(str text, str begin)
{
    str word;
    while (text.n && str_split(&text, ' ', &word))
        if (word.n >= begin.n && memcmp(word.p, begin.p, begin.n) == 0)
            return true;
    return false;
}

bool text_has_words(str text, str ask)
{
    str word;
    if (ask.n == 0)
        return false;
    while (ask.n && str_split(&ask, ' ', &word))
        if (!has_word(text, word))
            return false;
    return true;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

void phone_digits(struct buf *out, str s)
{
    bool first = true;
    for (size_t i = 0; i < s.n; i++) {
        if (is_digit(s.p[i]) || (first && s.p[i] == '+')) {
            buf_char(out, s.p[i]);
            first = false;
        }
    }
}

bool phone_last9(str s, int64_t *out)
{
    int64_t v = 0;
    unsigned digits = 0;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (is_digit(c)) {
            v = (v * 10 + (c - '0')) % 1000000000;
            digits++;
        } else if (digits && ((c | 32) == 'x' || (c | 32) == 'e' || c == '#' || c == ';' || c == ',')) {
            break; /* an extension: "x12", "ext. 12", "#12", ";ext=12" (RFC 3966), ",12" */
        }
    }
    if (digits < 9)
        return false;
    *out = v;
    return true;
}

void text_visible(struct buf *out, str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i], d = i + 1 < s.n ? (unsigned char)s.p[i + 1] : 0,
                      last = i + 2 < s.n ? (unsigned char)s.p[i + 2] : 0;
        bool turns = c == 0xe2 && ((d == 0x80 && (last == 0x8e || last == 0x8f || (last >= 0xaa && last <= 0xae))) ||
                                   (d == 0x81 && last >= 0xa6 && last <= 0xa9));
        if (turns) {
            buf_fmt(out, "\\u{%x}", 0x2000u + (d - 0x80u) * 0x40u + (last - 0x80u));
            i += 2;
        } else if (c == 0xd8 && d == 0x9c) {
            buf_text_add(out, "\\u{61c}");
            i++;
        } else if (c == 0xc2 && d >= 0x80 && d <= 0x9f) { /* C1 */
            buf_fmt(out, "\\u{%x}", d);
            i++;
        } else if (c < 0x20 || c == 0x7f) {
            buf_fmt(out, "\\u{%x}", c);
        } else {
            buf_char(out, s.p[i]);
        }
    }
}
