/* SPDX-License-Identifier: MIT-0 */
#ifndef REST_H
#define REST_H
/* What the files of the connector share. */
#include <kit/kit.h>

enum paging { PAGING_NONE, PAGING_PAGE, PAGING_OFFSET, PAGING_CURSOR, PAGING_LINK };
enum times { TIMES_ISO, TIMES_S, TIMES_MS };
enum { REST_KINDS_MAX = 7 };

struct kind {
    const char *name, *label; /* "contact", "Contacts" */
    tl_str path;              /* "/people" */
    const char *records;      /* where a list has its records, "data.items"; empty: it is the list */
    const char *record;       /* where the answer to one record has it; empty: it is the record */
    uint32_t writes;          /* TL_CAN_CREATE, TL_CAN_UPDATE, TL_CAN_DELETE */
    const char *stamp;        /* vendor's name of the field that holds stamps; empty: none */
    uint32_t can;
    tlk_fields fields;
};

/* What the options of an endpoint say about its API. Made once, by open(); afterwards only read. */
struct api {
    tl_str base; /* "https://api.example.com/v2" */
    tl_str org;  /* who we are there: the base, where nothing else is said */
    bool anonymous;
    tl_str headers; /* "Accept: application/json | X-Version: 3" */
    enum paging paging;
    enum times times;
    const char *page_param, *limit_param, *since_param; /* names of query parameters; empty: none */
    const char *next, *more, *total;                    /* paths in the answer; empty: none */
    int64_t first_page;
    uint32_t page_size;
    tl_str query; /* more query parameters of every list, "sort=id&archived=true" */
    const char *update_method;
    bool wrap;
    const char *deleted;
    tlk_envelope envelope; /* without the stamp, which is the kind's */
    tlk_errors errors;
    struct kind kinds[REST_KINDS_MAX];
    uint32_t n_kinds;
};

enum { REST_OPTIONS = 31 + 5 * REST_KINDS_MAX };
extern const tl_option rest_options[REST_OPTIONS];

/* Reads them; memory in keep. TL_E_CONFIG names the option and what is wrong with it. */
tl_status rest_read_options(struct api *api, const tl_open *o, tlk_arena *keep, tl_error *e);
const struct kind *rest_kind(const struct api *api, tl_str name); /* null: not described */

struct tl_conn { /* one instance; the host never runs two calls on it at once */
    const tl_host *host;
    tlk_arena keep, call; /* as long as the instance; as long as one call */
    tlk_json json;
    struct api api;
};
extern const tl_auth rest_auth;
enum { OVERLAP_US = 5000000 }; /* how far a reading goes back before the last one: late commits, times cut to seconds */

/* ---- call.c */
/* What a call works with, made at its beginning. */
struct work {
    const struct kind *kind;
    tlk_rules rules;
    tlk_plan plan;
    tlk_envelope envelope;
};
tl_status rest_begin(tl_conn *c, const tl_shape *shape, struct work *w, tl_error *e);
/* Sends one; the answer's JSON is in *root, as long as the next request. */
tl_status rest_ask(tl_conn *c, const char *method, tl_str url, tl_str body, tl_http *r, const tlk_node **root,
                   tl_error *e);
void rest_list_url(tl_conn *c, const struct kind *k, tlk_url *u); /* begins it */
tl_str rest_url_of(tl_conn *c, const struct kind *k, tl_str id);
const tlk_node *rest_at(const tlk_node *root, const char *path);
/* The list of an answer; null and an error where there is none. */
const tlk_node *rest_list_of(tl_conn *c, const struct kind *k, const tlk_node *root, tl_error *e);

/* ---- record.c */
void rest_rules(tlk_rules *out, tl_conn *c);
tl_str rest_time_text(tl_conn *c, int64_t us);
void rest_read_record(tl_conn *c, const struct work *w, const tlk_node *object, tl_record *rec);

/* ---- pull.c */
/* Where a reading stands. */
struct place {
    tl_str page;      /* number, offset, cursor or address of the next page; empty: the first */
    uint32_t size;    /* records of a page: numbers of pages mean something only with it */
    int64_t since_us; /* changes: from here on */
    int64_t start_us; /* when this reading began, by the API's clock */
};
tl_str rest_page_url(tl_conn *c, const struct kind *k, const struct place *s);

/* ---- the functions of the table, each in the file of its name */
tl_status rest_check(tl_conn *c, const tl_check *q, tl_error *e);
tl_status rest_discover(tl_conn *c, const tl_discover *q, tl_error *e);
tl_status rest_pull(tl_conn *c, const tl_pull *p, tl_error *e);
tl_status rest_get(tl_conn *c, const tl_get *q, tl_error *e);
tl_status rest_find(tl_conn *c, const tl_find *q, tl_error *e);
tl_status rest_push(tl_conn *c, const tl_push *p, tl_error *e);
#endif
