#ifndef SANDBOX_SERVER_H
#define SANDBOX_SERVER_H
/* What all vendor twins share: ports, routing, requests and answers, the sandbox clock, switches, faults by name, the
 * call log and the control plane. A twin is one vendor role on its own loopback port: a table of routes and a few
 * functions that word its refusals. Handlers run under one lock for the whole sandbox, so they need none of their own
 * and see a consistent world; they must not block (a slow answer is a fault, a call to the outside is call_defer). */
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "buf.h"
#include "cleanup.h"
#include "err.h"
#include "str.h"

struct sandbox;
struct twin;
struct call;
struct fault;

typedef void (*call_fn)(struct call *c);

enum { CALL_CAPTURES = 6, CALL_BODY_MAX = 160 << 20 };

/* "/api/v1/contacts/{id}/merge": "{}" or "{name}" takes one segment, a last "{rest*}" takes all that is left, even
 * nothing. Segments compare exactly, after percent-decoding. The first entry that fits method and path wins. A path
 * that fits only with other methods goes to the twin's wrong_method, one that fits nowhere to unknown (both counted).
 * GET entries also serve HEAD. method "*" fits all. */
struct route {
    const char *method, *pattern;
    call_fn fn;
};

/* A reading of an unconfirmed vendor fact, or a figure tests change: POST /_sim/<twin>/switches {"name": value}. */
struct sandbox_switch {
    const char *name;
    int64_t value; /* at the start: the default */
    const char *help;
};

struct twin_ops {
    const char *name; /* in the address line, the control plane and faults: "desk" */
    const struct route *routes;
    size_t route_count;
    const struct route *control; /* further control calls: patterns without the prefix "/_sim/<name>", path and self are
                                  * then the twin's; call->twin is the control plane */
    size_t control_count;
    const struct sandbox_switch *switches;
    size_t switch_count;
    const char *const *fault_names; /* faults only this twin knows, asked for with fault_take() */
    size_t fault_count;
    const char *content_type;                              /* of answers that have a body and set none */
    bool chunked;                                          /* answers without Content-Length */
    void (*before)(struct call *c, const struct route *r); /* before the handler (r NULL: no route); may answer */
    call_fn after; /* after the handler: headers every answer carries. NULL: none */
    call_fn unknown, wrong_method;
    /* Words the vendor's own answer to a fault: name is "429", "500", "503-json" ... NULL or false: the core's. */
    bool (*fault_answer)(struct call *c, const struct fault *f);
    call_fn expire; /* "expire-token": makes the token this call presents worthless. NULL: ignored */
    /* One JSON object and "\n" per record of a kind ("contacts"): id, every field, and "_state": "live", "trashed",
     * "purged" or "merged". False: no such kind. */
    bool (*dump)(struct twin *t, str kind, struct buf *out);
    /* A record changed as another user: verb "create" (id empty), "update", "trash", "restore", "purge", "merge".
     * Answers c, a call of the control plane, itself; false: no such verb or kind. */
    bool (*change)(struct call *c, struct twin *t, const char *verb, str kind, str id, json_t *fields);
    void (*stop)(void *self); /* before the ports close, without the lock: ends own threads, finishes deferred calls */
    void (*free_self)(void *self);
};

/* ---- twins */
void *twin_self(const struct twin *t);
const char *twin_name(const struct twin *t);
int twin_port(const struct twin *t);                         /* known once the sandbox listens */
const char *twin_url(const struct twin *t);                  /* "http://127.0.0.1:4711" */
int64_t twin_switch(const struct twin *t, const char *name); /* asserts that it exists */
bool twin_has_switch(const struct twin *t, const char *name);
void twin_switch_set(struct twin *t, const char *name, int64_t value);
unsigned twin_in_flight(const struct twin *t); /* requests begun and not yet answered in full, this one included */

/* ---- one request and its answer */
struct call_header {
    const char *name, *value;
};
struct call {
    struct twin *twin;
    struct sandbox *world;
    void *self;              /* the twin's own state */
    str method, path, query; /* as received; the path without the query and percent-decoded */
    str body;
    str capture[CALL_CAPTURES]; /* percent-decoded */
    unsigned capture_count;
    const struct route *route;
    struct arena arena; /* dies with the call */
    /* The answer. A handler writes the body into out and names the status with one of the calls below. */
    int status; /* 0: not answered yet */
    struct buf out;
    const char *content_type; /* NULL: the twin's */
    bool chunked;             /* as the twin's ops at first; a handler may change it */
    bool drop;                /* close the connection instead of answering */
    struct call_impl *impl;   /* the server's */
};
str call_header(const struct call *c, const char *name); /* empty when absent; names compare without case */
/* Decoded query parameter, then (POST, form body) form field; found_out may be NULL. Lent for the call. */
bool call_param(struct call *c, const char *name, str *value_out);
bool call_query(struct call *c, const char *name, str *value_out); /* the query alone */
/* Calls fn for every query parameter in order, decoded. */
void call_each_query(struct call *c, void (*fn)(void *arg, str name, str value), void *arg);
/* The body as JSON, parsed once and owned by the call; NULL when it is none (err_out, may be NULL, gets line and
 * column). */
json_t *call_json(struct call *c, json_error_t *err_out);

void call_answer(struct call *c, int status);                                             /* with what stands in out */
void call_answer_empty(struct call *c, int status);                                       /* no body, no Content-Type */
void call_answer_text(struct call *c, int status, const char *type, const char *text);    /* replaces out */
void call_answer_fmt(struct call *c, int status, const char *fmt, ...) PRINTF_LIKE(3, 4); /* replaces out */
void call_add_header(struct call *c, const char *name, const char *value);                /* copied */
/* The handler answers later: return after this and call call_finish exactly once, from any thread that holds the lock
 * of sandbox_lock. For work that talks to the outside, such as the verification of a webhook. */
void call_defer(struct call *c);
void call_finish(struct call *c);

/* ---- JSON out */
void json_put(struct buf *b, str s);               /* quoted and escaped */
void json_put_text(struct buf *b, const char *z);  /* the same; NULL writes null */
void json_put_key(struct buf *b, const char *key); /* "key": without comma */
void json_put_member(struct buf *b, const char *key,
                     str s); /* ,"key":"value": the comma first, unless after '{' or '[' */
void json_put_int(struct buf *b, const char *key, int64_t v); /* likewise */
void json_put_bool(struct buf *b, const char *key, bool v);
void json_put_raw(struct buf *b, const char *key, str json);
void json_put_comma(struct buf *b);                    /* unless after '{', '[' or at the start */
void json_put_tree(struct buf *b, const json_t *tree); /* compact, order kept */

/* ---- the world */
struct sandbox_options {
    uint64_t seed;
    int64_t start_us; /* 0: the wall clock's time at the start */
    bool frozen;      /* the clock moves only when told */
    int control_port; /* 0: a free one */
};
struct sandbox *sandbox_new(const struct sandbox_options *options);
struct sandbox *sandbox_free(struct sandbox *w); /* stops it first */
/* Adds a role; port 0 picks a free one. self is freed by ops->free_self. Before sandbox_start. */
struct twin *sandbox_add(struct sandbox *w, const struct twin_ops *ops, void *self, int port);
/* Binds 127.0.0.1 for every twin and serves until sandbox_stop. On failure nothing is left open. */
int sandbox_start(struct sandbox *w, struct err *e);
void sandbox_stop(struct sandbox *w);
struct twin *sandbox_twin(struct sandbox *w, const char *name); /* NULL: none */
struct twin *sandbox_twin_at(struct sandbox *w, unsigned i);    /* NULL past the last */
void sandbox_lock(struct sandbox *w);                           /* for threads of twins; handlers hold it already */
void sandbox_unlock(struct sandbox *w);

int64_t sandbox_now_us(const struct sandbox *w); /* the sandbox clock */
void sandbox_advance(struct sandbox *w, int64_t us);
void sandbox_set_clock(struct sandbox *w, int64_t us, bool frozen);
uint64_t sandbox_random(struct sandbox *w); /* seeded: the same run of calls sees the same numbers */
void sandbox_random_hex(struct sandbox *w, char *out, size_t digits); /* lower-case; terminates out[digits] */
uint64_t sandbox_seed(const struct sandbox *w);

/* Invariant: no create or upsert reaches a record stamped for another source record. A twin that sees one reports it
 * here; GET /_sim/violations and the counters show it. */
void sandbox_violation(struct sandbox *w, struct twin *t, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* Records planted by the generator, for GET /_sim/planted. reason NULL: it is expected to be paired. */
void sandbox_plant(struct sandbox *w, const char *side, const char *kind, const char *id, const char *case_name,
                   const char *reason);

/* ---- faults
 * POST /_sim/faults {"name":"429","twin":"desk","method":"GET","path":"/api/v1/contacts*","after":2,"times":3,...}
 * The fault hits the calls that fit (path with '*' wildcards, whole request path), skips the first `after` of them and
 * ends after `times` hits (0: until removed). The core knows and applies to every twin:
 *   429 500 502 503-json 503-html 503-empty html   an answer instead of the handler's (html: 200 with an error page)
 *   drop-before   connection closed, nothing done        drop-after   handler ran, connection closed: a lost answer
 *   truncate      body cut after `at` bytes (half)        delay        answer held for `ms`; the handler ran at once
 *   expire-token  the token presented is expired from now on; the call goes on and sees it
 * and passes on a twin's own names. retry_after (seconds) is sent where the answer has it. */
struct fault {
    int64_t id;
    const char *name, *twin, *method, *path; /* "" fits all */
    int64_t after, times, hits, seen;
    int64_t ms, at, retry_after; /* retry_after -1: none */
    const char *text;            /* free parameter of twin-specific faults */
};
/* Consumes one hit of a twin-specific fault; NULL when none is due. path: what its path pattern is compared with. */
const struct fault *fault_take(struct sandbox *w, const struct twin *t, const char *name, const char *method, str path);
#endif
