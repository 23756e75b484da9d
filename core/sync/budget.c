/* See budget.h. */
#include "budget.h"

#include <stdio.h>
#include <string.h>

#include "times.h"

#define CEILING_US (600 * US_PER_S)
#define SLOW_US    (2 * US_PER_S)

enum { BULK_PCT = 75, SLOW_TIMES = 5 };

void budget_init(struct budget *b, int64_t daily_calls, int32_t reserve_pct)
{
    b->daily_calls = daily_calls;
    b->reserve_pct = reserve_pct;
    if (b->width < 1)
        b->width = BUDGET_WIDTH_MAX;
}

void budget_told(struct budget *b, str name, int64_t limit, int64_t remaining, int64_t resets_us, int64_t told_us)
{
    struct budget_window *w = NULL;
    for (uint32_t i = 0; i < b->n && !w; i++)
        w = str_is(name, b->windows[i].name) ? &b->windows[i] : NULL;
    if (!w && b->n == BUDGET_WINDOWS)
        return;
    if (!w) {
        w = &b->windows[b->n++];
        snprintf(w->name, sizeof w->name, "%.*s", STR_FMT(name));
    }
    if (w->told_us == told_us)
        return; /* the same word again */
    w->told_us = told_us;
    w->limit = limit;
    w->remaining = remaining;
    w->resets_us = resets_us;
    w->sent = 0;
}

static int64_t day_of(int64_t us)
{
    return us / US_PER_DAY;
}

void budget_sent(struct budget *b, int64_t now_us)
{
    if (b->day != day_of(now_us)) {
        b->day = day_of(now_us);
        b->sent_today = 0;
    }
    b->sent_today++;
    for (uint32_t i = 0; i < b->n; i++)
        b->windows[i].sent++;
    b->out++;
    b->peak = b->out > b->peak ? b->out : b->peak;
}

/* Calls a lane may make of an allowance of `limit` of which `used` are gone; negative: none. */
static int64_t lane_left(const struct budget *b, enum lane lane, int64_t limit, int64_t used)
{
    int64_t allotment = limit - (limit * b->reserve_pct + 99) / 100;
    if (lane != LANE_ACTION && lane != LANE_LIVE)
        allotment = allotment * BULK_PCT / 100;
    return allotment - used;
}

int64_t budget_left(const struct budget *b, enum lane lane, int64_t now_us, int64_t *resets_us)
{
    int64_t least = INT64_MAX, resets = 0;
    if (b->daily_calls > 0) {
        least = lane_left(b, lane, b->daily_calls, b->day == day_of(now_us) ? b->sent_today : 0);
        resets = (day_of(now_us) + 1) * US_PER_DAY;
    }
    for (uint32_t i = 0; i < b->n; i++) {
        const struct budget_window *w = &b->windows[i];
        if (w->remaining < 0 || (w->resets_us && w->resets_us <= now_us))
            continue; /* not told, or of a window that is over */
        int64_t left =
            w->limit > 0 ? lane_left(b, lane, w->limit, w->limit - w->remaining + w->sent) : w->remaining - w->sent;
        if (left < least) {
            least = left;
            resets = w->resets_us;
        }
    }
    if (resets_us)
        *resets_us = resets;
    return least;
}

bool budget_allows(const struct budget *b, enum lane lane, int64_t now_us, int64_t *again_us)
{
    int64_t resets = 0;
    bool allowed = budget_left(b, lane, now_us, &resets) > 0;
    if (again_us)
        *again_us = allowed ? 0 : resets;
    return allowed;
}

static double top_of(const struct budget *b, int64_t now_us)
{
    return b->ceiling >= 1 && now_us < b->ceiling_until ? b->ceiling : BUDGET_WIDTH_MAX;
}

void budget_answered(struct budget *b, int status, int64_t took_us, int64_t now_us)
{
    if (b->out > 0)
        b->out--;
    if (status == TL_E_THROTTLED && now_us - took_us <= b->cut_us)
        return;
    if (status == TL_E_THROTTLED) {
        double were = b->peak;
        b->cut_us = now_us;
        b->peak = b->out;
        b->ceiling = were > 2 ? were - 1 : 1;
        b->ceiling_until = now_us + CEILING_US;
        b->width = were > 2 ? were / 2 : 1;
        return;
    }
    if (status != TL_OK)
        return;
    if (b->fastest_us == 0 || took_us < b->fastest_us)
        b->fastest_us = took_us;
    if (took_us > SLOW_US && took_us > SLOW_TIMES * b->fastest_us)
        b->width = b->width > 1.25 ? b->width * 0.8 : 1; /* it answers late: before it says so itself */
    else if (b->width < top_of(b, now_us))
        b->width += 1 / b->width;
    if (b->width > top_of(b, now_us))
        b->width = top_of(b, now_us);
}

int budget_room(const struct budget *b, int64_t now_us)
{
    double width = b->width < 1 ? BUDGET_WIDTH_MAX : b->width;
    double top = top_of(b, now_us);
    int room = (int)(width < top ? width : top) - (int)b->out;
    return room > 0 ? room : 0;
}

int64_t budget_eta_us(int64_t calls, double calls_per_s, int64_t left_now, int64_t resets_in_us, int64_t per_window,
                      int64_t window_us)
{
    if (calls <= 0)
        return 0;
    if (calls_per_s <= 0)
        return -1;
    int64_t at_rate = (int64_t)((double)calls / calls_per_s * 1e6);
    if (calls <= left_now)
        return at_rate;
    if (per_window <= 0 || window_us <= 0)
        return -1;
    int64_t after = calls - (left_now > 0 ? left_now : 0);
    int64_t full = (after - 1) / per_window, rest = after - full * per_window;
    int64_t waited = resets_in_us + full * window_us + (int64_t)((double)rest / calls_per_s * 1e6);
    return waited > at_rate ? waited : at_rate;
}
