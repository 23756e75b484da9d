#ifndef NEXT_TRY_H
#define NEXT_TRY_H
/* What comes of a write that was refused for one record: it is tried again, decided anew after a read, or a failure.
 * Pure. [any] */
#include <stdbool.h>
#include <stdint.h>

enum {
    CONFLICT_TRIES = 5, /* reads because the record was another one than the write was made for, or was not there */
    TRANSIENT_TRIES = 10
};
struct refusal {
    int status;       /* TL_E_* of the record */
    int32_t reason;   /* TL_R_* */
    bool known;       /* the record has an id to ask for */
    bool away;        /* the whole endpoint fails, and not for the first time: that is not the record's fault */
    int32_t attempts; /* before this one */
};
enum try_how { TRY_FAIL, TRY_READ, TRY_AGAIN };
struct next_try {
    enum try_how how;
    int32_t attempts; /* from now on; as before where this one does not count against the record */
};
struct next_try next_try(const struct refusal *r);
#endif
