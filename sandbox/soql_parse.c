#include <stdio.h>

#include "soql_int.h"

enum { NESTING_MAX = 40 };

struct parser {
    struct arena *a;
    struct soql_lexer lx;
    struct soql_token t; /* the token at hand */
    struct soql_error *e;
    int depth;
    bool failed;
};

void soql_fail(struct soql_error *e, const char *code, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    e->code = code;
    vsnprintf(e->text, sizeof e->text, fmt, ap);
    va_end(ap);
}

void soql_fail_at(struct soql_error *e, const char *code, str query, uint32_t at, const char *fmt, ...)
{
    enum { BEFORE = 50, AFTER = 40 };
    uint32_t from = at > BEFORE ? at - BEFORE : 0, to = at + AFTER < query.n ? at + AFTER : (uint32_t)query.n;
    char why[640];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(why, sizeof why, fmt, ap);
    va_end(ap);
    e->code = code;
    snprintf(e->text, sizeof e->text, "\n%.*s\n%*s\nERROR at Row:1:Column:%u\n%s", (int)(to - from), query.p + from,
             (int)(at - from) + 1, "^", at + 1, why);
}

static void advance(struct parser *ps)
{
    ps->t = soql_next(&ps->lx);
    if (ps->t.kind == TOK_BAD && !ps->failed) {
        ps->failed = true;
        soql_fail_at(ps->e, "MALFORMED_QUERY", ps->lx.text, ps->t.at, "%.*s", STR_FMT(ps->t.text));
    }
}

static void *unexpected(struct parser *ps)
{
    if (!ps->failed) {
        ps->failed = true;
        soql_fail_at(ps->e, "MALFORMED_QUERY", ps->lx.text, ps->t.at, "unexpected token: '%.*s'", STR_FMT(ps->t.text));
    }
    return NULL;
}

static bool refuse(struct parser *ps)
{
    unexpected(ps);
    return false;
}

static bool at_word(const struct parser *ps, const char *word)
{
    return ps->t.kind == TOK_WORD && str_eq_nocase(ps->t.text, str_of(word));
}

static bool at_sign(const struct parser *ps, const char *sign)
{
    return ps->t.kind == TOK_PUNCT && str_is(ps->t.text, sign);
}

static bool accept_word(struct parser *ps, const char *word)
{
    if (!at_word(ps, word))
        return false;
    advance(ps);
    return true;
}

static bool accept_sign(struct parser *ps, const char *sign)
{
    if (!at_sign(ps, sign))
        return false;
    advance(ps);
    return true;
}

static bool expect_sign(struct parser *ps, const char *sign)
{
    if (accept_sign(ps, sign))
        return true;
    return refuse(ps);
}

static bool parse_name(struct parser *ps, struct soql_name *out)
{
    if (ps->t.kind != TOK_WORD)
        return refuse(ps);
    *out = (struct soql_name){.at = ps->t.at};
    str rest = ps->t.text, part;
    while (str_split(&rest, '.', &part)) {
        if (part.n == 0 || out->n == SOQL_PARTS_MAX)
            return refuse(ps);
        out->part[out->n++] = part;
    }
    if (str_ends(ps->t.text, STR(".")))
        return refuse(ps);
    advance(ps);
    return true;
}

/* ---- literals and conditions ---- */

static bool parse_named_date(struct parser *ps, struct soql_literal *v)
{
    bool takes_n = false;
    if (!soql_date_word(ps->t.text, &takes_n))
        return false;
    v->kind = LIT_NAMED;
    v->text = ps->t.text;
    if (takes_n) {
        advance(ps);
        if (!at_sign(ps, ":"))
            return false;
        advance(ps);
        if (ps->t.kind != TOK_NUMBER || ps->t.number < 0 || ps->t.number > 100000)
            return false;
        v->i = (int64_t)ps->t.number;
    }
    return true;
}

static struct soql_literal *parse_literal(struct parser *ps)
{
    struct soql_literal *v = arena_new(ps->a, struct soql_literal);
    v->at = ps->t.at;
    v->text = ps->t.text;
    if (ps->t.kind == TOK_STRING) {
        v->kind = LIT_STRING;
        v->escaped = ps->t.escaped;
    } else if (ps->t.kind == TOK_NUMBER) {
        v->kind = LIT_NUMBER;
        v->number = ps->t.number;
    } else if (ps->t.kind == TOK_DATE || ps->t.kind == TOK_TIME) {
        v->kind = ps->t.kind == TOK_DATE ? LIT_DATE : LIT_TIME;
        v->i = ps->t.i;
    } else if (at_word(ps, "null")) {
        v->kind = LIT_NULL;
    } else if (at_word(ps, "true") || at_word(ps, "false")) {
        v->kind = LIT_BOOL;
        v->i = at_word(ps, "true");
    } else if (ps->t.kind != TOK_WORD || !parse_named_date(ps, v)) {
        return unexpected(ps);
    }
    advance(ps);
    return v;
}

static struct soql_query *parse_query(struct parser *ps);

static bool parse_set(struct parser *ps, struct soql_where *w)
{
    if (!expect_sign(ps, "("))
        return false;
    if (at_word(ps, "select")) {
        w->inner = parse_query(ps);
        return w->inner && expect_sign(ps, ")");
    }
    struct soql_literal **tail = &w->values;
    do {
        *tail = parse_literal(ps);
        if (!*tail)
            return false;
        tail = &(*tail)->next;
    } while (accept_sign(ps, ","));
    return expect_sign(ps, ")");
}

static bool parse_operator(struct parser *ps, enum soql_op *out)
{
    static const struct {
        const char *sign;
        enum soql_op op;
    } signs[] = {{"=", OP_EQ}, {"!=", OP_NE}, {"<>", OP_NE}, {"<", OP_LT}, {"<=", OP_LE}, {">", OP_GT}, {">=", OP_GE}},
      words[] = {{"like", OP_LIKE}, {"in", OP_IN}, {"includes", OP_INCLUDES}, {"excludes", OP_EXCLUDES}};
    for (size_t i = 0; i < ARRAY_LEN(signs); i++)
        if (accept_sign(ps, signs[i].sign)) {
            *out = signs[i].op;
            return true;
        }
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (accept_word(ps, words[i].sign)) {
            *out = words[i].op;
            return true;
        }
    if (accept_word(ps, "not") && accept_word(ps, "in")) {
        *out = OP_NOT_IN;
        return true;
    }
    return refuse(ps);
}

static struct soql_where *parse_conditions(struct parser *ps);

static struct soql_where *parse_condition(struct parser *ps)
{
    struct soql_where *w = NULL;
    if (++ps->depth > NESTING_MAX)
        return unexpected(ps);
    if (accept_sign(ps, "(")) {
        w = parse_conditions(ps);
        if (w && !expect_sign(ps, ")"))
            w = NULL;
    } else if (accept_word(ps, "not")) {
        struct soql_where *child = parse_condition(ps);
        if (child) {
            w = arena_new(ps->a, struct soql_where);
            w->node = NODE_NOT;
            w->first = child;
        }
    } else {
        struct soql_where *test = arena_new(ps->a, struct soql_where);
        test->node = NODE_TEST;
        if (!parse_name(ps, &test->name))
            return NULL;
        test->op_at = ps->t.at;
        if (!parse_operator(ps, &test->op))
            return NULL;
        if (test->op >= OP_IN)
            w = parse_set(ps, test) ? test : NULL;
        else
            w = (test->values = parse_literal(ps)) ? test : NULL;
    }
    ps->depth--;
    return w;
}

/* AND and OR do not mix without parentheses. */
static struct soql_where *parse_conditions(struct parser *ps)
{
    struct soql_where *first = parse_condition(ps);
    if (!first || (!at_word(ps, "and") && !at_word(ps, "or")))
        return first;
    const char *word = at_word(ps, "and") ? "and" : "or";
    struct soql_where *group = arena_new(ps->a, struct soql_where);
    group->node = at_word(ps, "and") ? NODE_AND : NODE_OR;
    group->first = first;
    struct soql_where *last = first;
    while (accept_word(ps, word)) {
        last->next = parse_condition(ps);
        if (!last->next)
            return NULL;
        last = last->next;
    }
    return at_word(ps, "and") || at_word(ps, "or") ? unexpected(ps) : group;
}

/* ---- clauses ---- */

static struct soql_item *parse_item(struct parser *ps)
{
    struct soql_item *item = arena_new(ps->a, struct soql_item);
    if (accept_sign(ps, "(")) {
        item->kind = ITEM_CHILDREN;
        item->name.at = ps->t.at;
        item->inner = at_word(ps, "select") ? parse_query(ps) : unexpected(ps);
        return item->inner && expect_sign(ps, ")") ? item : NULL;
    }
    bool count = at_word(ps, "count"), fields = at_word(ps, "fields");
    if (!parse_name(ps, &item->name))
        return NULL;
    if (!at_sign(ps, "("))
        return item;
    advance(ps);
    if (count && accept_sign(ps, ")")) {
        item->kind = ITEM_COUNT_ALL;
        return item;
    }
    if (fields && parse_name(ps, &item->name)) {
        item->kind = ITEM_FIELDS;
        return expect_sign(ps, ")") ? item : NULL;
    }
    return unexpected(ps);
}

static bool parse_items(struct parser *ps, struct soql_query *q)
{
    struct soql_item **tail = &q->items;
    do {
        *tail = parse_item(ps);
        if (!*tail)
            return false;
        tail = &(*tail)->next;
    } while (accept_sign(ps, ","));
    return true;
}

static bool parse_from(struct parser *ps, struct soql_query *q)
{
    static const char *const clauses[] = {"where", "with", "group", "order", "limit", "offset", "for", "using"};
    if (!accept_word(ps, "from") || ps->t.kind != TOK_WORD)
        return refuse(ps);
    q->from = ps->t.text;
    q->from_at = ps->t.at;
    advance(ps);
    if (ps->t.kind == TOK_WORD) {
        for (size_t i = 0; i < ARRAY_LEN(clauses); i++)
            if (at_word(ps, clauses[i]))
                return true;
        accept_word(ps, "as");
        q->alias = ps->t.text;
        advance(ps);
    }
    return true;
}

static bool parse_order(struct parser *ps, struct soql_query *q)
{
    struct soql_order **tail = &q->order;
    do {
        struct soql_order *o = arena_new(ps->a, struct soql_order);
        if (!parse_name(ps, &o->name))
            return false;
        o->descending = accept_word(ps, "desc");
        if (!o->descending)
            accept_word(ps, "asc");
        if (accept_word(ps, "nulls")) {
            o->nulls_last = accept_word(ps, "last");
            if (!o->nulls_last && !accept_word(ps, "first"))
                return refuse(ps);
        }
        *tail = o;
        tail = &o->next;
    } while (accept_sign(ps, ","));
    return true;
}

static bool parse_count(struct parser *ps, int64_t *out)
{
    if (ps->t.kind != TOK_NUMBER || ps->t.number < 0 || ps->t.number != (double)(int64_t)ps->t.number)
        return refuse(ps);
    *out = (int64_t)ps->t.number;
    advance(ps);
    return true;
}

static bool parse_tail(struct parser *ps, struct soql_query *q)
{
    if (accept_word(ps, "using") && !(accept_word(ps, "scope") && accept_word(ps, "everything")))
        return refuse(ps);
    if (accept_word(ps, "where") && !(q->where = parse_conditions(ps)))
        return false;
    if (accept_word(ps, "order")) {
        if (!accept_word(ps, "by"))
            return refuse(ps);
        if (!parse_order(ps, q))
            return false;
    }
    if (accept_word(ps, "limit") && !parse_count(ps, &q->limit))
        return false;
    if (accept_word(ps, "offset") && !parse_count(ps, &q->offset))
        return false;
    if (accept_word(ps, "for") && !accept_word(ps, "view") && !accept_word(ps, "reference"))
        return refuse(ps);
    return true;
}

static struct soql_query *parse_query(struct parser *ps)
{
    if (++ps->depth > NESTING_MAX || !accept_word(ps, "select"))
        return unexpected(ps);
    struct soql_query *q = arena_new(ps->a, struct soql_query);
    q->text = ps->lx.text;
    q->limit = q->offset = -1;
    if (!parse_items(ps, q) || !parse_from(ps, q) || !parse_tail(ps, q))
        return NULL;
    ps->depth--;
    return ps->failed ? NULL : q;
}

struct soql_query *soql_parse(struct arena *a, str text, struct soql_error *e)
{
    if (text.n > SOQL_LENGTH_MAX) {
        soql_fail(e, "MALFORMED_QUERY", "SOQL statements cannot be longer than %d characters.", SOQL_LENGTH_MAX);
        return NULL;
    }
    struct parser ps = {.a = a, .lx = {.a = a, .text = text}, .e = e};
    advance(&ps);
    struct soql_query *q = parse_query(&ps);
    if (q && ps.t.kind != TOK_END)
        q = unexpected(&ps);
    if (!q && !ps.failed)
        unexpected(&ps);
    return ps.failed ? NULL : q;
}
