/* Conditions bound to the schema, and one row held against them. */
#include <stdlib.h>

#include "soql_int.h"
#include "times.h"

/* ---- names ---- */

static int unknown_column(const struct sf_object *o, const struct soql_name *name, str part, str query,
                          struct soql_error *e)
{
    soql_fail_at(e, "INVALID_FIELD", query, name->at,
                 "No such column '%.*s' on entity '%s'. If you are attempting to use a custom field, be sure to append "
                 "the '__c' after the custom field name. Please reference your WSDL or the describe call for the "
                 "appropriate names.",
                 STR_FMT(part), o->name);
    return 1;
}

static int unknown_relation(const struct soql_name *name, str part, str query, struct soql_error *e)
{
    soql_fail_at(e, "INVALID_FIELD", query, name->at,
                 "Didn't understand relationship '%.*s' in field path. If you are attempting to use a custom "
                 "relationship, be sure to append the '__r' after the custom relationship name. Please reference your "
                 "WSDL or the describe call for the appropriate names.",
                 STR_FMT(part));
    return 1;
}

/* Through a reference that may lead to several objects only the fields of the object Name are reached
 * (Object Reference: Name). */
static bool is_of_every_name(str field)
{
    static const char *const names[] = {"Id",       "Name",  "FirstName", "LastName", "Title",
                                        "Username", "Alias", "Email",     "Phone",    "IsActive"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_eq_nocase(field, str_of(names[i])))
            return true;
    return false;
}

int soql_path_bind(struct sf_schema *schema, const struct sf_object *o, const struct soql_name *name, str alias,
                   str query, struct soql_path *out, struct soql_error *e)
{
    static const struct sf_object any_name = {.name = "Name"};
    bool polymorphic = false;
    unsigned i = 0;
    *out = (struct soql_path){0};
    if (name->n > 1 &&
        ((alias.n && str_eq_nocase(name->part[0], alias)) || str_eq_nocase(name->part[0], str_of(o->name))) &&
        !(name->n > 1 && sf_object_relation(o, name->part[0])))
        i = 1;
    for (; i + 1 < name->n; i++) {
        struct sf_field *hop = sf_object_relation(o, name->part[i]);
        if (!hop || polymorphic)
            return unknown_relation(name, name->part[i], query, e);
        str refs = str_of(hop->refs), first = refs;
        (void)str_split(&refs, ',', &first); /* of a polymorphic reference the first object describes the fields */
        o = sf_schema_object(schema, first);
        if (!o)
            o = sf_schema_object(schema, STR("User")); /* OwnerId refers to Group and User; groups are not offered */
        polymorphic = sf_is_polymorphic(hop);
        if (o->hidden && !polymorphic)
            return unknown_relation(name, name->part[i], query, e);
        out->hop[out->hops++] = hop;
    }
    if (polymorphic && !is_of_every_name(name->part[i]))
        return unknown_column(&any_name, name, name->part[i], query, e);
    out->field = sf_object_visible(o, name->part[i]);
    return out->field ? 0 : unknown_column(o, name, name->part[i], query, e);
}

const struct sf_field *soql_field_of(const struct soql_path *path, const struct sf_row *end)
{
    const struct sf_object *o = end->record->object;
    bool owns = path->field >= o->fields && path->field < o->fields + o->n;
    return owns ? path->field : sf_object_visible(o, str_of(path->field->name));
}

void soql_cell(struct sf_store *s, const struct soql_path *path, const struct sf_row *row, struct sf_scratch *scratch,
               struct sf_cell *out)
{
    const struct sf_row *end = path->hops ? soql_follow(s, path, row) : row;
    const struct sf_field *f = end ? soql_field_of(path, end) : NULL;
    *out = (struct sf_cell){0};
    if (f)
        sf_cell(s, end, f, scratch, out);
}

const struct sf_row *soql_follow(struct sf_store *s, const struct soql_path *path, const struct sf_row *row)
{
    struct sf_scratch scratch;
    struct sf_cell cell;
    for (unsigned i = 0; row && i < path->hops; i++) {
        sf_cell(s, row, path->hop[i], &scratch, &cell);
        struct sf_record *r = cell.kind == CELL_TEXT ? sf_find(s, cell.text) : NULL;
        row = r ? r->now : NULL;
    }
    return row;
}

/* ---- values ---- */

static int wrong_quotes(const struct soql_query *q, const struct soql_where *w, const struct sf_field *f,
                        struct soql_error *e)
{
    const char *type = f->type == SF_DATETIME ? "dateTime" : sf_type_name(f->type);
    bool text = sf_is_text(f->type) || f->type == SF_ID || f->type == SF_REFERENCE;
    soql_fail_at(e, "INVALID_FIELD", q->text, w->op_at,
                 "value of filter criterion for field '%s' must be of type %s and should %sbe enclosed in quotes",
                 f->name, f->type == SF_REFERENCE ? "id" : type, text ? "" : "not ");
    return 1;
}

static bool bind_moment(const struct soql_literal *v, const struct sf_field *f, int64_t now_us, struct soql_value *out)
{
    int64_t unit = f->type == SF_DATETIME ? US_PER_DAY : 1;
    if (v->kind == LIT_NAMED) {
        int64_t today = now_us / US_PER_DAY;
        if (!soql_date_range(v->text, v->i, today, &out->lo, &out->hi))
            return false;
        out->lo *= unit;
        out->hi *= unit;
        return true;
    }
    if (v->kind != (f->type == SF_DATETIME ? LIT_TIME : LIT_DATE))
        return false;
    out->lo = v->i;
    out->hi = v->i + 1;
    return true;
}

static bool bind_value(const struct soql_literal *v, const struct sf_field *f, int64_t now_us, struct soql_value *out)
{
    if (f->type == SF_BOOLEAN) {
        out->kind = CELL_BOOL;
        out->lo = v->i;
        return v->kind == LIT_BOOL;
    }
    if (sf_is_number(f->type)) {
        out->kind = CELL_NUMBER;
        out->lo_d = v->number;
        return v->kind == LIT_NUMBER;
    }
    if (f->type == SF_DATE || f->type == SF_DATETIME) {
        out->kind = f->type == SF_DATE ? CELL_DATE : CELL_TIME;
        return bind_moment(v, f, now_us, out);
    }
    out->kind = CELL_TEXT;
    out->text = v->text;
    out->escaped = v->escaped;
    return v->kind == LIT_STRING;
}

/* Ids compare as their 18 characters; text that is no id is refused. */
static int bind_id(struct arena *a, const struct soql_where *w, struct soql_value *v, struct soql_error *e)
{
    if (w->op == OP_LIKE || w->op >= OP_INCLUDES) {
        soql_fail(e, "INVALID_QUERY_FILTER_OPERATOR", "invalid operator on id field");
        return 1;
    }
    if (v->text.n == 0)
        return 0;
    if (!sf_id_valid(v->text)) {
        soql_fail(e, "INVALID_QUERY_FILTER_OPERATOR", "invalid ID field: %.*s", STR_FMT(v->text));
        return 1;
    }
    if (v->text.n == 15) {
        uint32_t number = 0;
        char *full = arena_alloc(a, SF_ID_MAX + 1);
        char prefix[4] = {v->text.p[0], v->text.p[1], v->text.p[2], 0};
        if (sf_id_parse(v->text, &number)) {
            sf_id_make(prefix, number, full);
            v->text = str_n(full, SF_ID_MAX);
        }
    }
    return 0;
}

static int text_order(const void *a, const void *b, void *test)
{
    const struct sf_field *f = ((const struct soql_test *)test)->path.field;
    return soql_compare_text(f, ((const struct soql_value *)a)->text, ((const struct soql_value *)b)->text);
}

static void sort_values(struct soql_test *t)
{
    qsort_r(t->values, t->n, sizeof t->values[0], text_order, t);
}

/* Whatever they are nested in. SOQL reference, "Semi-Joins with IN and Anti-Joins with NOT IN". */
static unsigned joins_in(const struct soql_where *w)
{
    unsigned n = w->inner != NULL;
    for (const struct soql_where *child = w->first; child; child = child->next)
        n += joins_in(child);
    return n;
}

static bool joins_under_or(const struct soql_where *w, bool under)
{
    if (w->inner && under)
        return true;
    for (const struct soql_where *child = w->first; child; child = child->next)
        if (joins_under_or(child, under || w->node == NODE_OR))
            return true;
    return false;
}

int soql_joins_check(const struct soql_where *w, struct soql_error *e)
{
    enum { JOINS_MAX = 2 };
    if (joins_under_or(w, false)) {
        soql_fail(e, "MALFORMED_QUERY", "Semi join sub-selects are not allowed with the 'OR' operator");
        return 1;
    }
    if (joins_in(w) > JOINS_MAX) {
        soql_fail(e, "MALFORMED_QUERY", "Maximum %d semi join sub-selects are allowed", JOINS_MAX);
        return 1;
    }
    return 0;
}

/* What the two sides of IN refer to must be one object. */
static int check_join_sides(const struct soql_query *q, const struct soql_where *w, const struct sf_object *o,
                            const struct soql_test *t, const struct soql_plan *p, struct soql_error *e)
{
    const struct sf_field *left = t->path.field, *right = p->columns[0].path.field;
    const char *of_left = left->type == SF_ID ? o->name : left->refs;
    const char *of_right = right->type == SF_ID ? p->object->name : right->refs;
    bool joined = right->type == SF_ID || right->type == SF_REFERENCE;
    if (p->object == o) {
        soql_fail_at(e, "MALFORMED_QUERY", q->text, w->op_at,
                     "The inner and outer selects should not be on the same object type");
        return 1;
    }
    str rest = str_of(joined ? of_right : NULL), one;
    while (str_split(&rest, ',', &one))
        if (str_in_list(str_of(of_left), one))
            return 0;
    soql_fail_at(e, "MALFORMED_QUERY", q->text, w->op_at,
                 "The selected field '%s' in the subquery and the left operand field in the where expression in the "
                 "outer query '%s' should point to the same object type",
                 right->name, left->name);
    return 1;
}

static int bind_set_query(struct arena *a, const struct soql_query *q, const struct soql_where *w,
                          const struct sf_object *o, const struct soql_world *world, struct soql_test *t,
                          struct soql_error *e)
{
    static const char *const refused[] = {"Task", "Event", "Note", "ContentDocumentLink"};
    if (t->path.field->type != SF_ID && t->path.field->type != SF_REFERENCE) {
        soql_fail_at(e, "INVALID_FIELD", q->text, w->op_at, "semi join sub-selects are only allowed on id fields");
        return 1;
    }
    if (w->inner->order || w->inner->limit >= 0) {
        soql_fail(e, "MALFORMED_QUERY", "ORDER BY and LIMIT are not allowed in semi join sub-selects");
        return 1;
    }
    struct soql_world plain = {.store = world->store, .now_us = world->now_us, .all_rows = world->all_rows};
    struct soql_plan *p = soql_bind(a, w->inner, &plain, e);
    if (!p)
        return 1;
    for (size_t i = 0; i < ARRAY_LEN(refused); i++)
        if (str_is(str_of(p->object->name), refused[i])) {
            soql_fail(e, "MALFORMED_QUERY", "Entity '%s' is not supported for semi join inner selects",
                      p->object->name);
            return 1;
        }
    if (p->column_n != 1 || p->columns[0].children) {
        soql_fail(e, "MALFORMED_QUERY", "semi join sub-selects can only select one column");
        return 1;
    }
    if (!t->path.hops && check_join_sides(q, w, o, t, p, e))
        return 1;
    AUTO(soql_result_done) struct soql_result found = {0};
    soql_run(p, &plain, &found);
    t->values = arena_array(a, struct soql_value, found.n + 1);
    for (size_t i = 0; i < found.n; i++) {
        struct sf_scratch scratch;
        struct sf_cell cell;
        soql_cell(world->store, &p->columns[0].path, found.rows[i], &scratch, &cell);
        if (cell.kind == CELL_TEXT)
            t->values[t->n++] = (struct soql_value){.kind = CELL_TEXT, .text = arena_str(a, cell.text)};
    }
    sort_values(t);
    return 0;
}

static int bind_values(struct arena *a, const struct soql_query *q, const struct soql_where *w,
                       const struct soql_world *world, struct soql_test *t, struct soql_error *e)
{
    const struct sf_field *f = t->path.field;
    size_t count = 0;
    for (const struct soql_literal *v = w->values; v; v = v->next)
        count++;
    t->values = arena_array(a, struct soql_value, count);
    for (const struct soql_literal *v = w->values; v; v = v->next) {
        struct soql_value *to = &t->values[t->n];
        if (v->kind == LIT_NULL) {
            t->has_null = true;
            continue;
        }
        if (!bind_value(v, f, world->now_us, to))
            return wrong_quotes(q, w, f, e);
        if ((f->type == SF_ID || f->type == SF_REFERENCE) && bind_id(a, w, to, e))
            return 1;
        if (to->kind == CELL_TEXT && to->text.n == 0)
            t->has_null = true; /* an empty text is stored as null */
        t->n++;
    }
    if ((w->op == OP_IN || w->op == OP_NOT_IN) && t->n > 1 && t->values[0].kind == CELL_TEXT)
        sort_values(t);
    return 0;
}

static int check_operator(const struct soql_query *q, const struct soql_where *w, const struct sf_field *f,
                          struct soql_error *e)
{
    if (sf_is_long_text(f) || f->type == SF_ADDRESS) {
        soql_fail_at(e, "INVALID_FIELD", q->text, w->name.at, "field '%s' can not be filtered in a query call",
                     f->name);
        return 1;
    }
    bool text = sf_is_text(f->type) || f->type == SF_ID || f->type == SF_REFERENCE;
    bool order_of_bool = f->type == SF_BOOLEAN && w->op >= OP_LT && w->op <= OP_GE;
    if (w->op == OP_INCLUDES || w->op == OP_EXCLUDES || (w->op == OP_LIKE && !text) || order_of_bool) {
        soql_fail_at(e, "INVALID_QUERY_FILTER_OPERATOR", q->text, w->op_at, "invalid operator");
        return 1;
    }
    return 0;
}

static struct soql_test *bind_test(struct arena *a, const struct soql_query *q, const struct soql_where *w,
                                   const struct sf_object *o, const struct soql_world *world, struct soql_error *e)
{
    struct soql_test *t = arena_new(a, struct soql_test);
    t->node = NODE_TEST;
    t->op = w->op;
    if (soql_path_bind(world->store->schema, o, &w->name, q->alias, q->text, &t->path, e) ||
        check_operator(q, w, t->path.field, e))
        return NULL;
    int rc = w->inner ? bind_set_query(a, q, w, o, world, t, e) : bind_values(a, q, w, world, t, e);
    return rc ? NULL : t;
}

struct soql_test *soql_where_bind(struct arena *a, const struct soql_query *q, const struct soql_where *w,
                                  const struct sf_object *o, const struct soql_world *world, struct soql_error *e)
{
    if (w->node == NODE_TEST)
        return bind_test(a, q, w, o, world, e);
    struct soql_test *t = arena_new(a, struct soql_test), **tail = &t->first;
    t->node = w->node;
    for (const struct soql_where *child = w->first; child; child = child->next) {
        *tail = soql_where_bind(a, q, child, o, world, e);
        if (!*tail)
            return NULL;
        tail = &(*tail)->next;
    }
    return t;
}

/* ---- one row ---- */

static bool in_texts(const struct soql_test *t, str text)
{
    size_t lo = 0, hi = t->n;
    while (lo < hi) {
        size_t middle = (lo + hi) / 2;
        int order = soql_compare_text(t->path.field, t->values[middle].text, text);
        if (order == 0)
            return true;
        if (order < 0)
            lo = middle + 1;
        else
            hi = middle;
    }
    return false;
}

/* -1, 0, 1: the cell lies before, in or behind the value's range. */
static int compare(const struct sf_field *f, const struct sf_cell *c, const struct soql_value *v)
{
    switch (v->kind) {
    case CELL_TEXT:
        return soql_compare_text(f, c->text, v->text);
    case CELL_NUMBER:
        return c->d < v->lo_d ? -1 : c->d > v->lo_d;
    case CELL_BOOL:
        return c->i < v->lo ? -1 : c->i > v->lo;
    default:
        return c->i < v->lo ? -1 : c->i >= v->hi;
    }
}

static bool is_in(const struct soql_test *t, const struct sf_cell *c)
{
    if (c->kind == CELL_NULL)
        return t->has_null;
    if (c->kind == CELL_TEXT)
        return in_texts(t, c->text);
    for (size_t i = 0; i < t->n; i++)
        if (compare(t->path.field, c, &t->values[i]) == 0)
            return true;
    return false;
}

static bool test_null(const struct soql_test *t, const struct sf_cell *c)
{
    bool null = c->kind == CELL_NULL || (c->kind == CELL_BOOL && c->i == 0); /* a null boolean counts as false */
    if (t->op == OP_EQ)
        return null;
    return t->op == OP_NE && !null;
}

static bool test_cell(const struct soql_test *t, const struct sf_cell *c)
{
    if (t->op == OP_IN || t->op == OP_NOT_IN)
        return is_in(t, c) == (t->op == OP_IN);
    if (t->has_null)
        return test_null(t, c);
    if (c->kind == CELL_NULL)
        return t->op == OP_NE;
    const struct soql_value *v = &t->values[0];
    if (t->op == OP_LIKE)
        return sf_text_like(c->text, v->text, v->escaped);
    int order = compare(t->path.field, c, v);
    switch (t->op) {
    case OP_EQ:
        return order == 0;
    case OP_NE:
        return order != 0;
    case OP_LT:
        return order < 0;
    case OP_LE:
        return order <= 0;
    case OP_GT:
        return order > 0;
    default:
        return order >= 0;
    }
}

bool soql_test_row(const struct soql_test *t, struct sf_store *s, const struct sf_row *row)
{
    bool any = t->node == NODE_OR || t->node == NODE_NOT;
    if (t->node != NODE_TEST) {
        for (const struct soql_test *child = t->first; child; child = child->next)
            if (soql_test_row(child, s, row) == any)
                return t->node == NODE_OR;
        return t->node != NODE_OR;
    }
    struct sf_scratch scratch;
    struct sf_cell cell;
    soql_cell(s, &t->path, row, &scratch, &cell);
    return test_cell(t, &cell);
}
