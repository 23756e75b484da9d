/* SPDX-License-Identifier: MIT-0 */
#ifndef REST_H
#define REST_H
/* What the options of an endpoint say about its API. Made once, by open(); afterwards only read. */
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
#endif
