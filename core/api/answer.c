/* Answers on their way out: see answer.h. */
#include "answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "route_match.h"

static struct buf text_of(json_t *json)
{
    struct buf out = {0};
    char *text = json_dumps(json, JSON_INDENT(2) | JSON_PRESERVE_ORDER | JSON_ENCODE_ANY);
    if (text)
        buf_text_add(&out, text);
    buf_char(&out, '\n');
    free(text);
    return out;
}

struct extra { /* a header of one answer */
    const char *name, *value;
};

static enum MHD_Result send_bytes(struct MHD_Connection *c, int status, const char *type, struct buf *body,
                                  struct extra extra)
{
    size_t n = body->n;
    char *bytes = buf_take(body);
    struct MHD_Response *r = MHD_create_response_from_buffer(n, bytes ? bytes : (char *)"",
                                                             bytes ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);
    MHD_add_response_header(r, "Content-Type", type);
    MHD_add_response_header(r, "Cache-Control", "no-store");
    MHD_add_response_header(r, "X-Content-Type-Options", "nosniff");
    if (extra.value)
        MHD_add_response_header(r, extra.name, extra.value);
    enum MHD_Result rc = MHD_queue_response(c, (unsigned)status, r);
    MHD_destroy_response(r);
    return rc;
}

/* Counters move with every record, and what was read when with every look; they must not make a change of settings look
 * like a conflict. */
static json_t *without_counts(const json_t *object)
{
    static const char *const moving[] = {"counts", "reading", "phase"};
    json_t *copy = json_copy((json_t *)(uintptr_t)object);
    for (size_t i = 0; i < ARRAY_LEN(moving); i++)
        json_object_del(copy, moving[i]);
    return copy;
}

uint64_t answer_version(const json_t *json)
{
    if (!json_object_get(json, "counts") && !json_object_get(json, "links"))
        return json_hash(json);
    json_t *copy = without_counts(json), *links = json_array(), *link;
    size_t i;
    json_array_foreach(json_object_get(json, "links"), i, link)
    {
        json_array_append_new(links, without_counts(link));
    }
    json_object_set_new(copy, "links", links);
    uint64_t hash = json_hash(copy);
    json_decref(copy);
    return hash;
}

enum MHD_Result answer_json(struct MHD_Connection *c, int status, json_t *json, const char *type)
{
    AUTO(buf_done) struct buf text = text_of(json);
    char etag[32];
    snprintf(etag, sizeof etag, "\"%016llx\"", (unsigned long long)answer_version(json));
    return send_bytes(c, status, type, &text, (struct extra){"ETag", status == 200 ? etag : NULL});
}

static enum MHD_Result send_problem(struct MHD_Connection *c, const struct err *e, int status, struct extra extra)
{
    json_t *json = problem_json(e, status);
    AUTO(buf_done) struct buf text = text_of(json);
    json_decref(json);
    return send_bytes(c, status, "application/problem+json", &text, extra);
}

enum MHD_Result answer_problem(struct MHD_Connection *c, const struct err *e, int status)
{
    char seconds[24];
    struct extra extra = {NULL, NULL};
    if (status == 401)
        extra = (struct extra){"WWW-Authenticate", "Bearer realm=\"tieline\""};
    snprintf(seconds, sizeof seconds, "%lld", (long long)((e->retry_after_ms + 999) / 1000));
    if (status == 429 && e->retry_after_ms)
        extra = (struct extra){"Retry-After", seconds};
    return send_problem(c, e, status, extra);
}

enum MHD_Result answer_bytes(struct MHD_Connection *c, int status, const char *type, struct buf *body)
{
    static const char policy[] = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'self'; "
                                 "frame-ancestors 'none'";
    bool is_page = strncmp(type, "text/html", 9) == 0;
    return send_bytes(c, status, type, body, (struct extra){"Content-Security-Policy", is_page ? policy : NULL});
}

enum MHD_Result answer_words(struct MHD_Connection *c, int status, const char *text)
{
    AUTO(buf_done) struct buf body = {0};
    buf_text_add(&body, text);
    return answer_bytes(c, status, "text/plain; charset=utf-8", &body);
}

enum MHD_Result answer_other_method(struct MHD_Connection *c, const struct err *e, const char *allow)
{
    return send_problem(c, e, 405, (struct extra){"Allow", allow});
}

/* ---- streams ---- */

struct open_stream {
    struct stream *stream;
    struct buf lines;
    size_t sent;
};

static ssize_t stream_read(void *cls, uint64_t pos, char *out, size_t max)
{
    (void)pos;
    struct open_stream *s = cls;
    while (s->sent == s->lines.n) {
        buf_clear(&s->lines);
        s->sent = 0;
        if (!s->stream->next(s->stream->self, &s->lines))
            return MHD_CONTENT_READER_END_OF_STREAM;
        if (s->lines.n == 0)
            buf_char(&s->lines, '\n'); /* an empty line keeps the connection honest: a dead reader is noticed */
    }
    size_t n = s->lines.n - s->sent < max ? s->lines.n - s->sent : max;
    memcpy(out, s->lines.p + s->sent, n);
    s->sent += n;
    return (ssize_t)n;
}

static void stream_close(void *cls)
{
    struct open_stream *s = cls;
    s->stream->free(s->stream->self);
    free(s->stream);
    buf_done(&s->lines);
    free(s);
}

enum MHD_Result answer_stream(struct MHD_Connection *c, struct stream *stream)
{
    struct open_stream *s = calloc(1, sizeof *s);
    ASSERT(s);
    s->stream = stream;
    struct MHD_Response *r = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 8192, stream_read, s, stream_close);
    MHD_add_response_header(r, "Content-Type", "application/x-ndjson");
    enum MHD_Result rc = MHD_queue_response(c, 200, r);
    MHD_destroy_response(r);
    return rc;
}
