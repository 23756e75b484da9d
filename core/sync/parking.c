/* References that lead nowhere yet: the pair is woken when their record has its counterpart. */
#include "engine_int.h"
#include "pairing.h"
#include "reading.h"

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
            rc = window_referred(g, to, side, row.dep_id, a, e);
    }
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
