/* Connections and requests of the HTTP server: see server.h. */
#include "server.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "answer.h"
#include "app.h"
#include "arrivals.h"
#include "dispatch.h"
#include "guard.h"
#include "listen.h"
#include "log.h"
#include "times.h"

enum {
    MAX_CONNECTIONS = 256,
    HEADER_TIMEOUT_S = 60,
    MAX_HEADERS = 101,
    SEND_LIMIT_S = 3,
    BODY_LIMIT_S = 30,
    HEAD_LIMIT_S = 30
};

struct server {
    struct MHD_Daemon *daemon;
    struct arrivals *arrivals; /* NULL: not needed, the peers are users of this machine */
    struct app *app;
    struct server_options options;
    struct dispatch *dispatch; /* of its tables; NULL: there are none */
    char *socket_path;
    pthread_mutex_t lock; /* guards handling, unsent */
    pthread_cond_t fewer;
    unsigned handling, unsent; /* requests inside their handler; those whose answer has not left */
};

/* A request whose answer comes later; the library's thread and whoever answers it share it. */
struct held {
    struct server *server;
    struct MHD_Connection *connection;
    struct arena arena;
    const char *text;
    atomic_int status; /* 0: not answered yet */
};

/* What is collected while a request's body arrives. */
struct arriving {
    char *target; /* as the request line has it */
    bool begun;   /* the head is whole and was not refused */
    struct buf body;
    int64_t until_us; /* mono; a body that drips is not waited for longer, whatever it sends meanwhile */
    bool counted;     /* in server.unsent */
    struct held held;
};

/* ---- who asks ---- */

/* TL_E_AUTH is the caller's here; from a handler it would be a vendor's. */
static int refusal_status(int rc)
{
    return rc == TL_E_AUTH ? 401 : problem_status(rc);
}

static int find_caller(const struct server *s, struct request *rq, struct err *e)
{
    const struct server_options *o = &s->options;
    if (o->authenticate)
        return o->authenticate(o->auth_self, rq, &rq->caller, e);
    return o->socket_path ? caller_of_peer(rq, o->socket_group, &rq->caller, e) : TL_OK;
}

struct header_list {
    struct guard_header items[MAX_HEADERS];
    size_t n;
};

static enum MHD_Result collect_header(void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
    (void)kind;
    struct header_list *list = cls;
    if (list->n < MAX_HEADERS)
        list->items[list->n++] = (struct guard_header){str_of(name), str_of(value ? value : "")};
    return MHD_YES;
}

static const char *guard_connection(struct MHD_Connection *c, const char *method, const char *version)
{
    struct header_list list = {.n = 0};
    MHD_get_connection_values(c, MHD_HEADER_KIND, collect_header, &list);
    return guard_check(str_of(method), str_of(version), list.items, list.n);
}

static void count(struct server *s, int handling, int unsent)
{
    pthread_mutex_lock(&s->lock);
    s->handling += (unsigned)handling;
    s->unsent += (unsigned)unsent;
    pthread_cond_broadcast(&s->fewer);
    pthread_mutex_unlock(&s->lock);
}

struct held *request_hold(struct request *rq)
{
    struct held *h = rq->held;
    h->connection = rq->connection;
    h->arena = rq->arena; /* with all that was made for the request so far */
    rq->arena = (struct arena){0};
    count(h->server, 1, 0);
    MHD_suspend_connection(h->connection);
    return h;
}

void request_answer(struct held *h, int status, const char *text)
{
    struct server *s = h->server;
    h->text = text;
    atomic_store(&h->status, status);
    MHD_resume_connection(h->connection); /* h may be gone at once */
    count(s, -1, 0);
}

/* The library cuts its connections when it ends: what is being answered shall arrive first. */
static void let_answers_leave(struct server *s)
{
    struct timespec until;
    pthread_mutex_lock(&s->lock);
    while (s->handling)
        pthread_cond_wait(&s->fewer, &s->lock);
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += SEND_LIMIT_S;
    for (int rc = 0; s->unsent && rc == 0;)
        rc = pthread_cond_timedwait(&s->fewer, &s->lock, &until);
    pthread_mutex_unlock(&s->lock);
}

static enum MHD_Result send_too_large(const struct server *s, struct MHD_Connection *c)
{
    struct err e = {0};
    err_set(&e, TL_E_INVALID, "request body is larger than %zu bytes", s->options.max_body);
    return answer_problem(c, &e, 413);
}

/* By Content-Length, which the guard has found to be a number; 0: not told. */
static unsigned long long announced_bytes(struct MHD_Connection *c)
{
    const char *text = MHD_lookup_connection_value(c, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
    return text ? strtoull(text, NULL, 10) : 0;
}

/* The path as it was sent, up to the query: what is encoded in it stays so until its parts are told apart. NULL: it has
 * an encoded NUL, which nothing here has a name with. */
static const char *path_of(const struct arriving *in, struct arena *a)
{
    const char *end = strchr(in->target, '?');
    str path = end ? str_n(in->target, (size_t)(end - in->target)) : str_of(in->target);
    return strstr(in->target, "%00") ? NULL : arena_str(a, path).p;
}

static str query_of(const struct arriving *in)
{
    const char *mark = strchr(in->target, '?');
    return str_of(mark ? mark + 1 : "");
}

static enum MHD_Result answer_request(struct server *s, struct MHD_Connection *c, const char *method,
                                      struct arriving *in)
{
    struct request rq = {.app = s->app,
                         .method = str_of(method),
                         .query = query_of(in),
                         .connection = c,
                         .raw_body = buf_lent(&in->body),
                         .caller = {.name = "nobody"},
                         .http_status = 200,
                         .held = &in->held};
    int rc, refused = 0;
    struct err e = {0};
    const char *path = path_of(in, &rq.arena);
    rq.path = str_of(path ? path : "");
    if (in->body.full) {
        rc = send_too_large(s, c);
    } else if (!path) {
        err_set(&e, TL_E_INVALID, "malformed request: a NUL in its address");
        rc = answer_problem(c, &e, 400);
    } else if ((refused = find_caller(s, &rq, &e)) != 0) {
        rc = answer_problem(c, &e, refusal_status(refused));
    } else {
        rc = s->options.handle(s->options.self, &rq);
    }
    arena_done(&rq.arena);
    return rc ? MHD_YES : MHD_NO;
}

static struct arrival *arrival_of(struct MHD_Connection *c)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

static void on_connection(void *cls, struct MHD_Connection *c, void **socket_context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct server *s = cls;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
        *socket_context = arrivals_add(s->arrivals, info ? info->connect_fd : -1);
    } else if (*socket_context) {
        arrivals_remove(s->arrivals, *socket_context);
        *socket_context = NULL;
    }
}

/* The first that is heard of a request: its line. What is returned is the request's context. */
static void *on_target(void *cls, const char *target, struct MHD_Connection *c)
{
    (void)cls;
    (void)c;
    struct arriving *in = calloc(1, sizeof *in);
    ASSERT(in);
    in->target = text_dup(target);
    return in;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *c, const char *url, const char *method,
                                  const char *version, const char *data, size_t *size, void **context)
{
    struct server *s = cls;
    struct arriving *in = *context;
    (void)url; /* decoded by the library, and cut at a NUL: the target is kept as it came */
    if (!in->begun) {
        const char *wrong = guard_connection(c, method, version);
        if (wrong) {
            struct err e = {0};
            err_set(&e, TL_E_INVALID, "malformed request: %s", wrong);
            return answer_problem(c, &e, 400);
        }
        if (announced_bytes(c) > s->options.max_body)
            return send_too_large(s, c);
        if (s->arrivals)
            arrivals_head(s->arrivals, arrival_of(c));
        in->begun = true;
        in->body.max = s->options.max_body;
        in->until_us = env_mono_us(s->app->env) + BODY_LIMIT_S * US_PER_S;
        return MHD_YES;
    }
    if (*size) {
        if (env_mono_us(s->app->env) > in->until_us)
            return MHD_NO; /* the connection is closed */
        buf_add(&in->body, data, *size);
        *size = 0;
        return MHD_YES;
    }
    if (atomic_load(&in->held.status)) /* called again: it was held, and is answered now */
        return answer_words(c, in->held.status, in->held.text);
    if (in->counted)
        return MHD_YES; /* still held */
    in->counted = true;
    if (s->arrivals)
        arrivals_whole(s->arrivals, arrival_of(c));
    in->held.server = s;
    count(s, 1, 1);
    enum MHD_Result rc = answer_request(s, c, method, in);
    count(s, -1, 0);
    return rc;
}

static void on_completed(void *cls, struct MHD_Connection *c, void **context, enum MHD_RequestTerminationCode code)
{
    struct server *s = cls;
    (void)code;
    struct arriving *in = *context;
    if (s->arrivals && arrival_of(c))
        arrivals_next(s->arrivals, arrival_of(c));
    if (in) {
        if (in->counted)
            count(s, 0, -1);
        buf_done(&in->body);
        arena_done(&in->held.arena);
        text_free(in->target);
        free(in);
        *context = NULL;
    }
}

/* A peer that hangs up makes the library say something, with a line end of its own; the server is well. */
static void library_log(void *ctx, const char *fmt, va_list ap)
{
    (void)ctx;
    char line[512];
    vsnprintf(line, sizeof line, fmt, ap);
    log_line(LOG_DEBUG, "http", "%.*s", STR_FMT(str_trim(str_of(line))));
}

static struct server *server_free(struct server *s)
{
    s->arrivals = arrivals_stop(s->arrivals);
    dispatch_free(s->dispatch);
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->fewer);
    text_free(s->socket_path);
    free(s);
    return NULL;
}

static struct server *server_new(struct app *app, const struct server_options *options)
{
    struct server *s = calloc(1, sizeof *s);
    ASSERT(s);
    s->app = app;
    s->options = *options;
    s->socket_path = options->socket_path ? text_dup(options->socket_path) : NULL;
    s->options.socket_path = s->socket_path;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->fewer, NULL);
    if (options->tables) {
        s->dispatch = dispatch_new(options->tables);
        s->options.handle = dispatch_answer;
        s->options.self = s->dispatch;
    }
    if (options->address)
        s->arrivals = arrivals_start(&(struct arrival_limits){.head_us = HEAD_LIMIT_S * US_PER_S,
                                                              .body_us = BODY_LIMIT_S * US_PER_S,
                                                              .again_us = HEADER_TIMEOUT_S * US_PER_S,
                                                              .most = MAX_CONNECTIONS * 3 / 4});
    return s;
}

static struct MHD_Daemon *start_library(struct server *s, int fd)
{
    const struct server_options *o = &s->options;
    unsigned mode = o->threads ? MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME
                               : MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL;
    struct MHD_OptionItem more[4] = {{MHD_OPTION_END, 0, NULL}};
    unsigned n = 0;
    if (o->threads > 1)
        more[n++] = (struct MHD_OptionItem){MHD_OPTION_THREAD_POOL_SIZE, o->threads, NULL};
    if (s->arrivals)
        more[n++] = (struct MHD_OptionItem){MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)on_connection, s};
    if (o->max_per_address)
        more[n++] = (struct MHD_OptionItem){MHD_OPTION_PER_IP_CONNECTION_LIMIT, o->max_per_address, NULL};
    more[n] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
    return MHD_start_daemon(mode | MHD_USE_ERROR_LOG, 0, NULL, NULL, on_request, s, MHD_OPTION_EXTERNAL_LOGGER,
                            library_log, NULL, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_NOTIFY_COMPLETED, on_completed,
                            s, MHD_OPTION_URI_LOG_CALLBACK, on_target, s, MHD_OPTION_CONNECTION_LIMIT,
                            (unsigned)MAX_CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)HEADER_TIMEOUT_S,
                            MHD_OPTION_ARRAY, more, MHD_OPTION_END);
}

int server_start(struct server **out, struct app *app, const struct server_options *options, struct err *e)
{
    struct err own = {0};
    e = e ? e : &own;
    if (options->address && options->tables && !options->authenticate)
        return err_set(e, TL_E_BUG, "routes are not served on \"%s\", where nobody knows who calls", options->address);
    int fd = options->socket_path ? listen_unix(options->socket_path, options->socket_group, e)
                                  : listen_tcp(options->address, e);
    if (fd < 0)
        return e->status;
    if (options->address && options->tables && listen_beyond_host(fd))
        log_line(LOG_WARN, "api",
                 "%s can be reached from other machines: what is sent there, tokens too, is in the clear "
                 "unless a TLS proxy stands in front",
                 options->address);
    struct server *s = server_new(app, options);
    s->daemon = start_library(s, fd);
    if (!s->daemon) {
        close(fd);
        server_free(s);
        return err_set(e, TL_E_BUG, "the HTTP server library refused to start");
    }
    *out = s;
    return TL_OK;
}

struct server *server_stop(struct server *s)
{
    if (!s)
        return NULL;
    let_answers_leave(s);
    MHD_stop_daemon(s->daemon);
    if (s->socket_path)
        unlink(s->socket_path);
    return server_free(s);
}
