/* HTTP server of the API: see server.h. One thread a connection on the UNIX socket (handlers may wait for the control
 * thread, streams stay open), a small pool on a TCP address. */
#include "server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <pthread.h>
#include <pwd.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "app.h"
#include "arrivals.h"
#include "guard.h"
#include "log.h"
#include "route_match.h"
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
    char *socket_path;
    pthread_mutex_t lock; /* guards handling, unsent */
    pthread_cond_t fewer;
    unsigned handling, unsent; /* requests inside their handler; those whose answer has not left */
    pthread_mutex_t writes;    /* one change with If-Match at a time, so that it is checked against what is changed */
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

static struct buf answer_text(json_t *json)
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

/* Counters move with every record; they must not make a change of settings look like a conflict. */
static json_t *without_counts(const json_t *object)
{
    json_t *copy = json_copy((json_t *)(uintptr_t)object);
    json_object_del(copy, "counts");
    return copy;
}

/* What an ETag stands for: everything of an object that somebody may change. */
static uint64_t version_of(const json_t *json)
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

static enum MHD_Result send_json(struct MHD_Connection *c, int status, json_t *json, const char *type)
{
    AUTO(buf_done) struct buf text = answer_text(json);
    char etag[32];
    snprintf(etag, sizeof etag, "\"%016llx\"", (unsigned long long)version_of(json));
    return send_bytes(c, status, type, &text, (struct extra){"ETag", status == 200 ? etag : NULL});
}

static enum MHD_Result send_problem(struct MHD_Connection *c, const struct err *e, int status)
{
    json_t *json = problem_json(e, status);
    enum MHD_Result rc = send_json(c, status, json, "application/problem+json");
    json_decref(json);
    return rc;
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

static enum MHD_Result send_stream(struct MHD_Connection *c, struct stream *stream, const char *type)
{
    struct open_stream *s = calloc(1, sizeof *s);
    ASSERT(s);
    s->stream = stream;
    struct MHD_Response *r = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 8192, stream_read, s, stream_close);
    MHD_add_response_header(r, "Content-Type", type ? type : "application/x-ndjson");
    enum MHD_Result rc = MHD_queue_response(c, 200, r);
    MHD_destroy_response(r);
    return rc;
}

/* ---- who asks ---- */

/* Peer credentials of the socket. Root, our own user and the group may come in. False: refused. */
static bool peer_allowed(const struct server *s, struct request *rq)
{
    if (!s->options.socket_path)
        return true;
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(rq->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct ucred peer = {0};
    socklen_t n = sizeof peer;
    if (!info || getsockopt(info->connect_fd, SOL_SOCKET, SO_PEERCRED, &peer, &n))
        return false;
    char name[64] = "?", space[1024];
    struct passwd entry, *found = NULL;
    if (getpwuid_r(peer.uid, &entry, space, sizeof space, &found) == 0 && found)
        snprintf(name, sizeof name, "%s", found->pw_name);
    rq->actor = arena_fmt(&rq->arena, "uid %u (%s)", (unsigned)peer.uid, name);
    if (peer.uid == 0 || peer.uid == geteuid() || peer.gid == s->options.socket_group)
        return true;
    /* The socket's mode (0660, group) has let supplementary members of the group in already. */
    return s->options.socket_group != UINT32_MAX;
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

/* ---- dispatch ---- */

struct unknown_param {
    const struct route *route;
    const char *name;
};

static enum MHD_Result check_param(void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
    (void)kind;
    (void)value;
    struct unknown_param *u = cls;
    if (route_takes_param(u->route, str_of(name)))
        return MHD_YES;
    u->name = name;
    return MHD_NO;
}

/* What nobody reads is refused rather than ignored: it was meant to matter. */
static int check_known(const struct route *route, struct request *rq, struct err *e, int *http_out)
{
    struct unknown_param u = {route, NULL};
    MHD_get_connection_values(rq->connection, MHD_GET_ARGUMENT_KIND, check_param, &u);
    if (u.name) {
        err_set(e, E_USAGE, "%s %s has no parameter \"%s\"", route->method, route->path, u.name);
        err_hint(e, "it knows: %s", route->params ? route->params : "none");
        return E_USAGE;
    }
    const char *member;
    json_t *value;
    json_object_foreach(rq->body, member, value)
    {
        if (route_takes_member(route, str_of(member)))
            continue;
        *http_out = 422;
        err_set(e, TL_E_INVALID, "%s %s has no member \"%s\" in its body", route->method, route->path, member);
        snprintf(e->field, sizeof e->field, "%s", member);
        err_hint(e, "it knows: %s", route->body ? route->body : "none");
        return TL_E_INVALID;
    }
    return TL_OK;
}

static int parse_body(struct request *rq, struct err *e)
{
    if (rq->raw_body.n == 0)
        return TL_OK;
    json_error_t problem;
    rq->body = json_loadb(rq->raw_body.p, rq->raw_body.n, JSON_REJECT_DUPLICATES, &problem);
    if (rq->body && json_is_object(rq->body))
        return TL_OK;
    return err_set(e, TL_E_INVALID, "request body is not a JSON object: %s", rq->body ? "another type" : problem.text);
}

/* The object's ETag as its GET would tell it now, compared with If-Match. */
static int check_match(struct server *s, struct request *rq, struct err *e, int *http_out)
{
    str wanted = request_header(rq, "If-Match");
    if (wanted.n == 0) {
        *http_out = 428;
        return err_set(e, E_PRECONDITION, "If-Match is required: read the object first and send its ETag");
    }
    if (str_is(wanted, "*"))
        return TL_OK;
    struct request get = *rq;
    get.method = STR("GET");
    const struct route *route = route_find(s->options.tables, &get, NULL);
    json_t *now = NULL;
    int rc = route ? route->handler(&get, &now, e) : TL_OK;
    rq->arena = get.arena; /* with what was added to it */
    if (rc || !route)
        return rc;
    char etag[32];
    snprintf(etag, sizeof etag, "\"%016llx\"", (unsigned long long)version_of(now));
    json_decref(now);
    if (str_is(wanted, etag))
        return TL_OK;
    *http_out = 412;
    rc = err_set(e, TL_E_CONFLICT, "the object was changed meanwhile by somebody else");
    err_hint(e, "read it again and repeat the change");
    return rc;
}

static int run_route(struct server *s, const struct route *route, struct request *rq, json_t **answer, struct err *e,
                     int *http_out)
{
    int rc = parse_body(rq, e);
    if (!rc)
        rc = check_known(route, rq, e, http_out);
    if (rc)
        return rc;
    if (!(route->flags & ROUTE_WRITE))
        return route->handler(rq, answer, e);
    if (request_flag(rq, "dry_run") && !(route->flags & ROUTE_DRY))
        return err_set(e, E_USAGE, "this change has no preview; nothing was done");
    /* One at a time only where an object is compared first: other changes may wait for a vendor or for a drain, and
     * the control thread puts them in order anyway. */
    if (!(route->flags & ROUTE_MATCH))
        return route->handler(rq, answer, e);
    pthread_mutex_lock(&s->writes);
    rc = check_match(s, rq, e, http_out);
    if (!rc)
        rc = route->handler(rq, answer, e);
    pthread_mutex_unlock(&s->writes);
    return rc;
}

static enum MHD_Result send_other_method(struct server *s, struct request *rq, const struct err *e)
{
    AUTO(buf_done) struct buf allow = {0};
    route_methods(s->options.tables, rq->path, &allow);
    json_t *json = problem_json(e, 405);
    struct buf text = answer_text(json);
    json_decref(json);
    enum MHD_Result rc =
        send_bytes(rq->connection, 405, "application/problem+json", &text, (struct extra){"Allow", buf_text(&allow)});
    buf_done(&text);
    return rc;
}

static enum MHD_Result answer_route(struct server *s, struct request *rq)
{
    bool other_method = false;
    struct err e = {0};
    int http = 0;
    const struct route *route = route_find(s->options.tables, rq, &other_method);
    if (!route) {
        err_set(&e, other_method ? E_USAGE : TL_E_NOT_FOUND, "%s %s: %s", rq->method.p, rq->path.p,
                other_method ? "the path does not know this method" : "no such path");
        return other_method ? send_other_method(s, rq, &e) : send_problem(rq->connection, &e, 404);
    }
    json_t *answer = NULL;
    int rc = run_route(s, route, rq, &answer, &e, &http);
    enum MHD_Result sent;
    if (rc) {
        if (!e.status)
            err_set(&e, rc, "%s", status_name(rc));
        sent = send_problem(rq->connection, &e, http ? http : problem_status(rc));
    } else if (rq->stream) {
        sent = send_stream(rq->connection, rq->stream, rq->stream_type);
    } else {
        sent = send_json(rq->connection, rq->http_status, answer, "application/json");
    }
    json_decref(answer);
    return sent;
}

static enum MHD_Result send_text(struct MHD_Connection *c, int status, const char *text)
{
    AUTO(buf_done) struct buf body = {0};
    buf_text_add(&body, text);
    return send_bytes(c, status, "text/plain; charset=utf-8", &body, (struct extra){NULL, NULL});
}

static enum MHD_Result answer_raw(struct server *s, struct request *rq)
{
    const char *text = "";
    int status = s->options.raw(s->options.raw_self, rq, &text);
    return status ? send_text(rq->connection, status, text) : MHD_YES;
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
    return send_problem(c, &e, 413);
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
                         .actor = "unknown",
                         .http_status = 200,
                         .held = &in->held};
    enum MHD_Result rc;
    struct err e = {0};
    const char *path = path_of(in, &rq.arena);
    rq.path = str_of(path ? path : "");
    if (in->body.full) {
        rc = send_too_large(s, c);
    } else if (!path) {
        err_set(&e, TL_E_INVALID, "malformed request: a NUL in its address");
        rc = send_problem(c, &e, 400);
    } else if (!peer_allowed(s, &rq)) {
        err_set(&e, TL_E_DENIED, "this user may not use the API");
        err_hint(&e, "run the command as root or as a member of the group named by [api] group");
        rc = send_problem(c, &e, 403);
    } else {
        rc = s->options.raw ? answer_raw(s, &rq) : answer_route(s, &rq);
    }
    json_decref(rq.body);
    arena_done(&rq.arena);
    return rc;
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
            return send_problem(c, &e, 400);
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
        return send_text(c, in->held.status, in->held.text);
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

/* ---- listening ---- */

static int listen_unix(struct server *s, struct err *e)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    if (strlen(s->socket_path) >= sizeof addr.sun_path)
        return err_set(e, TL_E_CONFIG, "[api] socket = %s: longer than %zu bytes", s->socket_path,
                       sizeof addr.sun_path - 1);
    memcpy(addr.sun_path, s->socket_path, strlen(s->socket_path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return err_errno(e, "cannot make the API socket");
    if (connect(fd, (struct sockaddr *)&addr, sizeof addr) == 0) {
        close(fd);
        err_set(e, E_BUSY, "another tielined answers on \"%s\"", s->socket_path);
        err_hint(e, "stop it first, or give this one its own [api] socket and [core] state_dir");
        return -1;
    }
    bool left_behind = errno == ECONNREFUSED; /* by a daemon that was killed */
    close(fd);
    struct stat st;
    if (lstat(s->socket_path, &st) == 0 && (!S_ISSOCK(st.st_mode) || !left_behind)) {
        err_set(e, TL_E_CONFIG, "[api] socket = %s: %s", s->socket_path,
                S_ISSOCK(st.st_mode) ? "is a socket of another kind or user" : "there is something else than a socket");
        err_hint(e, "look at it, then remove it or name another path");
        return -1;
    }
    if (left_behind)
        unlink(s->socket_path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    mode_t old = umask(0117);
    int rc = bind(fd, (struct sockaddr *)&addr, sizeof addr);
    umask(old);
    if (rc || listen(fd, 64)) {
        err_errno(e, "cannot listen on \"%s\"", s->socket_path);
        err_hint(e, "does its directory exist, and may the daemon's user write there?");
        close(fd);
        return -1;
    }
    if (s->options.socket_group != UINT32_MAX && chown(s->socket_path, (uid_t)-1, s->options.socket_group)) {
        struct err why = {0};
        err_errno(&why, "members of [api] group (gid %u) cannot use the API: cannot hand them \"%s\"",
                  s->options.socket_group, s->socket_path);
        err_hint(&why, "the daemon's user must be in the group: SupplementaryGroups= in the unit, or usermod -aG");
        log_err(LOG_ERROR, NULL, &why);
    }
    return fd;
}

static int listen_tcp(const char *address, struct err *e)
{
    char host[256];
    const char *colon = strrchr(address, ':');
    snprintf(host, sizeof host, "%.*s", colon ? (int)(colon - address) : 0, address);
    const char *name = host[0] == '[' ? host + 1 : host;
    if (host[0] == '[' && strlen(host) > 1)
        host[strlen(host) - 1] = 0;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV}, *found = NULL;
    int rc = getaddrinfo(name, colon ? colon + 1 : "0", &hints, &found);
    if (rc)
        return err_set(e, TL_E_CONFIG, "cannot listen on \"%s\": %s", address, gai_strerror(rc)), -1;
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (fd < 0 || bind(fd, found->ai_addr, found->ai_addrlen) || listen(fd, 128)) {
        err_errno(e, "cannot listen on \"%s\"", address);
        err_hint(e, "is the port in use? see: ss -ltnp");
        if (fd >= 0)
            close(fd);
        fd = -1;
    }
    freeaddrinfo(found);
    return fd;
}

/* A peer that hangs up makes the library say something, with a line end of its own; the server is well. */
static void library_log(void *ctx, const char *fmt, va_list ap)
{
    (void)ctx;
    char line[512];
    vsnprintf(line, sizeof line, fmt, ap);
    log_line(LOG_DEBUG, "http", "%.*s", STR_FMT(str_trim(str_of(line))));
}

int server_start(struct server **out, struct app *app, const struct server_options *options, struct err *e)
{
    struct server *s = calloc(1, sizeof *s);
    ASSERT(s);
    s->app = app;
    s->options = *options;
    s->socket_path = options->socket_path ? text_dup(options->socket_path) : NULL;
    s->options.socket_path = s->socket_path;
    pthread_mutex_init(&s->writes, NULL);
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->fewer, NULL);
    int fd = s->socket_path ? listen_unix(s, e) : listen_tcp(options->address, e);
    if (fd < 0) {
        s->socket_path = text_free(s->socket_path);
        free(s);
        return e ? e->status : TL_E_CONFIG;
    }
    unsigned mode = s->options.raw ? MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME
                                   : MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL;
    struct MHD_OptionItem extra[4] = {{MHD_OPTION_END, 0, NULL}};
    if (s->options.raw) {
        s->arrivals = arrivals_start(&(struct arrival_limits){.head_us = HEAD_LIMIT_S * US_PER_S,
                                                              .body_us = BODY_LIMIT_S * US_PER_S,
                                                              .again_us = HEADER_TIMEOUT_S * US_PER_S,
                                                              .most = MAX_CONNECTIONS * 3 / 4});
        const struct MHD_OptionItem items[] = {
            {MHD_OPTION_THREAD_POOL_SIZE, options->threads > 1 ? options->threads : 2, NULL},
            {MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)on_connection, s},
            {options->max_per_address ? MHD_OPTION_PER_IP_CONNECTION_LIMIT : MHD_OPTION_END, options->max_per_address,
             NULL},
            {MHD_OPTION_END, 0, NULL},
        };
        memcpy(extra, items, sizeof items);
    }
    s->daemon = MHD_start_daemon(mode | MHD_USE_ERROR_LOG, 0, NULL, NULL, on_request, s, MHD_OPTION_EXTERNAL_LOGGER,
                                 library_log, NULL, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_NOTIFY_COMPLETED,
                                 on_completed, s, MHD_OPTION_URI_LOG_CALLBACK, on_target, s,
                                 MHD_OPTION_CONNECTION_LIMIT, (unsigned)MAX_CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT,
                                 (unsigned)HEADER_TIMEOUT_S, MHD_OPTION_ARRAY, extra, MHD_OPTION_END);
    if (!s->daemon) {
        close(fd);
        s->arrivals = arrivals_stop(s->arrivals);
        s->socket_path = text_free(s->socket_path);
        free(s);
        return err_set(e, TL_E_BUG, "the HTTP server library refused to start");
    }
    *out = s;
    return TL_OK;
}

struct server *server_stop(struct server *s)
{
    if (s) {
        let_answers_leave(s);
        MHD_stop_daemon(s->daemon);
        s->arrivals = arrivals_stop(s->arrivals);
        if (s->socket_path)
            unlink(s->socket_path);
        pthread_mutex_destroy(&s->writes);
        pthread_mutex_destroy(&s->lock);
        pthread_cond_destroy(&s->fewer);
        s->socket_path = text_free(s->socket_path);
        free(s);
    }
    return NULL;
}
