/* How often something may happen: a minute's worth at once, then evenly, each key for itself. */
#include "unit/unit.h"

#include "rate.h"
#include "times.h"

static bool take_at(struct rate *r, uint64_t key, int64_t at_us, int64_t *wait_us)
{
    return rate_take(r, key, 1000 * US_PER_S + at_us, wait_us);
}

static void a_minutes_worth_then_evenly(void **state)
{
    (void)state;
    struct rate *r = rate_new(60);
    int64_t wait = 0;
    for (int i = 0; i < 60; i++)
        assert_true(take_at(r, 7, 0, &wait));
    assert_false(take_at(r, 7, 0, &wait));
    assert_int_equal(wait, US_PER_S);
    assert_true(take_at(r, 8, 0, &wait)); /* others are not concerned */
    assert_false(take_at(r, 7, US_PER_S - 1, &wait));
    assert_int_equal(wait, 1);
    assert_true(take_at(r, 7, US_PER_S, &wait));
    assert_false(take_at(r, 7, US_PER_S, &wait));
    for (int i = 0; i < 60; i++)
        assert_true(take_at(r, 7, 200 * US_PER_S, &wait));
    assert_false(take_at(r, 7, 200 * US_PER_S, &wait));
    rate_free(r);
}

/* In no stretch of a minute more than two minutes' worth, in an hour no more than 61; whatever is asked. */
static void no_more_than_was_said(void **state)
{
    (void)state;
    struct rate *r = rate_new(10);
    int64_t wait = 0, at = 0;
    int taken = 0;
    while (at < 3600 * US_PER_S) {
        if (take_at(r, 1, at, &wait))
            taken++;
        else
            at += wait;
    }
    assert_int_equal(taken, 10 * 61 - 1);
    rate_free(r);
}

/* More keys than there is room for: those that wait are remembered, those that are even are not missed. */
static void many_keys(void **state)
{
    (void)state;
    struct rate *r = rate_new(1);
    int64_t wait = 0;
    assert_true(take_at(r, 5, 0, &wait));
    for (uint64_t key = 1000; key < 3000; key++)
        assert_true(take_at(r, key, 0, &wait));
    assert_false(take_at(r, 5, 1, &wait));
    for (uint64_t key = 10000; key < 40000; key++)
        assert_true(take_at(r, key, 61 * US_PER_S, &wait));
    rate_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_minutes_worth_then_evenly),
                                       cmocka_unit_test(no_more_than_was_said), cmocka_unit_test(many_keys)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
