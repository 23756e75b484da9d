#ifndef PAIRS_INT_H
#define PAIRS_INT_H
/* Inside core/store only. */
#include "pairs.h"
#include "sql.h"

#define PAIR_COLUMNS                                                                                                   \
    "pair, link, a_rec, b_rec, slot, status, flags, unsettled, due, lane, intent, attempts, a_gen, b_gen, run, "       \
    "map_gen, made, synced, chg, extra, a_base, b_base"

void pair_read(struct query *q, struct arena *a, struct pair *out);
int pair_drop_sources(struct db *db, int64_t pair, struct err *e); /* rows of intent_source */
#endif
