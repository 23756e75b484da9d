/* Functions over dates and times: date_parse, date_format, date_shift. English and without locale. */
#include "times.h"
#include "transform_int.h"
#include "unicode.h"

static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

struct layout {
    str format;
    bool has_clock, has_zone; /* %H %M %S %f; %z */
    const struct zone *zone;
};

static bool layout_compile(struct parse *p, struct step *s)
{
    if (!arg_is_text(p, s, 0) || (s->n_args > 1 && !arg_is_text(p, s, 1)))
        return false;
    struct layout *l = arena_new(p->a, struct layout);
    l->format = s->args[0].text;
    bool year = false, month = false, day = false;
    for (size_t i = 0; i < l->format.n; i++) {
        if (l->format.p[i] != '%')
            continue;
        char c = i + 1 < l->format.n ? l->format.p[++i] : 0;
        year |= c == 'Y' || c == 'y';
        month |= c == 'm' || c == 'b';
        day |= c == 'd';
        l->has_clock |= c && strchr("HMSfIp", c);
        l->has_zone |= c == 'z';
        if (!c || !strchr("YymbdHMSfzIp%", c))
            return arg_wrong(p, s, s->args[0].column,
                             "%Y %y year, %m %b month, %d day, %H %M %S clock, %I %p with am and pm, %f fraction, %z "
                             "offset",
                             "\"%%%c\" is no part of a date", c ? c : ' ');
    }
    if (!year || !month || !day)
        return arg_wrong(p, s, s->args[0].column, "for example %d.%m.%Y", "a date needs year, month and day");
    l->zone = zone_open(s->n_args > 1 ? s->args[1].text : STR("UTC"), p->a);
    if (!l->zone)
        return arg_wrong(p, s, s->args[1].column, "for example Europe/Berlin, America/Sao_Paulo, UTC or +03:00",
                         "\"%.*s\" is no time zone", STR_FMT(s->args[1].text));
    s->compiled = l;
    return true;
}

struct moment {
    int64_t year, days;
    int month, day, hour, minute, second;
    int64_t fraction_us, offset_us;
    bool pm, twelve;
};

/* Up to `most` digits. */
static bool digits(str *in, int most, int64_t *out)
{
    int n = 0;
    for (*out = 0; n < most && in->n && in->p[0] >= '0' && in->p[0] <= '9'; n++) {
        *out = *out * 10 + (in->p[0] - '0');
        *in = str_n(in->p + 1, in->n - 1);
    }
    return n > 0;
}

static bool read_offset(str *in, int64_t *out)
{
    if (in->n && (in->p[0] == 'Z' || in->p[0] == 'z')) {
        *in = str_n(in->p + 1, in->n - 1);
        *out = 0;
        return true;
    }
    int64_t sign = in->n && in->p[0] == '+' ? 1 : in->n && in->p[0] == '-' ? -1 : 0, h = 0, m = 0;
    if (!sign)
        return false;
    *in = str_n(in->p + 1, in->n - 1);
    if (!digits(in, 2, &h))
        return false;
    if (in->n && in->p[0] == ':')
        *in = str_n(in->p + 1, in->n - 1);
    if (!digits(in, 2, &m) || h > 15 || m > 59)
        return false;
    *out = sign * (h * 60 + m) * 60 * US_PER_S;
    return true;
}

static bool read_fraction(str *in, int64_t *out)
{
    int64_t unit = US_PER_S / 10;
    size_t n = 0;
    for (*out = 0; in->n && in->p[0] >= '0' && in->p[0] <= '9'; n++) {
        *out += (in->p[0] - '0') * unit;
        unit /= 10;
        *in = str_n(in->p + 1, in->n - 1);
    }
    return n > 0;
}

static bool read_month(str *in, int *out)
{
    for (int i = 0; i < 12; i++)
        if (in->n >= 3 && str_eq_nocase(str_n(in->p, 3), str_of(months[i]))) {
            *out = i + 1;
            *in = str_n(in->p + 3, in->n - 3);
            return true;
        }
    return false;
}

static bool read_part(char part, str *in, struct moment *m)
{
    int64_t n = 0;
    switch (part) {
    case 'Y':
        return digits(in, 4, &m->year);
    case 'y':
        if (!digits(in, 2, &n))
            return false;
        m->year = n + (n < 69 ? 2000 : 1900); /* POSIX: 69 to 99 are 1969 to 1999 */
        return true;
    case 'b':
        return read_month(in, &m->month);
    case 'z':
        return read_offset(in, &m->offset_us);
    case 'f':
        return read_fraction(in, &m->fraction_us);
    case 'p':
        m->twelve = true;
        m->pm = in->n >= 2 && (in->p[0] | 32) == 'p';
        if (in->n < 2 || ((in->p[0] | 32) != 'p' && (in->p[0] | 32) != 'a') || (in->p[1] | 32) != 'm')
            return false;
        *in = str_n(in->p + 2, in->n - 2);
        return true;
    default:
        if (!digits(in, 2, &n))
            return false;
        *(part == 'm'                  ? &m->month
          : part == 'd'                ? &m->day
          : part == 'H' || part == 'I' ? &m->hour
          : part == 'M'                ? &m->minute
                                       : &m->second) = (int)n;
        return true;
    }
}

static bool moment_read(const struct layout *l, str in, struct moment *m)
{
    *m = (struct moment){0};
    for (size_t i = 0; i < l->format.n; i++) {
        char c = l->format.p[i];
        if (c == '%' && l->format.p[++i] != '%') {
            if (!read_part(l->format.p[i], &in, m))
                return false;
            continue;
        }
        if (in.n == 0 || in.p[0] != c)
            return false;
        in = str_n(in.p + 1, in.n - 1);
    }
    if (m->twelve && (m->hour < 1 || m->hour > 12))
        return false;
    if (m->twelve)
        m->hour = m->hour % 12 + (m->pm ? 12 : 0);
    return in.n == 0 && m->hour < 24 && m->minute < 60 && m->second < 61 &&
           date_from_civil(m->year, m->month, m->day, &m->days);
}

static enum transform_outcome parse_run(const struct step *s, struct run *r, const tl_value *in, tl_value *out)
{
    const struct layout *l = s->compiled;
    struct moment m;
    if (!moment_read(l, str_trim(text_of(r, in)), &m))
        return cannot(r, s, TL_R_TYPE_MISMATCH, "%.*s is no date of the form \"%.*s\"", STR_FMT(shown(r, in)),
                      STR_FMT(l->format));
    if (!l->has_clock) {
        *out = (tl_value){.type = TL_DATE, .u.i = m.days};
        return TRANSFORM_OK;
    }
    int64_t local =
        m.days * US_PER_DAY + (((int64_t)m.hour * 60 + m.minute) * 60 + m.second) * US_PER_S + m.fraction_us;
    *out = (tl_value){.type = TL_TIME, .u.i = l->has_zone ? local - m.offset_us : zone_to_utc(l->zone, local)};
    return TRANSFORM_OK;
}

static uint8_t parse_gives(const struct step *s, uint8_t in)
{
    (void)in;
    const struct layout *l = s->compiled;
    return l->has_clock ? TL_TIME : TL_DATE;
}

static void part_write(struct buf *b, char part, const struct moment *m)
{
    int twelve = m->hour % 12 ? m->hour % 12 : 12;
    int64_t minutes = (m->offset_us < 0 ? -m->offset_us : m->offset_us) / US_PER_S / 60;
    switch (part) {
    case 'Y':
        buf_fmt(b, "%04lld", (long long)m->year);
        break;
    case 'y':
        buf_fmt(b, "%02lld", (long long)(m->year % 100));
        break;
    case 'b':
        buf_text_add(b, months[m->month - 1]);
        break;
    case 'z':
        buf_fmt(b, "%c%02lld:%02lld", m->offset_us < 0 ? '-' : '+', (long long)(minutes / 60),
                (long long)(minutes % 60));
        break;
    case 'f':
        buf_fmt(b, "%06lld", (long long)m->fraction_us);
        break;
    case 'p':
        buf_text_add(b, m->hour < 12 ? "AM" : "PM");
        break;
    case '%':
        buf_char(b, '%');
        break;
    default:
        buf_fmt(b, "%02d",
                part == 'm'   ? m->month
                : part == 'd' ? m->day
                : part == 'H' ? m->hour
                : part == 'I' ? twelve
                : part == 'M' ? m->minute
                              : m->second);
    }
}

static enum transform_outcome format_run(const struct step *s, struct run *r, const tl_value *in, tl_value *out)
{
    const struct layout *l = s->compiled;
    struct moment m = {.days = in->u.i};
    if (in->type == TL_TIME) {
        m.offset_us = zone_offset_us(l->zone, in->u.i);
        int64_t local = in->u.i + m.offset_us, clock = local % US_PER_DAY;
        clock += clock < 0 ? US_PER_DAY : 0;
        m.days = (local - clock) / US_PER_DAY;
        m.fraction_us = clock % US_PER_S;
        int64_t seconds = clock / US_PER_S;
        m.hour = (int)(seconds / 3600);
        m.minute = (int)(seconds / 60 % 60);
        m.second = (int)(seconds % 60);
    }
    date_to_civil(m.days, &m.year, &m.month, &m.day);
    if (m.year < 0 || m.year > 9999)
        return cannot(r, s, TL_R_PARAM_INVALID, "the year %lld has no four digits", (long long)m.year);
    AUTO(buf_done) struct buf b = {.max = TRANSFORM_MAX_BYTES};
    for (size_t i = 0; i < l->format.n; i++) {
        if (l->format.p[i] == '%')
            part_write(&b, l->format.p[++i], &m);
        else
            buf_char(&b, l->format.p[i]);
    }
    return give_buf(r, s, &b, out);
}

static uint32_t format_longest(const struct step *s, uint32_t max)
{
    (void)max;
    const struct layout *l = s->compiled;
    return (uint32_t)utf8_length(l->format) * 3; /* %Y: 4 of 2, %f and %z: 6 of 2 */
}

static bool same_layout(const struct step *s, struct step *out, const char *function)
{
    invert_is(out, function);
    out->args = s->args;
    out->n_args = s->n_args;
    return true;
}

static bool parse_invert(const struct step *s, struct arena *a, struct step *out, str *why)
{
    (void)a;
    (void)why;
    return same_layout(s, out, "date_format");
}

static bool format_invert(const struct step *s, struct arena *a, struct step *out, str *why)
{
    (void)a;
    (void)why;
    return same_layout(s, out, "date_parse");
}

/* ---- date_shift: "1d", "-2h", "3mo", "-1y" */

static bool shift_compile(struct parse *p, struct step *s)
{
    if (!arg_is_text(p, s, 0))
        return false;
    static const struct {
        const char *unit;
        int64_t us, months;
    } units[] = {{"mo", 0, 1},
                 {"y", 0, 12},
                 {"w", 7 * US_PER_DAY, 0},
                 {"d", US_PER_DAY, 0},
                 {"h", 3600 * US_PER_S, 0},
                 {"m", 60 * US_PER_S, 0},
                 {"s", US_PER_S, 0}};
    str text = s->args[0].text;
    int64_t sign = 1, n = 0;
    if (text.n && (text.p[0] == '-' || text.p[0] == '+')) {
        sign = text.p[0] == '-' ? -1 : 1;
        text = str_n(text.p + 1, text.n - 1);
    }
    if (digits(&text, 6, &n))
        for (size_t i = 0; i < ARRAY_LEN(units); i++)
            if (str_is(text, units[i].unit)) {
                s->n[0] = sign * n * units[i].us;
                s->n[1] = sign * n * units[i].months;
                return true;
            }
    return arg_wrong(p, s, s->args[0].column, "write it as 1d, -2h, 90m, 2w, 3mo or -1y", "\"%.*s\" is no span of time",
                     STR_FMT(s->args[0].text));
}

/* A day that the month does not have becomes its last one. */
static bool shift_months(int64_t *days, int64_t by)
{
    int64_t year = 0;
    int month = 0, day = 0;
    date_to_civil(*days, &year, &month, &day);
    int64_t at = year * 12 + (month - 1) + by;
    year = at / 12 - (at % 12 < 0);
    month = (int)(at - year * 12) + 1;
    while (day > 27 && !date_from_civil(year, month, day, days))
        day--;
    return date_from_civil(year, month, day, days);
}

static enum transform_outcome shift_run(const struct step *s, struct run *r, const tl_value *in, tl_value *out)
{
    bool date = in->type == TL_DATE;
    int64_t clock = date ? 0 : in->u.i % US_PER_DAY;
    clock += clock < 0 ? US_PER_DAY : 0;
    int64_t days = date ? in->u.i : (in->u.i - clock) / US_PER_DAY;
    *out = *in;
    if (s->n[1] && !shift_months(&days, s->n[1]))
        return cannot(r, s, TL_R_PARAM_INVALID, "%.*s is moved out of the calendar", STR_FMT(shown(r, in)));
    clock += s->n[0];
    if (days > INT64_C(3000000) || days < INT64_C(-3000000))
        return cannot(r, s, TL_R_PARAM_INVALID, "%.*s is moved out of the calendar", STR_FMT(shown(r, in)));
    int64_t us = days * US_PER_DAY + clock;
    out->u.i = date ? (us - (us % US_PER_DAY + US_PER_DAY) % US_PER_DAY) / US_PER_DAY : us;
    return TRANSFORM_OK;
}

static bool shift_invert(const struct step *s, struct arena *a, struct step *out, str *why)
{
    if (s->n[1]) {
        *why = STR("months and years have different lengths");
        return false;
    }
    invert_is(out, "date_shift");
    struct arg *arg = arena_new(a, struct arg);
    str text = s->args[0].text;
    bool minus = text.p[0] == '-', plus = text.p[0] == '+';
    *arg = (struct arg){.kind = ARG_TEXT,
                        .text = str_of(arena_fmt(a, "%s%.*s", minus ? "" : "-", (int)(text.n - (minus || plus)),
                                                 text.p + (minus || plus)))};
    out->args = arg;
    out->n_args = 1;
    return true;
}

const struct function transform_time_functions[] = {
    {"date_parse", "date_parse(\"%d.%m.%Y\") or date_parse(\"%d/%m/%Y %H:%M\", \"America/Sao_Paulo\")",
     "a date, or with a clock a time, from a text; the zone is UTC if not said", TAKES_TEXT, TL_DATE, 1, 2, false,
     layout_compile, parse_run, parse_invert, NULL, NULL, parse_gives},
    {"date_format", "date_format(\"%d.%m.%Y\") or date_format(\"%d/%m/%Y %H:%M\", \"America/Sao_Paulo\")",
     "a date or time as a text; the zone is UTC if not said", TAKES_DATE | TAKES_TIME, TL_TEXT, 1, 2, false,
     layout_compile, format_run, format_invert, NULL, format_longest, NULL},
    {"date_shift", "date_shift(\"-1d\")", "moved by seconds, minutes, hours, days, weeks, months (mo) or years",
     TAKES_DATE | TAKES_TIME, GIVES_SAME, 1, 1, false, shift_compile, shift_run, shift_invert, NULL, NULL, NULL},
    {0},
};
