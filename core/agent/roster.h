#ifndef ROSTER_H
#define ROSTER_H
/* Profiles of help desks are taken from the records that are kept of them, as these change; and the permissions of a
 * connection are set up as soon as its help desk's profiles were read whole and its other end is described. [control]
 */
#include <stdint.h>

#include "err.h"

struct db;
/* One look. Nothing is written where nothing changed. */
int roster_look(struct db *db, struct err *e);

/* The same now and then, for who has a clock: returns when to be called again, in mono time. */
struct roster;
struct app;
struct roster *roster_new(struct app *app);
struct roster *roster_free(struct roster *r);
int64_t roster_tick(void *roster);
#endif
