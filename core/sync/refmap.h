#ifndef REFMAP_H
#define REFMAP_H
/* References between the links of a connection. [control] */
#include <jansson.h>

#include "engine_int.h"
#include "linkset.h"

/* Comma separated kinds that the link's connection has a link for, on either side, its own included. */
void refmap_linked_kinds(const struct engine *g, const struct g_link *l, struct buf *out);
/* A link is made (it need not be in the model yet): the other links' default maps get the references to its kind that
 * were left out without it, and references mapped by hand count as mapped from now on. Appends "KIND FIELD" for each
 * that was added. The caller builds the links again. */
int refmap_join(struct engine *g, const struct g_link *made, json_t *added, struct err *e);
/* Appends {"field", "refers_to"} for each reference that both sides have and that no link of the connection leads to.
 */
void refmap_left_out(const struct engine *g, const struct g_link *l, json_t *out);
#endif
