#ifndef MAILBOX_H
#define MAILBOX_H
/* Hand-over of work to one thread: many post, one drains. Order of posting is order of running. */
#include <stdbool.h>
#include <stdint.h>

struct message { /* embed it; the poster owns the memory until run() is called, then run() decides */
    struct message *next;
    void (*run)(struct message *m); /* on the owner's thread */
};
struct mailbox;
struct mailbox *mailbox_new(void);
struct mailbox *mailbox_free(struct mailbox *m);           /* runs nothing; must be empty */
void mailbox_post(struct mailbox *m, struct message *msg); /* [any] */
/* Runs what is there; waits up to wait_us (negative: for ever) when nothing is. Returns how many ran. [owner] */
int mailbox_run(struct mailbox *m, int64_t wait_us);
int mailbox_fd(struct mailbox *m); /* readable when something waits; for an epoll set */
#endif
