#ifndef STORAGE_H
#define STORAGE_H
/* The database cannot be written: nothing is begun, people are told once, and told once when it is over. What decides
 * is what could not be written: while a transaction is outstanding that failed, work goes on as a trial, and only when
 * that one was committed it is over. [control] */
#include <stdbool.h>
#include <stdint.h>

#include "err.h"

struct engine;

struct storage {
    bool told;           /* people are told that nothing is sent */
    struct err why;      /* in these words */
    int64_t look_due;    /* mono; next look while all is well */
    int64_t trial_until; /* mono; of work that may go on without what failed, which is then not needed any more */
};

void storage_failed(struct engine *g, const char *what, struct err *e);
/* A transaction could not be committed; rests longer each time in a row where it was the disk. */
void storage_transaction_failed(struct engine *g, int rc, const char *what, struct err *e);
void storage_worked(struct engine *g, const char *what);
bool storage_turn(struct engine *g); /* false: nothing may be begun */
#endif
