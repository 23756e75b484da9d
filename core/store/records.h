#ifndef RECORDS_H
#define RECORDS_H
/* Records: one row per remote record, however many links and feeds' subscribers use it.
 *
 * The store keeps one promise by itself: an observation on which something still stands is not lost when a newer one
 * replaces it. record_put() copies the old one into every pair whose base says "equal to the observation", and into
 * intent_source for every pair whose intent is open. */
#include "db.h"

enum {                       /* record.state: the SDK's TL_STATE_* and one of ours */
       REC_OUT_OF_SCOPE = 16 /* lives at the vendor, but outside window, filter or view */
};

struct record {
    int64_t rec, feed;
    str id;               /* remote id as the vendor writes it */
    int32_t state;        /* TL_STATE_*, REC_OUT_OF_SCOPE */
    int32_t version_kind; /* TL_VER_* */
    str version;
    int64_t modified_us, created_us; /* vendor's clock, uncorrected; 0: not told */
    int64_t seen_us;                 /* our clock at the last accepted observation */
    uint64_t seen_hash;              /* of the bytes emitted */
    int64_t recheck_us;              /* look again then, for versions too coarse to trust; 0: no */
    str into;                        /* TL_STATE_MERGED: survivor */
    str by;                          /* remote user of the last change */
    str stamp;                       /* kept only while it needs an explanation; empty otherwise */
    str observation;                 /* empty: not observed yet (known from a write or a reference) */
    bool damaged;                    /* out: observation or identity fail their checksum. Do not plan from it */
};

/* What an incoming event is first held against: one probe, no write when the hash is the same. */
struct record_probe {
    int64_t rec;
    uint64_t seen_hash;
    int32_t state;
    bool observed;
    bool bare; /* known from a write of ours only: no observation, version, recheck, survivor or stamp */
};
int record_probe(struct db *db, int64_t feed, str id, struct record_probe *out, struct err *e); /* TL_E_NOT_FOUND */

int record_get(struct db *db, struct arena *a, int64_t rec, struct record *out, struct err *e);
int record_find(struct db *db, struct arena *a, int64_t feed, str id, struct record *out, struct err *e);
/* rec 0: inserts and fills rec (E_EXISTS when (feed, id) is there). Else replaces everything but feed and id, after
 * keeping the old observation where it is needed. Sort a page by id before inserting it: neighbours share pages. */
int record_put(struct db *db, struct record *r, struct err *e);
/* The first observation of a record that probed as bare: the row replaced whole, as by record_put. Nothing can stand on
 * what was not there, so nothing is kept; the bases of the pairs that hold the record are the caller's. An observation
 * is there already: TL_E_NOT_FOUND. */
int record_first(struct db *db, const struct record *r, struct err *e);
/* The same content under another version, hash or time: what O3 calls accepted without change of values. */
int record_touch(struct db *db, int64_t rec, str version, int32_t version_kind, int64_t modified_us, int64_t seen_us,
                 uint64_t seen_hash, struct err *e);
int record_set_state(struct db *db, int64_t rec, int32_t state, str into, int64_t seen_us, struct err *e);
int record_set_recheck(struct db *db, int64_t rec, int64_t recheck_us, struct err *e);
int record_set_stamp(struct db *db, int64_t rec, str stamp, struct err *e);
/* Records of the feed whose recheck is due, oldest first. */
int record_due_rechecks(struct db *db, int64_t feed, int64_t now_us, int64_t *recs, size_t max, size_t *n,
                        struct err *e);
int record_find_stamp(struct db *db, int64_t feed, str stamp, int64_t *rec_out, struct err *e);
/* Next records of the feed in the order in which they were first heard of, after record number `after` (0: from the
 * start); whole rows. *n < max: end. The place of a walk is the number of the last one: a restart goes on there. */
int record_walk(struct db *db, struct arena *a, int64_t feed, int64_t after, size_t max, struct record **out, size_t *n,
                struct err *e);
/* The same for a link that looks for what has no counterpart: where (*paired_out)[i] the link has a pair for it on side
 * s (the one without slot), as the page was read, and only rec is filled. */
int record_walk_link(struct db *db, struct arena *a, int64_t feed, int64_t link, enum side s, int64_t after, size_t max,
                     struct record **out, bool **paired_out, size_t *n, struct err *e);
/* E_PRECONDITION when a pair, an old id or a held row still refers to it. Its lookup keys are the caller's:
 * lookup_change() first. */
int record_delete(struct db *db, int64_t rec, struct err *e);

/* ---- Lookup: which records of a feed have this e-mail, name or number ------------------------------------------ */

enum lookup_kind {
    LOOKUP_EMAIL = 1, /* text_fold() of an address */
    LOOKUP_NAME = 2,  /* text_fold() of the name */
    LOOKUP_PHONE = 3, /* last 9 digits of any of its numbers: lookup_key.number */
    LOOKUP_CODE = 4,  /* product code and the like, folded */
    /* Of one field: the kind is one of these and the number of the field. */
    LOOKUP_TEXT_OF = 1 << 24,   /* text_fold() */
    LOOKUP_DIGITS_OF = 2 << 24, /* last 9 digits, as text; of a shorter number all */
    LOOKUP_REF_OF = 3 << 24     /* remote id of the record it refers to */
};
struct lookup_key {
    int32_t kind;
    str text;       /* long keys are shortened here, in one way on both sides */
    int64_t number; /* LOOKUP_PHONE */
};
bool lookup_key_same(const struct lookup_key *a, const struct lookup_key *b);
/* The next kind of keys that the feed has rows of, after that one (0: the first); TL_E_NOT_FOUND: there is none. */
int lookup_kind_next(struct db *db, int64_t feed, int32_t after, int32_t *kind_out, struct err *e);
/* Records with this key, lowest id first; at most max; *n may be less. */
int lookup_find(struct db *db, int64_t feed, const struct lookup_key *k, int64_t *recs, size_t max, size_t *n,
                struct err *e);
/* Makes the keys of a record what they should be; old: those it had (both lists short, any order). */
int lookup_change(struct db *db, int64_t feed, int64_t rec, const struct lookup_key *old, size_t n_old,
                  const struct lookup_key *now, size_t n_now, struct err *e);
int lookup_clear(struct db *db, int64_t feed, int max_rows, bool *done_out, struct err *e); /* before a rebuild */

/* Bulk build after a first pass: collects keys, then writes them in key order, slice by slice. A crash in between:
 * lookup_clear and again, until feed.lookup_hash is set. */
struct lookup_build;
struct lookup_build *lookup_build_new(struct db *db, int64_t feed);
struct lookup_build *lookup_build_free(struct lookup_build *b);
AUTO_FN(struct lookup_build *, lookup_build_free)
/* True: enough collected (about 16 MiB): write before adding more. */
bool lookup_build_add(struct lookup_build *b, const struct lookup_key *k, int64_t rec);
/* A record whose keys were collected already has others now: what is told last counts. */
void lookup_build_change(struct lookup_build *b, int64_t rec, const struct lookup_key *old, size_t n_old,
                         const struct lookup_key *now, size_t n_now);
/* Writes up to max_rows of what was collected; *empty_out when all of it is written. Inside the caller's transaction
 * if there is one. Nothing is forgotten before the next call, so a rolled back slice can be written again:
 * lookup_build_repeat goes back to the start of the collected keys. */
int lookup_build_write(struct lookup_build *b, int max_rows, bool *empty_out, struct err *e);
void lookup_build_repeat(struct lookup_build *b);
#endif
