#include "wire.h"

#include <stdio.h>

void wire_put_open(struct buf *b, const tl_open *o)
{
    enc_i64(b, o->purpose);
    enc_pairs(b, o->config, o->n_config);
    enc_str(b, o->endpoint);
}

void wire_get_open(struct decoder *d, tl_open *out)
{
    *out = (tl_open){.struct_size = sizeof *out};
    out->purpose = dec_i32(d);
    out->config = dec_pairs(d, &out->n_config);
    out->endpoint = dec_str(d);
}

void wire_put_status(struct buf *b, tl_status s, const tl_error *error)
{
    enc_i64(b, s);
    tl_error none = {.struct_size = sizeof none};
    enc_error(b, error ? error : &none);
}

tl_status wire_get_status(struct decoder *d, tl_error *out)
{
    tl_status s = dec_i32(d);
    dec_error(d, out);
    return s < TL_OK || s > TL_E_QUOTA ? TL_E_BUG : s;
}

void wire_put_err(struct buf *b, const struct err *e)
{
    enc_i64(b, e->status);
    enc_text(b, e->text);
    enc_text(b, e->hint);
    enc_text(b, e->detail);
}

void wire_get_err(struct decoder *d, struct err *out)
{
    int status = dec_i32(d);
    const char *text = dec_text(d);
    const char *hint = dec_text(d);
    const char *detail = dec_text(d);
    if (status == TL_OK || !text)
        d->bad = true;
    err_set(out, status == TL_OK ? TL_E_BUG : status, "%s", text ? text : "");
    err_hint(out, "%s", hint ? hint : "");
    err_detail(out, "%s", detail ? detail : "");
}

/* ---- http ---- */

void wire_put_http(struct buf *b, const tl_http *requests, uint32_t n)
{
    enc_u64(b, n);
    for (uint32_t i = 0; i < n; i++) {
        const tl_http *r = &requests[i];
        enc_u64(b, r->flags);
        enc_u64(b, r->timeout_ms);
        enc_text(b, r->method ? r->method : "GET");
        enc_str(b, r->url);
        enc_str(b, r->body);
        enc_u64(b, r->body_blob);
        enc_u64(b, r->out_blob);
        enc_pairs(b, r->headers, r->n_headers);
    }
}

tl_http *wire_get_http(struct decoder *d, uint32_t *n_out)
{
    uint32_t n = dec_count(d, 12);
    if (n > HTTP_BATCH_MAX)
        return NULL;
    tl_http *out = arena_array(d->arena, tl_http, n);
    for (uint32_t i = 0; i < n; i++) {
        tl_http *r = &out[i];
        r->struct_size = sizeof *r;
        r->flags = dec_u32(d);
        r->timeout_ms = dec_u32(d);
        r->method = dec_text(d);
        r->url = dec_str(d);
        r->body = dec_bytes(d);
        r->body_blob = dec_u64(d);
        r->out_blob = dec_u64(d);
        r->headers = dec_pairs(d, &r->n_headers);
        if (!r->method || !*r->method)
            return NULL;
    }
    *n_out = n;
    return d->bad ? NULL : out;
}

void http_answer_limit(tl_http *r)
{
    if (r->out_body.n <= HTTP_BODY_MAX)
        return;
    r->outcome = r->flags & TL_HTTP_WRITE ? TL_E_UNKNOWN : TL_E_TEMPORARY;
    snprintf(r->error, sizeof r->error, "an answer of %llu bytes, at most %d in memory: take it into a blob",
             (unsigned long long)r->out_body.n, HTTP_BODY_MAX);
    r->out_body = (tl_str){"", 0};
}

void wire_put_http_answer(struct buf *b, const tl_http *r)
{
    enc_i64(b, r->outcome);
    enc_i64(b, r->status);
    enc_pairs(b, r->out_headers, r->n_out_headers);
    enc_str(b, r->out_body);
    enc_i64(b, r->server_us);
    enc_i64(b, r->took_us);
    enc_text(b, r->error);
}

void wire_get_http_answer(struct decoder *d, tl_http *out)
{
    out->outcome = dec_i32(d);
    out->status = dec_i32(d);
    out->out_headers = dec_pairs(d, &out->n_out_headers);
    out->out_body = dec_bytes(d);
    out->server_us = dec_i64(d);
    out->took_us = dec_i64(d);
    const char *error = dec_text(d);
    snprintf(out->error, sizeof out->error, "%s", error ? error : "");
}

void wire_put_blob(struct buf *b, const tl_blob *x)
{
    enc_u64(b, x->bytes);
    enc_str(b, x->name);
    enc_str(b, x->media_type);
}

void wire_get_blob(struct decoder *d, tl_blob *out)
{
    *out = (tl_blob){.struct_size = sizeof *out};
    out->bytes = dec_u64(d);
    out->name = dec_str(d);
    out->media_type = dec_str(d);
}

void wire_put_quota(struct buf *b, const tl_quota *q)
{
    enc_str(b, q->name);
    enc_i64(b, q->limit);
    enc_i64(b, q->remaining);
    enc_i64(b, q->resets_us);
}

void wire_get_quota(struct decoder *d, tl_quota *out)
{
    *out = (tl_quota){.struct_size = sizeof *out};
    out->name = dec_str(d);
    out->limit = dec_i64(d);
    out->remaining = dec_i64(d);
    out->resets_us = dec_i64(d);
}
