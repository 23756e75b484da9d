/* Several calls in one: composite (dependent, optionally all or none) and composite/batch (independent).
 * https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_composite.htm */
#include <stdio.h>

#include "salesforce_int.h"
#include "server_int.h"

enum { CALLS_MAX = 25, QUERIES_MAX = 5 };

struct inner { /* one subrequest and its answer */
    struct sf_req req;
    struct buf out;
    str reference;
    struct sj *answer; /* parsed when a later call refers to it */
};

/* ---- references: @{name.path} ---- */

static struct inner *referred(struct inner *done, size_t n, str name)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(done[i].reference, name))
            return &done[i];
    return NULL;
}

/* "records[0].Id" in an answer; NULL when it is not there. */
static struct sj *walk(struct sj *at, str path)
{
    str part;
    while (at && str_split(&path, '.', &part)) {
        const char *bracket = memchr(part.p, '[', part.n);
        char key[128];
        size_t n = bracket ? (size_t)(bracket - part.p) : part.n;
        if (n >= sizeof key)
            return NULL;
        memcpy(key, part.p, n);
        key[n] = '\0';
        at = n ? sj_get(at, key) : at;
        int64_t index = 0;
        if (!bracket || !at)
            continue;
        if (part.p[part.n - 1] != ']' || !str_to_i64(str_n(bracket + 1, part.n - n - 2), &index))
            return NULL;
        at = at->kind == SJ_ARRAY ? at->first : NULL;
        while (at && index-- > 0)
            at = at->next;
    }
    return at;
}

static bool resolve(struct arena *a, str text, struct inner *done, size_t n, str *out, char *wrong, size_t wrong_size)
{
    AUTO(buf_done) struct buf b = {0};
    bool any = false;
    for (size_t i = 0; i < text.n; i++) {
        const char *close =
            i + 1 < text.n && text.p[i] == '@' && text.p[i + 1] == '{' ? memchr(text.p + i, '}', text.n - i) : NULL;
        if (!close) {
            buf_char(&b, text.p[i]);
            continue;
        }
        str path = str_n(text.p + i + 2, (size_t)(close - text.p) - i - 2), name;
        snprintf(wrong, wrong_size, "%.*s", STR_FMT(path));
        size_t name_n = 0; /* "name.field" or, of a collection's results, "name[0].id" */
        while (name_n < path.n && path.p[name_n] != '.' && path.p[name_n] != '[')
            name_n++;
        name = str_n(path.p, name_n);
        size_t skip = name_n < path.n && path.p[name_n] == '.' ? name_n + 1 : name_n;
        path = str_n(path.p + skip, path.n - skip);
        struct inner *from = referred(done, n, name);
        if (from && !from->answer) {
            struct sj_fault fault;
            from->answer = sj_parse(a, buf_lent(&from->out), &fault);
        }
        struct sj *v = from && from->req.status < 300 ? walk(from->answer, path) : NULL;
        if (!v || v->kind == SJ_ARRAY || v->kind == SJ_OBJECT)
            return false;
        buf_str(&b, v->text);
        any = true;
        i = (size_t)(close - text.p);
    }
    *out = any ? arena_str(a, buf_lent(&b)) : text;
    return true;
}

static bool resolve_tree(struct arena *a, struct sj *v, struct inner *done, size_t n, char *wrong, size_t wrong_size)
{
    if (v->kind == SJ_STRING)
        return resolve(a, v->text, done, n, &v->text, wrong, wrong_size);
    for (struct sj *child = v->first; child; child = child->next)
        if (!resolve_tree(a, child, done, n, wrong, wrong_size))
            return false;
    return true;
}

/* ---- one subrequest ---- */

static void headers_of(struct sf_req *req, const struct sj *headers)
{
    const struct {
        const char *name;
        str *to;
    } known[] = {{"If-Modified-Since", &req->if_modified},
                 {"If-Unmodified-Since", &req->if_unmodified},
                 {"Sforce-Auto-Assign", &req->auto_assign},
                 {"Sforce-Duplicate-Rule-Header", &req->duplicate_rule},
                 {"Sforce-Query-Options", &req->query_options}};
    for (const struct sj *h = headers ? headers->first : NULL; h; h = h->next)
        for (size_t i = 0; i < ARRAY_LEN(known); i++)
            if (str_eq_nocase(h->key, str_of(known[i].name)))
                *known[i].to = sj_text(h);
}

/* Splits "/services/data/v62.0/sobjects/...?q=..." (the leading part is left out in a batch). */
static bool split_url(struct sf_req *req, struct arena *a, str url)
{
    static const char prefix[] = "/services/data/";
    if (str_starts(url, STR(prefix)))
        url = str_n(url.p + sizeof prefix - 1, url.n - (sizeof prefix - 1));
    const char *slash = memchr(url.p, '/', url.n);
    if (url.n < 2 || url.p[0] != 'v' || !slash)
        return false;
    req->version = str_n(url.p + 1, (size_t)(slash - url.p) - 1);
    str path = str_n(slash, url.n - (size_t)(slash - url.p));
    const char *mark = memchr(path.p, '?', path.n);
    req->query = mark ? str_n(mark + 1, path.n - (size_t)(mark - path.p) - 1) : (str){0};
    req->path = percent_decoded(a, mark ? str_n(path.p, (size_t)(mark - path.p)) : path, false);
    return true;
}

static void serve(struct sf_req *req)
{
    bool wrong_method = false;
    const struct sf_route *route = sf_route_find(req->method, req->path, req->capture, &wrong_method);
    if (route && (route->fn == sf_composite || route->fn == sf_batch))
        route = NULL;
    if (route)
        route->fn(req);
    else if (wrong_method)
        sf_error(req, 405, "METHOD_NOT_ALLOWED", "HTTP Method '%.*s' not allowed.", STR_FMT(req->method));
    else
        sf_not_found(req);
}

static void prepare(struct sf_req *outer, struct inner *one, const struct sj *call)
{
    one->req = (struct sf_req){.sf = outer->sf,
                               .a = outer->a,
                               .call = outer->call,
                               .session = outer->session,
                               .now_us = outer->now_us,
                               .journal = outer->journal,
                               .out = &one->out,
                               .is_inner = true};
    one->out.max = CALL_BODY_MAX;
    one->req.method = sj_text(sj_get(call, "method"));
}

static void body_put(struct buf *out, const struct inner *one)
{
    if (one->out.n)
        buf_str(out, buf_lent(&one->out));
    else
        buf_text_add(out, "null");
}

/* ---- composite ---- */

static bool is_query(str url)
{
    for (size_t i = 0; i + 6 < url.n; i++)
        if (memcmp(url.p + i, "/query", 6) == 0)
            return true;
    return false;
}

static bool check_composite(struct sf_req *r, const struct sj *calls)
{
    int queries = 0;
    if (!calls || calls->kind != SJ_ARRAY || calls->n == 0) {
        sf_error(r, 400, "JSON_PARSER_ERROR", "The compositeRequest attribute is required");
        return false;
    }
    if (calls->n > CALLS_MAX) {
        sf_error(r, 400, "LIMIT_EXCEEDED", "The Composite API request exceeds the limit of %d subrequests", CALLS_MAX);
        return false;
    }
    for (const struct sj *one = calls->first; one; one = one->next) {
        str reference = sj_text(sj_get(one, "referenceId"));
        queries += is_query(sj_text(sj_get(one, "url")));
        for (const struct sj *other = calls->first; other != one; other = other->next)
            if (str_eq(sj_text(sj_get(other, "referenceId")), reference)) {
                sf_error(r, 400, "INVALID_INPUT", "Duplicate ReferenceId provided: %.*s", STR_FMT(reference));
                return false;
            }
        if (!reference.n) {
            sf_error(r, 400, "JSON_PARSER_ERROR", "The referenceId attribute is required");
            return false;
        }
    }
    if (queries <= QUERIES_MAX)
        return true;
    sf_error(r, 400, "LIMIT_EXCEEDED", "Operation count of type Query exceeds the limit of %d", QUERIES_MAX);
    return false;
}

static void run_composite(struct sf_req *r, struct inner *all, size_t at, const struct sj *call)
{
    struct inner *one = &all[at];
    char wrong[128] = "";
    str url = sj_text(sj_get(call, "url"));
    struct sj *body = sj_get(call, "body");
    prepare(r, one, call);
    one->reference = sj_text(sj_get(call, "referenceId"));
    headers_of(&one->req, sj_get(call, "httpHeaders"));
    if (!resolve(r->a, url, all, at, &url, wrong, sizeof wrong) ||
        (body && !resolve_tree(r->a, body, all, at, wrong, sizeof wrong)))
        return sf_error(
            &one->req, 400, "PROCESSING_HALTED",
            "Invalid reference specified. No value for %s found. Please check the structure of the request.", wrong);
    one->req.tree = body;
    if (!split_url(&one->req, r->a, url))
        return sf_not_found(&one->req);
    serve(&one->req);
}

static void halt_all(struct inner *all, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (all[i].req.status >= 300)
            continue;
        all[i].req.location = NULL;
        sf_error(&all[i].req, 400, "PROCESSING_HALTED",
                 "The transaction was rolled back since another operation in the same transaction failed.");
    }
}

static void composite_put(struct buf *out, const struct inner *all, size_t n)
{
    buf_text_add(out, "{\"compositeResponse\":[");
    for (size_t i = 0; i < n; i++) {
        buf_text_add(out, i ? ",{\"body\":" : "{\"body\":");
        body_put(out, &all[i]);
        buf_text_add(out, ",\"httpHeaders\":{");
        if (all[i].req.location)
            buf_fmt(out, "\"Location\":\"%s\"", all[i].req.location);
        buf_fmt(out, "},\"httpStatusCode\":%d,\"referenceId\":", all[i].req.status);
        json_put(out, all[i].reference);
        buf_char(out, '}');
    }
    buf_text_add(out, "]}");
}

void sf_composite(struct sf_req *r)
{
    struct sj *body = sf_req_body(r);
    const struct sj *calls = sj_get(body, "compositeRequest");
    if (!body || !check_composite(r, calls))
        return;
    struct inner *all = arena_array(r->a, struct inner, calls->n);
    AUTO(sf_journal_done) struct sf_journal journal = {0};
    bool all_or_none = sj_is_true(sj_get(body, "allOrNone")), failed = false;
    size_t n = 0;
    r->journal = all_or_none ? &journal : NULL;
    for (const struct sj *call = calls->first; call; call = call->next, n++) {
        run_composite(r, all, n, call);
        failed = failed || all[n].req.status >= 300;
    }
    r->journal = NULL;
    if (failed && all_or_none) {
        sf_journal_undo(r->sf, &journal);
        halt_all(all, n);
    }
    composite_put(r->out, all, n);
    for (size_t i = 0; i < n; i++)
        buf_done(&all[i].out);
    r->status = 200;
}

/* ---- batch ---- */

void sf_batch(struct sf_req *r)
{
    struct sj *body = sf_req_body(r);
    const struct sj *calls = sj_get(body, "batchRequests");
    if (!body)
        return;
    if (!calls || calls->kind != SJ_ARRAY || calls->n == 0)
        return sf_error(r, 400, "JSON_PARSER_ERROR", "The batchRequests attribute is required");
    if (calls->n > CALLS_MAX)
        return sf_error(r, 400, "LIMIT_EXCEEDED", "The batch exceeds the limit of %d subrequests", CALLS_MAX);
    bool halt = sj_is_true(sj_get(body, "haltOnError")), errors = false;
    AUTO(buf_done) struct buf results = {.max = CALL_BODY_MAX};
    for (const struct sj *call = calls->first; call; call = call->next) {
        struct inner one = {0};
        prepare(r, &one, call);
        one.req.tree = sj_get(call, "richInput");
        if (halt && errors)
            sf_error(&one.req, 412, "BATCH_PROCESSING_HALTED", "Batch processing halted per request");
        else if (split_url(&one.req, r->a, sj_text(sj_get(call, "url"))))
            serve(&one.req);
        else
            sf_not_found(&one.req);
        r->sf->api_used++; /* each one counts */
        errors = errors || one.req.status >= 300;
        buf_fmt(&results, "%s{\"statusCode\":%d,\"result\":", results.n ? "," : "", one.req.status);
        body_put(&results, &one);
        buf_char(&results, '}');
        buf_done(&one.out);
    }
    buf_fmt(r->out, "{\"hasErrors\":%s,\"results\":[", errors ? "true" : "false");
    buf_str(r->out, buf_lent(&results));
    buf_text_add(r->out, "]}");
    r->status = 200;
}
