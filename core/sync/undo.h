#ifndef UNDO_H
#define UNDO_H
/* Taking back what a run wrote, where the value is still that run's. An undo is a run of its own (RUN_UNDO, about: the
 * run it takes back) whose rows (ITEM_UNDO, one a field; ITEM_TRASH, a record) say what comes back or goes into the bin
 * of its system, what is left alone, and why.
 *
 * First every change row of the run is looked at, a slice a turn: of one field of one record the oldest value that an
 * unbroken chain of its writes leads to. Pairs that have something to take back are marked (EXTRA_UNDO) and woken; when
 * such a pair is worked on, each of its rows is checked again, and what still holds is written like any other write:
 * intent, condition, bases, change row. Both sides then agree on what each of them holds, so that the value is not
 * carried over again; an edit on either side travels as ever. Row, outcome and bases are one transaction, so that a
 * crash at any moment leaves a row that is done or one that is looked at again. */
#include "engine_int.h"
#include "plans.h"
#include "writing.h"

enum { UNDO_DRY = 1, UNDO_TRASH = 2 }; /* run.basis of an undo */

/* In memory; after a restart the change rows are walked again, and pairs that have rows already are left out. */
struct undo {
    int64_t run, about, link;
    bool dry, planned;
    bool trash;         /* records that the run made, too */
    bool made_looked;   /* all of them were looked at */
    int64_t made_after; /* the pair that walk has come to */
    bool stopped;       /* told so: its link, or the connection, does not run */
    bool resumed;       /* what pairs waited for before the restart will not come */
    int64_t after;      /* change row the walk has come to */
    int64_t look_due;
    int64_t past_after; /* the row that the walk past a brake has come to */
};

/* admin_undo.c */
int admin_undo_cancel(struct engine *g, struct g_conn *c, json_t **out, struct err *e);

/* undo.c: the life of such a run. [control] */
int undo_begin(struct engine *g, struct g_conn *c, const struct run *about, uint64_t how, int64_t *run_out,
               struct err *e);
/* One field of one pair, as this change row wrote it. */
int undo_begin_field(struct engine *g, struct g_conn *c, const struct change *row, uint32_t number, uint64_t how,
                     int64_t *run_out, struct err *e);
int undo_end(struct engine *g, struct g_conn *c, int32_t state, struct err *e);
bool undo_turn(struct engine *g);
int64_t undo_due(const struct engine *g);         /* mono; NEVER: nothing is being taken back */
int undo_resume(struct engine *g, struct err *e); /* after a start */
void undo_free(struct engine *g, struct g_conn *c);

/* undo_item.c: its rows */
/* Rows for what the run wrote in this pair: number 0: every field. row: only this change. Inside a transaction. */
struct undo_ask {
    int64_t run, about, link, pair;
    const struct change *row;
    uint32_t number;
    bool dry, trash;
    int32_t lane;
};
int undo_plan_pair(struct engine *g, const struct undo_ask *ask, struct err *e);
/* The pair is marked and worked on now: *done when it waits for a read or a write of its undo. */
int undo_work(struct engine *g, struct g_link *l, struct loaded *ld, struct builder *b, struct arena *a, bool *done,
              struct err *e);
/* Rows of one pair; what, state -1: any. */
int undo_rows(struct engine *g, int64_t run, int64_t pair, int32_t what, int32_t state, struct arena *a,
              struct plan_item **out, size_t *n, struct err *e);
/* A write of an undo is in: its rows are done. Inside the transaction of the outcome. */
int undo_written(struct engine *g, const struct g_batch *b, const struct g_entry *entry, struct arena *a,
                 struct err *e);
/* It was refused for good: its rows are skipped, the pair goes on. */
int undo_refused(struct engine *g, const struct g_batch *b, struct pair *p, const char *code, const tl_error *error,
                 struct arena *a, struct err *e);
/* A row that nothing can be done about any more. */
int undo_skip(struct engine *g, struct plan_item *item, const char *code, const char *detail, struct err *e);
/* undo_trash.c: records that the run made. The side of the pair where it did; -1: on neither. */
int undo_made_side(struct engine *g, const struct undo_ask *ask, const struct loaded *ld, struct arena *a, int *side,
                   struct err *e);
/* Its row, planned where nothing speaks against it. */
int undo_plan_made(struct engine *g, const struct undo_ask *ask, struct g_link *l, const struct loaded *ld, int side,
                   struct arena *a, bool *planned, struct err *e);
/* One whose row is planned: *done when the pair waits for its read or its delete. */
int undo_trash(struct engine *g, struct g_link *l, struct loaded *ld, struct builder *b, struct arena *a, bool *done,
               struct err *e);
int undo_trashed(struct engine *g, const struct g_batch *b, const struct g_entry *entry, struct arena *a,
                 struct err *e);
/* undo_brake.c: the link is braked for its changes, and this takes them back. */
bool undo_passes(const struct g_link *l);
bool undo_past_brake(struct engine *g, struct g_link *l);
/* The run a pair is marked for; 0: none. */
int64_t undo_of_pair(const struct pair *p);
int undo_mark(struct engine *g, struct pair *p, int64_t run, int32_t lane, struct arena *a, struct err *e);
#endif
