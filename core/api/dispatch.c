/* From a request to the handler of its route: see dispatch.h. */
#include "dispatch.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "answer.h"
#include "route_match.h"

struct dispatch {
    const struct route *const *tables;
    pthread_mutex_t writes; /* one change with If-Match at a time, so that it is checked against what is changed */
};

struct dispatch *dispatch_new(const struct route *const *tables)
{
    struct dispatch *d = calloc(1, sizeof *d);
    ASSERT(d);
    d->tables = tables;
    pthread_mutex_init(&d->writes, NULL);
    return d;
}

struct dispatch *dispatch_free(struct dispatch *d)
{
    if (d) {
        pthread_mutex_destroy(&d->writes);
        free(d);
    }
    return NULL;
}

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
static int check_match(struct dispatch *d, struct request *rq, struct err *e, int *http_out)
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
    const struct route *route = route_find(d->tables, &get, NULL);
    json_t *now = NULL;
    int rc = route ? route->handler(&get, &now, e) : TL_OK;
    rq->arena = get.arena; /* with what was added to it */
    if (rc || !route)
        return rc;
    char etag[32];
    snprintf(etag, sizeof etag, "\"%016llx\"", (unsigned long long)answer_version(now));
    json_decref(now);
    if (str_is(wanted, etag))
        return TL_OK;
    *http_out = 412;
    rc = err_set(e, TL_E_CONFLICT, "the object was changed meanwhile by somebody else");
    err_hint(e, "read it again and repeat the change");
    return rc;
}

static int run_route(struct dispatch *d, const struct route *route, struct request *rq, json_t **answer, struct err *e,
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
    pthread_mutex_lock(&d->writes);
    rc = check_match(d, rq, e, http_out);
    if (!rc)
        rc = route->handler(rq, answer, e);
    pthread_mutex_unlock(&d->writes);
    return rc;
}

static int no_route(const struct dispatch *d, struct request *rq, bool other_method)
{
    struct err e = {0};
    AUTO(buf_done) struct buf allow = {.max = 256};
    err_set(&e, other_method ? E_USAGE : TL_E_NOT_FOUND, "%s %s: %s", rq->method.p, rq->path.p,
            other_method ? "the path does not know this method" : "no such path");
    if (!other_method)
        return answer_problem(rq->connection, &e, 404);
    route_methods(d->tables, rq->path, &allow);
    return answer_other_method(rq->connection, &e, buf_text(&allow));
}

int dispatch_answer(void *self, struct request *rq)
{
    struct dispatch *d = self;
    bool other_method = false;
    const struct route *route = route_find(d->tables, rq, &other_method);
    if (!route)
        return no_route(d, rq, other_method);
    json_t *answer = NULL;
    struct err e = {0};
    int http = 0, sent, rc = caller_check(&rq->caller, route->scope, route->summary, &e);
    if (!rc)
        rc = run_route(d, route, rq, &answer, &e, &http);
    if (rc && !e.status)
        err_set(&e, rc, "%s", status_name(rc));
    if (rc)
        sent = answer_problem(rq->connection, &e, http ? http : problem_status(rc));
    else if (rq->stream)
        sent = answer_stream(rq->connection, rq->stream);
    else if (rq->text_type)
        sent = answer_bytes(rq->connection, rq->http_status, rq->text_type, &rq->text);
    else
        sent = answer_json(rq->connection, rq->http_status, answer, "application/json");
    json_decref(answer);
    json_decref(rq->body);
    buf_done(&rq->text);
    return sent;
}
