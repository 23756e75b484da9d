#ifndef PAIRS_H
#define PAIRS_H
/* Pairs: the id mapping of a link. A pair names two records and what both sides agreed on. Ids are never reused. */
#include "db.h"
#include "records.h"

enum pair_status {
    PAIR_OK = 0,
    PAIR_PARKED = 1,
    PAIR_FAILED = 2,
    PAIR_LOOP = 3,
    PAIR_QUARANTINED = 4,
    PAIR_TOMBSTONE = 5,
    PAIR_IGNORED = 6 /* an admin's decision: stays as it is */
};
const char *pair_status_name(int32_t status); /* "ok"; never NULL */

/* Order of work inside a link and of the call budget. */
enum lane { LANE_ACTION = 0, LANE_LIVE = 1, LANE_RETRY = 2, LANE_SWEEP = 3, LANE_BULK = 4, LANE_COUNT = 5 };

enum {                     /* pair.flags */
       PAIR_ADOPTED = 1,   /* both records existed before */
       PAIR_CREATED_A = 2, /* our create made the record of side A (B) */
       PAIR_CREATED_B = 4,
       PAIR_ADMITTED = 8,   /* from before the window, referred to from inside */
       PAIR_OUTSIDE_A = 16, /* matched although side A (B) is from before the window: paired and left alone */
       PAIR_OUTSIDE_B = 32
};
enum { PAIR_UNSETTLED_A = 1, PAIR_UNSETTLED_B = 2 }; /* pair.unsettled: written, not seen again yet */

/* What one side last agreed to. */
enum base_kind {
    BASE_NONE = 0, /* nothing yet */
    BASE_SAME = 1, /* equal to the record's observation: costs nothing to keep */
    BASE_OWN = 2   /* the blob (obs.h); it may hold fewer fields than an observation */
};
struct pair_base {
    int32_t kind;
    str blob; /* BASE_OWN */
    bool set; /* pair_store() writes it; false leaves what is stored, also what record_put() put there meanwhile */
};

struct pair {
    int64_t pair, link;
    int64_t rec[2]; /* 0: no record on that side */
    str slot;       /* empty but where one source record has several targets of one kind */
    int32_t status;
    uint32_t flags, unsettled;
    int32_t gen[2]; /* creation generation per side */
    struct pair_base base[2];
    str chg;        /* the engine's: field times (varints) */
    str extra;      /* the engine's: flip counters and what else is rare; empty for most */
    int64_t due_us; /* when there is work to look at; 0: none */
    int32_t lane;
    int32_t attempts;
    int64_t intent;  /* open intent, 0: none */
    int64_t run;     /* the run that created a record for it; 0: none did */
    int64_t map_gen; /* of the link when it last settled */
    int64_t made_us, synced_us;
    bool damaged; /* out: a base fails its checksum */
    struct {      /* the store's own, filled by reads: do not touch */
        int64_t rec[2], due_us, intent, run, map_gen;
        int32_t lane, status, attempts, gen[2];
        uint32_t flags, unsettled;
        str chg, extra;
    } was;
};

/* What the side agrees to from now on. kind BASE_OWN: blob is lent until pair_store(). */
static inline void pair_set_base(struct pair *p, enum side s, enum base_kind kind, str blob)
{
    p->base[s] = (struct pair_base){.kind = kind, .blob = blob, .set = true};
}

/* Fills p->pair. (link, a_rec, slot) or (link, b_rec) taken: E_EXISTS, code ALREADY_MAPPED, naming the pair in the way.
 * p->intent may be an id from intent_reserve(): the pair is then born with its intent. */
int pair_insert(struct db *db, struct pair *p, struct err *e);
int pair_get(struct db *db, struct arena *a, int64_t pair, struct pair *out, struct err *e);
/* With both records, for the planner; a side without record has rec[s].rec 0. */
int pair_load(struct db *db, struct arena *a, int64_t pair, struct pair *out, struct record rec[2], struct err *e);
/* Pair of a link that holds this record now. With several (slots): the one of slot. */
int pair_of_record(struct db *db, int64_t link, enum side s, int64_t rec, str slot, int64_t *pair_out, struct err *e);
/* The same, the whole row at once. */
int pair_get_of_record(struct db *db, struct arena *a, int64_t link, enum side s, int64_t rec, str slot,
                       struct pair *out, struct err *e);
/* What a reference leads to on the other side: one query, no observation is read. s: the side the reference is on,
 * feed: that of the records it names, id: the remote id it holds. TL_E_NOT_FOUND: no such record, or it has no pair. */
struct counterpart {
    int64_t pair;
    int64_t rec; /* of the other side; 0: it has none yet */
    int32_t state;
    str id;
};
int pair_counterpart(struct db *db, struct arena *a, int64_t link, enum side s, int64_t feed, str id,
                     struct counterpart *out, struct err *e);
/* All pairs, of all links, that hold this record on side s now, each with the record of its other side: what is to be
 * looked at when the record was seen, in one query. other.rec 0: there is none. */
struct pair_held {
    struct pair pair;
    struct record other;
};
int pair_load_of_record(struct db *db, struct arena *a, enum side s, int64_t rec, struct pair_held **out, size_t *n,
                        struct err *e);
struct pair_ref {
    int64_t pair, link;
    int32_t side, status;
    int64_t intent;
};
/* All pairs, of all links, that hold this record now. */
int pair_list_of_record(struct db *db, struct arena *a, int64_t rec, struct pair_ref **out, size_t *n, struct err *e);
/* Writes all members but pair, link, slot and made_us, bases only where set. p must come from pair_get, pair_load or
 * pair_insert of this handle; an intent opened or closed for the pair since then makes it stale: TL_E_BUG. Changing
 * rec[] while an intent is open, unless the same write closes it: E_PRECONDITION (code INTENT_OPEN); a record that is
 * taken: E_EXISTS as in pair_insert. Set the base of a side whose record changes. To close an intent store the pair
 * with intent = 0, then call intent_settle(). */
int pair_store(struct db *db, struct pair *p, struct err *e);
/* The usual outcome of a first create, in one statement: the new record takes its side, its source side agrees with
 * what is stored, its own with nothing yet (unsettled), the intent is over. Nothing is written and *done_out is false
 * when the pair is not as it was born with that intent: then it is read, decided and stored. */
struct pair_created {
    int64_t pair, link, intent;
    enum side side;
    int64_t rec;
    int32_t gen;
    int64_t run, map_gen, synced_us;
};
int pair_created(struct db *db, const struct pair_created *c, bool *done_out, struct err *e);
/* Work to look at: sets due and lane unless an earlier due is there already; never postpones. Clears `failed` and
 * attempts when heal is set. A pair with an open intent comes up when the intent is closed. */
int pair_wake(struct db *db, int64_t pair, enum lane lane, int64_t due_us, bool heal, struct err *e);
/* An open intent: E_PRECONDITION. Old ids, conflicts, parked and held rows of the pair go too; the records stay. */
int pair_delete(struct db *db, int64_t pair, struct err *e);

/* Ids of a link's due pairs of one lane without open intent, by due, then id. Costs what it gives, not what waits. */
int pair_ready(struct db *db, int64_t link, enum lane lane, int64_t now_us, int64_t *pairs, size_t max, size_t *n,
               struct err *e);
/* Earliest due of that lane; TL_E_NOT_FOUND when there is no work. */
int pair_next_due(struct db *db, int64_t link, enum lane lane, int64_t *due_out, struct err *e);

/* How many are due until then, in any lane, without open intent. Costs what it counts. */
int pair_count_due(struct db *db, int64_t link, int64_t until_us, int64_t *out, struct err *e);

/* Looks at up to max tombstones of the link after *after and moves it on; deletes those whose records were both last
 * seen before this. The records stay. */
int tombstone_trim(struct db *db, int64_t link, int64_t *after, int64_t older_than_us, size_t max, bool *end_out,
                   struct err *e);

struct pair_filter {
    int64_t link;
    int32_t status; /* -1: any */
    int64_t run;    /* created in this run; 0: any */
    int64_t after;  /* id */
};
int pair_list(struct db *db, struct arena *a, const struct pair_filter *f, size_t max, struct pair **out, size_t *n,
              struct err *e);

/* What checks of the whole find: rows that break V1, V2 or refer to nothing. Looks at up to max pairs after *after and
 * moves it on; findings as text lines. [reader] */
int pair_fsck(struct db *db, int64_t *after, size_t max, struct buf *findings, bool *end, struct err *e);
#endif
