/* The inbox of conflicts: fields that both sides changed and that a person decides, one or many alike. */
#include "admin_util.h"
#include "writing.h"

struct decision {
    struct engine *g;
    const struct conflict_pick *pick;
    int64_t decided, busy;
};

static int field_at(const struct g_link *l, uint32_t map_no)
{
    for (uint32_t i = 0; i < l->rules.n_fields; i++)
        if (l->fields[i].number == map_no)
            return (int)i;
    return -1;
}

static bool field_picked(const struct g_link *l, int i, const char *field)
{
    const struct rule_field *f = &l->fields[i];
    return !field || str_is(f->side[0].path, field) || str_is(f->side[1].path, field);
}

static int decide_pair(struct decision *d, struct g_link *l, const struct conflict *rows, size_t n, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct loaded ld;
    int rc = snapshot_load(d->g, l, rows[0].pair, &a, &ld, e);
    if (rc == TL_OK && ld.pair.intent) {
        d->busy++;
        return TL_OK;
    }
    bool any = false;
    for (size_t k = 0; k < n && rc == TL_OK; k++) {
        int i = field_at(l, rows[k].map_no);
        if (i >= 0 && !field_picked(l, i, d->pick->field))
            continue;
        if (i >= 0) {
            int winner = d->pick->take == 'n' ? newest_side(&l->rules, &ld.snap, (uint32_t)i) : d->pick->take == 'b';
            bases_decide(l, &ld, (uint32_t)i, winner, &a);
        }
        rc = conflict_drop(d->g->db, rows[k].pair, rows[k].map_no, e);
        d->decided++;
        any = true;
    }
    if (rc != TL_OK || !any)
        return rc;
    ld.pair.lane = LANE_ACTION;
    ld.pair.due_us = g_now(d->g);
    link_lanes_stale(l);
    return pair_store(d->g->db, &ld.pair, e);
}

static int decide_all(struct decision *d, struct g_link *l, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct conflict *rows = NULL;
    size_t n = 0;
    int rc = conflict_list(d->g->db, &a, d->pick->pair ? 0 : l->row.link, d->pick->pair, INT32_MAX, &rows, &n, e);
    for (size_t i = 0, end; i < n && rc == TL_OK; i = end) {
        for (end = i; end < n && rows[end].pair == rows[i].pair;)
            end++;
        rc = decide_pair(d, l, rows + i, end - i, e);
    }
    return rc;
}

static struct g_link *picked_link(struct engine *g, const struct conflict_pick *pick, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct pair p = {0};
    if (!pick->pair)
        return admin_link(g, pick->connection, pick->kind, e);
    if (pair_get(g->db, &a, pick->pair, &p, e) == TL_OK)
        return model_link(g, p.link);
    err_set(e, TL_E_NOT_FOUND, "no pair %lld", (long long)pick->pair);
    return NULL;
}

int admin_conflict_decide(struct engine *g, const struct conflict_pick *pick, json_t **out, struct err *e)
{
    struct decision d = {.g = g, .pick = pick};
    struct g_link *l = picked_link(g, pick, e);
    if (!l)
        return TL_E_NOT_FOUND;
    if (!l->usable)
        return err_set(e, E_PRECONDITION, "the link cannot work now: its fields are not known");
    int rc = g_begin(g, e);
    if (rc == TL_OK)
        rc = decide_all(&d, l, e);
    if (rc == TL_OK && d.decided == 0 && d.busy == 0)
        rc = err_set(e, TL_E_NOT_FOUND, "no conflict waits there");
    if (rc == TL_OK)
        rc = db_commit(g->db, e);
    else
        db_rollback(g->db);
    if (rc == TL_OK && out)
        *out = json_pack("{s:I,s:I}", "decided", (json_int_t)d.decided, "busy", (json_int_t)d.busy);
    return rc;
}
