#ifndef WRITING_H
#define WRITING_H
/* From what is due to what is written: batches, their outcomes, what becomes of a write that did not go. */
#include "pairing.h"

/* ---- work.c */
/* Batches being filled in one slice, and the searches it wants. */
struct builder {
    struct g_batch *batches;
    int room[2], had[2];
    bool starved[2];
    int over;           /* TL_OP_* of a write that the budget of the run does not allow; 0: none */
    struct arena arena; /* texts of the searches */
    unsigned n_find;
    int64_t find_pairs[FIND_MAX];
    str find_values[FIND_MAX];
    int find_target[FIND_MAX];
};
bool link_work(struct engine *g, struct g_link *l);
/* The record of that side must be asked for once more before it may be written. */
bool work_reads_first(const struct engine *g, const struct g_link *l, const struct loaded *ld, int target);
int pair_later(struct engine *g, struct g_link *l, struct loaded *ld, int64_t due_us, struct err *e);
void builder_start(struct engine *g, struct g_link *l, enum lane lane, struct builder *b);
bool builder_has_room(const struct builder *b, int side);
/* Opens the intents of all batches inside the caller's transaction. */
int builder_intents(struct engine *g, struct g_link *l, struct builder *b, struct err *e);
/* After the commit: seals and submits, or drops everything when rc says that the commit failed. */
void builder_send(struct engine *g, struct g_link *l, struct builder *b, int rc);
/* Puts one write into a batch; a pair that is not stored yet is inserted with its intent. E_BUSY: no room left. */
int builder_add(struct engine *g, struct g_link *l, struct builder *b, int side, int op, struct loaded *ld,
                const struct plan *plan, struct err *e);
/* A value of the source is not sent with a create at `side`: a reference that leads nowhere yet, or a field that is
 * gone or read-only for now. It is not agreed on. */
bool create_leaves_out(const struct g_link *l, int side, uint32_t i, const tl_value *source, uint8_t verdict);
/* A side was written by us and not seen since: it is asked for before anything is decided, and the pair *waits. */
int work_unseen(struct engine *g, struct g_link *l, struct loaded *ld, bool *waits, struct err *e);
/* What a plan asks of one pair; searched: the vendor was asked for counterparts and they are observed. */
int work_pair(struct engine *g, struct g_link *l, struct loaded *ld, struct builder *b, bool searched, struct arena *a,
              struct err *e);
void link_lanes_stale(struct g_link *l);
/* Nothing more can be sent to these sides for this lane now. */
void lane_waits(struct engine *g, struct g_link *l, int lane, bool a, bool b);
/* PLAN_FAIL in words: what the failure row says. Texts in the arena. */
void plan_trouble(const struct g_link *l, const struct loaded *ld, const struct plan *plan, int side, struct arena *a,
                  struct trouble *out);

/* ---- guard.c: each sets *tripped or *done when the pair has been dealt with */
/* A field goes back and forth: the pair rests for a day (PAIR_LOOP), or until a person lets it go on. */
int guard_loop(struct engine *g, struct g_link *l, struct loaded *ld, const struct plan *plan, struct arena *a,
               bool *tripped, struct err *e);
int64_t guard_rests_until(const struct pair *p); /* 0: it does not rest */
void guard_release(struct pair *p, int64_t now_us, struct arena *a);
/* What was brought back twice within a day was deleted again twice: not a third time. */
int guard_recreation(struct engine *g, struct g_link *l, struct loaded *ld, int target, struct arena *a, bool *tripped,
                     struct err *e);
/* The record of that side was merged into another one at its vendor. */
int guard_merged(struct engine *g, struct g_link *l, struct loaded *ld, int side, struct arena *a, bool *done,
                 struct err *e);

/* ---- change.c */
/* was: the pair as it was when the write was decided; NULL: nothing is known of a record before. */
int change_note(struct engine *g, struct g_link *l, const struct g_batch *b, const struct g_entry *entry,
                const struct loaded *was, str id, struct arena *a, struct err *e);

/* ---- batch.c, push.c, apply.c */
int32_t field_of_number(const struct g_link *l, uint32_t number); /* index of the rules' field; -1: none */
void push_submit(struct engine *g, struct g_batch *b, uint32_t first, uint32_t n);
void push_call_done(struct engine *g, struct call *c);
struct g_batch *batch_find(struct engine *g, int64_t intent);
void batch_source_moved(struct engine *g, int64_t intent, int64_t pair);
struct g_batch *batch_free(struct g_batch *b);
void batch_link(struct engine *g, struct g_batch *b); /* it is open now */
void batch_unlink(struct engine *g, struct g_batch *b);
/* Outcome of entry i was success: id, version and, if known, the record after the write. Inside a transaction. */
int push_apply(struct engine *g, struct g_link *l, struct g_batch *b, uint32_t i, const tl_record *post, bool observed,
               struct err *e);
/* Only this part of an update was applied; post was observed. Its entry is the caller's. */
int push_apply_part(struct engine *g, struct g_link *l, struct g_batch *b, struct g_entry *part, const tl_record *post,
                    struct err *e);
/* The entry's write did not happen: look at the pair again after due_us. */
int push_drop(struct engine *g, struct g_link *l, struct g_batch *b, uint32_t i, int64_t due_us, struct err *e);
/* The row of its intent: the entries that are not done, their texts in the arena. */
struct intent batch_row(const struct g_batch *b, int32_t state, struct arena *a);
/* Ends the transaction's part of entries that are done: settles the intent row. */
int batch_settle(struct engine *g, struct g_batch *b, struct err *e);
void batch_sweep(struct engine *g, struct g_batch *b); /* after the commit: frees a batch that is through */

/* ---- resolve.c */
bool resolve_turn(struct engine *g);
void resolve_call_done(struct engine *g, struct call *c);
int create_class(const struct g_link *l, int target); /* 1 .. 4 */
/* Of the counterpart that would be made for the pair now: how many it had there before. */
static inline uint32_t create_generation(const struct pair *p, int side)
{
    return (uint32_t)p->gen[side] + (p->rec[side] ? 1u : 0u);
}
/* It was sent already, and nobody can tell whether it was done. */
bool create_is_unsure(const struct pair *p, int side, struct arena *a);

/* ---- retry.c */
const char *reason_code_of(int32_t reason);  /* of refused data */
str utf8_cut_bytes(str s, size_t max_bytes); /* whole characters */
struct trouble {
    const char *code;
    int32_t reason;
    str field, vendor_code, vendor_text, id;
    const char *text;
    int side;
};
/* Writes the failure row, sets the pair's status and due. */
int fail_pair(struct engine *g, struct g_link *l, struct pair *p, const struct trouble *t, struct err *e);
int fail_record(struct engine *g, struct g_link *l, const struct trouble *t, struct err *e);
/* By the class of a per-record error: backoff, failure row, re-read. The entry is not applied. */
int retry_entry(struct engine *g, struct g_link *l, struct g_batch *b, uint32_t i, int status, const tl_error *error,
                struct err *e);
/* Nobody said what became of entry i, and it is known now that it was not written: it is decided anew, later each time
 * that happens, and noted as a failure after as many times as any other trouble that passes. */
int retry_undone(struct engine *g, struct g_link *l, struct g_batch *b, uint32_t i, struct err *e);
#endif
