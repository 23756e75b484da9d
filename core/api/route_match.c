/* Routes and requests: see route_match.h and server.h. */
#include "route_match.h"

#include <microhttpd.h>
#include <stdlib.h>

#include "openapi.h"

/* What is no escape stays as it is. */
static str percent_decode(struct arena *a, str s)
{
    char *out = arena_alloc(a, (size_t)s.n + 1);
    size_t n = 0;
    for (uint64_t i = 0; i < s.n; i++) {
        int byte = str_percent_byte(str_n(s.p + i, s.n - i));
        out[n++] = byte < 0 ? s.p[i] : (char)byte;
        i += byte < 0 ? 0 : 2;
    }
    return (str){out, n};
}

static bool path_matches(struct request *rq, const char *pattern)
{
    str want = str_of(pattern), have = rq->path, w, h;
    int captures = 0;
    for (;;) {
        bool more_w = str_split(&want, '/', &w), more_h = str_split(&have, '/', &h);
        if (!more_w || !more_h)
            return more_w == more_h;
        if (w.n && w.p[0] == '{') {
            if (h.n == 0 || captures == REQUEST_MAX_CAPTURES)
                return false;
            rq->captures[captures++] = percent_decode(&rq->arena, h);
        } else if (!str_eq(w, h)) {
            return false;
        }
    }
}

const struct route *route_find(const struct route *const *tables, struct request *rq, bool *other_method)
{
    for (; *tables; tables++)
        for (const struct route *r = *tables; r->method; r++) {
            if (!path_matches(rq, r->path))
                continue;
            if (str_is(rq->method, r->method))
                return r;
            if (other_method)
                *other_method = true;
        }
    return NULL;
}

void route_methods(const struct route *const *tables, str path, struct buf *out)
{
    struct request rq = {.path = path};
    for (; *tables; tables++)
        for (const struct route *r = *tables; r->method; r++)
            if (path_matches(&rq, r->path))
                buf_fmt(out, "%s%s", out->n ? ", " : "", r->method);
    arena_done(&rq.arena);
}

bool route_takes_param(const struct route *r, str name)
{
    if ((r->flags & ROUTE_WRITE) && str_is(name, "dry_run"))
        return true; /* where there is no preview it is refused as such */
    str rest = str_of(r->params ? r->params : ""), word, known;
    while (str_split(&rest, ' ', &word))
        if (str_split(&word, ':', &known) && str_eq(known, name))
            return true;
    return false;
}

bool route_takes_member(const struct route *r, str name)
{
    json_t *shape = r->body ? openapi_shape(r->body) : NULL;
    const json_t *properties = json_object_get(shape, "properties");
    bool takes = shape && (!properties || json_object_getn(properties, name.p, (size_t)name.n));
    json_decref(shape);
    return takes;
}

uint64_t json_hash(const json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
    uint64_t h = UINT64_C(1469598103934665603); /* FNV-1a: tells versions apart, no security in it */
    for (const char *p = text ? text : ""; *p; p++)
        h = (h ^ (uint8_t)*p) * UINT64_C(1099511628211);
    free(text);
    return h;
}

str request_param(const struct request *rq, const char *name)
{
    return str_of(MHD_lookup_connection_value(rq->connection, MHD_GET_ARGUMENT_KIND, name));
}

str request_header(const struct request *rq, const char *name)
{
    return str_of(MHD_lookup_connection_value(rq->connection, MHD_HEADER_KIND, name));
}

bool request_flag(const struct request *rq, const char *name)
{
    str v = request_param(rq, name);
    return str_is(v, "true") || str_is(v, "1") || str_is(v, "yes");
}

int request_number(const struct request *rq, const char *name, int64_t def, int64_t min, int64_t max, int64_t *out,
                   struct err *e)
{
    str v = request_param(rq, name);
    int64_t n = def;
    if (v.n && (!str_to_i64(v, &n) || n < min || n > max))
        return err_set(e, E_USAGE, "parameter \"%s\" must be a whole number from %lld to %lld", name, (long long)min,
                       (long long)max);
    *out = n;
    return TL_OK;
}

const char *body_text(const struct request *rq, const char *member)
{
    return json_string_value(json_object_get(rq->body, member));
}

int body_need_text(const struct request *rq, const char *member, const char **out, struct err *e)
{
    const char *text = body_text(rq, member);
    if (!text || !*text)
        return err_set(e, E_USAGE, "the request needs \"%s\" as a text", member);
    *out = text;
    return TL_OK;
}

int problem_status(int status)
{
    switch (status) {
    case TL_OK:
        return 200;
    case TL_E_NOT_FOUND:
        return 404;
    case TL_E_DENIED:
        return 403;
    case TL_E_INVALID:
    case E_USAGE:
        return 400;
    case TL_E_CONFIG:
        return 422;
    case TL_E_CONFLICT:
    case E_EXISTS:
    case E_BUSY:
    case E_PRECONDITION:
        return 409;
    case TL_E_THROTTLED:
    case TL_E_QUOTA:
        return 429;
    case TL_E_TEMPORARY:
    case TL_E_AUTH:
    case TL_E_UNKNOWN:
        return 502;
    case TL_E_UNSUPPORTED:
        return 501;
    case TL_E_CANCELLED:
        return 503;
    case E_STORAGE:
        return 507;
    default:
        return 500;
    }
}

static void set_text(json_t *o, const char *name, const char *text)
{
    if (text[0])
        json_object_set_new(o, name, json_string(text));
}

json_t *problem_json(const struct err *e, int http_status)
{
    json_t *o = json_object();
    json_object_set_new(o, "type", json_string("about:blank"));
    json_object_set_new(o, "title", json_string(e->text));
    json_object_set_new(o, "status", json_integer(http_status));
    json_object_set_new(o, "code", json_string(status_name(e->status)));
    set_text(o, "detail", e->detail);
    set_text(o, "hint", e->hint);
    set_text(o, "reason", e->code);
    set_text(o, "field", e->field);
    if (e->retry_after_ms)
        json_object_set_new(o, "retry_after_ms", json_integer(e->retry_after_ms));
    return o;
}
