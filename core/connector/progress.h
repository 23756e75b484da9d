#ifndef PROGRESS_H
#define PROGRESS_H
/* Does a pull get on? A cursor says all that a connector knows of its place, so one that comes again with "there is
 * more" will come again for ever. Watched over the calls of an instance, one entry a kind, mode and view. Pure. */
#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "tieline.h"

enum {
    PROGRESS_PLACES = 8,
    PROGRESS_REPEATS = 3, /* a cursor met so often again is a loop */
    PROGRESS_EMPTY = 200  /* pages of a pass without a record, one after another */
};

struct progress_place {
    uint64_t key;   /* kind, mode, view; 0: free */
    uint64_t last;  /* cursor before */
    uint64_t saved; /* the one that is waited for: moved on at 1, 2, 4, ... steps (Brent's way to find a cycle) */
    uint32_t steps, power, repeats, empty;
};
struct progress {
    struct progress_place places[PROGRESS_PLACES];
    struct progress_place *now;
    uint32_t next;
};

/* A pull begins. */
void progress_begin(struct progress *p, const tl_pull *pull);
/* Its next checkpoint, after so many records. TL_E_INVALID: it goes round in circles. */
int progress_step(struct progress *p, const tl_checkpoint *c, uint64_t records, struct err *e);
#endif
