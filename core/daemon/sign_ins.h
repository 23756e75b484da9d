#ifndef SIGN_INS_H
#define SIGN_INS_H
/* Sign-ins by browser that were begun and wait for their answer. Each is good once, for one endpoint and one admin, and
 * for ten minutes; none survives the daemon, so nothing half-done is left anywhere. [control] */
#include <stdbool.h>
#include <stdint.h>

#include "auth.h"
#include "env.h"
#include "err.h"
#include "redirect.h"
#include "str.h"

enum { SIGN_INS_MAX = 64, SIGN_INS_OF_ONE = 8 };

struct sign_in_wait {
    char state[AUTH_TICKET_SIZE], verifier[AUTH_TICKET_SIZE]; /* the verifier is a secret */
    char who[128], redirect_uri[REDIRECT_MAX / 4];
    int64_t endpoint;
    int64_t ends_us; /* mono */
};

struct sign_ins;
struct sign_ins *sign_ins_new(const struct env *env);
struct sign_ins *sign_ins_free(struct sign_ins *s);

/* A new one, lent until the next call; of one admin the oldest beyond SIGN_INS_OF_ONE ends. E_BUSY: all places are
 * taken by others. */
int sign_ins_begin(struct sign_ins *s, int64_t endpoint, const char *who, const char *redirect_uri,
                   const struct sign_in_wait **out, struct err *e);
/* The one an answer belongs to; it is used up by that. E_PRECONDITION: none, not this admin's, or not of this endpoint;
 * in the latter two cases it goes on waiting for its own answer. */
int sign_ins_take(struct sign_ins *s, str state, int64_t endpoint, const char *who, struct sign_in_wait *out,
                  struct err *e);
/* It is not wanted any more: as take, without a word. */
bool sign_ins_cancel(struct sign_ins *s, str state, int64_t endpoint, const char *who);
void sign_in_wait_wipe(struct sign_in_wait *w);
AUTO_DONE(struct sign_in_wait, sign_in_wait_wipe)
#endif
