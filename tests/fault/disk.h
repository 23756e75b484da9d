#ifndef DISK_H
#define DISK_H
/* The disk of a simulated daemon, with one fault in a scenario: the k-th write, truncation or sync of database and log
 * meets it. What it did is kept in memory that outlives the daemon, like the world. */
#include "sim/life.h"

enum disk_fault {
    DISK_GOOD,
    DISK_FULL,   /* nothing can be written for a while */
    DISK_DEAD,   /* I/O errors for a while */
    DISK_ONCE,   /* one I/O error */
    DISK_SHORT,  /* one write is half done */
    DISK_POWER,  /* a power cut: what was not synced is gone */
    DISK_OLD,    /* the files of then are put back much later, after a kill */
    DISK_LOG,    /* a kill, and the write-ahead log has lost its end */
    DISK_DAMAGE, /* a kill, and one bit of a stored observation is another one */
    DISK_FAULTS
};
extern const char *const disk_fault_names[DISK_FAULTS];

struct disk_state {
    enum disk_fault fault;
    uint64_t at, back_at; /* the operation that meets it; DISK_OLD: the one after which the copy is put back */
    uint64_t ops;         /* so far, while the scenario is busy */
    bool hit;             /* it was met */
    bool is_back;         /* an older state lies there */
    bool noticed;         /* ... and its start said so */
    bool refused;         /* ... or refused it */
    int64_t good_at;      /* wall: when writing works again */
    int64_t pushes, pushes_lost,
        told; /* calls that write; of them those an older state does not know; failed operations */
    char copies[96], seal[128];
};
extern struct disk_state *disk_state;

int disk_init(const char *dir);
void disk_start(enum disk_fault fault, uint64_t at, uint64_t back_at);
extern const struct disk disk_of_fault;
void disk_between(struct world *w, const char *db_path); /* between two lives */
#endif
