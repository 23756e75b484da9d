#ifndef DESK_H
#define DESK_H
/* Connector to Zoho Desk (REST API v1): what its files share. One tl_conn is one instance; the host never runs two
 * calls on it at once. Vendor facts are cited by file of the vendor's OpenAPI set, github.com/zoho/zohodesk-oas v1.0,
 * as [OAS:Contact], or by page; what the vendor does not say stands in README.md with how both readings are met. */
#include "kit/kit.h"

enum {
    DESK_AT_ONCE = 4,   /* calls in flight; the smallest edition allows 5 [help.zoho.com: working with API credits] */
    DESK_PAGE = 100,    /* rows of a search page; 99 where the portal refuses 100 */
    DESK_BIN_PAGE = 50, /* recycle bin [OAS:Recyclebin] */
    DESK_SEARCH_LAST = 999 /* highest "from" of a search [OAS:Search] */
};
#define DESK_OVERLAP_US (INT64_C(120) * TLK_US_PER_S) /* search index lag: not documented, so generous */

/* desk_field.flags beside TL_F_*: in every record, though the metadata do not list it; of this type, whatever they say
 */
#define DESK_F_TOLD  (1u << 30)
#define DESK_F_TYPED (1u << 31)

/* One standard field of a module: where it lies and what it is called in the vocabulary. */
struct desk_field {
    const char *name; /* the vendor's apiName */
    const char *path;
    uint32_t type; /* when the metadata say nothing better */
    uint32_t max;
    uint32_t flags; /* TL_F_REQUIRED, TL_F_MATCH, DESK_F_* */
    const char *refers_to;
    const char *search; /* parameter of /search that finds by it; null: only _all */
};

struct desk_kind {
    const char *kind, *label;
    const char *module;          /* "contacts": path and metadata */
    const char *bin_type;        /* "Contacts": type of a recycle bin entry */
    const char *trash_ids;       /* member of the moveToTrash body; null: its records are only read */
    const char *scope;           /* a sign-in needs it to read them: "Desk.contacts.READ" */
    const char *about, *filters; /* as in tl_kind; null: none */
    const struct desk_field *fields;
    uint32_t n_fields;
};
extern const struct desk_kind desk_kinds[];
extern const uint32_t desk_n_kinds;
const struct desk_kind *desk_kind_of(tl_str kind); /* null: not ours */

struct tl_conn {
    const tl_host *host;
    tlk_arena keep;    /* texts below */
    tl_str base;       /* "https://desk.zoho.eu" */
    tl_str api;        /* base + "/api/v1" */
    tl_str org;        /* portal; empty until desk_ready found the only one */
    tl_str stamp;      /* apiName of the stamp field: "cf_tieline_id" */
    tlk_json json;     /* the answer looked at */
    tlk_arena call;    /* lives as long as one call of the host */
    tlk_arena page;    /* lives as long as one answer */
    uint32_t limit;    /* rows of a search page that this portal allows */
    bool old_search;   /* this portal's search knows no email, phone and custom field: only _all is left */
    bool knows_open;   /* its search of tickets was seen to know "${open}" */
    bool old_profiles; /* its list of profiles knows no "fields": permissions are read one by one */
};

extern const tlk_errors desk_errors;
extern const tl_auth desk_auth;
extern const tl_webhook desk_webhook;
extern const tl_prepare desk_prepare;
extern const tl_view desk_view;
extern const tl_actions desk_actions;
extern const tlk_rules desk_rules;

/* ---- calls (call.c) */
/* Begins a call of the host: forgets what the last one kept, makes sure that the portal is known. */
tl_status desk_begin(tl_conn *c, tl_error *e);
tlk_url desk_url(tl_conn *c, const char *path); /* below /api/v1 */
void desk_request(tl_conn *c, tl_http *r, const char *method, tlk_url *u, uint32_t flags);
tl_status desk_call(tl_conn *c, tl_http *r, const tlk_node **root, tl_error *e); /* tlk_call by desk_errors */
tl_status desk_read(tl_conn *c, tlk_url *u, const tlk_node **root, tl_error *e); /* a GET */
/* Stands for rc, the end of a call for records of this kind. For those that are only read a sign-in need not have been
 * made: its missing scope is a matter of that kind alone, and is named. */
tl_status desk_of_kind(const struct desk_kind *k, tl_status rc, tl_error *e);
bool desk_lacks_scope(tl_status rc, const tl_error *e);
/* The rows of a list; null: none (204, an empty one). An answer without a list is none that can be believed. */
tl_status desk_data(const tlk_node *root, const char *of, const tlk_node **data, tl_error *e);
/* What a call ends with whose checkpoint the host answered so: a used-up budget of pages is no fault. */
tl_status desk_page_end(tl_conn *c, tl_status rc, tl_error *e);

/* ---- records (record.c) */
struct desk_reader {
    tl_conn *c;
    const struct desk_kind *kind;
    const tl_shape *shape;
    tlk_plan plan;
};
/* Begins a call about records of a kind that must be ours. */
tl_status desk_begin_records(tl_conn *c, const tl_shape *shape, struct desk_reader *rd, tl_error *e);
void desk_reader_init(struct desk_reader *r, tl_conn *c, const struct desk_kind *k, const tl_shape *shape);
/* Fills rec from a full record; texts lent from the document or in c->page. False: it cannot be used (TL_REC_BAD is
 * set). */
bool desk_record_read(const struct desk_reader *r, const tlk_node *object, tl_record *rec);

/* ---- searching (search.c) */
struct desk_range {
    bool by_created; /* the time searched and sorted by; else the modified time */
    int64_t lo, hi;  /* milliseconds, lo <= time < hi */
    bool has_other;  /* the other time is limited too */
    int64_t other_lo, other_hi;
};
struct desk_rows {
    const tlk_node *data; /* array; null: none */
    uint32_t n;
    int64_t count; /* how many fit in all; -1: not told */
    int64_t server_us;
};
tl_str desk_range_url(tl_conn *c, const struct desk_kind *k, const struct desk_range *r, uint32_t from, uint32_t limit);
/* One page of a range; tries 99 rows when the portal refuses 100. */
tl_status desk_range_page(tl_conn *c, const struct desk_kind *k, const struct desk_range *r, uint32_t from,
                          struct desk_rows *out, tl_error *e);
tl_status desk_rows_of(tl_conn *c, const tl_http *r, struct desk_rows *out, tl_error *e);
/* Was a page refused because of its length? Then c->limit is smaller from now on, and it is asked for again. */
bool desk_limit_refused(tl_conn *c, tl_status rc, const tl_error *e);
/* Emits the rows whose time lies in the range (null: all). */
tl_status desk_emit_rows(const struct desk_reader *rd, const struct desk_rows *rows, const struct desk_range *r,
                         tl_error *e);
/* Emits everything of a range that has more rows than one search can reach although its time cannot be halved: halves
 * the other time instead. */
tl_status desk_emit_dense(const struct desk_reader *rd, const struct desk_range *r, int64_t count, tl_error *e);
int64_t desk_row_ms(const tlk_node *row, bool by_created); /* 0: unreadable */
/* A time in either of the vendor's forms, in microseconds; 0: unreadable, or outside of the years 1970 to 9999. */
int64_t desk_time_us(const tlk_node *v);
#define DESK_LAST_MS INT64_C(253402300799000)
static inline bool desk_is_ms(int64_t ms)
{
    return ms >= 0 && ms <= DESK_LAST_MS;
}

/* ---- pulling */
tl_status desk_pull(tl_conn *c, const tl_pull *p, tl_error *e);
tl_status desk_pass(struct desk_reader *rd, const tl_pull *p, tl_error *e);    /* pass.c */
tl_status desk_changes(struct desk_reader *rd, const tl_pull *p, tl_error *e); /* changes.c */
#define DESK_PASS_TAG    "desk.pass.1"
#define DESK_CHANGES_TAG "desk.changes.1"
/* The arithmetic of slices, pure (slices.c). */
int64_t desk_slice_first(int64_t span_ms, int64_t total);     /* width to begin with */
int64_t desk_slice_narrower(int64_t width_ms, int64_t count); /* after a slice with too many rows */
int64_t desk_slice_wider(int64_t width_ms, int64_t count);    /* after a slice that was read */
int64_t desk_slice_end(int64_t lo_ms, int64_t width_ms, int64_t end_ms);

/* ---- recycle bin (bin.c) */
struct desk_bin {
    tl_record *records; /* state TRASHED, newest page first; in c->call */
    uint32_t n;
    bool whole; /* everything back to `since` was seen */
};
/* Entries of a kind deleted at or after since_us, at most max_pages pages. A portal user without the right to the bin
 * gets an empty one (and the log a line). */
tl_status desk_bin_read(tl_conn *c, const struct desk_kind *k, int64_t since_us, uint32_t max_pages,
                        struct desk_bin *out, tl_error *e);
/* Emits what trash and restores since the last poll did; *mark_us and *tracked (ids, comma separated) move on. */
tl_status desk_bin_changes(const struct desk_reader *rd, int64_t *mark_us, int64_t *looked_us, tl_str *tracked,
                           int64_t now_us, tl_error *e);

/* ---- who works here: agents, profiles, departments (directory.c). Short lists without times, each read whole */
struct directory;
const struct directory *desk_directory_of(tl_str kind); /* null: another kind */
tl_status desk_directory_describe(tl_conn *c, const tl_discover *q, tl_error *e);
tl_status desk_directory_pull(tl_conn *c, const struct directory *d, const tl_pull *p, tl_error *e);
tl_status desk_directory_get(tl_conn *c, const struct directory *d, const tl_get *q, tl_error *e);

/* ---- comments of tickets (comments.c): listed and made, never pulled */
bool desk_is_comments(tl_str kind);
tl_status desk_comments_describe(tl_conn *c, tl_error *e);
tl_status desk_comments_list(tl_conn *c, const tl_list *q, tl_error *e);
tl_str desk_plain_text(tlk_arena *a, tl_str html); /* what a person reads of it (text.c) */

/* ---- the rest of the table */
tl_status desk_check(tl_conn *c, const tl_check *q, tl_error *e);
tl_status desk_discover(tl_conn *c, const tl_discover *q, tl_error *e);
tl_status desk_get(tl_conn *c, const tl_get *q, tl_error *e);
tl_status desk_find(tl_conn *c, const tl_find *q, tl_error *e);
tl_status desk_push(tl_conn *c, const tl_push *q, tl_error *e);
/* Reads records by id and emits them with their position; missing ones as trashed or deleted. */
tl_status desk_fetch(const struct desk_reader *rd, const tl_str *ids, uint32_t n, tl_error *e);
/* Can records be searched by the stamp field? Older portals cannot, and _all is not said to look into custom fields. */
tl_status desk_can_find_stamp(tl_conn *c, const struct desk_kind *k, bool *can, tl_error *e);
/* Metadata of a module's fields; the answer stays in c->json. */
tl_status desk_metadata(tl_conn *c, const struct desk_kind *k, const tlk_node **fields, tl_error *e);
const tlk_node *desk_metadata_field(const tlk_node *fields, tl_str api_name);

/* ---- errors */
/* Turns errors[0] of an INVALID_DATA answer into reason and field, knowing the field's type from the shape. */
void desk_refine(const tlk_node *root, const tl_shape *shape, const tl_record *rec, tl_error *e);
#endif
