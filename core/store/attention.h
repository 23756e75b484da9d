#ifndef ATTENTION_H
#define ATTENTION_H
/* What people must look at (repairs) and what people did (audit). */
#include "db.h"

struct repair {
    int64_t repair;
    str object;    /* "connection help-sales", "link help-sales/contact", "endpoint sales" */
    str code;      /* SCHEMA_DRIFT */
    str key;       /* tells several of one code apart: a field, a record; may be empty */
    int32_t level; /* TL_WARN, TL_ERROR */
    str text, hint;
    int64_t first_us, last_us, n, resolved_us;
};
/* One open row per (object, code, key): adds or counts up with the newest words. */
int repair_raise(struct db *db, struct repair *r, struct err *e);
/* Closes it; nothing open is fine. code empty: all of the object, whatever the key. */
int repair_clear(struct db *db, str object, str code, str key, int64_t at_us, struct err *e);
int repair_list(struct db *db, struct arena *a, bool with_resolved, size_t max, struct repair **out, size_t *n,
                struct err *e); /* newest first */

/* Chained by hashes: each row's hash covers the one before, so a removed or changed row shows. */
struct audit {
    int64_t audit, at_us;
    str who, act, object, detail; /* "uid 0 (root)", "connection.pause", "help-sales", JSON */
};
int audit_add(struct db *db, struct audit *row, struct err *e);
/* Who did what goes with what was done: the next transaction that commits writes the row too, or fails with it. One
 * that is rolled back leaves it owed. row is lent until audit_settle, which says whether it was written. [control] */
void audit_owe(struct db *db, const struct audit *row);
bool audit_settle(struct db *db);
int audit_list(struct db *db, struct arena *a, int64_t before, size_t max, struct audit **out, size_t *n,
               struct err *e); /* newest first */
/* *broken_out: id of the first row that does not fit, 0 when all do. */
int audit_verify(struct db *db, int64_t *broken_out, struct err *e);
/* The same in slices. Starts zeroed; rows: looked at so far, first: the number the chain begins with (what is older was
 * forgotten by audit_trim, which keeps the hash the chain goes on from). A row that is missing at the end shows too. */
struct audit_walk {
    int64_t after, rows, first, broken;
    uint8_t hash[32];
    bool begun;
};
int audit_verify_slice(struct db *db, struct audit_walk *w, size_t max, bool *end_out, struct err *e);
/* Forgets the oldest rows, as long as they are older than this; at most max_rows. */
int audit_trim(struct db *db, int64_t older_than_us, int max_rows, bool *done_out, struct err *e);
/* Forgets repairs that were resolved before. */
int repair_trim(struct db *db, int64_t older_than_us, int max_rows, bool *done_out, struct err *e);
#endif
