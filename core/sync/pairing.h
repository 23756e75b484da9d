#ifndef PAIRING_H
#define PAIRING_H
/* A pair as the planner sees it, and how records find their counterparts. */
#include "engine_int.h"

/* ---- snapshot.c */
struct loaded {
    struct pair pair;
    struct record rec[2];
    struct snapshot snap;
    tl_value *values[2], *base[2];
    bool *has_base[2];
    int64_t *chg[2];
    struct ref_target *refs[2];
    int64_t undo; /* the run whose write is put into a batch next; 0: a write of the sync itself */
};
/* Reads a pair with both records and makes the planner's view of it. */
int snapshot_load(struct engine *g, struct g_link *l, int64_t pair, struct arena *a, struct loaded *out, struct err *e);
/* The values of the link's fields in an observation of side s, in the order of its rules: out[n_fields]. */
void link_values(const struct g_link *l, int s, str observation, tl_value *out, struct arena *a);
/* snapshot_load when out->pair and out->rec[] are filled already. */
int snapshot_make(struct engine *g, struct g_link *l, struct arena *a, struct loaded *out, struct err *e);
/* One-sided: a record without a pair. */
int snapshot_of_record(struct engine *g, struct g_link *l, int side, const struct record *rec, struct arena *a,
                       struct loaded *out, struct err *e);
/* The pair of ld as it was when the write was decided whose intent is still open. */
int snapshot_at_write(struct engine *g, struct g_link *l, const struct loaded *ld, struct arena *a, struct loaded *out,
                      struct err *e);
enum side_state side_state_of(const struct record *r);
/* A pair of this link was bound or let go, or one of its records changed its state. */
void refs_changed(struct engine *g, const struct g_link *l);
/* Every field of both sides is agreed as it is observed. */
void bases_same(struct loaded *ld);
void bases_none(const struct g_link *l, struct loaded *ld, struct arena *a); /* nothing is: a new counterpart */
/* New bases into the pair: for every field where agreed[i], base[s] := value[s]; the others stay as they are. */
void bases_set(struct g_link *l, struct loaded *ld, const bool *agreed, const tl_value *value[2], struct arena *a);
/* A person decided field i: the side `winner` has the change, the other one what was agreed on before. */
void bases_decide(struct g_link *l, struct loaded *ld, uint32_t i, int winner, struct arena *a);
/* The bases of side s become what those of the other side say where the two do not belong to one agreement, and, where
 * its own were lost, for every field. */
int bases_follow(struct engine *g, struct g_link *l, struct loaded *ld, int s, bool lost, struct arena *a,
                 struct err *e);
/* pair.extra: what only few pairs need. */
enum {
    EXTRA_WRITTEN_A = 'a', /* the fields (map numbers) written to that side and not seen again yet */
    EXTRA_WRITTEN_B = 'b',
    EXTRA_CRASHES = 'c',    /* of the connector, at this record */
    EXTRA_DELETED = 'd',    /* the side whose deletion travels (deletion.c) */
    EXTRA_LOOP_UNTIL = 'l', /* guard.c: times */
    EXTRA_PARTED_A = 'o',   /* what was ours in a record that a person parted from another (parting.h) */
    EXTRA_PARTED_B = 'p',
    EXTRA_RELEASED = 'r',
    EXTRA_UNDO = 'u',  /* the undoing run */
    EXTRA_UNSURE = 'q' /* the create of which nobody can tell whether it was done (resolve.c) */
};
static inline char extra_written(int side)
{
    return side ? EXTRA_WRITTEN_B : EXTRA_WRITTEN_A;
}
str extra_get(str extra, char tag);
str extra_set(str extra, char tag, str value, struct arena *a); /* an empty value removes */
void chg_encode(struct g_link *l, const struct loaded *ld, struct arena *a, str *out);
/* Side s is about to be known as written by us, which moves the time of the record (modified_us: before). A value that
 * the write left alone and that was never agreed on stays as old as it was: where the later edit wins, ours is none. */
void chg_keep(const struct g_link *l, struct loaded *ld, int s, const bool *agreed, int64_t modified_us);

/* ---- match.c */
enum match { MATCH_NONE, MATCH_ADOPT, MATCH_AMBIGUOUS, MATCH_TAKEN, MATCH_SEARCH, MATCH_WAIT };
struct match_result {
    enum match match;
    int64_t rec;    /* ADOPT, TAKEN: the hit */
    int64_t pair;   /* its one-sided pair, or the pair that has it */
    char text[200]; /* for the failure row: ids */
};
int match_decide(struct engine *g, struct g_link *l, int source, const struct record *rec, bool searched,
                 struct arena *a, struct match_result *out, struct err *e);
bool link_walk(struct engine *g, struct g_link *l); /* PHASE_OBSERVE .. PHASE_DRAIN */
/* Every pair of the link is looked at again, a slice at a time; what has begun goes on after a restart. In a
 * transaction. */
int link_wake_all(struct engine *g, struct g_link *l, bool begins, struct err *e);
bool link_wakes_all(struct engine *g, const struct g_link *l);
/* What is stored of a side is not what was written there: the record is read anew, also when it comes unchanged. */
int damaged_reread(struct engine *g, struct g_link *l, struct loaded *ld, struct err *e);
bool match_find_dispatch(struct engine *g, struct g_link *l, int target, const int64_t *pairs, const str *values,
                         unsigned n);
void match_find_done(struct engine *g, struct call *c);
/* Live records of one side with this one's match key, itself included. ids is filled for the first of them alone, the
 * one that was there first; *n 0 for the others and without a key. */
int match_same_key(struct engine *g, struct g_link *l, int side, const struct record *rec, struct arena *a, str *key,
                   str *ids, unsigned *n, struct err *e);

/* Another live record of that side has the match key of this one, which is gone: its id; empty: none. */
int match_heir(struct engine *g, struct g_link *l, int side, const struct record *rec, struct arena *a, str *id_out,
               struct err *e);
/* The record had the match key of `old` and has it no more, or is gone: what waited because of it decides anew. */
int match_key_freed(struct engine *g, struct g_link *l, int side, const struct record *now, str old, struct arena *a,
                    struct err *e);

/* ---- orphan.c */
bool orphan_turn(struct engine *g, struct g_link *l);
bool orphan_asked(const struct engine *g, const struct g_feed *f, str stamp);
/* The record bears a stamp because another link of today made it: for this one it is a record like any other. */
int stamp_of_other_link(struct engine *g, const struct g_link *l, int64_t rec, bool *out, struct err *e);
/* A record that is known already, with its stamp as just read: held for the links that ask and have no pair of it. */
int orphan_again(struct engine *g, const struct g_feed *f, int64_t rec, str stamp, struct err *e);

/* ---- parking.c */
/* What the plan wants to write, or has to, refers to records of that side without a counterpart: the pair waits for
 * them, those from before a window are admitted. In a transaction. */
int refs_wait(struct engine *g, struct g_link *l, const struct loaded *ld, const struct plan *plan, int side,
              struct arena *a, struct err *e);
/* The record id of `side` has its counterpart from now on, or has it again: who waits for that is woken. */
int refs_lead(struct engine *g, struct g_link *l, int side, str id, struct err *e);

/* What was sent only stands in for the record that the source refers to: nothing is agreed on, the value follows. */
bool stood_in(const struct loaded *ld, const struct g_entry *entry, const struct rule_field *f, int source, uint32_t i);
#endif
