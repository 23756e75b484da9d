/* SPDX-License-Identifier: MIT-0 */
#ifndef TLK_TIME_H
#define TLK_TIME_H
/* Times as vendors write them. Microseconds UTC inside; pure, locale-free. */
#include "kit/mem.h"

#define TLK_US_PER_S  INT64_C(1000000)
#define TLK_US_PER_MS INT64_C(1000)

/* "2026-11-21T10:00:00.000Z", 24 characters; out holds 32. Returns out. Years outside 0..9999 are clamped. */
char *tlk_time_text(char out[32], int64_t us);
char *tlk_date_text(char out[16], int64_t days);
/* RFC 3339 and its relatives: "T" or blank, seconds optional, fraction of any length, "Z", "+0000", "+00:00", or no
 * zone (UTC). */
bool tlk_time_parse(tl_str s, int64_t *us_out);
bool tlk_date_parse(tl_str s, int64_t *days_out); /* "2026-01-31", also as the head of a time */
bool tlk_http_date_parse(tl_str s, int64_t *us_out);
#endif
