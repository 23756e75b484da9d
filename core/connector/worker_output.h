#ifndef WORKER_OUTPUT_H
#define WORKER_OUTPUT_H
/* What a worker prints on its standard output and error, line by line in the daemon's log as its connector's. Lines
 * beyond those of line_pace.h are counted and left out. The last ones are kept: when the worker dies they are
 * what it had to say about that. */
#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "line_pace.h"

enum { OUTPUT_LINE_MAX = 1000, OUTPUT_LAST = 16 };

struct worker_output {
    const char *connector; /* lent */
    struct buf line;
    bool cut; /* the rest of a line too long is skipped */
    struct line_pace pace;
    char *last[OUTPUT_LAST]; /* ring, the oldest at n_last % OUTPUT_LAST once it is full */
    uint32_t n_last;
};
void worker_output_take(struct worker_output *o, const char *bytes, size_t n);
void worker_output_end(struct worker_output *o); /* what is there without a line's end is one */
void worker_output_last(const struct worker_output *o, struct buf *out);
void worker_output_done(struct worker_output *o);
#endif
