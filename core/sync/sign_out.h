#ifndef SIGN_OUT_H
#define SIGN_OUT_H
/* Sign-ins that nobody needs any more: those of an endpoint that no connection uses, from the moment when the last one
 * is gone for good or the endpoint is not configured any more. */
#include "engine_int.h"

/* Erases the stored tokens of the endpoint, with an audit row, unless a connection other than `but` (may be null) uses
 * it; a deleted one within its grace does, since it may be taken back. In a transaction. *done: there were some. */
int sign_out_unused(struct engine *g, int64_t endpoint, const struct g_conn *but, bool *done, struct err *e);
/* After its commit: who holds them in memory is told. */
void sign_out_tell(struct engine *g, int64_t endpoint);
#endif
