#ifndef SANDBOX_FINANCE_DOCUMENT_H
#define SANDBOX_FINANCE_DOCUMENT_H
/* What invoices and estimates have in common. */
#include "finance_int.h"

/* Fields of both kinds, in the order of the vendor's answers. */
#define DOCUMENT_FIELDS(number, last_day)                                                                              \
    {"customer_id", FIN_ID, 0, FIN_LISTED | FIN_SENT | FIN_NEEDED, NULL},                                              \
        {"customer_name", FIN_TEXT, 0, FIN_LISTED, NULL}, {"state", FIN_TEXT, 0, FIN_HIDDEN, NULL},                    \
        {(number), FIN_TEXT, 100, FIN_LISTED | FIN_SENT, NULL},                                                        \
        {"reference_number", FIN_TEXT, 100, FIN_LISTED | FIN_SENT, NULL},                                              \
        {"date", FIN_DATE, 0, FIN_LISTED | FIN_SENT, NULL}, {(last_day), FIN_DATE, 0, FIN_LISTED | FIN_SENT, NULL},    \
        {"currency_id", FIN_ID, 0, FIN_LISTED | FIN_SENT, NULL}, {"currency_code", FIN_TEXT, 0, FIN_LISTED, NULL},     \
        {"exchange_rate", FIN_NUMBER, 0, FIN_LISTED | FIN_SENT, NULL}, {"discount", FIN_DISCOUNT, 0, FIN_SENT, NULL},  \
        {"discount_type", FIN_ENUM, 0, FIN_SENT, "entity_level,item_level"},                                           \
        {"is_discount_before_tax", FIN_BOOL, 0, FIN_SENT, NULL}, {"is_inclusive_tax", FIN_BOOL, 0, FIN_SENT, NULL},    \
        {"discount_total", FIN_MONEY, 0, 0, NULL}, {"sub_total", FIN_MONEY, 0, 0, NULL},                               \
        {"tax_total", FIN_MONEY, 0, 0, NULL}, {"shipping_charge", FIN_MONEY, 0, FIN_LISTED | FIN_SENT, NULL},          \
        {"adjustment", FIN_MONEY, 0, FIN_LISTED | FIN_SENT, NULL},                                                     \
        {"adjustment_description", FIN_TEXT, 100, FIN_SENT, NULL}, {"total", FIN_MONEY, 0, FIN_LISTED, NULL},          \
        {"price_precision", FIN_INT, 0, 0, NULL}, {"is_emailed", FIN_BOOL, 0, FIN_LISTED, NULL},                       \
        {"is_viewed_by_client", FIN_BOOL, 0, FIN_LISTED, NULL}, {"has_attachment", FIN_BOOL, 0, FIN_LISTED, NULL},     \
        {"persons", FIN_TEXT, 0, FIN_HIDDEN, NULL}, {"notes", FIN_TEXT, 5000, FIN_SENT, NULL},                         \
        {"terms", FIN_TEXT, 10000, FIN_SENT, NULL}, {"salesperson_name", FIN_TEXT, 200, FIN_LISTED | FIN_SENT, NULL},  \
        {"template_id", FIN_ID, 0, FIN_SENT, NULL},                                                                    \
    {                                                                                                                  \
        "zcrm_potential_id", FIN_ID, 0, FIN_SENT, NULL                                                                 \
    }
#define DOCUMENT_NESTED "line_items,custom_fields,contact_persons"

enum { CODE_REPEATED = 3008, CODE_STATE = 4823 };

bool document_read(struct call *c, struct fin *draft, const struct sj *body);
void document_put(struct buf *b, const struct fin *r, bool listed);
const char *document_number(const struct fin_kind *k); /* "invoice_number" */
/* The record a body makes, or makes of the existing one; NULL after a refusal. */
struct fin *document_write(struct call *c, int kind, struct fin *existing, const struct sj *body);
/* A draft of the kind with the next number, for the organisation. */
struct fin *document_new(struct fin_org *o, int kind);
bool document_is(const struct fin *r, const char *states); /* its state is one of them */
void document_move(struct fin *r, const char *state);
bool document_state_refused(struct call *c, const struct fin *r); /* returns false */
/* From one of the states to another, and the answer; a repetition is refused by a code of its own. */
void document_status(struct call *c, int kind, const char *from, const char *to, const char *message);
/* The documents a query parameter names, at most max; 0 after a refusal. */
size_t documents_named(struct call *c, int kind, const char *param, size_t max, struct fin **out);
#endif
