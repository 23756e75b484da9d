#ifndef MAKE_STORE_H
#define MAKE_STORE_H
/* Fills a database in which the engine has set up one live link with the pairs of every record of both vendors, as a
 * first sync leaves them: through core/store, thousands a transaction. */
#include "db.h"
#include "vendors.h"

void make_store(struct db *db, const struct vendors *v);
void make_must(int rc, const struct err *e, const char *what); /* ends the program with a message unless TL_OK */
#endif
