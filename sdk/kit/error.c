/* SPDX-License-Identifier: MIT-0 */
#include "kit/error.h"

#include <stdarg.h>
#include <stdio.h>

#include "kit/time.h"

static void set_text(tl_error *e, int32_t scope, int32_t reason, const char *fmt, va_list ap)
{
    char line[1024];
    vsnprintf(line, sizeof(line), fmt, ap);
    for (char *p = line; *p; p++) {
        if (*p == '\n' || *p == '\r' || *p == '\t')
            *p = ' ';
    }
    tlk_copy(e->text, sizeof(e->text), tlk_str(line));
    e->scope = scope;
    e->reason = reason;
}

tl_status tlk_fail(tl_error *e, tl_status status, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    set_text(e, TL_SCOPE_ENDPOINT, TL_R_OTHER, fmt, ap);
    va_end(ap);
    return status;
}

tl_status tlk_fail_record(tl_error *e, tl_status status, int32_t reason, const char *field, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    set_text(e, TL_SCOPE_RECORD, reason, fmt, ap);
    va_end(ap);
    tlk_copy(e->field, sizeof(e->field), tlk_str(field));
    return status;
}

tl_status tlk_fail_kind(tl_error *e, tl_status status, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    set_text(e, TL_SCOPE_KIND, TL_R_OTHER, fmt, ap);
    va_end(ap);
    return status;
}

tl_status tlk_unknown_kind(tl_error *e, const char *system, tl_str kind)
{
    return tlk_fail_kind(e, TL_E_UNSUPPORTED, "the connector of %s knows no kind \"%.*s\"", system, TLK_FMT(kind));
}

tl_status tlk_refused(tl_status rc, tl_error *e)
{
    if (rc == TL_OK || rc == TL_E_CANCELLED)
        return rc;
    tl_status status = rc == TL_E_INVALID ? TL_E_BUG : rc;
    return e->text[0] ? status : tlk_fail(e, status, "the host refused what the connector handed over");
}

void tlk_error_clear(tl_error *e)
{
    *e = (tl_error){.struct_size = e->struct_size};
}

void tlk_error_detail(tl_error *e, tl_str detail)
{
    tlk_copy(e->detail, sizeof(e->detail), detail);
}

static bool row_fits(const tlk_error_row *row, tl_str code, int32_t http)
{
    if (row->code && !tlk_is(code, row->code))
        return false;
    return row->http == 0 || row->http == http || (row->http < 10 && row->http == http / 100);
}

const tlk_error_row *tlk_error_row_for(const tlk_errors *t, tl_str code, int32_t http)
{
    for (uint32_t i = 0; i < t->n_rows; i++) {
        if (row_fits(&t->rows[i], code, http))
            return &t->rows[i];
    }
    return NULL;
}

/* The text at the first of the comma separated paths that is there. */
static tl_str first_text(const tlk_node *root, const char *paths, tlk_arena *a)
{
    tl_str rest = tlk_str(paths), path;
    while (tlk_split(&rest, ',', &path)) {
        tl_str found = tlk_text_at(root, tlk_dup(a, tlk_trim(path)).p, a);
        if (found.n > 0)
            return found;
    }
    return (tl_str){NULL, 0};
}

/* For a status no row knows: the general meaning of HTTP. */
static tl_status status_of_http(int32_t http, tl_error *e)
{
    e->scope = TL_SCOPE_RECORD;
    if (http == 401) {
        e->scope = TL_SCOPE_ENDPOINT;
        return TL_E_AUTH;
    }
    if (http == 403)
        return TL_E_DENIED;
    if (http >= 300 && http < 400) { /* never followed: what answers so stands between us and the vendor */
        e->scope = TL_SCOPE_ENDPOINT;
        return TL_E_TEMPORARY;
    }
    if (http == 404 || http == 410)
        return TL_E_NOT_FOUND;
    if (http == 409 || http == 412)
        return TL_E_CONFLICT;
    if (http == 429 || http == 503) {
        e->scope = TL_SCOPE_ENDPOINT;
        return http == 429 ? TL_E_THROTTLED : TL_E_TEMPORARY;
    }
    if (http >= 500 || http == 408) {
        e->scope = TL_SCOPE_ENDPOINT;
        return TL_E_TEMPORARY;
    }
    return TL_E_INVALID;
}

static void word_it(const tlk_errors *t, const tlk_error_row *row, int32_t http, tl_str said, tl_error *e)
{
    const char *what = row && row->text ? row->text : "refused the call";
    if (said.n > 0)
        snprintf(e->text, sizeof(e->text), "%s %s: %.*s", t->system, what, (int)(said.n > 200 ? 200 : said.n), said.p);
    else if (e->code[0])
        snprintf(e->text, sizeof(e->text), "%s %s: %s", t->system, what, e->code);
    else if (http)
        snprintf(e->text, sizeof(e->text), "%s %s (HTTP %d)", t->system, what, (int)http);
    else
        snprintf(e->text, sizeof(e->text), "%s %s", t->system, what);
}

tl_status tlk_error_of(const tlk_errors *t, int32_t http, const tlk_node *root, int64_t retry_after_ms, tl_error *e)
{
    TLK_AUTO_ARENA a = {0};
    tl_str code = first_text(root, t->code_paths, &a);
    tl_str said = first_text(root, t->text_paths, &a);
    const tlk_error_row *row = tlk_error_row_for(t, code, http);
    e->http_status = http;
    tlk_copy(e->code, sizeof(e->code), code);
    tlk_copy(e->field, sizeof(e->field), first_text(root, t->field_paths, &a));
    tl_status status;
    if (row) {
        status = row->status;
        e->reason = row->reason;
        e->scope = row->scope;
    } else {
        e->reason = TL_R_OTHER;
        status = status_of_http(http, e);
    }
    e->retry_after_ms = retry_after_ms > 0 ? retry_after_ms : row ? row->wait_ms : 0;
    char cut[201];
    tlk_copy(cut, sizeof(cut), said);
    word_it(t, row, http, tlk_str(cut), e);
    tlk_copy(e->detail, sizeof(e->detail), tlk_raw(root));
    return t->refine ? t->refine(status, root, e) : status;
}

int64_t tlk_retry_after_ms(tl_str header, int64_t now_us)
{
    int64_t v;
    header = tlk_trim(header);
    if (tlk_to_i64(header, &v))
        return v > 0 && v <= INT64_C(86400) * 31 ? v * 1000 : 0;
    if (!tlk_http_date_parse(header, &v) || v <= now_us)
        return 0;
    return (v - now_us) / 1000 + 1;
}
