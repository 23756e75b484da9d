#ifndef PASSPORT_H
#define PASSPORT_H
/* The engine's side of map passports: stamps of former instances, and pairs that wait to be bound. */
#include "engine_int.h"

int passport_stamps_load(struct engine *g, struct err *e);
void passport_stamps_free(struct engine *g);
bool passport_stamp_known(const struct engine *g, str stamp); /* made by an instance whose passport was taken in */
/* One after the other; *at NULL at first. */
bool passport_stamp_next(const struct engine *g, const struct passport_stamps **at, const char **instance,
                         const struct stamp_key **key);
/* Binds pairs of passports that wait; *end: none of the link waits any more. Inside a transaction. */
int passport_slice(struct engine *g, struct g_link *l, bool *end, struct err *e);
#endif
