/* SPDX-License-Identifier: MIT-0 */
#ifndef TLK_ERROR_H
#define TLK_ERROR_H
/* A vendor's errors as a table. The first row that fits counts, so put the special before the general. */
#include "kit/json.h"

/* One row: what an answer must have to fit, and what is then said of it. */
typedef struct tlk_error_row {
    const char *code; /* the vendor's code; null: any, also none */
    int32_t http;     /* status; 0: any; 4 and 5: any 4xx or 5xx */
    tl_status status; /* what the call ends with */
    int32_t reason;   /* TL_R_* */
    int32_t scope;    /* TL_SCOPE_* */
    int64_t wait_ms;  /* retry_after_ms when the answer names none */
    const char *text; /* our sentence, put before the vendor's words; null: "<system> refused the call" */
} tlk_error_row;

/* How a vendor tells its errors; constant data. */
typedef struct tlk_errors {
    const char *system;        /* "desk": begins every sentence */
    const char *code_paths;    /* where the code lies: paths, comma separated, the first that is there counts */
    const char *text_paths;    /* the vendor's words */
    const char *field_paths;   /* the offending field; null: none */
    const tlk_error_row *rows; /* in this order; an answer that fits none is judged by its status alone */
    uint32_t n_rows;
    /* Looks closer at an answer after the table: may change *e and returns the status. null: none. */
    tl_status (*refine)(tl_status status, const tlk_node *root, tl_error *e);
    /* Sees every answer before it is judged, for what its headers tell beside (tlk_quota). null: none. */
    void (*seen)(const tl_host *h, const tl_http *r);
    const char *html_means; /* what it hints at when a 4xx came with a page of HTML, in words; null: nothing */
} tlk_errors;

/* Fills e from an answer (root may be null) and returns the status. http: 0 when the error lies inside a 2xx answer. */
tl_status tlk_error_of(const tlk_errors *t, int32_t http, const tlk_node *root, int64_t retry_after_ms, tl_error *e);
const tlk_error_row *tlk_error_row_for(const tlk_errors *t, tl_str code, int32_t http); /* null: none fits */
/* Sets text (cut to fit) and returns status. Clears reason to TL_R_OTHER and scope to TL_SCOPE_ENDPOINT first. */
tl_status tlk_fail(tl_error *e, tl_status status, const char *fmt, ...) TLK_PRINTF(3, 4);
tl_status tlk_fail_kind(tl_error *e, tl_status status, const char *fmt, ...) TLK_PRINTF(3, 4); /* TL_SCOPE_KIND */
tl_status tlk_fail_record(tl_error *e, tl_status status, int32_t reason, const char *field, const char *fmt, ...)
    TLK_PRINTF(5, 6);
tl_status tlk_unknown_kind(tl_error *e, const char *system, tl_str kind); /* the call is for a kind you do not have */
/* What the call ends with when a host service (emit, checkpoint, result, describe) answered rc: as it is when that is
 * TL_OK or TL_E_CANCELLED; what the host takes for a breach of the rules is TL_E_BUG; e has a text. */
tl_status tlk_refused(tl_status rc, tl_error *e);
void tlk_error_detail(tl_error *e, tl_str detail);
void tlk_error_clear(tl_error *e); /* as the host gave it: nothing is wrong after all */
/* "120" or an HTTP date; 0 when absent or in the past. */
int64_t tlk_retry_after_ms(tl_str header, int64_t now_us);
#endif
