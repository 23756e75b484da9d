/* SPDX-License-Identifier: MIT-0 */
#include "kit/http.h"

#include <stdio.h>

/* ---- requests */

void tlk_url_begin(tlk_url *u, tlk_arena *a, tl_str base, const char *path)
{
    *u = (tlk_url){.arena = a, .b = {.max = 16384}};
    tlk_add(&u->b, base);
    tlk_addz(&u->b, path);
}

void tlk_url_segment(tlk_url *u, tl_str s)
{
    tlk_addc(&u->b, '/');
    tlk_add_url(&u->b, s);
}

void tlk_url_add(tlk_url *u, const char *name, tl_str value)
{
    tlk_addc(&u->b, u->has_query ? '&' : '?');
    u->has_query = true;
    tlk_addz(&u->b, name);
    tlk_addc(&u->b, '=');
    tlk_add_url(&u->b, value);
}

void tlk_url_add_int(tlk_url *u, const char *name, int64_t value)
{
    char text[24];
    snprintf(text, sizeof(text), "%lld", (long long)value);
    tlk_url_add(u, name, tlk_str(text));
}

tl_str tlk_url_end(tlk_url *u)
{
    tl_str url = tlk_dup(u->arena, tlk_lent(&u->b));
    tlk_buf_done(&u->b);
    return url;
}

void tlk_request(tl_http *r, const char *method, tl_str url, uint32_t flags)
{
    *r = (tl_http){.struct_size = sizeof(*r), .method = method, .url = url, .flags = flags};
}

void tlk_request_header(tl_http *r, tlk_arena *a, const char *name, tl_str value)
{
    tl_pair *list = tlk_new(a, tl_pair, r->n_headers + 1);
    if (r->n_headers > 0)
        memcpy(list, r->headers, r->n_headers * sizeof(*list));
    list[r->n_headers++] = (tl_pair){tlk_str(name), tlk_dup(a, value)};
    r->headers = list;
}

void tlk_request_json(tl_http *r, tlk_arena *a, tl_str body)
{
    r->body = tlk_dup(a, body);
    tlk_request_header(r, a, "content-type", TL_STR("application/json"));
}

tl_str tlk_answer_header(const tl_http *r, const char *name)
{
    for (uint32_t i = 0; i < r->n_out_headers; i++) {
        if (tlk_is(r->out_headers[i].name, name))
            return r->out_headers[i].value;
    }
    return (tl_str){NULL, 0};
}

int64_t tlk_server_us(const tl_host *h, const tl_http *r)
{
    return r->server_us > 0 ? r->server_us : h->now_us(h);
}

/* Has one of the parameters `; name=value` the given relation? It may be one of several in quotes. */
static bool has_relation(tl_str params, const char *rel)
{
    tl_str param, name, one;
    while (tlk_split(&params, ';', &param)) {
        param = tlk_trim(param);
        if (!tlk_split(&param, '=', &name) || !tlk_is(tlk_trim(name), "rel"))
            continue;
        param = tlk_trim(param);
        if (param.n >= 2 && param.p[0] == '"' && param.p[param.n - 1] == '"')
            param = (tl_str){param.p + 1, param.n - 2};
        while (tlk_split(&param, ' ', &one))
            if (tlk_is(one, rel))
                return true;
    }
    return false;
}

static tl_str link_in(tl_str header, const char *rel)
{
    for (;;) {
        const char *open = header.n ? memchr(header.p, '<', (size_t)header.n) : NULL;
        const char *end = header.p + header.n;
        const char *close = open ? memchr(open, '>', (size_t)(end - open)) : NULL;
        if (!close)
            return TLK_NONE;
        const char *next = close + 1; /* its parameters end where the next address begins */
        bool quoted = false;
        for (; next < end && (quoted || *next != ','); next++)
            quoted = quoted != (*next == '"');
        if (has_relation((tl_str){close + 1, (uint64_t)(next - close - 1)}, rel))
            return (tl_str){open + 1, (uint64_t)(close - open - 1)};
        header = (tl_str){next, (uint64_t)(end - next)};
    }
}

tl_str tlk_answer_link(const tl_http *r, const char *rel)
{
    tl_str found = TLK_NONE;
    for (uint32_t i = 0; i < r->n_out_headers && found.n == 0; i++)
        if (tlk_is(r->out_headers[i].name, "link"))
            found = link_in(r->out_headers[i].value, rel);
    return found;
}

static uint64_t origin_length(tl_str url) /* of "https://host:443" */
{
    uint64_t i = 0;
    while (i < url.n && url.p[i] != ':')
        i++;
    if (url.n - i < 3 || memcmp(url.p + i, "://", 3) != 0)
        return 0;
    i += 3;
    while (i < url.n && url.p[i] != '/' && url.p[i] != '?' && url.p[i] != '#')
        i++;
    return i;
}

tl_str tlk_url_next(tlk_arena *a, tl_str url, tl_str next)
{
    uint64_t n = origin_length(url), path = n;
    while (path < url.n && url.p[path] != '?' && url.p[path] != '#')
        path++;
    if (n == 0 || next.n == 0)
        return TLK_NONE;
    if (next.p[0] == '/' && (next.n == 1 || next.p[1] != '/'))
        return tlk_fmt(a, "%.*s%.*s", (int)n, url.p, TLK_FMT(next));
    if (next.p[0] == '?')
        return tlk_fmt(a, "%.*s%.*s", (int)path, url.p, TLK_FMT(next));
    return origin_length(next) == n && memcmp(next.p, url.p, n) == 0 ? tlk_dup(a, next) : TLK_NONE;
}

tl_status tlk_send(const tl_host *h, tl_http *r, uint32_t n, uint32_t at_once, tlk_each_fn each, void *ctx, tl_error *e)
{
    if (at_once == 0)
        at_once = n;
    for (uint32_t first = 0; first < n; first += at_once) {
        uint32_t group = n - first < at_once ? n - first : at_once;
        tl_status rc = h->http(h, r + first, group, e);
        if (rc != TL_OK)
            return rc;
        rc = each ? each(ctx, r + first, first, group, e) : TL_OK;
        if (rc != TL_OK)
            return rc;
    }
    return TL_OK;
}

/* ---- answers */

/* The request had no whole answer. */
static tl_status no_answer(const tl_http *r, const tlk_errors *t, tl_error *e)
{
    tl_status status = r->outcome;
    if (status == TL_E_UNKNOWN && !(r->flags & TL_HTTP_WRITE))
        status = TL_E_TEMPORARY; /* a lost read is merely read again */
    const char *why = r->error[0] ? r->error : "no answer";
    if (status == TL_E_AUTH || status == TL_E_CONFIG) /* there was nothing to ask with */
        return tlk_fail(e, status, "%s was not asked: %s", t->system, why);
    tlk_fail(e, status, "%s did not answer: %s", t->system, why);
    if (status == TL_E_UNKNOWN)
        e->scope = TL_SCOPE_RECORD;
    return status;
}

/* A body that is no JSON: says what it is instead. */
static tl_status not_json(const tl_http *r, const tlk_errors *t, const tlk_json *j, tl_error *e)
{
    tl_str body = tlk_trim(r->out_body);
    bool is_html = body.n > 0 && body.p[0] == '<';
    e->http_status = r->status;
    tlk_copy(e->detail, sizeof(e->detail), body);
    tl_status status =
        r->status >= 400 && r->status < 500 && r->status != 408 && r->status != 429 ? TL_E_CONFIG : TL_E_TEMPORARY;
    if (r->status == 429)
        status = TL_E_THROTTLED;
    const char *means = status == TL_E_CONFIG && t->html_means ? t->html_means : "";
    if (is_html)
        tlk_fail(e, status, "%s answered with an HTML page (HTTP %d, %llu bytes), not with JSON%s%s", t->system,
                 (int)r->status, (unsigned long long)r->out_body.n, *means ? ": " : "", means);
    else if (j->truncated)
        tlk_fail(e, TL_E_TEMPORARY, "%s sent an answer that is cut after %llu bytes", t->system,
                 (unsigned long long)r->out_body.n);
    else
        tlk_fail(e, status, "%s sent an answer that is no JSON: %s at byte %u (HTTP %d)", t->system, j->error,
                 j->error_at, (int)r->status);
    return j->truncated && !is_html ? TL_E_TEMPORARY : status;
}

tl_status tlk_answer(const tl_host *h, const tl_http *r, const tlk_errors *t, tlk_json *j, const tlk_node **root,
                     tl_error *e)
{
    if (t->seen)
        t->seen(h, r);
    if (r->outcome != TL_OK)
        return no_answer(r, t, e);
    const tlk_node *doc = NULL;
    if (tlk_trim(r->out_body).n > 0) {
        doc = tlk_json_read(j, r->out_body);
        if (!doc)
            return not_json(r, t, j, e);
    }
    if (r->status == 200 && !doc && !(r->flags & TL_HTTP_WRITE) && !r->out_blob) { /* nothing to read would be 204 */
        tlk_fail(e, TL_E_TEMPORARY, "%s sent an empty answer (HTTP 200)", t->system);
        e->http_status = r->status;
        return TL_E_TEMPORARY;
    }
    if (r->status >= 200 && r->status < 300) {
        *root = doc;
        return TL_OK;
    }
    int64_t wait = tlk_retry_after_ms(tlk_answer_header(r, "retry-after"), h->now_us(h));
    return tlk_error_of(t, r->status, doc, wait, e);
}

tl_status tlk_call(const tl_host *h, tl_http *r, const tlk_errors *t, tlk_json *j, const tlk_node **root, tl_error *e)
{
    tl_status rc = h->http(h, r, 1, e);
    return rc == TL_OK ? tlk_answer(h, r, t, j, root, e) : rc;
}

tl_status tlk_write_status(const tl_http *r, tl_status judged)
{
    if (judged != TL_E_TEMPORARY || r->outcome == TL_E_TEMPORARY)
        return judged;
    bool sent_on = r->status == 307 || r->status == 308; /* who answers so has not read it [RFC 9110, 15.4.8, 15.4.9] */
    bool refused_unread = r->outcome == TL_OK && (sent_on || r->status == 503 || (r->status >= 400 && r->status < 500));
    return refused_unread ? judged : TL_E_UNKNOWN;
}
