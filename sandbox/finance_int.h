#ifndef SANDBOX_FINANCE_INT_H
#define SANDBOX_FINANCE_INT_H
/* The insides of the finance twin. Every record, and every row inside one (a contact person, an address, a line), is a
 * struct fin: texts by the fields of its kind. The table of a kind says how a value is read, printed and searched, so
 * one reader, one writer and one list serve all kinds. What is computed is written into the same fields, by
 * finance_ledger.c. A write is made on a copy, which takes the record's place when all of it is right. */
#include "finance.h"
#include "json_tree.h"
#include "money.h"
#include "zoho_accounts.h"

enum fin_type {
    FIN_TEXT,
    FIN_EMAIL,
    FIN_ID,
    FIN_INT,
    FIN_MONEY,    /* printed with the organisation's price_precision */
    FIN_NUMBER,   /* rates, quantities, percentages: printed as they are */
    FIN_DISCOUNT, /* an amount, or a percentage such as "10%" */
    FIN_BOOL,
    FIN_DATE,
    FIN_TIME,
    FIN_ENUM
};
enum { FIN_LISTED = 1, FIN_SENT = 2, FIN_NEEDED = 4, FIN_HIDDEN = 8 }; /* in list rows; taken from clients ... */

struct fin_field {
    const char *name;
    enum fin_type type;
    int max; /* characters of texts */
    unsigned flags;
    const char *options; /* FIN_ENUM: separated by commas */
};

enum { FIN_CONTACTS, FIN_INVOICES, FIN_ESTIMATES, FIN_ITEMS, FIN_TAXES, FIN_CURRENCIES, FIN_KINDS };
enum { FIN_CUSTOM_MAX = 4, FIN_PAGE_MAX = 200 };

struct fin;
struct fin_kind {
    const char *name, *one, *id_name, *title; /* "contacts", "contact", "contact_id", "Contact" */
    const struct fin_field *fields;
    int n;
    const char *nested;  /* members that read_nested takes */
    const char *sorts;   /* sort columns; the first is the default */
    const char *filters; /* fields a list can be filtered by, and names finance_filter.c knows */
    const char *search;  /* fields of search_text */
    bool newest_first, modified_filter;
    bool (*read_nested)(struct call *c, struct fin *draft, const struct sj *body); /* false after a refusal */
    void (*put_nested)(struct buf *b, const struct fin *r, bool listed);
    int (*status_fits)(const struct fin *r, str status); /* 1, 0, or -1: no such status */
};

struct fin {
    const struct fin_kind *kind;
    struct fin_org *org;
    struct fin *owner; /* of documents: the customer */
    int64_t id, created_us, modified_us, visible_us;
    bool gone;
    char **v;         /* by field, NULL: not set */
    struct fin **sub; /* persons of a contact, lines of a document */
    size_t sub_n;
    struct fin *address[2];       /* billing, shipping; NULL: none */
    char *custom[FIN_CUSTOM_MAX]; /* by the organisation's custom fields of the kind */
    /* Of invoices: paid, paid by credits, written off. Of contacts: total is owed, credited is unused credit. */
    money total, paid, credited, written_off;
};

struct fin_list { /* by id, ascending */
    struct fin **rows;
    size_t n, cap;
};
struct fin_org {
    struct finance *finance;
    struct fin *record;
    struct fin_list lists[FIN_KINDS];
    int64_t next_number[FIN_KINDS];
    int64_t minute_us, minute_calls, blocked_us, day, day_calls;
    bool stale; /* computed fields are older than what they are computed from */
    int64_t today;
};

enum { FIN_ORGS = 3 };
struct outbox;
struct crm_records;
struct finance {
    struct sandbox *world;
    struct twin *twin, *accounts;
    int client; /* of accounts */
    struct fin_org orgs[FIN_ORGS];
    struct fin_org *org; /* of the call in hand */
    const char *product; /* of the call in hand: "books" or "invoice" */
    int64_t next_id;
    struct outbox *outbox;
    struct crm_records *crm;
};

extern const struct fin_kind fin_organization, fin_contact, fin_person, fin_address, fin_invoice, fin_estimate,
    fin_line, fin_item, fin_tax, fin_currency;
extern const struct fin_kind *const fin_kinds[FIN_KINDS];

/* ---- finance_store.c ---------------------------------------------------- */
struct fin *fin_new(struct fin_org *o, const struct fin_kind *k); /* with an id, in no list */
struct fin *fin_free(struct fin *r);                              /* returns NULL */
AUTO_FN(struct fin *, fin_free)
struct fin *fin_copy(const struct fin *r); /* NULL of NULL */
/* The draft's contents become the record's, which keeps its id; the draft is freed. */
void fin_replace(struct fin *r, struct fin *draft);
void fin_add(struct fin *r); /* into the list of its kind */
/* What a write comes to: the draft is added, or takes the place of the existing one. The record. */
struct fin *fin_keep(struct call *c, struct fin *existing, struct fin *draft);
void fin_sub_add(struct fin *r, struct fin *sub);
void fin_sub_clear(struct fin *r);
struct fin *fin_find(const struct fin_org *o, int kind, int64_t id); /* NULL: none that can be seen */
struct fin *fin_find_text(const struct fin_org *o, int kind, str id);
bool fin_seen(const struct fin *r); /* neither deleted nor still on its way (late-commit) */
int fin_number(const struct fin_kind *k);
const struct fin_field *fin_field(const struct fin_kind *k, str name); /* NULL: none */
str fin_get(const struct fin *r, const char *field); /* asserts that the kind has it; empty when not set */
void fin_set(struct fin *r, const char *field, str value);
void fin_set_money(struct fin *r, const char *field, money m); /* exact */
void fin_set_int(struct fin *r, const char *field, int64_t v);
money fin_money(const struct fin *r, const char *field); /* 0 when not set */
int64_t fin_int(const struct fin *r, const char *field);
bool fin_true(const struct fin *r, const char *field);
void fin_touch(struct fin *r); /* modified now, computed fields are stale */
int fin_precision(const struct fin_org *o);
int64_t fin_today(const struct fin_org *o); /* its day, in its time zone */
void fin_time_put(struct buf *b, const struct fin_org *o, int64_t us);

/* ---- finance_fields.c --------------------------------------------------- */
/* Reads the members of body into the draft; false after a refusal. create: all that is needed has to be there. */
bool fin_read(struct call *c, struct fin *draft, const struct sj *body, bool create);
/* One value as a client sends it, to its text. False after a refusal. */
bool fin_value_read(struct call *c, const struct fin_field *f, const struct sj *v, str *out);
void fin_put(struct buf *b, const struct fin *r, bool listed); /* one object */
void fin_put_all(struct buf *b, const char *key, struct fin *const *rows, size_t n, bool listed);
void fin_put_amount(struct buf *b, const struct fin_org *o, const char *name, money m);
bool fin_missing(struct call *c, const char *field); /* refuses: it is needed. Returns false */
bool fin_invalid(struct call *c, const char *field); /* refuses its value. Returns false */

/* ---- finance_custom.c --------------------------------------------------- */
bool fin_custom_read(struct call *c, struct fin *draft, const struct sj *list);
void fin_custom_put(struct buf *b, const struct fin *r, bool listed);
/* The value would be a second one where the field says "no duplicates": refused, false. */
bool fin_custom_unique(struct call *c, const struct fin *draft, const struct fin *existing);
/* Tells the sandbox of stamps written over or given twice, before the draft takes the record's place. */
void fin_custom_watch(const struct fin *draft, const struct fin *existing);
/* PUT of a collection by the headers X-Unique-Identifier-Key and -Value: the record or NULL, one to be made (X-Upsert),
 * and the body with the value in it. False after a refusal. */
bool fin_custom_upsert(struct call *c, int kind, struct fin **out, const struct sj **body_out);

/* ---- finance_reply.c ---------------------------------------------------- */
void fin_error(struct call *c, int status, int code, const char *fmt, ...) PRINTF_LIKE(4, 5);
void fin_done(struct call *c, int status, const char *message);
/* {"code":0,"message":...: the caller adds its members and ends with fin_close. */
struct buf *fin_open(struct call *c, const char *message);
void fin_close(struct call *c, int status);
void fin_answer(struct call *c, int status, const char *message, const struct fin *r);
/* The JSON object of the body; NULL after a refusal. */
const struct sj *fin_body(struct call *c);
/* The record of the first capture; NULL after a refusal. */
struct fin *fin_wanted(struct call *c, int kind);
struct fin *fin_given(struct call *c, int kind, str id); /* likewise, by the id given */
bool fin_query_true(struct call *c, const char *name);

/* ---- finance_list.c, finance_filter.c ----------------------------------- */
void fin_list_answer(struct call *c, int kind);
enum { FIN_CONDITIONS = 24 };
struct fin_condition {
    str name; /* without the variant */
    const struct fin_field *field;
    int op;
    str value;
    money number;
    int64_t day;
};
struct fin_filter {
    struct fin_condition conditions[FIN_CONDITIONS];
    int n;
    str search, status, applied;
    int64_t modified_after_us;
};
bool fin_filter_read(struct call *c, const struct fin_kind *k, struct fin_filter *out);
bool fin_filter_fits(const struct fin_filter *f, const struct fin *r);

/* ---- finance_ledger.c --------------------------------------------------- */
void ledger_refresh(struct fin_org *o);   /* everything computed, as of the organisation's today */
bool ledger_total(struct fin *document);  /* lines, tax and total; false: beyond what an amount may be */
void ledger_release(struct fin *invoice); /* its payments and credits become the customer's unused credit */
bool ledger_has_transactions(const struct fin *contact);

/* ---- finance_mail.c, finance_pdf.c -------------------------------------- */
void mail_send_default(struct call *c, struct fin *document); /* ?send=true of a create */
void outbox_put(const struct finance *f, struct buf *b);
void outbox_clear(struct finance *f);
struct outbox *outbox_free(struct outbox *o);
/* Answers with a file, or a page, when the call asks for one (accept=pdf); false: it does not. */
bool pdf_asked(struct call *c, struct fin *const *documents, size_t n);

/* ---- handlers ----------------------------------------------------------- */
#define FIN_HANDLERS(X)                                                                                                \
    X(organizations)                                                                                                   \
    X(organizations_of_user)                                                                                           \
    X(organization)                                                                                                    \
    X(downgrade)                                                                                                       \
    X(upgrade)                                                                                                         \
    X(user_me)                                                                                                         \
    X(users)                                                                                                           \
    X(contacts)                                                                                                        \
    X(contact_create)                                                                                                  \
    X(contact_upsert)                                                                                                  \
    X(contact_get)                                                                                                     \
    X(contact_update)                                                                                                  \
    X(contact_delete)                                                                                                  \
    X(contact_active)                                                                                                  \
    X(contact_inactive)                                                                                                \
    X(persons)                                                                                                         \
    X(person_create)                                                                                                   \
    X(person_update)                                                                                                   \
    X(person_delete)                                                                                                   \
    X(person_primary)                                                                                                  \
    X(items)                                                                                                           \
    X(item_create)                                                                                                     \
    X(item_get)                                                                                                        \
    X(item_update)                                                                                                     \
    X(item_upsert)                                                                                                     \
    X(crm_contact_import)                                                                                              \
    X(crm_account_import)                                                                                              \
    X(invoice_writeoff)                                                                                                \
    X(invoice_writeoff_cancel)                                                                                         \
    X(taxes)                                                                                                           \
    X(currencies)                                                                                                      \
    X(invoices)                                                                                                        \
    X(invoice_create)                                                                                                  \
    X(invoice_upsert)                                                                                                  \
    X(invoice_get)                                                                                                     \
    X(invoice_update)                                                                                                  \
    X(invoice_delete)                                                                                                  \
    X(invoice_sent)                                                                                                    \
    X(invoice_void)                                                                                                    \
    X(invoice_draft)                                                                                                   \
    X(invoices_from_estimates)                                                                                         \
    X(invoice_mail)                                                                                                    \
    X(invoice_mail_content)                                                                                            \
    X(invoices_mail)                                                                                                   \
    X(invoices_pdf)                                                                                                    \
    X(estimates)                                                                                                       \
    X(estimate_create)                                                                                                 \
    X(estimate_upsert)                                                                                                 \
    X(estimate_get)                                                                                                    \
    X(estimate_update)                                                                                                 \
    X(estimate_delete)                                                                                                 \
    X(estimate_sent)                                                                                                   \
    X(estimate_accepted)                                                                                               \
    X(estimate_declined)                                                                                               \
    X(estimate_mail)                                                                                                   \
    X(estimate_mail_content)                                                                                           \
    X(estimates_mail)                                                                                                  \
    X(estimates_pdf)
#define FIN_PROTOTYPE(name) void fin_h_##name(struct call *c);
FIN_HANDLERS(FIN_PROTOTYPE)

struct crm_records *crm_free(struct crm_records *k);                                 /* finance_crm.c; returns NULL */
struct fin *item_write(struct call *c, struct fin *existing, const struct sj *body); /* finance_settings.c */

/* ---- finance_control.c -------------------------------------------------- */
void finance_load(struct finance *f, const struct people *people, bool invoice);
bool finance_dump(struct twin *t, str kind, struct buf *out);
bool finance_change(struct call *c, struct twin *t, const char *verb, str kind, str id, json_t *fields);
void fin_ctl_outbox(struct call *c);
void fin_ctl_outbox_clear(struct call *c);
void fin_ctl_limits(struct call *c);
void fin_ctl_crm(struct call *c);
#endif
