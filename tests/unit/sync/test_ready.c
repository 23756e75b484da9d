/* The index of what is due: order, waking, queues. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "by_id.h"
#include "ready.h"

enum { MANY = 500 };

static void comes_in_order(void **state)
{
    struct ready_index x = {0};
    static struct ready all[MANY];
    uint32_t seed = 1;
    (void)state;
    for (int i = 0; i < MANY; i++) {
        ready_add(&x, &all[i], READY_LINK, &all[i]);
        seed = seed * 1103515245 + 12345;
        ready_set(&all[i], 1 + seed % 50);
    }
    for (int i = 0; i < MANY; i += 7)
        ready_remove(&all[i]);
    assert_null(ready_take(&x, 0));
    const struct ready *before = NULL;
    int n = 0;
    for (struct ready *r; (r = ready_take(&x, 50)) != NULL; before = r, n++)
        assert_true(!before || before->due < r->due || (before->due == r->due && before->came < r->came));
    assert_int_equal(n, MANY - (MANY + 6) / 7);
    assert_int_equal(ready_first_us(&x), INT64_MAX);
    ready_done(&x);
}

/* Who is woken stands behind those who are due already, and goes before those who are due later. */
static void waking(void **state)
{
    struct ready_index x = {.now_us = 10};
    struct ready r[3], never = {0};
    (void)state;
    ready_wake(&never); /* not added: nothing happens */
    for (int i = 0; i < 3; i++) {
        ready_add(&x, &r[i], READY_FEED, NULL);
        ready_set(&r[i], i == 0 ? 5 : 100 + i);
    }
    ready_wake(&r[2]);
    ready_wake(&r[0]); /* is due: keeps its place */
    assert_ptr_equal(ready_take(&x, 10), &r[0]);
    assert_ptr_equal(ready_take(&x, 10), &r[2]);
    assert_null(ready_take(&x, 10));
    assert_int_equal(ready_first_us(&x), 101);
    for (int i = 0; i < 3; i++)
        r[i].at ? ready_remove(&r[i]) : (void)0;
    ready_done(&x);
}

static void queues(void **state)
{
    struct ready_index x = {0};
    struct ready_queue a = {0}, b = {0};
    struct ready r[4];
    (void)state;
    for (int i = 0; i < 4; i++) {
        ready_add(&x, &r[i], READY_LINK, NULL);
        ready_wait(&r[i], 0, &a, i == 3);
        ready_wait(&r[i], 0, &a, false); /* once is enough */
        ready_wait(&r[i], 1, &b, false);
    }
    ready_remove(&r[1]);
    assert_ptr_equal(ready_next_of(&a), &r[3]); /* had a share left */
    assert_ptr_equal(ready_next_of(&b), &r[0]); /* leaves both queues */
    assert_ptr_equal(ready_next_of(&a), &r[2]);
    assert_null(ready_next_of(&a));
    assert_null(ready_next_of(&b));
    ready_done(&x);
}

static void ids(void **state)
{
    struct by_id b = {0};
    int marks[64];
    (void)state;
    for (int i = 0; i < 64; i++)
        by_id_put(&b, (i * 37) % 64 * 2, &marks[(i * 37) % 64]);
    for (int i = 0; i < 64; i++)
        assert_ptr_equal(by_id_get(&b, i * 2), &marks[i]);
    assert_null(by_id_get(&b, 3));
    assert_ptr_equal(by_id_from(&b, 3), &marks[2]);
    by_id_drop(&b, 4);
    by_id_drop(&b, 5);
    assert_null(by_id_get(&b, 4));
    assert_ptr_equal(by_id_from(&b, 3), &marks[3]);
    assert_null(by_id_from(&b, 127));
    by_id_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_in_order),
        cmocka_unit_test(waking),
        cmocka_unit_test(queues),
        cmocka_unit_test(ids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
