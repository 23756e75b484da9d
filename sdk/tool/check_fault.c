#include "check_fault.h"

#include <stdio.h>

#include "check.h"

enum { BIG_TEXT = 1 << 20 };

const char *fault_name(enum fault_kind k)
{
    static const char *const names[] = {"no fault",        "a request that is not sent",
                                        "a lost answer",   "a refused sign-in",
                                        "an error status", "a cut body",
                                        "a page of HTML",  "an empty body",
                                        "a garbled body",  "an http() that fails"};
    return names[k];
}

static bool counts(struct fault *f, const tl_http *r)
{
    f->requests++;
    f->written += (r->flags & TL_HTTP_WRITE) != 0;
    if (f->kind == FAULT_NONE || (f->writes && !(r->flags & TL_HTTP_WRITE)))
        return false;
    bool now = f->seen++ == f->at && !f->hit;
    f->hit = f->hit || now;
    return now;
}

static tl_status say(tl_error *error, tl_status s)
{
    error->struct_size = sizeof *error;
    snprintf(error->text, sizeof error->text, "the check lets this host service fail");
    return s;
}

/* ---- what becomes of one request */

static void answer(tl_http *r, int32_t status, str body)
{
    r->outcome = TL_OK;
    r->status = status;
    r->n_out_headers = 0;
    r->out_headers = NULL;
    r->out_body = body;
    r->server_us = 0;
}

static void without_answer(tl_http *r, tl_status outcome, const char *words)
{
    answer(r, 0, (str){"", 0});
    r->outcome = outcome;
    snprintf(r->error, sizeof r->error, "%s", words);
}

static void status_answer(struct fault *f, tl_http *r)
{
    answer(r, f->status, STR("{}"));
    if (f->status != 429 && f->status != 503)
        return;
    tl_pair *header = arena_new(&f->arena, tl_pair);
    *header = (tl_pair){STR("retry-after"), STR("7")};
    r->out_headers = header;
    r->n_out_headers = 1;
}

/* A copy of the body with one to eight changes: bytes, a cut, a number, a very long text. */
static str garble(struct fault *f, str body)
{
    AUTO(buf_done) struct buf b = {0};
    uint64_t changes = 1 + check_random(&f->random) % 8;
    buf_str(&b, body);
    for (uint64_t i = 0; i < changes && b.n; i++) {
        size_t at = check_random(&f->random) % b.n;
        static const char nasty[] = "\"\\{}[],:0-e.\x80\xff\xc3\x01 n";
        switch (check_random(&f->random) % 6) {
        case 0:
            b.p[at] = (char)check_random(&f->random);
            break;
        case 1:
            b.n = at;
            break;
        case 2: { /* a piece repeated elsewhere */
            size_t from = check_random(&f->random) % b.n, n = b.n - from < 200 ? b.n - from : 200;
            str piece = {arena_copy(&f->arena, b.p + from, n), n};
            buf_str(&b, piece);
            break;
        }
        case 3: { /* one text becomes 1 MiB long */
            char *quote = memchr(b.p + at, '"', b.n - at);
            if (quote && b.n < BIG_TEXT) {
                size_t head = (size_t)(quote + 1 - b.p);
                str tail = {arena_copy(&f->arena, b.p + head, b.n - head), b.n - head};
                b.n = head;
                memset(buf_room(&b, BIG_TEXT), 'x', BIG_TEXT);
                buf_str(&b, tail);
            }
            break;
        }
        default:
            b.p[at] = nasty[check_random(&f->random) % (sizeof nasty - 1)];
            break;
        }
    }
    return (str){arena_copy(&f->arena, b.p ? b.p : "", b.n), b.n};
}

static bool is_sent(enum fault_kind k)
{
    return k == FAULT_LOST || k == FAULT_CUT || k == FAULT_GARBLED;
}

static void spoil(struct fault *f, tl_http *r)
{
    switch (f->kind) {
    case FAULT_NOT_SENT:
        without_answer(r, TL_E_TEMPORARY, "nothing was sent");
        break;
    case FAULT_LOST:
        without_answer(r, r->flags & TL_HTTP_WRITE ? TL_E_UNKNOWN : TL_E_TEMPORARY, "the connection broke");
        break;
    case FAULT_SIGNED_OUT:
        without_answer(r, TL_E_AUTH, "sign-in was refused");
        break;
    case FAULT_STATUS:
        status_answer(f, r);
        break;
    case FAULT_CUT:
        r->out_body =
            (str){arena_copy(&f->arena, r->out_body.n ? r->out_body.p : "", r->out_body.n / 2), r->out_body.n / 2};
        break;
    case FAULT_HTML:
        answer(r, 200, STR("<!doctype html><html><body>We are down for maintenance</body></html>"));
        break;
    case FAULT_EMPTY:
        answer(r, 200, STR(""));
        break;
    case FAULT_GARBLED:
        r->out_body = garble(f, r->out_body);
        break;
    case FAULT_NONE:
    case FAULT_CALL:
        break;
    }
}

/* ---- the host's part */

static tl_status f_http(void *ctx, const struct services *inner, tl_http *requests, uint32_t n, tl_error *error)
{
    struct fault *f = ctx;
    arena_reset(&f->arena);
    uint32_t which = n;
    for (uint32_t i = 0; i < n; i++)
        if (counts(f, &requests[i]))
            which = i;
    if (which < n && f->kind == FAULT_CALL)
        return say(error, TL_E_TEMPORARY);
    if (which == n || is_sent(f->kind)) {
        tl_status s = inner->http(inner->ctx, requests, n, error);
        if (which < n && s == TL_OK)
            spoil(f, &requests[which]);
        return s;
    }
    tl_http *others = arena_array(&f->arena, tl_http, n);
    for (uint32_t i = 0, k = 0; i < n; i++)
        if (i != which)
            others[k++] = requests[i];
    tl_status s = n > 1 ? inner->http(inner->ctx, others, n - 1, error) : TL_OK;
    for (uint32_t i = 0, k = 0; i < n; i++)
        if (i != which)
            requests[i] = others[k++];
    spoil(f, &requests[which]);
    return s;
}

static int32_t f_cancelled(void *ctx)
{
    struct fault *f = ctx;
    return f->cancel_at >= 0 && f->looks++ >= f->cancel_at;
}

static int64_t f_now_us(void *ctx, int64_t real_us)
{
    const struct fault *f = ctx;
    return real_us + f->clock_us;
}

static bool f_fails(void *ctx, const char *service)
{
    struct fault *f = ctx;
    return f->service && strcmp(f->service, service) == 0 && f->service_seen++ == f->service_at;
}

void fault_reset(struct fault *f)
{
    struct tap tap = f->tap;
    arena_done(&f->arena);
    *f = (struct fault){.tap = tap, .cancel_at = -1};
}

void fault_wrap(void *fault, struct services *services)
{
    struct fault *f = fault;
    f->tap = (struct tap){.ctx = f, .http = f_http, .cancelled = f_cancelled, .now_us = f_now_us, .fails = f_fails};
    tap_wrap(&f->tap, services);
}
