/* The two roles and the way of a request: version, session, limits, route. */
#include "salesforce.h"

#include <stdio.h>
#include <stdlib.h>

#include "salesforce_int.h"
#include "server_int.h"
#include "times.h"

enum { URI_BYTES_MAX = 16384 };

/* The resources of a version, behind /services/data/vNN.0: for the server's router and for the calls of a composite. */
#define SF_ROUTES(X)                                                                                                   \
    X("GET", "/", sf_resources)                                                                                        \
    X("GET", "", sf_resources)                                                                                         \
    X("GET", "/limits", sf_limits)                                                                                     \
    X("GET", "/limits/recordCount", sf_record_count)                                                                   \
    X("GET", "/query", sf_query)                                                                                       \
    X("GET", "/query/", sf_query)                                                                                      \
    X("GET", "/query/{locator}", sf_query_more)                                                                        \
    X("GET", "/queryAll", sf_query_all)                                                                                \
    X("GET", "/queryAll/", sf_query_all)                                                                               \
    X("GET", "/queryAll/{locator}", sf_query_more)                                                                     \
    X("GET", "/sobjects", sf_describe_global)                                                                          \
    X("GET", "/sobjects/", sf_describe_global)                                                                         \
    X("GET", "/sobjects/{object}", sf_basic_info)                                                                      \
    X("POST", "/sobjects/{object}", sf_rest_create)                                                                    \
    X("POST", "/sobjects/{object}/", sf_rest_create)                                                                   \
    X("GET", "/sobjects/{object}/describe", sf_describe)                                                               \
    X("GET", "/sobjects/{object}/describe/", sf_describe)                                                              \
    X("GET", "/sobjects/{object}/updated", sf_get_updated)                                                             \
    X("GET", "/sobjects/{object}/updated/", sf_get_updated)                                                            \
    X("GET", "/sobjects/{object}/deleted", sf_get_deleted)                                                             \
    X("GET", "/sobjects/{object}/deleted/", sf_get_deleted)                                                            \
    X("GET", "/sobjects/{object}/listviews", sf_listviews)                                                             \
    X("GET", "/sobjects/{object}/listviews/{view}/describe", sf_listview_describe)                                     \
    X("GET", "/sobjects/{object}/{id}", sf_rest_get)                                                                   \
    X("PATCH", "/sobjects/{object}/{id}", sf_rest_update)                                                              \
    X("DELETE", "/sobjects/{object}/{id}", sf_rest_delete)                                                             \
    X("GET", "/sobjects/{object}/{field}/{value}", sf_rest_get_by_key)                                                 \
    X("PATCH", "/sobjects/{object}/{field}/{value}", sf_rest_upsert)                                                   \
    X("DELETE", "/sobjects/{object}/{field}/{value}", sf_rest_delete_by_key)                                           \
    X("POST", "/composite", sf_composite)                                                                              \
    X("POST", "/composite/", sf_composite)                                                                             \
    X("POST", "/composite/batch", sf_batch)                                                                            \
    X("POST", "/composite/sobjects", sf_collection_create)                                                             \
    X("POST", "/composite/sobjects/", sf_collection_create)                                                            \
    X("PATCH", "/composite/sobjects", sf_collection_update)                                                            \
    X("PATCH", "/composite/sobjects/", sf_collection_update)                                                           \
    X("DELETE", "/composite/sobjects", sf_collection_delete)                                                           \
    X("GET", "/composite/sobjects/{object}", sf_collection_retrieve)                                                   \
    X("POST", "/composite/sobjects/{object}", sf_collection_retrieve)                                                  \
    X("PATCH", "/composite/sobjects/{object}/{field}", sf_collection_upsert)

#define OWN_ROUTE(method, pattern, fn) {method, pattern, fn},
static const struct sf_route ROUTES[] = {SF_ROUTES(OWN_ROUTE)};

const struct sf_route *sf_route_find(str method, str path, str *captures, bool *wrong_method)
{
    *wrong_method = false;
    for (size_t i = 0; i < ARRAY_LEN(ROUTES); i++) {
        unsigned n = 0;
        if (!route_fits(ROUTES[i].pattern, path, captures, &n))
            continue;
        if (str_is(method, ROUTES[i].method))
            return &ROUTES[i];
        *wrong_method = true;
    }
    return NULL;
}

int64_t sf_switch(const struct sf *sf, const char *name)
{
    return twin_switch(sf->instance, name);
}

/* ---- what handlers answer with ---- */

void sf_error(struct sf_req *r, int status, const char *code, const char *fmt, ...)
{
    AUTO(buf_done) struct buf text = {0};
    va_list ap;
    va_start(ap, fmt);
    buf_fmtv(&text, fmt, ap);
    va_end(ap);
    buf_clear(r->out);
    buf_text_add(r->out, "[{");
    json_put_member(r->out, "message", buf_lent(&text));
    json_put_member(r->out, "errorCode", str_of(code));
    buf_text_add(r->out, "}]");
    r->status = status;
}

void sf_error_soql(struct sf_req *r, const struct soql_error *e)
{
    sf_error(r, 400, e->code, "%s", e->text);
}

void sf_not_found(struct sf_req *r)
{
    sf_error(r, 404, "NOT_FOUND", "The requested resource does not exist");
}

struct sf_object *sf_req_object(struct sf_req *r, str name)
{
    struct sf_object *o = sf_schema_seen(&r->sf->schema, name);
    if (!o)
        sf_not_found(r);
    return o;
}

const char *sf_req_base(struct sf_req *r)
{
    return arena_fmt(r->a, "/services/data/v%.*s", STR_FMT(r->version));
}

bool sf_req_param(struct sf_req *r, const char *name, str *out)
{
    str rest = r->query, one;
    while (str_split(&rest, '&', &one)) {
        const char *equals = memchr(one.p, '=', one.n);
        str key = equals ? str_n(one.p, (size_t)(equals - one.p)) : one;
        if (!str_is(percent_decoded(r->a, key, true), name))
            continue;
        str value = equals ? str_n(equals + 1, one.n - key.n - 1) : (str){0};
        *out = percent_decoded(r->a, value, true);
        return true;
    }
    return false;
}

struct sj *sf_req_body(struct sf_req *r)
{
    struct sj_fault fault;
    if (r->is_inner) {
        if (!r->tree)
            sf_error(r, 400, "JSON_PARSER_ERROR",
                     "The HTTP entity body is required, but this request has no entity body.");
        return r->tree;
    }
    str type = call_header(r->call, "Content-Type");
    if (!str_starts(type, STR("application/json"))) {
        sf_error(r, 415, "UNSUPPORTED_MEDIA_TYPE", "Content type '%.*s' not supported", STR_FMT(type));
        return NULL;
    }
    struct sj *tree = sj_parse(r->a, r->body, &fault);
    if (tree && (tree->kind == SJ_OBJECT || tree->kind == SJ_ARRAY))
        return tree;
    if (tree || r->body.n == 0)
        sf_error(r, 400, "JSON_PARSER_ERROR", "%s", r->body.n ? "An object or an array is required" : fault.text);
    else
        sf_error(r, 400, "JSON_PARSER_ERROR", "%s at [line:%u, column:%u]", fault.text, fault.line, fault.column);
    return NULL;
}

/* ---- the way of a request ---- */

static void headers_read(struct sf_req *r, struct call *c)
{
    r->if_modified = call_header(c, "If-Modified-Since");
    r->if_unmodified = call_header(c, "If-Unmodified-Since");
    r->auto_assign = call_header(c, "Sforce-Auto-Assign");
    r->duplicate_rule = call_header(c, "Sforce-Duplicate-Rule-Header");
    r->query_options = call_header(c, "Sforce-Query-Options");
}

/* False after the answer: only the versions in service pass. */
static bool version_served(struct sf_req *r)
{
    int64_t major = 0;
    str rest = r->version, whole;
    if (!str_split(&rest, '.', &whole) || !str_is(rest, "0") || !str_to_i64(whole, &major) || major < 7 ||
        major > SF_API_NEWEST) {
        sf_not_found(r);
        return false;
    }
    if (major >= SF_API_OLDEST)
        return true;
    sf_error(r, 410, "UNSUPPORTED_API_VERSION", "The API version is no longer supported. Use a newer version.");
    return false;
}

static bool session_holds(struct sf_req *r)
{
    str token = {0};
    struct sf_session *s = sf_bearer(r->call, &token) ? sf_session_find(r->sf, token) : NULL;
    if (!s || sf_switch(r->sf, "permanent_401")) {
        bool cut = !s && token.n && memchr(token.p, '.', token.n) && !memchr(token.p, '!', token.n);
        sf_error(r, 401, cut ? "INVALID_AUTH_HEADER" : "INVALID_SESSION_ID",
                 cut ? "INVALID_JWT_FORMAT"
                 : s ? "This session is not valid for use with the REST API"
                     : "Session expired or invalid");
        return false;
    }
    s->used_us = r->now_us;
    r->session = s;
    return true;
}

static bool limits_hold(struct sf_req *r)
{
    struct sf *sf = r->sf;
    if (r->now_us - sf->api_epoch_us > US_PER_DAY) {
        sf->api_epoch_us = r->now_us;
        sf->api_used = 0;
    }
    if (sf_switch(sf, "api_disabled")) {
        sf_error(r, 403, "API_DISABLED_FOR_ORG", "The REST API is not enabled for this Organization.");
        return false;
    }
    if (fault_take(sf->world, sf->instance, "concurrent-limit", r->method.p, r->call->path)) {
        sf_error(r, 403, "REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests (Concurrent API Requests) Limit exceeded.");
        return false;
    }
    if (sf->api_used >= sf_switch(sf, "api_max")) {
        sf_error(r, 403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.");
        return false;
    }
    sf->api_used++;
    return true;
}

static void limit_header(struct sf_req *r)
{
    char text[160];
    int64_t max = sf_switch(r->sf, "api_max");
    snprintf(text, sizeof text, "api-usage=%lld/%lld%s", (long long)r->sf->api_used, (long long)max,
             sf_switch(r->sf, "limit_tokens") ? "; per-app-api-usage=17/250(appName=tieline); api-bursts=1/750" : "");
    call_add_header(r->call, "Sforce-Limit-Info", text);
}

static void answer(struct call *c, struct sf_req *r)
{
    if (r->location)
        call_add_header(c, "Location", r->location);
    if (r->last_modified)
        call_add_header(c, "Last-Modified", r->last_modified);
    if (r->etag)
        call_add_header(c, "ETag", r->etag);
    if (r->status == 204 || r->status == 304)
        call_answer_empty(c, r->status);
    else
        call_answer(c, r->status);
}

static void stamp_field_follow_switch(struct sf *sf)
{
    static const char *const objects[] = {"Account", "Contact"};
    bool shown = sf_switch(sf, "stamp_field") != 0;
    for (size_t i = 0; i < ARRAY_LEN(objects); i++) {
        struct sf_object *o = sf_schema_object(&sf->schema, str_of(objects[i]));
        struct sf_field *f = sf_object_field(o, STR(SF_STAMP_FIELD));
        if (!f || ((f->flags & F_HIDDEN) == 0) == shown)
            continue;
        f->flags = shown ? f->flags & ~(uint32_t)F_HIDDEN : f->flags | F_HIDDEN;
        o->described_us = sandbox_now_us(sf->world);
    }
}

static struct sf_req request_of(struct call *c)
{
    struct sf_req r = {.sf = c->self,
                       .a = &c->arena,
                       .call = c,
                       .method = c->method,
                       .query = c->query,
                       .body = c->body,
                       .out = &c->out,
                       .now_us = sandbox_now_us(c->world)};
    static const char prefix[] = "/services/data/v";
    str rest = str_starts(c->path, STR(prefix)) ? str_n(c->path.p + sizeof prefix - 1, c->path.n - sizeof prefix + 1)
                                                : (str){0};
    const char *slash = rest.n ? memchr(rest.p, '/', rest.n) : NULL;
    r.version = slash ? str_n(rest.p, (size_t)(slash - rest.p)) : rest;
    r.path = slash ? str_n(slash, rest.n - r.version.n) : STR("");
    headers_read(&r, c);
    return r;
}

/* Before every call of the instance: transactions that have ended by now show, and an address that is too long fails at
 * the edge, in HTML. */
static void instance_before(struct call *c, const struct route *route)
{
    struct sf *sf = c->self;
    (void)route;
    sf_settle(&sf->store, sandbox_now_us(c->world));
    stamp_field_follow_switch(sf);
    sf_histories_follow_switch(c, sf);
    if (c->path.n + c->query.n > URI_BYTES_MAX)
        call_answer_text(c, 414, "text/html;charset=iso-8859-1",
                         "<h1>Bad Message 414</h1><pre>reason: URI Too Long</pre>");
}

/* Version, session and limits, then the handler. */
static void serve(struct call *c, sf_fn fn)
{
    struct sf_req r = request_of(c);
    if (!version_served(&r) || !session_holds(&r))
        return answer(c, &r);
    if (limits_hold(&r)) {
        memcpy(r.capture, c->capture, sizeof r.capture);
        fn(&r);
    }
    limit_header(&r);
    answer(c, &r);
}

static void instance_call(struct call *c)
{
    str captures[CALL_CAPTURES];
    bool wrong = false;
    struct sf_req r = request_of(c);
    const struct sf_route *route =
        sf_route_find(str_is(c->method, "HEAD") ? STR("GET") : c->method, r.path, captures, &wrong);
    ASSERT(route); /* the same patterns brought the call here */
    memcpy(c->capture, captures, sizeof captures);
    serve(c, route->fn);
}

static void instance_unknown(struct call *c)
{
    serve(c, sf_not_found);
}

static void method_not_allowed(struct sf_req *r)
{
    sf_error(r, 405, "METHOD_NOT_ALLOWED", "HTTP Method '%.*s' not allowed. Allowed are the methods of this resource.",
             STR_FMT(r->method));
}

static void instance_wrong_method(struct call *c)
{
    serve(c, method_not_allowed);
}

static void versions(struct call *c)
{
    static const char *const seasons[] = {"Spring", "Summer", "Winter"};
    buf_char(&c->out, '[');
    for (int v = SF_API_OLDEST; v <= SF_API_NEWEST; v++) {
        int release = v - SF_API_OLDEST + 1, year = 14 + release / 3; /* v31 was Summer '14 */
        const char *season = seasons[release % 3];
        int shown = release % 3 == 2 ? year + 1 : year;
        buf_fmt(&c->out, "%s{\"label\":\"%s '%02d\",\"url\":\"/services/data/v%d.0\",\"version\":\"%d.0\"}",
                v > SF_API_OLDEST ? "," : "", season, shown, v, v);
    }
    buf_char(&c->out, ']');
    call_answer(c, 200);
}

/* ---- faults in the vendor's words ---- */

static bool fault_answer(struct call *c, const struct fault *f)
{
    struct sf *sf = c->self;
    if (strcmp(f->name, "429") == 0) { /* not documented by the vendor; proxies before it send one */
        call_answer_text(c, 429, NULL,
                         "[{\"message\":\"Too many requests\",\"errorCode\":\"REQUEST_LIMIT_EXCEEDED\"}]");
        return true;
    }
    if (strcmp(f->name, "500") == 0) {
        char hex[17];
        sandbox_random_hex(sf->world, hex, 16);
        call_answer_fmt(c, 500,
                        "[{\"message\":\"An unexpected error occurred. Please include this ErrorId if you contact "
                        "support: %s-%s (%.8s)\",\"errorCode\":\"UNKNOWN_EXCEPTION\"}]",
                        hex, hex + 8, hex);
        return true;
    }
    if (strcmp(f->name, "503-json") == 0) {
        call_answer_text(c, 503, NULL, "[{\"message\":\"Server unavailable\",\"errorCode\":\"SERVER_UNAVAILABLE\"}]");
        return true;
    }
    return false;
}

static void expire(struct call *c)
{
    struct sf *sf = c->self;
    str token = {0};
    struct sf_session *s = sf_bearer(c, &token) ? sf_session_find(sf, token) : NULL;
    if (!s)
        return;
    s->dead = true;
    sf_locators_close(sf, s->number);
}

static void login_unknown(struct call *c)
{
    call_answer_text(c, 404, NULL,
                     "[{\"message\":\"The requested resource does not exist\",\"errorCode\":\"NOT_FOUND\"}]");
}

static void login_wrong_method(struct call *c)
{
    call_answer_text(c, 405, NULL, "[{\"message\":\"HTTP Method not allowed\",\"errorCode\":\"METHOD_NOT_ALLOWED\"}]");
}

static void free_sf(void *self)
{
    struct sf *sf = self;
    sf_locators_close(sf, 0);
    free(sf->locators);
    free(sf->sessions);
    free(sf->grants);
    EVP_PKEY_free(sf->jwt_key);
    sf_store_done(&sf->store);
    sf_schema_done(&sf->schema);
    free(sf);
}

/* ---- roles ---- */

static struct sandbox_switch login_switches[] = {
    {"rotation", 0, "1: a refresh returns a new refresh token and voids the old one, its sessions and their locators"},
    {"refresh_needs_secret", 0, "1: the refresh flow wants client_secret"},
    {"refresh_idle_days", 30, "a refresh token unused so long is dead; 0: never"},
    {"my_domain", 1, "0: this host is login.salesforce.com, which refuses client credentials"},
    {"run_as_user", 1, "0: the app has no run-as user for client credentials"},
    {"web_code_lifetime", 900, "of the code that the consent page sends back, seconds"},
    {"pkce_required", 0, "1: the org refuses a sign-in by browser without PKCE"},
    {"web_needs_secret", 1, "0: the app asks for no secret in the web server flow"},
    {"jwt_cap_seconds", 300, "exp of an assertion may lie this far ahead; 0: any"},
};

static struct sandbox_switch instance_switches[] = {
    {"stamp_field", 1, "0: " SF_STAMP_FIELD " is absent from Account and Contact"},
    {"histories", 0, "so many contacts with an account have deals, notes, tasks and events"},
    {"page_max", 0, "rows per page at most, below what batchSize allows; 0: batchSize counts"},
    {"unordered", 1, "1: a query without ORDER BY comes newest first"},
    {"parser_error_fails_request", 1, "1: a value that cannot be parsed fails the whole collection; 0: its row"},
    {"trim", 1, "1: blanks around text are cut when saved"},
    {"duplicate_rule", 0, "0: off; 1: alert, which allowSave overrides; 2: block"},
    {"trigger", 0, "1: a trigger formats phone numbers and lowers e-mails, as the writing user"},
    {"assignment_rule", 0, "1: creates without Sforce-Auto-Assign: FALSE get another owner"},
    {"session_seconds", 7200, "a session unused so long is dead"},
    {"permanent_401", 0, "1: every session is refused, fresh ones too"},
    {"api_disabled", 0, "1: an edition without API: 403 API_DISABLED_FOR_ORG"},
    {"api_max", 1000000, "requests of a day"},
    {"limit_tokens", 0, "1: Sforce-Limit-Info carries further tokens"},
};

static const char *const instance_faults[] = {"lock-row", "query-timeout", "lose-locator", "concurrent-limit",
                                              "late-commit"};

#define SERVER_ROUTE(method, pattern, fn) {method, "/services/data/{version}" pattern, instance_call},
static const struct route instance_routes[] = {{"GET", "/services/data", versions},
                                               {"GET", "/services/data/", versions},
                                               {"GET", "/id/{org}/{user}", sf_identity},
                                               SF_ROUTES(SERVER_ROUTE)};

static const struct twin_ops login_ops = {
    .name = "login",
    .routes = SF_LOGIN_ROUTES,
    .route_count = SF_LOGIN_ROUTE_COUNT,
    .control = SF_LOGIN_CONTROL,
    .control_count = SF_LOGIN_CONTROL_COUNT,
    .switches = login_switches,
    .switch_count = ARRAY_LEN(login_switches),
    .content_type = "application/json;charset=UTF-8",
    .chunked = true,
    .unknown = login_unknown,
    .wrong_method = login_wrong_method,
    .fault_answer = fault_answer,
};

static const struct twin_ops instance_ops = {
    .name = "salesforce",
    .routes = instance_routes,
    .route_count = ARRAY_LEN(instance_routes),
    .control = SF_CONTROL,
    .control_count = SF_CONTROL_COUNT,
    .switches = instance_switches,
    .switch_count = ARRAY_LEN(instance_switches),
    .fault_names = instance_faults,
    .fault_count = ARRAY_LEN(instance_faults),
    .content_type = "application/json;charset=UTF-8",
    .chunked = true,
    .before = instance_before,
    .unknown = instance_unknown,
    .wrong_method = instance_wrong_method,
    .fault_answer = fault_answer,
    .expire = expire,
    .dump = sf_dump,
    .change = sf_change,
    .free_self = free_sf,
};

struct twin *salesforce_add(struct sandbox *w, const struct people *people, int login_port, int instance_port)
{
    struct sf *sf = calloc(1, sizeof *sf);
    ASSERT(sf);
    sf->world = w;
    sf->login = sandbox_add(w, &login_ops, sf, login_port);
    sf->instance = sandbox_add(w, &instance_ops, sf, instance_port);
    sf->api_epoch_us = sandbox_now_us(w);
    sf_id_make("00D", (uint32_t)(sandbox_seed(w) % 1000000), sf->org_id);
    sf_schema_init(&sf->schema, sandbox_now_us(w));
    sf_store_init(&sf->store, &sf->schema);
    sf_seed(sf, people);
    sf_auth_setup(sf);
    return sf->login;
}

void salesforce_credentials(struct buf *out, struct twin *login)
{
    const struct sf *sf = twin_self(login);
    json_put_raw(out, "salesforce", STR("{"));
    json_put_member(out, "client_id", str_of(sf->client_id));
    json_put_member(out, "client_secret", str_of(sf->client_secret));
    json_put_member(out, "refresh_token", str_of(sf->refresh_token));
    json_put_member(out, "username", STR(SF_USERNAME));
    json_put_member(out, "org_id", str_of(sf->org_id));
    buf_char(out, '}');
}
