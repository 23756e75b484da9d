/* Pulling: which records, in which mode. */
#include "finance.h"

tl_status fin_pull(tl_conn *c, const tl_pull *p, tl_error *e)
{
    struct fin_reader rd;
    tl_status rc = fin_begin_records(c, p->shape, p->stamp_field.n > 0, &rd, e);
    if (rc != TL_OK)
        return rc;
    if (!rd.kind->synced)
        return tlk_unknown_kind(e, fin_errors.system, p->shape->kind);
    return p->mode == TL_PULL_PASS ? fin_pass(&rd, p, e) : fin_changes(&rd, p, e);
}
