/* What a list is asked for: fields with the variants of their type, a text over several fields, a status, a time.
 * Vendor: the query parameters of https://www.zoho.com/books/api/v3/contacts/, .../invoices/, .../estimates/,
 * .../items/.
 */
#include "finance_int.h"
#include "times.h"
#include "unicode.h"

enum op { OP_IS, OP_STARTS, OP_CONTAINS, OP_LESS, OP_LESS_IS, OP_MORE, OP_MORE_IS };
enum { SEARCH_MAX = 100, CODE_LENGTH = 15 };

struct variant {
    const char *suffix;
    enum op op;
};
static const struct variant text_variants[] = {{"_startswith", OP_STARTS}, {"_contains", OP_CONTAINS}};
static const struct variant amount_variants[] = {
    {"_less_than", OP_LESS}, {"_less_equals", OP_LESS_IS}, {"_greater_than", OP_MORE}, {"_greater_equals", OP_MORE_IS}};
static const struct variant date_variants[] = {
    {"_start", OP_MORE_IS}, {"_end", OP_LESS_IS}, {"_before", OP_LESS}, {"_after", OP_MORE}};

/* ---- one value ---------------------------------------------------------- */

static bool text_fits(enum op op, str have, str want)
{
    AUTO(buf_done) struct buf x = {0};
    AUTO(buf_done) struct buf y = {0};
    text_fold(&x, have);
    text_fold(&y, want);
    str a = buf_lent(&x), b = buf_lent(&y);
    if (op == OP_STARTS)
        return str_starts(a, b);
    if (op == OP_CONTAINS)
        return !b.n || (a.n >= b.n && memmem(a.p, a.n, b.p, b.n));
    return str_eq(a, b);
}

static bool order_fits(enum op op, int64_t have, int64_t want)
{
    switch (op) {
    case OP_LESS:
        return have < want;
    case OP_LESS_IS:
        return have <= want;
    case OP_MORE:
        return have > want;
    case OP_MORE_IS:
        return have >= want;
    default:
        return have == want;
    }
}

static bool is_amount(enum fin_type t)
{
    return t == FIN_MONEY || t == FIN_NUMBER;
}

static bool value_fits(const struct fin_condition *x, const struct fin *r, const struct fin_field *f)
{
    str have = fin_get(r, f->name);
    int64_t day;
    if (is_amount(f->type))
        return order_fits((enum op)x->op, fin_money(r, f->name), x->number);
    if (f->type == FIN_DATE)
        return date_parse(have, &day) && order_fits((enum op)x->op, day, x->day);
    return text_fits((enum op)x->op, have, x->value);
}

/* "item_name" of a document is "name" of one of its lines, "item_id" is "item_id". */
static bool line_fits(const struct fin_condition *x, const struct fin *r)
{
    str name = str_is(x->name, "item_id") ? x->name : str_n(x->name.p + 5, x->name.n - 5);
    for (size_t i = 0; i < r->sub_n; i++) {
        const struct fin_field *f = fin_field(r->sub[i]->kind, name);
        if (f && text_fits((enum op)x->op, fin_get(r->sub[i], f->name), x->value))
            return true;
    }
    return false;
}

static bool any_text_fits(const struct fin_condition *x, char *const *texts, int n)
{
    for (int i = 0; i < n; i++) {
        if (texts[i] && text_fits((enum op)x->op, str_of(texts[i]), x->value))
            return true;
    }
    return false;
}

static bool condition_fits(const struct fin_condition *x, const struct fin *r)
{
    if (x->field)
        return value_fits(x, r, x->field);
    if (str_is(x->name, "address"))
        return r->address[0] && any_text_fits(x, r->address[0]->v, r->address[0]->kind->n);
    if (str_is(x->name, "custom_field"))
        return any_text_fits(x, r->custom, FIN_CUSTOM_MAX);
    return line_fits(x, r);
}

/* ---- reading ------------------------------------------------------------ */

struct reader {
    struct call *c;
    const struct fin_kind *kind;
    struct fin_filter *out;
};

static bool base_of(const struct reader *x, str name, const struct variant *variants, size_t n, str *base, enum op *op)
{
    for (size_t i = 0; i < n; i++) {
        str suffix = str_of(variants[i].suffix);
        if (!str_ends(name, suffix))
            continue;
        *base = str_n(name.p, name.n - suffix.n);
        *op = variants[i].op;
        return str_in_list(str_of(x->kind->filters), *base);
    }
    return false;
}

static bool variant_fits(const struct fin_field *f, enum op op)
{
    bool text = op == OP_STARTS || op == OP_CONTAINS;
    bool ordered = f && (is_amount(f->type) || f->type == FIN_DATE);
    return op == OP_IS || text != ordered;
}

/* The condition a parameter names; false when it names none. */
static bool condition_of(const struct reader *x, str name, struct fin_condition *out)
{
    enum op op = OP_IS;
    str base = name;
    if (!str_in_list(str_of(x->kind->filters), name) &&
        !base_of(x, name, text_variants, ARRAY_LEN(text_variants), &base, &op) &&
        !base_of(x, name, amount_variants, ARRAY_LEN(amount_variants), &base, &op) &&
        !base_of(x, name, date_variants, ARRAY_LEN(date_variants), &base, &op))
        return false;
    *out = (struct fin_condition){.name = base, .field = fin_field(x->kind, base), .op = op};
    return variant_fits(out->field, op);
}

static void parameter_read(void *arg, str name, str value)
{
    struct reader *x = arg;
    struct fin_condition condition;
    if (x->c->status || !condition_of(x, name, &condition))
        return; /* what no page names is passed over */
    const struct fin_field *f = condition.field;
    condition.value = value;
    bool good = true;
    if (f && is_amount(f->type))
        good = money_parse(value, &condition.number);
    else if (f && f->type == FIN_DATE)
        good = date_parse(value, &condition.day);
    if (!good || x->out->n == FIN_CONDITIONS) {
        AUTO(text_free) char *z = str_dup(name);
        fin_invalid(x->c, z);
        return;
    }
    x->out->conditions[x->out->n++] = condition;
}

/* status=sent and filter_by=Status.Sent are two ways to say it. */
static bool status_read(struct call *c, const struct fin_kind *k, struct fin_filter *out)
{
    const char *name = "filter_by";
    str by = {0};
    if (call_query(c, name, &by)) {
        if (!str_starts(by, STR("Status.")))
            return fin_invalid(c, name);
        out->applied = by;
        out->status = str_n(by.p + 7, by.n - 7);
    } else if (k->status_fits && call_query(c, "status", &by)) {
        name = "status";
        out->status = by;
    }
    if (!out->status.n || str_is(out->status, "All")) {
        out->status = (str){0};
        return true;
    }
    if (!k->status_fits || k->status_fits(NULL, out->status) < 0)
        return fin_invalid(c, name);
    return true;
}

static bool time_read(struct call *c, const struct fin_kind *k, struct fin_filter *out)
{
    str text;
    bool heeded = k->modified_filter || twin_switch(c->twin, "modified_filter_everywhere");
    out->modified_after_us = INT64_MIN;
    if (!heeded || !call_query(c, "last_modified_time", &text))
        return true;
    return time_parse(text, &out->modified_after_us) || fin_invalid(c, "last_modified_time");
}

bool fin_filter_read(struct call *c, const struct fin_kind *k, struct fin_filter *out)
{
    *out = (struct fin_filter){.applied = STR("Status.All")};
    if (k->search && call_query(c, "search_text", &out->search) && utf8_length(out->search) > SEARCH_MAX) {
        fin_error(c, 400, CODE_LENGTH, "Please ensure that the search_text has less than %d characters.", SEARCH_MAX);
        return false;
    }
    if (!status_read(c, k, out) || !time_read(c, k, out))
        return false;
    struct reader x = {c, k, out};
    call_each_query(c, parameter_read, &x);
    return !c->status;
}

static bool search_fits(const struct fin_filter *f, const struct fin *r)
{
    str rest = str_of(r->kind->search), one;
    while (rest.n && str_split(&rest, ',', &one)) {
        const struct fin_field *field = fin_field(r->kind, one);
        ASSERT(field != NULL);
        if (text_fits(OP_CONTAINS, fin_get(r, field->name), f->search))
            return true;
    }
    return false;
}

bool fin_filter_fits(const struct fin_filter *f, const struct fin *r)
{
    if (r->modified_us <= f->modified_after_us || (f->status.n && r->kind->status_fits(r, f->status) != 1) ||
        (f->search.n && !search_fits(f, r)))
        return false;
    for (int i = 0; i < f->n; i++) {
        if (!condition_fits(&f->conditions[i], r))
            return false;
    }
    return true;
}
