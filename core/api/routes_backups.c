/* Routes of backups: what there is, and one now. */
#include "backups.h"
#include "verb.h"

static int run_list(struct verb *v, struct err *e)
{
    return backups_list(v->app->backups, &v->out, e);
}

static int list_backups(struct request *rq, json_t **answer, struct err *e)
{
    struct verb v;
    verb_init(&v, rq, NULL, NULL);
    return verb_run(&v, run_list, answer, e);
}

static void on_made(void *arg, const struct backup_file *file, const struct err *e)
{
    struct verb *v = arg;
    if (!e)
        v->out = backup_file_json(file);
    verb_finish(v, e ? e->status : TL_OK, e);
}

static int run_make(struct verb *v, struct err *e)
{
    int rc = backups_now(v->app->backups, v->text[0], on_made, v, e);
    if (!rc)
        verb_hold(v);
    return rc;
}

static int make_backup(struct request *rq, json_t **answer, struct err *e)
{
    struct verb v;
    const char *to = body_text(rq, "to");
    verb_init(&v, rq, "backup.now", to ? to : "");
    v.text[0] = to;
    rq->http_status = 201;
    return verb_run(&v, run_make, answer, e);
}

#define FILE_SHAPE "{file:string,at:time,bytes:integer,seconds:number?}"
const struct route routes_backups[] = {
    {.method = "GET",
     .path = "/api/v1/backups",
     .handler = list_backups,
     .summary = "backups in the directory, newest first",
     .answer = "{items:[" FILE_SHAPE "]}"},
    {.method = "POST",
     .path = "/api/v1/backups",
     .flags = ROUTE_WRITE,
     .handler = make_backup,
     .summary = "make one now, in the directory or as a new file; answers when it is whole",
     .body = "{to:string?}",
     .answer = FILE_SHAPE},
    {.method = NULL},
};
