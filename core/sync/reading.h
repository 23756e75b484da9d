#ifndef READING_H
#define READING_H
/* What comes in: feeds and their passes, what is observed of a record, and what that means for views and windows. */
#include "engine_int.h"

/* ---- feed.c, pass.c */
bool feed_turn(struct engine *g, struct g_feed *f);
int64_t feed_due(const struct engine *g, const struct g_feed *f);
void feed_call_done(struct engine *g, struct call *c);
bool feed_take_page(struct engine *g, struct g_feed *f); /* one transaction; false: none has come */
void feed_want(struct g_feed *f, int64_t rec, str id, int64_t due, int64_t pair);
/* The record is read by its id and looked at anew, also when it comes unchanged. */
int feed_reread(struct engine *g, struct g_feed *f, const struct record *r, int64_t pair, struct err *e);
void feed_fetched(struct engine *g, struct call *c);
const tl_shape *feed_call_shape(const struct g_feed *f, struct call *c); /* a copy that lives as long as the call */
str feed_call_stamp(const struct g_feed *f, struct call *c); /* its stamp field by the vendor's name; empty: none */
bool feed_ready(const struct g_feed *f);                     /* full pass under this shape, lookups whole */
bool link_feeds_ready(const struct engine *g, const struct g_link *l); /* those it reads and those it looks up in */
bool feed_is_truth(const struct g_feed *f); /* its local index shows every record of the kind */
bool pass_turn(struct engine *g, struct g_feed *f);
bool pass_has_work(const struct g_feed *f); /* look-ups to build, or vanished records to find */
int pass_begin(struct engine *g, struct g_feed *f, struct err *e);

/* ---- observe.c */
struct observed {
    int64_t rec;
    bool unchanged, is_new, stale; /* stale: a later answer is known already */
    int32_t state;                 /* of the record in this feed: TL_STATE_*, REC_OUT_OF_SCOPE */
};
enum { OBSERVE_FEED = 0, OBSERVE_GET = 1, OBSERVE_PASS = 2 };
struct observe_how {
    int via;
    int64_t sent_us; /* our clock when the question was asked */
    bool missed;     /* it was asked because a whole reading had not met the record */
};
int observe(struct engine *g, struct g_feed *f, const tl_record *r, str raw, const struct observe_how *how,
            struct observed *out, struct err *e);
/* The vendor does not know the id any more (404), will not show it (403), or a list view has lost it or shows it again.
 * into: survivor of a merge, else empty. */
int observe_state(struct engine *g, struct g_feed *f, int64_t rec, int32_t state, str into, struct err *e);
/* Our own write deleted it, and the vendor has said so: a deletion like any other for the other links that read it. */
int observe_deleted(struct engine *g, struct g_feed *f, int64_t rec, struct err *e);
/* The same in the vendor's own words: an answer without values about a record that is known. */
int observe_told(struct engine *g, struct g_feed *f, int64_t rec, const tl_record *r, const struct observe_how *how,
                 struct err *e);

/* ---- scope.c */
enum { SCOPE_UNKNOWN = -1 };
/* What the state of a record becomes by this answer; known: as it was, SCOPE_UNKNOWN for a new one. */
int32_t scope_state(const struct g_feed *f, const tl_record *r, int via, int32_t known);
/* A page shows again what was outside, in an answer that tells nothing new otherwise. */
int scope_entered(struct engine *g, struct g_feed *f, const struct record *known, const tl_record *r, int via,
                  struct err *e);
/* A pass did not meet it: outside of the view, unless the vendor says when asked for it that it is gone. */
int scope_vanished(struct engine *g, struct g_feed *f, const struct record *rec, struct err *e);

/* ---- window.c */
int64_t window_from(const struct engine *g, const struct g_link *l); /* as of now; 0: none */
bool record_in_window(const struct engine *g, const struct g_link *l, const struct record *r);
void feed_window(struct g_feed *f, int64_t *fixed_us, int64_t *slides_us); /* of its links together; 0: none */
int64_t feed_created_from(const struct engine *g, const struct g_feed *f); /* as a pull is told; 0: all */
/* A reference leads to this record, which has no pair: one from before the window is admitted. One that is not known is
 * read first; pair_woken is looked at again then (0: none, as who is parked for it is woken). In a transaction. */
int window_referred(struct engine *g, struct g_link *l, int s, str id, int64_t pair_woken, struct arena *a,
                    struct err *e);
/* A counterpart was found: from before the window it is paired, not doubled, and left alone. */
int window_matched(struct engine *g, struct g_link *l, struct pair *p, int side, int64_t rec_id, struct arena *a,
                   struct err *e);
/* One slice after a start, until l->recall_after is -1: whom others wait for is asked for again. */
bool window_recall(struct engine *g, struct g_link *l);
/* It came and is outside: admitted where a pair waits for it. */
int window_outside(struct engine *g, struct g_link *l, int s, const struct record *rec, struct err *e);

/* ---- shift.c */
void shift_begin(struct g_feed *f);                       /* nothing counted: a pass begins, or another shape */
void shift_met(struct g_feed *f);                         /* a pass met a record that is known */
void shift_note(struct g_feed *f, str before, str after); /* and it is another one */
bool shift_found(const struct g_feed *f, uint32_t *field_out);
bool shift_holds(const struct g_link *l);

/* ---- unusable.c */
enum { REMOTE_ID_MAX = 255 }; /* bytes, as in the store */
int record_unusable(struct engine *g, struct g_feed *f, const tl_record *r, struct err *e);
/* A usable record of this id came, changed or not: what was told of an unusable one is over. Costs nothing while the
 * feed has none open. */
int record_usable(struct engine *g, struct g_feed *f, str id, struct err *e);
static inline bool record_has_left(int32_t state)
{
    return state == TL_STATE_TRASHED || state == TL_STATE_DELETED || state == TL_STATE_MERGED;
}
/* The record is gone: what was told of it alone, without a pair, is over. */
int record_over(struct engine *g, struct g_feed *f, str id, struct err *e);
/* It was found to be the counterpart of another: likewise. */
int record_paired(struct engine *g, const struct g_link *l, int side, str id, struct err *e);
/* A whole reading that began then met everything there is: unusable records it did not meet are gone. */
int unusable_unmet(struct engine *g, struct g_feed *f, int64_t since_us, struct err *e);
/* The vendor answered a question for this very record a moment ago. What a list showed does not count: it may have been
 * edited since. */
void asked_note(struct engine *g, int64_t rec);
void asked_forget(struct engine *g, int64_t rec); /* it was written since */
void asked_forget_all(struct engine *g);
bool asked_just_now(const struct engine *g, int64_t rec);
/* Shape-indexed values of a record to an observation blob. */
void observation_of(const struct g_feed *f, const tl_record *r, struct arena *a, struct buf *out);
bool stamp_is_ours(const struct engine *g, str stamp);
int observe_lookups(struct engine *g, struct g_feed *f, const struct record *made, struct arena *a, struct err *e);
/* A record was stored anew; was, old: its state and observation before. Whoever waited for its key decides anew. */
int observe_moved(struct engine *g, struct g_feed *f, const struct record *now, int32_t was, str old, struct arena *a,
                  struct err *e);
/* The written side of this pair is known as read: its base is set from that. */
int observe_settle(struct engine *g, struct g_link *l, int side, int64_t pair, struct arena *a, struct err *e);
/* A living record without a pair that one of the link used to hold (*held) takes its place again, or fails. */
int observe_returned(struct engine *g, struct g_link *l, int s, const struct record *rec, bool *held, struct err *e);
/* Looks again at records held while an intent was open. */
void held_release(struct engine *g, struct g_link *l);

/* ---- admin_person.c */
/* The record was erased with its person: nothing of it is stored. */
int erased_is(struct engine *g, const struct g_endpoint *ep, str kind, str id, bool *out, struct err *e);
#endif
