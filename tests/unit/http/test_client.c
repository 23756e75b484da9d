/* The outbound client against a scripted loopback server: what each kind of end means, limits, pacing, cancelling. */
#include "unit/unit.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "env.h"
#include "http_client.h"
#include "times.h"
#include "unit/loop_server.h"

/* gzip of {"ok":true} */
static const unsigned char gz_small[] = {
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xab, 0x56, 0xca, 0xcf, 0x56, 0xb2,
    0x2a, 0x29, 0x2a, 0x4d, 0xad, 0x05, 0x00, 0x90, 0x5f, 0xd4, 0xa7, 0x0b, 0x00, 0x00, 0x00,
};
/* gzip of 100,000 zero bytes */
static const unsigned char gz_bomb[] = {
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xed, 0xc1, 0x31, 0x01, 0x00, 0x00, 0x00, 0xc2, 0xa0,
    0xf5, 0x4f, 0x6d, 0x0d, 0x0f, 0xa0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x80, 0x57, 0x03, 0x7d, 0x95, 0x11, 0xd4, 0xa0, 0x86, 0x01, 0x00,
};

struct bench {
    struct loop_server *server;
    struct http_client *client;
    struct http_allow *allow;
    _Atomic int posts, running, most, tunnels;
};

static void set_body(struct loop_reply *a, const void *p, size_t n)
{
    a->body = p;
    a->body_n = n;
}

static void echo(const struct loop_request *r, struct loop_reply *a)
{
    static _Thread_local char text[20480];
    char agent[128], cookie[64], type[128], host[128];
    loop_header(r, "User-Agent", agent, sizeof agent);
    loop_header(r, "Cookie", cookie, sizeof cookie);
    loop_header(r, "Content-Type", type, sizeof type);
    loop_header(r, "X-Test", host, sizeof host);
    snprintf(text, sizeof text, "%s %s [%s] agent=%s cookie=%s type=%s test=%s", r->method, r->target, r->body, agent,
             cookie, type, host);
    a->body = text;
    snprintf(a->headers, sizeof a->headers,
             "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nSet-Cookie: a=b\r\nX-MiXed: Value \r\n");
}

/* The path says what shall happen. */
static void handler(void *ctx, const struct loop_request *r, struct loop_reply *a)
{
    struct bench *b = ctx;
    const char *p = r->target;
    if (strcmp(r->method, "POST") == 0)
        atomic_fetch_add(&b->posts, 1);
    if (strcmp(r->method, "CONNECT") == 0) {
        atomic_fetch_add(&b->tunnels, 1);
        a->status = 502;
    } else if (strncmp(p, "/echo", 5) == 0)
        echo(r, a);
    else if (strcmp(p, "/gzip") == 0 || strcmp(p, "/bomb") == 0) {
        snprintf(a->headers, sizeof a->headers, "Content-Encoding: gzip\r\n");
        if (p[1] == 'g')
            set_body(a, gz_small, sizeof gz_small);
        else
            set_body(a, gz_bomb, sizeof gz_bomb);
    } else if (strcmp(p, "/cut") == 0) {
        a->body = "{\"half\":\"of a body\"}";
        a->cut = 8;
    } else if (strcmp(p, "/lost") == 0)
        a->status = 0;
    else if (strcmp(p, "/lost-on-reuse") == 0)
        a->status = r->on_connection > 1 ? 0 : 200;
    else if (strcmp(p, "/hold") == 0)
        a->hold = true;
    else if (strcmp(p, "/redirect") == 0) {
        a->status = 302;
        snprintf(a->headers, sizeof a->headers, "Location: /echo\r\n");
    } else if (strcmp(p, "/throttle") == 0) {
        a->status = 429;
        snprintf(a->headers, sizeof a->headers, "Retry-After: 30\r\n");
    } else if (strcmp(p, "/count") == 0) {
        int now = atomic_fetch_add(&b->running, 1) + 1;
        for (int most = atomic_load(&b->most); now > most && !atomic_compare_exchange_weak(&b->most, &most, now);)
            ;
        sched_yield();
        atomic_fetch_sub(&b->running, 1);
    } else
        a->status = 404;
}

static int setup(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    struct err e = {0};
    b->server = loop_start(handler, b);
    b->allow = http_allow_new(true);
    char *url = loop_url(b->server, "/");
    assert_int_equal(http_allow_url(b->allow, str_of(url), &e), TL_OK);
    free(url);
    struct http_config config = {.timeout_us = 20 * US_PER_S};
    assert_int_equal(http_client_new(&b->client, &config, &env_real, &e), TL_OK);
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct bench *b = *state;
    loop_release(b->server);
    http_client_free(b->client);
    loop_stop(b->server);
    http_allow_free(b->allow);
    free(b);
    return 0;
}

static struct http_request ask(struct bench *b, const char *method, const char *path)
{
    return (struct http_request){.method = method,
                                 .url = str_of(loop_url(b->server, path)),
                                 .write = strcmp(method, "GET") != 0,
                                 .allow = b->allow};
}

static void run(struct bench *b, struct http_request *r)
{
    struct err e = {0};
    struct http_request *const list[] = {r};
    assert_int_equal(http_client_run(b->client, list, 1, NULL, &e), TL_OK);
}

static void drop(struct http_request *r)
{
    free((char *)(uintptr_t)r->url.p);
    http_request_done(r);
}

static void test_answer(void **state)
{
    struct bench *b = *state;
    for (int i = 0; i < 2; i++) { /* the second proves that no cookie is kept */
        struct http_request r = ask(b, "PATCH", "/echo?q=a%27b");
        const tl_pair headers[] = {{TL_STR("X-Test"), TL_STR("yes")}};
        r.headers = headers;
        r.n_headers = 1;
        r.body = STR("{}");
        run(b, &r);
        assert_int_equal(r.outcome, TL_OK);
        assert_int_equal(r.status, 200);
        assert_buf(r.answer, "PATCH /echo?q=a%27b [{}] agent=tieline/" TIELINE_VERSION " cookie= type= test=yes");
        assert_int_equal(r.server_us, INT64_C(784111777) * US_PER_S);
        assert_str(http_answer_header(&r, "x-mixed"), "Value");
        assert_int_equal(http_answer_header(&r, "set-cookie").n, 0);
        assert_true(r.took_us > 0);
        drop(&r);
    }
    assert_int_equal(loop_connections(b->server), 1); /* pooled */
}

static void test_status_is_no_failure(void **state)
{
    struct bench *b = *state;
    struct http_request r = ask(b, "POST", "/nowhere");
    run(b, &r);
    assert_int_equal(r.outcome, TL_OK);
    assert_int_equal(r.status, 404);
    drop(&r);
    r = ask(b, "GET", "/redirect");
    run(b, &r);
    assert_int_equal(r.status, 302);
    assert_str(http_answer_header(&r, "location"), "/echo");
    drop(&r);
    assert_int_equal(loop_requests(b->server), 2); /* not followed */
}

static void test_refused_connection_sent_nothing(void **state)
{
    struct bench *b = *state;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0); /* bound, never listening: refuses */
    struct sockaddr_storage sa;
    assert_true(address_from_text("127.0.0.1", &sa));
    socklen_t n = sizeof(struct sockaddr_storage);
    assert_int_equal(bind(fd, (struct sockaddr *)(void *)&sa, 16), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)(void *)&sa, &n), 0);
    const uint8_t *raw = (const uint8_t *)&sa;
    AUTO(text_free) char *url = text_fmt("http://127.0.0.1:%d/", raw[2] << 8 | raw[3]);
    struct err e = {0};
    assert_int_equal(http_allow_url(b->allow, str_of(url), &e), TL_OK);
    struct http_request r = {.method = "POST", .url = str_of(url), .write = true, .allow = b->allow};
    run(b, &r);
    assert_int_equal(r.outcome, TL_E_TEMPORARY);
    assert_non_null(strstr(r.error, "nothing was sent"));
    http_request_done(&r);
    close(fd);
}

static void expect_cut(struct bench *b, const char *path)
{
    struct http_request r = ask(b, "POST", path);
    run(b, &r);
    assert_int_equal(r.outcome, TL_E_UNKNOWN);
    assert_non_null(strstr(r.error, "no whole answer"));
    drop(&r);
    r = ask(b, "GET", path);
    run(b, &r);
    assert_int_equal(r.outcome, TL_E_TEMPORARY);
    drop(&r);
}

static void test_cut_body(void **state)
{
    expect_cut(*state, "/cut");
}

static void test_lost_answer(void **state)
{
    struct bench *b = *state;
    expect_cut(b, "/lost");
    assert_int_equal(b->posts, 1);
}

/* libcurl repeats a request by itself when a pooled connection dies without a byte of answer. For a write that would be
 * a second record. */
static void test_write_is_never_sent_twice(void **state)
{
    struct bench *b = *state;
    struct http_request r = ask(b, "GET", "/echo");
    run(b, &r);
    drop(&r);
    r = ask(b, "POST", "/lost-on-reuse");
    run(b, &r);
    assert_int_equal(r.outcome, TL_E_UNKNOWN);
    assert_int_equal(b->posts, 1);
    drop(&r);
    r = ask(b, "GET", "/echo");
    run(b, &r);
    drop(&r);
    r = ask(b, "GET", "/lost-on-reuse"); /* a read may be repeated, on a fresh connection */
    run(b, &r);
    assert_int_equal(r.outcome, TL_OK);
    drop(&r);
}

static void test_deadline(void **state)
{
    struct bench *b = *state;
    struct http_request r = ask(b, "POST", "/hold"), g = ask(b, "GET", "/hold");
    r.timeout_us = g.timeout_us = 50 * US_PER_MS;
    struct http_request *const list[] = {&r, &g};
    struct err e = {0};
    assert_int_equal(http_client_run(b->client, list, 2, NULL, &e), TL_OK);
    assert_int_equal(r.outcome, TL_E_UNKNOWN);
    assert_int_equal(g.outcome, TL_E_TEMPORARY);
    assert_non_null(strstr(r.error, "deadline"));
    drop(&r);
    drop(&g);
}

static void test_gzip_and_size(void **state)
{
    struct bench *b = *state;
    struct http_request r = ask(b, "GET", "/gzip");
    run(b, &r);
    assert_buf(r.answer, "{\"ok\":true}");
    drop(&r);
    r = ask(b, "GET", "/bomb");
    r.max_body = 64 * 1024;
    run(b, &r);
    assert_int_equal(r.outcome, TL_E_TEMPORARY);
    assert_non_null(strstr(r.error, "larger than"));
    drop(&r);
}

/* Many answers that are each small enough: what is kept of one run has a bound of its own, heads included. */
static void test_answers_together(void **state)
{
    struct bench *b = *state;
    struct err e = {0};
    static const uint64_t rooms[] = {10, 250000}; /* not even heads; two of three bodies of 100,000 bytes */
    for (size_t i = 0; i < ARRAY_LEN(rooms); i++) {
        struct http_config config = {.timeout_us = 20 * US_PER_S, .max_answers = rooms[i]};
        AUTO(http_client_free) struct http_client *client = NULL;
        assert_int_equal(http_client_new(&client, &config, &env_real, &e), TL_OK);
        struct http_request r[3];
        struct http_request *list[3];
        for (size_t k = 0; k < 3; k++) {
            r[k] = ask(b, k ? "GET" : "POST", "/bomb");
            list[k] = &r[k];
        }
        assert_int_equal(http_client_run(client, list, 3, NULL, &e), TL_OK);
        size_t whole = 0, kept = 0;
        for (size_t k = 0; k < 3; k++) {
            whole += r[k].outcome == TL_OK;
            kept += r[k].answer.n;
            if (r[k].outcome != TL_OK) {
                assert_int_equal(r[k].outcome, k ? TL_E_TEMPORARY : TL_E_UNKNOWN);
                assert_non_null(strstr(r[k].error, "the answers together take too much memory"));
            }
            drop(&r[k]);
        }
        assert_int_equal(whole, i ? 2 : 0);
        assert_true(kept <= rooms[i]);
    }
}

static void test_not_allowed(void **state)
{
    struct bench *b = *state;
    struct http_request r = ask(b, "GET", "/echo");
    r.allow = NULL;
    run(b, &r);
    assert_int_equal(r.outcome, TL_E_DENIED);
    drop(&r);
    assert_int_equal(loop_requests(b->server), 0);
    const tl_pair bad[] = {{TL_STR("Host"), TL_STR("evil")}};
    r = ask(b, "GET", "/echo");
    r.headers = bad;
    r.n_headers = 1;
    run(b, &r);
    assert_int_equal(r.outcome, TL_E_CONFIG);
    drop(&r);
    const tl_pair split[] = {{TL_STR("X-A"), TL_STR("a\r\nX-B: b")}};
    r = ask(b, "GET", "/echo");
    r.headers = split;
    r.n_headers = 1;
    run(b, &r);
    assert_int_equal(r.outcome, TL_E_CONFIG);
    drop(&r);
    r = ask(b, "BREW", "/echo");
    run(b, &r);
    assert_int_equal(r.outcome, TL_E_CONFIG);
    drop(&r);
    assert_int_equal(loop_requests(b->server), 0);
}

/* A declared name that resolves to an inner address (DNS rebinding) is refused when the socket would be opened. */
static void test_inner_address_refused_at_connect(void **state)
{
    struct bench *b = *state;
    struct err e = {0};
    AUTO(http_allow_free) struct http_allow *a = http_allow_new(false);
    assert_int_equal(http_allow_hosts(a, STR("vendor.localhost"), &e), TL_OK); /* resolves to loopback everywhere */
    struct http_request r = {.method = "GET", .url = STR("https://vendor.localhost/"), .allow = a};
    run(b, &r);
    assert_int_equal(r.outcome, TL_E_DENIED);
    assert_non_null(strstr(r.error, "inner address"));
    http_request_done(&r);
}

/* The proxy is asked for a tunnel by name; what no_proxy names goes straight. */
static void test_proxy(void **state)
{
    struct bench *b = *state;
    struct err e = {0};
    char *proxy = loop_url(b->server, "");
    struct http_config config = {.proxy = proxy, .no_proxy = "direct.localhost, .other.example"};
    struct http_client *through = NULL;
    assert_int_equal(http_client_new(&through, &config, &env_real, &e), TL_OK);
    assert_int_equal(http_allow_hosts(b->allow, STR("far.vendor.example,direct.localhost"), &e), TL_OK);
    struct http_request r = {
        .method = "POST", .url = STR("https://far.vendor.example/"), .write = true, .allow = b->allow};
    struct http_request *const list[] = {&r};
    assert_int_equal(http_client_run(through, list, 1, NULL, &e), TL_OK);
    assert_int_equal(r.outcome, TL_E_TEMPORARY); /* the tunnel was refused: nothing of the request went out */
    assert_int_equal(b->tunnels, 1);
    assert_int_equal(b->posts, 0);
    r.url = STR("https://direct.localhost/");
    assert_int_equal(http_client_run(through, list, 1, NULL, &e), TL_OK);
    assert_int_equal(r.outcome, TL_E_DENIED);
    assert_int_equal(b->tunnels, 1);
    http_request_done(&r);
    r = ask(b, "GET", "/echo"); /* a loopback twin is never asked for through a proxy */
    struct http_request *const twin[] = {&r};
    assert_int_equal(http_client_run(through, twin, 1, NULL, &e), TL_OK);
    assert_int_equal(r.status, 200);
    drop(&r);
    http_client_free(through);
    free(proxy);
}

static void test_many_at_once(void **state)
{
    enum { N = 64 };
    struct bench *b = *state;
    struct http_request all[N], *list[N];
    for (int i = 0; i < N; i++) {
        char path[32];
        snprintf(path, sizeof path, "/echo/%d", i);
        all[i] = ask(b, "GET", path);
        list[i] = &all[i];
    }
    struct err e = {0};
    assert_int_equal(http_client_run(b->client, list, N, NULL, &e), TL_OK);
    for (int i = 0; i < N; i++) {
        char start[32];
        int n = snprintf(start, sizeof start, "GET /echo/%d [", i);
        assert_int_equal(all[i].outcome, TL_OK);
        assert_memory_equal(all[i].answer.p, start, (size_t)n);
        drop(&all[i]);
    }
    assert_true(loop_connections(b->server) <= 8);
}

static void test_gate_limits_and_pauses(void **state)
{
    enum { N = 40 };
    struct bench *b = *state;
    AUTO(http_gate_free) struct http_gate *g = http_gate_new(3); /* one of them for urgent requests */
    struct http_request all[N], *list[N];
    for (int i = 0; i < N; i++) {
        all[i] = ask(b, "GET", "/count");
        all[i].gate = g;
        list[i] = &all[i];
    }
    struct err e = {0};
    assert_int_equal(http_client_run(b->client, list, N, NULL, &e), TL_OK);
    for (int i = 0; i < N; i++) {
        assert_int_equal(all[i].outcome, TL_OK);
        drop(&all[i]);
    }
    assert_in_range(b->most, 1, 2);
    assert_int_equal(http_gate_in_flight(g), 0);

    struct http_request r = ask(b, "GET", "/throttle");
    r.gate = g;
    run(b, &r);
    assert_int_equal(r.status, 429);
    drop(&r);
    int64_t left = http_gate_paused_until(g) - http_client_mono_us(b->client);
    assert_in_range(left, 25 * US_PER_S, 30 * US_PER_S);
    int before = loop_requests(b->server);
    r = ask(b, "POST", "/echo");
    r.gate = g; /* its deadline of 20 s ends before the pause */
    run(b, &r);
    assert_int_equal(r.outcome, TL_E_TEMPORARY);
    assert_non_null(strstr(r.error, "pause"));
    drop(&r);
    assert_int_equal(loop_requests(b->server), before);
    http_gate_pause(g, 0);
    r = ask(b, "POST", "/echo");
    r.gate = g;
    run(b, &r);
    assert_int_equal(r.outcome, TL_OK);
    drop(&r);
}

struct waiter {
    struct bench *b;
    struct http_request read, write, queued;
    struct http_gate *gate;
    int32_t cancel;
    int rc;
};

static void *wait_thread(void *arg)
{
    struct waiter *w = arg;
    struct http_request *const list[] = {&w->write, &w->read, &w->queued};
    struct err e = {0};
    w->rc = http_client_run(w->b->client, list, 3, &w->cancel, &e);
    return NULL;
}

/* Cancelling cuts reads and what waits, never a write under way. */
static void test_cancel(void **state)
{
    struct bench *b = *state;
    AUTO(http_gate_free) struct http_gate *g = http_gate_new(3); /* one of them for urgent requests */
    struct waiter w = {.b = b, .gate = g};
    w.write = ask(b, "POST", "/hold");
    w.read = ask(b, "GET", "/hold");
    w.queued = ask(b, "POST", "/echo");
    w.write.gate = w.read.gate = w.queued.gate = g;
    pthread_t t;
    assert_int_equal(pthread_create(&t, NULL, wait_thread, &w), 0);
    while (loop_requests(b->server) < 2)
        sched_yield();
    __atomic_store_n(&w.cancel, 1, __ATOMIC_RELAXED);
    http_client_wake(b->client);
    while (http_gate_in_flight(g) > 1)
        sched_yield();
    loop_release(b->server);
    pthread_join(t, NULL);
    assert_int_equal(w.rc, TL_E_CANCELLED);
    assert_int_equal(w.write.outcome, TL_OK);
    assert_int_equal(w.read.outcome, TL_E_CANCELLED);
    assert_int_equal(w.queued.outcome, TL_E_CANCELLED);
    assert_int_equal(b->posts, 1);
    drop(&w.write);
    drop(&w.read);
    drop(&w.queued);
}

/* Whatever a sweep has under way, who waits for an answer gets through. */
static void test_the_share_of_the_urgent(void **state)
{
    struct bench *b = *state;
    AUTO(http_gate_free) struct http_gate *g = http_gate_new(4);
    struct waiter w = {.b = b, .gate = g};
    w.write = ask(b, "POST", "/hold");
    w.read = ask(b, "GET", "/hold");
    w.queued = ask(b, "GET", "/hold");
    w.write.gate = w.read.gate = w.queued.gate = g;
    pthread_t t;
    assert_int_equal(pthread_create(&t, NULL, wait_thread, &w), 0);
    while (loop_requests(b->server) < 3)
        sched_yield();
    struct http_request other = ask(b, "GET", "/echo"), urgent = ask(b, "GET", "/echo");
    other.gate = urgent.gate = g;
    other.timeout_us = 50 * US_PER_MS;
    run(b, &other);
    assert_int_equal(other.outcome, TL_E_TEMPORARY);
    assert_non_null(strstr(other.error, "waiting for its turn (nothing was sent)"));
    urgent.urgent = true;
    run(b, &urgent);
    assert_int_equal(urgent.outcome, TL_OK);
    assert_int_equal(loop_requests(b->server), 4);
    loop_release(b->server);
    pthread_join(t, NULL);
    assert_int_equal(w.queued.outcome, TL_OK);
    drop(&other);
    drop(&urgent);
    drop(&w.write);
    drop(&w.read);
    drop(&w.queued);
}

/* A process that must end cuts writes as well: their outcome is unknown, and nothing is sent any more. */
static void test_cut(void **state)
{
    struct bench *b = *state;
    struct waiter w = {.b = b};
    w.write = ask(b, "POST", "/hold");
    w.read = ask(b, "GET", "/hold");
    w.queued = ask(b, "GET", "/hold");
    pthread_t t;
    assert_int_equal(pthread_create(&t, NULL, wait_thread, &w), 0);
    while (loop_requests(b->server) < 3)
        sched_yield();
    http_client_cut(b->client);
    pthread_join(t, NULL);
    assert_int_equal(w.write.outcome, TL_E_UNKNOWN);
    assert_int_equal(w.read.outcome, TL_E_CANCELLED);
    struct http_request later = ask(b, "POST", "/echo");
    struct http_request *const list[] = {&later};
    struct err e = {0};
    assert_int_equal(http_client_run(b->client, list, 1, NULL, &e), TL_E_CANCELLED);
    assert_int_equal(later.outcome, TL_E_CANCELLED);
    assert_int_equal(loop_requests(b->server), 3);
    drop(&later);
    drop(&w.write);
    drop(&w.read);
    drop(&w.queued);
}

static int collect(void *ctx, const void *p, size_t n)
{
    buf_add(ctx, p, n);
    return TL_OK;
}

static int refuse(void *ctx, const void *p, size_t n)
{
    (void)ctx;
    (void)p;
    (void)n;
    return TL_E_TEMPORARY;
}

static int source(void *ctx, uint64_t offset, void *p, size_t cap, size_t *n_out)
{
    const char *text = ctx;
    size_t left = strlen(text) - offset;
    *n_out = left < cap ? left : cap;
    *n_out = *n_out > 3 ? 3 : *n_out; /* in small pieces */
    memcpy(p, text + offset, *n_out);
    return TL_OK;
}

static void test_streams(void **state)
{
    struct bench *b = *state;
    AUTO(buf_done) struct buf got = {0};
    struct http_request r = ask(b, "PUT", "/echo");
    r.sink = collect;
    r.sink_ctx = &got;
    r.source = source;
    r.source_ctx = (void *)(uintptr_t) "a longer body";
    r.source_size = 13;
    run(b, &r);
    assert_int_equal(r.outcome, TL_OK);
    assert_int_equal(r.answer.n, 0);
    assert_non_null(strstr(buf_text(&got), "PUT /echo [a longer body]"));
    drop(&r);
    r = ask(b, "GET", "/nowhere"); /* only 2xx goes to the sink */
    r.sink = refuse;
    run(b, &r);
    assert_int_equal(r.outcome, TL_OK);
    drop(&r);
    r = ask(b, "GET", "/echo");
    r.sink = refuse;
    run(b, &r);
    assert_int_equal(r.outcome, TL_E_TEMPORARY);
    drop(&r);
}

/* Nothing a worker would inherit. */
static void test_sockets_close_on_exec(void **state)
{
    struct bench *b = *state;
    struct http_request r = ask(b, "GET", "/echo");
    run(b, &r);
    drop(&r);
    int sockets = 0;
    for (int fd = 3; fd < 256; fd++) {
        int flags = fcntl(fd, F_GETFD), domain = 0;
        socklen_t n = sizeof domain;
        if (flags < 0 || getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &n) || domain != AF_INET)
            continue;
        sockets++;
        assert_true(flags & FD_CLOEXEC);
    }
    assert_true(sockets >= 3); /* listener, both ends */
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_answer),
        T(test_status_is_no_failure),
        T(test_refused_connection_sent_nothing),
        T(test_cut_body),
        T(test_lost_answer),
        T(test_write_is_never_sent_twice),
        T(test_deadline),
        T(test_gzip_and_size),
        T(test_answers_together),
        T(test_not_allowed),
        T(test_inner_address_refused_at_connect),
        T(test_proxy),
        T(test_many_at_once),
        T(test_gate_limits_and_pauses),
        T(test_cancel),
        T(test_the_share_of_the_urgent),
        T(test_cut),
        T(test_streams),
        T(test_sockets_close_on_exec),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
