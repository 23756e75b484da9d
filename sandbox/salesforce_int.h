#ifndef SALESFORCE_INT_H
#define SALESFORCE_INT_H
/* Shared by the files of the Salesforce twin only: its state, one request, one write. */
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdint.h>

#include "consent.h"
#include "json_tree.h"
#include "people.h"
#include "salesforce.h"
#include "salesforce_schema.h"
#include "salesforce_store.h"
#include "server.h"
#include "soql.h"

#define SF_STAMP_FIELD  "Tieline_Id__c"
#define SF_USERNAME     "integration@acme.example"
#define SF_NUMBER_FIELD "Customer_Number__c"

enum { SF_API_NEWEST = 62, SF_API_OLDEST = 31, SF_BATCH_MAX = 2000, SF_COLLECTION_MAX = 200, SF_TOKEN_BYTES = 128 };

struct sf_session {
    char token[SF_TOKEN_BYTES];
    uint64_t number; /* never reused: what a locator is bound to */
    uint64_t grant;  /* of the refresh token it came from; 0: none */
    uint32_t user;
    int64_t issued_us, used_us;
    bool dead;
};
struct sf_grant { /* a refresh token */
    char token[SF_TOKEN_BYTES];
    char org[SF_ID_MAX + 1]; /* another organisation than the twin's; empty: its own */
    uint64_t number;
    uint32_t user;
    int64_t used_us;
    bool dead;
};
struct sf_locator { /* an open query: the rows as they were when it ran (parents and child lists as they are when read)
                     */
    char id[20];
    uint64_t session;
    int64_t opened_us;
    struct arena memory; /* the plan */
    struct soql_plan *plan;
    struct soql_result result;
    int64_t batch;
    bool all_rows; /* opened by queryAll */
};

struct sf {
    struct sandbox *world;
    struct twin *login, *instance;
    struct sf_schema schema;
    struct sf_store store;
    struct sf_session *sessions;
    size_t session_n, session_cap;
    struct sf_grant *grants;
    size_t grant_n, grant_cap;
    struct sf_locator **locators;
    size_t locator_n, locator_cap;
    uint64_t next_session, next_grant, next_locator;
    char org_id[SF_ID_MAX + 1];
    uint32_t admin, integration; /* users: the one who changes things by the control plane, and the connector's */
    char client_id[64], client_secret[64], refresh_token[SF_TOKEN_BYTES];
    EVP_PKEY *jwt_key;
    struct consent consent;
    int64_t api_used, api_epoch_us;
    uint32_t assigned;   /* next owner of the assignment rule */
    int64_t histories;   /* contacts that were given one; see the switch */
    uint32_t history_at; /* the contact to look at next */
};

/* ---- one request, of the wire or inside a composite ---- */
struct sf_req {
    struct sf *sf;
    struct arena *a;
    struct call *call; /* of the wire; headers that are not below come from it */
    str method, path, query;
    str capture[CALL_CAPTURES];
    str body;
    struct sj *tree; /* body when it came as part of a composite */
    str version;     /* "62.0" */
    const struct sf_session *session;
    str if_modified, if_unmodified, auto_assign, duplicate_rule, query_options;
    int64_t now_us;
    struct sf_journal *journal; /* inside an all-or-none composite: what to undo */
    /* answer */
    int status;
    struct buf *out;
    const char *location, *last_modified, *etag;
    bool is_inner;
};
typedef void (*sf_fn)(struct sf_req *r);
bool sf_req_param(struct sf_req *r, const char *name, str *out);
/* The body as a tree, or NULL after a JSON_PARSER_ERROR was answered. */
struct sj *sf_req_body(struct sf_req *r);
void sf_error(struct sf_req *r, int status, const char *code, const char *fmt, ...) PRINTF_LIKE(4, 5);
void sf_error_soql(struct sf_req *r, const struct soql_error *e);
void sf_not_found(struct sf_req *r);
/* The object a path names, or NULL after 404. */
struct sf_object *sf_req_object(struct sf_req *r, str name);
int64_t sf_switch(const struct sf *sf, const char *name); /* of the instance */
/* "/services/data/v62.0" */
const char *sf_req_base(struct sf_req *r);

/* ---- writing one record ---- */
enum { SF_PROBLEM_TEXT = 700 };
struct sf_problem {
    const char *code;
    char text[SF_PROBLEM_TEXT];
    char fields[256];       /* comma separated */
    const char *duplicates; /* DUPLICATES_DETECTED: the JSON of the duplicate result */
};
struct sf_outcome {
    int status; /* 0: done */
    bool created;
    bool malformed; /* a value could not be parsed: in a collection the whole request may fail */
    char id[SF_ID_MAX + 1];
    struct sf_problem problem;
};
struct sf_journal_entry {
    struct sf_record *record;
    struct sf_row *before; /* kept; NULL: the record was created */
};
struct sf_journal {
    struct sf_journal_entry *entries;
    size_t n, cap;
};
void sf_journal_undo(struct sf *sf, struct sf_journal *j);            /* newest first; empties it */
void sf_journal_move(struct sf_journal *to, struct sf_journal *from); /* appends; from is empty then */
void sf_journal_done(struct sf_journal *j);
AUTO_DONE(struct sf_journal, sf_journal_done)

struct sf_save {
    struct sf *sf;
    struct arena *a;
    const struct sf_object *object;
    struct sf_record *record; /* NULL: create */
    const struct sj *body;
    const struct sf_field *key; /* upsert: the field of the path and its value */
    str key_value;
    uint32_t user;
    int64_t now_us, late_us;                                        /* late_us > 0: commits that much later */
    bool allow_duplicates, duplicate_details, keep_owner, internal; /* internal: may write read-only fields */
    str path, method;                                               /* what faults are compared with */
    struct sf_journal *journal;
};
/* Validates and stores. Fills *out; out->status 0 means stored. */
void sf_save(struct sf_save *s, struct sf_outcome *out);
void sf_delete(struct sf_save *s, struct sf_outcome *out);
/* Moves a record to the bin together with what hangs on it. */
void sf_bin(struct sf *sf, struct sf_record *r, uint32_t user, int64_t now_us, const char *master,
            struct sf_journal *journal);
void sf_refuse(struct sf_outcome *out, int status, const char *code, const char *fields, const char *fmt, ...)
    PRINTF_LIKE(5, 6);
/* Options of a write as the request's headers ask. */
struct sf_save sf_req_save(struct sf_req *r, const struct sf_object *o);
/* Records that hold this value in an external id or lookup field; returns how many, fills up to max. */
size_t sf_find_by_key(struct sf *sf, const struct sf_object *o, const struct sf_field *f, str value,
                      struct sf_record **out, size_t max);

/* ---- values of request bodies ---- */
/* One member of a body against its field. False with out filled when it cannot be stored; value lent from the arena. */
bool sf_value_parse(struct sf_save *s, const struct sf_field *f, const struct sj *v, struct sf_val *value,
                    struct sf_outcome *out);
bool sf_value_check(struct sf_save *s, const struct sf_field *f, const struct sf_val *value, struct sf_outcome *out);

/* ---- rows as JSON ---- */
void sf_row_put(struct sf *sf, struct buf *out, const struct soql_plan *p, const struct sf_row *row, str version,
                const struct soql_world *w);
void sf_record_put(struct sf *sf, struct buf *out, const struct sf_row *row, const struct sf_field *const *fields,
                   size_t n, str version); /* fields NULL: all visible ones */
void sf_cell_put(struct buf *out, const struct sf_field *f, const struct sf_cell *cell);
void sf_time_put(struct buf *out, int64_t us); /* "2015-08-19T08:17:00.000+0000", with quotes */
void sf_ids_error_put(struct buf *out, const struct sf_outcome *o, bool row);

/* ---- parts ---- */
enum { SF_LOGIN_ROUTE_COUNT = 5, SF_LOGIN_CONTROL_COUNT = 3, SF_CONTROL_COUNT = 6 };
extern const struct route SF_LOGIN_ROUTES[SF_LOGIN_ROUTE_COUNT];
extern const struct route SF_LOGIN_CONTROL[SF_LOGIN_CONTROL_COUNT];
extern const struct route SF_CONTROL[SF_CONTROL_COUNT];
struct sf_session *sf_session_find(struct sf *sf, str token);
struct sf_session *sf_session_open(struct sf *sf, uint32_t user, uint64_t grant);
struct sf_grant *sf_grant_open(struct sf *sf, uint32_t user);
void sf_auth_setup(struct sf *sf);
void sf_redirects(struct call *c); /* control: a further redirect address */
void sf_identity(struct call *c);  /* GET /id/{org}/{user} */
void sf_note_add(struct call *c);  /* control: an enhanced note */
/* Gives further contacts deals, notes and activities until there are as many with some as the switch says. */
void sf_histories_follow_switch(struct call *c, struct sf *sf);
bool sf_bearer(const struct call *c, str *token);
struct sf_route {
    const char *method, *pattern; /* behind /services/data/vNN.0 */
    sf_fn fn;
};
const struct sf_route *sf_route_find(str method, str path, str *captures, bool *wrong_method);
void sf_locators_close(struct sf *sf, uint64_t session); /* 0: all */
void sf_locator_free(struct sf_locator *l);
void sf_seed(struct sf *sf, const struct people *people);
bool sf_dump(struct twin *t, str kind, struct buf *out);
bool sf_change(struct call *c, struct twin *t, const char *verb, str kind, str id, json_t *fields);

/* handlers */
void sf_resources(struct sf_req *r);
void sf_describe_global(struct sf_req *r);
void sf_describe(struct sf_req *r);
void sf_basic_info(struct sf_req *r);
void sf_limits(struct sf_req *r);
void sf_record_count(struct sf_req *r);
void sf_listviews(struct sf_req *r);
void sf_listview_describe(struct sf_req *r);
void sf_query(struct sf_req *r);
void sf_query_all(struct sf_req *r);
void sf_query_more(struct sf_req *r);
void sf_get_updated(struct sf_req *r);
void sf_get_deleted(struct sf_req *r);
void sf_rest_create(struct sf_req *r);
void sf_rest_get(struct sf_req *r);
void sf_rest_update(struct sf_req *r);
void sf_rest_delete(struct sf_req *r);
void sf_rest_get_by_key(struct sf_req *r);
void sf_rest_upsert(struct sf_req *r);
void sf_rest_delete_by_key(struct sf_req *r);
void sf_collection_create(struct sf_req *r);
void sf_collection_update(struct sf_req *r);
void sf_collection_upsert(struct sf_req *r);
void sf_collection_delete(struct sf_req *r);
void sf_collection_retrieve(struct sf_req *r);
void sf_composite(struct sf_req *r);
void sf_batch(struct sf_req *r);
#endif
