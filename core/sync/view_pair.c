/* One pair, so that nobody has to ask why a value is where it is: for every field what both sides hold and last agreed
 * on, which write put it there and why that value counted, what lost against it, and what is still to come. */
#include "change.h"
#include "engine_int.h"
#include "failures.h"
#include "map_sample.h"
#include "pairs.h"
#include "parting.h"
#include "runs.h"
#include "values.h"
#include "view_record.h"

enum { HISTORY_SHOWN = 100, HISTORY_READ = 1000 };

struct pair_view {
    struct db *r;
    struct arena *a;
    struct pair p;
    struct record rec[2];
    struct map_context *m;
    struct endpoint ep[2];
    struct change *changes; /* newest first */
    size_t n_changes;
};

static json_t *value_json(const tl_value *v)
{
    AUTO(buf_done) struct buf text = {0};
    if (v->type == TL_NULL)
        return json_null();
    value_text(&text, v);
    return view_str(buf_lent(&text));
}

/* ---- Which write put it there */

static json_t *written_json(const struct change *c, const json_t *row)
{
    static const char *const members[] = {"before", "after", "rule", "by"};
    json_t *o = json_pack("{s:s,s:o,s:I,s:o}", "to", c->side ? "b" : "a", "at", view_time(c->at_us), "run",
                          (json_int_t)c->run, "cause", view_str(c->cause));
    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        json_t *v = json_object_get(row, members[i]);
        json_object_set(o, members[i], v ? v : json_null());
    }
    json_t *since = json_object_get(row, "at");
    json_object_set(o, "edited", since ? since : json_null());
    return o;
}

static json_t *born_json(const struct pair_view *v)
{
    int to = v->p.flags & PAIR_CREATED_B ? 1 : 0;
    return json_pack("{s:s,s:o,s:I,s:s,s:n,s:n,s:s,s:n,s:n}", "to", to ? "b" : "a", "at", view_time(v->p.made_us),
                     "run", (json_int_t)v->p.run, "cause", "create", "before", "after", "rule", "created", "by",
                     "edited");
}

/* "written": the newest write of the field, on either side. "lost": the newest value that lost against one. */
static void history_of_field(const struct pair_view *v, uint32_t number, json_t *o)
{
    json_t *written = NULL, *lost = NULL;
    for (size_t i = 0; i < v->n_changes && !(written && lost); i++) {
        if (v->changes[i].op == TL_OP_DELETE)
            continue;
        json_t *rows = json_loadb(v->changes[i].fields.p, v->changes[i].fields.n, 0, NULL), *row;
        size_t k;
        json_array_foreach(rows, k, row)
        {
            if (json_integer_value(json_object_get(row, "no")) != (json_int_t)number)
                continue;
            if (!written)
                written = written_json(&v->changes[i], row);
            if (!lost && json_is_true(json_object_get(row, "conflict")))
                lost = json_pack("{s:s,s:O,s:o,s:I}", "side", v->changes[i].side ? "b" : "a", "value",
                                 json_object_get(row, "before"), "at", view_time(v->changes[i].at_us), "run",
                                 (json_int_t)v->changes[i].run);
        }
        json_decref(rows);
    }
    if (!written && v->p.run && (v->p.flags & (PAIR_CREATED_A | PAIR_CREATED_B)))
        written = born_json(v);
    json_object_set_new(o, "written", written ? written : json_null());
    json_object_set_new(o, "lost", lost ? lost : json_null());
}

/* ---- What is still to come */

struct field_view {
    const struct map_try *t;
    tl_value value[2], base[2];
    bool has_base[2], ours[2];
    int64_t changed_us[2];
    struct snapshot snap;
};

/* pair.chg: (map number * 2 + side, zigzag time) ... */
static void changed_since(str chg, uint32_t number, int64_t out[2])
{
    const uint8_t *p = (const uint8_t *)chg.p, *end = p + chg.n;
    uint64_t key = 0, raw = 0;
    while (p < end && varint_read(&p, end, &key) && varint_read(&p, end, &raw))
        if (key / 2 == number)
            out[key & 1] = (int64_t)(raw >> 1) ^ -(int64_t)(raw & 1);
}

static void field_view_fill(const struct pair_view *v, const struct map_row *row, struct field_view *f)
{
    bool since = row->since_gen > v->p.map_gen; /* came into the map after the pair had settled */
    changed_since(v->p.chg, row->map_no, f->changed_us);
    for (int s = 0; s < 2; s++) {
        const struct pair_base *base = &v->p.base[s];
        (void)map_try_value(f->t, s, v->rec[s].observation, v->a, &f->value[s]);
        if (base->kind == BASE_SAME) {
            f->has_base[s] = true;
            f->base[s] = f->value[s];
        } else if (base->kind == BASE_OWN) {
            f->has_base[s] = map_try_value(f->t, s, base->blob, v->a, &f->base[s]);
        }
        f->has_base[s] = f->has_base[s] && !since;
        struct parting left = parting_of(v->p.extra, s, v->p.rec[s]);
        f->ours[s] = parting_wrote(&left, row->map_no, &f->value[s]);
        f->snap.side[s] = (struct snapshot_side){.state = side_state_of(&v->rec[s]),
                                                 .is_b = s == 1,
                                                 .values = &f->value[s],
                                                 .base = &f->base[s],
                                                 .has_base = &f->has_base[s],
                                                 .changed_us = &f->changed_us[s],
                                                 .modified_us = v->rec[s].modified_us,
                                                 .written_us = left.written_us,
                                                 .ours = &f->ours[s],
                                                 .in_window = true};
    }
    f->snap.adopting = v->p.base[0].kind == BASE_NONE && v->p.base[1].kind == BASE_NONE;
}

static json_t *to_come(const char *what, int to, const char *why)
{
    return json_pack("{s:s,s:s?,s:s?}", "what", what, "to", to < 0 ? NULL : to ? "b" : "a", "why", why);
}

static json_t *pending_json(const struct pair_view *v, const struct field_view *f)
{
    static const char *const words[] = {[VERDICT_WRITE] = "write",
                                        [VERDICT_WRITE_BACK] = "write",
                                        [VERDICT_DRIFT] = "left",
                                        [VERDICT_CONFLICT] = "conflict",
                                        [VERDICT_WAIT_REF] = "waits"};
    struct plan plan;
    if (f->t->is_ref || f->snap.side[0].state != SIDE_LIVE || f->snap.side[1].state != SIDE_LIVE)
        return json_null();
    plan_pair(&f->t->rules, &f->snap, v->a, &plan);
    if (plan.act == PLAN_FAIL)
        return to_come("failure", plan.target, map_failure_code(plan.reason));
    uint8_t verdict = plan.verdict[0];
    if (verdict >= ARRAY_LEN(words) || !words[verdict])
        return json_null();
    bool writes = verdict == VERDICT_WRITE;
    bool both = writes && field_changed(&f->t->field, &f->snap.side[plan.target], 0);
    return to_come(words[verdict], writes ? plan.target : -1,
                   writes ? change_rule(&f->t->rules, &f->snap, plan.target, 0, both) : NULL);
}

static const char *policy_word(const struct map_try *t)
{
    static const char *const words[] = {"newest", "newest", "a", "b", "manual"};
    int policy = (int)(t->field.policy == POLICY_LINK ? t->rules.policy : t->field.policy);
    return policy >= 0 && (size_t)policy < ARRAY_LEN(words) ? words[policy] : "newest";
}

static const char *direction_word(const struct map_try *t)
{
    bool a = link_allows(t->rules.direction, 0) && link_allows(t->field.direction, 0);
    bool b = link_allows(t->rules.direction, 1) && link_allows(t->field.direction, 1);
    return a && b ? "both" : b ? "a2b" : a ? "b2a" : "none";
}

/* A field that rests, as it was read last. */
static json_t *resting_value(const struct pair_view *v, const struct map_row *row, int s)
{
    str path = s ? row->b_path : row->a_path;
    for (size_t i = 0; i < v->m->n_numbers[s]; i++) {
        tl_value value = {0};
        if (str_eq(v->m->numbers[s][i].path, path) &&
            obs_find(v->rec[s].observation, v->m->numbers[s][i].number, v->a, &value))
            return value_json(&value);
    }
    return json_null();
}

static json_t *field_json(const struct pair_view *v, const struct map_row *row)
{
    struct err e = {0};
    struct map_try t = {0};
    json_t *o = json_object();
    bool usable = map_try_open(v->r, v->m, row, v->a, &t, &e) == TL_OK;
    struct field_view f = {.t = &t};
    t.rules.fields = &t.field;
    json_object_set_new(o, "a_field", view_str(row->a_path));
    json_object_set_new(o, "b_field", view_str(row->b_path));
    for (int s = 0; s < 2 && usable; s++)
        t.rules.clock_offset_us[s] = v->ep[s].clock_offset_us;
    if (usable)
        field_view_fill(v, row, &f);
    for (int s = 0; s < 2; s++) {
        bool changed = usable && v->rec[s].rec && field_changed(&t.field, &f.snap.side[s], 0);
        json_object_set_new(o, s ? "b" : "a", usable ? value_json(&f.value[s]) : resting_value(v, row, s));
        json_object_set_new(o, s ? "b_agreed" : "a_agreed", f.has_base[s] ? value_json(&f.base[s]) : json_null());
        json_object_set_new(o, s ? "b_edited" : "a_edited",
                            changed ? view_time(f.changed_us[s] ? f.changed_us[s] : v->rec[s].modified_us)
                                    : json_null());
    }
    json_object_set_new(o, "direction", usable ? json_string(direction_word(&t)) : json_null());
    json_object_set_new(o, "policy", usable ? json_string(policy_word(&t)) : json_null());
    json_object_set_new(o, "transformed", json_boolean(usable && t.field.transformed));
    json_object_set_new(o, "pending", usable ? pending_json(v, &f) : to_come("suspended", -1, NULL));
    history_of_field(v, row->map_no, o);
    return o;
}

/* ---- The whole */

static json_t *history_json(const struct pair_view *v)
{
    static const char *const ops[] = {"settled", "create", "update", "restore", "delete"};
    json_t *history = json_array();
    if (v->p.run)
        json_array_append_new(history,
                              json_pack("{s:s,s:o,s:I,s:s}", "op", "create", "at", view_time(v->p.made_us), "run",
                                        (json_int_t)v->p.run, "to", v->p.flags & PAIR_CREATED_B ? "b" : "a"));
    for (size_t i = 0; i < v->n_changes && i < HISTORY_SHOWN; i++) {
        const struct change *c = &v->changes[i];
        json_t *fields = json_loadb(c->fields.p, c->fields.n, 0, NULL);
        change_fields_show(fields);
        json_array_append_new(history,
                              json_pack("{s:s,s:o,s:I,s:s,s:o,s:o}", "op", ops[c->op >= 0 && c->op < 5 ? c->op : 0],
                                        "at", view_time(c->at_us), "run", (json_int_t)c->run, "to", c->side ? "b" : "a",
                                        "cause", view_str(c->cause), "fields", fields ? fields : json_null()));
    }
    return history;
}

static int pair_view_load(struct pair_view *v, int64_t pair, struct err *e)
{
    struct link l = {0};
    struct connection c = {0};
    int rc = pair_load(v->r, v->a, pair, &v->p, v->rec, e);
    if (rc == TL_E_NOT_FOUND)
        return err_set(e, rc, "no pair %lld", (long long)pair);
    if (rc == TL_OK)
        rc = link_get(v->r, v->a, v->p.link, &l, e);
    if (rc == TL_OK)
        rc = connection_get(v->r, v->a, l.connection, &c, e);
    for (int s = 0; s < 2 && rc == TL_OK; s++)
        rc = endpoint_get(v->r, v->a, c.endpoint[s], &v->ep[s], e);
    if (rc == TL_OK)
        rc = change_list_of_pair(v->r, v->a, pair, 0, HISTORY_READ, &v->changes, &v->n_changes, e);
    struct err unknown = {0};
    if (rc == TL_OK && map_context_open(v->r, arena_str(v->a, c.name).p, arena_str(v->a, l.name).p, v->m, &unknown))
        v->m->n_rows = 0; /* fields that were never described cannot be told of */
    return rc;
}

static void sides_json(const struct pair_view *v, json_t *o)
{
    for (int s = 0; s < 2; s++) {
        bool there = v->rec[s].rec != 0;
        json_object_set_new(o, s ? "b_changed" : "a_changed", view_time(there ? v->rec[s].modified_us : 0));
        json_object_set_new(o, s ? "b_changed_by" : "a_changed_by",
                            there ? view_text_or_null(v->rec[s].by) : json_null());
    }
}

int view_pair(struct db *r, int64_t pair, json_t **out, struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    AUTO(map_context_done) struct map_context m = {0};
    AUTO(view_kinds_done) struct view_kinds kinds = {.r = r};
    struct pair_view v = {.r = r, .a = &a, .m = &m};
    struct failure *failures = NULL;
    size_t n = 0;
    int rc = pair_view_load(&v, pair, e);
    json_t *o = rc == TL_OK ? view_pair_line(&kinds, &a, pair) : NULL;
    if (rc != TL_OK || !o)
        return rc != TL_OK ? rc : err_set(e, TL_E_NOT_FOUND, "no pair %lld", (long long)pair);
    sides_json(&v, o);
    json_t *fields = json_array(), *open = json_array();
    for (size_t i = 0; i < m.n_rows; i++)
        json_array_append_new(fields, field_json(&v, &m.rows[i]));
    json_object_set_new(o, "fields", fields);
    json_object_set_new(o, "history", history_json(&v));
    struct failure_filter f = {.pair = pair, .with_resolved = true};
    if (failure_list(r, &a, &f, HISTORY_SHOWN, &failures, &n, e) == TL_OK)
        for (size_t i = 0; i < n; i++)
            json_array_append_new(open, view_failure_json(&kinds, &a, &failures[i], "en"));
    json_object_set_new(o, "failures", open);
    *out = o;
    return TL_OK;
}
