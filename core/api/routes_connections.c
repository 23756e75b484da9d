/* Routes of connections, links and field maps. */
#include "shapes.h"
#include "verb.h"
#include "view.h"

#define CONNECTION "/api/v1/connections/{connection}"
#define LINK       "/api/v1/links/{connection}/{kind}"

static int list_connections(struct request *rq, json_t **answer, struct err *e)
{
    WITH_READER(rq, db, e, view_connections(db, answer, e));
}

static int show_connection(struct request *rq, json_t **answer, struct err *e)
{
    const char *name = capture(rq, 0);
    WITH_READER(rq, db, e, not_found_words(e, view_connection(db, name, answer, e), "connection", name));
}

static int run_create(struct verb *v, struct err *e)
{
    return admin_connection_create(v->app->engine, v->text[0], v->text[1], v->text[2], &v->out, e);
}

static int create_connection(struct request *rq, json_t **answer, struct err *e)
{
    struct verb v;
    verb_init(&v, rq, "connection.create", body_text(rq, "name"));
    int rc = body_need_text(rq, "name", &v.text[0], e);
    if (!rc)
        rc = body_need_text(rq, "a", &v.text[1], e);
    if (!rc)
        rc = body_need_text(rq, "b", &v.text[2], e);
    rq->http_status = 201;
    return rc ? rc : verb_run(&v, run_create, answer, e);
}

static int run_rename(struct verb *v, struct err *e)
{
    return admin_connection_rename(v->app->engine, v->object, v->text[0], &v->out, e);
}

static int rename_connection(struct request *rq, json_t **answer, struct err *e)
{
    struct verb v;
    verb_init(&v, rq, "connection.rename", capture(rq, 0));
    int rc = body_need_text(rq, "name", &v.text[0], e);
    return rc ? rc : verb_run(&v, run_rename, answer, e);
}

static int run_delete(struct verb *v, struct err *e)
{
    return admin_connection_delete(v->app->engine, v->object, v->flag, &v->out, e);
}

static int delete_connection(struct request *rq, json_t **answer, struct err *e)
{
    if (request_flag(rq, "dry_run"))
        return show_connection(rq, answer, e); /* what would be lost: its links with their counts of pairs */
    struct verb v;
    verb_init(&v, rq, "connection.delete", capture(rq, 0));
    v.flag = request_flag(rq, "now");
    v.audited = true;
    return verb_run(&v, run_delete, answer, e);
}

static int run_undelete(struct verb *v, struct err *e)
{
    return admin_connection_undelete(v->app->engine, v->object, &v->out, e);
}

static int run_disable(struct verb *v, struct err *e)
{
    return admin_connection_disable(v->app->engine, v->object, &v->out, e);
}

static int run_enable(struct verb *v, struct err *e)
{
    return admin_connection_enable(v->app->engine, v->object, &v->out, e);
}

static int run_pause(struct verb *v, struct err *e)
{
    return admin_connection_pause(v->app->engine, v->object, &v->out, e);
}

static int run_resume(struct verb *v, struct err *e)
{
    return admin_connection_resume(v->app->engine, v->object, &v->out, e);
}

static int run_release(struct verb *v, struct err *e)
{
    return admin_connection_release(v->app->engine, v->object, &v->out, e);
}

static int simple_verb(struct request *rq, const char *act, verb_fn fn, json_t **answer, struct err *e)
{
    struct verb v;
    verb_init(&v, rq, act, capture(rq, 0));
    return verb_run(&v, fn, answer, e);
}

static int life_verb(struct request *rq, const char *act, verb_fn fn, json_t **answer, struct err *e)
{
    struct verb v;
    verb_init(&v, rq, act, capture(rq, 0));
    v.audited = true;
    return verb_run(&v, fn, answer, e);
}

static int pause_connection(struct request *rq, json_t **answer, struct err *e)
{
    return life_verb(rq, "connection.pause", run_pause, answer, e);
}

static int resume_connection(struct request *rq, json_t **answer, struct err *e)
{
    return life_verb(rq, "connection.resume", run_resume, answer, e);
}

static int disable_connection(struct request *rq, json_t **answer, struct err *e)
{
    return life_verb(rq, "connection.disable", run_disable, answer, e);
}

static int enable_connection(struct request *rq, json_t **answer, struct err *e)
{
    return life_verb(rq, "connection.enable", run_enable, answer, e);
}

static int undelete_connection(struct request *rq, json_t **answer, struct err *e)
{
    return life_verb(rq, "connection.undelete", run_undelete, answer, e);
}

static int release_connection(struct request *rq, json_t **answer, struct err *e)
{
    return simple_verb(rq, "connection.release", run_release, answer, e);
}

/* ---- links ---- */

/* Links of every connection, in the order of the connections. */
static int all_links(struct db *db, json_t **answer, struct err *e)
{
    json_t *connections = NULL, *connection, *items = json_array();
    int rc = view_connections(db, &connections, e);
    size_t i;
    json_array_foreach(json_object_get(connections, "items"), i, connection)
    {
        json_array_extend(items, json_object_get(connection, "links"));
    }
    json_decref(connections);
    if (rc)
        json_decref(items);
    else
        *answer = json_pack("{s:o}", "items", items);
    return rc;
}

static int list_links(struct request *rq, json_t **answer, struct err *e)
{
    const char *connection = param_text(rq, "connection");
    WITH_READER(rq, db, e,
                connection ? not_found_words(e, view_links(db, connection, answer, e), "connection", connection)
                           : all_links(db, answer, e));
}

static int show_link(struct request *rq, json_t **answer, struct err *e)
{
    const char *connection = capture(rq, 0), *kind = capture(rq, 1);
    WITH_READER(rq, db, e, not_found_words(e, view_link(db, connection, kind, answer, e), "link", kind));
}

static int run_link_create(struct verb *v, struct err *e)
{
    return admin_link_create(v->app->engine, v->text[0], v->text[1], v->set, v->n_set, &v->out, e);
}

static int create_link(struct request *rq, json_t **answer, struct err *e)
{
    struct verb v;
    const char *connection = body_text(rq, "connection"), *kind = body_text(rq, "kind");
    verb_init(&v, rq, "link.create", arena_fmt(&rq->arena, "%s/%s", connection ? connection : "", kind ? kind : ""));
    int rc = body_need_text(rq, "connection", &v.text[0], e);
    if (!rc)
        rc = body_need_text(rq, "kind", &v.text[1], e);
    if (!rc)
        rc = verb_settings(&v, json_object_get(rq->body, "settings"), e);
    rq->http_status = 201;
    return rc ? rc : verb_run(&v, run_link_create, answer, e);
}

static const char *link_object(struct request *rq)
{
    return arena_fmt(&rq->arena, "%s/%s", capture(rq, 0), capture(rq, 1));
}

static int run_link_set(struct verb *v, struct err *e)
{
    return admin_link_set(v->app->engine, v->text[0], v->text[1], v->set, v->n_set, &v->out, e);
}

static int set_link(struct request *rq, json_t **answer, struct err *e)
{
    struct verb v;
    verb_init(&v, rq, "link.set", link_object(rq));
    v.text[0] = capture(rq, 0);
    v.text[1] = capture(rq, 1);
    int rc = verb_settings(&v, rq->body, e);
    return rc ? rc : verb_run(&v, run_link_set, answer, e);
}

/* One that the INI makes at every start must go from there first. */
static int not_pinned(const struct config *c, const char *connection, const char *kind, struct err *e)
{
    for (const struct config_section *s = c->sections; s; s = s->next) {
        if (strcmp(s->type, "link") != 0 || strcmp(s->name, connection) != 0 ||
            strncmp(s->kind, kind, strlen(kind)) != 0 ||
            (s->kind[strlen(kind)] && strcmp(s->kind + strlen(kind), "s") != 0))
            continue;
        err_set(e, E_PRECONDITION, "link \"%s\" of connection \"%s\" is pinned by %s:%d", kind, connection, s->file,
                s->line);
        err_code(e, "PINNED");
        err_hint(e, "remove that section, `tieline config reload`, then delete the link");
        return E_PRECONDITION;
    }
    return TL_OK;
}

static int run_link_delete(struct verb *v, struct err *e)
{
    int rc = not_pinned(v->app->config, v->text[0], v->text[1], e);
    return rc ? rc : admin_link_delete(v->app->engine, v->text[0], v->text[1], e);
}

static int delete_link(struct request *rq, json_t **answer, struct err *e)
{
    if (request_flag(rq, "dry_run"))
        return show_link(rq, answer, e); /* what would be lost: its counts */
    struct verb v;
    verb_init(&v, rq, "link.delete", link_object(rq));
    v.text[0] = capture(rq, 0);
    v.text[1] = capture(rq, 1);
    return verb_run(&v, run_link_delete, answer, e);
}

const struct route routes_connections[] = {
    {.method = "GET",
     .path = "/api/v1/connections",
     .scope = SCOPE_READ,
     .handler = list_connections,
     .summary = "connections with their state",
     .answer = "{items:[" CONNECTION_SHAPE "]}"},
    {.method = "POST",
     .path = "/api/v1/connections",
     .flags = ROUTE_WRITE,
     .handler = create_connection,
     .summary = "make a connection of two endpoints",
     .body = "{name:string,a:string,b:string}",
     .answer = CONNECTION_SHAPE},
    {.method = "GET",
     .path = CONNECTION,
     .scope = SCOPE_READ,
     .handler = show_connection,
     .summary = "one connection with its links",
     .answer = CONNECTION_SHAPE},
    {.method = "PATCH",
     .path = CONNECTION,
     .flags = ROUTE_WRITE | ROUTE_MATCH,
     .handler = rename_connection,
     .summary = "rename",
     .body = "{name:string}",
     .answer = CONNECTION_SHAPE},
    {.method = "DELETE",
     .path = CONNECTION,
     .flags = ROUTE_WRITE | ROUTE_MATCH | ROUTE_DRY,
     .handler = delete_connection,
     .summary = "delete with its pairs and failures, once the grace is over or now; remote records stay",
     .params = "dry_run:boolean now:boolean",
     .answer = "object"},
    {.method = "POST",
     .path = CONNECTION "/undelete",
     .flags = ROUTE_WRITE,
     .handler = undelete_connection,
     .summary = "take a deletion back within its grace",
     .answer = "object"},
    {.method = "POST",
     .path = CONNECTION "/disable",
     .flags = ROUTE_WRITE,
     .handler = disable_connection,
     .summary = "no calls and no webhooks; pairs, history and sign-ins stay",
     .answer = "object"},
    {.method = "POST",
     .path = CONNECTION "/enable",
     .flags = ROUTE_WRITE,
     .handler = enable_connection,
     .summary = "check both accounts, read both sides, go on with the pairs as they were",
     .answer = "object"},
    {.method = "POST",
     .path = CONNECTION "/pause",
     .flags = ROUTE_WRITE,
     .handler = pause_connection,
     .summary = "stop pulls and pushes, keep everything",
     .answer = CONNECTION_SHAPE},
    {.method = "POST",
     .path = CONNECTION "/resume",
     .flags = ROUTE_WRITE,
     .handler = resume_connection,
     .summary = "go on where it was paused",
     .answer = CONNECTION_SHAPE},
    {.method = "POST",
     .path = CONNECTION "/release",
     .flags = ROUTE_WRITE,
     .handler = release_connection,
     .summary = "lift a safety brake after looking",
     .answer = CONNECTION_SHAPE},
    {.method = "GET",
     .path = "/api/v1/links",
     .scope = SCOPE_READ,
     .handler = list_links,
     .summary = "links",
     .params = "connection:string",
     .answer = "{items:[" LINK_SHAPE "]}"},
    {.method = "POST",
     .path = "/api/v1/links",
     .flags = ROUTE_WRITE,
     .handler = create_link,
     .summary = "make a link of one kind",
     .body = "{connection:string,kind:string,settings:object?}",
     .answer = LINK_SHAPE},
    {.method = "GET",
     .path = LINK,
     .scope = SCOPE_READ,
     .handler = show_link,
     .summary = "one link with its settings and where they come from",
     .answer = LINK_SHAPE},
    {.method = "PATCH",
     .path = LINK,
     .flags = ROUTE_WRITE | ROUTE_MATCH,
     .handler = set_link,
     .summary = "change settings",
     .body = "object",
     .answer = LINK_SHAPE},
    {.method = "DELETE",
     .path = LINK,
     .flags = ROUTE_WRITE | ROUTE_MATCH | ROUTE_DRY,
     .handler = delete_link,
     .summary = "delete with its pairs, failures and map; remote records stay",
     .params = "dry_run:boolean",
     .answer = "object"},
    {.method = NULL},
};
