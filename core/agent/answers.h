#ifndef ANSWERS_H
#define ANSWERS_H
/* What vendors said to people's questions, kept for a short while. Raw: what of an answer somebody may see is decided
 * anew each time it is read. Those who ask the same at once are answered by one call. */
#include <stdbool.h>

#include "call.h"
#include "control.h"
#include "times.h"

struct question {
    int64_t endpoint;
    enum call_kind what; /* CALL_GET: the record key; CALL_FIND: those with key in the field by; CALL_LIST: those that
                            belong to the record key of kind by */
    str kind, by, key;
    str filter; /* of a list: one of tl_kind.filters; empty: all */
};

/* One answer; what it points to is held until answer_give. */
struct answer {
    bool late; /* none has come yet */
    tl_status status;
    struct err why; /* status is not TL_OK: in words */
    int64_t us;     /* our clock when it was asked */
    const tl_shape *shape;
    const struct reply *reply;
    struct answer_entry *held;
};

#define ANSWERS_KEEP_US   (60 * US_PER_S)    /* an answer is used again for so long */
#define ANSWERS_MAX_BYTES ((size_t)64 << 20) /* of all that is kept */

struct answers_parts {
    const struct env *env;
    struct control *control;
    struct engine *engine;
    int64_t keep_us;  /* an answer is used again for so long */
    size_t max_bytes; /* of all that is kept */
};
struct answers;
struct answers *answers_new(const struct answers_parts *parts);
const struct env *answers_env(const struct answers *s);
struct answers *answers_free(struct answers *s); /* once the control thread is through and nobody holds any */

/* n answers, in the order of the questions: at once what is kept, for the others vendors are asked, all at the same
 * time. Returns when all have come, or after wait_us: an answer that is late then is kept for the next who asks.
 * [any but control] */
void answers_take(struct answers *s, const struct question *questions, size_t n, int64_t wait_us, struct answer *out);
void answer_give(struct answers *s, struct answer *a);
#endif
