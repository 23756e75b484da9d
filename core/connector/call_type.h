#ifndef CALL_TYPE_H
#define CALL_TYPE_H
/* What each kind of call is, in one table. A further kind is: its number in enum call_kind, its request in struct
 * call, its row in call_type.c; where the answer is a new kind of item, that in reply.c; and in the engine who takes
 * the answer (schedule.c). */
#include "call.h"
#include "codec.h"
#include "loader.h"

enum {
    CALL_LOCAL = 1 /* the vendor is asked nothing: it counts against no budget */
};

struct call_type {
    const char *name;
    unsigned flags;
    /* Nobody knows, when its answer is lost, whether it was done: a drain waits for it, and it ends as TL_E_UNKNOWN.
     * NULL: never so. */
    bool (*writes)(const struct call *c);
    uint32_t items;               /* what it may answer: 1 << ITEM_* */
    uint32_t size;                /* of its request, whose first member says so */
    size_t shape_at, deadline_at; /* in struct call; 0: it has none. One that has a shape needs it */
    void (*init)(struct call *c); /* what else a new request holds; NULL: nothing */
    int (*encode)(struct buf *b, const struct call *c, struct err *e);
    void (*decode)(struct decoder *d, struct call *c);
    /* TL_E_UNSUPPORTED without words: the connector has no such function. */
    tl_status (*run)(const struct module *m, tl_conn *conn, const struct call *c, tl_error *error);
};
const struct call_type *call_type(uint32_t kind); /* NULL: there is none */
#endif
