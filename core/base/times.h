#ifndef TIMES_H
#define TIMES_H
/* Times are int64 microseconds UTC in memory and store, RFC 3339 in JSON. Pure, proleptic Gregorian, locale-free. */
#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "str.h"

#define US_PER_S   INT64_C(1000000)
#define US_PER_MS  INT64_C(1000)
#define US_PER_DAY (INT64_C(86400) * US_PER_S)

/* "2026-11-21T10:00:00.000Z"; milliseconds always shown. */
void time_format(struct buf *b, int64_t us);
char *time_text(char out[32], int64_t us);
/* RFC 3339 and what vendors send: "T" or blank, optional fraction of any length, "Z", "+0000", "+00:00". */
bool time_parse(str s, int64_t *us_out);
bool date_parse(str s, int64_t *days_out); /* "2026-01-31" */
void date_format(struct buf *b, int64_t days);
/* Days since 1970 and the civil date. False: there is no such day. */
bool date_from_civil(int64_t year, int month, int day, int64_t *days_out);
void date_to_civil(int64_t days, int64_t *year_out, int *month_out, int *day_out);
bool http_date_parse(str s, int64_t *us_out); /* "Sun, 06 Nov 1994 08:49:37 GMT" */
void http_date_format(struct buf *b, int64_t us);
/* "30s", "4h", "7d", "500ms", "365d"; plain numbers are seconds. */
bool duration_parse(str s, int64_t *us_out);
void duration_format(struct buf *b, int64_t us); /* largest exact unit */
#endif
