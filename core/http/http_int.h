#ifndef HTTP_INT_H
#define HTTP_INT_H
/* Inside core/http only. */
#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "http_client.h"
#include "log.h"
#include "times.h"

/* Where a URL leads, as libcurl reads it. */
struct url_place {
    bool https;
    long port;
    char host[256]; /* lower case, an IPv6 address without brackets */
};
int http_allow_find(const struct http_allow *a, str url, struct url_place *place, enum http_target *out, struct err *e);

struct http_gate {
    uint32_t max, max_others;   /* others: not urgent */
    _Atomic uint32_t in_flight; /* written by the http thread only */
    _Atomic int64_t paused_until;
};

/* Those who wait together in one http_client_run; on the caller's stack. Guarded by the client's mutex: left. The http
 * thread's: room. */
struct batch {
    pthread_cond_t done;
    size_t left;
    const int32_t *cancel;
    uint64_t room; /* bytes that their answers may still take */
};

/* One request under way. The http thread's, once submitted. */
struct transfer {
    struct transfer *next;
    struct http_request *request;
    struct batch *batch;
    struct http_client *client;
    enum http_target target;
    struct url_place place;
    int64_t begun_us, deadline_us; /* mono */
    /* while running */
    CURL *easy; /* NULL: waits at the gate */
    struct curl_slist *headers;
    char *url;
    bool check_address; /* no proxy between us and the target */
    bool address_refused;
    bool too_large; /* for itself */
    bool crowded;   /* together with the others of its batch */
    int sink_rc;
    uint32_t prereqs; /* how often a request was about to be written */
    uint64_t received, source_at;
    uint32_t header_cap;
    char curl_error[CURL_ERROR_SIZE];
};

/* transfer.c. [http thread] */
int transfer_prepare(struct transfer *t, const struct http_config *config, const char *agent, int64_t now_us,
                     struct err *e);
void transfer_release(struct transfer *t); /* what prepare made; easy stays */
/* Decides the outcome from what libcurl says. */
void transfer_outcome(struct transfer *t, CURLcode rc);
void transfer_fail(struct transfer *t, tl_status outcome, const char *text);
/* How long the vendor asks to wait (429, 503 with Retry-After), 0 if it does not. */
int64_t transfer_pause_us(const struct transfer *t, int64_t wall_us);
bool transfer_was_sent(const struct transfer *t);
#endif
