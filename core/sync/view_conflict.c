/* The inbox of conflicts, as people read it. */
#include "failures.h"
#include "obs.h"
#include "pairs.h"
#include "records.h"
#include "values.h"
#include "view_util.h"

static json_t *value_json(str blob)
{
    AUTO(arena_done) struct arena a = {0};
    AUTO(buf_done) struct buf text = {0};
    size_t n = 0;
    const tl_value *v = obs_all(blob, &a, &n);
    if (n == 0 || value_is_blank(&v[0]))
        return json_null();
    value_text(&text, &v[0]);
    return json_stringn(buf_lent(&text).p, text.n);
}

struct inbox {
    struct db *r;
    struct arena *a;
    const struct connection *conn;
    const struct link *link;
    const struct map_row *map;
    size_t n_map;
    json_t *items;
};

static int inbox_add(struct inbox *in, const struct conflict *c, struct err *e)
{
    struct pair p = {0};
    struct record rec[2] = {{0}, {0}};
    int rc = pair_load(in->r, in->a, c->pair, &p, rec, e);
    if (rc != TL_OK)
        return rc == TL_E_NOT_FOUND ? TL_OK : rc;
    str path[2] = {STR("(no longer mapped)"), {0}};
    for (size_t i = 0; i < in->n_map; i++)
        if (in->map[i].map_no == c->map_no) {
            path[0] = in->map[i].a_path;
            path[1] = in->map[i].b_path;
        }
    json_array_append_new(
        in->items, json_pack("{s:I,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "pair", (json_int_t)c->pair, "connection",
                             view_str(in->conn->name), "kind", view_str(in->link->name), "field", view_str(path[0]),
                             "b_field", view_str(path[1]), "a_id", view_str(rec[0].id), "b_id", view_str(rec[1].id),
                             "a", value_json(c->value[0]), "b", value_json(c->value[1]), "since", view_time(c->at_us)));
    return TL_OK;
}

static int link_inbox(struct inbox *in, uint32_t limit, struct err *e)
{
    struct map_row *map = NULL;
    struct conflict *list = NULL;
    size_t n = 0;
    int rc = map_list(in->r, in->a, in->link->link, &map, &in->n_map, e);
    in->map = map;
    if (rc == TL_OK)
        rc = conflict_list(in->r, in->a, in->link->link, 0, limit, &list, &n, e);
    for (size_t i = 0; i < n && rc == TL_OK && json_array_size(in->items) < limit; i++)
        rc = inbox_add(in, &list[i], e);
    return rc;
}

int view_conflicts(struct db *r, const char *connection, const char *kind, uint32_t limit, json_t **out, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct connection *conns = NULL;
    size_t n = 0, n_links = 0;
    json_t *items = json_array();
    int rc = connection_list(r, &a, &conns, &n, e);
    for (size_t i = 0; i < n && rc == TL_OK; i++) {
        struct link *links = NULL;
        if (connection && !str_is(conns[i].name, connection))
            continue;
        rc = link_list(r, &a, conns[i].connection, &links, &n_links, e);
        for (size_t k = 0; k < n_links && rc == TL_OK; k++) {
            struct inbox in = {.r = r, .a = &a, .conn = &conns[i], .link = &links[k], .items = items};
            if (!kind || str_is(links[k].name, kind))
                rc = link_inbox(&in, limit, e);
        }
    }
    if (rc == TL_OK)
        *out = json_pack("{s:O}", "items", items);
    json_decref(items);
    return rc;
}
