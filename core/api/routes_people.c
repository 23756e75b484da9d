/* Routes of people: what is stored about one of them. */
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

const struct route routes_people[] = {
    {"POST", "/api/v1/person/export", ROUTE_WRITE, export_person,
     "everything stored about a person: by record id, e-mail address or phone number", NULL, "{who:string}",
     "{who:string,records:[{endpoint:string,kind:string,record:string,live:boolean,seen:time?,changed:time?,"
     "changed_by:string?,values:object}],pairs:[object],audit:[{id:integer,at:time?,act:string,detail:string}]}"},
    {NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL},
};
