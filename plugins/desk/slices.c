/* How wide a slice of time is. A search reaches about 1,100 rows ("from" 0..999, [OAS:Search]), so a slice must hold
 * fewer, and every slice costs at least one call, so it should not hold many fewer. Pure. */
#include "desk.h"

enum { AIM = 600, FEW = 300 };
static const int64_t WIDEST = INT64_C(50) * 366 * 86400 * 1000;

static int64_t clamp(int64_t width)
{
    return width < 1 ? 1 : width > WIDEST ? WIDEST : width;
}

static int64_t scaled(int64_t width, int64_t by, int64_t of)
{
    __int128 wide = (__int128)width * by / of;
    return wide > WIDEST ? WIDEST : clamp((int64_t)wide);
}

int64_t desk_slice_first(int64_t span_ms, int64_t total)
{
    return total <= AIM ? clamp(span_ms) : scaled(span_ms, AIM, total);
}

int64_t desk_slice_narrower(int64_t width_ms, int64_t count)
{
    int64_t width = scaled(width_ms, AIM, count > 0 ? count : AIM);
    return width < width_ms ? width : clamp(width_ms / 2);
}

int64_t desk_slice_wider(int64_t width_ms, int64_t count)
{
    if (count >= FEW)
        return width_ms;
    int64_t most = scaled(width_ms, 8, 1), aim = scaled(width_ms, AIM, count > 0 ? count : 1);
    return aim < most ? aim : most;
}

int64_t desk_slice_end(int64_t lo_ms, int64_t width_ms, int64_t end_ms)
{
    int64_t hi = end_ms - lo_ms <= width_ms ? end_ms : lo_ms + width_ms;
    /* wide slices end on whole seconds, should a portal cut times to seconds */
    if (hi < end_ms && width_ms >= 10000)
        hi -= hi % 1000;
    return hi;
}
