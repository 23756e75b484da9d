#ifndef SANDBOX_FINANCE_H
#define SANDBOX_FINANCE_H
/* Twin of the Zoho Books API v3 and the Zoho Invoice API v3, which are one engine: organisations, contacts, items,
 * invoices, estimates, their mail and their PDF. Both are served, below /books/v3 and /invoice/v3; an organisation is
 * one of the two. As strict as the vendor where it is known, with a switch where it is not. */
#include "people.h"
#include "server.h"

/* accounts: the twin whose tokens are accepted; a client of its own is added there. people is read now and not kept.
 * invoice: the first organisation is one of Zoho Invoice. */
struct twin *finance_add(struct sandbox *w, struct twin *accounts, const struct people *people, bool invoice, int port);
/* The member "finance": client, refresh token, organisation and product. */
void finance_credentials(struct buf *b, struct twin *finance);
#endif
