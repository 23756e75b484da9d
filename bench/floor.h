#ifndef FLOOR_H
#define FLOOR_H
/* floor_state: what a first sync costs when one straight-line program does it. It makes the requests that the
 * connectors make, reads with the kit's reader and stores the rows that the engine stores, through the functions of
 * core/store; it has no planner, no frames, no scheduler and no second thread but the store's checkpoint thread. */
#include "connections.h"
#include "endpoints.h"
#include "feeds.h"
#include "intents.h"
#include "kit/kit.h"
#include "obs.h"
#include "pairs.h"
#include "runs.h"

/* Where the time goes: CPU of this thread, by what it was doing. */
enum stage {
    STAGE_DESK_GET,
    STAGE_DESK_READ,
    STAGE_DESK_STORE,
    STAGE_LOOKUPS,
    STAGE_WALK,
    STAGE_BODY,
    STAGE_INTENT,
    STAGE_PUSH,
    STAGE_OUTCOME,
    STAGE_BACK_GET,
    STAGE_BACK_READ,
    STAGE_BACK_STORE,
    STAGES
};

/* One field of a kind; its number in observations is its position + 1, on both sides. */
struct floor_field {
    const char *path, *desk, *salesforce;
    uint32_t type;
};
struct floor_kind {
    const char *kind, *module, *object; /* "contact", "contacts", "Contact" */
    const struct floor_field *fields;
    uint32_t n;
    uint32_t match; /* position of the match key */
    int32_t match_kind;
};
extern const struct floor_kind floor_kinds[2]; /* accounts, then contacts, which refer to them */
enum { FLOOR_FIELDS = 16, STAMP_TEXT = 40 };

struct http;
struct floor {
    struct db *db;
    const char *desk_url, *salesforce_url;
    struct http *desk, *salesforce;
    int64_t endpoint[2], connection;
    const struct floor_kind *kind; /* the one being synced */
    struct floor *other;           /* the kind it refers to, done before; NULL: none */
    tl_field fields[2][FLOOR_FIELDS];
    tl_shape shape[2];
    tlk_plan plan[2];
    tlk_arena keep, page;
    tlk_json json;
    int64_t feed[2];
    struct link link;
    struct run run;
    int64_t requests, created, read_back;
    uint64_t *spent; /* [STAGES] ns */
    uint64_t mark;
};

_Noreturn void floor_die(const char *what, const char *why);
void floor_must(int rc, const struct err *e, const char *what);
void floor_spent(struct floor *f, enum stage s); /* CPU since the last call goes to s */
/* Observation of a record as read, in out. */
void floor_observation(const tl_record *r, struct buf *out);
/* What the record is found by, as the engine keeps it: its match field, and every number that somebody may call from.
 * out: [FLOOR_FIELDS], texts lent from folded; how many there are. */
unsigned floor_keys(const struct floor *f, str observation, struct buf *folded, struct lookup_key *out);

/* ---- the two vendors */
void floor_desk_pass(struct floor *f);           /* all live records, page by page */
int64_t floor_salesforce_start(struct floor *f); /* looks once while it is empty; where the feed of changes begins */
/* One collection call; ids_out[n] are lent from f->page. */
void floor_salesforce_upsert(struct floor *f, const tl_record *records, uint32_t n, tl_str *ids_out);
void floor_salesforce_read_back(struct floor *f, int64_t from_us);

/* ---- HTTP: one kept connection, blocking calls */
struct http *http_new(const char *token_header, const char *more_header);
struct http *http_free(struct http *h);
/* Answer of a call, lent until the next one; status other than 200 or 204 ends the program. method "GET" or "PATCH". */
tl_str http_call(struct http *h, const char *method, tl_str url, tl_str body);
#endif
