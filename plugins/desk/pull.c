/* Pulling: which records, in which mode. */
#include "desk.h"

tl_status desk_pull(tl_conn *c, const tl_pull *p, tl_error *e)
{
    struct desk_reader rd;
    const struct directory *d = desk_directory_of(p->shape->kind);
    if (d)
        return desk_directory_pull(c, d, p, e);
    tl_status rc = desk_begin_records(c, p->shape, &rd, e);
    if (rc != TL_OK)
        return rc;
    rc = p->mode == TL_PULL_PASS ? desk_pass(&rd, p, e) : desk_changes(&rd, p, e);
    return desk_of_kind(rd.kind, rc, e);
}
