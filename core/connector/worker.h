#ifndef WORKER_H
#define WORKER_H
/* The inside of tieline-worker: one connector, its instances on a thread each, no way out but the sockets. */
#include <pthread.h>

#include "call.h"
#include "frame.h"
#include "loader.h"
#include "services.h"

/* Runs the worker on the control channel; returns the exit status. */
int worker_main(int control_fd);

/* One instance and the thread that runs it. */
struct worker_instance {
    struct worker_instance *next;
    uint64_t id;
    const struct module *module;
    struct channel channel;
    pthread_mutex_t write_lock; /* log and metric may come from any thread */
    pthread_mutex_t sleep_lock; /* guards the wake-up of a cancelled sleep */
    pthread_cond_t sleep_cond;
    uint64_t call_id;        /* running call; atomic */
    uint64_t cancelled_call; /* the last one cancelled; atomic */
    int64_t clock_offset_us; /* daemon's clock minus our monotonic one */
    int64_t alive_us;        /* when the last sign of life was sent */
    bool gone;               /* the daemon is */
    struct arena answer;     /* what the last http() lent */
    struct buf out;
};
void worker_services(struct worker_instance *w, struct services *out);
/* Writes one frame; false and gone when nobody listens. [any] */
bool worker_send(struct worker_instance *w, uint16_t type, uint64_t call, const struct buf *body);
void worker_answer_verdict(struct worker_instance *w, const struct frame *f);
void worker_cancel(struct worker_instance *w, uint64_t call_id); /* [main thread] */
int64_t worker_mono_us(void);
#endif
