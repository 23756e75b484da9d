#ifndef LINE_PACE_H
#define LINE_PACE_H
/* How many lines a connector may put into the host's log. Whoever asks guards it. */
#include <stdbool.h>
#include <stdint.h>

enum { PACE_SPAN_MS = 10000, PACE_PRINTED = 200, PACE_LOGGED = 1000 };

struct line_pace {
    int64_t span_ms;
    uint32_t lines, left_out;
};
/* May one more line be written, of max in PACE_SPAN_MS? *left_out: so many were left out before, to be told now. */
bool line_pace(struct line_pace *p, uint32_t max, int64_t now_ms, uint32_t *left_out);
#endif
