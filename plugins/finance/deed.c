/* Status, mail and PDF of invoices and estimates [OAS:invoices, OAS:estimates]. */
#include "finance.h"

tl_status fin_act_status(struct fin_deed *d, tl_error *e)
{
    const tlk_node *root = NULL;
    bool ended;
    tl_http r;
    tlk_url u = fin_deed_url(d, "/status/");
    tlk_add(&u.b, fin_deed_status(d));
    fin_request(d->c, &r, "POST", &u, TL_HTTP_WRITE);
    tl_status rc = fin_deed_send(d, &r, &root, &ended, e);
    return ended ? rc : fin_deed_reread(d, e);
}

/* To whom, what, and always with the document attached. */
tl_status fin_act_send(struct fin_deed *d, tl_error *e)
{
    TLK_AUTO_WRITER w = {0};
    const tlk_node *root = NULL;
    const tl_record *rec = d->act->record;
    bool ended;
    tl_http r;
    tlk_w_object(&w);
    for (uint32_t i = 0; i < rec->n_values; i++) {
        const tl_value *v = &rec->values[i];
        const tl_field *f = v->field < d->act->shape->n_fields ? tlk_field(d->act->shape, v->field) : NULL;
        if (!f || (f->flags & TL_F_READONLY) || v->type == TL_NULL)
            continue;
        tlk_w_key(&w, f->name);
        tlk_value_write(&w, f, v, &fin_rules);
    }
    tlk_w_end_object(&w);
    tlk_url u = fin_deed_url(d, "/email");
    tlk_url_add(&u, "send_attachment", TL_STR("true"));
    fin_request(d->c, &r, "POST", &u, TL_HTTP_WRITE);
    fin_body(d->c, &r, tlk_w_lent(&w));
    tl_status rc = fin_deed_send(d, &r, &root, &ended, e);
    return ended ? rc : fin_deed_reread(d, e);
}

/* ---- the document as a file */

/* A refusal comes as JSON, also where the status is that of a success. */
static tl_status pdf_judge(struct fin_deed *d, const tl_http *r, tl_error *e)
{
    const tlk_node *root = NULL;
    tl_status rc = fin_answer(d->c, r, &root, e);
    if (rc != TL_OK || tlk_starts(tlk_answer_header(r, "content-type"), "application/pdf"))
        return rc;
    return tlk_fail_record(e, TL_E_TEMPORARY, TL_R_OTHER, "", "%s answered with something that is no PDF",
                           d->c->product->title);
}

static tl_status pdf_fetch(struct fin_deed *d, uint64_t file, tl_error *e)
{
    tl_http r;
    tlk_url u = fin_deed_url(d, "");
    tlk_url_add(&u, "accept", TL_STR("pdf"));
    fin_request(d->c, &r, "GET", &u, 0);
    r.out_blob = file;
    tl_status rc = d->c->host->http(d->c->host, &r, 1, e);
    return rc == TL_OK ? pdf_judge(d, &r, e) : rc;
}

tl_status fin_act_pdf(struct fin_deed *d, tl_error *e)
{
    tl_conn *c = d->c;
    const tlk_node *now = NULL;
    tl_error own = {.struct_size = sizeof(own)};
    uint64_t file = 0;
    tl_status rc = c->host->blob_new(c->host, "document", &file);
    if (rc != TL_OK)
        return tlk_fail(e, rc, "there is no room for the document");
    rc = pdf_fetch(d, file, &own);
    if (rc == TL_OK)
        rc = fin_deed_read(d, &now, &own);
    if (rc != TL_OK)
        return fin_deed_refuse(d, rc, &own, e);
    tl_str number = tlk_text_at(now, d->rd.kind->fields[0].name, &c->page); /* "invoice_number" */
    const tl_blob about = {.struct_size = sizeof(about),
                           .name = tlk_fmt(&c->call, "%.*s.pdf", TLK_FMT(number.n ? number : d->act->record->id)),
                           .media_type = TL_STR("application/pdf")};
    rc = c->host->blob_describe(c->host, file, &about);
    return rc == TL_OK ? fin_deed_done(d, now, file, false, e) : tlk_refused(rc, e);
}
