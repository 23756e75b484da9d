#ifndef PERSON_H
#define PERSON_H
/* Which stored records are somebody's: by record id, e-mail address or phone number; never by name, which others share.
 * An address is looked for in every value of every record of the feeds asked for. [any, on a reader] */
#include "arena.h"
#include "err.h"
#include "str.h"

struct db;
struct person_ask {
    const char *who;
    const char *endpoint, *kind; /* NULL: any */
    bool by_phone;               /* phones are shared by families and firms: enough to show, not to erase */
};
struct person_record {
    int64_t rec, feed;
};
int person_find(struct db *r, const struct person_ask *ask, struct arena *a, struct person_record **out, size_t *n,
                struct err *e); /* TL_E_NOT_FOUND: none */
#endif
