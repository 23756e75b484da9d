#include "map_edit.h"

static const char *const directions[] = {"both", "a2b", "b2a", "off"};

const char *map_direction_name(int32_t dir)
{
    return directions[dir & 3];
}

static const tl_field *field_named(const tl_kind *k, const char *name, int side, struct err *e)
{
    const tl_field *f = field_by_name(k, str_of(name));
    if (f)
        return f;
    const char *paths[512];
    size_t n = 0;
    AUTO(arena_done) struct arena a = {0};
    for (uint32_t i = 0; i < k->n_fields && n < ARRAY_LEN(paths); i++)
        paths[n++] = arena_str(&a, TL_AT(tl_field, k->fields, k->field_stride, i)->path).p;
    const char *near = text_nearest(name, paths, n);
    err_set(e, TL_E_NOT_FOUND, "side %c has no field \"%s\"", "ab"[side], name);
    if (near)
        err_hint(e, "did you mean \"%s\"?", near);
    return NULL;
}

static int word_of(const char *what, const char *word, const char *const *words, int n, const char *hint, struct err *e)
{
    for (int i = 0; i < n; i++)
        if (strcmp(word, words[i]) == 0)
            return i;
    err_set(e, E_USAGE, "\"%s\" is no %s", word, what);
    err_hint(e, "%s", hint);
    return -1;
}

size_t map_row_findings(const struct map_row *row, const tl_kind *const kinds[2], enum link_direction link,
                        struct arena *a, struct transform_error **errors, bool **of_back)
{
    enum { FINDINGS_MAX = 160 };
    struct map_chains c;
    struct transform_error *wrong = NULL;
    bool *wrong_back = NULL;
    size_t n = 0;
    const tl_field *f[2] = {field_by_name(kinds[0], row->a_path), field_by_name(kinds[1], row->b_path)};
    struct transform_error *all = arena_array(a, struct transform_error, FINDINGS_MAX);
    bool *back = arena_array(a, bool, FINDINGS_MAX);
    *errors = all;
    *of_back = back;
    map_chains_read(row, link, a, &c, &wrong, &wrong_back, &n);
    for (size_t i = 0; i < n; i++) {
        all[i] = wrong[i];
        back[i] = wrong_back[i];
    }
    for (int s = 1; s >= 0 && f[0] && f[1]; s--) {
        struct transform_error *more = NULL;
        size_t k = c.to[s] ? transform_check(c.to[s], f[1 - s], f[s], kinds[1 - s], a, &more) : 0;
        for (size_t i = 0; i < k && n < FINDINGS_MAX; i++) {
            all[n] = more[i];
            if (s == 0 && row->back.n == 0)
                all[n].column = 0; /* of the inverse: nobody wrote it */
            back[n++] = s == 0;
        }
    }
    return n;
}

/* All mistakes in one sentence, the first one's way out as the hint. */
static int chains_check(const struct map_row *row, const tl_kind *const kinds[2], enum link_direction link,
                        struct err *e)
{
    AUTO(arena_done) struct arena a = {0};
    AUTO(buf_done) struct buf text = {0};
    struct transform_error *errors = NULL;
    bool *of_back = NULL;
    const struct transform_error *first = NULL;
    size_t n = map_row_findings(row, kinds, link, &a, &errors, &of_back);
    for (size_t i = 0; i < n; i++) {
        if (errors[i].level < TL_ERROR)
            continue;
        first = first ? first : &errors[i];
        buf_fmt(&text, "%s%s", text.n ? "; " : "", of_back[i] ? "back" : "transform");
        if (errors[i].column)
            buf_fmt(&text, ", column %u", errors[i].column);
        buf_fmt(&text, ": %.*s", STR_FMT(errors[i].text));
    }
    if (!first)
        return TL_OK;
    err_set(e, E_USAGE, "%s", buf_text(&text));
    err_code(e, first->code);
    if (first->hint.n)
        err_hint(e, "%.*s", STR_FMT(first->hint));
    return E_USAGE;
}

int map_row_make(const struct map_ask *ask, const tl_kind *const kinds[2], enum link_direction link, struct arena *a,
                 struct map_row *out, struct err *e)
{
    static const char *const policies[] = {"newest", "a", "b", "manual"}, *const bools[] = {"no", "yes"};
    const tl_field *fa = field_named(kinds[0], ask->a, 0, e), *fb = fa ? field_named(kinds[1], ask->b, 1, e) : NULL;
    if (!fb)
        return TL_E_NOT_FOUND;
    const tl_field *sides[2] = {fa, fb};
    for (int s = 0; s < 2; s++)
        if (kinds[s]->stamp_field.n && str_eq(sides[s]->name, kinds[s]->stamp_field)) {
            err_set(e, E_USAGE, "\"%.*s\" holds the mark by which a record is known again: it is not mapped",
                    STR_FMT(sides[s]->name));
            err_code(e, "STAMP_FIELD");
            return E_USAGE;
        }
    struct map_row row = {.a_path = arena_str(a, fa->path), .b_path = arena_str(a, fb->path), .dir = MAP_BOTH};
    if (ask->direction && *ask->direction) {
        row.dir = word_of("direction", ask->direction, directions, 4, "one of: both, a2b, b2a, off", e);
        if (row.dir < 0)
            return E_USAGE;
    }
    if (ask->policy && *ask->policy) {
        if (word_of("policy", ask->policy, policies, 4, "one of: newest, a, b, manual", e) < 0)
            return E_USAGE;
        row.policy = arena_str(a, str_of(ask->policy));
    }
    if (ask->unless_blank && *ask->unless_blank) {
        int v = word_of("value for unless_blank", ask->unless_blank, bools, 2, "one of: yes, no", e);
        if (v < 0)
            return E_USAGE;
        row.unless_blank = v == 1;
    }
    row.transform = arena_str(a, str_trim(str_of(ask->transform)));
    row.back = arena_str(a, str_trim(str_of(ask->back)));
    int rc = row.transform.n || row.back.n ? chains_check(&row, kinds, link, e) : TL_OK;
    if (rc == TL_OK)
        *out = row;
    return rc;
}
