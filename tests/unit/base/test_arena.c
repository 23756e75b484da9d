#include "arena.h"
#include "unit/unit.h"

static void gives_zeroed_aligned_memory(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena a = {0};
    for (size_t n = 0; n < 300; n++) {
        unsigned char *p = arena_alloc(&a, n);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % 16, 0);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(p[i], 0);
        memset(p, 0xff, n);
    }
    assert_true(a.used_bytes >= 300 * 299 / 2);
}

static void reset_hands_out_zeroed_memory_again(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena a = {0};
    memset(arena_alloc(&a, 100), 0xff, 100);
    arena_reset(&a);
    assert_int_equal(a.used_bytes, 0);
    unsigned char *p = arena_alloc(&a, 100);
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(p[i], 0);
    struct arena fresh = {0};
    arena_reset(&fresh); /* nothing yet: fine */
    arena_done(&fresh);
}

static void large_pieces_get_their_own_block(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena a = {0};
    char *small = arena_fmt(&a, "%s", "kept");
    memset(arena_alloc(&a, 3 << 20), 1, 3 << 20);
    assert_string_equal(small, "kept");
    arena_reset(&a);
    memset(arena_alloc(&a, 3 << 20), 2, 3 << 20);
}

static void copies_are_terminated(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena a = {0};
    str s = arena_str(&a, str_n("abcdef", 4));
    assert_int_equal(s.n, 4);
    assert_string_equal(s.p, "abcd");
    assert_string_equal(arena_str(&a, (str){NULL, 0}).p, "");
    assert_string_equal(arena_fmt(&a, "%d/%s", 5, "x"), "5/x");
    int64_t *many = arena_array(&a, int64_t, 3);
    assert_int_equal(many[2], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_zeroed_aligned_memory),
        cmocka_unit_test(reset_hands_out_zeroed_memory_again),
        cmocka_unit_test(large_pieces_get_their_own_block),
        cmocka_unit_test(copies_are_terminated),
    };
    return cmocka_run_group_tests_name("base_arena", tests, NULL, NULL);
}
