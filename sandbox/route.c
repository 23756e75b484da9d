/* Paths: percent-decoding, patterns with captures, wildcards. Pure. */
#include "server_int.h"

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

str percent_decoded(struct arena *a, str s, bool plus_is_blank)
{
    char *out = arena_alloc(a, s.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        int high = s.p[i] == '%' && i + 2 < s.n ? hex_value(s.p[i + 1]) : -1;
        int low = high >= 0 ? hex_value(s.p[i + 2]) : -1;
        if (low >= 0) {
            out[n++] = (char)(high * 16 + low);
            i += 2;
        } else {
            out[n++] = s.p[i] == '+' && plus_is_blank ? ' ' : s.p[i];
        }
    }
    return (str){out, n};
}

/* Takes one segment off the front of a path that starts with '/'. */
static bool segment_next(str *path, str *out)
{
    if (!path->n || path->p[0] != '/')
        return false;
    const char *begin = path->p + 1;
    const char *slash = memchr(begin, '/', path->n - 1);
    size_t n = slash ? (size_t)(slash - begin) : path->n - 1;
    *out = (str){begin, n};
    *path = (str){begin + n, path->n - 1 - n};
    return true;
}

bool route_fits(const char *pattern, str path, str *captures, unsigned *count)
{
    str rest = str_of(pattern), want, have;
    unsigned n = 0;
    while (rest.n) {
        if (!segment_next(&rest, &want))
            return false;
        bool is_capture = want.n >= 2 && want.p[0] == '{' && want.p[want.n - 1] == '}';
        if (is_capture && want.p[want.n - 2] == '*') {
            if (n < CALL_CAPTURES)
                captures[n++] = path;
            *count = n;
            return true;
        }
        if (!segment_next(&path, &have))
            return false;
        if (is_capture) {
            if (!have.n || n == CALL_CAPTURES)
                return false;
            captures[n++] = have;
        } else if (!str_eq(want, have)) {
            return false;
        }
    }
    *count = n;
    return path.n == 0;
}

bool glob_fits(const char *glob, str text)
{
    const char *star = NULL;
    size_t mark = 0, i = 0;
    while (i < text.n) {
        if (*glob == '*') {
            star = glob++;
            mark = i;
        } else if (*glob && *glob == text.p[i]) {
            glob++;
            i++;
        } else if (star) {
            glob = star + 1;
            i = ++mark;
        } else {
            return false;
        }
    }
    while (*glob == '*')
        glob++;
    return *glob == '\0';
}

static bool method_fits(const char *want, str have)
{
    return strcmp(want, "*") == 0 || str_is(have, want) || (strcmp(want, "GET") == 0 && str_is(have, "HEAD"));
}

const struct route *route_find(const struct route *routes, size_t n, struct call *c, bool *wrong_method_out)
{
    *wrong_method_out = false;
    for (size_t i = 0; i < n; i++) {
        str captures[CALL_CAPTURES];
        unsigned count = 0;
        if (!route_fits(routes[i].pattern, c->path, captures, &count))
            continue;
        if (!method_fits(routes[i].method, c->method)) {
            *wrong_method_out = true;
            continue;
        }
        memcpy(c->capture, captures, sizeof(str) * count);
        c->capture_count = count;
        *wrong_method_out = false;
        return &routes[i];
    }
    return NULL;
}
