#ifndef SALESFORCE_H
#define SALESFORCE_H
/* Connector to Salesforce (REST API): what its files share. One tl_conn is one instance; the host never runs two calls
 * on it at once.
 *
 * Vendor facts are cited by page: [REST:page] is
 * developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/page.htm, [SOAP:page] the same of api.meta/api,
 * [SOQL:page] of soql_sosl.meta/soql_sosl, [OR:page] of object_reference.meta, [HELP:id] an article of
 * help.salesforce.com. What the vendor does not say stands in README.md. */
#include "kit/kit.h"

enum {
    SF_PAGE = 2000,            /* rows of a query page [REST:headers_queryoptions] */
    SF_COLLECTION = 200,       /* records of a collection call [REST:resources_composite_sobjects_collections] */
    SF_RETRIEVE = 2000,        /* ids of a retrieve [REST:resources_composite_sobjects_collections_retrieve_post] */
    SF_BODY = 3 * 1024 * 1024, /* of a write; 6 MB are said to be the limit */
    SF_URL = 12000,            /* of 16,384 bytes for URL and headers together [REST:errorcodes] */
    SF_OFFSET = 2000,          /* rows a query can skip [SOQL:sforce_api_calls_soql_select_offset] */
    SF_ID = 18
};
/* How late a row may become visible with an older SystemModstamp: it is set when a transaction writes, the row is seen
 * when it commits [SOAP:sforce_api_calls_getupdated]. */
#define SF_OVERLAP_S INT64_C(900)

/* One standard field: what it is called in the vocabulary. */
struct sf_field {
    const char *path, *name;
    uint32_t flags; /* TL_F_MATCH */
};
struct sf_kind {
    const char *kind, *object;
    bool merges; /* has MasterRecordId */
    bool fixed;  /* only read, and never deleted: users */
    const struct sf_field *fields;
    uint32_t n_fields;
};
extern const struct sf_kind sf_kinds[];
extern const uint32_t sf_n_kinds;
const struct sf_kind *sf_kind_of(tl_str kind); /* null: not ours */

/* ---- kinds that are only listed beside a record (listed.c) */
struct sf_rename {
    const char *name, *here; /* a field's name as described; as it is called in the object */
};
struct sf_origin { /* rows of one object, read as records of a kind */
    const char *object;
    tlk_envelope envelope;
    const char *order;             /* the field by which the latest come first */
    const char *always;            /* a condition of all of them; null: none */
    const struct sf_rename *names; /* null: as described */
    uint32_t n_names;
    bool archived; /* some are seen only by a query of everything */
};
struct sf_source { /* which of them belong to a record; in the condition "$" stands for its id, quoted */
    const struct sf_origin *origin;
    const char *where;
    const char *fields; /* used for it, and hidden from some users */
    const char *also;   /* a further object that must be seen; null: none */
};
struct sf_about {
    const char *kind;
    struct sf_source sources[2]; /* together they are the list, no row is of both */
};
struct sf_part { /* of a list: tl_kind.filters; in the condition "@" stands for the time it is */
    const char *name, *fields, *where;
};
struct sf_own_field { /* described by us, as there is no one object that could be asked */
    const char *path, *name, *label;
    uint32_t type;
};
struct sf_listed {
    struct sf_kind kind;
    const char *people; /* references whose names are told beside the ids */
    const struct sf_own_field *own;
    const struct sf_about *about;
    const struct sf_part *parts;
    uint32_t n_own, n_about, n_parts;
};
extern const struct sf_listed sf_listed[];
extern const uint32_t sf_n_listed;
const struct sf_listed *sf_listed_of(tl_str kind); /* null: not ours */
uint32_t sf_n_sources(const struct sf_about *about);

struct tl_conn {
    const tl_host *host;
    tlk_arena keep;   /* texts below */
    tl_str login;     /* "https://login.salesforce.com" */
    tl_str instance;  /* of the option; empty: as the sign-in says */
    tl_str version;   /* "62.0" */
    tl_str stamp;     /* API name of the external id field */
    bool save_alerts; /* write in spite of duplicate rules that only alert */
    tl_str base;      /* instance_url of this call, in `call` */
    tl_str data;      /* base + "/services/data/v62.0", in `call` */
    tlk_json json;    /* the answer looked at */
    tlk_arena call;   /* lives as long as one call of the host */
    tlk_arena page;   /* lives as long as one answer */
};

extern const tlk_errors sf_errors;
extern const tl_auth sf_auth;
extern const tl_prepare sf_prepare;
extern const tl_view sf_view;
extern const tlk_rules sf_rules;

/* What is known about the stamp field of an object. */
enum sf_stamp_state { SF_STAMP_MISSING, SF_STAMP_UNUSABLE, SF_STAMP_UNIQUE, SF_STAMP_PLAIN };
struct sf_stamp_info {
    enum sf_stamp_state state;
    const char *fault; /* SF_STAMP_UNUSABLE: in words */
};
struct sf_stamp_info sf_stamp_info_of(tl_conn *c, const tlk_node *describe);                    /* check.c */
tl_status sf_describe(tl_conn *c, const struct sf_kind *k, const tlk_node **root, tl_error *e); /* discover.c */

/* ---- calls (call.c) */
/* Begins a call of the host: forgets what the last one kept, learns where the instance is. */
tl_status sf_begin(tl_conn *c, tl_error *e);
void sf_get_request(tl_conn *c, tl_http *r, tl_str url);
void sf_write_request(tl_conn *c, tl_http *r, const char *method, tl_str url, tl_str json);
tl_str sf_path(tl_conn *c, const char *fmt, ...) TLK_PRINTF(2, 3);             /* below /services/data/vNN.0 */
tl_status sf_call(tl_conn *c, tl_http *r, const tlk_node **root, tl_error *e); /* tlk_call by sf_errors */
/* Makes the request for a query: a GET, or a composite call where the URL would be too long. all: also what is in the
 * recycle bin. */
void sf_query_request(tl_conn *c, tl_http *r, tl_str soql, bool all);
/* Judges the answer to it: root is the query result also when it came wrapped. */
tl_status sf_query_answer(tl_conn *c, const tl_http *r, const tlk_node **root, tl_error *e);
tl_status sf_query(tl_conn *c, tl_str soql, bool all, const tlk_node **root, int64_t *server_us, tl_error *e);
/* Names of the objects that can be queried, comma separated. */
tl_status sf_objects_seen(tl_conn *c, tl_str *names, tl_error *e);
/* Can what a list about such a record needs be seen? objects: of sf_objects_seen. */
bool sf_about_seen(const struct sf_listed *k, const struct sf_about *about, tl_str objects);
/* Org id and user id of the sign-in, 18 characters each. */
tl_status sf_identity(tl_conn *c, tl_str *org, tl_str *user, tl_error *e);
tl_str sf_stamp_of(tl_conn *c, const struct sf_kind *k); /* the stamp field, if the kind has it; else empty */
bool sf_stamp_is_unique(tl_conn *c, const struct sf_kind *k);
void sf_stamp_remember(tl_conn *c, const struct sf_kind *k, enum sf_stamp_state state);
/* "api-usage=18/5000; per-app-api-usage=17/250(appName=x)": the org's used and allowed requests. Pure. */
bool sf_usage_parse(tl_str header, int64_t *used, int64_t *limit);

/* ---- several calls in one (composite.c): begin, the parts, request; at most 25 parts, 5 of them queries */
struct sf_composite {
    tl_conn *c;
    tlk_writer w;
    uint32_t n; /* parts it has */
};
void sf_composite_done(struct sf_composite *m);
#define SF_AUTO_COMPOSITE __attribute__((cleanup(sf_composite_done))) struct sf_composite
void sf_composite_begin(struct sf_composite *m, tl_conn *c);
void sf_composite_get(struct sf_composite *m, tl_str target); /* of sf_inner_path */
void sf_composite_query(struct sf_composite *m, tl_str soql, bool all);
void sf_composite_request(struct sf_composite *m, tl_http *r);
tl_str sf_inner_path(tl_conn *c, tl_str tail); /* "/services/data/v62.0" and the tail */
/* The body of a part, or its error. */
tl_status sf_composite_part(const tlk_node *root, uint32_t i, const tlk_node **body, tl_error *e);

/* ---- SOQL (soql.c), pure */
void sf_soql_text(tlk_buf *b, tl_str s);   /* 'O\'Brien' */
void sf_soql_time(tlk_buf *b, int64_t us); /* 2026-01-31T12:00:00Z, whole seconds, cut */
bool sf_is_name(tl_str s);                 /* may stand in a query as a field or object name */
/* "SELECT Id,... FROM Contact": the envelope's fields, the stamp, then the shape's, each once. */
void sf_soql_select(tlk_buf *b, const struct sf_kind *k, const tl_shape *shape, tl_str stamp);
void sf_soql_envelope(tlk_buf *b, const struct sf_kind *k, tl_str stamp); /* the comma separated names alone */
void sf_soql_name(tlk_buf *names, tl_str name); /* adds it to the comma separated names, unless it is among them */
void sf_soql_names(tlk_buf *names, const tl_shape *shape); /* adds the shape's, each once */
/* Scope and condition of a list view's own query; false when there is no condition to be found. */
bool sf_soql_view(tl_str query, tl_str *scope, tl_str *condition);
void sf_id18(char out[SF_ID + 1], tl_str id); /* 15 characters get their suffix; others are copied */
bool sf_is_id(tl_str s);                      /* 15 or 18 letters and digits */
bool sf_same_text(tl_str a, tl_str b);        /* as Salesforce compares: without case */

/* ---- records (record.c) */
struct sf_reader {
    tl_conn *c;
    const struct sf_kind *kind;
    const tl_shape *shape;
    tl_str stamp;
    tlk_plan plan;
};
/* Begins a call about records of a kind that must be ours. */
tl_status sf_begin_records(tl_conn *c, const tl_shape *shape, struct sf_reader *rd, tl_error *e);
void sf_reader_init(struct sf_reader *r, tl_conn *c, const struct sf_kind *k, const tl_shape *shape);
/* Fills rec from a row; texts lent from the document or in c->page. False: it cannot be used (TL_REC_BAD is set). */
bool sf_record_read(const struct sf_reader *r, const tlk_node *row, tl_record *rec);
tl_str sf_url_of(const tl_conn *c, tl_str id, tlk_arena *a); /* "view in Salesforce" */
struct sf_rows {
    tl_record *list; /* in c->page */
    uint32_t n;
};
/* Emits the rows of a query result; *out is what was emitted. */
tl_status sf_emit_rows(const struct sf_reader *r, const tlk_node *rows, struct sf_rows *out, tl_error *e);

/* ---- the functions of the table */
tl_status sf_check(tl_conn *c, const tl_check *req, tl_error *e);
tl_status sf_discover(tl_conn *c, const tl_discover *req, tl_error *e);
tl_status sf_pull(tl_conn *c, const tl_pull *p, tl_error *e);
tl_status sf_get(tl_conn *c, const tl_get *req, tl_error *e);
tl_status sf_find(tl_conn *c, const tl_find *req, tl_error *e);
tl_status sf_push(tl_conn *c, const tl_push *req, tl_error *e);

/* ---- pulling */
tl_status sf_changes(struct sf_reader *rd, const tl_pull *p, tl_error *e); /* changes.c */
tl_status sf_pass(struct sf_reader *rd, const tl_pull *p, tl_error *e);    /* pass.c */
struct sf_filter {                                                         /* of a list view; empty texts: none */
    tl_str scope, condition;
};
tl_status sf_filter_of(struct sf_reader *rd, tl_str view, struct sf_filter *out, tl_error *e);
#define SF_PASS_TAG    "sf.pass.1"
#define SF_CHANGES_TAG "sf.changes.1"
#define SF_LIST_TAG    "sf.list.1"
#endif
