/* The command line's client: see http_local.h. */
#include "http_local.h"

#include <ctype.h>
#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { ANSWER_MAX_BYTES = 64 << 20 };

struct http_local {
    CURL *curl;
    char *socket_path;
    int64_t timeout_ms;
    bool (*on_bytes)(void *ctx, str bytes);
    void *ctx;
    bool stopped;
};

struct http_local *http_local_new(const char *socket_path, int64_t timeout_ms)
{
    struct http_local *c = calloc(1, sizeof *c);
    ASSERT(c);
    c->curl = curl_easy_init();
    ASSERT(c->curl);
    c->socket_path = text_dup(socket_path);
    c->timeout_ms = timeout_ms;
    return c;
}

struct http_local *http_local_free(struct http_local *c)
{
    if (c) {
        curl_easy_cleanup(c->curl);
        c->socket_path = text_free(c->socket_path);
        free(c);
    }
    return NULL;
}

void http_local_answer_done(struct http_local_answer *a)
{
    buf_done(&a->body);
    *a = (struct http_local_answer){0};
}

static size_t take_body(char *p, size_t size, size_t n, void *ctx)
{
    struct buf *body = ctx;
    buf_add(body, p, size * n);
    return body->full ? 0 : size * n;
}

static size_t take_header(char *p, size_t size, size_t n, void *ctx)
{
    struct http_local_answer *a = ctx;
    str line = {p, size * n}, name;
    if (str_split(&line, ':', &name) && str_eq_nocase(str_trim(name), STR("etag"))) {
        str value = str_trim(line);
        if (value.n < sizeof a->etag) {
            memcpy(a->etag, value.p, value.n);
            a->etag[value.n] = 0;
        }
    }
    return size * n;
}

static int connection_error(struct http_local *c, CURLcode rc, struct err *e)
{
    if (rc == CURLE_OPERATION_TIMEDOUT)
        return err_set(e, TL_E_CANCELLED, "tielined did not answer within %lld ms", (long long)c->timeout_ms);
    int status = TL_E_TEMPORARY;
    if (access(c->socket_path, F_OK) != 0) {
        err_set(e, status, "tielined is not running: no socket \"%s\"", c->socket_path);
        err_hint(e, "start it (systemctl start tieline), or name its socket with -S");
    } else if (access(c->socket_path, W_OK) != 0) {
        status = TL_E_DENIED;
        err_set(e, status, "this user may not use the socket \"%s\"", c->socket_path);
        err_hint(e, "run the command as root, or join the group named by [api] group");
    } else {
        err_set(e, status, "tielined does not answer on \"%s\": %s", c->socket_path, curl_easy_strerror(rc));
        err_hint(e, "is it running? see its log");
    }
    return status;
}

static void set_common(struct http_local *c, const char *path, struct buf *url)
{
    buf_fmt(url, "http://localhost%s", path);
    curl_easy_reset(c->curl);
    curl_easy_setopt(c->curl, CURLOPT_URL, buf_text(url));
    curl_easy_setopt(c->curl, CURLOPT_UNIX_SOCKET_PATH, c->socket_path);
    curl_easy_setopt(c->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c->curl, CURLOPT_PROXY, "");
    curl_easy_setopt(c->curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
}

int http_local_run(struct http_local *c, const char *method, const char *path, str body, const char *if_match,
                   struct http_local_answer *out, struct err *e)
{
    AUTO(buf_done) struct buf url = {.max = 16384}, match = {.max = 256};
    set_common(c, path, &url);
    out->body.max = ANSWER_MAX_BYTES;
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    headers = curl_slist_append(headers, "Expect:");
    if (if_match) {
        buf_fmt(&match, "If-Match: %s", if_match);
        headers = curl_slist_append(headers, buf_text(&match));
    }
    curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(c->curl, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(c->curl, CURLOPT_TIMEOUT_MS, (long)c->timeout_ms);
    if (body.n || strcmp(method, "GET") != 0) {
        curl_easy_setopt(c->curl, CURLOPT_POSTFIELDS, body.n ? body.p : "");
        curl_easy_setopt(c->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.n);
    }
    curl_easy_setopt(c->curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, &out->body);
    curl_easy_setopt(c->curl, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(c->curl, CURLOPT_HEADERDATA, out);
    CURLcode rc = curl_easy_perform(c->curl);
    curl_slist_free_all(headers);
    if (rc != CURLE_OK)
        return connection_error(c, rc, e);
    curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &out->status);
    return TL_OK;
}

static size_t pass_bytes(char *p, size_t size, size_t n, void *ctx)
{
    struct http_local *c = ctx;
    if (c->on_bytes(c->ctx, (str){p, size * n}))
        return size * n;
    c->stopped = true;
    return 0;
}

int http_local_stream(struct http_local *c, const char *path, bool (*on_bytes)(void *ctx, str bytes), void *ctx,
                      struct err *e)
{
    AUTO(buf_done) struct buf url = {.max = 16384};
    set_common(c, path, &url);
    c->on_bytes = on_bytes;
    c->ctx = ctx;
    c->stopped = false;
    curl_easy_setopt(c->curl, CURLOPT_WRITEFUNCTION, pass_bytes);
    curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, c);
    CURLcode rc = curl_easy_perform(c->curl);
    return rc == CURLE_OK || c->stopped ? TL_OK : connection_error(c, rc, e);
}
