/* The OpenAPI document: see openapi.h. */
#include "openapi.h"

#include <ctype.h>

static json_t *parse_shape(const char **p);

static bool accept(const char **p, char c)
{
    while (isspace((unsigned char)**p))
        (*p)++;
    if (**p != c)
        return false;
    (*p)++;
    return true;
}

static str word(const char **p)
{
    while (isspace((unsigned char)**p))
        (*p)++;
    const char *start = *p;
    while (isalnum((unsigned char)**p) || **p == '_' || **p == '.')
        (*p)++;
    return (str){start, (uint64_t)(*p - start)};
}

static json_t *type_json(const char *type)
{
    return json_pack("{s:s}", "type", type);
}

static json_t *parse_scalar(const char **p)
{
    str w = word(p);
    if (str_is(w, "time"))
        return json_pack("{s:s,s:s}", "type", "string", "format", "date-time");
    if (str_is(w, "any"))
        return json_object();
    static const char *const types[] = {"string", "integer", "number", "boolean", "object"};
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (str_is(w, types[i]))
            return type_json(types[i]);
    return NULL;
}

static json_t *nullable(json_t *schema)
{
    json_t *type = json_object_get(schema, "type");
    if (json_is_string(type)) {
        json_t *both = json_pack("[O,s]", type, "null");
        json_object_set_new(schema, "type", both);
    }
    return schema;
}

static json_t *parse_object(const char **p)
{
    json_t *properties = json_object(), *required = json_array();
    bool ok = true;
    while (ok && !accept(p, '}')) {
        str name = word(p);
        json_t *schema = name.n && accept(p, ':') ? parse_shape(p) : NULL;
        ok = schema != NULL;
        if (!ok)
            break;
        if (accept(p, '?'))
            nullable(schema);
        else
            json_array_append_new(required, json_stringn(name.p, name.n));
        json_object_setn_new(properties, name.p, name.n, schema);
        accept(p, ',');
    }
    if (!ok) {
        json_decref(properties);
        json_decref(required);
        return NULL;
    }
    return json_pack("{s:s,s:o,s:o}", "type", "object", "properties", properties, "required", required);
}

static json_t *parse_shape(const char **p)
{
    if (accept(p, '{'))
        return parse_object(p);
    if (!accept(p, '['))
        return parse_scalar(p);
    json_t *items = parse_shape(p);
    if (!items || !accept(p, ']')) {
        json_decref(items);
        return NULL;
    }
    return json_pack("{s:s,s:o}", "type", "array", "items", items);
}

json_t *openapi_shape(const char *shape)
{
    const char *p = shape;
    json_t *schema = parse_shape(&p);
    while (schema && isspace((unsigned char)*p))
        p++;
    if (schema && *p) {
        json_decref(schema);
        return NULL;
    }
    return schema;
}

static json_t *parameter(const char *in, str name, const char *type, bool required)
{
    json_t *schema = openapi_shape(type);
    return json_pack("{s:s,s:o,s:b,s:o}", "in", in, "name", json_stringn(name.p, name.n), "required", required,
                     "schema", schema ? schema : json_object());
}

static json_t *parameters(const struct route *r)
{
    json_t *list = json_array();
    str rest = str_of(r->path), part;
    while (str_split(&rest, '/', &part))
        if (part.n > 2 && part.p[0] == '{')
            json_array_append_new(list, parameter("path", (str){part.p + 1, part.n - 2}, "string", true));
    rest = str_of(r->params ? r->params : "");
    while (str_split(&rest, ' ', &part)) {
        str name;
        char type[32] = "string";
        if (!str_split(&part, ':', &name) || name.n == 0)
            continue;
        if (part.n && part.n < sizeof type) {
            memcpy(type, part.p, part.n);
            type[part.n] = 0;
        }
        json_array_append_new(list, parameter("query", name, type, false));
    }
    if (r->flags & ROUTE_MATCH)
        json_array_append_new(list, parameter("header", STR("If-Match"), "string", true));
    return list;
}

static json_t *content(const char *type, json_t *schema)
{
    return json_pack("{s:{s:{s:o}}}", "content", type, "schema", schema);
}

static json_t *operation(const struct route *r)
{
    json_t *ok = r->flags & ROUTE_TEXT     ? content(r->text ? r->text : "text/plain", type_json("string"))
                 : r->flags & ROUTE_STREAM ? content("application/x-ndjson", type_json("string"))
                                           : content("application/json", openapi_shape(r->answer));
    json_object_set_new(ok, "description", json_string("done"));
    json_t *problem = content("application/problem+json",
                              openapi_shape("{type:string,title:string,status:integer,code:string,detail:string?,"
                                            "hint:string?}"));
    json_object_set_new(problem, "description", json_string("refused or failed: a problem of RFC 9457"));
    const char *scope = scope_name(r->scope);
    json_t *op = json_pack("{s:s,s:s,s:[{s:[s]}],s:o,s:{s:o,s:o}}", "summary", r->summary, "x-scope", scope, "security",
                           "bearer", scope, "parameters", parameters(r), "responses", "2XX", ok, "default", problem);
    if (r->body) {
        json_t *body = content("application/json", openapi_shape(r->body));
        json_object_set_new(body, "required", json_true());
        json_object_set_new(op, "requestBody", body);
    }
    return op;
}

json_t *openapi_document(const struct route *const *tables)
{
    json_t *paths = json_object();
    for (; *tables; tables++)
        for (const struct route *r = *tables; r->method; r++) {
            json_t *path = json_object_get(paths, r->path);
            if (!path) {
                path = json_object();
                json_object_set_new(paths, r->path, path);
            }
            char method[16] = {0};
            for (size_t i = 0; i + 1 < sizeof method && r->method[i]; i++)
                method[i] = (char)tolower((unsigned char)r->method[i]);
            json_object_set_new(path, method, operation(r));
        }
    return json_pack("{s:s,s:{s:s,s:s,s:s},s:o,s:{s:{s:{s:s,s:s,s:s}}}}", "openapi", "3.1.0", "info", "title",
                     "tieline", "version", TIELINE_VERSION, "description",
                     "API of tielined. Over its UNIX socket the kernel says who asks, over the network a token does. "
                     "Lists carry \"next\" when there is more; objects carry an "
                     "ETag; a change of an object needs If-Match.",
                     "paths", paths, "components", "securitySchemes", "bearer", "type", "http", "scheme", "bearer",
                     "description", "A token made by `tieline token create`; each operation names its scope.");
}
