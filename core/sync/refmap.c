/* References between the links of a connection. A reference can be followed once there is a link for the kind it leads
 * to; when that link is made after the one that refers to it, the default map is completed then, so that the order in
 * which links are made does not matter. */
#include "refmap.h"

static bool refers(const tl_field *f, str kind)
{
    return f && f->type == TL_REF && str_in_list(f->refers_to, kind);
}

/* Does another link lead where this one does? */
static bool led_before(const struct engine *g, const struct g_link *made, const tl_field *f)
{
    for (const struct g_link *other = g->links; other; other = other->next)
        if (other != made && other->conn == made->conn && refers(f, other->row.kind[0]))
            return true;
    return false;
}

static bool path_used(const struct map_row *rows, size_t n, const struct map_row *like)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(rows[i].a_path, like->a_path) || str_eq(rows[i].b_path, like->b_path))
            return true;
    return false;
}

void refmap_linked_kinds(const struct engine *g, const struct g_link *l, struct buf *out)
{
    for (int s = 0; s < 2; s++)
        buf_fmt(out, "%.*s,", STR_FMT(l->row.kind[s]));
    for (const struct g_link *other = g->links; other; other = other->next)
        for (int s = 0; s < 2 && other->conn == l->conn; s++)
            buf_fmt(out, "%.*s,", STR_FMT(other->row.kind[s]));
}

/* The rows that were waiting for the link are mapped from now on; those of the default map that it lacked come in. */
static int join_one(struct engine *g, const struct g_link *made, struct g_link *l, str linked, json_t *added,
                    struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    const struct g_kind *ka = model_kind(l->conn->ep[0], l->row.kind[0]),
                        *kb = model_kind(l->conn->ep[1], l->row.kind[1]);
    struct map_row *rows = NULL, *defaults = NULL;
    size_t n = 0;
    bool own = false, any = false;
    int rc = map_list(g->db, &a, l->row.link, &rows, &n, e);
    if (rc != TL_OK || n == 0 || !ka || !kb)
        return rc;
    for (size_t i = 0; i < n && rc == TL_OK; i++) {
        const tl_field *f = field_by_name(&ka->desc, rows[i].a_path);
        own |= rows[i].is_default;
        if (rows[i].dir == MAP_OFF || !refers(f, made->row.kind[0]) || led_before(g, made, f))
            continue;
        rc = map_renew(g->db, l->row.link, rows[i].map_no, e);
        any = true;
    }
    size_t n_defaults = own ? map_defaults(&ka->desc, &kb->desc, linked, &a, &defaults) : 0;
    for (size_t i = 0; i < n_defaults && rc == TL_OK; i++) {
        const tl_field *fa = field_by_name(&ka->desc, defaults[i].a_path),
                       *fb = field_by_name(&kb->desc, defaults[i].b_path);
        if (!refers(fa, made->row.kind[0]) || !refers(fb, made->row.kind[1]) || path_used(rows, n, &defaults[i]))
            continue;
        rc = map_set(g->db, l->row.link, &defaults[i], e);
        any = true;
        AUTO(buf_done) struct buf name = {0};
        buf_fmt(&name, "%.*s %.*s", STR_FMT(l->row.name), STR_FMT(fa->path));
        json_array_append_new(added, json_string(buf_text(&name)));
    }
    if (any && l->row.phase == PHASE_LIVE)
        l->wake_after = 0; /* every pair is looked at again, in slices */
    return rc;
}

int refmap_join(struct engine *g, const struct g_link *made, json_t *added, struct err *e)
{
    AUTO(buf_done) struct buf linked = {0};
    refmap_linked_kinds(g, made, &linked);
    int rc = TL_OK;
    for (struct g_link *l = g->links; l && rc == TL_OK; l = l->next)
        if (l != made && l->conn == made->conn)
            rc = join_one(g, made, l, buf_lent(&linked), added, e);
    return rc;
}

void refmap_left_out(const struct engine *g, const struct g_link *l, json_t *out)
{
    const struct g_kind *ka = model_kind(l->conn->ep[0], l->row.kind[0]),
                        *kb = model_kind(l->conn->ep[1], l->row.kind[1]);
    AUTO(buf_done) struct buf linked = {0};
    refmap_linked_kinds(g, l, &linked);
    for (uint32_t i = 0; ka && kb && i < ka->desc.n_fields; i++) {
        const tl_field *fa = TL_AT(tl_field, ka->desc.fields, ka->desc.field_stride, i);
        const tl_field *fb = field_by_name(&kb->desc, fa->path);
        if (!map_ref_left_out(fa, fb, buf_lent(&linked)))
            continue;
        json_array_append_new(out, json_pack("{s:s#,s:s#}", "field", fa->path.p, (int)fa->path.n, "refers_to",
                                             fa->refers_to.p, (int)fa->refers_to.n));
    }
}
