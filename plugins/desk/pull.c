/* Pulling: which records, in which mode. */
#include "desk.h"

tl_status desk_pull(tl_conn *c, const tl_pull *p, tl_error *e)
{
    struct desk_reader rd;
    if (desk_is_agents(p->shape->kind))
        return desk_agents_pull(c, p, e);
    tl_status rc = desk_begin_records(c, p->shape, &rd, e);
    if (rc != TL_OK)
        return rc;
    return p->mode == TL_PULL_PASS ? desk_pass(&rd, p, e) : desk_changes(&rd, p, e);
}
