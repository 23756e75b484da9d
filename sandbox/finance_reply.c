/* The envelope of every answer, the two forms of a body, and the record a path names.
 * Vendor: https://www.zoho.com/books/api/v3/introduction/, .../errors/; https://www.zoho.com/invoice/api (JSONString).
 */
#include "finance_int.h"

enum { CODE_PARAMETER = 4, CODE_GONE = 1002, CODE_JSON = 1038 };

void fin_error(struct call *c, int status, int code, const char *fmt, ...)
{
    AUTO(buf_done) struct buf message = {0};
    va_list ap;
    va_start(ap, fmt);
    buf_fmtv(&message, fmt, ap);
    va_end(ap);
    buf_clear(&c->out);
    c->content_type = NULL; /* JSON again, where a file was begun */
    buf_char(&c->out, '{');
    json_put_int(&c->out, "code", code);
    json_put_member(&c->out, "message", buf_lent(&message));
    buf_char(&c->out, '}');
    call_answer(c, status);
}

struct buf *fin_open(struct call *c, const char *message)
{
    buf_clear(&c->out);
    buf_char(&c->out, '{');
    json_put_int(&c->out, "code", 0);
    json_put_member(&c->out, "message", str_of(message));
    return &c->out;
}

void fin_close(struct call *c, int status)
{
    buf_char(&c->out, '}');
    call_answer(c, status);
}

void fin_done(struct call *c, int status, const char *message)
{
    fin_open(c, message);
    fin_close(c, status);
}

void fin_answer(struct call *c, int status, const char *message, const struct fin *r)
{
    ledger_refresh(r->org);
    struct buf *b = fin_open(c, message);
    json_put_comma(b);
    json_put_key(b, r->kind->one);
    fin_put(b, r, false);
    fin_close(c, status);
}

static const struct sj *json_refused(struct call *c)
{
    fin_error(c, 400, CODE_JSON, "JSON is not well formed");
    return NULL;
}

/* Books takes JSON and, as older clients send it, the form field JSONString; of Invoice the form is documented. */
const struct sj *fin_body(struct call *c)
{
    struct finance *f = c->self;
    bool invoice = strcmp(f->product, "invoice") == 0;
    str text = c->body;
    if (str_starts(call_header(c, "Content-Type"), STR("application/json"))) {
        if (invoice && !twin_switch(c->twin, "invoice_json"))
            return json_refused(c);
    } else if (!call_param(c, "JSONString", &text)) {
        return json_refused(c);
    } else if (!invoice && !twin_switch(c->twin, "books_form")) {
        fin_error(c, 400, CODE_PARAMETER, "Invalid value passed for JSONString");
        return NULL;
    }
    struct sj_fault fault;
    const struct sj *body = sj_parse(&c->arena, text, &fault);
    return body && body->kind == SJ_OBJECT ? body : json_refused(c);
}

struct fin *fin_given(struct call *c, int kind, str id)
{
    struct finance *f = c->self;
    const struct fin_kind *k = fin_kinds[kind];
    int64_t n;
    if (!str_to_i64(id, &n) || n < 0)
        return fin_invalid(c, k->id_name), NULL;
    struct fin *r = fin_find(f->org, kind, n);
    if (!r)
        fin_error(c, (int)twin_switch(c->twin, "gone_status"), CODE_GONE, "%s does not exist.", k->title);
    return r;
}

struct fin *fin_wanted(struct call *c, int kind)
{
    return fin_given(c, kind, c->capture[0]);
}

bool fin_query_true(struct call *c, const char *name)
{
    str v;
    return call_query(c, name, &v) && str_is(v, "true");
}
