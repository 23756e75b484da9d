/* SPDX-License-Identifier: MIT-0 */
#include "kit/time.h"

#include <stdio.h>

static const int64_t US_PER_DAY = INT64_C(86400) * TLK_US_PER_S;

/* Days since 1970-01-01 of a proleptic Gregorian date, and back, by counting years that begin in March. */
static int64_t days_of(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t of_era = year - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static void date_of(int64_t days, int64_t *year, int *month, int *day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t of_era = days - era * 146097;
    int64_t y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * y + y / 4 - y / 100);
    int64_t mp = (5 * of_year + 2) / 153;
    *day = (int)(of_year - (153 * mp + 2) / 5 + 1);
    *month = (int)(mp < 10 ? mp + 3 : mp - 9);
    *year = y + era * 400 + (*month <= 2);
}

static int64_t clamp_days(int64_t days)
{
    const int64_t first = days_of(0, 1, 1), last = days_of(9999, 12, 31);
    return days < first ? first : days > last ? last : days;
}

char *tlk_date_text(char out[16], int64_t days)
{
    int64_t year = 0;
    int month, day;
    date_of(clamp_days(days), &year, &month, &day);
    snprintf(out, 16, "%04u-%02u-%02u", (unsigned)year % 10000u, (unsigned)month % 100u, (unsigned)day % 100u);
    return out;
}

char *tlk_time_text(char out[32], int64_t us)
{
    int64_t days = us / US_PER_DAY, rest = us % US_PER_DAY;
    if (rest < 0) {
        rest += US_PER_DAY;
        days--;
    }
    char date[16];
    tlk_date_text(date, days);
    int ms = (int)(rest / TLK_US_PER_MS);
    snprintf(out, 32, "%sT%02d:%02d:%02d.%03dZ", date, ms / 3600000, ms / 60000 % 60, ms / 1000 % 60, ms % 1000);
    return out;
}

/* n digits at *p as a number; false when there are fewer. */
static bool digits(const char **p, const char *end, int n, int *out)
{
    if (end - *p < n)
        return false;
    int v = 0;
    for (int i = 0; i < n; i++) {
        char c = (*p)[i];
        if (c < '0' || c > '9')
            return false;
        v = v * 10 + (c - '0');
    }
    *p += n;
    *out = v;
    return true;
}

static bool literal(const char **p, const char *end, char c)
{
    if (*p >= end || **p != c)
        return false;
    (*p)++;
    return true;
}

static bool date_part(const char **p, const char *end, int64_t *days)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int y, m, d;
    if (!digits(p, end, 4, &y) || !literal(p, end, '-') || !digits(p, end, 2, &m) || !literal(p, end, '-') ||
        !digits(p, end, 2, &d))
        return false;
    if (m < 1 || m > 12 || d < 1)
        return false;
    bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
    if (d > lengths[m - 1] + (m == 2 && leap))
        return false;
    *days = days_of(y, m, d);
    return true;
}

static bool fraction_part(const char **p, const char *end, int64_t *us)
{
    if (!literal(p, end, '.') && !literal(p, end, ','))
        return true;
    int64_t scale = TLK_US_PER_S;
    const char *from = *p;
    for (; *p < end && **p >= '0' && **p <= '9'; (*p)++) {
        scale /= 10;
        *us += (**p - '0') * scale;
    }
    return *p > from;
}

/* "Z", "+0100", "+01:00", "+01" or nothing; *us is what to subtract. */
static bool zone_part(const char **p, const char *end, int64_t *us)
{
    *us = 0;
    if (*p == end || literal(p, end, 'Z') || literal(p, end, 'z'))
        return true;
    int sign = literal(p, end, '+') ? 1 : literal(p, end, '-') ? -1 : 0, h, m = 0;
    if (sign == 0 || !digits(p, end, 2, &h))
        return false;
    if (*p < end) {
        literal(p, end, ':');
        if (!digits(p, end, 2, &m))
            return false;
    }
    if (h > 23 || m > 59)
        return false;
    *us = sign * (INT64_C(3600) * h + INT64_C(60) * m) * TLK_US_PER_S;
    return true;
}

bool tlk_time_parse(tl_str s, int64_t *us_out)
{
    if (s.n == 0)
        return false;
    const char *p = s.p, *end = s.p + s.n;
    int64_t days, us = 0, zone;
    int h, m, sec = 0;
    if (!date_part(&p, end, &days) || !(literal(&p, end, 'T') || literal(&p, end, 't') || literal(&p, end, ' ')))
        return false;
    if (!digits(&p, end, 2, &h) || !literal(&p, end, ':') || !digits(&p, end, 2, &m))
        return false;
    if (literal(&p, end, ':') && (!digits(&p, end, 2, &sec) || !fraction_part(&p, end, &us)))
        return false;
    if (!zone_part(&p, end, &zone) || p != end || h > 23 || m > 59 || sec > 60)
        return false;
    *us_out = days * US_PER_DAY + (INT64_C(3600) * h + INT64_C(60) * m + sec) * TLK_US_PER_S + us - zone;
    return true;
}

bool tlk_date_parse(tl_str s, int64_t *days_out)
{
    if (s.n < 10)
        return false;
    const char *p = s.p, *end = s.p + s.n;
    int64_t days, us;
    if (!date_part(&p, end, &days))
        return false;
    if (p != end && !tlk_time_parse(s, &us))
        return false;
    *days_out = days;
    return true;
}

bool tlk_http_date_parse(tl_str s, int64_t *us_out)
{
    /* "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, 5.6.7): the one form that is sent today. */
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    if (s.n != 29 || memcmp(s.p + 25, " GMT", 4) != 0 || s.p[3] != ',' || s.p[4] != ' ')
        return false;
    const char *p = s.p + 5, *end = s.p + s.n;
    int d, y, h, m, sec, month = 0;
    if (!digits(&p, end, 2, &d) || !literal(&p, end, ' '))
        return false;
    while (month < 12 && memcmp(months + 3 * month, p, 3) != 0)
        month++;
    p += 3;
    if (month == 12 || !literal(&p, end, ' ') || !digits(&p, end, 4, &y) || !literal(&p, end, ' '))
        return false;
    if (!digits(&p, end, 2, &h) || !literal(&p, end, ':') || !digits(&p, end, 2, &m) || !literal(&p, end, ':') ||
        !digits(&p, end, 2, &sec))
        return false;
    *us_out = days_of(y, month + 1, d) * US_PER_DAY + (INT64_C(3600) * h + INT64_C(60) * m + sec) * TLK_US_PER_S;
    return true;
}
