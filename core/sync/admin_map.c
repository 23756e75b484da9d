/* Verbs of the field map. An edit applies once the link's open intents are settled. */
#include "admin_util.h"
#include "linkset.h"
#include "map_edit.h"
#include "view.h"

#define SETTLE_US (2 * US_PER_S)

static int map_changed(struct engine *g, struct g_link *l, json_t **out, struct err *e)
{
    int rc = admin_rebuild(g, l->conn, e);
    if (rc == TL_OK && l->row.phase == PHASE_LIVE)
        l->wake_after = 0; /* every pair is looked at again, in slices */
    if (rc != TL_OK || !out)
        return rc;
    AUTO(text_free) char *conn = str_dup(l->conn->row.name);
    AUTO(text_free) char *kind = str_dup(l->row.name);
    return view_map(g->db, conn, kind, out, e);
}

static struct g_link *map_link(struct engine *g, const char *connection, const char *kind, const tl_kind *kinds[2],
                               struct err *e)
{
    struct g_link *l = admin_link(g, connection, kind, e);
    if (!l)
        return NULL;
    if (l->open_intents > 0) {
        /* What is on its way was planned with the map as it is: no new writes until it has come in, then the edit. */
        l->hold_until = g_mono(g) + SETTLE_US;
        err_set(e, E_BUSY, "writes of this link are in flight");
        err_code(e, "IN_FLIGHT");
        err_hint(e, "try again in a moment, or pause the connection first");
        return NULL;
    }
    for (int s = 0; s < 2; s++) {
        struct g_kind *k = model_kind(l->conn->ep[s], l->row.kind[s]);
        if (!k) {
            err_set(e, E_PRECONDITION, "the fields of endpoint \"%.*s\" are not known yet",
                    STR_FMT(l->conn->ep[s]->row.name));
            err_hint(e, "run `tieline endpoint check %.*s`", STR_FMT(l->conn->ep[s]->row.name));
            return NULL;
        }
        kinds[s] = &k->desc;
    }
    return l;
}

/* The number of the row that stands there already; 0: none. */
static int row_number(struct engine *g, const struct g_link *l, struct map_row *row, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct map_row *rows = NULL;
    size_t n = 0;
    int rc = map_list(g->db, &a, l->row.link, &rows, &n, e);
    for (size_t i = 0; i < n && rc == TL_OK; i++)
        if (str_eq(rows[i].a_path, row->a_path) && str_eq(rows[i].b_path, row->b_path))
            row->map_no = rows[i].map_no;
    return rc;
}

int admin_map_set(struct engine *g, const char *connection, const char *kind, const struct map_ask *ask, json_t **out,
                  struct err *e)
{
    const tl_kind *kinds[2];
    AUTO(arena_done) struct arena a = {0};
    struct map_row row = {0};
    struct g_link *l = map_link(g, connection, kind, kinds, e);
    if (!l)
        return e->status;
    int rc = map_row_make(ask, kinds, l->rules.direction, &a, &row, e);
    if (rc == TL_OK)
        rc = row_number(g, l, &row, e);
    if (rc == TL_OK)
        rc = map_set(g->db, l->row.link, &row, e);
    return rc == TL_OK ? map_changed(g, l, out, e) : rc;
}

int admin_map_import(struct engine *g, const char *connection, const char *kind, const struct map_ask *asks, size_t n,
                     json_t **out, struct err *e)
{
    const tl_kind *kinds[2];
    AUTO(arena_done) struct arena a = {0};
    struct g_link *l = map_link(g, connection, kind, kinds, e);
    if (!l)
        return e->status;
    struct map_row *rows = arena_array(&a, struct map_row, n + 1);
    for (size_t i = 0; i < n; i++) {
        int rc = map_row_make(&asks[i], kinds, l->rules.direction, &a, &rows[i], e);
        if (rc != TL_OK) {
            err_wrap(e, "row %zu, \"%s\" and \"%s\"", i + 1, asks[i].a, asks[i].b);
            return rc;
        }
    }
    int rc = map_replace(g->db, l->row.link, rows, n, e);
    return rc == TL_OK ? map_changed(g, l, out, e) : rc;
}

int admin_map_unset(struct engine *g, const char *connection, const char *kind, const char *field, json_t **out,
                    struct err *e)
{
    const tl_kind *kinds[2];
    struct g_link *l = map_link(g, connection, kind, kinds, e);
    if (!l)
        return e->status;
    AUTO(arena_done) struct arena a = {0};
    struct map_row *rows = NULL;
    size_t n = 0;
    int rc = map_list(g->db, &a, l->row.link, &rows, &n, e);
    if (rc != TL_OK)
        return rc;
    for (size_t i = 0; i < n; i++) {
        const tl_field *fa = field_by_name(kinds[0], rows[i].a_path), *fb = field_by_name(kinds[1], rows[i].b_path);
        bool hit = str_is(rows[i].a_path, field) || str_is(rows[i].b_path, field) || (fa && str_is(fa->name, field)) ||
                   (fb && str_is(fb->name, field));
        if (!hit)
            continue;
        rc = map_unset(g->db, l->row.link, rows[i].map_no, e);
        return rc == TL_OK ? map_changed(g, l, out, e) : rc;
    }
    err_set(e, TL_E_NOT_FOUND, "field \"%s\" is not mapped", field);
    err_hint(e, "`tieline map list %s %s` shows the map", connection, kind);
    return TL_E_NOT_FOUND;
}

int admin_map_reset(struct engine *g, const char *connection, const char *kind, json_t **out, struct err *e)
{
    const tl_kind *kinds[2];
    struct g_link *l = map_link(g, connection, kind, kinds, e);
    if (!l)
        return e->status;
    int rc = model_default_map(g, l, e);
    return rc == TL_OK ? map_changed(g, l, out, e) : rc;
}
