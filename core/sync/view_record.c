#include "view_record.h"

#include "obs.h"
#include "unicode.h"
#include "values.h"

enum { SHOWN_CHARS = 120 };

void view_kinds_done(struct view_kinds *k)
{
    for (struct view_kind *v = k->first; v; v = v->next)
        arena_done(&v->arrays);
    arena_done(&k->a);
}

const struct view_kind *view_kind(struct view_kinds *k, int64_t endpoint, str kind)
{
    for (struct view_kind *v = k->first; v; v = v->next)
        if (v->endpoint == endpoint && str_eq(v->kind, kind))
            return v;
    struct view_kind *v = arena_new(&k->a, struct view_kind);
    struct err e = {0};
    v->endpoint = endpoint;
    v->kind = arena_str(&k->a, kind);
    v->next = k->first;
    k->first = v;
    if (!view_describe(k->r, &k->a, &v->arrays, endpoint, kind, &v->desc))
        v->desc = (tl_kind){0};
    (void)field_list(k->r, &k->a, endpoint, kind, &v->rows, &v->n_rows, &e);
    return v;
}

void view_field_text(const struct view_kind *k, str observation, str path, struct arena *a, struct buf *out)
{
    for (size_t i = 0; i < k->n_rows && path.n; i++) {
        tl_value v = {0};
        if (str_eq(k->rows[i].path, path) && obs_find(observation, k->rows[i].number, a, &v) && v.type != TL_NULL)
            value_text(out, &v);
    }
}

void view_record_name(const struct view_kind *k, str observation, struct arena *a, struct buf *out)
{
    static const char *const whole[] = {"name", "subject", "company"};
    AUTO(buf_done) struct buf last = {0};
    view_field_text(k, observation, STR("first_name"), a, out);
    view_field_text(k, observation, STR("last_name"), a, &last);
    if (out->n && last.n)
        buf_char(out, ' ');
    buf_str(out, buf_lent(&last));
    for (size_t i = 0; i < ARRAY_LEN(whole) && out->n == 0; i++)
        view_field_text(k, observation, str_of(whole[i]), a, out);
}

static bool is_field(const struct view_kind *k, str path, str field)
{
    if (str_eq(path, field))
        return true;
    const tl_field *f = k->desc.n_fields ? field_by_name(&k->desc, path) : NULL;
    return f && str_eq(f->name, field);
}

str view_field_of_side(struct view_kinds *k, struct arena *a, const struct connection *c, const struct link *l,
                       str field, int side)
{
    struct map_row *rows = NULL;
    size_t n = 0;
    struct err e = {0};
    if (map_list(k->r, a, l->link, &rows, &n, &e) != TL_OK)
        return (str){0};
    for (int s = 0; s < 2; s++) { /* the target's words first */
        int of = s ? side : 1 - side;
        const struct view_kind *kind = view_kind(k, c->endpoint[of], l->kind[of]);
        for (size_t i = 0; i < n; i++)
            if (is_field(kind, of ? rows[i].b_path : rows[i].a_path, field))
                return side ? rows[i].b_path : rows[i].a_path;
    }
    return (str){0};
}

str view_cut(str text, struct arena *a)
{
    str head = utf8_cut(text, SHOWN_CHARS);
    return head.n == text.n ? text : str_of(arena_fmt(a, "%.*s...", STR_FMT(head)));
}

/* ---- Pairs ------------------------------------------------------------------------------------------------------- */

static const char *state_name(const struct record *rec)
{
    static const char *const names[] = {"live", "trashed", "deleted", "merged", "forbidden"};
    if (rec->rec == 0)
        return "none";
    return rec->state >= 0 && rec->state <= TL_STATE_FORBIDDEN ? names[rec->state] : "out_of_scope";
}

/* Matched although it is from before the window: left alone. */
static const char *side_name(const struct record *rec, bool outside)
{
    return outside && rec->state == TL_STATE_LIVE ? "out_of_scope" : state_name(rec);
}

json_t *view_pair_line(struct view_kinds *k, struct arena *a, int64_t pair)
{
    struct pair p = {0};
    struct record rec[2] = {{0}, {0}};
    struct link l = {0};
    struct connection c = {0};
    struct err e = {0};
    if (pair_load(k->r, a, pair, &p, rec, &e) != TL_OK || link_get(k->r, a, p.link, &l, &e) != TL_OK)
        return NULL;
    (void)connection_get(k->r, a, l.connection, &c, &e);
    AUTO(buf_done) struct buf name = {0};
    AUTO(buf_done) struct buf email = {0};
    for (int s = 0; s < 2; s++) {
        const struct view_kind *of = view_kind(k, c.endpoint[s], l.kind[s]);
        if (name.n == 0)
            view_record_name(of, rec[s].observation, a, &name);
        if (email.n == 0)
            view_field_text(of, rec[s].observation, STR("email"), a, &email);
    }
    json_t *o = json_object();
    json_object_set_new(o, "pair", json_integer(p.pair));
    json_object_set_new(o, "connection", view_str(c.name));
    json_object_set_new(o, "kind", view_str(l.name));
    json_object_set_new(o, "status", json_string(pair_status_name(p.status)));
    json_object_set_new(o, "name", view_text_or_null(buf_lent(&name)));
    json_object_set_new(o, "email", view_text_or_null(buf_lent(&email)));
    json_object_set_new(o, "a_id", view_text_or_null(rec[0].id));
    json_object_set_new(o, "b_id", view_text_or_null(rec[1].id));
    json_object_set_new(o, "a_state", json_string(side_name(&rec[0], p.flags & PAIR_OUTSIDE_A)));
    json_object_set_new(o, "b_state", json_string(side_name(&rec[1], p.flags & PAIR_OUTSIDE_B)));
    json_object_set_new(o, "adopted", json_boolean(p.flags & PAIR_ADOPTED));
    json_object_set_new(o, "made", view_time(p.made_us));
    json_object_set_new(o, "synced", view_time(p.synced_us));
    return o;
}
