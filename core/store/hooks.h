#ifndef HOOKS_H
#define HOOKS_H
/* What comes in from outside between pulls: raw deliveries until they are parsed, the keys that make duplicates
 * visible, hints that say "look at this record", and the webhook subscriptions themselves. */
#include "db.h"

/* ---- Inbox ----------------------------------------------------------------------------------------------------- */

struct inbox_row {
    int64_t inbox, endpoint;
    int64_t received_us;
    str method;
    str headers; /* "name: value" lines, names in lower case */
    str query, body;
    int32_t attempts;
    int64_t due_us; /* next try; 0: now */
};
/* Stores a verified delivery. Seen in the last 24 hours under this key: E_EXISTS and nothing is stored; an empty key
 * was never seen. Durable when the caller's transaction is. body at most 1 MiB. */
int inbox_add(struct db *db, struct inbox_row *r, str delivery_key, struct err *e);
int inbox_next(
    struct db *db, struct arena *a, int64_t endpoint, int64_t now_us, size_t max, struct inbox_row **out, size_t *n,
    struct err *e); /* that waits longest since it was due, the oldest first; endpoint 0: any, the oldest first */
int inbox_retry(struct db *db, int64_t inbox, int64_t due_us, struct err *e); /* attempts + 1 */
int inbox_done(struct db *db, int64_t inbox, struct err *e);
/* When the first of what waits is due. TL_E_NOT_FOUND: nothing waits. */
int inbox_due(struct db *db, int64_t endpoint, int64_t *due_us_out, struct err *e);
int inbox_count(struct db *db, int64_t endpoint, int64_t *out, struct err *e);
/* Deliveries that nobody could settle until then. */
int inbox_trim(struct db *db, int64_t older_than_us, int max_rows, bool *done_out, struct err *e);
int delivery_trim(struct db *db, int64_t older_than_us, int max_rows, bool *done_out, struct err *e);

/* ---- Hints ----------------------------------------------------------------------------------------------------- */

enum hint_why { /* of several that come together the vendor's word on a deletion counts, else the weakest */
                HINT_CHANGED = 0,
                HINT_GONE = 1,  /* the vendor says it was deleted */
                HINT_MISSED = 2 /* a whole reading did not meet it */
};
struct hint {
    int64_t feed;
    str id;
    int32_t gone;  /* enum hint_why */
    int64_t at_us; /* of the newest */
    int64_t n;     /* how many came together */
};
/* For every feed of (endpoint, kind): one row per record, however many come. *feeds_out how many feeds took it. */
int hint_put(struct db *db, int64_t endpoint, str kind, str id, enum hint_why why, int64_t at_us, int64_t *feeds_out,
             struct err *e);
int hint_next(struct db *db, struct arena *a, int64_t feed, int64_t before_us, size_t max, struct hint **out, size_t *n,
              struct err *e); /* oldest first, at_us <= before_us */
/* Removes it unless more came since it was read. */
int hint_done(struct db *db, const struct hint *h, struct err *e);
int hint_count(struct db *db, int64_t feed, int64_t *out, struct err *e);
/* Those that nobody read until then: whoever reads the feed again reads it whole. */
int hint_trim(struct db *db, int64_t older_than_us, int max_rows, bool *done_out, struct err *e);

/* ---- Subscriptions --------------------------------------------------------------------------------------------- */

struct webhook {
    int64_t endpoint;
    str id, audience;             /* the vendor's; empty: set up by hand */
    str kinds;                    /* comma separated */
    uint64_t url;                 /* store_hash of the address the vendor was told */
    int64_t subscribed_us;        /* when it was made or renewed last */
    int64_t expires_us;           /* 0: never */
    int64_t made_us, received_us; /* last accepted delivery; 0: none yet */
    int64_t accepted, refused, duplicates;
};
/* Makes the row with a fresh secret when it is not there. secret_out: 26 characters for the path or the token; sealed
 * at rest. */
int webhook_ensure(struct db *db, int64_t endpoint, struct buf *secret_out, struct err *e);
int webhook_get(struct db *db, struct arena *a, int64_t endpoint, struct webhook *out, struct err *e);
int webhook_update(struct db *db, const struct webhook *w, struct err *e); /* all but endpoint, made_us, counts */
int webhook_count(struct db *db, int64_t endpoint, int accepted, int refused, int duplicates, int64_t at_us,
                  struct err *e); /* adds */
int webhook_delete(struct db *db, int64_t endpoint, struct err *e);
#endif
