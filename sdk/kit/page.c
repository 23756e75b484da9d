/* SPDX-License-Identifier: MIT-0 */
#include "kit/page.h"

#include "kit/time.h"

#include <stdarg.h>
#include <stdio.h>

/* ---- cursors */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool percent_decode(tl_str s, tlk_arena *a, tl_str *out)
{
    char *to = tlk_alloc(a, (size_t)s.n + 1);
    size_t n = 0;
    for (uint64_t i = 0; i < s.n; i++) {
        if (s.p[i] != '%') {
            to[n++] = s.p[i];
            continue;
        }
        if (i + 2 >= s.n)
            return false;
        int high = hex_digit(s.p[i + 1]), low = hex_digit(s.p[i + 2]);
        if (high < 0 || low < 0)
            return false;
        to[n++] = (char)(high * 16 + low);
        i += 2;
    }
    *out = (tl_str){to, n};
    return true;
}

bool tlk_cursor_read(tlk_cursor *c, const char *tag, tl_str text, tlk_arena *a)
{
    c->n = 0;
    if (text.n == 0)
        return true;
    tl_str part;
    if (!tlk_split(&text, ';', &part) || !tlk_is(part, tag))
        return false;
    while (tlk_split(&text, ';', &part)) {
        tl_str name, value;
        if (c->n == TLK_CURSOR_MAX || !memchr(part.p, '=', (size_t)part.n) || !tlk_split(&part, '=', &name))
            return false;
        if (!percent_decode(part, a, &value))
            return false;
        c->member[c->n++] = (tl_pair){tlk_dup(a, name), value};
    }
    return true;
}

tl_str tlk_cursor_get(const tlk_cursor *c, const char *name)
{
    for (uint32_t i = 0; i < c->n; i++) {
        if (tlk_is(c->member[i].name, name))
            return c->member[i].value;
    }
    return (tl_str){NULL, 0};
}

int64_t tlk_cursor_int(const tlk_cursor *c, const char *name, int64_t otherwise)
{
    int64_t v;
    return tlk_to_i64(tlk_cursor_get(c, name), &v) ? v : otherwise;
}

void tlk_cursor_set(tlk_cursor *c, tlk_arena *a, const char *name, tl_str value)
{
    uint32_t i = 0;
    while (i < c->n && !tlk_is(c->member[i].name, name))
        i++;
    if (i == TLK_CURSOR_MAX)
        return;
    c->member[i] = (tl_pair){tlk_str(name), tlk_dup(a, value)};
    if (i == c->n)
        c->n++;
}

void tlk_cursor_set_int(tlk_cursor *c, tlk_arena *a, const char *name, int64_t value)
{
    tlk_cursor_set(c, a, name, tlk_fmt(a, "%lld", (long long)value));
}

tl_str tlk_cursor_text(const tlk_cursor *c, const char *tag, tlk_arena *a)
{
    TLK_AUTO_BUF b = {0};
    tlk_addz(&b, tag);
    for (uint32_t i = 0; i < c->n; i++) {
        tlk_addc(&b, ';');
        tlk_add(&b, c->member[i].name);
        tlk_addc(&b, '=');
        tlk_add_url(&b, c->member[i].value);
    }
    return tlk_dup(a, tlk_lent(&b));
}

tl_status tlk_cursor_lost(tl_error *e)
{
    tl_status rc = tlk_fail(e, TL_E_CURSOR_LOST, "the cursor is not one of this version of the connector");
    e->scope = TL_SCOPE_KIND;
    return rc;
}

tl_status tlk_position_check(int64_t position_us, int64_t server_us, int64_t own_us, tl_error *e)
{
    static const int64_t day = INT64_C(86400) * TLK_US_PER_S;
    bool ahead = position_us > server_us + TLK_US_PER_S; /* a Date has whole seconds */
    char at[32], server[32], own[32];
    tl_status rc = TL_OK;
    tlk_time_text(at, position_us);
    tlk_time_text(server, server_us);
    tlk_time_text(own, own_us);
    if (server_us > own_us + day || (ahead && server_us < position_us - day && position_us <= own_us + day))
        rc = tlk_fail(e, TL_E_TEMPORARY,
                      "the answer is dated %s, this machine's clock says %s: changes are not read while they are a day "
                      "or more apart",
                      server, own);
    else if (ahead)
        rc = tlk_fail(e, TL_E_CURSOR_LOST, "the last reading ended at %s, but the vendor's clock says %s", at, server);
    if (rc != TL_OK)
        e->scope = TL_SCOPE_KIND;
    return rc;
}

/* ---- options */

tl_str tlk_option(const tl_open *o, const char *name)
{
    for (uint32_t i = 0; i < o->n_config; i++) {
        if (tlk_is(o->config[i].name, name))
            return tlk_trim(o->config[i].value);
    }
    return (tl_str){NULL, 0};
}

tl_str tlk_option_or(const tl_open *o, const char *name, const char *otherwise)
{
    tl_str v = tlk_option(o, name);
    return v.n > 0 ? v : tlk_str(otherwise);
}

bool tlk_option_bool(const tl_open *o, const char *name)
{
    tl_str v = tlk_option(o, name);
    return tlk_is(v, "yes") || tlk_is(v, "true") || tlk_is(v, "on") || tlk_is(v, "1");
}

tl_str tlk_base_url(tl_str url)
{
    url = tlk_trim(url);
    while (url.n > 0 && url.p[url.n - 1] == '/')
        url.n--;
    return url;
}

/* ---- what the host keeps */

/* Both answer TL_E_INVALID and the length when the buffer is too short. */
tl_status tlk_auth_extra(const tl_host *h, tlk_arena *a, const char *member, tl_str *out, tl_error *e)
{
    uint64_t n = 0, cap = 512;
    char *text = tlk_alloc(a, cap + 1);
    tl_status rc = h->auth_extra(h, member, text, cap, &n, e);
    if (rc == TL_E_INVALID && n > cap) {
        text = tlk_alloc(a, (size_t)(cap = n) + 1);
        rc = h->auth_extra(h, member, text, cap, &n, e);
    }
    if (rc == TL_OK)
        *out = (tl_str){text, n};
    return rc;
}

tl_str tlk_kept(const tl_host *h, tlk_arena *a, const char *key)
{
    uint64_t n = 0, cap = 256;
    char *text = tlk_alloc(a, cap + 1);
    tl_status rc = h->kv_get(h, key, text, cap, &n);
    if (rc == TL_E_INVALID && n > cap) {
        text = tlk_alloc(a, (size_t)(cap = n) + 1);
        rc = h->kv_get(h, key, text, cap, &n);
    }
    return rc == TL_OK ? (tl_str){text, n} : TLK_NONE;
}

/* ---- saying things to the host */

tl_status tlk_finding(const tl_host *h, int32_t level, const char *code, tl_str text, tl_str hint)
{
    tl_finding f = {.struct_size = sizeof(f), .level = level, .code = tlk_str(code), .text = text, .hint = hint};
    return h->finding(h, &f);
}

tl_status tlk_checkpoint(const tl_host *h, int32_t mode, bool complete, tl_str cursor, int64_t server_us,
                         int64_t estimate)
{
    tl_checkpoint c = {.struct_size = sizeof(c),
                       .mode = mode,
                       .complete = complete,
                       .cursor = cursor,
                       .server_us = server_us,
                       .estimate = estimate};
    return h->checkpoint(h, &c);
}

tl_status tlk_result_ok(const tl_host *h, uint32_t index, bool created, const tl_record *record)
{
    tl_result r = {.struct_size = sizeof(r), .status = TL_OK, .created = created, .record = record};
    return h->result(h, index, &r);
}

tl_status tlk_result_fail(const tl_host *h, uint32_t index, tl_status status, const tl_error *error)
{
    tl_result r = {.struct_size = sizeof(r), .status = status, .error = error};
    return h->result(h, index, &r);
}

void tlk_log(const tl_host *h, int32_t level, const char *fmt, ...)
{
    char line[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    h->log(h, level, tlk_str(line));
}

void tlk_quota(const tl_host *h, const char *name, int64_t limit, int64_t remaining, int64_t resets_us)
{
    tl_quota q = {.struct_size = sizeof(q),
                  .name = tlk_str(name),
                  .limit = limit,
                  .remaining = remaining,
                  .resets_us = resets_us};
    h->quota(h, &q);
}

bool tlk_wants(const tl_str *kinds, uint32_t n, const char *kind)
{
    for (uint32_t i = 0; i < n; i++) {
        if (tlk_is(kinds[i], kind))
            return true;
    }
    return n == 0;
}
