#ifndef CALL_PLACE_H
#define CALL_PLACE_H
/* Where a call stood, in words for the log. Pure, [any]. */
#include "call.h"

/* "pull of contact"; "check". */
void call_place(struct buf *out, const struct call *c);
/* " after 120 records and 2 pages, the last one \"77\""; of a push " with 3 records (\"1\", \"2\", ...), 1 of them
 * answered". What the worker had not sent yet is not in it. */
void call_progress(struct buf *out, const struct call *c);
#endif
