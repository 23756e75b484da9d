/* Templates with names in braces: "{login_url}/services/oauth2/token". */
#include "auth_int.h"

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

int template_fill(const char *template, enum fill_mode mode, fill_lookup_fn lookup, void *ctx, struct buf *out,
                  struct err *e)
{
    for (const char *p = template; *p;) {
        size_t n = hole_begins(p) ? hole_length(p) : 0;
        if (!n) {
            buf_char(out, *p++);
            continue;
        }
        str name = str_n(p + 1, n - 2), value;
        if (!lookup(ctx, name, &value))
            return err_set(e, TL_E_CONFIG, "\"%.*s\" has no value", STR_FMT(name));
        add_value(out, mode, value, p == template);
        p += n;
    }
    return out->full ? err_set(e, TL_E_CONFIG, "a filled template is too long") : TL_OK;
}
