/* See quiet.h. */
#include "quiet.h"

#include "times.h"
#include "transform_int.h"

enum { DAY_MINUTES = 24 * 60 };
#define MINUTE_US (60 * US_PER_S)

/* "08:30" */
static bool clock_parse(str s, int *out)
{
    if (s.n != 5 || s.p[2] != ':')
        return false;
    for (int i = 0; i < 5; i++)
        if (i != 2 && (s.p[i] < '0' || s.p[i] > '9'))
            return false;
    int hours = (s.p[0] - '0') * 10 + s.p[1] - '0', minutes = (s.p[3] - '0') * 10 + s.p[4] - '0';
    if (hours > 24 || minutes > 59 || (hours == 24 && minutes > 0))
        return false;
    *out = (hours * 60 + minutes) % DAY_MINUTES;
    return true;
}

static int refused(str text, const char *why, struct err *e)
{
    err_set(e, E_USAGE, "quiet_hours = %.*s: %s", STR_FMT(text), why);
    err_hint(e, "write it as 08:00-18:00 America/Sao_Paulo, or off");
    return E_USAGE;
}

int quiet_parse(str text, struct arena *a, struct quiet_hours *out, struct err *e)
{
    struct quiet_hours q = {.set = true};
    str rest = str_trim(text), range, from;
    if (rest.n == 0 || str_is(rest, "off")) {
        *out = (struct quiet_hours){0};
        return TL_OK;
    }
    if (!str_split(&rest, ' ', &range) || !str_split(&range, '-', &from) || !clock_parse(from, &q.from_min) ||
        !clock_parse(range, &q.to_min))
        return refused(text, "must be a range of hours", e);
    str zone = str_trim(rest);
    q.zone = zone_open(zone.n ? zone : STR("UTC"), a);
    if (!q.zone)
        return refused(text, "this system does not know the time zone", e);
    *out = q;
    return TL_OK;
}

static int64_t local_us(const struct quiet_hours *q, int64_t utc_us)
{
    return utc_us + zone_offset_us(q->zone, utc_us);
}

static int64_t into_day_us(int64_t local)
{
    int64_t in = local % US_PER_DAY;
    return in < 0 ? in + US_PER_DAY : in;
}

bool quiet_now(const struct quiet_hours *q, int64_t utc_us)
{
    if (!q->set)
        return false;
    int64_t now = into_day_us(local_us(q, utc_us)), from = q->from_min * MINUTE_US, to = q->to_min * MINUTE_US;
    return from < to ? now >= from && now < to : now >= from || now < to;
}

int64_t quiet_end_us(const struct quiet_hours *q, int64_t utc_us)
{
    if (!quiet_now(q, utc_us))
        return utc_us;
    int64_t local = local_us(q, utc_us), day = local - into_day_us(local), end = day + q->to_min * MINUTE_US;
    return zone_to_utc(q->zone, end > local ? end : end + US_PER_DAY);
}
