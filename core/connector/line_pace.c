#include "line_pace.h"

bool line_pace(struct line_pace *p, uint32_t max, int64_t now_ms, uint32_t *left_out)
{
    *left_out = 0;
    if (now_ms - p->span_ms >= PACE_SPAN_MS) {
        *left_out = p->left_out;
        *p = (struct line_pace){.span_ms = now_ms};
    }
    if (p->lines++ < max)
        return true;
    p->left_out++;
    return false;
}
