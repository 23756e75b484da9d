/* Routes of pairs and conflicts: what a person looks up, and decides where matching and merging could not. */
#include "shapes.h"
#include "times.h"
#include "verb.h"
#include "view.h"

static int find_pairs(struct request *rq, json_t **answer, struct err *e)
{
    const char *text = param_text(rq, "find"), *connection = param_text(rq, "connection");
    if (!text)
        return err_set(e, TL_E_INVALID, "the request needs \"find\": a record id, an e-mail address or a name");
    WITH_READER(rq, db, e, view_pair_find(db, connection, text, answer, e));
}

static int pair_number(struct request *rq, int64_t *out, struct err *e)
{
    const char *text = capture(rq, 0);
    if (!str_to_i64(str_of(text), out) || *out <= 0)
        return err_set(e, TL_E_NOT_FOUND, "no pair \"%s\"", text);
    return TL_OK;
}

static int show_pair(struct request *rq, json_t **answer, struct err *e)
{
    int64_t id;
    int rc = pair_number(rq, &id, e);
    if (rc)
        return rc;
    WITH_READER(rq, db, e, not_found_words(e, view_pair(db, id, answer, e), "pair", capture(rq, 0)));
}

/* ---- by hand ---- */

static int run_link(struct verb *v, struct err *e)
{
    struct pair_couple c = {.connection = v->text[0], .kind = v->text[1], .id = {v->text[2], v->text[3]}};
    return admin_pair_link(v->app->engine, &c, v->flag, &v->out, e);
}

/* A dry run leaves no trace: it changed nothing. */
static const char *act_of(struct request *rq, const char *act)
{
    return request_flag(rq, "dry_run") ? NULL : act;
}

static int link_pair(struct request *rq, json_t **answer, struct err *e)
{
    static const char *const members[] = {"connection", "kind", "a_id", "b_id"};
    struct verb v;
    verb_init(&v, rq, act_of(rq, "pair.link"), body_text(rq, "connection"));
    v.flag = request_flag(rq, "dry_run");
    for (int i = 0; i < 4; i++) {
        int rc = body_need_text(rq, members[i], &v.text[i], e);
        if (rc)
            return rc;
    }
    return verb_run(&v, run_link, answer, e);
}

static int run_unlink(struct verb *v, struct err *e)
{
    return admin_pair_unlink(v->app->engine, v->number, v->flag, &v->out, e);
}

static int unlink_pair(struct request *rq, json_t **answer, struct err *e)
{
    struct verb v;
    verb_init(&v, rq, act_of(rq, "pair.unlink"), capture(rq, 0));
    v.flag = request_flag(rq, "dry_run");
    int rc = pair_number(rq, &v.number, e);
    return rc ? rc : verb_run(&v, run_unlink, answer, e);
}

static int run_ignore(struct verb *v, struct err *e)
{
    return admin_pair_ignore(v->app->engine, v->number, v->flag, &v->out, e);
}

static int ignore_pair(struct request *rq, json_t **answer, struct err *e)
{
    struct verb v;
    const json_t *wish = json_object_get(rq->body, "ignore");
    verb_init(&v, rq, "pair.ignore", capture(rq, 0));
    v.flag = json_is_true(wish);
    int rc = pair_number(rq, &v.number, e);
    if (!rc && !json_is_boolean(wish))
        rc = err_set(e, TL_E_INVALID, "the body needs \"ignore\": true or false");
    return rc ? rc : verb_run(&v, run_ignore, answer, e);
}

static int run_swap(struct verb *v, struct err *e)
{
    int64_t with = json_integer_value(json_object_get(v->rq->body, "with"));
    return admin_pair_swap(v->app->engine, (const int64_t[]){v->number, with}, v->flag, &v->out, e);
}

static int swap_pairs(struct request *rq, json_t **answer, struct err *e)
{
    struct verb v;
    verb_init(&v, rq, act_of(rq, "pair.swap"), capture(rq, 0));
    v.flag = request_flag(rq, "dry_run");
    int rc = pair_number(rq, &v.number, e);
    if (!rc && !json_is_integer(json_object_get(rq->body, "with")))
        rc = err_set(e, TL_E_INVALID, "the body needs \"with\": the number of the other pair");
    return rc ? rc : verb_run(&v, run_swap, answer, e);
}

/* ---- conflicts ---- */

static int list_conflicts(struct request *rq, json_t **answer, struct err *e)
{
    int64_t limit;
    int rc = request_number(rq, "limit", 100, 1, 1000, &limit, e);
    if (rc)
        return rc;
    const char *connection = param_text(rq, "connection"), *kind = param_text(rq, "kind");
    WITH_READER(rq, db, e, view_conflicts(db, connection, kind, (uint32_t)limit, answer, e));
}

static int run_decide(struct verb *v, struct err *e)
{
    struct conflict_pick pick = {
        .connection = v->text[0], .kind = v->text[1], .field = v->text[2], .take = v->text[3][0], .pair = v->number};
    return admin_conflict_decide(v->app->engine, &pick, &v->out, e);
}

static int decide_conflicts(struct request *rq, json_t **answer, struct err *e)
{
    struct verb v;
    verb_init(&v, rq, "conflict.decide", body_text(rq, "connection"));
    v.text[0] = body_text(rq, "connection");
    v.text[1] = body_text(rq, "kind");
    v.text[2] = body_text(rq, "field");
    v.number = json_integer_value(json_object_get(rq->body, "pair"));
    v.text[3] = body_text(rq, "take");
    if (!v.text[3])
        return err_set(e, E_USAGE, "say whose value counts: take a, b or newest");
    if (strcmp(v.text[3], "a") != 0 && strcmp(v.text[3], "b") != 0 && strcmp(v.text[3], "newest") != 0)
        return err_set(e, E_USAGE, "take is a, b or newest, not \"%s\"", v.text[3]);
    if (v.number <= 0 && (!v.text[0] || !v.text[1]))
        return err_set(e, E_USAGE, "name what to decide: a pair, or a connection and a kind");
    return verb_run(&v, run_decide, answer, e);
}

#define EFFECTS                                                                                                        \
    "{pair:integer,dry_run:boolean,effects:[{pair:integer,a_id:string?,b_id:string?,status:string,next:string,"        \
    "fields:[object]}]}"

const struct route routes_pairs[] = {
    {.method = "GET",
     .path = "/api/v1/pairs",
     .scope = SCOPE_READ,
     .handler = find_pairs,
     .summary = "pairs by record id, e-mail or name",
     .params = "find:string connection:string",
     .answer = "{items:[" PAIR_SHAPE "],complete:boolean,looked_at:integer}"},
    {.method = "GET",
     .path = "/api/v1/pairs/{id}",
     .scope = SCOPE_READ,
     .handler = show_pair,
     .summary = "one pair: both records, fields, history, failures",
     .answer = PAIR_WHOLE_SHAPE},
    {.method = "POST",
     .path = "/api/v1/pairs",
     .flags = ROUTE_WRITE | ROUTE_DRY,
     .handler = link_pair,
     .summary = "make a pair of two records by hand",
     .params = "dry_run:boolean",
     .body = "{connection:string,kind:string,a_id:string,b_id:string}",
     .answer = EFFECTS},
    {.method = "POST",
     .path = "/api/v1/pairs/{id}/unlink",
     .flags = ROUTE_WRITE | ROUTE_DRY,
     .handler = unlink_pair,
     .summary = "part the two records: each is left alone from then on",
     .params = "dry_run:boolean",
     .answer = EFFECTS},
    {.method = "POST",
     .path = "/api/v1/pairs/{id}/ignore",
     .flags = ROUTE_WRITE,
     .handler = ignore_pair,
     .summary = "write nothing for this pair, or again",
     .body = "{ignore:boolean}",
     .answer = EFFECTS},
    {.method = "POST",
     .path = "/api/v1/pairs/{id}/swap",
     .flags = ROUTE_WRITE | ROUTE_DRY,
     .handler = swap_pairs,
     .summary = "two crossed pairs exchange their records of side b",
     .params = "dry_run:boolean",
     .body = "{with:integer}",
     .answer = EFFECTS},
    {.method = "GET",
     .path = "/api/v1/conflicts",
     .scope = SCOPE_READ,
     .handler = list_conflicts,
     .summary = "fields that wait for a decision",
     .params = "connection:string kind:string limit:integer",
     .answer = "{items:[" CONFLICT_SHAPE "]}"},
    {.method = "POST",
     .path = "/api/v1/conflicts/decide",
     .flags = ROUTE_WRITE,
     .handler = decide_conflicts,
     .summary = "decide one conflict, or many alike",
     .body = "{take:string,pair:integer?,field:string?,connection:string?,kind:string?}",
     .answer = "{decided:integer,busy:integer}"},
    {.method = NULL},
};
