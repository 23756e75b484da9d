#ifndef FEEDS_H
#define FEEDS_H
/* Feeds: one stream of records of (endpoint, kind, list view), read once however many links use it. A feed owns its
 * cursor, its passes and its hints. */
#include "db.h"

struct feed {
    int64_t feed, endpoint;
    str kind, view;       /* view: vendor's list view id, empty: all */
    str cursor;           /* opaque; empty: from now on */
    int64_t cursor_us;    /* vendor's clock at the start of the pull that gave it */
    int64_t pulled_us;    /* our clock when a pull of changes last ended complete */
    uint64_t shape_hash;  /* of the shape and filter the cursor belongs to */
    int64_t pass;         /* number of the running pass; 0: none */
    int64_t full_pass_us; /* when a complete pass last ended; 0: never */
    uint64_t lookup_hash; /* of the keys that its lookup rows are complete for; 0: of none */
    int64_t gap_us;       /* ids were lost at this time: a pass is due; 0: no */
    int64_t accepted_us;  /* a person accepted then what the next pass will show, whatever it is; 0: nobody did */
    bool mirrored;        /* it is read for its own sake, whether a link subscribes or not */
};
/* Row of (endpoint, kind, view), made when it is not there. */
int feed_ensure(struct db *db, int64_t endpoint, str kind, str view, int64_t *out, struct err *e);
int feed_get(struct db *db, struct arena *a, int64_t feed, struct feed *out, struct err *e);
/* endpoint 0: all. */
int feed_list(struct db *db, struct arena *a, int64_t endpoint, struct feed **out, size_t *n, struct err *e);
int feed_update(struct db *db, const struct feed *f, struct err *e); /* all but ids, kind, view, mirrored */
int feed_mirror(struct db *db, int64_t feed, bool mirrored, struct err *e);
/* The one write of a page of changes: cursor and its times. */
int feed_set_cursor(struct db *db, int64_t feed, str cursor, int64_t cursor_us, int64_t pulled_us, struct err *e);
int64_t feed_record_count(struct db *db, int64_t feed); /* rows; 0 when it cannot be told */
/* A feed that no link subscribes to and that is not mirrored; TL_E_NOT_FOUND: there is none. */
int feed_unused_next(struct db *db, int64_t *feed_out, struct err *e);
/* Deletes at most max_rows records of such a feed, then the feed. What is left in between is a
 * feed that was never read: a link that takes it up again reads it whole. */
int feed_delete_slice(struct db *db, int64_t feed, int max_rows, bool *done_out, struct err *e);

/* ---- Passes ---------------------------------------------------------------------------------------------------- */

enum pass_state { PASS_RUNNING = 0, PASS_COMPLETE = 1, PASS_ABORTED = 2, PASS_EVALUATED = 3 /* vanished ones found */ };
struct pass {
    int64_t pass, feed;
    int32_t state;
    str cursor;           /* where the enumeration goes on */
    uint64_t filter_hash; /* of shape, view and window; another hash: nothing is inferred */
    int64_t started_us, ended_us;
    int64_t seen, estimate; /* records; estimate -1: not known */
};
/* Starts a pass and makes it the feed's running one; one that runs is aborted. Fills p->pass. */
int pass_start(struct db *db, struct pass *p, struct err *e);
int pass_get(struct db *db, struct arena *a, int64_t pass, struct pass *out, struct err *e);
/* Cursor, seen, estimate after a page. */
int pass_advance(struct db *db, int64_t pass, str cursor, int64_t seen, int64_t estimate, struct err *e);
/* State COMPLETE or ABORTED ends it (the feed has no running pass then); EVALUATED drops its membership bits. */
int pass_end(struct db *db, int64_t pass, enum pass_state state, int64_t at_us, struct err *e);
/* Marks records as seen in this pass; any order, sorted here. A page of neighbours is one or two row writes. */
int pass_mark(struct db *db, int64_t pass, int64_t *recs, size_t n, struct err *e);
int pass_has(struct db *db, int64_t pass, int64_t rec, bool *out, struct err *e);

/* Walk over the live records of the feed that the pass did not meet. Keeps the bits in memory (128 KiB a million
 * records); survives commits; the database handle must outlive it. */
struct pass_walk;
int pass_walk_open(struct pass_walk **out, struct db *db, int64_t feed, int64_t pass, struct err *e);
struct pass_walk *pass_walk_close(struct pass_walk *w);
AUTO_FN(struct pass_walk *, pass_walk_close)
/* Looks at no more than max_steps records; *n ids in recs_out (room for max_steps); *end when all were looked at. */
int pass_walk_next(struct pass_walk *w, int max_steps, int64_t *recs_out, size_t *n, bool *end, struct err *e);
#endif
