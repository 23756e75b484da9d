/* The request guard: see guard.h. */
#include "guard.h"

#include <ctype.h>

enum { GUARD_MAX_HEADERS = 100, GUARD_MAX_VALUE = 8192 };

/* token of RFC 9110 section 5.6.2 */
static bool is_token(str s)
{
    if (s.n == 0)
        return false;
    for (uint64_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (!isalnum(c) && !strchr("!#$%&'*+-.^_`|~", c))
            return false;
        if (c == 0)
            return false;
    }
    return true;
}

static bool has_control(str s)
{
    for (uint64_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return true;
    }
    return false;
}

static bool all_digits(str s)
{
    for (uint64_t i = 0; i < s.n; i++)
        if (!isdigit((unsigned char)s.p[i]))
            return false;
    return s.n > 0 && s.n < 19;
}

const char *guard_check(str method, str version, const struct guard_header *headers, size_t n)
{
    if (!is_token(method))
        return "method is not a token";
    if (!str_is(version, "HTTP/1.1") && !str_is(version, "HTTP/1.0"))
        return "HTTP version is not 1.0 or 1.1";
    if (n > GUARD_MAX_HEADERS)
        return "too many headers";
    int hosts = 0, lengths = 0, encodings = 0;
    for (size_t i = 0; i < n; i++) {
        if (!is_token(headers[i].name))
            return "header name is not a token";
        if (has_control(headers[i].value))
            return "control byte in a header";
        if (headers[i].value.n > GUARD_MAX_VALUE)
            return "header is too long";
        if (str_eq_nocase(headers[i].name, STR("host"))) {
            hosts++;
        } else if (str_eq_nocase(headers[i].name, STR("content-length"))) {
            lengths++;
            if (!all_digits(headers[i].value))
                return "content-length is not a number";
        } else if (str_eq_nocase(headers[i].name, STR("transfer-encoding"))) {
            encodings++;
            if (!str_eq_nocase(headers[i].value, STR("chunked")))
                return "transfer-encoding is not chunked";
        }
    }
    if (hosts != 1)
        return hosts ? "more than one host header" : "no host header";
    if (lengths > 1 || encodings > 1 || lengths + encodings > 1)
        return "more than one length of the body";
    return NULL;
}
