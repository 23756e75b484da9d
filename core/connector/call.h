#ifndef CALL_H
#define CALL_H
/* One call of a connector: the seam between those who want something of a vendor (engine, API) and the runtime that
 * runs it on an instance, in process or in a worker. The simulation puts its own dispatcher behind the same seam.
 *
 * Life of a call: made with call_new, filled, submitted; from then on it belongs to the dispatcher, until done(call)
 * runs on the control thread; done() owns it and ends with call_free. A call is never lost: done() runs exactly once,
 * also after cancel, crash or unload. */
#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "blob.h"
#include "buf.h"
#include "err.h"
#include "tieline.h"

enum call_kind {
    CALL_CHECK,
    CALL_DISCOVER,
    CALL_PULL,
    CALL_GET,
    CALL_FIND,
    CALL_PUSH,
    CALL_PARSE_HOOK,
    CALL_SUBSCRIBE,
    CALL_UNSUBSCRIBE,
    CALL_PREPARE,
    CALL_LIST,
    CALL_ACT
};
const char *call_kind_name(enum call_kind k); /* "pull" */
bool call_kind_parse(const char *name, enum call_kind *out);
bool call_needs_shape(enum call_kind k); /* it speaks of records of one kind of entity */

/* What the connector said, in the order it said it: items in the flat form of codec.h, identical in both isolation
 * modes. Read with reply_next. Complete items only, whatever happened. */
struct reply {
    tl_status status; /* of the call; TL_E_UNKNOWN when the worker died or was killed inside it */
    tl_error error;   /* when status is not TL_OK */
    bool crashed;     /* the worker died inside this call */
    int64_t took_us;
    struct buf items;
    struct blob_list blobs; /* files that its results name, by their handles: blob_list_find */
    struct buf rehearsed;   /* what was not sent: rehearsed_next */
};
void reply_done(struct reply *r);

struct call {
    enum call_kind kind;
    int32_t purpose;        /* TL_PURPOSE_* */
    bool rehearse;          /* an act: requests that write are noted in the reply and not sent */
    bool reads;             /* an act: the action is one with TL_ACTION_READS */
    int64_t endpoint;       /* store id */
    struct blob_list blobs; /* files that its parameters name by their handles: blob_list_add */
    struct arena arena;     /* owns everything `request` points to */
    union {                 /* by kind; struct_size, the first member of each, is filled in by call_new */
        tl_check check;
        tl_discover discover;
        tl_pull pull;
        tl_get get;
        tl_find find;
        tl_push push;
        tl_hook_request hook;
        tl_subscribe subscribe; /* also CALL_UNSUBSCRIBE */
        tl_prepare_request prepare;
        tl_list list;
        tl_act act; /* its shape has the parameters of the action in place of fields */
    } request;
    struct reply reply;
    void (*done)(struct call *c); /* [control] */
    void *owner;                  /* the submitter's */
    int64_t tag;                  /* the submitter's */
    struct call *next;            /* the dispatcher's while it owns the call */
    int32_t cancelled;            /* the dispatcher's; atomic */
};

struct call *call_new(enum call_kind kind, int64_t endpoint, int32_t purpose);
struct call *call_free(struct call *c); /* returns NULL */
AUTO_FN(struct call *, call_free)
bool call_writes(const struct call *c);           /* when its answer is lost, nobody knows whether it was done */
bool call_asks_vendor(const struct call *c);      /* false: it is done here alone */
tl_status call_lost_status(const struct call *c); /* how it ends when its answer is lost */
int64_t call_deadline(const struct call *c);      /* wall clock; 0: none of its own */

struct allowance {
    char name[32];
    int64_t limit, remaining, resets_us, told_us; /* -1: not told */
};

/* What runs calls. ctx is the implementation's. All [control]. */
struct dispatcher {
    void *ctx;
    /* Takes the call; done() comes later, never from inside submit. */
    void (*submit)(void *ctx, struct call *c);
    /* How many more calls of this purpose the endpoint can start at once; 0 while it is blocked, unloading, crashed or
     * throttled. The engine dispatches no more than that. */
    int (*room)(void *ctx, int64_t endpoint, int32_t purpose);
    /* Allowances of the endpoint as its vendor told them last, at most max; how many. NULL: nobody tells. */
    uint32_t (*allowances)(void *ctx, int64_t endpoint, struct allowance *out, uint32_t max);
    /* Asks a submitted call to stop; done() still comes. */
    void (*cancel)(void *ctx, struct call *c);
};

/* tl_action.rights of a reply: it needs one that this host does not know, so nobody may. */
#define RIGHTS_NOBODY UINT32_MAX

/* tl_record.flags of a reply, set by the host alone: the record is bad because it is larger than 1 MiB (SIZE_LIMIT). */
enum { REC_TOO_LARGE = 1 << 16 };

/* One item of a reply. Pointers are lent from the reply and the reader until the next reply_next. */
enum item_kind {
    ITEM_RECORD = 1,
    ITEM_CHECKPOINT = 2,
    ITEM_RESULT = 3,
    ITEM_KIND = 4,
    ITEM_ACCOUNT = 5,
    ITEM_FINDING = 6,
    ITEM_SUBSCRIPTION = 7,
    ITEM_ACTION = 8
};
struct item {
    enum item_kind kind;
    str raw; /* the item's bytes: hashing them tells whether a record came unchanged */
    union {
        tl_record record;
        tl_checkpoint checkpoint;
        struct {
            uint32_t index;
            tl_result result; /* .record and .error point into the reader */
        } result;
        tl_kind described;
        tl_account account;
        tl_finding finding;
        tl_subscription subscription;
        tl_action action;
    } u;
};
struct reply_reader {
    const uint8_t *p, *end;
    struct arena scratch; /* values of the current item */
};
void reply_reader_init(struct reply_reader *r, const struct reply *reply);
void reply_reader_done(struct reply_reader *r);
AUTO_DONE(struct reply_reader, reply_reader_done)
/* True and *out; false at the end. Bytes were validated when the reply was built, so decoding cannot fail. */
bool reply_next(struct reply_reader *r, struct item *out);

/* What became of an act: the status of its one result; without one how the call ended, or TL_E_UNKNOWN where it ended
 * well. *result, unless NULL: that result, lent by the reader until its end; its record may be NULL. */
tl_status call_act_outcome(const struct call *c, struct reply_reader *r, tl_result *result);

/* Builders, used by the runtime and by the simulated dispatcher; they check values against nothing but their own
 * form (UTF-8, known types, sizes). TL_E_INVALID with e filled when an item cannot be taken. */
int reply_add_record(struct reply *r, const tl_record *record, struct err *e);
int reply_add_checkpoint(struct reply *r, const tl_checkpoint *c, struct err *e);
int reply_add_result(struct reply *r, uint32_t index, const tl_result *result, struct err *e);
int reply_add_kind(struct reply *r, const tl_kind *k, struct err *e);
int reply_add_account(struct reply *r, const tl_account *a, struct err *e);
int reply_add_finding(struct reply *r, const tl_finding *f, struct err *e);
int reply_add_action(struct reply *r, const tl_action *a, struct err *e);
int reply_add_subscription(struct reply *r, const tl_subscription *s, struct err *e);
#endif
