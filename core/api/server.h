#ifndef SERVER_H
#define SERVER_H
/* HTTP server of the API and of the hook listener: libmicrohttpd behind one header, with a request guard in front of
 * every handler, because the library alone lets malformed requests through. Knows routes, not what they do. */
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "buf.h"
#include "caller.h"
#include "err.h"
#include "str.h"

struct app; /* what handlers work with; see app.h */

enum { REQUEST_MAX_CAPTURES = 4 };

/* One request, guarded and complete. Everything is lent for the duration of the handler. */
struct request {
    struct app *app;
    struct arena arena;
    str method, path;
    str query;                          /* as it was sent, without the "?" */
    str captures[REQUEST_MAX_CAPTURES]; /* of {} in the route's path, percent-decoded */
    json_t *body;                       /* parsed object, or NULL; owned by the server */
    str raw_body;
    struct caller caller;
    struct MHD_Connection *connection;
    int http_status;       /* in: 200; a handler may set 201 or 202 */
    struct stream *stream; /* set by a handler that answers with NDJSON as it comes, instead of JSON */
    const char *text_type; /* set by one that answers with a text of this type: a page, figures, a table */
    struct buf text;
    struct held *held; /* see request_hold */
};

/* Where threads serve many connections, who cannot answer yet holds the request: its thread goes on with others, and
 * what the request lent stays valid until request_answer, which must follow exactly once, with text of a literal. [any]
 */
struct held *request_hold(struct request *rq);
void request_answer(struct held *h, int status, const char *text);

/* NDJSON stream: next() appends one or more lines to out, waiting at most a second; false ends the stream. */
struct stream {
    void *self;
    bool (*next)(void *self, struct buf *out);
    void (*free)(void *self);
};

/* Query parameter and header; empty str when absent. */
str request_param(const struct request *rq, const char *name);
str request_header(const struct request *rq, const char *name);
bool request_flag(const struct request *rq, const char *name); /* "?all=true" */
/* Whole number in [min, max]; def when absent; TL_E_INVALID with words otherwise. */
int request_number(const struct request *rq, const char *name, int64_t def, int64_t min, int64_t max, int64_t *out,
                   struct err *e);
/* Member of the JSON body. text: NULL when absent. */
const char *body_text(const struct request *rq, const char *member);
int body_need_text(const struct request *rq, const char *member, const char **out, struct err *e);

/* A handler returns TL_OK and *answer (owned by the server from then on), or a status with e filled. [api thread] */
typedef int (*route_handler)(struct request *rq, json_t **answer, struct err *e);

enum {
    ROUTE_WRITE = 1, /* changes something */
    ROUTE_MATCH = 2, /* the object must be named by If-Match, as its GET told it in ETag */
    ROUTE_STREAM = 4,
    ROUTE_TEXT = 16, /* answers text, plain or of the type that it names */
    ROUTE_DRY = 8    /* knows ?dry_run=true; others refuse it rather than do the thing */
};

struct route {
    const char *method, *path; /* "/api/v1/connectors/{name}" */
    unsigned flags;
    route_handler handler;
    const char *summary;
    const char *params; /* query parameters, "days:integer=7 link:string" */
    const char *body;   /* shape of the request body, see openapi.h; NULL: none */
    const char *answer; /* shape of the answer */
    enum scope scope;   /* whose it is; the operators' where none is named */
    const char *text;   /* ROUTE_TEXT: its type, "text/html"; NULL: text/plain */
};

struct server;
struct server_options {
    const char *socket_path; /* UNIX socket, or NULL */
    uint32_t socket_group;   /* gid that may use it beside root and us; UINT32_MAX: none */
    const char *address;     /* HOST:PORT instead of a socket */
    int threads;             /* 0: one a connection, so that handlers may wait; else so many, and none may wait */
    int max_per_address;     /* connections from one address at once; 0: no limit */
    size_t max_body;
    const struct route *const *tables; /* NULL-terminated list of route tables, each ended by a route without method */
    /* Who asks; TL_E_DENIED with words: he is not let in; TL_E_AUTH: nobody knows who it is (401). NULL: on a socket
     * its peer, on an address nobody, so that tables cannot be served there. */
    int (*authenticate)(void *auth_self, struct request *rq, struct caller *out, struct err *e);
    void *auth_self;
    /* Instead of tables: gets every request as it is, and answers it by answer.h or holds it. The result of that. */
    int (*handle)(void *self, struct request *rq);
    void *self;
};
int server_start(struct server **out, struct app *app, const struct server_options *options, struct err *e);
struct server *server_stop(struct server *s); /* waits for running requests; returns NULL */

/* Status of the API for one of ours: 404 for TL_E_NOT_FOUND and so on; and the problem object of RFC 9457. */
int problem_status(int status);
json_t *problem_json(const struct err *e, int http_status);
#endif
