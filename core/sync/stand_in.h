#ifndef STAND_IN_H
#define STAND_IN_H
/* fallback.a and fallback.b of a link: who stands in for those without a pair. */
#include "engine_int.h"

/* Live records of that side that answer to the name of who stands in; *out: the last of them, when *n is not 0. */
int stand_in_find(struct engine *g, const struct g_link *l, int side, struct arena *a, struct record *out, unsigned *n,
                  struct err *e);
/* What needs attention names each of them whom nobody, or several, answer to on a side that was read; it is cleared
 * once one does. Inside a transaction. */
int stand_ins_check(struct engine *g, struct err *e);
#endif
