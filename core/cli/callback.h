#ifndef CALLBACK_H
#define CALLBACK_H
/* The few lines of HTTP that catch a vendor's redirect on this machine (RFC 8252, 7.3), or what a person pastes
 * instead. Listens on loopback alone and only while somebody waits; takes one answer: a GET of the registered path,
 * under the registered host, with the state of this sign-in. Everything else is refused and waited past. */
#include <stdint.h>

#include "buf.h"
#include "err.h"

enum callback_end {
    CALLBACK_ANSWER,      /* out holds it */
    CALLBACK_EXPIRED,     /* the time is over */
    CALLBACK_INTERRUPTED, /* by a signal that asks to end */
    CALLBACK_NOBODY       /* standard input has ended, and nobody listens */
};

struct callback;
/* Listens where the redirect address says, if that is this machine. From here to the end of the wait signals that end
 * the program end the wait instead. e says why nobody can listen (out is usable all the same: then the answer must be
 * pasted). */
struct callback *callback_new(const char *redirect_uri, const char *state, struct err *e);
struct callback *callback_free(struct callback *c);
AUTO_FN(struct callback *, callback_free)
/* Waits for the redirect, or a line on standard input. */
enum callback_end callback_wait(struct callback *c, int64_t timeout_ms, struct buf *out);
#endif
