/* Reading what happened: status, history, failures, pairs. */
#include <stdio.h>

#include "failures.h"
#include "feeds.h"
#include "obs.h"
#include "pairs.h"
#include "reason.h"
#include "records.h"
#include "runs.h"
#include "times.h"
#include "undo.h"
#include "values.h"
#include "view_progress.h"
#include "view_record.h"

static json_t *count_json(const struct run_count *c)
{
    return json_pack("{s:s,s:I,s:I,s:I,s:I,s:I}", "to", c->to ? "b" : "a", "added", (json_int_t)c->added, "updated",
                     (json_int_t)c->updated, "matched", (json_int_t)c->matched, "failed", (json_int_t)c->failed,
                     "conflicts", (json_int_t)c->conflict);
}

json_t *view_run_json(struct db *r, struct arena *a, const struct run *run)
{
    json_t *o = json_object(), *counts = json_array();
    struct run_count *rows = NULL;
    size_t n = 0;
    struct err e = {0};
    json_object_set_new(o, "run", json_integer(run->run));
    json_object_set_new(o, "run_kind", json_string(run_kind_name(run->kind)));
    json_object_set_new(o, "state", json_string(history_state_name(run->state)));
    json_object_set_new(o, "started", view_time(run->started_us));
    json_object_set_new(o, "ended", view_time(run->ended_us));
    json_object_set_new(o, "phase", view_text_or_null(run->phase));
    if (run_count_list(r, a, run->run, &rows, &n, &e) == TL_OK)
        for (size_t i = 0; i < n; i++)
            json_array_append_new(counts, count_json(&rows[i]));
    json_object_set_new(o, "counts", counts);
    return o;
}

static json_t *status_link(struct db *r, struct arena *a, const struct connection *c, const struct link *l,
                           int64_t now_us)
{
    json_t *o = view_link_json(r, a, c, l);
    struct err e = {0};
    view_progress(r, a, l, now_us, o);
    struct run_filter f = {.connection = c->connection, .link = l->link};
    struct run *runs = NULL;
    size_t n = 0;
    if (run_list(r, a, &f, 1, &runs, &n, &e) == TL_OK && n)
        json_object_set_new(o, "last_run", view_run_json(r, a, &runs[0]));
    struct failure_group *groups = NULL;
    json_t *list = json_array();
    if (failure_groups(r, a, l->link, &groups, &n, &e) == TL_OK)
        for (size_t i = 0; i < n; i++)
            json_array_append_new(
                list, json_pack("{s:o,s:I}", "code", view_str(groups[i].code), "count", (json_int_t)groups[i].n));
    json_object_set_new(o, "failures", list);
    return o;
}

int view_status(struct db *r, const char *connection, int64_t now_us, json_t **out, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct connection *rows = NULL, one = {0};
    size_t n = 1;
    int rc = connection ? view_find_connection(r, &a, connection, &one, e) : connection_list(r, &a, &rows, &n, e);
    if (rc != TL_OK)
        return rc;
    if (connection)
        rows = &one;
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        struct link *links = NULL;
        size_t n_links = 0;
        json_t *o = json_object(), *sub = json_array();
        json_object_set_new(o, "name", view_str(rows[i].name));
        json_object_set_new(o, "state", json_string(conn_state_name(rows[i].state)));
        json_object_set_new(o, "since", view_time(rows[i].state_us));
        json_object_set_new(o, "block_code", view_text_or_null(rows[i].block_code));
        json_object_set_new(o, "block_text", view_text_or_null(rows[i].block_text));
        if (link_list(r, &a, rows[i].connection, &links, &n_links, e) == TL_OK)
            for (size_t k = 0; k < n_links; k++)
                json_array_append_new(sub, status_link(r, &a, &rows[i], &links[k], now_us));
        json_object_set_new(o, "links", sub);
        json_array_append_new(list, o);
    }
    *out = json_object();
    json_object_set_new(*out, "items", list);
    return TL_OK;
}

static uint32_t page_size(const struct view_page *page)
{
    uint32_t n = page && page->limit ? page->limit : 100;
    return n > 1000 ? 1000 : n;
}

static json_t *paged(json_t *list, int64_t next)
{
    json_t *o = json_object();
    json_object_set_new(o, "items", list);
    json_object_set_new(o, "next", next ? json_integer(next) : json_null());
    return o;
}

/* One that was only looked at wrote nothing, whatever it was about. */
static const char *kind_shown(const struct run *r)
{
    return run_kind_name(r->kind == RUN_UNDO && (r->basis & UNDO_DRY) ? RUN_DRYRUN : r->kind);
}

int view_history(struct db *r, const char *connection, int64_t since_us, const struct view_page *page, json_t **out,
                 struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct connection c = {0};
    int rc = connection ? view_find_connection(r, &a, connection, &c, e) : TL_OK;
    struct run_filter f = {.connection = c.connection, .since_us = since_us, .before = page ? page->after : 0};
    struct run *runs = NULL;
    size_t n = 0;
    uint32_t max = page_size(page);
    if (rc == TL_OK)
        rc = run_list(r, &a, &f, max, &runs, &n, e);
    if (rc != TL_OK)
        return rc;
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        struct run_count *rows = NULL;
        size_t n_rows = 0;
        struct connection conn = {0};
        struct link l = {0};
        struct endpoint ep[2] = {{0}, {0}};
        if (connection_get(r, &a, runs[i].connection, &conn, e) != TL_OK)
            continue;
        for (int s = 0; s < 2; s++)
            (void)endpoint_get(r, &a, conn.endpoint[s], &ep[s], e);
        if (runs[i].link)
            (void)link_get(r, &a, runs[i].link, &l, e);
        if (run_count_list(r, &a, runs[i].run, &rows, &n_rows, e) != TL_OK)
            continue;
        for (size_t k = 0; k < n_rows || k == 0; k++) {
            struct run_count none = {.to = 1};
            const struct run_count *row = n_rows ? &rows[k] : &none;
            json_t *o = count_json(row);
            json_object_set_new(o, "run", json_integer(runs[i].run));
            json_object_set_new(o, "date", view_time(runs[i].started_us ? runs[i].started_us : runs[i].made_us));
            json_object_set_new(o, "ended", view_time(runs[i].ended_us));
            json_object_set_new(o, "connection", view_str(conn.name));
            json_object_set_new(o, "source", view_str(ep[1 - row->to].name));
            json_object_set_new(o, "destination", view_str(ep[row->to].name));
            json_object_set_new(o, "kind", view_text_or_null(l.name));
            json_object_set_new(o, "run_kind", json_string(kind_shown(&runs[i])));
            json_object_set_new(o, "state", json_string(history_state_name(runs[i].state)));
            json_array_append_new(list, o);
        }
    }
    *out = paged(list, n == max ? runs[n - 1].run : 0);
    return TL_OK;
}

/* Whom it is about, and the value the target did not take: as the record has it now. */
static void failure_record(struct view_kinds *kinds, struct arena *a, const struct failure *f, const struct link *l,
                           const struct connection *c, const struct record *rec, json_t *o)
{
    AUTO(buf_done) struct buf name = {0};
    AUTO(buf_done) struct buf email = {0};
    AUTO(buf_done) struct buf value = {0};
    int side = f->side ? 1 : 0;
    struct err e = {0};
    struct record found = *rec;
    if (found.rec == 0 && l->feed[side])
        (void)record_find(kinds->r, a, l->feed[side], f->id, &found, &e);
    const struct view_kind *of = view_kind(kinds, c->endpoint[side], l->kind[side]);
    view_record_name(of, found.observation, a, &name);
    view_field_text(of, found.observation, STR("email"), a, &email);
    if (f->field.n) {
        str path = view_field_of_side(kinds, a, c, l, f->field, side);
        view_field_text(of, found.observation, path, a, &value);
    }
    json_object_set_new(o, "name", view_text_or_null(buf_lent(&name)));
    json_object_set_new(o, "email", view_text_or_null(buf_lent(&email)));
    json_object_set_new(o, "value", view_text_or_null(view_cut(buf_lent(&value), a)));
}

static const char *reason_between(struct db *r, struct arena *a, const struct failure *f, const struct connection *c,
                                  const char *code, const char *lang)
{
    struct endpoint own = {0}, other = {0};
    struct err e = {0};
    int side = f->side ? 1 : 0;
    if (c->connection == 0 || endpoint_get(r, a, c->endpoint[side], &own, &e) != TL_OK ||
        endpoint_get(r, a, c->endpoint[1 - side], &other, &e) != TL_OK)
        return reason_text(code, lang);
    return reason_text_of(code, own.role, other.role, lang);
}

json_t *view_failure_json(struct view_kinds *kinds, struct arena *a, const struct failure *f, const char *lang)
{
    json_t *o = json_object();
    struct db *r = kinds->r;
    struct err e = {0};
    struct link l = {0};
    struct connection c = {0};
    struct pair p = {0};
    struct record rec[2] = {{0}, {0}};
    char code[64];
    snprintf(code, sizeof code, "%.*s", STR_FMT(f->code));
    if (link_get(r, a, f->link, &l, &e) == TL_OK)
        (void)connection_get(r, a, l.connection, &c, &e);
    if (f->pair)
        (void)pair_load(r, a, f->pair, &p, rec, &e);
    json_object_set_new(o, "id", json_integer(f->failure));
    json_object_set_new(o, "connection", view_str(c.name));
    json_object_set_new(o, "kind", view_str(l.name));
    json_object_set_new(o, "pair", f->pair ? json_integer(f->pair) : json_null());
    json_object_set_new(o, "side", json_string(f->side ? "b" : "a"));
    json_object_set_new(o, "record", view_str(f->id));
    json_object_set_new(o, "a_id", view_text_or_null(rec[0].rec ? rec[0].id : f->side == 0 ? f->id : (str){0}));
    json_object_set_new(o, "b_id", view_text_or_null(rec[1].rec ? rec[1].id : f->side == 1 ? f->id : (str){0}));
    failure_record(kinds, a, f, &l, &c, &rec[f->side ? 1 : 0], o);
    json_object_set_new(o, "code", json_string(code));
    json_object_set_new(o, "reason", json_string(reason_between(r, a, f, &c, code, lang)));
    json_object_set_new(o, "hint", json_string(reason_hint(code, lang)));
    json_object_set_new(o, "detail", view_text_or_null(f->text));
    json_object_set_new(o, "field", view_text_or_null(f->field));
    json_object_set_new(o, "vendor_code", view_text_or_null(f->vendor_code));
    json_object_set_new(o, "vendor_text", view_text_or_null(f->vendor_text));
    json_object_set_new(o, "first", view_time(f->first_us));
    json_object_set_new(o, "time", view_time(f->last_us));
    json_object_set_new(o, "count", json_integer(f->n));
    json_object_set_new(o, "run", json_integer(f->run));
    json_object_set_new(o, "retry", json_string(retry_name(f->retry)));
    json_object_set_new(o, "next_try", view_time(f->next_us));
    json_object_set_new(o, "resolved", view_time(f->resolved_us));
    json_object_set_new(o, "resolved_by", view_text_or_null(f->resolved_by));
    return o;
}

static bool is_kind(str name, const char *kind) /* "contact" or "contacts" */
{
    str asked = str_of(kind);
    return str_eq(name, asked) || (asked.n == name.n + 1 && str_ends(asked, STR("s")) && str_starts(asked, name));
}

int view_failures(struct db *r, const struct view_failures *filter, const struct view_page *page, json_t **out,
                  struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct connection c = {0};
    struct link l = {0};
    int rc = TL_OK;
    if (filter->connection && filter->kind)
        rc = view_find_link(r, &a, filter->connection, filter->kind, &c, &l, e);
    else if (filter->connection)
        rc = view_find_connection(r, &a, filter->connection, &c, e);
    struct failure_filter f = {.link = l.link,
                               .code = str_of(filter->code ? filter->code : ""),
                               .with_resolved = filter->resolved,
                               .before = page ? page->after : 0};
    struct failure *rows = NULL;
    size_t n = 0;
    uint32_t max = page_size(page);
    if (rc == TL_OK)
        rc = failure_list(r, &a, &f, max, &rows, &n, e);
    if (rc != TL_OK)
        return rc;
    json_t *list = json_array();
    AUTO(view_kinds_done) struct view_kinds kinds = {.r = r};
    for (size_t i = 0; i < n; i++) {
        struct link of = {0};
        if ((c.connection || filter->kind) && !l.link &&
            (link_get(r, &a, rows[i].link, &of, e) != TL_OK || (c.connection && of.connection != c.connection) ||
             (filter->kind && !is_kind(of.name, filter->kind))))
            continue;
        json_array_append_new(list, view_failure_json(&kinds, &a, &rows[i], filter->lang));
    }
    *out = paged(list, n == max ? rows[n - 1].failure : 0);
    return TL_OK;
}

int view_failure(struct db *r, int64_t id, const char *lang, json_t **out, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct failure f = {0};
    int rc = failure_get(r, &a, id, &f, e);
    if (rc == TL_E_NOT_FOUND)
        err_set(e, rc, "no failure %lld", (long long)id);
    AUTO(view_kinds_done) struct view_kinds kinds = {.r = r};
    if (rc == TL_OK)
        *out = view_failure_json(&kinds, &a, &f, lang);
    return rc;
}
