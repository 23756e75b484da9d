#ifndef RECORDS_INT_H
#define RECORDS_INT_H
/* Inside core/store only. */
#include "records.h"
#include "sql.h"

/* The next records of feed ?1 after number ?2, in the order of their numbers. Of other feeds' rows those are passed
 * that lie in the same stretches; "+" keeps the index of remote ids out of it. */
#define FROM_STRETCHES                                                                                                 \
    " FROM stretch CROSS JOIN record ON rec BETWEEN max(?2 + 1, n << 6) AND (n << 6) + 63 AND +feed = ?1 "             \
    "WHERE owner = ?1 AND n >= (?2 + 1) >> 6 ORDER BY n, rec LIMIT ?3"
#define STRETCH_BITS 6

#define RECORD_COLUMNS                                                                                                 \
    "rec, feed, remote_id, seen_hash, state, version_kind, version, modified, created, seen, recheck, into_id, "       \
    "by_user, stamp, check_sum, observation"

void record_read(struct query *q, struct arena *a, struct record *out);
#endif
