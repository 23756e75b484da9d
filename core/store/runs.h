#ifndef RUNS_H
#define RUNS_H
/* Runs: the history. Counts per link and direction; change rows for every write but a first create, which the pair
 * itself carries (pair.run). Sum of counts = creates by run + change rows + failure rows. */
#include "db.h"

enum run_kind {
    RUN_INITIAL = 0,
    RUN_INCREMENTAL = 1,
    RUN_LIVE = 2,
    RUN_SWEEP = 3,
    RUN_BACKFILL = 4,
    RUN_RETRY = 5,
    RUN_DRYRUN = 6,
    RUN_UNDO = 7
};
enum history_state {
    RUN_QUEUED = 0,
    RUN_RUNNING = 1,
    RUN_SUCCEEDED = 2,
    RUN_PARTIAL = 3,
    RUN_FAILED = 4,
    RUN_CANCELLED = 5,
    RUN_INTERRUPTED = 6
};
const char *run_kind_name(int32_t kind);
const char *history_state_name(int32_t state);

struct run {
    int64_t run, connection, link; /* link 0: all of the connection */
    int32_t kind, state;
    int64_t made_us, started_us, ended_us;
    str who;
    str phase;                   /* in words */
    int64_t done, total;         /* total -1: not known */
    int64_t pair_low, pair_high; /* the store's: range of pairs this run created for */
    str error;
    int64_t about;   /* the run it carries out (a first sync: the dry run) or takes back (an undo); 0: none */
    uint64_t basis;  /* of a dry run: what maps and settings it was made from; of an undo: what was asked for */
    int64_t busy_us; /* how long it got on, without pauses, outages and waiting; see run_got_on */
};
int run_create(struct db *db, struct run *r, struct err *e);
int run_get(struct db *db, struct arena *a, int64_t run, struct run *out, struct err *e);
int run_update(struct db *db, const struct run *r,
               struct err *e); /* all but ids, kind, who, made, pair range, about, basis, busy */
int run_got_on(struct db *db, int64_t run, int64_t us, struct err *e); /* adds to busy_us */
struct run_filter {
    int64_t connection, link; /* 0: any */
    int64_t since_us;         /* made at or after */
    int64_t before;           /* run ids below this; 0: from the newest */
    bool open_only;           /* queued, running or interrupted */
};
int run_list(struct db *db, struct arena *a, const struct run_filter *f, size_t max, struct run **out, size_t *n,
             struct err *e); /* newest first */
/* Queued and running ones become interrupted; they go on under the same id. */
int run_interrupt_all(struct db *db, struct err *e);

struct run_count {
    int64_t link;
    int32_t to; /* side that was written, or observed */
    int64_t added, updated, matched, deleted, failed, unchanged, echo, conflict, skipped;
};
int run_count_add(struct db *db, int64_t run, const struct run_count *delta, struct err *e);
int run_count_list(struct db *db, struct arena *a, int64_t run, struct run_count **out, size_t *n, struct err *e);

struct change {
    int64_t change, run, pair;
    int32_t side, op; /* TL_OP_*; 0: a conflict was settled without a write */
    str id;           /* remote id written */
    str fields;       /* the engine's: before, after, winner, policy */
    str cause;        /* "live", "initial", "retry", "sweep", "action", "undo" */
    int64_t at_us;
};
int change_add(struct db *db, struct change *c, struct err *e); /* fills change */
int change_list_of_pair(struct db *db, struct arena *a, int64_t pair, int64_t before, size_t max, struct change **out,
                        size_t *n, struct err *e); /* newest first */
/* Those of one run in one pair, newest first. */
int change_list_of_run_pair(struct db *db, struct arena *a, int64_t run, int64_t pair, struct change **out, size_t *n,
                            struct err *e);
int change_list_of_run(struct db *db, struct arena *a, int64_t run, int64_t after, size_t max, struct change **out,
                       size_t *n, struct err *e);
/* How many creates the run made (first ones, kept by pairs) and how many change rows it wrote: for the accounting. */
int run_accounting(struct db *db, int64_t run, int64_t *creates_out, int64_t *changes_out, int64_t *failures_out,
                   struct err *e);
/* Forgets changes and ended runs older than this, at most max_rows; *done_out: nothing older is left. */
int history_trim(struct db *db, int64_t older_than_us, int max_rows, bool *done_out, struct err *e);
#endif
