/* One request as libcurl sees it: options, callbacks, and what its end means. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "http_int.h"

enum { MAX_HEADERS = 256 };
static const uint64_t default_max_body = UINT64_C(15) << 20;
static const int64_t longest_pause_us = 3600 * US_PER_S;

/* --- callbacks, all on the http thread --- */

/* What is kept of an answer, against the room of its batch: a vendor or a connector that asks him for much must not
 * take the memory of the process. */
static bool take_room(struct transfer *t, size_t n)
{
    t->crowded = n > t->batch->room;
    if (!t->crowded)
        t->batch->room -= n;
    return !t->crowded;
}

static size_t on_body(char *p, size_t size, size_t n, void *arg)
{
    struct transfer *t = arg;
    struct http_request *r = t->request;
    n *= size;
    t->received += n;
    long status = 0;
    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    if (r->sink && status >= 200 && status < 300) {
        t->sink_rc = r->sink(r->sink_ctx, p, n);
        return t->sink_rc ? 0 : n;
    }
    if (!take_room(t, n))
        return 0;
    buf_add(&r->answer, p, n);
    t->too_large = r->answer.full;
    return t->too_large ? 0 : n;
}

/* False: there is no room for it. */
static bool add_header(struct transfer *t, str line)
{
    struct http_request *r = t->request;
    const char *colon = memchr(line.p, ':', line.n);
    if (!colon || r->n_out_headers == MAX_HEADERS)
        return true;
    if (!take_room(t, line.n))
        return false;
    str name = str_trim(str_n(line.p, (size_t)(colon - line.p)));
    str value = str_trim(str_n(colon + 1, (size_t)(line.p + line.n - colon - 1)));
    char *low = arena_copy(&r->arena, name.p, name.n);
    for (size_t i = 0; i < name.n; i++)
        low[i] = low[i] >= 'A' && low[i] <= 'Z' ? (char)(low[i] + 32) : low[i];
    if (strcmp(low, "set-cookie") == 0)
        return true;
    if (r->n_out_headers == t->header_cap) {
        uint32_t cap = t->header_cap ? t->header_cap * 2 : 16;
        tl_pair *grown = arena_array(&r->arena, tl_pair, cap);
        if (r->n_out_headers)
            memcpy(grown, r->out_headers, r->n_out_headers * sizeof *grown);
        r->out_headers = grown;
        t->header_cap = cap;
    }
    r->out_headers[r->n_out_headers++] = (tl_pair){str_n(low, name.n), arena_str(&r->arena, value)};
    return true;
}

static size_t on_header(char *p, size_t size, size_t n, void *arg)
{
    struct transfer *t = arg;
    n *= size;
    str line = str_n(p, n);
    if (str_starts(line, STR("HTTP/"))) {
        t->request->n_out_headers = 0; /* an interim answer came before */
        return n;
    }
    return add_header(t, line) ? n : 0;
}

static size_t on_read(char *p, size_t size, size_t n, void *arg)
{
    struct transfer *t = arg;
    struct http_request *r = t->request;
    size_t got = 0;
    t->sink_rc = r->source(r->source_ctx, t->source_at, p, size * n, &got);
    if (t->sink_rc)
        return CURL_READFUNC_ABORT;
    t->source_at += got;
    return got;
}

static int on_seek(void *arg, curl_off_t offset, int origin)
{
    struct transfer *t = arg;
    if (origin != SEEK_SET || offset < 0)
        return CURL_SEEKFUNC_FAIL;
    t->source_at = (uint64_t)offset;
    return CURL_SEEKFUNC_OK;
}

static bool address_fits(const struct transfer *t, const struct sockaddr *sa)
{
    if (!t->check_address || t->target == HTTP_TARGET_OPERATOR)
        return true;
    return t->target == HTTP_TARGET_LOOPBACK ? address_is_loopback(sa) : !address_is_inner(sa);
}

static curl_socket_t on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct transfer *t = arg;
    (void)purpose;
    if (!address_fits(t, &address->addr)) {
        t->address_refused = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* Runs when a request is about to be written to a connection, new or pooled. The address is checked again because a
 * pooled connection may have been opened for somebody who may reach more. libcurl writes a request again when a pooled
 * connection turns out to be dead; for a write that is not ours to repeat: the first copy may have been applied. */
static int on_prereq(void *arg, char *ip, char *local_ip, int port, int local_port)
{
    struct transfer *t = arg;
    (void)local_ip;
    (void)port;
    (void)local_port;
    struct sockaddr_storage sa;
    if (!address_from_text(ip, &sa) || !address_fits(t, (const struct sockaddr *)(const void *)&sa)) {
        if (t->check_address && t->target != HTTP_TARGET_OPERATOR) {
            t->address_refused = true;
            return CURL_PREREQFUNC_ABORT;
        }
    }
    if (t->request->write && t->prereqs > 0)
        return CURL_PREREQFUNC_ABORT;
    t->prereqs++;
    return CURL_PREREQFUNC_OK;
}

/* --- set-up --- */

static bool header_ok(const tl_pair *h)
{
    static const char *const ours[] = {
        "host", "content-length", "transfer-encoding", "connection", "expect", "proxy-authorization", "te", "upgrade"};
    for (size_t i = 0; i < ARRAY_LEN(ours); i++) {
        if (str_eq_nocase(h->name, str_of(ours[i])))
            return false;
    }
    for (size_t i = 0; i < h->name.n; i++) {
        unsigned char c = (unsigned char)h->name.p[i];
        if (c <= ' ' || c >= 0x7f || c == ':')
            return false;
    }
    for (size_t i = 0; i < h->value.n; i++) {
        unsigned char c = (unsigned char)h->value.p[i];
        if ((c < ' ' && c != '\t') || c == 0x7f)
            return false;
    }
    return h->name.n > 0 && h->name.n < 128;
}

static void slist_add(struct curl_slist **list, const char *line)
{
    struct curl_slist *grown = curl_slist_append(*list, line);
    ASSERT(grown);
    *list = grown;
}

static int set_headers(struct transfer *t, struct err *e)
{
    struct http_request *r = t->request;
    bool typed = false;
    for (uint32_t i = 0; i < r->n_headers; i++) {
        const tl_pair *h = &r->headers[i];
        if (!header_ok(h))
            return err_set(e, TL_E_CONFIG, "request header \"%.*s\" cannot be sent", STR_FMT(h->name));
        typed = typed || str_eq_nocase(h->name, STR("content-type"));
        /* "name;" is how libcurl spells a header without a value */
        AUTO(text_free)
        char *line = h->value.n ? text_fmt("%.*s: %.*s", STR_FMT(h->name), STR_FMT(h->value))
                                : text_fmt("%.*s;", STR_FMT(h->name));
        slist_add(&t->headers, line);
        explicit_bzero(line, strlen(line));
    }
    if (!typed)
        slist_add(&t->headers, "Content-Type:"); /* libcurl would claim a form */
    slist_add(&t->headers, "Expect:");           /* no round trip before a body */
    curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->headers);
    return TL_OK;
}

static int set_method(struct transfer *t, struct err *e)
{
    static const char *const known[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"};
    struct http_request *r = t->request;
    bool found = false;
    for (size_t i = 0; i < ARRAY_LEN(known) && r->method; i++)
        found = found || strcmp(known[i], r->method) == 0;
    if (!found)
        return err_set(e, TL_E_CONFIG, "request method \"%.20s\" is not known", r->method ? r->method : "");
    CURL *h = t->easy;
    bool bodied = strcmp(r->method, "GET") != 0 && strcmp(r->method, "HEAD") != 0 && strcmp(r->method, "DELETE") != 0;
    if (r->source) {
        curl_easy_setopt(h, CURLOPT_POST, 1L);
        curl_easy_setopt(h, CURLOPT_READFUNCTION, on_read);
        curl_easy_setopt(h, CURLOPT_READDATA, t);
        curl_easy_setopt(h, CURLOPT_SEEKFUNCTION, on_seek);
        curl_easy_setopt(h, CURLOPT_SEEKDATA, t);
        curl_easy_setopt(h, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->source_size);
    } else if (r->body.n || bodied) {
        curl_easy_setopt(h, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.n);
        curl_easy_setopt(h, CURLOPT_POSTFIELDS, r->body.n ? r->body.p : "");
    } else if (strcmp(r->method, "HEAD") == 0) {
        curl_easy_setopt(h, CURLOPT_NOBODY, 1L);
    }
    curl_easy_setopt(h, CURLOPT_CUSTOMREQUEST, r->method);
    return TL_OK;
}

/* Is the host reached without the proxy? An entry covers the host itself and what is below it. */
static bool bypasses_proxy(const struct http_config *config, const char *host)
{
    str list = str_of(config->no_proxy), word, name = str_of(host);
    while (str_split(&list, ',', &word)) {
        word = str_trim(word);
        if (word.n && word.p[0] == '.')
            word = str_n(word.p + 1, word.n - 1);
        if (!word.n)
            continue;
        if (str_eq_nocase(name, word) || str_is(word, "*"))
            return true;
        if (name.n > word.n && name.p[name.n - word.n - 1] == '.' &&
            str_eq_nocase(str_n(name.p + name.n - word.n, word.n), word))
            return true;
    }
    return false;
}

static void set_network(struct transfer *t, const struct http_config *config)
{
    CURL *h = t->easy;
    bool proxied =
        config->proxy && *config->proxy && t->target != HTTP_TARGET_LOOPBACK && !bypasses_proxy(config, t->place.host);
    t->check_address = !proxied;
    curl_easy_setopt(h, CURLOPT_PROXY, proxied ? config->proxy : ""); /* "": not the environment's either */
    curl_easy_setopt(h, CURLOPT_NOPROXY, "");
    curl_easy_setopt(h, CURLOPT_OPENSOCKETFUNCTION, on_open);
    curl_easy_setopt(h, CURLOPT_OPENSOCKETDATA, t);
    curl_easy_setopt(h, CURLOPT_PREREQFUNCTION, on_prereq);
    curl_easy_setopt(h, CURLOPT_PREREQDATA, t);
    if (config->ca_file && *config->ca_file)
        curl_easy_setopt(h, CURLOPT_CAINFO, config->ca_file);
    int64_t connect_us = config->connect_timeout_us ? config->connect_timeout_us : 10 * US_PER_S;
    curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT_MS, (long)(connect_us / US_PER_MS));
    curl_easy_setopt(h, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(h, CURLOPT_FOLLOWLOCATION, 0L);
    /* h2c of this libcurl cannot reuse connections: HTTP/1.1 in clear, HTTP/2 over TLS */
    curl_easy_setopt(h, CURLOPT_HTTP_VERSION,
                     t->place.https ? (long)CURL_HTTP_VERSION_2TLS : (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(h, CURLOPT_PIPEWAIT, t->place.https ? 1L : 0L);
    curl_easy_setopt(h, CURLOPT_MAXAGE_CONN, 25L); /* idle connections older than this are likely half dead */
    curl_easy_setopt(h, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
}

int transfer_prepare(struct transfer *t, const struct http_config *config, const char *agent, int64_t now_us,
                     struct err *e)
{
    struct http_request *r = t->request;
    CURL *h = t->easy;
    curl_easy_reset(h);
    t->url = str_dup(r->url);
    curl_easy_setopt(h, CURLOPT_PRIVATE, t);
    curl_easy_setopt(h, CURLOPT_ERRORBUFFER, t->curl_error);
    curl_easy_setopt(h, CURLOPT_URL, t->url);
    curl_easy_setopt(h, CURLOPT_USERAGENT, agent);
    curl_easy_setopt(h, CURLOPT_ACCEPT_ENCODING, "gzip");
    curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(h, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(h, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(h, CURLOPT_HEADERDATA, t);
    int64_t left_ms = (t->deadline_us - now_us) / US_PER_MS;
    curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, (long)(left_ms > 0 ? left_ms : 1));
    uint64_t max = r->max_body ? r->max_body : config->max_body ? config->max_body : default_max_body;
    r->answer.max = (size_t)max;
    set_network(t, config);
    int rc = set_method(t, e);
    return rc ? rc : set_headers(t, e);
}

void transfer_release(struct transfer *t)
{
    for (struct curl_slist *h = t->headers; h; h = h->next)
        explicit_bzero(h->data, strlen(h->data)); /* the authorisation is among them */
    curl_slist_free_all(t->headers);
    t->headers = NULL;
    t->url = text_free(t->url);
}

/* --- the end --- */

bool transfer_was_sent(const struct transfer *t)
{
    long written = 0;
    if (t->prereqs && t->easy)
        curl_easy_getinfo(t->easy, CURLINFO_REQUEST_SIZE, &written);
    return t->prereqs > 1 || written > 0;
}

void transfer_fail(struct transfer *t, tl_status outcome, const char *text)
{
    t->request->outcome = outcome;
    snprintf(t->request->error, sizeof t->request->error, "%s", text);
}

static void take_answer(struct transfer *t)
{
    struct http_request *r = t->request;
    long status = 0;
    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    r->status = (int32_t)status;
    str date = http_answer_header(r, "date");
    int64_t us = 0;
    r->server_us = date.n && http_date_parse(date, &us) ? us : 0;
}

/* Half an answer is of no use, and its room is for others. */
static void drop_answer(struct transfer *t)
{
    t->batch->room += t->request->answer.n;
    buf_done(&t->request->answer);
    t->request->answer = (struct buf){0};
}

static void cut_outcome(struct transfer *t, const char *text)
{
    bool sent = transfer_was_sent(t);
    char line[128];
    snprintf(line, sizeof line, "%s (%s)", text, sent ? "sent, no whole answer" : "nothing was sent");
    transfer_fail(t, sent && t->request->write ? TL_E_UNKNOWN : TL_E_TEMPORARY, line);
}

void transfer_outcome(struct transfer *t, CURLcode rc)
{
    struct http_request *r = t->request;
    take_answer(t);
    if (rc == CURLE_OK && r->status > 0) {
        r->outcome = TL_OK;
        return;
    }
    char text[96];
    if (t->address_refused && t->prereqs == 0 && (rc == CURLE_COULDNT_CONNECT || rc == CURLE_ABORTED_BY_CALLBACK)) {
        snprintf(text, sizeof text, "\"%.60s\" leads to an inner address", t->place.host);
        transfer_fail(t, TL_E_DENIED, text);
    } else if (rc == CURLE_SSL_CACERT_BADFILE) {
        transfer_fail(t, TL_E_CONFIG, "the CA file cannot be used");
    } else if (t->too_large) {
        snprintf(text, sizeof text, "answer is larger than %zu bytes: take it into a blob", r->answer.max);
        cut_outcome(t, text);
        drop_answer(t);
    } else if (t->crowded) {
        cut_outcome(t, "the answers together take too much memory: ask for fewer at once");
        drop_answer(t);
    } else if (t->sink_rc) {
        cut_outcome(t, "the byte stream of the body failed");
    } else if (rc == CURLE_OPERATION_TIMEDOUT) {
        cut_outcome(t, "deadline passed");
    } else {
        snprintf(text, sizeof text, "%.90s", t->curl_error[0] ? t->curl_error : curl_easy_strerror(rc));
        cut_outcome(t, text);
    }
}

int64_t transfer_pause_us(const struct transfer *t, int64_t wall_us)
{
    const struct http_request *r = t->request;
    if (r->outcome != TL_OK || (r->status != 429 && r->status != 503))
        return 0;
    str after = http_answer_header(r, "retry-after");
    int64_t seconds = 0, at = 0, us = 0;
    if (str_to_i64(after, &seconds) && seconds > 0 && seconds < 1000000)
        us = seconds * US_PER_S;
    else if (after.n && http_date_parse(after, &at))
        us = at - (r->server_us ? r->server_us : wall_us);
    return us < 0 ? 0 : us > longest_pause_us ? longest_pause_us : us;
}

str http_answer_header(const struct http_request *r, const char *name)
{
    for (uint32_t i = 0; i < r->n_out_headers; i++) {
        if (str_is(r->out_headers[i].name, name))
            return r->out_headers[i].value;
    }
    return (str){NULL, 0};
}

void http_request_done(struct http_request *r)
{
    buf_done(&r->answer);
    arena_done(&r->arena);
    r->answer = (struct buf){0};
    r->arena = (struct arena){0};
    r->out_headers = NULL;
    r->n_out_headers = 0;
    r->outcome = TL_OK;
    r->status = 0;
    r->server_us = r->took_us = 0;
    r->error[0] = '\0';
}
