/* Reading field maps: list, export, check. */
#include "linkset.h"
#include "map_edit.h"
#include "map_sample.h"
#include "view_util.h"

static enum link_direction link_direction_of(struct db *r, struct arena *a, const struct link *l)
{
    struct link_settings s;
    return map_settings_read(r, a, l->link, &s, NULL) == TL_OK ? s.direction : LINK_BOTH;
}

/* The chains of a row: as written, and the inverse where it was not written. */
static void chains_json(json_t *o, const struct map_row *row, enum link_direction direction)
{
    AUTO(arena_done) struct arena a = {0};
    struct map_chains c;
    struct transform_error *errors = NULL;
    bool *of_back = NULL;
    size_t n = 0;
    map_chains_read(row, direction, &a, &c, &errors, &of_back, &n);
    static const char *const names[] = {"to_a", "to_b"};
    for (int s = 1; s >= 0; s--) {
        AUTO(buf_done) struct buf text = {0};
        if (c.to[s])
            transform_text(c.to[s], &text);
        json_object_set_new(o, names[s], c.to[s] ? json_string(buf_text(&text)) : json_null());
    }
    json_object_set_new(o, "transform", view_text_or_null(row->transform));
    json_object_set_new(o, "back", view_text_or_null(row->back));
    json_object_set_new(o, "unless_blank", json_boolean(row->unless_blank));
}

int view_map(struct db *r, const char *connection, const char *kind, json_t **out, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct connection c = {0};
    struct link l = {0};
    struct map_row *rows = NULL;
    size_t n = 0;
    int rc = view_find_link(r, &a, connection, kind, &c, &l, e);
    if (rc == TL_OK)
        rc = map_list(r, &a, l.link, &rows, &n, e);
    if (rc != TL_OK)
        return rc;
    AUTO(arena_done) struct arena arrays_a = {0};
    AUTO(arena_done) struct arena arrays_b = {0};
    tl_kind ka = {0}, kb = {0};
    bool known = view_describe(r, &a, &arrays_a, c.endpoint[0], l.kind[0], &ka) &&
                 view_describe(r, &a, &arrays_b, c.endpoint[1], l.kind[1], &kb);
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        const tl_field *fa = known ? field_by_name(&ka, rows[i].a_path) : NULL,
                       *fb = known ? field_by_name(&kb, rows[i].b_path) : NULL;
        json_t *o = json_object();
        json_object_set_new(o, "no", json_integer(rows[i].map_no));
        json_object_set_new(o, "a", view_str(rows[i].a_path));
        json_object_set_new(o, "b", view_str(rows[i].b_path));
        json_object_set_new(o, "a_name", fa ? view_str(fa->name) : json_null());
        json_object_set_new(o, "b_name", fb ? view_str(fb->name) : json_null());
        json_object_set_new(o, "a_label", fa ? view_str(fa->label) : json_null());
        json_object_set_new(o, "b_label", fb ? view_str(fb->label) : json_null());
        json_object_set_new(o, "direction", json_string(map_direction_name(rows[i].dir)));
        json_object_set_new(o, "policy", view_text_or_null(rows[i].policy));
        chains_json(o, &rows[i], link_direction_of(r, &a, &l));
        json_object_set_new(o, "default", json_boolean(rows[i].is_default));
        json_object_set_new(o, "suspended", view_text_or_null(rows[i].suspended));
        json_array_append_new(list, o);
    }
    *out = json_pack("{s:o}", "items", list);
    return TL_OK;
}

int view_map_export(struct db *r, const char *connection, const char *kind, json_t **out, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct connection c = {0};
    struct link l = {0};
    struct map_row *rows = NULL;
    size_t n = 0;
    int rc = view_find_link(r, &a, connection, kind, &c, &l, e);
    if (rc == TL_OK)
        rc = map_list(r, &a, l.link, &rows, &n, e);
    if (rc != TL_OK)
        return rc;
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        json_t *o = json_object();
        json_object_set_new(o, "a", view_str(rows[i].a_path));
        json_object_set_new(o, "b", view_str(rows[i].b_path));
        json_object_set_new(o, "direction", json_string(map_direction_name(rows[i].dir)));
        const str texts[] = {rows[i].policy, rows[i].transform, rows[i].back};
        static const char *const names[] = {"policy", "transform", "back"};
        for (size_t k = 0; k < ARRAY_LEN(texts); k++)
            if (texts[k].n)
                json_object_set_new(o, names[k], view_str(texts[k]));
        if (rows[i].unless_blank)
            json_object_set_new(o, "unless_blank", json_true());
        json_array_append_new(list, o);
    }
    *out = json_pack("{s:i,s:o,s:o,s:o}", "map", 1, "connection", view_str(c.name), "kind", view_str(l.name), "rows",
                     list);
    return TL_OK;
}

/* ---- Check */

static void finding_add(json_t *list, bool *ok, int level, const char *code, const struct map_row *row, str text)
{
    static const char *const levels[] = {"debug", "info", "warning", "error"};
    *ok &= level < TL_ERROR;
    json_array_append_new(list, json_pack("{s:s,s:s,s:o,s:o,s:o}", "level", levels[level & 3], "code", code, "a",
                                          view_text_or_null(row->a_path), "b", view_text_or_null(row->b_path), "text",
                                          view_str(text)));
}

static void chain_findings(json_t *list, bool *ok, const struct map_row *row, const tl_kind *const kinds[2],
                           enum link_direction direction)
{
    AUTO(arena_done) struct arena a = {0};
    struct transform_error *errors = NULL;
    bool *of_back = NULL;
    size_t n = map_row_findings(row, kinds, direction, &a, &errors, &of_back);
    for (size_t i = 0; i < n; i++) {
        AUTO(buf_done) struct buf text = {0};
        buf_text_add(&text, of_back[i] ? "back" : "transform");
        if (errors[i].column)
            buf_fmt(&text, ", column %u", errors[i].column);
        buf_fmt(&text, ": %.*s", STR_FMT(errors[i].text));
        finding_add(list, ok, errors[i].level, errors[i].code, row, buf_lent(&text));
    }
}

/* What stored values have to say about a row: which would fail, and which would not come back as they are. */
static void sample_findings(json_t *list, bool *ok, const struct map_sample *sample, const struct map_row *row,
                            const struct map_try *t)
{
    static const char side_name[] = "ab";
    for (int s = 0; s < 2; s++) {
        const struct map_loss *loss = &sample->loss[s];
        AUTO(buf_done) struct buf text = {0};
        if (loss->failed) {
            buf_fmt(&text, "%zu of %zu values of side %c cannot be written to side %c, for example \"%.*s\"%s%.*s",
                    loss->failed, loss->seen, side_name[s], side_name[1 - s], STR_FMT(loss->failing),
                    loss->why.n ? ": " : "", STR_FMT(loss->why));
            finding_add(list, ok, TL_WARN, loss->code, row, buf_lent(&text));
        }
        buf_clear(&text);
        if (loss->blank_required) {
            buf_fmt(&text, "%zu of %zu records of side %c have no value, side %c requires one", loss->blank_required,
                    loss->seen, side_name[s], side_name[1 - s]);
            finding_add(list, ok, TL_WARN, "REQUIRED_MISSING", row, buf_lent(&text));
        }
        buf_clear(&text);
        if (loss->lost && t->field.carries[0] && t->field.carries[1]) {
            buf_fmt(&text, "%zu of %zu values of side %c would come back changed, for example \"%.*s\" as \"%.*s\"",
                    loss->lost, loss->seen, side_name[s], STR_FMT(loss->before), STR_FMT(loss->after));
            finding_add(list, ok, TL_INFO, "ROUND_TRIP", row, buf_lent(&text));
        }
    }
}

int view_map_check(struct db *r, const char *connection, const char *kind, json_t **out, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    AUTO(map_context_done) struct map_context m = {0};
    struct link *links = NULL;
    size_t n_links = 0;
    int rc = map_context_open(r, connection, kind, &m, e);
    if (rc == TL_OK)
        rc = link_list(r, &a, m.connection.connection, &links, &n_links, e);
    if (rc != TL_OK)
        return rc;
    AUTO(buf_done) struct buf linked = {0};
    for (size_t i = 0; i < n_links; i++)
        buf_fmt(&linked, "%.*s,%.*s,", STR_FMT(links[i].kind[0]), STR_FMT(links[i].kind[1]));
    struct map_finding *found = NULL;
    size_t n_found = map_check(m.rows, m.n_rows, m.kinds[0], m.kinds[1], &m.settings, buf_lent(&linked), &a, &found);
    bool ok = true;
    json_t *list = json_array();
    for (size_t i = 0; i < n_found; i++) {
        struct map_row row = {.a_path = found[i].a_path, .b_path = found[i].b_path};
        finding_add(list, &ok, found[i].level, arena_str(&a, found[i].code).p, &row, found[i].text);
    }
    for (size_t i = 0; i < m.n_rows; i++) {
        struct map_try t;
        struct map_sample sample = {0};
        if (m.rows[i].dir == MAP_OFF)
            continue;
        chain_findings(list, &ok, &m.rows[i], m.kinds, m.settings.direction);
        if (map_try_open(r, &m, &m.rows[i], &a, &t, e) == TL_OK && map_sample_take(r, &m, &t, &a, &sample, e) == TL_OK)
            sample_findings(list, &ok, &sample, &m.rows[i], &t);
    }
    *out = json_pack("{s:b,s:o}", "ok", ok, "findings", list);
    return TL_OK;
}
