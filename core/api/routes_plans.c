/* Routes of plans: what a first sync would do, looked at row by row, and approved. */
#include "csv_answer.h"
#include "shapes.h"
#include "verb.h"
#include "view.h"

static int plan_number(struct request *rq, int64_t *out, struct err *e)
{
    const char *text = capture(rq, 0);
    if (!str_to_i64(str_of(text), out) || *out <= 0)
        return err_set(e, TL_E_NOT_FOUND, "no plan \"%s\"", text);
    return TL_OK;
}

static int read_plan(struct request *rq, int64_t id, json_t **out, struct err *e)
{
    WITH_READER(rq, db, e,
                not_found_words(e, view_plan(db, id, env_now_us(rq->app->env), out, e), "plan", capture(rq, 0)));
}

static int run_times(struct verb *v, struct err *e)
{
    (void)e;
    admin_plan_times(v->app->engine, v->out);
    return TL_OK;
}

static int show_plan(struct request *rq, json_t **answer, struct err *e)
{
    struct verb v;
    int64_t id;
    verb_init(&v, rq, NULL, NULL);
    int rc = plan_number(rq, &id, e);
    if (!rc)
        rc = read_plan(rq, id, &v.out, e);
    return rc ? rc : verb_run(&v, run_times, answer, e);
}

static int read_items(struct request *rq, const struct view_plan_filter *f, const struct view_page *page, json_t **out,
                      struct err *e)
{
    WITH_READER(rq, db, e, not_found_words(e, view_plan_items(db, f, page, out, e), "plan", capture(rq, 0)));
}

static int list_items(struct request *rq, json_t **answer, struct err *e)
{
    static const struct csv_column columns[] = {
        {"what", "what", false},     {"kind", "kind", false},     {"to", "to", false},       {"a id", "a_id", false},
        {"b id", "b_id", false},     {"who", "who", false},       {"code", "code", false},   {"field", "field", false},
        {"detail", "detail", false}, {"fields", "fields", false}, {"state", "state", false}, {NULL, NULL, false}};
    struct view_plan_filter f = {
        .what = param_text(rq, "what"), .kind = param_text(rq, "kind"), .changed = request_flag(rq, "changed")};
    struct view_page page = {0};
    int64_t limit = 0;
    int rc = plan_number(rq, &f.run, e);
    if (!rc)
        rc = request_number(rq, "limit", 100, 1, 1000, &limit, e);
    if (!rc)
        rc = request_number(rq, "after", 0, 0, INT64_MAX, &page.after, e);
    page.limit = (uint32_t)limit;
    if (!rc)
        rc = read_items(rq, &f, &page, answer, e);
    return rc || !csv_wanted(rq) ? rc : csv_answer(rq, answer, columns, e);
}

static int run_approve(struct verb *v, struct err *e)
{
    return admin_sync_approve(v->app->engine, v->number, &v->out, e);
}

static int approve_plan(struct request *rq, json_t **answer, struct err *e)
{
    struct verb v;
    verb_init(&v, rq, "sync.approve", capture(rq, 0));
    rq->http_status = 202;
    int rc = plan_number(rq, &v.number, e);
    return rc ? rc : verb_run(&v, run_approve, answer, e);
}

const struct route routes_plans[] = {
    {.method = "GET",
     .path = "/api/v1/plans/{run}",
     .scope = SCOPE_READ,
     .handler = show_plan,
     .summary = "what a first sync would do: the sums",
     .answer = PLAN_SHAPE},
    {.method = "GET",
     .path = "/api/v1/plans/{run}/items",
     .scope = SCOPE_READ,
     .handler = list_items,
     .summary = "its rows; also as text/csv",
     .params = "what:string kind:string changed:boolean tz:string limit:integer after:integer",
     .answer = "{items:[" PLAN_ITEM_SHAPE "],next:integer?}"},
    {.method = "POST",
     .path = "/api/v1/plans/{run}/approve",
     .flags = ROUTE_WRITE,
     .handler = approve_plan,
     .summary = "carry it out: what changed since is planned anew and listed",
     .answer = "{runs:[integer],kinds:[string],warnings:[{code:string,text:string}],plan:integer,age_seconds:integer}"},
    {.method = NULL},
};
