/* Documents as files: a small real PDF (ISO 32000-1, 7.5), one page a document, or an HTML page.
 * Vendor: https://www.zoho.com/books/api/v3/invoices/ (accept, print; at most 25 at once). */
#include "finance_document.h"

enum { AT_ONCE = 25, OBJECTS_MAX = 3 + 2 * AT_ONCE };

struct pdf {
    struct buf *out;
    size_t at[OBJECTS_MAX]; /* where each object begins */
    int n;
};

static void object_begin(struct pdf *p)
{
    p->at[p->n++] = p->out->n;
    buf_fmt(p->out, "%d 0 obj\n", p->n);
}

static void object_end(struct pdf *p)
{
    buf_text_add(p->out, "\nendobj\n");
}

/* A literal string of the standard fonts: what is not ASCII is shown as a question mark. */
static void text_put(struct buf *b, str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (((unsigned char)c & 0xC0) == 0x80)
            continue;
        if (c == '(' || c == ')' || c == '\\')
            buf_char(b, '\\');
        buf_char(b, c >= ' ' && c < 0x7F ? c : '?');
    }
}

static void line_put(struct buf *b, const char *label, str value)
{
    buf_fmt(b, "(%s", label);
    text_put(b, value);
    buf_text_add(b, ") Tj T*\n");
}

static void page_text(struct buf *b, const struct fin *r)
{
    AUTO(buf_done) struct buf total = {0};
    money_put(&total, r->total, fin_precision(r->org));
    buf_text_add(b, "BT /F1 12 Tf 72 760 Td 18 TL\n");
    line_put(b, "", fin_get(r->org->record, "name"));
    AUTO(text_free) char *title = text_fmt("%s ", r->kind->title);
    line_put(b, title, fin_get(r, document_number(r->kind)));
    line_put(b, "Customer: ", fin_get(r->owner, "contact_name"));
    line_put(b, "Date: ", fin_get(r, "date"));
    for (size_t i = 0; i < r->sub_n; i++)
        line_put(b, "- ", fin_get(r->sub[i], "name"));
    AUTO(text_free) char *sum = text_fmt("Total (%.*s): ", STR_FMT(fin_get(r, "currency_code")));
    line_put(b, sum, buf_lent(&total));
    buf_text_add(b, "ET");
}

static void pdf_put(struct buf *out, struct fin *const *documents, size_t n)
{
    struct pdf p = {.out = out};
    buf_clear(out);
    buf_text_add(out, "%PDF-1.4\n");
    object_begin(&p);
    buf_text_add(out, "<</Type/Catalog/Pages 2 0 R>>");
    object_end(&p);
    object_begin(&p);
    buf_text_add(out, "<</Type/Pages/Kids[");
    for (size_t i = 0; i < n; i++)
        buf_fmt(out, "%d 0 R ", (int)(4 + 2 * i));
    buf_fmt(out, "]/Count %d>>", (int)n);
    object_end(&p);
    object_begin(&p);
    buf_text_add(out, "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>");
    object_end(&p);
    for (size_t i = 0; i < n; i++) {
        AUTO(buf_done) struct buf text = {0};
        page_text(&text, documents[i]);
        object_begin(&p);
        buf_fmt(out,
                "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F1 3 0 R>>>>/Contents %d 0 R>>",
                p.n + 1);
        object_end(&p);
        object_begin(&p);
        buf_fmt(out, "<</Length %zu>>\nstream\n%s\nendstream", text.n, buf_text(&text));
        object_end(&p);
    }
    size_t table = out->n;
    buf_fmt(out, "xref\n0 %d\n0000000000 65535 f \n", p.n + 1);
    for (int i = 0; i < p.n; i++)
        buf_fmt(out, "%010zu 00000 n \n", p.at[i]);
    buf_fmt(out, "trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%zu\n%%%%EOF\n", p.n + 1, table);
}

static void pdf_answer(struct call *c, struct fin *const *documents, size_t n)
{
    pdf_put(&c->out, documents, n);
    c->content_type = "application/pdf";
    call_answer(c, 200);
}

static void html_answer(struct call *c, const struct fin *r)
{
    call_answer_fmt(c, 200, "<html><head><title>%.*s</title></head><body><h1>%s %.*s</h1></body></html>\n",
                    STR_FMT(fin_get(r, document_number(r->kind))), r->kind->title,
                    STR_FMT(fin_get(r, document_number(r->kind))));
    c->content_type = "text/html;charset=UTF-8";
}

bool pdf_asked(struct call *c, struct fin *const *documents, size_t n)
{
    str accept = {0};
    call_query(c, "accept", &accept);
    bool by_header =
        twin_switch(c->twin, "accept_header") && str_starts(call_header(c, "Accept"), STR("application/pdf"));
    if (str_is(accept, "pdf") || fin_query_true(c, "print") || (!accept.n && by_header))
        pdf_answer(c, documents, n);
    else if (str_is(accept, "html"))
        html_answer(c, documents[0]);
    else if (accept.n && !str_is(accept, "json"))
        fin_invalid(c, "accept");
    return c->status != 0;
}

static void pdf_many(struct call *c, int kind, const char *param)
{
    struct fin *documents[AT_ONCE];
    size_t n = documents_named(c, kind, param, AT_ONCE, documents);
    if (n)
        pdf_answer(c, documents, n);
}

void fin_h_invoices_pdf(struct call *c)
{
    pdf_many(c, FIN_INVOICES, "invoice_ids");
}

void fin_h_estimates_pdf(struct call *c)
{
    pdf_many(c, FIN_ESTIMATES, "estimate_ids");
}
