#ifndef SETBACK_H
#define SETBACK_H
/* Work whose transaction fails rests before it is tried again, longer each time in a row, while everything else goes
 * on; from the third time on people are told. In memory alone: a restart tries at once. */
#include <stdbool.h>
#include <stdint.h>

#include "str.h"

struct engine;

struct setback {
    unsigned tries;   /* failed in a row; 0: nothing is wrong */
    int64_t until_us; /* mono: not tried before */
    bool told;        /* a repair is open */
    char text[256];   /* what the last failure was about, and why */
};

/* What the engine knows of transactions that failed. */
struct setbacks {
    unsigned n;          /* so many so far */
    char text[256];      /* what the last one was about, and why it failed */
    struct setback disk; /* nothing could be written; rests the whole engine */
    const char *disk_what;
    struct setback preview, undo, life, resolve; /* work that belongs to no endpoint, feed or link */
};

bool setback_rests(const struct engine *g, const struct setback *s);
/* Before it is tried again: people are told where that was not possible when it failed. */
void setback_again(struct engine *g, struct setback *s, str object, str key);
/* After a slice of work: how many transactions had failed before it, whether it got on, and whose work it was
 * ("link c contact", "engine") and which part of it ("", "undo"). */
void setback_note(struct engine *g, struct setback *s, unsigned failed_before, bool got_on, str object, str key);
/* Until when it rests now that it failed once more; 1 s at first, doubled up to 16 s. */
int64_t setback_add(struct engine *g, struct setback *s);
#endif
