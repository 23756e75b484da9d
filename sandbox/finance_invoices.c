/* Invoices: draft, sent, viewed, void; partly paid, paid and overdue follow from payments and days.
 * Vendor: https://www.zoho.com/books/api/v3/invoices/. */
#include "finance_document.h"

#include "times.h"

static const struct fin_field invoice_fields[] = {
    {"status", FIN_ENUM, 0, FIN_LISTED, "draft,sent,viewed,overdue,paid,partially_paid,void"},
    DOCUMENT_FIELDS("invoice_number", "due_date"),
    {"due_days", FIN_TEXT, 0, FIN_LISTED, NULL},
    {"payment_terms", FIN_INT, 0, FIN_SENT, NULL},
    {"payment_terms_label", FIN_TEXT, 100, FIN_SENT, NULL},
    {"balance", FIN_MONEY, 0, FIN_LISTED, NULL},
    {"payment_made", FIN_MONEY, 0, 0, NULL},
    {"credits_applied", FIN_MONEY, 0, 0, NULL},
    {"write_off_amount", FIN_MONEY, 0, FIN_LISTED, NULL},
    {"last_payment_date", FIN_DATE, 0, FIN_LISTED, NULL},
    {"payment_expected_date", FIN_DATE, 0, FIN_LISTED, NULL},
    {"invoiced_estimate_id", FIN_ID, 0, FIN_SENT, NULL},
    {"allow_partial_payments", FIN_BOOL, 0, FIN_SENT, NULL},
    {"can_send_in_mail", FIN_BOOL, 0, 0, NULL},
};

static bool invoice_read_nested(struct call *c, struct fin *draft, const struct sj *body)
{
    str id = fin_get(draft, "invoiced_estimate_id");
    const struct fin *estimate = id.n ? fin_find_text(draft->org, FIN_ESTIMATES, id) : NULL;
    if (id.n && !estimate)
        return fin_invalid(c, "invoiced_estimate_id");
    if (sj_get(body, "payment_terms") && fin_int(draft, "payment_terms") < 0)
        return fin_invalid(c, "payment_terms");
    fin_set(draft, "can_send_in_mail", STR("true"));
    return document_read(c, draft, body);
}

static int invoice_status_fits(const struct fin *r, str status)
{
    static const char words[] = "draft,sent,viewed,overdue,paid,partially_paid,void,unpaid";
    AUTO(text_free) char *want = NULL;
    str rest = str_of(words), one;
    while (str_split(&rest, ',', &one)) {
        AUTO(text_free) char *plain = str_dup(one);
        char *bar = strchr(plain, '_'); /* filter_by says PartiallyPaid */
        if (bar)
            memmove(bar, bar + 1, strlen(bar));
        if (str_eq(one, status) || str_eq_nocase(str_of(plain), status))
            want = str_dup(one);
    }
    if (!want)
        return -1;
    if (!r)
        return 1;
    if (strcmp(want, "unpaid") == 0)
        return str_in_list(STR("sent,viewed,overdue,partially_paid"), fin_get(r, "status"));
    return str_is(fin_get(r, "status"), want);
}

const struct fin_kind fin_invoice = {
    .name = "invoices",
    .one = "invoice",
    .id_name = "invoice_id",
    .title = "Invoice",
    .fields = invoice_fields,
    .n = ARRAY_LEN(invoice_fields),
    .nested = DOCUMENT_NESTED,
    .sorts = "created_time,customer_name,invoice_number,date,due_date,total,balance",
    .filters = "invoice_number,reference_number,customer_id,customer_name,item_id,item_name,item_description,total,"
               "balance,custom_field,date,due_date,zcrm_potential_id",
    .search = "invoice_number,reference_number,customer_name",
    .newest_first = true,
    .modified_filter = true,
    .read_nested = invoice_read_nested,
    .put_nested = document_put,
    .status_fits = invoice_status_fits,
};

/* ---- writes ------------------------------------------------------------- */

/* The estimate an invoice is made from: accepted or sent, and invoiced then. */
static struct fin *estimate_of(const struct fin_org *o, const struct sj *body)
{
    const struct sj *id = sj_get(body, "invoiced_estimate_id");
    return id ? fin_find_text(o, FIN_ESTIMATES, id->text) : NULL;
}

static void create(struct call *c, const struct sj *body)
{
    struct finance *f = c->self;
    struct fin *estimate = body ? estimate_of(f->org, body) : NULL;
    if (estimate && !document_is(estimate, "sent,viewed,accepted")) {
        document_state_refused(c, estimate);
        return;
    }
    struct fin *r = body ? document_write(c, FIN_INVOICES, NULL, body) : NULL;
    if (!r)
        return;
    if (estimate)
        document_move(estimate, "invoiced");
    if (fin_query_true(c, "send"))
        mail_send_default(c, r);
    fin_answer(c, 201, "The invoice has been created.", r);
}

static void update(struct call *c, struct fin *r, const struct sj *body)
{
    if (body && document_is(r, "void")) {
        document_state_refused(c, r);
        return;
    }
    r = body ? document_write(c, FIN_INVOICES, r, body) : NULL;
    if (r)
        fin_answer(c, 200, "Invoice information has been updated.", r);
}

void fin_h_invoices(struct call *c)
{
    fin_list_answer(c, FIN_INVOICES);
}

void fin_h_invoice_create(struct call *c)
{
    create(c, fin_body(c));
}

void fin_h_invoice_update(struct call *c)
{
    struct fin *r = fin_wanted(c, FIN_INVOICES);
    if (r)
        update(c, r, fin_body(c));
}

void fin_h_invoice_upsert(struct call *c)
{
    const struct sj *body;
    struct fin *r;
    if (!fin_custom_upsert(c, FIN_INVOICES, &r, &body))
        return;
    if (r)
        update(c, r, body);
    else
        create(c, body);
}

void fin_h_invoice_get(struct call *c)
{
    struct fin *r = fin_wanted(c, FIN_INVOICES);
    if (r && !pdf_asked(c, &r, 1))
        fin_answer(c, 200, "success", r);
}

void fin_h_invoice_delete(struct call *c)
{
    struct fin *r = fin_wanted(c, FIN_INVOICES);
    if (!r)
        return;
    if (r->paid + r->credited + r->written_off) {
        document_state_refused(c, r);
        return;
    }
    r->gone = true;
    r->org->stale = true;
    fin_done(c, 200, "The invoice has been deleted.");
}

/* ---- status ------------------------------------------------------------- */

void fin_h_invoice_sent(struct call *c)
{
    document_status(c, FIN_INVOICES, "draft", "sent", "Invoice status has been changed to Sent.");
}

void fin_h_invoice_void(struct call *c)
{
    document_status(c, FIN_INVOICES, "draft,sent,viewed", "void", "Invoice status has been changed to Void.");
    struct finance *f = c->self;
    struct fin *r = c->status == 200 ? fin_find_text(f->org, FIN_INVOICES, c->capture[0]) : NULL;
    if (r)
        ledger_release(r);
}

void fin_h_invoice_draft(struct call *c)
{
    document_status(c, FIN_INVOICES, "void", "draft", "Status of invoice changed from void to draft");
}

/* What is open is given up, or is owed again. */
void fin_h_invoice_writeoff(struct call *c)
{
    struct fin *r = fin_wanted(c, FIN_INVOICES);
    money open = r ? r->total - r->paid - r->credited - r->written_off : 0;
    if (!r)
        return;
    if (document_is(r, "draft,void") || !open) {
        document_state_refused(c, r);
        return;
    }
    r->written_off += open;
    fin_touch(r);
    fin_done(c, 200, "Invoice has been written off");
}

void fin_h_invoice_writeoff_cancel(struct call *c)
{
    struct fin *r = fin_wanted(c, FIN_INVOICES);
    if (!r)
        return;
    if (!r->written_off) {
        document_state_refused(c, r);
        return;
    }
    r->written_off = 0;
    fin_touch(r);
    fin_done(c, 200, "The write off done for this invoice has been cancelled.");
}

static struct fin *invoice_of(struct fin_org *o, const struct fin *estimate)
{
    static const char *const taken[] = {"customer_id",
                                        "currency_id",
                                        "currency_code",
                                        "exchange_rate",
                                        "discount",
                                        "discount_type",
                                        "is_discount_before_tax",
                                        "is_inclusive_tax",
                                        "shipping_charge",
                                        "adjustment",
                                        "notes",
                                        "terms"};
    struct fin *r = document_new(o, FIN_INVOICES);
    r->owner = estimate->owner;
    for (size_t i = 0; i < ARRAY_LEN(taken); i++)
        fin_set(r, taken[i], fin_get(estimate, taken[i]));
    for (size_t i = 0; i < estimate->sub_n; i++) {
        struct fin *line = fin_copy(estimate->sub[i]);
        line->id = o->finance->next_id += 2;
        fin_sub_add(r, line);
    }
    AUTO(buf_done) struct buf today = {0};
    date_format(&today, fin_today(o));
    fin_set(r, "date", buf_lent(&today));
    fin_set(r, "due_date", buf_lent(&today));
    fin_set(r, "reference_number", fin_get(estimate, "estimate_number"));
    fin_set_int(r, "invoiced_estimate_id", estimate->id);
    fin_set(r, "can_send_in_mail", STR("true"));
    ASSERT(ledger_total(r)); /* the estimate's could be computed */
    return r;
}

/* One invoice per estimate, with its lines; the answer names none of them. */
void fin_h_invoices_from_estimates(struct call *c)
{
    enum { AT_ONCE = 25 };
    struct finance *f = c->self;
    struct fin *estimates[AT_ONCE];
    size_t n = documents_named(c, FIN_ESTIMATES, "estimate_ids", AT_ONCE, estimates);
    for (size_t i = 0; i < n; i++) {
        if (!document_is(estimates[i], "sent,viewed,accepted")) {
            document_state_refused(c, estimates[i]);
            return;
        }
    }
    for (size_t i = 0; i < n; i++) {
        if (!document_is(estimates[i], "invoiced"))
            fin_add(invoice_of(f->org, estimates[i]));
        document_move(estimates[i], "invoiced");
    }
    if (n)
        fin_done(c, 200, "The invoices have been created.");
}
