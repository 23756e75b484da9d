/* Routes of undo: what a run wrote, or one field of a pair, is taken back where the value is still that run's. */
#include <string.h>

#include "verb.h"

static int run_undo(struct verb *v, struct err *e)
{
    struct undo_pick pick = {.pair = v->number, .field = v->text[0], .side = v->text[1] ? v->text[1][0] : 0};
    const json_t *run = json_object_get(v->rq->body, "run");
    struct undo_how how = {.dry_run = v->flag, .trash = json_is_true(json_object_get(v->rq->body, "trash_created"))};
    if (run)
        return admin_undo_run(v->app->engine, json_integer_value(run), how, &v->out, e);
    return admin_undo_field(v->app->engine, &pick, v->flag, &v->out, e);
}

static int asked_well(struct verb *v, const json_t *body, struct err *e)
{
    const json_t *run = json_object_get(body, "run"), *pair = json_object_get(body, "pair");
    if ((run != NULL) == (pair != NULL) || (run && !json_is_integer(run)) || (pair && !json_is_integer(pair)))
        return err_set(e, TL_E_INVALID, "the body needs \"run\", or \"pair\" with \"field\": numbers");
    if (pair && !v->text[0])
        return err_set(e, TL_E_INVALID, "the body needs \"field\" beside \"pair\"");
    if (v->text[1] && strcmp(v->text[1], "a") != 0 && strcmp(v->text[1], "b") != 0)
        return err_set(e, TL_E_INVALID, "\"side\" is \"a\" or \"b\"");
    return TL_OK;
}

static int begin_undo(struct request *rq, json_t **answer, struct err *e)
{
    struct verb v;
    bool dry = request_flag(rq, "dry_run");
    const json_t *run = json_object_get(rq->body, "run"), *pair = json_object_get(rq->body, "pair");
    const char *object =
        arena_fmt(&rq->arena, "%s %lld", run ? "run" : "pair", (long long)json_integer_value(run ? run : pair));
    verb_init(&v, rq, dry ? "undo.preview" : run ? "undo.run" : "undo.field", object);
    v.flag = dry;
    v.number = json_integer_value(pair);
    v.text[0] = body_text(rq, "field");
    v.text[1] = body_text(rq, "side");
    rq->http_status = 202;
    int rc = asked_well(&v, rq->body, e);
    return rc ? rc : verb_run(&v, run_undo, answer, e);
}

const struct route routes_undo[] = {
    {.method = "POST",
     .path = "/api/v1/undos",
     .flags = ROUTE_WRITE | ROUTE_DRY,
     .handler = begin_undo,
     .summary = "take back what a run wrote, or the newest write of one field; its rows: /api/v1/plans/{run}/items",
     .params = "dry_run:boolean",
     .body = "{run:integer?,trash_created:boolean?,pair:integer?,field:string?,side:string?}",
     .answer = "{run:integer,about:integer,connection:string,dry_run:boolean,changes:integer,creates:integer}"},
    {.method = NULL},
};
