/* References that lead nowhere yet: the pair is woken when their record has its counterpart. */
#include "engine_int.h"
#include "pairing.h"
#include "reading.h"
#include "writing.h"

int refs_wait(struct engine *g, struct g_link *l, const struct loaded *ld, const struct plan *plan, int side,
              struct arena *a, struct err *e)
{
    int rc = TL_OK;
    for (uint32_t i = 0; i < l->rules.n_fields && rc == TL_OK; i++) {
        bool waits = plan->verdict[i] == VERDICT_WAIT_REF || plan->verdict[i] == VERDICT_STAND_IN ||
                     (plan->act == PLAN_PARK && i == plan->field);
        if (!waits)
            continue;
        struct parked row = {.pair = ld->pair.pair,
                             .map_no = l->fields[i].number,
                             .dep_link = l->fields[i].ref_link,
                             .dep_side = side,
                             .dep_id = ld->values[side][i].u.s,
                             .at_us = g_now(g)};
        rc = parked_put(g->db, &row, e);
        struct g_link *to = row.dep_link == l->row.link ? l : model_link(g, row.dep_link);
        if (rc == TL_OK && to)
            rc = window_referred(g, to, side, row.dep_id, 0, a, e);
        /* What the other side refers to may be its counterpart, which only the window kept from being read. */
        const tl_value *there = &ld->values[1 - side][i];
        if (rc == TL_OK && to && !value_is_blank(there))
            rc = window_referred(g, to, 1 - side, there->u.s, ld->pair.pair, a, e);
    }
    return rc;
}

int refs_lead(struct engine *g, struct g_link *l, int side, str id, struct err *e)
{
    int64_t woken = 0;
    if (!l->referred)
        return TL_OK;
    int rc = parked_wake(g->db, l->row.link, (enum side)side, id, LANE_LIVE, g_now(g), &woken, e);
    for (struct g_link *other = l->conn->links; other && woken; other = other->next_of_conn)
        link_lanes_stale(other);
    return rc;
}

bool stood_in(const struct loaded *ld, const struct g_entry *entry, const struct rule_field *f, int source, uint32_t i)
{
    const struct ref_target *ref = f->ref_link && ld->refs[source] ? &ld->refs[source][i] : NULL;
    for (uint32_t k = 0; ref && ref->fallback.n && k < entry->n_values; k++)
        if (entry->values[k].field == f->number)
            return str_eq(entry->values[k].u.s, ref->fallback) && !str_eq(ref->fallback, ref->other_id);
    return false;
}
