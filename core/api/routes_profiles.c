/* Routes of profiles: what agents of the help desk may see and have done through a connection. */
#include "permission_admin.h"
#include "permission_view.h"
#include "shapes.h"
#include "verb.h"

#define PROFILES "/api/v1/connections/{connection}/profiles"
#define PROFILE  PROFILES "/{profile}"

static int list_profiles(struct request *rq, json_t **answer, struct err *e)
{
    const char *connection = capture(rq, 0);
    WITH_READER(rq, db, e, view_profiles(db, connection, answer, e));
}

static int show_profile(struct request *rq, json_t **answer, struct err *e)
{
    const char *connection = capture(rq, 0), *profile = capture(rq, 1);
    WITH_READER(rq, db, e, view_profile(db, connection, profile, answer, e));
}

static int test_permission(struct request *rq, json_t **answer, struct err *e)
{
    const struct permission_question ask = {capture(rq, 0), capture(rq, 1), param_text(rq, "object"),
                                            param_text(rq, "item")};
    if (!ask.object || !ask.item)
        return err_set(e, E_USAGE, "the request needs the parameters \"object\" and \"item\"");
    WITH_READER(rq, db, e, view_permission(db, &ask, answer, e));
}

static int run_change(struct verb *v, struct err *e)
{
    return permission_change(v->app->db, v->more, &v->out, e);
}

/* The change writes its row of the audit itself: with what was granted before and after. */
static int change(struct request *rq, struct permission_change *c, json_t **answer, struct err *e)
{
    struct verb v;
    c->connection = capture(rq, 0);
    c->profile = capture(rq, 1);
    c->who = rq->caller.name;
    c->dry_run = request_flag(rq, "dry_run");
    const char *act = c->from ? "profile.copy" : "profile.set";
    verb_init(&v, rq, c->dry_run ? NULL : act, arena_fmt(&rq->arena, "%s/%s", c->connection, c->profile));
    v.more = c;
    v.audited = true;
    return verb_run(&v, run_change, answer, e);
}

static int set_permissions(struct request *rq, json_t **answer, struct err *e)
{
    struct permission_change c = {0};
    int rc = body_need_text(rq, "object", &c.object, e);
    if (!rc)
        rc = body_need_text(rq, "items", &c.wish, e);
    return rc ? rc : change(rq, &c, answer, e);
}

static int copy_permissions(struct request *rq, json_t **answer, struct err *e)
{
    struct permission_change c = {0};
    int rc = body_need_text(rq, "from", &c.from, e);
    return rc ? rc : change(rq, &c, answer, e);
}

const struct route routes_profiles[] = {
    {.method = "GET",
     .path = PROFILES,
     .scope = SCOPE_READ,
     .handler = list_profiles,
     .summary = "profiles of the help desk, and what each may see and have done",
     .answer = "{items:[" PROFILE_SHAPE "]}"},
    {.method = "GET",
     .path = PROFILE,
     .scope = SCOPE_READ,
     .handler = show_profile,
     .summary = "one profile, by id or name, with what is granted and what is not",
     .answer = PROFILE_WHOLE_SHAPE},
    {.method = "PATCH",
     .path = PROFILE,
     .flags = ROUTE_WRITE | ROUTE_MATCH | ROUTE_DRY,
     .handler = set_permissions,
     .summary = "grant or take away items of one object",
     .params = "dry_run:boolean",
     .body = "{object:string,items:string}",
     .answer = PROFILE_CHANGE_SHAPE},
    {.method = "POST",
     .path = PROFILE "/copy",
     .flags = ROUTE_WRITE | ROUTE_DRY,
     .handler = copy_permissions,
     .summary = "give it exactly the permissions of another profile",
     .params = "dry_run:boolean",
     .body = "{from:string}",
     .answer = PROFILE_CHANGE_SHAPE},
    {.method = "GET",
     .path = PROFILE "/test",
     .scope = SCOPE_READ,
     .handler = test_permission,
     .summary = "allow or deny, and by which row",
     .params = "object:string item:string",
     .answer = PERMISSION_SHAPE},
    {.method = NULL},
};
