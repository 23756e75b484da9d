/* A plan as people read it: how much of what, in which direction, with how many calls; and its rows. */
#include "change.h"
#include "obs.h"
#include "pairs.h"
#include "plans.h"
#include "preview.h"
#include "undo.h"
#include "values.h"
#include "view_record.h"

struct plan_links {
    struct link *rows;
    size_t n;
    struct endpoint ep[2];
};

static const struct link *link_of(const struct plan_links *p, int64_t link)
{
    for (size_t i = 0; i < p->n; i++)
        if (p->rows[i].link == link)
            return &p->rows[i];
    return NULL;
}

/* ---- The whole --------------------------------------------------------------------------------------------------- */

static int64_t pieces(int64_t n, uint32_t of)
{
    int64_t size = of == 0 ? 1 : of > BATCH_MAX ? BATCH_MAX : of;
    return (n + size - 1) / size;
}

/* Calls that the rows of one link ask of one side. A record made is read back with the next page of changes; one of a
 * vendor without conditional writes is read before it is written. */
static void link_calls(struct db *r, const struct plan_links *p, const struct link *l, int side, int64_t creates,
                       int64_t updates, int64_t *writes, int64_t *reads)
{
    AUTO(arena_done) struct arena a = {0};
    AUTO(arena_done) struct arena arrays = {0};
    struct kind_row row = {0};
    struct err e = {0};
    tl_kind kind = {0};
    bool known = kind_get(r, &a, p->ep[side].endpoint, l->kind[side], &row, &e) == TL_OK &&
                 kind_decode(row.description, &arrays, &kind);
    *writes += pieces(creates, known ? kind.max_batch : 1) + pieces(updates, known ? kind.max_batch : 1);
    *reads += pieces(creates, PAGE_ROWS);
    if (!known || !(kind.can & TL_CAN_CONDITIONAL))
        *reads += pieces(updates, known && kind.max_get ? kind.max_get : 1);
}

static json_t *quota_left(struct db *r, struct arena *a, int64_t endpoint)
{
    struct quota_row *rows = NULL;
    size_t n = 0;
    struct err e = {0};
    int64_t least = -1;
    if (quota_list(r, a, endpoint, &rows, &n, &e) == TL_OK)
        for (size_t i = 0; i < n; i++)
            if (rows[i].remaining >= 0 && (least < 0 || rows[i].remaining < least))
                least = rows[i].remaining;
    return least >= 0 ? json_integer(least) : json_null();
}

static json_t *calls_json(struct db *r, struct arena *a, const struct plan_links *p, const struct plan_group *groups,
                          size_t n)
{
    json_t *list = json_array();
    for (int side = 0; side < 2; side++) {
        int64_t writes = 0, reads = 0;
        for (size_t k = 0; k < p->n; k++) {
            int64_t creates = 0, updates = 0;
            for (size_t i = 0; i < n; i++) {
                bool counts =
                    groups[i].link == p->rows[k].link && groups[i].side == side && groups[i].state == ITEM_PLANNED;
                creates += counts && groups[i].what == ITEM_CREATE ? groups[i].n : 0;
                updates += counts && groups[i].what == ITEM_UPDATE ? groups[i].n : 0;
            }
            link_calls(r, p, &p->rows[k], side, creates, updates, &writes, &reads);
        }
        json_array_append_new(list,
                              json_pack("{s:o,s:s,s:I,s:I,s:o,s:n}", "endpoint", view_str(p->ep[side].name), "to",
                                        side ? "b" : "a", "writes", (json_int_t)writes, "reads", (json_int_t)reads,
                                        "remaining", quota_left(r, a, p->ep[side].endpoint), "seconds"));
    }
    return list;
}

static json_t *groups_json(const struct plan_links *p, const struct plan_group *groups, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        const struct link *l = link_of(p, groups[i].link);
        bool at_home = groups[i].what == ITEM_FAILURE || groups[i].what == ITEM_DUPLICATE;
        int to = at_home ? 1 - groups[i].side : groups[i].side;
        json_array_append_new(
            list, json_pack("{s:o,s:s,s:s,s:o,s:o,s:s,s:I}", "kind", view_text_or_null(l ? l->name : (str){0}), "what",
                            plan_what_name(groups[i].what), "to", to ? "b" : "a", "source",
                            view_str(p->ep[1 - to].name), "destination", view_str(p->ep[to].name), "state",
                            plan_state_name(groups[i].state), "count", (json_int_t)groups[i].n));
    }
    return list;
}

static int links_of(struct db *r, struct arena *a, const struct run *run, struct connection *c, struct plan_links *out,
                    struct err *e)
{
    int rc = connection_get(r, a, run->connection, c, e);
    for (int s = 0; s < 2 && rc == TL_OK; s++)
        rc = endpoint_get(r, a, c->endpoint[s], &out->ep[s], e);
    return rc == TL_OK ? link_list(r, a, run->connection, &out->rows, &out->n, e) : rc;
}

static int run_of(struct db *r, struct arena *a, int64_t id, struct run *run, struct connection *c,
                  struct plan_links *links, struct err *e)
{
    int rc = run_get(r, a, id, run, e);
    if (rc == TL_OK && run->kind != RUN_DRYRUN && run->kind != RUN_UNDO)
        rc = TL_E_NOT_FOUND;
    if (rc == TL_E_NOT_FOUND)
        return err_set(e, rc, "no plan %lld", (long long)id);
    return rc == TL_OK ? links_of(r, a, run, c, links, e) : rc;
}

static json_t *approved_by(struct db *r, struct arena *a, const struct run *run)
{
    struct run_filter f = {.connection = run->connection, .since_us = run->made_us};
    struct run *list = NULL;
    size_t n = 0;
    struct err e = {0};
    json_t *ids = json_array();
    if (run_list(r, a, &f, 1000, &list, &n, &e) == TL_OK)
        for (size_t i = n; i > 0; i--)
            if (list[i - 1].about == run->run && list[i - 1].kind == RUN_INITIAL)
                json_array_append_new(ids, json_integer(list[i - 1].run));
    return ids;
}

int view_plan(struct db *r, int64_t id, int64_t now_us, json_t **out, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct run run = {0};
    struct connection c = {0};
    struct plan_links links = {0};
    struct plan_group *groups = NULL;
    size_t n = 0;
    uint64_t basis = 0;
    int rc = run_of(r, &a, id, &run, &c, &links, e);
    if (rc == TL_OK)
        rc = plan_summary(r, &a, id, &groups, &n, e);
    if (rc == TL_OK)
        rc = plan_basis(r, run.connection, run.link, &basis, e);
    if (rc != TL_OK)
        return rc;
    bool other = run.kind == RUN_DRYRUN && basis != run.basis;
    json_t *o = json_object();
    json_object_set_new(o, "run", json_integer(run.run));
    json_object_set_new(o, "run_kind", json_string(run_kind_name(run.kind)));
    json_object_set_new(o, "dry_run", json_boolean(run.kind == RUN_DRYRUN || (run.basis & UNDO_DRY)));
    json_object_set_new(o, "connection", view_str(c.name));
    json_object_set_new(o, "state", json_string(history_state_name(run.state)));
    json_object_set_new(o, "phase", view_text_or_null(run.phase));
    json_object_set_new(o, "started", view_time(run.started_us));
    json_object_set_new(o, "ended", view_time(run.ended_us));
    json_object_set_new(o, "done", json_integer(run.done));
    json_object_set_new(o, "total", run.total >= 0 ? json_integer(run.total) : json_null());
    json_object_set_new(o, "age_seconds",
                        run.ended_us ? json_integer((now_us - run.ended_us) / US_PER_S) : json_null());
    json_object_set_new(o, "old", json_boolean(other));
    json_object_set_new(o, "about", run.about ? json_integer(run.about) : json_null());
    json_object_set_new(o, "approved", approved_by(r, &a, &run));
    json_object_set_new(o, "items", groups_json(&links, groups, n));
    json_object_set_new(o, "calls", run.kind == RUN_DRYRUN ? calls_json(r, &a, &links, groups, n) : json_array());
    json_object_set_new(o, "seconds", json_null());
    *out = o;
    return TL_OK;
}

/* ---- Its rows ---------------------------------------------------------------------------------------------------- */

static json_t *who(struct view_kinds *kinds, struct arena *a, int64_t endpoint, str kind, const struct record *rec)
{
    AUTO(buf_done) struct buf name = {.max = 1024};
    if (rec->rec && !rec->damaged)
        view_record_name(view_kind(kinds, endpoint, kind), rec->observation, a, &name);
    return view_text_or_null(buf_lent(&name));
}

static json_t *item_json(struct view_kinds *kinds, struct arena *a, const struct plan_links *p,
                         const struct plan_item *item)
{
    const struct link *l = link_of(p, item->link);
    struct record rec[2] = {{0}, {0}};
    struct err e = {0};
    bool gone = false;
    for (int s = 0; s < 2; s++)
        if (item->rec[s] && record_get(kinds->r, a, item->rec[s], &rec[s], &e) == TL_OK)
            gone |= rec[s].state != TL_STATE_LIVE;
    bool at_home = item->what == ITEM_FAILURE || item->what == ITEM_DUPLICATE;
    int shown = item->rec[at_home ? item->side : 1 - item->side] ? (at_home ? item->side : 1 - item->side)
                                                                 : (at_home ? 1 - item->side : item->side);
    json_error_t ignored;
    json_t *fields = item->fields.n ? json_loadb(item->fields.p, item->fields.n, 0, &ignored) : NULL;
    change_fields_show(fields);
    json_t *o = json_object();
    json_object_set_new(o, "item", json_integer(item->item));
    json_object_set_new(o, "kind", view_text_or_null(l ? l->name : (str){0}));
    json_object_set_new(o, "what", json_string(plan_what_name(item->what)));
    json_object_set_new(o, "to", json_string((at_home ? 1 - item->side : item->side) ? "b" : "a"));
    json_object_set_new(o, "a_id", view_text_or_null(rec[0].id));
    json_object_set_new(o, "b_id", view_text_or_null(rec[1].id));
    json_object_set_new(o, "who", l ? who(kinds, a, p->ep[shown].endpoint, l->kind[shown], &rec[shown]) : json_null());
    json_object_set_new(o, "code", view_text_or_null(item->code));
    json_object_set_new(o, "field", view_text_or_null(item->field));
    json_object_set_new(o, "detail", view_text_or_null(item->detail));
    json_object_set_new(o, "fields", fields ? fields : json_array());
    json_object_set_new(o, "pair", item->pair ? json_integer(item->pair) : json_null());
    json_object_set_new(o, "state",
                        json_string(gone && item->state == ITEM_PLANNED ? "gone" : plan_state_name(item->state)));
    return o;
}

int view_plan_items(struct db *r, const struct view_plan_filter *f, const struct view_page *page, json_t **out,
                    struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct run run = {0};
    struct connection c = {0};
    struct plan_links links = {0};
    struct plan_item *rows = NULL;
    AUTO(view_kinds_done) struct view_kinds kinds = {.r = r};
    size_t n = 0;
    uint32_t max = page && page->limit ? page->limit : 100;
    max = max > 1000 ? 1000 : max;
    struct plan_filter by = {.run = f->run, .what = -1, .state = -1, .after = page ? page->after : 0};
    if (f->what && !plan_what_of(str_of(f->what), &by.what)) {
        err_set(e, E_USAGE, "\"%s\" is not a kind of plan row", f->what);
        err_hint(e, "create, update, adopt, conflict, failure, duplicate, undo or trash");
        return E_USAGE;
    }
    int rc = run_of(r, &a, f->run, &run, &c, &links, e);
    if (rc != TL_OK)
        return rc;
    for (size_t i = 0; i < links.n && f->kind; i++)
        if (str_is(links.rows[i].name, f->kind))
            by.link = links.rows[i].link;
    if (f->kind && by.link == 0)
        return err_set(e, TL_E_NOT_FOUND, "no link \"%s\"", f->kind);
    if (f->changed)
        by.state = ITEM_REPLANNED;
    rc = plan_item_list(r, &a, &by, max, &rows, &n, e);
    if (rc != TL_OK)
        return rc;
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, item_json(&kinds, &a, &links, &rows[i]));
    *out = json_pack("{s:o,s:o}", "items", list, "next", n == max ? json_integer(rows[n - 1].item) : json_null());
    return TL_OK;
}
