#ifndef PERMISSION_OBJECT_H
#define PERMISSION_OBJECT_H
/* What can be granted through a connection: its objects with their items, as the system beside the help desk describes
 * its kinds, and the words for common sets of them. A set is a bit mask over an object's items. */
#include "connections.h"
#include "endpoints.h"
#include "permission.h"

enum { PERMISSION_ITEMS_MAX = 64 };

enum permission_sort {
    PERMISSION_SWITCH,  /* the integration as a whole */
    PERMISSION_PANEL,   /* an account or a contact, with what is shown beside it */
    PERMISSION_DOCUMENT /* records that stand for themselves: invoices, estimates */
};

struct permission_object {
    str name;
    enum permission_sort sort;
    str items[PERMISSION_ITEMS_MAX]; /* "visible" first */
    size_t n;
    uint64_t full; /* all that is shown of it; of a document all four of view, send, create and update too */
};

/* The two ends of a connection, as permissions see them. */
struct permission_ends {
    struct connection connection;
    struct endpoint helpdesk, other; /* whose profiles they are; whose records */
};
/* TL_E_NOT_FOUND; E_PRECONDITION: neither end is a help desk. [any, on a reader or the writer] */
int permission_ends(struct db *r, struct arena *a, const char *connection, struct permission_ends *out, struct err *e);

struct permission_objects {
    struct permission_object *of; /* the integration, account, contact, then documents: those that there are */
    size_t n;
};
/* What rows of g name beyond what is described is added. also: a kind that somebody asks for, if the other end
 * describes it; or empty. In the arena. */
int permission_objects(struct db *r, struct arena *a, const struct permission_ends *ends, const struct grants *g,
                       str also, struct permission_objects *out, struct err *e);
const struct permission_object *permission_object_find(const struct permission_objects *all, str name);

uint64_t permission_set_of(const struct permission_object *o, const struct grants *g);
/* The set that a wish makes of another one. "none"; "full" of a panel; "view", "view-send", "view-create-update" and
 * "all" of a document; items, comma separated: these and no others; or "ITEM=on" and "ITEM=off", which leave the rest.
 * E_USAGE names what the object knows. Pure. */
int permission_wish(const struct permission_object *o, str wish, uint64_t before, uint64_t *out, struct err *e);
/* "hidden"; "visible" of the integration; "full access", "restricted access"; of a document the name of its level where
 * the set is one. Pure. */
const char *permission_access(const struct permission_object *o, uint64_t set);
#endif
