#ifndef READOPT_H
#define READOPT_H
/* A map passport taken in once records were read already: those of them that bear a mark of its instances were stored
 * as records like any other. Both sides are read whole once more, marks and pairs of the passport are bound, and until
 * then nothing is made for the link; updates go on. */
#include "engine_int.h"

/* Its sides are read again, as far as they were read and can show marks. *wanted: one is. Inside a transaction. */
int readopt_want(struct engine *g, struct g_link *l, bool *wanted, struct err *e);
bool readopt_holds(const struct g_link *l); /* nothing is made */
bool readopt_waits(const struct g_link *l); /* nothing is bound either: the sides are being read */
/* The sides were read: from now on marks hold up the link until they are explained, as at a first sync. */
int readopt_bind(struct engine *g, struct g_link *l, struct err *e);
/* A record whose mark was just learnt has no counterpart, and nothing is being made for it. own: its one-sided pair. */
int readopt_free(struct engine *g, const struct g_link *l, int side, int64_t rec, struct arena *a, struct pair *own,
                 bool *out, struct err *e);
/* Its source has a pair: that of the record itself is in the way. */
int readopt_give_up(struct engine *g, const struct pair *own, struct err *e);
#endif
