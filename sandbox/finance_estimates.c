/* Estimates: draft, sent, viewed, accepted or declined, invoiced; expired when their day has passed.
 * Vendor: https://www.zoho.com/books/api/v3/estimates/. */
#include "finance_document.h"

#include "times.h"

static const struct fin_field estimate_fields[] = {
    {"status", FIN_ENUM, 0, FIN_LISTED, "draft,sent,viewed,accepted,declined,invoiced,expired"},
    DOCUMENT_FIELDS("estimate_number", "expiry_date"),
    {"accepted_date", FIN_DATE, 0, FIN_LISTED, NULL},
    {"declined_date", FIN_DATE, 0, FIN_LISTED, NULL},
};

static int estimate_status_fits(const struct fin *r, str status)
{
    static const char *const others[] = {"pending_approval",  "approved", "partially_invoiced", "signed", "rejected",
                                         "pending_signature", "Pending",  "MyApprovals"};
    str rest = str_of(estimate_fields[0].options), one;
    while (str_split(&rest, ',', &one)) {
        if (str_eq_nocase(one, status))
            return !r || str_eq(one, fin_get(r, "status"));
    }
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        if (str_eq_nocase(status, str_of(others[i])))
            return 0;
    }
    return -1;
}

const struct fin_kind fin_estimate = {
    .name = "estimates",
    .one = "estimate",
    .id_name = "estimate_id",
    .title = "Estimate",
    .fields = estimate_fields,
    .n = ARRAY_LEN(estimate_fields),
    .nested = DOCUMENT_NESTED,
    .sorts = "created_time,customer_name,estimate_number,date,total,last_modified_time",
    .filters = "estimate_number,reference_number,customer_id,customer_name,item_id,item_name,item_description,total,"
               "custom_field,date,expiry_date,zcrm_potential_id",
    .search = "estimate_number,reference_number,customer_name",
    .newest_first = true,
    .modified_filter = true,
    .read_nested = document_read,
    .put_nested = document_put,
    .status_fits = estimate_status_fits,
};

/* ---- writes ------------------------------------------------------------- */

static void create(struct call *c, const struct sj *body)
{
    struct fin *r = body ? document_write(c, FIN_ESTIMATES, NULL, body) : NULL;
    if (!r)
        return;
    if (fin_query_true(c, "send"))
        mail_send_default(c, r);
    fin_answer(c, 201, "The estimate has been created", r);
}

static void update(struct call *c, struct fin *r, const struct sj *body)
{
    if (body && document_is(r, "invoiced")) {
        document_state_refused(c, r);
        return;
    }
    r = body ? document_write(c, FIN_ESTIMATES, r, body) : NULL;
    if (r)
        fin_answer(c, 200, "Estimate information has been updated.", r);
}

void fin_h_estimates(struct call *c)
{
    fin_list_answer(c, FIN_ESTIMATES);
}

void fin_h_estimate_create(struct call *c)
{
    create(c, fin_body(c));
}

void fin_h_estimate_update(struct call *c)
{
    struct fin *r = fin_wanted(c, FIN_ESTIMATES);
    if (r)
        update(c, r, fin_body(c));
}

void fin_h_estimate_upsert(struct call *c)
{
    const struct sj *body;
    struct fin *r;
    if (!fin_custom_upsert(c, FIN_ESTIMATES, &r, &body))
        return;
    if (r)
        update(c, r, body);
    else
        create(c, body);
}

void fin_h_estimate_get(struct call *c)
{
    struct fin *r = fin_wanted(c, FIN_ESTIMATES);
    if (r && !pdf_asked(c, &r, 1))
        fin_answer(c, 200, "success", r);
}

void fin_h_estimate_delete(struct call *c)
{
    struct fin *r = fin_wanted(c, FIN_ESTIMATES);
    if (!r)
        return;
    if (document_is(r, "invoiced")) {
        document_state_refused(c, r);
        return;
    }
    r->gone = true;
    r->org->stale = true;
    fin_done(c, 200, "The estimate has been deleted.");
}

/* ---- status ------------------------------------------------------------- */

/* The day of the answer stands beside it. */
static void answered(struct call *c, const char *field)
{
    struct finance *f = c->self;
    struct fin *r = c->status == 200 ? fin_find_text(f->org, FIN_ESTIMATES, c->capture[0]) : NULL;
    if (!r)
        return;
    AUTO(buf_done) struct buf b = {0};
    date_format(&b, fin_today(f->org));
    fin_set(r, field, buf_lent(&b));
}

void fin_h_estimate_sent(struct call *c)
{
    document_status(c, FIN_ESTIMATES, "draft", "sent", "Estimate status has been changed to Sent");
}

void fin_h_estimate_accepted(struct call *c)
{
    document_status(c, FIN_ESTIMATES, "sent,viewed", "accepted", "Estimate status has been changed to Accepted.");
    answered(c, "accepted_date");
}

void fin_h_estimate_declined(struct call *c)
{
    document_status(c, FIN_ESTIMATES, "sent,viewed", "declined", "Estimate status has been changed to Declined.");
    answered(c, "declined_date");
}
