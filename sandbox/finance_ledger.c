/* What the vendor computes: lines, taxes and totals of documents, what is open of invoices, what customers owe and have
 * left, and the statuses that follow from amounts and dates. Exact, rounded to the organisation's price_precision.
 * Vendor: https://www.zoho.com/books/api/v3/invoices/ (discount, is_inclusive_tax, is_discount_before_tax). */
#include "finance_ledger.h"

#include <stdio.h>

#include "times.h"

static const money hundred = 100 * MONEY_ONE;

/* "10%" of an amount, or the amount the text is. More than the whole is none. */
static bool discount_of(str text, money whole, int digits, money *out)
{
    money m = 0;
    *out = 0;
    if (!text.n)
        return true;
    bool percent = str_ends(text, STR("%"));
    if (!money_parse(percent ? str_n(text.p, text.n - 1) : text, &m))
        return false;
    if (percent)
        return money_share(whole, m, hundred, digits, out);
    *out = money_round(m, digits);
    return *out <= whole;
}

/* ---- lines and taxes ---------------------------------------------------- */

static const struct fin *tax_of(const struct fin *line)
{
    str id = fin_get(line, "tax_id");
    return id.n ? fin_find_text(line->org, FIN_TAXES, id) : NULL;
}

static bool line_total(struct fin *document, struct fin *line, money *gross_out)
{
    int digits = fin_precision(document->org);
    const struct fin *tax = tax_of(line);
    money gross = 0, discount = 0, net = 0, percent = tax ? fin_money(tax, "tax_percentage") : 0;
    bool own_discount = str_is(fin_get(document, "discount_type"), "item_level");
    if (!money_multiply(fin_money(line, "rate"), fin_money(line, "quantity"), digits, &gross) ||
        !discount_of(own_discount ? fin_get(line, "discount") : (str){0}, gross, digits, &discount))
        return false;
    gross -= discount;
    net = gross;
    if (fin_true(document, "is_inclusive_tax") && !money_share(gross, hundred, hundred + percent, digits, &net))
        return false;
    fin_set_money(line, "discount_amount", discount);
    fin_set_money(line, "item_total", net);
    fin_set(line, "tax_name", tax ? fin_get(tax, "tax_name") : (str){0});
    fin_set(line, "tax_type", tax ? fin_get(tax, "tax_type") : (str){0});
    fin_set(line, "tax_percentage", tax ? fin_get(tax, "tax_percentage") : (str){0});
    *gross_out = gross;
    return true;
}

static struct tax_sum *group_of(struct tax_sum *groups, size_t *n, const struct fin *tax)
{
    for (size_t i = 0; i < *n; i++) {
        if (groups[i].tax == tax)
            return &groups[i];
    }
    if (*n == LEDGER_TAXES)
        return NULL;
    groups[*n] = (struct tax_sum){.tax = tax};
    return &groups[(*n)++];
}

/* The part of an amount that a discount on the whole leaves of it. */
static bool discounted(money amount, money sub_total, money discount, money *out)
{
    *out = amount;
    return !discount || !sub_total || money_share(amount, sub_total - discount, sub_total, MONEY_DIGITS, out);
}

/* One line's tax, or one group's when the organisation rounds the tax of the document (switch tax_per_line). */
static bool tax_add(const struct fin *document, struct tax_sum *group, money base, money inclusive_tax, money discount,
                    int digits, money *tax_out)
{
    money part = 0, sub_total = fin_money(document, "sub_total");
    if (fin_true(document, "is_inclusive_tax")) {
        if (!discounted(inclusive_tax, sub_total, discount, &part))
            return false;
        *tax_out = money_round(part, digits);
        return true;
    }
    return discounted(base, sub_total, discount, &part) &&
           money_share(part, fin_money(group->tax, "tax_percentage"), hundred, digits, tax_out);
}

size_t ledger_taxes(const struct fin *document, money discount, struct tax_sum groups[LEDGER_TAXES])
{
    size_t n = 0;
    int digits = fin_precision(document->org);
    bool per_line = twin_switch(document->org->finance->twin, "tax_per_line") != 0;
    for (size_t i = 0; i < document->sub_n; i++) {
        const struct fin *line = document->sub[i], *tax = tax_of(line);
        struct tax_sum *g = tax ? group_of(groups, &n, tax) : NULL;
        money net = fin_money(line, "item_total"), inclusive = fin_money(line, "line_gross") - net, amount = 0;
        if (!g)
            continue;
        g->base += net;
        g->inclusive += inclusive;
        if (per_line && tax_add(document, g, net, inclusive, discount, digits, &amount))
            g->amount += amount;
    }
    for (size_t i = 0; i < n && !per_line; i++)
        tax_add(document, &groups[i], groups[i].base, groups[i].inclusive, discount, digits, &groups[i].amount);
    return n;
}

money ledger_discount_before_tax(const struct fin *document)
{
    bool after = str_is(fin_get(document, "is_discount_before_tax"), "false");
    return after ? 0 : fin_money(document, "discount_total");
}

bool ledger_total(struct fin *document)
{
    int digits = fin_precision(document->org);
    money sub = 0, discount = 0, tax = 0, gross = 0;
    for (size_t i = 0; i < document->sub_n; i++) {
        if (!line_total(document, document->sub[i], &gross))
            return false;
        fin_set_money(document->sub[i], "line_gross", gross);
        sub += fin_money(document->sub[i], "item_total");
        if (sub > MONEY_MAX || sub < -MONEY_MAX)
            return false;
    }
    bool own = str_is(fin_get(document, "discount_type"), "item_level");
    if (!discount_of(own ? (str){0} : fin_get(document, "discount"), sub, digits, &discount))
        return false;
    fin_set_money(document, "sub_total", sub);
    fin_set_money(document, "discount_total", discount);
    struct tax_sum groups[LEDGER_TAXES];
    size_t n = ledger_taxes(document, ledger_discount_before_tax(document), groups);
    for (size_t i = 0; i < n; i++)
        tax += groups[i].amount;
    fin_set_money(document, "tax_total", tax);
    money total = sub - discount + tax + money_round(fin_money(document, "shipping_charge"), digits) +
                  money_round(fin_money(document, "adjustment"), digits);
    if (total > MONEY_MAX || total < 0)
        return false;
    document->total = total;
    fin_set_money(document, "total", total);
    return true;
}

/* ---- what follows from payments and days -------------------------------- */

static str invoice_status(const struct fin *r, money balance, int64_t today)
{
    str state = fin_get(r, "state");
    int64_t due;
    if (str_is(state, "draft") || str_is(state, "void"))
        return state;
    if (balance == 0)
        return STR("paid");
    if (date_parse(fin_get(r, "due_date"), &due) && due < today)
        return STR("overdue");
    return r->paid + r->credited + r->written_off ? STR("partially_paid") : state;
}

static void due_days_set(struct fin *r, str status, int64_t today)
{
    int64_t due;
    AUTO(buf_done) struct buf b = {0};
    if (date_parse(fin_get(r, "due_date"), &due) && !str_is(status, "paid") && !str_is(status, "void")) {
        if (due < today)
            buf_fmt(&b, "Overdue by %lld day(s)", (long long)(today - due));
        else if (due == today)
            buf_text_add(&b, "Due Today");
        else
            buf_fmt(&b, "Due in %lld day(s)", (long long)(due - today));
    }
    fin_set(r, "due_days", buf_lent(&b));
}

static void invoice_refresh(struct fin *r, int64_t today)
{
    bool is_void = str_is(fin_get(r, "state"), "void");
    money balance = is_void ? 0 : r->total - r->paid - r->credited - r->written_off;
    str status = invoice_status(r, balance, today);
    fin_set(r, "status", status);
    fin_set_money(r, "balance", balance);
    fin_set_money(r, "payment_made", r->paid);
    fin_set_money(r, "credits_applied", r->credited);
    fin_set_money(r, "write_off_amount", r->written_off);
    due_days_set(r, status, today);
    r->owner->total += str_is(status, "draft") ? 0 : balance;
}

static void estimate_refresh(struct fin *r, int64_t today)
{
    str state = fin_get(r, "state");
    int64_t expiry;
    bool open = str_is(state, "sent") || str_is(state, "viewed");
    bool expired = open && date_parse(fin_get(r, "expiry_date"), &expiry) && expiry < today;
    fin_set(r, "status", expired ? STR("expired") : state);
}

/* In the customer's currency and, _bcy, in the organisation's. */
static void contact_refresh(struct fin *r)
{
    const struct fin *currency = fin_find_text(r->org, FIN_CURRENCIES, fin_get(r, "currency_id"));
    money rate = currency ? fin_money(currency, "exchange_rate") : MONEY_ONE, base = r->total, unused = r->credited;
    money_multiply(r->total, rate, fin_precision(r->org), &base);
    money_multiply(r->credited, rate, fin_precision(r->org), &unused);
    fin_set_money(r, "outstanding_receivable_amount", r->total);
    fin_set_money(r, "outstanding_receivable_amount_bcy", base);
    fin_set_money(r, "unused_credits_receivable_amount", r->credited);
    fin_set_money(r, "unused_credits_receivable_amount_bcy", unused);
}

void ledger_refresh(struct fin_org *o)
{
    int64_t today = fin_today(o);
    if (!o->stale && o->today == today)
        return;
    o->stale = false;
    o->today = today;
    const struct fin_list *contacts = &o->lists[FIN_CONTACTS];
    for (size_t i = 0; i < contacts->n; i++) {
        contacts->rows[i]->total = 0;
        fin_set(contacts->rows[i], "has_transaction", contacts->rows[i]->credited ? STR("true") : (str){0});
    }
    for (int kind = FIN_INVOICES; kind <= FIN_ESTIMATES; kind++) {
        for (size_t i = 0; i < o->lists[kind].n; i++) {
            struct fin *r = o->lists[kind].rows[i];
            if (r->gone)
                continue;
            fin_set(r, "customer_name", fin_get(r->owner, "contact_name"));
            fin_set(r->owner, "has_transaction", STR("true"));
            if (kind == FIN_INVOICES)
                invoice_refresh(r, today);
            else
                estimate_refresh(r, today);
        }
    }
    for (size_t i = 0; i < contacts->n; i++)
        contact_refresh(contacts->rows[i]);
}

void ledger_release(struct fin *invoice)
{
    invoice->owner->credited += invoice->paid + invoice->credited;
    invoice->paid = invoice->credited = invoice->written_off = 0;
    invoice->org->stale = true;
}

bool ledger_has_transactions(const struct fin *contact)
{
    ledger_refresh(contact->org);
    return fin_true(contact, "has_transaction");
}
