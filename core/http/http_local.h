#ifndef HTTP_LOCAL_H
#define HTTP_LOCAL_H
/* Blocking requests to our own daemon over its UNIX socket: what the command line uses. No secrets are logged. */
#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"
#include "str.h"

struct http_local; /* one connection, kept open between requests; one thread at a time */

struct http_local *http_local_new(const char *socket_path, int64_t timeout_ms); /* 0: wait for ever */
struct http_local *http_local_free(struct http_local *c);
AUTO_FN(struct http_local *, http_local_free)

struct http_local_answer {
    long status;
    char etag[64];
    struct buf body;
};
void http_local_answer_done(struct http_local_answer *a);
AUTO_DONE(struct http_local_answer, http_local_answer_done)

/* path begins with "/". body may be empty; if_match NULL or an ETag. TL_E_TEMPORARY when nobody answers (the daemon is
 * not running, or the socket is closed to this user: e says which), TL_E_CANCELLED after a timeout. */
int http_local_run(struct http_local *c, const char *method, const char *path, str body, const char *if_match,
                   struct http_local_answer *out, struct err *e);
/* GET that stays open: on_bytes gets the answer as it comes, false ends it. */
int http_local_stream(struct http_local *c, const char *path, bool (*on_bytes)(void *ctx, str bytes), void *ctx,
                      struct err *e);
#endif
