#include "linkset.h"

#include "quiet.h"
#include "records.h"
#include "times.h"

void link_settings_init(struct link_settings *s)
{
    *s = (struct link_settings){.policy = POLICY_NEWEST,
                                .master = -1,
                                .every_us = 60 * US_PER_S,
                                .created_within_us = -1,
                                .admits = true,
                                .match_multi = 'f',
                                .quiet = true,
                                .max_changes_percent = 20,
                                .share = 1};
}

static int one_of(str key, str value, const char *const *names, int n, int *out, struct err *e)
{
    AUTO(buf_done) struct buf list = {0};
    for (int i = 0; i < n; i++) {
        if (str_is(value, names[i])) {
            *out = i;
            return TL_OK;
        }
        buf_fmt(&list, "%s%s", i ? ", " : "", names[i]);
    }
    err_set(e, E_USAGE, "\"%.*s\" is no value for %.*s", STR_FMT(value), STR_FMT(key));
    err_hint(e, "one of: %s", buf_text(&list));
    return E_USAGE;
}

static int duration_value(str key, str value, int64_t *out, struct err *e)
{
    int64_t us = 0;
    bool read = duration_parse(value, &us);
    if (read && us >= US_PER_S) {
        *out = us;
        return TL_OK;
    }
    if (read) {
        err_set(e, E_USAGE, "%.*s = %.*s: at least 1s", STR_FMT(key), STR_FMT(value));
        return E_USAGE;
    }
    err_set(e, E_USAGE, "\"%.*s\" is no duration for %.*s", STR_FMT(value), STR_FMT(key));
    err_hint(e, "write it as 30s, 15m, 4h or 365d");
    return E_USAGE;
}

static int share_value(str value, int32_t *out, struct err *e)
{
    int64_t n = 0;
    if (!str_to_i64(value, &n) || n < 1 || n > 100) {
        err_set(e, E_USAGE, "share = %.*s: a number from 1 to 100", STR_FMT(value));
        err_hint(e, "a link with share = 3 gets three calls for one of a link with share = 1");
        return E_USAGE;
    }
    *out = (int32_t)n;
    return TL_OK;
}

static int changes_value(str value, struct link_settings *s, struct err *e)
{
    int64_t n = 0;
    bool percent = value.n > 1 && value.p[value.n - 1] == '%';
    bool off = str_is(value, "off");
    if (!off &&
        (!str_to_i64(percent ? str_n(value.p, value.n - 1) : value, &n) || n < 1 || n > (percent ? 100 : 1000000000))) {
        err_set(e, E_USAGE, "\"%.*s\" is no value for max_changes", STR_FMT(value));
        err_hint(e, "a number of writes like 2000, a share of the pairs like 20%%, or off");
        return E_USAGE;
    }
    s->max_changes = percent ? 0 : n;
    s->max_changes_percent = percent ? n : 0;
    return TL_OK;
}

static const char *const setting_keys[] = {
    "direction",   "policy", "master", "drift",          "restore_on",  "every",      "match",     "match_multi",
    "quiet",       "view.a", "view.b", "created_within", "enabled",     "a_kind",     "b_kind",    "delete",
    "quiet_hours", "share",  "window", "deps",           "max_changes", "fallback.a", "fallback.b"};

bool link_setting_known(str key)
{
    for (size_t i = 0; i < ARRAY_LEN(setting_keys); i++)
        if (str_is(key, setting_keys[i]))
            return true;
    return false;
}

int link_setting_apply(struct link_settings *s, str key, str value, struct err *e)
{
    static const char *const directions[] = {"both", "a2b", "b2a"};
    static const char *const policies[] = {"newest", "a", "b", "manual"};
    static const char *const sides[] = {"a", "b"};
    static const char *const drifts[] = {"leave", "revert", "report"};
    static const char *const restores[] = {"update", "read_or_update", "never"};
    static const char *const multis[] = {"fail", "oldest", "newest"};
    static const char *const bools[] = {"no", "yes"};
    static const char *const deletes[] = {"keep", "propagate", "a2b", "b2a"};
    static const char *const windows[] = {"fixed", "sliding"}, *const deps[] = {"admit", "leave"};
    int v = 0, rc = TL_OK;
    if (str_is(key, "direction")) {
        if ((rc = one_of(key, value, directions, 3, &v, e)) == TL_OK)
            s->direction = (enum link_direction)v;
    } else if (str_is(key, "policy")) {
        if ((rc = one_of(key, value, policies, 4, &v, e)) == TL_OK)
            s->policy = (enum link_policy)(v + 1);
    } else if (str_is(key, "master")) {
        if ((rc = one_of(key, value, sides, 2, &v, e)) == TL_OK)
            s->master = v;
    } else if (str_is(key, "drift")) {
        if ((rc = one_of(key, value, drifts, 3, &v, e)) == TL_OK)
            s->drift = (enum link_drift)v;
    } else if (str_is(key, "restore_on")) {
        if ((rc = one_of(key, value, restores, 3, &v, e)) == TL_OK)
            s->restore_on = (enum link_restore)v;
    } else if (str_is(key, "match_multi")) {
        if ((rc = one_of(key, value, multis, 3, &v, e)) == TL_OK)
            s->match_multi = multis[v][0];
    } else if (str_is(key, "quiet")) {
        if ((rc = one_of(key, value, bools, 2, &v, e)) == TL_OK)
            s->quiet = v == 1;
    } else if (str_is(key, "window")) {
        if ((rc = one_of(key, value, windows, 2, &v, e)) == TL_OK)
            s->slides = v == 1;
    } else if (str_is(key, "deps")) {
        if ((rc = one_of(key, value, deps, 2, &v, e)) == TL_OK)
            s->admits = v == 0;
    } else if (str_is(key, "enabled")) {
        rc = one_of(key, value, bools, 2, &v, e);
    } else if (str_is(key, "delete")) {
        if ((rc = one_of(key, value, deletes, 4, &v, e)) == TL_OK) {
            s->deletes[0] = v == 1 || v == 3;
            s->deletes[1] = v == 1 || v == 2;
        }
    } else if (str_is(key, "every")) {
        rc = duration_value(key, value, &s->every_us, e);
    } else if (str_is(key, "created_within")) {
        if (str_is(value, "off"))
            s->created_within_us = 0;
        else
            rc = duration_value(key, value, &s->created_within_us, e);
    } else if (str_is(key, "quiet_hours")) {
        AUTO(arena_done) struct arena scratch = {0};
        struct quiet_hours parsed;
        if ((rc = quiet_parse(value, &scratch, &parsed, e)) == TL_OK)
            s->quiet_hours = value;
    } else if (str_is(key, "share")) {
        rc = share_value(value, &s->share, e);
    } else if (str_is(key, "max_changes")) {
        rc = changes_value(value, s, e);
    } else if (str_is(key, "fallback.a") || str_is(key, "fallback.b")) {
        s->fallback[key.p[key.n - 1] == 'b'] = value;
    } else if (str_is(key, "match")) {
        s->match = value;
    } else if (!link_setting_known(key)) {
        err_set(e, E_USAGE, "a link has no setting \"%.*s\"", STR_FMT(key));
        AUTO(text_free) char *word = str_dup(key);
        const char *near = text_nearest(word, setting_keys, ARRAY_LEN(setting_keys));
        if (near)
            err_hint(e, "did you mean \"%s\"?", near);
        rc = E_USAGE;
    }
    return rc;
}

str match_path_of(str kind)
{
    if (str_is(kind, "contact") || str_is(kind, "user"))
        return STR("email");
    if (str_is(kind, "account") || str_is(kind, "product"))
        return STR("name");
    return (str){0};
}

int32_t match_lookup_kind(str path)
{
    if (path.n == 0 || str_is(path, "off"))
        return 0;
    if (str_is(path, "email") || str_is(path, "secondary_email"))
        return LOOKUP_EMAIL;
    if (str_is(path, "name"))
        return LOOKUP_NAME;
    return str_is(path, "code") ? LOOKUP_CODE : LOOKUP_TEXT_OF;
}

const tl_field *field_by_name(const tl_kind *k, str name)
{
    for (uint32_t i = 0; i < k->n_fields; i++) {
        const tl_field *f = TL_AT(tl_field, k->fields, k->field_stride, i);
        if (str_eq(f->path, name))
            return f;
    }
    for (uint32_t i = 0; i < k->n_fields; i++) {
        const tl_field *f = TL_AT(tl_field, k->fields, k->field_stride, i);
        if (str_eq(f->name, name))
            return f;
    }
    return NULL;
}

tl_field field_bare(const tl_field *f, struct arena *arena)
{
    tl_field out = *f;
    out.path = arena_str(arena, f->path);
    out.name = arena_str(arena, f->name);
    out.label = arena_str(arena, f->label);
    out.refers_to = arena_str(arena, f->refers_to);
    out.n_choices = 0;
    out.choices = NULL;
    return out;
}

tl_field field_copy(const tl_field *f, struct arena *arena)
{
    tl_field out = field_bare(f, arena);
    out.n_choices = f->n_choices;
    tl_choice *choices = arena_array(arena, tl_choice, f->n_choices + 1);
    for (uint32_t i = 0; i < f->n_choices; i++)
        choices[i] = (tl_choice){arena_str(arena, f->choices[i].value), arena_str(arena, f->choices[i].label)};
    out.choices = choices;
    out.choice_stride = sizeof(tl_choice);
    return out;
}

static enum link_policy policy_of(str word)
{
    static const char *const names[] = {"", "newest", "a", "b", "manual"};
    for (size_t i = 1; i < ARRAY_LEN(names); i++)
        if (str_is(word, names[i]))
            return (enum link_policy)i;
    return POLICY_LINK;
}

bool rule_of_row(const struct map_row *row, const tl_kind *a, const tl_kind *b, struct arena *arena,
                 struct rule_field *out)
{
    const tl_field *fa = field_by_name(a, row->a_path), *fb = field_by_name(b, row->b_path);
    *out =
        (struct rule_field){.number = row->map_no, .policy = policy_of(row->policy), .suspended = row->suspended.n > 0};
    out->since_gen = row->since_gen;
    out->direction = row->dir == MAP_A2B ? LINK_A2B : row->dir == MAP_B2A ? LINK_B2A : LINK_BOTH;
    if (!fa || !fb || row->dir == MAP_OFF)
        return false;
    out->side[0] = field_copy(fa, arena);
    out->side[1] = field_copy(fb, arena);
    out->canon = canon_of(fa, fb, a->resolution_ms, b->resolution_ms);
    return true;
}

static bool refers_to_linked(const tl_field *f, str linked)
{
    if (f->type != TL_REF)
        return true;
    str rest = f->refers_to, kind;
    while (str_split(&rest, ',', &kind))
        if (str_in_list(linked, str_trim(kind)))
            return true;
    return false;
}

size_t map_defaults(const tl_kind *a, const tl_kind *b, str linked, struct arena *arena, struct map_row **out)
{
    struct map_row *rows = arena_array(arena, struct map_row, a->n_fields + 1);
    size_t n = 0;
    for (uint32_t i = 0; i < a->n_fields; i++) {
        const tl_field *fa = TL_AT(tl_field, a->fields, a->field_stride, i);
        if (str_starts(fa->path, STR("x.")) || fa->path.n == 0)
            continue;
        const tl_field *fb = field_by_name(b, fa->path);
        if (!fb || !str_eq(fb->path, fa->path))
            continue;
        if ((fa->flags & TL_F_READONLY) && (fb->flags & TL_F_READONLY))
            continue;
        if (!refers_to_linked(fa, linked) || !refers_to_linked(fb, linked) ||
            (fa->type == TL_REF) != (fb->type == TL_REF))
            continue;
        rows[n++] = (struct map_row){.a_path = fa->path, .b_path = fb->path, .dir = MAP_BOTH, .is_default = true};
    }
    *out = rows;
    return n;
}

/* ---- Check */

struct check {
    struct arena *arena;
    struct map_finding *found;
    size_t n, cap;
    const struct map_row *row;
};

static void PRINTF_LIKE(4, 5) found(struct check *c, int level, const char *code, const char *fmt, ...)
{
    if (c->n == c->cap)
        return;
    AUTO(buf_done) struct buf text = {0};
    va_list ap;
    va_start(ap, fmt);
    buf_fmtv(&text, fmt, ap);
    va_end(ap);
    struct map_finding *f = &c->found[c->n++];
    *f = (struct map_finding){.level = level, .code = str_of(code), .text = arena_str(c->arena, buf_lent(&text))};
    if (c->row) {
        f->a_path = c->row->a_path;
        f->b_path = c->row->b_path;
    }
}

static bool is_texty(uint32_t t)
{
    return t >= TL_TEXT && t <= TL_CHOICE;
}

static void check_types(struct check *c, const tl_field *from, const tl_field *to)
{
    int way = value_convertible(from->type, to->type);
    if (way == 0)
        found(c, TL_ERROR, "TYPE_MISMATCH", "\"%.*s\" cannot be written to \"%.*s\": the types have nothing in common",
              STR_FMT(from->name), STR_FMT(to->name));
    else if (way == 1 && is_texty(from->type))
        found(c, TL_WARN, "TYPE_MISMATCH",
              "\"%.*s\" is a text, \"%.*s\" is not: values that cannot be read as one will fail", STR_FMT(from->name),
              STR_FMT(to->name));
    else if (way == 1)
        found(c, TL_WARN, "TYPE_MISMATCH", "\"%.*s\" may have digits that \"%.*s\" does not keep", STR_FMT(from->name),
              STR_FMT(to->name));
    if (is_texty(from->type) && is_texty(to->type) && to->max && (from->max == 0 || from->max > to->max))
        found(c, TL_WARN, "TOO_LONG", "\"%.*s\" holds at most %u characters: longer values of \"%.*s\" will fail",
              STR_FMT(to->name), to->max, STR_FMT(from->name));
    for (uint32_t i = 0; (to->flags & TL_F_CLOSED) && from->type == TL_CHOICE && i < from->n_choices; i++) {
        bool known = false;
        for (uint32_t k = 0; k < to->n_choices && !known; k++)
            known = str_eq(to->choices[k].value, from->choices[i].value);
        if (!known) {
            found(c, TL_WARN, "ENUM_UNKNOWN", "\"%.*s\" does not have the choice \"%.*s\"", STR_FMT(to->name),
                  STR_FMT(from->choices[i].value));
            break;
        }
    }
}

static void check_row(struct check *c, const tl_kind *kinds[2], const struct link_settings *settings, str linked)
{
    const tl_field *f[2] = {field_by_name(kinds[0], c->row->a_path), field_by_name(kinds[1], c->row->b_path)};
    for (int s = 0; s < 2; s++)
        if (!f[s])
            found(c, TL_ERROR, "SCHEMA_DRIFT", "side %c has no field \"%.*s\"", "ab"[s],
                  STR_FMT(s ? c->row->b_path : c->row->a_path));
    if (!f[0] || !f[1])
        return;
    for (int s = 0; s < 2; s++)
        if (kinds[s]->stamp_field.n && str_eq(f[s]->name, kinds[s]->stamp_field))
            found(c, TL_ERROR, "STAMP_FIELD",
                  "\"%.*s\" holds the mark by which a record is known again: it is not mapped", STR_FMT(f[s]->name));
    enum link_direction own = c->row->dir == MAP_A2B ? LINK_A2B : c->row->dir == MAP_B2A ? LINK_B2A : LINK_BOTH;
    bool any = false;
    for (int target = 0; target < 2; target++) {
        if (!link_allows(settings->direction, target) || !link_allows(own, target))
            continue;
        if (f[target]->flags & TL_F_READONLY) {
            if (own != LINK_BOTH)
                found(c, TL_ERROR, "READ_ONLY_FIELD", "\"%.*s\" is read-only", STR_FMT(f[target]->name));
            continue;
        }
        any = true;
        if (c->row->transform.n == 0 && c->row->back.n == 0) /* else its chains are checked: map_edit.h */
            check_types(c, f[1 - target], f[target]);
    }
    if (!any)
        found(c, TL_WARN, "READ_ONLY_FIELD", "no side of this field can be written in the link's direction");
    for (int s = 0; s < 2; s++)
        if (!refers_to_linked(f[s], linked)) {
            found(c, TL_ERROR, "REF_UNRESOLVED", "\"%.*s\" refers to \"%.*s\", which the connection has no link for",
                  STR_FMT(f[s]->name), STR_FMT(f[s]->refers_to));
            break;
        }
}

static void check_required(struct check *c, const struct map_row *rows, size_t n, const tl_kind *kind, int side,
                           const struct link_settings *settings)
{
    c->row = NULL;
    if (!link_allows(settings->direction, side))
        return;
    for (uint32_t i = 0; i < kind->n_fields; i++) {
        const tl_field *f = TL_AT(tl_field, kind->fields, kind->field_stride, i);
        if (!(f->flags & TL_F_REQUIRED) || (f->flags & TL_F_READONLY))
            continue;
        bool mapped = false;
        for (size_t k = 0; k < n && !mapped; k++)
            mapped = field_by_name(kind, side ? rows[k].b_path : rows[k].a_path) == f;
        if (!mapped)
            found(c, TL_ERROR, "REQUIRED_MISSING", "side %c requires \"%.*s\" (%.*s), which is not mapped", "ab"[side],
                  STR_FMT(f->name), STR_FMT(f->label));
    }
}

bool map_ref_left_out(const tl_field *a, const tl_field *b, str linked)
{
    if (!b || a->type != TL_REF || b->type != TL_REF || str_starts(a->path, STR("x.")) || !str_eq(a->path, b->path))
        return false;
    if ((a->flags & TL_F_READONLY) && (b->flags & TL_F_READONLY))
        return false;
    return !refers_to_linked(a, linked) || !refers_to_linked(b, linked);
}

/* References that both sides have and that the map lacks. */
static void check_references(struct check *c, const struct map_row *rows, size_t n, const tl_kind *a, const tl_kind *b,
                             str linked)
{
    for (uint32_t i = 0; i < a->n_fields; i++) {
        const tl_field *fa = TL_AT(tl_field, a->fields, a->field_stride, i), *fb = field_by_name(b, fa->path);
        bool mapped = false;
        for (size_t k = 0; k < n && !mapped; k++)
            mapped = field_by_name(a, rows[k].a_path) == fa || (fb && field_by_name(b, rows[k].b_path) == fb);
        if (mapped || !fb)
            continue;
        struct map_row row = {.a_path = fa->path, .b_path = fb->path};
        c->row = &row;
        if (map_ref_left_out(fa, fb, linked))
            found(c, TL_INFO, "REF_NOT_MAPPED",
                  "\"%.*s\" is left out: it refers to \"%.*s\", which the connection has no link for; a link for it "
                  "brings it in",
                  STR_FMT(fa->path), STR_FMT(fa->refers_to));
        else if (map_ref_left_out(fa, fb, (str){0}))
            found(c, TL_WARN, "REF_NOT_MAPPED",
                  "\"%.*s\" is not mapped, although the connection has a link for \"%.*s\": map it, or the two sides "
                  "differ there",
                  STR_FMT(fa->path), STR_FMT(fa->refers_to));
    }
    c->row = NULL;
}

/* Nobody writes records of such a kind, users for one: that they are paired is all there is to do. */
static bool key_is_enough(const tl_kind *a, const tl_kind *b, const struct link_settings *settings)
{
    str path = settings->match.n ? settings->match : match_path_of(a->kind);
    uint32_t writes = TL_CAN_CREATE | TL_CAN_UPDATE;
    return match_lookup_kind(path) && field_by_name(a, path) && field_by_name(b, path) && !(a->can & writes) &&
           !(b->can & writes);
}

size_t map_check(const struct map_row *rows, size_t n, const tl_kind *a, const tl_kind *b,
                 const struct link_settings *settings, str linked, struct arena *arena, struct map_finding **out)
{
    struct check c = {.arena = arena, .cap = n * 6 + 2 * a->n_fields + b->n_fields + 4};
    c.found = arena_array(arena, struct map_finding, c.cap);
    const tl_kind *kinds[2] = {a, b};
    for (size_t i = 0; i < n; i++) {
        c.row = &rows[i];
        if (rows[i].dir != MAP_OFF)
            check_row(&c, kinds, settings, linked);
    }
    check_required(&c, rows, n, a, 0, settings);
    check_required(&c, rows, n, b, 1, settings);
    check_references(&c, rows, n, a, b, linked);
    c.row = NULL;
    if (n == 0 && key_is_enough(a, b, settings))
        found(&c, TL_INFO, "KEY_ALONE", "no field is carried: the link tells who is who, for the references of others");
    else if (n == 0)
        found(&c, TL_ERROR, "MAP_ERROR", "no field is mapped");
    *out = c.found;
    return c.n;
}
