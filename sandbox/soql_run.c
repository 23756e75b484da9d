/* Queries bound to the schema, the choice of the way to the rows, and the order of the result. */
#include <stdlib.h>

#include "soql_int.h"

enum { CHILD_DEPTH_MAX = 1, FIELDS_LIMIT_MAX = 200 };

/* ---- binding ---- */

static const struct {
    const char *parent, *child, *field, *list;
} CHILD_LISTS[] = {
    {"Account", "Contact", "AccountId", "Contacts"},
    {"Account", "Opportunity", "AccountId", "Opportunities"},
    {"Account", "Account", "ParentId", "ChildAccounts"},
    {"Contact", "Opportunity", "ContactId", "Opportunities"},
    {"Contact", "OpportunityContactRole", "ContactId", "OpportunityContactRoles"},
    {"Opportunity", "OpportunityContactRole", "OpportunityId", "OpportunityContactRoles"},
    {NULL, "Task", "WhoId", "Tasks"},
    {NULL, "Task", "WhatId", "Tasks"},
    {NULL, "Event", "WhoId", "Events"},
    {NULL, "Event", "WhatId", "Events"},
    {NULL, "Note", "ParentId", "Notes"},
    {NULL, "ContentDocumentLink", "LinkedEntityId", "ContentDocumentLinks"},
};

const char *sf_child_list(const struct sf_object *parent, const struct sf_object *child, const struct sf_field *field)
{
    if (!sf_field_refers(field, parent->name))
        return NULL;
    for (size_t i = 0; i < ARRAY_LEN(CHILD_LISTS); i++)
        if ((!CHILD_LISTS[i].parent || strcmp(CHILD_LISTS[i].parent, parent->name) == 0) &&
            strcmp(CHILD_LISTS[i].child, child->name) == 0 && strcmp(CHILD_LISTS[i].field, field->name) == 0)
            return CHILD_LISTS[i].list;
    return NULL;
}

static struct soql_plan *bind_on(struct arena *a, const struct soql_query *q, const struct sf_object *o,
                                 const struct soql_world *w, int depth, struct soql_error *e);

static int bind_children(struct arena *a, const struct soql_item *item, const struct sf_object *o,
                         const struct soql_world *w, int depth, struct soql_column *out, struct soql_error *e)
{
    struct sf_schema *schema = w->store->schema;
    const struct soql_query *q = item->inner;
    for (size_t i = 0; i < schema->n && depth < CHILD_DEPTH_MAX; i++)
        for (size_t f = 0; f < schema->objects[i].n; f++) {
            const struct sf_field *field = &schema->objects[i].fields[f];
            const char *list = sf_child_list(o, &schema->objects[i], field);
            if (!list || schema->objects[i].hidden || !str_eq_nocase(str_of(list), q->from))
                continue;
            *out = (struct soql_column){.child_name = list, .child_field = field};
            out->children = bind_on(a, q, &schema->objects[i], w, depth + 1, e);
            return out->children ? 0 : 1;
        }
    soql_fail_at(
        e, "INVALID_TYPE", q->text, q->from_at,
        "Didn't understand relationship '%.*s' in FROM part of query call. If you are attempting to use a "
        "custom relationship, be sure to append the '__r' after the custom relationship name. Please reference "
        "your WSDL or the describe call for the appropriate names.",
        STR_FMT(q->from));
    return 1;
}

static bool same_path(const struct soql_path *a, const struct soql_path *b)
{
    return a->hops == b->hops && a->field == b->field && memcmp(a->hop, b->hop, sizeof a->hop) == 0;
}

static int add_column(struct soql_plan *p, const struct soql_item *item, const struct soql_column *c,
                      struct soql_error *e)
{
    for (size_t i = 0; i < p->column_n; i++)
        if (!c->children && !p->columns[i].children && same_path(&p->columns[i].path, &c->path)) {
            str name = item->name.part[item->name.n - 1];
            soql_fail(e, "INVALID_FIELD", "duplicate field selected: %.*s", STR_FMT(name));
            return 1;
        }
    p->columns[p->column_n++] = *c;
    return 0;
}

static int add_field_group(struct soql_plan *p, const struct soql_query *q, const struct soql_item *item,
                           struct soql_error *e)
{
    str group = item->name.part[0];
    bool standard = str_eq_nocase(group, STR("STANDARD")), custom = str_eq_nocase(group, STR("CUSTOM"));
    bool all = str_eq_nocase(group, STR("ALL"));
    if (!standard && !custom && !all) {
        soql_fail_at(e, "MALFORMED_QUERY", q->text, item->name.at, "unexpected token: '%.*s'", STR_FMT(group));
        return 1;
    }
    if (!standard && (q->limit < 0 || q->limit > FIELDS_LIMIT_MAX)) {
        soql_fail(e, "MALFORMED_QUERY",
                  "The SOQL FIELDS function must have a LIMIT of at most %d when used with ALL or CUSTOM",
                  FIELDS_LIMIT_MAX);
        return 1;
    }
    for (size_t i = 0; i < p->object->n; i++) {
        const struct sf_field *f = &p->object->fields[i];
        bool is_custom = (f->flags & F_CUSTOM) != 0;
        if ((f->flags & F_HIDDEN) || (is_custom ? standard : custom))
            continue;
        struct soql_column c = {.path = {.field = f}};
        struct soql_item one = {.name = {.n = 1, .part = {str_of(f->name)}}};
        if (add_column(p, &one, &c, e))
            return 1;
    }
    return 0;
}

static int bind_columns(struct arena *a, struct soql_plan *p, const struct soql_query *q, const struct soql_world *w,
                        int depth, struct soql_error *e)
{
    size_t count = 0;
    for (const struct soql_item *item = q->items; item; item = item->next)
        count += item->kind == ITEM_FIELDS ? p->object->n : 1;
    p->columns = arena_array(a, struct soql_column, count);
    for (const struct soql_item *item = q->items; item; item = item->next) {
        struct soql_column c = {0};
        int rc = 0;
        if (item->kind == ITEM_COUNT_ALL) {
            p->count = true;
            if (item != q->items || item->next) {
                soql_fail_at(e, "MALFORMED_QUERY", q->text, item->name.at,
                             "COUNT() must be the only element in the "
                             "SELECT list");
                return 1;
            }
            continue;
        }
        if (item->kind == ITEM_FIELDS)
            rc = add_field_group(p, q, item, e);
        else if (item->kind == ITEM_CHILDREN)
            rc = bind_children(a, item, p->object, w, depth, &c, e) || add_column(p, item, &c, e);
        else
            rc = soql_path_bind(w->store->schema, p->object, &item->name, q->alias, q->text, &c.path, e) ||
                 add_column(p, item, &c, e);
        if (rc)
            return 1;
    }
    return 0;
}

static int bind_order(struct arena *a, struct soql_plan *p, const struct soql_query *q, const struct soql_world *w,
                      struct soql_error *e)
{
    size_t count = 0;
    for (const struct soql_order *o = q->order; o; o = o->next)
        count++;
    p->order = arena_array(a, struct soql_sort, count);
    for (const struct soql_order *o = q->order; o; o = o->next) {
        struct soql_sort *to = &p->order[p->order_n++];
        *to = (struct soql_sort){.descending = o->descending, .nulls_last = o->nulls_last};
        if (soql_path_bind(w->store->schema, p->object, &o->name, q->alias, q->text, &to->path, e))
            return 1;
        if (sf_is_long_text(to->path.field) || to->path.field->type == SF_ADDRESS) {
            soql_fail_at(e, "INVALID_FIELD", q->text, o->name.at, "field '%s' can not be sorted in a query call",
                         to->path.field->name);
            return 1;
        }
    }
    return 0;
}

/* Is a link asked for by one of its ends (or its id)? Object Reference, ContentDocumentLink, "Usage". */
static bool names_its_ends(const struct soql_test *t)
{
    static const char *const ends[] = {"Id", "ContentDocumentId", "LinkedEntityId"};
    for (const struct soql_test *child = t->node == NODE_AND ? t->first : NULL; child; child = child->next)
        if (names_its_ends(child))
            return true;
    for (size_t i = 0; i < ARRAY_LEN(ends) && t->node == NODE_TEST && !t->path.hops; i++)
        if ((t->op == OP_EQ || t->op == OP_IN) && strcmp(t->path.field->name, ends[i]) == 0)
            return true;
    return false;
}

static struct soql_plan *bind_on(struct arena *a, const struct soql_query *q, const struct sf_object *o,
                                 const struct soql_world *w, int depth, struct soql_error *e)
{
    struct soql_plan *p = arena_new(a, struct soql_plan);
    *p = (struct soql_plan){.object = o, .limit = q->limit, .offset = q->offset < 0 ? 0 : q->offset};
    if (p->offset > SOQL_OFFSET_MAX) {
        soql_fail_at(e, "NUMBER_OUTSIDE_VALID_RANGE", q->text, (uint32_t)q->text.n - 1,
                     "Maximum SOQL offset allowed is %d", SOQL_OFFSET_MAX);
        return NULL;
    }
    if (bind_columns(a, p, q, w, depth, e) || bind_order(a, p, q, w, e))
        return NULL;
    if (q->where && soql_joins_check(q->where, e))
        return NULL;
    if (q->where && !(p->where = soql_where_bind(a, q, q->where, o, w, e)))
        return NULL;
    if (depth == 0 && strcmp(o->name, "ContentDocumentLink") == 0 && !(p->where && names_its_ends(p->where))) {
        soql_fail(e, "MALFORMED_QUERY",
                  "Implementation restriction: ContentDocumentLink requires a filter by a single Id on "
                  "ContentDocumentId or LinkedEntityId using the equals operator or multiple Id's using the IN "
                  "operator.");
        return NULL;
    }
    return p;
}

struct soql_plan *soql_bind(struct arena *a, const struct soql_query *q, const struct soql_world *w,
                            struct soql_error *e)
{
    const struct sf_object *o = sf_schema_seen(w->store->schema, q->from);
    if (!o || !(o->flags & O_QUERY)) {
        soql_fail_at(e, "INVALID_TYPE", q->text, q->from_at,
                     "sObject type '%.*s' is not supported. If you are attempting to use a custom object, be sure to "
                     "append the '__c' after the entity name. Please reference your WSDL or the describe call for the "
                     "appropriate names.",
                     STR_FMT(q->from));
        return NULL;
    }
    return bind_on(a, q, o, w, 0, e);
}

/* ---- bounds: what the condition says about SystemModstamp and Id, for the choice of the way ---- */

struct bounds {
    int64_t stamp_lo, stamp_hi; /* [lo, hi) */
    int64_t id_lo, id_hi;       /* record numbers, [lo, hi) */
};
static const struct bounds ANY = {INT64_MIN, INT64_MAX, 0, INT64_MAX};

static void narrow(enum soql_op op, int64_t value_lo, int64_t value_hi, int64_t *lo, int64_t *hi)
{
    if (op == OP_EQ || op == OP_GE)
        *lo = value_lo;
    if (op == OP_GT)
        *lo = value_hi;
    if (op == OP_EQ || op == OP_LE)
        *hi = value_hi;
    if (op == OP_LT)
        *hi = value_lo;
}

static struct bounds bounds_of_test(const struct soql_test *t, const struct sf_object *o)
{
    struct bounds b = ANY;
    if (t->path.hops || t->has_null || t->n != 1)
        return b;
    const struct soql_value *v = &t->values[0];
    uint32_t number = 0;
    if (t->path.field->source == SRC_STAMP)
        narrow(t->op, v->lo, v->hi, &b.stamp_lo, &b.stamp_hi);
    else if (t->path.field->source == SRC_ID && v->text.n >= 3 && memcmp(v->text.p, o->prefix, 3) == 0 &&
             sf_id_parse(v->text, &number))
        narrow(t->op, number, (int64_t)number + 1, &b.id_lo, &b.id_hi);
    return b;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}
static int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static struct bounds bounds_of(const struct soql_test *t, const struct sf_object *o)
{
    if (t->node == NODE_TEST)
        return bounds_of_test(t, o);
    if (t->node == NODE_NOT)
        return ANY;
    struct bounds all = bounds_of(t->first, o);
    for (const struct soql_test *child = t->first->next; child; child = child->next) {
        struct bounds b = bounds_of(child, o);
        bool both = t->node == NODE_AND;
        all.stamp_lo = both ? most(all.stamp_lo, b.stamp_lo) : least(all.stamp_lo, b.stamp_lo);
        all.stamp_hi = both ? least(all.stamp_hi, b.stamp_hi) : most(all.stamp_hi, b.stamp_hi);
        all.id_lo = both ? most(all.id_lo, b.id_lo) : least(all.id_lo, b.id_lo);
        all.id_hi = both ? least(all.id_hi, b.id_hi) : most(all.id_hi, b.id_hi);
    }
    return all;
}

/* ---- gathering ---- */

struct gather {
    const struct soql_plan *plan;
    const struct soql_world *world;
    struct sf_row **rows;
    size_t n, cap;
    size_t enough; /* stop here; SIZE_MAX: take all */
};

static bool is_shown(const struct soql_world *w, const struct sf_object *o, const struct sf_row *row)
{
    if (w->all_rows)
        return true;
    if (row->deleted)
        return false;
    const struct sf_field *archived = sf_object_field(o, STR("IsArchived"));
    return !archived || !sf_row_val(row, archived);
}

bool soql_matches(const struct soql_plan *p, const struct soql_world *w, struct sf_row *row)
{
    return is_shown(w, p->object, row) && (!p->where || soql_test_row(p->where, w->store, row));
}

static void offer(struct gather *g, struct sf_row *row)
{
    if (g->n >= g->enough || !row || !soql_matches(g->plan, g->world, row))
        return;
    if (g->n == g->cap) {
        g->cap = g->cap ? g->cap * 2 : 256;
        struct sf_row **grown = realloc(g->rows, g->cap * sizeof g->rows[0]);
        ASSERT(grown);
        g->rows = grown;
    }
    g->rows[g->n++] = sf_row_keep(row);
}

static void offer_record(void *arg, struct sf_record *r)
{
    offer(arg, r->now);
}

static int by_row(const void *a, const void *b)
{
    const struct sf_row *x = *(struct sf_row *const *)a, *y = *(struct sf_row *const *)b;
    return x->record->number < y->record->number ? -1 : x->record->number > y->record->number;
}

/* Two texts of an IN may lead to one record. */
static void drop_repeats(struct gather *g)
{
    if (g->n > 1)
        qsort(g->rows, g->n, sizeof g->rows[0], by_row);
    size_t kept = 0;
    for (size_t i = 0; i < g->n; i++) {
        if (kept && g->rows[kept - 1] == g->rows[i])
            sf_row_drop(g->rows[i]);
        else
            g->rows[kept++] = g->rows[i];
    }
    g->n = kept;
}

static bool by_texts(struct gather *g, const struct soql_test *t)
{
    struct sf_table *table = sf_store_table(g->world->store, g->plan->object);
    if (t->node == NODE_AND) {
        for (const struct soql_test *child = t->first; child; child = child->next)
            if (by_texts(g, child))
                return true;
        return false;
    }
    if (t->node != NODE_TEST || t->path.hops || t->has_null || (t->op != OP_EQ && t->op != OP_IN))
        return false;
    struct sf_index *x = sf_table_index(table, t->path.field);
    if (!x && t->path.field->source != SRC_ID)
        return false;
    for (size_t i = 0; i < t->n; i++) {
        if (x) {
            sf_index_each(table, x, t->values[i].text, offer_record, g);
            continue;
        }
        struct sf_record *r = sf_find_in(g->world->store, g->plan->object, t->values[i].text);
        if (r)
            offer(g, r->now);
    }
    drop_repeats(g);
    return true;
}

static void by_stamp(struct gather *g, int64_t lo, int64_t hi)
{
    struct sf_table *t = sf_store_table(g->world->store, g->plan->object);
    size_t n = 0;
    const struct sf_stamp *log = sf_log_range(t, lo, hi, &n);
    for (size_t i = 0; i < n && g->n < g->enough; i++) {
        struct sf_row *row = t->records[log[i].number]->now;
        if (row && row->stamp_us == log[i].stamp_us)
            offer(g, row);
    }
}

static void by_number(struct gather *g, int64_t lo, int64_t hi, bool backwards)
{
    const struct sf_table *t = sf_store_table(g->world->store, g->plan->object);
    hi = least(hi, t->n);
    for (int64_t i = lo; i < hi && g->n < g->enough; i++)
        offer(g, t->records[backwards ? lo + hi - 1 - i : i]->now);
}

static bool sorted_by(const struct soql_plan *p, size_t at, enum sf_source source)
{
    return at < p->order_n && p->order[at].path.hops == 0 && p->order[at].path.field->source == source &&
           !p->order[at].descending;
}

/* Returns true when the rows are in the order asked for already. */
static bool gather_rows(struct gather *g)
{
    const struct soql_plan *p = g->plan;
    struct bounds b = p->where ? bounds_of(p->where, p->object) : ANY;
    size_t enough = p->limit < 0 ? SIZE_MAX : (size_t)(p->limit + p->offset);
    bool by_id_order = p->order_n == 1 && sorted_by(p, 0, SRC_ID);
    bool by_stamp_order =
        sorted_by(p, 0, SRC_STAMP) && (p->order_n == 1 || (p->order_n == 2 && sorted_by(p, 1, SRC_ID)));
    if (p->where && by_texts(g, p->where))
        return by_id_order;
    if (by_stamp_order || (!by_id_order && (b.stamp_lo != ANY.stamp_lo || b.stamp_hi != ANY.stamp_hi))) {
        g->enough = by_stamp_order || p->order_n == 0 ? enough : SIZE_MAX;
        by_stamp(g, b.stamp_lo, b.stamp_hi);
        return by_stamp_order;
    }
    g->enough = by_id_order || p->order_n == 0 ? enough : SIZE_MAX;
    by_number(g, b.id_lo, b.id_hi, p->order_n == 0 && g->world->reverse);
    return by_id_order;
}

/* ---- order ---- */

struct sort_context {
    const struct soql_plan *plan;
    struct sf_store *store;
};

static int compare_cells(const struct sf_field *f, const struct sf_cell *a, const struct sf_cell *b)
{
    if (a->kind == CELL_TEXT)
        return soql_compare_text(f, a->text, b->text);
    if (a->kind == CELL_NUMBER)
        return a->d < b->d ? -1 : a->d > b->d;
    return a->i < b->i ? -1 : a->i > b->i;
}

static int compare_rows(const void *a, const void *b, void *arg)
{
    const struct sort_context *ctx = arg;
    struct sf_row *const *x = a, *const *y = b;
    for (size_t i = 0; i < ctx->plan->order_n; i++) {
        const struct soql_sort *o = &ctx->plan->order[i];
        struct sf_scratch sx, sy;
        struct sf_cell cx, cy;
        soql_cell(ctx->store, &o->path, *x, &sx, &cx);
        soql_cell(ctx->store, &o->path, *y, &sy, &cy);
        if (cx.kind == CELL_NULL || cy.kind == CELL_NULL) {
            if (cx.kind == cy.kind)
                continue;
            return (cx.kind == CELL_NULL) == !o->nulls_last ? -1 : 1;
        }
        int order = compare_cells(o->path.field, &cx, &cy);
        if (order)
            return o->descending ? -order : order;
    }
    return 0;
}

void soql_run(const struct soql_plan *p, const struct soql_world *w, struct soql_result *out)
{
    struct gather g = {.plan = p, .world = w, .enough = SIZE_MAX};
    bool in_order = gather_rows(&g);
    if (!in_order && p->order_n && g.n > 1) {
        struct sort_context ctx = {p, w->store};
        qsort_r(g.rows, g.n, sizeof g.rows[0], compare_rows, &ctx);
    }
    size_t from = (size_t)least(p->offset, (int64_t)g.n);
    size_t to = p->limit < 0 ? g.n : (size_t)least((int64_t)g.n, (int64_t)from + p->limit);
    for (size_t i = 0; i < g.n; i++)
        if (i < from || i >= to)
            sf_row_drop(g.rows[i]);
    if (from && to > from)
        memmove(g.rows, g.rows + from, (to - from) * sizeof g.rows[0]);
    *out = (struct soql_result){.rows = g.rows, .n = to - from, .total = (int64_t)(to - from)};
}

void soql_run_children(const struct soql_plan *p, const struct soql_world *w, const struct sf_field *field, str parent,
                       struct soql_result *out)
{
    struct soql_value id = {.kind = CELL_TEXT, .text = parent};
    struct soql_test is_child = {.node = NODE_TEST, .path = {.field = field}, .op = OP_EQ, .values = &id, .n = 1};
    struct soql_test both = {.node = NODE_AND, .first = &is_child};
    struct soql_plan narrowed = *p;
    is_child.next = p->where;
    narrowed.where = p->where ? &both : &is_child;
    soql_run(&narrowed, w, out);
}

void soql_result_done(struct soql_result *r)
{
    for (size_t i = 0; i < r->n; i++)
        sf_row_drop(r->rows[i]);
    free(r->rows);
    *r = (struct soql_result){0};
}
