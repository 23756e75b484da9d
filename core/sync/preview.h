#ifndef PREVIEW_H
#define PREVIEW_H
/* A first sync looked at beforehand: both sides are read, nothing is written to anybody, and what would be done is kept
 * as rows of a dry run (plans.h). The decisions are those of the planner and of matching, as they stand; what the dry
 * run has decided so far stands in for the pairs that a real one would have made.
 *
 * Everything but plan_basis: [control]. */
#include "engine_int.h"
#include "plans.h"

/* preview.c */
/* The dry run of a connection, and where it stands. In memory: a restart walks again over what was read. */
struct preview {
    int64_t run, only; /* only: one link; 0: every one that never ran */
    int64_t link;      /* being walked; 0: none yet */
    int32_t topo;
    int step;
    int64_t after;      /* place of the walk over records */
    int64_t after_pair; /* place of the walk over pairs */
    int64_t seen;
};
int preview_begin(struct engine *g, struct g_conn *c, int64_t only_link, int64_t *run_out, struct err *e);
/* Ends a running one; what it found so far stays readable. */
int preview_end(struct engine *g, struct g_conn *c, int32_t state, struct err *e);
/* Does this link's dry run want its feeds read? */
bool preview_reads(const struct g_link *l);
bool preview_turn(struct engine *g);
int64_t preview_run(const struct g_conn *c);         /* 0: none goes on */
int preview_resume(struct engine *g, struct err *e); /* after a start */
void preview_free(struct engine *g, struct g_conn *c);

/* admin_preview.c */
int admin_preview_cancel(struct engine *g, struct g_conn *c, json_t **out, struct err *e);

/* preview_item.c */
struct dry { /* where rows go */
    int64_t run;
    int32_t state; /* ITEM_PLANNED; ITEM_ADDED for what came up after the plan was made */
};
/* What would become of a record without a pair. */
int dry_record(struct engine *g, struct g_link *l, const struct dry *d, int side, const struct record *rec,
               struct err *e);
int dry_pair(struct engine *g, struct g_link *l, const struct dry *d, int64_t pair, struct err *e);
/* The record bears a mark that this source explains: they belong together. *done: there was one. */
int dry_by_mark(struct engine *g, struct g_link *l, const struct dry *d, int side, const struct record *source,
                bool *done, struct err *e);
/* The running first sync was approved as a plan and comes to this record: rows that no longer hold are marked, and what
 * is done in their place is listed. */
int dry_recheck(struct engine *g, struct g_link *l, int side, const struct record *rec, struct err *e);

/* What stands in for pairs while a dry run is made (engine.dry_run). */
int dry_paired(struct engine *g, const struct g_link *l, int side, int64_t rec, bool *out, struct err *e);
int dry_reference(struct engine *g, const struct g_link *to, int side, str id, struct arena *a, struct ref_target *out,
                  struct err *e);

/* plan_basis.c: maps and settings that a plan of these links was made from, as a number. Pure over the store. [any] */
int plan_basis(struct db *db, int64_t connection, int64_t only_link, uint64_t *out, struct err *e);
#endif
