/* The kinds this connector knows, and what their fields are called in the vocabulary [B:contacts, OAS:contacts]. */
#include "finance.h"

enum { RO = TL_F_READONLY };

/* Names and addresses of the primary contact person lie at the top of a contact too; records are read from there.
 * push.c writes them to the person. */
static const struct fin_field contact_fields[] = {
    {"first_name", "first_name", "First Name", TL_TEXT, 100, TL_F_MATCH, NULL, true},
    {"last_name", "last_name", "Last Name", TL_TEXT, 100, TL_F_MATCH, NULL, true},
    {"email", "email", "Email", TL_EMAIL, 100, TL_F_MATCH, NULL, true},
    {"phone", "phone", "Work Phone", TL_PHONE, 50, TL_F_MATCH, NULL, true},
    {"mobile", "mobile", "Mobile", TL_PHONE, 50, 0, NULL, true},
    {"description", "notes", "Remarks", TL_MULTILINE, 0, 0, NULL, false},
    {"address.street", "billing_address.address", "Billing Street", TL_TEXT, 500, 0, NULL, false},
    {"address.city", "billing_address.city", "Billing City", TL_TEXT, 100, 0, NULL, false},
    {"address.state", "billing_address.state", "Billing State", TL_TEXT, 100, 0, NULL, false},
    {"address.postal_code", "billing_address.zip", "Billing ZIP Code", TL_TEXT, 50, 0, NULL, false},
    {"address.country", "billing_address.country", "Billing Country", TL_TEXT, 100, 0, NULL, false},
    {"currency", "currency_code", "Currency", TL_TEXT, 0, RO, NULL, true},
    {"payment_terms", "payment_terms", "Payment Terms (days)", TL_TEXT, 20, 0, NULL, true},
    {"balance.credits", "unused_credits_receivable_amount", "Unused Credits", TL_DECIMAL, 0, RO, NULL, true},
    {"balance.receivable", "outstanding_receivable_amount", "Outstanding Receivables", TL_DECIMAL, 0, RO, NULL, true},
    {"balance.payable", "outstanding_payable_amount", "Outstanding Payables", TL_DECIMAL, 0, RO, NULL, true},
    {"x.contact_name", "contact_name", "Display Name", TL_TEXT, 200, TL_F_MATCH | TL_F_UNIQUE, NULL, true},
    {"x.company_name", "company_name", "Company Name", TL_TEXT, 200, TL_F_MATCH, NULL, true},
    {"x.contact_number", "contact_number", "Customer Number", TL_TEXT, 200, 0, NULL, false},
    {"x.customer_sub_type", "customer_sub_type", "Customer Type", TL_CHOICE, 0, 0, "individual,business", false},
    {"x.credit_limit", "credit_limit", "Credit Limit", TL_DECIMAL, 0, 0, NULL, false},
    {"x.status", "status", "Status", TL_CHOICE, 0, RO, "active,inactive", true},
    {"x.website", "website", "Website", TL_URL, 255, 0, NULL, false},
    {"x.language_code", "language_code", "Language", TL_TEXT, 10, 0, NULL, false},
    {"x.shipping_street", "shipping_address.address", "Shipping Street", TL_TEXT, 500, 0, NULL, false},
    {"x.shipping_city", "shipping_address.city", "Shipping City", TL_TEXT, 100, 0, NULL, false},
    {"x.shipping_state", "shipping_address.state", "Shipping State", TL_TEXT, 100, 0, NULL, false},
    {"x.shipping_postal_code", "shipping_address.zip", "Shipping ZIP Code", TL_TEXT, 50, 0, NULL, false},
    {"x.shipping_country", "shipping_address.country", "Shipping Country", TL_TEXT, 100, 0, NULL, false},
};

/* The lines of an invoice or estimate [OAS:invoices, OAS:estimates]. */
static const struct fin_field line_columns[] = {
    {"id", "line_item_id", "Line", TL_TEXT, 0, 0, NULL, false},
    {"item", "item_id", "Item", TL_REF, 0, 0, "product", false},
    {"name", "name", "Name", TL_TEXT, 200, 0, NULL, false},
    {"description", "description", "Description", TL_MULTILINE, 2000, 0, NULL, false},
    {"quantity", "quantity", "Quantity", TL_DECIMAL, 0, 0, NULL, false},
    {"rate", "rate", "Rate", TL_DECIMAL, 0, 0, NULL, false},
    {"amount", "item_total", "Amount", TL_DECIMAL, 0, RO, NULL, false},
    {"x.unit", "unit", "Unit", TL_TEXT, 100, 0, NULL, false},
    {"x.discount", "discount", "Discount", TL_TEXT, 0, RO, NULL, false},
    {"x.tax", "tax_id", "Tax", TL_REF, 0, 0, "tax", false},
    {"x.tax_percentage", "tax_percentage", "Tax in Percent", TL_DECIMAL, 0, RO, NULL, false},
};

static const struct fin_field invoice_fields[] = {
    {"number", "invoice_number", "Invoice Number", TL_TEXT, 100, RO | TL_F_MATCH, NULL, true},
    {"status", "status", "Status", TL_CHOICE, 0, RO,
     "draft,pending_approval,approved,sent,viewed,unpaid,overdue,partially_paid,paid,void", true},
    {"total", "total", "Total", TL_DECIMAL, 0, RO, NULL, true},
    {"balance", "balance", "Balance", TL_DECIMAL, 0, RO, NULL, true},
    {"currency", "currency_code", "Currency", TL_TEXT, 0, RO, NULL, true},
    {"date", "date", "Date", TL_DATE, 0, RO, NULL, true},
    {"due", "due_date", "Due Date", TL_DATE, 0, RO, NULL, true},
    {"customer", "customer_id", "Customer", TL_REF, 0, RO, "contact", true},
    {"reference", "reference_number", "Reference", TL_TEXT, 100, RO | TL_F_MATCH, NULL, true},
    {"sent", "is_emailed", "Sent by E-mail", TL_BOOL, 0, RO, NULL, true},
    {"notes", "notes", "Customer Notes", TL_MULTILINE, 5000, RO, NULL, false},
    {"terms", "terms", "Terms & Conditions", TL_MULTILINE, 10000, RO, NULL, false},
    {"lines", "line_items", "Lines", TL_ROWS, 0, RO, NULL, false},
    {"x.customer_name", "customer_name", "Customer Name", TL_TEXT, 0, RO, NULL, true},
    {"x.sub_total", "sub_total", "Sub Total", TL_DECIMAL, 0, RO, NULL, false},
    {"x.tax_total", "tax_total", "Tax", TL_DECIMAL, 0, RO, NULL, false},
};

static const struct fin_field estimate_fields[] = {
    {"number", "estimate_number", "Estimate Number", TL_TEXT, 100, RO | TL_F_MATCH, NULL, true},
    {"status", "status", "Status", TL_CHOICE, 0, RO,
     "draft,pending_approval,approved,sent,viewed,accepted,declined,invoiced,partially_invoiced,expired", true},
    {"total", "total", "Total", TL_DECIMAL, 0, RO, NULL, true},
    {"currency", "currency_code", "Currency", TL_TEXT, 0, RO, NULL, true},
    {"date", "date", "Date", TL_DATE, 0, RO, NULL, true},
    {"expires", "expiry_date", "Expiry Date", TL_DATE, 0, RO, NULL, true},
    {"customer", "customer_id", "Customer", TL_REF, 0, RO, "contact", true},
    {"reference", "reference_number", "Reference", TL_TEXT, 100, RO | TL_F_MATCH, NULL, true},
    {"sent", "is_emailed", "Sent by E-mail", TL_BOOL, 0, RO, NULL, true},
    {"notes", "notes", "Customer Notes", TL_MULTILINE, 5000, RO, NULL, false},
    {"terms", "terms", "Terms & Conditions", TL_MULTILINE, 10000, RO, NULL, false},
    {"lines", "line_items", "Lines", TL_ROWS, 0, RO, NULL, false},
    {"x.customer_name", "customer_name", "Customer Name", TL_TEXT, 0, RO, NULL, true},
    {"x.sub_total", "sub_total", "Sub Total", TL_DECIMAL, 0, RO, NULL, false},
    {"x.tax_total", "tax_total", "Tax", TL_DECIMAL, 0, RO, NULL, false},
};

const struct fin_kind fin_kinds[] = {
    {.kind = "contact",
     .label = "Customers",
     .many = "contacts",
     .one = "contact",
     .id = "contact_id",
     .fields = contact_fields,
     .n_fields = TLK_LEN(contact_fields),
     .synced = true},
    {.kind = "invoice",
     .label = "Invoices",
     .many = "invoices",
     .one = "invoice",
     .id = "invoice_id",
     .fields = invoice_fields,
     .n_fields = TLK_LEN(invoice_fields),
     .columns = line_columns,
     .n_columns = TLK_LEN(line_columns),
     .about = "contact",
     .filters = "draft,sent,viewed,unpaid,overdue,partially_paid,paid,void"},
    {.kind = "estimate",
     .label = "Estimates",
     .many = "estimates",
     .one = "estimate",
     .id = "estimate_id",
     .fields = estimate_fields,
     .n_fields = TLK_LEN(estimate_fields),
     .columns = line_columns,
     .n_columns = TLK_LEN(line_columns),
     .about = "contact",
     .filters = "draft,sent,viewed,accepted,declined,invoiced,expired"},
};
const uint32_t fin_n_kinds = TLK_LEN(fin_kinds);

const struct fin_kind *fin_kind_of(tl_str kind)
{
    return tlk_row_by(fin_kinds, fin_n_kinds, kind, kind);
}
