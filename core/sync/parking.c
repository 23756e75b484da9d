/* References that lead nowhere yet: the pair is woken when their record has its counterpart. */
#include "engine_int.h"

int refs_wait(struct engine *g, struct g_link *l, const struct loaded *ld, const struct plan *plan, int side,
              struct arena *a, struct err *e)
{
    int rc = TL_OK;
    for (uint32_t i = 0; i < l->rules.n_fields && rc == TL_OK; i++) {
        bool waits = plan->verdict[i] == VERDICT_WAIT_REF || (plan->act == PLAN_PARK && i == plan->field);
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
