/* Routes of field maps: list, set, check, effect, preview, export and import; chains on values. */
#include "map_edit.h"
#include "shapes.h"
#include "verb.h"
#include "view.h"

#define MAP "/api/v1/links/{connection}/{kind}/map"

enum { IN_FLIGHT_TRIES = 150, IN_FLIGHT_WAIT_MS = 200, IMPORT_ROWS = 500 };

static const char *link_object(struct request *rq)
{
    return arena_fmt(&rq->arena, "%s/%s", capture(rq, 0), capture(rq, 1));
}

static int show_map(struct request *rq, json_t **answer, struct err *e)
{
    const char *connection = capture(rq, 0), *kind = capture(rq, 1);
    WITH_READER(rq, db, e, not_found_words(e, view_map(db, connection, kind, answer, e), "link", kind));
}

static int check_map(struct request *rq, json_t **answer, struct err *e)
{
    const char *connection = capture(rq, 0), *kind = capture(rq, 1);
    WITH_READER(rq, db, e, not_found_words(e, view_map_check(db, connection, kind, answer, e), "link", kind));
}

static int export_map(struct request *rq, json_t **answer, struct err *e)
{
    const char *connection = capture(rq, 0), *kind = capture(rq, 1);
    WITH_READER(rq, db, e, not_found_words(e, view_map_export(db, connection, kind, answer, e), "link", kind));
}

static int preview_map(struct request *rq, json_t **answer, struct err *e)
{
    const char *connection = capture(rq, 0), *kind = capture(rq, 1), *id = param_text(rq, "record");
    if (!id)
        return err_set(e, TL_E_INVALID, "the request needs \"record\": the id of a record of either side");
    WITH_READER(rq, db, e, not_found_words(e, view_map_preview(db, connection, kind, id, answer, e), "link", kind));
}

/* An edit waits until the writes that are on their way have come in; the engine begins no new ones meanwhile. */
static int run_settled(struct verb *v, verb_fn fn, json_t **answer, struct err *e)
{
    for (int tries = 0;; tries++) {
        int rc = verb_run(v, fn, answer, e);
        if (rc != E_BUSY || tries == IN_FLIGHT_TRIES || !e || strcmp(e->code, "IN_FLIGHT") != 0)
            return rc;
        err_clear(e);
        nanosleep(&(struct timespec){.tv_nsec = IN_FLIGHT_WAIT_MS * 1000000L}, NULL);
    }
}

struct map_verb { /* what a verb's function is given beside its texts */
    struct map_ask *asks;
    size_t n;
};

static const char *row_text(struct request *rq, const json_t *row, const char *name)
{
    const json_t *v = json_object_get(row, name);
    if (json_is_boolean(v))
        return json_is_true(v) ? "yes" : "no";
    return json_is_string(v) ? arena_str(&rq->arena, str_of(json_string_value(v))).p : NULL;
}

static int ask_read(struct request *rq, const json_t *row, struct map_ask *out, struct err *e)
{
    static const char *const known[] = {"a", "b", "direction", "policy", "transform", "back", "unless_blank"};
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)row, key, value)
    {
        bool is_known = false;
        for (size_t i = 0; i < ARRAY_LEN(known); i++)
            is_known |= strcmp(key, known[i]) == 0;
        const char *near = is_known ? NULL : text_nearest(key, known, ARRAY_LEN(known));
        if (is_known && (json_is_string(value) || json_is_boolean(value) || json_is_null(value)))
            continue;
        err_set(e, TL_E_INVALID, is_known ? "\"%s\" must be a text" : "a row of a map has no \"%s\"", key);
        if (near)
            err_hint(e, "did you mean \"%s\"?", near);
        return TL_E_INVALID;
    }
    *out = (struct map_ask){.a = row_text(rq, row, "a"),
                            .b = row_text(rq, row, "b"),
                            .direction = row_text(rq, row, "direction"),
                            .policy = row_text(rq, row, "policy"),
                            .transform = row_text(rq, row, "transform"),
                            .back = row_text(rq, row, "back"),
                            .unless_blank = row_text(rq, row, "unless_blank")};
    if (!out->a || !out->b)
        return err_set(e, TL_E_INVALID, "a row of a map needs \"a\" and \"b\": the fields of both sides");
    return TL_OK;
}

/* {"a","b","settings":{...}} as one row. */
static int set_read(struct request *rq, struct map_ask *out, struct err *e)
{
    json_t *row = json_object();
    json_object_update(row, json_object_get(rq->body, "settings"));
    json_object_set(row, "a", json_object_get(rq->body, "a"));
    json_object_set(row, "b", json_object_get(rq->body, "b"));
    int rc = ask_read(rq, row, out, e);
    json_decref(row);
    return rc;
}

static int run_set(struct verb *v, struct err *e)
{
    const struct map_verb *m = v->more;
    return admin_map_set(v->app->engine, v->text[0], v->text[1], m->asks, &v->out, e);
}

static int set_map(struct request *rq, json_t **answer, struct err *e)
{
    struct map_ask ask;
    struct map_verb m = {.asks = &ask, .n = 1};
    struct verb v;
    int rc = set_read(rq, &ask, e);
    if (rc)
        return rc;
    if (request_flag(rq, "dry_run")) {
        const char *connection = capture(rq, 0), *kind = capture(rq, 1);
        WITH_READER(rq, db, e,
                    not_found_words(e, view_map_effect(db, connection, kind, &ask, answer, e), "link", kind));
    }
    verb_init(&v, rq, "map.set", link_object(rq));
    v.text[0] = capture(rq, 0);
    v.text[1] = capture(rq, 1);
    v.more = &m;
    return run_settled(&v, run_set, answer, e);
}

static int run_import(struct verb *v, struct err *e)
{
    const struct map_verb *m = v->more;
    return admin_map_import(v->app->engine, v->text[0], v->text[1], m->asks, m->n, &v->out, e);
}

static int import_map(struct request *rq, json_t **answer, struct err *e)
{
    const json_t *rows = json_object_get(rq->body, "rows");
    struct map_verb m = {.n = json_array_size(rows)};
    struct verb v;
    if (!json_is_array(rows) || m.n == 0 || m.n > IMPORT_ROWS)
        return err_set(e, TL_E_INVALID, "the request needs \"rows\": 1 to %d rows of a map", IMPORT_ROWS);
    m.asks = arena_array(&rq->arena, struct map_ask, m.n);
    for (size_t i = 0; i < m.n; i++) {
        int rc = ask_read(rq, json_array_get(rows, i), &m.asks[i], e);
        if (rc) {
            err_wrap(e, "row %zu", i + 1);
            return rc;
        }
    }
    if (request_flag(rq, "dry_run")) {
        const char *connection = capture(rq, 0), *kind = capture(rq, 1);
        WITH_READER(rq, db, e,
                    not_found_words(e, view_map_import(db, connection, kind, m.asks, m.n, answer, e), "link", kind));
    }
    verb_init(&v, rq, "map.import", link_object(rq));
    v.text[0] = capture(rq, 0);
    v.text[1] = capture(rq, 1);
    v.more = &m;
    return run_settled(&v, run_import, answer, e);
}

static int run_unset(struct verb *v, struct err *e)
{
    if (v->flag)
        return admin_map_reset(v->app->engine, v->text[0], v->text[1], &v->out, e);
    return admin_map_unset(v->app->engine, v->text[0], v->text[1], v->text[2], &v->out, e);
}

static int unset_map(struct request *rq, json_t **answer, struct err *e)
{
    struct verb v;
    verb_init(&v, rq, "map.unset", link_object(rq));
    v.text[0] = capture(rq, 0);
    v.text[1] = capture(rq, 1);
    v.text[2] = param_text(rq, "field");
    v.flag = request_flag(rq, "all");
    if (!v.flag && !v.text[2])
        return err_set(e, TL_E_INVALID, "the request needs \"field\", or all=true to go back to the default map");
    return run_settled(&v, run_unset, answer, e);
}

static int run_transform(struct request *rq, json_t **answer, struct err *e)
{
    return view_transform(rq->body, answer, e);
}

static int list_functions(struct request *rq, json_t **answer, struct err *e)
{
    (void)e;
    struct transform_help *all = NULL;
    size_t n = transform_functions(&rq->arena, &all);
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, json_pack("{s:s,s:s,s:s,s:s,s:s,s:s?}", "name", all[i].name, "usage", all[i].usage,
                                              "takes", all[i].takes, "gives", all[i].gives, "summary", all[i].summary,
                                              "no_way_back", all[i].no_way_back));
    *answer = json_pack("{s:o}", "items", list);
    return TL_OK;
}

const struct route routes_maps[] = {
    {.method = "GET",
     .path = MAP,
     .scope = SCOPE_READ,
     .handler = show_map,
     .summary = "field map",
     .answer = "{items:[" MAP_SHAPE "]}"},
    {.method = "PUT",
     .path = MAP,
     .flags = ROUTE_WRITE | ROUTE_MATCH | ROUTE_DRY,
     .handler = set_map,
     .summary = "map one field; with dry_run the effect on the pairs there are, before anything changes",
     .params = "dry_run:boolean",
     .body = "{a:string,b:string,settings:object?}",
     .answer = "object"},
    {.method = "DELETE",
     .path = MAP,
     .flags = ROUTE_WRITE | ROUTE_MATCH,
     .handler = unset_map,
     .summary = "unmap one field, or go back to the default map",
     .params = "field:string all:boolean",
     .answer = "object"},
    {.method = "GET",
     .path = MAP "/check",
     .scope = SCOPE_READ,
     .handler = check_map,
     .summary = "types, lengths, required and read-only fields, choices, what stored values would lose",
     .answer = "{ok:boolean,findings:[" MAP_FINDING_SHAPE "]}"},
    {.method = "GET",
     .path = MAP "/preview",
     .scope = SCOPE_READ,
     .handler = preview_map,
     .summary = "every row of the map on one real record, both sides",
     .params = "record:string",
     .answer = MAP_PREVIEW_SHAPE},
    {.method = "GET",
     .path = MAP "/export",
     .scope = SCOPE_READ,
     .handler = export_map,
     .summary = "the map as import takes it",
     .answer = MAP_EXPORT_SHAPE},
    {.method = "POST",
     .path = MAP "/import",
     .flags = ROUTE_WRITE | ROUTE_DRY,
     .handler = import_map,
     .summary = "the whole map in place of what there is; all rows are checked before one changes",
     .params = "dry_run:boolean",
     .body = "{rows:[object],map:integer?,connection:string?,kind:string?}",
     .answer = "object"},
    {.method = "GET",
     .path = "/api/v1/transforms",
     .scope = SCOPE_READ,
     .handler = list_functions,
     .summary = "functions that a map may use",
     .answer = "{items:[" FUNCTION_SHAPE "]}"},
    {.method = "POST",
     .path = "/api/v1/transforms/run",
     .handler = run_transform,
     .summary = "values through a chain, without any link",
     .body = "{transform:string,values:[string],type:string?}",
     .answer = "object"},
    {.method = NULL},
};
