/* Offsets of time zones, from the system's compiled zone data (TZif, RFC 8536) without the C library's global zone.
 * Read once, when a chain is parsed. Behind the last transition of the file (2037 as Debian builds it) its last offset
 * counts. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "times.h"
#include "transform_int.h"

enum { ZONE_FILE_MAX = 64 << 10, ZONE_NAME_MAX = 64 };

struct zone {
    uint32_t n;
    int64_t first_us; /* offset before the first transition */
    const int64_t *at_us, *offset_us;
};

static uint32_t be32(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int64_t be64(const unsigned char *p)
{
    return (int64_t)((uint64_t)be32(p) << 32 | be32(p + 4));
}

struct tzif {
    uint32_t isut, isstd, leap, time, type, chars;
};

static bool tzif_head(const unsigned char *p, size_t n, struct tzif *h)
{
    if (n < 44 || memcmp(p, "TZif", 4) != 0)
        return false;
    uint32_t *to[] = {&h->isut, &h->isstd, &h->leap, &h->time, &h->type, &h->chars};
    for (int i = 0; i < 6; i++) {
        *to[i] = be32(p + 20 + 4 * i);
        if (*to[i] > ZONE_FILE_MAX)
            return false;
    }
    return h->type > 0;
}

static size_t tzif_bytes(const struct tzif *h, size_t time_bytes)
{
    return h->time * (time_bytes + 1) + h->type * 6 + h->chars + h->leap * (time_bytes + 4) + h->isstd + h->isut;
}

static const struct zone *zone_read(const unsigned char *p, size_t n, struct arena *a)
{
    struct tzif h;
    if (!tzif_head(p, n, &h) || p[4] < '2' || n < 44 + tzif_bytes(&h, 4))
        return NULL;
    size_t skip = 44 + tzif_bytes(&h, 4); /* the first block has 32-bit times: the second one counts */
    p += skip;
    n -= skip;
    if (!tzif_head(p, n, &h) || n < 44 + tzif_bytes(&h, 8))
        return NULL;
    const unsigned char *times = p + 44, *kinds = times + 8 * (size_t)h.time, *types = kinds + h.time;
    struct zone *z = arena_new(a, struct zone);
    int64_t *at = arena_array(a, int64_t, h.time + 1), *offset = arena_array(a, int64_t, h.time + 1);
    z->first_us = (int64_t)(int32_t)be32(types) * US_PER_S;
    for (uint32_t i = 0; i < h.time; i++) {
        if (kinds[i] >= h.type)
            return NULL;
        int64_t s = be64(times + 8 * (size_t)i);
        at[i] = s > INT64_MAX / US_PER_S || s < INT64_MIN / US_PER_S ? INT64_MIN : s * US_PER_S;
        offset[i] = (int64_t)(int32_t)be32(types + 6 * (size_t)kinds[i]) * US_PER_S;
    }
    z->n = h.time;
    z->at_us = at;
    z->offset_us = offset;
    return z;
}

static bool name_is_plain(str name)
{
    if (name.n == 0 || name.n > ZONE_NAME_MAX || name.p[0] == '/')
        return false;
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
                     c == '-' || c == '+' || c == '/';
        if (!plain)
            return false;
    }
    return true;
}

static const struct zone *zone_fixed(str name, struct arena *a)
{
    AUTO(buf_done) struct buf text = {0};
    int64_t us = 0;
    buf_fmt(&text, "1970-01-02T00:00:00%.*s", STR_FMT(name));
    if (!time_parse(buf_lent(&text), &us))
        return NULL;
    struct zone *z = arena_new(a, struct zone);
    z->first_us = US_PER_DAY - us;
    return z;
}

const struct zone *zone_open(str name, struct arena *a)
{
    if (str_is(name, "UTC"))
        return arena_new(a, struct zone);
    if (name.n && (name.p[0] == '+' || name.p[0] == '-'))
        return zone_fixed(name, a);
    if (!name_is_plain(name))
        return NULL;
    char path[96];
    snprintf(path, sizeof path, "/usr/share/zoneinfo/%.*s", STR_FMT(name));
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    unsigned char *bytes = arena_alloc(a, ZONE_FILE_MAX);
    ssize_t n = read(fd, bytes, ZONE_FILE_MAX);
    close(fd);
    return n > 0 ? zone_read(bytes, (size_t)n, a) : NULL;
}

int64_t zone_offset_us(const struct zone *z, int64_t utc_us)
{
    uint32_t low = 0, high = z->n;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (z->at_us[mid] <= utc_us)
            low = mid + 1;
        else
            high = mid;
    }
    return low ? z->offset_us[low - 1] : z->first_us;
}

/* An hour that comes twice is the first one; one that is left out is moved on by what was left out. */
int64_t zone_to_utc(const struct zone *z, int64_t local_us)
{
    int64_t before = zone_offset_us(z, local_us - US_PER_DAY), after = zone_offset_us(z, local_us + US_PER_DAY);
    if (zone_offset_us(z, local_us - before) == before)
        return local_us - before;
    if (zone_offset_us(z, local_us - after) == after)
        return local_us - after;
    return local_us - before;
}
