/* Templates with names in braces: "{login_url}/services/oauth2/token"; "{user:password}" is the Base64 of both with a
 * colon between [RFC 7617, 2]. */
#include <sodium.h>

#include "auth_int.h"
#include "seal.h"

static bool name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

/* A hole begins with "{" and a letter; JSON's own braces are followed by something else. */
static bool hole_begins(const char *p)
{
    return p[0] == '{' && p[1] >= 'a' && p[1] <= 'z';
}

static size_t hole_length(const char *p)
{
    size_t n = 1;
    while (name_char(p[n]))
        n++;
    if (p[n] == ':' && p[n + 1] >= 'a' && p[n + 1] <= 'z')
        for (n++; name_char(p[n]);)
            n++;
    return p[n] == '}' ? n + 1 : 0;
}

bool template_ok(const char *template)
{
    for (const char *p = template; p && *p; p++) {
        if (hole_begins(p) && !hole_length(p))
            return false;
    }
    return true;
}

static void json_text(struct buf *out, str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c == '"' || c == '\\')
            buf_char(out, '\\');
        if (c < 0x20)
            buf_fmt(out, "\\u%04x", c);
        else
            buf_char(out, (char)c);
    }
}

static void add_value(struct buf *out, enum fill_mode mode, str value, bool at_start)
{
    if (mode == FILL_FORM || (mode == FILL_URL && !at_start))
        buf_url(out, value);
    else if (mode == FILL_JSON)
        json_text(out, value);
    else {
        while (at_start && value.n && value.p[value.n - 1] == '/') /* a base URL: the template brings the slash */
            value.n--;
        buf_str(out, value);
    }
}

/* The value of a hole: of its one name, or the credentials of its two. The second may have no value: some systems take
 * a key as user and no password. */
static bool hole_value(str names, fill_lookup_fn lookup, void *ctx, struct buf *pair, str *out)
{
    str first;
    bool two = memchr(names.p, ':', names.n) != NULL;
    str_split(&names, ':', &first);
    if (!lookup(ctx, first, out) || !two)
        return out->n > 0;
    AUTO(buf_wipe) struct buf plain = {0};
    buf_str(&plain, *out);
    buf_char(&plain, ':');
    if (lookup(ctx, names, out))
        buf_str(&plain, *out);
    size_t cap = sodium_base64_encoded_len(plain.n, sodium_base64_VARIANT_ORIGINAL);
    sodium_bin2base64(buf_room(pair, cap), cap, (const unsigned char *)plain.p, plain.n,
                      sodium_base64_VARIANT_ORIGINAL);
    pair->n = cap - 1; /* without its NUL */
    *out = buf_lent(pair);
    return true;
}

int template_fill(const char *template, enum fill_mode mode, fill_lookup_fn lookup, void *ctx, struct buf *out,
                  struct err *e)
{
    for (const char *p = template; *p;) {
        size_t n = hole_begins(p) ? hole_length(p) : 0;
        if (!n) {
            buf_char(out, *p++);
            continue;
        }
        AUTO(buf_wipe) struct buf pair = {0};
        str name = str_n(p + 1, n - 2), value;
        if (!hole_value(name, lookup, ctx, &pair, &value))
            return err_set(e, TL_E_CONFIG, "\"%.*s\" has no value", STR_FMT(name));
        add_value(out, mode, value, p == template);
        p += n;
    }
    return out->full ? err_set(e, TL_E_CONFIG, "a filled template is too long") : TL_OK;
}
