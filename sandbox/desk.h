#ifndef SANDBOX_DESK_H
#define SANDBOX_DESK_H
/* Twin of the Zoho Desk REST API v1: accounts and contacts with search, recycle bin and merge, tickets
 * with their comments, agents, profiles and departments, field metadata, webhooks. As strict as the vendor where it is
 * known, with a switch where it is not. */
#include "people.h"
#include "server.h"

/* accounts: the twin whose tokens are accepted. people is read now and not kept. */
struct twin *desk_add(struct sandbox *w, struct twin *accounts, const struct people *people, int port);
/* The member "desk": organisation id and name. */
void desk_credentials(struct buf *b, struct twin *desk);
#endif
