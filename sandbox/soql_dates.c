/* Named dates. "Date Formats and Date Literals", SOQL and SOSL Reference. Ranges are whole days [lo, hi). */
#include "soql.h"

enum unit { DAY, WEEK, MONTH, QUARTER, YEAR };

static const struct date_word {
    const char *word;
    enum unit unit;
    int from, to; /* units from the current one: [from, to) */
    bool takes_n; /* from and to are signs then: see range_of_n */
} WORDS[] = {
    {"YESTERDAY", DAY, -1, 0, false},
    {"TODAY", DAY, 0, 1, false},
    {"TOMORROW", DAY, 1, 2, false},
    {"LAST_WEEK", WEEK, -1, 0, false},
    {"THIS_WEEK", WEEK, 0, 1, false},
    {"NEXT_WEEK", WEEK, 1, 2, false},
    {"LAST_MONTH", MONTH, -1, 0, false},
    {"THIS_MONTH", MONTH, 0, 1, false},
    {"NEXT_MONTH", MONTH, 1, 2, false},
    {"LAST_QUARTER", QUARTER, -1, 0, false},
    {"THIS_QUARTER", QUARTER, 0, 1, false},
    {"NEXT_QUARTER", QUARTER, 1, 2, false},
    {"LAST_YEAR", YEAR, -1, 0, false},
    {"THIS_YEAR", YEAR, 0, 1, false},
    {"NEXT_YEAR", YEAR, 1, 2, false},
    {"LAST_90_DAYS", DAY, -90, 1, false},
    {"NEXT_90_DAYS", DAY, 1, 91, false},
    {"LAST_N_DAYS", DAY, -1, 1, true},
    {"NEXT_N_DAYS", DAY, 1, 2, true},
    {"N_DAYS_AGO", DAY, -1, 0, true},
    {"LAST_N_WEEKS", WEEK, -1, 0, true},
    {"NEXT_N_WEEKS", WEEK, 1, 2, true},
    {"N_WEEKS_AGO", WEEK, -1, -1, true},
    {"LAST_N_MONTHS", MONTH, -1, 0, true},
    {"NEXT_N_MONTHS", MONTH, 1, 2, true},
    {"N_MONTHS_AGO", MONTH, -1, -1, true},
    {"LAST_N_QUARTERS", QUARTER, -1, 0, true},
    {"NEXT_N_QUARTERS", QUARTER, 1, 2, true},
    {"N_QUARTERS_AGO", QUARTER, -1, -1, true},
    {"LAST_N_YEARS", YEAR, -1, 0, true},
    {"NEXT_N_YEARS", YEAR, 1, 2, true},
    {"N_YEARS_AGO", YEAR, -1, -1, true},
};

static const struct date_word *find(str word)
{
    for (size_t i = 0; i < ARRAY_LEN(WORDS); i++)
        if (str_eq_nocase(str_of(WORDS[i].word), word))
            return &WORDS[i];
    return NULL;
}

bool soql_date_word(str word, bool *takes_n)
{
    const struct date_word *w = find(word);
    *takes_n = w && w->takes_n;
    return w != NULL;
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* Days since 1970-01-01 of the first day of a month counted from year 0 (month 0 = January). */
static int64_t month_start(int64_t months)
{
    int64_t year = floor_div(months, 12), month = months - year * 12 + 1;
    int64_t y = month <= 2 ? year - 1 : year, era = floor_div(y, 400), of_era = y - era * 400;
    int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + day_of_year - 719468;
}

static int64_t month_of(int64_t day)
{
    int64_t guess = floor_div(day, 31) + 1970 * 12;
    while (month_start(guess + 1) <= day)
        guess++;
    return guess;
}

/* First day of the unit that lies `offset` units from the one of `today`. */
static int64_t unit_start(enum unit unit, int64_t today, int64_t offset)
{
    switch (unit) {
    case DAY:
        return today + offset;
    case WEEK: /* 1970-01-01 was a Thursday; weeks start on Sunday */
        return floor_div(today + 4, 7) * 7 - 4 + offset * 7;
    case MONTH:
        return month_start(month_of(today) + offset);
    case QUARTER:
        return month_start(floor_div(month_of(today), 3) * 3 + offset * 3);
    case YEAR:
        return month_start(floor_div(month_of(today), 12) * 12 + offset * 12);
    }
    return today;
}

bool soql_date_range(str word, int64_t n, int64_t today, int64_t *lo, int64_t *hi)
{
    const struct date_word *w = find(word);
    if (!w)
        return false;
    int64_t from = w->from, to = w->to;
    if (w->takes_n && w->unit == DAY && to == 0) { /* N_DAYS_AGO: that day */
        from = -n;
        to = -n + 1;
    } else if (w->takes_n && to < 0) { /* N_WEEKS_AGO ...: that unit */
        from = -n;
        to = -n + 1;
    } else if (w->takes_n && from < 0) { /* LAST_N_...: the n before this one; the DAYS form includes today */
        from = -n;
    } else if (w->takes_n) { /* NEXT_N_...: the n after this one */
        to = 1 + n;
    }
    *lo = unit_start(w->unit, today, from);
    *hi = unit_start(w->unit, today, to);
    return true;
}
