#ifndef FINANCE_H
#define FINANCE_H
/* Connector to Zoho Books and Zoho Invoice (REST API v3, one engine): what its files share. One tl_conn is one
 * instance; the host never runs two calls on it at once.
 *
 * Vendor facts are cited by page: [B:page] is www.zoho.com/books/api/v3/page/, [I:page]
 * www.zoho.com/invoice/api/v3/page/, [OAS:file] a file of the vendor's OpenAPI set for Books (the "openapi-all"
 * download of [B:introduction]). What the vendor does not say stands in README.md with how each reading is met. */
#include "kit/kit.h"

enum {
    FIN_AT_ONCE = 4,   /* calls in flight: an organisation may have 5 on the free plan [B:introduction] */
    FIN_PAGE = 200,    /* rows of a list [www.zoho.com/books/api/v4/pagination] */
    FIN_DETAILS = 25,  /* rows of a list of which each record is read by itself: one call each */
    FIN_MINUTE = 60000 /* ms that code 44 is said to last */
};
/* last_modified_time has whole seconds, and how late a list shows a write is not said. */
#define FIN_OVERLAP_US (INT64_C(120) * TLK_US_PER_S)

/* What differs between the two products. */
struct fin_product {
    const char *name, *path;   /* "books", "/books/v3" */
    const char *title, *scope; /* "Zoho Books", "ZohoBooks" */
    bool form; /* bodies go as the form field JSONString, the organisation also as a header [I:introduction] */
};

/* A field in the vocabulary: where it lies in the vendor's record. */
struct fin_field {
    const char *path, *name, *label;
    uint32_t type, max, flags; /* TL_F_* */
    const char *words;         /* TL_CHOICE: its entries, TL_REF: the kinds it refers to; comma separated */
    bool listed;               /* the rows of the lists have it too */
};
struct fin_kind {
    const char *kind, *label;
    const char *many, *one, *id;              /* "contacts", "contact", "contact_id" */
    const struct fin_field *fields, *columns; /* columns: of lines; null: it has none */
    uint32_t n_fields, n_columns;
    bool synced;         /* customers: pulled and pushed. Documents are shown and acted on alone */
    const char *about;   /* kinds that have lists of it, or null */
    const char *filters; /* values of "status" that a list can be asked for, or null */
};
extern const struct fin_kind fin_kinds[];
extern const uint32_t fin_n_kinds;
const struct fin_kind *fin_kind_of(tl_str kind); /* null: not ours */
/* Adds one of them to a description; columns: of a TL_ROWS. */
tl_field *fin_describe_field(tl_conn *c, tlk_fields *list, const struct fin_field *f, uint32_t scale,
                             const struct fin_kind *k);

struct fin_deed;
struct tl_conn {
    const tl_host *host;
    tlk_arena keep; /* texts below */
    const struct fin_product *product;
    tl_str dc;                /* "eu" */
    tl_str api;               /* of the option; empty: as the sign-in says */
    tl_str base;              /* "https://www.zohoapis.eu/books/v3", in `call` */
    tl_str org;               /* organisation; empty until fin_begin found the only one */
    tl_str stamp;             /* API name of the stamp field: "cf_tieline_id" */
    tl_str custom;            /* API names of custom fields, comma separated */
    int64_t per_minute;       /* calls a minute of this instance; 0: as they come */
    int64_t minute_us, calls; /* since when, and how many */
    tlk_json json;            /* the answer looked at */
    tlk_arena call;           /* lives as long as one call of the host */
    tlk_arena page;           /* lives as long as one answer */
};

extern const tlk_errors fin_errors;
extern const tl_auth fin_auth;
extern const tl_prepare fin_prepare;
extern const tl_view fin_view;
extern const tl_actions fin_actions;
extern const tlk_rules fin_rules;
extern const struct fin_product fin_products[]; /* plugin.c */

/* ---- calls (call.c) */
/* Begins a call of the host without an organisation: forgets what the last one kept, learns where the API is. */
tl_status fin_begin_bare(tl_conn *c, tl_error *e);
/* The same, and makes sure that the organisation is known. */
tl_status fin_begin(tl_conn *c, tl_error *e);
tlk_url fin_url(tl_conn *c, const char *path); /* below the product's path; the text lies in c->call */
/* Ends the address with the organisation, where there is one. */
void fin_request(tl_conn *c, tl_http *r, const char *method, tlk_url *u, uint32_t flags);
void fin_body(tl_conn *c, tl_http *r, tl_str json); /* as the product wants it; copied into c->call */
/* Sends n requests, FIN_AT_ONCE in flight, no more a minute than the operator allows. */
tl_status fin_send(tl_conn *c, tl_http *r, uint32_t n, tlk_each_fn each, void *ctx, tl_error *e);
/* Judges an answer: also a code other than 0 in a good one is a refusal. */
tl_status fin_answer(tl_conn *c, const tl_http *r, const tlk_node **root, tl_error *e);
tl_status fin_call(tl_conn *c, tl_http *r, const tlk_node **root, tl_error *e); /* sends one and judges it */
tl_status fin_read(tl_conn *c, tlk_url *u, const tlk_node **root, tl_error *e); /* a GET */
/* The address for people of a record, in c->page. */
tl_str fin_web_url(tl_conn *c, const struct fin_kind *k, tl_str id);

/* ---- organisations (organization.c) */
/* The user's only one that he administers, in c->org; else words that say what to do. */
tl_status fin_find_organization(tl_conn *c, tl_error *e);
/* Is c->org one of those? Fills name and edition. */
tl_status fin_check_organization(tl_conn *c, tl_account *a, tl_error *e);

/* ---- the stamp field (stamp.c) */
/* Has the organisation this custom field on the kind, and does it allow no duplicates? Then the vendor makes a create
 * safe to repeat. */
tl_status fin_can_stamp(tl_conn *c, const struct fin_kind *k, bool *can, tl_error *e);

/* ---- records (record.c) */
struct fin_reader {
    tl_conn *c;
    const struct fin_kind *kind;
    const tl_shape *shape;
    tlk_plan plan;
    bool details; /* something is wanted that the lists do not have */
};
/* Begins a call about records of a kind that must be ours. stamped: stamps are to be told. */
tl_status fin_begin_records(tl_conn *c, const tl_shape *shape, bool stamped, struct fin_reader *rd, tl_error *e);
/* Fills rec from a record; texts lent from the document or in c->page. False: it cannot be used (TL_REC_BAD is set). */
bool fin_record_read(const struct fin_reader *r, const tlk_node *object, tl_record *rec);
int64_t fin_time(const tlk_node *row, const char *name); /* microseconds; 0: unreadable */
/* The value of a custom field of a record; null: it has none. */
const tlk_node *fin_custom_value(const tlk_node *object, tl_str api_name);

/* ---- bodies of writes (body.c) */
/* What is to be sent for a record, in c->call; now: the record as it is at the vendor, null at a create. */
tl_str fin_contact_body(const struct fin_reader *rd, const tl_record *rec, tl_str stamp_field, const tlk_node *now);
/* Does the record hold anything that may be written? */
bool fin_has_values(const struct fin_reader *rd, const tl_record *rec);
/* The name a new customer gets, which nobody else may have; empty: there is nothing to make one of. */
tl_str fin_contact_name(const struct fin_reader *rd, const tl_record *rec);

/* ---- actions (action.c; documents: document.c; status, mail and PDF: deed.c) */
struct fin_action {
    const char *kind, *name, *label, *help;
    uint32_t flags, rights; /* TL_ACTION_*, TL_RIGHT_* */
    const struct fin_field *params;
    uint32_t n_params;
    tl_status (*act)(struct fin_deed *d, tl_error *e);
    const char *status; /* the one it sets, end of the path; null: a parameter says it */
    const char *done;   /* status that a document has when that has been done, comma separated; null: that one */
};
/* One action being done. */
struct fin_deed {
    tl_conn *c;
    const struct fin_action *action;
    const tl_act *act;
    struct fin_reader rd; /* of its kind and parameters */
};
tl_status fin_describe_actions(tl_conn *c, const struct fin_kind *k, uint32_t scale, bool stamped, tl_error *e);
tl_str fin_deed_status(const struct fin_deed *d);                      /* the one the action sets */
const tl_value *fin_param(const struct fin_deed *d, const char *path); /* null: not given, or empty */
tlk_url fin_deed_url(const struct fin_deed *d, const char *more);      /* of the record acted on */
/* Sends what has effects, judges the answer and ends the action where it was refused: *ended. */
tl_status fin_deed_send(struct fin_deed *d, tl_http *r, const tlk_node **root, bool *ended, tl_error *e);
/* The record acted on as it is now: *now lies in c->json. */
tl_status fin_deed_read(struct fin_deed *d, const tlk_node **now, tl_error *e);
tl_status fin_deed_refuse(struct fin_deed *d, tl_status status, const tl_error *why, tl_error *e);
/* Ends with the record of an answer, or with its id alone where it has none. file: of a TL_BLOB parameter, or 0. */
tl_status fin_deed_done(struct fin_deed *d, const tlk_node *record, uint64_t file, bool created, tl_error *e);
tl_status fin_deed_reread(struct fin_deed *d, tl_error *e); /* reads the record and ends with it */
tl_status fin_act_create(struct fin_deed *d, tl_error *e);
tl_status fin_act_edit(struct fin_deed *d, tl_error *e);
tl_status fin_act_convert(struct fin_deed *d, tl_error *e);
tl_status fin_act_status(struct fin_deed *d, tl_error *e);
tl_status fin_act_send(struct fin_deed *d, tl_error *e);
tl_status fin_act_pdf(struct fin_deed *d, tl_error *e);

/* ---- going through a list (list.c): pages by number, which must not jump over a record when others go away */
struct fin_walk {
    const char *sort; /* column: a time, by which the rows are sorted */
    bool down;        /* the latest first */
    uint32_t size;    /* rows wanted of a page */
    int64_t at;       /* rows passed */
    int64_t again;    /* how often in a row the place was lost */
    int64_t lost;     /* how often in all: reading the same once more is another place */
    tl_str last;      /* id of the last row passed; empty: none */
    int64_t last_us;  /* its time */
};
struct fin_rows {
    const tlk_node *list; /* array */
    uint32_t first, n;    /* the first one that is new, and how many rows there are */
    bool more, lost;      /* lost: nothing is new, the next page begins further in front */
    int64_t server_us;
};
tl_status fin_walk_page(const struct fin_reader *rd, struct fin_walk *w, struct fin_rows *out, tl_error *e);
void fin_walk_keep(const struct fin_walk *w, tlk_cursor *cur, tlk_arena *a);
bool fin_walk_restore(struct fin_walk *w, const tlk_cursor *cur);
/* Where to ask so that the row before the place comes too, with as little else twice as can be. Pure. */
void fin_walk_ask(int64_t at, uint32_t size, int64_t *page, int64_t *per_page);
/* Emits rows of a list as answers to question `index`: as they are, or each one read by itself where that is needed. */
tl_status fin_emit_rows(const struct fin_reader *rd, const tlk_node *const *rows, uint32_t n, uint32_t index,
                        tl_error *e);

/* ---- the functions of the table */
tl_status fin_check(tl_conn *c, const tl_check *q, tl_error *e);
tl_status fin_discover(tl_conn *c, const tl_discover *q, tl_error *e);
tl_status fin_pull(tl_conn *c, const tl_pull *p, tl_error *e);
tl_status fin_get(tl_conn *c, const tl_get *q, tl_error *e);
tl_status fin_find(tl_conn *c, const tl_find *q, tl_error *e);
tl_status fin_push(tl_conn *c, const tl_push *p, tl_error *e);
tl_status fin_pass(struct fin_reader *rd, const tl_pull *p, tl_error *e);    /* pass.c */
tl_status fin_changes(struct fin_reader *rd, const tl_pull *p, tl_error *e); /* changes.c */
#define FIN_PASS_TAG    "finance.pass.1"
#define FIN_CHANGES_TAG "finance.changes.1"
/* Reads records by id, one call each, and emits them: with their position, missing ones as deleted; or, with index,
 * with that of theirs, and missing ones not at all. */
tl_status fin_fetch(const struct fin_reader *rd, const tl_str *ids, const uint32_t *index, uint32_t n, tl_error *e);
#endif
