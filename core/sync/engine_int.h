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
#include "feed_user.h"
#include "feeds.h"
#include "hooks.h"
#include "intents.h"
#include "link_state.h"
#include "lookups.h"
#include "obs.h"
#include "pairs.h"
#include "plan.h"
#include "quiet.h"
#include "ready.h"
#include "records.h"
#include "runs.h"
#include "setback.h"
#include "stamp.h"
#include "storage.h"
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
    bool told; /* by the last discover; one that was not is kept as it was */
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
    int64_t default_window_us;
    bool default_master;
    char *claims;
    bool people_asked; /* a person wanted something of it since the start */
    char *mirrors;     /* kinds that the configuration wants mirrored, comma separated; NULL: none */
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

/* One side of a link, on the list of the feed that it reads. */
struct feed_side {
    struct feed_side *next;
    struct g_link *l;
    int side;
    struct feed_user user; /* what the link needs; in its arena */
};

struct g_feed {
    struct g_feed *next, *next_of_endpoint;
    struct feed_side *sides; /* of the links that read it */
    struct mirror *mirror;   /* mirror.h; NULL: nobody reads it but them */
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
    struct feed_key *keys;
    unsigned n_keys;
    uint64_t keys_hash;
    bool wanted; /* some running link reads it */
    int64_t every_us, sweep_us;
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
    uint64_t build_hash; /* of the keys it is made for */
    int64_t build_after;
    int build_step;
    struct pass_walk *walk;
    int64_t *vanished;
    size_t n_vanished, cap_vanished;
    size_t n_older;      /* of them, created before the window: the pass left them out */
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
    bool usable;      /* map and kinds are there */
    bool shares;      /* some row reads a field of another row, or several fields */
    bool referred;    /* another link refers to this one's records */
    const str *slots; /* targets that one record of side A may have; one, without a name, where it has one */
    uint32_t n_slots;
    bool leans; /* it refers to records that somebody stands in for */
    /* settings */
    struct feed_key match[2]; /* kind 0: no match key */
    str match_path[2];
    char match_multi;     /* f o n */
    int64_t slides_us;    /* the window moves, and is so wide; 0: fixed */
    bool admits;          /* records from before it that others refer to */
    int64_t recall_after; /* walk over the pairs that wait for such records, once after a start; -1: it is over */
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
       ENTRY_SILENT = 32,  /* the connector answered, and gave this record no result */
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
    uint32_t undos, previews; /* connections with an undo, a dry run: where there is none no turn looks for one */
    int64_t storage_due;      /* next attempt while it is down */
    struct storage storage;
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
    bool lookups_told;      /* to a build, in the transaction that is open */
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
    struct asker *asker; /* ask.h: whose answer it is; NULL: the engine's own */
};
static inline struct call_note *call_note(const struct call *c)
{
    return c->owner;
}
bool g_endpoint_can(struct engine *g, const struct g_endpoint *ep, int32_t purpose);
/* A delivery can be parsed: nothing is asked of the vendor, so neither his pauses nor his allowance count. */
bool g_endpoint_parses(struct engine *g, const struct g_endpoint *ep);
/* A person may ask it something: other than work of the engine's own that waits for a free instance there. */
bool g_endpoint_answers(struct engine *g, const struct g_endpoint *ep);
void ask_answered(struct engine *g, struct call *c); /* ask.c */
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
/* Shape, keys and whether it is wanted, anew; and gone from memory when nobody reads it. */
void model_feed_build(struct engine *g, struct g_feed *f);
void model_feed_forget(struct engine *g, struct g_feed *f);
struct g_endpoint *model_endpoint(struct engine *g, int64_t id);
struct g_endpoint *model_endpoint_named(struct engine *g, const char *name);
struct g_feed *model_feed(struct engine *g, int64_t id);
struct g_link *model_link(struct engine *g, int64_t id);
struct g_conn *model_conn(struct engine *g, int64_t id);
static inline bool conn_uses(const struct g_conn *c, const struct g_endpoint *ep)
{
    return c->ep[0] == ep || c->ep[1] == ep;
}
void link_feed_set(struct g_link *l, int side, struct g_feed *f); /* f NULL: none */
struct g_kind *model_kind(const struct g_endpoint *ep, str kind);
int model_kind_put(struct engine *g, struct g_endpoint *ep, const tl_kind *k, bool *changed_out, struct err *e);
/* What was put was not committed: whatever is discovered next is stored. */
void model_kinds_unstored(struct g_endpoint *ep);
int model_link_build(struct engine *g, struct g_link *l, struct err *e); /* rules from rows; after a map edit */
void feed_build(struct g_feed *f); /* feed_shape.c: what it is asked for and found by, of its users together */
/* Shapes, and who is read; after a link of the connection changed. c NULL: of all. Whatever hangs on it is looked at.
 */
void model_feeds_build(struct engine *g, struct g_conn *c);
bool link_rests(const struct engine *g, const struct g_link *l); /* its quiet hours are now: only live work */
/* Its connection is initial or active, it is enabled and not braked, or an undo passes its brake. */
bool link_runs(const struct g_link *l);
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
