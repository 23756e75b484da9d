/* Routes of the check of the whole database: read slice by slice beside everything else, findings as they come. */
#include <stdlib.h>

#include "connections.h"
#include "fsck.h"
#include "log.h"
#include "verb.h"

enum { SLICE_ROWS = 2000, SLICE_MENDED = 500 };

struct checking {
    struct app *app;
    struct fsck fsck;
    bool ended;
};

static void add_line(struct buf *out, json_t *o)
{
    char *text = json_dumps(o, JSON_COMPACT);
    json_decref(o);
    buf_text_add(out, text ? text : "{}");
    buf_char(out, '\n');
    free(text);
}

static void on_found(void *arg, const struct fsck_finding *f)
{
    add_line(arg, json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:b}", "event", "finding", "check", f->check, "level", f->level,
                            "object", f->object, "text", f->text, "hint", f->hint, "can_repair", f->can_repair));
}

static int slice(struct checking *c, struct buf *out, bool *end, struct err *e)
{
    struct db *db;
    int rc = readers_take(c->app->readers, &db, e);
    if (rc)
        return rc;
    rc = fsck_slice(&c->fsck, db, SLICE_ROWS, on_found, out, end, e);
    readers_give(c->app->readers, db);
    return rc;
}

static bool check_next(void *self, struct buf *out)
{
    struct checking *c = self;
    struct err e = {0};
    bool end = false;
    if (c->ended || control_stopping(c->app->control))
        return false;
    int stage = c->fsck.stage;
    const char *name = fsck_stage_name(&c->fsck);
    int rc = slice(c, out, &end, &e);
    c->ended = rc || end;
    if (rc)
        add_line(out, json_pack("{s:s,s:s,s:s}", "event", "error", "text", e.text, "hint", e.hint));
    else if (end)
        add_line(out, json_pack("{s:s,s:I,s:I,s:I}", "event", "end", "looked", (json_int_t)c->fsck.looked, "findings",
                                (json_int_t)c->fsck.findings, "notes", (json_int_t)c->fsck.notes));
    else
        add_line(out, json_pack("{s:s,s:s,s:i,s:i,s:I}", "event", "progress", "stage", name, "done", stage, "total",
                                fsck_stages(), "looked", (json_int_t)c->fsck.looked));
    return true;
}

static int begin(struct checking *c, const char *connection, struct request *rq, struct err *e)
{
    struct connection row = {0};
    struct db *db;
    int rc = readers_take(rq->app->readers, &db, e);
    if (rc)
        return rc;
    if (connection)
        rc = not_found_words(e, connection_find(db, &rq->arena, str_of(connection), &row, e), "connection", connection);
    if (!rc)
        rc = fsck_begin(&c->fsck, db, row.connection, e);
    readers_give(rq->app->readers, db);
    return rc;
}

static int check(struct request *rq, json_t **answer, struct err *e)
{
    (void)answer;
    struct checking *c = calloc(1, sizeof *c);
    struct stream *stream = calloc(1, sizeof *stream);
    ASSERT(c && stream);
    c->app = rq->app;
    int rc = begin(c, param_text(rq, "connection"), rq, e);
    if (rc) {
        free(c);
        free(stream);
        return rc;
    }
    *stream = (struct stream){c, check_next, free};
    rq->stream = stream;
    return TL_OK;
}

/* ---- mending ---- */

struct mend {
    struct verb verb; /* first: what runs is given this */
    const struct fsck_tally *tallies;
    size_t n;
    int64_t mended;
};

static int run_mend(struct verb *v, struct err *e)
{
    struct mend *m = (struct mend *)v;
    int64_t put_back = 0;
    int rc = db_begin(v->app->db, e);
    for (size_t i = 0; i < m->n && rc == TL_OK; i++)
        rc = fsck_tally_mend(v->app->db, &m->tallies[i], e);
    if (rc == TL_OK)
        rc = fsck_orphans_drop(v->app->db, SLICE_MENDED, &m->mended, e);
    if (rc == TL_OK && m->mended < SLICE_MENDED)
        rc = fsck_stretches_mend(v->app->db, (int)(SLICE_MENDED - m->mended), &put_back, e);
    m->mended += put_back;
    if (rc == TL_OK)
        rc = db_commit(v->app->db, e);
    else
        db_rollback(v->app->db);
    return rc;
}

static int find_faults(struct request *rq, struct fsck_tally **list, size_t *n, int64_t *rows, struct err *e)
{
    struct db *db;
    int64_t lost = 0;
    int rc = readers_take(rq->app->readers, &db, e);
    if (rc)
        return rc;
    rc = fsck_tallies(db, &rq->arena, list, n, e);
    if (!rc)
        rc = fsck_orphans_count(db, rows, e);
    if (!rc)
        rc = fsck_stretches_lost(db, &lost, e);
    *rows += lost;
    readers_give(rq->app->readers, db);
    return rc;
}

/* Slice by slice, so that the control thread does other things in between. */
static int repair(struct request *rq, json_t **answer, struct err *e)
{
    struct fsck_tally *list = NULL;
    size_t n = 0;
    int64_t rows = 0, mended = 0;
    bool dry = request_flag(rq, "dry_run");
    int rc = find_faults(rq, &list, &n, &rows, e);
    struct mend m = {.tallies = list, .n = n, .mended = SLICE_MENDED};
    while (!rc && !dry && (n || rows) && m.mended == SLICE_MENDED) {
        json_t *out = NULL;
        verb_init(&m.verb, rq, "fsck.repair", "database");
        rc = verb_run(&m.verb, run_mend, &out, e);
        json_decref(out);
        m.n = 0;
        mended += rc ? 0 : m.mended;
    }
    if (!rc)
        *answer = json_pack("{s:b,s:I,s:I}", "dry_run", dry, "counts", (json_int_t)n, "rows",
                            (json_int_t)(dry ? rows : mended));
    return rc;
}

const struct route routes_fsck[] = {
    {.method = "GET",
     .path = "/api/v1/fsck",
     .flags = ROUTE_STREAM,
     .handler = check,
     .summary = "check the whole database, or what belongs to one connection, while everything goes on (NDJSON)",
     .params = "connection:string",
     .answer = "{}"},
    {.method = "POST",
     .path = "/api/v1/fsck/repair",
     .flags = ROUTE_WRITE | ROUTE_DRY,
     .handler = repair,
     .summary = "put wrong counts right, remove rows of what is gone and put lost stretches back; nothing at any "
                "vendor changes",
     .params = "dry_run:boolean",
     .answer = "{dry_run:boolean,counts:integer,rows:integer}"},
    {.method = NULL},
};
