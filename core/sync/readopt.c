/* Marks of a passport that comes after the first reading: see readopt.h. */
#include "readopt.h"

#include "admin_util.h"

bool readopt_holds(const struct g_link *l)
{
    return l->row.readopt_us != 0;
}

bool readopt_waits(const struct g_link *l)
{
    return readopt_holds(l) && (life_to_be_read(l->feed[0]) || life_to_be_read(l->feed[1]));
}

int readopt_want(struct engine *g, struct g_link *l, bool *wanted, struct err *e)
{
    int rc = TL_OK;
    *wanted = false;
    for (int s = 0; s < 2 && rc == TL_OK && l->row.mode == LINK_SYNC; s++) {
        struct g_feed *f = l->feed[s];
        bool was_read = f && (f->row.full_pass_us || f->pass.pass);
        if (!was_read || (f->kind && f->kind->desc.stamp_field.n == 0))
            continue;
        *wanted = true;
        rc = admin_read_whole(g, f, e);
    }
    if (rc != TL_OK || !*wanted)
        return rc;
    l->row.readopt_us = g_now(g);
    return link_row_store(g, l, e);
}

int readopt_bind(struct engine *g, struct g_link *l, struct err *e)
{
    l->row.readopt_us = 0;
    return link_row_store(g, l, e);
}

int readopt_free(struct engine *g, const struct g_link *l, int side, int64_t rec, struct arena *a, struct pair *own,
                 bool *out, struct err *e)
{
    *own = (struct pair){0};
    int rc = pair_get_of_record(g->db, a, l->row.link, (enum side)side, rec, (str){0}, own, e);
    *out = rc == TL_E_NOT_FOUND ||
           (rc == TL_OK && readopt_holds(l) && !own->rec[1 - side] && !own->intent && own->status != PAIR_IGNORED);
    return rc == TL_E_NOT_FOUND ? TL_OK : rc;
}

int readopt_give_up(struct engine *g, const struct pair *own, struct err *e)
{
    int64_t resolved = 0;
    int rc = failure_resolve_pair(g->db, own->pair, STR("passport"), g_now(g), &resolved, e);
    return rc == TL_OK ? pair_delete(g->db, own->pair, e) : rc;
}
