#ifndef HTTP_CLIENT_H
#define HTTP_CLIENT_H
/* The outbound HTTP client: one thread with one curl_multi for the whole process. Connections are pooled and limited
 * per host; HTTP/1.1 in clear, HTTP/2 over TLS; gzip is decoded; redirects are not followed; no cookies, no environment
 * proxies. Callers block in http_client_run until all of their requests have an outcome.
 *
 * A request with effects (write) is sent at most once, whatever libcurl would like to repeat on a stale connection. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "address.h"
#include "arena.h"
#include "buf.h"
#include "env.h"
#include "err.h"
#include "tieline.h"

struct http_client;

struct http_config {
    const char *proxy;          /* "http://proxy:3128", NULL: none */
    const char *no_proxy;       /* hosts reached directly, comma separated, NULL: none */
    const char *ca_file;        /* NULL: the system's */
    const char *user_agent;     /* NULL: "tieline/<version>" */
    int64_t connect_timeout_us; /* 0: 10 s */
    int64_t timeout_us;         /* deadline of a request that names none; 0: 60 s */
    uint64_t max_body;          /* of an answer kept in memory, decoded; 0: 15 MiB */
    uint64_t max_answers;       /* of those of one http_client_run, with their headers; 0: 64 MiB */
    uint32_t max_connections;   /* 0: 64 */
    uint32_t max_per_host;      /* 0: 8 */
};

/* Starts the thread. env outlives the client. [control] */
int http_client_new(struct http_client **out, const struct http_config *config, const struct env *env, struct err *e);
/* Cancels what is under way, joins the thread. No http_client_run may be inside any more. [control] */
struct http_client *http_client_free(struct http_client *c);
AUTO_FN(struct http_client *, http_client_free)

/* Pacing of one endpoint: how many requests at once, of which a quarter is kept for urgent ones; and a pause the vendor
 * asked for (429 or 503 with Retry-After). A request whose deadline ends before the pause does fails at once (nothing
 * sent). [any] */
struct http_gate;
struct http_gate *http_gate_new(uint32_t max_in_flight); /* 0: no limit */
struct http_gate *http_gate_free(struct http_gate *g);   /* no request may use it any more */
AUTO_FN(struct http_gate *, http_gate_free)
void http_gate_pause(struct http_gate *g, int64_t until_mono_us); /* longest wins; 0 clears */
int64_t http_gate_paused_until(const struct http_gate *g);        /* env mono clock; 0: open */
uint32_t http_gate_in_flight(const struct http_gate *g);

/* Takes the body of a 2xx answer piece by piece, [http thread]. Anything but TL_OK ends the request. */
typedef int (*http_sink_fn)(void *ctx, const void *p, size_t n);
/* Gives up to cap bytes of the request body at offset; *n_out 0 at the end. [http thread] */
typedef int (*http_source_fn)(void *ctx, uint64_t offset, void *p, size_t cap, size_t *n_out);

struct http_request {
    /* In. Everything is lent until http_client_run returns. */
    const char *method;
    str url;
    str body;
    const tl_pair *headers; /* "Host", "Content-Length", "Transfer-Encoding", "Connection" are refused */
    uint32_t n_headers;
    bool write;         /* has effects: see outcome */
    bool urgent;        /* a person waits: may take the share that is kept at the gate */
    int64_t timeout_us; /* from the call of http_client_run, waiting at the gate included; 0: the client's default */
    uint64_t max_body;  /* 0: the client's default */
    const struct http_allow *allow;
    struct http_gate *gate; /* may be NULL */
    http_source_fn source;  /* instead of body, with source_size */
    void *source_ctx;
    uint64_t source_size;
    http_sink_fn sink; /* instead of answer, for 2xx */
    void *sink_ctx;

    /* Out, owned by the request. */
    tl_status outcome; /* TL_OK: status line and whole body, whatever the status. TL_E_TEMPORARY: nothing was sent, or a
                          read without a whole answer. TL_E_UNKNOWN: a write that was sent and has no whole answer.
                          TL_E_DENIED: address not allowed. TL_E_CANCELLED. TL_E_CONFIG: CA file, malformed request */
    int32_t status;
    uint32_t n_out_headers;
    tl_pair *out_headers; /* names in lower case; Set-Cookie left out */
    struct buf answer;
    int64_t server_us; /* Date header, 0 if none */
    int64_t took_us;
    char error[128];    /* outcome != TL_OK */
    struct arena arena; /* of out_headers */
};
/* Releases what is "out" and zeroes it; the request can be filled and run again. */
void http_request_done(struct http_request *r);
AUTO_DONE(struct http_request, http_request_done)
/* Value of a response header by its lower-case name; empty if absent. */
str http_answer_header(const struct http_request *r, const char *name);

/* Runs n requests, several at once, and returns when each has an outcome. cancel (may be NULL) is read atomically: when
 * it is not 0, requests not sent yet and reads under way end with TL_E_CANCELLED; a write under way goes on to its end
 * or deadline. Returns TL_OK (look at each outcome), TL_E_CANCELLED (at least one was cancelled). [any] but the http
 * thread */
int http_client_run(struct http_client *c, struct http_request *const *requests, size_t n, const int32_t *cancel,
                    struct err *e);
/* Makes the client look at the cancel flags now (it looks every 100 ms by itself). [any] */
void http_client_wake(struct http_client *c);
/* Ends everything under way and whatever comes later: a write that was sent with TL_E_UNKNOWN, all else with
 * TL_E_CANCELLED. For a process that must end now. [any] */
void http_client_cut(struct http_client *c);
/* The clock that gates use: env mono time. [any] */
int64_t http_client_mono_us(const struct http_client *c);
#endif
