/* Text as the vendor compares it: without case, by code point. */
#include <utf8proc.h>

#include "salesforce_store.h"

static int32_t next_folded(const char **p, const char *end)
{
    unsigned char c = (unsigned char)**p;
    if (c < 0x80) {
        (*p)++;
        return c >= 'A' && c <= 'Z' ? c + 32 : c;
    }
    utf8proc_int32_t point = 0;
    utf8proc_ssize_t used = utf8proc_iterate((const utf8proc_uint8_t *)*p, end - *p, &point);
    if (used <= 0) {
        (*p)++;
        return c;
    }
    *p += used;
    return utf8proc_tolower(point);
}

int sf_text_compare(str a, str b)
{
    const char *p = a.p, *p_end = a.p + a.n, *q = b.p, *q_end = b.p + b.n;
    while (p < p_end && q < q_end) {
        int32_t x = next_folded(&p, p_end), y = next_folded(&q, q_end);
        if (x != y)
            return x < y ? -1 : 1;
    }
    return p < p_end ? 1 : q < q_end ? -1 : 0;
}

uint32_t sf_text_hash(str s)
{
    uint32_t h = 2166136261u;
    for (const char *p = s.p, *end = s.p + s.n; p < end;)
        h = (h ^ (uint32_t)next_folded(&p, end)) * 16777619u;
    h ^= h >> 16;
    h *= 0x7feb352du;
    return h ^ (h >> 15);
}

/* Greedy match with one point of return: a later '%' makes an earlier one's choice final. */
bool sf_text_like(str text, str pattern, const bool *literal)
{
    const char *t = text.p, *t_end = text.p + text.n, *p = pattern.p, *p_end = pattern.p + pattern.n;
    const char *star = NULL, *retry = NULL;
    while (t < t_end) {
        bool wild = p < p_end && !(literal && literal[p - pattern.p]);
        if (wild && *p == '%') {
            star = ++p;
            retry = t;
            continue;
        }
        const char *t_next = t, *p_next = p;
        int32_t have = next_folded(&t_next, t_end);
        if (p < p_end && ((wild && *p == '_' && ++p_next) || next_folded(&p_next, p_end) == have)) {
            t = t_next;
            p = p_next;
            continue;
        }
        if (!star)
            return false;
        (void)next_folded(&retry, t_end);
        t = retry;
        p = star;
    }
    while (p < p_end && *p == '%' && !(literal && literal[p - pattern.p]))
        p++;
    return p == p_end;
}
