#ifndef LINK_STATE_H
#define LINK_STATE_H
/* What the engine keeps of a link for single rules, beside its row and its map. */
#include <stdbool.h>
#include <stdint.h>

struct change_limit {                  /* change_limit.c */
    int64_t changes, percent;          /* of one run; both 0: none */
    int64_t written;                   /* of the run that goes on */
    int64_t deleted, deletes_since_us; /* within a day from then */
    bool known, approved;              /* what waits may go over it */
};

struct stand_in {  /* snapshot.c: the record that stands in on one side, while no pair of the link changes */
    int64_t epoch; /* engine.ref_epoch + 1; 0: not looked for */
    uint8_t n;
    char id[40];
};

/* Where a reference leads, remembered while no pair of a referred link changes. */
struct ref_slot {
    int64_t epoch, link, pair;
    int32_t side;
    uint8_t n_id, n_other;
    char id[40], other[40];
};
#endif
