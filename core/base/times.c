#include "times.h"

/* Civil dates by era of 400 years (H. Hinnant, "chrono-compatible low-level date algorithms"). */
static int64_t days_from_civil(int64_t y, int m, int d)
{
    y -= m <= 2;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t yoe = y - era * 400;
    int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return era * 146097 + doe - 719468;
}

static void civil_from_days(int64_t days, int64_t *y_out, int *m_out, int *d_out)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t doe = days - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    *d_out = (int)(doy - (153 * mp + 2) / 5 + 1);
    *m_out = (int)(mp < 10 ? mp + 3 : mp - 9);
    *y_out = yoe + era * 400 + (*m_out <= 2);
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static int month_days(int64_t y, int m)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
    return days[m - 1] + (m == 2 && leap);
}

bool date_from_civil(int64_t year, int month, int day, int64_t *days_out)
{
    if (year < -9999 || year > 9999 || month < 1 || month > 12 || day < 1 || day > month_days(year, month))
        return false;
    *days_out = days_from_civil(year, month, day);
    return true;
}

void date_to_civil(int64_t days, int64_t *year_out, int *month_out, int *day_out)
{
    civil_from_days(days, year_out, month_out, day_out);
}

struct scan {
    const char *p, *end;
};

static bool scan_char(struct scan *in, const char *any_of)
{
    if (in->p == in->end || !*in->p || !strchr(any_of, *in->p))
        return false;
    in->p++;
    return true;
}

/* Exactly `width` digits between least and most. */
static bool scan_int(struct scan *in, int width, int least, int most, int *out)
{
    int v = 0;
    if (in->end - in->p < width)
        return false;
    for (int i = 0; i < width; i++) {
        int digit = in->p[i] - '0';
        if (digit < 0 || digit > 9)
            return false;
        v = v * 10 + digit;
    }
    if (v < least || v > most)
        return false;
    in->p += width;
    *out = v;
    return true;
}

static bool scan_date(struct scan *in, int64_t *days_out)
{
    int y, m, d;
    if (!scan_int(in, 4, 0, 9999, &y) || !scan_char(in, "-") || !scan_int(in, 2, 1, 12, &m) || !scan_char(in, "-") ||
        !scan_int(in, 2, 1, month_days(y, m), &d))
        return false;
    *days_out = days_from_civil(y, m, d);
    return true;
}

/* "10:00:60" is a leap second and counts as the first second of the next minute, as POSIX time has it. */
static bool scan_clock(struct scan *in, int64_t *us_out)
{
    int h, m, s;
    if (!scan_int(in, 2, 0, 23, &h) || !scan_char(in, ":") || !scan_int(in, 2, 0, 59, &m) || !scan_char(in, ":") ||
        !scan_int(in, 2, 0, 60, &s))
        return false;
    *us_out = ((int64_t)h * 3600 + m * 60 + s) * US_PER_S;
    return true;
}

/* ".5", ".123456789": what is finer than a microsecond is cut. */
static bool scan_fraction(struct scan *in, int64_t *us_out)
{
    int64_t us = 0, unit = US_PER_S / 10;
    int digit, n = 0;
    *us_out = 0;
    if (!scan_char(in, ".,"))
        return true;
    for (; scan_int(in, 1, 0, 9, &digit); n++) {
        us += digit * unit;
        unit /= 10;
    }
    *us_out = us;
    return n > 0;
}

static bool scan_zone(struct scan *in, int64_t *us_out)
{
    *us_out = 0;
    if (scan_char(in, "Zz"))
        return true;
    int sign = scan_char(in, "+") ? 1 : scan_char(in, "-") ? -1 : 0;
    int h, m;
    if (!sign || !scan_int(in, 2, 0, 23, &h))
        return false;
    scan_char(in, ":");
    if (!scan_int(in, 2, 0, 59, &m))
        return false;
    *us_out = sign * ((int64_t)h * 60 + m) * 60 * US_PER_S;
    return true;
}

bool time_parse(str s, int64_t *us_out)
{
    struct scan in = {s.p, s.p + s.n};
    int64_t days, clock, fraction, zone;
    if (s.n == 0 || !scan_date(&in, &days) || !scan_char(&in, "Tt ") || !scan_clock(&in, &clock) ||
        !scan_fraction(&in, &fraction) || !scan_zone(&in, &zone) || in.p != in.end)
        return false;
    *us_out = days * US_PER_DAY + clock + fraction - zone;
    return true;
}

bool date_parse(str s, int64_t *days_out)
{
    struct scan in = {s.p, s.p + s.n};
    int64_t days;
    if (s.n == 0 || !scan_date(&in, &days) || in.p != in.end)
        return false;
    *days_out = days;
    return true;
}

/* Digits of v >= 0 with leading zeros up to width, then the character after; returns the end. */
static char *put_int(char *to, int width, int64_t v, char after)
{
    char digits[20];
    int n = 0;
    for (; v > 0 || n < width; v /= 10)
        digits[n++] = (char)('0' + v % 10);
    while (n > 0)
        *to++ = digits[--n];
    *to++ = after;
    return to;
}

static char *put_date(char *to, int64_t days, char after)
{
    const int64_t most = INT64_MAX / US_PER_DAY; /* dates beyond what a time can hold are shown as the last one */
    int64_t y;
    int m, d;
    civil_from_days(days > most ? most : days < -most - 1 ? -most - 1 : days, &y, &m, &d);
    if (y < 0)
        *to++ = '-';
    to = put_int(to, 4, y < 0 ? -y : y, '-');
    to = put_int(to, 2, m, '-');
    return put_int(to, 2, d, after);
}

char *time_text(char out[32], int64_t us)
{
    int64_t days = floor_div(us, US_PER_DAY);
    int64_t ms = floor_div(us, US_PER_MS) - days * 86400000;
    char *to = put_date(out, days, 'T');
    to = put_int(to, 2, ms / 3600000, ':');
    to = put_int(to, 2, ms / 60000 % 60, ':');
    to = put_int(to, 2, ms / 1000 % 60, '.');
    to = put_int(to, 3, ms % 1000, 'Z');
    *to = 0;
    return out;
}

void time_format(struct buf *b, int64_t us)
{
    char text[32];
    buf_text_add(b, time_text(text, us));
}

void date_format(struct buf *b, int64_t days)
{
    char text[32];
    buf_add(b, text, (size_t)(put_date(text, days, 0) - text) - 1);
}

static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
static const char weekdays[] = "SunMonTueWedThuFriSat";

/* Position of a three-letter name in a table of them, or -1. */
static int scan_name(struct scan *in, const char *table)
{
    for (int i = 0; in->end - in->p >= 3 && table[i * 3]; i++) {
        if (memcmp(in->p, table + i * 3, 3) == 0) {
            in->p += 3;
            return i;
        }
    }
    return -1;
}

/* IMF-fixdate of RFC 9110, section 5.6.7; the two obsolete forms are not sent by any server we meet. */
bool http_date_parse(str s, int64_t *us_out)
{
    struct scan in = {s.p, s.p + s.n};
    int d, y, month;
    int64_t clock;
    if (s.n == 0 || scan_name(&in, weekdays) < 0 || !scan_char(&in, ",") || !scan_char(&in, " ") ||
        !scan_int(&in, 2, 1, 31, &d) || !scan_char(&in, " ") || (month = scan_name(&in, months)) < 0 ||
        !scan_char(&in, " ") || !scan_int(&in, 4, 0, 9999, &y) || !scan_char(&in, " ") || !scan_clock(&in, &clock))
        return false;
    if (d > month_days(y, month + 1) || !str_is(str_n(in.p, (size_t)(in.end - in.p)), " GMT"))
        return false;
    *us_out = days_from_civil(y, month + 1, d) * US_PER_DAY + clock;
    return true;
}

void http_date_format(struct buf *b, int64_t us)
{
    int64_t days = floor_div(us, US_PER_DAY), y;
    int64_t weekday = (days % 7 + 7 + 4) % 7; /* 1970-01-01 was a Thursday */
    int m, d, s = (int)(floor_div(us, US_PER_S) - days * 86400);
    civil_from_days(days, &y, &m, &d);
    buf_fmt(b, "%.3s, %02d %.3s %04lld %02d:%02d:%02d GMT", weekdays + weekday * 3, d, months + (m - 1) * 3,
            (long long)y, s / 3600, s / 60 % 60, s % 60);
}

static const struct unit {
    const char *name;
    int64_t us;
} units[] = {
    {"d", US_PER_DAY}, {"h", 3600 * US_PER_S}, {"m", 60 * US_PER_S}, {"s", US_PER_S}, {"ms", US_PER_MS}, {"us", 1},
};

bool duration_parse(str s, int64_t *us_out)
{
    s = str_trim(s);
    size_t digits = 0;
    while (digits < s.n && s.p[digits] >= '0' && s.p[digits] <= '9')
        digits++;
    int64_t n, us, unit = 0;
    str name = str_trim(str_n(s.p + digits, s.n - digits));
    if (digits == 0 || !str_to_i64(str_n(s.p, digits), &n))
        return false;
    if (name.n == 0)
        unit = US_PER_S;
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        if (str_is(name, units[i].name))
            unit = units[i].us;
    }
    if (str_is(name, "w"))
        unit = 7 * US_PER_DAY;
    if (unit == 0 || __builtin_mul_overflow(n, unit, &us))
        return false;
    *us_out = us;
    return true;
}

void duration_format(struct buf *b, int64_t us)
{
    size_t i = 0;
    while (us % units[i].us)
        i++;
    if (us == 0)
        buf_text_add(b, "0s");
    else
        buf_fmt(b, "%lld%s", (long long)(us / units[i].us), units[i].name);
}
