#ifndef SALESFORCE_STORE_INT_H
#define SALESFORCE_STORE_INT_H
/* Shared by the two files of the store only. */
#include "salesforce_store.h"

void *sf_grow(void *p, size_t size); /* realloc that ends the process when memory does */
/* Moves the index entries of a record from what `before` holds to what `after` holds; either may be NULL. With
 * keep_before the old entries stay: the old row is still what readers see. */
void sf_index_row(struct sf_store *s, struct sf_table *t, const struct sf_row *before, const struct sf_row *after,
                  bool keep_before);
#endif
