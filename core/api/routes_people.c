/* Routes of people: what is stored about one of them, and that it goes. Who is asked for stands in bodies, never in
 * paths, and stays out of the audit. */
#include "backups.h"
#include "person.h"
#include "shapes.h"
#include "verb.h"
#include "view.h"

static int run_nothing(struct verb *v, struct err *e)
{
    (void)v;
    (void)e;
    return TL_OK;
}

static int read_person(struct request *rq, const char *who, json_t **answer, struct err *e)
{
    WITH_READER(rq, db, e, not_found_words(e, view_person(db, who, answer, e), "record", who));
}

/* A POST: who is asked for stays out of logs of paths, and that somebody asked is kept, without the name. */
static int export_person(struct request *rq, json_t **answer, struct err *e)
{
    const char *who = NULL;
    struct verb v;
    json_t *done = NULL;
    verb_init(&v, rq, "person.export", "a person");
    v.secret = true;
    int rc = body_need_text(rq, "who", &who, e);
    if (!rc)
        rc = read_person(rq, who, answer, e);
    if (!rc)
        rc = verb_run(&v, run_nothing, &done, e);
    json_decref(done);
    return rc;
}

/* ---- erase ---- */

static int find_records(struct db *db, struct request *rq, const struct person_ask *ask, struct person_erase *out,
                        struct err *e)
{
    struct person_record *found = NULL;
    int rc = person_find(db, ask, &rq->arena, &found, &out->n, e);
    out->of = found;
    return not_found_words(e, rc, "record", ask->who);
}

static int find_person(struct request *rq, const struct person_ask *ask, struct person_erase *out, struct err *e)
{
    WITH_READER(rq, db, e, find_records(db, rq, ask, out, e));
}

/* Copies made before hold what was erased: which there are, as far as the directory of backups goes. */
static int run_erase(struct verb *v, struct err *e)
{
    json_t *backups = NULL;
    struct err why = {0};
    int rc = admin_person_erase(v->app->engine, v->more, &v->out, e);
    if (rc)
        return rc;
    if (backups_list(v->app->backups, &backups, &why) == TL_OK)
        json_object_set(v->out, "backups", json_object_get(backups, "items"));
    else
        json_object_set_new(v->out, "backups", json_array());
    json_decref(backups);
    return TL_OK;
}

static int erase_person(struct request *rq, json_t **answer, struct err *e)
{
    struct verb v;
    struct person_ask ask = {.endpoint = body_text(rq, "endpoint"), .kind = body_text(rq, "kind")};
    struct person_erase wish = {.dry_run = request_flag(rq, "dry_run"),
                                .compact = !json_is_false(json_object_get(rq->body, "compact"))};
    verb_init(&v, rq, wish.dry_run ? NULL : "person.erase", "a person");
    v.secret = v.audited = true;
    v.more = &wish;
    int rc = body_need_text(rq, "who", &ask.who, e);
    if (!rc)
        rc = find_person(rq, &ask, &wish, e);
    return rc ? rc : verb_run(&v, run_erase, answer, e);
}

static int list_erasures(struct request *rq, json_t **answer, struct err *e)
{
    WITH_READER(rq, db, e, view_erasures(db, answer, e));
}

static int run_restore(struct verb *v, struct err *e)
{
    return admin_person_restore(v->app->engine, v->number, v->text[0], &v->out, e);
}

static int restore_person(struct request *rq, json_t **answer, struct err *e)
{
    struct verb v;
    verb_init(&v, rq, "person.restore", "a person");
    v.secret = v.audited = true;
    v.number = json_integer_value(json_object_get(rq->body, "erasure"));
    v.text[0] = body_text(rq, "who");
    if (v.number <= 0 && !v.text[0])
        return err_set(e, TL_E_INVALID, "the body needs \"erasure\", a number, or \"who\", the id of a record");
    return verb_run(&v, run_restore, answer, e);
}

#define ERASED                                                                                                         \
    "{records:integer,pairs:integer,changes:integer,failures:integer,conflicts:integer,plan_rows:integer,"             \
    "lookups:integer,hints:integer,deliveries:integer,passport_pairs:integer,acts:integer,texts:integer,"              \
    "audit_rows:integer}"

const struct route routes_people[] = {
    {.method = "POST",
     .path = "/api/v1/person/export",
     .flags = ROUTE_WRITE,
     .handler = export_person,
     .summary = "everything stored about a person: by record id, e-mail address or phone number",
     .body = "{who:string}",
     .answer = "{who:string,records:[{endpoint:string,kind:string,record:string,live:boolean,seen:time?,changed:time?,"
               "changed_by:string?,values:object}],pairs:[object],acts:[" ACT_SHAPE
               "],audit:[{id:integer,at:time?,act:string,detail:string}]}"},
    {.method = "POST",
     .path = "/api/v1/person/erase",
     .flags = ROUTE_WRITE | ROUTE_DRY,
     .handler = erase_person,
     .summary = "erase what is stored about a person, by record id or e-mail address; the vendors' records stay",
     .params = "dry_run:boolean",
     .body = "{who:string,endpoint:string?,kind:string?,compact:boolean?}",
     .answer = "{dry_run:boolean,erasure:integer?,records:[{endpoint:string,kind:string,record:string}],erased:" ERASED
               ",compacted:boolean,remains:string?,backups:[{file:string,at:time,bytes:integer,seconds:number?}]}"},
    {.method = "GET",
     .path = "/api/v1/person/erasures",
     .handler = list_erasures,
     .summary = "erasures, newest first: none says whose",
     .answer = "{items:[{erasure:integer,at:time,who:string,records:integer}]}"},
    {.method = "POST",
     .path = "/api/v1/person/restore-sync",
     .flags = ROUTE_WRITE,
     .handler = restore_person,
     .summary = "lift an erasure: its records may be stored again",
     .body = "{erasure:integer?,who:string?}",
     .answer = "{erasure:integer,records:integer}"},
    {.method = NULL},
};
