/* What a handler sees of a request and how it writes the answer. */
#include <stdio.h>
#include <stdlib.h>

#include "server_int.h"

static str header_value(const struct call *c, const char *name)
{
    return str_of(MHD_lookup_connection_value(c->impl->connection, MHD_HEADER_KIND, name));
}

str call_header(const struct call *c, const char *name)
{
    return header_value(c, name);
}

static unsigned params_read(struct call *c, str text, struct param *out)
{
    unsigned n = 0;
    str one;
    while (n < PARAMS_MAX && text.n && str_split(&text, '&', &one)) {
        if (!one.n)
            continue;
        const char *equals = memchr(one.p, '=', one.n);
        str name = equals ? str_n(one.p, (size_t)(equals - one.p)) : one;
        str value = equals ? str_n(equals + 1, one.n - name.n - 1) : str_n("", 0);
        out[n].name = percent_decoded(&c->arena, name, true);
        out[n].value = percent_decoded(&c->arena, value, true);
        n++;
    }
    return n;
}

static bool params_find(const struct param *params, unsigned n, const char *name, str *value_out)
{
    for (unsigned i = 0; i < n; i++) {
        if (str_is(params[i].name, name)) {
            if (value_out)
                *value_out = params[i].value;
            return true;
        }
    }
    return false;
}

static void query_read(struct call *c)
{
    struct call_impl *i = c->impl;
    if (!i->query_read) {
        i->query_count = params_read(c, c->query, i->query);
        i->query_read = true;
    }
}

bool call_query(struct call *c, const char *name, str *value_out)
{
    query_read(c);
    return params_find(c->impl->query, c->impl->query_count, name, value_out);
}

bool call_param(struct call *c, const char *name, str *value_out)
{
    if (call_query(c, name, value_out))
        return true;
    struct call_impl *i = c->impl;
    if (!i->form_read) {
        i->form_read = true;
        if (str_starts(call_header(c, "Content-Type"), STR("application/x-www-form-urlencoded")))
            i->form_count = params_read(c, c->body, i->form);
    }
    return params_find(i->form, i->form_count, name, value_out);
}

void call_each_query(struct call *c, void (*fn)(void *arg, str name, str value), void *arg)
{
    query_read(c);
    for (unsigned i = 0; i < c->impl->query_count; i++)
        fn(arg, c->impl->query[i].name, c->impl->query[i].value);
}

json_t *call_json(struct call *c, json_error_t *err_out)
{
    struct call_impl *i = c->impl;
    json_error_t ignored;
    if (!i->json_read) {
        i->json_read = true;
        i->json = json_loadb(c->body.p ? c->body.p : "", c->body.n, JSON_DECODE_ANY, err_out ? err_out : &ignored);
    }
    return i->json;
}

void call_answer(struct call *c, int status)
{
    c->status = status;
}

void call_answer_empty(struct call *c, int status)
{
    buf_clear(&c->out);
    c->content_type = NULL;
    c->status = status;
}

void call_answer_text(struct call *c, int status, const char *type, const char *text)
{
    buf_clear(&c->out);
    buf_text_add(&c->out, text);
    c->content_type = type;
    c->status = status;
}

void call_answer_fmt(struct call *c, int status, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    buf_clear(&c->out);
    buf_fmtv(&c->out, fmt, ap);
    va_end(ap);
    c->status = status;
}

void call_add_header(struct call *c, const char *name, const char *value)
{
    struct call_impl *i = c->impl;
    ASSERT(i->header_count < CALL_HEADERS_MAX);
    i->headers[i->header_count++] =
        (struct call_header){arena_str(&c->arena, str_of(name)).p, arena_str(&c->arena, str_of(value)).p};
}

/* ---- JSON out ----------------------------------------------------------- */

static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c != '"' && c != '\\';
}

static void escape_put(struct buf *b, unsigned char c)
{
    switch (c) {
    case '"':
        buf_add(b, "\\\"", 2);
        break;
    case '\\':
        buf_add(b, "\\\\", 2);
        break;
    case '\n':
        buf_add(b, "\\n", 2);
        break;
    case '\r':
        buf_add(b, "\\r", 2);
        break;
    case '\t':
        buf_add(b, "\\t", 2);
        break;
    default:
        buf_fmt(b, "\\u%04x", c);
    }
}

void json_put(struct buf *b, str s)
{
    buf_char(b, '"');
    size_t from = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (is_plain((unsigned char)s.p[i]))
            continue;
        buf_add(b, s.p + from, i - from);
        escape_put(b, (unsigned char)s.p[i]);
        from = i + 1;
    }
    if (s.n > from)
        buf_add(b, s.p + from, s.n - from);
    buf_char(b, '"');
}

void json_put_text(struct buf *b, const char *z)
{
    if (z)
        json_put(b, str_of(z));
    else
        buf_add(b, "null", 4);
}

void json_put_comma(struct buf *b)
{
    char last = b->n ? b->p[b->n - 1] : '{';
    if (last != '{' && last != '[' && last != '\n')
        buf_char(b, ',');
}

void json_put_key(struct buf *b, const char *key)
{
    buf_char(b, '"');
    buf_text_add(b, key);
    buf_add(b, "\":", 2);
}

void json_put_member(struct buf *b, const char *key, str s)
{
    json_put_comma(b);
    json_put_key(b, key);
    json_put(b, s);
}

void json_put_int(struct buf *b, const char *key, int64_t v)
{
    json_put_comma(b);
    json_put_key(b, key);
    buf_fmt(b, "%lld", (long long)v);
}

void json_put_bool(struct buf *b, const char *key, bool v)
{
    json_put_raw(b, key, v ? STR("true") : STR("false"));
}

void json_put_raw(struct buf *b, const char *key, str json)
{
    json_put_comma(b);
    json_put_key(b, key);
    buf_str(b, json);
}

void json_put_tree(struct buf *b, const json_t *tree)
{
    char *text = json_dumps(tree, JSON_COMPACT | JSON_ENCODE_ANY);
    ASSERT(text != NULL);
    buf_text_add(b, text);
    free(text);
}
