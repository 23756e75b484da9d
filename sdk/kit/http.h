/* SPDX-License-Identifier: MIT-0 */
#ifndef TLK_HTTP_H
#define TLK_HTTP_H
/* Requests over host->http, and what came back. A request lives in the caller's memory, its texts in an arena. */
#include "kit/error.h"
#include "kit/json.h"

/* Base and path, then query members one by one:
 *   tlk_url u; tlk_url_begin(&u, a, api, "/contacts/search"); tlk_url_add(&u, "email", email); url = tlk_url_end(&u);
 */
typedef struct tlk_url {
    tlk_buf b;        /* as far as it is written */
    tlk_arena *arena; /* takes the text at the end */
    bool has_query;   /* the next member needs "&" */
} tlk_url;
void tlk_url_begin(tlk_url *u, tlk_arena *a, tl_str base, const char *path);
void tlk_url_segment(tlk_url *u, tl_str s); /* adds "/" and s, encoded */
void tlk_url_add(tlk_url *u, const char *name, tl_str value);
void tlk_url_add_int(tlk_url *u, const char *name, int64_t value);
tl_str tlk_url_end(tlk_url *u); /* copies into the arena and frees the rest */

/* method is not copied. flags: TL_HTTP_WRITE for everything that has effects. */
void tlk_request(tl_http *r, const char *method, tl_str url, uint32_t flags);
void tlk_request_header(tl_http *r, tlk_arena *a, const char *name, tl_str value);
void tlk_request_json(tl_http *r, tlk_arena *a, tl_str body); /* copies body; sets content-type */
/* A header of the answer by lower-case name; empty if it is not there. */
tl_str tlk_answer_header(const tl_http *r, const char *name);

int64_t tlk_server_us(const tl_host *h, const tl_http *r); /* the vendor's clock, ours where the answer has no Date */

/* The address of <...>; rel="next" among the answer's Link headers [RFC 8288]; empty: none. */
tl_str tlk_answer_link(const tl_http *r, const char *rel);
/* The next page's address as an answer tells it, whole or beginning with "/" or "?", at the host of the request's url;
 * empty where it leads to another one, or is no address. */
tl_str tlk_url_next(tlk_arena *a, tl_str url, tl_str next);

/* Sends n requests, at most at_once in flight (0: all), and returns when all are done. Answers stay lent only until the
 * next call into host->http, so at_once < n needs `each`, which is called in order with every finished group;
 * anything but TL_OK from it ends the work. */
typedef tl_status (*tlk_each_fn)(void *ctx, tl_http *done, uint32_t first, uint32_t n, tl_error *e);
tl_status tlk_send(const tl_host *h, tl_http *r, uint32_t n, uint32_t at_once, tlk_each_fn each, void *ctx,
                   tl_error *e);

/* Judges one finished request: TL_OK with *root (null when the body is empty, as with 204), or the error of the table.
 * HTML, a cut body, a body that is no JSON and a read answered with 200 and nothing are named as such. j holds the
 * document. */
tl_status tlk_answer(const tl_host *h, const tl_http *r, const tlk_errors *t, tlk_json *j, const tlk_node **root,
                     tl_error *e);
/* Sends one and judges it. */
tl_status tlk_call(const tl_host *h, tl_http *r, const tlk_errors *t, tlk_json *j, const tlk_node **root, tl_error *e);
/* What the status of a judged write means for the record: no whole answer, or a 5xx other than 503, means it may
 * have been applied, so TL_E_TEMPORARY becomes TL_E_UNKNOWN unless nothing was sent. */
tl_status tlk_write_status(const tl_http *r, tl_status judged);
#endif
