#ifndef QUIET_H
#define QUIET_H
/* quiet_hours of a link: a range of the day in a time zone, "08:00-18:30 America/Sao_Paulo". In it only what people did
 * just now is carried over; sweeps, first syncs and back-fills rest. A range may go over midnight. Pure, but for the
 * system's zone data, read when it is compiled. */
#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "err.h"
#include "str.h"

struct quiet_hours {
    bool set;
    int from_min, to_min;    /* minutes of the local day; from == to: all day */
    const struct zone *zone; /* in the arena */
};
/* "off" or empty: none. E_USAGE with a hint. */
int quiet_parse(str text, struct arena *a, struct quiet_hours *out, struct err *e);
bool quiet_now(const struct quiet_hours *q, int64_t utc_us);
/* Wall time at which they end; utc_us when they are not. */
int64_t quiet_end_us(const struct quiet_hours *q, int64_t utc_us);
#endif
