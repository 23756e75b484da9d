#ifndef PERMISSION_ADMIN_H
#define PERMISSION_ADMIN_H
/* Changes of what profiles may see and have done: each is one transaction with its row in the audit, which holds what
 * was granted before and what is since. All [control]. */
#include <jansson.h>
#include <stdbool.h>

#include "err.h"

struct db;
struct permission_change {
    const char *connection, *profile; /* profile: id or name */
    const char *object, *wish;        /* what is granted of it then: see permission_wish() */
    const char *from;                 /* instead of both: the profile whose permissions it gets; else NULL */
    const char *who;
    bool dry_run; /* only tells */
};
/* *out: {"dry_run","connection","profile","name","visible","before":[{"object","access","granted"}],"after":[...]}:
 * the object, or with `from` all of them. E_USAGE: no such object or item. */
int permission_change(struct db *db, const struct permission_change *c, json_t **out, struct err *e);

/* Once per connection, as soon as the profiles of its help desk are known: administrators get everything, others see
 * everything and may do nothing. One that comes later has nothing until a person decides. Done already: nothing. Part
 * of the caller's transaction if there is one. */
int permission_set_up(struct db *db, const char *connection, const char *who, struct err *e);
#endif
