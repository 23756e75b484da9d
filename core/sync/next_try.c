#include "next_try.h"

#include "tieline.h"

struct next_try next_try(const struct refusal *r)
{
    int32_t n = r->attempts + 1;
    switch (r->status) {
    case TL_E_CONFLICT:
        if (r->reason != TL_R_OTHER && r->reason != TL_R_LOCKED)
            break;
        if (r->known && n <= CONFLICT_TRIES)
            return (struct next_try){TRY_READ, n};
        if (n <= TRANSIENT_TRIES)
            return (struct next_try){TRY_AGAIN, n};
        break;
    case TL_E_NOT_FOUND:
        if (r->known && n <= CONFLICT_TRIES)
            return (struct next_try){TRY_READ, n};
        break;
    case TL_E_THROTTLED:
    case TL_E_QUOTA:
    case TL_E_AUTH:
    case TL_E_CONFIG:
        return (struct next_try){TRY_AGAIN, r->attempts};
    case TL_E_TEMPORARY:
    case TL_E_CANCELLED:
        if (r->away)
            return (struct next_try){TRY_AGAIN, r->attempts};
        if (n <= TRANSIENT_TRIES)
            return (struct next_try){TRY_AGAIN, n};
        break;
    }
    return (struct next_try){TRY_FAIL, 0};
}
