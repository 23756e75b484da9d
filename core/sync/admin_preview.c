/* Verbs of the first sync looked at beforehand: make a plan, approve it, give it up. */
#include "admin_util.h"
#include "preview.h"

static bool is_new(const struct engine *g, const struct g_conn *c, const struct g_link *only)
{
    bool any = false;
    for (const struct g_link *l = g->links; l && !any; l = l->next)
        any = l->conn == c && (!only || l == only) && l->row.enabled && l->row.phase == PHASE_NEW;
    return any;
}

static int nothing_new(const struct g_conn *c, struct err *e)
{
    err_set(e, E_PRECONDITION, "\"%.*s\" has no link before its first sync", STR_FMT(c->row.name));
    err_hint(e, "a dry run tells what a first sync would do; `tieline pair link -n` and `tieline map set -n` look at "
                "single changes");
    return E_PRECONDITION;
}

static json_t *one_run(int64_t run, json_t *warnings)
{
    return json_pack("{s:[I],s:[],s:O}", "runs", (json_int_t)run, "kinds", "warnings", warnings);
}

int admin_sync_preview(struct engine *g, const struct sync_request *r, json_t **out, struct err *e)
{
    struct g_conn *c = admin_conn(g, r->connection, e);
    struct g_link *only = NULL;
    if (!c)
        return TL_E_NOT_FOUND;
    if (r->kind && !(only = admin_link(g, r->connection, r->kind, e)))
        return TL_E_NOT_FOUND;
    if (c->preview) {
        err_set(e, E_EXISTS, "run %lld is a dry run of \"%.*s\" that goes on", (long long)preview_run(c),
                STR_FMT(c->row.name));
        err_hint(e, "`tieline sync plan %lld` shows how far it is", (long long)preview_run(c));
        return E_EXISTS;
    }
    int32_t state = c->row.state;
    if (state != CONN_DRAFT && state != CONN_READY && state != CONN_INITIAL && state != CONN_ACTIVE)
        return err_set(e, E_PRECONDITION, "connection \"%s\" is %s", r->connection, conn_state_name(state));
    if (!is_new(g, c, only))
        return nothing_new(c, e);
    json_t *warnings = json_array();
    int64_t run = 0;
    c->window_us = g_now(g);
    int rc = admin_sync_ready(g, c, warnings, e);
    if (rc == TL_OK)
        rc = preview_begin(g, c, only ? only->row.link : 0, &run, e);
    if (rc == TL_OK && out)
        *out = one_run(run, warnings);
    json_decref(warnings);
    return rc;
}

int admin_preview_cancel(struct engine *g, struct g_conn *c, json_t **out, struct err *e)
{
    int rc = preview_end(g, c, RUN_CANCELLED, e);
    if (rc == TL_OK && out)
        *out = json_pack("{s:i}", "cancelled", 1);
    return rc;
}

static int may_be_approved(struct engine *g, const struct run *run, struct err *e)
{
    uint64_t basis = 0;
    long long id = (long long)run->run;
    if (run->kind != RUN_DRYRUN)
        return err_set(e, E_USAGE, "run %lld is no dry run", id);
    if (run->state != RUN_SUCCEEDED && run->state != RUN_PARTIAL)
        return err_set(e, E_PRECONDITION, "the dry run %lld is %s", id, history_state_name(run->state));
    int rc = plan_basis(g->db, run->connection, run->link, &basis, e);
    if (rc == TL_OK && basis != run->basis) {
        err_set(e, E_PRECONDITION, "plan %lld is old: maps or settings are others now", id);
        err_code(e, "PLAN_OLD");
        err_hint(e, "`tieline sync start -n` makes a new one");
        return E_PRECONDITION;
    }
    return rc;
}

int admin_sync_approve(struct engine *g, int64_t id, json_t **out, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct run run = {0};
    int rc = run_get(g->db, &a, id, &run, e);
    if (rc == TL_E_NOT_FOUND)
        return err_set(e, rc, "no run %lld", (long long)id);
    if (rc == TL_OK)
        rc = may_be_approved(g, &run, e);
    if (rc != TL_OK)
        return rc;
    struct g_conn *c = model_conn(g, run.connection);
    struct g_link *only = run.link ? model_link(g, run.link) : NULL;
    if (!c || (run.link && !only))
        return err_set(e, TL_E_NOT_FOUND, "what run %lld is about is gone", (long long)id);
    if (!is_new(g, c, only))
        return nothing_new(c, e);
    const char *kind = only ? arena_str(&a, only->row.name).p : NULL;
    struct sync_request r = {.connection = arena_str(&a, c->row.name).p, .kind = kind, .plan = id};
    c->window_us = run.started_us;
    rc = admin_sync_start(g, &r, out, e);
    if (rc == TL_OK && out) {
        json_object_set_new(*out, "plan", json_integer(id));
        json_object_set_new(*out, "age_seconds", json_integer((g_now(g) - run.ended_us) / US_PER_S));
    }
    return rc;
}

void admin_plan_times(struct engine *g, json_t *plan)
{
    size_t i;
    json_t *row;
    bool known = true;
    double seconds = 0;
    json_array_foreach(json_object_get(plan, "calls"), i, row)
    {
        const char *name = json_string_value(json_object_get(row, "endpoint"));
        const struct g_endpoint *ep = name ? model_endpoint_named(g, name) : NULL;
        int64_t calls =
            json_integer_value(json_object_get(row, "writes")) + json_integer_value(json_object_get(row, "reads"));
        double own = ep ? (double)ep->call_us * (double)calls / (double)US_PER_S : 0;
        known &= calls == 0 || (ep && ep->call_us > 0);
        json_object_set_new(row, "seconds", ep && ep->call_us > 0 ? json_real(own) : json_null());
        seconds = own > seconds ? own : seconds; /* the two sides are written side by side */
    }
    json_object_set_new(plan, "seconds", known ? json_real(seconds) : json_null());
}
