#ifndef SANDBOX_FINANCE_CONTACTS_H
#define SANDBOX_FINANCE_CONTACTS_H
/* What contacts, their persons and the control plane share. */
#include "finance_int.h"

/* The record a body makes, or makes of the existing one; NULL after a refusal. */
struct fin *contact_write(struct call *c, struct fin *existing, const struct sj *body);
void contact_sync(struct fin *contact); /* its name, e-mail and phones are those of its primary person */
bool persons_read(struct call *c, struct fin *contact, const struct sj *list);
void persons_put(struct buf *b, const struct fin *contact);
void addresses_put(struct buf *b, const struct fin *r);
#endif
