/* What discover() told, kept to make shapes of. */
#include <stdio.h>

#include "stand.h"

/* ---- copies */

static const tl_choice *copy_choices(struct arena *a, const tl_field *f)
{
    tl_choice *own = arena_array(a, tl_choice, f->n_choices);
    for (uint32_t i = 0; i < f->n_choices; i++) {
        const tl_choice *choice = TL_AT(tl_choice, f->choices, f->choice_stride, i);
        own[i] = (tl_choice){arena_str(a, choice->value), arena_str(a, choice->label)};
    }
    return own;
}

static void copy_field(struct arena *a, tl_field *f, const tl_field *from)
{
    *f = *from;
    f->choices = copy_choices(a, from);
    f->choice_stride = sizeof *f->choices;
    f->path = arena_str(a, from->path);
    f->name = arena_str(a, from->name);
    f->label = arena_str(a, from->label);
    f->refers_to = arena_str(a, from->refers_to);
}

/* Columns hold none themselves. */
static tl_field *copy_fields(struct arena *a, const tl_field *from, uint32_t n, size_t stride)
{
    tl_field *fields = arena_array(a, tl_field, n);
    for (uint32_t i = 0; i < n; i++) {
        tl_field *f = &fields[i];
        copy_field(a, f, TL_AT(tl_field, from, stride, i));
        tl_field *columns = arena_array(a, tl_field, f->n_columns);
        for (uint32_t c = 0; c < f->n_columns; c++)
            copy_field(a, &columns[c], TL_AT(tl_field, f->columns, f->column_stride, c));
        f->columns = columns;
        f->column_stride = sizeof *columns;
    }
    return fields;
}

static tl_shape shape_of(str kind, const tl_field *fields, uint32_t n)
{
    return (tl_shape){
        .struct_size = sizeof(tl_shape), .n_fields = n, .field_stride = sizeof *fields, .kind = kind, .fields = fields};
}

/* ---- kinds */

static void learn_kind(struct stand *s, const tl_kind *told)
{
    struct arena *a = &s->arena;
    struct stand_kind *k = (struct stand_kind *)(uintptr_t)stand_kind(s, arena_str(a, told->kind).p);
    if (!k && s->n_kinds == STAND_KINDS_MAX)
        return;
    k = k ? k : &s->kinds[s->n_kinds++];
    tl_field *fields = copy_fields(a, told->fields, told->n_fields, told->field_stride);
    tl_field *wanted = arena_copy(a, fields, told->n_fields * sizeof *fields);
    uint32_t n = 0;
    for (uint32_t i = 0; i < told->n_fields; i++)
        if (!told->stamp_field.n || !str_eq(fields[i].name, told->stamp_field))
            wanted[n++] = fields[i];
    k->told = *told;
    k->told.kind = arena_str(a, told->kind);
    k->told.label = arena_str(a, told->label);
    k->told.name = arena_str(a, told->name);
    k->told.stamp_field = arena_str(a, told->stamp_field);
    k->told.about = arena_str(a, told->about);
    k->told.filters = arena_str(a, told->filters);
    k->told.fields = fields;
    k->told.field_stride = sizeof *fields;
    k->name = k->told.kind.p;
    k->shape = shape_of(k->told.kind, wanted, n);
}

const struct stand_kind *stand_kind(const struct stand *s, const char *name)
{
    for (uint32_t i = 0; i < s->n_kinds; i++)
        if (strcmp(s->kinds[i].name, name) == 0)
            return &s->kinds[i];
    return NULL;
}

/* ---- actions */

static void learn_action(struct stand *s, const tl_action *told)
{
    struct arena *a = &s->arena;
    str kind = arena_str(a, told->kind), name = arena_str(a, told->name);
    struct stand_action *x = (struct stand_action *)(uintptr_t)stand_action(s, kind.p, name.p);
    if (!x && s->n_actions == STAND_ACTIONS_MAX)
        return;
    x = x ? x : &s->actions[s->n_actions++];
    tl_field *params = copy_fields(a, told->params, told->n_params, told->param_stride);
    x->told = *told;
    x->told.kind = kind;
    x->told.name = name;
    x->told.label = arena_str(a, told->label);
    x->told.help = arena_str(a, told->help);
    x->told.params = params;
    x->told.param_stride = sizeof *params;
    x->name = name.p;
    x->shape = shape_of(kind, params, told->n_params);
}

const struct stand_action *stand_action(const struct stand *s, const char *kind, const char *name)
{
    for (uint32_t i = 0; i < s->n_actions; i++)
        if (str_is(s->actions[i].told.kind, kind) && strcmp(s->actions[i].name, name) == 0)
            return &s->actions[i];
    return NULL;
}

void stand_learn(struct stand *s, const struct reply *reply)
{
    AUTO(reply_reader_done) struct reply_reader reader = {0};
    reply_reader_init(&reader, reply);
    for (struct item x; reply_next(&reader, &x);) {
        if (x.kind == ITEM_KIND)
            learn_kind(s, &x.u.described);
        if (x.kind == ITEM_ACTION)
            learn_action(s, &x.u.action);
    }
}
