#ifndef REMOTE_INT_H
#define REMOTE_INT_H
#include "keeper.h"
#include "remote.h"

enum { REPLY_ITEMS_LIMIT = 72 << 20 }; /* over what an honest instance sends (instance.h) */

struct worker {
    pthread_mutex_t lock; /* guards control's writing side, next_id, reaped with wait_status, remotes, cut */
    uint32_t refs;        /* the control thread's */
    pid_t pid;
    bool reaped;
    int wait_status;
    struct channel control;
    struct keeper *keeper;
    struct confinement confinement;
    uint64_t next_id;
    struct remote *remotes; /* whose channels are open */
    bool cut;               /* it is no more, or shall not be: nothing is waited for */
};
/* Whoever waits for the worker on this channel sees its end, once what it has sent is read. The worker's lock is held.
 */
void remote_cut(struct remote *r);
struct remote *remote_next(const struct remote *r);
#endif
