/* Routes of running sync: start, status, history, failures, events. */
#include <pthread.h>
#include <stdlib.h>

#include "csv_answer.h"
#include "outages.h"
#include "shapes.h"
#include "times.h"
#include "verb.h"
#include "view.h"

static int run_start(struct verb *v, struct err *e)
{
    struct sync_request r = {.connection = v->text[0], .kind = v->text[1], .full = v->flag};
    if (v->number) /* a dry run */
        return admin_sync_preview(v->app->engine, &r, &v->out, e);
    int rc = admin_sync_start(v->app->engine, &r, &v->out, e);
    if (rc)
        return rc;
    outages_warn(v->app, r.connection, json_object_get(v->out, "warnings"));
    outages_hurry(v->app, r.connection);
    return TL_OK;
}

static int start_sync(struct request *rq, json_t **answer, struct err *e)
{
    struct verb v;
    bool dry = request_flag(rq, "dry_run");
    verb_init(&v, rq, dry ? "sync.preview" : "sync.start", body_text(rq, "connection"));
    v.number = dry;
    int rc = body_need_text(rq, "connection", &v.text[0], e);
    v.text[1] = body_text(rq, "kind");
    v.flag = json_is_true(json_object_get(rq->body, "full"));
    rq->http_status = 202;
    return rc ? rc : verb_run(&v, run_start, answer, e);
}

static int run_cancel(struct verb *v, struct err *e)
{
    return admin_sync_cancel(v->app->engine, v->object, &v->out, e);
}

static int cancel_sync(struct request *rq, json_t **answer, struct err *e)
{
    struct verb v;
    verb_init(&v, rq, "sync.cancel", capture(rq, 0));
    return verb_run(&v, run_cancel, answer, e);
}

static int read_status(struct request *rq, json_t **out, struct err *e)
{
    const char *connection = param_text(rq, "connection");
    WITH_READER(rq, db, e,
                not_found_words(e, view_status(db, connection, env_now_us(rq->app->env), out, e), "connection",
                                connection ? connection : ""));
}

static int run_waits(struct verb *v, struct err *e)
{
    (void)e;
    outages_of_connections(v->app, json_object_get(v->out, "items"));
    return TL_OK;
}

static int sync_status(struct request *rq, json_t **answer, struct err *e)
{
    struct verb v;
    verb_init(&v, rq, NULL, NULL);
    int rc = read_status(rq, &v.out, e);
    return rc ? rc : verb_run(&v, run_waits, answer, e);
}

static int page_of(struct request *rq, struct view_page *page, struct err *e)
{
    int64_t limit;
    int rc = request_number(rq, "limit", 100, 1, 1000, &limit, e);
    if (!rc)
        rc = request_number(rq, "after", 0, 0, INT64_MAX, &page->after, e);
    page->limit = (uint32_t)limit;
    return rc;
}

static const struct csv_column history_columns[] = {
    {"run", "run", false},         {"date", "date", true},
    {"source", "source", false},   {"destination", "destination", false},
    {"records", "kind", false},    {"run kind", "run_kind", false},
    {"added", "added", false},     {"updated", "updated", false},
    {"matched", "matched", false}, {"conflicts", "conflicts", false},
    {"failed", "failed", false},   {"state", "state", false},
    {"ended", "ended", true},      {NULL, NULL, false}};

static int read_history(struct request *rq, int64_t since_us, const struct view_page *page, json_t **out, struct err *e)
{
    const char *connection = param_text(rq, "connection");
    WITH_READER(rq, db, e,
                not_found_words(e, view_history(db, connection, since_us, page, out, e), "connection",
                                connection ? connection : ""));
}

static int sync_history(struct request *rq, json_t **answer, struct err *e)
{
    struct view_page page;
    int64_t days;
    int rc = page_of(rq, &page, e);
    if (!rc)
        rc = request_number(rq, "days", 7, 1, 3650, &days, e);
    if (rc)
        return rc;
    int64_t since = env_now_us(rq->app->env) - days * US_PER_DAY;
    const char *from = param_text(rq, "since");
    if (from && !time_parse(str_of(from), &since)) {
        err_set(e, TL_E_INVALID, "\"since\" is no time: \"%s\"", from);
        err_hint(e, "as in RFC 3339: 2026-11-22T00:00:00+01:00");
        return TL_E_INVALID;
    }
    rc = read_history(rq, since, &page, answer, e);
    return rc || !csv_wanted(rq) ? rc : csv_answer(rq, answer, history_columns, e);
}

/* ---- failures ---- */

/* ?lang=, else what the reader's program accepts. */
static const char *reader_lang(struct request *rq)
{
    const char *lang = param_text(rq, "lang");
    return lang ? lang : arena_str(&rq->arena, request_header(rq, "Accept-Language")).p;
}

static int list_failures(struct request *rq, json_t **answer, struct err *e)
{
    struct view_page page;
    int rc = page_of(rq, &page, e);
    if (rc)
        return rc;
    struct view_failures filter = {.connection = param_text(rq, "connection"),
                                   .kind = param_text(rq, "kind"),
                                   .code = param_text(rq, "code"),
                                   .resolved = request_flag(rq, "resolved"),
                                   .lang = reader_lang(rq)};
    WITH_READER(rq, db, e, view_failures(db, &filter, &page, answer, e));
}

static int sum_failures(struct request *rq, json_t **answer, struct err *e)
{
    const char *connection = param_text(rq, "connection"), *lang = reader_lang(rq);
    WITH_READER(rq, db, e,
                not_found_words(e, view_failure_summary(db, connection, lang, answer, e), "connection",
                                connection ? connection : ""));
}

static int show_failure(struct request *rq, json_t **answer, struct err *e)
{
    int64_t id;
    const char *text = capture(rq, 0), *lang = reader_lang(rq);
    if (!str_to_i64(str_of(text), &id))
        return err_set(e, TL_E_NOT_FOUND, "no failure \"%s\"", text);
    WITH_READER(rq, db, e, not_found_words(e, view_failure(db, id, lang, answer, e), "failure", text));
}

static int run_retry(struct verb *v, struct err *e)
{
    struct failure_pick pick = {.connection = v->text[0], .kind = v->text[1], .code = v->text[2], .id = v->number};
    return admin_failure_retry(v->app->engine, &pick, &v->out, e);
}

static int retry_failures(struct request *rq, json_t **answer, struct err *e)
{
    struct verb v;
    verb_init(&v, rq, "failure.retry", "");
    v.text[0] = body_text(rq, "connection");
    v.text[1] = body_text(rq, "kind");
    v.text[2] = body_text(rq, "code");
    v.number = json_integer_value(json_object_get(rq->body, "id"));
    bool all = json_is_true(json_object_get(rq->body, "all"));
    if (!all && !v.number && !v.text[0] && !v.text[1] && !v.text[2])
        return err_set(e, TL_E_INVALID, "name what to retry: id, code, kind, connection, or all");
    return verb_run(&v, run_retry, answer, e);
}

/* ---- events ---- */

/* Lines wait here between the control thread, which must never wait for a reader, and the connection's thread. */
struct event_tail {
    struct app *app;
    pthread_mutex_t lock; /* guards lines, lost */
    pthread_cond_t more;
    struct buf lines;
    int64_t lost, handle;
};

static void on_event(void *arg, str line)
{
    struct event_tail *t = arg;
    pthread_mutex_lock(&t->lock);
    size_t before = t->lines.n;
    buf_str(&t->lines, line);
    buf_char(&t->lines, '\n');
    if (t->lines.full) {
        t->lines.n = before;
        t->lines.full = false;
        t->lost++;
    }
    pthread_cond_signal(&t->more);
    pthread_mutex_unlock(&t->lock);
}

static bool tail_next(void *self, struct buf *out)
{
    struct event_tail *t = self;
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec++;
    pthread_mutex_lock(&t->lock);
    while (t->lines.n == 0 && t->lost == 0 && pthread_cond_timedwait(&t->more, &t->lock, &until) == 0)
        ;
    buf_str(out, buf_lent(&t->lines));
    if (t->lost)
        buf_fmt(out, "{\"event\":\"lost\",\"count\":%lld}\n", (long long)t->lost);
    t->lost = 0;
    buf_clear(&t->lines);
    pthread_mutex_unlock(&t->lock);
    return !control_stopping(t->app->control);
}

static int add_tail(void *arg, struct pending *p, struct err *e)
{
    (void)p;
    (void)e;
    struct event_tail *t = arg;
    t->handle = engine_events_add(t->app->engine, on_event, t);
    return TL_OK;
}

static int remove_tail(void *arg, struct pending *p, struct err *e)
{
    (void)p;
    (void)e;
    struct event_tail *t = arg;
    engine_events_remove(t->app->engine, t->handle);
    return TL_OK;
}

static void tail_free(void *self)
{
    struct event_tail *t = self;
    (void)control_do(t->app->control, remove_tail, t, NULL);
    buf_done(&t->lines);
    pthread_mutex_destroy(&t->lock);
    pthread_cond_destroy(&t->more);
    free(t);
}

static int tail_events(struct request *rq, json_t **answer, struct err *e)
{
    (void)answer;
    struct event_tail *t = calloc(1, sizeof *t);
    struct stream *stream = calloc(1, sizeof *stream);
    ASSERT(t && stream);
    t->app = rq->app;
    t->lines.max = 1 << 20;
    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->more, NULL);
    int rc = control_do(rq->app->control, add_tail, t, e);
    if (rc) {
        free(t);
        free(stream);
        return rc;
    }
    *stream = (struct stream){t, tail_next, tail_free};
    rq->stream = stream;
    return TL_OK;
}

const struct route routes_sync[] = {
    {.method = "POST",
     .path = "/api/v1/syncs",
     .flags = ROUTE_WRITE | ROUTE_DRY,
     .handler = start_sync,
     .summary = "start the first sync, or a cycle now; dry_run: make a plan of the first sync",
     .params = "dry_run:boolean",
     .body = "{connection:string,kind:string?,full:boolean?}",
     .answer = "{runs:[integer],kinds:[string],warnings:[{code:string,text:string}]}"},
    {.method = "GET",
     .path = "/api/v1/syncs",
     .scope = SCOPE_READ,
     .handler = sync_status,
     .summary = "what runs, with progress and rate",
     .params = "connection:string",
     .answer = "{items:[" SYNC_SHAPE "]}"},
    {.method = "POST",
     .path = "/api/v1/syncs/{connection}/cancel",
     .flags = ROUTE_WRITE,
     .handler = cancel_sync,
     .summary = "end the running first sync or sweep",
     .answer = "{cancelled:integer}"},
    {.method = "GET",
     .path = "/api/v1/runs",
     .scope = SCOPE_READ,
     .handler = sync_history,
     .summary = "history: 7 days unless told otherwise; also as text/csv",
     .params = "connection:string days:integer since:string tz:string limit:integer after:integer",
     .answer = "{items:[" RUN_SHAPE "],next:integer?}"},
    {.method = "GET",
     .path = "/api/v1/failures",
     .scope = SCOPE_READ,
     .handler = list_failures,
     .summary = "records that could not be synced, newest first",
     .params = "connection:string kind:string code:string resolved:boolean lang:string limit:integer after:integer",
     .answer = "{items:[" FAILURE_SHAPE "],next:integer?}"},
    {.method = "GET",
     .path = "/api/v1/failures/summary",
     .scope = SCOPE_READ,
     .handler = sum_failures,
     .summary = "open failures by kind and reason: how many, since when",
     .params = "connection:string lang:string",
     .answer =
         "{items:[{connection:string,kind:string,code:string,reason:string,hint:string,count:integer,oldest:time?,"
         "newest:time?}]}"},
    {.method = "GET",
     .path = "/api/v1/failures/{id}",
     .scope = SCOPE_READ,
     .handler = show_failure,
     .summary = "one failure",
     .params = "lang:string",
     .answer = FAILURE_SHAPE},
    {.method = "POST",
     .path = "/api/v1/failures/retry",
     .flags = ROUTE_WRITE,
     .handler = retry_failures,
     .summary = "plan and push again: one, or all that match",
     .body = "{id:integer?,connection:string?,kind:string?,code:string?,all:boolean?}",
     .answer = "{retried:integer,waiting:integer}"},
    {.method = "GET",
     .path = "/api/v1/events",
     .scope = SCOPE_READ,
     .flags = ROUTE_STREAM,
     .handler = tail_events,
     .summary = "normalized change events as they are accepted (NDJSON)",
     .answer = "string"},
    {.method = NULL},
};
