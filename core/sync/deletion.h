#ifndef DELETION_H
#define DELETION_H
/* Deletions that travel; the rule is told in deletion.c. */
#include "engine_int.h"
#include "writing.h"

/* The record of this side has changed its state; told: by the vendor itself. What travels is noted in the pair. */
void deletion_seen(const struct g_link *l, struct loaded *ld, int side, int32_t before, bool told, struct arena *a);
bool deletion_told(const struct pair *p, int side);
void deletion_forget(struct pair *p, struct arena *a);
int deletion_work(struct engine *g, struct g_link *l, struct loaded *ld, struct builder *b, int target, struct arena *a,
                  struct err *e);
/* The delete is in; observed: the record was read since. Inside the transaction of the outcome. */
int deletion_apply(struct engine *g, struct g_link *l, struct g_batch *b, const struct g_entry *entry, bool observed,
                   struct err *e);
/* Our delete was carried out: other links that read the record may send that on, by their own `delete`. */
int deletion_note(struct engine *g, const struct g_link *l, const struct g_batch *b, int64_t rec, struct err *e);
#endif
