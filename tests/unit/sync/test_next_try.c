/* What comes of a refused write. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "cleanup.h"
#include "next_try.h"
#include "tieline.h"

static void every_refusal(void **state)
{
    (void)state;
    static const struct {
        struct refusal r;
        struct next_try next;
    } rows[] = {
        {{.status = TL_E_CONFLICT, .reason = TL_R_OTHER, .known = true}, {TRY_READ, 1}},
        {{.status = TL_E_CONFLICT, .reason = TL_R_LOCKED, .known = true, .attempts = 4}, {TRY_READ, 5}},
        {{.status = TL_E_CONFLICT, .reason = TL_R_OTHER, .known = true, .attempts = 5}, {TRY_AGAIN, 6}},
        {{.status = TL_E_CONFLICT, .reason = TL_R_OTHER}, {TRY_AGAIN, 1}},
        {{.status = TL_E_CONFLICT, .reason = TL_R_OTHER, .attempts = 10}, {TRY_FAIL, 0}},
        {{.status = TL_E_CONFLICT, .reason = TL_R_ALREADY_MAPPED, .known = true}, {TRY_FAIL, 0}},
        {{.status = TL_E_NOT_FOUND, .known = true, .attempts = 4}, {TRY_READ, 5}},
        {{.status = TL_E_NOT_FOUND, .known = true, .attempts = 5}, {TRY_FAIL, 0}},
        {{.status = TL_E_NOT_FOUND}, {TRY_FAIL, 0}},
        {{.status = TL_E_THROTTLED, .attempts = 10}, {TRY_AGAIN, 10}},
        {{.status = TL_E_QUOTA, .attempts = 3}, {TRY_AGAIN, 3}},
        {{.status = TL_E_AUTH}, {TRY_AGAIN, 0}},
        {{.status = TL_E_CONFIG}, {TRY_AGAIN, 0}},
        {{.status = TL_E_TEMPORARY, .attempts = 9}, {TRY_AGAIN, 10}},
        {{.status = TL_E_TEMPORARY, .attempts = 10}, {TRY_FAIL, 0}},
        {{.status = TL_E_TEMPORARY, .attempts = 10, .away = true}, {TRY_AGAIN, 10}},
        {{.status = TL_E_CANCELLED}, {TRY_AGAIN, 1}},
        {{.status = TL_E_INVALID, .reason = TL_R_TOO_LONG, .known = true}, {TRY_FAIL, 0}},
        {{.status = TL_E_DENIED, .known = true}, {TRY_FAIL, 0}},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct next_try got = next_try(&rows[i].r);
        if (got.how != rows[i].next.how || got.attempts != rows[i].next.attempts)
            fail_msg("row %zu: %d, %d", i, (int)got.how, (int)got.attempts);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_refusal)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
