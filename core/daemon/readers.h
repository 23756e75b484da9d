#ifndef READERS_H
#define READERS_H
/* Read-only handles of the store, lent to threads that answer requests. [any] */
#include "db.h"

struct readers;
int readers_new(struct readers **out, const struct db_options *options, struct err *e);
struct readers *readers_free(struct readers *r);
/* A handle with a read transaction open; give it back within 2 s. Opens a further one when all are out. */
int readers_take(struct readers *r, struct db **out, struct err *e);
void readers_give(struct readers *r, struct db *db);
#endif
