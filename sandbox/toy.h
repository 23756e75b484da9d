#ifndef SANDBOX_TOY_H
#define SANDBOX_TOY_H
/* A vendor as small as one can be, for connectors written as examples: contacts over /toy/contacts with a bearer token.
 *   GET    /toy/contacts?since=<time>&after=<id>&limit=<1..200>   changed after (since, after), oldest change first,
 * deleted ones included: {"contacts":[...],"more":bool,"now":time}. Both absent: from the beginning GET
 * /toy/contacts/{id}      POST /toy/contacts      PATCH /toy/contacts/{id}      DELETE /toy/contacts/{id} A contact:
 * id, first_name, last_name (needed), email, phone, company, ref (free text, unique when given), created_at,
 * updated_at, deleted. Refusals: {"error":{"code","message","field"}} with 400, 401, 404, 405, 409 or 422. */
#include "people.h"
#include "server.h"

/* Starts with the first few persons of the population. */
struct twin *toy_add(struct sandbox *w, const struct people *people, int port);
void toy_credentials(struct buf *b); /* the member "toy": {"token"} */
#endif
