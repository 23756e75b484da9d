/* Routes of secrets: set, listed by name, removed; never read back. */
#include "secrets.h"
#include "setup.h"
#include "times.h"
#include "verb.h"

#define SECRET "/api/v1/secrets/{name}"

static int read_secrets(struct request *rq, struct db *db, json_t **answer, struct err *e)
{
    struct secret_row *rows;
    size_t n;
    int rc = secret_list(db, &rq->arena, &rows, &n, e);
    if (rc)
        return rc;
    json_t *items = json_array();
    char text[32];
    for (size_t i = 0; i < n; i++)
        json_array_append_new(items, json_pack("{s:s%,s:s%,s:s}", "name", rows[i].name.p, (size_t)rows[i].name.n,
                                               "set_by", rows[i].who.p ? rows[i].who.p : "", (size_t)rows[i].who.n,
                                               "set_at", time_text(text, rows[i].set_us)));
    *answer = json_pack("{s:o}", "items", items);
    return TL_OK;
}

static int list_secrets(struct request *rq, json_t **answer, struct err *e)
{
    WITH_READER(rq, db, e, read_secrets(rq, db, answer, e));
}

static int run_set(struct verb *v, struct err *e)
{
    int rc = secret_set(v->app->db, str_of(v->object), str_of(v->text[0]), str_of(v->rq->caller.name), e);
    if (!rc)
        setup_endpoints(v->app, NULL);
    return rc;
}

static int set_secret(struct request *rq, json_t **answer, struct err *e)
{
    struct verb v;
    verb_init(&v, rq, "secret.set", capture(rq, 0));
    v.secret = true;
    int rc = body_need_text(rq, "value", &v.text[0], e);
    return rc ? rc : verb_run(&v, run_set, answer, e);
}

static int run_remove(struct verb *v, struct err *e)
{
    int rc = secret_rm(v->app->db, str_of(v->object), e);
    if (!rc)
        setup_endpoints(v->app, NULL);
    return not_found_words(e, rc, "secret", v->object);
}

static int remove_secret(struct request *rq, json_t **answer, struct err *e)
{
    struct verb v;
    verb_init(&v, rq, "secret.rm", capture(rq, 0));
    return verb_run(&v, run_remove, answer, e);
}

const struct route routes_secrets[] = {
    {.method = "GET",
     .path = "/api/v1/secrets",
     .handler = list_secrets,
     .summary = "names of secrets, never their values",
     .answer = "{items:[{name:string,set_by:string,set_at:time}]}"},
    {.method = "PUT",
     .path = SECRET,
     .flags = ROUTE_WRITE,
     .handler = set_secret,
     .summary = "set a secret; endpoints that use it are read again",
     .body = "{value:string}",
     .answer = "object"},
    {.method = "DELETE",
     .path = SECRET,
     .flags = ROUTE_WRITE,
     .handler = remove_secret,
     .summary = "remove a secret",
     .answer = "object"},
    {.method = NULL},
};
