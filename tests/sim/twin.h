#ifndef TWIN_H
#define TWIN_H
/* Two vendors in memory, behind the same seam as the real ones (struct dispatcher), with every fault a vendor can have.
 * The world is plain data without pointers, so that it lies in shared memory and survives the death of the process that
 * runs the engine: a crash of the simulation is a real end of a real process. */
#include <stdbool.h>
#include <stdint.h>

#include "call.h"
#include "engine.h"
#include "env.h"

enum { TWIN_RECORDS = 600, TWIN_FIELDS = 7, TWIN_TEXT = 40, TWIN_LATER = 256, TWIN_HOOKS = 64, TWIN_PARTED = 6 };
enum { KIND_ACCOUNT, KIND_CONTACT, TWIN_KINDS };
/* Fields of both kinds; an account has no e-mail and refers to nothing. */
/* What happens beside the users' work; see chaos.c. OLD_DB and DAMAGE are done between two lives. */
enum {
    CHAOS_PAUSE = 1,
    CHAOS_UNLOAD = 2,
    CHAOS_BYHAND = 4,
    CHAOS_VIEW = 8,
    CHAOS_DRIFT = 16,
    CHAOS_HOOKS = 32,
    CHAOS_STORM = 64,
    CHAOS_PAGES = 128,
    CHAOS_CLOCK = 256,
    CHAOS_OLD_DB = 512,
    CHAOS_DAMAGE = 1024,
    CHAOS_ERASE = 2048,
    CHAOS_ALL = 4095,
    CHAOS_SCRIPT = 4096 /* a named scenario */
};
enum { F_NAME, F_EMAIL, F_PHONE, F_TITLE, F_ACCOUNT, F_TAG, F_EXTRA };

struct knobs {
    uint32_t can[2][TWIN_KINDS];
    bool stamp[2]; /* a stamp field is set up */
    uint32_t resolution_ms[2];
    uint32_t max_batch[2];
    int64_t late_us;             /* commits show up so much later with an older time */
    int64_t settle_us, delay_us; /* declared and real delay of a lost write */
    int unknown_pct, race_pct, partial_pct, throttle_pct, reject_pct;
    bool normalise[2]; /* phones are reformatted */
    bool hooks;
    bool merges;      /* users merge two records of a side */
    bool nameless[2]; /* a check does not tell the org */
    int64_t skew_us[2];
    int crash_every;   /* a life ends after up to so many crash points; 0: never */
    uint64_t crash_at; /* sweep: exactly there; 0: random */
    int actions;
    int direction;       /* 0 both, 1 a2b, 2 b2a */
    int policy;          /* 0 newest, 1 a, 2 b, 3 manual */
    uint32_t chaos;      /* CHAOS_* */
    const char *script;  /* scenarios.c; null: users at random */
    int transform;       /* of the title: 0 none, 1 upper case and back, 2 the same and lossy, 3 one way from A to B */
    int window;          /* of a year: 1 fixed, 2 sliding; every third record is older */
    bool window_kept;    /* vendors leave out of their lists what is older */
    int64_t throttle_ms; /* how long to wait; 0: three seconds */
    int bad;             /* a record whose name begins with "bad": 1 fails its whole batch, 2 kills the connector,
                            3 is neither written nor answered */
    const struct disk *disk; /* life.h; null: a good one */
    bool views;              /* both links follow a list view of side B, and records leave and enter it */
    bool deletes;            /* deletions travel, both ways */
    bool products;           /* both sides have products in place of accounts */
    bool few_changes;        /* a run of changes may write eight records, until the calm */
    bool stand_ins;          /* on either side an account stands in for those that have no counterpart */
    bool anew;               /* in the calm after the faults the connection is deleted and made anew */
};

enum twin_erased { TWIN_KEPT, TWIN_MAYBE_ERASED, TWIN_ERASED };

struct twin_record {
    bool used, ours, restored;
    enum twin_erased erased; /* with its person */
    bool outside;            /* of every list view */
    int state;
    char id[16], into[16], stamp[40], by[8];
    int64_t created_us, modified_us, visible_us, seq;
    int64_t read_us; /* mono: when it was last read by its id; 0: not since our last write */
    char v[TWIN_FIELDS][TWIN_TEXT];
    uint32_t user_edit[TWIN_FIELDS]; /* number of the last edit by a user; 0: none */
    char user_value[TWIN_FIELDS][TWIN_TEXT];
};

struct twin_later {  /* a write whose answer was lost and that is applied later, when its precondition still holds */
    int64_t version; /* 0: none was asked for */
    bool used;
    int vendor, kind, op;
    int64_t at_us;
    char id[16], stamp[40];
    bool set[TWIN_FIELDS];
    char v[TWIN_FIELDS][TWIN_TEXT];
};

struct twin_hook {     /* a delivery on its way */
    int times, vendor; /* times 0: none */
    int64_t at_us;
    char body[32], key[24];
};

struct twin_couple { /* parted by hand */
    int kind;
    char id[2][16];
};

struct twin_counts {
    int64_t chaos, creates, updates, restores, unknown, calls, throttled, rejected, races, deletes;
};

struct world {
    struct knobs knobs;
    uint64_t rng[4];
    int64_t now_us, mono_us;
    uint32_t next_id, next_seq, edit_no;
    struct twin_record rec[2][TWIN_KINDS][TWIN_RECORDS];
    struct twin_later later[TWIN_LATER];
    int n_later;
    struct twin_counts counts;
    uint8_t typed[8192]; /* set of hashes of all values users ever gave */
    uint64_t trace;      /* hash of everything that happened */
    int64_t crashes, lives, steps;
    int actions_left;
    int stage;   /* of the scenario */
    bool faults; /* knobs are active */
    bool violated;
    char violation[512];
    int64_t writes_mark;
    /* chaos */
    bool paused, braked, old_db, damaged, copied;
    int64_t pause_until, unload_until, storm_until[2], told_until[2],
        told_next[2];          /* the first wall, the others mono */
    int hidden[2][TWIN_KINDS]; /* percent of the records that passes and pulls leave out */
    int drift[2];              /* 1: a field is gone, 2: read-only, 3: required; 4: contacts are not described */
    struct twin_hook hook[TWIN_HOOKS];
    struct twin_couple parted[TWIN_PARTED];
    int n_parted;
    int64_t script_wait;
    bool crashed_in_step;
    uint64_t crash_passages; /* crash points passed in this scenario */
    bool made_anew;
};

#define WORLD_YEAR_US (INT64_C(365) * 86400 * 1000000)
/* Created before the window of the links. */
bool world_is_old(const struct world *w, const struct twin_record *r);

void world_init(struct world *w, uint64_t seed, const struct knobs *k);
uint64_t world_random(struct world *w, uint64_t n); /* 0 .. n-1 */
bool world_chance(struct world *w, int percent);
void world_trace(struct world *w, const char *what, const char *a, int64_t b);
void world_violation(struct world *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

void world_type(struct world *w, const char *value); /* a user gave it */
bool world_typed(const struct world *w, const char *value);
/* A page in no order, with rows twice: how many it has now. */
int world_scrambled(struct world *w, struct twin_record **list, int n);

void world_deletable(struct world *w, int s, int kind, const struct twin_record *r); /* a delete of it was sent */

/* A write leaves: of the record id of side s, or, where id is empty, of one made for the tag. */
void world_erased(struct world *w, int s, const char *id, const char *tag);

/* What a user of vendor s does. */
struct twin_record *user_create(struct world *w, int s, int kind, const char *email, const char *name);
void user_edit(struct world *w, int s, int kind, struct twin_record *r, int field, const char *value);
void user_touch(struct world *w, int s, struct twin_record *r);
void user_merge(struct world *w, int s, struct twin_record *lost, struct twin_record *left);
void user_random(struct world *w);
void world_later(struct world *w); /* applies what is due */

/* Calls in flight: private to the process. */
struct twin {
    struct world *world;
    int64_t endpoint[2];
    struct call *queue;
    struct dispatcher dispatcher;
    bool unloaded;
};
void twin_init(struct twin *t, struct world *w);
/* Executes one of the waiting calls; false when there is none. */
bool twin_step(struct twin *t);
/* One webhook delivery comes to the daemon. What is wrong with this one alone is an error as well. */
int hook_deliver(struct engine *g, const struct hook_delivery *d, struct err *e);
const char *twin_field_path(int kind, int field);
const char *twin_product_path(int field);
uint32_t twin_field_type(int field);
void twin_describe(struct world *w, int s, int kind, struct reply *reply);
#endif
