#ifndef RECORDS_INT_H
#define RECORDS_INT_H
/* Inside core/store only. */
#include "records.h"
#include "sql.h"

#define RECORD_COLUMNS                                                                                                 \
    "rec, feed, remote_id, seen_hash, state, version_kind, version, modified, created, seen, recheck, into_id, "       \
    "by_user, stamp, check_sum, observation"

void record_read(struct query *q, struct arena *a, struct record *out);
#endif
