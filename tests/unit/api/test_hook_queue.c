/* How many deliveries may wait to be stored: what is beyond it is answered 503, and takes no room itself. */
#include "hook_queue.h"
#include "unit/unit.h"

enum { MOST = 200, MOST_BYTES = 32 << 20 };

static void a_bound_on_their_number(void **state)
{
    (void)state;
    struct hook_queue *q = hook_queue_new(NULL, NULL); /* nothing is stored, so nobody is asked to */
    for (int i = 0; i < MOST; i++)
        assert_true(hook_queue_enter(q, 0));
    assert_false(hook_queue_enter(q, 0));
    assert_null(hook_queue_free(q));
}

static void a_bound_on_their_bytes(void **state)
{
    (void)state;
    struct hook_queue *q = hook_queue_new(NULL, NULL);
    assert_false(hook_queue_enter(q, MOST_BYTES + 1));
    assert_true(hook_queue_enter(q, MOST_BYTES - 7));
    assert_false(hook_queue_enter(q, 8)); /* refused whole: the 7 bytes that are left stay free */
    assert_true(hook_queue_enter(q, 7));
    assert_false(hook_queue_enter(q, 1));
    assert_null(hook_queue_free(q));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_bound_on_their_number),
                                       cmocka_unit_test(a_bound_on_their_bytes)};
    return cmocka_run_group_tests_name("api_hook_queue", tests, NULL, NULL);
}
