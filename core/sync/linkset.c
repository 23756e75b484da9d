#include "linkset.h"

#include "config_value.h"
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

static int changes_value(str value, struct link_settings *s, struct err *e)
{
    int64_t n = 0;
    bool percent = value.n > 1 && value.p[value.n - 1] == '%';
    bool off = str_is(value, "off");
    if (!off &&
        (!str_to_i64(percent ? str_n(value.p, value.n - 1) : value, &n) || n < 1 || n > (percent ? 100 : 1000000000))) {
        err_set(e, E_USAGE, "max_changes = %.*s: must be a number of writes, a share of the pairs, or off",
                STR_FMT(value));
        err_hint(e, "2000, 20%%, or off");
        return E_USAGE;
    }
    s->max_changes = percent ? 0 : n;
    s->max_changes_percent = percent ? n : 0;
    return TL_OK;
}

static int quiet_value(str value, struct link_settings *s, struct err *e)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct quiet_hours parsed;
    int rc = quiet_parse(value, &scratch, &parsed, e);
    if (rc == TL_OK)
        s->quiet_hours = value;
    return rc;
}

static int unknown_key(const char *key, struct err *e)
{
    err_set(e, E_USAGE, "a link has no setting \"%s\"", key);
    const char *near = config_key_nearest("link", key);
    if (near)
        err_hint(e, "did you mean \"%s\"?", near);
    return E_USAGE;
}

static int choice_number(const struct config_key *key, const char *value)
{
    str rest = str_of(key->choices), word;
    int i = 0;
    while (str_split(&rest, ',', &word) && !str_is(word, value))
        i++;
    return i;
}

/* Choices in the order of config_keys, which is that of the enums. */
static void choice_take(struct link_settings *s, str key, int choice)
{
    if (str_is(key, "direction"))
        s->direction = (enum link_direction)choice;
    else if (str_is(key, "policy"))
        s->policy = (enum link_policy)(POLICY_NEWEST + choice);
    else if (str_is(key, "master"))
        s->master = choice;
    else if (str_is(key, "drift"))
        s->drift = (enum link_drift)choice;
    else if (str_is(key, "restore_on"))
        s->restore_on = (enum link_restore)choice;
    else if (str_is(key, "match_multi"))
        s->match_multi = "fon"[choice];
    else if (str_is(key, "window"))
        s->slides = choice == 1;
    else if (str_is(key, "deps"))
        s->admits = choice == 0;
    else if (str_is(key, "delete"))
        for (int to = 0; to < 2; to++)
            s->deletes[to] = choice == 1 || choice == 3 - to;
}

static void number_take(struct link_settings *s, str key, int64_t n)
{
    if (str_is(key, "every"))
        s->every_us = n;
    else if (str_is(key, "created_within"))
        s->created_within_us = n;
    else if (str_is(key, "share"))
        s->share = (int32_t)n;
}

static int text_take(struct link_settings *s, str key, str value, struct err *e)
{
    if (str_is(key, "quiet_hours"))
        return quiet_value(value, s, e);
    if (str_is(key, "max_changes"))
        return changes_value(value, s, e);
    if (str_is(key, "fallback.a") || str_is(key, "fallback.b"))
        s->fallback[key.p[key.n - 1] == 'b'] = value;
    else if (str_is(key, "match"))
        s->match = value;
    return TL_OK;
}

bool link_setting_known(str key)
{
    AUTO(text_free) char *name = str_dup(key);
    return config_key_find("link", name) != NULL;
}

int link_setting_apply(struct link_settings *s, str key, str value, struct err *e)
{
    AUTO(arena_done) struct arena scratch = {0};
    const char *name = arena_str(&scratch, key).p, *text = arena_str(&scratch, value).p;
    const struct config_key *known = config_key_find("link", name);
    if (!known)
        return unknown_key(name, e);
    const char *problem = config_problem(&scratch, known, text);
    if (problem) {
        err_set(e, E_USAGE, "%s = %s: %s", name, text, problem);
        err_hint(e, "`tieline config explain %s` says what it does", name);
        return E_USAGE;
    }
    bool is_yes = false;
    int64_t n = 0; /* of a word beside the numbers too: off */
    switch (known->type) {
    case CONFIG_CHOICE:
        choice_take(s, key, choice_number(known, text));
        return TL_OK;
    case CONFIG_BOOL:
        if (config_parse_bool(text, &is_yes) && str_is(key, "quiet"))
            s->quiet = is_yes;
        return TL_OK;
    case CONFIG_INT:
    case CONFIG_DURATION:
        (void)config_parse_number(known->type, text, &n);
        number_take(s, key, n);
        return TL_OK;
    default:
        return text_take(s, key, value, e);
    }
}

/* A deletion is sent only where the link writes, and where it is not undone again. */
const char *link_settings_misfit(const struct link_settings *s, struct err *e)
{
    if (!s->deletes[0] && !s->deletes[1])
        return NULL;
    if (s->restore_on == RESTORE_ON_READ) {
        err_set(e, E_USAGE, "a deletion cannot both be sent on and be undone: restore_on is read_or_update");
        err_hint(e, "set restore_on=update or never, or delete=keep");
        return "delete";
    }
    for (int to = 0; to < 2; to++) {
        if (!s->deletes[to] || s->deletes[1 - to] || link_allows(s->direction, to))
            continue;
        err_set(e, E_USAGE, "delete = %s: the link does not write to side %c", to ? "a2b" : "b2a", "ab"[to]);
        err_hint(e, "its direction says so; delete=keep, or the other way");
        return "delete";
    }
    return NULL;
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

/* Without them no value of a row could be judged, and they lie where the description was read. */
static void columns_copy(tl_field *out, const tl_field *f, struct arena *arena)
{
    tl_field *columns = arena_array(arena, tl_field, f->n_columns);
    for (uint32_t i = 0; i < f->n_columns; i++)
        columns[i] = field_bare(TL_AT(tl_field, f->columns, f->column_stride, i), arena);
    out->columns = f->n_columns ? columns : NULL;
    out->column_stride = sizeof *columns;
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
    columns_copy(&out, f, arena);
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

/* With a name that one side does not know nothing would match, and every record would get a second counterpart. */
static void check_match(struct check *c, const tl_kind *kinds[2], const struct link_settings *settings)
{
    if (match_lookup_kind(settings->match) == 0)
        return;
    for (int s = 0; s < 2; s++)
        if (!field_by_name(kinds[s], settings->match))
            found(c, TL_ERROR, "MATCH_UNKNOWN",
                  "match = %.*s: side %c has no such field, so no record would find its counterpart",
                  STR_FMT(settings->match), "ab"[s]);
}

size_t map_check(const struct map_row *rows, size_t n, const tl_kind *a, const tl_kind *b,
                 const struct link_settings *settings, str linked, struct arena *arena, struct map_finding **out)
{
    struct check c = {.arena = arena, .cap = n * 6 + 2 * a->n_fields + b->n_fields + 6};
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
    check_match(&c, kinds, settings);
    if (n == 0 && key_is_enough(a, b, settings))
        found(&c, TL_INFO, "KEY_ALONE", "no field is carried: the link tells who is who, for the references of others");
    else if (n == 0)
        found(&c, TL_ERROR, "MAP_ERROR", "no field is mapped");
    *out = c.found;
    return c.n;
}
