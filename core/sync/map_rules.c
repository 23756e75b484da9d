#include "map_rules.h"

struct findings {
    struct arena *a;
    struct transform_error *errors;
    bool *of_back;
    size_t n, cap;
};

static void add(struct findings *f, const struct transform_error *e, bool of_back)
{
    if (f->n == f->cap)
        return;
    f->errors[f->n] = *e;
    f->of_back[f->n++] = of_back;
}

static const struct transform *chain_read(str text, bool of_back, struct findings *f)
{
    struct transform_error *errors = NULL;
    size_t n = 0;
    const struct transform *t = transform_parse(text, f->a, &errors, &n);
    for (size_t i = 0; i < n; i++)
        add(f, &errors[i], of_back);
    return t;
}

/* The chain that leads the other way, from the one that is written. */
static const struct transform *chain_turned(const struct transform *t, bool of_back, bool both, struct findings *f)
{
    str function = {0}, why = {0};
    const struct transform *back = transform_inverse(t, f->a, &function, &why);
    if (back)
        return back;
    struct transform_error e = {
        .level = TL_ERROR,
        .code = "MAP_ERROR",
        .function = function,
        .text = str_of(arena_fmt(f->a, "%.*s has no way back: %.*s", STR_FMT(function), STR_FMT(why))),
        .hint = both ? of_back ? STR("give --transform for the way there, or --direction b2a")
                               : STR("give --back for the way back, or --direction a2b")
                     : STR("a row that goes one way only takes the chain of that way: --transform from A to B, --back "
                           "from B to A")};
    add(f, &e, of_back);
    return NULL;
}

bool map_chains_read(const struct map_row *row, enum link_direction link, struct arena *a, struct map_chains *out,
                     struct transform_error **errors, bool **of_back, size_t *n)
{
    enum link_direction own = row->dir == MAP_A2B ? LINK_A2B : row->dir == MAP_B2A ? LINK_B2A : LINK_BOTH;
    struct findings f = {.a = a, .cap = 40};
    f.errors = arena_array(a, struct transform_error, f.cap);
    f.of_back = arena_array(a, bool, f.cap);
    *out = (struct map_chains){.transformed = row->transform.n || row->back.n};
    const struct transform *written[2] = {row->back.n ? chain_read(row->back, true, &f) : NULL,
                                          row->transform.n ? chain_read(row->transform, false, &f) : NULL};
    for (int s = 0; s < 2; s++)
        out->carries[s] = link_allows(link, s) && link_allows(own, s);
    bool both = out->carries[0] && out->carries[1];
    for (int s = 0; s < 2; s++)
        out->to[s] = out->carries[s] ? written[s] : NULL;
    for (int s = 0; s < 2 && out->transformed && f.n == 0; s++) {
        if (!out->carries[s] || out->to[s])
            continue;
        out->derived = true;
        if (transform_lookup(written[1 - s]).n)
            out->to[s] = written[1 - s];
        else
            out->to[s] = chain_turned(written[1 - s], 1 - s == 0, both, &f);
        out->one_way_only = out->to[s] == NULL;
        out->carries[s] = out->to[s] != NULL;
    }
    for (int s = 0; s < 2 && both && out->to[s]; s++) {
        const str *fields = NULL;
        if (transform_fields(out->to[s], &fields) == 0)
            continue;
        struct transform_error e = {.level = TL_ERROR,
                                    .code = "MAP_ERROR",
                                    .text = STR("a row that reads several fields goes one way only"),
                                    .hint = s ? STR("add --direction a2b") : STR("add --direction b2a")};
        add(&f, &e, s == 0);
    }
    *errors = f.errors;
    *of_back = f.of_back;
    *n = f.n;
    return f.n == 0;
}

static bool holds_id(uint32_t type)
{
    return type == TL_REF || (type >= TL_TEXT && type <= TL_CHOICE);
}

static bool more_fields(struct rule_field *f, const tl_kind *const kinds[2], int s, struct arena *a)
{
    const str *paths = NULL;
    f->n_more = (uint32_t)transform_fields(f->to[s], &paths);
    f->more_side = 1 - s;
    for (uint32_t k = 0; k < f->n_more; k++) {
        const tl_field *more = field_by_name(kinds[1 - s], paths[k]);
        if (!more)
            return false;
        f->more[k] = field_copy(more, a);
    }
    return true;
}

bool rule_transform(const struct map_row *row, enum link_direction link, const tl_kind *const kinds[2], struct arena *a,
                    struct rule_field *f, str *lookup)
{
    struct map_chains c;
    struct transform_error *errors = NULL;
    bool *of_back = NULL;
    size_t n = 0;
    *lookup = (str){0};
    f->unless_blank = row->unless_blank;
    map_chains_read(row, link, a, &c, &errors, &of_back, &n);
    if (!c.transformed)
        return true;
    if (!c.to[0] && !c.to[1])
        return false;
    const struct transform *any = c.to[1] ? c.to[1] : c.to[0];
    *lookup = transform_lookup(any);
    if (lookup->n)
        return holds_id(f->side[0].type) && holds_id(f->side[1].type);
    f->transformed = true;
    for (int s = 0; s < 2; s++) {
        f->carries[s] = c.carries[s];
        f->to[s] = c.to[s];
        f->own[s] = canon_of(&f->side[s], &f->side[s], kinds[0]->resolution_ms, kinds[1]->resolution_ms);
    }
    if (f->carries[0] != f->carries[1])
        f->direction = f->carries[1] ? LINK_A2B : LINK_B2A;
    for (int s = 0; s < 2; s++)
        if (f->to[s] && !f->n_more && !more_fields(f, kinds, s, a))
            return false;
    if (f->n_more)
        f->own[f->more_side] = (struct canon){.kind = CANON_EXACT, .scale = UINT32_MAX, .resolution_us = 1};
    return true;
}
