/* Brakes: a link stops, is told of among what needs attention, and goes on when a person has said so. */
#include "brake.h"

#include "attention.h"

static void object_of(const struct g_link *l, struct buf *out)
{
    buf_fmt(out, "link %.*s/%.*s", STR_FMT(l->conn->row.name), STR_FMT(l->row.name));
}

int link_brake(struct engine *g, struct g_link *l, const char *code, str text, const char *hint, struct err *e)
{
    AUTO(buf_done) struct buf object = {0};
    object_of(l, &object);
    struct repair r = {
        .object = buf_lent(&object), .code = str_of(code), .level = TL_ERROR, .text = text, .hint = str_of(hint)};
    struct audit trace = {
        .at_us = g_now(g), .who = STR("engine"), .act = STR("link.braked"), .object = buf_lent(&object)};
    l->row.brake_code = arena_str(&l->arena, str_of(code));
    l->row.brake_text = arena_str(&l->arena, text);
    l->row.brake_us = g_now(g);
    int rc = link_row_store(g, l, e);
    if (rc == TL_OK)
        rc = repair_raise(g->db, &r, e);
    return rc == TL_OK ? audit_add(g->db, &trace, e) : rc;
}

int link_unbrake(struct engine *g, struct g_link *l, struct err *e)
{
    AUTO(buf_done) struct buf object = {0};
    object_of(l, &object);
    str code = l->row.brake_code;
    l->row.brake_code = l->row.brake_text = (str){0};
    int rc = link_row_store(g, l, e);
    return rc == TL_OK && code.n ? repair_clear(g->db, buf_lent(&object), code, (str){0}, g_now(g), e) : rc;
}

int link_forget_repairs(struct engine *g, const struct g_link *l, struct err *e)
{
    AUTO(buf_done) struct buf object = {0};
    object_of(l, &object);
    return repair_clear(g->db, buf_lent(&object), (str){0}, (str){0}, g_now(g), e);
}
