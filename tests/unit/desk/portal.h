#ifndef PORTAL_H
#define PORTAL_H
/* A portal of Zoho Desk in memory behind a host: searches by time with the vendor's limits, records by id, recycle bin;
 * any call can be given a canned answer instead. It shares no code with the connector but the kit's writer and times.
 */
#include "unit/fake_host.h"
#include "unit/unit.h"

#include "kit/kit.h"

enum { PORTAL_MAX = 20000, PORTAL_CALLS = 64 };

struct portal_contact {
    int64_t id, created_ms, modified_ms, deleted_ms;
    bool trashed, purged;
};

struct canned {
    const char *part; /* in method + " " + url */
    int32_t status;   /* 0: no answer at all: outcome says why */
    tl_status outcome;
    const char *body;
    int times;
};

struct portal {
    struct fake_host host; /* first: its callbacks find the rest behind it */
    tl_conn *conn;
    struct portal_contact contacts[PORTAL_MAX];
    uint32_t n;
    int64_t server_skew_us; /* the portal's clock is off by this */
    int64_t index_skew_us;  /* and so is its index */
    bool no_date;
    const int64_t *lying_count;
    int64_t lag_ms; /* later changes are not in the index yet */
    bool trashed_404, bin_forbidden, bin_by_id, no_count;
    uint32_t limit_max;
    struct canned canned[8];
    tlk_arena answers;
    uint32_t calls, most_at_once, searches;
    char log[PORTAL_CALLS][1024]; /* method, url, body of the latest calls */
    uint32_t n_log;
    void (*on_search)(struct portal *f);
    /* what the connector emitted: there are too many records to keep them all */
    uint32_t emitted[PORTAL_MAX]; /* by position */
    uint32_t n_emitted, n_trashed, n_deleted, n_bad, n_hints, n_full;
    tl_record last; /* texts copied into kept */
    tlk_arena kept;
    char cursor[16384]; /* of the last checkpoint of portal_pull */
    bool complete;
};

struct portal *portal_new(void);
void portal_free(struct portal *f);
struct portal_contact *portal_add(struct portal *f, int64_t created_ms, int64_t modified_ms);
extern const tl_shape portal_shape; /* of contacts */
/* One pull from the cursor kept last. */
tl_status portal_pull(struct portal *f, int32_t mode, uint32_t max_pages, tl_error *e);
tl_status portal_pull_of(struct portal *f, const tl_shape *shape, int32_t mode, uint32_t max_pages, tl_error *e);
void portal_set_cursor(struct portal *f, const char *text); /* "": none */
#endif
