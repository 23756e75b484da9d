#ifndef SANDBOX_FINANCE_LEDGER_H
#define SANDBOX_FINANCE_LEDGER_H
/* Taxes of a document by tax: computed with its total, and shown with it. */
#include "finance_int.h"

enum { LEDGER_TAXES = 16 };
struct tax_sum {
    const struct fin *tax;
    money base, inclusive, amount;
};
/* discount: what of the whole is taken off before tax. The number of taxes; lines of further ones are not taxed. */
size_t ledger_taxes(const struct fin *document, money discount, struct tax_sum groups[LEDGER_TAXES]);
money ledger_discount_before_tax(const struct fin *document);
#endif
