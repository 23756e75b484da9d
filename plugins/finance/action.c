/* What people can have done to invoices and estimates: described here, done in document.c and deed.c. A changed status
 * needs the right to create and to change, marking as sent the right to send as well: the customer sees it then. */
#include "finance.h"

enum {
    MAKE = TL_RIGHT_CREATE,
    CHANGE = TL_RIGHT_UPDATE,
    STATUS = TL_RIGHT_CREATE | TL_RIGHT_UPDATE,
    SENT = TL_RIGHT_CREATE | TL_RIGHT_UPDATE | TL_RIGHT_SEND,
    NEEDED = TL_F_REQUIRED,
    TOLD = TL_F_READONLY
};

#define CUSTOMER                                                                                                       \
    {                                                                                                                  \
        "customer", "customer_id", "Customer", TL_REF, 0, NEEDED, "contact", false                                     \
    }
#define REFERENCE                                                                                                      \
    {                                                                                                                  \
        "reference", "reference_number", "Reference", TL_TEXT, 100, 0, NULL, false                                     \
    }
#define TEXTS                                                                                                          \
    {"date", "date", "Date", TL_DATE, 0, 0, NULL, false}, REFERENCE,                                                   \
        {"notes", "notes", "Customer Notes", TL_MULTILINE, 5000, 0, NULL, false},                                      \
    {                                                                                                                  \
        "terms", "terms", "Terms & Conditions", TL_MULTILINE, 10000, 0, NULL, false                                    \
    }
#define TOLD_OF(number)                                                                                                \
    {"number", number, "Number", TL_TEXT, 0, TOLD, NULL, false},                                                       \
        {"status", "status", "Status", TL_TEXT, 0, TOLD, NULL, false},                                                 \
    {                                                                                                                  \
        "total", "total", "Total", TL_DECIMAL, 0, TOLD, NULL, false                                                    \
    }
#define LINES(flags)                                                                                                   \
    {                                                                                                                  \
        "lines", "line_items", "Lines", TL_ROWS, 0, (flags), NULL, false                                               \
    }
#define DUE                                                                                                            \
    {                                                                                                                  \
        "due", "due_date", "Due Date", TL_DATE, 0, 0, NULL, false                                                      \
    }
#define EXPIRES                                                                                                        \
    {                                                                                                                  \
        "expires", "expiry_date", "Expiry Date", TL_DATE, 0, 0, NULL, false                                            \
    }
#define MAIL                                                                                                           \
    {"to", "to_mail_ids", "To", TL_LIST, 0, NEEDED, NULL, false},                                                      \
        {"cc", "cc_mail_ids", "Cc", TL_LIST, 0, 0, NULL, false},                                                       \
        {"subject", "subject", "Subject", TL_TEXT, 1000, 0, NULL, false},                                              \
    {                                                                                                                  \
        "body", "body", "Text", TL_MULTILINE, 5000, 0, NULL, false                                                     \
    }
#define FILE_TOLD                                                                                                      \
    {                                                                                                                  \
        "file", "file", "Document", TL_BLOB, 0, TOLD, NULL, false                                                      \
    }

static const struct fin_field invoice_create[] = {CUSTOMER, LINES(NEEDED), DUE, TEXTS, TOLD_OF("invoice_number")};
static const struct fin_field invoice_edit[] = {LINES(0), DUE, TEXTS, TOLD_OF("invoice_number")};
static const struct fin_field invoice_convert[] = {
    {"x.estimate", "invoiced_estimate_id", "Estimate", TL_REF, 0, NEEDED, "estimate", false},
    REFERENCE,
    TOLD_OF("invoice_number")};
static const struct fin_field invoice_mail[] = {MAIL, TOLD_OF("invoice_number")};
static const struct fin_field invoice_told[] = {TOLD_OF("invoice_number")};
static const struct fin_field invoice_pdf[] = {FILE_TOLD, TOLD_OF("invoice_number")};
static const struct fin_field estimate_create[] = {CUSTOMER, LINES(NEEDED), EXPIRES, TEXTS, TOLD_OF("estimate_number")};
static const struct fin_field estimate_edit[] = {LINES(0), EXPIRES, TEXTS, TOLD_OF("estimate_number")};
static const struct fin_field estimate_mail[] = {MAIL, TOLD_OF("estimate_number")};
static const struct fin_field estimate_told[] = {TOLD_OF("estimate_number")};
static const struct fin_field estimate_answer[] = {
    {"x.answer", "answer", "Answer", TL_CHOICE, 0, NEEDED, "accepted,declined", false}, TOLD_OF("estimate_number")};
static const struct fin_field estimate_pdf[] = {FILE_TOLD, TOLD_OF("estimate_number")};

#define PARAMS(list) .params = (list), .n_params = TLK_LEN(list)
#define STATUS_OF(of, its_name, its_label, its_help, its_rights, its_status, its_done)                                 \
    {                                                                                                                  \
        .kind = #of, .name = (its_name), .label = (its_label), .help = (its_help), .flags = TL_ACTION_LOOKS,           \
        .rights = (its_rights), PARAMS(of##_told), .act = fin_act_status, .status = (its_status), .done = (its_done)   \
    }

static const struct fin_action actions[] = {
    {.kind = "invoice",
     .name = "create",
     .label = "Create an invoice",
     .help = "a draft; nothing leaves for the customer",
     .flags = TL_ACTION_CREATES,
     .rights = MAKE,
     PARAMS(invoice_create),
     .act = fin_act_create},
    {.kind = "invoice",
     .name = "edit",
     .label = "Edit",
     .help = "lines that are given take the place of all",
     .rights = CHANGE,
     PARAMS(invoice_edit),
     .act = fin_act_edit},
    {.kind = "invoice",
     .name = "convert",
     .label = "Make an invoice of an estimate",
     .help = "with its lines; the estimate is invoiced then",
     .flags = TL_ACTION_CREATES,
     .rights = STATUS,
     PARAMS(invoice_convert),
     .act = fin_act_convert},
    {.kind = "invoice",
     .name = "send",
     .label = "Send by e-mail",
     .help = "to the customer, with a copy attached",
     .rights = TL_RIGHT_SEND,
     PARAMS(invoice_mail),
     .act = fin_act_send},
    STATUS_OF(invoice, "mark_sent", "Mark as sent", "of a draft; nothing is mailed", SENT, "sent",
              "sent,viewed,unpaid,overdue,partially_paid,paid"),
    STATUS_OF(invoice, "void", "Void", "payments and credits become the customer's", STATUS, "void", "void"),
    STATUS_OF(invoice, "draft", "Back to draft", "of a void one", STATUS, "draft", "draft"),
    {.kind = "invoice",
     .name = "pdf",
     .label = "As PDF",
     .help = "the document as the customer gets it",
     .flags = TL_ACTION_READS,
     .rights = TL_RIGHT_VIEW,
     PARAMS(invoice_pdf),
     .act = fin_act_pdf},
    {.kind = "estimate",
     .name = "create",
     .label = "Create an estimate",
     .help = "a draft; nothing leaves for the customer",
     .flags = TL_ACTION_CREATES,
     .rights = MAKE,
     PARAMS(estimate_create),
     .act = fin_act_create},
    {.kind = "estimate",
     .name = "edit",
     .label = "Edit",
     .help = "lines that are given take the place of all",
     .rights = CHANGE,
     PARAMS(estimate_edit),
     .act = fin_act_edit},
    {.kind = "estimate",
     .name = "send",
     .label = "Send by e-mail",
     .help = "to the customer, with a copy attached",
     .rights = TL_RIGHT_SEND,
     PARAMS(estimate_mail),
     .act = fin_act_send},
    STATUS_OF(estimate, "mark_sent", "Mark as sent", "of a draft; nothing is mailed", SENT, "sent",
              "sent,viewed,accepted,declined,invoiced,partially_invoiced,expired"),
    {.kind = "estimate",
     .name = "answer",
     .label = "The customer's answer",
     .help = "of an estimate that was sent: accepted or declined",
     .flags = TL_ACTION_LOOKS,
     .rights = STATUS,
     PARAMS(estimate_answer),
     .act = fin_act_status},
    {.kind = "estimate",
     .name = "pdf",
     .label = "As PDF",
     .help = "the document as the customer gets it",
     .flags = TL_ACTION_READS,
     .rights = TL_RIGHT_VIEW,
     PARAMS(estimate_pdf),
     .act = fin_act_pdf},
};

tl_status fin_describe_actions(tl_conn *c, const struct fin_kind *k, uint32_t scale, bool stamped, tl_error *e)
{
    tl_status rc = TL_OK;
    for (size_t i = 0; i < TLK_LEN(actions) && rc == TL_OK; i++) {
        const struct fin_action *a = &actions[i];
        tlk_fields params = {.arena = &c->call};
        if (strcmp(a->kind, k->kind) != 0)
            continue;
        for (uint32_t p = 0; p < a->n_params; p++)
            fin_describe_field(c, &params, &a->params[p], scale, k);
        bool looks = (a->flags & TL_ACTION_CREATES) && stamped; /* without a stamp nobody can tell */
        tl_action told = {.struct_size = sizeof(told),
                          .flags = a->flags | (looks ? TL_ACTION_LOOKS : 0u),
                          .rights = a->rights,
                          .n_params = params.n,
                          .param_stride = sizeof(tl_field),
                          .kind = tlk_str(a->kind),
                          .name = tlk_str(a->name),
                          .label = tlk_str(a->label),
                          .help = tlk_str(a->help),
                          .params = params.list};
        rc = tlk_refused(c->host->describe_action(c->host, &told), e);
    }
    return rc;
}

/* ---- doing one */

const tl_value *fin_param(const struct fin_deed *d, const char *path)
{
    const tl_value *v = tlk_value_of(d->act->shape, d->act->record, path);
    return v && v->type != TL_NULL ? v : NULL;
}

tlk_url fin_deed_url(const struct fin_deed *d, const char *more)
{
    tlk_url u = fin_url(d->c, "/");
    tlk_addz(&u.b, d->rd.kind->many);
    if (d->act->record->id.n > 0)
        tlk_url_segment(&u, d->act->record->id);
    tlk_addz(&u.b, more);
    return u;
}

tl_status fin_deed_refuse(struct fin_deed *d, tl_status status, const tl_error *why, tl_error *e)
{
    return tlk_refused(tlk_result_fail(d->c->host, 0, status, why), e);
}

/* Who only wants to see what would be sent gets TL_E_CANCELLED from here, as does who wants no more. */
tl_status fin_deed_send(struct fin_deed *d, tl_http *r, const tlk_node **root, bool *ended, tl_error *e)
{
    tl_error own = {.struct_size = sizeof(own)};
    *ended = true;
    tl_status rc = d->c->host->http(d->c->host, r, 1, e);
    if (rc != TL_OK)
        return rc;
    if (r->outcome == TL_E_CANCELLED)
        return tlk_fail(e, TL_E_CANCELLED, "not sent");
    rc = tlk_write_status(r, fin_answer(d->c, r, root, &own));
    *ended = rc != TL_OK && strcmp(own.code, "3008") != 0; /* it has this status already */
    return *ended ? fin_deed_refuse(d, rc, &own, e) : TL_OK;
}

tl_status fin_deed_read(struct fin_deed *d, const tlk_node **now, tl_error *e)
{
    const tlk_node *root = NULL;
    tlk_url u = fin_deed_url(d, "");
    tl_status rc = fin_read(d->c, &u, &root, e);
    *now = tlk_get(root, d->rd.kind->one);
    if (rc == TL_E_INVALID && strcmp(e->field, d->rd.kind->id) == 0)
        rc = TL_E_NOT_FOUND;
    return rc;
}

static void put_file(struct fin_deed *d, tl_record *rec, uint64_t file)
{
    tl_value *values = (tl_value *)(uintptr_t)rec->values; /* of this call */
    for (uint32_t i = 0; i < rec->n_values; i++) {
        if (tlk_field(d->rd.shape, values[i].field)->type == TL_BLOB)
            values[i] = (tl_value){.field = values[i].field, .type = TL_BLOB, .u.i = (int64_t)file};
    }
}

tl_status fin_deed_done(struct fin_deed *d, const tlk_node *record, uint64_t file, bool created, tl_error *e)
{
    tl_conn *c = d->c;
    tl_record rec = {.id = d->act->record->id};
    bool whole = tlk_type(record) == TLK_JOBJECT && fin_record_read(&d->rd, record, &rec);
    if (!whole && rec.id.n == 0) {
        tl_error own = {.struct_size = sizeof(own)};
        tlk_fail_record(&own, TL_E_UNKNOWN, TL_R_OTHER, "", "%s accepted it but did not say which record it is",
                        c->product->title);
        return fin_deed_refuse(d, TL_E_UNKNOWN, &own, e);
    }
    if (file != 0)
        put_file(d, &rec, file);
    return tlk_refused(tlk_result_ok(c->host, 0, created, &rec), e);
}

tl_status fin_deed_reread(struct fin_deed *d, tl_error *e)
{
    const tlk_node *now = NULL;
    tl_error own = {.struct_size = sizeof(own)};
    tlk_arena_reset(&d->c->page);
    if (fin_deed_read(d, &now, &own) != TL_OK) /* it has been done all the same */
        now = NULL;
    return fin_deed_done(d, now, 0, false, e);
}

/* ---- looking whether it was done */

static tl_status not_done(tl_error *e)
{
    return tlk_fail_record(e, TL_E_NOT_FOUND, TL_R_OTHER, "", "it has not been done");
}

/* The rows of a list are short: the document is read by itself. */
static tl_status found_whole(struct fin_deed *d, tl_str id, tl_error *e)
{
    const tlk_node *root = NULL;
    tlk_url u = fin_deed_url(d, "");
    tlk_url_segment(&u, id);
    tl_status rc = fin_read(d->c, &u, &root, e);
    return rc == TL_OK ? fin_deed_done(d, tlk_get(root, d->rd.kind->one), 0, false, e) : rc;
}

/* Of a create: the document with this stamp, which the lists can be asked for [OAS:invoices]. */
static tl_status look_for_stamp(struct fin_deed *d, tl_error *e)
{
    const tlk_node *root = NULL, *one, *found = NULL;
    tl_conn *c = d->c;
    if (d->act->stamp_field.n == 0 || d->act->record->stamp.n == 0)
        return tlk_fail_record(e, TL_E_UNSUPPORTED, TL_R_OTHER, "", "without a stamp field nobody can tell");
    tlk_url u = fin_url(c, "/");
    tlk_addz(&u.b, d->rd.kind->many);
    tlk_url_add(&u, "custom_field", d->act->record->stamp);
    tlk_url_add_int(&u, "per_page", FIN_PAGE);
    tl_status rc = fin_read(c, &u, &root, e);
    tlk_iter i = tlk_each(tlk_get(root, d->rd.kind->many));
    while (rc == TL_OK && !found && tlk_next_item(&i, &one)) {
        if (tlk_eq(tlk_text(fin_custom_value(one, d->act->stamp_field), &c->page), d->act->record->stamp))
            found = one;
    }
    if (rc != TL_OK)
        return rc;
    return found ? found_whole(d, tlk_text_at(found, d->rd.kind->id, &c->page), e) : not_done(e);
}

tl_str fin_deed_status(const struct fin_deed *d)
{
    const tl_value *answer = fin_param(d, "x.answer");
    return d->action->status ? tlk_str(d->action->status) : answer ? answer->u.s : TLK_NONE;
}

/* An accepted estimate may have become an invoice since. */
static tl_str status_when_done(const struct fin_deed *d)
{
    tl_str status = fin_deed_status(d);
    if (d->action->done)
        return tlk_str(d->action->done);
    return tlk_is(status, "accepted") ? TL_STR("accepted,invoiced,partially_invoiced") : status;
}

static tl_status look(struct fin_deed *d, tl_error *e)
{
    const tlk_node *now = NULL;
    if (d->action->flags & TL_ACTION_CREATES)
        return look_for_stamp(d, e);
    if (!(d->action->flags & TL_ACTION_LOOKS))
        return tlk_fail_record(e, TL_E_UNSUPPORTED, TL_R_OTHER, "", "nobody can tell whether it was done");
    tl_status rc = fin_deed_read(d, &now, e);
    if (rc != TL_OK)
        return rc;
    bool done = tlk_in_list(status_when_done(d), ',', tlk_text_at(now, "status", &d->c->page));
    return done ? fin_deed_done(d, now, 0, false, e) : not_done(e);
}

static tl_status act(tl_conn *c, const tl_act *a, tl_error *e)
{
    struct fin_deed d = {.c = c, .act = a};
    for (size_t i = 0; i < TLK_LEN(actions); i++) {
        if (tlk_is(a->shape->kind, actions[i].kind) && tlk_is(a->name, actions[i].name))
            d.action = &actions[i];
    }
    if (!d.action)
        return tlk_fail_kind(e, TL_E_UNSUPPORTED, "%.*s have no action \"%.*s\"", TLK_FMT(a->shape->kind),
                             TLK_FMT(a->name));
    tl_status rc = fin_begin_records(c, a->shape, true, &d.rd, e);
    if (rc != TL_OK)
        return rc;
    return a->flags & TL_ACT_LOOK ? look(&d, e) : d.action->act(&d, e);
}

const tl_actions fin_actions = {.struct_size = sizeof(fin_actions), .act = act};
