/* What a map would do, before it does: effect of a row, of an import, of every row on one record; chains on values. */
#include <string.h>

#include "map_sample.h"
#include "obs.h"
#include "times.h"
#include "unicode.h"
#include "values.h"

enum { EXAMPLES = 5, IMPORT_EFFECT_PAIRS = 2000, TRANSFORM_VALUES = 1000 };

struct effect {
    size_t pairs, equal, unknown, conflicts, left, writes[2], failed;
    json_t *failures, *examples, *failing;
};

static json_t *value_json(const tl_value *v)
{
    if (v->type == TL_NULL)
        return json_null();
    AUTO(buf_done) struct buf b = {0};
    value_text(&b, v);
    str cut = utf8_cut(buf_lent(&b), 200);
    return view_str(cut);
}

static void count_failure(struct effect *f, const char *code)
{
    json_int_t n = json_integer_value(json_object_get(f->failures, code));
    json_object_set_new(f->failures, code, json_integer(n + 1));
    f->failed++;
}

/* The pair as the planner would see it right after the edit: this field alone, never agreed on. */
static void effect_pair(const struct map_try *t, const struct record rec[2], struct effect *out, struct arena *a)
{
    tl_value values[2] = {{0}, {0}};
    bool none[2] = {false, false};
    struct snapshot snap = {.adopting = true};
    out->pairs++;
    for (int s = 0; s < 2; s++) {
        if (!map_try_value(t, s, rec[s].observation, a, &values[s])) {
            out->unknown++;
            return;
        }
        snap.side[s] = (struct snapshot_side){.state = SIDE_LIVE,
                                              .is_b = s == 1,
                                              .values = &values[s],
                                              .base = &values[s],
                                              .has_base = &none[s],
                                              .modified_us = rec[s].modified_us,
                                              .in_window = true};
    }
    struct plan plan;
    struct link_rules rules = t->rules;
    rules.fields = &t->field;
    plan_pair(&rules, &snap, a, &plan);
    int to = plan.target;
    if (plan.act == PLAN_FAIL) {
        const char *code = map_failure_code(plan.reason);
        count_failure(out, code);
        if (json_array_size(out->failing) < EXAMPLES)
            json_array_append_new(out->failing,
                                  json_pack("{s:s,s:o,s:o,s:s,s:o}", "side", to ? "a" : "b", "record",
                                            view_str(rec[1 - to].id), "value", value_json(&values[1 - to]), "code",
                                            code, "text", view_text_or_null(plan.why)));
    } else if (plan.act == PLAN_UPDATE) {
        out->writes[to]++;
        if (json_array_size(out->examples) < EXAMPLES)
            json_array_append_new(out->examples,
                                  json_pack("{s:o,s:o,s:s,s:o,s:o}", "a_id", view_str(rec[0].id), "b_id",
                                            view_str(rec[1].id), "side", to ? "b" : "a", "before",
                                            value_json(&values[to]), "after", value_json(&plan.writes[0])));
    } else {
        out->conflicts += plan.n_conflicts;
        out->equal += plan.n_agreed;
        out->left += !plan.n_conflicts && !plan.n_agreed;
    }
}

static int effect_take(struct db *r, const struct map_context *m, const struct map_try *t, size_t max,
                       struct effect *out, struct err *e)
{
    enum { AT_ONCE = 500 };
    *out = (struct effect){.failures = json_object(), .examples = json_array(), .failing = json_array()};
    struct pair_filter filter = {.link = m->link.link, .status = -1};
    int rc = TL_OK;
    for (size_t n = AT_ONCE, seen = 0; n == AT_ONCE && seen < max && rc == TL_OK && !t->is_ref; seen += n) {
        AUTO(arena_done) struct arena list = {0};
        struct pair *pairs = NULL;
        n = 0;
        rc = pair_list(r, &list, &filter, AT_ONCE, &pairs, &n, e);
        for (size_t i = 0; i < n && rc == TL_OK; i++) {
            AUTO(arena_done) struct arena one = {0};
            struct record rec[2] = {{0}, {0}};
            filter.after = pairs[i].pair;
            if (pairs[i].rec[0] == 0 || pairs[i].rec[1] == 0 || pairs[i].status == PAIR_IGNORED)
                continue;
            for (int s = 0; s < 2 && rc == TL_OK; s++)
                rc = record_get(r, &one, pairs[i].rec[s], &rec[s], e);
            if (rc == TL_OK && rec[0].state == TL_STATE_LIVE && rec[1].state == TL_STATE_LIVE && !rec[0].damaged &&
                !rec[1].damaged)
                effect_pair(t, rec, out, &one);
        }
    }
    return rc;
}

static json_t *effect_json(const struct map_try *t, struct effect *f)
{
    json_t *o = json_pack("{s:I,s:I,s:{s:I,s:I},s:I,s:I,s:I,s:I,s:o,s:o,s:o}", "pairs", (json_int_t)f->pairs, "equal",
                          (json_int_t)f->equal, "writes", "a", (json_int_t)f->writes[0], "b", (json_int_t)f->writes[1],
                          "conflicts", (json_int_t)f->conflicts, "left", (json_int_t)f->left, "failed",
                          (json_int_t)f->failed, "unknown", (json_int_t)f->unknown, "failures", f->failures, "examples",
                          f->examples, "failing", f->failing);
    if (t->is_ref)
        json_object_set_new(o, "note", json_string("references follow the pairs they lead to and are not counted"));
    return o;
}

static void effect_free(struct effect *f)
{
    json_decref(f->failures);
    json_decref(f->examples);
    json_decref(f->failing);
}

static int row_effect(struct db *r, const struct map_context *m, const struct map_row *row, size_t max, json_t **out,
                      struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    struct map_try t;
    struct effect effect;
    int rc = map_try_open(r, m, row, &a, &t, e);
    if (rc != TL_OK)
        return rc;
    rc = effect_take(r, m, &t, max, &effect, e);
    if (rc == TL_OK)
        *out = effect_json(&t, &effect);
    else
        effect_free(&effect);
    return rc;
}

static void row_json(json_t *o, const struct map_row *row)
{
    json_object_set_new(o, "a", view_str(row->a_path));
    json_object_set_new(o, "b", view_str(row->b_path));
    json_object_set_new(o, "direction", json_string(map_direction_name(row->dir)));
    json_object_set_new(o, "transform", view_text_or_null(row->transform));
    json_object_set_new(o, "back", view_text_or_null(row->back));
}

int view_map_effect(struct db *r, const char *connection, const char *kind, const struct map_ask *ask, json_t **out,
                    struct err *e)
{
    AUTO(map_context_done) struct map_context m = {0};
    struct map_row row = {0};
    json_t *effect = NULL;
    int rc = map_context_open(r, connection, kind, &m, e);
    if (rc == TL_OK)
        rc = map_row_make(ask, m.kinds, m.settings.direction, &m.arena, &row, e);
    if (rc == TL_OK && row.dir == MAP_OFF)
        effect = json_pack("{s:{s:i,s:i}}", "writes", "a", 0, "b", 0);
    else if (rc == TL_OK)
        rc = row_effect(r, &m, &row, EFFECT_PAIRS, &effect, e);
    if (rc != TL_OK)
        return rc;
    row_json(effect, &row);
    *out = effect;
    return TL_OK;
}

static const struct map_row *row_like(const struct map_row *rows, size_t n, const struct map_row *like)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(rows[i].a_path, like->a_path) && str_eq(rows[i].b_path, like->b_path))
            return &rows[i];
    return NULL;
}

static bool row_same(const struct map_row *x, const struct map_row *y)
{
    return x->dir == y->dir && str_eq(x->policy, y->policy) && str_eq(x->transform, y->transform) &&
           str_eq(x->back, y->back) && x->unless_blank == y->unless_blank;
}

int view_map_import(struct db *r, const char *connection, const char *kind, const struct map_ask *asks, size_t n,
                    json_t **out, struct err *e)
{
    AUTO(map_context_done) struct map_context m = {0};
    int rc = map_context_open(r, connection, kind, &m, e);
    struct map_row *rows = arena_array(&m.arena, struct map_row, n + 1);
    for (size_t i = 0; i < n && rc == TL_OK; i++) {
        rc = map_row_make(&asks[i], m.kinds, m.settings.direction, &m.arena, &rows[i], e);
        if (rc != TL_OK)
            err_wrap(e, "row %zu, \"%s\" and \"%s\"", i + 1, asks[i].a, asks[i].b);
    }
    if (rc != TL_OK)
        return rc;
    json_t *list = json_array();
    for (size_t i = 0; i < m.n_rows; i++)
        if (!row_like(rows, n, &m.rows[i])) {
            json_t *o = json_pack("{s:s}", "change", "remove");
            row_json(o, &m.rows[i]);
            json_array_append_new(list, o);
        }
    for (size_t i = 0; i < n; i++) {
        const struct map_row *old = row_like(m.rows, m.n_rows, &rows[i]);
        if (old && row_same(old, &rows[i]))
            continue;
        json_t *o = NULL;
        if (rows[i].dir == MAP_OFF || row_effect(r, &m, &rows[i], IMPORT_EFFECT_PAIRS, &o, NULL) != TL_OK)
            o = json_object();
        row_json(o, &rows[i]);
        json_object_set_new(o, "change", json_string(old ? "change" : "add"));
        json_array_append_new(list, o);
    }
    *out = json_pack("{s:o}", "items", list);
    return TL_OK;
}

/* ---- One record */

static json_t *image_json(const struct map_try *t, int to, const tl_value *in, struct arena *a)
{
    tl_value image = {0};
    struct transform_failure why = {0};
    if (t->is_ref || !t->field.carries[to])
        return json_null();
    switch (field_image(&t->field, to, in, a, &image, &why)) {
    case IMAGE_OK:
        return json_pack("{s:s,s:o}", "outcome", "value", "value", value_json(&image));
    case IMAGE_SKIP:
        return json_pack("{s:s}", "outcome", "skip");
    default:
        return json_pack("{s:s,s:s,s:o}", "outcome", "fail", "code", map_failure_code(why.reason), "text",
                         view_text_or_null(why.text));
    }
}

static json_t *preview_row(const struct map_try *t, const struct record rec[2], struct arena *a)
{
    static const char *const names[] = {"a_value", "b_value"}, *const images[] = {"would_be_a", "would_be_b"};
    json_t *o = json_object();
    tl_value v[2];
    for (int s = 0; s < 2; s++) {
        map_try_value(t, s, rec[s].observation, a, &v[s]);
        json_object_set_new(o, names[s], rec[s].rec ? value_json(&v[s]) : json_null());
        json_object_set_new(o, images[1 - s], rec[s].rec ? image_json(t, 1 - s, &v[s], a) : json_null());
    }
    struct snapshot snap = {.side = {{.values = &v[0]}, {.values = &v[1], .is_b = true}}};
    bool both = rec[0].rec && rec[1].rec && !t->is_ref;
    json_object_set_new(o, "equal", both ? json_boolean(field_equal(&t->field, &snap, 0)) : json_null());
    return o;
}

/* The record by its id on either side, and its counterpart where it has one. */
static int preview_find(struct db *r, struct map_context *m, str id, struct record rec[2], struct err *e)
{
    for (int s = 0; s < 2; s++) {
        int rc = m->link.feed[s] ? record_find(r, &m->arena, m->link.feed[s], id, &rec[s], e) : TL_E_NOT_FOUND;
        if (rc == TL_E_NOT_FOUND)
            continue;
        int64_t pair = 0;
        if (rc == TL_OK)
            rc = pair_of_record(r, m->link.link, (enum side)s, rec[s].rec, (str){0}, &pair, e);
        struct pair p = {0};
        if (rc == TL_OK)
            rc = pair_load(r, &m->arena, pair, &p, rec, e);
        return rc == TL_E_NOT_FOUND ? TL_OK : rc;
    }
    err_set(e, TL_E_NOT_FOUND, "no record \"%.*s\" is known on either side", STR_FMT(id));
    err_hint(e, "give the id of a record as its system writes it; `tieline pair find` finds it by e-mail or name");
    return TL_E_NOT_FOUND;
}

int view_map_preview(struct db *r, const char *connection, const char *kind, const char *id, json_t **out,
                     struct err *e)
{
    AUTO(map_context_done) struct map_context m = {0};
    struct record rec[2] = {{0}, {0}};
    int rc = map_context_open(r, connection, kind, &m, e);
    if (rc == TL_OK)
        rc = preview_find(r, &m, str_of(id), rec, e);
    if (rc != TL_OK)
        return rc;
    json_t *list = json_array();
    for (size_t i = 0; i < m.n_rows; i++) {
        AUTO(arena_done) struct arena a = {0};
        struct map_try t;
        bool usable = map_try_open(r, &m, &m.rows[i], &a, &t, NULL) == TL_OK;
        json_t *o = usable ? preview_row(&t, rec, &a) : json_object();
        row_json(o, &m.rows[i]);
        json_object_set_new(o, "usable", json_boolean(usable));
        json_array_append_new(list, o);
    }
    *out = json_pack("{s:o,s:o,s:o}", "a_id", view_text_or_null(rec[0].id), "b_id", view_text_or_null(rec[1].id),
                     "items", list);
    return TL_OK;
}

/* ---- A chain on values */

static bool value_of_type(str text, const char *type, tl_value *out)
{
    int64_t n = 0;
    *out = (tl_value){.type = text.n ? TL_TEXT : TL_NULL, .u.s = text};
    if (text.n == 0 || strcmp(type, "text") == 0)
        return true;
    bool ok = false;
    if (strcmp(type, "int") == 0)
        *out = (tl_value){.type = TL_INT, .u.i = (ok = str_to_i64(text, &n)) ? n : 0};
    else if (strcmp(type, "date") == 0)
        *out = (tl_value){.type = TL_DATE, .u.i = (ok = date_parse(text, &n)) ? n : 0};
    else if (strcmp(type, "time") == 0)
        *out = (tl_value){.type = TL_TIME, .u.i = (ok = time_parse(text, &n)) ? n : 0};
    else if (strcmp(type, "bool") == 0)
        *out = (tl_value){.type = TL_BOOL, .u.i = (ok = str_is(text, "true") || str_is(text, "false")) && text.n == 4};
    else if (strcmp(type, "decimal") == 0 && (ok = true))
        out->type = TL_DECIMAL;
    return ok;
}

static json_t *result_json(const struct transform *t, str text, const char *type, struct arena *a)
{
    tl_value in, v = {0};
    struct transform_failure why = {0};
    if (!value_of_type(text, type, &in))
        return json_pack("{s:s,s:s}", "outcome", "fail", "text", "the value is not of the type asked for");
    tl_value none[TRANSFORM_FIELDS] = {{.type = TL_NULL}};
    switch (transform_run(t, &in, none, a, &v, &why)) {
    case TRANSFORM_OK:
        return json_pack("{s:s,s:o}", "outcome", "value", "value", value_json(&v));
    case TRANSFORM_SKIP:
        return json_pack("{s:s}", "outcome", "skip");
    default:
        return json_pack("{s:s,s:s,s:o}", "outcome", "fail", "code", map_failure_code(why.reason), "text",
                         view_str(why.text));
    }
}

int view_transform(const json_t *ask, json_t **out, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    const json_t *chain = json_object_get(ask, "transform"), *values = json_object_get(ask, "values"),
                 *type = json_object_get(ask, "type");
    struct transform_error *errors = NULL;
    size_t n = 0;
    if (!json_is_string(chain) || !json_is_array(values) || json_array_size(values) > TRANSFORM_VALUES)
        return err_set(e, TL_E_INVALID, "the request needs \"transform\" and \"values\", at most %d texts",
                       TRANSFORM_VALUES);
    const struct transform *t =
        transform_parse(str_n(json_string_value(chain), json_string_length(chain)), &a, &errors, &n);
    if (!t) {
        err_set(e, TL_E_INVALID, "column %u: %.*s", errors[0].column, STR_FMT(errors[0].text));
        err_code(e, errors[0].code);
        err_hint(e, "%.*s", STR_FMT(errors[0].hint));
        return TL_E_INVALID;
    }
    json_t *list = json_array();
    for (size_t i = 0; i < json_array_size(values); i++) {
        AUTO(arena_done) struct arena one = {0};
        const json_t *v = json_array_get(values, i);
        str text = json_is_string(v) ? str_n(json_string_value(v), json_string_length(v)) : (str){0};
        json_array_append_new(list,
                              result_json(t, text, json_is_string(type) ? json_string_value(type) : "text", &one));
    }
    AUTO(buf_done) struct buf normal = {0};
    str function = {0}, why = {0};
    const struct transform *back = transform_inverse(t, &a, &function, &why);
    if (back)
        transform_text(back, &normal);
    *out = json_pack("{s:o,s:o,s:o}", "results", list, "back", back ? view_str(buf_lent(&normal)) : json_null(),
                     "no_way_back", back ? json_null() : view_str(function));
    return TL_OK;
}
