/* The world and its ports: one libmicrohttpd daemon and thread per twin, one lock around all handlers, a timer thread
 * for answers that are held back. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "server_int.h"
#include "times.h"

enum { DRAIN_US = 2000 * 1000 };

int64_t mono_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * US_PER_S + t.tv_nsec / 1000;
}

static int64_t wall_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * US_PER_S + t.tv_nsec / 1000;
}

/* ---- the clock, randomness, notes --------------------------------------- */

int64_t sandbox_now_us(const struct sandbox *w)
{
    return w->frozen ? w->base_us : w->base_us + (mono_us() - w->base_mono_us);
}

void sandbox_set_clock(struct sandbox *w, int64_t us, bool frozen)
{
    w->base_us = us;
    w->base_mono_us = mono_us();
    w->frozen = frozen;
}

void sandbox_advance(struct sandbox *w, int64_t us)
{
    w->base_us += us;
}

uint64_t sandbox_random(struct sandbox *w)
{
    return env_random_u64(&w->rng.env);
}

void sandbox_random_hex(struct sandbox *w, char *out, size_t digits)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < digits; i++, bits >>= 4) {
        if (i % 16 == 0)
            bits = sandbox_random(w);
        out[i] = "0123456789abcdef"[bits & 15];
    }
    out[digits] = '\0';
}

uint64_t sandbox_seed(const struct sandbox *w)
{
    return w->seed;
}

void sandbox_violation(struct sandbox *w, struct twin *t, const char *fmt, ...)
{
    int64_t n = w->violation_count++;
    t->violations++;
    if (n >= VIOLATIONS_MAX)
        return;
    AUTO(buf_done) struct buf b = {0};
    buf_fmt(&b, "%s: ", t->ops->name);
    va_list ap;
    va_start(ap, fmt);
    buf_fmtv(&b, fmt, ap);
    va_end(ap);
    w->violations[n] = text_dup(buf_text(&b));
}

void sandbox_plant(struct sandbox *w, const char *side, const char *kind, const char *id, const char *case_name,
                   const char *reason)
{
    w->plants = realloc(w->plants, (w->plant_count + 1) * sizeof *w->plants);
    ASSERT(w->plants != NULL);
    w->plants[w->plant_count++] = (struct plant){text_dup(side), text_dup(kind), text_dup(id), text_dup(case_name),
                                                 reason ? text_dup(reason) : NULL};
}

void sandbox_lock(struct sandbox *w)
{
    pthread_mutex_lock(&w->lock);
}

void sandbox_unlock(struct sandbox *w)
{
    pthread_mutex_unlock(&w->lock);
}

/* ---- twins -------------------------------------------------------------- */

void *twin_self(const struct twin *t)
{
    return t->self;
}

const char *twin_name(const struct twin *t)
{
    return t->ops->name;
}

int twin_port(const struct twin *t)
{
    return t->port;
}

const char *twin_url(const struct twin *t)
{
    return t->url;
}

unsigned twin_in_flight(const struct twin *t)
{
    return t->in_flight;
}

static struct sandbox_switch *switch_find(const struct twin *t, const char *name)
{
    for (size_t i = 0; i < t->switch_count; i++) {
        if (strcmp(t->switches[i].name, name) == 0)
            return &t->switches[i];
    }
    return NULL;
}

int64_t twin_switch(const struct twin *t, const char *name)
{
    const struct sandbox_switch *s = switch_find(t, name);
    ASSERT(s != NULL);
    return s->value;
}

bool twin_has_switch(const struct twin *t, const char *name)
{
    return switch_find(t, name) != NULL;
}

void twin_switch_set(struct twin *t, const char *name, int64_t value)
{
    struct sandbox_switch *s = switch_find(t, name);
    ASSERT(s != NULL);
    s->value = value;
}

struct twin *sandbox_twin(struct sandbox *w, const char *name)
{
    for (unsigned i = 0; i < w->twin_count; i++) {
        if (strcmp(w->twins[i]->ops->name, name) == 0)
            return w->twins[i];
    }
    return NULL;
}

struct twin *sandbox_twin_at(struct sandbox *w, unsigned i)
{
    return i < w->twin_count ? w->twins[i] : NULL;
}

/* Every twin has these besides its own. */
static const struct sandbox_switch common_switches[] = {
    {"latency_ms", 0, "every answer is held back for so long"},
};

struct twin *sandbox_add(struct sandbox *w, const struct twin_ops *ops, void *self, int port)
{
    ASSERT(w->twin_count < TWINS_MAX && !w->running);
    struct twin *t = calloc(1, sizeof *t);
    ASSERT(t != NULL);
    t->ops = ops;
    t->self = self;
    t->world = w;
    t->port = port;
    t->by_route = calloc(ops->route_count + 1, sizeof *t->by_route);
    t->switch_count = ops->switch_count + ARRAY_LEN(common_switches);
    t->switches = calloc(t->switch_count, sizeof *t->switches);
    ASSERT(t->by_route != NULL && t->switches != NULL);
    memcpy(t->switches, common_switches, sizeof common_switches);
    if (ops->switch_count)
        memcpy(t->switches + ARRAY_LEN(common_switches), ops->switches, sizeof *t->switches * ops->switch_count);
    w->twins[w->twin_count++] = t;
    return t;
}

static void twin_free(struct twin *t)
{
    if (t->ops->free_self && t->self)
        t->ops->free_self(t->self);
    free(t->by_route);
    free(t->switches);
    free(t);
}

/* ---- the log ------------------------------------------------------------ */

void log_forget(struct sandbox *w)
{
    for (size_t i = 0; i < LOG_MAX; i++) {
        text_free(w->log[i].target);
        text_free(w->log[i].body);
        w->log[i] = (struct log_entry){0};
    }
}

static void log_call(struct call_impl *i)
{
    struct call *c = &i->call;
    struct sandbox *w = c->world;
    struct log_entry *x = &w->log[w->log_seq % LOG_MAX];
    text_free(x->target);
    text_free(x->body);
    *x = (struct log_entry){
        .seq = ++w->log_seq,
        .at_us = sandbox_now_us(w),
        .twin = c->twin->ops->name,
        .fault = i->fault_name,
        .route = c->route ? c->route->pattern : "",
        .target = text_fmt("%.*s%s%.*s", STR_FMT(c->path), c->query.n ? "?" : "", STR_FMT(c->query)),
        .body = w->log_bodies
                    ? text_fmt("%.*s", (int)(c->body.n > 65536 ? 65536 : c->body.n), c->body.n ? c->body.p : "")
                    : NULL,
        .status = c->drop ? 0 : c->status,
        .bytes_in = c->body.n,
        .bytes_out = c->out.n,
    };
    snprintf(x->method, sizeof x->method, "%s", i->method_z);
}

static void count_call(struct call_impl *i)
{
    struct call *c = &i->call;
    struct twin *t = c->twin;
    if (t->ops == &control_ops)
        return;
    t->calls++;
    if (c->status >= 100 && c->status < 600 && !c->drop)
        t->by_class[c->status / 100]++;
    if (c->route)
        t->by_route[c->route - t->ops->routes]++;
    log_call(i);
}

/* ---- answers ------------------------------------------------------------ */

static ssize_t body_read(void *cls, uint64_t pos, char *out, size_t max)
{
    struct call_impl *i = cls;
    size_t end = i->call.out.n;
    if (i->truncate)
        end = i->truncate_at >= 0 && (size_t)i->truncate_at < end ? (size_t)i->truncate_at : end / 2;
    if (pos >= end)
        return i->truncate ? MHD_CONTENT_READER_END_WITH_ERROR : MHD_CONTENT_READER_END_OF_STREAM;
    size_t n = end - (size_t)pos < max ? end - (size_t)pos : max;
    memcpy(out, i->call.out.p + pos, n);
    return (ssize_t)n;
}

static struct MHD_Response *response_new(struct call_impl *i)
{
    struct call *c = &i->call;
    if ((c->chunked && c->out.n) || i->truncate)
        return MHD_create_response_from_callback(c->chunked ? MHD_SIZE_UNKNOWN : c->out.n, 65536, body_read, i, NULL);
    return MHD_create_response_from_buffer(c->out.n, c->out.p, MHD_RESPMEM_PERSISTENT); /* lives as long as the call */
}

static enum MHD_Result answer_send(struct call_impl *i)
{
    struct call *c = &i->call;
    i->sent = true;
    if (c->drop)
        return MHD_NO;
    struct MHD_Response *r = response_new(i);
    if (!r)
        return MHD_NO;
    AUTO(buf_done) struct buf date = {0};
    sandbox_lock(c->world);
    http_date_format(&date, sandbox_now_us(c->world) + c->twin->skew_us);
    sandbox_unlock(c->world);
    MHD_add_response_header(r, MHD_HTTP_HEADER_DATE, buf_text(&date));
    const char *type = c->content_type ? c->content_type : c->twin->ops->content_type;
    if (c->out.n && type)
        MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    for (unsigned h = 0; h < i->header_count; h++)
        MHD_add_response_header(r, i->headers[h].name, i->headers[h].value);
    enum MHD_Result done = MHD_queue_response(i->connection, (unsigned)c->status, r);
    MHD_destroy_response(r);
    return done;
}

/* Puts the call among the waiting ones; the timer resumes it. */
static void hold_back(struct call_impl *i)
{
    struct sandbox *w = i->call.world;
    i->due_us = mono_us() + i->delay_ms * 1000;
    struct call_impl **at = &w->waiting;
    while (*at && (*at)->due_us <= i->due_us)
        at = &(*at)->next_waiting;
    i->next_waiting = *at;
    *at = i;
    pthread_cond_signal(&w->timer_wake);
}

void call_defer(struct call *c)
{
    c->impl->deferred = true;
}

static void call_complete(struct call_impl *i)
{
    struct call *c = &i->call;
    if (!c->status) {
        log_line(LOG_ERROR, NULL, "handler of %s left %.*s without an answer", c->twin->ops->name, STR_FMT(c->path));
        call_answer_empty(c, 500);
    }
    if (c->twin->ops->after && !c->drop)
        c->twin->ops->after(c);
    i->delay_ms += c->twin->switches[0].value; /* latency_ms */
    count_call(i);
}

void call_finish(struct call *c)
{
    struct call_impl *i = c->impl;
    i->deferred = false;
    call_complete(i);
    if (i->delay_ms > 0 && !c->world->stopping)
        hold_back(i);
    else
        MHD_resume_connection(i->connection);
}

static void *timer_main(void *arg)
{
    struct sandbox *w = arg;
    sandbox_lock(w);
    while (!w->stopping || w->waiting) {
        struct call_impl *first = w->waiting;
        if (first && (first->due_us <= mono_us() || w->stopping)) {
            w->waiting = first->next_waiting;
            MHD_resume_connection(first->connection);
        } else if (first) {
            struct timespec t = {.tv_sec = first->due_us / US_PER_S, .tv_nsec = first->due_us % US_PER_S * 1000};
            pthread_cond_timedwait(&w->timer_wake, &w->lock, &t);
        } else {
            pthread_cond_wait(&w->timer_wake, &w->lock);
        }
    }
    sandbox_unlock(w);
    return NULL;
}

/* ---- requests ----------------------------------------------------------- */

static void call_route(struct call_impl *i)
{
    struct call *c = &i->call;
    const struct twin_ops *ops = c->twin->ops;
    bool wrong_method;
    c->route = route_find(ops->routes, ops->route_count, c, &wrong_method);
    if (!c->route && wrong_method)
        c->twin->wrong_method++;
    else if (!c->route)
        c->twin->unknown++;
    faults_before(i);
    if (!c->status && ops->before)
        ops->before(c, c->route);
    if (c->status)
        return;
    if (c->route)
        c->route->fn(c);
    else if (wrong_method)
        ops->wrong_method(c);
    else
        ops->unknown(c);
}

/* Runs the handler under the lock. True: the answer can go out at once; else the connection is suspended. */
static bool call_run(struct call_impl *i)
{
    struct sandbox *w = i->call.world;
    sandbox_lock(w);
    i->ran = true;
    i->call.body = buf_lent(&i->body);
    call_route(i);
    bool now = false;
    if (!i->deferred) {
        call_complete(i);
        now = i->delay_ms <= 0 || w->stopping;
    }
    if (!now)
        MHD_suspend_connection(i->connection);
    if (!now && !i->deferred)
        hold_back(i);
    sandbox_unlock(w);
    return now;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
                                  const char *version, const char *data, size_t *data_size, void **con_cls)
{
    (void)url, (void)version;
    struct twin *t = cls;
    struct call_impl *i = *con_cls;
    if (!i)
        return MHD_NO;
    if (!i->begun) {
        i->begun = true;
        i->connection = connection;
        i->method_z = method;
        i->call.method = str_of(method);
        sandbox_lock(t->world);
        t->in_flight++;
        sandbox_unlock(t->world);
        return MHD_YES;
    }
    if (*data_size) {
        buf_add(&i->body, data, *data_size);
        *data_size = 0;
        return MHD_YES;
    }
    if (i->sent)
        return MHD_YES;
    if (!i->ran && i->body.full) {
        call_answer_empty(&i->call, 413);
        return answer_send(i);
    }
    if (!i->ran && !call_run(i))
        return MHD_YES;
    return answer_send(i);
}

/* The request line as received: the one place that sees the query undecoded. */
static void *on_uri(void *cls, const char *uri, struct MHD_Connection *connection)
{
    (void)connection;
    struct twin *t = cls;
    struct call_impl *i = calloc(1, sizeof *i);
    if (!i)
        return NULL;
    struct call *c = &i->call;
    *c = (struct call){.twin = t, .world = t->world, .self = t->self, .impl = i, .chunked = t->ops->chunked};
    i->body.max = CALL_BODY_MAX;
    c->out.max = CALL_BODY_MAX;
    i->fault_name = "";
    str whole = str_of(uri);
    const char *mark = memchr(whole.p, '?', whole.n);
    str path = mark ? str_n(whole.p, (size_t)(mark - whole.p)) : whole;
    c->path = percent_decoded(&c->arena, path, false);
    c->query = mark ? arena_str(&c->arena, str_n(mark + 1, whole.n - path.n - 1)) : str_n("", 0);
    return i;
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **con_cls,
                         enum MHD_RequestTerminationCode why)
{
    (void)connection, (void)why;
    struct twin *t = cls;
    struct call_impl *i = *con_cls;
    if (!i)
        return;
    if (i->begun) {
        sandbox_lock(t->world);
        t->in_flight--;
        pthread_cond_broadcast(&t->world->ended);
        sandbox_unlock(t->world);
    }
    json_decref(i->json);
    arena_done(&i->call.arena);
    buf_done(&i->call.out);
    buf_done(&i->body);
    free(i);
    *con_cls = NULL;
}

/* ---- start and stop ----------------------------------------------------- */

struct sandbox *sandbox_new(const struct sandbox_options *options)
{
    struct sandbox *w = calloc(1, sizeof *w);
    ASSERT(w != NULL);
    w->log = calloc(LOG_MAX, sizeof *w->log);
    ASSERT(w->log != NULL);
    pthread_mutex_init(&w->lock, NULL);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&w->timer_wake, &attr);
    pthread_cond_init(&w->ended, &attr);
    pthread_condattr_destroy(&attr);
    w->seed = options->seed;
    env_sim_init(&w->rng, options->seed, 0);
    sandbox_set_clock(w, options->start_us ? options->start_us : wall_us(), options->frozen);
    sandbox_add(w, &control_ops, NULL, options->control_port);
    return w;
}

static int twin_listen(struct twin *t, struct err *e)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)t->port)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_SUPPRESS_DATE_NO_CLOCK;
    t->daemon =
        MHD_start_daemon(flags, (uint16_t)t->port, NULL, NULL, on_request, t, MHD_OPTION_SOCK_ADDR, &at,
                         MHD_OPTION_URI_LOG_CALLBACK, on_uri, t, MHD_OPTION_NOTIFY_COMPLETED, on_completed, t,
                         MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)128 << 10, MHD_OPTION_CONNECTION_LIMIT, 1000u,
                         MHD_OPTION_CONNECTION_TIMEOUT, 300u, MHD_OPTION_LISTENING_ADDRESS_REUSE, 1u, MHD_OPTION_END);
    if (!t->daemon)
        return err_errno(e, "cannot listen on 127.0.0.1:%d for the twin \"%s\"", t->port, t->ops->name);
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(t->daemon, MHD_DAEMON_INFO_BIND_PORT);
    t->port = info->port;
    snprintf(t->url, sizeof t->url, "http://127.0.0.1:%d", t->port);
    return TL_OK;
}

int sandbox_start(struct sandbox *w, struct err *e)
{
    sandbox_lock(w); /* no handler runs before every address is known */
    int rc = TL_OK;
    for (unsigned i = 0; i < w->twin_count && !rc; i++)
        rc = twin_listen(w->twins[i], e);
    if (!rc) {
        w->timer_running = pthread_create(&w->timer, NULL, timer_main, w) == 0;
        ASSERT(w->timer_running);
    }
    w->running = true;
    sandbox_unlock(w);
    if (rc)
        sandbox_stop(w);
    return rc;
}

static bool any_in_flight(const struct sandbox *w)
{
    for (unsigned i = 0; i < w->twin_count; i++) {
        if (w->twins[i]->in_flight)
            return true;
    }
    return false;
}

/* What was begun is answered before its connection is closed, within a bound: a client may never send its body. */
static void drain(struct sandbox *w)
{
    for (unsigned i = 0; i < w->twin_count; i++) {
        MHD_socket listening = w->twins[i]->daemon ? MHD_quiesce_daemon(w->twins[i]->daemon) : MHD_INVALID_SOCKET;
        if (listening != MHD_INVALID_SOCKET)
            close(listening);
    }
    int64_t until = mono_us() + DRAIN_US;
    struct timespec t = {.tv_sec = until / US_PER_S, .tv_nsec = until % US_PER_S * 1000};
    sandbox_lock(w);
    while (any_in_flight(w) && !pthread_cond_timedwait(&w->ended, &w->lock, &t)) {
    }
    sandbox_unlock(w);
}

void sandbox_stop(struct sandbox *w)
{
    if (!w->running)
        return;
    sandbox_lock(w);
    w->stopping = true;
    pthread_cond_signal(&w->timer_wake);
    sandbox_unlock(w);
    for (unsigned i = 0; i < w->twin_count; i++) {
        if (w->twins[i]->ops->stop)
            w->twins[i]->ops->stop(w->twins[i]->self);
    }
    if (w->timer_running)
        pthread_join(w->timer, NULL);
    drain(w);
    for (unsigned i = 0; i < w->twin_count; i++) {
        if (w->twins[i]->daemon)
            MHD_stop_daemon(w->twins[i]->daemon);
        w->twins[i]->daemon = NULL;
    }
    w->running = w->timer_running = false;
}

struct sandbox *sandbox_free(struct sandbox *w)
{
    if (!w)
        return NULL;
    sandbox_stop(w);
    for (unsigned i = 0; i < w->twin_count; i++)
        twin_free(w->twins[i]);
    fault_remove(w, 0);
    log_forget(w);
    free(w->log);
    for (size_t i = 0; i < w->plant_count; i++) {
        struct plant *p = &w->plants[i];
        text_free(p->side), text_free(p->kind), text_free(p->id), text_free(p->name), text_free(p->reason);
    }
    free(w->plants);
    for (int64_t i = 0; i < w->violation_count && i < VIOLATIONS_MAX; i++)
        text_free(w->violations[i]);
    pthread_cond_destroy(&w->timer_wake);
    pthread_cond_destroy(&w->ended);
    pthread_mutex_destroy(&w->lock);
    free(w);
    return NULL;
}
