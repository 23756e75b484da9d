#ifndef ERR_H
#define ERR_H
/* The error object every fallible function fills, once, at the lowest place that knows the facts. Callers add context
 * with err_wrap, never replace. Statuses are the SDK's (tl_status, TL_OK = 0) plus the host's own below. Outputs are
 * untouched on failure. Expected outcomes (not found, end, busy) are statuses and need not fill e. e may be NULL. */
#include <stdarg.h>
#include <stdint.h>

#include "cleanup.h"
#include "tieline.h"

enum {                  /* host's own statuses, never crossing the ABI */
       E_STORAGE = 100, /* SQLite: full, I/O error, corrupt */
       E_USAGE = 101,
       E_EXISTS = 102,
       E_BUSY = 103,
       E_END = 104,
       E_PRECONDITION = 105 /* the object is in a state that does not allow this verb */
};

struct err {
    int status;
    int32_t reason, scope, http_status; /* TL_R_*, TL_SCOPE_* */
    int64_t retry_after_ms;
    char code[64]; /* vendor's code, or one of ours in capitals: ALREADY_MAPPED */
    char field[64];
    char text[512];    /* one line: lower-case start, no full stop, the fact first, values in quotes */
    char detail[1024]; /* for the machine room */
    char hint[384];    /* what to do */
};

/* All return status, so that `return err_set(e, ...)` reads well. [any] */
int err_set(struct err *e, int status, const char *fmt, ...) PRINTF_LIKE(3, 4);
int err_setv(struct err *e, int status, const char *fmt, va_list ap);
/* Prepends context: "while ...: text". Returns e->status (TL_E_BUG when e is NULL or empty). */
int err_wrap(struct err *e, const char *fmt, ...) PRINTF_LIKE(2, 3);
void err_hint(struct err *e, const char *fmt, ...) PRINTF_LIKE(2, 3);
void err_detail(struct err *e, const char *fmt, ...) PRINTF_LIKE(2, 3);
void err_code(struct err *e, const char *code);
int err_errno(struct err *e, const char *fmt, ...) PRINTF_LIKE(2, 3); /* appends strerror(errno) and maps it */
void err_clear(struct err *e);
void err_from_tl(struct err *e, int status, const tl_error *from);
void err_to_tl(const struct err *e, tl_error *to);
const char *status_name(int status); /* "throttled"; never NULL */
#endif
