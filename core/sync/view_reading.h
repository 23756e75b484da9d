#ifndef VIEW_READING_H
#define VIEW_READING_H
#include <jansson.h>

#include "connections.h"

/* [{"side","changes_read","whole","missed_since","text"}]: how far the link's sides are read, a side that is not read
 * at all left out. */
json_t *view_reading(struct db *r, const struct link *l);
#endif
