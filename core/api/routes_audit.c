/* Routes of the audit: what people did, and whether any of it was changed since. */
#include "attention.h"
#include "shapes.h"
#include "times.h"
#include "verb.h"

static json_t *text_json(str s)
{
    return json_stringn(s.n ? s.p : "", (size_t)s.n);
}

static json_t *row_json(const struct audit *row)
{
    char at[32];
    time_text(at, row->at_us);
    json_t *detail = row->detail.n ? json_loadb(row->detail.p, (size_t)row->detail.n, 0, NULL) : NULL;
    return json_pack("{s:I,s:s,s:o,s:o,s:o,s:o}", "id", (json_int_t)row->audit, "at", at, "who", text_json(row->who),
                     "act", text_json(row->act), "object", text_json(row->object), "detail",
                     detail ? detail : text_json(row->detail));
}

static int read_list(struct request *rq, struct db *db, int64_t before, int64_t limit, json_t **answer, struct err *e)
{
    struct audit *rows = NULL;
    size_t n = 0;
    int rc = audit_list(db, &rq->arena, before, (size_t)limit, &rows, &n, e);
    if (rc)
        return rc;
    json_t *items = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(items, row_json(&rows[i]));
    *answer = json_pack("{s:o,s:o}", "items", items, "next",
                        n == (size_t)limit ? json_integer(rows[n - 1].audit) : json_null());
    return TL_OK;
}

static int list(struct request *rq, json_t **answer, struct err *e)
{
    int64_t limit, before;
    int rc = request_number(rq, "limit", 100, 1, 1000, &limit, e);
    if (!rc)
        rc = request_number(rq, "after", 0, 0, INT64_MAX, &before, e);
    if (rc)
        return rc;
    WITH_READER(rq, db, e, read_list(rq, db, before, limit, answer, e));
}

/* Slice by slice: a reader is lent for a moment only. */
static int verify(struct request *rq, json_t **answer, struct err *e)
{
    struct audit_walk walk = {0};
    bool end = false;
    while (!end) {
        struct db *db;
        int rc = readers_take(rq->app->readers, &db, e);
        if (rc)
            return rc;
        rc = audit_verify_slice(db, &walk, 2000, &end, e);
        readers_give(rq->app->readers, db);
        if (rc)
            return rc;
    }
    *answer = json_pack("{s:b,s:I,s:o,s:I}", "sound", walk.broken == 0, "rows", (json_int_t)walk.rows, "broken",
                        walk.broken ? json_integer(walk.broken) : json_null(), "from", (json_int_t)walk.first);
    return TL_OK;
}

const struct route routes_audit[] = {
    {.method = "GET",
     .path = "/api/v1/audit",
     .handler = list,
     .summary = "what people did, newest first",
     .params = "limit:integer after:integer",
     .answer = "{items:[{id:integer,at:time,who:string,act:string,object:string,detail:any}],next:integer?}"},
    {.method = "GET",
     .path = "/api/v1/audit/verify",
     .scope = SCOPE_READ,
     .handler = verify,
     .summary = "whether any row of the audit was changed or removed",
     .answer = "{sound:boolean,rows:integer,broken:integer?,from:integer}"},
    {.method = NULL},
};
