#ifndef BRAKE_H
#define BRAKE_H
/* What stops a link until a person has looked, and what lets it go on. Inside a transaction. */
#include "engine_int.h"
#include "writing.h"

#define BRAKE_SAFETY  "SAFETY"      /* what a whole reading shows is too strange to act upon: pass.c */
#define BRAKE_KIND    "KIND_GONE"   /* one side does not describe its kind any more: kind_gone.c */
#define BRAKE_CHANGES "MAX_CHANGES" /* a run is about to write more than it may: change_limit.c */

int link_brake(struct engine *g, struct g_link *l, const char *code, str text, const char *hint, struct err *e);
int link_unbrake(struct engine *g, struct g_link *l, struct err *e);
int link_forget_repairs(struct engine *g, const struct g_link *l, struct err *e); /* it goes: whatever was told of it */

/* kind_gone.c: the endpoint was described anew. Links of kinds that were left out stop, and go on by themselves when
 * theirs is described again. */
int kinds_told(struct engine *g, const struct g_endpoint *ep, struct err *e);

/* change_limit.c */
/* One more write of this kind would go beyond what the run may. */
bool limit_reached(struct engine *g, struct g_link *l, const struct builder *b, int op);
int limit_stop(struct engine *g, struct g_link *l, const struct builder *b, struct err *e);
/* These are written: as stored with their intents, so that a restart begins no new allowance; in memory after the
 * commit. */
int limit_store(struct engine *g, struct g_link *l, const struct builder *b, struct err *e);
void limit_count(struct engine *g, struct g_link *l, const struct builder *b);
void limit_run_ended(struct engine *g, struct g_link *l);
/* What waits now may go over it, until nothing waits any more. */
int limit_lift(struct engine *g, struct g_link *l, struct err *e);
#endif
