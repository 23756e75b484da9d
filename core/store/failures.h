#ifndef FAILURES_H
#define FAILURES_H
/* Failures of records, and what else waits: conflicts for a decision, parked pairs for a reference, held records for
 * an intent to close, old ids for a record that may come back. */
#include "db.h"

enum failure_retry { RETRY_AUTO = 0, RETRY_NIGHTLY = 1, RETRY_ON_CHANGE = 2, RETRY_MANUAL = 3 };

struct failure {
    int64_t failure, link, pair; /* pair 0: none */
    int32_t side;
    str id;         /* remote id of the record concerned, on that side */
    str code;       /* TYPE_MISMATCH */
    int32_t reason; /* TL_R_* */
    str field;      /* canonical path or vendor's name */
    str text;       /* our words, without the reader's language: facts of the message as JSON */
    str vendor_code, vendor_text;
    int64_t run;
    int64_t first_us, last_us, n;
    int32_t retry;
    int64_t next_us; /* RETRY_AUTO, RETRY_NIGHTLY; 0: none */
    int64_t resolved_us;
    str resolved_by; /* "sync", or who did */
};
/* One open row per (link, side, id, code): adds it or counts it up, with the newest words. Fills failure, first, n. */
int failure_note(struct db *db, struct failure *f, struct err *e);
int failure_get(struct db *db, struct arena *a, int64_t failure, struct failure *out, struct err *e);
struct failure_filter {
    int64_t link, pair; /* 0: any */
    str code;           /* empty: any */
    bool with_resolved;
    int64_t before; /* ids below; 0: from the newest */
};
int failure_list(struct db *db, struct arena *a, const struct failure_filter *f, size_t max, struct failure **out,
                 size_t *n, struct err *e); /* newest first */
struct failure_group {
    int64_t link;
    str code;
    int64_t n, first_us, last_us; /* since when the oldest, when the newest of them happened last */
};
int failure_groups(struct db *db, struct arena *a, int64_t link, struct failure_group **out, size_t *n,
                   struct err *e); /* open ones */
/* Open ones of the pair are closed by `by`; *n_out how many. Costs one probe when there are none. */
int failure_resolve_pair(struct db *db, int64_t pair, str by, int64_t at_us, int64_t *n_out, struct err *e);
/* What else is open of the pair of f is closed: one thing speaks against a pair at a time. */
int failure_resolve_others(struct db *db, const struct failure *f, str by, int64_t at_us, struct err *e);
int failure_resolve(struct db *db, int64_t failure, str by, int64_t at_us, struct err *e);
/* Closes the open ones of link, side, id and code (empty: any) that have no pair, with resolved_us and resolved_by. */
int failure_resolve_record(struct db *db, const struct failure *f, int64_t *n_out, struct err *e);
/* The same for those of link, side and code, of any record, that were last noted before this. Reads the open ones of
 * the link. */
int failure_resolve_unmet(struct db *db, const struct failure *f, int64_t before_us, struct err *e);
/* How many without a pair are open of this side and code. Reads the open ones of the link. */
int failure_count_open(struct db *db, int64_t link, int32_t side, const char *code, int64_t *n_out, struct err *e);
/* Resolved before this are forgotten. */
int failure_trim(struct db *db, int64_t older_than_us, int max_rows, bool *done_out, struct err *e);

/* ---- Conflicts ------------------------------------------------------------------------------------------------- */

struct conflict {
    int64_t pair;
    uint32_t map_no;
    str value[2], base; /* one value each, in the form of obs.h */
    int64_t at_us;
};
int conflict_put(struct db *db, const struct conflict *c, struct err *e);
int conflict_list(struct db *db, struct arena *a, int64_t link, int64_t pair, size_t max, struct conflict **out,
                  size_t *n, struct err *e); /* pair 0: of the link; link 0: of the pair, or all */
int conflict_drop(struct db *db, int64_t pair, uint32_t map_no, struct err *e); /* map_no 0: all of the pair */

/* ---- Parked ---------------------------------------------------------------------------------------------------- */

/* The pair waits until `id` on that side has its counterpart in the link `dep_link`. */
struct parked {
    int64_t pair;
    uint32_t map_no;
    int64_t dep_link;
    int32_t dep_side;
    str dep_id;
    int64_t at_us;
};
int parked_put(struct db *db, const struct parked *p, struct err *e);
int parked_list_of_pair(struct db *db, struct arena *a, int64_t pair, struct parked **out, size_t *n, struct err *e);
int parked_drop(struct db *db, int64_t pair, struct err *e);
/* The counterpart is there: drops those rows, wakes the pairs (status ok, lane, due). *n_out pairs. One probe when
 * nobody waits. */
int parked_wake(struct db *db, int64_t dep_link, enum side dep_side, str dep_id, int32_t lane, int64_t due_us,
                int64_t *n_out, struct err *e);
/* Does any pair wait for it? */
int parked_on(struct db *db, int64_t dep_link, enum side dep_side, str dep_id, bool *out, struct err *e);
/* What waits for records of this link, of the pairs after after_pair, by their numbers. */
int parked_for(struct db *db, struct arena *a, int64_t dep_link, int64_t after_pair, size_t max, struct parked **out,
               size_t *n, struct err *e);

/* ---- Held records ---------------------------------------------------------------------------------------------- */

/* Observed, but not to be paired before something is known. */
struct held {
    int64_t link;
    int32_t side;
    int64_t rec;
    int64_t pair; /* whose intent may explain it; 0: any */
    str why;      /* "intent", "orphaned_stamp" */
    int64_t at_us;
};
int held_put(struct db *db, const struct held *h, struct err *e); /* replaces */
int held_get(struct db *db, struct arena *a, int64_t link, int64_t rec, struct held *out, struct err *e);
int held_list(struct db *db, struct arena *a, int64_t link, int64_t pair, size_t max, struct held **out, size_t *n,
              struct err *e); /* pair 0: all of the link */
/* Those of a link that wait for one reason; side -1: of both. */
int held_waiting(struct db *db, struct arena *a, int64_t link, int32_t side, str why, size_t max, struct held **out,
                 size_t *n, struct err *e);
int held_drop(struct db *db, int64_t link, int64_t rec, struct err *e);

/* ---- Old ids --------------------------------------------------------------------------------------------------- */

/* A record that a pair used to hold, with the base it had. */
struct old_id {
    int64_t link, rec, pair;
    int32_t side, gen;
    str why; /* "recreated", "merged", "repointed" */
    struct {
        int32_t kind; /* enum base_kind; given BASE_SAME, the record's observation of that moment is kept */
        str blob;
    } base;
    int64_t at_us;
    bool damaged; /* out */
};
int old_id_put(struct db *db, const struct old_id *o, struct err *e); /* replaces */
int old_id_get(struct db *db, struct arena *a, int64_t link, int64_t rec, struct old_id *out, struct err *e);
int old_id_list(struct db *db, struct arena *a, int64_t pair, struct old_id **out, size_t *n, struct err *e);
int old_id_drop(struct db *db, int64_t link, int64_t rec, struct err *e);
/* Those of records that are gone, not those of living ones: they stay told apart from the pair's. */
int old_id_trim(struct db *db, int64_t older_than_us, int max_rows, bool *done_out, struct err *e);
#endif
