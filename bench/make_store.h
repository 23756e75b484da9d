#ifndef MAKE_STORE_H
#define MAKE_STORE_H
/* Fills a database in which the engine has set up a live link of these vendors with the pairs of their first n records,
 * as a first sync leaves them: through core/store, thousands a transaction. */
#include "db.h"
#include "vendors.h"

void make_store(struct db *db, const struct vendors *v, uint32_t n);
void make_must(int rc, const struct err *e, const char *what); /* ends the program with a message unless TL_OK */
#endif
