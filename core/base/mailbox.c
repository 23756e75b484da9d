#include "mailbox.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"

struct mailbox {
    pthread_mutex_t lock; /* guards first, last */
    struct message *first, *last;
    int fd; /* eventfd: non-zero exactly while first is set, but for the moment inside a post or a run */
};

struct mailbox *mailbox_new(void)
{
    struct mailbox *m = calloc(1, sizeof *m);
    ASSERT(m);
    ASSERT(pthread_mutex_init(&m->lock, NULL) == 0);
    m->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    ASSERT(m->fd >= 0);
    return m;
}

struct mailbox *mailbox_free(struct mailbox *m)
{
    if (m) {
        ASSERT(!m->first);
        close(m->fd);
        pthread_mutex_destroy(&m->lock);
        free(m);
    }
    return NULL;
}

void mailbox_post(struct mailbox *m, struct message *msg)
{
    msg->next = NULL;
    pthread_mutex_lock(&m->lock);
    bool was_empty = !m->first;
    if (was_empty)
        m->first = msg;
    else
        m->last->next = msg;
    m->last = msg;
    /* Inside the lock: the owner may free the mailbox as soon as it has run msg. */
    if (was_empty)
        ASSERT(eventfd_write(m->fd, 1) == 0);
    pthread_mutex_unlock(&m->lock);
}

static struct message *take_all(struct mailbox *m)
{
    eventfd_t count;
    pthread_mutex_lock(&m->lock);
    struct message *all = m->first;
    m->first = m->last = NULL;
    if (all)
        ASSERT(eventfd_read(m->fd, &count) == 0);
    pthread_mutex_unlock(&m->lock);
    return all;
}

static void wait_readable(int fd, int64_t wait_us)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    struct timespec limit = {.tv_sec = (time_t)(wait_us / 1000000), .tv_nsec = (long)(wait_us % 1000000) * 1000};
    int rc = ppoll(&p, 1, wait_us < 0 ? NULL : &limit, NULL);
    ASSERT(rc >= 0 || errno == EINTR);
}

int mailbox_run(struct mailbox *m, int64_t wait_us)
{
    struct message *msg = take_all(m);
    if (!msg && wait_us != 0) {
        wait_readable(m->fd, wait_us);
        msg = take_all(m);
    }
    int ran = 0;
    while (msg) {
        struct message *next = msg->next; /* run() may free msg */
        msg->run(msg);
        msg = next;
        ran++;
    }
    return ran;
}

int mailbox_fd(struct mailbox *m)
{
    return m->fd;
}
