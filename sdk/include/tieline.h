/* tieline.h - the connector ABI of tieline, version 0.2.
 *
 * Policy. 0.x may still break, and each break is announced by an ADR; a connector of another 0.x break is refused
 * in one sentence. From 1.0 on, released names, layouts, meanings, threads and ownership never change: members are
 * appended, MINOR grows by one per append, a break is a new entry symbol, an extension gets "/2".
 *
 * Rules of every line below.
 * - This is the only header a connector needs. A connector exports exactly one symbol, tieline_connector_v0, and
 *   imports nothing from the host: it gets a table of functions (tl_host) with every open().
 * - All text is UTF-8 and counted (tl_str); it may hold no NUL. The host also NUL-terminates what it passes in.
 * - Ownership: the callee may read a pointer argument until it returns and never later. What must live longer is
 *   copied by the receiver. Nobody frees the other side's memory.
 * - Threads: [control] the host's one control thread; [instance] whichever thread drives this instance now: never
 *   two at once, but it may change between calls; [any] every thread at any time. A connector installs no signal
 *   handlers, registers no atexit(), keeps no writable globals, and starts no threads; one that cannot do without
 *   sets TL_PLUGIN_OWN_THREADS, is never unmapped then, and calls only what is [any] on them: all else is TL_E_BUG.
 * - No errno, exception, longjmp, FILE or file descriptor crosses this line.
 * - Times are int64 microseconds since 1970-01-01 UTC; 0 means unknown. Dates are days since 1970-01-01.
 * - Growth: every struct that may grow starts with its size or travels with a stride. Walk arrays with TL_AT, never
 *   with []. Read a member the other side may not have with TL_HAS. Set struct_size and strides with sizeof: the host
 *   refuses one that is smaller than the struct was in the first 0.x that still means the same. A connector of a later
 *   minor is loaded: what this host does not know of it is not used.
 * - What breaks a rule: a record that cannot be used fails by itself (BAD_RECORD, or SIZE_LIMIT over 1 MiB) and the
 *   page goes on; a wrong size, stride, batch, cursor or kind ends the call with TL_E_BUG (PLUGIN_PROTOCOL), whatever
 *   the connector returns, and nothing of that call after the last checkpoint before it counts as read.
 * - Limits: an id 255 bytes, a record 1 MiB and 500 values (one a field), a kind 500 fields, a batch 10000 records, a
 *   cursor 64 KiB, the answer to one call 63 MiB.
 * - Time: a call that gives no sign of life for 60 s (it neither calls the host nor sleeps there), or runs for 10 min
 *   or past its deadline_us, is cancelled; when it has not returned 10 s later it hangs: its worker is killed and
 *   counted as crashed. Waiting inside http() is the host's time, not the connector's.
 * - Enumerators may be appended only to enums that flow connector -> host; the host treats one it does not know
 *   as the most cautious value, named at each enum.
 * style-ok: file-length one header is all that a connector needs
 */
#ifndef TIELINE_H
#define TIELINE_H

#include <stddef.h>
#include <stdint.h>

#define TL_ABI_MAJOR 0u
#define TL_ABI_MINOR 2u
#define TL_MAGIC 0x304c5454u /* "TTL0" */
#define TL_VOCABULARY 2u     /* version of the kinds and canonical paths listed at the end */

#define TL_HAS(object, type, member)                                                                                 \
    ((object)->struct_size >= offsetof(type, member) + sizeof((object)->member) && (object)->member)
#define TL_AT(type, base, stride, i) ((const type *)(const void *)((const char *)(base) + (size_t)(stride) * (i)))
#define TL_STR(literal) ((tl_str){(literal), sizeof(literal) - 1})
#define TL_EXPORT __attribute__((visibility("default")))

#ifdef __cplusplus
extern "C" {
#endif

/* Text or bytes: n of them from p on. Empty: n is 0, p may be null. */
typedef struct tl_str {
    const char *p;
    uint64_t n;
} tl_str;

/* ---- Outcomes and errors --------------------------------------------------------------------------------------- */

/* Class of an outcome: it decides what the host does next. An unknown value counts as TL_E_BUG. */
typedef int32_t tl_status;
enum {
    TL_OK = 0,
    TL_E_CONFIG = 1,      /* an option is missing or wrong: the operator must act */
    TL_E_AUTH = 2,        /* sign-in was refused for good: the admin must authorise again */
    TL_E_DENIED = 3,      /* the vendor's rights forbid this call or record */
    TL_E_NOT_FOUND = 4,   /* no such record (any more); also a write to a deleted one, however the vendor words it */
    TL_E_CONFLICT = 5,    /* precondition failed: the record changed meanwhile */
    TL_E_INVALID = 6,     /* the vendor refuses these data; the same data will never be accepted */
    TL_E_THROTTLED = 7,   /* too many calls; retry_after_ms says when, 0 if unknown */
    TL_E_TEMPORARY = 8,   /* network, 5xx, lock: try later */
    TL_E_CURSOR_LOST = 9, /* pull: the cursor is unusable; the host starts a full pass */
    TL_E_UNSUPPORTED = 10,
    TL_E_CANCELLED = 11, /* the host asked to stop; not a fault */
    TL_E_BUG = 12,       /* defect of the connector or of the host */
    TL_E_UNKNOWN = 13,   /* a write may or may not have been applied (no answer, cut answer) */
    TL_E_QUOTA = 14      /* the period's allotment is used up; retry_after_ms says until when */
};

/* How much of the work an error spoils. Unknown counts as TL_SCOPE_ENDPOINT. Of a failed call (pull, get, find):
 * ENDPOINT makes everything of the endpoint wait, KIND and RECORD only this kind; of a result it is RECORD. */
enum { TL_SCOPE_RECORD = 0, TL_SCOPE_KIND = 1, TL_SCOPE_ENDPOINT = 2 };

/* Reason of a TL_E_INVALID, TL_E_DENIED or TL_E_CONFLICT. The host words the message from it in the reader's
 * language and keeps the vendor's own words beside. Unknown counts as TL_R_OTHER. */
enum {
    TL_R_OTHER = 0,
    TL_R_ALREADY_MAPPED = 1,   /* the target record is bound elsewhere, or the vendor says "duplicate of record X" */
    TL_R_TYPE_MISMATCH = 2,    /* text for a numeric field, and the like */
    TL_R_REQUIRED_MISSING = 3, /* a mandatory field is absent or empty */
    TL_R_PARAM_MISSING = 4,    /* the call lacked a parameter */
    TL_R_PARAM_INVALID = 5,    /* a parameter or value is wrong in another way */
    TL_R_TOO_LONG = 6,
    TL_R_CHOICE_UNKNOWN = 7, /* a value that a picklist does not have */
    TL_R_READ_ONLY = 8,
    TL_R_PERMISSION = 9,
    TL_R_REFERENCE = 10, /* a referenced record is missing, deleted or invisible */
    TL_R_DUPLICATE_RULE = 11,
    TL_R_VALIDATION_RULE = 12, /* a rule written by the vendor's customer; text holds its words */
    TL_R_LOCKED = 13,
    TL_R_BAD_RECORD = 14, /* the record as read cannot be used (text says which value) */
    TL_R_TOO_LARGE = 15,
    TL_R_SCHEMA = 16 /* the field is unknown or not writable any more: the host discovers again */
};

/* The host allocates and zeroes it (struct_size set), the connector fills it, nobody frees it. No secrets in any
 * member. text: one line for people, the fact first, lower-case start, no full stop. detail: for the log only. */
typedef struct tl_error {
    uint32_t struct_size;
    int32_t scope;          /* TL_SCOPE_* */
    int32_t reason;         /* TL_R_* */
    int32_t http_status;    /* of the answer that says so; 0: none does */
    int64_t retry_after_ms; /* TL_E_THROTTLED, TL_E_QUOTA: when it may be tried again, from now; 0: unknown */
    char code[64];  /* the vendor's code, verbatim */
    char field[64]; /* the vendor's name of the offending field, if one is named */
    char text[256];
    char detail[512];
} tl_error;

/* ---- Values ---------------------------------------------------------------------------------------------------- */

/* Type of a value and of a field. Member of tl_value.u in brackets. Unknown counts as TL_JSON. */
enum {
    TL_NULL = 0,      /* [-] present and empty; a value left out of a record is unknown, never empty */
    TL_BOOL = 1,      /* [i] 0 or 1 */
    TL_INT = 2,       /* [i] */
    TL_TIME = 3,      /* [i] microseconds UTC */
    TL_DATE = 4,      /* [i] days */
    TL_DECIMAL = 5,   /* [s] literal text such as "12.10"; never through a double; also money */
    TL_TEXT = 6,      /* [s] one line */
    TL_MULTILINE = 7, /* [s] */
    TL_EMAIL = 8,     /* [s] */
    TL_PHONE = 9,     /* [s] */
    TL_URL = 10,      /* [s] */
    TL_CHOICE = 11,   /* [s] the value of one picklist entry (not its label) */
    TL_REF = 12,      /* [s] remote id of another record; aux = position of its kind in tl_field.refers_to */
    TL_LIST = 13,     /* [list] of values of one scalar type, for example several picklist entries */
    TL_JSON = 14,     /* [s] JSON text passed through untouched, never compared by member */
    TL_BYTES = 15,    /* [s] */
    TL_BLOB = 16,     /* [i] a file (tl_host.blob_new); in an action's parameters and results alone. Since 0.2 */
    TL_ROWS = 17      /* [list] of rows, in their order: each is a TL_LIST of values, whose field is an index into
                         tl_field.columns. A write replaces all of them. Since 0.2 */
};

/* One value of a record. Which member of u holds it follows from its type. */
typedef struct tl_value tl_value;
struct tl_value {
    uint32_t field; /* index into tl_shape.fields; inside a list: 0; inside a row: into tl_field.columns */
    uint8_t type;   /* TL_NULL or the field's; the types of text and TL_JSON may stand for one another */
    uint8_t flags; /* 0 */
    uint16_t aux;  /* TL_REF: see there; else 0 */
    union {
        int64_t i; /* TL_BOOL, TL_INT, TL_TIME, TL_DATE */
        tl_str s;  /* texts, TL_DECIMAL, TL_REF, TL_JSON, TL_BYTES */
        struct {   /* TL_LIST, TL_ROWS: n values from items on; [] may be used with them, they never grow */
            const tl_value *items;
            uint64_t n; /* of them */
        } list;
    } u;
};

/* One entry of a picklist: the value that a TL_CHOICE holds, and the vendor's label for people. */
typedef struct tl_choice {
    tl_str value, label;
} tl_choice;

/* tl_field.flags */
enum {
    TL_F_READONLY = 1,    /* never written */
    TL_F_REQUIRED = 2,    /* a create without it is refused */
    TL_F_CUSTOM = 4,      /* added by the vendor's customer */
    TL_F_MATCH = 8,       /* find() can search by it */
    TL_F_UNIQUE = 16,     /* the vendor refuses a second record with the same value */
    TL_F_CLOSED = 32,     /* a choice not listed is refused by the vendor */
    TL_F_CREATE_ONLY = 64, /* written at creation, not changed later */
    TL_F_STAMP = 128      /* usable as the stamp field (text of at least 40 characters) */
};

/* One field, as discover() describes it and as the host repeats it in every shape. */
typedef struct tl_field {
    uint32_t struct_size;
    uint32_t type;    /* TL_BOOL ... ; for TL_LIST see item_type */
    uint32_t flags;   /* TL_F_* */
    uint32_t max;     /* longest text in characters, digits before the point of a number; 0: no limit known */
    uint32_t scale;   /* digits after the point of a TL_DECIMAL; resolution is per kind */
    uint32_t item_type; /* TL_LIST: type of its values */
    uint32_t n_choices;
    uint32_t choice_stride;
    tl_str path;      /* canonical path, or "x." + name where the vocabulary has none; no blanks, once per kind */
    tl_str name;      /* the vendor's name */
    tl_str label;     /* the vendor's words for people */
    tl_str refers_to; /* TL_REF: kinds, comma separated, for example "contact,lead" */
    const tl_choice *choices; /* entries of the picklist, of TL_CHOICE and of a TL_LIST of them; null: not known.
                                 Walk with TL_AT */
    uint32_t n_columns, column_stride; /* TL_ROWS, since 0.2 */
    const struct tl_field *columns;    /* what a row has; none of them is TL_ROWS or TL_BLOB. Walk with TL_AT */
} tl_field;

/* What one call is about. Chosen by the host for every call, so that a connector remembers nothing of discover(). */
typedef struct tl_shape {
    uint32_t struct_size;
    uint32_t n_fields;
    uint32_t field_stride;
    uint32_t reserved;
    tl_str kind;            /* "contact" */
    const tl_field *fields; /* walk with TL_AT */
} tl_shape;

/* ---- Records --------------------------------------------------------------------------------------------------- */

/* tl_record.state: there; in the vendor's bin; gone; gone into another record (tl_record.into); there, but our user may
 * not see it. Unknown counts as TL_STATE_FORBIDDEN. */
enum { TL_STATE_LIVE = 0, TL_STATE_TRASHED = 1, TL_STATE_DELETED = 2, TL_STATE_MERGED = 3, TL_STATE_FORBIDDEN = 4 };

/* How versions compare: TL_VER_TIME and TL_VER_SEQUENCE are ordered, TL_VER_TAG only equal or not. */
enum { TL_VER_NONE = 0, TL_VER_TIME = 1, TL_VER_SEQUENCE = 2, TL_VER_TAG = 3 };

/* tl_record.origin: who made the last change, as far as the vendor tells: our own user or somebody else. */
enum { TL_ORIGIN_UNKNOWN = 0, TL_ORIGIN_SELF = 1, TL_ORIGIN_OTHER = 2 };

/* tl_record.flags */
enum {
    TL_REC_FULL = 1,   /* every field of the shape is in values; one left out keeps the value known before, so an empty
                          one is said with TL_NULL */
    TL_REC_HINT = 2,   /* only the id is known: the host fetches it */
    TL_REC_GAP = 4,    /* ids are unknown: the host sweeps the kind */
    TL_REC_BAD = 8     /* the record cannot be used; note says why (BAD_RECORD). The page goes on */
};

/* push: what to do with one record. */
enum { TL_OP_CREATE = 1, TL_OP_UPDATE = 2, TL_OP_RESTORE = 3, TL_OP_DELETE = 4 };

/* The envelope of one record, in both directions. */
typedef struct tl_record {
    tl_str id;        /* remote id, 1 to 255 bytes; empty in a create and with TL_REC_GAP */
    tl_str version;   /* text of the vendor's version; in a push: the version the write is based on */
    tl_str into;      /* state MERGED: id of the record that survived, if known */
    tl_str by;        /* remote id of the user who made the last change */
    tl_str stamp;     /* value of the stamp field; in a create: the value to write, the same on every attempt */
    tl_str url;       /* address for people ("view in ..."); may be empty */
    tl_str note;      /* TL_REC_BAD: what is wrong with it */
    int64_t modified_us, created_us; /* times of the last change and of its making by the vendor's clock; 0: not told */
    int32_t state, version_kind, origin, op; /* TL_STATE_*, TL_VER_*, TL_ORIGIN_*; in a push alone TL_OP_* */
    uint32_t flags;   /* TL_REC_* */
    uint32_t index;   /* find, get: which query or id this answers */
    uint32_t n_values;
    uint32_t reserved;
    const tl_value *values; /* in any order, one a field; they never grow, so [] is right */
    tl_str kind;      /* parse: the kind, as one delivery may speak of several; elsewhere empty, the shape says it */
} tl_record;

/* Records, one behind the other. */
typedef struct tl_batch {
    uint32_t struct_size;
    uint32_t count;
    uint32_t stride; /* of records; walk with TL_AT */
    uint32_t reserved;
    const tl_record *records; /* count of them */
} tl_batch;

/* ---- Host services --------------------------------------------------------------------------------------------- */

/* Levels of a log line and of a finding: what only an author wants; what people may want to know; what they should look
 * at; what does not work. In a log line unknown counts as TL_ERROR. */
enum { TL_DEBUG = 0, TL_INFO = 1, TL_WARN = 2, TL_ERROR = 3 };

/* A name and its value: an option, a header. */
typedef struct tl_pair {
    tl_str name, value;
} tl_pair;

/* tl_http.flags */
enum {
    TL_HTTP_NO_AUTH = 1,    /* do not add the endpoint's authorisation */
    TL_HTTP_WRITE = 2       /* has effects: never repeated by the host after a lost answer */
};

/* One request. The host does TLS, proxy, pooling, deadlines, decompression, redaction and authorisation: it adds the
 * header of tl_auth, refreshes an expired token once and repeats the call once. Only hosts that the connector
 * declared, or that the operator wrote into an option of type TL_OPT_URL, are reached. Redirects are not followed. */
typedef struct tl_http {
    uint32_t struct_size;
    uint32_t flags;         /* TL_HTTP_* */
    uint32_t timeout_ms;    /* 0: the host's default */
    uint32_t n_headers;
    const char *method;     /* "GET" */
    tl_str url;             /* whole, percent-encoded where it must be */
    tl_str body;            /* empty: none */
    uint64_t body_blob;     /* 0, or the blob that is the body */
    const tl_pair *headers; /* beside those the host adds; names in any case */
    /* Filled by the host; lent until the next http() of this instance or the return of the current call. */
    tl_status outcome;  /* TL_OK: a status line and the whole body arrived, whatever the status is.
                           TL_E_TEMPORARY: nothing was sent. TL_E_UNKNOWN: sent, but no whole answer.
                           TL_E_AUTH, TL_E_CANCELLED, TL_E_DENIED (address not allowed), TL_E_CONFIG */
    int32_t status;      /* of the answer, 200; 0: there was none */
    uint32_t n_out_headers;
    uint32_t reserved;
    const tl_pair *out_headers; /* names in lower case */
    tl_str out_body;     /* whole and decompressed */
    uint64_t out_blob;   /* in: 0, or the blob that takes the body of a 2xx answer instead of out_body */
    int64_t server_us;   /* the Date header, 0 if none */
    int64_t took_us;     /* how long the answer took */
    char error[128];     /* outcome != TL_OK: what happened, without secrets */
} tl_http;

/* A vendor's allowance as an answer told it; the host keeps it for all instances of the endpoint. -1: not told. */
typedef struct tl_quota {
    uint32_t struct_size;
    uint32_t reserved;
    tl_str name; /* "day", "minute", "concurrent" */
    int64_t limit, remaining, resets_us; /* calls in all, calls left, time at which it is whole again */
} tl_quota;

/* check(): who we are at the vendor. */
typedef struct tl_account {
    uint32_t struct_size;
    uint32_t reserved;
    tl_str org_key;  /* identity of the org or portal, stable for ever; empty: not known */
    tl_str org_name, edition;  /* for people; empty: not told */
    tl_str user_id, user_name; /* whom we are signed in as; the id is that of tl_record.by */
    int64_t server_us;         /* the vendor's clock; 0: not told */
} tl_account;

/* check(): one finding, in words an operator can act on. level TL_INFO, TL_WARN or TL_ERROR. */
typedef struct tl_finding {
    uint32_t struct_size;
    int32_t level;
    tl_str code, text, hint; /* "MISSING_RIGHT", for programs; the fact, one line; what to do, may be empty */
} tl_finding;

/* tl_kind.can */
enum {
    TL_CAN_PULL = 1,         /* pull() in mode TL_PULL_CHANGES */
    TL_CAN_PASS = 2,         /* pull() in mode TL_PULL_PASS */
    TL_CAN_CREATE = 4,
    TL_CAN_UPDATE = 8,
    TL_CAN_DELETE = 16,
    TL_CAN_RESTORE = 32,     /* push TL_OP_RESTORE brings a trashed record back */
    TL_CAN_CONDITIONAL = 64, /* push honours tl_record.version: TL_E_CONFLICT when the record changed meanwhile */
    TL_CAN_RETURN_POST = 128, /* results carry the record as it is after the write */
    TL_CAN_FIND = 256,
    TL_CAN_STAMP_UNIQUE = 512, /* the stamp field, if present, is enforced unique: creating twice is impossible */
    TL_CAN_STAMP_FIND = 1024,  /* find() by "stamp" works (also in the bin) */
    TL_CAN_QUIET = 2048,       /* push honours TL_PUSH_QUIET */
    TL_CAN_VIEW = 4096,        /* pull honours a list view */
    TL_CAN_DELETED = 8192,     /* TL_PULL_CHANGES reports deletions too */
    TL_CAN_FIND_CREATED = 16384, /* find() by "created" lists what our user created since a time */
    TL_CAN_TRASH = 32768         /* push TL_OP_DELETE puts a record where the vendor's people can take it back out of */
};

/* One kind of record, as discover() describes it. */
typedef struct tl_kind {
    uint32_t struct_size;
    uint32_t can;           /* TL_CAN_* */
    uint32_t max_batch;     /* records one push is given at most; 0 only when nothing is written */
    uint32_t max_get;       /* ids per get; 0: as many as the host likes */
    uint32_t max_find;      /* queries per find; not 0 with TL_CAN_FIND */
    uint32_t n_fields;
    uint32_t field_stride;
    uint32_t resolution_ms; /* of modified times: 1000 where the vendor cuts to seconds */
    int64_t settle_ms;      /* after this long a lost write is visible or will never be */
    int64_t lateness_ms;    /* how late a change may show up with an older time; its cursor steps back by it */
    tl_str kind, label;     /* kind: [a-z0-9_]{1,32}, once per discover */
    tl_str name;            /* the vendor's name of the kind */
    tl_str stamp_field;     /* vendor's name of the one of the fields that holds stamps; empty: none is set up */
    const tl_field *fields; /* all that may be mapped; walk with TL_AT */
    tl_str about;           /* kinds one record of which may have several of these: "contact,account"; see tl.view/1.
                               Empty: none. Since 0.2, as what follows */
    tl_str filters;         /* names of parts of such a list, [a-z0-9_], for example "open,overdue"; or empty */
    int64_t depth_s;        /* how far back TL_PULL_CHANGES can go: a cursor that is older is lost; 0: no limit known */
} tl_kind;

/* What a person must be permitted to do for an action: to see the record, to make one, to change it, to have something
 * leave for people outside, to take it away. Unknown counts as: nobody may. */
enum { TL_RIGHT_VIEW = 1, TL_RIGHT_CREATE = 2, TL_RIGHT_UPDATE = 4, TL_RIGHT_SEND = 8, TL_RIGHT_DELETE = 16 };

/* tl_action.flags */
enum {
    TL_ACTION_CREATES = 1, /* makes a record of the kind: tl_record.id is empty, the result holds the new one */
    TL_ACTION_READS = 2,   /* changes nothing, at most reads: a document. May be repeated at will */
    TL_ACTION_LOOKS = 4    /* TL_ACT_LOOK can say whether an earlier attempt came through */
};

/* One thing that people can have done to a record of a kind, as discover() describes it. Since 0.2 */
typedef struct tl_action {
    uint32_t struct_size;
    uint32_t flags;         /* TL_ACTION_* */
    uint32_t rights;        /* TL_RIGHT_*, all that are needed; at least one */
    uint32_t n_params;
    uint32_t param_stride;
    uint32_t reserved;
    tl_str kind;            /* of the record; described before it */
    tl_str name, label;     /* [a-z0-9_]{1,32}, once per kind: "send"; the vendor's words for people */
    tl_str help;            /* one line for people: what it does at the vendor; may be empty */
    const tl_field *params; /* what it is given; with TL_F_READONLY: what its result holds. Walk with TL_AT */
} tl_action;

typedef struct tl_host tl_host;

/* pull(): position reached. Everything emitted since the last checkpoint of this call is covered by it; the host
 * stores records and checkpoint in one transaction. The cursor is opaque to the host and at most 64 KiB. */
typedef struct tl_checkpoint {
    uint32_t struct_size;
    int32_t mode;       /* the mode of the pull */
    int32_t complete;   /* pass: 1 = the enumeration has ended. changes: 1 = nothing more for now */
    uint32_t reserved;
    tl_str cursor;      /* all there is to know of the place: one that comes again with complete = 0 three times is
                           refused. Where the vendor pages by number, the number: a page may be read twice then */
    int64_t server_us;  /* vendor's clock at the start of this pull; 0: not told */
    int64_t estimate;   /* pass: how many records in all; -1: not known */
} tl_checkpoint;

/* Result of one pushed record. record: what the vendor says the record is now (id, version and whatever values it
 * returned; TL_REC_FULL if all of the shape); null if it says nothing beyond success. */
typedef struct tl_result {
    uint32_t struct_size;
    tl_status status;   /* TL_E_UNKNOWN: may have been applied; so counts a record without a result */
    int32_t created;    /* TL_OP_CREATE: 1 = a new record, 0 = one with our stamp existed already */
    uint32_t reserved;
    const tl_record *record;
    const tl_error *error; /* null when status is TL_OK */
} tl_result;

/* What is known of a blob. Since 0.2 */
typedef struct tl_blob {
    uint32_t struct_size;
    uint32_t reserved;
    uint64_t bytes;         /* told by the host */
    tl_str name, media_type; /* "INV-17.pdf", without a path; "application/pdf". Empty: not known */
} tl_blob;

/* Webhook subscription as the vendor knows it now. */
typedef struct tl_subscription {
    uint32_t struct_size;
    uint32_t reserved;
    tl_str id;          /* the vendor's id */
    tl_str audience;    /* JWT scheme: expected "aud" claim, if the vendor tells one */
    int64_t expires_us; /* 0: never */
} tl_subscription;

/* One table per instance, valid from open() until close() returns. Each function that takes a tl_error fills it when
 * it returns anything but TL_OK. */
struct tl_host {
    uint32_t struct_size, abi_major, abi_minor, reserved; /* the host's TL_ABI_* */
    const char *name, *version; /* of the host program */
    const void *(*extension)(const tl_host *, const char *id); /* [any] a host extension, or null */
    void (*log)(const tl_host *, int32_t level, tl_str line);  /* [any] one line, no secrets */
    void (*metric)(const tl_host *, const char *name, int64_t add); /* [any] counter "desk_pages" */
    int64_t (*now_us)(const tl_host *);                        /* [any] virtual under test: the only clock to use */
    int32_t (*cancelled)(const tl_host *);                     /* [any] 1: return TL_E_CANCELLED soon */
    tl_status (*sleep_ms)(const tl_host *, uint32_t ms);       /* [instance] TL_E_CANCELLED when woken early */
    /* Sends n requests (requests[0].struct_size is the stride), several at once, and returns when all are done. At most
     * 256; what is kept of their answers in memory takes at most 15 MiB each and 64 MiB together: more is cut, and
     * that outcome is TL_E_TEMPORARY, of a write TL_E_UNKNOWN. Larger ones go into blobs.
     * TL_OK: look at each outcome. TL_E_CANCELLED: those not sent have that outcome. [instance] */
    tl_status (*http)(const tl_host *, tl_http *requests, uint32_t n, tl_error *);
    /* Non-secret member of the last token answer, for example "instance_url"; len 0 if there is none. Signs in
     * first when that has not happened yet. A short buffer is TL_E_INVALID with the length needed in *len; TL_E_AUTH,
     * TL_E_CONFIG, TL_E_TEMPORARY. [instance] */
    tl_status (*auth_extra)(const tl_host *, const char *member, char *buf, uint64_t cap, uint64_t *len, tl_error *);
    void (*quota)(const tl_host *, const tl_quota *);          /* [instance] */
    /* Small durable values per endpoint, shared by its instances; at most 64 KiB each, 1 MiB in all. A missing key is
     * TL_E_NOT_FOUND; a short buffer TL_E_INVALID with the length needed in *len. Durable on return. [instance] */
    tl_status (*kv_get)(const tl_host *, const char *key, char *buf, uint64_t cap, uint64_t *len);
    tl_status (*kv_set)(const tl_host *, const char *key, tl_str value); /* empty value removes */
    /* Byte streams too large for memory (attachments, recordings, archives), host-kept, gone when the call returns
     * unless handed to it. Handles are never 0. [instance] */
    tl_status (*blob_new)(const tl_host *, const char *name, uint64_t *handle);
    tl_status (*blob_write)(const tl_host *, uint64_t handle, tl_str bytes);
    tl_status (*blob_read)(const tl_host *, uint64_t handle, uint64_t offset, char *buf, uint64_t cap, uint64_t *len);
    tl_status (*account)(const tl_host *, const tl_account *);    /* [instance, in check] */
    tl_status (*finding)(const tl_host *, const tl_finding *);    /* [instance, in check, prepare] */
    tl_status (*describe)(const tl_host *, const tl_kind *);      /* [instance, in discover] once per kind */
    /* Hands over records, in any order. Copied before it returns. TL_OK also when one of them cannot be used: that one
     * fails by itself. In a pull an id stands once in a batch, or twice the same; over a pass it may come again, the
     * last one counts. TL_E_CANCELLED: stop. TL_E_INVALID: the batch as a whole is refused and nothing of it is taken;
     * return, the call is spoilt. [instance, in pull, get, find, parse, list] */
    tl_status (*emit)(const tl_host *, const tl_batch *);
    /* TL_OK: go on with the next page. TL_E_CANCELLED: the page budget is used up or the host wants the instance
     * back: return TL_OK now. TL_E_INVALID: refused, the call is spoilt. A pull that ends with TL_OK has made at least
     * one, unless it was told to stop. [instance, in pull, list] */
    tl_status (*checkpoint)(const tl_host *, const tl_checkpoint *);
    tl_status (*result)(const tl_host *, uint32_t index, const tl_result *); /* [instance, in push, act] one a record */
    tl_status (*subscription)(const tl_host *, const tl_subscription *);        /* [instance, in subscribe] */
    /* Since 0.2. */
    tl_status (*describe_action)(const tl_host *, const tl_action *); /* [instance, in discover] once per action */
    /* Name (at most 255 bytes, without a path) and media type (127) of a blob, copied; the same and its size told, lent
     * until the current call returns. TL_E_NOT_FOUND: no such blob. TL_E_INVALID: words that are none. A blob that the
     * call was given can be read and sent, not written to. [instance] */
    tl_status (*blob_describe)(const tl_host *, uint64_t handle, const tl_blob *);
    tl_status (*blob_about)(const tl_host *, uint64_t handle, tl_blob *out);
};

/* ---- Requests -------------------------------------------------------------------------------------------------- */

/* What an instance is for: pull and push; get, find and hooks, which are short; what a person waits for. */
enum { TL_PURPOSE_BULK = 0, TL_PURPOSE_LIVE = 1, TL_PURPOSE_AGENT = 2 };

/* open(): one instance of an endpoint. */
typedef struct tl_open {
    uint32_t struct_size;
    int32_t purpose;       /* TL_PURPOSE_* */
    uint32_t n_config;
    uint32_t reserved;
    const tl_pair *config; /* every option, validated, defaults filled in; secret ones are left out */
    tl_str endpoint;       /* name, for messages */
} tl_open;

/* check(): may we, and who are we? */
typedef struct tl_check {
    uint32_t struct_size;
    uint32_t n_kinds;
    const tl_str *kinds; /* kinds that links use; rights are checked for these */
} tl_check;

/* discover(): which kinds are there, and what have they? */
typedef struct tl_discover {
    uint32_t struct_size;
    uint32_t n_kinds;
    const tl_str *kinds; /* empty: all */
} tl_discover;

/* tl_pull.mode */
enum {
    TL_PULL_CHANGES = 0, /* what changed since the cursor; an empty cursor means "from now on, less the overlap" */
    TL_PULL_PASS = 1     /* every live record once; an empty cursor means from the beginning */
};

/* pull(): records of one kind, page by page, from a place on. */
typedef struct tl_pull {
    uint32_t struct_size;
    int32_t mode;         /* TL_PULL_* */
    uint32_t max_pages;   /* page budget: return after so many checkpoints */
    uint32_t page_hint;   /* records per page; 0: the connector's choice */
    const tl_shape *shape; /* the kind and its fields that are wanted */
    tl_str cursor;        /* of the last checkpoint in this mode, as it was told; empty: there is none */
    tl_str view;          /* vendor's list view id; empty: all */
    int64_t created_from_us; /* of a pass: only those created then or later; 0: all. May be ignored: the host checks */
    int64_t deadline_us;  /* host's clock; 0: none */
    tl_str stamp_field;   /* vendor's name, see tl_push */
} tl_pull;

/* get(): these records as they are now. One that is not there is emitted with its state. */
typedef struct tl_get {
    uint32_t struct_size;
    uint32_t n_ids;
    const tl_shape *shape; /* the kind and its fields that are wanted */
    const tl_str *ids;     /* at most tl_kind.max_get */
    int64_t deadline_us;   /* host's clock; 0: none */
    tl_str stamp_field;    /* vendor's name, see tl_push */
} tl_get;

/* One question of find(): records whose field at path equals value, compared as the vendor does; the host checks
 * again. path: a canonical path with TL_F_MATCH; or "stamp"; or "created" (value: microseconds, records that our user
 * created at or after it). Records in the bin are reported with their state. */
typedef struct tl_query {
    tl_str path, value;
} tl_query;

/* find(): which records answer these questions? What is found is emitted with the index of its question. */
typedef struct tl_find {
    uint32_t struct_size;
    uint32_t n_queries;
    const tl_shape *shape;   /* the kind and its fields that are wanted */
    const tl_query *queries; /* at most tl_kind.max_find; walk with TL_AT */
    uint32_t limit;          /* records per query; 0: the connector's choice, at least 3 */
    uint32_t query_stride;
    int64_t deadline_us;     /* host's clock; 0: none */
    tl_str stamp_field;      /* vendor's name, see tl_push */
} tl_find;

/* tl_push.flags */
enum { TL_PUSH_QUIET = 1 /* ask the vendor not to run automations and notifications */ };

/* push(): writes records of one kind; each ends with one result. */
typedef struct tl_push {
    uint32_t struct_size;
    uint32_t flags;          /* TL_PUSH_* */
    const tl_shape *shape;   /* union of the fields of all records; a value left out is not touched */
    const tl_batch *batch;   /* at most tl_kind.max_batch records, distinct ids */
    tl_str stamp_field;      /* vendor's name, as discover() told it; empty: none. Never in the shape: what it holds
                                is tl_record.stamp, to be written at a create and told of every record read */
    int64_t deadline_us;     /* host's clock; 0: none */
} tl_push;

typedef struct tl_conn tl_conn; /* the connector's own; the host only hands it back */

/* ---- Extension "tl.auth/1": described here, done by the host -------------------------------------------------------
 * Templates hold names in braces: an option (secret ones included), "refresh_token", "code", "redirect_uri",
 * "code_verifier", "code_challenge", "state", "scopes", "assertion", "now" (epoch seconds), "expires" (now +
 * assertion lifetime). "{user:password}", two names, is the Base64 of both with a colon between (HTTP Basic); the
 * second may have no value. In a form, and behind the base of authorize_url, the host percent-encodes each value. */
typedef struct tl_auth_flow {
    const char *name;      /* "client_credentials", "jwt_bearer", "refresh_token", "authorization_code" */
    const char *needs;     /* names that must have a value for this flow to be used, comma separated */
    const char *token_url; /* template; null: nobody is asked, form itself is the token (an API key: "{token}") */
    const char *form;      /* template of the body, application/x-www-form-urlencoded */
    const char *assertion; /* template of the JWT claims (JSON), or null; signed RS256 */
    const char *assertion_key; /* option that holds the PEM private key, or null */
    int64_t assertion_lifetime_s; /* what "{expires}" adds to "{now}" */
} tl_auth_flow;

/* What tl_auth.verdict says of an answer: it has nothing to do with the token; that has run out; it is refused. */
enum { TL_AUTH_UNRELATED = 0, TL_AUTH_EXPIRED = 1, TL_AUTH_REFUSED = 2 };

/* How an endpoint signs in, constant data: what extension("tl.auth/1") returns. */
typedef struct tl_auth {
    uint32_t struct_size;
    uint32_t n_flows;
    uint32_t flow_stride;
    uint32_t reserved;
    const tl_auth_flow *flows;  /* tried in order: the first whose needs are met */
    const char *header;         /* "Authorization", or a template of options: "{key_header}" */
    const char *prefix;         /* "Zoho-oauthtoken " */
    const char *access_member, *refresh_member, *lifetime_member; /* of the token answer; lifetime may be null */
    const char *extras;         /* non-secret members the host keeps, comma separated */
    const char *url_extras;     /* those of extras that are base URLs: host part must be allowed */
    const char *authorize_url;  /* template; null: no browser sign-in. The host keeps state and PKCE verifier (S256) */
    const char *revoke_url, *revoke_form; /* "refresh_token" is the access token where there is no other */
    int64_t default_lifetime_s; /* when the answer has none */
    /* Verdict on an API answer; only EXPIRED makes the host refresh and repeat once. Pure. [any] */
    int32_t (*verdict)(int32_t status, tl_str body);
    /* Reads a token answer without an access token: TL_E_AUTH (revoked: authorise again), TL_E_CONFIG (client id,
     * secret, host), TL_E_THROTTLED, TL_E_TEMPORARY. Pure. [any] */
    tl_status (*token_error)(int32_t status, tl_str body, tl_error *);
    const char *scopes; /* what a browser sign-in must be granted, separated as the vendor does: "{scopes}"; or null */
    const char *scope_member; /* of the token answer: what was granted; null: the vendor does not say */
    /* Parameters of the redirect that name a base URL in place of an option's, "accounts-server=accounts_url", comma
     * separated, or null. Their hosts must be allowed; they hold while the option stays as it is. */
    const char *redirect_bases;
} tl_auth;

/* ---- Extension "tl.webhook/1" ------------------------------------------------------------------------------------ */

/* How the host tells a delivery of the vendor's from anybody's: by the address alone, which nobody else knows; by a
 * token in a header; by the body's HMAC in a header; by a signed JWT in a header. */
enum { TL_HOOK_SECRET_PATH = 1, TL_HOOK_HEADER_TOKEN = 2, TL_HOOK_HMAC_SHA256 = 3, TL_HOOK_JWT_RS256 = 4 };

/* Which deliveries are one and the same, told twice: those of the last 24 hours with an equal key. Unknown counts as
 * TL_HOOK_KEY_ID. */
enum {
    TL_HOOK_KEY_ID = 0,    /* the header delivery_id; one without it, or where delivery_id is null, always counts */
    TL_HOOK_KEY_BODY = 1,  /* the header delivery_id, else all that was sent: method, query and body */
    TL_HOOK_KEY_PARAM = 2  /* delivery_id names a parameter of the query or of a form; one without it always counts */
};

/* One delivery as it came, verified. */
typedef struct tl_hook_request {
    uint32_t struct_size;
    uint32_t n_headers;
    const tl_pair *headers; /* names in lower case */
    tl_str body, query;     /* query: what stands behind "?" in its address, still encoded */
    int64_t received_us;    /* host's clock */
    tl_str method;          /* "POST" */
    /* Of the kinds whose deliveries are themselves what is kept: parse emits such records with values. Of any other
     * kind a delivery is a hint, and a record has an id and no values. */
    uint32_t n_shapes;
    uint32_t shape_stride;
    const tl_shape *shapes; /* walk with TL_AT */
} tl_hook_request;

/* What a subscription is to be. */
typedef struct tl_subscribe {
    uint32_t struct_size;
    uint32_t n_kinds;
    const tl_str *kinds; /* of these the vendor shall tell */
    tl_str url; /* where the vendor shall post */
    tl_str id;  /* renew or remove: the id known from before */
} tl_subscribe;

/* What extension("tl.webhook/1") returns, constant data. */
typedef struct tl_webhook {
    uint32_t struct_size;
    int32_t scheme;          /* TL_HOOK_*; the host verifies before it stores anything */
    const char *header;      /* header with the token, signature or JWT */
    const char *jwks_url;    /* template, options and extras in braces */
    const char *issuer;      /* template, "{org_key}" allowed; null: not checked */
    const char *delivery_id; /* header or parameter that names the delivery, see key */
    uint32_t answers_get;    /* 1: a verification GET is answered with 200 */
    uint32_t reserved;
    /* Turns one stored delivery into records (emit), mostly hints. [instance] */
    tl_status (*parse)(tl_conn *, const tl_hook_request *, tl_error *);
    /* Creates or renews; reports through host->subscription. [instance] */
    tl_status (*subscribe)(tl_conn *, const tl_subscribe *, tl_error *);
    tl_status (*unsubscribe)(tl_conn *, const tl_subscribe *, tl_error *);
    const char *methods;     /* by which deliveries come: "POST,PUT,GET"; null: POST. HMAC signs a body: no GET then */
    int32_t key;             /* TL_HOOK_KEY_* */
    uint32_t reserved_end;
} tl_webhook;

/* ---- Extension "tl.prepare/1": one-time set-up at the vendor ("tieline endpoint prepare") ------------------------ */

/* A finding with the code "PREPARED" names what is there already: when all have it, nobody is asked. */
typedef struct tl_prepare_request {
    uint32_t struct_size;
    int32_t dry_run; /* 1: only report, as findings, what would be done and what the admin must do by hand */
    uint32_t n_kinds;
    uint32_t reserved;
    const tl_str *kinds; /* that links use */
} tl_prepare_request;

/* What extension("tl.prepare/1") returns, constant data. */
typedef struct tl_prepare {
    uint32_t struct_size;
    uint32_t reserved;
    tl_status (*prepare)(tl_conn *, const tl_prepare_request *, tl_error *); /* [instance] */
} tl_prepare;

/* ---- Extension "tl.view/1": lists read through, on instances of purpose TL_PURPOSE_AGENT. Since 0.2 ----------------
 * What a person sees beside a record and nobody keeps: the notes of a contact, its deals, its invoices. A kind says in
 * tl_kind.about of which records it makes lists; it need not be one that can be pulled. */

/* Records of one kind that belong to one record, the latest first. */
typedef struct tl_list {
    uint32_t struct_size;
    uint32_t limit;         /* records at most, and the size of a page */
    const tl_shape *shape;  /* the kind and its fields that are wanted */
    tl_str about_kind, about_id; /* the record they belong to; the kind is one of tl_kind.about */
    tl_str filter;          /* one of tl_kind.filters; empty: all */
    tl_str cursor;          /* of the checkpoint of the page before; empty: from the beginning */
    int64_t deadline_us;    /* host's clock; 0: none */
} tl_list;

/* What extension("tl.view/1") returns, constant data. */
typedef struct tl_view {
    uint32_t struct_size;
    uint32_t reserved;
    /* Emits one page, then makes one checkpoint: complete = 1 when there are no more, estimate: how many in all; its
     * mode means nothing, and it answers TL_E_CANCELLED, as the page is all that was asked for. More records than
     * limit, or the cursor that was given once more, spoils the call. A record it belongs to that is not there is
     * TL_E_NOT_FOUND. [instance] */
    tl_status (*list)(tl_conn *, const tl_list *, tl_error *);
} tl_view;

/* ---- Extension "tl.action/1": what discover() described with describe_action. Since 0.2 -----------------------------
 * Who may, whether the parameters are right, and that nothing is done twice is seen to by the host: it keeps what it
 * is about to have done, under a key, before the call. When the answer is lost it asks with TL_ACT_LOOK and never
 * sends again of itself. To show beforehand what would be sent it runs the action with every request that has
 * TL_HTTP_WRITE noted down and answered with TL_E_CANCELLED, as kv_set is; the connector returns that, as ever. */

/* tl_act.flags */
enum { TL_ACT_LOOK = 1 /* do nothing: TL_OK and its result when it has been done, TL_E_NOT_FOUND when not */ };

/* One action to be done. */
typedef struct tl_act {
    uint32_t struct_size;
    uint32_t flags;          /* TL_ACT_LOOK */
    tl_str name;             /* of the action */
    const tl_shape *shape;   /* the kind, and the action's parameters in place of its fields */
    const tl_record *record; /* id, version it was decided on (may be empty), values: the parameters; stamp: the key of
                                this deed, the same on every attempt, ASCII, at most 64 bytes */
    tl_str stamp_field;      /* vendor's name of the kind's stamp field; empty: none */
    tl_str person;           /* name of whom it is done for, where the vendor's author is our own user; may be empty */
    int64_t deadline_us;     /* host's clock; 0: none */
} tl_act;

/* What extension("tl.action/1") returns, constant data. */
typedef struct tl_actions {
    uint32_t struct_size;
    uint32_t reserved;
    /* Ends with one result of index 0, as a push of one record does; its record is the one acted on as it is now, of
     * the shape of the call: what the action gives back. [instance] */
    tl_status (*act)(tl_conn *, const tl_act *, tl_error *);
} tl_actions;

/* ---- The connector ----------------------------------------------------------------------------------------------- */

/* tl_option.type: what the operator may write there. The host checks it and gives it on as it was written; a
 * TL_OPT_DURATION is "30s" or "4h", a TL_OPT_URL begins with http:// or https://, a TL_OPT_DIR with "/". */
enum { TL_OPT_TEXT = 0, TL_OPT_INT = 1, TL_OPT_BOOL = 2, TL_OPT_CHOICE = 3, TL_OPT_URL = 4, TL_OPT_DURATION = 5,
       TL_OPT_SECRET = 6, /* never reaches the connector */
       TL_OPT_DIR = 7     /* a directory the operator grants */ };
/* tl_option.flags. REQUIRED: without a value the endpoint is misconfigured. */
enum { TL_OPT_REQUIRED = 1 };

/* One option of an endpoint: its name in the INI, [a-z0-9_]; its type and flags, TL_OPT_*; help: one line for people.
 * def: null: none. "?dc:com=https://a.com,eu=https://a.eu": chosen by the value of the option dc, which stands earlier
 * in the list; no entry for it: none. choices: comma separated. */
typedef struct tl_option {
    const char *name, *def, *help, *choices;
    uint32_t type, flags;
} tl_option;

/* What sort of system it is. Where nobody says who settles ties it is the CRM. Unknown counts as TL_ROLE_OTHER. */
enum { TL_ROLE_OTHER = 0, TL_ROLE_HELPDESK = 1, TL_ROLE_CRM = 2, TL_ROLE_FINANCE = 3, TL_ROLE_TELEPHONY = 4 };

/* Either one: never unmapped. OWN_THREADS: it, or a library it brings along, starts threads. */
enum { TL_PLUGIN_OWN_THREADS = 1, TL_PLUGIN_KEEP_MAPPED = 2 };

/* Constant data of the connector; the host copies what it keeps. Members a connector does not have are null: all but
 * id, name, version, open, close, check and discover may be; pull, push and find where no kind claims what they do. */
typedef struct tl_connector {
    uint32_t magic, struct_size, abi_major, abi_minor; /* TL_MAGIC, sizeof, TL_ABI_MAJOR, TL_ABI_MINOR */
    const char *id;      /* "salesforce": [a-z0-9_]{1,32}, also the value of "connector =" */
    const char *name, *version, *vendor, *url, *license; /* for people: "Salesforce", "1.2"; who made it; where */
    uint32_t flags;      /* TL_PLUGIN_* */
    int32_t role;        /* TL_ROLE_* */
    const char *claims;  /* one place each: "helpdesk|crm:crm,finance:finance", whose roles and its name; or null */
    const char *hosts;   /* vendor hosts that http() may reach, by name: "desk.zoho.com,*.my.salesforce.com" */
    int64_t default_window_s; /* created_within of a new link; 0: none */
    int32_t default_master;   /* 1: this side settles ties unless the operator says otherwise */
    uint32_t n_options, option_stride, reserved;
    const tl_option *options; /* of an endpoint, beside those the host has for all */
    tl_status (*load)(tl_error *);                                                        /* [control] optional */
    void (*unload)(void);                                                                 /* [control] optional */
    tl_status (*open)(const tl_host *, const tl_open *, tl_conn **, tl_error *);         /* [instance] no network */
    void (*close)(tl_conn *);                                                             /* [instance] cannot fail */
    tl_status (*check)(tl_conn *, const tl_check *, tl_error *);                          /* [instance] */
    tl_status (*discover)(tl_conn *, const tl_discover *, tl_error *);                    /* [instance] */
    tl_status (*pull)(tl_conn *, const tl_pull *, tl_error *);                            /* [instance] */
    tl_status (*get)(tl_conn *, const tl_get *, tl_error *);                              /* [instance] each id once */
    tl_status (*find)(tl_conn *, const tl_find *, tl_error *);                            /* [instance] */
    tl_status (*push)(tl_conn *, const tl_push *, tl_error *);                            /* [instance] */
    const void *(*extension)(const char *id);                                             /* [any] */
} tl_connector;

/* The one exported symbol. No side effect, no I/O, no thread; the same pointer on every call. [any] */
TL_EXPORT const tl_connector *tieline_connector_v0(void);

/* ---- Vocabulary 2 ---------------------------------------------------------------------------------------------------
 * Kinds and their canonical paths. Equal paths on both sides are mapped by default; paths under "x." never are.
 * Version 2 adds balance.*, currency and payment_terms of account and contact, author_name of a comment, reference,
 * notes, terms and sent of an invoice and an estimate, departments of a user, administrator and permissions of a
 * profile, active of a department; and columns of lines (TL_ROWS): id, item, name, description, quantity, rate, amount.
 *
 * account: name phone fax website industry description employees annual_revenue parent owner
 *          address.street address.city address.state address.postal_code address.country
 *          shipping.street shipping.city shipping.state shipping.postal_code shipping.country
 *          balance.credits balance.receivable balance.payable currency payment_terms
 * contact: first_name last_name email secondary_email phone mobile fax title department description account owner
 *          birthday address.street address.city address.state address.postal_code address.country
 *          balance.credits balance.receivable balance.payable currency payment_terms
 * product: name code unit_price active description departments
 * deal:    name stage amount probability close_date account contacts owner closed won
 * lead:    first_name last_name company email phone mobile title status owner converted_contact converted_account
 * ticket:  number subject description status status_type priority channel due contact account product owner department
 *          closed created overdue escalated
 * comment: parent body public author author_name at  note:  parent title body author at
 * task:    subject status due description contact account ticket deal owner completed url
 * call:    subject direction from to start seconds status recording_url contact ticket owner utm.* client_id
 * event:   subject start end location description contact account owner
 * invoice, estimate: number status total balance currency date due expires customer lines reference notes terms sent
 * user:    name first_name last_name email active status profile role departments
 * profile: name administrator permissions            department: name active
 */

#ifdef __cplusplus
}
#endif
#endif
