#ifndef ASK_H
#define ASK_H
/* What a person asks a vendor for, beside what the engine does of itself: the call counts against the endpoint's
 * allowances and tells whether the vendor answers, and its answer belongs to whoever asked. All [control]. */
#include "call.h"
#include "engine.h"

/* Takes the call and ends with call_free. Runs once, never inside ask_submit. */
typedef void (*ask_done_fn)(void *arg, struct call *c);

/* A call of purpose TL_PURPOSE_AGENT. *shape_out: the kind with all its fields, for the request; lives as long as the
 * call. TL_E_NOT_FOUND: no such kind is known of the endpoint. E_PRECONDITION with words: nothing is asked of it now,
 * be it signed out, blocked, told to wait or used up for today. */
int ask_new(struct engine *g, int64_t endpoint, enum call_kind what, str kind, struct call **out,
            const tl_shape **shape_out, struct err *e);
void ask_submit(struct engine *g, struct call *c, ask_done_fn done, void *arg);
#endif
