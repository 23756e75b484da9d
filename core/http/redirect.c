#include "redirect.h"

#include <stdio.h>
#include <string.h>

#include "unicode.h"

static bool is_plain_ascii(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] <= ' ' || (unsigned char)s.p[i] >= 0x7f)
            return false;
    return true;
}

bool redirect_is_address(str text)
{
    text = str_trim(text);
    return str_starts(text, STR("http://")) || str_starts(text, STR("https://"));
}

/* ---- as registered ---- */

static bool is_loopback(const char *host)
{
    static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcmp(host, names[i]) == 0)
            return true;
    return false;
}

/* "localhost:8447" into host and port; an IPv6 address stands in brackets. */
static bool read_authority(struct redirect_uri *out, str authority, int default_port)
{
    if (!authority.n || authority.n >= sizeof out->authority || memchr(authority.p, '@', authority.n))
        return false;
    size_t end = 0;
    if (authority.p[0] == '[') {
        while (end < authority.n && authority.p[end] != ']')
            end++;
        end++;
    } else {
        while (end < authority.n && authority.p[end] != ':')
            end++;
    }
    int64_t port = default_port;
    if (end > authority.n || end >= sizeof out->host || end == 0)
        return false;
    if (end < authority.n &&
        (authority.p[end] != ':' || !str_to_i64(str_n(authority.p + end + 1, authority.n - end - 1), &port)))
        return false;
    if (port < 1 || port > 65535)
        return false;
    snprintf(out->host, sizeof out->host, "%.*s", (int)end, authority.p);
    snprintf(out->authority, sizeof out->authority, "%.*s", STR_FMT(authority));
    out->port = (int)port;
    return true;
}

int redirect_uri_read(struct redirect_uri *out, const char *uri, struct err *e)
{
    struct redirect_uri u = {.path = "/"};
    str all = str_of(uri), rest = all;
    bool https = str_starts(all, STR("https://"));
    bool good = (https || str_starts(all, STR("http://"))) && all.n < REDIRECT_MAX / 4 && is_plain_ascii(all) &&
                !strpbrk(uri, "?#\\");
    if (good) {
        rest = str_n(all.p + (https ? 8 : 7), all.n - (https ? 8 : 7));
        const char *slash = memchr(rest.p, '/', rest.n);
        u.path = slash ? slash : "/";
        good = read_authority(&u, str_n(rest.p, slash ? (size_t)(slash - rest.p) : rest.n), https ? 443 : 80);
    }
    u.loopback = good && !https && is_loopback(u.host);
    if (good && (https || u.loopback)) {
        *out = u;
        return TL_OK;
    }
    err_set(e, TL_E_CONFIG, "\"%.200s\" is no address a vendor may send a sign-in back to", uri ? uri : "");
    err_hint(e, "http://localhost:PORT/PATH on this machine, or an https address; without query and fragment");
    return TL_E_CONFIG;
}

/* ---- as it comes ---- */

/* False for a broken escape, text that is not UTF-8, and control characters. */
static bool decode(struct arena *a, str s, str *out)
{
    char *p = arena_alloc(a, s.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        int c = (unsigned char)s.p[i];
        if (c == '+') {
            c = ' ';
        } else if (c == '%') {
            c = str_percent_byte(str_n(s.p + i, s.n - i));
            i += 2;
        }
        if (c < ' ' || c == 0x7f)
            return false;
        p[n++] = (char)c;
    }
    p[n] = '\0';
    *out = str_n(p, n);
    return utf8_valid(*out);
}

enum found { FOUND_NOT, FOUND_ONCE, FOUND_BAD };

static enum found find_param(struct arena *a, str query, str name, str *out)
{
    str one;
    enum found found = FOUND_NOT;
    while (str_split(&query, '&', &one)) {
        const char *equals = one.n ? memchr(one.p, '=', one.n) : NULL;
        str key = equals ? str_n(one.p, (size_t)(equals - one.p)) : one, value = {NULL, 0};
        if (!decode(a, key, &key))
            return FOUND_BAD;
        if (!str_eq(key, name))
            continue;
        if (found == FOUND_ONCE || !equals ||
            !decode(a, str_n(equals + 1, one.n - (size_t)(equals + 1 - one.p)), &value))
            return FOUND_BAD; /* RFC 6749, 3.1: no parameter more than once */
        *out = value;
        found = FOUND_ONCE;
    }
    return found;
}

bool redirect_param(struct arena *a, str query, str name, str *out)
{
    return find_param(a, query, name, out) == FOUND_ONCE;
}

static int not_whole(struct err *e, const char *why)
{
    err_set(e, TL_E_INVALID, "the address is no answer of a sign-in: %s", why);
    err_hint(e, "copy the whole address at which the browser ended, with everything behind the \"?\"");
    return TL_E_INVALID;
}

int redirect_read(struct redirect *out, struct arena *a, str address, struct err *e)
{
    struct redirect r = {.base = str_trim(address)};
    if (r.base.n > REDIRECT_MAX || !is_plain_ascii(r.base))
        return not_whole(e, "it is too long, or has characters that no address has");
    const char *mark = r.base.n ? memchr(r.base.p, '?', r.base.n) : NULL;
    if (!mark)
        return not_whole(e, "it has no \"?\"");
    r.query = str_n(mark + 1, r.base.n - (size_t)(mark + 1 - r.base.p));
    r.base.n = (size_t)(mark - r.base.p);
    const char *fragment = r.query.n ? memchr(r.query.p, '#', r.query.n) : NULL;
    if (fragment)
        r.query.n = (size_t)(fragment - r.query.p);
    const struct {
        str name;
        str *value;
    } known[] = {{STR("state"), &r.state},
                 {STR("code"), &r.code},
                 {STR("error"), &r.error},
                 {STR("error_description"), &r.words}};
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (find_param(a, r.query, known[i].name, known[i].value) == FOUND_BAD)
            return not_whole(e, "a parameter stands there twice or cannot be read");
    if (!r.state.n)
        return not_whole(e, "it has no state");
    if (!r.code.n == !r.error.n)
        return not_whole(e, "it has neither a code nor an error, or both");
    *out = r;
    return TL_OK;
}
