#ifndef ERASED_H
#define ERASED_H
/* What is stored about a person goes, and stays away: rows that hold values or ids of their records are deleted or
 * blanked, and of each record a mark is kept, a keyed hash of who it was, by which it is known when it is met again. */
#include "db.h"

/* ---- Marks ----------------------------------------------------------------------------------------------------- */

struct erased_name { /* of one remote record; also after its connection was made anew */
    str system, org, kind, id;
};
struct erasure {
    int64_t erasure, at_us, records;
    str who; /* who erased */
};
int erasure_add(struct db *db, str who, int64_t *erasure_out, struct err *e);
int erased_put(struct db *db, int64_t erasure, const struct erased_name *name, struct err *e);
/* Asks nothing while nobody was ever erased. */
int erased_has(struct db *db, const struct erased_name *name, bool *out, struct err *e);
int erased_find(struct db *db, const struct erased_name *name, int64_t *erasure_out, struct err *e);
int erasure_list(struct db *db, struct arena *a, struct erasure **out, size_t *n, struct err *e); /* newest first */
/* Its marks go: its records may be stored again. TL_E_NOT_FOUND. */
int erasure_lift(struct db *db, int64_t erasure, int64_t *records_out, struct err *e);

/* ---- What goes. All inside the caller's transaction ------------------------------------------------------------ */

struct erase_counts {
    int64_t records, pairs, changes, failures, conflicts, plan_rows, lookups, hints, deliveries, passport_pairs, acts,
        texts, audit_rows;
};
/* With its conflicts, failures, plan rows, what it is held or parked for. Its change rows keep run, side and time, so
 * that the sums of the history stay true, and say no more of whom or what. An open intent: E_PRECONDITION. */
int erase_pair(struct db *db, int64_t pair, struct erase_counts *counts, struct err *e);
/* Once no pair holds it; with lookups, hints, failures, rows of plans and passports, former ids. What was done to it
 * stays as a row that says no more of whom or with what. */
int erase_record(struct db *db, int64_t rec, struct erase_counts *counts, struct err *e);
/* Texts of rows that are others', where they name the word as a whole: it is replaced. Deliveries that wait and name it
 * are dropped: they are hints, the next pull tells the same. Audit rows are chained anew from the first one changed. */
int erase_word(struct db *db, str word, struct erase_counts *counts, struct err *e);
/* After the commit nothing may be left in unused parts of pages or in the log: see db_compact(). A crash in between
 * makes up for it with the next db_open. */
int erase_compacts(struct db *db, struct err *e);
#endif
