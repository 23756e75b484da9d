#ifndef PLAN_H
#define PLAN_H
/* The planner: what to do next with one pair. A function of (pair, link rules) and of nothing else: no clock, no store,
 * no connector. The same snapshot gives the same plan, which is what makes retries, restarts and previews safe.
 *
 * Terms: side 0 is A, side 1 is B. A value has an observation (as last read) and a base (as it was when both sides last
 * agreed on that field). changed(s, f): base missing, or observation differs from base in canonical form.
 *
 * Transformed fields. image(s) is what the other side's value becomes on its way to side s. Compared are always values
 * of one side, in that side's own canonical form:
 *  - changed(s) compares observation and base of side s, before any transform: an edit that no image shows is none.
 *  - equal: the image at a side that the row carries to is what that side holds. Where the row carries both ways, one
 * of the two images is enough. A lossy chain ("Ann LEE" -> upper -> "ANN LEE", and back by title) would otherwise never
 *    be quiet: what was written is right by the one image, what it was written from need not be by the other.
 *  - agreement moves the bases of both sides to their observations, so that each side is asked again only when it
 * changes.
 *  - an image `skip` writes nothing and counts as agreement; a value that has no image fails the record when it would
 *    have to be written, and never otherwise. In an adoption such a value loses against one that has an image.
 * Hence after a write of image(s) the pair is equal, whatever the chain loses: nothing is written twice (V4, V5, V6).
 */
#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "canon.h"
#include "tieline.h"
#include "transform.h"

enum link_direction { LINK_BOTH, LINK_A2B, LINK_B2A };
enum link_policy {
    POLICY_LINK = 0 /* a field's: as the link says */,
    POLICY_NEWEST,
    POLICY_A,
    POLICY_B,
    POLICY_MANUAL
};
enum link_drift { DRIFT_LEAVE, DRIFT_REVERT, DRIFT_REPORT };
enum link_restore { RESTORE_ON_UPDATE, RESTORE_ON_READ, RESTORE_NEVER };

/* One mapped field. */
struct rule_field {
    uint32_t number;    /* of the map row; never reused */
    uint32_t obs_no[2]; /* field numbers in the observations of the two sides */
    tl_field side[2];   /* as discovered; texts lent from the kinds */
    enum link_direction direction;
    enum link_policy policy;
    struct canon canon;
    int64_t ref_link; /* references: link of the referenced kind in this connection; else 0 */
    bool suspended;   /* schema drift: left alone */
    /* Transforms. to[s]: what becomes of the other side's value on its way to side s. carries[s]: values go that way.
     * Rows without any are not `transformed`, and mean the value as it is. A row may read further fields of its source
     * side: its value there is then the list of its own and theirs. */
    bool transformed, unless_blank;
    bool carries[2];
    const struct transform *to[2];
    struct canon own[2]; /* of each side's field alone */
    uint32_t n_more, more_no[TRANSFORM_FIELDS];
    tl_field more[TRANSFORM_FIELDS];
    int more_side;
    uint32_t base_no[2]; /* field number of the base: not the observation's where several rows share a field */
    int64_t since_gen;   /* map_gen with which it came into the map */
};

struct link_rules {
    enum link_direction direction;
    enum link_policy policy;
    int master; /* side that settles ties: 0 or 1 */
    enum link_drift drift;
    enum link_restore restore_on;
    bool deletes[2];            /* a deletion at the other side is sent to this one */
    uint32_t can[2];            /* TL_CAN_* of the two kinds */
    int64_t resolution_us[2];   /* of modified times */
    int64_t clock_offset_us[2]; /* vendor's clock minus ours */
    uint32_t n_fields;
    const struct rule_field *fields;
};

enum side_state { SIDE_NONE, SIDE_LIVE, SIDE_OUT_OF_SCOPE, SIDE_TRASHED, SIDE_DELETED, SIDE_MERGED, SIDE_FORBIDDEN };

/* Where a reference leads. The pair is the canonical value of a reference. */
struct ref_target {
    int64_t pair;   /* 0: the referenced record has no pair (yet) */
    str other_id;   /* its remote id on the other side; empty: none there (yet) */
    str fallback;   /* what stands in on the other side while there is none; empty: nothing does */
    bool stands_in; /* the value is what stands in on its own side: nobody's choice, as far as can be told */
};

struct snapshot_side {
    enum side_state state;
    bool is_b;
    const tl_value *values;        /* [n_fields], TL_NULL where blank */
    const tl_value *base;          /* [n_fields]; null: every base equals the observation */
    const bool *has_base;          /* [n_fields] with base; null with base: all of them have one */
    const int64_t *changed_us;     /* [n_fields] vendor's time of the first difference, 0 unknown; null: none known */
    const struct ref_target *refs; /* [n_fields], only entries of references count; null without references */
    int64_t modified_us;           /* of the record */
    int64_t written_us;            /* we wrote it last then, from a record it is paired with no more; 0: not known to */
    const bool *ours;              /* [n_fields] the value is one of those; null: none is */
    bool in_window;                /* admitted by window and filter, or already paired */
    bool told_deleted;             /* its vendor told of the deletion while the pair was in step: deletion.c */
};

struct snapshot {
    struct snapshot_side side[2];
    bool has_intent;
    bool frozen;   /* quarantined, in a loop, ignored, parked or failed for good */
    bool adopting; /* no field was ever agreed on */
};

enum plan_act {
    PLAN_WAIT,        /* an open intent, or frozen */
    PLAN_SETTLED,     /* nothing to write; bases may move (agree) */
    PLAN_COUNTERPART, /* target side is empty: match, then adopt or create */
    PLAN_UPDATE,
    PLAN_RESTORE,   /* bring the trashed record back; the update follows */
    PLAN_RECREATE,  /* as a new record, with the next generation */
    PLAN_PARK,      /* a required reference leads nowhere yet */
    PLAN_FAIL,      /* the data cannot be written: reason, field */
    PLAN_TOMBSTONE, /* dead on both sides */
    PLAN_DELETE     /* the other side was deleted, and that is sent on */
};

enum verdict {
    VERDICT_SAME = 0,   /* nothing changed */
    VERDICT_AGREE,      /* both sides are equal: base := observation */
    VERDICT_WRITE,      /* the target takes the other side's value */
    VERDICT_WRITE_BACK, /* the source takes the target's value, after this write is in */
    VERDICT_DRIFT,      /* the target of a one-way field changed and is left alone */
    VERDICT_CONFLICT,   /* frozen until a person decides */
    VERDICT_WAIT_REF,   /* wants a write, but the reference leads nowhere yet: written without it, stays changed */
    VERDICT_STAND_IN    /* the same, and a blank is filled with what stands in for it */
};

struct plan {
    enum plan_act act;
    int target; /* side written or missing */
    uint32_t n_writes;
    uint32_t n_agreed, n_conflicts, n_waiting;
    int32_t reason;   /* PLAN_FAIL: TL_R_*; else 0 */
    uint32_t field;   /* PLAN_FAIL, PLAN_PARK: index into the rules' fields */
    str why;          /* PLAN_FAIL by a transform: function and value in words; else empty */
    uint8_t *verdict; /* [n_fields] enum verdict */
    bool *lost;       /* [n_fields] both sides had changed and the target's value loses */
    tl_value *writes; /* [n_fields] values for the target where verdict_sends(), already converted */
};

static inline bool verdict_sends(uint8_t v)
{
    return v == VERDICT_WRITE || v == VERDICT_STAND_IN;
}

/* Everything in *out lives in the arena. Pure. [any] */
void plan_pair(const struct link_rules *link, const struct snapshot *snap, struct arena *arena, struct plan *out);

/* Values of a create at side target from the other side: every mapped field that may be written. Fills act
 * (PLAN_RECREATE on success, PLAN_PARK, PLAN_FAIL), writes, verdicts. */
void plan_create(const struct link_rules *link, const struct snapshot *snap, int target, struct arena *arena,
                 struct plan *out);

enum image { IMAGE_OK, IMAGE_SKIP, IMAGE_FAILED };
/* What a value of the other side becomes at side s, as its field holds it. *why (may be null) on IMAGE_FAILED. */
enum image field_image(const struct rule_field *f, int s, const tl_value *in, struct arena *a, tl_value *out,
                       struct transform_failure *why);
/* Is `there` what the value `sent` of the other side becomes at side s? */
bool field_arrived(const struct rule_field *f, int s, const tl_value *sent, const tl_value *there);
/* Blank, or nothing of it would arrive at the other side: it never wins in an adoption. */
bool field_blank(const struct rule_field *f, const struct snapshot *snap, int s, uint32_t i);
/* How values of side s are compared with one another. */
static inline const struct canon *field_canon(const struct rule_field *f, int s)
{
    return f->transformed ? &f->own[s] : &f->canon;
}

bool link_allows(enum link_direction d, int target); /* may side target be written? */
bool field_writable(const struct link_rules *link, const struct rule_field *f, int target, bool creating);
/* A side that may be written cannot be for now: the field is gone there, or read-only. Nothing is agreed on meanwhile.
 */
bool field_held_back(const struct link_rules *link, const struct rule_field *f, int target);
/* Has the field's observation left its base? */
bool field_changed(const struct rule_field *f, const struct snapshot_side *s, uint32_t i);
/* Neither side has a base for it: the two were never agreed on this field, however old the pair is, and a blank never
 * wins against a value. */
bool field_adopting(const struct snapshot *snap, uint32_t i);
/* Do both sides mean the same? References by their pair, all others by canonical form. */
bool field_equal(const struct rule_field *f, const struct snapshot *snap, uint32_t i);
/* The side whose change of field i is later, clocks corrected; the master when they cannot be told apart. */
int newest_side(const struct link_rules *link, const struct snapshot *snap, uint32_t i);
const char *plan_act_name(enum plan_act act);
#endif
