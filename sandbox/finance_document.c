/* Invoices and estimates alike: their lines, which an update replaces wholly, their numbers, and how a status changes.
 * Vendor: https://www.zoho.com/books/api/v3/invoices/, .../estimates/. */
#include "finance_document.h"

#include "finance_contacts.h"
#include "finance_ledger.h"
#include "times.h"

enum { CODE_NUMBER = 1001, LINES_MAX = 200, PERSONS_MAX = 20 };

static const struct fin_field line_fields[] = {
    {"item_id", FIN_ID, 0, FIN_SENT, NULL},
    {"name", FIN_TEXT, 200, FIN_SENT, NULL},
    {"description", FIN_TEXT, 2000, FIN_SENT, NULL},
    {"item_order", FIN_INT, 0, FIN_SENT, NULL},
    {"rate", FIN_NUMBER, 0, FIN_SENT, NULL},
    {"quantity", FIN_NUMBER, 0, FIN_SENT, NULL},
    {"unit", FIN_TEXT, 100, FIN_SENT, NULL},
    {"discount", FIN_DISCOUNT, 0, FIN_SENT, NULL},
    {"discount_amount", FIN_MONEY, 0, 0, NULL},
    {"tax_id", FIN_ID, 0, FIN_SENT, NULL},
    {"tax_name", FIN_TEXT, 0, 0, NULL},
    {"tax_type", FIN_TEXT, 0, 0, NULL},
    {"tax_percentage", FIN_NUMBER, 0, 0, NULL},
    {"item_total", FIN_MONEY, 0, 0, NULL},
    {"line_gross", FIN_MONEY, 0, FIN_HIDDEN, NULL},
};

const struct fin_kind fin_line = {.name = "line_items",
                                  .one = "line_items",
                                  .id_name = "line_item_id",
                                  .fields = line_fields,
                                  .n = ARRAY_LEN(line_fields)};

const char *document_number(const struct fin_kind *k)
{
    return k == &fin_invoice ? "invoice_number" : "estimate_number";
}

static const char *last_day(const struct fin_kind *k)
{
    return k == &fin_invoice ? "due_date" : "expiry_date";
}

/* ---- lines -------------------------------------------------------------- */

/* What the line does not say it takes from its item. */
static bool line_item_fill(struct call *c, struct fin *line)
{
    static const char *const taken[] = {"name", "rate", "description", "unit", "tax_id"};
    str id = fin_get(line, "item_id");
    const struct fin *item = id.n ? fin_find_text(line->org, FIN_ITEMS, id) : NULL;
    if (id.n && !item)
        return fin_invalid(c, "item_id");
    if (!item && !twin_switch(c->twin, "adhoc_lines"))
        return fin_missing(c, "item_id");
    for (size_t i = 0; item && i < ARRAY_LEN(taken); i++) {
        if (!fin_get(line, taken[i]).n)
            fin_set(line, taken[i], fin_get(item, taken[i]));
    }
    if (!fin_get(line, "name").n && !fin_get(line, "description").n)
        return fin_missing(c, "name");
    if (!fin_get(line, "rate").n)
        return fin_missing(c, "rate");
    if (!fin_get(line, "quantity").n)
        fin_set(line, "quantity", STR("1"));
    str tax = fin_get(line, "tax_id");
    return !tax.n || fin_find_text(line->org, FIN_TAXES, tax) || fin_invalid(c, "tax_id");
}

/* A line with an id is one of the document's, and keeps what is not sent of it. */
static struct fin *line_draft(struct call *c, const struct fin *document, const struct sj *one)
{
    const struct sj *given = sj_get(one, "line_item_id");
    if (!given || !given->text.n)
        return fin_new(document->org, &fin_line);
    int64_t id = sj_int(given, 0);
    for (size_t i = 0; i < document->sub_n; i++) {
        if (document->sub[i]->id == id)
            return fin_copy(document->sub[i]);
    }
    fin_invalid(c, "line_item_id");
    return NULL;
}

static bool lines_read(struct call *c, struct fin *draft, const struct sj *list)
{
    if (!list)
        return draft->sub_n || fin_missing(c, "line_items");
    if (list->kind != SJ_ARRAY || list->n > LINES_MAX)
        return fin_invalid(c, "line_items");
    if (!list->n)
        return fin_missing(c, "line_items");
    AUTO(fin_free) struct fin *old = fin_copy(draft);
    fin_sub_clear(draft);
    for (const struct sj *one = list->first; one; one = one->next) {
        struct fin *line = one->kind == SJ_OBJECT ? line_draft(c, old, one) : NULL;
        if (!line)
            return c->status ? false : fin_invalid(c, "line_items");
        fin_sub_add(draft, line);
        if (!fin_read(c, line, one, false) || !line_item_fill(c, line))
            return false;
        fin_set_int(line, "item_order", (int64_t)draft->sub_n);
    }
    return true;
}

/* ---- the document ------------------------------------------------------- */

/* The ids of persons who get its mail: the customer's. */
static bool persons_taken(struct call *c, struct fin *draft, const struct sj *list)
{
    AUTO(buf_done) struct buf ids = {0};
    if (!list)
        return true;
    if (list->kind != SJ_ARRAY || list->n > PERSONS_MAX)
        return fin_invalid(c, "contact_persons");
    for (const struct sj *one = list->first; one; one = one->next) {
        bool found = false;
        for (size_t i = 0; i < draft->owner->sub_n; i++)
            found |= draft->owner->sub[i]->id == sj_int(one, 0);
        if (!found)
            return fin_invalid(c, "contact_persons");
        buf_fmt(&ids, "%s%lld", ids.n ? "," : "", (long long)sj_int(one, 0));
    }
    fin_set(draft, "persons", buf_lent(&ids));
    return true;
}

static bool customer_read(struct call *c, struct fin *draft)
{
    struct fin *customer = fin_find_text(draft->org, FIN_CONTACTS, fin_get(draft, "customer_id"));
    if (!customer || !str_is(fin_get(customer, "contact_type"), "customer"))
        return fin_invalid(c, "customer_id");
    if (draft->owner && draft->owner != customer && draft->paid + draft->credited + draft->written_off)
        return document_state_refused(c, draft);
    draft->owner = customer;
    fin_set(draft, "currency_id", fin_get(customer, "currency_id"));
    fin_set(draft, "currency_code", fin_get(customer, "currency_code"));
    return true;
}

/* An invoice is due payment_terms days after its date unless it says when; an estimate ends when it says so. */
static bool days_read(struct call *c, struct fin *draft, const struct sj *body)
{
    const char *last = last_day(draft->kind);
    int64_t date, end;
    AUTO(buf_done) struct buf b = {0};
    if (!fin_get(draft, "date").n) {
        date_format(&b, fin_today(draft->org));
        fin_set(draft, "date", buf_lent(&b));
        buf_clear(&b);
    }
    ASSERT(date_parse(fin_get(draft, "date"), &date));
    bool moved = sj_get(body, "payment_terms") || sj_get(body, "date") || !fin_get(draft, last).n;
    if (draft->kind == &fin_invoice && moved && !sj_get(body, last)) {
        date_format(&b, date + fin_int(draft, "payment_terms"));
        fin_set(draft, last, buf_lent(&b));
    }
    return !date_parse(fin_get(draft, last), &end) || end >= date || fin_invalid(c, last);
}

bool document_read(struct call *c, struct fin *draft, const struct sj *body)
{
    if (!customer_read(c, draft) || !persons_taken(c, draft, sj_get(body, "contact_persons")) ||
        !days_read(c, draft, body) || !lines_read(c, draft, sj_get(body, "line_items")) ||
        !fin_custom_read(c, draft, sj_get(body, "custom_fields")))
        return false;
    if (!ledger_total(draft))
        return fin_invalid(c, "total");
    return draft->total >= draft->paid + draft->credited + draft->written_off || document_state_refused(c, draft);
}

void document_put(struct buf *b, const struct fin *r, bool listed)
{
    fin_custom_put(b, r, listed);
    if (listed)
        return;
    json_put_raw(b, "contact_persons", STR("["));
    str rest = fin_get(r, "persons"), one;
    while (rest.n && str_split(&rest, ',', &one)) {
        json_put_comma(b);
        json_put(b, one);
    }
    buf_char(b, ']');
    fin_put_all(b, "line_items", r->sub, r->sub_n, false);
    struct tax_sum groups[LEDGER_TAXES];
    size_t n = ledger_taxes(r, ledger_discount_before_tax(r), groups);
    json_put_raw(b, "taxes", STR("["));
    for (size_t i = 0; i < n; i++) {
        json_put_comma(b);
        buf_char(b, '{');
        json_put_member(b, "tax_name", fin_get(groups[i].tax, "tax_name"));
        fin_put_amount(b, r->org, "tax_amount", groups[i].amount);
        buf_char(b, '}');
    }
    buf_char(b, ']');
    addresses_put(b, r->owner);
}

struct fin *document_new(struct fin_org *o, int kind)
{
    struct fin *r = fin_new(o, fin_kinds[kind]);
    AUTO(text_free)
    char *number = text_fmt("%s-%06lld", kind == FIN_INVOICES ? "INV" : "EST", (long long)++o->next_number[kind]);
    fin_set(r, "state", STR("draft"));
    fin_set(r, document_number(r->kind), str_of(number));
    fin_set(r, "exchange_rate", STR("1"));
    fin_set(r, "discount_type", STR("entity_level"));
    fin_set(r, "is_discount_before_tax", STR("true"));
    fin_set(r, "price_precision", fin_get(o->record, "price_precision"));
    return r;
}

/* Numbers come from the series unless ignore_auto_number_generation says that the client brings one. */
static bool number_fits(struct call *c, struct fin *draft, const struct fin *existing, const struct sj *body)
{
    const char *name = document_number(draft->kind);
    bool own = fin_query_true(c, "ignore_auto_number_generation"), given = sj_get(body, name) != NULL;
    const struct fin_list *l = &draft->org->lists[fin_number(draft->kind)];
    if (!existing && own && !given)
        return fin_missing(c, name);
    if (!existing && given && !own)
        return fin_invalid(c, name);
    if (!fin_get(draft, name).n)
        return fin_missing(c, name);
    for (size_t i = 0; given && i < l->n; i++) {
        if (l->rows[i] == existing || l->rows[i]->gone || !str_eq(fin_get(l->rows[i], name), fin_get(draft, name)))
            continue;
        fin_error(c, 400, CODE_NUMBER, "%s number \"%.*s\" already exists. Please enter a different number.",
                  draft->kind->title, STR_FMT(fin_get(draft, name)));
        return false;
    }
    return true;
}

struct fin *document_write(struct call *c, int kind, struct fin *existing, const struct sj *body)
{
    struct finance *f = c->self;
    AUTO(fin_free) struct fin *draft = NULL;
    int64_t series = f->org->next_number[kind];
    if (existing && twin_switch(c->twin, "put_needs_all")) {
        const char *absent = !sj_get(body, "customer_id") ? "customer_id"
                             : sj_get(body, "line_items") ? NULL
                                                          : "line_items";
        if (absent)
            return fin_missing(c, absent), NULL;
    }
    draft = existing ? fin_copy(existing) : document_new(f->org, kind);
    if (!fin_read(c, draft, body, !existing) || !number_fits(c, draft, existing, body) ||
        !fin_custom_unique(c, draft, existing)) {
        f->org->next_number[kind] = series; /* what is refused uses up no number */
        return NULL;
    }
    if (!existing && sj_get(body, document_number(draft->kind)))
        f->org->next_number[kind] = series;
    return fin_keep(c, existing, take(draft));
}

/* ---- states ------------------------------------------------------------- */

bool document_is(const struct fin *r, const char *states)
{
    return str_in_list(str_of(states), fin_get(r, "state"));
}

void document_move(struct fin *r, const char *state)
{
    fin_set(r, "state", str_of(state));
    fin_touch(r);
}

bool document_state_refused(struct call *c, const struct fin *r)
{
    fin_error(c, 400, CODE_STATE, "This %s cannot be modified in its current status.", r->kind->one);
    return false;
}

void document_status(struct call *c, int kind, const char *from, const char *to, const char *message)
{
    struct fin *r = fin_wanted(c, kind);
    if (!r)
        return;
    if (document_is(r, to) && twin_switch(c->twin, "repeat_refused"))
        return fin_error(c, 400, CODE_REPEATED, "The %s is already in %s status.", r->kind->one, to);
    if (!document_is(r, to) && !document_is(r, from)) {
        document_state_refused(c, r);
        return;
    }
    document_move(r, to);
    fin_done(c, 200, message);
}

size_t documents_named(struct call *c, int kind, const char *param, size_t max, struct fin **out)
{
    size_t n = 0;
    str ids = {0}, one;
    if (!call_query(c, param, &ids) || !ids.n)
        return fin_invalid(c, param), (size_t)0;
    while (ids.n && str_split(&ids, ',', &one)) {
        if (n == max)
            return fin_invalid(c, param), (size_t)0;
        out[n] = fin_given(c, kind, str_trim(one));
        if (!out[n++])
            return 0;
    }
    return n;
}
