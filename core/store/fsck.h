#ifndef FSCK_H
#define FSCK_H
/* What must hold of the whole database, looked at slice by slice on a read-only handle while everything goes on: each
 * slice sees one moment, and nothing is compared over two of them. */
#include "db.h"

struct fsck_finding {
    const char *check; /* "V1", "V14", "checksum", "tally", "orphan", "stretch", "claim", "sidecar", "schema" */
    const char *level; /* "error", "warning", "note": the last is no fault */
    const char *object, *text, *hint;
    bool can_repair; /* fsck_repair_* mend it */
};
typedef void (*fsck_found_fn)(void *arg, const struct fsck_finding *f);

enum { FSCK_LINKS = 64 };
struct fsck {
    int stage;
    int64_t after, key_number;
    int64_t feed; /* of the walk over lookups */
    int32_t kind;
    bool key_is_number;
    char key[256];
    /* Only these links and feeds; none: all. */
    int64_t links[FSCK_LINKS], feeds[2 * FSCK_LINKS];
    int n_links, n_feeds;
    int64_t connection;
    int64_t looked, findings, notes;
    char sidecar[160]; /* what is wrong with it; empty: nothing */
    int64_t sidecar_intent;
};
/* connection 0: the whole database. Reads the sidecar first, so that it is never older than the first slice. */
int fsck_begin(struct fsck *f, struct db *db, int64_t connection, struct err *e);
/* Looks at up to max rows. *end: all was looked at. [reader] */
int fsck_slice(struct fsck *f, struct db *db, size_t max, fsck_found_fn found, void *arg, bool *end, struct err *e);
const char *fsck_stage_name(const struct fsck *f); /* "pairs" */
int fsck_stages(void);

/* Tables, indices, triggers and views that are not those of this version's schema. harmless: they only take space. */
typedef void (*fsck_schema_fn)(void *arg, const char *object, const char *text, bool harmless);
int fsck_schema(struct db *db, fsck_schema_fn found, void *arg, struct err *e);

/* ---- Mending what is only ours: counts, and rows of what is gone ------------------------------------------------- */

/* How far a count is from its rows. The difference stays the same whatever is counted meanwhile, so it may be found on
 * a reader and put right by the writer. */
struct fsck_tally {
    int32_t what; /* as in the table tally */
    int64_t owner, stored, counted;
};
int fsck_tallies(struct db *db, struct arena *a, struct fsck_tally **out, size_t *n, struct err *e);
int fsck_tally_mend(struct db *db, const struct fsck_tally *t, struct err *e);
/* Deletes at most max_rows rows that belong to a pair, record or feed that does not exist; *n_out how many: fewer than
 * asked for is the end. */
int fsck_orphans_drop(struct db *db, int max_rows, int64_t *n_out, struct err *e);
int fsck_orphans_count(struct db *db, int64_t *n_out, struct err *e);
/* Stretches of feeds (records_int.h) that are lost, so that walks pass their records by. mend: puts back at most
 * max_rows. */
int fsck_stretches_lost(struct db *db, int64_t *n_out, struct err *e);
int fsck_stretches_mend(struct db *db, int max_rows, int64_t *n_out, struct err *e);
#endif
