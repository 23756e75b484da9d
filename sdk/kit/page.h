/* SPDX-License-Identifier: MIT-0 */
#ifndef TLK_PAGE_H
#define TLK_PAGE_H
/* Cursors, options, findings: the small things every connector does. */
#include "kit/error.h"

/* ---- cursors: "desk.1;from=123;seen=1,2": a tag with a version, then named values, percent-encoded. */
#define TLK_CURSOR_MAX 24
/* A cursor taken apart. {0} is an empty one. */
typedef struct tlk_cursor {
    tl_pair member[TLK_CURSOR_MAX]; /* decoded */
    uint32_t n;                     /* of them */
} tlk_cursor;
/* An empty text is an empty cursor. False: another tag, or damaged; the pull then answers TL_E_CURSOR_LOST. Values are
 * decoded into a. */
bool tlk_cursor_read(tlk_cursor *c, const char *tag, tl_str text, tlk_arena *a);
tl_str tlk_cursor_get(const tlk_cursor *c, const char *name); /* empty: not there */
int64_t tlk_cursor_int(const tlk_cursor *c, const char *name, int64_t otherwise);
/* name is not copied, value is. */
void tlk_cursor_set(tlk_cursor *c, tlk_arena *a, const char *name, tl_str value);
void tlk_cursor_set_int(tlk_cursor *c, tlk_arena *a, const char *name, int64_t value);
tl_str tlk_cursor_text(const tlk_cursor *c, const char *tag, tlk_arena *a);
tl_status tlk_cursor_lost(tl_error *e);
/* Where a cursor's time stands against the vendor's clock (the Date of an answer) and our own: one of the three that
 * contradicts the other two is not believed. TL_E_CURSOR_LOST: the position lies ahead of the vendor's time, so what
 * changed meanwhile would be jumped over. TL_E_TEMPORARY: the Date lies a day or more ahead of our clock, or behind our
 * clock and the position; nothing may be kept from that answer. position_us 0: there is none yet. */
tl_status tlk_position_check(int64_t position_us, int64_t server_us, int64_t own_us, tl_error *e);

/* ---- options */
tl_str tlk_option(const tl_open *o, const char *name); /* empty: not set */
tl_str tlk_option_or(const tl_open *o, const char *name, const char *otherwise);
bool tlk_option_bool(const tl_open *o, const char *name); /* yes, true, on, 1 */
tl_str tlk_base_url(tl_str url);                          /* without blanks and slashes at the end */

/* ---- what the host keeps: copies in a, NUL-terminated behind n */
/* host->auth_extra, whatever its length; empty: the sign-in told no such member. */
tl_status tlk_auth_extra(const tl_host *h, tlk_arena *a, const char *member, tl_str *out, tl_error *e);
tl_str tlk_kept(const tl_host *h, tlk_arena *a, const char *key); /* host->kv_get; empty: nothing is kept */

/* ---- saying things to the host */
tl_status tlk_finding(const tl_host *h, int32_t level, const char *code, tl_str text, tl_str hint);
tl_status tlk_checkpoint(const tl_host *h, int32_t mode, bool complete, tl_str cursor, int64_t server_us,
                         int64_t estimate);
tl_status tlk_result_ok(const tl_host *h, uint32_t index, bool created, const tl_record *record);
tl_status tlk_result_fail(const tl_host *h, uint32_t index, tl_status status, const tl_error *error);
void tlk_log(const tl_host *h, int32_t level, const char *fmt, ...) TLK_PRINTF(3, 4);
void tlk_quota(const tl_host *h, const char *name, int64_t limit, int64_t remaining, int64_t resets_us);
bool tlk_wants(const tl_str *kinds, uint32_t n, const char *kind); /* n 0: all */
#endif
