#ifndef ENGINE_INT_H
#define ENGINE_INT_H
/* What the modules of the engine share. Everything lives on the control thread.
 *
 * Ownership: the engine owns endpoints, feeds, connections and links (its model of the configuration, rebuilt from the
 * store after every change); a call in flight names them by id, never by pointer, so that it may outlive them. */
#include <jansson.h>

#include "budget.h"
#include "by_id.h"
#include "connections.h"
#include "endpoints.h"
#include "engine.h"
#include "failures.h"
#include "feeds.h"
#include "hooks.h"
#include "intents.h"
#include "link_state.h"
#include "obs.h"
#include "pairs.h"
#include "plan.h"
#include "quiet.h"
#include "ready.h"
#include "records.h"
#include "runs.h"
#include "setback.h"
#include "times.h"
#include "values.h"

enum {
    LARGEST_SLICE = 810, /* steps; that of orphan.c */
    LOOKS_A_STEP = 8,
    PAGE_ROWS = 200, /* records looked at in one slice of a walk, rows of one ready query */
    PULL_PAGES = 8,  /* page budget of one pull of changes */
    PASS_PAGES = 1,  /* and of a pass: what was read is stored at once, so that a crash costs one page */
    BATCH_MAX = 200,
    FIND_MAX = 100,
    GET_MAX = 100,
    WANTS_MAX = 4 * GET_MAX, /* reads before writes that wait; whoever needs more waits himself */
    PAGE_MAX = 500,          /* records observed in one transaction */
    PASS_ENUMERATED = -2,    /* pass.estimate of one that has met every record and is not evaluated yet */
    CONFLICT_TRIES = 5,
    TRANSIENT_TRIES = 10,
    FEED_KEYS = 2 /* lookups of one record: match key of its links */
};
#define JUST_NOW_US    (2 * US_PER_S) /* a write that takes no condition builds on what was read so lately */
#define DEBOUNCE_US    (US_PER_S / 2)
#define HINT_AGAIN_US  (2 * US_PER_S)  /* a record is not fetched more often because of hints */
#define READ_WAIT_US   (60 * US_PER_S) /* a pair waits so long for a read, should the read be lost */
#define IDLE_US        (20 * US_PER_MS)
#define SWEEP_US       (7 * US_PER_DAY)
#define DISCOVER_US    US_PER_DAY
#define LIVE_RUN_US    (300 * US_PER_S)
#define OUTAGE_WAIT_US (15 * US_PER_S) /* a vendor that is back is noticed within half a minute */
#define HOLD_MAX_US    (60 * US_PER_S) /* a lane that waits for an endpoint looks again so often */
#define NEVER          INT64_MAX

/* Where the first sync of a link stands; link.phase. */
enum phase {
    PHASE_NEW = 0,
    PHASE_OBSERVE = 1, /* both sides are read, nothing is written */
    PHASE_MATCH = 2,   /* walk over the records without counterpart; link.position tells where */
    PHASE_DRAIN = 3,   /* what the walk started comes in */
    PHASE_LIVE = 4
};

enum prep { PREP_NEEDED, PREP_CHECKING, PREP_DISCOVERING, PREP_READY };

struct g_kind {
    struct g_kind *next;
    struct arena arena; /* arrays of desc */
    char *bytes;        /* texts of desc */
    tl_kind desc;
    uint64_t hash;
};

struct g_outage { /* in memory alone: it shows again with the first call after a restart */
    int status;   /* TL_OK: none */
    int64_t since_us, last_us;
    bool of_writes;
    uint32_t calls;
    char text[256];
};

struct g_endpoint {
    struct g_endpoint *next;
    struct g_feed *feeds;      /* by g_feed.next_of_endpoint */
    struct ready ready;        /* check, discover, hooks, subscription */
    struct ready_queue queue;  /* feeds and links that wait for room */
    int64_t waiter, rivals_us; /* the link that waited last; mono: when two had to */
    struct arena arena;        /* texts of row */
    struct endpoint row;
    int32_t role;
    int64_t default_window_us;
    bool default_master;
    char *claims;
    struct g_kind *kinds;
    enum prep prep;
    int64_t prep_due; /* mono */
    int prep_tries;
    bool account_told;
    int64_t sleep_until; /* mono: throttled or failing */
    bool told_to_wait;   /* sleep_until is the vendor's own word */
    int failures;        /* in a row, of the whole endpoint */
    int refusals;        /* signed in well, refused all the same, one soon after the other */
    int64_t refused_us;  /* mono; the last of them */
    struct g_outage outage;
    struct budget budget;
    int64_t budget_stored; /* mono; when the calls of today were stored last */
    bool parsing;          /* a hook delivery is being parsed */
    int64_t inbox_due;     /* mono; NEVER: nothing waits */
    bool subscribing;
    int64_t subscribe_due;
    char *hook_url;
    int crashes;
    int64_t clock_samples[15];
    unsigned n_clock;
    int64_t call_us; /* how long a call of it takes: moving mean; 0: none was answered yet */
};

/* One lookup a feed keeps. */
struct feed_key {
    int32_t kind;    /* enum lookup_kind */
    uint32_t number; /* field number */
};

/* One side of a link, on the list of the feed that it reads. */
struct feed_side {
    struct feed_side *next;
    struct g_link *l;
    int side;
};

struct g_feed {
    struct g_feed *next, *next_of_endpoint;
    struct feed_side *sides; /* of the links that read it */
    struct ready ready;
    struct arena arena; /* texts of row */
    struct feed row;
    struct g_endpoint *ep;
    struct g_kind *kind;
    /* Shape: union of what the links need, by rising field number. */
    struct arena shape_arena;
    tl_shape shape;
    uint32_t *number_of; /* [shape.n_fields] */
    int32_t *shape_of;   /* [n_numbers] position in the shape or -1 */
    uint32_t n_numbers;
    uint64_t shape_hash; /* of shape, view and window */
    bool windowed;       /* all links that read it have a window */
    struct feed_key keys[FEED_KEYS];
    unsigned n_keys;
    bool wanted; /* some running link reads it */
    int64_t every_us;
    /* Pulling */
    struct call *replies; /* pages to take in, oldest first */
    struct call *replies_last;
    struct reply_reader reader;
    bool reading, reply_complete;
    bool pulling, getting;
    bool live_started; /* the cursor of changes exists */
    int64_t poll_due;  /* mono */
    int64_t looked_us; /* when the pull of changes that ended complete last was sent; 0: none since the start */
    int64_t backoff_until;
    int failures;
    /* Passes */
    struct arena pass_arena;
    struct pass pass; /* pass.pass 0: none */
    bool want_pass;
    bool pass_done; /* enumerated; lookups and vanished records come next */
    struct lookup_build *build;
    int64_t build_after;
    int build_step;
    struct pass_walk *walk;
    int64_t *vanished;
    size_t n_vanished, cap_vanished, live_seen;
    bool vanished_known; /* all of them are in the list; those before n_asked were asked for */
    size_t n_asked;
    uint32_t *shifted, compared; /* shift.c: per field of the shape, by the running pass */
    /* Records to fetch by id: read-backs, vanished ones, parts */
    struct get_want *wants, *wants_last;
    unsigned n_wants;
    int64_t hint_due; /* mono; NEVER: none */
    struct {
        uint64_t id; /* its hash */
        int64_t at;  /* mono */
    } hinted[64];    /* fetched a moment ago because of a hint */
    int64_t recheck_due;
    bool unusable_known; /* else n_unusable is to be counted */
    int64_t n_unusable;  /* open failures of records that could not be used; at least as many as there are */
};

struct get_want {
    struct get_want *next;
    int64_t rec; /* 0: not known to us yet */
    char *id;
    int64_t due;  /* mono */
    int64_t pair; /* read before write: this pair waits; 0 none */
};

struct g_conn {
    struct g_conn *next;
    struct arena arena;
    struct connection row;
    struct g_endpoint *ep[2];
    struct g_link *links;    /* by g_link.next_of_conn */
    struct preview *preview; /* preview.h; NULL: no dry run goes on */
    struct undo *undo;       /* undo.h; NULL: nothing is being taken back */
    bool unstored;           /* row is newer than what is stored: the disk failed */
    int64_t window_us;       /* windows of new links count back from here; 0: from now */
};

struct g_count { /* not stored yet */
    int64_t run;
    struct run_count delta[2];
};

struct g_link {
    struct g_link *next, *next_of_conn;
    struct feed_side on[2]; /* on the list of feed[side] */
    struct ready ready;
    struct arena arena; /* row, rules, fields */
    struct link row;
    struct g_conn *conn;
    struct g_feed *feed[2];
    struct link_rules rules;
    struct rule_field *fields;
    struct map_row *map;
    int32_t *position_of[2]; /* field number -> index of fields */
    uint32_t n_numbers[2];
    bool usable;   /* map and kinds are there */
    bool shares;   /* some row reads a field of another row, or several fields */
    bool referred; /* another link refers to this one's records */
    /* settings */
    int64_t every_us;
    int32_t match_kind;   /* enum lookup_kind; 0: no match key */
    uint32_t match_no[2]; /* field numbers of the match key */
    str match_path[2];
    char match_multi;  /* f o n */
    int64_t slides_us; /* the window moves, and is so wide; 0: fixed */
    bool admits;       /* records from before it that others refer to */
    bool quiet;
    struct change_limit limit;
    str fallback[2]; /* match key of who stands in on that side for those without a pair */
    struct stand_in stand_in[2];
    struct quiet_hours rests; /* sweeps and first syncs do then */
    /* work */
    int64_t lane_due[LANE_COUNT];  /* wall, as stored; NEVER: none; -1: look */
    int64_t lane_hold[LANE_COUNT]; /* mono: one of its endpoints could not take a call */
    int64_t hold_until;            /* mono: something failed, or a person asked for time */
    int32_t share, credit[2];      /* calls in a row while others wait for the endpoint; left of them */
    int64_t live_run, live_run_until;
    int64_t got_on_run, got_on_us; /* when something of that run came in last; mono */
    int64_t retry_run;
    bool run_is_new[2]; /* live_run, retry_run: made in the transaction that is open */
    int64_t plan;       /* the dry run that the running first sync carries out; 0: none; -1: look */
    struct g_count counts[4];
    struct g_link *next_counted; /* while counts are not stored */
    bool counted;
    unsigned open_intents, unknown_intents;
    unsigned open_creates[2], unknown_creates[2];
    bool held;         /* records may wait for an intent to close */
    unsigned cautious; /* single writes after a crash */
    bool finding;
    int64_t wake_after; /* walk that wakes every pair after a map edit; -1: none */
    bool orphans;       /* held stamps wait to be explained */
    int64_t orphan_after;
    int orphan_side;
    int64_t orphan_since;  /* the walk is for those held until this time */
    bool orphans_compared; /* with every record of the other side */
    bool passports_bound;  /* no pair of a passport waits */
};

/* One write of a batch. */
struct g_entry {
    int64_t pair, source_rec;
    uint64_t source_hash;
    uint32_t gen;
    str id, stamp, version;
    str source_id;    /* empty after a restart */
    str before;       /* observation of the target at T1; empty after a restart */
    tl_value *values; /* what is written, .field = number of the map row; none for a create after a restart */
    uint32_t n_values;
    uint32_t flags;
    bool done;
};

struct trouble;
struct g_batch {
    struct g_batch *next, *prev;
    struct arena arena;
    int64_t intent, link, endpoint;
    int32_t side, op, lane, state; /* state: enum intent_state */
    uint32_t flags;
    int64_t run, made_us, settle_us, map_gen;
    struct g_entry *entries;
    uint32_t n, cap;
    /* sending and resolving */
    unsigned calls;      /* in flight for this batch */
    int64_t resolve_due; /* mono; unknown ones */
    int resolve_tries;
};
enum { BATCH_QUIET = 1, BATCH_UNDO = 2 };
enum {                     /* g_entry.flags */
       ENTRY_WAITS = 1,    /* a value was left out and follows */
       ENTRY_CONFLICT = 2, /* a value of the target loses */
       ENTRY_LOOKED = 4,   /* the vendor spoke of a duplicate: looked up by stamp */
       ENTRY_BORN = 16,    /* the pair was inserted with this intent */
       ENTRY_MOVED = 8     /* the source changed while the write was out */
};

struct listener {
    struct listener *next;
    int64_t handle;
    engine_event_fn fn;
    void *arg;
};

struct engine {
    struct db *db;
    const struct env *env;
    const struct dispatcher *dispatcher;
    void (*wake)(void *ctx);
    void (*hooks_changed)(void *ctx);
    void (*signed_out)(void *ctx, int64_t endpoint);
    void *wake_ctx;
    struct g_endpoint *endpoints;
    struct g_feed *feeds;
    struct g_conn *conns;
    struct g_link *links;
    struct by_id endpoint_ids, feed_ids, conn_ids, link_ids, batch_ids;
    struct ready_index ready;
    struct g_batch *batches, *batches_last; /* open intents */
    struct call *done, *done_last;          /* answered, not taken in yet */
    int64_t answered_us;                    /* mono: when the one that is taken in was */
    unsigned calls_open;
    bool stopping;
    bool storage_down;
    struct setbacks setbacks;
    int64_t storage_due, storage_look_due; /* next attempt while it is down; next look while it is not */
    unsigned steps, looks, max_steps;
    bool more; /* the last turn ended before its work did */
    struct passport_stamps *passport_stamps;
    struct listener *listeners;
    int64_t next_handle;
    struct engine_figures figures;
    int64_t trim_due, trim_link, trim_after; /* mono; where the walk over tombstones goes on */
    struct retention retention;
    struct asked_record {
        int64_t rec, at;
    } asked[8192];              /* records lately read by their id, direct mapped */
    struct ref_slot refs[1024]; /* direct mapped */
    int64_t ref_epoch;
    int64_t dry_run; /* while rows of it are made: they stand in for pairs; 0: none */
    struct admin_wait *waits;
    char actor[64];         /* who the next verbs are audited as; empty: the engine */
    bool enabling;          /* some connection was enabled and is not through its sweep yet */
    bool collecting;        /* rows nobody needs may be there */
    int64_t collect_wall;   /* when the grace of a deleted connection ends; NEVER */
    struct g_link *counted; /* by g_link.next_counted */
    unsigned unknown;       /* batches of unknown outcome */
    bool runs_new;          /* some link's run_is_new */
};

/* ---- engine.c */
static inline int64_t g_now(const struct engine *g)
{
    return env_now_us(g->env);
}
static inline int64_t g_mono(const struct engine *g)
{
    return env_mono_us(g->env);
}
bool g_spent(const struct engine *g); /* the turn's steps are used up */
void g_step(struct engine *g, unsigned n);
int g_begin(struct engine *g, struct err *e);
/* Commits when rc is TL_OK, else rolls back and notes storage trouble. Returns what happened. */
int g_end(struct engine *g, int rc, const char *what, struct err *e);
/* A write beside those transactions failed: told, and where it was the disk, nothing is sent until it works again. */
void g_write_failed(struct engine *g, const char *what, struct err *e);
struct call *g_call(struct engine *g, enum call_kind kind, int64_t endpoint, int32_t purpose);
void g_submit(struct engine *g, struct call *c);
struct call_note { /* what the engine remembers of a call it sent; in the call's arena */
    struct engine *g;
    int64_t sent_us;
    int64_t answered_us; /* mono */
    uint64_t shape_hash; /* of the feed when it was asked: an answer in another shape is not read */
    void *more;
};
static inline struct call_note *call_note(const struct call *c)
{
    return c->owner;
}
bool g_endpoint_can(struct engine *g, const struct g_endpoint *ep, int32_t purpose);
/* What has begun may go on, more calls under way than a new beginning would find room for: the endpoint is asked at
 * all. A person's slot is free where only the others are taken. */
bool g_endpoint_can_go_on(struct engine *g, const struct g_endpoint *ep);
/* The allowances of the endpoint leave a call for this lane. */
bool budget_lane(const struct engine *g, const struct g_endpoint *ep, enum lane lane);
void budget_call_sent(struct engine *g, const struct call *c); /* allowance.c */
void budget_call_answered(struct engine *g, const struct call *c);
void budget_recall(struct engine *g, struct g_endpoint *ep); /* what was used today, before a restart */
int64_t backoff_us(struct engine *g, int tries);             /* full jitter, base 2 s, cap 15 min */

/* ---- model.c */
int model_load(struct engine *g, struct err *e);
/* One row that was made or changed, with what hangs on it. */
int model_load_endpoint(struct engine *g, int64_t id, struct err *e);
int model_load_connection(struct engine *g, int64_t id, struct err *e);
int model_load_link(struct engine *g, int64_t id, struct err *e);
void model_free(struct engine *g);
int model_refresh(struct engine *g, struct err *e); /* rows again from the store, work state kept */
struct g_endpoint *model_endpoint(struct engine *g, int64_t id);
struct g_endpoint *model_endpoint_named(struct engine *g, const char *name);
struct g_feed *model_feed(struct engine *g, int64_t id);
struct g_link *model_link(struct engine *g, int64_t id);
struct g_conn *model_conn(struct engine *g, int64_t id);
void link_feed_set(struct g_link *l, int side, struct g_feed *f); /* f NULL: none */
struct g_kind *model_kind(const struct g_endpoint *ep, str kind);
int model_kind_put(struct engine *g, struct g_endpoint *ep, const tl_kind *k, bool *changed_out, struct err *e);
/* What was put was not committed: whatever is discovered next is stored. */
void model_kinds_unstored(struct g_endpoint *ep);
int model_link_build(struct engine *g, struct g_link *l, struct err *e); /* rules from rows; after a map edit */
/* Shapes, and who is read; after a link of the connection changed. c NULL: of all. Whatever hangs on it is looked at.
 */
void model_feeds_build(struct engine *g, struct g_conn *c);
bool link_rests(const struct engine *g, const struct g_link *l); /* its quiet hours are now: only live work */
bool link_runs(const struct g_link *l); /* its connection is initial or active, it is enabled and not braked */
int link_row_store(struct engine *g, struct g_link *l, struct err *e);
int feed_row_store(struct engine *g, struct g_feed *f, struct err *e);
/* Default map of a link from equal canonical paths, stored; the link need not be in the model yet. */
int default_map_store(struct engine *g, const struct g_link *l, struct err *e);
/* The same for one that is; its rules follow. */
int model_default_map(struct engine *g, struct g_link *l, struct err *e);
void model_link_forget(struct engine *g, struct g_link *l); /* its feeds too, where no other link has them */
void model_conn_forget(struct engine *g, struct g_conn *c);
struct g_feed *model_feed_for(struct engine *g, int64_t endpoint, str kind, str view, struct err *e);
/* arena: an empty one of its own for the arrays; texts are lent from the description. */
bool kind_decode(str description, struct arena *arena, tl_kind *out);
str kind_plain(str kind); /* "contacts" -> "contact" */

/* ---- schedule.c: what is done next */
bool schedule_round(struct engine *g); /* one look at everything that is due; false: nothing could be done */
int64_t schedule_next_us(const struct engine *g);
/* mono; from when on the endpoint may take a call of this lane, as far as time decides; NEVER: other things do. */
int64_t endpoint_free_us(const struct engine *g, const struct g_endpoint *ep, enum lane lane);
/* Everything changed for it: it, its feeds and their links are looked at. */
void schedule_endpoint(struct g_endpoint *ep);
void schedule_feed(struct g_feed *f); /* and its links */

/* ---- prep.c: endpoints are checked and described before they are used */
bool prep_turn(struct engine *g, struct g_endpoint *ep);
struct call *prep_call(struct engine *g, struct g_endpoint *ep, enum call_kind kind, int64_t tag);
int prep_take_account(struct engine *g, struct g_endpoint *ep, const tl_account *account, struct err *e);
int prep_take_kinds(struct engine *g, struct g_endpoint *ep, const struct reply *reply, struct err *e);
void admin_call_done(struct engine *g, struct call *c); /* admin_endpoint.c */
void prep_call_done(struct engine *g, struct call *c);
/* An error that concerns the whole endpoint: auth, throttle, outage. True when it was one. c: the call that met it,
 * NULL for one record of a write. */
bool endpoint_trouble(struct engine *g, struct g_endpoint *ep, const struct call *c, int status, const tl_error *error);
/* mono: until when the vendor's last word, as stored, forbids calls; 0: it does not. */
int64_t endpoint_throttled_until(const struct engine *g, const struct g_endpoint *ep);
void endpoint_works(struct engine *g, struct g_endpoint *ep, const struct call *c); /* c was answered */
void endpoint_unblock(struct engine *g, struct g_endpoint *ep);
/* What was learnt of endpoints while nothing could be written down. */
int prep_store_again(struct engine *g, struct err *e);
bool endpoint_used(const struct engine *g, const struct g_endpoint *ep); /* by a connection that should run */
void conn_block(struct engine *g, struct g_conn *c, const char *code, const char *text);
void conn_unblock(struct engine *g, struct g_conn *c, const char *code);

/* ---- outage.c: what people are told of an endpoint that does not answer */
void outage_note(struct engine *g, struct g_endpoint *ep, const struct call *c, int status, const char *text);
void outage_over(struct engine *g, struct g_endpoint *ep, const struct call *c);
/* Until the next call of an endpoint that fails: what the vendor says, else growing up to OUTAGE_WAIT_US. */
int64_t outage_wait_us(struct engine *g, const struct g_endpoint *ep, const tl_error *error);

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
bool feed_ready(const struct g_feed *f);                                 /* full pass under this shape, lookups built */
bool feed_is_truth(const struct g_feed *f); /* its local index shows every record of the kind */
bool pass_turn(struct engine *g, struct g_feed *f);
bool pass_has_work(const struct g_feed *f); /* look-ups to build, or vanished records to find */
int pass_begin(struct engine *g, struct g_feed *f, struct err *e);
void lookups_again(struct g_feed *f); /* those being built are collected anew */

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
/* A reference leads to this record, which has no pair: one from before the window is admitted. In a transaction. */
int window_referred(struct engine *g, struct g_link *l, int s, str id, struct arena *a, struct err *e);
/* A counterpart was found: from before the window it is paired, not doubled, and left alone. */
int window_matched(struct engine *g, struct g_link *l, struct pair *p, int side, int64_t rec_id, struct arena *a,
                   struct err *e);
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
/* The vendor answered a question for this very record a moment ago. What a list showed does not count: it may have been
 * edited since. */
void asked_note(struct engine *g, int64_t rec);
void asked_forget(struct engine *g, int64_t rec); /* it was written since */
bool asked_just_now(const struct engine *g, int64_t rec);
/* Lookup keys of an observation. */
unsigned feed_lookup_keys(const struct g_feed *f, str observation, struct arena *a, struct lookup_key out[FEED_KEYS]);
/* Shape-indexed values of a record to an observation blob. */
void observation_of(const struct g_feed *f, const tl_record *r, struct arena *a, struct buf *out);
bool stamp_is_ours(const struct engine *g, str stamp);
/* From the old observation to the new one. *moved: is a key another than before? May be NULL. */
int observe_lookups(struct engine *g, struct g_feed *f, int64_t rec, str old, str now, struct arena *a, bool *moved,
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
enum { EXTRA_LOOP_UNTIL = 'l', EXTRA_RELEASED = 'r', EXTRA_UNDO = 'u' }; /* times, for guard.c; the undoing run */
/* pair.extra: 'a' and 'b' name the fields (map numbers) written to that side and not seen again yet, 'c' counts
 * crashes. */
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
/* A record that is known already, with its stamp as just read: held for the links that ask and have no pair of it. */
int orphan_again(struct engine *g, const struct g_feed *f, int64_t rec, str stamp, struct err *e);

/* ---- stamps, in match.c */
void stamp_of_instance(const struct g_link *l, int source, str source_id, uint32_t gen, const char *instance,
                       const struct stamp_key *key, char out[40]);
void stamp_of(struct engine *g, const struct g_link *l, int source, str source_id, uint32_t gen, char out[40]);

/* ---- parking.c */
/* What the plan wants to write, or has to, refers to records of that side without a counterpart: the pair waits for
 * them, those from before a window are admitted. In a transaction. */
int refs_wait(struct engine *g, struct g_link *l, const struct loaded *ld, const struct plan *plan, int side,
              struct arena *a, struct err *e);

/* What was sent only stands in for the record that the source refers to: nothing is agreed on, the value follows. */
bool stood_in(const struct loaded *ld, const struct g_entry *entry, const struct rule_field *f, int source, uint32_t i);

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

/* ---- batch.c, push.c */
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
/* The entry's write did not happen: look at the pair again after due_us. */
int push_drop(struct engine *g, struct g_link *l, struct g_batch *b, uint32_t i, int64_t due_us, struct err *e);
/* Ends the transaction's part of entries that are done: settles the intent row. */
int batch_settle(struct engine *g, struct g_batch *b, struct err *e);
void batch_sweep(struct engine *g, struct g_batch *b); /* after the commit: frees a batch that is through */

/* ---- resolve.c */
bool resolve_turn(struct engine *g);
void resolve_call_done(struct engine *g, struct call *c);
int create_class(const struct g_link *l, int target); /* 1 .. 4 */

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

/* ---- run.c */
void runs_settle(struct engine *g, bool committed); /* what run_for made in a transaction that failed is not there */
int run_for(struct engine *g, struct g_link *l, int32_t lane, int64_t *run_out, struct err *e);
enum run_field { COUNT_ADDED, COUNT_UPDATED, COUNT_MATCHED, COUNT_DELETED, COUNT_FAILED, COUNT_CONFLICT };
void run_count(struct engine *g, struct g_link *l, int64_t run, int to, enum run_field what);
int run_flush(struct engine *g, struct g_link *l, struct err *e); /* counts to the store, inside a transaction */
int run_phase(struct engine *g, struct g_link *l, const char *phase, struct err *e);
int run_end(struct engine *g, struct g_link *l, int32_t state, struct err *e);
void run_say_begin(const struct g_link *l, int64_t run, int32_t kind); /* one line of the log */
bool run_turn(struct engine *g, struct g_link *l);

/* ---- hook.c */
bool hook_turn(struct engine *g, struct g_endpoint *ep);
/* Somebody says that this record changed: it is fetched. Not one that was erased. */
int hint_note(struct engine *g, struct g_endpoint *ep, str kind, str id, enum hint_why why, struct err *e);
void hook_call_done(struct engine *g, struct call *c);
bool subscription_turn(struct engine *g, struct g_endpoint *ep); /* subscribe.c */
void subscription_done(struct engine *g, struct call *c);

/* ---- retention.c */
void retention_turn(struct engine *g);

/* ---- life.c: what goes on by itself in the life of connections */
bool life_turn(struct engine *g);
/* Enabled again and not read whole yet: nothing is written. */
bool life_holds(const struct g_link *l);
bool life_to_be_read(const struct g_feed *f); /* whole, because something may have been missed */

/* ---- events.c */
void event_record(struct engine *g, const struct g_feed *f, const tl_record *r, const char *what);
void event_pair(struct engine *g, const struct g_link *l, int64_t pair, int side, str id, const char *what);
#endif
