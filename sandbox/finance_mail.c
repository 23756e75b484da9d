/* Mail of documents: what would be sent is kept in an outbox that the control plane shows.
 * Vendor: https://www.zoho.com/books/api/v3/invoices/, .../estimates/ ("email"). */
#include <stdio.h>
#include <stdlib.h>

#include "finance_document.h"

enum { SUBJECT_MAX = 1000, BODY_MAX = 5000, AT_ONCE = 10, RECIPIENTS_MAX = 50, CODE_RECIPIENT = 2 };

struct outbox {
    struct buf mails; /* JSON objects */
    int64_t n;
};

struct mail {
    struct buf to, cc; /* JSON strings */
    str subject, body;
    bool attachment, statement;
};

static void mail_done(struct mail *m)
{
    buf_done(&m->to);
    buf_done(&m->cc);
}
AUTO_DONE(struct mail, mail_done)

void outbox_put(const struct finance *f, struct buf *b)
{
    buf_char(b, '[');
    if (f->outbox)
        buf_str(b, buf_lent(&f->outbox->mails));
    buf_char(b, ']');
}

void outbox_clear(struct finance *f)
{
    f->outbox = outbox_free(f->outbox);
}

struct outbox *outbox_free(struct outbox *o)
{
    if (o)
        buf_done(&o->mails);
    free(o);
    return NULL;
}

static void post(struct finance *f, const struct fin *document, const struct mail *m)
{
    if (!f->outbox)
        f->outbox = calloc(1, sizeof *f->outbox);
    ASSERT(f->outbox != NULL);
    struct buf *b = &f->outbox->mails;
    str number = fin_get(document, document_number(document->kind));
    if (b->n)
        buf_char(b, ',');
    buf_char(b, '{');
    json_put_int(b, "number_in_outbox", ++f->outbox->n);
    json_put_member(b, "kind", str_of(document->kind->name));
    json_put_int(b, "document_id", document->id);
    json_put_member(b, "document_number", number);
    json_put_raw(b, "to", STR("["));
    buf_str(b, buf_lent(&m->to));
    buf_char(b, ']');
    json_put_raw(b, "cc", STR("["));
    buf_str(b, buf_lent(&m->cc));
    buf_char(b, ']');
    json_put_member(b, "subject", m->subject);
    json_put_member(b, "body", m->body);
    json_put_bool(b, "statement", m->statement);
    json_put_bool(b, "attachment", m->attachment);
    AUTO(text_free) char *file = text_fmt("%.*s.pdf", STR_FMT(number));
    json_put_member(b, "file_name", m->attachment ? str_of(file) : STR(""));
    buf_char(b, '}');
}

/* A draft that was mailed is sent: UNCONFIRMED, so a switch. */
static void mailed(struct finance *f, struct fin *document)
{
    fin_set(document, "is_emailed", STR("true"));
    if (twin_switch(f->twin, "mail_marks_sent") && document_is(document, "draft"))
        document_move(document, "sent");
    fin_touch(document);
}

/* ---- what is sent ------------------------------------------------------- */

static void recipient_add(struct buf *b, str address)
{
    if (b->n)
        buf_char(b, ',');
    json_put(b, address);
}

/* The persons the document names, else the customer's primary one. */
static void default_recipients(const struct fin *document, struct buf *to)
{
    str chosen = fin_get(document, "persons");
    for (size_t i = 0; i < document->owner->sub_n; i++) {
        const struct fin *person = document->owner->sub[i];
        char id[24];
        snprintf(id, sizeof id, "%lld", (long long)person->id);
        bool wanted = chosen.n ? str_in_list(chosen, str_of(id)) : fin_true(person, "is_primary_contact");
        if (wanted && fin_get(person, "email").n)
            recipient_add(to, fin_get(person, "email"));
    }
}

static char *default_subject(struct call *c, const struct fin *document)
{
    return arena_fmt(&c->arena, "%s - %.*s from %.*s", document->kind->title,
                     STR_FMT(fin_get(document, document_number(document->kind))),
                     STR_FMT(fin_get(document->org->record, "name")));
}

static char *default_body(struct call *c, const struct fin *document)
{
    return arena_fmt(&c->arena, "Dear %.*s,\n\nPlease find attached %s %.*s.",
                     STR_FMT(fin_get(document, "customer_name")), document->kind->one,
                     STR_FMT(fin_get(document, document_number(document->kind))));
}

static bool addresses_read(struct call *c, const struct sj *list, const char *name, struct buf *out)
{
    const struct fin_field f = {name, FIN_EMAIL, 0, 0, NULL};
    if (!list)
        return true;
    if (list->kind != SJ_ARRAY || list->n > RECIPIENTS_MAX)
        return fin_invalid(c, name);
    for (const struct sj *one = list->first; one; one = one->next) {
        str address;
        if (!fin_value_read(c, &f, one, &address))
            return false;
        if (!address.n)
            return fin_invalid(c, name);
        recipient_add(out, address);
    }
    return true;
}

static bool text_read(struct call *c, const struct sj *v, const char *name, int max, str *out)
{
    const struct fin_field f = {name, FIN_TEXT, max, 0, NULL};
    str s = *out;
    if (v && !fin_value_read(c, &f, v, &s))
        return false;
    *out = s.n ? s : *out;
    return true;
}

/* A body without to_mail_ids is refused; none at all means the default text to the default persons. */
static bool mail_read(struct call *c, const struct fin *document, struct mail *m)
{
    m->subject = str_of(default_subject(c, document));
    m->body = str_of(default_body(c, document));
    m->attachment = fin_query_true(c, "send_attachment");
    m->statement = fin_query_true(c, "send_customer_statement");
    if (str_trim(c->body).n) {
        const struct sj *body = fin_body(c), *to = body ? sj_get(body, "to_mail_ids") : NULL;
        if (!body)
            return false;
        if (!to || (to->kind == SJ_ARRAY && !to->n))
            return fin_missing(c, "to_mail_ids");
        if (!addresses_read(c, to, "to_mail_ids", &m->to) ||
            !addresses_read(c, sj_get(body, "cc_mail_ids"), "cc_mail_ids", &m->cc) ||
            !text_read(c, sj_get(body, "subject"), "subject", SUBJECT_MAX, &m->subject) ||
            !text_read(c, sj_get(body, "body"), "body", BODY_MAX, &m->body))
            return false;
    } else {
        default_recipients(document, &m->to);
    }
    if (m->to.n)
        return true;
    fin_error(c, 400, CODE_RECIPIENT, "Please enter a valid email address for the recipient.");
    return false;
}

static void mail_one(struct call *c, int kind, const char *message)
{
    struct fin *document = fin_wanted(c, kind);
    AUTO(mail_done) struct mail m = {0};
    if (!document)
        return;
    ledger_refresh(document->org);
    if (document_is(document, "void")) {
        document_state_refused(c, document);
        return;
    }
    if (!mail_read(c, document, &m))
        return;
    post(c->self, document, &m);
    mailed(c->self, document);
    fin_done(c, 200, message);
}

void fin_h_invoice_mail(struct call *c)
{
    mail_one(c, FIN_INVOICES, "Your invoice has been sent.");
}

void fin_h_estimate_mail(struct call *c)
{
    mail_one(c, FIN_ESTIMATES, "Your estimate has been sent.");
}

void mail_send_default(struct call *c, struct fin *document)
{
    AUTO(mail_done) struct mail m = {0};
    ledger_refresh(document->org);
    m.subject = str_of(default_subject(c, document));
    m.body = str_of(default_body(c, document));
    m.attachment = true;
    default_recipients(document, &m.to);
    if (!m.to.n)
        return;
    post(c->self, document, &m);
    mailed(c->self, document);
}

static void mail_many(struct call *c, int kind, const char *param)
{
    struct fin *documents[AT_ONCE];
    size_t n = documents_named(c, kind, param, AT_ONCE, documents);
    for (size_t i = 0; i < n; i++)
        mail_send_default(c, documents[i]);
    if (n)
        fin_done(c, 200, "Your mails are scheduled to be sent.");
}

void fin_h_invoices_mail(struct call *c)
{
    mail_many(c, FIN_INVOICES, "invoice_ids");
}

void fin_h_estimates_mail(struct call *c)
{
    mail_many(c, FIN_ESTIMATES, "estimate_ids");
}

/* ---- the text proposed -------------------------------------------------- */

static void persons_listed(struct buf *b, const struct fin *document)
{
    json_put_raw(b, "to_contacts", STR("["));
    for (size_t i = 0; i < document->owner->sub_n; i++) {
        const struct fin *person = document->owner->sub[i];
        if (!fin_get(person, "email").n)
            continue;
        char id[24];
        snprintf(id, sizeof id, "%lld", (long long)person->id);
        json_put_comma(b);
        buf_char(b, '{');
        json_put_member(b, "contact_person_id", str_of(id));
        json_put_member(b, "first_name", fin_get(person, "first_name"));
        json_put_member(b, "last_name", fin_get(person, "last_name"));
        json_put_member(b, "email", fin_get(person, "email"));
        json_put_bool(b, "selected", fin_true(person, "is_primary_contact"));
        buf_char(b, '}');
    }
    buf_char(b, ']');
}

static void content_put(struct call *c, struct buf *b, const struct fin *document)
{
    AUTO(text_free)
    char *file = text_fmt("%.*s.pdf", STR_FMT(fin_get(document, document_number(document->kind))));
    json_put_member(b, "subject", str_of(default_subject(c, document)));
    json_put_member(b, "body", str_of(default_body(c, document)));
    persons_listed(b, document);
    json_put_raw(b, "from_emails", STR("[{\"selected\":true,\"email\":"));
    json_put(b, fin_get(document->org->record, "email"));
    buf_text_add(b, "}]");
    json_put_raw(b, "emailtemplates", STR("[]"));
    json_put_raw(b, "error_list", STR("[]"));
    json_put_member(b, "file_name", str_of(file));
    json_put_member(b, "customer_id", fin_get(document, "customer_id"));
}

/* Of an invoice below "data", of an estimate beside the code. */
static void mail_content(struct call *c, int kind)
{
    const struct fin *document = fin_wanted(c, kind);
    if (!document)
        return;
    ledger_refresh(document->org);
    struct buf *b = fin_open(c, "success");
    if (kind == FIN_INVOICES)
        json_put_raw(b, "data", STR("{"));
    content_put(c, b, document);
    if (kind == FIN_INVOICES)
        buf_char(b, '}');
    fin_close(c, 200);
}

void fin_h_invoice_mail_content(struct call *c)
{
    mail_content(c, FIN_INVOICES);
}

void fin_h_estimate_mail_content(struct call *c)
{
    mail_content(c, FIN_ESTIMATES);
}
