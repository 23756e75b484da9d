/* Lists: what fits, in the order asked for, one page of it.
 * Vendor: https://www.zoho.com/books/api/v4/pagination/ and the schemas of page_context. */
#include <stdlib.h>

#include "finance_int.h"

struct list_ask {
    const struct fin_kind *kind;
    str column;
    const struct fin_field *field; /* NULL: a time of the record */
    bool down;
    int64_t page, per_page;
};

static bool order_read(struct call *c, const struct fin_kind *k, struct list_ask *out)
{
    str by = {0}, order = {0}, rest = str_of(k->sorts);
    str_split(&rest, ',', &out->column);
    out->down = k->newest_first;
    if (call_query(c, "sort_column", &by)) {
        if (!str_in_list(str_of(k->sorts), by))
            return fin_invalid(c, "sort_column");
        out->column = by;
        out->down = false;
    }
    if (call_query(c, "sort_order", &order) && twin_switch(c->twin, "sort_order")) {
        if (!str_is(order, "A") && !str_is(order, "D"))
            return fin_invalid(c, "sort_order");
        out->down = str_is(order, "D");
    }
    out->field = fin_field(k, out->column);
    return true;
}

static bool int_read(struct call *c, const char *name, int64_t *v)
{
    str text;
    return !call_query(c, name, &text) || (str_to_i64(text, v) && *v > 0 && *v < INT32_MAX) || fin_invalid(c, name);
}

/* Over 200 a page: UNCONFIRMED, taken as 200 or refused. */
static bool page_read(struct call *c, struct list_ask *out)
{
    out->page = 1;
    out->per_page = twin_switch(c->twin, "page_default");
    if (!int_read(c, "page", &out->page) || !int_read(c, "per_page", &out->per_page))
        return false;
    if (out->per_page > FIN_PAGE_MAX && twin_switch(c->twin, "page_over_refused"))
        return fin_invalid(c, "per_page");
    out->per_page = out->per_page > FIN_PAGE_MAX ? FIN_PAGE_MAX : out->per_page;
    return true;
}

static int value_cmp(const struct list_ask *ask, const struct fin *a, const struct fin *b)
{
    if (!ask->field) {
        bool made = str_is(ask->column, "created_time");
        int64_t x = made ? a->created_us : a->modified_us, y = made ? b->created_us : b->modified_us;
        return x < y ? -1 : x > y;
    }
    const char *name = ask->field->name;
    if (ask->field->type == FIN_MONEY || ask->field->type == FIN_NUMBER) {
        money x = fin_money(a, name), y = fin_money(b, name);
        return x < y ? -1 : x > y;
    }
    return str_cmp(fin_get(a, name), fin_get(b, name));
}

/* Among equals by id, so that the order is the same on every page. */
static int row_cmp(const void *x, const void *y, void *arg)
{
    const struct list_ask *ask = arg;
    const struct fin *a = *(struct fin *const *)x, *b = *(struct fin *const *)y;
    int d = value_cmp(ask, a, b);
    if (!d)
        d = a->id < b->id ? -1 : a->id > b->id;
    return ask->down ? -d : d;
}

static void context_put(struct buf *b, const struct call *c, const struct list_ask *ask, const struct fin_filter *f,
                        bool more)
{
    bool as_array = twin_switch(c->twin, "page_context_array") != 0;
    json_put_raw(b, "page_context", as_array ? STR("[{") : STR("{"));
    json_put_int(b, "page", ask->page);
    json_put_int(b, "per_page", ask->per_page);
    json_put_bool(b, "has_more_page", more);
    json_put_member(b, "report_name", str_of(ask->kind->title));
    json_put_member(b, "applied_filter", f->applied);
    json_put_member(b, "sort_column", ask->column);
    json_put_member(b, "sort_order", ask->down ? STR("D") : STR("A"));
    buf_text_add(b, as_array ? "}]" : "}");
}

void fin_list_answer(struct call *c, int kind)
{
    struct finance *f = c->self;
    struct list_ask ask = {.kind = fin_kinds[kind]};
    struct fin_filter filter;
    if (!fin_filter_read(c, ask.kind, &filter) || !order_read(c, ask.kind, &ask) || !page_read(c, &ask))
        return;
    ledger_refresh(f->org);
    const struct fin_list *l = &f->org->lists[kind];
    struct fin **rows = arena_array(&c->arena, struct fin *, l->n + 1);
    size_t n = 0, first = (size_t)(ask.page - 1) * (size_t)ask.per_page;
    for (size_t i = 0; i < l->n; i++) {
        if (fin_seen(l->rows[i]) && fin_filter_fits(&filter, l->rows[i]))
            rows[n++] = l->rows[i];
    }
    qsort_r(rows, n, sizeof *rows, row_cmp, &ask);
    struct buf *b = fin_open(c, "success");
    size_t from = first < n ? first : n, left = n - from;
    fin_put_all(b, ask.kind->name, rows + from, left < (size_t)ask.per_page ? left : (size_t)ask.per_page, true);
    context_put(b, c, &ask, &filter, n > first + (size_t)ask.per_page);
    fin_close(c, 200);
}
