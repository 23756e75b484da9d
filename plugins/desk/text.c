/* The text of a comment that was written as HTML: what a person reads of it, without markup. It is shown as text, so
 * nothing of it can act; what is no known tag or entity stays as it is written. */
#include "desk.h"

enum { ENTITY_MAX = 10, LAST_CHARACTER = 0x10ffff };

static const struct {
    const char *name, *text;
} entities[] = {
    {"amp", "&"}, {"lt", "<"}, {"gt", ">"}, {"quot", "\""}, {"apos", "'"}, {"nbsp", " "},
};

static const char *const line_tags[] = {"br", "/p", "/div", "/li", "/tr", "/h1", "/h2", "/h3", "/blockquote", "/pre"};
static const char *const hidden_tags[] = {"script", "style"}; /* with all that stands in them */

static void add_character(tlk_buf *out, uint32_t c)
{
    if (c < 0x80) {
        tlk_addc(out, (char)c);
    } else if (c < 0x800) {
        tlk_addc(out, (char)(0xc0 | c >> 6));
        tlk_addc(out, (char)(0x80 | (c & 0x3f)));
    } else {
        if (c < 0x10000) {
            tlk_addc(out, (char)(0xe0 | c >> 12));
        } else {
            tlk_addc(out, (char)(0xf0 | c >> 18));
            tlk_addc(out, (char)(0x80 | (c >> 12 & 0x3f)));
        }
        tlk_addc(out, (char)(0x80 | (c >> 6 & 0x3f)));
        tlk_addc(out, (char)(0x80 | (c & 0x3f)));
    }
}

/* "#8217" or "#x2019"; 0: none that text may hold. */
static uint32_t numbered(tl_str name)
{
    bool hex = name.n > 2 && (name.p[1] == 'x' || name.p[1] == 'X');
    uint32_t c = 0;
    for (uint64_t i = hex ? 2 : 1; i < name.n; i++) {
        char ch = name.p[i];
        uint32_t digit = ch >= '0' && ch <= '9'                        ? (uint32_t)(ch - '0')
                         : hex && (ch | 32) >= 'a' && (ch | 32) <= 'f' ? (uint32_t)((ch | 32) - 'a') + 10
                                                                       : 99;
        if (digit == 99 || c > LAST_CHARACTER)
            return 0;
        c = c * (hex ? 16 : 10) + digit;
    }
    bool usable = c <= LAST_CHARACTER && (c < 0xd800 || c > 0xdfff) && (c >= 32 || c == '\n' || c == '\t');
    return usable ? c : 0;
}

/* At "&": adds what the entity stands for and returns its length; 0: it is none. */
static uint64_t take_entity(tlk_buf *out, tl_str rest)
{
    uint64_t n = 1;
    while (n < rest.n && n <= ENTITY_MAX && rest.p[n] != ';')
        n++;
    if (n >= rest.n || rest.p[n] != ';' || n < 2)
        return 0;
    tl_str name = {rest.p + 1, n - 1};
    if (name.p[0] == '#') {
        uint32_t c = numbered(name);
        if (c == 0)
            return 0;
        add_character(out, c);
        return n + 1;
    }
    for (size_t i = 0; i < TLK_LEN(entities); i++) {
        if (!tlk_is(name, entities[i].name))
            continue;
        tlk_addz(out, entities[i].text);
        return n + 1;
    }
    return 0;
}

static bool same_tag(tl_str tag, const char *name)
{
    size_t n = strlen(name);
    if (tag.n < n)
        return false;
    for (size_t i = 0; i < n; i++) {
        char c = tag.p[i];
        if ((c >= 'A' && c <= 'Z' ? c + 32 : c) != name[i])
            return false;
    }
    return tag.n == n || strchr(" \t\r\n/", tag.p[n]) != NULL;
}

/* How much of rest lies before the end tag of name; all of it when there is none. */
static uint64_t hidden_length(tl_str rest, const char *name)
{
    for (uint64_t i = 0; i + 2 < rest.n; i++) {
        if (rest.p[i] == '<' && rest.p[i + 1] == '/' && rest.n - i - 2 >= strlen(name) &&
            same_tag((tl_str){rest.p + i + 2, strlen(name)}, name))
            return i;
    }
    return rest.n;
}

/* At "<": what the tag stands for, and its length with what it hides; 0: it is none. */
static uint64_t take_tag(tlk_buf *out, tl_str rest)
{
    const char *end = memchr(rest.p, '>', (size_t)rest.n);
    bool begins = rest.n > 1 && ((rest.p[1] | 32) >= 'a' && (rest.p[1] | 32) <= 'z');
    if (!end || !(begins || (rest.n > 1 && (rest.p[1] == '/' || rest.p[1] == '!'))))
        return 0;
    uint64_t n = (uint64_t)(end - rest.p) + 1;
    tl_str tag = {rest.p + 1, n - 2};
    for (size_t i = 0; i < TLK_LEN(line_tags); i++) {
        if (same_tag(tag, line_tags[i]))
            tlk_addc(out, '\n');
    }
    for (size_t i = 0; i < TLK_LEN(hidden_tags); i++) {
        if (same_tag(tag, hidden_tags[i]))
            return n + hidden_length((tl_str){rest.p + n, rest.n - n}, hidden_tags[i]);
    }
    return n;
}

tl_str desk_plain_text(tlk_arena *a, tl_str html)
{
    TLK_AUTO_BUF out = {0};
    for (uint64_t at = 0; at < html.n;) {
        tl_str rest = {html.p + at, html.n - at};
        uint64_t n = rest.p[0] == '<' ? take_tag(&out, rest) : rest.p[0] == '&' ? take_entity(&out, rest) : 0;
        if (n == 0) {
            tlk_addc(&out, rest.p[0]);
            n = 1;
        }
        at += n;
    }
    tl_str text = tlk_lent(&out);
    while (text.n > 0 && strchr(" \t\r\n", text.p[text.n - 1]))
        text.n--;
    while (text.n > 0 && strchr(" \t\r\n", text.p[0])) {
        text.p++;
        text.n--;
    }
    return tlk_dup(a, text);
}
