/* Routes of actions: what can be done at the connected systems, by whom, and what was done. */
#include <string.h>

#include "act_run.h"
#include "shapes.h"
#include "verb.h"
#include "view_act.h"

#define CONNECTION "/api/v1/connections/{connection}"

/* Whoever operates may have everything done, an agent what his profile is granted, a token without either nothing. */
static struct act_caller caller_of(const struct request *rq)
{
    const struct caller *c = &rq->caller;
    return (struct act_caller){.who = c->name,
                               .person = c->kind == CALLER_AGENT ? c->person : (str){0},
                               .everything = c->kind == CALLER_OPERATOR && (c->scopes & 1u << SCOPE_OPERATOR),
                               .helpdesk = c->endpoint,
                               .profile = c->profile};
}

static int list_actions(struct request *rq, json_t **answer, struct err *e)
{
    const char *connection = capture(rq, 0);
    const struct act_caller caller = caller_of(rq);
    WITH_READER(rq, db, e, act_actions(db, connection, &caller, answer, e));
}

static int list_acts(struct request *rq, json_t **answer, struct err *e)
{
    const char *connection = capture(rq, 0);
    struct view_page page = {0};
    int64_t limit = 0;
    int rc = request_number(rq, "limit", 100, 1, 1000, &limit, e);
    if (!rc)
        rc = request_number(rq, "after", 0, 0, INT64_MAX, &page.after, e);
    if (rc)
        return rc;
    page.limit = (uint32_t)limit;
    WITH_READER(rq, db, e, view_acts(db, connection, &page, answer, e));
}

static int show_act(struct request *rq, json_t **answer, struct err *e)
{
    const char *id = capture(rq, 0);
    int64_t act = 0;
    if (!str_to_i64(rq->captures[0], &act))
        return err_set(e, TL_E_NOT_FOUND, "no act \"%s\"", id);
    WITH_READER(rq, db, e, not_found_words(e, view_act(db, act, answer, e), "act", id));
}

/* ---- Doing ------------------------------------------------------------------------------------------------------- */

static void on_done(void *arg, int rc, json_t *answer, const struct err *e)
{
    struct verb *v = arg;
    v->out = answer;
    verb_finish(v, rc, e);
}

static int run_act(struct verb *v, struct err *e)
{
    const struct act_wish *w = v->more;
    int rc = v->flag ? acts_rehearse(v->app->acts, w, on_done, v, e) : acts_do(v->app->acts, w, &v->out, on_done, v, e);
    if (!rc && !v->out)
        verb_hold(v);
    return rc;
}

/* The header and the member say the same, or one of them says it. */
static int key_of(struct request *rq, const char **out, struct err *e)
{
    str header = request_header(rq, "Idempotency-Key");
    const char *member = body_text(rq, "key");
    if (header.n && member && !str_is(header, member))
        return err_set(e, TL_E_INVALID, "the header Idempotency-Key and \"key\" are two");
    *out = header.n ? arena_str(&rq->arena, header).p : member;
    return TL_OK;
}

/* Both transactions write their rows of the audit: what was asked for, and what came of it. */
static int do_act(struct request *rq, json_t **answer, struct err *e)
{
    struct verb v;
    const json_t *beside = json_object_get(rq->body, "beside");
    struct act_wish w = {.connection = capture(rq, 0),
                         .endpoint = body_text(rq, "endpoint"),
                         .record = body_text(rq, "record"),
                         .params = json_object_get(rq->body, "params"),
                         .beside_kind = json_string_value(json_object_get(beside, "kind")),
                         .beside_id = json_string_value(json_object_get(beside, "id")),
                         .caller = caller_of(rq)};
    bool dry = request_flag(rq, "dry_run");
    int rc = body_need_text(rq, "kind", &w.kind, e);
    if (!rc)
        rc = body_need_text(rq, "name", &w.name, e);
    if (!rc)
        rc = key_of(rq, &w.key, e);
    if (!rc && w.params && !json_is_object(w.params))
        rc = err_set(e, TL_E_INVALID, "\"params\" is an object");
    if (!rc && beside && !(w.beside_kind && w.beside_id))
        rc = err_set(e, TL_E_INVALID, "\"beside\" is an object with \"kind\" and \"id\"");
    if (rc)
        return rc;
    verb_init(&v, rq, dry ? NULL : "act", arena_fmt(&rq->arena, "%s/%s %s", w.connection, w.kind, w.name));
    v.audited = v.secret = true;
    v.flag = dry;
    v.more = &w;
    return verb_run(&v, run_act, answer, e);
}

#define PARAM                                                                                                          \
    "path:string,name:string,label:string,type:string,required:boolean,max:integer?,scale:integer?,"                   \
    "choices:[{value:string,label:string}],columns:[object]"

const struct route routes_acts[] = {
    {.method = "GET",
     .path = CONNECTION "/actions",
     .scope = SCOPE_ACT,
     .handler = list_actions,
     .summary = "what the caller may have done at the connected systems, with what each action is given",
     .answer = "{items:[{endpoint:string,kind:string,name:string,label:string,help:string,creates:boolean,"
               "reads:boolean,looks:boolean,rights:[string],params:[{" PARAM "}]}]}"},
    {.method = "POST",
     .path = CONNECTION "/acts",
     .flags = ROUTE_WRITE | ROUTE_DRY,
     .scope = SCOPE_ACT,
     .handler = do_act,
     .summary = "have an action done, once per key (header Idempotency-Key, or \"key\"); dry_run: the requests that "
                "would be sent",
     .params = "dry_run:boolean",
     .body = "{kind:string,name:string,endpoint:string?,record:string?,params:object?,beside:object?,key:string?}",
     .answer = "object"},
    {.method = "GET",
     .path = CONNECTION "/acts",
     .scope = SCOPE_READ,
     .handler = list_acts,
     .summary = "what was done through the connection, newest first",
     .params = "limit:integer,after:integer",
     .answer = "{items:[" ACT_SHAPE "],next:integer?}"},
    {.method = "GET",
     .path = "/api/v1/acts/{act}",
     .scope = SCOPE_READ,
     .handler = show_act,
     .summary = "one act: what was asked for, by whom, and what came of it",
     .answer = ACT_SHAPE},
    {.method = NULL},
};
