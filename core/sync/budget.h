#ifndef BUDGET_H
#define BUDGET_H
/* How many calls of an endpoint may still be made, and how many at once. Pure: told what was sent, answered and said by
 * the vendor, asked before each call.
 *
 * Of every allowance (a window of the vendor, or the operator's own for a day) reserve_pct is left to others and never
 * used. Live work and actions go on up to that; retries, sweeps and first syncs stop at three quarters of what is left
 * without it. How many calls run at once grows by one a round of good answers and is halved when the vendor throttles.
 */
#include <stdbool.h>
#include <stdint.h>

#include "pairs.h"
#include "str.h"
#include "tieline.h"

enum { BUDGET_WINDOWS = 8, BUDGET_WIDTH_MAX = 64 };

struct budget_window {
    char name[32];
    int64_t limit, remaining; /* as told; -1: not told */
    int64_t resets_us;        /* 0: not told */
    int64_t told_us;
    int64_t sent; /* by us since it was told */
};
struct budget {
    int64_t daily_calls; /* the operator's; 0: none */
    int32_t reserve_pct;
    int64_t day, sent_today; /* days since 1970, UTC */
    uint32_t n;
    struct budget_window windows[BUDGET_WINDOWS];
    double width;   /* calls at once */
    double ceiling; /* no more than this until ceiling_until: that many were too many */
    int64_t ceiling_until;
    int64_t cut_us;     /* when it was last too many: calls sent before say nothing new */
    unsigned out, peak; /* calls that were not answered yet; most of them since the last cut */
    int64_t fastest_us;
};

void budget_init(struct budget *b, int64_t daily_calls, int32_t reserve_pct);
/* What the vendor said of one of its windows. */
void budget_told(struct budget *b, str name, int64_t limit, int64_t remaining, int64_t resets_us, int64_t told_us);
void budget_sent(struct budget *b, int64_t now_us);
void budget_answered(struct budget *b, int status, int64_t took_us, int64_t now_us);
/* May one more call of this lane be made? *again_us (may be NULL): when to ask again, 0 not known. */
bool budget_allows(const struct budget *b, enum lane lane, int64_t now_us, int64_t *again_us);
/* Calls of a lane that are left in the window that ends first to be used up; INT64_MAX: no window limits it. */
int64_t budget_left(const struct budget *b, enum lane lane, int64_t now_us, int64_t *resets_us);
/* Calls more that may run at once. */
int budget_room(const struct budget *b, int64_t now_us);
/* Microseconds until so many calls of a lane are through at this rate, waiting for windows to reset where they must:
 * -1 when it cannot be told. per_window: what a fresh window gives, window_us its length; 0: no window. */
int64_t budget_eta_us(int64_t calls, double calls_per_s, int64_t left_now, int64_t resets_in_us, int64_t per_window,
                      int64_t window_us);
#endif
